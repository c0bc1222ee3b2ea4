//! Where values come from: default, file, environment, flag; the later one wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::gateway;
use super::key::{self, KEYS, Kind};
use super::{ConfigError, Problem};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    Default,
    /// In this configuration file.
    File(PathBuf),
    /// In this environment variable.
    Variable(String),
    /// By this flag of the command line.
    Flag(String),
    /// In a file of its own, which the other origin named.
    SecretFile(PathBuf, Box<Self>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
            Self::SecretFile(path, by) => write!(f, "{}, named by {by}", path.display()),
        }
    }
}

/// One value as text, and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As it would stand in the environment.
    pub text: String,
    /// Where it was set.
    pub origin: Origin,
}

/// A flag of the command line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The key.
    pub key: &'static str,
    /// The flag, such as `--listen`.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// All values by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    settings: BTreeMap<&'static str, Setting>,
    pub(super) gateways: gateway::Tables,
    problems: Vec<Problem>,
}

impl Layers {
    /// The defaults alone.
    pub(super) fn new() -> Self {
        let settings = KEYS
            .iter()
            .map(|key| {
                let setting = Setting {
                    text: key.default.to_owned(),
                    origin: Origin::Default,
                };
                (key.name, setting)
            })
            .collect();
        Self {
            settings,
            gateways: gateway::Tables::default(),
            problems: Vec::new(),
        }
    }

    /// The value of a key, which must be one of [`KEYS`].
    pub(super) fn setting(&self, name: &str) -> &Setting {
        self.settings
            .get(name)
            .expect("only keys of the table are asked for")
    }

    /// The values of a configuration file.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => {
                let origin = Origin::File(path.to_owned());
                self.add_table("", &table, &origin, path.parent());
            }
            Err(error) => self.problems.push(Problem {
                what: format!("{} is not TOML", path.display()),
                why: error.to_string().trim().to_owned(),
            }),
        }
    }

    fn add_table(
        &mut self,
        prefix: &str,
        table: &toml::Table,
        origin: &Origin,
        folder: Option<&Path>,
    ) {
        // Tables nest two deep at most in what is known; deeper ones are unknown keys and not walked.
        for (name, value) in table {
            let name = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            let within = format!("{name}.");
            if name == "gateway" {
                self.gateways
                    .add_file(value, origin, folder, &mut self.problems);
                continue;
            }
            match value {
                toml::Value::Table(inner)
                    if key::find(&name).is_some_and(|key| key.kind == Kind::Aliases) =>
                {
                    self.add_aliases(&name, inner, origin);
                }
                toml::Value::Table(inner)
                    if KEYS.iter().any(|key| key.name.starts_with(&within)) =>
                {
                    self.add_table(&name, inner, origin, folder);
                }
                toml::Value::String(text) => self.add(&name, text, origin, folder),
                toml::Value::Integer(number) => {
                    self.add(&name, &number.to_string(), origin, folder);
                }
                _ if key::find(&name).is_some() => self.problems.push(Problem {
                    what: format!("{name} cannot be a {} ({origin})", value.type_str()),
                    why: "it is text or a whole number".to_owned(),
                }),
                _ => self.add(&name, "", origin, folder),
            }
        }
    }

    fn add_aliases(&mut self, name: &str, table: &toml::Table, origin: &Origin) {
        let mut pairs = Vec::new();
        for (address, datastore) in table {
            match datastore.as_str() {
                Some(datastore) if !address.contains([',', '=']) => {
                    pairs.push(format!("{address}={datastore}"));
                }
                Some(_) => self.problems.push(Problem {
                    what: format!(
                        "{name}: the address {address} has a comma or an equals sign ({origin})"
                    ),
                    why: "no phone can send such an address".to_owned(),
                }),
                None => self.problems.push(Problem {
                    what: format!("{name}: {address} is not text ({origin})"),
                    why: "it is the name of a datastore, such as \"contacts\"".to_owned(),
                }),
            }
        }
        self.add(name, &pairs.join(","), origin, None);
    }

    /// The values of the environment; variables that do not begin with `CANDYBAR_` are left alone.
    pub(super) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) {
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for (variable, value) in variables {
            if [super::CONFIG_VARIABLE, super::HANDSET_VARIABLE].contains(&variable.as_str()) {
                continue;
            }
            if let Some(rest) = variable.strip_prefix("CANDYBAR_GATEWAY__") {
                let rest = rest.to_ascii_lowercase();
                self.gateways
                    .add_variable(&rest, &value, &variable, &mut self.problems);
            } else if let Some(rest) = variable.strip_prefix("CANDYBAR_") {
                let name = rest.to_ascii_lowercase().replace("__", ".");
                self.add(&name, &value, &Origin::Variable(variable.clone()), None);
            }
        }
    }

    /// The values of the command line.
    pub(super) fn add_flags(&mut self, flags: &[Flag]) {
        for flag in flags {
            let origin = Origin::Flag(flag.name.to_owned());
            self.add(flag.key, &flag.value, &origin, None);
        }
    }

    fn add(&mut self, name: &str, text: &str, origin: &Origin, folder: Option<&Path>) {
        if let Some(key) = key::find(name) {
            let setting = Setting {
                text: text.to_owned(),
                origin: origin.clone(),
            };
            self.settings.insert(key.name, setting);
            return;
        }
        let secret = name
            .strip_suffix("_file")
            .and_then(key::find)
            .filter(|key| key.secret);
        if let Some(key) = secret {
            match secret_file(name, text, origin, folder) {
                Ok(setting) => {
                    self.settings.insert(key.name, setting);
                }
                Err(problem) => self.problems.push(problem),
            }
            return;
        }
        let (shown, meant) = match origin {
            Origin::Variable(variable) => (variable.clone(), key::nearest(name).map(key::variable)),
            _ => (name.to_owned(), key::nearest(name).map(str::to_owned)),
        };
        self.problems.push(Problem {
            what: match origin {
                Origin::Variable(_) => format!("unknown key {shown} in the environment"),
                _ => format!("unknown key {shown} in {origin}"),
            },
            why: meant.map_or_else(
                || "no key has a name like that; docs/configuration.md lists all".to_owned(),
                |meant| format!("did you mean {meant}?"),
            ),
        });
    }

    /// The problems so far.
    pub(super) fn finish(self, mut more: Vec<Problem>) -> Result<Self, ConfigError> {
        let mut problems = self.problems.clone();
        problems.append(&mut more);
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// The secret that a `_file` key names. A relative path in a configuration file is meant from there.
pub(super) fn secret_file(
    name: &str,
    text: &str,
    origin: &Origin,
    folder: Option<&Path>,
) -> Result<Setting, Problem> {
    let path = folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text));
    match std::fs::read_to_string(&path) {
        Ok(content) => Ok(Setting {
            text: content.trim_end_matches(['\r', '\n']).to_owned(),
            origin: Origin::SecretFile(path, Box::new(origin.clone())),
        }),
        Err(error) => Err(Problem {
            what: format!("{name}: {} cannot be read ({origin})", path.display()),
            why: error.to_string(),
        }),
    }
}
