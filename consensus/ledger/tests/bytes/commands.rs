//! What hosts propose, what the log holds, what the ledger answers.

use expect_test::expect_file;
use ledger::approvals::Shown;
use ledger::audit::Checkpoint;
use ledger::command::{
    Command, Doubted, Entry, Finding, Order, Outcome, Proposed, Refused, UnfitFinding,
};
use vocabulary::{
    CertificateChain, CertificateFault, CheckGrounds, CheckWord, Digest, Epoch, Grade, Grounds,
    HostName, LedgerIndex, PublicKey, ReceiptKind, Scope, Sequence, Signature, Span, StoreId,
    VerdictKind,
};

use crate::golden::{Page, every};
use crate::records::plan;
use crate::{
    ANCHOR, BOOT, CASE, FENCE, HEALER, HOST, REMEDY, WALL, client, cluster, group, label, rack,
    receipt, zone,
};

fn order() -> Order {
    Order { who: "ops".into(), why: "because".into() }
}

fn shown() -> Shown {
    Shown { stands_since: vocabulary::LedgerTime::from_milliseconds(60_000), rung: 1, policy: 37 }
}

fn name() -> HostName {
    HostName::new("web-1").expect("sound")
}

fn chain() -> CertificateChain {
    CertificateChain(vec![vec![0x30, 0x82], vec![0x31]])
}

/// An attestation inside has its row on the page of messages.
fn grounds() -> Grounds {
    Grounds { anchor: ANCHOR, epoch: Epoch(12), attestations: Vec::new(), answers: Vec::new() }
}

fn doubted() -> Vec<Doubted> {
    vec![Doubted { host: HOST, age: Span::seconds(3) }]
}

fn findings() -> Vec<Finding> {
    vec![Finding { scope: Scope::Host(HOST), kind: VerdictKind::HostDown }]
}

fn check_grounds() -> CheckGrounds {
    let word = CheckWord {
        subject: HOST,
        subject_boot: BOOT,
        author: HEALER,
        author_boot: BOOT,
        key: PublicKey([4; 32]),
        sequence: Sequence(5),
        epoch: Epoch(12),
        anchor: ANCHOR,
        check: label("api"),
        grade: Grade::Failed,
        signature: Signature([6; 32], [7; 32]),
    };
    CheckGrounds { anchor: ANCHOR, epoch: Epoch(12), words: vec![word] }
}

fn unfit_findings() -> Vec<UnfitFinding> {
    vec![UnfitFinding { host: HOST, check: label("api") }]
}

fn put_nouns(page: &mut Page) {
    every!(page, Scope {
        Scope::Host(_) => [Scope::Host(HOST)],
        Scope::Rack(_) => [rack()],
        Scope::Zone(_) => [zone()],
        Scope::Group(_) => [Scope::Group(group())],
        Scope::Fleet => [Scope::Fleet],
    });
    every!(page, VerdictKind {
        VerdictKind::AgentDown => [VerdictKind::AgentDown],
        VerdictKind::HostDown => [VerdictKind::HostDown],
        VerdictKind::HostHung => [VerdictKind::HostHung],
        VerdictKind::Unfit(_) => [VerdictKind::Unfit(label("api"))],
        VerdictKind::DomainDown => [VerdictKind::DomainDown],
        VerdictKind::Unsettled => [VerdictKind::Unsettled],
        VerdictKind::Surge => [VerdictKind::Surge],
        VerdictKind::Left => [VerdictKind::Left],
        VerdictKind::Duplicate => [VerdictKind::Duplicate],
    });
    every!(page, ReceiptKind {
        ReceiptKind::Done => [ReceiptKind::Done],
        ReceiptKind::Refused => [ReceiptKind::Refused],
        ReceiptKind::Unknown => [ReceiptKind::Unknown],
    });
}

fn put_commands(page: &mut Page) {
    let (case, fence, address) = (CASE, FENCE, "192.0.2.7:4433".parse().expect("sound"));
    let why = String::from("late");
    every!(page, Command {
        Command::Found { .. } => [Command::Found {
            cluster: cluster(),
            authorities: vec![vec![0x30]],
            keepers: vec![chain()],
        }],
        Command::Enrol(_) => [Command::Enrol(chain())],
        Command::Boot { .. } => [
            Command::Boot { boot: BOOT, address, store: None },
            Command::Boot { boot: BOOT, address, store: Some(StoreId(6)) },
        ],
        Command::Left { .. } => [Command::Left { boot: BOOT }],
        Command::Retire { .. } => [Command::Retire { host: HOST, order: order() }],
        Command::Policy { .. } => [
            Command::Policy { text: "[budget]".into(), if_version: None, order: order() },
            Command::Policy { text: "[budget]".into(), if_version: Some(3), order: order() },
        ],
        Command::Verdicts { .. } => [Command::Verdicts {
            grounds: grounds(),
            findings: findings(),
            doubted: doubted(),
        }],
        Command::Surge { .. } => [Command::Surge { doubted: doubted() }],
        Command::Recovered { .. } => [
            Command::Recovered { cases: vec![case], grounds: grounds() },
        ],
        Command::Offer { .. } => [Command::Offer { case, healer: HEALER }],
        Command::Accept { .. } => [Command::Accept { case, fence }],
        Command::Renew { .. } => [Command::Renew { case, fence }],
        Command::Intend { .. } => [Command::Intend { case, fence, grounds: grounds() }],
        Command::Receive { .. } => [
            Command::Receive { case, receipt: receipt(ReceiptKind::Done) },
        ],
        Command::Inspected { .. } => [
            Command::Inspected { case, fence, found: receipt(ReceiptKind::Unknown) },
        ],
        Command::Verify { .. } => [Command::Verify { case, fence, grounds: grounds() }],
        Command::Unproven { .. } => [Command::Unproven { case, fence, why: why.clone() }],
        Command::Release { .. } => [Command::Release { case, fence, why }],
        Command::Pause(_) => [Command::Pause(order())],
        Command::Resume(_) => [Command::Resume(order())],
        Command::Dismiss { .. } => [Command::Dismiss { case, order: order() }],
        Command::Tick => [Command::Tick],
        Command::Rules { .. } => [Command::Rules { rules: 2 }],
        Command::Authorities { .. } => [
            Command::Authorities { authorities: vec![vec![0x30], vec![0x31]], order: order() },
        ],
        Command::Unsettled { .. } => [
            Command::Unsettled { grounds: grounds(), doubted: doubted() },
        ],
        Command::OtherLife { .. } => [Command::OtherLife { host: HOST, boot: BOOT }],
        Command::AddHost { .. } => [
            Command::AddHost { name: name(), may_enrol: true, order: order() },
            Command::AddHost { name: name(), may_enrol: false, order: order() },
        ],
        Command::Revoke { .. } => [Command::Revoke { case, order: order() }],
        Command::Free { .. } => [
            Command::Free { subject: Scope::Host(HOST), order: order() },
            Command::Free { subject: Scope::Group(group()), order: order() },
        ],
        Command::Unfit { .. } => [
            Command::Unfit { grounds: check_grounds(), findings: unfit_findings() },
        ],
        Command::Fit { .. } => [Command::Fit { cases: vec![case], grounds: check_grounds() }],
        Command::Approve { .. } => [
            Command::Approve { case, shown: shown(), order: order() },
        ],
        Command::Deny { .. } => [Command::Deny { case, order: order() }],
        Command::Maintain { .. } => [Command::Maintain { plan: plan(), order: order() }],
        Command::EndMaintenance { .. } => [
            Command::EndMaintenance { window: 3, order: order() },
        ],
        Command::Occurs { .. } => [
            Command::Occurs { window: 3, at: 1_800_000_000, left: Span::minutes(50) },
        ],
        Command::Exempt { .. } => [
            Command::Exempt { host: HOST, is_exempt: true, order: order() },
            Command::Exempt { host: HOST, is_exempt: false, order: order() },
        ],
        Command::TakeSlot { .. } => [Command::TakeSlot { client: client(), group: "web".into() }],
        Command::ReturnSlot { .. } => [Command::ReturnSlot { client: client(), before: FENCE }],
        Command::EndSlots { .. } => [
            Command::EndSlots { clients: vec![client()], grounds: grounds() },
        ],
        Command::RevokeSlot { .. } => [
            Command::RevokeSlot { client: client(), order: order() },
        ],
        Command::BindClient { .. } => [
            Command::BindClient { client: client(), host: Some(HOST), order: Some(order()) },
            Command::BindClient { client: client(), host: None, order: None },
        ],
        Command::MoveVotes { .. } => [
            Command::MoveVotes { add: vec![HOST], remove: vec![vocabulary::HostId([8; 16])], order: order() },
        ],
        Command::ReplaceVoter { .. } => [Command::ReplaceVoter { lost: HOST }],
        Command::VotesFollowed { .. } => [Command::VotesFollowed { voting: vec![HOST] }],
        Command::Seal { .. } => [Command::Seal {
            place: Checkpoint { number: 512, digest: Digest([3; 32]) },
            certificate: chain(),
            signature: Signature([4; 32], [5; 32]),
        }],
    });
    every!(page, Entry { Entry { .. } => [Entry {
        elapsed: Span::milliseconds(1_001),
        wall: WALL,
        commands: vec![Proposed { by: HOST, command: Command::Tick }],
    }] });
}

fn put_outcomes(page: &mut Page) {
    every!(page, Outcome {
        Outcome::Done => [Outcome::Done],
        Outcome::Findings(_) => [Outcome::Findings(vec![Ok(CASE), Err(Refused::Retired)])],
        Outcome::Leased { .. } => [Outcome::Leased { fence: FENCE }],
        Outcome::Intended { .. } => [Outcome::Intended { remedy: REMEDY }],
        Outcome::Policy { .. } => [Outcome::Policy { version: 3 }],
        Outcome::Window { .. } => [Outcome::Window { window: 3 }],
        Outcome::Refused(_) => [Outcome::Refused(Refused::NoRule)],
    });
    every!(page, CertificateFault {
        CertificateFault::Size => [CertificateFault::Size],
        CertificateFault::Unreadable => [CertificateFault::Unreadable],
        CertificateFault::UnknownAuthority => [CertificateFault::UnknownAuthority],
        CertificateFault::UriCount(_) => [CertificateFault::UriCount(2)],
        CertificateFault::Claims(_) => [CertificateFault::Claims("no group".into())],
        CertificateFault::WeakKey => [CertificateFault::WeakKey],
    });
}

fn put_refusals(page: &mut Page) {
    let (used, limit, left) = (2, 1, Span::seconds(4));
    let why = || String::from("why");
    every!(page, Refused {
        Refused::NotFounded => [Refused::NotFounded],
        Refused::AlreadyFounded => [Refused::AlreadyFounded],
        Refused::NotPermitted(_) => [Refused::NotPermitted(why())],
        Refused::Certificate(_) => [Refused::Certificate(CertificateFault::Size)],
        Refused::UnknownHost => [Refused::UnknownHost],
        Refused::Retired => [Refused::Retired],
        Refused::CaseOpen(_) => [Refused::CaseOpen(CASE)],
        Refused::BootTooLow(_) => [Refused::BootTooLow(BOOT)],
        Refused::Duplicate(_) => [Refused::Duplicate(BOOT)],
        Refused::Malformed(_) => [Refused::Malformed(why())],
        Refused::PolicyFaults(_) => [Refused::PolicyFaults(vec![why()])],
        Refused::PolicyVersion(_) => [Refused::PolicyVersion(3)],
        Refused::Grounds(_) => [Refused::Grounds(why())],
        Refused::Stale { .. } => [
            Refused::Stale { anchor: LedgerIndex(11), at_least: LedgerIndex(13) },
        ],
        Refused::UnknownCase => [Refused::UnknownCase],
        Refused::Stage(_) => [Refused::Stage("leased".into())],
        Refused::Leased(_) => [Refused::Leased(FENCE)],
        Refused::Fence { .. } => [Refused::Fence { current: FENCE }],
        Refused::LeaseOver => [Refused::LeaseOver],
        Refused::Budget { .. } => [Refused::Budget { scope: rack(), used, limit }],
        Refused::PerHour { .. } => [Refused::PerHour { scope: rack(), used, limit, left }],
        Refused::Halt { .. } => [Refused::Halt { scope: rack(), unhealthy: 3, limit }],
        Refused::Floor { .. } => [Refused::Floor { left: 3, floor: 4 }],
        Refused::Brake(_) => [Refused::Brake(why())],
        Refused::Keepers { .. } => [Refused::Keepers { used, limit }],
        Refused::Ramp { .. } => [Refused::Ramp { used, limit }],
        Refused::NoRule => [Refused::NoRule],
        Refused::TooSoon { .. } => [Refused::TooSoon { what: why(), left }],
        Refused::Damped(_) => [Refused::Damped(why())],
        Refused::ThreeRounds { .. } => [Refused::ThreeRounds { have: 2 }],
        Refused::Healer(_) => [Refused::Healer(why())],
        Refused::Nothing => [Refused::Nothing],
        Refused::Bound(_) => [Refused::Bound(why())],
        Refused::NotAdded(_) => [Refused::NotAdded(name())],
        Refused::Stopped { .. } => [Refused::Stopped { group: group(), why: why() }],
        Refused::Canary { .. } => [Refused::Canary { case: vocabulary::CaseId(7), is_elsewhere: true }],
        Refused::KindStopped { .. } => [
            Refused::KindStopped { rule: why(), group: group(), why: why() },
        ],
        Refused::Approval { .. } => [Refused::Approval {
            case: vocabulary::CaseId(7),
            rule: why(),
            rung: 1,
            remedy: why(),
            verdict: VerdictKind::HostDown,
            policy: 37,
            not_at: Some(name()),
        }],
        Refused::Shadowed { .. } => [
            Refused::Shadowed { rule: why(), rung: 1, remedy: why() },
        ],
        Refused::Maintenance { .. } => [Refused::Maintenance {
            window: 3,
            scope: Scope::Fleet,
            why: why(),
            left: Span::minutes(50),
        }],
        Refused::Exempt { .. } => [Refused::Exempt { host: name(), who: why(), why: why() }],
        Refused::PerDay { .. } => [Refused::PerDay { scope: rack(), used, limit, left }],
        Refused::UnknownGroup { .. } => [Refused::UnknownGroup { group: "web".into() }],
        Refused::SlotHeld { .. } => [Refused::SlotHeld { client: why() }],
    });
}

pub(crate) fn whole() -> Page {
    let mut page = Page::of(expect_file!["commands.txt"]);
    put_nouns(&mut page);
    put_commands(&mut page);
    put_outcomes(&mut page);
    put_refusals(&mut page);
    page
}

#[test]
fn the_bytes_of_every_command_and_outcome_are_those_of_the_page() {
    whole().check();
}

#[test]
fn commands_and_outcomes_of_the_first_version_are_laid_and_read_as_then() {
    whole().holds(include_str!("1/commands.txt"));
}
