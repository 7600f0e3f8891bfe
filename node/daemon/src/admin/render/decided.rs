//! What followed from the voices, rule by rule.

use ledger::case::Case;
use ledger::policy::{Mode, Rung};
use vocabulary::{Scope, Span, VerdictKind};

use super::{Scene, checks, counted, votes};
use crate::admin::answer::{Decided, Votes};

/// The reasoning, in the order of the protocol.
pub fn decided(scene: &Scene<'_>, case: &Case) -> Vec<Decided> {
    let mut steps = match &case.subject {
        Scope::Host(_) if case.kind == VerdictKind::Left => Vec::new(),
        Scope::Host(_) if case.kind == VerdictKind::Duplicate => vec![of_two_machines(case)],
        Scope::Host(_) if case.is_unfit() => of_a_check(scene, case),
        Scope::Host(_) => of_a_host(scene, case),
        Scope::Rack(_) | Scope::Zone(_) => of_a_domain(scene, case),
        Scope::Group(_) | Scope::Fleet => Vec::new(),
    };
    steps.push(step("3.6", meaning(&case.kind)));
    if case.flips > 0 {
        let hold_off = case.held_off_until.since(case.opened);
        let times = counted(case.flips as usize, "time");
        let held = match hold_off {
            Span::ZERO => String::new(),
            hold_off => format!(", with a hold-off of {hold_off}"),
        };
        steps.push(step("3.8", format!("it recovered and fell again {times}: one case{held}")));
    }
    // What nobody settled, what is two and what a check found is for no rule.
    let is_for_rules = !matches!(
        case.kind,
        VerdictKind::Unsettled | VerdictKind::Duplicate | VerdictKind::Unfit(_)
    );
    steps.extend(rule(scene, case).filter(|_| is_for_rules));
    steps
}

fn of_two_machines(case: &Case) -> Decided {
    let number = case.boot.map_or(0, |boot| boot.number);
    let heard = counted(case.rounds_upheld as usize, "time");
    step(
        "1.2",
        format!(
            "the host's own certificate brought another life than the known one, boot {number}, heard {heard}: neither of \
             the two has a voice, its seats are vacant, and no lease of it is renewed"
        ),
    )
}

fn of_a_host(scene: &Scene<'_>, case: &Case) -> Vec<Decided> {
    let Votes { seats, against, well, vacant, needed, tolerated } = votes::votes(scene, case);
    let index = case.grounds.anchor.index;
    let heard = case.grounds.sights.len();
    let mut steps = vec![step(
        "3.1",
        format!(
            "a round hung on entry {index}: {heard} of its {seats} observers signed what they saw"
        ),
    )];
    if vacant > 0 {
        let names = scene.names(&case.grounds.vacant).join(" ");
        steps.push(step(
            "3.3",
            format!("{vacant} seats count as vacant, silent or discounted: {names}"),
        ));
    }
    steps.push(step(
        "3.4",
        format!(
            "{against} voices against it, {needed} were needed; {well} saw it well, {tolerated} may be mistaken"
        ),
    ));
    if let Some(why) = case.unsettled_why() {
        let silent = counted(case.grounds.unanswered().count(), "observer");
        steps.push(step(
            "3.6",
            format!("{silent} looked and got no answer, and there is no verdict: {why}"),
        ));
    }
    if matches!(case.kind, VerdictKind::HostDown | VerdictKind::HostHung) {
        steps.push(step(
            "3.5",
            "a witness beside it, in its rack or its zone, is alive: it is not the whole domain that is cut off".to_owned(),
        ));
    }
    let upheld = case.rounds_upheld;
    if upheld > 1 {
        steps.push(step("3.4", format!("{upheld} consecutive rounds have upheld it")));
    }
    steps
}

/// protocol 3.10: the words on a check; nobody's who is not asked for one.
fn of_a_check(scene: &Scene<'_>, case: &Case) -> Vec<Decided> {
    let Votes { seats, against, well, vacant, needed, tolerated } = votes::votes(scene, case);
    let index = case.grounds.anchor.index;
    let spoke = case.grounds.sights.iter().filter(|sight| sight.void.is_none());
    let observers = spoke.filter(|sight| Some(sight.observer) != case.host()).count();
    let mut steps = vec![step(
        "3.1",
        format!(
            "a round hung on entry {index}: the host itself answered, so it is reached, and {} signed what they found",
            counted(observers, "observer")
        ),
    )];
    if vacant > 0 {
        let names = scene.names(&case.grounds.vacant).join(" ");
        steps.push(step(
            "3.10",
            format!("{vacant} seats count as vacant, gone or unable to tell: {names}"),
        ));
    }
    if seats > 0 {
        steps.push(step(
            "3.10",
            format!(
                "{against} of its {seats} observers find the check failed, {needed} were needed; {well} find it \
                 serving, {tolerated} may be mistaken"
            ),
        ));
    }
    steps.push(step("3.10", format!("so it fails {}", checks::by(scene, case))));
    if let Some(check) = checks::of_case(scene, case) {
        steps.push(step("policy", format!("the check is {}", checks::in_words(check))));
    }
    steps
}

fn of_a_domain(scene: &Scene<'_>, case: &Case) -> Vec<Decided> {
    let place = scene.subject(&case.subject);
    let hosts = counted(case.members_count as usize, "host");
    vec![step(
        "3.5",
        format!(
            "all of {} {} is silent, {hosts}, each by at least two voices from outside it: dead or cut off, \
             which look the same from here",
            place.kind, place.name
        ),
    )]
}

/// protocol 3.6: what the verdict means and what may follow from it.
fn meaning(kind: &VerdictKind) -> String {
    match kind {
        VerdictKind::AgentDown => {
            "AgentDown: the agent answers on no path, while the host itself is proven alive".to_owned()
        }
        VerdictKind::HostDown => "HostDown: nothing answers, neither the agent nor any port".to_owned(),
        VerdictKind::HostHung => {
            "HostHung: connections are accepted and nothing is said: a kernel lives, its processes do not get on"
                .to_owned()
        }
        VerdictKind::Unfit(check) => format!(
            "Unfit: it is reachable, and check {check} fails; it counts as unhealthy, and nothing is done for it"
        ),
        VerdictKind::DomainDown => {
            "DomainDown: one case for all of it; no remedy begins by itself, a person looks at what feeds it".to_owned()
        }
        VerdictKind::Unsettled => {
            "Unsettled: a doubt with neither verdict nor end; nothing is done, it delays nobody, and a person is called in time".to_owned()
        }
        VerdictKind::Surge => {
            "Surge: too much trouble at once for many single faults; the brake is on until a person lifts it".to_owned()
        }
        VerdictKind::Left => "Left: its agent said goodbye and has not come back within its grace".to_owned(),
        VerdictKind::Duplicate => {
            "Duplicate: two machines live under this host's name, a clone or a restored snapshot; stop one of the two".to_owned()
        }
    }
}

/// What the policy says about such a case.
fn rule(scene: &Scene<'_>, case: &Case) -> Option<Decided> {
    let scopes = case.scopes.as_ref()?;
    let (group, shelf) = (&scopes.group, scene.ledger.policy_shelf());
    let Some((name, version)) = &case.rule else {
        let sentence = match shelf.version() {
            0 => "this mesh was never given a policy: it only observes".to_owned(),
            version => format!(
                "no rule of policy version {version} is for {} of group {group}: it is only observed",
                case.kind
            ),
        };
        return Some(step("policy", sentence));
    };
    let rules = &scene.ledger.policy().rules;
    let Some(rule) = rules.iter().find(|rule| rule.name == *name) else {
        return Some(step(
            "policy",
            format!("rule {name:?} of policy version {version}; it is gone since"),
        ));
    };
    let rungs = counted(rule.ladder.len(), "rung");
    let waits = rule.ladder.first().map_or(Span::ZERO, |rung| rule.stands_for(rung));
    let sentence = if rule.acts() {
        let first = match waits {
            Span::ZERO => "the first at once".to_owned(),
            waits => format!("the first once the verdict has stood for {waits}"),
        };
        let asks = |rung: &&Rung| scene.ledger.wants_word(case, rule, rung);
        let asked = match rule.ladder.iter().filter(asks).count() {
            0 => "",
            all if all == rule.ladder.len() => ", each when a person has allowed it",
            _ => ", what is destructive when a person has allowed it: the group is stateful",
        };
        format!(
            "rule {name:?} of policy version {version} acts on it in group {group}: {rungs}, {first}{asked}"
        )
    } else {
        let does = match rule.mode {
            Mode::Shadow => "is in shadow: what it would begin is put down, and nothing begins",
            Mode::Observe | Mode::Approve | Mode::Act => "only observes it",
        };
        format!("rule {name:?} of policy version {version} {does}")
    };
    Some(step("policy", sentence))
}

fn step(rule: &str, sentence: String) -> Decided {
    Decided { rule: rule.to_owned(), sentence }
}
