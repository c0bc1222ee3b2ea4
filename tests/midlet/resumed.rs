//! Sessions that do not end: suspended by the user, or cut by the network; the next one goes on where they stopped.

use serde_json::Value;

use super::emulator::{Events, Home, is_here};
use super::lossy;
use super::{ACCOUNT, card, exported, import, titles};
use crate::support::program::Program;

/// Small messages, so that there is a middle.
const SMALL: &str = "MaxMsgSize=1500";
const ITEMS: u32 = 50;

/// A server with items, and a phone with as many others; what both have in the end.
fn world() -> (Program, Home, Vec<String>, Vec<String>) {
    let server = Program::start("", &[ACCOUNT]);
    let cards: String = (10..10 + ITEMS)
        .map(|number| card("Server", &number.to_string(), "TEL:+1\r\n"))
        .collect();
    import(&server, "contacts", &cards);
    let typed = (10..10 + ITEMS).map(|number| format!("contact Phone;{number};+2"));
    let names = |of: &'static str| (10..10 + ITEMS).map(move |number| format!("{number} {of}"));
    let mut all: Vec<String> = names("Server").chain(names("Phone")).collect();
    all.sort_unstable();
    (server, Home::new(1), typed.collect(), all)
}

fn words<'a>(typed: &'a [String], then: &[&'a str]) -> Vec<&'a str> {
    let typed = typed.iter().map(String::as_str);
    typed.chain(then.iter().copied()).collect()
}

/// The session went on: nobody compared or sent everything again.
#[track_caller]
fn went_on(server: &Program, events: &Events, all: &[String]) {
    assert_eq!(events.titles(), all);
    assert_eq!(titles(server, "contacts"), all);
    let sync = events.sync("contacts");
    assert_eq!(
        (&sync["resumed"], &sync["alert"]),
        (&true.into(), &201.into())
    );
    assert_eq!(sync["failed"], 0);
}

#[test]
fn a_session_that_is_suspended_goes_on_in_the_next_one() {
    if !is_here() {
        return;
    }
    let (server, phone, typed, all) = world();
    let first = phone.run(&server, &[SMALL], &words(&typed, &["suspend 6 contacts"]));
    assert_eq!(first.of("suspended").len(), 1);
    assert_eq!(first.of("synced").len(), 0);
    let sent = exported(&server, "contacts").len();
    let already = u32::try_from(sent).expect("a number") - ITEMS;
    assert!(
        (1..ITEMS).contains(&already),
        "it stopped in the middle: {already}"
    );

    // Meanwhile the user goes on: one that the server has is edited, one deleted, one is new.
    let second = phone.run(
        &server,
        &[SMALL],
        &[
            "number 10 Phone;+3",
            "delete contacts 11 Phone",
            "contact Phone;99;+2",
            "sync contacts",
            "show contacts",
        ],
    );
    let mut all: Vec<String> = all.into_iter().filter(|name| name != "11 Phone").collect();
    all.push("99 Phone".to_owned());
    all.sort_unstable();
    went_on(&server, &second, &all);
    let sync = second.sync("contacts");
    // What was left, and the three edits.
    assert_eq!(sync["sent"], ITEMS - already + 3);
    let contacts = exported(&server, "contacts");
    let edited = contacts.iter().find(|item| item["title"] == "10 Phone");
    assert!(edited.is_some_and(|item| item.to_string().contains("+3")));

    let quiet = phone.run(&server, &[], &["sync contacts"]);
    let sync = quiet.sync("contacts");
    assert_eq!(
        (&sync["alert"], &sync["resumed"]),
        (&200.into(), &false.into())
    );
    assert_eq!((&sync["sent"], &sync["added"]), (&0.into(), &0.into()));
}

#[test]
fn a_session_that_is_cut_goes_on_in_the_next_one() {
    if !is_here() {
        return;
    }
    let (server, phone, mut typed, all) = world();
    // A link that breaks again and again, while the phone sends and while the server does.
    let mut broken = 0;
    let events = loop {
        let link = lossy::cut_after(server.address(), 7);
        let url = format!("URL=http://{link}/sync");
        let commands = words(&typed, &["sync contacts"]);
        let ended = phone.try_run(&server, &[&url, SMALL], &commands);
        if ended.success() {
            break ended.text;
        }
        assert!(ended.text.contains(r#""event":"failed""#), "{}", ended.text);
        assert!(broken < ITEMS, "it gets no further:\n{}", ended.text);
        broken += 1;
        typed.clear();
    };
    assert!(broken > 1, "it broke {broken} times");
    assert!(events.contains(r#""alert":201,"resumed":true"#), "{events}");
    let shown = phone.run(&server, &[], &["show contacts"]);
    assert_eq!(shown.titles(), all);
    assert_eq!(titles(&server, "contacts"), all);
    // What came in the broken sessions did not come again in the last one.
    let sessions = server.command(&["sessions", ACCOUNT.0, "--json"]);
    let sessions: Vec<Value> = serde_json::from_str(&sessions).expect("JSON");
    let sum = |what: &str| -> u64 {
        let of = |session: &Value| session["datastores"][0][what].as_u64().unwrap_or(0);
        sessions.iter().map(of).sum()
    };
    assert_eq!(sum("received_added"), u64::from(ITEMS), "{sessions:#?}");
    let added = events.split_once(r#""added":"#).expect("a count").1;
    let added: String = added.chars().take_while(char::is_ascii_digit).collect();
    assert!(added.parse::<u32>().expect("a number") < ITEMS, "{events}");
    let quiet = phone.run(&server, &[], &["sync contacts"]);
    let sync = quiet.sync("contacts");
    assert_eq!((&sync["sent"], &sync["added"]), (&0.into(), &0.into()));
}

#[test]
fn a_server_that_knows_nothing_of_the_session_before_is_compared_with() {
    if !is_here() {
        return;
    }
    let (server, phone, typed, all) = world();
    phone.run(&server, &[SMALL], &words(&typed, &["suspend 6 contacts"]));
    server.command(&["device", "forget", ACCOUNT.0, &super::device(1)]);
    let events = phone.run(&server, &[SMALL], &["sync contacts", "show contacts"]);
    let sync = events.sync("contacts");
    assert_eq!(
        (&sync["resumed"], &sync["alert"]),
        (&false.into(), &201.into())
    );
    assert_eq!(sync["sent"], ITEMS, "everything is named again");
    assert_eq!(events.titles(), all);
    assert_eq!(titles(&server, "contacts"), all);
}
