//! When two links lead to the same recording, and how one is written for a vendor.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::Url;
use sha2::{Digest, Sha256};

/// The query parameters that sign a link or end it, in lower case, of AWS, `CloudFront`, Google Cloud Storage, Azure, and
/// those that platforms call by these plain names.
const SIGNING: &[&str] = &[
    "awsaccesskeyid",
    "expires",
    "googleaccessid",
    "key-pair-id",
    "policy",
    "se",
    "sig",
    "signature",
    "sip",
    "ske",
    "skoid",
    "sks",
    "skt",
    "sktid",
    "skv",
    "sp",
    "spr",
    "sr",
    "st",
    "sv",
    "token",
];

/// How AWS and Google begin the names of theirs.
const SIGNING_PREFIXES: [&str; 2] = ["x-amz-", "x-goog-"];

/// What a path, a query and a fragment may have by the URL standard, and a URI may not.
const NOT_IN_URIS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The link as a URI, which is what vendors take: the URL standard leaves more as it is than URIs may have. (RFC 3986.)
#[must_use]
pub fn uri(link: &Url) -> String {
    let length = |part: Option<&str>| part.map_or(0, |part| "?".len() + part.len());
    let behind = link.path().len() + length(link.query()) + length(link.fragment());
    let (host, behind) = link.as_str().split_at(link.as_str().len() - behind);
    let mut pieces = behind.split('%');
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let encodes = piece.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        rest += if encodes { "%" } else { "%25" };
        rest += piece;
    }
    format!("{host}{}", utf8_percent_encode(&rest, NOT_IN_URIS))
}

/// Whether two links are the same but for what signs them: signed again, it is no other recording.
#[must_use]
pub fn are_same(one: &Url, other: &Url) -> bool {
    uri(&unsigned(one)) == uri(&unsigned(other))
}

/// A name for this recording of this call, of hex digits, which is the same however its link is signed.
#[must_use]
pub fn key(call_id: &str, link: &Url) -> String {
    let digest = Sha256::new().chain_update(call_id).chain_update([0]).chain_update(unsigned(link).as_str());
    hex::encode(&digest.finalize()[..8])
}

fn unsigned(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    let kept: Vec<&str> = url.query().unwrap_or_default().split('&').filter(|pair| !signs(pair)).collect();
    let kept = kept.join("&");
    url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
    url
}

fn signs(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or(pair).to_ascii_lowercase();
    SIGNING.contains(&name.as_str()) || SIGNING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        are_same(&one.parse().expect("it is a URL"), &other.parse().expect("it is a URL"))
    }

    #[test]
    fn a_uri_has_what_is_not_allowed_in_one_encoded_and_all_else_as_it_was() {
        let uri = |link: &str| uri(&link.parse().expect("it is a URL"));
        assert_eq!(
            uri("https://[::1]:8443/a[1]/50%?b={|}#c`^"),
            "https://[::1]:8443/a%5B1%5D/50%25?b=%7B%7C%7D#c%60%5E"
        );
        for same in [
            "https://r.example/",
            "https://r.example/a%20b?x=%7C",
            "https://r.example/?#",
            "https://r.example/a;b=1,2/@:!$&'()*+~?q=/?",
        ] {
            assert_eq!(uri(same), same);
        }
    }

    #[test]
    fn a_link_that_was_signed_again_is_the_same_recording() {
        for (one, other) in [
            ("https://r.example/1.mp3", "https://R.example:443/1.mp3#t=1"),
            (
                "https://r.example/1?id=1&X-Amz-Date=1&X-Amz-Signature=a",
                "https://r.example/1?id=1&x-amz-date=2",
            ),
            ("https://r.example/1?AWSAccessKeyId=a&Signature=b&Expires=1", "https://r.example/1"),
            ("https://r.example/1?GoogleAccessId=a&X-Goog-Expires=1", "https://r.example/1?x-goog-expires=2"),
            (
                "https://r.example/1?sv=1&se=2&sr=b&sp=r&sig=a&skoid=3&id=1",
                "https://r.example/1?id=1&sig=b&spr=https",
            ),
            ("https://r.example/1?Policy=a&Key-Pair-Id=b&Signature=c", "https://r.example/1?Policy=d"),
            ("https://r.example/1?token=a", "https://r.example/1?TOKEN=b&expires=2"),
            ("https://r.example/5%/a|b?c[d]=e", "https://r.example/5%25/a%7Cb?c%5Bd%5D=e"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn every_other_difference_is_another_recording() {
        for (one, other) in [
            ("https://r.example/play?id=1", "https://r.example/play?id=2"),
            ("https://r.example/play?id=1", "https://r.example/play"),
            ("https://r.example/1.mp3", "https://r.example/2.mp3"),
            ("https://r.example/1.mp3", "https://s.example/1.mp3"),
            ("https://r.example/1.mp3", "http://r.example/1.mp3"),
            ("https://r.example/play?signal=1", "https://r.example/play?signal=2"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
    #[test]
    fn a_key_is_one_recordings_of_one_call() {
        let key = |call: &str, link: &str| key(call, &link.parse().expect("it is a URL"));
        let one = key("cl_1", "https://r.example/1.mp3?sig=a");
        assert_eq!(one, key("cl_1", "https://r.example/1.mp3?sig=b"));
        assert_eq!(one.len(), 16);
        assert_ne!(one, key("cl_2", "https://r.example/1.mp3"));
        assert_ne!(one, key("cl_1", "https://r.example/2.mp3"));
    }
}
