//! What do the voices of one round add up to? Small stories, one rule each; all small worlds at once are in `tests/swarm`.

use std::collections::{BTreeMap, BTreeSet};

use detection::roster::{Entry, Roster};
use detection::seats::Seating;
use detection::verdict::{
    Conclusions, Court, Discount, Fleet, NoVerdict, VerifiedGrounds, Void, WellTakes, allows,
    conclude,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use vocabulary::{
    Anchor, Answer, Attestation, Boot, CertificateChain, CertificateFault, Claims, ClusterName,
    Digest, Domain, Epoch, Grade, Grounds, GroupName, HostId, HostName, Label, LedgerIndex, Path,
    PathReading, PublicKey, Reading, Roles, Scope, SelfAnswer, Sequence, Signature, Signer,
    VerdictKind, Verifier,
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

/// A fleet and what was signed in it for one anchor.
struct Round {
    roster: Roster,
    seating: Seating,
    words: Vec<Attestation>,
    answers: Vec<SelfAnswer>,
    accepted: BTreeSet<HostId>,
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

fn domain(zone: &str, rack: &str) -> Domain {
    Domain { region: label("eu"), zone: label(zone), rack: label(rack) }
}

fn entry(name: &str, zone: &str, rack: &str) -> Entry {
    let claims = Claims {
        cluster: ClusterName(label("test")),
        host: HostName(label(name)),
        domain: domain(zone, rack),
        group: GroupName(label("web")),
        roles: Roles::default(),
    };
    let mut entry = Entry::enrolled(claims, seal(name).0, LedgerIndex(10));
    entry.boot = Some(PRESENT);
    entry
}

/// `"z/k: a b"` stands hosts a and b into rack k of zone z.
fn fleet(racks: &[&str]) -> Round {
    let mut roster = Roster::new(ClusterName(label("test")));
    for rack in racks {
        let (place, hosts) = rack.split_once(": ").expect("a colon");
        let (zone, rack) = place.split_once('/').expect("a slash");
        hosts.split(' ').for_each(|host| roster.put(entry(host, zone, rack)));
    }
    let seating = Seating::new(&roster);
    let (words, answers, accepted) = (Vec::new(), Vec::new(), BTreeSet::new());
    Round { roster, seating, words, answers, accepted }
}

/// Six hosts: three zones of two, racks of one; as in `hale demo`.
fn demo() -> Round {
    fleet(&["a/1: a1", "a/2: a2", "b/1: b1", "b/2: b2", "c/1: c1", "c/2: c2"])
}

const DIALS: [Path; 3] = [Path::Warm, Path::Stream, Path::FreshDial];

fn paths(dials: Reading, ports: &[(Path, Reading)]) -> Vec<PathReading> {
    let read = |(path, reading)| PathReading { path, reading };
    let dials = DIALS.map(|path| (path, dials));
    dials.into_iter().chain(ports.iter().copied()).map(read).collect()
}

fn well() -> (Grade, Vec<PathReading>) {
    (Grade::Ok, paths(Reading::Answered, &[(Path::AgentPort, Reading::Answered)]))
}

fn failed(port: Reading) -> (Grade, Vec<PathReading>) {
    (Grade::Failed, paths(Reading::Silent, &[(Path::AgentPort, port)]))
}

impl Round {
    /// An attestation, not yet said; everybody's observers have reached everybody.
    fn word(&self, observer: &str, subject: &str, seen: (Grade, Vec<PathReading>)) -> Attestation {
        let place = self.roster.present().position(|(host, _)| *host == id(subject));
        let sequence = u64::try_from(place.expect("present")).expect("small") + 1;
        let (grade, paths) = seen;
        Attestation {
            subject: id(subject),
            subject_boot: PRESENT,
            observer: id(observer),
            observer_boot: PRESENT,
            key: seal(observer).0,
            sequence: Sequence(sequence),
            epoch: self.roster.epoch,
            anchor: anchor(),
            grade,
            paths,
            ingress: self.seating.observers(&id(observer)).to_vec(),
            late_ms: 0,
            signature: Signature([0; 32], [0; 32]),
        }
    }

    /// Says a word, changed as told before it is signed.
    fn say(&mut self, word: Attestation, change: impl FnOnce(&mut Attestation)) {
        let name = self.name(&word.observer);
        let mut word = word;
        change(&mut word);
        self.words.push(word.signed("test", &seal(&name)));
    }

    /// These observers see the subject so.
    fn see(&mut self, observers: &str, subject: &str, seen: &(Grade, Vec<PathReading>)) {
        for observer in observers.split(' ') {
            let word = self.word(observer, subject, seen.clone());
            self.say(word, |_| {});
        }
    }

    fn answer(&mut self, subject: &str, boot: Boot, to: Answer) {
        let answer = SelfAnswer {
            subject: id(subject),
            boot,
            key: seal(subject).0,
            to,
            signature: Signature([0; 32], [0; 32]),
        };
        self.answers.push(answer.signed("test", &seal(subject)));
    }

    fn name(&self, host: &HostId) -> String {
        let entry = self.roster.get(host).expect("present");
        entry.claims.host.as_str().to_owned()
    }

    fn verified(&self) -> VerifiedGrounds {
        let grounds = Grounds {
            anchor: anchor(),
            epoch: self.roster.epoch,
            attestations: self.words.clone(),
            answers: self.answers.clone(),
        };
        let fleet = Fleet { roster: &self.roster, seating: &self.seating };
        VerifiedGrounds::verify(&grounds, &Court { fleet, verifier: &Seals })
    }

    fn concluded(&self) -> Conclusions {
        let fleet = Fleet { roster: &self.roster, seating: &self.seating };
        conclude(fleet, &self.verified(), &self.accepted)
    }

    fn kind(&self, subject: &str) -> Result<VerdictKind, NoVerdict> {
        self.concluded().verdict(&id(subject)).map(|verdict| verdict.kind.clone())
    }

    fn voids(&self) -> Vec<Void> {
        self.verified().void.iter().map(|void| void.why).collect()
    }
}

#[test]
fn a_refusing_kernel_under_a_silent_agent_is_agent_down() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Refused));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::AgentDown));
}

#[test]
fn silence_on_every_path_beside_a_living_zone_mate_is_host_down() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
    assert_eq!(round.concluded().domains, []);
}

#[test]
fn connections_accepted_without_bytes_are_host_hung() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Accepted));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostHung));
    assert_eq!(round.concluded().accepting().collect::<Vec<_>>(), [&id("a1")]);
}

#[test]
fn a_boot_that_accepted_once_stays_hung_until_a_named_port_is_silent_too() {
    let mut round = demo();
    round.accepted.insert(id("a1"));
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostHung), "its backlog may be full");

    let ssh = |reading| (Grade::Failed, paths(Reading::Silent, &[(Path::NamedPort(22), reading)]));
    round.words.clear();
    round.see("a2 b1 b2 c1 c2", "a1", &ssh(Reading::Absent));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostHung), "an uncalibrated port says nothing");

    round.words.clear();
    round.see("a2 b1 b2 c1", "a1", &ssh(Reading::Silent));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
}

#[test]
fn host_hung_may_be_treated_as_down_where_a_named_port_agrees() {
    let hung = |named| {
        let ports = [(Path::AgentPort, Reading::Accepted), (Path::NamedPort(22), named)];
        let mut round = demo();
        round.see("a2 b1 b2 c1 c2", "a1", &(Grade::Failed, paths(Reading::Silent, &ports)));
        round.concluded().verdict(&id("a1")).expect("a verdict").clone()
    };
    assert!(hung(Reading::Silent).is_agreed_by_ports);
    assert!(!hung(Reading::Absent).is_agreed_by_ports);
    assert!(!hung(Reading::Accepted).is_agreed_by_ports);
    assert_eq!(hung(Reading::Silent).kind, VerdictKind::HostHung);
}

#[test]
fn a_verdict_rests_on_silence_where_not_even_a_kernel_accepts() {
    let rests = |reading, accepted: &[&str]| {
        let mut round = demo();
        round.accepted.extend(accepted.iter().map(|name| id(name)));
        round.see("a2 b1 b2 c1 c2", "a1", &failed(reading));
        let verdict = round.concluded().verdict(&id("a1")).expect("a verdict").clone();
        (verdict.kind, verdict.rests_on_silence)
    };
    assert_eq!(rests(Reading::Silent, &[]), (VerdictKind::HostDown, true));
    assert_eq!(rests(Reading::Accepted, &[]), (VerdictKind::HostHung, false));
    assert_eq!(rests(Reading::Silent, &["a1"]), (VerdictKind::HostHung, true));
    assert_eq!(rests(Reading::Refused, &[]), (VerdictKind::AgentDown, false));
}

#[test]
fn the_subjects_own_answer_forbids_a_verdict_whoever_brings_it() {
    let nonce = anchor().nonce(&id("b1"), &id("a1"));
    for to in [Answer::Round(anchor()), Answer::Nonce(nonce)] {
        let mut round = demo();
        round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
        round.answer("a1", PRESENT, to);
        assert_eq!(round.kind("a1"), Err(NoVerdict::SubjectAnswered));
        assert!(round.concluded().is_well(&id("a1")));
        assert!(!round.concluded().is_verified_well(&id("a1")), "a proof takes voices");
    }
}

#[test]
fn an_answer_for_another_round_or_to_a_strangers_nonce_proves_nothing() {
    let earlier = Anchor { index: LedgerIndex(49), audit: Digest([6; 32]) };
    let strange = anchor().nonce(&id("nobody"), &id("a1"));
    for to in [Answer::Round(earlier), Answer::Nonce(strange), Answer::Nonce(0)] {
        let mut round = demo();
        round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
        round.answer("a1", PRESENT, to);
        assert_eq!(round.voids(), [Void::OtherAnchor]);
        assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
    }
}

#[test]
fn who_attests_about_others_in_the_same_round_lives() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    round.see("a1", "b1", &well());
    assert_eq!(round.kind("a1"), Err(NoVerdict::SubjectAttested));
}

#[test]
fn two_voices_that_see_it_well_forbid_what_one_cannot() {
    let mut round = demo();
    round.see("a2 b1 b2 c1", "a1", &failed(Reading::Silent));
    round.see("c2", "a1", &well());
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown), "one of five may be mistaken");

    let mut round = demo();
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    round.see("c1 c2", "a1", &well());
    assert_eq!(round.kind("a1"), Err(NoVerdict::Contrary { have: 2, tolerated: 1 }));
}

#[test]
fn too_few_voices_name_how_many_are_needed() {
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    let few = NoVerdict::TooFewVoices { have: 3, need: 4, vacant: 0 };
    assert_eq!(round.kind("a1"), Err(few.clone()));
    assert_eq!(few.to_string(), "3 voices against it, 4 are needed (0 seats are vacant)");
    assert_eq!(round.kind("b1"), Err(NoVerdict::NotLookedAt));
}

#[test]
fn the_seat_of_another_silent_host_is_vacant_and_needs_no_voice() {
    let mut round = demo();
    round.see("b1 b2 c2 a2", "a1", &failed(Reading::Silent));
    round.see("b1 b2 c2 a2", "c1", &failed(Reading::Silent));
    let concluded = round.concluded();
    assert_eq!(concluded.silent, BTreeSet::from([id("a1"), id("c1")]));
    assert_eq!(concluded.hosts[&id("a1")].tally.filled(), 4);
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
    assert_eq!(round.kind("c1"), Ok(VerdictKind::HostDown));
}

#[test]
fn with_four_filled_seats_or_fewer_hard_rungs_need_three_rounds() {
    let verdict = |racks: &[&str], observers| {
        let mut round = fleet(racks);
        round.see(observers, "s", &failed(Reading::Silent));
        round.concluded().verdict(&id("s")).expect("a verdict").clone()
    };
    assert!(verdict(&["z/1: s a b c d"], "a b c d").needs_three_rounds);
    assert!(!verdict(&["z/1: s a b c d e"], "a b c d e").needs_three_rounds);
}

#[test]
fn two_hosts_cannot_judge_each_other_and_three_can() {
    let mut round = fleet(&["z/1: a b"]);
    round.see("a", "b", &failed(Reading::Silent));
    assert_eq!(round.kind("b"), Err(NoVerdict::FleetTooSmall { hosts: 2 }));
    let mut round = fleet(&["z/1: a b c"]);
    round.see("a c", "b", &failed(Reading::Silent));
    assert_eq!(round.kind("b"), Ok(VerdictKind::HostDown));
}

#[test]
fn a_silent_zone_is_one_domain_case_and_no_host_is_dead_in_it() {
    let mut round = demo();
    for subject in ["a1", "a2"] {
        round.see("b1 b2 c1 c2", subject, &failed(Reading::Silent));
    }
    let concluded = round.concluded();
    let zone = Scope::Zone(domain("a", "1").zone());
    assert_eq!(concluded.domains.len(), 1);
    assert_eq!(concluded.domain(&zone).map(|dark| dark.hosts.len()), Some(2));
    assert_eq!(round.kind("a1"), Err(NoVerdict::InDomain(zone)));
}

#[test]
fn the_largest_dark_domain_swallows_its_racks() {
    let mut round = fleet(&["a/1: a1 a2", "a/2: a3 a4", "b/1: b1 b2 b3 b4 b5"]);
    for subject in ["a1", "a2", "a3", "a4"] {
        round.see("b1 b2 b3 b4 b5", subject, &failed(Reading::Silent));
    }
    let scopes: Vec<Scope> = round.concluded().domains.into_iter().map(|dark| dark.scope).collect();
    assert_eq!(scopes, [Scope::Zone(domain("a", "1").zone())]);

    round.words.retain(|word| word.subject != id("a4"));
    let scopes: Vec<Scope> = round.concluded().domains.into_iter().map(|dark| dark.scope).collect();
    assert_eq!(
        scopes,
        [Scope::Rack(domain("a", "1"))],
        "a4 was not looked at: only its rack is open"
    );
}

#[test]
fn a_domain_takes_two_voices_from_outside_for_each_of_its_hosts() {
    let mut round = fleet(&["a/1: a1 a2 a3", "b/1: b1 b2 b3"]);
    round.see("b1 b2", "a1", &failed(Reading::Silent));
    round.see("b1 b2", "a2", &failed(Reading::Silent));
    round.see("b1", "a3", &failed(Reading::Silent));
    assert_eq!(round.concluded().domains, []);
    round.see("b2", "a3", &failed(Reading::Silent));
    assert_eq!(round.concluded().domains.len(), 1);
}

#[test]
fn a_zone_with_a_proven_host_is_no_dark_domain_and_that_host_is_the_witness() {
    let mut round = demo();
    round.see("b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    round.see("b1 b2 c1 c2", "a2", &failed(Reading::Refused));
    assert_eq!(round.concluded().domains, []);
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
    assert_eq!(round.kind("a2"), Ok(VerdictKind::AgentDown));
}

#[test]
fn without_a_witness_beside_it_no_host_is_called_dead() {
    let mut round = demo();
    round.see("b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Err(NoVerdict::NoWitness { asked: vec![id("a2")] }));
    round.answer("a2", PRESENT, Answer::Round(anchor()));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
}

#[test]
fn a_rack_of_two_takes_its_witness_from_the_rack_and_not_from_the_zone() {
    let mut round = fleet(&["a/1: a1 a2", "a/2: a3", "b/1: b1 b2 b3"]);
    round.see("a3 b1 b2 b3", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Err(NoVerdict::NoWitness { asked: vec![id("a2")] }));
}

#[test]
fn a_rack_in_doubt_that_is_not_proven_dark_still_shields_its_hosts() {
    // Both are silent, but one proof of life each is no more than f: not dark only where the voices from outside fail.
    let mut round = fleet(&["a/1: a1 a2", "a/2: a3 a4 a5", "b/1: b1"]);
    round.see("a3 a4 a5 b1", "a1", &failed(Reading::Silent));
    round.see("a3", "a2", &failed(Reading::Silent));
    round.see("a1", "a2", &failed(Reading::Silent));
    round.words.retain(|word| word.observer != id("a1"));
    assert!(matches!(round.kind("a1"), Err(NoVerdict::NoWitness { .. })));
    round.see("a4", "a2", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Err(NoVerdict::InDomain(Scope::Rack(domain("a", "1")))));
}

#[test]
fn voices_of_one_zone_alone_make_no_host_down_but_an_agent_down() {
    // b1 and b2 sit in the second zone and attest about others only.
    let racks = ["a/1: a1 a2", "a/2: a3 a4 a5 a6 a7 a8 a9", "b/1: b1"];
    let mut round = fleet(&racks);
    round.see("a2 a3 a4 a5 a6 a7 a8 a9", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Err(NoVerdict::OneZoneOnly));
    let mut round = fleet(&racks);
    round.see("a2 a3 a4 a5 a6 a7 a8 a9", "a1", &failed(Reading::Refused));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::AgentDown));
}

#[test]
fn within_one_zone_voices_of_one_rack_alone_make_no_host_down() {
    let mut round = fleet(&["a/1: a1 a2 a3 a4 a5 a6", "a/2: a7"]);
    round.see("a2 a3 a4 a5 a6", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Err(NoVerdict::OneRackOnly));
    round.see("a7", "a1", &failed(Reading::Silent));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
}

#[test]
fn proofs_of_life_in_the_mouths_of_discounted_observers_leave_it_open() {
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    for observer in ["c1", "c2"] {
        let word = round.word(observer, "a1", failed(Reading::Refused));
        round.say(word, |word| word.late_ms = 1_900);
    }
    let unclear = NoVerdict::LifeUnclear { proofs: 2, voices: 0, tolerated: 1 };
    assert_eq!(round.kind("a1"), Err(unclear));
}

#[test]
fn an_absent_path_is_not_counted_and_without_a_fresh_dial_nobody_is_against() {
    let absent = (Grade::Failed, paths(Reading::Absent, &[(Path::AgentPort, Reading::Silent)]));
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &absent);
    assert_eq!(round.kind("a1"), Err(NoVerdict::TooFewVoices { have: 0, need: 4, vacant: 0 }));

    let read = |path| PathReading { path, reading: Reading::Silent };
    let warm_only = (Grade::Failed, vec![read(Path::Warm), read(Path::Stream)]);
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &warm_only);
    assert_eq!(round.kind("a1"), Err(NoVerdict::TooFewVoices { have: 0, need: 4, vacant: 0 }));
}

#[test]
fn bytes_from_the_agents_own_port_are_neither_well_nor_down() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Answered));
    assert_eq!(round.kind("a1"), Err(NoVerdict::TooFewVoices { have: 0, need: 4, vacant: 0 }));
    assert!(!round.concluded().is_well(&id("a1")));
}

#[test]
fn whoever_grades_ok_is_for_the_subject_whatever_its_paths_say() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &(Grade::Ok, paths(Reading::Silent, &[])));
    assert_eq!(round.kind("a1"), Err(NoVerdict::Contrary { have: 5, tolerated: 1 }));
    assert!(round.concluded().is_verified_well(&id("a1")));
}

/// Protocol 3.8: whoever has not reached it for ten minutes is blind to it; a liar says whatever it likes.
#[test]
fn one_voice_among_the_blind_sees_nobody_well_where_one_may_lie() {
    let blind = (Grade::Unknown, paths(Reading::Absent, &[]));
    let mut round = demo();
    round.see("a2 b1 b2 c1", "a1", &blind);
    round.see("c2", "a1", &well());
    let judged = |round: &Round, takes| {
        let conclusions = round.concluded().taking(takes);
        (conclusions.is_well(&id("a1")), conclusions.is_verified_well(&id("a1")))
    };
    assert_eq!(judged(&round, WellTakes::One), (true, true));
    assert_eq!(judged(&round, WellTakes::OneThatIsTrue), (false, false));
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &blind);
    round.see("c1 c2", "a1", &well());
    assert_eq!(judged(&round, WellTakes::OneThatIsTrue), (true, true), "one of two is honest");
    // Two more are dead themselves: among the three that are left no liar is counted, and one may be there.
    let mut round = demo();
    round.see("a2 b1", "a1", &blind);
    round.see("c2", "a1", &well());
    for silent in ["b2", "c1"] {
        round.see("a2 b1 c2", silent, &failed(Reading::Silent));
    }
    assert_eq!(round.concluded().hosts[&id("a1")].tally.filled(), 1);
    assert_eq!(judged(&round, WellTakes::OneThatIsTrue), (false, true));
}

#[test]
fn ok_voices_of_all_but_one_verify_and_two_against_are_adverse() {
    let mut round = demo();
    round.see("a2 b1 b2 c1", "a1", &well());
    assert!(round.concluded().is_verified_well(&id("a1")));
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &well());
    assert!(!round.concluded().is_verified_well(&id("a1")), "three of five");
    round.see("c1 c2", "a1", &failed(Reading::Silent));
    assert!(round.concluded().hosts[&id("a1")].tally.is_adverse());
}

#[test]
fn the_highest_sequence_of_a_seat_counts_so_that_ok_withdraws_failed() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    for observer in ["b1", "c1"] {
        let word = round.word(observer, "a1", well());
        round.say(word, |word| word.sequence = Sequence(99));
    }
    assert_eq!(round.kind("a1"), Err(NoVerdict::Contrary { have: 2, tolerated: 1 }));
    round.words.reverse();
    assert_eq!(
        round.kind("a1"),
        Err(NoVerdict::Contrary { have: 2, tolerated: 1 }),
        "in any order"
    );
}

#[test]
fn two_different_words_under_one_sequence_are_both_void_even_about_two_subjects() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    let other = round.word("b1", "a1", well());
    round.say(other, |_| {});
    let void = [Void::Equivocation(round.words[0].sequence); 2];
    assert_eq!(round.voids(), void);
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown), "four of five are left");

    let same = round.words[0].sequence;
    let about_another = round.word("b2", "c1", well());
    round.say(about_another, |word| word.sequence = same);
    assert_eq!(round.voids().len(), 4);
    assert!(matches!(round.kind("a1"), Err(NoVerdict::TooFewVoices { have: 3, .. })));
}

#[test]
fn the_same_word_twice_is_one_word() {
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    assert_eq!(round.voids(), []);
    assert!(matches!(round.kind("a1"), Err(NoVerdict::TooFewVoices { have: 3, .. })));
}

#[test]
fn a_word_about_an_earlier_life_is_void_once_a_later_one_is_committed_or_signed() {
    let restarted = Boot { number: 4, nonce: 44 };
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    let address = "127.0.0.1:7946".parse().expect("an address");
    round.roster.set_boot(&id("a1"), restarted, address, None);
    assert_eq!(round.voids(), [Void::SubjectBoot(restarted); 5]);
    assert_eq!(round.kind("a1"), Err(NoVerdict::AllVoid { offered: 5 }));
}

#[test]
fn nobody_voids_the_voices_of_others_by_claiming_a_later_life_of_the_subject() {
    let mut round = demo();
    round.see("a2 b1 b2 c1", "a1", &failed(Reading::Silent));
    let claim = round.word("c2", "a1", failed(Reading::Silent));
    round.say(claim, |word| word.subject_boot = Boot { number: 99, nonce: 1 });
    assert_eq!(round.voids(), []);
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
}

#[test]
fn words_from_an_earlier_life_or_a_twin_of_the_observer_are_void() {
    for boot in [Boot { number: 2, nonce: 33 }, Boot { number: 3, nonce: 34 }] {
        let mut round = demo();
        let word = round.word("b1", "a1", failed(Reading::Silent));
        round.say(word, |word| word.observer_boot = boot);
        assert_eq!(round.voids(), [Void::ObserverBoot(PRESENT)]);
        assert!(round.verified().has_spoken(&id("b1")), "law Q5: something of it lives");
    }
}

#[test]
fn every_other_way_not_to_count_has_its_name() {
    let base = demo();
    let mut round = demo();
    let word = |round: &Round| round.word("b1", "a1", failed(Reading::Silent));
    let mut void_of = |change: &dyn Fn(&mut Attestation)| {
        round.words.clear();
        let word = word(&base);
        round.say(word, change);
        round.voids()
    };
    let many =
        |word: &mut Attestation| word.paths = vec![word.paths[0]; Attestation::PATHS_MAX + 1];
    assert_eq!(void_of(&many), [Void::OverBound]);
    let many = |word: &mut Attestation| word.ingress = vec![id("a1"); Attestation::INGRESS_MAX + 1];
    assert_eq!(void_of(&many), [Void::OverBound]);
    assert_eq!(void_of(&|word| word.anchor.index = LedgerIndex(51)), [Void::OtherAnchor]);
    assert_eq!(void_of(&|word| word.observer = id("nobody")), [Void::Stranger]);
    assert_eq!(void_of(&|word| word.subject = id("nobody")), [Void::Stranger]);
    assert_eq!(void_of(&|word| word.observer = id("b2")), [Void::Key]);
    assert_eq!(void_of(&|word| word.epoch = Epoch(99)), [Void::FutureEpoch(Epoch(99))]);
    assert_eq!(void_of(&|word| word.subject = id("b1")), [Void::NoSeat]);

    round.words = vec![word(&base).signed("another mesh", &seal("b1"))];
    assert_eq!(round.voids(), [Void::Signature]);
    round.words = vec![word(&base).signed("test", &seal("b1"))];
    round.words[0].grade = Grade::Ok;
    assert_eq!(round.voids(), [Void::Signature]);
}

#[test]
fn a_key_speaks_for_its_host_only_from_its_index_on() {
    let mut round = demo();
    let mut changed = round.roster.get(&id("b1")).expect("present").clone();
    changed.keys = vec![(LedgerIndex(51), seal("b1").0)];
    round.roster.put(changed);
    round.seating.update(&round.roster);
    let word = round.word("b1", "a1", failed(Reading::Silent));
    round.say(word, |_| {});
    assert_eq!(round.voids(), [Void::Key]);
}

#[test]
fn an_earlier_epoch_stands_while_both_entries_are_unchanged() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    round.roster.put(entry("d1", "d", "1"));
    round.seating.update(&round.roster);
    assert_eq!(round.voids(), [], "a third host's entry is nothing to them");

    let moved = round.roster.get(&id("b1")).expect("present").clone();
    round.roster.put(moved);
    round.seating.update(&round.roster);
    assert_eq!(round.voids(), [Void::Changed(round.roster.epoch)]);

    let moved = round.roster.get(&id("a1")).expect("present").clone();
    round.roster.put(moved);
    round.seating.update(&round.roster);
    assert_eq!(round.voids().len(), 5);
}

#[test]
fn the_seat_of_an_observer_whose_eyes_are_poor_is_vacant_and_its_voice_against_does_not_count() {
    type Change = fn(&mut Attestation);
    let poor: [(Change, Option<Discount>); 3] = [
        (|word| word.late_ms = 1_001, Some(Discount::Late(1_001))),
        (|word| word.ingress.clear(), Some(Discount::Deaf { reached: 0, attest: 4 })),
        (|word| word.grade = Grade::Unknown, None),
    ];
    for (change, why) in poor {
        let mut round = demo();
        round.see("a2 b1 b2 c1", "a1", &failed(Reading::Silent));
        let word = round.word("c2", "a1", failed(Reading::Silent));
        round.say(word, change);
        let concluded = round.concluded();
        assert_eq!(concluded.discounts.get(&id("c2")).copied(), why);
        let tally = concluded.hosts[&id("a1")].tally;
        assert_eq!((tally.against.count(), tally.vacant.count(), tally.filled()), (4, 1, 4));
        assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown));
    }
}

#[test]
fn a_discounted_observers_ok_still_counts() {
    let mut round = demo();
    round.see("a2 b1 b2", "a1", &failed(Reading::Silent));
    for observer in ["c1", "c2"] {
        let word = round.word(observer, "a1", well());
        round.say(word, |word| word.late_ms = 1_900);
    }
    assert_eq!(round.kind("a1"), Err(NoVerdict::Contrary { have: 2, tolerated: 1 }));
}

#[test]
fn who_finds_three_hosts_failed_that_others_see_well_sees_its_own_trouble() {
    let mut round = demo();
    round.see("a2 b1 b2 c1 c2", "a1", &failed(Reading::Silent));
    for subject in ["b1", "b2", "c1"] {
        round.see("c2", subject, &failed(Reading::Silent));
        let others: Vec<&str> =
            ["a2", "b1", "b2", "c1"].into_iter().filter(|o| *o != subject).collect();
        round.see(&others.join(" "), subject, &well());
    }
    let concluded = round.concluded();
    assert_eq!(concluded.discounts, BTreeMap::from([(id("c2"), Discount::Contradicted(3))]));
    assert_eq!(round.kind("a1"), Ok(VerdictKind::HostDown), "four of four are left");
}

#[test]
fn a_liar_that_is_discounted_prevents_no_more_than_before() {
    // Five hosts: the liar sees the dead one well and all others failed. Discounted, it leaves three filled seats; were f
    // 0 by that, its one contrary voice would save the dead host for ever.
    let mut round = fleet(&["z/1: s a b c liar"]);
    round.see("a b c", "s", &failed(Reading::Silent));
    round.see("liar", "s", &well());
    for subject in ["a", "b", "c"] {
        round.see("liar", subject, &failed(Reading::Silent));
        let others: Vec<&str> = ["a", "b", "c"].into_iter().filter(|o| *o != subject).collect();
        round.see(&others.join(" "), subject, &well());
    }
    assert!(round.concluded().discounts.contains_key(&id("liar")));
    assert_eq!(round.kind("s"), Ok(VerdictKind::HostDown));
}

#[test]
fn a_fleets_size_says_what_it_allows() {
    let two = allows(&fleet(&["z/1: a b"]).roster);
    assert!(!two.is_judged_by_peers);
    let three = allows(&fleet(&["x/1: a", "y/1: b", "z/1: c"]).roster);
    assert_eq!((three.needed, three.tolerated, three.dead_observers_max), (2, 0, 0));
    assert_eq!(three.alone_in_zone.len(), 3, "their silence is DomainDown");
    assert!(three.needs_three_rounds);
    let six = allows(&demo().roster);
    assert_eq!((six.needed, six.tolerated, six.dead_observers_max), (4, 1, 2));
    assert!(six.alone_in_zone.is_empty() && six.half_zones.is_empty() && !six.needs_three_rounds);
}

/// A word with fields from small pools, so that they collide, some of them signed by another.
fn any_word(round: &Round, names: &[&str], luck: &mut ChaCha8Rng) -> Attestation {
    let readings = [
        Reading::Answered,
        Reading::Refused,
        Reading::Accepted,
        Reading::Silent,
        Reading::Silent,
        Reading::Absent,
    ];
    let mut any = |count: usize| luck.random_range(0..count);
    let (observer, subject) = (names[any(names.len())], names[any(names.len())]);
    let grade = [Grade::Failed, Grade::Failed, Grade::Ok, Grade::Unknown, Grade::Degraded][any(5)];
    let seen = (grade, paths(readings[any(6)], &[(Path::AgentPort, readings[any(6)])]));
    let mut word = round.word(observer, subject, seen);
    word.sequence = Sequence(any(200).try_into().expect("small"));
    word.late_ms = [0, 0, 0, 1_600][any(4)];
    word.observer_boot.number = [3, 3, 3, 4, 2][any(5)];
    word.subject_boot.number = [3, 3, 3, 4, 2][any(5)];
    let signer = if any(20) == 0 { names[0] } else { observer };
    word.signed("test", &seal(signer))
}

#[test]
fn whatever_is_offered_there_is_an_answer_and_each_verdict_has_its_quorum() {
    let names = ["a1", "a2", "b1", "b2", "c1", "c2"];
    let mut verdicts = 0;
    for seed in 0..3_000 {
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        let mut round = demo();
        let target = names[luck.random_range(0..6)];
        for _ in 0..luck.random_range(0..40) {
            let word = any_word(&round, &names, &mut luck);
            round.words.push(word);
        }
        if luck.random() {
            let seen = failed(
                [Reading::Silent, Reading::Refused, Reading::Accepted][luck.random_range(0..3)],
            );
            names
                .iter()
                .filter(|name| **name != target)
                .for_each(|name| round.see(name, target, &seen));
        }
        let concluded = round.concluded();
        for (host, _) in concluded.verdicts() {
            verdicts += 1;
            let tally = concluded.hosts[host].tally;
            assert!(tally.against.count() * 2 > tally.seats, "law V1");
            assert!(tally.against.count() >= 2, "law V1");
            assert!(tally.well.count() <= tally.tolerated(), "law V4");
            assert!(!round.verified().has_spoken(host), "law V3");
        }
        for conclusion in concluded.hosts.values() {
            if let Err(reason) = &conclusion.verdict {
                assert!(!reason.to_string().is_empty());
            }
        }
    }
    assert!(verdicts > 100, "{verdicts} verdicts prove nothing");
}
