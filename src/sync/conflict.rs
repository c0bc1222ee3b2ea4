//! What happens when both sides changed one item.

/// Which side wins a conflict.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ConflictPolicy {
    /// The server's version; the phone gets it.
    Server,
    /// The phone's version.
    Client,
    /// The version that was changed last, by its own time stamp; without time stamps as `merge`.
    Newer,
    /// Both are kept, as two items.
    Duplicate,
    /// Field by field, against the version that the phone saw last; the phone's field wins where both changed one.
    #[default]
    Merge,
}
