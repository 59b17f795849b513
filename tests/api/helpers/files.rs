//! Secrets that are handed in as files.

use tempfile::TempDir;

/// A folder with one file a secret.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, secret: &str) {
        std::fs::write(self.0.path().join(name), secret).unwrap();
    }

    /// What the setting `NAME_FILE` is.
    pub(crate) fn setting(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}
