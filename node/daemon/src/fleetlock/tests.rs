//! Conformance: what the protocol, its reference server and Zincati expect of a server, over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;

use ledger::Ledger;
use ledger::command::{Command, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use vocabulary::Scope;

use super::question::BODY_BYTES_MAX;
use super::*;
use crate::admin::mind::NotCommitted;
use crate::admin::tests::fleet::{Fleet, POLICY, Seen, id, order};
use crate::admin::tests::model::ModelMind;

const ID: &str = "c988d2509fdf4cdcbed39037c56406fb";
const HEADER: &str = "fleet-lock-protocol: true\r\n";

/// A served listener; it ends with this.
struct Served {
    at: SocketAddr,
    mind: Arc<ModelMind>,
    serving: JoinHandle<()>,
}

#[derive(Debug, PartialEq, Eq)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Served {
    async fn over(mind: ModelMind) -> Self {
        Self::waiting(mind, WELL_WITHIN).await
    }

    /// A client that gives its slot back is told after so long that its host is not seen well yet.
    async fn waiting(mind: ModelMind, well_within: Duration) -> Self {
        let opened = Listener::open("127.0.0.1:0".parse().expect("sound")).await.expect("free");
        let listener = Listener { well_within, ..opened };
        let at = listener.address().expect("it listens");
        let mind = Arc::new(mind);
        let serving = tokio::spawn(listener.serve(Arc::<ModelMind>::clone(&mind)));
        Self { at, mind, serving }
    }

    async fn healing() -> Self {
        Self::over(ModelMind::new(Fleet::healing())).await
    }

    /// One request over a connection of its own, as it stands.
    async fn say(&self, request: &str) -> Answered {
        let mut stream = TcpStream::connect(self.at).await.expect("it accepts");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers and closes");
        let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("HTTP");
        Answered { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    async fn post(&self, path: &str, head: &str, body: &str) -> Answered {
        let length = body.len();
        self.say(&format!(
            "POST {path} HTTP/1.1\r\nhost: hale\r\nconnection: close\r\n{head}content-length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn pre_reboot(&self, client: &str) -> Answered {
        self.post("/v1/pre-reboot", HEADER, &body(client, "web")).await
    }

    async fn steady_state(&self, client: &str) -> Answered {
        self.post("/v1/steady-state", HEADER, &body(client, "web")).await
    }

    fn bind(&self, client: &str, host: &str) {
        let client = FleetLockId::new(client).expect("sound");
        let command = Command::BindClient {
            client,
            host: Some(id(host)),
            order: Some(order("its machine id")),
        };
        assert_eq!(self.mind.fleet().send("a1", command), Outcome::Done);
    }

    fn slots(&self) -> usize {
        self.mind.fleet().ledger.slots().count()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn body(client: &str, group: &str) -> String {
    format!(r#"{{"client_params":{{"id":"{client}","group":"{group}"}}}}"#)
}

/// Its kind; Zincati counts it, and takes a body that is none for `generic_http_<code>`.
fn kind(answered: &Answered) -> String {
    let refusal: serde_json::Value = serde_json::from_str(&answered.body).expect("JSON");
    let members: Vec<&String> = refusal.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["kind", "value"]);
    assert!(refusal["value"].as_str().is_some_and(|value| !value.is_empty()));
    refusal["kind"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn zincati_s_requests_are_taken_and_locks_are_recursive_and_unbalanced() {
    let served = Served::healing().await;
    // As a client begins: it gives back what it may have held, and is steady.
    for _ in 0..2 {
        let steady = served.steady_state(ID).await;
        assert_eq!((steady.status, steady.body.as_str()), (200, ""));
    }
    for _ in 0..2 {
        assert_eq!(served.pre_reboot(ID).await.status, 200);
        assert_eq!(served.slots(), 1);
    }
    assert_eq!(served.steady_state(ID).await.status, 200);
    assert_eq!(served.slots(), 0);
}

#[tokio::test]
async fn the_body_is_json_whatever_its_type_is_called_and_its_other_members_are_let_pass() {
    let served = Served::healing().await;
    let form = format!("{HEADER}content-type: application/x-www-form-urlencoded\r\n");
    let steady = served.post("/v1/steady-state", &form, &body(ID, "web")).await;
    assert_eq!(steady.status, 200);
    let old = format!(r#"{{"client_params":{{"node_uuid":"{ID}","group":"web","x":1}},"y":[]}}"#);
    assert_eq!(served.post("/v1/steady-state", HEADER, &old).await.status, 200);
    let chunked = format!(
        "POST /v1/steady-state HTTP/1.1\r\nhost: hale\r\nconnection: close\r\nFleet-Lock-Protocol: true\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        body(ID, "web").len(),
        body(ID, "web")
    );
    assert_eq!(served.say(&chunked).await.status, 200);
}

#[tokio::test]
async fn without_the_exact_header_nothing_is_done() {
    let served = Served::healing().await;
    for head in ["", "fleet-lock-protocol: True\r\n", "fleet-lock-protocol: 1\r\n"] {
        for path in ["/v1/pre-reboot", "/v1/steady-state"] {
            let refused = served.post(path, head, &body(ID, "web")).await;
            assert_eq!((refused.status, kind(&refused).as_str()), (400, "invalid_client_identity"));
        }
    }
    assert_eq!(served.slots(), 0);
}

#[tokio::test]
async fn a_body_that_names_no_client_or_group_is_refused_by_name() {
    let served = Served::healing().await;
    let unsound = [
        String::new(),
        "{}".into(),
        "client_params=1".into(),
        r#"{"client_params":{"id":"x"}}"#.into(),
        r#"{"client_params":{"group":"web"}}"#.into(),
        r#"{"client_params":{"id":7,"group":"web"}}"#.into(),
        body("", "web"),
        body(&"x".repeat(129), "web"),
        body(ID, ""),
        body(ID, "we b"),
        body(ID, "web/1"),
        body(ID, "wéb"),
    ];
    for text in unsound {
        let refused = served.post("/v1/pre-reboot", HEADER, &text).await;
        let seen = (refused.status, kind(&refused));
        assert_eq!(seen, (400, "invalid_client_identity".to_owned()), "{text}");
    }
    let unknown = served.post("/v1/pre-reboot", HEADER, &body(ID, "db")).await;
    assert_eq!((unknown.status, kind(&unknown).as_str()), (400, "unknown_group"));
    let long = served.post("/v1/pre-reboot", HEADER, &"x".repeat(BODY_BYTES_MAX + 1)).await;
    assert_eq!((long.status, kind(&long).as_str()), (413, "invalid_client_identity"));
    assert_eq!(served.slots(), 0);
}

#[tokio::test]
async fn another_path_or_method_is_told_what_there_is() {
    let served = Served::healing().await;
    for path in ["/", "/v1/pre-reboot/", "/v1", "/base/v1/pre-reboot"] {
        let refused = served.post(path, HEADER, &body(ID, "web")).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (404, "no_such_path"), "{path}");
    }
    for path in ["/v1/pre-reboot", "/v1/steady-state"] {
        let get = format!("GET {path} HTTP/1.1\r\nhost: hale\r\nconnection: close\r\n{HEADER}\r\n");
        let refused = served.say(&get).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (405, "method_not_allowed"));
        assert!(refused.head.contains("allow: post"), "{}", refused.head);
    }
}

#[tokio::test]
async fn a_full_budget_is_told_as_a_full_semaphore_and_other_rules_as_failed_locks() {
    let served = Served::healing().await;
    for (client, host) in [("one", "a2"), ("two", "b2"), ("three", "c2")] {
        served.bind(client, host);
    }
    assert_eq!(served.pre_reboot("one").await.status, 200);
    assert_eq!(served.pre_reboot("two").await.status, 200);
    let entries = served.mind.fleet().ledger.index();
    let full = served.pre_reboot("three").await;
    assert_eq!((full.status, kind(&full).as_str()), (409, "failed_lock_semaphore_full"));
    assert!(full.body.contains("fleet: 2 of 2 in flight"), "{}", full.body);
    assert_eq!(served.mind.fleet().ledger.index(), entries, "a refusal costs no entry");
    let pause = Command::Pause(order("a storm"));
    served.mind.fleet().send("a1", pause);
    let braked = served.pre_reboot("three").await;
    assert_eq!((braked.status, kind(&braked).as_str()), (409, "failed_lock"));
    // Who holds one is told so, whatever stands in the way of others.
    assert_eq!(served.pre_reboot("one").await.status, 200);
}

#[tokio::test]
async fn a_slot_of_a_known_host_is_not_over_before_the_host_is_seen_well() {
    let fleet = Fleet::healing();
    let served = Served::waiting(ModelMind::new(fleet), Duration::ZERO).await;
    served.bind(ID, "b2");
    assert_eq!(served.pre_reboot(ID).await.status, 200);
    served.mind.fleet().opened("b2", Seen::AgentDown);
    let early = served.steady_state(ID).await;
    assert_eq!((early.status, kind(&early).as_str()), (503, "not_seen_well"));
    assert!(early.head.contains("retry-after: 30"), "{}", early.head);
    assert!(early.body.contains("case 1"), "{}", early.body);
    assert_eq!(served.slots(), 1);
}

#[tokio::test]
async fn whoever_gives_a_slot_back_is_told_so_once_the_host_is_seen_well() {
    let served = Served::healing().await;
    served.bind(ID, "b2");
    assert_eq!(served.pre_reboot(ID).await.status, 200);
    let (steady, ()) = tokio::join!(served.steady_state(ID), async {
        while served.mind.fleet().ledger.slots_returned().next().is_none() {
            sleep(LOOK_EVERY).await;
        }
        let mut fleet = served.mind.fleet();
        let grounds = fleet.round(&[("b2", Seen::Well)]);
        let clients = vec![FleetLockId::new(ID).expect("sound")];
        assert_eq!(fleet.send("a1", Command::EndSlots { clients, grounds }), Outcome::Done);
    });
    assert_eq!(steady.status, 200);
    assert_eq!(served.slots(), 0);
}

#[tokio::test]
async fn without_a_majority_or_a_ledger_nobody_reboots() {
    let mut mind = ModelMind::new(Fleet::healing());
    mind.has_majority = false;
    let served = Served::over(mind).await;
    for answered in [served.pre_reboot(ID).await, served.steady_state(ID).await] {
        assert_eq!((answered.status, kind(&answered).as_str()), (503, "no_majority"));
    }
    let mut unfounded = Fleet::nine();
    unfounded.ledger = Ledger::new();
    for fleet in [unfounded, Fleet::healing_under_the_first_rules()] {
        let served = Served::over(ModelMind::new(fleet)).await;
        for answered in [served.pre_reboot(ID).await, served.steady_state(ID).await] {
            assert_eq!((answered.status, kind(&answered).as_str()), (503, "failed_sem_init"));
            assert!(answered.head.contains("retry-after: 30"), "{}", answered.head);
        }
    }
}

#[tokio::test]
async fn what_nobody_knows_the_end_of_is_asked_again() {
    let served = Served::healing().await;
    let says = |said| *served.mind.says.lock().expect("nobody panics") = Some(said);
    says(Err(NotCommitted::Unknown("no answer".into())));
    let late = served.pre_reboot(ID).await;
    assert_eq!((late.status, kind(&late).as_str()), (504, "unknown_end"));
    says(Ok(Outcome::Policy { version: 1 }));
    let odd = served.steady_state(ID).await;
    assert_eq!((odd.status, kind(&odd).as_str()), (502, "unknown_end"));
    says(Err(NotCommitted::Refused { name: "Older", why: "an older leader".into() }));
    let older = served.pre_reboot(ID).await;
    assert_eq!((older.status, kind(&older).as_str()), (503, "failed_sem_init"));
}

#[tokio::test]
async fn at_the_door_of_a_host_that_is_no_keeper_a_client_is_that_host() {
    let mut mind = ModelMind::new(Fleet::healing());
    mind.name = "b2";
    let served = Served::over(mind).await;
    let taken = served.post("/v1/pre-reboot", HEADER, &body(ID, "default")).await;
    assert_eq!(taken.status, 200, "the group of a known host is not asked for");
    let client = FleetLockId::new(ID).expect("sound");
    assert_eq!(served.mind.fleet().ledger.host_of_client(&client), Some(id("b2")));
    served.bind("other", "c2");
    for answered in [served.pre_reboot("other").await, served.steady_state("other").await] {
        assert_eq!((answered.status, kind(&answered).as_str()), (403, "not_permitted"));
    }
    assert_eq!(served.pre_reboot("second").await.status, 409, "one slot of a host");
}

#[tokio::test]
async fn older_and_careful_clients_are_answered_and_each_connection_bears_one_question() {
    let served = Served::healing().await;
    let text = body(ID, "web");
    let length = text.len();
    let old =
        format!("POST /v1/steady-state HTTP/1.0\r\n{HEADER}content-length: {length}\r\n\r\n{text}");
    assert_eq!(served.say(&old).await.status, 200);
    let one = format!(
        "POST /v1/steady-state HTTP/1.1\r\nhost: hale\r\n{HEADER}content-length: {length}\r\n\r\n{text}"
    );
    let answered = served.say(&format!("{one}{one}")).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body, "", "the second one is not answered");
    let head = "HEAD /v1/steady-state HTTP/1.1\r\nhost: hale\r\n\r\n";
    assert_eq!(served.say(head).await.status, 405);
    // curl asks before it sends a long body.
    let mut stream = TcpStream::connect(served.at).await.expect("it accepts");
    let asks = format!(
        "POST /v1/steady-state HTTP/1.1\r\nhost: hale\r\nexpect: 100-continue\r\n{HEADER}content-length: {length}\r\n\r\n"
    );
    stream.write_all(asks.as_bytes()).await.expect("it reads");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("it says that it reads on");
    assert_eq!(&first, b"HTTP/1.1 100");
    stream.write_all(text.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers and closes");
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn the_port_is_free_again_once_the_door_is_closed() {
    let served = Served::healing().await;
    let at = served.at;
    assert!(Listener::open(at).await.is_err(), "it is taken");
    served.serving.abort();
    while !served.serving.is_finished() {
        tokio::task::yield_now().await;
    }
    Listener::open(at).await.expect("the next life opens it");
}

#[tokio::test]
async fn a_slot_counts_in_the_budget_that_healing_has_left() {
    let one = POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 1,");
    let mut fleet = Fleet::nine();
    fleet.set_policy(&one);
    let served = Served::over(ModelMind::new(fleet)).await;
    assert_eq!(served.pre_reboot(ID).await.status, 200);
    let mut fleet = served.mind.fleet();
    let line = fleet.ledger.budgets().into_iter().find(|line| line.scope == Scope::Fleet);
    assert_eq!(line.map(|line| (line.used, line.limit)), Some((1, 1)));
    let case = fleet.opened("b2", Seen::AgentDown);
    let hold = fleet.ledger.can_offer(case, id("a3"));
    assert!(matches!(hold, Err(Refused::Budget { scope: Scope::Fleet, used: 1, limit: 1 })));
}
