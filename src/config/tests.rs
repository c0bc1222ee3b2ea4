use std::path::Path;

use super::{Config, ConfigError, Flag};
use crate::sync::{ConflictPolicy, Datastore};

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("candybar.toml");
    std::fs::write(&path, text).expect("written");
    (folder, path)
}

fn load(text: &str, variables: &[(&str, &str)], flags: &[Flag]) -> Result<Config, ConfigError> {
    let (_folder, path) = file(text);
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), variables, flags)
}

fn flag(value: &str) -> Flag {
    Flag {
        key: "listen",
        name: "--listen",
        value: value.to_owned(),
    }
}

/// The only problem's text.
fn problem(result: Result<Config, ConfigError>) -> String {
    let problems = result.expect_err("a problem").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{}: {}", problems[0].what, problems[0].why)
}

#[test]
fn the_later_layer_wins() {
    let text = "listen = \"127.0.0.1:1\"";
    let variables = [("CANDYBAR_LISTEN", "127.0.0.1:2"), ("PATH", "/bin")];
    for (variables, flags, listen, origin) in [
        (&variables[..0], vec![], "127.0.0.1:1", "candybar.toml"),
        (&variables[..], vec![], "127.0.0.1:2", "CANDYBAR_LISTEN"),
        (
            &variables[..],
            vec![flag("127.0.0.1:3")],
            "127.0.0.1:3",
            "--listen",
        ),
    ] {
        let config = load(text, variables, &flags).expect("right");
        assert_eq!(config.listen, listen);
        let shown = config.setting("listen").origin.to_string();
        assert!(shown.ends_with(origin), "{shown}");
    }
    let config = load("", &[], &[]).expect("right");
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.setting("listen").origin, super::Origin::Default);
}

#[test]
fn every_kind_of_value_is_read() {
    let config = load(
        r#"
        database = "sqlite:/var/lib/candybar/store.db"
        key_file = "/var/lib/candybar/key"
        public_url = "https://sync.example.org/sync"
        server_id = "home"
        [sync]
        conflict = "newer"
        time_zone = "Europe/Stockholm"
        max_object_bytes = 500000
        aliases = { "./pim/con" = "contacts" }
        [sync.contacts]
        conflict = "client"
        [http]
        workers = 3
        [log]
        level = "warn"
        "#,
        &[
            ("CANDYBAR_SYNC__TASKS__CONFLICT", "duplicate"),
            ("CANDYBAR_HTTP__MAX_BODY_BYTES", "2097152"),
            ("CANDYBAR_LOG__FORMAT", "json"),
            ("CANDYBAR_HANDSET_PASSWORD", "no key"),
        ],
        &[],
    )
    .expect("right");
    assert_eq!(
        config.key_file.as_deref(),
        Some(Path::new("/var/lib/candybar/key"))
    );
    assert_eq!(
        config.public_url.as_deref(),
        Some("https://sync.example.org/sync")
    );
    assert_eq!(config.server_id, "home");
    assert_eq!(config.sync.conflict, ConflictPolicy::Newer);
    assert_eq!(
        config.sync.conflicts.into_iter().collect::<Vec<_>>(),
        [
            (Datastore::Contacts, ConflictPolicy::Client),
            (Datastore::Tasks, ConflictPolicy::Duplicate)
        ]
    );
    assert_eq!(config.sync.time_zone, chrono_tz::Tz::Europe__Stockholm);
    assert_eq!(config.sync.max_object_bytes, 500_000);
    assert_eq!(config.sync.aliases["./pim/con"], Datastore::Contacts);
    assert_eq!(config.http.workers, 3);
    assert_eq!(config.http.max_body_bytes, 2_097_152);
    assert_eq!(config.log.level, tracing::level_filters::LevelFilter::WARN);
    assert!(config.log.json);
}

#[test]
fn unknown_keys_name_the_nearest() {
    let shown = problem(load("lisen = \"127.0.0.1:1\"", &[], &[]));
    assert!(shown.contains("unknown key lisen in "), "{shown}");
    assert!(shown.ends_with("did you mean listen?"), "{shown}");
    let shown = problem(load("[sync.contacts]\nconflit = \"client\"", &[], &[]));
    assert!(shown.contains("sync.contacts.conflit"), "{shown}");
    assert!(
        shown.ends_with("did you mean sync.contacts.conflict?"),
        "{shown}"
    );
    let shown = problem(load("", &[("CANDYBAR_SYNC__CONFLCT", "client")], &[]));
    assert_eq!(
        shown,
        "unknown key CANDYBAR_SYNC__CONFLCT in the environment: did you mean CANDYBAR_SYNC__CONFLICT?"
    );
    for text in ["[post]\nwindow_days = 14", "colour = true"] {
        let shown = problem(load(text, &[], &[]));
        assert!(shown.starts_with("unknown key "), "{shown}");
    }
}

#[test]
fn wrong_values_say_what_is_right() {
    for (text, words) in [
        ("listen = \"8080\"", "it is host:port"),
        ("listen = \"localhost:99999\"", "it is host:port"),
        ("listen = true", "listen cannot be a boolean"),
        (
            "database = \"candybar.db\"",
            "it is sqlite:PATH or postgres://",
        ),
        (
            "public_url = \"sync.example.org\"",
            "http://sync.example.org",
        ),
        ("server_id = \"\"", "1 to 255"),
        (
            "[sync]\nconflict = \"mine\"",
            "one of server, client, newer, duplicate, merge",
        ),
        ("[sync]\ntime_zone = \"CET+1\"", "name of a zone"),
        (
            "[sync]\naliases = { pim = \"people\" }",
            "there is no datastore people",
        ),
        ("[sync]\naliases = { pim = 3 }", "pim is not text"),
        ("[sync]\nmax_message_bytes = 10", "from 2048 to"),
        ("[http]\nworkers = -1", "from 0 to 1024"),
        (
            "[log]\nlevel = \"loud\"",
            "off, error, warn, info, debug, trace",
        ),
        (
            "[http]\nmax_body_bytes = 50000",
            "larger than http.max_body_bytes",
        ),
        ("listen = ", "is not TOML"),
    ] {
        let shown = problem(load(text, &[], &[]));
        assert!(shown.contains(words), "{text}: {shown}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let error = load(
        "listen = \"x\"\nlisten_to = \"y\"\n[log]\nlevel = \"loud\"",
        &[("CANDYBAR_X", "1")],
        &[],
    )
    .expect_err("problems");
    assert_eq!(error.problems.len(), 4, "{error}");
    assert_eq!(error.to_string().lines().count(), 4);
}

#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let (folder, path) = file("database_file = \"url.txt\"");
    std::fs::write(
        folder.path().join("url.txt"),
        "postgres://sync:pass/word@db.example.org/candybar?password=other&x=1\n",
    )
    .expect("written");
    let config = Config::load(Some(&path), [], &[]).expect("right");
    assert!(config.database.ends_with("x=1"), "no line break at the end");
    for shown in [
        config.to_toml(),
        config.to_json().to_string(),
        config.shown_database(),
    ] {
        assert!(!shown.contains("pass/word"), "{shown}");
        assert!(!shown.contains("other"), "{shown}");
        assert!(
            shown.contains("postgres://sync:…@db.example.org/candybar?password=…&x=1"),
            "{shown}"
        );
    }
    assert!(config.to_toml().contains("url.txt, named by "));
    let shown = problem(load("database_file = \"absent.txt\"", &[], &[]));
    assert!(shown.contains("absent.txt cannot be read"), "{shown}");
    let shown = problem(load("listen_file = \"x\"", &[], &[]));
    assert!(shown.contains("unknown key listen_file"), "{shown}");
    let shown = problem(load("database = \"mysql://root:hunter2@db\"", &[], &[]));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_is_printed_can_be_read_again() {
    let config = load(
        "[sync]\naliases = { \"./a \\\"b\\\"\" = \"notes\", pim = \"contacts\" }\n[sync.mail]\nconflict = \"server\"",
        &[("CANDYBAR_SERVER_ID", "a # \"b\"")],
        &[flag("[::1]:0")],
    )
    .expect("right");
    let printed = config.to_toml();
    let again = load(&printed, &[], &[]).expect(&printed);
    for key in super::KEYS {
        assert_eq!(
            config.setting(key.name).text,
            again.setting(key.name).text,
            "{printed}"
        );
    }
    let json = config.to_json();
    assert_eq!(json["values"]["sync"]["aliases"]["pim"], "contacts");
    assert_eq!(json["values"]["sync"]["mail"]["conflict"], "server");
    assert_eq!(json["values"]["http"]["max_body_bytes"], 1_048_576);
    assert_eq!(json["origins"]["listen"], "--listen");
}

#[test]
fn a_named_file_must_exist() {
    let shown = problem(Config::load(
        Some(Path::new("/nonexistent/candybar.toml")),
        [],
        &[],
    ));
    assert!(shown.contains("cannot be read"), "{shown}");
    let named = [(
        "CANDYBAR_CONFIG".to_owned(),
        "/nonexistent/c.toml".to_owned(),
    )];
    let shown = problem(Config::load(None, named, &[]));
    assert!(shown.contains("/nonexistent/c.toml"), "{shown}");
}

#[test]
fn the_documentation_has_every_key() {
    let text = include_str!("../../docs/configuration.md");
    for key in super::KEYS {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.name)))
            .unwrap_or_else(|| panic!("docs/configuration.md has no row for {}", key.name));
        let default = if key.default.is_empty() {
            "unset"
        } else {
            key.default
        };
        assert!(row.contains(default), "default of {}: {row}", key.name);
        assert!(row.contains(&super::key::variable(key.name)), "{row}");
    }
}
