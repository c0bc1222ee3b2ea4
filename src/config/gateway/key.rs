//! The keys of a `[[gateway]]` table: names, for which kinds, what values, defaults, help. One row per key.

/// What a key's value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayKeyKind {
    /// Text; may be empty.
    Text,
    /// The gateway's own name.
    Name,
    /// A whole number within the bounds (both allowed).
    Number {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within the bounds, or unset.
    Optional {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// A list of texts without commas; as one text, with commas between them.
    List,
    /// A list of texts; as one text, with line breaks between them.
    Lines,
    /// Text that may have line breaks.
    Template,
    /// A file; a relative path in a configuration file is meant from there.
    Path,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct GatewayKey {
    /// As in the table.
    pub name: &'static str,
    /// The kinds of gateway that have it; empty for all.
    pub kinds: &'static [&'static str],
    /// What the value has to be.
    pub kind: GatewayKeyKind,
    /// As text; empty means unset.
    pub default: &'static str,
    /// The value must not be shown; such a key has a `_file` form too.
    pub secret: bool,
    /// For people.
    pub help: &'static str,
}

impl GatewayKey {
    /// A gateway of that kind has it.
    pub fn is_of(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// The kinds of gateway.
pub const KINDS: &[&str] = &[
    "kannel", "pap", "smpp", "http", "spool", "loopback", "file", "ctp",
];

const CALLING: &[&str] = &["kannel", "pap", "http"];
const REMOTE: &[&str] = &["kannel", "pap", "smpp", "http"];
const SENDING: &[&str] = &["kannel", "smpp", "http", "spool"];
const NUMBERED: &[&str] = &["kannel", "pap", "smpp", "http", "spool", "loopback", "file"];
const SMPP: &[&str] = &["smpp"];
const TEMPLATE: &[&str] = &["http"];
const TON: GatewayKeyKind = GatewayKeyKind::Optional { min: 0, max: 255 };

const fn key(
    name: &'static str,
    kinds: &'static [&'static str],
    kind: GatewayKeyKind,
    default: &'static str,
    help: &'static str,
) -> GatewayKey {
    GatewayKey {
        name,
        kinds,
        kind,
        default,
        secret: false,
        help,
    }
}

const fn secret(key: GatewayKey) -> GatewayKey {
    GatewayKey {
        secret: true,
        ..key
    }
}

/// All keys, in the order in which they are printed.
pub const GATEWAY_KEYS: &[GatewayKey] = &[
    key(
        "name",
        &[],
        GatewayKeyKind::Name,
        "",
        "Its name, in logs and addresses: lower-case letters, digits and dashes.",
    ),
    key(
        "kind",
        &[],
        GatewayKeyKind::Choice(KINDS),
        "",
        "What it is.",
    ),
    key(
        "url",
        &[],
        GatewayKeyKind::Text,
        "",
        "Where it is: an address of HTTP, smpp:// or UDP, a path, or where it listens; docs/gateways.md says it for each kind.",
    ),
    key(
        "prefixes",
        NUMBERED,
        GatewayKeyKind::List,
        "*",
        "Numbers that begin so go through it; * is every number.",
    ),
    key(
        "username",
        REMOTE,
        GatewayKeyKind::Text,
        "",
        "The name that it knows us by.",
    ),
    secret(key(
        "password",
        REMOTE,
        GatewayKeyKind::Text,
        "",
        "The password that goes with it.",
    )),
    key(
        "sender",
        SENDING,
        GatewayKeyKind::Text,
        "",
        "The originator that phones see. Unset: the gateway's own choice.",
    ),
    key(
        "smsc",
        &["kannel"],
        GatewayKeyKind::Text,
        "",
        "Kannel's connection (smsc-id) to use. Unset: Kannel's own choice.",
    ),
    key(
        "method",
        &["kannel", "http"],
        GatewayKeyKind::Choice(&["get", "post", "put"]),
        "post",
        "How it is asked. Kannel: get with all in the query, or post with headers, which keeps the password out of logs of addresses.",
    ),
    key(
        "domain",
        &["pap"],
        GatewayKeyKind::Text,
        "ppg",
        "What stands behind the @ of a phone's address.",
    ),
    key(
        "format",
        &["spool"],
        GatewayKeyKind::Choice(&["smstools", "gammu"]),
        "smstools",
        "Whose spool it is: that of smstools3, or of gammu-smsd.",
    ),
    key(
        "queue",
        &["spool"],
        GatewayKeyKind::Text,
        "",
        "The queue of smstools3 to use. Unset: its own choice.",
    ),
    key(
        "system_type",
        SMPP,
        GatewayKeyKind::Text,
        "",
        "The system type that the centre wants, if it wants one.",
    ),
    key(
        "bind",
        SMPP,
        GatewayKeyKind::Choice(&["transceiver", "transmitter", "separate"]),
        "transceiver",
        "One link for both ways, one for messages to phones alone, or a link for each way.",
    ),
    key(
        "form",
        SMPP,
        GatewayKeyKind::Choice(&["udh", "payload", "sar"]),
        "udh",
        "How a push is given: in parts with a user data header, whole as message_payload, or in parts with parameters.",
    ),
    key(
        "ids",
        SMPP,
        GatewayKeyKind::Choice(&["same", "hex-answer", "hex-receipt"]),
        "same",
        "How the centre names a message in answer and receipt: alike, or one of both in hexadecimal.",
    ),
    key(
        "sender_ton",
        SMPP,
        TON,
        "",
        "Type of the sender's number. Unset: by its look.",
    ),
    key(
        "sender_npi",
        SMPP,
        TON,
        "",
        "Numbering plan of the sender's number. Unset: by its look.",
    ),
    key(
        "phone_ton",
        SMPP,
        TON,
        "",
        "Type of phones' numbers. Unset: 1 if they begin with +, else 0.",
    ),
    key(
        "phone_npi",
        SMPP,
        TON,
        "",
        "Numbering plan of phones' numbers. Unset: 1.",
    ),
    key(
        "enquire_seconds",
        SMPP,
        GatewayKeyKind::Number { min: 1, max: 3600 },
        "30",
        "Silence after which the centre is asked whether it is still there.",
    ),
    key(
        "reconnect_seconds",
        SMPP,
        GatewayKeyKind::Number { min: 1, max: 60 },
        "1",
        "The first pause before a lost link is tried again; it doubles up to a minute.",
    ),
    key(
        "headers",
        TEMPLATE,
        GatewayKeyKind::Lines,
        "",
        "Headers of a request, each \"Name: value\", with placeholders.",
    ),
    key(
        "body",
        TEMPLATE,
        GatewayKeyKind::Template,
        "",
        "Body for an SMS of octets, with placeholders.",
    ),
    key(
        "text_body",
        TEMPLATE,
        GatewayKeyKind::Template,
        "",
        "Body for a text, with placeholders. Unset: texts do not go through it.",
    ),
    key(
        "success_status",
        TEMPLATE,
        GatewayKeyKind::List,
        "",
        "HTTP statuses that say that it took the SMS. Unset: 200 to 299.",
    ),
    key(
        "success_text",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "What an answer has to contain as well.",
    ),
    key(
        "failure_text",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "What an answer contains that refuses the SMS for good.",
    ),
    key(
        "throttled_status",
        TEMPLATE,
        GatewayKeyKind::List,
        "429,503",
        "HTTP statuses that ask to wait.",
    ),
    key(
        "throttled_text",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "What an answer contains that asks to wait.",
    ),
    key(
        "id_path",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "Where an answer of JSON has the provider's id, such as messages.0.id.",
    ),
    key(
        "id_after",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "What stands before the id in any other answer.",
    ),
    key(
        "receipt_state",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "The field of a receipt that has the state. Unset: receipts are not taken.",
    ),
    key(
        "receipt_id",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "The field of a receipt that has the provider's id.",
    ),
    key(
        "receipt_delivered",
        TEMPLATE,
        GatewayKeyKind::List,
        "delivered,DELIVRD",
        "States that say that the phone has it.",
    ),
    key(
        "receipt_failed",
        TEMPLATE,
        GatewayKeyKind::List,
        "failed,undelivered,rejected,expired,UNDELIV,REJECTD,EXPIRED",
        "States that say that the phone will not get it; any other one says that it is on its way.",
    ),
    key(
        "incoming_from",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "The field of an SMS from a phone that has its number. Unset: none are taken.",
    ),
    key(
        "incoming_to",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "The field that has the number that it was sent to.",
    ),
    key(
        "incoming_text",
        TEMPLATE,
        GatewayKeyKind::Text,
        "",
        "The field that has its text.",
    ),
    key(
        "max_connections",
        &["ctp"],
        GatewayKeyKind::Number {
            min: 1,
            max: 1_000_000,
        },
        "10000",
        "Phones that hold a connection at once.",
    ),
    key(
        "heartbeat_seconds",
        &["ctp"],
        GatewayKeyKind::Number {
            min: 30,
            max: 86_400,
        },
        "900",
        "Silence after which a phone counts as gone.",
    ),
    key(
        "callback_url",
        CALLING,
        GatewayKeyKind::Text,
        "",
        "Where it reaches this server, without a path, such as http://sync.example.org:8080. Unset: as public_url, else as listen.",
    ),
    secret(key(
        "token",
        CALLING,
        GatewayKeyKind::Text,
        "",
        "What it has to show there. Unset: made from the key file, which is enough for receipts.",
    )),
    key(
        "ca_file",
        REMOTE,
        GatewayKeyKind::Path,
        "",
        "PEM file of the authority that its certificate is from. Unset: the authorities that the system trusts.",
    ),
    key(
        "window",
        REMOTE,
        GatewayKeyKind::Number { min: 1, max: 256 },
        "8",
        "Messages that are handed to it at once.",
    ),
    key(
        "per_second",
        &[],
        GatewayKeyKind::Number {
            min: 0,
            max: 10_000,
        },
        "0",
        "SMS a second that it gets at most; 0: as fast as it takes them.",
    ),
    key(
        "timeout_seconds",
        REMOTE,
        GatewayKeyKind::Number { min: 1, max: 600 },
        "30",
        "How long it may take to answer.",
    ),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static GatewayKey> {
    GATEWAY_KEYS.iter().find(|key| key.name == name)
}
