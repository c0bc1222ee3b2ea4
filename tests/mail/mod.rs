//! Mail from outside: handed over by LMTP and HTTP, and watched in mailboxes of Dovecot.

mod announced;
mod carried;
mod folders;
mod found;
mod hostile;
mod local;
mod tls;
mod undone;
mod watched;
mod world;
mod written;

use std::path::Path;

use candybar::content::email::Mail;
use candybar::store::{Store, StoreConfig};
use candybar::sync::{Cursor, Datastore, Item};

use crate::support::program::Program;

/// The database of a running server, opened beside it.
fn store(program: &Program) -> Store {
    let path = program.file("candybar.db");
    let url = format!("sqlite:{}", path.display());
    Store::open(&StoreConfig { url, key: None }).expect("the database opens")
}

/// An account's living mails.
fn mails(store: &Store, account: &str) -> Vec<(Item, Mail)> {
    let account = store.account(account).expect("the account").id;
    let items = store
        .items(account, Datastore::Mail, Cursor::default(), 100_000)
        .expect("items");
    items
        .into_iter()
        .filter_map(|item| {
            let mail = Mail::read(&item.body).ok()?;
            Some((item, mail))
        })
        .collect()
}

/// Runs a Python script with arguments; gives what it prints.
fn python(script: &str, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("python3");
    command.arg("-c").arg(script).args(arguments);
    let ended = crate::support::process::run(&mut command, std::time::Duration::from_secs(60));
    assert!(ended.success(), "{}", ended.text);
    ended.text
}

/// Whether Python is there.
fn has_python() -> bool {
    crate::support::peer::present("Python", &["python3"])
}

/// A file with a line.
fn line_file(path: &Path, line: &str) {
    std::fs::write(path, format!("{line}\n")).expect("written");
}
