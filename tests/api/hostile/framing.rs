//! Heads, lengths, and what is no HTTP at all.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpSocket};

use crate::helpers::{
    App, SAMPLE, TOKEN, event,
    raw::{complete, delivery},
};

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

fn chunks(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// A delivery whose request line is another.
fn asking(line: &str) -> Vec<u8> {
    let usual = String::from_utf8(complete("", SAMPLE)).unwrap();
    usual.replacen("POST /webhooks/after-call HTTP/1.1", line, 1).into_bytes()
}

#[tokio::test]
async fn every_head_gets_its_answer() {
    let app = App::receiver(&[]).await;
    let long = |letters: usize| "x".repeat(letters);
    for (what, request, statuses) in [
        ("a head of 1 MB", delivery(&format!("x-long: {}\r\n", long(1_000_000)), ""), vec![431]),
        ("a head of 20 kB", delivery(&format!("x-long: {}\r\n", long(20_000)), ""), vec![431]),
        ("a thousand headers", complete(&"x-many: 1\r\n".repeat(1000), SAMPLE), vec![431]),
        ("fifty headers", complete(&"x-many: 1\r\n".repeat(50), SAMPLE), vec![200]),
        ("a URL of 1 MB", asking(&format!("POST /{} HTTP/1.1", long(1_000_000))), vec![431]),
        ("a URL of 10 kB", asking(&format!("POST /{} HTTP/1.1", long(10_000))), vec![404]),
        (
            "a query of 10 kB",
            asking(&format!("POST /webhooks/after-call?{} HTTP/1.1", long(10_000))),
            vec![200],
        ),
        ("an absolute URI", asking("POST http://elsewhere/webhooks/after-call HTTP/1.1"), vec![200]),
        ("a path around the corner", asking("POST /webhooks/../webhooks/after-call HTTP/1.1"), vec![404]),
        ("a tunnel", b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), vec![404]),
        ("a star", b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), vec![404]),
        ("a method of its own", asking("SHOUT /webhooks/after-call HTTP/1.1"), vec![405]),
        ("HTTP/1.0", asking("POST /webhooks/after-call HTTP/1.0"), vec![200]),
        ("a body in chunks", delivery(CHUNKED, &chunks(SAMPLE)), vec![200]),
        ("HTTP/3.0", asking("POST /webhooks/after-call HTTP/3.0"), vec![400]),
        ("HTTP/0.9", b"GET /webhooks/after-call\r\n\r\n".to_vec(), vec![400]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(), vec![400]),
        ("HTTP/2 by upgrade", complete("connection: upgrade\r\nupgrade: h2c\r\n", SAMPLE), vec![200]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03".to_vec(), vec![400]),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), vec![400]),
        ("NULs", vec![0; 100], vec![400]),
        ("a folded header", complete("x-folded: a\r\n b\r\n", SAMPLE), vec![400]),
        ("a space before the colon", complete("x-space : a\r\n", SAMPLE), vec![400]),
        ("a header without a name", complete(": a\r\n", SAMPLE), vec![400]),
        ("half a head", b"POST /webhooks/after-call HTTP/1.1\r\nhost".to_vec(), vec![400]),
        ("nothing", vec![], vec![]),
        ("empty lines", b"\r\n\r\n".to_vec(), vec![]),
    ] {
        let answers = app.say(&request).await;
        assert_eq!(answers.statuses(), statuses, "{what}: {answers:?}");
    }
}

#[tokio::test]
async fn every_framing_gets_its_answer() {
    let app = App::receiver(&[]).await;
    let length = SAMPLE.len();
    let content_length = |value: &str| delivery(&format!("content-length: {value}\r\n"), SAMPLE);
    let coded = |coding: &str| delivery(&format!("transfer-encoding: {coding}\r\n"), &chunks(SAMPLE));
    let old = String::from_utf8(coded("chunked")).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
    let mut bytewise: String = SAMPLE.chars().flat_map(|one| ['1', '\r', '\n', one, '\r', '\n']).collect();
    bytewise.push_str("0\r\n\r\n");
    for (what, request, status) in [
        ("a byte a chunk", delivery(CHUNKED, &bytewise), 200),
        ("the same length twice", content_length(&format!("{length}\r\ncontent-length: {length}")), 200),
        ("two lengths", content_length(&format!("{length}\r\ncontent-length: 5")), 400),
        ("two lengths in one line", content_length(&format!("{length}, 5")), 400),
        ("a negative length", content_length("-1"), 400),
        ("a signed length", content_length(&format!("+{length}")), 400),
        ("a length in hex", content_length("0x10"), 400),
        ("no length", content_length(""), 400),
        ("a length past 64 bits", content_length("18446744073709551616"), 400),
        ("the greatest length", content_length("18446744073709551615"), 431),
        ("a length of exabytes", content_length("9223372036854775807"), 413),
        ("neither length nor chunks", delivery("", SAMPLE), 400),
        ("a body that breaks off", content_length(&(length + 1).to_string()), 400),
        ("chunks that break off", delivery(CHUNKED, "5\r\n{\"eve"), 400),
        ("a chunk of no length", delivery(CHUNKED, "zz\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk past 64 bits", delivery(CHUNKED, "fffffffffffffffff\r\n{}"), 400),
        ("a chunk of exabytes", delivery(CHUNKED, "7fffffffffffffff\r\n{}"), 400),
        ("a chunk's endless extension", delivery(CHUNKED, &format!("2;{}", "x".repeat(100_000))), 400),
        (
            "an endless trailer",
            delivery(CHUNKED, &format!("2\r\n{{}}\r\n0\r\nx: {}", "x".repeat(100_000))),
            400,
        ),
        ("chunks that are not the last coding", coded("chunked, gzip"), 400),
        ("a coding that nobody knows", coded("xchunked"), 400),
        ("chunks in HTTP/1.0", old.into_bytes(), 400),
        ("gzip that says so", complete("content-encoding: gzip\r\n", "\x1f\u{8b}"), 415),
        (
            "an encoding twice",
            complete("content-encoding: identity\r\ncontent-encoding: gzip\r\n", SAMPLE),
            415,
        ),
    ] {
        let answers = app.say(&request).await;
        // What stands behind the body that the head speaks of may be answered as a request of its own, which it is none.
        assert_eq!(answers.statuses()[0], status, "{what}: {answers:?}");
        assert!(answers.statuses()[1..].iter().all(|status| *status == 400), "{what}: {answers:?}");
    }
}

#[tokio::test]
async fn a_request_that_hides_behind_two_framings_is_not_heard() {
    let app = App::receiver(&[]).await;
    let hidden = String::from_utf8(complete("", &event("evt_hidden", "cl_1").to_string())).unwrap();
    let body = chunks(&event("evt_shown", "cl_1").to_string()) + &hidden;
    let length = format!("content-length: {}\r\n", body.len());
    for (what, lines) in [
        ("length first", format!("{length}{CHUNKED}")),
        ("chunks first", format!("{CHUNKED}{length}")),
        ("another length", format!("content-length: 3\r\n{CHUNKED}")),
        ("and keep-alive", format!("{CHUNKED}{length}connection: keep-alive\r\n")),
    ] {
        let answers = app.say(&delivery(&lines, &body)).await;
        assert_eq!(answers.statuses(), [200], "{what}: {answers:?}");
        assert!(
            answers.0.contains("evt_shown") && answers.0.contains("connection: close"),
            "{what}: {answers:?}"
        );
    }
    assert_eq!(app.count("select count(*) from call_event").await, 1);
}

#[tokio::test]
async fn pipelined_requests_are_each_answered_in_order() {
    let app = App::receiver(&[]).await;
    let one = |number: usize| complete("", &event(&format!("evt_{number}"), "cl_1").to_string());
    let all = (0..20).flat_map(one).collect::<Vec<_>>();
    let answers = app.say(&all).await;
    assert_eq!(answers.statuses(), [200; 20]);
    let order: Vec<_> = (0..20).filter_map(|number| answers.0.find(&format!("evt_{number}\""))).collect();
    assert!(order.len() == 20 && order.is_sorted(), "{answers:?}");
}

#[tokio::test]
async fn who_asks_before_sending_the_body_is_told_to_go_on_or_refused_at_once() {
    let app = App::receiver(&[]).await;
    let lines = "expect: 100-continue\r\nconnection: close\r\n";
    assert_eq!(app.say(&complete(lines, SAMPLE)).await.statuses(), [100, 200]);
    let head = delivery(&format!("{lines}content-length: {}\r\n", SAMPLE.len()), "");
    let pause = Duration::from_millis(300);
    let answers = app.converse(&[&head, SAMPLE.as_bytes()], pause, false).await;
    assert_eq!(answers.statuses(), [100, 200]);
    let wrong = String::from_utf8(head.clone()).unwrap().replace(TOKEN, "wrong");
    assert_eq!(app.say_and_wait(wrong.as_bytes()).await.statuses(), [401]);
    let large = delivery(&format!("{lines}content-length: 100000000\r\n"), "");
    assert_eq!(app.say_and_wait(&large).await.statuses(), [413]);
}

#[tokio::test]
async fn a_body_that_never_ends_gets_413_when_it_is_too_large_and_408_when_it_is_too_slow() {
    let app = App::receiver(&[]).await;
    let head = delivery(CHUNKED, "");
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
    let endless: Vec<_> =
        std::iter::once(&head[..]).chain(std::iter::repeat_n(chunk.as_bytes(), 100_000)).collect();
    let drip =
        std::iter::once(&head[..]).chain(std::iter::repeat_n(&b"1\r\n \r\n"[..], 1000)).collect::<Vec<_>>();
    let known = delivery("content-length: 60000\r\n", "");
    let known_drip =
        std::iter::once(&known[..]).chain(std::iter::repeat_n(&b" "[..], 1000)).collect::<Vec<_>>();
    let slowly = Duration::from_millis(100);
    let (fast, slow, known_slow, none) = tokio::join!(
        app.converse(&endless, Duration::ZERO, false),
        app.converse(&drip, slowly, false),
        app.converse(&known_drip, slowly, false),
        app.say_and_wait(&known),
    );
    assert_eq!(fast.statuses(), [413]);
    for slow in [slow, known_slow, none] {
        assert_eq!(slow.statuses(), [408]);
    }
}

#[tokio::test]
async fn who_sends_requests_and_reads_no_answer_is_given_up() {
    let app = App::receiver(&[]).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(app.process.address().parse().unwrap()).await.unwrap();
    let requests = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let shouting = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_mins(1), shouting).await.expect("it keeps the connection");
}
