//! Every setting: its variable, its default, its meaning.
//!
//! A setting is declared once, as a field with its text. It is an environment variable, and a flag of the same name for
//! trying it out. One of type [`Secret`] comes from the environment or from a file named by `NAME_FILE` alone: a flag would
//! show in the process list. A file `.env` in the working directory is part of the environment ([`dotenv`]).

mod alerts;
mod checks;
pub mod declared;
pub mod dotenv;
mod fork;
mod own;
mod ranges;
pub mod read;
mod secrets;
mod values;

pub use alerts::AlertConfig;
pub use declared::{Declared, Values};
pub use fork::Fork;
pub use humantime::parse_duration;
pub use own::{Config, JobsConfig, LogFormat, SignaturePolicy, WebhookConfig};
pub use read::Source;
pub use secrecy::SecretString as Secret;
pub use secrets::new_secret;
pub use values::{AllowedAddresses, ConfigError, Names, Networks, Pairs, Region, is_private};
