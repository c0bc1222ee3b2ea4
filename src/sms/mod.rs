//! SMS gateways: what carries a push or a text to a phone's number, and what comes back.
//!
//! - [`SmsGateway`] is one way out. It takes a [`Message`], one push or one text, as a unit, and says part by part what it took.
//! - [`Gateways`] is all that are configured: it chooses by number prefix, in order, and fails over.
//! - Receipts and texts from phones (MO) come as [`Delivery`]: what they mean is kept before the gateway is told that it
//!   arrived, so none is lost in between.
//!
//! What stays true: a gateway carries octets and builds none of the push itself. Nothing is tried again here unless the
//! gateway certainly did not take it: [`GatewayError::is_certain`]. What waits is bounded by each gateway's window.

mod callback;
mod circuit;
mod ctp;
mod error;
mod event;
mod file;
mod http;
mod kannel;
mod loopback;
mod message;
mod number;
mod pap;
mod rate;
mod router;
pub mod settings;
mod smpp;
mod spool;
mod submit;
mod template;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

pub use circuit::CircuitState;
pub use ctp::{Directory, Entry};
pub use error::{GatewayError, StartError};
pub use event::{
    Acknowledgement, Callback, CallbackAnswer, Delivery, Event, Incoming, Payload, Receipt,
    ReceiptState,
};
pub use message::{
    BinarySms, Content, DeviceAddress, Message, Push, Recipient, Reference, Sms, TextSms, Unit,
};
pub use number::{Msisdn, NumberError, Prefix};
pub use router::{GatewayState, Gateways, Outcome, Tried};
pub use submit::{Accepted, Report, Submitted};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a gateway finds the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// By its number.
    Number,
    /// By account and device: the phone holds a connection.
    Device,
    /// There is one phone, whatever its number.
    Anyone,
}

/// What a gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How it finds the phone.
    pub addressing: Addressing,
    /// Pushes.
    pub push: bool,
    /// Texts for people.
    pub text: bool,
    /// Says later whether the phone got it.
    pub receipts: bool,
    /// Brings texts from phones.
    pub incoming: bool,
    /// Parts that it takes of one message at most.
    pub max_parts: u8,
}

/// One way out to phones.
pub trait SmsGateway: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Hands over the missing parts of a message, in order, up to the first that is not taken.
    ///
    /// Whoever drops the future does not know what was taken.
    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report>;

    /// Answers what the gateway posted to our HTTP server; gateways that post nothing refuse it.
    fn callback<'a>(&'a self, _callback: &'a Callback<'a>) -> BoxFuture<'a, CallbackAnswer> {
        Box::pin(async { CallbackAnswer::not_found() })
    }

    /// Whether the phone can be reached right now; only a gateway that holds connections knows.
    fn reaches(&self, _to: &Recipient) -> bool {
        true
    }

    /// Says good-bye to its peer. Nothing is handed to it afterwards.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Where it listens for phones; `None` if it does not.
    fn listens_at(&self) -> Option<SocketAddr> {
        None
    }
}
