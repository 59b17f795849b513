//! Every setting of a program, the engine's and its fork's: as arguments, and read.

use std::{any::TypeId, collections::BTreeMap};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use secrecy::SecretString as Secret;

use super::{fork::Fork, own::Config};

/// Values by the names of their variables, in place of defaults.
pub type Values = BTreeMap<String, String>;

/// The settings that a program knows: the engine's, and those of one further struct.
#[derive(Clone, Copy)]
pub struct Declared {
    add: fn(Command) -> Command,
    read: fn(&ArgMatches) -> Result<Fork, clap::Error>,
}

impl Declared {
    /// The engine's and those of `S`.
    #[must_use]
    pub fn with<S: Args + Send + Sync + 'static>() -> Self {
        Self { add: S::augment_args, read: |matches| Ok(Fork::of(S::from_arg_matches(matches)?)) }
    }

    /// Every setting as it was declared; `true` stands beside the fork's own.
    #[must_use]
    pub fn arguments(self) -> Vec<(Arg, bool)> {
        let of = |command: Command| command.get_arguments().cloned().collect::<Vec<_>>();
        let ours = of(Config::augment_args(Command::new("settings")));
        let fork = of((self.add)(Command::new("settings")));
        ours.into_iter().map(|arg| (arg, false)).chain(fork.into_iter().map(|arg| (arg, true))).collect()
    }

    /// The variables of all secrets.
    #[must_use]
    pub fn secrets(self) -> Vec<String> {
        let secrets = self.arguments().into_iter().filter(|(argument, _)| is_secret(argument));
        secrets.filter_map(|(argument, _)| variable(&argument).map(str::to_owned)).collect()
    }

    /// The command with all settings among its arguments. `values` are in place of defaults, and the only source of secrets:
    /// those have no flag that `--help` shows, and are not read from the environment by clap.
    #[must_use]
    pub fn add_to(self, command: Command, values: &Values) -> Command {
        let abouts = (command.get_about().cloned(), command.get_long_about().cloned());
        let own: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
        let command = (self.add)(Config::augment_args(command));
        // The settings' own text is not the command's.
        let command = match abouts {
            (Some(about), Some(long)) => command.about(about).long_about(long),
            (Some(about), None) => command.about(about.clone()).long_about(about),
            (None, _) => command,
        };
        command.mut_args(|argument| {
            if own.contains(argument.get_id()) {
                return argument;
            }
            let value = variable(&argument).and_then(|name| values.get(name)).cloned();
            let argument = if is_secret(&argument) {
                argument.env(None).hide(true)
            } else {
                argument.hide_env_values(true)
            };
            match value {
                Some(value) => argument.default_value(value),
                None => argument,
            }
        })
    }

    /// The settings of a command line that [`add_to`](Self::add_to) made.
    ///
    /// # Errors
    ///
    /// A value is none of its setting's.
    pub fn read(self, matches: &ArgMatches) -> Result<Config, clap::Error> {
        Ok(Config { fork: (self.read)(matches)?, ..Config::from_arg_matches(matches)? })
    }
}

/// Whether the setting is a secret, which its type says.
#[must_use]
pub fn is_secret(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == TypeId::of::<Secret>()
}

/// The setting's variable.
#[must_use]
pub fn variable(argument: &Arg) -> Option<&str> {
    argument.get_env().and_then(|name| name.to_str())
}
