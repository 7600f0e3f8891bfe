//! The mind's door to checks beside reach: what this host carries out, its word in rounds, and as leader the rounds themselves
//! (protocol 3.10).
//!
//! Law CK1: where the policy has no checks nothing here happens: nobody is woken, asked or told.
//! Law CK2: a case ends only when its check is well in a round and is found failing no more by those who brought it up; else one that
//! comes and goes would be many cases.
//! Not here: what stands failed and when a round is due (see `detection::fitness`), what the ledger makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::fitness::rounds::{
    Effect as Wanted, Event as Told, Key, Named, Rounds as CheckRounds,
};
use detection::fitness::watch::{
    Ask, Duty, Effect as Asked, Event as Seen, RunId, Watch as CheckWatch,
};
use detection::reply::Identity;
use ledger::command::{Command, UnfitFinding};
use ledger::policy::{Check, CheckKind};
use ledger::{Ledger, rules};
use vocabulary::{Anchor, CaseId, CheckGrounds, Grade, HostId, Label, Moment, Span, VerdictKind};
use wire::{Request, Response, UnfitNote};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd, DROPPED_COUNTS_AS, Knock};
use crate::lead::Matter;
use crate::mind::Agent;

/// How long a leader has to note what fails; it is told again anyway.
const TELLING_WITHIN: Span = Span::seconds(1);

/// A check in a round runs for 1 s at most; its word is of no use after the round has ended (law FD2).
const LOOK_WITHIN: Span = Span::milliseconds(1_300);

/// How long a proposal of the leader, to itself, may take.
const PROPOSAL_WITHIN: Span = Span::seconds(3);

/// This host's checks, and the leader's rounds on everybody's.
pub(crate) struct Checks {
    watch: CheckWatch,
    /// Idle on every host that does not lead.
    rounds: CheckRounds,
    /// What failed here when this host last told of its health.
    told_failing: Vec<Label>,
}

/// Who was asked about which check on whom, under which anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCheck {
    /// Who was asked.
    pub from: HostId,
    /// About which check on whom.
    pub key: Key,
    /// In which round.
    pub anchor: Anchor,
}

impl Checks {
    /// No checks yet.
    pub fn new(identity: Identity, seed: u64) -> Self {
        Self {
            watch: CheckWatch::new(identity, seed),
            rounds: CheckRounds::new(),
            told_failing: Vec::new(),
        }
    }

    /// When this host's own checks want a turn.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.watch.next_deadline()
    }

    /// When the leader's rounds do.
    pub fn next_round(&self) -> Option<Moment> {
        self.rounds.next_deadline()
    }

    /// Signs with this key of the host from now on (protocol 1.3).
    pub fn sign_with(&mut self, signer: Arc<dyn vocabulary::Signer>) {
        self.watch.sign_with(signer);
    }

    /// The host's own checks that fail, as its health record names them.
    pub fn failing(&self) -> impl Iterator<Item = &Label> {
        self.told_failing.iter()
    }
}

impl Agent {
    /// Lets this host's checks take an event in and does what they want.
    pub(crate) fn check(&mut self, now: Moment, event: Seen) {
        for wanted in self.checks.watch.handle(now, event) {
            match wanted {
                Asked::Run { id, subject, port, within } => {
                    self.knock(now, Purpose::CheckRun(id), subject, (Some(port), within));
                }
                Asked::Tell(notes) => self.tell_what_fails(now, notes),
                Asked::Say { ask, word } => self.answer(now, AskId(ask), Response::CheckWord(word)),
                Asked::Refuse { ask, why } => {
                    self.answer(now, AskId(ask), Response::Unavailable(why));
                }
            }
        }
    }

    /// A run has ended.
    pub(crate) fn check_ran(&mut self, now: Moment, id: RunId, end: &CallEnd) {
        let grade = match end {
            CallEnd::Knocked(Knock::Answered | Knock::Accepted) => Grade::Ok,
            CallEnd::Knocked(Knock::Refused | Knock::Silent) => Grade::Failed,
            _ => Grade::Unknown,
        };
        self.check(now, Seen::Ran { id, grade });
    }

    /// What this host carries out, by the roster and the policy in force.
    pub(crate) fn take_checks(&mut self, now: Moment) {
        let duties = duties(&self.ledger, self.me);
        if duties.is_empty() && self.checks.watch.is_idle() {
            return;
        }
        let epoch = self.ledger.roster().epoch;
        self.check(now, Seen::DutiesChanged { epoch, duties });
        self.spare_the_doubted(now);
    }

    /// Whom this host doubts it does not check (law FW2).
    pub(crate) fn spare_the_doubted(&mut self, now: Moment) {
        if !self.checks.watch.is_idle() {
            let doubted = self.watch.doubts(now).into_iter().map(|note| note.subject).collect();
            self.check(now, Seen::DoubtsChanged { doubted });
        }
    }

    /// Law FW3: when something was dropped is not known, only that it was.
    pub(crate) fn checks_were_late(&mut self, now: Moment, by: Span) {
        if !self.checks.watch.is_idle() {
            let was_dropped = by == DROPPED_COUNTS_AS;
            self.check(now, if was_dropped { Seen::SocketsLost } else { Seen::WasLate { by } });
        }
    }

    /// Somebody else leads, or this host does.
    pub(crate) fn checks_led_by(&mut self, now: Moment, has_led: bool) {
        if has_led && !self.leads() {
            self.check_rounds(now, Told::Deposed);
        }
        if !self.checks.watch.is_idle() {
            self.check(now, Seen::LeaderChanged);
        }
    }

    /// The leader wants a word of this host.
    pub(crate) fn look_at_check(&mut self, now: Moment, ask: Ask) {
        self.check(now, Seen::Asked(ask));
    }

    /// The health record follows what fails here; whoever leads is told of everything.
    fn tell_what_fails(&mut self, now: Moment, notes: Vec<UnfitNote>) {
        let failing: Vec<Label> = self.checks.watch.own_failing().cloned().collect();
        if failing != self.checks.told_failing {
            self.checks.told_failing = failing;
            self.tell_health(now);
        }
        if let Some(leader) = self.leader {
            let request = (Request::Unfit(notes), TELLING_WITHIN);
            self.call(now, Purpose::Unfit, leader, request);
        }
    }

    /// As leader: all that fails for that host.
    pub(crate) fn hear_unfit(
        &mut self,
        now: Moment,
        id: AskId,
        (from, notes): (HostId, Vec<UnfitNote>),
    ) {
        if self.refuse_unless_leading(now, id) {
            return;
        }
        self.answer(now, id, Response::Noted);
        // protocol 1.2: neither of two machines has a voice.
        let notes = if self.ledger.is_duplicate(&from) { Vec::new() } else { notes };
        self.check_rounds(now, Told::Noted { by: from, notes });
    }

    /// Rounds hang on the committed state of the moment, and so does whom they are about.
    pub(crate) fn tell_check_rounds(&mut self, now: Moment) {
        let checks = named(&self.ledger);
        if checks.is_empty() && self.checks.rounds.is_idle() {
            return;
        }
        if checks != *self.checks.rounds.checks() {
            self.check_rounds(now, Told::ChecksChanged { checks });
        }
        let (mut open, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for case in self.ledger.cases() {
            match (&case.kind, case.host()) {
                (VerdictKind::Unfit(check), Some(host)) => {
                    open.insert((host, check.clone()));
                }
                (_, Some(host)) => {
                    taken.insert(host);
                }
                (_, None) => {}
            }
        }
        let down = self.ledger.gone();
        self.check_rounds(now, Told::CasesChanged { open, taken, down });
        let told = Told::StateChanged {
            anchor: self.ledger.anchor(),
            roster: Arc::clone(self.ledger.roster()),
            seating: Arc::clone(self.ledger.seating()),
        };
        self.check_rounds(now, told);
    }

    /// What the leader does for checks after every event.
    pub(crate) fn settle_check_rounds(&mut self, now: Moment) {
        if self.checks.rounds.next_deadline().is_some_and(|at| at <= now) {
            self.check_rounds(now, Told::DeadlineReached);
        }
    }

    fn check_rounds(&mut self, now: Moment, told: Told) {
        for wanted in self.checks.rounds.handle(now, told) {
            match wanted {
                Wanted::Look { to, subject, boot, anchor, epoch, check } => {
                    let key = (subject, check.clone());
                    let purpose = Purpose::CheckRound(AskedCheck { from: to, key, anchor });
                    let look = Request::LookAtCheck { subject, boot, anchor, epoch, check };
                    self.call(now, purpose, to, (look, LOOK_WITHIN));
                }
                Wanted::Ended { grounds, keys } => self.check_round_ended(now, *grounds, keys),
                Wanted::Freshen => self.freshen(now),
            }
        }
    }

    /// A host that was asked has given its word, or has not.
    pub(crate) fn check_answered(&mut self, now: Moment, asked: AskedCheck, end: CallEnd) {
        let AskedCheck { from, key, anchor } = asked;
        let told = match end {
            CallEnd::Response(Response::CheckWord(word)) if word.author == from => {
                Told::Said { word }
            }
            _ => Told::Silent { from, key, anchor },
        };
        self.check_rounds(now, told);
    }

    /// What the ledger would make of it is asked first: it judges the same grounds by the same rules.
    fn check_round_ended(&mut self, now: Moment, grounds: CheckGrounds, keys: Vec<Key>) {
        let ledger = Arc::clone(&self.ledger);
        let over = self.checked_well(&ledger, &keys);
        let over = ledger.can_fit(&over, &grounds, &*self.verifier);
        let findings: Vec<UnfitFinding> =
            keys.into_iter().map(|(host, check)| UnfitFinding { host, check }).collect();
        let findings = ledger.can_unfit(&grounds, &findings, &*self.verifier);
        let index = grounds.anchor.index;
        if !over.is_empty() && self.lead.begin(Matter::Fit(index)) {
            let command = Command::Fit { cases: over, grounds: grounds.clone() };
            self.propose(now, Purpose::Lead(Matter::Fit(index)), command, PROPOSAL_WITHIN);
        }
        if !findings.is_empty() && self.lead.begin(Matter::Unfit(index)) {
            let command = Command::Unfit { grounds, findings };
            self.propose(now, Purpose::Lead(Matter::Unfit(index)), command, PROPOSAL_WITHIN);
        }
    }

    /// Law CK2: the cases of these checks that nobody holds open any more.
    fn checked_well(&self, ledger: &Ledger, keys: &[Key]) -> Vec<CaseId> {
        let quiet = keys.iter().filter(|key| !self.checks.rounds.is_noted(key));
        let case = |(host, check): &Key| {
            let case = ledger.case_of_host(host)?;
            (case.kind == VerdictKind::Unfit(check.clone())).then_some(case.id)
        };
        quiet.filter_map(case).collect()
    }
}

/// Its own checks first, then those of its subjects that peers carry out.
fn duties(ledger: &Ledger, me: HostId) -> Vec<Duty> {
    if named(ledger).is_empty() {
        return Vec::new();
    }
    let of = |subject: HostId| {
        let boot = ledger.roster().get(&subject).and_then(|entry| entry.boot);
        let checks = ledger.checks_of(&subject).into_iter();
        // Its own it knows whoever carries them out: it signs for all of them that it can be reached (law FT1).
        let mine = checks.filter(move |check| subject == me || check.from.asks_peers());
        mine.map(move |check| duty(check, subject, boot))
    };
    let subjects = ledger.seating().subjects(&me).iter().copied();
    std::iter::once(me).chain(subjects).flat_map(of).collect()
}

fn duty(check: &Check, subject: HostId, boot: Option<vocabulary::Boot>) -> Duty {
    let CheckKind::Tcp { port } = check.kind;
    Duty {
        subject,
        boot,
        check: check.name.clone(),
        from: check.from,
        port,
        every: check.every,
        timeout: check.timeout,
        fails_after: check.fails_after,
        recovers_after: check.recovers_after,
    }
}

/// The policy's checks; none under rules that know of none.
fn named(ledger: &Ledger) -> BTreeMap<Label, Named> {
    if ledger.rules() < rules::SECOND {
        return BTreeMap::new();
    }
    let checks = ledger.policy().checks.iter();
    let named = |check: &Check| Named { from: check.from, groups: check.groups.clone() };
    checks.map(|check| (check.name.clone(), named(check))).collect()
}
