//! Refusals as sentences: what is refused, why, and what frees it.
//!
//! Law C1: every refusal names its rule with its figures; `hale` prints these lines as they are.
//! Not here: when a rule refuses (each rule's room).

use std::fmt;

use vocabulary::Scope;

use crate::command::Refused;

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
            Self::Budget { .. }
            | Self::PerHour { .. }
            | Self::Halt { .. }
            | Self::Floor { .. }
            | Self::Keepers { .. }
            | Self::Ramp { .. }
            | Self::Stopped { .. }
            | Self::Canary { .. }
            | Self::KindStopped { .. }
            | Self::Brake(_)
            | Self::Bound(_) => self.of_a_limit(out),
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
                    "of the other keepers {used} {are} in trouble: healing never takes their majority"
                )
            }
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
            Self::Brake(why) => write!(out, "the brake is on, {why}; `hale resume` lifts it"),
            Self::Bound(bound) => write!(out, "a bound is reached, {bound}"),
            _ => unreachable!("the caller gives only refusals by limits"),
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
