use vocabulary::{
    Boot, CheckFrom, CheckGrounds, Claims, ClusterName, Digest, Domain, Epoch, Grade, GroupName,
    HostName, LedgerIndex, PublicKey, Roles, Sequence, Signature, Span,
};

use super::*;
use crate::roster::Entry;

const BOOT: Boot = Boot { number: 1, nonce: 1 };

fn at(ms: u64) -> Moment {
    Moment::from_milliseconds(100_000 + ms)
}

fn label(text: &str) -> Label {
    Label::new(text).expect("sound")
}

fn host(number: usize) -> HostId {
    let cluster = ClusterName::new("test").expect("sound");
    HostId::derive(&cluster, &HostName::new(&format!("h{number}")).expect("sound"))
}

fn roster(hosts: usize) -> Roster {
    let cluster = ClusterName::new("test").expect("sound");
    let mut roster = Roster::new(cluster.clone());
    for number in 0..hosts {
        let rack = label(&format!("rack{number}"));
        let claims = Claims {
            cluster: cluster.clone(),
            host: HostName::new(&format!("h{number}")).expect("sound"),
            domain: Domain { region: label("r"), zone: label("z"), rack },
            group: GroupName::new("web").expect("sound"),
            roles: Roles::default(),
        };
        let mut entry = Entry::enrolled(claims, PublicKey([0; 32]), LedgerIndex(1));
        entry.boot = Some(BOOT);
        roster.put(entry);
    }
    roster
}

fn anchor(index: u64) -> Anchor {
    Anchor { index: LedgerIndex(index), audit: Digest::of(&[b"audit"]) }
}

fn key(number: usize, check: &str) -> Key {
    (host(number), label(check))
}

/// A leader in virtual time: ticks come at once, and whoever is asked answers at once unless it is mute.
struct Leader {
    rounds: Rounds,
    roster: Arc<Roster>,
    seating: Arc<Seating>,
    now: Moment,
    index: u64,
    mute: BTreeSet<HostId>,
    looks: Vec<(Moment, HostId, Key)>,
    ended: Vec<(Moment, CheckGrounds)>,
    ticks: usize,
}

impl Leader {
    fn of(hosts: usize) -> Self {
        let roster = Arc::new(roster(hosts));
        let seating = Arc::new(Seating::new(&roster));
        let mut leader = Self {
            rounds: Rounds::new(),
            roster,
            seating,
            now: at(0),
            index: 7,
            mute: BTreeSet::new(),
            looks: Vec::new(),
            ended: Vec::new(),
            ticks: 0,
        };
        leader.tick();
        let named = |from| Named { from, groups: BTreeSet::new() };
        let other = BTreeSet::from([GroupName::new("db").expect("sound")]);
        let checks = BTreeMap::from([
            (label("web"), named(CheckFrom::Peers)),
            (label("disk"), named(CheckFrom::Own)),
            (label("both"), named(CheckFrom::Both)),
            (label("db"), Named { from: CheckFrom::Peers, groups: other }),
        ]);
        leader.tell(Event::ChecksChanged { checks });
        leader
    }

    fn tick(&mut self) {
        self.index += 1;
        let (roster, seating) = (Arc::clone(&self.roster), Arc::clone(&self.seating));
        self.tell(Event::StateChanged { anchor: anchor(self.index), roster, seating });
    }

    fn tell(&mut self, event: Event) {
        for effect in self.rounds.handle(self.now, event) {
            match effect {
                Effect::Look { to, subject, boot, anchor, epoch, check } => {
                    let key = (subject, check.clone());
                    self.looks.push((self.now, to, key));
                    assert_eq!((boot, epoch), (BOOT, self.roster.epoch));
                    if !self.mute.contains(&to) {
                        let word = Box::new(word((to, (subject, check)), anchor));
                        self.tell(Event::Said { word });
                    }
                }
                Effect::Ended { grounds, .. } => self.ended.push((self.now, *grounds)),
                Effect::Freshen => {
                    self.ticks += 1;
                    self.tick();
                }
            }
        }
    }

    /// So many of the subject's observers find these checks of it failing.
    fn note(&mut self, observers: usize, (subject, check): &Key) {
        let observers = self.seating.observers(subject)[..observers].to_vec();
        for by in observers {
            self.note_by(by, &[(*subject, check.clone())]);
        }
    }

    fn note_by(&mut self, by: HostId, keys: &[Key]) {
        let note = |(subject, check): &Key| UnfitNote {
            subject: *subject,
            boot: BOOT,
            check: check.clone(),
        };
        self.tell(Event::Noted { by, notes: keys.iter().map(note).collect() });
    }

    /// Those who noted something tell it again every two seconds.
    fn run_for(&mut self, ms: u64) {
        self.run_noting(ms, &[]);
    }

    fn run_noting(&mut self, ms: u64, noting: &[(usize, Key)]) {
        let end = self.now.after(Span::milliseconds(ms));
        let mut again = self.now;
        loop {
            let due = self.rounds.next_deadline().filter(|due| *due <= end);
            let telling = (!noting.is_empty() && again <= end).then_some(again);
            let Some(next) = due.into_iter().chain(telling).min() else {
                break;
            };
            self.now = self.now.max(next);
            if telling == Some(next) {
                again = again.after(Span::seconds(2));
                noting.iter().for_each(|(observers, key)| self.note(*observers, key));
            } else {
                self.tell(Event::DeadlineReached);
            }
        }
        self.now = end;
    }

    /// When rounds of this check began.
    fn rounds_of(&self, key: &Key) -> Vec<u64> {
        let of = self.looks.iter().filter(|(_, to, looked)| looked == key && *to == key.0);
        of.map(|(at, ..)| at.since(self::at(0)).as_milliseconds()).collect()
    }

    fn asked_about(&self, key: &Key) -> BTreeSet<HostId> {
        let of = self.looks.iter().filter(|(.., looked)| looked == key);
        of.map(|(_, to, _)| *to).collect()
    }
}

fn word((author, (subject, check)): (HostId, Key), anchor: Anchor) -> CheckWord {
    CheckWord {
        subject,
        subject_boot: BOOT,
        author,
        author_boot: BOOT,
        key: PublicKey([0; 32]),
        sequence: Sequence(1),
        epoch: Epoch(1),
        anchor,
        check,
        grade: Grade::Failed,
        signature: Signature([0; 32], [0; 32]),
    }
}

#[test]
fn law_fd3_what_one_of_many_observers_says_holds_no_round_and_what_two_say_does() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    leader.note(1, &web);
    leader.run_for(3_000);
    assert_eq!(leader.looks, [], "f may lie");
    leader.note(2, &web);
    let mut asked: BTreeSet<HostId> = leader.seating.observers(&web.0).iter().copied().collect();
    asked.insert(web.0);
    assert_eq!(leader.asked_about(&web), asked, "all observers, and the subject");
    let (_, grounds) = &leader.ended[0];
    assert_eq!(grounds.words.len(), asked.len());
}

#[test]
fn law_fd3_who_holds_no_seat_says_nothing_and_a_host_says_of_itself_what_it_is_asked_alone() {
    let mut leader = Leader::of(30);
    let web = key(3, "web");
    let strangers =
        (0..30).map(host).filter(|host| *host != web.0 && !leader.seating.holds(host, &web.0));
    for stranger in strangers.collect::<Vec<_>>() {
        leader.note_by(stranger, std::slice::from_ref(&web));
    }
    leader.note_by(web.0, &[web.clone(), key(3, "db"), key(3, "unheard-of")]);
    leader.note(5, &key(3, "db"));
    leader.note(5, &key(3, "disk"));
    assert_eq!(leader.looks, []);
    leader.note_by(web.0, &[key(3, "disk"), key(3, "both")]);
    assert_eq!(leader.asked_about(&key(3, "disk")), BTreeSet::from([web.0]));
    assert_eq!(leader.asked_about(&key(3, "both")).len(), 11, "it was told by the host itself");
}

#[test]
fn law_fd1_a_check_is_looked_at_once_a_second_and_rarely_once_its_case_stands() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    leader.run_noting(4_500, &[(5, web.clone())]);
    assert_eq!(leader.rounds_of(&web), [0, 1_000, 2_000, 3_000, 4_000]);
    let open = BTreeSet::from([web.clone()]);
    let (taken, down) = (BTreeSet::new(), BTreeSet::new());
    leader.tell(Event::CasesChanged { open, taken, down });
    leader.run_for(15_000);
    let later = &leader.rounds_of(&web)[5..];
    assert_eq!(later, [9_000, 14_000, 19_000], "and its end is looked for, whoever notes it");
}

#[test]
fn law_fd1_what_ten_rounds_have_not_settled_is_looked_at_rarely_until_the_notes_end() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    leader.run_noting(30_500, &[(5, web.clone())]);
    let rounds = leader.rounds_of(&web);
    assert_eq!(rounds[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|second| second * 1_000));
    assert_eq!(rounds[10..], [14_000, 19_000, 24_000, 29_000]);
    leader.run_for(10_000);
    leader.note(5, &web);
    assert_eq!(leader.rounds_of(&web).last(), Some(&40_500), "anew, and at once");
}

#[test]
fn law_fd1_ten_rounds_a_second_at_most_and_the_longest_waiting_first() {
    let mut leader = Leader::of(30);
    let keys: Vec<Key> = (0..30).map(|number| key(number, "both")).collect();
    for key in &keys {
        leader.note_by(key.0, std::slice::from_ref(key));
    }
    leader.run_for(5_900);
    for second in 0..5_u64 {
        let began: usize = keys
            .iter()
            .flat_map(|key| leader.rounds_of(key))
            .filter(|ms| (second * 1_000..(second + 1) * 1_000).contains(ms))
            .count();
        assert_eq!(began, ROUNDS_PER_SECOND, "second {second}");
    }
    let turns: Vec<usize> = keys.iter().map(|key| leader.rounds_of(key).len()).collect();
    assert!(turns.iter().all(|turns| *turns == 1 || *turns == 2), "each has its turn: {turns:?}");
}

#[test]
fn law_fd2_a_round_ends_when_all_have_answered_or_after_its_time() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    let mute = leader.seating.observers(&web.0)[4];
    leader.mute.insert(mute);
    leader.note(3, &web);
    assert_eq!(leader.ended, [], "one is waited for");
    leader.run_for(2_000);
    let (ended, grounds) = &leader.ended[0];
    assert_eq!((*ended, grounds.words.len()), (at(0).after(SET_WITHIN), 10));
    let asked = leader.seating.observers(&web.0).to_vec();
    leader.note(3, &web);
    let before = leader.ended.len();
    let anchor = anchor(leader.index);
    leader.tell(Event::Silent { from: mute, key: web.clone(), anchor });
    assert_eq!(leader.ended.len(), before + 1, "who cannot be asked is not waited for");
    assert!(asked.contains(&mute));
}

#[test]
fn law_fd2_a_round_that_its_leader_ends_long_after_its_time_bears_nothing() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    leader.mute.insert(leader.seating.observers(&web.0)[4]);
    leader.note(3, &web);
    leader.now = leader.now.after(SET_WITHIN).after(AWAY_AFTER).after(Span::milliseconds(1));
    leader.tell(Event::DeadlineReached);
    assert_eq!(leader.ended, [], "the leader was away");
    leader.note(3, &web);
    leader.run_for(2_000);
    assert_eq!(leader.ended.len(), 1, "it is held again");
}

#[test]
fn nobodys_word_is_taken_but_once_of_whoever_was_asked() {
    let mut leader = Leader::of(30);
    let web = key(3, "web");
    let silent = leader.seating.observers(&web.0)[4];
    leader.mute.insert(silent);
    leader.note(3, &web);
    let anchor = anchor(leader.index);
    let strangers = (0..30).map(host).filter(|host| !leader.seating.holds(host, &web.0));
    let authors: Vec<HostId> = strangers.chain([leader.seating.observers(&web.0)[0]]).collect();
    for author in authors {
        leader.tell(Event::Said { word: Box::new(word((author, web.clone()), anchor)) });
    }
    leader.run_for(1_500);
    assert_eq!(leader.ended[0].1.words.len(), 10, "nine observers and the subject");
}

#[test]
fn law_fd4_what_was_said_is_replaced_as_a_whole_and_forgotten_when_it_is_not_said_again() {
    let mut leader = Leader::of(12);
    let (web, both) = (key(3, "web"), key(3, "both"));
    leader.note(3, &web);
    assert!(leader.rounds.is_noted(&web));
    leader.note(2, &both);
    assert!(!leader.rounds.is_noted(&web), "one of three says so still");
    assert_eq!(leader.rounds.noted_by(&web).len(), 1);
    leader.run_for(5_900);
    assert!(leader.rounds.is_noted(&both));
    leader.run_for(200);
    assert!(!leader.rounds.is_noted(&both));
    let looked = leader.looks.len();
    leader.run_for(10_000);
    assert_eq!((leader.looks.len(), leader.rounds.next_deadline()), (looked, None));
}

#[test]
fn nobody_that_is_down_is_asked_or_looked_at() {
    let mut leader = Leader::of(12);
    let web = key(3, "web");
    let down = BTreeSet::from([leader.seating.observers(&web.0)[1], host(5)]);
    let (open, taken) = (BTreeSet::from([key(5, "web")]), BTreeSet::new());
    leader.tell(Event::CasesChanged { open, taken, down: down.clone() });
    leader.note(3, &key(5, "web"));
    leader.note(3, &web);
    leader.run_for(3_000);
    assert!(leader.asked_about(&web).is_disjoint(&down));
    assert_eq!(leader.asked_about(&key(5, "web")), BTreeSet::new(), "that is for reach");
}

#[test]
fn rounds_hang_on_a_fresh_entry_and_never_two_of_one_check_on_one() {
    let mut leader = Leader::of(12);
    leader.run_for(4_000);
    let web = key(3, "web");
    leader.run_noting(3_500, &[(5, web)]);
    assert_eq!(leader.ended.len(), 4);
    assert_eq!(leader.ticks, 4);
    let anchors: BTreeSet<Anchor> =
        leader.ended.iter().map(|(_, grounds)| grounds.anchor).collect();
    assert_eq!(anchors.len(), 4);
}

#[test]
fn law_d11_who_begins_to_lead_has_an_entry_of_its_own_before_it_asks_anybody() {
    let mut leader = Leader::of(12);
    leader.tell(Event::Deposed);
    let (ticks, before) = (leader.ticks, leader.index);
    leader.tick();
    leader.note(5, &key(3, "web"));
    assert_eq!((leader.ticks, leader.index), (ticks + 1, before + 2), "a tick was asked for");
    let hang_on = leader.ended.iter().map(|(_, grounds)| grounds.anchor);
    assert!(hang_on.eq([anchor(before + 2)]), "{:?}", leader.ended);
}

#[test]
fn a_leader_that_is_deposed_leaves_nothing_behind() {
    let mut leader = Leader::of(12);
    leader.mute = (0..12).map(host).collect();
    leader.note(5, &key(3, "web"));
    leader.tell(Event::Deposed);
    assert_eq!(leader.rounds.next_deadline(), None);
    leader.run_for(3_000);
    assert_eq!(leader.ended, []);
}
