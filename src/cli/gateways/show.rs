//! `candybar gateways`: the ways out to phones, and how they fare.

use serde_json::{Value, json};

use super::super::failure::{Code, Failure};
use super::super::{Global, output, setup};
use crate::outbox::desk;
use crate::outbox::worker::NOTE_LIFE;
use crate::store::GatewayNote;

/// Prints the gateways of the configuration, in their order, as the nodes that run see them.
pub(in crate::cli) fn run(global: &Global) -> anyhow::Result<Code> {
    let (config, store) = setup::store(global)?;
    if config.gateways.is_empty() {
        let hint = "docs/gateways.md has one of each kind";
        return Err(Failure::new(Code::Refused, "there is no gateway")
            .hint(hint)
            .into());
    }
    let now = chrono::Utc::now().timestamp_millis();
    let life = i64::try_from(NOTE_LIFE.as_millis()).unwrap_or(i64::MAX);
    let notes = store.gateway_notes(now - life)?;
    let mut rows = vec![
        [
            "gateway", "kind", "node", "state", "taken", "refused", "failed", "in doubt",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut values: Vec<Value> = Vec::new();
    for settings in &config.gateways {
        let of: Vec<&GatewayNote> = notes
            .iter()
            .filter(|note| note.gateway == settings.name)
            .collect();
        values.push(json!({
            "name": settings.name,
            "kind": settings.kind.name(),
            "nodes": of.iter().map(|note| to_json(note, now)).collect::<Vec<_>>(),
        }));
        if of.is_empty() {
            let mut row = vec![settings.name.clone(), settings.kind.name().to_owned()];
            row.extend(["", "no server runs", "", "", "", ""].map(str::to_owned));
            rows.push(row);
        }
        rows.extend(of.iter().map(|note| {
            let numbers = [note.accepted, note.refused, note.failed, note.in_doubt];
            let mut row = vec![note.gateway.clone(), note.kind.clone(), note.node.clone()];
            row.push(state(note, now));
            row.extend(numbers.map(|number| number.to_string()));
            row
        }));
    }
    if global.json {
        return output::json(&values).map(|()| Code::Done);
    }
    output::table(&rows)?;
    Ok(Code::Done)
}

/// Whether messages go, for people.
fn state(note: &GatewayNote, now: i64) -> String {
    let Some(until) = note.open_until else {
        return "up".to_owned();
    };
    let why = note.why.as_deref().unwrap_or("it failed");
    match until.saturating_sub(now).div_euclid(1000) {
        seconds @ 1.. => format!("left alone for {seconds} s: {why}"),
        _ => format!("the next message tries: {why}"),
    }
}

fn to_json(note: &GatewayNote, now: i64) -> Value {
    json!({
        "node": note.node,
        "up": note.open_until.is_none(),
        "why": note.why,
        "left_alone_until": note.open_until.filter(|until| *until > now).and_then(desk::time),
        "accepted": note.accepted,
        "refused": note.refused,
        "throttled": note.throttled,
        "failed": note.failed,
        "in_doubt": note.in_doubt,
        "receipts": note.receipts,
        "incoming": note.incoming,
        "seen": desk::time(note.seen),
    })
}
