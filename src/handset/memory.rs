//! What a phone keeps between sessions: items, anchors, maps that are not delivered yet, the nonce.
//!
//! Invariants: a LUID is never given twice (unless the behaviour asks for it); an anchor is in `last_anchor` only when
//! its session ended well; a cached map stays until the server answered it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::credentials::{base64, from_base64};

/// The phone's id of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Luid(pub String);

impl fmt::Display for Luid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Octets; in JSON a string if they are UTF-8, else an object with base64.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Octets(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OctetsForm {
    Text(String),
    Base64 { base64: String },
}

impl Serialize for Octets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => OctetsForm::Base64 {
                base64: base64(&self.0),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match OctetsForm::deserialize(deserializer)? {
            OctetsForm::Text(text) => Ok(Self(text.into_bytes())),
            OctetsForm::Base64 { base64 } => from_base64(base64.as_bytes())
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("no base64")),
        }
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// What the server has not been told of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemState {
    /// The server knows the item as it is here.
    #[default]
    Clean,
    /// The server does not know the item.
    Added,
    /// The server knows an older version.
    Changed,
}

/// Folders within each other that are looked through.
const MAX_DEPTH: usize = 64;

/// One item of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoredItem {
    /// Media type, such as `text/x-vcard`.
    pub content_type: String,
    /// The item itself.
    pub body: Octets,
    /// What the server knows of it.
    pub state: ItemState,
    /// LUID of the folder that it is in; empty at the top, and in a datastore without folders.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub parent: String,
    /// It is in another folder than the server knows.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub moved: bool,
}

/// A server id with the LUID that the phone gave to the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedMap {
    /// The server's (temporary) id.
    pub guid: String,
    /// The phone's id.
    pub luid: Luid,
}

/// One datastore of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatastoreMemory {
    /// Items by LUID.
    pub items: BTreeMap<Luid, StoredItem>,
    /// LUIDs of items that were deleted and that the server still has.
    pub deleted: BTreeSet<Luid>,
    /// Number of the next LUID.
    pub next_luid: u64,
    /// The phone's anchor of the last session that ended well.
    pub last_anchor: Option<String>,
    /// The phone's anchor of a session that has not ended.
    pub pending_anchor: Option<String>,
    /// The server's anchor of the last session that ended well.
    pub server_anchor: Option<String>,
    /// Maps that the server has not confirmed.
    pub cached_maps: Vec<CachedMap>,
    /// How far the sync was that did not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
}

/// How far a sync was that did not end, for a phone that resumes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Interrupted {
    /// What was being done.
    pub mode: super::mode::Mode,
    /// Items that the server confirmed.
    pub confirmed: BTreeSet<Luid>,
    /// The phone was emptied for a refresh.
    pub wiped: bool,
    /// An item that came in part.
    pub coming: Option<PartIn>,
    /// The item that was put together last, and its last part.
    pub complete: Option<PartIn>,
    /// An item that went in part.
    pub going: Option<PartOut>,
}

/// An item that came in part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartIn {
    /// The phone's id, if the server named it.
    pub target: Option<String>,
    /// The server's id, if the server named it.
    pub source: Option<String>,
    /// Octets of the whole.
    pub size: u64,
    /// What is there.
    pub octets: Octets,
    /// Octets of the newest part.
    pub newest: usize,
    /// The server knows that the phone has it.
    #[serde(default)]
    pub told: bool,
    /// Parts that may be there twice: the part after them came in a session that was resumed.
    #[serde(default)]
    pub doubts: Vec<Doubt>,
    /// Status of the whole.
    pub code: u16,
}

/// A part that may be there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Doubt {
    /// Where it begins.
    pub begin: usize,
    /// Its octets.
    pub length: usize,
    /// The server knew that the phone had it.
    pub told: bool,
    /// The part after it begins as it does.
    pub alike: bool,
}

/// An item that went in part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartOut {
    /// Which.
    pub luid: Luid,
    /// The whole as it is sent.
    pub octets: Octets,
    /// Octets that were sent.
    pub sent: usize,
    /// Octets that the server confirmed.
    pub confirmed: usize,
}

impl Default for DatastoreMemory {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            deleted: BTreeSet::new(),
            next_luid: 1,
            last_anchor: None,
            pending_anchor: None,
            server_anchor: None,
            cached_maps: Vec::new(),
            interrupted: None,
        }
    }
}

impl DatastoreMemory {
    /// Gives the next LUID.
    pub(super) fn new_luid(&mut self, reuse: bool) -> Luid {
        if reuse {
            let highest = self
                .items
                .keys()
                .filter_map(|luid| luid.0.parse::<u64>().ok())
                .max();
            self.next_luid = highest.map_or(1, |luid| luid.saturating_add(1));
        }
        let luid = Luid(self.next_luid.to_string());
        self.next_luid = self.next_luid.saturating_add(1);
        luid
    }

    /// The user makes an item.
    pub fn add(&mut self, content_type: &str, body: &[u8], reuse_luid: bool) -> Luid {
        let luid = self.new_luid(reuse_luid);
        let state = if self.deleted.remove(&luid) {
            ItemState::Changed
        } else {
            ItemState::Added
        };
        self.items.insert(
            luid.clone(),
            StoredItem {
                content_type: content_type.to_owned(),
                body: Octets(body.to_vec()),
                state,
                ..StoredItem::default()
            },
        );
        luid
    }

    /// The user edits an item; `false` if there is none of that LUID.
    pub fn replace(&mut self, luid: &Luid, body: &[u8]) -> bool {
        let Some(item) = self.items.get_mut(luid) else {
            return false;
        };
        item.body = Octets(body.to_vec());
        if item.state == ItemState::Clean {
            item.state = ItemState::Changed;
        }
        true
    }

    /// The user puts an item into a folder, the top with an empty LUID; `false` if there is no item or folder of these LUIDs.
    pub fn move_to(&mut self, luid: &Luid, parent: &str) -> bool {
        let known = parent.is_empty() || self.items.contains_key(&Luid(parent.to_owned()));
        let Some(item) = self.items.get_mut(luid).filter(|_| known) else {
            return false;
        };
        if item.parent != parent {
            parent.clone_into(&mut item.parent);
            item.moved |= item.state != ItemState::Added;
        }
        true
    }

    /// How many folders an item is in.
    pub(super) fn depth(&self, luid: &Luid) -> usize {
        let mut at = luid.clone();
        for depth in 0..MAX_DEPTH {
            match self.items.get(&at).map(|item| &item.parent) {
                Some(parent) if !parent.is_empty() => at = Luid(parent.clone()),
                _ => return depth,
            }
        }
        MAX_DEPTH
    }

    /// Takes away what is in a folder.
    pub(super) fn empty_folder(&mut self, folder: &Luid) {
        let mut open = vec![folder.0.clone()];
        while let Some(folder) = open.pop() {
            let inside = self.items.extract_if(.., |_, item| item.parent == folder);
            open.extend(inside.map(|(luid, _)| luid.0));
        }
    }

    /// The user deletes an item; `false` if there is none of that LUID. The server is told in any case: an item that was
    /// never confirmed may have reached it.
    pub fn delete(&mut self, luid: &Luid) -> bool {
        let existed = self.items.remove(luid).is_some();
        if existed {
            self.deleted.insert(luid.clone());
            self.empty_folder(luid);
        }
        existed
    }
}

/// Everything that a phone keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Source LocURI, such as `IMEI:490154203237518`.
    pub device_id: String,
    /// The model that the phone is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Datastores by name (`contacts`, `calendar` ...).
    pub datastores: BTreeMap<String, DatastoreMemory>,
    /// The nonce for the next MD5 credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Octets>,
    /// The nonce with which the server signs its next notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_nonce: Option<Octets>,
    /// The nonce after that: given to the server, which may not have got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_nonce: Option<Octets>,
    /// Number of the last session.
    pub session_counter: u64,
    /// A mark of the device information that the server confirmed; sent again when it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devinf_sent: Option<String>,
}

impl Memory {
    /// The memory of a new phone.
    pub fn new(device_id: impl Into<String>) -> Self {
        Self {
            device_id: device_id.into(),
            ..Self::default()
        }
    }

    /// The nonces that a notification may be signed with; `initial` is the one of a server that was given none yet.
    pub fn server_nonces(&self, initial: &[u8]) -> Vec<Vec<u8>> {
        let known = self.server_nonce.as_ref();
        let known = known.map_or_else(|| initial.to_vec(), |nonce| nonce.0.clone());
        let offered = self.offered_nonce.iter().map(|nonce| nonce.0.clone());
        std::iter::once(known).chain(offered).collect()
    }

    /// A datastore, made if it is not there.
    pub fn datastore_mut(&mut self, name: &str) -> &mut DatastoreMemory {
        self.datastores.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_remembered_until_the_server_knows_them() {
        let mut store = DatastoreMemory::default();
        let luid = store.add("text/plain", b"one", false);
        assert_eq!(store.items[&luid].state, ItemState::Added);
        assert!(store.replace(&luid, b"two"));
        assert_eq!(
            store.items[&luid].state,
            ItemState::Added,
            "the server still knows nothing"
        );
        assert!(store.delete(&luid));
        assert!(
            store.deleted.contains(&luid),
            "it may have reached the server"
        );

        let kept = store.add("text/plain", b"three", false);
        assert_ne!(kept, luid, "a LUID is not given twice");
        store.items.get_mut(&kept).expect("it was added").state = ItemState::Clean;
        assert!(store.replace(&kept, b"four"));
        assert_eq!(store.items[&kept].state, ItemState::Changed);
        assert!(store.delete(&kept));
        assert!(store.deleted.contains(&kept));
        assert!(!store.delete(&kept) && !store.replace(&kept, b""));
    }

    #[test]
    fn a_phone_that_reuses_luids_turns_delete_and_add_into_a_change() {
        let mut store = DatastoreMemory::default();
        let luid = store.add("text/plain", b"one", true);
        store.items.get_mut(&luid).expect("it was added").state = ItemState::Clean;
        store.delete(&luid);
        let again = store.add("text/plain", b"other", true);
        assert_eq!(again, luid);
        assert_eq!(store.items[&again].state, ItemState::Changed);
        assert!(store.deleted.is_empty());
    }

    #[test]
    fn memory_survives_json() {
        let mut memory = Memory::new("IMEI:1");
        memory.nonce = Some(Octets(vec![0, 0xff]));
        let store = memory.datastore_mut("contacts");
        store.add("text/x-vcard", "N:Öberg\r\n".as_bytes(), false);
        store.add("image/png", &[0x89, 0xff], false);
        store.cached_maps.push(CachedMap {
            guid: "g1".into(),
            luid: Luid("1".into()),
        });
        let text = serde_json::to_string(&memory).expect("plain data");
        assert!(text.contains("N:Öberg"), "text stays readable: {text}");
        assert_eq!(
            serde_json::from_str::<Memory>(&text).expect("what was written"),
            memory
        );
    }
}
