//! Delivery receipts (SMPP 3.4, appendix B), and SMS from phones, out of `deliver_sm` and `data_sm`.
//!
//! The text has the form `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`; centres leave things out and
//! write in upper case, so words are looked for. The parameters `receipted_message_id` and `message_state` count more.

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use rusmpp::values::{MessageState, MessageType};

use crate::push::wdp::UserDataHeader;
use crate::sms::error::excerpt;
use crate::sms::event::{Event, Incoming, Payload, Receipt, ReceiptState};

/// Octets of an id at most.
const MAX_ID: usize = 64;

/// What arrived; `None` if it is neither a receipt nor an SMS from a phone.
pub(super) fn event(pdu: &DeliverSm, receipt_ids_are_hex: bool) -> Option<Event> {
    let payload = pdu.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    let message: &[u8] = match payload {
        Some(payload) => payload,
        None => pdu.short_message().as_ref(),
    };
    match pdu.esm_class.message_type {
        MessageType::Default => incoming(pdu, message).map(Event::Incoming),
        MessageType::ShortMessageContainsMCDeliveryReceipt
        | MessageType::ShortMessageContainsIntermediateDeliveryNotification => {
            receipt(pdu, message, receipt_ids_are_hex).map(Event::Receipt)
        }
        MessageType::Other(_) => None,
    }
}

fn receipt(pdu: &DeliverSm, message: &[u8], ids_are_hex: bool) -> Option<Receipt> {
    let text = excerpt(message);
    let mut id = None;
    let mut state = None;
    for tlv in pdu.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(value)) => id = Some(value.as_str().to_owned()),
            Some(TlvValue::MessageState(value)) => state = Some(state_of(*value)),
            _ => {}
        }
    }
    let id = id.or_else(|| word(&text, "id:").map(str::to_owned))?;
    let state = state.or_else(|| word(&text, "stat:").map(state_of_word))?;
    let id = canonical(&id, ids_are_hex);
    (!id.is_empty()).then_some(Receipt {
        reference: None,
        gateway_id: Some(id),
        state,
        text: summary(&text),
    })
}

/// `stat` and `err`, not the beginning of the message's text, which follows them.
fn summary(text: &str) -> String {
    let words =
        ["stat:", "err:"].map(|name| word(text, name).map(|value| format!("{name}{value}")));
    let words: Vec<String> = words.into_iter().flatten().collect();
    words.join(" ")
}

/// What follows a name, in any case, up to a blank.
fn word<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    // The first one in the text may be the end of a longer name: it follows a blank, or nothing.
    let mut from = 0;
    while let Some(found) = lower[from..].find(name) {
        let at = from + found;
        let begins = at == 0 || lower.as_bytes()[at - 1].is_ascii_whitespace();
        if begins {
            let rest = &text[at + name.len()..];
            return rest.split_whitespace().next();
        }
        from = at + name.len();
    }
    None
}

fn state_of(state: MessageState) -> ReceiptState {
    match u8::from(state) {
        2 | 6 => ReceiptState::Delivered,
        0 | 1 => ReceiptState::Pending,
        _ => ReceiptState::Failed,
    }
}

fn state_of_word(word: &str) -> ReceiptState {
    match word.to_ascii_uppercase().as_str() {
        "DELIVRD" | "DELIVERED" | "ACCEPTD" | "ACCEPTED" => ReceiptState::Delivered,
        "ENROUTE" | "SCHEDULED" | "BUFFERED" => ReceiptState::Pending,
        _ => ReceiptState::Failed,
    }
}

/// An id as both answer and receipt write it: without what surrounds it, in lower case, hexadecimal ones as decimal numbers.
pub(super) fn canonical(id: &str, hexadecimal: bool) -> String {
    let id = id.trim();
    if id.len() > MAX_ID {
        return String::new();
    }
    if hexadecimal && let Ok(number) = u128::from_str_radix(id, 16) {
        return number.to_string();
    }
    let lower = id.to_ascii_lowercase();
    let digits = lower.bytes().all(|byte| byte.is_ascii_digit());
    match lower.trim_start_matches('0') {
        // One side writes leading zeros, the other does not.
        trimmed if digits && !trimmed.is_empty() => trimmed.to_owned(),
        _ => lower,
    }
}

fn incoming(pdu: &DeliverSm, message: &[u8]) -> Option<Incoming> {
    let international = u8::from(pdu.source_addr_ton) == 1;
    let number = pdu.source_addr.as_str();
    let plus = if international && !number.starts_with('+') {
        "+"
    } else {
        ""
    };
    let from = format!("{plus}{number}").parse().ok()?;
    let has_header = u8::from(pdu.esm_class) & 0x40 != 0;
    let length = if has_header {
        UserDataHeader::read(message).ok()?.1
    } else {
        0
    };
    let (udh, body) = message.split_at(length);
    let coding = u8::from(pdu.data_coding);
    let payload = match coding {
        0x02 | 0x04 | 0xF4..=0xF7 => Payload::Binary {
            udh: udh.to_vec(),
            body: body.to_vec(),
        },
        0x08 => {
            let units: Vec<u16> = body
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
                .collect();
            Payload::Text(String::from_utf16_lossy(&units))
        }
        // Latin-1 and the GSM alphabet agree in the letters that commands are made of.
        _ => Payload::Text(body.iter().map(|octet| char::from(*octet)).collect()),
    };
    Some(Incoming {
        from,
        to: excerpt(pdu.destination_addr.as_str().as_bytes()),
        payload,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_receipt_are_found() {
        let text = "id:IIIIIIIIII sub:001 dlvrd:001 submit date:2611221430 done date:2611221431 stat:DELIVRD err:000 text:sync";
        assert_eq!(word(text, "id:"), Some("IIIIIIIIII"));
        assert_eq!(word(text, "stat:"), Some("DELIVRD"));
        assert_eq!(summary(text), "stat:DELIVRD err:000");
        assert_eq!(word("uid:7 ID:8 Stat:UNDELIV", "id:"), Some("8"));
        assert_eq!(word("uid:7", "id:"), None);
        assert_eq!(word("id:", "id:"), None);
        assert_eq!(state_of_word("undeliv"), ReceiptState::Failed);
        assert_eq!(state_of_word("ENROUTE"), ReceiptState::Pending);
    }

    #[test]
    fn ids_of_answer_and_receipt_become_one() {
        assert_eq!(canonical("1A2B", true), canonical("6699", false));
        assert_eq!(canonical("0000012", false), "12");
        assert_eq!(canonical("0", false), "0");
        assert_eq!(canonical(" AB-12 ", false), "ab-12");
        assert_eq!(canonical("zz", true), "zz");
        assert_eq!(canonical(&"1".repeat(65), false), "");
    }
}
