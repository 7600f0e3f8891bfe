//! Membership as a whole: whole meshes in virtual time, and single members facing lies.

#[path = "../../../wire/tests/bent/mod.rs"]
mod bent;
mod bytes;
mod exchanging;
#[path = "../../../wire/tests/golden/mod.rs"]
mod golden;
mod hearing;
mod lies;
mod mesh;
mod plain;
mod raging;
mod trouble;
mod words;

use vocabulary::{
    Claims, ClusterName, Domain, Grade, GroupName, HostId, HostName, Label, LedgerIndex,
    ModelSigner, Roles, Signer, Span,
};

use super::*;
use crate::health::CheckKey;
use crate::roster::Entry;
use mesh::{Mesh, boot, host};

fn is_down(host: HostId) -> impl Fn(&Effect) -> bool {
    move |effect| matches!(effect, Effect::Down { host: down, .. } if *down == host)
}

fn unwell() -> Health {
    Health::new([(CheckKey::of("api"), Grade::Failed)], [host(3)], false)
}

/// Of the host with that number in a roster.
fn claims(number: usize) -> Claims {
    let label = |text| Label::new(text).expect("sound");
    Claims {
        cluster: ClusterName::new("test").expect("sound"),
        host: HostName::new(&format!("h{number}")).expect("sound"),
        domain: Domain { region: label("eu"), zone: label("a"), rack: label("a1") },
        group: GroupName::new("web").expect("sound"),
        roles: Roles::default(),
    }
}

/// So many hosts, none of which has told its boot.
fn roster_of(hosts: usize) -> Arc<Roster> {
    let mut roster = Roster::new(claims(0).cluster);
    let entries = (0..hosts).map(claims).map(|claims| {
        let key = ModelSigner::new(&claims.host).public_key();
        Entry::enrolled(claims, key, LedgerIndex(0))
    });
    roster.put_all(entries.collect::<Vec<_>>());
    Arc::new(roster)
}

fn is_heard(host: HostId, health: Health) -> impl Fn(&Effect) -> bool {
    move |effect| matches!(effect, Effect::HealthHeard { record, .. } if record.host == host && record.health == health)
}

#[test]
fn hosts_that_know_one_seed_soon_know_each_other() {
    for (count, within) in [(3, 5), (6, 5), (30, 10)] {
        let mut mesh = Mesh::joining(count, 1);
        mesh.run(Span::seconds(within));
        assert!(mesh.is_complete(), "{count} hosts after {within} s");
        assert_eq!(mesh.told(|effect| *effect == Effect::Joined).len(), usize::from(count));
    }
}

#[test]
fn a_mesh_at_rest_tells_nothing_and_calls_nobody_down() {
    let mut mesh = Mesh::settled(30, 2);
    mesh.run(Span::minutes(60));
    assert_eq!(mesh.trace, []);
    assert!(mesh.is_complete());
}

#[test]
fn a_death_is_seen_by_all() {
    for (count, within) in [(3, 40), (6, 40), (30, 60)] {
        let mut mesh = Mesh::settled(count, 3);
        mesh.kill(host(2));
        mesh.run(Span::seconds(within));
        let told = mesh.told(is_down(host(2)));
        assert_eq!(told.len(), usize::from(count) - 1, "of {count}");
        assert_eq!(mesh.trace.len(), told.len(), "and nobody else is called down");
    }
}

#[test]
fn a_fifth_of_all_packets_lost_costs_no_living_host_its_name_for_long() {
    let mut mesh = Mesh::settled(12, 4);
    mesh.loss_permille = 200;
    mesh.run(Span::minutes(30));
    mesh.loss_permille = 0;
    mesh.run(Span::minutes(3));
    assert!(mesh.is_complete());
}

#[test]
fn a_restart_with_a_higher_boot_takes_the_place_of_the_old_life_everywhere() {
    let mut mesh = Mesh::settled(12, 5);
    mesh.kill(host(4));
    mesh.run(Span::seconds(1));
    mesh.start(host(4), boot(2));
    mesh.run(Span::seconds(10));
    assert!(mesh.is_complete());
    assert_eq!(mesh.view_of(host(4)), vec![boot(2); 11]);
    assert!(mesh.told(is_down(host(4))).is_empty(), "the old life ends with the new one's begin");
}

#[test]
fn a_restart_after_the_death_was_seen_needs_no_renewal() {
    let mut mesh = Mesh::settled(6, 6);
    mesh.kill(host(4));
    mesh.run(Span::seconds(60));
    mesh.start(host(4), boot(2));
    mesh.run(Span::seconds(10));
    assert!(mesh.is_complete());
    assert!(mesh.told(|effect| matches!(effect, Effect::Renewed { .. })).is_empty());
}

#[test]
fn a_host_that_lost_everybody_comes_back_and_makes_nobody_else_renew() {
    let mut mesh = Mesh::settled(12, 7);
    mesh.seeds.insert(host(1));
    mesh.cut.insert(host(5));
    mesh.run(Span::minutes(10));
    assert_eq!(mesh.told(|effect| *effect == Effect::Alone), [host(5)].into());
    assert_eq!(mesh.told(is_down(host(5))).len(), 11);
    mesh.cut.clear();
    mesh.run(Span::seconds(60));
    assert!(mesh.is_complete());
    let renewed = mesh.told(|effect| matches!(effect, Effect::Renewed { .. }));
    assert_eq!(renewed, [host(5)].into());
    let refused = mesh.hosts[&host(5)].dropped().get(&Dropped::Refused);
    assert_eq!(refused, None, "the new foca never meets a timer of the old one");
}

#[test]
fn the_lonely_call_rarer_and_rarer_but_never_stop() {
    let mut mesh = Mesh::joining(1, 8);
    mesh.run(Span::minutes(10));
    let calls: Vec<_> = mesh.trace.iter().map(|(at, _, _)| at.as_milliseconds()).collect();
    assert_eq!(calls[..6], [0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    assert!(calls.windows(2).skip(5).all(|two| two[1] - two[0] == 30_000));
    assert!(calls.len() > 20);
}

#[test]
fn two_halves_that_gave_each_other_up_become_one_mesh_again() {
    let mut mesh = Mesh::settled(12, 9);
    mesh.cut.extend((0..5).map(host));
    mesh.run(Span::minutes(10));
    assert!(mesh.hosts[&host(0)].up().len() == 4 && mesh.hosts[&host(7)].up().len() == 6);
    mesh.cut.clear();
    mesh.run(Span::minutes(5));
    assert!(mesh.is_complete());
}

#[test]
fn whoever_leaves_is_down_everywhere_within_seconds_and_silent() {
    let mut mesh = Mesh::settled(12, 10);
    mesh.tell(host(3), Event::Leave);
    mesh.sent.remove(&host(3));
    mesh.run(Span::seconds(5));
    assert_eq!(mesh.told(is_down(host(3))).len(), 11);
    assert_eq!(mesh.sent.get(&host(3)), None);
    assert_eq!(mesh.hosts[&host(3)].next_deadline(), None);
}

#[test]
fn a_change_of_health_reaches_everyone_and_so_does_its_end() {
    let mut mesh = Mesh::settled(30, 11);
    for health in [unwell(), Health::default()] {
        mesh.tell(host(9), Event::HealthChanged { health: health.clone() });
        mesh.run(Span::seconds(10));
        assert_eq!(mesh.told(is_heard(host(9), health)).len(), 29);
    }
}

#[test]
fn a_newcomer_hears_of_those_that_are_unwell() {
    let mut mesh = Mesh::settled(12, 13);
    mesh.tell(host(9), Event::HealthChanged { health: unwell() });
    mesh.run(Span::minutes(1));
    mesh.start(host(50), boot(1));
    mesh.run(Span::seconds(15));
    assert!(mesh.told(is_heard(host(9), unwell())).contains(&host(50)));
}

#[test]
fn a_health_that_flickers_is_told_at_a_bounded_rate_and_its_last_word_counts() {
    let mut mesh = Mesh::settled(6, 14);
    for at in 0..600 {
        let key = CheckKey(at % 7);
        let health = Health::new([(key, Grade::Degraded)], [], false);
        mesh.tell(host(2), Event::HealthChanged { health });
        mesh.run(Span::milliseconds(100));
    }
    let heard = mesh.trace.iter().filter(|(_, id, _)| *id == host(1)).count();
    assert!((13..=16).contains(&heard), "{heard} records in a minute");
    let last = Health::new([(CheckKey(599 % 7), Grade::Degraded)], [], false);
    mesh.run(Span::seconds(10));
    assert_eq!(mesh.told(is_heard(host(2), last)).len(), 5);
}

#[test]
fn law_sw21_what_a_hundred_hosts_tell_at_once_reaches_nearly_everybody_within_its_budget() {
    let mut mesh = Mesh::settled(128, 19);
    mesh.sent.clear();
    for number in 0..100 {
        mesh.tell(host(number), Event::HealthChanged { health: unwell() });
    }
    mesh.run(Span::seconds(10));
    let most = mesh.sent.values().map(|sent| sent.bytes).max().expect("they tell");
    // Probes, requests for members and exchanges are among them.
    assert!(most < 30_000, "law SW21: {most} bytes in 10 s");
    mesh.run(Span::seconds(110));
    let heard = (0..100).map(|number| mesh.told(is_heard(host(number), unwell())).len());
    let heard: usize = heard.sum();
    assert!(heard >= 100 * 127 * 99 / 100, "{heard} of {}; the rest is told again", 100 * 127);
}

#[test]
fn equal_seeds_give_equal_traces_and_others_do_not() {
    let story = |seed| {
        let mut mesh = Mesh::joining(12, seed);
        mesh.run(Span::seconds(30));
        mesh.kill(host(4));
        mesh.tell(host(9), Event::HealthChanged { health: unwell() });
        mesh.run(Span::minutes(2));
        (mesh.trace, mesh.sent)
    };
    assert_eq!(story(15), story(15));
    assert_ne!(story(15).1, story(16).1);
}

#[test]
fn a_roster_that_grows_slows_the_probing_down() {
    let mut mesh = Mesh::settled(6, 17);
    let mut sent_in_ten_minutes = |hosts| {
        for number in 0..6 {
            mesh.tell(host(number), Event::RosterChanged { roster: roster_of(hosts) });
        }
        mesh.run(Span::minutes(1));
        mesh.sent.clear();
        mesh.run(Span::minutes(10));
        mesh.sent[&host(1)].packets
    };
    let (small, large) = (sent_in_ten_minutes(6), sent_in_ten_minutes(640));
    assert!(small > 4 * large, "{small} packets, then {large}");
}

/// Prints what a host sends at rest, in bytes of payload; a bound far above it stands guard.
#[test]
fn a_host_at_rest_sends_little_whatever_the_size_of_the_mesh() {
    for count in [6, 30, 128] {
        let mut mesh = Mesh::settled(count, 18);
        mesh.run(Span::minutes(10));
        let bytes: u64 = mesh.sent.values().map(|sent| sent.bytes).sum();
        let packets: u64 = mesh.sent.values().map(|sent| sent.packets).sum();
        let largest = mesh.sent.values().map(|sent| sent.largest).max();
        let host_seconds = u64::from(count) * 600;
        println!(
            "N = {count}: {}.{:02} B/s and {}.{:02} packets/s per host at rest, largest packet {largest:?} B",
            bytes / host_seconds,
            bytes * 100 / host_seconds % 100,
            packets / host_seconds,
            packets * 100 / host_seconds % 100,
        );
        assert!(mesh.is_complete());
        assert!(bytes / host_seconds < 80, "N = {count}");
        assert!(largest.is_some_and(|bytes| bytes <= PACKET_BYTES_MAX));
    }
}
