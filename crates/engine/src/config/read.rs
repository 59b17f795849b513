//! Reads the settings of this process: from its command line, its environment, and the files of secrets.

use std::{env, ffi::OsString, path::PathBuf};

use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use super::{
    declared::{Declared, Values, is_secret, variable},
    own::Config,
    secrets::{file_of, secret},
    values::ConfigError,
};

/// What is said of a setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its variable.
    pub name: String,
    /// What it is where nobody sets it; empty where there is nothing.
    pub default: String,
    /// Its field's text.
    pub meaning: String,
    /// What it belongs to.
    pub heading: String,
    /// Whether it is a secret.
    pub secret: bool,
    /// Whether it is the fork's own.
    pub of_the_fork: bool,
}

/// Where the settings of this process come from. What they say can be read again, since files of secrets change.
#[derive(Clone)]
pub struct Source {
    declared: Declared,
    /// The command line without settings.
    command: Command,
    /// The commands of it that have settings.
    with_settings: &'static [&'static str],
    arguments: Vec<OsString>,
    /// In place of defaults, the secrets among them.
    values: Values,
}

impl Source {
    /// The settings of the process that has this command line, without secrets; `defaults` are those that the fork has for the
    /// engine's settings.
    #[must_use]
    pub fn new(
        declared: Declared,
        command: Command,
        with_settings: &'static [&'static str],
        arguments: Vec<OsString>,
        defaults: Values,
    ) -> Self {
        Self { declared, command, with_settings, arguments, values: defaults }
    }

    /// The same with the secrets of the environment.
    ///
    /// # Errors
    ///
    /// A secret is set but empty, set twice, or in a file that can't be read.
    pub fn with_secrets(mut self) -> Result<Self, ConfigError> {
        for name in self.declared.secrets() {
            if let Some(secret) = secret(&name)? {
                self.set(&name, secret);
            }
        }
        Ok(self)
    }

    /// Says what a setting is where nobody has set it; a secret, what it is.
    pub fn set(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    /// What is said of every setting, in the order in which they are declared.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let said = |(argument, of_the_fork): (Arg, bool)| {
            let name = variable(&argument)?.to_owned();
            let default =
                argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
            let text = argument.get_long_help().or(argument.get_help()).map(ToString::to_string);
            let value = self.values.get(&name).filter(|_| !is_secret(&argument)).cloned();
            Some(Setting {
                default: value.or(default).unwrap_or_default(),
                meaning: text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
                heading: argument.get_help_heading().unwrap_or("Process").to_owned(),
                secret: is_secret(&argument),
                of_the_fork,
                name,
            })
        };
        self.declared.arguments().into_iter().filter_map(said).collect()
    }

    /// Whether somebody has set it: on the command line, in the environment, or as a file.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        let is_the_flag = |argument: &OsString| {
            let argument = argument.to_string_lossy();
            argument == flag.as_str() || argument.starts_with(&format!("{flag}="))
        };
        env::var_os(name).is_some() || file_of(name).is_some() || self.arguments.iter().any(is_the_flag)
    }

    /// The settings that the program has.
    #[must_use]
    pub fn declared(&self) -> Declared {
        self.declared
    }

    /// The command line, parsed.
    ///
    /// # Errors
    ///
    /// It is none of this program's, or asks for help.
    pub fn matches(&self) -> Result<ArgMatches, clap::Error> {
        self.parse(&self.values)
    }

    fn parse(&self, values: &Values) -> Result<ArgMatches, clap::Error> {
        let add = |command: Command, name: &&'static str| {
            command.mut_subcommand(*name, |command| self.declared.add_to(command, values))
        };
        let command = self.declared.add_to(self.command.clone(), values);
        self.with_settings.iter().fold(command, add).try_get_matches_from(&self.arguments)
    }

    /// The settings.
    ///
    /// # Errors
    ///
    /// One that was found elsewhere than on the command line or in the environment is no value of its type.
    pub fn config(&self) -> Result<Config, ConfigError> {
        self.read(&self.values)
    }

    /// The settings without any secret, as every process may know them.
    ///
    /// # Errors
    ///
    /// Those of [`config`](Self::config).
    pub fn without_secrets(&self) -> Result<Config, ConfigError> {
        let mut values = self.values.clone();
        for name in self.declared.secrets() {
            values.remove(&name);
        }
        self.read(&values)
    }

    fn read(&self, values: &Values) -> Result<Config, ConfigError> {
        let config = self
            .parse(values)
            .and_then(|matches| self.declared.read(settings_in(&matches, self.with_settings)));
        config.map_err(|error| ConfigError::new(error.to_string()))
    }

    /// The secrets that were handed in as files, by their variables' names.
    #[must_use]
    pub fn secrets_in_files(&self) -> Vec<String> {
        self.declared.secrets().into_iter().filter(|name| file_of(name).is_some()).collect()
    }

    /// The file that the secret of this name was handed in as.
    #[must_use]
    pub fn file_of(&self, name: &str) -> Option<PathBuf> {
        file_of(name)
    }

    /// The same with what the secret of this name is now; nothing where it is what it was.
    ///
    /// # Errors
    ///
    /// Its file is empty or can't be read.
    pub fn read_again(&self, name: &str) -> Result<Option<Self>, ConfigError> {
        let now = secret(name)?.filter(|now| self.values.get(name) != Some(now));
        Ok(now.map(|now| {
            let mut changed = self.clone();
            changed.set(name, now);
            changed
        }))
    }
}

/// Those of the matches that settings are among.
#[must_use]
pub fn settings_in<'a>(matches: &'a ArgMatches, subcommands: &[&str]) -> &'a ArgMatches {
    matches
        .subcommand()
        .filter(|(name, _)| subcommands.contains(name))
        .map_or(matches, |(_, matches)| matches)
}

/// Refuses a secret on the command line, which shows in the process list.
///
/// # Errors
///
/// It names the secret.
pub fn refuse_secrets_as_flags(declared: Declared, matches: &ArgMatches) -> Result<(), ConfigError> {
    for (argument, _) in declared.arguments().iter().filter(|(argument, _)| is_secret(argument)) {
        if matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine) {
            let name = variable(argument).unwrap_or_default();
            return Err(ConfigError::new(format!(
                "{name} is a secret and has no flag, since a command line shows in the process list: set the variable, or \
                 {name}_FILE"
            )));
        }
    }
    Ok(())
}
