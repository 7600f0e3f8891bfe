//! Is what stands still told from what rests, once and with its name, whatever the process was stopped for in between?

use super::*;

const MIB: u64 = 1 << 20;

const BOUNDS: MemoryBounds = MemoryBounds { ceiling: 100 * MIB };

/// The judge and the moment it is at; a look a second.
struct Watch {
    judge: Judge,
    now: Moment,
}

impl Watch {
    fn begun() -> Self {
        Self { judge: Judge::new(BOUNDS), now: Moment::from_milliseconds(1_000_000) }
    }

    fn looks(&mut self, seconds: u64, look: &Look) -> Vec<Change> {
        (0..seconds).flat_map(|_| self.after(Span::seconds(1), look)).collect()
    }

    fn after(&mut self, pause: Span, look: &Look) -> Vec<Change> {
        self.now = self.now.after(pause);
        self.judge.handle(self.now, look)
    }
}

fn worker(name: &'static str, count: u64, is_busy: bool) -> Worker {
    let beat = Beat { count, is_busy, is_gone: false };
    let is_the_loop = name == "the loop";
    Worker { name, within: Span::seconds(5), is_vital: is_the_loop, is_the_loop, beat }
}

fn of(worker: Worker) -> Look {
    Look { workers: vec![worker], doing: Some("a datagram"), ..Look::default() }
}

fn queue(used: usize) -> Look {
    let fill = Fill { name: "events", used, bound: 100 };
    Look { queues: vec![fill], ..Look::default() }
}

fn memory(mib: u64) -> Look {
    Look { memory: Some(mib * MIB), ..Look::default() }
}

fn begun(changes: &[Change]) -> Vec<String> {
    let told = changes.iter().filter_map(|change| match change {
        Change::Begins(trouble) => Some(trouble.to_string()),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_loop_that_stands_still_is_named_once_with_what_it_is_at_and_starves_the_watchdog() {
    let mut watch = Watch::begun();
    let stands = of(worker("the loop", 7, true));
    assert_eq!(watch.looks(6, &stands), []);
    assert!(watch.judge.is_vital_well());
    let told = watch.looks(60, &stands);
    assert_eq!(begun(&told), ["the loop stands still for 6 s, with a datagram"]);
    assert_eq!(told.len(), 1, "once: {told:?}");
    assert!(!watch.judge.is_vital_well());
    assert_eq!(
        watch.judge.report().troubles,
        ["the loop stands still for 1 min 5 s, with a datagram"]
    );
    let told = watch.looks(1, &of(worker("the loop", 8, true)));
    assert!(matches!(&told[..], [Change::Ends(Trouble::Stuck { name: "the loop", .. })]));
    assert!(watch.judge.is_vital_well());
}

#[test]
fn what_turns_and_what_rests_is_well() {
    let mut watch = Watch::begun();
    for count in 0..600 {
        assert_eq!(watch.looks(1, &of(worker("the loop", count, true))), []);
    }
    let mut watch = Watch::begun();
    assert_eq!(watch.looks(600, &of(worker("the store", 7, false))), []);
    assert!(watch.judge.is_vital_well());
}

#[test]
fn a_rest_begins_the_count_anew() {
    let mut watch = Watch::begun();
    for _ in 0..10 {
        assert_eq!(watch.looks(5, &of(worker("the store", 7, true))), []);
        assert_eq!(watch.looks(1, &of(worker("the store", 7, false))), []);
    }
}

/// Law SW3: an hour under SIGSTOP, in a debugger or in a suspended machine.
#[test]
fn an_hour_in_which_nobody_looked_is_no_hour_in_which_the_loop_stood_still() {
    let mut watch = Watch::begun();
    let stands = of(worker("the loop", 7, true));
    assert_eq!(watch.looks(2, &stands), []);
    assert_eq!(watch.after(Span::seconds(3_600), &stands), []);
    assert!(watch.judge.is_vital_well());
    assert!(!watch.looks(2, &stands).is_empty(), "but looks count again");
}

#[test]
fn a_worker_that_has_ended_is_named_and_only_a_vital_one_starves_the_watchdog() {
    for (name, is_fed) in [("the pager", true), ("the loop", false)] {
        let mut watch = Watch::begun();
        let mut ended = worker(name, 0, false);
        ended.beat.is_gone = true;
        let told = watch.looks(9, &of(ended));
        assert_eq!(begun(&told), [format!("{name} has ended")]);
        assert_eq!(watch.judge.is_vital_well(), is_fed);
    }
}

#[test]
fn a_queue_is_told_when_it_stays_full_and_not_for_a_burst() {
    let mut watch = Watch::begun();
    for _ in 0..20 {
        assert_eq!(watch.looks(1, &queue(100)), []);
        assert_eq!(watch.looks(1, &queue(10)), []);
    }
    let told = watch.looks(5, &queue(90));
    assert_eq!(begun(&told), ["the queue of events holds 90 of 100"]);
    for used in [60, 85, 70, 99] {
        assert_eq!(watch.looks(1, &queue(used)), [], "law SW4");
    }
    assert!(matches!(&watch.looks(1, &queue(49))[..], [Change::Ends(_)]));
}

#[test]
fn memory_is_told_at_four_fifths_let_go_of_at_the_ceiling_and_the_end_is_a_quarter_above() {
    let mut watch = Watch::begun();
    assert_eq!(watch.looks(60, &memory(79)), []);
    let told = watch.looks(60, &memory(80));
    assert_eq!(begun(&told), ["memory: 80 MiB of 100 MiB (limits.memory_max)"]);
    let told = watch.looks(60, &memory(100));
    assert_eq!(told.iter().filter(|change| **change == Change::LetGo).count(), 6, "each 10 s");
    assert_eq!(begun(&told).len(), 1);
    assert!(!told.iter().any(|change| matches!(change, Change::End(_))));
    // A moment beyond the end is no end.
    watch.looks(9, &memory(130));
    watch.looks(1, &memory(124));
    let told = watch.looks(10, &memory(125));
    assert!(!told.iter().any(|change| matches!(change, Change::End(_))), "{told:?}");
    let told = watch.looks(1, &memory(125));
    assert!(told.contains(&Change::End(Share { used: 125 * MIB, bound: 100 * MIB })), "{told:?}");
}

#[test]
fn descriptors_are_told_at_seven_tenths_of_the_limit() {
    let mut watch = Watch::begun();
    let open = |used| {
        let descriptors = Some(Share { used, bound: 256 });
        Look { descriptors, ..Look::default() }
    };
    assert_eq!(watch.looks(9, &open(179)), []);
    let told = begun(&watch.looks(9, &open(180)));
    assert!(told[0].starts_with("180 of 256 descriptors are open"), "{told:?}");
    assert_eq!(watch.looks(9, &open(160)), []);
    assert_eq!(watch.looks(9, &open(150)).len(), 1);
}

#[test]
fn late_timers_are_told_from_a_second_on() {
    let mut watch = Watch::begun();
    let late = |ms| Look { late: Span::milliseconds(ms), ..Look::default() };
    assert_eq!(watch.looks(9, &late(999)), []);
    assert_eq!(watch.looks(1, &late(1_500)), [], "a hiccup");
    assert_eq!(watch.looks(1, &late(20)), []);
    assert_eq!(watch.after(Span::minutes(1), &late(59_000)), [], "law SW3");
    assert_eq!(watch.looks(1, &late(59_000)), []);
    assert_eq!(begun(&watch.looks(9, &late(1_500))), ["timers are 1.5 s late"]);
    assert_eq!(watch.looks(9, &late(300)), []);
    assert_eq!(watch.looks(9, &late(20)).len(), 1);
}
