//! Service indication and service loading (WAP-167, WAP-168): a text with a link, and a page that the browser opens.
//! They reach phones that have no sync client.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::document::{Element, read_time, time};
use super::wsp::{Application, MediaType, Push};
use super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::tables::{SI, SL};

const SI_ID: u32 = 0x05;
const SL_ID: u32 = 0x06;
const SI_DOCTYPE: &str =
    "<!DOCTYPE si PUBLIC \"-//WAPFORUM//DTD SI 1.0//EN\" \"http://www.wapforum.org/DTD/si.dtd\">";
const SL_DOCTYPE: &str =
    "<!DOCTYPE sl PUBLIC \"-//WAPFORUM//DTD SL 1.0//EN\" \"http://www.wapforum.org/DTD/sl.dtd\">";

/// How a phone shows an indication, or that it removes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Signal {
    /// Not at all; it replaces one with the same id.
    None,
    /// When the user looks.
    Low,
    /// Without interrupting: what is meant if nothing is said.
    #[default]
    Medium,
    /// At once.
    High,
    /// The one with the same id is removed.
    Delete,
}

impl Signal {
    const ALL: [Self; 5] = [
        Self::None,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Delete,
    ];

    /// Its name in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "signal-none",
            Self::Low => "signal-low",
            Self::Medium => "signal-medium",
            Self::High => "signal-high",
            Self::Delete => "delete",
        }
    }
}

/// A text with a link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Indication {
    /// The text.
    pub text: String,
    /// Where the link leads.
    pub href: Option<String>,
    /// A later one with this id takes its place; the link, if it is not said.
    pub id: Option<String>,
    /// How it is shown.
    pub signal: Signal,
    /// When it was made: a phone drops one that is older than what it has of the same id.
    pub created: Option<DateTime<Utc>>,
    /// When the phone may forget it.
    pub expires: Option<DateTime<Utc>>,
}

impl Indication {
    fn document(&self) -> Result<Element, BuildError> {
        if self.signal == Signal::Delete && self.id.is_none() {
            return Err(BuildError::Missing("id of the indication to delete"));
        }
        let mut indication = Element::leaf("indication", &self.text);
        if let Some(href) = &self.href {
            indication = indication.with("href", href);
        }
        if let Some(id) = &self.id {
            indication = indication.with("si-id", id);
        }
        if self.signal != Signal::default() {
            indication = indication.with("action", self.signal.name());
        }
        if let Some(created) = &self.created {
            indication = indication.with("created", time(created));
        }
        if let Some(expires) = &self.expires {
            indication = indication.with("si-expires", time(expires));
        }
        let mut root = Element::new("si");
        root.children.push(indication);
        Ok(root)
    }

    /// As WBXML 1.2.
    pub fn wbxml(&self) -> Result<Vec<u8>, BuildError> {
        self.document()?.wbxml(&SI, 0x02, SI_ID)
    }

    /// As XML, which push proxies turn into WBXML themselves.
    pub fn xml(&self) -> Result<String, BuildError> {
        self.document()?.xml(&SI, Some(SI_DOCTYPE))
    }

    /// As a push to the phone's browser.
    pub fn push(&self) -> Result<Push, BuildError> {
        Ok(Push::new(
            MediaType::SI,
            &Application::BROWSER,
            self.wbxml()?,
        ))
    }

    /// Reads an indication of either carrier.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        let root = Element::read(input, &SI)?;
        let element = root
            .named("indication")
            .next()
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("indication")))?;
        let owned = |name| element.attr(name).map(str::to_owned);
        let signal = match element.attr("action") {
            None => Signal::default(),
            Some(name) => Signal::ALL
                .into_iter()
                .find(|signal| signal.name() == name)
                .ok_or_else(|| ReadError::new(0, ReadErrorKind::Value("action")))?,
        };
        Ok(Self {
            text: element.text.clone(),
            href: owned("href"),
            id: owned("si-id"),
            signal,
            created: read_time(element.attr("created"), "created")?,
            expires: read_time(element.attr("si-expires"), "si-expires")?,
        })
    }
}

/// How the browser opens a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Execution {
    /// Without interrupting: what is meant if nothing is said.
    #[default]
    Low,
    /// At once.
    High,
    /// It is only fetched.
    Cache,
}

impl Execution {
    const ALL: [Self; 3] = [Self::Low, Self::High, Self::Cache];

    /// Its name in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "execute-low",
            Self::High => "execute-high",
            Self::Cache => "cache",
        }
    }
}

/// A page that the browser opens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loading {
    /// Its address.
    pub href: String,
    /// How it is opened.
    pub execution: Execution,
}

impl Loading {
    fn document(&self) -> Result<Element, BuildError> {
        if self.href.is_empty() {
            return Err(BuildError::Missing("address of the page"));
        }
        let mut element = Element::new("sl").with("href", &self.href);
        if self.execution != Execution::default() {
            element = element.with("action", self.execution.name());
        }
        Ok(element)
    }

    /// As WBXML 1.2.
    pub fn wbxml(&self) -> Result<Vec<u8>, BuildError> {
        self.document()?.wbxml(&SL, 0x02, SL_ID)
    }

    /// As XML, which push proxies turn into WBXML themselves.
    pub fn xml(&self) -> Result<String, BuildError> {
        self.document()?.xml(&SL, Some(SL_DOCTYPE))
    }

    /// As a push to the phone's browser.
    pub fn push(&self) -> Result<Push, BuildError> {
        Ok(Push::new(
            MediaType::SL,
            &Application::BROWSER,
            self.wbxml()?,
        ))
    }

    /// Reads a loading of either carrier.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        let element = Element::read(input, &SL)?;
        let href = element
            .attr("href")
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("href")))?;
        let execution = match element.attr("action") {
            None => Execution::default(),
            Some(name) => Execution::ALL
                .into_iter()
                .find(|execution| execution.name() == name)
                .ok_or_else(|| ReadError::new(0, ReadErrorKind::Value("action")))?,
        };
        Ok(Self {
            href: href.to_owned(),
            execution,
        })
    }
}
