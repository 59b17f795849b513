//! What `aftercall doctor` says of HubSpot.

use stand_in::{Fault, Options, StandIn, hubspot};

use crate::cli::doctor::{Good, one_cross};

async fn good() -> (Good, StandIn) {
    let stand_in = StandIn::start(Options::default()).await.unwrap();
    let own = [("HUBSPOT_BASE_URL", stand_in.url()), ("HUBSPOT_TOKEN", Options::default().hubspot.token)];
    (Good::with_job("update-crm", &own).await, stand_in)
}

#[tokio::test]
async fn a_key_that_is_in_force_is_a_tick_and_nothing_is_written() {
    let (good, stand_in) = good().await;
    let ran = good.with("", "").await;
    let says = "✓ update-crm: the key may find contacts, and external_call_id is there";
    assert!(ran.code == 0 && ran.out.contains(says), "{ran:?}");
    assert!(stand_in.hubspot().calls().is_empty());
}

#[tokio::test]
async fn a_wrong_setting_is_a_cross_that_names_it() {
    let (good, _stand_in) = good().await;
    for (name, value, parts) in [
        ("HUBSPOT_TOKEN", "", &["update-crm: HUBSPOT_TOKEN is not set", "JOBS"][..]),
        ("HUBSPOT_TOKEN", "revoked", &["update-crm: ", "401", "HUBSPOT_TOKEN"]),
        ("HUBSPOT_BASE_URL", "http://127.0.0.1:1", &["update-crm: ", "refused", "is its address right"]),
    ] {
        one_cross(&good.with(name, value).await, parts);
    }
}

#[tokio::test]
async fn a_refusal_is_a_cross_that_says_what_to_do() {
    let (good, stand_in) = good().await;
    stand_in.fail(Fault::status(403).on("/contacts/search").endless());
    one_cross(&good.with("", "").await, &["update-crm: ", "403", "scopes"]);
    stand_in.clear_faults();
    stand_in.fail(Fault::status(403).on("/crm/properties/").endless());
    let ran = good.with("", "").await;
    assert!(ran.code == 0 && ran.out.contains("may not see whether external_call_id is there"), "{ran:?}");
    let hubspot = hubspot::Options { without_property: true, ..Default::default() };
    let bare = StandIn::start(Options { hubspot, ..Options::default() }).await.unwrap();
    let ran = good.with("HUBSPOT_BASE_URL", &bare.url()).await;
    one_cross(&ran, &["update-crm: external_call_id is missing", "aftercall setup"]);
}
