//! What is out there: the vendors, by a request that changes nothing, and this server's public address.

use reqwest::Method;
use serde::Deserialize;

use super::Report;
use crate::{
    clients::{Answer, ClientError, Vendor, hubspot::HubSpot, zendesk::Zendesk},
    config::Config,
    jobs::{Job, attach_recording::AttachRecording, update_crm::UpdateCrm},
};

pub(super) async fn check(config: &Config, report: &mut Report) {
    hubspot(config, report).await;
    zendesk(config, report).await;
    public_url(config, report).await;
}

async fn hubspot(config: &Config, report: &mut Report) {
    if !is_on::<UpdateCrm>(config) {
        return report.dash("HubSpot", "no job of JOBS needs it");
    }
    let Ok(hubspot) = HubSpot::new(&config.hubspot) else {
        return report.dash("HubSpot", "not asked: it is not configured");
    };
    match hubspot.check().await {
        Ok(found) => report.tick("HubSpot", found),
        Err(error) => {
            let to_do = to_do(
                &error,
                "set HUBSPOT_TOKEN to a service key that is in force",
                "HUBSPOT_BASE_URL",
                "give HUBSPOT_TOKEN's service key the scopes that README.md names, and run `aftercall setup hubspot`",
            );
            report.cross("HubSpot", &error.to_string(), &to_do);
        }
    }
}

async fn zendesk(config: &Config, report: &mut Report) {
    if !is_on::<AttachRecording>(config) {
        return report.dash("Zendesk", "no job of JOBS needs it");
    }
    let Ok(zendesk) = Zendesk::new(&config.zendesk) else {
        return report.dash("Zendesk", "not asked: it is not configured");
    };
    match zendesk.check().await {
        Ok(()) => report.tick("Zendesk", "the client is known, and may read tickets"),
        Err(error) => {
            let to_do = to_do(
                &error,
                "set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET to a client that is in force",
                "ZENDESK_BASE_URL",
                "give the client of ZENDESK_CLIENT_ID the scopes tickets:read and tickets:write",
            );
            report.cross("Zendesk", &error.to_string(), &to_do);
        }
    }
}

fn is_on<J: Job>(config: &Config) -> bool {
    config.jobs.enabled.0.iter().any(|name| name == J::NAME)
}

fn to_do(error: &ClientError, unauthorized: &str, base_url: &str, refused: &str) -> String {
    match error {
        ClientError::Unauthorized(_) => unauthorized.to_owned(),
        ClientError::Down(_) => format!("is {base_url} right, and does this machine reach it?"),
        ClientError::Busy { .. } | ClientError::Retry { .. } => "ask again in a minute".to_owned(),
        ClientError::Stop(_) => refused.to_owned(),
    }
}

/// What `/health/live` answers.
#[derive(Deserialize)]
struct Live {
    status: String,
}

/// (Documentation, "Prerequisites": "A publicly reachable HTTPS URL", "Valid certificate chain. No self‑signed certs".)
async fn public_url(config: &Config, report: &mut Report) {
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
