//! `candybar sessions show ID`: all that is kept of a session.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::super::decode::Document;
use super::super::failure::{Code, Failure};
use super::super::{Global, output};
use super::{Id, find, items, list};
use crate::store::RecordedMessage;
use crate::syncml::Carrier;

/// Flags of `sessions show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session, as `sessions NAME` prints it
    id: Id,
    /// Only what happened to the items, not the messages
    #[arg(long, conflicts_with = "message")]
    items: bool,
    /// Only this message, as numbered in the output
    #[arg(long, value_name = "NUMBER")]
    message: Option<i64>,
    /// Write the messages as they came and went into this folder too; credentials are masked
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let store = super::store(global)?;
    let (account, recording) = find(&store, args.id)?;
    let mut messages = store.recorded_messages(account.id, recording.number)?;
    // Numbers count on over the sessions that share a SessionID; people count from 1.
    for (message, number) in messages.iter_mut().zip(1..) {
        message.number = number;
    }
    if let Some(folder) = &args.save {
        save(folder, &messages)?;
    }
    let wanted = |number: i64| args.message.is_none_or(|message| message == number);
    if let Some(number) = args.message
        && !messages.iter().any(|message| message.number == number)
    {
        return Err(Failure::new(
            Code::Refused,
            format!(
                "the session has no message {number}; it has {}",
                messages.len()
            ),
        )
        .into());
    }
    let happened = items::of(&mut store.reader()?, account.id, &messages, true)?;
    let happened: Vec<_> = happened
        .iter()
        .filter(|happened| wanted(happened.message))
        .collect();
    let shown: Vec<&RecordedMessage> = messages
        .iter()
        .filter(|message| !args.items && wanted(message.number))
        .collect();
    if global.json {
        let mut value = list::value(account.id, &recording);
        value["account"] = json!(account.name);
        value["events"] = happened.iter().map(|happened| happened.json()).collect();
        if !args.items {
            value["exchanges"] = shown.iter().map(|message| exchange(message)).collect();
        }
        output::json(&value)?;
        return Ok(Code::Done);
    }
    output::line(format!(
        "session {} of {} with {}: {}, SessionID {}",
        args.id,
        account.name,
        recording.device_uri,
        list::state(&recording),
        recording.session
    ))?;
    output::line(format!(
        "  {} to {}, {}",
        output::time(recording.began),
        output::time(recording.last),
        output::count(messages.len(), "message", "messages")
    ))?;
    for view in list::views(&recording) {
        output::line(format!("  {}", list::line(&view)))?;
    }
    let mut heading = String::new();
    for happened in happened {
        let now = happened.event.view.map_or("session", |view| view.name());
        let now = format!("message {}, {now}", happened.message);
        if now != heading {
            output::line(format!("\n{now}"))?;
            heading = now;
        }
        output::line(format!("  {}", happened.line()))?;
    }
    for message in shown {
        for (direction, octets) in [("request", &message.request), ("reply", &message.reply)] {
            output::line(format!(
                "\n--- message {}, {direction} at {}: {}",
                message.number,
                output::time(message.received),
                kept(octets)
            ))?;
            let document = Document::read(octets);
            if !octets.is_empty() {
                output::line(document.text().trim_end())?;
                for problem in document.problems() {
                    output::line(format!("({problem})"))?;
                }
            }
        }
    }
    Ok(Code::Done)
}

fn kept(octets: &[u8]) -> String {
    match octets.len() {
        0 => "not kept".to_owned(),
        length => output::count(length, "octet", "octets"),
    }
}

fn exchange(message: &RecordedMessage) -> Value {
    let tree = |octets: &[u8]| match octets {
        [] => Value::Null,
        octets => Document::read(octets).json(),
    };
    json!({
        "number": message.number,
        "msg_id": message.msg_id,
        "received": message.received,
        "content_type": message.content_type,
        "request_octets": message.request.len(),
        "reply_octets": message.reply.len(),
        "request": tree(&message.request),
        "reply": tree(&message.reply),
    })
}

/// Writes the messages, in the order of their names.
fn save(folder: &PathBuf, messages: &[RecordedMessage]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for message in messages {
        let extension = match Carrier::from_mime(&message.content_type) {
            Some(Carrier::Xml) => "xml",
            _ => "wbxml",
        };
        for (direction, octets) in [("1-request", &message.request), ("2-reply", &message.reply)] {
            if octets.is_empty() {
                continue;
            }
            let path = folder.join(format!("{:03}-{direction}.{extension}", message.number));
            std::fs::write(&path, octets)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}
