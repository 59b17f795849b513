//! The console's password changes while the process runs.

use crate::helpers::{App, files::Files};

#[tokio::test]
async fn a_console_password_that_changes_in_its_file_opens_the_console_and_the_one_before_no_longer() {
    let files = Files::new();
    files.write("password", "the-first-password");
    let app = App::receiver(&[("CONSOLE_PASSWORD_FILE", &files.setting("password"))]).await;
    let console = app.http.get(app.process.admin_url("/calls"));
    let status = async |password: &str| {
        let asked = console.try_clone().unwrap().basic_auth("anybody", Some(password));
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!((status("the-first-password").await, status("the-second-password").await), (200, 401));
    files.write("password", "the-second-password");
    app.process.says("CONSOLE_PASSWORD changed, and is in force").await;
    assert_eq!((status("the-first-password").await, status("the-second-password").await), (401, 200));

    files.write("password", "short");
    app.process.says("CONSOLE_PASSWORD has fewer than 16 characters").await;
    assert_eq!(status("the-second-password").await, 200);
}
