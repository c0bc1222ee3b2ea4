//! What went wrong, for people: what, why, what to do; and exit codes.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::store::StoreError;

/// Exit codes; part of the command line's promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// All was done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Refused or not found.
    Refused = 3,
    /// Some of it was done.
    Partly = 4,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) code: Code,
    /// What and why, in one sentence.
    pub(super) what: String,
    /// What to do; may be empty.
    pub(super) hint: String,
}

impl Failure {
    /// Without a hint.
    pub(super) fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hint: String::new(),
        }
    }

    /// With something to do about it.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// Prints an error on standard error and gives its exit code.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    // A reader that has seen enough (`candybar export … | head`) is no failure.
    let closed = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    });
    if closed {
        return Code::Done.into();
    }
    let (code, what, hint) = explain(error);
    eprintln!("candybar: {}", what.replace('\n', "\ncandybar: "));
    if !hint.is_empty() {
        eprintln!("  {}", hint.replace('\n', "\n  "));
    }
    code.into()
}

fn explain(error: &anyhow::Error) -> (Code, String, String) {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return (failure.code, failure.what.clone(), failure.hint.clone());
        }
        if let Some(config) = cause.downcast_ref::<ConfigError>() {
            let hint =
                "docs/configuration.md lists all keys; candybar config prints what is in force";
            return (Code::Usage, config.to_string(), hint.to_owned());
        }
        if let Some(store) = cause.downcast_ref::<StoreError>() {
            return (
                Code::Failed,
                format!("{error:#}"),
                store_hint(store).to_owned(),
            );
        }
    }
    (Code::Failed, format!("{error:#}"), String::new())
}

fn store_hint(error: &StoreError) -> &'static str {
    match error {
        StoreError::Busy { .. } => "another program holds the database; try again",
        StoreError::Full => "make room on the disk and try again; nothing was written by halves",
        StoreError::Unavailable(_) => "check the path in --database, and who may read and write it",
        StoreError::Corrupt(_) => "put a backup in its place, or name another file with --database",
        StoreError::Secret(_) => {
            "the key file belongs to the database: keep both together, and name it with --key-file"
        }
        StoreError::NotFound | StoreError::Exists | StoreError::Conflict | StoreError::Newer(_) => {
            ""
        }
    }
}
