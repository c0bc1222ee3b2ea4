//! Known answer, both carriers, every prefix.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn alice() -> Emn {
    Emn {
        mailbox: "mailat:alice@example.org".to_owned(),
        timestamp: time("2026-11-22T14:30:00Z"),
    }
}

#[test]
fn the_octets_are_those_that_other_decoders_read() {
    let body =
        hex("02 0D 6A 00 85 07 03 616C696365406578616D706C65 00 88 05 C3 06 202611221430 01");
    assert_eq!(alice().wbxml(), Ok(body.clone()));
    let push = alice().push().unwrap().octets().unwrap();
    assert_eq!(
        push,
        [hex("01 06 06 03 02 03 0A AF 89"), body.clone()].concat()
    );
    assert_eq!(Emn::read(&body), Ok(alice()));
    // Nothing is an EMN before its last octet.
    assert_eq!(prefixes(&body, Emn::read), body.len());
}

#[test]
fn both_carriers_say_the_same() {
    for mailbox in [
        "imap://alice@example.org/INBOX",
        "pop://alice@mail.example.com",
        "http://www.example.net/a?b=c&d=\"e\"",
        "https://example.org",
        "mailat:",
        "other:x",
    ] {
        let emn = Emn {
            mailbox: mailbox.to_owned(),
            timestamp: None,
        };
        assert_eq!(
            Emn::read(&emn.wbxml().unwrap()),
            Ok(emn.clone()),
            "{mailbox}"
        );
        assert_eq!(
            Emn::read(emn.xml().unwrap().as_bytes()),
            Ok(emn),
            "{mailbox}"
        );
    }
    assert_eq!(
        alice().xml().unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE emn PUBLIC \"-//WAPFORUM//DTD EMN 1.0//EN\" \
         \"http://www.wapforum.org/DTD/emn.dtd\"><emn mailbox=\"mailat:alice@example.org\" \
         timestamp=\"2026-11-22T14:30:00Z\"/>"
    );
}

#[test]
fn what_is_no_notification_is_said() {
    for (input, part) in [
        ("<emn/>", "mailbox is missing"),
        ("<si/>", "the document is no EMN"),
        (
            "<emn mailbox='a' timestamp='yesterday'/>",
            "timestamp has a value that it cannot have",
        ),
        ("<emn", "the document is cut off at offset 4"),
        ("", "the document is empty"),
    ] {
        let error = Emn::read(input.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{input}: {error}");
    }
    let emn = |mailbox: &str| Emn {
        mailbox: mailbox.to_owned(),
        timestamp: None,
    };
    assert_eq!(emn("").wbxml(), Err(BuildError::Missing("mailbox")));
    assert!(emn("a\0b").wbxml().is_err());
}

proptest! {
    #[test]
    fn everything_comes_back(mailbox in "[ -~]{1,40}", seconds in 0_i64..253_402_300_799) {
        let emn = Emn { mailbox, timestamp: DateTime::from_timestamp(seconds, 0) };
        prop_assert_eq!(Emn::read(&emn.wbxml().unwrap()), Ok(emn.clone()));
        prop_assert_eq!(Emn::read(emn.xml().unwrap().as_bytes()), Ok(emn));
    }
}
