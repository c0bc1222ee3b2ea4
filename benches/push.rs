//! What it takes to speak first: from a change to the gateway, and how fast a full outbox drains.
//!
//!     cargo bench --bench push                        300 changes, then 100,000 notifications
//!     cargo bench --bench push -- 2000                with another number of notifications
//!     cargo bench --bench push -- kannel              300 changes through a Kannel, to the sync of the phone
//!     cargo bench --bench push -- drain 100000 1      so many notifications that wait, through a Kannel; push.in_flight
//!
//! Without Kannel the gateway is a file, which costs next to nothing: what is measured is the outbox over a SQLite file with
//! synchronous=FULL. Beside it stands what the disk allows: the same number of transactions that write one row each.

#[path = "push/alone.rs"]
mod alone;
#[path = "push/drained.rs"]
mod drained;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "push/through_kannel.rs"]
mod through_kannel;

use std::path::Path;
use std::time::{Duration, Instant};

use candybar::content::{Digest, Format, Kind, MatchKey};
use candybar::outbox::message::Sender;
use candybar::outbox::policy::Policy;
use candybar::outbox::{Outbox, Settings};
use candybar::sms::settings::{GatewayKind, GatewaySettings};
use candybar::sms::{Gateways, Prefix};
use candybar::store::{NewItem, NewNotification, Store, StoreConfig};
use candybar::sync::{
    AccountId, Change, Commit, Datastore, DeviceId, Generation, NotificationKind,
    NotificationState, Round, Secret, ViewState,
};

/// Changes that are measured one by one.
const CHANGES: usize = 300;
/// Accounts of the full outbox.
const ACCOUNTS: usize = 100;
/// Threads that fill it: as many as writes share a transaction.
const THREADS: usize = 128;

fn main() {
    if std::env::args().any(|argument| argument == "kannel") {
        println!("through Kannel, coalesce_seconds = 0");
        through_kannel::measure();
        return;
    }
    if std::env::args().any(|argument| argument == "drain") {
        let mut numbers = std::env::args().filter_map(|text| text.parse().ok());
        drained::measure(
            numbers.next().unwrap_or(100_000),
            numbers.next().unwrap_or(1),
        );
        return;
    }
    let asked = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let notifications: usize = asked.unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!("one change at a time, coalesce_seconds = 0");
    changes(&runtime);
    println!("{notifications} notifications that wait, in_flight = 1");
    drain(&runtime, notifications);
}

fn start(runtime: &tokio::runtime::Runtime, folder: &Path) -> (Store, Outbox) {
    let store = Store::open(&StoreConfig {
        url: format!("sqlite:{}", folder.join("push.db").display()),
        key: None,
    })
    .expect("a store");
    let _entered = runtime.enter();
    let gateway = GatewaySettings {
        name: "file".into(),
        prefixes: vec![Prefix::any()],
        window: 1,
        per_second: 0,
        timeout: Duration::from_secs(10),
        callback_url: None,
        token: None,
        kind: GatewayKind::File {
            path: folder.join("sms.jsonl"),
        },
    };
    let Ok((gateways, _deliveries)) = Gateways::start(vec![gateway]) else {
        panic!("the gateway does not start");
    };
    let outbox = Outbox::new(
        store.clone(),
        gateways,
        Settings {
            sender: Sender {
                server_id: "candybar".into(),
                url: None,
                profiles: candybar::device::profile::Catalogue::embedded(),
            },
            policy: Policy {
                coalesce: 0,
                sms_per_device: 0,
                sms_per_account: 0,
                ..Policy::default()
            },
            mail: candybar::outbox::mail::MailRules::default(),
            mail_windows: candybar::sync::Windows::default(),
            in_flight: 1,
            lease: Duration::from_secs(30),
            keep: Duration::from_secs(86_400),
            texts: candybar::outbox::events::Texts::Off,
        },
    );
    (store, outbox)
}

fn device(store: &Store, account: AccountId, number: usize) -> DeviceId {
    let uri = format!("IMEI:{number}");
    let device = store.register_device(account, &uri, 1).expect("a device");
    let msisdn = format!("+4670{number:07}");
    store
        .set_device(account, device.id, Some(&msisdn), None)
        .expect("its number");
    device.id
}

fn changes(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, outbox) = start(runtime, folder.path());
    let account = store
        .add_account("alice", &Secret("secret".into()))
        .expect("an account")
        .id;
    let phone = device(&store, account, 1);
    let known = store.account_by_id(account).expect("the account");
    let view = ViewState {
        round: Round(1),
        confirmed: Some(Generation {
            client_anchor: "1".into(),
            server_anchor: "1".into(),
            base: known.modseq,
            filter: None,
        }),
        ..ViewState::default()
    };
    let commit = Commit {
        account,
        device: Some(phone),
        expected: known.modseq,
        modseq: known.modseq,
        next_item: known.next_item,
        changes: vec![Change::PutView {
            view: Datastore::Contacts,
            state: view,
        }],
        session: None,
        now: 1,
    };
    store.commit(commit).expect("a view");
    let worker = outbox.clone();
    let work = runtime.spawn(async move { worker.run().await });
    let file = folder.path().join("sms.jsonl");
    let length = || std::fs::metadata(&file).map_or(0, |known| known.len());
    let mut took = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let before = length();
        let item = NewItem {
            datastore: Datastore::Contacts,
            kind: Kind::Contact,
            format: Format::VCard30,
            body: format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{number}\r\nN:{number}\r\nEND:VCARD\r\n"
            )
            .into(),
            digest: Digest([number as u8; 16]),
            key: MatchKey(number as i64),
        };
        let begin = Instant::now();
        store
            .put_items(account, None, vec![item])
            .expect("a change");
        while length() == before {
            std::thread::sleep(Duration::from_micros(100));
        }
        took.push(begin.elapsed());
        // It would wait for the phone.
        loop {
            let newest = store.notifications(Some(account), 1).expect("the outbox");
            let newest = newest.first().expect("a notification");
            if newest.state == NotificationState::Sent {
                store.cancel_notification(newest.id).expect("cancelled");
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    took.sort();
    let at =
        |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1000.0;
    println!(
        "  change to submit: median {:.1} ms, p99 {:.1} ms",
        at(50),
        at(99)
    );
    outbox.stop();
    runtime.block_on(work).expect("the outbox ends");
}

/// A device with a notification for each number.
fn fill(store: &Store, accounts: &[AccountId], notifications: usize) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in (thread..notifications).step_by(THREADS) {
                    let account = accounts[number % accounts.len()];
                    let device = device(store, account, number);
                    let new = NewNotification {
                        account,
                        device,
                        kind: NotificationKind::Push,
                        wanted: vec![Datastore::Contacts],
                        parameters: None,
                        asked_by: "asked for by a benchmark".into(),
                    };
                    store.queue_notification(new).expect("queued");
                }
            });
        }
    });
}

fn drain(runtime: &tokio::runtime::Runtime, notifications: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, outbox) = start(runtime, folder.path());
    let accounts: Vec<AccountId> = (0..ACCOUNTS)
        .map(|number| {
            let name = format!("account{number}");
            let secret = Secret("secret".into());
            store.add_account(&name, &secret).expect("an account").id
        })
        .collect();
    fill(&store, &accounts, notifications);
    let memory = resident();
    let begin = Instant::now();
    let worker = outbox.clone();
    let work = runtime.spawn(async move { worker.run().await });
    let file = folder.path().join("sms.jsonl");
    let lines = || {
        let text = std::fs::read(&file).unwrap_or_default();
        text.iter().filter(|octet| **octet == b'\n').count()
    };
    let mut most = 0.0_f64;
    while lines() < notifications {
        most = most.max(resident());
        std::thread::sleep(Duration::from_millis(250));
    }
    let seconds = begin.elapsed().as_secs_f64();
    outbox.stop();
    runtime.block_on(work).expect("the outbox ends");
    println!(
        "  drained in {seconds:.1} s: {:.0} a second; memory {:.1} MB before, {:.1} MB at most",
        notifications as f64 / seconds,
        memory,
        most
    );
    let sent = lines();
    assert_eq!(sent, notifications, "each went out once");
    let begin = Instant::now();
    let some = notifications.min(2_000);
    for number in 0..some {
        let device = DeviceId(1 + (number / ACCOUNTS) as i64);
        let channels = ["sms".to_owned()];
        store
            .set_channels(accounts[number % ACCOUNTS], device, &channels)
            .expect("a row");
    }
    println!(
        "  the disk's floor: {:.0} transactions of one row a second, one after the other",
        some as f64 / begin.elapsed().as_secs_f64()
    );
}

/// Megabytes of memory that the process has now.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
