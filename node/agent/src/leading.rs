//! The mind's door to the leader's part: what its rooms say becomes calls and proposals.
//!
//! Not here: any decision (see `lead`, `detection::rounds`).

use std::sync::Arc;

use detection::rounds::{Effect as Wanted, Event as Told, WishId};
use ledger::case::{Case, Stage};
use ledger::command::{Command, Doubted, Refused};
use ledger::{Ledger, rules};
use vocabulary::{Anchor, CaseId, Grounds, HostId, Moment, Scope, Span};
use wire::{DoubtNote, LeaderHint, Request, Response, Unavailable};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd};
use crate::lead::Matter;
use crate::mind::Agent;
use crate::offer::{Troubled, choose_healer};
use crate::rebooting;

/// An observer looks for 1 s at most; its answer is of no use after the set has ended (law D2).
const LOOK_WITHIN: Span = Span::milliseconds(1_300);

/// How long a proposal of the leader, to itself, may take.
pub(crate) const PROPOSAL_WITHIN: Span = Span::seconds(3);

impl Agent {
    /// Somebody else leads, or this host does.
    pub(crate) fn leadership_changed(&mut self, now: Moment, leader: Option<HostId>) {
        let mut waiting = Vec::new();
        if self.leads() && leader != Some(self.me) {
            waiting = self.lead.depose();
            self.rounds(now, Told::Deposed);
        }
        let has_led = self.leads();
        self.leader = leader;
        // Law E2: this host's own call would never end, and its healer would wait for the round until its time is over.
        for ask in waiting {
            self.not_leading(now, ask);
        }
        if self.leads() {
            self.tell_rounds(now);
        }
        self.checks_led_by(now, has_led);
        if self.leads() && !has_led {
            self.lead.stand_down.begin(now);
        }
        self.observe(now, detection::watch::Event::LeaderChanged);
    }

    /// An observer's doubts; only the leader hears them (protocol 2.6).
    pub(crate) fn hear_doubts(
        &mut self,
        now: Moment,
        id: AskId,
        from: HostId,
        notes: Vec<DoubtNote>,
    ) {
        if self.refuse_unless_leading(now, id) {
            return;
        }
        self.answer(now, id, Response::Noted);
        // protocol 1.2: what either of two machines says brings nobody into doubt; what was heard before is forgotten with it.
        let notes = if self.ledger.is_duplicate(&from) { Vec::new() } else { notes };
        self.rounds(now, Told::Doubted { observer: from, notes });
    }

    /// A healer's last look or verification (protocol 7.4, 7.7).
    pub(crate) fn round_for(&mut self, now: Moment, id: AskId, case: CaseId) {
        if self.refuse_unless_leading(now, id) {
            return;
        }
        let Some(subject) = self.ledger.case(case).and_then(|case| case.host()) else {
            return self.answer(now, id, Response::Unavailable(Unavailable::NotMine));
        };
        match self.lead.wait_for_round(id) {
            Some(wish) => self.rounds(now, Told::Wished { wish, subject }),
            None => {
                let busy = Unavailable::Busy(String::from("rounds that healers wait for"));
                self.answer(now, id, Response::Unavailable(busy));
            }
        }
    }

    /// An observer, a witness or the subject has answered a look, or has not.
    pub(crate) fn round_answered(&mut self, now: Moment, asked: Asked, end: CallEnd) {
        let Asked { from, subject, anchor } = asked;
        let told = match end {
            CallEnd::Response(Response::Attested { attestation, answer })
                if attestation.observer == from =>
            {
                Told::Attested { attestation, answer }
            }
            CallEnd::Response(Response::Answered(answer)) if answer.subject == from => {
                Told::Answered { answer }
            }
            _ => Told::Silent { from, subject, anchor },
        };
        self.rounds(now, told);
    }

    /// A proposal of the leader has ended; whatever the ledger said is in the ledger.
    pub(crate) fn lead_ended(&mut self, now: Moment, matter: Matter) {
        self.lead.ended(now, matter);
    }

    /// What the leader does after every event.
    pub(crate) fn settle_lead(&mut self, now: Moment) {
        if !self.leads() || self.ledger.founding().is_none() {
            return;
        }
        self.lead.rest(now);
        self.judge_own_lead(now);
        self.rounds(now, Told::DeadlineReached);
        self.settle_check_rounds(now);
        let ledger = Arc::clone(&self.ledger);
        for (wish, subject) in self.lead.due_case_looks(now, &ledger) {
            self.rounds(now, Told::Wished { wish, subject });
        }
        if let Some(command) = self.lead.surge(now, &ledger) {
            self.propose(now, Purpose::Lead(Matter::Surge), command, PROPOSAL_WITHIN);
        }
        if self.lead.has_looked() {
            self.offer_leases(now);
        }
        if self.lead.paging.next_deadline().is_some_and(|at| at <= now) {
            self.page(now);
        }
    }

    /// When the leader's part wants a turn.
    pub(crate) fn lead_deadline(&self) -> Option<Moment> {
        if !self.leads() {
            return None;
        }
        let is_any_back = rebooting::said_back(&self.ledger).next().is_some();
        let has_to_look = self.ledger.cases().next().is_some() || is_any_back;
        let deadline = self.lead.next_deadline(has_to_look);
        assert!(
            !has_to_look || deadline.is_some(),
            "law G1: a leader always looks at its cases again"
        );
        // Before the founding nobody serves it.
        let own = self.ledger.is_founded().then(|| self.lead.stand_down.next_look());
        deadline.into_iter().chain(own).chain(self.checks.next_round()).min()
    }

    /// Rounds hang on the committed state of the moment.
    pub(crate) fn tell_rounds(&mut self, now: Moment) {
        let told = Told::StateChanged {
            anchor: self.ledger.anchor(),
            roster: Arc::clone(self.ledger.roster()),
            seating: Arc::clone(self.ledger.seating()),
        };
        self.rounds(now, told);
        let domain = |case: &Arc<Case>| match &case.subject {
            scope @ (Scope::Rack(_) | Scope::Zone(_)) => Some(scope.clone()),
            Scope::Host(_) | Scope::Group(_) | Scope::Fleet => None,
        };
        let domains = self.ledger.cases().filter_map(domain).collect();
        if *self.lead.rounds.judged() != domains {
            self.rounds(now, Told::Judged { domains });
        }
        self.tell_upheld(now);
        self.tell_check_rounds(now);
    }

    fn tell_upheld(&mut self, now: Moment) {
        let subjects = self.lead.upheld(&self.ledger);
        if *self.lead.rounds.upheld() != subjects {
            self.rounds(now, Told::Upheld { subjects });
        }
    }

    pub(crate) fn rounds(&mut self, now: Moment, told: Told) {
        for wanted in self.lead.rounds.handle(now, told) {
            match wanted {
                Wanted::Look { to, subject, boot, anchor, epoch } => {
                    let purpose = Purpose::Round(Asked { from: to, subject, anchor });
                    let look = Request::Look { subject, boot, anchor, epoch };
                    self.call(now, purpose, to, (look, LOOK_WITHIN));
                }
                Wanted::Ended { grounds, wishes, .. } => self.round_ended(now, *grounds, &wishes),
                Wanted::Overload => self.lead.overload(),
                Wanted::Freshen => self.freshen(now),
            }
        }
    }

    pub(crate) fn freshen(&mut self, now: Moment) {
        if self.lead.begin(Matter::Tick) {
            self.propose(now, Purpose::Lead(Matter::Tick), Command::Tick, PROPOSAL_WITHIN);
        }
    }

    fn round_ended(&mut self, now: Moment, grounds: Grounds, wishes: &[WishId]) {
        for ask in self.lead.answered(wishes) {
            self.answer(now, ask, Response::Round(Box::new(grounds.clone())));
        }
        let ledger = Arc::clone(&self.ledger);
        let (_, conclusions) = ledger.concluded(&grounds, &*self.verifier);
        let following = self.lead.conclude(now, &ledger, (&grounds, &conclusions));
        self.tell_upheld(now);
        let index = grounds.anchor.index;
        if !following.findings.is_empty() && self.lead.begin(Matter::Verdicts(index)) {
            let command = Command::Verdicts {
                grounds: grounds.clone(),
                findings: following.findings,
                doubted: self.lead.doubted(now),
            };
            self.propose(now, Purpose::Lead(Matter::Verdicts(index)), command, PROPOSAL_WITHIN);
        }
        self.tell_unsettled(now, &ledger, (&grounds, &following.unsettled));
        self.end_slots(now, &ledger, (&grounds, &conclusions));
        if !following.recovered.is_empty() && self.lead.begin(Matter::Recovered(index)) {
            let command = Command::Recovered { cases: following.recovered, grounds };
            self.propose(now, Purpose::Lead(Matter::Recovered(index)), command, PROPOSAL_WITHIN);
        }
    }

    /// protocol 3.6: what stands unsettled is told once, and again when more is known of it.
    fn tell_unsettled(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        (grounds, unsettled): (&Grounds, &[Doubted]),
    ) {
        if unsettled.is_empty() || ledger.rules() < rules::SECOND {
            return;
        }
        let doubted = ledger.can_unsettle(grounds, unsettled, &*self.verifier);
        let matter = Matter::Unsettled(grounds.anchor.index);
        if !doubted.is_empty() && self.lead.begin(matter) {
            let command = Command::Unsettled { grounds: grounds.clone(), doubted };
            self.propose(now, Purpose::Lead(matter), command, PROPOSAL_WITHIN);
        }
    }

    /// protocol 7.2: every case that may have a lease gets an offer.
    fn offer_leases(&mut self, now: Moment) {
        let ledger = Arc::clone(&self.ledger);
        // Asked first what holds, whoever is to heal: most open cases wait for something, and a draw goes over the whole roster.
        let is_free = |case: &&Arc<Case>| {
            matches!(case.stage, Stage::Open | Stage::Orphaned { .. })
                && ledger.holds(case.id).is_empty()
        };
        let doubted = self.lead.rounds.doubted().into_iter().map(|doubt| doubt.subject);
        let troubled = Troubled::new(&ledger, doubted);
        for case in ledger.cases().filter(is_free) {
            let draw = self.lead.offers(case.id);
            let Some(healer) = choose_healer(&ledger, case, (&troubled, draw)) else {
                continue;
            };
            let matter = Matter::Offer(case.id);
            let permitted = ledger.can_offer(case.id, healer);
            if let Err(Refused::Healer(_)) = permitted {
                // The ledger knows of this host what the choice does not: the next draw is another's.
                self.lead.count_offer(&ledger, case.id);
            }
            if permitted.is_ok() && self.lead.begin(matter) {
                self.lead.count_offer(&ledger, case.id);
                let command = Command::Offer { case: case.id, healer };
                self.propose(now, Purpose::Lead(matter), command, PROPOSAL_WITHIN);
            }
        }
    }

    pub(crate) fn refuse_unless_leading(&mut self, now: Moment, id: AskId) -> bool {
        if self.leads() {
            return false;
        }
        self.not_leading(now, id);
        true
    }

    fn not_leading(&mut self, now: Moment, id: AskId) {
        let hint = LeaderHint { leader: self.leader };
        self.answer(now, id, Response::Unavailable(Unavailable::NotLeader(hint)));
    }
}

/// Who was asked about whom, under which anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who was asked.
    pub from: HostId,
    /// About whom.
    pub subject: HostId,
    /// In which round.
    pub anchor: Anchor,
}

/// A scope as a person would say it.
pub(crate) fn subject_in_words(ledger: &Ledger, scope: &Scope) -> String {
    match scope {
        Scope::Host(host) => ledger
            .roster()
            .get_even_retired(host)
            .map_or_else(|| host.to_string(), |entry| entry.claims.host.to_string()),
        Scope::Rack(domain) => format!("rack {domain}"),
        Scope::Zone(zone) => format!("zone {zone}"),
        Scope::Group(group) => format!("group {group}"),
        Scope::Fleet => String::from("fleet"),
    }
}
