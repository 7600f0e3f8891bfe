//! Cases on a line each: where every one stands, and what it waits for.

use ledger::case::{Case, Closure, Lease, Stage};
use ledger::command::Refused;
use ledger::policy::{Mode, Rule};
use ledger::view::{Hold, Step};
use vocabulary::{Span, VerdictKind};

use super::{Scene, audit, checks, reasons, wall};
use crate::admin::answer::{CaseLine, Cases, ClosedHow, LeaseSeen, RungPlace};

/// Cases that are not closed; with `all`, those lately closed too.
pub fn cases(scene: &Scene<'_>, all: bool) -> Cases {
    let open = scene.ledger.cases();
    let closed = scene.ledger.closed_cases().filter(|_| all);
    let mut cases: Vec<CaseLine> = open.chain(closed).map(|case| line(scene, case)).collect();
    cases.sort_by_key(|case| case.id);
    let nothing = cases.is_empty().then(|| nothing(scene, all));
    Cases { cases, nothing }
}

fn nothing(scene: &Scene<'_>, all: bool) -> String {
    let doubted = scene.local.doubts.len();
    if !scene.ledger.is_founded() {
        "there is no ledger yet, so there are no cases: found it once with `hale init --keepers a,b,c`".to_owned()
    } else if doubted > 0 {
        let hosts = super::counted(doubted, "host");
        format!(
            "no case is open, and {hosts} in doubt: `hale hosts` shows which, `hale explain HOST` why there is no verdict"
        )
    } else if all {
        "there was never a case that is still known: `hale audit` shows what else has happened"
            .to_owned()
    } else {
        "no case is open and nothing is in doubt: `hale cases --all` shows those lately closed"
            .to_owned()
    }
}

/// One case.
pub fn line(scene: &Scene<'_>, case: &Case) -> CaseLine {
    CaseLine {
        id: case.id.0,
        subject: scene.subject(&case.subject),
        verdict: case.kind.word(),
        stage: case.stage.word().to_owned(),
        opened: wall(case.opened_wall),
        opened_ms: case.opened.as_milliseconds(),
        rule: case.rule.as_ref().map(|(name, _)| name.clone()),
        rung: rung(scene, case),
        lease: case.counted_lease().map(|lease| lease_seen(scene, lease)),
        attempts: u64::from(case.attempts),
        hosts: u64::from(case.members_count).max(u64::from(case.host().is_some())),
        awaits: awaits(scene, case),
        closed: closed(case),
    }
}

/// The rung that is being tried or is to be tried next; of a case that is over, the last one.
pub(super) fn rung(scene: &Scene<'_>, case: &Case) -> Option<RungPlace> {
    let begun = case.remedies.last().map(|note| &note.applied);
    let is_over = !case.is_live();
    let next = || scene.ledger.rung_of(case).filter(|_| !is_over);
    let rung = if is_over { begun } else { next().or(begun) }?;
    let rule = case.rule.as_ref().and_then(|(name, _)| {
        let mut rules = scene.ledger.policy().rules.iter();
        rules.find(|rule| rule.name == *name)
    });
    let number = u64::from(case.rung).saturating_add(1);
    let of = rule.map_or(number, |rule| super::count(rule.ladder.len()));
    Some(RungPlace {
        number: number.min(of),
        of,
        remedy: rung.command.argv.join(" "),
        class: rung.command.class.to_string(),
    })
}

/// A lease in few words.
pub(super) fn lease_seen(scene: &Scene<'_>, lease: &Lease) -> LeaseSeen {
    LeaseSeen {
        fence: lease.fence.0,
        healer: scene.name(&lease.healer),
        left_ms: lease.ends.since(scene.ledger.time()).as_milliseconds(),
    }
}

/// What happens now, what is awaited, or how it ended.
pub(super) fn awaits(scene: &Scene<'_>, case: &Case) -> String {
    let now = scene.ledger.time();
    match &case.stage {
        Stage::Closed { how, .. } => audit::closed(how),
        Stage::Escalated { why, .. } => persons(case, why),
        Stage::Quarantined { why, .. } => quarantined(scene, case, why),
        Stage::Offered(lease) => {
            format!("the lease is offered to {} (fence {})", scene.name(&lease.healer), lease.fence)
        }
        Stage::Remedy { lease, remedy } => {
            let since = case.remedies.last().map_or(now, |note| note.intended);
            let (healer, ago) = (scene.name(&lease.healer), now.since(since));
            format!("{healer} is at remedy {remedy}, for {ago}")
        }
        Stage::Orphaned { lease, since, .. } => {
            let (healer, ago) = (scene.name(&lease.healer), now.since(*since));
            format!(
                "the lease of {healer} ran out {ago} ago: another healer takes it over and inspects"
            )
        }
        Stage::Open => {
            let next = match scene.ledger.rule_of(case).map(|rule| rule.mode) {
                Some(Mode::Shadow) => {
                    "its rule is in shadow: the leader puts down next what would have begun"
                }
                _ => "the leader offers the lease to a healer next",
            };
            format!("{}{}", waits(scene, case, next), approved(scene, case))
        }
        Stage::Leased(lease) => {
            let next = format!("{} looks a last time, then begins", scene.name(&lease.healer));
            format!("{}{}", waits(scene, case, &next), approved(scene, case))
        }
        Stage::Verifying { well_since, .. } => {
            let next = match well_since {
                Some(_) => "it is well again, and soaks",
                None => "the remedy is done: its proof and fresh voices are awaited",
            };
            waits(scene, case, next)
        }
    }
}

/// The same, of an orphan with what keeps others from taking it over.
pub(super) fn awaited(scene: &Scene<'_>, case: &Case) -> String {
    let next = awaits(scene, case);
    if matches!(case.stage, Stage::Orphaned { .. }) { waits(scene, case, &next) } else { next }
}

/// protocol 6.8: whose word stands for what is next, and for how long.
fn approved(scene: &Scene<'_>, case: &Case) -> String {
    scene.ledger.approval_of(case).map_or_else(String::new, |given| {
        let left = given.until.since(scene.ledger.time());
        format!("; approved by {}, for {left} more", given.who)
    })
}

/// The first rule that holds it, and how many more; `next` where none does.
fn waits(scene: &Scene<'_>, case: &Case, next: &str) -> String {
    let holds = scene.ledger.holds(case.id);
    let Some(first) = holds.first() else {
        return next.to_owned();
    };
    let more = match holds.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more: `hale explain {}`)", case.id),
    };
    format!("{}{more}", held(scene, case, first))
}

/// One hold as a sentence.
pub fn held(scene: &Scene<'_>, case: &Case, hold: &Hold) -> String {
    let step = match (hold.step, &case.stage, &hold.rule) {
        (Step::Person, Stage::Escalated { why, .. }, _) => return persons(case, why),
        (Step::Person, Stage::Quarantined { why, .. }, _) => return quarantined(scene, case, why),
        (Step::Proof, _, Refused::TooSoon { left, .. }) => {
            return format!("it must stay well before it is called healed: {left} left");
        }
        (Step::Person, _, Refused::TooSoon { left, .. }) => {
            return format!("a person is called in {left} unless it is settled until then");
        }
        (Step::Person, _, Refused::Grounds(why)) => {
            return format!("no verdict: {why}; nothing is done, and nobody else waits for it");
        }
        (Step::Proof, ..) => "not proven",
        (Step::Lease, ..) => "no lease",
        (Step::Intent | Step::Person, ..) => "no remedy",
    };
    let is_observed = matches!(hold.rule, Refused::NoRule);
    if is_observed && case.scopes.is_none() {
        return "a case of this kind is a person's: nothing is done by itself".to_owned();
    }
    if is_observed && case.is_unfit() {
        return checks::stands(scene, case);
    }
    if is_observed {
        return observed(scene, case);
    }
    format!("{step} yet: {}", reasons::sentence(scene, &hold.rule))
}

/// What a person is called for, and what ends it.
fn persons(case: &Case, why: &str) -> String {
    let id = case.id;
    let ends = match (&case.kind, case.unresolved()) {
        (VerdictKind::Surge, _) => {
            "`hale resume --why ...` lifts the brake, and healing begins again with one at a time"
                .to_owned()
        }
        (VerdictKind::DomainDown, _) => {
            "it closes by itself once all of its hosts are seen well".to_owned()
        }
        (VerdictKind::Duplicate, None) => format!(
            "then start the other anew: the case closes by itself once that one has been alone for {}, or by \
             `hale case dismiss {id} --why ...`",
            ledger::duplicates::SILENT_FOR
        ),
        (_, Some(note)) if case.counted_lease().is_some() => format!(
            "find out what became of remedy {}: until `hale lease revoke {id} --why ...` its lease counts; \
             `hale case dismiss {id} --why ...` closes the case too",
            note.id
        ),
        (_, Some(note)) => format!(
            "find out what became of remedy {}, then `hale case dismiss {id} --why ...`; its lease counts no more",
            note.id
        ),
        (_, None) => format!(
            "it closes by itself once the host is seen well, or by `hale case dismiss {id} --why ...`"
        ),
    };
    format!("a person is needed: {why}; {ends}")
}

/// protocol 6.6: whom only a person's order lets be tried again.
fn quarantined(scene: &Scene<'_>, case: &Case, why: &str) -> String {
    let host = scene.subject(&case.subject).name;
    format!(
        "a person is needed: {why}; quarantined, well or not, until `hale release {host} --why ...`"
    )
}

fn observed(scene: &Scene<'_>, case: &Case) -> String {
    let version = scene.ledger.policy_shelf().version();
    match (&case.rule, version) {
        (_, 0) => "only observed: this mesh was never given a policy".to_owned(),
        (Some((rule, _)), _) if scene.ledger.rule_of(case).is_some_and(Rule::acts) => {
            let next = case.rung.saturating_add(1);
            format!(
                "rule {rule:?} of policy version {version} has no rung {next}: it is given up next"
            )
        }
        (Some((rule, _)), _) => {
            let mode = scene.ledger.rule_of(case).map_or("observe", |rule| rule.mode.word());
            format!("only observed: rule {rule:?} of policy version {version} has mode {mode:?}")
        }
        (None, _) => {
            let kind = &case.kind;
            format!(
                "only observed: no rule of policy version {version} is for {kind} of this group"
            )
        }
    }
}

fn closed(case: &Case) -> Option<ClosedHow> {
    let Stage::Closed { how, at_wall, .. } = &case.stage else {
        return None;
    };
    let (word, detail) = match how {
        Closure::Healed => ("healed", None),
        Closure::Recovered => ("recovered", None),
        Closure::Retired => ("retired", None),
        Closure::ByPerson(why) => ("by person", Some(why.clone())),
        Closure::MergedInto(case) => ("merged", Some(case.to_string())),
    };
    Some(ClosedHow { how: word.to_owned(), detail, at: wall(*at_wall) })
}

/// How much of a span is left, for JSON.
pub fn left_ms(left: Option<Span>) -> Option<u64> {
    left.map(Span::as_milliseconds)
}
