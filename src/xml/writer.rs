//! Events to text.

use std::borrow::Cow;
use std::io;

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as XmlEvent};

use crate::wbxml::tables::{devinf, metinf, syncml};
use crate::wbxml::{Event, Name, Output, Tag, lenient_utf8};

/// The octets of a document on their way to an [`Output`].
#[derive(Debug)]
struct Sink<O>(O);

impl<O: Output> io::Write for Sink<O> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.octets(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.octets(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes elements and text; says the namespace where it changes.
pub(crate) struct Writer<O> {
    inner: quick_xml::Writer<Sink<O>>,
    /// Default namespace of each open element, as space.
    spaces: Vec<u8>,
    /// Namespace of SyncML elements, if it is to be said.
    namespace: Option<&'static str>,
    /// DevInf's MaxSize is called Size.
    old_size: bool,
}

impl<O: Output> Writer<O> {
    /// Writes the declaration.
    pub(crate) fn new(out: O, namespace: Option<&'static str>) -> Self {
        let mut writer = Self::resume(out, namespace, None);
        writer.event(XmlEvent::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        writer
    }

    /// Goes on in the middle of a document; `space` is that of the parent.
    pub(crate) fn resume(out: O, namespace: Option<&'static str>, space: Option<u8>) -> Self {
        Self {
            inner: quick_xml::Writer::new(Sink(out)),
            spaces: Vec::from_iter(space),
            namespace,
            old_size: false,
        }
    }

    /// DevInf of 1.0 or 1.1 follows, in which MaxSize is called Size; or not.
    pub(crate) const fn old_size(&mut self, old: bool) {
        self.old_size = old;
    }

    fn event(&mut self, event: XmlEvent<'_>) {
        self.inner
            .write_event(event)
            .expect("writing to memory does not fail");
    }

    fn name(&self, tag: Tag) -> Cow<'static, str> {
        if tag == devinf::MAX_SIZE && self.old_size {
            return Cow::Borrowed("Size");
        }
        tag.text()
    }

    /// An element begins, and has content or not.
    pub(crate) fn start(&mut self, tag: Tag, content: bool) {
        let name = self.name(tag);
        let mut start = BytesStart::new(name);
        if self.spaces.last() != Some(&tag.space()) {
            match tag.space() {
                syncml::SPACE => {
                    start.extend_attributes(self.namespace.map(|namespace| ("xmlns", namespace)))
                }
                metinf::SPACE => start.extend_attributes([("xmlns", "syncml:metinf")]),
                devinf::SPACE => start.extend_attributes([("xmlns", "syncml:devinf")]),
                _ => &mut start,
            };
        }
        if content {
            self.spaces.push(tag.space());
            self.event(XmlEvent::Start(start));
        } else {
            self.event(XmlEvent::Empty(start));
        }
    }

    /// An element that no table names begins; characters that a name cannot have become `_`.
    pub(crate) fn start_named(&mut self, name: &str, attrs: &[(&str, &str)], content: bool) {
        let name = valid_name(name);
        let mut start = BytesStart::new(&*name);
        for (key, value) in attrs {
            start.push_attribute((&*valid_name(key), *value));
        }
        if content {
            self.spaces
                .push(self.spaces.last().copied().unwrap_or(syncml::SPACE));
            self.event(XmlEvent::Start(start));
        } else {
            self.event(XmlEvent::Empty(start));
        }
    }

    /// An element ends.
    pub(crate) fn end(&mut self, tag: Tag) {
        self.spaces.pop();
        let name = self.name(tag);
        self.event(XmlEvent::End(BytesEnd::new(name)));
    }

    /// An element that no table names ends.
    pub(crate) fn end_named(&mut self, name: &str) {
        self.spaces.pop();
        let name = valid_name(name);
        self.event(XmlEvent::End(BytesEnd::new(&*name)));
    }

    /// Text; carriage returns as references, white space at its beginning, and line feeds too unless `lines`. What XML cannot hold becomes U+FFFD.
    pub(crate) fn text(&mut self, text: &str, lines: bool) {
        let bytes = text.as_bytes();
        let mut from = 0;
        // Parsers that skip white space after a tag skip no reference: a part of an item may begin with any character.
        let first = match bytes.first() {
            Some(b' ') => "&#32;",
            Some(b'\t') => "&#9;",
            Some(b'\n') => "&#10;",
            _ => "",
        };
        if !first.is_empty() {
            self.raw(first);
            from = 1;
        }
        for (at, &byte) in bytes.iter().enumerate().skip(from) {
            if !SPECIAL[usize::from(byte)] {
                continue;
            }
            let replacement = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'\r' => "&#13;",
                b'\n' if lines => continue,
                b'\n' => "&#10;",
                _ => "\u{FFFD}",
            };
            self.raw(&text[from..at]);
            self.raw(replacement);
            from = at + 1;
        }
        self.raw(&text[from..]);
    }

    #[inline]
    fn raw(&mut self, text: &str) {
        if !text.is_empty() {
            self.event(XmlEvent::Text(BytesText::from_escaped(text)));
        }
    }

    /// What was written.
    pub(crate) fn finish(self) -> O {
        self.inner.into_inner().0
    }
}

/// XML can hold the text: there are no control characters in it but tabs and line ends, and no U+FFFE and U+FFFF.
pub fn holds(text: &str) -> bool {
    let bytes = text.as_bytes();
    let controls = |&byte: &u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let mut specials = memchr::memmem::find_iter(bytes, b"\xEF\xBF");
    !bytes.iter().any(controls)
        && specials.all(|at| !matches!(bytes.get(at + 2), Some(0xBE | 0xBF)))
}

/// Octets that text cannot hold as they are.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = byte != b'\t' as usize;
        byte += 1;
    }
    special[b'&' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special
};

/// A name that XML takes.
fn valid_name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = |c: char| c.is_alphabetic() || c == '_';
    if name.starts_with(begins) && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let mut valid: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if !valid.starts_with(begins) {
        valid.insert(0, '_');
    }
    Cow::Owned(valid)
}

/// Writes a document: opaque data as text, namespaces where they change. Elements of SyncML are written without
/// attributes, because it has none.
///
/// `namespace` is that of SyncML elements, if it is to be said. Events after an end without a start are left out, and
/// open elements are closed.
pub fn write<'a>(
    namespace: Option<&'static str>,
    events: impl IntoIterator<Item = Event<'a>>,
) -> String {
    let mut writer = Writer::new(Vec::new(), namespace);
    let mut open = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::Start { name, attrs } => {
                let empty = matches!(events.peek(), Some(Event::End));
                match &name {
                    Name::Tag(tag) if is_syncml(*tag) => writer.start(*tag, !empty),
                    other => {
                        let attrs: Vec<_> = attrs
                            .iter()
                            .map(|attr| (&*attr.name, &*attr.value))
                            .collect();
                        writer.start_named(&other.text(), &attrs, !empty);
                    }
                }
                if empty {
                    events.next();
                } else {
                    open.push(name);
                }
            }
            Event::Text(_) | Event::Opaque(_) => {
                let text = match &event {
                    Event::Text(text) => Cow::Borrowed(&**text),
                    Event::Opaque(bytes) => lenient_utf8(bytes),
                    _ => Cow::Borrowed(""),
                };
                if open.last() == Some(&Name::Tag(devinf::VER_DTD)) {
                    writer.old_size(matches!(text.trim(), "1.0" | "1.1"));
                }
                writer.text(&text, true);
            }
            Event::End => match open.pop() {
                Some(name) => close(&mut writer, &name),
                None => break,
            },
        }
    }
    while let Some(name) = open.pop() {
        close(&mut writer, &name);
    }
    String::from_utf8(writer.finish()).unwrap_or_default()
}

/// An element of the document types that have namespaces and no attributes.
fn is_syncml(tag: Tag) -> bool {
    tag.space() <= devinf::SPACE && tag.name().is_some()
}

fn close(writer: &mut Writer<Vec<u8>>, name: &Name<'_>) {
    match name {
        Name::Tag(tag) if is_syncml(*tag) => writer.end(*tag),
        other => writer.end_named(&other.text()),
    }
}
