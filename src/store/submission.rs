//! Mail that is to be sent: a queue with leases, as the outbox has them.
//!
//! A node claims what is due with a lease. Before it hands a message's content to a mail server it writes that down
//! ([`SubmissionState::Handed`]): from there on, nobody sends it again unless the server said that it did not take it. So a mail goes out once,
//! or its sender is told that this is not known.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};

use super::Store;
use super::connection::Database;
use super::error::StoreError;
use super::statement::{Bind, each, execute, first, statement};
use crate::sync::{AccountId, ItemId};

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionState {
    /// It is to be sent.
    Waiting,
    /// Its content is on its way to a server, or was when a node ended.
    Handed,
    /// What became of it is known; the mailbox does not show it yet.
    Settled,
    /// Nothing is left to do.
    Finished,
}

impl SubmissionState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Handed, Self::Settled, Self::Finished];

    /// The number in the database.
    const fn number(self) -> i64 {
        match self {
            Self::Waiting => 1,
            Self::Handed => 2,
            Self::Settled => 3,
            Self::Finished => 4,
        }
    }
}

/// What became of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// Nothing yet.
    Waiting,
    /// The server has the mail.
    Sent,
    /// The server does not take it.
    Refused,
    /// Nobody knows: the connection broke when the server had the content.
    Unknown,
}

/// A recipient of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// `local@domain`.
    pub address: String,
    /// What became of it.
    pub reached: Reached,
    /// The server's word on it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// A mail that is to be sent, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub item: ItemId,
    /// How far it is.
    pub state: SubmissionState,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Attempts to reach a server.
    pub attempts: i64,
    /// What the message's id is made of.
    pub message_id: String,
    /// Empty before the first attempt.
    pub recipients: Vec<Recipient>,
    /// The newest word on it, for people.
    pub why: Option<String>,
}

/// Rows that one claim takes; the text of the statement has it.
const CLAIM: usize = 16;

macro_rules! columns {
    () => {
        "account, item, state, created, attempts, message_id, recipients, why"
    };
}

type RowSql = (
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Text,
    Text,
    Nullable<Text>,
);
type Row = (i64, i64, i64, i64, i64, String, String, Option<String>);

statement!(
    Queue(()) = "INSERT INTO mail_submission (account, item, state, created, due, message_id) VALUES (?, ?, 1, ?, ?, ?) \
                 ON CONFLICT (account, item) DO NOTHING"
);
statement!(
    ClaimMail(RowSql) =
    ["UPDATE mail_submission SET node = ?, due = ? WHERE (account, item) IN \
      (SELECT account, item FROM mail_submission WHERE due <= ? ORDER BY due LIMIT 16) RETURNING " columns!()]
    postgresql ["UPDATE mail_submission SET node = ?, due = ? WHERE (account, item) IN \
      (SELECT account, item FROM mail_submission WHERE due <= ? ORDER BY due LIMIT 16 FOR UPDATE SKIP LOCKED) \
      RETURNING " columns!()]
);
statement!(NextMail((Nullable<BigInt>,)) = "SELECT min(due) FROM mail_submission WHERE due IS NOT NULL");
statement!(
    RenewMail(()) =
        "UPDATE mail_submission SET due = ? WHERE account = ? AND item = ? AND node = ?"
);
statement!(
    SettleMail(()) = "UPDATE mail_submission SET state = ?, due = ?, node = ?, attempts = ?, recipients = ?, why = ?, \
                      finished = ? WHERE account = ? AND item = ? AND node = ?"
);
statement!(
    OneMail(RowSql) = ["SELECT " columns!() " FROM mail_submission WHERE account = ? AND item = ?"]
    postgresql ["SELECT " columns!() " FROM mail_submission WHERE account = ? AND item = ?"]
);
statement!(
    AgainMail(()) = "UPDATE mail_submission SET state = 1, due = ?, finished = NULL, recipients = '[]' \
                     WHERE account = ? AND item = ? AND finished IS NOT NULL"
);
statement!(
    RemoveMail(()) = "DELETE FROM mail_submission WHERE account = ? AND item IN \
                      (SELECT item FROM mail_submission WHERE account = ? LIMIT 1000)"
);

fn queued(row: Row) -> Result<QueuedMail, StoreError> {
    let (account, item, state, created, attempts, message_id, recipients, why) = row;
    let corrupt =
        |what: &str| StoreError::Corrupt(format!("a mail to be sent has an unknown {what}"));
    let state = SubmissionState::ALL
        .into_iter()
        .find(|known| known.number() == state);
    Ok(QueuedMail {
        account: AccountId(account),
        item: ItemId(item),
        state: state.ok_or_else(|| corrupt("state"))?,
        created,
        attempts,
        message_id,
        recipients: serde_json::from_str(&recipients).map_err(|_| corrupt("list of recipients"))?,
        why,
    })
}

/// Puts a mail into the queue, once. `now`: milliseconds since 1970.
pub(super) fn queue(
    connection: &mut Database,
    account: AccountId,
    item: ItemId,
    now: i64,
) -> Result<(), StoreError> {
    let random = getrandom::u64().unwrap_or_default();
    let id = format!("{now:x}.{:x}.{random:016x}", item.0);
    let binds = [
        Bind::Int(account.0),
        Bind::Int(item.0),
        Bind::Int(now),
        Bind::Int(now),
        Bind::Text(&id),
    ];
    execute(connection, Queue, &binds)?;
    Ok(())
}

/// Takes away what an account has; true if there is more.
pub(super) fn remove_account(connection: &mut Database, account: i64) -> Result<bool, StoreError> {
    let binds = [Bind::Int(account), Bind::Int(account)];
    Ok(execute(connection, RemoveMail, &binds)? > 0)
}

impl Store {
    /// Puts a mail into the queue of those to be sent; one that is there already stays as it is. `now`: milliseconds since 1970.
    pub fn queue_mail(&self, account: AccountId, item: ItemId, now: i64) -> Result<(), StoreError> {
        self.write(256, move |connection| queue(connection, account, item, now))
    }

    /// A mail of the queue.
    pub fn queued_mail(
        &self,
        account: AccountId,
        item: ItemId,
    ) -> Result<Option<QueuedMail>, StoreError> {
        let binds = [Bind::Int(account.0), Bind::Int(item.0)];
        let row: Option<Row> = first(self.reader()?.connection()?, OneMail, &binds)?;
        row.map(queued).transpose()
    }

    /// When the next mail is due, milliseconds since 1970; `None` if none waits.
    pub fn next_mail_due(&self) -> Result<Option<i64>, StoreError> {
        let row: Option<(Option<i64>,)> = first(self.reader()?.connection()?, NextMail, &[])?;
        Ok(row.and_then(|(due,)| due))
    }

    /// Takes what is due, as many as one claim takes, with a lease until then. Nobody else gets it before that.
    pub fn claim_mail(
        &self,
        node: &str,
        now: i64,
        lease_until: i64,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        let node = node.to_owned();
        self.write(CLAIM * 128, move |connection| {
            let binds = [Bind::Text(&node), Bind::Int(lease_until), Bind::Int(now)];
            let mut claimed = Vec::new();
            each(connection, ClaimMail, &binds, |row: Row| {
                claimed.push(queued(row)?);
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(claimed)
        })
    }

    /// Makes the lease of a mail longer. False if the node has it no longer.
    pub fn renew_mail(
        &self,
        node: &str,
        mail: &QueuedMail,
        lease_until: i64,
    ) -> Result<bool, StoreError> {
        let (node, account, item) = (node.to_owned(), mail.account.0, mail.item.0);
        self.write(64, move |connection| {
            let binds = [
                Bind::Int(lease_until),
                Bind::Int(account),
                Bind::Int(item),
                Bind::Text(&node),
            ];
            Ok(execute(connection, RenewMail, &binds)? > 0)
        })
    }

    /// Writes down how far a mail is, if the node still has it; false if not. With `due` it is looked at again then; `keep` says
    /// that the node goes on with it. Without `due` it is finished. Times: milliseconds since 1970.
    pub fn settle_mail(
        &self,
        node: &str,
        mail: &QueuedMail,
        due: Option<i64>,
        keep: bool,
        now: i64,
    ) -> Result<bool, StoreError> {
        let (node, mail) = (node.to_owned(), mail.clone());
        let recipients = serde_json::json!(mail.recipients).to_string();
        self.write(recipients.len() + 256, move |connection| {
            let binds = [
                Bind::Int(mail.state.number()),
                Bind::OptionalInt(due),
                Bind::OptionalText(keep.then_some(node.as_str())),
                Bind::Int(mail.attempts),
                Bind::Text(&recipients),
                Bind::OptionalText(mail.why.as_deref()),
                Bind::OptionalInt(due.is_none().then_some(now)),
                Bind::Int(mail.account.0),
                Bind::Int(mail.item.0),
                Bind::Text(&node),
            ];
            Ok(execute(connection, SettleMail, &binds)? > 0)
        })
    }

    /// Sends a finished mail once more, to all its recipients, as its owner wishes. False if it is not finished. `now`: milliseconds since
    /// 1970.
    pub fn send_mail_again(
        &self,
        account: AccountId,
        item: ItemId,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.write(64, move |connection| {
            let binds = [Bind::Int(now), Bind::Int(account.0), Bind::Int(item.0)];
            Ok(execute(connection, AgainMail, &binds)? > 0)
        })
    }
}
