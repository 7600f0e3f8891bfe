//! Five hosts around one real ledger: a keeper, two healers, and two subjects whose agents are down.
//!
//! Everything here goes through `Ledger::apply`, as keepers do it; signatures are those of model keys.
//! Not here: what happens next (see `steps`).

use ledger::Ledger;
use ledger::command::{Command, Entry, Finding, Order, Outcome, Proposed};
use ledger::rules;
use vocabulary::{
    Anchor, Answer, Attestation, Boot, CaseId, Claims, ClusterName, Domain, Grade, Grounds,
    GroupName, HostId, HostName, Label, LedgerIndex, ModelSigner, ModelVerifier, Path, PathReading,
    PublicKey, Reading, Roles, Scope, SelfAnswer, Sequence, Signature, Span, VerdictKind, WallNote,
    model_authority, model_chain,
};

/// The one keeper; it proposes what a leader proposes.
pub const KEEPER: &str = "k";
/// Who heals.
pub const HEALERS: [&str; 2] = ["g", "h"];
/// Whose agents are down; each in a group of its own, so that none is the other's canary (protocol 6.3).
pub const SUBJECTS: [&str; 2] = ["x", "y"];
/// How many hosts may be under repair at once.
pub const LIMIT: u32 = 1;

/// The real ledger, and the index of its newest entry.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The state that every keeper has.
    pub ledger: Ledger,
    index: u64,
}

impl Keeper {
    /// Both subjects have a case that may be leased at once.
    pub fn with_two_cases(rungs: usize) -> Self {
        let mut keeper = Self { ledger: Ledger::new(), index: 0 };
        keeper.enrol_all();
        keeper.set_policy(LIMIT, rungs);
        let down = SUBJECTS.map(|name| (id(name), false));
        let anchor = keeper.anchor_now();
        let grounds = keeper.round(anchor, &down);
        let findings = SUBJECTS
            .map(|name| Finding { scope: Scope::Host(id(name)), kind: VerdictKind::AgentDown });
        let command = Command::Verdicts { grounds, findings: findings.into(), doubted: Vec::new() };
        let outcome = keeper.send(KEEPER, command);
        assert_eq!(outcome, Outcome::Findings(vec![Ok(CaseId(1)), Ok(CaseId(2))]));
        // protocol 7.4: it has been quiet around them for long enough.
        keeper.pass(Span::seconds(5));
        keeper
    }

    fn enrol_all(&mut self) {
        let found = Command::Found {
            cluster: cluster(),
            authorities: vec![model_authority()],
            keepers: vec![model_chain(&claims(KEEPER))],
        };
        self.done(KEEPER, found);
        self.done(KEEPER, Command::Rules { rules: rules::NEWEST });
        for name in everybody() {
            self.done(name, Command::Enrol(model_chain(&claims(name))));
        }
        // protocol 1.3: they belong with the next epoch.
        self.pass(Span::seconds(5));
        for name in everybody() {
            assert_eq!(self.boot(name, 1), Outcome::Done);
        }
    }

    /// So many leases at once, and so many rungs before a person is called.
    pub fn set_policy(&mut self, limit: u32, rungs: usize) {
        let rung = r#"{ do = "command", class = "gentle", argv = ["/bin/start"], time_limit = "5s", verify_within = "10s", soak = "0s" }"#;
        let text = format!(
            r#"
[budget]
fleet = {{ in_flight = {limit}, halt_above = "none" }}
zone = {{ in_flight = 9, halt_above = "none" }}
any_group = {{ in_flight = 9 }}
[timers]
lease_term = "20s"
[[rule]]
name = "agent down"
when = {{ verdict = "AgentDown" }}
mode = "act"
for = "0s"
cooldown = "0s"
attempts = {{ at_most = 2, within = "1h" }}
ladder = [{}]
"#,
            vec![rung; rungs].join(", ")
        );
        let outcome = self.send(KEEPER, Command::Policy { text, if_version: None, order: order() });
        assert!(matches!(outcome, Outcome::Policy { .. }), "{outcome:?}");
    }

    /// A subject's agent is up again, in this life.
    pub fn boot(&mut self, name: &str, number: u64) -> Outcome {
        let address = "[::1]:4433".parse().expect("an address");
        let boot = Boot { number, nonce: u128::from(number) };
        self.send(name, Command::Boot { boot, address, store: None })
    }

    fn done(&mut self, by: &str, command: Command) {
        assert_eq!(self.send(by, command), Outcome::Done);
    }

    /// One command in an entry of its own, with no time gone by.
    pub fn send(&mut self, by: &str, command: Command) -> Outcome {
        let proposed = Proposed { by: id(by), command };
        self.entry(Span::ZERO, vec![proposed]).remove(0)
    }

    /// A leader's tick.
    pub fn pass(&mut self, elapsed: Span) {
        let tick = Proposed { by: id(KEEPER), command: Command::Tick };
        self.entry(elapsed, vec![tick]);
    }

    /// An anchor that nothing stands behind yet: a round at it is after everything committed before.
    pub fn anchor_now(&mut self) -> Anchor {
        self.pass(Span::ZERO);
        self.ledger.anchor()
    }

    fn entry(&mut self, elapsed: Span, commands: Vec<Proposed>) -> Vec<Outcome> {
        self.index += 1;
        let entry = Entry { elapsed, wall: WallNote(0), commands };
        self.ledger.apply(LedgerIndex(self.index), &entry, &ModelVerifier)
    }

    /// What all hosts that are up sign at this anchor, if this is how the subjects are: whether each is well.
    pub fn round(&self, anchor: Anchor, subjects: &[(HostId, bool)]) -> Grounds {
        let is_up = |host: &HostId| subjects.iter().all(|(other, well)| other != host || *well);
        let mut grounds = Grounds {
            anchor,
            epoch: self.ledger.roster().epoch,
            attestations: Vec::new(),
            answers: Vec::new(),
        };
        for (subject, well) in subjects {
            let observers = self.ledger.seating().observers(subject);
            let looked = observers.iter().filter(|observer| is_up(observer));
            grounds
                .attestations
                .extend(looked.map(|observer| self.attest(anchor, *observer, (*subject, *well))));
        }
        let answering = everybody().filter(|name| is_up(&id(name)));
        grounds.answers.extend(answering.map(|name| self.answer(anchor, name)));
        grounds
    }

    fn attest(
        &self,
        anchor: Anchor,
        observer: HostId,
        (subject, well): (HostId, bool),
    ) -> Attestation {
        let entry = |host| self.ledger.roster().get(host).expect("it belongs");
        let attestation = Attestation {
            subject,
            subject_boot: entry(&subject).boot.expect("it has booted"),
            observer,
            observer_boot: entry(&observer).boot.expect("it has booted"),
            key: PublicKey([0; 32]),
            // One word of each observer on each subject at each anchor.
            sequence: Sequence(anchor.index.0 * 2 + u64::from(subject == id(SUBJECTS[0]))),
            epoch: self.ledger.roster().epoch,
            anchor,
            grade: if well { Grade::Ok } else { Grade::Failed },
            paths: paths(well),
            ingress: self.ledger.seating().observers(&observer).to_vec(),
            late_ms: 0,
            signature: Signature([0; 32], [0; 32]),
        };
        attestation.signed("model", &ModelSigner::new(&entry(&observer).claims.host))
    }

    fn answer(&self, anchor: Anchor, name: &str) -> SelfAnswer {
        let entry = self.ledger.roster().get(&id(name)).expect("it belongs");
        let answer = SelfAnswer {
            subject: id(name),
            boot: entry.boot.expect("it has booted"),
            key: PublicKey([0; 32]),
            to: Answer::Round(anchor),
            signature: Signature([0; 32], [0; 32]),
        };
        answer.signed("model", &ModelSigner::new(&entry.claims.host))
    }
}

/// The case of a subject, by its place in [`SUBJECTS`].
pub fn case_of(subject: usize) -> CaseId {
    CaseId(if subject == 0 { 1 } else { 2 })
}

/// A host by its name.
pub fn id(name: &str) -> HostId {
    HostId::derive(&cluster(), &HostName::new(name).expect("a label"))
}

/// A person's word.
pub fn order() -> Order {
    Order { who: "ops".into(), why: "the model says so".into() }
}

fn everybody() -> impl Iterator<Item = &'static str> {
    std::iter::once(KEEPER).chain(HEALERS).chain(SUBJECTS)
}

fn cluster() -> ClusterName {
    ClusterName::new("model").expect("a label")
}

fn claims(name: &str) -> Claims {
    let label = |text: &str| Label::new(text).expect("a label");
    Claims {
        cluster: cluster(),
        host: HostName(label(name)),
        domain: Domain { region: label("eu"), zone: label("a"), rack: label(name) },
        group: GroupName(label(if name == SUBJECTS[1] { "db" } else { "web" })),
        roles: Roles { keeper: name == KEEPER, healer: HEALERS.contains(&name) },
    }
}

fn paths(well: bool) -> Vec<PathReading> {
    let (agent, port) = if well {
        (Reading::Answered, Reading::Answered)
    } else {
        (Reading::Silent, Reading::Refused)
    };
    [(Path::Warm, agent), (Path::FreshDial, agent), (Path::AgentPort, port)]
        .map(|(path, reading)| PathReading { path, reading })
        .into()
}
