//! Replaying recorded sessions of phones against a server.
//!
//! [`read`] turns files into messages, [`sessions`] puts them in order, [`Player`] plays them: what depends on the server of
//! then is written anew (credentials, ids of session and messages, Statuses, Maps), everything else is sent as it was
//! recorded. A session whose beginning is missing gets one, a session that the server has not finished is brought to its end.
//!
//! Invariants: nothing here reads files or a clock; a recording cannot make it fail or loop.

mod capture;
mod player;
mod report;
mod rewrite;
mod session;
mod statuses;

#[cfg(test)]
mod tests;

pub use capture::{Entry, Recorded, read};
pub use player::{Access, Player};
pub use report::{Answered, MessageReport, ReplayReport};
pub use session::{Session, datastores, sessions};
