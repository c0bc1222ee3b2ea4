//! What comes to a phone by short message: notifications, settings, texts (OMA DS 1.2 package #0, SyncML 1.1
//! section 8, WAP push, Client Provisioning, OTA 7.0).
//!
//! An inbox puts segments together and opens what they make. It believes a notification only if its digest is right,
//! as phones do that have the server's password.

use crate::push::emn::Emn;
use crate::push::prov::{self, Sec, Security};
use crate::push::si::{Indication, Loading};
use crate::push::wdp::{Ports, Reassembly, UserDataHeader};
use crate::push::wsp::{MediaType, Push, Value, parameter};
use crate::push::{
    AccessPoint, Notice, ReadError, ReadErrorKind, ServerAlert, notification, ota, san,
};

use super::mode::Mode;
use super::settings::Settings;

/// What a phone checks signatures with.
#[derive(Clone, Default)]
pub struct Keys {
    /// The server's password at the phone. Without it a phone cannot check, and believes everything.
    pub server_password: Option<String>,
    /// The nonces that the server may use, in octets ([`super::Memory::server_nonces`]); none is the same as an empty one.
    pub nonces: Vec<Vec<u8>>,
    /// The PIN that the user types when settings come.
    pub pin: Option<String>,
    /// The number of the card.
    pub imsi: Option<String>,
}

/// Without the secrets.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// What a phone thinks of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signature {
    /// There is none.
    Missing,
    /// The phone has nothing to check it with.
    Unchecked,
    /// It is right.
    Right,
    /// It is wrong: whoever sent this does not know the secret.
    Wrong,
}

/// The server asks for a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Who asks, how the user is told, what is to be synced.
    pub notice: Notice,
    /// What the phone thinks of its digest or credentials.
    pub signature: Signature,
}

impl Notification {
    /// The phone acts on it: the signature is right, or the phone cannot check.
    pub const fn is_believed(&self) -> bool {
        matches!(self.signature, Signature::Right | Signature::Unchecked)
    }

    /// The phone's datastores that are to be synced, and how. Addresses are compared as phones do: without `./`, slashes
    /// at the ends, a CGI part, and case. None means all of the phone's; what the phone does not have is left out.
    pub fn syncs(&self, settings: &Settings) -> Vec<(String, Mode)> {
        if self.notice.syncs.is_empty() {
            let names = settings.datastores.keys();
            return names.map(|name| (name.clone(), Mode::TwoWay)).collect();
        }
        let mut found: Vec<(String, Mode)> = Vec::new();
        for sync in &self.notice.syncs {
            let wanted = plain(&sync.uri);
            let mut datastores = settings.datastores.iter();
            let known = datastores.find(|(_, addresses)| plain(&addresses.remote) == wanted);
            if let Some((name, _)) = known
                && found.iter().all(|(known, _)| known != name)
            {
                found.push((name.clone(), mode(sync.alert)));
            }
        }
        found
    }
}

/// An address without what does not matter.
fn plain(uri: &str) -> String {
    let path = uri.split('?').next().unwrap_or_default().trim();
    let path = path.strip_prefix("./").unwrap_or(path);
    path.trim_matches('/').to_ascii_lowercase()
}

const fn mode(alert: ServerAlert) -> Mode {
    match alert {
        ServerAlert::TwoWay => Mode::TwoWay,
        ServerAlert::OneWayFromClient => Mode::OneWayFromClient,
        ServerAlert::RefreshFromClient => Mode::RefreshFromClient,
        ServerAlert::OneWayFromServer => Mode::OneWayFromServer,
        ServerAlert::RefreshFromServer => Mode::RefreshFromServer,
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The server asks for a sync.
    Notification(Notification),
    /// Settings of a sync account.
    Settings(Box<crate::push::Settings>, Signature),
    /// An access point, from browser settings.
    AccessPoint(Box<AccessPoint>),
    /// There is new mail.
    Mail(Emn),
    /// A text with a link.
    Indication(Indication),
    /// A page that the browser opens.
    Loading(Loading),
    /// A text for the user.
    Text(String),
    /// A push of another kind.
    Other(MediaType),
}

/// Takes short messages.
#[derive(Debug, Default)]
pub struct Inbox {
    keys: Keys,
    reassembly: Reassembly,
}

impl Inbox {
    /// An inbox of a phone with these keys.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            reassembly: Reassembly::new(),
        }
    }

    /// The nonces that the server may use from now on.
    pub fn set_nonces(&mut self, nonces: Vec<Vec<u8>>) {
        self.keys.nonces = nonces;
    }

    /// Takes a short message: its user data header with its length octet (empty if there is none), and what follows.
    /// `None` as long as segments are missing.
    pub fn receive(
        &mut self,
        sender: &str,
        udh: &[u8],
        body: &[u8],
    ) -> Result<Option<Incoming>, ReadError> {
        let Some(datagram) = self.reassembly.add(sender, udh, body)? else {
            return Ok(None);
        };
        match datagram.ports {
            None => {
                let text = String::from_utf8_lossy(&datagram.payload).into_owned();
                Ok(Some(Incoming::Text(text)))
            }
            Some(_) => self.open(&datagram.payload).map(Some),
        }
    }

    /// Takes a datagram as a loopback gateway or an emulator hands it over: a WAP push, or a short message whose user
    /// data header has ports.
    pub fn receive_datagram(
        &mut self,
        sender: &str,
        datagram: &[u8],
    ) -> Result<Option<Incoming>, ReadError> {
        match UserDataHeader::read(datagram) {
            Ok((header, length)) if header.ports.is_some_and(is_for_push) => {
                self.receive(sender, &datagram[..length], &datagram[length..])
            }
            _ => self.open(datagram).map(Some),
        }
    }

    /// Opens a WAP push.
    pub fn open(&self, payload: &[u8]) -> Result<Incoming, ReadError> {
        let push = Push::read(payload)?;
        let media = &push.content_type;
        let body = &push.body;
        Ok(if *media == MediaType::DS_NOTIFICATION {
            let received = san::read(body)?;
            let signature = self.digest(&received);
            Incoming::Notification(Notification {
                notice: received.notice,
                signature,
            })
        } else if [MediaType::SYNCML_WBXML, MediaType::SYNCML_XML].contains(media) {
            let received = notification::read(body)?;
            let signature = self.credentials(&received);
            Incoming::Notification(Notification {
                notice: received.notice,
                signature,
            })
        } else if [MediaType::PROV, MediaType::PROV_TEXT].contains(media) {
            let settings = prov::Document::read(body)?.settings()?;
            Incoming::Settings(Box::new(settings), self.signature(&push)?)
        } else if *media == MediaType::SYNC_SETTINGS {
            let settings = ota::read_sync(body)?;
            Incoming::Settings(Box::new(settings), self.signature(&push)?)
        } else if *media == MediaType::new(ota::BROWSER_SETTINGS) {
            Incoming::AccessPoint(Box::new(ota::read_browser(body)?.0))
        } else if [MediaType::EMN, MediaType::EMN_TEXT].contains(media) {
            Incoming::Mail(Emn::read(body)?)
        } else if [MediaType::SI, MediaType::SI_TEXT].contains(media) {
            Incoming::Indication(Indication::read(body)?)
        } else if [MediaType::SL, MediaType::SL_TEXT].contains(media) {
            Incoming::Loading(Loading::read(body)?)
        } else {
            Incoming::Other(media.clone())
        })
    }

    fn digest(&self, received: &san::Received) -> Signature {
        let Some(password) = &self.keys.server_password else {
            return Signature::Unchecked;
        };
        if received.digest == [0; san::DIGEST] {
            return Signature::Missing;
        }
        let mut nonces = self.nonces();
        judged(nonces.any(|nonce| received.is_signed_with(password, nonce)))
    }

    fn nonces(&self) -> impl Iterator<Item = &[u8]> {
        let none = self.keys.nonces.is_empty().then_some(&b""[..]);
        let known = self.keys.nonces.iter().map(Vec::as_slice);
        known.chain(none)
    }

    fn credentials(&self, received: &notification::Received) -> Signature {
        let Some(password) = &self.keys.server_password else {
            return Signature::Unchecked;
        };
        if !received.has_credentials() {
            return Signature::Missing;
        }
        let name = &*received.notice.server_id;
        let digests = self.nonces().map(|nonce| notification::Credentials::Md5 {
            name,
            password,
            nonce,
        });
        let basic = notification::Credentials::Basic { name, password };
        let mut credentials = digests.chain([basic]);
        judged(credentials.any(|credentials| received.is_signed_with(credentials)))
    }

    fn signature(&self, push: &Push) -> Result<Signature, ReadError> {
        let Some(sec) = push.parameter(parameter::SEC).and_then(Value::integer) else {
            return Ok(Signature::Missing);
        };
        let sec = Sec::from_number(sec)
            .ok_or(ReadErrorKind::Value("SEC"))
            .map_err(|kind| ReadError { offset: 0, kind })?;
        let (pin, imsi) = (self.keys.pin.clone(), self.keys.imsi.clone());
        let security = match (sec, pin, imsi) {
            (Sec::NetworkPin, _, Some(imsi)) => Security::NetworkPin { imsi },
            (Sec::UserPin, Some(pin), _) => Security::UserPin { pin },
            (Sec::UserNetworkPin, Some(pin), Some(imsi)) => Security::UserNetworkPin { imsi, pin },
            (Sec::UserPinMac, Some(pin), _) => Security::UserPinMac { pin },
            _ => return Ok(Signature::Unchecked),
        };
        Ok(judged(prov::is_signed_with(push, &security)))
    }
}

const fn judged(right: bool) -> Signature {
    if right {
        Signature::Right
    } else {
        Signature::Wrong
    }
}

/// The ports that a phone listens on.
fn is_for_push(ports: Ports) -> bool {
    let known = [Ports::PUSH, Ports::OTA_BROWSER, Ports::OTA_SYNC];
    known
        .iter()
        .any(|known| known.destination() == ports.destination())
}
