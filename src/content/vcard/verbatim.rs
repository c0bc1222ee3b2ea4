//! Cards that a device can be sent line by line as they are stored, without reading and writing them again.
//!
//! Only what a cautious writer would write counts: plain properties in full lines of UTF-8, with types that the device
//! lists. Lines that say nothing, and those that the device cannot hold, are left out. A card with anything else is
//! read and written, which is always right and takes longer.
//!
//! Invariant: what is copied says the same as what [`write`](super::write()) would make of the card.

use super::super::capabilities::{Capabilities, PropertyCapability};

/// Octets of a line (RFC 2426 section 2.6).
const MAX_LINE: usize = 75;

const HEAD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\n";
const TAIL: &str = "END:VCARD\r\n";
const BIRTHDAY: &str = "BDAY:";

/// Properties of texts and lists, which readers and writers of vCard 3.0 hand on unchanged.
const PLAIN: &[&str] = &[
    "ADR",
    "CATEGORIES",
    "EMAIL",
    "FN",
    "LABEL",
    "N",
    "NICKNAME",
    "NOTE",
    "ORG",
    "PRODID",
    "REV",
    "ROLE",
    "TEL",
    "TITLE",
    "UID",
    "URL",
];

/// What becomes of a line.
enum Line {
    Copied,
    LeftOut,
    /// It takes a reader and a writer.
    Intricate,
}

/// A stored vCard 3.0 for a device that takes vCard 3.0; `None` if it has to be read and written.
pub(in super::super) fn copy(body: &[u8], capabilities: Option<&Capabilities>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
    let mut copy = Copy {
        capabilities: capabilities.filter(|capabilities| !capabilities.is_empty()),
        occurrences: Vec::with_capacity(PLAIN.len()),
    };
    // A date may become longer.
    let mut out = Vec::with_capacity(body.len() + 2);
    out.extend_from_slice(HEAD.as_bytes());
    let mut left_out = false;
    for line in lines.split_terminator("\r\n") {
        if line.starts_with([' ', '\t']) {
            if left_out {
                continue;
            }
            return None;
        }
        left_out = match copy.line(line) {
            Line::Copied => false,
            Line::LeftOut => true,
            Line::Intricate => return None,
        };
        if !left_out {
            match basic_date(line) {
                Some([year, month, day]) => {
                    for part in [BIRTHDAY, year, "-", month, "-", day] {
                        out.extend_from_slice(part.as_bytes());
                    }
                }
                None => out.extend_from_slice(line.as_bytes()),
            }
            out.extend_from_slice(b"\r\n");
        }
    }
    // 3.0 demands both; a writer adds what is missing.
    let named = ["N", "FN"]
        .iter()
        .all(|name| copy.occurrences.contains(&(name, 1)));
    out.extend_from_slice(TAIL.as_bytes());
    named.then_some(out)
}

struct Copy<'a> {
    capabilities: Option<&'a Capabilities>,
    /// Of the properties so far.
    occurrences: Vec<(&'static str, u32)>,
}

impl Copy<'_> {
    fn line(&mut self, line: &str) -> Line {
        let Some((head, value)) = line.split_once(':') else {
            return Line::Intricate;
        };
        let (name, params) = match head.split_once(';') {
            Some((name, params)) => (name, Some(params)),
            None => (head, None),
        };
        let blank = value.bytes().all(|byte| matches!(byte, b';' | b',' | b' '));
        if blank && name != "N" && is_name(name) {
            return Line::LeftOut;
        }
        let known = PLAIN.iter().copied().find(|plain| *plain == name);
        let Some(known) = known.or_else(|| (name == "BDAY" && is_date(value)).then_some("BDAY"))
        else {
            return Line::Intricate;
        };
        if line.len() > MAX_LINE || has_control(line) {
            return Line::Intricate;
        }
        let capability = match self.capabilities {
            Some(capabilities) => match capabilities.find(name) {
                Some(capability) if capability.name == name => Some(capability),
                // It has another name there.
                Some(_) => return Line::Intricate,
                None => return Line::LeftOut,
            },
            None => None,
        };
        if !params.is_none_or(|params| types_pass(params, capability)) {
            return Line::Intricate;
        }
        let count = match self.occurrences.iter_mut().find(|(of, _)| *of == known) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.occurrences.push((known, 1));
                1
            }
        };
        let Some(capability) = capability else {
            return Line::Copied;
        };
        let size = capability.max_size.unwrap_or(0);
        let most = capability.max_occur.unwrap_or(0);
        if !capability.values.is_empty() || (size > 0 && u64::from(size) < value.len() as u64) {
            Line::Intricate
        } else if most > 0 && count > most {
            Line::LeftOut
        } else {
            Line::Copied
        }
    }
}

/// Whether the parameters are one list of types that the device can tell apart.
fn types_pass(params: &str, capability: Option<&PropertyCapability>) -> bool {
    let Some(types) = params.strip_prefix("TYPE=") else {
        return false;
    };
    types
        .split(',')
        .all(|kind| is_name(kind) && capability.is_none_or(|capability| capability.expresses(kind)))
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_part) && !matches!(text, "BEGIN" | "END" | "AGENT")
}

fn has_control(line: &str) -> bool {
    line.bytes().any(|byte| byte < b' ' || byte == 0x7F)
}

/// `1980-01-02` or `19800102`
fn is_date(value: &str) -> bool {
    let digits = |byte: u8, at: usize| match at {
        4 | 7 if value.len() == 10 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    matches!(value.len(), 8 | 10) && value.bytes().zip(0..).all(|(byte, at)| digits(byte, at))
}

/// Year, month and day of a birthday that has no hyphens; writers of 3.0 put them there.
fn basic_date(line: &str) -> Option<[&str; 3]> {
    let value = line
        .strip_prefix(BIRTHDAY)
        .filter(|value| value.len() == 8)?;
    let (year, rest) = value.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some([year, month, day])
}

#[cfg(test)]
mod tests {
    use super::super::super::{
        Capabilities, Format, ParamCapability, PropertyCapability, ReadHint, Target, read, write,
    };

    /// What is copied of a card, without its frame; checked against what would be written.
    fn copy(lines: &str, capabilities: Option<&Capabilities>) -> Option<String> {
        let body = format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n");
        let copied = super::copy(body.as_bytes(), capabilities)?;
        let record = |body: &[u8]| read(body, &ReadHint::default()).unwrap().record;
        let target = Target {
            capabilities,
            ..Target::new(Format::VCard30)
        };
        let written = write(&record(body.as_bytes()), &target);
        assert_eq!(record(&copied), record(&written), "{lines}");
        let copied = String::from_utf8(copied).unwrap();
        let inner = copied.strip_prefix(super::HEAD).unwrap();
        Some(inner.strip_suffix(super::TAIL).unwrap().to_owned())
    }

    fn passes(lines: &str, capabilities: Option<&Capabilities>) -> bool {
        copy(lines, capabilities).is_some_and(|copied| copied == lines)
    }

    const NAME: &str = "N:Möller;Åsa;;;\r\nFN:Åsa Möller\r\n";

    fn with_name(line: &str) -> String {
        format!("{NAME}{line}\r\n")
    }

    #[test]
    fn plain_cards_pass() {
        assert!(passes(NAME, None));
        for line in [
            "TEL;TYPE=CELL,WORK:+46 70 1234567",
            "NOTE:Two\\nlines\\, and more\\; all escaped",
            "ADR;TYPE=HOME:;;Street 1;Town;;12345;Country",
            "BDAY:1980-01-02",
        ] {
            assert!(passes(&with_name(line), None), "{line}");
        }
    }

    #[test]
    fn a_date_gets_its_hyphens() {
        let copied = copy(&with_name("BDAY:19800102"), None);
        assert_eq!(copied, Some(with_name("BDAY:1980-01-02")));
    }

    #[test]
    fn what_a_writer_would_change_does_not_pass() {
        for lines in [
            "FN:No name\r\n",
            "N:;;;;\r\nFN:\r\n",
            "N:Name;No;;;\r\n",
            &with_name("BDAY:1980"),
            &with_name("BDAY:--01-0203"),
            &with_name("X-OWN:kept"),
            &with_name("X-NICKNAME:Å"),
            &with_name("PHOTO;ENCODING=b:AAAA"),
            &with_name("tel:1"),
            &with_name("item1.TEL:1"),
            &with_name("TEL;CELL:1"),
            &with_name("TEL;TYPE=CELL;TYPE=WORK:1"),
            &with_name("TEL;TYPE=cell:1"),
            &with_name("NOTE:a tab\tin it"),
            &with_name("NOTE:folded\r\n here"),
            &with_name("no property"),
            &with_name(&format!("NOTE:{}", "long ".repeat(20))),
            &with_name("BEGIN:VCARD\r\nN:Inner;;;;\r\nEND:VCARD"),
        ] {
            assert_eq!(copy(lines, None), None, "{lines}");
        }
        let whole = b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:A\xFF;;;;\r\nFN:A\r\nEND:VCARD\r\n";
        assert_eq!(super::copy(whole, None), None, "no UTF-8");
        assert_eq!(
            super::copy(b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:A", None),
            None
        );
        assert_eq!(super::copy(b"", None), None);
    }

    #[test]
    fn what_the_device_cannot_hold_does_not_pass() {
        let property = |name: &str| PropertyCapability::new(name);
        let types = |values: &[&str]| ParamCapability {
            name: "TYPE".into(),
            values: values.iter().map(ToString::to_string).collect(),
        };
        let capabilities = Capabilities::new([
            property("N"),
            property("FN"),
            PropertyCapability {
                max_occur: Some(2),
                params: vec![types(&["CELL", "WORK"])],
                ..property("TEL")
            },
            PropertyCapability {
                max_size: Some(8),
                ..property("NOTE")
            },
        ]);
        let tells = |lines: &str| passes(lines, Some(&capabilities));
        assert!(tells(&with_name("TEL;TYPE=CELL:1\r\nTEL;TYPE=WORK:2")));
        assert!(tells(&with_name("NOTE:12345678")));
        let copied = |lines: &str| copy(lines, Some(&capabilities));
        for intricate in ["TEL;TYPE=HOME:1", "NOTE:123456789"] {
            assert_eq!(copied(&with_name(intricate)), None, "{intricate}");
        }
        let two = with_name("TEL:1\r\nTEL:2");
        assert_eq!(copied(&format!("{two}TEL:3\r\n")), Some(two));
        assert_eq!(copied(&with_name("TITLE:Engineer")), Some(NAME.to_owned()));
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let card = with_name("EMAIL:\r\nADR:;;;;;;\r\nPHOTO:\r\nTEL:1");
        assert_eq!(copy(&card, None), Some(with_name("TEL:1")));
        let blank = "N:;;;;\r\nFN:Company\r\nORG:Company;;;\r\n";
        assert_eq!(copy(blank, None).as_deref(), Some(blank));
    }
}
