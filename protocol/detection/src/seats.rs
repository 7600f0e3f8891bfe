//! Who watches whom: the K observers of every subject (protocol 2.1).
//!
//! Law S1: seats are a pure function of who belongs and where each stands; every agent computes the same ones.
//! Law S2: all K = min(10, N - 1) seats of every subject are filled, by K different hosts, never by itself.
//! Law S3: a zone gets at most its share plus one; no host holds more than 2K seats; the zone's share yields to the load
//! bound, and the load bound yields before the second zone does.
//! Law S4: where a host sits as an observer hangs on its lot, which nobody knows who chooses its name. Without a lot it hangs on its id.
//!
//! How it stays O(N K): ranking all N hosts for each subject (plain rendezvous) would be O(N²). Hosts lie on a ring by a
//! hash of their own; a subject looks only at the [`WINDOW`] hosts behind its own point and ranks these by the rendezvous
//! hash of (subject, observer). Whole fleets of up to [`WINDOW`] + 1 hosts are ranked as a whole. A join or a leave
//! touches only the windows it falls into, hence few seats. A host's load is the sum of [`WINDOW`] neighbouring arcs, so
//! it varies by about 1/sqrt([`WINDOW`]) and the bound 2K is seldom met.
//! Not here: when an observer looks (see `watch`), what its voice counts (see `verdict`).

use vocabulary::{Domain, Epoch, HostId, Zone};

use crate::roster::{Lot, Roster};

/// Most observers of one subject (protocol 2.1): enough for two zones, a rack mate, a liar and a few dead.
pub const SEATS_MAX: usize = 10;

/// How many times its even share of seats a host may hold (protocol 2.1).
pub const LOAD_FACTOR: usize = 2;

/// Seats that are kept outside a subject's own zone where there are hosts: two voices from outside end a doubt about the
/// whole zone (protocol 3.5), and one more may be a liar's.
pub const FAR_SEATS: usize = 3;

/// Hosts that one subject ranks at a time: three times the seats, so that zones and load limits find room in the first.
const WINDOW: usize = 32;

/// Windows that one subject tries before a rule yields: keeps the work O(N K) when every host near its point is full.
const WINDOWS_MAX: usize = 8;

/// Parts of a seat in which a share is reckoned: a quarter of them is one byte of a subject's id.
const SHARE_PARTS: usize = 4 * 256;

/// The seats of one roster epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seating {
    epoch: Epoch,
    seats: usize,
    /// In the order of their ids.
    hosts: Vec<HostId>,
    /// `seats` observers of each host, one host after the other, each row in the order of ids.
    observers: Vec<HostId>,
    /// What each host watches, one host after the other, each row in the order of ids.
    subjects: Vec<HostId>,
    /// Where each host's row in `subjects` begins, and the end of the last.
    subjects_at: Vec<usize>,
}

impl Seating {
    /// Deals all seats of a roster.
    pub fn new(roster: &Roster) -> Self {
        let table = Table::laid(roster);
        let rows = table.dealt();
        let hosts = table.hosts;
        let mut observers = Vec::with_capacity(rows.len() * SEATS_MAX);
        let mut held: Vec<Vec<HostId>> = vec![Vec::new(); hosts.len()];
        for (subject, row) in rows.iter().enumerate() {
            let mut row: Vec<usize> = row.iter().map(|&seat| seat as usize).collect();
            row.sort_unstable();
            for observer in row {
                observers.push(hosts[observer]);
                held[observer].push(hosts[subject]);
            }
        }
        let mut subjects = Vec::with_capacity(observers.len());
        let mut subjects_at = vec![0];
        for row in held {
            subjects.extend(row);
            subjects_at.push(subjects.len());
        }
        Self {
            epoch: roster.epoch,
            seats: SEATS_MAX.min(hosts.len().saturating_sub(1)),
            hosts,
            observers,
            subjects,
            subjects_at,
        }
    }

    /// Deals again if the roster's epoch has moved, and says whether it did; O(N K), and most seats stay.
    pub fn update(&mut self, roster: &Roster) -> bool {
        let has_moved = roster.epoch != self.epoch;
        if has_moved {
            *self = Self::new(roster);
        }
        has_moved
    }

    /// The epoch of the roster that was dealt.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// K: how many observers each subject has.
    pub fn seats(&self) -> usize {
        self.seats
    }

    /// The hosts that were dealt seats, in the order of their ids.
    pub fn hosts(&self) -> &[HostId] {
        &self.hosts
    }

    /// Who watches a subject, in the order of ids: a seat's number is its place in this list. Empty for a stranger.
    pub fn observers(&self, subject: &HostId) -> &[HostId] {
        match self.hosts.binary_search(subject) {
            Ok(at) => &self.observers[at * self.seats..(at + 1) * self.seats],
            Err(_) => &[],
        }
    }

    /// Whom an observer watches, in the order of ids. Empty for a stranger.
    pub fn subjects(&self, observer: &HostId) -> &[HostId] {
        match self.hosts.binary_search(observer) {
            Ok(at) => &self.subjects[self.subjects_at[at]..self.subjects_at[at + 1]],
            Err(_) => &[],
        }
    }

    /// The number of the observer's seat at the subject, if it holds one.
    pub fn seat(&self, observer: &HostId, subject: &HostId) -> Option<usize> {
        self.observers(subject).binary_search(observer).ok()
    }

    /// Whether the observer holds one of the subject's seats.
    pub fn holds(&self, observer: &HostId, subject: &HostId) -> bool {
        self.seat(observer, subject).is_some()
    }
}

/// What a deal needs to know of every host, by its place in the order of ids.
struct Table {
    hosts: Vec<HostId>,
    draws: Vec<Draw>,
    zone: Vec<usize>,
    zone_sizes: Vec<usize>,
    /// The places of all hosts, in the order of their points.
    fleet: Vec<u32>,
    /// The same, for each rack.
    racks: Vec<Vec<u32>>,
    rack: Vec<usize>,
    /// The zone with more than half of all hosts, if there is one, and the ring of the hosts outside it: on the fleet's
    /// ring they could be arbitrarily far apart.
    dominant: Option<(usize, Vec<u32>)>,
}

/// What a host's points and ranks are made of (law S4).
type Draw = (u64, u64);

/// Where a seat is looked for.
#[derive(Clone, Copy)]
enum Pool {
    Rack,
    /// Outside the zone.
    Beyond(usize),
    Fleet,
}

/// So many seats from a pool, under the rules that still hold.
#[derive(Clone, Copy)]
struct Wish {
    pool: Pool,
    seats: usize,
    keeps_shares: bool,
    keeps_load: bool,
}

/// A deal under way: the seats given so far.
struct Deal<'a> {
    table: &'a Table,
    seats: usize,
    rows: Vec<Vec<u32>>,
    load: Vec<usize>,
}

impl Table {
    fn laid(roster: &Roster) -> Self {
        let present: Vec<(&HostId, &Domain)> =
            roster.present().map(|(host, entry)| (host, &entry.claims.domain)).collect();
        let hosts: Vec<HostId> = present.iter().map(|(host, _)| **host).collect();
        let draws: Vec<Draw> = hosts.iter().map(|host| drawn(host, roster.lot(host))).collect();
        let zones: Vec<Zone> = present.iter().map(|(_, domain)| domain.zone()).collect();
        let racks: Vec<&Domain> = present.iter().map(|(_, domain)| *domain).collect();
        let (zone, zone_sizes) = numbered(&zones);
        let (rack, rack_sizes) = numbered(&racks);

        let mut fleet: Vec<u32> = (0..).take(hosts.len()).collect();
        fleet.sort_by_key(|&at| (point(draws[at as usize]), hosts[at as usize]));
        let mut rings = vec![Vec::new(); rack_sizes.len()];
        for &at in &fleet {
            rings[rack[at as usize]].push(at);
        }
        let dominant = zone_sizes.iter().position(|size| size * 2 > hosts.len());
        let beyond = |large| {
            let outside = fleet.iter().copied();
            (large, outside.filter(|&at| zone[at as usize] != large).collect())
        };
        let dominant = dominant.map(beyond);
        Self { dominant, hosts, draws, zone, zone_sizes, fleet, racks: rings, rack }
    }

    /// The seats of every host, in the order of ids.
    fn dealt(&self) -> Vec<Vec<u32>> {
        let count = self.hosts.len();
        let mut deal = Deal {
            table: self,
            seats: SEATS_MAX.min(count.saturating_sub(1)),
            rows: vec![Vec::with_capacity(SEATS_MAX); count],
            load: vec![0; count],
        };
        // Everybody is dealt one rare seat before anybody is dealt the next, so that few hosts in a small zone are
        // shared out evenly. Ids are hashes: their order favours nobody and no change of the roster reverses it.
        (0..count).for_each(|subject| deal.near(subject));
        for far in 0..FAR_SEATS {
            (0..count).for_each(|subject| deal.far(subject, far));
        }
        (0..count).for_each(|subject| deal.rest(subject));
        deal.rows
    }

    fn ring(&self, subject: usize, pool: Pool) -> &[u32] {
        match (pool, &self.dominant) {
            (Pool::Rack, _) => &self.racks[self.rack[subject]],
            (Pool::Beyond(zone), Some((dominant, outside))) if zone == *dominant => outside,
            (Pool::Beyond(_) | Pool::Fleet, _) => &self.fleet,
        }
    }

    /// The next hosts of a pool behind the subject's point, best rendezvous first; empty behind the last. A window holds
    /// hosts of the pool alone, so that it is the same on the fleet's ring and on one of the pool's own.
    fn window(&self, subject: usize, pool: Pool, number: usize) -> Vec<u32> {
        let ring = self.ring(subject, pool);
        let target = aim(self.draws[subject]);
        let start = ring.partition_point(|&at| point(self.draws[at as usize]) < target);
        let is_beyond = |at: u32| match pool {
            Pool::Beyond(zone) => self.zone[at as usize] != zone,
            Pool::Rack | Pool::Fleet => true,
        };
        let rank = |at| rendezvous(self.draws[subject], self.draws[at as usize]);
        let behind = ring[start..].iter().chain(&ring[..start]).copied();
        let pooled = behind.filter(|&at| is_beyond(at) && at as usize != subject);
        let mut window: Vec<(u64, u32)> =
            pooled.skip(number * WINDOW).take(WINDOW).map(|at| (rank(at), at)).collect();
        window.sort_unstable();
        window.into_iter().map(|(_, at)| at).collect()
    }

    /// How many hosts other than the subject stand in a zone.
    fn others_in(&self, zone: usize, subject: usize) -> usize {
        self.zone_sizes[zone] - usize::from(self.zone[subject] == zone)
    }
}

impl Deal<'_> {
    /// protocol 2.1: one seat inside the subject's rack where the rack has two hosts or more.
    fn near(&mut self, subject: usize) {
        let wish = Wish { pool: Pool::Rack, seats: 1, keeps_shares: false, keeps_load: true };
        self.grant(subject, wish);
    }

    /// One seat more outside the subject's zone; for the first one the load bound yields.
    fn far(&mut self, subject: usize, far: usize) {
        let pool = Pool::Beyond(self.table.zone[subject]);
        let wish = Wish { pool, seats: 1, keeps_shares: true, keeps_load: true };
        let given = self.grant(subject, wish);
        if given == 0 && far == 0 {
            self.grant(subject, Wish { keeps_load: false, ..wish });
        }
    }

    /// All that is left, under fewer and fewer rules.
    fn rest(&mut self, subject: usize) {
        let fair =
            Wish { pool: Pool::Fleet, seats: self.seats, keeps_shares: true, keeps_load: true };
        self.grant(subject, fair);
        if let Some(zone) = self.only_zone(subject) {
            let beyond = Wish { pool: Pool::Beyond(zone), seats: 1, keeps_shares: false, ..fair };
            if self.grant(subject, beyond) == 0 {
                self.grant(subject, Wish { keeps_load: false, ..beyond });
            }
        }
        self.grant(subject, Wish { keeps_shares: false, ..fair });
        self.grant(subject, Wish { keeps_shares: false, keeps_load: false, ..fair });
    }

    /// Gives seats as wished while there are any, and says how many were given.
    fn grant(&mut self, subject: usize, wish: Wish) -> usize {
        let wanted = wish.seats.min(self.seats - self.rows[subject].len());
        let mut given = 0;
        for number in 0..WINDOWS_MAX {
            if given == wanted {
                break;
            }
            let window = self.table.window(subject, wish.pool, number);
            if window.is_empty() {
                break;
            }
            for observer in window {
                if given < wanted && self.may_sit(subject, observer, wish) {
                    self.rows[subject].push(observer);
                    self.load[observer as usize] += 1;
                    given += 1;
                }
            }
        }
        given
    }

    fn may_sit(&self, subject: usize, observer: u32, wish: Wish) -> bool {
        let at = observer as usize;
        let zone = self.table.zone[at];
        !self.rows[subject].contains(&observer)
            && (!wish.keeps_load || self.load[at] < LOAD_FACTOR * self.seats)
            && (!wish.keeps_shares || self.seated_in(zone, subject) < self.share(zone, subject))
    }

    /// protocol 2.1: a zone's share plus one, by how many of the others stand in it, and room left for [`FAR_SEATS`].
    /// Each subject rounds up from a fraction of its own, between three quarters and one: were it the same for all, one
    /// host more or less in a fleet of equal zones would move a seat of every subject.
    fn share(&self, zone: usize, subject: usize) -> usize {
        let others = self.table.hosts.len() - 1;
        let inside = self.table.others_in(zone, subject);
        let rounding = usize::from(self.table.hosts[subject].0[0]);
        let fair = (self.seats * inside * SHARE_PARTS / others + rounding) / SHARE_PARTS + 1;
        fair.min(self.seats - FAR_SEATS.min(others - inside))
    }

    fn seated_in(&self, zone: usize, subject: usize) -> usize {
        let row = self.rows[subject].iter();
        row.filter(|&&at| self.table.zone[at as usize] == zone).count()
    }

    /// The one zone in which all seats given so far stand, if anybody stands elsewhere and there is a seat left.
    fn only_zone(&self, subject: usize) -> Option<usize> {
        let row = &self.rows[subject];
        let zone = self.table.zone[*row.first()? as usize];
        let others = self.table.hosts.len() - 1;
        let is_alone = self.seated_in(zone, subject) == row.len();
        let has_choice = self.table.others_in(zone, subject) < others && row.len() < self.seats;
        (is_alone && has_choice).then_some(zone)
    }
}

/// A number for each value, in the order of values, and how many carry it.
fn numbered<T: Ord>(values: &[T]) -> (Vec<usize>, Vec<usize>) {
    let mut distinct: Vec<&T> = values.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut sizes = vec![0; distinct.len()];
    let numbers = values
        .iter()
        .map(|value| {
            let number = distinct.partition_point(|other| *other < value);
            sizes[number] += 1;
            number
        })
        .collect();
    (numbers, sizes)
}

/// Law S4: the halves of its id, and its lot in both of them.
fn drawn(host: &HostId, lot: Option<Lot>) -> Draw {
    let (high, low) = halves(host);
    match lot {
        Some(Lot(lot)) => (high ^ stirred(lot), low ^ stirred(lot.rotate_left(32))),
        None => (high, low),
    }
}

/// Where a host lies on a ring.
fn point(host: Draw) -> u64 {
    stirred(host.0 ^ 0x706f_696e_7400_0000)
}

/// Where a subject begins to look on a ring; not its own point, so that watching is not mutual.
fn aim(subject: Draw) -> u64 {
    stirred(subject.1 ^ 0x6169_6d00_0000_0000)
}

/// The rendezvous rank of an observer for a subject, lowest first. The ids already are SHA-256 of cluster and name, so
/// the cluster is in it, and an even mixing of their bits is enough.
fn rendezvous(subject: Draw, observer: Draw) -> u64 {
    stirred(
        stirred(subject.0 ^ observer.1.rotate_left(32)) ^ observer.0 ^ subject.1.rotate_left(32),
    )
}

fn halves(host: &HostId) -> (u64, u64) {
    let whole = u128::from_be_bytes(host.0);
    let low = whole & u128::from(u64::MAX);
    (u64::try_from(whole >> 64).unwrap_or(u64::MAX), u64::try_from(low).unwrap_or(u64::MAX))
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
pub(crate) fn stirred(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
