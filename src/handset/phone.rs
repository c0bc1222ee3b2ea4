//! A phone: the client, its memory, and a way to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::behaviour::Behaviour;
use super::client::{Client, Failure, Next, Progress, Request};
use super::memory::{Luid, Memory, StoredItem};
use super::properties::keep_properties;
use super::report::Report;
use super::settings::Settings;
use super::state_file::{StateFile, StateFileError};
use super::transport::{Answer, Post, Transport, TransportError};
use crate::syncml::Carrier;

/// Why a sync failed.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// No answer came, or none that is a message.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The session failed.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// `Behaviour::crash_after`: the memory is as it was last written.
    #[error("the battery was taken out")]
    BatteryOut,
    /// `Behaviour::suspend_after`: the next session may go on.
    #[error("the session is suspended")]
    Suspended,
    /// The memory could not be written.
    #[error(transparent)]
    State(#[from] StateFileError),
}

impl PhoneError {
    /// The server said no, to the user, to the session or to every datastore.
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Failed(
                Failure::Unauthorised(_) | Failure::Refused(_) | Failure::DatastoresRefused(_)
            )
        )
    }
}

/// A phone that can be scripted.
#[derive(Debug)]
pub struct Phone<T> {
    client: Client,
    transport: T,
    file: Option<StateFile>,
    resends: u32,
    pause: Duration,
}

impl<T: Transport> Phone<T> {
    /// A phone whose memory is not written anywhere. A message without answer is sent again twice, at once.
    pub fn new(settings: Settings, behaviour: Behaviour, memory: Memory, transport: T) -> Self {
        let client = Client::new(settings, behaviour, memory);
        Self {
            client,
            transport,
            file: None,
            resends: 2,
            pause: Duration::ZERO,
        }
    }

    /// Writes the memory to a file, after every message.
    #[must_use]
    pub fn with_file(mut self, file: StateFile) -> Self {
        self.file = Some(file);
        self
    }

    /// How often a message without answer is sent again, and how long the phone waits before.
    #[must_use]
    pub const fn with_resends(mut self, resends: u32, pause: Duration) -> Self {
        self.resends = resends;
        self.pause = pause;
        self
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The client, to change settings, behaviour or memory between sessions.
    pub const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The way to the server.
    pub const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// What the phone keeps.
    pub const fn memory(&self) -> &Memory {
        self.client.memory()
    }

    /// The items of a datastore.
    pub fn items(&self, datastore: &str) -> BTreeMap<Luid, StoredItem> {
        let store = self.memory().datastores.get(datastore);
        store.map(|store| store.items.clone()).unwrap_or_default()
    }

    /// The user makes an item, of the preferred type of the datastore.
    pub fn add(&mut self, datastore: &str, body: impl AsRef<[u8]>) -> Luid {
        let content_type = self
            .client
            .settings()
            .devinf
            .preferred_type(datastore)
            .to_owned();
        self.add_as(datastore, &content_type, body)
    }

    /// The user makes an item of another type.
    pub fn add_as(&mut self, datastore: &str, content_type: &str, body: impl AsRef<[u8]>) -> Luid {
        let body = self.held(datastore, body.as_ref());
        let reuse = self.client.behaviour().reuse_luids;
        self.client
            .memory_mut()
            .datastore_mut(datastore)
            .add(content_type, &body, reuse)
    }

    /// The user edits an item; `false` if there is none of that LUID.
    pub fn replace(&mut self, datastore: &str, luid: &Luid, body: impl AsRef<[u8]>) -> bool {
        let body = self.held(datastore, body.as_ref());
        self.client
            .memory_mut()
            .datastore_mut(datastore)
            .replace(luid, &body)
    }

    /// The user deletes an item; `false` if there is none of that LUID.
    pub fn delete(&mut self, datastore: &str, luid: &Luid) -> bool {
        self.client
            .memory_mut()
            .datastore_mut(datastore)
            .delete(luid)
    }

    fn held(&self, datastore: &str, body: &[u8]) -> Vec<u8> {
        let settings = self.client.settings();
        let body = &settings.storage.enter(datastore, &settings.devinf, body);
        if self.client.behaviour().lose_unknown_properties {
            keep_properties(
                body,
                &self.client.settings().devinf.property_names(datastore),
            )
        } else {
            body.to_vec()
        }
    }

    /// Writes the memory, if there is a file.
    pub fn save(&self) -> Result<(), StateFileError> {
        self.file
            .as_ref()
            .map_or(Ok(()), |file| file.save(self.client.memory()))
    }

    /// Syncs.
    pub fn sync(&mut self, request: &Request) -> Result<Report, PhoneError> {
        self.sync_with(request, |_| {})
    }

    /// Syncs and tells after every answer how far it is.
    pub fn sync_with(
        &mut self,
        request: &Request,
        mut progress: impl FnMut(&Progress),
    ) -> Result<Report, PhoneError> {
        let crash_after = self.client.behaviour().crash_after;
        let each = !self.client.behaviour().write_at_end;
        let mut written = crash_after.map(|_| self.client.memory().clone());
        let mut body = self.client.start(request);
        let mut messages = 0;
        loop {
            if each {
                if let Some(written) = &mut written {
                    written.clone_from(self.client.memory());
                }
                self.save()?;
            }
            messages += 1;
            if crash_after == Some(messages) {
                let _unread = self.post(&body);
                if let Some(written) = written {
                    *self.client.memory_mut() = written;
                }
                return Err(PhoneError::BatteryOut);
            }
            let next = self.exchange(&body)?;
            progress(&self.client.progress());
            match next {
                Next::Send(octets) => body = octets,
                Next::Done(report) => {
                    self.save()?;
                    return Ok(report);
                }
                Next::Suspended(_) => {
                    self.save()?;
                    return Err(PhoneError::Suspended);
                }
                Next::Failed(failure) => {
                    self.save()?;
                    return Err(failure.into());
                }
            }
        }
    }

    /// Sends a message, again if no answer comes, and takes the answer.
    fn exchange(&mut self, body: &[u8]) -> Result<Next, PhoneError> {
        let mut answer = self.post(body);
        for _ in 0..self.resends {
            match answer {
                Ok(answer) => match self.client.receive(&answer.body) {
                    Next::Failed(Failure::Undecodable(_) | Failure::WrongSession(_)) => {}
                    next => return Ok(next),
                },
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error.into()),
            }
            if !self.pause.is_zero() {
                std::thread::sleep(self.pause);
            }
            let body = self.client.resend().to_vec();
            answer = self.post(&body);
        }
        Ok(self.client.receive(&answer?.body))
    }

    fn post(&mut self, body: &[u8]) -> Result<Answer, TransportError> {
        let settings = self.client.settings();
        let carrier = settings.carrier;
        let content_type = format!("{}{}", carrier.mime(), settings.content_type_parameters);
        let post = Post {
            url: self.client.address(),
            content_type: &content_type,
            user_agent: &settings.user_agent,
            profile: settings.profile.as_deref(),
            body,
        };
        let answer = self.transport.exchange(&post)?;
        if answer.status != 200 {
            return Err(TransportError::Status(answer.status));
        }
        if Carrier::from_mime(&answer.content_type) != Some(carrier) {
            return Err(TransportError::ContentType(answer.content_type));
        }
        Ok(answer)
    }
}
