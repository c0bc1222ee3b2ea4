//! From what a device tells of itself to its profile, the rules that apply, and their effects.

use super::catalogue::Catalogue;
use super::file::{Profile, Rule};
use super::matching::{Identity, Match, Matched, weight};
use super::traits::Traits;
use crate::content::Dialect;

/// Why a profile or rule applies.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was set by hand.
    ByHand,
    /// It is for all devices of its profile.
    Always,
    /// These keys fit.
    Matches(Vec<Matched>),
}

/// A rule that applies.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// The profile that it is of: the device's, or one upon which that builds.
    pub profile: String,
    /// Its name.
    pub rule: String,
    /// Where it is known from.
    pub source: String,
    /// Why.
    pub why: Why,
    /// Its effects on sessions.
    pub session: Traits,
    /// Its effects on items.
    pub content: Dialect,
}

impl Applied {
    /// Its effects, by name, with their values as JSON.
    pub fn effects(&self) -> Vec<(String, String)> {
        super::table::effects(&self.session, &self.content)
    }
}

/// What a device does its own way. Without profile: nothing, and what its DevInf says counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Its profile and why.
    pub profile: Option<(String, Why)>,
    /// The profile that was set by hand does not exist.
    pub unknown: Option<String>,
    /// The rules that apply, the more specific ones last.
    pub rules: Vec<Applied>,
    /// All effects on sessions.
    pub traits: Traits,
    /// All effects on items.
    pub dialect: Dialect,
}

impl Resolved {
    /// The effects on items, if there are any.
    pub fn dialect(&self) -> Option<&Dialect> {
        (!self.dialect.is_empty()).then_some(&self.dialect)
    }
}

impl Catalogue {
    /// The profile of a device and what it does. A profile that was set by hand wins; else one that builds upon another wins over
    /// that, then one that more keys fit, then the one with the longer patterns.
    pub fn resolve(&self, identity: &Identity<'_>) -> Resolved {
        let by_hand = identity.by_hand.filter(|name| !name.is_empty());
        let unknown = by_hand.filter(|name| self.find(name).is_none());
        let chosen = match by_hand.and_then(|name| self.find(name)) {
            Some(profile) => Some((profile, Why::ByHand)),
            None => self
                .fitting(identity)
                .map(|(profile, matched)| (profile, Why::Matches(matched))),
        };
        let mut resolved = Resolved {
            unknown: unknown.map(str::to_owned),
            ..Resolved::default()
        };
        let Some((profile, why)) = chosen else {
            return resolved;
        };
        for of in self.chain(&profile.name).unwrap_or_default() {
            let mut rules: Vec<(&Rule, Why)> = of
                .rules
                .iter()
                .filter_map(|rule| {
                    if rule.matches.is_empty() {
                        return Some((rule, Why::Always));
                    }
                    Some((rule, Why::Matches(best(&rule.matches, identity)?)))
                })
                .collect();
            // Stable: of two that are as specific, the later one in the file wins.
            rules.sort_by_key(|(_, why)| match why {
                Why::Matches(matched) => weight(matched),
                Why::ByHand | Why::Always => (0, 0),
            });
            for (rule, why) in rules {
                resolved.traits.lay(rule.session.clone());
                resolved.dialect.lay(rule.content.clone());
                resolved.rules.push(Applied {
                    profile: of.name.clone(),
                    rule: rule.name.clone(),
                    source: rule.source.clone(),
                    why,
                    session: rule.session.clone(),
                    content: rule.content.clone(),
                });
            }
        }
        resolved.profile = Some((profile.name.clone(), why));
        resolved
    }

    /// The most specific profile that fits.
    fn fitting(&self, identity: &Identity<'_>) -> Option<(&Profile, Vec<Matched>)> {
        let fitting: Vec<(&Profile, Vec<Matched>)> = self
            .profiles()
            .filter_map(|profile| Some((profile, best(&profile.matches, identity)?)))
            .collect();
        let is_base = |base: &Profile| {
            fitting.iter().any(|(other, _)| {
                other.name != base.name
                    && self
                        .chain(&other.name)
                        .unwrap_or_default()
                        .iter()
                        .any(|one| one.name == base.name)
            })
        };
        let index = (0..fitting.len())
            .filter(|index| !is_base(fitting[*index].0))
            .max_by_key(|index| weight(&fitting[*index].1))?;
        fitting.into_iter().nth(index)
    }
}

/// The most specific match that fits.
fn best(matches: &[Match], identity: &Identity<'_>) -> Option<Vec<Matched>> {
    matches
        .iter()
        .filter_map(|one| one.fits(identity))
        .max_by_key(|matched| weight(matched))
}
