//! Authentication (SyncML Representation Protocol, Cred and Chal; Sync Protocol 1.1 section 3).
//!
//! Basic is base64 of `user:password`. MD5 of 1.1 and later is `MD5(B64(MD5(user:password)):nonce)`, of 1.0
//! `MD5(user:password:nonce)`. The nonce is the octets of the NextNonce that the device was given last: a chain per device.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::{Digest as _, Md5};

use crate::sync::{Account, Device, DeviceId, Peer, Secret};
use crate::syncml::{Chal, Code, Command, Cred, Header, Message, Meta, Status, Version};

/// Phones leave out padding, or the bits behind it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BASIC: &str = "syncml:auth-basic";
const MD5: &str = "syncml:auth-md5";

/// Octets of a nonce that a device gives.
const MAX_NONCE: usize = 128;

/// How a message was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By the session that it belongs to.
    Session,
    /// By basic credentials.
    Basic,
    /// By an MD5 digest over the device's newest nonce.
    Digest,
    /// By an MD5 digest over the nonce before: the device did not get the newest. Good once.
    PreviousDigest,
}

/// Why a message was not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 401 for wrong credentials, 407 for none, 406 for a kind of credentials that is not known.
    pub code: Code,
    /// What is asked for: basic if the client tried that, else MD5 with this nonce.
    nonce: Option<Vec<u8>>,
}

/// Checks who sent a message. `proven` messages belong to a session whose sender has proved who it is. `fallback_nonce` is the nonce of devices that are not known (see
/// [`challenge_nonce_from`]).
pub fn admit(
    message: &Message<'_>,
    version: Version,
    peer: &Peer,
    proven: bool,
    fallback_nonce: &[u8],
) -> Result<Admission, Refusal> {
    if proven {
        return Ok(Admission::Session);
    }
    let newest = peer
        .device
        .as_ref()
        .map(|device| &*device.nonce)
        .filter(|nonce| !nonce.is_empty());
    let nonce = newest.unwrap_or(fallback_nonce);
    let refuse = |code, basic: bool| Refusal {
        code,
        nonce: (!basic).then(|| nonce.to_vec()),
    };
    let Some(cred) = &message.header.cred else {
        return Err(refuse(Code::MISSING_CREDENTIALS, false));
    };
    match Scheme::of(cred) {
        Some(Scheme::Basic) => {
            let account = peer.account.as_ref();
            match account.zip(basic_parts(cred)) {
                Some((account, (user, password)))
                    if equal(user.as_bytes(), account.name.as_bytes())
                        & equal(password.as_bytes(), account.password.0.as_bytes()) =>
                {
                    Ok(Admission::Basic)
                }
                _ => Err(refuse(Code::INVALID_CREDENTIALS, true)),
            }
        }
        Some(Scheme::Md5) => {
            let Some(account) = &peer.account else {
                return Err(refuse(Code::INVALID_CREDENTIALS, false));
            };
            let proves = |nonce: &[u8]| digest_matches(cred, &digest(version, account, nonce));
            let previous = peer
                .device
                .as_ref()
                .map(|device| &*device.previous_nonce)
                .filter(|nonce| !nonce.is_empty());
            if proves(nonce) {
                Ok(Admission::Digest)
            } else if previous.is_some_and(proves) {
                Ok(Admission::PreviousDigest)
            } else {
                Err(refuse(Code::INVALID_CREDENTIALS, false))
            }
        }
        None => Err(refuse(Code::FEATURE_NOT_SUPPORTED, false)),
    }
}

/// Checks whether a message that was refused proves itself with a password of a device instead of the account's; gives
/// that device.
pub fn admit_by_key<'k>(
    message: &Message<'_>,
    version: Version,
    peer: &Peer,
    keys: impl IntoIterator<Item = (DeviceId, &'k Secret)>,
    fallback_nonce: &[u8],
) -> Option<(DeviceId, Admission)> {
    let account = peer.account.as_ref()?;
    keys.into_iter().find_map(|(device, password)| {
        let with_key = Peer {
            account: Some(Account {
                password: password.clone(),
                ..account.clone()
            }),
            device: peer.device.clone(),
            ..Peer::default()
        };
        let admission = admit(message, version, &with_key, false, fallback_nonce).ok()?;
        Some((device, admission))
    })
}

/// A nonce for devices that have none yet, made of a secret of the server, the device's address and the hour, so that
/// nothing has to be kept for strangers.
pub fn challenge_nonce_from(secret: &[u8], device: &str, now: i64) -> Vec<u8> {
    let mut hash = sha2::Sha256::new();
    for part in [
        secret,
        device.as_bytes(),
        &now.div_euclid(3600).to_be_bytes(),
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].to_vec()
}

/// The user that a header names: in basic credentials, else as LocName of the Source.
pub fn user_name(header: &Header<'_>) -> Option<String> {
    let by_cred = header
        .cred
        .as_ref()
        .filter(|cred| matches!(Scheme::of(cred), Some(Scheme::Basic)))
        .and_then(basic_parts)
        .map(|(user, _)| user);
    by_cred
        .or_else(|| header.source.name.as_deref().map(ToOwned::to_owned))
        .filter(|name| !name.is_empty())
}

impl Refusal {
    /// The reply: the same failure for every command of the message, and no commands of our own.
    pub fn reply(&self, message: &Message<'_>, version: Version) -> Message<'static> {
        let header = &message.header;
        let mut reply = reply_to(header, version);
        let mut cmd_id = 0_u32;
        let mut push = |cmd_ref: &str, cmd: &str, refs: [Option<&str>; 2], chal| {
            cmd_id += 1;
            reply.body.push(Command::Status(Status {
                cmd_id: Cow::Owned(cmd_id.to_string()),
                msg_ref: Cow::Owned(header.msg_id.to_string()),
                cmd_ref: Cow::Owned(cmd_ref.to_owned()),
                cmd: Cow::Owned(cmd.to_owned()),
                target_refs: refs[0]
                    .map(|uri| Cow::Owned(uri.to_owned()))
                    .into_iter()
                    .collect(),
                source_refs: refs[1]
                    .map(|uri| Cow::Owned(uri.to_owned()))
                    .into_iter()
                    .collect(),
                chal,
                code: self.code,
                ..Status::default()
            }));
        };
        push(
            "0",
            "SyncHdr",
            [Some(&header.target.uri), Some(&header.source.uri)],
            Some(Box::new(self.challenge())),
        );
        for command in &message.body {
            if !matches!(command, Command::Status(_) | Command::Results(_)) && !command.no_resp() {
                push(command.cmd_id(), command.name(), [None, None], None);
            }
        }
        reply
    }

    fn challenge(&self) -> Chal<'static> {
        match &self.nonce {
            Some(nonce) => challenge(nonce),
            None => Chal {
                meta: Meta {
                    kind: Some(BASIC.into()),
                    format: Some("b64".into()),
                    ..Meta::default()
                },
            },
        }
    }
}

/// A challenge for MD5 credentials over a nonce.
pub(super) fn challenge(nonce: &[u8]) -> Chal<'static> {
    Chal {
        meta: Meta {
            kind: Some(MD5.into()),
            format: Some("b64".into()),
            next_nonce: Some(Cow::Owned(STANDARD.encode(nonce).into_bytes())),
            ..Meta::default()
        },
    }
}

/// The nonce that the device gives for the next notification: the challenge in its Status for our header (OMA DS 1.2,
/// server alerted notification, digest). It comes with any code; an empty or too long one counts for nothing.
pub(super) fn notification_nonce(status: &Status<'_>) -> Option<Vec<u8>> {
    if status.cmd_ref.trim() != "0" {
        return None;
    }
    let raw = status.chal.as_ref()?.meta.next_nonce.as_deref()?;
    // Some WBXML clients send the octets themselves.
    let nonce = decode(raw).unwrap_or_else(|| raw.to_vec());
    (1..=MAX_NONCE).contains(&nonce.len()).then_some(nonce)
}

/// A reply's header: Target and Source change places, the MsgID is the request's.
pub fn reply_to(header: &Header<'_>, version: Version) -> Message<'static> {
    let turned = |location: &crate::syncml::Location<'_>| crate::syncml::Location {
        uri: Cow::Owned(location.uri.to_string()),
        name: None,
        filter: None,
    };
    Message {
        header: Header {
            ver_dtd: version.dtd().into(),
            ver_proto: version.proto().into(),
            session_id: Cow::Owned(header.session_id.to_string()),
            msg_id: Cow::Owned(header.msg_id.to_string()),
            target: turned(&header.source),
            source: turned(&header.target),
            ..Header::default()
        },
        body: Vec::new(),
        last: true,
    }
}

/// After an admission by credentials: the device with the nonce for its next session.
pub(super) fn advance(device: &mut Device, admission: Admission, next: [u8; 16]) {
    device.previous_nonce = match admission {
        Admission::Digest => std::mem::take(&mut device.nonce),
        // It was good once.
        Admission::PreviousDigest | Admission::Basic | Admission::Session => Vec::new(),
    };
    device.nonce = next.to_vec();
}

/// What is kept of the credentials that opened a session, to know them again.
pub(super) fn mark(cred: &Cred<'_>) -> String {
    STANDARD.encode(sha2::Sha256::digest(&cred.data))
}

#[derive(Clone, Copy)]
enum Scheme {
    Basic,
    Md5,
}

impl Scheme {
    /// Type may be missing on old phones: then it is basic.
    fn of(cred: &Cred<'_>) -> Option<Self> {
        match cred.meta.kind.as_deref().map(str::trim) {
            None => Some(Self::Basic),
            Some(kind) if kind.eq_ignore_ascii_case(BASIC) => Some(Self::Basic),
            Some(kind) if kind.eq_ignore_ascii_case(MD5) => Some(Self::Md5),
            Some(_) => None,
        }
    }
}

fn basic_parts(cred: &Cred<'_>) -> Option<(String, String)> {
    let text = String::from_utf8(decode(&cred.data)?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn decode(data: &[u8]) -> Option<Vec<u8>> {
    let compact: Vec<u8> = data
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    LENIENT.decode(compact).ok()
}

fn digest(version: Version, account: &Account, nonce: &[u8]) -> [u8; 16] {
    let mut secret = Md5::new();
    secret.update(account.name.as_bytes());
    secret.update(b":");
    secret.update(account.password.0.as_bytes());
    let mut proof = if version == Version::V10 {
        secret
    } else {
        let mut proof = Md5::new();
        proof.update(STANDARD.encode(secret.finalize()).as_bytes());
        proof
    };
    proof.update(b":");
    proof.update(nonce);
    proof.finalize().into()
}

/// Digests come as base64, or raw from some WBXML clients.
fn digest_matches(cred: &Cred<'_>, expected: &[u8; 16]) -> bool {
    if cred.data.len() == 16 {
        return equal(&cred.data, expected);
    }
    decode(&cred.data).is_some_and(|given| equal(&given, expected))
}

/// Compares without telling by its duration where the difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syncml::Location;

    fn account() -> Account {
        Account {
            name: "Bruce2".into(),
            password: Secret("OhBehave".into()),
            ..Account::default()
        }
    }

    fn message(kind: &'static str, data: &str) -> Message<'static> {
        let mut message = Message::default();
        message.header.source = Location::new("IMEI:1");
        message.header.source.name = Some("Bruce2".into());
        message.header.cred = Some(Cred {
            meta: Meta {
                kind: Some(kind.into()),
                ..Meta::default()
            },
            data: Cow::Owned(data.as_bytes().to_vec()),
        });
        message
    }

    fn known(nonce: &[u8], previous: &[u8]) -> Peer {
        Peer {
            account: Some(account()),
            device: Some(Device {
                nonce: nonce.to_vec(),
                previous_nonce: previous.to_vec(),
                ..Device::default()
            }),
            ..Peer::default()
        }
    }

    #[test]
    fn digests_are_those_of_the_specification() {
        let text = |version| STANDARD.encode(digest(version, &account(), b"Nonce"));
        assert_eq!(text(Version::V11), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert_eq!(text(Version::V12), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert_eq!(text(Version::V10), "UmkqAAZhiQvXXhfaf/u+OQ==");
    }

    #[test]
    fn a_nonce_for_notifications_stands_in_the_status_for_our_header() {
        let status = |cmd_ref: &'static str, nonce: &'static [u8]| Status {
            cmd_ref: cmd_ref.into(),
            code: Code::OK,
            chal: Some(Box::new(Chal {
                meta: Meta {
                    next_nonce: Some(nonce.into()),
                    ..Meta::default()
                },
            })),
            ..Status::default()
        };
        assert_eq!(
            notification_nonce(&status("0", b"bm9uY2U=")),
            Some(b"nonce".to_vec())
        );
        assert_eq!(
            notification_nonce(&status(" 0", b"\x00\xff\x01")),
            Some(vec![0, 0xff, 1])
        );
        assert_eq!(notification_nonce(&status("1", b"bm9uY2U=")), None);
        assert_eq!(notification_nonce(&status("0", b"")), None);
        assert_eq!(notification_nonce(&status("0", &[0xff; 129])), None);
        assert_eq!(notification_nonce(&Status::default()), None);
    }

    #[test]
    fn the_newest_nonce_and_the_one_before_are_good() {
        let request = message(MD5, "Zz6EivR3yeaaENcRN6lpAQ==");
        let check = |peer: &Peer| admit(&request, Version::V12, peer, false, b"x");
        assert_eq!(check(&known(b"Nonce", b"")), Ok(Admission::Digest));
        assert_eq!(
            check(&known(b"other", b"Nonce")),
            Ok(Admission::PreviousDigest)
        );
        assert_eq!(
            check(&known(b"other", b"")).map_err(|refusal| refusal.code),
            Err(Code::INVALID_CREDENTIALS)
        );
        let stranger = Peer {
            account: Some(account()),
            ..Peer::default()
        };
        assert_eq!(
            admit(&request, Version::V12, &stranger, false, b"Nonce"),
            Ok(Admission::Digest)
        );
    }

    #[test]
    fn a_device_s_own_password_is_as_good_as_the_account_s() {
        let request = message(MD5, "Zz6EivR3yeaaENcRN6lpAQ==");
        let mut peer = known(b"Nonce", b"");
        if let Some(account) = &mut peer.account {
            account.password = Secret("another".into());
        }
        assert!(admit(&request, Version::V12, &peer, false, b"").is_err());
        let right = Secret("OhBehave".into());
        let wrong = Secret("no".into());
        let keys = [(DeviceId(3), &wrong), (DeviceId(7), &right)];
        let by_key = |keys: &[(DeviceId, &Secret)]| {
            admit_by_key(&request, Version::V12, &peer, keys.iter().copied(), b"")
        };
        assert_eq!(by_key(&keys), Some((DeviceId(7), Admission::Digest)));
        assert_eq!(by_key(&keys[..1]), None);
        assert_eq!(by_key(&[]), None);
    }

    #[test]
    fn a_nonce_is_good_once() {
        let mut device = Device {
            nonce: b"one".to_vec(),
            ..Device::default()
        };
        advance(&mut device, Admission::Digest, [2; 16]);
        assert_eq!(
            (&*device.previous_nonce, &*device.nonce),
            (&b"one"[..], &[2; 16][..])
        );
        advance(&mut device, Admission::PreviousDigest, [3; 16]);
        assert_eq!(
            (&*device.previous_nonce, &*device.nonce),
            (&b""[..], &[3; 16][..])
        );
    }

    #[test]
    fn basic_is_lenient_about_base64_and_strict_about_the_rest() {
        let check = |data: &str| {
            admit(
                &message(BASIC, data),
                Version::V12,
                &known(b"", b""),
                false,
                b"",
            )
        };
        for good in ["QnJ1Y2UyOk9oQmVoYXZl", "QnJ1Y2Uy\r\nOk9oQmVoYXZl"] {
            assert_eq!(check(good), Ok(Admission::Basic), "{good}");
        }
        for bad in [
            "",
            "QnJ1Y2UyOk9oQmVoYXZ",
            "QnJ1Y2UyOm90aGVy",
            "====",
            "\u{1F600}",
        ] {
            assert_eq!(
                check(bad).map_err(|refusal| refusal.code),
                Err(Code::INVALID_CREDENTIALS),
                "{bad}"
            );
        }
    }

    #[test]
    fn no_credentials_and_unknown_ones_have_their_own_codes() {
        let code = |message: &Message<'_>| {
            admit(message, Version::V12, &known(b"n", b""), false, b"")
                .map_err(|refusal| refusal.code)
        };
        assert_eq!(code(&Message::default()), Err(Code::MISSING_CREDENTIALS));
        assert_eq!(
            code(&message("syncml:auth-MAC", "x")),
            Err(Code::FEATURE_NOT_SUPPORTED)
        );
    }

    #[test]
    fn a_refusal_answers_every_command_and_challenges_once() {
        let mut request = message(MD5, "wrong");
        for cmd_id in ["1", "2"] {
            request.body.push(Command::Alert(crate::syncml::Alert {
                cmd_id: cmd_id.into(),
                ..Default::default()
            }));
        }
        let refusal = admit(&request, Version::V12, &known(b"n", b""), false, b"")
            .expect_err("the digest is wrong");
        let reply = refusal.reply(&request, Version::V12);
        let statuses: Vec<_> = reply
            .body
            .iter()
            .map(|command| match command {
                Command::Status(status) => (&*status.cmd_ref, status.code, status.chal.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        let code = Code::INVALID_CREDENTIALS;
        assert_eq!(
            statuses,
            [("0", code, true), ("1", code, false), ("2", code, false)]
        );
    }
}
