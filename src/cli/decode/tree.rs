//! A document as a tree, and the tree as text, XML and JSON. Documents within it are part of the tree.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::syncml::Version;
use crate::syncml::codec::{DecodeError, Limits};
use crate::wbxml::tables::{DEVINF, EMN, OTA_BROWSER, OTA_SYNC, PROV, SI, SL, devinf, syncml};
use crate::wbxml::{Attr, Decoder, Event, Header, Language, Name, PublicId};
use crate::xml;

/// Document types without namespaces.
static PLAIN: [&Language; 6] = [&SI, &SL, &EMN, &PROV, &OTA_SYNC, &OTA_BROWSER];

/// What could be read of a document.
#[derive(Debug)]
pub struct Document {
    /// What stands before the root element.
    head: Vec<(&'static str, String)>,
    events: Vec<Event<'static>>,
    problems: Vec<Problem>,
}

/// A place that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and where.
    pub error: DecodeError,
    /// It is in a document within the document, and its offset counts from there.
    pub nested: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.nested {
            "the DevInf document within"
        } else {
            "the document"
        };
        write!(f, "{place} is broken: {}", self.error)
    }
}

/// An element with its content.
#[derive(Debug, Default)]
struct Node<'a> {
    name: Cow<'a, str>,
    attrs: &'a [Attr<'a>],
    text: Vec<u8>,
    children: Vec<Self>,
}

fn owned(event: Event<'_>) -> Event<'static> {
    match event {
        Event::Start { name, attrs } => Event::Start {
            name: match name {
                Name::Tag(tag) => Name::Tag(tag),
                Name::Text(text) => Name::Text(Cow::Owned(text.into_owned())),
            },
            attrs: attrs
                .into_iter()
                .map(|attr| Attr {
                    name: Cow::Owned(attr.name.into_owned()),
                    value: Cow::Owned(attr.value.into_owned()),
                })
                .collect(),
        },
        Event::Text(text) => Event::Text(Cow::Owned(text.into_owned())),
        Event::Opaque(bytes) => Event::Opaque(Cow::Owned(bytes.into_owned())),
        Event::End => Event::End,
    }
}

/// The document begins like XML.
pub(super) fn is_xml(bytes: &[u8]) -> bool {
    let text = bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .trim_ascii_start();
    matches!(
        text,
        [b'<', ..] | [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..]
    )
}

/// A document type without namespaces.
fn is_plain(language: &Language) -> bool {
    PLAIN.iter().any(|plain| plain.root == language.root)
}

/// The document type without namespaces that the root element of an XML document names.
fn plain_language(text: &str, limits: &Limits) -> Option<&'static Language> {
    let first = xml::Reader::new(text, limits).next()?.ok()?;
    let Event::Start { name, .. } = first else {
        return None;
    };
    let mut plain = PLAIN.iter().copied();
    plain.find(|language| language.root.text() == name.text())
}

impl Document {
    /// Reads a document of either carrier; its type is the one that it names.
    pub fn read(bytes: &[u8]) -> Self {
        Self::of_type(bytes, None)
    }

    /// Reads a document of either carrier; its type is the one that it names, or this one if it names none.
    pub fn of_type(bytes: &[u8], language: Option<&'static Language>) -> Self {
        let mut document = Self {
            head: Vec::new(),
            events: Vec::new(),
            problems: Vec::new(),
        };
        let limits = Limits::default();
        if is_xml(bytes) {
            match xml::decode_text(bytes, &limits) {
                Ok(text) => match language.or_else(|| plain_language(&text, &limits)) {
                    Some(language) if is_plain(language) => {
                        let reader = xml::Reader::with_language(&text, language, &limits);
                        document.collect(reader, &limits);
                    }
                    _ => document.collect(xml::Reader::new(&text, &limits), &limits),
                },
                Err(error) => document.problems.push(Problem {
                    error,
                    nested: false,
                }),
            }
        } else {
            let decoder = match language {
                Some(language) => Decoder::with_language(bytes, language, &limits),
                None => Decoder::new(bytes, &limits),
            };
            match decoder {
                Ok(decoder) => {
                    document.head = head(decoder.header(), decoder.language().name);
                    document.collect(decoder, &limits);
                }
                Err(error) => document.problems.push(Problem {
                    error,
                    nested: false,
                }),
            }
        }
        document
    }

    /// Plain XML events, documents within it inline.
    pub(super) fn events(&self) -> impl Iterator<Item = Event<'static>> {
        self.layout_removed()
    }

    /// The namespace of its elements in XML.
    pub(super) fn namespace(&self) -> &'static str {
        self.version().namespace()
    }

    /// What could not be read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn collect<'a>(
        &mut self,
        events: impl Iterator<Item = Result<Event<'a>, DecodeError>>,
        limits: &Limits,
    ) {
        // Data has begun, and where.
        let mut data = None;
        for event in events {
            match event {
                Err(error) => self.problems.push(Problem {
                    error,
                    nested: false,
                }),
                Ok(event) => {
                    match &event {
                        Event::Start { name, .. } => {
                            data =
                                (*name == Name::Tag(syncml::DATA)).then_some(self.events.len() + 1);
                        }
                        Event::End => {
                            if let Some(from) = data.take() {
                                self.nested(from, limits);
                            }
                        }
                        Event::Text(_) | Event::Opaque(_) => {}
                    }
                    self.events.push(owned(event));
                }
            }
        }
    }

    /// Puts the events of a DevInf document in place of its octets, which are the events from `from` on.
    fn nested(&mut self, from: usize, limits: &Limits) {
        let content = self.events.split_off(from);
        let mut bytes = Vec::new();
        for event in &content {
            match event {
                Event::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Event::Opaque(more) => bytes.extend_from_slice(more),
                Event::Start { .. } | Event::End => {}
            }
        }
        let (events, error) = nested(&bytes, limits);
        if events.is_empty() {
            self.events.extend(content);
            return;
        }
        self.events.extend(events);
        self.problems.extend(error.map(|error| Problem {
            error,
            nested: true,
        }));
    }

    /// The elements, those that were cut off included.
    fn tree(&self) -> Option<Node<'_>> {
        let mut open: Vec<Node<'_>> = Vec::new();
        let mut root = None;
        for event in &self.events {
            match event {
                Event::Start { name, attrs } => {
                    open.push(Node {
                        name: name.text(),
                        attrs,
                        ..Node::default()
                    });
                }
                Event::Text(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.extend_from_slice(text.as_bytes());
                    }
                }
                Event::Opaque(bytes) => {
                    if let Some(node) = open.last_mut() {
                        node.text.extend_from_slice(bytes);
                    }
                }
                Event::End => root = fold(&mut open).or(root),
            }
        }
        while !open.is_empty() {
            root = fold(&mut open).or(root);
        }
        root
    }

    /// An indented tree.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.head.is_empty() {
            let head: Vec<String> = self
                .head
                .iter()
                .map(|(key, value)| format!("{key} {value}"))
                .collect();
            let _ = writeln!(out, "{}", head.join(", "));
        }
        if let Some(root) = self.tree() {
            write_node(&mut out, &root, 0);
        }
        out
    }

    /// Plain XML, documents within it inline.
    pub fn xml(&self) -> String {
        if self.events.is_empty() {
            return String::new();
        }
        xml::write(Some(self.version().namespace()), self.layout_removed())
    }

    /// The tree: `name`, then `text`, `base64` or `children`; `attributes` if there are any.
    pub fn json(&self) -> Value {
        let mut value = json!({});
        for (key, text) in &self.head {
            value[key.replace(' ', "_")] = json!(text);
        }
        if let Some(root) = self.tree() {
            value["root"] = json_node(&root);
        }
        if !self.problems.is_empty() {
            let problems = self.problems.iter().map(|problem| {
                json!({
                    "offset": problem.error.offset,
                    "nested": problem.nested,
                    "message": problem.error.kind.to_string(),
                })
            });
            value["errors"] = problems.collect();
        }
        value
    }

    /// The version by the first VerDTD.
    fn version(&self) -> Version {
        let texts = self.events.windows(2).filter_map(|pair| match pair {
            [
                Event::Start {
                    name: Name::Tag(syncml::VER_DTD | devinf::VER_DTD),
                    ..
                },
                Event::Text(text),
            ] => Version::from_dtd(text),
            [
                Event::Start {
                    name: Name::Tag(syncml::VER_DTD | devinf::VER_DTD),
                    ..
                },
                Event::Opaque(bytes),
            ] => std::str::from_utf8(bytes).ok().and_then(Version::from_dtd),
            _ => None,
        });
        texts.into_iter().next().unwrap_or_default()
    }

    /// The events without white space between elements.
    fn layout_removed(&self) -> impl Iterator<Item = Event<'static>> {
        self.events.iter().enumerate().filter_map(|(at, event)| {
            if let Event::Text(text) = event
                && text.trim().is_empty()
            {
                let before = at.checked_sub(1).and_then(|before| self.events.get(before));
                let leaf = matches!(
                    (before, self.events.get(at + 1)),
                    (
                        Some(Event::Start { .. } | Event::Text(_)),
                        Some(Event::End | Event::Text(_))
                    )
                );
                if !leaf {
                    return None;
                }
            }
            Some(event.clone())
        })
    }
}

/// Ends the innermost open element; the root element comes back.
fn fold<'a>(open: &mut Vec<Node<'a>>) -> Option<Node<'a>> {
    let node = open.pop()?;
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(node);
            None
        }
        None => Some(node),
    }
}

/// A DevInf document in octets, as far as it can be read; no events if it is none.
fn nested(bytes: &[u8], limits: &Limits) -> (Vec<Event<'static>>, Option<DecodeError>) {
    let bytes = bytes.trim_ascii_start();
    if is_xml(bytes) {
        let Ok(text) = xml::decode_text(bytes, limits) else {
            return (Vec::new(), None);
        };
        let (events, error) = split(xml::Reader::new(&text, limits));
        return if is_devinf(&events) {
            (events, error)
        } else {
            (Vec::new(), None)
        };
    }
    if let Ok(decoder) = Decoder::with_language(bytes, &DEVINF, limits) {
        let (events, error) = split(decoder);
        return if is_devinf(&events) {
            (events, error)
        } else {
            (Vec::new(), None)
        };
    }
    if matches!(bytes.first(), Some(0x4A | 0xCA)) {
        // Without a header this may be anything, so it has to be right.
        let (events, error) = split(Decoder::headless(bytes, &DEVINF, limits));
        if error.is_none() {
            return (events, None);
        }
    }
    (Vec::new(), None)
}

fn is_devinf(events: &[Event<'_>]) -> bool {
    matches!(
        events.first(),
        Some(Event::Start {
            name: Name::Tag(devinf::DEVINF),
            ..
        })
    )
}

/// Events up to the first error. What is open is closed.
fn split<'a>(
    source: impl Iterator<Item = Result<Event<'a>, DecodeError>>,
) -> (Vec<Event<'static>>, Option<DecodeError>) {
    let mut events = Vec::new();
    let mut depth = 0_usize;
    for event in source {
        match event {
            Ok(event) => {
                match event {
                    Event::Start { .. } => depth += 1,
                    Event::End => depth -= 1,
                    Event::Text(_) | Event::Opaque(_) => {}
                }
                events.push(owned(event));
            }
            Err(error) => {
                events.extend(std::iter::repeat_n(Event::End, depth));
                return (events, Some(error));
            }
        }
    }
    (events, None)
}

fn head(header: &Header<'_>, language: &str) -> Vec<(&'static str, String)> {
    let public_id = match &header.public_id {
        PublicId::Number(number) => format!("0x{number:04X}"),
        PublicId::Text(text) => text.clone().into_owned(),
    };
    vec![
        ("WBXML", format!("1.{}", header.version & 0x0F)),
        ("language", language.to_owned()),
        ("public id", public_id),
        ("charset", header.charset.name().to_owned()),
    ]
}

/// Text that can be shown: UTF-8 without control characters.
fn shown(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    xml::holds(text).then_some(text)
}

/// Text for a terminal.
pub(super) fn safe(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let control = c.is_control() && c != '\t';
            let (escape, plain) = if control {
                (Some(c.escape_unicode()), None)
            } else {
                (None, Some(c))
            };
            escape.into_iter().flatten().chain(plain)
        })
        .collect()
}

fn write_node(out: &mut String, node: &Node<'_>, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}{}", safe(&node.name));
    for attr in node.attrs {
        let _ = write!(out, " {}=\"{}\"", safe(&attr.name), safe(&attr.value));
    }
    let text = shown(&node.text);
    let blank = text.is_some_and(|text| text.trim().is_empty());
    // White space between tags is no content.
    let layout = !node.children.is_empty() || text.is_some_and(|text| text.contains(['\n', '\r']));
    match text {
        _ if blank && (layout || node.text.is_empty()) => out.push('\n'),
        Some(text)
            if !text.contains(['\n', '\r']) && text.len() <= 100 && node.children.is_empty() =>
        {
            let _ = writeln!(out, ": {}", safe(text));
        }
        Some(text) => {
            let _ = writeln!(out, ": {} octets", node.text.len());
            for line in text.lines() {
                let _ = writeln!(out, "{indent}  | {}", safe(line));
            }
        }
        None => {
            let _ = writeln!(out, ": {} octets, hex", node.text.len());
            for line in node.text.chunks(32) {
                let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02X}")).collect();
                let _ = writeln!(out, "{indent}  | {}", hex.join(" "));
            }
        }
    }
    for child in &node.children {
        write_node(out, child, depth + 1);
    }
}

fn json_node(node: &Node<'_>) -> Value {
    let mut value = json!({ "name": node.name });
    if !node.attrs.is_empty() {
        let attrs = node
            .attrs
            .iter()
            .map(|attr| (attr.name.clone().into_owned(), json!(attr.value)));
        value["attributes"] = Value::Object(attrs.collect());
    }
    match shown(&node.text) {
        Some(text)
            if text.trim().is_empty()
                && (text.is_empty()
                    || !node.children.is_empty()
                    || text.contains(['\n', '\r'])) => {}
        Some(text) => value["text"] = json!(text),
        None => {
            value["base64"] = json!(base64::engine::general_purpose::STANDARD.encode(&node.text))
        }
    }
    if !node.children.is_empty() {
        value["children"] = node.children.iter().map(json_node).collect();
    }
    value
}
