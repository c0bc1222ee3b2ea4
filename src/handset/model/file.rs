//! The shape of a model's file.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::handset::behaviour::Behaviour;
use crate::handset::credentials::Auth;
use crate::handset::device_info::PropertyCapability;
use crate::handset::storage::Rules;
use crate::syncml::{Carrier, Version};

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) sources: Vec<String>,
    #[serde(default)]
    pub(super) assumptions: Vec<String>,
    pub(super) protocol: Protocol,
    #[serde(default)]
    pub(super) http: Http,
    pub(super) devinf: DevInf,
    pub(super) datastores: BTreeMap<String, Datastore>,
    #[serde(default)]
    pub(super) storage: BTreeMap<String, Rules>,
    #[serde(default)]
    pub(super) behaviour: Behaviour,
}

/// How it speaks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Protocol {
    #[serde(deserialize_with = "version")]
    pub(super) version: Version,
    #[serde(deserialize_with = "carrier")]
    pub(super) carrier: Carrier,
    pub(super) auth: Auth,
    pub(super) max_msg_size: u64,
    /// Octets; no large objects if 0 or less than a message.
    pub(super) max_obj_size: u64,
    #[serde(default)]
    pub(super) number_of_changes: bool,
    #[serde(default)]
    pub(super) ask_devinf: bool,
    /// `{imei}` and `{imei-dashed}` are replaced.
    pub(super) device_id: String,
}

/// What it tells to the HTTP server.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    pub(super) user_agent: String,
    pub(super) profile: Option<String>,
    pub(super) content_type_parameters: String,
}

/// What it says about itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DevInf {
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) firmware: Option<String>,
    pub(super) software: Option<String>,
    pub(super) hardware: Option<String>,
    #[serde(default = "phone")]
    pub(super) device_type: String,
    #[serde(default)]
    pub(super) utc: bool,
    #[serde(default)]
    pub(super) large_objects: bool,
    #[serde(default)]
    pub(super) number_of_changes: bool,
}

fn phone() -> String {
    "phone".to_owned()
}

/// One of its datastores.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Datastore {
    pub(super) local: String,
    pub(super) remote: String,
    #[serde(default)]
    pub(super) display_name: String,
    /// `text/x-vcard 2.1`; the first is preferred.
    pub(super) types: Vec<String>,
    pub(super) max_guid_size: Option<u64>,
    pub(super) max_items: Option<u64>,
    #[serde(default = "usual_types")]
    pub(super) sync_types: Vec<u32>,
    #[serde(default)]
    pub(super) properties: Vec<Property>,
}

fn usual_types() -> Vec<u32> {
    vec![1, 2, 4, 6, 7]
}

/// A property of the CTCap: its name, or more.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Property {
    Name(String),
    Full(FullProperty),
}

/// A property with what is said about it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullProperty {
    name: String,
    size: Option<u64>,
    occurs: Option<u64>,
    #[serde(default)]
    no_truncate: bool,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
}

impl From<Property> for PropertyCapability {
    fn from(property: Property) -> Self {
        match property {
            Property::Name(name) => Self::new(&name),
            Property::Full(full) => Self {
                name: full.name,
                max_size: full.size,
                max_occur: full.occurs,
                no_truncate: full.no_truncate,
                values: full.values,
                types: full.types,
            },
        }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let text = String::deserialize(deserializer)?;
    Version::from_dtd(&text).ok_or_else(|| serde::de::Error::custom("1.0, 1.1 or 1.2"))
}

fn carrier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Carrier, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "wbxml" => Ok(Carrier::Wbxml),
        "xml" => Ok(Carrier::Xml),
        _ => Err(serde::de::Error::custom("wbxml or xml")),
    }
}
