//! Known answers of another implementation, every part of a document, signatures, every prefix.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};
use crate::push::wdp;
use crate::push::wsp::{Value, parameter};

/// As Kannel's provisioning function made it.
const KANNEL: &str = "030b6a00c54601c60001550187360000060377350001870706034578616d706c652053796e6300018700013400000603
    687474703a2f2f6578616d706c652e6f72672f73796e630001c600015901873a0000060363617264000187070603436f6e7461637473204442
    00018700012e00000603746578742f782d76636172642c746578742f7663617264000101c600015701873100000603616c69636500018700
    01320000060370770001010101";

fn settings() -> Settings {
    Settings {
        name: "Example Sync".to_owned(),
        url: "http://example.org/sync".to_owned(),
        user: "alice".to_owned(),
        password: "pw".to_owned(),
        datastores: vec![DatastoreSettings::new(
            "card",
            "Contacts DB",
            &[("text/x-vcard", ""), ("text/vcard", "")],
        )],
        ..Settings::default()
    }
}

fn access_point() -> AccessPoint {
    AccessPoint {
        name: "Example GPRS".to_owned(),
        apn: "internet.example".to_owned(),
        user: "guest".to_owned(),
        password: "guestpw".to_owned(),
        login: Login::Chap,
        proxy: Some(Proxy {
            address: "192.0.2.1".to_owned(),
            port: 8080,
        }),
    }
}

fn document(settings: &Settings) -> Document {
    Document::new(settings, Shape::default()).unwrap()
}

#[test]
fn what_kannel_made_is_what_we_make() {
    let document = document(&settings());
    assert_eq!(document.wbxml(), Ok(hex(KANNEL)));
    let read = Document::read(&hex(KANNEL)).unwrap();
    assert_eq!(read.settings(), Ok(settings()));
    let refused = prefixes(&hex(KANNEL), |input| Document::read(input)?.settings());
    assert_eq!(refused, hex(KANNEL).len());
}

#[test]
fn signatures_are_those_of_kannel() {
    let (pin, imsi) = (|| "1234".to_owned(), || "244121234567890".to_owned());
    for (security, mac, typed) in [
        (
            Security::UserPin { pin: pin() },
            "BE63A838F3B87E8D74C34FECEF379303D4B65429",
            Some("1234"),
        ),
        (
            Security::NetworkPin { imsi: imsi() },
            "2F070200B1F732BF55C118C3CAEBB4CB764500C3",
            None,
        ),
        (
            Security::UserNetworkPin {
                imsi: imsi(),
                pin: pin(),
            },
            "B7D025AF32B7296CC464970AF901A2353847E250",
            Some("1234"),
        ),
    ] {
        let mut push = document(&settings()).push().unwrap();
        assert_eq!(sign(&mut push, &security), Ok(typed.map(str::to_owned)));
        let sent = push.parameter(parameter::MAC).and_then(Value::text);
        assert_eq!(sent, Some(mac), "{security:?}");
        let read = Push::read(&push.octets().unwrap()).unwrap();
        assert!(is_signed_with(&read, &security));
        let mut changed = read.clone();
        changed.body[10] ^= 1;
        assert!(!is_signed_with(&changed, &security));
        let other = Security::UserPin {
            pin: "4321".to_owned(),
        };
        assert!(!is_signed_with(&read, &other));
    }
    let mut push = document(&settings()).push().unwrap();
    sign(&mut push, &Security::UserPin { pin: pin() }).unwrap();
    let octets = push.octets().unwrap();
    assert_eq!(octets[..10], hex("01 06 2F 1F 2D B6 91 81 92 42"));
    let segments = wdp::segments(&octets, wdp::Ports::PROVISIONING, wdp::Reference::Octet(0));
    let segments = segments.unwrap();
    assert_eq!(segments.len(), 2);
    assert_eq!(segments[0].udh, hex("0B 05 04 0B 84 0B 84 00 03 00 02 01"));
}

#[test]
fn a_document_without_a_signature_has_its_type_only() {
    let push = document(&settings()).push().unwrap();
    assert_eq!(push.octets().unwrap()[..4], hex("01 06 01 B6"));
}

#[test]
fn the_user_types_the_signature_too() {
    let security = Security::UserPinMac {
        pin: "12345".to_owned(),
    };
    let mut push = document(&settings()).push().unwrap();
    let typed = sign(&mut push, &security).unwrap().unwrap();
    assert_eq!(typed.len(), 10);
    assert!(typed.starts_with("12345") && typed.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(push.parameter(parameter::MAC), None);
    let with = |pin: &str| Security::UserPinMac {
        pin: pin.to_owned(),
    };
    assert!(is_signed_with(&push, &with(&typed)));
    push.body[10] ^= 1;
    assert!(!is_signed_with(&push, &with(&typed)));
    for wrong in ["", "1", "12345", "1234567890x", "ééééé"] {
        assert!(!is_signed_with(&push, &with(wrong)), "{wrong}");
    }
}

#[test]
fn the_key_of_a_card_is_in_half_octets() {
    for (imsi, key) in [
        ("244121234567890", "2944212143658709"),
        ("24412123456789", "21442121436587F9"),
    ] {
        assert_eq!(security::semi_octets(imsi), Ok(hex(key)), "{imsi}");
    }
}

#[test]
fn pins_and_numbers_are_digits() {
    let sign_with = |security: Security| {
        let mut push = document(&settings()).push().unwrap();
        sign(&mut push, &security)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let pin = |pin: &str| Security::UserPin {
        pin: pin.to_owned(),
    };
    assert_eq!(
        sign_with(pin("123")).unwrap_err(),
        "a PIN for this kind of signature has 4 to 16 digits"
    );
    assert!(sign_with(pin("12a4")).is_err());
    let mac = Security::UserPinMac {
        pin: "1234".to_owned(),
    };
    assert!(sign_with(mac).unwrap_err().contains("5 to 16"));
    for imsi in ["", "12345", "24412123456789012", "24412 123456789"] {
        let security = Security::NetworkPin {
            imsi: imsi.to_owned(),
        };
        assert_eq!(
            sign_with(security).unwrap_err(),
            "an IMSI has 6 to 15 digits"
        );
    }
}

#[test]
fn the_server_s_password_stands_beside_that_of_the_account() {
    let settings = Settings {
        server_id: Some("srv1".to_owned()),
        server_password: Some("for the phone".to_owned()),
        ..settings()
    };
    let document = document(&settings);
    let xml = document.xml().unwrap();
    for part in [
        "<characteristic type=\"APPAUTH\"><parm name=\"AAUTHLEVEL\" value=\"APPSRV\"/><parm name=\"AAUTHNAME\" value=\"alice\"/>",
        "<characteristic type=\"APPAUTH\"><parm name=\"AAUTHLEVEL\" value=\"CLIENT\"/><parm name=\"AAUTHNAME\" value=\"srv1\"/>\
         <parm name=\"AAUTHSECRET\" value=\"for the phone\"/></characteristic>",
    ] {
        assert!(xml.contains(part), "{part} not in {xml}");
    }
    let read = Document::read(&document.wbxml().unwrap()).unwrap();
    assert_eq!(read.settings().unwrap(), settings);
}

#[test]
fn an_access_point_comes_with_the_settings() {
    let settings = Settings {
        server_id: Some("sync.example.org".to_owned()),
        url: "https://example.org:8443/sync?a".to_owned(),
        connection: Connection::New(access_point()),
        ..settings()
    };
    let document = document(&settings);
    let xml = document.xml().unwrap();
    let octets = document.wbxml().unwrap();
    for carrier in [xml.as_bytes(), &octets] {
        let read = Document::read(carrier).unwrap();
        let read_settings = read.settings().unwrap();
        assert_eq!(read_settings.password, settings.password);
        assert_eq!(read_settings, settings);
    }
    for part in [
        "<characteristic type=\"NAPDEF\"><parm name=\"NAPID\" value=\"NAP1\"/><parm name=\"BEARER\" value=\"GSM-GPRS\"/>",
        "<parm name=\"AUTHTYPE\" value=\"CHAP\"/>",
        "<parm name=\"TO-PROXY\" value=\"PROXY1\"/>",
        "<characteristic type=\"APPADDR\"><parm name=\"ADDR\" value=\"https://example.org/sync?a\"/>\
         <characteristic type=\"PORT\"><parm name=\"PORTNBR\" value=\"8443\"/></characteristic></characteristic>",
    ] {
        assert!(xml.contains(part), "{part} not in {xml}");
    }
    // Words that have a token are tokens: GSM-GPRS, APN, CHAP.
    for token in ["10 06 AB", "09 06 89", "0C 06 9B"] {
        let token = hex(token);
        assert!(octets.windows(3).any(|part| part == token), "{token:02X?}");
    }
}

#[test]
fn an_access_point_that_is_there_is_named() {
    for connection in [
        Connection::Existing("INTERNET".to_owned()),
        Connection::New(AccessPoint {
            proxy: None,
            user: String::new(),
            password: String::new(),
            login: Login::Pap,
            ..access_point()
        }),
    ] {
        let settings = Settings {
            connection,
            ..settings()
        };
        let read = document(&settings).settings();
        assert_eq!(read, Ok(settings));
    }
}

#[test]
fn clients_with_wishes_get_what_they_wish() {
    let shape = Shape {
        appaddr: true,
        auth_level: true,
    };
    let document = Document::new(&settings(), shape).unwrap();
    let xml = document.xml().unwrap();
    assert!(xml.contains("<characteristic type=\"APPADDR\">"), "{xml}");
    assert!(
        xml.contains("<parm name=\"AAUTHLEVEL\" value=\"APPSRV\"/>"),
        "{xml}"
    );
    assert_eq!(document.settings(), Ok(settings()));
}

#[test]
fn documents_of_phone_makers_are_read() {
    let document = "<?xml version=\"1.0\"?>
        <!DOCTYPE wap-provisioningdoc PUBLIC \"-//WAPFORUM//DTD PROV 1.0//EN\" \"http://www.wapforum.org/DTD/prov.dtd\">
        <wap-provisioningdoc>
          <characteristic type=\"BOOTSTRAP\"><parm name=\"NAME\" value=\"Sync\"/></characteristic>
          <characteristic type=\"APPLICATION\"><parm name=\"APPID\" value=\"w2\"/></characteristic>
          <characteristic type=\"APPLICATION\">
            <parm name=\"APPID\" value=\"w5\"/><parm name=\"NAME\" value=\"Sync Server\"/>
            <parm name=\"TO-NAPID\" value=\"INTERNET\"/>
            <characteristic type=\"APPADDR\">
              <parm name=\"ADDR\" value=\"http://sync.example.com/sync\"/>
              <characteristic type=\"PORT\"><parm name=\"PORTNBR\" value=\"8080\"/></characteristic>
            </characteristic>
            <characteristic type=\"RESOURCE\"><parm name=\"URI\" value=\"./contact\"/>
              <parm name=\"AACCEPT\" value=\"text/x-vcard, text/vcard\"/></characteristic>
            <characteristic type=\"APPAUTH\"><parm name=\"AAUTHLEVEL\" value=\"CLIENT\"/>
              <parm name=\"AAUTHNAME\" value=\"server\"/></characteristic>
            <characteristic type=\"APPAUTH\"><parm name=\"AAUTHNAME\" value=\"test\"/>
              <parm name=\"AAUTHSECRET\" value=\"\"/></characteristic>
          </characteristic>
        </wap-provisioningdoc>";
    let read = Document::read(document.as_bytes())
        .unwrap()
        .settings()
        .unwrap();
    assert_eq!(read.url, "http://sync.example.com:8080/sync");
    assert_eq!(read.connection, Connection::Existing("INTERNET".to_owned()));
    assert_eq!((&*read.user, &*read.password), ("test", ""));
    assert_eq!(read.datastores[0].content_types.len(), 2);
}

#[test]
fn what_is_missing_is_said() {
    let fails = |settings: Settings| {
        Document::new(&settings, Shape::default())
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let url = Settings {
        url: "example.org".to_owned(),
        ..settings()
    };
    assert!(fails(url).contains("has to begin with http://"));
    let nothing = Settings {
        datastores: Vec::new(),
        ..settings()
    };
    assert_eq!(fails(nothing), "the list of datastores is missing");
    let apn = Connection::New(AccessPoint::default());
    let apn = Settings {
        connection: apn,
        ..settings()
    };
    assert_eq!(fails(apn), "the access point name is missing");
    for (input, part) in [
        ("<wap-provisioningdoc/>", "application w5 is missing"),
        (
            "<wap-provisioningdoc><characteristic type='APPLICATION'><parm name='APPID' value='w5'/></characteristic></wap-provisioningdoc>",
            "ADDR is missing",
        ),
        ("<emn/>", "the document is no PROV"),
    ] {
        let read = Document::read(input.as_bytes()).and_then(|document| document.settings());
        let error = read.unwrap_err().to_string();
        assert!(error.contains(part), "{input}: {error}");
    }
}

#[test]
fn no_secret_is_in_what_is_printed_for_debugging() {
    let settings = Settings {
        connection: Connection::New(access_point()),
        password: "topsecret".to_owned(),
        ..settings()
    };
    let mut push = document(&settings).push().unwrap();
    let security = Security::UserPin {
        pin: "987654".to_owned(),
    };
    sign(&mut push, &security).unwrap();
    let printed = format!("{settings:?}{:?}{push:?}{security:?}", document(&settings));
    for secret in ["topsecret", "guestpw", "987654"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

prop_compose! {
    fn any_settings()(
        name in "[ -~äé]{1,20}",
        server_id in prop::option::of("[!-~]{1,20}"),
        host in "https?://[a-z.]{1,12}",
        port in prop::option::of(1..=65_535_u16),
        user in "[ -~]{1,12}",
        password in "[ -~ä]{0,12}",
        stores in prop::collection::vec(("[!-~]{1,12}", "[ -~]{0,12}", 0..3_usize), 1..5),
        apn in prop::option::of("[a-z.]{1,12}"),
        proxied in any::<bool>(),
    ) -> Settings {
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let datastores = stores.into_iter().map(|(uri, name, types)| {
            let types: Vec<_> = ["text/x-vcard", "text/vcard"].iter().map(|media| (*media, "")).take(types).collect();
            DatastoreSettings::new(&uri, &name, &types)
        });
        let connection = apn.map_or(Connection::Unsaid, |apn| {
            let proxy = proxied.then(|| access_point().proxy).flatten();
            Connection::New(AccessPoint { apn, proxy, ..access_point() })
        });
        Settings { name, server_id, url: format!("{host}{port}/sync"), user, password, server_password: None, datastores: datastores.collect(), connection }
    }
}

proptest! {
    #[test]
    fn everything_comes_back(settings in any_settings(), appaddr in any::<bool>(), auth_level in any::<bool>()) {
        let document = Document::new(&settings, Shape { appaddr, auth_level }).unwrap();
        let wbxml = Document::read(&document.wbxml().unwrap()).unwrap().settings().unwrap();
        prop_assert_eq!(&wbxml, &settings);
        prop_assert_eq!(&wbxml.password, &settings.password);
        let xml = Document::read(document.xml().unwrap().as_bytes()).unwrap().settings().unwrap();
        prop_assert_eq!(xml, settings);
    }
}
