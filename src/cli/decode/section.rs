//! What is around a document, as sections with fields: as text, as XML and as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::tree::{Document, safe};
use crate::wbxml::{Attr, Event, Name};
use crate::xml;

/// One layer, or a part of one.
#[derive(Debug, Default)]
pub struct Section {
    /// What it is called in XML and JSON.
    key: &'static str,
    /// What it is called in text.
    title: String,
    fields: Vec<(Cow<'static, str>, Field)>,
    sections: Vec<Self>,
    document: Option<Document>,
    problems: Vec<String>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Number(u64),
    Text(String),
}

/// Octets as people read them.
pub(super) fn hex(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    pairs.join(" ")
}

impl Section {
    pub(super) fn new(key: &'static str, title: impl Into<String>) -> Self {
        Self {
            key,
            title: title.into(),
            ..Self::default()
        }
    }

    pub(super) fn text_field(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
    ) {
        self.fields.push((name.into(), Field::Text(text.into())));
    }

    pub(super) fn number(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<u64>) {
        self.fields.push((name.into(), Field::Number(value.into())));
    }

    pub(super) fn push(&mut self, section: Self) {
        self.sections.push(section);
    }

    pub(super) fn hold(&mut self, document: Document) {
        self.document = Some(document);
    }

    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// What could not be read, in this section and those within.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut all = self.problems.clone();
        if let Some(document) = &self.document {
            all.extend(document.problems().iter().map(ToString::to_string));
        }
        all.extend(self.sections.iter().flat_map(Self::problems));
        all
    }

    /// As an indented tree.
    pub(super) fn text(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let _ = writeln!(out, "{indent}{}", safe(&self.title));
        for (name, value) in &self.fields {
            let value = match value {
                Field::Number(number) => Cow::Owned(number.to_string()),
                Field::Text(text) => Cow::Borrowed(&**text),
            };
            let _ = writeln!(out, "{indent}  {}: {}", safe(name), safe(&value));
        }
        for section in &self.sections {
            section.text(out, depth + 1);
        }
        if let Some(document) = &self.document {
            for line in document.text().lines() {
                let _ = writeln!(out, "{indent}  {line}");
            }
        }
    }

    /// As JSON: fields by their names, sections in lists by their keys.
    pub(super) fn json(&self) -> Value {
        let mut map = Map::new();
        for (name, value) in &self.fields {
            let key = name.to_ascii_lowercase().replace([' ', '-'], "_");
            let value = match value {
                Field::Number(number) => json!(number),
                Field::Text(text) => json!(text),
            };
            map.insert(key, value);
        }
        for section in &self.sections {
            let list = map.entry(section.key).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(section.json());
            }
        }
        if let Some(document) = &self.document {
            map.insert("document".to_owned(), document.json());
        }
        if !self.problems.is_empty() {
            map.insert("errors".to_owned(), json!(self.problems));
        }
        Value::Object(map)
    }

    fn events(&self, out: &mut Vec<Event<'static>>) {
        let attrs = self.fields.iter().map(|(name, value)| Attr {
            name: Cow::Owned(name.to_ascii_lowercase().replace(' ', "-")),
            value: Cow::Owned(match value {
                Field::Number(number) => number.to_string(),
                Field::Text(text) => shown_in_xml(text),
            }),
        });
        out.push(Event::Start {
            name: Name::Text(Cow::Borrowed(self.key)),
            attrs: attrs.collect(),
        });
        for section in &self.sections {
            section.events(out);
        }
        if let Some(document) = &self.document {
            out.extend(document.events());
        }
        out.push(Event::End);
    }

    fn namespace(&self) -> Option<&'static str> {
        let mut sections = self.sections.iter();
        let own = self.document.as_ref().map(Document::namespace);
        own.or_else(|| sections.find_map(Self::namespace))
    }

    /// As plain XML.
    pub(super) fn xml(&self) -> String {
        let mut events = Vec::new();
        self.events(&mut events);
        xml::write(self.namespace(), events)
    }
}

/// XML has no place for control characters.
fn shown_in_xml(text: &str) -> String {
    if xml::holds(text) {
        text.to_owned()
    } else {
        safe(text)
    }
}
