//! What the server says first: notifications for devices, and settings for new ones; from a change to the sync that follows.
//!
//! - [`plan`] and [`policy`] decide, purely: what is next with a notification.
//! - [`wanted`] judges whether what changed is worth one.
//! - [`mail`] tells which new mail is worth one.
//! - [`message`] makes what is handed to a gateway.
//! - [`settings`] makes settings for phones.
//! - [`worker`] claims what is due, plans it, hands it over, and writes down what became of it.
//! - [`events`] takes what gateways bring: receipts, and texts from phones.
//! - [`desk`] does what people and programs ask for.
//! - [`Figures`] counts.
//!
//! What stays true: nothing is kept in memory that is not in the database. A node that dies loses its leases and nothing
//! else; what it had handed over and not written down yet is handed over again, at most `in_flight` for each gateway.

pub mod desk;
pub mod events;
mod figures;
pub mod mail;
pub mod message;
pub mod plan;
pub mod policy;
pub mod settings;
pub mod wanted;
pub mod worker;

pub use figures::Figures;
pub use worker::{Outbox, Settings};
