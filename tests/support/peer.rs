//! Whether the software that we did not write, and test against, is installed.

use std::io::{Write, stderr};
use std::path::Path;

/// True when every one of `programs` is there. If not: fails in CI, says on a laptop loudly that the test is skipped.
///
/// A program is a name to be found in `PATH`, or an absolute path.
pub(crate) fn present(peer: &str, programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !exists(program))
        .collect();
    if missing.is_empty() {
        return true;
    }
    self::missing(&format!(
        "{peer} is not installed (missing: {}); tools/install-test-peers installs it",
        missing.join(", ")
    ))
}

/// What a test needs is not there: fails in CI, says on a laptop loudly that the test is skipped. Never true.
pub(crate) fn missing(text: &str) -> bool {
    assert!(
        !std::env::var("CI").is_ok_and(|value| value == "true"),
        "{text}"
    );
    // Not a print macro: those are swallowed for a test that passes.
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    writeln!(stderr(), "\n*** SKIPPED {test}: {text} ***").ok();
    false
}

fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if program.starts_with('/') {
        Path::new(program).exists()
    } else {
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    }
}
