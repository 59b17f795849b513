//! The platform's API for its webhooks: the commands `platform create`, `show` and `rotate`. (Documentation, "Alternative
//! setup — API".) ★ Another platform: another file like this one, or none, and no such command.
//!
//! It has two requests in it, to make a webhook and to change its secret. To look at webhooks is not documented: where the
//! platform refuses that, `rotate` still works.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use engine::{
    config::{Config, ConfigError, Secret},
    need,
    package::Package,
    platform::{Api, SetSecret, Shown},
    vendor::{Answer, ClientError, Vendor},
};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::settings::Settings;

/// What the engine's command goes by.
pub const API: Api = Api {
    create: |config| Box::pin(async move { create(&config).await }),
    show: |config| Box::pin(async move { show(&config).await }),
    set_secret,
};

/// All that it tells of. (Documentation, "Create webhook".)
const EVENTS: [&str; 3] = ["answered", "missed", "voicemail"];

/// What a webhook that delivers is said to be. (Documentation, "No deliveries appear" and "Expected results".)
const WELL: [&str; 3] = ["enabled", "active", "delivered"];

/// The fields that its error may name.
const FIELDS: [&str; 7] = ["type", "url", "auth", "auth.header", "auth.secret", "events", "format"];

/// The API under one key.
struct Webhooks {
    vendor: Vendor,
    base_url: Url,
    key: Secret,
}

/// A webhook as the platform has it. Its form is that of the documentation's request; nothing of it is counted on.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Webhook {
    id: String,
    r#type: String,
    url: String,
    auth: Auth,
    events: BTreeSet<String>,
    format: String,
    status: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    header: String,
}

impl Webhooks {
    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let base_url = need!(settings.platform_api_url)?.clone();
        if !is_safe(&base_url) {
            return Err(ConfigError::new(
                "PLATFORM_API_URL must begin with https://, since the key goes there: https://api.example.com",
            ));
        }
        let key = need!(settings.platform_api_key)?.clone();
        Ok(Self { vendor: Vendor::new("the platform"), base_url, key })
    }

    /// `/v1/webhooks`, or one of them.
    fn request(&self, method: Method, id: Option<&str>) -> RequestBuilder {
        let mut url = self.base_url.clone();
        // `is_safe` has looked: it is http or https.
        let mut path = url.path_segments_mut().expect("a base URL has a path");
        path.pop_if_empty().extend(["v1", "webhooks"]).extend(id);
        drop(path);
        self.vendor.request(method, url).bearer_auth(self.key.expose_secret())
    }

    async fn list(&self) -> Result<Vec<Webhook>, ClientError> {
        let answer = success(self.vendor.send(self.request(Method::GET, None)).await?)?;
        let found: Option<Value> = answer.json();
        // A list, or one in an object, whatever its name there.
        let list = match found {
            Some(Value::Array(list)) => Some(list),
            Some(Value::Object(fields)) => {
                let mut lists = fields.into_iter().filter_map(|(_, value)| match value {
                    Value::Array(list) => Some(list),
                    _ => None,
                });
                lists.next().filter(|_| lists.next().is_none())
            }
            _ => None,
        };
        let list: Option<Result<Vec<Webhook>, _>> =
            list.map(|list| list.into_iter().map(serde_json::from_value).collect());
        // One that is there and can't be read would be made a second time.
        list.and_then(Result::ok).ok_or_else(|| {
            ClientError::Stop("the platform's list of webhooks can't be read: look in its app".to_owned())
        })
    }

    async fn with_url(&self, url: &str) -> Result<Option<Webhook>, ClientError> {
        let same = |webhook: &Webhook| webhook.url.trim_end_matches('/') == url.trim_end_matches('/');
        Ok(self.list().await?.into_iter().find(same))
    }
}

/// Whether a secret may go there: encrypted, or no further than this machine.
fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse().is_ok_and(|host: std::net::IpAddr| host.is_loopback())
        }
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

/// Where the webhook delivers, as these settings say.
fn our_url(config: &Config) -> anyhow::Result<String> {
    let public = config.public_url.as_ref();
    let public = public.context("PUBLIC_URL is not set: set it to this server as the platform sees it")?;
    if !is_safe(public) {
        bail!("PUBLIC_URL must begin with https://: the platform delivers to no other");
    }
    Ok(format!("{}{}", public.as_str().trim_end_matches('/'), config.webhook.path))
}

async fn create(config: &Config) -> anyhow::Result<Vec<String>> {
    let webhooks = Webhooks::new(config.fork.get::<Settings>())?;
    let (url, header) = (our_url(config)?, config.webhook.token_header.as_str());
    let token = config.webhook.token.as_ref().with_context(|| {
        let init = Package::of_this_process().command("init");
        format!("WEBHOOK_TOKEN is not set: {init} makes one, and so does openssl rand -hex 32")
    })?;
    let there = webhooks.with_url(&url).await.context("whether the webhook is there can't be told");
    if let Some(webhook) = there? {
        return Ok(vec![
            format!("{} is there already, for {url}: nothing was made.", webhook.id),
            format!("Set PLATFORM_WEBHOOK_ID={}; `platform show` compares it with the settings.", webhook.id),
        ]);
    }
    let body = json!({
        "type": "after_call",
        "url": url,
        "auth": { "header": header, "secret": token.expose_secret() },
        "events": EVENTS,
        "format": "json",
    });
    // Nothing tells a second one from the first, so it is sent once.
    let answer = webhooks.vendor.send_once(webhooks.request(Method::POST, None).json(&body)).await;
    let made: Option<Webhook> = match answer {
        Ok(answer) => success(answer)?.json(),
        Err(ClientError::Down(reason)) => {
            let made = webhooks.with_url(&url).await.ok().flatten();
            Some(made.with_context(|| {
                format!("{reason}; run this again, which looks first whether it is there")
            })?)
        }
        Err(error) => return Err(error.into()),
    };
    let id = made.map(|webhook| webhook.id).filter(|id| !id.is_empty());
    let id = id.context("the platform made the webhook, and its answer has no id: look for it in its app")?;
    Ok(vec![
        format!("{id} is made, and delivers to {url} with the token in {header}."),
        format!("Set PLATFORM_WEBHOOK_ID={id}, by which `platform rotate` finds it."),
    ])
}

async fn show(config: &Config) -> anyhow::Result<Shown> {
    let settings = config.fork.get::<Settings>();
    let (webhooks, url) = (Webhooks::new(settings)?, our_url(config)?);
    let found: Option<Webhook> = match &settings.platform_webhook_id {
        Some(id) => success(webhooks.vendor.send(webhooks.request(Method::GET, Some(id))).await?)?.json(),
        None => webhooks.with_url(&url).await?,
    };
    let found =
        found.with_context(|| format!("the platform has none for {url}: `platform create` makes it"))?;
    let words = |list: &BTreeSet<String>| list.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let events: BTreeSet<String> = EVENTS.map(str::to_owned).into();
    let header = config.webhook.token_header.as_str();
    let status = found.status.as_deref().unwrap_or("not told");
    let is_well = found
        .status
        .as_deref()
        .is_none_or(|status| WELL.iter().any(|well| well.eq_ignore_ascii_case(status)));
    let mut lines = vec![format!("id: {}", found.id)];
    let mut as_set = true;
    for (name, theirs, ours, same) in [
        ("type", found.r#type.as_str(), "after_call", found.r#type == "after_call"),
        ("url", &found.url, &url, found.url.trim_end_matches('/') == url.trim_end_matches('/')),
        ("header", &found.auth.header, header, found.auth.header.eq_ignore_ascii_case(header)),
        ("events", &words(&found.events), &words(&events), found.events.is_superset(&events)),
        ("format", &found.format, "json", found.format == "json"),
        ("status", status, "enabled", is_well),
    ] {
        as_set &= same;
        let differs = if same { String::new() } else { format!(" (it must be {ours})") };
        lines.push(format!("{name}: {theirs}{differs}"));
    }
    Ok(Shown { lines, as_set })
}

/// (Documentation, "Rotate secret".)
fn set_secret(config: &Config) -> Result<SetSecret, ConfigError> {
    let settings = config.fork.get::<Settings>();
    let webhooks = std::sync::Arc::new(Webhooks::new(settings)?);
    let id = settings.platform_webhook_id.clone();
    let id = id.ok_or_else(|| {
        ConfigError::new(
            "PLATFORM_WEBHOOK_ID is not set: `platform create` says it, also of one that is there",
        )
    })?;
    let header = config.webhook.token_header.as_str().to_owned();
    Ok(Box::new(move |secret| {
        let (webhooks, id) = (std::sync::Arc::clone(&webhooks), id.clone());
        let body = json!({ "auth": { "header": header, "secret": secret.expose_secret() } });
        Box::pin(async move {
            let request = webhooks.request(Method::PATCH, Some(&id)).json(&body);
            success(webhooks.vendor.send(request).await?).map(drop)
        })
    }))
}

/// What its errors mean. The form of one is not documented: the field is told that it names, and nothing else that it says.
fn success(answer: Answer) -> Result<Answer, ClientError> {
    #[derive(Deserialize)]
    struct Refusal {
        field: String,
    }
    if answer.status.is_success() {
        return Ok(answer);
    }
    let field = answer.json().map(|Refusal { field }| field);
    let field = FIELDS.iter().find(|known| field.as_deref() == Some(**known));
    let about = field.map(|field| format!(" about {field}")).unwrap_or_default();
    let hint = match answer.status.as_u16() {
        401 => " (is PLATFORM_API_KEY right, and not revoked?)",
        403 => " (may the key of PLATFORM_API_KEY change webhooks?)",
        404 => " (is PLATFORM_WEBHOOK_ID the webhook's id, and PLATFORM_API_URL the API's origin?)",
        _ => "",
    };
    Err(answer.refusal(format!("the platform answered {}{about}{hint}", answer.status.as_u16())))
}
