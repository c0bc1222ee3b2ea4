//! Rules that an account or a device has of its own, over those that are below. As text:
//! `senders=*@example.org,boss@work.test;quiet_hours=22:00-07:00`.

use std::fmt;
use std::str::FromStr;

use super::{Importance, MailRules, Pattern, folders, patterns};
use crate::outbox::policy::QuietHours;

/// What is set; the rest is as below. In the text the names are those of `[push.mail]`, and a name without a value sets that
/// nothing is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnRules {
    folders: Option<Vec<String>>,
    senders: Option<Vec<Pattern>>,
    ignored: Option<Vec<Pattern>>,
    importance: Option<Importance>,
    quiet: Option<Option<QuietHours>>,
    always: Option<Vec<Pattern>>,
}

/// Octets of the text, at most.
pub const MAX_TEXT: usize = 4_000;

/// Names of what can be set.
const NAMES: [&str; 6] = [
    "folders",
    "senders",
    "ignore",
    "importance",
    "quiet_hours",
    "always",
];

impl OwnRules {
    /// These rules, and those below where nothing is set here.
    #[must_use]
    pub fn over(&self, below: &MailRules) -> MailRules {
        let Self {
            folders,
            senders,
            ignored,
            importance,
            quiet,
            always,
        } = self.clone();
        MailRules {
            folders: folders.unwrap_or_else(|| below.folders.clone()),
            senders: senders.unwrap_or_else(|| below.senders.clone()),
            ignored: ignored.unwrap_or_else(|| below.ignored.clone()),
            importance: importance.unwrap_or(below.importance),
            quiet: quiet.unwrap_or(below.quiet),
            always: always.unwrap_or_else(|| below.always.clone()),
        }
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl FromStr for OwnRules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("rules have {MAX_TEXT} octets at most"));
        }
        let mut rules = Self::default();
        for part in text.split(';').map(str::trim) {
            if part.is_empty() {
                continue;
            }
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part} is no rule: it is like senders=*@example.org"))?;
            let value = value.trim();
            match name.trim() {
                "folders" if value.is_empty() => {
                    return Err("folders are roles or names, with commas, or all".to_owned());
                }
                "folders" => rules.folders = Some(folders(value)),
                "senders" => rules.senders = Some(patterns(value)),
                "ignore" => rules.ignored = Some(patterns(value)),
                "importance" => rules.importance = Some(value.parse()?),
                "quiet_hours" if value.is_empty() => rules.quiet = Some(None),
                "quiet_hours" => rules.quiet = Some(Some(value.parse()?)),
                "always" => rules.always = Some(patterns(value)),
                other => return Err(format!("{other} is not one of {}", NAMES.join(", "))),
            }
        }
        Ok(rules)
    }
}

impl fmt::Display for OwnRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |patterns: &Vec<Pattern>| {
            let texts: Vec<&str> = patterns.iter().map(|pattern| &*pattern.0).collect();
            texts.join(",")
        };
        let folders = self.folders.as_ref().map(|folders| match &folders[..] {
            [] => "all".to_owned(),
            named => named.join(","),
        });
        let quiet = self
            .quiet
            .map(|quiet| quiet.map_or_else(String::new, |hours| hours.to_string()));
        let values = [
            folders,
            self.senders.as_ref().map(list),
            self.ignored.as_ref().map(list),
            self.importance
                .map(|importance| importance.name().to_owned()),
            quiet,
            self.always.as_ref().map(list),
        ];
        let set = NAMES
            .iter()
            .zip(values)
            .filter_map(|(name, value)| Some((name, value?)));
        for (at, (name, value)) in set.enumerate() {
            let before = if at == 0 { "" } else { ";" };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_stands_over_what_is_below() {
        let below = MailRules {
            senders: patterns("*@work.test"),
            importance: Importance::High,
            quiet: "22:00-07:00".parse().ok(),
            ..MailRules::default()
        };
        let account: OwnRules = "folders=Inbox, My Work; ignore=noreply@*"
            .parse()
            .expect("rules");
        let device: OwnRules = "senders=; quiet_hours=; importance=any"
            .parse()
            .expect("rules");
        let rules = device.over(&account.over(&below));
        assert_eq!(rules.folders, ["inbox", "my work"]);
        assert_eq!(rules.ignored, patterns("noreply@*"));
        assert_eq!(rules.senders, []);
        assert_eq!((rules.importance, rules.quiet), (Importance::Any, None));
        assert_eq!(OwnRules::default().over(&below), below);
    }

    #[test]
    fn the_text_comes_back() {
        for text in [
            "",
            "folders=all",
            "senders=",
            "folders=inbox,lists;senders=*@a.test,b@c.test;ignore=x@*;importance=never;quiet_hours=22:00-07:00;always=boss@d.test",
        ] {
            let rules: OwnRules = text.parse().expect(text);
            assert_eq!(rules.to_string(), text);
            assert_eq!(rules.is_empty(), text.is_empty());
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in [
            "senders",
            "colour=red",
            "importance=some",
            "quiet_hours=now",
            "folders=",
        ] {
            bad.parse::<OwnRules>().expect_err(bad);
        }
        let long = format!("senders={}", "a@b,".repeat(MAX_TEXT));
        long.parse::<OwnRules>().expect_err("too long");
    }
}
