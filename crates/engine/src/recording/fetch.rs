//! The request for a recording, and what an answer means.

use std::{error::Error, iter, sync::Arc, time::Duration};

use hyper::body::Bytes;
use reqwest::{
    Client, Response, Url,
    header::{HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::{
    audio::Audio,
    hosts::Hosts,
    missing::Missing,
    resolver::{Checked, LookUp, NotPublic, System},
    transfer::Recording,
};
use crate::{config::ConfigError, package::Package, platform::Platform, vendor::run};

/// A job has 30 s at the most, since a worker that is silent for a minute counts as dead and its job is run by another. A host
/// that says nothing for so long is left, and asked again.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(10);

/// The longest transfer outside of a run.
const LONGEST: Duration = Duration::from_mins(10);

/// More redirects than these are a loop, or somebody's game.
const REDIRECTS: usize = 3;

/// Fetches recordings from listed hosts.
pub struct Fetcher {
    http: Client,
    hosts: Hosts,
    credential: Option<(HeaderName, HeaderValue)>,
}

impl Fetcher {
    /// A fetcher that asks these hosts alone, with the credential in the platform's header.
    ///
    /// # Errors
    ///
    /// No host is listed, or the credential is none that a header can carry.
    pub fn new(
        platform: &Platform,
        hosts: &Hosts,
        credential: Option<&SecretString>,
    ) -> Result<Self, ConfigError> {
        Self::over(System, platform.recording_header, hosts, credential)
    }

    fn over(
        names: impl LookUp,
        header: &str,
        hosts: &Hosts,
        credential: Option<&SecretString>,
    ) -> Result<Self, ConfigError> {
        if hosts.is_empty() {
            return Err(ConfigError::new(
                "RECORDING_HOSTS is not set: list the hosts that recordings may be fetched from, \
                 recordings.example.com or *.example.com (or set RECORDINGS=link)",
            ));
        }
        let header: HeaderName = header.parse().expect("a platform names a header");
        let credential = credential.map(|credential| header_value(credential).map(|value| (header, value)));
        let Package { name: program, version } = Package::of_this_process();
        let http = Client::builder()
            .user_agent(format!("{program}/{version}"))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // Each is followed by hand, under the rules of the first.
            .redirect(redirect::Policy::none())
            // A proxy looks names up itself: it would connect to an address that nobody has checked.
            .no_proxy()
            .dns_resolver(Arc::new(Checked(names)))
            .build()
            .expect("the TLS backend is compiled in");
        Ok(Self { http, hosts: hosts.clone(), credential: credential.transpose()? })
    }

    /// Asks for a recording of at most `largest` bytes. What is returned has begun to come; it comes whole within the run of
    /// the job, or with an error.
    ///
    /// # Errors
    ///
    /// It is not to be had, and why.
    pub async fn fetch(&self, link: &str, largest: u64) -> Result<Recording, Missing> {
        // The last quarter of a run is to say to the vendor where the recording belongs.
        let latest = Instant::now() + run::left().map_or(LONGEST, |left| left / 4 * 3);
        // Redirects and first bytes, too, may come as slowly as their host likes.
        let begun = timeout_at(latest, self.begin(link, largest, latest)).await;
        begun.unwrap_or(Err(Missing::Later("its host does not answer in time")))
    }

    async fn begin(&self, link: &str, largest: u64, latest: Instant) -> Result<Recording, Missing> {
        let link = link.parse().map_err(|_| Missing::Refused("its link is no URL"))?;
        let response = self.follow(link).await?;
        let ends = response.content_length().is_some() || is_chunked(&response);
        let length = response.content_length().unwrap_or_default();
        match response.status().as_u16() {
            200 if !ends => Err(Missing::Endless),
            200 if length > largest => Err(Missing::TooLarge(largest)),
            200 => read_head(response, largest, latest).await,
            // 403 and 404 are what stores of files say of one that is not there yet, 401 what somebody may mend meanwhile.
            status @ (201..300 | 401 | 403 | 404 | 425) => Err(Missing::NotYet(status)),
            408 | 429 | 500.. => Err(Missing::Later("its host is in trouble, or asks to wait")),
            // 410 says itself that it is for good.
            status => Err(Missing::Denied(status)),
        }
    }

    async fn follow(&self, link: Url) -> Result<Response, Missing> {
        // A link is the sender's. Below a listed `*.example.com` may be a host of anybody's, who would read the credential.
        let home = self.hosts.name(&link).then(|| link.origin());
        let mut next = link;
        for _ in 0..=REDIRECTS {
            self.hosts.check(&next)?;
            let mut request = self.http.get(next.clone());
            // A redirect may lead to a store that is none of the platform's.
            if let Some((name, value)) = self.credential.as_ref().filter(|_| Some(next.origin()) == home) {
                request = request.header(name, value);
            }
            let response = request.send().await.map_err(|error| failure(&error))?;
            match target(&next, &response) {
                Some(target) => next = target,
                None => return Ok(response),
            }
        }
        Err(Missing::Refused("its link is redirected more than 3 times"))
    }
}

fn header_value(credential: &SecretString) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_str(credential.expose_secret()).map_err(|_| {
        ConfigError::new("RECORDING_AUTHORIZATION holds what no header can: write `Bearer …` or `Basic …`")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where a redirect leads. (RFC 9110, section 15.4: 300 and 304 are none.)
fn target(from: &Url, response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    matches!(response.status().as_u16(), 301..=303 | 307 | 308).then(|| from.join(location).ok())?
}

fn is_chunked(response: &Response) -> bool {
    response.headers().contains_key(TRANSFER_ENCODING)
}

async fn read_head(mut response: Response, largest: u64, latest: Instant) -> Result<Recording, Missing> {
    let mut head = Vec::new();
    while head.len() < Audio::HEAD {
        match response.chunk().await.map_err(|error| failure(&error))? {
            Some(chunk) => head.extend_from_slice(&chunk),
            // A file that is being written.
            None if head.is_empty() => return Err(Missing::NotYet(200)),
            None => break,
        }
    }
    let audio = Audio::of(&head).ok_or(Missing::NoAudio)?;
    Ok(Recording::new(audio, Bytes::from(head), response.into(), largest, latest))
}

/// What it means that there is no answer; which address it was that failed is nobody's to know.
fn failure(error: &reqwest::Error) -> Missing {
    let mut causes = iter::successors(error.source(), |&cause| cause.source());
    if causes.any(<dyn Error>::is::<NotPublic>) {
        return Missing::Refused("its host's name leads to an address that is not public");
    }
    Missing::Later(if error.is_timeout() { "its host does not answer" } else { "its host can't be reached" })
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{SocketAddr, TcpListener},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Leads every name to this machine, and counts how often it was asked.
    #[derive(Clone, Default)]
    struct Inward(Arc<AtomicUsize>);

    impl LookUp for Inward {
        async fn look_up(self, _: String) -> io::Result<Vec<SocketAddr>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        }
    }

    fn fetcher(names: impl LookUp, hosts: &str, credential: &str) -> Result<Fetcher, ConfigError> {
        Fetcher::over(names, "Authorization", &hosts.parse()?, Some(&credential.into()))
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_to_this_machine_is_refused_and_nothing_is_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be asked without waiting");
        let port = listener.local_addr().expect("it has an address").port();
        let names = Inward::default();
        let fetcher =
            fetcher(names.clone(), &format!("r.example.com:{port}"), "Bearer x").expect("it is fit");
        let refused = fetcher.fetch(&format!("https://r.example.com:{port}/1.mp3"), 1).await;
        assert_eq!(
            refused.err(),
            Some(Missing::Refused("its host's name leads to an address that is not public"))
        );
        assert_eq!(names.0.load(Ordering::Relaxed), 1);
        let none = listener.accept().expect_err("nobody came");
        assert_eq!(none.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn without_hosts_or_with_a_credential_that_no_header_holds_there_is_no_fetcher() {
        for (hosts, credential, named) in
            [("", "Bearer x", "RECORDING_HOSTS"), ("r.example.com", "Bearer\nx", "RECORDING_AUTHORIZATION")]
        {
            let error = fetcher(System, hosts, credential).err().expect("it is unfit");
            assert!(error.0.contains(named) && !error.0.contains("Bearer\n"), "{error}");
        }
    }
}
