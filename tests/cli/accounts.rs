//! `account` and `device`.

use serde_json::json;

use super::program::{Place, text};

#[test]
fn accounts_come_and_go() {
    let place = Place::new();
    place
        .run(&["account", "list"])
        .ends(0)
        .says("no accounts yet");
    let made = place.run(&["account", "add", "alice"]).ends(0).out;
    let password = made
        .lines()
        .find_map(|line| line.trim().strip_prefix("password"))
        .expect("the password is printed once")
        .trim();
    assert!(password.len() >= 14 && password.is_ascii(), "{password}");
    let bob = place
        .run(&["account", "add", "bob", "--password", "s3cret", "--json"])
        .ends(0);
    assert_eq!(
        bob.json(),
        json!({ "account": "bob" }),
        "a given password is not repeated"
    );
    let list = place.run(&["account", "list", "--json"]).ends(0).json();
    assert_eq!(list[0]["account"], "alice");
    assert_eq!(list[1]["account"], "bob");
    assert_eq!(list[0]["items"]["contacts"], 0);
    assert!(
        place
            .run(&["account", "list"])
            .ends(0)
            .out
            .contains("alice")
    );

    place
        .run(&["account", "add", "alice"])
        .ends(3)
        .says("there is an account alice already");
    place
        .run(&["account", "passwd", "carol"])
        .ends(3)
        .says("there is no account carol");
    place
        .run(&["account", "add", "a b"])
        .ends(2)
        .says("no blanks");
    place
        .run(&["account", "add", "a:b"])
        .ends(2)
        .says("no colon");
    place
        .run(&["account", "add", "dave", "--password", ""])
        .ends(2)
        .says("the password is empty");

    let removed = place
        .run(&["account", "remove", "bob", "--json"])
        .ends(0)
        .json();
    assert_eq!(removed, json!({ "removed": "bob" }));
    place.run(&["account", "remove", "bob"]).ends(3);
    let list = place.run(&["account", "list", "--json"]).ends(0).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

/// The account's password, as a notification to its device would need it.
fn password(place: &Place) -> String {
    let shown = place
        .run(&["device", "show", "alice", "IMEI:1", "--json"])
        .ends(0)
        .json();
    shown["notification"]["password"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[test]
fn passwords_come_from_files_and_standard_input() {
    let place = Place::new();
    let file = place.write("password", "from a file\nsecond line\n");
    place
        .run(&["account", "add", "alice", "--password-file", text(&file)])
        .ends(0);
    place.run(&["device", "add", "alice", "IMEI:1"]).ends(0);
    assert_eq!(password(&place), "from a file");
    let changed = place
        .run_with(
            &["account", "passwd", "alice", "--password-file", "-"],
            b"from input\n",
        )
        .ends(0);
    assert!(!changed.out.contains("from input"), "{changed:?}");
    assert_eq!(password(&place), "from input");
    let made = place
        .run(&["account", "passwd", "alice", "--json"])
        .ends(0)
        .json();
    assert_eq!(made["password"], password(&place));
    place
        .run(&["account", "passwd", "alice", "--password-file", "absent"])
        .ends(1)
        .says("absent cannot be read");
    place
        .run(&[
            "account",
            "passwd",
            "alice",
            "--password",
            "a",
            "--password-file",
            "b",
        ])
        .ends(2);
}

#[test]
fn devices_are_added_changed_and_forgotten() {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    place
        .run(&["device", "list", "alice"])
        .ends(0)
        .says("no devices yet");
    place
        .run(&[
            "device",
            "add",
            "alice",
            "IMEI:1",
            "--msisdn",
            "+46 70-123 45 67",
        ])
        .ends(0);
    place
        .run(&["device", "add", "alice", "IMEI:1"])
        .ends(3)
        .says("already");
    place
        .run(&["device", "add", "alice", "IMEI:2", "--msisdn", "0701234567"])
        .ends(2)
        .says("+ and the country code");
    place
        .run(&["device", "add", "alice", "IMEI 3"])
        .ends(2)
        .says("no blanks");

    let list = place
        .run(&["device", "list", "alice", "--json"])
        .ends(0)
        .json();
    assert_eq!(list[0]["device"], "IMEI:1");
    assert_eq!(list[0]["msisdn"], "+46701234567");
    assert_eq!(list[0]["last_seen"], 0);
    assert!(
        place
            .run(&["device", "list", "alice"])
            .ends(0)
            .out
            .contains("never")
    );

    place
        .run(&[
            "device",
            "set",
            "alice",
            "IMEI:1",
            "--msisdn",
            "+4915112345",
            "--profile",
            "nokia-s40",
        ])
        .ends(0);
    place
        .run(&["device", "set", "alice", "IMEI:9", "--profile", "nokia-s40"])
        .ends(3)
        .says("has no device");
    let shown = place
        .run(&["device", "show", "alice", "IMEI:1", "--json"])
        .ends(0)
        .json();
    assert_eq!(shown["msisdn"], "+4915112345");
    assert_eq!(shown["profile"], "nokia-s40");
    assert_eq!(shown["notification"]["server_id"], "candybar");
    assert_eq!(shown["notification"]["password"], "x");
    assert!(shown["notification"]["nonce"].is_string());
    for key in ["rules", "datastores", "anchors"] {
        assert!(shown.get(key).is_some(), "{key} is missing in {shown}");
    }
    place
        .run(&["device", "set", "alice", "IMEI:1", "--msisdn", ""])
        .ends(0);
    let shown = place
        .run(&["device", "show", "alice", "IMEI:1", "--json"])
        .ends(0)
        .json();
    assert!(shown["msisdn"].is_null());
    assert!(
        place
            .run(&["device", "show", "alice", "IMEI:1"])
            .ends(0)
            .out
            .contains("s40")
    );

    place.run(&["device", "forget", "alice", "IMEI:1"]).ends(0);
    place.run(&["device", "show", "alice", "IMEI:1"]).ends(3);
    place
        .run(&["device", "list", "nobody"])
        .ends(3)
        .says("candybar account add nobody");
}

#[test]
fn damaged_surroundings_are_explained() {
    let place = Place::new();
    place.run(&["account", "add", "alice"]).ends(0);
    place
        .run(&["account", "list", "--database", "sqlite:absent/x.db"])
        .ends(1)
        .says("sqlite:absent/x.db");
    place.write("text.db", "this is no database, whatever its name says");
    place
        .run(&["account", "list", "--database", "sqlite:text.db"])
        .ends(1)
        .says("not a database");
    let key = place.path("candybar.key");
    std::fs::rename(&key, place.path("elsewhere")).expect("renamed");
    place.run(&["account", "list"]).ends(1).says("key file");
    place
        .run(&["account", "list", "--key-file", "elsewhere"])
        .ends(0);
    let mut octets = std::fs::read(place.path("elsewhere")).expect("read");
    octets[0] ^= 1;
    std::fs::write(place.path("elsewhere"), octets).expect("written");
    place
        .run(&["account", "list", "--key-file", "elsewhere"])
        .ends(1)
        .says("key file");
}
