//! The files: smstools3's message format, and gammu-smsd's SMSBackup format (its file backend with `outboxformat = detail`).

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::sms::error::GatewayError;
use crate::sms::http::hex;
use crate::sms::message::{Content, Message, Reference, Sms, TextSms};
use crate::sms::settings::SpoolSettings;

/// Our files begin so.
pub(super) const NAME_PREFIX: &str = "candybar-";

/// One SMS for smstools3.
pub(super) fn smstools(sms: &Sms, settings: &SpoolSettings, validity: Option<Duration>) -> Vec<u8> {
    let mut head = format!("To: {}\n", sms.to().digits());
    if !settings.sender.is_empty() {
        let _ = writeln!(head, "From: {}", settings.sender);
    }
    if !settings.queue.is_empty() {
        let _ = writeln!(head, "Queue: {}", settings.queue);
    }
    if sms.receipt() {
        head.push_str("Report: yes\n");
    }
    if let Some(validity) = validity {
        // In minutes, as a number that the daemon understands as such from 5 minutes on.
        let minutes = validity.as_secs().div_ceil(60).max(5);
        let _ = writeln!(head, "Validity: {minutes} min");
    }
    match sms {
        Sms::Binary(sms) => {
            let spaced: Vec<String> = sms.udh.iter().map(|octet| format!("{octet:02X}")).collect();
            head.push_str("Alphabet: binary\nHex: yes\n");
            if !sms.udh.is_empty() {
                let _ = writeln!(head, "UDH: true\nUDH-DATA: {}", spaced.join(" "));
            }
            let _ = writeln!(head, "\n{}", hex(&sms.body));
            head.into_bytes()
        }
        Sms::Text(sms) if TextSms::is_plain(&sms.text) => {
            let _ = write!(head, "Alphabet: ISO\n\n{}", sms.text);
            head.into_bytes()
        }
        Sms::Text(sms) => {
            head.push_str("Alphabet: UCS2\n\n");
            let mut file = head.into_bytes();
            file.extend(sms.text.encode_utf16().flat_map(u16::to_be_bytes));
            file
        }
    }
}

/// A whole message for gammu-smsd: the file's name, which is its place in the queue as well, and the text.
pub(super) fn gammu(
    message: &Message,
    now: DateTime<Utc>,
) -> Result<(String, String), GatewayError> {
    let Some(number) = &message.to.number else {
        return Err(GatewayError::unsupported("the phone's number is not known"));
    };
    let mut text = String::new();
    let head = |text: &mut String, index: usize, coding: &str, udh: &[u8]| {
        let _ = writeln!(text, "[SMSBackup{index:03}]\nPDU = Submit");
        let _ = writeln!(text, "Number = \"{number}\"\nCoding = {coding}\nClass = -1");
        if !udh.is_empty() {
            let _ = writeln!(text, "UDH = {}", hex(udh));
        }
    };
    match &message.content {
        Content::Push(push) => {
            for (index, segment) in push.segments().iter().enumerate() {
                head(&mut text, index, "8bit", &segment.udh);
                lines(&mut text, &hex(&segment.body));
            }
        }
        Content::Text(content) => {
            let plain = TextSms::is_plain(content);
            head(&mut text, 0, if plain { "Default" } else { "Unicode" }, &[]);
            // Text stands as UTF-16 in hexadecimal, whatever the coding.
            let octets: Vec<u8> = content.encode_utf16().flat_map(u16::to_be_bytes).collect();
            lines(&mut text, &hex(&octets));
        }
    }
    let name = format!(
        "OUTC{}_00_{number}_{NAME_PREFIX}{}.smsbackup",
        now.format("%Y%m%d_%H%M%S"),
        message.reference
    );
    Ok((name, text))
}

/// Long values are cut into numbered ones.
fn lines(text: &mut String, digits: &str) {
    const MOST: usize = 200;
    let mut index = 0;
    let mut rest = digits;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(MOST));
        let _ = writeln!(text, "Text{index:02} = {line}");
        rest = behind;
        index += 1;
    }
    text.push('\n');
}

/// Which message a file is, by its name.
pub(super) fn reference(name: &str) -> Option<Reference> {
    let at = name.find(NAME_PREFIX)?;
    let named = &name[at + NAME_PREFIX.len()..];
    if let Ok(reference) = named.parse() {
        return Some(reference);
    }
    // gammu-smsd's name ends with that of the format, and stands for the whole message.
    let message = named.split(['.', '_']).next()?;
    format!("{message}.0").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_message() {
        let part = |message: &str, part| {
            Some(Reference {
                message: message.to_owned(),
                part,
            })
        };
        assert_eq!(reference("candybar-m-1.2"), part("m-1", 2));
        assert_eq!(
            reference("OUTC20261127_131500_00_+46701234567_candybar-m-1.smsbackup"),
            part("m-1", 0)
        );
        assert_eq!(
            reference("OUTC20261127_131500_00_+46701234567_other.smsbackup"),
            None
        );
        assert_eq!(reference("send_x7Ad"), None);
    }
}
