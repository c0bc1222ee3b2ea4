//! What became of a claimed notification, written if the node still holds it.

use diesel::sql_types::BigInt;

use super::super::Store;
use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::statement::{Bind, execute, first, statement};
use super::{datastore_list, event, facts, insert};
use crate::sync::{
    Datastore, DeviceId, Modseq, NotificationId, NotificationKind, NotificationState,
};

/// Parts that a gateway took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submission {
    /// Which.
    pub gateway: String,
    /// Part (from 0) and the gateway's own name for it.
    pub parts: Vec<(u8, Option<String>)>,
    /// SMS that count for budgets.
    pub cost: u32,
    /// The day that they count for.
    pub day: i64,
    /// The account's counter before it was made.
    pub told_modseq: Modseq,
    /// Syncs that the device had begun before it was made.
    pub told_round: i64,
    /// The datastores that it names.
    pub told: Vec<Datastore>,
    /// When it began.
    pub begun: i64,
    /// All parts are taken; else `frozen` is what they are parts of.
    pub whole: bool,
    /// The gateway said so; else it went out and no answer came.
    pub certain: bool,
    /// Octets that the missing parts are to be cut of.
    pub frozen: Option<Vec<u8>>,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub id: NotificationId,
    /// Whose.
    pub device: DeviceId,
    /// The state from now on.
    pub state: NotificationState,
    /// When to look again; does not matter for a finished one.
    pub due: i64,
    /// The newest word, for people; `None` leaves the last one.
    pub why: Option<String>,
    /// It goes into the history as well.
    pub noted: bool,
    /// It was tried to hand it over.
    pub tried: bool,
    /// What a gateway took.
    pub submission: Option<Submission>,
    /// All changes up to this one were considered, though nothing of them was told.
    pub considered: Option<Modseq>,
    /// It is a finished notification for changes or a push: if more changed than it told, there is another one.
    pub again: bool,
}

statement!(
    /// What stirred it while it was in a node's hands has it looked at again.
    Settle((BigInt,)) = "UPDATE notification SET state = ?, \
     due = CASE WHEN stirred = 1 THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END, stirred = 0, finished = ?, node = NULL, why = coalesce(?, why), \
     attempts = attempts + ? WHERE account = ? AND id = ? AND node = ? RETURNING attempts"
);
statement!(
    Submitted(()) = "UPDATE notification SET gateway = ?, submitted = ?, told_modseq = ?, told_round = ?, told = ?, \
     used = used + ?, frozen = ? WHERE account = ? AND id = ?"
);
statement!(Considered(()) = "UPDATE notification SET told_modseq = ? WHERE account = ? AND id = ?");
statement!(
    PutPart(()) = "INSERT INTO submitted_part (account, notification, attempt, part, gateway, gateway_id, at) \
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, notification, attempt, part) DO UPDATE SET \
     gateway = excluded.gateway, gateway_id = excluded.gateway_id, receipt = 0, at = excluded.at"
);
statement!(
    Spend(()) = "INSERT INTO spent_sms (account, device, day, gateway, sms) VALUES (?, ?, ?, ?, ?) \
     ON CONFLICT (account, device, day, gateway) DO UPDATE SET sms = spent_sms.sms + excluded.sms"
);
statement!(
    CameSince((BigInt,)) = "SELECT CAST(1 AS BIGINT) FROM session WHERE account = ? AND device = ? AND updated >= ? LIMIT 1"
);
statement!(
    OpenForChanges((BigInt,)) = "SELECT CAST(1 AS BIGINT) FROM notification WHERE account = ? AND device = ? AND finished IS NULL \
     AND kind = 1 LIMIT 1"
);

impl Store {
    /// Writes what became of notifications, in one transaction; those that the node no longer holds are left alone.
    /// Gives the number of those that were written.
    pub fn settle_notifications(
        &self,
        node: &str,
        now: i64,
        settlements: Vec<Settlement>,
    ) -> Result<usize, StoreError> {
        let node = node.to_owned();
        let key = self.shared.key.clone();
        self.write_soon(settlements.len() * 512, move |connection| {
            let mut written = 0;
            for settlement in &settlements {
                let frozen = settlement
                    .submission
                    .as_ref()
                    .and_then(|submission| submission.frozen.as_deref())
                    .map(|octets| key.seal(settlement.id.account, octets))
                    .transpose()?;
                written += usize::from(settle(
                    connection,
                    &node,
                    now,
                    settlement,
                    frozen.as_deref(),
                )?);
            }
            Ok(written)
        })
    }
}

fn settle(
    connection: &mut Database,
    node: &str,
    now: i64,
    settlement: &Settlement,
    frozen: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let id = settlement.id;
    let (account, number) = (Bind::Int(id.account.0), Bind::Int(id.number));
    let device = Bind::Int(settlement.device.0);
    let finished = settlement.state.is_finished();
    let mut due = settlement.due;
    if let Some(submission) = &settlement.submission {
        // A phone can be faster than this transaction.
        let begun = Bind::Int(submission.begun.div_euclid(1000));
        let came: Option<(i64,)> = first(connection, CameSince, &[account, device, begun])?;
        if came.is_some() {
            due = now;
        }
    }
    let binds = [
        Bind::Int(settlement.state.number()),
        Bind::OptionalInt((!finished).then_some(due.min(now))),
        Bind::OptionalInt((!finished).then_some(due)),
        Bind::OptionalInt(finished.then_some(now)),
        Bind::OptionalText(settlement.why.as_deref()),
        Bind::Int(i64::from(settlement.tried)),
        account,
        number,
        Bind::Text(node),
    ];
    let held: Option<(i64,)> = first(connection, Settle, &binds)?;
    let Some((attempt,)) = held else {
        return Ok(false);
    };
    if let Some(submission) = &settlement.submission {
        submitted(connection, now, settlement, submission, attempt, frozen)?;
    }
    if let Some(modseq) = settlement.considered {
        execute(
            connection,
            Considered,
            &[Bind::Int(modseq.0), account, number],
        )?;
    }
    if settlement.noted
        && let Some(why) = &settlement.why
    {
        event(connection, id, now, settlement.state, why)?;
    }
    if settlement.again {
        again(connection, settlement, now)?;
    }
    Ok(true)
}

fn submitted(
    connection: &mut Database,
    now: i64,
    settlement: &Settlement,
    submission: &Submission,
    attempt: i64,
    frozen: Option<&[u8]>,
) -> Result<(), StoreError> {
    let id = settlement.id;
    let (account, number) = (Bind::Int(id.account.0), Bind::Int(id.number));
    let told = datastore_list(&submission.told);
    let binds = [
        Bind::Text(&submission.gateway),
        Bind::OptionalInt(submission.whole.then_some(now)),
        Bind::Int(submission.told_modseq.0),
        Bind::Int(submission.told_round),
        Bind::OptionalText(told.as_deref()),
        Bind::Int(i64::from(submission.whole && submission.certain)),
        Bind::OptionalBlob(frozen),
        account,
        number,
    ];
    execute(connection, Submitted, &binds)?;
    for (part, gateway_id) in &submission.parts {
        let binds = [
            account,
            number,
            Bind::Int(attempt),
            Bind::Int(i64::from(*part)),
            Bind::Text(&submission.gateway),
            Bind::OptionalText(gateway_id.as_deref()),
            Bind::Int(now),
        ];
        execute(connection, PutPart, &binds)?;
    }
    if submission.cost > 0 {
        let (nobody, day) = (Bind::Int(0), Bind::Int(submission.day));
        let gateway = Bind::Text(&submission.gateway);
        let cost = Bind::Int(i64::from(submission.cost));
        let device = Bind::Int(settlement.device.0);
        for (account, device) in [(account, device), (account, nobody), (nobody, nobody)] {
            execute(connection, Spend, &[account, device, day, gateway, cost])?;
        }
    }
    Ok(())
}

/// Another notification, if something changed that the finished one did not tell.
fn again(connection: &mut Database, settlement: &Settlement, now: i64) -> Result<(), StoreError> {
    let (account, device) = (settlement.id.account, settlement.device);
    let binds = [Bind::Int(account.0), Bind::Int(device.0)];
    let open: Option<(i64,)> = first(connection, OpenForChanges, &binds)?;
    if open.is_some() {
        return Ok(());
    }
    let told = facts::told_up_to(connection, settlement.id)?;
    if facts::changed(connection, account, device, told)?.is_empty() {
        return Ok(());
    }
    let kind = NotificationKind::Change;
    insert(connection, account, device, kind, now, &[], None).map(drop)
}
