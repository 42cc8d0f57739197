//! The admin token: from the environment, or from a file that is made at the first start.
//!
//! The file can be read by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use rand::Rng;

use super::Config;
use crate::secret::Secret;

/// Why there is no admin token.
#[derive(Debug, thiserror::Error)]
pub enum AdminTokenError {
    /// The file could not be read.
    #[error("could not read the admin token in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be made.
    #[error("could not keep a new admin token in `{}`", path.display())]
    Keep {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("`{}` holds no token: remove it, and the next start makes another", path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
    },
}

impl Config {
    /// Where the admin token is kept when the environment has none.
    pub fn admin_token_file(&self) -> PathBuf {
        self.data_dir.join("admin.token")
    }

    /// The admin token, if there is one.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or holds no token.
    pub fn admin_token(&self) -> Result<Option<Secret>, AdminTokenError> {
        if let Some(token) = &self.http.admin_token {
            return Ok(Some(token.clone()));
        }
        let path = self.admin_token_file();
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(4096).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(AdminTokenError::Read { path, source }),
        }
        let text = text.trim();
        if text.len() < 16 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AdminTokenError::NoToken { path });
        }
        Ok(Some(Secret::new(text)))
    }

    /// The admin token; one is made and kept if there is none.
    ///
    /// # Errors
    /// As [`Config::admin_token`], and when the file cannot be made.
    pub fn admin_token_or_new(&self) -> Result<Secret, AdminTokenError> {
        if let Some(token) = self.admin_token()? {
            return Ok(token);
        }
        let path = self.admin_token_file();
        let mut bytes = [0_u8; 24];
        rand::rng().fill_bytes(&mut bytes);
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let keep = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.data_dir)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&path)?;
            writeln!(file, "{token}")?;
            file.sync_all()
        };
        keep().map_err(|source| AdminTokenError::Keep { path, source })?;
        Ok(Secret::new(token))
    }
}
