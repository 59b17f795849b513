//! How the text of a setting becomes a value, with errors that say what to write instead.

use std::{collections::BTreeMap, env, fs, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use secrecy::SecretString;

/// A setting that keeps the process from starting; its text says which, and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    /// An error of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Networks, comma separated; a single address is a network of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether one of the networks holds the address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        items(text).map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, ConfigError> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        ConfigError::new(format!(
            "`{text}` is no network: write 203.0.113.0/24, 203.0.113.7 or 2001:db8::/32"
        ))
    })
}

/// Which addresses may deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// Every address: the word `any`.
    Any,
    /// Those in these networks; the word `loopback` stands for this machine's own.
    Only(Networks),
}

impl FromStr for AllowedAddresses {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "any" => Ok(Self::Any),
            "loopback" => "127.0.0.0/8,::1".parse().map(Self::Only),
            "" => Err(ConfigError::new("it is empty: list the networks that may deliver, or say `any`")),
            list => list.parse().map(Self::Only),
        }
    }
}

/// Words, comma separated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl FromStr for Names {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(items(text).map(str::to_owned).collect()))
    }
}

/// A map, written `from=to,from=to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub BTreeMap<String, String>);

impl FromStr for Pairs {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = |item: &str| match item.split_once('=') {
            Some((from, to)) if !from.trim().is_empty() && !to.trim().is_empty() => {
                Ok((from.trim().to_owned(), to.trim().to_owned()))
            }
            _ => Err(ConfigError::new(format!("`{item}` is no pair: write from=to,from=to"))),
        };
        items(text).map(pair).collect::<Result<_, _>>().map(Self)
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The secret in the variable `name`, or in the file that `{name}_FILE` names (as Docker's and systemd's secrets are handed in).
///
/// # Errors
///
/// It is set but empty, set twice, or in a file that can't be read.
pub fn secret(name: &str) -> Result<Option<SecretString>, ConfigError> {
    let file_name = format!("{name}_FILE");
    let (source, text) = match (env::var_os(name), env::var_os(&file_name)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(format!("{name} and {file_name} are both set: keep one of them")));
        }
        (Some(text), None) => {
            let text = text.into_string().map_err(|_| ConfigError::new(format!("{name} is not UTF-8")))?;
            (name, text)
        }
        (None, Some(path)) => {
            let text = fs::read_to_string(&path).map_err(|error| {
                ConfigError::new(format!(
                    "{file_name} names {}, which can't be read: {error}",
                    path.display()
                ))
            })?;
            (file_name.as_str(), text)
        }
    };
    match text.trim() {
        "" => Err(ConfigError::new(format!("{source} is empty: give it a value, or don't set it at all"))),
        text => Ok(Some(text.into())),
    }
}
