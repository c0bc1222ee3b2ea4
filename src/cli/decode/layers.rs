//! Short messages, pushes and notifications, opened layer by layer.

use crate::push::prov::{Sec, Security};
use crate::push::sms::{Content, Direction, ShortMessage};
use crate::push::wdp::{Datagram, Ports, Reassembly, Reference};
use crate::push::wsp::{Key, MediaType, Push, Value, field, parameter};
use crate::push::{Notice, notification, ota, prov, san};
use crate::wbxml::Language;
use crate::wbxml::tables::{EMN, OTA_BROWSER, OTA_SYNC, PROV, SI, SL};

use super::section::{Section, hex};
use super::tree::Document;

/// What signatures are checked with.
#[derive(Default)]
pub struct Secrets {
    /// The server's password at the phone, or the phone's at the server.
    pub password: Option<String>,
    /// The phone's nonce, in octets.
    pub nonce: Vec<u8>,
    /// The user's PIN.
    pub pin: Option<String>,
    /// The card's number.
    pub imsi: Option<String>,
}

/// All messages of one input, and the datagrams that they make.
pub(super) fn messages(messages: &[ShortMessage], secrets: &Secrets) -> Section {
    let title = match messages.len() {
        1 => "1 short message".to_owned(),
        number => format!("{number} short messages"),
    };
    let mut all = Section::new("messages", title);
    let mut reassembly = Reassembly::new();
    let mut whole = Vec::new();
    for message in messages {
        let mut section = message_section(message);
        let parties = format!(
            "{} {}",
            message.from.as_deref().unwrap_or_default(),
            message.to.as_deref().unwrap_or_default()
        );
        let datagram = message.header().and_then(|header| {
            reassembly.add_part(&parties, header.ports, header.part, message.octets())
        });
        match datagram {
            Ok(datagram) => {
                // Texts without ports are for the user, and are shown with their message.
                let for_user = matches!(message.content, Content::Text(_));
                whole.extend(datagram.filter(|datagram| !for_user || datagram.ports.is_some()));
            }
            Err(error) => section.problem(format!("the short message is broken: {error}")),
        }
        all.push(section);
    }
    for missing in reassembly.missing() {
        let numbers: Vec<String> = missing.numbers.iter().map(u8::to_string).collect();
        all.problem(format!(
            "segment {} of {} (reference {}) is missing",
            numbers.join(", "),
            missing.total,
            number_of(missing.reference)
        ));
    }
    for datagram in &whole {
        all.push(datagram_section(datagram, secrets));
    }
    all
}

fn number_of(reference: Reference) -> u16 {
    match reference {
        Reference::Octet(number) => number.into(),
        Reference::Wide(number) => number,
    }
}

fn message_section(message: &ShortMessage) -> Section {
    let mut section = Section::new("sms", "short message");
    match message.direction {
        Some(Direction::Deliver) => section.text_field("type", "deliver"),
        Some(Direction::Submit) => section.text_field("type", "submit"),
        None => {}
    }
    if let Some(from) = &message.from {
        section.text_field("from", from);
    }
    if let Some(to) = &message.to {
        section.text_field("to", to);
    }
    if let Ok(header) = message.header() {
        if let Some(ports) = header.ports {
            section.number("destination port", ports.destination());
            section.number("source port", ports.source());
        }
        if let Some(part) = header.part {
            section.number("reference", number_of(part.reference));
            section.number("segment", part.number);
            section.number("segments", part.total);
        }
        for element in &header.others {
            let name = format!("element 0x{:02X}", element.id);
            section.text_field(name, hex(&element.data));
        }
    }
    match &message.content {
        Content::Octets(octets) => section.number("octets", octets.len() as u64),
        Content::Text(text) => section.text_field("text", text),
    }
    section
}

/// What a well-known port is for.
fn use_of(ports: Ports) -> &'static str {
    match ports.destination() {
        2948 => "WAP push",
        2949 => "WAP push, secure",
        9200 => "WSP",
        9201 => "WSP over WTP",
        49_996 => "sync settings",
        49_999 => "browser settings",
        _ => "not known",
    }
}

fn datagram_section(datagram: &Datagram, secrets: &Secrets) -> Section {
    let mut section = Section::new("datagram", "datagram");
    if let Some(ports) = datagram.ports {
        section.number("destination port", ports.destination());
        section.text_field("use", use_of(ports));
    }
    section.number("octets", datagram.payload.len() as u64);
    match Push::read(&datagram.payload) {
        Ok(push) => section.push(push_section(&push, secrets)),
        Err(error) => {
            section.text_field("data", hex(&datagram.payload));
            if datagram
                .ports
                .is_some_and(|ports| use_of(ports) != "not known")
            {
                section.problem(format!("the push is broken: {error}"));
            }
        }
    }
    section
}

/// A WSP push with what is in it.
pub(super) fn push_section(push: &Push, secrets: &Secrets) -> Section {
    let name = if push.confirmed {
        "WSP confirmed push"
    } else {
        "WSP push"
    };
    let mut section = Section::new("push", name);
    section.number("transaction", push.transaction);
    section.text_field("Content-Type", push.content_type.name());
    for parameter in &push.parameters {
        section.text_field(parameter.name().into_owned(), shown(&parameter.value));
    }
    for header in &push.headers {
        let is_application = header.key == Key::Code(field::APPLICATION);
        let value = if is_application {
            push.application().name().into_owned()
        } else {
            shown(&header.value)
        };
        section.text_field(header.name().into_owned(), value);
    }
    if let Some(sec) = push.parameter(parameter::SEC).and_then(Value::integer) {
        let sec = Sec::from_number(sec);
        section.text_field("signature", sec.map_or("not known", Sec::name));
        if let Some(security) = sec.and_then(|sec| security(sec, secrets)) {
            let right = prov::is_signed_with(push, &security);
            section.text_field("signature is", if right { "right" } else { "wrong" });
        }
    }
    content(push, secrets, &mut section);
    section
}

fn security(sec: Sec, secrets: &Secrets) -> Option<Security> {
    let pin = || secrets.pin.clone();
    let imsi = || secrets.imsi.clone();
    Some(match sec {
        Sec::NetworkPin => Security::NetworkPin { imsi: imsi()? },
        Sec::UserPin => Security::UserPin { pin: pin()? },
        Sec::UserNetworkPin => Security::UserNetworkPin {
            imsi: imsi()?,
            pin: pin()?,
        },
        Sec::UserPinMac => Security::UserPinMac { pin: pin()? },
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Octets(octets) => hex(octets),
    }
}

fn content(push: &Push, secrets: &Secrets, section: &mut Section) {
    let media = &push.content_type;
    if *media == MediaType::DS_NOTIFICATION {
        match san::read(&push.body) {
            Ok(received) => section.push(san_section(&received, secrets)),
            Err(error) => {
                section.text_field("body", hex(&push.body));
                section.problem(format!("the notification is broken: {error}"));
            }
        }
        return;
    }
    let is_message = [MediaType::SYNCML_WBXML, MediaType::SYNCML_XML].contains(media);
    match language(media) {
        Some(language) => section.hold(Document::of_type(&push.body, Some(language))),
        None if is_message => {
            if let (Ok(received), Some(password)) =
                (notification::read(&push.body), &secrets.password)
            {
                check(section, &received, password, &secrets.nonce);
            }
            section.hold(Document::read(&push.body));
        }
        None => {
            section.number("body octets", push.body.len() as u64);
            section.text_field("body", hex(&push.body));
        }
    }
}

fn language(media: &MediaType) -> Option<&'static Language> {
    let browser = MediaType::new(ota::BROWSER_SETTINGS);
    let known: [(&[&MediaType], &'static Language); 6] = [
        (&[&MediaType::SI, &MediaType::SI_TEXT], &SI),
        (&[&MediaType::SL, &MediaType::SL_TEXT], &SL),
        (&[&MediaType::EMN, &MediaType::EMN_TEXT], &EMN),
        (&[&MediaType::PROV, &MediaType::PROV_TEXT], &PROV),
        (&[&MediaType::SYNC_SETTINGS], &OTA_SYNC),
        (&[&browser], &OTA_BROWSER),
    ];
    let mut known = known.into_iter();
    known
        .find(|(media_types, _)| media_types.contains(&media))
        .map(|(_, language)| language)
}

fn check(section: &mut Section, received: &notification::Received, password: &str, nonce: &[u8]) {
    if !received.has_credentials() {
        return;
    }
    let name = &*received.notice.server_id;
    let right = [
        notification::Credentials::Basic { name, password },
        notification::Credentials::Md5 {
            name,
            password,
            nonce,
        },
    ]
    .into_iter()
    .any(|credentials| received.is_signed_with(credentials));
    section.text_field("credentials are", if right { "right" } else { "wrong" });
}

/// A notification of OMA DS 1.2.
pub(super) fn san_section(received: &san::Received, secrets: &Secrets) -> Section {
    let mut section = Section::new("notification", "notification (package #0)");
    let version = received.version;
    section.text_field("version", format!("{}.{}", version / 10, version % 10));
    section.text_field("digest", hex(&received.digest));
    if received.digest == [0; san::DIGEST] {
        section.text_field("digest is", "not made");
    } else if let Some(password) = &secrets.password {
        let right = received.is_signed_with(password, &secrets.nonce);
        section.text_field("digest is", if right { "right" } else { "wrong" });
    }
    let notice: &Notice = &received.notice;
    section.text_field("UI mode", notice.ui_mode.name());
    section.text_field("initiator", notice.initiator.name());
    section.number("session id", notice.session_id);
    section.text_field("server id", &notice.server_id);
    if !notice.vendor.is_empty() {
        section.text_field("vendor data", hex(&notice.vendor));
    }
    if notice.syncs.is_empty() {
        section.text_field("datastores", "all");
    }
    for sync in &notice.syncs {
        let mut part = Section::new("sync", "sync");
        part.text_field("datastore", &sync.uri);
        part.number("alert", sync.alert.code());
        part.text_field("mode", sync.alert.name());
        if sync.content_type != MediaType::ANY {
            part.text_field("media type", sync.content_type.name());
        }
        section.push(part);
    }
    section
}
