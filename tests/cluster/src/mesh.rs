//! Six real agents with a policy that may heal, and waiting for what a story claims.
//!
//! Law T1: a claim rests on agents' answers, on audits chained again, and on what was seen outside of every agent.
//! Law T2: the folder of a story that broke off stays, and its path is printed; nothing of any story runs on.
//! Law T3: two meshes at a time at most, so that timers stay honest on two cores.
//! Not here: what is broken and what must follow (see the stories), how a remedy is held back (see `remedies`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::admin::answer::PolicyOrder;
use daemon::demo::folder::Folder;
use daemon::demo::history::{CaseStory, History};
use daemon::demo::opening;
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::proofs::{Healing, Proof};
use daemon::demo::stage::{Calm, Stage, id_of};
use daemon::demo::starter::Starter;
use daemon::demo::story::{Ear, Story};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{self, Instant};
use vocabulary::{CaseId, HostId, Scope, VerdictKind};

use crate::operator::{self, Printed};
use crate::remedies::Remedies;
use crate::{PATIENCE, program};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Many times what the longest story takes, for whatever in it awaits an answer and not a condition.
const STORY_WITHIN: Duration = Duration::from_mins(5);

/// law T3, for the tests of one process; between processes nextest's group holds it. One mesh leaves four fifths of two cores
/// idle.
static TURNS: Semaphore = Semaphore::const_new(2);

/// A mesh that is well and may heal.
pub struct Mesh {
    /// Fleet, sight, journal and history.
    pub stage: Stage,
    /// The remedy that its policy names.
    pub remedies: Remedies,
    /// All files of the mesh.
    pub folder: PathBuf,
    _starter: Starter,
}

/// Tells one story on a mesh of its own.
pub fn play(story: impl AsyncFnOnce(Mesh)) {
    play_with(|_| program::hale(), story);
}

/// The same with agents that are started as what `program` lays in the story's folder.
pub fn play_with(program: impl FnOnce(&Path) -> PathBuf, story: impl AsyncFnOnce(Mesh)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _turn = runtime.block_on(acquired());
    let laid = Laid(Folder::make().expect("a folder among the temporary files"));
    runtime.block_on(async {
        let told = async {
            let folder = laid.0.path();
            story(Mesh::raise(folder, &program(folder)).await).await;
        };
        let minutes = STORY_WITHIN.as_secs() / 60;
        time::timeout(STORY_WITHIN, told)
            .await
            .unwrap_or_else(|_| panic!("the story did not end within {minutes} minutes"));
    });
}

/// Waits until one more mesh may run, for a test that raises its own; it may until what is returned is dropped.
pub fn turn() -> SemaphorePermit<'static> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(acquired())
}

async fn acquired() -> SemaphorePermit<'static> {
    TURNS.acquire().await.expect("nobody closes it")
}

/// law T2.
struct Laid(Folder);

impl Drop for Laid {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("logs and journal of this story: {}", self.0.path().display());
            self.0.keep();
        }
    }
}

/// A claim that the story rests upon.
#[track_caller]
pub fn held(proof: &Proof) {
    assert!(proof.held, "not so: {}: {}", proof.claim, proof.seen);
}

#[track_caller]
fn hold<T>(shown: Result<T, Proof>) -> T {
    shown.unwrap_or_else(|proof| panic!("not so: {}: {}", proof.claim, proof.seen))
}

/// Waits until this is so; the claim says what failed otherwise.
pub async fn until(claim: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        let seconds = PATIENCE.as_secs();
        assert!(Instant::now() < end, "not within {seconds} s: {claim}");
        time::sleep(LOOK_EVERY).await;
    }
}

/// A host that carries no ledger, outside the leader's zone.
pub fn plain(before: &Calm) -> Place {
    let zone = HOSTS[before.leader].zone;
    (0..HOSTS_COUNT)
        .find(|place| !HOSTS[*place].is_keeper && HOSTS[*place].zone != zone)
        .expect("two of three plain hosts stand in other zones")
}

/// Which host of the plan has this id.
pub fn place_of(id: HostId) -> Place {
    (0..HOSTS_COUNT).find(|place| id_of(*place) == id).expect("a host of the plan")
}

impl Mesh {
    async fn raise(folder: &Path, program: &Path) -> Self {
        let opened = opening::open(program, folder, Story::begin(Ear::Nobody)).await;
        let (stage, starter) =
            opened.unwrap_or_else(|(_, fault)| panic!("the mesh did not open: {fault}"));
        let remedies = Remedies::lay(folder, &program::hale());
        let folder = folder.to_owned();
        let mesh = Self { stage, remedies, folder, _starter: starter };
        let text = mesh.remedies.policy();
        mesh.apply(0, &text).await;
        mesh
    }

    /// `hale policy apply`, asked of this host's agent; the version that it acknowledged.
    pub async fn apply(&self, place: Place, text: &str) -> u64 {
        let why = "a story".to_owned();
        let order = PolicyOrder { text: text.to_owned(), why, if_version: None };
        let ordered = self.stage.sight.order(place, "/v1/policy", &order).await;
        let ordered = ordered.expect("the policy is applied");
        ordered.data.version.expect("an order of a policy tells its version")
    }

    /// `hale WORDS`, typed at this host.
    pub async fn types(&self, place: Place, words: &[&str]) -> Printed {
        operator::types(&self.stage.fleet.files(place).socket(), words).await
    }

    /// Waits until every agent knows the newest rules to be in force: what is told in new ways is told from then on.
    pub async fn has_newest_rules(&self) {
        let newest = u64::from(ledger::rules::NEWEST);
        for place in 0..HOSTS_COUNT {
            until("the newest rules are in force", async || {
                let status = self.stage.sight.status(place).await;
                status.is_ok_and(|status| status.data.ledger.rules == newest)
            })
            .await;
        }
    }

    /// What a person of this host should know, by its `hale status`.
    pub async fn notes(&self, place: Place) -> String {
        let status = self.stage.sight.status(place).await;
        status.map(|status| status.data.notes.join("\n")).unwrap_or_default()
    }

    /// What keeps an agent that can be asked from saying that every host is well.
    pub async fn uneasy(&self) -> Vec<String> {
        let mut uneasy = Vec::new();
        for (place, asked) in HOSTS.iter().enumerate() {
            let hosts = self.stage.sight.hosts(place).await.map(|hosts| hosts.data.hosts);
            for host in hosts.unwrap_or_default() {
                if host.state != "ok" || !host.doubted_by.is_empty() {
                    let (name, state, by) = (host.name, host.state, host.doubted_by);
                    uneasy.push(format!("{}: {name} is {state}, doubted by {by:?}", asked.name));
                }
            }
        }
        uneasy
    }

    /// No agent that can be asked knows of a doubt.
    pub async fn without_a_doubt(&self) {
        let uneasy = self.uneasy().await;
        assert!(uneasy.is_empty(), "{uneasy:?}");
    }

    /// Starts every agent that does not run.
    pub async fn start_all(&self) {
        for place in 0..HOSTS_COUNT {
            self.stage.fleet.start(place).await.expect("it listens");
        }
    }

    /// Waits until every agent says that all is well, and reads the audit up to there.
    pub async fn calm(&mut self) -> Calm {
        let calm = hold(self.stage.calm(PATIENCE).await);
        hold(self.stage.follow().await);
        Calm { head: self.stage.history.head().number, ..calm }
    }

    /// Waits until all is well and this is so: new lives are told a moment after all is well again.
    pub async fn calm_when(&mut self, claim: &str, is_so: impl Fn(&Calm) -> bool) -> Calm {
        let end = Instant::now() + PATIENCE;
        loop {
            let calm = self.calm().await;
            if is_so(&calm) {
                return calm;
            }
            assert!(Instant::now() < end, "not within {} s: {claim}: {calm:?}", PATIENCE.as_secs());
            time::sleep(LOOK_EVERY).await;
        }
    }

    /// Follows the audit until it shows what is claimed.
    pub async fn shown<T>(&mut self, claim: &str, shows: impl Fn(&History) -> Option<T>) -> T {
        hold(self.stage.until(claim, PATIENCE, shows).await)
    }

    /// Waits for a verdict on this host.
    pub async fn case_on(&mut self, place: Place, before: &Calm) -> CaseId {
        let subject = Scope::Host(id_of(place));
        let claim = format!("a verdict on {} stands", HOSTS[place].name);
        self.shown(&claim, |history| history.case_on(&subject, before.head)).await
    }

    /// Waits until this case is closed.
    pub async fn closed(&mut self, case: CaseId, before: &Calm) -> CaseStory {
        self.shown(&format!("case {case} is closed"), |history| {
            let story = history.story(case, before.head);
            story.closed.is_some().then_some(story)
        })
        .await
    }

    /// What was opened since, in order.
    pub fn opened(&self, before: &Calm) -> Vec<(Scope, VerdictKind)> {
        let opened = self.stage.history.opened_since(before.head).into_iter();
        opened.map(|(_, on, kind)| (on, kind)).collect()
    }

    /// Everything that must be true of a host that was healed by one remedy.
    pub async fn healed(&mut self, place: Place, kind: VerdictKind, before: &Calm) {
        let case = self.case_on(place, before).await;
        let story = self.closed(case, before).await;
        self.calm().await;
        let host = HOSTS[place].name;
        let healing = Healing {
            host,
            kind,
            story: &story,
            lines: self.stage.lines(before, Some(place)),
            boot_before: before.boots[host],
            boots_now: self.stage.boots_of(place).await,
        };
        healing.proofs().iter().for_each(held);
        held(&self.stage.one_history().await);
    }

    /// The process of the agent that runs on this host.
    pub async fn process(&self, place: Place) -> u32 {
        self.stage.fleet.process_of(place).await.expect("its agent runs")
    }

    /// The processes of all agents.
    pub async fn processes(&self) -> Vec<u32> {
        let mut all = Vec::new();
        for place in 0..HOSTS_COUNT {
            all.push(self.process(place).await);
        }
        all
    }

    /// What this host's agents have logged, one life after the other.
    pub fn log(&self, place: Place) -> String {
        std::fs::read_to_string(self.stage.fleet.files(place).log()).unwrap_or_default()
    }

    /// What this host's agent says of that host: `ok`, `doubted`, `case`, `left`, ...
    pub async fn state_of(&self, place: Place, by: Place) -> Option<String> {
        let hosts = self.stage.sight.hosts(by).await.ok()?.data.hosts;
        let host = hosts.into_iter().find(|host| host.name == HOSTS[place].name)?;
        Some(host.state)
    }
}
