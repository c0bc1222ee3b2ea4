//! Mail from and to the world: mailboxes that are watched (IMAP, POP3), mail that is handed to us (LMTP, HTTP), and mail of phones that is sent.
//!
//! An account's mail datastore is a copy of its mailboxes within a window. Watchers bring what changed at the server as
//! ordinary changes of the store, and carry what phones changed to the server; sessions work with the store alone.

mod batch;
pub mod discover;
mod error;
mod flags;
mod imap;
mod intake;
mod link;
pub mod lmtp;
pub mod outgoing;
mod pop3;
mod post;
mod role;
pub mod settings;
pub mod submission;
pub mod watch;

pub use error::MailError;
pub use flags::Flags;
pub use intake::{Intake, IntakeError, LocalMail};
pub use post::Accounts;

/// Logs in at a server once; gives what it can do for push mail.
pub async fn check(incoming: &settings::Incoming) -> Result<Vec<String>, MailError> {
    let login = &incoming.login;
    let credential = login.credential.clone();
    let shown = tokio::task::spawn_blocking(move || credential.shown())
        .await
        .map_err(|_| MailError::Settings("the token cannot be read".to_owned()))??;
    if incoming.protocol == settings::Protocol::Pop3 {
        let mut pop3 = pop3::Pop3::connect(&login.address).await?;
        pop3.login(&login.user, &shown).await?;
        pop3.close().await?;
        return Ok(Vec::new());
    }
    let mut session = imap::Session::connect(&login.address, 64 << 10).await?;
    session.login(&login.user, &shown).await?;
    let able = [
        "IDLE",
        "NOTIFY",
        "CONDSTORE",
        "QRESYNC",
        "MOVE",
        "UIDPLUS",
        "SPECIAL-USE",
    ];
    let able = able.into_iter().filter(|name| session.can(name));
    let able = able.map(str::to_owned).collect();
    session.close().await;
    Ok(able)
}
