//! A profile as it stands in its file.

use super::Traits;
use super::matching::Match;
use crate::content::Dialect;

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// By which it is set by hand: small letters, digits and hyphens; the file's name without `.toml`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The profile upon which it builds.
    #[serde(default)]
    pub extends: Option<String>,
    /// Devices that have it: one of these fits. None: it is only built upon, or set by hand.
    #[serde(default, rename = "match")]
    pub matches: Vec<Match>,
    /// What else is to be known; for the table of profiles.
    #[serde(default)]
    pub notes: Option<String>,
    /// Its rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// Effects with their source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Small letters, digits and hyphens; unique in the profile.
    pub name: String,
    /// Devices of the profile that it is for: one of these fits. None: all of them.
    #[serde(default, rename = "match")]
    pub matches: Vec<Match>,
    /// Where it is known from.
    pub source: String,
    /// What the device does, and why the effects help, if their names do not say it.
    #[serde(default)]
    pub about: Option<String>,
    /// Effects on sessions.
    #[serde(default)]
    pub session: Traits,
    /// Effects on items.
    #[serde(default)]
    pub content: Dialect,
    /// What the effects on items do.
    #[serde(default)]
    pub example: Vec<Example>,
}

/// An item that is written for the device, or comes from it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// An item in a modern form, to be written for the device. Lines; a frame of BEGIN and END is put around what has none.
    #[serde(default)]
    pub write: Option<String>,
    /// An item as it comes from the device, to be read.
    #[serde(default)]
    pub read: Option<String>,
    /// The frame: VCARD, VEVENT (also for none) or VTODO; EMAIL for a message (RFC 5322), of whose text ten octets are written, and of
    /// whose object each element is a line.
    #[serde(default)]
    pub frame: Option<String>,
    /// The device's place; UTC if it does not matter.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The date of the sync, as a UTC date-time; 2026-01-15 if it does not matter.
    #[serde(default)]
    pub now: Option<String>,
    /// Lines that the result has; of what is read, as vCard 3.0 or iCalendar 2.0.
    #[serde(default)]
    pub has: Vec<String>,
    /// What no line of the result begins with.
    #[serde(default)]
    pub lacks: Vec<String>,
}
