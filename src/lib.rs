//! candybar: a SyncML / OMA DS push-sync server for feature phones.
//!
//! The map of the modules and the rules between them are in `ARCHITECTURE.md`.

// The HTTP API for programs of the operator.
pub mod api;
// Command line: one file per subcommand.
pub mod cli;
// Configuration file, environment and flags, as one typed value.
pub mod config;
// What an item is: vCard, vCalendar, iCalendar, notes; one model per kind.
pub mod content;
// What a device can hold, read from its DevInf.
pub mod device;
// One SyncML message through the server: decode, drive the session, commit, encode.
pub mod exchange;
// Which items and fields a device wants: the filters of OMA DS.
pub mod filter;
// The virtual phone: a SyncML client that can be scripted.
pub mod handset;
// Mail from and to the world: mailboxes that are watched, mail that is handed over, mail that is sent.
pub mod mail;
// What the server says first: when, how, and what came of it.
pub mod outbox;
// Notifications, settings and their way in short messages, as octets.
pub mod push;
// Passwords and other secrets: encryption at rest.
pub mod secret;
// Sans-IO SyncML server sessions.
pub mod session;
// SMS gateways: pushes and texts to phones, receipts and texts back.
pub mod sms;
// Accounts, devices, items, views and sessions in a database.
pub mod store;
// The words that sessions and stores share: items, views, queries, changes; conflict and matching rules.
pub mod sync;
// SyncML messages as types, and their mapping to the event stream.
pub mod syncml;
// Log set-up.
pub mod telemetry;
// WBXML carrier.
pub mod wbxml;
// HTTP front.
pub mod web;
// XML carrier.
pub mod xml;
