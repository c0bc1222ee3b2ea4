//! Tests of the whole program: the release binary, and real peers that the tests start themselves.

mod architecture;
mod busy;
mod cli;
mod codec;
mod fuzz;
mod gateways;
mod hostile;
mod kill;
mod mail;
mod midlet;
mod models;
mod netsim;
mod outbox;
mod push;
mod recorded;
mod submission;
mod support;
mod syncevolution;
