//! libsynthesis, which is in phones and in SyncEvolution, as the second opinion on notifications, both ways.

use std::path::{Path, PathBuf};
use std::process::Command;

use candybar::push::{Notice, ServerAlert, Sync, UiMode, notification, san};
use candybar::syncml::Version;
use tempfile::TempDir;

use super::pushes::{NONCE, PASSWORD, long_notice, notice};
use crate::support::peer::present;

const HEADER: &str = "/usr/include/synthesis/san.h";

struct Library {
    _folder: TempDir,
    program: PathBuf,
}

impl Library {
    /// Compiles the program that asks it; `None` if it is not installed.
    fn new() -> Option<Self> {
        if !present("libsynthesis", &["g++", HEADER]) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("san");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/push/san.cpp");
        let compiled = Command::new("g++")
            // The header's `byte` is that of no later standard.
            .args(["-std=c++14", "-w", "-o"])
            .arg(&program)
            .arg(source)
            .args(["-lsynthesissdk", "-lsmltk", "-lsynthesis"])
            .output()
            .expect("g++ starts");
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        Some(Self {
            _folder: folder,
            program,
        })
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.program)
            .args(arguments)
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    }

    /// What it reads of a notification, line by line.
    fn read(&self, octets: &[u8], password: &str, nonce: &str) -> Vec<String> {
        let hex: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
        let text = self.run(&["read", &hex, "sync.example.org", password, nonce]);
        text.lines().map(str::to_owned).collect()
    }
}

fn lines(notice: &Notice, version: u8, digest: &str) -> Vec<String> {
    let mut lines = vec![format!(
        "version {version} ui {} initiator 1 session {} server {} syncs {}",
        notice.ui_mode.bits(),
        notice.session_id,
        notice.server_id,
        notice.syncs.len()
    )];
    lines.extend(notice.syncs.iter().map(|sync| {
        let code = sync.content_type.code().unwrap_or(0);
        format!("sync {} type {code} uri {}", sync.alert.code(), sync.uri)
    }));
    lines.push(format!("digest {digest}"));
    lines
}

#[test]
fn libsynthesis_reads_our_notifications_and_believes_them() {
    let Some(library) = Library::new() else {
        return;
    };
    for notice in [
        notice(),
        long_notice(),
        Notice {
            ui_mode: UiMode::Background,
            syncs: Vec::new(),
            ..notice()
        },
    ] {
        let octets = san::build(&notice, PASSWORD, NONCE.as_bytes()).expect("a notification");
        let read = library.read(&octets, PASSWORD, NONCE);
        assert_eq!(read, lines(&notice, 12, "right"));
        let read = library.read(&octets, PASSWORD, "another");
        assert_eq!(read, lines(&notice, 12, "wrong"));
    }
}

#[test]
fn we_read_and_believe_what_libsynthesis_builds() {
    let Some(library) = Library::new() else {
        return;
    };
    let text = library.run(&[
        "make",
        "sync.example.org",
        PASSWORD,
        NONCE,
        "4660",
        "3",
        "206",
        "7",
        "./contacts",
        "210",
        "6",
        "./calendar",
    ]);
    let octets: Vec<u8> = (0..text.trim().len() / 2)
        .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("hex"))
        .collect();
    let received = san::read(&octets).expect("a notification");
    assert_eq!(received.notice, notice());
    assert!(received.is_signed_with(PASSWORD, NONCE.as_bytes()));
    assert!(!received.is_signed_with("another", NONCE.as_bytes()));
    assert_eq!(
        san::build(&notice(), PASSWORD, NONCE.as_bytes()),
        Ok(octets)
    );
}

#[test]
fn libsynthesis_reads_our_message_of_the_versions_before() {
    let Some(library) = Library::new() else {
        return;
    };
    let notice = Notice {
        ui_mode: UiMode::NotSpecified,
        syncs: vec![Sync::new(ServerAlert::TwoWay, "", "./contacts")],
        ..notice()
    };
    let push = notification::push(&notice, Version::V11, "/", None).expect("a push");
    let read = library.read(&push.body, PASSWORD, NONCE);
    // It makes a notification of 1.2 from it, which has no digest.
    assert_eq!(read, lines(&notice, 11, "wrong"));
}
