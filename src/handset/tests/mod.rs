//! The client against a scripted peer: the package flow of every kind of sync, sessions, behaviours, faults.

mod behaviours;
mod inbox;
mod modes;
mod network;
mod peer;
mod received;
mod sessions;

use std::rc::Rc;

use super::{Behaviour, Memory, Mode, Phone, Post, Report, Request, Settings, Transport};
use crate::syncml::{Carrier, Command, Message, Version};
use peer::{Peer, Shared};

const NOW: i64 = 1_100_000_000;

fn settings(version: Version, carrier: Carrier) -> Settings {
    Settings {
        version,
        carrier,
        ask_devinf: false,
        ..Settings::new("http://phone.test/sync", "Bruce2", "OhBehave")
    }
}

fn usual() -> Settings {
    settings(Version::V12, Carrier::Wbxml)
}

fn phone(
    settings: &Settings,
    behaviour: Behaviour,
    peer: &Shared,
) -> Phone<impl Transport + use<>> {
    let peer = Rc::clone(peer);
    let transport = move |post: &Post<'_>| peer.borrow_mut().exchange(post);
    Phone::new(
        settings.clone(),
        behaviour,
        Memory::new("IMEI:490154203237518"),
        transport,
    )
}

/// A phone and a peer with usual settings.
fn pair(behaviour: Behaviour) -> (Phone<impl Transport + use<>>, Shared) {
    let peer = Peer::shared(&usual());
    (phone(&usual(), behaviour, &peer), peer)
}

fn request(mode: Mode) -> Request {
    Request::new(&["notes"], mode, NOW)
}

/// Syncs and forgets what was recorded before. No complaint is tolerated.
fn sync<T: Transport>(phone: &mut Phone<T>, peer: &Shared, mode: Mode) -> Report {
    peer.borrow_mut().requests.clear();
    peer.borrow_mut().answers.clear();
    let report = phone
        .sync(&request(mode))
        .expect("a session that ends well");
    assert_eq!(report.complaints, Vec::<String>::new());
    report
}

fn bodies<T: Transport>(phone: &Phone<T>) -> Vec<String> {
    let items = phone.items("notes").into_values();
    let mut bodies: Vec<_> = items
        .map(|item| String::from_utf8(item.body.0).expect("text"))
        .collect();
    bodies.sort();
    bodies
}

/// What the client sent, a line for each message: commands without Statuses, item commands in brackets.
fn flow(peer: &Shared) -> Vec<String> {
    peer.borrow().requests.iter().map(line).collect()
}

fn line(message: &Message<'_>) -> String {
    let mut words = Vec::new();
    for command in &message.body {
        match command {
            Command::Status(_) => {}
            Command::Alert(alert) => words.push(format!("Alert:{}", alert.code.unwrap_or(0))),
            Command::Sync(sync) => {
                let names: Vec<_> = sync.commands.iter().map(Command::name).collect();
                words.push(format!("Sync[{}]", names.join(" ")));
            }
            Command::Map(map) => words.push(format!("Map:{}", map.items.len())),
            other => words.push(other.name().to_owned()),
        }
    }
    if message.last {
        words.push("Final".into());
    }
    words.join(" ")
}

/// Statuses of a message: command and code.
fn statuses(message: &Message<'_>) -> Vec<(String, u16)> {
    let status = |command: &Command<'_>| match command {
        Command::Status(status) => Some((status.cmd.to_string(), status.code.0)),
        _ => None,
    };
    message.body.iter().filter_map(status).collect()
}
