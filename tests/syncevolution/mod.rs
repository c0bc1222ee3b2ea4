//! SyncEvolution's client as the phone, against candybar and, as a control of the scenarios, against its own server.

mod edits;
mod matrix;
mod scenario;
