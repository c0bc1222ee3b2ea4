//! The four datastores under test, and the items that a user has entered in each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A datastore that every phone of 2005 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Datastore {
    Contacts,
    Calendar,
    Tasks,
    Notes,
}

/// Items by name: the file name without its extension for a seed, the LUID on a phone.
pub(crate) type Items = BTreeMap<String, String>;

impl Datastore {
    pub(crate) const ALL: [Self; 4] = [Self::Contacts, Self::Calendar, Self::Tasks, Self::Notes];

    /// The address at the server, and the name on candybar's command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Calendar => "calendar",
            Self::Tasks => "tasks",
            Self::Notes => "notes",
        }
    }

    /// The name that SyncEvolution gives it.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Contacts => "addressbook",
            Self::Calendar => "calendar",
            Self::Tasks => "todo",
            Self::Notes => "memo",
        }
    }

    /// The media type of an item.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Contacts => "text/vcard",
            Self::Calendar | Self::Tasks => "text/calendar",
            Self::Notes => "text/plain",
        }
    }

    /// The items in `tests/data/<name>`.
    pub(crate) fn seeds(self) -> Items {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(self.name());
        let seeds = read_items(&folder);
        assert!(!seeds.is_empty(), "no seeds in tests/data/{}", self.name());
        seeds
            .into_iter()
            .map(|(name, body)| (name.split('.').next().unwrap_or_default().to_owned(), body))
            .collect()
    }
}

/// What a user does to an item. Items are found by a text that only one of them contains, since their names differ
/// from phone to phone.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Add {
        name: String,
        body: String,
    },
    Change {
        marker: String,
        from: String,
        to: String,
    },
    Delete {
        marker: String,
    },
}

impl Edit {
    pub(crate) fn add(name: &str, body: String) -> Self {
        Self::Add {
            name: name.to_owned(),
            body,
        }
    }

    pub(crate) fn change(marker: &str, from: &str, to: &str) -> Self {
        Self::Change {
            marker: marker.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    pub(crate) fn delete(marker: &str) -> Self {
        Self::Delete {
            marker: marker.to_owned(),
        }
    }

    /// Applies the edit; fails unless it finds exactly one item to work on.
    pub(crate) fn apply(&self, items: &mut Items) {
        match self {
            Self::Add { name, body } => {
                let earlier = items.insert(name.clone(), body.clone());
                assert!(earlier.is_none(), "there is already an item {name}");
            }
            Self::Change { marker, from, to } => {
                let name = find(items, marker);
                let body = &items[&name];
                assert!(body.contains(from.as_str()), "{from:?} is not in\n{body}");
                let body = body.replace(from.as_str(), to);
                items.insert(name, body);
            }
            Self::Delete { marker } => {
                items.remove(&find(items, marker));
            }
        }
    }
}

/// The name of the one item that contains `marker`.
fn find(items: &Items, marker: &str) -> String {
    let found: Vec<&String> = items
        .iter()
        .filter(|(_, body)| body.contains(marker))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        found.len(),
        1,
        "items with {marker:?} among {:?}",
        items.keys()
    );
    found[0].clone()
}

/// The files of a folder as items.
pub(crate) fn read_items(folder: &Path) -> Items {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("an entry has a name")
                .to_string_lossy()
                .into_owned();
            let body = fs::read(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            (name, String::from_utf8(body).expect("items are UTF-8"))
        })
        .collect()
}
