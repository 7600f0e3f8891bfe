//! The socket as a client meets it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ledger::Ledger;
use tokio::net::UnixSocket;
use vocabulary::ReceiptKind;

use super::fleet::{Fleet, POLICY, Seen, claims};
use super::model::{ModelMind, Served};
use super::validity::check;
use crate::admin::answer::{
    Answer, AuditPage, AuditRecord, AuditVerified, Body, Cases, Certs, DismissOrder, Explained,
    FoundOrder, Hosts, Ordered, PauseOrder, PolicyInForce, PolicyOrder, Refusal, ResumeOrder,
    RetireOrder, Status,
};
use crate::admin::chain::{Chain, ChainFault};
use crate::admin::client::{Client, ClientFault};
use crate::admin::exported::{self, ExportFault};
use crate::admin::vouched::Judge;

/// A fleet in the middle of everything: one case healed, one verifying, one waiting.
pub fn busy() -> Fleet {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.opened("a3", Seen::HostDown);
    fleet
}

async fn sound<B: Body>(served: &Served, path: &str) -> Answer<B> {
    let answer: Answer<B> = served.client.ask(path).await.expect("it answers");
    check(&answer).unwrap_or_else(|why| panic!("{path}: {why}"));
    answer
}

fn why(why: &str) -> PauseOrder {
    PauseOrder { why: why.into() }
}

fn refused<B: std::fmt::Debug>(answer: Result<Answer<B>, ClientFault>) -> Refusal {
    match answer {
        Err(ClientFault::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn every_answer_follows_its_schema_in_calm_in_trouble_and_before_the_founding() {
    let mut unfounded = Fleet::nine();
    unfounded.ledger = Ledger::new();
    for fleet in [busy(), Fleet::nine(), unfounded] {
        let served = Served::over(ModelMind::new(fleet));
        sound::<Status>(&served, "/v1/status").await;
        sound::<Hosts>(&served, "/v1/hosts?retired=true").await;
        sound::<Cases>(&served, "/v1/cases?all=true").await;
        sound::<Certs>(&served, "/v1/certs").await;
        sound::<PolicyInForce>(&served, "/v1/policy").await;
        sound::<AuditPage>(&served, "/v1/audit?since=3").await;
    }
    let served = Served::over(ModelMind::new(busy()));
    for what in ["1", "2", "b2", "c3"] {
        sound::<Explained>(&served, &format!("/v1/explain/{what}")).await;
    }
    let ordered: Answer<Ordered> =
        served.client.order("/v1/pause", &why("look")).await.expect("it is done");
    check(&ordered).expect("it follows its schema");
}

#[tokio::test]
async fn orders_reach_the_ledger_in_the_name_of_whoever_sits_at_the_socket() {
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let order =
        PolicyOrder { text: POLICY.into(), why: "the first one".into(), if_version: Some(0) };
    let set: Answer<Ordered> =
        served.client.order("/v1/policy", &order).await.expect("version 0 is in force");
    assert_eq!(set.data.version, Some(1));
    let late = refused(served.client.order::<Ordered>("/v1/policy", &order).await);
    assert_eq!(late.name, "PolicyVersion");

    served.client.order::<Ordered>("/v1/pause", &why("a look")).await.expect("it is done");
    let status: Answer<Status> = served.client.ask("/v1/status").await.expect("it answers");
    let pause = status.data.brake.pause.expect("it is paused");
    assert_eq!(pause.why, "a look");
    assert!(pause.who.ends_with("@a1"), "{}", pause.who);
    let order = ResumeOrder { why: "seen".into() };
    served.client.order::<Ordered>("/v1/resume", &order).await.expect("it is done");
    let nothing = refused(served.client.order::<Ordered>("/v1/resume", &order).await);
    assert_eq!(nothing.name, "Nothing");

    let retire = |host: &str| RetireOrder { host: host.into(), why: "sold".into() };
    served
        .client
        .order::<Ordered>("/v1/host/retire", &retire("c3"))
        .await
        .expect("no voter, no case");
    let voter = refused(served.client.order::<Ordered>("/v1/host/retire", &retire("c1")).await);
    assert_eq!(voter.name, "NotPermitted");
    let unknown = refused(served.client.order::<Ordered>("/v1/host/retire", &retire("c9")).await);
    assert_eq!(unknown.name, "NoSuch");

    let case = served.mind.fleet().opened("b2", Seen::AgentDown).0;
    let order = DismissOrder { case, why: "seen to".into() };
    served.client.order::<Ordered>("/v1/case/dismiss", &order).await.expect("nothing is begun");
}

#[tokio::test]
async fn a_rehearsed_order_says_what_it_would_come_to_and_moves_nothing() {
    let served = Served::over(ModelMind::new(busy()));
    let before: Answer<Status> = sound(&served, "/v1/status").await;
    let path = "/v1/pause?dry_run=true";
    let rehearsed: Answer<Ordered> = served.client.order(path, &why("look")).await.expect("it may");
    assert!(rehearsed.data.dry_run);
    assert!(rehearsed.data.sentence.contains("nothing was done"), "{}", rehearsed.data.sentence);
    let after: Answer<Status> = sound(&served, "/v1/status").await;
    assert_eq!(after.data, before.data);

    let order = DismissOrder { case: 77, why: "seen to".into() };
    let path = "/v1/case/dismiss?dry_run=true";
    let refusal = refused(served.client.order::<Ordered>(path, &order).await);
    let meant = refused(served.client.order::<Ordered>("/v1/case/dismiss", &order).await);
    assert_eq!(refusal, meant, "the same rule says no");
}

#[tokio::test]
async fn a_ledger_is_founded_once() {
    let mut fleet = Fleet::of(["a1", "b1", "c1"].iter().map(|name| claims(name)).collect());
    fleet.ledger = Ledger::new();
    let served = Served::over(ModelMind::new(fleet));
    let order = FoundOrder { keepers: ["a1", "b1", "c1"].map(String::from).into() };
    served.client.order::<Ordered>("/v1/init", &order).await.expect("there is none yet");
    let again = refused(served.client.order::<Ordered>("/v1/init", &order).await);
    assert_eq!(again.name, "AlreadyFounded");
}

#[tokio::test]
async fn without_a_majority_it_answers_and_says_so_and_takes_no_order() {
    let mut mind = ModelMind::new(busy());
    mind.has_majority = false;
    let served = Served::over(mind);
    let status: Answer<Status> = sound(&served, "/v1/status").await;
    assert!(!status.fresh && status.age_ms == 95_000);
    assert!(status.data.notes[0].contains("no majority"), "{:?}", status.data.notes);
    let order = served.client.order::<Ordered>("/v1/pause", &why("stop")).await;
    assert!(matches!(order, Err(ClientFault::NoMajority(_))), "{order:?}");
}

#[tokio::test]
async fn what_is_not_asked_rightly_is_refused_by_name() {
    let served = Served::over(ModelMind::new(Fleet::nine()));
    for (path, name) in [
        ("/v1/nothing", "NoSuch"),
        ("/v1/pause", "NoSuch"),
        ("/v1/explain/a9", "NoSuch"),
        ("/v1/explain/77", "NoSuch"),
        ("/v1/audit?since=-1", "Malformed"),
        ("/v1/hosts?zone=a", "Malformed"),
        ("/v1/policy?version=3", "NoSuch"),
    ] {
        let refusal = refused(served.client.ask::<Status>(path).await);
        assert_eq!(refusal.name, name, "{path}: {}", refusal.sentence);
    }
    let unknown = serde_json::json!({ "why": "x", "force": true });
    let refusal = refused(served.client.order::<Ordered>("/v1/pause", &unknown).await);
    assert_eq!(refusal.name, "Malformed");
    let large = why(&"x".repeat(300 * 1024));
    let refusal = refused(served.client.order::<Ordered>("/v1/pause", &large).await);
    assert_eq!(refusal.name, "Malformed", "{}", refusal.sentence);
}

#[tokio::test]
async fn nobody_listens_is_told_from_an_agent_that_says_no() {
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let client = served.client.clone();
    drop(served);
    let silence = client.ask::<Status>("/v1/status").await;
    assert!(matches!(silence, Err(ClientFault::NoAgent { .. })), "{silence:?}");
}

/// Not that nobody is there: whoever floods the socket would have an operator believe that the agent is dead.
#[tokio::test(start_paused = true)]
async fn a_full_line_of_callers_is_waited_at_and_told_as_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    let socket = UnixSocket::new_stream().expect("a socket");
    socket.bind(&path).expect("bound");
    let listener = socket.listen(1).expect("listening");
    let mut line = Vec::new();
    while let Ok(caller) = tokio::net::UnixStream::connect(&path).await {
        line.push(caller);
    }
    let client = Client::new(&path);
    let crowded = client.ask::<Status>("/v1/status").await;
    assert!(matches!(crowded, Err(ClientFault::Crowded { .. })), "{crowded:?}");
    let (asked, _) = tokio::join!(client.ask::<Status>("/v1/status"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        listener.accept().await
    });
    assert!(matches!(asked, Err(ClientFault::TimedOut(_))), "a place was found: {asked:?}");
}

#[tokio::test]
async fn beyond_its_room_a_connection_is_closed_and_room_is_found_again() {
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let path = served.client.socket().to_owned();
    let idle: Vec<UnixStream> =
        (0..32).map(|_| UnixStream::connect(&path).expect("room")).collect();
    served.client.ask::<Status>("/v1/status").await.expect_err("no room");
    drop(idle);
    // Each that ends gives its room back; how soon the server sees it is its own affair.
    while served.client.ask::<Status>("/v1/status").await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_ends_its_head_is_cut_off() {
    let served = Served::over(ModelMind::new(Fleet::nine()));
    let mut slow = UnixStream::connect(served.client.socket()).expect("room");
    slow.write_all(b"GET /v1/status HTTP/1.1\r\nhost: ha").expect("room");
    let ended = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest)
    });
    let cut = async {
        // Virtual time goes on only where something waits for it.
        loop {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = ended => { ended.expect("no panic").ok(); }
        () = cut => unreachable!("it has no end"),
    }
}

/// Virtual hosts sign, and whoever asks trusts whom the seal names.
pub const MODEL: Judge<'static> =
    Judge { verifier: &vocabulary::ModelVerifier, own: None, voters: &[] };

/// As `hale audit export` prints them.
pub fn export_of(pages: &[AuditPage], verified: &AuditVerified) -> Vec<String> {
    fn line<B: Body>(data: B) -> String {
        let (schema, as_of) = (B::SCHEMA.to_owned(), String::new());
        let line = serde_json::to_string(&Answer { schema, as_of, age_ms: 0, fresh: true, data });
        line.expect("plain JSON")
    }
    let records = pages.iter().flat_map(|page| page.records.iter().cloned());
    records.map(line).chain([line(verified.clone())]).collect()
}

fn exports_are_judged(pages: &[AuditPage], verified: &AuditVerified) {
    let whole = export_of(pages, verified);
    let judged = |lines: &[String]| exported::judge(&lines.join("\n"), MODEL);
    assert_eq!(judged(&whole).as_ref(), Ok(verified));
    let last = whole.len() - 1;
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        judged(&lines).expect_err("it is changed")
    };
    let chain = |fault: &ExportFault| matches!(fault, ExportFault::Chain(_));
    let dropped = changed(&|lines| drop(lines.remove(7)));
    assert!(chain(&dropped) && dropped.to_string().contains("record 9"), "{dropped}");
    let reordered = changed(&|lines| lines.swap(20, 21));
    assert!(chain(&reordered), "{reordered}");
    let edited = changed(&|lines| lines[3] = lines[3].replacen("\"number\":4", "\"number\":5", 1));
    assert!(chain(&edited) && edited.to_string().contains("record 5"), "{edited}");
    let first = changed(&|lines| drop(lines.remove(0)));
    assert!(chain(&first), "{first}");
    let shorter = changed(&|lines| drop(lines.remove(last - 1)));
    assert!(matches!(shorter, ExportFault::Head { .. }), "{shorter}");
    let after = verified.head.number;
    assert_eq!(changed(&|lines| drop(lines.pop())), ExportFault::CutOff { after });
    assert_eq!(changed(&|lines| lines.truncate(50)), ExportFault::CutOff { after: 50 });
    let again = changed(&|lines| lines.push(lines[0].clone()));
    assert_eq!(again, ExportFault::GoesOn { number: last + 2 });
    let half = changed(&|lines| lines[9].truncate(40));
    assert!(matches!(half, ExportFault::Line { number: 10, .. }), "{half}");
    let counted = changed(&|lines| {
        let fewer = AuditVerified { records: 1, ..verified.clone() };
        lines[last] = export_of(&[], &fewer).remove(0);
    });
    assert_eq!(counted, ExportFault::Count { told: 1, found: after });
}

#[tokio::test]
async fn the_audit_is_verified_over_pages_and_any_damage_is_found() {
    let mut fleet = busy();
    for _ in 0..300 {
        // Two records each: more than one page of them.
        for order in [
            ledger::command::Command::Pause(super::fleet::order("again")),
            ledger::command::Command::Resume(super::fleet::order("and again")),
        ] {
            fleet.send("a1", order);
        }
    }
    let served = Served::over(ModelMind::new(fleet));
    let status: Answer<Status> = served.client.ask("/v1/status").await.expect("it answers");
    let mut pages: Vec<AuditPage> = Vec::new();
    let mut chain = Chain::default();
    loop {
        let path = format!("/v1/audit?since={}", chain.next());
        let page: Answer<AuditPage> = served.client.ask(&path).await.expect("it answers");
        pages.push(page.data.clone());
        if chain.take(&page.data).expect("it holds") {
            break;
        }
    }
    assert!(pages.len() > 1, "more than one page");
    assert_eq!(chain.contains(&status.data.ledger.head), Ok(()));
    let verified = chain.verified(MODEL).expect("it holds");
    let AuditVerified { records, head, .. } = verified.clone();
    assert_eq!((records, &head), (head.number, &status.data.ledger.head));

    exports_are_judged(&pages, &verified);

    let judged = |pages: &[AuditPage]| {
        let mut chain = Chain::default();
        pages.iter().try_for_each(|page| chain.take(page).map(|_| ()))
    };
    assert_eq!(judged(&pages), Ok(()));
    let mut cut = pages.clone();
    cut[0].records.remove(7);
    assert!(matches!(judged(&cut), Err(ChainFault::Broken(_))));
    let mut lost = pages.clone();
    let last = lost.last_mut().expect("two");
    last.records.pop();
    let nothing = AuditPage { records: Vec::new(), ..last.clone() };
    lost.push(nothing);
    assert!(matches!(judged(&lost), Err(ChainFault::Head { .. })));
    let mut relabelled = pages.clone();
    relabelled[0].records[3].ledger_ms += 1;
    assert!(matches!(judged(&relabelled), Err(ChainFault::Sealed(_))));
    let mut altered = pages;
    let mut record = altered[1].records[0].unseal().expect("sealed");
    record.wall.0 += 1;
    altered[1].records[0].sealed = AuditRecord::seal(&record);
    assert!(matches!(judged(&altered), Err(ChainFault::Broken(_))));
}
