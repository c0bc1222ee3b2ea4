//! How much of a mail a device gets, and in which form: the bridge from what a session wants to the octets that go out.

use super::fields::BodyCoding;
use super::letters::Letters;
use super::object::{self, Left};
use super::parts::parts;
use super::small::{self, Small, Style};
use super::{Extension, octets};
use crate::content::{Component, Dialect, Format, PropertyCapability, Target};

/// Octets of a mail's text that a device gets if nothing else is said.
const BODY_OCTETS: u64 = 4_096;
/// Attachments that Ext elements name.
const MAX_NAMED: usize = 30;

/// What of a mail is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// Its state alone, for a device that has the rest.
    Flags,
    /// The fields that a phone needs, and no text.
    Header,
    /// The text too, cut at a limit; attachments are named.
    #[default]
    Text,
    /// Attachments too, as far as there is room for them.
    Whole,
    /// The message as it came.
    Original,
}

/// How much of a mail is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What.
    pub extent: Extent,
    /// Octets of its text at most, in the device's charset.
    pub body_octets: u64,
    /// Octets of its attachments at most, decoded.
    pub attachment_octets: u64,
    /// Quotations of what was said before are left out.
    pub trim_quotes: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            extent: Extent::Text,
            body_octets: BODY_OCTETS,
            attachment_octets: 0,
            trim_quotes: false,
        }
    }
}

impl Shape {
    /// The message as it came.
    pub const ORIGINAL: Self = Self {
        extent: Extent::Original,
        body_octets: u64::MAX,
        attachment_octets: u64::MAX,
        trim_quotes: false,
    };
    /// Its state alone.
    pub const FLAGS: Self = Self {
        extent: Extent::Flags,
        ..Self::ORIGINAL
    };
    /// All of it, made anew for the device.
    pub const WHOLE: Self = Self {
        extent: Extent::Whole,
        ..Self::ORIGINAL
    };
}

/// Octets of attachments that a device gets in one mail.
const ATTACHMENT_OCTETS: u64 = 2 << 20;

impl Shape {
    /// What a device is sent of a mail. `body_octets` is what its window leaves of a text. With `fetched` it asked for just this mail, and gets
    /// all of it. `fields` are those of its filter: `emailitem` alone means the header, with the parameter `texttype` the text too, with
    /// `attachtype` all; MaxSize limits the last of these.
    pub fn asked(body_octets: u64, fetched: bool, fields: Option<&[PropertyCapability]>) -> Self {
        let text = Self {
            body_octets: if fetched { u64::MAX } else { body_octets },
            ..Self::default()
        };
        let whole = Self {
            extent: Extent::Whole,
            body_octets: u64::MAX,
            attachment_octets: ATTACHMENT_OCTETS,
            ..text
        };
        let is = |name: &str, word: &str| name.eq_ignore_ascii_case(word);
        let Some(fields) = fields else {
            return if fetched { whole } else { text };
        };
        let Some(item) = fields.iter().find(|field| is(&field.name, "EMAILITEM")) else {
            return text;
        };
        let asks = |word: &str| item.params.iter().any(|param| is(&param.name, word));
        let most = item.max_size.map(u64::from);
        if asks("ATTACHTYPE") {
            return Self {
                attachment_octets: most.unwrap_or(ATTACHMENT_OCTETS).min(ATTACHMENT_OCTETS),
                ..whole
            };
        }
        if asks("TEXTTYPE") {
            return Self {
                body_octets: most.unwrap_or(text.body_octets),
                ..text
            };
        }
        Self {
            extent: Extent::Header,
            ..text
        }
    }
}

impl Shape {
    /// Whether more of a message has to be had for what is wanted of it. `message` is its beginning.
    pub fn wants_rest(&self, message: &[u8]) -> bool {
        match self.extent {
            Extent::Flags | Extent::Header => false,
            Extent::Text => {
                self.body_octets > message.len() as u64 && parts(message).last().is_text()
            }
            Extent::Whole | Extent::Original => true,
        }
    }
}

/// The Ext elements of OMA DS mail that a device understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailExt {
    /// None.
    None,
    /// Those of Funambol's clients.
    Funambol,
}

/// How the text of a mail is coded for a device, if it is not plain ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MailCoding {
    /// Octets as they are, where the form can carry them.
    #[serde(rename = "8bit")]
    EightBit,
    /// Quoted-printable.
    #[serde(rename = "quoted-printable")]
    Quoted,
    /// Base64.
    #[serde(rename = "base64")]
    Base64,
}

/// Writes a mail for a device, as an Email object or as a bare message.
pub(super) fn write(root: &Component, target: &Target<'_>) -> Vec<u8> {
    let none = Dialect::default();
    let dialect = target.dialect.unwrap_or(&none);
    let shape = Shape {
        trim_quotes: target.mail.trim_quotes
            || (dialect.mail_trim_quotes == Some(true) && target.mail.extent == Extent::Text),
        ..target.mail
    };
    let message = octets(root);
    if target.format == Format::Message {
        return match shape.extent {
            Extent::Original => message.to_vec(),
            _ => small::make(message, missing(root), &shape, &style(dialect)).message,
        };
    }
    let strict = dialect.mail_strict == Some(true);
    let mut form = object::Form {
        base64: dialect.mail_base64 == Some(true) && !strict,
        local: (!target.utc).then_some(target.time_zone),
        truncated: dialect.mail_ext != Some(MailExt::Funambol),
    };
    if shape.extent == Extent::Flags || message.is_empty() {
        return object::write(root, None, 0, &[], &[], form);
    }
    // What an XML document cannot hold travels as base64, or is made anew.
    let text = std::str::from_utf8(message).is_ok_and(|text| {
        !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
    });
    let made = match shape.extent {
        Extent::Original if text || !strict => {
            form.base64 |= !text;
            None
        }
        _ => Some(small::make(message, missing(root), &shape, &style(dialect))),
    };
    let Some(made) = made else {
        return object::write(root, Some(message), 0, &[], &told(root), form);
    };
    form.base64 |= !made.message.is_ascii();
    let mut ext = told(root);
    if dialect.mail_ext == Some(MailExt::Funambol) {
        ext.retain(|one| !one.name.to_ascii_lowercase().starts_with("x-funambol-"));
        ext.extend(funambol(&made));
    }
    object::write(
        root,
        Some(&made.message),
        made.body_missing,
        &made.left,
        &ext,
        form,
    )
}

fn missing(root: &Component) -> u64 {
    let text = root.text("MISSING").unwrap_or_default();
    text.parse().unwrap_or(0)
}

/// The Ext elements that are stored.
fn told(root: &Component) -> Vec<Extension> {
    root.all("EXT").filter_map(Extension::of).collect()
}

fn style(dialect: &Dialect) -> Style {
    Style {
        letters: Letters::of(
            dialect.mail_charset.as_deref(),
            dialect.mail_astral != Some(false),
        ),
        coding: match dialect.mail_coding {
            Some(MailCoding::EightBit) => BodyCoding::EightBit,
            Some(MailCoding::Base64) => BodyCoding::Base64,
            Some(MailCoding::Quoted) | None => BodyCoding::Quoted,
        },
        picture: dialect.mail_picture,
    }
}

/// What Funambol's clients are told of a mail: its size, how much of the text is missing, and the attachments.
fn funambol(made: &Small) -> Vec<Extension> {
    let one = |name: &str, values: Vec<String>| Extension {
        name: name.to_owned(),
        values,
    };
    let mut all = vec![one("x-funambol-size", vec![made.whole.to_string()])];
    if made.body_missing > 0 {
        all.push(one("x-funambol-body", vec![made.body_missing.to_string()]));
    }
    if !made.left.is_empty() {
        all.push(one(
            "x-funambol-attach-n",
            vec![made.left.len().to_string()],
        ));
        let named = made.left.iter().take(MAX_NAMED).map(|left: &Left| {
            one(
                "x-funambol-attach",
                vec![left.name.clone(), left.size.to_string()],
            )
        });
        all.extend(named);
    }
    all
}
