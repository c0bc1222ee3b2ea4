//! What is handed to a gateway: a push or a text for one phone, as the parts that fit into SMS (3GPP TS 23.040).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::number::Msisdn;
use crate::push::wdp::{self, Ports, Segment};
use crate::push::{BuildError, wsp};

/// TP-DCS of 8-bit data (3GPP TS 23.038, section 4).
pub(super) const DCS_BINARY: u8 = 0x04;

/// Characters of a reference at most.
pub(super) const MAX_REFERENCE: usize = 64;

/// An account's device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// The account's name.
    pub account: String,
    /// The device's Source LocURI.
    pub device: String,
}

/// Whom a message is for; at least one of both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The phone's number.
    pub number: Option<Msisdn>,
    /// The device, for gateways to which phones hold connections.
    pub device: Option<DeviceAddress>,
}

impl From<Msisdn> for Recipient {
    fn from(number: Msisdn) -> Self {
        Self {
            number: Some(number),
            device: None,
        }
    }
}

/// A push in the forms that gateways want: whole, and cut into SMS.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    ports: Ports,
    wsp: wsp::Push,
    datagram: Vec<u8>,
    segments: Vec<Segment>,
}

impl Push {
    /// Cuts a push into SMS. The reference tells apart what goes to the same phone at the same time; whoever sends the
    /// missing parts of a push later gives the same one.
    pub fn new(
        wsp: wsp::Push,
        ports: Ports,
        reference: wdp::Reference,
    ) -> Result<Self, BuildError> {
        let datagram = wsp.octets()?;
        let segments = wdp::segments(&datagram, ports, reference)?;
        Ok(Self {
            ports,
            wsp,
            datagram,
            segments,
        })
    }

    /// Where it goes in the phone, and where it comes from.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// What is pushed, for gateways that make the WSP form themselves.
    pub fn wsp(&self) -> &wsp::Push {
        &self.wsp
    }

    /// The whole WSP PDU: a WDP datagram.
    pub fn datagram(&self) -> &[u8] {
        &self.datagram
    }

    /// The datagram cut into SMS; 1 to 255.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// What a message carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// For a program in the phone.
    Push(Push),
    /// For a person: one SMS of text.
    Text(String),
}

/// One push or text for one phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's own name for it: 1 to 64 letters, digits and dashes. Receipts have it again.
    pub reference: String,
    /// For whom.
    pub to: Recipient,
    /// What.
    pub content: Content,
    /// Ask for a receipt.
    pub receipt: bool,
    /// How long the network tries; its own choice if `None`.
    pub validity: Option<Duration>,
}

// Contents and numbers do not belong into a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("reference", &self.reference)
            .field("parts", &self.parts())
            .finish_non_exhaustive()
    }
}

impl Message {
    /// In how many SMS it goes; at most 255.
    pub fn parts(&self) -> u8 {
        match &self.content {
            Content::Push(push) => u8::try_from(push.segments.len()).unwrap_or(u8::MAX),
            Content::Text(_) => 1,
        }
    }

    /// Why it cannot be sent at all.
    pub fn fault(&self) -> Option<&'static str> {
        let named = self
            .reference
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !named || self.reference.is_empty() || self.reference.len() > MAX_REFERENCE {
            return Some("the message's reference is not 1 to 64 letters, digits and dashes");
        }
        match &self.content {
            Content::Text(text) if !TextSms::fits(text) => {
                Some("the text is empty, or longer than one SMS")
            }
            Content::Push(_) | Content::Text(_) => None,
        }
    }

    /// One part as an SMS of its own; `None` if there is no such part, or no number.
    pub fn sms(&self, part: u8) -> Option<Sms> {
        let to = self.to.number.clone()?;
        match &self.content {
            Content::Push(push) => {
                let segment = push.segments.get(usize::from(part))?;
                Some(Sms::Binary(BinarySms {
                    to,
                    udh: segment.udh.clone(),
                    body: segment.body.clone(),
                    dcs: DCS_BINARY,
                    receipt: self.receipt,
                }))
            }
            Content::Text(text) => (part == 0).then(|| {
                Sms::Text(TextSms {
                    to,
                    text: text.clone(),
                    receipt: self.receipt,
                })
            }),
        }
    }
}

/// One SMS of octets.
#[derive(Clone, PartialEq, Eq)]
pub struct BinarySms {
    /// For whom.
    pub to: Msisdn,
    /// User data header with its length octet.
    pub udh: Vec<u8>,
    /// What follows it.
    pub body: Vec<u8>,
    /// TP-DCS.
    pub dcs: u8,
    /// Ask for a receipt.
    pub receipt: bool,
}

/// One SMS of text.
#[derive(Clone, PartialEq, Eq)]
pub struct TextSms {
    /// For whom.
    pub to: Msisdn,
    /// What.
    pub text: String,
    /// Ask for a receipt.
    pub receipt: bool,
}

impl TextSms {
    /// The text is of the characters that the GSM alphabet, ASCII and Latin-1 all have at the same place.
    pub fn is_plain(text: &str) -> bool {
        text.bytes().all(|byte| {
            matches!(byte, b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z' | b'\n' | b'\r')
        })
    }

    /// It fits into one SMS: 160 plain characters, or 70 code units of UCS-2.
    pub fn fits(text: &str) -> bool {
        let most = if Self::is_plain(text) { 160 } else { 70 };
        !text.is_empty() && text.encode_utf16().count() <= most
    }
}

/// One SMS.
#[derive(Clone, PartialEq, Eq)]
pub enum Sms {
    /// Octets.
    Binary(BinarySms),
    /// Text.
    Text(TextSms),
}

impl Sms {
    /// For whom.
    pub fn to(&self) -> &Msisdn {
        match self {
            Self::Binary(sms) => &sms.to,
            Self::Text(sms) => &sms.to,
        }
    }

    /// A receipt is asked for.
    pub fn receipt(&self) -> bool {
        match self {
            Self::Binary(sms) => sms.receipt,
            Self::Text(sms) => sms.receipt,
        }
    }
}

/// Names one part of a message; as text `REFERENCE.PART`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// [`Message::reference`].
    pub message: String,
    /// From 0.
    pub part: u8,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.part)
    }
}

impl FromStr for Reference {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (message, part) = text.rsplit_once('.').ok_or(())?;
        let named = message
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if message.is_empty() || message.len() > MAX_REFERENCE || !named {
            return Err(());
        }
        Ok(Self {
            message: message.to_owned(),
            part: part.parse().map_err(|_| ())?,
        })
    }
}

/// A message and the parts of it that still have to go.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The message.
    pub message: &'a Message,
    /// Numbers of the missing parts, from 0, ascending.
    pub missing: &'a [u8],
}

impl Unit<'_> {
    /// The name of one part.
    pub fn reference(&self, part: u8) -> Reference {
        Reference {
            message: self.message.reference.clone(),
            part,
        }
    }
}
