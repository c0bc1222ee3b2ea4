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
    /// A list of texts; as one text, with commas between them.
    List,
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
pub const KINDS: &[&str] = &["kannel", "loopback", "file"];

const HTTP: &[&str] = &["kannel"];
const NUMBERED: &[&str] = &["kannel", "loopback", "file"];

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
        "Where it is: the address of Kannel's sendsms, the UDP address (host:port) of a phone, or the path of a file.",
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
        HTTP,
        GatewayKeyKind::Text,
        "",
        "The name that it knows us by.",
    ),
    secret(key(
        "password",
        HTTP,
        GatewayKeyKind::Text,
        "",
        "The password that goes with it.",
    )),
    key(
        "sender",
        HTTP,
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
        &["kannel"],
        GatewayKeyKind::Choice(&["get", "post"]),
        "get",
        "How it is asked: get with all in the query, or post with headers, which keeps the password out of logs of addresses.",
    ),
    key(
        "callback_url",
        HTTP,
        GatewayKeyKind::Text,
        "",
        "Where it reaches this server, without a path, such as http://sync.example.org:8080. Unset: as public_url, else as listen.",
    ),
    secret(key(
        "token",
        HTTP,
        GatewayKeyKind::Text,
        "",
        "What it has to show there. Unset: made from the key file, which is enough for receipts.",
    )),
    key(
        "ca_file",
        HTTP,
        GatewayKeyKind::Path,
        "",
        "PEM file of the authority that its certificate is from. Unset: the authorities that the system trusts.",
    ),
    key(
        "window",
        HTTP,
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
        HTTP,
        GatewayKeyKind::Number { min: 1, max: 600 },
        "30",
        "How long it may take to answer.",
    ),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static GatewayKey> {
    GATEWAY_KEYS.iter().find(|key| key.name == name)
}
