//! Mailboxes of an account: where its mail comes from, and how far the store's copy of each goes.

use super::{AccountId, ItemId, Modseq, Secret};

/// A mailbox of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxId {
    /// Whose.
    pub account: AccountId,
    /// Within the account, from 1.
    pub number: i64,
}

impl std::fmt::Display for MailboxId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.account, self.number)
    }
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in the database.
            pub const fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            /// From the number in the database.
            pub const fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// For people and programs.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

numbered! {
    /// Where the mail comes from.
    MailboxKind {
        /// It is handed to us.
        Local = 1 "local",
        /// An IMAP server.
        Imap = 2 "imap",
        /// A POP3 server.
        Pop3 = 3 "pop3",
    }
}

numbered! {
    /// How the watching of a mailbox stands.
    MailboxState {
        /// Nobody has looked yet; a local one stays so.
        New = 1 "new",
        /// It is watched.
        Watched = 2 "watched",
        /// The server cannot be reached; it is tried again.
        Down = 3 "down",
        /// The server refuses the login; somebody has to change the settings.
        Refused = 4 "refused",
    }
}

/// A mailbox with what is known of it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Which.
    pub id: MailboxId,
    /// Where the mail comes from.
    pub kind: MailboxKind,
    /// The mail address, in lower case.
    pub address: String,
    /// How it is reached, as JSON.
    pub settings: Secret,
    /// When it was added.
    pub created: i64,
    /// How the watching stands.
    pub state: MailboxState,
    /// Since when.
    pub since: i64,
    /// When the store's copy was last seen to be right; 0: never.
    pub checked: i64,
    /// What is wrong.
    pub why: Option<String>,
    /// Failures in a row.
    pub failures: i64,
    /// The account was told that its login is refused.
    pub told: bool,
    /// Changes of the account up to this number are at the server.
    pub carried: Modseq,
}

/// A folder at the server, and how far the copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorFolder {
    /// Within the mailbox, from 1.
    pub id: i64,
    /// As the server writes it.
    pub name: String,
    /// Ours.
    pub folder: ItemId,
    /// UIDs of another validity mean other messages.
    pub uid_validity: i64,
    /// Messages with lower UIDs were looked at.
    pub uid_next: i64,
    /// The server's changes up to this number were looked at; 0: none.
    pub modseq: i64,
}

/// A message at the server, and the item that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorMessage {
    /// [`MirrorFolder::id`].
    pub folder: i64,
    /// Within the folder.
    pub uid: i64,
    /// The item.
    pub item: ItemId,
    /// The marks that both sides knew last.
    pub flags: i64,
    /// When the server got it, seconds since 1970.
    pub received: i64,
    /// Its name in POP3.
    pub uidl: Option<String>,
    /// A device asked for the rest of it.
    pub wanted: bool,
}

/// A change of the copy's books. It is written with the items that it is about, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorChange {
    /// Inserts or replaces a folder.
    PutFolder(MirrorFolder),
    /// Forgets a folder and its messages.
    DropFolder(i64),
    /// Inserts or replaces a message.
    PutMessage(MirrorMessage),
    /// Forgets a message.
    DropMessage {
        /// [`MirrorFolder::id`].
        folder: i64,
        /// Within the folder.
        uid: i64,
    },
    /// What the account changed up to this number is at the server.
    Carried(Modseq),
}
