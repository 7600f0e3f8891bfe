//! Who is looked at in one set, so that what is seen fits one entry (protocol 3.7)?
//!
//! Law D12: the grounds of a set are at most [`GROUNDS_BYTES_BORNE`], so that a command with them fits an entry. Each observer of a subject
//! that is neither in doubt nor looked at itself promises a word; subjects that together promise too many are looked at in sets of their
//! own, a zone together where that fits, else its racks. Where more is said than was promised, a word is left out only if its observer has
//! another one in the set, and an answer only if more than f observers have brought one of its host: so nobody falls silent by it. Beyond
//! that, where many that are in doubt speak all the same, whoever looks silent for want of room is not concluded about in that set.
//! A rack that alone promises too much is a set of its own: what it lacks makes its quorum harder.
//! Law D13: whoever has no verdict yet, or whose look somebody waits for, is looked at in one set with those of its observers whose
//! verdicts stand, as far as that fits. A seat is vacant only if its holder is silent in the same set (protocol 3.3): else what was once
//! shared out would lack its quorum for ever.
//! Not here: which subjects are due (see `room`).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Domain, HostId, Moment, Zone};

use super::set::Set;
use super::{Effect, Rounds, SETS_MAX, Standing};

/// What is promised: less than what is borne, for the words of some that are in doubt and speak.
pub(super) const GROUNDS_BYTES_MAX: usize = 116 * 1024;

/// What is borne: 128 KiB of an entry, less what a command says of 32 verdicts and of as many hosts in doubt as it names.
pub(super) const GROUNDS_BYTES_BORNE: usize = 120 * 1024;

/// One attestation, with as many paths and observers heard as it may have.
pub(super) const ATTESTATION_BYTES_MAX: usize = 430;

/// One answer that a host signed of itself.
pub(super) const ANSWER_BYTES_MAX: usize = 185;

/// What an observer that is asked sends of a dead subject, as attestations come: with ten observers heard, boots and indices of few bytes.
pub(super) const WORD_BYTES: usize = 385;

/// The subjects of one zone, by their racks.
type Racks = BTreeMap<Domain, BTreeSet<HostId>>;

impl Rounds {
    /// protocol 3.7: a subject whose zone is being looked at joins that set, so that both are judged under one anchor; all
    /// others begin sets of their own.
    pub(super) fn begin(&mut self, now: Moment, due: &[HostId]) -> Vec<Effect> {
        let (mut effects, mut fresh) = (Vec::new(), Vec::new());
        // Of a zone that is dark as a whole nobody speaks; where they do after all, the set has its bound.
        let doubted = self.waited_for_in_vain().into_iter().chain(due.iter().copied()).collect();
        let mut sets = std::mem::take(&mut self.sets);
        for subject in due {
            match sets.iter_mut().find(|set| self.may_join((now, &doubted), set, subject)) {
                Some(set) => {
                    set.extend(now);
                    effects.extend(self.fill(now, set, &[*subject]));
                }
                None => fresh.push(*subject),
            }
        }
        // Whoever finds no set stays due.
        let left = SETS_MAX.saturating_sub(sets.len());
        for subjects in self.shared_out(now, &fresh, &doubted).into_iter().take(left) {
            let Some(standing) = &self.standing else {
                break;
            };
            let mut set = Set::new(now, standing.anchor, standing.roster.epoch);
            effects.extend(self.fill(now, &mut set, &subjects));
            self.last_set = Some(now);
            sets.push(set);
        }
        self.sets = sets;
        effects
    }

    /// Whoever wished for a round wished for one anchored later than the wish (protocol 7.4): that joins nothing.
    fn may_join(
        &self,
        (now, doubted): (Moment, &BTreeSet<HostId>),
        set: &Set,
        subject: &HostId,
    ) -> bool {
        let Some(standing) = &self.standing else {
            return false;
        };
        let zone =
            |host: &HostId| standing.roster.get(host).map(|entry| entry.claims.domain.zone());
        !self.is_wished(subject)
            && !self.left_out.contains_key(subject)
            && set.is_open(now)
            && set.epoch == standing.roster.epoch
            && set.subjects().any(|other| zone(other) == zone(subject))
            && self.has_room((set, subject), |from| {
                // Whoever joins does so for its zone, which may be dark: what its hosts say after all, the set bounds.
                !doubted.contains(from) && zone(from) != zone(subject)
            })
    }

    /// Law D12: whether the set bears what this one's observers promise too.
    fn has_room(&self, (set, subject): (&Set, &HostId), speaks: impl Fn(&HostId) -> bool) -> bool {
        let Some(standing) = &self.standing else {
            return false;
        };
        let words = set.promised(&speaks) + promised(standing, subject, &speaks);
        words * WORD_BYTES <= GROUNDS_BYTES_MAX
    }

    /// Law D12: as few sets as bear them.
    fn shared_out(
        &self,
        now: Moment,
        fresh: &[HostId],
        doubted: &BTreeSet<HostId>,
    ) -> Vec<Vec<HostId>> {
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let bytes_of = |hosts: &BTreeSet<HostId>| -> usize {
            let speaks = |from: &HostId| !doubted.contains(from);
            let words = hosts.iter().map(|host| promised(standing, host, speaks));
            words.sum::<usize>() * WORD_BYTES
        };
        let mut left: BTreeSet<HostId> = fresh.iter().copied().collect();
        let mut sets: Vec<(usize, BTreeSet<HostId>)> = Vec::new();
        for group in self.groups(now, (standing, &left), &bytes_of) {
            let group: BTreeSet<HostId> = group.intersection(&left).copied().collect();
            left.retain(|host| !group.contains(host));
            let bytes = bytes_of(&group);
            let has_room =
                |set: &&mut (usize, BTreeSet<HostId>)| set.0 + bytes <= GROUNDS_BYTES_MAX;
            match sets.iter_mut().find(has_room) {
                Some((taken, hosts)) => {
                    *taken += bytes;
                    hosts.extend(group);
                }
                None => sets.push((bytes, group)),
            }
        }
        let is_any = |hosts: &BTreeSet<HostId>| !hosts.is_empty();
        let hosts = sets.into_iter().map(|(_, hosts)| hosts).filter(is_any);
        hosts.map(|hosts| hosts.into_iter().collect()).collect()
    }

    /// Who has to be looked at together: a zone where that fits, else its racks, each with whoever is to be seen silent with it (law
    /// D13). A host may be in several: it belongs to the first, so that those which somebody waits for come first, by turns.
    fn groups(
        &self,
        now: Moment,
        (standing, fresh): (&Standing, &BTreeSet<HostId>),
        bytes_of: &impl Fn(&BTreeSet<HostId>) -> usize,
    ) -> Vec<BTreeSet<HostId>> {
        let mut zones: BTreeMap<Zone, Racks> = BTreeMap::new();
        for host in fresh {
            if let Some(entry) = standing.roster.get(host) {
                let domain = entry.claims.domain.clone();
                let racks = zones.entry(domain.zone()).or_default();
                racks.entry(domain).or_default().insert(*host);
            }
        }
        let mut groups: Vec<BTreeSet<HostId>> = Vec::new();
        for racks in zones.into_values() {
            let whole = racks.values().flatten().copied().collect();
            if bytes_of(&whole) <= GROUNDS_BYTES_MAX {
                groups.push(whole);
            } else {
                groups.extend(racks.into_values());
            }
        }
        let is_awaited = |group: &BTreeSet<HostId>| group.iter().any(|host| self.is_awaited(host));
        let (mut awaited, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_awaited);
        let turn = usize::try_from(now.since(Moment::default()).as_milliseconds() / 1_000);
        let turn = turn.unwrap_or_default() % awaited.len().max(1);
        awaited.rotate_left(turn);
        let with_observers = |group| self.with_observers((standing, fresh), group, bytes_of);
        awaited.into_iter().map(with_observers).chain(rest).collect()
    }

    /// Law D13: its verdict does not stand yet, or somebody waits for this look at it.
    pub(super) fn is_awaited(&self, host: &HostId) -> bool {
        self.is_wished(host) || !self.pace.upheld().contains(host)
    }

    fn is_wished(&self, host: &HostId) -> bool {
        self.wanted.get(host).is_some_and(|wishes| !wishes.is_empty())
    }

    /// Law D13: these, and those that hold a seat at one of them that is awaited: with the others of their racks where that fits, else
    /// alone where that does.
    fn with_observers(
        &self,
        (standing, fresh): (&Standing, &BTreeSet<HostId>),
        mut group: BTreeSet<HostId>,
        bytes_of: &impl Fn(&BTreeSet<HostId>) -> usize,
    ) -> BTreeSet<HostId> {
        let place = |host: &HostId| standing.roster.get(host).map(|entry| &entry.claims.domain);
        let awaited = group.iter().filter(|host| self.is_awaited(host));
        let observers = awaited.flat_map(|host| standing.seating.observers(host));
        let upheld = |host: &&HostId| self.pace.upheld().contains(host) && fresh.contains(host);
        let observers: BTreeSet<HostId> = observers.filter(upheld).copied().collect();
        let mut bytes = bytes_of(&group);
        let mut join = |hosts: BTreeSet<HostId>| {
            let hosts: BTreeSet<HostId> = hosts.difference(&group).copied().collect();
            let more = bytes_of(&hosts);
            let fits = bytes + more <= GROUNDS_BYTES_MAX;
            if fits {
                bytes += more;
                group.extend(hosts);
            }
            fits
        };
        for observer in observers {
            let is_mate = |host: &&HostId| place(host) == place(&observer);
            let rack = fresh.iter().filter(is_mate).copied().collect();
            if !join(rack) {
                join([observer].into());
            }
        }
        group
    }

    /// Law V4: what one host says makes no other host one that nobody waits for; else it could end every set early.
    pub(super) fn waited_for_in_vain(&self) -> BTreeSet<HostId> {
        let doubted = self.standing.as_ref().map(|standing| &standing.seating);
        let doubted = doubted.map(|seating| self.doubts.by_more_than_f(seating));
        doubted.into_iter().flatten().map(|doubt| doubt.subject).collect()
    }
}

/// How many of its observers are expected to speak.
fn promised(standing: &Standing, subject: &HostId, speaks: impl Fn(&HostId) -> bool) -> usize {
    standing.seating.observers(subject).iter().filter(|observer| speaks(observer)).count()
}
