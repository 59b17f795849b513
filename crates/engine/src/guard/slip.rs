//! How a signature came about that doesn't fit, for whoever has to mend it. Nothing is admitted by it.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The fewest letters of a signature that are taken for one that was cut: fewer may be the same by chance.
const FEWEST: usize = 16;

/// The most times among the headers that are tried.
const MOST_TIMES: usize = 4;

/// A key, and what is said of it; nothing of the one to sign with.
pub(super) type NamedKey = (&'static str, Hmac<Sha256>);

/// What was done in place of signing the raw body with the shared secret, as a sentence without any text of the sender's;
/// `None` where nothing that is known to happen explains it.
///
/// All comparisons take the same time whatever they find: else the time of an answer would tell of the right signature.
pub(super) fn explain(headers: &HeaderMap, body: &[u8], sent: &[u8], keys: &[NamedKey]) -> Option<String> {
    let sent = sent.strip_prefix(b"sha256=").unwrap_or(sent);
    let mut found = None;
    for (text_name, text) in texts(headers, body) {
        for (key_name, key) in keys {
            let mac = key.clone().chain_update(&text).finalize().into_bytes();
            let form = form(&mac, sent);
            if let Some(form_name) = form
                && found.is_none()
            {
                found = Some([*key_name, text_name, form_name]);
            }
        }
    }
    let slips: Vec<_> = found?.into_iter().filter(|slip| !slip.is_empty()).collect();
    (!slips.is_empty()).then(|| format!("it is {}", slips.join(", and ")))
}

/// What people sign by mistake, each with what is said of it; nothing of the raw body.
fn texts(headers: &HeaderMap, body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut texts = vec![("", body.to_vec())];
    if let Some(compact) = compact(body) {
        texts.push(("over the JSON written anew, not over the bytes that are sent", compact));
    }
    texts.push(("over the body with a line break after it", [body, b"\n"].concat()));
    if let Some(bare) = body.strip_suffix(b"\n") {
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        texts.push(("over the body without the line break at its end", bare.to_vec()));
    }
    // As Stripe, Slack and others have it.
    for time in headers.values().filter_map(time).take(MOST_TIMES) {
        texts.push(("over a time, a dot and the body", [time, b".", body].concat()));
    }
    texts
}

/// A header that may be a time: digits, or as ISO 8601 writes it.
fn time(value: &HeaderValue) -> Option<&[u8]> {
    let text = value.to_str().ok()?;
    let seconds = (10..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (seconds || chrono::DateTime::parse_from_rfc3339(text).is_ok()).then_some(text.as_bytes())
}

/// How the signature is written, if it is this one: an empty text where it is written as it should be.
fn form(mac: &[u8], sent: &[u8]) -> Option<&'static str> {
    let digits = hex::encode(mac);
    let is = |right: &[u8]| bool::from(right.ct_eq(sent));
    let begins = |right: &[u8]| sent.len() >= FEWEST && right.get(..sent.len()).is_some_and(is);
    let lower = sent.to_ascii_lowercase();
    let whole = bool::from(digits.as_bytes().ct_eq(&lower)) | is(BASE64_STANDARD.encode(mac).as_bytes());
    let twice = is(BASE64_STANDARD.encode(&digits).as_bytes());
    let cut = begins(digits.as_bytes()) | begins(BASE64_STANDARD.encode(mac).as_bytes());
    match (whole, twice, cut) {
        (true, ..) => Some(""),
        (_, true, _) => Some("the base64 of the hex digits, not of the bytes"),
        (.., true) => Some("cut short"),
        _ => None,
    }
}

/// The JSON without the white space between its parts, and its texts as `JSON.stringify` writes them; `None` where the body
/// is no JSON, or is such already.
fn compact(body: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).ok()?;
    let mut compact = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'"' {
            let end = text_end(after)?;
            let text: String = serde_json::from_slice(&rest[..=end + 1]).ok()?;
            serde_json::to_writer(&mut compact, &text).ok()?;
            rest = &after[end + 1..];
            continue;
        }
        if !byte.is_ascii_whitespace() {
            compact.push(byte);
        }
        rest = after;
    }
    (compact != body).then_some(compact)
}

/// Where the text ends that begins here: the place of its quotation mark.
fn text_end(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compacted_as_a_browser_writes_it() {
        let spaced = br#"{ "a b" : [1, 2.5 , "x\"\u00e9 \\"] ,
            "c": null }"#;
        let compacted = compact(spaced).expect("it differs");
        assert_eq!(String::from_utf8(compacted).unwrap(), r#"{"a b":[1,2.5,"x\"é \\"],"c":null}"#);
        assert_eq!(compact(br#"{"a":1}"#), None);
        assert_eq!(compact(b"{"), None);
    }
}
