//! What the server says without being asked, as octets: notifications, settings, and their way through WAP push and
//! short messages. Both ways: what is built here is read here too.
//!
//! A push is built from the inside out. A notification ([`san`], [`notification`], [`emn`], [`si`]) or a settings
//! document ([`prov`], [`ota`]) becomes a [`wsp::Push`]; its octets become the [`wdp::segments`] of short messages. The
//! other way, [`sms`] reads what gateways and phones show, [`wdp::Reassembly`] puts segments together, and
//! [`wsp::Push::read`] opens the push.
//!
//! ```
//! use candybar::push::{Notice, ServerAlert, Sync, san, wdp, wsp};
//!
//! let notice = Notice {
//!     session_id: 1,
//!     server_id: "sync.example.org".to_owned(),
//!     syncs: vec![Sync::new(ServerAlert::TwoWay, "text/x-vcard", "contacts")],
//!     ..Notice::default()
//! };
//! let package = san::build(&notice, "password", b"nonce")?;
//! let push = wsp::Push::notification(package);
//! let segments = wdp::segments(&push.octets()?, wdp::Ports::PUSH, wdp::Reference::Octet(7))?;
//! assert_eq!(segments.len(), 1);
//! # Ok::<(), candybar::push::BuildError>(())
//! ```
//!
//! Invariants: no IO, no clock, no random numbers: times, nonces and references are given. Octets from outside never
//! panic; every count and length that a peer controls has a limit. Passwords are in no error.

mod document;
pub mod emn;
mod error;
pub mod gsm;
mod notice;
pub mod notification;
mod octets;
pub mod ota;
pub mod prov;
pub mod san;
mod settings;
pub mod si;
pub mod sms;
#[cfg(test)]
mod tests;
pub mod wdp;
pub mod wsp;

pub use error::{BuildError, ReadError, ReadErrorKind};
pub use notice::{Initiator, Notice, ServerAlert, Sync, UiMode};
pub use settings::{
    AccessPoint, Connection, ContentType, DatastoreSettings, Login, Proxy, Settings,
};
