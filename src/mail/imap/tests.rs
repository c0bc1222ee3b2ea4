//! The client against a server that follows a script.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use crate::mail::error::MailError;
use crate::mail::flags::Flags;
use crate::mail::settings::{Address, Encryption, Shown};

/// Greets, then for each line: what the client has to say behind its tag, and what is answered (`TAG` is its tag).
async fn server(
    greeting: &'static str,
    script: &'static [(&'static str, &'static str)],
) -> (Address, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = Address {
        host: "127.0.0.1".into(),
        port: listener.local_addr().expect("an address").port(),
        encryption: Encryption::None,
        ca_file: None,
    };
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = BufReader::new(stream);
        let mut tag = String::new();
        stream.write_all(greeting.as_bytes()).await.expect("sent");
        for (expected, answer) in script {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a line");
            let line = line.trim_end();
            let said = match line.split_once(' ') {
                Some((first, rest))
                    if first.starts_with('A') && first[1..].parse::<u32>().is_ok() =>
                {
                    first.clone_into(&mut tag);
                    rest
                }
                _ => line,
            };
            assert_eq!(said, *expected);
            let answer = answer.replace("TAG", &tag);
            stream.write_all(answer.as_bytes()).await.expect("sent");
        }
    });
    (address, serving)
}

const GREETING: &str =
    "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 UIDPLUS IDLE] hello\r\n";

#[tokio::test]
async fn a_token_goes_with_the_command_and_its_refusal_is_answered() {
    let (address, serving) = server(
        GREETING,
        &[
            (
                "AUTHENTICATE XOAUTH2 dXNlcj1hQGIBYXV0aD1CZWFyZXIgdG9rAQE=",
                "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
            ),
            ("", "TAG NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"),
        ],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let error = session.login("a@b", &Shown::Token("tok".into())).await;
    assert_eq!(error, Err(MailError::Login("Invalid credentials".into())));
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn a_password_is_quoted_where_nothing_better_is_offered() {
    let (address, serving) = server(
        "* OK hello\r\n",
        &[
            ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n"),
            ("LOGIN \"a\\\"b\" {3}", "+ go on\r\n"),
            ("\u{e4}x", "* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK in\r\n"),
        ],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let shown = Shown::Password("\u{e4}x".into());
    session.login("a\"b", &shown).await.expect("logged in");
    assert!(session.can("IDLE"));
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn what_is_switched_on_is_not_all_that_the_server_has() {
    let (address, serving) = server(
        GREETING,
        &[
            (
                "AUTHENTICATE PLAIN AGEAYg==",
                "TAG OK [CAPABILITY IMAP4rev1 IDLE ENABLE QRESYNC NOTIFY] in\r\n",
            ),
            ("ENABLE QRESYNC", "* ENABLED QRESYNC\r\nTAG OK done\r\n"),
        ],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    session
        .login("a", &Shown::Password("b".into()))
        .await
        .expect("logged in");
    assert!(session.has_qresync() && session.can("IDLE") && session.can("NOTIFY"));
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn no_password_is_sent_where_it_is_not_wanted() {
    let (address, serving) =
        server("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello\r\n", &[]).await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let error = session.login("a", &Shown::Password("secret".into())).await;
    assert!(matches!(error, Err(MailError::Settings(_))), "{error:?}");
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn what_no_mail_server_says_ends_the_connection() {
    for (greeting, script, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n",
            &[][..],
            "this is no IMAP server",
        ),
        ("* BYE too busy\r\n", &[], "BYE too busy"),
        (
            "* PREAUTH hello\r\n",
            &[],
            "takes this connection for a known user's",
        ),
        (
            GREETING,
            &[("SELECT \"INBOX\"", "* 1 FETCH (BODY[] {99999999}\r\n")],
            "longer than what was asked for",
        ),
        (
            GREETING,
            &[("SELECT \"INBOX\"", "* 1 EXISTS\r\n* BYE shutting down\r\n")],
            "shutting down",
        ),
        (
            GREETING,
            &[("SELECT \"INBOX\"", "TAG OK done\r\n")],
            "no UIDVALIDITY",
        ),
        (
            GREETING,
            &[("SELECT \"INBOX\"", "TAG NO no such folder\r\n")],
            "refused SELECT: no such folder",
        ),
    ] {
        let (address, _serving) = server(greeting, script).await;
        let error = match Session::connect(&address, 1000).await {
            Ok(mut session) => session.select("INBOX").await.expect_err(expected),
            Err(error) => error,
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_fetch_gives_what_was_asked_for_and_nothing_else() {
    let (address, serving) = server(
        GREETING,
        &[
            (
                "UID FETCH 7,9 (UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.10>)",
                "* 3 FETCH (UID 8 FLAGS () BODY[]<0> {1}\r\nx)\r\n\
                 * 4 EXISTS\r\n\
                 * 1 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 99 INTERNALDATE \"05-Mar-2026 10:00:00 +0000\" BODY[]<0> {10}\r\nA: b\r\n\r\n))(\r\n* 2 FETCH (FLAGS (\\Flagged))\r\n",
            ),
        ],
    )
    .await;
    // The last literal had ten octets; what follows it ends the list, or not.
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let fetching = session.fetch(&[7, 9], 10);
    let fetched = tokio::time::timeout(std::time::Duration::from_millis(500), fetching).await;
    // The script ends without the tagged line: the connection is lost, not a message made up.
    assert!(
        matches!(fetched, Ok(Err(MailError::Lost(_)))),
        "{fetched:?}"
    );
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn idle_ends_for_news_and_when_it_is_called() {
    let (address, serving) = server(
        GREETING,
        &[
            ("IDLE", "+ idling\r\n* OK still here\r\n* 1 EXISTS\r\n"),
            ("DONE", "* 1 RECENT\r\nTAG OK done\r\n"),
            (
                "UID FETCH 1 (UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.100>)",
                "* 1 FETCH (UID 1 FLAGS (\\Flagged) RFC822.SIZE 8 INTERNALDATE \"05-Mar-2026 10:00:00 +0000\" BODY[]<0> {8}\r\nA: b\r\n\r\n)\r\nTAG OK done\r\n",
            ),
        ],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let far = Instant::now() + std::time::Duration::from_secs(60);
    let news = session
        .idle(far, std::future::pending())
        .await
        .expect("news");
    assert_eq!(news, News::Changed);
    let fetched = session.fetch(&[1], 100).await.expect("fetched");
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].octets, b"A: b\r\n\r\n");
    assert_eq!(fetched[0].seen.flags, Flags::FLAGGED);
    serving.await.expect("the script was followed");

    let (address, serving) = server(
        GREETING,
        &[("IDLE", "+ idling\r\n"), ("DONE", "TAG OK done\r\n")],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let news = session
        .idle(far, std::future::ready(()))
        .await
        .expect("woken");
    assert_eq!(news, News::Time);
    serving.await.expect("the script was followed");
}

#[tokio::test]
async fn a_move_without_move_is_a_copy_and_one_expunge() {
    let (address, serving) = server(
        GREETING,
        &[
            (
                "UID COPY 5 \"A \\\"b\\\"\"",
                "TAG OK [COPYUID 9 5 77] copied\r\n",
            ),
            ("UID STORE 5 +FLAGS.SILENT (\\Deleted)", "TAG OK done\r\n"),
            ("UID EXPUNGE 5", "* 1 EXPUNGE\r\nTAG OK done\r\n"),
        ],
    )
    .await;
    let mut session = Session::connect(&address, 1000).await.expect("connected");
    let moved = session.move_to(5, "A \"b\"").await.expect("moved");
    assert_eq!(moved, Some(77));
    serving.await.expect("the script was followed");
}
