//! The records of the audit as they are kept in the state and shown sealed at the admin socket.

use expect_test::expect_file;
use ledger::audit::{LeaseEnd, Record, SlotEnd, What};
use ledger::case::Closure;
use ledger::maintenance::{Plan, Schedule};
use vocabulary::{
    CaseId, Digest, HostName, LedgerIndex, PublicKey, ReceiptKind, Scope, Span, VerdictKind,
};

use crate::golden::{Page, every};
use crate::{
    ANCHOR, AT, BOOT, CASE, DIGEST, FENCE, HEALER, HOST, REMEDY, WALL, client, cluster, group,
};

pub(crate) fn plan() -> Plan {
    let schedule = Schedule { cron: "0 2 * * sat".into(), time_zone: "UTC".into() };
    Plan { scope: Scope::Group(group()), lasts: Span::minutes(60), schedule: Some(schedule) }
}

fn put_what(page: &mut Page) {
    let (case, fence, remedy, healer) = (CASE, FENCE, REMEDY, HEALER);
    let (who, why) = (|| String::from("ops"), || String::from("because"));
    let (detail, kind) = (|| String::from("exit 0"), ReceiptKind::Done);
    let (anchor, grounds) = (ANCHOR, DIGEST);
    every!(page, What {
        What::Founded { .. } => [What::Founded { cluster: cluster(), voters: vec![HOST, HEALER] }],
        What::Enrolled { .. } => [What::Enrolled {
            host: HOST,
            name: HostName::new("web-1").expect("sound"),
            claims: "hale://prod/eu/a/r1/web-1?group=web".into(),
            key: PublicKey([1; 32]),
        }],
        What::Booted { .. } => [What::Booted { host: HOST, boot: BOOT }],
        What::Left { .. } => [What::Left { host: HOST, boot: BOOT }],
        What::Retired { .. } => [What::Retired { host: HOST, who: who(), why: why() }],
        What::PolicySet { .. } => [
            What::PolicySet { version: 3, digest: DIGEST, who: who(), why: why() },
        ],
        What::Verdict { .. } => [What::Verdict {
            case,
            subject: Scope::Host(HOST),
            kind: VerdictKind::HostDown,
            anchor,
            grounds,
            against: 8,
            well: 1,
            vacant: 2,
        }],
        What::Granted { .. } => [What::Granted { case, fence, healer, is_takeover: true }],
        What::Accepted { .. } => [What::Accepted { case, fence, healer }],
        What::LeaseOver { .. } => [
            What::LeaseOver { case, fence, end: LeaseEnd::RanOut, is_orphaned: true },
        ],
        What::Intended { .. } => [What::Intended {
            case,
            fence,
            remedy,
            rung: 1,
            argv: vec!["/bin/start".into(), "-x".into()],
            healer,
            anchor,
            grounds,
        }],
        What::IntentRefused { .. } => [What::IntentRefused { case, fence, why: why() }],
        What::Received { .. } => [What::Received { case, remedy, fence, kind, detail: detail() }],
        What::Inspected { .. } => [
            What::Inspected { case, remedy, fence, kind, detail: detail() },
        ],
        What::Verified { .. } => [
            What::Verified { case, remedy, boot: Some(BOOT), anchor, grounds },
        ],
        What::Unproven { .. } => [What::Unproven { case, remedy, rung: 1, why: why() }],
        What::Escalated { .. } => [What::Escalated { case, why: why(), is_counted: true }],
        What::Closed { .. } => [What::Closed { case, how: Closure::Healed }],
        What::Paused { .. } => [What::Paused { who: who(), why: why() }],
        What::Resumed { .. } => [What::Resumed { who: who(), why: why() }],
        What::RulesRaised { .. } => [What::RulesRaised { rules: 2 }],
        What::AuthoritiesSet { .. } => [
            What::AuthoritiesSet { count: 2, digest: DIGEST, who: who(), why: why() },
        ],
        What::HostAdded { .. } => [What::HostAdded {
            host: HOST,
            name: HostName::new("web-1").expect("sound"),
            may_enrol: true,
            who: who(),
            why: why(),
        }],
        What::Quarantined { .. } => [What::Quarantined { case, host: HOST }],
        What::Approved { .. } => [What::Approved {
            case,
            rung: 1,
            argv: vec![why()],
            through: HOST,
            lasts: Span::minutes(15),
            who: who(),
            why: why(),
        }],
        What::Shadowed { .. } => [What::Shadowed { case, rung: 1, argv: vec![why()], healer }],
        What::Denied { .. } => [What::Denied { case, rung: 1, who: who(), why: why() }],
        What::MaintenancePlanned { .. } => [
            What::MaintenancePlanned { window: 3, plan: plan(), who: who(), why: why() },
        ],
        What::MaintenanceBegan { .. } => [
            What::MaintenanceBegan { window: 3, left: Span::minutes(50) },
        ],
        What::MaintenanceEnded { .. } => [
            What::MaintenanceEnded { window: 3, who: who(), why: why() },
        ],
        What::HostExempted { .. } => [
            What::HostExempted { host: HOST, is_exempt: true, who: who(), why: why() },
        ],
        What::SlotGranted { .. } => [What::SlotGranted {
            client: client(),
            host: Some(HOST),
            group: group(),
            fence: FENCE,
        }],
        What::SlotOver { .. } => [
            What::SlotOver { client: client(), fence: FENCE, end: SlotEnd::Told },
        ],
        What::ClientBound { .. } => [
            What::ClientBound { client: client(), host: None, who: who(), why: why() },
        ],
        What::VotesMoved { .. } => [
            What::VotesMoved { added: vec![HOST], removed: vec![vocabulary::HostId([8; 16])], who: who(), why: why() },
        ],
        What::VoteMoved { .. } => [What::VoteMoved { from: HOST, to: vocabulary::HostId([8; 16]) }],
        What::GroupStopped { .. } => [What::GroupStopped { group: group(), why: why() }],
        What::KindStopped { .. } => [
            What::KindStopped { rule: why(), group: group(), why: why() },
        ],
        What::Freed { .. } => [
            What::Freed { subject: Scope::Host(HOST), who: who(), why: why() },
        ],
    });
}

pub(crate) fn whole() -> Page {
    let mut page = Page::of(expect_file!["records.txt"]);
    put_what(&mut page);
    every!(page, SlotEnd {
        SlotEnd::Well { .. } => [SlotEnd::Well { anchor: ANCHOR }],
        SlotEnd::Told => [SlotEnd::Told],
        SlotEnd::Healing { .. } => [SlotEnd::Healing { case: CASE }],
        SlotEnd::Retired => [SlotEnd::Retired],
        SlotEnd::Revoked { .. } => [
            SlotEnd::Revoked { who: "ops".into(), why: "it is off".into() },
        ],
    });
    every!(page, LeaseEnd {
        LeaseEnd::NotAccepted => [LeaseEnd::NotAccepted],
        LeaseEnd::RanOut => [LeaseEnd::RanOut],
        LeaseEnd::Released(_) => [LeaseEnd::Released("it leaves".into())],
        LeaseEnd::Revoked { .. } => [LeaseEnd::Revoked { who: "ops".into(), why: "it is off".into() }],
    });
    every!(page, Closure {
        Closure::Healed => [Closure::Healed],
        Closure::Recovered => [Closure::Recovered],
        Closure::Retired => [Closure::Retired],
        Closure::ByPerson(_) => [Closure::ByPerson("ops".into())],
        Closure::MergedInto(_) => [Closure::MergedInto(CaseId(43))],
    });
    every!(page, Record { Record { .. } => [Record {
        number: 17,
        at: AT,
        wall: WALL,
        index: LedgerIndex(11),
        what: What::Left { host: HOST, boot: BOOT },
        previous: Digest([4; 32]),
        digest: Digest([5; 32]),
    }] });
    page
}

#[test]
fn the_bytes_of_every_record_are_those_of_the_page() {
    whole().check();
}

#[test]
fn records_of_the_first_version_are_laid_and_read_as_then() {
    whole().holds(include_str!("1/records.txt"));
}
