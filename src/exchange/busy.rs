//! Work that outlasts a phone's patience (Sync Protocol 1.1 section 2.12).
//!
//! The front tells a phone that waits too long that the server is busy (101). The work goes on, once, and its reply is
//! stored as ever. The phone asks for it with Alert 221, or sends its message again; both wait for the work as long as
//! a phone waits, and get 101 again if that is not enough.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Exchange, Reply, Request, header_message, header_status};
use crate::sync::StoredSession;
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{Carrier, Code, Command, Message, Status, Version};

/// Sessions that were told to come again and did not; beyond this they are forgotten.
const MAX_TOLD: usize = 4_096;

/// Device's address and SessionID.
type Key = (String, String);

/// Which messages this process works on.
#[derive(Debug, Default)]
pub(super) struct InWork {
    sessions: Mutex<HashMap<Key, Work>>,
}

#[derive(Debug, Clone)]
struct Work {
    msg_id: String,
    /// It goes on.
    running: bool,
    /// The phone was told that the server is busy.
    told: bool,
}

/// A message that is being worked on.
pub(super) struct Working {
    of: Arc<InWork>,
    key: Key,
    /// MsgID of the message for whose result the phone was told to ask.
    pub told: Option<String>,
}

impl InWork {
    fn sessions(&self) -> MutexGuard<'_, HashMap<Key, Work>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to work on a message; `None` if another of its session is not done.
    pub(super) fn enter(self: &Arc<Self>, message: &Message<'_>) -> Option<Working> {
        let key = key(message);
        let mut sessions = self.sessions();
        let before = sessions.get(&key);
        if before.is_some_and(|work| work.running) {
            return None;
        }
        let told = before.map(|work| work.msg_id.clone());
        let work = Work {
            msg_id: message.header.msg_id.to_string(),
            running: true,
            told: false,
        };
        sessions.insert(key.clone(), work);
        drop(sessions);
        let of = Arc::clone(self);
        Some(Working { of, key, told })
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let mut sessions = self.of.sessions();
        let told = sessions.get(&self.key).is_some_and(|work| work.told);
        if !told {
            sessions.remove(&self.key);
            return;
        }
        if sessions.len() > MAX_TOLD {
            sessions.retain(|_, work| work.running);
        }
        if let Some(work) = sessions.get_mut(&self.key) {
            work.running = false;
        }
    }
}

impl Exchange {
    /// The reply to a phone that waited for long enough: the server is busy. `None` if the request is no message, or
    /// its work is done.
    pub fn busy(&self, request: &Request<'_>) -> Option<Reply> {
        let carrier = Carrier::from_mime(request.content_type)?;
        let message = decode(request.body, carrier, &Limits::default()).ok()?;
        let version = message.header.version()?;
        let mut sessions = self.in_work.sessions();
        let work = sessions
            .get_mut(&key(&message))
            .filter(|work| work.running)?;
        work.told = true;
        drop(sessions);
        let mut reply = header_message(&message, version, Code::IN_PROGRESS);
        for (command, number) in message
            .body
            .iter()
            .filter(|of| is_result_alert(of))
            .zip(2_u32..)
        {
            reply.body.push(Command::Status(Status {
                cmd_id: number.to_string().into(),
                msg_ref: message.header.msg_id.to_string().into(),
                cmd_ref: command.cmd_id().to_owned().into(),
                cmd: "Alert".into(),
                code: Code::IN_PROGRESS,
                ..Status::default()
            }));
        }
        reply.last = false;
        Some(Reply {
            content_type: carrier.mime(),
            body: encode(&reply, &Form::new(carrier, version)),
            ..Reply::default()
        })
    }
}

/// The message asks for the result of the one before, and for nothing else.
pub(super) fn is_poll(message: &Message<'_>) -> bool {
    let mut commands = message.body.iter();
    message.body.iter().any(is_result_alert)
        && commands.all(|command| is_result_alert(command) || matches!(command, Command::Status(_)))
}

/// Whether the stored reply is the one that a poll asks for. `told` is known if this process told the phone to ask.
pub(super) fn has_result(stored: &StoredSession, poll: &Message<'_>, told: Option<&str>) -> bool {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match told {
        Some(told) => stored.msg_id == told,
        None => number(&stored.msg_id)
            .zip(number(&poll.header.msg_id))
            .is_some_and(|(last, poll)| last + 1 == poll),
    }
}

/// What a poll gets whose work came to nothing.
pub(super) fn no_result(message: &Message<'_>, version: Version, carrier: Carrier) -> Reply {
    header_status(message, version, carrier, Code::REQUEST_TIMEOUT)
}

fn is_result_alert(command: &Command<'_>) -> bool {
    matches!(command, Command::Alert(alert) if alert.code == Some(221))
}

fn key(message: &Message<'_>) -> Key {
    let header = &message.header;
    (header.source.uri.to_string(), header.session_id.to_string())
}
