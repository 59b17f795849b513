//! A call whose data was deleted.

use super::{call, page, start};
use crate::helpers::run;

#[tokio::test]
async fn the_pages_show_what_remains_of_it_and_when_the_rest_was_deleted() {
    let app = start().await;
    call(&app, "1", None, "done").await;
    let settings = [("DATABASE_URL".to_owned(), app.setting("DATABASE_URL").to_owned())];
    let erased = run(&["erase", "+14085551234", "--yes"], &settings, "").await;
    assert_eq!(erased.code, 0, "{erased:?}");

    let list = page(&app, "/calls").await;
    assert!(list.contains("data deleted") && !list.contains("unknown"), "{list}");
    let one = page(&app, "/calls/evt_1").await;
    let on =
        app.text("select to_char(pruned_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') from call").await;
    assert!(one.contains(&format!("Its data was deleted on {on} (RETENTION_DAYS, or")), "{one}");
    for (shown, there) in
        [("delivery evt_1:report-call", true), ("answered", true), ("done", true), ("Payload", false)]
    {
        assert_eq!(one.contains(shown), there, "{shown}: {one}");
    }
    for page in [list, one] {
        assert!(
            !page.contains("4085551234") && !page.contains("Jordan") && !page.contains("Callback"),
            "{page}"
        );
    }
}
