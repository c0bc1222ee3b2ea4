//! A server that was found, and what names can be believed.

use crate::mail::settings::{Address, Protocol};

/// Characters of a domain.
const LONGEST_DOMAIN: usize = 253;

/// A server that was found, and the user name that it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is.
    pub address: Address,
    /// The user.
    pub user: String,
    /// It wants an OAuth2 token, not a password.
    pub token: bool,
}

/// A name that can be put into an address: letters, digits, hyphens and dots.
pub(super) fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.len() <= LONGEST_DOMAIN
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        })
}
