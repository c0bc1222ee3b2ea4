//! What watching costs: memory for each idle watcher, and the time from a server's EXISTS to our commit.
//!
//!     cargo bench --bench watchers [-- WATCHERS DELIVERIES]
//!
//! The IMAP server is a stub in a process of its own (this program with `--stub`), so that its memory does not count and
//! its own delays are small: Dovecot waits half a second before it tells anybody.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use candybar::mail::settings::{Address, Credential, Incoming, Login, MailboxSettings, Protocol};
use candybar::mail::watch::{Settings, Watchers};
use candybar::store::{Store, StoreConfig};
use candybar::sync::{MailboxKind, MailboxState, Secret};

fn main() {
    let mut numbers = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--stub" => return stub(),
            text => numbers.extend(text.parse::<usize>().ok()),
        }
    }
    let watchers = numbers.first().copied().unwrap_or(1000);
    let deliveries = numbers.get(1).copied().unwrap_or(200);
    measure(watchers, deliveries);
}

/// Nanoseconds since 1970, the same in both processes.
fn clock() -> u128 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, |time| time.as_nanos())
}

/// Kilobytes of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

struct Stub {
    child: Child,
    lines: mpsc::Receiver<String>,
    port: u16,
}

impl Stub {
    fn start() -> Self {
        let program = std::env::current_exe().expect("the program");
        let mut child = Command::new(program)
            .arg("--stub")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stub starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _unused = sender.send(line);
            }
        });
        let port = lines
            .recv()
            .ok()
            .and_then(|line| line.parse().ok())
            .expect("its port");
        Self { child, lines, port }
    }

    fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{line}").expect("it listens");
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _unused = self.child.kill();
        let _unused = self.child.wait();
    }
}

fn measure(count: usize, deliveries: usize) {
    let mut stub = Stub::start();
    let store = Store::open(&StoreConfig {
        url: "sqlite::memory:".into(),
        key: None,
    })
    .expect("a store");
    let (committed, commits) = mpsc::channel();
    let committed = Mutex::new(committed);
    store.when_outbox_changes(move || {
        let _unused = committed.lock().map(|sender| sender.send(clock()));
    });
    let mut accounts = Vec::new();
    for number in 0..count {
        let account = store
            .add_account(&format!("user{number}"), &Secret("x".into()))
            .expect("an account");
        let url = format!("imap://127.0.0.1:{}", stub.port);
        let (address, _) = Address::of_url(&url, Protocol::Imap).expect("an address");
        let settings = MailboxSettings {
            incoming: Some(Incoming {
                protocol: Protocol::Imap,
                login: Login {
                    address,
                    user: format!("user{number}"),
                    credential: Credential::Password("x".into()),
                },
            }),
            outgoing: None,
        };
        let text = serde_json::to_string(&settings).expect("JSON");
        store
            .add_mailbox(
                account.id,
                MailboxKind::Imap,
                &format!("user{number}@x"),
                &Secret(text),
            )
            .expect("a mailbox");
        accounts.push(account.id);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .expect("a runtime");
    let watchers = Watchers::new(
        store.clone(),
        Settings {
            age: Duration::from_secs(30 * 86_400),
            count: 200,
            octets: 128 << 10,
            max_message: 32 << 20,
            poll: Duration::from_secs(3600),
            lease: Duration::from_secs(600),
            watchers: count + 1000,
            pause: Duration::from_secs(1),
        },
    );
    let before = resident();
    let begun = clock();
    let running = watchers.clone();
    let work = runtime.spawn(async move { running.run().await });
    for account in &accounts {
        while store.mailboxes(*account).expect("mailboxes")[0].state != MailboxState::Watched {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let up = (clock() - begun) / 1_000_000;
    let after = resident();
    let per = (after.saturating_sub(before) * 1024) / count.max(1) as u64;
    println!("| idle watchers | up after | memory before | with them | for each |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    println!("| {count} | {up} ms | {before} KiB | {after} KiB | {per} octets |");
    // The commits of the first looks.
    while commits.recv_timeout(Duration::from_millis(500)).is_ok() {}
    let mut times = Vec::new();
    for delivery in 0..deliveries {
        stub.say(&format!("user{}", delivery % count));
        let told: u128 = stub.lines.recv().expect("told").parse().expect("a time");
        let stored = commits
            .recv_timeout(Duration::from_secs(10))
            .expect("a commit");
        times.push(stored.saturating_sub(told) / 1000);
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!();
    println!("| deliveries | EXISTS to commit, median | p99 | longest |");
    println!("| ---: | ---: | ---: | ---: |");
    println!(
        "| {deliveries} | {} µs | {} µs | {} µs |",
        at(50),
        at(99),
        at(100)
    );
    watchers.stop();
    runtime.block_on(work).expect("it ends");
}

/// The messages of each user, and how its idle connection is woken.
type Users = Arc<Mutex<HashMap<String, (u32, Option<TcpStream>)>>>;

fn stub() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    let users = Users::default();
    let ours = Arc::clone(&users);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let users = Arc::clone(&ours);
            let serving = move || serve(stream, &users);
            let thread = std::thread::Builder::new().stack_size(128 << 10);
            thread.spawn(serving).expect("a thread");
        }
    });
    for user in std::io::stdin().lines().map_while(Result::ok) {
        // A watcher that was woken comes back into IDLE.
        loop {
            let mut users = users.lock().expect("whole");
            if let Some((count, idle)) = users.get_mut(&user)
                && let Some(mut stream) = idle.take()
            {
                *count += 1;
                let told = clock();
                let _unused = write!(stream, "* {count} EXISTS\r\n");
                println!("{told}");
                break;
            }
            drop(users);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn serve(mut stream: TcpStream, users: &Users) {
    let mut user = String::new();
    let reader = BufReader::new(stream.try_clone().expect("a second handle"));
    stream.set_nodelay(true).expect("set");
    let mut idle = String::new();
    let greeting =
        "* OK [CAPABILITY IMAP4rev1 IDLE SASL-IR AUTH=PLAIN LITERAL+ UIDPLUS MOVE] stub\r\n";
    let _unused = stream.write_all(greeting.as_bytes());
    for line in reader.lines().map_while(Result::ok) {
        if line == "DONE" {
            users
                .lock()
                .expect("whole")
                .entry(user.clone())
                .or_default()
                .1 = None;
            let _unused = write!(stream, "{idle} OK done\r\n");
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let tag = words.next().unwrap_or_default().to_owned();
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        let rest = words.next().unwrap_or_default();
        let count = users
            .lock()
            .expect("whole")
            .entry(user.clone())
            .or_default()
            .0;
        let mut out = String::new();
        match verb.as_str() {
            "AUTHENTICATE" => {
                use base64::Engine as _;
                let encoded = rest.split(' ').nth(1).unwrap_or_default();
                let octets = base64::engine::general_purpose::STANDARD.decode(encoded);
                let text = String::from_utf8(octets.unwrap_or_default()).unwrap_or_default();
                user = text.split('\0').nth(1).unwrap_or_default().to_owned();
            }
            "CAPABILITY" => out.push_str("* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE LITERAL+\r\n"),
            "LIST" => out.push_str("* LIST () \"/\" INBOX\r\n"),
            "SELECT" => out.push_str(&format!(
                "* {count} EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT {}] x\r\n",
                count + 1
            )),
            "UID" if rest.starts_with("SEARCH") => {
                let from = rest
                    .rsplit("UID ")
                    .next()
                    .and_then(|set| set.strip_suffix(":*"));
                let from: u32 = from.and_then(|from| from.parse().ok()).unwrap_or(1);
                out.push_str("* SEARCH");
                (from..=count).for_each(|uid| out.push_str(&format!(" {uid}")));
                out.push_str("\r\n");
            }
            "UID" => {
                let set = rest.split(' ').nth(1).unwrap_or_default();
                let ranges = set.split(',').filter_map(|range| {
                    let (first, last) = range.split_once(':').unwrap_or((range, range));
                    Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
                });
                for uid in ranges.flatten() {
                    let body = format!(
                        "Message-ID: <{uid}.{user}@stub>\r\nFrom: a@b\r\nSubject: {uid}\r\n\r\n{}",
                        "0123456789 0123456789\r\n".repeat(100)
                    );
                    out.push_str(&format!(
                        "* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE {} INTERNALDATE \"05-Mar-2026 10:00:00 +0000\"",
                        body.len()
                    ));
                    if rest.contains("BODY") {
                        out.push_str(&format!(" BODY[]<0> {{{}}}\r\n{body}", body.len()));
                    }
                    out.push_str(")\r\n");
                }
            }
            "IDLE" => {
                idle = tag;
                let _unused = stream.write_all(b"+ idling\r\n");
                let handle = stream.try_clone().expect("a second handle");
                users
                    .lock()
                    .expect("whole")
                    .entry(user.clone())
                    .or_default()
                    .1 = Some(handle);
                continue;
            }
            _ => {}
        }
        out.push_str(&format!("{tag} OK done\r\n"));
        if stream.write_all(out.as_bytes()).is_err() {
            return;
        }
    }
}
