//! Cases with all that hangs on them, as the state keeps them.

use detection::verdict::{Discount, Void};
use expect_test::expect_file;
use ledger::case::Closure;
use ledger::case::{Case, FrozenScopes, GroundsKept, Lease, RemedyNote, SightKept, Stage};
use ledger::command::Refused;
use ledger::policy::{Proof, Rung};
use vocabulary::actuation::CommandRemedy;
use vocabulary::{
    Epoch, HostId, LedgerIndex, LedgerTime, Path, PathReading, Reading, ReceiptKind, RemedyClass,
    Scope, Sequence, Span, VerdictKind,
};

use crate::golden::{Page, every};
use crate::{
    ANCHOR, AT, BOOT, CASE, DIGEST, FENCE, HEALER, HOST, LATER, REMEDY, WALL, domain, group,
    receipt,
};

fn scopes() -> FrozenScopes {
    FrozenScopes { domain: domain(), group: group() }
}

fn lease() -> Lease {
    Lease {
        fence: FENCE,
        healer: HEALER,
        granted: AT,
        granted_at: LedgerIndex(12),
        ends: LATER,
        apply_after: LedgerTime::from_milliseconds(92_000),
        scopes: scopes(),
    }
}

fn rung() -> Rung {
    Rung {
        command: CommandRemedy {
            argv: vec!["/bin/start".into(), "-x".into()],
            inspect: Some(vec!["/bin/look".into()]),
            class: RemedyClass::Disruptive,
            time_limit: Span::seconds(10),
        },
        verify_within: Span::seconds(30),
        soak: Span::seconds(3),
        proof: Proof::HigherBoot,
    }
}

fn note() -> RemedyNote {
    RemedyNote {
        id: REMEDY,
        rung: 1,
        fence: FENCE,
        healer: HEALER,
        intended: AT,
        applied: rung(),
        boot: Some(BOOT),
        receipt: Some(receipt(ReceiptKind::Done)),
        received_at: Some(LedgerIndex(14)),
        unknown_since: None,
        is_proven: Some(true),
    }
}

fn grounds_kept() -> GroundsKept {
    let reading = PathReading { path: Path::Warm, reading: Reading::Silent };
    GroundsKept {
        anchor: ANCHOR,
        digest: DIGEST,
        against: vec![HostId([1; 16])],
        well: vec![HostId([2; 16])],
        vacant: vec![HostId([3; 16])],
        sights: vec![SightKept {
            observer: HostId([1; 16]),
            paths: vec![reading],
            discount: Some(Discount::Late(250)),
            void: None,
        }],
    }
}

fn case() -> Case {
    Case {
        id: CASE,
        subject: Scope::Host(HOST),
        kind: VerdictKind::HostDown,
        boot: Some(BOOT),
        scopes: Some(scopes()),
        members: vec![HOST],
        members_count: 3,
        opened: AT,
        opened_wall: WALL,
        opened_at: LedgerIndex(11),
        stands_since: LATER,
        flips: 4,
        held_off_until: LedgerTime::from_milliseconds(93_000),
        grounds: grounds_kept(),
        rounds_upheld: 5,
        upheld_at: LedgerTime::default(),
        rule: Some(("host down".into(), 6)),
        rung: 1,
        attempts: 7,
        takeovers: 8,
        remedies: vec![note()],
        refused: Some(Refused::LeaseOver),
        stage: Stage::Open,
    }
}

fn put_stages(page: &mut Page) {
    let (remedy, since) = (REMEDY, LATER);
    every!(page, Stage {
        Stage::Open => [Stage::Open],
        Stage::Offered(_) => [Stage::Offered(lease())],
        Stage::Leased(_) => [Stage::Leased(lease())],
        Stage::Remedy { .. } => [Stage::Remedy { lease: lease(), remedy }],
        Stage::Orphaned { .. } => [
            Stage::Orphaned { lease: lease(), remedy: Some(remedy), since },
        ],
        Stage::Verifying { .. } => [Stage::Verifying {
            lease: lease(),
            remedy,
            received_at: LedgerIndex(14),
            until: LATER,
            well_since: Some(AT),
        }],
        Stage::Escalated { .. } => [
            Stage::Escalated { why: "spent".into(), since, counted: Some(lease()) },
        ],
        Stage::Closed { .. } => [
            Stage::Closed { how: Closure::Recovered, at: AT, at_wall: WALL },
        ],
        Stage::Quarantined { .. } => [Stage::Quarantined { why: "spent".into(), since }],
    });
}

fn put_findings(page: &mut Page) {
    every!(page, Discount {
        Discount::Deaf { .. } => [Discount::Deaf { reached: 1, attest: 4 }],
        Discount::Late(_) => [Discount::Late(250)],
        Discount::Contradicted(_) => [Discount::Contradicted(3)],
        Discount::SelfDoubting => [Discount::SelfDoubting],
    });
    every!(page, Void {
        Void::OverBound => [Void::OverBound],
        Void::Stranger => [Void::Stranger],
        Void::OtherAnchor => [Void::OtherAnchor],
        Void::Key => [Void::Key],
        Void::Signature => [Void::Signature],
        Void::Changed(_) => [Void::Changed(Epoch(2))],
        Void::FutureEpoch(_) => [Void::FutureEpoch(Epoch(3))],
        Void::NoSeat => [Void::NoSeat],
        Void::SubjectBoot(_) => [Void::SubjectBoot(BOOT)],
        Void::ObserverBoot(_) => [Void::ObserverBoot(BOOT)],
        Void::Equivocation(_) => [Void::Equivocation(Sequence(4))],
        Void::Duplicate => [Void::Duplicate],
    });
    every!(page, RemedyClass {
        RemedyClass::Gentle => [RemedyClass::Gentle],
        RemedyClass::Disruptive => [RemedyClass::Disruptive],
        RemedyClass::Destructive => [RemedyClass::Destructive],
    });
    every!(page, Proof { Proof::HigherBoot => [Proof::HigherBoot] });
}

fn whole() -> Page {
    let mut page = Page::of(expect_file!["cases.txt"]);
    put_stages(&mut page);
    put_findings(&mut page);
    every!(page, RemedyNote { RemedyNote { .. } => [note()] });
    every!(page, Case { Case { .. } => [case()] });
    page
}

#[test]
fn the_bytes_of_a_case_in_every_stage_are_those_of_the_page() {
    whole().check();
}

#[test]
fn cases_of_the_first_version_are_laid_and_read_as_then() {
    whole().holds(include_str!("1/cases.txt"));
}
