//! The notification of SyncML 1.0 and 1.1 (Sync Protocol 1.1, section 8): a SyncML message with one Alert for each
//! datastore, which nobody answers. The session that the phone opens has its SessionID.
//!
//! It has no digest; if the phone knows the server's credentials, they are in the header as in any message.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::wsp::{Application, MediaType, Push};
use super::{BuildError, Notice, ReadError, ReadErrorKind, ServerAlert, Sync};
use crate::syncml::{
    self, Alert, Carrier, Command, Cred, Form, Header, Item, Location, Message, Meta, Version,
    codec::Limits,
};
use crate::wbxml::lenient_utf8;

/// Datastores that are read of a notification.
pub const MOST_SYNCS: usize = 64;

/// What is taken of a message that came in a push.
const LIMITS: Limits = Limits {
    max_bytes: super::wsp::MOST_OCTETS as u32,
    max_depth: 16,
    max_string_table: 8 << 10,
    max_opaque: 8 << 10,
    max_elements: 2_000,
};

/// How the server says that it is the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// Name and password, not hidden.
    Basic {
        /// How the phone knows the server.
        name: &'a str,
        /// The server's password at the phone.
        password: &'a str,
    },
    /// MD5 of 1.1: the phone gave a nonce in an earlier session, in octets here.
    Md5 {
        /// How the phone knows the server.
        name: &'a str,
        /// The server's password at the phone.
        password: &'a str,
        /// The nonce, in octets.
        nonce: &'a [u8],
    },
}

impl Credentials<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Basic { .. } => "syncml:auth-basic",
            Self::Md5 { .. } => "syncml:auth-md5",
        }
    }

    fn text(self) -> String {
        match self {
            Self::Basic { name, password } => STANDARD.encode(format!("{name}:{password}")),
            Self::Md5 {
                name,
                password,
                nonce,
            } => {
                let user = STANDARD.encode(Md5::digest(format!("{name}:{password}")));
                let mut octets = user.into_bytes();
                octets.push(b':');
                octets.extend_from_slice(nonce);
                STANDARD.encode(Md5::digest(&octets))
            }
        }
    }
}

/// A notification as it came.
#[derive(Clone, PartialEq)]
pub struct Received {
    /// The version of its message.
    pub version: Version,
    /// Whom it is for: the device, or `/`.
    pub target: String,
    /// What it says. A SessionID that is no number below 65,536 is 0.
    pub notice: Notice,
    /// SessionID as it came.
    pub session_id: String,
    cred: Option<(String, Vec<u8>)>,
}

/// Without the credentials.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("version", &self.version)
            .field("target", &self.target)
            .field("notice", &self.notice)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

impl Received {
    /// There are credentials in it.
    pub const fn has_credentials(&self) -> bool {
        self.cred.is_some()
    }

    /// The credentials in it were made from these.
    pub fn is_signed_with(&self, credentials: Credentials<'_>) -> bool {
        self.cred.as_ref().is_some_and(|(kind, data)| {
            let expected = credentials.text();
            let same = expected.len() == data.len()
                && expected
                    .bytes()
                    .zip(data)
                    .fold(0, |all, (a, b)| all | (a ^ b))
                    == 0;
            kind.eq_ignore_ascii_case(credentials.kind()) && same
        })
    }
}

/// The octets of a notification. `target` is the device, or `/` if server and phone have not met.
pub fn build(
    notice: &Notice,
    form: &Form,
    target: &str,
    credentials: Option<Credentials<'_>>,
) -> Result<Vec<u8>, BuildError> {
    if form.version == Version::V12 {
        return Err(BuildError::Value(
            "the notification of 1.2 is no message: it has a form of its own",
        ));
    }
    if notice.syncs.is_empty() {
        return Err(BuildError::Missing("list of datastores"));
    }
    if notice.syncs.len() > MOST_SYNCS {
        return Err(BuildError::TooManySyncs {
            datastores: notice.syncs.len(),
        });
    }
    let alert = |(number, sync): (usize, &Sync)| {
        let kind = (sync.content_type != MediaType::ANY).then(|| sync.content_type.name());
        Command::Alert(Alert {
            cmd_id: Cow::Owned((number + 1).to_string()),
            code: Some(sync.alert.code()),
            items: vec![Item {
                source: Some(Location::new(sync.uri.clone())),
                meta: kind
                    .map(|kind| Meta {
                        kind: Some(Cow::Owned(kind.into_owned())),
                        ..Meta::default()
                    })
                    .map(Box::new),
                ..Item::default()
            }],
            ..Alert::default()
        })
    };
    let message = Message {
        header: Header {
            ver_dtd: form.version.dtd().into(),
            ver_proto: form.version.proto().into(),
            session_id: notice.session_id.to_string().into(),
            msg_id: "1".into(),
            target: Location::new(target),
            source: Location::new(&*notice.server_id),
            cred: credentials.map(|credentials| Cred {
                meta: Meta {
                    format: Some("b64".into()),
                    kind: Some(credentials.kind().into()),
                    ..Meta::default()
                },
                data: Cow::Owned(credentials.text().into_bytes()),
            }),
            ..Header::default()
        },
        body: notice.syncs.iter().enumerate().map(alert).collect(),
        last: true,
    };
    Ok(syncml::encode(&message, form))
}

/// A push of a notification in WBXML.
pub fn push(
    notice: &Notice,
    version: Version,
    target: &str,
    credentials: Option<Credentials<'_>>,
) -> Result<Push, BuildError> {
    let form = Form::new(Carrier::Wbxml, version);
    let message = build(notice, &form, target, credentials)?;
    Ok(Push::new(
        MediaType::SYNCML_WBXML,
        &Application::SYNCML,
        message,
    ))
}

/// Reads a notification of either carrier.
pub fn read(input: &[u8]) -> Result<Received, ReadError> {
    let carrier = if matches!(input.first(), Some(0x01..=0x03)) {
        Carrier::Wbxml
    } else {
        Carrier::Xml
    };
    let message = syncml::decode(input, carrier, &LIMITS).map_err(|error| ReadError {
        offset: error.offset,
        kind: ReadErrorKind::Document(error),
    })?;
    let missing = |what| ReadError::new(0, ReadErrorKind::Missing(what));
    let header = &message.header;
    let version = header.version().ok_or_else(|| missing("the version"))?;
    let mut syncs = Vec::new();
    for command in &message.body {
        let Command::Alert(alert) = command else {
            continue;
        };
        let code = alert.code.unwrap_or(0);
        let kind = ServerAlert::from_code(code)
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::Alert(code)))?;
        for item in &alert.items {
            if syncs.len() >= MOST_SYNCS {
                return Err(ReadError::new(0, ReadErrorKind::TooManyHeaders));
            }
            // Some servers name the phone's datastore only, some their own only.
            let location = item.source.as_ref().or(item.target.as_ref());
            let media = item.meta.as_ref().and_then(|meta| meta.kind.as_deref());
            syncs.push(Sync {
                alert: kind,
                content_type: MediaType::new(media.unwrap_or_default()),
                uri: location.map_or_else(String::new, |location| location.uri.to_string()),
            });
        }
    }
    if syncs.is_empty() {
        return Err(missing("an Alert with a datastore"));
    }
    Ok(Received {
        version,
        target: header.target.uri.to_string(),
        session_id: header.session_id.to_string(),
        notice: Notice {
            session_id: header.session_id.trim().parse().unwrap_or(0),
            server_id: header.source.uri.to_string(),
            syncs,
            ..Notice::default()
        },
        cred: header.cred.as_ref().map(|cred| {
            let kind = cred.meta.kind.as_deref().unwrap_or_default().to_owned();
            // WBXML may hold the digest itself.
            let data = match &*cred.data {
                digest if digest.len() == 16 && !is_base64(digest) => {
                    STANDARD.encode(digest).into_bytes()
                }
                text => lenient_utf8(text).trim().as_bytes().to_vec(),
            };
            (kind, data)
        }),
    })
}

fn is_base64(octets: &[u8]) -> bool {
    STANDARD.decode(octets).is_ok()
}
