//! What `aftercall doctor` says of Zendesk.

use stand_in::{Fault, Options, StandIn};

use crate::cli::doctor::{Good, one_cross};

#[tokio::test]
async fn a_client_that_is_in_force_is_a_tick_and_what_is_wrong_is_a_cross() {
    let stand_in = StandIn::start(Options::default()).await.unwrap();
    let accepts = Options::default().zendesk;
    let own = [
        ("ZENDESK_BASE_URL", stand_in.url()),
        ("ZENDESK_CLIENT_ID", accepts.client_id),
        ("ZENDESK_CLIENT_SECRET", accepts.client_secret),
    ];
    let good = Good::with_job("attach-recording", &own).await;
    let ran = good.with("", "").await;
    let says = "✓ attach-recording: the client is known, and may read tickets";
    assert!(ran.code == 0 && ran.out.contains(says), "{ran:?}");
    let ran = good.with("ZENDESK_CLIENT_SECRET", "").await;
    one_cross(&ran, &["attach-recording: ", "ZENDESK_CLIENT_SECRET is not set"]);
    let ran = good.with("ZENDESK_CLIENT_SECRET", "revoked").await;
    one_cross(&ran, &["attach-recording: ", "401", "ZENDESK_CLIENT_SECRET"]);
    stand_in.fail(Fault::status(403).on("/api/v2/").endless());
    one_cross(&good.with("", "").await, &["attach-recording: ", "403", "scopes"]);
}
