//! The file in which a provider names its mail servers.

#[path = "../src/mail/discover/autoconfig.rs"]
pub(super) mod autoconfig;
#[path = "../src/mail/discover/found.rs"]
mod found;

pub use found::Found;
