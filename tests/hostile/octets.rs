//! Bodies that are no messages: cut, with flipped bits, made to blow up, too large.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use candybar::handset::{
    Answer, Behaviour, HttpTransport, Memory, Mode, Phone, Post, Settings, Transport,
};
use candybar::syncml::Carrier;
use candybar::syncml::codec::Limits;

use super::http::head;
use super::target::{ACCOUNT, Target, WITNESS, card, names_on};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

/// The recorded messages.
fn samples() -> Vec<(String, Carrier, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oma-samples");
    let entries = fs::read_dir(folder).expect("the samples are there");
    let mut samples: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.expect("the folder can be listed").path();
            let carrier = match path.extension()?.to_str()? {
                "xml" => Carrier::Xml,
                "wbxml" => Carrier::Wbxml,
                _ => return None,
            };
            let octets = fs::read(&path).expect("a sample can be read");
            Some((path.display().to_string(), carrier, octets))
        })
        .collect();
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(samples.len() > 20, "there are {} samples", samples.len());
    samples
}

/// Lengths at which a message is cut: all near its ends, some between.
fn cuts(octets: &[u8]) -> Vec<usize> {
    let whole = octets.trim_ascii_end().len();
    let step = (whole / 40).max(1);
    (0..whole)
        .filter(|at| *at < 12 || *at + 12 > whole || at % step == 0)
        .collect()
}

#[test]
fn cut_messages_are_refused() {
    let target = Target::start();
    let mut connection = target.connect();
    for (name, carrier, octets) in samples() {
        for at in cuts(&octets) {
            let response = connection.post(carrier.mime(), &octets[..at]);
            assert_eq!(response.status, 400, "{name} cut at {at}");
        }
    }
    target.unharmed();
}

#[test]
fn messages_with_flipped_bits_do_no_harm() {
    let target = Target::start();
    let mut random = Random(7);
    let mut connection = target.connect();
    let mut refused = 0;
    // Wrong credentials would have to wait; see `identity`.
    let without_credentials = samples().into_iter().filter(|(_, carrier, octets)| {
        let message = candybar::syncml::decode(octets, *carrier, &Limits::default());
        message.is_ok_and(|message| message.header.cred.is_none())
    });
    for (name, carrier, octets) in without_credentials {
        for _ in 0..60 {
            let mut octets = octets.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(octets.len());
                octets[at] ^= 1 << random.below(8);
            }
            let response = connection.post(carrier.mime(), &octets);
            let right = match response.status {
                200 => Carrier::from_mime(response.header("content-type").unwrap_or_default()),
                400 => Some(carrier),
                _ => None,
            };
            assert_eq!(right, Some(carrier), "{name}: {}", response.text());
            refused += usize::from(response.status == 400);
        }
    }
    assert!(refused > 0, "no flipped bit was noticed");
    target.unharmed();
}

/// Before each of its messages goes out, the server gets cuts of it.
struct Stutter {
    inner: HttpTransport,
    refused: Rc<Cell<usize>>,
}

impl Transport for Stutter {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, candybar::handset::TransportError> {
        for at in cuts(post.body) {
            let body = &post.body[..at];
            let cut = self.inner.exchange(&Post { body, ..*post })?;
            assert_eq!(cut.status, 400, "cut at {at} of {}", post.body.len());
            self.refused.set(self.refused.get() + 1);
        }
        self.inner.exchange(post)
    }
}

#[test]
fn cuts_of_each_message_of_a_session_change_nothing_in_it() {
    let target = Target::start();
    for (number, carrier) in [Carrier::Wbxml, Carrier::Xml].into_iter().enumerate() {
        let refused = Rc::new(Cell::new(0));
        let stutter = Stutter {
            inner: HttpTransport::new(std::time::Duration::from_secs(60)),
            refused: Rc::clone(&refused),
        };
        let mut settings = Settings::new(&target.program().url(), ACCOUNT.0, ACCOUNT.1);
        settings.carrier = carrier;
        settings.max_messages = 50;
        let memory = Memory::new(format!("IMEI:stutter{number}"));
        let mut phone = Phone::new(settings, Behaviour::default(), memory, stutter);
        for name in 0..3 {
            phone.add("contacts", card(&format!("Stutter{number}{name}"), 1));
        }
        let request = candybar::handset::Request::new(&["contacts"], Mode::Slow, 1_700_000_000);
        let report = phone.sync(&request).expect("the whole messages are taken");
        assert!(!report.has_failures(), "{report:?}");
        assert!(report.complaints.is_empty(), "{report:?}");
        assert!(refused.get() > 100, "{} cuts were refused", refused.get());
    }
    target.sync();
    let names = target.names(ACCOUNT);
    assert_eq!(names.len(), 1 + 2 * 3, "{names:?}");
    assert_eq!(names, target.names_of_witness());
    target.alive();
}

#[test]
fn xml_that_would_blow_up_is_refused() {
    let target = Target::start();
    let mut laughs = "<?xml version='1.0'?><!DOCTYPE SyncML [<!ENTITY a0 'ha'>".to_owned();
    for level in 1..20 {
        let previous = format!("&a{};", level - 1).repeat(10);
        laughs += &format!("<!ENTITY a{level} '{previous}'>");
    }
    laughs += "]><SyncML><SyncHdr><SessionID>&a19;</SessionID></SyncHdr></SyncML>";
    let long = "x".repeat(100_000);
    let quadratic = format!(
        "<!DOCTYPE SyncML [<!ENTITY a '{long}'>]><SyncML><SyncHdr><SessionID>{}</SessionID></SyncHdr></SyncML>",
        "&a;".repeat(100_000)
    );
    let file = "<!DOCTYPE SyncML [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\
                <SyncML><SyncHdr><SessionID>&a;</SessionID></SyncHdr></SyncML>";
    let deep = format!("<SyncML>{}", "<a>".repeat(300_000));
    let deep_and_closed = format!(
        "<SyncML>{}{}</SyncML>",
        "<a>".repeat(100_000),
        "</a>".repeat(100_000)
    );
    let wide = format!("<SyncML>{}</SyncML>", "<a/>".repeat(200_000));
    let attributes = format!("<SyncML {}>", "a='b' ".repeat(150_000));
    let comment = format!("<SyncML><!--{}", "-".repeat(1_000_000));
    let section = format!("<SyncML><![CDATA[{}", "]".repeat(1_000_000));
    let encoding = "<?xml version='1.0' encoding='x-unknown'?><SyncML/>";
    for (what, text) in [
        ("billion laughs", laughs.as_str()),
        ("a long entity many times", &quadratic),
        ("a file as entity", file),
        ("deep nesting", &deep),
        ("deep nesting that is closed", &deep_and_closed),
        ("many elements", &wide),
        ("many attributes", &attributes),
        ("a comment without end", &comment),
        ("a section without end", &section),
        ("an unknown encoding", encoding),
        ("nothing", ""),
        ("white space", "  \r\n "),
        ("no XML", "hello"),
        ("another document", "<html><body/></html>"),
        ("zeros", "\0\0\0\0\0\0\0\0"),
    ] {
        target.refuses(what, Carrier::Xml, text.as_bytes());
    }
    target.unharmed();
    let peak = target.peak_memory();
    assert!(peak < 256 << 20, "{peak} octets of memory");
}

/// A header of SyncML 1.2 in UTF-8, with this string table.
fn wbxml(table: &[u8], body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x02, 0xA4, 0x01, 0x6A];
    let length = table.len() as u32;
    octets.extend([
        0x80 | (length >> 14 & 0x7F) as u8,
        0x80 | (length >> 7 & 0x7F) as u8,
        (length & 0x7F) as u8,
    ]);
    octets.extend_from_slice(table);
    octets.extend_from_slice(body);
    octets
}

#[test]
fn wbxml_that_would_blow_up_is_refused() {
    let target = Target::start();
    let deep = wbxml(b"", &vec![0x6D; 500_000]);
    let mut wide = wbxml(b"", &[0x6D]);
    wide.extend(vec![0x05; 500_000]);
    // SyncML, SyncHdr, SessionID: the whole table again and again, 1.5 GB in all.
    let mut table = vec![b'x'; 65_000];
    table.push(0);
    let mut text = wbxml(&table, &[0x6D, 0x6C, 0x65]);
    text.extend([0x83, 0x00].repeat(24_000));
    text.extend([0x01, 0x01, 0x01]);
    // The same as data of items.
    let mut data = wbxml(&table, &[0x6D, 0x6B]);
    for _ in 0..100 {
        data.extend([0x45, 0x54, 0x4F]);
        data.extend([0x83, 0x00].repeat(240));
        data.extend([0x01, 0x01, 0x01]);
    }
    data.extend([0x01, 0x01]);
    let huge = [0x8F, 0xFF, 0xFF, 0xFF, 0x7F];
    let mut opaque = wbxml(b"", &[0x6D, 0x6C, 0x65, 0xC3]);
    opaque.extend(huge);
    let mut index = wbxml(b"", &[0x6D, 0x6C, 0x65, 0x83]);
    index.extend(huge);
    let mut entity = wbxml(b"", &[0x6D, 0x6C, 0x65, 0x02]);
    entity.extend(huge);
    let mut large_table = vec![0x02, 0xA4, 0x01, 0x6A];
    large_table.extend(huge);
    let mut number = vec![0x02];
    number.extend(vec![0xFF; 100_000]);
    for (what, octets) in [
        ("deep nesting", &deep),
        ("many elements", &wide),
        ("a long string many times in one text", &text),
        ("a long string many times in items", &data),
        ("opaque data of 4 GB", &opaque),
        ("an index beyond the table", &index),
        ("a character beyond Unicode", &entity),
        ("a string table of 4 GB", &large_table),
        ("a number without end", &number),
        ("nothing", &Vec::new()),
        ("zeros", &vec![0; 1_000]),
        ("ones", &vec![0xFF; 1_000]),
    ] {
        target.refuses(what, Carrier::Wbxml, octets);
    }
    target.unharmed();
    let peak = target.peak_memory();
    assert!(peak < 256 << 20, "{peak} octets of memory");
}

#[test]
fn bodies_of_100_megabytes_are_refused_before_they_are_read() {
    const LENGTH: usize = 100_000_000;
    let target = Target::start();
    // Not one octet of the body is sent, and the answer is there.
    let mut declared = target.connect();
    declared.send(head(Carrier::Wbxml.mime(), LENGTH).as_bytes());
    let response = declared.response();
    assert_eq!(response.status, 413);
    assert_eq!(response.header("connection"), Some("close"));
    // With 2^64 and more as well.
    for length in ["18446744073709551615", "99999999999999999999999999"] {
        let mut declared = target.connect();
        let head = format!("POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        declared.send(head.as_bytes());
        let response = declared.response();
        assert!(
            matches!(response.status, 400 | 413),
            "{length}: {}",
            response.status
        );
    }
    // Streamed, the answer comes after little more than the limit.
    let mut streamed = target.connect();
    let head = "POST /sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    streamed.send(head.as_bytes());
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b'x'; 0x10000]);
    chunk.extend(b"\r\n");
    for _ in 0..24 {
        streamed.send(&chunk);
    }
    let response = streamed.response();
    assert_eq!(response.status, 413);
    assert_eq!(response.header("connection"), Some("close"));
    // What comes after that is not kept.
    let most = LENGTH / chunk.len();
    let _sent = (0..most)
        .take_while(|_| streamed.try_send(&chunk).is_ok())
        .count();
    target.unharmed();
    let peak = target.peak_memory();
    assert!(peak < 128 << 20, "{peak} octets of memory");
}

#[test]
fn flipped_bits_in_the_opening_message_of_a_device_that_is_known() {
    let target = Target::start();
    // What the witness would send, with its own credentials: the flips reach device, session and datastore.
    let mut dialogue = super::dialogue::Dialogue::new(&target, WITNESS, "900");
    let mut random = Random(11);
    let mut connection = target.connect();
    for round in 0..300 {
        dialogue.msg = 1;
        dialogue.session = format!("9{round}");
        let mut octets = dialogue
            .message(&super::dialogue::alert(200, "contacts"), true)
            .into_bytes();
        // Not in the credentials: wrong ones would have to wait; see `identity`.
        let text = String::from_utf8_lossy(&octets).into_owned();
        let credentials = text.find("<Cred>").expect("credentials")
            ..text.find("</Cred>").expect("credentials") + "</Cred>".len();
        let at = loop {
            let at = random.below(octets.len());
            if !credentials.contains(&at) {
                break at;
            }
        };
        octets[at] ^= 1 << random.below(7);
        let response = connection.post(Carrier::Xml.mime(), &octets);
        assert!(
            matches!(response.status, 200 | 400),
            "{}: {}",
            String::from_utf8_lossy(&octets),
            response.text()
        );
    }
    drop(connection);
    target.sync();
    target.unharmed();
    let mut phone = target.phone(ACCOUNT, "IMEI:after");
    super::target::sync(&mut phone, Mode::TwoWay);
    assert_eq!(names_on(&phone), ["Witness"]);
}
