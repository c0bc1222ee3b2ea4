//! Bad input over real HTTP against the running program: each kind gets the right answer, nothing of it is written, and a
//! good sync works afterwards.

mod commands;
mod connections;
mod dialogue;
mod http;
mod identity;
mod names;
mod octets;
mod requests;
mod sessions;
mod target;
