//! The circuit breaker of gossip (protocol 4): no trouble makes members tell each other more than a mesh of their number has to say.
//!
//! Law SW22: in rounds of gossip a host sends at most [`allowance`] bytes at once and [`BYTES_PER_SECOND`] in the long run. Who has
//! spent that tells nothing of members for [`MUTED`]: foca's probes, looks, exchanges, observers, rounds and health records (see `purse`)
//! go on, and what is untold waits, the newest word of each host, unless probes and their answers carry it.
//! The goodbye is not held back: a host says it once.

use vocabulary::{Moment, Span};

use super::Effect;
use super::bucket::Bucket;
use super::purse::{ROUND_BYTES, bytes_of};

/// How long a host that has spent its allowance tells nothing: two exchanges of digests repair meanwhile what is missed.
const MUTED: Span = Span::seconds(30);

/// Beyond the allowance: what a host should send in a storm at all. A change of six hosts in a second is told so in a mesh of a hundred.
const BYTES_PER_SECOND: u64 = 4_000;

/// What a token stands for: so many bytes take [`TOKEN_EVERY`] to come back.
const TOKEN_BYTES: u64 = 100;
/// See [`TOKEN_BYTES`].
const TOKEN_EVERY: Span = Span::milliseconds(TOKEN_BYTES * 1_000 / BYTES_PER_SECOND);

/// One word about a member in a packet, and its share of the packet's head.
const WORD_BYTES: u64 = 45;

/// Words about each host of the roster that a host may tell at once: all die, and all come back.
const WORDS_EACH: u64 = 2;

/// In a mesh of any size, and before a roster is known: a minute of rounds of three full packets. Where half of all packets are lost
/// fifty hosts suspect and refute each other at half of that rate.
const ALLOWANCE_MIN: u64 = 1_000_000;

/// The breaker.
#[derive(Debug)]
pub(super) struct Fuse {
    allowance: u64,
    left: Bucket,
    /// Nothing is told before; in the past at first.
    muted_until: Moment,
}

impl Fuse {
    /// Nothing spent yet, in a mesh of so many hosts, each word told so often.
    pub fn new(hosts: usize, told: u8) -> Self {
        let allowance = allowance(hosts, told);
        let left = bucket(allowance);
        Self { allowance, left, muted_until: Moment::default() }
    }

    /// The mesh has another size: what is spent stays spent.
    pub fn resize(&mut self, hosts: usize, told: u8) {
        let allowance = allowance(hosts, told);
        if allowance != self.allowance {
            self.left.resize(allowance / TOKEN_BYTES);
            self.allowance = allowance;
        }
    }

    /// Whether a round of gossip may be told now; opens where none is left.
    pub fn holds(&mut self, now: Moment) -> bool {
        if now < self.muted_until {
            return false;
        }
        let is_left = self.left.holds(now, 2 * ROUND_BYTES.div_ceil(TOKEN_BYTES));
        if !is_left {
            self.muted_until = now.after(MUTED);
        }
        is_left
    }

    /// These were sent.
    pub fn spend(&mut self, now: Moment, sent: &[Effect]) {
        self.left.spend(now, bytes_of(sent).div_ceil(TOKEN_BYTES));
    }

    /// For how long nothing is told, if so.
    pub fn muted_for(&self, now: Moment) -> Option<Span> {
        (now < self.muted_until).then(|| self.muted_until.since(now))
    }
}

fn allowance(hosts: usize, told: u8) -> u64 {
    let words = WORDS_EACH.saturating_mul(hosts as u64).saturating_mul(u64::from(told));
    words.saturating_mul(WORD_BYTES).max(ALLOWANCE_MIN)
}

fn bucket(allowance: u64) -> Bucket {
    Bucket::full(allowance / TOKEN_BYTES, TOKEN_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::packet::PACKET_BYTES_MAX;
    use vocabulary::HostId;

    /// Whatever may be told in so long, a round in 200 ms.
    fn told_within(fuse: &mut Fuse, begun: Moment, span: Span) -> u64 {
        let packet = Effect::Send { to: HostId([1; 16]), bytes: vec![0; PACKET_BYTES_MAX] };
        let round = vec![packet; 6];
        let steps = span.as_milliseconds() / 200;
        let rounds = (0..steps).filter(|step| {
            let now = begun.after(Span::milliseconds(200 * step));
            let holds = fuse.holds(now);
            if holds {
                fuse.spend(now, &round);
            }
            holds
        });
        rounds.count() as u64 * bytes_of(&round)
    }

    #[test]
    fn law_sw22_the_allowance_passes_then_half_a_minute_of_silence_and_then_so_many_bytes_a_second()
    {
        let mut fuse = Fuse::new(128, 16);
        let begun = Moment::from_milliseconds(100_000);
        let first = told_within(&mut fuse, begun, Span::seconds(32));
        assert!(first > 990_000 && first <= ALLOWANCE_MIN + 32 * BYTES_PER_SECOND, "{first} bytes");
        let spent = begun.after(Span::seconds(32));
        assert!(fuse.muted_for(spent).is_some_and(|left| left > Span::seconds(25)));
        assert_eq!(told_within(&mut fuse, spent, Span::seconds(25)), 0, "it is silent");
        let hour = told_within(&mut fuse, begun.after(Span::seconds(80)), Span::minutes(60));
        assert!(
            hour <= 3_680 * BYTES_PER_SECOND && hour > 3_500 * BYTES_PER_SECOND,
            "{hour} bytes"
        );
    }

    #[test]
    fn law_sw22_all_hosts_of_a_large_mesh_may_die_and_come_back_and_what_is_spent_stays_spent() {
        let mut fuse = Fuse::new(1, 8);
        let begun = Moment::from_milliseconds(100_000);
        let before = told_within(&mut fuse, begun, Span::seconds(10));
        fuse.resize(5_000, 20);
        let after = told_within(&mut fuse, begun.after(Span::seconds(10)), Span::minutes(5));
        let words = 2 * 5_000 * 20 * 45;
        assert!(
            before + after >= words && before + after < words + 310 * BYTES_PER_SECOND + 20_000
        );
    }
}
