mod compose;
mod hostile;
mod small;

use super::*;
use crate::content::{self, Floating, digest, match_key, matches, overlay, same};

const MESSAGE: &[u8] = b"From: Ann Example <ann@example.org>\r\nTo: bob@example.net\r\n\
    Subject: =?utf-8?q?Caf=C3=A9?= at\r\n\tnine\r\nDate: Sun, 1 Mar 2026 10:00:00 +0100\r\n\
    Message-ID: <one@example.org>\r\n\r\nSee you\xE9\0 there ]]> \r\n";

fn mail() -> Mail {
    Mail {
        read: true,
        flagged: true,
        received: Some(1_772_355_605),
        modified: Some(1_772_355_606),
        missing: 77,
        ext: vec![Extension {
            name: "x-a\nb".to_owned(),
            values: vec!["1".to_owned(), "\u{e9}\"".to_owned()],
        }],
        ..Mail::received(MESSAGE.to_vec(), 1_772_355_605)
    }
}

fn read_object(body: &str) -> Result<Record, ContentError> {
    let hint = ReadHint {
        format: Some(Format::Email),
        ..ReadHint::default()
    };
    content::read(body.as_bytes(), &hint).map(|parsed| parsed.record)
}

#[test]
fn the_stored_form_keeps_every_octet() {
    let mail = mail();
    let stored = mail.write();
    assert_eq!(Mail::read(&stored), Ok(mail.clone()));
    let (state, begin) = Mail::state(&stored).unwrap();
    assert_eq!(&stored[begin..], MESSAGE);
    assert!(state.read && state.message.is_empty());
    assert_eq!(Mail::of(mail.clone().into_record()), Some(mail.clone()));
    let record = content::read_stored(&stored, Format::Mail).unwrap();
    assert_eq!(Mail::of(record.clone()), Some(mail));
    assert_eq!(content::title(&record), "Café at nine");
    assert_eq!(content::write(&record, &Target::new(Format::Mail)), stored);
    // What a newer program wrote beside it is no harm.
    let newer = b"candybar-mail 1\nflags: read answered-by-hand\nweight: 7\n\nx";
    let mail = Mail::read(newer).unwrap();
    assert!(mail.read && mail.message == b"x");
    for bad in [
        &b""[..],
        b"candybar-mail 2\n\n",
        b"candybar-mail 1\nflags: ",
        b"From: a\n\n",
    ] {
        Mail::read(bad).expect_err("no stored mail");
    }
    assert_eq!(Mail::read(b"candybar-mail 1\n\n").unwrap(), Mail::default());
}

#[test]
fn a_header_is_read_decoded_and_clean() {
    let head = mail().head();
    assert_eq!(head.subject, "Café at nine");
    assert_eq!(head.from[0].name, "Ann Example");
    assert_eq!(head.sender(), "ann@example.org");
    assert_eq!(head.date, Some(1_772_355_600));
    assert_eq!(head.message_id.as_deref(), Some("one@example.org"));
    let odd = b"Subject: =?utf-8?q?a=0D=0ABcc:_x@y=E2=80=AEz?=\nFrom: \"a\r\n b\" <a b@c>\nTo: <x@y>, u@v\n\n";
    let head = Head::of(odd);
    assert_eq!(head.subject, "a Bcc: x@yz");
    assert_eq!(head.to.len(), 2);
    assert!(head.bcc.is_empty());
    assert_eq!(Head::of(b""), Head::default());
}

#[test]
fn objects_come_in_every_wrapping() {
    let inner = "From: a@b\r\n\r\nx < y &amp; z";
    for body in [
        format!("<Email><read>true</read><emailitem><![CDATA[{inner}]]></emailitem></Email>"),
        format!(
            "<?xml version=\"1.0\"?>\n<!-- c --><e:Email xmlns:e=\"u\"><e:read>TRUE</e:read>\n<e:emailitem>\n<![CDATA[{inner}]]>\n</e:emailitem></e:Email>"
        ),
        // Funambol's clients, and the same after the outer section was resolved by the carrier.
        format!(
            "<![CDATA[<Email><read>true</read><emailitem><![CDATA[{inner}]]&gt;</emailitem></Email>]]>"
        ),
        format!("<Email><read>true</read><emailitem><![CDATA[{inner}]]&gt;</emailitem></Email>"),
        // Series 60.
        format!(
            "<![CDATA[<Email><read>true</read><emailitem><![CDATA[{inner}]]]]>&gt;<![CDATA[</emailitem></Email>]]>"
        ),
        "<Email><read>true</read><emailitem enc=\"base64\">RnJvbTogYUBiDQoNCnggPCB5\nICZhbXA7IHo=</emailitem></Email>"
            .to_owned(),
        format!(
            "<Email><read>true</read><emailitem enc='quoted-printable'>{}</emailitem></Email>",
            "From: a@b=0D=0A=0D=0Ax &lt; y =26amp; z"
        ),
    ] {
        let record = read_object(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(record.root.text("READ"), Some("true"), "{body}");
        let text = String::from_utf8_lossy(octets(&record.root));
        assert_eq!(text.trim_end(), inner, "{body}");
    }
    // A message of another charset, and what looks like the section's end.
    let body = b"<Email><emailitem><![CDATA[a: b\n\n\xE9 ]]]]><![CDATA[> \0]]></emailitem></Email>";
    let element = markup::read(body).unwrap();
    assert_eq!(
        element.child("emailitem").unwrap().text,
        b"a: b\n\n\xE9 ]]> \0"
    );
    for (bad, why) in [
        ("", ContentError::NotThisType),
        ("Buy milk", ContentError::NotThisType),
        ("<Folder></Folder>", ContentError::NotThisType),
        ("<Email><read>true</read>", ContentError::Truncated),
        (
            "<Email><emailitem><![CDATA[From: a",
            ContentError::Truncated,
        ),
        (
            "<Email><emailitem enc=\"base64\">\u{7f}A</emailitem></Email>",
            ContentError::NotThisType,
        ),
    ] {
        assert_eq!(read_object(bad), Err(why), "{bad}");
    }
    let deep = "<Email>".to_owned() + &"<a>".repeat(100);
    assert_eq!(read_object(&deep), Err(ContentError::TooDeep));
}

#[test]
fn what_an_object_does_not_tell_is_not_there() {
    let record = read_object(
        "<Email><read></read><flagged>false</flagged><received>20260301T100000Z</received><modified>nonsense</modified>\
         <truncated><body><size>900</size><type>text/plain</type></body><attach><name>a</name><size>100</size></attach></truncated>\
         <Ext><XNam>x-funambol-size</XNam><XVal>5</XVal></Ext><Ext><XVal>nameless</XVal></Ext></Email>",
    )
    .unwrap();
    let names: Vec<&str> = record
        .root
        .properties
        .iter()
        .map(|of| of.name.as_str())
        .collect();
    assert_eq!(names, ["FLAGGED", "RECEIVED", "MISSING", "EXT"]);
    assert_eq!(record.root.text("MISSING"), Some("1000"));
    let funambol = "<Email><emailitem>From: a@b</emailitem><Ext><XNam>x-funambol-body</XNam><XVal>12</XVal></Ext></Email>";
    assert_eq!(
        read_object(funambol).unwrap().root.text("MISSING"),
        Some("12")
    );
    // Times without a Z are those of the device's zone, if it has local times.
    let hint = ReadHint {
        format: Some(Format::Email),
        floating: Floating::Local,
        time_zone: chrono_tz::Europe::Stockholm,
        ..ReadHint::default()
    };
    let body = b"<Email><received>20260301T100000</received></Email>";
    let record = content::read(body, &hint).unwrap().record;
    assert_eq!(record.root.text("RECEIVED"), Some("20260301T090000Z"));
}

#[test]
fn a_phone_changes_flags_and_never_the_message_of_a_received_mail() {
    let stored = mail().into_record();
    let edit = read_object(
        "<Email><read>false</read><replied>true</replied><received>19990101T000000Z</received>\
         <emailitem><![CDATA[Subject: cut]]></emailitem></Email>",
    )
    .unwrap();
    let edited = Mail::of(overlay(&stored, &edit, None)).unwrap();
    let expected = Mail {
        read: false,
        replied: true,
        ..mail()
    };
    assert_eq!(edited, expected);
    // A draft is the phone's as well, if it sends all of it.
    let draft = Mail {
        draft: true,
        ..mail()
    };
    let edited = Mail::of(overlay(&draft.clone().into_record(), &edit, None)).unwrap();
    assert_eq!(edited.message, b"Subject: cut");
    assert!(edited.draft);
    let cut = read_object(
        "<Email><emailitem>a</emailitem><truncated><body><size>5</size></body></truncated></Email>",
    )
    .unwrap();
    let edited = Mail::of(overlay(&draft.into_record(), &cut, None)).unwrap();
    assert_eq!(edited.message, MESSAGE);
    // What a phone holds of it, with the flags as they are, is no edit.
    let held = read_object(
        "<Email><read>true</read><flagged>true</flagged><emailitem>Subject: x</emailitem></Email>",
    )
    .unwrap();
    assert!(same(&stored, &held, None));
    assert!(!same(&stored, &edit, None));
}

#[test]
fn flags_changed_on_both_sides_are_all_kept() {
    let base = Mail {
        read: false,
        flagged: true,
        ..mail()
    }
    .into_record();
    let server = Mail {
        read: true,
        flagged: true,
        ..mail()
    }
    .into_record();
    // The phone saw `read` as false and took the flag away.
    let phone = read_object("<Email><read>false</read><flagged>false</flagged></Email>").unwrap();
    let merged = content::merge(Some(&base), &server, &phone, None);
    let mail = Mail::of(merged.record).unwrap();
    assert!(mail.read && !mail.flagged);
    assert!(merged.differs_from_client && merged.differs_from_server);
}

#[test]
fn twins_are_found_by_date_and_sender_and_told_apart_by_id() {
    let stored = mail().into_record();
    let held = |message: &str| {
        read_object(&format!(
            "<Email><emailitem><![CDATA[{message}]]></emailitem></Email>"
        ))
        .unwrap()
    };
    let cut = held(
        "Date: Sun, 01 Mar 2026 09:00:00 GMT\nFrom: ANN@example.org\nSubject: Caf\u{e9}\n\nSee",
    );
    assert_eq!(match_key(&stored), match_key(&cut));
    assert!(matches(&stored, &cut));
    let other = held(
        "Date: Sun, 01 Mar 2026 09:00:00 GMT\nFrom: ann@example.org\nMessage-ID: <two@example.org>\n\n",
    );
    assert_eq!(match_key(&stored), match_key(&other));
    assert!(!matches(&stored, &other));
    assert_ne!(match_key(&stored), match_key(&held("Subject: x\n\n")));
    assert_ne!(digest(&stored), digest(&other));
}

#[test]
fn mails_that_were_written_on_phones_are_twins_only_if_all_of_them_is_the_same() {
    let written = |to: &str, text: &str| {
        read_object(&format!(
            "<Email><emailitem><![CDATA[From: ann@example.org\nTo: {to}\nSubject: Re: Lunch\n\n{text}]]></emailitem></Email>"
        ))
        .unwrap()
    };
    let yes = written("bob@example.org", "Yes.");
    assert!(matches(&yes, &written("bob@example.org", "Yes.\r\n")));
    for other in [
        written("bob@example.org", "Yes. No."),
        written("bob@example.org", ""),
        written("eve@example.org", "Yes."),
    ] {
        assert_eq!(match_key(&yes), match_key(&other));
        assert!(!matches(&yes, &other));
    }
}

#[test]
fn folders_go_there_and_back() {
    let folder = Folder {
        name: "Lost & <Found>".to_owned(),
        created: Some(1_772_355_600),
        attributes: "dw".to_owned(),
        role: Some(FolderRole::Trash),
        ..Folder::default()
    };
    let body = folder.write();
    assert_eq!(
        String::from_utf8_lossy(&body),
        "<Folder><name>Lost &amp; &lt;Found&gt;</name><created>20260301T090000Z</created>\
         <attributes><d>true</d><w>true</w></attributes><role>deleted</role></Folder>"
    );
    assert_eq!(Folder::read(&body), Ok(folder.clone()));
    let record = content::read_stored(&body, Format::Folder).unwrap();
    assert_eq!(Folder::of(&record), Some(folder));
    assert_eq!(content::title(&record), "Lost & <Found>");
    let renamed = Folder::new("Bin", Some(FolderRole::Inbox)).into_record();
    let edited = Folder::of(&overlay(&record, &renamed, None)).unwrap();
    assert_eq!(
        (edited.name.as_str(), edited.role),
        ("Bin", Some(FolderRole::Trash))
    );
    // Without a label, the root element says what it is.
    let hint = ReadHint {
        kind: Some(Kind::Mail),
        ..ReadHint::default()
    };
    let formats = [&body[..], b"<![CDATA[<Email/>]]>", b"Subject: x\n\n"]
        .map(|body| content::read(body, &hint).unwrap().format);
    assert_eq!(formats, [Format::Folder, Format::Email, Format::Message]);
}

proptest::proptest! {
    #[test]
    fn any_mail_is_stored_and_read_again(message: Vec<u8>, flags in 0..64_u8, name: String, value: String, missing: u64) {
        let bit = |at: u8| flags >> at & 1 == 1;
        let mail = Mail {
            read: bit(0), forwarded: bit(1), replied: bit(2), flagged: bit(3), deleted: bit(4), draft: bit(5),
            message, missing, ext: vec![Extension { name, values: vec![value] }],
            ..Mail::default()
        };
        proptest::prop_assert_eq!(Mail::read(&mail.write()), Ok(mail));
    }

    #[test]
    fn any_octets_go_through_an_object(message: Vec<u8>) {
        let mail = Mail { message, ..Mail::default() };
        let body = write(&mail.clone().into_record(), &Target::new(Format::Email));
        let hint = ReadHint { format: Some(Format::Email), ..ReadHint::default() };
        let record = content::read(&body, &hint).unwrap().record;
        let blank = mail.message.trim_ascii().is_empty();
        proptest::prop_assert!(blank || octets(&record.root) == mail.message);
    }

    #[test]
    fn no_object_panics(text in "(<|>|/|Email|emailitem|read|&|;|#x|]]|<!\\[CDATA\\[|enc=|\"|!--|\\?| |\u{e9}){0,60}", bytes: Vec<u8>) {
        for body in [text.as_bytes(), &bytes] {
            for format in [Format::Email, Format::Folder, Format::Mail, Format::Message] {
                let hint = ReadHint { format: Some(format), ..ReadHint::default() };
                if let Ok(parsed) = content::read(body, &hint) {
                    let _ = content::title(&parsed.record);
                    let _ = match_key(&parsed.record);
                    let _ = content::write(&parsed.record, &Target::new(Format::Email));
                }
            }
        }
    }
}
