//! What the tests of the whole program share: the program itself, peers that we did not write, and how items compare.

pub(crate) mod ctp;
pub(crate) mod cutter;
pub(crate) mod datastore;
pub(crate) mod dovecot;
pub(crate) mod fields;
pub(crate) mod gate;
pub(crate) mod kannel;
pub(crate) mod lines;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod provider;
pub(crate) mod recording;
pub(crate) mod report;
pub(crate) mod server;
pub(crate) mod smsc;
pub(crate) mod syncevolution;
pub(crate) mod syncevolution_server;
