//! Known answers, every prefix, and everything there and back.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

/// As libsynthesis built it.
const LIBSYNTHESIS: &str = "82F8CE64C77DC0DA7899B62F63722CBD 0338 0000 0012 34 04 73727631 20
    60 000007 06 2E2F63617264  A0 000000 03 63616C";
/// As Nokia's PC software sends it: no media type, empty password and nonce.
const NOKIA: &str = "0179ab671b68f26698269b4ca78222ad 0318 0000 0000 00 12
    504320537569746520446174612053796e63 10 60 000000 08 436f6e7461637473";
/// As Funambol's phones test it.
const FUNAMBOL: &str = "D889279F9B47E368FAA8992F3186AC3D 0308 0000 0000 00 10
    4154542041646472657373 20426F6F6B 10 60 000007 04 63617264";

fn notice() -> Notice {
    Notice {
        ui_mode: UiMode::UserInteraction,
        session_id: 0x1234,
        server_id: "srv1".to_owned(),
        syncs: vec![
            Sync::new(ServerAlert::TwoWay, "text/x-vcard", "./card"),
            Sync::new(ServerAlert::RefreshFromServer, "", "cal"),
        ],
        ..Notice::default()
    }
}

#[test]
fn what_libsynthesis_built_is_what_we_build() {
    assert_eq!(
        build(&notice(), "secret", b"nonce01"),
        Ok(hex(LIBSYNTHESIS))
    );
    let received = read(&hex(LIBSYNTHESIS)).unwrap();
    assert_eq!(received.notice, notice());
    assert_eq!(received.version, 12);
    assert!(received.is_signed_with("secret", b"nonce01"));
    for (password, nonce) in [("Secret", "nonce01"), ("secret", "nonce02"), ("", "")] {
        assert!(!received.is_signed_with(password, nonce.as_bytes()));
    }
}

#[test]
fn an_empty_password_and_nonce_keep_their_colons() {
    let received = read(&hex(NOKIA)).unwrap();
    assert!(received.is_signed_with("", b""));
    let expected = Notice {
        ui_mode: UiMode::Background,
        server_id: "PC Suite Data Sync".to_owned(),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "", "Contacts")],
        ..Notice::default()
    };
    assert_eq!(received.notice, expected);
    assert_eq!(build(&expected, "", b""), Ok(hex(NOKIA)));
}

#[test]
fn a_digest_was_computed_elsewhere() {
    let notice = Notice {
        ui_mode: UiMode::Background,
        session_id: 1,
        server_id: "sync.example.org".to_owned(),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "text/x-vcard", "card")],
        ..Notice::default()
    };
    let octets = build(&notice, "srvpwd", b"nonce").unwrap();
    assert_eq!(octets[..DIGEST], hex("b6ca7bef83a260814bf70d8a113c16e4"));
}

#[test]
fn what_funambol_tests_with_is_read() {
    let received = read(&hex(FUNAMBOL)).unwrap();
    assert_eq!(received.notice.server_id, "ATT Address Book");
    let sync = Sync::new(ServerAlert::TwoWay, "text/x-vcard", "card");
    assert_eq!(received.notice.syncs, [sync]);
}

/// Funambol's phones read the notification as a string of bits, field by field, and of the content type they keep the
/// last octet only. Restated here, so that what is built is read by these rules too.
#[test]
fn funambols_rules_read_what_we_build() {
    let notice = Notice {
        syncs: ServerAlert::ALL
            .iter()
            .map(|alert| Sync::new(*alert, "text/x-vcalendar", format!("db{}", alert.code())))
            .collect(),
        ..notice()
    };
    let octets = build(&notice, "secret", b"n").unwrap();
    let bits: String = octets.iter().map(|octet| format!("{octet:08b}")).collect();
    let mut at = 0;
    let mut field = |length: usize| {
        let value = u128::from_str_radix(&bits[at..at + length], 2).unwrap();
        at += length;
        value
    };
    field(128);
    let version = field(10).to_string();
    assert_eq!(format!("{}.{}", &version[..1], &version[1..]), "1.2");
    assert_eq!(field(2), 3, "UI mode");
    assert_eq!(field(1), 1, "initiator");
    field(27);
    assert_eq!(field(16), 0x1234, "session id");
    let text = |field: &mut dyn FnMut(usize) -> u128| -> String {
        let length = field(8);
        (0..length).map(|_| char::from(field(8) as u8)).collect()
    };
    assert_eq!(text(&mut field), "srv1");
    assert_eq!(field(4), 5, "number of syncs");
    field(4);
    for alert in ServerAlert::ALL {
        assert_eq!(field(4) + 200, u128::from(alert.code()));
        field(4);
        field(16);
        assert_eq!(field(8), 6, "content type");
        assert_eq!(text(&mut field), format!("db{}", alert.code()));
    }
    assert_eq!(at, bits.len());
}

#[test]
fn a_notification_without_a_password_has_no_digest() {
    let octets = build_unsigned(&notice()).unwrap();
    let received = read(&octets).unwrap();
    assert_eq!(received.digest, [0; DIGEST]);
    assert_eq!(received.notice, notice());
    assert!(!received.is_signed_with("", b""));
}

#[test]
fn what_does_not_fit_is_refused() {
    let long = |server_id: usize, uri: usize, syncs: usize| Notice {
        server_id: "s".repeat(server_id),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "", "u".repeat(uri)); syncs],
        ..Notice::default()
    };
    assert!(build(&long(255, 255, 15), "", b"").is_ok());
    for (notice, part) in [
        (long(256, 1, 1), "the server id has 256 octets, at most 255"),
        (long(1, 256, 1), "address of a datastore has 256"),
        (long(1, 1, 16), "at most 15 datastores, not 16"),
    ] {
        let error = build(&notice, "", b"").unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn broken_notifications_are_refused_where_they_break() {
    let broken = |at: usize, octet: u8| {
        let mut octets = hex(LIBSYNTHESIS);
        octets[at] = octet;
        read(&octets).unwrap_err().to_string()
    };
    assert_eq!(
        broken(16, 0x0F),
        "protocol version 6.0 is not supported at offset 16"
    );
    assert_eq!(
        broken(29, 0x50),
        "alert code 205 is no server alert at offset 29"
    );
    assert_eq!(broken(23, 0xFF), "the server id is cut off at offset 48");
    assert_eq!(
        prefixes(&hex(LIBSYNTHESIS), read),
        hex(LIBSYNTHESIS).len(),
        "every prefix is refused"
    );
}

prop_compose! {
    fn any_sync()(
        alert in prop::sample::select(ServerAlert::ALL.to_vec()),
        code in 0..1_u32 << 24,
        uri in ".{0,60}",
    ) -> Sync {
        Sync { alert, content_type: MediaType::from_code(code), uri }
    }
}

prop_compose! {
    fn any_notice()(
        ui_mode in prop::sample::select(UiMode::ALL.to_vec()),
        server in any::<bool>(),
        session_id in any::<u16>(),
        server_id in ".{0,60}",
        syncs in prop::collection::vec(any_sync(), 0..16),
        vendor in prop::collection::vec(any::<u8>(), 0..40),
    ) -> Notice {
        let initiator = if server { Initiator::Server } else { Initiator::User };
        Notice { ui_mode, initiator, session_id, server_id, syncs, vendor }
    }
}

proptest! {
    #[test]
    fn everything_comes_back(notice in any_notice(), password in ".{0,20}", nonce in prop::collection::vec(any::<u8>(), 0..20)) {
        let octets = build(&notice, &password, &nonce).unwrap();
        let received = read(&octets).unwrap();
        prop_assert!(received.is_signed_with(&password, &nonce));
        prop_assert_eq!(received.notice, notice);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Err(error) = read(&octets) {
            prop_assert!(error.offset as usize <= octets.len());
        }
    }
}
