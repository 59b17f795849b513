//! Whoever is to change something logs in first.

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header, redirect::Policy};
use stand_in::Fault;
use tokio::task::JoinSet;

use super::{PASSWORD, call, hardened, start};
use crate::helpers::{App, Process, TOKEN, eventually, files::Files};

/// Somebody at a browser, with the cookie and the forms of a session.
pub(super) struct Person {
    http: Client,
    pub(super) cookie: String,
    pub(super) csrf: String,
}

impl Person {
    /// Logs in.
    pub(super) async fn at(process: &Process) -> Self {
        let answer = log_in(process, PASSWORD, "/calls").send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let kept = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = kept.split_once(';').unwrap().0.to_owned();
        let mut person = Self { http: client(), cookie, csrf: String::new() };
        let list = person.reads(process, "/calls").await.text().await.unwrap();
        let held = list.split_once("name=\"csrf\" value=\"").expect("the form to log out").1;
        held.split_once('"').unwrap().0.clone_into(&mut person.csrf);
        person
    }

    pub(super) async fn reads(&self, process: &Process, path: &str) -> Response {
        let page = self.http.get(process.admin_url(path)).header(header::COOKIE, &self.cookie);
        page.send().await.unwrap()
    }

    /// Sends a form as the page of the console has it.
    pub(super) async fn sends(&self, process: &Process, path: &str, fields: &[(&str, &str)]) -> Response {
        let fields: Vec<_> =
            [("csrf", self.csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        form(post(process, path).header(header::COOKIE, &self.cookie), &fields).send().await.unwrap()
    }
}

pub(super) fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// A form from the console's own page, with neither session nor token yet.
pub(super) fn post(process: &Process, path: &str) -> RequestBuilder {
    let origin = process.admin_url("");
    client().post(process.admin_url(path)).header(header::ORIGIN, origin.trim_end_matches('/'))
}

fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let url = Url::parse_with_params("http://form", fields).unwrap();
    let body = url.query().unwrap_or_default().to_owned();
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

fn log_in(process: &Process, password: &str, next: &str) -> RequestBuilder {
    form(post(process, "/login"), &[("password", password), ("next", next)])
}

#[tokio::test]
async fn a_session_begins_with_the_password_and_ends_with_a_log_out_and_the_log_says_both() {
    let app = start().await;
    let wrong = log_in(&app.process, TOKEN, "/calls/evt_1").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers().get(header::SET_COOKIE).is_none());
    let form = wrong.text().await.unwrap();
    assert!(form.contains("This is not the password.") && form.contains("value=\"/calls/evt_1\""), "{form}");

    let right = log_in(&app.process, PASSWORD, "/calls/evt_1").send().await.unwrap();
    hardened(&right);
    assert_eq!(
        (right.status(), &right.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/calls/evt_1".parse().unwrap())
    );
    let cookie = right.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("session=") && cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("Secure"), "by plain HTTP a browser would refuse it: {cookie}");
    let elsewhere = log_in(&app.process, PASSWORD, "//evil.example/").send().await.unwrap();
    assert_eq!(elsewhere.headers()[header::LOCATION], "/");

    let person = Person::at(&app.process).await;
    assert_eq!(person.reads(&app.process, "/calls").await.status(), 200);
    let left = person.sends(&app.process, "/logout", &[]).await;
    assert_eq!(
        (left.status(), &left.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/login".parse().unwrap())
    );
    assert!(left.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("session=; Path=/; Max-Age=0;"));
    assert_eq!(person.reads(&app.process, "/calls").await.status(), 401);
    for told in ["a wrong password for the console", "somebody logged in at the console"] {
        app.process.says(told).await;
    }
    assert_eq!(app.process.says("somebody logged out").await["client"], "127.0.0.1");
    let log = app.process.log();
    for secret in [PASSWORD, person.cookie.split_once('=').unwrap().1, &person.csrf] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn behind_tls_the_cookie_is_of_this_host_and_https_alone() {
    let settings = [("CONSOLE_PASSWORD", PASSWORD), ("TRUSTED_PROXIES", "127.0.0.1")];
    let app = App::receiver(&settings).await;
    let through_proxy = |request: RequestBuilder| {
        request.header("x-forwarded-proto", "https").header("x-forwarded-for", "192.0.2.7")
    };
    let answer = through_proxy(log_in(&app.process, PASSWORD, "/")).send().await.unwrap();
    let kept = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(
        kept.starts_with("__Host-session=")
            && kept.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"),
        "{kept}"
    );
    assert_eq!(app.process.says("somebody logged in").await["client"], "192.0.2.7");

    let value = kept.split_once(';').unwrap().0.split_once('=').unwrap().1;
    let status = async |cookie: String| {
        let page = client().get(app.process.admin_url("/calls")).header(header::COOKIE, cookie);
        through_proxy(page).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(format!("a=b; __Host-session={value}")).await, 200);
    // A name that another host of the domain could have set.
    assert_eq!(status(format!("session={value}")).await, 401);
}

#[tokio::test]
async fn a_session_ends_with_the_password_that_it_began_with() {
    let files = Files::new();
    files.write("password", PASSWORD);
    let app = App::receiver(&[("CONSOLE_PASSWORD_FILE", &files.setting("password"))]).await;
    let person = Person::at(&app.process).await;
    assert_eq!(person.reads(&app.process, "/calls").await.status(), 200);
    files.write("password", "another-password-for-people");
    app.process.says("CONSOLE_PASSWORD changed, and is in force").await;
    assert_eq!(person.reads(&app.process, "/calls").await.status(), 401);
}

#[tokio::test]
async fn guesses_at_the_form_are_refused_before_they_are_compared() {
    let app = App::receiver(&[("CONSOLE_PASSWORD", PASSWORD)]).await;
    // One client for all: to make one takes longer than to ask.
    let (guess, right) = (log_in(&app.process, "a guess", "/"), log_in(&app.process, PASSWORD, "/"));
    let status = async |request: &RequestBuilder| request.try_clone().unwrap().send().await.unwrap().status();
    eventually("a guess is told to wait, and the right one too", async || {
        let guesses: JoinSet<_> = (0..15).map(|_| guess.try_clone().unwrap().send()).collect();
        let answers = guesses.join_all().await;
        let told = answers.into_iter().any(|answer| answer.unwrap().status() == 429);
        told && status(&right).await == 429
    })
    .await;
}

/// What a change could have changed.
async fn state(app: &App) -> String {
    app.text(
        "select (select json_agg(j order by id) from apalis.jobs j)::text
             || (select json_agg(a order by event_id, job, number) from attempt a)::text
             || (select json_agg(r order by event_id, job) from receipt r)::text",
    )
    .await
}

#[tokio::test]
async fn nothing_changes_without_a_session_its_token_and_its_own_page() {
    let app = start().await;
    app.leaves_jobs();
    call(&app, "done", None, "done").await;
    call(&app, "lost", Some(Fault::status(422)), "given up").await;
    app.stand_in.clear_faults();
    let idle = "select count(*) from apalis.jobs where status in ('Done', 'Killed')";
    eventually("the queue has heard of both", async || app.count(idle).await == 2).await;
    let (person, other, gone) =
        (Person::at(&app.process).await, Person::at(&app.process).await, Person::at(&app.process).await);
    gone.sends(&app.process, "/logout", &[]).await;
    let before = state(&app).await;

    let routes =
        ["/calls/evt_lost/run", "/calls/evt_done/again", "/gave-up/retry", "/gave-up/discard", "/logout"];
    for path in routes {
        let (cookie, job, all) = (person.cookie.as_str(), ("job", "report-call"), ("all", "1"));
        let form = |request: RequestBuilder, csrf: &str| form(request, &[("csrf", csrf), job, all]);
        let bare = || client().post(app.process.admin_url(path));
        let own = || post(&app.process, path);
        let with = |cookie: &str| own().header(header::COOKIE, cookie);
        let from = |origin: &str| bare().header(header::ORIGIN, origin).header(header::COOKIE, cookie);
        let csrf = person.csrf.as_str();
        let refused = [
            ("no session", 401, form(own(), csrf)),
            ("Basic Auth", 401, form(own().basic_auth("anybody", Some(PASSWORD)), csrf)),
            ("an unknown session", 401, form(with("session=00"), csrf)),
            ("one that was ended", 401, form(with(&gone.cookie), &gone.csrf)),
            ("no token", 403, self::form(with(cookie), &[job, all])),
            ("an empty token", 403, form(with(cookie), "")),
            ("another's token", 403, form(with(cookie), &other.csrf)),
            ("a wrong token", 403, form(with(cookie), "00")),
            ("no origin", 403, form(bare().header(header::COOKIE, cookie), csrf)),
            ("a hidden origin", 403, form(from("null"), csrf)),
            ("another origin", 403, form(from("https://evil.example"), csrf)),
            ("another port", 403, form(from("http://127.0.0.1:1"), csrf)),
            ("no form", 415, with(cookie).json(&[("csrf", csrf)])),
        ];
        for (what, status, request) in refused {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}: {what}");
            hardened(&answer);
        }
    }
    assert_eq!(state(&app).await, before, "nothing was changed");
    let page = app.process.admin_url("/calls/evt_lost");
    let ended = post(&app.process, "/calls/evt_lost/run").header(header::REFERER, page).send().await.unwrap();
    let form = ended.text().await.unwrap();
    assert!(form.contains("value=\"/calls/evt_lost\"") && form.contains("Your session has ended"), "{form}");
    assert_eq!(person.reads(&app.process, "/calls").await.status(), 200, "nor was anybody logged out");
}
