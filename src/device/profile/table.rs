//! The table of profiles and rules, for people: `docs/profiles.md` has it.

use std::fmt::Write as _;

use super::catalogue::Catalogue;
use super::file::{Profile, Rule};
use super::matching::Match;

/// All profiles with their rules, as Markdown.
pub fn table(catalogue: &Catalogue) -> String {
    let mut out = String::new();
    for profile in catalogue.profiles() {
        one(profile, &mut out);
    }
    out
}

fn one(profile: &Profile, out: &mut String) {
    let _ = write!(out, "\n### {}\n\n{}.", profile.name, profile.title);
    if let Some(base) = &profile.extends {
        let _ = write!(out, " Builds upon [{base}](#{base}).");
    }
    if profile.matches.is_empty() {
        out.push_str(" Fits no device by itself.");
    } else {
        let _ = write!(out, " For {}.", matches(&profile.matches));
    }
    if let Some(notes) = &profile.notes {
        let _ = write!(out, " {}", notes.trim());
    }
    out.push('\n');
    if profile.rules.is_empty() {
        return;
    }
    out.push_str("\n| rule | what it does | known from |\n| --- | --- | --- |\n");
    for rule in &profile.rules {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            rule.name,
            cell(&what(rule)),
            cell(&rule.source)
        );
    }
}

fn what(rule: &Rule) -> String {
    let mut text = String::new();
    if !rule.matches.is_empty() {
        let _ = write!(text, "Only {}: ", matches(&rule.matches));
    }
    if let Some(about) = &rule.about {
        let _ = write!(text, "{} ", about.trim());
    }
    let effects = rule
        .effects()
        .into_iter()
        .map(|(name, value)| format!("`{name} = {value}`"));
    text.push_str(&effects.collect::<Vec<_>>().join(", "));
    text
}

fn matches(matches: &[Match]) -> String {
    let one = |of: &Match| {
        of.keys()
            .map(|(key, patterns)| {
                let patterns: Vec<_> = patterns
                    .iter()
                    .map(|pattern| format!("`{pattern}`"))
                    .collect();
                format!("{} {}", key.words(), patterns.join(" "))
            })
            .collect::<Vec<_>>()
            .join(" and ")
    };
    matches.iter().map(one).collect::<Vec<_>>().join("; or ")
}

/// A text in one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

impl Rule {
    /// Its effects, by name, with their values as JSON.
    pub fn effects(&self) -> Vec<(String, String)> {
        effects(&self.session, &self.content)
    }
}

/// Effects by name, with their values as JSON.
pub(super) fn effects(
    session: &super::Traits,
    content: &crate::content::Dialect,
) -> Vec<(String, String)> {
    let of = |effects: serde_json::Result<serde_json::Value>| {
        let serde_json::Value::Object(effects) = effects.unwrap_or_default() else {
            return Vec::new();
        };
        effects
            .into_iter()
            .map(|(name, value)| (name, value.to_string()))
            .collect()
    };
    let mut all: Vec<(String, String)> = of(serde_json::to_value(session));
    all.append(&mut of(serde_json::to_value(content)));
    all
}
