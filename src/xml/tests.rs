//! Known answers.

use proptest::prelude::*;

use super::*;
use crate::wbxml::tables::{devinf, metinf, syncml};
use crate::wbxml::{DecodeError, DecodeErrorKind, Event, Limits, Name, Tag};

/// Elements and text: `Some` is a name or text, `None` an end.
fn steps(text: &str) -> Result<Vec<Option<String>>, DecodeError> {
    Reader::new(text, &Limits::default())
        .map(|event| {
            Ok(match event? {
                Event::Start {
                    name: Name::Tag(tag),
                    ..
                } => Some(format!("{}:{}", tag.space(), tag.text())),
                Event::Start {
                    name: Name::Text(name),
                    ..
                } => Some(format!("?:{name}")),
                Event::Text(text) => Some(text.into_owned()),
                Event::Opaque(_) => panic!("XML has no opaque data"),
                Event::End => None,
            })
        })
        .collect()
}

fn names(text: &str) -> String {
    let steps: Vec<String> = steps(text).unwrap().into_iter().flatten().collect();
    steps.join(" ")
}

fn error(text: &str, limits: &Limits) -> (DecodeErrorKind, u32) {
    let error = Reader::new(text, limits)
        .collect::<Result<Vec<_>, _>>()
        .unwrap_err();
    (error.kind, error.offset)
}

#[test]
fn elements_are_found_by_namespace_prefix_or_name() {
    let expected = "0:SyncML 0:Meta 1:Type x 1:Anchor 1:Next 0:Data 2:DevInf 2:SourceRef 2:SharedMem 0:SourceRef";
    for document in [
        "<SyncML xmlns='SYNCML:SYNCML1.2'><Meta><Type xmlns='syncml:metinf'>x</Type><Anchor xmlns='syncml:metinf'><Next/></Anchor>\
         </Meta><Data><DevInf xmlns='syncml:devinf'><SourceRef/><SharedMem/></DevInf></Data><SourceRef/></SyncML>",
        // In other cases, as some peers write them.
        "<SyncML xmlns='syncml:syncml1.2'><Meta><Type xmlns='SYNCML:METINF'>x</Type><Anchor xmlns='SyncML:MetInf'><Next/></Anchor>\
         </Meta><Data><DevInf xmlns='SYNCML:DEVINF1.2'><SourceRef/><SharedMem/></DevInf></Data><SourceRef/></SyncML>",
        // Without any.
        "<SyncML><Meta><Type>x</Type><Anchor><Next/></Anchor></Meta><Data><DevInf><SourceRef/><SharedMem/></DevInf></Data>\
         <SourceRef/></SyncML>",
        // With prefixes, which end where their element ends.
        "<s:SyncML xmlns:s='SYNCML:SYNCML1.2' xmlns:m='syncml:metinf'><s:Meta><m:Type>x</m:Type><m:Anchor><m:Next/></m:Anchor></s:Meta>\
         <s:Data><s:DevInf xmlns:s='syncml:devinf'><s:SourceRef/><s:SharedMem/></s:DevInf></s:Data><s:SourceRef/></s:SyncML>",
        // Meta itself in the namespace of its content.
        "<SyncML xmlns='SYNCML:SYNCML1.2'><Meta xmlns='syncml:metinf'><Type>x</Type><Anchor><Next/></Anchor></Meta><Data>\
         <DevInf xmlns='syncml:devinf'><SourceRef/><SharedMem/></DevInf></Data><SourceRef/></SyncML>",
    ] {
        assert_eq!(names(document), expected, "{document}");
    }
    assert_eq!(
        names("<DevInf><Size/><MaxSize/></DevInf>"),
        "2:DevInf 2:MaxSize 2:MaxSize"
    );
    assert_eq!(
        names("<SyncML><a:b xmlns:a='urn:x'/><CmdID xmlns='urn:y'><Type/></CmdID></SyncML>"),
        "0:SyncML ?:b ?:CmdID ?:Type"
    );
    assert_eq!(
        names("<syncml><FreeId/><VERDTD/></syncml>"),
        "0:SyncML 1:FreeID 0:VerDTD"
    );
    // A root in a namespace that nobody knows is read by its name.
    assert_eq!(names("<SyncML xmlns='http://example.org/'/>"), "0:SyncML");
}

#[test]
fn text_keeps_its_line_ends_and_its_pieces() {
    let text = |document: &str| -> String {
        let steps = steps(document).unwrap();
        steps[1..steps.len() - 1]
            .iter()
            .flatten()
            .map(String::as_str)
            .collect()
    };
    assert_eq!(text("<Data>a\r\nb\rc\n</Data>"), "a\r\nb\rc\n");
    assert_eq!(text("<Data><![CDATA[a\r\n<&amp;]]></Data>"), "a\r\n<&amp;");
    assert_eq!(
        text("<Data>&lt;&gt;&amp;&quot;&apos;&#13;&#x20AC;</Data>"),
        "<>&\"'\r€"
    );
    assert_eq!(
        text(
            "<!DOCTYPE SyncML PUBLIC 'a' 'b' [<!-- > -->]><!-- x --><?y?><Data>a<!-- b -->c<?d?></Data><!-- z -->"
        ),
        "ac"
    );
}

#[test]
fn what_is_no_document_is_refused() {
    use DecodeErrorKind::*;
    let limits = Limits::default();
    for (document, kind, offset) in [
        ("", Empty, 0),
        ("text", Syntax, 0),
        ("<![CDATA[x]]><a/>", Syntax, 0),
        ("<a></b></a>", Syntax, 3),
        ("</a>", Syntax, 0),
        ("<!x><a/>", Syntax, 0),
        ("<a b=c>", Syntax, 0),
        ("<a>&nbsp;</a>", UnknownEntity, 3),
        ("<a>&#0;</a>", UnknownEntity, 3),
        ("<a>&#x110000;</a>", UnknownEntity, 3),
        ("<a>& b</a>", Syntax, 3),
        ("  ", Empty, 2),
        ("<!-- x -->", Truncated, 10),
        ("<a>", Truncated, 3),
        ("<a", Truncated, 2),
        ("<a><![CDA", Truncated, 9),
        ("<a>&am", Truncated, 6),
    ] {
        assert_eq!(error(document, &limits), (kind, offset), "{document}");
    }
}

#[test]
fn limits_hold() {
    let limits = Limits {
        max_bytes: 100,
        max_depth: 3,
        max_elements: 5,
        ..Limits::default()
    };
    assert_eq!(
        error("<a><b><c><d/></c></b></a>", &limits),
        (DecodeErrorKind::TooDeep, 9)
    );
    assert_eq!(
        error("<a><b/><b/><b/><b/><b/></a>", &limits),
        (DecodeErrorKind::TooManyElements, 19)
    );
    let large = decode_text(&[b' '; 101], &limits).unwrap_err();
    assert_eq!((large.kind, large.offset), (DecodeErrorKind::TooLarge, 100));
    let deep = "<a>".repeat(1_000_000);
    assert_eq!(
        error(&deep, &Limits::default()),
        (DecodeErrorKind::TooDeep, 64 * 3)
    );
    let prefixes: String = (0..100)
        .map(|number| format!(" xmlns:p{number}='urn:x'"))
        .collect();
    assert_eq!(
        error(&format!("<a{prefixes}/>"), &Limits::default()).0,
        DecodeErrorKind::Syntax
    );
}

#[test]
fn the_character_set_is_that_of_the_mark_or_the_declaration() {
    let decode =
        |bytes: &[u8]| decode_text(bytes, &Limits::default()).map(|text| text.into_owned());
    let utf16 = |big: bool| -> Vec<u8> {
        "<a>ü</a>"
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    for (bytes, expected) in [
        ("<a>ü</a>".into(), "<a>ü</a>"),
        (b"\xEF\xBB\xBF<a>\xC3\xBC</a>".to_vec(), "<a>ü</a>"),
        ([b"\xFE\xFF".to_vec(), utf16(true)].concat(), "<a>ü</a>"),
        ([b"\xFF\xFE".to_vec(), utf16(false)].concat(), "<a>ü</a>"),
        (utf16(true), "<a>ü</a>"),
        (utf16(false), "<a>ü</a>"),
        // No UTF-8 although nothing else is said.
        (b"<a>\xFC</a>".to_vec(), "<a>ü</a>"),
        (
            b"<?xml version='1.0' encoding='ISO-8859-1'?>\xFC".to_vec(),
            "<?xml version='1.0' encoding='ISO-8859-1'?>ü",
        ),
        (
            b"\n<?xml version=\"1.0\" encoding = \"koi8-r\" ?>\xC1".to_vec(),
            "\n<?xml version=\"1.0\" encoding = \"koi8-r\" ?>а",
        ),
        (
            b"<?xml version='1.0' encoding='utf-8'?>\xC3\xBC".to_vec(),
            "<?xml version='1.0' encoding='utf-8'?>ü",
        ),
        // It says UTF-16 in octets, so it is not.
        (
            b"<?xml version='1.0' encoding='UTF-16'?>\xC3\xBC".to_vec(),
            "<?xml version='1.0' encoding='UTF-16'?>ü",
        ),
    ] {
        assert_eq!(decode(&bytes).as_deref(), Ok(expected));
    }
    let unknown = decode(b"<?xml version='1.0' encoding='x-nokia'?><a/>").unwrap_err();
    assert_eq!(unknown.kind, DecodeErrorKind::Encoding);
}

fn start(tag: Tag) -> Event<'static> {
    Event::Start {
        name: Name::Tag(tag),
        attrs: Vec::new(),
    }
}

#[test]
fn what_xml_cannot_hold_is_known() {
    for text in ["", "a\t\r\n", "ü\u{7F}\u{85}", "\u{FFFD}\u{10FFFF}\u{EFBF}"] {
        assert!(holds(text), "{text:?}");
    }
    for text in ["\0", "a\u{1}", "\u{1B}", "\u{FFFE}", "\u{FFFD}\u{FFFF}"] {
        assert!(!holds(text), "{text:?}");
    }
}

#[test]
fn namespaces_are_written_where_they_change() {
    let events = vec![
        start(syncml::SYNCML),
        start(syncml::META),
        start(metinf::ANCHOR),
        start(metinf::NEXT),
        Event::Text("1 < 2\r\n".into()),
        Event::End,
        Event::End,
        start(metinf::TYPE),
        Event::End,
        Event::End,
        start(syncml::DATA),
        start(devinf::DEVINF),
        start(devinf::VER_DTD),
        Event::Text("1.1".into()),
        Event::End,
        start(devinf::MAX_SIZE),
        Event::Opaque(b"]]>".as_slice().into()),
        Event::End,
        Event::End,
        Event::End,
        Event::Start {
            name: Name::Text("1 odd".into()),
            attrs: Vec::new(),
        },
        Event::End,
        start(syncml::FINAL),
    ];
    assert_eq!(
        write(Some("SYNCML:SYNCML1.1"), events),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.1\"><Meta><Anchor xmlns=\"syncml:metinf\">\
         <Next>1 &lt; 2&#13;\n</Next></Anchor><Type xmlns=\"syncml:metinf\"/></Meta><Data><DevInf xmlns=\"syncml:devinf\">\
         <VerDTD>1.1</VerDTD><Size>]]&gt;</Size></DevInf></Data><_1_odd/><Final></Final></SyncML>"
    );
}

proptest! {
    #[test]
    fn any_text_that_xml_holds_survives(text in "[ -~\\t\\r\\n\u{A0}-\u{D7FF}\u{10000}-\u{10FFFF}]{1,40}", lines: bool) {
        let mut writer = Writer::new(Vec::new(), None);
        writer.start(syncml::DATA, true);
        writer.text(&text, lines);
        writer.end(syncml::DATA);
        let written = String::from_utf8(writer.finish()).unwrap();
        prop_assert!(holds(&text) && !written.contains('\r'));
        let read: String = steps(&written).unwrap()[1..].iter().flatten().map(String::as_str).collect();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn control_characters_become_replacements(code in 0_u8..0x20) {
        let text = char::from(code).to_string();
        prop_assume!(!holds(&text));
        let written = write(None, [start(syncml::DATA), Event::Text(text.into()), Event::End]);
        let expected = "<Data>\u{FFFD}</Data>";
        prop_assert!(written.ends_with(expected));
    }
}

#[test]
fn white_space_at_the_beginning_is_no_space_between_tags() {
    for (text, written) in [
        (" x", "&#32;x"),
        ("\n x", "&#10; x"),
        ("\tx ", "&#9;x "),
        ("\r\nx", "&#13;\nx"),
        ("x\n y", "x\n y"),
    ] {
        let mut writer = Writer::new(Vec::new(), None);
        writer.start(syncml::DATA, true);
        writer.text(text, true);
        writer.end(syncml::DATA);
        let document = writer.finish();
        let document = String::from_utf8(document).unwrap();
        assert!(
            document.contains(&format!(">{written}</Data>")),
            "{document}"
        );
        let read = steps(&document).unwrap().into_iter().flatten().skip(1);
        assert_eq!(read.collect::<String>(), text);
    }
}
