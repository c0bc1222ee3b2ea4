//! The MIDlet of `emulator-scripts/` in MicroEmulator, against the real server: what a J2ME client does on a phone.
//!
//! The emulator ends with 0 whatever happens. Tests judge by what the MIDlet prints, and by what the server has.

mod emulator;
mod guide;
mod lossy;
mod mail;
mod missing;
mod pushed;
mod resumed;
mod synced;

use serde_json::Value;

use crate::support::program::Program;

const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");

/// The address of a phone by its number.
fn device(number: u32) -> String {
    format!("IMEI:3500000000000{number:02}")
}

/// What the account has of a datastore, as `candybar export --json` gives it.
fn exported(server: &Program, datastore: &str) -> Vec<Value> {
    let text = server.command(&["export", ACCOUNT.0, datastore, "--json"]);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// Titles of what the account has, sorted.
fn titles(server: &Program, datastore: &str) -> Vec<String> {
    let mut titles: Vec<String> = exported(server, datastore)
        .iter()
        .map(|item| item["title"].as_str().expect("a title").to_owned())
        .collect();
    titles.sort();
    titles
}

fn import(server: &Program, datastore: &str, body: &str) {
    let file = server.file("import.txt");
    std::fs::write(&file, body).expect("the file to import");
    server.command(&["import", ACCOUNT.0, datastore, &file.to_string_lossy()]);
}

fn card(family: &str, given: &str, more: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{family};{given}\r\n{more}END:VCARD\r\n")
}
