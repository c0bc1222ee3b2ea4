//! Loads: who the sender of a message is, and the items that a message is about.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use rustc_hash::{FxHashMap, FxHashSet};

use super::connection::Database;
use super::error::StoreError;
use super::readers::Lent;
use super::row::{
    self, EntryRow, EntrySql, GenerationRow, MetaRow, MetaSql, entry_columns, meta_columns,
};
use super::statement::{Bind, all, each, first, statement};
use super::{announcement, hierarchy, holds, outgoing, rest, revision};
use crate::content::MatchKey;
use crate::secret::KeyFile;
use crate::sync::{
    Account, AccountId, Answer, Datastore, Device, DeviceId, Item, ItemId, Known, KnownQuery,
    Modseq, Peer, PeerQuery, Query, Secret, StoredSession, ViewState,
};

/// Living items that one match key gives at most.
const TWINS: usize = 64;

/// Reads from one snapshot of the database: writes that come after the first load are not seen.
pub struct Reader {
    lent: Lent,
    key: KeyFile,
}

impl Reader {
    pub(super) fn new(lent: Lent, key: KeyFile) -> Self {
        Self { lent, key }
    }

    /// Who the sender of a message is. Unknown accounts and devices are `None`, not errors.
    pub fn peer(&mut self, query: &PeerQuery) -> Result<Peer, StoreError> {
        let connection = self.lent.connection()?;
        let named = match &query.account {
            Some(name) => account_by_name(connection, &self.key, name)?,
            None => None,
        };
        let account = match (named, query.account_id, &query.account) {
            (Some(account), _, _) => Some(account),
            (None, Some(id), _) => account_by_id(connection, &self.key, id)?,
            (None, None, Some(_)) => None,
            (None, None, None) => match account_of_device(connection, query)? {
                Some(id) => account_by_id(connection, &self.key, id)?,
                None => None,
            },
        };
        let Some(account) = account else {
            return Ok(Peer::default());
        };
        let id = account.id;
        let mut peer = Peer {
            account: Some(account),
            device: device_by_uri(connection, id, &query.device)?,
            ..Peer::default()
        };
        if let Some(device) = &peer.device {
            peer.views = views(connection, id, device.id)?;
            peer.session = session(connection, id, device.id, &query.session)?;
        }
        Ok(peer)
    }

    /// The reply to the last message of a session; empty if there is no such session.
    pub fn last_reply(
        &mut self,
        account: AccountId,
        device: DeviceId,
        session: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let connection = self.lent.connection()?;
        let binds = [
            Bind::Int(account.0),
            Bind::Int(device.0),
            Bind::Text(session),
        ];
        let row: Option<(Vec<u8>, Option<Vec<u8>>)> = first(connection, ReplyOfSession, &binds)?;
        let (reply, recorded) = row.unwrap_or_default();
        Ok(match recorded {
            Some(recorded) if reply.is_empty() => recorded,
            _ => reply,
        })
    }

    /// Snapshot of the device's newest session, over or not.
    pub fn last_session(
        &mut self,
        account: AccountId,
        device: DeviceId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let connection = self.lent.connection()?;
        let binds = [Bind::Int(account.0), Bind::Int(device.0)];
        let row: Option<(Vec<u8>,)> = first(connection, LastSession, &binds)?;
        Ok(row.map(|(snapshot,)| snapshot))
    }

    /// Answers a query. Without a device, items have no entries.
    pub fn load(
        &mut self,
        account: AccountId,
        device: Option<DeviceId>,
        query: &Query,
    ) -> Result<Answer, StoreError> {
        let connection = self.lent.connection()?;
        // Devices are numbered from 1.
        let device = device.unwrap_or_default();
        match query {
            Query::Known(query) => known(connection, account, device, query).map(Answer::Known),
            Query::Items(ids) => items(connection, account, ids).map(Answer::Items),
            Query::Revisions(versions) => {
                revisions(connection, account, versions).map(Answer::Items)
            }
            Query::Outgoing(query) => {
                outgoing::page(connection, account, device, query).map(Answer::Outgoing)
            }
            Query::Usage => usage(connection, account),
            Query::Count(query) => {
                outgoing::count(connection, account, device, query).map(Answer::Count)
            }
            Query::Pending(view) => {
                holds::pending(connection, account, device, *view).map(Answer::Known)
            }
            Query::Folders(view) => {
                hierarchy::folders(connection, account, device, *view).map(Answer::Outgoing)
            }
            Query::Newest(query) => {
                hierarchy::newest(connection, account, device, query).map(Answer::Known)
            }
            Query::OnDevice(view) => {
                hierarchy::on_device(connection, account, device, *view).map(Answer::Known)
            }
            Query::Gone(view) => holds::gone(connection, account, device, *view).map(Answer::Known),
            Query::Announcements => {
                announcement::waiting(connection, account, device).map(Answer::Announcements)
            }
            Query::Asked => rest::asked(connection, account, device).map(Answer::Asked),
            Query::Tally(tally) => {
                holds::tally(connection, account, device, *tally).map(Answer::Count)
            }
        }
    }

    pub(super) fn connection(&mut self) -> Result<&mut Database, StoreError> {
        self.lent.connection()
    }

    pub(super) const fn key(&self) -> &KeyFile {
        &self.key
    }
}

pub(super) type AccountSql = (BigInt, Text, Binary, BigInt, BigInt, BigInt, Text);
pub(super) type AccountRow = (i64, String, Vec<u8>, i64, i64, i64, String);

statement!(
    AccountByName(AccountSql) = "SELECT id, name, password, modseq, next_item, created, conflicts FROM account WHERE name = ?"
);
statement!(
    AccountById(AccountSql) = "SELECT id, name, password, modseq, next_item, created, conflicts FROM account \
     WHERE id = ? AND name IS NOT NULL"
);

pub(super) fn account_by_name(
    connection: &mut Database,
    key: &KeyFile,
    name: &str,
) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = first(connection, AccountByName, &[Bind::Text(name)])?;
    row.map(|row| account(key, row)).transpose()
}

pub(super) fn account_by_id(
    connection: &mut Database,
    key: &KeyFile,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = first(connection, AccountById, &[Bind::Int(id.0)])?;
    row.map(|row| account(key, row)).transpose()
}

pub(super) fn account(key: &KeyFile, row: AccountRow) -> Result<Account, StoreError> {
    let (id, name, password, modseq, next_item, created, conflicts) = row;
    let password = key.open(AccountId(id), &password)?;
    Ok(Account {
        id: AccountId(id),
        name,
        password: Secret(
            String::from_utf8(password)
                .map_err(|_| StoreError::Corrupt("a password is not UTF-8".into()))?,
        ),
        modseq: Modseq(modseq),
        next_item: ItemId(next_item),
        created,
        conflicts: conflicts.parse().map_err(StoreError::Corrupt)?,
    })
}

statement!(
    AccountOfOpenSession((BigInt,)) = "SELECT d.account FROM device d JOIN session s \
     ON s.account = d.account AND s.device = d.id AND s.session = ? AND s.ended = 0 \
     WHERE d.uri = ? ORDER BY s.updated DESC LIMIT 2"
);
statement!(AccountOfDevice((BigInt,)) = "SELECT account FROM device WHERE uri = ? LIMIT 2");

/// The account whose device has an open session with this SessionID, else the only one that has such a device.
fn account_of_device(
    connection: &mut Database,
    query: &PeerQuery,
) -> Result<Option<AccountId>, StoreError> {
    let open: Vec<(i64,)> = all(
        connection,
        AccountOfOpenSession,
        &[Bind::Text(&query.session), Bind::Text(&query.device)],
    )?;
    if let [(account,)] = open[..] {
        return Ok(Some(AccountId(account)));
    }
    let owners: Vec<(i64,)> = all(connection, AccountOfDevice, &[Bind::Text(&query.device)])?;
    Ok(match owners[..] {
        [(account,)] => Some(AccountId(account)),
        _ => None,
    })
}

type DeviceSql = (
    (BigInt, Text, Nullable<Text>, Nullable<Text>),
    (Binary, Binary, Binary, Binary, Binary),
    (Nullable<Text>, BigInt, BigInt, Nullable<Text>, Text),
);
pub(super) type DeviceRow = (
    (i64, String, Option<String>, Option<String>),
    (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>),
    (Option<String>, i64, i64, Option<String>, String),
);

macro_rules! device_columns {
    () => {
        "id, uri, msisdn, profile, nonce, previous_nonce, notification_nonce, openings, devinf, \
         user_agent, last_seen, created, profile_header, mail_window"
    };
}

statement!(DeviceById(DeviceSql) =
    "SELECT " device_columns!() " FROM device WHERE account = ? AND id = ?");
statement!(DeviceByUri(DeviceSql) =
    "SELECT " device_columns!() " FROM device WHERE account = ? AND uri = ?");
statement!(
    /// All devices of an account.
    Devices(DeviceSql) =
    "SELECT " device_columns!() " FROM device WHERE account = ? ORDER BY id");

pub(super) fn device_by_uri(
    connection: &mut Database,
    account: AccountId,
    uri: &str,
) -> Result<Option<Device>, StoreError> {
    let row: Option<DeviceRow> = first(
        connection,
        DeviceByUri,
        &[Bind::Int(account.0), Bind::Text(uri)],
    )?;
    Ok(row.map(device))
}

pub(super) fn device_by_id(
    connection: &mut Database,
    account: AccountId,
    id: DeviceId,
) -> Result<Option<Device>, StoreError> {
    let row: Option<DeviceRow> = first(
        connection,
        DeviceById,
        &[Bind::Int(account.0), Bind::Int(id.0)],
    )?;
    Ok(row.map(device))
}

pub(super) fn device(row: DeviceRow) -> Device {
    let (
        (id, uri, msisdn, profile),
        (nonce, previous_nonce, notification_nonce, openings, devinf),
        (user_agent, last_seen, created, profile_header, mail_window),
    ) = row;
    Device {
        id: DeviceId(id),
        uri,
        msisdn,
        profile,
        nonce,
        previous_nonce,
        notification_nonce,
        openings,
        devinf,
        // An older program can meet what a newer one wrote.
        mail_window: mail_window.parse().unwrap_or_default(),
        user_agent,
        profile_header,
        last_seen,
        created,
    }
}

type GenerationSql = (
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
);

statement!(
    Views((
        BigInt,
        BigInt,
        BigInt,
        BigInt,
        BigInt,
        GenerationSql,
        GenerationSql
    )) = "SELECT view, round, sending_since, pending, unsettled, client_anchor, server_anchor, base, filter, \
     previous_client_anchor, previous_server_anchor, previous_base, previous_filter \
     FROM \"view\" WHERE account = ? AND device = ? ORDER BY view"
);

pub(super) fn views(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
) -> Result<Vec<(Datastore, ViewState)>, StoreError> {
    let rows: Vec<(i64, i64, i64, i64, i64, GenerationRow, GenerationRow)> = all(
        connection,
        Views,
        &[Bind::Int(account.0), Bind::Int(device.0)],
    )?;
    rows.into_iter()
        .map(
            |(view, round, sending_since, pending, unsettled, confirmed, previous)| {
                let states = (pending, unsettled);
                let state = row::view(round, sending_since, states, confirmed, previous);
                Ok((row::datastore(view)?, state))
            },
        )
        .collect()
}

statement!(
    SessionByName((BigInt, Text, Binary, Text, BigInt, BigInt, BigInt, Binary)) = "SELECT step, msg_id, request, reply_type, ended, updated, recording, snapshot \
     FROM session WHERE account = ? AND device = ? AND session = ?"
);
statement!(
    /// The reply, and that of the recorded message: it stands in one of the two places.
    ReplyOfSession((Binary, Nullable<Binary>)) = "SELECT s.reply, m.reply FROM session s LEFT JOIN recorded_message m \
     ON m.account = s.account AND m.recording = s.recording AND m.number = s.step \
     WHERE s.account = ? AND s.device = ? AND s.session = ?"
);

statement!(
    LastSession((Binary,)) = "SELECT snapshot FROM session WHERE account = ? AND device = ? \
     ORDER BY updated DESC, step DESC LIMIT 1"
);

type SessionRow = (i64, String, Vec<u8>, String, i64, i64, i64, Vec<u8>);

fn session(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    name: &str,
) -> Result<Option<StoredSession>, StoreError> {
    let row: Option<SessionRow> = first(
        connection,
        SessionByName,
        &[Bind::Int(account.0), Bind::Int(device.0), Bind::Text(name)],
    )?;
    let Some((step, msg_id, request, reply_type, ended, updated, recording, snapshot)) = row else {
        return Ok(None);
    };
    Ok(Some(StoredSession {
        session: name.into(),
        step,
        msg_id,
        request: row::octets16(&request)?,
        reply: Vec::new(),
        reply_type,
        snapshot,
        ended: ended != 0,
        updated,
        recording,
    }))
}

statement!(
    /// Bodies are not read: their length stands in the row's head.
    Usage((BigInt, BigInt)) = "SELECT count(*), coalesce(sum(length(body)), 0) FROM item \
     WHERE account = ? AND deleted = 0"
);

fn usage(connection: &mut Database, account: AccountId) -> Result<Answer, StoreError> {
    let row: Option<(i64, i64)> = first(connection, Usage, &[Bind::Int(account.0)])?;
    let (items, octets) = row.unwrap_or_default();
    Ok(Answer::Usage {
        items: u64::try_from(items).unwrap_or_default(),
        octets: u64::try_from(octets).unwrap_or_default(),
    })
}

pub(super) type KnownSql = (MetaSql, Nullable<EntrySql>);
pub(super) type KnownRow = (MetaRow, Option<EntryRow>);

/// Values: device, view.
macro_rules! with_entry {
    () => {
        " LEFT JOIN entry e ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id"
    };
}

/// Ids of the living items of a datastore with one match key, [`TWINS`] at most. Values: account, datastore.
macro_rules! twins {
    () => {
        "SELECT k.id FROM item k WHERE k.account = ? AND k.datastore = ? AND k.deleted = 0 AND k.match_key = "
    };
}

// Lists come as one JSON value. SQLite keeps the order of a CROSS JOIN: it begins with the list.
statement!(
    /// Items by the device's ids for them.
    KnownByLuid(KnownSql) =
    ["SELECT " meta_columns!() ", " entry_columns!() " FROM json_each(?) j CROSS JOIN entry e \
     ON e.account = ? AND e.device = ? AND e.view = ? AND e.luid = j.value \
     CROSS JOIN item i ON i.account = e.account AND i.id = e.item"]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() " FROM jsonb_array_elements_text(?::jsonb) j(value) JOIN entry e \
     ON e.account = ? AND e.device = ? AND e.view = ? AND e.luid = j.value \
     JOIN item i ON i.account = e.account AND i.id = e.item"]);
statement!(
    /// Items by id.
    KnownById(KnownSql) =
    ["SELECT " meta_columns!() ", " entry_columns!() " FROM json_each(?) j CROSS JOIN item i ON i.account = ? AND i.id = j.value" with_entry!()]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() " FROM jsonb_array_elements_text(?::jsonb) j(value) \
     JOIN item i ON i.account = ? AND i.id = j.value::bigint" with_entry!()]);
statement!(
    /// Living items of a datastore by match key.
    KnownByKey(KnownSql) =
    ["SELECT " meta_columns!() ", " entry_columns!() " FROM json_each(?) j CROSS JOIN item i ON i.account = ? AND i.id IN (" twins!() "j.value LIMIT 64)" with_entry!()]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() " FROM jsonb_array_elements_text(?::jsonb) j(value) \
     JOIN item i ON i.account = ? AND i.id IN (" twins!() "j.value::bigint LIMIT 64)" with_entry!()]);

pub(super) fn known(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    query: &KnownQuery,
) -> Result<Vec<Known>, StoreError> {
    let account = Bind::Int(account.0);
    let device = Bind::Int(device.0);
    let view = Bind::Int(i64::from(query.view.number()));
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut take = |row: KnownRow| {
        if seen.insert(row.0.0) {
            found.push(Known {
                item: row::meta(row.0)?,
                entry: row.1.map(row::entry).transpose()?,
            });
        }
        Ok(ControlFlow::Continue(()))
    };
    if !query.luids.is_empty() {
        let luids = list(query.luids.iter())?;
        each(
            connection,
            KnownByLuid,
            &[Bind::Text(&luids), account, device, view],
            &mut take,
        )?;
    }
    if !query.items.is_empty() {
        let ids = list(query.items.iter().map(|id| id.0))?;
        each(
            connection,
            KnownById,
            &[Bind::Text(&ids), account, device, view],
            &mut take,
        )?;
    }
    if !query.keys.is_empty() {
        let keys: FxHashSet<MatchKey> = query.keys.iter().copied().collect();
        let keys = list(keys.iter().map(|key| key.0))?;
        let mut twins = FxHashMap::<i64, usize>::default();
        for datastore in query.view.collections() {
            let datastore = Bind::Int(i64::from(datastore.number()));
            each(
                connection,
                KnownByKey,
                &[Bind::Text(&keys), account, account, datastore, device, view],
                |row: KnownRow| {
                    let count = twins.entry(row.0.6).or_default();
                    *count += 1;
                    if *count > TWINS {
                        return Ok(ControlFlow::Continue(()));
                    }
                    take(row)
                },
            )?;
        }
    }
    Ok(found)
}

statement!(
    /// Items with bodies by id.
    ItemsById((MetaSql, Binary)) =
    ["SELECT " meta_columns!() ", i.body FROM json_each(?) j \
     CROSS JOIN item i ON i.account = ? AND i.id = j.value"]
    postgresql ["SELECT " meta_columns!() ", i.body FROM jsonb_array_elements_text(?::jsonb) j(value) \
     JOIN item i ON i.account = ? AND i.id = j.value::bigint"]);

pub(super) fn items(
    connection: &mut Database,
    account: AccountId,
    ids: &[ItemId],
) -> Result<Vec<Item>, StoreError> {
    let ids = list(ids.iter().map(|id| id.0))?;
    let mut found = Vec::new();
    each(
        connection,
        ItemsById,
        &[Bind::Text(&ids), Bind::Int(account.0)],
        |(meta, body): (MetaRow, Vec<u8>)| {
            found.push(row::item(meta, Some(body))?);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

fn revisions(
    connection: &mut Database,
    account: AccountId,
    versions: &[(ItemId, Modseq)],
) -> Result<Vec<Item>, StoreError> {
    let mut found = Vec::with_capacity(versions.len());
    for (id, modseq) in versions {
        found.extend(revision::version(connection, account, *id, *modseq)?);
    }
    Ok(found)
}

statement!(
    CreatedModseq((BigInt,)) = "SELECT created_modseq FROM item WHERE account = ? AND id = ?"
);

/// Number of an item's first write.
pub(super) fn created(
    connection: &mut Database,
    account: AccountId,
    id: ItemId,
) -> Result<Option<Modseq>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(id.0)];
    let row: Option<(i64,)> = first(connection, CreatedModseq, &binds)?;
    Ok(row.map(|(number,)| Modseq(number)))
}

/// A list of values as one parameter.
pub(super) fn list<T: serde::Serialize>(
    values: impl Iterator<Item = T>,
) -> Result<String, StoreError> {
    let values: Vec<T> = values.collect();
    serde_json::to_string(&values).map_err(|error| StoreError::Corrupt(error.to_string()))
}
