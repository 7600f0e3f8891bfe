//! The golden page of every message.

use expect_test::expect_file;
use vocabulary::{
    Address, Anchor, Answer, Attestation, Boot, CaseId, CheckWord, ClusterName, Digest, Epoch,
    Grade, Grounds, HostId, Label, LedgerIndex, Path, PathReading, PublicKey, Reading, SelfAnswer,
    Sequence, Signature, StoreId,
};
use wire::{
    Datagram, DoubtNote, Hello, HelloRefusal, LeaderHint, Leading, Report, Request, Response,
    Unavailable, UnfitNote, VersionRange, Welcome,
};

use crate::golden::{Page, every};

/// What the acceptor of a connection answers to a hello.
pub(crate) type HelloAnswer = Result<Welcome, HelloRefusal>;

const SUBJECT: HostId = HostId([0x51; 16]);
const OBSERVER: HostId = HostId([0x0b; 16]);
const BOOT: Boot = Boot { number: 300, nonce: 0x1122_3344_5566_7788_99aa_bbcc_ddee_ff00 };
const OTHER_BOOT: Boot = Boot { number: 4, nonce: 5 };
const ANCHOR: Anchor = Anchor { index: LedgerIndex(70_000), audit: Digest([0xad; 32]) };
const EPOCH: Epoch = Epoch(12);
const NONCE: u128 = 0xfeed;

fn address() -> Address {
    Address::from(([192, 0, 2, 7], 4_433))
}

fn address_6() -> Address {
    "[2001:db8::7]:4433".parse().expect("sound")
}

fn attestation() -> Attestation {
    let reading = |path, reading| PathReading { path, reading };
    Attestation {
        subject: SUBJECT,
        subject_boot: BOOT,
        observer: OBSERVER,
        observer_boot: OTHER_BOOT,
        key: PublicKey([0x9e; 32]),
        sequence: Sequence(8),
        epoch: EPOCH,
        anchor: ANCHOR,
        grade: Grade::Failed,
        paths: vec![
            reading(Path::Warm, Reading::Silent),
            reading(Path::NamedPort(22), Reading::Refused),
        ],
        ingress: vec![HostId([1; 16]), HostId([2; 16])],
        late_ms: 31,
        signature: Signature([0xa1; 32], [0xa2; 32]),
    }
}

fn self_answer(to: Answer) -> SelfAnswer {
    SelfAnswer {
        subject: SUBJECT,
        boot: BOOT,
        key: PublicKey([0x9f; 32]),
        to,
        signature: Signature([0xb1; 32], [0xb2; 32]),
    }
}

fn grounds() -> Grounds {
    Grounds {
        anchor: ANCHOR,
        epoch: EPOCH,
        attestations: vec![attestation()],
        answers: vec![self_answer(Answer::Round(ANCHOR))],
    }
}

fn check() -> Label {
    Label::new("http").expect("sound")
}

fn check_word() -> CheckWord {
    CheckWord {
        subject: SUBJECT,
        subject_boot: BOOT,
        author: OBSERVER,
        author_boot: OTHER_BOOT,
        key: PublicKey([0x9e; 32]),
        sequence: Sequence(8),
        epoch: EPOCH,
        anchor: ANCHOR,
        check: check(),
        grade: Grade::Failed,
        signature: Signature([0xc1; 32], [0xc2; 32]),
    }
}

fn welcome() -> Welcome {
    Welcome { version: 1, boot: BOOT, address: address(), store: Some(StoreId(77)) }
}

fn put_nouns(page: &mut Page) {
    every!(page, Path {
        Path::Warm => [Path::Warm],
        Path::Stream => [Path::Stream],
        Path::FreshDial => [Path::FreshDial],
        Path::NearRelay => [Path::NearRelay],
        Path::FarRelay => [Path::FarRelay],
        Path::AgentPort => [Path::AgentPort],
        Path::NamedPort(_) => [Path::NamedPort(22), Path::NamedPort(8_080)],
    });
    every!(page, Reading {
        Reading::Answered => [Reading::Answered],
        Reading::Refused => [Reading::Refused],
        Reading::Accepted => [Reading::Accepted],
        Reading::Silent => [Reading::Silent],
        Reading::Absent => [Reading::Absent],
    });
    every!(page, Grade {
        Grade::Ok => [Grade::Ok],
        Grade::Degraded => [Grade::Degraded],
        Grade::Failed => [Grade::Failed],
        Grade::Unknown => [Grade::Unknown],
    });
    every!(page, Answer {
        Answer::Nonce(_) => [Answer::Nonce(NONCE)],
        Answer::Round(_) => [Answer::Round(ANCHOR)],
    });
    every!(page, Attestation { Attestation { .. } => [attestation()] });
    every!(page, SelfAnswer { SelfAnswer { .. } => [self_answer(Answer::Nonce(NONCE))] });
    every!(page, Grounds { Grounds { .. } => [grounds()] });
}

fn put_hello(page: &mut Page) {
    let cluster = ClusterName::new("prod-eu").expect("sound");
    let versions = VersionRange { oldest: 1, newest: 3 };
    every!(page, Hello { Hello { .. } => [
        Hello { versions, cluster: cluster.clone(), boot: BOOT, address: address(), store: None },
        Hello { versions, cluster, boot: BOOT, address: address_6(), store: Some(StoreId(77)) },
    ] });
    every!(page, HelloRefusal {
        HelloRefusal::Cluster => [HelloRefusal::Cluster],
        HelloRefusal::Versions(_) => [HelloRefusal::Versions(versions)],
        HelloRefusal::Retired => [HelloRefusal::Retired],
        HelloRefusal::BootTooLow(_) => [HelloRefusal::BootTooLow(BOOT)],
        HelloRefusal::Busy => [HelloRefusal::Busy],
    });
    every!(page, HelloAnswer {
        Ok(_) => [Ok(welcome()), Ok(Welcome { store: None, ..welcome() })],
        Err(_) => [Err(HelloRefusal::BootTooLow(BOOT))],
    });
}

fn put_datagrams(page: &mut Page) {
    every!(page, Datagram {
        Datagram::Gossip(_) => [Datagram::Gossip(vec![1, 2, 0xff])],
        Datagram::Probe { .. } => [
            Datagram::Probe { number: 251, seated: true },
            Datagram::Probe { number: 7, seated: false },
        ],
        Datagram::ProbeReply { .. } => [
            Datagram::ProbeReply { number: 7, boot: BOOT, next_slot_ms: 3_000 },
        ],
    });
}

fn put_requests(page: &mut Page) {
    let note = DoubtNote { subject: SUBJECT, boot: BOOT, age_ms: 1_200 };
    let case = CaseId(42);
    let from = LedgerIndex(9);
    every!(page, Request {
        Request::Probe => [Request::Probe],
        Request::Doubts(_) => [Request::Doubts(vec![note]), Request::Doubts(vec![])],
        Request::Look { .. } => [
            Request::Look { subject: SUBJECT, boot: BOOT, anchor: ANCHOR, epoch: EPOCH },
        ],
        Request::Ask { .. } => [Request::Ask { nonce: NONCE }],
        Request::Relay { .. } => [Request::Relay { subject: SUBJECT, nonce: NONCE }],
        Request::RoundFor { .. } => [Request::RoundFor { case }],
        Request::Propose(_) => [Request::Propose(vec![3, 4])],
        Request::ReadIndex => [Request::ReadIndex],
        Request::Follow { .. } => [
            Request::Follow { from, audit: None },
            Request::Follow { from, audit: Some(Digest([0xad; 32])) },
        ],
        Request::Raft(_) => [Request::Raft(vec![5, 6])],
        Request::Standing => [Request::Standing],
        Request::Members(_) => [Request::Members(vec![9, 10])],
        Request::Support => [Request::Support],
        Request::StateAt { .. } => [Request::StateAt { index: LedgerIndex(71_000) }],
        Request::Hears => [Request::Hears],
        Request::Report(_) => [Request::Report(Report {
            subject: SUBJECT,
            who: "lb".into(),
            failed: "502".into(),
        })],
        Request::Unfit(_) => [
            Request::Unfit(vec![UnfitNote { subject: SUBJECT, boot: BOOT, check: check() }]),
            Request::Unfit(vec![]),
        ],
        Request::LookAtCheck { .. } => [Request::LookAtCheck {
            subject: SUBJECT,
            boot: BOOT,
            anchor: ANCHOR,
            epoch: EPOCH,
            check: check(),
        }],
    });
}

fn put_responses(page: &mut Page) {
    let answer = Box::new(self_answer(Answer::Nonce(NONCE)));
    let attestation = || Box::new(attestation());
    let leading = Leading { leader: Some(OBSERVER), term: 41 };
    let index = LedgerIndex(9);
    every!(page, Response {
        Response::Alive { .. } => [Response::Alive { boot: BOOT }],
        Response::Noted => [Response::Noted],
        Response::Attested { .. } => [
            Response::Attested { attestation: attestation(), answer: None },
            Response::Attested { attestation: attestation(), answer: Some(answer.clone()) },
        ],
        Response::Answered(_) => [Response::Answered(answer)],
        Response::SubjectSilent => [Response::SubjectSilent],
        Response::Round(_) => [Response::Round(Box::new(grounds()))],
        Response::Outcome { .. } => [Response::Outcome { index, outcome: vec![1] }],
        Response::Index(_) => [Response::Index(index)],
        Response::Entries { .. } => [
            Response::Entries { leading, piece: Some(vec![7, 8]) },
            Response::Entries { leading: Leading::default(), piece: None },
        ],
        Response::Raft(_) => [Response::Raft(vec![5, 6])],
        Response::Standing { .. } => [Response::Standing { has_leader: true }],
        Response::Unavailable(_) => [Response::Unavailable(Unavailable::NoLeader)],
        Response::Members(_) => [Response::Members(vec![11, 12])],
        Response::Support { .. } => [
            Response::Support { rules: 2, below: Vec::new() },
            Response::Support { rules: 1, below: vec![OBSERVER] },
        ],
        Response::StateAt { .. } => [
            Response::StateAt { digest: Some(Digest([0xda; 32])) },
            Response::StateAt { digest: None },
        ],
        Response::Hears { .. } => [Response::Hears { hosts: 10 }],
        Response::Reported { .. } => [
            Response::Reported { is_looked_at: true },
            Response::Reported { is_looked_at: false },
        ],
        Response::CheckWord(_) => [Response::CheckWord(Box::new(check_word()))],
    });
    every!(page, Unavailable {
        Unavailable::NotLeader(_) => [
            Unavailable::NotLeader(LeaderHint { leader: Some(OBSERVER) }),
            Unavailable::NotLeader(LeaderHint { leader: None }),
        ],
        Unavailable::NoLeader => [Unavailable::NoLeader],
        Unavailable::NotMine => [Unavailable::NotMine],
        Unavailable::Busy(_) => [Unavailable::Busy("asks that wait".into())],
        Unavailable::TooLate => [Unavailable::TooLate],
        Unavailable::Forbidden => [Unavailable::Forbidden],
    });
}

pub(crate) fn page() -> Page {
    let mut page = Page::of(expect_file!["messages.txt"]);
    put_nouns(&mut page);
    put_hello(&mut page);
    put_datagrams(&mut page);
    put_requests(&mut page);
    put_responses(&mut page);
    page
}

#[test]
fn the_bytes_of_every_message_are_those_of_the_page() {
    page().check();
}

#[test]
fn what_the_first_version_said_is_said_and_read_byte_for_byte_as_then() {
    page().holds(include_str!("1/messages.txt"));
}

#[test]
fn a_frame_is_its_version_and_its_message_and_on_a_stream_of_many_its_length_before_both() {
    let frame = wire::frame::seal(&Request::Ask { nonce: 7 });
    assert_eq!(frame, [1, 0, 3, 7], "version 1 in two bytes, the fourth kind, the nonce");
    assert_eq!(wire::frame::delimited(&frame), [4, 0, 0, 0, 1, 0, 3, 7]);
    let newer = wire::frame::seal(&Request::Support);
    assert_eq!(newer, [2, 0, 12], "version 2 in two bytes, the thirteenth kind");
    assert_eq!(
        wire::version::NEWEST,
        2,
        "another version has another page, and this one is frozen"
    );
}
