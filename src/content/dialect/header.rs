//! Headers of lines as data: `TEL`, `TEL;VOICE;HOME`, `TEL;VOICE;X-MOT-POSITION=1`.

use std::fmt;
use std::str::FromStr;

use super::super::{Param, Property, Text};

/// Longest header in a rule, octets.
const MAX_OCTETS: usize = 200;

/// A property's name with TYPE values and parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Header {
    /// Upper case.
    pub name: Text,
    /// TYPE values, upper case, in the order in which they are written.
    pub types: Vec<Text>,
    /// Other parameters.
    pub params: Vec<(String, String)>,
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let mut segments = text.split(';');
        let name = segments.next().unwrap_or_default().to_ascii_uppercase();
        if !word(&name) || text.len() > MAX_OCTETS {
            return Err(format!(
                "{text:?} does not begin with the name of a property"
            ));
        }
        let mut header = Self {
            name: name.into(),
            types: Vec::new(),
            params: Vec::new(),
        };
        for segment in segments {
            match segment.split_once('=') {
                None if word(segment) => header.types.push(segment.to_ascii_uppercase().into()),
                Some((param, value)) if word(param) && word(value) => header
                    .params
                    .push((param.to_ascii_uppercase(), value.to_owned())),
                _ => return Err(format!("{segment:?} in {text:?} is no type or parameter")),
            }
        }
        Ok(header)
    }
}

impl TryFrom<String> for Header {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Header> for String {
    fn from(header: Header) -> Self {
        header.to_string()
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for kind in &self.types {
            write!(f, ";{kind}")?;
        }
        for (name, value) in &self.params {
            write!(f, ";{name}={value}")?;
        }
        Ok(())
    }
}

impl Header {
    /// Whether a property has this name and, among others perhaps, these types and parameters.
    pub(in super::super) fn covers(&self, property: &Property) -> bool {
        self.name == property.name
            && self.types.iter().all(|kind| property.has_type(kind))
            && self.has_params(property)
    }

    /// Whether a property has this name and exactly these types and at least these parameters.
    pub(super) fn is(&self, property: &Property) -> bool {
        self.covers(property)
            && property
                .param("TYPE")
                .iter()
                .all(|kind| self.types.contains(kind))
    }

    fn has_params(&self, property: &Property) -> bool {
        self.params.iter().all(|(name, wanted)| {
            property
                .param(name)
                .iter()
                .any(|value| value.eq_ignore_ascii_case(wanted))
        })
    }

    /// Gives a property this header; parameters that the header does not name stay.
    pub(super) fn put_on(&self, property: &mut Property) {
        property.name.clone_from(&self.name);
        property.remove_param("TYPE");
        if !self.types.is_empty() {
            property.params.insert(
                0,
                Param {
                    name: "TYPE".into(),
                    values: self.types.clone(),
                },
            );
        }
        for (name, value) in &self.params {
            property.remove_param(name);
            property.params.push(Param::one(name, value));
        }
    }

    /// A property of this header.
    pub(in super::super) fn property(&self, value: &str) -> Property {
        let mut property = Property::text(self.name.clone(), value);
        self.put_on(&mut property);
        property
    }
}
