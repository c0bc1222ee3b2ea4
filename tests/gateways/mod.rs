//! Gateways against real peers that the tests start, and against peers that misbehave.

mod kannel;
mod provider;
mod serve;
mod smpp;
mod spool;
mod world;
