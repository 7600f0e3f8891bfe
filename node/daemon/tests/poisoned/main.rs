//! Does a whole agent that cannot bear an input end with 70 twice, keep it as it came, and go on without it the third time?
//!
//! The agent is built with handlers that stumble where they are told to (`poison::trial`). The input comes through a real socket,
//! and where a message can be written in two ways it is written as no agent of ours writes it.

mod agent;
#[path = "../transport/credulous.rs"]
mod credulous;
mod peer;

use std::cell::Cell;

use agent::{Host, Told};
use ledger::command::Command;
use peer::{Peer, hex, loosely};
use quinn::Connection;
use vocabulary::LedgerIndex;
use wire::{Datagram, Request, Response};

/// What some handler cannot bear, within whatever message.
const BITTER: &[u8] = b"what it cannot bear";

/// The nonce of the one life whose hello is bitter.
const BITTER_NONCE: u128 = 0x1122_3344_5566_7788_99aa_bbcc_ddee_ff01;

/// Two lives that end by what `send` sends, and a third that does without it; what the sender heard then.
async fn three_lives(told: &Told<'_>, send: impl AsyncFn(&Host) -> String) -> String {
    let host = Host::laid(told);
    for seen in 1..=2 {
        let mut life = host.start();
        let code = tokio::select! {
            code = life.ended() => code,
            () = async { loop { send(&host).await; } } => unreachable!("it sends for ever"),
        };
        assert_eq!(code, Some(70), "{}", host.log());
        let kept = host.kept();
        let expected = format!("hale poison 1\nseen {seen}\nabout a {} of ", told.kind);
        assert!(kept.starts_with(&expected), "{kept}");
        let words = format!("panic a trial: {} cannot bear ", told.place);
        assert!(kept.contains(&words) && kept.contains(&told.bytes), "{kept}");
    }
    let mut life = host.start();
    let heard = send(&host).await;
    let sound = Peer::of(&host, "z9");
    for _ in 0..3 {
        let answer = sound.asks(&host, &Request::Probe).await;
        assert!(matches!(answer, Response::Alive { .. }), "{answer:?}");
    }
    let notes = host.notes().await;
    let said = format!("ended this agent 2 times is not taken any more: a {} of ", told.kind);
    assert!(notes.iter().any(|note| note.contains(&said)), "{notes:?}");
    assert!(life.runs(), "{}", host.log());
    heard
}

#[tokio::test]
async fn a_datagram() {
    let bytes = loosely(&Datagram::Gossip(BITTER.to_vec()));
    let told = Told { place: "Loop", kind: "datagram", bytes: hex(&bytes) };
    three_lives(&told, async |host| {
        let connection = Peer::of(host, "z1").welcomed(host).await;
        connection.send_datagram(bytes.clone().into()).expect("sent");
        // What comes after it is answered after it, if at all.
        peer::say(&connection, &wire::frame::seal(&Request::Probe)).await
    })
    .await;
}

#[tokio::test]
async fn a_request_for_the_mind() {
    let bytes = loosely(&Request::Members(BITTER.to_vec()));
    let told = Told { place: "Loop", kind: "request", bytes: hex(&bytes) };
    let heard = three_lives(&told, async |host| {
        peer::say(&Peer::of(host, "z1").welcomed(host).await, &bytes).await
    });
    assert_eq!(heard.await, "reset with 7");
}

#[tokio::test]
async fn a_request_for_the_ledger() {
    let bytes = loosely(&Request::Propose(BITTER.to_vec()));
    let told = Told { place: "Ledger", kind: "request", bytes: hex(&bytes) };
    let heard = three_lives(&told, async |host| {
        peer::say(&Peer::of(host, "z1").welcomed(host).await, &bytes).await
    });
    assert_eq!(heard.await, "reset with 7");
}

/// Of a question that a task of the agent has asked, and reads the answer to itself: a screen wants the newest, and whoever
/// shows a keeper's certificate is asked for it.
#[tokio::test]
async fn an_answer_to_a_task() {
    answered("Answer", async |host, _| drop(host.notes().await)).await;
}

/// Of a call whose end the loop hears: it asks a member in somebody's stead.
#[tokio::test]
async fn an_answer_to_the_loop() {
    answered("Loop", async |host, connection| {
        host.founds().await;
        let enrol = wire::encode(&Command::Enrol(Peer::chain(host, "z1")));
        peer::say(connection, &wire::frame::seal(&Request::Propose(enrol))).await;
        let relay = Request::Relay { subject: Peer::id("z1"), nonce: 7 };
        peer::say(connection, &wire::frame::seal(&relay)).await;
    })
    .await;
}

/// A peer that answers whatever it is asked with what is bitter; `beg` makes the agent ask, sooner or later.
async fn answered(place: &'static str, beg: impl AsyncFn(&Host, &Connection)) {
    let bitter = Response::Outcome { index: LedgerIndex(1), outcome: BITTER.to_vec() };
    let bytes = loosely(&bitter);
    let told = Told { place, kind: "answer", bytes: hex(&bytes) };
    three_lives(&told, async |host| {
        let connection = Peer::of(host, "z1").welcomed(host).await;
        let answers = Cell::new(0);
        let begs = async {
            while answers.get() == 0 {
                beg(host, &connection).await;
            }
        };
        tokio::select! {
            () = peer::answers(&connection, &bytes, &answers) => {}
            () = begs => {}
        }
        String::new()
    })
    .await;
}

#[tokio::test]
async fn a_hello() {
    let bytes = hex(&BITTER_NONCE.to_le_bytes());
    let told = Told { place: "Hello", kind: "hello", bytes };
    let heard = three_lives(&told, async |host| {
        Peer::of(host, "z1")
            .greets(host, BITTER_NONCE)
            .await
            .map_or_else(|said| said, |_| "in".into())
    });
    assert_eq!(heard.await, "closed with 8", "as one that says no hello");
}

#[tokio::test]
async fn a_certificate() {
    let told = Told { place: "Certificate", kind: "certificate", bytes: hex(b"zz-bitter") };
    let heard = three_lives(&told, async |host| {
        Peer::of(host, "zz-bitter").greets(host, 1).await.map_or_else(|said| said, |_| "in".into())
    });
    assert!(heard.await.starts_with("no connection"), "it is not looked at");
}
