//! What the voices of one round add up to, for every subject: a verdict, or the rule that says no (protocol 3.1 to 3.6).
//!
//! Law V1: no verdict without a quorum of one round's fresh voices in enough domains.
//! Law V2: no host verdict while its whole domain is in doubt.
//! Law V4: what f hosts say heals nobody.
//! Law Q0: pure and total; the leader and every keeper that applies its proposal come to the same conclusions.
//! Not here: how old grounds may be, how long a verdict must stand, and whatever else needs a clock or a case (see
//! `ledger`); who is asked to look (see `rounds`); too much trouble at once (see `surge`).

mod discount;
mod domain;
mod grounds;
mod laws;
mod reason;
mod seat_set;
mod size;
mod spread;
mod tally;
mod voice;

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{HostId, Scope, VerdictKind};

pub(crate) use grounds::{later_boot, raise};
pub(crate) use spread::check as check_spread;

pub use discount::{CONTRADICTED_MAX, Discount, LATE_MAX_MS};
pub use domain::DomainVerdict;
pub use grounds::{Court, Heard, HeardAnswer, VerifiedGrounds, Void, Voided};
pub use reason::NoVerdict;
pub use seat_set::SeatSet;
pub use size::{Allowance, allows};
pub use tally::{THREE_ROUNDS_UP_TO, Tally, needed, tolerated};
pub use voice::{NamedPorts, Sight, sight};

use crate::roster::Roster;
use crate::seats::Seating;
use domain::Evidence;

/// Who belongs and who watches whom, of one epoch.
#[derive(Clone, Copy)]
pub struct Fleet<'a> {
    /// Who belongs.
    pub roster: &'a Roster,
    /// The seats of the same epoch.
    pub seating: &'a Seating,
}

/// What is concluded from the grounds of one anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusions {
    /// Every subject that was looked at, that answered, or about whom only void words were offered.
    pub hosts: BTreeMap<HostId, HostConclusion>,
    /// The largest domains in the dark; none lies in another.
    pub domains: Vec<DomainVerdict>,
    /// Hosts in the dark that stand alone in their racks, outside of these domains (protocol 3.5).
    pub alone: BTreeSet<HostId>,
    /// The authors whose voices against others were discounted.
    pub discounts: BTreeMap<HostId, Discount>,
    /// Hosts that are silent in this proposal: the seats they hold are vacant.
    pub silent: BTreeSet<HostId>,
    /// What it takes to be seen well.
    pub well_takes: WellTakes,
}

/// How many voices see a host well, beside K' - f of them (protocol 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WellTakes {
    /// One at least. Where all others are blind to it that is any liar's.
    One,
    /// More than may lie, one honest voice at least: of all seats where a case ends, of those who may speak where a remedy is proven.
    OneThatIsTrue,
}

/// What is concluded about one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConclusion {
    /// How its voices add up.
    pub tally: Tally,
    /// It spoke for itself (protocol 3.8 ends the doubt, 3.1 forbids a verdict).
    pub has_answered: bool,
    /// The verdict, or the first rule that says no.
    pub verdict: Result<HostVerdict, NoVerdict>,
}

/// A verdict on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostVerdict {
    /// `AgentDown`, `HostDown` or `HostHung`.
    pub kind: VerdictKind,
    /// protocol 3.4: the quorum is so small that disruptive and destructive rungs need three consecutive rounds.
    pub needs_three_rounds: bool,
    /// protocol 3.6: a named port agrees, so that `HostHung` may be treated as `HostDown`. Always so for `HostDown`.
    pub is_agreed_by_ports: bool,
    /// protocol 3.6 `Surge`: no more than f voices met even a kernel that accepts. Beyond a cut a host that is well looks the same.
    pub rests_on_silence: bool,
}

/// Concludes on every subject of the grounds. `seen_to_accept` names the hosts whose present boot accepted connections in
/// an earlier round, as [`Conclusions::accepting`] told: a hung process's backlog fills and then looks like silence.
pub fn conclude(
    fleet: Fleet<'_>,
    grounds: &VerifiedGrounds,
    seen_to_accept: &BTreeSet<HostId>,
) -> Conclusions {
    let Fleet { roster, seating } = fleet;
    assert!(
        seating.epoch() == roster.epoch,
        "law S1: seats are those of the roster they are used with"
    );
    let discounts = discount::discounts(grounds, seating, tolerated(seating.seats()));
    let mut tallies = tally::first_tallies(grounds, seating, &discounts);
    let silent = tally::silent(grounds, &tallies);
    for (subject, tally) in &mut tallies {
        tally.vacate(seating.observers(subject), &silent);
        tally.vacate(seating.observers(subject), &grounds.mute);
    }
    let evidence = Evidence { roster, seating, grounds, tallies: &tallies, silent: &silent };
    let (domains, alone) = evidence.dark_domains();
    let subjects = tallies.iter().map(|(subject, tally)| {
        let accepted = seen_to_accept.contains(subject);
        let conclusion = HostConclusion {
            tally: *tally,
            has_answered: grounds.answered_boot(subject).is_some(),
            verdict: judge(&evidence, &domains, subject)
                .and_then(|()| name(&evidence, subject, accepted)),
        };
        (*subject, conclusion)
    });
    let hosts = subjects.collect();
    let well_takes = WellTakes::One;
    let conclusions = Conclusions { hosts, domains, alone, discounts, silent, well_takes };
    laws::check(seating, grounds, &conclusions);
    conclusions
}

impl Conclusions {
    /// The same, where being seen well takes this.
    #[must_use]
    pub fn taking(self, well_takes: WellTakes) -> Self {
        Self { well_takes, ..self }
    }

    /// The verdict on a host, or the rule that says no.
    pub fn verdict(&self, host: &HostId) -> Result<&HostVerdict, NoVerdict> {
        match self.hosts.get(host) {
            Some(conclusion) => conclusion.verdict.as_ref().map_err(Clone::clone),
            None => Err(NoVerdict::NotLookedAt),
        }
    }

    /// All host verdicts.
    pub fn verdicts(&self) -> impl Iterator<Item = (&HostId, &HostVerdict)> {
        let hosts = self.hosts.iter();
        hosts.filter_map(|(host, conclusion)| Some((host, conclusion.verdict.as_ref().ok()?)))
    }

    /// The domain verdict on exactly this rack or zone.
    pub fn domain(&self, scope: &Scope) -> Option<&DomainVerdict> {
        self.domains.iter().find(|verdict| verdict.scope == *scope)
    }

    /// protocol 3.8: what ends a doubt, and closes a case before its intent: the subject's own signed answer, or
    /// K' - f voices that see it well.
    pub fn is_well(&self, host: &HostId) -> bool {
        let host = self.hosts.get(host);
        host.is_some_and(|host| {
            host.has_answered
                || match self.well_takes {
                    WellTakes::One => host.tally.is_seen_well(),
                    WellTakes::OneThatIsTrue => host.tally.is_surely_seen_well(),
                }
        })
    }

    /// protocol 7.7: K' - f voices see it well and no more than f speak against it.
    pub fn is_verified_well(&self, host: &HostId) -> bool {
        let host = self.hosts.get(host);
        host.is_some_and(|host| {
            let is_seen_well = match self.well_takes {
                WellTakes::One => host.tally.is_seen_well(),
                WellTakes::OneThatIsTrue => host.tally.is_truly_seen_well(),
            };
            is_seen_well && !host.tally.is_adverse()
        })
    }

    /// protocol 7.7: more than f voices speak against it; such a round ends a soak.
    pub fn is_adverse(&self, host: &HostId) -> bool {
        self.hosts.get(host).is_some_and(|host| host.tally.is_adverse())
    }

    /// The subjects that more than f voices saw accept connections: to be remembered for their present boot.
    pub fn accepting(&self) -> impl Iterator<Item = &HostId> {
        let hosts = self.hosts.iter();
        hosts.filter(|(_, host)| host.tally.is_accepting()).map(|(subject, _)| subject)
    }
}

/// Whether anything at all may be concluded against the subject, before the question what.
fn judge(
    evidence: &Evidence<'_>,
    domains: &[DomainVerdict],
    subject: &HostId,
) -> Result<(), NoVerdict> {
    if evidence.grounds.answered_boot(subject).is_some() {
        return Err(NoVerdict::SubjectAnswered);
    }
    if evidence.grounds.has_spoken(subject) {
        return Err(NoVerdict::SubjectAttested);
    }
    let tally = &evidence.tallies[subject];
    let hosts = evidence.seating.hosts().len();
    if hosts < HOSTS_MIN {
        return Err(NoVerdict::FleetTooSmall { hosts });
    }
    if tally.attested.count() == 0 {
        let void = evidence.grounds.void.iter();
        let offered = void.filter(|void| void.subject == *subject).count();
        return Err(NoVerdict::AllVoid { offered });
    }
    let dark = domains.iter().find(|dark| dark.hosts.binary_search(subject).is_ok());
    if let Some(dark) = dark {
        return Err(NoVerdict::InDomain(dark.scope.clone()));
    }
    check_quorum(tally)
}

/// protocol 3.4, law V1.
fn check_quorum(tally: &Tally) -> Result<(), NoVerdict> {
    let (have, tolerated) = (tally.well.count(), tally.tolerated());
    if have > tolerated {
        return Err(NoVerdict::Contrary { have, tolerated });
    }
    let (have, need) = (tally.against.count(), tally.needed());
    if have < need {
        let vacant = tally.vacant.count();
        return Err(NoVerdict::TooFewVoices { have, need, vacant });
    }
    Ok(())
}

/// protocol 3.6: which verdict the quorum makes.
fn name(
    evidence: &Evidence<'_>,
    subject: &HostId,
    accepted: bool,
) -> Result<HostVerdict, NoVerdict> {
    let tally = &evidence.tallies[subject];
    let tolerated = tally.tolerated();
    let needs_three_rounds = tally.filled() <= THREE_ROUNDS_UP_TO;
    let (proofs, voices) = (tally.proving.count(), tally.proving.and(tally.against).count());
    if voices > tolerated {
        let kind = VerdictKind::AgentDown;
        return Ok(HostVerdict {
            kind,
            needs_three_rounds,
            is_agreed_by_ports: false,
            rests_on_silence: false,
        });
    }
    if proofs > tolerated {
        return Err(NoVerdict::LifeUnclear { proofs, voices, tolerated });
    }
    check_witness(evidence, subject)?;
    let observers = evidence.seating.observers(subject);
    spread::check(evidence.roster, observers, tally.filled_seats(), tally.against)?;
    let is_hung = tally.is_accepting() || accepted && !tally.is_agreed_by_ports();
    Ok(HostVerdict {
        kind: if is_hung { VerdictKind::HostHung } else { VerdictKind::HostDown },
        needs_three_rounds,
        is_agreed_by_ports: !is_hung || tally.is_agreed_by_ports(),
        rests_on_silence: !tally.is_accepting(),
    })
}

/// protocol 3.5: somebody beside the subject is alive, so that it is not the whole domain that is cut off.
fn check_witness(evidence: &Evidence<'_>, subject: &HostId) -> Result<(), NoVerdict> {
    let (scope, asked) = evidence.candidates(subject);
    if asked.iter().any(|host| evidence.is_witness(host)) {
        Ok(())
    } else if asked.iter().all(|host| evidence.silent.contains(host)) {
        Err(NoVerdict::WholeDomainInDoubt(scope))
    } else {
        Err(NoVerdict::NoWitness { asked })
    }
}

/// protocol 3.4: with fewer hosts nobody can be judged by peers.
const HOSTS_MIN: usize = 3;
