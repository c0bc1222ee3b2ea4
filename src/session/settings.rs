//! What an operator can choose about sessions.

use std::sync::Arc;

use crate::device::profile::Catalogue;
use crate::sync::{ConflictPolicy, Datastore, Window, Windows};

/// Settings of all sessions of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Octets of the largest message that the server takes.
    pub max_message: u64,
    /// Octets of the largest object that the server takes.
    pub max_object: u64,
    /// Items that an account may hold; 0: as many as there are.
    pub quota_items: u64,
    /// Octets of all bodies that an account may hold; 0: no limit.
    pub quota_octets: u64,
    /// What happens when both sides changed an item.
    pub conflict: ConflictPolicy,
    /// Policies of single datastores.
    pub conflicts: Vec<(Datastore, ConflictPolicy)>,
    /// Zone of the devices that know local time only.
    pub time_zone: chrono_tz::Tz,
    /// More addresses of datastores, beside those that [`Datastore::resolve`] knows.
    pub aliases: Vec<(String, Datastore)>,
    /// The server's address as phones reach it; given back as RespURI if set.
    pub public_url: Option<String>,
    /// DevID of the server's device information.
    pub server_id: String,
    /// What devices do their own way.
    pub profiles: Arc<Catalogue>,
    /// A session that deletes more than this share of a datastore is held; 100: none is.
    pub hold_deletes_percent: u8,
    /// Which mails a device has that has no windows of its own.
    pub mail_windows: Windows,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message: 1 << 20,
            max_object: 4 << 20,
            quota_items: 0,
            quota_octets: 0,
            conflict: ConflictPolicy::default(),
            conflicts: Vec::new(),
            time_zone: chrono_tz::Tz::UTC,
            aliases: Vec::new(),
            public_url: None,
            server_id: "candybar".to_owned(),
            profiles: Catalogue::embedded(),
            hold_deletes_percent: 50,
            mail_windows: Windows::all(Window::DEFAULT),
        }
    }
}

impl Settings {
    /// The policy of a datastore.
    pub(super) fn policy(&self, datastore: Datastore) -> ConflictPolicy {
        self.conflicts
            .iter()
            .find(|(of, _)| *of == datastore)
            .map_or(self.conflict, |(_, policy)| *policy)
    }

    /// The datastore that a peer means by an address.
    pub(super) fn resolve(&self, uri: &str) -> Option<Datastore> {
        let bare = |uri: &str| {
            uri.trim()
                .trim_start_matches("./")
                .trim_matches('/')
                .to_ascii_lowercase()
        };
        let wanted = bare(uri);
        self.aliases
            .iter()
            .find(|(alias, _)| bare(alias) == wanted)
            .map(|(_, datastore)| *datastore)
            .or_else(|| Datastore::resolve(uri))
    }
}
