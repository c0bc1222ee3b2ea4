//! What a phone wants to be sent, as a message that can be sent.
//!
//! Phones give half a message: no date, no id, no sender or somebody else's, a body of bare octets. The message is made anew (RFC 5322, RFC
//! 2045) of what is understood, so that nothing a phone wrote can become a header field or a line of the protocol. Bcc is for the
//! envelope alone.

use sha2::{Digest as _, Sha256};

use super::fields::{BodyCoding, Fields};
use super::head::{Head, Mailbox, clean};
use super::letters::Letters;
use super::parts::{Coding, Node, Part, parts};

/// Recipients of one mail.
pub const MAX_RECIPIENTS: usize = 100;
/// Ids of a thread that are named.
const MAX_REFERENCES: usize = 20;
/// Octets of one text that are sent.
const MAX_TEXT: usize = 4 << 20;

/// Who sends, and what is known beside the message.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The account's own addresses; the first one is used where the phone gives none of them.
    pub addresses: &'a [Mailbox],
    /// Unique, and the same in every attempt: the message's id is made of it. Letters, digits, `.` and `-`.
    pub id: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// The mail that this one answers, if that is known.
    pub answered: Option<&'a Head>,
    /// Octets that the server takes.
    pub max_octets: u64,
}

/// A message that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients, each once.
    pub recipients: Vec<String>,
    /// Without the angle brackets.
    pub message_id: String,
    /// The message, with CR LF; ASCII.
    pub message: Vec<u8>,
    /// The field that only the sender's own copy has; may be empty.
    bcc: Vec<u8>,
}

impl Outgoing {
    /// The sender's own copy.
    pub fn filed(&self) -> Vec<u8> {
        [self.bcc.as_slice(), &self.message].concat()
    }
}

/// Why a mail cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The account has none.
    #[error("the account has no address to send from")]
    NoAddress,
    /// It is addressed to nobody.
    #[error("the mail has no recipient")]
    NoRecipient,
    /// An address that cannot be one.
    #[error("{0} is no address that mail can be sent to")]
    BadRecipient(String),
    /// More than the limit.
    #[error("the mail has more than {MAX_RECIPIENTS} recipients")]
    TooManyRecipients,
    /// Longer than the limit.
    #[error("the mail has {octets} octets; {most} can be sent")]
    TooLarge {
        /// Its octets.
        octets: u64,
        /// The limit.
        most: u64,
    },
}

/// Makes a message of what a phone gave.
pub fn compose(given: &[u8], author: &Author<'_>) -> Result<Outgoing, Refused> {
    let too_large = |octets: usize| Refused::TooLarge {
        octets: octets as u64,
        most: author.max_octets,
    };
    if given.len() as u64 > author.max_octets {
        return Err(too_large(given.len()));
    }
    let head = Head::of(given);
    let from = sender(&head, author.addresses)?;
    let recipients = recipients(&head)?;
    let domain = from.address.rsplit('@').next().unwrap_or_default();
    let message_id = format!("{}@{domain}", author.id);
    let mut out = Fields::new(Letters::of(None, true));
    out.mailboxes("From", std::slice::from_ref(&from));
    out.mailboxes("To", &head.to);
    out.mailboxes("Cc", &head.cc);
    let reply_to: Vec<Mailbox> = head
        .reply_to
        .iter()
        .filter(|to| is_address(&to.address) && !to.address.eq_ignore_ascii_case(&from.address))
        .cloned()
        .collect();
    out.mailboxes("Reply-To", &reply_to);
    out.text("Subject", &head.subject);
    out.date("Date", date(&head, author.now));
    out.ids("Message-ID", [&message_id]);
    let (in_reply_to, references) = thread(&head, author.answered);
    out.ids("In-Reply-To", &in_reply_to);
    out.ids("References", &references);
    if head.urgent {
        out.plain("X-Priority", "1");
    }
    out.plain("MIME-Version", "1.0");
    let mut numbers = 0;
    entity(&mut out, &parts(given), author.id, &mut numbers);
    if out.out.len() as u64 > author.max_octets {
        return Err(too_large(out.out.len()));
    }
    let mut bcc = Fields::new(Letters::of(None, true));
    bcc.mailboxes("Bcc", &head.bcc);
    Ok(Outgoing {
        from: from.address,
        recipients,
        message_id,
        message: out.out,
        bcc: bcc.out,
    })
}

/// The account's address that the phone gave, else its first one; the name is the phone's matter.
fn sender(head: &Head, addresses: &[Mailbox]) -> Result<Mailbox, Refused> {
    let given = head.from.first();
    let own = given.and_then(|given| {
        let same = |own: &&Mailbox| own.address.eq_ignore_ascii_case(&given.address);
        addresses.iter().find(same)
    });
    let from = own.or(addresses.first()).ok_or(Refused::NoAddress)?;
    if !is_address(&from.address) {
        return Err(Refused::NoAddress);
    }
    let name = given
        .filter(|given| own.is_some() && !given.name.is_empty())
        .map_or(&from.name, |given| &given.name);
    Ok(Mailbox {
        name: clean(name),
        address: from.address.clone(),
    })
}

fn recipients(head: &Head) -> Result<Vec<String>, Refused> {
    let mut all: Vec<String> = Vec::new();
    for to in head.to.iter().chain(&head.cc).chain(&head.bcc) {
        if !is_address(&to.address) {
            let shown = if to.address.is_empty() {
                &to.name
            } else {
                &to.address
            };
            return Err(Refused::BadRecipient(shown.chars().take(100).collect()));
        }
        if !all
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&to.address))
        {
            all.push(to.address.clone());
        }
    }
    match all.len() {
        0 => Err(Refused::NoRecipient),
        1..=MAX_RECIPIENTS => Ok(all),
        _ => Err(Refused::TooManyRecipients),
    }
}

/// An address as every server takes it: a dot-atom, and a domain of letters, digits and hyphens (RFC 5321 section 4.1.2).
pub fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let dots = |text: &str| !text.starts_with('.') && !text.ends_with('.') && !text.contains("..");
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && local.chars().all(atom)
        && domain.chars().all(host)
        && dots(local)
        && dots(domain)
}

/// The phone's clock is believed if it is right to a day.
fn date(head: &Head, now: i64) -> i64 {
    let near = |date: &i64| (*date - now).unsigned_abs() <= 86_400;
    head.date.filter(near).unwrap_or(now)
}

/// In-Reply-To and References.
fn thread(head: &Head, answered: Option<&Head>) -> (Vec<String>, Vec<String>) {
    if let Some(first) = head.in_reply_to.first() {
        let mut references = head.references.clone();
        if !references.contains(first) {
            references.push(first.clone());
        }
        return (vec![first.clone()], newest(references));
    }
    let Some((id, answered)) = answered.and_then(|of| Some((of.message_id.clone()?, of))) else {
        return (Vec::new(), newest(head.references.clone()));
    };
    let mut references = answered.references.clone();
    references.push(id.clone());
    (vec![id], newest(references))
}

fn newest(mut ids: Vec<String>) -> Vec<String> {
    ids.drain(..ids.len().saturating_sub(MAX_REFERENCES));
    ids
}

/// Whether a mail that a phone wrote answers one that the account got: it goes to that one's sender, and has its subject.
pub fn answers(written: &Head, received: &Head) -> bool {
    let subject = bare_subject(&received.subject);
    let said = written.subject.to_lowercase();
    let re = said
        .split_once(':')
        .is_some_and(|(prefix, _)| is_answer(prefix));
    let to = |address: &str| {
        let mut all = written.to.iter().chain(&written.cc);
        all.any(|to| to.address.eq_ignore_ascii_case(address))
    };
    let senders = received.from.iter().chain(&received.reply_to);
    re && subject == bare_subject(&written.subject)
        && received.message_id.is_some()
        && senders.map(|of| of.address.as_str()).any(to)
}

/// The thread in which the mail is that this one answers, if it is an answer that does not name that.
pub fn thread_of(written: &Head) -> Option<i64> {
    let (prefix, _) = written.subject.split_once(':')?;
    let answer = is_answer(&prefix.to_lowercase()) && written.in_reply_to.is_empty();
    answer.then(|| thread_key(&written.subject))
}

/// A number for the subject of a thread; part of the database's format.
pub fn thread_key(subject: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(bare_subject(subject).as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    i64::from_be_bytes(first)
}

fn is_answer(prefix: &str) -> bool {
    let words = ["re", "aw", "sv", "vs", "antw", "rv", "odp"];
    words.contains(
        &prefix
            .trim()
            .trim_end_matches(|c: char| matches!(c, '[' | ']' | '0'..='9')),
    )
}

fn bare_subject(subject: &str) -> String {
    let lower = subject.to_lowercase();
    let mut rest = lower.trim();
    while let Some((prefix, tail)) = rest.split_once(':') {
        if !is_answer(prefix) && !matches!(prefix.trim(), "fw" | "fwd" | "wg") {
            break;
        }
        rest = tail.trim();
    }
    rest.to_owned()
}

/// Writes a part's fields and body, or a multipart. The depth is limited where parts are found.
fn entity(out: &mut Fields, node: &Node<'_>, id: &str, numbers: &mut usize) {
    match node {
        Node::Leaf(part) if part.media == "text/plain" && !part.attached => {
            out.body(
                "text/plain",
                part.text(MAX_TEXT).trim_end().as_bytes(),
                BodyCoding::Quoted,
            );
        }
        Node::Leaf(part) if part.media == "text/html" && !part.attached => {
            out.body(
                "text/html",
                part.text(MAX_TEXT).as_bytes(),
                BodyCoding::Quoted,
            );
        }
        Node::Leaf(part) => file(out, part),
        Node::Multi(subtype, children) => {
            *numbers += 1;
            let boundary = format!("=_{id}_{numbers}_=");
            let subtype = match subtype.as_str() {
                "alternative" | "related" => subtype,
                _ => "mixed",
            };
            out.plain(
                "Content-Type",
                &format!("multipart/{subtype}; boundary=\"{boundary}\""),
            );
            out.out.extend_from_slice(b"\r\n");
            for child in children {
                out.out
                    .extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                entity(out, child, id, numbers);
            }
            if children.is_empty() {
                out.out
                    .extend_from_slice(format!("--{boundary}\r\n\r\n").as_bytes());
            }
            out.out
                .extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        }
    }
}

fn file(out: &mut Fields, part: &Part<'_>) {
    // A message within must not be base64 (RFC 2046 section 5.2.1).
    let media = match part.media.as_str() {
        media if media.starts_with("message/") || media.starts_with("multipart/") => {
            "application/octet-stream"
        }
        media => media,
    };
    out.plain("Content-Type", media);
    out.plain("Content-Transfer-Encoding", "base64");
    match &part.name {
        Some(name) => out.plain(
            "Content-Disposition",
            &format!("attachment; {}", file_name(name)),
        ),
        None => out.plain("Content-Disposition", "attachment"),
    }
    out.out.extend_from_slice(b"\r\n");
    match part.coding {
        Coding::Base64 => out.base64_again(part.body),
        _ => out.base64(&part.octets(usize::MAX)),
    }
}

/// The parameter `filename`, also of other letters (RFC 2231).
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.chars().all(plain) {
        return format!("filename={name}");
    }
    let mut coded = String::new();
    for octet in name.bytes() {
        match char::from(octet) {
            c if plain(c) => coded.push(c),
            _ => coded.push_str(&format!("%{octet:02X}")),
        }
    }
    format!("filename*=utf-8''{coded}")
}
