//! The nonce of notifications: the server signs with what the phone gave it in the session before, and the phone follows
//! nothing else (OMA DS 1.2, server alerted notification).

use std::net::UdpSocket;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::{ACCOUNT, LIMIT, World, until};
use crate::support::process::Daemon;

const DEVICE: &str = "IMEI:4";

/// A gateway that is read and handed on here, so that a notification can come twice.
struct Air(UdpSocket);

impl Air {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(LIMIT)).expect("set");
        Self(socket)
    }

    fn configuration(&self) -> String {
        let address = self.0.local_addr().expect("bound");
        format!("[[gateway]]\nname = \"air\"\nkind = \"loopback\"\nurl = \"{address}\"\n")
    }

    fn next(&self) -> Vec<u8> {
        let mut datagram = vec![0; 65_536];
        let (length, _) = self.0.recv_from(&mut datagram).expect("a notification");
        datagram.truncate(length);
        datagram
    }
}

/// Flags of a phone whose memory is in the server's folder.
fn flags(world: &World) -> Vec<String> {
    let state = world.server.file("phone.json");
    let flags = [
        "--url",
        &world.server.url(),
        "--user",
        ACCOUNT.0,
        "--password",
        ACCOUNT.1,
        "--server-password",
        ACCOUNT.1,
        "--device",
        DEVICE,
        "--datastore",
        "contacts",
        "--state",
        state.to_str().expect("a path"),
    ];
    flags.map(str::to_owned).into()
}

/// A phone that listens; its address and its lines.
fn listen(world: &World) -> (Daemon, String, Receiver<String>) {
    let log = std::fs::File::create(world.server.file("phone.log")).expect("a log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_candybar"));
    command.args(["handset", "listen", "--listen", "127.0.0.1:0"]);
    command.args(flags(world));
    let (sender, lines) = channel();
    let (daemon, address) = Daemon::start_until(&mut command, log, LIMIT, move |line| {
        let address = line.strip_prefix("listening on udp://").map(str::to_owned);
        if address.is_none() {
            sender.send(line.to_owned()).ok();
        }
        address
    });
    (daemon, address, lines)
}

/// Waits for a line with this text; lines before it are dropped.
#[track_caller]
fn line(lines: &Receiver<String>, part: &str) -> String {
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(LIMIT) {
        if line.contains(part) {
            return line;
        }
        seen.push(line);
    }
    panic!("no {part:?} in {seen:#?}");
}

fn nonce(world: &World) -> String {
    let shown = world
        .server
        .command(&["device", "show", ACCOUNT.0, DEVICE, "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let nonce = &shown["notification"]["nonce"];
    nonce.as_str().expect("base64").to_owned()
}

#[test]
fn notifications_are_signed_with_the_nonce_that_the_phone_gave_last() {
    let air = Air::new();
    let world = World::new(&format!(
        "[push]\ncoalesce_seconds = 0\n{}",
        air.configuration()
    ));
    let flags = flags(&world);
    let mut first = vec!["handset", "sync"];
    first.extend(flags.iter().map(String::as_str));
    world.server.command(&first);
    let given = nonce(&world);
    assert_eq!(given.len(), 24, "16 octets in base64: {given:?}");
    world.server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        DEVICE,
        "--msisdn",
        "+46700000004",
    ]);
    let (_phone, address, lines) = listen(&world);

    world.server.command(&["push", ACCOUNT.0]);
    let notification = air.next();
    air.0.send_to(&notification, &address).expect("sent");
    line(&lines, "its digest is right");
    world.reaches("synced");
    let next = until("another nonce", || {
        Some(nonce(&world)).filter(|next| *next != given)
    });

    // Who recorded the notification cannot wake the phone with it again.
    air.0.send_to(&notification, &address).expect("sent");
    line(&lines, "its digest is wrong");

    world.server.command(&["push", ACCOUNT.0]);
    let notification = air.next();
    air.0.send_to(&notification, &address).expect("sent");
    line(&lines, "its digest is right");
    until("a third nonce", || (nonce(&world) != next).then_some(()));
}
