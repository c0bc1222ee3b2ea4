//! `[[gateway]]`: the ways out to phones, as tables of the configuration file and as `CANDYBAR_GATEWAY__NAME__KEY`.
//!
//! [`key::GATEWAY_KEYS`] is the one list of keys. Tables keep the order of the file; one that only the environment names
//! comes behind them. A variable writes the gateway's name in upper case, with an underscore for each dash.

mod build;
pub mod key;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use super::Problem;
use super::key::nearest_of;
use super::layer::{Origin, Setting, secret_file};
use crate::sms::settings::GatewaySettings;
use key::{GATEWAY_KEYS, GatewayKey, GatewayKeyKind, KINDS};

/// Gateways that can be configured at most.
const MOST: usize = 64;
/// Octets of a gateway's name at most.
const MAX_NAME: usize = 32;

/// One table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// What is set, by key.
    settings: BTreeMap<&'static str, Setting>,
    /// For problems: which one it is.
    label: String,
}

/// All tables, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables(Vec<Table>);

impl Table {
    fn new(label: String) -> Self {
        Self {
            settings: BTreeMap::new(),
            label,
        }
    }

    /// The value, or its default; empty if it is unset.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.settings.get(name) {
            Some(setting) => &setting.text,
            None => key::find(name).map_or("", |key| key.default),
        }
    }

    fn origin(&self, name: &str) -> Origin {
        let setting = self.settings.get(name);
        setting.map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// The keys that a gateway of its kind has, with value and origin.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static GatewayKey, &str, Origin)> {
        let kind = self.text("kind").to_owned();
        GATEWAY_KEYS
            .iter()
            .filter(move |key| key.is_of(&kind))
            .map(|key| (key, self.text(key.name), self.origin(key.name)))
    }

    fn set(
        &mut self,
        name: &str,
        text: String,
        origin: &Origin,
        folder: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) {
        if let Some(key) = key::find(name) {
            let text = match (key.kind, folder) {
                (GatewayKeyKind::Path, Some(folder)) if !text.is_empty() => {
                    folder.join(text).display().to_string()
                }
                _ => text,
            };
            let setting = Setting {
                text,
                origin: origin.clone(),
            };
            self.settings.insert(key.name, setting);
            return;
        }
        let of_secret = name.strip_suffix("_file").and_then(key::find);
        if let Some(key) = of_secret.filter(|key| key.secret) {
            match secret_file(&format!("{}: {name}", self.label), &text, origin, folder) {
                Ok(setting) => {
                    self.settings.insert(key.name, setting);
                }
                Err(problem) => problems.push(problem),
            }
            return;
        }
        let names = GATEWAY_KEYS.iter().map(|key| key.name);
        problems.push(Problem {
            what: format!("{}: unknown key {name} ({origin})", self.label),
            why: nearest_of(name, names).map_or_else(
                || {
                    "no key of a gateway has a name like that; docs/gateways.md lists all"
                        .to_owned()
                },
                |meant| format!("did you mean {meant}?"),
            ),
        });
    }
}

impl Tables {
    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Table> {
        self.0.iter()
    }

    /// Takes what the configuration file has under `gateway`.
    pub(super) fn add_file(
        &mut self,
        value: &toml::Value,
        origin: &Origin,
        folder: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) {
        let tables: Option<Vec<&toml::Table>> = match value {
            toml::Value::Array(array) => array.iter().map(toml::Value::as_table).collect(),
            _ => None,
        };
        let Some(tables) = tables else {
            problems.push(Problem {
                what: format!("gateway is no list of tables ({origin})"),
                why: "each gateway is a table of its own, which begins with [[gateway]]".to_owned(),
            });
            return;
        };
        for (index, values) in tables.into_iter().enumerate() {
            let named = values.get("name").and_then(toml::Value::as_str);
            let label = match named {
                Some(name) if build::is_name(name) => format!("gateway {name}"),
                _ => format!("[[gateway]] number {}", index + 1),
            };
            let mut table = Table::new(label);
            for (name, value) in values {
                let lines = key::find(name).is_some_and(|key| key.kind == GatewayKeyKind::Lines);
                match value_text(value, if lines { "\n" } else { "," }) {
                    Some(text) => table.set(name, text, origin, folder, problems),
                    None if key::find(name).is_some() => problems.push(Problem {
                        what: format!(
                            "{}: {name} cannot be a {} ({origin})",
                            table.label,
                            value.type_str()
                        ),
                        why: "it is text, a whole number or a list of texts".to_owned(),
                    }),
                    None => table.set(name, String::new(), origin, folder, problems),
                }
            }
            self.0.push(table);
        }
    }

    /// Takes a variable's value; `rest` is what follows `CANDYBAR_GATEWAY__`, in lower case.
    pub(super) fn add_variable(
        &mut self,
        rest: &str,
        value: &str,
        variable: &str,
        problems: &mut Vec<Problem>,
    ) {
        let Some((name, key)) = rest.split_once("__") else {
            problems.push(Problem {
                what: format!("unknown key {variable} in the environment"),
                why: "a gateway's variable is CANDYBAR_GATEWAY__NAME__KEY".to_owned(),
            });
            return;
        };
        let origin = Origin::Variable(variable.to_owned());
        let known = self
            .0
            .iter()
            .position(|table| table.text("name").replace('-', "_") == name);
        let at = known.unwrap_or_else(|| {
            let name = name.replace('_', "-");
            let mut table = Table::new(format!("gateway {name}"));
            let setting = Setting {
                text: name,
                origin: origin.clone(),
            };
            table.settings.insert("name", setting);
            self.0.push(table);
            self.0.len() - 1
        });
        self.0[at].set(key, value.to_owned(), &origin, None, problems);
    }

    /// Checks all and makes typed values of them.
    pub(super) fn settings(&self, problems: &mut Vec<Problem>) -> Vec<GatewaySettings> {
        if self.0.len() > MOST {
            problems.push(Problem {
                what: format!("there are {} gateways", self.0.len()),
                why: format!("there can be {MOST}"),
            });
        }
        let mut settings: Vec<GatewaySettings> = Vec::new();
        for table in &self.0 {
            let Some(gateway) = build::gateway(table, problems) else {
                continue;
            };
            if settings.iter().any(|other| other.name == gateway.name) {
                problems.push(Problem {
                    what: format!("two gateways have the name {}", gateway.name),
                    why: "each needs a name of its own".to_owned(),
                });
            }
            settings.push(gateway);
        }
        settings
    }
}

/// A value as it would stand in the environment.
fn value_text(value: &toml::Value, between: &str) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(array) => {
            let texts: Option<Vec<&str>> = array.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| texts.join(between))
        }
        _ => None,
    }
}

/// The texts of a list.
pub(super) fn list(text: &str) -> Vec<&str> {
    let texts = text.split(',').map(str::trim);
    texts.filter(|text| !text.is_empty()).collect()
}

/// The texts of a list that may have commas.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let texts = text.lines().map(str::trim);
    texts.filter(|text| !text.is_empty()).collect()
}
