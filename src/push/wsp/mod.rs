//! The connectionless push of WSP (WAP-230 8.2.4.1 Push, 8.4 header encoding; WAP-251 Push Message; WAP-235 PushOTA).
//!
//! ```text
//! transaction 1 octet, PDU type 06, length of the headers uintvar, content type, headers, body to the end
//! ```
//!
//! Simple parsers in phones are known to want the shortest form of a content type without parameters; the long form of
//! the length (`1F`) before a type of seven bits with parameters, as provisioning has it; SEC before MAC; and nothing
//! after it. That is what is written here.

mod media;
mod names;
#[cfg(test)]
mod tests;
mod value;

pub use media::{Application, MediaType};
pub use value::Value;

use std::borrow::Cow;
use std::fmt;

use super::octets::Octets;
use super::{BuildError, ReadError, ReadErrorKind};
use media::Token;

/// PDU type of a push.
const PUSH: u8 = 0x06;
/// PDU type of a push that is to be confirmed.
const CONFIRMED_PUSH: u8 = 0x07;
/// Header fields and parameters that are taken, each.
pub const MOST_HEADERS: usize = 64;
/// Octets of a push that are taken: what 255 segments hold.
pub const MOST_OCTETS: usize = 255 * 140;

/// Numbers of header fields.
pub mod field {
    /// Content-Length
    pub const CONTENT_LENGTH: u8 = 0x0D;
    /// X-Wap-Application-Id
    pub const APPLICATION: u8 = 0x2F;
    /// X-Wap-Initiator-URI
    pub const INITIATOR_URI: u8 = 0x31;
    /// Push-Flag: 1 the initiator is authenticated, 2 the content is trusted, 4 the last push.
    pub const PUSH_FLAG: u8 = 0x34;
    /// Encoding-Version
    pub const ENCODING_VERSION: u8 = 0x43;
}

/// Numbers of content type parameters.
pub mod parameter {
    /// Character set (IANA MIBenum).
    pub const CHARSET: u8 = 0x01;
    /// How a provisioning document is signed.
    pub const SEC: u8 = 0x11;
    /// Signature of a provisioning document, in hex digits.
    pub const MAC: u8 = 0x12;
}

/// The name of a header field or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By number.
    Code(u8),
    /// By name.
    Name(String),
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub key: Key,
    /// Its value.
    pub value: Value,
}

impl Header {
    /// A field with a number.
    pub const fn new(code: u8, value: Value) -> Self {
        Self {
            key: Key::Code(code),
            value,
        }
    }

    /// Its name; `Field-0x…` for a number that is not known here.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.key {
            Key::Name(name) => Cow::Borrowed(name),
            Key::Code(code) => names::field_name(*code)
                .map_or_else(|| Cow::Owned(format!("Field-0x{code:02X}")), Cow::Borrowed),
        }
    }
}

/// A parameter of a content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub key: Key,
    /// Its value: a number or text.
    pub value: Value,
}

impl Parameter {
    /// A parameter with a number.
    pub const fn new(code: u8, value: Value) -> Self {
        Self {
            key: Key::Code(code),
            value,
        }
    }

    /// Its name; `parameter-0x…` for a number that is not known here.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.key {
            Key::Name(name) => Cow::Borrowed(name),
            Key::Code(code) => names::parameter_name(*code).map_or_else(
                || Cow::Owned(format!("parameter-0x{code:02X}")),
                Cow::Borrowed,
            ),
        }
    }
}

/// A push.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Push {
    /// Any number; phones do not look at it.
    pub transaction: u8,
    /// The sender wants it confirmed. Needs a WSP session, so it is only read, never asked for by candybar.
    pub confirmed: bool,
    /// What the body is.
    pub content_type: MediaType,
    /// Parameters of the content type, in order.
    pub parameters: Vec<Parameter>,
    /// Header fields, in order.
    pub headers: Vec<Header>,
    /// The content.
    pub body: Vec<u8>,
}

/// Without the body, which may have passwords.
impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("transaction", &self.transaction)
            .field("confirmed", &self.confirmed)
            .field("content_type", &self.content_type)
            .field("parameters", &self.parameters)
            .field("headers", &self.headers)
            .field("body_octets", &self.body.len())
            .finish()
    }
}

impl Push {
    /// A push of a content to an application on the phone.
    pub fn new(content_type: MediaType, application: &Application, body: Vec<u8>) -> Self {
        let mut push = Self {
            transaction: 1,
            content_type,
            body,
            ..Self::default()
        };
        let value = match application.code() {
            Some(code) => Value::Integer(code),
            None => Value::Text(application.name().into_owned()),
        };
        push.headers.push(Header::new(field::APPLICATION, value));
        push
    }

    /// A push of a notification of OMA DS 1.2, as [`super::san::build`] makes it.
    pub fn notification(package: Vec<u8>) -> Self {
        Self::new(MediaType::DS_NOTIFICATION, &Application::SYNCML, package)
    }

    /// The value of a header field.
    pub fn header(&self, code: u8) -> Option<&Value> {
        let mut headers = self.headers.iter();
        headers
            .find(|header| header.key == Key::Code(code))
            .map(|header| &header.value)
    }

    /// The value of a parameter of the content type.
    pub fn parameter(&self, code: u8) -> Option<&Value> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|parameter| parameter.key == Key::Code(code))
            .map(|parameter| &parameter.value)
    }

    /// The application that is to take it; the browser if none is named.
    pub fn application(&self) -> Application {
        match self.header(field::APPLICATION) {
            Some(Value::Integer(code)) => Application::from_code(*code),
            Some(Value::Text(name)) => Application::new(name),
            _ => Application::BROWSER,
        }
    }

    /// The octets.
    pub fn octets(&self) -> Result<Vec<u8>, BuildError> {
        let mut headers = Vec::with_capacity(64);
        self.write_content_type(&mut headers)?;
        for header in &self.headers {
            write_key(&mut headers, &header.key)?;
            header.value.write(&mut headers)?;
        }
        let pdu = if self.confirmed { CONFIRMED_PUSH } else { PUSH };
        let mut out = Vec::with_capacity(headers.len() + self.body.len() + 4);
        out.extend_from_slice(&[self.transaction, pdu]);
        crate::wbxml::integer(&mut out, headers.len() as u32);
        out.extend_from_slice(&headers);
        out.extend_from_slice(&self.body);
        if out.len() > MOST_OCTETS {
            return Err(BuildError::TooLong {
                field: "push",
                octets: out.len(),
                most: MOST_OCTETS,
            });
        }
        Ok(out)
    }

    fn write_content_type(&self, out: &mut Vec<u8>) -> Result<(), BuildError> {
        let mut media = Vec::with_capacity(64);
        match self.content_type.token() {
            Token::Code(code) => value::integer(&mut media, *code),
            Token::Name(name) => value::text(&mut media, name)?,
        }
        if self.parameters.is_empty() {
            // A number of more than seven bits is a long integer, which needs a length before it.
            if matches!(media.first(), Some(0..=0x1E)) {
                value::value_length(out, media.len());
            }
            out.extend_from_slice(&media);
            return Ok(());
        }
        for parameter in &self.parameters {
            write_key(&mut media, &parameter.key)?;
            parameter.value.write(&mut media)?;
        }
        if matches!(media.first(), Some(0..=0x1E)) {
            value::value_length(out, media.len());
        } else {
            out.push(0x1F);
            crate::wbxml::integer(out, media.len() as u32);
        }
        out.extend_from_slice(&media);
        Ok(())
    }

    /// Reads a push.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        let mut octets = Octets::new(input, "WSP push");
        if input.len() > MOST_OCTETS {
            return Err(octets.fail(MOST_OCTETS, ReadErrorKind::Number("length of the push")));
        }
        let transaction = octets.octet()?;
        let confirmed = match octets.octet()? {
            PUSH => false,
            CONFIRMED_PUSH => true,
            other => return Err(octets.fail(1, ReadErrorKind::PduType(other))),
        };
        let length = octets.uintvar()? as usize;
        octets.within("WSP header");
        let from = octets.offset();
        octets.take(length)?;
        // The headers by themselves, so that nothing in them reaches into the body.
        let mut fields = Octets::new(&input[..from + length], "WSP header");
        fields.take(from)?;
        let (content_type, parameters) = read_content_type(&mut fields)?;
        let mut headers = Vec::new();
        while !fields.is_empty() {
            let at = fields.offset();
            if headers.len() >= MOST_HEADERS {
                return Err(fields.fail(at, ReadErrorKind::TooManyHeaders));
            }
            headers.push(read_header(&mut fields)?);
        }
        Ok(Self {
            transaction,
            confirmed,
            content_type,
            parameters,
            headers,
            body: octets.rest().to_vec(),
        })
    }
}

fn write_key(out: &mut Vec<u8>, key: &Key) -> Result<(), BuildError> {
    match key {
        Key::Code(code) => {
            out.push(0x80 | code);
            Ok(())
        }
        // A name is a token: nothing quotes it, so one that begins otherwise would be read as a shift to another code page.
        Key::Name(name) if !matches!(name.as_bytes().first(), Some(0x20..=0x7E)) => {
            Err(BuildError::Name)
        }
        Key::Name(name) => value::text(out, name),
    }
}

fn read_key(octets: &mut Octets<'_>) -> Result<Key, ReadError> {
    match octets.peek() {
        Some(code @ 0x80..) => {
            octets.octet()?;
            Ok(Key::Code(code & 0x7F))
        }
        _ => value::read_text(octets).map(Key::Name),
    }
}

fn read_header(octets: &mut Octets<'_>) -> Result<Header, ReadError> {
    let at = octets.offset();
    match octets.peek() {
        // The other code pages are private, and shifts to them are not seen in pushes.
        Some(page @ 0x01..=0x1F) => return Err(octets.fail(at, ReadErrorKind::HeaderPage(page))),
        Some(0x7F) => {
            octets.octet()?;
            let page = octets.octet()?;
            return Err(octets.fail(at, ReadErrorKind::HeaderPage(page)));
        }
        _ => {}
    }
    Ok(Header {
        key: read_key(octets)?,
        value: Value::read(octets)?,
    })
}

fn read_content_type(octets: &mut Octets<'_>) -> Result<(MediaType, Vec<Parameter>), ReadError> {
    match octets.peek() {
        Some(0x00..=0x1F) => {}
        _ => return Ok((read_media(octets)?, Vec::new())),
    }
    let length = value::read_value_length(octets)?;
    let at = octets.offset();
    let mut rest = octets.clone();
    octets.take(length)?;
    let end = octets.offset();
    let media = read_media(&mut rest)?;
    let mut parameters = Vec::new();
    while rest.offset() < end {
        if parameters.len() >= MOST_HEADERS {
            return Err(rest.fail(rest.offset(), ReadErrorKind::TooManyHeaders));
        }
        let key = read_key(&mut rest)?;
        let value = Value::read_parameter(&mut rest)?;
        parameters.push(Parameter { key, value });
    }
    if rest.offset() != end {
        return Err(octets.fail(at, ReadErrorKind::Number("WSP content type")));
    }
    Ok((media, parameters))
}

fn read_media(octets: &mut Octets<'_>) -> Result<MediaType, ReadError> {
    match octets.peek() {
        Some(0x20..=0x7F) => Ok(MediaType::new(&value::read_text(octets)?)),
        _ => value::read_integer(octets).map(MediaType::from_code),
    }
}
