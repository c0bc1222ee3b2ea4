//! What a session tells the operator. Never bodies, never credentials.

use std::borrow::Cow;

use crate::sync::Datastore;

/// One thing worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The datastore that it is about.
    pub datastore: Option<Datastore>,
    /// The device's id of the item that it is about.
    pub luid: Option<String>,
    /// In plain words.
    pub text: Cow<'static, str>,
}

/// What a session did.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Summary {
    /// One per datastore that was synced.
    pub views: Vec<ViewSummary>,
}

/// What a session did with one datastore.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ViewSummary {
    /// Which.
    pub datastore: Datastore,
    /// The alert code of the sync as it was done.
    pub mode: u32,
    /// Numbers of items.
    #[serde(flatten)]
    pub counts: super::Counts,
}

impl Summary {
    /// What a session did so far.
    pub(super) fn of(state: &super::state::State) -> Self {
        let of = |link: &super::state::Link| ViewSummary {
            datastore: link.view,
            mode: link.mode.alert(),
            counts: link.counts,
        };
        Self {
            views: state.links.iter().map(of).collect(),
        }
    }
}
