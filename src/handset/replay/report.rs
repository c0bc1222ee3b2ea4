//! What the server said to a recording, for programs (serde) and for people (Display).

use std::fmt;

use serde::Serialize;

use crate::syncml::Code;

/// One command and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// CmdID, as it was recorded.
    pub cmd_id: String,
    /// Its name.
    pub command: String,
    /// What it is about: an address or an item's id.
    pub subject: String,
    /// Status; none if the server gave none.
    pub code: Option<u16>,
    /// The specification's words for the code.
    pub text: &'static str,
    /// What the server of the recording answered, if that was recorded.
    pub then: Option<u16>,
}

impl Answered {
    /// The server did what it was told, had nothing to do, or wants a slow sync.
    pub fn is_accepted(&self) -> bool {
        let Some(code) = self.code.map(Code) else {
            return false;
        };
        let gone = matches!(code, Code::NOT_FOUND | Code::GONE) && self.command == "Delete";
        code.is_success()
            || code == Code::REFRESH_REQUIRED
            || code == Code::ALREADY_EXISTS
            || code == Code::CONFLICT_SERVER_WINS
            || gone
    }
}

/// One message and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MessageReport {
    /// The file; for a message that is not recorded, why it was sent.
    pub name: String,
    /// SessionID that was sent.
    pub session_id: String,
    /// MsgID that was sent.
    pub msg_id: u32,
    /// Octets that were sent.
    pub octets_sent: usize,
    /// Octets that came back.
    pub octets_received: usize,
    /// The message was made by the replay: a beginning, an end, an answer to a challenge.
    pub made: bool,
    /// It was not sent.
    pub left_out: bool,
    /// The server asked for credentials, and the message was sent again.
    pub challenged: bool,
    /// Status of the header.
    pub header: Option<u16>,
    /// The commands that were recorded.
    pub answers: Vec<Answered>,
    /// What was written anew, or left out.
    pub notes: Vec<String>,
    /// Why there is no answer, or none that can be read.
    pub error: Option<String>,
}

impl MessageReport {
    /// The answer could be read, and nothing was refused.
    pub fn is_accepted(&self) -> bool {
        let header = self.header.map(Code);
        self.challenged
            || self.left_out
            || self.error.is_none()
                && header.is_some_and(Code::is_success)
                && self.answers.iter().all(Answered::is_accepted)
    }
}

/// A whole replay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReplayReport {
    /// Sessions of the recording.
    pub sessions: usize,
    /// Messages in the order in which they were sent.
    pub messages: Vec<MessageReport>,
    /// Files that look like messages and cannot be read, each with the reason.
    pub unreadable: Vec<(String, String)>,
    /// Files without a message.
    pub skipped: Vec<String>,
    /// Messages of the server of then, which were compared and not sent.
    pub server_messages: usize,
    /// What addresses on the server were taken for.
    pub datastores: Vec<(String, String)>,
}

impl ReplayReport {
    /// Everything was read, sent and accepted.
    pub fn is_accepted(&self) -> bool {
        self.unreadable.is_empty() && self.messages.iter().all(MessageReport::is_accepted)
    }

    /// Commands that were not accepted.
    pub fn refused(&self) -> usize {
        let answers = self.messages.iter().flat_map(|message| &message.answers);
        answers.filter(|answer| !answer.is_accepted()).count()
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_accepted() { ' ' } else { '!' };
        write!(f, "  {mark} {} {}", self.command, self.cmd_id)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        match self.code {
            Some(code) => write!(f, ": {code} {}", self.text)?,
            None => write!(f, ": no Status")?,
        }
        match self.then {
            Some(then) if self.code != Some(then) => write!(f, " (then {then})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for MessageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            session_id,
            msg_id,
            octets_sent,
            octets_received,
            ..
        } = self;
        if self.left_out {
            write!(f, "{name}")?;
        } else {
            write!(
                f,
                "{name}: session {session_id}, message {msg_id}: {octets_sent} octets sent, {octets_received} received"
            )?;
        }
        if let Some(code) = self.header {
            write!(f, ", header {code}")?;
        }
        for note in &self.notes {
            write!(f, "\n    {note}")?;
        }
        for answer in &self.answers {
            write!(f, "\n{answer}")?;
        }
        match &self.error {
            Some(error) => write!(f, "\n  ! {error}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (address, datastore) in &self.datastores {
            writeln!(f, "{address} is taken for {datastore}")?;
        }
        for message in &self.messages {
            writeln!(f, "{message}")?;
        }
        for (name, error) in &self.unreadable {
            writeln!(f, "{name}\n  ! cannot be read: {error}")?;
        }
        for name in &self.skipped {
            writeln!(f, "{name}: no message, left out")?;
        }
        let recorded = self
            .messages
            .iter()
            .filter(|message| !message.made && !message.left_out)
            .count();
        let failed = self
            .messages
            .iter()
            .filter(|message| !message.is_accepted())
            .count();
        write!(
            f,
            "{recorded} messages of {} sessions replayed, {} commands refused, {failed} messages not accepted, {} files not readable",
            self.sessions,
            self.refused(),
            self.unreadable.len()
        )
    }
}
