//! The operator's own device profiles: a folder of TOML files beside those that come with the program.

use std::path::Path;
use std::sync::Arc;

use super::{Config, ConfigError, Problem};
use crate::device::profile::Catalogue;

impl Config {
    /// All device profiles: the built-in ones, and over them those of the folder `devices.profiles`. The error names every file that is
    /// wrong, with key and reason.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>, ConfigError> {
        let built_in = Catalogue::embedded();
        let Some(folder) = &self.profiles else {
            return Ok(built_in);
        };
        let files = read(folder).map_err(|error| ConfigError {
            problems: vec![Problem {
                what: format!(
                    "devices.profiles = {} ({})",
                    folder.display(),
                    self.setting("devices.profiles").origin
                ),
                why: error,
            }],
        })?;
        let texts = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        built_in.with(texts).map(Arc::new).map_err(|faults| {
            let problems = faults
                .into_iter()
                .map(|fault| Problem {
                    what: format!("{}: {}", folder.join(&fault.file).display(), fault.place),
                    why: fault.why,
                })
                .collect();
            ConfigError { problems }
        })
    }
}

/// Names and texts of a folder's TOML files, in the order of their names.
fn read(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("no such folder: {error}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| name.ends_with(".toml")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{name} cannot be read: {error}"))?;
        files.push((name.to_owned(), text));
    }
    files.sort();
    Ok(files)
}
