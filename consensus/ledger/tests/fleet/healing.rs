//! The way of one case from its lease to its proof.

use ledger::command::{Command, Outcome};
use vocabulary::{CaseId, Fence, Receipt, ReceiptKind, RemedyId};

use super::{Fleet, Seen, id};

impl Fleet {
    /// Two cases that do not wait for each other (protocol 6.3): `b2` is in one kind of trouble, `c2` in another, long enough for a lease.
    pub fn of_two_kinds(&mut self) -> [CaseId; 2] {
        let cases = [("b2", Seen::AgentDown), ("c2", Seen::HostDown)];
        let cases = cases.map(|(name, seen)| self.opened(name, seen));
        self.wait(5);
        cases
    }

    pub fn offer(&mut self, case: CaseId, healer: &str) -> Outcome {
        let healer = id(healer);
        self.send("a1", Command::Offer { case, healer })
    }

    /// A lease of this case, accepted.
    pub fn leased(&mut self, case: CaseId, healer: &str) -> Fence {
        let fence = fence(&self.offer(case, healer));
        let outcome = self.send(healer, Command::Accept { case, fence });
        assert_eq!(outcome, Outcome::Leased { fence });
        fence
    }

    pub fn intend(
        &mut self,
        (healer, case, fence): (&str, CaseId, Fence),
        subjects: &[(&str, Seen)],
    ) -> Outcome {
        let grounds = self.round(subjects);
        self.send(healer, Command::Intend { case, fence, grounds })
    }

    pub fn receive(
        &mut self,
        (healer, case, fence): (&str, CaseId, Fence),
        remedy: RemedyId,
        kind: ReceiptKind,
    ) -> Outcome {
        let receipt = receipt(remedy, fence, kind);
        self.send(healer, Command::Receive { case, receipt })
    }

    pub fn verify(
        &mut self,
        (healer, case, fence): (&str, CaseId, Fence),
        subjects: &[(&str, Seen)],
    ) -> Outcome {
        let grounds = self.round(subjects);
        self.send(healer, Command::Verify { case, fence, grounds })
    }

    /// The whole way of one case until its remedy is intended: verdict, lease, waits, last look.
    pub fn begun(&mut self, name: &str, seen: Seen, healer: &str) -> (CaseId, Fence, RemedyId) {
        let case = self.opened(name, seen);
        let fence = self.leased(case, healer);
        self.wait(6);
        let outcome = self.intend((healer, case, fence), &[(name, seen)]);
        (case, fence, remedy(&outcome))
    }

    /// What was begun on this host is done, it lives again, and fresh voices prove it.
    pub fn proven(
        &mut self,
        (healer, case, fence): (&str, CaseId, Fence),
        remedy: RemedyId,
        name: &str,
    ) {
        self.receive((healer, case, fence), remedy, ReceiptKind::Done);
        self.boot(name, 2);
        for _ in 0..2 {
            self.verify((healer, case, fence), &[(name, Seen::Well)]);
            self.wait(4);
        }
        assert_eq!(self.stage(case), "closed");
    }
}

pub fn receipt(remedy: RemedyId, fence: Fence, kind: ReceiptKind) -> Receipt {
    Receipt { remedy, fence, kind, detail: "exit 0".into() }
}

pub fn fence(outcome: &Outcome) -> Fence {
    match outcome {
        Outcome::Leased { fence } => *fence,
        other => panic!("no lease: {other:?}"),
    }
}

pub fn remedy(outcome: &Outcome) -> RemedyId {
    match outcome {
        Outcome::Intended { remedy } => *remedy,
        other => panic!("no intent: {other:?}"),
    }
}
