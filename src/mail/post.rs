//! What the queue of mail that is to be sent needs of an account: its servers and addresses, its mails, its folders.

use super::intake::{Intake, IntakeError};
use super::settings::{self, Encryption, MailboxSettings, Shown};
use super::submission::{Login, Post, Security, Sender, Server};
use crate::content::email::{Head, Mail, Mailbox, answers};
use crate::store::{Store, StoreError};
use crate::sync::{AccountId, ItemId};

/// Mails that are looked at for the one that is answered.
const LOOKED_AT: u32 = 200;

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
        let stored = self.store.mail_to_send(account, item)?;
        Ok(stored.and_then(|stored| Mail::read(&stored).ok()))
    }

    fn answered(&self, account: AccountId, written: &Head) -> Result<Option<Head>, StoreError> {
        let mut found = None;
        self.store.newest_mail(account, LOOKED_AT, |stored| {
            let Ok((_, begin)) = Mail::state(stored) else {
                return true;
            };
            let head = Head::of(&stored[begin..]);
            let named = head
                .message_id
                .as_ref()
                .is_some_and(|id| written.in_reply_to.contains(id));
            if named || (written.in_reply_to.is_empty() && answers(written, &head)) {
                found = Some(head);
            }
            found.is_none()
        })?;
        Ok(found)
    }

    fn sent(&self, account: AccountId, item: ItemId, message: Vec<u8>) -> Result<(), StoreError> {
        self.store.file_sent(account, item, message, (self.now)())
    }

    fn deliver(&self, account: AccountId, message: Vec<u8>) -> Result<(), StoreError> {
        let intake = Intake::new(self.store.clone());
        match intake.deliver(account, &message, (self.now)()) {
            Ok(_) => Ok(()),
            Err(IntakeError::Store(error)) => Err(error),
            Err(IntakeError::NoMessage(why)) => Err(StoreError::Corrupt(why.to_owned())),
        }
    }
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
