//! Playing sessions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::handset::credentials::{Scheme, nonce_of};
use crate::handset::transport::{Post, Transport, TransportError};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{
    Alert, Anchor, Carrier, Code, Command, Header, Item, Location, Message, Meta, Status, Sync,
    Version,
};

use super::capture::Recorded;
use super::report::{Answered, MessageReport};
use super::session::{Session, is_sync, pairs};
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
                        meta: Some(Meta {
                            anchor: Some(Anchor {
                                last: None,
                                next: next.into(),
                            }),
                            ..Meta::default()
                        }),
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
        let (body, told) = anew(live, &message.body, &mut report.notes);
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
            let challenge = header.and_then(|status| status.chal.as_ref());
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
            None => (complete && live.exchanged).then_some(0),
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
        live.exchanged |= body
            .iter()
            .any(|command| matches!(command, Command::Sync(_)));
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

fn counter(first: u32) -> impl FnMut() -> String {
    let mut next = first;
    move || {
        next += 1;
        (next - 1).to_string()
    }
}

fn next_message(code: u32) -> Command<'static> {
    Command::Alert(Alert {
        cmd_id: "999999".into(),
        code: Some(code),
        ..Alert::default()
    })
}

/// Nothing but Statuses and requests for the next message.
fn is_leftover(body: &[Command<'_>]) -> bool {
    body.iter().all(|command| match command {
        Command::Status(_) => true,
        Command::Alert(alert) => alert.code == Some(222),
        _ => false,
    })
}

/// The Last anchors of two-way and one-way Alerts that are not empty, by the server's address.
fn first_anchors(session: &Session) -> Vec<(String, String)> {
    anchors(session, |code, last, _| {
        (code != 201 && code != 203 && code != 205).then(|| last.to_owned())
    })
}

fn last_anchors(session: &Session) -> Vec<(String, String)> {
    anchors(session, |_, _, next| Some(next.to_owned()))
}

fn anchors(
    session: &Session,
    choose: impl Fn(u32, &str, &str) -> Option<String>,
) -> Vec<(String, String)> {
    let alerts = session
        .messages
        .iter()
        .flat_map(|recorded| &recorded.message.body);
    let alerts = alerts.filter_map(|command| match command {
        Command::Alert(alert) => alert
            .code
            .filter(|code| is_sync(*code))
            .map(|code| (code, &alert.items)),
        _ => None,
    });
    alerts
        .flat_map(|(code, items)| items.iter().map(move |item| (code, item)))
        .filter_map(|(code, item)| {
            let address = item.target.as_ref()?.uri.trim().to_owned();
            let anchor = item.meta.as_ref()?.anchor.as_ref()?;
            let last = anchor.last.as_deref().unwrap_or_default();
            let chosen = choose(code, last, &anchor.next).filter(|anchor| !anchor.is_empty())?;
            Some((address, chosen))
        })
        .collect()
}

/// What a command is about.
type Told = (String, String, String);

/// The recorded commands as the server of now can take them, and what is told of each.
fn anew(
    live: &mut Live,
    recorded: &[Command<'static>],
    notes: &mut Vec<String>,
) -> (Vec<Command<'static>>, Vec<Told>) {
    let mut codes: BTreeMap<String, VecDeque<Code>> = BTreeMap::new();
    let mut luids: VecDeque<String> = VecDeque::new();
    let (mut statuses, mut maps) = (0_usize, 0_usize);
    for command in recorded {
        match command {
            Command::Status(status) => {
                statuses += usize::from(status.cmd_ref != "0");
                codes
                    .entry(status.cmd.to_string())
                    .or_default()
                    .push_back(status.code);
            }
            Command::Map(map) => {
                maps += map.items.len();
                luids.extend(map.items.iter().map(|item| item.source.to_string()));
            }
            _ => {}
        }
    }
    let used: Vec<u64> = recorded
        .iter()
        .filter_map(|command| command.cmd_id().trim().parse().ok())
        .collect();
    let first = used.into_iter().max().unwrap_or(0).max(99) + 1;
    let first = u32::try_from(first).unwrap_or(1_000_000);
    let mut body = live.debts.statuses(&mut codes, counter(first));
    let given = body.len().saturating_sub(1);
    if statuses > given {
        notes.push(format!(
            "{} Statuses left out: the server did not send those commands",
            statuses - given
        ));
    }
    let added = live.debts.added.len();
    if maps > added {
        notes.push(format!(
            "{} MapItems left out: the server did not add those items",
            maps - added
        ));
    }
    let mut told = Vec::new();
    let with_maps = maps > 0
        || recorded
            .iter()
            .any(|command| matches!(command, Command::Map(_)));
    if with_maps {
        let maps = live
            .debts
            .maps(luids, counter(first.saturating_add(100_000)));
        told.extend(
            maps.iter()
                .map(|map| (map.cmd_id().to_owned(), "Map".to_owned(), String::new())),
        );
        body.extend(maps);
    }
    for command in recorded {
        match command {
            Command::Status(_) | Command::Map(_) => {}
            Command::Results(results) => match live.debts.get.take() {
                Some((msg_ref, cmd_ref)) => {
                    let mut results = results.clone();
                    results.msg_ref = Some(msg_ref.into());
                    results.cmd_ref = cmd_ref.into();
                    told.push((
                        results.cmd_id.to_string(),
                        "Results".to_owned(),
                        String::new(),
                    ));
                    body.push(Command::Results(results));
                }
                None => notes.push("Results left out: the server did not ask".to_owned()),
            },
            other => {
                tell(other, &mut told);
                body.push(other.clone());
            }
        }
    }
    (body, told)
}

fn tell(command: &Command<'_>, told: &mut Vec<Told>) {
    let mut open = vec![command];
    while let Some(command) = open.pop() {
        let uri = |location: Option<&Location<'_>>| {
            location.map(|of| of.uri.to_string()).unwrap_or_default()
        };
        let mut add = |subject: String| {
            if !command.no_resp() {
                told.push((
                    command.cmd_id().to_owned(),
                    command.name().to_owned(),
                    subject,
                ));
            }
        };
        match command {
            Command::Sync(sync) => {
                add(uri(sync.target.as_ref()));
                open.extend(sync.commands.iter().rev());
            }
            Command::Group(group) => {
                add(String::new());
                open.extend(group.commands.iter().rev());
            }
            Command::Change(change) => {
                for item in &change.items {
                    add(uri(item.source.as_ref().or(item.target.as_ref())));
                }
            }
            Command::Alert(alert) => {
                let code = alert.code.map(|code| code.to_string()).unwrap_or_default();
                let target = alert
                    .items
                    .first()
                    .map(|item| uri(item.target.as_ref()))
                    .unwrap_or_default();
                add(format!("{code} {target}").trim().to_owned());
            }
            _ => add(String::new()),
        }
    }
}

/// Gives a Status to the command that it belongs to: of several items the one that it names, else the next.
fn note_status(answers: &mut [Answered], status: &Status<'_>) {
    let fits = |answer: &Answered| answer.code.is_none() && answer.cmd_id == *status.cmd_ref;
    let named = |answer: &Answered| {
        let mut refs = status.source_refs.iter().chain(&status.target_refs);
        fits(answer) && refs.any(|uri| answer.subject == *uri)
    };
    let index = answers
        .iter()
        .position(named)
        .or_else(|| answers.iter().position(fits));
    if let Some(index) = index {
        answers[index].code = Some(status.code.0);
        answers[index].text = status.code.text();
    }
}
