//! A database in trouble: what can't be stored is answered 503, and all is as before once the trouble is over.

use crate::helpers::{App, SAMPLE, database, eventually, proxy::Proxy, told};

#[tokio::test]
async fn a_network_that_goes_silent_is_answered_503_and_forgotten_when_it_is_back() {
    let proxy = Proxy::before(&database::create().await).await;
    let app = App::behind(&proxy, Some("receive"), &[]).await;
    assert_eq!(told(app.post(SAMPLE)).await.0, 200);
    proxy.silence();
    assert_eq!(told(app.post(SAMPLE)).await.0, 503);
    proxy.heal();
    eventually("it stores again", async || told(app.post(SAMPLE)).await.0 == 200).await;
}
