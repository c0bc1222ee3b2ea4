//! An emulator that is not there: a developer's machine says loudly that tests are skipped; in CI they fail; the scripts say what is
//! missing.

use std::path::Path;
use std::process::Command;

use super::emulator::{LIMIT, is_here};
use crate::support::process::{self, Ended};

/// A test that needs the emulator.
const TEST: &str = "midlet::synced::a_wrong_password_is_told_and_is_no_success";
const NOWHERE: &str = "/nowhere/microemulator.jar";

/// Runs this program for that test alone, on a machine without an emulator.
fn test_without(ci: Option<&str>) -> Ended {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([TEST, "--exact"]);
    command.env("MICROEMULATOR_JAR", NOWHERE);
    match ci {
        Some(value) => command.env("CI", value),
        None => command.env_remove("CI"),
    };
    process::run(&mut command, LIMIT)
}

#[test]
fn without_an_emulator_a_developer_is_told_and_goes_on() {
    let ended = test_without(None);
    assert!(ended.success(), "{}", ended.text);
    let loud = format!("*** SKIPPED {TEST}: ");
    assert!(ended.text.contains(&loud), "{}", ended.text);
    assert!(
        ended.text.contains("1 passed"),
        "it is that test: {}",
        ended.text
    );
}

#[test]
fn without_an_emulator_ci_fails() {
    let ended = test_without(Some("true"));
    assert!(!ended.success(), "{}", ended.text);
    assert!(ended.text.contains("1 failed"), "{}", ended.text);
    assert!(!ended.text.contains("SKIPPED"), "{}", ended.text);
}

#[test]
fn the_scripts_say_what_is_missing() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator-scripts");
    for (script, arguments) in [
        ("build", &[][..]),
        ("run", &["--script", "sync"]),
        ("run-many", &["2", "--script", "sync"]),
    ] {
        let mut command = Command::new(scripts.join(script));
        command
            .args(arguments)
            .env("MICROEMULATOR_JAR", NOWHERE)
            .env("EMULATOR_OUTPUT", folder.path());
        let ended = process::run(&mut command, LIMIT);
        assert!(!ended.success(), "{script}: {}", ended.text);
        let why = format!("MICROEMULATOR_JAR names {NOWHERE}, which is not there");
        assert!(ended.text.contains(&why), "{script}: {}", ended.text);
    }
}
