use super::super::{
    Capabilities, Component, Format, Param, ParamCapability, Property, PropertyCapability,
    ReadHint, Record, Target, Value, digest, read, same, title, write,
};

/// One property per line: `group.NAME;PARAM=a,b:part;part`.
fn show(root: &Component) -> Vec<String> {
    let line = |property: &Property| {
        let group = property
            .group
            .as_ref()
            .map(|group| format!("{group}."))
            .unwrap_or_default();
        let params: String = property
            .params
            .iter()
            .map(|p| format!(";{}={}", p.name, p.values.join(",")))
            .collect();
        let value = match &property.value {
            Value::Text(text) => format!(":{text}"),
            Value::Parts(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| part.join("|")).collect();
                format!("=[{}]", parts.join("; "))
            }
            Value::Binary(bytes) => format!(":{} bytes", bytes.len()),
        };
        format!("{group}{}{params}{value}", property.name)
    };
    root.properties.iter().map(line).collect()
}

fn parse(body: &[u8]) -> Record {
    let parsed = read(body, &ReadHint::default()).expect("a card");
    assert_eq!(parsed.warnings, []);
    parsed.record
}

/// Reads a phone's card, and writes it again in its own form.
fn check(lines: &[&[u8]], expected: &[&str], written: &str) {
    let body = lines.join(&b"\r\n"[..]);
    let parsed = read(&body, &ReadHint::default()).expect("a card");
    assert_eq!(parsed.warnings, []);
    assert_eq!(show(&parsed.record.root), expected);
    let end = body
        .windows(9)
        .rposition(|line| line == b"END:VCARD")
        .expect("an end");
    for cut in 0..end + 9 {
        assert!(
            read(&body[..cut], &ReadHint::default()).is_err(),
            "cut at {cut}"
        );
    }
    let out = write(&parsed.record, &Target::new(parsed.format));
    assert_eq!(
        String::from_utf8(out.clone())
            .expect("UTF-8")
            .replace("\r\n", "\n"),
        written
    );
    assert_eq!(
        digest(&parse(&out)),
        digest(&parsed.record),
        "{}",
        String::from_utf8_lossy(&out)
    );
}

#[test]
fn nokia_series_60() {
    check(
        &[
            b"BEGIN:VCARD",
            b"VERSION:2.1",
            b"REV:20050304T101112Z",
            b"UID:c5c1b0d5-0001",
            b"N;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=A4rvinen;P=C3=A4ivi;;;",
            b"TEL;CELL;PREF:+358401234567",
            b"TEL;HOME;VOICE:091234",
            b"TEL;VIDEO:+3585",
            b"EMAIL;INTERNET;WORK:paivi@example.fi",
            b"X-EPOCSECONDNAME:Pate",
            b"ADR;HOME;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:;;Mannerheimintie 5=0D=0AA 3;Helsinki;;00100;Suomi",
            b"BDAY:19700131",
            b"SOUND;X-IRMC-N:Jarvinen;Paivi;;;",
            b"PHOTO;ENCODING=BASE64;TYPE=JPEG:",
            b"    /9j/4AAQSkZJRgABAQ==",
            b"",
            b"X-CLASS:private",
            b"END:VCARD",
            b"",
        ],
        &[
            "REV:20050304T101112Z",
            "UID:c5c1b0d5-0001",
            "N=[Järvinen; Päivi; ; ; ]",
            "TEL;TYPE=CELL,PREF:+358401234567",
            "TEL;TYPE=HOME,VOICE:091234",
            "TEL;TYPE=VIDEO:+3585",
            "EMAIL;TYPE=INTERNET,WORK:paivi@example.fi",
            "NICKNAME=[Pate]",
            "ADR;TYPE=HOME=[; ; Mannerheimintie 5\nA 3; Helsinki; ; 00100; Suomi]",
            "BDAY:1970-01-31",
            "SOUND;TYPE=X-IRMC-N=[Jarvinen; Paivi; ; ; ]",
            "PHOTO;TYPE=JPEG:13 bytes",
            "CLASS:private",
        ],
        "BEGIN:VCARD\nVERSION:2.1\nREV:20050304T101112Z\nUID:c5c1b0d5-0001\n\
         N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=A4rvinen;P=C3=A4ivi;;;\n\
         TEL;CELL;PREF:+358401234567\nTEL;HOME;VOICE:091234\nTEL;VIDEO:+3585\nEMAIL;INTERNET;WORK:paivi@example.fi\n\
         NICKNAME:Pate\n\
         ADR;HOME;ENCODING=QUOTED-PRINTABLE:;;Mannerheimintie 5=0D=0AA 3;Helsinki=\n;;00100;Suomi\n\
         BDAY:19700131\nSOUND;X-IRMC-N:Jarvinen;Paivi;;;\n\
         PHOTO;TYPE=JPEG;ENCODING=BASE64:\n /9j/4AAQSkZJRgABAQ==\n\nCLASS:private\nEND:VCARD\n",
    );
}

#[test]
fn nokia_series_40() {
    check(
        &[
            b"BEGIN:VCARD\nVERSION:2.1\nN:Smith;Bob\nTEL;PREF;CELL;VOICE:123\nTEL;VOICE;WORK:+4512\nNOTE:caf\xC3\xA9",
            b"LABEL;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Main st. 1=0A=0DTown\nURL:http://a.example/?b;c=d,e",
            b"END:VCARD",
        ],
        &[
            "N=[Smith; Bob]",
            "TEL;TYPE=PREF,CELL,VOICE:123",
            "TEL;TYPE=VOICE,WORK:+4512",
            "NOTE:café",
            "LABEL:Main st. 1\nTown",
            "URL:http://a.example/?b;c=d,e",
        ],
        "BEGIN:VCARD\nVERSION:2.1\nN:Smith;Bob;;;\nTEL;PREF;CELL;VOICE:123\nTEL;VOICE;WORK:+4512\n\
         NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:caf=C3=A9\n\
         LABEL;ENCODING=QUOTED-PRINTABLE:Main st. 1=0D=0ATown\nURL:http://a.example/?b;c=d,e\nEND:VCARD\n",
    );
}

#[test]
fn sony_ericsson_k800i() {
    check(
        &[
            b"BEGIN:VCARD",
            b"VERSION:2.1",
            b"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:=C5str=F6m;=D6rjan",
            b"TITLE:Chef",
            b"ORG:F\xF6retaget;Avd",
            b"TEL;CELL:+46701234567",
            b"EMAIL;INTERNET;PREF:o@example.se",
            b"NOTE;ENCODING=QUOTED-PRINTABLE:two=0D=0A=",
            b"lines",
            b"URL:www.example.se",
            b"X-IRMC-LUID:000200000042",
            b"TEL:",
            b"END:VCARD",
        ],
        &[
            "N=[Åström; Örjan]",
            "TITLE:Chef",
            "ORG=[Företaget; Avd]",
            "TEL;TYPE=CELL:+46701234567",
            "EMAIL;TYPE=INTERNET,PREF:o@example.se",
            "NOTE:two\nlines",
            "URL:www.example.se",
            "X-IRMC-LUID:000200000042",
        ],
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=85str=C3=B6m;=C3=96rjan;;;\n\
         TITLE:Chef\nORG;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:F=C3=B6retaget;Avd\nTEL;CELL:+46701234567\n\
         EMAIL;INTERNET;PREF:o@example.se\nNOTE;ENCODING=QUOTED-PRINTABLE:two=0D=0Alines\nURL:www.example.se\n\
         X-IRMC-LUID:000200000042\nEND:VCARD\n",
    );
}

#[test]
fn sony_ericsson_p900() {
    check(
        &[
            b"BEGIN:VCARD",
            b"VERSION:2.1",
            b"N:Ng;Ann;;Dr.;",
            b"TEL;CELL;X-SYNCMLREF1001:+1",
            b"TEL;WORK;FAX;X-SYNCMLREF1002:+2",
            b"ADR;WORK:;;1 High St\\; rear;Town;;;",
            b"AGENT:",
            b"BEGIN:VCARD",
            b"VERSION:2.1",
            b"N:Boss;Bo",
            b"END:VCARD",
            b"GEO:-17.87,37.24",
            b"CATEGORIES:X-Work;Friends, old",
            b"END:VCARD",
        ],
        &[
            "N=[Ng; Ann; ; Dr.; ]",
            "TEL;TYPE=CELL,X-SYNCMLREF1001:+1",
            "TEL;TYPE=WORK,FAX,X-SYNCMLREF1002:+2",
            "ADR;TYPE=WORK=[; ; 1 High St; rear; Town; ; ; ]",
            "GEO=[37.24; -17.87]",
            "CATEGORIES=[X-Work|Friends, old]",
        ],
        "BEGIN:VCARD\nVERSION:2.1\nN:Ng;Ann;;Dr.;\nTEL;CELL;X-SYNCMLREF1001:+1\nTEL;WORK;FAX;X-SYNCMLREF1002:+2\n\
         ADR;WORK:;;1 High St\\; rear;Town;;;\nGEO:-17.87,37.24\nCATEGORIES:X-Work;Friends, old\n\
         AGENT:\nBEGIN:VCARD\nVERSION:2.1\nN:Boss;Bo;;;\nEND:VCARD\nEND:VCARD\n",
    );
}

#[test]
fn motorola_and_siemens() {
    check(
        &[
            b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET= UTF-8:Nu\xC3\xB1ez\r\nTEL;CELL;PREF:+1305",
            b"X-MOT-NICKNAME:Nu\r\nX-MOT-CAT:General\r\nEND:VCARD",
        ],
        &[
            "N=[Nuñez]",
            "TEL;TYPE=CELL,PREF:+1305",
            "NICKNAME=[Nu]",
            "CATEGORIES=[General]",
        ],
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Nu=C3=B1ez;;;;\n\
         TEL;CELL;PREF:+1305\nNICKNAME:Nu\nCATEGORIES:General\nEND:VCARD\n",
    );
    // A V3 writes Latin-1 without saying so; an S55 has quoted-printable without its parameter's name.
    let card = parse(b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:Nu\xF1ez;Jos\xE9\r\nEND:VCARD");
    assert_eq!(title(&card), "José Nuñez");
    let card = parse(
        b"BEGIN:VCARD\rVERSION:2.1\rN;QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BCller;\rEND:VCARD\r",
    );
    assert_eq!(title(&card), "Müller");
    let hint = ReadHint {
        charset: Some("ISO-8859-2"),
        ..ReadHint::default()
    };
    let card = read(b"BEGIN:VCARD\nVERSION:2.1\nN:\xA3ukasz\nEND:VCARD", &hint).expect("a card");
    assert_eq!(title(&card.record), "Łukasz");
}

#[test]
fn evolution_3_0() {
    check(
        &[
            b"BEGIN:VCARD",
            b"VERSION:3.0",
            b"PRODID:-//SyncEvolution//NONSGML//EN",
            b"FN:Joan \"Jo\" Doe",
            b"N:Doe;Joan;Q.,R.;Ms.;",
            b"NICKNAME:user10,jo",
            b"ORG:Test Inc.;Testing;test#1",
            b"BDAY:2006-01-08",
            b"CATEGORIES:TEST,Business\\, other",
            b"TEL;TYPE=WORK;TYPE=VOICE;X-EVOLUTION-UI-SLOT=1:business 1",
            b"EMAIL;TYPE=WORK;X-EVOLUTION-UI-SLOT=1:joan@example.org",
            b"X-EVOLUTION-FILE-AS:Doe\\, Joan",
            b"X-AIM;TYPE=HOME:aim\\;user",
            b"X-STRUCTURED:a;b,c;d\\,e",
            b"NOTE:a\\nlong note that has to be folded because it is longer than seventy-five",
            b"  octets\\, isn't it\\; \\\\",
            b"PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ",
            b"GEO:30.12;-130.34",
            b"item1.URL:http://example.com/?a=b;c,d",
            b"item1.X-ABLabel:home",
            b"END:VCARD",
        ],
        &[
            "PRODID:-//SyncEvolution//NONSGML//EN",
            "FN:Joan \"Jo\" Doe",
            "N=[Doe; Joan; Q.|R.; Ms.; ]",
            "NICKNAME=[user10|jo]",
            "ORG=[Test Inc.; Testing; test#1]",
            "BDAY:2006-01-08",
            "CATEGORIES=[TEST|Business, other]",
            "TEL;TYPE=WORK,VOICE;X-EVOLUTION-UI-SLOT=1:business 1",
            "EMAIL;TYPE=WORK;X-EVOLUTION-UI-SLOT=1:joan@example.org",
            "X-EVOLUTION-FILE-AS:Doe, Joan",
            "X-AIM;TYPE=HOME:aim;user",
            "X-STRUCTURED=[a; b|c; d,e]",
            "NOTE:a\nlong note that has to be folded because it is longer than seventy-five octets, isn't it; \\",
            "PHOTO;TYPE=JPEG:6 bytes",
            "GEO=[30.12; -130.34]",
            "item1.URL:http://example.com/?a=b;c,d",
            "item1.X-ABLABEL:home",
        ],
        "BEGIN:VCARD\nVERSION:3.0\nPRODID:-//SyncEvolution//NONSGML//EN\nFN:Joan \"Jo\" Doe\nN:Doe;Joan;Q.,R.;Ms.;\n\
         NICKNAME:user10,jo\nORG:Test Inc.;Testing;test#1\nBDAY:2006-01-08\nCATEGORIES:TEST,Business\\, other\n\
         TEL;TYPE=WORK,VOICE;X-EVOLUTION-UI-SLOT=1:business 1\nEMAIL;TYPE=WORK;X-EVOLUTION-UI-SLOT=1:joan@example.org\n\
         X-EVOLUTION-FILE-AS:Doe\\, Joan\nX-AIM;TYPE=HOME:aim\\;user\nX-STRUCTURED:a;b,c;d\\,e\n\
         NOTE:a\\nlong note that has to be folded because it is longer than seventy-f\n ive octets\\, isn't it\\; \\\\\n\
         PHOTO;TYPE=JPEG;ENCODING=b:/9j/4AAQ\nGEO:30.12;-130.34\nitem1.URL:http://example.com/?a=b;c,d\n\
         item1.X-ABLABEL:home\nEND:VCARD\n",
    );
}

#[test]
fn version_4() {
    check(
        &[
            b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jo\r\nTEL;VALUE=uri;PREF=1;TYPE=\"voice,home\":tel:+1-555\r\nBDAY:--0203",
            b"PHOTO:data:image/png;base64,AQID\r\nGEO:geo:1.5,-2\r\nEMAIL;PREF=2;TYPE=work:a@b\r\nANNIVERSARY:20090808",
            b"N:D;Jo;;;\r\nGENDER:O;other\r\nRELATED;TYPE=friend:urn:uuid:1\r\nLOGO;VALUE=uri:http://l/;x\r\nEND:VCARD",
        ],
        &[
            "FN:Jo",
            "TEL;TYPE=VOICE,HOME,PREF:+1-555",
            "BDAY:--0203",
            "PHOTO;TYPE=PNG:3 bytes",
            "GEO=[1.5; -2]",
            "EMAIL;PREF=2;TYPE=WORK:a@b",
            "ANNIVERSARY:2009-08-08",
            "N=[D; Jo; ; ; ]",
            "GENDER=[O; other]",
            "RELATED;TYPE=FRIEND:urn:uuid:1",
            "LOGO;VALUE=URI:http://l/;x",
        ],
        "BEGIN:VCARD\nVERSION:4.0\nFN:Jo\nTEL;TYPE=voice,home;PREF=1:+1-555\nBDAY:--0203\n\
         PHOTO:data:image/png;base64,AQID\nGEO:geo:1.5,-2\nEMAIL;TYPE=work;PREF=2:a@b\nANNIVERSARY:20090808\n\
         N:D;Jo;;;\nGENDER:O;other\nRELATED;TYPE=friend:urn:uuid:1\nLOGO;VALUE=URI:http://l/;x\nEND:VCARD\n",
    );
}

#[test]
fn a_place_without_coordinates_is_none() {
    let record = parse(b"BEGIN:VCARD\nVERSION:2.1\nN:Doe\nGEO:;\nEND:VCARD");
    assert!(record.root.property("GEO").is_none());
}

#[test]
fn demanded_names_are_made() {
    let card =
        |lines: &str| parse(format!("BEGIN:VCARD\nVERSION:3.0\n{lines}\nEND:VCARD").as_bytes());
    let lines = |record: &Record, format| {
        let text = String::from_utf8(write(record, &Target::new(format))).expect("UTF-8");
        text.lines()
            .filter(|line| line.starts_with("N:") || line.starts_with("FN:"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let unnamed = card("ORG:ACME");
    assert_eq!(lines(&unnamed, Format::VCard21), "N:ACME;;;;");
    assert_eq!(lines(&unnamed, Format::VCard30), "N:;;;; FN:ACME");
    assert_eq!(lines(&unnamed, Format::VCard40), "FN:ACME");
    let named = card("N:Doe;Jo;Q;Dr.;Jr.");
    assert_eq!(lines(&named, Format::VCard21), "N:Doe;Jo;Q;Dr.;Jr.");
    assert_eq!(
        lines(&named, Format::VCard30),
        "FN:Dr. Jo Q Doe Jr. N:Doe;Jo;Q;Dr.;Jr."
    );
}

#[test]
fn only_what_the_device_holds_is_written() {
    let property = PropertyCapability::new;
    let sized = |name, size, no_truncate| PropertyCapability {
        max_size: Some(size),
        no_truncate,
        ..property(name)
    };
    let types = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        vec![ParamCapability {
            name: "TYPE".to_owned(),
            values,
        }]
    };
    let bare = |name: &str| ParamCapability {
        name: name.to_owned(),
        values: Vec::new(),
    };
    let capabilities = Capabilities::new([
        property("BEGIN"),
        property("version"),
        sized("N", 4, false),
        PropertyCapability {
            max_occur: Some(2),
            params: types(&["home", "CELL"]),
            ..property("TEL")
        },
        PropertyCapability {
            params: vec![bare("INTERNET"), bare("HOME")],
            ..property("EMAIL")
        },
        sized("NOTE", 5, false),
        sized("TITLE", 5, true),
        sized("PHOTO", 2, false),
        property("X-EPOCSECONDNAME"),
        property("ADR;HOME"),
        property("ADR;WORK"),
    ]);
    assert_eq!(capabilities.properties().len(), 8);
    assert!(
        capabilities.holds("NICKNAME") && capabilities.holds("ADR") && !capabilities.holds("ORG")
    );
    let card = parse(
        "BEGIN:VCARD\nVERSION:3.0\nFN:x\nN:Äbcdé;Jo\nTEL;TYPE=HOME,FAX:1\nTEL;TYPE=CELL:2\nTEL:3\nEMAIL;TYPE=WORK:a@b\n\
         NOTE:12345678\nTITLE:123456\nPHOTO;ENCODING=b:AQID\nNICKNAME:Nick\na.ADR;TYPE=DOM,HOME:;;x\nORG:o\nEND:VCARD"
            .as_bytes(),
    );
    let target = Target {
        capabilities: Some(&capabilities),
        ..Target::new(Format::VCard21)
    };
    assert_eq!(
        String::from_utf8(write(&card, &target))
            .expect("UTF-8")
            .replace("\r\n", "\n"),
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=84bc;Jo;;;\nTEL;HOME:1\nTEL;CELL:2\n\
         EMAIL;INTERNET:a@b\nNOTE:12345\nX-EPOCSECONDNAME:Nick\nADR;HOME:;;x;;;;\nEND:VCARD\n"
    );
}

#[test]
fn what_is_no_card_is_refused() {
    use super::super::ContentError::{NotThisType, Truncated};
    let error = |body: &[u8]| {
        read(
            body,
            &ReadHint {
                format: Some(Format::VCard21),
                ..ReadHint::default()
            },
        )
        .err()
    };
    assert_eq!(error(b"hello"), Some(NotThisType));
    assert_eq!(error(b""), Some(NotThisType));
    assert_eq!(error(b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:x"), Some(Truncated));
    assert_eq!(error(b"\xFF\xD8\xFF\xE0JFIF"), Some(NotThisType));
}

/// Text as people write it, with all that a form has to escape.
const TEXT: &str = "[a-zA-ZåÄ日😀 =:;,\\\\\n\"^.+0-9-]{0,40}";

fn text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::strategy::Strategy as _;
    // White space around a value is not kept everywhere, and an empty value is none.
    TEXT.prop_map(|text| format!("x{}y", text))
}

fn contact() -> impl proptest::strategy::Strategy<Value = Record> {
    use proptest::collection::vec;
    use proptest::sample::{select, subsequence};
    use proptest::strategy::Strategy as _;
    let types = || subsequence(vec!["HOME", "WORK", "CELL", "FAX", "PREF", "X-OWN"], 0..4);
    let name = select(vec![
        "TEL", "EMAIL", "NOTE", "URL", "TITLE", "LABEL", "X-OTHER", "FN", "UID",
    ]);
    let single = (name, types(), text()).prop_map(|(name, types, value)| {
        let types: Vec<super::super::Text> = types.into_iter().map(Into::into).collect();
        let mut property = Property::text(name, value);
        if matches!(name, "TEL" | "EMAIL" | "LABEL") && !types.is_empty() {
            property.params.push(Param {
                name: "TYPE".into(),
                values: types,
            });
        }
        property
    });
    let structured = (
        select(vec!["N", "ADR", "ORG", "X-PARTS", "SOUND"]),
        vec(text(), 2..5),
    )
        .prop_map(|(name, parts)| {
            let mut property =
                Property::new(name, Value::structure(parts.iter().map(String::as_str)));
            if name == "SOUND" {
                property.add_param("TYPE", ["X-IRMC-N".into()]);
            }
            property
        });
    let list = vec("x[a-zä, ;\\\\]{0,9}y", 1..4).prop_map(|values| {
        Property::new("CATEGORIES", Value::list(values.iter().map(String::as_str)))
    });
    let photo = vec(proptest::num::u8::ANY, 1..200).prop_map(|bytes| {
        let mut property = Property::new("PHOTO", Value::Binary(bytes));
        property.add_param("TYPE", ["PNG".into()]);
        property
    });
    let any = proptest::prop_oneof![5 => single, 3 => structured, 1 => list, 1 => photo];
    vec(any, 0..12).prop_map(|mut properties| {
        properties.insert(0, Property::text("FN", "Jo"));
        properties.insert(0, Property::new("N", Value::structure(["Doe", "Jo"])));
        Record {
            kind: super::super::Kind::Contact,
            root: Component {
                name: "VCARD".into(),
                properties,
                children: vec![],
            },
        }
    })
}

proptest::proptest! {
    #[test]
    fn every_field_survives_every_version(card in contact()) {
        for format in [Format::VCard21, Format::VCard30, Format::VCard40] {
            let body = write(&card, &Target::new(format));
            let parsed = read(&body, &ReadHint::default()).expect("what was written");
            proptest::prop_assert_eq!(parsed.format, format);
            proptest::prop_assert_eq!(&parsed.warnings, &vec![]);
            let names = |record: &Record| record.root.properties.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
            proptest::prop_assert_eq!(names(&parsed.record), names(&card));
            proptest::prop_assert_eq!(digest(&parsed.record), digest(&card), "{}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn order_says_nothing(card in contact(), turn in 0..12_usize) {
        let mut other = card.clone();
        other.root.properties.reverse();
        let length = other.root.properties.len();
        other.root.properties.rotate_left(turn % length);
        for property in &mut other.root.properties {
            property.params.iter_mut().for_each(|param| param.values.reverse());
        }
        proptest::prop_assert_eq!(digest(&other), digest(&card));
        proptest::prop_assert!(same(&card, &other, None));
    }

    #[test]
    fn a_prefix_of_a_card_is_no_card(card in contact(), cut in 0.0..1.0_f64) {
        for format in [Format::VCard21, Format::VCard30, Format::VCard40] {
            let body = write(&card, &Target::new(format));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let length = (cut * (body.len() - 11) as f64) as usize;
            proptest::prop_assert!(read(&body[..length], &ReadHint::default()).is_err());
        }
    }
}
