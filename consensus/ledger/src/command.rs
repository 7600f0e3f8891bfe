//! What can be asked of the ledger and what it answers.
//!
//! Law C1: every command is checked again when it is applied, whoever proposed it and whatever was true when it was
//! proposed; a refusal is an outcome that names the rule, and moves nothing.
//! Law C2: `by` is the host whose certificate brought the command to the leader; no command names its own author.

use serde::{Deserialize, Serialize};
use vocabulary::{
    Address, Boot, CaseId, CertificateChain, CheckGrounds, ClusterName, Fence, Grounds, HostId,
    HostName, Label, Receipt, RemedyId, Scope, Signature, Span, StoreId, VerdictKind, WallNote,
};

use crate::approvals::Shown;
use crate::audit::Checkpoint;
use crate::bindings::FleetLockId;
use crate::maintenance::Plan;
pub use crate::refusal::Refused;
use crate::rules;

/// One entry of the log: what its leader measured since the entry before, and the commands in it (protocol 5, 3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds of the leader's CLOCK_BOOTTIME since the entry before, at most [`Entry::ELAPSED_MAX`]; 0 from a new leader.
    pub elapsed: Span,
    /// The leader's wall clock: a note for people.
    pub wall: WallNote,
    /// In order; at most 128 kB encoded.
    pub commands: Vec<Proposed>,
}

/// A command with its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The host whose certificate brought it (law C2).
    pub by: HostId,
    /// What is asked.
    pub command: Command,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The ledger's first command, once for ever (protocol 1.4).
    Found {
        /// Whose ledger it is.
        cluster: ClusterName,
        /// The DER certificates of the cluster's authorities.
        authorities: Vec<Vec<u8>>,
        /// The first voters' certificates; they are enrolled by this command.
        keepers: Vec<CertificateChain>,
    },
    /// A host with a certificate of the cluster joins the roster (protocol 1.3); `Done` says that it does so with the next epoch.
    Enrol(CertificateChain),
    /// A host begins a new life (protocol 1.2); only the host itself.
    Boot {
        /// Its new boot.
        boot: Boot,
        /// Where it is reached.
        address: Address,
        /// A keeper's store.
        store: Option<StoreId>,
    },
    /// An agent ended by SIGTERM (protocol 3.6 `Left`); only the host itself.
    Left {
        /// The life that ended.
        boot: Boot,
    },
    /// A person buries a host for good.
    Retire {
        /// Which one.
        host: HostId,
        /// Who asks and why.
        order: Order,
    },
    /// A person sets the policy: its text, checked again here.
    Policy {
        /// The whole document.
        text: String,
        /// Refused unless this is the version in force.
        if_version: Option<u64>,
        /// Who asks and why.
        order: Order,
    },
    /// The leader's verdicts from the rounds of one anchor; each is concluded again from the grounds (protocol 3).
    Verdicts {
        /// All that was signed.
        grounds: Grounds,
        /// What the leader concluded; at most [`Command::FINDINGS_MAX`].
        findings: Vec<Finding>,
        /// All hosts in doubt with the age of their doubt, for the surge count (protocol 3.6).
        doubted: Vec<Doubted>,
    },
    /// The leader has counted too much trouble (protocol 3.6 `Surge`); the ledger counts again.
    Surge {
        /// All hosts in doubt with the age of their doubt.
        doubted: Vec<Doubted>,
    },
    /// The subjects of these cases are well in a fresh round: cases without an intent close as recovered (protocol 3.8).
    Recovered {
        /// The cases.
        cases: Vec<CaseId>,
        /// The round.
        grounds: Grounds,
    },
    /// The leader offers the lease of a case to a healer; every budget is counted here (protocol 6, 7.2).
    Offer {
        /// The case.
        case: CaseId,
        /// Who is to heal.
        healer: HostId,
    },
    /// The healer takes the offered lease; only that healer, within 5 s.
    Accept {
        /// The case.
        case: CaseId,
        /// The offered fence.
        fence: Fence,
    },
    /// The healer lengthens its lease by a whole term from now (protocol 7.1).
    Renew {
        /// The case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
    },
    /// The healer intends to apply the next rung, after its last look (protocol 7.4). To begin is to commit this (law P1).
    Intend {
        /// The case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
        /// The last look, anchored after the lease.
        grounds: Grounds,
    },
    /// What came of a remedy; accepted late as well, so that nothing is lost.
    Receive {
        /// The case.
        case: CaseId,
        /// The receipt; its fence must be the case's.
        receipt: Receipt,
    },
    /// An inspection after takeover or an ambiguous end found this (protocol 7.5, 7.6).
    Inspected {
        /// The case.
        case: CaseId,
        /// The inspecting lease's fence.
        fence: Fence,
        /// `Done`: go on to verification. `Refused`: it was never begun or had no effect, it may be applied again.
        /// `Unknown`: still unknown.
        found: Receipt,
    },
    /// A round after the receipt: the rung's own proof is there and the voices say well; repeated until soaked (protocol 7.7).
    Verify {
        /// The case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
        /// The round, anchored after the receipt.
        grounds: Grounds,
    },
    /// The rung's time for its proof is over, or a round in the soak was adverse: next rung, or escalate.
    Unproven {
        /// The case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
        /// One line for people.
        why: String,
    },
    /// The healer gives its lease back unused (its host leaves, or it cannot go on) (protocol 7.2).
    Release {
        /// The case.
        case: CaseId,
        /// Its fence.
        fence: Fence,
        /// One line for people.
        why: String,
    },
    /// A person stops all healing (protocol 6.5).
    Pause(Order),
    /// A person lifts pause and surge; the ramp begins (protocol 6.3, 6.4).
    Resume(Order),
    /// A person closes a case by hand, and with it a lease that still counts (protocol 7.6).
    Dismiss {
        /// The case.
        case: CaseId,
        /// Who asks and why.
        order: Order,
    },
    /// Nothing but time: committed each second while any term is running (protocol 5).
    Tick,
    /// From here on these rules are in force (protocol 1.6). The leader asks it once everybody who applies entries supports
    /// them; it is the one command of newer rules that stands in an entry before they are in force.
    Rules {
        /// Their number.
        rules: u32,
    },
    /// A person says which authorities vouch for hosts from here on (protocol 1.3); of the second rules.
    Authorities {
        /// Their DER certificates, all of them; one at least vouches today.
        authorities: Vec<Vec<u8>>,
        /// Who asks and why.
        order: Order,
    },
    /// The leader's doubts that stand without verdict or end, with the round that settled nothing; under rules 2 (protocol 3.6
    /// `Unsettled`).
    Unsettled {
        /// All that was signed.
        grounds: Grounds,
        /// Whom the round settled nothing about, with the age of the oldest doubt; at most [`Command::FINDINGS_MAX`].
        doubted: Vec<Doubted>,
    },
    /// This life of a host lives, although the ledger knows another one: said by the host itself before it ends, or by a keeper to
    /// which the host's own certificate brought it and which turned it away; under rules 2 (protocol 1.2).
    OtherLife {
        /// Whose.
        host: HostId,
        /// The life that still speaks.
        boot: Boot,
    },
    /// A person says that a host of this name may enrol, or takes that back; under rules 2 (protocol 1.3).
    AddHost {
        /// Its name.
        name: HostName,
        /// Whether it may.
        may_enrol: bool,
        /// Who asks and why.
        order: Order,
    },
    /// A person takes the lease of a case back (`hale lease revoke`): it counts no more; under rules 2 (protocol 7.6).
    Revoke {
        /// The case.
        case: CaseId,
        /// Who asks and why.
        order: Order,
    },
    /// A person frees a host from its quarantine, or a group that is stopped (`hale release`); under rules 2 (protocol 6.6).
    Free {
        /// A host or a group.
        subject: Scope,
        /// Who asks and why.
        order: Order,
    },
    /// The leader's verdicts on checks from the rounds of one anchor; each is concluded again; under rules 2 (protocol 3.10).
    Unfit {
        /// All that was signed.
        grounds: CheckGrounds,
        /// What the leader concluded; at most [`Command::FINDINGS_MAX`].
        findings: Vec<UnfitFinding>,
    },
    /// The checks of these cases are well in a fresh round: they close as recovered; under rules 2 (protocol 3.10).
    Fit {
        /// The cases; at most [`Command::FINDINGS_MAX`].
        cases: Vec<CaseId>,
        /// The rounds.
        grounds: CheckGrounds,
    },
    /// A person allows the next rung of a case whose rule wants that (`hale approve`); under rules 2 (protocol 6.8).
    Approve {
        /// The case.
        case: CaseId,
        /// What that person has seen of it.
        shown: Shown,
        /// Who asks and why.
        order: Order,
    },
    /// A person forbids what would be tried next (`hale deny`): the case is a person's; under rules 2 (protocol 6.8).
    Deny {
        /// The case.
        case: CaseId,
        /// Who asks and why.
        order: Order,
    },
    /// A person opens a window of maintenance, or plans one (`hale maintenance add`); under rules 2 (protocol 6.9).
    Maintain {
        /// Where, when and for how long.
        plan: Plan,
        /// Who asks and why.
        order: Order,
    },
    /// A person ends a window for good (`hale maintenance end`); under rules 2 (protocol 6.9).
    EndMaintenance {
        /// Its number.
        window: u64,
        /// Who asks and why.
        order: Order,
    },
    /// By the leader's wall clock a window opens by its schedule; under rules 2 (protocol 6.9).
    Occurs {
        /// Its number.
        window: u64,
        /// The time that the schedule names, in seconds since 1970.
        at: u64,
        /// How much of its length is left.
        left: Span,
    },
    /// A person lets nothing begin on a host by itself, or takes that back (`hale host exempt`); under rules 2 (protocol 6.11).
    Exempt {
        /// Which one.
        host: HostId,
        /// Whether it is exempt from now on.
        is_exempt: bool,
        /// Who asks and why.
        order: Order,
    },
    /// A FleetLock client wants to reboot: by its own host, or by a keeper's; under rules 2 (protocol 6.12).
    TakeSlot {
        /// Which one.
        client: FleetLockId,
        /// The group that it names; it counts only where the client is bound to no host.
        group: String,
    },
    /// A FleetLock client gives its slot back, by the same; under rules 2 (protocol 6.12).
    ReturnSlot {
        /// Which one.
        client: FleetLockId,
        /// One that was granted under this fence or a later one stays: it was not there when this was asked.
        before: Fence,
    },
    /// The hosts of these clients, which have given their slots back, are well in a fresh round; under rules 2 (protocol 6.12).
    EndSlots {
        /// The clients; at most [`Command::FINDINGS_MAX`].
        clients: Vec<FleetLockId>,
        /// The round.
        grounds: Grounds,
    },
    /// A person takes a slot back (`hale fleetlock revoke`); under rules 2 (protocol 6.12).
    RevokeSlot {
        /// The client.
        client: FleetLockId,
        /// Who asks and why.
        order: Order,
    },
    /// Which host a FleetLock client is (`hale fleetlock bind`); under rules 2 (protocol 6.12).
    BindClient {
        /// The client.
        client: FleetLockId,
        /// The host; `None`: none any more.
        host: Option<HostId>,
        /// Who asks and why; `None` where the host says so itself.
        order: Option<Order>,
    },
    /// A person gives votes of the ledger to hosts, and takes them from others (`hale keeper add`, `hale keeper remove`); under rules 2
    /// (protocol 1.10).
    MoveVotes {
        /// Who gets one.
        add: Vec<HostId>,
        /// Who has none any more.
        remove: Vec<HostId>,
        /// Who asks and why.
        order: Order,
    },
    /// The leader finds that this voter is lost for so long that its vote moves; under rules 2 (protocol 1.10).
    ReplaceVoter {
        /// Which one.
        lost: HostId,
    },
    /// The leader sees that the stores which vote are those of the voters; under rules 2 (protocol 1.10).
    VotesFollowed {
        /// Whose stores vote.
        voting: Vec<HostId>,
    },
    /// A voter signs a place of the audit, for what its own copy holds; under rules 2 (protocol 8.1).
    Seal {
        /// The place.
        place: Checkpoint,
        /// The voter's certificate.
        certificate: CertificateChain,
        /// With its key, over `audit::Seal::message`.
        signature: Signature,
    },
}

impl Command {
    /// The rules that must be in force before this may be proposed: a keeper that does not know them could not even read it
    /// (law C5).
    pub fn since(&self) -> u32 {
        match self {
            Self::Authorities { .. }
            | Self::Rules { .. }
            | Self::Unsettled { .. }
            | Self::OtherLife { .. }
            | Self::AddHost { .. }
            | Self::Revoke { .. }
            | Self::Free { .. }
            | Self::Unfit { .. }
            | Self::Fit { .. }
            | Self::Approve { .. }
            | Self::Deny { .. }
            | Self::Maintain { .. }
            | Self::EndMaintenance { .. }
            | Self::Occurs { .. }
            | Self::Exempt { .. }
            | Self::TakeSlot { .. }
            | Self::ReturnSlot { .. }
            | Self::EndSlots { .. }
            | Self::RevokeSlot { .. }
            | Self::BindClient { .. }
            | Self::MoveVotes { .. }
            | Self::ReplaceVoter { .. }
            | Self::VotesFollowed { .. }
            | Self::Seal { .. } => rules::SECOND,
            _ => rules::FIRST,
        }
    }
}

/// A person's order: who, by which host's admin socket, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// User name or id at the admin socket; at most 64 bytes.
    pub who: String,
    /// The reason given; at most 500 bytes.
    pub why: String,
}

/// One thing the leader concluded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// About whom: a host, a rack or a zone.
    pub scope: Scope,
    /// What.
    pub kind: VerdictKind,
}

/// A host that fails a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnfitFinding {
    /// Which one.
    pub host: HostId,
    /// Which check.
    pub check: Label,
}

/// A host in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubted {
    /// Which one.
    pub host: HostId,
    /// For how long, as its first observer measured.
    pub age: Span,
}

/// What the ledger answers to one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done, or was so already.
    Done,
    /// These cases stand for the findings, in their order; a finding that is refused names its rule.
    Findings(Vec<Result<CaseId, Refused>>),
    /// The lease stands under this fence.
    Leased {
        /// The fence.
        fence: Fence,
    },
    /// The remedy may begin under this id.
    Intended {
        /// The id.
        remedy: RemedyId,
    },
    /// The policy is in force as this version.
    Policy {
        /// The version.
        version: u64,
    },
    /// A rule says no; nothing has moved.
    Refused(Refused),
    /// The window of maintenance has this number; under rules 2.
    Window {
        /// The number.
        window: u64,
    },
}

impl Entry {
    /// The most that one entry may add to ledger time (protocol 5).
    pub const ELAPSED_MAX: Span = Span::seconds(5);
    /// Largest encoded entry (protocol 3.7).
    pub const BYTES_MAX: usize = 128 * 1024;
}

impl Command {
    /// Most verdicts in one entry (protocol 3.7).
    pub const FINDINGS_MAX: usize = 32;
}
