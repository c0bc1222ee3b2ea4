//! The readers of what mail servers say, without what works with them.

#[path = "discover.rs"]
pub mod discover;
#[path = "../src/mail/error.rs"]
mod error;
#[path = "../src/mail/flags.rs"]
mod flags;
#[path = "../src/mail/imap/mod.rs"]
mod imap;
#[path = "../src/mail/link.rs"]
mod link;
#[path = "../src/mail/lmtp.rs"]
pub mod lmtp;
#[path = "../src/mail/pop3.rs"]
mod pop3;
#[path = "../src/mail/readers.rs"]
pub mod readers;
#[path = "../src/mail/role.rs"]
mod role;
#[path = "../src/mail/settings.rs"]
pub mod settings;

pub use error::MailError;
pub use flags::Flags;
