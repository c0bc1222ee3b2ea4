//! `candybar mailbox outgoing`: mail of phones on its way to the world.

use serde_json::Value;

use super::super::failure::{Code, Failure};
use super::super::{Global, output, setup};
use crate::mail::outgoing::{self, OutgoingError, OutgoingId, OutgoingMail};
use crate::store::Store;

/// Flags of `mailbox outgoing`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// User name [default: all accounts]
    name: Option<String>,
    /// Only what is not finished
    #[arg(long, conflicts_with = "change")]
    open: bool,
    /// How many
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 100,
        conflicts_with = "change"
    )]
    last: usize,
    /// Send a mail again to those that do not have it, or may not have it; one that waits is tried at once
    #[arg(long, value_name = "ID", group = "change", conflicts_with = "name")]
    retry: Option<String>,
    /// Give a mail up that waits; its sender is told
    #[arg(long, value_name = "ID", group = "change", conflicts_with = "name")]
    cancel: Option<String>,
}

/// Lists, or does what was asked for.
pub(super) fn run(args: &Args, store: &Store, global: &Global) -> anyhow::Result<Code> {
    let now = chrono::Utc::now().timestamp_millis();
    if let Some(id) = &args.retry {
        let mail = outgoing::retry(store, parsed(id)?, now).map_err(refusal)?;
        return told(store, &mail, "will be sent again", global);
    }
    if let Some(id) = &args.cancel {
        let mail = outgoing::cancel(store, parsed(id)?, now).map_err(refusal)?;
        return told(store, &mail, "is given up; its sender is told", global);
    }
    let accounts = match &args.name {
        Some(name) => vec![setup::account(store, name)?],
        None => store.accounts()?,
    };
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let found = outgoing::list(store, &ids, args.open, args.last).map_err(refusal)?;
    let name = |mail: &OutgoingMail| {
        let mut all = accounts.iter();
        let found = all.find(|account| account.id == mail.queued.account);
        found.map_or_else(String::new, |account| account.name.clone())
    };
    if global.json {
        let list = found
            .iter()
            .map(|mail| outgoing::to_json(mail, &name(mail)));
        output::json(&list.collect::<Vec<Value>>())?;
        return Ok(Code::Done);
    }
    if found.is_empty() {
        eprintln!("no mail of phones is to be sent, or was");
        return Ok(Code::Done);
    }
    let heading = [
        "id",
        "account",
        "state",
        "since",
        "recipient",
        "subject",
        "why",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for mail in &found {
        let queued = &mail.queued;
        let since = queued.finished.unwrap_or(queued.created);
        let first = vec![
            mail.id().to_string(),
            name(mail),
            mail.state().to_owned(),
            output::time(since.div_euclid(1000)),
        ];
        let subject = mail.subject.clone();
        let subject = subject.unwrap_or_else(|| "(not there any more)".to_owned());
        if queued.recipients.is_empty() {
            let why = queued.why.clone().unwrap_or_default();
            rows.push([first, vec![String::new(), subject, why]].concat());
            continue;
        }
        for one in &queued.recipients {
            let why = match &queued.why {
                Some(why) if one.why.is_empty() && queued.finished.is_none() => why,
                _ => &one.why,
            };
            let rest = vec![one.address.clone(), subject.clone(), why.clone()];
            rows.push([first.clone(), rest].concat());
        }
    }
    output::table(&rows)?;
    Ok(Code::Done)
}

fn parsed(id: &str) -> Result<OutgoingId, Failure> {
    id.parse().map_err(|why: String| {
        Failure::new(Code::Usage, why).hint("candybar mailbox outgoing shows the ids")
    })
}

fn refusal(error: OutgoingError) -> anyhow::Error {
    match error {
        OutgoingError::Store(error) => error.into(),
        error @ OutgoingError::NotFound(_) => Failure::new(Code::Refused, error.to_string())
            .hint("candybar mailbox outgoing shows what there is")
            .into(),
        error @ OutgoingError::Refused(_) => Failure::new(Code::Refused, error.to_string()).into(),
    }
}

fn told(store: &Store, mail: &OutgoingMail, what: &str, global: &Global) -> anyhow::Result<Code> {
    if global.json {
        let account = store.account_by_id(mail.queued.account)?;
        output::json(&outgoing::to_json(mail, &account.name))?;
    } else {
        output::line(format!("{} {what}", mail.id()))?;
    }
    Ok(Code::Done)
}
