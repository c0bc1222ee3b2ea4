//! Who is on the other side of a message: account, device, open session.

use super::{AccountId, Conflicts, Datastore, DeviceId, ItemId, Modseq, ViewState, Windows};

/// Text that must not reach a log: `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a message's header says of its sender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerQuery {
    /// The account named by credentials or LocName.
    pub account: Option<String>,
    /// The account named by our own RespURI.
    pub account_id: Option<AccountId>,
    /// Source LocURI.
    pub device: String,
    /// SessionID.
    pub session: String,
}

/// What the store knows of the sender. If the header names no account, it is the one whose device has an open
/// session with this SessionID, else the one account that has such a device, else none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peer {
    /// The account.
    pub account: Option<Account>,
    /// Its device with that address; may have been added by hand before its first message.
    pub device: Option<Device>,
    /// The device's views.
    pub views: Vec<(Datastore, ViewState)>,
    /// The device's session with that SessionID.
    pub session: Option<StoredSession>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Key.
    pub id: AccountId,
    /// User name; unique, compared byte by byte.
    pub name: String,
    /// Needed in the clear by SyncML's MD5 authentication.
    pub password: Secret,
    /// Number of the newest write.
    pub modseq: Modseq,
    /// The id of the next new item.
    pub next_item: ItemId,
    /// Conflict policies of this account, over those of the configuration.
    pub conflicts: Conflicts,
    /// Seconds since 1970.
    pub created: i64,
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Key within the account; 0 for one that is not stored yet (the store numbers it).
    pub id: DeviceId,
    /// Source LocURI, such as `IMEI:350000000000001`.
    pub uri: String,
    /// The telephone number, `+` and digits.
    pub msisdn: Option<String>,
    /// The device profile that was set by hand.
    pub profile: Option<String>,
    /// The nonce that the device has to use next.
    pub nonce: Vec<u8>,
    /// The one before, still good once if the device did not get the newer.
    pub previous_nonce: Vec<u8>,
    /// For notifications: the password and nonce that the server proves itself with are the account's and this one.
    pub notification_nonce: Vec<u8>,
    /// Digests of the messages that opened its last sessions, 16 octets each, the newest last: an old one that comes
    /// late must not open a session again.
    pub openings: Vec<u8>,
    /// The DevInf document as XML, as last sent by the device; empty if it never was.
    pub devinf: Vec<u8>,
    /// Which mails it is to have; set by hand, over what the configuration says.
    pub mail_window: Windows,
    /// HTTP User-Agent of the last message that had one.
    pub user_agent: Option<String>,
    /// HTTP x-wap-profile, or Profile, of the last message that had one.
    pub profile_header: Option<String>,
    /// Seconds since 1970 of the last message, 0 if there was none.
    pub last_seen: i64,
    /// Seconds since 1970.
    pub created: i64,
}

/// A session between two messages, and the reply to the last one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredSession {
    /// SessionID.
    pub session: String,
    /// How many messages were answered: writes compare and set on it.
    pub step: i64,
    /// MsgID of the last request.
    pub msg_id: String,
    /// Digest of the last request's octets.
    pub request: [u8; 16],
    /// The reply to it. Empty where it was read with the sender: it may be large, and few ask for it.
    pub reply: Vec<u8>,
    /// Content type of the reply.
    pub reply_type: String,
    /// The engine's own state.
    pub snapshot: Vec<u8>,
    /// The session is over; it is kept for the sake of a repeated last message.
    pub ended: bool,
    /// Seconds since 1970.
    pub updated: i64,
    /// Number of its recording; 0 if it is not recorded. A commit that begins a recording gets its number from the store.
    pub recording: i64,
}
