//! Short messages to a phone: what it understands, believes and syncs.

use crate::handset::inbox::{Inbox, Incoming, Keys, Notification, Signature};
use crate::handset::{Mode, Settings};
use crate::push::emn::Emn;
use crate::push::si::{Indication, Loading};
use crate::push::wdp::{Ports, Reference, segments};
use crate::push::wsp::Push;
use crate::push::{
    AccessPoint, DatastoreSettings, Notice, Proxy, ServerAlert, Sync, notification, ota, prov, san,
};
use crate::syncml::Version;

fn keys() -> Keys {
    Keys {
        server_password: Some("secret".to_owned()),
        nonces: vec![b"older".to_vec(), b"nonce01".to_vec()],
        pin: Some("1234".to_owned()),
        imsi: Some("244121234567890".to_owned()),
    }
}

fn notice(uris: &[(&str, ServerAlert)]) -> Notice {
    Notice {
        session_id: 77,
        server_id: "srv1".to_owned(),
        syncs: uris
            .iter()
            .map(|(uri, alert)| Sync::new(*alert, "text/x-vcard", *uri))
            .collect(),
        ..Notice::default()
    }
}

/// Sends a push through short messages, the last one first.
fn send(inbox: &mut Inbox, push: &Push, ports: Ports) -> Incoming {
    let octets = push.octets().unwrap();
    let mut segments = segments(&octets, ports, Reference::Octet(1)).unwrap();
    segments.reverse();
    let count = segments.len();
    let mut came = None;
    for (sent, segment) in segments.iter().enumerate() {
        let incoming = inbox.receive("+1", &segment.udh, &segment.body).unwrap();
        assert_eq!(incoming.is_some(), sent + 1 == count);
        came = incoming;
    }
    came.unwrap()
}

fn notified(incoming: Incoming) -> Notification {
    match incoming {
        Incoming::Notification(notification) => notification,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notification_says_what_to_sync_and_how() {
    let mut inbox = Inbox::new(keys());
    let settings = Settings::default();
    for (uris, syncs) in [
        (
            &[
                ("contacts", ServerAlert::TwoWay),
                ("./Calendar/", ServerAlert::RefreshFromServer),
            ][..],
            &[
                ("contacts", Mode::TwoWay),
                ("calendar", Mode::RefreshFromServer),
            ][..],
        ),
        (
            &[
                ("./tasks?x", ServerAlert::OneWayFromClient),
                ("bookmarks", ServerAlert::TwoWay),
            ],
            &[("tasks", Mode::OneWayFromClient)],
        ),
        (
            &[],
            &[
                ("calendar", Mode::TwoWay),
                ("contacts", Mode::TwoWay),
                ("notes", Mode::TwoWay),
                ("tasks", Mode::TwoWay),
            ],
        ),
    ] {
        let package = san::build(&notice(uris), "secret", b"nonce01").unwrap();
        let notification = notified(send(&mut inbox, &Push::notification(package), Ports::PUSH));
        assert_eq!(notification.signature, Signature::Right);
        assert_eq!(notification.notice.session_id, 77);
        let expected: Vec<_> = syncs
            .iter()
            .map(|(name, mode)| ((*name).to_owned(), *mode))
            .collect();
        assert_eq!(notification.syncs(&settings), expected);
    }
}

#[test]
fn a_phone_believes_who_knows_its_secret() {
    let notice = notice(&[("contacts", ServerAlert::TwoWay)]);
    let san =
        |password: &str| Push::notification(san::build(&notice, password, b"nonce01").unwrap());
    let unsigned = || Push::notification(san::build_unsigned(&notice).unwrap());
    let message = |password: Option<&str>| {
        let credentials = password.map(|password| notification::Credentials::Md5 {
            name: "srv1",
            password,
            nonce: b"nonce01",
        });
        notification::push(&notice, Version::V11, "IMEI:1", credentials).unwrap()
    };
    for (push, signature, believed) in [
        (san("secret"), Signature::Right, true),
        (san("other"), Signature::Wrong, false),
        (unsigned(), Signature::Missing, false),
        (message(Some("secret")), Signature::Right, true),
        (message(Some("other")), Signature::Wrong, false),
        (message(None), Signature::Missing, false),
    ] {
        let notification = notified(send(&mut Inbox::new(keys()), &push, Ports::PUSH));
        assert_eq!(notification.signature, signature, "{push:?}");
        assert_eq!(notification.is_believed(), believed);
        // A phone without a password for the server cannot check.
        let notification = notified(send(&mut Inbox::default(), &push, Ports::PUSH));
        assert_eq!(notification.signature, Signature::Unchecked);
    }
}

#[test]
fn settings_set_a_phone_up() {
    let settings = crate::push::Settings {
        name: "Example".to_owned(),
        url: "http://127.0.0.1:8080/sync".to_owned(),
        user: "alice".to_owned(),
        password: "pw".to_owned(),
        datastores: vec![DatastoreSettings::new(
            "contacts",
            "Contacts",
            &[("text/x-vcard", "")],
        )],
        ..crate::push::Settings::default()
    };
    let document = prov::Document::new(&settings, prov::Shape::default()).unwrap();
    let signed = |security: prov::Security| {
        let mut push = document.push().unwrap();
        prov::sign(&mut push, &security).unwrap();
        push
    };
    let (right, wrong) = ("1234".to_owned(), "4321".to_owned());
    for (push, ports, signature) in [
        (
            document.push().unwrap(),
            Ports::PROVISIONING,
            Signature::Missing,
        ),
        (
            signed(prov::Security::UserPin { pin: right }),
            Ports::PROVISIONING,
            Signature::Right,
        ),
        (
            signed(prov::Security::UserPin { pin: wrong }),
            Ports::PROVISIONING,
            Signature::Wrong,
        ),
        (
            ota::sync_push(&settings, ota::Scheme::Md5).unwrap(),
            Ports::OTA_SYNC,
            Signature::Missing,
        ),
    ] {
        let expected = Incoming::Settings(Box::new(settings.clone()), signature);
        assert_eq!(send(&mut Inbox::new(keys()), &push, ports), expected);
    }
}

#[test]
fn everything_else_is_told_apart() {
    let mut inbox = Inbox::new(keys());
    let emn = Emn {
        mailbox: "mailat:a@example.org".to_owned(),
        timestamp: None,
    };
    let indication = Indication {
        text: "4 new mails".to_owned(),
        ..Indication::default()
    };
    let loading = Loading {
        href: "http://example.org/".to_owned(),
        ..Loading::default()
    };
    let access_point = AccessPoint {
        name: "Example".to_owned(),
        apn: "internet".to_owned(),
        proxy: Some(Proxy {
            address: "192.0.2.1".to_owned(),
            port: 9201,
        }),
        ..AccessPoint::default()
    };
    let browser = ota::browser_push(&access_point, "").unwrap();
    for (push, ports, expected) in [
        (emn.push().unwrap(), Ports::PUSH, Incoming::Mail(emn)),
        (
            indication.push().unwrap(),
            Ports::PUSH,
            Incoming::Indication(indication),
        ),
        (
            loading.push().unwrap(),
            Ports::PUSH,
            Incoming::Loading(loading),
        ),
        (
            browser,
            Ports::OTA_BROWSER,
            Incoming::AccessPoint(Box::new(access_point)),
        ),
    ] {
        assert_eq!(send(&mut inbox, &push, ports), expected);
    }
    let text = inbox.receive("+1", &[], b"hello").unwrap();
    assert_eq!(text, Some(Incoming::Text("hello".to_owned())));
    assert!(
        inbox
            .receive("+1", &[6, 5, 4, 11, 132, 35, 240], b"hello")
            .is_err()
    );
}

#[test]
fn a_datagram_is_a_push_or_a_short_message_with_its_header() {
    let mut inbox = Inbox::new(keys());
    let package = san::build(&notice(&[]), "secret", b"nonce01").unwrap();
    let octets = Push::notification(package).octets().unwrap();
    let plain = inbox.receive_datagram("127.0.0.1", &octets).unwrap();
    assert!(notified(plain.unwrap()).is_believed());
    for segment in segments(&octets, Ports::PUSH, Reference::Octet(1)).unwrap() {
        let datagram = [segment.udh, segment.body].concat();
        let came = inbox.receive_datagram("127.0.0.1", &datagram).unwrap();
        assert!(notified(came.unwrap()).is_believed());
    }
    assert!(inbox.receive_datagram("127.0.0.1", b"nonsense").is_err());
    assert!(inbox.receive_datagram("127.0.0.1", b"").is_err());
}
