//! All profiles: read from TOML, checked, with those that build upon others linked to them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::embedded;
use super::file::{Profile, Rule};
use super::matching::Match;

/// Profiles that build upon each other, at most.
const MAX_DEPTH: usize = 8;
/// Octets of one file.
const MAX_FILE: usize = 1 << 20;
/// Profiles of a catalogue.
const MAX_PROFILES: usize = 1_000;
/// Rules of a profile.
const MAX_RULES: usize = 200;

/// All profiles, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    profiles: BTreeMap<String, Profile>,
}

/// What is wrong with a profile's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Where in it: a key such as `rule short-name, content.name_parts`, or a line.
    pub place: String,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.file, self.place, self.why)
    }
}

impl Catalogue {
    /// The profiles that come with the program.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
            let built = Catalogue::default().with(embedded::FILES.iter().copied());
            Arc::new(built.expect("a test reads every file that is built in"))
        });
        EMBEDDED.clone()
    }

    /// These profiles and those of more files (name and text); one of the same name takes the other's place. All that is
    /// wrong, at once.
    pub fn with<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Fault>> {
        let mut catalogue = self.clone();
        let mut faults = Vec::new();
        let mut origin: BTreeMap<String, String> = BTreeMap::new();
        for (file, text) in files {
            match parse(file, text) {
                Ok(profile) => {
                    check(file, &profile, &mut faults);
                    origin.insert(profile.name.clone(), file.to_owned());
                    catalogue.profiles.insert(profile.name.clone(), profile);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if catalogue.profiles.len() > MAX_PROFILES {
            faults.push(Fault {
                file: "the folder".to_owned(),
                place: "all files".to_owned(),
                why: format!("there are more than {MAX_PROFILES} profiles"),
            });
        }
        for (name, file) in &origin {
            if let Err(why) = catalogue.chain(name) {
                faults.push(Fault {
                    file: file.clone(),
                    place: "extends".to_owned(),
                    why,
                });
            }
        }
        if faults.is_empty() {
            Ok(catalogue)
        } else {
            Err(faults)
        }
    }

    /// All profiles, in the order of their names.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The profile of that name.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(name)
    }

    /// A profile and those that it builds upon, the most general first.
    pub(super) fn chain(&self, name: &str) -> Result<Vec<&Profile>, String> {
        let mut chain = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let Some(profile) = self.find(name) else {
                return Err(format!("there is no profile {name}"));
            };
            if chain.len() == MAX_DEPTH {
                return Err(format!(
                    "it goes through more than {MAX_DEPTH} profiles, or in a circle"
                ));
            }
            chain.push(profile);
            next = profile.extends.as_deref();
        }
        chain.reverse();
        Ok(chain)
    }
}

fn parse(file: &str, text: &str) -> Result<Profile, Fault> {
    let fault = |place: String, why: String| Fault {
        file: file.to_owned(),
        place,
        why,
    };
    if text.len() > MAX_FILE {
        let why = format!("it has more than {MAX_FILE} octets");
        return Err(fault("the whole file".to_owned(), why));
    }
    toml::from_str(text).map_err(|error| {
        let place = match error.span() {
            Some(span) => {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count();
                let whole = text.lines().nth(line).unwrap_or_default();
                let key = whole.split('=').next().unwrap_or_default().trim();
                let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte);
                if key.bytes().any(|byte| byte.is_ascii_alphabetic()) && key.bytes().all(known) {
                    format!("line {}, {key}", line + 1)
                } else {
                    format!("line {}", line + 1)
                }
            }
            None => "the whole file".to_owned(),
        };
        fault(place, error.message().to_owned())
    })
}

fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(known)
}

/// Checks what the types leave open.
fn check(file: &str, profile: &Profile, faults: &mut Vec<Fault>) {
    let mut fault = |place: String, why: &str| {
        faults.push(Fault {
            file: file.to_owned(),
            place,
            why: why.to_owned(),
        });
    };
    let named = file.rsplit('/').next().unwrap_or(file);
    if !is_name(&profile.name) {
        fault(
            "name".to_owned(),
            "it is made of small letters, digits and hyphens",
        );
    } else if named != format!("{}.toml", profile.name) {
        fault(
            "name".to_owned(),
            &format!("the file would be {}.toml", profile.name),
        );
    }
    if profile.rules.len() > MAX_RULES {
        fault("rule".to_owned(), "there are too many rules");
    }
    let mut check_matches = |place: &str, matches: &[Match]| {
        for one in matches {
            if let Some(why) = one.fault() {
                fault(format!("{place}match"), why);
            }
        }
    };
    check_matches("", &profile.matches);
    for rule in &profile.rules {
        check_matches(&format!("rule {}, ", rule.name), &rule.matches);
    }
    for (index, rule) in profile.rules.iter().enumerate() {
        if let Some((place, why)) = rule_fault(rule, &profile.rules[..index]) {
            fault(format!("rule {}, {place}", rule.name), &why);
        }
    }
}

fn rule_fault(rule: &Rule, before: &[Rule]) -> Option<(String, String)> {
    let some = |place: &str, why: &str| Some((place.to_owned(), why.to_owned()));
    if !is_name(&rule.name) {
        return some("name", "it is made of small letters, digits and hyphens");
    }
    if before.iter().any(|other| other.name == rule.name) {
        return some("name", "another rule of this profile has it");
    }
    if rule.source.trim().is_empty() {
        return some("source", "it does not say where this is known from");
    }
    if rule.session.is_empty() && rule.content.is_empty() {
        return some("effects", "it has none: neither session nor content");
    }
    if let Err((effect, why)) = rule.session.check() {
        return Some((format!("session.{effect}"), why));
    }
    if let Err(bad) = rule.content.check() {
        return Some((format!("content.{}", bad.effect), bad.why));
    }
    None
}
