//! Syncs that the user begins.

use super::emulator::{Home, is_here, output, run_many};
use super::lossy;
use super::{ACCOUNT, card, exported, import, titles};
use crate::support::program::Program;

#[test]
fn a_slow_sync_then_edits_on_both_sides() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    import(
        &server,
        "contacts",
        &card("Hopper", "Grace", "TEL;CELL:+1\r\nX-SHIP:USS Hopper\r\n"),
    );
    let phone = Home::new(1);

    let first = phone.run(
        &server,
        &[],
        &[
            "contact Lovelace;Ada;+4420",
            "contact Kahlo;Frida;+52",
            "event Tea;20261224T160000Z;20261224T170000Z",
            "sync",
            "show contacts",
        ],
    );
    let contacts = first.sync("contacts");
    assert_eq!(
        (&contacts["alert"], &contacts["sent"], &contacts["added"]),
        (&201.into(), &2.into(), &1.into())
    );
    assert_eq!(
        first.titles(),
        ["Ada Lovelace", "Frida Kahlo", "Grace Hopper"]
    );
    assert_eq!(
        titles(&server, "contacts"),
        ["Ada Lovelace", "Frida Kahlo", "Grace Hopper"]
    );
    assert_eq!(titles(&server, "calendar"), ["Tea"]);

    let quiet = phone.run(&server, &[], &["sync"]);
    let contacts = quiet.sync("contacts");
    assert_eq!(
        (&contacts["alert"], &contacts["sent"], &contacts["added"]),
        (&200.into(), &0.into(), &0.into())
    );

    import(
        &server,
        "calendar",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261231T230000Z\r\nDTEND:20261231T235900Z\r\nSUMMARY:Fireworks\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    let edited = phone.run(
        &server,
        &[],
        &[
            "number Grace Hopper;+2",
            "delete contacts Frida Kahlo",
            "summary Tea;High tea",
            "sync",
            "show calendar",
        ],
    );
    assert_eq!(edited.sync("contacts")["sent"], 2);
    assert_eq!(edited.sync("calendar")["added"], 1);
    assert_eq!(edited.titles(), ["Fireworks", "High tea"]);
    assert_eq!(
        titles(&server, "contacts"),
        ["Ada Lovelace", "Grace Hopper"]
    );
    assert_eq!(titles(&server, "calendar"), ["Fireworks", "High tea"]);

    // The phone has no field for X-SHIP: it stays, whoever edits the number.
    let contacts = exported(&server, "contacts");
    let grace = contacts
        .iter()
        .find(|item| item["title"] == "Grace Hopper")
        .expect("her");
    let grace = grace.to_string();
    assert!(
        grace.contains("+2") && grace.contains("USS Hopper"),
        "{grace}"
    );

    let sessions = server.command(&["sessions", ACCOUNT.0, "--json"]);
    let sessions: serde_json::Value = serde_json::from_str(&sessions).expect("JSON");
    assert_eq!(sessions.as_array().map(Vec::len), Some(3), "{sessions}");
}

#[test]
fn large_objects_go_both_ways_in_small_messages() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    let note = "0123456789".repeat(3_000);
    import(
        &server,
        "contacts",
        &card("Hopper", "Grace", &format!("NOTE:{note}\r\n")),
    );
    let events = Home::new(1).run(
        &server,
        &["MaxMsgSize=2000"],
        &[
            "contact Lovelace;Ada;+4420",
            "note Ada Lovelace;20000",
            "sync",
            "show contacts",
        ],
    );
    assert!(events.body("Grace Hopper").contains(&note));
    let contacts = exported(&server, "contacts");
    let ada = contacts
        .iter()
        .find(|item| item["title"] == "Ada Lovelace")
        .expect("her");
    let body = ada["body"].as_str().expect("a body");
    let start = body.find("NOTE:").expect("a note") + 5;
    let sent: String = (0..20_000_u32)
        .map(|at| char::from(b'a' + (at % 26) as u8))
        .collect();
    assert_eq!(body[start..].lines().next(), Some(&*sent));
}

#[test]
fn a_wrong_password_is_told_and_is_no_success() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    let ended = Home::new(1).try_run(&server, &["Password=guessed"], &["sync"]);
    assert!(!ended.success(), "{}", ended.text);
    assert!(ended.text.contains(r#""event":"failed""#), "{}", ended.text);
    assert!(ended.text.contains(r#""status":401"#), "{}", ended.text);
}

#[test]
fn a_phone_that_was_reset_refreshes_from_the_server() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    import(&server, "contacts", &card("Hopper", "Grace", "TEL:+1\r\n"));
    let phone = Home::new(1);
    phone.run(&server, &[], &["sync"]);
    let events = phone.run(
        &server,
        &[],
        &["contact Nobody;;+9", "refresh contacts", "show contacts"],
    );
    assert_eq!(events.sync("contacts")["alert"], 205);
    assert_eq!(events.titles(), ["Grace Hopper"]);
    assert_eq!(titles(&server, "contacts"), ["Grace Hopper"]);
}

#[test]
fn what_is_built_for_phones_synchronises_as_well() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    import(&server, "contacts", &card("Hopper", "Grace", "TEL:+1\r\n"));
    let jad = output().join("phone/candybar.jad");
    let jad = jad.to_str().expect("a path");
    let events = Home::new(1).run(
        &server,
        &["--jad", jad],
        &["contact Lovelace;Ada;+4420", "sync", "show contacts"],
    );
    assert_eq!(events.titles(), ["Ada Lovelace", "Grace Hopper"]);
    assert_eq!(
        titles(&server, "contacts"),
        ["Ada Lovelace", "Grace Hopper"]
    );
}

#[test]
fn five_phones_at_once_on_one_account() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    let homes = tempfile::tempdir().expect("a folder");
    let first = run_many(
        &server,
        5,
        homes.path(),
        &["contact Phone;Number {n};+{n}", "sync"],
    );
    assert!(first.success(), "{}", first.text);
    let all = [
        "Number 1 Phone",
        "Number 2 Phone",
        "Number 3 Phone",
        "Number 4 Phone",
        "Number 5 Phone",
    ];
    assert_eq!(titles(&server, "contacts"), all);
    let second = run_many(
        &server,
        5,
        homes.path(),
        &[
            "number Number {n} Phone;+10{n}",
            "sync",
            "sync",
            "show contacts",
        ],
    );
    assert!(second.success(), "{}", second.text);
    for phone in 1..=5 {
        let shown = format!(r#"{phone}: {{"event":"shown","datastore":"contacts","items":5}}"#);
        assert!(second.text.contains(&shown), "{}", second.text);
    }
    let contacts = exported(&server, "contacts");
    for item in &contacts {
        let title = item["title"].as_str().expect("a title");
        let digit = title.chars().find(char::is_ascii_digit).expect("a digit");
        let body = item["body"].as_str().expect("a body");
        assert!(body.contains(&format!(":+10{digit}")), "{body}");
    }
    assert_eq!(contacts.len(), 5);
}

#[test]
fn a_phone_that_is_switched_off_in_the_middle_has_everything_once() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    let cards: String = (10..60)
        .map(|number| card("Card", &number.to_string(), "TEL:+1\r\n"))
        .collect();
    import(&server, "contacts", &cards);
    let phone = Home::new(1);
    // While it waits for an answer it does not write: the emulator's files do not survive that.
    let (link, waits) = lossy::silent_after(server.address(), 5);
    let url = format!("URL=http://{link}/sync");
    let mut cut = phone.start(
        &server,
        &[&url, "MaxMsgSize=1500"],
        &["contact Lovelace;Ada;+4420", "sync contacts"],
    );
    let step = |phone: &mut super::emulator::Emulated| phone.until("step")["what"].clone();
    while step(&mut cut) != "receiving" {}
    waits.recv().expect("the phone waits");
    drop(cut);

    let events = phone.run(
        &server,
        &["MaxMsgSize=1500"],
        &["sync contacts", "show contacts"],
    );
    let mut all: Vec<String> = (10..60).map(|number| format!("{number} Card")).collect();
    all.push("Ada Lovelace".to_owned());
    assert_eq!(events.titles(), all);
    assert_eq!(titles(&server, "contacts"), all);
    let quiet = phone.run(&server, &[], &["sync contacts"]);
    let contacts = quiet.sync("contacts");
    assert_eq!(
        (&contacts["sent"], &contacts["added"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_link_that_loses_every_second_answer_doubles_nothing() {
    if !is_here() {
        return;
    }
    let server = Program::start("", &[ACCOUNT]);
    import(&server, "contacts", &card("Hopper", "Grace", "TEL:+1\r\n"));
    let url = format!("URL=http://{}/sync", lossy::link(server.address()));
    let phone = Home::new(1);
    let events = phone.run(
        &server,
        &[&url, "MaxMsgSize=2000"],
        &[
            "contact Lovelace;Ada;+4420",
            "note Ada Lovelace;5000",
            "sync contacts",
            "number Grace Hopper;+2",
            "sync contacts",
            "show contacts",
        ],
    );
    let steps = events.of("step");
    assert!(steps.iter().any(|step| step["what"] == "sending again"));
    assert_eq!(events.titles(), ["Ada Lovelace", "Grace Hopper"]);
    assert_eq!(
        titles(&server, "contacts"),
        ["Ada Lovelace", "Grace Hopper"]
    );
    let contacts = exported(&server, "contacts");
    assert!(contacts.iter().any(|item| {
        item["body"]
            .as_str()
            .is_some_and(|body| body.contains(":+2"))
    }));
}
