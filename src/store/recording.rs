//! Recordings: what is kept of sessions for people, so that they can be shown, undone and decided on.
//!
//! A message costs one INSERT in its own transaction, whatever it did; a session one more when it begins. Numbers count
//! within the account and are never used again.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::Store;
use super::connection::Database;
use super::error::StoreError;
use super::statement::{Bind, all, each, execute, first, statement};
use crate::sync::recording::{Trace, pack_items};
use crate::sync::{AccountId, Change, Commit, DeviceId, Modseq, RecordingWrite, StoredSession};

/// Whether deletions of a session wait for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// None were held.
    Nothing,
    /// They wait.
    Waiting,
    /// The operator let them happen.
    Released,
    /// They were given up.
    Discarded,
}

impl Held {
    const ALL: [Self; 4] = [
        Self::Nothing,
        Self::Waiting,
        Self::Released,
        Self::Discarded,
    ];

    fn of(number: i64) -> Self {
        let at = usize::try_from(number).unwrap_or(0);
        Self::ALL.get(at).copied().unwrap_or(Self::Nothing)
    }
}

/// A recorded session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Number within the account.
    pub number: i64,
    /// The device; it may be forgotten meanwhile. 0 for work of the operator.
    pub device: DeviceId,
    /// The device's address.
    pub device_uri: String,
    /// SessionID.
    pub session: String,
    /// Seconds since 1970 of the first message.
    pub began: i64,
    /// Of the last message.
    pub last: i64,
    /// How many messages came.
    pub messages: i64,
    /// It came to its end.
    pub ended: bool,
    /// What became of deletions that were held.
    pub held: Held,
    /// What it did with each datastore, as JSON.
    pub summary: String,
}

/// A recorded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMessage {
    /// Its place in the session, ascending, not always from 1.
    pub number: i64,
    /// MsgID.
    pub msg_id: String,
    /// Seconds since 1970.
    pub received: i64,
    /// What it wrote has the numbers that follow, in the order of `written`.
    pub modseq_before: Modseq,
    /// Content type of request and reply.
    pub content_type: String,
    /// See [`crate::sync::recording::unpack_items`].
    pub written: Vec<u8>,
    /// See [`crate::sync::recording::events`].
    pub trace: Vec<u8>,
    /// Without credentials; empty if it was not kept.
    pub request: Vec<u8>,
    /// Empty if it was not kept.
    pub reply: Vec<u8>,
}

statement!(
    NextRecording((BigInt,)) = "UPDATE account SET next_recording = next_recording + 1 WHERE id = ? AND name IS NOT NULL \
     RETURNING next_recording - 1"
);
statement!(
    BeginRecording(()) = "INSERT INTO recording (account, id, device, device_uri, session, began, held) \
     VALUES (?, ?, ?, ?, ?, ?, 0)"
);
statement!(
    InsertMessage(()) = "INSERT INTO recorded_message (account, recording, number, msg_id, received, ended, modseq_before, \
     content_type, summary, written, trace, request, reply) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
statement!(
    /// Behind the last message, with what the session did and how it stands.
    AppendMessage(()) = "INSERT INTO recorded_message (account, recording, number, msg_id, received, ended, modseq_before, \
     content_type, summary, written, trace, request, reply) \
     SELECT account, recording, number + 1, '', ?, ended, ?, '', summary, ?, ?, ?, ? FROM recorded_message \
     WHERE account = ? AND recording = ? ORDER BY number DESC LIMIT 1"
);
statement!(SetHeld(()) = "UPDATE recording SET held = ? WHERE account = ? AND id = ?");

/// Begins the recording of a session; gives its number.
pub(super) fn begin(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    session: &str,
    write: &RecordingWrite,
    now: i64,
) -> Result<i64, StoreError> {
    let account = Bind::Int(account.0);
    let row: Option<(i64,)> = first(connection, NextRecording, &[account])?;
    let (number,) = row.ok_or(StoreError::NotFound)?;
    let binds = [
        account,
        Bind::Int(number),
        Bind::Int(device.0),
        Bind::Text(&write.device),
        Bind::Text(session),
        Bind::Int(now),
    ];
    execute(connection, BeginRecording, &binds)?;
    Ok(number)
}

/// Keeps a message.
pub(super) fn put(
    connection: &mut Database,
    account: AccountId,
    recording: i64,
    state: &StoredSession,
    write: &RecordingWrite,
) -> Result<(), StoreError> {
    let reply: &[u8] = if write.keeps_reply { &state.reply } else { &[] };
    let binds = [
        Bind::Int(account.0),
        Bind::Int(recording),
        Bind::Int(state.step),
        Bind::Text(&state.msg_id),
        Bind::Int(state.updated),
        Bind::Int(i64::from(state.ended)),
        Bind::Int(write.modseq_before.0),
        Bind::Text(&write.content_type),
        Bind::Text(&write.summary),
        Bind::Blob(&write.written),
        Bind::Blob(&write.trace),
        Bind::Blob(&write.request),
        Bind::Blob(reply),
    ];
    execute(connection, InsertMessage, &binds)?;
    if write.holds {
        set_held(connection, account, recording, Held::Waiting)?;
    }
    Ok(())
}

/// Keeps what the operator did about a recorded session, as one more message of it.
pub(super) fn append(
    connection: &mut Database,
    account: AccountId,
    recording: i64,
    commit: &Commit,
    trace: Trace,
) -> Result<(), StoreError> {
    let written = pack_items(commit.changes.iter().filter_map(|change| match change {
        Change::PutItem(write) => Some(write.meta.id),
        Change::MoveItem { item, .. } | Change::DeleteItem { item, .. } => Some(*item),
        _ => None,
    }));
    let trace = trace.into_octets();
    let binds = [
        Bind::Int(commit.now),
        Bind::Int(commit.expected.0),
        Bind::Blob(&written),
        Bind::Blob(&trace),
        Bind::Blob(&[]),
        Bind::Blob(&[]),
        Bind::Int(account.0),
        Bind::Int(recording),
    ];
    execute(connection, AppendMessage, &binds).map(drop)
}

/// Sets what became of held deletions.
pub(super) fn set_held(
    connection: &mut Database,
    account: AccountId,
    recording: i64,
    held: Held,
) -> Result<(), StoreError> {
    let binds = [
        Bind::Int(held as i64),
        Bind::Int(account.0),
        Bind::Int(recording),
    ];
    execute(connection, SetHeld, &binds).map(drop)
}

type RecordingSql = (
    (BigInt, BigInt, Text, Text, BigInt, BigInt),
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type RecordingRow = (
    (i64, i64, String, String, i64, i64),
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// Columns of [`RecordingRow`]: the last message says how far the session came.
macro_rules! recordings {
    () => {
        "SELECT r.id, r.device, r.device_uri, r.session, r.began, r.held, \
         (SELECT count(*) FROM recorded_message c WHERE c.account = r.account AND c.recording = r.id), \
         m.received, m.ended, m.summary FROM recording r LEFT JOIN recorded_message m \
         ON m.account = r.account AND m.recording = r.id AND m.number = (SELECT max(n.number) \
         FROM recorded_message n WHERE n.account = r.account AND n.recording = r.id) "
    };
}

statement!(Recordings(RecordingSql) = recordings!() "WHERE r.account = ? ORDER BY r.id DESC");
statement!(OneRecording(RecordingSql) = recordings!() "WHERE r.account = ? AND r.id = ?");
statement!(
    Messages((
        BigInt, Text, BigInt, BigInt, Text, Binary, Binary, Binary, Binary
    )) = "SELECT number, msg_id, received, modseq_before, content_type, written, trace, request, reply \
     FROM recorded_message WHERE account = ? AND recording = ? ORDER BY number"
);

type MessageRow = (
    i64,
    String,
    i64,
    i64,
    String,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
);

fn recording(row: RecordingRow) -> Recording {
    let ((number, device, device_uri, session, began, held), messages, last, ended, summary) = row;
    Recording {
        number,
        device: DeviceId(device),
        device_uri,
        session,
        began,
        last: last.unwrap_or(began),
        messages,
        ended: ended.is_some_and(|ended| ended != 0),
        held: Held::of(held),
        summary: summary.unwrap_or_default(),
    }
}

pub(super) fn messages(
    connection: &mut Database,
    account: AccountId,
    number: i64,
) -> Result<Vec<RecordedMessage>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(number)];
    let rows: Vec<MessageRow> = all(connection, Messages, &binds)?;
    let message = |row: MessageRow| {
        let (number, msg_id, received, before, content_type, written, trace, request, reply) = row;
        RecordedMessage {
            number,
            msg_id,
            received,
            modseq_before: Modseq(before),
            content_type,
            written,
            trace,
            request,
            reply,
        }
    };
    Ok(rows.into_iter().map(message).collect())
}

pub(super) fn one(
    connection: &mut Database,
    account: AccountId,
    number: i64,
) -> Result<Recording, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(number)];
    let row: Option<RecordingRow> = first(connection, OneRecording, &binds)?;
    row.map(recording).ok_or(StoreError::NotFound)
}

impl Store {
    /// Recorded sessions of an account that are wanted, at most so many, the newest first.
    pub fn recordings(
        &self,
        account: AccountId,
        last: usize,
        mut wanted: impl FnMut(&Recording) -> bool,
    ) -> Result<Vec<Recording>, StoreError> {
        let mut found = Vec::new();
        if last == 0 {
            return Ok(found);
        }
        let mut reader = self.reader()?;
        let binds = [Bind::Int(account.0)];
        each(
            reader.connection()?,
            Recordings,
            &binds,
            |row: RecordingRow| {
                let recording = recording(row);
                if wanted(&recording) {
                    found.push(recording);
                }
                Ok(if found.len() < last {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(found)
    }

    /// A recorded session.
    pub fn recording(&self, account: AccountId, number: i64) -> Result<Recording, StoreError> {
        one(self.reader()?.connection()?, account, number)
    }

    /// The messages of a recorded session, in their order.
    pub fn recorded_messages(
        &self,
        account: AccountId,
        number: i64,
    ) -> Result<Vec<RecordedMessage>, StoreError> {
        messages(self.reader()?.connection()?, account, number)
    }
}
