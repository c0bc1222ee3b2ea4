//! The command line: what commands print, and how they end.

mod accounts;
mod configuration;
mod held;
mod items;
mod mail;
mod outgoing;
mod program;
mod replay;
mod server;
mod sessions;

use program::Place;

#[test]
fn help_tells_commands_and_exit_codes() {
    let place = Place::new();
    let help = place.run(&["--help"]).ends(0).out;
    for word in [
        "serve",
        "demo",
        "account",
        "device",
        "import",
        "export",
        "sessions",
        "push",
        "provision",
        "outbox",
        "decode",
        "handset",
        "config",
        "Exit codes",
        "3  refused, or not found",
    ] {
        assert!(help.contains(word), "{word} is not in {help}");
    }
    for command in [
        &["serve"][..],
        &["demo"],
        &["account", "add"],
        &["device", "show"],
        &["import"],
        &["export"],
        &["sessions", "show"],
        &["push"],
        &["provision"],
        &["outbox", "list"],
        &["decode"],
        &["handset", "sync"],
        &["handset", "replay"],
        &["config"],
    ] {
        let help = place.run(&[command, &["--help"]].concat()).ends(0).out;
        assert!(help.contains("Usage: candybar"), "{command:?}: {help}");
        assert!(help.contains("--database"), "{command:?}: {help}");
    }
    let version = place.run(&["--version"]).ends(0).out;
    assert_eq!(
        version.trim(),
        format!("candybar {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let place = Place::new();
    place.run(&[]).ends(2).says("Usage");
    place.run(&["acount"]).ends(2).says("account");
    place.run(&["account", "add"]).ends(2).says("<NAME>");
    place
        .run(&["export", "alice", "bookmarks"])
        .ends(2)
        .says("there are contacts, calendar");
    place
        .run(&["device", "set", "alice", "IMEI:1"])
        .ends(2)
        .says("--msisdn");
    assert!(
        !place.path("candybar.db").exists(),
        "wrong usage makes no database"
    );
}
