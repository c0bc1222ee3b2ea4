//! A message made anew for a small phone: the fields that it needs, the text in its letters, cut where it must be.
//!
//! What is made is a valid message (RFC 5322, RFC 2045) of ASCII unless the device takes eight bits. It says itself what it leaves out.

use super::Shape;
use super::fields::{BodyCoding, Fields};
use super::head::Head;
use super::letters::Letters;
use super::object::Left;
use super::parts::{Coding, Node, Part, parts};
use super::{Extent, html, picture, quote};

/// Octets of one text part that are read.
const MAX_TEXT: usize = 1 << 20;
/// Addresses of one field that are written.
const MAX_ADDRESSES: usize = 60;
/// Attachments that are named.
const MAX_NAMED: usize = 30;
/// Pictures of one message that are made small.
const MAX_PICTURES: usize = 10;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub letters: Letters,
    pub coding: BodyCoding,
    /// Pixels of the longest side of pictures, which are then sent beside the text.
    pub picture: Option<u16>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Small {
    /// The message.
    pub message: Vec<u8>,
    /// Octets of its text that are not in it.
    pub body_missing: u64,
    /// Attachments that are not in it.
    pub left: Vec<Left>,
    /// Octets of all there is, text and attachments.
    pub whole: u64,
}

/// Something that is sent beside the text.
struct File<'p, 'm> {
    part: &'p Part<'m>,
    name: String,
    picture: Option<Vec<u8>>,
}

pub(super) fn make(message: &[u8], missing: u64, shape: &Shape, style: &Style) -> Small {
    let tree = parts(message);
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    gather(&tree, &mut texts, &mut files);
    let (text, unread) = words(&texts);
    let (text, trimmed) = match shape.trim_quotes {
        true => {
            let (short, cut) = quote::trimmed(&text);
            let octets = text.len() - short.len().min(text.len());
            (short, if cut { octets as u64 } else { 0 })
        }
        false => (text, 0),
    };
    let most = match shape.extent {
        Extent::Flags | Extent::Header => 0,
        Extent::Text | Extent::Whole | Extent::Original => shape.body_octets,
    };
    let (mut body, cut) = beginning(&text, most, style.letters);
    let body_missing = cut + unread + trimmed;
    // A file that is there in part is none that could be used.
    let last = tree.last().body;
    let is_cut = missing > 0 && last.as_ptr_range().end == message.as_ptr_range().end;
    let broken = files
        .iter()
        .position(|file| is_cut && std::ptr::eq(file.body, last));
    let (sent, mut left) = divide(&files, broken, missing, shape, style);
    if missing > 0 && broken.is_none() {
        left.push(Left {
            name: String::new(),
            size: missing,
            media: "application/octet-stream".to_owned(),
        });
    }
    let whole = text.len() as u64
        + unread
        + files
            .iter()
            .map(|file| file.size())
            .fold(0, u64::saturating_add)
        + missing;
    if shape.extent != Extent::Header {
        let notes = notes(cut + unread, &left);
        let apart = if body.is_empty() || notes.is_empty() {
            ""
        } else {
            "\n\n"
        };
        body.extend_from_slice(&style.letters.octets(&format!("{apart}{notes}")));
    }
    Small {
        message: written(message, &body, &sent, style),
        body_missing,
        left,
        whole,
    }
}

/// The texts that a person reads, and what else there is.
fn gather<'p, 'm>(
    node: &'p Node<'m>,
    texts: &mut Vec<&'p Part<'m>>,
    files: &mut Vec<&'p Part<'m>>,
) {
    match node {
        Node::Leaf(part) if part.is_text() => texts.push(part),
        // What a report says to programs it says to people too.
        Node::Leaf(part) if is_for_programs(&part.media) => {}
        Node::Leaf(part) => files.push(part),
        Node::Multi(subtype, children) if subtype == "alternative" => {
            let of = |child: &'p Node<'m>| {
                let (mut texts, mut files) = (Vec::new(), Vec::new());
                gather(child, &mut texts, &mut files);
                (texts, files)
            };
            let all: Vec<_> = children.iter().map(of).collect();
            let reads = |media: &str| {
                all.iter().position(|(texts, _)| {
                    let mut texts = texts.iter();
                    texts.any(|text| text.media == media && !text.text(MAX_TEXT).trim().is_empty())
                })
            };
            let best = reads("text/plain")
                .or_else(|| reads("text/html"))
                .unwrap_or(0);
            if let Some((chosen, beside)) = all.into_iter().nth(best) {
                texts.extend(chosen);
                files.extend(beside);
            }
            let invitations = children.iter().filter_map(|child| match child {
                Node::Leaf(part) if part.media == "text/calendar" => Some(part),
                _ => None,
            });
            files.extend(invitations);
        }
        Node::Multi(subtype, children) if subtype == "signed" => {
            children
                .iter()
                .take(1)
                .for_each(|child| gather(child, texts, files));
        }
        Node::Multi(_, children) => children
            .iter()
            .for_each(|child| gather(child, texts, files)),
    }
}

fn is_for_programs(media: &str) -> bool {
    let of = [
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    ];
    of.contains(&media)
}

/// All texts as one, and how many octets were too many to be read.
fn words(texts: &[&Part<'_>]) -> (String, u64) {
    let mut whole = String::new();
    let mut unread = 0;
    for part in texts {
        unread += part.body.len().saturating_sub(MAX_TEXT) as u64;
        let text = part.text(MAX_TEXT);
        let text = match part.media.as_str() {
            "text/html" => html::text(&text),
            _ if part.flowed => unflowed(&text),
            _ => text,
        };
        let text = text.trim_matches(['\n', ' ', '\t']);
        if text.is_empty() {
            continue;
        }
        if !whole.is_empty() {
            whole.push_str("\n\n");
        }
        whole.push_str(text);
    }
    (whole, unread)
}

/// The paragraphs of flowed text (RFC 3676).
fn unflowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let words = &line[depth..];
        let words = words.strip_prefix(' ').unwrap_or(words);
        match open {
            Some(before) if before == depth => {}
            _ => {
                if !out.is_empty() || open.is_some() {
                    out.push('\n');
                }
                out.push_str(&line[..depth]);
                if depth > 0 {
                    out.push(' ');
                }
            }
        }
        out.push_str(words);
        // A signature's line flows nowhere.
        open = (words.ends_with(' ') && words != "-- ").then_some(depth);
    }
    out
}

/// As much of a text as there is room for, in the device's letters, and how many octets are missing.
fn beginning(text: &str, most: u64, letters: Letters) -> (Vec<u8>, u64) {
    let mut body = Vec::new();
    let (mut missing, mut full) = (0_u64, false);
    letters.write(text, |octets| {
        full = full || (body.len() + octets.len()) as u64 > most;
        match full {
            true => missing += octets.len() as u64,
            false => body.extend_from_slice(octets),
        }
        true
    });
    (body, missing)
}

/// What is sent beside the text, and what is not.
fn divide<'p, 'm>(
    files: &[&'p Part<'m>],
    broken: Option<usize>,
    missing: u64,
    shape: &Shape,
    style: &Style,
) -> (Vec<File<'p, 'm>>, Vec<Left>) {
    let (mut sent, mut left) = (Vec::new(), Vec::new());
    let mut room = match shape.extent {
        Extent::Whole | Extent::Original => shape.attachment_octets,
        Extent::Flags | Extent::Header | Extent::Text => 0,
    };
    let mut pictures = if shape.extent == Extent::Text {
        MAX_PICTURES
    } else {
        0
    };
    for (index, part) in files.iter().enumerate() {
        let name = match (&part.name, part.media.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "message/rfc822") => {
                let subject: String = Head::of(part.body).subject.chars().take(60).collect();
                if subject.is_empty() {
                    format!("mail-{}", index + 1)
                } else {
                    subject
                }
            }
            (None, media) => {
                let (kind, subtype) = media.split_once('/').unwrap_or((media, "dat"));
                format!("{kind}-{}.{}", index + 1, subtype.trim_start_matches("x-"))
            }
        };
        if broken == Some(index) {
            left.push(Left {
                name,
                size: part.size() + missing,
                media: part.media.clone(),
            });
            continue;
        }
        let size = part.size();
        if size <= room {
            room -= size;
            sent.push(File {
                part,
                name,
                picture: None,
            });
            continue;
        }
        let small = style
            .picture
            .filter(|_| {
                pictures > 0
                    && matches!(
                        part.media.as_str(),
                        "image/jpeg" | "image/jpg" | "image/png"
                    )
            })
            .and_then(|side| picture::scaled(&part.octets(picture::MAX_FILE * 2), side));
        if small.is_some() {
            pictures -= 1;
            sent.push(File {
                part,
                name,
                picture: small,
            });
        } else {
            left.push(Left {
                name,
                size,
                media: part.media.clone(),
            });
        }
    }
    (sent, left)
}

/// What a person is told of what is not there.
fn notes(missing: u64, left: &[Left]) -> String {
    let mut lines = Vec::new();
    if missing > 0 {
        lines.push(format!("[... {} more]", size(missing)));
    }
    for one in left.iter().take(MAX_NAMED) {
        let name = if one.name.is_empty() {
            "more at the server"
        } else {
            &one.name
        };
        lines.push(format!("[{name}, {}, {}]", one.media, size(one.size)));
    }
    if left.len() > MAX_NAMED {
        lines.push(format!("[{} more]", left.len() - MAX_NAMED));
    }
    lines.join("\n")
}

/// A number of octets for people.
fn size(octets: u64) -> String {
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets.div_ceil(1_000)),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

/// The message.
fn written(message: &[u8], body: &[u8], files: &[File<'_, '_>], style: &Style) -> Vec<u8> {
    let mut head = Head::of(message);
    let mut out = Fields::new(style.letters);
    for list in [&mut head.to, &mut head.cc] {
        list.truncate(MAX_ADDRESSES);
    }
    out.mailboxes("From", &head.from);
    out.mailboxes("To", &head.to);
    out.mailboxes("Cc", &head.cc);
    if head.reply_to != head.from {
        out.mailboxes("Reply-To", &head.reply_to);
    }
    out.text("Subject", &head.subject);
    if let Some(date) = head.date {
        out.date("Date", date);
    }
    out.ids("Message-ID", &head.message_id);
    if head.urgent {
        out.plain("X-Priority", "1");
    }
    out.plain("MIME-Version", "1.0");
    if files.is_empty() {
        out.body("text/plain", body, style.coding);
        return out.out;
    }
    // Neither quoted-printable nor base64 can have this in it.
    let boundary = "=_candybar_=";
    out.plain(
        "Content-Type",
        &format!("multipart/mixed; boundary=\"{boundary}\""),
    );
    out.out
        .extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
    let coding = match style.coding {
        BodyCoding::Base64 => BodyCoding::Base64,
        _ => BodyCoding::Quoted,
    };
    // A plain body could have the boundary's line in it.
    let body = if memchr::memmem::find(body, boundary.as_bytes()).is_some() {
        String::from_utf8_lossy(body)
            .replace(boundary, "")
            .into_bytes()
    } else {
        body.to_vec()
    };
    out.body("text/plain", &body, coding);
    for file in files {
        out.out
            .extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let media = match file.picture {
            Some(_) => "image/jpeg",
            None => file.part.media.as_str(),
        };
        let media = if media.starts_with("multipart/") || media == "message/rfc822" {
            // These must not be base64.
            "application/octet-stream"
        } else {
            media
        };
        let ascii: String = deunicode::deunicode(&file.name)
            .chars()
            .map(|c| {
                if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>' | '&') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        out.plain("Content-Type", &format!("{media}; name=\"{ascii}\""));
        out.plain("Content-Transfer-Encoding", "base64");
        out.plain(
            "Content-Disposition",
            &format!("attachment; filename=\"{ascii}\""),
        );
        out.out.extend_from_slice(b"\r\n");
        match (&file.picture, file.part.coding) {
            (Some(picture), _) => out.base64(picture),
            (None, Coding::Base64) => out.base64_again(file.part.body),
            (None, _) => out.base64(&file.part.octets(usize::MAX)),
        }
    }
    out.out
        .extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out.out
}
