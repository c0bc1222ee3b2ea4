//! The outbox at work.
pub mod plan;
pub mod policy;
