//! The spool folders of smstools3 and gammu-smsd: files that their daemons send, and what becomes of the files.
//!
//! A file is written beside the folders and renamed into the outgoing one, so a daemon never sees half of it. The name has our
//! reference, and the daemons keep names, so a file in the folder of sent or failed ones tells which message it was. What was
//! told is removed there; files of others are not touched.

mod form;
mod watch;

use std::fs;
use std::io::{ErrorKind, Write as _};

use chrono::Utc;
use tokio::task::JoinHandle;

use super::error::GatewayError;
use super::event::Events;
use super::message::{Message, Reference, Unit};
use super::settings::{SpoolFormat, SpoolSettings};
use super::submit::{Report, Submitted, part_by_part};
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};

/// The folder in which files are written, beside the daemons' own.
const DRAFTS: &str = "candybar";

/// A daemon's spool.
pub(super) struct Spool {
    settings: SpoolSettings,
    watcher: JoinHandle<()>,
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// The folders of a format, below the spool.
#[derive(Debug, Clone, Copy)]
struct Folders {
    outgoing: &'static str,
    sent: &'static str,
    failed: &'static str,
}

impl SpoolFormat {
    const fn folders(self) -> Folders {
        match self {
            Self::Smstools => Folders {
                outgoing: "outgoing",
                sent: "sent",
                failed: "failed",
            },
            Self::Gammu => Folders {
                outgoing: "outbox",
                sent: "sent",
                failed: "error",
            },
        }
    }
}

impl Spool {
    /// Checks the folders and begins to watch them; must be called within a tokio runtime.
    pub(super) fn new(settings: &SpoolSettings, events: Events) -> Result<Self, String> {
        let folders = settings.format.folders();
        for name in [folders.outgoing, folders.sent, folders.failed] {
            let folder = settings.path.join(name);
            if !folder.is_dir() {
                return Err(format!(
                    "{} is no folder; the daemon's configuration says where its spool is",
                    folder.display()
                ));
            }
        }
        let drafts = settings.path.join(DRAFTS);
        if let Err(error) = fs::create_dir(&drafts)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(format!("{} cannot be made: {error}", drafts.display()));
        }
        Ok(Self {
            watcher: tokio::spawn(watch::watch(settings.clone(), events)),
            settings: settings.clone(),
        })
    }

    /// Writes a file beside the folders and renames it into the outgoing one.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), GatewayError> {
        let draft = self.settings.path.join(DRAFTS).join(name);
        let outgoing = self.settings.format.folders().outgoing;
        let place = self.settings.path.join(outgoing).join(name);
        let write = || -> std::io::Result<()> {
            let mut file = fs::File::create(&draft)?;
            file.write_all(content)?;
            file.sync_all()?;
            drop(file);
            fs::rename(&draft, &place)
        };
        write().map_err(|error| {
            let _unused = fs::remove_file(&draft);
            GatewayError::unreachable(format!("{} cannot be written: {error}", place.display()))
        })
    }

    async fn whole(&self, unit: &Unit<'_>) -> Result<String, GatewayError> {
        let (name, content) = form::gammu(unit.message, Utc::now())?;
        self.put(&name, content.as_bytes())?;
        Ok(name)
    }

    async fn part(&self, message: &Message, reference: &Reference) -> Result<String, GatewayError> {
        let sms = message
            .sms(reference.part)
            .ok_or_else(|| GatewayError::unsupported("the phone's number is not known"))?;
        let name = format!("{}{reference}", form::NAME_PREFIX);
        let validity = message.validity;
        self.put(&name, &form::smstools(&sms, &self.settings, validity))?;
        Ok(name)
    }
}

impl SmsGateway for Spool {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: true,
            receipts: true,
            incoming: false,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            // gammu-smsd takes all parts in one file, smstools one part in each.
            if self.settings.format == SpoolFormat::Gammu {
                return match self.whole(unit).await {
                    Ok(name) => Report::whole(unit, Some(name)),
                    Err(error) => Report::failed(error),
                };
            }
            part_by_part(unit, |_, reference| async move {
                let name = self.part(unit.message, &reference).await?;
                Ok(Submitted {
                    gateway_id: Some(name),
                })
            })
            .await
        })
    }
}
