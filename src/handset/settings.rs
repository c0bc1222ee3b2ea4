//! What the user of a phone sets: server, account, protocol, datastores.

use std::collections::BTreeMap;

use super::credentials::Auth;
use super::device_info::DeviceInfo;
use super::storage::Storage;
use crate::syncml::{Carrier, Version};

/// The two addresses of a datastore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// On the phone: Source of Alert and Sync, SourceRef in DevInf.
    pub local: String,
    /// On the server: Target of Alert and Sync.
    pub remote: String,
}

impl Addresses {
    /// Both sides use the same address.
    pub fn same(address: &str) -> Self {
        Self {
            local: address.to_owned(),
            remote: address.to_owned(),
        }
    }
}

/// Which items and fields of a datastore the phone wants (1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The items, in the grammar `syncml:filtertype-cgi`; all if there is none.
    pub record: Option<String>,
    /// The fields, by their names in the phone's form; all if there are none.
    pub fields: Vec<String>,
    /// What does not pass may stay on the phone (INCLUSIVE).
    pub inclusive: bool,
}

/// How a phone talks to its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where messages go until the server names another address.
    pub server_url: String,
    /// Target LocURI of the header, usually the same.
    pub target_uri: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// The server's password at the phone: with it the phone checks notifications, and gives the server a nonce for the
    /// next one in each session.
    pub server_password: Option<String>,
    /// Protocol version.
    pub version: Version,
    /// XML or WBXML.
    pub carrier: Carrier,
    /// Credentials.
    pub auth: Auth,
    /// Octets of the largest message that the phone takes.
    pub max_msg_size: u64,
    /// Octets of the largest item that the phone takes.
    pub max_obj_size: u64,
    /// NumberOfChanges is sent (1.1 and later).
    pub number_of_changes: bool,
    /// The server's device information is asked for at the first sync.
    pub ask_devinf: bool,
    /// What the phone says about itself.
    pub devinf: DeviceInfo,
    /// What the phone makes of items; by default it keeps them as they come.
    pub storage: Storage,
    /// User-Agent of HTTP.
    pub user_agent: String,
    /// x-wap-profile of HTTP.
    pub profile: Option<String>,
    /// Parameters after the media type of HTTP, such as `; charset=UTF-8`.
    pub content_type_parameters: String,
    /// Addresses by datastore name.
    pub datastores: BTreeMap<String, Addresses>,
    /// What the phone wants of a datastore, by datastore name.
    pub filters: BTreeMap<String, Wanted>,
    /// A session with more messages than this is given up.
    pub max_messages: u32,
    /// Items that a datastore can hold; further Adds get 420.
    pub max_items: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let names = ["contacts", "calendar", "tasks", "notes"];
        Self {
            server_url: "http://127.0.0.1:8080/sync".to_owned(),
            target_uri: "http://127.0.0.1:8080/sync".to_owned(),
            user: String::new(),
            password: String::new(),
            server_password: None,
            version: Version::V12,
            carrier: Carrier::Wbxml,
            auth: Auth::Md5,
            max_msg_size: 16_384,
            max_obj_size: 4 << 20,
            number_of_changes: true,
            ask_devinf: true,
            devinf: DeviceInfo::default(),
            storage: Storage::default(),
            user_agent: "candybar handset".to_owned(),
            profile: None,
            content_type_parameters: String::new(),
            datastores: names
                .map(|name| (name.to_owned(), Addresses::same(&format!("./{name}"))))
                .into(),
            filters: BTreeMap::new(),
            max_messages: 20_000,
            max_items: 200_000,
        }
    }
}

impl Settings {
    /// Settings for a server and an account; the rest has defaults.
    pub fn new(server_url: &str, user: &str, password: &str) -> Self {
        Self {
            server_url: server_url.to_owned(),
            target_uri: server_url.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            ..Self::default()
        }
    }
}
