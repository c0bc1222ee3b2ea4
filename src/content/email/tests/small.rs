//! Messages made anew for small phones.

use super::super::*;
use crate::content::{self, Dialect, Target};

/// A message of these header lines and this body.
fn message(header: &str, body: &str) -> Vec<u8> {
    format!("From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: Hi\nDate: Sun, 1 Mar 2026 10:00:00 +0100\nMessage-ID: <1@example.org>\n{header}\n{body}")
        .replace('\n', "\r\n")
        .into_bytes()
}

fn made(message: &[u8], shape: Shape, dialect: &Dialect) -> String {
    let record = Mail::received(message.to_vec(), 0).into_record();
    let target = Target {
        mail: shape,
        dialect: Some(dialect),
        ..Target::new(Format::Message)
    };
    String::from_utf8_lossy(&content::write(&record, &target)).into_owned()
}

fn object(message: &[u8], shape: Shape, dialect: &Dialect) -> String {
    let mail = Mail {
        read: true,
        ..Mail::received(message.to_vec(), 1_772_355_605)
    };
    let target = Target {
        mail: shape,
        dialect: Some(dialect),
        ..Target::new(Format::Email)
    };
    String::from_utf8(content::write(&mail.into_record(), &target)).expect("text")
}

/// What a person sees of a made message.
fn shown(made: &str) -> String {
    let tree = parts::parts(made.as_bytes());
    match tree {
        parts::Node::Leaf(part) => part.text(usize::MAX),
        parts::Node::Multi(_, children) => match &children[0] {
            parts::Node::Leaf(part) => part.text(usize::MAX),
            parts::Node::Multi(..) => String::new(),
        },
    }
}

fn text(octets: u64) -> Shape {
    Shape {
        body_octets: octets,
        ..Shape::default()
    }
}

const MIXED: &str = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"a b\"\n";

fn mixed() -> Vec<u8> {
    let body = "preamble\n--a b\nContent-Type: multipart/alternative; boundary=in\n\n--in\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nCaf=E9 at=\n nine\n\
        --in\nContent-Type: text/html\n\n<p>Caf&eacute; <b>at</b> nine</p>\n--in--\n\n--a b\n\
        Content-Type: image/gif; name=\"../../etc/cat.gif\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n\
        R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\n--a b\n\
        Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf\n\n%PDF\n--a b--\nepilogue\n";
    message(MIXED, body)
}

#[test]
fn the_text_is_found_decoded_and_attachments_are_named() {
    let made = made(&mixed(), text(4_096), &Dialect::default());
    assert!(
        made.contains("\r\nFrom: Ann <ann@example.org>\r\n")
            || made.starts_with("From: Ann <ann@example.org>\r\n"),
        "{made}"
    );
    assert!(made.contains("Message-ID: <1@example.org>\r\n"));
    assert!(made.contains("Content-Type: text/plain; charset=utf-8\r\n"));
    assert!(made.is_ascii());
    assert_eq!(
        shown(&made).trim_end(),
        "Café at nine\n\n[cat.gif, image/gif, 42 B]\n[résumé.pdf, application/pdf, 4 B]"
    );
}

#[test]
fn a_text_is_cut_between_characters_and_says_how_much_is_missing() {
    let long = message(
        "Content-Type: text/plain; charset=utf-8\n",
        &"é".repeat(3_000),
    );
    let cut = object(&long, text(1_001), &Dialect::default());
    assert!(
        cut.contains(
            "<truncated><body><size>5000</size><type>text/plain</type></body></truncated></Email>"
        ),
        "{cut}"
    );
    assert!(!cut.contains("<emailitem enc"));
    let record = content::read(
        cut.as_bytes(),
        &ReadHint {
            format: Some(Format::Email),
            ..ReadHint::default()
        },
    )
    .unwrap()
    .record;
    assert_eq!(record.root.text("MISSING"), Some("5000"));
    let sent = String::from_utf8(octets(&record.root).to_vec()).unwrap();
    assert_eq!(
        shown(&sent).trim_end(),
        format!("{}\n\n[... 5 kB more]", "é".repeat(500))
    );
    // A phone with Latin-1 has room for more of them.
    let latin = Dialect {
        mail_charset: Some("iso-8859-1".to_owned()),
        ..Dialect::default()
    };
    let cut = object(&long, text(1_001), &latin);
    assert!(
        cut.contains("<size>1999</size>") && cut.contains("charset=iso-8859-1"),
        "{cut}"
    );
    let header = object(
        &long,
        Shape {
            extent: Extent::Header,
            ..Shape::default()
        },
        &Dialect::default(),
    );
    assert!(
        header.contains("<size>6000</size>") && header.contains("Subject: Hi"),
        "{header}"
    );
    let flags = object(&long, Shape::FLAGS, &Dialect::default());
    assert_eq!(
        flags,
        "<Email><read>true</read><forwarded>false</forwarded><replied>false</replied><received>20260301T090005Z</received>\
         <deleted>false</deleted><flagged>false</flagged></Email>"
    );
}

#[test]
fn each_device_gets_its_dialect() {
    let funambol = Dialect {
        mail_ext: Some(MailExt::Funambol),
        mail_base64: Some(true),
        ..Dialect::default()
    };
    let sent = object(&mixed(), text(5), &funambol);
    for part in [
        "<emailitem enc=\"base64\">",
        "<Ext><XNam>x-funambol-body</XNam><XVal>8</XVal></Ext>",
        "<Ext><XNam>x-funambol-attach-n</XNam><XVal>2</XVal></Ext>",
        "<Ext><XNam>x-funambol-attach</XNam><XVal>cat.gif</XVal><XVal>42</XVal></Ext>",
    ] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    assert!(!sent.contains("<truncated>"));
    let nokia = Dialect {
        mail_strict: Some(true),
        mail_base64: Some(true),
        mail_ext: Some(MailExt::None),
        ..Dialect::default()
    };
    let sent = object(&mixed(), text(5), &nokia);
    assert!(
        sent.starts_with("<Email><read>true</read><forwarded>"),
        "{sent}"
    );
    assert!(sent.contains("<emailitem><![CDATA[From: Ann"), "{sent}");
    assert!(
        sent.contains("<attach><name>cat.gif</name><size>42</size><type>image/gif</type></attach>"),
        "{sent}"
    );
    assert!(!sent.contains(" enc=") && !sent.contains("Ext") && !sent.contains("<?xml"));
    let target = Target {
        dialect: Some(&Dialect {
            mail_type: Some("message/x-rfc822".to_owned()),
            ..Dialect::default()
        }),
        ..Target::new(Format::Message)
    }
    .mime()
    .to_owned();
    assert_eq!(target, "message/x-rfc822");
    let local = Target {
        utc: false,
        time_zone: chrono_tz::Europe::Stockholm,
        mail: Shape::FLAGS,
        ..Target::new(Format::Email)
    };
    let mail = Mail::received(mixed(), 1_772_355_605).into_record();
    let sent = String::from_utf8(content::write(&mail, &local)).unwrap();
    assert!(
        sent.contains("<received>20260301T100005</received>"),
        "{sent}"
    );
}

#[test]
fn letters_that_a_phone_does_not_have_become_the_nearest() {
    let fancy = message(
        "Content-Type: text/plain; charset=utf-8\n",
        "“Łódź” – 😀 Привет €5 日",
    );
    let with = |charset: &str, astral: bool| {
        let dialect = Dialect {
            mail_charset: Some(charset.to_owned()),
            mail_astral: Some(astral),
            ..Dialect::default()
        };
        shown(&made(&fancy, text(4_096), &dialect))
            .trim_end()
            .to_owned()
    };
    assert_eq!(with("utf-8", true), "“Łódź” – 😀 Привет €5 日");
    assert_eq!(with("utf-8", false), "“Łódź” – :grinning: Привет €5 日");
    assert_eq!(
        with("iso-8859-1", false),
        "\"Lódz\" - :grinning: Privet EUR5 Ri"
    );
    assert_eq!(
        with("us-ascii", false),
        "\"Lodz\" - :grinning: Privet EUR5 Ri"
    );
    assert!(with("koi8-r", false).contains("Привет"));
}

#[test]
fn the_text_of_html_is_what_a_reader_sees() {
    for (html, expected) in [
        (
            "<html><head><title>x</title><style>p{}</style></head><body><p>One<br>two</p><p>three &amp; f&ouml;ur&#8230;</p></body>",
            "One\ntwo\n\nthree & föur…",
        ),
        (
            "<ul><li>a<li>b</ul><table><tr><td>1</td><td>2</td></tr></table>",
            "- a\n- b\n\n1 2",
        ),
        (
            "a<script>if (a<b) alert('</p>')</script>b<!-- c > --> 1 < 2",
            "ab 1 < 2",
        ),
        (
            "<blockquote>said<br>before</blockquote>now",
            "> said\n> before\nnow",
        ),
        (
            "<img src=x alt=\"A > cat\"> <a href='http://e/?a=1&b=2'>link</a>",
            "A > cat link",
        ),
        ("<p>unclosed <b", "unclosed"),
        ("&#0;&#x1F600;&bogus;&", "\u{1F600}&bogus;&"),
        ("", ""),
    ] {
        assert_eq!(html::text(html), expected, "{html}");
    }
    let only = message(
        "Content-Type: text/html; charset=utf-8\n",
        "<div>H\u{e5}j <i>du</i></div>",
    );
    assert_eq!(
        shown(&made(&only, text(99), &Dialect::default())).trim_end(),
        "H\u{e5}j du"
    );
}

#[test]
fn quotations_are_left_out_if_wished() {
    for (text, expected) in [
        (
            "Yes.\n\nOn Sunday, Bob wrote:\n> a\n> b\n> c\n> d\n",
            "Yes.\n\nOn Sunday, Bob wrote:\n[...]",
        ),
        (
            "> a\n> b\n> c\n> d\nI agree with that\nvery much",
            "> a\n> b\n[...]\nI agree with that\nvery much",
        ),
        (
            "Yes, please.\nAnn\n\n-----Original Message-----\nFrom: B\nTo: A\nx\ny\n",
            "Yes, please.\nAnn\n\n[...]",
        ),
        ("Short\n> one\nanswer", "Short\n> one\nanswer"),
        (
            "From: somebody\nTo: you\nSubject: all of it\nx",
            "From: somebody\nTo: you\nSubject: all of it\nx",
        ),
    ] {
        assert_eq!(quote::trimmed(text).0, expected, "{text}");
    }
    let answer = message("", "Yes.\nIndeed.\n\n> a\n> b\n> c\n> d\n");
    let shape = Shape {
        trim_quotes: true,
        ..Shape::default()
    };
    assert_eq!(
        shown(&made(&answer, shape, &Dialect::default())).trim_end(),
        "Yes.\nIndeed.\n\n[...]"
    );
}

#[test]
fn attachments_come_when_they_are_asked_for() {
    let whole = made(&mixed(), Shape::WHOLE, &Dialect::default());
    assert!(
        whole.contains("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\r\n"),
        "{whole}"
    );
    assert!(whole.contains("Content-Type: image/gif; name=\"cat.gif\"\r\n"));
    let some = made(
        &mixed(),
        Shape {
            attachment_octets: 10,
            ..Shape::WHOLE
        },
        &Dialect::default(),
    );
    assert!(
        some.contains("JVBERg==") && !some.contains("R0lG"),
        "{some}"
    );
    assert!(shown(&some).contains("[cat.gif, image/gif, 42 B]"));
    // What was not mirrored is told as well.
    let record = Mail {
        missing: 3_000_000,
        ..Mail::received(mixed(), 0)
    }
    .into_record();
    let target = Target {
        mail: Shape::default(),
        ..Target::new(Format::Message)
    };
    let sent = String::from_utf8(content::write(&record, &target)).unwrap();
    assert!(
        shown(&sent).contains("[more at the server, application/octet-stream, 3.0 MB]"),
        "{sent}"
    );
}

#[test]
fn pictures_are_made_small() {
    let picture = image::RgbImage::from_fn(400, 200, |x, y| image::Rgb([x as u8, y as u8, 7]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(file.into_inner());
    let mail = message(
        MIXED,
        &format!(
            "--a b\n\nlook\n--a b\nContent-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\n\n{coded}\n--a b\nContent-Type: image/png; name=bad.png\n\nno picture\n--a b--\n"
        ),
    );
    let dialect = Dialect {
        mail_picture: Some(128),
        ..Dialect::default()
    };
    let sent = made(&mail, text(100), &dialect);
    let parts::Node::Multi(_, children) = parts::parts(sent.as_bytes()) else {
        panic!("{sent}");
    };
    let parts::Node::Leaf(part) = &children[1] else {
        panic!("{sent}");
    };
    assert_eq!((part.media.as_str(), children.len()), ("image/jpeg", 2));
    let small = image::load_from_memory(&part.octets(usize::MAX)).unwrap();
    assert_eq!((small.width(), small.height()), (128, 64));
    assert!(
        shown(&sent).contains("[bad.png, image/png, 10 B]"),
        "{sent}"
    );
}

#[test]
fn a_device_gets_what_its_filter_asks_for() {
    use crate::content::{ParamCapability, PropertyCapability};
    let field = |param: &str, max_size| {
        let mut field = PropertyCapability::new("emailitem");
        field.max_size = max_size;
        if !param.is_empty() {
            field.params.push(ParamCapability {
                name: param.to_owned(),
                values: Vec::new(),
            });
        }
        [field]
    };
    assert_eq!(Shape::asked(100, false, None), text(100));
    assert_eq!(Shape::asked(100, true, None).extent, Extent::Whole);
    let header = Shape::asked(100, false, Some(&field("", None)));
    assert_eq!(header.extent, Extent::Header);
    assert_eq!(
        Shape::asked(100, false, Some(&field("texttype", Some(7)))),
        text(7)
    );
    assert_eq!(
        Shape::asked(100, true, Some(&field("TEXTTYPE", None))),
        text(u64::MAX)
    );
    let all = Shape::asked(100, false, Some(&field("attachtype", Some(9))));
    assert_eq!(
        (all.extent, all.attachment_octets, all.body_octets),
        (Extent::Whole, 9, u64::MAX)
    );
    let other = [PropertyCapability::new("read")];
    assert_eq!(Shape::asked(100, false, Some(&other)), text(100));
}
