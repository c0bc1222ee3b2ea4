use smallvec::smallvec;

use super::super::{Component, ContentError, Param, Part, Property, Text, Value};
use super::{
    Form, MAX_DEPTH, MAX_PROPERTIES, Writer, parts, pieces, read_component, split, unescape,
};

/// Reads lines inside a component; the properties as `group.NAME;PARAM=a,b:value`, and the number of warnings.
fn check(form: Form, lines: &[u8], expected: &[&str], warnings: usize) {
    let body = [b"BEGIN:VCARD\r\n", lines, b"\r\nEND:VCARD\r\n"].concat();
    let (root, warned) = read_component(&body, form, None).expect("a component");
    let shown: Vec<String> = root.properties.iter().map(show).collect();
    assert_eq!(shown, expected, "{}", String::from_utf8_lossy(lines));
    assert_eq!(warned.len(), warnings, "{warned:?}");
}

fn show(property: &Property) -> String {
    let group = property
        .group
        .as_ref()
        .map(|group| format!("{group}."))
        .unwrap_or_default();
    let quoted = |value: &Text| {
        if value.contains(',') {
            format!("'{value}'")
        } else {
            value.to_string()
        }
    };
    let values = |param: &Param| {
        param
            .values
            .iter()
            .map(quoted)
            .collect::<Vec<_>>()
            .join(",")
    };
    let params: String = property
        .params
        .iter()
        .map(|param| format!(";{}={}", param.name, values(param)))
        .collect();
    let value = match &property.value {
        Value::Text(text) => text.clone(),
        Value::Binary(bytes) => format!("{bytes:?}").into(),
        Value::Parts(_) => panic!("the reader of lines makes no parts"),
    };
    format!("{group}{}{params}:{value}", property.name)
}

#[test]
fn legacy_lines_read_as_phones_write_them() {
    let check = |lines: &[u8], expected: &[&str]| check(Form::Legacy, lines, expected, 0);
    check(b"TEL;HOME;CELL:123", &["TEL;TYPE=HOME,CELL:123"]);
    check(b"tel;type=home;pref:123", &["TEL;TYPE=HOME,PREF:123"]);
    check(b"TEL;TYPE=HOME,VOICE,HOME:1", &["TEL;TYPE=HOME,VOICE:1"]);
    check(b"ADR;HOME,WORK:;;x", &["ADR;TYPE=HOME,WORK:;;x"]);
    check(b"N;CHARSET= UTF-8:M\xC3\xBCller;J", &["N:Müller;J"]);
    check(b"N;CHARSET=ISO-8859-1:M\xFCller", &["N:Müller"]);
    check(b"N:M\xFCller", &["N:Müller"]);
    check(b"N;CHARSET=SHIFT_JIS:\x93\xFA\x96\x7B", &["N:日本"]);
    check(
        b"N;CHARSET=Shift_JIS;ENCODING=QUOTED-PRINTABLE:=93=FA=96=7B",
        &["N:日本"],
    );
    check(b"N;CHARSET=GBK:\xD6\xD0", &["N:中"]);
    check(b"NOTE;QUOTED-PRINTABLE:a=0D=0Ab=3Dc", &["NOTE:a\nb=c"]);
    check(
        b"NOTE;ENCODING=QUOTED-PRINTABLE:one =\r\ntwo=\r\n three",
        &["NOTE:one two three"],
    );
    check(
        b"NOTE;ENCODING=QUOTED-PRINTABLE:one=0A=0Dtwo==0A=0D=\r\nthree",
        &["NOTE:one\ntwothree"],
    );
    check(
        b"NOTE;ENCODING=QUOTED-PRINTABLE:=C3\r\n =A9=C\r\n 3=A9 a\r\n b",
        &["NOTE:éé a b"],
    );
    check(
        b"NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n\r\nTEL:1",
        &["NOTE:a", "TEL:1"],
    );
    check(b"NOTE;ENCODING=QUOTED-PRINTABLE:a=ZZ=4", &["NOTE:a=ZZ=4"]);
    check(
        b"NOTE;ENCODING=QUOTED-PRINTABLE:broken end=",
        &["NOTE:broken end"],
    );
    check(b"NOTE:folded\r\n words", &["NOTE:folded words"]);
    check(
        b"PHOTO;ENCODING=BASE64;TYPE=JPEG:\r\n AQID\r\n BAU=\r\n\r\nTEL:1",
        &["PHOTO;TYPE=JPEG:[1, 2, 3, 4, 5]", "TEL:1"],
    );
    check(
        b"PHOTO;JPEG;BASE64:AQID\r\n BAU=\r\nTEL:1",
        &["PHOTO;TYPE=JPEG:[1, 2, 3, 4, 5]", "TEL:1"],
    );
    check(
        b"PHOTO;ENCODING=BASE64:\nAQID\nBAU=\n\nTEL:1",
        &["PHOTO:[1, 2, 3, 4, 5]", "TEL:1"],
    );
    check(
        b"PHOTO;VALUE=URL:http://a/b;c",
        &["PHOTO;VALUE=URL:http://a/b;c"],
    );
    check(
        b"item1.X-ABDate:1\r\nA.TEL;WORK:2",
        &["item1.X-ABDATE:1", "A.TEL;TYPE=WORK:2"],
    );
    check(b"ORG:a\\;b;c\\\\d", &["ORG:a\\;b;c\\\\d"]);
    check(b"VERSION:2.1\rFN:x\rEMAIL:", &["FN:x", "EMAIL:"]);
    check(b"FN:x\r\r\n\r\r\nTEL:1\r", &["FN:x", "TEL:1"]);
}

#[test]
fn modern_lines_read_as_their_standards_say() {
    let check = |lines: &[u8], expected: &[&str]| check(Form::Modern, lines, expected, 0);
    check(
        b"NOTE:fol\r\n ded in\r\n\t mid-word",
        &["NOTE:folded in mid-word"],
    );
    check(
        b"TEL;TYPE=\"home,cell\";TYPE=pref:1",
        &["TEL;TYPE=HOME,CELL,PREF:1"],
    );
    check(
        b"ADR;LABEL=\"a;b:c, ^nd ^'e^' ^^\";LANGUAGE=sv:x",
        &["ADR;LABEL='a;b:c, \nd \"e\" ^';LANGUAGE=sv:x"],
    );
    check(
        b"ATTENDEE;CN=Long\r\n  Name;ROLE=CHAIR:mailto:a@b\r\n .se",
        &["ATTENDEE;CN=Long Name;ROLE=CHAIR:mailto:a@b.se"],
    );
    check(
        b"PHOTO;ENCODING=b;TYPE=png:AQ\r\n ID",
        &["PHOTO;TYPE=PNG:[1, 2, 3]"],
    );
    check(
        b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=A9\r\n =C3=A9",
        &["N:éé"],
    );
    check(b"X-UMLAUT:\xC3\r\n \xA9", &["X-UMLAUT:é"]);
}

#[test]
fn garbage_becomes_warnings() {
    check(
        Form::Legacy,
        b"no colon\r\nFN:x\r\n:y\r\n;;;\r\nEND:VFOO\r\nTEL;A=\"b:1",
        &["FN:x"],
        5,
    );
    check(
        Form::Legacy,
        b"FN;CHARSET=klingon:x\r\nPHOTO;BASE64:A\r\n\r\nTEL:1",
        &["FN:x", "TEL:1"],
        2,
    );
}

#[test]
fn type_lists_inside_quotes_are_lists() {
    check(
        Form::Modern,
        b"TEL;VALUE=uri;TYPE=\"voice,home\":tel:+1",
        &["TEL;VALUE=uri;TYPE=VOICE,HOME:tel:+1"],
        0,
    );
}

#[test]
fn components_nest_and_are_closed_by_their_end() {
    let body = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nACTION:DISPLAY\nEND:VEVENT\nX:1\nEND:VCALENDAR\nX:2";
    let (root, warnings) = read_component(body, Form::Modern, None).expect("a calendar");
    assert_eq!((root.name.as_str(), warnings.len()), ("VCALENDAR", 1));
    assert_eq!(
        root.children[0].children[0].properties[0],
        Property::text("ACTION", "DISPLAY")
    );
    assert_eq!(root.properties, [Property::text("X", "1")]);

    for agent in ["AGENT:\r\nBEGIN:VCARD\r\n", "AGENT:BEGIN:VCARD\r\n"] {
        let body = format!("BEGIN:VCARD\r\nFN:a\r\n{agent}FN:b\r\nEND:VCARD\r\nTEL:1\r\nEND:VCARD");
        let (root, warnings) = read_component(body.as_bytes(), Form::Legacy, None).expect("a card");
        assert!(warnings.is_empty());
        assert_eq!(
            root.properties,
            [Property::text("FN", "a"), Property::text("TEL", "1")]
        );
        assert_eq!(
            root.child("VCARD").map(|agent| &agent.properties[..]),
            Some(&[Property::text("FN", "b")][..])
        );
    }
}

#[test]
fn what_a_peer_controls_has_limits() {
    let read =
        |body: &str| read_component(body.as_bytes(), Form::Legacy, None).map(|(root, _)| root);
    assert_eq!(
        read(&"BEGIN:A\n".repeat(MAX_DEPTH + 1)),
        Err(ContentError::TooDeep)
    );
    assert_eq!(
        read(&"BEGIN:A\n".repeat(MAX_DEPTH)),
        Err(ContentError::Truncated)
    );
    let many = format!("BEGIN:A\n{}END:A", "X:\n".repeat(MAX_PROPERTIES + 1));
    assert_eq!(read(&many), Err(ContentError::TooManyProperties));
    assert_eq!(read("hello"), Err(ContentError::NotThisType));
    assert_eq!(read("BEGIN:VCARD\nFN:x\n"), Err(ContentError::Truncated));
    let params = format!(
        "BEGIN:A\nX{}:v\nEND:A",
        (0..200).map(|n| format!(";P{n}=1")).collect::<String>()
    );
    assert_eq!(
        read(&params).expect("a component").properties[0]
            .params
            .len(),
        super::MAX_PARAMS
    );
}

#[test]
fn wide_bodies_are_read() {
    let text = "BEGIN:VCARD\r\nFN:Åsa\r\nEND:VCARD";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for body in [
        &little[..],
        &big,
        &[b"\xFF\xFE", &little[..]].concat(),
        &[b"\xEF\xBB\xBF", text.as_bytes()].concat(),
    ] {
        let (root, _) = read_component(body, Form::Legacy, None).expect("a card");
        assert_eq!(root.text("FN"), Some("Åsa"));
    }
}

#[test]
fn escapes_are_undone() {
    assert_eq!(
        unescape(r"a\nb\, c\; \\n \x \", Form::Modern),
        "a\nb, c; \\n \\x \\"
    );
    assert_eq!(
        unescape(r"C:\new\; \\\\srv", Form::Legacy),
        r"C:\new; \\srv"
    );
    assert_eq!(
        pieces(r"a\;b;c;", b';').collect::<Vec<_>>(),
        [r"a\;b", "c", ""]
    );
    assert_eq!(split(r"a\,b,c", b',', Form::Modern), ["a,b", "c"]);
    let texts = |parts: Vec<Part>| parts.into_iter().map(Part::into_vec).collect::<Vec<_>>();
    assert_eq!(
        texts(parts(r"a,b;\;;", Form::Modern)),
        [vec!["a", "b"], vec![";"], vec![""]]
    );
    assert_eq!(
        texts(parts(r"a,b;c\\;d\e", Form::Legacy)),
        [["a,b"], ["c\\"], ["d\\e"]]
    );
}

fn written(form: Form, write: impl Fn(&mut Writer)) -> String {
    let mut writer = Writer::new(form);
    write(&mut writer);
    String::from_utf8(writer.finish()).expect("UTF-8")
}

#[test]
fn legacy_lines_are_quoted_only_if_they_must() {
    let params = [Param {
        name: "TYPE".into(),
        values: vec!["HOME".into(), "CELL".into()],
    }];
    let check = |write: &dyn Fn(&mut Writer), expected: &str| {
        assert_eq!(written(Form::Legacy, write), expected)
    };
    check(
        &|w| w.text(None, "TEL", &params, "+46 1"),
        "TEL;HOME;CELL:+46 1\r\n",
    );
    check(
        &|w| w.text(Some("a"), "PHOTO", &params, "x"),
        "a.PHOTO;TYPE=HOME,CELL:x\r\n",
    );
    check(
        &|w| w.text(None, "NOTE", &[], "a=b, c;d"),
        "NOTE:a=b, c;d\r\n",
    );
    check(
        &|w| w.text(None, "NOTE", &[], "a \nb"),
        "NOTE;ENCODING=QUOTED-PRINTABLE:a=20=0D=0Ab\r\n",
    );
    check(
        &|w| w.text(None, "FN", &[], "Åsa="),
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=85sa=3D\r\n",
    );
    check(
        &|w| w.list(None, "CATEGORIES", &[], &["a;b".into(), "c".into()]),
        "CATEGORIES:a\\;b;c\r\n",
    );
    check(
        &|w| w.text(None, "NOTE", &[], &format!("å{}", " word".repeat(12))),
        "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=A5 word word word word =\r\nword word word word word word word word\r\n",
    );
    check(&|w| w.binary(None, "PHOTO", &[], &[1; 56]), &{
        let (first, rest) = ("AQEB".repeat(18), "AQE=");
        format!("PHOTO;ENCODING=BASE64:\r\n {first}\r\n {rest}\r\n\r\n")
    });
}

#[test]
fn modern_lines_are_folded_between_characters() {
    let long = "ö".repeat(80);
    let text = written(Form::Modern, |w| w.text(None, "NOTE", &[], &long));
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    assert_eq!(text.replace("\r\n ", ""), format!("NOTE:{long}\r\n"));
    let text = written(Form::Modern, |w| w.text(None, "NOTE", &[], "a,b;c\\d\ne"));
    assert_eq!(text, "NOTE:a\\,b\\;c\\\\d\\ne\r\n");
    let text = written(Form::Modern, |w| w.raw(None, "X", &[], "evil\r\nEND:VCARD"));
    assert_eq!(text, "X:evil\\nEND:VCARD\r\n");
    let params = [Param::one("CN", "a \"b\";^\n")];
    assert_eq!(
        written(Form::Modern, |w| w.text(None, "X", &params, "v")),
        "X;CN=\"a ^'b^';^^^n\":v\r\n"
    );
}

fn round_trip(form: Form, write: impl Fn(&mut Writer)) -> Component {
    let body = written(form, |writer| {
        writer.begin("VCARD");
        write(writer);
        writer.end("VCARD");
    });
    let (root, warnings) = read_component(body.as_bytes(), form, None)
        .unwrap_or_else(|error| panic!("{error}: {body}"));
    assert!(warnings.is_empty(), "{warnings:?}: {body}");
    root
}

proptest::proptest! {
    #[test]
    fn any_text_comes_back(text in "(?s)[^\r]{0,200}", words in "[ =;,\\\\äE\n:a\"]{0,120}") {
        for form in [Form::Legacy, Form::Modern] {
            let root = round_trip(form, |writer| {
                writer.text(None, "NOTE", &[], &text);
                writer.text(None, "NOTE", &[], &words);
            });
            let read: Vec<Text> = root.all("NOTE").map(|p| unescape(p.value.as_text().unwrap_or("?"), form)).collect();
            proptest::prop_assert_eq!(&read, &[&text, &words]);
        }
    }

    #[test]
    fn any_list_and_structure_comes_back(texts in proptest::collection::vec("[ =;,\\\\äE\n:a\"]{0,20}", 1..6)) {
        for form in [Form::Legacy, Form::Modern] {
            let texts: Vec<Text> = texts.iter().map(Text::from).collect();
            let structure: Vec<Part> = texts.iter().map(|text| smallvec![text.clone()]).collect();
            let root = round_trip(form, |writer| {
                writer.list(None, "CATEGORIES", &[], &texts);
                writer.parts(None, "ADR", &[], &structure);
            });
            let separator = if form == Form::Legacy { b';' } else { b',' };
            proptest::prop_assert_eq!(&split(root.text("CATEGORIES").unwrap_or("?"), separator, form), &texts);
            proptest::prop_assert_eq!(&parts(root.text("ADR").unwrap_or("?"), form), &structure);
        }
    }

    #[test]
    fn any_data_and_parameter_comes_back(data: Vec<u8>, value in "[ =;,\\\\äE\n:a\"^]{1,20}") {
        for form in [Form::Legacy, Form::Modern] {
            let params = [Param { name: "X-P".into(), values: vec![value.clone().into()] }];
            let root = round_trip(form, |writer| {
                writer.binary(None, "PHOTO", &[], &data);
                writer.text(None, "FN", &params, "x");
            });
            proptest::prop_assert_eq!(&root.properties[0].value, &Value::Binary(data.clone()));
            if form == Form::Modern && value.trim() == value && !value.is_empty() {
                proptest::prop_assert_eq!(root.properties[1].first_param("X-P"), Some(value.as_str()));
            }
        }
    }

    #[test]
    fn no_input_panics(bytes: Vec<u8>, lines in "(BEGIN:V|END:V|TEL;|=|\"|:|;|,|\r\n|\n |BASE64|ENCODING=|CHARSET=|Q|B|é|\\\\|A){0,60}") {
        for form in [Form::Legacy, Form::Modern] {
            for body in [&bytes[..], lines.as_bytes(), &[b"BEGIN:V\n", lines.as_bytes(), b"\nEND:V"].concat()] {
                match read_component(body, form, Some("iso-8859-1")) {
                    Ok((root, warnings)) => {
                        proptest::prop_assert!(warnings.len() <= super::MAX_WARNINGS);
                        let ended = format!("END:{}", root.name).to_ascii_lowercase();
                        let body = String::from_utf8_lossy(body).to_ascii_lowercase();
                        proptest::prop_assert!(body.contains("begin:") && body.contains(&ended));
                    }
                    Err(error) => proptest::prop_assert!(matches!(
                        error,
                        ContentError::NotThisType | ContentError::Truncated | ContentError::TooDeep
                    )),
                }
            }
        }
    }
}

/// A head that was read before is read as the first time, whatever was read in between.
#[test]
fn heads_are_read_again_as_the_first_time() {
    let body = b"BEGIN:VCARD\r\nitem1.TEL;TYPE=cell;PREF=1;X-A=\"b:c\":1\r\nTEL;QUOTED-PRINTABLE;CHARSET=ISO-8859-1;WORK:=E4\r\n\
        TEL;CHARSET=odd:2\r\nEND:VCARD\r\n";
    for form in [Form::Legacy, Form::Modern] {
        let (first, warnings) = read_component(body, form, None).expect("a card");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(first.properties[0].params.len(), 3);
        assert_eq!(first.properties[1].value.as_text(), Some("\u{e4}"));
        for _ in 0..3 {
            for other in [Form::Legacy, Form::Modern] {
                let again = read_component(body, other, None).expect("a card");
                assert_eq!(again.1, warnings);
                if other == form {
                    assert_eq!(again.0, first);
                }
            }
        }
    }
    // What a head holds counts, whether it was read before or not.
    let many = format!(
        "BEGIN:VCARD\r\n{}END:VCARD\r\n",
        format!("TEL;X={}:1\r\n", vec!["a"; 40].join(",")).repeat(2_000)
    );
    let (card, warnings) = read_component(many.as_bytes(), Form::Modern, None).expect("a card");
    let values: usize = card.properties.iter().map(|tel| tel.param("X").len()).sum();
    assert_eq!(values, super::MAX_PARAM_VALUES / 40 * 40);
    assert!(!warnings.is_empty());
    // Of heads that were cut because of all the others before them, nothing is remembered.
    let odd = "odd\r\n".repeat(2 * super::MAX_WARNINGS);
    let last = "EMAIL;X=cut;CHARSET=odd:1\r\n";
    let cut = many.replace("END:", &format!("{odd}{last}END:"));
    let (card, _) = read_component(cut.as_bytes(), Form::Modern, None).expect("a card");
    assert_eq!(
        card.property("EMAIL").map(|email| email.params.len()),
        Some(0)
    );
    let whole = format!("BEGIN:VCARD\r\n{last}END:VCARD\r\n");
    let (card, warnings) = read_component(whole.as_bytes(), Form::Modern, None).expect("a card");
    assert_eq!(card.properties[0].param("X"), ["cut"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}
