//! `candybar sessions NAME`: the sessions of an account, one a line.

use serde_json::{Value, json};

use super::super::failure::{Code, Failure};
use super::super::{Global, output, setup};
use super::Id;
use crate::store::{Held, Recording, Refusal};
use crate::sync::AccountId;

/// Flags of `sessions NAME`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// User name
    name: Option<String>,
    /// How many, the newest ones
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Only those of this device
    #[arg(long)]
    device: Option<String>,
    /// Only those with deletions that wait for a decision
    #[arg(long)]
    held: bool,
    /// Instead of sessions, what was refused of devices outside of any: wrong passwords, messages out of order
    #[arg(long, conflicts_with = "held")]
    refused: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let Some(name) = &args.name else {
        return Err(Failure::new(Code::Usage, "whose sessions? Name an account")
            .hint("candybar sessions NAME; candybar account list shows the accounts")
            .into());
    };
    let store = super::store(global)?;
    let account = setup::account(&store, name)?;
    if args.refused {
        return refused(args, name, store.refusals(account.id)?, global);
    }
    let found = store.recordings(account.id, args.last, |recording| {
        args.device
            .as_ref()
            .is_none_or(|device| *device == recording.device_uri)
            && (!args.held || recording.held == Held::Waiting)
    })?;
    if global.json {
        let values: Vec<Value> = found
            .iter()
            .map(|recording| value(account.id, recording))
            .collect();
        output::json(&values)?;
        return Ok(Code::Done);
    }
    if found.is_empty() {
        eprintln!("there are no such sessions of {name}");
        return Ok(Code::Done);
    }
    let mut rows = vec![
        ["id", "began", "device", "messages", "", "what it did"]
            .map(str::to_owned)
            .to_vec(),
    ];
    // The newest stands last, where the eye is.
    for recording in found.iter().rev() {
        let id = Id {
            account: account.id,
            number: recording.number,
        };
        rows.push(vec![
            id.to_string(),
            output::time(recording.began),
            recording.device_uri.clone(),
            recording.messages.to_string(),
            state(recording).to_owned(),
            did(recording),
        ]);
    }
    output::table(&rows)?;
    Ok(Code::Done)
}

fn refused(
    args: &Args,
    name: &str,
    mut found: Vec<Refusal>,
    global: &Global,
) -> anyhow::Result<Code> {
    found.retain(|refusal| {
        let device = args.device.as_ref();
        device.is_none_or(|device| *device == refusal.device)
    });
    found.truncate(args.last);
    if global.json {
        output::json(&found)?;
        return Ok(Code::Done);
    }
    if found.is_empty() {
        eprintln!("nothing of {name} was refused");
        return Ok(Code::Done);
    }
    let head = ["last", "first", "times", "device", "why"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(found.iter().rev().map(|refusal| {
        let device = if refusal.device.is_empty() {
            "unknown".to_owned()
        } else {
            refusal.device.clone()
        };
        vec![
            output::time(refusal.latest),
            output::time(refusal.began),
            refusal.times.to_string(),
            device,
            format!("{}: {}", refusal.code, why(refusal.code)),
        ]
    }));
    output::table(&rows)?;
    Ok(Code::Done)
}

/// What a Status means of a message that was refused.
fn why(code: u16) -> &'static str {
    match crate::syncml::Code(code) {
        crate::syncml::Code::BAD_REQUEST => "no SyncML message",
        crate::syncml::Code::INVALID_CREDENTIALS => {
            "a wrong password, or credentials for an older nonce"
        }
        crate::syncml::Code::COMMAND_NOT_ALLOWED => "a message out of order, or a late copy",
        crate::syncml::Code::REQUEST_TIMEOUT => "a message of a session that is over",
        crate::syncml::Code::RETRY_LATER => "the same opening again, too soon",
        other => other.text(),
    }
}

/// How a session stands, in a word or two.
pub(super) fn state(recording: &Recording) -> &'static str {
    match (recording.held, recording.ended) {
        (Held::Waiting, _) => "HELD",
        (Held::Released, _) => "released",
        (Held::Discarded, _) => "discarded",
        (Held::Nothing, true) => "ended",
        (Held::Nothing, false) => "not ended",
    }
}

/// What it did, by datastore.
fn did(recording: &Recording) -> String {
    let views = views(recording);
    let texts: Vec<String> = views.iter().map(line).collect();
    texts.join("; ")
}

/// What it did with each datastore, as it was stored.
pub(super) fn views(recording: &Recording) -> Vec<Value> {
    serde_json::from_str(&recording.summary).unwrap_or_default()
}

/// `contacts two-way: received 2 added, 1 changed; sent 3 deleted`
pub(super) fn line(view: &Value) -> String {
    let count = |name: &str| view[name].as_u64().unwrap_or(0);
    let list = |words: &[(&str, &str)]| {
        let counts: Vec<String> = words
            .iter()
            .filter(|(name, _)| count(name) > 0)
            .map(|(name, word)| format!("{} {word}", count(name)))
            .collect();
        counts.join(", ")
    };
    let received = list(&[
        ("received_added", "added"),
        ("received_replaced", "changed"),
        ("received_deleted", "deleted"),
        ("received_held", "deletions held"),
        ("received_equal", "equal"),
        ("received_refused", "refused"),
        ("conflicts", "conflicts"),
    ]);
    let sent = list(&[
        ("sent_added", "added"),
        ("sent_replaced", "changed"),
        ("sent_deleted", "deleted"),
        ("sent_held", "deletions held"),
        ("sent_refused", "refused"),
    ]);
    let mode = mode(view["mode"].as_u64().unwrap_or(0));
    let datastore = view["datastore"].as_str().unwrap_or_default();
    let parts: Vec<String> = [("received", received), ("sent", sent)]
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(direction, list)| format!("{direction} {list}"))
        .collect();
    if parts.is_empty() {
        format!("{datastore} {mode}: nothing to do")
    } else {
        format!("{datastore} {mode}: {}", parts.join("; "))
    }
}

/// A kind of sync by its Alert code.
fn mode(code: u64) -> &'static str {
    match code {
        200 => "two-way",
        201 => "slow",
        202 => "one-way from client",
        203 => "refresh from client",
        204 => "one-way from server",
        205 => "refresh from server",
        _ => "sync",
    }
}

/// A session as JSON.
pub(super) fn value(account: AccountId, recording: &Recording) -> Value {
    let id = Id {
        account,
        number: recording.number,
    };
    json!({
        "id": id.to_string(),
        "device": recording.device_uri,
        "session": recording.session,
        "began": recording.began,
        "last": recording.last,
        "messages": recording.messages,
        "ended": recording.ended,
        "held": recording.held,
        "datastores": views(recording),
    })
}
