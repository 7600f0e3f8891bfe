//! What others tell of a host's health: lies in its name, about its life, and about hosts that are none.

use foca::{Header, Message};
use vocabulary::{Address, Boot, HostId, Moment, Sequence, Span};

use super::super::identity::Identity;
use super::super::*;
use super::mesh::{Mesh, boot, host};
use super::{claims, roster_of, unwell};

/// Above it no sequence is read at all.
const LARGEST: u64 = (1 << 63) - 1;

/// Who lies, and of whom.
const LIAR: u16 = 5;
const SUBJECT: u16 = 3;

/// What a reader allows of one host at once (law SW18).
const REACH: u64 = 15 * 17;

const NOW: Moment = Moment::from_milliseconds(600_000);

fn record(of: HostId, boot: Boot, sequence: u64) -> HealthRecord {
    let health =
        Health::new([(crate::health::CheckKey::of("forged"), vocabulary::Grade::Failed)], [], true);
    HealthRecord { host: of, boot, sequence: Sequence(sequence), health }
}

fn packet(src: Identity, dst: Identity, records: &[HealthRecord]) -> Vec<u8> {
    let header = Header { src, src_incarnation: 0, dst, message: Message::Broadcast };
    let mut bytes = wire::encode(&header);
    for record in records {
        let own = record.to_bytes();
        bytes.extend((own.len() as u16).to_be_bytes());
        bytes.extend(own);
    }
    bytes
}

/// In a mesh, one of the members tells all others this, on its own connections.
fn tell_all(mesh: &mut Mesh, from: u16, record: &HealthRecord) {
    let src = *mesh.hosts[&host(from)].foca.identity();
    let all: Vec<HostId> = mesh.hosts.keys().copied().filter(|to| *to != src.host).collect();
    for to in all {
        let dst = *mesh.hosts[&to].foca.identity();
        let bytes = packet(src, dst, std::slice::from_ref(record));
        mesh.tell(to, Event::DatagramArrived { from: src.host, bytes });
    }
}

/// Who has heard anything of the subject but what it said itself.
fn deceived(mesh: &Mesh) -> BTreeSet<HostId> {
    let forged = record(host(SUBJECT), boot(1), 1).health;
    mesh.told(|effect| {
        matches!(effect, Effect::HealthHeard { record, .. }
            if record.host == host(SUBJECT) && (record.health == forged || record.boot != boot(1)))
    })
}

#[test]
fn one_liar_makes_nobody_believe_or_tell_on_anything_and_the_honest_record_is_read_within_ten_seconds()
 {
    for count in [4, 6, 30] {
        let mut mesh = Mesh::settled(count, 20);
        let (liar, subject) = (count - 1, 2);
        let lies = [1, 2, 40, 300, LARGEST].map(|sequence| (boot(1), sequence));
        let lives = [2, 999, u64::MAX].map(|number| (boot(number), 1));
        let lies = [lies.as_slice(), &lives].concat();
        for at in 0..200_usize {
            let (life, sequence) = lies[at % lies.len()];
            tell_all(&mut mesh, liar, &record(host(subject), life, sequence));
            mesh.run(Span::milliseconds(100));
            if at == 100 {
                mesh.tell(host(subject), Event::HealthChanged { health: unwell() });
            }
        }
        let honest = |effect: &Effect| {
            matches!(effect, Effect::HealthHeard { record, .. }
                if record.host == host(subject) && record.health == unwell() && record.boot == boot(1))
        };
        assert_eq!(mesh.told(honest).len(), usize::from(count) - 1, "of {count}");
        let heard: Vec<_> = mesh.trace.iter().filter(|(_, _, effect)| !honest(effect)).collect();
        assert!(heard.is_empty(), "of {count}: {heard:?}");
    }
}

#[test]
fn what_two_liars_tell_of_a_host_it_rises_above_within_a_minute() {
    let mut mesh = Mesh::settled(12, 21);
    for liar in [LIAR, LIAR + 1] {
        tell_all(&mut mesh, liar, &record(host(SUBJECT), boot(1), 200));
    }
    mesh.run(Span::seconds(60));
    assert!(!deceived(&mesh).is_empty(), "two are believed: f is one");
    let rises = |effect: &Effect| {
        matches!(effect, Effect::HealthHeard { record, .. }
            if record.host == host(SUBJECT) && record.sequence > Sequence(200) && record.health.is_calm())
    };
    assert_eq!(mesh.told(rises).len(), 11, "law SW18");
}

/// A member in a roster of so many, which it is the first of; the others speak to it as they will.
struct Reader {
    us: Membership,
    roster: Arc<Roster>,
    now: Moment,
}

fn named(number: usize) -> HostId {
    claims(number).id()
}

fn life(number: usize) -> Identity {
    Identity::first(named(number), boot(1))
}

impl Reader {
    fn among(hosts: usize) -> Self {
        let settings = Settings { hosts, ..Settings::default() };
        let us = Membership::new(settings, (named(0), boot(1)), 1);
        let mut reader = Self { us, roster: roster_of(hosts), now: NOW };
        for number in 0..hosts {
            reader.commit(number, boot(1));
        }
        reader
    }

    fn commit(&mut self, number: usize, boot: Boot) {
        let address: Address = "[::1]:4433".parse().expect("sound");
        Arc::make_mut(&mut self.roster).set_boot(&named(number), boot, address, None);
        self.take_roster();
    }

    fn take_roster(&mut self) {
        let roster = Arc::clone(&self.roster);
        self.us.handle(self.now, Event::RosterChanged { roster });
    }

    /// Lets time pass in which all answer a look, and nothing else.
    fn wait(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(next) = self.us.next_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            for effect in self.us.handle(self.now, Event::DeadlineReached) {
                if let Effect::Look { host } = effect {
                    let life = self.roster.get(&host).and_then(|entry| entry.boot);
                    let end = LookEnd::Answered(life.unwrap_or_default());
                    self.us.handle(self.now, Event::Looked { host, end });
                }
            }
        }
        self.now = end;
    }

    fn hear_updates(&mut self, from: usize, updates: &[foca::Member<Identity>]) {
        let header =
            Header { src: life(from), src_incarnation: 0, dst: life(0), message: Message::Gossip };
        let mut bytes = wire::encode(&header);
        bytes.extend((updates.len() as u16).to_be_bytes());
        updates.iter().for_each(|update| bytes.extend(wire::encode(update)));
        self.us.handle(self.now, Event::DatagramArrived { from: named(from), bytes });
    }

    /// Whose records are news, and whether in their own word.
    fn hear(&mut self, from: usize, records: &[HealthRecord]) -> Vec<(HostId, u64, bool)> {
        self.hear_as(life(from), records)
    }

    fn hear_as(&mut self, src: Identity, records: &[HealthRecord]) -> Vec<(HostId, u64, bool)> {
        let bytes = packet(src, *self.us.foca.identity(), records);
        let event = Event::DatagramArrived { from: src.host, bytes };
        let heard = self.us.handle(self.now, event).into_iter().filter_map(|effect| match effect {
            Effect::HealthHeard { record, is_own_word } => {
                Some((record.host, record.sequence.0, is_own_word))
            }
            _ => None,
        });
        heard.collect()
    }

    fn dropped(&self, why: Dropped) -> u64 {
        self.us.dropped().get(&why).copied().unwrap_or(0)
    }
}

#[test]
fn a_record_stands_once_two_tell_the_very_same_or_its_host_tells_it() {
    let mut reader = Reader::among(6);
    let (five, other) = (
        record(named(4), boot(1), 5),
        HealthRecord { health: unwell(), ..record(named(4), boot(1), 5) },
    );
    assert_eq!(reader.hear(1, &[five.clone(), five.clone()]), [], "law SW17");
    assert_eq!(reader.hear(2, &[other]), [], "not the same");
    assert_eq!(reader.hear(3, std::slice::from_ref(&five)), [(named(4), 5, false)]);
    assert_eq!(reader.hear(2, &[five]), []);
    // What it says itself stands, whatever was told.
    assert_eq!(reader.hear(4, &[record(named(4), boot(1), 2)]), [(named(4), 2, true)]);
    assert_eq!(reader.hear(4, &[record(named(4), boot(1), 2), record(named(4), boot(1), 1)]), []);
}

#[test]
fn two_that_lie_mute_nobody_who_speaks_for_itself() {
    let mut reader = Reader::among(6);
    reader.hear(1, &[record(named(4), boot(1), LARGEST)]);
    let forged = reader.hear(2, &[record(named(4), boot(1), LARGEST)]);
    assert_eq!(forged, [(named(4), LARGEST, false)], "nothing was known of it");
    assert_eq!(reader.hear(4, &[record(named(4), boot(1), 3)]), [(named(4), 3, true)]);
    for _ in 0..100 {
        reader.hear(1, &[record(named(4), boot(1), LARGEST)]);
        assert_eq!(reader.hear(2, &[record(named(4), boot(1), LARGEST)]), [], "law SW18");
    }
    assert_eq!(reader.hear(4, &[record(named(4), boot(1), 4)]), [(named(4), 4, true)]);
}

#[test]
fn a_record_beyond_what_its_host_can_have_told_since_is_out_of_place() {
    let mut reader = Reader::among(6);
    reader.hear(4, &[record(named(4), boot(1), 7)]);
    let two_tell = |reader: &mut Reader, sequence| {
        reader.hear(1, &[record(named(4), boot(1), sequence)]);
        reader.hear(2, &[record(named(4), boot(1), sequence)])
    };
    assert_eq!(two_tell(&mut reader, 7 + REACH + 1), []);
    assert_eq!(reader.dropped(Dropped::HealthOutOfPlace), 2);
    reader.now = reader.now.after(Span::seconds(5));
    assert_eq!(two_tell(&mut reader, 7 + REACH + 17 + 1), []);
    assert_eq!(two_tell(&mut reader, 7 + REACH + 17).len(), 1, "one record more in 5 s");
}

/// An hour after its former life was called down.
#[test]
fn what_is_known_of_a_host_that_came_back_is_not_forgotten_with_its_former_life() {
    let mut reader = Reader::among(6);
    for from in 1..5 {
        reader.hear(from, &[]);
    }
    let death = foca::Member::down(life(4));
    reader.us.handle(reader.now, Event::DoubtsChanged { doubted: [named(4)].into() });
    reader.hear_updates(1, &[death]);
    assert!(!reader.us.up().contains_key(&named(4)));
    reader.us.handle(reader.now, Event::DoubtsChanged { doubted: BTreeSet::new() });
    reader.commit(4, boot(2));
    let back = Identity { boot: boot(2), ..life(4) };
    assert_eq!(reader.hear_as(back, &[record(named(4), boot(2), 3)]).len(), 1);
    reader.wait(Span::minutes(60));
    assert_eq!(reader.us.sieve.life_spoken(&named(4)), Some(boot(2)), "it lives");
    assert_eq!(reader.hear_as(back, &[record(named(4), boot(2), 3)]), [], "law SW3");
}

/// Else two that lie would carry a host that was calm for days out of its own reach.
#[test]
fn a_long_silence_counts_for_ten_minutes() {
    let mut reader = Reader::among(6);
    reader.hear(4, &[record(named(4), boot(1), 7)]);
    reader.now = reader.now.after(Span::minutes(24 * 60));
    let highest = 7 + REACH + 17 * 120;
    for (sequence, is_believed) in [(highest + 1, false), (highest, true)] {
        reader.hear(1, &[record(named(4), boot(1), sequence)]);
        let believed = reader.hear(2, &[record(named(4), boot(1), sequence)]);
        assert_eq!(!believed.is_empty(), is_believed, "{sequence}");
    }
}

#[test]
fn a_record_of_another_life_than_the_committed_or_spoken_one_is_out_of_place_whoever_tells_it() {
    let mut reader = Reader::among(6);
    for lie in [boot(0), boot(2), boot(u64::MAX)] {
        for from in [1, 2, 3, 4] {
            assert_eq!(reader.hear(from, &[record(named(4), lie, 1)]), []);
        }
    }
    assert_eq!(reader.dropped(Dropped::HealthOutOfPlace), 12);
    reader.commit(4, boot(2));
    reader.hear(1, &[record(named(4), boot(2), 1)]);
    assert_eq!(reader.hear(2, &[record(named(4), boot(2), 1)]).len(), 1);
    assert_eq!(reader.hear(4, &[record(named(4), boot(1), 9)]), [], "a former life");
}

#[test]
fn invented_hosts_are_neither_kept_nor_told_on_and_take_no_room_from_a_new_real_one() {
    let mut reader = Reader::among(6);
    for batch in 0..500_u16 {
        let invented = (0..8).map(|at| record(host(batch * 8 + at), boot(1), 1));
        let invented: Vec<_> = invented.collect();
        for from in [1, 2, 3] {
            assert_eq!(reader.hear(from, &invented), []);
        }
    }
    assert_eq!(reader.dropped(Dropped::Stranger), 12_000, "law SW19");
    assert_eq!((reader.us.heard.len(), reader.us.foca.custom_broadcast_backlog()), (0, 0));
    // A host that the roster does not know yet is heard of by itself alone.
    let newcomer = record(named(6), boot(1), 1);
    reader.hear(1, std::slice::from_ref(&newcomer));
    assert_eq!(reader.hear(2, std::slice::from_ref(&newcomer)), []);
    assert_eq!(reader.hear(6, &[newcomer]).len(), 1);
    // Another one is enrolled.
    reader.roster = roster_of(8);
    reader.commit(7, boot(1));
    reader.hear(1, &[record(named(7), boot(1), 1)]);
    assert_eq!(reader.hear(2, &[record(named(7), boot(1), 1)]), [(named(7), 1, false)]);
    assert_eq!(reader.us.heard.len(), 2);
    // Whoever is retired is forgotten, and heard of no more.
    for number in [6, 7] {
        assert!(Arc::make_mut(&mut reader.roster).retire(&named(number)));
    }
    reader.take_roster();
    assert_eq!(reader.us.heard.len(), 0);
    assert_eq!(reader.hear(6, &[record(named(6), boot(1), 2)]), []);
}

#[test]
fn before_the_founding_only_members_are_heard_of() {
    let mut reader = Reader::among(0);
    for from in [1, 2] {
        assert_eq!(reader.hear(from, &[record(named(3), boot(1), 1)]), [], "law SW19");
    }
    assert_eq!(reader.us.heard.len(), 0);
    reader.hear(3, &[]);
    reader.hear(1, &[record(named(3), boot(1), 1)]);
    assert_eq!(reader.hear(2, &[record(named(3), boot(1), 1)]).len(), 1);
}

#[test]
fn a_host_tells_again_what_is_not_calm_once_its_life_is_committed_and_once_only() {
    let mut reader = Reader::among(6);
    reader.commit(0, boot(0));
    reader.hear(1, &[]);
    reader.us.handle(reader.now, Event::HealthChanged { health: unwell() });
    for seconds in 1..20 {
        let now = reader.now.after(Span::seconds(seconds));
        reader.us.handle(now, Event::DeadlineReached);
    }
    reader.now = reader.now.after(Span::seconds(60));
    let told = reader.us.own.told();
    for _ in 0..3 {
        reader.commit(0, boot(1));
        reader.us.handle(reader.now, Event::DeadlineReached);
    }
    assert_eq!(reader.us.own.told().0, told.0 + 1);
    let soon = reader.now.after(Span::minutes(3));
    assert!(reader.us.own.next().is_some_and(|next| next > soon));
}
