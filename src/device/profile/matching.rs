//! Which devices a profile or rule is for: patterns on what a device tells of itself.
//!
//! A pattern is compared without regard to case; `*` stands for any text. All keys of one match must fit, and of each one of its
//! patterns. What devices send is cut before it is compared.

/// Longest text of a device that is looked at, octets.
const MAX_TEXT: usize = 512;

/// What is known of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity<'a> {
    /// The profile that was set by hand.
    pub by_hand: Option<&'a str>,
    /// HTTP User-Agent.
    pub user_agent: Option<&'a str>,
    /// HTTP x-wap-profile, or Profile.
    pub profile_header: Option<&'a str>,
    /// Man of its DevInf.
    pub manufacturer: Option<&'a str>,
    /// Mod of its DevInf.
    pub model: Option<&'a str>,
    /// SwV of its DevInf.
    pub software: Option<&'a str>,
    /// Its Source LocURI.
    pub device: &'a str,
}

/// A thing that a device tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// HTTP User-Agent.
    UserAgent,
    /// HTTP x-wap-profile, or Profile.
    ProfileHeader,
    /// Man of its DevInf.
    Manufacturer,
    /// Mod of its DevInf.
    Model,
    /// SwV of its DevInf.
    Software,
    /// Its Source LocURI.
    Device,
}

impl Key {
    /// As people call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::UserAgent => "User-Agent",
            Self::ProfileHeader => "x-wap-profile",
            Self::Manufacturer => "manufacturer (DevInf Man)",
            Self::Model => "model (DevInf Mod)",
            Self::Software => "software version (DevInf SwV)",
            Self::Device => "device address",
        }
    }

    fn of<'a>(self, identity: &Identity<'a>) -> Option<&'a str> {
        match self {
            Self::UserAgent => identity.user_agent,
            Self::ProfileHeader => identity.profile_header,
            Self::Manufacturer => identity.manufacturer,
            Self::Model => identity.model,
            Self::Software => identity.software,
            Self::Device => Some(identity.device),
        }
    }
}

/// One pattern or several, of which one has to fit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Patterns {
    /// One.
    One(String),
    /// Several.
    Any(Vec<String>),
}

impl Patterns {
    fn all(&self) -> &[String] {
        match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Any(patterns) => patterns,
        }
    }
}

/// What a device has to tell of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Patterns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_header: Option<Patterns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<Patterns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Patterns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software: Option<Patterns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Patterns>,
}

/// One key that fits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Matched {
    /// What was compared.
    pub key: Key,
    /// With what.
    pub pattern: String,
    /// What the device told, cut.
    pub value: String,
}

impl Match {
    /// The keys that are asked for, with their patterns.
    pub fn keys(&self) -> impl Iterator<Item = (Key, &[String])> {
        [
            (Key::UserAgent, &self.user_agent),
            (Key::ProfileHeader, &self.profile_header),
            (Key::Manufacturer, &self.manufacturer),
            (Key::Model, &self.model),
            (Key::Software, &self.software),
            (Key::Device, &self.device),
        ]
        .into_iter()
        .filter_map(|(key, patterns)| Some((key, patterns.as_ref()?.all())))
    }

    /// What is wrong with it, if something is.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.keys().next().is_none() {
            return Some("it asks for nothing, so it would fit every device");
        }
        let empty = |pattern: &String| pattern.bytes().all(|byte| byte == b'*');
        self.keys()
            .any(|(_, patterns)| patterns.is_empty() || patterns.iter().any(empty))
            .then_some("a pattern is empty, or fits everything")
    }

    /// The keys with the pattern that fits best, if all fit.
    pub(super) fn fits(&self, identity: &Identity<'_>) -> Option<Vec<Matched>> {
        self.keys()
            .map(|(key, patterns)| {
                let value = cut(key.of(identity)?.trim());
                let pattern = patterns
                    .iter()
                    .filter(|pattern| fits(pattern, value))
                    .max_by_key(|pattern| literals(pattern))?;
                Some(Matched {
                    key,
                    pattern: pattern.clone(),
                    value: value.to_owned(),
                })
            })
            .collect()
    }
}

/// How specific a match is: the number of keys, then of characters that are no `*`.
pub(super) fn weight(matched: &[Matched]) -> (usize, usize) {
    let characters = matched
        .iter()
        .map(|matched| literals(&matched.pattern))
        .sum();
    (matched.len(), characters)
}

fn literals(pattern: &str) -> usize {
    pattern
        .chars()
        .filter(|character| *character != '*')
        .count()
}

fn cut(text: &str) -> &str {
    let border = (0..=MAX_TEXT.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..border.unwrap_or(0)]
}

/// Whether a whole text fits a pattern.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stands, and what it has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[seen]) => {
                at += 1;
                seen += 1;
            }
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at, seen) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_whole_texts_without_regard_to_case() {
        for (pattern, text) in [
            ("Nokia6300*", "nokia6300/2.0 (04.92)"),
            ("NOKIA", "Nokia"),
            ("*phoneconfig/v3", "http://example/phoneconfig/v3"),
            ("a*b*c", "aXXbYbZc"),
            ("*", ""),
            ("x**", "x"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("Nokia", "Nokia6300"),
            ("*v3", "v3i"),
            ("a*b*c", "aXXbYbZ"),
            ("", "x"),
            ("x", ""),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
