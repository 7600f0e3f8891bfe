//! Hosts without agents are struck like those with them.

use simulator::bare::{Bare, Heard};
use simulator::{Fault, Plight, Setup, Trouble, Ways, Whom};
use vocabulary::{Moment, Span};

type World = Bare<&'static str>;

fn world() -> World {
    Bare::new(&Setup::grid(6, 3, 7)).expect("sound")
}

fn host(number: usize) -> Vec<Whom> {
    vec![Whom::Named(format!("h{number}"))]
}

/// Everything that is heard within so long: when, by whom, and its first byte or what its timer is about.
fn heard(world: &mut World, span: Span) -> Vec<(u64, usize, String)> {
    let until = world.now().after(span);
    let mut all = Vec::new();
    while let Some(heard) = world.next(until) {
        let at = world.now().as_milliseconds();
        all.push(match heard {
            Heard::Datagram { to, bytes } => (at, to, format!("datagram {}", bytes[0])),
            Heard::Timer { of, what } => (at, of, what.to_owned()),
        });
    }
    all
}

#[test]
fn a_datagram_comes_unless_its_way_is_cut_or_its_host_is_dead() {
    let mut world = world();
    let cut = Fault::Cut { from: host(0), to: host(1), both: false };
    assert!(world.strike(&cut) && world.strike(&Fault::Kill(host(2))));
    for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
        world.send(from, to, vec![1]);
    }
    let came: Vec<usize> =
        heard(&mut world, Span::seconds(1)).into_iter().map(|(_, to, _)| to).collect();
    assert_eq!(came, [0]);
    assert!(!world.strike(&Fault::Pause("there is no ledger".into())));
}

#[test]
fn law_x1_a_stalled_process_has_its_timers_and_hears_and_is_heard_when_it_is_free() {
    let mut world = world();
    let plight = Plight::Stall { lasts: Span::seconds(2), free: None };
    assert!(world.strike(&Fault::Befall { whom: host(1), plight }));
    world.set_timer(1, Span::seconds(1), "timer");
    world.send(0, 1, vec![1]);
    world.send(0, 1, vec![2]);
    world.send(1, 0, vec![3]);
    let all = heard(&mut world, Span::seconds(5));
    let [timer, first, second, answer] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!((timer.0, timer.1, timer.2.as_str()), (1_000, 1, "timer"));
    assert_eq!((first.0, first.1), (2_000, 1));
    assert_eq!((second.0, second.1), (2_000, 1));
    assert!(answer.0 > 2_000 && answer.1 == 0, "{answer:?}");
}

#[test]
fn law_x1_a_lossy_link_loses_its_share_and_what_is_sent_is_counted() {
    let mut world = world();
    let trouble = Trouble::Loss(300);
    assert!(world.strike(&Fault::Links { trouble, on: Ways::To(host(1)) }));
    for _ in 0..10_000 {
        world.send(0, 1, vec![0; 38]);
    }
    let came = heard(&mut world, Span::seconds(1)).len();
    assert!((6_800..7_200).contains(&came), "{came}");
    let sent = world.sent().next().expect("the first host");
    assert_eq!((sent.packets, sent.bytes), (10_000, 1_000_000));
    assert_eq!(world.now(), Moment::from_milliseconds(1_000));
}
