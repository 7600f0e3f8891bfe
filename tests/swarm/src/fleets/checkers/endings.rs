//! Law G1: once faults stop, every trouble is over or a person knows, and every well host is well.
//!
//! Not here: how long that takes (a plan's calm says it).

use ledger::audit::What;
use ledger::case::{Case, FrozenScopes};
use ledger::command::Refused;
use simulator::Fleet;
use simulator::truth::Truth;
use vocabulary::{HostId, Scope, VerdictKind};

use super::budgets::is_in;

/// An entry takes its way to everybody; who is further behind gets none.
const ENTRIES_UNDER_WAY: u64 = 4;

/// At the end of the calm.
pub fn check(fleet: &Fleet) -> Result<(), String> {
    if let Some(breach) = fleet.breaches().first() {
        return Err(breach.law.clone());
    }
    if !fleet.ledger().have_votes_followed() {
        return Err("law G1: votes have moved, and the stores do not follow".into());
    }
    fleet.ledger().cases().try_for_each(|case| of_case(fleet, case))?;
    let truths: Vec<Truth<'_>> = fleet.truths().collect();
    truths.iter().try_for_each(|truth| of_host(fleet, &truths, truth))
}

/// No case stays open without a reason: a person has it, it waits for a person who has another one, for a halt or an hour that the
/// policy set, or one observer is all that is left of those who would judge it (protocol 3.6: one word alone is shown and calls nobody).
/// A check is judged on a host that is reached (protocol 3.10): what is known of a dead one, [`of_host`] asks.
fn of_case(fleet: &Fleet, case: &Case) -> Result<(), String> {
    let holds = fleet.ledger().holds(case.id);
    let waits = holds
        .iter()
        .any(|hold| is_another_persons(fleet, &hold.rule) || is_policys(fleet, &hold.rule));
    let is_ticket = case.kind == VerdictKind::Left;

    let is_excused = waits || is_one_word(fleet, case) || is_check_of_the_dead(fleet, case);

    if !case.is_live() || is_ticket || is_excused {
        return Ok(());
    }
    let holds: Vec<String> = holds.iter().map(|hold| hold.rule.to_string()).collect();
    let (id, kind, stage) = (case.id, &case.kind, case.stage.word());
    let subject = match &case.subject {
        Scope::Host(host) => fleet.name_of(host),
        other => format!("{other:?}"),
    };
    Err(format!("law G1: case {id}, {kind} of {subject}, is still {stage}: {}", holds.join("; ")))
}

/// Protocol 1.2: of two machines under one name both are nobody's voice, and a person knows.
fn of_double(fleet: &Fleet, truths: &[Truth<'_>], truth: &Truth<'_>) -> Result<(), String> {
    let lives = |other: &&Truth<'_>| other.id == truth.id && other.boot.is_some();
    if fleet.ledger().is_duplicate(&truth.id) || truths.iter().filter(lives).count() < 2 {
        return Ok(());
    }
    Err(format!("law G1: two machines live under the name {}, and nobody knows", truth.claims.host))
}

fn of_host(fleet: &Fleet, truths: &[Truth<'_>], truth: &Truth<'_>) -> Result<(), String> {
    of_double(fleet, truths, truth)?;
    let name = &truth.claims.host;
    let is_double = fleet.ledger().is_duplicate(&truth.id);
    let is_copy = truths
        .iter()
        .find(|other| other.id == truth.id)
        .is_some_and(|first| !std::ptr::eq(first, truth));
    // Whoever dials a name reaches the machine that was copied, in this simulator: of the copy alone nobody could hear.
    if is_double || is_copy {
        return Ok(());
    }
    let doubts_it = |by: &&Truth<'_>| {
        let is_heard = !fleet.ledger().is_duplicate(&by.id);
        is_heard && by.doubts.iter().any(|note| note.subject == truth.id)
    };
    let doubter = truths.iter().find(doubts_it);
    if !truth.is_heard {
        let is_told = doubter.is_some_and(|by| is_new_doubt(by, truth) || is_alone(fleet, truth))
            || is_told_of(fleet, truth)
            || is_next(fleet, truths, truth);
        return if is_told {
            Ok(())
        } else {
            Err(format!("law G1: {name} is dead and nobody knows"))
        };
    }
    if let Some(doubter) = doubter {
        return Err(format!("law G1: {name} is well, and {} doubts it", doubter.claims.host));
    }
    if let Some(case) = fleet.ledger().case_of_host(&truth.id).filter(|case| !is_a_persons(case)) {
        return Err(format!("law G1: {name} is well, and case {} is not over", case.id));
    }
    if truth.upto.0 + ENTRIES_UNDER_WAY < fleet.ledger().index().0 {
        let (upto, index) = (truth.upto, fleet.ledger().index());
        return Err(format!("law G1: {name} is well and at entry {upto} of {index}"));
    }
    Ok(())
}

/// A doubt is a case before it is older (protocol 3.6), at the latest with the next round.
const DOUBT_ALONE_MAX_MS: u64 = 60_000;

fn is_new_doubt(by: &Truth<'_>, truth: &Truth<'_>) -> bool {
    let own = by.doubts.iter().find(|note| note.subject == truth.id);
    own.is_some_and(|note| note.age_ms < DOUBT_ALONE_MAX_MS)
}

/// By a case of its own, its domain's or a surge's that names it, or by its goodbye: none of a check, which says that it is reached.
fn is_told_of(fleet: &Fleet, truth: &Truth<'_>) -> bool {
    let names_it = |case: &Case| match &case.subject {
        Scope::Host(subject) => *subject == truth.id && !matches!(case.kind, VerdictKind::Unfit(_)),
        Scope::Rack(rack) => *rack == truth.claims.domain,
        Scope::Zone(zone) => *zone == truth.claims.domain.zone(),
        Scope::Group(_) | Scope::Fleet => has_member(case, &truth.id),
    };
    let ledger = fleet.ledger();
    ledger.cases().any(|case| names_it(case)) || ledger.left_since(&truth.id).is_some()
}

fn has_member(case: &Case, host: &HostId) -> bool {
    case.members.contains(host)
}

/// Only a person ends a case whose remedy's end nobody knows, and a quarantine.
fn is_a_persons(case: &Case) -> bool {
    case.is_a_persons() && !case.may_recover()
}

/// A host of a domain waits for its domain's person (protocol 3.5), and whoever wants a budget for the person who has the cases that
/// go on counting in it, because nobody knows the end of their remedies (protocol 7.6): those, and none that will end by itself.
fn is_another_persons(fleet: &Fleet, hold: &Refused) -> bool {
    let ledger = fleet.ledger();
    let stays = |scope: &Scope| {
        let counted = ledger.cases().filter(|case| {
            let lease = case.counted_lease();
            lease.is_some_and(|lease| is_in(&lease.scopes, scope))
        });
        let mut counted = counted.peekable();
        counted.peek().is_some() && counted.all(|case| !case.is_live() || waits_long(fleet, case))
    };
    match hold {
        Refused::CaseOpen(over) => ledger.case(*over).is_some_and(|over| {
            !over.is_live() && matches!(over.subject, Scope::Rack(_) | Scope::Zone(_))
        }),
        Refused::Stopped { .. }
        | Refused::KindStopped { .. }
        | Refused::Approval { .. }
        | Refused::Shadowed { .. } => true,
        Refused::Canary { case, .. } => {
            ledger.case(*case).is_some_and(|first| !first.is_live() || waits_long(fleet, first))
        }
        Refused::Budget { scope, .. } => stays(scope),
        Refused::Ramp { .. } => stays(&Scope::Fleet),
        _ => false,
    }
}

fn waits_long(fleet: &Fleet, case: &Case) -> bool {
    fleet.ledger().holds(case.id).iter().any(|hold| is_policys(fleet, &hold.rule))
}

/// Protocol 6.1: what halts, or has begun enough for the hour, waits for as many hosts to be well, or for the hour; both counted here.
fn is_policys(fleet: &Fleet, hold: &Refused) -> bool {
    match hold {
        Refused::Halt { scope, limit, .. } => {
            let stands_in = |truth: &Truth<'_>| {
                let (domain, group) = (truth.claims.domain.clone(), truth.claims.group.clone());
                is_in(&FrozenScopes { domain, group }, scope)
            };
            let is_ill = |truth: &Truth<'_>| {
                let rack = Scope::Rack(truth.claims.domain.clone());
                let ledger = fleet.ledger();
                ledger.case_of_host(&truth.id).is_some() || ledger.domain_case_of(&rack).is_some()
            };
            let ill = fleet.truths().filter(|truth| stands_in(truth) && is_ill(truth)).count();
            ill > *limit as usize
        }
        // A slot counts as a start, whatever became of it (law SD1).
        Refused::PerHour { limit, .. } | Refused::PerDay { limit, .. } => {
            let slots = fleet.ledger().audit_since(0);
            let slots = slots.filter(|record| matches!(record.what, What::SlotGranted { .. }));
            fleet.journal().len() + slots.count() >= *limit as usize
        }
        _ => false,
    }
}

/// None of its observers lives, and somebody is told of one of them, or would be but that a sole word opens only so many cases (law W3): once
/// that one lives, it finds this one.
fn is_next(fleet: &Fleet, truths: &[Truth<'_>], truth: &Truth<'_>) -> bool {
    let observers = fleet.ledger().seating().observers(&truth.id);
    let of = |observer: &HostId| truths.iter().find(|other| other.id == *observer);
    let is_dead = |observer: &HostId| of(observer).is_some_and(|other| !other.is_heard);
    let is_doubted =
        |host: &HostId| truths.iter().any(|by| by.doubts.iter().any(|note| note.subject == *host));
    let is_told = |observer: &HostId| {
        of(observer).is_some_and(|other| {
            is_told_of(fleet, other) || is_doubted(observer) && is_alone(fleet, other)
        })
    };
    observers.iter().all(is_dead) && observers.iter().any(is_told)
}

fn is_one_word(fleet: &Fleet, case: &Case) -> bool {
    let is_alone =
        |subject| fleet.truths().any(|truth| truth.id == subject && is_alone(fleet, &truth));
    case.kind == VerdictKind::Unsettled && case.host().is_some_and(is_alone)
}

fn is_check_of_the_dead(fleet: &Fleet, case: &Case) -> bool {
    let is_dead =
        |subject| fleet.truths().filter(|truth| truth.id == subject).all(|truth| !truth.is_heard);
    matches!(case.kind, VerdictKind::Unfit(_)) && case.host().is_some_and(is_dead)
}

/// One of its observers at most is left to judge it.
fn is_alone(fleet: &Fleet, truth: &Truth<'_>) -> bool {
    let is_heard = |host: &HostId| {
        !fleet.ledger().is_duplicate(host)
            && fleet.truths().any(|other| other.id == *host && other.is_heard)
    };
    let observers = fleet.ledger().seating().observers(&truth.id).iter();
    observers.filter(|observer| is_heard(observer)).count() <= 1
}

#[cfg(test)]
mod tests {
    use simulator::script::Script;
    use std::ops::ControlFlow;

    use super::*;

    /// What is wrong at the end of these orders.
    fn ending(orders: &str) -> Result<(), String> {
        let text = format!(
            "hosts a1 a2 zone=a; hosts b1 b2 zone=b; hosts c1 c2 zone=c\nkeepers a1 b1 c1\n{orders}\n"
        );
        let script = Script::read(&text).expect("a script");
        let fleet = script.play_watched(&mut |_| ControlFlow::Continue(())).expect("a fleet");
        check(&fleet)
    }

    #[test]
    fn law_g1_a_dead_host_that_nobody_knows_of_and_a_case_without_end_are_caught() {
        assert_eq!(ending("run 10s"), Ok(()));
        let fresh = ending("run 10s; kill b2");
        assert_eq!(fresh, Err("law G1: b2 is dead and nobody knows".into()));
        let open = ending("kill b2; run 30s").expect_err("nothing heals without a policy");
        assert!(open.starts_with("law G1: case 1, AgentDown of b2, is still open"), "{open}");
    }

    #[test]
    fn law_g1_a_well_host_that_is_doubted_or_behind_is_caught() {
        let cut = ending("cut b2 from c2; run 10s").expect_err("they doubt each other");
        assert!(cut.ends_with("doubts it") && cut.starts_with("law G1"), "{cut}");
    }
    #[test]
    fn law_g1_a_case_may_wait_for_an_hour_whose_starts_slots_used_up() {
        let policy = "policy
[budget]
fleet = { in_flight = 3, halt_above = \"none\", per_hour = 1 }
any_group = { in_flight = 3 }
[[rule]]
name = \"down\"
when = { verdict = \"AgentDown\" }
mode = \"act\"
ladder = [ { do = \"command\", class = \"gentle\", argv = [\"/bin/start\"], verify_within = \"30s\", soak = \"3s\" } ]
end
run 10s";
        let slot = "take-slot a2; run 1s; return-slot a2; run 5s";
        assert_eq!(ending(&format!("{policy}; {slot}; kill b2; run 2m")), Ok(()));
        assert_eq!(ending(&format!("{policy}; kill b2; run 2m")), Ok(()), "it is healed");
    }

    #[test]
    fn law_g1_that_a_check_failed_tells_nobody_that_its_host_is_dead() {
        let fresh = ending(
            "policy
[[check]]
name = \"service\"
kind = \"tcp\"
port = 8080
from = \"self\"
every = \"2s\"
timeout = \"900ms\"
fails_after = 2
recovers_after = 1
end
port 8080 on b2 refuses to itself; run 10s; kill b2",
        );
        assert_eq!(fresh, Err("law G1: b2 is dead and nobody knows".into()));
    }
}
