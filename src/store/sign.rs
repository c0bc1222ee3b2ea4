//! A sign that something was written, by this process or another one: cheap enough to be looked for each second.

use std::sync::Arc;

use diesel::sql_types::BigInt;

use super::Store;
use super::connection::{Database, Place, Purpose};
use super::error::StoreError;
use super::statement::{first, statement};

statement!(
    /// Changes whenever another connection commits; <https://sqlite.org/pragma.html#pragma_data_version>.
    DataVersion((BigInt,)) = "PRAGMA data_version"
);
statement!(
    HasMail((BigInt,)) =
    ["SELECT EXISTS (SELECT 1 FROM mailbox) OR EXISTS (SELECT 1 FROM mail_submission)"]
    postgresql ["SELECT (EXISTS (SELECT 1 FROM mailbox) OR EXISTS (SELECT 1 FROM mail_submission))::bigint"]
);

/// Tells whether the database changed since it was asked last. Each has a connection of its own.
#[derive(Debug)]
pub struct ChangeSign {
    place: Arc<Place>,
    connection: Option<Connection>,
    seen: Option<i64>,
}

struct Connection(Database);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Store {
    /// A sign that has seen nothing yet.
    pub fn change_sign(&self) -> ChangeSign {
        ChangeSign {
            place: Arc::clone(&self.shared.place),
            connection: None,
            seen: None,
        }
    }
}

impl ChangeSign {
    /// Whether something changed since the last call and there are mailboxes or queued mail for which it may matter. Takes
    /// microseconds. True where it cannot be told: with PostgreSQL, and when the database cannot be read.
    pub fn mail_may_stir(&mut self) -> bool {
        self.look().unwrap_or_else(|_| {
            *self = Self {
                place: Arc::clone(&self.place),
                connection: None,
                seen: None,
            };
            true
        })
    }

    fn look(&mut self) -> Result<bool, StoreError> {
        let Connection(connection) = match &mut self.connection {
            Some(connection) => connection,
            None if self.place.path().is_none() => return Ok(true),
            none => none.insert(Connection(self.place.connect(Purpose::Read)?)),
        };
        let version: Option<(i64,)> = first(connection, DataVersion, &[])?;
        let version = version.map(|(version,)| version);
        if self.seen == version {
            return Ok(false);
        }
        let mail: Option<(i64,)> = first(connection, HasMail, &[])?;
        self.seen = version;
        Ok(mail.is_none_or(|(has,)| has != 0))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{Store, StoreConfig};
    use crate::sync::{MailboxKind, Secret};

    #[test]
    fn what_is_written_shows_once_and_only_where_mail_is() {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .unwrap();
        let secret = Secret("{}".into());
        let mut sign = store.change_sign();
        let alice = store.add_account("alice", &secret).unwrap().id;
        assert!(!sign.mail_may_stir(), "there is no mail");
        store
            .add_mailbox(alice, MailboxKind::Local, "a@example.org", &secret)
            .unwrap();
        assert!(sign.mail_may_stir());
        assert!(!sign.mail_may_stir(), "nothing was written since");
        store.add_account("bob", &secret).unwrap();
        assert!(sign.mail_may_stir(), "it might have been for the mailbox");
        assert!(!sign.mail_may_stir());
    }
}
