//! Folders as objects (OMA DS 1.2, `application/vnd.omads-folder+xml`).
//!
//! Element order: name created modified accessed attributes role Ext. A strict device takes no other order, no attribute and no
//! declaration.

use super::super::markup::{self, Element};
use super::object::{broken, extensions, local_zone, write_extension};
use super::{Extension, read_time, written_time};
use crate::content::{Component, ContentError, Kind, Property, ReadHint, Record, Value};

/// Characters of a folder's name.
const MAX_NAME: usize = 255;

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FolderRole {
    /// Mail that came.
    Inbox,
    /// Mail that is to be sent.
    Outbox,
    /// Mail that was sent.
    Sent,
    /// Mail that is being written.
    Drafts,
    /// Mail that was thrown away.
    Trash,
}

impl FolderRole {
    /// What people call a folder of the role.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::Outbox => "Outbox",
            Self::Sent => "Sent",
            Self::Drafts => "Drafts",
            Self::Trash => "Trash",
        }
    }

    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Inbox,
        Self::Outbox,
        Self::Sent,
        Self::Drafts,
        Self::Trash,
    ];

    /// The word of the element `role`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Trash => "deleted",
        }
    }

    /// From the word of the element `role`, in any case; also the other word for the trash.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name || (*role == Self::Trash && name == "trash"))
    }
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    /// What people call it.
    pub name: String,
    /// When it was made; seconds since 1970.
    pub created: Option<i64>,
    /// When it was changed; seconds since 1970.
    pub modified: Option<i64>,
    /// When somebody looked into it; seconds since 1970.
    pub accessed: Option<i64>,
    /// The letters of its attributes that are set: hidden, system, archived, deletable, writable, readable, executable
    /// (`h s a d w r x`).
    pub attributes: String,
    /// What it is for.
    pub role: Option<FolderRole>,
    /// What else is known of it.
    pub ext: Vec<Extension>,
}

/// Letters of attributes, in the order of the specification.
const ATTRIBUTES: [char; 7] = ['h', 's', 'a', 'd', 'w', 'r', 'x'];

impl Folder {
    /// A folder of that name.
    pub fn new(name: impl Into<String>, role: Option<FolderRole>) -> Self {
        Self {
            name: name.into(),
            role,
            ..Self::default()
        }
    }

    /// Reads the object, which is its stored form as well.
    pub fn read(body: &[u8]) -> Result<Self, ContentError> {
        Self::read_for(body, &ReadHint::default())
    }

    pub(super) fn read_for(body: &[u8], hint: &ReadHint<'_>) -> Result<Self, ContentError> {
        let element = markup::read(body).map_err(broken)?;
        if element.name != "folder" {
            return Err(ContentError::NotThisType);
        }
        let zone = local_zone(hint);
        let time = |name: &str| {
            element
                .text_of(name)
                .and_then(|text| read_time(&text, zone))
        };
        let name = super::head::clean(&element.text_of("name").unwrap_or_default());
        Ok(Self {
            name: name.chars().take(MAX_NAME).collect(),
            created: time("created"),
            modified: time("modified"),
            accessed: time("accessed"),
            attributes: element.child("attributes").map(letters).unwrap_or_default(),
            role: element
                .text_of("role")
                .and_then(|role| FolderRole::from_name(&role)),
            ext: extensions(&element),
        })
    }

    /// Writes the object.
    pub fn write(&self) -> Vec<u8> {
        let mut out = b"<Folder>".to_vec();
        markup::write_text(&mut out, "name", &self.name);
        for (name, time) in [
            ("created", self.created),
            ("modified", self.modified),
            ("accessed", self.accessed),
        ] {
            if let Some(time) = time {
                markup::write_text(&mut out, name, &written_time(time));
            }
        }
        if !self.attributes.is_empty() {
            out.extend_from_slice(b"<attributes>");
            for letter in ATTRIBUTES {
                if self.attributes.contains(letter) {
                    markup::write_text(&mut out, &letter.to_string(), "true");
                }
            }
            out.extend_from_slice(b"</attributes>");
        }
        if let Some(role) = self.role {
            markup::write_text(&mut out, "role", role.name());
        }
        for ext in &self.ext {
            write_extension(&mut out, ext);
        }
        out.extend_from_slice(b"</Folder>");
        out
    }

    /// The folder as a record.
    pub fn into_record(self) -> Record {
        let mut root = Component::new("FOLDER");
        let mut add = |name: &str, text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            root.properties
                .extend(text.map(|text| Property::text(name, text)));
        };
        add("NAME", Some(self.name));
        add("CREATED", self.created.map(written_time));
        add("MODIFIED", self.modified.map(written_time));
        add("ACCESSED", self.accessed.map(written_time));
        add("ATTRIBUTES", Some(self.attributes));
        add("ROLE", self.role.map(|role| role.name().to_owned()));
        root.properties
            .extend(self.ext.into_iter().map(Extension::into_property));
        Record {
            kind: Kind::Folder,
            root,
        }
    }

    /// The folder of a record; `None` for a record of another kind.
    pub fn of(record: &Record) -> Option<Self> {
        if record.kind != Kind::Folder {
            return None;
        }
        let text = |name: &str| record.root.text(name);
        let time = |name: &str| text(name).and_then(|text| read_time(text, chrono_tz::Tz::UTC));
        Some(Self {
            name: text("NAME").unwrap_or_default().to_owned(),
            created: time("CREATED"),
            modified: time("MODIFIED"),
            accessed: time("ACCESSED"),
            attributes: text("ATTRIBUTES").unwrap_or_default().to_owned(),
            role: text("ROLE").and_then(FolderRole::from_name),
            ext: record.root.all("EXT").filter_map(Extension::of).collect(),
        })
    }
}

/// The letters of the attributes that are set.
fn letters(attributes: &Element) -> String {
    let set = |letter: &char| {
        let child = attributes.child(&letter.to_string());
        child.is_some_and(|child| child.text().eq_ignore_ascii_case("true"))
    };
    ATTRIBUTES.into_iter().filter(set).collect()
}

/// What a folder's twin has too: its role, else its name.
pub(in crate::content) fn key(root: &Component) -> String {
    let text = |name: &str| root.text(name).unwrap_or_default().to_lowercase();
    match root.text("ROLE") {
        Some(role) => format!("role {role}"),
        None => format!("name {}", text("NAME")),
    }
}

/// A device's edit of a folder: what it told. A role stays.
pub(in crate::content) fn overlay(stored: &Record, incoming: &Record) -> Record {
    let mut root = stored.root.clone();
    for property in &incoming.root.properties {
        let keeps = matches!(property.name.as_str(), "ROLE" | "EXT") || property.value.is_blank();
        if !keeps || (property.name == "ROLE" && stored.root.property("ROLE").is_none()) {
            root.set(Property::new(
                property.name.clone(),
                Value::Text(property.value.as_text().unwrap_or_default().into()),
            ));
        }
    }
    Record {
        kind: stored.kind,
        root,
    }
}
