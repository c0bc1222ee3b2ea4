//! The rules of ARCHITECTURE.md, held against the sources.

mod features;
mod paths;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use paths::paths;

/// What the pure layers must not touch: IO, threads, clocks, and the libraries of the layers outside.
const IMPURE: &[&str] = &[
    "tokio",
    "actix_web",
    "actix_rt",
    "diesel",
    "diesel_migrations",
    "ureq",
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
];

/// Layers that do no IO and read no clock.
const PURE: &[&str] = &[
    "wbxml",
    "xml",
    "syncml",
    "session",
    "sync",
    "content",
    "device",
    "filter",
    "push",
    "outbox/mail",
    "outbox/plan",
    "outbox/policy",
    "outbox/wanted",
    "outbox/message",
];

/// Who must not know whom.
const STRANGERS: &[(&str, &[&str])] = &[
    (
        "handset",
        &[
            "store", "session", "sync", "device", "filter", "exchange", "web", "cli",
        ],
    ),
    (
        "store",
        &[
            "session", "syncml", "exchange", "web", "cli", "handset", "outbox", "sms", "mail",
        ],
    ),
    (
        "session",
        &["store", "exchange", "web", "cli", "config", "handset"],
    ),
    ("content", &["session", "store", "syncml", "sync", "web"]),
    (
        "filter",
        &[
            "session", "store", "syncml", "sync", "device", "exchange", "web", "cli", "handset",
        ],
    ),
    ("wbxml", &["session", "store", "sync", "content"]),
    ("xml", &["session", "store", "sync", "content"]),
    ("web", &["store", "cli", "handset", "outbox"]),
    (
        "api",
        &["exchange", "web", "cli", "config", "handset", "session"],
    ),
    ("outbox", &["exchange", "web", "cli", "config", "handset"]),
    (
        "mail",
        &[
            "session", "syncml", "device", "exchange", "web", "cli", "config", "handset", "api",
            "outbox", "sms",
        ],
    ),
    (
        "sms",
        &[
            "store", "session", "sync", "syncml", "content", "device", "exchange", "web", "cli",
            "config", "handset",
        ],
    ),
    (
        "push",
        &[
            "session", "store", "sync", "content", "device", "exchange", "web", "cli", "handset",
        ],
    ),
];

const MOST_LINES: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder, or the one file of that name with `.rs`; none if there is neither.
fn sources(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let file = path.with_extension("rs");
    if file.is_file() {
        found.push(file);
    }
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Tests may do IO.
fn is_test(path: &Path) -> bool {
    let within = path.strip_prefix(root()).unwrap_or(path);
    within.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs")
    })
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The places of a module's sources that use one of these paths.
fn uses(module: &str, forbidden: &[String]) -> Vec<String> {
    sources(&root().join("src").join(module))
        .into_iter()
        .filter(|path| !is_test(path))
        .flat_map(|path| {
            let found = violations(&read(&path), forbidden);
            found
                .into_iter()
                .map(move |used| format!("{}: {used}", path.display()))
        })
        .collect()
}

/// The forbidden paths that a source uses outside of its tests.
fn violations(source: &str, forbidden: &[String]) -> Vec<String> {
    let used = paths(source);
    forbidden
        .iter()
        .filter(|forbidden| {
            let wanted: Vec<&str> = forbidden.split("::").collect();
            used.iter().any(|path| {
                let segments: Vec<&str> = path.split("::").collect();
                segments.windows(wanted.len()).any(|part| part == wanted)
            })
        })
        .cloned()
        .collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn pure_layers_do_no_io() {
    let forbidden = owned(IMPURE);
    let found: Vec<_> = PURE
        .iter()
        .flat_map(|module| uses(module, &forbidden))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    // The scan has seen something: the layers exist, and the ones outside do what these must not.
    for module in [
        "wbxml", "xml", "syncml", "session", "sync", "content", "device", "push",
    ] {
        assert!(
            !sources(&root().join("src").join(module)).is_empty(),
            "no sources in {module}"
        );
    }
    for (module, path) in [
        ("store", "diesel"),
        ("web", "actix_web"),
        ("handset", "ureq"),
        ("sms", "tokio"),
    ] {
        assert!(
            !uses(module, &owned(&[path])).is_empty(),
            "the scan does not see {path} in {module}"
        );
    }
}

#[test]
fn layers_know_only_what_is_below_them() {
    for (module, strangers) in STRANGERS {
        let forbidden: Vec<String> = strangers
            .iter()
            .map(|name| format!("crate::{name}"))
            .collect();
        let found = uses(module, &forbidden);
        assert!(found.is_empty(), "{module} must not know of: {found:#?}");
    }
}

#[test]
fn the_scan_finds_what_is_forbidden() {
    let forbidden = owned(IMPURE);
    for (source, found) in [
        ("use std::fs;", &["std::fs"][..]),
        ("use std::{io, fs::File};", &["std::fs"]),
        (
            "use std::{collections::{BTreeMap, HashMap}, net::TcpStream as Stream};",
            &["std::net"],
        ),
        (
            "fn f() { let now = std::time::Instant::now(); }",
            &["Instant::now"],
        ),
        (
            "fn f() -> i64 { chrono::Utc::now().timestamp() }",
            &["Utc::now"],
        ),
        ("use std::time::{Duration, SystemTime};", &["SystemTime"]),
        ("#[tokio::main] async fn f() {}", &["tokio"]),
        ("pub fn f(c: &mut diesel::SqliteConnection) {}", &["diesel"]),
        (
            "/* a */ fn f<'a>(x: &'a str) { std::thread::spawn(|| {}); }",
            &["std::thread"],
        ),
        ("const C: char = '\"'; use std::fs;", &["std::fs"]),
    ] {
        assert_eq!(violations(source, &forbidden), found, "{source}");
    }
    for innocent in [
        "//! Knows no tokio and no std::fs.\nuse std::fmt;",
        "/* std::net /* nested std::fs */ */ use std::io;",
        "const TEXT: &str = \"std::fs \\\" tokio\"; const RAW: &str = r#\"diesel \" std::net\"#;",
        "struct Instant; fn same_instant(a: Instant) {}",
        "#[cfg(test)]\nmod tests { use std::fs; fn f() { if true { std::thread::yield_now(); } } }",
        "use crate::sync::fs;",
    ] {
        assert_eq!(
            violations(innocent, &forbidden),
            Vec::<String>::new(),
            "{innocent}"
        );
    }
    // What follows the tests of a file is looked at again.
    let source = "#[cfg(test)]\nmod tests { fn f() { let x = \"}\"; } }\nuse std::fs;";
    assert_eq!(violations(source, &forbidden), ["std::fs"]);
    let source = "use crate::{content::Format, store::Store};";
    assert_eq!(
        violations(source, &owned(&["crate::store"])),
        ["crate::store"]
    );
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .filter_map(|path| {
            let lines = read(&path).lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_source_says_its_purpose() {
    let silent: Vec<_> = sources(&root().join("src"))
        .into_iter()
        .filter(|path| !is_test(path) && !read(path).starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "no module documentation: {silent:#?}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(database);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{database}: {error}"));
        let names = entries.map(|entry| entry.expect("listed").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgresql"));
    assert!(!sqlite.is_empty());
    for database in ["sqlite", "postgresql"] {
        for name in &sqlite {
            for file in ["up.sql", "down.sql"] {
                let path = root()
                    .join("migrations")
                    .join(database)
                    .join(name)
                    .join(file);
                assert!(
                    !read(&path).trim().is_empty(),
                    "{} is empty",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_map_names_every_module() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let library = read(&root().join("src/lib.rs"));
    let modules: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(modules.len() > 10, "{modules:?}");
    let missing: Vec<_> = modules
        .iter()
        .filter(|module| {
            !map.contains(&format!("`src/{module}/`"))
                && !map.contains(&format!("`src/{module}.rs`"))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name {missing:?}"
    );
}
