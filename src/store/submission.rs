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

    /// For people and programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Handed => "under way",
            Self::Settled => "settled",
            Self::Finished => "finished",
        }
    }

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
    /// When it is looked at next, milliseconds since 1970; `None` if it is finished.
    pub due: Option<i64>,
    /// A node works on it.
    pub held: bool,
    /// When it was finished, milliseconds since 1970.
    pub finished: Option<i64>,
}

/// Rows that one claim takes; the text of the statement has it.
const CLAIM: usize = 16;

macro_rules! columns {
    () => {
        "account, item, state, created, attempts, message_id, recipients, why, due, node, finished"
    };
}

type RowSql = (
    (BigInt, BigInt, BigInt, BigInt, BigInt),
    (Text, Text, Nullable<Text>),
    (Nullable<BigInt>, Nullable<Text>, Nullable<BigInt>),
);
type Row = (
    (i64, i64, i64, i64, i64),
    (String, String, Option<String>),
    (Option<i64>, Option<String>, Option<i64>),
);

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
    /// Of one account; those that are not finished first, then the newest.
    MailOf(RowSql) = "SELECT " columns!() " FROM mail_submission WHERE account = ? \
                      ORDER BY finished IS NOT NULL, created DESC, item DESC LIMIT ?"
);
statement!(
    /// A mail that nobody works on. A lease that has ended is none.
    ChangeMail(()) = "UPDATE mail_submission SET state = ?, due = ?, node = NULL, finished = NULL, attempts = 0, created = ?, \
                      recipients = ?, why = ? WHERE account = ? AND item = ? AND (node IS NULL OR due <= ?)"
);
statement!(
    RemoveMail(()) = "DELETE FROM mail_submission WHERE account = ? AND item IN \
                      (SELECT item FROM mail_submission WHERE account = ? LIMIT 1000)"
);

fn queued(row: Row) -> Result<QueuedMail, StoreError> {
    let (
        (account, item, state, created, attempts),
        (message_id, recipients, why),
        (due, node, finished),
    ) = row;
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
        due,
        held: node.is_some(),
        finished,
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

    /// An account's mail in the queue, what is not finished first, then the newest.
    pub fn queued_mails(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let binds = [Bind::Int(account.0), Bind::Int(most)];
        let mut found = Vec::new();
        each(self.reader()?.connection()?, MailOf, &binds, |row: Row| {
            found.push(queued(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Changes a mail that nobody works on, as its operator wishes: it is looked at at once, and its time begins anew. `change` says how
    /// far it is and what became of its recipients, or that nothing is to be done. Gives what is in the queue then; with false if it was
    /// left alone. `now`: milliseconds since 1970.
    pub fn change_mail(
        &self,
        account: AccountId,
        item: ItemId,
        now: i64,
        change: impl Fn(&mut QueuedMail) -> bool + Send + 'static,
    ) -> Result<(QueuedMail, bool), StoreError> {
        self.write(1_024, move |connection| {
            let key = [Bind::Int(account.0), Bind::Int(item.0)];
            let row: Option<Row> = first(connection, OneMail, &key)?;
            let before = queued(row.ok_or(StoreError::NotFound)?)?;
            let mut after = before.clone();
            if !change(&mut after) {
                return Ok((before, false));
            }
            let recipients = serde_json::json!(after.recipients).to_string();
            let binds = [
                Bind::Int(after.state.number()),
                Bind::Int(now),
                Bind::Int(now),
                Bind::Text(&recipients),
                Bind::OptionalText(after.why.as_deref()),
                key[0],
                key[1],
                Bind::Int(now),
            ];
            let changed = execute(connection, ChangeMail, &binds)? > 0;
            let row: Option<Row> = first(connection, OneMail, &key)?;
            Ok((queued(row.ok_or(StoreError::NotFound)?)?, changed))
        })
    }
}
