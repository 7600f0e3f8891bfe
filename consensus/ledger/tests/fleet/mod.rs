//! A virtual fleet around one ledger: hosts that sign with model keys, rounds that say what a test wants seen.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod healing;

pub use healing::{fence, receipt, remedy};
use ledger::case::Case;
use ledger::command::{Command, Doubted, Entry, Finding, Order, Outcome, Proposed, UnfitFinding};
use ledger::{Ledger, rules};
use vocabulary::{
    Answer, Attestation, Boot, CaseId, CheckGrounds, CheckWord, Claims, ClusterName, Domain, Fence,
    Grade, Grounds, GroupName, HostId, HostName, Label, LedgerIndex, ModelSigner, ModelVerifier,
    Path, PathReading, PublicKey, Reading, Roles, Scope, SelfAnswer, Sequence, Signature, Span,
    VerdictKind, WallNote, model_authority, model_chain,
};

/// What observers see of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answers.
    Well,
    /// Its agent is silent and a port refuses.
    AgentDown,
    /// Nothing answers.
    HostDown,
    /// Connections are accepted and nothing is said.
    HostHung,
}

pub struct Fleet {
    pub ledger: Ledger,
    pub hosts: Vec<Claims>,
    index: u64,
    wall: u64,
    sequence: u64,
    /// Every entry that was applied, to be played again.
    pub log: Vec<(LedgerIndex, Entry)>,
}

/// So long an epoch stands (protocol 1.3).
pub const EPOCH_SECONDS: u64 = 5;

/// Gentle where the host lives, disruptive where it does not; short waits.
pub const POLICY: &str = r#"
[budget]
fleet = { in_flight = 2, halt_above = "none" }
zone = { in_flight = 2, halt_above = "none" }
rack = { in_flight = 1 }
any_group = { in_flight = 2 }

[[rule]]
name = "agent down"
when = { verdict = "AgentDown" }
mode = "act"
cooldown = "60s"
attempts = { at_most = 3, within = "1h" }
ladder = [
  { do = "command", class = "gentle", argv = ["/bin/start"], time_limit = "10s", verify_within = "30s", soak = "3s" },
  { do = "command", class = "gentle", argv = ["/bin/reboot"], time_limit = "10s", verify_within = "30s", soak = "0s" },
]
for = "0s"

[[rule]]
name = "host down"
when = { verdict = "HostDown" }
mode = "act"
for = "10s"
ladder = [
  { do = "command", class = "disruptive", argv = ["/bin/reboot"], time_limit = "10s", verify_within = "30s", soak = "0s" },
]
"#;

/// [`POLICY`] the other way round: a host that is down is replaced, twice, and nothing else is done.
pub fn replacing() -> String {
    let swapped = POLICY.replace("HostDown", "Other").replace("AgentDown", "HostDown");
    let gentle = swapped.replace("Other", "AgentDown");
    gentle.replace("\"gentle\"", "\"destructive\"").replace("\"disruptive\"", "\"gentle\"")
}

/// A check on every host, by this word.
pub fn checking(from: &str) -> String {
    format!("{POLICY}\n[[check]]\nname = \"api\"\nkind = \"tcp\"\nport = 8080\nfrom = \"{from}\"\n")
}

/// Nine hosts in three zones of three racks each; the first of each zone is a keeper, all are healers.
pub const NINE: [&str; 9] = ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"];

impl Fleet {
    /// Nine hosts, founded, enrolled and booted; no policy.
    pub fn nine() -> Self {
        Self::of(NINE.iter().map(|name| claims(name)).collect())
    }

    /// Nine hosts under [`POLICY`].
    pub fn healing() -> Self {
        let mut fleet = Self::nine();
        fleet.set_policy(POLICY);
        fleet
    }

    /// Nine hosts under [`POLICY`] and one check, by this word.
    pub fn checking(from: &str) -> Self {
        let mut fleet = Self::nine();
        fleet.set_policy(&checking(from));
        fleet
    }

    /// The same under the first rules, as a keeper of that age would have them.
    pub fn healing_under_the_first_rules() -> Self {
        let hosts = NINE.iter().map(|name| claims(name)).collect();
        let mut fleet = Self::under(rules::FIRST, hosts);
        // They let a living host be taken away by more than a gentle remedy.
        let again = "gentle\", argv = [\"/bin/reboot\"";
        fleet.set_policy(&POLICY.replace(again, &again.replace("gentle", "disruptive")));
        fleet
    }

    pub fn of(hosts: Vec<Claims>) -> Self {
        Self::under(rules::NEWEST, hosts)
    }

    pub fn under(rules: u32, hosts: Vec<Claims>) -> Self {
        let mut fleet = Self {
            ledger: Ledger::new(),
            hosts,
            index: 0,
            wall: 1_000,
            sequence: 0,
            log: Vec::new(),
        };
        let keepers: Vec<Claims> = fleet.keepers().cloned().collect();
        let found = Command::Found {
            cluster: cluster(),
            authorities: vec![model_authority()],
            keepers: keepers.iter().map(model_chain).collect(),
        };
        let first = keepers[0].host.as_str().to_owned();
        assert_eq!(fleet.send(&first, found), Outcome::Done);
        if rules > rules::FIRST {
            assert_eq!(fleet.send(&first, Command::Rules { rules }), Outcome::Done);
        }
        for claims in fleet.hosts.clone() {
            let enrolled = fleet.send(claims.host.as_str(), Command::Enrol(model_chain(&claims)));
            assert_eq!(enrolled, Outcome::Done);
        }
        fleet.wait(EPOCH_SECONDS);
        for claims in fleet.hosts.clone() {
            assert_eq!(fleet.boot(claims.host.as_str(), 1), Outcome::Done);
        }
        fleet
    }

    pub fn keepers(&self) -> impl Iterator<Item = &Claims> {
        self.hosts.iter().filter(|claims| claims.roles.keeper)
    }

    pub fn set_policy(&mut self, text: &str) {
        let command =
            Command::Policy { text: text.into(), if_version: None, order: order("a policy") };
        let outcome = self.send("a1", command);
        assert!(matches!(outcome, Outcome::Policy { .. }), "{outcome:?}");
    }

    /// One command in an entry of its own, with no time gone by.
    pub fn send(&mut self, by: &str, command: Command) -> Outcome {
        self.entry(Span::ZERO, vec![Proposed { by: id(by), command }]).remove(0)
    }

    pub fn entry(&mut self, elapsed: Span, commands: Vec<Proposed>) -> Vec<Outcome> {
        self.index += 1;
        self.wall += elapsed.as_milliseconds();
        let entry = Entry { elapsed, wall: WallNote(self.wall), commands };
        let index = LedgerIndex(self.index);
        let outcomes = self.ledger.apply(index, &entry, &ModelVerifier);
        self.log.push((index, entry));
        outcomes
    }

    /// Time goes by in ticks of one second.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let tick = Proposed { by: id("a1"), command: Command::Tick };
            self.entry(Span::seconds(1), vec![tick]);
        }
    }

    /// Time goes by while this healer renews its lease.
    pub fn wait_renewing(&mut self, seconds: u64, healer: &str, case: CaseId, fence: Fence) {
        for second in 0..seconds {
            self.wait(1);
            if second % 10 == 5 {
                let outcome = self.send(healer, Command::Renew { case, fence });
                assert_eq!(outcome, Outcome::Leased { fence });
            }
        }
    }

    pub fn boot(&mut self, name: &str, number: u64) -> Outcome {
        self.send(
            name,
            Command::Boot {
                boot: boot(number),
                address: "[::1]:4433".parse().expect("sound"),
                store: None,
            },
        )
    }

    /// A round under the newest anchor: all who live look at these subjects; everybody else answers for himself.
    pub fn round(&mut self, subjects: &[(&str, Seen)]) -> Grounds {
        self.wait(1);
        let seen: Vec<(HostId, Seen)> =
            subjects.iter().map(|(name, seen)| (id(name), *seen)).collect();
        let lives = |host: &HostId| {
            seen.iter().all(|(subject, seen)| subject != host || *seen == Seen::Well)
        };
        let mut grounds = Grounds {
            anchor: self.ledger.anchor(),
            epoch: self.ledger.roster().epoch,
            attestations: Vec::new(),
            answers: Vec::new(),
        };
        for (subject, seen) in &seen {
            for observer in self.ledger.seating().clone().observers(subject) {
                if lives(observer) {
                    let attestation = self.attestation(*observer, *subject, *seen);
                    grounds.attestations.push(attestation);
                }
            }
        }
        for claims in self.hosts.clone() {
            if self.ledger.roster().get(&claims.id()).is_some() && lives(&claims.id()) {
                grounds.answers.push(self.answer(&claims));
            }
        }
        grounds
    }

    fn attestation(&mut self, observer: HostId, subject: HostId, seen: Seen) -> Attestation {
        self.sequence += 1;
        let roster = self.ledger.roster().clone();
        let entry = |host| roster.get(host).expect("it belongs");
        let attestation = Attestation {
            subject,
            subject_boot: entry(&subject).boot.expect("booted"),
            observer,
            observer_boot: entry(&observer).boot.expect("booted"),
            key: PublicKey([0; 32]),
            sequence: Sequence(self.sequence),
            epoch: roster.epoch,
            anchor: self.ledger.anchor(),
            grade: if seen == Seen::Well { Grade::Ok } else { Grade::Failed },
            paths: paths(seen),
            ingress: self.ledger.seating().observers(&observer).to_vec(),
            late_ms: 0,
            signature: Signature([0; 32], [0; 32]),
        };
        attestation.signed("test", &ModelSigner::new(&entry(&observer).claims.host))
    }

    /// The same round, but all of its observers except the first so many had never reached the subject (protocol 2.5).
    pub fn blinded(&self, mut grounds: Grounds, seeing: usize) -> Grounds {
        for word in grounds.attestations.iter_mut().skip(seeing) {
            word.grade = Grade::Unknown;
            word.paths.iter_mut().for_each(|path| path.reading = Reading::Absent);
            *word = self.signed(word.clone());
        }
        grounds
    }

    /// Signed anew by its observer.
    pub fn signed(&self, word: Attestation) -> Attestation {
        let mut hosts = self.hosts.iter();
        let author = hosts.find(|claims| claims.id() == word.observer);
        word.signed("test", &ModelSigner::new(&author.expect("it belongs").host))
    }

    /// The leader tells of a doubt on this host that has stood for so many seconds.
    pub fn unsettled(
        &mut self,
        name: &str,
        seconds: u64,
        grounds: Grounds,
    ) -> Result<CaseId, String> {
        let doubted = doubts(&[(name, seconds)]);
        one(self.send("a1", Command::Unsettled { grounds, doubted }))
    }

    /// A round on the check `api` of a host under the newest anchor: what the host says itself, and what its observers say, in
    /// the order of the seats; the last grade is that of all who are left.
    pub fn check_round(&mut self, name: &str, own: Option<Grade>, peers: &[Grade]) -> CheckGrounds {
        self.wait(1);
        let subject = id(name);
        let (anchor, epoch) = (self.ledger.anchor(), self.ledger.roster().epoch);
        let mut words: Vec<CheckWord> = Vec::new();
        words.extend(own.map(|grade| self.check_word(subject, subject, grade)));
        let observers = self.ledger.seating().observers(&subject).to_vec();
        for (seat, observer) in observers.into_iter().enumerate() {
            if let Some(grade) = peers.get(seat).or(peers.last()) {
                words.push(self.check_word(observer, subject, *grade));
            }
        }
        CheckGrounds { anchor, epoch, words }
    }

    fn check_word(&mut self, author: HostId, subject: HostId, grade: Grade) -> CheckWord {
        self.sequence += 1;
        let roster = self.ledger.roster().clone();
        let entry = |host| roster.get(host).expect("it belongs");
        let word = CheckWord {
            subject,
            subject_boot: entry(&subject).boot.expect("booted"),
            author,
            author_boot: entry(&author).boot.expect("booted"),
            key: PublicKey([0; 32]),
            sequence: Sequence(self.sequence),
            epoch: roster.epoch,
            anchor: self.ledger.anchor(),
            check: Label::new("api").expect("sound"),
            grade,
            signature: Signature([0; 32], [0; 32]),
        };
        word.signed("test", &ModelSigner::new(&entry(&author).claims.host))
    }

    /// The leader tells from these grounds that a host fails the check `api`.
    pub fn unfit(&mut self, name: &str, grounds: CheckGrounds) -> Result<CaseId, String> {
        let findings = vec![unfit_finding(name)];
        one(self.send("a1", Command::Unfit { grounds, findings }))
    }

    /// The leader tells from these grounds that the check of this case is well.
    pub fn fit(&mut self, case: CaseId, grounds: CheckGrounds) -> Result<CaseId, String> {
        one(self.send("a1", Command::Fit { cases: vec![case], grounds }))
    }

    /// A second machine starts under this host's name, in the life whose number is known.
    pub fn twin(&mut self, name: &str) -> Outcome {
        let known = self.ledger.roster().get(&id(name)).and_then(|entry| entry.boot);
        let twin = Boot { nonce: 99, ..known.expect("booted") };
        let address = "[::1]:4434".parse().expect("sound");
        self.send(name, Command::Boot { boot: twin, address, store: None })
    }

    fn answer(&self, claims: &Claims) -> SelfAnswer {
        let entry = self.ledger.roster().get(&claims.id()).cloned();
        SelfAnswer {
            subject: claims.id(),
            boot: entry.and_then(|entry| entry.boot).expect("booted"),
            key: PublicKey([0; 32]),
            to: Answer::Round(self.ledger.anchor()),
            signature: Signature([0; 32], [0; 32]),
        }
        .signed("test", &ModelSigner::new(&claims.host))
    }

    /// The leader's verdicts from a round, one for each subject that is not well.
    pub fn verdicts(&mut self, subjects: &[(&str, Seen)]) -> Vec<Result<CaseId, String>> {
        let findings: Vec<Finding> = subjects
            .iter()
            .filter_map(|(name, seen)| {
                let scope = Scope::Host(id(name));
                Some(Finding { scope, kind: kind(*seen)? })
            })
            .collect();
        self.findings(subjects, findings, &[])
    }

    pub fn findings(
        &mut self,
        subjects: &[(&str, Seen)],
        findings: Vec<Finding>,
        doubted: &[(&str, u64)],
    ) -> Vec<Result<CaseId, String>> {
        let grounds = self.round(subjects);
        let command = Command::Verdicts { grounds, findings, doubted: doubts(doubted) };
        match self.send("a1", command) {
            Outcome::Findings(outcomes) => outcomes
                .into_iter()
                .map(|outcome| outcome.map_err(|refused| refused.to_string()))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    /// A case on this host from a fresh verdict.
    pub fn opened(&mut self, name: &str, seen: Seen) -> CaseId {
        self.verdicts(&[(name, seen)]).remove(0).expect("the grounds bear it")
    }

    pub fn case(&self, case: CaseId) -> &Case {
        self.ledger.case(case).expect("the case is known")
    }

    pub fn stage(&self, case: CaseId) -> &'static str {
        self.case(case).stage.word()
    }

    /// What the audit says has become true since this record, as short words.
    pub fn history(&self, since: u64) -> Vec<String> {
        let records = self.ledger.audit_since(since);
        records
            .map(|record| {
                let what = format!("{:?}", record.what);
                what.split([' ', '{']).next().unwrap_or_default().to_owned()
            })
            .collect()
    }
}

/// The only outcome of a command that has one for each of its members.
fn one(outcome: Outcome) -> Result<CaseId, String> {
    match outcome {
        Outcome::Findings(mut outcomes) => outcomes.remove(0).map_err(|no| no.to_string()),
        other => Err(refusal(&other)),
    }
}

pub fn unfit_finding(name: &str) -> UnfitFinding {
    UnfitFinding { host: id(name), check: Label::new("api").expect("sound") }
}

pub fn cluster() -> ClusterName {
    ClusterName::new("test").expect("sound")
}

/// `a2` stands in zone `a`, rack `a2`, group `web`.
pub fn claims(name: &str) -> Claims {
    claims_in(name, &name[..1], name)
}

pub fn claims_in(name: &str, zone: &str, rack: &str) -> Claims {
    let label = |text: &str| Label::new(text).expect("sound");
    Claims {
        cluster: cluster(),
        host: HostName(label(name)),
        domain: Domain { region: label("eu"), zone: label(zone), rack: label(rack) },
        group: GroupName(label("web")),
        roles: Roles { keeper: name.ends_with('1'), healer: true },
    }
}

pub fn id(name: &str) -> HostId {
    HostId::derive(&cluster(), &HostName::new(name).expect("sound"))
}

pub fn boot(number: u64) -> Boot {
    Boot { number, nonce: u128::from(number) + 7 }
}

pub fn order(why: &str) -> Order {
    Order { who: "ops".into(), why: why.into() }
}

pub fn zone(name: &str) -> Scope {
    Scope::Zone(claims(&format!("{name}1")).domain.zone())
}

pub fn doubts(doubted: &[(&str, u64)]) -> Vec<Doubted> {
    doubted
        .iter()
        .map(|(name, seconds)| Doubted { host: id(name), age: Span::seconds(*seconds) })
        .collect()
}

/// The refusal as its sentence.
pub fn refusal(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(refused) => refused.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn kind(seen: Seen) -> Option<VerdictKind> {
    match seen {
        Seen::Well => None,
        Seen::AgentDown => Some(VerdictKind::AgentDown),
        Seen::HostDown => Some(VerdictKind::HostDown),
        Seen::HostHung => Some(VerdictKind::HostHung),
    }
}

fn paths(seen: Seen) -> Vec<PathReading> {
    let (agent, port) = match seen {
        Seen::Well => (Reading::Answered, Reading::Answered),
        Seen::AgentDown => (Reading::Silent, Reading::Refused),
        Seen::HostDown => (Reading::Silent, Reading::Silent),
        Seen::HostHung => (Reading::Silent, Reading::Accepted),
    };
    [(Path::Warm, agent), (Path::FreshDial, agent), (Path::AgentPort, port)]
        .map(|(path, reading)| PathReading { path, reading })
        .into()
}
