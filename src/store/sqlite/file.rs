//! Whether the file at the store's path is still the one that was opened.
//!
//! SQLite does not notice when somebody deletes, moves or replaces its file: it goes on writing
//! into what has no name any more, and everything answered since is gone with the process.

use std::io;
use std::path::{Path, PathBuf};

/// A file that is open under a path.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode; nothing where systems keep open files in their places.
type Identity = Option<(u64, u64)>;

impl OpenFile {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        // The working directory may change, and the path must not.
        let path = path.canonicalize()?;
        Ok(Self { identity: identity(&path)?, path })
    }

    /// Costs one system call.
    pub(super) fn check(&self) -> io::Result<()> {
        match identity(&self.path) {
            Ok(found) if found == self.identity => Ok(()),
            _ => Err(io::Error::other(format!(
                "{} was deleted, moved or replaced while it was in use; put it back, or restart the server \
                 to begin with what is there now",
                self.path.display()
            ))),
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| None)
}
