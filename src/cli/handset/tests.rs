//! The phone's commands, without a server.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Whole {
    #[command(flatten)]
    args: Args,
}

fn run_with(folder: &tempfile::TempDir, words: &[&str]) -> anyhow::Result<ExitCode> {
    let state = folder.path().join("phone.json");
    let mut line = vec!["handset"];
    line.extend(words);
    let state = state.to_str().expect("a plain path").to_owned();
    line.extend(["--state", &state]);
    run(Whole::try_parse_from(line)?.args)
}

#[test]
fn items_are_made_changed_and_deleted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let note = folder.path().join("note.txt");
    fs::write(&note, "milk").expect("writable");
    let note = note.to_str().expect("a plain path");
    let state = StateFile::new(folder.path().join("phone.json"));
    let items = || {
        state.load().expect("readable").expect("a phone").datastores["notes"]
            .items
            .clone()
    };

    let code = run_with(&folder, &["add", "notes", note]).expect("added");
    assert_eq!(code, ExitCode::SUCCESS);
    let luid = items().keys().next().expect("one item").clone();
    assert_eq!(items()[&luid].content_type, "text/plain");
    let device = state.load().expect("readable").expect("a phone").device_id;
    let digits: Vec<u32> = device["IMEI:".len()..]
        .chars()
        .filter_map(|c| c.to_digit(10))
        .collect();
    let luhn = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => (digit * 2) / 10 + (digit * 2) % 10,
        });
    assert_eq!((digits.len(), luhn.sum::<u32>() % 10), (15, 0), "{device}");

    fs::write(note, "milk and bread").expect("writable");
    run_with(&folder, &["edit", "notes", &luid.0, note]).expect("changed");
    assert_eq!(items()[&luid].body.0, b"milk and bread");
    run_with(&folder, &["show"]).expect("shown");
    run_with(&folder, &["delete", "notes", &luid.0]).expect("deleted");
    assert!(items().is_empty());
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let note = folder.path().join("note.txt");
    fs::write(&note, "milk").expect("writable");
    let note = note.to_str().expect("a plain path");
    let two = |words: &[&str]| {
        assert_eq!(
            run_with(&folder, words).expect("an exit code"),
            ExitCode::from(2),
            "{words:?}"
        );
    };
    two(&["show"]);
    two(&["add", "photos", note]);
    run_with(&folder, &["add", "notes", note]).expect("added");
    two(&["delete", "notes", "77"]);
    two(&["edit", "notes", "77", note]);
    two(&[
        "sync",
        "--user",
        "u",
        "--password",
        "p",
        "--device",
        "IMEI:1",
    ]);
    two(&[
        "sync",
        "--user",
        "u",
        "--password",
        "p",
        "--datastore",
        "photos",
    ]);
    for words in [
        ["--mode", "sideways"],
        ["--carrier", "pigeon"],
        ["--protocol", "2.0"],
        ["--auth", "none"],
        ["--max-msg-size", "10"],
    ] {
        let mut line = vec!["handset", "sync", "--user", "u", "--password", "p"];
        line.extend(words);
        let error = Whole::try_parse_from(line).expect_err("no such value");
        assert_eq!(error.exit_code(), 2, "{words:?}");
    }
}
