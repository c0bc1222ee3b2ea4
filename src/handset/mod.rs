//! The virtual phone: a SyncML client as a phone has it (OMA DS Protocol 1.2, SyncML Sync Protocol 1.0 and 1.1).
//!
//! [`Client`] is the protocol without IO; [`Phone`] is a client with a memory and a [`Transport`]; [`Behaviour`] lets
//! it do what phones do, right or wrong; [`Storage`] is what it makes of items; [`Model`] is a phone that people own, as
//! data for all of these; [`replay`] plays recordings of
//! real phones; [`Faults`] is a bad network.
//!
//! Invariants: of the crate only the message model, its codec, content and push are used here, never the server's
//! modules: a phone knows of the server only what travels. Client, memory and faults do no IO and read no clock.

mod behaviour;
mod client;
mod credentials;
mod device_info;
mod faults;
mod inbox;
mod memory;
mod mode;
mod model;
mod phone;
mod properties;
pub mod replay;
mod report;
mod settings;
mod state_file;
mod storage;
mod transport;

#[cfg(test)]
mod tests;

pub use behaviour::{Behaviour, Breaking, PhaseJump, SessionIdStyle};
pub use client::{Client, Failure, Next, Progress, Request};
pub use credentials::Auth;
pub use device_info::{DatastoreCapability, DeviceInfo, PropertyCapability};
pub use faults::{FaultCounts, FaultRates, Faults};
pub use inbox::{Inbox, Incoming, Keys, Notification, Signature};
pub use memory::{
    CachedMap, DatastoreMemory, Interrupted, ItemState, Luid, Memory, Octets, PartIn, PartOut,
    StoredItem,
};
pub use mode::{Mode, UnknownMode};
pub use model::{Model, ModelError};
pub use phone::{Phone, PhoneError};
pub use report::{Changes, DatastoreReport, Direction, ItemFailure, Report};
pub use settings::{Addresses, Settings, Wanted};
pub use state_file::{StateFile, StateFileError};
pub use storage::{Addition, Alarms, Field, Poison, Rules, Slot, Storage, Taken, Times, Writing};
pub use transport::{Answer, HttpTransport, Post, Transport, TransportError};
