//! Claims about one observer's part in a round.

use vocabulary::{
    Claims, ClusterName, Digest, Domain, Grade, GroupName, HostName, Label, ModelSigner,
    ModelVerifier, PathReading, Roles, Signer, Voice,
};

use super::*;
use crate::roster::Entry;
use crate::verdict::sight;

const ALL_AGENT_PATHS: [Path; 6] =
    [Path::Warm, Path::Stream, Path::FreshDial, Path::NearRelay, Path::FarRelay, Path::AgentPort];

fn at(milliseconds: u64) -> Moment {
    Moment::from_milliseconds(100_000 + milliseconds)
}

fn boot(number: u64) -> Boot {
    Boot { number, nonce: 7 }
}

fn anchor(index: u64) -> Anchor {
    Anchor { index: LedgerIndex(index), audit: Digest::of(&[&index.to_be_bytes()]) }
}

fn claims(number: usize, rack: &str) -> Claims {
    let label = |text: &str| Label::new(text).expect("sound");
    Claims {
        cluster: ClusterName::new("test").expect("sound"),
        host: HostName::new(&format!("h{number}")).expect("sound"),
        domain: Domain { region: label("eu"), zone: label(&rack[..1]), rack: label(rack) },
        group: GroupName::new("web").expect("sound"),
        roles: Roles::default(),
    }
}

/// The mesh of these tests: one host for each rack that is named, `a1` being rack 1 of zone a.
struct Mesh {
    roster: Arc<Roster>,
    seating: Arc<Seating>,
    hosts: Vec<HostId>,
}

impl Mesh {
    fn of(racks: &[&str]) -> Self {
        let mut roster = Roster::new(ClusterName::new("test").expect("sound"));
        let mut hosts = Vec::new();
        for (number, rack) in racks.iter().enumerate() {
            let claims = claims(number, rack);
            hosts.push(claims.id());
            let key = ModelSigner::new(&claims.host).public_key();
            roster.put(Entry::enrolled(claims, key, LedgerIndex(0)));
        }
        let seating = Seating::new(&roster);
        Self { roster: Arc::new(roster), seating: Arc::new(seating), hosts }
    }

    fn identity(&self, number: usize) -> Identity {
        Identity {
            cluster: ClusterName::new("test").expect("sound"),
            host: self.hosts[number],
            boot: boot(1),
            signer: Arc::new(ModelSigner::new(
                &HostName::new(&format!("h{number}")).expect("sound"),
            )),
        }
    }

    /// Host 0 looks.
    fn observer(&self) -> Look {
        let mut look = Look::new(self.identity(0), Arc::new(ModelVerifier), 1);
        look.handle(
            at(0),
            Event::FleetChanged { roster: self.roster.clone(), seating: self.seating.clone() },
        );
        look
    }

    fn ask(&self, subject: usize) -> Ask {
        Ask {
            id: 5,
            subject: self.hosts[subject],
            anchor: anchor(9),
            boot: boot(2),
            calibrated: ALL_AGENT_PATHS.to_vec(),
            reach: Grade::Ok,
            named_ports: vec![22],
            ingress: self.hosts.get(2).copied().into_iter().collect(),
        }
    }

    fn word_of(&self, subject: usize, nonce: u128) -> Box<SelfAnswer> {
        Box::new(self.identity(subject).sign(Answer::Nonce(nonce)))
    }
}

/// Four racks of two in three zones: h0 and h1 in a1, h2 and h3 in a2, h4 and h5 in b1, h6 and h7 in c1.
fn mesh() -> Mesh {
    Mesh::of(&["a1", "a1", "a2", "a2", "b1", "b1", "c1", "c1"])
}

/// Begins the look and widens it; gives all effects so far.
fn wide(look: &mut Look, ask: Ask) -> Vec<Effect> {
    let mut effects = look.handle(at(0), Event::Asked(ask));
    effects.extend(look.handle(at(50), Event::DeadlineReached));
    effects
}

fn attested(effects: &[Effect]) -> Option<(&Attestation, Option<&SelfAnswer>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Attest { attestation, answer, .. } => Some((&**attestation, answer.as_deref())),
        _ => None,
    })
}

fn reading(attestation: &Attestation, path: Path) -> Option<Reading> {
    let paths = attestation.paths.iter();
    paths.filter(|seen| seen.path == path).map(|seen| seen.reading).next()
}

/// Nothing comes on any path but the two ports, which give these readings.
fn end_in_silence(look: &mut Look, effects: &[Effect], port: Reading) -> Vec<Effect> {
    let mut last = Vec::new();
    for effect in effects {
        let event = match effect {
            Effect::AskByStream { id, .. } | Effect::DialFresh { id, .. } => {
                Event::AskEnded { id: *id, end: AskEnd::Silent }
            }
            Effect::Knock { id, .. } => Event::KnockEnded { id: *id, reading: port },
            Effect::AskRelay { id, .. } => {
                Event::RelayEnded { id: *id, end: RelayEnd::SubjectSilent }
            }
            _ => continue,
        };
        last.extend(look.handle(at(850), event));
    }
    last
}

#[test]
fn a_subject_that_is_well_signs_on_the_standing_connection_and_costs_nothing_else() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let effects = look.handle(at(0), Event::Asked(mesh.ask(1)));
    let [Effect::SendProbe { .. }, Effect::AskByStream { id, nonce, .. }] = effects[..] else {
        panic!("only the standing connection at first: {effects:?}");
    };
    assert_eq!(nonce, anchor(9).nonce(&mesh.hosts[0], &mesh.hosts[1]));
    let end = AskEnd::Answered(mesh.word_of(1, nonce));
    let effects = look.handle(at(2), Event::AskEnded { id, end });
    let (attestation, answer) = attested(&effects).expect("an answer ends the look");
    assert_eq!(attestation.grade, Grade::Ok);
    assert_eq!(sight(attestation).voice, Voice::Ok);
    assert_eq!(answer, Some(&*mesh.word_of(1, nonce)));
    assert_eq!(look.next_deadline(), None);
    let path = Path::Stream;
    assert!(effects.contains(&Effect::PathAnswered {
        subject: mesh.hosts[1],
        path,
        boot: boot(1)
    }));
}

#[test]
fn a_look_into_silence_tries_every_path_and_ends_within_the_second() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let tried = wide(&mut look, mesh.ask(1));
    let kinds = |wanted: fn(&Effect) -> bool| tried.iter().filter(|effect| wanted(effect)).count();
    assert_eq!(kinds(|effect| matches!(effect, Effect::SendProbe { .. })), 2);
    assert_eq!(kinds(|effect| matches!(effect, Effect::AskByStream { .. })), 1);
    assert_eq!(kinds(|effect| matches!(effect, Effect::DialFresh { .. })), 1);
    assert_eq!(kinds(|effect| matches!(effect, Effect::Knock { .. })), 2);
    assert_eq!(kinds(|effect| matches!(effect, Effect::AskRelay { .. })), 2);
    assert_eq!(look.next_deadline(), Some(at(900)));
    let effects = look.handle(at(900), Event::DeadlineReached);
    let (attestation, answer) = attested(&effects).expect("the look is over");
    assert_eq!(answer, None);
    assert_eq!(attestation.grade, Grade::Failed);
    assert_eq!(reading(attestation, Path::Warm), Some(Reading::Silent));
    assert_eq!(reading(attestation, Path::FreshDial), Some(Reading::Silent));
    assert_eq!(reading(attestation, Path::NearRelay), Some(Reading::Absent));
    assert_eq!(
        reading(attestation, Path::NamedPort(22)),
        Some(Reading::Absent),
        "it never answered us"
    );
    assert_eq!(sight(attestation).voice, Voice::Against(vocabulary::Life::None));
}

#[test]
fn a_killed_agents_kernel_refuses_and_the_look_ends_when_every_path_has_ended() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let tried = wide(&mut look, mesh.ask(1));
    let last = end_in_silence(&mut look, &tried, Reading::Refused);
    let (attestation, _) = attested(&last).expect("nothing is left to wait for");
    assert_eq!(sight(attestation).voice, Voice::Against(vocabulary::Life::Proven));
    assert_eq!(reading(attestation, Path::NearRelay), Some(Reading::Silent));
}

#[test]
fn accepted_without_bytes_is_told_as_it_is() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let tried = wide(&mut look, mesh.ask(1));
    let last = end_in_silence(&mut look, &tried, Reading::Accepted);
    let (attestation, _) = attested(&last).expect("over");
    assert_eq!(sight(attestation).voice, Voice::Against(vocabulary::Life::Accepted));
}

#[test]
fn silence_on_paths_that_never_answered_is_absence_and_counts_as_nothing() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let ask = Ask { calibrated: vec![], ..mesh.ask(1) };
    let tried = wide(&mut look, ask);
    let last = end_in_silence(&mut look, &tried, Reading::Silent);
    let (attestation, _) = attested(&last).expect("over");
    let all_absent = |seen: &PathReading| seen.reading == Reading::Absent;
    assert!(attestation.paths.iter().all(all_absent), "{attestation:?}");
    assert_eq!(attestation.paths.len(), 7);
    assert_eq!(sight(attestation).voice, Voice::Mute);
}

#[test]
fn a_relayed_answer_counts_only_with_the_subjects_signature_over_this_nonce() {
    let mesh = mesh();
    let nonce = anchor(9).nonce(&mesh.hosts[0], &mesh.hosts[1]);
    let mut altered = mesh.word_of(1, nonce);
    altered.boot = boot(99);
    let lies = [
        mesh.word_of(1, nonce + 1),
        mesh.word_of(2, nonce),
        Box::new(mesh.identity(1).sign(Answer::Round(anchor(9)))),
        altered,
    ];
    for (word, counts) in
        lies.into_iter().map(|word| (word, false)).chain([(mesh.word_of(1, nonce), true)])
    {
        let mut look = mesh.observer();
        let tried = wide(&mut look, mesh.ask(1));
        let relay = tried.iter().find_map(|effect| match effect {
            Effect::AskRelay { id, .. } => Some(*id),
            _ => None,
        });
        let id = relay.expect("a relay is asked");
        let end = RelayEnd::Answered(word.clone());
        let mut effects = look.handle(at(60), Event::RelayEnded { id, end });
        assert_eq!(attested(&effects).is_some(), counts, "{word:?}");
        if !counts {
            effects = look.handle(at(900), Event::DeadlineReached);
        }
        let (attestation, answer) = attested(&effects).expect("over");
        assert_eq!(sight(attestation).voice == Voice::Ok, counts, "{word:?}");
        assert_eq!(answer.is_some(), counts);
    }
}

#[test]
fn a_late_observer_that_heard_nothing_says_that_it_cannot_tell() {
    let mesh = mesh();
    let mut look = mesh.observer();
    wide(&mut look, mesh.ask(1));
    let effects = look.handle(at(1_500), Event::DeadlineReached);
    let (attestation, _) = attested(&effects).expect("over");
    assert_eq!(attestation.grade, Grade::Unknown);
    assert_eq!(attestation.late_ms, 600);
    assert_eq!(look.late(at(11_500)), Span::milliseconds(600));
    assert_eq!(look.late(at(11_501)), Span::ZERO);
}

#[test]
fn a_round_that_is_asked_twice_knocks_once_and_is_answered_twice() {
    let mesh = mesh();
    let mut look = mesh.observer();
    wide(&mut look, mesh.ask(1));
    let again = Ask { id: 6, ..mesh.ask(1) };
    assert_eq!(look.handle(at(100), Event::Asked(again)), []);
    let effects = look.handle(at(900), Event::DeadlineReached);
    let asks = |effects: &[Effect]| -> Vec<u64> {
        let asks = effects.iter().filter_map(|effect| match effect {
            Effect::Attest { ask, .. } => Some(*ask),
            _ => None,
        });
        asks.collect()
    };
    assert_eq!(asks(&effects), [5, 6]);
    let (first, _) = attested(&effects).expect("over");
    let late = Ask { id: 7, ..mesh.ask(1) };
    let kept = look.handle(at(950), Event::Asked(late));
    assert_eq!(asks(&kept), [7]);
    assert_eq!(attested(&kept), Some((first, None)), "the same one, to the byte");
}

#[test]
fn law_o5_an_old_word_is_not_given_again_and_no_other_is_made_under_its_anchor() {
    let mesh = mesh();
    let mut look = mesh.observer();
    wide(&mut look, mesh.ask(1));
    look.handle(at(900), Event::DeadlineReached);
    let again = |id| Event::Asked(Ask { id, ..mesh.ask(1) });
    let in_time = look.handle(at(900).after(REPEATED_FOR), again(6));
    assert!(attested(&in_time).is_some());
    let too_late = look.handle(at(901).after(REPEATED_FOR), again(7));
    assert_eq!(too_late, [Effect::Refuse { ask: 7, why: Unavailable::TooLate }]);
}

#[test]
fn sequences_rise_and_every_attestation_is_signed_over_all_it_says() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let mut sequences = Vec::new();
    for index in 1..4 {
        let ask = Ask { anchor: anchor(index), ..mesh.ask(1) };
        look.handle(at(index * 2_000), Event::Asked(ask));
        look.handle(at(index * 2_000 + 50), Event::DeadlineReached);
        let effects = look.handle(at(index * 2_000 + 900), Event::DeadlineReached);
        let (attestation, _) = attested(&effects).expect("over");
        let bytes = attestation.signed_bytes("test");
        assert!(ModelVerifier.is_signed_by(&attestation.key, &bytes, &attestation.signature));
        assert_eq!(attestation.ingress, [mesh.hosts[2]]);
        assert_eq!(attestation.subject_boot, boot(2));
        sequences.push(attestation.sequence.0);
    }
    assert_eq!(sequences, [1, 2, 3]);
}

#[test]
fn beyond_its_bound_and_without_a_seat_a_look_is_refused_by_name() {
    let mesh = mesh();
    let mut look = mesh.observer();
    for index in 0..64 {
        let ask = Ask { anchor: anchor(index), ..mesh.ask(1) };
        let effects = look.handle(at(0), Event::Asked(ask));
        assert!(matches!(effects[0], Effect::SendProbe { .. }));
    }
    let ask = Ask { anchor: anchor(64), ..mesh.ask(1) };
    let refused = look.handle(at(0), Event::Asked(ask));
    let why = Unavailable::Busy("64 looks at once".into());
    assert_eq!(refused, [Effect::Refuse { ask: 5, why }]);
    let own = look.handle(at(0), Event::Asked(mesh.ask(0)));
    let why = Unavailable::NotMine;
    assert_eq!(own, [Effect::Refuse { ask: 5, why }]);
}

#[test]
fn an_answer_without_a_signature_is_still_an_answer_after_a_short_wait() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let effects = look.handle(at(0), Event::Asked(mesh.ask(1)));
    let Effect::SendProbe { number, .. } = effects[0] else {
        panic!("{effects:?}");
    };
    let replied = Event::ProbeReplied { subject: mesh.hosts[1], number, boot: boot(3) };
    assert_eq!(attested(&look.handle(at(3), replied)), None);
    assert_eq!(look.next_deadline(), Some(at(103)));
    let effects = look.handle(at(103), Event::DeadlineReached);
    let (attestation, answer) = attested(&effects).expect("over");
    assert_eq!((attestation.grade, answer), (Grade::Ok, None));
    assert_eq!(attestation.subject_boot, boot(3));
}

#[test]
fn relays_stand_in_the_subjects_rack_else_its_zone_and_in_a_third_zone() {
    let mesh = mesh();
    let fleet = (&*mesh.roster, &*mesh.seating);
    let hosts = &mesh.hosts;
    let nobody = Reachable::default();
    let chosen = |observer: usize, subject: usize, path| {
        let pair = relay::Pair { observer: hosts[observer], subject: hosts[subject] };
        let relay = choose_relay(fleet, pair, path, &nobody)?;
        hosts.iter().position(|host| *host == relay)
    };
    // From zone b to h0: its rack mate is h1; the third zone is c.
    assert_eq!(chosen(4, 0, Path::NearRelay), Some(1));
    assert!([Some(6), Some(7)].contains(&chosen(4, 0, Path::FarRelay)));
    // From the rack mate itself: another host of the zone; b and c are both third zones.
    assert!([Some(2), Some(3)].contains(&chosen(1, 0, Path::NearRelay)));
    assert!((4..8).map(Some).any(|far| far == chosen(1, 0, Path::FarRelay)));
    // A host that is reached goes before all others.
    let reachable = Reachable::from_iter([hosts[3]]);
    let pair = relay::Pair { observer: hosts[1], subject: hosts[0] };
    let near = choose_relay(fleet, pair, Path::NearRelay, &reachable);
    assert_eq!(near, Some(hosts[3]));
}

#[test]
fn where_there_is_no_relay_the_path_is_absent() {
    let mesh = Mesh::of(&["a1", "b1"]);
    let mut look = mesh.observer();
    let tried = wide(&mut look, mesh.ask(1));
    let asks_relay = |effect: &Effect| matches!(effect, Effect::AskRelay { .. });
    assert!(!tried.iter().any(asks_relay));
    let effects = look.handle(at(900), Event::DeadlineReached);
    let (attestation, _) = attested(&effects).expect("over");
    assert_eq!(reading(attestation, Path::NearRelay), Some(Reading::Absent));
    assert_eq!(reading(attestation, Path::FarRelay), Some(Reading::Absent));
}

#[test]
fn a_relay_check_calibrates_the_path_only_with_a_sound_answer() {
    let mesh = mesh();
    let mut look = mesh.observer();
    for sound in [false, true] {
        let (subject, path) = (mesh.hosts[4], Path::NearRelay);
        let effects = look.handle(at(0), Event::RelayChecked { subject, path });
        let [Effect::AskRelay { id, relay, nonce, .. }] = effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(relay, mesh.hosts[5]);
        let nonce = if sound { nonce } else { nonce + 1 };
        let end = RelayEnd::Answered(mesh.word_of(4, nonce));
        let effects = look.handle(at(5), Event::RelayEnded { id, end });
        let answered = Effect::PathAnswered { subject, path, boot: boot(1) };
        assert_eq!(effects == [answered], sound);
    }
}

#[test]
fn a_subject_that_answers_without_a_signature_has_answered() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let tried = wide(&mut look, mesh.ask(1));
    let dial = tried.iter().find_map(|effect| match effect {
        Effect::DialFresh { id, .. } => Some(*id),
        _ => None,
    });
    let id = dial.expect("a dial");
    let end = AskEnd::Unsigned;
    look.handle(at(60), Event::AskEnded { id, end });
    let effects = look.handle(at(160), Event::DeadlineReached);
    let (attestation, answer) = attested(&effects).expect("over");
    assert_eq!((sight(attestation).voice, answer), (Voice::Ok, None));
}

/// Two looks at once, in zones that are not ours; both far relays end like this.
fn end_two(relays: [RelayEnd; 2]) -> (Look, Vec<Grade>) {
    let mesh = mesh();
    let mut look = mesh.observer();
    look.handle(at(0), Event::ReachableChanged(mesh.hosts.iter().copied().collect()));
    let mut effects = look.handle(at(0), Event::Asked(mesh.ask(4)));
    effects.extend(look.handle(at(0), Event::Asked(mesh.ask(6))));
    effects.extend(look.handle(at(50), Event::DeadlineReached));
    let asked = effects.iter().filter_map(|effect| match effect {
        // protocol 3.1: the far relay stands in a third zone.
        Effect::AskRelay { id, relay, subject, .. } => {
            let of = |host: &HostId| mesh.roster.get(host).expect("enrolled").claims.domain.zone();
            (of(relay) != of(subject)).then_some(*id)
        }
        _ => None,
    });
    let asked: Vec<AttemptId> = asked.collect();
    assert_eq!(asked.len(), 2);
    for (id, end) in asked.into_iter().zip(relays) {
        look.handle(at(850), Event::RelayEnded { id, end });
    }
    let ended = look.handle(at(900), Event::DeadlineReached);
    let grades = ended.iter().filter_map(|effect| match effect {
        Effect::Attest { attestation, .. } => Some(attestation.grade),
        _ => None,
    });
    let grades = grades.collect();
    (look, grades)
}

#[test]
fn an_observer_whom_no_relay_answers_cannot_tell_and_says_so() {
    let (look, grades) = end_two([RelayEnd::Mute, RelayEnd::Mute]);
    assert_eq!(grades, [Grade::Unknown, Grade::Unknown], "law O3");
    assert_eq!(look.self_doubts(at(900)), [SelfDoubt::Relays]);
    assert_eq!(look.self_doubts(at(10_851)), []);
}

#[test]
fn one_relay_that_asked_in_vain_is_enough_to_be_sure_of_oneself() {
    for relays in [[RelayEnd::Mute, RelayEnd::SubjectSilent], [RelayEnd::Mute, RelayEnd::Unreached]]
    {
        let (look, grades) = end_two(relays);
        assert_eq!(grades, [Grade::Failed, Grade::Failed], "law NK1");
        assert_eq!(look.self_doubts(at(900)), []);
    }
}

#[test]
fn late_sockets_count_like_a_late_loop_and_are_named_apart() {
    let mesh = mesh();
    let mut look = mesh.observer();
    let effects = wide(&mut look, mesh.ask(2));
    look.handle(at(400), Event::SocketsWereLate { by: Span::milliseconds(1_001) });
    let ended = end_in_silence(&mut look, &effects, Reading::Silent);
    let (attestation, _) = attested(&ended).expect("it ends");
    assert_eq!((attestation.grade, attestation.late_ms), (Grade::Unknown, 1_001));
    assert_eq!(look.self_doubts(at(900)), [SelfDoubt::Sockets]);
}
