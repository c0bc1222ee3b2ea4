//! Logging in by hand: what works, what the server can do.

use serde_json::json;

use super::super::failure::{Code, Failure};
use super::super::{Global, output};
use super::{list, settings_of};
use crate::mail::settings::Incoming;
use crate::mail::{self, MailError};
use crate::store::Store;
use crate::sync::{Account, Mailbox};

/// Logs in once; gives what the server can do for push mail.
pub(super) fn login(incoming: &Incoming) -> Result<Vec<String>, MailError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| MailError::Lost(error.to_string()))?;
    runtime.block_on(mail::check(incoming))
}

/// Checks mailboxes of an account.
pub(super) fn check(
    store: &Store,
    account: &Account,
    address: Option<&str>,
    global: &Global,
) -> anyhow::Result<Code> {
    let mailboxes: Vec<Mailbox> = match address {
        Some(address) => vec![super::mailbox(store, account, address)?],
        None => store.mailboxes(account.id)?,
    };
    if mailboxes.is_empty() {
        return Err(
            Failure::new(Code::Refused, format!("{} has no mailbox", account.name))
                .hint(format!("candybar mailbox add {} … makes one", account.name))
                .into(),
        );
    }
    let mut failed = 0;
    let mut values = Vec::new();
    for mailbox in &mailboxes {
        let outcome = match settings_of(mailbox)?.incoming {
            Some(incoming) => login(&incoming),
            None => Ok(Vec::new()),
        };
        failed += usize::from(outcome.is_err());
        let mut value = list::to_json(mailbox, &account.name);
        value["works"] = json!(outcome.is_ok());
        value["server_has"] = json!(outcome.as_ref().ok());
        value["error"] = json!(outcome.as_ref().err().map(ToString::to_string));
        values.push(value);
        if global.json {
            continue;
        }
        output::line(&mailbox.address)?;
        for line in list::servers(mailbox) {
            output::line(format!("  {line}"))?;
        }
        match outcome {
            Ok(found) if found.is_empty() => output::line("  works")?,
            Ok(found) => output::line(format!("  works; the server has {}", found.join(", ")))?,
            Err(error) => output::line(format!("  does not work: {error}"))?,
        }
        if let Some(why) = &mailbox.why {
            output::line(format!("  the running server says: {why}"))?;
        }
    }
    if global.json {
        output::json(&values)?;
    }
    Ok(match failed {
        0 => Code::Done,
        failed if failed == mailboxes.len() => Code::Failed,
        _ => Code::Partly,
    })
}
