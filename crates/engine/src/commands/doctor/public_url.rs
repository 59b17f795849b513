//! This server as the platform sees it.

use reqwest::Method;
use serde::Deserialize;

use super::report::Report;
use crate::{
    config::Config,
    vendor::{Answer, Vendor},
};

/// What `/health/live` answers.
#[derive(Deserialize)]
struct Live {
    status: String,
}

/// (Documentation, "Prerequisites": "A publicly reachable HTTPS URL", "Valid certificate chain. No self‑signed certs".)
pub(super) async fn check(config: &Config, report: &mut Report) {
    const WHAT: &str = "public address";
    let Some(url) = &config.public_url else {
        return report.dash(WHAT, "PUBLIC_URL is not set");
    };
    let mut health = url.clone();
    match health.path_segments_mut() {
        Ok(mut path) if url.scheme() == "https" => {
            path.pop_if_empty().extend(["health", "live"]);
        }
        _ => {
            let to_do = "put a proxy with a certificate in front, and set PUBLIC_URL to its https:// address";
            return report.cross(
                WHAT,
                "PUBLIC_URL is no https:// URL, and the platform delivers to no other",
                to_do,
            );
        }
    }
    let server = Vendor::new("PUBLIC_URL");
    match server.send(server.request(Method::GET, health)).await {
        Ok(answer) if is_ours(&answer) => {
            report.tick(WHAT, "its certificate is valid, and this server answers there");
        }
        Ok(answer) => {
            let found =
                format!("its certificate is valid, but {} is answered to /health/live", answer.status);
            report.cross(WHAT, &found, "let the proxy pass all paths on to LISTEN_ADDR");
        }
        Err(error) => {
            let error = error.to_string();
            let to_do = if error.contains("certificate") {
                "serve a certificate for this very name, in force, with its intermediates, from a public authority"
            } else {
                "does the name lead to this server, is port 443 open, and does the proxy run?"
            };
            report.cross(WHAT, &error, to_do);
        }
    }
}

fn is_ours(answer: &Answer) -> bool {
    answer.status.is_success() && answer.json::<Live>().is_some_and(|live| live.status == "live")
}
