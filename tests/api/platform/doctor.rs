//! What `doctor` says of the token.

use super::{Deployment, OLD};
use crate::helpers::run;

#[tokio::test]
async fn it_says_how_old_the_token_is_when_it_is_overdue_and_when_a_rotation_is_unfinished() {
    let deployment = Deployment::start().await;
    let token = async || {
        let ran = run(&["doctor"], &deployment.settings, "").await;
        ran.out.lines().find(|line| line.contains(" token: ")).unwrap().to_owned()
    };
    assert_eq!(token().await, "✓ token: seen for the first time within a day");
    for (days, said) in [
        (91, "✓ token: in force for 91 days at least"),
        (93, "✓ token: warning: in force for 93 days at least"),
    ] {
        let aged = "update webhook_secret set first_seen_at = now() - make_interval(days => $1)";
        sqlx::query(aged).bind(days).execute(&deployment.app.db).await.unwrap();
        let line = token().await;
        assert!(line.starts_with(said), "{line}");
        assert!(days == 91 || line.contains("at least quarterly"), "{line}");
    }
    deployment.files.write("token", "another-long-secret");
    let line = token().await;
    assert!(line.contains("warning: a rotation is unfinished"), "{line}");
    assert!(!line.contains("another-long-secret") && !line.contains(OLD));
}
