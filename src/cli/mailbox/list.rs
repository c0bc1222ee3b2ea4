//! What mailboxes there are, and how they stand.

use serde_json::{Value, json};

use super::super::failure::Code;
use super::super::{Global, output, setup};
use super::settings_of;
use crate::mail::settings::Protocol;
use crate::store::Store;
use crate::sync::{Mailbox, MailboxKind, MailboxState};

/// Prints the mailboxes of an account, or of all.
pub(super) fn list(store: &Store, name: Option<&str>, global: &Global) -> anyhow::Result<Code> {
    let accounts = match name {
        Some(name) => vec![setup::account(store, name)?],
        None => store.accounts()?,
    };
    let mut rows = vec![
        [
            "account",
            "address",
            "kind",
            "state",
            "since",
            "what is wrong",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut values = Vec::new();
    for account in accounts {
        for mailbox in store.mailboxes(account.id)? {
            values.push(to_json(&mailbox, &account.name));
            rows.push(vec![
                account.name.clone(),
                mailbox.address.clone(),
                mailbox.kind.word().to_owned(),
                state(&mailbox).to_owned(),
                output::time(mailbox.since / 1000),
                mailbox.why.clone().unwrap_or_default(),
            ]);
        }
    }
    if global.json {
        output::json(&values)?;
    } else if values.is_empty() {
        eprintln!("there are no mailboxes yet; candybar mailbox add NAME … makes one");
    } else {
        output::table(&rows)?;
    }
    Ok(Code::Done)
}

fn state(mailbox: &Mailbox) -> &'static str {
    match (mailbox.kind, mailbox.state) {
        (MailboxKind::Local, MailboxState::New) => "ready",
        (_, state) => state.word(),
    }
}

/// A mailbox for programs; without its secrets.
pub(super) fn to_json(mailbox: &Mailbox, account: &str) -> Value {
    let settings = settings_of(mailbox).ok();
    let incoming = settings
        .as_ref()
        .and_then(|settings| settings.incoming.as_ref());
    let outgoing = settings
        .as_ref()
        .and_then(|settings| settings.outgoing.as_ref());
    let time = |milliseconds: i64| {
        let time = chrono::DateTime::from_timestamp_millis(milliseconds)?;
        (milliseconds > 0).then(|| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    };
    json!({
        "account": account,
        "address": mailbox.address,
        "kind": mailbox.kind.word(),
        "state": state(mailbox),
        "since": time(mailbox.since),
        "checked": time(mailbox.checked),
        "why": mailbox.why,
        "failures": mailbox.failures,
        "incoming": incoming.map(|incoming| json!({
            "url": incoming.login.address.shown(incoming.protocol),
            "user": incoming.login.user,
        })),
        "outgoing": outgoing.map(|login| json!({
            "url": login.address.shown(Protocol::Smtp),
            "user": login.user,
        })),
    })
}

/// Lines for people: which servers, which user.
pub(super) fn servers(mailbox: &Mailbox) -> Vec<String> {
    let Ok(settings) = settings_of(mailbox) else {
        return Vec::new();
    };
    let incoming = settings.incoming.map(|incoming| {
        format!(
            "fetched from {} as {}",
            incoming.login.address.shown(incoming.protocol),
            incoming.login.user
        )
    });
    let outgoing = settings.outgoing.map(|login| {
        format!(
            "sent through {} as {}",
            login.address.shown(Protocol::Smtp),
            login.user
        )
    });
    incoming.into_iter().chain(outgoing).collect()
}
