//! Any combination of settings and headers through the guard, against a table of who may speak.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use engine::{
    answer::Rejection,
    config::{SignaturePolicy, WebhookConfig},
    guard::Guard,
};
use hmac::{Hmac, KeyInit, Mac};
use proptest::{collection::vec, option, prelude::*, sample::select};
use sha2::Sha256;

/// An address, or what stands in its place in X-Forwarded-For: how it is written, and who it is.
type Hop = (&'static str, Who);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Platform,
    Stranger,
    Proxy,
    Us,
    Nobody,
}

const HOPS: [Hop; 9] = [
    ("203.0.113.7", Who::Platform),
    (" 203.0.113.8:51234 ", Who::Platform),
    ("::ffff:203.0.113.7", Who::Platform),
    ("198.51.100.1", Who::Stranger),
    ("10.0.0.1", Who::Proxy),
    ("10.9.9.9", Who::Proxy),
    ("127.0.0.1", Who::Us),
    ("unknown", Who::Nobody),
    ("", Who::Nobody),
];

const BODY: &str = "{\"any\": \"body\"}";

#[derive(Debug, Clone)]
struct Case {
    // Settings.
    allowed: &'static str,
    proxies: &'static str,
    token: Option<&'static str>,
    token_previous: Option<&'static str>,
    basic: Option<(&'static str, &'static str)>,
    basic_previous: Option<&'static str>,
    unauthenticated: bool,
    signing: Option<&'static str>,
    signing_previous: Option<&'static str>,
    policy: Option<SignaturePolicy>,
    // The request.
    peer: Hop,
    forwarded: Vec<Vec<Hop>>,
    tokens: Vec<&'static str>,
    basics: Vec<&'static str>,
    /// The key that it was made with, and how it is written.
    signatures: Vec<(&'static str, u8)>,
    encodings: Vec<&'static str>,
    large: bool,
}

fn any_case() -> impl Strategy<Value = Case> {
    let word = |words: &[&'static str]| select(words.to_vec());
    let policies = [SignaturePolicy::Required, SignaturePolicy::Optional, SignaturePolicy::Off];
    let settings = (
        word(&["any", "loopback", "203.0.113.0/24"]),
        word(&["", "10.0.0.0/8", "127.0.0.1,10.0.0.0/8"]),
        (option::of(Just("token")), option::of(Just("old token"))),
        (option::of(Just(("user", "password"))), option::of(Just("old password"))),
        prop::bool::weighted(0.2),
        (option::of(Just("key")), option::of(Just("old key"))),
        option::of(select(policies.to_vec())),
    );
    let sent = (
        select(
            HOPS.iter()
                .filter(|hop| hop.0.trim().parse::<std::net::IpAddr>().is_ok())
                .copied()
                .collect::<Vec<_>>(),
        ),
        vec(vec(select(HOPS.to_vec()), 1..3), 0..3),
        vec(word(&["token", "Bearer token", "bearer token", "old token", "wrong", "Bearer", ""]), 0..3),
        vec(word(&["user:password", "user:old password", "user:wrong", "user", "!", ""]), 0..3),
        vec((word(&["token", "old token", "key", "old key", "wrong", ""]), 0..4_u8), 0..3),
        vec(word(&["identity", "gzip", ""]), 0..2),
        prop::bool::weighted(0.1),
    );
    (settings, sent).prop_map(|(settings, sent)| {
        let (
            allowed,
            proxies,
            (token, token_previous),
            (basic, basic_previous),
            unauthenticated,
            keys,
            policy,
        ) = settings;
        let (peer, forwarded, tokens, basics, signatures, encodings, large) = sent;
        Case {
            allowed,
            proxies,
            token,
            token_previous,
            basic,
            basic_previous,
            unauthenticated,
            signing: keys.0,
            signing_previous: keys.1,
            policy,
            peer,
            forwarded,
            tokens,
            basics,
            signatures,
            encodings,
            large,
        }
    })
}

/// The table.
fn expected(case: &Case) -> &'static str {
    let Case { token, basic, signing, .. } = *case;
    let verifiable = signing.or(token).is_some();
    let policy = match (case.policy, signing) {
        (Some(policy), _) => policy,
        (None, Some(_)) => SignaturePolicy::Required,
        (None, None) => SignaturePolicy::Optional,
    };
    if token.is_none() && basic.is_none() && !case.unauthenticated {
        return "no start";
    }
    if policy == SignaturePolicy::Required && !verifiable {
        return "no start";
    }

    let trusted = |who: Who| match case.proxies {
        "" => false,
        "10.0.0.0/8" => who == Who::Proxy,
        _ => who == Who::Proxy || who == Who::Us,
    };
    // From the peer backwards: the first who is no proxy of ours is the client, or the last that there is.
    let mut way: Vec<Who> = case.forwarded.iter().flatten().map(|hop| hop.1).collect();
    way.push(case.peer.1);
    way.reverse();
    let client = way.iter().copied().find(|who| !trusted(*who)).or(way.last().copied());
    let names_others = !case.forwarded.is_empty() && !trusted(case.peer.1);
    let may_deliver = match case.allowed {
        "any" => true,
        _ if names_others => return "unknown proxy",
        "loopback" => client == Some(Who::Us),
        _ => client == Some(Who::Platform),
    };
    if !may_deliver {
        return "address";
    }

    // Each scheme that is configured: what came of it.
    let mut schemes = Vec::new();
    if token.is_some() {
        schemes.push(match case.tokens[..] {
            [] => "none",
            ["token" | "Bearer token" | "bearer token"] => "right",
            ["old token"] if case.token_previous.is_some() => "right",
            [_] => "wrong",
            _ => "twice",
        });
    }
    if basic.is_some() {
        schemes.push(match case.basics[..] {
            [] => "none",
            ["user:password"] => "right",
            ["user:old password"] if case.basic_previous.is_some() => "right",
            [_] => "wrong",
            _ => "twice",
        });
    }
    let credential = match () {
        () if schemes.contains(&"twice") => "repeated",
        () if schemes.contains(&"right") => "right",
        () if schemes.contains(&"wrong") => "wrong credential",
        () if case.unauthenticated => "right",
        () => "no credential",
    };
    if credential != "right" {
        return credential;
    }

    if case.encodings.iter().any(|encoding| *encoding != "identity") {
        return "encoded";
    }
    if case.large {
        return "too large";
    }

    let keys = match (signing, token) {
        (Some(key), _) => [Some(key), case.signing_previous],
        (None, Some(token)) => [Some(token), case.token_previous],
        (None, None) => [None, None],
    };
    if !verifiable {
        return "heard";
    }
    match (policy, &case.signatures[..]) {
        (SignaturePolicy::Required | SignaturePolicy::Optional, [_, _, ..]) => "repeated",
        (SignaturePolicy::Required, [] | [("", _)]) => "no signature",
        (SignaturePolicy::Optional, [] | [("", _)]) | (SignaturePolicy::Off, _) => "heard",
        (_, [(key, _)]) if keys.contains(&Some(*key)) => "heard",
        (_, [_]) => "wrong signature",
    }
}

fn signature((key, form): (&str, u8)) -> String {
    if key.is_empty() {
        return String::new();
    }
    let digest =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(BODY).finalize().into_bytes();
    match form {
        0 => hex::encode(digest),
        1 => format!("sha256={}", hex::encode_upper(digest)),
        2 => BASE64_STANDARD.encode(digest),
        _ => format!("sha256={}", BASE64_STANDARD.encode(digest).trim_end_matches('=')),
    }
}

async fn heard(case: &Case) -> &'static str {
    let config = WebhookConfig {
        path: "/".to_owned(),
        token: case.token.map(Into::into),
        token_previous: case.token_previous.map(Into::into),
        token_header: "x-webhook-token".parse().unwrap(),
        basic_user: case.basic.map(|basic| basic.0.to_owned()),
        basic_password: case.basic.map(|basic| basic.1.into()),
        basic_user_previous: None,
        basic_password_previous: case.basic_previous.map(Into::into),
        allow_unauthenticated: case.unauthenticated,
        signing_secret: case.signing.map(Into::into),
        signing_secret_previous: case.signing_previous.map(Into::into),
        signature: case.policy,
        signature_header: "x-webhook-signature".parse().unwrap(),
        allowed_ips: case.allowed.parse().unwrap(),
        trusted_proxies: case.proxies.parse().unwrap(),
        max_body: 100,
        failed_auth_limit: 0,
        gone: false,
    };
    let Ok(guard) = Guard::new(&config) else { return "no start" };
    let mut request = Request::post("/");
    for hops in &case.forwarded {
        let line: Vec<_> = hops.iter().map(|hop| hop.0).collect();
        request = request.header("x-forwarded-for", line.join(","));
    }
    for token in &case.tokens {
        request = request.header("x-webhook-token", *token);
    }
    for pair in &case.basics {
        let pair = if pair.contains(':') { BASE64_STANDARD.encode(pair) } else { (*pair).to_owned() };
        request = request.header("authorization", format!("Basic {pair}"));
    }
    for made_with in &case.signatures {
        request = request.header("x-webhook-signature", signature(*made_with));
    }
    for encoding in &case.encodings {
        request = request.header("content-encoding", *encoding);
    }
    let body = if case.large { "x".repeat(101) } else { BODY.to_owned() };
    let mut request = request.body(Body::from(body)).unwrap();
    let peer = SocketAddr::new(case.peer.0.parse().unwrap(), 443);
    request.extensions_mut().insert(ConnectInfo(peer));
    match guard.admit(request).await {
        Ok(verified) => {
            assert_eq!(verified.body, BODY);
            "heard"
        }
        Err(refused) => match &*refused.why {
            Rejection::AddressNotAllowed | Rejection::Moved | Rejection::NoAddress => "address",
            Rejection::UnknownProxy => "unknown proxy",
            Rejection::NoCredential => "no credential",
            Rejection::WrongCredential { basic } => {
                assert_eq!(*basic, case.basic.is_some());
                "wrong credential"
            }
            Rejection::Repeated(_) => "repeated",
            Rejection::EncodedBody => "encoded",
            Rejection::TooLarge { limit: 100 } => "too large",
            Rejection::NoSignature => "no signature",
            Rejection::WrongSignature { .. } => "wrong signature",
            other => panic!("{other}"),
        },
    }
}

#[test]
fn who_may_speak_is_who_the_table_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() };
    let seen = std::cell::RefCell::new(std::collections::BTreeMap::new());
    proptest!(config, |(case in any_case())| {
        let expected = expected(&case);
        *seen.borrow_mut().entry(expected).or_insert(0) += 1;
        prop_assert_eq!(runtime.block_on(heard(&case)), expected);
    });
    let seen = seen.into_inner();
    println!("{seen:?}");
    assert_eq!(seen.len(), 11, "each row of the table was tried");
}
