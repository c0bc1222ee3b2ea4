//! `sessions`: a phone syncs with the real server, and the sessions are shown.

use super::program::{Place, text};

/// A server with an account and a phone that synced twice.
fn synced() -> (Place, super::program::Serving) {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    let cards = place.write(
        "cards.vcf",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nX-SHOE-SIZE:44\r\nEND:VCARD\r\n",
    );
    place
        .run(&["import", "alice", "contacts", text(&cards)])
        .ends(0);
    let serving = place.serve(&[]);
    for _ in 0..2 {
        sync(&place, &serving, &[]);
    }
    (place, serving)
}

fn sync(place: &Place, serving: &super::program::Serving, more: &[&str]) {
    let url = format!("http://{}/sync", serving.address);
    let mut args = vec![
        "handset",
        "sync",
        "--url",
        &url,
        "--user",
        "alice",
        "--password",
        "x",
        "--datastore",
        "contacts",
    ];
    args.extend(more);
    place.run(&args).ends(0);
}

#[test]
fn sessions_are_listed_and_shown() {
    let (place, serving) = synced();
    let list = place.run(&["sessions", "alice"]).ends(0).out;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[1].contains("contacts slow: sent 1 added"), "{list}");
    assert!(
        lines[2].contains("contacts two-way: nothing to do"),
        "{list}"
    );
    let newest = place
        .run(&["sessions", "list", "alice", "--last", "1", "--json"])
        .ends(0)
        .json();
    assert_eq!(newest.as_array().map(Vec::len), Some(1));
    assert_eq!(newest[0]["datastores"][0]["mode"], 200);
    let all = place.run(&["sessions", "alice", "--json"]).ends(0).json();
    let id = all[1]["id"].as_str().expect("an id");
    assert!(lines[1].starts_with(id), "{list}");

    let shown = place.run(&["sessions", "show", id]).ends(0).out;
    for words in [
        "of alice with IMEI:",
        "slow sync: the device asks for it",
        "sent as new, item 1, \"Jane Doe\"; the device did not get X-SHOE-SIZE",
        "named by the device, item 1",
        "request at",
        "Cmd: SyncHdr",
        "Data: xxxxxxxx",
        "| FN:Jane Doe",
    ] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
    let items = place.run(&["sessions", "show", id, "--items"]).ends(0).out;
    assert!(
        items.contains("X-SHOE-SIZE") && !items.contains("SyncHdr"),
        "{items}"
    );
    let second = place
        .run(&["sessions", "show", id, "--message", "2"])
        .ends(0)
        .out;
    assert!(
        second.contains("message 2, reply") && !second.contains("message 1,"),
        "{second}"
    );
    let json = place
        .run(&["sessions", "show", id, "--json"])
        .ends(0)
        .json();
    let events = json["events"].as_array().expect("events");
    let sent = events.iter().find(|event| event["what"] == "sent-add");
    assert_eq!(sent.expect("it was sent")["dropped"][0], "X-SHOE-SIZE");
    let exchanges = json["exchanges"].as_array().expect("messages");
    assert_eq!(exchanges.len(), 3);
    assert_eq!(exchanges[0]["reply"]["root"]["name"], "SyncML");

    let folder = place.path("saved");
    place
        .run(&["sessions", "show", id, "--save", text(&folder)])
        .ends(0);
    let saved = folder.join("002-1-request.wbxml");
    let decoded = place.run(&["decode", text(&saved)]).ends(0).out;
    assert!(decoded.contains("NumberOfChanges"), "{decoded}");
    drop(serving);
}

#[test]
fn a_password_is_in_no_recording() {
    let (place, serving) = synced();
    sync(
        &place,
        &serving,
        &[
            "--auth",
            "basic",
            "--carrier",
            "xml",
            "--state",
            "other.json",
        ],
    );
    drop(serving);
    // alice:x in base64, as basic credentials are sent.
    let secret = b"YWxpY2U6eA==";
    for file in ["candybar.db", "candybar.db-wal"] {
        let octets = std::fs::read(place.path(file)).unwrap_or_default();
        assert!(memchr::memmem::find(&octets, secret).is_none(), "{file}");
    }
    let shown = place.run(&["sessions", "show", "1-3"]).ends(0).out;
    assert!(shown.contains("syncml:auth-basic") && shown.contains("Data: xxxxxxxxxxxx"));
}

#[test]
fn wrong_requests_say_what_is_right() {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    for (args, code, words) in [
        (&["sessions"][..], 2, "Name an account"),
        (&["sessions", "bob"], 3, "there is no account bob"),
        (&["sessions", "show", "1"], 2, "such as 1-42"),
        (&["sessions", "show", "1-9"], 3, "no recorded session 1-9"),
        (&["sessions", "show", "7-1"], 3, "no recorded session 7-1"),
        (
            &["sessions", "alice"],
            0,
            "there are no such sessions of alice",
        ),
    ] {
        place.run(args).ends(code).says(words);
    }
}
