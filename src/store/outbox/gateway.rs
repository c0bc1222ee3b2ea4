//! What nodes know of their gateways, written down so that people see it from outside.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::Store;
use super::super::error::StoreError;
use super::super::statement::{Bind, all, execute, statement};

/// How a gateway fares, as one node sees it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayNote {
    /// Its name.
    pub gateway: String,
    /// Who says so.
    pub node: String,
    /// As the configuration calls it.
    pub kind: String,
    /// It is left alone until then; `None`: messages go.
    pub open_until: Option<i64>,
    /// Why it is left alone.
    pub why: Option<String>,
    /// SMS that it took.
    pub accepted: i64,
    /// Messages that it refused.
    pub refused: i64,
    /// Times that it asked to wait.
    pub throttled: i64,
    /// Messages that did not reach it.
    pub failed: i64,
    /// Messages of which nobody knows.
    pub in_doubt: i64,
    /// Receipts that it brought.
    pub receipts: i64,
    /// SMS from phones that it brought.
    pub incoming: i64,
    /// When the node said so.
    pub seen: i64,
}

statement!(
    PutState(()) = "INSERT INTO gateway_state (account, gateway, node, kind, open_until, why, accepted, refused, \
     throttled, failed, in_doubt, receipts, incoming, seen) VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (account, gateway, node) DO UPDATE SET kind = excluded.kind, open_until = excluded.open_until, \
     why = excluded.why, accepted = excluded.accepted, refused = excluded.refused, throttled = excluded.throttled, \
     failed = excluded.failed, in_doubt = excluded.in_doubt, receipts = excluded.receipts, \
     incoming = excluded.incoming, seen = excluded.seen"
);
statement!(DropStates(()) = "DELETE FROM gateway_state WHERE account = 0 AND seen < ?");
statement!(DropStatesOf(()) = "DELETE FROM gateway_state WHERE account = 0 AND node = ?");
statement!(
    States((
        (Text, Text, Text),
        (Nullable<BigInt>, Nullable<Text>),
        (BigInt, BigInt, BigInt, BigInt),
        (BigInt, BigInt, BigInt, BigInt),
    )) = "SELECT gateway, node, kind, open_until, why, accepted, refused, throttled, failed, in_doubt, receipts, incoming, seen \
     FROM gateway_state WHERE account = 0 AND seen >= ? ORDER BY gateway, node"
);

impl Store {
    /// Writes how a node's gateways fare, and forgets what was said before `old`.
    pub fn note_gateways(&self, notes: Vec<GatewayNote>, old: i64) -> Result<(), StoreError> {
        self.write(0, move |connection| {
            for note in &notes {
                let binds = [
                    Bind::Text(&note.gateway),
                    Bind::Text(&note.node),
                    Bind::Text(&note.kind),
                    Bind::OptionalInt(note.open_until),
                    Bind::OptionalText(note.why.as_deref()),
                    Bind::Int(note.accepted),
                    Bind::Int(note.refused),
                    Bind::Int(note.throttled),
                    Bind::Int(note.failed),
                    Bind::Int(note.in_doubt),
                    Bind::Int(note.receipts),
                    Bind::Int(note.incoming),
                    Bind::Int(note.seen),
                ];
                execute(connection, PutState, &binds)?;
            }
            execute(connection, DropStates, &[Bind::Int(old)]).map(drop)
        })
    }

    /// Forgets what a node said of its gateways.
    pub fn forget_gateways(&self, node: &str) -> Result<(), StoreError> {
        let node = node.to_owned();
        self.write(0, move |connection| {
            execute(connection, DropStatesOf, &[Bind::Text(&node)]).map(drop)
        })
    }

    /// What nodes said of their gateways since then, by gateway.
    pub fn gateway_notes(&self, since: i64) -> Result<Vec<GatewayNote>, StoreError> {
        type Row = (
            (String, String, String),
            (Option<i64>, Option<String>),
            (i64, i64, i64, i64),
            (i64, i64, i64, i64),
        );
        let rows: Vec<Row> = all(self.reader()?.connection()?, States, &[Bind::Int(since)])?;
        let notes = rows.into_iter().map(|row| {
            let (names, (open_until, why), (accepted, refused, throttled, failed), rest) = row;
            let (gateway, node, kind) = names;
            let (in_doubt, receipts, incoming, seen) = rest;
            GatewayNote {
                gateway,
                node,
                kind,
                open_until,
                why,
                accepted,
                refused,
                throttled,
                failed,
                in_doubt,
                receipts,
                incoming,
                seen,
            }
        });
        Ok(notes.collect())
    }
}
