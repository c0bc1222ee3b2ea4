//! Media types and application ids: a number where WSP has one, else a name.

use std::borrow::Cow;
use std::fmt;

use super::names;

/// A media type. Types that have a WSP number are equal whatever name they were made from.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MediaType(Token);

/// An application on the phone that takes pushes (X-Wap-Application-Id).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Application(Token);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Code(u32),
    Name(String),
}

impl MediaType {
    /// Any type, which also means that the type is not said.
    pub const ANY: Self = Self::from_code(0x00);
    /// `text/vnd.wap.si`
    pub const SI_TEXT: Self = Self::from_code(0x2D);
    /// `application/vnd.wap.sic`
    pub const SI: Self = Self::from_code(0x2E);
    /// `text/vnd.wap.sl`
    pub const SL_TEXT: Self = Self::from_code(0x2F);
    /// `application/vnd.wap.slc`
    pub const SL: Self = Self::from_code(0x30);
    /// `text/vnd.wap.connectivity-xml`
    pub const PROV_TEXT: Self = Self::from_code(0x35);
    /// `application/vnd.wap.connectivity-wbxml`
    pub const PROV: Self = Self::from_code(0x36);
    /// `application/vnd.syncml.ds.notification`
    pub const DS_NOTIFICATION: Self = Self::from_code(0x4E);
    /// `application/vnd.nokia.syncset+wbxml`, which Nokia's and Ericsson's OTA calls `application/x-prov.syncset+wbxml`
    pub const SYNC_SETTINGS: Self = Self::from_code(0x020B);
    /// `application/vnd.syncml+xml`
    pub const SYNCML_XML: Self = Self::from_code(0x0302);
    /// `application/vnd.syncml+wbxml`
    pub const SYNCML_WBXML: Self = Self::from_code(0x0303);
    /// `text/vnd.wap.emn+xml`
    pub const EMN_TEXT: Self = Self::from_code(0x0304);
    /// `application/vnd.wap.emn+wbxml`
    pub const EMN: Self = Self::from_code(0x030A);

    /// From its name, in any case; empty is [`Self::ANY`].
    pub fn new(name: &str) -> Self {
        let name = name.trim();
        match names::media_code(name) {
            Some(code) => Self::from_code(code),
            None if name.is_empty() => Self::ANY,
            None => Self(Token::Name(name.to_owned())),
        }
    }

    /// From its WSP number.
    pub const fn from_code(code: u32) -> Self {
        Self(Token::Code(code))
    }

    /// Its WSP number, if it has one.
    pub const fn code(&self) -> Option<u32> {
        match self.0 {
            Token::Code(code) => Some(code),
            Token::Name(_) => None,
        }
    }

    /// Its name; `unknown/0x…` for a number that is not known here.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.0 {
            Token::Name(name) => Cow::Borrowed(name),
            Token::Code(code) => names::media_name(*code).map_or_else(
                || Cow::Owned(format!("unknown/0x{code:04X}")),
                Cow::Borrowed,
            ),
        }
    }

    pub(super) const fn token(&self) -> &Token {
        &self.0
    }
}

impl Application {
    /// The default: WML browser, which shows SI and SL.
    pub const BROWSER: Self = Self::from_code(0x02);
    /// SyncML data synchronisation, notifications of every version.
    pub const SYNCML: Self = Self::from_code(0x05);
    /// Email notification.
    pub const EMN: Self = Self::from_code(0x09);

    /// From its name, in any case, with or without `x-wap-application:`.
    pub fn new(name: &str) -> Self {
        let name = name.trim();
        let code = names::application_code(name)
            .or_else(|| names::application_code(&format!("x-wap-application:{name}")));
        Self(code.map_or_else(|| Token::Name(name.to_owned()), Token::Code))
    }

    /// From its number.
    pub const fn from_code(code: u32) -> Self {
        Self(Token::Code(code))
    }

    /// Its number, if it has one.
    pub const fn code(&self) -> Option<u32> {
        match self.0 {
            Token::Code(code) => Some(code),
            Token::Name(_) => None,
        }
    }

    /// Its name; `unknown:0x…` for a number that is not known here.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.0 {
            Token::Name(name) => Cow::Borrowed(name),
            Token::Code(code) => names::application_name(*code).map_or_else(
                || Cow::Owned(format!("unknown:0x{code:04X}")),
                Cow::Borrowed,
            ),
        }
    }
}

impl Default for MediaType {
    fn default() -> Self {
        Self::ANY
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
