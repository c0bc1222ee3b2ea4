//! What a sync costs the server: candybar beside SyncEvolution's own HTTP server, with the same client, the same items
//! and in the same run. Prints a table, and asserts nothing.
//!
//! ```text
//! cargo bench --bench sync_cpu                           both servers, 1,000 and 5,000 contacts
//! cargo bench --bench sync_cpu -- syncevolution 200      one server, 200 contacts
//! ```
//!
//! CPU is user and system time of all processes of a server, of their live children and of those that have ended.
//! Memory is the largest sum of their resident sets, sampled during the sessions.

#![allow(unsafe_code, reason = "the clock of a process has no other way")]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long};
use std::fmt::Write;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use support::datastore::{Datastore, Items};
use support::server::{Candybar, SyncServer};
use support::syncevolution::{Auth, Carrier, Dialect, Mode, Phone, Version};
use support::syncevolution_server::SyncEvolutionServer;

/// Sessions that can be repeated are, and their mean is shown.
const REPEATS: u32 = 5;

/// The unit of the times in `/proc/<id>/stat`; Linux shows them in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

const PEER: &str = "syncevolution";
const OURS: &str = "candybar";

/// The sessions in their order, each with what it does.
const SESSIONS: [&str; 4] = ["upload", "no changes", "slow sync of the same", "download"];

/// What the sessions of one size cost one server.
struct Cost {
    /// CPU seconds, as [`SESSIONS`].
    seconds: [f64; 4],
    /// Bytes.
    peak: u64,
}

fn main() {
    let mut sizes = Vec::new();
    let mut servers = Vec::new();
    for argument in std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
    {
        match argument.as_str() {
            PEER | OURS => servers.push(argument),
            number => match number.parse::<u32>() {
                Ok(size) => sizes.push(size),
                Err(_) => {
                    return eprintln!("usage: sync_cpu [{PEER}] [{OURS}] [NUMBER OF CONTACTS]…");
                }
            },
        }
    }
    if sizes.is_empty() {
        sizes = vec![1000, 5000];
    }
    if servers.is_empty() {
        servers = vec![PEER.to_owned(), OURS.to_owned()];
    }
    if !support::syncevolution::present() || !support::syncevolution_server::present() {
        return;
    }
    let mut costs: BTreeMap<(u32, String), Cost> = BTreeMap::new();
    for &size in &sizes {
        for server in &servers {
            eprintln!("{server}: {size} contacts");
            let cost = if server == PEER {
                measure(&SyncEvolutionServer::start(), size)
            } else {
                measure(&Candybar::start(), size)
            };
            costs.insert((size, server.clone()), cost);
        }
    }
    print!("{}", table(&sizes, &costs));
}

/// Runs the sessions against one server.
fn measure(server: &dyn SyncServer, size: u32) -> Cost {
    let dialect = Dialect::new(Carrier::Wbxml, Version::V12, Auth::Md5);
    let phone = Phone::new(server, "sc-pim-bench-a", &dialect);
    // Known to the server before the clock runs.
    let empty: Vec<Phone> = (0..REPEATS)
        .map(|number| Phone::new(server, &format!("sc-pim-bench-{number}"), &dialect))
        .collect();
    phone.put_all(Datastore::Contacts, &contacts(size));
    let processes = server.processes();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sampler = scope.spawn(|| peak_until(&processes, &over));
        let mut last = cpu_at_rest(&processes);
        let mut per_session = |repeats: u32, session: &dyn Fn(u32)| {
            (0..repeats).for_each(session);
            let now = cpu_at_rest(&processes);
            let seconds = (now - last) / f64::from(repeats);
            last = now;
            seconds
        };
        let sync = |phone: &Phone, mode: Mode| {
            phone.sync_well(mode, &[Datastore::Contacts]);
        };
        let seconds = [
            per_session(1, &|_| sync(&phone, Mode::Slow)),
            per_session(REPEATS, &|_| sync(&phone, Mode::TwoWay)),
            per_session(1, &|_| sync(&phone, Mode::Slow)),
            per_session(REPEATS, &|number| {
                let receiver = &empty[usize::try_from(number).expect("few phones")];
                sync(receiver, Mode::Slow);
                assert_eq!(
                    receiver.items(Datastore::Contacts).len(),
                    phone.items(Datastore::Contacts).len(),
                    "all items have come"
                );
            }),
        ];
        over.store(true, Ordering::Relaxed);
        Cost {
            seconds,
            peak: sampler.join().expect("the sampler ends"),
        }
    })
}

/// Contacts as people have them: about half a kilobyte, no picture.
fn contacts(size: u32) -> Items {
    (0..size)
        .map(|number| (format!("{number}"), contact(number)))
        .collect()
}

fn contact(number: u32) -> String {
    let pick = |list: &[&'static str], factor: u32| {
        list[usize::try_from(number.wrapping_mul(factor) % 7).expect("seven names")]
    };
    let given = pick(
        &["Jürgen", "Åsa", "Zoë", "María", "John", "Łucja", "Renée"],
        3,
    );
    let city = pick(
        &[
            "Köln",
            "Malmö",
            "Bruges",
            "A Coruña",
            "Cork",
            "Łódź",
            "Liège",
        ],
        5,
    );
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Name{number:05};{given};;;\r\nFN:{given} Name{number:05}\r\n\
         ORG:Company {};Department {}\r\nTITLE:Engineer\r\nTEL;TYPE=CELL,VOICE:+49170{number:07}\r\n\
         TEL;TYPE=WORK,VOICE:+4930{number:07}\r\nTEL;TYPE=HOME,VOICE:+49221{number:07}\r\n\
         EMAIL;TYPE=WORK,INTERNET:name{number}@example.com\r\nADR;TYPE=HOME:;;Street {};{city};;{:05};Country\r\n\
         BDAY:19{:02}-{:02}-{:02}\r\nNOTE:Met in {city}\\, number {number}.\\nCalls back.\r\nEND:VCARD\r\n",
        number % 40,
        number % 7,
        number % 200,
        number * 7 % 100_000,
        50 + number % 50,
        1 + number % 12,
        1 + number % 28,
    )
}

/// A line per size and session, the peak memory last.
fn table(sizes: &[u32], costs: &BTreeMap<(u32, String), Cost>) -> String {
    let mut text = format!(
        "\n{:>8}  {:<24}{:>16}{:>12}{:>10}\n",
        "contacts", "", PEER, OURS, "ratio"
    );
    let mut line =
        |size: u32, what: &str, unit: &str, digits: usize, value: &dyn Fn(&Cost) -> f64| {
            let of = |server: &str| costs.get(&(size, server.to_owned())).map(value);
            let shown = |value: Option<f64>| {
                value.map_or_else(
                    || "-".to_owned(),
                    |value| format!("{value:.digits$} {unit}"),
                )
            };
            let (peer, ours) = (of(PEER), of(OURS));
            let ratio = match (peer, ours) {
                (Some(peer), Some(ours)) if ours > 0.0 => format!("{:.0}x", peer / ours),
                _ => String::new(),
            };
            writeln!(
                text,
                "{size:>8}  {what:<24}{:>16}{:>12}{ratio:>10}",
                shown(peer),
                shown(ours)
            )
            .ok();
        };
    for &size in sizes {
        for (index, session) in SESSIONS.into_iter().enumerate() {
            line(size, session, "s", 4, &|cost| cost.seconds[index]);
        }
        line(size, "peak memory", "MB", 1, &|cost| {
            #[allow(clippy::cast_precision_loss, reason = "megabytes with one digit")]
            let bytes = cost.peak as f64;
            bytes / 1e6
        });
    }
    text
}

/// The largest sum of resident sets until `over`.
fn peak_until(processes: &[u32], over: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !over.load(Ordering::Relaxed) {
        peak = peak.max(tree(processes).into_iter().map(resident).sum());
        thread::sleep(Duration::from_millis(20));
    }
    peak
}

/// [`cpu`] once the server has come to rest: it may work on after its last answer.
fn cpu_at_rest(processes: &[u32]) -> f64 {
    let mut last = cpu(processes);
    loop {
        thread::sleep(Duration::from_millis(300));
        let now = cpu(processes);
        if now <= last {
            return now;
        }
        last = now;
    }
}

/// CPU seconds of the processes, of their live descendants, and of their children that have ended.
fn cpu(processes: &[u32]) -> f64 {
    tree(processes)
        .into_iter()
        .map(|id| own(id) + ended_children(id))
        .sum()
}

/// CPU seconds of a live process and its threads, those that have ended included, to the nanosecond.
fn own(id: u32) -> f64 {
    #[repr(C)]
    #[derive(Default)]
    struct Timespec {
        seconds: c_long,
        nanoseconds: c_long,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    }
    // The kernel's number for "CPU time of that process": the inverted id above three bits of which 2 means this clock.
    let clock = (!c_int::try_from(id).expect("process ids are small") << 3) | 2;
    let mut time = Timespec::default();
    // SAFETY: the pointer is to a timespec of this function, and 64-bit Linux lays it out as two longs.
    let result = unsafe { clock_gettime(clock, &raw mut time) };
    if result != 0 {
        return 0.0;
    }
    let since = Duration::new(
        u64::try_from(time.seconds).unwrap_or(0),
        u32::try_from(time.nanoseconds).unwrap_or(0),
    );
    since.as_secs_f64()
}

/// CPU seconds of the children of a process that have ended.
fn ended_children(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The second field is a name in parentheses and may hold spaces; cutime and cstime are the 16th and 17th.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = rest
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / TICKS_PER_SECOND
}

/// The processes and all their live descendants.
fn tree(processes: &[u32]) -> Vec<u32> {
    let mut all = processes.to_vec();
    let mut next = 0;
    while next < all.len() {
        let id = all[next];
        next += 1;
        for task in fs::read_dir(format!("/proc/{id}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    all
}

/// The resident set of a process in bytes.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
