//! Does a whole agent that cannot bear what another host sends end with a code of its own, keep it, and do without it from its third
//! life on (protocol 1.9)?
//!
//! No bytes are known that an agent cannot bear, so these are made to be some: the clock that is lent to it, and is read while it
//! handles them, panics then. All else is the agent as it ships, in a process of its own: this very executable.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cluster::PATIENCE;
use cluster::mesh::until;
use cluster::operator::types;
use cluster::stranger::{certified, client, greet, say};
use daemon::demo::plan::CLUSTER;
use daemon::poison::Kind;
use daemon::poison::held::held_now;
use daemon::{config, host};
use quinn::Connection;
use replication::Clock;
use rustix::process::{Pid, Signal, kill_process};
use vocabulary::{Moment, WallNote};
use wire::frame::{self, STREAM_BYTES_MAX};
use wire::{Datagram, Request, Response};

use crate::start::lone::Host;

/// Set in the process that is to be the agent: its `hale.toml`.
const CONFIG: &str = "HALE_TEST_POISONED_CONFIG";

const BITTER: &[u8] = b"what no agent can bear";

struct Clocks {
    began: Instant,
}

impl Clock for Clocks {
    fn now(&self) -> Moment {
        let input = held_now().filter(|input| input.kind == Kind::Datagram);
        let is_bitter = |bytes: &[u8]| bytes.windows(BITTER.len()).any(|part| part == BITTER);
        assert!(!input.is_some_and(|input| is_bitter(&input.bytes)), "law X: nothing bitter");
        let passed = self.began.elapsed().as_millis();
        Moment::from_milliseconds(u64::try_from(passed).expect("a test is short"))
    }

    fn wall(&self) -> WallNote {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallNote(u64::try_from(now.as_millis()).expect("for a long time"))
    }
}

/// The part of the process that is the agent: it is run by the test below, in a process of its own.
#[test]
fn is_an_agent_where_it_is_told_to() {
    let Some(path) = std::env::var_os(CONFIG) else { return };
    let config = config::load(Path::new(&path)).expect("sound");
    let clocks: Arc<dyn Clock> = Arc::new(Clocks { began: Instant::now() });
    host::start::run_by(&config, &clocks).expect("it lives");
}

struct Agent(Child);

impl Agent {
    fn begin(host: &Host) -> Self {
        let own = std::env::current_exe().expect("a test knows its own executable");
        let mut process = Command::new(own);
        process.args(["--exact", "poison::is_an_agent_where_it_is_told_to", "--nocapture"]);
        // One thread: the test's own is the loop's.
        process.args(["--test-threads", "1"]).env(CONFIG, host.files.config());
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(process.spawn().expect("started"))
    }

    async fn ends(&mut self) -> Option<i32> {
        let mut code = None;
        until("the agent ends", async || {
            code = self.0.try_wait().expect("our own child");
            code.is_some()
        })
        .await;
        code.and_then(|code| code.code())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As a member, with a certificate of the mesh's own authority.
async fn welcomed(host: &Host) -> (quinn::Endpoint, Connection) {
    let mesh = host.files.folder().parent().expect("it lies in one");
    let endpoint = client(Some(&certified(mesh, "z1", false)));
    let mut connection = None;
    until("it admits a member", async || {
        let greeted = greet(&endpoint, host.bind, CLUSTER).await;
        connection =
            greeted.ok().and_then(|(connection, welcome)| welcome.ok().map(|_| connection));
        connection.is_some()
    })
    .await;
    (endpoint, connection.expect("it was"))
}

fn send_the_bitter(connection: &Connection) {
    let packet = frame::seal(&Datagram::Gossip(BITTER.to_vec()));
    connection.send_datagram(packet.into()).expect("sent");
}

#[tokio::test]
async fn an_agent_ends_twice_by_what_it_cannot_bear_and_does_without_it_in_its_third_life() {
    let host = Host::laid();
    let poison = host.files.storage().join("poison");
    for seen in 1..=2 {
        let mut agent = Agent::begin(&host);
        let (_endpoint, connection) = welcomed(&host).await;
        send_the_bitter(&connection);
        assert_eq!(agent.ends().await, Some(70));
        let kept: Vec<_> = fs::read_dir(&poison).expect("there").flatten().collect();
        assert_eq!(kept.len(), 1, "one input");
        let text = fs::read_to_string(kept[0].path()).expect("readable");
        let head = format!("hale poison 1\nseen {seen}\nabout a datagram of ");
        assert!(text.starts_with(&head) && text.contains("panic law X: nothing bitter"), "{text}");
    }
    let mut agent = Agent::begin(&host);
    let (_endpoint, connection) = welcomed(&host).await;
    send_the_bitter(&connection);
    it_says_so_and_serves_on(&host, &connection).await;
    assert!(agent.0.try_wait().expect("our own child").is_none(), "it lives");
    let id = Pid::from_child(&agent.0);
    kill_process(id, Signal::TERM).expect("it runs");
    assert_eq!(agent.ends().await, Some(0));
}

async fn it_says_so_and_serves_on(host: &Host, connection: &Connection) {
    let asked = frame::seal(&Request::Probe);
    for _ in 0..3 {
        send_the_bitter(connection);
        let answer = tokio::time::timeout(PATIENCE, say(connection, &asked)).await;
        let answer = answer.expect("in time").expect("answered");
        let answer = frame::open::<Response>(&answer, STREAM_BYTES_MAX).expect("an answer");
        assert!(matches!(answer, Response::Alive { .. }), "{answer:?}");
    }
    types(&host.files.socket(), &["status"]).await.says("is not taken any more");
}
