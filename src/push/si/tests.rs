//! Known answer, both carriers, every prefix.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn mails() -> Indication {
    Indication {
        text: "You have 4 new emails".to_owned(),
        href: Some("http://www.example.org/".to_owned()),
        id: Some("1@example.org".to_owned()),
        signal: Signal::High,
        created: time("2006-06-25T15:23:15Z"),
        expires: time("2036-06-30T00:00:00Z"),
    }
}

#[test]
fn what_a_push_proxy_made_is_read_and_written_again() {
    // Kannel writes an empty string after the last token of the link.
    let theirs = hex(
        "02 05 6A 00 45 C6 0D 03 6578616D706C65 00 88 03 00 11 03 31406578616D706C652E6F7267 00 08 0A
         C3 07 20060625152315 10 C3 04 20360630 01 03 596F75206861766520 34206E657720656D61696C73 00 01 01",
    );
    assert_eq!(Indication::read(&theirs), Ok(mails()));
    let ours = hex(
        "02 05 6A 00 45 C6 0D 03 6578616D706C65 00 88 11 03 31406578616D706C65 2E6F7267 00 08 0A
         C3 07 20060625152315 10 C3 04 20360630 01 03 596F75206861766520 34206E657720656D61696C73 00 01 01",
    );
    assert_eq!(mails().wbxml(), Ok(ours.clone()));
    assert_eq!(prefixes(&ours, Indication::read), ours.len());
    let head = mails().push().unwrap().octets().unwrap();
    assert_eq!(head[..6], hex("01 06 03 AE AF 82"));
}

#[test]
fn a_loading_is_a_link_and_nothing_else() {
    let loading = Loading {
        href: "https://www.example.com/mail".to_owned(),
        execution: Execution::High,
    };
    let octets = hex("02 06 6A 00 85 0C 03 6578616D706C65 00 85 03 6D61696C 00 06 01");
    assert_eq!(loading.wbxml(), Ok(octets.clone()));
    assert_eq!(Loading::read(&octets), Ok(loading.clone()));
    assert_eq!(
        Loading::read(loading.xml().unwrap().as_bytes()),
        Ok(loading)
    );
    assert_eq!(prefixes(&octets, Loading::read), octets.len());
    let plain = Loading {
        href: "http://a".to_owned(),
        ..Loading::default()
    };
    assert_eq!(Loading::read(&plain.wbxml().unwrap()), Ok(plain));
}

#[test]
fn text_of_any_script_comes_back() {
    let indication = Indication {
        text: "Сообщения: 4 <new> & \"more\" ✉".to_owned(),
        ..Indication::default()
    };
    assert_eq!(
        Indication::read(&indication.wbxml().unwrap()),
        Ok(indication.clone())
    );
    assert_eq!(
        Indication::read(indication.xml().unwrap().as_bytes()),
        Ok(indication)
    );
}

#[test]
fn what_is_no_indication_is_said() {
    for (input, part) in [
        ("<si/>", "indication is missing"),
        ("<sl href='a'/>", "the document is no SI"),
        (
            "<si><indication action='shout'/></si>",
            "action has a value",
        ),
        (
            "<si><indication created='now'/></si>",
            "created has a value",
        ),
    ] {
        let error = Indication::read(input.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{input}: {error}");
    }
    let delete = Indication {
        signal: Signal::Delete,
        ..Indication::default()
    };
    assert!(delete.wbxml().is_err());
    assert!(Loading::default().wbxml().is_err());
}

proptest! {
    #[test]
    fn everything_comes_back(
        text in "[ -~äñ€]{0,80}",
        href in prop::option::of("(http|https)://(www\\.)?[a-z.]{1,12}(\\.com/|\\.org/)[ -~]{0,20}"),
        id in prop::option::of("[ -~]{1,20}"),
        signal in prop::sample::select(Signal::ALL[..4].to_vec()),
        created in prop::option::of(0_i64..4_000_000_000),
        expires in prop::option::of(0_i64..4_000_000_000),
    ) {
        let at = |seconds: Option<i64>| seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let indication = Indication { text, href, id, signal, created: at(created), expires: at(expires) };
        prop_assert_eq!(Indication::read(&indication.wbxml().unwrap()), Ok(indication.clone()));
        prop_assert_eq!(Indication::read(indication.xml().unwrap().as_bytes()), Ok(indication));
    }
}
