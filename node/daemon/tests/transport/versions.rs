//! Agents of different ages on one wire (protocol 1.6, law W5).

use daemon::transport::CallFault;
use vocabulary::{Anchor, Boot, Epoch, HostId, Label, LedgerIndex};
use wire::version::{FIRST, NEWEST};
use wire::{
    Datagram, HelloRefusal, Report, Request, Response, UnfitNote, VersionRange, Welcome, frame,
};

use crate::fleet::{Fleet, KEEPER, Node, PATIENCE, boot};
use crate::raw;

const YESTERDAY: VersionRange = VersionRange { oldest: FIRST, newest: FIRST };

fn newer_questions() -> [Request; 7] {
    let (index, who) = (LedgerIndex(1_000), String::new());
    let (subject, boot) = (HostId([1; 16]), Boot::default());
    let report = Report { subject, who: who.clone(), failed: who };
    let (anchor, epoch, check) = (Anchor::default(), Epoch(1), Label::new("http").expect("sound"));
    [
        Request::Members(vec![1]),
        Request::Support,
        Request::StateAt { index },
        Request::Hears,
        Request::Report(report),
        Request::Unfit(vec![UnfitNote { subject, boot, check: check.clone() }]),
        Request::LookAtCheck { subject, boot, anchor, epoch, check },
    ]
}

fn speaking(fleet: &Fleet, host: &str, versions: VersionRange) -> Node {
    fleet.start_with(host, KEEPER, 1, |settings| settings.versions = versions)
}

#[tokio::test]
async fn what_an_older_agent_does_not_know_is_never_sent_to_it_whoever_dialled() {
    let fleet = Fleet::new("prod");
    let mut new = fleet.start("new", KEEPER);
    for (name, dials) in [("old in", false), ("old out", true)] {
        let old = speaking(&fleet, &name.replace(' ', "-"), YESTERDAY);
        let host = old.host();
        if dials {
            old.transport.introduce(new.address).await.expect("is admitted");
        } else {
            new.transport.introduce(old.address).await.expect("is admitted");
        }
        assert_eq!(new.connected().await.version, FIRST, "{name}");
        assert_eq!(new.transport.version(host), Some(FIRST), "{name}");
        let old = old.serve();
        for request in newer_questions() {
            let answer = new.transport.request(host, request, PATIENCE).await;
            assert_eq!(answer, Err(CallFault::TooNew { since: NEWEST, spoken: FIRST }), "{name}");
        }
        let answer = new.transport.request(host, Request::Probe, PATIENCE).await;
        assert_eq!(answer, Ok(Response::Alive { boot: boot(1) }), "the connection stands");
        assert_eq!(old.transport.figures().garbled, 0, "{name}");
    }
}

#[tokio::test]
async fn two_of_today_ask_each_other_what_is_new() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", KEEPER);
    let b = fleet.start("b", KEEPER).serve();
    let host = b.transport.host();
    a.transport.set_address(host, b.address);
    for request in newer_questions() {
        let answer = a.transport.request(host, request, PATIENCE).await;
        assert_eq!(answer, Ok(Response::Alive { boot: boot(1) }));
    }
    assert_eq!(a.connected().await.version, NEWEST);
}

#[tokio::test]
async fn a_peer_that_says_more_than_its_hello_agreed_on_sends_what_is_no_message() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", KEEPER).serve();
    fleet.identity("x", KEEPER);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let greeted = raw::greet_in(YESTERDAY, &endpoint, a.address, &fleet).await;
    let (connection, answer) = greeted.expect("is admitted");
    assert_eq!(answer[..2], FIRST.to_le_bytes(), "a hello is answered in the first version");
    let answer: Result<Welcome, HelloRefusal> =
        frame::open(&answer, frame::STREAM_BYTES_MAX).expect("an answer");
    assert_eq!(answer.expect("a welcome").version, FIRST);
    for request in newer_questions() {
        assert_eq!(raw::say(&connection, &frame::seal(&request)).await, Err(Some(1)), "garbled");
    }
    let alive = frame::seal(&Response::Alive { boot: boot(1) });
    assert_eq!(raw::say(&connection, &frame::seal(&Request::Probe)).await, Ok(alive));
    let mut datagram = frame::seal(&Datagram::Probe { number: 1, seated: false });
    datagram[..2].copy_from_slice(&NEWEST.to_le_bytes());
    connection.send_datagram(datagram.into()).expect("is sent");
    while a.transport.figures().garbled < 4 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn without_a_common_version_the_dialler_is_told_what_is_spoken() {
    let fleet = Fleet::new("prod");
    let tomorrow = VersionRange { oldest: NEWEST + 1, newest: NEWEST + 1 };
    let a = speaking(&fleet, "a", tomorrow);
    let b = fleet.start("b", KEEPER);
    let refused = b.transport.introduce(a.address).await;
    assert_eq!(refused, Err(CallFault::Refused(HelloRefusal::Versions(tomorrow))));
}
