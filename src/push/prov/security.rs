//! Signatures of settings (Provisioning Bootstrap 1.1, section 6): an HMAC with SHA-1 over the octets of the document.
//!
//! The key is what the phone knows (the IMSI of its card), or what its user is told (a PIN), or both.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::super::BuildError;
use super::super::wsp::{Parameter, Push, Value, parameter};

/// Digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=16;
/// Digits of a PIN that is to have a signature after it: the sum has at least ten.
const PIN_MAC_DIGITS: std::ops::RangeInclusive<usize> = 5..=16;
const IMSI_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

/// How a document is signed, as the SEC parameter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sec {
    /// NETWPIN: by the IMSI.
    NetworkPin,
    /// USERPIN: by a PIN.
    UserPin,
    /// USERNETWPIN: by both.
    UserNetworkPin,
    /// USERPINMAC: by a PIN, and the user types the signature too.
    UserPinMac,
}

impl Sec {
    /// All of them, by their numbers.
    pub const ALL: [Self; 4] = [
        Self::NetworkPin,
        Self::UserPin,
        Self::UserNetworkPin,
        Self::UserPinMac,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// From the number on the wire.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|sec| sec.number() == number)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetworkPin => "NETWPIN",
            Self::UserPin => "USERPIN",
            Self::UserNetworkPin => "USERNETWPIN",
            Self::UserPinMac => "USERPINMAC",
        }
    }
}

/// A signature with its secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Security {
    /// The phone knows its IMSI, and the user is not asked.
    NetworkPin {
        /// 6 to 15 digits.
        imsi: String,
    },
    /// The user types a PIN.
    UserPin {
        /// 4 to 16 digits.
        pin: String,
    },
    /// Both.
    UserNetworkPin {
        /// 6 to 15 digits.
        imsi: String,
        /// 4 to 16 digits.
        pin: String,
    },
    /// The user types a PIN and the signature as digits; the message has no signature.
    UserPinMac {
        /// 5 to 16 digits.
        pin: String,
    },
}

/// Without the secrets.
impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sec().name())
    }
}

impl Security {
    /// Which one.
    pub const fn sec(&self) -> Sec {
        match self {
            Self::NetworkPin { .. } => Sec::NetworkPin,
            Self::UserPin { .. } => Sec::UserPin,
            Self::UserNetworkPin { .. } => Sec::UserNetworkPin,
            Self::UserPinMac { .. } => Sec::UserPinMac,
        }
    }

    fn key(&self) -> Result<Vec<u8>, BuildError> {
        match self {
            Self::NetworkPin { imsi } => semi_octets(imsi),
            Self::UserPin { pin } => digits(pin, &PIN_DIGITS),
            Self::UserNetworkPin { imsi, pin } => {
                let mut key = semi_octets(imsi)?;
                key.extend(digits(pin, &PIN_DIGITS)?);
                Ok(key)
            }
            Self::UserPinMac { pin } => digits(pin, &PIN_MAC_DIGITS),
        }
    }

    /// The signature of a document.
    fn mac(&self, document: &[u8]) -> Result<[u8; 20], BuildError> {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&self.key()?).expect("HMAC takes a key of any length");
        mac.update(document);
        Ok(mac.finalize().into_bytes().into())
    }
}

fn digits(pin: &str, length: &std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, BuildError> {
    if !length.contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BuildError::Pin {
            least: *length.start(),
            most: *length.end(),
        });
    }
    Ok(pin.as_bytes().to_vec())
}

/// The IMSI as the card has it (GSM 11.11): a first half octet that says whether the number of digits is odd, then the
/// digits, the first one of each pair in the lower half.
pub(super) fn semi_octets(imsi: &str) -> Result<Vec<u8>, BuildError> {
    if !IMSI_DIGITS.contains(&imsi.len()) || !imsi.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BuildError::Imsi);
    }
    let odd = imsi.len() % 2 == 1;
    let mut halves = vec![if odd { 9 } else { 1 }];
    halves.extend(imsi.bytes().map(|byte| byte - b'0'));
    if !odd {
        halves.push(0x0F);
    }
    Ok(halves
        .chunks(2)
        .map(|pair| pair[1] << 4 | pair[0])
        .collect())
}

/// Signs a push of settings. For [`Sec::UserPinMac`] it gives the digits that the user has to type; for the others that
/// is the PIN, if there is one.
pub fn sign(push: &mut Push, security: &Security) -> Result<Option<String>, BuildError> {
    let mac = security.mac(&push.body)?;
    let sec = Value::Integer(security.sec().number());
    push.parameters.push(Parameter::new(parameter::SEC, sec));
    let mut typed = match security {
        Security::NetworkPin { .. } => None,
        Security::UserPin { pin }
        | Security::UserNetworkPin { pin, .. }
        | Security::UserPinMac { pin } => Some(pin.clone()),
    };
    if let Security::UserPinMac { pin } = security {
        let octets = mac.iter().take(pin.len());
        let more: String = octets.map(|octet| char::from(b'0' + octet % 10)).collect();
        typed = Some(format!("{pin}{more}"));
    } else {
        // Upper case: clients compare the digits as text.
        let text = mac.iter().map(|octet| format!("{octet:02X}")).collect();
        let value = Value::Text(text);
        push.parameters.push(Parameter::new(parameter::MAC, value));
    }
    Ok(typed)
}

/// The push was signed with these secrets. For [`Sec::UserPinMac`] the PIN is what the user typed, both halves.
pub fn is_signed_with(push: &Push, security: &Security) -> bool {
    let sec = push.parameter(parameter::SEC).and_then(Value::integer);
    if sec != Some(security.sec().number()) {
        return false;
    }
    if let Security::UserPinMac { pin: typed } = security {
        if typed.len() % 2 != 0 {
            return false;
        }
        let Some((pin, digits)) = typed.split_at_checked(typed.len() / 2) else {
            return false;
        };
        let half = Security::UserPinMac {
            pin: pin.to_owned(),
        };
        return half.mac(&push.body).is_ok_and(|mac| {
            let mut expected = mac.iter().map(|octet| b'0' + octet % 10);
            digits.bytes().all(|digit| expected.next() == Some(digit))
        });
    }
    let sent = push.parameter(parameter::MAC).and_then(Value::text);
    security.mac(&push.body).is_ok_and(|mac| {
        let expected: String = mac.iter().map(|octet| format!("{octet:02X}")).collect();
        sent.is_some_and(|sent| sent.eq_ignore_ascii_case(&expected))
    })
}
