//! One push of each kind that candybar makes.

use candybar::push::emn::Emn;
use candybar::push::si::{Execution, Indication, Loading, Signal};
use candybar::push::wdp::{Ports, Reference, Segment, segments};
use candybar::push::wsp::Push;
use candybar::push::{
    AccessPoint, Connection, DatastoreSettings, Login, Notice, Proxy, ServerAlert, Settings, Sync,
    UiMode, notification, ota, prov, san,
};
use candybar::syncml::Version;

pub(super) const PASSWORD: &str = "secret";
pub(super) const NONCE: &str = "nonce01";
pub(super) const PIN: &str = "1234";
pub(super) const IMSI: &str = "244121234567890";

/// A push and where it goes.
pub(super) struct Made {
    /// Name of the sample.
    pub(super) name: &'static str,
    /// What the sample's line says.
    pub(super) about: &'static str,
    pub(super) push: Push,
    pub(super) ports: Ports,
}

impl Made {
    pub(super) fn segments(&self) -> Vec<Segment> {
        let octets = self.push.octets().expect("a push");
        segments(&octets, self.ports, Reference::Octet(7)).expect("segments")
    }
}

pub(super) fn notice() -> Notice {
    Notice {
        ui_mode: UiMode::UserInteraction,
        session_id: 0x1234,
        server_id: "sync.example.org".to_owned(),
        syncs: vec![
            Sync::new(ServerAlert::TwoWay, "text/x-vcard", "./contacts"),
            Sync::new(
                ServerAlert::RefreshFromServer,
                "text/x-vcalendar",
                "./calendar",
            ),
        ],
        ..Notice::default()
    }
}

pub(super) fn long_notice() -> Notice {
    let sync = |number: usize| {
        let alert = ServerAlert::ALL[number % 5];
        Sync::new(alert, "text/plain", format!("./notes/of/the/year/{number}"))
    };
    Notice {
        syncs: (0..15).map(sync).collect(),
        vendor: b"vendor".to_vec(),
        ..notice()
    }
}

pub(super) fn emn() -> Emn {
    Emn {
        mailbox: "imap://alice@mail.example.org/INBOX".to_owned(),
        timestamp: "2026-11-22T14:30:00Z".parse().ok(),
    }
}

pub(super) fn indication() -> Indication {
    Indication {
        text: "You have 4 new emails & <more>".to_owned(),
        href: Some("http://www.example.org/mail?a=b&c=d".to_owned()),
        id: Some("1@example.org".to_owned()),
        signal: Signal::High,
        created: "2026-11-22T14:30:15Z".parse().ok(),
        expires: "2036-06-30T00:00:00Z".parse().ok(),
    }
}

pub(super) fn loading() -> Loading {
    Loading {
        href: "https://www.example.com/mail".to_owned(),
        execution: Execution::High,
    }
}

pub(super) fn access_point() -> AccessPoint {
    AccessPoint {
        name: "Example GPRS".to_owned(),
        apn: "internet.example".to_owned(),
        user: "guest".to_owned(),
        password: "guest".to_owned(),
        login: Login::Chap,
        proxy: Some(Proxy {
            address: "192.0.2.1".to_owned(),
            port: 9201,
        }),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        name: "Example Sync".to_owned(),
        server_id: Some("sync.example.org".to_owned()),
        url: "http://sync.example.org:8080/sync".to_owned(),
        user: "alice".to_owned(),
        password: "s3cret".to_owned(),
        server_password: None,
        datastores: vec![
            DatastoreSettings::new(
                "./contacts",
                "Contacts",
                &[("text/x-vcard", "2.1"), ("text/vcard", "3.0")],
            ),
            DatastoreSettings::new("./calendar", "Calendar", &[("text/x-vcalendar", "1.0")]),
        ],
        connection: Connection::New(access_point()),
    }
}

pub(super) fn document() -> prov::Document {
    prov::Document::new(&settings(), prov::Shape::default()).expect("a document")
}

/// All kinds of signature, with what makes the key.
pub(super) fn securities() -> [prov::Security; 4] {
    let (pin, imsi) = (PIN.to_owned(), IMSI.to_owned());
    [
        prov::Security::NetworkPin { imsi: imsi.clone() },
        prov::Security::UserPin { pin: pin.clone() },
        prov::Security::UserNetworkPin { imsi, pin },
        prov::Security::UserPinMac {
            pin: "12345".to_owned(),
        },
    ]
}

fn signed(security: &prov::Security) -> Push {
    let mut push = document().push().expect("a push");
    prov::sign(&mut push, security).expect("a signature");
    push
}

pub(super) fn all() -> Vec<Made> {
    let made = |name, about, push, ports| Made {
        name,
        about,
        push,
        ports,
    };
    let san = |notice: &Notice| {
        let package = san::build(notice, PASSWORD, NONCE.as_bytes()).expect("a notification");
        Push::notification(package)
    };
    let message = |version, credentials| {
        notification::push(&notice(), version, "IMEI:490154203237518", credentials).expect("a push")
    };
    let md5 = notification::Credentials::Md5 {
        name: "sync.example.org",
        password: PASSWORD,
        nonce: NONCE.as_bytes(),
    };
    let [network, user, both, typed] = securities();
    let settings = settings();
    vec![
        made(
            "san-12",
            "Notification of OMA DS 1.2 for two datastores, password \"secret\", nonce \"nonce01\"",
            san(&notice()),
            Ports::PUSH,
        ),
        made(
            "san-12-long",
            "Notification of OMA DS 1.2 for fifteen datastores with vendor data, in several short messages",
            san(&long_notice()),
            Ports::PUSH,
        ),
        made(
            "notification-11",
            "Notification of SyncML 1.1 with MD5 credentials, password \"secret\", nonce \"nonce01\"",
            message(Version::V11, Some(md5)),
            Ports::PUSH,
        ),
        made(
            "notification-10",
            "Notification of SyncML 1.0 without credentials",
            message(Version::V10, None),
            Ports::PUSH,
        ),
        made(
            "emn",
            "Email notification",
            emn().push().expect("a push"),
            Ports::PUSH,
        ),
        made(
            "si",
            "Service indication",
            indication().push().expect("a push"),
            Ports::PUSH,
        ),
        made(
            "sl",
            "Service loading",
            loading().push().expect("a push"),
            Ports::PUSH,
        ),
        made(
            "cp",
            "Client Provisioning of w5 with an access point, not signed",
            document().push().expect("a push"),
            Ports::PROVISIONING,
        ),
        made(
            "cp-netwpin",
            "Client Provisioning of w5 with an access point, signed by the IMSI 244121234567890",
            signed(&network),
            Ports::PROVISIONING,
        ),
        made(
            "cp-userpin",
            "Client Provisioning of w5 with an access point, signed by the PIN 1234",
            signed(&user),
            Ports::PROVISIONING,
        ),
        made(
            "cp-usernetwpin",
            "Client Provisioning of w5 with an access point, signed by the IMSI 244121234567890 and the PIN 1234",
            signed(&both),
            Ports::PROVISIONING,
        ),
        made(
            "cp-userpinmac",
            "Client Provisioning of w5 with an access point, signed by the PIN 12345 with digits that the user types",
            signed(&typed),
            Ports::PROVISIONING,
        ),
        made(
            "ota-sync",
            "Sync settings of Nokia's and Ericsson's OTA 7.0",
            ota::sync_push(&settings, ota::Scheme::Md5).expect("a push"),
            Ports::OTA_SYNC,
        ),
        made(
            "ota-browser",
            "Browser settings of Nokia's and Ericsson's OTA 7.0, which make the access point",
            ota::browser_push(&access_point(), "http://example.org/").expect("a push"),
            Ports::OTA_BROWSER,
        ),
    ]
}
