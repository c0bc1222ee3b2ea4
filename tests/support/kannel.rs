//! Kannel as the gateway: bearerbox, smsbox, wapbox with its push proxy, and fakesmsc as the SMS centre, on free ports.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use tempfile::TempDir;

use super::lines::Lines;
use super::peer::present;
use super::process::Daemon;
use super::smsc::Centre;

const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
const WAPBOX: &str = "/usr/sbin/wapbox";
const FAKESMSC: &str = "/usr/lib/kannel/test/fakesmsc";

/// How often it is started again when another program took one of its ports meanwhile.
const STARTS: u32 = 5;

/// How many of a box's lines are shown when a test has failed.
const SHOWN: usize = 60;

/// A running Kannel. Dropping ends all of it.
pub(crate) struct Kannel {
    sendsms: u16,
    ppg: u16,
    centre: Lines,
    // Dropped in order: those that connect before those that are connected to.
    fakesmsc: Option<Daemon>,
    _smsbox: Daemon,
    _wapbox: Daemon,
    // Read to their ends: a box whose output is closed is told of it by a signal.
    smsbox: Lines,
    wapbox: Lines,
    bearerbox: Lines,
    _bearerbox: Daemon,
    fake_port: u16,
    _folder: TempDir,
}

/// What fakesmsc shows of one SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) udh: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Kannel {
    pub(crate) const USER: &str = "tester";
    pub(crate) const PASSWORD: &str = "foobar 7";
    /// Whose long messages Kannel cuts itself, with the same password.
    pub(crate) const SETTINGS_USER: &str = "settings";

    /// Starts it; `None` if it is not installed. `mo`: the address that it calls with texts from phones.
    pub(crate) fn start(mo: &str) -> Option<Self> {
        Self::start_before(mo, None)
    }

    /// Starts it before an SMPP centre on this port, to which it logs in as `Centre::USER`, instead of fakesmsc.
    pub(crate) fn start_before_centre(mo: &str, port: u16) -> Option<Self> {
        Self::start_before(mo, Some(port))
    }

    fn start_before(mo: &str, centre: Option<u16>) -> Option<Self> {
        if !present("Kannel", &[BEARERBOX, SMSBOX, WAPBOX, FAKESMSC]) {
            return None;
        }
        let started = (0..STARTS).find_map(|_| Self::try_start(mo, centre));
        Some(started.expect("Kannel finds free ports"))
    }

    fn try_start(mo: &str, centre: Option<u16>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports = free_ports::<6>();
        let [admin, smsbox_port, wapbox_port, sendsms, ppg, fake_port] = ports;
        let configuration = folder.path().join("kannel.conf");
        let smsc = match centre {
            None => format!(
                "smsc = fake\nsmsc-id = fake\nport = {fake_port}\nour-host = 127.0.0.1\nconnect-allow-ip = 127.0.0.1\n"
            ),
            Some(port) => format!(
                "smsc = smpp\nsmsc-id = centre\nhost = 127.0.0.1\nport = {port}\ntransceiver-mode = true\n\
                 smsc-username = {}\nsmsc-password = {}\nsystem-type = VMA\nreconnect-delay = 1\n",
                Centre::USER,
                Centre::PASSWORD
            ),
        };
        let text = format!(
            r#"group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox_port}
smsbox-interface = 127.0.0.1
wapbox-port = {wapbox_port}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
store-type = file
store-location = "{store}"
dlr-storage = internal
sms-resend-freq = 1

group = smsc
{smsc}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {user}
password = "{password}"
max-messages = 1
concatenation = false
default-sender = 12345

group = sendsms-user
username = {settings_user}
password = "{password}"
max-messages = 10
concatenation = true
default-sender = 12345

group = sms-service
keyword = default
max-messages = 0
get-url = "{mo}&from=%p&to=%P&text=%b&udh=%u&charset=%C&coding=%c"

group = wapbox
bearerbox-host = 127.0.0.1

group = ppg
ppg-url = /wappush
ppg-port = {ppg}
ppg-allow-ip = "127.0.0.1"
trusted-pi = false
concurrent-pushes = 100
users = 1024
service-name = ppg
global-sender = 12345

group = wap-push-user
wap-push-user = {user}
ppg-username = {user}
ppg-password = "{password}"
allow-ip = "127.0.0.1"
"#,
            store = folder.path().join("store").display(),
            user = Self::USER,
            settings_user = Self::SETTINGS_USER,
            password = Self::PASSWORD,
        );
        fs::write(&configuration, text).expect("written");
        let start = |program: &str, ready: &[&str]| {
            let (output, mut lines) = Lines::pipe();
            let mut command = Command::new(program);
            command.args(["-v", "0"]).arg(&configuration);
            let daemon = Daemon::start(&mut command, output);
            drop(command);
            for mark in ready {
                lines.try_wait(&|line: &str| line.contains(mark).then_some(()))?;
            }
            Some((daemon, lines))
        };
        let (bearerbox, mut bearerbox_lines) = start(BEARERBOX, &["entering mainloop"])?;
        let (smsbox, smsbox_lines) = start(
            SMSBOX,
            &["Opening server at port", "Connected to bearerbox"],
        )?;
        let (wapbox, wapbox_lines) = start(
            WAPBOX,
            &["Opening server at port", "Connected to bearerbox"],
        )?;
        // A box that has not kept its port, or has ended since, is started again.
        TcpStream::connect(("127.0.0.1", sendsms)).ok()?;
        TcpStream::connect(("127.0.0.1", ppg)).ok()?;
        let (fakesmsc, centre) = match centre {
            None => {
                let (daemon, lines) = fakesmsc(fake_port, &mut bearerbox_lines, None);
                (Some(daemon), lines)
            }
            // The centre tells by itself what it gets.
            Some(_) => (None, Lines::pipe().1),
        };
        Some(Self {
            sendsms,
            ppg,
            centre,
            fakesmsc,
            _smsbox: smsbox,
            _wapbox: wapbox,
            smsbox: smsbox_lines,
            wapbox: wapbox_lines,
            bearerbox: bearerbox_lines,
            _bearerbox: bearerbox,
            fake_port,
            _folder: folder,
        })
    }

    /// The address of sendsms.
    pub(crate) fn sendsms(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.sendsms)
    }

    /// The address of the push proxy.
    pub(crate) fn ppg(&self) -> String {
        format!("http://127.0.0.1:{}/wappush", self.ppg)
    }

    /// Waits for the next SMS that the centre gets.
    pub(crate) fn next(&mut self) -> Shown {
        self.centre.wait("an SMS at fakesmsc", shown)
    }

    /// How many SMS the centre has got so far.
    pub(crate) fn taken(&mut self) -> usize {
        self.centre.so_far().matches("Got message").count()
    }

    /// Sends an SMS from a phone, by a centre that is started anew for it.
    pub(crate) fn phone_sends(&mut self, from: &str, to: &str, text: &str) {
        self.fakesmsc = None;
        let message = format!("{from} {to} text {text}");
        let (daemon, lines) = fakesmsc(self.fake_port, &mut self.bearerbox, Some(&message));
        self.fakesmsc = Some(daemon);
        self.centre = lines;
    }
}

impl Drop for Kannel {
    /// Shows what its boxes said last, when a test has failed.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let boxes = [
            ("bearerbox", &mut self.bearerbox),
            ("smsbox", &mut self.smsbox),
            ("wapbox", &mut self.wapbox),
        ];
        for (name, lines) in boxes {
            let said = lines.so_far();
            let last = said.lines().rev().take(SHOWN).collect::<Vec<_>>();
            let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            eprintln!("--- {name} said last:\n{last}");
        }
    }
}

/// Starts the centre and waits until Kannel has it.
fn fakesmsc(port: u16, bearerbox: &mut Lines, message: Option<&str>) -> (Daemon, Lines) {
    let (output, lines) = Lines::pipe();
    let mut command = Command::new(FAKESMSC);
    command.args(["-H", "127.0.0.1", "-r", &port.to_string(), "-v", "0"]);
    // With no message to send it only receives; a message has to be named all the same.
    let count = if message.is_some() { "1" } else { "0" };
    command.args(["-m", count, message.unwrap_or("1 2 text x")]);
    let daemon = Daemon::start(&mut command, output);
    bearerbox.wait("fakesmsc's connection", |line| {
        line.contains("Fakesmsc client connected").then_some(())
    });
    (daemon, lines)
}

/// Reads `Got message N: <from to udh %06%05… data %00…>` and the forms without a header.
fn shown(line: &str) -> Option<Shown> {
    let message = line.split_once('<')?.1.rsplit_once('>')?.0;
    let mut words = message.split(' ');
    let (from, to, kind) = (words.next()?, words.next()?, words.next()?);
    let rest: Vec<&str> = words.collect();
    let (udh, body) = match (kind, &rest[..]) {
        ("udh", [udh, "data" | "text", body]) => (unescape(udh), unescape(body)),
        ("data", [body]) => (Vec::new(), unescape(body)),
        // Text stands as it is.
        ("text", words) => (Vec::new(), words.join(" ").into_bytes()),
        _ => return None,
    };
    Some(Shown {
        from: from.to_owned(),
        to: to.to_owned(),
        udh,
        body,
    })
}

fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' && at + 2 < bytes.len() {
            let digits = &text[at + 1..at + 3];
            out.push(u8::from_str_radix(digits, 16).expect("fakesmsc escapes in hexadecimal"));
            at += 3;
        } else {
            out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    out
}

/// Ports that are free now; all are held until the last one is found, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("bound").port())
}
