//! Refusals, and their sentences: what is refused, why, and what frees it.
//!
//! Law C1: every refusal names its rule with its figures; `hale` prints these lines as they are.
//! Not here: when a rule refuses (each rule's room).

use std::fmt;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Boot, CaseId, CertificateFault, Fence, GroupName, HostName, LedgerIndex, Scope, Span,
    VerdictKind,
};

/// The rule that says no, with its figures. Display is one sentence: what is refused, why, and what frees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refused {
    /// The ledger has not been founded (`hale init`).
    NotFounded,
    /// The ledger has been founded before.
    AlreadyFounded,
    /// The author may not ask this.
    NotPermitted(String),
    /// The certificate is refused.
    Certificate(CertificateFault),
    /// No such host in the roster.
    UnknownHost,
    /// The host is retired for good.
    Retired,
    /// A case on the host is open.
    CaseOpen(CaseId),
    /// The ledger knows this higher boot of the host.
    BootTooLow(Boot),
    /// Another machine claims the same boot with another nonce (protocol 1.2).
    Duplicate(Boot),
    /// A name or text is over its bound or unsound.
    Malformed(String),
    /// The policy has faults; each as one line.
    PolicyFaults(Vec<String>),
    /// Another version of the policy is in force.
    PolicyVersion(u64),
    /// The grounds do not bear the finding: the rule of protocol 3 in words, with figures.
    Grounds(String),
    /// The grounds are older than the allowed age, or older than what they must follow (lease, receipt).
    Stale {
        /// What was offered.
        anchor: LedgerIndex,
        /// What is needed.
        at_least: LedgerIndex,
    },
    /// No such case.
    UnknownCase,
    /// The case is in another stage; its word.
    Stage(String),
    /// The subject is leased already.
    Leased(Fence),
    /// The fence is not the case's (a newer one is).
    Fence {
        /// The case's own.
        current: Fence,
    },
    /// The lease ended, or too little of it is left (protocol 7.1).
    LeaseOver,
    /// A budget is spent.
    Budget {
        /// Of whom.
        scope: Scope,
        /// How many are in flight.
        used: u32,
        /// How many may be.
        limit: u32,
    },
    /// As many remedies as the policy allows in any hour have begun in the last one (protocol 6.1 `per_hour`).
    PerHour {
        /// Of whom.
        scope: Scope,
        /// How many began.
        used: u32,
        /// How many may.
        limit: u32,
        /// When so many of them are an hour old that one may begin; under rules 1 the oldest.
        left: Span,
    },
    /// Too much of a scope is unhealthy (protocol 6.1 `halt_above`).
    Halt {
        /// Of whom.
        scope: Scope,
        /// How many are unhealthy.
        unhealthy: u32,
        /// Above how many healing stops.
        limit: u32,
    },
    /// The group's floor would be broken (protocol 6.1).
    Floor {
        /// How many would serve.
        left: u32,
        /// How many must.
        floor: u32,
    },
    /// A brake stands: paused by a person, or surge.
    Brake(String),
    /// Too many other keepers are in trouble: healing never takes their majority (protocol 6.7).
    Keepers {
        /// How many other voters have an open case.
        used: u32,
        /// As many hold the lease back.
        limit: u32,
    },
    /// The ramp after a brake allows no more at once (protocol 6.3).
    Ramp {
        /// How many are in flight.
        used: u32,
        /// How many may be in this step.
        limit: u32,
    },
    /// The rule only observes, or there is no rule for it.
    NoRule,
    /// The verdict has not stood for long enough, or the host, its zone or its rack was doubted too lately (protocol 7.4).
    TooSoon {
        /// What is waited for.
        what: String,
        /// How long still.
        left: Span,
    },
    /// The rung's cooldown or the attempts of the window are spent (protocol 6.6).
    Damped(String),
    /// The quorum of this fleet is too small for a rung of this class without three consecutive rounds (protocol 3.4).
    ThreeRounds {
        /// How many have stood so far.
        have: u32,
    },
    /// The proposed healer may not heal this.
    Healer(String),
    /// It is done already, or nothing is to be done.
    Nothing,
    /// A bound of protocol 8 is reached; its name.
    Bound(String),
    /// The policy takes only hosts that a person has added, and nobody has added this one; under rules 2 (protocol 1.3).
    NotAdded(HostName),
    /// The group is stopped until a person releases it; under rules 2 (protocol 6.6).
    Stopped {
        /// Which one.
        group: GroupName,
        /// Why.
        why: String,
    },
    /// Another host of the same kind of trouble goes first; under rules 2 (protocol 6.3).
    Canary {
        /// Its case.
        case: CaseId,
        /// Nothing is begun on it yet: it stands in a rack in which the remedy has not failed.
        is_elsewhere: bool,
    },
    /// The kind of trouble is stopped until a person releases its group; under rules 2 (protocol 6.3).
    KindStopped {
        /// The rule, by name.
        rule: String,
        /// The group.
        group: GroupName,
        /// Why.
        why: String,
    },
    /// The rule wants a person's word before this rung; under rules 2 (protocol 6.8).
    Approval {
        /// The case.
        case: CaseId,
        /// The rule, by name.
        rule: String,
        /// Which rung, from 1.
        rung: u32,
        /// What it would run.
        remedy: String,
        /// Against which trouble.
        verdict: VerdictKind,
        /// Under which version of the policy.
        policy: u64,
        /// The keeper that proposed the verdict, at which the word is not taken.
        not_at: Option<HostName>,
    },
    /// The rule is in shadow, and what would have begun is put down; under rules 2 (protocol 6.10).
    Shadowed {
        /// The rule, by name.
        rule: String,
        /// Which rung, from 1.
        rung: u32,
        /// What it would have run.
        remedy: String,
    },
    /// A window of maintenance is open over it; under rules 2 (protocol 6.9).
    Maintenance {
        /// The window's number.
        window: u64,
        /// Whom it covers.
        scope: Scope,
        /// Why it was ordered.
        why: String,
        /// How long it is open still.
        left: Span,
    },
    /// As many remedies as the policy allows in any day have begun in the last one; under rules 2 (protocol 6.1 `per_day`).
    PerDay {
        /// Of whom.
        scope: Scope,
        /// How many began.
        used: u32,
        /// How many may.
        limit: u32,
        /// When so many of them count no more that one may begin.
        left: Span,
    },
    /// A person lets nothing begin on the host by itself; under rules 2 (protocol 6.11).
    Exempt {
        /// Which one.
        host: HostName,
        /// Who has said so.
        who: String,
        /// Why.
        why: String,
    },
    /// No host of the mesh is of the group that a FleetLock client names; under rules 2 (protocol 6.12).
    UnknownGroup {
        /// As it names it, cut to 80 characters.
        group: String,
    },
    /// A FleetLock client holds a slot for the host; under rules 2 (protocol 6.12).
    SlotHeld {
        /// Which one.
        client: String,
    },
}

/// A scope in words.
pub struct ScopeName<'a>(pub &'a Scope);

impl fmt::Display for ScopeName<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Scope::Host(host) => write!(out, "host {host}"),
            Scope::Rack(domain) => write!(out, "rack {domain}"),
            Scope::Zone(zone) => write!(out, "zone {zone}"),
            Scope::Group(group) => write!(out, "group {group}"),
            Scope::Fleet => write!(out, "fleet"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFounded
            | Self::AlreadyFounded
            | Self::NotPermitted(_)
            | Self::Certificate(_)
            | Self::UnknownHost
            | Self::NotAdded(_)
            | Self::Retired
            | Self::CaseOpen(_)
            | Self::BootTooLow(_)
            | Self::Duplicate(_)
            | Self::Malformed(_)
            | Self::PolicyFaults(_)
            | Self::PolicyVersion(_) => self.of_the_mesh(out),
            Self::UnknownGroup { .. } | Self::SlotHeld { .. } => self.of_a_client(out),
            Self::Budget { .. }
            | Self::PerHour { .. }
            | Self::PerDay { .. }
            | Self::Halt { .. }
            | Self::Floor { .. }
            | Self::Keepers { .. }
            | Self::Bound(_) => self.of_a_limit(out),
            Self::Ramp { .. }
            | Self::Stopped { .. }
            | Self::Canary { .. }
            | Self::KindStopped { .. }
            | Self::Approval { .. }
            | Self::Maintenance { .. }
            | Self::Exempt { .. }
            | Self::Shadowed { .. }
            | Self::Brake(_) => self.of_a_stop(out),
            Self::Grounds(_)
            | Self::Stale { .. }
            | Self::UnknownCase
            | Self::Stage(_)
            | Self::Leased(_)
            | Self::Fence { .. }
            | Self::LeaseOver
            | Self::NoRule
            | Self::TooSoon { .. }
            | Self::Damped(_)
            | Self::ThreeRounds { .. }
            | Self::Healer(_)
            | Self::Nothing => self.of_a_case(out),
        }
    }
}

impl Refused {
    fn of_the_mesh(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFounded => write!(out, "there is no ledger yet: found it with `hale init`"),
            Self::AlreadyFounded => write!(out, "the ledger was founded before, and only once"),
            Self::NotPermitted(why) => write!(out, "not permitted: {why}"),
            Self::Certificate(fault) => write!(out, "the certificate is refused: {fault}"),
            Self::UnknownHost => write!(out, "no such host in the roster: it enrols itself first"),
            Self::NotAdded(name) => write!(
                out,
                "nobody has added this host, and the policy wants that before it enrols: `hale host add {name} --why ...`"
            ),
            Self::Retired => write!(out, "the host is retired for good: enrol another name"),
            Self::CaseOpen(case) => {
                write!(out, "case {case} on it is open: wait until it is closed")
            }
            Self::BootTooLow(boot) => write!(
                out,
                "boot {} of this host is known: it must raise itself above that",
                boot.number
            ),
            Self::Duplicate(boot) => write!(
                out,
                "another machine claims boot {} of this host: stop one of the two",
                boot.number
            ),
            Self::Malformed(why) => write!(out, "malformed: {why}"),
            Self::PolicyFaults(faults) => {
                write!(out, "the policy has {} faults: {}", faults.len(), faults.join("; "))
            }
            Self::PolicyVersion(version) => write!(
                out,
                "version {version} of the policy is in force: read it and apply yours on top"
            ),
            _ => unreachable!("the caller gives only refusals of the mesh"),
        }
    }

    fn of_a_client(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownGroup { group } => write!(
                out,
                "no host of the mesh is of group {group:?}: name one that `hale hosts` shows, or bind the client (`hale fleetlock bind`)"
            ),
            Self::SlotHeld { client } => write!(
                out,
                "FleetLock client {client} holds a reboot slot; it ends when that client gives it back, or by `hale fleetlock revoke CLIENT --why ...`"
            ),
            _ => unreachable!("the caller gives only refusals of a FleetLock client"),
        }
    }

    fn of_a_limit(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { scope, used, limit } => write!(
                out,
                "{}: {used} of {limit} in flight; the next to end frees one",
                ScopeName(scope)
            ),
            Self::PerHour { scope, used, limit, left } => write!(
                out,
                "{}: {used} of {limit} remedies began within the hour; one is free in {left}",
                ScopeName(scope)
            ),
            Self::PerDay { scope, used, limit, left } => write!(
                out,
                "{}: {used} of {limit} remedies began within the day; one is free in {left}",
                ScopeName(scope)
            ),
            Self::Halt { scope, unhealthy, limit } => write!(
                out,
                "{}: {unhealthy} hosts are unhealthy and above {limit} healing halts; it goes on when fewer are",
                ScopeName(scope)
            ),
            Self::Floor { left, floor } => write!(
                out,
                "only {left} hosts of the group would go on serving and {floor} must; it goes on when more are well"
            ),
            Self::Keepers { used, .. } => {
                let are = if *used == 1 { "is" } else { "are" };
                write!(
                    out,
                    "of the other keepers {used} {are} in trouble or may be rebooting: their majority is never taken"
                )
            }
            Self::Bound(bound) => write!(out, "a bound is reached, {bound}"),
            _ => unreachable!("the caller gives only refusals by limits"),
        }
    }

    fn of_a_stop(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ramp { used, limit } => write!(
                out,
                "{used} in flight and the ramp after the brake allows {limit} at once; it widens as these end"
            ),
            Self::Stopped { group, why } => write!(
                out,
                "group {group} is stopped: {why}; `hale release --group {group} --why ...` frees it"
            ),
            Self::Canary { case, is_elsewhere: false } => write!(
                out,
                "case {case} has the same trouble and goes first, alone; others follow when its remedy is proven"
            ),
            Self::Canary { case, is_elsewhere: true } => write!(
                out,
                "the remedy was not proven in this rack: case {case}, which has the same trouble in another, goes first"
            ),
            Self::KindStopped { rule, group, why } => write!(
                out,
                "rule {rule:?} is stopped in group {group}: {why}; `hale release --group {group} --why ...` frees it"
            ),
            Self::Approval { case, rule, rung, remedy, verdict, policy, not_at } => {
                write!(
                    out,
                    "rule {rule:?} waits for a person's word before rung {rung}, `{remedy}`: `hale approve {case} --verdict {verdict} --rung \
                     {rung} --if-version {policy} --why ...` or `hale deny {case} --why ...`"
                )?;
                match not_at {
                    Some(keeper) => {
                        write!(out, ", the former at another keeper's host than {keeper}")
                    }
                    None => Ok(()),
                }
            }
            Self::Shadowed { rule, rung, remedy } => write!(
                out,
                "rule {rule:?} is in shadow: it would have begun rung {rung}, `{remedy}`, and begins nothing"
            ),
            Self::Exempt { host, who, why } => write!(
                out,
                "the host is exempt, by {who}: {why}; `hale host exempt {host} --undo --why ...` ends that"
            ),
            Self::Maintenance { window, scope, why, left } => {
                match scope {
                    Scope::Host(_) => write!(out, "the host")?,
                    scope => write!(out, "{}", ScopeName(scope))?,
                }
                write!(
                    out,
                    " is in maintenance ({why}), {left} left; `hale maintenance end {window} --why ...` ends that"
                )
            }
            Self::Brake(why) => write!(out, "the brake is on, {why}; `hale resume` lifts it"),
            _ => unreachable!(
                "the caller gives only refusals that a brake, a stop or a person makes"
            ),
        }
    }

    fn of_a_case(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grounds(why) => write!(out, "the grounds do not bear it: {why}"),
            Self::Stale { anchor, at_least } => write!(
                out,
                "the round hangs on entry {anchor}, it must hang on entry {at_least} or later; look again"
            ),
            Self::UnknownCase => write!(out, "no such case"),
            Self::Stage(stage) => write!(out, "the case is {stage}"),
            Self::Leased(fence) => write!(out, "the subject is leased under fence {fence}"),
            Self::Fence { current } => write!(out, "the case's fence is {current}"),
            Self::LeaseOver => write!(out, "the lease is over, or too little of it is left"),
            Self::NoRule => write!(out, "no rule of the policy acts on this"),
            Self::TooSoon { what, left } => write!(out, "too soon {what}: {left} left"),
            Self::Damped(why) => write!(out, "tried lately: {why}"),
            Self::ThreeRounds { have } => write!(
                out,
                "so few observers need three consecutive rounds for this rung, {have} stand"
            ),
            Self::Healer(why) => write!(out, "not this healer: {why}"),
            Self::Nothing => write!(out, "there is nothing to be done"),
            _ => unreachable!("the caller gives only refusals about a case"),
        }
    }
}

impl std::error::Error for Refused {}
