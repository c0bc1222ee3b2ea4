//! The stored form of a mail: a line for each thing that is known of it, an empty line, and the message as it came.
//!
//! The first line names the form and its version. A line that is not understood is left alone, so that an older program can read
//! what a newer one wrote. The form is part of the database's format.

use memchr::memmem;

use super::{Extension, FLAGS, MAX_EXTENSIONS, MAX_OCTETS, Mail, TIMES, read_time, written_time};
use crate::content::ContentError;

/// The first line.
const FIRST: &[u8] = b"candybar-mail 1\n";
/// Octets of the lines before the message.
const MAX_STATE: usize = 64 << 10;

pub(super) fn write(mail: &Mail) -> Vec<u8> {
    let mut state = mail.clone_state();
    let mut out = Vec::with_capacity(mail.message.len() + 256);
    out.extend_from_slice(FIRST);
    let mut line = |name: &str, value: &str| {
        out.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    };
    let flags: Vec<String> = FLAGS
        .into_iter()
        .filter(|name| state.flag(name).is_some_and(|flag| *flag))
        .map(str::to_ascii_lowercase)
        .collect();
    line("flags", &flags.join(" "));
    for name in TIMES {
        if let Some(time) = state.time(name).and_then(|time| *time) {
            line(&name.to_ascii_lowercase(), &written_time(time));
        }
    }
    if mail.missing > 0 {
        line("missing", &mail.missing.to_string());
    }
    for ext in mail.ext.iter().take(MAX_EXTENSIONS) {
        let texts: Vec<&str> = std::iter::once(&ext.name)
            .chain(&ext.values)
            .map(String::as_str)
            .collect();
        // JSON has no line breaks of its own.
        line("ext", &serde_json::json!(texts).to_string());
    }
    out.push(b'\n');
    out.extend_from_slice(&mail.message);
    out
}

pub(super) fn state(stored: &[u8]) -> Result<(Mail, usize), ContentError> {
    if stored.len() > MAX_OCTETS + MAX_STATE {
        return Err(ContentError::TooLarge);
    }
    let rest = stored
        .strip_prefix(FIRST)
        .ok_or(ContentError::NotThisType)?;
    let reach = rest.len().min(MAX_STATE);
    let end = match rest.first() {
        Some(b'\n') => 0,
        _ => memmem::find(&rest[..reach], b"\n\n").ok_or(ContentError::Truncated)? + 1,
    };
    let lines = std::str::from_utf8(&rest[..end]).map_err(|_| ContentError::NotThisType)?;
    let mut mail = Mail::default();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
        match name {
            "flags" => {
                for name in value.split(' ') {
                    if let Some(flag) = mail.flag(&name.to_ascii_uppercase()) {
                        *flag = true;
                    }
                }
            }
            "missing" => mail.missing = value.parse().unwrap_or(0),
            "ext" => {
                let mut texts = serde_json::from_str::<Vec<String>>(value)
                    .unwrap_or_default()
                    .into_iter();
                if let Some(name) = texts.next() {
                    let values = texts.collect();
                    mail.ext.push(Extension { name, values });
                }
            }
            _ => {
                if let Some(time) = mail.time(&name.to_ascii_uppercase()) {
                    *time = read_time(value, chrono_tz::Tz::UTC);
                }
            }
        }
    }
    Ok((mail, FIRST.len() + end + 1))
}

pub(super) fn read(stored: &[u8]) -> Result<Mail, ContentError> {
    let (mut mail, begin) = state(stored)?;
    mail.message = stored[begin..].to_vec();
    Ok(mail)
}

impl Mail {
    /// Everything but the message.
    fn clone_state(&self) -> Self {
        Self {
            message: Vec::new(),
            ext: Vec::new(),
            ..*self
        }
    }
}
