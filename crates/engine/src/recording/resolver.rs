//! Names to addresses, each of them checked.

use std::{io, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::public::is_public;

/// A name that leads to an address which is not public.
#[derive(Debug, thiserror::Error)]
#[error("it leads to an address that is not public")]
pub(super) struct NotPublic;

/// How names are looked up.
pub(super) trait LookUp: Clone + Send + Sync + 'static {
    /// The addresses of a name, with any port.
    fn look_up(self, name: String) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// As this machine does it.
#[derive(Clone)]
pub(super) struct System;

impl LookUp for System {
    async fn look_up(self, name: String) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((name, 0)).await?.collect())
    }
}

/// Refuses a name of whose addresses one is not public: an attacker's answers by turns would get through otherwise. The
/// connection goes to the addresses that were checked here, and to no others: nobody looks the name up a second time.
pub(super) struct Checked<L>(pub(super) L);

impl<L: LookUp> Resolve for Checked<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.clone().look_up(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = found.await?;
            if addresses.iter().any(|address| !is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Answers one after the other, of the newest look-up last.
    #[derive(Clone)]
    struct Answers(Arc<Mutex<Vec<Vec<&'static str>>>>);

    impl LookUp for Answers {
        async fn look_up(self, _: String) -> io::Result<Vec<SocketAddr>> {
            let answer = self.0.lock().expect("it is whole").remove(0);
            Ok(answer
                .iter()
                .map(|address| SocketAddr::new(address.parse().expect("an address"), 0))
                .collect())
        }
    }

    async fn resolve(resolver: &Checked<Answers>) -> Result<Vec<String>, String> {
        let found = resolver.resolve("r.example.com".parse().expect("a name")).await;
        found
            .map(|addresses| addresses.map(|address| address.ip().to_string()).collect())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_is_refused_for_one_address_that_is_not_public_and_whenever_it_comes() {
        let answers = vec![
            vec!["8.8.8.8", "2606:4700::1111"],
            vec!["8.8.8.8", "10.0.0.1"],
            vec!["8.8.8.8"],
            vec!["127.0.0.1"],
            vec!["::ffff:169.254.169.254"],
        ];
        let answers = Arc::new(Mutex::new(answers));
        let resolver = Checked(Answers(Arc::clone(&answers)));
        // One look-up for each: what is connected to is what was looked at.
        assert_eq!(resolve(&resolver).await.expect("it is public"), ["8.8.8.8", "2606:4700::1111"]);
        assert_eq!(answers.lock().expect("it is whole").len(), 4);
        assert!(resolve(&resolver).await.expect_err("one is private").contains("not public"));
        resolve(&resolver).await.expect("it is public");
        resolve(&resolver).await.expect_err("it leads elsewhere now");
        resolve(&resolver).await.expect_err("it is a cloud's metadata");
    }
}
