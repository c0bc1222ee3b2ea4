//! SIF-N: notes, with the place and colour that Outlook gives them.

use super::{Document, read_plain, table};
use crate::content::markup::Element;
use crate::content::{Component, Format, Property, note};

/// Raises a note.
pub(super) fn read(object: &Element) -> Component {
    let mut root = Component::new("VNOTE");
    for element in &object.children {
        read_plain(element, Format::SifNote, &mut root);
    }
    if root.property("BODY").is_none() {
        root.properties.push(Property::text("BODY", ""));
    }
    note::tidy(&mut root);
    root
}

/// Writes a note. Outlook shows a note by its subject, which is its first line.
pub(super) fn write(root: &Component, out: &mut Document<'_>) {
    out.begin("note");
    for field in table::NOTE {
        if field.name == "Subject" && root.property("SUMMARY").is_none() {
            let title = note::title(root);
            if let Some(title) = out.fitted("SUMMARY", &title) {
                out.field(field.name, title);
            }
            continue;
        }
        out.plain(field, root);
    }
}
