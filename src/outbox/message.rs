//! From what is known of a notification to the message that a gateway gets. No IO, no clock.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::settings::SettingsOrder;
use crate::device::profile::{self, Catalogue, Identity, Traits};
use crate::push::emn::Emn;
use crate::push::notification::Credentials;
use crate::push::si::{Indication, Loading};
use crate::push::wdp::{self, Ports};
use crate::push::{self, BuildError, Notice, ServerAlert, Sync, UiMode, san, wsp};
use crate::session::Session;
use crate::sms::{Content, DeviceAddress, Message, Msisdn, Push, Recipient};
use crate::store::NotificationFacts;
use crate::sync::{Datastore, Device, Notification, NotificationKind};
use crate::syncml::codec::{Limits, decode_devinf};
use crate::syncml::{Carrier, DevInf, Version};

/// Datastores that a device is told of that never synchronised any.
const UNKNOWN: [Datastore; 4] = [
    Datastore::Contacts,
    Datastore::Calendar,
    Datastore::Tasks,
    Datastore::Notes,
];

/// What is the same for all devices.
#[derive(Debug, Clone)]
pub struct Sender {
    /// How phones know the server.
    pub server_id: String,
    /// Where phones synchronise.
    pub url: Option<String>,
    /// What phones do their own way.
    pub profiles: Arc<Catalogue>,
}

/// A message, and what has to be kept to send missing parts of it later.
#[derive(Debug, Clone)]
pub struct Built {
    /// For the gateway.
    pub message: Message,
    /// Parts that have to go, from 0.
    pub missing: Vec<u8>,
    /// Datastores that it names.
    pub told: Vec<Datastore>,
    /// The octets, to go on with.
    pub frozen: Vec<u8>,
}

/// The parts of one push that belong together.
#[derive(Debug, Serialize, Deserialize)]
struct Frozen {
    datagram: String,
    destination: u16,
    source: u16,
    reference: u8,
}

/// Whom a device's messages are for.
pub fn recipient(facts: &NotificationFacts) -> Recipient {
    let number = facts.device.msisdn.as_deref();
    Recipient {
        number: number.and_then(|number| number.parse::<Msisdn>().ok()),
        device: Some(DeviceAddress {
            account: facts.account.name.clone(),
            device: facts.device.uri.clone(),
        }),
    }
}

/// The datastores that a notification is about.
pub fn datastores(notification: &Notification, facts: &NotificationFacts) -> Vec<Datastore> {
    if notification.kind == NotificationKind::Change {
        return facts.changed.clone();
    }
    if notification.wanted.is_empty() {
        return if facts.views.is_empty() {
            UNKNOWN.into()
        } else {
            facts.views.clone()
        };
    }
    let mut told = Vec::new();
    for wanted in &notification.wanted {
        // A phone that keeps events and to-dos in one list knows only that.
        let view = if facts.views.contains(wanted) {
            *wanted
        } else {
            let holds = |view: &&Datastore| view.collections().contains(wanted);
            facts.views.iter().find(holds).copied().unwrap_or(*wanted)
        };
        if !told.contains(&view) {
            told.push(view);
        }
    }
    told
}

/// Makes the message. What of it is out already is told by `facts.receipts`; `now` is in milliseconds since 1970.
pub fn build(
    notification: &Notification,
    facts: &NotificationFacts,
    sender: &Sender,
    now: i64,
) -> Result<Built, BuildError> {
    let attempt = notification.attempts + 1;
    let mut told = datastores(notification, facts);
    let kept = facts.frozen.as_deref().and_then(thaw);
    let (push, missing) = match kept {
        Some(push) => {
            told.clone_from(&notification.told);
            let out = |part: &u8| facts.receipts.iter().any(|(known, _)| known == part);
            let parts = 0..u8::try_from(push.segments().len()).unwrap_or(u8::MAX);
            let missing = parts.filter(|part| !out(part)).collect();
            (push, missing)
        }
        None => {
            let reference = wdp::Reference::Octet((notification.id.number + attempt) as u8);
            let (wsp, ports) = match notification.kind {
                NotificationKind::Settings => settings(facts, sender)?,
                _ => (
                    notice(notification, facts, sender, &told, now)?,
                    Ports::PUSH,
                ),
            };
            let push = Push::new(wsp, ports, reference)?;
            let parts = 0..u8::try_from(push.segments().len()).unwrap_or(u8::MAX);
            (push, parts.collect())
        }
    };
    let frozen = freeze(&push, (notification.id.number + attempt) as u8);
    Ok(Built {
        message: Message {
            reference: format!("{}-{attempt}", notification.id),
            to: recipient(facts),
            content: Content::Push(push),
            receipt: true,
            validity: None,
        },
        missing,
        told,
        frozen,
    })
}

fn freeze(push: &Push, reference: u8) -> Vec<u8> {
    let frozen = Frozen {
        datagram: BASE64.encode(push.datagram()),
        destination: push.ports().destination(),
        source: push.ports().source(),
        reference: match push.segments().first().map(|segment| &*segment.udh) {
            // The reference that was used first stays.
            Some([_, 0x05, 0x04, _, _, _, _, 0x00, 0x03, used, ..]) => *used,
            _ => reference,
        },
    };
    serde_json::to_vec(&frozen).unwrap_or_default()
}

fn thaw(octets: &[u8]) -> Option<Push> {
    let frozen: Frozen = serde_json::from_slice(octets).ok()?;
    let datagram = BASE64.decode(frozen.datagram).ok()?;
    let wsp = wsp::Push::read(&datagram).ok()?;
    let ports = Ports::wide(frozen.destination, frozen.source);
    Push::new(wsp, ports, wdp::Reference::Octet(frozen.reference)).ok()
}

fn notice(
    notification: &Notification,
    facts: &NotificationFacts,
    sender: &Sender,
    told: &[Datastore],
    now: i64,
) -> Result<wsp::Push, BuildError> {
    let addresses = addresses(facts);
    let syncs = told.iter().map(|datastore| {
        let known = addresses.iter().find(|(known, _)| known == datastore);
        let uri = known.map_or_else(|| datastore.name().to_owned(), |(_, uri)| uri.clone());
        Sync::new(ServerAlert::TwoWay, media_type(*datastore), uri)
    });
    let (traits, version) = traits(&facts.device, &sender.profiles);
    let notice = Notice {
        ui_mode: match traits.ui_mode {
            None | Some(profile::UiMode::NotSpecified) => UiMode::NotSpecified,
            Some(profile::UiMode::Background) => UiMode::Background,
            Some(profile::UiMode::Informative) => UiMode::Informative,
            Some(profile::UiMode::UserInteraction) => UiMode::UserInteraction,
        },
        // 0 means that it does not matter.
        session_id: (notification.id.number.rem_euclid(0xFFFF) + 1) as u16,
        server_id: sender.server_id.clone(),
        syncs: syncs.collect(),
        ..Notice::default()
    };
    let password = &*facts.password.0;
    let nonce = &*facts.device.notification_nonce;
    match form(facts, &traits, version, told) {
        Form::San => Ok(wsp::Push::notification(san::build(
            &notice, password, nonce,
        )?)),
        Form::Message(version) => {
            // Without a nonce from the phone credentials would be the same each time: it did not ask for them.
            let credentials = (!nonce.is_empty()).then_some(Credentials::Md5 {
                name: &sender.server_id,
                password,
                nonce,
            });
            push::notification::push(&notice, version, &facts.device.uri, credentials)
        }
        Form::Emn => {
            let host = sender.url.as_deref().and_then(host).unwrap_or("localhost");
            let emn = Emn {
                mailbox: format!("mailat:{}@{host}", facts.account.name),
                timestamp: DateTime::from_timestamp(now.div_euclid(1000), 0),
            };
            emn.push()
        }
        Form::Si => {
            let names: Vec<&str> = told.iter().map(|datastore| datastore.name()).collect();
            let indication = Indication {
                text: format!(
                    "Something changed: {}. Please synchronise.",
                    names.join(", ")
                ),
                href: sender.url.clone(),
                id: Some(format!("{}@{}", facts.device.id.0, sender.server_id)),
                created: DateTime::from_timestamp(now.div_euclid(1000), 0),
                ..Indication::default()
            };
            indication.push()
        }
        Form::Sl => {
            let loading = Loading {
                href: sender.url.clone().unwrap_or_default(),
                ..Loading::default()
            };
            loading.push()
        }
    }
}

/// The form that a device understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    San,
    Message(Version),
    Emn,
    Si,
    Sl,
}

/// Names of forms, as they are set by hand.
pub const FORMS: [&str; 5] = ["san", "syncml-1.1", "emn", "si", "sl"];

/// As it is set by hand, else as the profile has it, else as the device information says: what speaks 1.0 or 1.1 has no
/// binary notification. An e-mail notification says nothing but that there is mail.
fn form(
    facts: &NotificationFacts,
    traits: &Traits,
    version: Option<Version>,
    told: &[Datastore],
) -> Form {
    let by_version = match version {
        Some(Version::V12) | None => Form::San,
        Some(version) => Form::Message(version),
    };
    let by_profile = match traits.notification {
        Some(profile::Notification::San) => Form::San,
        Some(profile::Notification::SyncMl11) => Form::Message(Version::V11),
        Some(profile::Notification::Emn) => Form::Emn,
        Some(profile::Notification::Si) => Form::Si,
        Some(profile::Notification::Sl) => Form::Sl,
        None => by_version,
    };
    let wanted = match facts.reach.form.as_deref() {
        Some("san") => Form::San,
        Some("syncml-1.1") => Form::Message(Version::V11),
        Some("emn") => Form::Emn,
        Some("si") => Form::Si,
        Some("sl") => Form::Sl,
        _ => by_profile,
    };
    if wanted == Form::Emn && !told.contains(&Datastore::Mail) {
        by_version
    } else {
        wanted
    }
}

fn device_information(device: &Device) -> Option<DevInf<'_>> {
    let known = !device.devinf.is_empty();
    let decoded = known.then(|| decode_devinf(&device.devinf, Carrier::Xml, &Limits::default()));
    decoded?.ok()
}

/// Whether a device keeps its mail in folders; one that does not has the inbox alone.
pub fn knows_folders(device: &Device) -> bool {
    device_information(device).is_some_and(|devinf| {
        let mut datastores = devinf.datastores.iter();
        Version::from_dtd(&devinf.ver_dtd) == Some(Version::V12)
            && datastores.any(|of| {
                of.hierarchical && Datastore::resolve(&of.source_ref) == Some(Datastore::Mail)
            })
    })
}

/// What a device does its own way, and the version that it speaks.
pub fn traits(device: &Device, profiles: &Catalogue) -> (Traits, Option<Version>) {
    let devinf = device_information(device);
    let devinf = devinf.as_ref();
    let own = profiles.resolve(&Identity {
        by_hand: device.profile.as_deref(),
        user_agent: device.user_agent.as_deref(),
        profile_header: device.profile_header.as_deref(),
        manufacturer: devinf.and_then(|devinf| devinf.man.as_deref()),
        model: devinf.and_then(|devinf| devinf.model.as_deref()),
        software: devinf.and_then(|devinf| devinf.sw_v.as_deref()),
        device: &device.uri,
    });
    let version = devinf.and_then(|devinf| Version::from_dtd(&devinf.ver_dtd));
    (own.traits, version)
}

/// The host of an address.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', ':']).next()
}

fn settings(facts: &NotificationFacts, sender: &Sender) -> Result<(wsp::Push, Ports), BuildError> {
    let parameters = facts.parameters.as_deref().unwrap_or_default();
    let order: SettingsOrder = serde_json::from_slice(parameters)
        .map_err(|_| BuildError::Value("what the settings were made of cannot be read"))?;
    let (push, ports, _) = order.push(&sender.server_id, &facts.account.name, &facts.password.0)?;
    Ok((push, ports))
}

/// The types that early phones know.
fn media_type(datastore: Datastore) -> &'static str {
    match datastore {
        Datastore::Contacts => "text/x-vcard",
        Datastore::Calendar | Datastore::Tasks | Datastore::Agenda => "text/x-vcalendar",
        Datastore::Notes => "text/plain",
        Datastore::Mail => "application/vnd.omads-email+xml",
    }
}

/// The server's datastores as the device addressed them last, without what is appended to them.
fn addresses(facts: &NotificationFacts) -> Vec<(Datastore, String)> {
    let snapshot = facts.snapshot.as_deref().unwrap_or_default();
    let Ok(session) = Session::restore(snapshot) else {
        return Vec::new();
    };
    let addresses = session.addresses().map(|(datastore, uri)| {
        let bare = uri.split('?').next().unwrap_or_default();
        (datastore, bare.to_owned())
    });
    addresses.filter(|(_, uri)| !uri.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{Account, AccountId, NotificationId, PartReceipt, Secret};

    fn notification(kind: NotificationKind) -> Notification {
        Notification {
            id: NotificationId {
                account: AccountId(3),
                number: 17,
            },
            kind,
            ..Notification::default()
        }
    }

    fn facts() -> NotificationFacts {
        NotificationFacts {
            account: Account {
                name: "alice".into(),
                ..Account::default()
            },
            device: Device {
                uri: "IMEI:1".into(),
                msisdn: Some("+46701234567".into()),
                notification_nonce: b"nonce".to_vec(),
                ..Device::default()
            },
            password: Secret("secret".into()),
            views: vec![Datastore::Contacts, Datastore::Agenda],
            changed: vec![Datastore::Contacts],
            ..NotificationFacts::default()
        }
    }

    fn sender() -> Sender {
        Sender {
            server_id: "candybar".into(),
            url: None,
            profiles: Catalogue::embedded(),
        }
    }

    /// Monday, 2026-06-01.
    const NOW: i64 = 1_780_272_000_000;

    fn read(built: &Built) -> san::Received {
        let Content::Push(push) = &built.message.content else {
            panic!("no push");
        };
        let wsp = wsp::Push::read(push.datagram()).expect("a push");
        san::read(&wsp.body).expect("a notification")
    }

    #[test]
    fn it_names_what_changed_and_is_signed_for_the_device() {
        let built = build(
            &notification(NotificationKind::Change),
            &facts(),
            &sender(),
            NOW,
        );
        let built = built.expect("built");
        let received = read(&built);
        assert!(received.is_signed_with("secret", b"nonce"));
        assert_eq!(received.notice.server_id, "candybar");
        let names: Vec<&str> = received
            .notice
            .syncs
            .iter()
            .map(|sync| &*sync.uri)
            .collect();
        assert_eq!(names, ["contacts"]);
        assert_eq!(built.message.reference, "3-17-1");
        assert_eq!(
            (built.missing, built.told),
            (vec![0], vec![Datastore::Contacts])
        );
    }

    #[test]
    fn a_phone_of_1_1_gets_a_message() {
        let mut facts = facts();
        facts.device.devinf = b"<DevInf xmlns='syncml:devinf'><VerDTD>1.1</VerDTD><DevID>IMEI:1</DevID><DevTyp>phone</DevTyp></DevInf>".to_vec();
        let built = build(
            &notification(NotificationKind::Change),
            &facts,
            &sender(),
            NOW,
        );
        let Content::Push(push) = built.expect("built").message.content else {
            panic!("no push");
        };
        let received = push::notification::read(&push.wsp().body).expect("a message");
        assert_eq!(
            (received.version, &*received.target),
            (Version::V11, "IMEI:1")
        );
        assert_eq!(received.notice.syncs.len(), 1);
        assert!(received.is_signed_with(Credentials::Md5 {
            name: "candybar",
            password: "secret",
            nonce: b"nonce",
        }));
    }

    #[test]
    fn what_is_asked_for_is_named_as_the_phone_has_it() {
        let mut push = notification(NotificationKind::Push);
        assert_eq!(
            datastores(&push, &facts()),
            [Datastore::Contacts, Datastore::Agenda]
        );
        push.wanted = vec![Datastore::Tasks, Datastore::Calendar, Datastore::Notes];
        assert_eq!(
            datastores(&push, &facts()),
            [Datastore::Agenda, Datastore::Notes]
        );
        push.wanted.clear();
        let new = NotificationFacts::default();
        assert_eq!(datastores(&push, &new), UNKNOWN);
    }

    #[test]
    fn missing_parts_are_those_of_the_same_push() {
        let mut facts = facts();
        let notification = notification(NotificationKind::Change);
        let mut long = sender();
        long.server_id = "x".repeat(200);
        let first = build(&notification, &facts, &long, NOW).expect("built");
        assert_eq!(first.missing, [0, 1]);
        facts.frozen = Some(first.frozen.clone());
        facts.receipts = vec![(0, PartReceipt::None)];
        let later = Notification {
            attempts: 1,
            ..notification
        };
        let second = build(&later, &facts, &sender(), NOW).expect("built");
        assert_eq!(second.missing, [1]);
        assert!(
            first.message.content == second.message.content,
            "the same octets"
        );
        assert_eq!(second.frozen, first.frozen);
        assert_eq!(second.message.reference, "3-17-2");
    }
}
