//! The examples of the specification, limits, both documents there and back, every prefix.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};
use crate::push::wdp::{Ports, Reassembly, Reference, segments};

/// Section 14.3: three short messages, cut where the specification cuts them.
const SYNC: [&str; 3] = [
    "01 06 06 05 02 02 0B 81 EA 01 01 6A 00 55 58 03 31 2E 30 00 01 50 03 68 74 74 70 3A 2F 2F 77 77 77 2E 73 79 6E 63
     73 65 72 76 65 72 2E 63 6F 6D 2F 73 79 6E 63 00 01 52 03 38 30 38 30 00 01 54 4E 03 74 65 78 74 2F 78 2D 76 63
     61 72 64 00 01 4F 03 32 2E 31 00 01 56 03 2E 2F 43 6F 6E 74 61 63 74 73 3F 43 4C 41 53 53 26 45 51 3B 50 52 49
     56 41 54 45 00 01 51 03 50 72 69 76 61 74 65 20",
    "43 6F 6E 74 61 63 74 20 44 42 00 01 47 49 03 31 00 01 57 03 6A 61 6D 65 73 00 01 4D 03 63 48 64 6B 00 01 01 01
     54 4E 03 74 65 78 74 2F 78 2D 76 63 61 6C 65 6E 64 61 72 00 01 4F 03 31 2E 30 00 01 56 03 2E 2F 43 61 6C 65 6E
     64 61 72 00 01 51 03 43 61 6C 65 6E 64 61 72 20 44 42 00 01 01 51 03 50 49 4D 20 53 65 72 76 69 63 65 00 01 47
     48 03 32 00 01 49 03 31 00 01 57 03 6A 61 6D 65 73",
    "00 01 4D 03 59 6D 39 75 5A 41 3D 3D 00 01 01 47 48 03 31 00 01 49 03 31 00 01 57 03 62 6F 6E 64 00 01 4D 03 59
     6D 39 75 5A 41 3D 3D 00 01 01 4B 4C 03 31 00 01 53 03 4D 79 20 41 50 00 01 01 01",
];
/// Section 14.2: GPRS settings, two short messages in one.
const BROWSER: &str = "01 06 2C 1F 2A 61 70 70 6C 69 63 61 74 69 6F 6E 2F 78 2D 77 61 70 2D 70 72 6F 76 2E 62 72 6F 77
    73 65 72 2D 73 65 74 74 69 6E 67 73 00 81 EA 01 01 6A 00 45 C6 06 01 87 12 49 01 87 13 11 03 31 32 33 2E 34 35 2E
    36 2E 37 00 01 87 1C 11 03 73 6F 6E 6F 66 6F 6E 2E 63 6F 6D 00 01 87 22 70 01 01 86 07 11 03 68 74 74 70 3A 2F 2F
    77 61 70 2E 64 6B 00 01 C6 08 01 87 15 11 03 41 42 43 00 01 01 C6 7F 01 87 15 11 03 57 61 70 00 01 87 17 11 03 68
    74 74 70 3A 2F 2F 77 61 70 2E 64 6B 00 01 01 01";

fn settings() -> Settings {
    Settings {
        name: "Example".to_owned(),
        url: "http://sync.example.org:8080/sync".to_owned(),
        user: "alice".to_owned(),
        password: "pw".to_owned(),
        datastores: vec![
            DatastoreSettings::new("./contacts", "Contacts", &[("text/x-vcard", "2.1")]),
            DatastoreSettings::new("./calendar", "", &[("text/x-vcalendar", "1.0")]),
        ],
        connection: Connection::Existing("Example GPRS".to_owned()),
        ..Settings::default()
    }
}

fn access_point() -> AccessPoint {
    AccessPoint {
        name: "Example GPRS".to_owned(),
        apn: "internet.example".to_owned(),
        user: "guest".to_owned(),
        password: "guestpw".to_owned(),
        login: Login::Pap,
        proxy: Some(Proxy {
            address: "192.0.2.1".to_owned(),
            port: 9201,
        }),
    }
}

#[test]
fn the_sync_settings_of_the_specification_are_read() {
    let mut reassembly = Reassembly::new();
    let mut whole = None;
    for (number, body) in SYNC.iter().enumerate() {
        let udh = hex(&format!("0B 05 04 C3 4C C0 02 00 03 04 03 0{}", number + 1));
        whole = reassembly.add("", &udh, &hex(body)).unwrap();
    }
    let whole = whole.unwrap();
    assert_eq!(whole.ports, Some(Ports::OTA_SYNC));
    let push = Push::read(&whole.payload).unwrap();
    assert_eq!(push.content_type, MediaType::SYNC_SETTINGS);
    let read = read_sync(&push.body).unwrap();
    let expected = Settings {
        name: "PIM Service".to_owned(),
        url: "http://www.syncserver.com:8080/sync".to_owned(),
        user: "bond".to_owned(),
        password: "bond".to_owned(),
        datastores: vec![
            DatastoreSettings::new(
                "./Contacts?CLASS&EQ;PRIVATE",
                "Private Contact DB",
                &[("text/x-vcard", "2.1")],
            ),
            DatastoreSettings::new("./Calendar", "Calendar DB", &[("text/x-vcalendar", "1.0")]),
        ],
        connection: Connection::Existing("My AP".to_owned()),
        ..Settings::default()
    };
    assert_eq!(read.password, expected.password);
    assert_eq!(read, expected);
    assert_eq!(prefixes(&push.body, read_sync), push.body.len());
}

#[test]
fn the_browser_settings_of_the_specification_are_read() {
    let push = Push::read(&hex(BROWSER)).unwrap();
    assert_eq!(push.content_type, MediaType::new(BROWSER_SETTINGS));
    let (access_point, home) = read_browser(&push.body).unwrap();
    assert_eq!(access_point.apn, "sonofon.com");
    assert_eq!(access_point.name, "ABC");
    assert_eq!(access_point.login, Login::Pap);
    assert_eq!(access_point.proxy.unwrap().address, "123.45.6.7");
    assert_eq!(home, "http://wap.dk");
    assert_eq!(prefixes(&push.body, read_browser), push.body.len());
}

#[test]
fn the_octets_have_the_order_of_the_specification() {
    let push = sync_push(&settings(), Scheme::Basic).unwrap();
    let octets = push.octets().unwrap();
    assert_eq!(octets[..13], hex("01 06 06 05 02 02 0B 81 EA 01 01 6A 00"));
    let xml = sync_document(&settings(), Scheme::Basic).unwrap();
    assert_eq!(
        xml.xml(&OTA_SYNC, None).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncSettings><Version>1.0</Version>\
         <HostAddr>http://sync.example.org/sync</HostAddr><Port>8080</Port>\
         <RemoteDB><CTType>text/x-vcard</CTType><CTVer>2.1</CTVer><URI>./contacts</URI><Name>Contacts</Name></RemoteDB>\
         <RemoteDB><CTType>text/x-vcalendar</CTType><CTVer>1.0</CTVer><URI>./calendar</URI></RemoteDB>\
         <Name>Example</Name><Auth><AuthLevel>1</AuthLevel><AuthScheme>1</AuthScheme><Username>alice</Username>\
         <Cred>cHc=</Cred></Auth><ConRef><ConType>3</ConType><RefID>Example GPRS</RefID></ConRef></SyncSettings>"
    );
    // Opaque data are not allowed.
    assert!(!push.body.contains(&0xC3));
    let segments = segments(&octets, Ports::OTA_SYNC, Reference::Octet(4)).unwrap();
    assert_eq!(segments[0].udh[..7], hex("0B 05 04 C3 4C C0 02"));
}

#[test]
fn what_is_written_is_read_again() {
    for connection in [
        Connection::Unsaid,
        Connection::Existing("INTERNET".to_owned()),
    ] {
        let settings = Settings {
            connection,
            ..settings()
        };
        let push = sync_push(&settings, Scheme::Md5).unwrap();
        let push = Push::read(&push.octets().unwrap()).unwrap();
        assert_eq!(read_sync(&push.body), Ok(settings));
    }
    let push = browser_push(&access_point(), "http://example.org/").unwrap();
    let octets = push.octets().unwrap();
    assert_eq!(octets[..5], hex("01 06 2C 1F 2A"));
    let push = Push::read(&octets).unwrap();
    let (read, home) = read_browser(&push.body).unwrap();
    assert_eq!((read, &*home), (access_point(), "http://example.org/"));
    // A port that has a token is a token, and so are GPRS and PAP.
    for token in ["14 61 01", "12 49 01", "22 70 01"] {
        let token = hex(token);
        assert!(octets.windows(3).any(|part| part == token), "{token:02X?}");
    }
}

#[test]
fn a_new_access_point_is_made_by_one_and_named_by_the_other() {
    let settings = Settings {
        connection: Connection::New(access_point()),
        ..settings()
    };
    let read = read_sync(&sync_settings(&settings, Scheme::Basic).unwrap()).unwrap();
    assert_eq!(read.connection, Connection::Existing(access_point().name));
    let without = AccessPoint {
        proxy: None,
        ..access_point()
    };
    assert_eq!(
        browser_settings(&without, ""),
        Err(BuildError::Missing("proxy of the access point"))
    );
}

#[test]
fn fields_have_the_lengths_of_the_specification() {
    type Change = fn(&mut Settings, String);
    let changes: [(Change, usize, &str); 6] = [
        (
            |s, text| s.url = format!("http://{text}"),
            143,
            "server's address",
        ),
        (|s, text| s.user = text, 80, "user"),
        (|s, text| s.password = text, 60, "password"),
        (|s, text| s.name = text, 50, "name of the settings"),
        (
            |s, text| s.datastores[0].uri = text,
            100,
            "address of a datastore",
        ),
        (
            |s, text| s.connection = Connection::Existing(text),
            20,
            "name of the access point",
        ),
    ];
    for (change, most, name) in changes {
        let with = |length: usize| {
            let mut settings = settings();
            change(&mut settings, "x".repeat(length));
            sync_settings(&settings, Scheme::Basic)
        };
        assert!(with(most).is_ok(), "{name}");
        let error = with(most + 1).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the {name} has ")), "{error}");
    }
}

#[test]
fn what_is_missing_is_said() {
    for (input, part) in [
        ("<SyncSettings/>", "HostAddr is missing"),
        (
            "<SyncSettings><HostAddr>a</HostAddr><Auth><Cred>***</Cred></Auth></SyncSettings>",
            "Cred has a value",
        ),
        ("<si/>", "the document is no SyncSettings"),
    ] {
        let error = read_sync(input.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{input}: {error}");
    }
    let error = read_browser(b"<CHARACTERISTIC-LIST/>").unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Missing("GPRS access point"));
}

proptest! {
    #[test]
    fn everything_comes_back(
        user in "[ -~]{1,20}",
        password in "[ -~ä]{0,20}",
        uri in "[!-~]{1,40}",
        name in "[!-~é]{1,20}",
        port in prop::option::of(1..=65_535_u16),
    ) {
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let settings = Settings {
            url: format!("http://example.org{port}/sync"),
            // White space at the ends is taken for layout.
            user: format!("u{}u", user),
            password,
            datastores: vec![DatastoreSettings::new(&uri, &name, &[("text/x-vcard", "2.1"), ("text/vcard", "3.0")])],
            name,
            ..settings()
        };
        let read = read_sync(&sync_settings(&settings, Scheme::Md5).unwrap()).unwrap();
        prop_assert_eq!(&read.password, &settings.password);
        prop_assert_eq!(read, settings);
    }
}
