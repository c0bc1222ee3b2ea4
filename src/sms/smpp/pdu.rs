//! PDUs: `submit_sm` in its three forms (SMPP 3.4, sections 4.4 and 5.3.2), what arrives, and what status codes mean.

use std::time::Duration;

use rusmpp::CommandStatus;
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, Npi, RegisteredDelivery, Ton};

use crate::push::wdp::{Reference, UserDataHeader};
use crate::sms::error::GatewayError;
use crate::sms::message::{DCS_BINARY, Message, Push, Sms, TextSms};
use crate::sms::number::Msisdn;
use crate::sms::settings::SmppSettings;

/// esm_class with a user data header in the message.
const ESM_UDHI: u8 = 0x40;
/// esm_class of plain messages.
const ESM_PLAIN: u8 = 0x00;
/// data_coding of UCS-2.
const CODING_UCS2: u8 = 0x08;
/// registered_delivery: a receipt for success and failure.
const RECEIPT: u8 = 0x01;

/// Ton, Npi and address of a sender or a phone.
type Address = (u8, u8, COctetString<1, 21>);

/// A C-octet string of a text; `None` if it is too long or not ASCII.
pub(super) fn c_string<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    let mut octets = text.as_bytes().to_vec();
    octets.push(0);
    COctetString::from_vec(octets).ok()
}

/// One SMS with its header in the message.
pub(super) fn single(
    settings: &SmppSettings,
    sms: &Sms,
    validity: Option<Duration>,
) -> Result<SubmitSm, GatewayError> {
    match sms {
        Sms::Binary(binary) => {
            let mut octets = binary.udh.clone();
            octets.extend_from_slice(&binary.body);
            let esm = if binary.udh.is_empty() {
                ESM_PLAIN
            } else {
                ESM_UDHI
            };
            let mut pdu = head(settings, sms.to(), sms.receipt(), validity, esm, binary.dcs)?;
            pdu.set_short_message(octet_string(octets)?);
            Ok(pdu)
        }
        Sms::Text(text) => {
            let (coding, octets) = if TextSms::is_plain(&text.text) {
                (0, text.text.clone().into_bytes())
            } else {
                let units = text.text.encode_utf16().flat_map(u16::to_be_bytes);
                (CODING_UCS2, units.collect())
            };
            let mut pdu = head(
                settings,
                sms.to(),
                sms.receipt(),
                validity,
                ESM_PLAIN,
                coding,
            )?;
            pdu.set_short_message(octet_string(octets)?);
            Ok(pdu)
        }
    }
}

/// One part with ports and concatenation as parameters instead of a header.
pub(super) fn sar(
    settings: &SmppSettings,
    sms: &Sms,
    push: &Push,
    part: u8,
    validity: Option<Duration>,
) -> Result<SubmitSm, GatewayError> {
    let Sms::Binary(binary) = sms else {
        return single(settings, sms, validity);
    };
    let mut pdu = head(
        settings,
        sms.to(),
        sms.receipt(),
        validity,
        ESM_PLAIN,
        binary.dcs,
    )?;
    pdu.set_short_message(octet_string(binary.body.clone())?);
    pdu.push_tlv(Tlv::SourcePort(push.ports().source()));
    pdu.push_tlv(Tlv::DestPort(push.ports().destination()));
    let (header, _) = UserDataHeader::read(&binary.udh)
        .map_err(|error| GatewayError::refused(true, error.to_string()))?;
    if let Some(concatenation) = header.part {
        let reference = match concatenation.reference {
            Reference::Octet(reference) => reference.into(),
            Reference::Wide(reference) => reference,
        };
        pdu.push_tlv(Tlv::SarMsgRefNum(reference));
        pdu.push_tlv(Tlv::SarTotalSegments(concatenation.total));
        pdu.push_tlv(Tlv::SarSegmentSeqnum(part.saturating_add(1)));
    }
    Ok(pdu)
}

/// The whole push in one PDU; the centre cuts it.
pub(super) fn payload(
    settings: &SmppSettings,
    message: &Message,
    push: &Push,
) -> Result<SubmitSm, GatewayError> {
    let Some(to) = &message.to.number else {
        return Err(GatewayError::unsupported("the phone's number is not known"));
    };
    let header = UserDataHeader {
        ports: Some(push.ports()),
        ..UserDataHeader::default()
    };
    let mut octets = header
        .octets()
        .map_err(|error| GatewayError::refused(true, error.to_string()))?;
    octets.extend_from_slice(push.datagram());
    let mut pdu = head(
        settings,
        to,
        message.receipt,
        message.validity,
        ESM_UDHI,
        DCS_BINARY,
    )?;
    let value = AnyOctetString::from_vec(octets);
    pdu.push_tlv(Tlv::MessagePayload(MessagePayload::new(value)));
    Ok(pdu)
}

fn octet_string(octets: Vec<u8>) -> Result<OctetString<0, 255>, GatewayError> {
    OctetString::from_vec(octets)
        .map_err(|_| GatewayError::refused(true, "the SMS has more than 255 octets"))
}

fn head(
    settings: &SmppSettings,
    to: &Msisdn,
    receipt: bool,
    validity: Option<Duration>,
    esm_class: u8,
    coding: u8,
) -> Result<SubmitSm, GatewayError> {
    let (source_ton, source_npi, source) = sender(settings)?;
    let (to_ton, to_npi, destination) = phone(settings, to)?;
    Ok(SubmitSm::builder()
        .source_addr_ton(Ton::from(source_ton))
        .source_addr_npi(Npi::from(source_npi))
        .source_addr(source)
        .dest_addr_ton(Ton::from(to_ton))
        .dest_addr_npi(Npi::from(to_npi))
        .destination_addr(destination)
        .esm_class(EsmClass::from(esm_class))
        .validity_period(validity_period(validity))
        .registered_delivery(RegisteredDelivery::from(if receipt { RECEIPT } else { 0 }))
        .data_coding(DataCoding::from(coding))
        .build())
}

/// Type and plan of a number, unless the configuration says them: 1 and 1 for an international one.
fn sender(settings: &SmppSettings) -> Result<Address, GatewayError> {
    let text = &settings.sender;
    let digits = text.strip_prefix('+').unwrap_or(text);
    let numeric = digits.bytes().all(|byte| byte.is_ascii_digit());
    let (ton, npi) = match (text.is_empty(), numeric) {
        (true, _) => (0, 0),
        (_, false) => (5, 0),
        _ if text.starts_with('+') => (1, 1),
        _ => (0, 1),
    };
    let address = c_string(if numeric { digits } else { text }).ok_or_else(|| {
        GatewayError::misconfigured("the sender is longer than 20 characters, or not ASCII")
    })?;
    Ok((
        settings.sender_ton.unwrap_or(ton),
        settings.sender_npi.unwrap_or(npi),
        address,
    ))
}

fn phone(settings: &SmppSettings, to: &Msisdn) -> Result<Address, GatewayError> {
    let ton = u8::from(to.is_international());
    let address = c_string(to.digits())
        .ok_or_else(|| GatewayError::refused(true, "the number is too long"))?;
    Ok((
        settings.phone_ton.unwrap_or(ton),
        settings.phone_npi.unwrap_or(1),
        address,
    ))
}

/// A relative time (SMPP 3.4, section 7.1.1.2): days, hours, minutes, seconds; at most 63 days.
fn validity_period(validity: Option<Duration>) -> EmptyOrFullCOctetString<17> {
    let Some(validity) = validity else {
        return EmptyOrFullCOctetString::empty();
    };
    let seconds = validity.as_secs().clamp(60, 63 * 86_400);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Months have 31 days at most here, so that no field has more than it can.
    let text = format!(
        "00{:02}{:02}{:02}{:02}{:02}000R",
        days / 31,
        days % 31,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    );
    EmptyOrFullCOctetString::from_string(text).unwrap_or_else(|_| EmptyOrFullCOctetString::empty())
}

/// What a status means, other than that all is well (SMPP 3.4, section 5.1.3).
pub(super) fn refusal(status: CommandStatus) -> GatewayError {
    let code = u32::from(status);
    let why = format!("SMPP status 0x{code:08X}{}", words(code));
    match code {
        0x14 | 0x58 => GatewayError::Throttled {
            retry_after: None,
            why,
        },
        0x05 | 0x0D | 0x0E | 0x0F | 0x53 => GatewayError::misconfigured(format!(
            "{why}; look at username, password and system_type"
        )),
        0x0A | 0x48 | 0x49 => {
            GatewayError::misconfigured(format!("{why}; look at the gateway's sender"))
        }
        0x01
        | 0x02
        | 0x03
        | 0x0B
        | 0x33
        | 0x43
        | 0x50
        | 0x51
        | 0x61
        | 0x62
        | 0x65
        | 0x66
        | 0xC0..=0xC4
        | 0x101
        | 0x104 => GatewayError::refused(true, why),
        _ => GatewayError::refused(false, why),
    }
}

fn words(code: u32) -> &'static str {
    match code {
        0x01 => ", the message is too long",
        0x04 => ", the link is not bound for this",
        0x05 => ", already bound",
        0x08 => ", the centre has an error",
        0x0A => ", the sender's address is not allowed",
        0x0B => ", the phone's number is wrong",
        0x0D => ", the bind failed",
        0x0E => ", the password is wrong",
        0x0F => ", the system id is wrong",
        0x14 => ", the centre's queue is full",
        0x43 => ", the kind of message is not allowed",
        0x45 => ", the submission failed",
        0x58 => ", too many messages a second",
        0x64 => ", not now",
        0x65 | 0x66 => ", never",
        0x104 => ", the coding is not allowed",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validities_are_relative_times() {
        for (seconds, text) in [
            (3 * 86_400 + 4 * 3600 + 5 * 60 + 6, "000003040506000R"),
            (1, "000000000100000R"),
            (40 * 86_400, "000109000000000R"),
            (u64::MAX, "000201000000000R"),
        ] {
            let period = validity_period(Some(Duration::from_secs(seconds)));
            assert_eq!(period.as_str(), text);
        }
        assert!(validity_period(None).is_empty());
    }

    #[test]
    fn statuses_say_what_to_do() {
        let kind = |code: u32| refusal(CommandStatus::from(code));
        for code in [0x14, 0x58] {
            assert!(
                matches!(kind(code), GatewayError::Throttled { .. }),
                "{code:x}"
            );
        }
        for code in [0x0B, 0x01, 0x66] {
            assert!(matches!(
                kind(code),
                GatewayError::Rejected {
                    permanent: true,
                    ..
                }
            ));
        }
        for code in [0x08, 0x45, 0x64, 0xFF, 0x1234] {
            assert!(matches!(
                kind(code),
                GatewayError::Rejected {
                    permanent: false,
                    ..
                }
            ));
        }
        let wrong = kind(0x0E).to_string();
        assert!(
            wrong.contains("the password is wrong") && wrong.contains("0x0000000E"),
            "{wrong}"
        );
    }
}
