//! One message through a session: from the request to the reply and the changes.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::reply::Reply;
use super::resume::{Interrupted, is_bare};
use super::state::{Owed, Phase, Stage, State};
use super::{Admission, Context, LoadFailed, Loads, Note, Outcome, Summary, auth, devinf};
use crate::content::email::FolderRole;
use crate::device::profile::Resolved;
use crate::sync::recording::{Event, Trace, What};
use crate::sync::{Asked, Change, Datastore, Device, Entry, ItemId, ItemMeta, Modseq, ViewState};
use crate::syncml::codec::encoded_len;
use crate::syncml::{
    Alert, Code, Command, Data, Get, Item, Location, Message, Meta, Results, Version,
};

/// Octets of the Status for a header, which every message has.
const STATUS_ROOM: usize = 400;
/// Statuses that wait for the device to fetch them; it sends a command without Status again.
const MAX_BACKLOG: usize = 20_000;
/// Messages in a row that bring nothing and get nothing, after which the session is cut.
const MAX_IDLE: u32 = 30;
/// Messages of a session.
const MAX_MESSAGES: u32 = 20_000;
/// Item commands of a session.
const MAX_COMMANDS: u64 = 2_000_000;
/// Octets of a session.
const MAX_OCTETS: u64 = 4 << 30;
/// Seconds from a session's first message to its last.
const MAX_DURATION: i64 = 86_400;
/// Sessions whose opening messages are remembered.
const MAX_OPENINGS: usize = 16;

/// An item as it is during this message: as loaded, then as changed.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// As the store knows it; `None` for an item that this message made.
    pub before: Option<(ItemMeta, Option<Entry>)>,
    pub meta: ItemMeta,
    pub entry: Option<Entry>,
    /// Once loaded or written.
    pub body: Option<Bytes>,
    /// Item or entry differ from what the store knows.
    pub changed: bool,
}

impl Held {
    /// The device is not told that the item was deleted, until the operator decides.
    pub(super) fn is_untold(&self) -> bool {
        let entry = self.entry.as_ref();
        entry.is_some_and(|entry| entry.failures == Entry::UNTOLD)
    }
}

/// The work on one message.
pub(super) struct Turn<'t> {
    pub state: &'t mut State,
    pub context: &'t Context<'t>,
    pub loads: &'t mut dyn Loads,
    pub reply: Reply,
    pub device: Device,
    pub views: Vec<(Datastore, ViewState)>,
    pub changes: Vec<Change>,
    pub modseq: Modseq,
    pub next_item: ItemId,
    pub items: FxHashMap<ItemId, Held>,
    /// Entries of which nothing but the round changes.
    pub claims: FxHashMap<ItemId, Datastore>,
    pub notes: Vec<Note>,
    /// What happened to each item, for the recording.
    pub trace: Trace,
    /// Deletions were held in this message.
    pub holds: bool,
    /// Per link, made when first needed.
    pub targets: FxHashMap<usize, std::rc::Rc<super::profile::Target>>,
    /// Links whose Alert came in this message and was answered with 508.
    pub forced: Vec<usize>,
    /// MsgID of the request.
    pub msg_ref: String,
    /// Statuses of an earlier message are in the reply.
    pub fetches: bool,
    /// Alerts that follow the Statuses.
    pub alerts: Vec<Alert<'static>>,
    /// Position of the Alert that suspends the session.
    pub suspended_at: Option<u32>,
    /// What the device does its own way.
    pub own: std::rc::Rc<Resolved>,
    /// Deletes in the reply.
    pub deletes: u16,
    /// Folders with their roles, once they are loaded; some may be deleted meanwhile.
    pub folders: Option<Vec<(ItemId, Option<FolderRole>)>>,
    /// Mails whose rest the device waits for, once that is loaded.
    pub asked: Option<Vec<Asked>>,
}

impl<'t> Turn<'t> {
    pub(super) fn new(
        state: &'t mut State,
        message: &Message<'_>,
        context: &'t Context<'t>,
        loads: &'t mut dyn Loads,
    ) -> Self {
        state.limits(message);
        let reply = Reply::new(
            auth::reply_to(&message.header, state.version),
            state,
            message.header.no_resp,
        );
        let mut turn = Self {
            reply,
            device: context.device.clone(),
            views: Vec::new(),
            changes: Vec::new(),
            modseq: context.account.modseq,
            next_item: ItemId(context.account.next_item.0.max(1)),
            items: FxHashMap::default(),
            claims: FxHashMap::default(),
            notes: Vec::new(),
            trace: Trace::default(),
            holds: false,
            targets: FxHashMap::default(),
            forced: Vec::new(),
            msg_ref: message.header.msg_id.to_string(),
            fetches: false,
            alerts: Vec::new(),
            suspended_at: None,
            own: std::rc::Rc::default(),
            deletes: 0,
            folders: None,
            asked: None,
            state,
            context,
            loads,
        };
        turn.recognise(None);
        turn
    }

    /// Works through the message.
    pub(super) fn run(
        mut self,
        message: &Message<'_>,
        admission: &Admission,
    ) -> Result<Outcome, LoadFailed> {
        self.state.messages += 1;
        self.state.octets += self.context.octets;
        if self.state.begun == 0 {
            self.state.begun = self.context.now;
        }
        self.header(message, *admission);
        if let Some(why) = self.exceeded() {
            return Ok(self.cut(why));
        }
        let positions = |wanted: fn(&Command<'_>) -> bool| {
            message
                .body
                .iter()
                .zip(1_u32..)
                .filter(move |(command, _)| wanted(command))
        };
        self.confirm_all(message.body.iter().filter_map(|command| match command {
            Command::Status(status) => Some(status),
            _ => None,
        }))?;
        for (command, position) in
            positions(|command| matches!(command, Command::Put(_) | Command::Results(_)))
        {
            self.device_information(command, position);
        }
        for (command, position) in
            positions(|command| matches!(command, Command::Alert(_) | Command::Get(_)))
        {
            match command {
                Command::Alert(alert) => self.alert(alert, position)?,
                Command::Get(get) => self.get(get, position),
                _ => {}
            }
        }
        for (command, position) in positions(|command| matches!(command, Command::Map(_))) {
            let Command::Map(map) = command else { continue };
            self.map(map, position)?;
        }
        for (command, position) in message.body.iter().zip(1_u32..) {
            match command {
                Command::Sync(_) | Command::Change(_) | Command::Group(_)
                    if self.is_cancelled(position) =>
                {
                    self.refuse(std::slice::from_ref(command), position, Code::CANCELLED);
                }
                Command::Sync(sync) => self.sync(sync, position)?,
                Command::Change(_) | Command::Group(_) => {
                    self.answer(
                        position,
                        command.cmd_id(),
                        command.name(),
                        Code::COMMAND_NOT_ALLOWED,
                    );
                }
                Command::Search(_) => self.answer(
                    position,
                    command.cmd_id(),
                    "Search",
                    Code::FEATURE_NOT_SUPPORTED,
                ),
                Command::Exec(_) | Command::Unknown { .. } => {
                    self.answer(
                        position,
                        command.cmd_id(),
                        command.name(),
                        Code::NOT_IMPLEMENTED,
                    );
                }
                _ => {}
            }
        }
        if self.suspended_at.is_some() {
            return self.suspended();
        }
        self.close_incoming(message.last);
        let bare = is_bare(&message.body) && !message.last;
        if !bare {
            self.state.idle = 0;
        } else if self.state.idle >= MAX_IDLE {
            return Ok(self.cut("the device only asks for the next message, again and again"));
        }
        let last = message.last || (bare && self.has_nothing_to_send());
        self.turn_the_page(last)
    }

    /// Ends a session that leads to nothing; a note says why.
    fn cut(mut self, why: &'static str) -> Outcome {
        self.leave_unfinished();
        self.note(None, None, format!("the session is ended: {why}"));
        self.reply.refuse_header(Code::PROCESSING_ERROR);
        self.reply.flush_statuses();
        self.outcome(true, true, None)
    }

    /// The limit of a session that this one is beyond.
    fn exceeded(&self) -> Option<&'static str> {
        let state = &self.state;
        if state.messages > MAX_MESSAGES {
            Some("it has too many messages")
        } else if state.commands > MAX_COMMANDS {
            Some("it has too many commands")
        } else if state.octets > MAX_OCTETS {
            Some("it has too many octets")
        } else if self.context.now.saturating_sub(state.begun) > MAX_DURATION {
            Some("it lasts for more than a day")
        } else {
            None
        }
    }

    /// The answer to a client that suspends the session: Statuses and Final.
    fn suspended(mut self) -> Result<Outcome, LoadFailed> {
        self.leave_unfinished();
        self.note(None, None, "the device suspends the session");
        // Those that do not fit are lost: the client asks again for what it got no Status for.
        self.reply.flush_statuses();
        Ok(self.outcome(true, true, None))
    }

    fn header(&mut self, message: &Message<'_>, admission: Admission) {
        let header = &message.header;
        let code = if admission == Admission::Session {
            Code::OK
        } else {
            Code::AUTHENTICATED
        };
        if admission != Admission::Session {
            auth::advance(&mut self.device, admission, self.context.entropy);
            if admission != Admission::Basic {
                self.reply.challenge(auth::challenge(&self.device.nonce));
            }
        }
        self.device.last_seen = self.context.now;
        if self.state.messages == 1 {
            remember_opening(&mut self.device.openings, self.context.request);
        }
        let owed = Owed {
            msg_ref: self.msg_ref.clone(),
            cmd_ref: "0".to_owned(),
            cmd: "SyncHdr".to_owned(),
            target_ref: Some(header.target.uri.to_string()),
            source_ref: Some(header.source.uri.to_string()),
            code,
            anchor_next: None,
        };
        self.reply.owe(0, owed);
        for command in &message.body {
            if let Command::Status(status) = command
                && let Some(nonce) = auth::notification_nonce(status)
            {
                self.device.notification_nonce = nonce;
            }
        }
        let backlog = std::mem::take(&mut self.state.backlog);
        self.fetches = !backlog.is_empty();
        self.reply.owe_earlier(backlog);
        if let Some(url) = &self.context.settings.public_url {
            self.reply
                .respond_to(format!("{url}?s={}", self.context.account.id));
        }
    }

    /// Queues a plain Status.
    pub(super) fn answer(&mut self, position: u32, cmd_ref: &str, cmd: &str, code: Code) {
        self.answer_refs(position, cmd_ref, cmd, code, None, None);
    }

    pub(super) fn answer_refs(
        &mut self,
        position: u32,
        cmd_ref: &str,
        cmd: &str,
        code: Code,
        target_ref: Option<&str>,
        source_ref: Option<&str>,
    ) {
        let owed = Owed {
            msg_ref: self.msg_ref.clone(),
            cmd_ref: cmd_ref.to_owned(),
            cmd: cmd.to_owned(),
            target_ref: target_ref.map(ToOwned::to_owned),
            source_ref: source_ref.map(ToOwned::to_owned),
            code,
            anchor_next: None,
        };
        self.reply.owe(position, owed);
    }

    pub(super) fn note(
        &mut self,
        datastore: Option<Datastore>,
        luid: Option<&str>,
        text: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.tell(What::Note, datastore, luid, text.into());
    }

    /// Notes why a sync compares everything.
    pub(super) fn note_slow(&mut self, view: Datastore, text: &'static str) {
        self.tell(What::SlowSync, Some(view), None, text.into());
    }

    fn tell(
        &mut self,
        what: What,
        datastore: Option<Datastore>,
        luid: Option<&str>,
        text: std::borrow::Cow<'static, str>,
    ) {
        self.trace.push(&Event {
            luid: luid.unwrap_or_default(),
            text: &text,
            ..Event::new(what, datastore)
        });
        self.notes.push(Note {
            datastore,
            luid: luid.map(ToOwned::to_owned),
            text,
        });
    }

    /// Put and Results: the device tells what it is.
    fn device_information(&mut self, command: &Command<'_>, position: u32) {
        let (items, no_resp) = match command {
            Command::Put(put) => (&put.items, put.no_resp),
            Command::Results(results) => (&results.items, false),
            _ => return,
        };
        let mut code = Code::NOT_FOUND;
        for item in items {
            match &item.data {
                Data::DevInf(devinf) => {
                    self.device.devinf = devinf::keep(devinf);
                    self.recognise(Some(devinf));
                    code = Code::OK;
                }
                Data::None => {}
                // Broken: the device is served as one that said nothing.
                _ if code == Code::NOT_FOUND && names_devinf(item) => {
                    self.note(
                        None,
                        None,
                        "the device information cannot be read: it is left out",
                    );
                    code = Code::OK;
                }
                // What is there is no device information.
                _ if code == Code::NOT_FOUND => code = Code::UNSUPPORTED_MEDIA_TYPE,
                _ => {}
            }
        }
        if !no_resp {
            let source = items
                .first()
                .and_then(|item| item.source.as_ref())
                .map(|source| source.uri.to_string());
            self.answer_refs(
                position,
                command.cmd_id(),
                command.name(),
                code,
                None,
                source.as_deref(),
            );
        }
    }

    fn get(&mut self, get: &Get<'_>, position: u32) {
        let target = get
            .items
            .first()
            .and_then(|item| item.target.as_ref())
            .map(|target| target.uri.to_string());
        let wants_devinf = target.as_deref().is_some_and(|uri| {
            Version::ALL
                .iter()
                .any(|version| uri.trim_start_matches("./") == &version.devinf_uri()[2..])
        });
        let code = if wants_devinf {
            self.state.results_owed = Some((self.msg_ref.clone(), get.cmd_id.to_string()));
            Code::OK
        } else {
            Code::NOT_FOUND
        };
        if !get.no_resp {
            self.answer_refs(position, &get.cmd_id, "Get", code, target.as_deref(), None);
        }
    }

    /// What the device's datastore of a link can hold.
    pub(super) fn target(&mut self, link: usize) -> std::rc::Rc<super::profile::Target> {
        if let Some(target) = self.targets.get(&link) {
            return target.clone();
        }
        let devinf = self.context.documents.read(&self.device.devinf);
        let of = &self.state.links[link];
        let target = self.target_at(devinf.as_deref(), &of.local, &of.remote, of.view);
        let target = std::rc::Rc::new(target.narrowed(of.held.as_ref(), of.filter.as_ref()));
        self.targets.insert(link, target.clone());
        target
    }

    pub(super) fn view_state(&self, view: Datastore) -> ViewState {
        let find = |views: &[(Datastore, ViewState)]| {
            views
                .iter()
                .find(|(of, _)| *of == view)
                .map(|(_, state)| state.clone())
        };
        find(&self.views)
            .or_else(|| find(self.context.views))
            .unwrap_or_default()
    }

    pub(super) fn put_view_state(&mut self, view: Datastore, state: ViewState) {
        match self.views.iter_mut().find(|(of, _)| *of == view) {
            Some((_, held)) => *held = state,
            None => self.views.push((view, state)),
        }
    }

    /// Goes to the next phase if the client closed its package, and fills the reply.
    fn turn_the_page(mut self, client_last: bool) -> Result<Outcome, LoadFailed> {
        let before = self.state.phase;
        let synced = self
            .state
            .links
            .iter()
            .any(|link| link.stage != Stage::Alerted);
        let waiting = self
            .state
            .links
            .iter()
            .any(|link| link.stage == Stage::Alerted);
        if client_last {
            self.state.opening |= self.state.phase == Phase::Initialising;
            let links = &self.state.links;
            let kept = |left: &mut Interrupted| !links.is_empty() && !left.is_open_beside(links);
            self.state.interrupted.take_if(kept);
            self.state.phase = match self.state.phase {
                Phase::Initialising if synced && !waiting => Phase::Sending,
                Phase::Initialising if self.state.links.is_empty() => Phase::Initialising,
                Phase::Initialising => Phase::Receiving,
                Phase::Receiving => Phase::Sending,
                Phase::Finishing => Phase::Done,
                other => other,
            };
        }
        if self.state.phase == Phase::Sending && before != Phase::Sending {
            for link in 0..self.state.links.len() {
                self.settle_deletions(link)?;
            }
        }
        self.state.backlog = self.reply.flush_statuses();
        if self.state.backlog.len() > MAX_BACKLOG {
            self.state.backlog.truncate(MAX_BACKLOG);
            self.note(
                None,
                None,
                "the device does not fetch its Statuses; the newest are dropped",
            );
        }
        if self.state.backlog.is_empty() {
            for alert in std::mem::take(&mut self.alerts) {
                // If it does not fit, the missing Status for the last chunk says as much.
                let _ = self.reply.push(Command::Alert(alert));
            }
        }
        if self.state.opening && self.state.backlog.is_empty() && !self.state.announced {
            self.announce()?;
        }
        let mut complete = self.state.backlog.is_empty() && self.opening_commands();
        match self.state.phase {
            Phase::Sending if complete => {
                let sent_sync = self.send()?;
                complete = self
                    .state
                    .links
                    .iter()
                    .all(|link| link.stage == Stage::Sent)
                    && self.state.outgoing.is_none();
                if complete {
                    let expects_answer =
                        sent_sync || self.state.links.iter().any(|link| link.sync_sent);
                    self.state.phase = if expects_answer {
                        Phase::Finishing
                    } else {
                        Phase::Done
                    };
                }
            }
            Phase::Sending => complete = false,
            // Package 2 may take more messages than package 1 did; otherwise ours is open as long as the client's.
            _ => complete &= client_last || self.state.opening,
        }
        self.state.opening &= !complete;
        if !complete && self.reply.only_statuses() {
            // One that fetches the Statuses that did not fit gets something.
            let fetches = self.fetches || !self.state.backlog.is_empty();
            self.state.idle = if fetches { 0 } else { self.state.idle + 1 };
            self.next_message();
        } else {
            self.state.idle = 0;
        }
        let ended = complete && self.state.phase == Phase::Done;
        if ended && self.own.traits.silent_success == Some(true) {
            self.assume_success()?;
        }
        let summary = ended.then(|| self.end());
        Ok(self.outcome(complete, ended, summary))
    }

    /// Results, Get and Alerts of package 2, as far as they fit. True if nothing of it is left.
    fn opening_commands(&mut self) -> bool {
        if let Some((msg_ref, cmd_ref)) = self.state.results_owed.clone() {
            let told = !self.device.devinf.is_empty();
            let addressed: Vec<_> = (0..self.state.links.len())
                .map(|link| {
                    let format = told.then(|| self.target(link).holding.format);
                    let of = &self.state.links[link];
                    devinf::Addressed {
                        view: of.view,
                        uri: of.local.clone(),
                        format,
                    }
                })
                .collect();
            let form = self.reply.form;
            let room = self.reply.free_when_empty();
            let documents = devinf::Detail::ALL.iter().map(|detail| {
                Command::Results(Results {
                    msg_ref: Some(msg_ref.clone().into()),
                    cmd_ref: cmd_ref.clone().into(),
                    meta: Some(Box::new(Meta {
                        kind: Some(form.carrier.devinf_mime().into()),
                        ..Meta::default()
                    })),
                    target_ref: Some(form.version.devinf_uri().into()),
                    items: vec![devinf::own(
                        self.context.settings,
                        &form,
                        &addressed,
                        *detail,
                        &self.own.traits,
                    )],
                    ..Results::default()
                })
            });
            // The fullest that any message of this peer can hold; if it is for the next message, it waits.
            match documents
                .into_iter()
                .find(|results| encoded_len(results, &form) + STATUS_ROOM <= room)
            {
                Some(results) if self.reply.push(results.clone()).is_none() => return false,
                Some(_) => {}
                None => self.note(
                    None,
                    None,
                    "the device's messages are too small for our device information",
                ),
            }
            self.state.results_owed = None;
        }
        if self.device.devinf.is_empty()
            && !self.state.devinf_asked
            && self.state.phase != Phase::Done
        {
            let form = self.reply.form;
            let get = Get {
                meta: Some(Box::new(Meta {
                    kind: Some(form.carrier.devinf_mime().into()),
                    ..Meta::default()
                })),
                items: vec![Item {
                    target: Some(Location::new(form.version.devinf_uri())),
                    ..Item::default()
                }],
                ..Get::default()
            };
            if self.reply.push(Command::Get(get)).is_none() {
                return false;
            }
            self.state.devinf_asked = true;
        }
        self.alerts_of_links()
    }

    /// Commits the anchors of every datastore that went through.
    fn end(&mut self) -> Summary {
        for index in 0..self.state.links.len() {
            self.end_link(index);
        }
        self.progress()
    }

    /// What the session did so far.
    fn progress(&self) -> Summary {
        Summary::of(self.state)
    }

    fn outcome(mut self, last: bool, ended: bool, summary: Option<Summary>) -> Outcome {
        let mut claims = std::mem::take(&mut self.claims)
            .into_iter()
            .collect::<Vec<_>>();
        claims.sort_unstable_by_key(|(item, view)| (*view, *item));
        for claimed in claims.chunk_by(|(_, a), (_, b)| a == b) {
            let view = claimed[0].1;
            let round = self.view_state(view).round;
            self.changes.push(Change::ClaimEntries {
                view,
                round,
                items: claimed.iter().map(|(item, _)| *item).collect(),
            });
        }
        for (view, state) in std::mem::take(&mut self.views) {
            self.changes.push(Change::PutView { view, state });
        }
        let progress = self.progress();
        self.changes.push(Change::PutDevice(Box::new(self.device)));
        let settings = self.context.settings;
        let meta = Meta {
            max_msg_size: Some(settings.max_message),
            ..Meta::default()
        };
        Outcome {
            reply: self.reply.finish(last, meta),
            changes: self.changes,
            modseq: self.modseq,
            next_item: self.next_item,
            ended,
            notes: self.notes,
            trace: self.trace,
            progress,
            holds: self.holds,
            summary,
        }
    }
}

/// Appends a digest to those of the last sessions.
fn remember_opening(openings: &mut Vec<u8>, digest: [u8; 16]) {
    if !openings.ends_with(&digest) {
        openings.extend_from_slice(&digest);
    }
    let excess = openings.len().saturating_sub(MAX_OPENINGS * digest.len());
    openings.drain(..excess);
}

/// Whether an item stands at the address of device information.
fn names_devinf(item: &Item<'_>) -> bool {
    let places = [item.source.as_ref(), item.target.as_ref()];
    places.into_iter().flatten().any(|place| {
        let name = place.uri.trim().trim_start_matches("./");
        Version::ALL
            .iter()
            .any(|version| name.eq_ignore_ascii_case(&version.devinf_uri()[2..]))
    })
}
