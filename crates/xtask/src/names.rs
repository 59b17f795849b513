//! A project's name in the forms in which files hold it.

use anyhow::{Context, ensure};

/// `acme-calls`, `acme_calls`, `ACME_CALLS`, `Acme Calls`.
pub(crate) struct Name {
    /// The package's, the binary's, the image's and the database's.
    pub(crate) kebab: String,
    /// The crate's, in Rust.
    pub(crate) snake: String,
    upper: String,
    /// For people.
    pub(crate) title: String,
}

impl Name {
    /// # Errors
    ///
    /// It is no name of a package.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = name.split('-').collect();
        let good = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        ensure!(
            begins && words.iter().all(good) && name.len() <= 40,
            "`{name}` can't name a package: take lower-case letters and digits, a letter first, words joined by hyphens"
        );
        let title = |word: &&str| word[..1].to_uppercase() + &word[1..];
        Ok(Self {
            kebab: name.to_owned(),
            snake: words.join("_"),
            upper: words.join("_").to_uppercase(),
            title: words.iter().map(title).collect::<Vec<_>>().join(" "),
        })
    }

    /// The name in a `Cargo.toml`.
    ///
    /// # Errors
    ///
    /// There is no package in it.
    pub(crate) fn of_package(manifest: &str) -> anyhow::Result<Self> {
        let (_, package) = manifest.split_once("[package]").context("Cargo.toml has no [package]")?;
        let name = package.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        Self::new(name.context("the package in Cargo.toml has no name")?)
    }

    /// The text with this name in place of the old one.
    pub(crate) fn replace(&self, old: &Self, text: &str) -> String {
        let text = text.replace(&old.upper, &self.upper).replace(&old.title, &self.title);
        let text = if old.kebab == old.snake {
            // One word alone doesn't tell whether a package or an identifier is meant; what stands around it does.
            let identifier = |text: String, end: &str| {
                text.replace(&format!("{}{end}", old.snake), &format!("{}{end}", self.snake))
            };
            identifier(identifier(text, "::"), "_")
        } else {
            text.replace(&old.snake, &self.snake)
        };
        text.replace(&old.kebab, &self.kebab)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_that_no_package_can_have_is_refused() {
        for name in
            ["", "Acme", "acme calls", "acme_calls", "acme--calls", "-acme", "acme-", "7acme", "café", "../a"]
        {
            assert!(Name::new(name).is_err(), "{name}");
        }
        Name::new("acme-calls").unwrap();
        Name::new("calls4u").unwrap();
    }

    #[test]
    fn each_form_of_the_name_becomes_the_same_form_of_the_other() {
        let (one, two) = (Name::new("ringdown").unwrap(), Name::new("acme-calls").unwrap());
        for (old, new) in [
            ("use ringdown::{app, db};", "use acme_calls::{app, db};"),
            ("env!(\"CARGO_BIN_EXE_ringdown\")", "env!(\"CARGO_BIN_EXE_acme-calls\")"),
            ("ringdown_jobs_total", "acme_calls_jobs_total"),
            ("RINGDOWN_BINARY", "ACME_CALLS_BINARY"),
            ("# Ringdown", "# Acme Calls"),
            ("/var/lib/ringdown", "/var/lib/acme-calls"),
            ("create role \"ringdown\"", "create role \"acme-calls\""),
        ] {
            assert_eq!(two.replace(&one, old), new);
            assert_eq!(one.replace(&two, new), old, "and back");
        }
    }

    #[test]
    fn the_packages_name_is_read_and_not_another_one() {
        let manifest =
            "[workspace.package]\nname = \"x\"\n\n[package]\nversion = \"1\"\nname = \"ringdown\"\n";
        assert_eq!(Name::of_package(manifest).unwrap().kebab, "ringdown");
    }
}
