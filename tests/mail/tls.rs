//! TLS towards Dovecot: from the beginning and by a command, with an authority of one's own.

use super::line_file;
use crate::support::dovecot::Dovecot;
use crate::support::program::{self, Program};

#[test]
fn mailboxes_are_checked_over_tls_before_they_are_added() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let program = Program::start("", &[("alice", "secret-1")]);
    let password = program.file("password");
    line_file(&password, "alice-pw");
    let (password, authority) = (password.display().to_string(), dovecot.certificate());
    let add = |url: &str, more: &[&str]| {
        let mut arguments = vec![
            "mailbox",
            "add",
            "alice",
            "--imap",
            url,
            "--password-file",
            &password,
        ];
        arguments.extend(more);
        program::ended(&program.file(""), &arguments)
    };
    let tls = format!("imaps://alice@localhost:{}", dovecot.imaps);
    let start = format!("imap://alice@localhost:{}?tls=start", dovecot.imap);
    // Nobody knows this authority.
    let refused = add(&tls, &[]);
    assert!(
        !refused.success() && refused.text.contains("TLS"),
        "{}",
        refused.text
    );
    let added = add(&tls, &["--ca-file", &authority]);
    assert!(added.success(), "{}", added.text);
    assert!(
        added.text.contains("QRESYNC") && added.text.contains("NOTIFY"),
        "{}",
        added.text
    );
    let added = add(
        &start,
        &["--ca-file", &authority, "--address", "other@localhost"],
    );
    assert!(added.success(), "{}", added.text);
    let checked = program.command(&["mailbox", "check", "alice"]);
    assert_eq!(
        checked.matches("works; the server has").count(),
        2,
        "{checked}"
    );
    // A wrong password is told, and nothing is added.
    line_file(&program.file("password"), "wrong-pw");
    let refused = add(
        &tls,
        &["--ca-file", &authority, "--address", "third@localhost"],
    );
    assert!(
        !refused.success() && refused.text.contains("refuses the login"),
        "{}",
        refused.text
    );
    assert!(!refused.text.contains("wrong-pw"), "{}", refused.text);
    assert!(!program.command(&["mailbox", "list"]).contains("third@"));
}
