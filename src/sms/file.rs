//! A file instead of a gateway, for tests and trials: one line of JSON for each SMS.
//!
//! A line is written with one write to a file that is opened for appending, so that several writers do not mix theirs.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::GatewayError;
use super::http::hex;
use super::message::{Content, Reference, Sms, Unit};
use super::submit::{Report, Submitted, part_by_part};
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};

/// A file.
pub(super) struct FileGateway {
    path: PathBuf,
}

impl FileGateway {
    /// Checks that the file can be written.
    pub(super) fn new(path: &Path) -> Result<Self, String> {
        let gateway = Self {
            path: path.to_owned(),
        };
        gateway
            .append(b"")
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        Ok(gateway)
    }

    fn append(&self, line: &[u8]) -> std::io::Result<()> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        file?.write_all(line)
    }

    async fn one(&self, line: String) -> Result<Submitted, GatewayError> {
        // A line is short: the disk's cache takes it at once.
        match self.append(line.as_bytes()) {
            Ok(()) => Ok(Submitted::default()),
            Err(error) => Err(GatewayError::unreachable(format!(
                "{} cannot be written: {error}",
                self.path.display()
            ))),
        }
    }
}

fn line(sms: &Sms, reference: &Reference, parts: u8) -> String {
    let mut line = json!({
        "reference": reference.message,
        "part": reference.part,
        "parts": parts,
        "to": sms.to().as_str(),
        "receipt": sms.receipt(),
    });
    match sms {
        Sms::Binary(sms) => {
            line["udh"] = hex(&sms.udh).into();
            line["body"] = hex(&sms.body).into();
            line["dcs"] = sms.dcs.into();
        }
        Sms::Text(sms) => line["text"] = sms.text.as_str().into(),
    }
    format!("{line}\n")
}

impl SmsGateway for FileGateway {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: true,
            receipts: false,
            incoming: false,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        let parts = match &unit.message.content {
            Content::Push(_) => unit.message.parts(),
            Content::Text(_) => 1,
        };
        Box::pin(part_by_part(unit, move |sms, reference| {
            self.one(line(&sms, &reference, parts))
        }))
    }
}
