//! Keeps the messages of the tests' sessions as files: set `RECORD_SESSIONS` to a folder and run the tests.
//!
//! Each message becomes `<device>-<session>-<exchange>-<sender>.{xml,wbxml}`, beside it a `.md` line on its origin. What
//! is worth keeping moves to `oma-samples/` under a name that says what it shows.

use std::fs;
use std::path::{Path, PathBuf};

/// From this level on SyncEvolution logs the bytes of each message.
const WITH_MESSAGES: u8 = 6;

/// The client's log level, with messages or, unless they are to be kept anyway, without.
pub(crate) fn log_level(with_messages: bool) -> u8 {
    if with_messages || target().is_some() {
        WITH_MESSAGES
    } else {
        3
    }
}

/// Copies the messages in a session's log folder to the recording folder, if there is one.
pub(crate) fn keep(log: &Path, device: &str, session: u32) {
    let Some(target) = target() else { return };
    fs::create_dir_all(&target).expect("the recording folder can be made");
    for message in messages(log) {
        let name = format!("{device}-{session}-{}-{}", message.exchange, message.sender);
        fs::copy(
            &message.path,
            target.join(format!("{name}.{}", message.carrier)),
        )
        .expect("a message can be copied");
        let origin = format!(
            "Sent by the {} in a session of the SyncEvolution client `{device}`.\n",
            message.sender
        );
        fs::write(target.join(format!("{name}.md")), origin)
            .expect("a message's origin can be written");
    }
}

/// A message in a session's log folder.
pub(crate) struct LoggedMessage {
    pub(crate) path: PathBuf,
    /// Counts request and answer pairs, in three digits.
    pub(crate) exchange: String,
    /// `client` or `server`.
    pub(crate) sender: &'static str,
    /// `xml` or `wbxml`.
    pub(crate) carrier: String,
}

impl LoggedMessage {
    /// True when the bytes of `text` are in the message; WBXML keeps SyncML's strings as they are.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let bytes = fs::read(&self.path).expect("a message can be read");
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// The messages of a session that was logged with messages, in their order.
pub(crate) fn messages(log: &Path) -> Vec<LoggedMessage> {
    let entries = fs::read_dir(log).expect("the log folder can be listed");
    let mut messages: Vec<(String, LoggedMessage)> = entries
        .map(|entry| entry.expect("the log folder can be listed").path())
        .filter_map(|path| {
            // syncevolution-log_msg<MsgID>_<step>_<direction>.<carrier>
            let name = path.file_name()?.to_str()?;
            let (stem, carrier) = name
                .strip_prefix("syncevolution-log_msg")?
                .split_once('.')?;
            let mut parts = stem.split('_');
            let (_, step, direction) = (parts.next()?, parts.next()?.to_owned(), parts.next()?);
            let sender = if direction == "outgoing" {
                "client"
            } else {
                "server"
            };
            let carrier = carrier.to_owned();
            Some((
                step,
                LoggedMessage {
                    path,
                    exchange: String::new(),
                    sender,
                    carrier,
                },
            ))
        })
        .collect();
    messages.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (index, (_, message)) in messages.iter_mut().enumerate() {
        message.exchange = format!("{:03}", index / 2 + 1);
    }
    messages.into_iter().map(|(_, message)| message).collect()
}

fn target() -> Option<PathBuf> {
    std::env::var_os("RECORD_SESSIONS").map(PathBuf::from)
}
