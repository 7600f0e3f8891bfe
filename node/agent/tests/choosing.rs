//! Whom the leader asks to heal, what it tells the ledger of, and how a host comes into the roster.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;

use std::collections::BTreeSet;

use agent::enrol::{Enrolment, Presence};
use agent::lead::{Lead, Matter};
use fleet::{Fleet, Seen, boot, claims, claims_in, id, zone};
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use ledger::command::{Command, Finding, Outcome, Refused};
use vocabulary::{
    CertificateChain, HostId, ModelSigner, ModelVerifier, Moment, Signer, Span, StoreId,
    VerdictKind, model_chain, model_chain_until,
};

fn presence(name: &str, number: u64) -> Presence {
    let claims = claims(name);
    Presence {
        me: claims.id(),
        chain: model_chain(&claims),
        key: ModelSigner::new(&claims.host).public_key(),
        ends: None,
        boot: boot(number),
        address: "[::1]:4433".parse().expect("sound"),
        store: None,
        client: None,
    }
}

fn at(milliseconds: u64) -> Moment {
    Moment::from_milliseconds(1_000_000 + milliseconds)
}

#[test]
fn a_host_enrols_then_names_its_boot_and_then_is_silent() {
    let mut fleet = Fleet::of(["a1", "b1", "c1"].map(claims).to_vec());
    let mut enrolment = Enrolment::new(presence("a2", 1));
    let enrol = enrolment.advance(at(0), &fleet.ledger).expect("a stranger");
    assert!(matches!(enrol, Command::Enrol(_)));
    assert_eq!(enrolment.advance(at(1), &fleet.ledger), None, "one at a time");
    let outcome = fleet.send("a2", enrol);
    enrolment.ended(at(2), Some(outcome));

    assert_eq!(enrolment.advance(at(3), &fleet.ledger), None, "a pause");
    let due = enrolment.next_deadline().expect("it wants more");
    let named = enrolment.advance(due, &fleet.ledger).expect("its boot");
    assert!(matches!(named, Command::Boot { .. }));
    let outcome = fleet.send("a2", named);
    enrolment.ended(due, Some(outcome));
    for later in [0, 2_000, 100_000] {
        assert_eq!(enrolment.advance(due.after(Span::milliseconds(later)), &fleet.ledger), None);
    }
    assert_eq!(enrolment.next_deadline(), None, "law N1: nothing wakes it");
}

#[test]
fn nothing_is_proposed_before_the_founding_or_after_the_burial() {
    let mut enrolment = Enrolment::new(presence("a2", 1));
    assert_eq!(enrolment.advance(at(0), &Ledger::new()), None);
    let mut fleet = Fleet::nine();
    let retire = Command::Retire { host: id("a2"), order: fleet::order("it was sold") };
    assert_eq!(fleet.send("a1", retire), Outcome::Done);
    assert_eq!(enrolment.advance(at(0), &fleet.ledger), None);
    assert_eq!(enrolment.next_deadline(), None);
}

#[test]
fn a_lost_answer_is_asked_for_again_and_a_refusal_is_kept_for_the_screen() {
    let fleet = Fleet::of(["a1", "b1", "c1"].map(claims).to_vec());
    let mut enrolment = Enrolment::new(presence("a2", 1));
    enrolment.advance(at(0), &fleet.ledger).expect("a stranger");
    enrolment.ended(at(10), None);
    assert_eq!(enrolment.refusal(), None);
    enrolment.advance(at(2_000), &fleet.ledger).expect("again");
    enrolment.ended(at(2_010), Some(Outcome::Refused(Refused::Retired)));
    assert_eq!(enrolment.refusal(), Some(&Refused::Retired));
}

#[test]
fn a_host_that_was_not_added_sleeps_ever_longer_and_asks_at_once_when_it_is() {
    let mut fleet = Fleet::nine();
    fleet.set_policy("enrolment.hosts = \"added\"");
    let mut enrolment = Enrolment::new(presence("d1", 1));
    let mut tries = Vec::new();
    for second in 0..600 {
        if let Some(enrol) = enrolment.advance(at(second * 1_000), &fleet.ledger) {
            tries.push(second);
            let outcome = fleet.send("d1", enrol);
            enrolment.ended(at(second * 1_000), Some(outcome));
        }
    }
    assert_eq!(tries, [0, 10, 30, 70, 150, 270, 390, 510]);
    assert!(matches!(enrolment.refusal(), Some(Refused::NotAdded(_))));
    let add = Command::AddHost {
        name: claims("d1").host,
        may_enrol: true,
        order: fleet::order("it is ours"),
    };
    assert_eq!(fleet.send("a1", add), Outcome::Done);
    let enrol = enrolment.advance(at(600_000), &fleet.ledger).expect("at once");
    let outcome = fleet.send("d1", enrol);
    enrolment.ended(at(600_001), Some(outcome));
    assert_eq!(enrolment.refusal(), None);
}

#[test]
fn the_end_of_a_certificate_is_told_once_and_each_host_waits_for_its_turn() {
    let mut fleet = Fleet::nine();
    let ends = Some(1_900_000_000);
    let chain = |name: &str| {
        let claims = claims(name);
        model_chain_until(&claims, &ModelSigner::new(&claims.host), 1_900_000_000)
    };
    let mut told = BTreeSet::new();
    for name in ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"] {
        let chain = chain(name);
        let mut enrolment = Enrolment::new(Presence { ends, chain, ..presence(name, 1) });
        let first = enrolment.advance(at(0), &fleet.ledger);
        let due = enrolment.next_deadline().map_or(at(0), |due| due.max(at(0)));
        told.insert(due);
        assert!(due.since(at(0)) < Span::milliseconds(9 * 20), "{name} waits until {due:?}");
        let enrol = first.or_else(|| enrolment.advance(due, &fleet.ledger)).expect("it tells");
        let outcome = fleet.send(name, enrol);
        assert_eq!(outcome, Outcome::Done);
        enrolment.ended(due, Some(outcome));
        assert_eq!(enrolment.advance(due.after(Span::minutes(9)), &fleet.ledger), None, "law N1");
        assert_eq!(enrolment.next_deadline(), None);
    }
    assert!(told.len() > 3, "not all at one moment: {told:?}");
}

#[test]
fn the_client_of_a_host_is_bound_once_the_host_belongs_and_no_other_hosts_is_taken() {
    let mut fleet = Fleet::nine();
    let client = FleetLockId::new("c988").expect("sound");
    let with = |name| Presence { client: Some(client.clone()), ..presence(name, 1) };
    let mut enrolment = Enrolment::new(with("b2"));
    let bind = enrolment.advance(at(0), &fleet.ledger).expect("it is not bound");
    assert!(matches!(bind, Command::BindClient { .. }), "{bind:?}");
    let outcome = fleet.send("b2", bind);
    assert_eq!(outcome, Outcome::Done);
    enrolment.ended(at(1), Some(outcome));
    assert_eq!(fleet.ledger.host_of_client(&client), Some(id("b2")));
    assert_eq!(enrolment.advance(at(600_000), &fleet.ledger), None, "law N1");
    assert_eq!(Enrolment::new(with("c2")).advance(at(0), &fleet.ledger), None);
    let older = Fleet::healing_under_the_first_rules();
    assert_eq!(Enrolment::new(with("b2")).advance(at(0), &older.ledger), None);
}

#[test]
fn a_new_life_a_new_address_and_a_new_store_are_told_once_each() {
    let fleet = Fleet::nine();
    let known = presence("a1", 1);
    let is_told = |presence: Presence| {
        let mut enrolment = Enrolment::new(presence);
        enrolment.advance(at(0), &fleet.ledger).is_some()
    };
    assert!(!is_told(known.clone()));
    assert!(is_told(presence("a1", 2)));
    assert!(is_told(Presence { address: "[::2]:4433".parse().expect("sound"), ..known.clone() }));
    assert!(is_told(Presence { store: Some(StoreId(7)), ..known.clone() }));
    let rotated = ModelSigner::rotated(&claims("a1").host, 1);
    assert!(is_told(Presence {
        key: rotated.public_key(),
        chain: CertificateChain(Vec::new()),
        ..known
    }));
}

mod healers {
    use super::*;
    use agent::offer::{Troubled, choose_healer};

    fn chosen(
        fleet: &Fleet,
        case: vocabulary::CaseId,
        doubted: &[&str],
        draw: u64,
    ) -> Option<HostId> {
        let troubled = Troubled::new(&fleet.ledger, doubted.iter().map(|name| id(name)));
        choose_healer(&fleet.ledger, fleet.case(case), (&troubled, draw))
    }

    #[test]
    fn law_o1_never_the_subject_never_a_doubted_host_never_one_in_trouble() {
        let mut fleet = Fleet::healing();
        let case = fleet.opened("b2", Seen::AgentDown);
        fleet.opened("c3", Seen::AgentDown);
        let goodbye = Command::Left { boot: boot(1) };
        assert_eq!(fleet.send("a3", goodbye), Outcome::Done);
        for draw in 0..200 {
            let healer = chosen(&fleet, case, &["a1", "a2"], draw).expect("four are left");
            for barred in ["b2", "c3", "a1", "a2", "a3"] {
                assert_ne!(healer, id(barred));
            }
        }
    }

    #[test]
    fn each_offer_is_a_new_draw_and_in_the_end_everybody_is_asked() {
        let mut fleet = Fleet::healing();
        let case = fleet.opened("b2", Seen::AgentDown);
        let asked: BTreeSet<HostId> =
            (0..200).filter_map(|draw| chosen(&fleet, case, &[], draw)).collect();
        assert_eq!(asked.len(), 8);
        assert_eq!(chosen(&fleet, case, &[], 3), chosen(&fleet, case, &[], 3));
    }

    #[test]
    fn who_stands_in_the_subjects_own_rack_is_asked_last() {
        let hosts = vec![
            claims_in("a1", "a", "r1"),
            claims_in("a2", "a", "r1"),
            claims_in("b1", "b", "r1"),
            claims_in("c1", "c", "r1"),
        ];
        let mut fleet = Fleet::of(hosts);
        fleet.set_policy(fleet::POLICY);
        let case = fleet.opened("a2", Seen::AgentDown);
        let near = |draw: &u64| chosen(&fleet, case, &[], *draw) == Some(id("a1"));
        let draws: Vec<u64> = (0..50).filter(near).collect();
        assert!(draws.iter().all(|draw| draw % 4 == 3), "{draws:?}");
        assert!(
            !draws.is_empty(),
            "law O2: the hosts outside may all be silent, and nobody left to say so"
        );
        assert_eq!(chosen(&fleet, case, &["b1", "c1"], 0), Some(id("a1")));
        assert_eq!(chosen(&fleet, case, &["b1", "c1", "a1"], 0), None);
    }
}

#[test]
fn one_proposal_of_a_matter_is_under_way_and_the_next_one_waits_a_little() {
    let mut lead = Lead::new(id("a1"));
    assert!(lead.begin(Matter::Tick));
    assert!(!lead.begin(Matter::Tick), "it is under way");
    lead.ended(at(0), Matter::Tick);
    lead.rest(at(100));
    assert!(!lead.begin(Matter::Tick), "it was answered just now");
    let due = lead.next_deadline(false).expect("the pause ends");
    assert!(due > at(100));
    lead.rest(due);
    assert_eq!(lead.next_deadline(false), None, "a pause that is over wakes nobody");
    assert!(lead.begin(Matter::Tick));
}

#[test]
fn whoever_is_deposed_forgets_what_it_had_under_way() {
    let mut lead = Lead::new(id("a1"));
    assert!(lead.begin(Matter::Surge));
    lead.depose();
    assert!(lead.begin(Matter::Surge));
    assert!(!lead.has_looked());
}

#[test]
fn a_dark_domain_that_comes_back_is_told_of_in_each_round_that_sees_more_of_it() {
    let mut fleet = Fleet::healing();
    let dark = ["b1", "b2", "b3"].map(|name| (name, Seen::HostDown));
    let finding = Finding { scope: zone("b"), kind: VerdictKind::DomainDown };
    let case = fleet.findings(&dark, vec![finding], &[]).remove(0).expect("all are silent");
    let mut lead = Lead::new(id("a1"));
    // No set of rounds sees all of it well at once.
    for (name, is_news) in [("b1", true), ("b1", false), ("b3", true), ("b2", true)] {
        let seen = |host| (host, if host == name { Seen::Well } else { Seen::HostDown });
        let grounds = fleet.round(&["b1", "b2", "b3"].map(seen));
        let (_, conclusions) = fleet.ledger.concluded(&grounds, &ModelVerifier);
        let told = lead.conclude(at(0), &fleet.ledger, (&grounds, &conclusions)).recovered;
        assert_eq!(told == [case], is_news, "{name}");
        if is_news {
            fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
        }
    }
    assert_eq!(fleet.stage(case), "closed");
}
