//! Short messages in text: hex, and what gateways write.

use super::super::{ReadError, ReadErrorKind};
use super::{Content, MOST_MESSAGES, ShortMessage};
use crate::wbxml::lenient_utf8;

/// The text is in one of the forms that only short messages have (not plain hex).
pub fn looks_like_messages(text: &str) -> bool {
    text.lines().any(|line| fakesmsc(line).is_some())
        || query(text.trim()).is_some()
        || is_spool(text)
        || text.contains("[SMSBackup")
}

/// Reads all messages of a text: a line of hex for each (or one message whose hex has several lines, set apart by empty
/// lines), lines of Kannel's fakesmsc, Kannel's requests (`udh=…&text=…`), a spool file of smstools, or a file of
/// Gammu. The offset of an error is that of the line.
pub fn read_text(text: &str) -> Result<Vec<ShortMessage>, ReadError> {
    let messages = if text.contains("[SMSBackup") {
        gammu(text)?
    } else if is_spool(text) {
        vec![smstools(text)?]
    } else {
        let mut messages = Vec::new();
        for (at, paragraph) in paragraphs(text) {
            let lines = lines(at, paragraph);
            match lines
                .iter()
                .map(|(at, line)| message(*at, line))
                .collect::<Result<Vec<_>, _>>()
            {
                Ok(read) => messages.extend(read),
                // One message may have several lines, if they are hex.
                Err(error) => match hex(paragraph).map(|octets| ShortMessage::read(&octets)) {
                    Some(Ok(message)) if lines.len() > 1 => messages.push(message),
                    _ => return Err(error),
                },
            }
        }
        messages
    };
    if messages.is_empty() {
        return Err(form(0, "there is no short message"));
    }
    if messages.len() > MOST_MESSAGES {
        return Err(form(0, "too many short messages"));
    }
    Ok(messages)
}

const fn form_kind(text: &'static str) -> ReadErrorKind {
    ReadErrorKind::Form(text)
}

fn form(at: usize, text: &'static str) -> ReadError {
    ReadError::new(at, form_kind(text))
}

/// Parts between empty lines, each with its offset.
fn paragraphs(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            if from < at {
                found.push((from, &text[from..at]));
            }
            from = at + line.len();
        }
        at += line.len();
    }
    if from < at {
        found.push((from, &text[from..at]));
    }
    found
}

fn lines(from: usize, text: &str) -> Vec<(usize, &str)> {
    let mut at = from;
    text.split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, line.trim())
        })
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

fn message(at: usize, line: &str) -> Result<ShortMessage, ReadError> {
    if let Some(message) = fakesmsc(line).or_else(|| query(line)) {
        return Ok(message);
    }
    let octets =
        hex(line).ok_or_else(|| form(at, "the line is neither hex nor a gateway's form"))?;
    ShortMessage::read(&octets)
}

/// Octets of hex digits with blanks, colons, hyphens or commas between them.
fn hex(text: &str) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match char::from(byte).to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if byte.is_ascii_whitespace() || matches!(byte, b':' | b'-' | b',') => {}
            None => return None,
        }
    }
    (!digits.is_empty() && digits.len().is_multiple_of(2)).then(|| {
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}

/// URL coding: `%xx`, and `+` for a blank.
fn url_decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            byte => byte,
        });
    }
    Some(out)
}

/// A line of Kannel's fakesmsc, also in its log: `from to udh HEADER DATA`, `from to data DATA`, `from to text TEXT`.
fn fakesmsc(line: &str) -> Option<ShortMessage> {
    let line = match line.split_once("Got message") {
        Some((_, rest)) => rest.split_once('<')?.1.strip_suffix('>')?,
        None => line,
    };
    let mut words = line.splitn(4, ' ');
    let (from, to, kind, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (udh, content) = match kind {
        "udh" => {
            let (udh, data) = rest.split_once(' ').unwrap_or((rest, ""));
            (
                url_decoded(udh)?,
                Content::Octets(url_decoded(data.trim_end())?),
            )
        }
        "data" => (Vec::new(), Content::Octets(url_decoded(rest)?)),
        "text" => (Vec::new(), Content::Text(rest.to_owned())),
        _ => return None,
    };
    Some(ShortMessage {
        direction: None,
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        udh,
        content,
    })
}

/// A request to Kannel: an address with a query, or the query alone.
fn query(text: &str) -> Option<ShortMessage> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name)?;
        url_decoded(value)
    };
    let udh = value("udh");
    let data = value("text");
    if udh.is_none() && data.is_none() {
        return None;
    }
    let text = |octets: Vec<u8>| lenient_utf8(&octets).into_owned();
    let data = data.unwrap_or_default();
    let binary = udh.is_some() || value("coding").is_some_and(|coding| coding == b"1");
    Some(ShortMessage {
        direction: None,
        from: value("from").map(text),
        to: value("to").map(text),
        udh: udh.unwrap_or_default(),
        content: if binary {
            Content::Octets(data)
        } else {
            Content::Text(text(data))
        },
    })
}

/// The value of a line `key: value` or `key = value`, without quotes.
fn entry<'a>(line: &'a str, key: &str, sign: char) -> Option<&'a str> {
    let (found, value) = line.split_once(sign)?;
    found
        .trim()
        .eq_ignore_ascii_case(key)
        .then(|| value.trim().trim_matches('"'))
}

fn is_spool(text: &str) -> bool {
    let mut lines = text.lines();
    lines.any(|line| entry(line, "UDH-DATA", ':').is_some())
}

/// A spool file of smstools: lines `Key: value`, an empty line, the data.
fn smstools(text: &str) -> Result<ShortMessage, ReadError> {
    let normal = text.replace("\r\n", "\n");
    let (head, data) = normal
        .split_once("\n\n")
        .ok_or_else(|| form(0, "the spool file has no empty line after its head"))?;
    let value = |key: &str| head.lines().find_map(|line| entry(line, key, ':'));
    let bad = |what| form(0, what);
    let udh = value("UDH-DATA").unwrap_or_default();
    let udh = hex(udh).ok_or_else(|| bad("UDH-DATA of the spool file is not hex"))?;
    let is_hex = value("Hex").is_some_and(|value| matches!(value, "yes" | "true" | "1"));
    let octets = if is_hex {
        hex(data).ok_or_else(|| bad("the data of the spool file are not hex"))?
    } else {
        data.trim_end_matches('\n').as_bytes().to_vec()
    };
    Ok(ShortMessage {
        to: value("To").map(str::to_owned),
        from: value("From").map(str::to_owned),
        ..ShortMessage::data(udh, octets)
    })
}

/// A backup file of Gammu: a section for each message.
fn gammu(text: &str) -> Result<Vec<ShortMessage>, ReadError> {
    let mut messages = Vec::new();
    let sections = text.split("[SMSBackup").skip(1);
    for section in sections.take(MOST_MESSAGES + 1) {
        let value = |key: &str| section.lines().find_map(|line| entry(line, key, '='));
        let octets = |key: &str| match value(key) {
            None | Some("") => Some(Vec::new()),
            Some(value) => hex(value),
        };
        let bad = |what| form(0, what);
        let udh = octets("UDH").ok_or_else(|| bad("UDH of the backup file is not hex"))?;
        let mut body = Vec::new();
        for number in 0..100 {
            let key = format!("Text{number:02}");
            if value(&key).is_none() {
                break;
            }
            body.extend(octets(&key).ok_or_else(|| bad("the text of the backup file is not hex"))?);
        }
        let text = value("Coding").is_none_or(|coding| coding != "8bit");
        let content = if text {
            Content::Text(super::super::gsm::ucs2_text(&body))
        } else {
            Content::Octets(body)
        };
        messages.push(ShortMessage {
            to: value("Number").map(str::to_owned),
            content,
            ..ShortMessage::data(udh, Vec::new())
        });
    }
    Ok(messages)
}
