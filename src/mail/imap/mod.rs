//! An IMAP client (RFC 3501, RFC 9051) as a watcher needs it: LIST with SPECIAL-USE (RFC 6154), SELECT with CONDSTORE and
//! QRESYNC (RFC 7162), UID FETCH in parts, flags, moves, APPEND (RFC 4315), IDLE (RFC 2177), NOTIFY (RFC 5465).
//!
//! Responses are read by the crate `imap-proto`; what it does not know is passed over. A server's lines, literals and
//! answers in time are limited by [`Link`](super::link::Link).

mod folders;
mod login;
mod messages;
mod name;
mod session;
#[cfg(test)]
mod tests;
mod wait;

pub(super) use folders::{ListedFolder, Selected};
pub(super) use messages::{Fetched, Seen};
pub(super) use name::wire_part;
pub(super) use session::Session;
pub(super) use wait::News;
