//! A small server written by hand from the package rules, to test the client against. It keeps its answers short by
//! count, not by size, and leaves out whatever the client does not need to be shown.

mod commands;
mod package_4;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::handset::credentials::{basic_data, md5_data};
use crate::handset::{Answer, Post, Settings, TransportError};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{
    Alert, Carrier, Chal, Code, Command, Header, Location, Message, Meta, Status, Version,
};

/// An item of the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PeerItem {
    pub(super) body: String,
    /// The phone's id, when its Map came.
    pub(super) luid: Option<String>,
    /// The phone must be told.
    pub(super) changed: bool,
}

/// A datastore of the server.
#[derive(Debug, Default)]
pub(super) struct PeerStore {
    pub(super) items: BTreeMap<String, PeerItem>,
    /// LUIDs of items that the phone must delete.
    pub(super) deleted: Vec<String>,
    pub(super) client_anchor: Option<String>,
    pub(super) anchor: u32,
    mode: u32,
    next: String,
    seen: Vec<String>,
    chunk: Option<(String, u64, Vec<u8>)>,
    pub(super) counts: Vec<u64>,
}

impl PeerStore {
    pub(super) fn put(&mut self, guid: &str, body: &str) {
        let item = PeerItem {
            body: body.into(),
            changed: true,
            ..PeerItem::default()
        };
        self.items.insert(guid.into(), item);
    }

    /// Drops what came of a split item.
    pub(super) fn forget_part(&mut self) {
        self.chunk = None;
    }

    pub(super) fn bodies(&self) -> Vec<&str> {
        let mut bodies: Vec<_> = self.items.values().map(|item| item.body.as_str()).collect();
        bodies.sort_unstable();
        bodies
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum PeerAuth {
    #[default]
    None,
    Basic,
    Md5,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Initialising,
    Syncing,
    Sending,
    Mapping,
}

/// What a test may set before and look at after.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) version: Version,
    pub(super) xml: bool,
    pub(super) auth: PeerAuth,
    pub(super) credentials: (String, String),
    pub(super) nonce: String,
    /// 200 instead of 212: credentials are wanted in each message.
    pub(super) each_message: bool,
    pub(super) max_msg_size: Option<u64>,
    pub(super) max_obj_size: Option<u64>,
    pub(super) resp_uri: Option<String>,
    pub(super) ask_devinf: bool,
    /// Answers with 101 so many times.
    pub(super) busy: u32,
    pub(super) no_resp: bool,
    /// Items that a message to the phone holds.
    pub(super) per_message: usize,
    /// Octets of the parts that larger items are split into.
    pub(super) part: usize,
    /// Codes for items that hold a text.
    pub(super) item_codes: Vec<(&'static str, Code)>,
    /// Codes for the Alerts of a datastore.
    pub(super) alert_codes: BTreeMap<&'static str, Code>,
    /// Answers Maps with this code and takes none.
    pub(super) map_code: Option<Code>,
    /// NumberOfChanges of its Syncs.
    pub(super) announce: Option<u64>,
    /// Final where it must not be: while the client's package is open.
    pub(super) early_final: bool,
    /// Refuses a Sync whose Alert was not seen.
    pub(super) strict_phases: bool,
    pub(super) stores: BTreeMap<String, PeerStore>,
    pub(super) requests: Vec<Message<'static>>,
    pub(super) answers: Vec<Message<'static>>,
    pub(super) sizes: Vec<usize>,
    pub(super) urls: Vec<String>,
    session: String,
    stage: Stage,
    msg_id: u32,
    cmd_id: u32,
    accepted: bool,
    took_sync: bool,
    /// The message whose result a busy server owes.
    waiting: Option<Message<'static>>,
    outgoing: VecDeque<(String, Command<'static>)>,
    last: Option<(Vec<u8>, Vec<u8>)>,
}

pub(super) type Shared = Rc<RefCell<Peer>>;

impl Peer {
    pub(super) fn shared(settings: &Settings) -> Shared {
        let stores = ["contacts", "calendar", "tasks", "notes"];
        Rc::new(RefCell::new(Self {
            version: settings.version,
            xml: settings.carrier == Carrier::Xml,
            credentials: (settings.user.clone(), settings.password.clone()),
            nonce: "first".into(),
            per_message: 1000,
            part: 100_000,
            stores: stores
                .map(|name| (name.to_owned(), PeerStore::default()))
                .into(),
            ..Self::default()
        }))
    }

    pub(super) fn store(&mut self, name: &str) -> &mut PeerStore {
        self.stores.get_mut(name).expect("a datastore of the peer")
    }

    pub(super) fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        let carrier = if self.xml {
            Carrier::Xml
        } else {
            Carrier::Wbxml
        };
        assert_eq!(post.content_type, carrier.mime());
        if let Some((request, answer)) = &self.last
            && request == post.body
        {
            return Ok(Answer::ok(carrier.mime(), answer.clone()));
        }
        self.urls.push(post.url.to_owned());
        self.sizes.push(post.body.len());
        let message = decode(post.body, carrier, &Limits::default()).expect("a message");
        let message = message.into_owned();
        let answer = self.answer(&message);
        let octets = encode(&answer, &Form::new(carrier, self.version));
        self.requests.push(message);
        self.answers.push(answer);
        self.last = Some((post.body.to_vec(), octets.clone()));
        Ok(Answer::ok(
            format!("{}; charset=UTF-8", carrier.mime()),
            octets,
        ))
    }

    fn answer(&mut self, message: &Message<'static>) -> Message<'static> {
        let header = &message.header;
        if header.session_id != self.session.as_str() {
            self.session = header.session_id.to_string();
            self.stage = Stage::Initialising;
            self.msg_id = 0;
            self.accepted = false;
            self.took_sync = false;
            self.outgoing.clear();
        }
        self.msg_id += 1;
        self.cmd_id = 0;
        let meta = Meta {
            max_msg_size: self.max_msg_size,
            max_obj_size: self.max_obj_size,
            ..Meta::default()
        };
        let mut answer = Message {
            header: Header {
                ver_dtd: self.version.dtd().into(),
                ver_proto: self.version.proto().into(),
                session_id: header.session_id.clone(),
                msg_id: self.msg_id.to_string().into(),
                target: Location::new(header.source.uri.clone()),
                source: Location::new(header.target.uri.clone()),
                resp_uri: self.resp_uri.clone().map(Into::into),
                no_resp: self.no_resp,
                meta: Some(meta),
                ..Header::default()
            },
            ..Message::default()
        };
        let (code, chal) = self.authenticate(message);
        let refused = code.0 >= 400;
        let busy = !refused && self.busy > 0;
        let code = if busy { Code::IN_PROGRESS } else { code };
        let mut status = self.status(message, "SyncHdr", "0", code);
        status.chal = chal.map(Box::new);
        answer.body.push(Command::Status(status));
        if busy {
            self.busy -= 1;
            self.waiting.get_or_insert_with(|| message.clone());
            return answer;
        }
        let waiting = self.waiting.take();
        let message = waiting.as_ref().unwrap_or(message);
        for command in &message.body {
            if refused {
                let status = self.status(message, command.name(), command.cmd_id(), code);
                answer.body.push(Command::Status(status));
            } else {
                self.command(message, command, &mut answer.body);
            }
        }
        if refused {
            answer.last = true;
            return answer;
        }
        if !message.last && self.stage != Stage::Sending {
            self.next_message(&mut answer.body);
            answer.last = self.early_final;
            return answer;
        }
        match self.stage {
            Stage::Initialising => {
                if self.took_sync {
                    self.queue_changes();
                    self.send(&mut answer);
                } else {
                    self.stage = Stage::Syncing;
                    answer.last = true;
                }
            }
            Stage::Syncing => {
                self.queue_changes();
                self.send(&mut answer);
            }
            Stage::Sending => self.send(&mut answer),
            Stage::Mapping => {
                for store in self.stores.values_mut() {
                    if !store.next.is_empty() {
                        store.client_anchor = Some(std::mem::take(&mut store.next));
                    }
                }
                answer.last = true;
            }
        }
        answer
    }

    fn next_message(&mut self, body: &mut Vec<Command<'static>>) {
        let cmd_id = self.id();
        body.push(Command::Alert(Alert {
            cmd_id,
            code: Some(222),
            ..Alert::default()
        }));
    }

    fn id(&mut self) -> std::borrow::Cow<'static, str> {
        self.cmd_id += 1;
        self.cmd_id.to_string().into()
    }

    fn status(
        &mut self,
        message: &Message<'_>,
        cmd: &str,
        cmd_ref: &str,
        code: Code,
    ) -> Status<'static> {
        Status {
            cmd_id: self.id(),
            msg_ref: message.header.msg_id.to_string().into(),
            cmd_ref: cmd_ref.to_owned().into(),
            cmd: cmd.to_owned().into(),
            code,
            ..Status::default()
        }
    }

    fn authenticate(&mut self, message: &Message<'_>) -> (Code, Option<Chal<'static>>) {
        let (user, password) = &self.credentials;
        let (kind, right) = match self.auth {
            PeerAuth::None => return (Code::OK, None),
            PeerAuth::Basic => ("syncml:auth-basic", basic_data(user, password)),
            PeerAuth::Md5 => {
                let nonce = self.nonce.as_bytes();
                (
                    "syncml:auth-md5",
                    md5_data(self.version, user, password, nonce),
                )
            }
        };
        if self.accepted && !self.each_message {
            assert!(message.header.cred.is_none(), "no credentials after 212");
            return (Code::OK, None);
        }
        let cred = message.header.cred.as_ref();
        let fits = cred.is_some_and(|cred| {
            cred.meta.kind.as_deref() == Some(kind) && *cred.data == *right.as_bytes()
        });
        if self.auth == PeerAuth::Md5 && fits {
            self.nonce.push('+');
        }
        let nonce = super::super::credentials::base64(self.nonce.as_bytes());
        let chal = Chal {
            meta: Meta {
                format: Some("b64".into()),
                kind: Some(kind.into()),
                next_nonce: (self.auth == PeerAuth::Md5).then(|| nonce.into_bytes().into()),
                ..Meta::default()
            },
        };
        if fits {
            self.accepted = true;
            let code = if self.each_message {
                Code::OK
            } else {
                Code::AUTHENTICATED
            };
            return (code, (self.auth == PeerAuth::Md5).then_some(chal));
        }
        let code = if cred.is_some() {
            Code::INVALID_CREDENTIALS
        } else {
            Code::MISSING_CREDENTIALS
        };
        (code, Some(chal))
    }
}
