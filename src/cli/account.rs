//! `candybar account`: user names and passwords.

use std::io::{IsTerminal as _, Write as _};

use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, output, password, setup};
use crate::config::Config;
use crate::outbox::desk;
use crate::outbox::mail::OwnRules;
use crate::store::{Store, StoreError};
use crate::sync::{Account, ConflictPolicy, Datastore, Secret};

/// Longest account name, octets.
const LONGEST_NAME: usize = 64;
/// Longest text that devices are to show, octets.
const LONGEST_TEXT: usize = 1_000;

/// Flags of `account`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an account; without a password a strong one is made and printed once
    Add {
        /// User name
        name: String,
        #[command(flatten)]
        password: password::Source,
    },
    /// Print all accounts
    List,
    /// Change a password; without one a strong one is made and printed once
    Passwd {
        /// User name
        name: String,
        #[command(flatten)]
        password: password::Source,
    },
    /// Choose who wins if both sides changed an item of this account, and which new mail wakes its phones
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// User name
        name: String,
        /// server, client, newer, duplicate, merge; default: as in the configuration
        #[arg(long, value_name = "POLICY", value_parser = policy, group = "what")]
        conflict: Option<Chosen>,
        /// For this datastore alone
        #[arg(long, requires = "conflict")]
        datastore: Option<Datastore>,
        /// Which new mail wakes its phones: senders=*@example.org;quiet_hours=22:00-07:00; empty: as configured
        #[arg(long, value_name = "RULES", group = "what")]
        mail_push: Option<OwnRules>,
    },
    /// Have the devices of an account show a text, each once, in its next session
    Message {
        /// User name
        name: String,
        /// What is shown; most phones show 100 characters and more
        text: String,
        /// On this device alone
        #[arg(long)]
        device: Option<String>,
    },
    /// Remove an account with its devices and all its items
    Remove {
        /// User name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Queues a text for the devices of an account, or for one of them.
fn message(
    store: &Store,
    name: &str,
    text: &str,
    device: Option<&str>,
    global: &Global,
) -> anyhow::Result<()> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        let why = format!(
            "a text has 1 to {LONGEST_TEXT} octets, this one {}",
            text.len()
        );
        return Err(Failure::new(Code::Usage, why).into());
    }
    let account = setup::account(store, name)?;
    let devices: Vec<_> = store
        .devices(account.id)?
        .into_iter()
        .filter(|of| device.is_none_or(|device| of.uri == device))
        .collect();
    if devices.is_empty() {
        let what = match device {
            Some(device) => format!("{name} has no device {device}"),
            None => format!("{name} has no device yet"),
        };
        return Err(Failure::new(Code::Refused, what)
            .hint(format!("candybar device list {name} shows them"))
            .into());
    }
    let ids: Vec<_> = devices.iter().map(|device| device.id).collect();
    let count = store.announce(account.id, &ids, text)?;
    if global.json {
        output::json(&json!({ "account": name, "devices": count }))?;
    } else {
        let noun = if count == 1 {
            "device shows"
        } else {
            "devices show"
        };
        output::line(format!("{count} {noun} it in the next session"))?;
    }
    Ok(())
}

/// A policy, or none of the account's own.
#[derive(Debug, Clone, Copy)]
struct Chosen(Option<ConflictPolicy>);

fn policy(text: &str) -> Result<Chosen, String> {
    if text == "default" {
        return Ok(Chosen(None));
    }
    text.parse()
        .map(|policy| Chosen(Some(policy)))
        .map_err(|error| format!("{error}, or default"))
}

/// Runs one of them.
pub(super) fn run(args: Args, global: &Global) -> anyhow::Result<Code> {
    let (config, store) = setup::store(global)?;
    match args.command {
        Command::Add { name, password } => {
            check_name(&name)?;
            let password = password.read()?;
            store
                .add_account(&name, &Secret(password.text.clone()))
                .map_err(|error| match error {
                    StoreError::Exists => anyhow::Error::from(
                        Failure::new(Code::Refused, format!("there is an account {name} already"))
                            .hint(format!(
                                "candybar account passwd {name} gives it another password"
                            )),
                    ),
                    error => error.into(),
                })?;
            added(&name, &password, &config, global)?;
        }
        Command::List => list(&store, global)?,
        Command::Passwd { name, password } => {
            let account = setup::account(&store, &name)?;
            let password = password.read()?;
            store.set_password(account.id, &Secret(password.text.clone()))?;
            if global.json {
                output::json(&with_password(&name, &password))?;
            } else if password.made {
                output::line(format!("the password of {name} is now {}", password.text))?;
            } else {
                output::line(format!("the password of {name} is changed"))?;
            }
        }
        Command::Set {
            name,
            conflict,
            datastore,
            mail_push,
        } => {
            let account = setup::account(&store, &name)?;
            if let Some(rules) = &mail_push {
                desk::set_mail_rules(&store, &account, None, rules)?;
            }
            let mut conflicts = account.conflicts.clone();
            if let Some(conflict) = conflict {
                conflicts.set(datastore, conflict.0);
                store.set_conflicts(account.id, &conflicts)?;
            }
            if global.json {
                let mut value = desk::mail_rules(&store, &account)?;
                let rules = value["rules"].take();
                output::json(&json!({
                    "account": name, "conflicts": conflicts.to_string(), "mail_push": rules,
                }))?;
                return Ok(Code::Done);
            }
            match conflict {
                Some(_) if conflicts.is_empty() => output::line(format!(
                    "conflicts of {name} are settled as in the configuration"
                ))?,
                Some(_) => {
                    output::line(format!("conflicts of {name} are settled by: {conflicts}"))?;
                }
                None => {}
            }
            match mail_push {
                Some(rules) if rules.is_empty() => output::line(format!(
                    "new mail wakes the phones of {name} as in the configuration"
                ))?,
                Some(rules) => {
                    output::line(format!("new mail wakes the phones of {name} by: {rules}"))?;
                }
                None => {}
            }
        }
        Command::Message { name, text, device } => {
            message(&store, &name, text.trim(), device.as_deref(), global)?;
        }
        Command::Remove { name, yes } => {
            let account = setup::account(&store, &name)?;
            if !yes && std::io::stdin().is_terminal() && !confirmed(&store, &account)? {
                return Err(Failure::new(Code::Refused, "nothing was removed").into());
            }
            store.remove_account(account.id)?;
            if global.json {
                output::json(&json!({ "removed": name }))?;
            } else {
                output::line(format!("removed {name} with all its devices and items"))?;
            }
        }
    }
    Ok(Code::Done)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let wrong = if name.is_empty() || name.len() > LONGEST_NAME {
        "an account name has 1 to 64 octets"
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "an account name has no blanks and no control characters"
    } else if name.contains(':') {
        "an account name has no colon: it ends the name where a phone sends name and password"
    } else {
        return Ok(());
    };
    Err(Failure::new(Code::Usage, wrong))
}

fn with_password(name: &str, password: &password::Password) -> serde_json::Value {
    if password.made {
        json!({ "account": name, "password": password.text })
    } else {
        json!({ "account": name })
    }
}

fn added(
    name: &str,
    password: &password::Password,
    config: &Config,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json {
        return output::json(&with_password(name, password));
    }
    output::line(format!("made the account {name}"))?;
    if password.made {
        output::line(format!("  password        {}", password.text))?;
    }
    let address = config
        .public_url
        .clone()
        .unwrap_or_else(|| setup::sync_address(&config.listen));
    output::line(format!("  server address  {address}"))?;
    output::line("  databases       contacts, calendar, tasks, notes")?;
    Ok(())
}

fn list(store: &Store, global: &Global) -> anyhow::Result<()> {
    let mut rows = vec![
        [
            "account", "contacts", "calendar", "tasks", "notes", "devices", "made",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut values = Vec::new();
    for account in store.accounts()? {
        let counts = store.item_counts(account.id)?;
        let count = |datastore: Datastore| {
            let found = counts.iter().find(|(counted, _)| *counted == datastore);
            found.map_or(0, |(_, count)| *count)
        };
        let devices = store.devices(account.id)?.len();
        values.push(json!({
            "account": account.name,
            "items": counts.iter().map(|(datastore, count)| (datastore.name(), *count)).collect::<std::collections::BTreeMap<_, _>>(),
            "devices": devices,
            "created": account.created,
            "conflicts": account.conflicts.to_string(),
        }));
        rows.push(vec![
            account.name,
            count(Datastore::Contacts).to_string(),
            count(Datastore::Calendar).to_string(),
            count(Datastore::Tasks).to_string(),
            count(Datastore::Notes).to_string(),
            devices.to_string(),
            output::time(account.created),
        ]);
    }
    if global.json {
        return output::json(&values);
    }
    if values.is_empty() {
        eprintln!("there are no accounts yet; candybar account add NAME makes one");
        return Ok(());
    }
    Ok(output::table(&rows)?)
}

fn confirmed(store: &Store, account: &Account) -> anyhow::Result<bool> {
    let items: u64 = store
        .item_counts(account.id)?
        .iter()
        .map(|(_, count)| count)
        .sum();
    let mut err = std::io::stderr();
    write!(
        err,
        "This removes {} with {items} items for good. Go on? [y/N] ",
        account.name
    )?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_that_cannot_be_sent_are_refused() {
        for bad in ["", "a b", "a:b", "a\nb", &"x".repeat(65)] {
            check_name(bad).expect_err(bad);
        }
        for good in ["alice", "åsa@example.org", "+46700000000"] {
            check_name(good).expect(good);
        }
    }
}
