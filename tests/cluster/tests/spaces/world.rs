//! A mesh that may heal, what was concluded and begun in it, and what an operator reads.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use cluster::operator::{self, Printed};
use cluster::program;
use lab::Fleet;
use lab::network::Trouble;
use lab::plan::{Place, Planned};
use ledger::audit::What;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};
use vocabulary::{CaseId, Scope, VerdictKind};

/// Hosts of a story, where `HALE_HOSTS` names no other number.
const HOSTS_COUNT: usize = 12;

/// Many times what anything takes: two such meshes at once leave two cores little.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// For all of a story, whatever in it awaits an answer and not a condition.
const STORY_WITHIN: Duration = Duration::from_mins(8);

/// How often it is asked whether it is so yet.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Two meshes at a time, so that timers stay honest on two cores.
static TURNS: Semaphore = Semaphore::const_new(2);

/// The mesh of one story.
pub struct World {
    pub fleet: Fleet,
    seen: Vec<What>,
    above: u64,
}

/// Tells one story on a mesh of its own.
pub fn play(name: &str, story: impl AsyncFnOnce(World)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _turn = runtime.block_on(TURNS.acquire()).expect("nobody closes it");
    runtime.block_on(async {
        let told = async { story(World::raise(name).await).await };
        let minutes = STORY_WITHIN.as_secs() / 60;
        time::timeout(STORY_WITHIN, told)
            .await
            .unwrap_or_else(|_| panic!("the story did not end within {minutes} minutes"));
    });
}

/// Waits until this is so; the claim says what failed otherwise.
pub async fn until(claim: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "not within {} s: {claim}", PATIENCE.as_secs());
        time::sleep(LOOK_EVERY).await;
    }
}

/// The subject of a verdict on this host.
pub fn host(place: Place) -> Scope {
    Scope::Host(Planned(place).id().expect("a sound name"))
}

impl World {
    async fn raise(name: &str) -> Self {
        let count = std::env::var("HALE_HOSTS");
        let count = count.map_or(HOSTS_COUNT, |said| said.parse().expect("HALE_HOSTS is a number"));
        let fleet = Fleet::raise(name, count, &program::hale()).await;
        let fleet = fleet.unwrap_or_else(|fault| panic!("the mesh did not open: {fault}"));
        let mut world = Self { fleet, seen: Vec::new(), above: 0 };
        let policy = world.lay_policy();
        let file = policy.to_str().expect("a plain path");
        world.types(0, &["policy", "apply", "--why", "a story", file]).await.done();
        world.calm().await;
        world
    }

    /// Waits until every host is well and nothing is open; what was concluded and begun before it is not looked at any more. Who
    /// leads.
    pub async fn calm(&mut self) -> Place {
        let leader = self.fleet.calm().await.unwrap_or_else(|unrest| panic!("{unrest}"));
        self.read().await;
        self.seen.clear();
        let _ = fs::remove_file(self.journal());
        leader
    }

    /// Waits until every host is well and nothing is open; who leads.
    pub async fn is_well_again(&self) -> Place {
        self.fleet.calm().await.unwrap_or_else(|unrest| panic!("{unrest}"))
    }

    /// What was concluded since it was calm, each once, in order.
    pub async fn verdicts(&mut self) -> Vec<(Scope, VerdictKind)> {
        self.read().await;
        let mut verdicts = Vec::new();
        for what in &self.seen {
            if let What::Verdict { subject, kind, .. } = what
                && !verdicts.contains(&(subject.clone(), kind.clone()))
            {
                verdicts.push((subject.clone(), kind.clone()));
            }
        }
        verdicts
    }

    /// Every verdict since it was calm, by its case and subject, in order.
    pub fn cases(&self) -> impl Iterator<Item = (CaseId, &Scope)> {
        self.seen.iter().filter_map(|what| match what {
            What::Verdict { case, subject, .. } => Some((*case, subject)),
            _ => None,
        })
    }

    /// Waits until the roster has so many new keys since it was calm; reads by itself, so that others may ask meanwhile.
    pub async fn has_enrolled(&self, count: usize) {
        until(&format!("the roster has {count} new keys"), async || {
            let Ok(leader) = self.fleet.leader().await else { return false };
            let Ok(page) = self.fleet.audit(leader, self.above).await else { return false };
            let records = page.records.iter().filter_map(|record| record.unseal().ok());
            records.filter(|record| matches!(record.what, What::Enrolled { .. })).count() >= count
        })
        .await;
    }

    /// How many remedies were intended since it was calm.
    pub async fn intended(&mut self) -> usize {
        self.read().await;
        self.seen.iter().filter(|what| matches!(what, What::Intended { .. })).count()
    }

    /// The hosts on which a remedy was begun since it was calm, as the remedy wrote down.
    pub fn begun(&self) -> Vec<String> {
        let text = fs::read_to_string(self.journal()).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    /// Nobody was condemned and nothing was begun since it was calm.
    pub async fn nothing_came_of_it(&mut self) {
        assert_eq!(self.verdicts().await, [], "nobody is condemned");
        assert_eq!((self.intended().await, self.begun()), (0, vec![]), "nothing is begun");
    }

    /// Waits for a verdict.
    pub async fn verdict(&mut self, on: Scope, kind: VerdictKind) {
        let end = Instant::now() + PATIENCE;
        let awaited = (on, kind);
        loop {
            let verdicts = self.verdicts().await;
            if verdicts.contains(&awaited) {
                return;
            }
            let seconds = PATIENCE.as_secs();
            assert!(Instant::now() < end, "no {awaited:?} within {seconds} s: {verdicts:?}");
            time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a remedy is begun on this host, and does what it stands for: the machine is off and on again.
    pub async fn powers_cycle(&mut self, place: Place) {
        let name = Planned(place).name();
        until(&format!("a remedy is begun on {name}"), async || self.begun().contains(&name)).await;
        self.fleet.kill(place).expect("killed");
        self.fleet.set(place, lab::network::Port::Open).expect("open");
        self.fleet.start_again(place).await.unwrap_or_else(|fault| panic!("{fault}"));
    }

    /// `hale WORDS`, typed at this host.
    pub async fn types(&self, place: Place, words: &[&str]) -> Printed {
        operator::types(&self.fleet.files(place).socket(), words).await
    }

    /// What is wrong with the network from now on.
    pub fn spoil(&self, trouble: &Trouble) {
        self.fleet.spoil(trouble).expect("the network takes it");
    }

    /// All places but these.
    pub fn others(&self, but: &[Place]) -> Vec<Place> {
        (0..self.fleet.count()).filter(|place| !but.contains(place)).collect()
    }

    /// All places.
    pub fn all(&self) -> Vec<Place> {
        self.others(&[])
    }

    /// All hosts of a zone; the zones are dealt in turn.
    pub fn zone(&self, nth: usize) -> Vec<Place> {
        (0..self.fleet.count()).filter(|place| place % 3 == nth).collect()
    }

    /// The committed audit so far, from whichever keeper leads.
    async fn read(&mut self) {
        let end = Instant::now() + PATIENCE;
        let page = loop {
            let page = match self.fleet.leader().await {
                Ok(leader) => self.fleet.audit(leader, self.above).await,
                Err(fault) => Err(fault),
            };
            match page {
                Ok(page) if page.records.is_empty() => return,
                Ok(page) => break page,
                Err(fault) => assert!(Instant::now() < end, "{fault}"),
            }
            time::sleep(LOOK_EVERY).await;
        };
        for record in &page.records {
            self.above = self.above.max(record.number);
            self.seen.push(record.unseal().expect("a record of ours").what);
        }
        if self.above < page.head.number {
            Box::pin(self.read()).await;
        }
    }

    fn journal(&self) -> PathBuf {
        self.fleet.folder().join("begun")
    }

    /// One host under repair at a time, and waits that are short enough for a test. The remedy writes down whom it is for.
    fn lay_policy(&self) -> PathBuf {
        let (remedy, policy) =
            (self.fleet.folder().join("remedy"), self.fleet.folder().join("policy.toml"));
        let journal = self.journal();
        let script = format!("#!/bin/sh\necho \"$HALE_SUBJECT\" >>'{}'\n", journal.display());
        fs::write(&remedy, script).expect("written");
        fs::set_permissions(&remedy, fs::Permissions::from_mode(0o700)).expect("set");
        let rule = |verdict: &str, class: &str| {
            format!(
                "
[[rule]]
name = \"{verdict}\"
when = {{ verdict = \"{verdict}\" }}
mode = \"act\"
for = \"1s\"
cooldown = \"1s\"
attempts = {{ at_most = 20, within = \"1h\" }}

[[rule.ladder]]
do = \"command\"
class = \"{class}\"
argv = [\"{}\"]
time_limit = \"8s\"
verify_within = \"60s\"
soak = \"1s\"
",
                remedy.display()
            )
        };
        let head = "\
[budget]
fleet     = { in_flight = 1, halt_above = \"none\", per_hour = 100 }
zone      = { in_flight = 1, halt_above = \"none\" }
any_group = { in_flight = 1 }

[timers]
quiet_for = \"2s\"
lease_term = \"16s\"
";
        let rules = [rule("AgentDown", "gentle"), rule("HostDown", "disruptive")].concat();
        fs::write(&policy, format!("{head}{rules}")).expect("written");
        policy
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("logs and journal of this story: {}", self.fleet.keep().display());
        }
    }
}
