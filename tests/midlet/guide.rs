//! The commands of `docs/j2me.md`, as they stand there: in a shell, and as GitHub Actions runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::emulator::{LIMIT, is_here, output};
use crate::support::peer;
use crate::support::process::{self, Ended};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn guide() -> String {
    std::fs::read_to_string(root().join("docs/j2me.md")).expect("the guide")
}

/// The indented block that begins with this line.
fn block(text: &str, first: &str) -> String {
    let from = text.lines().skip_while(|line| line.trim() != first);
    let lines = from.take_while(|line| line.is_empty() || line.starts_with("    "));
    let lines = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)));
    let block: String = lines.collect();
    format!("{}\n", block.trim_end())
}

/// Runs a command as a shell in this folder does, with the candybar of these tests.
fn bash(folder: &Path, arguments: &[&str], temporary: &Path) -> Ended {
    let programs = Path::new(env!("CARGO_BIN_EXE_candybar"));
    let programs = programs.parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let mut bash = Command::new("bash");
    bash.args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("TMPDIR", temporary)
        .env("RUNNER_TEMP", temporary)
        .env("EMULATOR_OUTPUT", output());
    process::run(&mut bash, LIMIT)
}

/// A step of a workflow that runs something.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    /// Only after another step failed.
    on_failure: bool,
    commands: String,
}

/// The steps of a workflow with a `run`, in order.
fn steps(workflow: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut on_failure = false;
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if text.starts_with("- ") {
            on_failure = text == "- if: failure()";
        }
        let Some(run) = text.trim_start_matches("- ").strip_prefix("run: ") else {
            continue;
        };
        let commands = if run == "|" {
            let indent = |line: &str| line.len() - line.trim_start().len();
            let mut block = String::new();
            while let Some(next) = lines.next_if(|next| indent(next) > indent(line)) {
                block += next.trim_start();
                block.push('\n');
            }
            block
        } else {
            format!("{run}\n")
        };
        steps.push(Step {
            on_failure,
            commands,
        });
    }
    steps
}

#[test]
fn the_guide_and_its_script_are_the_same() {
    let script = std::fs::read_to_string(root().join("emulator-scripts/example"));
    let script = script.expect("the script");
    let commands = script
        .split_once("set -euo pipefail\n")
        .expect("its head")
        .1;
    let shown = block(&guide(), "set -euo pipefail");
    assert_eq!(shown, format!("set -euo pipefail\n{commands}"));
}

#[test]
fn the_guide_works_as_it_stands() {
    if !is_here() || !peer::present("jq", &["jq"]) {
        return;
    }
    let commands = block(&guide(), "set -euo pipefail");
    assert!(commands.contains("candybar sessions"), "{commands}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = bash(root(), &["-c", &commands], folder.path());
    assert!(ended.success(), "{commands}\n{}", ended.text);
}

#[test]
fn the_workflow_works_as_it_stands() {
    if !is_here() || !peer::present("jq", &["jq"]) {
        return;
    }
    let workflow = block(&guide(), "name: sync");
    let mut steps = steps(&workflow);
    // What the first one installs is what these tests run.
    let install = steps.remove(0);
    assert_eq!(install.commands, "cargo install --locked --path candybar\n");
    let (failed, steps): (Vec<Step>, Vec<Step>) =
        steps.into_iter().partition(|step| step.on_failure);
    assert_eq!((steps.len(), failed.len()), (2, 1), "{workflow}");

    // As actions/checkout leaves it.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (workspace, temporary) = (folder.path().join("workspace"), folder.path().join("temp"));
    for folder in [&workspace, &temporary] {
        std::fs::create_dir(folder).expect("a folder");
    }
    std::os::unix::fs::symlink(root(), workspace.join("candybar")).expect("the checkout");
    let run = |step: &Step| {
        let file: PathBuf = folder.path().join("step.sh");
        std::fs::write(&file, &step.commands).expect("written");
        let ended = bash(
            &workspace,
            &["-e", file.to_str().expect("a path")],
            &temporary,
        );
        assert!(ended.success(), "{}\n{}", step.commands, ended.text);
        ended.text
    };
    for step in &steps {
        run(step);
    }
    // What is shown when something failed: each session, decoded, and the server's log.
    let shown = run(&failed[0]);
    for part in ["SyncHdr", "Ada Lovelace", "synchronised contacts"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_step_that_fails_fails_the_workflow() {
    if !is_here() || !peer::present("jq", &["jq"]) {
        return;
    }
    let script = std::fs::read_to_string(root().join("emulator-scripts/example"));
    let script = script.expect("the script");
    let wrong = script.replace("[\"Ada Lovelace\", \"Grace Hopper\"]", "[\"Nobody\"]");
    assert_ne!(wrong, script);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = bash(root(), &["-c", &wrong], folder.path());
    assert!(!ended.success(), "{}", ended.text);
}
