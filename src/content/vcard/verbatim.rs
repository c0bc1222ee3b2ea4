//! Cards that a device can be sent line by line as they are stored, without reading and writing them again.
//!
//! Only what a cautious writer would write counts: plain properties in full lines of UTF-8, with types that the device
//! lists. Lines that say nothing, and those that the device cannot hold, are left out. A card with anything else is
//! read and written, which is always right and takes longer.
//!
//! Invariant: what is copied says the same as what [`write`](super::write()) would make of the card.

use rustc_hash::FxHashMap;

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

/// Heads of lines that are remembered.
const MAX_HEADS: usize = 256;

/// What was found of the heads of lines (what stands before the colon) for one target: cards of one account have few different
/// ones. It is right for the capabilities alone with which it is filled.
#[derive(Debug, Clone, Default)]
pub struct Heads(FxHashMap<Box<str>, Head>);

/// What a head says of its line.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// A line without a value is left out.
    may_be_blank: bool,
    rule: Rule,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// It takes a reader and a writer.
    Intricate,
    /// The device cannot hold it.
    LeftOut,
    /// The device can hold it within limits; 0 is none.
    Copied {
        /// Position in [`PLAIN`]; behind it is the birthday.
        property: usize,
        max_size: usize,
        max_occur: u32,
    },
}

/// A stored vCard 3.0 for a device that takes vCard 3.0; `None` if it has to be read and written.
pub(in super::super) fn copy(
    body: &[u8],
    capabilities: Option<&Capabilities>,
    heads: &mut Heads,
) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
    let capabilities = capabilities.filter(|capabilities| !capabilities.is_empty());
    let mut occurrences = [0_u32; PLAIN.len() + 1];
    // A date may become longer.
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut left_out = false;
    // What is copied and not yet in `out` begins here.
    let mut pending = 0;
    let mut begin = 0;
    for newline in memchr::memchr_iter(b'\n', lines.as_bytes()) {
        let line = lines[begin..newline].strip_suffix('\r')?;
        let next = newline + 1;
        let (place, begun) = (HEAD.len() + begin, begin);
        begin = next;
        if line.starts_with([' ', '\t']) {
            if !left_out {
                return None;
            }
            pending = HEAD.len() + next;
            continue;
        }
        let colon = memchr::memchr(b':', line.as_bytes())?;
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let known = match heads.0.get(head) {
            Some(known) => *known,
            None => heads.learn(head, capabilities),
        };
        let is_blank =
            known.may_be_blank && value.bytes().all(|byte| matches!(byte, b';' | b',' | b' '));
        let is_plain = || line.len() <= MAX_LINE && !has_control(line);
        left_out = match known.rule {
            _ if is_blank => true,
            Rule::Intricate => return None,
            _ if !is_plain() => return None,
            Rule::LeftOut if is_allowed(head, value) => true,
            Rule::Copied {
                property,
                max_size,
                max_occur,
            } if is_allowed(head, value) => {
                occurrences[property] += 1;
                if max_size > 0 && max_size < value.len() {
                    return None;
                }
                max_occur > 0 && occurrences[property] > max_occur
            }
            _ => return None,
        };
        if left_out {
            out.extend_from_slice(&body[pending..place]);
            pending = HEAD.len() + next;
        } else if let Some([year, month, day]) = basic_date(&lines[begun..begun + line.len()]) {
            out.extend_from_slice(&body[pending..place]);
            for part in [BIRTHDAY, year, "-", month, "-", day, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
            pending = HEAD.len() + next;
        }
    }
    if begin < lines.len() {
        return None;
    }
    out.extend_from_slice(&body[pending..]);
    // 3.0 demands both; a writer adds what is missing.
    let named = PLAIN
        .iter()
        .zip(occurrences)
        .all(|(name, count)| count == 1 || !matches!(*name, "N" | "FN"));
    named.then_some(out)
}

/// Any value but of a birthday, which is a date.
fn is_allowed(head: &str, value: &str) -> bool {
    !head.starts_with("BDAY") || is_date(value)
}

impl Heads {
    /// Finds out what a head says, and remembers it.
    fn learn(&mut self, head: &str, capabilities: Option<&Capabilities>) -> Head {
        let (name, params) = match head.split_once(';') {
            Some((name, params)) => (name, Some(params)),
            None => (head, None),
        };
        let known = Head {
            may_be_blank: name != "N" && is_name(name),
            rule: rule(name, params, capabilities),
        };
        if self.0.len() < MAX_HEADS && head.len() <= MAX_LINE {
            self.0.insert(head.into(), known);
        }
        known
    }
}

fn rule(name: &str, params: Option<&str>, capabilities: Option<&Capabilities>) -> Rule {
    let plain = PLAIN.iter().position(|plain| *plain == name);
    let Some(property) = plain.or_else(|| (name == "BDAY").then_some(PLAIN.len())) else {
        return Rule::Intricate;
    };
    let capability = match capabilities.map(|capabilities| capabilities.find(name)) {
        // It has another name there.
        Some(Some(capability)) if capability.name != name => return Rule::Intricate,
        Some(Some(capability)) => Some(capability),
        Some(None) => return Rule::LeftOut,
        None => None,
    };
    if !params.is_none_or(|params| types_pass(params, capability))
        || capability.is_some_and(|capability| !capability.values.is_empty())
    {
        return Rule::Intricate;
    }
    let size = capability.and_then(|capability| capability.max_size);
    Rule::Copied {
        property,
        max_size: size.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)),
        max_occur: capability
            .and_then(|capability| capability.max_occur)
            .unwrap_or(0),
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
    // Without an early end, so that many octets are looked at at once.
    line.bytes()
        .fold(false, |found, byte| found | (byte < b' ') | (byte == 0x7F))
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
        let copied = super::copy(body.as_bytes(), capabilities, &mut super::Heads::default())?;
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
        let copy_whole = |body: &[u8]| super::copy(body, None, &mut super::Heads::default());
        assert_eq!(copy_whole(whole), None, "no UTF-8");
        assert_eq!(copy_whole(b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:A"), None);
        assert_eq!(copy_whole(b""), None);
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
