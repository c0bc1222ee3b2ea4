//! Texts with placeholders: `{number}`, and the values for one SMS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sms::http::{hex, percent_encode};
use crate::sms::message::{Reference, Sms};
use crate::sms::settings::Login;

/// All placeholders.
pub(super) const NAMES: &[&str] = &[
    "number",
    "digits",
    "sender",
    "username",
    "password",
    "login_base64",
    "text",
    "udh_hex",
    "udh_base64",
    "body_hex",
    "body_base64",
    "sms_hex",
    "sms_base64",
    "dcs",
    "reference",
    "part",
    "parts",
    "receipt",
    "receipt_url",
];

/// How values are written where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Percent,
    Json,
    Xml,
}

impl Escape {
    /// Of a body with that Content-Type, in lower case.
    pub(super) fn of(content_type: &str) -> Self {
        if content_type.contains("json") {
            Self::Json
        } else if content_type.contains("xml") {
            Self::Xml
        } else if content_type.contains("x-www-form-urlencoded") {
            Self::Percent
        } else {
            Self::None
        }
    }

    fn write(self, out: &mut String, value: &str) {
        match self {
            Self::None => out.push_str(value),
            Self::Percent => percent_encode(out, value.as_bytes()),
            Self::Json => {
                let text = serde_json::Value::from(value).to_string();
                out.push_str(&text[1..text.len() - 1]);
            }
            Self::Xml => out.push_str(&quick_xml::escape::escape(value)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(&'static str),
}

/// A text with placeholders. Braces around anything but a lower-case word are text, as in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

/// What stands for the placeholders of one SMS.
pub(super) struct Values<'a> {
    pub(super) sms: &'a Sms,
    pub(super) reference: &'a Reference,
    pub(super) parts: u8,
    pub(super) sender: &'a str,
    pub(super) login: &'a Login,
    pub(super) receipt_url: &'a str,
}

impl Template {
    /// The unknown placeholder, if there is one.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            plain.push_str(&rest[..open]);
            let behind = &rest[open + 1..];
            let word = behind.split_once('}').map(|(word, _)| word);
            let is_name = |word: &&str| {
                let known =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                !word.is_empty() && word.bytes().all(known)
            };
            let Some(word) = word.filter(is_name) else {
                plain.push('{');
                rest = behind;
                continue;
            };
            let name = NAMES.iter().find(|name| **name == word);
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Value(name.ok_or(word)?));
            rest = &behind[word.len() + 1..];
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// It has a placeholder for the octets of an SMS.
    pub(super) fn names_octets(&self) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Value(name) => name.starts_with("body_") || name.starts_with("sms_"),
            Piece::Text(_) => false,
        })
    }

    pub(super) fn fill(&self, values: &Values<'_>, escape: Escape) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(name) => escape.write(&mut out, &values.value(name)),
            }
        }
        out
    }
}

impl Values<'_> {
    fn value(&self, name: &str) -> String {
        let (udh, body): (&[u8], &[u8]) = match self.sms {
            Sms::Binary(sms) => (&sms.udh, &sms.body),
            Sms::Text(_) => (&[], &[]),
        };
        let whole = || [udh, body].concat();
        match name {
            "number" => self.sms.to().to_string(),
            "digits" => self.sms.to().digits().to_owned(),
            "sender" => self.sender.to_owned(),
            "username" => self.login.username.clone(),
            "password" => self.login.password.reveal().to_owned(),
            "login_base64" => STANDARD.encode(format!(
                "{}:{}",
                self.login.username,
                self.login.password.reveal()
            )),
            "text" => match self.sms {
                Sms::Text(sms) => sms.text.clone(),
                Sms::Binary(_) => String::new(),
            },
            "udh_hex" => hex(udh),
            "udh_base64" => STANDARD.encode(udh),
            "body_hex" => hex(body),
            "body_base64" => STANDARD.encode(body),
            "sms_hex" => hex(&whole()),
            "sms_base64" => STANDARD.encode(whole()),
            "dcs" => match self.sms {
                Sms::Binary(sms) => sms.dcs.to_string(),
                Sms::Text(_) => "0".to_owned(),
            },
            "reference" => self.reference.to_string(),
            "part" => (u16::from(self.reference.part) + 1).to_string(),
            "parts" => self.parts.to_string(),
            "receipt" => u8::from(self.sms.receipt()).to_string(),
            _ => self.receipt_url.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::message::{BinarySms, TextSms};
    use crate::sms::settings::Secret;

    fn filled(text: &str, sms: &Sms, escape: Escape) -> String {
        let values = Values {
            sms,
            reference: &Reference {
                message: "m-1".to_owned(),
                part: 1,
            },
            parts: 2,
            sender: "12 34",
            login: &Login {
                username: "us\"er".to_owned(),
                password: Secret::new("p<w"),
            },
            receipt_url: "http://c/?a=1&b=2",
        };
        Template::read(text).expect("known").fill(&values, escape)
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        let to = "+46701234567".parse().expect("a number");
        let sms = Sms::Binary(BinarySms {
            to,
            udh: vec![1, 0xAB],
            body: vec![0xFF, 0xFE],
            dcs: 4,
            receipt: true,
        });
        for (text, escape, expected) in [
            (
                "to={number}&from={sender}",
                Escape::Percent,
                "to=%2B46701234567&from=12%2034",
            ),
            (
                "{\"u\":{\"n\":\"{username}\"}}",
                Escape::Json,
                "{\"u\":{\"n\":\"us\\\"er\"}}",
            ),
            ("<p>{password}</p>", Escape::Xml, "<p>p&lt;w</p>"),
            (
                "{udh_hex} {body_hex} {sms_hex}",
                Escape::None,
                "01AB FFFE 01ABFFFE",
            ),
            ("{udh_base64} {body_base64}", Escape::None, "Aas= //4="),
            (
                "{part}/{parts} {reference} {dcs} {receipt}",
                Escape::None,
                "2/2 m-1.1 4 1",
            ),
            ("{ } {A} {} {", Escape::None, "{ } {A} {} {"),
            (
                "{receipt_url}",
                Escape::Percent,
                "http%3A%2F%2Fc%2F%3Fa%3D1%26b%3D2",
            ),
        ] {
            assert_eq!(filled(text, &sms, escape), expected);
        }
        assert_eq!(Template::read("to={nummer}"), Err("nummer".to_owned()));
    }

    #[test]
    fn texts_have_their_own_placeholder() {
        let sms = Sms::Text(TextSms {
            to: "112".parse().expect("a number"),
            text: "a & \"b\"\n".to_owned(),
            receipt: false,
        });
        assert_eq!(
            filled("{text}{body_hex}", &sms, Escape::Json),
            "a & \\\"b\\\"\\n"
        );
        assert_eq!(filled("{digits} {receipt}", &sms, Escape::None), "112 0");
    }
}
