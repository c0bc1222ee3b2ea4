//! Email notification (OMA EMN 1.0): there is new mail in a mailbox. Phones with a mail client fetch it themselves.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::document::{Element, read_time, time};
use super::wsp::{Application, MediaType, Push};
use super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::tables::EMN;

const PUBLIC_ID: u32 = 0x0D;
const DOCTYPE: &str = "<!DOCTYPE emn PUBLIC \"-//WAPFORUM//DTD EMN 1.0//EN\" \"http://www.wapforum.org/DTD/emn.dtd\">";

/// A notification of new mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emn {
    /// The mailbox as a URI: `mailat:user@host`, `imap://user@host/folder`, `pop://user@host`, `http://…`.
    pub mailbox: String,
    /// When the newest mail came.
    pub timestamp: Option<DateTime<Utc>>,
}

impl Emn {
    fn document(&self) -> Result<Element, BuildError> {
        if self.mailbox.is_empty() {
            return Err(BuildError::Missing("mailbox"));
        }
        let mut element = Element::new("emn").with("mailbox", &self.mailbox);
        if let Some(timestamp) = &self.timestamp {
            element = element.with("timestamp", time(timestamp));
        }
        Ok(element)
    }

    /// As WBXML 1.2.
    pub fn wbxml(&self) -> Result<Vec<u8>, BuildError> {
        self.document()?.wbxml(&EMN, 0x02, PUBLIC_ID)
    }

    /// As XML.
    pub fn xml(&self) -> Result<String, BuildError> {
        self.document()?.xml(&EMN, Some(DOCTYPE))
    }

    /// As a push to the phone's mail client.
    pub fn push(&self) -> Result<Push, BuildError> {
        Ok(Push::new(MediaType::EMN, &Application::EMN, self.wbxml()?))
    }

    /// Reads a notification of either carrier.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        let element = Element::read(input, &EMN)?;
        let mailbox = element
            .attr("mailbox")
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("mailbox")))?;
        Ok(Self {
            mailbox: mailbox.to_owned(),
            timestamp: read_time(element.attr("timestamp"), "timestamp")?,
        })
    }
}
