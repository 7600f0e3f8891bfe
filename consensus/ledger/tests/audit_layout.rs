//! Does every kind of record keep its bytes for ever? A history that was exported years ago must still verify.

use std::collections::BTreeSet;

use expect_test::expect;
use ledger::audit::{LeaseEnd, SlotEnd, What};
use ledger::bindings::FleetLockId;
use ledger::case::Closure;
use ledger::maintenance::{Plan, Schedule};
use vocabulary::{
    Anchor, Boot, Canonical, CaseId, ClusterName, Digest, Fence, GroupName, HostId, HostName,
    LedgerIndex, PublicKey, ReceiptKind, RemedyId, Scope, Span, VerdictKind,
};

const HOST: HostId = HostId([7; 16]);
const CASE: CaseId = CaseId(42);
const FENCE: Fence = Fence(5);
const REMEDY: RemedyId = RemedyId(9);
const DIGEST: Digest = Digest([3; 32]);
const ANCHOR: Anchor = Anchor { index: LedgerIndex(11), audit: DIGEST };
const BOOT: Boot = Boot { number: 2, nonce: 77 };

fn text(text: &str) -> String {
    text.into()
}

fn of_the_mesh() -> Vec<What> {
    let (who, why) = (text("ops"), text("because"));
    vec![
        What::Founded {
            cluster: ClusterName::new("prod").expect("sound"),
            voters: vec![HOST, HostId([8; 16])],
        },
        What::Enrolled {
            host: HOST,
            name: HostName::new("web-1").expect("sound"),
            claims: text("hale://prod/eu/a/r1/web-1?group=web"),
            key: PublicKey([1; 32]),
        },
        What::Booted { host: HOST, boot: BOOT },
        What::Left { host: HOST, boot: BOOT },
        What::Retired { host: HOST, who: who.clone(), why: why.clone() },
        What::PolicySet { version: 3, digest: DIGEST, who: who.clone(), why: why.clone() },
        What::Paused { who: who.clone(), why: why.clone() },
        What::Resumed { who: who.clone(), why: why.clone() },
        What::RulesRaised { rules: 2 },
        What::AuthoritiesSet { count: 2, digest: DIGEST, who: who.clone(), why: why.clone() },
        What::HostAdded {
            host: HOST,
            name: HostName::new("web-1").expect("sound"),
            may_enrol: true,
            who: who.clone(),
            why: why.clone(),
        },
        What::GroupStopped { group: GroupName::new("web").expect("sound"), why: why.clone() },
        What::KindStopped {
            rule: "agent down".into(),
            group: GroupName::new("web").expect("sound"),
            why: why.clone(),
        },
        What::MaintenancePlanned {
            window: 3,
            plan: Plan {
                scope: Scope::Fleet,
                lasts: Span::minutes(60),
                schedule: Some(Schedule { cron: text("0 2 * * sat"), time_zone: text("UTC") }),
            },
            who: who.clone(),
            why: why.clone(),
        },
        What::MaintenanceBegan { window: 3, left: Span::minutes(50) },
        What::MaintenanceEnded { window: 3, who: who.clone(), why: why.clone() },
        What::HostExempted { host: HOST, is_exempt: true, who: who.clone(), why: why.clone() },
        What::SlotGranted {
            client: client(),
            host: Some(HOST),
            group: GroupName::new("web").expect("sound"),
            fence: FENCE,
        },
        What::SlotOver { client: client(), fence: FENCE, end: SlotEnd::Told },
        What::ClientBound { client: client(), host: None, who: who.clone(), why: why.clone() },
        What::VotesMoved {
            added: vec![HOST],
            removed: vec![HostId([8; 16])],
            who: who.clone(),
            why: why.clone(),
        },
        What::VoteMoved { from: HOST, to: HostId([8; 16]) },
        What::Freed { subject: Scope::Host(HOST), who, why },
    ]
}

fn client() -> FleetLockId {
    FleetLockId::new("c988d250").expect("sound")
}

fn of_a_case() -> Vec<What> {
    vec![
        What::Verdict {
            case: CASE,
            subject: Scope::Host(HOST),
            kind: VerdictKind::HostDown,
            anchor: ANCHOR,
            grounds: DIGEST,
            against: 8,
            well: 1,
            vacant: 1,
        },
        What::Granted { case: CASE, fence: FENCE, healer: HOST, is_takeover: true },
        What::Accepted { case: CASE, fence: FENCE, healer: HOST },
        What::LeaseOver {
            case: CASE,
            fence: FENCE,
            end: LeaseEnd::NotAccepted,
            is_orphaned: false,
        },
        What::LeaseOver { case: CASE, fence: FENCE, end: LeaseEnd::RanOut, is_orphaned: true },
        What::LeaseOver {
            case: CASE,
            fence: FENCE,
            end: LeaseEnd::Released(text("it leaves")),
            is_orphaned: false,
        },
        What::LeaseOver {
            case: CASE,
            fence: FENCE,
            end: LeaseEnd::Revoked { who: text("ops"), why: text("it is off") },
            is_orphaned: false,
        },
        What::Escalated { case: CASE, why: text("spent"), is_counted: true },
        What::Quarantined { case: CASE, host: HOST },
        What::Approved {
            case: CASE,
            rung: 1,
            argv: vec![text("/bin/start"), text("-x")],
            through: HOST,
            lasts: Span::minutes(15),
            who: text("ops"),
            why: text("go on"),
        },
        What::Shadowed { case: CASE, rung: 1, argv: vec![text("/bin/start")], healer: HOST },
        What::Denied { case: CASE, rung: 1, who: text("ops"), why: text("not this one") },
        What::Closed { case: CASE, how: Closure::Healed },
        What::Closed { case: CASE, how: Closure::Recovered },
        What::Closed { case: CASE, how: Closure::Retired },
        What::Closed { case: CASE, how: Closure::ByPerson(text("ops")) },
        What::Closed { case: CASE, how: Closure::MergedInto(CaseId(43)) },
    ]
}

fn of_a_remedy() -> Vec<What> {
    let detail = text("exit 0");
    let (case, remedy, fence) = (CASE, REMEDY, FENCE);
    vec![
        What::Intended {
            case,
            fence,
            remedy,
            rung: 1,
            argv: vec![text("/bin/start"), text("-x")],
            healer: HOST,
            anchor: ANCHOR,
            grounds: DIGEST,
        },
        What::IntentRefused { case, fence, why: text("too soon") },
        What::Received { case, remedy, fence, kind: ReceiptKind::Done, detail: detail.clone() },
        What::Received { case, remedy, fence, kind: ReceiptKind::Refused, detail: detail.clone() },
        What::Received { case, remedy, fence, kind: ReceiptKind::Unknown, detail: detail.clone() },
        What::Inspected { case, remedy, fence, kind: ReceiptKind::Done, detail },
        What::Verified { case, remedy, boot: Some(BOOT), anchor: ANCHOR, grounds: DIGEST },
        What::Unproven { case, remedy, rung: 1, why: text("late") },
    ]
}

fn all() -> Vec<What> {
    let mut all = of_the_mesh();
    all.extend(of_a_case());
    all.extend(of_a_remedy());
    all
}

fn word(what: &What) -> String {
    let shown = format!("{what:?}");
    shown.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn no_two_records_share_bytes() {
    let bytes: BTreeSet<Vec<u8>> = all().iter().map(|what| what.canonical("test")).collect();
    assert_eq!(bytes.len(), all().len());
}

#[test]
fn every_kind_of_record_has_the_bytes_that_it_always_had() {
    let lines: Vec<String> = all()
        .iter()
        .map(|what| {
            let digest = Digest::of(&[&what.canonical("test")]);
            format!("{:016x} {}\n", digest.leading(), word(what))
        })
        .collect();
    expect![[r#"
        efd1827e339b4738 Founded
        1f559495c87650d9 Enrolled
        ff3a6fafdb382e67 Booted
        bc809723535c4305 Left
        372a33c9dbca82ae Retired
        5342fa35a8f3f5c5 PolicySet
        bbb4f038ae353668 Paused
        5bcd9b6d147522b6 Resumed
        beb19ae01a9d4edb RulesRaised
        a9e4ff2f7e92c208 AuthoritiesSet
        bf3a3db11c36b01c HostAdded
        a292a0f3bdde0a26 GroupStopped
        3979d817960bbfc5 KindStopped
        ef3c160857a2e67e MaintenancePlanned
        f3e3bb5dc3d8903b MaintenanceBegan
        3a6dfbb9dd7aa816 MaintenanceEnded
        0d38da4e1457cc0a HostExempted
        ec4e554f1251c2a1 SlotGranted
        5debd44562d5fba0 SlotOver
        1ee13ade921bc0e9 ClientBound
        080b8be7f209502e VotesMoved
        ca36c9d3af02502a VoteMoved
        a5e6360a229f2fbd Freed
        21631472eeb93856 Verdict
        46896cf46d89a18e Granted
        93edfeaf73920d04 Accepted
        f2bcf85b59b073c7 LeaseOver
        8f247e8b4198faa7 LeaseOver
        fad76c8d75189c2f LeaseOver
        09c19d04808b7bd0 LeaseOver
        d1c444d947c6b4b0 Escalated
        6ce3b268a9844544 Quarantined
        872744cd09c7c809 Approved
        bffda88bba0746b9 Shadowed
        0d02354cc0cd212f Denied
        0b440764765c2e96 Closed
        b35c74f06e39ed68 Closed
        06a55be0d345ca26 Closed
        a2eb42505a394bf1 Closed
        a2fdc9595abefe72 Closed
        d28bb897691d4006 Intended
        56e4dc5042be1a33 IntentRefused
        5d4be7c5cfd832d4 Received
        e0dbd1b390225961 Received
        d95fb85c92557bff Received
        157c8a1b5dfe7d29 Inspected
        903500b4771d5a87 Verified
        79b1ff76f7843ba5 Unproven
    "#]]
    .assert_eq(&lines.concat());
}
