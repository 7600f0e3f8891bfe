//! What only the leader does: rounds on the doubted, verdicts into the ledger, leases to healers (protocol 3, 6, 7.2).
//!
//! Law G1: every live case is looked at again and offered again until it is healed, well or escalated.
//! Law V5: no leader proposes against itself (protocol 2.6).
//! Not here: what the voices add up to (see `detection::verdict`), whether a lease may be granted (the ledger says).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::rounds::{ROUNDS_PER_SECOND, Rounds, WishId};
use detection::verdict::{Conclusions, HostVerdict, NoVerdict, Tally};
use ledger::case::{Case, NEXT_ROUND_WITHIN, Stage};
use ledger::command::{Command, Doubted, Finding};
use ledger::{Ledger, rules};
use vocabulary::{
    Anchor, Attestation, CaseId, Grounds, HostId, LedgerIndex, Moment, Scope, Span, VerdictKind,
};

use crate::event::AskId;
use crate::paging::Paging;
use crate::rebooting;
use crate::stand_down::StandDown;

/// A case is looked at again so often while nobody heals it.
const CASE_LOOK_EVERY: Span = Span::milliseconds(1_500);

/// Members of a domain case that are looked at each time: as many as a second and a half has rounds for.
const MEMBERS_MAX: usize = 64;

/// The same proposal is made again only after this, unless it was answered.
const PAUSE: Span = Span::milliseconds(250);

/// Hosts in doubt that one command names: five times as many as are a surge of any fleet (protocol 3.6).
const DOUBTED_MAX: usize = 256;

/// Last looks that are kept for `explain`.
const LOOKS_MAX: usize = 1_024;

/// Rounds that healers wait for.
const WAITING_MAX: usize = 256;

/// What a proposal of the leader is about; at most one of each is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// Verdicts of the set of rounds that hung on this entry; a set ends once.
    Verdicts(LedgerIndex),
    /// Too much trouble at once.
    Surge,
    /// Cases whose subjects are well, by the same.
    Recovered(LedgerIndex),
    /// Doubts that a set has not settled, by the same.
    Unsettled(LedgerIndex),
    /// Checks that fail, by the same.
    Unfit(LedgerIndex),
    /// Cases whose checks are well, by the same.
    Fit(LedgerIndex),
    /// Reboot slots whose hosts are well, by the same.
    Slots(LedgerIndex),
    /// The vote of a lost keeper.
    Vote,
    /// An entry for rounds to hang on.
    Tick,
    /// The lease of a case.
    Offer(CaseId),
}

/// What the last round on a subject gave, for `explain`.
#[derive(Clone, Debug, PartialEq)]
pub struct LastLook {
    /// When, by this host's clock.
    pub at: Moment,
    /// Under which anchor.
    pub anchor: Anchor,
    /// What was signed about it.
    pub attestations: Vec<Attestation>,
    /// How the voices added up.
    pub tally: Tally,
    /// Whether it spoke for itself.
    pub has_answered: bool,
    /// The verdict, or the rule that says no.
    pub verdict: Result<HostVerdict, NoVerdict>,
}

/// The leader's part; idle on every other host.
pub struct Lead {
    me: HostId,
    pub(crate) rounds: Rounds,
    /// Whether this host should lead at all.
    pub(crate) stand_down: StandDown,
    /// Proposals under way, and when others may be made again.
    busy: BTreeSet<Matter>,
    not_before: BTreeMap<Matter, Moment>,
    waiting: BTreeMap<WishId, AskId>,
    last_wish: u64,
    next_case_look: Moment,
    is_overloaded: bool,
    /// The doubted hosts that the ledger was last told of as a surge.
    surge_told: Option<BTreeSet<HostId>>,
    /// Whether a set of rounds has ended under this leader.
    has_looked: bool,
    looks: BTreeMap<HostId, LastLook>,
    /// Subjects of cases whose newest look did not uphold the verdict, and when; forgotten after [`NEXT_ROUND_WITHIN`].
    broken: BTreeMap<HostId, Moment>,
    /// How often each open case was offered, so that a healer that does not answer is not asked for ever.
    offers: BTreeMap<CaseId, u64>,
    /// For what this leader has called a person.
    pub(crate) paging: Paging,
}

/// What follows from one set of rounds.
#[derive(Debug, Default, PartialEq)]
pub struct Following {
    /// To be proposed as verdicts.
    pub findings: Vec<Finding>,
    /// Cases whose subjects are well.
    pub recovered: Vec<CaseId>,
    /// Doubts that have stood for long and that this set has not settled either (protocol 3.6 `Unsettled`).
    pub unsettled: Vec<Doubted>,
}

impl Lead {
    /// Not leading.
    pub fn new(me: HostId) -> Self {
        Self {
            me,
            rounds: Rounds::new(),
            stand_down: StandDown::default(),
            busy: BTreeSet::new(),
            not_before: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last_wish: 0,
            next_case_look: Moment::default(),
            is_overloaded: false,
            surge_told: None,
            has_looked: false,
            looks: BTreeMap::new(),
            broken: BTreeMap::new(),
            offers: BTreeMap::new(),
            paging: Paging::default(),
        }
    }

    /// This host leads no more: nothing is inherited (protocol 3.2). Those who wait for a round are to be told so.
    pub fn depose(&mut self) -> Vec<AskId> {
        let deposed = std::mem::replace(self, Self::new(self.me));
        self.last_wish = deposed.last_wish;
        self.rounds = deposed.rounds;
        self.stand_down = deposed.stand_down;
        deposed.waiting.into_values().collect()
    }

    /// The last rounds on a subject that this host held as leader.
    pub fn last_look(&self, subject: &HostId) -> Option<&LastLook> {
        self.looks.get(subject)
    }

    /// When something is to be done without any event, while this host leads.
    pub fn next_deadline(&self, has_to_look: bool) -> Option<Moment> {
        let pauses = self.not_before.values().copied();
        let looks = has_to_look.then_some(self.next_case_look);
        let calls = self.paging.next_deadline();
        pauses.chain(looks).chain(calls).chain(self.rounds.next_deadline()).min()
    }

    /// A wish for a round by somebody who waits for it; `None` at the bound.
    pub fn wait_for_round(&mut self, ask: AskId) -> Option<WishId> {
        if self.waiting.len() >= WAITING_MAX {
            return None;
        }
        let wish = self.draw_wish();
        self.waiting.insert(wish, ask);
        Some(wish)
    }

    /// Who waited for these.
    pub fn answered(&mut self, wishes: &[WishId]) -> Vec<AskId> {
        wishes.iter().filter_map(|wish| self.waiting.remove(wish)).collect()
    }

    /// Pauses that are over hold nothing back and wake nobody.
    pub fn rest(&mut self, now: Moment) {
        self.not_before.retain(|_, at| *at > now);
    }

    /// Subjects of live cases, and of slots that were given back, that are to be looked at again now (law G1).
    pub fn due_case_looks(&mut self, now: Moment, ledger: &Ledger) -> Vec<(WishId, HostId)> {
        if now < self.next_case_look {
            return Vec::new();
        }
        self.next_case_look = now.after(CASE_LOOK_EVERY);
        let doubted = self.rounds.doubted_by_any();
        let of = |case: &Arc<Case>| match case.subject {
            // Whoever of it is in doubt is looked at for that.
            Scope::Rack(_) | Scope::Zone(_) if is_large(case) => {
                let dark = ledger.dark_hosts(case).into_iter();
                dark.filter(|host| !doubted.contains(host)).take(MEMBERS_MAX).collect()
            }
            _ => looked_at(case),
        };
        let resting = self.rounds.resting();
        let cases = ledger.cases().flat_map(of);
        let subjects: BTreeSet<HostId> = cases.chain(rebooting::said_back(ledger)).collect();
        let awake = subjects.into_iter().filter(|subject| !resting.contains(subject));
        awake.map(|subject| (self.draw_wish(), subject)).collect()
    }

    /// Whether a proposal about this matter may be made now; if so, it is under way from now on.
    pub fn begin(&mut self, matter: Matter) -> bool {
        !self.not_before.contains_key(&matter) && self.busy.insert(matter)
    }

    /// A proposal has been answered, or has not.
    pub fn ended(&mut self, now: Moment, matter: Matter) {
        self.busy.remove(&matter);
        self.not_before.insert(matter, now.after(PAUSE));
    }

    /// How often this case was offered before; counts this one.
    pub fn count_offer(&mut self, ledger: &Ledger, case: CaseId) -> u64 {
        self.offers.retain(|id, _| ledger.case(*id).is_some_and(|case| !case.is_closed()));
        let count = self.offers.entry(case).or_default();
        *count += 1;
        *count
    }

    /// How often this case was offered before.
    pub fn offers(&self, case: CaseId) -> u64 {
        self.offers.get(&case).copied().unwrap_or_default()
    }

    /// More rounds were due than may be held.
    pub fn overload(&mut self) {
        self.is_overloaded = true;
    }

    /// Whether the ledger has to be told of a surge, and with what: once, and again when the doubted hosts are others, since a
    /// surge that lifts by itself waits until they are the same for long (protocol 6.4).
    pub fn surge(&mut self, now: Moment, ledger: &Ledger) -> Option<Command> {
        let doubted = self.not_put_aside(now);
        let hosts: BTreeSet<HostId> = doubted.iter().map(|doubt| doubt.host).collect();
        let is_due = if ledger.brake().surge.is_some() {
            self.surge_told.as_ref() != Some(&hosts)
        } else {
            ledger.surge_of(&doubted).is_some() || self.is_overloaded
        };
        // Verdicts under way bring the doubts along, and the ledger counts them: it alone sees whose hosts are a domain's.
        let is_counted = self.busy.iter().any(|matter| matches!(matter, Matter::Verdicts(_)));
        if !is_due || is_counted || !self.begin(Matter::Surge) {
            return None;
        }
        self.is_overloaded = false;
        self.surge_told = Some(hosts);
        Some(Command::Surge { doubted })
    }

    /// protocol 3.2: a new leader inherits nothing. Before its first set of rounds has ended it does not know who is silent, and
    /// would offer leases to them.
    pub fn has_looked(&self) -> bool {
        self.has_looked
    }

    /// The hosts in doubt with the age of their doubt, for the ledger's own count.
    pub fn doubted(&self, now: Moment) -> Vec<Doubted> {
        let doubted = self.rounds.doubted();
        youngest(doubted.iter().map(|doubt| told_at(now, doubt)).collect())
    }

    /// The doubts that a look which ended since has not put aside. Hosts that come back from beyond a cut still doubt everybody
    /// else: that is no surge, and one look shows it. What is never looked at is counted by the overload (protocol 3.6).
    fn not_put_aside(&self, now: Moment) -> Vec<Doubted> {
        let is_upheld = |doubt: &&detection::rounds::Doubted| {
            let look = self.looks.get(&doubt.subject);
            look.is_some_and(|look| {
                let is_well = look.has_answered || look.tally.is_surely_seen_well();
                look.at >= doubt.since && !is_well
            })
        };
        let doubted = self.rounds.doubted();
        let upheld = doubted.iter().filter(is_upheld);
        youngest(upheld.map(|doubt| told_at(now, doubt)).collect())
    }

    /// Keeps what a set of rounds gave for `explain`, and says what follows from it.
    pub fn conclude(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        (grounds, conclusions): (&Grounds, &Conclusions),
    ) -> Following {
        self.has_looked = true;
        for (subject, conclusion) in &conclusions.hosts {
            let of = grounds.attestations.iter().filter(|word| word.subject == *subject);
            let look = LastLook {
                at: now,
                anchor: grounds.anchor,
                attestations: of.cloned().collect(),
                tally: conclusion.tally,
                has_answered: conclusion.has_answered,
                verdict: conclusion.verdict.clone(),
            };
            self.looks.insert(*subject, look);
        }
        while self.looks.len() > LOOKS_MAX {
            self.looks.pop_first();
        }
        self.note_broken(now, ledger, conclusions);
        Following {
            findings: self.findings(ledger, conclusions),
            recovered: self.recovered(now, ledger, conclusions),
            unsettled: self.unsettled(now, ledger, conclusions),
        }
    }

    /// protocol 3.8: cases whose subject, or all of whose members, this set saw well. A doubt that was unsettled stands for as
    /// long as more than f observers say so, or did a short while ago, whatever others see (protocol 3.6).
    fn recovered(&self, now: Moment, ledger: &Ledger, conclusions: &Conclusions) -> Vec<CaseId> {
        let is_well = |case: &&Arc<Case>| {
            if matches!(case.subject, Scope::Rack(_) | Scope::Zone(_)) {
                // Few sets hold all of it at once: the ledger counts who has been seen well.
                return ledger.dark_hosts(case).iter().any(|host| conclusions.is_well(host));
            }
            let looked = looked_at(case);
            !looked.is_empty() && looked.iter().all(|host| conclusions.is_well(host))
        };
        let is_doubted = |case: &Case| {
            let host = case.host().filter(|_| case.kind == VerdictKind::Unsettled);
            host.is_some_and(|host| {
                self.rounds.is_lately_in_doubt(now, (&host, ledger.may_lie(&host)))
            })
        };
        let over = ledger.cases().filter(|case| case.may_recover() && !is_doubted(case));
        over.filter(is_well).map(|case| case.id).collect()
    }

    /// protocol 3.6: whom nobody settled. No leader proposes against itself, and whoever said goodbye is no case.
    fn unsettled(&self, now: Moment, ledger: &Ledger, conclusions: &Conclusions) -> Vec<Doubted> {
        let settle_for = ledger.policy().timers.settle_for;
        let is_open = |host: &HostId| {
            let case = ledger.case_of_host(host);
            case.is_none_or(|case| case.kind == VerdictKind::Unsettled || case.is_unfit())
        };
        let unsettled = conclusions.hosts.iter().filter(|(host, look)| {
            let verdict = look.verdict.as_ref().ok();
            verdict.is_none_or(|verdict| ledger.surge_hold(host, verdict).is_some())
                && **host != self.me
                && ledger.left_since(host).is_none()
        });
        let doubted = unsettled.filter(|(host, _)| is_open(host)).filter_map(|(host, _)| {
            let age = now.since(self.rounds.in_doubt_since(host)?);
            (age >= settle_for).then_some(Doubted { host: *host, age })
        });
        doubted.collect()
    }

    /// protocol 3.4: after a look that does not uphold a case's verdict the ledger begins to count anew: nothing is told of that
    /// case until what was counted before is too old to be continued.
    fn note_broken(&mut self, now: Moment, ledger: &Ledger, conclusions: &Conclusions) {
        self.broken.retain(|_, at| now.since(*at) <= NEXT_ROUND_WITHIN);
        let is_verdict =
            |case: &&Arc<Case>| case.kind != VerdictKind::Unsettled && !case.is_unfit();
        let verdicts = ledger.cases().filter(is_verdict);
        for host in verdicts.filter_map(|case| case.host()) {
            if conclusions.hosts.get(&host).is_some_and(|look| look.verdict.is_err()) {
                self.broken.insert(host, now);
            }
        }
    }

    /// Domains first: a host case inside a dark domain is never opened (law V2).
    fn findings(&self, ledger: &Ledger, conclusions: &Conclusions) -> Vec<Finding> {
        let domains = conclusions
            .domains
            .iter()
            .map(|dark| Finding { scope: dark.scope.clone(), kind: VerdictKind::DomainDown });
        let hosts = conclusions
            .verdicts()
            // protocol 3.6 `Left`: whoever said goodbye is no case; `Surge`: while one stands silence makes none.
            .filter(|(host, verdict)| {
                **host != self.me
                    && ledger.left_since(host).is_none()
                    && ledger.surge_hold(host, verdict).is_none()
            })
            .map(|(host, verdict)| Finding {
                scope: Scope::Host(*host),
                kind: verdict.kind.clone(),
            });
        let mut findings: Vec<Finding> =
            domains.chain(hosts).filter(|finding| self.is_news(ledger, finding)).collect();
        findings.truncate(Command::FINDINGS_MAX);
        findings
    }

    /// Whether the ledger does not know it yet, or counts consecutive rounds that uphold it (protocol 3.4).
    fn is_news(&self, ledger: &Ledger, finding: &Finding) -> bool {
        if let Some(case) = ledger.domain_case_of(&finding.scope) {
            // protocol 3.5: of what was coming back it is news that all of it is dark again.
            let is_known = case.subject != finding.scope || ledger.rules() < rules::SECOND;
            return !is_known && ledger.is_coming_back(case.id);
        }
        let mut known = ledger.cases().filter(|case| case.subject == finding.scope);
        let standing = known.find(|case| case.kind == finding.kind);
        standing.is_none_or(|case| match case.stage {
            Stage::Open | Stage::Offered(_) | Stage::Leased(_) => {
                let is_broken = case.host().is_some_and(|host| self.broken.contains_key(&host));
                !self.is_counted(case) && !is_broken
            }
            Stage::Remedy { .. }
            | Stage::Orphaned { .. }
            | Stage::Verifying { .. }
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => false,
        })
    }

    /// Hosts whose last look found what the ledger has: a case that says so or that nothing moves any more, the case of their rack or
    /// zone, or a surge that holds them back (law D7 of `detection::rounds`).
    pub fn upheld(&self, ledger: &Ledger) -> BTreeSet<HostId> {
        let dark = ledger.cases().filter(|case| case.kind == VerdictKind::DomainDown);
        let dark: BTreeSet<&Scope> = dark.map(|case| &case.subject).collect();
        let is_in_dark = |host: &HostId| {
            let home = ledger.roster().get(host).map(|entry| &entry.claims.domain);
            home.is_some_and(|home| {
                dark.contains(&Scope::Zone(home.zone()))
                    || dark.contains(&Scope::Rack(home.clone()))
            })
        };
        let is_upheld = |(host, look): &(&HostId, &LastLook)| match &look.verdict {
            Ok(verdict) => {
                ledger.case_of_host(host).is_some_and(|case| self.stands(case, verdict))
                    || ledger.surge_hold(host, verdict).is_some()
                    || is_in_dark(host)
            }
            Err(NoVerdict::InDomain(_)) => is_in_dark(host),
            Err(_) => false,
        };
        self.looks.iter().filter(is_upheld).map(|(host, _)| *host).collect()
    }

    fn stands(&self, case: &Case, verdict: &HostVerdict) -> bool {
        let is_movable = case.kind == VerdictKind::Unsettled || case.is_live();
        !is_movable || case.kind == verdict.kind && self.is_counted(case)
    }

    /// Whether no further round is counted for it (protocol 3.4): three are only where so few observers are left.
    fn is_counted(&self, case: &Case) -> bool {
        let look = case.host().and_then(|host| self.looks.get(&host));
        let is_one_enough = look.is_some_and(|look| {
            look.verdict.as_ref().is_ok_and(|verdict| !verdict.needs_three_rounds)
        });
        is_one_enough || case.rounds_upheld >= ROUNDS_COUNTED
    }

    /// A wish that nobody waits for.
    pub(crate) fn draw_wish(&mut self) -> WishId {
        self.last_wish += 1;
        WishId(self.last_wish)
    }
}

/// Law D12: as many as an entry bears beside its grounds, the youngest doubts: those are what a surge and quiet are about.
fn youngest(mut doubted: Vec<Doubted>) -> Vec<Doubted> {
    if doubted.len() > DOUBTED_MAX {
        doubted.sort_by_key(|doubt| (doubt.age, doubt.host));
        doubted.truncate(DOUBTED_MAX);
    }
    doubted
}

fn told_at(now: Moment, doubt: &detection::rounds::Doubted) -> Doubted {
    Doubted { host: doubt.subject, age: now.since(doubt.since) }
}

/// protocol 3.4: three consecutive rounds are the most that any rung asks for.
const ROUNDS_COUNTED: u32 = 3;

/// Whether it is the case of a domain of more hosts than a second has rounds for.
fn is_large(case: &Case) -> bool {
    matches!(case.subject, Scope::Rack(_) | Scope::Zone(_))
        && case.members_count as usize > ROUNDS_PER_SECOND
}

/// The hosts that have to be looked at for a case; a fleet's case is looked at through its hosts' own.
fn looked_at(case: &Case) -> Vec<HostId> {
    match &case.subject {
        // protocol 1.2, 6.6: nothing follows from how either machine is, nor from how a quarantined host is.
        Scope::Host(_) if case.kind == VerdictKind::Duplicate || case.is_quarantined() => {
            Vec::new()
        }
        // protocol 3.10: that it is reached is no end of it.
        Scope::Host(_) if case.is_unfit() => Vec::new(),
        Scope::Host(host) => vec![*host],
        Scope::Rack(_) | Scope::Zone(_) => case.members.iter().take(MEMBERS_MAX).copied().collect(),
        Scope::Group(_) | Scope::Fleet => Vec::new(),
    }
}
