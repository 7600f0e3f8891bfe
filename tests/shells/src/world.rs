//! The one door to a world: who is in it, what is done to them, and what can be seen of them.
//!
//! Law W3: whatever story is told, no law breaks in it, all audits are one, and at its end no task of a dead agent is left.
//! Not here: how any of it is done (see `machine`, `network`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemon::admin::answer::{Answer, Body};
use daemon::admin::mind::{Local, Mind, NotCommitted};
use daemon::admin::render::Scene;
use daemon::host::mind::HostMind;
use ledger::Ledger;
use ledger::command::{Command, Order, Outcome};
use simulator::Setup;
use tokio::runtime::{Builder, Handle};
use tokio::time::{Instant, sleep};
use vocabulary::{CaseId, HostId, HostName, PublicKey, Signer as _, Span};

use crate::crowd;
use crate::desk::{Habit, JournalLine};
use crate::machine::{Machine, Machines};
use crate::network::{Network, Weather, milliseconds};
use crate::tape::Tape;
use replication::disk::DiskFault;

/// How often the world looks around while it waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A world in which a story is told.
pub struct World {
    machines: Arc<Machines>,
    policy: Option<String>,
    /// Tasks that were there before anybody lived.
    tasks_at_dawn: usize,
}

/// Tells a story in a world of its own, to its end; all agents run from its beginning. A broken law ends it with a panic that
/// follows the world's seed.
pub fn play<T>(setup: Setup, story: impl AsyncFnOnce(&World) -> T) -> T {
    play_on(Tape::default(), setup, story)
}

/// The same on a tape of one's own.
pub fn play_on<T>(tape: Tape, setup: Setup, story: impl AsyncFnOnce(&World) -> T) -> T {
    println!("a world of {} hosts under seed {}", setup.hosts.len(), setup.seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without input and output").block_on(async move {
        let world = World::begin(setup, tape);
        let told = story(&world).await;
        world.end().await;
        told
    })
}

impl World {
    fn begin(setup: Setup, tape: Tape) -> Self {
        let Setup { hosts, policy, weather, seed, .. } = setup;
        let network = Network::new(seed, tape);
        network.set_weather(Weather {
            latency_ms: weather.latency.as_milliseconds(),
            jitter_ms: weather.jitter.as_milliseconds(),
            loss_permille: weather.loss_permille,
            ..Weather::default()
        });
        tokio::spawn(network.clone().deliver());
        let machines = Machines::new(seed, network, hosts);
        let tasks_at_dawn = Handle::current().metrics().num_alive_tasks();
        for place in 0..machines.all.len() {
            machines.start(place);
        }
        Self { machines, policy, tasks_at_dawn }
    }

    /// Founds the ledger with all keepers, as `hale init` does, and sets the policy.
    pub async fn found(&self) {
        let keepers = self.machines.all.iter().filter(|machine| machine.claims.roles.keeper);
        self.found_by(keepers.map(|machine| machine.claims.host.clone()).collect()).await;
    }

    /// The same with these keepers; the others are spare.
    pub async fn found_by(&self, names: Vec<HostName>) {
        let first = names[0].clone();
        let ask = || {
            let names = names.clone();
            self.ask(first.as_str(), |mind| async move { mind.found(names).await })
        };
        while ask().await != Some(Ok(Outcome::Done)) {
            self.pass(60, "the founding").await;
        }
        let raise = Command::Rules { rules: ledger::rules::NEWEST };
        let raised = self.propose(first.as_str(), raise).await;
        assert_eq!(raised, Ok(Outcome::Done), "the newest rules");
        if let Some(text) = self.policy.clone() {
            let order = Order { who: "the world".into(), why: "its policy".into() };
            let command = Command::Policy { text, if_version: None, order };
            let set = self.propose(first.as_str(), command).await;
            assert!(matches!(set, Ok(Outcome::Policy { .. })), "{set:?}");
        }
    }

    /// Waits until every agent knows every host, this life of it, and a leader.
    pub async fn whole(&self) {
        while !self.is_whole() {
            self.pass(120, "the mesh to be whole").await;
        }
    }

    /// Lets so many milliseconds pass.
    pub async fn run(&self, for_ms: u64) {
        let ends = Instant::now() + Duration::from_millis(for_ms);
        while Instant::now() < ends {
            sleep(LOOK_EVERY.min(ends - Instant::now())).await;
            self.machines.look();
        }
    }

    /// Lets time pass until it holds; how many milliseconds that took. Panics with a picture of the world after `at_most` seconds.
    pub async fn until(&self, at_most: u64, what: &str, holds: impl Fn(&Self) -> bool) -> u64 {
        let began = Instant::now();
        while !holds(self) {
            assert!(
                began.elapsed() < Duration::from_secs(at_most),
                "waited {at_most} s for {what}\n{}",
                self.picture()
            );
            self.run(milliseconds(LOOK_EVERY)).await;
        }
        milliseconds(began.elapsed())
    }

    /// Milliseconds since the world began.
    pub fn now_ms(&self) -> u64 {
        self.machines.now().as_milliseconds()
    }

    /// SIGKILL.
    pub fn kill(&self, host: &str) {
        self.machines.kill(self.place(host));
    }

    /// SIGTERM.
    pub fn leave(&self, host: &str) {
        self.machines.leave(self.place(host));
    }

    /// SIGSTOP.
    pub fn freeze(&self, host: &str) {
        self.machines.freeze(self.place(host), true);
    }

    /// SIGCONT.
    pub fn thaw(&self, host: &str) {
        self.machines.freeze(self.place(host), false);
    }

    /// The power goes; of what was not synced a part is lost.
    pub fn power_off(&self, host: &str) {
        let seed = self.machines.seed ^ self.now_ms();
        self.machines.power_off(self.place(host), seed);
    }

    /// The power is back, or only the agent is started again; nothing where it runs.
    pub fn start(&self, host: &str) {
        self.machines.power_on(self.place(host));
    }

    /// Another certificate with another key takes the place of the one in the host's files, and of the one that its agent uses.
    pub async fn renew(&self, host: &str) {
        self.machines.renew(self.place(host)).await;
    }

    /// The key that the host's certificate holds now.
    pub fn key(&self, host: &str) -> PublicKey {
        self.machine(host).identity().signer().public_key()
    }

    /// An agent that does not run finds an empty disk when it starts.
    pub fn lose_disk(&self, host: &str) {
        self.machine(host).memory.lose();
    }

    /// A keeper's store fails from now on.
    pub fn fail_disk(&self, host: &str, fault: DiskFault) {
        self.machine(host).memory.fail(fault);
    }

    /// What one of these sends never comes to one of those.
    pub fn cut_one_way(&self, from: &[&str], to: &[&str]) {
        for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
            self.machines.network.cut(self.ip(from), self.ip(to));
        }
    }

    /// Nothing goes between these and all others.
    pub fn cut_off(&self, hosts: &[&str]) {
        let names = self.names();
        let others: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !hosts.contains(name)).collect();
        self.cut_one_way(hosts, &others);
        self.cut_one_way(&others, hosts);
    }

    /// So many knock at a host, each from an address where nobody is.
    pub fn forge_knocks(&self, host: &str, count: u16) {
        let to = self.machine(host).address();
        let knocks = crowd::knocks(self.machines.seed ^ self.now_ms(), count);
        knocks.for_each(|(from, knock)| self.machines.network.send(from, to, &knock));
    }

    /// All cuts and all weather of single links are over.
    pub fn mend(&self) {
        self.machines.network.mend();
    }

    /// What every link is like from now on.
    pub fn set_weather(&self, weather: Weather) {
        self.machines.network.set_weather(weather);
    }

    /// What one direction is like from now on.
    pub fn set_link(&self, from: &str, to: &str, weather: Weather) {
        self.machines.network.set_link(self.ip(from), self.ip(to), weather);
    }

    /// How the next remedies go, one each; all others work.
    pub fn expect_remedies(&self, habits: impl IntoIterator<Item = Habit>) {
        self.machines.desk.expect(habits);
    }

    /// How long each remedy takes from now on.
    pub fn remedies_take(&self, takes: Span) {
        self.machines.desk.take(takes);
    }

    /// Every remedy that was begun.
    pub fn journal(&self) -> Vec<JournalLine> {
        self.machines.desk.journal()
    }

    /// Who called a person, and for which case.
    pub fn pages(&self) -> Vec<(HostId, Option<CaseId>)> {
        self.machines.desk.pages()
    }

    /// All hosts.
    pub fn names(&self) -> Vec<String> {
        self.machines.all.iter().map(|machine| machine.claims.host.to_string()).collect()
    }

    /// A host's id.
    pub fn id(&self, host: &str) -> HostId {
        self.machine(host).id
    }

    /// The host of this id.
    pub fn name(&self, id: &HostId) -> String {
        let machine = self.machines.all.iter().find(|machine| machine.id == *id);
        machine.map(|machine| machine.claims.host.to_string()).unwrap_or_default()
    }

    /// Whether its agent has begun and not ended.
    pub fn is_running(&self, host: &str) -> bool {
        self.machine(host).agent().is_some()
    }

    /// Why its agent ended by itself, the last time it did.
    pub fn ended(&self, host: &str) -> Option<String> {
        self.machine(host).inside().ended.clone()
    }

    /// The ledger as this host knows it; an empty one where no agent runs.
    pub fn view(&self, host: &str) -> Arc<Ledger> {
        self.machine(host).view().unwrap_or_default()
    }

    /// The ledger of whoever has come furthest.
    pub fn ledger(&self) -> Arc<Ledger> {
        self.machines.newest()
    }

    /// Who leads by the word of most agents that run.
    pub fn leader(&self) -> Option<String> {
        let mut words: BTreeMap<HostId, usize> = BTreeMap::new();
        for leader in self.agents().filter_map(|mind| mind.standing().leader) {
            *words.entry(leader).or_default() += 1;
        }
        words.into_iter().max_by_key(|(_, count)| *count).map(|(leader, _)| self.name(&leader))
    }

    /// Who leads in this host's eyes.
    pub fn leader_of(&self, host: &str) -> Option<String> {
        let (mind, _) = self.machine(host).agent()?;
        mind.standing().leader.map(|leader| self.name(&leader))
    }

    /// What only this host knows, in time; `None` where its loop does not answer.
    pub async fn local(&self, host: &str) -> Option<Local> {
        self.ask(host, |mind| async move { mind.local().await }).await
    }

    /// What its agent answers an operator there, as its admin socket works it out; `None` where none runs, or none answers.
    pub async fn answer<B: Body + Send + 'static>(
        &self,
        host: &str,
        work_out: impl FnOnce(&Scene<'_>) -> B + Send + 'static,
    ) -> Option<Answer<B>> {
        let ask = |mind: Arc<HostMind>| async move {
            mind.refresh().await;
            let local = mind.local().await;
            let (view, me) = (mind.view(), mind.me());
            let scene = Scene::new(&view, &local, &me, (mind.standing(), view.wall().0));
            scene.answer(work_out(&scene))
        };
        self.ask(host, ask).await
    }

    /// Every doubt that any agent holds of itself: by whom and of whom.
    pub async fn doubts(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for name in self.names() {
            let doubts = self.local(&name).await.unwrap_or_default().doubts;
            found.extend(doubts.keys().map(|subject| (name.clone(), self.name(subject))));
        }
        found
    }

    /// A command in this host's name.
    pub async fn propose(&self, host: &str, command: Command) -> Result<Outcome, NotCommitted> {
        let asked = self.ask(host, |mind| async move { mind.propose(command).await }).await;
        asked.unwrap_or_else(|| Err(NotCommitted::NoLeader("no agent runs there".into())))
    }

    /// Asks a host's agent, in a task of that host; `None` where none runs, or where it ends before it answers.
    pub async fn ask<T, F>(&self, host: &str, ask: impl FnOnce(Arc<HostMind>) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (mind, tether) = self.machine(host).agent()?;
        let asked = tether.spawn(ask(mind));
        tokio::time::timeout(Duration::from_secs(20), asked).await.ok()?.ok()
    }

    /// Reads the tape of all packets.
    pub fn with_tape<T>(&self, read: impl FnOnce(&Tape) -> T) -> T {
        self.machines.network.with_tape(read)
    }

    /// Whether every agent that should run does and knows every host in the life it lives now, and a leader.
    pub fn is_whole(&self) -> bool {
        let count = self.machines.all.len();
        let newest = self.ledger();
        self.machines.all.iter().all(|machine| {
            let Some((mind, _)) = machine.agent() else { return false };
            let view = mind.view();
            let booted = view.roster().present().filter(|(_, entry)| entry.boot.is_some()).count();
            booted == count && view.index() == newest.index() && mind.standing().leader.is_some()
        })
    }

    /// Whether no case is open, in the newest ledger.
    pub fn is_settled(&self) -> bool {
        self.ledger().cases().next().is_none()
    }

    /// Everything of importance, in lines.
    pub fn picture(&self) -> String {
        let ledger = self.ledger();
        let mut lines = vec![format!("at {} ms, leader {:?}", self.now_ms(), self.leader())];
        for machine in &self.machines.all {
            let index = machine.view().map(|view| view.index());
            let (name, ended) = (&machine.claims.host, machine.inside().ended.clone());
            lines.push(format!("{name}: ledger {index:?}, ended {ended:?}"));
        }
        for case in ledger.cases() {
            lines.push(format!("{} {:?} {}: {:?}", case.id, case.subject, case.kind, case.stage));
        }
        let records = ledger.audit_since(0).map(|record| format!("{:?}", record.what));
        lines.extend(records.filter(|line| !line.starts_with("Enrolled")));
        lines.extend(self.journal().iter().map(|line| format!("{line:?}")));
        lines.join("\n")
    }

    /// What was broken so far.
    pub fn breaches(&self) -> Vec<String> {
        self.machines.compare_audits();
        self.machines.laws().breaches().to_vec()
    }

    async fn pass(&self, at_most: u64, what: &str) {
        let is_late = self.now_ms() > at_most * 1_000;
        assert!(!is_late, "waited {at_most} s for {what}\n{}", self.picture());
        self.run(milliseconds(LOOK_EVERY)).await;
    }

    /// Law W3.
    async fn end(self) {
        self.machines.look();
        let breaches = self.breaches();
        assert!(breaches.is_empty(), "{breaches:#?}\n{}", self.picture());
        for machine in &self.machines.all {
            self.machines.power_off(machine.place, 0);
        }
        // Programs that ran for the dead are told of it, and end.
        sleep(LOOK_EVERY).await;
        let left = Handle::current().metrics().num_alive_tasks();
        assert_eq!(left, self.tasks_at_dawn, "tasks of dead agents still live");
    }

    fn agents(&self) -> impl Iterator<Item = Arc<HostMind>> {
        self.machines.all.iter().filter_map(Machine::agent).map(|(mind, _)| mind)
    }

    fn place(&self, host: &str) -> usize {
        self.machine(host).place
    }

    fn ip(&self, host: &str) -> IpAddr {
        self.machine(host).ip
    }

    fn machine(&self, host: &str) -> &Machine {
        let found = self.machines.all.iter().find(|machine| machine.claims.host.as_str() == host);
        found.unwrap_or_else(|| panic!("no host {host} in this world"))
    }
}
