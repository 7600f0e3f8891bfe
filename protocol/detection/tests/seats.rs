//! Does every subject get the observers that protocol 2.1 promises, alike on every host?

use std::collections::{BTreeMap, BTreeSet};

use detection::roster::{Entry, Lot, Roster};
use detection::seats::{FAR_SEATS, LOAD_FACTOR, SEATS_MAX, Seating};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use vocabulary::{
    Address, Boot, Claims, ClusterName, Domain, GroupName, HostId, HostName, Label, LedgerIndex,
    PublicKey, Roles, Zone,
};

fn label(text: &str) -> Label {
    Label::new(text).expect("a sound name")
}

fn claims(name: &str, zone: &str, rack: &str) -> Claims {
    Claims {
        cluster: ClusterName(label("test")),
        host: HostName(label(name)),
        domain: Domain { region: label("eu"), zone: label(zone), rack: label(rack) },
        group: GroupName(label("web")),
        roles: Roles::default(),
    }
}

fn add(roster: &mut Roster, name: &str, zone: &str, rack: &str) -> HostId {
    let claims = claims(name, zone, rack);
    let id = claims.id();
    roster.put(Entry::enrolled(claims, PublicKey([7; 32]), LedgerIndex(1)));
    id
}

/// A roster with so many hosts in each rack of each zone.
fn fleet(zones: &[&[usize]]) -> Roster {
    let mut roster = Roster::new(ClusterName(label("test")));
    for (zone, racks) in zones.iter().enumerate() {
        for (rack, &hosts) in racks.iter().enumerate() {
            for host in 0..hosts {
                let name = format!("h{zone}-{rack}-{host}");
                add(&mut roster, &name, &format!("z{zone}"), &format!("r{rack}"));
            }
        }
    }
    roster
}

fn zone_of(roster: &Roster, host: &HostId) -> Zone {
    roster.get(host).expect("present").claims.domain.zone()
}

fn pairs(seating: &Seating) -> BTreeSet<(HostId, HostId)> {
    let rows = seating.hosts().iter();
    rows.flat_map(|s| seating.observers(s).iter().map(|o| (*s, *o))).collect()
}

/// What holds for every roster, whatever its layout.
fn check_laws(roster: &Roster) {
    let seating = Seating::new(roster);
    let count = roster.present_count();
    let k = SEATS_MAX.min(count.saturating_sub(1));
    assert_eq!(seating.seats(), k);
    for (subject, entry) in roster.present() {
        let observers = seating.observers(subject);
        let distinct: BTreeSet<_> = observers.iter().collect();
        assert_eq!((observers.len(), distinct.len()), (k, k), "law S2: K different observers");
        assert!(!distinct.contains(subject), "law S2: nobody watches itself");
        assert!(observers.is_sorted(), "the order is stable");
        for observer in observers {
            assert!(seating.holds(observer, subject));
            assert!(seating.subjects(observer).contains(subject), "both lists agree");
            assert!(roster.get(observer).is_some(), "only present hosts watch");
        }
        let shares_rack = |host: &HostId| {
            roster.get(host).is_some_and(|other| other.claims.domain == entry.claims.domain)
        };
        let mates = roster.present().filter(|(host, _)| *host != subject && shares_rack(host));
        if mates.count() > 0 {
            assert!(observers.iter().any(shares_rack), "one seat inside the subject's rack");
        }
        let zones: BTreeSet<Zone> = roster
            .present()
            .filter(|(host, _)| *host != subject)
            .map(|(_, other)| other.claims.domain.zone())
            .collect();
        let seated: BTreeSet<Zone> = observers.iter().map(|host| zone_of(roster, host)).collect();
        assert!(
            seated.len() >= zones.len().min(2).min(k),
            "law S3: the second zone is never given up"
        );
    }
}

/// The busiest host's seats and, over all subjects and zones, by how many quarters of a seat a zone exceeds its share.
fn extremes(roster: &Roster) -> (usize, usize) {
    let seating = Seating::new(roster);
    let load = roster.present().map(|(host, _)| seating.subjects(host).len()).max();
    let mut sizes: BTreeMap<Zone, usize> = BTreeMap::new();
    for (_, entry) in roster.present() {
        *sizes.entry(entry.claims.domain.zone()).or_default() += 1;
    }
    let mut above = 0;
    for (subject, entry) in roster.present() {
        let mut seated: BTreeMap<Zone, usize> = BTreeMap::new();
        for observer in seating.observers(subject) {
            *seated.entry(zone_of(roster, observer)).or_default() += 1;
        }
        for (zone, count) in seated {
            let inside = sizes[&zone] - usize::from(zone == entry.claims.domain.zone());
            let quarters = 4 * seating.seats() * inside / (roster.present_count() - 1);
            above = above.max((4 * count).saturating_sub(quarters));
        }
    }
    (load.unwrap_or(0), above)
}

#[test]
fn up_to_eleven_hosts_everybody_watches_everybody() {
    for count in 1..=11 {
        for layout in
            [vec![vec![count]], vec![vec![1]; count], vec![vec![count / 2, count - count / 2]]]
        {
            let zones: Vec<&[usize]> = layout.iter().map(Vec::as_slice).collect();
            let roster = fleet(&zones);
            let seating = Seating::new(&roster);
            for (subject, _) in roster.present() {
                let others: Vec<HostId> = roster
                    .present()
                    .map(|(host, _)| *host)
                    .filter(|host| host != subject)
                    .collect();
                assert_eq!(seating.observers(subject), others, "N = {count}");
            }
        }
    }
}

#[test]
fn the_twelfth_host_leaves_one_seat_unheld_and_the_laws_still_hold() {
    for zones in [&[&[12][..]][..], &[&[6], &[6]], &[&[2, 2], &[2, 2], &[2, 2]], &[&[11], &[1]]] {
        let roster = fleet(zones);
        check_laws(&roster);
        assert_eq!(Seating::new(&roster).seats(), 10);
    }
}

#[test]
fn a_fleet_of_nobody_has_no_seats_and_a_stranger_none_either() {
    let seating = Seating::new(&fleet(&[]));
    assert_eq!((seating.seats(), seating.hosts().len()), (0, 0));
    let seating = Seating::new(&fleet(&[&[5]]));
    let stranger = claims("stranger", "z9", "r9").id();
    assert_eq!(seating.observers(&stranger), []);
    assert_eq!(seating.subjects(&stranger), []);
    assert!(!seating.holds(&stranger, &seating.hosts()[0]));
}

#[test]
fn in_an_even_fleet_zones_keep_their_share_plus_one_and_hosts_their_bound() {
    for zones in [
        &[&[4, 4][..], &[4, 4], &[4, 4]][..],
        &[&[40], &[40], &[40]],
        &[&[20; 10], &[20; 10], &[20; 10]],
        &[&[20; 10], &[20; 10]],
        &[&[10; 5], &[10; 5], &[10; 5], &[10; 5], &[10; 5]],
        &[&[300]],
    ] {
        let roster = fleet(zones);
        check_laws(&roster);
        let (load, above) = extremes(&roster);
        assert!(load <= LOAD_FACTOR * SEATS_MAX, "law S3: {load} seats held in {zones:?}");
        assert!(
            above <= 5,
            "law S3: a zone is {above} quarters of a seat above its share in {zones:?}"
        );
    }
}

#[test]
fn a_small_zone_is_not_crushed_while_it_can_give_every_subject_its_second_zone() {
    // 20 of 200 hosts stand apart: 180 subjects each need one of them, at 20 seats each there is room for 400.
    let roster = fleet(&[&[30; 6], &[20]]);
    check_laws(&roster);
    assert!(extremes(&roster).0 <= LOAD_FACTOR * SEATS_MAX);
}

#[test]
fn a_zone_of_one_watches_everybody_because_the_load_bound_yields_before_the_second_zone() {
    let roster = fleet(&[&[30; 3], &[1]]);
    check_laws(&roster);
    let (lone, _) = roster.named("h1-0-0").expect("present");
    assert_eq!(Seating::new(&roster).subjects(lone).len(), 90);
}

#[test]
fn outside_a_large_zone_three_seats_are_kept_where_there_is_room() {
    let roster = fleet(&[&[15; 8], &[40]]);
    let seating = Seating::new(&roster);
    for (subject, entry) in roster.present() {
        let zone = entry.claims.domain.zone();
        let far = seating.observers(subject).iter().filter(|host| zone_of(&roster, host) != zone);
        assert!(far.count() >= FAR_SEATS);
    }
}

#[test]
fn random_layouts_keep_the_laws() {
    for seed in 0..60 {
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        let zones: Vec<Vec<usize>> = (0..luck.random_range(1..7))
            .map(|_| (0..luck.random_range(1..6)).map(|_| luck.random_range(1..9)).collect())
            .collect();
        let zones: Vec<&[usize]> = zones.iter().map(Vec::as_slice).collect();
        check_laws(&fleet(&zones));
    }
}

#[test]
fn all_agents_agree_however_their_roster_came_about() {
    let zones: &[&[usize]] = &[&[7, 7], &[7, 7], &[7]];
    let there = fleet(zones);
    let mut back = Roster::new(ClusterName(label("test")));
    let mut entries: Vec<Entry> = there.present().map(|(_, entry)| entry.clone()).collect();
    entries.reverse();
    let gone = add(&mut back, "gone", "z0", "r0");
    let mut seating = Seating::new(&back);
    for entry in entries {
        back.put(entry);
        assert!(seating.update(&back), "each join is one epoch");
    }
    back.retire(&gone);
    assert!(seating.update(&back));
    assert_eq!(pairs(&seating), pairs(&Seating::new(&there)));
}

#[test]
fn seats_move_with_the_epoch_alone() {
    let mut roster = fleet(&[&[10], &[10]]);
    let mut seating = Seating::new(&roster);
    let before = seating.clone();
    let host = *seating.hosts().first().expect("present");
    let address: Address = "127.0.0.1:7946".parse().expect("an address");
    roster.set_boot(&host, Boot { number: 2, nonce: 9 }, address, None);
    assert!(!seating.update(&roster), "law R1: a boot moves no seat");
    assert_eq!(seating, before);
}

#[test]
fn a_join_and_a_leave_move_few_seats() {
    // One host holds K seats and is held by K: about 2K pairs must come and go. Windows shift by one, and a zone whose
    // share crosses a whole number gives a few back: eight times K on average and sixteen at worst is still "few" of 3,000.
    for zones in [3, 5, 2] {
        let racks: Vec<usize> = vec![20; 15 / zones];
        let roster = fleet(&vec![racks.as_slice(); zones]);
        let before = pairs(&Seating::new(&roster));
        let (mut worst, mut sum, trials) = (0, 0, 30);
        for trial in 0..trials {
            let mut joined = roster.clone();
            add(&mut joined, &format!("new{trial}"), &format!("z{}", trial % zones), "r0");
            let moved = pairs(&Seating::new(&joined)).symmetric_difference(&before).count();
            let mut left = roster.clone();
            let host = *roster.present().nth(trial * 7).expect("enough hosts").0;
            left.retire(&host);
            let moved_back = pairs(&Seating::new(&left)).symmetric_difference(&before).count();
            worst = worst.max(moved).max(moved_back);
            sum += moved + moved_back;
        }
        let average = sum / (2 * trials);
        println!("{zones} zones: {average} pairs moved on average, {worst} at worst");
        assert!(average <= 8 * SEATS_MAX, "{average} pairs moved on average");
        assert!(worst <= 16 * SEATS_MAX, "{worst} pairs moved at worst");
    }
}

#[test]
fn in_a_fleet_of_many_windows_the_busiest_host_keeps_its_bound() {
    let roster = fleet(&[&[40; 25], &[40; 25], &[40; 25]]);
    let seating = Seating::new(&roster);
    let loads = roster.present().map(|(host, _)| seating.subjects(host).len());
    let busiest = loads.max().expect("3,000 hosts");
    println!("busiest of 3,000 hosts: {busiest} seats");
    assert!(busiest <= LOAD_FACTOR * SEATS_MAX);
}

/// Names that would watch the victim if they came as they are, as whoever may choose his name finds them.
fn chosen_for(roster: &Roster, victim: &HostId) -> Vec<String> {
    let watches = |name: &String| {
        let mut roster = roster.clone();
        let id = add(&mut roster, name, "z0", "r1");
        Seating::new(&roster).holds(&id, victim)
    };
    (0..200).map(|number| format!("chosen-{number}")).filter(watches).collect()
}

#[test]
fn law_s4_a_name_that_was_looked_for_wins_no_seat_once_its_lot_is_drawn() {
    const DRAWS: usize = 10;
    let mut roster = fleet(&[&[10, 10], &[10, 10], &[10, 10]]);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let hosts: Vec<HostId> = roster.present().map(|(host, _)| *host).collect();
    for host in &hosts[..30] {
        roster.draw(*host, Lot(random.random()));
    }
    check_laws(&roster);
    let victim = hosts[7];
    let names = chosen_for(&roster, &victim);
    assert!(names.len() >= 20, "a few hundred names are enough to choose from: {}", names.len());
    let mut seated = 0;
    for name in &names {
        for _ in 0..DRAWS {
            let mut roster = roster.clone();
            roster.draw(claims(name, "z0", "r1").id(), Lot(random.random()));
            let id = add(&mut roster, name, "z0", "r1");
            seated += usize::from(Seating::new(&roster).holds(&id, &victim));
        }
    }
    let drawn = names.len() * DRAWS;
    assert!(seated * 3 < drawn, "chosen names win {seated} of {drawn} draws, like any other");
}

#[test]
fn law_r3_a_lot_is_drawn_once() {
    let mut roster = fleet(&[&[3]]);
    let host = claims("h0-0-1", "z0", "r0").id();
    assert_eq!(roster.lot(&host), None);
    for lot in [5, 6] {
        roster.draw(host, Lot(lot));
        assert_eq!(roster.lot(&host), Some(Lot(5)));
    }
}
