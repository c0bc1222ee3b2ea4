//! One message while it is put together: CmdIDs, room under MaxMsgSize, what waits for a Status.

use crate::syncml::codec::{Form, encoded_len};
use crate::syncml::{ChangeKind, Command};

use crate::handset::memory::Luid;

/// What a command that was sent stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// The phone's device information.
    Put,
    /// Alert of a datastore (its index).
    Alert(usize),
    /// Sync of a datastore (its index).
    Sync(usize),
    /// An item command.
    Change {
        /// Index of the datastore.
        exchange: usize,
        /// Which command.
        kind: ChangeKind,
        /// Which item.
        luid: Luid,
        /// More chunks follow.
        more: bool,
    },
    /// Map of a datastore (its index), with the server's ids.
    Map(usize, Vec<String>),
    /// The command that no server need know.
    Unknown,
    /// A command whose Status changes nothing.
    Other,
}

/// A command that is ready but for its CmdID.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prepared {
    pub(super) command: Command<'static>,
    pub(super) sent: Sent,
}

/// A command that was sent and waits for its Status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) cmd_id: String,
    pub(super) name: String,
    pub(super) sent: Sent,
    pub(super) answered: bool,
}

impl Flight {
    /// A Status must come; 1.0 needs none for Results, and none is missed for the next-message Alert.
    pub(super) fn wants_status(&self) -> bool {
        !matches!(self.sent, Sent::Other)
    }
}

/// The body of a message under construction.
#[derive(Debug)]
pub(super) struct Packer {
    form: Form,
    /// Octets, header and Final included.
    used: usize,
    limit: usize,
    next_id: u32,
    constant_id: bool,
    pub(super) body: Vec<Command<'static>>,
    pub(super) flights: Vec<Flight>,
}

impl Packer {
    /// A body for a message whose header takes `used` octets.
    pub(super) const fn new(form: Form, used: usize, limit: usize, constant_id: bool) -> Self {
        Self {
            form,
            used,
            limit,
            next_id: 1,
            constant_id,
            body: Vec::new(),
            flights: Vec::new(),
        }
    }

    /// A CmdID for the next command.
    pub(super) fn cmd_id(&mut self) -> String {
        let id = if self.constant_id { 1 } else { self.next_id };
        self.next_id += 1;
        id.to_string()
    }

    /// Octets that are left.
    pub(super) const fn room(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    /// Nothing but Statuses is in the message.
    pub(super) fn only_statuses(&self) -> bool {
        self.body
            .iter()
            .all(|command| matches!(command, Command::Status(_)))
    }

    /// Octets that a command takes.
    pub(super) fn len(&self, command: &Command<'_>) -> usize {
        encoded_len(command, &self.form)
    }

    /// Counts octets of a command that is part of another one.
    pub(super) const fn reserve(&mut self, octets: usize) {
        self.used += octets;
    }

    /// Takes a command if it fits, or if the message is empty: what cannot be split must go somehow. A command that does
    /// not fit is given back.
    pub(super) fn offer(
        &mut self,
        command: Command<'static>,
        sent: Sent,
    ) -> Option<Command<'static>> {
        let len = self.len(&command);
        if len > self.room() && !self.body.is_empty() {
            return Some(command);
        }
        self.push(command, sent, len);
        None
    }

    /// Takes a command of known length.
    pub(super) fn push(&mut self, command: Command<'static>, sent: Sent, len: usize) {
        self.used += len;
        self.fly(&command, sent);
        self.body.push(command);
    }

    /// Notes a command that waits for a Status.
    pub(super) fn fly(&mut self, command: &Command<'_>, sent: Sent) {
        if !matches!(command, Command::Status(_)) {
            self.flights.push(Flight {
                cmd_id: command.cmd_id().to_owned(),
                name: command.name().to_owned(),
                sent,
                answered: false,
            });
        }
    }
}
