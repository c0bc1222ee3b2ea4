//! The keys of the configuration: names, kinds, defaults, help. One row per key; everything else reads this table.

/// What a key's value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `host:port`.
    Address,
    /// `host:port`; may be empty.
    OptionalAddress,
    /// A database URL.
    Database,
    /// Text; may be empty.
    Text,
    /// Text that is not empty.
    Name,
    /// An `http://` or `https://` URL; may be empty.
    Url,
    /// A whole number within the bounds (both allowed).
    Number {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An IANA time zone.
    TimeZone,
    /// A part of the day, such as `22:00-07:00`; may be empty.
    QuietHours,
    /// A table from an address that phones use to a datastore; as text `address=datastore,…`.
    Aliases,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Dotted name: `sync.conflict`.
    pub name: &'static str,
    /// What the value has to be.
    pub kind: Kind,
    /// As text; empty means unset.
    pub default: &'static str,
    /// The value, or a part of it, must not be shown; such a key has a `_file` form too.
    pub secret: bool,
    /// For people.
    pub help: &'static str,
}

/// The words of `sync.conflict`.
pub const CONFLICT_WORDS: &[&str] = &["server", "client", "newer", "duplicate", "merge"];

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        secret: false,
        help,
    }
}

const fn conflict_of(name: &'static str) -> Key {
    key(
        name,
        Kind::Choice(CONFLICT_WORDS),
        "",
        "As sync.conflict, for this datastore alone. Unset: as sync.conflict.",
    )
}

/// All keys, in the order in which they are printed.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        Kind::Address,
        "127.0.0.1:8080",
        "Address and port of the HTTP server; port 0 takes any free one.",
    ),
    Key {
        secret: true,
        ..key(
            "database",
            Kind::Database,
            "sqlite:candybar.db",
            "Where everything is kept: sqlite:PATH or postgres://… (a build with the feature `postgres`).",
        )
    },
    key(
        "key_file",
        Kind::Text,
        "",
        "The key that passwords in the database are encrypted with. Unset: candybar.key beside the database.",
    ),
    key(
        "public_url",
        Kind::Url,
        "",
        "The sync address as phones see it, such as http://sync.example.org:8080/sync. Unset: as the phone addressed us.",
    ),
    key(
        "server_id",
        Kind::Name,
        "candybar",
        "The name that the server gives itself towards phones.",
    ),
    key(
        "sync.conflict",
        Kind::Choice(CONFLICT_WORDS),
        "merge",
        "Who wins if both sides changed an item: server, client, newer, duplicate (both are kept) or merge (field by field).",
    ),
    key(
        "sync.max_message_bytes",
        Kind::Number {
            min: 2048,
            max: 67_108_864,
        },
        "1048576",
        "Largest message that the server takes and sends; a phone that announces less gets less.",
    ),
    key(
        "sync.max_object_bytes",
        Kind::Number {
            min: 4096,
            max: 67_108_864,
        },
        "4194304",
        "Largest item, over all its chunks.",
    ),
    key(
        "sync.quota_items",
        Kind::Number {
            min: 0,
            max: 10_000_000,
        },
        "0",
        "How many items an account may hold; more are refused with 420. 0: as many as there are.",
    ),
    key(
        "sync.quota_bytes",
        Kind::Number {
            min: 0,
            max: 1 << 40,
        },
        "0",
        "How many octets an account's items may have together; more are refused with 420. 0: no limit.",
    ),
    key(
        "sync.session_timeout_seconds",
        Kind::Number {
            min: 60,
            max: 604_800,
        },
        "3600",
        "How long after its last message a session can still go on.",
    ),
    key(
        "sync.time_zone",
        Kind::TimeZone,
        "UTC",
        "The zone that is meant by phones that know local time only.",
    ),
    key(
        "sync.aliases",
        Kind::Aliases,
        "",
        "More addresses for datastores: a table address = \"datastore\"; in the environment address=datastore,….",
    ),
    key(
        "sync.hold_deletes_percent",
        Kind::Number { min: 1, max: 100 },
        "50",
        "A session that would delete more than this share of a datastore, and at least 10 items, is held for the operator; 100: none is.",
    ),
    conflict_of("sync.contacts.conflict"),
    conflict_of("sync.calendar.conflict"),
    conflict_of("sync.tasks.conflict"),
    conflict_of("sync.notes.conflict"),
    conflict_of("sync.mail.conflict"),
    key(
        "devices.profiles",
        Kind::Text,
        "",
        "A folder with device profiles of your own, one NAME.toml each; one that has the name of a built-in profile takes its place.",
    ),
    key(
        "recording.depth",
        Kind::Choice(&["messages", "items", "numbers"]),
        "messages",
        "What is kept of each session: messages (all of it), items (what happened to each, not the messages), numbers (what is needed to undo it).",
    ),
    key(
        "recording.days",
        Kind::Number { min: 1, max: 3650 },
        "30",
        "For how many days sessions are kept.",
    ),
    key(
        "recording.sessions",
        Kind::Number {
            min: 1,
            max: 1_000_000,
        },
        "200",
        "How many sessions are kept of each account, the newest ones.",
    ),
    key(
        "recording.session_bytes",
        Kind::Number {
            min: 0,
            max: 1_073_741_824,
        },
        "262144",
        "How many octets of messages are kept of one session, from its beginning; items are recorded beyond that too.",
    ),
    key(
        "keep.revision_days",
        Kind::Number {
            min: 1,
            max: 36_500,
        },
        "365",
        "For how many days older versions of items are kept; not less than recording.days.",
    ),
    key(
        "keep.tombstone_days",
        Kind::Number {
            min: 1,
            max: 36_500,
        },
        "1095",
        "For how many days deleted items are kept; not less than recording.days. One that a device still has is kept longer.",
    ),
    key(
        "keep.session_days",
        Kind::Number { min: 8, max: 3650 },
        "30",
        "For how many days the state of sessions that ended, or were given up, is kept.",
    ),
    key(
        "http.max_body_bytes",
        Kind::Number {
            min: 2048,
            max: 268_435_456,
        },
        "1048576",
        "Largest request body; a larger one is answered with 413.",
    ),
    key(
        "http.workers",
        Kind::Number { min: 0, max: 1024 },
        "0",
        "How many messages are worked on at once; 0: four for each processor core.",
    ),
    key(
        "http.request_timeout_seconds",
        Kind::Number { min: 1, max: 3600 },
        "60",
        "How long a phone may take to send a request.",
    ),
    key(
        "http.patience_seconds",
        Kind::Number { min: 1, max: 3600 },
        "20",
        "How long a phone waits for a reply before it is told that the server is busy and asks again.",
    ),
    key(
        "push.coalesce_seconds",
        Kind::Number { min: 0, max: 3600 },
        "5",
        "How long a change waits for others, so that many of them wake a phone once.",
    ),
    key(
        "push.quiet_hours",
        Kind::QuietHours,
        "",
        "When changes wake no phone, such as 22:00-07:00, in sync.time_zone. What somebody asks for goes out all the same.",
    ),
    key(
        "push.sms_per_device_per_day",
        Kind::Number {
            min: 0,
            max: 100_000,
        },
        "50",
        "SMS to one device a day at most; 0: no limit.",
    ),
    key(
        "push.sms_per_account_per_day",
        Kind::Number {
            min: 0,
            max: 1_000_000,
        },
        "200",
        "SMS to an account's devices a day at most; 0: no limit.",
    ),
    key(
        "push.sms_per_gateway_per_day",
        Kind::Number {
            min: 0,
            max: 100_000_000,
        },
        "0",
        "SMS through one gateway a day at most; 0: no limit.",
    ),
    key(
        "push.answer_seconds",
        Kind::Number {
            min: 5,
            max: 86_400,
        },
        "600",
        "How long a phone may take to come; then the next channel is tried, once.",
    ),
    key(
        "push.expire_hours",
        Kind::Number { min: 1, max: 720 },
        "24",
        "How long it is tried to send a notification, and its receipt is waited for.",
    ),
    key(
        "push.in_flight",
        Kind::Number { min: 1, max: 256 },
        "1",
        "Submissions to a gateway at once; what a sudden end can double. More for gateways that are far away.",
    ),
    key(
        "push.lease_seconds",
        Kind::Number { min: 2, max: 3600 },
        "30",
        "How long others leave alone what a node that died had in its hands.",
    ),
    key(
        "push.keep_days",
        Kind::Number { min: 1, max: 3650 },
        "30",
        "How long finished notifications are kept.",
    ),
    key(
        "push.texts",
        Kind::Choice(&["off", "sync", "all"]),
        "off",
        "What texts from known numbers can ask for: nothing, a push (SYNC), or settings too (SETUP).",
    ),
    key(
        "mail.window_days",
        Kind::Number {
            min: 0,
            max: 36_500,
        },
        "30",
        "A phone has the mails of so many days; 0: of all days.",
    ),
    key(
        "mail.window_count",
        Kind::Number { min: 0, max: 5000 },
        "50",
        "A phone has so many mails of a folder, the newest.",
    ),
    key(
        "mail.body_bytes",
        Kind::Number {
            min: 0,
            max: 1 << 30,
        },
        "4096",
        "A phone gets so many octets of a mail's text until it asks for more; 0: all.",
    ),
    key(
        "mail.lmtp",
        Kind::OptionalAddress,
        "",
        "Where delivery agents hand over mail by LMTP, such as 127.0.0.1:2424; port 0 takes any free one. Unset: nowhere.",
    ),
    key(
        "mail.max_message_bytes",
        Kind::Number {
            min: 65_536,
            max: 67_108_864,
        },
        "33554432",
        "Largest message that is taken by LMTP or HTTP, or fetched whole.",
    ),
    key(
        "mail.mirror_days",
        Kind::Number { min: 1, max: 3650 },
        "30",
        "Messages of IMAP and POP3 mailboxes that are older are not mirrored.",
    ),
    key(
        "mail.mirror_count",
        Kind::Number {
            min: 1,
            max: 10_000,
        },
        "200",
        "How many messages of each folder are mirrored, the newest.",
    ),
    key(
        "mail.mirror_bytes",
        Kind::Number {
            min: 4096,
            max: 4_194_304,
        },
        "131072",
        "How much of a message is mirrored before a device asks for the rest.",
    ),
    key(
        "mail.poll_seconds",
        Kind::Number { min: 1, max: 3600 },
        "120",
        "How often a mailbox is looked at where its server tells nothing by itself.",
    ),
    key(
        "mail.lease_seconds",
        Kind::Number { min: 2, max: 3600 },
        "60",
        "How long others leave alone what a node that died watched.",
    ),
    key(
        "mail.watchers",
        Kind::Number {
            min: 0,
            max: 100_000,
        },
        "5000",
        "Mailboxes that this node watches at most; 0: none.",
    ),
    key(
        "push.mail.folders",
        Kind::Text,
        "inbox",
        "New mail of which folders wakes phones: roles (inbox) or names, with commas; all: every one but what was sent, drafted or thrown away.",
    ),
    key(
        "push.mail.senders",
        Kind::Text,
        "",
        "Whose mail wakes phones: addresses, or patterns such as *@example.org, with commas. Unset: anybody's. All other mail waits for the next sync.",
    ),
    key(
        "push.mail.ignore",
        Kind::Text,
        "",
        "Whose mail never does, such as noreply@*.",
    ),
    key(
        "push.mail.importance",
        Kind::Choice(&["any", "high", "never"]),
        "any",
        "Which mail does: any; high: only what its sender calls urgent; never: none but that of push.mail.always.",
    ),
    key(
        "push.mail.quiet_hours",
        Kind::QuietHours,
        "",
        "When mail wakes no phone, beside push.quiet_hours; it does when they end.",
    ),
    key(
        "push.mail.always",
        Kind::Text,
        "",
        "Whose mail wakes at once whatever push.mail.senders, importance and quiet_hours say.",
    ),
    Key {
        secret: true,
        ..key(
            "api.token",
            Kind::Text,
            "",
            "What callers of /api/v1 show as bearer token. Unset: there is no API.",
        )
    },
    key(
        "log.level",
        Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        "info",
        "What is logged, on standard error.",
    ),
    key(
        "log.format",
        Kind::Choice(&["text", "json"]),
        "text",
        "How: for people, or one JSON object a line.",
    ),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The environment variable of a key: `CANDYBAR_` and the name in upper case, two underscores for a dot.
pub fn variable(name: &str) -> String {
    format!("CANDYBAR_{}", name.replace('.', "__").to_ascii_uppercase())
}

/// The known key that looks most like an unknown one, if one does.
pub fn nearest(unknown: &str) -> Option<&'static str> {
    nearest_of(unknown, KEYS.iter().map(|key| key.name))
}

/// The name of these that looks most like an unknown one, if one does.
pub(super) fn nearest_of(
    unknown: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let unknown: String = unknown.chars().take(64).collect::<String>().to_lowercase();
    let last = unknown.rsplit('.').next().unwrap_or_default();
    names
        .map(|name| {
            let own_last = name.rsplit('.').next().unwrap_or_default();
            let whole = distance(&unknown, name);
            // A known word in the wrong table is a near miss too.
            let near = whole.min(distance(last, own_last) + 1);
            let cut = last.len() > 3 && own_last.starts_with(last);
            (if cut { near.min(2) } else { near }, whole, name)
        })
        .min()
        .filter(|(near, _, name)| *near <= 2.max(name.len() / 4))
        .map(|(_, _, name)| name)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{KEYS, nearest, variable};

    #[test]
    fn near_misses_name_the_key_that_was_meant() {
        for (unknown, meant) in [
            ("lisen", Some("listen")),
            ("data_base", Some("database")),
            ("sync.conflicts", Some("sync.conflict")),
            ("conflict", Some("sync.conflict")),
            ("sync.contact.conflict", Some("sync.contacts.conflict")),
            ("http.max_body", Some("http.max_body_bytes")),
            ("max_body_bytes", Some("http.max_body_bytes")),
            ("log.levle", Some("log.level")),
            ("gateway", None),
            ("push.coalesce", Some("push.coalesce_seconds")),
        ] {
            assert_eq!(nearest(unknown), meant, "{unknown}");
        }
    }

    #[test]
    fn variables_are_distinct() {
        let mut variables: Vec<_> = KEYS.iter().map(|key| variable(key.name)).collect();
        variables.sort();
        variables.dedup();
        assert_eq!(variables.len(), KEYS.len());
        assert_eq!(
            variable("http.max_body_bytes"),
            "CANDYBAR_HTTP__MAX_BODY_BYTES"
        );
    }
}
