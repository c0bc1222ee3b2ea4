//! Known answer, credentials, both carriers and versions, every prefix.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

fn notice() -> Notice {
    Notice {
        session_id: 1,
        server_id: "srv1".to_owned(),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "text/x-vcard", "./card")],
        ..Notice::default()
    }
}

fn v11() -> Form {
    Form::new(Carrier::Wbxml, Version::V11)
}

#[test]
fn the_octets_are_those_that_other_decoders_read() {
    let body = hex(
        "02 9F 53 6A 00 6D 6C 71 03 31 2E 31 00 01 72 03 53796E634D4C2F312E31 00 01 65 03 31 00 01 5B 03 31 00 01
         6E 57 03 2F 00 01 01 67 57 03 73727631 00 01 01 01 6B 46 4B 03 31 00 01 4F 03 323036 00 01
         54 67 57 03 2E2F63617264 00 01 01 5A 00 01 53 03 746578742F782D7663617264 00 01 01 01 01 00 00 12 01 01",
    );
    assert_eq!(build(&notice(), &v11(), "/", None), Ok(body.clone()));
    let octets = push(&notice(), Version::V11, "/", None)
        .unwrap()
        .octets()
        .unwrap();
    assert_eq!(
        octets,
        [hex("01 06 06 03 02 03 03 AF 85"), body.clone()].concat()
    );
    let received = read(&body).unwrap();
    assert_eq!(received.notice, notice());
    assert_eq!((received.version, &*received.target), (Version::V11, "/"));
    assert!(!received.has_credentials());
    assert_eq!(prefixes(&body, read), body.len());
}

#[test]
fn credentials_are_those_of_any_message() {
    let basic = Credentials::Basic {
        name: "srv1",
        password: "secret",
    };
    let md5 = Credentials::Md5 {
        name: "srv1",
        password: "secret",
        nonce: b"nonce01",
    };
    for (right, wrong) in [
        (
            basic,
            Credentials::Basic {
                name: "srv1",
                password: "other",
            },
        ),
        (
            md5,
            Credentials::Md5 {
                name: "srv1",
                password: "secret",
                nonce: b"nonce02",
            },
        ),
        (md5, basic),
        (basic, md5),
    ] {
        let octets = build(&notice(), &v11(), "IMEI:1", Some(right)).unwrap();
        let received = read(&octets).unwrap();
        assert!(received.is_signed_with(right));
        assert!(!received.is_signed_with(wrong));
    }
    // MD5 of "srv1:secret" in base64, a colon, the nonce; as `openssl dgst -md5 -binary | base64` makes it.
    assert_eq!(basic.text(), "c3J2MTpzZWNyZXQ=");
    let unsigned = read(&build(&notice(), &v11(), "/", None).unwrap()).unwrap();
    assert!(!unsigned.is_signed_with(basic));
}

#[test]
fn what_cannot_be_a_notification_is_refused() {
    let v12 = Form::new(Carrier::Wbxml, Version::V12);
    assert!(build(&notice(), &v12, "/", None).is_err());
    let nothing = Notice {
        syncs: Vec::new(),
        ..notice()
    };
    assert!(build(&nothing, &v11(), "/", None).is_err());
    let head = "<SyncML><SyncHdr><VerDTD>1.1</VerDTD></SyncHdr><SyncBody>";
    for (body, part) in [
        ("<Final/>", "an Alert with a datastore is missing"),
        (
            "<Alert><Data>200</Data></Alert>",
            "alert code 200 is no server alert",
        ),
        ("<Alert><Item/></Alert>", "alert code 0 is no server alert"),
    ] {
        let message = format!("{head}{body}</SyncBody></SyncML>");
        let error = read(message.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{body}: {error}");
    }
    let many = format!(
        "{head}<Alert><Data>206</Data>{}</Alert></SyncBody></SyncML>",
        "<Item/>".repeat(MOST_SYNCS + 1)
    );
    assert!(read(many.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn everything_comes_back(
        session_id in any::<u16>(),
        server_id in "[ -~]{1,30}",
        uris in prop::collection::vec("[!-~]{1,30}", 1..8),
        alert in prop::sample::select(ServerAlert::ALL.to_vec()),
        media in prop::sample::select(vec!["", "text/x-vcard", "text/calendar", "text/x-vnote"]),
        v11 in any::<bool>(),
        xml in any::<bool>(),
    ) {
        let version = if v11 { Version::V11 } else { Version::V10 };
        let carrier = if xml { Carrier::Xml } else { Carrier::Wbxml };
        let syncs = uris.into_iter().map(|uri| Sync::new(alert, media, uri)).collect();
        let notice = Notice { session_id, server_id, syncs, ..Notice::default() };
        let octets = build(&notice, &Form::new(carrier, version), "IMEI:1", None).unwrap();
        let received = read(&octets).unwrap();
        prop_assert_eq!(received.notice, notice);
        prop_assert_eq!(received.version, version);
    }
}
