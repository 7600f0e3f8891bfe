//! Whatever is written to the socket: an answer or a refusal with its name, and the next one is served.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use super::bent::{any_bytes, bent};
use super::fleet::{Fleet, POLICY};
use super::model::{ModelMind, Served};
use crate::admin::answer::{Answer, AuditPage, AuditRecord, Ordered, Refusal, Status};

/// Every order with a sound body.
fn orders() -> Vec<(&'static str, Vec<u8>)> {
    let body = |value: serde_json::Value| value.to_string().into_bytes();
    vec![
        ("/v1/pause", body(json!({ "why": "a look" }))),
        ("/v1/resume", body(json!({ "why": "seen" }))),
        ("/v1/policy", body(json!({ "text": POLICY, "why": "new", "if_version": 3 }))),
        ("/v1/policy/rollback", body(json!({ "version": 0, "why": "it did harm" }))),
        ("/v1/policy?dry_run=true", body(json!({ "text": POLICY, "why": "new" }))),
        ("/v1/host/add", body(json!({ "host": "d1", "undo": false, "why": "ours" }))),
        ("/v1/host/exempt", body(json!({ "host": "c3", "undo": false, "why": "ours" }))),
        ("/v1/host/retire", body(json!({ "host": "c3", "why": "sold" }))),
        ("/v1/case/dismiss", body(json!({ "case": 1, "why": "seen to" }))),
        (
            "/v1/case/approve",
            body(
                json!({ "case": 1, "verdict": "AgentDown", "rung": 1, "if_version": 1, "why": "go on" }),
            ),
        ),
        ("/v1/case/deny", body(json!({ "case": 1, "why": "not this one" }))),
        (
            "/v1/maintenance",
            body(
                json!({ "scope": { "kind": "host", "name": "c3" }, "lasts_ms": 60_000, "why": "a new disk" }),
            ),
        ),
        ("/v1/maintenance/end", body(json!({ "window": 1, "why": "done" }))),
        ("/v1/lease/revoke", body(json!({ "case": 1, "why": "it is off" }))),
        ("/v1/release", body(json!({ "name": "c3", "why": "a new cable" }))),
        ("/v1/authorities", body(json!({ "pem": "none", "why": "a successor" }))),
        ("/v1/agent/reload", body(json!({ "why": "renewed" }))),
        ("/v1/report", body(json!({ "host": "c3", "failed": "502" }))),
        ("/v1/init", body(json!({ "keepers": ["a1", "b1", "c1"] }))),
    ]
}

/// Everything that comes back until the other side is done; what is not whole ends with our side of the connection.
async fn told(served: &Served, bytes: &[u8], is_whole: bool) -> Vec<u8> {
    let mut stream = UnixStream::connect(served.client.socket()).await.expect("it listens");
    // A side that has read enough may close before it has taken everything.
    let _ = stream.write_all(bytes).await;
    if !is_whole {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

/// The status line's code, and the body.
fn parted(answer: &[u8]) -> Option<(u16, &[u8])> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let code = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((code, &answer[head + 4..]))
}

fn cases(count: u32) -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(count) })
}

#[test]
fn any_body_of_an_order_is_done_or_refused_by_name() {
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let bodies = prop::sample::select(orders())
        .prop_flat_map(|(path, body)| (Just(path), prop_oneof![bent(vec![body]), any_bytes(300)]));
    let judged = cases(192).run(&bodies, |(path, body)| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: hale\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer = runtime.block_on(told(&served, &[head.as_bytes(), &body].concat(), true));
        let (code, body) = parted(&answer).ok_or(TestCaseError::fail("no answer"))?;
        if code == 200 {
            let done = serde_json::from_slice::<Answer<Ordered>>(body);
            prop_assert!(done.is_ok_and(|done| !done.data.sentence.is_empty()));
        } else {
            let refusal = serde_json::from_slice::<Answer<Refusal>>(body);
            let refusal = refusal.map_err(|why| TestCaseError::fail(why.to_string()))?.data;
            prop_assert!((400..500).contains(&code), "{code} {refusal:?}");
            prop_assert!(!refusal.name.is_empty() && !refusal.sentence.is_empty());
        }
        Ok(())
    });
    judged.unwrap_or_else(|why| panic!("{why}"));
    runtime.block_on(served.client.ask::<Status>("/v1/status")).expect("it still answers");
}

#[test]
fn any_bytes_at_the_socket_leave_it_serving() {
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let asked = b"GET /v1/explain/a%31?since=1 HTTP/1.1\r\nhost: hale\r\nconnection: close\r\n\r\n";
    let anything = prop_oneof![bent(vec![asked.to_vec()]), any_bytes(300)];
    let judged = cases(192).run(&anything, |bytes| {
        let answer = runtime.block_on(told(&served, &bytes, false));
        prop_assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
        prop_assert_ne!(parted(&answer).map(|(code, _)| code), Some(500));
        Ok(())
    });
    judged.unwrap_or_else(|why| panic!("{why}"));
    runtime.block_on(served.client.ask::<Status>("/v1/status")).expect("it still answers");
}

/// What a client is given may be bent as well.
#[test]
fn any_sealed_record_is_itself_or_a_named_fault() {
    let runtime = Runtime::new().expect("a runtime");
    let page: Answer<AuditPage> = runtime.block_on(async {
        let served = Served::over(ModelMind::new(Fleet::nine()));
        served.client.ask("/v1/audit").await.expect("it answers")
    });
    let sound = page.data.records[0].clone();
    let seals = prop_oneof![
        bent(vec![sound.sealed.clone().into_bytes()])
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        any::<String>(),
    ];
    let judged = cases(1_024).run(&seals, |sealed| {
        let record = AuditRecord { sealed, ..sound.clone() };
        if let Ok(read) = record.unseal() {
            let is_told = read.number == sound.number && read.digest.to_string() == sound.digest;
            prop_assert!(is_told);
            let is_whole = read.computed_digest() == read.digest;
            prop_assert!(!is_whole || AuditRecord::seal(&read) == sound.sealed);
        }
        Ok(())
    });
    judged.unwrap_or_else(|why| panic!("{why}"));
}
