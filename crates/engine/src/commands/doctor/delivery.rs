//! One delivery that was refused: by what, and what to do about it.

use std::{fs, path::Path};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::Utc;
use secrecy::ExposeSecret;

use super::report::Report;
use crate::{
    answer::Rejection,
    config::{Config, SignaturePolicy},
    guard::Guard,
    platform::Platform,
};

/// How a request is written into a file.
const FORM: &str =
    "write the headers, each on a line of its own, an empty line, and then the body to the last byte";

pub(super) fn check(file: &Path, config: &Config, platform: &Platform, report: &mut Report) {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) => return report.cross("delivery", &error.to_string(), "name a file that can be read"),
    };
    let Some((headers, body)) = request(&text) else {
        return report.cross("delivery", "the file holds no request", FORM);
    };
    let guard = match Guard::new(&config.webhook) {
        Ok(guard) => guard,
        Err(error) => return report.cross("credential", &error.to_string(), "correct it first"),
    };
    let webhook = &config.webhook;
    let [credential, signature] = guard.judge(&headers, body);
    let token = webhook
        .token
        .as_ref()
        .map(|token| token.expose_secret().as_bytes())
        .filter(|token| !token.is_empty());
    let in_body = token.is_some_and(|token| body.windows(token.len()).any(|part| part == token));
    match credential {
        Err(Rejection::NoCredential) if in_body => report.tick("credential", "the token stands in the body"),
        _ if webhook.allow_unauthenticated => report.dash("credential", "none is asked for"),
        found => tell(
            report,
            "credential",
            &found,
            "compare it with WEBHOOK_TOKEN, or the user and password of Basic Auth, here",
        ),
    }
    match signature {
        _ if webhook.signature == Some(SignaturePolicy::Off) => report.dash("signature", "none is looked at"),
        Ok(()) if !headers.contains_key(&webhook.signature_header) => {
            report.dash("signature", "there is none, and none is asked for");
        }
        found => tell(
            report,
            "signature",
            &found,
            "sign the bytes that are sent with the secret that this receiver has",
        ),
    }
    match platform.read(body, Utc::now()) {
        Err(error) => report.cross("body", &error.to_string(), "the platform must send it otherwise"),
        Ok(call) => {
            let problems: Vec<_> =
                std::iter::once("it can be read".to_owned()).chain(call.problems).collect();
            report.tick("body", &problems.join("; "));
        }
    }
}

fn tell(report: &mut Report, what: &str, found: &Result<(), Rejection>, to_do: &str) {
    match found {
        Ok(()) => report.tick(what, "it is right"),
        Err(why) => report.cross(what, &why.for_people(), to_do),
    }
}

/// The headers and the body of a request; its first line may be there or not.
fn request(text: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let mut headers = HeaderMap::new();
    let mut rest = text;
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            return (!headers.is_empty()).then_some((headers, rest));
        }
        let is_first = headers.is_empty() && line.starts_with(b"POST ");
        if !is_first {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = HeaderName::from_bytes(line[..colon].trim_ascii()).ok()?;
            headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
        }
    }
}
