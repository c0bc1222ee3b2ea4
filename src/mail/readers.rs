//! The readers of what mail servers and delivery agents say, over octets that are there already: for fuzzing.
//!
//! The clients do what a watcher does, whatever is answered, as long as there are answers. The functions panic if a reader breaks
//! what its module promises.

use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{join, sink};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::discover::autoconfig;
use super::error::MailError;
use super::flags::Flags;
use super::imap::Session;
use super::link::Link;
use super::lmtp::{self, Deliver, Verdict};
use super::pop3::Pop3;
use super::settings::Shown;

/// Octets of a message that are asked for.
const LIMIT: usize = 512;
/// Octets of a message that LMTP takes.
const MOST: usize = 1024;

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
}

fn run<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

fn link(said: &[u8]) -> Link {
    Link::over(join(Cursor::new(said.to_vec()), sink()))
}

fn password() -> Shown {
    Shown::Password("secret".to_owned())
}

/// An IMAP server that says this, whatever it is asked.
pub fn imap(said: &[u8]) {
    let _ends = run(dialogue(said));
}

/// Whether it makes sense to ask more.
fn goes_on<T>(answer: Result<T, MailError>) -> Result<Option<T>, MailError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(MailError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn dialogue(said: &[u8]) -> Result<(), MailError> {
    let mut session = Session::over(link(said), false, LIMIT).await?;
    session.login("alice", &password()).await?;
    let folders = goes_on(session.folders().await)?.unwrap_or_default();
    for folder in &folders {
        assert!(!folder.path.is_empty(), "a folder without a name");
    }
    let names: Vec<String> = folders.into_iter().map(|folder| folder.name).collect();
    goes_on(session.notify(&names).await)?;
    goes_on(session.status("Work").await)?;
    if let Some(selected) = goes_on(session.select("INBOX").await)? {
        assert!(selected.uid_validity != 0, "a folder without UIDVALIDITY");
    }
    let uids = goes_on(session.uids_since(0, 100).await)?.unwrap_or_default();
    assert!(uids.is_sorted(), "UIDs in no order");
    let from = goes_on(session.uids_from(5).await)?.unwrap_or_default();
    assert!(
        from.iter().all(|uid| *uid >= 5),
        "UIDs that were not asked for"
    );
    let asked = [1, 2, 3, 7];
    let seen = goes_on(session.seen(&asked).await)?.unwrap_or_default();
    assert!(seen.iter().all(|seen| asked.contains(&seen.uid)));
    goes_on(session.changes(1).await)?;
    let fetched = goes_on(session.fetch(&asked, LIMIT).await)?.unwrap_or_default();
    assert!(fetched.len() <= asked.len(), "more than was asked for");
    for fetched in &fetched {
        assert!(asked.contains(&fetched.seen.uid));
        assert!(fetched.octets.len() <= LIMIT + 1024, "a long message");
    }
    goes_on(
        session
            .idle(Instant::now(), std::future::pending::<()>())
            .await,
    )?;
    goes_on(session.mark(7, Flags::READ, Flags::FLAGGED).await)?;
    goes_on(session.move_to(7, "Trash").await)?;
    goes_on(
        session
            .append("Sent", Flags::READ, 0, b"Subject: x\r\n\r\n")
            .await,
    )?;
    goes_on(session.expunge(7).await)?;
    session.close().await;
    Ok(())
}

/// A POP3 server that says this, whatever it is asked.
pub fn pop3(said: &[u8]) {
    let _ends = run(maildrop(said));
}

async fn maildrop(said: &[u8]) -> Result<(), MailError> {
    let mut pop3 = Pop3::over(link(said), false).await?;
    pop3.login("alice", &password()).await?;
    let listed = goes_on(pop3.list().await)?.unwrap_or_default();
    for message in listed.iter().take(3) {
        let got = goes_on(pop3.retrieve(message, LIMIT).await)?;
        if let Some((octets, _)) = got {
            assert!(octets.len() <= LIMIT, "a long message");
        }
        goes_on(pop3.delete(message.number).await)?;
    }
    pop3.close().await
}

/// What was handed over.
struct Taken(Mutex<Vec<(usize, Vec<u8>)>>);

impl Deliver for Taken {
    fn knows(&self, address: &str) -> Result<bool, String> {
        match address.len() % 8 {
            0 => Err("not now".to_owned()),
            length => Ok(length != 1),
        }
    }

    fn deliver(&self, _sender: &str, recipients: &[String], message: &[u8]) -> Vec<Verdict> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push((recipients.len(), message.to_vec()));
        recipients
            .iter()
            .map(|to| match to.len() % 5 {
                0 => Verdict::Unknown,
                1 => Verdict::Refused(to.clone()),
                2 => Verdict::Later(to.clone()),
                _ => Verdict::Delivered,
            })
            .collect()
    }
}

/// A delivery agent that says this, whatever is answered. Gives how many messages it handed over.
pub fn lmtp(said: &[u8]) -> usize {
    let taken = Arc::new(Taken(Mutex::default()));
    let deliver: Arc<dyn Deliver> = Arc::<Taken>::clone(&taken);
    let mut answers = Vec::new();
    let stream = join(Cursor::new(said.to_vec()), &mut answers);
    let _ends = run(lmtp::serve(stream, MOST, deliver));
    let text = std::str::from_utf8(&answers).expect("answers are ASCII");
    assert!(text.is_empty() || text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        let (code, rest) = line.split_at_checked(3).expect("a code");
        assert!(code.bytes().all(|octet| octet.is_ascii_digit()), "{line:?}");
        assert!(rest.starts_with([' ', '-']) && !rest.contains(['\r', '\n']));
    }
    let taken = taken.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (recipients, message) in taken.iter() {
        assert!(*recipients > 0, "a message for nobody");
        assert!(message.len() <= MOST, "a message over the limit");
        let ends = memchr::memmem::find(message, b"\r\n.\r\n");
        // Two dots at the beginning of a line are one in the message; a line of one dot is its end.
        let doubled = memchr::memmem::find(said, b"\r\n..\r\n");
        assert!(
            ends.is_none() || doubled.is_some(),
            "it goes beyond its end"
        );
    }
    taken.len()
}

/// An autoconfig file.
pub fn autoconfig(body: &[u8]) {
    let found = autoconfig::read(body, "alice@example.org", "alice", "example.org");
    let Some((incoming, outgoing)) = found else {
        return;
    };
    for found in [Some(incoming), outgoing].into_iter().flatten() {
        let host = &found.address.host;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        assert!(host.contains('.') && host.chars().all(plain), "{host:?}");
        assert!(found.address.port != 0 && !found.user.is_empty());
        assert!(
            !found.user.chars().any(char::is_control),
            "{:?}",
            found.user
        );
        assert_ne!(
            found.address.encryption,
            super::settings::Encryption::None,
            "without TLS"
        );
    }
}
