//! A full outbox through Kannel: the whole program, over real sockets, beside Kannel's own rate with as many connections.

use std::time::{Duration, Instant};

use candybar::store::{Store, StoreConfig};
use candybar::sync::{AccountId, Secret};

use crate::alone::Alone;
use crate::support::kannel::Kannel;
use crate::support::program::Program;

/// Accounts that the notifications are of.
const ACCOUNTS: usize = 100;
/// SMS that Kannel gets from nobody else first.
const ALONE: usize = 3_000;
/// Without a new SMS for so long it has ended.
const REST: Duration = Duration::from_secs(60);

/// SMS a second that Kannel takes on that many connections, if it is asked for receipts as we ask for them.
fn floor(kannel: &Kannel, connections: usize) -> f64 {
    let alone = &Alone::of(kannel);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for connection in 0..connections {
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                for number in (connection..ALONE).step_by(connections) {
                    alone.send(&agent, number);
                }
            });
        }
    });
    ALONE as f64 / begun.elapsed().as_secs_f64()
}

/// Notifications that gateways took so far.
fn sent(server: &Program) -> Option<usize> {
    let mut answer = ureq::get(&format!("http://{}/metrics", server.address()))
        .call()
        .ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    let begin = "candybar_notifications_submitted_total{gateway=\"kannel\",outcome=\"sent\"} ";
    let count = text.lines().find_map(|line| line.strip_prefix(begin))?;
    count.parse().ok()
}

/// Megabytes of memory that a process had at most since that was forgotten.
fn peak(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// Measures, if Kannel is installed.
pub(crate) fn measure(notifications: usize, in_flight: usize) {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    let alone = floor(&kannel, in_flight);
    println!("Kannel alone, {in_flight} at once: {alone:.0} SMS a second");
    let mut server = Program::start(
        &format!(
            "[push]\nin_flight = {in_flight}\nsms_per_device_per_day = 0\nsms_per_account_per_day = 0\n[log]\nlevel = \"warn\"\n\
             [[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n\
             sender = \"12345\"\nwindow = {in_flight}\n",
            kannel.sendsms(),
            Kannel::USER,
            Kannel::PASSWORD
        ),
        &[],
    );
    server.end();
    let store = Store::open(&StoreConfig {
        url: format!("sqlite:{}", server.file("candybar.db").display()),
        key: None,
    })
    .expect("the database");
    let accounts: Vec<AccountId> = (0..ACCOUNTS)
        .map(|number| {
            let name = format!("account{number}");
            let secret = Secret("secret".into());
            store.add_account(&name, &secret).expect("an account").id
        })
        .collect();
    let begun = Instant::now();
    crate::fill(&store, &accounts, notifications);
    drop(store);
    println!(
        "{notifications} notifications queued in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let before = kannel.taken();
    server.restart();
    let idle = peak(server.id());
    let begun = Instant::now();
    let (mut newest, mut last) = (Instant::now(), 0);
    while last < notifications && newest.elapsed() < REST {
        std::thread::sleep(Duration::from_millis(250));
        if let Some(now) = sent(&server).filter(|now| *now > last) {
            (newest, last) = (Instant::now(), now);
        }
    }
    let seconds = (newest - begun).as_secs_f64();
    let rate = last as f64 / seconds;
    println!(
        "  {last} drained in {seconds:.1} s: {rate:.0} a second, {:.2} of Kannel's rate",
        rate / alone
    );
    println!(
        "  memory of the server: {idle:.1} MB at its start, {:.1} MB at most",
        peak(server.id())
    );
    // Kannel hands on what it took.
    let begun = Instant::now();
    while kannel.taken() < before + last && begun.elapsed() < REST {
        std::thread::sleep(Duration::from_millis(250));
    }
    println!("  {} SMS at the centre", kannel.taken() - before);
}
