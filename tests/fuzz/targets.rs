//! What is fuzzed: one function for each reader of what comes from outside. They take any octets, and panic if a reader
//! breaks what its module promises. The same functions are driven by mutated samples in the tests (`tests/fuzz`) and by
//! libFuzzer (`fuzz/`).

use candybar::content::{self, Format, Kind, ReadHint, Record, Target, email};
use candybar::filter::{Address, Expression, Filter, FilterType, Subject};
use candybar::push::{emn, notification, ota, prov, san, si, wdp, wsp};
use candybar::syncml::codec::{Form, Limits, decode, decode_devinf, encode, encode_devinf};
use candybar::syncml::{Carrier, Message, Version};
use candybar::wbxml::{Decoder, Event};
use candybar::xml;

/// A target: its name and what it does with an input.
pub(crate) type Entry = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const ALL: [Entry; 12] = [
    ("wbxml", wbxml),
    ("xml", xml),
    ("syncml", syncml),
    ("vcard", vcard),
    ("calendar", calendar),
    ("note", note),
    ("sif", sif),
    ("mail", mail),
    ("filter", filter),
    ("san", san),
    ("wsp", wsp),
    ("push", push),
];

/// Elements begin and end in pairs, to a depth that is limited, and a document without errors leaves none open.
fn balanced<'a, E>(events: impl Iterator<Item = Result<Event<'a>, E>>, limits: &Limits) {
    let mut depth = 0_u32;
    let mut elements = 0_u32;
    for event in events {
        match event {
            Ok(Event::Start { .. }) => {
                depth += 1;
                elements += 1;
                assert!(depth <= u32::from(limits.max_depth), "too deep");
                assert!(elements <= limits.max_elements, "too many elements");
            }
            Ok(Event::End) => depth = depth.checked_sub(1).expect("an element that never began"),
            Ok(Event::Text(_) | Event::Opaque(_)) => {}
            Err(_) => return,
        }
    }
    assert_eq!(depth, 0, "elements are open at the end");
}

/// WBXML octets to events.
pub(crate) fn wbxml(data: &[u8]) {
    let limits = Limits::default();
    if let Ok(decoder) = Decoder::new(data, &limits) {
        balanced(decoder, &limits);
    }
}

/// XML text to events.
pub(crate) fn xml(data: &[u8]) {
    let limits = Limits::default();
    if let Ok(text) = xml::decode_text(data, &limits) {
        balanced(xml::Reader::new(&text, &limits), &limits);
    }
}

/// Messages: the first octet says in which carrier. What is read can be written, and that is read as the same.
pub(crate) fn syncml(data: &[u8]) {
    let Some((first, data)) = data.split_first() else {
        return;
    };
    let carrier = if first & 1 == 0 {
        Carrier::Wbxml
    } else {
        Carrier::Xml
    };
    let version = Version::ALL[usize::from(first / 2 % 3)];
    let limits = Limits::default();
    if let Ok(message) = decode(data, carrier, &limits) {
        let form = Form::new(carrier, version);
        written_is_read_alike(&message, &form);
        // Over to the other carrier.
        let other = match carrier {
            Carrier::Xml => Carrier::Wbxml,
            Carrier::Wbxml => Carrier::Xml,
        };
        written_is_read_alike(&message, &Form::new(other, Version::V12));
    }
    if let Ok(devinf) = decode_devinf(data, carrier, &limits) {
        let written = encode_devinf(&devinf, &Form::new(carrier, version));
        decode_devinf(&written, carrier, &limits).expect("our own device information");
    }
}

fn written_is_read_alike(message: &Message<'_>, form: &Form) {
    let limits = Limits {
        max_elements: u32::MAX,
        max_depth: u16::MAX,
        ..Limits::default()
    };
    let written = encode(message, form);
    let read = decode(&written, form.carrier, &limits).expect("our own message");
    // What was made fit for the carrier once stays as it is.
    let again = encode(&read, form);
    let reread = decode(&again, form.carrier, &limits).expect("our own message");
    assert_eq!(
        encode(&reread, form),
        again,
        "a message changes each time it is written"
    );
}

/// Reads an item in a form, and does with it all that a sync does.
fn item(data: &[u8], formats: &[Format], kind: Option<Kind>) {
    let Some((first, data)) = data.split_first() else {
        return;
    };
    let format = formats[usize::from(first % 4) % formats.len()];
    let hint = ReadHint {
        format: Some(format),
        kind,
        charset: (first & 0x10 != 0).then_some("iso-8859-1"),
        time_zone: chrono_tz::Tz::Europe__Stockholm,
        floating: match first & 0x60 {
            0x20 => content::Floating::Local,
            0x40 => content::Floating::Utc,
            _ => content::Floating::Keep,
        },
        ..ReadHint::default()
    };
    // Two items, if there are two: for what compares them.
    let bodies = content::split(data);
    let mut records = bodies
        .iter()
        .take(2)
        .filter_map(|body| content::read(body, &hint).ok())
        .map(|parsed| parsed.record);
    let Some(one) = records.next() else { return };
    let two = records.next().unwrap_or_else(|| one.clone());
    for record in [&one, &two] {
        let _ = (content::digest(record), content::match_key(record));
        let _ = content::title(record);
        let _ = content::to_json(record);
        for format in formats {
            let target = Target {
                time_zone: hint.time_zone,
                utc: first & 0x80 == 0,
                ..Target::new(*format)
            };
            let written = content::write(record, &target);
            // What was stored is lowered for a device.
            let stored = content::write(record, &Target::new(*format));
            let lowered = content::lower(&stored, *format, &target).expect("our own item");
            content::read_stored(&lowered, *format).expect("our own item");
            let hint = ReadHint {
                format: Some(*format),
                kind: Some(record.kind),
                ..hint
            };
            let read = content::read(&written, &hint).expect("our own item").record;
            settled(&read, *format);
        }
    }
    let _ = content::matches(&one, &two);
    let _ = content::same(&one, &two, None);
    let _ = content::overlay(&one, &two, None);
    let _ = content::merge(Some(&one), &two, &one, None);
    in_a_window(&one);
}

/// What was fitted to a form once says the same each time it is written and read: else two sides that only hand an item
/// on would edit it for ever.
fn settled(record: &Record, format: Format) {
    let body = content::write(record, &Target::new(format));
    let kind = Some(record.kind);
    let hint = ReadHint {
        format: Some(format),
        kind,
        ..ReadHint::default()
    };
    let first = content::read(&body, &hint).expect("our own item").record;
    let again = content::write(&first, &Target::new(format));
    let second = content::read(&again, &hint).expect("our own item").record;
    assert_eq!(
        content::digest(&first),
        content::digest(&second),
        "{format:?} changes each time it is written:\n{}\n{}",
        String::from_utf8_lossy(&body),
        String::from_utf8_lossy(&again),
    );
}

fn in_a_window(record: &Record) {
    let time = content::Time::parse;
    let window = content::Window {
        since: time("20260101T000000Z"),
        before: time("20260201"),
    };
    let _ = content::within(record, &window, chrono_tz::Tz::Europe__Stockholm);
}

/// vCards of all versions; the first octet chooses version and circumstances.
pub(crate) fn vcard(data: &[u8]) {
    let formats = [Format::VCard21, Format::VCard30, Format::VCard40];
    item(data, &formats, Some(Kind::Contact));
}

/// vCalendar and iCalendar; the first octet chooses version and circumstances.
pub(crate) fn calendar(data: &[u8]) {
    item(data, &[Format::VCalendar10, Format::ICalendar20], None);
}

/// vNotes and text.
pub(crate) fn note(data: &[u8]) {
    item(
        data,
        &[Format::VNote11, Format::PlainText],
        Some(Kind::Note),
    );
}

/// SIF documents.
pub(crate) fn sif(data: &[u8]) {
    item(
        data,
        &[
            Format::SifContact,
            Format::SifEvent,
            Format::SifTask,
            Format::SifNote,
        ],
        None,
    );
}

/// Mail: objects, bare messages, what is made of them for phones, and what phones want to be sent. The first octet chooses the form.
pub(crate) fn mail(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let formats = [Format::Message, Format::Email, Format::Folder, Format::Mail];
    let format = formats[usize::from(*first) % formats.len()];
    let hint = ReadHint {
        format: Some(format),
        kind: Some(Kind::Mail),
        ..ReadHint::default()
    };
    let Ok(parsed) = content::read(body, &hint) else {
        return;
    };
    let record = parsed.record;
    let _ = (content::title(&record), content::match_key(&record));
    let stored = if record.kind == Kind::Folder {
        Format::Folder
    } else {
        Format::Mail
    };
    let kept = content::write(&record, &Target::new(stored));
    let again = content::read_stored(&kept, stored).expect("our own item");
    assert_eq!(content::write(&again, &Target::new(stored)), kept);
    if record.kind != Kind::Mail {
        return;
    }
    for mail in [
        email::Shape::default(),
        email::Shape::WHOLE,
        email::Shape::ORIGINAL,
    ] {
        let target = Target {
            mail,
            ..Target::new(Format::Email)
        };
        let object = content::write(&record, &target);
        let object_hint = ReadHint {
            format: Some(Format::Email),
            ..ReadHint::default()
        };
        content::read(&object, &object_hint).expect("our own object");
        if mail == email::Shape::default() {
            assert!(
                object.len() < 200_000,
                "a small mail of {} octets",
                object.len()
            );
        }
    }
    let own = email::Mailbox {
        name: String::new(),
        address: "a@example.org".to_owned(),
    };
    let author = email::Author {
        addresses: &[own],
        id: "1",
        now: 0,
        answered: None,
        max_octets: 1 << 24,
    };
    let message = email::Mail::of(record).map(|mail| mail.message);
    if let Ok(sent) = email::compose(&message.unwrap_or_default(), &author) {
        let text = String::from_utf8(sent.message).expect("ASCII");
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n', '\0']),
            "bare line ends"
        );
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        assert!(
            !head.to_ascii_lowercase().contains("\nbcc:"),
            "Bcc goes out"
        );
    }
}

/// Filters of the CGI grammar, in Record and on addresses, and what they say of items.
pub(crate) fn filter(data: &[u8]) {
    const ITEMS: [(&str, Format); 2] = [
        (
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Berg;Anna;;;\r\nTEL:112\r\nCLASS:PRIVATE\r\nREV:20070807T120000Z\r\nEND:VCARD\r\n",
            Format::VCard30,
        ),
        (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:20070807T100000Z\r\n\
             RRULE:FREQ=MONTHLY;BYDAY=2TU\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            Format::ICalendar20,
        ),
    ];
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = Address::read(text);
    let Ok(Some(expression)) = Expression::parse(text) else {
        return;
    };
    let canonical = expression.to_string();
    let again = Expression::parse(&canonical);
    assert_eq!(again.as_ref(), Ok(&Some(expression.clone())), "{canonical}");
    for (body, format) in ITEMS {
        let hint = ReadHint {
            format: Some(format),
            ..ReadHint::default()
        };
        let record = content::read(body.as_bytes(), &hint)
            .expect("an item")
            .record;
        let subject = Subject {
            record: &record,
            octets: 100,
            luid: Some("17"),
            guid: "2s",
            time_zone: chrono_tz::Tz::Europe__Stockholm,
        };
        let _ = expression.matches(&subject);
    }
    let filter = Filter {
        kind: FilterType::Exclusive,
        record: Some(expression),
        fields: None,
    };
    assert_eq!(Filter::from_text(&filter.to_text()), Some(filter));
}

/// Notifications.
pub(crate) fn san(data: &[u8]) {
    if let Ok(received) = san::read(data) {
        let _ = received.is_signed_with("password", b"nonce");
    }
}

/// The documents of pushes, in either carrier. What is read and can be built is read as the same.
pub(crate) fn push(data: &[u8]) {
    if let Ok(read) = emn::Emn::read(data)
        && let Ok(built) = read.wbxml()
    {
        assert_eq!(emn::Emn::read(&built), Ok(read));
    }
    if let Ok(read) = si::Indication::read(data)
        && let Ok(built) = read.wbxml()
    {
        si::Indication::read(&built).expect("our own indication");
    }
    if let Ok(read) = si::Loading::read(data)
        && let Ok(built) = read.wbxml()
    {
        assert_eq!(si::Loading::read(&built), Ok(read));
    }
    if let Ok(document) = prov::Document::read(data) {
        let _ = document.settings();
        if let Ok(built) = document.wbxml() {
            prov::Document::read(&built).expect("our own document");
        }
    }
    let _ = ota::read_sync(data);
    let _ = ota::read_browser(data);
    let _ = notification::read(data);
}

/// Pushes, user data headers, and short messages put together.
pub(crate) fn wsp(data: &[u8]) {
    if let Ok(push) = wsp::Push::read(data)
        && let Ok(octets) = push.octets()
    {
        // Headers whose values are not understood need not survive; see the tests of push for those that are.
        wsp::Push::read(&octets).expect("our own push");
    }
    if let Ok((header, length)) = wdp::UserDataHeader::read(data) {
        assert!(length <= data.len());
        if let Ok(octets) = header.octets() {
            wdp::UserDataHeader::read(&octets).expect("our own header");
        }
    }
    // Any sequence of short messages: length of the header, header and text, length of the text.
    let mut reassembly = wdp::Reassembly::new();
    let mut rest = data;
    while let Some((&length, more)) = rest.split_first() {
        let message = &more[..usize::from(length % 160).min(more.len())];
        rest = &more[message.len()..];
        let header = message.first().map_or(0, |octet| usize::from(*octet) + 1);
        let (udh, body) = message.split_at(header.min(message.len()));
        let _ = reassembly.add("+46700000001", udh, body);
        assert!(reassembly.missing().count() <= wdp::Reassembly::MOST_PENDING);
    }
}
