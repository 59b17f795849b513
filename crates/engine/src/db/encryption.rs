//! Whether the way to Postgres must be encrypted.
//!
//! Left alone, sqlx asks for TLS and goes on without it when it is told no. Whoever stands in the way can say no, and then ask
//! for the password in clear.

use std::{env, net::IpAddr};

use reqwest::Url;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::config::is_private;

/// Names that no public DNS holds. (RFC 6761, RFC 6762, and ICANN's reservation of `internal`.)
const PRIVATE: [&str; 3] = [".internal", ".local", ".localhost"];

/// These options, with TLS required where the host is a public one and neither the URL nor `PGSSLMODE` says otherwise.
pub(super) fn require(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    if is_public(&options) && !is_named(url) { options.ssl_mode(PgSslMode::Require) } else { options }
}

/// Whether `sslmode` is given, in one of the places and spellings that sqlx takes it from.
fn is_named(url: &str) -> bool {
    let in_url = url
        .parse::<Url>()
        .is_ok_and(|url| url.query_pairs().any(|(name, _)| ["sslmode", "ssl-mode"].contains(&name.as_ref())));
    in_url || env::var("PGSSLMODE").is_ok_and(|mode| mode.parse::<PgSslMode>().is_ok())
}

/// Whether the way there leads, or may lead, out of this machine and its private networks. A name is judged by how it looks:
/// what it resolves to is told by a DNS that whoever stands in the way can answer for.
fn is_public(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    if options.get_socket().is_some() || host.starts_with('/') {
        return false;
    }
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => !is_private(address),
        Err(_) => !is_private_name(&host.to_ascii_lowercase()),
    }
}

/// Whether it is a name of a private network: `postgres`, as docker-compose calls its services, or one of [`PRIVATE`].
fn is_private_name(name: &str) -> bool {
    // The system reads 134744072 and 0x8080808 as addresses, and a scope stands behind an IPv6 address.
    let one_label = name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(['.', ':']);
    one_label || PRIVATE.iter().any(|end| name.ends_with(end))
}

/// Whether whoever stands in the way to a public host could pass for it: nothing less than `verify-full` looks whose
/// certificate it is.
pub(super) fn can_be_impersonated(options: &PgConnectOptions) -> bool {
    is_public(options) && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

/// The error of a connection, with what to do where it can't be encrypted.
#[must_use]
pub fn explain(error: sqlx::Error) -> anyhow::Error {
    let no_tls = matches!(error, sqlx::Error::Tls(_));
    let error = anyhow::Error::from(error);
    if no_tls { error.context(TO_DO) } else { error }
}

const TO_DO: &str = "the connection to the database can't be encrypted, as a public host or its sslmode asks: turn TLS on at the server \
    (`ssl` in postgresql.conf), or, only where nobody can listen on the way, put ?sslmode=disable into DATABASE_URL";

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        format!(
            "{:?}",
            require(url.parse().unwrap_or_else(|error| panic!("{url}: {error}")), url).get_ssl_mode()
        )
    }

    #[test]
    fn a_public_host_must_encrypt_and_a_private_one_may() {
        for (url, expected) in [
            ("postgres://me:word@db.example.com/calls", "Require"),
            ("postgres://me:word@db.example.com./calls", "Require"),
            ("postgres://me:word@203.0.113.7:6432/calls", "Require"),
            ("postgres://me:word@[2001:db8::1]/calls", "Require"),
            ("postgres://me:word@172.32.0.1/calls", "Require"),
            ("postgres://me:word@[::ffff:203.0.113.7]/calls", "Require"),
            ("postgres://me:word@134744072/calls", "Require"),
            ("postgres://me:word@0x8080808/calls", "Require"),
            ("postgres://me:word@localhost.example.com/calls", "Require"),
            ("postgres://me:word@notlocal/calls?host=db.example.com", "Require"),
            ("postgres://me:word@postgres/calls?hostaddr=203.0.113.7", "Require"),
            ("postgres://me:word@postgres/calls?hostaddr=2001:db8::1", "Require"),
            ("postgres://me:word@db.example.com/calls?sslrootcert=/ca.pem", "Require"),
            ("postgres://me:word@postgres:5432/calls", "Prefer"),
            ("postgres://me:word@localhost/calls", "Prefer"),
            ("postgres://me:word@LOCALHOST/calls", "Prefer"),
            ("postgres://me:word@calls.localhost/calls", "Prefer"),
            ("postgres://me:word@postgres.calls.svc.cluster.local/calls", "Prefer"),
            ("postgres://me:word@calls-db.internal/calls", "Prefer"),
            ("postgres://me:word@127.0.0.1/calls", "Prefer"),
            ("postgres://me:word@[::1]/calls", "Prefer"),
            ("postgres://me:word@10.1.2.3/calls", "Prefer"),
            ("postgres://me:word@[fd00::7]/calls", "Prefer"),
            ("postgres://me:word@%2Frun%2Fpostgresql/calls", "Prefer"),
            ("postgres:///calls?host=/run/postgresql", "Prefer"),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }

    #[test]
    fn a_mode_that_is_given_holds() {
        for (given, expected) in [
            ("sslmode=disable", "Disable"),
            ("sslmode=prefer", "Prefer"),
            ("ssl-mode=prefer", "Prefer"),
            ("sslmode=verify-ca", "VerifyCa"),
            ("application_name=x&sslmode=verify-full", "VerifyFull"),
        ] {
            for host in ["db.example.com", "postgres"] {
                assert_eq!(mode(&format!("postgres://me@{host}/calls?{given}")), expected, "{host} {given}");
            }
        }
    }
}
