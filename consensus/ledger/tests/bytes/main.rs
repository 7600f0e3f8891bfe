//! Are the bytes of commands, outcomes, records and states what they have always been (law W2), and are any other bytes a value
//! or a named fault (law W1)?

mod any;
#[path = "../../../../protocol/wire/tests/bent/mod.rs"]
mod bent;
mod cases;
mod commands;
#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../../../../protocol/wire/tests/golden/mod.rs"]
mod golden;
mod records;
mod state;

use ledger::bindings::FleetLockId;
use vocabulary::{
    Anchor, Boot, CaseId, ClusterName, Digest, Domain, Fence, GroupName, HostId, Label,
    LedgerIndex, LedgerTime, Receipt, ReceiptKind, RemedyId, Scope, WallNote, Zone,
};

const HOST: HostId = HostId([7; 16]);
const HEALER: HostId = HostId([8; 16]);
const CASE: CaseId = CaseId(42);
const FENCE: Fence = Fence(5);
const REMEDY: RemedyId = RemedyId(9);
const DIGEST: Digest = Digest([3; 32]);
const ANCHOR: Anchor = Anchor { index: LedgerIndex(11), audit: DIGEST };
const BOOT: Boot = Boot { number: 2, nonce: 77 };
const AT: LedgerTime = LedgerTime::from_milliseconds(90_000);
const LATER: LedgerTime = LedgerTime::from_milliseconds(91_000);
const WALL: WallNote = WallNote(1_700_000_000_000);

fn cluster() -> ClusterName {
    ClusterName::new("prod").expect("sound")
}

fn label(text: &str) -> Label {
    Label::new(text).expect("sound")
}

fn domain() -> Domain {
    Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") }
}

fn client() -> FleetLockId {
    FleetLockId::new("c988d250").expect("sound")
}

fn group() -> GroupName {
    GroupName::new("web").expect("sound")
}

fn receipt(kind: ReceiptKind) -> Receipt {
    Receipt { remedy: REMEDY, fence: FENCE, kind, detail: "exit 0".into() }
}

fn rack() -> Scope {
    Scope::Rack(domain())
}

fn zone() -> Scope {
    Scope::Zone(Zone { region: label("eu"), zone: label("eu-a") })
}
