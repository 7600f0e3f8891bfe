//! Which handshakes are begun with whoever knocks: each costs half a millisecond of our processor and nothing of his.
//!
//! Law TR7: no address gets more handshakes than its rate, strangers together no more than theirs, and only who has proven
//! to be at his address is counted against it: nobody spends another's.
//! Pure, but for the moments that it is given. Not here: how many are under way at once (see `handshakes`).

use std::net::IpAddr;

use lru::LruCache;
use tokio::time::Instant;

use super::settings::{
    HANDSHAKE_ADDRESSES_MAX, HANDSHAKES_CROWDED_FROM, HANDSHAKES_OF_A_STRANGER, HANDSHAKES_OF_ONE,
    HANDSHAKES_OF_STRANGERS, HANDSHAKES_OF_UNPROVEN,
};
use crate::bucket::Bucket;

/// What is done with a knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knocked {
    /// The handshake is begun.
    Open,
    /// He must show first that he is at his address, which costs us next to nothing.
    Prove,
    /// Nothing is answered; a sound dialler tries again by itself.
    Ignore,
}

/// Who knocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knocker {
    /// Where it says it is.
    pub from: IpAddr,
    /// It has shown that it is there.
    pub is_proven: bool,
    /// A host that we know is at this address.
    pub is_known: bool,
}

/// Handshakes of all addresses.
#[derive(Debug)]
pub(super) struct Knocks {
    strangers: Bucket,
    unproven: Bucket,
    /// Those of known hosts apart, by address; those of others by network.
    addresses: LruCache<(IpAddr, bool), Bucket>,
}

impl Knocks {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            strangers: Bucket::full(HANDSHAKES_OF_STRANGERS, now),
            unproven: Bucket::full(HANDSHAKES_OF_UNPROVEN, now),
            addresses: LruCache::unbounded(),
        }
    }

    /// `under_way`: handshakes that have begun and not ended.
    pub(super) fn judge(&mut self, now: Instant, knocker: Knocker, under_way: usize) -> Knocked {
        if !knocker.is_proven {
            // Forged addresses come without end: they use up what is there for calm days, and nothing else.
            let is_calm = under_way < HANDSHAKES_CROWDED_FROM;
            return if is_calm && self.unproven.take(now) { Knocked::Open } else { Knocked::Prove };
        }
        let rate = if knocker.is_known { HANDSHAKES_OF_ONE } else { HANDSHAKES_OF_A_STRANGER };
        let new = || Bucket::full(rate, now);
        let from =
            if knocker.is_known { knocker.from.to_canonical() } else { network(knocker.from) };
        let from = (from, knocker.is_known);
        if self.addresses.len() >= HANDSHAKE_ADDRESSES_MAX && !self.addresses.contains(&from) {
            self.addresses.pop_lru();
        }
        let of_address = self.addresses.get_or_insert_mut(from, new);
        // His own first: a flood from one address does not use up what all have.
        let is_open = of_address.take(now) && (knocker.is_known || self.strangers.take(now));
        if is_open { Knocked::Open } else { Knocked::Ignore }
    }
}

/// Whoever has one address of IPv6 has the 64 bits below it, too; a host of the mesh is at one of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn knocker(from: IpAddr, is_proven: bool) -> Knocker {
        Knocker { from, is_proven, is_known: false }
    }

    /// How many of so many knocks a second for ten seconds are opened.
    fn opened(
        knocks: &mut Knocks,
        start: Instant,
        knock: (u32, bool),
        from: impl Fn(u32) -> IpAddr,
    ) -> u32 {
        let (per_second, is_proven) = knock;
        let every = Duration::from_secs(1) / per_second;
        let opens = |number: &u32| {
            let now = start + every * *number;
            knocks.judge(now, knocker(from(*number), is_proven), 0) == Knocked::Open
        };
        u32::try_from((0..10 * per_second).filter(opens).count()).expect("few")
    }

    #[test]
    fn one_address_gets_its_rate_and_leaves_room_for_the_others() {
        let start = Instant::now();
        let mut knocks = Knocks::new(start);
        let flood = opened(&mut knocks, start, (2_000, true), |_| address(1));
        let bound = HANDSHAKES_OF_A_STRANGER.at_once + 10 * HANDSHAKES_OF_A_STRANGER.per_second;
        assert!(flood <= bound && flood + 2 >= bound, "{flood} of {bound}");
        let end = start + Duration::from_secs(10);
        let calm =
            (0..16).filter(|_| knocks.judge(end, knocker(address(2), true), 0) == Knocked::Open);
        assert_eq!(calm.count(), 16, "a calm host is let in");
    }

    #[test]
    fn strangers_together_get_theirs_and_a_known_address_is_none_of_them() {
        let start = Instant::now();
        let mut knocks = Knocks::new(start);
        let spread = |number: u32| IpAddr::from(number.to_be_bytes());
        let flood = opened(&mut knocks, start, (5_000, true), spread);
        let bound = HANDSHAKES_OF_STRANGERS.at_once + 10 * HANDSHAKES_OF_STRANGERS.per_second;
        assert!(flood <= bound && flood + 2 >= bound, "{flood} of {bound}");
        let end = start + Duration::from_secs(10);
        let host = Knocker { from: address(9), is_proven: true, is_known: true };
        for _ in 0..HANDSHAKES_OF_ONE.at_once {
            assert_eq!(knocks.judge(end, host, 0), Knocked::Open);
        }
        assert_eq!(knocks.judge(end, host, 0), Knocked::Ignore, "its own rate holds for it, too");
        assert!(knocks.addresses.len() <= HANDSHAKE_ADDRESSES_MAX);
    }

    #[test]
    fn a_forged_address_uses_up_nothing_of_its_owners() {
        let start = Instant::now();
        let mut knocks = Knocks::new(start);
        opened(&mut knocks, start, (2_000, false), |_| address(1));
        let end = start + Duration::from_secs(10);
        let unproven = (0..2).map(|_| knocks.judge(end, knocker(address(1), false), 0));
        assert_eq!(unproven.last(), Some(Knocked::Prove));
        for _ in 0..HANDSHAKES_OF_A_STRANGER.at_once {
            assert_eq!(knocks.judge(end, knocker(address(1), true), 0), Knocked::Open);
        }
        assert_eq!(knocks.judge(end, knocker(address(1), true), 0), Knocked::Ignore);
    }

    #[test]
    fn on_a_calm_day_nobody_must_prove_anything_and_with_many_under_way_everybody() {
        let start = Instant::now();
        let mut knocks = Knocks::new(start);
        assert_eq!(knocks.judge(start, knocker(address(1), false), 0), Knocked::Open);
        let under_way = HANDSHAKES_CROWDED_FROM;
        assert_eq!(knocks.judge(start, knocker(address(1), false), under_way), Knocked::Prove);
        assert_eq!(knocks.judge(start, knocker(address(1), true), under_way), Knocked::Open);
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_that_are_hosts_of_the_mesh_have_each_their_own() {
        let now = Instant::now();
        let mut knocks = Knocks::new(now);
        let parse = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let host = |text| Knocker { from: parse(text), is_proven: true, is_known: true };
        for _ in 0..HANDSHAKES_OF_ONE.at_once {
            assert_eq!(knocks.judge(now, host("2001:db8::1"), 0), Knocked::Open);
        }
        assert_eq!(knocks.judge(now, host("2001:db8::1"), 0), Knocked::Ignore);
        assert_eq!(knocks.judge(now, host("2001:db8::2"), 0), Knocked::Open);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_a_mapped_one_is_ipv4() {
        let parse = |text: &str| -> IpAddr { text.parse().expect("an address") };
        assert_eq!(network(parse("2001:db8::1")), network(parse("2001:db8::ffff:1")));
        assert_ne!(network(parse("2001:db8::1")), network(parse("2001:db8:0:1::1")));
        assert_eq!(network(parse("::ffff:192.0.2.1")), address(1));
    }
}
