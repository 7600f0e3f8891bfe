//! One held lease: which step comes next, and what the end of a step means.
//!
//! The laws stand at the door (`heal`). Not here: which leases are held, renewing them, telling receipts.

use std::collections::BTreeSet;

use ledger::Ledger;
use ledger::case::{Case, Lease, Stage};
use ledger::command::{Command, Outcome, Refused};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{
    CaseId, Fence, Grounds, LedgerIndex, LedgerTime, Moment, Receipt, ReceiptKind, RemedyId, Span,
};

use super::{Came, Errand, PAUSE, PROPOSAL_WITHIN, READ_WITHIN, ROUND_WITHIN, What, Wish};

/// A look into silence takes 0.9 s, and then the way back to the healer.
const LOOK_AHEAD: Span = Span::milliseconds(1_000);

/// protocol 3.2: attestations are fresh for 5 s of ledger time; the round, the read and the entry need their part of it.
const LOOK_GOOD_FOR: Span = Span::milliseconds(2_500);

/// Between two inspections of a remedy whose end nobody knows: each runs a program, and 15 minutes of them are bearable.
const INSPECT_EVERY: Span = Span::seconds(5);

/// One held lease.
pub(super) struct Task {
    pub fence: Fence,
    /// The moment before the lease was asked for, or last renewed (law H2).
    pub asked: Moment,
    /// When an Accept or Renew that is under way was asked.
    pub asking: Option<Moment>,
    /// No Accept or Renew before this: one that was refused or lost is not asked again at once.
    pub ask_from: Moment,
    /// The one step that is under way.
    pub busy: Option<What>,
    /// The entry that answered the last step: what follows hangs on the state after it, which may come here later.
    pub awaited: Option<LedgerIndex>,
    /// No new step before this.
    pub not_before: Moment,
    /// The last look, until it is used, and when it was wished for.
    look: Option<Grounds>,
    looked: Moment,
    /// How long there is nothing to do, where a step knows it better than [`PAUSE`].
    idle: Option<Span>,
    /// The ledger's time, and when it was first seen here: it goes on meanwhile.
    time: LedgerTime,
    timed: Moment,
    /// Whether this life has asked for an intent under this fence (law H1).
    pub intends: bool,
    /// Whether the subject was well in the last round that the ledger took.
    pub is_soaking: bool,
    /// Whether the ledger knows that nobody knows the end of the remedy.
    pub is_unknown: bool,
}

impl Task {
    /// A lease that an earlier life asked for has nothing left here until this life has renewed it (law H2).
    pub fn new(now: Moment, case: &Case, lease: &Lease, ledger: &Ledger) -> Self {
        let is_own = matches!(case.stage, Stage::Offered(_));
        let term = ledger.policy().timers.lease_term;
        Self {
            fence: lease.fence,
            asked: if is_own { now } else { now.before(term) },
            asking: None,
            ask_from: now,
            busy: None,
            awaited: None,
            not_before: now,
            look: None,
            looked: now,
            idle: None,
            time: ledger.time(),
            timed: now,
            intends: false,
            is_soaking: false,
            is_unknown: false,
        }
    }

    /// Whether a step may begin, as far as this task's own waits go.
    pub fn is_free(&self) -> bool {
        self.busy.is_none() && self.awaited.is_none()
    }

    /// The ledger has come so far.
    pub fn see(&mut self, now: Moment, ledger: &Ledger) {
        let index = ledger.index();
        self.awaited = self.awaited.filter(|awaited| *awaited > index);
        if self.time != ledger.time() {
            (self.time, self.timed) = (ledger.time(), now);
        }
    }

    /// The ledger has answered a step of this task in this entry.
    pub fn answered(&mut self, index: LedgerIndex) {
        self.awaited = self.awaited.max(Some(index));
    }

    /// How long there is nothing to do.
    pub fn wait(&mut self) -> Span {
        self.idle.take().unwrap_or(PAUSE)
    }

    pub fn errand(&self, case: CaseId, what: What) -> Errand {
        Errand { case, fence: self.fence, what }
    }

    /// What is left of the lease, less its margin, on this host's own clock (law H2).
    pub fn left(&self, now: Moment, ledger: &Ledger) -> Span {
        let timers = &ledger.policy().timers;
        timers.lease_term.less(timers.lease_margin()).less(now.since(self.asked))
    }

    /// protocol 7.2: take what was offered. The lease counts from this moment (protocol 7.1).
    pub fn accept(&mut self, now: Moment, case: &Case) -> Option<(What, Wish)> {
        if self.asking.is_some() || now < self.ask_from {
            return None;
        }
        self.asking = Some(now);
        let command = Command::Accept { case: case.id, fence: self.fence };
        Some((What::Accept, Wish::Propose(command, PROPOSAL_WITHIN)))
    }

    /// The ledger has answered an Accept or a Renew.
    pub fn lengthened(&mut self, now: Moment, came: &Came) {
        let Some(asking) = self.asking.take() else {
            return;
        };
        self.ask_from = now.after(PAUSE);
        if matches!(came, Came::Outcome(_, Outcome::Leased { .. } | Outcome::Done)) {
            self.asked = self.asked.max(asking);
        }
    }

    /// protocol 7.4: look last, read, intend. Where only time is awaited the last look is taken a little before its end, so that
    /// the intent can be asked for at the very moment; the ledger counts the waits again.
    pub fn prepare(&mut self, now: Moment, ledger: &Ledger, case: &Case) -> Option<(What, Wish)> {
        if self.left(now, ledger) == Span::ZERO {
            return None;
        }
        let left = time_left(ledger, case.id)?.less(now.since(self.timed));
        if left > LOOK_AHEAD {
            self.idle = Some(left.less(LOOK_AHEAD));
            return None;
        }
        if now.since(self.looked) > LOOK_GOOD_FOR {
            self.look = None;
        }
        if self.look.is_none() {
            self.looked = now;
            return Some((What::LastLook, Wish::Round(ROUND_WITHIN)));
        }
        if left > Span::ZERO {
            self.idle = Some(left);
            return None;
        }
        Some((What::LastRead, Wish::Read(READ_WITHIN)))
    }

    pub fn order(
        &self,
        now: Moment,
        ledger: &Ledger,
        case: &Case,
        remedy: RemedyId,
    ) -> Option<RemedyOrder> {
        let subject = case.host()?;
        let entry = ledger.roster().get_even_retired(&subject)?;
        let note = case.remedies.iter().find(|note| note.id == remedy)?;
        Some(RemedyOrder {
            case: case.id,
            subject,
            subject_name: entry.claims.host.clone(),
            verdict: case.kind.clone(),
            fence: note.fence,
            remedy,
            command: note.applied.command.clone(),
            at_most: self.left(now, ledger),
        })
    }

    /// protocol 6.5: an intent that a brake has overtaken before it was begun. Only the life that would begin it can promise that it
    /// was not, and does not begin it any more, even when the brake is lifted before the ledger has heard.
    pub fn give_up(
        &self,
        ledger: &Ledger,
        case: &Case,
        begun: &mut BTreeSet<RemedyId>,
    ) -> Option<Receipt> {
        let Stage::Remedy { remedy, .. } = case.stage else {
            return None;
        };
        ledger.brake().standing()?;
        let note = case.remedies.iter().find(|note| note.id == remedy)?;
        let is_own = self.intends && note.fence == self.fence && note.receipt.is_none();
        if !is_own || !begun.insert(remedy) {
            return None;
        }
        let detail = String::from("braked before it was begun");
        Some(Receipt { remedy, fence: note.fence, kind: ReceiptKind::Refused, detail })
    }

    /// The intent stands. This life begins it if it asked for it itself (law H1), else it can only inspect.
    pub fn carry_out(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        case: &Case,
        remedy: RemedyId,
        begun: &mut BTreeSet<RemedyId>,
    ) -> Option<(What, Wish)> {
        let order = self.order(now, ledger, case, remedy)?;
        let is_unknown = case.unresolved().is_some_and(|note| note.receipt.is_some());
        self.is_unknown = is_unknown;
        // An inspection too runs under the lease, and has its time from it.
        if order.at_most == Span::ZERO {
            return None;
        }
        // Begun here, and no end of it came back: what became of it is found out, as if another had begun it.
        if !self.intends || is_unknown || begun.contains(&remedy) {
            return Some((What::Inspect, Wish::Inspect(order)));
        }
        assert!(
            order.fence == self.fence,
            "law M1: only what a majority granted to this lease is begun"
        );
        assert!(begun.insert(remedy), "law H1: a remedy is begun at most once in a life");
        Some((What::Apply, Wish::Apply(order)))
    }

    /// protocol 7.7: fresh rounds until it is soaked or its time is over.
    pub fn verify(
        &mut self,
        ledger: &Ledger,
        case: &Case,
        (until, well_since): (LedgerTime, Option<LedgerTime>),
    ) -> Option<(What, Wish)> {
        self.is_soaking = well_since.is_some();
        let is_over = ledger.time() >= until && !self.is_soaking;
        if !is_over {
            return Some((What::Look, Wish::Round(ROUND_WITHIN)));
        }
        let why = String::from("no proof that it is well again within the rung's time");
        let command = Command::Unproven { case: case.id, fence: self.fence, why };
        Some((What::Unproven, Wish::Propose(command, PROPOSAL_WITHIN)))
    }

    /// Takes what came of a step and says which step follows at once, if one does.
    pub fn took(&mut self, now: Moment, errand: Errand, came: Came) -> Option<(What, Wish)> {
        self.not_before = now.after(PAUSE);
        // A refused step is tried again, not at once; after an intent that was taken the next step waits for nothing.
        if matches!(came, Came::Outcome(_, Outcome::Intended { .. })) {
            self.not_before = now;
        }
        let Errand { case, fence, what } = errand;
        match (what, came) {
            (What::LastLook, Came::Round(grounds, _)) => {
                self.look = Some(*grounds);
                self.not_before = now;
                None
            }
            (What::LastRead, Came::Read(_)) => {
                let grounds = self.look.take()?;
                // law H1: from here on this life may begin what the ledger grants under this fence.
                self.intends = true;
                let command = Command::Intend { case, fence, grounds };
                Some((What::Intend, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            // protocol 7.7: an adverse round in the soak.
            (What::Look, Came::Round(_, Some(verdict))) if self.is_soaking => {
                let why = format!("{verdict} again while it soaked");
                let command = Command::Unproven { case, fence, why };
                Some((What::Unproven, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            (What::Look, Came::Round(grounds, None)) => {
                let grounds = *grounds;
                let command = Command::Verify { case, fence, grounds };
                Some((What::Verify, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            // Told once; the audit is not filled with the same ignorance.
            (What::Inspect, Came::Inspected(found))
                if self.is_unknown && found.kind == ReceiptKind::Unknown =>
            {
                self.not_before = now.after(INSPECT_EVERY);
                None
            }
            (What::Inspect, Came::Inspected(found)) => {
                let command = Command::Inspected { case, fence, found };
                Some((What::Inspected, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            _ => None,
        }
    }
}

/// The lease under which something can still be done: what is orphaned or escalated counts, but is nobody's to work on.
pub(super) fn held_lease(case: &Case) -> Option<&Lease> {
    match &case.stage {
        Stage::Offered(lease)
        | Stage::Leased(lease)
        | Stage::Remedy { lease, .. }
        | Stage::Verifying { lease, .. } => Some(lease),
        Stage::Open
        | Stage::Orphaned { .. }
        | Stage::Escalated { .. }
        | Stage::Quarantined { .. }
        | Stage::Closed { .. } => None,
    }
}

/// How long the intent must still wait for time alone; `None` where a rule holds it that only other cases or people free. What
/// the last look said holds nothing back: look again.
fn time_left(ledger: &Ledger, case: CaseId) -> Option<Span> {
    let holds = ledger.holds(case);
    let mut waits = holds.iter().map(|hold| match hold.rule {
        Refused::Grounds(_) | Refused::ThreeRounds { .. } | Refused::Stale { .. } => {
            Some(Span::ZERO)
        }
        Refused::TooSoon { left, .. } => Some(left),
        _ => None,
    });
    waits.try_fold(Span::ZERO, |most, wait| Some(most.max(wait?)))
}
