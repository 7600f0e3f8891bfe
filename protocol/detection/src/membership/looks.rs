//! When do we look for ourselves before a member is called down?
//!
//! Law SW12: nobody is called down by us, or on one sender's word, who has answered our own look since. A look is a question
//! on a stream: it is repeated when packets are lost, and tells silence from a look that could not be made.
//! A word of another is looked into after up to [`ACCUSED_WAIT`], drawn for each: most of a large mesh hear a second sender
//! before their turn comes, and one dead host is not dialled by all. Looks for others' words are rationed; at the bound the
//! word waits longer, for a second sender or for its turn.
//! Law SW16: whoever speaks to us under the very name that we hold for down is looked at within [`HEARD_WAIT`] and
//! [`ACCUSED_WAIT`], and an answer takes back what we hold. Nobody else need agree: two that call each other down would else
//! find together only if others demanded it of them. The dead do not speak, and so cost no look; and whoever speaks but does
//! not answer is looked at once in [`HEARD_WAIT`] at the most.

use std::collections::BTreeMap;

use foca::Timer;
use rand_core::Rng;
use vocabulary::{HostId, Moment, Span};

use super::bucket::Bucket;
use super::identity::Identity;

/// The longest wait before another's word is looked into.
const ACCUSED_WAIT: Span = Span::seconds(10);

/// How long before we look at whom we hold for down and who speaks: a renewal, if others demand one too, comes first.
const HEARD_WAIT: Span = Span::seconds(30);

/// Looks into others' words at once: a small rack. Each may cost a dial of 4 kB.
const LOOKS_BURST: u64 = 8;
/// See [`LOOKS_BURST`]: a liar that accuses everybody costs each host less than one kilobyte a second.
const LOOKS_REFILL: Span = Span::seconds(5);

/// Looks under way at once, of both kinds: own suspicions come one in a probe period, so that more were lost by the shell.
const UNDER_WAY_MAX: usize = 64;

/// Why we look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// foca is about to call it down: this is its timer.
    Suspected(Timer<Identity>),
    /// Somebody else called it down, under this name.
    Accused(Identity),
    /// We hold it for down under this name, and it speaks.
    Heard(Identity),
}

/// Looks that are due or under way.
#[derive(Debug)]
pub(super) struct Looks {
    due: BTreeMap<HostId, Moment>,
    under_way: BTreeMap<HostId, Why>,
    bucket: Bucket,
}

impl Looks {
    pub fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            under_way: BTreeMap::new(),
            bucket: Bucket::full(LOOKS_BURST, LOOKS_REFILL),
        }
    }

    /// Somebody has said something of this host that our own look could settle.
    pub fn want(&mut self, now: Moment, host: HostId, luck: &mut impl Rng) {
        if self.under_way.contains_key(&host) {
            return;
        }
        let at = now.after(wait(luck));
        let due = self.due.entry(host).or_insert(at);
        // Such a word does not wait for the later look at a host that speaks.
        if *due > now.after(ACCUSED_WAIT) {
            *due = at;
        }
    }

    /// This host speaks, and we hold it for down (law SW16).
    pub fn want_later(&mut self, now: Moment, host: HostId, luck: &mut impl Rng) {
        if !self.due.contains_key(&host) && !self.under_way.contains_key(&host) {
            self.due.insert(host, now.after(HEARD_WAIT).after(wait(luck)));
        }
    }

    /// Hosts whose turn has come, as far as the ration goes; who has waited longest comes first.
    pub fn take_due(&mut self, now: Moment) -> Vec<HostId> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<(Moment, HostId)> = due.map(|(host, at)| (*at, *host)).collect();
        due.sort_unstable();
        // Whoever finds no room has not had its turn: it keeps its place, and nothing is paid for it.
        due.truncate(self.room());
        let granted = due.into_iter().take_while(|_| self.bucket.take(now));
        let taken: Vec<HostId> = granted.map(|(_, host)| host).collect();
        for host in &taken {
            self.due.remove(host);
        }
        taken
    }

    /// A look begins; false if too many are under way.
    pub fn begin(&mut self, host: HostId, why: Why) -> bool {
        let has_room = self.room() > 0;
        if has_room {
            self.due.remove(&host);
            self.under_way.insert(host, why);
        }
        has_room
    }

    /// A look has ended: why it was begun.
    pub fn end(&mut self, host: &HostId) -> Option<Why> {
        self.under_way.remove(host)
    }

    /// When the next one is due; while there is no room, the end of a look makes some.
    pub fn next(&self) -> Option<Moment> {
        if self.room() == 0 {
            return None;
        }
        self.due.values().min().map(|at| self.bucket.next().max(*at))
    }

    fn room(&self) -> usize {
        UNDER_WAY_MAX - self.under_way.len().min(UNDER_WAY_MAX)
    }

    /// foca begins again: its timers are void.
    pub fn clear(&mut self) {
        self.due.clear();
        self.under_way.clear();
    }
}

fn wait(luck: &mut impl Rng) -> Span {
    Span::milliseconds(luck.next_u64() % ACCUSED_WAIT.as_milliseconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_flood_of_words_is_looked_into_at_the_rations_pace_and_each_of_them_in_the_end() {
        let mut looks = Looks::new();
        let mut luck = ChaCha8Rng::seed_from_u64(1);
        let at = |seconds: u64| Moment::from_milliseconds(1_000_000 + seconds * 1_000);
        for number in 0..40 {
            looks.want(at(0), HostId([number; 16]), &mut luck);
        }
        assert_eq!(looks.take_due(at(10)).len(), 8, "all are due");
        assert_eq!(looks.next(), Some(at(15)));
        let taken: usize = (11..=170).map(|second| looks.take_due(at(second)).len()).sum();
        assert_eq!(taken, 32);
        assert_eq!(looks.next(), None);
    }

    #[test]
    fn a_word_that_finds_no_room_keeps_its_place_and_pays_nothing() {
        let mut looks = Looks::new();
        let mut luck = ChaCha8Rng::seed_from_u64(1);
        let at = |seconds: u64| Moment::from_milliseconds(1_000_000 + seconds * 1_000);
        let host = |number: u8| HostId([number; 16]);
        let boot = vocabulary::Boot { number: 1, nonce: 1 };
        let why = |number| Why::Accused(Identity::first(host(number), boot));
        for number in 0..64 {
            assert!(looks.begin(host(number), why(number)));
        }
        assert!(!looks.begin(host(99), why(99)), "the bound");
        for number in 100..110 {
            looks.want(at(0), host(number), &mut luck);
        }
        assert_eq!(looks.take_due(at(20)), []);
        assert_eq!(looks.next(), None, "nothing wakes us for what cannot begin");
        looks.end(&host(0));
        looks.end(&host(1));
        assert!(looks.next().is_some_and(|next| next <= at(20)));
        let first = looks.take_due(at(20));
        assert_eq!(first.len(), 2, "as many as there is room for");
        for host in first {
            assert!(looks.begin(host, why(host.0[0])));
        }
        for number in 2..10 {
            assert!(looks.end(&host(number)).is_some());
        }
        assert_eq!(looks.take_due(at(20)).len(), 6, "of the eight of a burst two were paid for");
    }
}
