//! What watching costs: memory and processor time for each idle watcher, with mailboxes of a real Dovecot.
//!
//!     cargo bench --bench watchers                    1,000 mailboxes, without TLS
//!     cargo bench --bench watchers -- tls             with TLS
//!     cargo bench --bench watchers -- 200 tls         another number of them
//!
//! Each mailbox has a user, a connection and a process of Dovecot of its own, and is in IDLE with NOTIFY. The memory is what the
//! process of the server alone has (`Private_Dirty` and `Private_Clean` of `/proc/PID/smaps_rollup`), before the first watcher and with
//! more and more of them. What the system keeps of a connection is not in it.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use candybar::mail::settings::{Address, Credential, Incoming, Login, MailboxSettings, Protocol};
use candybar::store::{Store, StoreConfig};
use candybar::sync::{MailboxKind, MailboxState, Secret};
use support::dovecot::Dovecot;
use support::program::Program;

/// After the last watcher is up, before anything is read.
const REST: Duration = Duration::from_secs(4);
/// How long the processor time of idle watchers is measured.
const IDLE: Duration = Duration::from_secs(20);
/// How long all of them may take to come up.
const LIMIT: Duration = Duration::from_secs(140);
/// The unit of the times in `/proc/PID/stat`; Linux shows them in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tls = arguments.iter().any(|argument| argument == "tls");
    let count = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1000);
    measure(count, tls);
}

/// Octets of memory that only this process has.
fn private(process: u32) -> u64 {
    let text =
        std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("its memory");
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    let kilobytes =
        lines.filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.sum::<u64>() * 1024
}

/// Seconds of processor time.
fn cpu(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its times");
    let fields = text.rsplit_once(')').expect("a name").1;
    let fields = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks as f64 / TICKS_PER_SECOND
}

fn measure(count: usize, tls: bool) {
    let users: Vec<String> = (0..count).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let Some(dovecot) = Dovecot::start(&names, None) else {
        return;
    };
    let server = Program::start("[log]\nlevel = \"warn\"\n", &[]);
    let store = Store::open(&StoreConfig {
        url: format!("sqlite:{}", server.file("candybar.db").display()),
        key: None,
    })
    .expect("the server's database");
    std::thread::sleep(REST);
    let kind = if tls { "with TLS" } else { "without TLS" };
    println!("idle watchers {kind}, a mailbox of Dovecot each; private memory of the server");
    let none = private(server.id());
    println!("{:>8}  {:>8.1} MB", 0, none as f64 / 1e6);
    let (mut there, mut before) = (0, none);
    for next in [count / 10, count / 2, count] {
        add(&store, &dovecot, &users[there..next], tls);
        if !all_watched(&store, next) {
            println!(
                "not all of {next} watchers came up: {:?}",
                store.mailbox_states()
            );
            return;
        }
        std::thread::sleep(REST);
        let now = private(server.id());
        let each = |from: u64, watchers: usize| {
            now.saturating_sub(from) as f64 / 1024.0 / watchers.max(1) as f64
        };
        println!(
            "{next:>8}  {:>8.1} MB  {:>6.1} KB for each of the last {}, {:>6.1} KB for each of all",
            now as f64 / 1e6,
            each(before, next - there),
            next - there,
            each(none, next)
        );
        (there, before) = (next, now);
    }
    let (begun, used) = (Instant::now(), cpu(server.id()));
    std::thread::sleep(IDLE);
    let share = (cpu(server.id()) - used) / begun.elapsed().as_secs_f64();
    println!(
        "{:>8}  {:.2} % of a core while nothing happens",
        count,
        share * 100.0
    );
}

fn add(store: &Store, dovecot: &Dovecot, users: &[String], tls: bool) {
    let url = match tls {
        true => format!("imaps://localhost:{}", dovecot.imaps),
        false => format!("imap://127.0.0.1:{}?tls=none", dovecot.imap),
    };
    let (mut address, _) = Address::of_url(&url, Protocol::Imap).expect("an address");
    if tls {
        address.ca_file = Some(dovecot.certificate().into());
    }
    std::thread::scope(|scope| {
        for part in users.chunks(users.len().div_ceil(16).max(1)) {
            let address = &address;
            scope.spawn(move || {
                for user in part {
                    let account = store
                        .add_account(user, &Secret("secret".into()))
                        .expect("an account");
                    let settings = MailboxSettings {
                        incoming: Some(Incoming {
                            protocol: Protocol::Imap,
                            login: Login {
                                address: address.clone(),
                                user: user.clone(),
                                credential: Credential::Password(format!("{user}-pw")),
                            },
                        }),
                        outgoing: None,
                    };
                    let text = serde_json::to_string(&settings).expect("JSON");
                    store
                        .add_mailbox(
                            account.id,
                            MailboxKind::Imap,
                            &format!("{user}@localhost"),
                            &Secret(text),
                        )
                        .expect("a mailbox");
                }
            });
        }
    });
}

fn all_watched(store: &Store, count: usize) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        let states = store.mailbox_states().expect("states");
        let watched = states
            .iter()
            .find(|(state, _)| *state == MailboxState::Watched);
        if watched.is_some_and(|(_, watched)| *watched >= count as u64) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    false
}
