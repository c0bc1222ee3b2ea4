//! Sessions of a recording, and what their datastores are.

use std::collections::BTreeMap;

use crate::syncml::{Command, Data, DevInf, Message};

use super::capture::Recorded;

/// The messages of a phone in one session, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Source LocURI.
    pub device: String,
    /// SessionID as it was recorded.
    pub id: String,
    /// What the phone sent.
    pub messages: Vec<Recorded>,
    /// What the server answered then: codes by MsgRef and CmdRef.
    pub answers: BTreeMap<(String, String), u16>,
}

/// Puts messages into sessions. A MsgID that does not grow begins a new session; a message that comes again at once is
/// left out.
pub fn sessions(messages: Vec<Recorded>) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut answers = Vec::new();
    for recorded in messages {
        if recorded.from_server {
            answers.push(recorded.message);
            continue;
        }
        let header = &recorded.message.header;
        let (device, id) = (header.source.uri.to_string(), header.session_id.to_string());
        let number = |message: &Message<'_>| {
            let id = message.header.msg_id.trim();
            let decimal = id.parse::<u64>().ok();
            decimal.or_else(|| u64::from_str_radix(id, 16).ok())
        };
        let open = sessions
            .iter_mut()
            .rev()
            .find(|session| session.device == device && session.id == id);
        if let Some(open) = open
            && let Some(last) = open.messages.last()
        {
            if last.message == recorded.message {
                continue;
            }
            let grows = match (number(&last.message), number(&recorded.message)) {
                (Some(last), Some(next)) => last < next,
                // Ids that are no numbers only differ.
                _ => last.message.header.msg_id != recorded.message.header.msg_id,
            };
            if grows {
                open.messages.push(recorded);
                continue;
            }
        }
        sessions.push(Session {
            device,
            id,
            messages: vec![recorded],
            answers: BTreeMap::new(),
        });
    }
    for answer in answers {
        let id = answer.header.session_id.to_string();
        let fits =
            |session: &&mut Session| session.id == id && session.device == answer.header.target.uri;
        let Some(session) = sessions.iter_mut().find(fits) else {
            continue;
        };
        for command in &answer.body {
            if let Command::Status(status) = command {
                let key = (status.msg_ref.to_string(), status.cmd_ref.to_string());
                session.answers.entry(key).or_insert(status.code.0);
            }
        }
    }
    sessions
}

/// What a datastore is, as far as a recording tells: `contacts`, `calendar`, `agenda`, `tasks` or `notes`, by the address on
/// the server.
pub fn datastores(sessions: &[Session]) -> BTreeMap<String, &'static str> {
    let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
    for session in sessions {
        for (target, _) in pairs(session)
            .into_iter()
            .filter(|(target, _)| !target.is_empty())
        {
            if let Some(kind) = by_items(session, &target) {
                let known = found.entry(target).or_insert(kind);
                if *known != kind && *known != "contacts" && *known != "notes" {
                    *known = "agenda";
                }
            }
        }
    }
    for session in sessions {
        let devinf = session
            .messages
            .iter()
            .find_map(|recorded| devinf(&recorded.message));
        for (target, source) in pairs(session) {
            if target.is_empty() || found.contains_key(&target) {
                continue;
            }
            let kind = by_name(&target)
                .or_else(|| by_name(&source))
                .or_else(|| devinf.and_then(|devinf| by_devinf(devinf, &source)));
            if let Some(kind) = kind {
                found.insert(target, kind);
            }
        }
    }
    found
}

/// Target and Source of every Alert and Sync.
pub(super) fn pairs(session: &Session) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut add = |target: Option<&str>, source: Option<&str>| {
        let pair = (
            target.unwrap_or_default().trim().to_owned(),
            source.unwrap_or_default().trim().to_owned(),
        );
        if !pairs.contains(&pair) && pair != (String::new(), String::new()) {
            pairs.push(pair);
        }
    };
    for recorded in &session.messages {
        for command in &recorded.message.body {
            match command {
                Command::Alert(alert) if alert.code.is_some_and(is_sync) => {
                    for item in &alert.items {
                        add(
                            item.target.as_ref().map(|target| &*target.uri),
                            item.source.as_ref().map(|source| &*source.uri),
                        );
                    }
                }
                Command::Sync(sync) => add(
                    sync.target.as_ref().map(|target| &*target.uri),
                    sync.source.as_ref().map(|source| &*source.uri),
                ),
                Command::Map(map) => add(Some(&map.target.uri), Some(&map.source.uri)),
                _ => {}
            }
        }
    }
    pairs
}

/// The Alert code is a kind of sync.
pub(super) const fn is_sync(code: u32) -> bool {
    matches!(code, 200..=210 | 225)
}

fn devinf<'a>(message: &'a Message<'static>) -> Option<&'a DevInf<'static>> {
    let items = message.body.iter().flat_map(|command| match command {
        Command::Put(put) => put.items.as_slice(),
        Command::Results(results) => &results.items,
        _ => &[],
    });
    items.into_iter().find_map(|item| match &item.data {
        Data::DevInf(devinf) => Some(&**devinf),
        _ => None,
    })
}

/// By the types that the phone tells for its datastore.
fn by_devinf(devinf: &DevInf<'_>, source: &str) -> Option<&'static str> {
    let bare = |uri: &str| uri.trim_start_matches("./").to_ascii_lowercase();
    let store = devinf
        .datastores
        .iter()
        .find(|store| bare(&store.source_ref) == bare(source))?;
    let kind = store.tx_pref.as_ref().or(store.rx_pref.as_ref())?;
    by_type(&kind.kind).map(|kind| match kind {
        // The type says nothing about events or tasks; both are taken.
        "calendar" => "agenda",
        kind => kind,
    })
}

fn by_type(kind: &str) -> Option<&'static str> {
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    Some(match kind.as_str() {
        "text/x-vcard" | "text/vcard" | "text/directory" | "text/x-s4j-sifc" => "contacts",
        "text/x-vcalendar" | "text/calendar" | "text/x-s4j-sife" => "calendar",
        "text/x-s4j-sift" => "tasks",
        "text/plain" | "text/x-vnote" | "text/x-s4j-sifn" => "notes",
        _ => return None,
    })
}

/// By the first item that was sent to it.
fn by_items(session: &Session, target: &str) -> Option<&'static str> {
    let syncs = session
        .messages
        .iter()
        .flat_map(|recorded| &recorded.message.body)
        .filter_map(|command| match command {
            Command::Sync(sync) => Some(sync),
            _ => None,
        });
    let of_target = syncs.filter(|sync| {
        sync.target
            .as_ref()
            .is_some_and(|of| of.uri.trim() == target)
    });
    let mut kinds = of_target
        .flat_map(|sync| &sync.commands)
        .filter_map(|command| {
            let Command::Change(change) = command else {
                return None;
            };
            let item = change.items.first()?;
            let metas = [item.meta.as_ref(), change.meta.as_ref()];
            let kind = metas
                .into_iter()
                .flatten()
                .find_map(|meta| meta.kind.as_deref());
            let kind = kind.and_then(by_type)?;
            let body = item.data.bytes().unwrap_or_default();
            let task = memchr::memmem::find(body, b"BEGIN:VTODO").is_some();
            Some(if kind == "calendar" && task {
                "tasks"
            } else {
                kind
            })
        });
    let first = kinds.next()?;
    Some(match kinds.find(|kind| *kind != first) {
        Some(_) if matches!(first, "calendar" | "tasks") => "agenda",
        _ => first,
    })
}

/// By the words that people and phones use.
fn by_name(address: &str) -> Option<&'static str> {
    let address = address.split('?').next().unwrap_or_default();
    let name = address
        .rsplit(['/', '\\', ':'])
        .find(|part| !part.is_empty())?
        .to_ascii_lowercase();
    const WORDS: [(&str, &[&str]); 5] = [
        (
            "contacts",
            &[
                "contact",
                "card",
                "addressbook",
                "phonebook",
                "pb.vcf",
                "people",
            ],
        ),
        ("agenda", &["agenda", "cal.vcs"]),
        ("tasks", &["task", "todo"]),
        (
            "calendar",
            &["calendar", "scal", "event", "schedule", "appointment"],
        ),
        ("notes", &["note", "memo"]),
    ];
    let known = WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|word| name.contains(word)));
    known.map(|(kind, _)| *kind).or(match name.as_str() {
        "con" | "pb" => Some("contacts"),
        "cal" => Some("calendar"),
        _ => None,
    })
}

/// The Last anchors of two-way and one-way Alerts that are not empty, by the server's address.
pub(super) fn first_anchors(session: &Session) -> Vec<(String, String)> {
    anchors(session, |code, last, _| {
        (code != 201 && code != 203 && code != 205).then(|| last.to_owned())
    })
}

pub(super) fn last_anchors(session: &Session) -> Vec<(String, String)> {
    anchors(session, |_, _, next| Some(next.to_owned()))
}

pub(super) fn anchors(
    session: &Session,
    choose: impl Fn(u32, &str, &str) -> Option<String>,
) -> Vec<(String, String)> {
    let alerts = session
        .messages
        .iter()
        .flat_map(|recorded| &recorded.message.body);
    let alerts = alerts.filter_map(|command| match command {
        Command::Alert(alert) => alert
            .code
            .filter(|code| is_sync(*code))
            .map(|code| (code, &alert.items)),
        _ => None,
    });
    alerts
        .flat_map(|(code, items)| items.iter().map(move |item| (code, item)))
        .filter_map(|(code, item)| {
            let address = item.target.as_ref()?.uri.trim().to_owned();
            let anchor = item.meta.as_ref()?.anchor.as_ref()?;
            let last = anchor.last.as_deref().unwrap_or_default();
            let chosen = choose(code, last, &anchor.next).filter(|anchor| !anchor.is_empty())?;
            Some((address, chosen))
        })
        .collect()
}
