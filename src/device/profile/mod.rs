//! Device profiles: what the phones of a family do their own way, as data.
//!
//! A profile is a TOML file. It says which devices it is for, and has rules: effects, each with the source that tells of it. A profile can
//! build upon another one, whose rules then apply as well. [`Catalogue::resolve`] finds the profile of a device and lays
//! its rules over each other, the more specific ones last; [`Resolved`] is what sessions and the content layer are given.
//!
//! ```toml
//! name = "acme-x1"
//! title = "Acme X1"
//! extends = "acme"                                  # optional
//! match = [{ user_agent = "AcmeX1*" }, { manufacturer = "ACME", model = ["X1", "X1i"] }]
//!
//! [[rule]]
//! name = "small-messages"
//! match = [{ software = "R1*" }]                    # optional: only for some of them
//! source = "where this is known from"
//! session = { max_message = 4000 }
//! ```
//!
//! Pure: texts in, values out. The folder of an operator's own profiles is read elsewhere.

mod catalogue;
mod embedded;
mod file;
mod matching;
mod resolve;
mod table;
mod traits;

pub use catalogue::{Catalogue, Fault};
pub use file::{Example, Profile, Rule};
pub use matching::{Identity, Key, Match, Matched};
pub use resolve::{Applied, Resolved, Why};
pub use table::table;
pub use traits::{DevInfParams, Notification, Provisioning, Times, Traits, UiMode};

#[cfg(test)]
mod tests;
