//! `candybar sessions`: what recorded sessions did and why.

mod items;
mod list;
mod show;

use std::str::FromStr;

use super::failure::{Code, Failure};
use super::{Global, setup};
use crate::store::{Recording, Store, StoreError};
use crate::sync::{Account, AccountId};

/// Flags of `sessions`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the sessions of an account, as `sessions NAME` does
    List(list::Args),
    /// Print a session: what happened to each item and why, and each message decoded
    Show(show::Args),
}

/// Runs one of them.
pub(super) fn run(args: Args, global: &Global) -> anyhow::Result<Code> {
    match args.command {
        None => list::run(&args.list, global),
        Some(Command::List(args)) => list::run(&args, global),
        Some(Command::Show(args)) => show::run(&args, global),
    }
}

/// The name of a session on the command line: the account's number, a hyphen, the recording's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    account: AccountId,
    number: i64,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.account, self.number)
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('-').and_then(|(account, number)| {
            Some(Self {
                account: AccountId(account.parse().ok()?),
                number: number.parse().ok()?,
            })
        });
        numbers.ok_or_else(|| {
            "a session's id is two numbers, such as 1-42; candybar sessions NAME shows them"
                .to_owned()
        })
    }
}

/// A session with its account.
fn find(store: &Store, id: Id) -> anyhow::Result<(Account, Recording)> {
    let found = store
        .account_by_id(id.account)
        .and_then(|account| Ok((account, store.recording(id.account, id.number)?)));
    match found {
        Ok(found) => Ok(found),
        Err(StoreError::NotFound) => Err(Failure::new(
            Code::Refused,
            format!("there is no recorded session {id}"),
        )
        .hint("candybar sessions NAME shows those of an account; old ones are not kept")
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// The database of a command, as [`setup::store`] opens it.
fn store(global: &Global) -> anyhow::Result<Store> {
    setup::store(global).map(|(_, store)| store)
}

#[cfg(test)]
mod tests {
    use super::{AccountId, Id};

    #[test]
    fn ids_are_read_as_they_are_printed() {
        let id = Id {
            account: AccountId(3),
            number: 42,
        };
        assert_eq!(id.to_string(), "3-42");
        assert_eq!("3-42".parse(), Ok(id));
        for bad in ["", "3", "-", "3-", "-42", "a-b", "3 42"] {
            bad.parse::<Id>().expect_err(bad);
        }
    }
}
