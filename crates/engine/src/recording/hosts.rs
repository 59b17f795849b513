//! The hosts that recordings may be fetched from, and what a link to one looks like.

use std::{net::IpAddr, str::FromStr};

use reqwest::Url;

use super::{missing::Missing, public::is_public};
use crate::config::ConfigError;

/// Hosts, comma separated: `recordings.example.com`, `*.example.com` for all names below it, and either with a port other than
/// 443, `recordings.example.com:8443`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Host>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    /// Whether it stands for the names below it, and not for itself.
    below: bool,
    name: String,
    port: u16,
}

const HTTPS: u16 = 443;

impl Hosts {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses a link by what it says; where its host's name leads to is the resolver's to look at.
    pub(super) fn check(&self, url: &Url) -> Result<(), Missing> {
        let refused = |cause| Err(Missing::Refused(cause));
        let address = address(url);
        // The parser has made one of every notation: decimal, octal, hex, short, with a dot at its end.
        let in_development = self.is_stand_in(url, address);
        if url.scheme() != "https" && !in_development {
            return refused("its link is not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("its link holds a user or a password");
        }
        if address.is_some_and(|address| !is_public(address)) && !in_development {
            return refused("its link leads to an address that is not public");
        }
        if !self.list(url) {
            return refused("its host, or its port there, is not in RECORDING_HOSTS");
        }
        Ok(())
    }

    fn list(&self, url: &Url) -> bool {
        let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        self.0.iter().any(|host| host.port == port && host.is(name))
    }

    /// Whether the link's host is listed by its whole name.
    pub(super) fn name(&self, url: &Url) -> bool {
        let (name, port) = (url.host_str(), url.port_or_known_default());
        self.0.iter().any(|host| !host.below && Some(host.name.as_str()) == name && Some(host.port) == port)
    }

    /// In development alone: this machine's own address, listed with its port, without TLS. No production build has it.
    fn is_stand_in(&self, url: &Url, address: Option<IpAddr>) -> bool {
        cfg!(feature = "dev")
            && url.scheme() == "http"
            && address.is_some_and(|address| address.is_loopback())
            && self.list(url)
    }
}

impl Host {
    fn is(&self, name: &str) -> bool {
        if self.below {
            name.strip_suffix(&self.name).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        } else {
            name == self.name
        }
    }
}

/// The address that the URL names in place of a host.
fn address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl FromStr for Hosts {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Host {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_host = || {
            ConfigError::new(format!(
                "`{text}` is no host: write recordings.example.com, *.example.com, or one of them with a port, :8443"
            ))
        };
        let (below, host) = text.strip_prefix("*.").map_or((false, text), |host| (true, host));
        let url = Url::parse(&format!("https://{host}")).map_err(|_| no_host())?;
        let name = url.host_str().unwrap_or_default().to_owned();
        let port = url.port().unwrap_or(HTTPS);
        let written = host.to_ascii_lowercase();
        let plain = written == name || written == format!("{name}:{port}");
        // All names below `com` are half the world's.
        if !plain || name.contains('*') || below && (!name.contains('.') || address(&url).is_some()) {
            return Err(no_host());
        }
        Ok(Self { below, name, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &str, link: &str) -> Result<(), String> {
        let hosts: Hosts = hosts.parse().expect("they are hosts");
        hosts.check(&link.parse().expect("it is a URL")).map_err(|missing| missing.to_string())
    }

    #[test]
    fn a_listed_host_is_admitted_by_its_name_and_port() {
        for (hosts, link) in [
            ("r.example.com", "https://r.example.com/1.mp3"),
            ("R.example.com", "https://R.EXAMPLE.com:443/1.mp3"),
            ("a.example.com, r.example.com:8443", "https://r.example.com:8443/1.mp3"),
            ("*.example.com", "https://r.example.com/1.mp3"),
            ("*.example.com", "https://a.b.example.com/1.mp3"),
            ("*.example.com:8443", "https://r.example.com:8443/1.mp3"),
            ("8.8.8.8", "https://8.8.8.8/1.mp3"),
        ] {
            assert_eq!(check(hosts, link), Ok(()), "{hosts} {link}");
        }
    }

    #[test]
    fn a_host_below_a_listed_name_is_not_named_itself() {
        let hosts: Hosts = "*.example.com,r.example.com,r.example.com:8443".parse().expect("they are hosts");
        for (link, named) in [
            ("https://r.example.com/1.mp3", true),
            ("https://r.example.com:8443/1.mp3", true),
            ("https://x.example.com/1.mp3", false),
            ("https://r.example.com:8444/1.mp3", false),
        ] {
            assert_eq!(hosts.name(&link.parse().expect("it is a URL")), named, "{link}");
        }
    }

    #[test]
    fn every_other_host_is_refused() {
        for (hosts, link) in [
            ("r.example.com", "https://example.com/"),
            ("r.example.com", "https://r.example.com./"),
            ("r.example.com", "https://r.example.com.evil.example/"),
            ("r.example.com", "https://xr.example.com/"),
            ("r.example.com", "https://r.example.com:8443/"),
            ("r.example.com:8443", "https://r.example.com/"),
            ("*.example.com", "https://example.com/"),
            ("*.example.com", "https://evilexample.com/"),
            ("*.example.com", "https://.example.com/"),
            ("", "https://r.example.com/"),
        ] {
            let refused = check(hosts, link).expect_err(link);
            assert!(refused.contains("RECORDING_HOSTS"), "{hosts} {link} {refused}");
        }
    }

    #[test]
    fn an_address_in_whatever_notation_a_user_and_another_scheme_are_refused_though_they_are_listed() {
        let listed = "127.0.0.1,[::1],169.254.169.254,10.0.0.1,[::ffff:a00:1],r.example.com,0.0.0.0";
        for (link, cause) in [
            ("http://r.example.com/", "https"),
            ("file:///etc/passwd", "https"),
            ("ftp://r.example.com/", "https"),
            ("gopher://127.0.0.1/", "https"),
            ("https://user@r.example.com/", "user"),
            ("https://user:word@r.example.com/", "user"),
            ("https://:word@r.example.com/", "user"),
            ("https://127.0.0.1/", "public"),
            ("https://127.0.0.1./", "public"),
            ("https://127.1/", "public"),
            ("https://2130706433/", "public"),
            ("https://0177.0.0.1/", "public"),
            ("https://0x7f.0.0.1/", "public"),
            ("https://0x7f000001/", "public"),
            ("https://0/", "public"),
            ("https://[::1]/", "public"),
            ("https://[::ffff:10.0.0.1]/", "public"),
            ("https://[::ffff:a00:1]/", "public"),
            ("https://[64:ff9b::7f00:1]/", "public"),
            ("https://169.254.169.254/latest/meta-data/", "public"),
            ("https://10.0.0.1:8443/", "public"),
            ("http://10.0.0.1/", "https"),
        ] {
            let refused = check(listed, link).expect_err(link);
            assert!(refused.contains(cause), "{link} {refused}");
        }
    }

    #[test]
    fn in_development_alone_this_machine_may_play_a_host_that_is_listed_with_its_port() {
        let refused = check("127.0.0.1:8090", "http://127.0.0.1:8090/1.mp3");
        assert_eq!(refused.is_ok(), cfg!(feature = "dev"));
        for link in [
            "http://127.0.0.1:8091/",
            "http://127.0.0.1/",
            "https://127.0.0.1:8090/",
            "http://localhost:8090/",
            "http://[::1]:8090/",
            "http://user@127.0.0.1:8090/",
        ] {
            check("127.0.0.1:8090,localhost:8090", link).expect_err(link);
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_what_to_write() {
        for text in [
            "*",
            "*.com",
            "https://r.example.com",
            "r.example.com/path",
            "a b",
            "u@r.example.com",
            "*.8.8.8.8",
            "r.*.com",
        ] {
            let refused = text.parse::<Hosts>().expect_err(text);
            assert!(refused.0.contains("recordings.example.com"), "{text} {refused}");
        }
    }
}
