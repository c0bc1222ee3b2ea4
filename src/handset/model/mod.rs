//! Phones that people own, as data: `handset-models/*.toml`, embedded.
//!
//! A model says what the phone tells of itself, how it stores and writes items, and what it does wrong; the code knows
//! mechanisms only. A model may be based on another one: tables are merged, everything else is replaced.
//!
//! Invariant: every embedded file can be read (a test holds it), so [`Model::named`] fails for unknown names only.

mod file;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::behaviour::Behaviour;
use super::device_info::{DatastoreCapability, DeviceInfo};
use super::settings::{Addresses, Settings};
use super::storage::Storage;
use file::File;

/// Bases may be this deep.
const MAX_BASES: usize = 8;

/// All files: the name of the model and its text. A test holds the list against the folder.
const FILES: &[(&str, &str)] = &[
    (
        "funambol-outlook",
        include_str!("../../../handset-models/funambol-outlook.toml"),
    ),
    (
        "funambol-windows-mobile",
        include_str!("../../../handset-models/funambol-windows-mobile.toml"),
    ),
    (
        "motorola-v3",
        include_str!("../../../handset-models/motorola-v3.toml"),
    ),
    (
        "motorola-v8",
        include_str!("../../../handset-models/motorola-v8.toml"),
    ),
    (
        "motorola-w510",
        include_str!("../../../handset-models/motorola-w510.toml"),
    ),
    (
        "nokia-7610",
        include_str!("../../../handset-models/nokia-7610.toml"),
    ),
    (
        "nokia-9210",
        include_str!("../../../handset-models/nokia-9210.toml"),
    ),
    (
        "nokia-9500",
        include_str!("../../../handset-models/nokia-9500.toml"),
    ),
    (
        "nokia-e7",
        include_str!("../../../handset-models/nokia-e7.toml"),
    ),
    (
        "nokia-s40",
        include_str!("../../../handset-models/nokia-s40.toml"),
    ),
    (
        "nokia-s40-2nd",
        include_str!("../../../handset-models/nokia-s40-2nd.toml"),
    ),
    (
        "nokia-s40-6th",
        include_str!("../../../handset-models/nokia-s40-6th.toml"),
    ),
    (
        "nokia-s60",
        include_str!("../../../handset-models/nokia-s60.toml"),
    ),
    (
        "panasonic-x70",
        include_str!("../../../handset-models/panasonic-x70.toml"),
    ),
    (
        "siemens-s55",
        include_str!("../../../handset-models/siemens-s55.toml"),
    ),
    (
        "siemens-sx1",
        include_str!("../../../handset-models/siemens-sx1.toml"),
    ),
    (
        "sony-ericsson-k610i",
        include_str!("../../../handset-models/sony-ericsson-k610i.toml"),
    ),
    (
        "sony-ericsson-k750i",
        include_str!("../../../handset-models/sony-ericsson-k750i.toml"),
    ),
    (
        "sony-ericsson-k800i",
        include_str!("../../../handset-models/sony-ericsson-k800i.toml"),
    ),
    (
        "sony-ericsson-m600i",
        include_str!("../../../handset-models/sony-ericsson-m600i.toml"),
    ),
    (
        "sony-ericsson-p1i",
        include_str!("../../../handset-models/sony-ericsson-p1i.toml"),
    ),
    (
        "sony-ericsson-p900",
        include_str!("../../../handset-models/sony-ericsson-p900.toml"),
    ),
    (
        "sony-ericsson-t610",
        include_str!("../../../handset-models/sony-ericsson-t610.toml"),
    ),
    (
        "sony-ericsson-w910i",
        include_str!("../../../handset-models/sony-ericsson-w910i.toml"),
    ),
];

/// Why there is no such model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No file of that name.
    #[error("there is no model {0:?}; `candybar handset models` lists them")]
    Unknown(String),
    /// A file cannot be read.
    #[error("the model {0} cannot be read: {1}")]
    Broken(String, String),
}

/// A phone that people own.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name on the command line.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Where the facts are from.
    pub sources: Vec<String>,
    /// What no source says and was chosen.
    pub assumptions: Vec<String>,
    /// What it does differently from the specification.
    pub behaviour: Behaviour,
    settings: Settings,
    device_id: String,
}

impl Model {
    /// The names of all models.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The model of that name.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        let wanted = name.trim().to_ascii_lowercase();
        let table = table(&wanted, 0)?;
        let file: File = table
            .try_into()
            .map_err(|error: toml::de::Error| broken(&wanted, &error))?;
        Ok(Self::of(&wanted, file))
    }

    fn of(name: &str, file: File) -> Self {
        let mut settings = Settings {
            version: file.protocol.version,
            carrier: file.protocol.carrier,
            auth: file.protocol.auth,
            max_msg_size: file.protocol.max_msg_size,
            max_obj_size: file.protocol.max_obj_size,
            number_of_changes: file.protocol.number_of_changes,
            ask_devinf: file.protocol.ask_devinf,
            user_agent: file.http.user_agent,
            profile: file.http.profile,
            content_type_parameters: file.http.content_type_parameters,
            storage: Storage {
                rules: file.storage,
                ..Storage::default()
            },
            datastores: BTreeMap::new(),
            ..Settings::default()
        };
        settings.devinf = DeviceInfo {
            manufacturer: file.devinf.manufacturer,
            model: file.devinf.model,
            firmware: file.devinf.firmware,
            software: file.devinf.software,
            hardware: file.devinf.hardware,
            device_type: file.devinf.device_type,
            utc: file.devinf.utc,
            large_objects: file.devinf.large_objects,
            number_of_changes: file.devinf.number_of_changes,
            datastores: BTreeMap::new(),
        };
        for (store, of) in file.datastores {
            settings.datastores.insert(
                store.clone(),
                Addresses {
                    local: of.local,
                    remote: of.remote,
                },
            );
            let content_types = of
                .types
                .iter()
                .map(|kind| match kind.split_once(' ') {
                    Some((kind, version)) => (kind.to_owned(), version.to_owned()),
                    None => (kind.clone(), String::new()),
                })
                .collect();
            settings.devinf.datastores.insert(
                store,
                DatastoreCapability {
                    display_name: of.display_name,
                    content_types,
                    max_guid_size: of.max_guid_size,
                    max_items: of.max_items,
                    sync_types: of.sync_types,
                    hierarchical: false,
                    properties: of.properties.into_iter().map(Into::into).collect(),
                },
            );
        }
        Self {
            name: name.to_owned(),
            title: file.title,
            sources: file.sources,
            assumptions: file.assumptions,
            behaviour: file.behaviour,
            settings,
            device_id: file.protocol.device_id,
        }
    }

    /// The settings of such a phone for a server and an account.
    pub fn settings(&self, server_url: &str, user: &str, password: &str) -> Settings {
        Settings {
            server_url: server_url.to_owned(),
            target_uri: server_url.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            ..self.settings.clone()
        }
    }

    /// The datastores that it has.
    pub fn datastores(&self) -> impl Iterator<Item = &str> {
        self.settings.datastores.keys().map(String::as_str)
    }

    /// How such a phone writes its device id. `imei`: 15 digits.
    pub fn device_id(&self, imei: &str) -> String {
        let dashed = match (
            imei.get(..6),
            imei.get(6..8),
            imei.get(8..14),
            imei.get(14..),
        ) {
            (Some(a), Some(b), Some(c), Some(d)) => format!("{a}-{b}-{c}-{d}"),
            _ => imei.to_owned(),
        };
        self.device_id
            .replace("{imei}", imei)
            .replace("{imei-dashed}", &dashed)
    }
}

fn broken(name: &str, error: &toml::de::Error) -> ModelError {
    ModelError::Broken(name.to_owned(), error.to_string())
}

/// A file as a table, on top of its bases.
fn table(name: &str, depth: usize) -> Result<toml::Table, ModelError> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    let (name, text) = found.ok_or_else(|| ModelError::Unknown(name.to_owned()))?;
    let mut own: toml::Table = text.parse().map_err(|error| broken(name, &error))?;
    match own.remove("based_on") {
        None => Ok(own),
        Some(toml::Value::String(base)) if depth < MAX_BASES => {
            let mut whole = table(&base, depth + 1)?;
            merge(&mut whole, own);
            Ok(whole)
        }
        Some(_) => Err(ModelError::Broken(
            (*name).to_owned(),
            "based_on is no name, or the bases never end".to_owned(),
        )),
    }
}

fn merge(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(own)) => merge(base, own),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
