//! The pages for people, in a browser: Chromium, driven by chromedriver.
//!
//! A machine may have none, so these wait to be asked for: `cargo test --test api browser -- --ignored`.

use serde_json::json;
use stand_in::Fault;

use super::{call, driver::Browser, start};
use crate::helpers::{event, eventually};

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_browser_shows_what_became_of_a_call_and_leads_to_its_cause() {
    let app = start().await;
    let browser = Browser::start(&app).await;
    call(&app, "done", None, "done").await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;

    browser.open(&app, "/calls").await;
    let list = browser.text().await;
    let (given_up, done) = (list.find("given up").unwrap(), list.rfind("done").unwrap());
    assert!(given_up < done && list[given_up..done].contains("REPORT_URL answered 422"), "{list}");

    browser.click("/calls/evt_lost").await;
    let page = browser.text().await;
    assert!(page.contains("1 attempt") && page.contains("REPORT_URL answered 422"), "{page}");
    assert!(page.contains(r#""event_id": "evt_lost""#), "the payload: {page}");

    // The policy that forbids all else lets the page's own style through.
    let styled = "return [document.styleSheets.length, document.styleSheets[0].cssRules.length > 0]";
    assert_eq!(browser.finds(styled).await, json!([1, true]));
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_browser_runs_nothing_and_fetches_nothing_of_what_a_caller_wrote() {
    let app = start().await;
    let browser = Browser::start(&app).await;
    let elsewhere = format!("{}/sink/elsewhere", app.stand_in.url());
    let hostile = format!(
        "</pre></title></style>--><script>document.title='owned'</script>\"'><img src='{elsewhere}' \
         onerror=\"document.title='owned'\"><iframe src='{elsewhere}'></iframe><b id=planted>bold</b>"
    );
    let mut body = event("evt_hostile", "cl_hostile");
    for field in ["from", "to", "status", "reason", "direction", "parent_call_id", "notes"] {
        body[field] = json!(hostile);
    }
    body["queue"] = json!({ "id": hostile, "name": hostile });
    body["agent"] = json!({ "id": hostile, "name": hostile });
    body["custom_fields"] = json!({ (&hostile): hostile });
    body["recording_url"] = json!("javascript:document.title='owned'");
    app.deliver(&body).await;
    app.all_done().await;
    sqlx::query("update attempt set reason = $1").bind(&hostile).execute(&app.db).await.unwrap();

    for path in ["/calls", "/calls/evt_hostile"] {
        browser.open(&app, path).await;
        let shown = browser.text().await;
        assert!(shown.contains("<b id=planted>bold</b>"), "it is text: {shown}");
        let found = browser
            .finds(
                "return {
                    owned: document.title === 'owned',
                    planted: document.querySelectorAll('#planted, script:not([defer]), img, iframe, [onerror]').length,
                    links: [...document.links].filter(link => link.origin !== location.origin).length,
                    fetched: performance.getEntriesByType('resource')
                        .map(one => new URL(one.name)).filter(one => one.origin !== location.origin).length,
                }",
            )
            .await;
        assert_eq!(found, json!({ "owned": false, "planted": 0, "links": 0, "fetched": 0 }), "{path}");
    }
}

/// Every text with less contrast to what is behind it than WCAG 2.2 asks of small text (4.5 : 1), and how far the page
/// reaches beyond the window.
const HARD_TO_READ: &str = r"
    const numbers = colour => colour.match(/[\d.]+/g).map(Number);
    const luminance = colour => {
        const [r, g, b] = numbers(colour).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if ((numbers(colour)[3] ?? 1) === 1) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = new Set();
    let texts = 0;
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim()) continue;
        texts += 1;
        const pair = [getComputedStyle(element).color, behind(element)];
        const [low, high] = pair.map(luminance).sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) faint.add(`${element.className}: ${pair.join(' on ')}, ${contrast.toFixed(2)}`);
    }
    return {
        texts: texts > 20,
        dark: luminance(getComputedStyle(document.body).backgroundColor) < 0.2,
        faint: [...faint],
        beyond: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    }";

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_browser_shows_it_legibly_light_and_dark_and_on_a_phone() {
    let app = start().await;
    let browser = Browser::start(&app).await;
    app.leaves_jobs();
    call(&app, "done", None, "done").await;
    call(&app, "failing", Some(Fault::status(503)), "retrying").await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;
    let mut odd = event("evt_odd", "cl_odd");
    odd["duration_seconds"] = json!("long");
    odd["notes"] = json!("a-word-that-never-ends".repeat(20));
    app.deliver(&odd).await;

    for (scheme, dark) in [("light", false), ("dark", true)] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.emulate("setEmulatedMedia", json!({ "features": [feature] })).await;
        for width in [1280, 390] {
            let screen =
                json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
            browser.emulate("setDeviceMetricsOverride", screen).await;
            for path in ["/", "/gave-up", "/calls", "/calls/evt_lost", "/calls/evt_failing", "/calls/evt_odd"]
            {
                browser.open(&app, path).await;
                let found = browser.finds(HARD_TO_READ).await;
                let expected = json!({ "texts": true, "dark": dark, "faint": [], "beyond": 0 });
                assert_eq!(found, expected, "{path}, {scheme}, {width} pixels wide");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_person_sees_why_a_call_is_missing_mends_it_and_sees_it_turn_to_done() {
    let app = start().await;
    let browser = Browser::start(&app).await;
    call(&app, "1", Some(Fault::status(503)), "retrying").await;
    browser.open(&app, "/calls").await;
    assert!(browser.text().await.contains("retrying report-call"), "{}", browser.text().await);
    browser.click("/calls/evt_1").await;
    let page = browser.text().await;
    assert!(page.contains("report-call is not done: REPORT_URL answered 503"), "{page}");
    assert!(
        page.contains("Attempt 1 failed, the next comes in ") && page.contains("It is given up on "),
        "{page}"
    );

    app.stand_in.clear_faults();
    browser.press("Run what is missing").await;
    eventually("the page turns to done by itself", async || {
        let page = browser.text().await;
        page.contains("All is done.") && !page.contains("Run what is missing")
    })
    .await;
    assert_eq!(app.stand_in.sink().distinct_keys(), 1);

    browser.press("Run again…").await;
    browser.press("Run report-call again").await;
    eventually("it ran once more", async || browser.text().await.contains("3 attempts")).await;
    app.all_done().await;
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_page_that_is_open_shows_the_first_call_by_itself() {
    let app = start().await;
    let (overview, list) = (Browser::start(&app).await, Browser::start(&app).await);
    overview.open(&app, "/").await;
    list.open(&app, "/calls").await;
    for browser in [&overview, &list] {
        assert!(browser.text().await.contains("No call has come yet."));
    }
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    for (browser, news) in [(&overview, "report-call"), (&list, "+14085551234")] {
        eventually("it is shown", async || {
            let shown = browser.text().await;
            shown.contains(news) && !shown.contains("No call has come yet.")
        })
        .await;
    }
}
