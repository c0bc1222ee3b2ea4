//! Mail from outside: mailboxes that are watched (IMAP, POP3), mail that is handed to us (LMTP, HTTP).
//!
//! An account's mail datastore is a copy of its mailboxes within a window. Watchers bring what changed at the server as
//! ordinary changes of the store, and carry what phones changed to the server; sessions work with the store alone.

mod batch;
mod error;
mod flags;
mod imap;
mod intake;
mod link;
pub mod lmtp;
mod pop3;
mod role;
pub mod settings;
pub mod watch;

pub use error::MailError;
pub use flags::Flags;
pub use intake::{Intake, IntakeError, LocalMail};
