//! Credentials of SyncHdr (SyncML Sync Protocol, authentication): `syncml:auth-basic` and `syncml:auth-md5`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use crate::syncml::{Chal, Cred, Meta, Version};

/// Type of basic credentials.
pub(super) const BASIC: &str = "syncml:auth-basic";
/// Type of MD5 credentials.
pub(super) const MD5: &str = "syncml:auth-md5";

/// When a client sends credentials, and which.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// User and password in base64, with the first message.
    Basic,
    /// A digest over them and the kept nonce (at first an empty one), with the first message.
    #[default]
    Md5,
    /// None until the server asks, then what it asks for.
    Challenged,
}

/// Base64, standard alphabet, padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64 with white space in it; `None` if it is no base64.
pub(super) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(text).ok()
}

/// Data of basic credentials.
pub(super) fn basic_data(user: &str, password: &str) -> String {
    base64(format!("{user}:{password}").as_bytes())
}

/// Data of MD5 credentials, by the formula of the version: 1.0 digests the clear text with the nonce, 1.1 and later
/// the base64 of the digest of the clear text with the nonce.
pub(super) fn md5_data(version: Version, user: &str, password: &str, nonce: &[u8]) -> String {
    let clear = format!("{user}:{password}");
    let mut digest = Md5::new();
    match version {
        Version::V10 => digest.update(clear.as_bytes()),
        Version::V11 | Version::V12 => {
            digest.update(base64(&Md5::digest(clear.as_bytes())).as_bytes());
        }
    }
    digest.update(b":");
    digest.update(nonce);
    base64(&digest.finalize())
}

/// What a client answers to a challenge with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `syncml:auth-basic`
    Basic,
    /// `syncml:auth-md5`
    Md5,
}

impl Scheme {
    /// The scheme that a challenge asks for; `None` for one that a phone does not know.
    pub(super) fn asked_by(chal: &Chal<'_>) -> Option<Self> {
        let kind = chal.meta.kind.as_deref().unwrap_or(BASIC).trim();
        if kind.eq_ignore_ascii_case(BASIC) {
            Some(Self::Basic)
        } else if kind.eq_ignore_ascii_case(MD5) {
            Some(Self::Md5)
        } else {
            None
        }
    }

    /// The Cred element.
    pub(super) fn cred(
        self,
        version: Version,
        user: &str,
        password: &str,
        nonce: &[u8],
    ) -> Cred<'static> {
        let (kind, data) = match self {
            Self::Basic => (BASIC, basic_data(user, password)),
            Self::Md5 => (MD5, md5_data(version, user, password, nonce)),
        };
        Cred {
            meta: Meta {
                format: Some("b64".into()),
                kind: Some(kind.into()),
                ..Meta::default()
            },
            data: data.into_bytes().into(),
        }
    }
}

/// The nonce of a challenge, decoded: base64 unless it cannot be that (raw octets in WBXML).
pub(super) fn nonce_of(chal: &Chal<'_>) -> Option<Vec<u8>> {
    let raw = chal.meta.next_nonce.as_deref()?;
    Some(from_base64(raw).unwrap_or_else(|| raw.to_vec()))
}

/// A challenge for MD5 credentials over a nonce.
pub(super) fn challenge(nonce: &[u8]) -> Chal<'static> {
    Chal {
        meta: Meta {
            kind: Some(MD5.into()),
            format: Some("b64".into()),
            next_nonce: Some(base64(nonce).into_bytes().into()),
            ..Meta::default()
        },
    }
}

/// A nonce that nobody guesses who does not know the secret, and that no other session of the phone has.
pub(super) fn new_nonce(secret: &str, session: u64, now: i64) -> Vec<u8> {
    let mut digest = Md5::new();
    digest.update(secret.as_bytes());
    digest.update(session.to_be_bytes());
    digest.update(now.to_be_bytes());
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_follow_the_formula_of_the_version() {
        let digest = |version| md5_data(version, "Bruce2", "OhBehave", b"Nonce");
        assert_eq!(digest(Version::V10), "UmkqAAZhiQvXXhfaf/u+OQ==");
        assert_eq!(digest(Version::V11), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert_eq!(digest(Version::V12), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn basic_data_are_base64_once() {
        assert_eq!(basic_data("Bruce2", "OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl");
    }

    #[test]
    fn nonces_come_as_base64_or_raw() {
        let chal = |nonce: &'static [u8]| Chal {
            meta: Meta {
                next_nonce: Some(nonce.into()),
                ..Meta::default()
            },
        };
        assert_eq!(nonce_of(&chal(b"Tm9u\r\n Y2U=")), Some(b"Nonce".to_vec()));
        assert_eq!(nonce_of(&chal(b"\x00\xff\x10")), Some(vec![0, 0xff, 0x10]));
        assert_eq!(nonce_of(&Chal::default()), None);
    }

    #[test]
    fn a_challenge_of_an_unknown_kind_is_not_answered() {
        let chal = |kind: &'static str| Chal {
            meta: Meta {
                kind: Some(kind.into()),
                ..Meta::default()
            },
        };
        assert_eq!(
            Scheme::asked_by(&chal("syncml:auth-MD5")),
            Some(Scheme::Md5)
        );
        assert_eq!(
            Scheme::asked_by(&chal("syncml:auth-basic")),
            Some(Scheme::Basic)
        );
        assert_eq!(Scheme::asked_by(&chal("syncml:auth-MAC")), None);
        assert_eq!(Scheme::asked_by(&Chal::default()), Some(Scheme::Basic));
    }
}
