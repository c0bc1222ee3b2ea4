//! The effective configuration as text: TOML that can be read again, or JSON; secrets hidden.

use std::fmt::Write as _;

use super::gateway::key::GatewayKeyKind;
use super::gateway::{lines, list};
use super::key::{KEYS, Key, Kind};
use super::{Config, aliases};

/// Stands where a secret was.
const HIDDEN: &str = "…";

impl Config {
    /// As TOML; each value is followed by where it was set. Unset keys are comments.
    pub fn to_toml(&self) -> String {
        let mut lines = Vec::new();
        let mut table = "";
        for key in KEYS {
            let (own_table, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
            if own_table != table {
                table = own_table;
                lines.push((String::new(), String::new()));
                // The header of a table that has only unset keys is a comment as well, so it stays out of the way.
                let mark = if self.table_is_set(table) { "" } else { "# " };
                lines.push((format!("{mark}[{table}]"), String::new()));
            }
            let setting = self.setting(key.name);
            let shown = shown(key, &setting.text);
            let line = match key.kind {
                _ if setting.text.is_empty() => format!("# {name} ="),
                Kind::Number { .. } => format!("{name} = {shown}"),
                Kind::Aliases => format!("{name} = {}", inline_table(&setting.text)),
                _ => format!("{name} = {}", toml::Value::String(shown)),
            };
            lines.push((line, setting.origin.to_string()));
        }
        self.gateway_lines(&mut lines);
        let width = lines
            .iter()
            .map(|(line, _)| line.chars().count())
            .filter(|width| *width <= 48)
            .max()
            .unwrap_or(0);
        let mut out = String::new();
        for (line, origin) in lines {
            if origin.is_empty() {
                let _ = writeln!(out, "{line}");
            } else {
                let _ = writeln!(out, "{line:width$}  # {origin}");
            }
        }
        out
    }

    fn gateway_lines(&self, lines: &mut Vec<(String, String)>) {
        for table in self.layers.gateways.iter() {
            lines.push((String::new(), String::new()));
            lines.push(("[[gateway]]".to_owned(), String::new()));
            for (key, text, origin) in table.rows() {
                let name = key.name;
                let line = match key.kind {
                    _ if text.is_empty() => format!("# {name} ="),
                    _ if key.secret => format!("{name} = \"{HIDDEN}\""),
                    GatewayKeyKind::Number { .. } | GatewayKeyKind::Optional { .. } => {
                        format!("{name} = {text}")
                    }
                    GatewayKeyKind::List | GatewayKeyKind::Lines => {
                        let texts = texts(key.kind, text).into_iter();
                        let array = texts.map(|text| toml::Value::String(text.to_owned()));
                        format!("{name} = {}", toml::Value::Array(array.collect()))
                    }
                    _ => format!("{name} = {}", toml::Value::String(text.to_owned())),
                };
                lines.push((line, origin.to_string()));
            }
        }
    }

    fn gateways_json(
        &self,
        origins: &mut serde_json::Map<String, serde_json::Value>,
    ) -> serde_json::Value {
        let tables = self.layers.gateways.iter().map(|table| {
            let rows = table.rows().map(|(key, text, origin)| {
                let path = format!("gateway.{}.{}", table.text("name"), key.name);
                origins.insert(path, origin.to_string().into());
                let value = match key.kind {
                    GatewayKeyKind::List | GatewayKeyKind::Lines => texts(key.kind, text).into(),
                    _ if text.is_empty() => serde_json::Value::Null,
                    _ if key.secret => HIDDEN.into(),
                    GatewayKeyKind::Number { .. } | GatewayKeyKind::Optional { .. } => {
                        text.parse::<u64>().unwrap_or_default().into()
                    }
                    _ => text.into(),
                };
                (key.name.to_owned(), value)
            });
            rows.collect::<serde_json::Map<_, _>>().into()
        });
        tables.collect::<Vec<serde_json::Value>>().into()
    }

    fn table_is_set(&self, table: &str) -> bool {
        KEYS.iter().any(|key| {
            key.name
                .rsplit_once('.')
                .is_some_and(|(own, _)| own == table)
                && !self.setting(key.name).text.is_empty()
        })
    }

    /// As JSON: `values` nested as in the file, `origins` by dotted key.
    pub fn to_json(&self) -> serde_json::Value {
        let mut values = serde_json::Map::new();
        let mut origins = serde_json::Map::new();
        for key in KEYS {
            let setting = self.setting(key.name);
            origins.insert(key.name.to_owned(), setting.origin.to_string().into());
            let value = match key.kind {
                Kind::Aliases => aliases(&setting.text)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(address, datastore)| (address, datastore.name().into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
                _ if setting.text.is_empty() => serde_json::Value::Null,
                Kind::Number { .. } => setting.text.parse::<u64>().unwrap_or_default().into(),
                _ => shown(key, &setting.text).into(),
            };
            let mut at = &mut values;
            let mut path = key.name.split('.').peekable();
            while let Some(part) = path.next() {
                if path.peek().is_none() {
                    at.insert(part.to_owned(), value);
                    break;
                }
                at = at
                    .entry(part)
                    .or_insert_with(|| serde_json::Map::new().into())
                    .as_object_mut()
                    .expect("no key is the beginning of another one");
            }
        }
        let gateways = self.gateways_json(&mut origins);
        values.insert("gateway".to_owned(), gateways);
        serde_json::json!({ "values": values, "origins": origins, "file": self.file })
    }
}

/// The text of a value, without what must not be shown.
pub(super) fn shown(key: &Key, text: &str) -> String {
    match key.kind {
        Kind::Database => without_password(text),
        _ if key.secret => HIDDEN.to_owned(),
        _ => text.to_owned(),
    }
}

/// A URL without the password in its authority or query.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // The password itself may hold a slash or question mark that was not escaped: the last @ ends the credentials.
    let at = rest
        .rfind('@')
        .filter(|at| *at < end || rest[..*at].contains(':'));
    let mut shown = match at {
        Some(at) => match rest[..at].split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}{}", &rest[at..]),
            None => url.to_owned(),
        },
        None => url.to_owned(),
    };
    if let Some(start) = shown.find("password=") {
        let start = start + "password=".len();
        let end = shown[start..]
            .find('&')
            .map_or(shown.len(), |at| start + at);
        shown.replace_range(start..end, HIDDEN);
    }
    shown
}

fn inline_table(text: &str) -> String {
    let pairs: Vec<String> = aliases(text)
        .unwrap_or_default()
        .into_iter()
        .map(|(address, datastore)| {
            format!(
                "{} = {}",
                toml::Value::String(address),
                toml::Value::String(datastore.name().to_owned())
            )
        })
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// The texts of a gateway's list.
fn texts(kind: GatewayKeyKind, text: &str) -> Vec<&str> {
    if kind == GatewayKeyKind::Lines {
        lines(text)
    } else {
        list(text)
    }
}
