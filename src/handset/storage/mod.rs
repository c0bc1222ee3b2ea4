//! What a phone makes of an item: the fields that it keeps, and how it writes them again.
//!
//! A phone stores fields, not text. [`Storage::take`] turns what came into what is kept, [`Storage::give`] turns that into
//! what is sent. What a phone loses because it did not understand it, although it has a field for it, is a mishap: a
//! server that knows the dialect causes none.
//!
//! Invariants: pure; no octets make it fail; a datastore without rules keeps items as they are.

mod elements;
mod fields;
mod line;
mod rules;
mod times;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use rules::{Addition, Alarms, Field, Poison, Rules, Slot, Times, Writing};

use super::device_info::DeviceInfo;
use crate::syncml::Code;
use line::{Line, Value};

/// What became of an item that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The item as it is kept.
    Kept {
        /// Its octets.
        body: Vec<u8>,
        /// What went wrong, without contents.
        mishaps: Vec<String>,
    },
    /// The phone has no use for it.
    Refused(Code),
    /// The phone broke: it restarts, or ends the session.
    Broken(String),
}

/// How a phone keeps its items, by datastore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// Rules by datastore name; one that is not there keeps items as they are.
    pub rules: BTreeMap<String, Rules>,
    /// Where the phone is.
    pub time_zone: chrono_tz::Tz,
}

/// A line with the component that it stands in.
type Placed = (String, Line);

impl Storage {
    /// Takes an item from the server. `previous` is the item that it replaces, as it is kept; `now` in seconds since 1970.
    pub fn take(
        &self,
        datastore: &str,
        devinf: &DeviceInfo,
        body: &[u8],
        previous: Option<&[u8]>,
        now: i64,
    ) -> Taken {
        let Some(rules) = self.rules.get(datastore) else {
            return kept(body.to_vec());
        };
        if rules.sif {
            return elements::take(datastore, devinf, body, previous);
        }
        if !line::is_object(body) {
            return kept(plain(rules, body));
        }
        let mut lines = placed(line::read(body, &rules.writing));
        if let Some(broken) = poisoned(&lines, rules) {
            return Taken::Broken(broken);
        }
        let mut mishaps = misread(&lines, rules);
        fields::lose(&mut lines, rules, &mut mishaps);
        times::take(&mut lines, rules, self.time_zone, now, &mut mishaps);
        fields::keep(&mut lines, rules, devinf, datastore, Some(&mut mishaps));
        if rules.keeps_absent
            && let Some(previous) = previous
        {
            fields::add_absent(&mut lines, placed(line::read(previous, &rules.writing)));
        }
        if fields::lacks_needed(&lines, rules) {
            return Taken::Refused(Code::COMMAND_FAILED);
        }
        fields::add_own(&mut lines, rules);
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        Taken::Kept {
            body: line::write(&lines, &rules.writing),
            mishaps,
        }
    }

    /// Takes what the user enters: the phone has no more fields for that.
    pub fn enter(&self, datastore: &str, devinf: &DeviceInfo, body: &[u8]) -> Vec<u8> {
        let Some(rules) = self.rules.get(datastore) else {
            return body.to_vec();
        };
        if rules.sif {
            return elements::enter(datastore, body, self.time_zone);
        }
        if !line::is_object(body) {
            return plain(rules, body);
        }
        let typed = Writing {
            charset: "UTF-8".to_owned(),
            ..Writing::default()
        };
        let mut lines = placed(line::read(body, &typed));
        fields::keep(&mut lines, rules, devinf, datastore, None);
        fields::add_own(&mut lines, rules);
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        line::write(&lines, &rules.writing)
    }

    /// Whether items travel in base64 whatever the carrier.
    pub fn wraps(&self, datastore: &str) -> bool {
        self.rules.get(datastore).is_some_and(|rules| rules.sif)
    }

    /// The content type under which an item of that type is sent.
    pub fn label<'a>(&'a self, datastore: &str, content_type: &'a str) -> &'a str {
        let label = self
            .rules
            .get(datastore)
            .and_then(|rules| rules.label.as_deref());
        label.unwrap_or(content_type)
    }

    /// An item as the phone sends it.
    pub fn give(&self, datastore: &str, luid: &str, body: &[u8], now: i64) -> Vec<u8> {
        let Some(rules) = self.rules.get(datastore) else {
            return body.to_vec();
        };
        let converts = rules.times.converts()
            || rules.season_mark.is_some()
            || rules.category_prefix.is_some()
            || rules.uid_is_luid;
        if !converts || !line::is_object(body) {
            return body.to_vec();
        }
        let mut lines = placed(line::read(body, &rules.writing));
        times::give(&mut lines, rules, self.time_zone, now);
        fields::prefix_categories(&mut lines, rules);
        if rules.uid_is_luid {
            fields::set_uid(&mut lines, luid);
        }
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        line::write(&lines, &rules.writing)
    }

    /// The times of a property on the phone's clock.
    pub fn shown_times(
        &self,
        datastore: &str,
        body: &[u8],
        property: &str,
    ) -> Vec<chrono::NaiveDateTime> {
        let times = self.rules.get(datastore).map(|rules| rules.times);
        let shown = self.shown(datastore, body, property);
        let local = |text: &String| times::local(text, times.unwrap_or_default(), self.time_zone);
        shown.iter().filter_map(local).collect()
    }

    /// An item of a program that keeps SIF documents with another text in a field; any other item as it is.
    pub fn with_field(&self, datastore: &str, body: &[u8], name: &str, text: &str) -> Vec<u8> {
        if self.wraps(datastore) {
            elements::replaced(body, name, text)
        } else {
            body.to_vec()
        }
    }

    /// The texts of a property (of a SIF document: an element) as the phone shows them, for tests and people; binary values are left out.
    pub fn shown(&self, datastore: &str, body: &[u8], property: &str) -> Vec<String> {
        if self.wraps(datastore) {
            return elements::shown(body, property);
        }
        let writing = self
            .rules
            .get(datastore)
            .map_or_else(Writing::default, |rules| rules.writing.clone());
        line::read(body, &writing)
            .iter()
            .filter(|line| line.name.eq_ignore_ascii_case(property))
            .filter_map(|line| line.text().map(str::to_owned))
            .collect()
    }
}

const fn kept(body: Vec<u8>) -> Taken {
    Taken::Kept {
        body,
        mishaps: Vec::new(),
    }
}

fn plain(rules: &Rules, body: &[u8]) -> Vec<u8> {
    match (rules.text_size, std::str::from_utf8(body)) {
        (Some(size), Ok(text)) => text.chars().take(size).collect::<String>().into_bytes(),
        _ => body.to_vec(),
    }
}

/// Notes for each line in which component it stands.
fn placed(lines: Vec<Line>) -> Vec<Placed> {
    let mut open: Vec<String> = Vec::new();
    lines
        .into_iter()
        .map(|line| {
            let name = line.text().unwrap_or_default().trim().to_ascii_uppercase();
            if line.name == "BEGIN" {
                open.push(name);
            }
            let component = open.last().cloned().unwrap_or_default();
            if line.name == "END" {
                open.pop();
            }
            (component, line)
        })
        .collect()
}

/// What breaks the phone, if there is something.
fn poisoned(lines: &[Placed], rules: &Rules) -> Option<String> {
    lines.iter().find_map(|(component, line)| {
        let fits = |poison: &&Poison| {
            (poison.name == "*" || poison.name.eq_ignore_ascii_case(&line.name))
                && poison
                    .component
                    .as_ref()
                    .is_none_or(|of| of.eq_ignore_ascii_case(component))
                && (!poison.empty || line.is_empty())
        };
        let poison = rules.breaks_on.iter().find(fits)?;
        let what = if poison.empty { "an empty " } else { "" };
        Some(format!("{what}{} in {component}", line.name))
    })
}

/// Lines that were read wrongly.
fn misread(lines: &[Placed], rules: &Rules) -> Vec<String> {
    let mut mishaps = Vec::new();
    for (_, line) in lines {
        if line.misread {
            mishaps.push(format!("{} was read in the wrong character set", line.name));
        }
        if line.broken && !rules.writing.reads_broken_lines && matches!(line.value, Value::Text(_))
        {
            mishaps.push(format!("{} was cut where its line is broken", line.name));
        }
    }
    mishaps
}
