//! What the mapping needs of a carrier to write a message.

use std::borrow::Cow;

use super::super::{Command, DevInf, PropertyInfo};
use super::{Form, devinf};
use crate::wbxml::tables::{self, Tag};
use crate::wbxml::{Output, Writer as WbxmlWriter};
use crate::xml::Writer as XmlWriter;

/// Puts a document together.
pub(super) trait Sink {
    /// An element with content begins.
    fn open(&mut self, tag: Tag);
    /// It ends.
    fn close(&mut self, tag: Tag);
    /// An element without content.
    fn empty(&mut self, tag: Tag);
    /// Text of the open element.
    fn text(&mut self, text: &str);
    /// Item data of the open element.
    fn data(&mut self, bytes: &[u8]);
    /// Octets can be data as they are; if not they have to be written as base64.
    fn holds(&self, bytes: &[u8]) -> bool;
    /// DevInf of 1.0 or 1.1 follows, in which XML has another name for MaxSize.
    fn old_devinf(&mut self, old: bool);
    /// A DevInf document as content of the open element.
    fn devinf(&mut self, devinf: &DevInf<'_>);
    /// Property elements of DevInf as content of the open element.
    fn properties(&mut self, properties: &[PropertyInfo<'_>]);
    /// An element that no table names begins.
    fn open_named(&mut self, name: &str);
    /// It ends.
    fn close_named(&mut self, name: &str);

    /// An element with text.
    #[inline]
    fn leaf(&mut self, tag: Tag, text: &str) {
        if text.is_empty() {
            return self.empty(tag);
        }
        self.open(tag);
        self.text(text);
        self.close(tag);
    }

    /// An element with text, if there is one.
    #[inline]
    fn leaf_if(&mut self, tag: Tag, text: Option<&Cow<'_, str>>) {
        if let Some(text) = text {
            self.leaf(tag, text);
        }
    }

    /// An element with a number.
    fn number(&mut self, tag: Tag, mut value: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.leaf(tag, std::str::from_utf8(&digits[at..]).unwrap_or_default());
    }

    /// An element with a number, if there is one.
    #[inline]
    fn number_if(&mut self, tag: Tag, value: Option<u64>) {
        if let Some(value) = value {
            self.number(tag, value);
        }
    }

    /// An element that is there or not.
    #[inline]
    fn flag(&mut self, tag: Tag, set: bool) {
        if set {
            self.empty(tag);
        }
    }
}

/// Names of elements that have no code, as they go to the string table.
#[derive(Debug, Default)]
pub(super) struct Names<'m>(Vec<&'m str>);

impl Names<'_> {
    /// The string table.
    pub(super) fn table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        for name in &self.0 {
            table.extend_from_slice(name.as_bytes());
            table.push(0);
        }
        table
    }

    /// More than the string table can add to a message by itself: its length and the indexes into it.
    pub(super) fn octets(&self) -> usize {
        self.0.iter().map(|name| name.len() + 8).sum()
    }

    fn index(&self, name: &str) -> u32 {
        let before = self.0.iter().take_while(|known| **known != name);
        before.map(|known| known.len() as u32 + 1).sum()
    }
}

/// The names that a list of commands needs.
pub(super) fn names<'m>(commands: &'m [Command<'_>]) -> Names<'m> {
    fn collect<'m>(commands: &'m [Command<'_>], names: &mut Vec<&'m str>) {
        for command in commands {
            match command {
                Command::Unknown { name, .. }
                    if super::known(name).is_none() && !names.contains(&&**name) =>
                {
                    names.push(name)
                }
                Command::Sync(sync) => collect(&sync.commands, names),
                Command::Group(group) => collect(&group.commands, names),
                _ => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(commands, &mut names);
    Names(names)
}

/// Into WBXML.
pub(super) struct Wbxml<'f, O> {
    writer: WbxmlWriter<O>,
    form: &'f Form,
    names: &'f Names<'f>,
}

impl<'f, O: Output> Wbxml<'f, O> {
    pub(super) const fn new(writer: WbxmlWriter<O>, form: &'f Form, names: &'f Names<'f>) -> Self {
        Self {
            writer,
            form,
            names,
        }
    }

    pub(super) fn finish(self) -> O {
        self.writer.finish()
    }
}

/// Writes a DevInf document with its own header.
pub(super) fn devinf_document<O: Output>(out: O, devinf: &DevInf<'_>, form: &Form) -> O {
    let writer = WbxmlWriter::new(out, &tables::DEVINF, form.devinf_public_id());
    let names = Names::default();
    let mut sink = Wbxml::new(writer, form, &names);
    devinf::write(&mut sink, devinf, form.version);
    sink.finish()
}

/// Writes properties as a document with its own header: one CTCap.
fn properties_document<O: Output>(out: O, properties: &[PropertyInfo<'_>], form: &Form) -> O {
    let writer = WbxmlWriter::new(out, &tables::DEVINF, form.devinf_public_id());
    let names = Names::default();
    let mut sink = Wbxml::new(writer, form, &names);
    sink.open(tables::devinf::CT_CAP);
    devinf::write_properties(&mut sink, properties);
    sink.close(tables::devinf::CT_CAP);
    sink.finish()
}

impl<O: Output> Sink for Wbxml<'_, O> {
    #[inline]
    fn open(&mut self, tag: Tag) {
        self.writer.start(tag, true);
    }

    #[inline]
    fn close(&mut self, _: Tag) {
        self.writer.end();
    }

    #[inline]
    fn empty(&mut self, tag: Tag) {
        self.writer.start(tag, false);
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.writer.text(text.as_bytes());
    }

    #[inline]
    fn data(&mut self, bytes: &[u8]) {
        self.writer.opaque(bytes);
    }

    #[inline]
    fn holds(&self, _: &[u8]) -> bool {
        true
    }

    fn old_devinf(&mut self, _: bool) {}

    fn devinf(&mut self, devinf: &DevInf<'_>) {
        let length = devinf_document(0_usize, devinf, self.form);
        self.writer.opaque_head(length);
        devinf_document(Through(self.writer.out()), devinf, self.form);
    }

    fn properties(&mut self, properties: &[PropertyInfo<'_>]) {
        let length = properties_document(0_usize, properties, self.form);
        self.writer.opaque_head(length);
        properties_document(Through(self.writer.out()), properties, self.form);
    }

    fn open_named(&mut self, name: &str) {
        self.writer.literal(self.names.index(name), true);
    }

    fn close_named(&mut self, _: &str) {
        self.writer.end();
    }
}

/// An output within another document.
struct Through<'o, O>(&'o mut O);

impl<O: Output> Output for Through<'_, O> {
    #[inline]
    fn octet(&mut self, byte: u8) {
        self.0.octet(byte);
    }

    #[inline]
    fn octets(&mut self, bytes: &[u8]) {
        self.0.octets(bytes);
    }
}

/// Into XML.
pub(super) struct Xml<'f, O> {
    writer: XmlWriter<O>,
    form: &'f Form,
}

impl<'f, O: Output> Xml<'f, O> {
    pub(super) const fn new(writer: XmlWriter<O>, form: &'f Form) -> Self {
        Self { writer, form }
    }

    pub(super) fn finish(self) -> O {
        self.writer.finish()
    }
}

impl<O: Output> Sink for Xml<'_, O> {
    fn open(&mut self, tag: Tag) {
        self.writer.start(tag, true);
    }

    fn close(&mut self, tag: Tag) {
        self.writer.end(tag);
    }

    fn empty(&mut self, tag: Tag) {
        self.writer.start(tag, false);
    }

    fn text(&mut self, text: &str) {
        self.writer.text(text, false);
    }

    fn data(&mut self, bytes: &[u8]) {
        self.writer.text(&crate::wbxml::lenient_utf8(bytes), true);
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(crate::xml::holds)
    }

    fn old_devinf(&mut self, old: bool) {
        self.writer.old_size(old);
    }

    fn devinf(&mut self, devinf: &DevInf<'_>) {
        devinf::write(self, devinf, self.form.version);
    }

    fn properties(&mut self, properties: &[PropertyInfo<'_>]) {
        self.writer.old_size(false);
        devinf::write_properties(self, properties);
    }

    fn open_named(&mut self, name: &str) {
        self.writer.start_named(name, &[], true);
    }

    fn close_named(&mut self, name: &str) {
        self.writer.end_named(name);
    }
}
