//! One trouble of one subject (or domain, or the fleet), from verdict to closure, and the lease on it.
//!
//! Law L1: at most one live lease per subject. Law L2: fences only rise.
//! Law A1: an intent stands before its effect, an outcome after it.
//! Not here: who may move a case (see the room of each command).

use detection::verdict::{Discount, Void};
use serde::{Deserialize, Serialize};
use vocabulary::{
    Anchor, Boot, CaseId, Digest, Domain, Fence, GroupName, HostId, LedgerIndex, LedgerTime,
    PathReading, Receipt, ReceiptKind, RemedyId, Scope, Span, VerdictKind, WallNote,
};

use crate::command::Refused;
use crate::policy::Rung;

/// protocol 3.4: a round that upholds a verdict so long after the last one that did is not the next one: a leader looks every
/// 1.5 s, and holds its word back for so long after a look that did not uphold it.
pub const NEXT_ROUND_WITHIN: Span = Span::seconds(3);

/// One case. Its number never changes and is never used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// About whom.
    pub subject: Scope,
    /// What was concluded; a stronger later verdict on the same subject replaces it.
    pub kind: VerdictKind,
    /// The subject's boot at the verdict, if it is a host; of two machines the highest that another than the committed one spoke in.
    pub boot: Option<Boot>,
    /// Where the subject stood at the verdict and what it was for, if it is a host.
    pub scopes: Option<FrozenScopes>,
    /// Hosts of a domain or surge case, in order; at most 64 are named, `members_count` counts all.
    pub members: Vec<HostId>,
    /// How many hosts it is about.
    pub members_count: u32,
    /// When the verdict was committed.
    pub opened: LedgerTime,
    /// The same for people.
    pub opened_wall: WallNote,
    /// The entry of the verdict.
    pub opened_at: LedgerIndex,
    /// Since when a verdict of this kind has stood (protocol 7.4); later than `opened` if the kind was replaced.
    pub stands_since: LedgerTime,
    /// How often the case was closed as recovered and opened again (protocol 3.8).
    pub flips: u32,
    /// Nothing is begun before this: the hold-off of a host that flips (protocol 3.8).
    pub held_off_until: LedgerTime,
    /// What the verdict stands on, small enough to keep (protocol 3.7).
    pub grounds: GroundsKept,
    /// How many consecutive rounds have upheld the verdict (protocol 3.4).
    pub rounds_upheld: u32,
    /// When the last of them did.
    pub upheld_at: LedgerTime,
    /// The rule of the policy it falls under, by name, and that policy's version.
    pub rule: Option<(String, u64)>,
    /// The rung that is to be, is being or was tried, from 0.
    pub rung: u32,
    /// How often any rung was begun.
    pub attempts: u32,
    /// How often a lease of this case was taken over (protocol 7.6).
    pub takeovers: u32,
    /// All remedies begun, oldest first; at most 32 are kept.
    pub remedies: Vec<RemedyNote>,
    /// Why the last intent was refused, until one is not; of an unsettled doubt: why the last round told bears no verdict.
    pub refused: Option<Refused>,
    /// Where it stands.
    pub stage: Stage,
}

/// What is kept of the grounds: the audit holds the signatures until its next checkpoint (protocol 3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroundsKept {
    /// The round.
    pub anchor: Anchor,
    /// Digest of the encoded grounds.
    pub digest: Digest,
    /// Observers that spoke against the subject.
    pub against: Vec<HostId>,
    /// Observers that saw it well.
    pub well: Vec<HostId>,
    /// Seats that counted as vacant.
    pub vacant: Vec<HostId>,
    /// Who looked and what each saw, in the order of the seats; none for a domain or a surge.
    pub sights: Vec<SightKept>,
}

/// What one observer saw of the subject, for `explain`: every agent can tell it without the signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightKept {
    /// Who looked.
    pub observer: HostId,
    /// What each path gave; empty if its attestation is void.
    pub paths: Vec<PathReading>,
    /// Why its voice against others did not count (protocol 2.7).
    pub discount: Option<Discount>,
    /// Why its attestation did not count at all.
    pub void: Option<Void>,
}

/// One begun remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyNote {
    /// Its id.
    pub id: RemedyId,
    /// The rung.
    pub rung: u32,
    /// The fence it ran under.
    pub fence: Fence,
    /// Who saw it through.
    pub healer: HostId,
    /// When the intent was committed.
    pub intended: LedgerTime,
    /// The rung as the policy had it then: inspection and proof go by this, whatever the policy says later.
    pub applied: Rung,
    /// The subject's boot at the intent: a higher one proves that it was started again (protocol 7.7).
    pub boot: Option<Boot>,
    /// What came of it.
    pub receipt: Option<Receipt>,
    /// The entry of the receipt `Done`: rounds that prove it must be anchored after it (protocol 7.7).
    pub received_at: Option<LedgerIndex>,
    /// Since when nobody knows its end (protocol 7.6).
    pub unknown_since: Option<LedgerTime>,
    /// Whether it was proven to have worked; `None` while that is open.
    pub is_proven: Option<bool>,
}

/// Where a case stands; each stage owns what is only true in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A verdict stands; no lease yet, or again none between rungs.
    Open,
    /// A lease is offered and not yet taken (protocol 7.2).
    Offered(Lease),
    /// The healer holds the lease and has not begun: last look, waits.
    Leased(Lease),
    /// The intent is committed; the remedy runs, or its end is not known here yet.
    Remedy {
        /// Under this lease.
        lease: Lease,
        /// This remedy.
        remedy: RemedyId,
    },
    /// The lease ran out while an intent was open: still counted; takeover may inspect (protocol 7.6).
    Orphaned {
        /// The lease that ran out.
        lease: Lease,
        /// The remedy nobody knows the end of; `None` if none was begun.
        remedy: Option<RemedyId>,
        /// Since when.
        since: LedgerTime,
    },
    /// A receipt `Done` stands; fresh rounds and the rung's proof are awaited (protocol 7.7).
    Verifying {
        /// Under this lease.
        lease: Lease,
        /// This remedy.
        remedy: RemedyId,
        /// The entry of the receipt: rounds must be anchored after it.
        received_at: LedgerIndex,
        /// Until when the proof must be there.
        until: LedgerTime,
        /// Since when proof and voices have been good without a break; `None` until they first are.
        well_since: Option<LedgerTime>,
    },
    /// A person is called and hale does nothing more; counts as unhealthy, holds no lease.
    Escalated {
        /// One line for people.
        why: String,
        /// Since when.
        since: LedgerTime,
        /// A lease that goes on counting, because the end of its remedy is unknown, until a person dismisses the case
        /// (protocol 7.6).
        counted: Option<Lease>,
    },
    /// Over.
    Closed {
        /// How.
        how: Closure,
        /// When.
        at: LedgerTime,
        /// The same for people.
        at_wall: WallNote,
    },
    /// A person is called, and the host is tried no more until that person releases it; counts as unhealthy, holds no lease; under
    /// rules 2 (protocol 6.6).
    Quarantined {
        /// One line for people.
        why: String,
        /// Since when.
        since: LedgerTime,
    },
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closure {
    /// A remedy was applied and proven.
    Healed,
    /// The subject was well again before anything was begun (protocol 3.8).
    Recovered,
    /// The host was retired.
    Retired,
    /// A person ended it (a surge or pause case by `resume`).
    ByPerson(String),
    /// Another case took its subject over (a domain case).
    MergedInto(CaseId),
}

/// Leave to repair one subject for a limited term, counted against every budget in the scopes frozen at the grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The number that only rises.
    pub fence: Fence,
    /// Who holds it.
    pub healer: HostId,
    /// When it was offered.
    pub granted: LedgerTime,
    /// The entry of the grant: the last look must be anchored after it (protocol 7.4).
    pub granted_at: LedgerIndex,
    /// When it ends unless it is renewed.
    pub ends: LedgerTime,
    /// Nothing is applied before this: after a takeover a call of the healer before may still be under way (protocol 7.6).
    pub apply_after: LedgerTime,
    /// Zone, rack and group it counts in, frozen at the grant (law B2).
    pub scopes: FrozenScopes,
}

/// The scopes beside the fleet that a lease counts in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenScopes {
    /// Rack by its full path; its zone follows from it.
    pub domain: Domain,
    /// The group.
    pub group: GroupName,
}

impl Case {
    /// Members that a case names; `members_count` counts all.
    pub const MEMBERS_NAMED_MAX: usize = 64;

    /// Whom it is about, in order.
    pub(crate) fn name_members(&mut self, hosts: &[HostId]) {
        self.members_count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        self.members = hosts.iter().take(Self::MEMBERS_NAMED_MAX).copied().collect();
    }

    /// Whether it is neither closed nor a person's.
    pub fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Closed { .. }) && !self.is_a_persons()
    }

    /// Whether a person was called for it and hale does no more about it: escalated or quarantined.
    pub fn is_a_persons(&self) -> bool {
        matches!(self.stage, Stage::Escalated { .. } | Stage::Quarantined { .. })
    }

    /// Whether its host is tried no more until a person releases it (protocol 6.6).
    pub fn is_quarantined(&self) -> bool {
        matches!(self.stage, Stage::Quarantined { .. })
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed { .. })
    }

    /// The lease that counts against the budgets: offered, held, orphaned, verifying, or escalated with an unknown end (law B2).
    pub fn counted_lease(&self) -> Option<&Lease> {
        match &self.stage {
            Stage::Offered(lease)
            | Stage::Leased(lease)
            | Stage::Remedy { lease, .. }
            | Stage::Orphaned { lease, .. }
            | Stage::Verifying { lease, .. } => Some(lease),
            Stage::Escalated { counted, .. } => counted.as_ref(),
            Stage::Open | Stage::Quarantined { .. } | Stage::Closed { .. } => None,
        }
    }

    /// The remedy that was begun last and is neither refused, proven nor given up; its end or its proof is awaited.
    pub fn pending(&self) -> Option<&RemedyNote> {
        self.remedies.last().filter(|note| note.is_pending())
    }

    /// The pending remedy whose end nobody knows: it must be inspected, never repeated blindly (protocol 7.5).
    pub fn unresolved(&self) -> Option<&RemedyNote> {
        self.pending().filter(|note| !note.is_done())
    }

    /// protocol 3.8: whether it ends by itself once its subject is well: nothing is begun, or a person was called and the end
    /// of what was begun is known.
    pub fn may_recover(&self) -> bool {
        match self.stage {
            // protocol 1.2: that one of two machines is well ends nothing.
            _ if self.kind == VerdictKind::Duplicate => false,
            // Law FC4: nor does it that a host is reached whose check fails.
            _ if self.is_unfit() => false,
            Stage::Open | Stage::Offered(_) | Stage::Leased(_) | Stage::Orphaned { .. } => {
                self.pending().is_none()
            }
            Stage::Escalated { .. } => self.unresolved().is_none(),
            Stage::Remedy { .. }
            | Stage::Verifying { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => false,
        }
    }

    /// Why a doubt is unsettled: the rule that said no to a verdict in the round that was told last, or the surge that holds it
    /// back (protocol 3.6).
    pub fn unsettled_why(&self) -> Option<&str> {
        match &self.refused {
            Some(Refused::Grounds(why) | Refused::Brake(why))
                if self.kind == VerdictKind::Unsettled =>
            {
                Some(why)
            }
            _ => None,
        }
    }

    /// How many rounds in a row uphold the verdict if one does now (protocol 3.4).
    pub fn rounds_with(&self, now: LedgerTime) -> u32 {
        let is_next = now.since(self.upheld_at) <= NEXT_ROUND_WITHIN;
        if is_next { self.rounds_upheld.saturating_add(1) } else { 1 }
    }

    /// The host it is about, if it is about one.
    pub fn host(&self) -> Option<HostId> {
        match self.subject {
            Scope::Host(host) => Some(host),
            Scope::Rack(_) | Scope::Zone(_) | Scope::Group(_) | Scope::Fleet => None,
        }
    }
}

impl GroundsKept {
    /// Who looked with sound eyes, or without any calibrated path, and got no answer. What late, deaf and contradicted observers
    /// say is nobody's word against the subject (protocol 2.7).
    pub fn unanswered(&self) -> impl Iterator<Item = &HostId> {
        let is_sound = |sight: &&SightKept| {
            let sees = matches!(sight.discount, None | Some(Discount::SelfDoubting));
            sees && sight.void.is_none() && !self.well.contains(&sight.observer)
        };
        self.sights.iter().filter(is_sound).map(|sight| &sight.observer)
    }
}

impl RemedyNote {
    /// Whether its receipt says `Done`.
    pub fn is_done(&self) -> bool {
        self.receipt.as_ref().is_some_and(|receipt| receipt.kind == ReceiptKind::Done)
    }

    /// Whether its end or its proof is awaited.
    pub fn is_pending(&self) -> bool {
        let is_refused =
            self.receipt.as_ref().is_some_and(|receipt| receipt.kind == ReceiptKind::Refused);
        self.is_proven.is_none() && !is_refused
    }
}

impl Stage {
    /// The word for screens and refusals.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Offered(_) => "offered",
            Self::Leased(_) => "leased",
            Self::Remedy { .. } => "remedy",
            Self::Orphaned { .. } => "orphaned",
            Self::Verifying { .. } => "verifying",
            Self::Escalated { .. } => "escalated",
            Self::Quarantined { .. } => "quarantined",
            Self::Closed { .. } => "closed",
        }
    }
}
