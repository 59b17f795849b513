//! HMAC-SHA256 over the raw body.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    cli::program,
    helpers::{App, SAMPLE, TOKEN, told},
};

fn signature(key: &str, body: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .unwrap()
        .chain_update(body)
        .finalize()
        .into_bytes()
        .to_vec()
}

/// A key of its own, beside the token.
pub(crate) const KEY: &str = "the-key-of-the-signature";

pub(crate) fn hex_signature(key: &str, body: &str) -> String {
    hex::encode(signature(key, body))
}

async fn status(app: &App, signature: &str) -> u16 {
    told(app.post(SAMPLE).header("X-Webhook-Signature", signature)).await.0
}

#[tokio::test]
async fn a_signature_is_taken_in_hex_and_base64_with_and_without_its_prefix() {
    let app = App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY)]).await;
    let raw = signature(KEY, SAMPLE);
    let forms = [
        hex::encode(&raw),
        hex::encode_upper(&raw),
        BASE64_STANDARD.encode(&raw),
        BASE64_STANDARD_NO_PAD.encode(&raw),
    ];
    for form in forms {
        assert_eq!(status(&app, &form).await, 200, "{form}");
        assert_eq!(status(&app, &format!("sha256={form}")).await, 200, "sha256={form}");
    }
}

#[tokio::test]
async fn a_signature_that_does_not_fit_gets_401() {
    let app = App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY)]).await;
    let right = hex_signature(KEY, SAMPLE);
    for wrong in
        [&hex_signature("other", SAMPLE), &hex_signature(KEY, "{}"), &right[2..], "sha256=", "zz", "sha1=00"]
    {
        assert_eq!(status(&app, wrong).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_wrong_signature_is_explained_in_the_log_and_by_doctor_and_not_in_the_answer() {
    let settings = [("WEBHOOK_SIGNING_SECRET", KEY), ("WEBHOOK_TOKEN_PREVIOUS", "the-token-before")];
    let app = App::receiver(&settings).await;
    let spaced = "{ \"event\": \"call.completed\",\n  \"call_id\": \"cl_\\u00e9\" }\n";
    let stringified = "{\"event\":\"call.completed\",\"call_id\":\"cl_é\"}";
    let right = hex_signature(KEY, spaced);
    for (wrong, explained) in [
        (hex_signature(TOKEN, spaced), "made with WEBHOOK_TOKEN, not with WEBHOOK_SIGNING_SECRET"),
        (hex_signature("the-token-before", spaced), "made with WEBHOOK_TOKEN_PREVIOUS"),
        (hex_signature(KEY, stringified), "over the JSON written anew, not over the bytes that are sent"),
        (hex_signature(KEY, spaced.trim_end()), "over the body without the line break at its end"),
        (hex_signature(KEY, &format!("{spaced}\n")), "over the body with a line break after it"),
        (hex_signature(KEY, &format!("1764300000.{spaced}")), "over a time, a dot and the body"),
        (BASE64_STANDARD.encode(&right), "the base64 of the hex digits, not of the bytes"),
        (right[..32].to_owned(), "cut short"),
        (
            BASE64_STANDARD.encode(hex_signature(TOKEN, stringified)),
            "made with WEBHOOK_TOKEN, not with WEBHOOK_SIGNING_SECRET, and over the JSON written anew, not over the bytes \
             that are sent, and the base64 of the hex digits, not of the bytes",
        ),
    ] {
        let signed = app.post(spaced).header("X-Webhook-Signature", &wrong).header("X-Time", "1764300000");
        let (status, answer) = told(signed).await;
        assert_eq!(status, 401);
        assert!(
            !answer.contains("made") && !answer.contains("body with") && !answer.contains("cut"),
            "{answer}"
        );
        app.process.says(&format!(": it is {explained} (")).await;

        let file = tempfile::NamedTempFile::new().unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nx-webhook-token: {TOKEN}\r\nX-Webhook-Signature: {wrong}\r\nx-time: 1764300000"
        );
        std::fs::write(file.path(), format!("{head}\r\n\r\n{spaced}")).unwrap();
        let arguments = ["doctor", "--delivery", file.path().to_str().unwrap()];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let token = [("WEBHOOK_TOKEN".to_owned(), TOKEN.to_owned())];
        let ran = program(&arguments, &[&settings[..], &token].concat()).await;
        assert!(ran.code == 1 && ran.out.contains("✓ credential: it is right"), "{ran:?}");
        assert!(ran.out.contains(&format!(": it is {explained} → sign the bytes")), "{ran:?}");
    }
    let log = app.process.log();
    assert!(!log.contains(&right) && !log.contains(KEY), "{log}");
    assert_eq!(
        told(app.post(spaced).header("X-Webhook-Signature", hex_signature("other", spaced))).await.0,
        401
    );
    app.process.says("in hex or base64 (127.0.0.1").await;
}

#[tokio::test]
async fn a_signing_secret_makes_the_signature_required() {
    let app = App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY)]).await;
    let (status, reason) = told(app.post(SAMPLE)).await;
    assert_eq!((status, reason.contains("no signature")), (403, true));
    assert_eq!(told(app.post(SAMPLE).header("X-Webhook-Signature", "")).await.0, 403);
}

#[tokio::test]
async fn without_a_signing_secret_the_token_is_the_key_and_the_signature_optional() {
    let app = App::receiver(&[("WEBHOOK_TOKEN_PREVIOUS", "old")]).await;
    app.deliver_text(SAMPLE).await;
    assert_eq!(status(&app, &hex_signature(TOKEN, SAMPLE)).await, 200);
    assert_eq!(status(&app, &hex_signature("old", SAMPLE)).await, 200);
    assert_eq!(status(&app, &hex_signature("wrong", SAMPLE)).await, 401);
}

#[tokio::test]
async fn the_previous_signing_secret_verifies_during_a_rotation() {
    let app =
        App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY), ("WEBHOOK_SIGNING_SECRET_PREVIOUS", "old")]).await;
    assert_eq!(status(&app, &hex_signature(KEY, SAMPLE)).await, 200);
    assert_eq!(status(&app, &hex_signature("old", SAMPLE)).await, 200);
    assert_eq!(status(&app, &hex_signature(TOKEN, SAMPLE)).await, 401);
}

#[tokio::test]
async fn the_signature_may_be_optional_or_off_and_in_a_header_of_any_name() {
    let optional = App::receiver(&[
        ("WEBHOOK_SIGNING_SECRET", KEY),
        ("WEBHOOK_SIGNATURE", "optional"),
        ("WEBHOOK_SIGNATURE_HEADER", "X-Hub-Signature-256"),
    ])
    .await;
    assert_eq!(told(optional.post(SAMPLE)).await.0, 200);
    let signed = |key| optional.post(SAMPLE).header("X-Hub-Signature-256", hex_signature(key, SAMPLE));
    assert_eq!(told(signed(KEY)).await.0, 200);
    assert_eq!(told(signed("wrong")).await.0, 401);

    let off = App::receiver(&[("WEBHOOK_SIGNING_SECRET", KEY), ("WEBHOOK_SIGNATURE", "off")]).await;
    assert_eq!(status(&off, "nonsense").await, 200);
}

#[tokio::test]
async fn with_basic_auth_alone_there_is_nothing_to_verify_with_and_the_log_says_so() {
    let app = App::receiver(&[
        ("WEBHOOK_TOKEN", ""),
        ("WEBHOOK_BASIC_USER", "u"),
        ("WEBHOOK_BASIC_PASSWORD", "a-long-password!"),
    ])
    .await;
    let request =
        app.bare(SAMPLE).basic_auth("u", Some("a-long-password!")).header("X-Webhook-Signature", "nonsense");
    assert_eq!(told(request).await.0, 200);
    app.process.says("signatures are ignored").await;
}

#[tokio::test]
async fn a_signature_that_is_sent_twice_is_refused() {
    let app = App::receiver(&[]).await;
    let right = hex_signature(TOKEN, SAMPLE);
    let request = app.post(SAMPLE).header("X-Webhook-Signature", &right).header("X-Webhook-Signature", "00");
    assert_eq!(told(request).await.0, 401);
}
