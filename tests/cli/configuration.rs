//! `config`, and where values come from.

use super::program::{Place, run};

#[test]
fn the_effective_values_say_where_they_were_set() {
    let place = Place::new();
    place.write(
        "candybar.toml",
        "listen = \"127.0.0.1:1111\"\nserver_id = \"home\"\n[sync]\nconflict = \"client\"\n",
    );
    let mut command = place.command(&["config", "--json", "--database", "sqlite:other.db"]);
    command.env("CANDYBAR_SERVER_ID", "from-environment");
    let printed = run(&mut command).ends(0).json();
    let values = &printed["values"];
    assert_eq!(values["listen"], "127.0.0.1:1111");
    assert_eq!(values["server_id"], "from-environment");
    assert_eq!(values["sync"]["conflict"], "client");
    assert_eq!(values["database"], "sqlite:other.db");
    let origins = &printed["origins"];
    assert_eq!(origins["listen"], "candybar.toml");
    assert_eq!(origins["server_id"], "CANDYBAR_SERVER_ID");
    assert_eq!(origins["database"], "--database");
    assert_eq!(origins["log.level"], "default");

    // What is printed is a configuration file.
    let printed = place.run(&["config"]).ends(0).out;
    place.write("printed.toml", &printed);
    let again = place
        .run(&["config", "--config", "printed.toml", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        again["values"],
        place.run(&["config", "--json"]).ends(0).json()["values"]
    );
    assert!(
        !place.path("other.db").exists(),
        "config touches no database"
    );
}

#[test]
fn another_file_is_named_by_flag_or_environment() {
    let place = Place::new();
    place.write("one.toml", "server_id = \"one\"");
    place.write("two.toml", "server_id = \"two\"");
    let mut command = place.command(&["config", "--json"]);
    command.env("CANDYBAR_CONFIG", "one.toml");
    assert_eq!(
        run(&mut command).ends(0).json()["values"]["server_id"],
        "one"
    );
    command.args(["--config", "two.toml"]);
    assert_eq!(
        run(&mut command).ends(0).json()["values"]["server_id"],
        "two"
    );
    place
        .run(&["config", "--config", "three.toml"])
        .ends(2)
        .says("three.toml cannot be read");
}

#[test]
fn wrong_configuration_stops_every_command() {
    let place = Place::new();
    place.write(
        "candybar.toml",
        "lisen = \"127.0.0.1:1\"\n[sync]\nconflict = \"mine\"\n",
    );
    for command in [&["config", "--check"][..], &["account", "list"], &["serve"]] {
        place
            .run(command)
            .ends(2)
            .says("unknown key lisen in candybar.toml: did you mean listen?")
            .says("sync.conflict = mine is wrong (candybar.toml): it is one of server, client");
    }
    place.write("candybar.toml", "[sync]\nconflict = \"server\"\n");
    let checked = place.run(&["config", "--check"]).ends(0);
    assert!(checked.out.contains("candybar.toml"), "{checked:?}");
    let mut command = place.command(&["config", "--check"]);
    command.env("CANDYBAR_LISTN", "127.0.0.1:1");
    run(&mut command)
        .ends(2)
        .says("did you mean CANDYBAR_LISTEN?");
}

#[test]
fn secrets_are_not_shown() {
    let place = Place::new();
    let mut command = place.command(&["config"]);
    command.env(
        "CANDYBAR_DATABASE",
        "postgres://sync:hunter2@db.example.org/candybar",
    );
    let shown = run(&mut command).ends(0).out;
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("postgres://sync:…@db.example.org/candybar"),
        "{shown}"
    );
    let mut command = place.command(&["account", "list"]);
    command.env(
        "CANDYBAR_DATABASE",
        "postgres://sync:hunter2@127.0.0.1:1/candybar",
    );
    let failed = run(&mut command).ends(1);
    assert!(!failed.err.contains("hunter2"), "{failed:?}");
}

#[test]
fn profiles_of_ones_own_are_read_and_a_broken_one_is_told() {
    let place = Place::new();
    std::fs::create_dir(place.path("own")).expect("a folder");
    place.write("candybar.toml", "[devices]\nprofiles = \"own\"\n");
    place.write(
        "own/acme-x1.toml",
        "name = \"acme-x1\"\ntitle = \"Acme X1\"\nmatch = [{ device = \"ACME:*\" }]\n\
         [[rule]]\nname = \"short-names\"\nsource = \"seen\"\ncontent = { name_parts = 2 }\n",
    );
    place.run(&["config", "--check"]).ends(0);
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    place.run(&["device", "add", "alice", "ACME:1"]).ends(0);
    let shown = place
        .run(&["device", "show", "alice", "ACME:1", "--json"])
        .ends(0)
        .json();
    assert_eq!(shown["profile"], "acme-x1");
    assert_eq!(shown["rules"][0]["rule"], "short-names");
    assert_eq!(shown["rules"][0]["content"]["name_parts"], 2);
    let text = place
        .run(&["device", "show", "alice", "ACME:1"])
        .ends(0)
        .out;
    for wanted in [
        "device address \"ACME:1\" fits ACME:*",
        "name_parts = 2",
        "seen",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
    }
    place
        .run(&["device", "set", "alice", "ACME:1", "--profile", "acme-x2"])
        .ends(2)
        .says("no device profile acme-x2");

    place.write(
        "own/acme-x1.toml",
        "name = \"acme-x1\"\ntitle = \"Acme X1\"\n[[rule]]\nname = \"a\"\nsource = \"s\"\ncontent = { name_parts = 9 }\n",
    );
    for command in [&["config", "--check"][..], &["serve"], &["config"]] {
        place
            .run(command)
            .ends(2)
            .says("acme-x1.toml: rule a, content.name_parts");
    }
}
