//! To be filled.

/// Stub.
#[derive(Clone)]
pub struct Store;
