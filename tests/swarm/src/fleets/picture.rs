//! What a checker is shown of a fleet: plain facts, so that a test can forge them.
//!
//! Law C1: a picture is taken at every event that begins or ends anything, and four times a second besides.
//! Not here: what is made of it (see `checkers`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::seats::Seating;
use ledger::Ledger;
use ledger::audit::Record;
use ledger::bindings::FleetLockId;
use ledger::case::Case;
use ledger::policy::{Check, CheckKind, Mode};
use ledger::slots::Slot;
use ledger::view::BudgetLine;
use simulator::truth::Truth;
use simulator::{Fleet, Gives, JournalLine};
use vocabulary::{Boot, Domain, GroupName, HostId, LedgerIndex, Moment, Scope, Span};

use super::liars::borne;

/// Where nothing begins or ends, so long lies between two pictures: less than any look takes.
const EVERY: Span = Span::milliseconds(250);

/// A fleet at one moment.
#[derive(Clone)]
pub struct Picture {
    /// When.
    pub at: Moment,
    /// The newest entry.
    pub index: LedgerIndex,
    /// What the audit has grown by since the picture before.
    pub records: Vec<Record>,
    /// Every case that is not closed.
    pub cases: Vec<Arc<Case>>,
    /// Every scope's budget.
    pub budgets: Vec<BudgetLine>,
    /// The reboot slots that are held, by client.
    pub slots: Vec<(FleetLockId, Slot)>,
    /// How many hosts of each group must go on serving, where the policy says so.
    pub floors: BTreeMap<GroupName, u32>,
    /// Whose votes commit.
    pub voters: Vec<HostId>,
    /// How many may be in flight in the ramp's step, while one stands.
    pub ramp: Option<u32>,
    /// Whether a brake stood at the picture before.
    pub was_braked: bool,
    /// Whether one stands.
    pub is_braked: bool,
    /// Under which rules the ledger stands.
    pub rules: u32,
    /// Who has an open way to a leader that hears a majority, or to a keeper that has one.
    pub with_majority: BTreeSet<HostId>,
    /// The groups that are stopped.
    pub stopped: BTreeSet<GroupName>,
    /// The mode of each rule of the policy, by name.
    pub modes: BTreeMap<String, Mode>,
    /// Every remedy that was ever begun.
    pub journal: Vec<JournalLine>,
    /// Every host, in the order of the setup.
    pub hosts: Vec<Seen>,
    /// The check of the policy, if it has one.
    pub check: Option<Check>,
    /// Who leads by the keepers' own count.
    pub leader: Option<HostId>,
    /// Who watches whom.
    pub seating: Arc<Seating>,
    /// What the simulator's own checkers have found, the first of it.
    pub breach: Option<String>,
}

/// One host as it really is.
#[derive(Clone)]
pub struct Seen {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub domain: Domain,
    /// What it is for.
    pub group: GroupName,
    /// How often its disk was lost.
    pub disks_lost: u64,
    /// The life of its agent.
    pub boot: Option<Boot>,
    /// Whether it runs, hears and is heard.
    pub is_heard: bool,
    /// Whether nothing passes it: off, silent, standing still as a whole, or cut off from all whom the leader hears.
    pub is_dark: bool,
    /// Whether it is a machine that was copied from another one of these.
    pub is_copy: bool,
    /// Whether two machines live under its name, or the ledger says so: then nothing that it says counts (protocol 1.2).
    pub is_double: bool,
    /// How many honest observers that the leader hears it hears and is heard by.
    pub seen_by: usize,
    /// How many of its observers may lie.
    pub borne: usize,
    /// How many observers are fit to find out how its check stands: honest, heard by the leader, hearing it, without a doubt of it and
    /// held up by nothing.
    pub able: usize,
    /// Whether the check's port serves the host itself, and its peers.
    pub serves: (bool, bool),
    /// Whether its agent lies.
    pub is_lying: bool,
    /// Whether anything holds its agent up.
    pub is_held_up: bool,
    /// Whether nothing comes in or goes out at it, while its timers run.
    pub is_stalled: bool,
    /// Whom it doubts, in which lives.
    pub doubts: Vec<(HostId, Boot)>,
    /// Up to where it knows the ledger.
    pub upto: LedgerIndex,
}

/// Takes pictures of one fleet.
#[derive(Default)]
pub struct Camera {
    taken: Option<Moment>,
    ledger: Option<Arc<Ledger>>,
    journal: (usize, usize),
}

impl Seen {
    /// Whether more than f honest observers see it well: then nobody may condemn it.
    pub fn is_seen_well(&self) -> bool {
        self.is_heard && !self.is_double && self.seen_by > self.borne
    }
}

impl Camera {
    /// A picture, if there is anything to be seen.
    pub fn look(&mut self, fleet: &Fleet) -> Option<Picture> {
        let ended = fleet.journal().iter().filter(|line| line.ended.is_some()).count();
        let journal = (fleet.journal().len(), ended);
        let is_same_ledger =
            self.ledger.as_ref().is_some_and(|ledger| Arc::ptr_eq(ledger, fleet.ledger()));
        let is_early = self.taken.is_some_and(|at| fleet.now().since(at) < EVERY);
        if is_same_ledger && is_early && journal == self.journal {
            return None;
        }
        let before = self.ledger.replace(Arc::clone(fleet.ledger()));
        (self.taken, self.journal) = (Some(fleet.now()), journal);
        Some(picture(fleet, before.as_deref()))
    }
}

fn picture(fleet: &Fleet, before: Option<&Ledger>) -> Picture {
    let ledger = fleet.ledger();
    let upto = before.map_or(0, |before| before.audit().head().number);
    let is_braked = |ledger: &Ledger| ledger.brake().standing().is_some();
    Picture {
        at: fleet.now(),
        index: ledger.index(),
        records: ledger.audit_since(upto).cloned().collect(),
        cases: ledger.cases().cloned().collect(),
        budgets: ledger.budgets(),
        slots: ledger.slots().map(|(client, slot)| (client.clone(), slot.clone())).collect(),
        floors: floors(ledger),
        voters: ledger.voters().to_vec(),
        ramp: ledger.brake().ramp.as_ref().map(|ramp| ramp.limit),
        was_braked: before.is_some_and(is_braked),
        is_braked: is_braked(ledger),
        rules: ledger.rules(),
        with_majority: with_majority(fleet),
        stopped: ledger.stopped_groups().map(|(group, _)| group.clone()).collect(),
        modes: modes(ledger),
        journal: fleet.journal().to_vec(),
        hosts: seen(fleet),
        check: ledger.policy().checks.first().cloned(),
        leader: fleet.leading_place().and_then(|place| Some(fleet.truths().nth(place)?.id)),
        seating: Arc::clone(ledger.seating()),
        breach: fleet.breaches().first().map(|breach| breach.law.clone()),
    }
}

fn floors(ledger: &Ledger) -> BTreeMap<GroupName, u32> {
    let of = |(scope, hosts): (&Scope, u32)| match scope {
        Scope::Group(group) => {
            let floor = ledger.policy().budget.of_group(group).floor?;
            Some((group.clone(), floor.of(hosts)))
        }
        _ => None,
    };
    ledger.scopes().filter_map(of).collect()
}

fn modes(ledger: &Ledger) -> BTreeMap<String, Mode> {
    ledger.policy().rules.iter().map(|rule| (rule.name.clone(), rule.mode)).collect()
}

fn with_majority(fleet: &Fleet) -> BTreeSet<HostId> {
    let truths: Vec<Truth<'_>> = fleet.truths().collect();
    let Some(leader) = fleet.leading_place() else {
        return BTreeSet::new();
    };
    let is_open = |a: usize, b: usize| a == b || fleet.is_way_open(a, b) != Some(false);
    let voting = fleet.voting();
    let relays: Vec<usize> = (0..truths.len())
        .filter(|place| voting.contains(&truths[*place].id) && is_open(*place, leader))
        .collect();
    let is_with = |place: &usize| {
        !truths[*place].is_dark && relays.iter().any(|relay| is_open(*place, *relay))
    };
    (0..truths.len()).filter(is_with).map(|place| truths[place].id).collect()
}

/// Whether a cut stands between this host and the leader, and every agent that answers and to which the leader's way is open: where much
/// is lost some of it comes through.
fn is_beyond(fleet: &Fleet, truths: &[Truth<'_>], subject: usize) -> bool {
    let Some(leader) = fleet.leading_place().filter(|leader| *leader != subject) else {
        return false;
    };
    let is_cut = |a: usize, b: usize| fleet.is_way_open(a, b) == Some(false);
    let is_near = |place: &usize| {
        let answers = truths[*place].is_awake && !truths[*place].is_dark;
        *place == leader || answers && !is_cut(leader, *place)
    };
    let mut near = (0..truths.len()).filter(|place| *place != subject && is_near(place));
    near.all(|place| is_cut(place, subject))
}

fn seen(fleet: &Fleet) -> Vec<Seen> {
    let truths: Vec<_> = fleet.truths().collect();
    let seating = fleet.ledger().seating();
    let leader = fleet.leading_place();
    let places: BTreeMap<HostId, usize> =
        truths.iter().enumerate().rev().map(|(place, truth)| (truth.id, place)).collect();
    let mut lives: BTreeMap<HostId, usize> = BTreeMap::new();
    for truth in truths.iter().filter(|truth| truth.boot.is_some()) {
        *lives.entry(truth.id).or_default() += 1;
    }
    let is_double = |host: &HostId| {
        fleet.ledger().is_duplicate(host) || lives.get(host).is_some_and(|lives| *lives > 1)
    };
    let has_voice = |place: usize| {
        let truth = &truths[place];
        let is_believed = !truth.is_lying && !is_double(&truth.id);
        is_believed && leader.is_some_and(|leader| fleet.hear_each_other(leader, place))
    };
    let seer = |subject: usize, observer: &HostId| {
        let place = *places.get(observer)?;
        (has_voice(place) && fleet.hear_each_other(place, subject)).then_some(place)
    };
    let port = fleet.ledger().policy().checks.first().map(|check| match check.kind {
        CheckKind::Tcp { port } => port,
    });
    let serves = |place: usize, is_own: bool| {
        let gives = port.map(|port| fleet.port_gives(place, (port, is_own)));
        matches!(gives, None | Some(Gives::Serves | Gives::Hangs))
    };
    let is_able = |place: usize, subject: &HostId| {
        let truth = &truths[place];
        !truth.is_held_up && truth.doubts.iter().all(|note| note.subject != *subject)
    };
    let of = |subject: usize| {
        let truth = &truths[subject];
        let observers = seating.observers(&truth.id);
        let seers: Vec<usize> =
            observers.iter().filter_map(|observer| seer(subject, observer)).collect();
        Seen {
            id: truth.id,
            name: truth.claims.host.to_string(),
            domain: truth.claims.domain.clone(),
            group: truth.claims.group.clone(),
            disks_lost: truth.disks_lost,
            boot: truth.boot,
            is_heard: truth.is_heard,
            is_dark: truth.is_dark || is_beyond(fleet, &truths, subject),
            is_copy: places.get(&truth.id) != Some(&subject),
            is_double: is_double(&truth.id),
            seen_by: seers.len(),
            able: seers.iter().filter(|place| is_able(**place, &truth.id)).count(),
            serves: (serves(subject, true), serves(subject, false)),
            is_lying: truth.is_lying,
            is_held_up: truth.is_held_up,
            is_stalled: truth.is_stalled,
            borne: borne(observers.len()),
            doubts: truth.doubts.iter().map(|note| (note.subject, note.boot)).collect(),
            upto: truth.upto,
        }
    };
    (0..truths.len()).map(of).collect()
}
