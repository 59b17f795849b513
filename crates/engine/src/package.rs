//! The program that this engine is a part of.

use std::sync::OnceLock;

static PACKAGE: OnceLock<Package> = OnceLock::new();

/// A program's name and version: [`package!`](macro@crate::package).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Its name: that of its commands, of its connections to Postgres, and of its folder in development.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Package {
    /// Says which program this process is. What was said first holds.
    pub(crate) fn set(self) {
        let _first = PACKAGE.get_or_init(|| self);
    }

    /// Its name for people: `acme-calls` is "Acme calls".
    #[must_use]
    pub fn title(self) -> String {
        let mut words = self.name.replace(['-', '_'], " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }

    /// One of its commands, as people type it.
    #[must_use]
    pub fn command(self, command: &str) -> String {
        format!("`{} {command}`", self.name)
    }

    /// The program that this process is; the engine, until a program has said so.
    #[must_use]
    pub fn of_this_process() -> Self {
        PACKAGE.get().copied().unwrap_or(crate::package!())
    }
}

/// The package in which it is written.
#[macro_export]
macro_rules! package {
    () => {
        $crate::package::Package { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") }
    };
}
