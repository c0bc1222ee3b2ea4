//! What the header of a message says (RFC 5322 section 3.6): who wrote it, to whom, when, about what, and which one it is.
//!
//! Also what twins have in common: a phone in a slow sync has a mail of which it may have kept little.

use mail_parser::{Address, HeaderName, HeaderValue, MessageParser};
use memchr::memmem;

use crate::content::Component;

/// Octets of a header that are looked at.
pub(super) const MAX_HEADER: usize = 128 << 10;
/// Addresses of one field that are kept.
pub(super) const MAX_ADDRESSES: usize = 256;
/// Characters of a text that is kept of a header.
const MAX_TEXT: usize = 2_000;

/// One mailbox of a From, To or Cc.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The name before the address; may be empty.
    pub name: String,
    /// `local@domain`; empty if none was understood.
    pub address: String,
}

/// What a message's header says, decoded. Texts have no line breaks and no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// Who wrote it.
    pub from: Vec<Mailbox>,
    /// Where answers go, if not to `from`.
    pub reply_to: Vec<Mailbox>,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// To whom else.
    pub cc: Vec<Mailbox>,
    /// To whom in secret.
    pub bcc: Vec<Mailbox>,
    /// About what.
    pub subject: String,
    /// When, in seconds since 1970.
    pub date: Option<i64>,
    /// Without the angle brackets.
    pub message_id: Option<String>,
    /// The ids of what it answers.
    pub in_reply_to: Vec<String>,
    /// The ids of the thread before it.
    pub references: Vec<String>,
    /// It says that it is urgent (Importance, X-Priority, Priority).
    pub urgent: bool,
}

impl Head {
    /// Reads a message's header; what is broken is left out.
    pub fn of(message: &[u8]) -> Self {
        let Some(parsed) = MessageParser::default().parse_headers(header(message)) else {
            return Self::default();
        };
        let mailboxes = |name: HeaderName<'_>| {
            let values = parsed.headers().iter().filter(|field| field.name == name);
            let addresses = values.filter_map(|field| field.value.as_address());
            addresses.flat_map(mailboxes).take(MAX_ADDRESSES).collect()
        };
        let text = |name: &'static str| parsed.header(name).and_then(HeaderValue::as_text);
        let starts = |name, with: &[&str]| {
            let value = text(name).unwrap_or_default().trim().to_ascii_lowercase();
            with.iter().any(|with| value.starts_with(with))
        };
        Self {
            from: mailboxes(HeaderName::From),
            reply_to: mailboxes(HeaderName::ReplyTo),
            to: mailboxes(HeaderName::To),
            cc: mailboxes(HeaderName::Cc),
            bcc: mailboxes(HeaderName::Bcc),
            subject: parsed.subject().map(clean).unwrap_or_default(),
            date: parsed
                .date()
                .filter(|date| date.is_valid())
                .map(mail_parser::DateTime::to_timestamp),
            message_id: parsed.message_id().and_then(id),
            in_reply_to: ids(parsed.in_reply_to()),
            references: ids(parsed.references()),
            urgent: starts("Importance", &["high"])
                || starts("X-Priority", &["1", "2"])
                || starts("Priority", &["urgent"]),
        }
    }

    /// The address of who wrote it, in lower case; empty if it says none.
    pub fn sender(&self) -> String {
        let first = self.from.first();
        first.map_or_else(String::new, |from| from.address.to_lowercase())
    }
}

/// The header of a message, up to the empty line and not more than is looked at.
pub(super) fn header(message: &[u8]) -> &[u8] {
    let reach = &message[..message.len().min(MAX_HEADER)];
    let end = |needle: &[u8]| memmem::find(reach, needle).map(|at| at + needle.len());
    let end = [end(b"\r\n\r\n"), end(b"\n\n")].into_iter().flatten().min();
    &reach[..end.unwrap_or(reach.len())]
}

/// Mailboxes of a field. What has no address that could be sent to keeps its name alone: nobody is left out without a word.
fn mailboxes<'a>(address: &'a Address<'a>) -> impl Iterator<Item = Mailbox> + 'a {
    let read = address.iter().filter_map(|one| {
        let address = one.address.as_deref().unwrap_or_default().trim();
        let plain =
            address.len() <= 320 && !address.chars().any(|c| c.is_control() || c.is_whitespace());
        let name = clean(one.name.as_deref().unwrap_or_default());
        let mailbox = match plain {
            true => Mailbox {
                name,
                address: address.to_owned(),
            },
            false => Mailbox {
                name: clean(address),
                address: String::new(),
            },
        };
        (!mailbox.name.is_empty() || !mailbox.address.is_empty()).then_some(mailbox)
    });
    read.take(MAX_ADDRESSES)
}

/// A text of one line: white space and control characters are blanks, and none doubled; not longer than is kept.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(MAX_TEXT));
    let mut blank = false;
    for c in text.chars().take(4 * MAX_TEXT) {
        // Also what turns the direction of writing, so that a name does not look like another one.
        let hidden = matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if c.is_whitespace() || c.is_control() {
            blank = !clean.is_empty();
        } else if !hidden {
            if blank {
                clean.push(' ');
                blank = false;
            }
            clean.push(c);
        }
    }
    if let Some((end, _)) = clean.char_indices().nth(MAX_TEXT) {
        clean.truncate(end);
    }
    clean
}

/// A message id that can stand in a header again.
fn id(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    (plain && !text.is_empty() && text.len() <= 900).then(|| text.to_owned())
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let texts = match value {
        HeaderValue::Text(text) => vec![text],
        HeaderValue::TextList(texts) => texts.iter().collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(|text| id(text)).collect()
}

/// What a mail's twin has too: when it was written and by whom, else its id, else its subject.
pub(in crate::content) fn match_key_text(root: &Component) -> String {
    let head = Head::of(super::octets(root));
    match (head.date, head.sender(), &head.message_id) {
        (Some(date), sender, _) if !sender.is_empty() => format!("{date} {sender}"),
        (date, sender, None) => format!("{date:?} {sender} {}", head.subject),
        (_, _, Some(id)) => id.clone(),
    }
}

/// Whether two mails with the same key are one: ids that both have decide. What was written on a phone has no id and mostly no
/// date either: then they are one only if all of them is.
pub(in crate::content) fn same_message(a: &Component, b: &Component) -> bool {
    let octets = [super::octets(a), super::octets(b)];
    let [a, b] = octets.map(Head::of);
    match (&a.message_id, &b.message_id) {
        (Some(a), Some(b)) => a == b,
        _ => {
            let subjects = a.subject.starts_with(&b.subject) || b.subject.starts_with(&a.subject);
            let dated = a.date.is_some() && b.date.is_some();
            a.date == b.date
                && a.sender() == b.sender()
                && subjects
                && (dated || lines(octets[0]) == lines(octets[1]))
        }
    }
}

/// The lines of a message, whatever they end with.
fn lines(message: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = message
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}
