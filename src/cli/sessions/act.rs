//! `candybar sessions undo|release|discard|restore`: what is done about a recorded session.

use serde_json::json;

use super::super::failure::{Code, Failure};
use super::super::{Global, output};
use super::{Id, find, items};
use crate::content;
use crate::store::{Decided, Decision, Held, NewItem, Undone};
use crate::sync::recording::{What, events};
use crate::sync::{Answer, Datastore, Item, ItemId, Query};

/// Flags of `sessions undo`.
#[derive(Debug, clap::Args)]
pub(super) struct Undo {
    /// The session, as `sessions NAME` prints it
    id: Id,
    /// Only the items of this datastore
    #[arg(long)]
    datastore: Option<Datastore>,
    /// Also items that were changed since
    #[arg(long)]
    force: bool,
}

/// Flags of `sessions release` and `sessions discard`.
#[derive(Debug, clap::Args)]
pub(super) struct Decide {
    /// The session, as `sessions NAME --held` prints it
    id: Id,
}

/// Flags of `sessions restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The session, as `sessions NAME` prints it
    id: Id,
    /// The item, as `sessions show` prints it
    item: String,
    /// As an item of its own, beside the version that won
    #[arg(long)]
    beside: bool,
}

pub(super) fn undo(args: &Undo, global: &Global) -> anyhow::Result<Code> {
    let store = super::store(global)?;
    let (account, recording) = find(&store, args.id)?;
    let undone = store.undo(account.id, recording.number, args.datastore, args.force)?;
    let all = undone.kept.is_empty() && undone.lost.is_empty() && undone.here_only.is_empty();
    let code = if all { Code::Done } else { Code::Partly };
    let guids = |ids: &[ItemId]| ids.iter().map(|id| id.guid()).collect::<Vec<_>>();
    if global.json {
        let mut value = serde_json::to_value(&undone)?;
        value["kept"] = json!(guids(&undone.kept));
        value["lost"] = json!(guids(&undone.lost));
        value["here_only"] = json!(guids(&undone.here_only));
        output::json(&value)?;
        return Ok(code);
    }
    output::line(told(&undone))?;
    if !undone.kept.is_empty() {
        eprintln!(
            "left as they are, since they were changed afterwards: item {} (--force takes them too)",
            guids(&undone.kept).join(", ")
        );
    }
    if !undone.lost.is_empty() {
        eprintln!(
            "not undone, since what they were before is not kept any more: item {}",
            guids(&undone.lost).join(", ")
        );
    }
    if undone.out_of_trash > 0 {
        output::line(format!(
            "mails that are moved out of the mail server's trash: {}",
            undone.out_of_trash
        ))?;
    }
    if !undone.here_only.is_empty() {
        eprintln!(
            "brought back here and on the devices only, since no mail server has them any more: item {}",
            guids(&undone.here_only).join(", ")
        );
    }
    Ok(code)
}

fn told(undone: &Undone) -> String {
    let parts = [
        (undone.restored, "changed back"),
        (undone.brought_back, "brought back"),
        (undone.deleted, "deleted"),
        (undone.unchanged, "as before already"),
    ];
    list(&parts).map_or_else(
        || "there was nothing to undo".to_owned(),
        |parts| format!("undone: {parts}; devices get it in their next sync"),
    )
}

/// `3 deleted, 1 changed back`; none if all are 0.
fn list(parts: &[(u64, &str)]) -> Option<String> {
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn decide(args: &Decide, decision: Decision, global: &Global) -> anyhow::Result<Code> {
    let store = super::store(global)?;
    let (account, recording) = find(&store, args.id)?;
    if recording.held != Held::Waiting {
        let why = match recording.held {
            Held::Released => "its deletions were released already",
            Held::Discarded => "its deletions were discarded already",
            _ => "it held no deletions",
        };
        return Err(Failure::new(
            Code::Refused,
            format!(
                "there is nothing to decide about session {}: {why}",
                args.id
            ),
        )
        .hint(format!(
            "candybar sessions {} --held shows what waits",
            account.name
        ))
        .into());
    }
    let decided = store.decide(account.id, recording.number, decision)?;
    if global.json {
        output::json(&decided)?;
    } else {
        output::line(decided_words(&decided))?;
    }
    Ok(Code::Done)
}

fn decided_words(decided: &Decided) -> String {
    let parts = [
        (decided.deleted, "deleted on the server"),
        (
            decided.to_be_told,
            "to be deleted on the device in its next sync",
        ),
        (decided.sent_again, "to be sent to the device again"),
        (decided.restored, "brought back on the server"),
        (
            decided.changed_since,
            "kept and sent again, since they were changed meanwhile",
        ),
        (decided.settled, "held no longer"),
    ];
    list(&parts).unwrap_or_else(|| "there was nothing left to decide".to_owned())
}

pub(super) fn restore(args: &Restore, global: &Global) -> anyhow::Result<Code> {
    let store = super::store(global)?;
    let (account, recording) = find(&store, args.id)?;
    let id = ItemId::from_guid(&args.item).ok_or_else(|| {
        Failure::new(Code::Usage, format!("{} is no item's id", args.item))
            .hint("candybar sessions show prints them: item 3k")
    })?;
    // The last one counts, if several lost.
    let mut loser = None;
    for message in store.recorded_messages(account.id, recording.number)? {
        for event in events(&message.trace)? {
            if event.item == id && matches!(event.what, What::DeviceLost | What::ServerLost) {
                let body = event.body.map(|(format, body)| (format, body.to_vec()));
                loser = Some((event.what, event.version, body));
            }
        }
    }
    let Some((what, version, body)) = loser else {
        return Err(Failure::new(
            Code::Refused,
            format!(
                "no version of item {} lost a conflict in session {}",
                args.item, args.id
            ),
        )
        .hint(format!(
            "candybar sessions show {} --items names those that did",
            args.id
        ))
        .into());
    };
    let query = Query::Revisions(vec![(id, version)]);
    let kept = match body {
        Some(body) => Some(body),
        None => match store.reader()?.load(account.id, None, &query)? {
            Answer::Items(items) => items
                .into_iter()
                .find(|item| item.meta.modseq == version)
                .map(|item| (item.meta.format, item.body.into())),
            _ => None,
        },
    };
    let gone = || {
        Failure::new(
            Code::Refused,
            format!("that version of item {} is not kept any more", args.item),
        )
    };
    let (format, body) = kept.ok_or_else(gone)?;
    let record = items::read(&body, format).ok_or_else(gone)?;
    let datastore = crate::device::home(record.kind);
    let (digest, key) = (content::digest(&record), content::match_key(&record));
    let item = if args.beside {
        let new = NewItem {
            datastore,
            kind: record.kind,
            format,
            body,
            digest,
            key,
        };
        store.put_items(account.id, None, vec![new])?[0]
    } else {
        let Answer::Items(mut current) =
            store
                .reader()?
                .load(account.id, None, &Query::Items(vec![id]))?
        else {
            return Err(gone().into());
        };
        let mut meta = current.pop().ok_or_else(gone)?.meta;
        (meta.format, meta.digest, meta.key) = (format, digest, key);
        let body = body.into();
        store.put_version(account.id, Item { meta, body })?;
        id
    };
    let side = match what {
        What::DeviceLost => "device",
        _ => "server",
    };
    if global.json {
        output::json(&json!({ "item": item.guid(), "version": side, "datastore": datastore }))?;
    } else {
        output::line(format!(
            "the {side}'s version of \"{}\" is item {} now; devices get it in their next sync",
            content::title(&record),
            item.guid()
        ))?;
    }
    Ok(Code::Done)
}
