//! The data directory: where one server keeps its files, and the master key if
//! it is not given otherwise.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use countersign_domain::model::{MasterKey, MasterKeyError};
use countersign_domain::ports::Random;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::combinations::KEYS_WITHOUT_MASTER_KEY;

/// A data directory.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Held for as long as this value lives.
    lock: Option<File>,
}

/// Why a data directory, or the master key in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another server serves from the directory.
    #[error(
        "another countersign serves from the data directory {}; stop it, or give this one a \
         directory of its own with --data-dir",
        .0.display()
    )]
    InUse(PathBuf),
    /// The operating system refuses something.
    #[error("cannot {action} {}: {source}", path.display())]
    Refused {
        /// What was to be done.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others may read the master key.
    #[error(
        "the master key file {path} can be read by others than its owner; run: chmod 600 {path}",
        path = .0.display()
    )]
    Exposed(PathBuf),
    /// The file holds no master key.
    #[error("the master key file {} is damaged: it {source}; put back the right one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it must hold.
        source: MasterKeyError,
    },
    /// The configured master key is none.
    #[error("keys.master_key {0}")]
    Configured(#[from] MasterKeyError),
    /// The database has signing keys, which only its own master key opens.
    #[error(
        "{KEYS_WITHOUT_MASTER_KEY}; bring the master key of this database as the file {} or in \
         COUNTERSIGN__KEYS__MASTER_KEY (or COUNTERSIGN__KEYS__MASTER_KEY_FILE)",
        .0.display()
    )]
    Missing(PathBuf),
}

impl DataDir {
    /// Opens the directory for a server, which has it for itself until this
    /// value is dropped. Creates it if it is not there.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] if another server has it; or what the operating
    /// system refuses.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let mut data_dir = Self::create(path)?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(refused("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => data_dir.lock = Some(lock),
            Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse(path.into())),
            Err(TryLockError::Error(source)) => return Err(refused("lock", &lock_path)(source)),
        }
        Ok(data_dir)
    }

    /// Creates the directory if it is not there, for a command that may work
    /// beside a server.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(refused("create the data directory", path))?;
        Ok(Self::beside(path))
    }

    /// The directory as it is, for a command that may work beside a server.
    #[must_use]
    pub fn beside(path: &Path) -> Self {
        Self {
            path: path.into(),
            lock: None,
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The master key: the configured one, or else the one in the file
    /// `master.key`. A server makes that file if it is missing, unless the
    /// database has signing keys, which a new master key could not open.
    ///
    /// # Errors
    /// If there is no master key, or the file must not be used as it is.
    pub fn master_key(
        &self,
        configured: Option<&SecretString>,
        database_has_keys: bool,
        random: &dyn Random,
    ) -> Result<MasterKey, DataDirError> {
        if let Some(configured) = configured {
            return Ok(MasterKey::decode(configured.expose_secret())?);
        }
        let path = self.path.join("master.key");
        match read_key(&path)? {
            Some(key) => Ok(key),
            None if database_has_keys || self.lock.is_none() => Err(DataDirError::Missing(path)),
            None => {
                let key = MasterKey::generate(random);
                self.write_key(&path, &key)?;
                Ok(key)
            }
        }
    }

    /// Whether there is a master key, configured or in the file.
    #[must_use]
    pub fn has_master_key(&self, configured: Option<&SecretString>) -> bool {
        configured.is_some() || self.path.join("master.key").exists()
    }

    /// Writes the key such that after a crash at any moment there is either all
    /// of it or nothing.
    fn write_key(&self, path: &Path, key: &MasterKey) -> Result<(), DataDirError> {
        let draft = self.path.join("master.key.new");
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(key.encode().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            let directory = self.path.canonicalize()?;
            // The directory may be as new as the file.
            for directory in directory.ancestors().take(2) {
                File::open(directory)?.sync_all()?;
            }
            Ok(())
        })();
        written.map_err(refused("write the master key file", path))
    }
}

fn read_key(path: &Path) -> Result<Option<MasterKey>, DataDirError> {
    let text = match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            return Err(DataDirError::Exposed(path.into()));
        }
        Ok(_) => fs::read(path).map(zeroize::Zeroizing::new),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    let text = text.map_err(refused("read the master key file", path))?;
    std::str::from_utf8(&text)
        .map_err(|_| MasterKeyError)
        .and_then(MasterKey::decode)
        .map(Some)
        .map_err(|source| DataDirError::Damaged {
            path: path.into(),
            source,
        })
}

fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    move |source| DataDirError::Refused {
        action,
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use countersign_domain::testing::SeededRandom;
    use tempfile::TempDir;

    use super::*;

    fn directory() -> (TempDir, PathBuf) {
        let temporary = TempDir::new().expect("a temporary directory");
        let path = temporary.path().join("data");
        (temporary, path)
    }

    fn key_of(data_dir: &DataDir) -> Result<String, DataDirError> {
        let key = data_dir.master_key(None, false, &SeededRandom::new(1))?;
        Ok(key.encode().to_string())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o777
    }

    #[test]
    fn a_second_server_on_the_directory_is_told_so() {
        let (_temporary, path) = directory();
        let first = DataDir::open(&path).expect("the first has it");
        let error = DataDir::open(&path).expect_err("it is in use").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("--data-dir"), "{error}");
        DataDir::create(&path).expect("a command works beside the server");
        drop(first);
        DataDir::open(&path).expect("it is free again");
    }

    #[test]
    fn the_directory_and_the_key_belong_to_the_owner_alone() {
        let (_temporary, path) = directory();
        let data_dir = DataDir::open(&path).expect("a data directory");
        key_of(&data_dir).expect("a new key");
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("master.key")), 0o600);
        assert!(!path.join("master.key.new").exists());
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let (_temporary, path) = directory();
        let made = key_of(&DataDir::open(&path).expect("a data directory")).expect("a new key");
        let data_dir = DataDir::open(&path).expect("the data directory");
        let found = data_dir
            .master_key(None, true, &SeededRandom::new(2))
            .expect("the key");
        assert_eq!(*found.encode(), made);
        let beside = DataDir::beside(&path);
        assert_eq!(key_of(&beside).expect("the key"), made);
    }

    #[test]
    fn the_configured_key_wins_and_leaves_no_file() {
        let (_temporary, path) = directory();
        let data_dir = DataDir::open(&path).expect("a data directory");
        let configured = SecretString::from(
            MasterKey::generate(&SeededRandom::new(3))
                .encode()
                .to_string(),
        );
        let key = data_dir
            .master_key(Some(&configured), true, &SeededRandom::new(1))
            .expect("the configured key");
        assert_eq!(key.encode().as_str(), configured.expose_secret());
        assert!(!path.join("master.key").exists());
    }

    #[test]
    fn no_key_is_made_for_a_database_that_has_signing_keys() {
        let (_temporary, path) = directory();
        let data_dir = DataDir::open(&path).expect("a data directory");
        let error = data_dir
            .master_key(None, true, &SeededRandom::new(1))
            .expect_err("the key must be brought")
            .to_string();
        assert!(
            error.contains(&path.join("master.key").display().to_string()),
            "{error}"
        );
        assert!(
            error.contains("COUNTERSIGN__KEYS__MASTER_KEY_FILE"),
            "{error}"
        );
        assert!(!path.join("master.key").exists());
    }

    #[test]
    fn a_command_beside_the_server_makes_no_key() {
        let (_temporary, path) = directory();
        let beside = DataDir::beside(&path);
        assert!(matches!(key_of(&beside), Err(DataDirError::Missing(_))));
        assert!(!path.exists(), "nor a directory");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() {
        let (_temporary, path) = directory();
        let data_dir = DataDir::open(&path).expect("a data directory");
        key_of(&data_dir).expect("a new key");
        let file = path.join("master.key");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the mode is set");
            let error = key_of(&data_dir).expect_err("it is exposed").to_string();
            assert!(
                error.ends_with(&format!("chmod 600 {}", file.display())),
                "{error}"
            );
        }
        fs::set_permissions(&file, Permissions::from_mode(0o400)).expect("the mode is set");
        key_of(&data_dir).expect("read-only is fine");
    }

    #[test]
    fn a_damaged_key_is_named_and_kept() {
        let (_temporary, path) = directory();
        let data_dir = DataDir::open(&path).expect("a data directory");
        let key = key_of(&data_dir).expect("a new key");
        let file = path.join("master.key");
        for damaged in [&b""[..], &key.as_bytes()[..20], b"\xff\xfe", &[0; 45]] {
            fs::write(&file, damaged).expect("the file is written");
            let error = key_of(&data_dir).expect_err("it is damaged").to_string();
            assert!(error.contains(&file.display().to_string()), "{error}");
            assert!(error.contains("damaged"), "{error}");
            assert_eq!(fs::read(&file).expect("the file"), damaged);
        }
    }
}
