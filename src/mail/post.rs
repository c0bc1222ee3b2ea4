//! What the queue of mail that is to be sent needs of an account: its servers and addresses, its mails, its folders.

use super::batch::{self, Batch};
use super::intake::{Intake, IntakeError};
use super::settings::{self, Encryption, MailboxSettings, Shown};
use super::submission::{Login, Post, Security, Sender, Server};
use crate::content::Format;
use crate::content::email::{FolderRole, Head, Mail, Mailbox, answers, thread_of};
use crate::store::{Store, StoreError};
use crate::sync::{AccountId, Item, ItemId};

/// Mails of one subject that are looked at for the one that is answered.
const LOOKED_AT: u32 = 20;

/// The accounts of a store, as the queue of mail sees them.
pub struct Accounts {
    store: Store,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Accounts {
    /// Of this store. `now` gives seconds since 1970.
    pub fn new(store: Store, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            store,
            now: Box::new(now),
        }
    }
}

impl Post for Accounts {
    fn sender(&self, account: AccountId) -> Result<Sender, String> {
        let mailboxes = self.store.mailboxes(account);
        let mailboxes = mailboxes.map_err(|error| error.to_string())?;
        let mut server = None;
        let mut addresses = Vec::new();
        for mailbox in mailboxes {
            let settings: MailboxSettings = serde_json::from_str(&mailbox.settings.0)
                .map_err(|_| format!("the settings of {} cannot be read", mailbox.address))?;
            let address = Mailbox {
                name: String::new(),
                address: mailbox.address,
            };
            match settings.outgoing {
                // The address of the server that is used comes first.
                Some(outgoing) if server.is_none() => {
                    server = Some(server_of(&outgoing)?);
                    addresses.insert(0, address);
                }
                _ => addresses.push(address),
            }
        }
        Ok(Sender { server, addresses })
    }

    fn local(&self, address: &str) -> Result<Option<AccountId>, StoreError> {
        let mailbox = super::intake::local_mailbox(&self.store, address)?;
        Ok(mailbox.map(|mailbox| mailbox.account))
    }

    fn mail(&self, account: AccountId, item: ItemId) -> Result<Option<Mail>, StoreError> {
        let found = living_mail(&self.store, account, item)?;
        Ok(found.and_then(|item| Mail::read(&item.body).ok()))
    }

    fn answered(&self, account: AccountId, written: &Head) -> Result<Option<Head>, StoreError> {
        // What names the mail that it answers says all that is needed.
        let Some(thread) = thread_of(written) else {
            return Ok(None);
        };
        let mut found = None;
        self.store
            .mails_of_thread(account, thread, LOOKED_AT, |stored| {
                if let Ok((_, begin)) = Mail::state(stored) {
                    found = Some(Head::of(&stored[begin..])).filter(|head| answers(written, head));
                }
                found.is_none()
            })?;
        Ok(found)
    }

    fn sent(&self, account: AccountId, item: ItemId, message: Vec<u8>) -> Result<(), StoreError> {
        let now = (self.now)();
        Batch::write(&self.store, account, now, |batch, tree| {
            let Some(stored) = living_mail(&self.store, account, item)? else {
                return Ok(());
            };
            // What the owner put elsewhere meanwhile stays there.
            if tree.role(stored.meta.parent) != Some(FolderRole::Outbox) {
                return Ok(());
            }
            let mail = Mail {
                read: true,
                draft: false,
                received: Some(now),
                message: message.clone(),
                ..Mail::read(&stored.body).unwrap_or_default()
            };
            let sent = tree.of_role(FolderRole::Sent, batch);
            batch.replace_mail(item, mail, sent);
            Ok(())
        })
    }

    fn deliver(&self, account: AccountId, from: &str, message: Vec<u8>) -> Result<(), StoreError> {
        let intake = Intake::new(self.store.clone());
        match intake.deliver_from(account, from, &message, (self.now)()) {
            Ok(_) => Ok(()),
            Err(IntakeError::Store(error)) => Err(error),
            Err(IntakeError::NoMessage(why)) => Err(StoreError::Corrupt(why.to_owned())),
        }
    }
}

/// A mail of an account that is not deleted.
fn living_mail(
    store: &Store,
    account: AccountId,
    item: ItemId,
) -> Result<Option<Item>, StoreError> {
    let found = batch::items(store, account, &[item])?.into_iter().next();
    Ok(found.filter(|item| !item.meta.deleted && item.meta.format == Format::Mail))
}

/// Reads the credential as it is now.
fn server_of(outgoing: &settings::Login) -> Result<Server, String> {
    let user = outgoing.user.clone();
    let login = match outgoing
        .credential
        .shown()
        .map_err(|error| error.to_string())?
    {
        // A server that knows nobody asks for nothing.
        Shown::Password(password) if password.is_empty() => None,
        Shown::Password(password) => Some(Login::Password { user, password }),
        Shown::Token(token) => Some(Login::Token { user, token }),
    };
    let address = &outgoing.address;
    Ok(Server {
        host: address.host.clone(),
        port: address.port,
        security: match address.encryption {
            Encryption::None => Security::None,
            Encryption::StartTls => Security::StartTls,
            Encryption::Tls => Security::Tls,
        },
        ca_file: address.ca_file.clone(),
        login,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreConfig;
    use crate::sync::Secret;

    fn accounts() -> (Accounts, AccountId) {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .unwrap();
        let account = store.add_account("ann", &Secret("secret".into())).unwrap();
        (Accounts::new(store, || 2_000), account.id)
    }

    fn put(accounts: &Accounts, account: AccountId, role: FolderRole, message: &str) -> ItemId {
        Batch::write(&accounts.store, account, 1, |batch, tree| {
            let folder = tree.of_role(role, batch);
            let mail = Mail {
                draft: true,
                message: message.as_bytes().to_vec(),
                ..Mail::default()
            };
            Ok(batch.add_mail(mail, folder))
        })
        .unwrap()
    }

    fn role_of(accounts: &Accounts, account: AccountId, item: ItemId) -> Option<FolderRole> {
        let item = living_mail(&accounts.store, account, item).unwrap()?;
        let tree = batch::Tree::load(&accounts.store, account).unwrap();
        tree.role(item.meta.parent)
    }

    #[test]
    fn what_was_sent_is_filed_once_and_stays_where_its_owner_put_it() {
        let (accounts, account) = accounts();
        let letter = put(
            &accounts,
            account,
            FolderRole::Outbox,
            "Subject: a\r\n\r\nx",
        );
        let kept = put(
            &accounts,
            account,
            FolderRole::Drafts,
            "Subject: b\r\n\r\nx",
        );
        let message = b"From: ann@example.org\r\nSubject: a\r\n\r\nx".to_vec();
        for item in [letter, kept, letter] {
            accounts.sent(account, item, message.clone()).unwrap();
        }
        assert_eq!(role_of(&accounts, account, letter), Some(FolderRole::Sent));
        let filed = accounts.mail(account, letter).unwrap().unwrap();
        assert!(filed.read && !filed.draft && filed.message == message);
        assert_eq!(filed.received, Some(2_000));
        assert_eq!(role_of(&accounts, account, kept), Some(FolderRole::Drafts));
        let kept = accounts.mail(account, kept).unwrap().unwrap();
        assert!(kept.draft && kept.message.ends_with(b"b\r\n\r\nx"));
        accounts
            .store
            .delete_items(account, None, &[letter])
            .unwrap();
        assert_eq!(accounts.mail(account, letter).unwrap(), None);
    }

    #[test]
    fn the_mail_that_is_answered_is_found_by_its_thread() {
        let (accounts, account) = accounts();
        let received = |subject: &str, from: &str, id: &str| {
            let text = format!("From: {from}\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\r\nx");
            put(&accounts, account, FolderRole::Inbox, &text)
        };
        received("Tea", "bob@example.net", "old@x");
        received("Tea", "eve@example.net", "eve@x");
        received("Cake", "bob@example.net", "cake@x");
        let newest = received("AW: Tea", "bob@example.net", "new@x");
        let answered = |text: &str| {
            let head = Head::of(format!("{text}\r\n\r\nx").as_bytes());
            let found = accounts.answered(account, &head).unwrap();
            found.and_then(|head| head.message_id)
        };
        let to_bob = "To: bob@example.net\r\nSubject: ";
        assert_eq!(
            answered(&format!("{to_bob}Re: tea")).as_deref(),
            Some("new@x")
        );
        // No answer; it says itself which; nobody wrote that; he did not write it.
        assert_eq!(answered(&format!("{to_bob}Tea")), None);
        let named = format!("{to_bob}Re: Tea\r\nIn-Reply-To: <old@x>");
        assert_eq!(answered(&named), None);
        assert_eq!(answered(&format!("{to_bob}Re: Coffee")), None);
        assert_eq!(answered("To: dan@example.net\r\nSubject: Re: Tea"), None);
        accounts
            .store
            .delete_items(account, None, &[newest])
            .unwrap();
        assert_eq!(
            answered(&format!("{to_bob}Re: Tea")).as_deref(),
            Some("old@x")
        );
    }
}
