//! How the text of a setting becomes a value, with errors that say what to write instead.

use std::{collections::BTreeMap, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use phonenumber::country;

/// A setting that keeps the process from starting; its text says which, and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    /// An error of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A setting that must be there and is not, by its field's name.
    #[must_use]
    pub fn missing(field: &str) -> Self {
        Self(format!("{} is not set: set it", field.to_uppercase()))
    }
}

/// Networks, comma separated; a single address is a network of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether none of them reaches beyond this machine and private networks.
    #[must_use]
    pub fn are_private(&self) -> bool {
        self.0.iter().all(|network| is_private(network.network()) && is_private(network.broadcast()))
    }

    /// Whether none of them reaches beyond this machine.
    #[must_use]
    pub fn are_loopback(&self) -> bool {
        self.0.iter().all(|network| network.network().is_loopback() && network.broadcast().is_loopback())
    }

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

/// Whether it is this machine's or a private network's. (RFC 1918, RFC 4193, RFC 3927 and loopback.)
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
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

/// Words, comma separated, each of them once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl FromStr for Names {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names: Vec<String> = Vec::new();
        for name in items(text) {
            if !names.iter().any(|before| before == name) {
                names.push(name.to_owned());
            }
        }
        Ok(Self(names))
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
        let mut pairs = BTreeMap::new();
        for item in items(text) {
            let (from, to) = pair(item)?;
            if pairs.insert(from.clone(), to).is_some() {
                return Err(ConfigError::new(format!("`{from}` stands there twice: put both in one")));
            }
        }
        Ok(Self(pairs))
    }
}

/// A country or a territory with telephone numbers of its own, by its two letters of ISO 3166.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(pub country::Id);

impl FromStr for Region {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.trim().to_ascii_uppercase().parse().map(Self);
        id.map_err(|_| {
            ConfigError::new(format!("`{text}` is no region: write IN, US or another of ISO 3166"))
        })
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_there_twice_counts_once() {
        let names: Names = "b, a,b,,a ,c".parse().unwrap_or_default();
        assert_eq!(names.0, ["b", "a", "c"]);
    }
}
