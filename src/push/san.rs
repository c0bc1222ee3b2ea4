//! The notification of OMA DS 1.2 (package #0): OMA DS Protocol 1.2, server alerted notification; its layout is that
//! of OMA DM Notification 1.2 with a body of datastores.
//!
//! ```text
//! digest 16 octets
//! version 10 bits, UI mode 2, initiator 1, future use 27, session id 16, length of the server id 8, server id
//! number of syncs 4 bits, future use 4
//! for each: alert code - 200 4 bits, future use 4, content type 24, length of the address 8, address
//! vendor data: the rest
//! ```
//!
//! Numbers are big-endian and bits run from the highest. The digest is MD5 over `B64(MD5(server id ":" password)) ":"
//! nonce ":" B64(MD5(all that follows the digest))`. A content type is the WSP number of the media type, 0 if not said.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::octets::Octets;
use super::wsp::MediaType;
use super::{BuildError, Initiator, Notice, ReadError, ReadErrorKind, ServerAlert, Sync, UiMode};
use crate::wbxml::lenient_utf8;

/// Octets of the digest.
pub const DIGEST: usize = 16;
/// Datastores that a notification can name; the number has four bits.
pub const MOST_SYNCS: usize = 15;
/// Octets of a server id or an address; their lengths have eight bits.
pub const MOST_TEXT: usize = 255;
/// Octets of vendor data that are read and written: what two dozen short messages hold.
pub const MOST_VENDOR: usize = 2048;
/// Version 1.2 as it is written.
const VERSION: u16 = 12;

/// A notification as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The sender's digest. All octets 0: the sender had no password for this phone.
    pub digest: [u8; DIGEST],
    /// Protocol version, ten times: 12 is 1.2.
    pub version: u16,
    /// What it says.
    pub notice: Notice,
    /// What the digest was made over, and the octets of the server id within.
    signed: Vec<u8>,
    server_id: Vec<u8>,
}

impl Received {
    /// The digest was made with this password and nonce. The nonce is in octets, not in base64.
    pub fn is_signed_with(&self, password: &str, nonce: &[u8]) -> bool {
        let expected = digest(&self.server_id, password, nonce, &self.signed);
        // Looks at every octet, whichever is the first to differ.
        let differences = expected.iter().zip(&self.digest);
        differences.fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

fn digest(server_id: &[u8], password: &str, nonce: &[u8], signed: &[u8]) -> [u8; DIGEST] {
    let mut credentials = server_id.to_vec();
    credentials.push(b':');
    credentials.extend_from_slice(password.as_bytes());
    let mut text = STANDARD.encode(Md5::digest(&credentials)).into_bytes();
    text.push(b':');
    text.extend_from_slice(nonce);
    text.push(b':');
    text.extend_from_slice(STANDARD.encode(Md5::digest(signed)).as_bytes());
    Md5::digest(&text).into()
}

/// The octets of a notification. The nonce is in octets (NextNonce decoded), and may be empty.
///
/// A media type without a WSP number is left out: the receiver sees the address.
pub fn build(notice: &Notice, password: &str, nonce: &[u8]) -> Result<Vec<u8>, BuildError> {
    let signed = body(notice)?;
    let mut out = digest(notice.server_id.as_bytes(), password, nonce, &signed).to_vec();
    out.extend_from_slice(&signed);
    Ok(out)
}

/// A notification with sixteen octets 0 instead of a digest, for phones that have no password from us.
pub fn build_unsigned(notice: &Notice) -> Result<Vec<u8>, BuildError> {
    let mut out = vec![0; DIGEST];
    out.extend_from_slice(&body(notice)?);
    Ok(out)
}

fn body(notice: &Notice) -> Result<Vec<u8>, BuildError> {
    if notice.syncs.len() > MOST_SYNCS {
        return Err(BuildError::TooManySyncs {
            datastores: notice.syncs.len(),
        });
    }
    let initiator = u16::from(notice.initiator == Initiator::Server);
    let head = VERSION << 6 | u16::from(notice.ui_mode.bits()) << 4 | initiator << 3;
    let mut out = head.to_be_bytes().to_vec();
    out.extend_from_slice(&[0; 3]);
    out.extend_from_slice(&notice.session_id.to_be_bytes());
    text(&mut out, "server id", &notice.server_id)?;
    out.push((notice.syncs.len() as u8) << 4);
    for sync in &notice.syncs {
        out.push(((sync.alert.code() - 200) as u8) << 4);
        let code = sync.content_type.code().filter(|&code| code < 1 << 24);
        out.extend_from_slice(&code.unwrap_or(0).to_be_bytes()[1..]);
        text(&mut out, "address of a datastore", &sync.uri)?;
    }
    if notice.vendor.len() > MOST_VENDOR {
        return Err(BuildError::TooLong {
            field: "vendor data",
            octets: notice.vendor.len(),
            most: MOST_VENDOR,
        });
    }
    out.extend_from_slice(&notice.vendor);
    Ok(out)
}

fn text(out: &mut Vec<u8>, field: &'static str, text: &str) -> Result<(), BuildError> {
    let length = u8::try_from(text.len()).map_err(|_| BuildError::TooLong {
        field,
        octets: text.len(),
        most: MOST_TEXT,
    })?;
    out.push(length);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Reads a notification. What is for future use is not looked at. The digest is not checked: see
/// [`Received::is_signed_with`].
pub fn read(input: &[u8]) -> Result<Received, ReadError> {
    let mut octets = Octets::new(input, "digest");
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(octets.take(DIGEST)?);
    octets.within("notification's head");
    let at = octets.offset();
    let head = octets.u16()?;
    let version = head >> 6;
    // 1.1 never had this form, but software writes the number; a later 1.x can only add.
    if !(10..20).contains(&version) {
        return Err(octets.fail(at, ReadErrorKind::Version(version)));
    }
    octets.take(3)?;
    let session_id = octets.u16()?;
    octets.within("server id");
    let length = usize::from(octets.octet()?);
    let server_id = octets.take(length)?;
    octets.within("list of datastores");
    let count = octets.octet()? >> 4;
    let mut syncs = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let at = octets.offset();
        let code = 200 + u32::from(octets.octet()? >> 4);
        let alert = ServerAlert::from_code(code)
            .ok_or_else(|| octets.fail(at, ReadErrorKind::Alert(code)))?;
        let number = octets.take(3)?;
        let number = u32::from_be_bytes([0, number[0], number[1], number[2]]);
        let length = usize::from(octets.octet()?);
        let uri = lenient_utf8(octets.take(length)?).into_owned();
        syncs.push(Sync {
            alert,
            content_type: MediaType::from_code(number),
            uri,
        });
    }
    let at = octets.offset();
    let vendor = octets.rest();
    if vendor.len() > MOST_VENDOR {
        return Err(octets.fail(at + MOST_VENDOR, ReadErrorKind::Number("vendor data")));
    }
    Ok(Received {
        digest,
        version,
        notice: Notice {
            ui_mode: UiMode::ALL[usize::from(head >> 4 & 3)],
            initiator: if head >> 3 & 1 == 1 {
                Initiator::Server
            } else {
                Initiator::User
            },
            session_id,
            server_id: lenient_utf8(server_id).into_owned(),
            syncs,
            vendor: vendor.to_vec(),
        },
        signed: input[DIGEST..].to_vec(),
        server_id: server_id.to_vec(),
    })
}
