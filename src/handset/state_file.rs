//! The phone's memory as a JSON file. The only part of the phone, beside HTTP, that does IO.
//!
//! Invariant: the file is replaced in one step (temporary file in the same folder, synced, renamed), so that a killed
//! process leaves the old or the new memory, never half of one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::memory::Memory;

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no phone memory.
    #[error("{path} is no phone memory: {source}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
}

/// Where a phone's memory is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// A file that need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the memory; `None` if there is no file.
    pub fn load(&self) -> Result<Option<Memory>, StateFileError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| StateFileError::Malformed {
                path: self.path.clone(),
                source,
            })
    }

    /// Writes the memory.
    pub fn save(&self, memory: &Memory) -> Result<(), StateFileError> {
        let text =
            serde_json::to_vec_pretty(memory).map_err(|source| StateFileError::Malformed {
                path: self.path.clone(),
                source,
            })?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let temporary = self.path.with_file_name(name);
        let written = File::create(&temporary)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, &self.path));
        written.map_err(|error| {
            // The half-written file is of no use; the error that matters is the first one.
            let _ = fs::remove_file(&temporary);
            self.io(error)
        })
    }

    fn io(&self, source: io::Error) -> StateFileError {
        StateFileError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = StateFile::new(folder.path().join("phone.json"));
        assert!(file.load().expect("no file is no error").is_none());
        let mut memory = Memory::new("IMEI:1");
        file.save(&memory).expect("writable");
        memory
            .datastore_mut("notes")
            .add("text/plain", b"milk", false);
        file.save(&memory).expect("writable");
        assert_eq!(file.load().expect("readable"), Some(memory));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_that_is_no_memory_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("phone.json");
        fs::write(&path, "[1, 2").expect("writable");
        let error = StateFile::new(&path).load().expect_err("no memory");
        assert!(matches!(error, StateFileError::Malformed { .. }), "{error}");
        let error = StateFile::new(folder.path().join("missing/phone.json"))
            .save(&Memory::default())
            .expect_err("no such folder");
        assert!(matches!(error, StateFileError::Io { .. }), "{error}");
    }
}
