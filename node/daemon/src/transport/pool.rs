//! Which connections stand, which one is spoken on, and which one goes when there are too many.
//!
//! Law TR2: at most one connection to a host is spoken on; of two in one life, both sides choose the one that the host
//! with the smaller id has dialled.
//! Law TR3: a newer life takes the place of an older one; an older one never takes the place of a newer.
//! Law TR4: a host that is not kept warm and has nothing under way is *pooled*; a newcomer finds fewer of them than their
//! bound, and fewer hosts in all than theirs: the pooled one that was used longest ago goes, and if none is left to go,
//! nobody comes.
//! Pure: what is closed is said in the answer, and somebody else closes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use lru::LruCache;
use vocabulary::{Boot, HostId};

/// A connection that asks for a place; `C` is the thing itself.
#[derive(Clone, Debug)]
pub(super) struct Newcomer<C> {
    pub boot: Boot,
    pub is_dialled_by_us: bool,
    /// Whoever has something under way on the connection holds a clone; the connection itself holds one.
    pub hold: Arc<()>,
    pub connection: C,
}

/// One admitted connection.
#[derive(Clone, Debug)]
struct Standing<C> {
    number: u64,
    it: Newcomer<C>,
}

/// The hosts that we are connected to, used last first.
#[derive(Debug)]
pub(super) struct Pool<C> {
    ours: HostId,
    bounds: Bounds,
    next_number: u64,
    warm: BTreeSet<HostId>,
    /// The connection that is spoken on comes first.
    hosts: LruCache<HostId, Vec<Standing<C>>>,
}

/// How many hosts there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of those that nobody needs.
    pub pooled_max: usize,
    /// Of all.
    pub hosts_max: usize,
}

/// One clone in the pool and one in the connection itself.
const HOLDS_AT_REST: usize = 2;

/// What became of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission<C> {
    /// It stands.
    Admitted(Admitted<C>),
    /// A newer life of the host is connected already.
    Older(Boot),
    /// All places are taken by connections that matter more.
    Full,
}

/// What follows from an admission.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted<C> {
    /// The connection's number, for [`Pool::remove`].
    pub number: u64,
    /// No connection to this life of the host stood before.
    pub is_news: bool,
    /// Its place is taken by the new one.
    pub replaced: Vec<C>,
    /// They made room, each host with all its connections.
    pub evicted: Vec<Vec<C>>,
    /// Of two connections of one life, the one that we dialled and do not speak on: ours to close, later.
    pub spare: Option<C>,
}

impl<C: Clone> Pool<C> {
    pub(super) fn new(ours: HostId, bounds: Bounds) -> Self {
        Self { ours, bounds, next_number: 0, warm: BTreeSet::new(), hosts: LruCache::unbounded() }
    }

    /// Takes a new connection in, or says why not.
    pub(super) fn admit(&mut self, host: HostId, new: Newcomer<C>) -> Admission<C> {
        let mut evicted = Vec::new();
        if let Some(standing) = self.hosts.peek(&host) {
            let boots = standing.iter().map(|one| one.it.boot);
            let newest = boots.max_by_key(|boot| boot.number);
            if let Some(newest) = newest.filter(|newest| newest.number > new.boot.number) {
                return Admission::Older(newest);
            }
        } else {
            evicted = self.make_room();
            if self.hosts.len() >= self.bounds.hosts_max {
                return Admission::Full;
            }
        }
        let number = self.next_number;
        self.next_number += 1;
        let mut admitted = self.place(host, Standing { number, it: new });
        admitted.evicted = evicted;
        Admission::Admitted(admitted)
    }

    fn place(&mut self, host: HostId, new: Standing<C>) -> Admitted<C> {
        let all = self.hosts.get_or_insert_mut(host, Vec::new);
        let (number, boot, is_ours) = (new.number, new.it.boot, new.it.is_dialled_by_us);
        let (stay, gone): (Vec<_>, Vec<_>) = std::mem::take(all)
            .into_iter()
            .partition(|one| one.it.boot == boot && one.it.is_dialled_by_us != is_ours);
        let is_same_life = gone.iter().chain(&stay).any(|one| one.it.boot == boot);
        // Law TR2: the other side sees the same two connections and comes to the same choice.
        let is_preferred = stay.is_empty() || is_ours == (self.ours < host);
        *all = stay;
        all.insert(if is_preferred { 0 } else { all.len() }, new);
        let spare = all.iter().skip(1).find(|one| one.it.is_dialled_by_us);
        Admitted {
            number,
            is_news: !is_same_life,
            replaced: gone.into_iter().map(|one| one.it.connection).collect(),
            evicted: Vec::new(),
            spare: spare.map(|one| one.it.connection.clone()),
        }
    }

    /// Takes every host out that nobody needs now, with all its connections.
    pub(super) fn let_go(&mut self) -> Vec<Vec<C>> {
        let pooled = self.pooled();
        pooled.into_iter().map(|host| self.expel(host)).collect()
    }

    /// Law TR4: the least recently used of those that nobody needs, as many as are too many.
    fn make_room(&mut self) -> Vec<Vec<C>> {
        let pooled = self.pooled();
        let too_many = (pooled.len() + 1).saturating_sub(self.bounds.pooled_max);
        let too_many_in_all = (self.hosts.len() + 1).saturating_sub(self.bounds.hosts_max);
        let gone = pooled.into_iter().take(too_many.max(too_many_in_all));
        gone.map(|host| self.expel(host)).collect()
    }

    /// Hosts that are not kept warm and have nothing under way, the longest unused first.
    fn pooled(&self) -> Vec<HostId> {
        let is_idle = |all: &[Standing<C>]| {
            let mut holds = all.iter().map(|one| Arc::strong_count(&one.it.hold));
            holds.all(|count| count <= HOLDS_AT_REST)
        };
        let all = self.hosts.iter().rev();
        let pooled = all.filter(|(host, all)| !self.warm.contains(host) && is_idle(all));
        pooled.map(|(host, _)| *host).collect()
    }

    /// The connection to speak on, now used.
    pub(super) fn speak(&mut self, host: HostId) -> Option<&C> {
        self.hosts.get(&host)?.first().map(|one| &one.it.connection)
    }

    /// The connection that is spoken on, only looked at.
    pub(super) fn peek(&self, host: HostId) -> Option<&C> {
        self.hosts.peek(&host)?.first().map(|one| &one.it.connection)
    }

    /// Marks the host as used: it has spoken to us.
    pub(super) fn heard(&mut self, host: HostId) {
        self.hosts.promote(&host);
    }

    pub(super) fn is_connected(&self, host: HostId) -> bool {
        self.hosts.contains(&host)
    }

    /// All connected hosts, by id.
    pub(super) fn hosts(&self) -> Vec<HostId> {
        let mut all: Vec<HostId> = self.hosts.iter().map(|(host, _)| *host).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Forgets an ended connection; true if it was there and the host has no other.
    pub(super) fn remove(&mut self, host: HostId, number: u64) -> bool {
        let Some(all) = self.hosts.peek_mut(&host) else {
            return false;
        };
        let before = all.len();
        all.retain(|one| one.number != number);
        let is_last = all.is_empty() && before > 0;
        if is_last {
            self.hosts.pop(&host);
        }
        is_last
    }

    /// The connections to lives of a host below this one.
    pub(super) fn older(&self, host: HostId, boot: Boot) -> Vec<C> {
        let all = self.hosts.peek(&host).into_iter().flatten();
        let older = all.filter(|one| one.it.boot.number < boot.number);
        older.map(|one| one.it.connection.clone()).collect()
    }

    /// Takes all connections of a host out.
    pub(super) fn expel(&mut self, host: HostId) -> Vec<C> {
        let all = self.hosts.pop(&host).unwrap_or_default();
        all.into_iter().map(|one| one.it.connection).collect()
    }

    /// These are never evicted; of a set beyond the bound only so many as fit.
    pub(super) fn keep_warm(&mut self, hosts: BTreeSet<HostId>) {
        self.warm = hosts.into_iter().take(self.bounds.hosts_max).collect();
    }

    pub(super) fn warm(&self) -> &BTreeSet<HostId> {
        &self.warm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: HostId = HostId([5; 16]);
    const SMALLER: HostId = HostId([1; 16]);
    const LARGER: HostId = HostId([9; 16]);

    const ROOMY: Bounds = Bounds { pooled_max: 8, hosts_max: 8 };

    fn boot(number: u64) -> Boot {
        Boot { number, nonce: 7 }
    }

    fn new(boot: Boot, is_dialled_by_us: bool, connection: &'static str) -> Newcomer<&'static str> {
        Newcomer { boot, is_dialled_by_us, hold: Arc::new(()), connection }
    }

    fn admitted(admission: Admission<&'static str>) -> Admitted<&'static str> {
        match admission {
            Admission::Admitted(admitted) => admitted,
            other => panic!("{other:?}"),
        }
    }

    fn spoken(pool: &mut Pool<&'static str>, host: HostId) -> &'static str {
        pool.speak(host).expect("connected")
    }

    #[test]
    fn of_a_simultaneous_dial_both_sides_keep_what_the_smaller_id_dialled() {
        for order in [[true, false], [false, true]] {
            let mut pool = Pool::new(OURS, ROOMY);
            for ours in order {
                pool.admit(LARGER, new(boot(1), ours, if ours { "ours" } else { "theirs" }));
                let dialled = if ours { "ours" } else { "theirs" };
                let second = pool.admit(SMALLER, new(boot(1), ours, dialled));
                let spare = admitted(second).spare;
                let is_second = ours == order[1];
                assert_eq!(
                    spare,
                    is_second.then_some("ours"),
                    "ours is the lesser towards a smaller id"
                );
            }
            assert_eq!(spoken(&mut pool, LARGER), "ours");
            assert_eq!(spoken(&mut pool, SMALLER), "theirs");
        }
    }

    #[test]
    fn a_second_dial_of_the_same_side_takes_the_place_of_the_first() {
        let mut pool = Pool::new(OURS, ROOMY);
        assert!(admitted(pool.admit(LARGER, new(boot(1), false, "first"))).is_news);
        let second = admitted(pool.admit(LARGER, new(boot(1), false, "second")));
        assert_eq!(second.replaced, ["first"]);
        assert!(!second.is_news, "the same life was connected before");
        assert_eq!(spoken(&mut pool, LARGER), "second");
    }

    #[test]
    fn a_newer_life_replaces_an_older_one_and_an_older_one_is_refused() {
        let mut pool = Pool::new(OURS, ROOMY);
        pool.admit(LARGER, new(boot(1), false, "old in"));
        pool.admit(LARGER, new(boot(1), true, "old out"));
        let newer = admitted(pool.admit(LARGER, new(boot(2), false, "new")));
        assert_eq!(newer.replaced.len(), 2);
        assert!(newer.is_news);
        assert_eq!(pool.admit(LARGER, new(boot(1), true, "ghost")), Admission::Older(boot(2)));
        assert_eq!(spoken(&mut pool, LARGER), "new");
    }

    #[test]
    fn the_longest_unused_pooled_host_makes_room_and_warm_or_busy_ones_never_do() {
        let hosts: Vec<HostId> = (10..16).map(|byte| HostId([byte; 16])).collect();
        let mut pool = Pool::new(OURS, Bounds { pooled_max: 2, hosts_max: 5 });
        pool.keep_warm(BTreeSet::from([hosts[0]]));
        let busy = new(boot(1), true, "standing");
        let under_way = [busy.hold.clone(), busy.hold.clone()];
        pool.admit(hosts[0], new(boot(1), true, "standing"));
        pool.admit(hosts[1], busy);
        for host in &hosts[2..4] {
            let admission = admitted(pool.admit(*host, new(boot(1), true, "standing")));
            assert!(admission.evicted.is_empty(), "neither warm nor busy hosts are pooled");
        }
        pool.heard(hosts[2]);
        let last = admitted(pool.admit(hosts[4], new(boot(1), true, "new")));
        assert_eq!(last.evicted, [["standing"]]);
        assert_eq!(pool.hosts(), [hosts[0], hosts[1], hosts[2], hosts[4]]);
        drop(under_way);
        let last = admitted(pool.admit(hosts[5], new(boot(1), true, "new")));
        assert_eq!(last.evicted.len(), 2, "what is not busy any more is pooled");
        assert_eq!(pool.hosts(), [hosts[0], hosts[4], hosts[5]]);
    }

    #[test]
    fn when_all_hosts_are_needed_nobody_comes() {
        let mut pool = Pool::new(OURS, Bounds { pooled_max: 8, hosts_max: 1 });
        pool.admit(LARGER, new(boot(1), true, "standing"));
        pool.keep_warm(BTreeSet::from([LARGER]));
        assert_eq!(pool.admit(SMALLER, new(boot(1), true, "late")), Admission::Full);
        pool.keep_warm(BTreeSet::new());
        let late = admitted(pool.admit(SMALLER, new(boot(1), true, "late")));
        assert_eq!(late.evicted, [["standing"]]);
    }

    #[test]
    fn only_the_end_of_the_last_connection_is_the_end_of_a_host() {
        let mut pool = Pool::new(OURS, ROOMY);
        let one = admitted(pool.admit(LARGER, new(boot(1), true, "ours"))).number;
        let two = admitted(pool.admit(LARGER, new(boot(1), false, "theirs"))).number;
        assert!(!pool.remove(LARGER, one));
        assert!(!pool.remove(LARGER, one), "twice is no more than once");
        assert_eq!(spoken(&mut pool, LARGER), "theirs");
        assert!(pool.remove(LARGER, two));
        assert!(!pool.is_connected(LARGER));
    }
}
