//! One model for every kind of item, in the vocabulary of the modern forms.
//!
//! A [`Record`] is a tree of components and properties as vCard 3.0/4.0 (RFC 2426, 6350) and iCalendar (RFC 5545)
//! name them. Readers of the legacy forms (vCard 2.1, vCalendar 1.0, vNote) raise their input to this vocabulary,
//! writers lower it again. What a reader does not understand stays as a property with its name, parameters and value,
//! so nothing is lost between a phone that knows much and one that knows little.

/// What an item is about; decides which rules apply to it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person or organisation (VCARD).
    Contact,
    /// An appointment (VEVENT, with its exceptions).
    Event,
    /// A to-do (VTODO).
    Task,
    /// A plain note.
    Note,
}

/// One item, whatever the form it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the item is about.
    pub kind: Kind,
    /// `VCARD`, `VCALENDAR` (holding VEVENT or VTODO, and VTIMEZONE) or `VNOTE`, always upper case.
    pub root: Component,
}

/// A named group of properties and components between BEGIN and END.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// Upper case, such as `VEVENT`.
    pub name: String,
    /// In the order in which they came.
    pub properties: Vec<Property>,
    /// In the order in which they came.
    pub children: Vec<Component>,
}

/// One content line, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// `item1` in `item1.TEL`.
    pub group: Option<String>,
    /// Upper case, such as `TEL`.
    pub name: String,
    /// Without ENCODING and CHARSET: those belong to the wire, not to the meaning.
    pub params: Vec<Param>,
    /// The decoded value.
    pub value: Value,
}

/// One parameter of a property.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Param {
    /// Upper case, such as `TYPE`.
    pub name: String,
    /// TYPE values in upper case, others as they came; not empty strings.
    pub values: Vec<String>,
}

/// The decoded value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Unescaped text, a date, a rule: whatever is one string. Line breaks are `\n`.
    Text(String),
    /// Components of a structured value (N, ADR, ORG, GEO in vCards), each a list of values.
    Parts(Vec<Vec<String>>),
    /// Decoded binary (PHOTO, LOGO, SOUND, KEY, ATTACH).
    Binary(Vec<u8>),
}

impl Default for Value {
    fn default() -> Self {
        Self::Text(String::new())
    }
}
