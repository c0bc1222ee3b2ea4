//! A mailbox of many messages beside one of 100: the first look of a watcher, a look that finds nothing new, the first sync of a phone
//! with a small window, and syncs without changes.

use std::time::Duration;

use candybar::handset::Mode;

use super::support::cutter::Cutter;
use super::support::dovecot::Dovecot;
use super::support::program::Program;
use super::{ACCOUNT, join, phone, request, until};

/// Messages of the small mailbox, and of what is mirrored of either.
const FEW: usize = 100;
/// Syncs without changes.
const SYNCS: u32 = 100;
/// Looks that find nothing new.
const LOOKS: usize = 5;
/// The unit of the times in `/proc/PID/stat`; Linux shows them in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// What something cost: milliseconds of processor time, octets.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    milliseconds: f64,
    octets: f64,
}

fn cpu(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its times");
    let fields = text.rsplit_once(')').expect("a name").1;
    let fields = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks as f64 * 1000.0 / TICKS_PER_SECOND
}

/// Octets of replies so far.
fn sent(server: &Program) -> f64 {
    let mut answer = ureq::get(&format!("http://{}/metrics", server.address()))
        .call()
        .expect("the counters");
    let text = answer.body_mut().read_to_string().expect("text");
    let line = text
        .lines()
        .find(|line| line.starts_with("candybar_message_bytes_total{direction=\"sent\"}"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .expect("a number")
}

fn costs(count: usize) -> Option<[Cost; 4]> {
    let dovecot = Dovecot::start(&[ACCOUNT.0], None)?;
    dovecot.fill(ACCOUNT.0, count);
    // Dovecot looks at the files, so that its own work is not waited for.
    let there = dovecot.imaplib(
        ACCOUNT.0,
        "print(imap.select()[1][0].decode())\nimap.fetch('1:*', '(UID RFC822.SIZE INTERNALDATE)')\n",
    );
    assert_eq!(there.trim(), count.to_string());
    let cutter = Cutter::start(dovecot.imap);
    let server = Program::start(
        &format!("[mail]\nmirror_count = {FEW}\n[log]\nlevel = \"warn\"\n"),
        &[ACCOUNT],
    );
    server.command(&["device", "add", ACCOUNT.0, "IMEI:1"]);
    server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        "IMEI:1",
        "--mail-window",
        "count=20",
    ]);
    let process = server.id();
    let mut costs = [Cost::default(); 4];
    let (used, octets) = (cpu(process), cutter.octets_back());
    join(&server, cutter.port(), ACCOUNT.0);
    std::thread::sleep(Duration::from_secs(1));
    costs[0] = Cost {
        milliseconds: cpu(process) - used,
        octets: (cutter.octets_back() - octets) as f64,
    };
    // The link breaks, and nothing has changed.
    let checked = || {
        let text = server.command(&["mailbox", "list", "--json"]);
        let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        list[0]["checked"].to_string()
    };
    let (used, octets) = (cpu(process), cutter.octets_back());
    for _ in 0..LOOKS {
        let before = checked();
        cutter.cut();
        cutter.mend();
        until("another look", || checked() != before);
    }
    costs[1] = Cost {
        milliseconds: (cpu(process) - used) / LOOKS as f64,
        octets: (cutter.octets_back() - octets) as f64 / LOOKS as f64,
    };
    let mut phone = phone(&server);
    let (used, octets) = (cpu(process), sent(&server));
    let report = phone.sync(&request(Mode::Slow)).expect("a sync");
    costs[2] = Cost {
        milliseconds: cpu(process) - used,
        octets: sent(&server) - octets,
    };
    let adds = report.datastores[0].received.adds;
    let (used, octets) = (cpu(process), sent(&server));
    for _ in 0..SYNCS {
        let report = phone.sync(&request(Mode::TwoWay)).expect("a sync");
        assert_eq!(report.datastores[0].received.total(), 0);
    }
    costs[3] = Cost {
        milliseconds: (cpu(process) - used) / f64::from(SYNCS),
        octets: (sent(&server) - octets) / f64::from(SYNCS),
    };
    println!(
        "{count} messages in Dovecot's inbox: {FEW} are mirrored, {adds} items are on the phone"
    );
    Some(costs)
}

pub(crate) fn measure(many: usize) {
    let (Some(few), Some(lots)) = (costs(FEW), costs(many)) else {
        return;
    };
    println!(
        "server's CPU in ms (the first ones to 10 ms), octets received from Dovecot or sent to the phone"
    );
    let names = [
        "first look of the watcher",
        "look that finds nothing new",
        "first sync of the phone",
        "sync without changes",
    ];
    for (name, (few, lots)) in names.iter().zip(few.iter().zip(&lots)) {
        println!(
            "  {name:<28} CPU {:>8.2} {:>8.2}  ratio {:>5.2}   octets {:>9.0} {:>9.0}  ratio {:>5.2}",
            few.milliseconds,
            lots.milliseconds,
            lots.milliseconds / few.milliseconds,
            few.octets,
            lots.octets,
            lots.octets / few.octets
        );
    }
}
