use std::sync::Arc;

use vocabulary::{
    Anchor, Boot, CheckFrom, ClusterName, Digest, Epoch, Grade, HostId, Label, LedgerIndex, Moment,
    PublicKey, Signature, Signer, Span,
};

use super::*;

struct Stub;

impl Signer for Stub {
    fn public_key(&self) -> PublicKey {
        PublicKey([7; 32])
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature(Digest::of(&[message]).0, [0; 32])
    }
}

const ME: HostId = HostId([1; 16]);
const SUBJECT: HostId = HostId([2; 16]);
const OTHER: HostId = HostId([3; 16]);
const BOOT: Boot = Boot { number: 4, nonce: 5 };
const EVERY: Span = Span::seconds(5);

fn at(ms: u64) -> Moment {
    Moment::from_milliseconds(ms)
}

fn check(name: &str) -> Label {
    Label::new(name).expect("sound")
}

fn anchor(index: u64) -> Anchor {
    Anchor { index: LedgerIndex(index), audit: Digest::of(&[b"audit"]) }
}

fn duty(subject: HostId, name: &str, from: CheckFrom) -> Duty {
    Duty {
        subject,
        boot: Some(BOOT),
        check: check(name),
        from,
        port: 8_080,
        every: EVERY,
        timeout: Span::seconds(1),
        fails_after: 3,
        recovers_after: 2,
    }
}

/// A host with these duties, and the state of its ports.
struct Host {
    watch: Watch,
    now: Moment,
    fails: BTreeSet<HostId>,
    /// Runs as they were asked.
    runs: Vec<(Moment, HostId)>,
    /// Everything else it wanted, in order.
    said: Vec<(Moment, Effect)>,
}

impl Host {
    fn with(duties: Vec<Duty>) -> Self {
        let cluster = ClusterName::new("test").expect("sound");
        let identity = Identity { cluster, host: ME, boot: BOOT, signer: Arc::new(Stub) };
        let mut host = Self {
            watch: Watch::new(identity, 11),
            now: at(10_000),
            fails: BTreeSet::new(),
            runs: Vec::new(),
            said: Vec::new(),
        };
        host.tell(Event::DutiesChanged { epoch: Epoch(9), duties });
        host
    }

    /// Its ports answer at once.
    fn tell(&mut self, event: Event) {
        let mut ended = Vec::new();
        for effect in self.watch.handle(self.now, event) {
            match effect {
                Effect::Run { id, subject, .. } => {
                    self.runs.push((self.now, subject));
                    let fails = self.fails.contains(&subject);
                    let grade = if fails { Grade::Failed } else { Grade::Ok };
                    ended.push(Event::Ran { id, grade });
                }
                other => self.said.push((self.now, other)),
            }
        }
        ended.into_iter().for_each(|event| self.tell(event));
    }

    fn run_for(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(due) = self.watch.next_deadline().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.tell(Event::DeadlineReached);
        }
        self.now = self.now.max(end);
    }

    /// What it told the leader: when, and how many checks fail.
    fn told(&self) -> Vec<(Moment, usize)> {
        let told = self.said.iter().filter_map(|(at, said)| match said {
            Effect::Tell(notes) => Some((*at, notes.len())),
            _ => None,
        });
        told.collect()
    }

    fn ask(&mut self, id: u64, (subject, name): (HostId, &str)) -> Option<Effect> {
        let ask = Ask { id, subject, boot: BOOT, anchor: anchor(7), check: check(name) };
        let before = self.said.len();
        self.tell(Event::Asked(ask));
        self.said.get(before).map(|(_, said)| said.clone())
    }
}

fn word(said: Option<Effect>) -> CheckWord {
    match said {
        Some(Effect::Say { word, .. }) => *word,
        other => panic!("expected a word, found {other:?}"),
    }
}

#[test]
fn law_fw1_a_check_stands_failed_after_so_many_failures_in_a_row_and_recovers_after_so_many_successes()
 {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.run_for(EVERY.times(4));
    assert_eq!((host.runs.len(), host.told()), (4, vec![]), "well, and nobody is told");
    host.fails.insert(SUBJECT);
    host.run_for(EVERY.times(2));
    assert_eq!(host.told(), vec![], "two failures are not three");
    host.run_for(EVERY);
    let (third, _) = host.runs[6];
    assert_eq!(host.told()[0], (third, 1), "told at once");
    host.fails.clear();
    host.run_for(EVERY);
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(1), "one success is not two");
    host.run_for(EVERY);
    let (last, failing) = *host.told().last().expect("told");
    assert_eq!((last, failing), (host.runs[8].0, 0), "that it is over is told once");
    let told = host.told().len();
    host.run_for(EVERY.times(10));
    assert_eq!(host.told().len(), told);
}

#[test]
fn law_fw1_a_check_that_flaps_faster_than_it_fails_is_told_to_nobody() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    for turn in 0..40 {
        if turn % 3 == 0 {
            host.fails.clear();
        } else {
            host.fails.insert(SUBJECT);
        }
        host.run_for(EVERY);
    }
    assert_eq!(host.told(), vec![]);
}

#[test]
fn what_fails_is_told_again_every_two_seconds_and_at_once_to_another_leader() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.fails.insert(SUBJECT);
    host.run_for(EVERY.times(3));
    let first = host.told()[0].0;
    host.run_for(Span::seconds(7));
    let told: Vec<u64> =
        host.told().iter().map(|(at, _)| at.since(first).as_milliseconds()).collect();
    assert!(told.windows(2).all(|two| two[1] - two[0] == 2_000), "{told:?}");
    let before = host.told().len();
    host.tell(Event::LeaderChanged);
    assert_eq!(host.told().len(), before + 1);
}

#[test]
fn the_first_runs_of_many_duties_are_spread_over_the_time_between_two() {
    let subjects = (10..60).map(|number| HostId([number; 16]));
    let duties = subjects.map(|subject| duty(subject, "web", CheckFrom::Peers)).collect();
    let mut host = Host::with(duties);
    host.run_for(EVERY);
    assert_eq!(host.runs.len(), 50);
    let in_second = |second: u64| {
        let from = at(10_000).after(Span::seconds(second));
        host.runs.iter().filter(|(at, _)| at.since(from) < Span::seconds(1) && *at >= from).count()
    };
    assert!((0..5).all(|second| in_second(second) <= 20), "no burst");
}

#[test]
fn law_fw2_on_a_subject_in_doubt_nothing_runs_nothing_is_told_and_nothing_is_claimed() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.fails.insert(SUBJECT);
    host.run_for(EVERY.times(3));
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(1));
    host.tell(Event::DoubtsChanged { doubted: BTreeSet::from([SUBJECT]) });
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(0), "that is for reach");
    let (runs, told) = (host.runs.len(), host.told().len());
    host.run_for(EVERY.times(5));
    assert_eq!((host.runs.len(), host.told().len()), (runs, told));
    assert_eq!(word(host.ask(1, (SUBJECT, "web"))).grade, Grade::Unknown);
    host.tell(Event::DoubtsChanged { doubted: BTreeSet::new() });
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(1), "it still fails");
}

#[test]
fn law_fw3_who_was_late_while_a_check_ran_has_seen_no_failure_of_it() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    let due = host.watch.next_deadline().expect("a duty runs");
    let mut now = due;
    for _ in 0..5 {
        let [Effect::Run { id, .. }] = host.watch.handle(now, Event::DeadlineReached)[..] else {
            panic!("a run is due");
        };
        host.watch.handle(now, Event::WasLate { by: Span::milliseconds(201) });
        let ran = Event::Ran { id, grade: Grade::Failed };
        assert_eq!(host.watch.handle(now.after(Span::milliseconds(300)), ran), []);
        now = host.watch.next_deadline().expect("a duty runs");
    }
    let now = now.before(Span::seconds(1));
    let ask = Ask { id: 1, subject: SUBJECT, boot: BOOT, anchor: anchor(7), check: check("web") };
    let [Effect::Run { id, .. }] = host.watch.handle(now, Event::Asked(ask))[..] else {
        panic!("a look runs the check");
    };
    // Its own deadline passed unseen: it was away.
    let now = now.after(EVERY);
    let ran = Event::Ran { id, grade: Grade::Failed };
    let effects = host.watch.handle(now, ran);
    let said = effects.iter().find_map(|effect| match effect {
        Effect::Say { word, .. } => Some(word.grade),
        _ => None,
    });
    assert_eq!(said, Some(Grade::Unknown));
}

/// Runs until the leader has been told that so many checks fail.
fn until_told(host: &mut Host, notes: usize) {
    let end = host.now.after(EVERY.times(8));
    while host.told().last().map(|(_, told)| *told) != Some(notes) {
        assert!(host.now < end, "told {notes} by now: {:?}", host.told());
        host.now = host.watch.next_deadline().expect("a duty runs");
        host.tell(Event::DeadlineReached);
    }
}

#[test]
fn law_fw3_what_failed_while_its_sockets_stood_still_is_taken_back_once_they_do_no_longer() {
    let mut host = Host::with(vec![duty(ME, "web", CheckFrom::Own)]);
    host.fails.insert(ME);
    until_told(&mut host, 1);
    host.now = host.now.after(Span::seconds(4));
    host.tell(Event::SocketsLost);
    assert_eq!(host.told().last(), Some(&(host.now, 0)), "it is told no longer");
    assert_eq!(host.watch.own_failing().count(), 0);
    let taken_back = host.now;
    until_told(&mut host, 1);
    assert!(host.now.since(taken_back) > EVERY.times(2), "three more had to fail");
    host.now = host.now.after(Span::milliseconds(900));
    host.tell(Event::WasLate { by: Span::milliseconds(500) });
    assert_eq!(host.watch.own_failing().count(), 1, "it had failed before that");
}

#[test]
fn asked_by_the_leader_it_runs_the_check_at_once_and_signs_what_it_read() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.fails.insert(SUBJECT);
    let word = word(host.ask(1, (SUBJECT, "web")));
    let said = (word.subject, word.author, word.grade, word.anchor, word.epoch);
    assert_eq!(said, (SUBJECT, ME, Grade::Failed, anchor(7), Epoch(9)));
    assert_eq!(word.check, check("web"));
    let signature = Stub.sign(&word.signed_bytes("test"));
    assert_eq!(word.signature, signature);
}

#[test]
fn law_fw4_asked_twice_for_one_round_it_gives_the_same_word() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    let first = word(host.ask(1, (SUBJECT, "web")));
    host.fails.insert(SUBJECT);
    assert_eq!(word(host.ask(2, (SUBJECT, "web"))), first);
    let later = Ask { id: 3, subject: SUBJECT, boot: BOOT, anchor: anchor(8), check: check("web") };
    host.tell(Event::Asked(later));
    let later = word(host.said.last().map(|(_, said)| said.clone()));
    assert_eq!(later.grade, Grade::Failed, "another round is another look");
    assert!(later.sequence > first.sequence);
}

#[test]
fn law_fw4_an_old_word_is_not_given_again_and_no_other_is_made_under_its_anchor() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    let first = word(host.ask(1, (SUBJECT, "web")));
    host.now = host.now.after(REPEATED_FOR);
    assert_eq!(word(host.ask(2, (SUBJECT, "web"))), first);
    host.now = host.now.after(Span::milliseconds(1));
    let refused = Effect::Refuse { ask: 3, why: Unavailable::TooLate };
    assert_eq!(host.ask(3, (SUBJECT, "web")), Some(refused));
}

#[test]
fn the_subject_itself_signs_that_it_is_there_whoever_carries_the_check_out() {
    let duties = vec![duty(ME, "web", CheckFrom::Peers), duty(ME, "disk", CheckFrom::Both)];
    let mut host = Host::with(duties);
    host.fails.insert(ME);
    host.run_for(EVERY.times(3));
    let note = UnfitNote { subject: ME, boot: BOOT, check: check("disk") };
    let told = Effect::Tell(vec![note]);
    assert!(!host.said.is_empty(), "it runs its own checks alone");
    assert!(host.said.iter().all(|(_, said)| *said == told), "{:?}", host.said);
    assert_eq!(host.watch.own_failing().collect::<Vec<_>>(), [&check("disk")]);
    assert_eq!(word(host.ask(1, (ME, "web"))).grade, Grade::Unknown);
    assert_eq!(word(host.ask(2, (ME, "disk"))).grade, Grade::Failed);
    assert_eq!(word(host.ask(3, (ME, "unheard-of"))).grade, Grade::Unknown);
}

#[test]
fn whoever_holds_no_such_duty_has_no_word() {
    let mut host = Host::with(vec![duty(SUBJECT, "disk", CheckFrom::Own)]);
    let why = Unavailable::NotMine;
    for (subject, name) in [(SUBJECT, "web"), (OTHER, "disk"), (SUBJECT, "disk")] {
        let refused = host.ask(1, (subject, name));
        assert_eq!(refused, Some(Effect::Refuse { ask: 1, why: why.clone() }));
    }
    host.run_for(EVERY.times(3));
    assert_eq!(host.runs, [], "the host itself carries it out");
}

#[test]
fn law_fw5_beyond_so_many_looks_at_once_the_leader_is_told_so() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    let now = host.now;
    for index in 0..LOOKS_MAX as u64 {
        let ask = Ask {
            id: index,
            subject: SUBJECT,
            boot: BOOT,
            anchor: anchor(index),
            check: check("web"),
        };
        let effects = host.watch.handle(now, Event::Asked(ask));
        assert!(matches!(effects[..], [Effect::Run { .. }]), "{effects:?}");
    }
    let refused = host.ask(99, (SUBJECT, "web"));
    assert!(
        matches!(refused, Some(Effect::Say { .. }) | None),
        "the round that is under way takes another asker: {refused:?}"
    );
    let ask =
        Ask { id: 100, subject: SUBJECT, boot: BOOT, anchor: anchor(999), check: check("web") };
    let effects = host.watch.handle(now, Event::Asked(ask));
    assert!(
        matches!(effects[..], [Effect::Refuse { ask: 100, why: Unavailable::Busy(_) }]),
        "{effects:?}"
    );
}

#[test]
fn with_other_settings_a_check_begins_anew_and_with_another_roster_it_goes_on() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.fails.insert(SUBJECT);
    host.run_for(EVERY.times(3));
    let tell = |host: &mut Host, duty: Duty| {
        host.tell(Event::DutiesChanged { epoch: Epoch(10), duties: vec![duty] });
    };
    tell(&mut host, duty(SUBJECT, "web", CheckFrom::Peers));
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(1), "the same duty");
    let newer = Boot { number: 5, nonce: 6 };
    tell(&mut host, Duty { boot: Some(newer), ..duty(SUBJECT, "web", CheckFrom::Peers) });
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(0), "a new life");
    host.run_for(EVERY.times(3));
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(1));
    let other = Duty { port: 9_090, ..duty(SUBJECT, "web", CheckFrom::Peers) };
    tell(&mut host, other);
    assert_eq!(host.told().last().map(|(_, failing)| *failing), Some(0), "another check");
    host.tell(Event::DutiesChanged { epoch: Epoch(11), duties: vec![] });
    assert_eq!(host.watch.next_deadline(), None, "a host without duties is woken by nobody");
}

#[test]
fn whoever_was_away_runs_each_check_once_and_not_once_for_each_time_it_has_missed() {
    let mut host = Host::with(vec![duty(SUBJECT, "web", CheckFrom::Peers)]);
    host.run_for(EVERY);
    host.now = host.now.after(EVERY.times(20));
    host.tell(Event::DeadlineReached);
    assert_eq!(host.runs.len(), 2);
    assert!(host.watch.next_deadline().is_some_and(|due| due > host.now));
}
