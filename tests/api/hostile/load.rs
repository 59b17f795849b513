//! Many at a time: memory and connections stay bounded, and real calls pass.

use std::{net::SocketAddr, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::helpers::{
    App, DEADLINE, TOKEN, event, eventually,
    raw::{complete, delivery},
};

const MB: u64 = 1024;

/// What stands in the sample's notes.
const SAMPLE_NOTES: usize = "Callback scheduled".len();

/// By how much a test may raise the process's peak, in kB.
fn grown(app: &App, before: u64) -> u64 {
    let grown = app.process.peak_memory() - before;
    println!("{} MB above {} MB", grown / MB, before / MB);
    grown
}

#[tokio::test]
async fn bodies_of_100_mb_are_refused_and_not_held() {
    let app = App::receiver(&[]).await;
    let before = app.process.peak_memory();
    let known = delivery("content-length: 100000000\r\n", "");
    let chunked = delivery("transfer-encoding: chunked\r\n", "");
    let bare = String::from_utf8(known.clone()).unwrap().replace(TOKEN, "wrong").into_bytes();
    let health = b"GET /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n";
    let piece = vec![b' '; 100_000];
    let chunk = [b"186a0\r\n", &piece[..], b"\r\n"].concat();
    let send = async |head: &[u8], piece: &[u8]| {
        let parts: Vec<_> = std::iter::once(head).chain(std::iter::repeat_n(piece, 1000)).collect();
        app.converse(&parts, Duration::ZERO, true).await.statuses()
    };
    let (known, also_known, chunked, also_chunked, bare, health) = tokio::join!(
        send(&known, &piece),
        send(&known, &piece),
        send(&chunked, &chunk),
        send(&chunked, &chunk),
        send(&bare, &piece),
        send(health, &piece),
    );
    for refused in [known, also_known, chunked, also_chunked] {
        assert_eq!(refused, [413]);
    }
    assert_eq!((bare, health), (vec![401], vec![200]));
    let grown = grown(&app, before);
    assert!(grown < 20 * MB, "{grown} kB");
}

/// The largest body that is allowed, made of what takes the most memory when it is read: objects, or many short fields,
/// custom ones or the event's own.
fn expensive(event_id: &str, tree: bool, custom: bool) -> String {
    let mut event = event(event_id, "cl_1").to_string();
    event.truncate(event.len() - 1);
    event.push_str(if custom { r#","custom_fields":{"":0"# } else { r#","":0"# });
    if tree {
        event.push_str(r#","tree":[{}"#);
        event.push_str(&r#",{"":0}"#.repeat(1150));
        event.push(']');
    }
    for number in 0.. {
        let field = format!(r#","{number:x}":0"#);
        if tree || event.len() + field.len() + 2 > 65_536 {
            break;
        }
        event.push_str(&field);
    }
    event.push_str(if custom { "}" } else { "" });
    if tree {
        event.push_str(r#","notes":""#);
        event.push_str(&"x".repeat(65_536 - event.len() - 2));
        event.push('"');
    }
    event + "}"
}

/// The statuses of these bodies, all sent at a time; none where the connection was cut.
async fn together(app: &App, bodies: impl Iterator<Item = String>) -> Vec<Option<u16>> {
    let senders: Vec<_> = bodies.map(|body| tokio::spawn(app.post(body).send())).collect();
    let mut statuses = Vec::new();
    for sender in senders {
        statuses.push(sender.await.unwrap().ok().map(|answer| answer.status().as_u16()));
    }
    statuses
}

/// Sends these bodies at a time. An unoptimized binary may not get through all of them in a second, nor a busy machine
/// send them in five, or read its answer before the connection is closed; as the platform does, those that are told 503 or
/// 408 or are cut off come again, fewer at a time.
async fn stored_by_and_by(app: &App, mut bodies: Vec<String>) {
    let mut at_a_time = bodies.len();
    eventually("all are stored", async || {
        let now = bodies.split_off(bodies.len().saturating_sub(at_a_time));
        let statuses = together(app, now.iter().cloned()).await;
        assert!(statuses.iter().flatten().all(|status| [200, 408, 503].contains(status)), "{statuses:?}");
        let refused = now.into_iter().zip(statuses).filter(|(_, status)| *status != Some(200));
        bodies.extend(refused.map(|(body, _)| body));
        at_a_time = at_a_time.div_ceil(2);
        bodies.is_empty()
    })
    .await;
}

#[tokio::test]
async fn sixty_four_senders_of_the_largest_bodies_are_all_heard_in_bounded_memory() {
    let app = App::receiver(&[]).await;
    let before = app.process.peak_memory();
    for round in 0..3 {
        let bodies = (0..64).map(|sender| {
            let mut event = event(&format!("evt_{round}_{sender}"), "cl_1");
            event["notes"] = json!("x".repeat(65_536 + SAMPLE_NOTES - event.to_string().len()));
            event.to_string()
        });
        stored_by_and_by(&app, bodies.collect()).await;
    }
    let grown = grown(&app, before);
    assert!(grown < 100 * MB, "{grown} kB");
}

#[tokio::test]
async fn thirty_two_senders_of_the_most_expensive_bodies_are_heard_by_and_by_in_bounded_memory() {
    let app = App::receiver(&[]).await;
    let before = app.process.peak_memory();
    let bodies = (0..32).map(|sender| expensive(&format!("evt_{sender}"), sender % 2 == 0, sender % 4 < 2));
    stored_by_and_by(&app, bodies.collect()).await;
    assert_eq!(app.count("select count(*) from call_event").await, 32);
    let grown = grown(&app, before);
    assert!(grown < 160 * MB, "{grown} kB");
}

/// Connects from this machine's address of that last byte.
async fn connect(address: &str, last_byte: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last_byte], 0))).unwrap();
    socket.connect(address.parse().unwrap()).await.unwrap()
}

/// Connects and sends a byte a second for as long as it is heard; returns what it was told.
async fn dawdle(address: String, last_byte: u8) -> String {
    let mut stream = connect(&address, last_byte).await;
    let (mut reading, mut writing) = stream.split();
    let saying = async {
        for byte in b"POST /webhooks/after-call HTTP/1.1" {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut told = String::new();
    tokio::select! {
        () = saying => {}
        _ = reading.read_to_string(&mut told) => {}
    }
    told
}

#[tokio::test]
async fn a_thousand_who_send_a_byte_a_second_do_not_keep_real_calls_waiting() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    // Where a test may not open more files, it opens fewer connections.
    let slow_ones = limit.maximum.map_or(1000, |files| usize::try_from(files / 2).unwrap().min(1000));
    let app = App::receiver(&[]).await;
    let before = app.process.peak_memory();
    let mut slow = JoinSet::new();
    for number in 0..slow_ones {
        let address = app.process.address().to_owned();
        // Many senders: one alone has a share of its own.
        let last_byte = u8::try_from(number % 20).unwrap() + 100;
        slow.spawn(async move {
            loop {
                let told = dawdle(address.clone(), last_byte).await;
                assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let calls = async {
        for number in 0..50 {
            // Each on a connection of its own: one that was open before would prove nothing.
            let body = event(&format!("evt_{number}"), "cl_1").to_string();
            let call = complete("connection: close\r\n", &body);
            // As the platform does, it tries again where a busy machine answers 503.
            while app.say(&call).await.statuses() != [200] {}
        }
    };
    // If each waited until a slow one is given up, they would take 250 s.
    tokio::time::timeout(DEADLINE, calls).await.expect("real calls wait");
    assert!(slow.try_join_next().is_none(), "the slow ones come again and again");
    let grown = grown(&app, before);
    assert!(grown < 50 * MB, "{grown} kB");
}

#[tokio::test]
async fn more_connections_than_the_system_allows_wait_and_real_calls_pass_among_them() {
    let app = App::receiver(&[("MOST_FILES", "128")]).await;
    let warned = app.process.says("ulimit").await;
    assert_eq!(warned["connections"], 64);
    let mut slow = JoinSet::new();
    for number in 0..200_u8 {
        slow.spawn(dawdle(app.process.address().to_owned(), number % 20 + 100));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let call = complete("", &event("evt_1", "cl_1").to_string());
    eventually("its turn comes", async || app.say(&call).await.statuses() == [200]).await;
    app.process.says("the next ones wait").await;
    assert!(app.process.logged("accept error").is_none());
}

#[tokio::test]
async fn one_address_that_opens_all_it_can_leaves_the_others_their_places_on_both_listeners() {
    let app = App::receiver(&[("MOST_FILES", "128")]).await;
    let admin = app.process.admin_url("");
    let admin = admin.trim_start_matches("http://").trim_end_matches('/');
    let mut silent = Vec::new();
    for address in [app.process.address(), admin] {
        for _ in 0..100 {
            silent.push(connect(address, 2).await);
        }
    }
    app.process.says("an address has its share of the connections open").await;
    let call = complete("connection: close\r\n", &event("evt_1", "cl_1").to_string());
    for _ in 0..20 {
        let mut stream = connect(app.process.address(), 3).await;
        stream.write_all(&call).await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 200") || told.starts_with("HTTP/1.1 503"), "{told}");
    }
    let live = app.http.get(app.process.admin_url("/health/live")).send().await.unwrap();
    assert_eq!(live.status(), 200);
    assert!(app.process.logged("the next ones wait").is_none(), "nobody had to wait");
}
