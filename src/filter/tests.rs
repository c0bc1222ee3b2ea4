//! The grammar by tables, the meaning by items, and properties of both.

use proptest::prelude::*;

use super::*;
use crate::content::{self, Format, ReadHint};

fn parsed(text: &str) -> Expression {
    match Expression::parse(text) {
        Ok(Some(expression)) => expression,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_grammar_reads_what_peers_write() {
    for (text, canonical) in [
        ("CLASS&EQ;PRIVATE", "CLASS&EQ;PRIVATE"),
        ("class&eq;PRIVATE", "CLASS&EQ;PRIVATE"),
        (" SUMMARY &iCON;meet", "SUMMARY&iCON;meet"),
        ("&LUID;&EQ;17", "&LUID;&EQ;17"),
        ("luid&NE;17", "&LUID;&NE;17"),
        ("NOTE&NE;&NULL;", "NOTE&NE;&NULL;"),
        ("TEL[2]&EQ;112", "TEL[2]&EQ;112"),
        (
            "SINCE&EQ;20070807T000000Z&AND;BEFORE&EQ;20070808T000000Z",
            "SINCE&EQ;20070807T000000Z&AND;BEFORE&EQ;20070808T000000Z",
        ),
        (
            "BEFORE&LT;20070808&AND;SINCE&GE;2007-08-07T00:00:00Z",
            "SINCE&EQ;20070807T000000Z&AND;BEFORE&EQ;20070808",
        ),
        // Two windows in one conjunction are the smaller one.
        (
            "SINCE&EQ;20070101&AND;(CLASS&EQ;PUBLIC&AND;SINCE&EQ;20080101)",
            "SINCE&EQ;20080101&AND;CLASS&EQ;PUBLIC",
        ),
        // AND binds more closely; signs of their own are taken too.
        (
            "A&EQ;1&OR;B&EQ;2&AND;C&EQ;3",
            "A&EQ;1&OR;(B&EQ;2&AND;C&EQ;3)",
        ),
        ("A&EQ;1|B&EQ;2&C&EQ;3", "A&EQ;1&OR;(B&EQ;2&AND;C&EQ;3)"),
        ("A&EQ;1&amp;B&EQ;2", "A&EQ;1&AND;B&EQ;2"),
        (
            "(A&EQ;1&OR;B&EQ;2)&AND;C&EQ;3",
            "(A&EQ;1&OR;B&EQ;2)&AND;C&EQ;3",
        ),
        ("((A&EQ;1))", "A&EQ;1"),
        ("( A&EQ;1 ) &OR; ( B&EQ;2 )", "A&EQ;1 &OR;B&EQ;2 "),
        (
            "SUMMARY&EQ;50%25 %28off%29 %26 more",
            "SUMMARY&EQ;50%25 %28off%29 %26 more",
        ),
        ("SUMMARY&EQ;100%", "SUMMARY&EQ;100%25"),
        ("SUMMARY&EQ;gr%C3%BCn", "SUMMARY&EQ;grün"),
        ("MAXSIZE&EQ;2048", "MAXSIZE&EQ;2048"),
        ("TODO", "TODO"),
        ("EVENT&AND;CLASS&EQ;PUBLIC", "EVENT&AND;CLASS&EQ;PUBLIC"),
        ("X-FOO&EQ;", "X-FOO&EQ;"),
    ] {
        let expression = parsed(text);
        assert_eq!(expression.to_string(), canonical, "{text}");
        assert_eq!(parsed(canonical), expression, "{text}");
    }
    for nothing in ["", "  ", "SINCE&EQ;ALL", "SINCE&EQ;all&OR;CLASS&EQ;PUBLIC"] {
        assert_eq!(Expression::parse(nothing), Ok(None), "{nothing}");
    }
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    for (text, at) in [
        ("&EQ;x", 0),
        ("CLASS", 5),
        ("CLASS&XX;a", 5),
        ("CLASS&EQ", 5),
        ("CLASS&EQ;a&AND;", 15),
        ("(CLASS&EQ;a", 11),
        ("CLASS&EQ;a)", 11),
        ("CLASS&EQ;a)(", 11),
        ("()", 1),
        ("CLASS&GT;&NULL;", 9),
        ("CLASS&EQ;&NULL;x", 15),
        ("SINCE&EQ;yesterday", 9),
        ("SINCE&EQ;", 9),
        ("SINCE&EQ;&NULL;", 9),
        ("SINCE&CON;2007", 10),
        ("BEFORE&GT;20070101", 10),
        ("MAXSIZE&EQ;many", 11),
        ("MAXSIZE&GT;1", 11),
        ("TEL[0]&EQ;1", 4),
        ("TEL[1&EQ;1", 4),
        ("TEL[]&EQ;1", 4),
        ("A&EQ;%FF", 5),
        ("A=1", 1),
    ] {
        match Expression::parse(text) {
            Err(FilterError::Grammar(place, _)) => assert_eq!(place, at, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let deep = format!("{}A&EQ;1{}", "(".repeat(17), ")".repeat(17));
    let wide = vec!["A&EQ;1"; MAX_TERMS + 1].join("&AND;");
    let long = format!("A&EQ;{}", "x".repeat(MAX_TEXT));
    // Short enough as it comes, too long or too deep as it is kept.
    let escaped = format!("SUMMARY&EQ;{}", "\u{1}".repeat(2_000));
    let mixed = format!("{}A&EQ;1{}", "A&EQ;1|B&EQ;1&(".repeat(16), ")".repeat(16));
    for text in [
        &deep,
        &wide,
        &long,
        &escaped,
        &mixed,
        "MAXCOUNT&EQ;5",
        "NOATT&EQ;1",
    ] {
        let result = Expression::parse(text);
        assert!(matches!(result, Err(FilterError::Unsupported(_))), "{text}");
    }
    assert!(Expression::parse(&deep[1..deep.len() - 1]).is_ok());
}

#[test]
fn addresses_carry_filters_kinds_or_nothing() {
    let filtered = |text: &str| Ok(Address::Filtered(parsed(text)));
    for (uri, expected) in [
        ("./Contacts", Ok(Address::Plain)),
        ("./Contacts?CLASS&EQ;PRIVATE", filtered("CLASS&EQ;PRIVATE")),
        ("./Calendar?TODO", Ok(Address::Kind(Kind::Task))),
        ("./Calendar?event", Ok(Address::Kind(Kind::Event))),
        ("contacts?user=1&x=2", Ok(Address::Plain)),
        ("contacts?", Ok(Address::Plain)),
        (
            "http://sync.example.org/cal?SINCE&EQ;20070807T000000Z",
            filtered("SINCE&EQ;20070807T000000Z"),
        ),
        (
            "cal?SINCE&EQ;soon",
            Err(FilterError::Grammar(9, "a date or a time is expected")),
        ),
    ] {
        assert_eq!(Address::read(uri), expected, "{uri}");
    }
}

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Berg;Anna;;;\r\nFN:Anna Berg\r\nTEL;TYPE=CELL:+46700000001\r\n\
TEL;TYPE=WORK:112\r\nCATEGORIES:Family,Friends\r\nNICKNAME:Ann\r\nBDAY:1980-05-17\r\nCLASS:PRIVATE\r\n\
REV:20070807T120000Z\r\nX-RANK:10\r\nEND:VCARD\r\n";

fn read(body: &str, format: Format) -> Record {
    let hint = ReadHint {
        format: Some(format),
        ..ReadHint::default()
    };
    content::read(body.as_bytes(), &hint).unwrap().record
}
use crate::content::Record;

fn passes(filter: &str, record: &Record) -> bool {
    let subject = Subject {
        record,
        octets: 300,
        luid: Some("17"),
        guid: "2s",
        time_zone: chrono_tz::Tz::Europe__Stockholm,
    };
    parsed(filter).matches(&subject)
}

#[test]
fn properties_compare_as_what_they_are() {
    let card = read(CARD, Format::VCard30);
    for (filter, expected) in [
        ("CLASS&EQ;PRIVATE", true),
        ("CLASS&EQ;private", false),
        ("CLASS&iEQ;private", true),
        ("CLASS&NE;PRIVATE", false),
        ("ROLE&NE;Boss", true),
        ("ROLE&EQ;Boss", false),
        ("ROLE&EQ;&NULL;", true),
        ("FN&EQ;&NULL;", false),
        ("FN&NE;&NULL;", true),
        ("FN&CON;Berg", true),
        ("FN&CON;berg", false),
        ("FN&iCON;berg", true),
        ("FN&NCON;Berg", false),
        ("FN&iNCON;stone", true),
        ("N&EQ;Berg", true),
        ("N&EQ;Berg;Anna", true),
        ("N&EQ;Anna;Berg", false),
        ("CATEGORIES&EQ;Friends", true),
        ("CATEGORIES&EQ;Family", true),
        ("CATEGORIES&EQ;Work", false),
        ("TEL&EQ;112", true),
        ("TEL[2]&EQ;112", true),
        ("TEL[1]&EQ;112", false),
        ("TEL[3]&EQ;&NULL;", true),
        // As numbers and as times, not as text.
        ("X-RANK&GT;9", true),
        ("X-RANK&LE;9", false),
        ("X-RANK&GE;10", true),
        ("X-RANK&LT;10", false),
        ("BDAY&LT;20000101", true),
        ("BDAY&EQ;19800517", true),
        ("REV&GE;20070807T120000Z", true),
        ("REV&GT;20070807T120000Z", false),
        ("REV&EQ;20070807T140000", true),
        // The name that a Symbian phone has for it.
        ("X-EPOCSECONDNAME&EQ;Ann", true),
        ("&LUID;&EQ;17", true),
        ("&LUID;&EQ;18", false),
        ("GUID&EQ;2s", true),
        ("MAXSIZE&EQ;300", true),
        ("MAXSIZE&EQ;299", false),
        ("TODO", false),
        ("CLASS&EQ;PUBLIC&OR;TEL&EQ;112&AND;FN&CON;Anna", true),
        ("(CLASS&EQ;PUBLIC&OR;TEL&EQ;112)&AND;FN&CON;Otto", false),
    ] {
        assert_eq!(passes(filter, &card), expected, "{filter}");
    }
    let subject = Subject {
        record: &card,
        octets: 0,
        luid: None,
        guid: "2s",
        time_zone: chrono_tz::Tz::UTC,
    };
    assert!(parsed("&LUID;&EQ;&NULL;").matches(&subject));
    assert!(parsed("&LUID;&NE;17").matches(&subject));
}

#[test]
fn the_text_of_a_filter_reads_back() {
    let filter = Filter {
        kind: FilterType::Inclusive,
        record: Some(parsed("SUMMARY&CON;\"%26\"&OR;&LUID;&EQ;&NULL;")),
        fields: Some(vec![PropertyCapability {
            max_size: Some(20),
            ..PropertyCapability::new("TEL")
        }]),
    };
    assert_eq!(Filter::from_text(&filter.to_text()), Some(filter));
    for broken in ["", "{}", "{\"kind\":\"exclusive\",\"record\":\"A\"}"] {
        assert_eq!(Filter::from_text(broken), None, "{broken}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ A-Zi0-9&;()\\[\\]|%._-]{0,60}|\\PC{0,40}") {
        if let Ok(Some(expression)) = Expression::parse(&text) {
            let canonical = expression.to_string();
            prop_assert_eq!(Expression::parse(&canonical), Ok(Some(expression)), "{}", canonical);
        }
        let _ = Address::read(&text);
    }

    #[test]
    fn sentences_of_the_grammar_are_read(
        terms in prop::collection::vec(("[A-Z][A-Z-]{0,8}", 0..8_usize, any::<bool>(), "[^&|()%]{0,6}"), 1..8),
        joins in prop::collection::vec(any::<bool>(), 8),
        open in 0..8_usize,
    ) {
        let mut text = String::new();
        let open = open.min(terms.len() - 1);
        for (at, (name, operator, fold, value)) in terms.iter().enumerate() {
            if at > 0 {
                text.push_str(if joins[at] { "&AND;" } else { "&OR;" });
            }
            if at == open {
                text.push('(');
            }
            let fold = if *fold { "i" } else { "" };
            text += &format!("X-{name}&{fold}{};{value}", Operator::ALL[*operator].name());
        }
        text.push(')');
        let expression = Expression::parse(&text);
        prop_assert!(matches!(expression, Ok(Some(_))), "{text}: {expression:?}");
    }
}
