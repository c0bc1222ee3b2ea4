//! One model for every kind of item, in the vocabulary of the modern forms.
//!
//! A [`Record`] is a tree of components and properties as vCard 3.0/4.0 (RFC 2426, 6350) and iCalendar (RFC 5545)
//! name them. Readers of the legacy forms (vCard 2.1, vCalendar 1.0, vNote) raise their input to this vocabulary,
//! writers lower it again. What a reader does not understand stays as a property with its name, parameters and value,
//! so nothing is lost between a phone that knows much and one that knows little.

use super::params::Params;

/// A string of a record. Most are short: those of up to 24 octets need no memory of their own.
pub type Text = compact_str::CompactString;

/// The values of one component of a structured value. One, the usual number, needs no memory of its own.
pub type Part = smallvec::SmallVec<[Text; 1]>;

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
    /// A mail.
    Mail,
    /// A folder of mail.
    Folder,
}

/// One item, whatever the form it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the item is about.
    pub kind: Kind,
    /// `VCARD`, `VCALENDAR` (holding VEVENT or VTODO, and VTIMEZONE), `VNOTE`, `EMAIL` or `FOLDER`, always upper case.
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
    pub children: Vec<Self>,
}

/// One content line, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// `item1` in `item1.TEL`.
    pub group: Option<String>,
    /// Upper case, such as `TEL`.
    pub name: Text,
    /// Without ENCODING and CHARSET: those belong to the wire, not to the meaning.
    pub params: Params,
    /// The decoded value.
    pub value: Value,
}

/// One parameter of a property.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Param {
    /// Upper case, such as `TYPE`.
    pub name: Text,
    /// TYPE values in upper case, others as they came; not empty strings.
    pub values: Vec<Text>,
}

/// The decoded value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Unescaped text, a date, a rule: whatever is one string. Line breaks are `\n`.
    Text(Text),
    /// Components of a structured value (N, ADR, ORG, GEO in vCards), each a list of values.
    Parts(Vec<Part>),
    /// Decoded binary (PHOTO, LOGO, SOUND, KEY, ATTACH).
    Binary(Vec<u8>),
}

impl Default for Value {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

impl Record {
    /// A note of that text, with `\n` for line breaks.
    pub fn note(text: impl Into<Text>) -> Self {
        let mut root = Component::new("VNOTE");
        root.properties.push(Property::text("BODY", text));
        Self {
            kind: Kind::Note,
            root,
        }
    }
}

impl Component {
    /// An empty component; `name` in upper case.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The first property of that name (upper case).
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties
            .iter()
            .find(|property| property.name == name)
    }

    /// The first property of that name (upper case), to change it.
    pub fn property_mut(&mut self, name: &str) -> Option<&mut Property> {
        self.properties
            .iter_mut()
            .find(|property| property.name == name)
    }

    /// All properties of that name (upper case).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties
            .iter()
            .filter(move |property| property.name == name)
    }

    /// The text of the first property of that name; none if there is none or it is no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.property(name)
            .and_then(|property| property.value.as_text())
    }

    /// The first direct child of that name (upper case).
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Replaces all properties of the new one's name by it.
    pub fn set(&mut self, property: Property) {
        self.properties.retain(|other| other.name != property.name);
        self.properties.push(property);
    }

    /// Takes away all properties of that name.
    pub fn remove(&mut self, name: &str) {
        self.properties.retain(|property| property.name != name);
    }
}

impl Property {
    /// A property without parameters; `name` in upper case.
    pub fn new(name: impl Into<Text>, value: Value) -> Self {
        Self {
            group: None,
            name: name.into(),
            params: Params::new(),
            value,
        }
    }

    /// A text property without parameters; `name` in upper case.
    pub fn text(name: impl Into<Text>, text: impl Into<Text>) -> Self {
        Self::new(name, Value::Text(text.into()))
    }

    /// The values of a parameter (upper case); empty if it is not there.
    pub fn param(&self, name: &str) -> &[Text] {
        self.params
            .iter()
            .find(|param| param.name == name)
            .map_or(&[], |param| &param.values)
    }

    /// The first value of a parameter (upper case).
    pub fn first_param(&self, name: &str) -> Option<&str> {
        self.param(name).first().map(Text::as_str)
    }

    /// Whether TYPE has that value (upper case).
    pub fn has_type(&self, name: &str) -> bool {
        self.param("TYPE").iter().any(|value| value == name)
    }

    /// Adds values to a parameter (upper case) that are not there yet.
    pub fn add_param(&mut self, name: &str, values: impl IntoIterator<Item = Text>) {
        let index = match self.params.iter().position(|param| param.name == name) {
            Some(index) => index,
            None => {
                self.params.push(Param {
                    name: name.into(),
                    values: Vec::new(),
                });
                self.params.len() - 1
            }
        };
        let present = &mut self.params[index].values;
        for value in values {
            if !present.contains(&value) {
                present.push(value);
            }
        }
        if present.is_empty() {
            self.params.remove(index);
        }
    }

    /// Takes a parameter (upper case) away.
    pub fn remove_param(&mut self, name: &str) {
        self.params.retain(|param| param.name != name);
    }
}

impl Param {
    /// A parameter of one value; `name` in upper case.
    pub fn one(name: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            values: vec![value.into()],
        }
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Parts(_) | Self::Binary(_) => None,
        }
    }

    /// A structured value of one value in each part.
    pub fn structure<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Parts(
            parts
                .into_iter()
                .map(|part| Part::from_elem(part.into(), 1))
                .collect(),
        )
    }

    /// A list: one part with many values.
    pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Parts(vec![values.into_iter().map(Text::from).collect()])
    }

    /// All texts in it, in order; none for binary data.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, many): (Option<&str>, &[Part]) = match self {
            Self::Text(text) => (Some(text), &[]),
            Self::Parts(parts) => (None, parts),
            Self::Binary(_) => (None, &[]),
        };
        one.into_iter()
            .chain(many.iter().flatten().map(Text::as_str))
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Binary(bytes) => bytes.is_empty(),
            _ => self.texts().all(|text| text.trim().is_empty()),
        }
    }
}
