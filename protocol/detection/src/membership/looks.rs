//! When do we look for ourselves before a member is called down?
//!
//! Law SW12: nobody is called down by us, or on one sender's word, who has answered our own look since. A look is a question
//! on a stream: it is repeated when packets are lost, and tells silence from a look that could not be made.
//! A word of another is looked into after up to [`ACCUSED_WAIT`], drawn for each: most of a large mesh hear a second sender
//! before their turn comes, and one dead host is not dialled by all. Looks for others' words are rationed; at the bound the
//! word waits longer, for a second sender or for its turn.
//! Law SW16: whoever speaks to us under the very name that we hold for down is looked at within [`HEARD_WAIT`] and
//! [`ACCUSED_WAIT`], and an answer of that life takes back what we hold, whatever the look was begun for. Nobody else need
//! agree: two that call each other down would else find together only if others demanded it of them. The dead do not speak,
//! and so cost no look; and whoever speaks but does not answer is looked at once in [`HEARD_WAIT`] at the most. These looks have
//! a ration of their own, so that nobody's accusations delay them.

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

/// Looks at once at hosts that speak and that we hold for down; they are few, and most of them are connected.
const HEARD_BURST: u64 = 4;
/// See [`HEARD_BURST`]: liars that speak and do not answer cost a host less than another kilobyte a second.
const HEARD_REFILL: Span = Span::seconds(5);

/// Looks under way at once, of all kinds: own suspicions come one in a probe period, so that more were lost by the shell.
const UNDER_WAY_MAX: usize = 64;

/// Why we look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// foca is about to call it down: this is its timer.
    Suspected(Timer<Identity>),
    /// Somebody else called it down, under this name.
    Accused(Identity),
    /// We hold it for down, and it speaks.
    Heard,
}

/// Looks that are due or under way.
#[derive(Debug)]
pub(super) struct Looks {
    accused: Queue,
    heard: Queue,
    under_way: BTreeMap<HostId, Why>,
}

/// Looks of one kind that wait for their turn, and their ration.
#[derive(Debug)]
struct Queue {
    due: BTreeMap<HostId, Moment>,
    bucket: Bucket,
}

impl Looks {
    pub fn new() -> Self {
        Self {
            accused: Queue::new(LOOKS_BURST, LOOKS_REFILL),
            heard: Queue::new(HEARD_BURST, HEARD_REFILL),
            under_way: BTreeMap::new(),
        }
    }

    /// Somebody has said something of this host that our own look could settle.
    pub fn want(&mut self, now: Moment, host: HostId, luck: &mut impl Rng) {
        if !self.under_way.contains_key(&host) {
            self.accused.due.entry(host).or_insert_with(|| now.after(wait(luck)));
        }
    }

    /// This host speaks, and we hold it for down (law SW16).
    pub fn want_later(&mut self, now: Moment, host: HostId, luck: &mut impl Rng) {
        if !self.under_way.contains_key(&host) {
            let at = || now.after(HEARD_WAIT).after(wait(luck));
            self.heard.due.entry(host).or_insert_with(at);
        }
    }

    /// Hosts whose turn has come, as far as the rations go; of each kind, who has waited longest comes first.
    pub fn take_due(&mut self, now: Moment) -> Vec<HostId> {
        // Whoever finds no room has not had its turn: it keeps its place, and nothing is paid for it.
        let mut taken = self.heard.take_due(now, self.room());
        // One look is enough for both.
        self.accused.due.retain(|host, _| !taken.contains(host));
        let accused = self.accused.take_due(now, self.room().saturating_sub(taken.len()));
        self.heard.due.retain(|host, _| !accused.contains(host));
        taken.extend(accused);
        taken
    }

    /// A look begins; false if too many are under way.
    pub fn begin(&mut self, host: HostId, why: Why) -> bool {
        let has_room = self.room() > 0;
        if has_room {
            self.accused.due.remove(&host);
            self.heard.due.remove(&host);
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
        [&self.accused, &self.heard].into_iter().filter_map(Queue::next).min()
    }

    fn room(&self) -> usize {
        UNDER_WAY_MAX - self.under_way.len().min(UNDER_WAY_MAX)
    }

    /// foca begins again: its timers are void.
    pub fn clear(&mut self) {
        self.accused.due.clear();
        self.heard.due.clear();
        self.under_way.clear();
    }
}

impl Queue {
    fn new(burst: u64, refill: Span) -> Self {
        Self { due: BTreeMap::new(), bucket: Bucket::full(burst, refill) }
    }

    fn take_due(&mut self, now: Moment, room: usize) -> Vec<HostId> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<(Moment, HostId)> = due.map(|(host, at)| (*at, *host)).collect();
        due.sort_unstable();
        due.truncate(room);
        let granted = due.into_iter().take_while(|_| self.bucket.take(now));
        let taken: Vec<HostId> = granted.map(|(_, host)| host).collect();
        for host in &taken {
            self.due.remove(host);
        }
        taken
    }

    fn next(&self) -> Option<Moment> {
        self.due.values().min().map(|at| self.bucket.next().max(*at))
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
