//! `serve`, `demo`, and the virtual phone against a server in another process.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::program::{Place, run, signal};

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nN:Lovelace;Ada;;;\r\nFN:Ada Lovelace\r\nTEL;TYPE=CELL:+442071234567\r\nEND:VCARD\r\n";

#[test]
fn a_server_answers_and_ends_when_it_is_told_to() {
    let place = Place::new();
    for signal in ["TERM", "INT"] {
        let server = place.serve(&[]);
        let ready = server.request("GET /readyz HTTP/1.1\r\nHost: x", b"");
        assert!(
            ready.starts_with("HTTP/1.1 200") && ready.ends_with("ready\n"),
            "{ready}"
        );
        let wrong =
            "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Type: text/html\r\nContent-Length: 2";
        let answer = server.request(wrong, b"hi");
        assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
        let broken = "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.syncml+wbxml\r\nContent-Length: 3";
        let answer = server.request(broken, b"\x02\x9f\x53");
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let line = answer.lines().last().expect("a line of text");
        assert!(line.contains("cannot be read"), "{answer}");
        let metrics = server.request("GET /metrics HTTP/1.1\r\nHost: x", b"");
        assert!(
            metrics.contains("candybar_responses_total{code=\"415\"} 1"),
            "{metrics}"
        );
        assert_eq!(server.stop(signal), Some(0));
    }
}

#[test]
fn a_taken_port_is_explained() {
    let place = Place::new();
    let server = place.serve(&[]);
    place
        .run(&["serve", "--listen", &server.address])
        .ends(1)
        .says("cannot listen on")
        .says("--listen HOST:PORT");
    place
        .run(&["serve", "--listen", "8080"])
        .ends(2)
        .says("it is host:port");
}

#[test]
fn a_phone_in_another_process_synchronises() {
    let place = Place::new();
    place.write("ada.vcf", CARD);
    let server = place.serve(&[]);
    // The command line works on the database of the running server.
    place
        .run(&["account", "add", "alice", "--password", "s3cret"])
        .ends(0);
    place
        .run(&["import", "alice", "contacts", "ada.vcf"])
        .ends(0);
    let url = format!("http://{}/sync", server.address);
    let sync = |password: &str| {
        place.run(&[
            "handset",
            "sync",
            "--url",
            &url,
            "--user",
            "alice",
            "--password",
            password,
            "--device",
            "IMEI:490154203237518",
            "--json",
        ])
    };
    let refused = sync("wrong");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let report = sync("s3cret").ends(0).json();
    let contacts = &report["datastores"][0];
    assert_eq!(contacts["received"]["adds"], 1, "{report}");

    place.write("moved.vcf", CARD.replace("+442071234567", "+442079460018"));
    place
        .run(&["import", "alice", "contacts", "moved.vcf"])
        .ends(0);
    let report = sync("s3cret").ends(0).json();
    let received = &report["datastores"][0]["received"];
    assert_eq!(received["replaces"], 1, "{report}");
    assert_eq!(received["adds"], 0, "{report}");
    let phone = place.run(&["handset", "show"]).ends(0).out;
    assert!(
        phone.contains("Ada") || phone.contains("Lovelace"),
        "{phone}"
    );

    let device = place
        .run(&["device", "show", "alice", "IMEI:490154203237518", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        device["datastores"]["contacts"]["synchronised"], true,
        "{device}"
    );
    assert!(
        device["anchors"]["contacts"]["client"].is_string(),
        "{device}"
    );
    assert_ne!(device["last_seen"], 0);
    let shown = place
        .run(&["device", "show", "alice", "IMEI:490154203237518"])
        .ends(0)
        .out;
    assert!(shown.contains("synchronised 2 times"), "{shown}");
    let metrics = server.request("GET /metrics HTTP/1.1\r\nHost: x", b"");
    assert!(
        metrics.contains("candybar_sessions_total{outcome=\"completed\"} 2"),
        "{metrics}"
    );
    assert!(
        metrics.contains("candybar_items_total{direction=\"sent\"} 2"),
        "{metrics}"
    );
    assert_eq!(server.stop("TERM"), Some(0));
}

#[test]
fn the_log_is_json_if_that_is_wanted() {
    let place = Place::new();
    let server = place.serve(&["--log-format", "json"]);
    assert_eq!(server.stop("TERM"), Some(0));
    let log = std::fs::read_to_string(place.path("serve.log")).expect("a log");
    let messages: Vec<String> = log
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect(line);
            line["message"].as_str().expect("a message").to_owned()
        })
        .collect();
    assert_eq!(messages.first().map(String::as_str), Some("started"));
    assert_eq!(messages.last().map(String::as_str), Some("stopped"));
}

#[test]
fn the_demonstration_tells_its_story_and_leaves_nothing_behind() {
    let place = Place::new();
    std::fs::create_dir(place.path("temporary")).expect("a folder");
    let mut command = place.command(&["demo", "--once"]);
    command.env("TMPDIR", place.path("temporary"));
    let told = run(&mut command).ends(0);
    assert_eq!(told.err, "");
    for words in [
        "1. An account",
        "3 in contacts, 2 in calendar, 1 in tasks, 1 in notes",
        "Contacts: 2 sent, 3 received (slow)",
        "Ada Lovelace, Alan Turing, Grace Hopper, Konrad Zuse",
        "SMS 1 of 1",
        "UDH 0605040B8423F0",
        "asks for a two-way sync of contacts. The digest is right",
        "The phone shows +442079460018.",
        "is answered by this sync",
        "The server has +12025550199, and still her nickname, Amazing Grace",
        "Package #0 wakes the phone for its mail",
        "Subject: Tea",
        "ada@example.org has it: from demo@example.org, \"Re: Tea\"",
        "from the outbox to what was sent",
    ] {
        assert!(
            told.out.contains(words),
            "{words:?} is not in:\n{}",
            told.out
        );
    }
    let left = std::fs::read_dir(place.path("temporary"))
        .expect("listed")
        .count();
    assert_eq!(left, 0);
    assert!(!place.path("candybar.db").exists());
}

#[test]
fn the_demonstration_serves_on_until_it_is_told_to_end() {
    let place = Place::new();
    std::fs::create_dir(place.path("temporary")).expect("a folder");
    let mut child = place
        .command(&["demo"])
        .env("TMPDIR", place.path("temporary"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let told: Vec<String> = BufReader::new(child.stdout.take().expect("piped"))
        .lines()
        .map(|line| line.expect("a line"))
        .take_while(|line| !line.contains("--sync slow candybar"))
        .collect();
    let setting = |name: &str| {
        let line = told
            .iter()
            .rev()
            .find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {told:#?}"))
            .trim()
            .to_owned()
    };
    let (url, password) = (setting("server address"), setting("password"));
    let synced = place.run(&[
        "handset",
        "sync",
        "--url",
        &url,
        "--user",
        "demo",
        "--password",
        &password,
    ]);
    synced.ends(0);
    let phone = place.run(&["handset", "show"]).ends(0).out;
    assert!(
        phone.contains("Turing"),
        "the other phone's contact is here as well: {phone}"
    );
    signal(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let left = std::fs::read_dir(place.path("temporary"))
        .expect("listed")
        .count();
    assert_eq!(left, 0);
}

/// `account message`: the phone of the command line prints what it is to show, once.
#[test]
fn a_text_for_the_user_is_shown_once() {
    let server = crate::support::program::Program::start("", &[("tester", "sync-it-7")]);
    let url = server.url();
    let sync = |carrier: &str| {
        server.command(&[
            "handset",
            "sync",
            "--state",
            "phone.json",
            "--url",
            &url,
            "--user",
            "tester",
            "--password",
            "sync-it-7",
            "--device",
            "IMEI:1",
            "--carrier",
            carrier,
        ])
    };
    sync("wbxml");
    for carrier in ["wbxml", "xml"] {
        let queued = server.command(&["account", "message", "tester", "The server moves tonight"]);
        assert!(queued.contains("1 device shows it"), "{queued}");
        let shown = sync(carrier);
        assert!(
            shown.contains("the server shows: The server moves tonight"),
            "{shown}"
        );
        let again = sync(carrier);
        assert!(!again.contains("the server shows"), "{again}");
    }
    let refused = server.command(&["sessions", "tester", "--refused", "--json"]);
    let refused: serde_json::Value = serde_json::from_str(&refused).expect("JSON");
    assert!(refused.is_array(), "{refused}");
}
