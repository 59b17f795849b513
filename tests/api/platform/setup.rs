//! `platform create` and `platform show`.

use serde_json::json;

use super::{Deployment, OLD};
use crate::{
    cli::{changed, program},
    helpers::event,
};

#[tokio::test]
async fn a_webhook_is_made_once_as_documented_and_a_call_that_the_platform_tells_is_stored() {
    let mut deployment = Deployment::without_webhook().await;
    let ran = deployment.platform(&["show"]).await;
    assert!(ran.code == 1 && ran.err.contains("`platform create` makes it"), "{ran:?}");

    let ran = deployment.platform(&["create"]).await;
    let webhooks = deployment.app.stand_in.platform().webhooks();
    let id = webhooks[0].id.as_str();
    assert!(ran.code == 0 && ran.out.contains(&format!("PLATFORM_WEBHOOK_ID={id}")), "{ran:?}");
    assert_eq!(webhooks[0].url, format!("{}/webhooks/after-call", deployment.balancer.url));
    assert_eq!(
        webhooks[0].auth,
        stand_in::platform::Auth { header: "x-webhook-token".into(), secret: OLD.into() }
    );
    assert_eq!(json!(webhooks[0].events), json!(["answered", "missed", "voicemail"]));
    let tries = deployment.app.stand_in.platform().place_call(&event("evt_1", "cl_1")).await;
    assert_eq!(tries[0].status, Some(200));
    assert_eq!(deployment.app.count("select count(*) from call_event").await, 1);

    let again = deployment.platform(&["create"]).await;
    assert!(again.code == 0 && again.out.contains(&format!("{id} is there already")), "{again:?}");
    assert_eq!(deployment.app.stand_in.platform().webhooks().len(), 1);
    assert!(!format!("{ran:?}{again:?}").contains(OLD));

    for by_id in ["", id] {
        deployment.set("PLATFORM_WEBHOOK_ID", by_id);
        let ran = deployment.platform(&["show"]).await;
        assert!(ran.code == 0 && ran.out.contains("status: enabled"), "{ran:?}");
        assert!(!ran.out.contains("it must be"), "{ran:?}");
    }
    deployment.set("WEBHOOK_TOKEN_HEADER", "X-Another");
    let ran = deployment.platform(&["show"]).await;
    assert!(ran.code == 1 && ran.out.contains("header: x-webhook-token (it must be x-another)"), "{ran:?}");
    assert!(!ran.out.contains(OLD));
}

#[tokio::test]
async fn a_webhook_whose_answer_is_lost_is_found_and_no_second_one_is_made() {
    let deployment = Deployment::without_webhook().await;
    deployment.app.stand_in.fail(stand_in::Fault::lose_reply().method("POST").on("/v1/webhooks"));
    let ran = deployment.platform(&["create"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(deployment.app.stand_in.platform().webhooks().len(), 1);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_with_what_to_do() {
    let deployment = Deployment::without_webhook().await;
    for (name, value, part) in [
        ("PLATFORM_API_URL", "", "PLATFORM_API_URL is not set"),
        ("PLATFORM_API_URL", "http://api.example.com", "PLATFORM_API_URL must begin with https://"),
        ("PLATFORM_API_KEY", "", "PLATFORM_API_KEY is not set"),
        ("PLATFORM_API_KEY", "a-wrong-key", "is PLATFORM_API_KEY right"),
        ("PLATFORM_API_KEY", "stand-in-reader", "may the key of PLATFORM_API_KEY change webhooks"),
        ("PUBLIC_URL", "", "PUBLIC_URL is not set"),
        ("PUBLIC_URL", "http://calls.example.com", "PUBLIC_URL must begin with https://"),
        ("WEBHOOK_TOKEN_FILE", "", "WEBHOOK_TOKEN is not set: `aftercall init` makes one"),
    ] {
        let ran = program(&["platform", "create"], &changed(&deployment.settings, name, value)).await;
        assert!(ran.code == 1 && ran.err.contains(part), "{name} {value}: {ran:?}");
        assert!(!ran.err.contains("a-wrong-key"), "{ran:?}");
    }
    assert!(deployment.app.stand_in.platform().webhooks().is_empty());
}
