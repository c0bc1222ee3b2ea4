//! What phones do, right or wrong. Everything is off by default: a client without behaviours keeps to the
//! specification. A phone model names them in its data file.

use serde::Deserialize;

/// How a client numbers its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionIdStyle {
    /// `1`, `2`, `3` ...
    #[default]
    Counter,
    /// The counter in upper case hexadecimal.
    Hexadecimal,
    /// The counter with four digits, leading zeros.
    Padded,
    /// Seconds since 1970.
    Time,
    /// The same for every session.
    Constant(String),
}

/// How a client that jumps phases opens a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseJump {
    /// Sync stands before the Alert in the first message.
    SyncFirst,
    /// The first message has a Sync and no Alert at all.
    NoAlert,
}

/// What a client does differently from a phone that keeps to the specification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// New items are sent as Replace, as by clients that know no Add.
    pub add_as_replace: bool,
    /// In slow syncs and refreshes items are sent as Add instead of Replace.
    pub slow_as_add: bool,
    /// Maps are kept and sent before the first Sync of the next session.
    pub maps_late: bool,
    /// Maps are kept until the server's package is complete, not sent with each message.
    pub maps_at_end: bool,
    /// Maps are never sent.
    pub no_maps: bool,
    /// Messages always go to the address of the settings.
    pub ignore_resp_uri: bool,
    /// A datastore without changes gets no Sync.
    pub empty_sync_omitted: bool,
    /// Alert and Sync go in one package.
    pub sync_without_init: bool,
    /// The session starts with a Sync that is not announced.
    pub jump_phases: Option<PhaseJump>,
    /// Every command of a message has CmdID 1.
    pub duplicate_cmd_ids: bool,
    /// The password is wrong.
    pub wrong_password: bool,
    /// After a challenge a new session is begun, with a new SessionID and MsgID 1 and without DevInf.
    pub restart_when_challenged: bool,
    /// Source has no LocName, so that MD5 credentials name no user.
    pub no_user_name: bool,
    /// Statuses are kept until the server's package is complete.
    pub statuses_grouped_late: bool,
    /// The battery is taken out when this many messages of a session were sent: the last answer is not read.
    pub crash_after: Option<u32>,
    /// After this many messages the session is suspended (Alert 224, 1.2).
    pub suspend_after: Option<u32>,
    /// A session that was suspended or cut off is resumed by the next one (Alert 225, 1.2).
    pub resumes: bool,
    /// The first part of an item that comes in parts gets 416.
    pub refuses_chunks: bool,
    /// The first Sync of each package tells how many items there is room for (Mem).
    pub tells_memory: bool,
    /// A session that is resumed gets no Sync from the phone if it has nothing to send: it only asks for the next message,
    /// as Symbian does.
    pub bare_when_resumed: bool,
    /// Memory is written when the session is over, not after every message.
    pub write_at_end: bool,
    /// A datastore holds this many items; further Adds get 420.
    pub device_full_after: Option<usize>,
    /// Items that contain this text get 415.
    pub refuse_item: Option<String>,
    /// Of what is received only properties of the own CTCap are kept.
    pub lose_unknown_properties: bool,
    /// How sessions are numbered.
    pub session_id: SessionIdStyle,
    /// The first message with a Sync also carries this command: `Exec`, `Search`, or the name of an element that is no
    /// command.
    pub unknown_command: Option<String>,
    /// Alerts and Syncs have an empty Target.
    pub empty_target: bool,
    /// Last is sent equal to Next.
    pub last_equals_next: bool,
    /// The first sync sends this instead of no Last, such as `0`.
    pub first_last: Option<String>,
    /// A new item takes the LUID after the highest one, also if an item that was deleted had it.
    pub reuse_luids: bool,
    /// The server's Last is compared with the kept one; if they differ, the answer is 508 and a slow sync.
    pub check_server_anchor: bool,
    /// Device information is sent, and asked for, in every session.
    pub devinf_each_time: bool,
    /// Device information is sent when the server asks for it, not before.
    pub devinf_when_asked: bool,
    /// Anchors are the number of the session, not a time.
    pub numbered_anchors: bool,
    /// Items that are not split carry Size 0.
    pub size_zero: bool,
    /// A split item is cut between CR and LF where one is near.
    pub splits_line_ends: bool,
    /// A split item that comes must be announced with one octet more than it has; else the answer is 424.
    pub wants_one_octet_more: bool,
    /// The root element of a WBXML message has an attribute, and there is no string table for it.
    pub root_attribute: bool,
    /// What the phone cannot bear.
    pub breaks: Breaking,
}

/// What ends the session, or restarts the phone, when it comes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaking {
    /// A Status of 500 or above that has an Item.
    pub error_item: bool,
    /// A message of more octets, whatever MaxMsgSize says.
    pub above: Option<u64>,
    /// More Deletes in one message.
    pub deletes_above: Option<usize>,
    /// Replace in a slow sync.
    pub replace_in_slow_sync: bool,
    /// A namespace on the root element of an XML message.
    pub root_namespace: bool,
    /// Size on an item that is not split.
    pub size_of_whole: bool,
    /// No Status for Results.
    pub unanswered_results: bool,
    /// The server's DevInf has a datastore of one of these types.
    pub devinf_types: Vec<String>,
    /// The server's DevInf has one of these parameters.
    pub devinf_params: Vec<String>,
    /// The server's DevInf has a SyncType above 7.
    pub odd_sync_type: bool,
    /// The server's DevInf does not name a datastore as the Alert did.
    pub other_address: bool,
}
