//! What is done about one kind of trouble: who is meant, the ladder of remedies, and when to stop trying.
//!
//! Law U1: a rule that names no mode only observes.
//! Law U2: a rule that acts has a ladder, and each rung names its class.
//! Not here: the budgets it must fit in (see `budget`), and running anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vocabulary::actuation::CommandRemedy;
use vocabulary::{GroupName, RemedyClass, Span, VerdictKind};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What people call it; unique in its policy.
    pub name: String,
    /// The verdict it answers: `AgentDown`, `HostDown` or `HostHung`.
    pub verdict: VerdictKind,
    /// The groups it is for; empty: all.
    pub groups: BTreeSet<GroupName>,
    /// Whether it may act.
    pub mode: Mode,
    /// How long the verdict must stand before any rung, if the rule says so; see [`Rule::stands_for`].
    pub stands_for: Option<Span>,
    /// The remedies, mildest first; at most [`Rule::RUNGS_MAX`], at least one if the rule acts.
    pub ladder: Vec<Rung>,
    /// How long a host is left alone after a rung before that rung is tried on it again.
    pub cooldown: Span,
    /// How often a host is tried at all.
    pub attempts: Attempts,
    /// What happens when the ladder or the attempts are spent.
    pub then: Then,
}

/// Whether a rule may act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Opens cases and explains them, and does nothing.
    #[default]
    Observe,
    /// Takes a lease and applies the ladder.
    Act,
    /// The same, each rung once a person has allowed it; under rules 2 (protocol 6.8).
    Approve,
    /// Puts down what it would have begun, and begins nothing; under rules 2 (protocol 6.10).
    Shadow,
}

impl Mode {
    /// As a policy writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Act => "act",
            Self::Approve => "approve",
            Self::Shadow => "shadow",
        }
    }

    /// How far a rule goes by it: nothing begins (0), what a person allows (1), whatever its ladder says (2).
    pub fn reach(self) -> u8 {
        match self {
            Self::Observe | Self::Shadow => 0,
            Self::Approve => 1,
            Self::Act => 2,
        }
    }
}

/// One remedy of a ladder and how it is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// What is run on the healer; it carries the class and the time limit.
    pub command: CommandRemedy,
    /// How long after its receipt the proof may take before the next rung.
    pub verify_within: Span,
    /// How long the subject must stay well after the proof before the case closes.
    pub soak: Span,
    /// What proves that it worked.
    pub proof: Proof,
}

/// What proves that a rung worked, beside rounds that see the subject well (protocol 7.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// A boot of the subject higher than the one that was in trouble.
    #[default]
    HigherBoot,
}

/// How often a host may be tried under one rule (protocol 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// So many remedies.
    pub at_most: u32,
    /// In any window of this length.
    pub within: Span,
}

/// What happens when a rule has nothing left to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// The case is escalated and a person is called.
    #[default]
    Page,
}

impl Rule {
    /// A ladder longer than this tries the patience of the person who waits at its end.
    pub const RUNGS_MAX: usize = 8;
    /// Keeps a rule readable; larger sets are what leaving `groups` out is for.
    pub const GROUPS_MAX: usize = 64;
    /// Fits a line of `hale cases`.
    pub const NAME_BYTES_MAX: usize = 80;

    /// Whether it is for hosts of this group.
    pub fn covers(&self, group: &GroupName) -> bool {
        self.groups.is_empty() || self.groups.contains(group)
    }

    /// Whether it may begin remedies, by itself or once a person has allowed each.
    pub fn acts(&self) -> bool {
        self.mode.reach() > 0
    }

    /// How long the verdict must have stood before this rung's intent (protocol 7.4): as the rule says, else by class.
    pub fn stands_for(&self, rung: &Rung) -> Span {
        self.stands_for.unwrap_or_else(|| Self::stands_for_by_class(rung.command.class))
    }

    /// The less can be undone, the longer a verdict must stand.
    pub fn stands_for_by_class(class: RemedyClass) -> Span {
        match class {
            RemedyClass::Gentle => Span::ZERO,
            RemedyClass::Disruptive => Span::seconds(30),
            RemedyClass::Destructive => Span::minutes(2),
        }
    }
}

impl Attempts {
    /// A host that needs more in any window needs a person; keeps what the ledger remembers of a host small.
    pub const AT_MOST_MAX: u32 = 20;
}

impl Default for Attempts {
    fn default() -> Self {
        Self { at_most: 3, within: Span::minutes(60) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::policy) fn rule(verdict: VerdictKind, class: RemedyClass) -> Rule {
        Rule {
            name: "start again".into(),
            verdict,
            groups: BTreeSet::new(),
            mode: Mode::Act,
            stands_for: None,
            ladder: vec![Rung {
                command: CommandRemedy {
                    argv: vec!["/usr/local/bin/start".into()],
                    inspect: None,
                    class,
                    time_limit: Span::seconds(20),
                },
                verify_within: Span::seconds(60),
                soak: Span::seconds(10),
                proof: Proof::default(),
            }],
            cooldown: Span::minutes(10),
            attempts: Attempts::default(),
            then: Then::default(),
        }
    }

    #[test]
    fn the_less_can_be_undone_the_longer_a_verdict_must_stand() {
        let waits = |class| {
            let rule = rule(VerdictKind::HostDown, class);
            rule.stands_for(&rule.ladder[0])
        };
        assert_eq!(waits(RemedyClass::Gentle), Span::ZERO);
        assert!(waits(RemedyClass::Disruptive) < waits(RemedyClass::Destructive));
    }

    #[test]
    fn what_a_rule_says_goes_before_its_class() {
        let mut rule = rule(VerdictKind::HostDown, RemedyClass::Destructive);
        rule.stands_for = Some(Span::seconds(1));
        assert_eq!(rule.stands_for(&rule.ladder[0]), Span::seconds(1));
    }

    #[test]
    fn a_rule_without_groups_is_for_every_group_and_one_with_groups_for_no_other() {
        let [web, db] = ["web", "db"].map(|name| GroupName::new(name).expect("sound"));
        let mut rule = rule(VerdictKind::AgentDown, RemedyClass::Gentle);
        assert!(rule.covers(&web) && rule.covers(&db));
        rule.groups.insert(db.clone());
        assert!(!rule.covers(&web) && rule.covers(&db));
    }
}
