//! Spool folders, with the real daemons of smstools3 and gammu, and a modem that a script plays.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use candybar::sms::{Message, ReceiptState};
use tempfile::TempDir;

use super::world::{World, notification, push};
use crate::support::lines::Lines;
use crate::support::peer::present;
use crate::support::process::Daemon;

/// A modem; ends when it is dropped.
struct Modem {
    child: Child,
    device: PathBuf,
    sent: Lines,
}

impl Modem {
    fn start() -> Self {
        let (output, mut sent) = Lines::pipe();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/modem.py");
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output);
        let child = command.spawn().expect("python3 starts");
        drop(command);
        let device = sent.wait("the modem's device", |line| {
            line.starts_with('/').then(|| PathBuf::from(line.trim()))
        });
        Self {
            child,
            device,
            sent,
        }
    }

    /// User data of the next SMS: header and body together, as the network would get it.
    fn next(&mut self) -> Vec<u8> {
        let pdu = self.sent.wait("an SMS at the modem", |line| {
            let line = line.trim();
            let digits = line.len() > 20 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            digits.then(|| line.to_owned())
        });
        user_data(&pdu)
    }
}

impl Drop for Modem {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Takes a SMS-SUBMIT apart (3GPP TS 23.040, 9.2.2.2), with its service centre's address before it.
fn user_data(pdu: &str) -> Vec<u8> {
    let octets: Vec<u8> = (0..pdu.len() / 2)
        .map(|at| u8::from_str_radix(&pdu[2 * at..2 * at + 2], 16).expect("digits"))
        .collect();
    let submit = &octets[1 + usize::from(octets[0])..];
    assert_eq!(submit[0] & 0x43, 0x41, "SMS-SUBMIT with a user data header");
    let digits = usize::from(submit[2]);
    assert_eq!(digits, 11);
    let number = &submit[4..4 + digits.div_ceil(2)];
    assert_eq!(number, [0x64, 0x07, 0x21, 0x43, 0x65, 0xF7]);
    let rest = &submit[4 + digits.div_ceil(2)..];
    assert_eq!(rest[1] & 0x0C, 0x04, "8-bit data");
    let period = match submit[0] >> 3 & 3 {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    let length = usize::from(rest[2 + period]);
    let data = &rest[3 + period..];
    assert_eq!(data.len(), length);
    data.to_vec()
}

fn folders(root: &Path, names: &[&str]) {
    for name in names {
        fs::create_dir(root.join(name)).expect("a folder");
    }
}

fn gateway(root: &Path, format: &str) -> World {
    World::start(&format!(
        "[[gateway]]\nname = \"spool\"\nkind = \"spool\"\nurl = \"{}\"\nformat = \"{format}\"\n",
        root.display()
    ))
}

/// Sends it, compares what the modem got, and waits for the word that the network has it.
fn carried(world: &World, modem: &mut Modem, message: &Message, receipts: usize) {
    let outcome = world.submit(message);
    assert_eq!(
        (outcome.error, outcome.accepted.len()),
        (None, usize::from(message.parts()))
    );
    // Daemons take files in an order of their own.
    let mut sent: Vec<Vec<u8>> = push(message)
        .segments()
        .iter()
        .map(|_| modem.next())
        .collect();
    let mut meant: Vec<Vec<u8>> = push(message)
        .segments()
        .iter()
        .map(|segment| [&segment.udh[..], &segment.body].concat())
        .collect();
    sent.sort();
    meant.sort();
    assert_eq!(sent, meant);
    for _ in 0..receipts {
        let receipt = world.receipt();
        assert_eq!(receipt.state, ReceiptState::Pending);
        assert_eq!(receipt.reference.expect("named").message, message.reference);
    }
}

fn log(folder: &TempDir, name: &str) -> File {
    File::create(folder.path().join(name)).expect("a log file")
}

#[test]
fn smstools_sends_what_is_put_into_its_spool() {
    if !present("smstools3", &["/usr/sbin/smsd", "/usr/bin/python3"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    folders(root, &["outgoing", "checked", "sent", "failed", "incoming"]);
    let mut modem = Modem::start();
    let configuration = root.join("smsd.conf");
    let text = format!(
        "devices = modem\noutgoing = {root}/outgoing\nchecked = {root}/checked\nincoming = {root}/incoming\n\
         sent = {root}/sent\nfailed = {root}/failed\nlogfile = {root}/smsd.log\ninfofile = {root}/smsd.info\n\
         pidfile = {root}/smsd.pid\nloglevel = 7\ndelaytime = 1\nblocktime = 1\n\n\
         [modem]\ndevice = {device}\nincoming = no\ncheck_network = 0\ninit = AT\n",
        root = root.display(),
        device = modem.device.display()
    );
    fs::write(&configuration, text).expect("written");
    let world = gateway(root, "smstools");
    let mut command = Command::new("/usr/sbin/smsd");
    // In the foreground.
    command.arg("-t").arg("-c").arg(&configuration);
    let _daemon = Daemon::start(&mut command, log(&folder, "smsd.out"));
    for parts in [1, 3] {
        carried(
            &world,
            &mut modem,
            &notification(&format!("s-{parts}"), parts),
            usize::from(parts),
        );
    }
    world.stop();
}

#[test]
fn gammu_sends_what_is_put_into_its_spool() {
    if !present("gammu-smsd", &["/usr/bin/gammu-smsd", "/usr/bin/python3"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    folders(root, &["inbox", "outbox", "sent", "error"]);
    let mut modem = Modem::start();
    let configuration = root.join("smsdrc");
    let text = format!(
        "[gammu]\ndevice = {device}\nconnection = at115200\n\n\
         [smsd]\nservice = files\nlogfile = {root}/smsd.log\ndebuglevel = 255\nCommTimeout = 1\nSendTimeout = 30\n\
         CheckSecurity = 0\nCheckNetwork = 0\nReceive = 0\nResetFrequency = 0\nHardResetFrequency = 0\n\
         inboxpath = {root}/inbox/\noutboxpath = {root}/outbox/\nsentsmspath = {root}/sent/\nerrorsmspath = {root}/error/\n\
         inboxformat = detail\noutboxformat = detail\ntransmitformat = auto\n",
        root = root.display(),
        device = modem.device.display()
    );
    fs::write(&configuration, text).expect("written");
    let world = gateway(root, "gammu");
    let mut command = Command::new("/usr/bin/gammu-smsd");
    command.arg("--config").arg(&configuration);
    let _daemon = Daemon::start(&mut command, log(&folder, "smsd.out"));
    for parts in [1, 3] {
        carried(
            &world,
            &mut modem,
            &notification(&format!("g-{parts}"), parts),
            1,
        );
    }
    world.stop();
}

#[test]
fn files_that_failed_are_told_and_others_are_left() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    folders(root, &["outgoing", "sent", "failed"]);
    let world = gateway(root, "smstools");
    let outcome = world.submit(&notification("f-1", 2));
    assert_eq!(outcome.error, None);
    let mut names: Vec<_> = fs::read_dir(root.join("outgoing"))
        .expect("listed")
        .map(|entry| {
            entry
                .expect("listed")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    assert_eq!(names, ["candybar-f-1.0", "candybar-f-1.1"]);
    fs::write(root.join("failed/somebody-else"), "x").expect("written");
    fs::rename(
        root.join("outgoing/candybar-f-1.1"),
        root.join("failed/candybar-f-1.1"),
    )
    .expect("moved");
    let receipt = world.receipt();
    assert_eq!(receipt.state, ReceiptState::Failed);
    assert_eq!(receipt.reference.expect("named").to_string(), "f-1.1");
    assert!(root.join("failed/somebody-else").exists());
    world.stop();
    let errors = std::panic::catch_unwind(|| gateway(&root.join("nowhere"), "smstools"));
    assert!(
        errors.is_err(),
        "a spool that is not there is told at the start"
    );
}
