//! The one digest of a policy, for the audit: two texts that mean the same have the same.
//!
//! Law Y4: every field is laid; a test changes each and sees the digest change.

use vocabulary::{Canonical, CanonicalBytes, CheckFrom, Digest, Span};

use super::{
    Attempts, Budget, Budgets, Check, CheckKind, Escalation, Floor, HaltAbove, InFlight, MayEnrol,
    Mode, Policy, Proof, Rule, Rung, Share, Then, Timers,
};

impl Policy {
    /// What is digested begins with this.
    pub const CONTEXT: &str = "hale policy 1";

    /// The digest of what the policy means, whatever its text looked like.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.canonical(Self::CONTEXT)])
    }
}

impl Canonical for Policy {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .value(&self.budget)
            .list(self.rules.iter())
            .value(&self.timers)
            .value(&self.escalation)
            .list(self.named_ports.iter().map(|port| Number(u64::from(*port))));
        // Laid where it is set only: a policy that is older than it keeps its digest.
        match self.hosts_may_enrol {
            MayEnrol::Certified => {}
            MayEnrol::Added => {
                bytes.variant(1);
            }
        }
        if !self.checks.is_empty() {
            bytes.variant(2).list(self.checks.iter());
        }
    }
}

impl Canonical for Check {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        let Self { name, kind, from, every, timeout, fails_after, recovers_after, groups } = self;
        let CheckKind::Tcp { port } = kind;
        bytes
            .text(name.as_str())
            .variant(0)
            .number(u64::from(*port))
            .variant(match from {
                CheckFrom::Own => 0,
                CheckFrom::Peers => 1,
                CheckFrom::Both => 2,
            })
            .value(&Length(*every))
            .value(&Length(*timeout))
            .number(u64::from(*fails_after))
            .number(u64::from(*recovers_after))
            .list(groups.iter().map(|group| Text(group.as_str())));
    }
}

impl Canonical for Budgets {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .value(&self.fleet)
            .value(&self.zone)
            .value(&self.rack)
            .value(&self.any_group)
            .list(self.group.iter().map(|(name, budget)| Named(name.as_str(), budget)));
    }
}

impl Canonical for Budget {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .value(&self.in_flight)
            .value(&self.halt_above.map(|HaltAbove(share)| share))
            .value(&self.per_hour.map(|count| Number(u64::from(count))))
            .value(&self.floor.map(|Floor(share)| share));
        // Laid where they are set only: a policy that is older than they keeps its digest.
        if let Some(per_day) = self.per_day {
            bytes.variant(2).number(u64::from(per_day));
        }
        if self.stateful {
            bytes.variant(3);
        }
    }
}

impl Canonical for InFlight {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.value(&self.share).number(u64::from(self.at_least));
    }
}

impl Canonical for Share {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Count(count) => bytes.variant(0).number(u64::from(*count)),
            Self::Percent(percent) => bytes.variant(1).number(u64::from(*percent)),
        };
    }
}

impl Canonical for Rule {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .text(&self.name)
            .value(&self.verdict)
            .list(self.groups.iter().map(|group| Text(group.as_str())))
            .variant(match self.mode {
                Mode::Observe => 0,
                Mode::Act => 1,
                Mode::Approve => 2,
                Mode::Shadow => 3,
            })
            .value(&self.stands_for.map(Length))
            .list(self.ladder.iter())
            .value(&Length(self.cooldown))
            .value(&self.attempts)
            .variant(match self.then {
                Then::Page => 0,
            });
    }
}

impl Canonical for Rung {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        let command = &self.command;
        bytes
            .list(command.argv.iter().map(|word| Text(word)))
            .value(&command.inspect.as_deref().map(Words))
            .text(&command.class.to_string())
            .value(&Length(command.time_limit))
            .value(&Length(self.verify_within))
            .value(&Length(self.soak))
            .variant(match self.proof {
                Proof::HigherBoot => 0,
            });
    }
}

impl Canonical for Attempts {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.number(u64::from(self.at_most)).value(&Length(self.within));
    }
}

impl Canonical for Timers {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        // Taken apart by name, so that a new timer cannot be forgotten here.
        let Self {
            left_grace,
            agent_down_for,
            quiet_for,
            lease_term,
            accept_within,
            unknown_for,
            resume_after,
            ramp_step_within,
            settle_for,
            unsettled_for,
            approved_for,
        } = *self;
        for span in [left_grace, agent_down_for, quiet_for, lease_term, accept_within, unknown_for]
        {
            bytes.value(&Length(span));
        }
        bytes.value(&resume_after.map(Length)).value(&Length(ramp_step_within));
        // Laid where they are set only: a policy that is older than they keeps its digest.
        let silent = Self::default();
        if (settle_for, unsettled_for) != (silent.settle_for, silent.unsettled_for) {
            bytes.value(&Length(settle_for)).value(&Length(unsettled_for));
        }
        if approved_for != silent.approved_for {
            bytes.variant(1).value(&Length(approved_for));
        }
    }
}

impl Canonical for Escalation {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.value(&Words(&self.argv)).value(&Length(self.time_limit));
    }
}

struct Number(u64);
struct Length(Span);
struct Text<'a>(&'a str);
struct Words<'a>(&'a [String]);
struct Named<'a>(&'a str, &'a Budget);

impl Canonical for Number {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.number(self.0);
    }
}

impl Canonical for Length {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.number(self.0.as_milliseconds());
    }
}

impl Canonical for Text<'_> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.text(self.0);
    }
}

impl Canonical for Words<'_> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.list(self.0.iter().map(|word| Text(word)));
    }
}

impl Canonical for Named<'_> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.text(self.0).value(self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::tests::rule;
    use super::*;
    use vocabulary::{GroupName, Label, RemedyClass, VerdictKind};

    fn policy() -> Policy {
        Policy {
            rules: vec![rule(VerdictKind::HostDown, RemedyClass::Gentle)],
            escalation: Some(Escalation {
                argv: vec!["/bin/page".into()],
                time_limit: Span::seconds(10),
            }),
            ..Policy::default()
        }
    }

    fn check() -> Check {
        Check {
            name: Label::new("api").expect("sound"),
            kind: CheckKind::Tcp { port: 8080 },
            from: CheckFrom::Peers,
            every: Span::seconds(5),
            timeout: Span::seconds(1),
            fails_after: 3,
            recovers_after: 5,
            groups: [].into(),
        }
    }

    #[test]
    fn whatever_an_operator_changes_changes_the_digest() {
        let changes: &[fn(&mut Policy)] = &[
            |p| p.budget.fleet.in_flight.share = Share::Count(9),
            |p| p.budget.zone.in_flight.at_least = 9,
            |p| p.budget.rack.halt_above = Some(HaltAbove(Share::Count(9))),
            |p| p.budget.any_group.floor = Some(Floor(Share::Percent(9))),
            |p| p.budget.fleet.per_hour = None,
            |p| p.budget.fleet.per_day = Some(9),
            |p| p.budget.any_group.per_day = Some(9),
            |p| p.budget.any_group.stateful = true,
            |p| {
                let group = GroupName::new("web").expect("sound");
                p.budget.group.insert(group, p.budget.rack);
            },
            |p| p.rules.clear(),
            |p| p.rules[0].name.push('x'),
            |p| p.rules[0].verdict = VerdictKind::AgentDown,
            |p| {
                let group = GroupName::new("web").expect("sound");
                p.rules[0].groups.insert(group);
            },
            |p| p.rules[0].mode = Mode::Observe,
            |p| p.rules[0].mode = Mode::Approve,
            |p| p.rules[0].mode = Mode::Shadow,
            |p| p.rules[0].stands_for = Some(Span::ZERO),
            |p| p.rules[0].ladder[0].command.argv.push("x".into()),
            |p| p.rules[0].ladder[0].command.inspect = Some(vec![]),
            |p| p.rules[0].ladder[0].command.class = RemedyClass::Destructive,
            |p| p.rules[0].ladder[0].command.time_limit = Span::ZERO,
            |p| p.rules[0].ladder[0].verify_within = Span::ZERO,
            |p| p.rules[0].ladder[0].soak = Span::ZERO,
            |p| p.rules[0].cooldown = Span::ZERO,
            |p| p.rules[0].attempts.at_most = 9,
            |p| p.rules[0].attempts.within = Span::ZERO,
            |p| p.timers.left_grace = Span::ZERO,
            |p| p.timers.agent_down_for = Span::ZERO,
            |p| p.timers.quiet_for = Span::ZERO,
            |p| p.timers.lease_term = Span::ZERO,
            |p| p.timers.accept_within = Span::ZERO,
            |p| p.timers.unknown_for = Span::ZERO,
            |p| p.timers.resume_after = Some(Span::ZERO),
            |p| p.timers.ramp_step_within = Span::ZERO,
            |p| p.timers.settle_for = Span::ZERO,
            |p| p.timers.unsettled_for = Span::ZERO,
            |p| p.timers.approved_for = Span::ZERO,
            |p| p.escalation = None,
            |p| p.named_ports.push(22),
            |p| p.hosts_may_enrol = MayEnrol::Added,
            |p| p.checks.push(check()),
            |p| p.checks.extend([check(), check()]),
            |p| p.checks.push(Check { name: Label::new("ssh").expect("sound"), ..check() }),
            |p| p.checks.push(Check { kind: CheckKind::Tcp { port: 9 }, ..check() }),
            |p| p.checks.push(Check { from: CheckFrom::Own, ..check() }),
            |p| p.checks.push(Check { from: CheckFrom::Both, ..check() }),
            |p| p.checks.push(Check { every: Span::seconds(9), ..check() }),
            |p| p.checks.push(Check { timeout: Span::seconds(9), ..check() }),
            |p| p.checks.push(Check { fails_after: 9, ..check() }),
            |p| p.checks.push(Check { recovers_after: 9, ..check() }),
            |p| {
                let group = GroupName::new("web").expect("sound");
                p.checks.push(Check { groups: [group].into(), ..check() });
            },
        ];
        let mut seen = vec![policy().digest()];
        for change in changes {
            let mut changed = policy();
            change(&mut changed);
            let digest = changed.digest();
            assert!(!seen.contains(&digest), "change {} is not seen", seen.len());
            seen.push(digest);
        }
    }
}
