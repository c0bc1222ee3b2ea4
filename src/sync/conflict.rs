//! What happens when both sides changed one item.

use std::fmt;
use std::str::FromStr;

use super::Datastore;

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

impl ConflictPolicy {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Server,
        Self::Client,
        Self::Newer,
        Self::Duplicate,
        Self::Merge,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Newer => "newer",
            Self::Duplicate => "duplicate",
            Self::Merge => "merge",
        }
    }
}

impl FromStr for ConflictPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or_else(|| format!("it is one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// The policies that an account has of its own. As text: `newer,contacts=server`, the first one for all datastores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conflicts(Vec<(Option<Datastore>, ConflictPolicy)>);

impl Conflicts {
    /// The policy of a datastore, if the account has one of its own for it or for all.
    pub fn of(&self, datastore: Datastore) -> Option<ConflictPolicy> {
        self.own(Some(datastore)).or_else(|| self.own(None))
    }

    /// The policy that was set for just this datastore, or for all with `None`.
    pub fn own(&self, datastore: Option<Datastore>) -> Option<ConflictPolicy> {
        let found = self.0.iter().find(|(of, _)| *of == datastore);
        found.map(|(_, policy)| *policy)
    }

    /// Sets the policy of a datastore, or of all with `None`; no policy: the account has none of its own.
    pub fn set(&mut self, datastore: Option<Datastore>, policy: Option<ConflictPolicy>) {
        self.0.retain(|(of, _)| *of != datastore);
        self.0.extend(policy.map(|policy| (datastore, policy)));
        self.0.sort_unstable_by_key(|(of, _)| *of);
    }

    /// Whether the account has none of its own.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (datastore, policy)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match datastore {
                Some(datastore) => write!(f, "{comma}{datastore}={}", policy.name())?,
                None => write!(f, "{comma}{}", policy.name())?,
            }
        }
        Ok(())
    }
}

impl FromStr for Conflicts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut conflicts = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (datastore, policy) = match part.split_once('=') {
                Some((datastore, policy)) => (Some(datastore.parse()?), policy),
                None => (None, part),
            };
            conflicts.set(datastore, Some(policy.parse()?));
        }
        Ok(conflicts)
    }
}

#[cfg(test)]
mod tests {
    use super::{ConflictPolicy, Conflicts, Datastore};

    #[test]
    fn policies_of_an_account_come_back_and_the_nearest_counts() {
        let mut conflicts = Conflicts::default();
        assert_eq!(conflicts.of(Datastore::Notes), None);
        conflicts.set(Some(Datastore::Contacts), Some(ConflictPolicy::Server));
        conflicts.set(None, Some(ConflictPolicy::Newer));
        assert_eq!(conflicts.to_string(), "newer,contacts=server");
        assert_eq!(conflicts.to_string().parse(), Ok(conflicts.clone()));
        assert_eq!(
            conflicts.of(Datastore::Contacts),
            Some(ConflictPolicy::Server)
        );
        assert_eq!(conflicts.of(Datastore::Notes), Some(ConflictPolicy::Newer));
        conflicts.set(Some(Datastore::Contacts), None);
        assert_eq!(
            conflicts.of(Datastore::Contacts),
            Some(ConflictPolicy::Newer)
        );
        for bad in ["best", "pictures=server", "contacts="] {
            bad.parse::<Conflicts>().expect_err(bad);
        }
    }
}
