//! The commands of `docs/j2me.md`, as they stand there.

use std::path::Path;
use std::process::Command;

use super::emulator::{LIMIT, is_here, output};
use crate::support::{peer, process};

/// The indented block that begins with this line.
fn block(text: &str, first: &str) -> String {
    let from = text.lines().skip_while(|line| line.trim() != first);
    let lines = from.take_while(|line| line.is_empty() || line.starts_with("    "));
    lines
        .map(|line| format!("{}\n", line.trim_start()))
        .collect()
}

#[test]
fn the_guide_works_as_it_stands() {
    if !is_here() || !peer::present("jq", &["jq"]) {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/j2me.md")).expect("the guide");
    let commands = block(&guide, "set -euo pipefail");
    assert!(commands.contains("candybar sessions"), "{commands}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let programs = Path::new(env!("CARGO_BIN_EXE_candybar"))
        .parent()
        .expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let mut bash = Command::new("bash");
    bash.args(["-c", &commands])
        .current_dir(root)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("TMPDIR", folder.path())
        .env("EMULATOR_OUTPUT", output());
    let ended = process::run(&mut bash, LIMIT);
    assert!(ended.success(), "{commands}\n{}", ended.text);
}
