//! The keys of `[budget]`: one set for every scope, with the defaults of each.
//!
//! Law C5: a budget of none is refused from rules 2 on; under the first rules it was taken, and is ([`ScopeKeys::under`]).

use super::super::Budgets;
use crate::document::{Count, Described, Flag, Hosts, Key, OptionalKey, OrNone, Section, Shape};
use crate::rules;

pub static BUDGET: Section = Section {
    name: "budget",
    shape: Shape::Table,
    says: "\
How much may be under repair at once. A lease must fit every scope of its host: fleet, zone, rack and group.
A host counts until its repair is proven or given up.",
    keys: &[],
    sections: &[&FLEET, &ZONE, &RACK, &ANY_GROUP, &GROUP],
    refused: &[],
};

/// The keys of one scope that have defaults of their own there.
#[derive(Clone, Copy)]
pub struct ScopeKeys {
    pub in_flight: Key<Hosts>,
    pub at_least: Key<Count>,
    pub halt_above: Key<OrNone<Hosts>>,
    pub per_hour: Key<OrNone<Count>>,
}

impl ScopeKeys {
    /// The same keys as a mesh under these rules takes them.
    pub const fn under(&self, mesh_rules: u32) -> Self {
        let form = if mesh_rules < rules::SECOND { EVEN_NONE } else { SOME };
        Self {
            in_flight: Key { form, ..self.in_flight },
            halt_above: Key { form: OrNone(form), ..self.halt_above },
            ..*self
        }
    }
}

/// A budget of none would heal nothing and look like one that heals.
const SOME: Hosts = Hosts { at_least: 1 };

/// As the first rules take it.
const EVEN_NONE: Hosts = Hosts { at_least: 0 };

const fn scope_keys(
    in_flight: &'static str,
    halt_above: &'static str,
    per_hour: &'static str,
) -> ScopeKeys {
    ScopeKeys {
        in_flight: Key {
            name: "in_flight",
            form: SOME,
            default: in_flight,
            says: "How many hosts of the scope may be under repair at once; more heals faster and risks more. \
                   A percentage rounds down. To have nothing healed, let the rules observe.",
        },
        at_least: Key {
            name: "at_least",
            form: Count { at_least: 0, at_most: 50_000 },
            default: "1",
            says: "What a percentage of in_flight never rounds below; 0 lets a small scope go unhealed.",
        },
        halt_above: Key {
            name: "halt_above",
            form: OrNone(SOME),
            default: halt_above,
            says: "Beyond how many unhealthy hosts of the scope nothing begins in it: so much trouble is no longer \
                   trouble of single hosts. A percentage rounds up, and one host alone never halts.",
        },
        per_hour: Key {
            name: "per_hour",
            form: OrNone(Count { at_least: 1, at_most: 10_000 }),
            default: per_hour,
            says: "How many remedies may begin in the scope in any hour; bounds what a wrong rule can do before a \
                   person looks.",
        },
    }
}

/// In every scope.
pub static PER_DAY: OptionalKey<Count> = OptionalKey {
    name: "per_day",
    form: Count { at_least: 1, at_most: 100_000 },
    without: "as many as the other limits allow",
    example: "50",
    says: "How many remedies may begin in the scope in any 24 hours; bounds what a wrong rule can do over a night. A start counts for up to \
           a quarter of an hour longer. Counted from when a policy first has it in any scope; taken from rules 2 on.",
};

/// What a mesh says to it while its rules are older.
pub const NO_DAYS: &str = "this version counts no days; per_hour bounds what begins in any hour";

/// Of the whole mesh.
pub static FLEET_KEYS: ScopeKeys = scope_keys("\"10%\"", "\"30%\"", "20");
/// Of each zone.
pub static ZONE_KEYS: ScopeKeys = scope_keys("\"20%\"", "\"50%\"", "\"none\"");
/// Of each rack.
pub static RACK_KEYS: ScopeKeys = scope_keys("1", "\"none\"", "\"none\"");
/// Of each group, named or not.
pub static GROUP_KEYS: ScopeKeys = scope_keys("\"10%\"", "\"none\"", "\"none\"");

/// How many of a group go on serving.
pub static FLOOR: Key<OrNone<Hosts>> = Key {
    name: "floor",
    form: OrNone(EVEN_NONE),
    default: "\"none\"",
    says: "How many hosts of the group must go on serving while a remedy takes away one that may still serve \
           (AgentDown, HostHung); higher keeps more capacity and heals later. A percentage rounds up.",
};

pub static FLEET: Section = Section {
    name: "fleet",
    shape: Shape::Table,
    says: "The whole mesh.",
    keys: &[
        &FLEET_KEYS.in_flight,
        &FLEET_KEYS.at_least,
        &FLEET_KEYS.halt_above,
        &FLEET_KEYS.per_hour,
        &PER_DAY,
    ],
    sections: &[],
    refused: &[FLOOR_IS_OF_GROUPS],
};

pub static ZONE: Section = Section {
    name: "zone",
    shape: Shape::Table,
    says: "Each zone by itself.",
    keys: &[
        &ZONE_KEYS.in_flight,
        &ZONE_KEYS.at_least,
        &ZONE_KEYS.halt_above,
        &ZONE_KEYS.per_hour,
        &PER_DAY,
    ],
    sections: &[],
    refused: &[FLOOR_IS_OF_GROUPS],
};

pub static RACK: Section = Section {
    name: "rack",
    shape: Shape::Table,
    says: "Each rack by itself.",
    keys: &[
        &RACK_KEYS.in_flight,
        &RACK_KEYS.at_least,
        &RACK_KEYS.halt_above,
        &RACK_KEYS.per_hour,
        &PER_DAY,
    ],
    sections: &[],
    refused: &[FLOOR_IS_OF_GROUPS],
};

pub static ANY_GROUP: Section = Section {
    name: "any_group",
    shape: Shape::Table,
    says: "Each group that has no budget of its own below.",
    keys: GROUP_SCOPE,
    sections: &[],
    refused: &[],
};

pub static GROUP: Section = Section {
    name: "group",
    shape: Shape::Named { at_most: Budgets::GROUPS_MAX, example: "web" },
    says: "One group, by the name in its hosts' certificates.",
    keys: GROUP_SCOPE,
    sections: &[],
    refused: &[],
};

const GROUP_SCOPE: &[&dyn Described] = &[
    &GROUP_KEYS.in_flight,
    &GROUP_KEYS.at_least,
    &GROUP_KEYS.halt_above,
    &GROUP_KEYS.per_hour,
    &PER_DAY,
    &FLOOR,
    &STATEFUL,
];

const FLOOR_IS_OF_GROUPS: (&str, &str) =
    ("floor", "a floor is of a group: set it in budget.group.NAME or budget.any_group");

/// Whether its hosts hold what another host does not.
pub static STATEFUL: OptionalKey<Flag> = OptionalKey {
    name: "stateful",
    form: Flag,
    without: "false",
    example: "false",
    says: "Whether the group's hosts hold data of their own: then one of them at a time is under repair, whatever in_flight says, and \
           a destructive remedy waits for a person's word (hale approve), whatever the rule's mode. Taken from rules 2 on.",
};

/// What a mesh says to it while its rules are older.
pub const NOTHING_STATEFUL: &str =
    "this version knows no special treatment of stateful groups; in_flight = 1 bounds them";
