//! How this node's gateways fare, written down for `candybar gateways`: when one begins or ceases to be left alone, and from
//! time to time.

use std::time::Duration;

use tokio::time::Instant;

use super::{Outbox, now};
use crate::sms::{CircuitState, GatewayState};
use crate::store::GatewayNote;

/// How old a node's word on its gateways may be; after that the node counts as gone.
pub const NOTE_LIFE: Duration = Duration::from_secs(60);
/// How often it is said anew.
const REPORT: Duration = Duration::from_secs(20);
/// How long what a node that died said is kept, milliseconds.
const KEPT: i64 = 86_400_000;

/// What was said last.
#[derive(Default)]
pub(super) struct Said {
    at: Option<Instant>,
    /// Why each gateway is left alone, if it is.
    circuits: Vec<Option<String>>,
}

impl Outbox {
    /// Says how the gateways fare, if that is new or was not said for a while.
    pub(super) async fn report(&self, said: &mut Said) {
        let states = self.0.gateways.states();
        let why = |state: &GatewayState| match &state.circuit {
            CircuitState::Closed => None,
            CircuitState::Open { why, .. } => Some(why.clone()),
        };
        let circuits: Vec<_> = states.iter().map(why).collect();
        if said.at.is_some_and(|at| at.elapsed() < REPORT) && said.circuits == circuits {
            return;
        }
        said.at = Some(Instant::now());
        said.circuits = circuits;
        let seen = now();
        let node = self.0.node.clone();
        let notes = states
            .into_iter()
            .map(|state| note(state, &node, seen))
            .collect();
        self.blocking(move |outbox| {
            if let Err(error) = outbox.0.store.note_gateways(notes, seen - KEPT) {
                tracing::debug!("how the gateways fare cannot be written down: {error}");
            }
        })
        .await;
    }

    /// Takes back what was said: the node ends.
    pub(super) async fn unsay(&self) {
        self.blocking(|outbox| outbox.0.store.forget_gateways(&outbox.0.node))
            .await;
    }
}

fn note(state: GatewayState, node: &str, seen: i64) -> GatewayNote {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (open_until, why) = match state.circuit {
        CircuitState::Closed => (None, None),
        CircuitState::Open { remaining, why } => {
            let remaining = i64::try_from(remaining.as_millis()).unwrap_or(i64::MAX / 2);
            (Some(seen + remaining), Some(why))
        }
    };
    GatewayNote {
        gateway: state.name,
        node: node.to_owned(),
        kind: state.kind.to_owned(),
        open_until,
        why,
        accepted: number(state.accepted),
        refused: number(state.refused),
        throttled: number(state.throttled),
        failed: number(state.failed),
        in_doubt: number(state.in_doubt),
        receipts: number(state.receipts),
        incoming: number(state.incoming),
        seen,
    }
}
