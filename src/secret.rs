//! Secrets at rest: the key file, and sealing with it.
//!
//! SyncML's MD5 authentication needs passwords in the clear, so they cannot be hashed. They are sealed with
//! XChaCha20-Poly1305 under a 32-octet key that lives in a file beside the database, so that a copy of the database
//! alone tells no password. A sealed secret is a 24-octet random nonce and the ciphertext with its tag; the account's
//! id is associated data, so that a secret moved to another account does not open.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::sync::AccountId;

const KEY_OCTETS: usize = 32;
const NONCE_OCTETS: usize = 24;

/// Why a secret or the key to it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key file cannot be read or made.
    #[error("the key file {} cannot be used: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Everyone on the machine can read the key.
    #[error("the key file {} is open to every user; run chmod 600 on it", .0.display())]
    Exposed(PathBuf),
    /// The file is not a key.
    #[error("the key file {} does not hold a key of 32 octets", .0.display())]
    Malformed(PathBuf),
    /// The key that the secrets of this database were sealed with is gone.
    #[error("the key file {} is missing, and the database holds passwords that only it opens", .0.display())]
    Missing(PathBuf),
    /// Another key sealed it, for another account, or it was damaged.
    #[error("a stored password does not open with this key file; it belongs to another database")]
    WrongKey,
    /// The system gives no random octets.
    #[error("the system has no random numbers: {0}")]
    Random(String),
}

/// The key that seals secrets.
#[derive(Clone)]
pub struct KeyFile {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFile(…)")
    }
}

impl KeyFile {
    /// Reads the key of an existing file.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let file_error = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => SecretError::Missing(path.into()),
            _ => SecretError::File {
                path: path.into(),
                source,
            },
        };
        let file = File::open(path).map_err(file_error)?;
        refuse_exposed(path, &file)?;
        let mut key = Vec::with_capacity(KEY_OCTETS + 1);
        file.take(KEY_OCTETS as u64 + 1)
            .read_to_end(&mut key)
            .map_err(file_error)?;
        let key: [u8; KEY_OCTETS] = key
            .try_into()
            .map_err(|_| SecretError::Malformed(path.into()))?;
        Ok(Self::from_octets(&key))
    }

    /// Reads the key, or makes the file with mode 0600 if there is none. Safe with several processes starting at once.
    pub fn read_or_make(path: &Path) -> Result<Self, SecretError> {
        match Self::read(path) {
            Err(SecretError::Missing(_)) => {}
            result => return result,
        }
        make(path).map_err(|error| match error {
            MakeError::File(source) => SecretError::File {
                path: path.into(),
                source,
            },
            MakeError::Random(text) => SecretError::Random(text),
        })?;
        Self::read(path)
    }

    /// A key that is kept nowhere, for databases that are kept nowhere.
    pub fn ephemeral() -> Result<Self, SecretError> {
        let mut key = [0; KEY_OCTETS];
        fill(&mut key).map_err(SecretError::Random)?;
        Ok(Self::from_octets(&key))
    }

    fn from_octets(key: &[u8; KEY_OCTETS]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.into()),
        }
    }

    /// Seals a secret of an account.
    pub fn seal(&self, account: AccountId, clear: &[u8]) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0; NONCE_OCTETS];
        fill(&mut nonce).map_err(SecretError::Random)?;
        let payload = Payload {
            msg: clear,
            aad: &account.0.to_be_bytes(),
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SecretError::WrongKey)?;
        let mut sealed = Vec::with_capacity(NONCE_OCTETS + ciphertext.len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same account.
    pub fn open(&self, account: AccountId, sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_OCTETS>()
            .ok_or(SecretError::WrongKey)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &account.0.to_be_bytes(),
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SecretError::WrongKey)
    }
}

enum MakeError {
    File(std::io::Error),
    Random(String),
}

impl From<std::io::Error> for MakeError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes a new key to a file of its own and then gives it the name, so that no one ever reads half a key; if the
/// name is taken meanwhile, the key that is there wins.
fn make(path: &Path) -> Result<(), MakeError> {
    let mut random = [0; KEY_OCTETS + 8];
    fill(&mut random).map_err(MakeError::Random)?;
    let (key, tag) = random.split_at(KEY_OCTETS);
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(
        ".{}",
        tag.iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<String>()
    ));
    let draft = PathBuf::from(draft);
    let written = write_private(&draft, key).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // A file system without hard links: the key is written in place.
        Err(_) => match write_private(path, key) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            result => result,
        },
        Ok(()) => Ok(()),
    });
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write_private(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|source| SecretError::File {
        path: path.into(),
        source,
    })?;
    if metadata.permissions().mode() & 0o007 == 0 {
        Ok(())
    } else {
        Err(SecretError::Exposed(path.into()))
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), SecretError> {
    Ok(())
}

fn fill(octets: &mut [u8]) -> Result<(), String> {
    getrandom::fill(octets).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{KeyFile, SecretError};
    use crate::sync::AccountId;

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_account_only() {
        let key = KeyFile::ephemeral().unwrap();
        let sealed = key.seal(AccountId(7), b"OhBehave").unwrap();
        assert_eq!(key.open(AccountId(7), &sealed).unwrap(), b"OhBehave");
        assert!(!sealed.windows(8).any(|octets| octets == b"OhBehave"));
        assert_ne!(sealed, key.seal(AccountId(7), b"OhBehave").unwrap());

        let other = KeyFile::ephemeral().unwrap();
        assert!(matches!(
            other.open(AccountId(7), &sealed),
            Err(SecretError::WrongKey)
        ));
        assert!(matches!(
            key.open(AccountId(8), &sealed),
            Err(SecretError::WrongKey)
        ));
        for length in 0..sealed.len() {
            assert!(key.open(AccountId(7), &sealed[..length]).is_err());
        }
    }

    #[test]
    fn the_file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candybar.key");
        let keys: Vec<KeyFile> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| KeyFile::read_or_make(&path).unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        let sealed = keys[0].seal(AccountId(1), b"secret").unwrap();
        for key in &keys {
            assert_eq!(key.open(AccountId(1), &sealed).unwrap(), b"secret");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn wrong_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candybar.key");
        assert!(matches!(KeyFile::read(&path), Err(SecretError::Missing(_))));
        for length in [0, 31, 33] {
            std::fs::write(&path, vec![1; length]).unwrap();
            #[cfg(unix)]
            chmod(&path, 0o600);
            assert!(matches!(
                KeyFile::read_or_make(&path),
                Err(SecretError::Malformed(_))
            ));
        }
        #[cfg(unix)]
        {
            std::fs::write(&path, [1; 32]).unwrap();
            chmod(&path, 0o644);
            let error = KeyFile::read_or_make(&path).unwrap_err();
            assert!(matches!(error, SecretError::Exposed(_)), "{error}");
            chmod(&path, 0o640);
            KeyFile::read_or_make(&path).unwrap();
        }
    }

    #[cfg(unix)]
    fn chmod(path: &std::path::Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}
