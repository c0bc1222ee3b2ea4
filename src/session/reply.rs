//! The reply under construction: what fits into the peer's message size, and what has to wait.

use std::borrow::Cow;

use super::state::{Owed, State};
use crate::syncml::codec::{Form, encoded_len};
use crate::syncml::{Anchor, Chal, Code, Command, Data, Item, Message, Meta, Status};

/// Octets kept free for Final and for a 222.
const RESERVE: usize = 64;
/// Octets of what a Status tells again of its command: addresses, CmdID, name.
const MAX_REF: usize = 255;

/// A reply that grows until it is full.
#[derive(Debug)]
pub(super) struct Reply {
    pub form: Form,
    message: Message<'static>,
    budget: usize,
    used: usize,
    commands: u32,
    /// Statuses in the order of the commands that they answer.
    statuses: Vec<(u32, Owed)>,
    header_challenge: Option<Chal<'static>>,
    /// The client wants no Status at all.
    silent: bool,
    /// A Status that tells a failure has no Item.
    pub bare_errors: bool,
}

impl Reply {
    pub(super) fn new(message: Message<'static>, state: &State, silent: bool) -> Self {
        let form = state.form();
        let budget = usize::try_from(state.max_message)
            .unwrap_or(usize::MAX)
            .saturating_sub(RESERVE);
        let used = crate::syncml::codec::header_len(&message.header, &form);
        Self {
            form,
            message,
            budget,
            used,
            commands: 0,
            statuses: Vec::new(),
            header_challenge: None,
            silent,
            bare_errors: false,
        }
    }

    /// The device takes no more octets than these.
    pub(super) fn limit(&mut self, octets: u64) {
        self.budget = usize::try_from(octets)
            .unwrap_or(usize::MAX)
            .saturating_sub(RESERVE);
    }

    /// MsgID of the reply.
    pub(super) fn msg_id(&self) -> &str {
        &self.message.header.msg_id
    }

    /// Octets that are still free.
    pub(super) fn free(&self) -> usize {
        self.budget.saturating_sub(self.used)
    }

    /// Octets that are free in a message that holds nothing but its header.
    pub(super) fn free_when_empty(&self) -> usize {
        self.budget.saturating_sub(crate::syncml::codec::header_len(
            &self.message.header,
            &self.form,
        ))
    }

    /// Queues a Status for the command at a position of the request.
    pub(super) fn owe(&mut self, position: u32, mut status: Owed) {
        if self.silent {
            return;
        }
        // A Status has to fit into a small message: what is too long to be told again is left out.
        for reference in [&mut status.target_ref, &mut status.source_ref] {
            *reference = reference.take().filter(|uri| uri.len() <= MAX_REF);
        }
        for name in [&mut status.cmd_ref, &mut status.cmd] {
            if name.len() > MAX_REF {
                *name = name.chars().take(MAX_REF / 4).collect();
            }
        }
        self.statuses.push((position, status));
    }

    /// Statuses of an earlier message that did not fit then.
    pub(super) fn owe_earlier(&mut self, backlog: Vec<Owed>) {
        self.statuses
            .extend(backlog.into_iter().map(|status| (0, status)));
    }

    /// The whole message is refused.
    pub(super) fn refuse_header(&mut self, code: Code) {
        for (_, status) in &mut self.statuses {
            if status.cmd_ref == "0" {
                status.code = code;
            }
        }
    }

    /// The Status of the header carries a challenge.
    pub(super) fn challenge(&mut self, challenge: Chal<'static>) {
        self.header_challenge = Some(challenge);
    }

    /// Writes the queued Statuses, as many as fit, and one in any case; gives back the others.
    pub(super) fn flush_statuses(&mut self) -> Vec<Owed> {
        let mut statuses = std::mem::take(&mut self.statuses);
        statuses.sort_by_key(|(position, _)| *position);
        self.message.body.reserve(statuses.len());
        let mut rest = statuses.into_iter().map(|(_, status)| status);
        while let Some(mut owed) = rest.next() {
            let chal = if owed.cmd_ref == "0" {
                self.header_challenge.take().map(Box::new)
            } else {
                None
            };
            let anchor = owed.anchor_next.take();
            let told = anchor
                .as_ref()
                .filter(|_| !(self.bare_errors && owed.code.0 >= 500));
            let mut status = Command::Status(Status {
                chal,
                items: told.map(|next| echo(next.clone())).into_iter().collect(),
                ..status_of(owed)
            });
            match self.reserve(&mut status) {
                Ok(_) => {}
                // If it does not fit into an empty message it never will: better too large than a session without end.
                Err(octets) if self.commands == 0 => {
                    self.commands = 1;
                    self.used += octets;
                }
                Err(_) => {
                    let owed = Owed {
                        anchor_next: anchor,
                        ..owed_of(status)
                    };
                    return std::iter::once(owed).chain(rest).collect();
                }
            }
            self.push_reserved(status);
        }
        Vec::new()
    }

    /// Adds a command if it fits, and numbers it; `None` if it does not fit.
    pub(super) fn push(&mut self, mut command: Command<'static>) -> Option<u32> {
        let number = self.reserve(&mut command).ok()?;
        self.message.body.push(command);
        Some(number)
    }

    /// Reserves octets and a number for a command that is put into a Sync; gives its octets if they do not fit.
    pub(super) fn reserve(&mut self, command: &mut Command<'static>) -> Result<u32, usize> {
        let number = self.commands + 1;
        set_cmd_id(command, number);
        let octets = encoded_len(command, &self.form);
        if octets > self.free() {
            return Err(octets);
        }
        self.used += octets;
        self.commands = number;
        Ok(number)
    }

    /// Adds a command whose octets were counted by [`Self::reserve`].
    pub(super) fn push_reserved(&mut self, command: Command<'static>) {
        self.message.body.push(command);
    }

    /// There is a Sync in it.
    pub(super) fn has_sync(&self) -> bool {
        self.message
            .body
            .iter()
            .any(|command| matches!(command, Command::Sync(_)))
    }

    /// There is nothing in it but Statuses.
    pub(super) fn only_statuses(&self) -> bool {
        self.message
            .body
            .iter()
            .all(|command| matches!(command, Command::Status(_)))
    }

    /// The message. `last` is Final.
    pub(super) fn finish(mut self, last: bool, meta: Meta<'static>) -> Message<'static> {
        self.message.last = last;
        self.message.header.meta = Some(meta);
        self.message
    }

    /// RespURI.
    pub(super) fn respond_to(&mut self, uri: String) {
        self.used += uri.len() + 16;
        self.message.header.resp_uri = Some(Cow::Owned(uri));
    }
}

/// The client's Next, as a Status tells it again.
fn echo(next: String) -> Item<'static> {
    Item {
        data: Data::Meta(Box::new(Meta {
            anchor: Some(Anchor {
                last: None,
                next: Cow::Owned(next),
            }),
            ..Meta::default()
        })),
        ..Item::default()
    }
}

/// The Status that is owed, without its number, challenge and anchor.
fn status_of(owed: Owed) -> Status<'static> {
    Status {
        msg_ref: Cow::Owned(owed.msg_ref),
        cmd_ref: Cow::Owned(owed.cmd_ref),
        cmd: Cow::Owned(owed.cmd),
        target_refs: owed.target_ref.map(Cow::Owned).into_iter().collect(),
        source_refs: owed.source_ref.map(Cow::Owned).into_iter().collect(),
        code: owed.code,
        ..Status::default()
    }
}

/// The other way round, for a Status that [`status_of`] made.
fn owed_of(status: Command<'static>) -> Owed {
    let Command::Status(mut status) = status else {
        unreachable!("a Status was made");
    };
    Owed {
        msg_ref: status.msg_ref.into_owned(),
        cmd_ref: status.cmd_ref.into_owned(),
        cmd: status.cmd.into_owned(),
        target_ref: status.target_refs.pop().map(Cow::into_owned),
        source_ref: status.source_refs.pop().map(Cow::into_owned),
        code: status.code,
        anchor_next: None,
    }
}

fn set_cmd_id(command: &mut Command<'static>, number: u32) {
    let id = Cow::Owned(number.to_string());
    match command {
        Command::Change(c) => c.cmd_id = id,
        Command::Alert(c) => c.cmd_id = id,
        Command::Group(c) => c.cmd_id = id,
        Command::Exec(c) => c.cmd_id = id,
        Command::Get(c) => c.cmd_id = id,
        Command::Map(c) => c.cmd_id = id,
        Command::Put(c) => c.cmd_id = id,
        Command::Results(c) => c.cmd_id = id,
        Command::Search(c) => c.cmd_id = id,
        Command::Status(c) => c.cmd_id = id,
        Command::Sync(c) => c.cmd_id = id,
        Command::Unknown { cmd_id, .. } => *cmd_id = id,
    }
}
