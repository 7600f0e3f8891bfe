//! One member in trouble, or in bad faith, among many that are well; and the same with foca alone, which is printed beside.
//!
//! What healthy members suffer is counted at the healthy ones: renewals they make, members they call down or see again. What
//! the one in trouble thinks of them is its own affair.

use std::collections::{BTreeMap, BTreeSet};

use foca::{Header, Member, Message, State};
use vocabulary::{HostId, Span};

use super::super::identity::Identity;
use super::super::{Effect, Event, Membership};
use super::is_down;
use super::mesh::{Mesh, Peer, World, boot, host};
use super::plain::Plain;

/// The one in trouble.
const ODD: u16 = 7;

/// Members that are well; the seeds among them are needed by nobody after the start.
const COUNT: u16 = 48;

/// What the healthy suffered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Harm {
    renewals: usize,
    called_down: usize,
    flaps: usize,
    alone: usize,
}

fn harm<P: Peer>(world: &World<P>) -> Harm {
    let mut harm = Harm::default();
    let odd = host(ODD);
    for (_, _, effect) in world.trace.iter().filter(|(_, at, _)| *at != odd) {
        match effect {
            Effect::Renewed { .. } => harm.renewals += 1,
            Effect::Down { host, .. } if *host != odd => harm.called_down += 1,
            Effect::Up { host, .. } if *host != odd => harm.flaps += 1,
            Effect::Alone => harm.alone += 1,
            _ => {}
        }
    }
    harm
}

/// For ours, and for foca alone.
type Story = (fn(&mut World<Membership>), fn(&mut World<Plain>));

/// The same story in both worlds, and again with a true death in it, which all that are well must learn in ours.
fn compare(name: &str, story: Story) {
    let mut plain = World::<Plain>::settled(COUNT, 31);
    story.1(&mut plain);
    let mut ours = World::<Membership>::settled(COUNT, 31);
    story.0(&mut ours);
    println!("{name}, N = {COUNT}: ours {:?}, foca alone {:?}", harm(&ours), harm(&plain));
    assert_ne!(harm(&plain), Harm::default(), "{name}: else the story troubles nobody");
    assert_eq!(harm(&ours), Harm::default(), "{name}");
    let before = ours.now;
    ours.trace.clear();
    ours.kill(host(3));
    story.0(&mut ours);
    ours.run(Span::minutes(3));
    let told: BTreeSet<HostId> = ours.told(is_down(host(3)));
    let wanted = (0..COUNT).filter(|number| ![3, ODD].contains(number)).map(host);
    let missing: Vec<HostId> = wanted.filter(|host| !told.contains(host)).collect();
    assert_eq!(missing, [], "{name}: everybody learns of a true death");
    let last =
        ours.trace.iter().filter(|(_, at, effect)| *at != host(ODD) && is_down(host(3))(effect));
    let last = last.map(|(at, _, _)| at.since(before).as_milliseconds()).max();
    println!("  a death amid it is known to all after {last:?} ms");
}

fn deafen<P: Peer>(world: &mut World<P>, permille: u32) {
    world.deaf.insert(host(ODD), permille);
    world.run(Span::minutes(6));
}

#[test]
fn a_member_that_hears_nothing_harms_no_other() {
    compare("dead ingress", (|world| deafen(world, 1_000), |world| deafen(world, 1_000)));
}

#[test]
fn a_member_that_loses_four_fifths_of_what_it_is_sent_harms_no_other() {
    compare("80 % ingress loss", (|world| deafen(world, 800), |world| deafen(world, 800)));
}

fn flip_flop<P: Peer>(world: &mut World<P>) {
    for _ in 0..9 {
        world.deaf.insert(host(ODD), 1_000);
        world.run(Span::seconds(20));
        world.deaf.clear();
        world.run(Span::seconds(20));
    }
    world.deaf.insert(host(ODD), 1_000);
}

#[test]
fn a_member_whose_ingress_comes_and_goes_harms_no_other() {
    compare("flip-flop of 20 s", (flip_flop, flip_flop));
}

/// Lies of every kind about everybody, told to everybody, 20 packets a second to each, under the liar's own certificate.
fn lie<P: Peer>(world: &mut World<P>) {
    let mut own = Identity::first(host(ODD), boot(1));
    world.kill(host(ODD));
    for round in 0..600_u32 {
        for to in (0..COUNT).filter(|number| *number != ODD) {
            let Some(target) = world.hosts.get(&host(to)).map(Peer::identity) else {
                continue;
            };
            let (message, updates) = lies(world, round, to);
            if round % 50 == 0 {
                own.renewal += 1;
            }
            let header = Header { src: own, src_incarnation: 0, dst: target, message };
            let mut bytes = wire::encode(&header);
            if !updates.is_empty() {
                bytes.extend((updates.len() as u16).to_be_bytes());
                updates.iter().for_each(|update| bytes.extend(wire::encode(update)));
            }
            world.tell(host(to), Event::DatagramArrived { from: host(ODD), bytes });
        }
        world.run(Span::milliseconds(50));
    }
}

fn lies<P: Peer>(
    world: &World<P>,
    round: u32,
    to: u16,
) -> (Message<Identity>, Vec<Member<Identity>>) {
    let about = |at: u32| {
        let number = u16::try_from((round * 8 + at) % u32::from(COUNT)).unwrap_or(0);
        world.hosts.get(&host(number)).filter(|_| number != ODD).map(Peer::identity)
    };
    let lie = |(at, truth): (u32, Identity)| match (round + at) % 6 {
        0 | 1 => Member::down(truth),
        2 => Member::new(truth, u16::MAX, State::Suspect),
        3 => Member::alive(Identity { boot: boot(999), ..truth }),
        4 => Member::alive(Identity { renewal: truth.renewal + 1, ..truth }),
        _ => Member::down(Identity { renewal: u32::MAX, ..truth }),
    };
    let message = match (round + u32::from(to)) % 3 {
        0 => return (Message::TurnUndead, Vec::new()),
        1 => Message::Gossip,
        _ => Message::Feed,
    };
    let told = (0..8).filter_map(|at| about(at).map(|truth| (at, truth)));
    (message, told.map(lie).collect())
}

const PAIR: [u16; 2] = [1, 2];

/// A member of the pair, and the other one.
const BOTH_WAYS: [(u16, u16); 2] = [(PAIR[0], PAIR[1]), (PAIR[1], PAIR[0])];

/// Within so long a pair whose link has healed is whole again: its next word comes within 30 s, the look after it within 40 s.
const WHOLE_WITHIN: Span = Span::seconds(75);

fn tell_of_a_death<P: Peer>(world: &mut World<P>, (by, to): (u16, u16), about: u16) {
    let life = |number| Identity::first(host(number), boot(1));
    let header =
        Header { src: life(by), src_incarnation: 0, dst: life(to), message: Message::Gossip };
    let mut bytes = wire::encode(&header);
    bytes.extend(1_u16.to_be_bytes());
    bytes.extend(wire::encode(&Member::down(life(about))));
    world.tell(host(to), Event::DatagramArrived { from: host(by), bytes });
}

/// As after a minute in which none of them got on: both believe it of the other, and nobody believes it of them any more.
fn call_each_other_down(world: &mut World<Membership>) {
    for (at, about) in BOTH_WAYS {
        for by in [3, 4] {
            tell_of_a_death(world, (by, at), about);
        }
    }
}

type Trouble = fn(&mut World<Membership>);

/// Each of the pair has looked in vain, and nobody else has called it down.
fn find_each_other_down_alone(world: &mut World<Membership>) {
    for (at, about) in BOTH_WAYS {
        let life = Identity::first(host(about), boot(1));
        let us = world.hosts.get_mut(&host(at)).expect("it lives");
        us.apply([Member::down(life)], false);
        us.sieve.found_alone(life);
    }
}

fn holds_the_other<P: Peer>(world: &World<P>, (at, about): (u16, u16)) -> bool {
    world.hosts[&host(at)].up().contains_key(&host(about))
}

#[test]
fn two_that_call_each_other_down_do_not_flood_each_other() {
    let mut world = World::<Membership>::settled(6, 31);
    call_each_other_down(&mut world);
    world.sent.clear();
    world.run(Span::seconds(60));
    let packets: Vec<u64> = world.sent.values().map(|sent| sent.packets).collect();
    println!("packets of each in a minute: {packets:?}");
    let calm = packets[0];
    assert!(packets.iter().all(|sent| *sent < 2 * calm), "{packets:?}");
}

/// Their link is down for three minutes. Nobody else calls one of them down any more, so that no two demand a renewal.
#[test]
fn law_sw16_two_that_call_each_other_down_are_whole_again_soon_after_their_link() {
    let stories: [(&str, Trouble); 2] =
        [("others agreed once", call_each_other_down), ("alone", find_each_other_down_alone)];
    for (name, story) in stories {
        for seed in 31..36 {
            let mut world = World::<Membership>::settled(6, seed);
            world.severed.insert((host(PAIR[0]), host(PAIR[1])));
            story(&mut world);
            world.run(Span::minutes(3));
            assert!(!BOTH_WAYS.iter().any(|way| holds_the_other(&world, *way)), "{name}, severed");
            world.severed.clear();
            world.sent.clear();
            world.looks.clear();
            world.trace.clear();
            let healed = world.now;
            while !world.is_complete() && world.now.since(healed) < WHOLE_WITHIN {
                world.run(Span::seconds(1));
            }
            println!("{name}, seed {seed}: whole after {:?}", world.now.since(healed));
            assert!(world.is_complete(), "{name}, seed {seed}: not whole in {WHOLE_WITHIN:?}");
            for (at, about) in BOTH_WAYS {
                let looks = world.looks.get(&(host(at), host(about)));
                assert!(looks.is_none_or(|looks| *looks == 1), "{name}: {looks:?} looks");
            }
            // Others look into what the pair told them until then.
            world.run(Span::seconds(30));
            world.looks.clear();
            world.run(Span::minutes(10));
            let renewed = world.told(|effect| matches!(effect, Effect::Renewed { .. }));
            assert_eq!(renewed, BTreeSet::new(), "{name}: nobody renews");
            let flaps = world.told(|effect| matches!(effect, Effect::Down { .. }));
            assert_eq!(flaps, BTreeSet::new(), "{name}: nobody is called down again");
            assert_eq!(world.looks, BTreeMap::new(), "{name}: nobody looks into anything any more");
            let most = world.sent.values().map(|sent| sent.packets).max();
            let least = world.sent.values().map(|sent| sent.packets).min();
            assert!(most < least.map(|least| 2 * least), "{name}: {most:?}, {least:?}");
        }
    }
}

#[test]
fn two_that_are_a_mesh_of_their_own_are_whole_again_soon_after_their_link() {
    let mut world = World::<Membership>::settled(2, 31);
    world.cut.insert(host(1));
    world.run(Span::minutes(10));
    assert!(world.hosts.values().all(|peer| peer.up().is_empty()), "both have lost everybody");
    world.cut.clear();
    world.sent.clear();
    world.run(Span::seconds(31));
    assert!(world.is_complete(), "whoever has nobody redials every 30 s");
    world.run(Span::seconds(29));
    let packets: Vec<u64> = world.sent.values().map(|sent| sent.packets).collect();
    assert!(packets.iter().all(|sent| *sent < 60), "{packets:?}");
}

/// It speaks all the while, and answers nobody: one look of each other at it in 30 s is all that it costs.
#[test]
fn law_sw16_whoever_speaks_and_does_not_answer_is_looked_at_at_a_bounded_rate() {
    const MINUTES: u64 = 10;
    let mut world = World::<Membership>::settled(6, 31);
    world.deaf.insert(host(PAIR[1]), 1_000);
    world.run(Span::minutes(5));
    assert!(!holds_the_other(&world, (PAIR[0], PAIR[1])));
    world.looks.clear();
    world.trace.clear();
    for _ in 0..MINUTES * 60 {
        let (from, to) = (host(PAIR[1]), host(PAIR[0]));
        let name = |of: &HostId| world.hosts[of].identity();
        let (src, dst) = (name(&from), name(&to));
        let bytes =
            wire::encode(&Header { src, src_incarnation: 0, dst, message: Message::Gossip });
        world.tell(to, Event::DatagramArrived { from, bytes });
        world.run(Span::seconds(1));
    }
    let looks = world.looks.get(&(host(PAIR[0]), host(PAIR[1]))).copied().unwrap_or(0);
    assert!((MINUTES..=2 * MINUTES).contains(&looks), "{looks} looks in {MINUTES} minutes");
    assert!(!holds_the_other(&world, (PAIR[0], PAIR[1])), "none of them was answered");
}

/// It begins in vain to call the others down after some 20 s, and is alone once it is plain that nobody will speak again.
#[test]
fn law_sw23_a_host_that_hears_nothing_calls_nobody_down_for_a_minute_and_ends_alone() {
    let mut world = World::<Membership>::settled(6, 34);
    world.cut.insert(host(3));
    world.trace.clear();
    // One of them without a look of its own: its observer has looked.
    world.tell(host(3), Event::DoubtsChanged { doubted: [host(1)].into() });
    world.run(Span::seconds(55));
    let by_it = |world: &World<Membership>| {
        let own = world.trace.iter().filter(|(_, by, _)| *by == host(3));
        own.filter(|(_, _, effect)| matches!(effect, Effect::Down { .. })).count()
    };
    assert_eq!(by_it(&world), 0, "{:?}", world.trace);
    world.run(Span::minutes(3));
    assert_eq!(by_it(&world), 5);
    assert!(world.told(|effect| *effect == Effect::Alone).contains(&host(3)));
}

/// Their input alone stalls: what they say is heard by everybody, and everybody believes two.
#[test]
fn law_sw23_two_that_hear_nothing_have_no_third_one_called_down() {
    let mut world = World::<Membership>::settled(12, 35);
    for number in [3, 7] {
        world.deaf.insert(host(number), 1_000);
    }
    world.trace.clear();
    world.run(Span::seconds(55));
    let is_well = |id: &HostId| *id != host(3) && *id != host(7);
    let wrong = world.trace.iter().filter(|(_, _, effect)| match effect {
        Effect::Down { host, .. } => is_well(host),
        _ => false,
    });
    assert_eq!(wrong.count(), 0, "{:?}", world.trace);
}

/// Of two, the last one is told late, and in time.
#[test]
fn law_sw23_the_last_of_two_calls_the_other_down_within_two_minutes() {
    let mut world = World::<Membership>::settled(2, 36);
    world.kill(host(1));
    world.run(Span::minutes(2));
    assert_eq!(world.told(is_down(host(1))), [host(0)].into());
}

#[test]
fn a_liar_harms_nobody() {
    compare("a liar", (lie, lie));
}

/// What a debug build can afford each time. At 1,000 every view was full 22 s after the last start, with 407 kB of packets and
/// 50 kB on streams for each host.
const JOINING: u16 = 200;

#[test]
fn a_cold_join_fills_every_view_though_one_packet_in_a_hundred_is_lost() {
    let count = JOINING;
    let mut mesh = Mesh::joining(0, 51);
    mesh.resize(count);
    mesh.loss_permille = 10;
    for number in 0..count {
        mesh.start(host(number), boot(1));
        mesh.run(Span::milliseconds(5_000 / u64::from(count)));
    }
    let begun = mesh.now;
    while !mesh.is_complete() {
        mesh.run(Span::seconds(1));
        let waited = mesh.now.since(begun);
        assert!(waited < Span::minutes(3), "a view is not full after {waited:?}");
    }
    let bytes: u64 = mesh.sent.values().map(|sent| sent.bytes).sum();
    println!(
        "N = {count}, 1 % loss: every view full {:?} after the last start; {} bytes of packets and {} on streams per host",
        mesh.now.since(begun),
        bytes / u64::from(count),
        mesh.streamed / u64::from(count),
    );
}
