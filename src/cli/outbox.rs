//! `candybar outbox`: what waits, what was sent, and what came of it.

use serde_json::Value;

use super::failure::{Code, Failure};
use super::push::refusal;
use super::{Global, output, setup};
use crate::outbox::desk;
use crate::sync::{Notification, NotificationId};

/// Flags of `outbox`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print notifications, the newest first
    List {
        /// User name [default: all accounts]
        name: Option<String>,
        /// Only those that are not finished
        #[arg(long)]
        open: bool,
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        last: usize,
    },
    /// Print a notification with its history
    Show {
        /// Its id, such as 1-17
        id: String,
    },
    /// Try a notification again: a finished one, or at once one that waits
    Retry {
        /// Its id
        id: String,
    },
    /// Cancel a notification
    Cancel {
        /// Its id
        id: String,
    },
}

/// Runs one of them.
pub(super) fn run(args: Args, global: &Global) -> anyhow::Result<Code> {
    let (_, store) = setup::store(global)?;
    match args.command {
        Command::List { name, open, last } => {
            let account = match &name {
                Some(name) => Some(setup::account(&store, name)?),
                None => None,
            };
            let found = desk::list(&store, account.as_ref(), open, last)
                .map_err(|error| refusal(error, "NAME"))?;
            if global.json {
                let list = found.iter().map(|(notification, account, device)| {
                    desk::to_json(notification, account, device)
                });
                output::json(&list.collect::<Vec<Value>>())?;
            } else {
                list(&found)?;
            }
        }
        Command::Show { id } => {
            let shown =
                desk::detail(&store, parsed(&id)?).map_err(|error| refusal(error, "NAME"))?;
            if global.json {
                output::json(&shown)?;
            } else {
                show(&shown)?;
            }
        }
        Command::Retry { id } => {
            let done = desk::retry(&store, parsed(&id)?).map_err(|error| refusal(error, "NAME"))?;
            told(&store, &done, "will be tried again", global)?;
        }
        Command::Cancel { id } => {
            let done =
                desk::cancel(&store, parsed(&id)?).map_err(|error| refusal(error, "NAME"))?;
            told(&store, &done, "is cancelled", global)?;
        }
    }
    Ok(Code::Done)
}

fn parsed(id: &str) -> Result<NotificationId, Failure> {
    id.parse().map_err(|why: String| {
        Failure::new(Code::Usage, why).hint("candybar outbox list shows the ids")
    })
}

fn told(
    store: &crate::store::Store,
    notification: &Notification,
    what: &str,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json {
        let (account, device) = desk::Names::default().of(store, notification)?;
        return output::json(&desk::to_json(notification, &account, &device));
    }
    Ok(output::line(format!("{} {what}", notification.id))?)
}

fn list(found: &[(Notification, String, String)]) -> anyhow::Result<()> {
    if found.is_empty() {
        eprintln!("the outbox has nothing");
        return Ok(());
    }
    let heading = ["id", "account", "device", "kind", "state", "since", "why"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (notification, account, device) in found {
        rows.push(vec![
            notification.id.to_string(),
            account.clone(),
            device.clone(),
            notification.kind.to_string(),
            notification.state.to_string(),
            output::time(notification.created.div_euclid(1000)),
            notification.why.clone().unwrap_or_default(),
        ]);
    }
    Ok(output::table(&rows)?)
}

fn show(shown: &Value) -> anyhow::Result<()> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    };
    for key in [
        "id",
        "account",
        "device",
        "kind",
        "state",
        "why",
        "datastores",
        "created",
        "submitted",
        "due",
        "finished",
        "attempts",
        "gateway",
    ] {
        let value = text(&shown[key]);
        if !value.is_empty() {
            output::line(format!("{key:12}{value}"))?;
        }
    }
    for event in shown["history"].as_array().into_iter().flatten() {
        output::line(format!(
            "{}  {:10}  {}",
            text(&event["at"]),
            text(&event["state"]),
            text(&event["what"])
        ))?;
    }
    for part in shown["parts"].as_array().into_iter().flatten() {
        output::line(format!(
            "{}  attempt {}, part {}: {} took it as {}; receipt: {}",
            text(&part["at"]),
            text(&part["attempt"]),
            text(&part["part"]),
            text(&part["gateway"]),
            match &part["gateway_id"] {
                Value::Null => "nothing in particular".to_owned(),
                id => text(id),
            },
            text(&part["receipt"])
        ))?;
    }
    Ok(())
}
