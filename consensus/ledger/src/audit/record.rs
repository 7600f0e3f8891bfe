//! One record of the history: what has become true, when, and what it follows.
//!
//! Law A1: a record's digest covers everything in it, the digest of the one before too.
//! Not here: the layout of each kind (see `layout`), keeping records (see the parent).

use serde::{Deserialize, Serialize};
use vocabulary::{
    Anchor, Boot, CanonicalBytes, CaseId, ClusterName, Digest, Fence, GroupName, HostId, HostName,
    LedgerIndex, LedgerTime, PublicKey, ReceiptKind, RemedyId, Scope, Span, VerdictKind, WallNote,
};

use super::ends::{LeaseEnd, SlotEnd};
use super::{Checkpoint, Stamp};
use crate::bindings::FleetLockId;
use crate::case::Closure;
use crate::maintenance::Plan;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub number: u64,
    /// Ledger time.
    pub at: LedgerTime,
    /// The leader's wall clock, for people.
    pub wall: WallNote,
    /// The entry that made it so.
    pub index: LedgerIndex,
    /// What has become true.
    pub what: What,
    /// Digest of the record before.
    pub previous: Digest,
    /// Digest of this one.
    pub digest: Digest,
}

/// What has become true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The ledger was founded.
    Founded {
        /// Whose it is.
        cluster: ClusterName,
        /// The first voters.
        voters: Vec<HostId>,
    },
    /// A host joined, changed its claims, or speaks with a further key.
    Enrolled {
        /// Which one.
        host: HostId,
        /// Its name.
        name: HostName,
        /// Its claims as the certificate's URI.
        claims: String,
        /// The key that speaks from now on.
        key: PublicKey,
    },
    /// A host began a new life.
    Booted {
        /// Which one.
        host: HostId,
        /// The life.
        boot: Boot,
    },
    /// An agent said goodbye.
    Left {
        /// Whose.
        host: HostId,
        /// The life that ended.
        boot: Boot,
    },
    /// A host was buried for good.
    Retired {
        /// Which one.
        host: HostId,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// A policy came into force.
    PolicySet {
        /// As this version.
        version: u64,
        /// Of what it means (`Policy::digest`).
        digest: Digest,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// A verdict opened a case, opened it again, or changed its kind.
    Verdict {
        /// The case.
        case: CaseId,
        /// About whom.
        subject: Scope,
        /// What was concluded.
        kind: VerdictKind,
        /// The round.
        anchor: Anchor,
        /// Of the encoded grounds.
        grounds: Digest,
        /// How many voices stood against the subject.
        against: u64,
        /// How many saw it well.
        well: u64,
        /// How many seats were vacant.
        vacant: u64,
    },
    /// A lease was offered; every budget allowed it.
    Granted {
        /// Of this case.
        case: CaseId,
        /// Under this fence.
        fence: Fence,
        /// To whom.
        healer: HostId,
        /// Whether it takes an orphaned lease over.
        is_takeover: bool,
    },
    /// The healer took the lease.
    Accepted {
        /// Of this case.
        case: CaseId,
        /// Under this fence.
        fence: Fence,
        /// Who.
        healer: HostId,
    },
    /// A lease is over and nothing was proven under it.
    LeaseOver {
        /// Of this case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
        /// How.
        end: LeaseEnd,
        /// Whether it goes on counting as an orphan.
        is_orphaned: bool,
    },
    /// A remedy may begin: the intent before the effect.
    Intended {
        /// For this case.
        case: CaseId,
        /// Under this fence.
        fence: Fence,
        /// The remedy.
        remedy: RemedyId,
        /// The rung.
        rung: u64,
        /// The program and its arguments.
        argv: Vec<String>,
        /// Who sees it through.
        healer: HostId,
        /// The last look.
        anchor: Anchor,
        /// Of its encoded grounds.
        grounds: Digest,
    },
    /// An intent was refused; the same refusal in a row is recorded once.
    IntentRefused {
        /// For this case.
        case: CaseId,
        /// Under this fence.
        fence: Fence,
        /// Why.
        why: String,
    },
    /// What came of a remedy: the outcome after the effect.
    Received {
        /// For this case.
        case: CaseId,
        /// The remedy.
        remedy: RemedyId,
        /// Under which fence it ran.
        fence: Fence,
        /// How it ended.
        kind: ReceiptKind,
        /// One line.
        detail: String,
    },
    /// What an inspection found.
    Inspected {
        /// For this case.
        case: CaseId,
        /// The remedy.
        remedy: RemedyId,
        /// Under which fence it was inspected.
        fence: Fence,
        /// What it found.
        kind: ReceiptKind,
        /// One line.
        detail: String,
    },
    /// A rung's proof is there and the voices say well; the soak begins.
    Verified {
        /// For this case.
        case: CaseId,
        /// The remedy.
        remedy: RemedyId,
        /// The life that proves it.
        boot: Option<Boot>,
        /// The round.
        anchor: Anchor,
        /// Of its encoded grounds.
        grounds: Digest,
    },
    /// A rung did not prove that it worked.
    Unproven {
        /// For this case.
        case: CaseId,
        /// The remedy.
        remedy: RemedyId,
        /// The rung.
        rung: u64,
        /// Why.
        why: String,
    },
    /// A person is called.
    Escalated {
        /// For this case.
        case: CaseId,
        /// One line.
        why: String,
        /// Whether its lease goes on counting.
        is_counted: bool,
    },
    /// A case is over.
    Closed {
        /// Which one.
        case: CaseId,
        /// How.
        how: Closure,
    },
    /// A person stopped all healing.
    Paused {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Pause and surge were lifted and the ramp begins.
    Resumed {
        /// Who; `the policy` where it set `resume_after`.
        who: String,
        /// Why.
        why: String,
    },
    /// These rules are in force from here on (protocol 1.6).
    RulesRaised {
        /// Their number.
        rules: u32,
    },
    /// Other authorities vouch for hosts from here on (protocol 1.3).
    AuthoritiesSet {
        /// How many.
        count: u32,
        /// Over their certificates, in order.
        digest: Digest,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
    },
    /// A host may enrol from here on, or may not any more (protocol 1.3).
    HostAdded {
        /// Which one.
        host: HostId,
        /// Its name.
        name: HostName,
        /// Whether it may.
        may_enrol: bool,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
    },
    /// A host is tried no more until a person releases it (protocol 6.6); its case was escalated with the reason.
    Quarantined {
        /// The case.
        case: CaseId,
        /// Which host.
        host: HostId,
    },
    /// In this group nothing begins until a person releases it (protocol 6.6).
    GroupStopped {
        /// Which one.
        group: GroupName,
        /// Why.
        why: String,
    },
    /// A person released a host or a group (protocol 6.6).
    Freed {
        /// Which one.
        subject: Scope,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
    },
    /// By this rule nothing begins in this group until a person releases it (protocol 6.3).
    KindStopped {
        /// The rule, by name.
        rule: String,
        /// The group.
        group: GroupName,
        /// Why.
        why: String,
    },
    /// A person allowed the next remedy of a case (protocol 6.8).
    Approved {
        /// The case.
        case: CaseId,
        /// The rung.
        rung: u64,
        /// The program and its arguments.
        argv: Vec<String>,
        /// At which host's agent.
        through: HostId,
        /// For how long.
        lasts: Span,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// A person forbade the next remedy of a case, and it is a person's (protocol 6.8).
    Denied {
        /// The case.
        case: CaseId,
        /// The rung.
        rung: u64,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Under a rule in shadow a lease would have been granted, and this rung tried (protocol 6.10).
    Shadowed {
        /// The case.
        case: CaseId,
        /// The rung.
        rung: u64,
        /// The program and its arguments.
        argv: Vec<String>,
        /// Who would have seen it through.
        healer: HostId,
    },
    /// A person opened a window of maintenance, or planned one (protocol 6.9).
    MaintenancePlanned {
        /// Its number.
        window: u64,
        /// Where, when and for how long.
        plan: Plan,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// A window opened by its schedule (protocol 6.9).
    MaintenanceBegan {
        /// Its number.
        window: u64,
        /// For how long.
        left: Span,
    },
    /// A window was closed, by a person for good (protocol 6.9).
    MaintenanceEnded {
        /// Its number.
        window: u64,
        /// Who; `the plan` where its time was over.
        who: String,
        /// Why.
        why: String,
    },
    /// Nothing begins on a host by itself from here on, or may again (protocol 6.11).
    HostExempted {
        /// Which one.
        host: HostId,
        /// Whether it is exempt.
        is_exempt: bool,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
    },
    /// A FleetLock client may reboot its host (protocol 6.12).
    SlotGranted {
        /// Which one.
        client: FleetLockId,
        /// Its host; `None` where it is bound to none.
        host: Option<HostId>,
        /// The group that it counts in.
        group: GroupName,
        /// Its number.
        fence: Fence,
    },
    /// A reboot slot counts no more (protocol 6.12).
    SlotOver {
        /// Whose.
        client: FleetLockId,
        /// Its number.
        fence: Fence,
        /// How.
        end: SlotEnd,
    },
    /// Which host a FleetLock client is, or that it is none any more (protocol 6.12).
    ClientBound {
        /// The client.
        client: FleetLockId,
        /// The host.
        host: Option<HostId>,
        /// Who says so.
        who: String,
        /// Why.
        why: String,
    },
    /// A person has given votes of the ledger, or taken them (protocol 1.10).
    VotesMoved {
        /// Who got one.
        added: Vec<HostId>,
        /// Who has none any more.
        removed: Vec<HostId>,
        /// Who did it.
        who: String,
        /// Why.
        why: String,
    },
    /// The vote of a lost keeper went to another host by itself (protocol 1.10).
    VoteMoved {
        /// Whose it was.
        from: HostId,
        /// Whose it is.
        to: HostId,
    },
}

impl Record {
    /// What a record's digest begins with.
    pub const CONTEXT: &str = "hale audit 1";

    /// Its place in the chain.
    pub fn place(&self) -> Checkpoint {
        Checkpoint { number: self.number, digest: self.digest }
    }

    /// The digest that its contents have, whatever it claims.
    pub fn computed_digest(&self) -> Digest {
        let mut bytes = CanonicalBytes::default();
        bytes
            .text(Self::CONTEXT)
            .number(self.number)
            .number(self.at.as_milliseconds())
            .number(self.wall.0)
            .number(self.index.0)
            .value(&self.what)
            .bytes(&self.previous.0);
        Digest::of(&[&bytes.into_bytes()])
    }

    pub(super) fn following(before: Checkpoint, stamp: Stamp, what: What) -> Self {
        let mut record = Self {
            number: before.number.saturating_add(1),
            at: stamp.at,
            wall: stamp.wall,
            index: stamp.index,
            what,
            previous: before.digest,
            digest: Digest::default(),
        };
        record.digest = record.computed_digest();
        record
    }
}
