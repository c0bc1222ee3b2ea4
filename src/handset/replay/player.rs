//! Playing sessions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::handset::credentials::{Scheme, nonce_of};
use crate::handset::transport::{Post, Transport, TransportError};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{
    Alert, Anchor, Carrier, Code, Command, Header, Item, Location, Message, Meta, Sync, Version,
};

use super::capture::Recorded;
use super::report::{Answered, MessageReport};
use super::rewrite::{anew, counter, is_leftover, next_message, note_status};
use super::session::{Session, first_anchors, is_sync, last_anchors, pairs};
use super::statuses::Debts;

/// Messages that bring a session to its end, at most.
const MAX_CLOSING: u32 = 200;
/// Polls of a busy server.
const MAX_POLLS: u32 = 20;

/// Where the sessions are played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Address of the server.
    pub url: String,
    /// Account.
    pub user: String,
    /// Password.
    pub password: String,
    /// SessionIDs are made anew: the server may have seen the recorded ones.
    pub new_session_ids: bool,
}

/// Plays sessions to a server.
#[derive(Debug)]
pub struct Player<T> {
    access: Access,
    transport: T,
    /// By device and address: the anchor that the server of now should have.
    anchors: HashMap<(String, String), String>,
    /// The last nonce of the server, by device.
    nonces: HashMap<String, Vec<u8>>,
    session_counter: u32,
    reports: Vec<MessageReport>,
}

/// A session that is being played.
struct Live {
    device: String,
    id: String,
    msg_id: u32,
    address: String,
    carrier: Carrier,
    version: Version,
    header: Header<'static>,
    user_agent: String,
    profile: Option<String>,
    scheme: Scheme,
    authenticated: bool,
    challenges: u32,
    debts: Debts,
    /// The server's last message was the last of its package.
    server_closed: bool,
    /// The phone's last message was the last of its package.
    closed: bool,
    /// A Sync was sent.
    exchanged: bool,
    /// The last message had a Sync.
    syncs: bool,
    /// Items were exchanged, and both packages are complete: how many messages were sent since then.
    settled: Option<u32>,
    over: bool,
}

impl<T: Transport> Player<T> {
    /// A player that has played nothing.
    pub fn new(access: Access, transport: T) -> Self {
        Self {
            access,
            transport,
            anchors: HashMap::new(),
            nonces: HashMap::new(),
            session_counter: 0,
            reports: Vec::new(),
        }
    }

    /// The server knows the phone by other anchors than those that the session begins with, so that it would rather begin
    /// with a phone that it does not know.
    pub fn is_foreign(&self, session: &Session) -> bool {
        first_anchors(session).into_iter().any(|(address, last)| {
            let known = self.anchors.get(&(session.device.clone(), address));
            known.is_some_and(|known| *known != last)
        })
    }

    /// Another server or account from now on.
    pub fn move_to(&mut self, access: Access, transport: T) {
        self.access = access;
        self.transport = transport;
        self.anchors.clear();
        self.nonces.clear();
    }

    /// What happened since the last time.
    pub fn take_reports(&mut self) -> Vec<MessageReport> {
        std::mem::take(&mut self.reports)
    }

    /// Plays a session.
    pub fn play(&mut self, session: &Session) {
        let Some(first) = session.messages.first() else {
            return;
        };
        self.prime(session, first);
        let mut live = self.live(session, first);
        let begins = first.message.body.iter().any(|command| {
            matches!(command, Command::Alert(alert) if alert.code.is_some_and(|code| is_sync(code) || code < 200))
        });
        let number = first.message.header.msg_id.trim().parse::<u64>();
        if !begins && number.is_ok_and(|number| number > 1) {
            let stores: Vec<_> = pairs(session)
                .into_iter()
                .map(|pair| (pair, None))
                .collect();
            self.begin(
                &mut live,
                &stores,
                "the beginning is not recorded; this one is made",
            );
        }
        for (index, recorded) in session.messages.iter().enumerate() {
            if live.over {
                break;
            }
            let next = session.messages.get(index + 1);
            self.send_recorded(&mut live, recorded, next, &session.answers);
        }
        self.close(&mut live);
        for (address, next) in last_anchors(session) {
            self.anchors.insert((session.device.clone(), address), next);
        }
    }

    fn live(&mut self, session: &Session, first: &Recorded) -> Live {
        self.session_counter += 1;
        let header = &first.message.header;
        let id = if self.access.new_session_ids {
            format!("{}-{}", session.id, self.session_counter)
        } else {
            session.id.clone()
        };
        let kind = header
            .cred
            .as_ref()
            .and_then(|cred| cred.meta.kind.as_deref());
        let md5 = kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("syncml:auth-md5"));
        Live {
            device: session.device.clone(),
            id,
            msg_id: 0,
            address: self.access.url.clone(),
            carrier: first.carrier,
            version: header.version().unwrap_or(Version::V12),
            header: header.clone(),
            user_agent: first.user_agent.clone().unwrap_or_default(),
            profile: first.profile.clone(),
            scheme: if md5 { Scheme::Md5 } else { Scheme::Basic },
            authenticated: false,
            challenges: 0,
            debts: Debts::default(),
            server_closed: false,
            closed: false,
            exchanged: false,
            syncs: false,
            settled: None,
            over: false,
        }
    }

    /// Lets the server know the phone by the anchors that the session begins with.
    fn prime(&mut self, session: &Session, first: &Recorded) {
        let due: Vec<_> = first_anchors(session)
            .into_iter()
            .filter(|(address, last)| {
                self.anchors.get(&(session.device.clone(), address.clone())) != Some(last)
            })
            .collect();
        if due.is_empty() {
            return;
        }
        let stores: Vec<_> = pairs(session)
            .into_iter()
            .filter_map(|pair| {
                let (_, last) = due.iter().find(|(address, _)| *address == pair.0)?;
                Some((pair, Some(last.clone())))
            })
            .collect();
        let mut live = self.live(session, first);
        live.id.push_str("-before");
        self.begin(
            &mut live,
            &stores,
            "a sync before, so that the server knows the phone's anchors",
        );
        if live.over {
            return;
        }
        let mut body = live.debts.statuses(&mut BTreeMap::new(), counter(1));
        let mut cmd_id = counter(1_000);
        for ((target, source), _) in &stores {
            body.push(Command::Sync(Sync {
                cmd_id: cmd_id().into(),
                target: Some(Location::new(target.clone())),
                source: Some(Location::new(source.clone())),
                ..Sync::default()
            }));
        }
        let report = self.made(&live, "the same, without items");
        self.send(&mut live, body, true, report);
        self.close(&mut live);
    }

    /// A package 1 with a slow sync for each datastore.
    fn begin(&mut self, live: &mut Live, stores: &[((String, String), Option<String>)], why: &str) {
        let mut cmd_id = counter(1);
        let body = stores
            .iter()
            .map(|((target, source), next)| {
                let next = next
                    .clone()
                    .unwrap_or_else(|| format!("replay-{}", live.id));
                Command::Alert(Alert {
                    cmd_id: cmd_id().into(),
                    code: Some(201),
                    items: vec![Item {
                        target: Some(Location::new(target.clone())),
                        source: Some(Location::new(source.clone())),
                        meta: Some(Box::new(Meta {
                            anchor: Some(Anchor {
                                last: None,
                                next: next.into(),
                            }),
                            ..Meta::default()
                        })),
                        ..Item::default()
                    }],
                    ..Alert::default()
                })
            })
            .collect();
        let report = self.made(live, why);
        self.send(live, body, true, report);
    }

    fn made(&self, live: &Live, why: &str) -> MessageReport {
        MessageReport {
            name: format!("({why})"),
            session_id: live.id.clone(),
            made: true,
            ..MessageReport::default()
        }
    }

    fn send_recorded(
        &mut self,
        live: &mut Live,
        recorded: &Recorded,
        next: Option<&Recorded>,
        then: &BTreeMap<(String, String), u16>,
    ) {
        let message = &recorded.message;
        live.header = message.header.clone();
        live.carrier = recorded.carrier;
        let mut report = MessageReport {
            name: recorded.name.clone(),
            ..MessageReport::default()
        };
        let (body, told) = anew(&mut live.debts, &message.body, &mut report.notes);
        let then = |cmd_id: &str| {
            let key = (message.header.msg_id.to_string(), cmd_id.to_owned());
            then.get(&key).copied()
        };
        report.answers = told
            .into_iter()
            .map(|(cmd_id, command, subject)| Answered {
                then: then(&cmd_id),
                cmd_id,
                command,
                subject,
                code: None,
                text: "",
            })
            .collect();
        // What the server of then still wanted, the server of now may have had already.
        if live.settled.is_some_and(|messages| messages > 0) && is_leftover(&body) {
            report.left_out = true;
            report
                .notes
                .push("left out: the session with the server of now is complete".to_owned());
            self.reports.push(report);
            return;
        }
        // A phone that was challenged then sends its message again itself.
        let repeats = next.is_some_and(|next| {
            next.message.header.cred.is_some() && message.header.cred.is_none()
        });
        if repeats {
            live.authenticated = true;
        }
        self.send(live, body, message.last, report);
        if repeats {
            live.authenticated = false;
        }
    }

    /// Sends a message, takes the answer, and reports both. Challenges are answered, a busy server is polled.
    fn send(
        &mut self,
        live: &mut Live,
        body: Vec<Command<'static>>,
        last: bool,
        report: MessageReport,
    ) {
        let withheld = live.authenticated && live.msg_id == 0;
        let mut report = report;
        let mut polls = 0;
        let mut outgoing = body.clone();
        loop {
            let answer = self.exchange(live, outgoing, last, &mut report);
            let Some(answer) = answer else {
                live.over = true;
                self.reports.push(report);
                return;
            };
            let header = answer.body.iter().find_map(|command| match command {
                Command::Status(status) if status.cmd_ref == "0" => Some(status),
                _ => None,
            });
            let code = header.map(|status| status.code);
            report.header = code.map(|code| code.0);
            let challenge = header.and_then(|status| status.chal.as_deref());
            if let Some(nonce) = challenge.and_then(nonce_of) {
                self.nonces.insert(live.device.clone(), nonce);
            }
            match code {
                Some(Code::INVALID_CREDENTIALS | Code::MISSING_CREDENTIALS)
                    if !withheld && live.challenges < 2 =>
                {
                    live.challenges += 1;
                    if let Some(scheme) = challenge.and_then(Scheme::asked_by) {
                        live.scheme = scheme;
                    }
                    live.authenticated = false;
                    self.reports.push(MessageReport {
                        answers: Vec::new(),
                        notes: vec![
                            "the server asked for credentials; the message is sent again"
                                .to_owned(),
                        ],
                        challenged: true,
                        ..report.clone()
                    });
                    outgoing = body.clone();
                }
                Some(Code::INVALID_CREDENTIALS | Code::MISSING_CREDENTIALS) if withheld => {
                    report.challenged = true;
                    report.answers.clear();
                    report.notes.push(
                        "the server asked for credentials, and the recording goes on with them"
                            .to_owned(),
                    );
                    self.reports.push(report);
                    return;
                }
                Some(Code::IN_PROGRESS) if polls < MAX_POLLS => {
                    polls += 1;
                    outgoing = vec![next_message(221)];
                }
                _ => {
                    if code == Some(Code::AUTHENTICATED) {
                        live.authenticated = true;
                    }
                    self.take(live, &answer, last, &mut report);
                    self.reports.push(report);
                    return;
                }
            }
        }
    }

    fn take(&self, live: &mut Live, answer: &Message<'_>, last: bool, report: &mut MessageReport) {
        if report.header.is_none() {
            report.error = Some("the answer has no Status for the header".to_owned());
        }
        live.over = report
            .header
            .map(Code)
            .is_some_and(|code| !code.is_success());
        for command in &answer.body {
            if let Command::Status(status) = command {
                note_status(&mut report.answers, status);
            }
        }
        live.debts.note(answer);
        // After the server's last message a new package of the phone began.
        live.closed = last || (live.closed && !live.server_closed);
        live.server_closed = answer.last;
        let complete = live.closed && live.server_closed && !live.debts.matter();
        live.settled = match live.settled {
            Some(messages) => Some(messages + 1),
            // The message after the one with the Sync is the phone's last package.
            None => (complete && live.exchanged).then_some(u32::from(!live.syncs)),
        };
    }

    fn exchange(
        &mut self,
        live: &mut Live,
        body: Vec<Command<'static>>,
        last: bool,
        report: &mut MessageReport,
    ) -> Option<Message<'static>> {
        live.msg_id += 1;
        live.syncs = body
            .iter()
            .any(|command| matches!(command, Command::Sync(_)));
        live.exchanged |= live.syncs;
        let message = Message {
            header: self.header(live),
            body,
            last,
        };
        let octets = encode(&message, &Form::new(live.carrier, live.version));
        report.session_id.clone_from(&live.id);
        report.msg_id = live.msg_id;
        report.octets_sent = octets.len();
        let post = Post {
            url: &live.address,
            content_type: live.carrier.mime(),
            user_agent: &live.user_agent,
            profile: live.profile.as_deref(),
            body: &octets,
        };
        let answer = self
            .transport
            .exchange(&post)
            .and_then(|answer| match answer.status {
                200 => Ok(answer),
                status => Err(TransportError::Status(status)),
            });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                report.error = Some(error.to_string());
                return None;
            }
        };
        report.octets_received = answer.body.len();
        let carrier = Carrier::from_mime(&answer.content_type).unwrap_or(live.carrier);
        match decode(&answer.body, carrier, &Limits::default()) {
            Ok(answer) => {
                if let Some(uri) = &answer.header.resp_uri
                    && uri.contains("://")
                {
                    live.address = uri.trim().to_owned();
                }
                Some(answer.into_owned())
            }
            Err(error) => {
                report.error = Some(format!("the answer cannot be read: {error}"));
                None
            }
        }
    }

    fn header(&self, live: &Live) -> Header<'static> {
        let nonce = self.nonces.get(&live.device).map_or(&[][..], Vec::as_slice);
        let access = &self.access;
        let cred = (!live.authenticated).then(|| {
            live.scheme
                .cred(live.version, &access.user, &access.password, nonce)
        });
        let mut source = live.header.source.clone();
        source.name = Some(access.user.clone().into());
        Header {
            session_id: live.id.clone().into(),
            msg_id: live.msg_id.to_string().into(),
            target: Location::new(live.address.clone()),
            source,
            resp_uri: None,
            cred,
            ..live.header.clone()
        }
    }

    /// Brings a session to its end: the server gets what it waits for.
    fn close(&mut self, live: &mut Live) {
        for _ in 0..MAX_CLOSING {
            let done = live.server_closed && live.closed && !live.debts.matter();
            if live.over || done || live.msg_id == 0 {
                return;
            }
            let mut body = live.debts.statuses(&mut BTreeMap::new(), counter(1));
            body.extend(live.debts.maps(VecDeque::new(), counter(1_000_000)));
            let last = live.server_closed || !live.closed;
            if !last
                && body
                    .iter()
                    .all(|command| matches!(command, Command::Status(_)))
            {
                body.push(next_message(222));
            }
            let report = self.made(live, "the end is not recorded; this one is made");
            live.header.no_resp = false;
            self.send(live, body, last, report);
        }
    }
}
