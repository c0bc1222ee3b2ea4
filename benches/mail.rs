//! Push mail with a real Dovecot: how long a mail takes to the gateway, and what a large mailbox costs.
//!
//!     cargo bench --bench mail -- latency         200 deliveries, one after the other
//!     cargo bench --bench mail -- latency 50      another number of them
//!     cargo bench --bench mail -- mailbox         100 messages beside 10,000

#[path = "mail/clients.rs"]
mod clients;
#[path = "mail/latency.rs"]
mod latency;
#[path = "mail/mailbox.rs"]
mod mailbox;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use candybar::handset::{Addresses, Behaviour, HttpTransport, Memory, Phone, Request, Settings};
use support::program::Program;

const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");
const MAIL: &str = "mail";
/// Longer than anything takes that works.
const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let number = arguments.iter().find_map(|text| text.parse().ok());
    let all = !asked("latency") && !asked("mailbox");
    if all || asked("mailbox") {
        mailbox::measure(number.unwrap_or(10_000));
    }
    if all || asked("latency") {
        latency::measure(number.unwrap_or(200));
    }
}

fn phone(server: &Program) -> Phone<HttpTransport> {
    let mut settings = Settings::new(&server.url(), ACCOUNT.0, ACCOUNT.1);
    settings.datastores = [(MAIL.to_owned(), Addresses::same("./mail"))].into();
    let memory = Memory::new("IMEI:1".to_owned());
    Phone::new(
        settings,
        Behaviour::default(),
        memory,
        HttpTransport::new(LIMIT),
    )
}

fn request(mode: candybar::handset::Mode) -> Request {
    Request::new(&[MAIL], mode, chrono::Utc::now().timestamp())
}

/// Adds a mailbox of Dovecot's user to the account.
fn join(server: &Program, port: u16, user: &str) {
    let password = server.file("password");
    std::fs::write(&password, format!("{user}-pw\n")).expect("written");
    server.command(&[
        "mailbox",
        "add",
        ACCOUNT.0,
        "--imap",
        &format!("imap://{user}@127.0.0.1:{port}?tls=none"),
        "--address",
        "alice@example.org",
        "--password-file",
        &password.display().to_string(),
    ]);
    until("the watch", || {
        server
            .command(&["mailbox", "list", "--json"])
            .contains("\"watched\"")
    });
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < LIMIT, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
