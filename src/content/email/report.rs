//! Reports of what was not sent (RFC 6522, `multipart/report`; RFC 3464, `message/delivery-status`).
//!
//! Three parts: words for people, the same for programs, and the header of the mail that it is about.

use super::fields::{BodyCoding, Fields};
use super::head::{Head, Mailbox, clean};
use super::letters::Letters;

/// Characters of a server's words.
const MAX_WORDS: usize = 400;

/// A recipient that a mail did not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// Its address; empty for all.
    pub recipient: String,
    /// In words of the server, or ours.
    pub why: String,
    /// It may have got it.
    pub perhaps: bool,
}

impl Unreached {
    /// The status code (RFC 3463): the server's, if it gave one.
    fn status(&self) -> String {
        if self.perhaps {
            // The connection broke in the middle.
            return "4.4.2".to_owned();
        }
        let number = |text: &str| {
            (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
        };
        let code = |word: &&str| {
            let parts: Vec<&str> = word.split('.').collect();
            matches!(parts[..], ["5", subject, detail] if number(subject) && number(detail))
        };
        let mut words = self
            .why
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        words.find(code).unwrap_or("5.0.0").to_owned()
    }
}

/// A mail for the sender's inbox: who did not get theirs. `id` is unique: letters, digits, `.` and `-`. `now`: seconds since 1970.
pub fn report(of: &Head, unreached: &[Unreached], to: &Mailbox, id: &str, now: i64) -> Vec<u8> {
    let domain = to.address.rsplit('@').next().unwrap_or_default();
    let mut out = Fields::new(Letters::of(None, true));
    let from = Mailbox {
        name: "Mail Delivery".to_owned(),
        address: format!("mailer-daemon@{domain}"),
    };
    out.mailboxes("From", &[from]);
    out.mailboxes("To", std::slice::from_ref(to));
    let perhaps = !unreached.is_empty() && unreached.iter().all(|one| one.perhaps);
    let word = if perhaps {
        "Perhaps not sent"
    } else {
        "Not sent"
    };
    out.text("Subject", &format!("{word}: {}", of.subject));
    out.date("Date", now);
    out.ids("Message-ID", [&format!("{id}@{domain}")]);
    out.ids("In-Reply-To", &of.message_id);
    out.plain("Auto-Submitted", "auto-replied");
    out.plain("MIME-Version", "1.0");
    let boundary = format!("=_{id}_=");
    out.plain(
        "Content-Type",
        &format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\""),
    );
    let open = |out: &mut Fields| {
        out.out
            .extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
    };
    open(&mut out);
    out.body(
        "text/plain",
        words(of, unreached, perhaps).as_bytes(),
        BodyCoding::Quoted,
    );
    open(&mut out);
    out.plain("Content-Type", "message/delivery-status");
    out.out.extend_from_slice(b"\r\n");
    let host = if domain.is_empty() {
        "localhost"
    } else {
        domain
    };
    out.plain("Reporting-MTA", &format!("dns; {host}"));
    for one in unreached {
        out.out.extend_from_slice(b"\r\n");
        // Who is meant when nobody could be read is not known.
        let recipient = match one.recipient.is_empty() {
            true => format!("undisclosed-recipients@{host}"),
            false => one.recipient.clone(),
        };
        out.plain("Final-Recipient", &format!("rfc822; {}", ascii(&recipient)));
        out.plain("Action", "failed");
        out.plain("Status", &one.status());
        out.plain("Diagnostic-Code", &format!("smtp; {}", ascii(&one.why)));
    }
    open(&mut out);
    out.plain("Content-Type", "text/rfc822-headers");
    out.out.extend_from_slice(b"\r\n");
    out.mailboxes("From", &of.from);
    out.mailboxes("To", &of.to);
    out.mailboxes("Cc", &of.cc);
    out.text("Subject", &of.subject);
    if let Some(date) = of.date {
        out.date("Date", date);
    }
    out.ids("Message-ID", &of.message_id);
    out.out
        .extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out.out
}

fn words(of: &Head, unreached: &[Unreached], perhaps: bool) -> String {
    let mut text = format!("Your mail \"{}\"", of.subject);
    text.push_str(if perhaps {
        " may not have been sent: the connection to the mail server broke at its end. It is not sent again by itself, so that nobody gets \
         it twice.\n"
    } else {
        " was not sent to:\n"
    });
    for one in unreached {
        let name = if one.recipient.is_empty() {
            "all recipients"
        } else {
            &one.recipient
        };
        text.push_str(&format!("\n{}\n  {}\n", clean(name), clean(&one.why)));
    }
    text
}

/// A text for a field of a report.
fn ascii(text: &str) -> String {
    let clean = clean(text);
    let ascii = clean.chars().take(MAX_WORDS).map(|c| match c {
        ' '..='~' => c,
        _ => '?',
    });
    ascii.collect()
}
