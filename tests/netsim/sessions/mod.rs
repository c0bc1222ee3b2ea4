//! Sessions that do not go straight: suspended, cut off, resumed, full, refused. One server, phones whose messages can
//! be cut off, and every message at hand.

mod groups;
mod large;
mod loops;
mod meanwhile;
mod repeated;
mod resume;
mod room;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Behaviour, Memory, Mode, Phone, PhoneError, Post, Report, Request, Settings,
    TransportError,
};
use candybar::session;
use candybar::store::{Store, StoreConfig};
use candybar::sync::{Account, Cursor, Datastore, Secret};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, ChangeKind, Command, Message};

use super::world::{card, name_and_number};

pub(super) const STORE: &str = "contacts";

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;
pub(super) type Handset = Phone<Box<Delivery>>;

type Happening = Box<dyn FnOnce()>;

/// A server, its clock, and what went over the wire.
pub(super) struct Server {
    pub store: Store,
    pub account: Account,
    pub settings: Rc<RefCell<ServerSettings>>,
    pub clock: Rc<Cell<i64>>,
    /// Every message since it was last cleared: from the phone, and its answer.
    pub wire: Rc<RefCell<Vec<(Message<'static>, Message<'static>)>>>,
    /// The answer to the message of this number (from 1, since it was set) is lost, and everything after it.
    pub cut: Rc<Cell<Option<u32>>>,
    /// As [`Self::cut`], but the message itself is lost.
    pub cut_before: Rc<Cell<Option<u32>>>,
    /// Happens once, before the answer that carries a Sync leaves.
    pub meanwhile: Rc<RefCell<Option<Happening>>>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self::with(session::Settings::default())
    }

    pub(super) fn with(session: session::Settings) -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let settings = ServerSettings {
            session,
            session_timeout: 3600,
            nonce_secret: b"netsim".to_vec(),
        };
        Self {
            store,
            account,
            settings: Rc::new(RefCell::new(settings)),
            clock: Rc::new(Cell::new(1_700_000_000)),
            wire: Rc::default(),
            cut: Rc::default(),
            cut_before: Rc::default(),
            meanwhile: Rc::default(),
        }
    }

    /// A phone; each message meets a server that was just started, so that nothing is kept but in the store.
    pub(super) fn phone(
        &self,
        id: &str,
        behaviour: Behaviour,
        change: impl Fn(&mut Settings),
    ) -> Handset {
        let (store, settings, clock) = (
            self.store.clone(),
            Rc::clone(&self.settings),
            self.clock.clone(),
        );
        let (wire, cut, cut_before) =
            (self.wire.clone(), self.cut.clone(), self.cut_before.clone());
        let meanwhile = self.meanwhile.clone();
        let counts_down = |cut: &Cell<Option<u32>>| match cut.get() {
            Some(0) => true,
            Some(left) => {
                cut.set(Some(left - 1));
                left == 1
            }
            None => false,
        };
        let deliver: Box<Delivery> = Box::new(move |post| {
            clock.set(clock.get() + 1);
            if counts_down(&cut_before) {
                return Err(TransportError::Gone);
            }
            let request = ServerRequest {
                content_type: post.content_type,
                body: post.body,
                user_agent: None,
                profile_header: None,
                query: None,
            };
            let server = Exchange::new(store.clone(), settings.borrow().clone());
            let reply = server.handle(request, clock.get()).expect("an answer");
            wire.borrow_mut().push((
                read(post.content_type, post.body),
                read(reply.content_type, &reply.body),
            ));
            let syncs = wire.borrow().last().is_some_and(|(_, answer)| {
                let mut commands = answer.body.iter();
                commands.any(|command| matches!(command, Command::Sync(_)))
            });
            let happens = if syncs { meanwhile.take() } else { None };
            if let Some(happens) = happens {
                happens();
            }
            if counts_down(&cut) {
                return Err(TransportError::Gone);
            }
            Ok(Answer::ok(reply.content_type, reply.body))
        });
        let mut of_phone = Settings::new("http://server/sync", "alice", "wonderland");
        change(&mut of_phone);
        Phone::new(of_phone, behaviour, Memory::new(id), deliver)
    }

    pub(super) fn sync(&self, phone: &mut Handset, mode: Mode) -> Result<Report, PhoneError> {
        self.clock.set(self.clock.get() + 300);
        self.wire.borrow_mut().clear();
        phone.sync(&Request::new(&[STORE], mode, self.clock.get()))
    }

    /// Syncs well, without anything to complain about.
    pub(super) fn sync_well(&self, phone: &mut Handset, mode: Mode) -> Report {
        let report = self
            .sync(phone, mode)
            .unwrap_or_else(|error| panic!("a sync: {error}"));
        assert!(report.complaints.is_empty(), "{:?}", report.complaints);
        assert!(!report.has_failures(), "{report:?}");
        report
    }

    /// Name and number of every card that the server has, in order.
    pub(super) fn held(&self) -> Vec<(String, String)> {
        let items = self
            .store
            .items(
                self.account.id,
                Datastore::Contacts,
                Cursor::default(),
                100_000,
            )
            .expect("items can be read");
        let mut held: Vec<_> = items
            .into_iter()
            .filter(|item| !item.meta.deleted)
            .map(|item| name_and_number(&item.body).expect("a card of ours"))
            .collect();
        held.sort();
        held
    }

    /// The bodies that the server has, in the order of their numbers.
    pub(super) fn bodies(&self) -> Vec<Vec<u8>> {
        let items = self
            .store
            .items(
                self.account.id,
                Datastore::Contacts,
                Cursor::default(),
                100_000,
            )
            .expect("items can be read");
        let living = items.into_iter().filter(|item| !item.meta.deleted);
        living.map(|item| item.body.into()).collect()
    }

    /// Codes of the answers' Statuses for commands of that name since the wire was cleared.
    pub(super) fn codes(&self, cmd: &str) -> Vec<u16> {
        let wire = self.wire.borrow();
        let commands = wire.iter().flat_map(|(_, answer)| &answer.body);
        commands
            .filter_map(|command| match command {
                Command::Status(status) if status.cmd == cmd => Some(status.code.0),
                _ => None,
            })
            .collect()
    }

    /// Codes of the Alerts that the server sent.
    pub(super) fn alerts(&self) -> Vec<u32> {
        let wire = self.wire.borrow();
        let commands = wire.iter().flat_map(|(_, answer)| &answer.body);
        commands
            .filter_map(|command| match command {
                Command::Alert(alert) => alert.code,
                _ => None,
            })
            .collect()
    }

    /// Addresses of the items in Syncs of one side; each part of a large object counts.
    pub(super) fn items(&self, from_phone: bool) -> Vec<(ChangeKind, String)> {
        let wire = self.wire.borrow();
        let messages = wire
            .iter()
            .map(|(asked, answer)| if from_phone { asked } else { answer });
        messages
            .flat_map(|message| &message.body)
            .filter_map(|command| match command {
                Command::Sync(sync) => Some(&sync.commands),
                _ => None,
            })
            .flatten()
            .filter_map(|command| match command {
                Command::Change(change) => Some(change),
                _ => None,
            })
            .flat_map(|change| {
                change.items.iter().map(|item| {
                    let place = item.source.as_ref().or(item.target.as_ref());
                    (change.kind, place.expect("an address").uri.to_string())
                })
            })
            .collect()
    }
}

fn read(content_type: &str, body: &[u8]) -> Message<'static> {
    let carrier = Carrier::from_mime(content_type).expect("SyncML");
    decode(body, carrier, &Limits::default())
        .expect("a message")
        .into_owned()
}

/// Name and number of every card on a phone, in order.
pub(super) fn on_phone(phone: &Handset) -> Vec<(String, String)> {
    let mut held: Vec<_> = phone
        .items(STORE)
        .into_values()
        .map(|item| name_and_number(&item.body.0).expect("a card of ours"))
        .collect();
    held.sort();
    held
}

/// Cards with these numbers: `Person7` has number 7.
pub(super) fn people(numbers: impl IntoIterator<Item = u32>) -> Vec<(String, Vec<u8>)> {
    numbers
        .into_iter()
        .map(|number| {
            let name = format!("Person{number}");
            let body = card(&name, &number.to_string());
            (name, body)
        })
        .collect()
}

/// Single messages, written by hand.
pub(super) mod raw {
    use super::*;
    use candybar::syncml::codec::{Form, encode};
    use candybar::syncml::{Alert, Anchor, Code, Cred, Item, Location, Meta, Version};

    /// Sends a first message with one Alert for contacts; gives the Alert's Status.
    pub(crate) fn alert(server: &Server, version: Version, code: u32) -> Code {
        let mut message = message(version, "1", 1);
        message.body.push(Command::Alert(Alert {
            cmd_id: "1".into(),
            code: Some(code),
            items: vec![Item {
                target: Some(Location::new("./contacts")),
                source: Some(Location::new("./contacts")),
                meta: Some(Box::new(Meta {
                    anchor: Some(Anchor {
                        last: None,
                        next: "1".into(),
                    }),
                    ..Meta::default()
                })),
                ..Item::default()
            }],
            ..Alert::default()
        }));
        let answer = send(server, &message, version);
        answer
            .body
            .iter()
            .find_map(|command| match command {
                Command::Status(status) if status.cmd == "Alert" => Some(status.code),
                _ => None,
            })
            .expect("a Status for the Alert")
    }

    /// A two-way session of contacts, message by message.
    pub(crate) struct Talk<'s> {
        server: &'s Server,
        version: Version,
        session: String,
        msg: u32,
    }

    impl<'s> Talk<'s> {
        /// Packages 1 and 2.
        pub(crate) fn begin(server: &'s Server, session: &str, alert: u32) -> Self {
            Self::begin_with(server, session, alert).0
        }

        /// Packages 1 and 2; the latter comes along.
        pub(crate) fn begin_with(
            server: &'s Server,
            session: &str,
            alert: u32,
        ) -> (Self, Message<'static>) {
            let mut talk = Self {
                server,
                version: Version::V12,
                session: session.to_owned(),
                msg: 0,
            };
            let last = talk.last_anchor();
            let alert = Command::Alert(Alert {
                cmd_id: "1".into(),
                code: Some(alert),
                items: vec![Item {
                    target: Some(Location::new("./contacts")),
                    source: Some(Location::new("./contacts")),
                    meta: Some(Box::new(Meta {
                        anchor: Some(Anchor {
                            last: last.map(Into::into),
                            next: session.to_owned().into(),
                        }),
                        ..Meta::default()
                    })),
                    ..Item::default()
                }],
                ..Alert::default()
            });
            let answer = talk.send(vec![alert], true);
            (talk, answer)
        }

        /// Sessions are numbered from 1, and the number is the anchor.
        fn last_anchor(&self) -> Option<String> {
            let number: u32 = self.session.parse().expect("a number");
            (number > 1).then(|| (number - 1).to_string())
        }

        pub(crate) fn send(
            &mut self,
            commands: Vec<Command<'static>>,
            last: bool,
        ) -> Message<'static> {
            self.msg += 1;
            let mut message = message(self.version, &self.session, self.msg);
            message.body = commands;
            message.last = last;
            send(self.server, &message, self.version)
        }

        /// A Sync with these commands, numbered from 2, each with its Status, in order.
        pub(crate) fn sync(&mut self, commands: Vec<Command<'static>>) -> Vec<(String, u16)> {
            let answer = self.send(vec![Self::element(commands)], true);
            statuses(&answer)
        }

        pub(crate) fn element(commands: Vec<Command<'static>>) -> Command<'static> {
            Command::Sync(candybar::syncml::Sync {
                cmd_id: "1".into(),
                target: Some(Location::new("./contacts")),
                source: Some(Location::new("./contacts")),
                commands,
                ..candybar::syncml::Sync::default()
            })
        }

        /// Answers everything with 200, until the session is over.
        pub(crate) fn end(mut self) {
            for _ in 0..20 {
                let answer = self.send(Vec::new(), true);
                if answer.last {
                    return;
                }
            }
            panic!("the session does not end");
        }
    }

    /// Statuses of a message but that of its header: command and code.
    pub(crate) fn statuses(message: &Message<'_>) -> Vec<(String, u16)> {
        let statuses = message.body.iter().filter_map(|command| match command {
            Command::Status(status) if status.cmd_ref != "0" && status.cmd != "Sync" => {
                Some((status.cmd.to_string(), status.code.0))
            }
            _ => None,
        });
        statuses.collect()
    }

    /// An item command of a client: its kind, the LUID, the body.
    pub(crate) fn change(
        number: u32,
        kind: ChangeKind,
        luid: &str,
        body: Option<&[u8]>,
    ) -> candybar::syncml::Change<'static> {
        candybar::syncml::Change {
            kind,
            cmd_id: number.to_string().into(),
            no_resp: false,
            archive: false,
            soft: false,
            cred: None,
            meta: Some(Box::new(Meta {
                kind: Some("text/x-vcard".into()),
                ..Meta::default()
            })),
            items: vec![Item {
                source: Some(Location::new(luid.to_owned())),
                data: body.map_or(candybar::syncml::Data::None, |body| {
                    candybar::syncml::Data::Bytes(body.to_vec().into())
                }),
                ..Item::default()
            }],
        }
    }

    pub(crate) fn group(
        number: u32,
        kind: candybar::syncml::GroupKind,
        commands: Vec<Command<'static>>,
    ) -> Command<'static> {
        Command::Group(candybar::syncml::Group {
            kind,
            cmd_id: number.to_string().into(),
            no_resp: false,
            meta: None,
            commands,
        })
    }

    /// A message of a device with credentials, without commands.
    pub(crate) fn message(version: Version, session: &str, msg: u32) -> Message<'static> {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.encode("alice:wonderland");
        let mut message = Message {
            last: true,
            ..Message::default()
        };
        let header = &mut message.header;
        header.ver_dtd = version.dtd().into();
        header.ver_proto = version.proto().into();
        header.session_id = session.to_owned().into();
        header.msg_id = msg.to_string().into();
        header.target = Location::new("http://server/sync");
        header.source = Location::new("IMEI:raw");
        header.cred = Some(Cred {
            meta: Meta {
                kind: Some("syncml:auth-basic".into()),
                format: Some("b64".into()),
                ..Meta::default()
            },
            data: data.into_bytes().into(),
        });
        message
    }

    pub(crate) fn send(
        server: &Server,
        message: &Message<'_>,
        version: Version,
    ) -> Message<'static> {
        server.clock.set(server.clock.get() + 1);
        let body = encode(message, &Form::new(Carrier::Wbxml, version));
        let exchange = Exchange::new(server.store.clone(), server.settings.borrow().clone());
        let request = ServerRequest {
            content_type: Carrier::Wbxml.mime(),
            body: &body,
            user_agent: None,
            profile_header: None,
            query: None,
        };
        let reply = exchange
            .handle(request, server.clock.get())
            .expect("an answer");
        read(reply.content_type, &reply.body)
    }
}
