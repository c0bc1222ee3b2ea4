//! Items of a program that keeps Outlook's fields and exchanges them as SIF 1.1 documents: a flat list of elements.
//!
//! Such a program sets the fields whose elements come, empties those whose elements are empty, and leaves the others as they are.

use super::Taken;
use crate::content::{self, Format, Kind, ReadHint, Target};
use crate::handset::device_info::DeviceInfo;

/// Elements of an item that are kept.
const MAX_ELEMENTS: usize = 1_000;

/// A document: its root and the elements in it.
#[derive(Debug, PartialEq, Eq)]
struct Document {
    root: String,
    elements: Vec<Element>,
}

/// An element as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Element {
    name: String,
    /// From its first to its last octet.
    whole: String,
    /// What is in it.
    inner: String,
}

/// Whether an item is such a document.
pub(super) fn is_document(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Takes a document. `previous` is what the program has.
pub(super) fn take(
    datastore: &str,
    devinf: &DeviceInfo,
    body: &[u8],
    previous: Option<&[u8]>,
) -> Taken {
    let Some(mut document) = read(body) else {
        return Taken::Kept {
            body: body.to_vec(),
            mishaps: vec!["an item is no SIF document".to_owned()],
        };
    };
    let known = devinf.property_names(datastore);
    let lists = |element: &Element| known.contains(&element.name.as_str());
    // A list of properties of another form says nothing of elements.
    if document.elements.iter().any(lists) {
        document.elements.retain(lists);
    }
    if let Some(previous) = previous.and_then(read) {
        for element in previous.elements {
            if !document.elements.iter().any(|of| of.name == element.name) {
                document.elements.push(element);
            }
        }
    }
    Taken::Kept {
        body: write(&document),
        mishaps: Vec::new(),
    }
}

/// What the user enters: a document, or an item of another form that the program imports.
pub(super) fn enter(datastore: &str, body: &[u8], time_zone: chrono_tz::Tz) -> Vec<u8> {
    if is_document(body) {
        return body.to_vec();
    }
    let (kind, format) = match datastore {
        "contacts" => (Kind::Contact, Format::SifContact),
        "tasks" => (Kind::Task, Format::SifTask),
        "notes" => (Kind::Note, Format::SifNote),
        _ => (Kind::Event, Format::SifEvent),
    };
    let hint = ReadHint {
        kind: Some(kind),
        time_zone,
        floating: content::Floating::Local,
        ..ReadHint::default()
    };
    let target = Target {
        time_zone,
        ..Target::new(format)
    };
    match content::read(body, &hint) {
        Ok(parsed) => content::write(&parsed.record, &target),
        Err(_) => body.to_vec(),
    }
}

/// The text of each element of that name.
pub(super) fn shown(body: &[u8], name: &str) -> Vec<String> {
    let document = read(body);
    let elements = document.into_iter().flat_map(|of| of.elements);
    elements
        .filter(|of| of.name == name && !of.inner.trim().is_empty())
        .map(|of| plain(&of.inner))
        .collect()
}

/// The document with another text in an element.
pub(super) fn replaced(body: &[u8], name: &str, text: &str) -> Vec<u8> {
    let Some(mut document) = read(body) else {
        return body.to_vec();
    };
    let inner = text.replace('&', "&amp;").replace('<', "&lt;");
    let element = Element {
        name: name.to_owned(),
        whole: format!("<{name}>{inner}</{name}>"),
        inner,
    };
    match document.elements.iter_mut().find(|of| of.name == name) {
        Some(of) => *of = element,
        None => document.elements.push(element),
    }
    write(&document)
}

fn plain(inner: &str) -> String {
    let text = inner.trim().replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

fn read(body: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(body).ok()?;
    let mut rest = text.trim();
    while rest.starts_with("<?") || rest.starts_with("<!") {
        rest = rest.split_once('>')?.1.trim_start();
    }
    let (root, inner, after) = element(rest)?;
    if !after.trim().is_empty() {
        return None;
    }
    let mut document = Document {
        root: root.to_owned(),
        elements: Vec::new(),
    };
    let mut rest = inner.trim();
    while !rest.is_empty() && document.elements.len() < MAX_ELEMENTS {
        let (name, inner, after) = element(rest)?;
        document.elements.push(Element {
            name: name.to_owned(),
            whole: rest[..rest.len() - after.len()].to_owned(),
            inner: inner.to_owned(),
        });
        rest = after.trim_start();
    }
    Some(document)
}

/// The element at the beginning of a text: its name, what is in it, and what follows it.
fn element(text: &str) -> Option<(&str, &str, &str)> {
    let tag = text.strip_prefix('<')?;
    let length = tag.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))?;
    let (name, rest) = tag.split_at(length);
    if name.is_empty() {
        return None;
    }
    let (attributes, rest) = rest.split_once('>')?;
    if attributes.ends_with('/') {
        return Some((name, "", rest));
    }
    let (inner, after) = rest.split_once(&format!("</{name}>"))?;
    Some((name, inner, after))
}

fn write(document: &Document) -> Vec<u8> {
    let root = &document.root;
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>");
    for element in &document.elements {
        out.push('\n');
        out.push_str(&element.whole);
    }
    out.push_str(&format!("\n</{root}>"));
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &[u8] = b"<?xml version=\"1.0\"?>\n<contact><LastName>A &amp; B</LastName><Hobby/>\n<Photo TYPE=\"JPEG\">AQ==</Photo></contact>";

    #[test]
    fn what_does_not_come_stays_and_what_comes_empty_goes() {
        let devinf = DeviceInfo::default();
        let new = b"<contact><LastName>C</LastName><Photo/></contact>";
        let Taken::Kept { body, mishaps } = take("contacts", &devinf, new, Some(CARD)) else {
            panic!("it is kept");
        };
        assert_eq!(mishaps, Vec::<String>::new());
        let text = String::from_utf8(body).unwrap();
        assert!(
            text.contains("<LastName>C</LastName>\n<Photo/>\n<Hobby/>"),
            "{text}"
        );
    }

    #[test]
    fn elements_are_shown_and_replaced() {
        assert_eq!(shown(CARD, "LastName"), ["A & B"]);
        assert_eq!(shown(CARD, "Hobby"), Vec::<String>::new());
        let edited = replaced(CARD, "Hobby", "<Chess>");
        assert_eq!(shown(&edited, "Hobby"), ["<Chess>"]);
        assert_eq!(shown(&edited, "LastName"), ["A & B"]);
    }

    #[test]
    fn nothing_makes_it_fail() {
        for body in [
            "<",
            "<a",
            "<a>",
            "<a/>x",
            "<a><b></a>",
            "</>",
            "<>",
            "\u{FEFF}<a>",
        ] {
            let _ = (read(body.as_bytes()), shown(body.as_bytes(), "b"));
            assert_eq!(
                replaced(body.as_bytes(), "b", "c"),
                body.as_bytes(),
                "{body}"
            );
        }
        assert!(read(b"<a/>").is_some());
    }

    #[test]
    fn other_forms_are_imported() {
        let card = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:Doe;Jane\r\nEND:VCARD\r\n";
        let body = enter("contacts", card, chrono_tz::Tz::UTC);
        assert_eq!(shown(&body, "FirstName"), ["Jane"]);
        assert_eq!(enter("contacts", CARD, chrono_tz::Tz::UTC), CARD);
    }
}
