//! What do the words of one round on one check add up to? Small stories, one rule each, and all words of small fleets.

use std::collections::BTreeSet;

use detection::fitness::{Asked, Fitness, NotUnfit, UnfitVerdict, VerifiedWords, judge};
use detection::roster::{Entry, Roster};
use detection::seats::Seating;
use detection::verdict::{Court, Fleet, Void, needed, tolerated};
use vocabulary::{
    Anchor, Boot, CertificateChain, CertificateFault, CheckFrom, CheckGrounds, CheckWord, Claims,
    ClusterName, Digest, Domain, Epoch, Grade, GroupName, HostId, HostName, Label, LedgerIndex,
    PublicKey, Roles, Sequence, Signature, Signer, Verifier,
};

/// A keyed hash whose key is what it is checked by: enough where nobody in the story forges.
#[derive(Clone, Copy)]
struct Seal(PublicKey);

impl Signer for Seal {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let half = Digest::of(&[&self.0.0, message]).0;
        Signature(half, half)
    }
}

struct Seals;

impl Verifier for Seals {
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        Seal(*key).sign(message) == *signature
    }

    fn claims(
        &self,
        _: &[Vec<u8>],
        _: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        Err(CertificateFault::Unreadable)
    }
}

const PRESENT: Boot = Boot { number: 3, nonce: 33 };

fn label(text: &str) -> Label {
    Label::new(text).expect("a sound name")
}

fn seal(name: &str) -> Seal {
    Seal(PublicKey(Digest::of(&[name.as_bytes()]).0))
}

fn anchor() -> Anchor {
    Anchor { index: LedgerIndex(50), audit: Digest([7; 32]) }
}

fn id(name: &str) -> HostId {
    HostId::derive(&ClusterName(label("test")), &HostName(label(name)))
}

/// A fleet and what was signed in it for one anchor about checks.
struct Round {
    roster: Roster,
    seating: Seating,
    words: Vec<CheckWord>,
    gone: BTreeSet<HostId>,
}

/// `"a1 a2 b1"`: hosts a1 and a2 of zone a, b1 of zone b, each in a rack of its own.
fn fleet(hosts: &str) -> Round {
    let mut roster = Roster::new(ClusterName(label("test")));
    for name in hosts.split(' ') {
        let (zone, rack) = name.split_at(1);
        let claims = Claims {
            cluster: ClusterName(label("test")),
            host: HostName(label(name)),
            domain: Domain { region: label("eu"), zone: label(zone), rack: label(rack) },
            group: GroupName(label("web")),
            roles: Roles::default(),
        };
        let mut entry = Entry::enrolled(claims, seal(name).0, LedgerIndex(10));
        entry.boot = Some(PRESENT);
        roster.put(entry);
    }
    let seating = Seating::new(&roster);
    Round { roster, seating, words: Vec::new(), gone: BTreeSet::new() }
}

/// Six hosts: five observers of each.
fn demo() -> Round {
    fleet("a1 a2 b1 b2 c1 c2")
}

impl Round {
    /// A word on the check `api` of a1, changed as told before it is signed.
    fn say_with(&mut self, author: &str, grade: Grade, change: impl FnOnce(&mut CheckWord)) {
        let sequence = self.words.len() as u64 + 1;
        let mut word = CheckWord {
            subject: id("a1"),
            subject_boot: PRESENT,
            author: id(author),
            author_boot: PRESENT,
            key: seal(author).0,
            sequence: Sequence(sequence),
            epoch: self.roster.epoch,
            anchor: anchor(),
            check: label("api"),
            grade,
            signature: Signature([0; 32], [0; 32]),
        };
        change(&mut word);
        self.words.push(word.signed("test", &seal(author)));
    }

    fn say(&mut self, authors: &str, grade: Grade) {
        for author in authors.split(' ') {
            self.say_with(author, grade, |_| {});
        }
    }

    fn grounds(&self) -> CheckGrounds {
        CheckGrounds { anchor: anchor(), epoch: self.roster.epoch, words: self.words.clone() }
    }

    fn judged(&self, from: CheckFrom) -> Fitness {
        let fleet = Fleet { roster: &self.roster, seating: &self.seating };
        let asked = Asked { subject: id("a1"), check: label("api"), from, gone: &self.gone };
        judge(&Court { fleet, verifier: &Seals }, &self.grounds(), &asked)
    }

    fn verdict(&self, from: CheckFrom) -> Result<UnfitVerdict, NotUnfit> {
        self.judged(from).verdict
    }

    fn by_peers(&self) -> Result<UnfitVerdict, NotUnfit> {
        self.verdict(CheckFrom::Peers)
    }

    fn voids(&self) -> Vec<Void> {
        let fleet = Fleet { roster: &self.roster, seating: &self.seating };
        let words = VerifiedWords::verify(&self.grounds(), &Court { fleet, verifier: &Seals });
        words.void.iter().map(|void| void.why).collect()
    }
}

/// a1 answers, and all five of its observers find the check failed.
fn failing() -> Round {
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    round.say("a2 b1 b2 c1 c2", Grade::Failed);
    round
}

const BY_PEERS: UnfitVerdict = UnfitVerdict { by_peers: true, by_itself: false };
const BY_ITSELF: UnfitVerdict = UnfitVerdict { by_peers: false, by_itself: true };

#[test]
fn a_quorum_of_observers_makes_a_host_that_answers_unfit() {
    assert_eq!(failing().by_peers(), Ok(BY_PEERS));
}

#[test]
fn a_host_that_signed_nothing_in_the_round_is_not_unfit_whatever_is_said_of_it() {
    let mut round = demo();
    round.say("a2 b1 b2 c1 c2", Grade::Failed);
    assert_eq!(round.by_peers(), Err(NotUnfit::NoAnswer));
    assert_eq!(
        NotUnfit::NoAnswer.to_string(),
        "it did not answer in this round: that is for the check reach"
    );
    let bare = fleet("a1 a2");
    assert_eq!(bare.verdict(CheckFrom::Own), Err(NotUnfit::NoAnswer));
}

#[test]
fn a_word_about_somebody_else_proves_that_it_answers() {
    let mut round = demo();
    round.say("a2 b1 b2 c1 c2", Grade::Failed);
    round.say_with("a1", Grade::Ok, |word| word.subject = id("b1"));
    assert_eq!(round.by_peers(), Ok(BY_PEERS));
}

#[test]
fn its_own_word_is_enough_where_the_policy_asks_for_it_and_nothing_where_it_does_not() {
    let mut round = demo();
    round.say("a1", Grade::Failed);
    assert_eq!(round.verdict(CheckFrom::Own), Ok(BY_ITSELF));
    assert_eq!(round.verdict(CheckFrom::Both), Ok(BY_ITSELF));
    let none = NotUnfit::TooFewVoices { have: 0, need: 4, vacant: 0 };
    assert_eq!(round.by_peers(), Err(none));
    assert_eq!(none.to_string(), "0 observers find it failed, 4 are needed (0 seats are vacant)");
    round.say("a2 b1 b2 c1 c2", Grade::Failed);
    let both = UnfitVerdict { by_peers: true, by_itself: true };
    assert_eq!(round.verdict(CheckFrom::Both), Ok(both));
    assert_eq!(round.verdict(CheckFrom::Own), Ok(BY_ITSELF));
}

#[test]
fn a_host_alone_can_find_itself_unfit_and_two_hosts_cannot_judge_each_other() {
    let mut alone = fleet("a1");
    alone.say("a1", Grade::Failed);
    assert_eq!(alone.verdict(CheckFrom::Own), Ok(BY_ITSELF));
    let mut two = fleet("a1 b1");
    two.say("a1", Grade::Unknown);
    two.say("b1", Grade::Failed);
    assert_eq!(two.by_peers(), Err(NotUnfit::TooFewVoices { have: 1, need: 2, vacant: 0 }));
}

#[test]
fn degraded_is_served_and_unknown_is_neither() {
    let mut round = demo();
    round.say("a1", Grade::Degraded);
    assert_eq!(round.verdict(CheckFrom::Own), Err(NotUnfit::OwnWord(Some(Grade::Degraded))));
    assert!(round.judged(CheckFrom::Own).is_well());
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    assert!(!round.judged(CheckFrom::Own).is_well());
    assert_eq!(
        round.verdict(CheckFrom::Own).map_err(|why| why.to_string()),
        Err("it cannot tell itself".to_owned())
    );
}

#[test]
fn two_observers_that_find_it_served_forbid_what_one_cannot() {
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    round.say("a2 b1 b2 c1", Grade::Failed);
    round.say("c2", Grade::Ok);
    assert_eq!(round.by_peers(), Ok(BY_PEERS));
    round.words.truncate(4);
    round.say("c1", Grade::Degraded);
    round.say("c2", Grade::Ok);
    assert_eq!(round.by_peers(), Err(NotUnfit::Contrary { have: 2, tolerated: 1 }));
}

#[test]
fn a_seat_without_a_word_makes_the_quorum_harder_and_a_vacant_one_does_not() {
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    round.say("a2 b1 b2", Grade::Failed);
    assert_eq!(round.by_peers(), Err(NotUnfit::TooFewVoices { have: 3, need: 4, vacant: 0 }));
    round.gone.insert(id("c1"));
    assert_eq!(round.by_peers(), Ok(BY_PEERS), "one seat is vacant: three of four");
    round.gone.clear();
    round.say("c1", Grade::Unknown);
    assert_eq!(round.by_peers(), Ok(BY_PEERS), "one cannot tell: three of four");
    round.words.truncate(3);
    round.say("b2 c1 c2", Grade::Unknown);
    assert_eq!(
        round.by_peers(),
        Err(NotUnfit::TooFewVoices { have: 2, need: 3, vacant: 3 }),
        "never less than half of all seats"
    );
}

#[test]
fn whom_the_ledger_holds_gone_has_no_word_whatever_it_signs() {
    let mut round = failing();
    round.gone.insert(id("a1"));
    assert_eq!(round.by_peers(), Err(NotUnfit::NoAnswer));
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    round.say("a2 b1 b2", Grade::Failed);
    round.say("c1 c2", Grade::Ok);
    round.gone.extend([id("c1"), id("c2")]);
    assert_eq!(round.by_peers(), Ok(BY_PEERS));
}

#[test]
fn voices_of_one_zone_alone_are_not_enough_where_its_observers_stand_in_several() {
    let mut round = fleet("a1 b1 b2 b3 b4 c1");
    round.say("a1", Grade::Unknown);
    round.say("b1 b2 b3 b4", Grade::Failed);
    assert_eq!(round.by_peers(), Err(NotUnfit::OneDomainOnly));
    round.gone.insert(id("c1"));
    assert_eq!(round.by_peers(), Ok(BY_PEERS), "nobody else is left to ask");
}

#[test]
fn what_is_not_signed_for_this_round_in_this_mesh_by_a_key_of_the_roster_is_void() {
    let void_of = |change: &dyn Fn(&mut CheckWord)| {
        let mut round = demo();
        round.say_with("b1", Grade::Failed, change);
        let voids = round.voids();
        assert_eq!(voids.len(), 1, "one word, one reason");
        voids[0]
    };
    assert_eq!(void_of(&|word| word.anchor.index = LedgerIndex(51)), Void::OtherAnchor);
    assert_eq!(void_of(&|word| word.anchor.audit = Digest([8; 32])), Void::OtherAnchor);
    assert_eq!(void_of(&|word| word.epoch = Epoch(99)), Void::FutureEpoch(Epoch(99)));
    assert_eq!(void_of(&|word| word.subject = id("nobody")), Void::Stranger);
    assert_eq!(void_of(&|word| word.author = id("c1")), Void::Key);
    assert_eq!(void_of(&|word| word.author = id("nobody")), Void::Stranger);
    let older = Boot { number: 2, nonce: 1 };
    assert_eq!(void_of(&|word| word.author_boot = older), Void::ObserverBoot(PRESENT));
    assert_eq!(void_of(&|word| word.subject_boot = older), Void::SubjectBoot(PRESENT));
    let twin = Boot { number: 3, nonce: 34 };
    assert_eq!(void_of(&|word| word.author_boot = twin), Void::ObserverBoot(PRESENT));
    assert_eq!(void_of(&|word| word.subject_boot = twin), Void::SubjectBoot(PRESENT));
}

#[test]
fn a_word_of_another_cluster_or_with_another_keys_signature_is_void() {
    let mut round = demo();
    round.say("b1", Grade::Failed);
    let word = round.words[0].clone();
    round.words[0] = word.clone().signed("other", &seal("b1"));
    assert_eq!(round.voids(), [Void::Signature]);
    round.words[0] = CheckWord { key: seal("c1").0, ..word.clone() };
    assert_eq!(round.voids(), [Void::Key]);
    round.words[0] = CheckWord { grade: Grade::Ok, ..word };
    assert_eq!(round.voids(), [Void::Signature], "no field can be changed under a signature");
}

#[test]
fn who_holds_no_seat_has_no_voice_but_lives() {
    let hosts: Vec<String> = (1..=13).map(|number| format!("a{number}")).collect();
    let mut round = fleet(&hosts.join(" "));
    let observers = round.seating.observers(&id("a1"));
    let bystander = hosts[1..].iter().find(|name| !observers.contains(&id(name)));
    let bystander = bystander.expect("twelve others, ten seats").clone();
    round.say(&bystander, Grade::Failed);
    assert_eq!(round.voids(), [Void::NoSeat]);
    let fleet = Fleet { roster: &round.roster, seating: &round.seating };
    let words = VerifiedWords::verify(&round.grounds(), &Court { fleet, verifier: &Seals });
    assert!(words.has_spoken(&id(&bystander)));
}

#[test]
fn a_host_whose_keys_changed_after_the_round_began_has_no_voice_in_it() {
    let mut round = demo();
    round.say("b1", Grade::Failed);
    let entry = round.roster.get(&id("b1")).expect("present").clone();
    round.roster.put(entry);
    round.seating = Seating::new(&round.roster);
    assert_eq!(round.voids(), [Void::Changed(round.roster.epoch)]);
}

#[test]
fn a_newer_life_that_signs_voids_what_is_said_of_the_older_one() {
    let mut round = failing();
    let newer = Boot { number: 4, nonce: 44 };
    round.say_with("a1", Grade::Unknown, |word| {
        (word.subject_boot, word.author_boot) = (newer, newer);
    });
    assert_eq!(round.by_peers(), Err(NotUnfit::TooFewVoices { have: 0, need: 4, vacant: 0 }));
}

#[test]
fn nobody_elses_claim_of_a_newer_life_voids_anything() {
    let mut round = failing();
    let newer = Boot { number: 4, nonce: 44 };
    round.words.pop();
    round.say_with("c2", Grade::Failed, |word| word.subject_boot = newer);
    assert_eq!(round.by_peers(), Ok(BY_PEERS));
    assert_eq!(round.voids(), []);
}

#[test]
fn the_highest_sequence_counts_and_two_words_under_one_are_both_void() {
    let mut round = failing();
    round.say("b1 b2", Grade::Ok);
    assert_eq!(round.by_peers(), Err(NotUnfit::Contrary { have: 2, tolerated: 1 }));
    let mut round = failing();
    for author in ["b1", "b2"] {
        round.say_with(author, Grade::Ok, |word| word.sequence = Sequence(0));
    }
    assert_eq!(round.by_peers(), Ok(BY_PEERS), "an older word is no word");
    let mut round = failing();
    let sequence = round.words[2].sequence;
    round.say_with("b1", Grade::Ok, |word| word.sequence = sequence);
    assert_eq!(round.voids(), [Void::Equivocation(sequence); 2]);
    assert_eq!(round.by_peers(), Ok(BY_PEERS), "four of five are left");
    let mut round = failing();
    round.words.extend(round.words.clone());
    assert_eq!(round.voids(), [], "the same word twice is one word");
    assert_eq!(round.by_peers(), Ok(BY_PEERS));
}

#[test]
fn two_words_under_one_sequence_on_different_checks_are_void_too() {
    let mut round = failing();
    let sequence = round.words[2].sequence;
    round.say_with("b1", Grade::Failed, |word| {
        (word.sequence, word.check) = (sequence, label("disk"));
    });
    assert_eq!(round.voids(), [Void::Equivocation(sequence); 2]);
}

#[test]
fn words_on_another_check_or_subject_say_nothing_of_this_one() {
    let mut round = demo();
    round.say("a1", Grade::Unknown);
    for author in ["a2", "b1", "b2", "c1"] {
        round.say_with(author, Grade::Failed, |word| word.check = label("disk"));
    }
    for author in ["a2", "b1", "b2"] {
        round.say_with(author, Grade::Failed, |word| word.subject = id("c2"));
    }
    assert_eq!(round.judged(CheckFrom::Peers).tally.worded.count(), 0);
}

#[test]
fn it_is_well_again_when_all_whose_word_is_asked_say_so() {
    let well = |own: Grade, served: &str, failed: &str| {
        let mut round = demo();
        round.say("a1", own);
        round.say(served, Grade::Ok);
        round.say(failed, Grade::Failed);
        [CheckFrom::Own, CheckFrom::Peers, CheckFrom::Both].map(|from| round.judged(from).is_well())
    };
    assert_eq!(well(Grade::Ok, "a2 b1 b2 c1", "c2"), [true, true, true]);
    assert_eq!(well(Grade::Failed, "a2 b1 b2 c1", "c2"), [false, true, false]);
    assert_eq!(well(Grade::Ok, "a2 b1 b2", "c1 c2"), [true, false, false]);
}

/// Law FT3: where all others cannot tell, or are gone, one that says `Ok` may be the liar.
#[test]
fn one_observer_alone_makes_none_well_again() {
    let mut round = demo();
    round.say("a1", Grade::Ok);
    round.say("a2 b1 b2 c1", Grade::Unknown);
    round.say("c2", Grade::Ok);
    assert!(!round.judged(CheckFrom::Peers).is_well());
    assert!(!round.judged(CheckFrom::Both).is_well());
}

/// What one observer may do in a round.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Says(Grade),
    Mute,
    Gone,
}

const PARTS: [Part; 5] = [
    Part::Says(Grade::Failed),
    Part::Says(Grade::Ok),
    Part::Says(Grade::Unknown),
    Part::Mute,
    Part::Gone,
];

/// Every way in which so many observers can take their parts.
fn worlds(observers: u32) -> impl Iterator<Item = Vec<Part>> {
    (0..5_usize.pow(observers)).map(move |number| {
        (0..observers).map(|seat| PARTS[number / 5_usize.pow(seat) % 5]).collect()
    })
}

fn played(hosts: &str, parts: &[Part]) -> Round {
    let mut round = fleet(hosts);
    round.say("a1", Grade::Unknown);
    for (observer, part) in hosts.split(' ').skip(1).zip(parts) {
        match part {
            Part::Says(grade) => round.say(observer, *grade),
            Part::Mute => {}
            Part::Gone => {
                round.gone.insert(id(observer));
            }
        }
    }
    round
}

fn count(parts: &[Part], which: Part) -> usize {
    parts.iter().filter(|part| **part == which).count()
}

#[test]
fn in_every_world_of_a_small_fleet_the_verdict_is_the_quorums() {
    for hosts in ["a1 a2", "a1 a2 a3", "a1 a2 a3 a4", "a1 a2 a3 a4 a5"] {
        let observers = hosts.split(' ').count() - 1;
        for parts in worlds(observers as u32) {
            let found = played(hosts, &parts).judged(CheckFrom::Peers);
            let vacant = count(&parts, Part::Gone) + count(&parts, Part::Says(Grade::Unknown));
            let filled = observers - vacant;
            let failed: Vec<usize> =
                (0..observers).filter(|&seat| parts[seat] == Part::Says(Grade::Failed)).collect();
            let well = count(&parts, Part::Says(Grade::Ok));
            // Racks are one each, in one zone: two voices always stand in two racks.
            let is_unfit = failed.len() >= needed(observers, filled) && well <= tolerated(filled);
            assert_eq!(found.verdict.is_ok(), is_unfit);
            assert!(!(is_unfit && found.is_well()), "never both");
        }
    }
}

/// Law FT3: whoever the liars are and whatever they do, as long as they are f at most, the honest decide: those who find it
/// served never see it unfit, those who find it failed are never outvoted and never see it well.
#[test]
fn up_to_f_liars_make_no_host_unfit_keep_none_unfit_and_make_none_well() {
    for (hosts, liars) in [("a1 a2 a3 a4 a5", 1), ("a1 a2 b1 b2 c1 c2", 1)] {
        let observers = hosts.split(' ').count() - 1;
        assert_eq!(tolerated(observers), liars);
        for liar in 0..observers {
            for lie in PARTS {
                let with = |truth: Grade| {
                    let mut parts = vec![Part::Says(truth); observers];
                    parts[liar] = lie;
                    played(hosts, &parts).judged(CheckFrom::Peers)
                };
                assert!(with(Grade::Ok).verdict.is_err(), "no host is made unfit");
                assert!(with(Grade::Ok).is_well(), "none is kept unfit");
                assert_eq!(with(Grade::Failed).verdict, Ok(BY_PEERS), "none is saved");
                assert!(!with(Grade::Failed).is_well(), "none is made well");
            }
        }
    }
}
