//! What a phone keeps of an item, how it writes it, and what it does wrong: data of a phone model.

use std::borrow::Cow;

use encoding_rs::UTF_8;
use serde::Deserialize;

use super::line;

/// How a phone reads and writes lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Writing {
    /// Character set of what it writes, and of what comes without a CHARSET parameter.
    pub charset: String,
    /// A CHARSET parameter of what comes is obeyed.
    pub reads_charset_parameter: bool,
    /// Texts that are not ASCII have a CHARSET parameter.
    pub writes_charset_parameter: bool,
    /// Octets above 127 are written as quoted-printable.
    pub quotes_8_bit: bool,
    /// Long lines are broken.
    pub breaks_lines: bool,
    /// Folded lines and soft line breaks of what comes are put together again; else the rest is lost.
    pub reads_broken_lines: bool,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            charset: "UTF-8".to_owned(),
            reads_charset_parameter: true,
            writes_charset_parameter: true,
            quotes_8_bit: true,
            breaks_lines: true,
            reads_broken_lines: true,
        }
    }
}

impl Writing {
    pub(super) fn label(&self) -> &str {
        &self.charset
    }

    /// Text of octets, and whether they were misread for the lack of a charset that the phone obeys.
    pub(super) fn decode(
        &self,
        octets: &[u8],
        named: Option<&str>,
        modern: bool,
    ) -> (String, bool) {
        let own = if modern {
            UTF_8
        } else {
            line::encoding(&self.charset).unwrap_or(UTF_8)
        };
        let meant = named.and_then(line::encoding);
        let used = meant
            .filter(|_| self.reads_charset_parameter)
            .unwrap_or(own);
        let text = used.decode_without_bom_handling(octets).0.into_owned();
        let foreign = match meant {
            Some(meant) => meant != used,
            None => used != UTF_8 && std::str::from_utf8(octets).is_ok(),
        };
        (text, foreign && !octets.is_ascii())
    }

    /// Octets of a text in the phone's charset; characters that it has not become `?`.
    pub(super) fn encode<'a>(&self, text: &'a str, modern: bool) -> Cow<'a, [u8]> {
        let own = line::encoding(&self.charset).unwrap_or(UTF_8);
        if modern || own == UTF_8 || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut octets = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        for c in text.chars() {
            let (encoded, _, lost) = own.encode(c.encode_utf8(&mut buffer));
            if lost {
                octets.push(b'?');
            } else {
                octets.extend_from_slice(&encoded);
            }
        }
        Cow::Owned(octets)
    }
}

/// How a phone takes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// UTC and local times are understood.
    #[default]
    Utc,
    /// Times are local whatever stands there.
    Local,
    /// Times are written without zone and mean UTC.
    UtcWithoutMark,
    /// UTC is converted with the zone's offset of now, not of the day in question; local times are understood.
    OffsetOfNow,
    /// UTC is converted with the zone's standard offset, in summer too; local times are understood.
    StandardOffset,
}

impl Times {
    /// UTC is converted, and not as it should be.
    pub(super) const fn converts(self) -> bool {
        matches!(self, Self::OffsetOfNow | Self::StandardOffset)
    }
}

/// How a phone takes alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarms {
    /// Any form.
    #[default]
    Any,
    /// A bare time only: `AALARM:20070601T084500`.
    BareTime,
    /// DALARM only.
    Display,
    /// UTC times only.
    UtcOnly,
}

/// A kind of a property that a phone has fields for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Types that the field stands for, such as `["FAX", "HOME"]`; none for the field of all others.
    #[serde(default)]
    pub types: Vec<String>,
    /// How many there are.
    #[serde(default = "one")]
    pub count: usize,
}

const fn one() -> usize {
    1
}

/// A line that the phone adds to a component that has none of that name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addition {
    /// Component, such as `VEVENT`.
    pub component: String,
    /// Name of the line.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A property that a phone must not get.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poison {
    /// Component, such as `VTODO`; any if none.
    pub component: Option<String>,
    /// Property; `*` for any.
    pub name: String,
    /// It breaks the phone only when it is empty.
    #[serde(default)]
    pub empty: bool,
}

/// One field of a phone by its property.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The property, such as `TEL`.
    pub name: String,
    /// Longest text, in characters.
    pub size: Option<usize>,
    /// Most occurrences.
    pub occurs: Option<usize>,
}

/// What a phone makes of the items of one datastore.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// How lines are read and written.
    pub writing: Writing,
    /// How times are taken.
    pub times: Times,
    /// How alarms are taken.
    pub alarms: Alarms,
    /// Fields that the phone has, beyond or against its DevInf. Empty: those of its DevInf.
    pub fields: Vec<Field>,
    /// The sizes of the DevInf are no limits.
    pub sizes_are_not_meant: bool,
    /// Slots of properties that have a fixed number of fields by kind.
    pub slots: std::collections::BTreeMap<String, Vec<Slot>>,
    /// Parts of N that are kept (of the five).
    pub name_parts: Option<usize>,
    /// An N with empty parts at its end is garbled.
    pub garbles_empty_name_parts: bool,
    /// The part of ADR (from 0) that the phone shows as the street.
    pub street_part: Option<usize>,
    /// Numbers keep digits and `+` only.
    pub digits_only: bool,
    /// Fields that are absent or empty in a Replace stay as they were.
    pub keeps_absent: bool,
    /// Empty properties are written for the fields that are empty.
    pub writes_empty: Vec<String>,
    /// Properties that break the phone.
    pub breaks_on: Vec<Poison>,
    /// An item without any of these is refused.
    pub needs_one_of: Vec<String>,
    /// Types without which a property is lost, such as EMAIL without INTERNET.
    pub lost_without_type: std::collections::BTreeMap<String, String>,
    /// Types with which a property is lost, such as PREF of TEL.
    pub lost_with_type: std::collections::BTreeMap<String, String>,
    /// A picture whose line names its TYPE is lost.
    pub loses_typed_photo: bool,
    /// A recurrence with an end date is lost.
    pub loses_bounded_recurrence: bool,
    /// First year that the phone's calendar knows.
    pub first_year: Option<u16>,
    /// Categories are written with this before them.
    pub category_prefix: Option<String>,
    /// UID is the LUID in what the phone sends, whatever it got.
    pub uid_is_luid: bool,
    /// The content type under which the phone sends its items, whatever form they have.
    pub label: Option<String>,
    /// Name of a line that tells whether it is summer now, with its values in summer and winter.
    pub season_mark: Option<[String; 3]>,
    /// Lines that the phone adds.
    pub adds: Vec<Addition>,
    /// Items are SIF documents, in base64: the phone is a program that keeps Outlook's fields.
    pub sif: bool,
    /// Longest plain text, in characters.
    pub text_size: Option<usize>,
}
