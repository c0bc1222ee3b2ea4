//! What counts for the next step of a notification, from one snapshot.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::super::Store;
use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::load;
use super::super::statement::{Bind, all, first, statement};
use super::reach;
use crate::sync::{
    Account, AccountId, Datastore, Device, DeviceId, Modseq, Notification, NotificationId,
    NotificationKind, NotificationState, PartReceipt, Reach, Secret,
};

/// What the store knows about a notification's next step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationFacts {
    /// Whose.
    pub account: Account,
    /// For whom.
    pub device: Device,
    /// The password that the device and the server share: its own, or the account's.
    pub password: Secret,
    /// How it is spoken to.
    pub reach: Reach,
    /// It has a session that goes on.
    pub in_session: bool,
    /// Datastores of which it does not know the newest, and has not been told by this notification.
    pub changed: Vec<Datastore>,
    /// The filters under which it got what it has of datastores, as text.
    pub filters: Vec<(Datastore, String)>,
    /// Datastores that it has synchronised.
    pub views: Vec<Datastore>,
    /// Syncs that it has begun, over all its views.
    pub rounds: i64,
    /// It never synchronised, and was set by hand to a form that needs no sync client.
    pub text_only: bool,
    /// It was told something, and knows all of that now.
    pub answered: bool,
    /// Another notification was sent and is open until then.
    pub covered_until: Option<i64>,
    /// Its last notifications that got no answer, in a row.
    pub ignored: u32,
    /// When one was submitted last.
    pub last_submitted: Option<i64>,
    /// SMS to the device today.
    pub spent_device: u32,
    /// SMS to the account's devices today.
    pub spent_account: u32,
    /// SMS through gateways today.
    pub spent_gateways: Vec<(String, u32)>,
    /// Parts that are out, and what the network said of each.
    pub receipts: Vec<(u8, PartReceipt)>,
    /// What the parts that are out are parts of, if some are missing.
    pub frozen: Option<Vec<u8>>,
    /// What settings are made of.
    pub parameters: Option<Vec<u8>>,
    /// Addresses of datastores as the device used them last, from its newest session's snapshot.
    pub snapshot: Option<Vec<u8>>,
}

/// A session without a message for so long does not go on, seconds.
const SESSION_REST: i64 = 90;

/// An item can have a time so long before the notification that it caused, seconds.
const WRITING: i64 = 60;

statement!(
    NewestSession((BigInt, BigInt, Binary)) = "SELECT ended, updated, snapshot FROM session \
     WHERE account = ? AND device = ? ORDER BY updated DESC LIMIT 1"
);
statement!(
    Bases((BigInt, Nullable<BigInt>)) =
        "SELECT view, base FROM \"view\" WHERE account = ? AND device = ? ORDER BY view"
);
statement!(
    Filters((BigInt, Text)) = "SELECT view, filter FROM \"view\" WHERE account = ? AND device = ? \
     AND base IS NOT NULL AND filter IS NOT NULL ORDER BY view"
);
statement!(
    /// Values: device, view, account, datastore, modseq.
    NewerItem((BigInt,)) = "SELECT CAST(1 AS BIGINT) FROM item i LEFT JOIN entry e \
     ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id \
     WHERE i.account = ? AND i.datastore = ? AND i.modseq > ? \
     AND ((e.item IS NULL AND i.deleted = 0) OR e.seen < i.modseq) LIMIT 1"
);
statement!(
    ToldDevice((Nullable<BigInt>,)) = "SELECT max(told_modseq) FROM notification \
     WHERE account = ? AND device = ? AND submitted IS NOT NULL"
);
statement!(
    NewestItem((BigInt, BigInt)) = "SELECT modseq, updated FROM item WHERE account = ? AND datastore = ? \
     ORDER BY modseq DESC LIMIT 1"
);
statement!(
    ToldUpTo((Nullable<BigInt>,)) = "SELECT told_modseq FROM notification WHERE account = ? AND id = ?"
);
statement!(
    Covered((Nullable<BigInt>,)) = "SELECT max(due) FROM notification WHERE account = ? AND device = ? \
     AND finished IS NULL AND state = 3 AND kind <> 3 AND id <> ?"
);
statement!(
    Last((BigInt, Nullable<BigInt>)) = "SELECT state, submitted FROM notification WHERE account = ? AND device = ? \
     AND kind <> 3 AND submitted IS NOT NULL AND id <> ? ORDER BY id DESC LIMIT 9"
);
statement!(
    SpentByGateway((Text, BigInt)) =
        "SELECT gateway, sms FROM spent_sms WHERE account = 0 AND device = 0 AND day = ?"
);
statement!(
    /// Device 0: all devices of the account.
    SpentByAccount((BigInt, BigInt)) =
        "SELECT device, sms FROM spent_sms WHERE account = ? AND device IN (0, ?) AND day = ?"
);
statement!(
    /// Of the newest try, the later attempts last.
    Receipts((BigInt, BigInt)) = "SELECT part, receipt FROM submitted_part WHERE account = ? AND notification = ? \
     AND at >= ? ORDER BY attempt"
);
statement!(
    KeptOf((Nullable<Binary>, Nullable<Binary>, Nullable<BigInt>)) =
        "SELECT parameters, frozen, told_round FROM notification WHERE account = ? AND id = ?"
);
statement!(
    Rounds((BigInt,)) = "SELECT CAST(coalesce(sum(round), 0) AS BIGINT) FROM \"view\" WHERE account = ? AND device = ?"
);

impl Store {
    /// What counts for the next step; [`StoreError::NotFound`] if account or device are gone. `day` is that of budgets.
    pub fn notification_facts(
        &self,
        notification: &Notification,
        now: i64,
        day: i64,
    ) -> Result<NotificationFacts, StoreError> {
        let id = notification.id;
        let device = notification.device;
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        let connection = reader.connection()?;
        let account =
            load::account_by_id(connection, &key, id.account)?.ok_or(StoreError::NotFound)?;
        let both = [Bind::Int(id.account.0), Bind::Int(device.0)];
        let mut facts = NotificationFacts {
            device: load::device_by_id(connection, id.account, device)?
                .ok_or(StoreError::NotFound)?,
            ..NotificationFacts::default()
        };
        let (reach, own) = reach::reach(connection, &key, id.account, device)?;
        facts.reach = reach;
        facts.password = own.unwrap_or_else(|| account.password.clone());
        facts.account = account;
        let session: Option<(i64, i64, Vec<u8>)> = first(connection, NewestSession, &both)?;
        if let Some((ended, updated, snapshot)) = session {
            facts.in_session = ended == 0 && now.div_euclid(1000) - updated < SESSION_REST;
            facts.snapshot = Some(snapshot);
        }
        let bases: Vec<(i64, Option<i64>)> = all(connection, Bases, &both)?;
        for (view, base) in &bases {
            if base.is_some() {
                facts.views.push(super::super::row::datastore(*view)?);
            }
        }
        facts.changed = changed(connection, id.account, device, Modseq(0))?;
        let filters: Vec<(i64, String)> = all(connection, Filters, &both)?;
        for (view, filter) in filters {
            facts
                .filters
                .push((super::super::row::datastore(view)?, filter));
        }
        let needs_none = matches!(facts.reach.form.as_deref(), Some("emn" | "si" | "sl"));
        facts.text_only = needs_none && facts.views.is_empty();
        if facts.text_only {
            facts.changed = changed_since(connection, id.account, device, notification.created)?;
        }
        // What it never synchronises is no part of its answer.
        let mut told_bases = notification.told.iter().filter_map(|told| {
            let view = i64::from(told.number());
            let known = bases.iter().find(|(known, _)| *known == view)?;
            Some(
                known
                    .1
                    .is_some_and(|base| base >= notification.told_modseq.0),
            )
        });
        let rounds: Option<(i64,)> = first(connection, Rounds, &both)?;
        facts.rounds = rounds.map_or(0, |(rounds,)| rounds);
        let kept = kept(connection, id)?;
        facts.answered = match notification.submitted {
            None => false,
            Some(submitted) if notification.told.is_empty() => {
                !facts.in_session && facts.device.last_seen * 1000 > submitted
            }
            Some(submitted) => {
                // Who was asked to come without a change knows everything before.
                let came = notification.kind == NotificationKind::Change
                    || match kept.told_round {
                        Some(told) => facts.rounds > told && !facts.in_session,
                        None => facts.device.last_seen > submitted.div_euclid(1000),
                    };
                let first = told_bases.next();
                came && first.is_some_and(|first| first && told_bases.all(|knows| knows))
            }
        };
        let three = [both[0], both[1], Bind::Int(id.number)];
        let covered: Option<(Option<i64>,)> = first(connection, Covered, &three)?;
        facts.covered_until = covered.and_then(|(until,)| until);
        let last: Vec<(i64, Option<i64>)> = all(connection, Last, &three)?;
        facts.last_submitted = last.iter().filter_map(|(_, submitted)| *submitted).max();
        let unanswered = NotificationState::Unanswered.number();
        let ignored = last.iter().take_while(|(state, _)| *state == unanswered);
        facts.ignored = u32::try_from(ignored.count()).unwrap_or(u32::MAX);
        spent(connection, &mut facts, id.account, device, day)?;
        let open = |octets: Option<Vec<u8>>| {
            octets
                .map(|octets| key.open(id.account, &octets))
                .transpose()
        };
        facts.parameters = open(kept.parameters)?;
        if notification.gateway.is_some() {
            let binds = [
                both[0],
                Bind::Int(id.number),
                Bind::Int(notification.created),
            ];
            let rows: Vec<(i64, i64)> = all(connection, Receipts, &binds)?;
            let parts = rows.into_iter().filter_map(|(part, receipt)| {
                Some((u8::try_from(part).ok()?, PartReceipt::from_number(receipt)))
            });
            facts.receipts = parts.collect::<BTreeMap<_, _>>().into_iter().collect();
        }
        facts.frozen = open(kept.frozen)?;
        Ok(facts)
    }
}

/// What is kept of a notification beside its state; the octets are sealed.
struct Kept {
    parameters: Option<Vec<u8>>,
    frozen: Option<Vec<u8>>,
    told_round: Option<i64>,
}

fn kept(connection: &mut Database, id: NotificationId) -> Result<Kept, StoreError> {
    type Row = (Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>);
    let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
    let row: Option<Row> = first(connection, KeptOf, &binds)?;
    let (parameters, frozen, told_round) = row.ok_or(StoreError::NotFound)?;
    Ok(Kept {
        parameters,
        frozen,
        told_round,
    })
}

fn spent(
    connection: &mut Database,
    facts: &mut NotificationFacts,
    account: AccountId,
    device: DeviceId,
    day: i64,
) -> Result<(), StoreError> {
    let number = |sms: i64| u32::try_from(sms).unwrap_or(0);
    let day = Bind::Int(day);
    let binds = [Bind::Int(account.0), Bind::Int(device.0), day];
    let rows: Vec<(i64, i64)> = all(connection, SpentByAccount, &binds)?;
    for (whose, sms) in rows {
        let sum = match whose {
            0 => &mut facts.spent_account,
            _ => &mut facts.spent_device,
        };
        *sum = sum.saturating_add(number(sms));
    }
    let rows: Vec<(String, i64)> = all(connection, SpentByGateway, &[day])?;
    facts.spent_gateways = rows
        .into_iter()
        .map(|(gateway, sms)| (gateway, number(sms)))
        .collect();
    Ok(())
}

/// The account's counter when the notification was sent last.
pub(super) fn told_up_to(
    connection: &mut Database,
    id: NotificationId,
) -> Result<Modseq, StoreError> {
    let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
    let row: Option<(Option<i64>,)> = first(connection, ToldUpTo, &binds)?;
    Ok(Modseq(row.and_then(|(told,)| told).unwrap_or(0)))
}

/// Datastores in which something changed since then that a device without views was not told of.
fn changed_since(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    created: i64,
) -> Result<Vec<Datastore>, StoreError> {
    let both = [Bind::Int(account.0), Bind::Int(device.0)];
    let told: Option<(Option<i64>,)> = first(connection, ToldDevice, &both)?;
    let told = told.and_then(|(told,)| told).unwrap_or(0);
    let mut changed = Vec::new();
    for datastore in Datastore::ALL {
        let binds = [both[0], Bind::Int(i64::from(datastore.number()))];
        let newest: Option<(i64, i64)> = first(connection, NewestItem, &binds)?;
        let since = created / 1000 - WRITING;
        if newest.is_some_and(|(modseq, updated)| modseq > told && updated >= since) {
            changed.push(datastore);
        }
    }
    Ok(changed)
}

/// The device's views with items that it does not know yet and that are newer than `told`.
pub(super) fn changed(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    told: Modseq,
) -> Result<Vec<Datastore>, StoreError> {
    let both = [Bind::Int(account.0), Bind::Int(device.0)];
    let bases: Vec<(i64, Option<i64>)> = all(connection, Bases, &both)?;
    let mut changed = Vec::new();
    for (number, base) in bases {
        let Some(base) = base else { continue };
        let view = super::super::row::datastore(number)?;
        for datastore in view.collections() {
            let binds = [
                both[1],
                Bind::Int(number),
                both[0],
                Bind::Int(i64::from(datastore.number())),
                Bind::Int(base.max(told.0)),
            ];
            let newer: Option<(i64,)> = first(connection, NewerItem, &binds)?;
            if newer.is_some() {
                changed.push(view);
                break;
            }
        }
    }
    Ok(changed)
}
