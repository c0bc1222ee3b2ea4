//! Emulated phones: the scripts that build and run them, and what the MIDlet prints.

use std::fs::File;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::peer;
use crate::support::process::{self, Daemon, Ended};
use crate::support::program::Program;

use super::{ACCOUNT, device};

/// Long enough for the slowest machine; nothing is measured with it.
pub(super) const LIMIT: Duration = Duration::from_secs(180);

/// As long as fetching the emulator may take.
const BUILD_LIMIT: Duration = Duration::from_secs(600);

fn script(name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator-scripts");
    let mut command = Command::new(folder.join(name));
    command.env("EMULATOR_OUTPUT", output());
    command
}

/// Where the scripts build to.
pub(super) fn output() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../emulator")
}

/// The MIDlet is built and there is an emulator to run it. If not: fails in CI, says loudly elsewhere that the test is skipped.
pub(super) fn is_here() -> bool {
    static BUILT: LazyLock<Result<(), String>> = LazyLock::new(|| {
        let ended = process::run(script("build").arg("--phone"), BUILD_LIMIT);
        if ended.success() {
            Ok(())
        } else {
            Err(ended.text)
        }
    });
    if !peer::present("a JDK", &["java", "javac", "jar"]) {
        return false;
    }
    match &*BUILT {
        Ok(()) => true,
        Err(text) => peer::missing(&format!(
            "the MIDlet or MicroEmulator cannot be had:\n{text}"
        )),
    }
}

/// A phone that is not running, or was: its memory.
pub(super) struct Home {
    folder: TempDir,
    number: u32,
}

impl Home {
    pub(super) fn new(number: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, number }
    }

    fn command(&self, server: &Program, arguments: &[&str], commands: &[&str]) -> Command {
        let (user, password) = ACCOUNT;
        let mut command = script("run");
        command.arg("--home").arg(self.folder.path());
        for line in commands {
            command.args(["--script", line]);
        }
        command.args([
            format!("URL={}", server.url()),
            format!("User={user}"),
            format!("Password={password}"),
            format!("Device={}", device(self.number)),
        ]);
        // The last one of a name counts.
        command.args(arguments);
        command
    }

    /// Switches the phone on.
    pub(super) fn start(
        &self,
        server: &Program,
        arguments: &[&str],
        commands: &[&str],
    ) -> Emulated {
        let log = File::create(self.folder.path().join("errors")).expect("a log");
        let (sender, lines) = channel();
        let mut command = self.command(server, arguments, commands);
        let (daemon, udp) = Daemon::start_until(&mut command, log, LIMIT, move |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            let udp = event["udp"].as_u64();
            sender.send(event).ok();
            udp
        });
        Emulated {
            _daemon: daemon,
            lines,
            udp: u16::try_from(udp).expect("a port"),
            log: self.folder.path().join("log"),
            events: Vec::new(),
        }
    }

    /// Runs commands to their end, and gives what was printed.
    #[track_caller]
    pub(super) fn run(&self, server: &Program, arguments: &[&str], commands: &[&str]) -> Events {
        self.start(server, arguments, commands).done()
    }

    /// Runs commands to whatever end, as somebody in a shell does.
    pub(super) fn try_run(&self, server: &Program, arguments: &[&str], commands: &[&str]) -> Ended {
        process::run(&mut self.command(server, arguments, commands), LIMIT)
    }
}

/// Runs many phones with the script for that.
pub(super) fn run_many(server: &Program, count: u32, homes: &Path, commands: &[&str]) -> Ended {
    let (user, password) = ACCOUNT;
    let mut command = script("run-many");
    command.arg(count.to_string()).arg("--homes").arg(homes);
    for line in commands {
        command.args(["--script", line]);
    }
    command.args([
        format!("URL={}", server.url()),
        format!("User={user}"),
        format!("Password={password}"),
        "Device=IMEI:35000000000000{n}".to_owned(),
    ]);
    process::run(&mut command, LIMIT)
}

/// A phone that runs. It is switched off when it is dropped.
pub(super) struct Emulated {
    _daemon: Daemon,
    lines: Receiver<Value>,
    /// Where its short messages come in.
    pub(super) udp: u16,
    log: PathBuf,
    events: Vec<Value>,
}

impl Emulated {
    /// Waits until it prints an event of that name.
    #[track_caller]
    pub(super) fn until(&mut self, name: &str) -> Value {
        loop {
            let event = match self.lines.recv_timeout(LIMIT) {
                Ok(event) => event,
                Err(error) => {
                    let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                    panic!("no event {name} ({error}); the phone's log:\n{log}");
                }
            };
            self.events.push(event.clone());
            if event["event"] == name {
                return event;
            }
            assert_ne!(
                event["event"], "failed",
                "while waiting for {name}: {event}"
            );
        }
    }

    /// Waits until its script is done.
    #[track_caller]
    pub(super) fn done(mut self) -> Events {
        self.until("done");
        Events(self.events)
    }
}

/// What a phone printed.
pub(super) struct Events(Vec<Value>);

impl Events {
    /// All of one name.
    pub(super) fn of(&self, name: &str) -> Vec<&Value> {
        let of_name = self.0.iter().filter(|event| event["event"] == name);
        of_name.collect()
    }

    /// The last sync of a datastore.
    #[track_caller]
    pub(super) fn sync(&self, datastore: &str) -> &Value {
        let syncs = self.of("datastore");
        let of_name = syncs.iter().rfind(|sync| sync["name"] == datastore);
        of_name.unwrap_or_else(|| panic!("no sync of {datastore} in {:?}", self.0))
    }

    /// The body of an item that was shown.
    #[track_caller]
    pub(super) fn body(&self, title: &str) -> &str {
        let items = self.of("item");
        let of_title = items.iter().rfind(|item| item["title"] == title);
        let item = of_title.unwrap_or_else(|| panic!("no {title} in {:?}", self.0));
        item["body"].as_str().expect("a body")
    }

    /// Titles of the items that were shown, sorted.
    pub(super) fn titles(&self) -> Vec<&str> {
        let mut titles: Vec<&str> = self
            .of("item")
            .iter()
            .map(|item| item["title"].as_str().expect("a title"))
            .collect();
        titles.sort_unstable();
        titles
    }
}

/// The air between a loopback gateway and a phone: the gateway's address is known before the phone is switched on.
pub(super) struct Air {
    socket: UdpSocket,
}

impl Air {
    pub(super) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP port");
        Self { socket }
    }

    /// A gateway into this air for numbers that begin so.
    pub(super) fn gateway(&self, name: &str, prefix: &str) -> String {
        let address = self.socket.local_addr().expect("an address");
        format!(
            "[[gateway]]\nname = \"{name}\"\nkind = \"loopback\"\nurl = \"{address}\"\nprefixes = [\"{prefix}\"]\n"
        )
    }

    /// Waits for a datagram.
    pub(super) fn receive(&self) -> Vec<u8> {
        let mut datagram = vec![0; 64 << 10];
        self.socket
            .set_read_timeout(Some(LIMIT))
            .expect("a time limit");
        let length = self.socket.recv(&mut datagram).expect("a datagram");
        datagram.truncate(length);
        datagram
    }

    /// Hands a datagram to a phone.
    pub(super) fn send(&self, datagram: &[u8], phone: &Emulated) {
        self.socket
            .send_to(datagram, ("127.0.0.1", phone.udp))
            .expect("sent");
    }

    /// Hands the next datagram on.
    pub(super) fn carry(&self, phone: &Emulated) {
        self.send(&self.receive(), phone);
    }
}
