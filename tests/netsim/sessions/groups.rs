//! Atomic, Sequence, Copy, Move, soft deletion and Archive.

use candybar::syncml::ChangeKind::{Add, Copy, Delete, Move, Replace};
use candybar::syncml::{Command, GroupKind, Location};

use super::super::world::card;
use super::Server;
use super::raw::{Talk, change, group};

fn put(number: u32, name: &str) -> Command<'static> {
    Command::Change(change(
        number,
        Add,
        name,
        Some(&card(name, &number.to_string())),
    ))
}

fn broken(number: u32) -> Command<'static> {
    Command::Change(change(number, Add, "broken", Some(b"this is no vCard")))
}

fn delete(number: u32, luid: &str) -> Command<'static> {
    Command::Change(change(number, Delete, luid, None))
}

fn names(server: &Server) -> Vec<String> {
    server.held().into_iter().map(|(name, _)| name).collect()
}

fn codes(expected: &[(&str, u16)]) -> Vec<(String, u16)> {
    expected
        .iter()
        .map(|(name, code)| ((*name).to_owned(), *code))
        .collect()
}

/// A server with One and Two of the device, and a two-way session in which package 3 is due.
fn begun(server: &Server) -> Talk<'_> {
    let mut first = Talk::begin(server, "1", 201);
    first.sync(vec![put(2, "One"), put(3, "Two")]);
    first.end();
    Talk::begin(server, "2", 200)
}

#[test]
fn an_atomic_that_goes_well_is_done() {
    let server = Server::new();
    let mut talk = begun(&server);
    let atomic = group(
        2,
        GroupKind::Atomic,
        vec![put(3, "Three"), delete(4, "One")],
    );
    let answered = talk.sync(vec![atomic, put(5, "Four")]);
    assert_eq!(
        answered,
        codes(&[("Atomic", 200), ("Add", 201), ("Delete", 200), ("Add", 201)])
    );
    assert_eq!(names(&server), ["Four", "Three", "Two"]);
}

#[test]
fn an_atomic_that_fails_changes_nothing() {
    let server = Server::new();
    let mut talk = begun(&server);
    let sequence = group(
        3,
        GroupKind::Sequence,
        vec![put(4, "Three"), delete(5, "One")],
    );
    let members = vec![sequence, broken(6), delete(7, "Two")];
    let atomic = group(2, GroupKind::Atomic, members);
    let answered = talk.sync(vec![atomic, put(8, "Four")]);
    assert_eq!(
        answered,
        codes(&[
            ("Sequence", 200),
            ("Atomic", 507),
            ("Add", 216),
            ("Delete", 216),
            ("Add", 415),
            ("Delete", 215),
            ("Add", 201)
        ])
    );
    assert_eq!(names(&server), ["Four", "One", "Two"]);
    // The session goes on as if nothing had been, and so does the next.
    talk.end();
    let mut next = Talk::begin(&server, "3", 200);
    let answered = next.sync(vec![put(2, "Three"), delete(3, "One")]);
    assert_eq!(answered, codes(&[("Add", 201), ("Delete", 200)]));
    assert_eq!(names(&server), ["Four", "Three", "Two"]);
}

#[test]
fn an_atomic_with_what_cannot_be_in_one_is_refused_whole() {
    let server = Server::new();
    let mut talk = begun(&server);
    let inner = group(4, GroupKind::Atomic, vec![put(5, "Four")]);
    let atomic = group(2, GroupKind::Atomic, vec![put(3, "Three"), inner]);
    let answered = talk.sync(vec![atomic]);
    assert_eq!(
        answered,
        codes(&[("Atomic", 500), ("Add", 500), ("Atomic", 507), ("Add", 215)])
    );
    assert_eq!(names(&server), ["One", "Two"]);
}

#[test]
fn nested_sequences_are_done_in_their_order() {
    let server = Server::new();
    let mut talk = begun(&server);
    let again = Command::Change(change(6, Replace, "Three", Some(&card("Three", "33"))));
    let inner = group(4, GroupKind::Sequence, vec![delete(5, "Three"), again]);
    let outer = group(
        2,
        GroupKind::Sequence,
        vec![put(3, "Three"), inner, delete(7, "One")],
    );
    let answered = talk.sync(vec![outer]);
    assert_eq!(
        answered,
        codes(&[
            ("Sequence", 200),
            ("Sequence", 200),
            ("Add", 201),
            ("Delete", 200),
            ("Replace", 201),
            ("Delete", 200)
        ])
    );
    assert_eq!(
        server.held(),
        [("Three", "33"), ("Two", "3")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
}

#[test]
fn a_copy_is_an_item_of_its_own() {
    let server = Server::new();
    let mut talk = begun(&server);
    let copy = |number, from: &'static str, to: &'static str| {
        let mut copy = change(number, Copy, from, None);
        copy.items[0].target = Some(Location::new(to));
        Command::Change(copy)
    };
    let with_body = Command::Change(change(5, Copy, "Three", Some(&card("Three", "3"))));
    let answered = talk.sync(vec![
        copy(2, "One", "OneAgain"),
        copy(3, "Nobody", "Other"),
        copy(4, "Two", "One"),
        with_body,
    ]);
    assert_eq!(
        answered,
        codes(&[("Copy", 201), ("Copy", 404), ("Copy", 418), ("Copy", 201)])
    );
    assert_eq!(names(&server), ["One", "One", "Three", "Two"]);
    // The two are not one: the device deletes the copy.
    talk.end();
    let mut next = Talk::begin(&server, "3", 200);
    assert_eq!(
        next.sync(vec![delete(2, "OneAgain")]),
        codes(&[("Delete", 200)])
    );
    assert_eq!(names(&server), ["One", "Three", "Two"]);
}

#[test]
fn a_move_without_folders_is_refused() {
    let server = Server::new();
    let mut talk = begun(&server);
    let answered = talk.sync(vec![Command::Change(change(2, Move, "One", None))]);
    assert_eq!(answered, codes(&[("Move", 406)]));
    assert_eq!(names(&server), ["One", "Two"]);
}

#[test]
fn what_is_soft_deleted_or_archived_is_not_lost() {
    let server = Server::new();
    let mut talk = begun(&server);
    let mut soft = change(2, Delete, "One", None);
    soft.soft = true;
    let mut archived = change(3, Delete, "Two", None);
    archived.archive = true;
    let answered = talk.sync(vec![Command::Change(soft), Command::Change(archived)]);
    assert_eq!(answered, codes(&[("Delete", 200), ("Delete", 200)]));
    talk.end();
    assert_eq!(names(&server), ["One"], "the device only made room");
    // It is not sent back.
    let mut next = Talk::begin(&server, "3", 200);
    let answer = next.send(vec![Talk::element(Vec::new())], true);
    let syncs = answer.body.iter().filter_map(|command| match command {
        Command::Sync(sync) => Some(sync.commands.len()),
        _ => None,
    });
    assert_eq!(syncs.sum::<usize>(), 0);
}
