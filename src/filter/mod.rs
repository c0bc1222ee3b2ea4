//! Filters: which items, and which of their fields, a device wants (SyncML Sync Protocol 1.1 section 2.6, target address
//! filtering; OMA DS 1.2, Filter with Record and Field).
//!
//! `grammar` reads the CGI form (`syncml:filtertype-cgi`), which is the same on an address and in a Record; `evaluate` tells
//! whether an item passes. What a filter does to a sync is the session's business.
//!
//! Pure, like all that decides. Invariants: sizes, terms and depth of an expression are bounded where it is read; the
//! canonical text of an expression reads back as the same expression, so that two filters are equal if their texts are.

mod evaluate;
mod grammar;
#[cfg(test)]
mod tests;

pub use evaluate::Subject;
pub use grammar::{MAX_TERMS, MAX_TEXT};

use crate::content::{Kind, PropertyCapability, Time};

/// Fields that a filter may name.
pub const MAX_FIELDS: usize = 256;

/// The type of the grammar, as DevInf and the Item of a Record name it.
pub const GRAMMAR: &str = "syncml:filtertype-cgi";
/// The version of the grammar.
pub const GRAMMAR_VERSION: &str = "1.0";

/// What becomes of an item that does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterType {
    /// The device wants the items that pass and no others: what it has and does not pass leaves it.
    Exclusive,
    /// The device wants the items that pass beside those that it has.
    Inclusive,
}

impl FilterType {
    /// Reads FilterType, in any case; absent it is EXCLUSIVE.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text.map(str::trim) {
            None | Some("") => Some(Self::Exclusive),
            Some(text) if text.eq_ignore_ascii_case("EXCLUSIVE") => Some(Self::Exclusive),
            Some(text) if text.eq_ignore_ascii_case("INCLUSIVE") => Some(Self::Inclusive),
            Some(_) => None,
        }
    }

    /// As FilterType has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclusive => "EXCLUSIVE",
            Self::Inclusive => "INCLUSIVE",
        }
    }
}

/// Which items and fields a device wants of a datastore.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Filter {
    /// What becomes of the others.
    pub kind: FilterType,
    /// Which items; all if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Expression>,
    /// Which fields; all if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<PropertyCapability>>,
}

impl Filter {
    /// The text form, in which a view keeps it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a filter has string keys only")
    }

    /// From the text form; `None` if it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether an item passes.
    pub fn passes(&self, subject: &Subject<'_>) -> bool {
        self.record
            .as_ref()
            .is_none_or(|expression| expression.matches(subject))
    }
}

/// Why a filter is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text does not follow the grammar (Status 422). Offset in octets.
    #[error("the filter cannot be read at octet {0}: {1}")]
    Grammar(usize, &'static str),
    /// The text is fine, but asks for what is not done here (Status 406).
    #[error("the filter asks for {0}, which is not supported")]
    Unsupported(String),
}

/// A condition on items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All of them hold (`&AND;`).
    All(Vec<Self>),
    /// One of them holds (`&OR;`).
    Any(Vec<Self>),
    /// A property compares.
    Compare(Comparison),
    /// The item takes place within a window of time (SINCE, BEFORE).
    Window {
        /// SINCE: not over before this.
        since: Option<Time>,
        /// BEFORE: begins before this.
        before: Option<Time>,
    },
    /// The item's body has at most so many octets (MAXSIZE).
    MaxSize(u64),
    /// The item is of a kind (`EVENT`, `TODO`).
    Kind(Kind),
}

/// A property, an operator and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub field: Field,
    /// How.
    pub operator: Operator,
    /// Upper and lower case are the same (the `i` before the operator).
    pub fold: bool,
    /// With what; `None` is `&NULL;`.
    pub value: Option<String>,
}

impl Comparison {
    /// What a comparison with the time of change says.
    fn modified(&self) -> Option<&str> {
        let named = matches!(&self.field, Field::Property(name, _) if name == "MODIFIED");
        self.value
            .as_deref()
            .filter(|_| named && self.operator == Operator::Equal)
    }
}

/// The left side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The device's id of the item (`&LUID;`).
    Luid,
    /// The server's id of the item (`GUID`).
    Guid,
    /// A property by its name in upper case; if a number stands with it, only its nth occurrence, counted from 1.
    Property(String, Option<u16>),
}

/// The operators of the grammar, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `&EQ;`
    Equal,
    /// `&NE;`: not `&EQ;`, so true for an item without the property.
    NotEqual,
    /// `&GT;`
    Greater,
    /// `&GE;`
    GreaterOrEqual,
    /// `&LT;`
    Less,
    /// `&LE;`
    LessOrEqual,
    /// `&CON;`
    Contains,
    /// `&NCON;`: not `&CON;`.
    NotContains,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Contains,
        Self::NotContains,
    ];

    /// The name between `&` and `;`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "EQ",
            Self::NotEqual => "NE",
            Self::Greater => "GT",
            Self::GreaterOrEqual => "GE",
            Self::Less => "LT",
            Self::LessOrEqual => "LE",
            Self::Contains => "CON",
            Self::NotContains => "NCON",
        }
    }
}

/// What the CGI part of a datastore's address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// There is none, or it says nothing about items (`?x=y`).
    Plain,
    /// Only this kind of item (`?TODO`, `?EVENT`).
    Kind(Kind),
    /// A filter.
    Filtered(Expression),
}

impl Address {
    /// Reads the part of an address behind its question mark.
    pub fn read(uri: &str) -> Result<Self, FilterError> {
        let Some((_, cgi)) = uri.split_once('?') else {
            return Ok(Self::Plain);
        };
        let cgi = cgi.trim();
        match cgi.to_ascii_uppercase().as_str() {
            "TODO" | "VTODO" => return Ok(Self::Kind(Kind::Task)),
            "EVENT" | "VEVENT" => return Ok(Self::Kind(Kind::Event)),
            _ => {}
        }
        // An operator is what makes it a filter; others put their own options there.
        if !grammar::has_operator(cgi) {
            return Ok(Self::Plain);
        }
        Expression::parse(cgi).map(|expression| expression.map_or(Self::Plain, Self::Filtered))
    }
}

impl Expression {
    /// The same as it is meant for mail: clients write `modified&EQ;` and mean since then, or `all`. `None`: all items pass.
    #[must_use]
    pub fn for_mail(self) -> Option<Self> {
        match self {
            Self::All(list) => {
                let mut list: Vec<Self> = list.into_iter().filter_map(Self::for_mail).collect();
                match list.len() {
                    0 | 1 => list.pop(),
                    _ => Some(Self::All(list)),
                }
            }
            Self::Any(list) => {
                let list: Option<Vec<Self>> = list.into_iter().map(Self::for_mail).collect();
                list.map(Self::Any)
            }
            Self::Compare(comparison) => match comparison.modified() {
                Some("all") => None,
                Some(text) => match Time::parse(text) {
                    Some(time) => Some(Self::Window {
                        since: Some(time),
                        before: None,
                    }),
                    None => Some(Self::Compare(comparison)),
                },
                None => Some(Self::Compare(comparison)),
            },
            other => Some(other),
        }
    }

    /// Whether it names single items by their ids.
    pub fn names_items(&self) -> bool {
        let named = |field: &&Field| matches!(field, Field::Luid | Field::Guid);
        self.fields().iter().any(named)
    }

    /// Whether it looks at the times of items (SINCE, BEFORE), which only events, tasks and mails have.
    pub fn has_window(&self) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().any(Self::has_window),
            Self::Window { .. } => true,
            _ => false,
        }
    }

    /// The fields that it compares, in order.
    pub fn fields(&self) -> Vec<&Field> {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::fields).collect(),
            Self::Compare(comparison) => vec![&comparison.field],
            _ => Vec::new(),
        }
    }
}

impl serde::Serialize for Expression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        match Self::parse(&text) {
            Ok(Some(expression)) => Ok(expression),
            Ok(None) => Err(serde::de::Error::custom("an empty filter")),
            Err(error) => Err(serde::de::Error::custom(error)),
        }
    }
}
