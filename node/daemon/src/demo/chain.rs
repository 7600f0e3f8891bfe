//! Tests only: histories made by hand, chained as the ledger chains them.

use ledger::audit::{Record, What};
use vocabulary::{
    Anchor, Boot, CaseId, Digest, Fence, LedgerIndex, LedgerTime, ReceiptKind, RemedyId, Scope,
    VerdictKind, WallNote,
};

use super::history::History;

/// Records in the making; each happens a second after the one before.
#[derive(Default)]
pub struct Chain {
    records: Vec<Record>,
}

impl Chain {
    /// Adds what becomes true next.
    pub fn then(mut self, what: What) -> Self {
        let before = self.records.last().map(Record::place);
        let before = before.unwrap_or_default();
        let number = before.number + 1;
        let mut record = Record {
            number,
            at: LedgerTime::from_milliseconds(number * 1_000),
            wall: WallNote(number * 1_000),
            index: LedgerIndex(number),
            what,
            previous: before.digest,
            digest: Digest::default(),
        };
        record.digest = record.computed_digest();
        self.records.push(record);
        self
    }

    /// A case from verdict to closure: six records, the intent the third of them.
    pub fn healed(self, case: u64, subject: &Scope, kind: VerdictKind) -> Self {
        let number = case;
        let (case, fence, remedy) = (CaseId(number), Fence(number * 10), RemedyId(number));
        self.then(verdict(case, subject, kind))
            .then(granted(case, fence))
            .then(intended(case, fence, remedy))
            .then(What::Received {
                case,
                remedy,
                fence,
                kind: ReceiptKind::Done,
                detail: String::new(),
            })
            .then(What::Verified {
                case,
                remedy,
                boot: Some(Boot { number: 2, nonce: 0 }),
                anchor: Anchor::default(),
                grounds: Digest::default(),
            })
            .then(What::Closed { case, how: ledger::case::Closure::Healed })
    }

    /// The records as they would be fetched.
    pub fn records(self) -> Vec<Record> {
        self.records
    }

    /// The history as it would be believed.
    pub fn history(self) -> History {
        let mut history = History::default();
        history.extend(self.records).expect("it chains");
        history
    }
}

/// A verdict of five voices.
pub fn verdict(case: CaseId, subject: &Scope, kind: VerdictKind) -> What {
    What::Verdict {
        case,
        subject: subject.clone(),
        kind,
        anchor: Anchor::default(),
        grounds: Digest::default(),
        against: 5,
        well: 0,
        vacant: 0,
    }
}

/// A lease.
pub fn granted(case: CaseId, fence: Fence) -> What {
    What::Granted { case, fence, healer: super::stage::id_of(0), is_takeover: false }
}

/// An intent.
pub fn intended(case: CaseId, fence: Fence, remedy: RemedyId) -> What {
    What::Intended {
        case,
        fence,
        remedy,
        rung: 0,
        argv: Vec::new(),
        healer: super::stage::id_of(0),
        anchor: Anchor::default(),
        grounds: Digest::default(),
    }
}
