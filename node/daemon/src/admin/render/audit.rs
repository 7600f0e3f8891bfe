//! Records of the history, each as one sentence.

use ledger::audit::{LeaseEnd, Record, What};
use ledger::case::Closure;
use ledger::sealing::SEAL_EVERY;
use ledger::{Ledger, rules};
use vocabulary::{CaseId, Claims, HostId, ReceiptKind, Span};

use super::{Scene, maintenance, wall};
use crate::admin::answer::{AuditPage, AuditRecord, AuditSeal, Place};
use crate::admin::mind::Local;

/// So many records wait where several seals are overdue.
const WAITING_MAX: u64 = 4 * SEAL_EVERY;

/// Six times as long as a record ought to wait.
const SEALED_WITHIN: Span = Span::minutes(60);

/// One record as one sentence and the case it belongs to, where only the ledger is at hand.
pub fn told(ledger: &Ledger, me: &Claims, record: &Record) -> (Option<CaseId>, String) {
    let sentence = sentence(&Scene::bare(ledger, &Local::default(), me), &record.what);
    (case_of(&record.what), sentence)
}

/// The page of records after this number.
pub fn audit(scene: &Scene<'_>, since: u64) -> AuditPage {
    let audit = scene.ledger.audit();
    let records = audit.since(since).take(AuditPage::RECORDS_MAX);
    AuditPage {
        head: Place::of(audit.head()),
        checkpoint: Place::of(audit.checkpoint()),
        records: records.map(|record| line(scene, record)).collect(),
        seal: scene.ledger.seal().map(|seal| {
            let signed_by = seal.signatures.iter().map(|signed| scene.name(&signed.by));
            AuditSeal::of(seal, signed_by.collect())
        }),
    }
}

/// What a person should know where voters do not sign (protocol 8.1).
pub fn unsealed(scene: &Scene<'_>) -> Option<String> {
    let (ledger, waiting) = (scene.ledger, scene.ledger.unsealed());
    let sealed = ledger.seal().map_or(0, |seal| seal.place.number);
    // By the leaders' wall clocks and this machine's: a hint for people, as every such figure.
    let first = ledger.audit_since(sealed).next()?;
    let age = Span::milliseconds(scene.wall_ms.saturating_sub(first.wall.0));
    let is_due = waiting >= WAITING_MAX || age >= SEALED_WITHIN;
    let can_be = ledger.rules() >= rules::SECOND && scene.standing.has_majority;
    (is_due && can_be).then(|| {
        let since = match sealed {
            0 => "yet".to_owned(),
            number => format!("since record {number}"),
        };
        let missing = scene.names(ledger.unsigned()).join(" ");
        format!(
            "most voters have not sealed the audit {since}: {waiting} records wait, the first for {age}, for the signatures of {missing}; nobody vouches for \
             them (protocol 8.1)"
        )
    })
}

/// The records of one case, and whether its beginning fell out of the state.
pub fn of_case(scene: &Scene<'_>, case: CaseId) -> (Vec<AuditRecord>, bool) {
    let audit = scene.ledger.audit();
    let of_case = audit.since(0).filter(|record| case_of(&record.what) == Some(case));
    let records: Vec<AuditRecord> = of_case.map(|record| line(scene, record)).collect();
    let is_cut = records.first().is_none_or(|first| first.kind != "Verdict");
    (records, is_cut)
}

fn line(scene: &Scene<'_>, record: &Record) -> AuditRecord {
    AuditRecord {
        number: record.number,
        at: wall(record.wall),
        ledger_ms: record.at.as_milliseconds(),
        index: record.index.0,
        kind: kind(&record.what),
        case: case_of(&record.what).map(|case| case.0),
        sentence: sentence(scene, &record.what),
        previous: record.previous.to_string(),
        digest: record.digest.to_string(),
        sealed: AuditRecord::seal(record),
    }
}

/// The name of its variant, which never changes.
fn kind(what: &What) -> String {
    let shown = format!("{what:?}");
    shown.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

fn case_of(what: &What) -> Option<CaseId> {
    match what {
        What::Founded { .. }
        | What::Enrolled { .. }
        | What::Booted { .. }
        | What::Left { .. }
        | What::Retired { .. }
        | What::PolicySet { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::RulesRaised { .. }
        | What::AuthoritiesSet { .. }
        | What::HostAdded { .. }
        | What::HostExempted { .. }
        | What::GroupStopped { .. }
        | What::KindStopped { .. }
        | What::MaintenancePlanned { .. }
        | What::MaintenanceBegan { .. }
        | What::MaintenanceEnded { .. }
        | What::SlotGranted { .. }
        | What::SlotOver { .. }
        | What::ClientBound { .. }
        | What::VotesMoved { .. }
        | What::VoteMoved { .. }
        | What::Freed { .. } => None,
        What::Verdict { case, .. }
        | What::Granted { case, .. }
        | What::Accepted { case, .. }
        | What::LeaseOver { case, .. }
        | What::Intended { case, .. }
        | What::IntentRefused { case, .. }
        | What::Received { case, .. }
        | What::Inspected { case, .. }
        | What::Verified { case, .. }
        | What::Unproven { case, .. }
        | What::Escalated { case, .. }
        | What::Quarantined { case, .. }
        | What::Approved { case, .. }
        | What::Denied { case, .. }
        | What::Shadowed { case, .. }
        | What::Closed { case, .. } => Some(*case),
    }
}

fn sentence(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::SlotGranted { .. } | What::SlotOver { .. } | What::ClientBound { .. } => {
            of_a_slot(scene, what)
        }
        What::VotesMoved { .. } | What::VoteMoved { .. } => of_a_vote(scene, what),
        what if case_of(what).is_some() => of_a_case(scene, what),
        what => of_the_mesh(scene, what),
    }
}

fn of_the_mesh(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::Founded { cluster, voters } => {
            let voters = scene.names(voters).join(" ");
            format!("the ledger of cluster {cluster} is founded; its voters are {voters}")
        }
        What::Enrolled { name, claims, .. } => {
            format!("host {name} is enrolled with the claims {claims}")
        }
        What::Booted { host, boot } => {
            format!("the agent of {} is in boot {}", scene.name(host), boot.number)
        }
        What::Left { host, boot } => {
            format!("the agent of {} said goodbye in boot {}", scene.name(host), boot.number)
        }
        What::Retired { host, who, why } => {
            format!("{} is retired for good by {who}: {why}", scene.name(host))
        }
        What::PolicySet { version, who, why, .. } => {
            format!("policy version {version} is in force, set by {who}: {why}")
        }
        What::Paused { who, why } => format!("all healing is stopped by {who}: {why}"),
        What::Resumed { who, why } => {
            format!("the brake is lifted and the ramp begins, by {who}: {why}")
        }
        What::RulesRaised { rules } => {
            format!("rules {rules} are in force: everybody who applies entries supports them")
        }
        What::AuthoritiesSet { count, who, why, .. } => {
            format!("{count} authorities vouch for hosts from now on, set by {who}: {why}")
        }
        What::HostAdded { name, may_enrol: true, who, why, .. } => {
            format!("host {name} may enrol, added by {who}: {why}")
        }
        What::HostAdded { name, may_enrol: false, who, why, .. } => {
            format!("host {name} is not added any more, taken back by {who}: {why}")
        }
        What::HostExempted { host, is_exempt, who, why } => {
            let no_more = if *is_exempt { "" } else { " no more" };
            format!("{} is exempt{no_more}, ordered by {who}: {why}", scene.name(host))
        }
        What::GroupStopped { group, why } => {
            format!("in group {group} nothing begins until a person releases it: {why}")
        }
        What::KindStopped { rule, group, why } => {
            format!(
                "by rule {rule:?} nothing begins in group {group} until a person releases it: {why}"
            )
        }
        What::Freed { subject, who, why } => {
            format!("{} is released by {who}: {why}", scene.subject(subject).name)
        }
        What::MaintenancePlanned { .. }
        | What::MaintenanceBegan { .. }
        | What::MaintenanceEnded { .. } => of_maintenance(scene, what),
        _ => unreachable!("the caller gives only what the mesh itself has done"),
    }
}

fn of_a_slot(scene: &Scene<'_>, what: &What) -> String {
    let named = |host: &Option<HostId>| {
        host.as_ref().map_or_else(|| "no known host".to_owned(), |host| scene.name(host))
    };
    match what {
        What::SlotGranted { client, host, group, fence } => format!(
            "FleetLock client {client}, {}, may reboot: slot {fence}, counted in group {group}",
            named(host)
        ),
        What::SlotOver { client, fence, end } => {
            format!("slot {fence} of FleetLock client {client} is over: {end}")
        }
        What::ClientBound { client, host, who, why } => {
            format!("FleetLock client {client} is {}, says {who}: {why}", named(host))
        }
        _ => unreachable!("the caller gives only what has become of a slot"),
    }
}

fn of_a_vote(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::VotesMoved { added, removed, who, why } => {
            let moved = |hosts: &[HostId], word: &str| {
                (!hosts.is_empty()).then(|| format!("{word} {}", scene.names(hosts).join(" ")))
            };
            let given = moved(added, "are given to");
            let taken = moved(removed, "are taken from");
            let moves: Vec<String> = given.into_iter().chain(taken).collect();
            format!("votes on the ledger {}, ordered by {who}: {why}", moves.join(" and "))
        }
        What::VoteMoved { from, to } => format!(
            "keeper {} is lost: its vote on the ledger goes to {}",
            scene.name(from),
            scene.name(to)
        ),
        _ => unreachable!("the caller gives only what has become of a vote"),
    }
}

fn of_maintenance(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::MaintenancePlanned { window, plan, who, why } => {
            let covered = scene.subject(&plan.scope);
            let whom = maintenance::named(&covered.kind, &covered.name);
            let when = match &plan.schedule {
                None => "from now on".to_owned(),
                Some(schedule) => format!("at \"{}\" {}", schedule.cron, schedule.time_zone),
            };
            let lasts = plan.lasts;
            format!("maintenance {window} of {whom} {when} for {lasts}, ordered by {who}: {why}")
        }
        What::MaintenanceBegan { window, left } => {
            format!("maintenance {window} begins by its schedule, {left} are left of it")
        }
        What::MaintenanceEnded { window, who, why } => {
            format!("maintenance {window} is over, by {who}: {why}")
        }
        _ => unreachable!("the caller gives only what has become of a window"),
    }
}

fn of_a_case(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::Verdict { subject, kind, anchor, against, well, vacant, .. } => {
            let subject = scene.subject(subject);
            let voices = if *against + *well + *vacant == 0 {
                String::new()
            } else {
                format!(", {against} voices against it, {well} well, {vacant} seats vacant")
            };
            let (name, index) = (subject.name, anchor.index);
            format!("verdict {kind} on {name} at entry {index}{voices}")
        }
        What::Escalated { why, is_counted, .. } => {
            let counted = if *is_counted { "; its lease goes on counting" } else { "" };
            format!("a person is called: {why}{counted}")
        }
        What::Quarantined { host, .. } => {
            format!("{} is quarantined: tried no more until a person releases it", scene.name(host))
        }
        What::Approved { rung, argv, through, lasts, who, why, .. } => {
            let (rung, remedy) = (rung.saturating_add(1), argv.join(" "));
            let through = scene.name(through);
            format!("rung {rung}, `{remedy}`, is approved for {lasts} by {who} at {through}: {why}")
        }
        What::Shadowed { rung, argv, healer, .. } => {
            let (rung, remedy) = (rung.saturating_add(1), argv.join(" "));
            let healer = scene.name(healer);
            format!(
                "rung {rung}, `{remedy}`, would have begun, seen through by {healer}: its rule is in shadow"
            )
        }
        What::Denied { rung, who, why, .. } => {
            format!("rung {} is denied by {who}: {why}", rung.saturating_add(1))
        }
        What::Closed { how, .. } => closed(how),
        What::Granted { .. } | What::Accepted { .. } | What::LeaseOver { .. } => {
            of_a_lease(scene, what)
        }
        _ => of_a_remedy(scene, what),
    }
}

fn of_a_lease(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::Granted { fence, healer, is_takeover, .. } => {
            let taken = if *is_takeover { ", to take an orphaned one over" } else { "" };
            format!("lease under fence {fence} offered to {}{taken}", scene.name(healer))
        }
        What::Accepted { fence, healer, .. } => {
            format!("{} takes the lease under fence {fence}", scene.name(healer))
        }
        What::LeaseOver { fence, end, is_orphaned, .. } => {
            let end = match end {
                LeaseEnd::NotAccepted => "was not taken in time".to_owned(),
                LeaseEnd::RanOut => "ran out".to_owned(),
                LeaseEnd::Released(why) => format!("was given back: {why}"),
                LeaseEnd::Revoked { who, why } => format!("was revoked by {who}: {why}"),
            };
            let orphan = if *is_orphaned {
                "; it goes on counting, nobody knows the end of its remedy"
            } else {
                ""
            };
            format!("the lease under fence {fence} {end}{orphan}")
        }
        _ => unreachable!("the caller gives only what has become of a lease"),
    }
}

fn of_a_remedy(scene: &Scene<'_>, what: &What) -> String {
    match what {
        What::Intended { fence, remedy, rung, argv, healer, .. } => format!(
            "{} intends remedy {remedy} under fence {fence}: rung {}, {}",
            scene.name(healer),
            rung.saturating_add(1),
            argv.join(" ")
        ),
        What::IntentRefused { fence, why, .. } => {
            format!("the intent under fence {fence} is refused: {why}")
        }
        What::Received { remedy, fence, kind, detail, .. } => {
            format!("remedy {remedy} under fence {fence} {}{}", ended(*kind), more(detail))
        }
        What::Inspected { remedy, kind, detail, .. } => {
            format!("inspection: remedy {remedy} {}{}", ended(*kind), more(detail))
        }
        What::Verified { remedy, boot, .. } => {
            let proof = boot.map_or_else(String::new, |boot| format!(" by boot {}", boot.number));
            format!("remedy {remedy} is proven{proof} and the voices say well; it soaks")
        }
        What::Unproven { remedy, rung, why, .. } => format!(
            "remedy {remedy} did not prove that it worked (rung {}): {why}",
            rung.saturating_add(1)
        ),
        _ => unreachable!("the caller gives only what has become of a remedy"),
    }
}

/// How a case ended, in a sentence.
pub fn closed(how: &Closure) -> String {
    match how {
        Closure::Healed => "closed: healed, and proven".to_owned(),
        Closure::Recovered => "closed: well again before anything was begun".to_owned(),
        Closure::Retired => "closed: the host is retired".to_owned(),
        Closure::ByPerson(why) => format!("closed by a person: {why}"),
        Closure::MergedInto(case) => format!("closed: it goes on in case {case}"),
    }
}

/// How a remedy ended, in words.
fn ended(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Done => "is done",
        ReceiptKind::Refused => "was not begun",
        ReceiptKind::Unknown => "has an unknown end",
    }
}

fn more(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}
