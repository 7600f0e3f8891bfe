//! What a forger puts before the ledger: verdicts in other observers' names, every order of a lease that is not its own, and, where
//! its host is no keeper, every order of a person.
//!
//! Law N1 (see `lies`): under any name, its own key alone.
//! Not here: what the ledger says to it (see `ledger`).

use ledger::case::{Case, Lease};
use ledger::command::{Command, Doubted, Finding, Order};
use vocabulary::{
    Attestation, Boot, Epoch, Grade, Grounds, HostId, ModelSigner, Receipt, ReceiptKind, RemedyId,
    Scope, Sequence, Signature, Signer as _, Span, VerdictKind,
};

use crate::fleet::{Fleet, Happening};
use crate::host::Place;
use crate::keepers::Ask;
use crate::lies::{FORGED_CALL, painted};
use crate::setup::CLUSTER;

/// Who gives orders that no person has given; `laws` looks for the name.
pub(crate) const FORGER: &str = "forger";

/// Nobody waits for the outcome; it is tried for so long.
const TRIED_FOR: Span = Span::seconds(2);

impl Fleet {
    /// Once: a verdict on the host whose turn it is, and whatever might move a case.
    pub(crate) fn forge(&mut self, place: Place, turn: usize) {
        let others = (0..self.hosts.len()).filter(|other| *other != place);
        let others: Vec<HostId> = others.map(|other| self.hosts[other].id).collect();
        let Some(target) = others.get(turn % others.len().max(1)).copied() else {
            return;
        };
        let mut commands = vec![self.forged_verdict(place, target)];
        // Raft trusts a keeper, and so does whoever takes orders there.
        if !self.hosts[place].claims.roles.keeper {
            commands.extend(persons_orders(target));
        }
        let ledger = std::sync::Arc::clone(&self.keepers.ledger);
        for case in ledger.cases() {
            commands.extend(self.forged_orders(place, case));
        }
        for command in commands {
            self.put_before_ledger(place, &command);
        }
    }

    fn forged_verdict(&self, place: Place, target: HostId) -> Command {
        let ledger = &self.keepers.ledger;
        let signer = ModelSigner::new(&self.hosts[place].claims.host);
        let boot_of = |host: &HostId| {
            ledger
                .roster()
                .get(host)
                .and_then(|entry| entry.boot)
                .unwrap_or(Boot { number: 1, nonce: 1 })
        };
        let (anchor, epoch): (_, Epoch) = (ledger.anchor(), ledger.roster().epoch);
        let word = |observer: &HostId| {
            let blank = Attestation {
                subject: target,
                subject_boot: boot_of(&target),
                observer: *observer,
                observer_boot: boot_of(observer),
                key: signer.public_key(),
                sequence: Sequence(u64::MAX / 2),
                epoch,
                anchor,
                grade: Grade::Failed,
                paths: Vec::new(),
                ingress: ledger.seating().observers(observer).to_vec(),
                late_ms: 0,
                signature: Signature([0; 32], [0; 32]),
            };
            painted(blank, Grade::Failed).signed(CLUSTER, &signer)
        };
        let observers = ledger.seating().observers(&target);
        let attestations = observers.iter().map(word).collect();
        let grounds = Grounds { anchor, epoch, attestations, answers: Vec::new() };
        let kinds = [VerdictKind::AgentDown, VerdictKind::HostDown, VerdictKind::HostHung];
        let finding = |kind| Finding { scope: Scope::Host(target), kind };
        let doubted = Doubted { host: target, age: Span::ZERO };
        Command::Verdicts { grounds, findings: kinds.map(finding).into(), doubted: vec![doubted] }
    }

    /// Every order of a lease, as if it were its own, and a lease for itself.
    fn forged_orders(&self, place: Place, case: &Case) -> Vec<Command> {
        let (id, me) = (case.id, self.hosts[place].id);
        let ledger = &self.keepers.ledger;
        let grounds = Grounds {
            anchor: ledger.anchor(),
            epoch: ledger.roster().epoch,
            attestations: Vec::new(),
            answers: Vec::new(),
        };
        let mut orders = vec![
            Command::Offer { case: id, healer: me },
            Command::Recovered { cases: vec![id], grounds: grounds.clone() },
            Command::Approve { case: id, shown: ledger.shown(case), order: forged() },
            Command::Deny { case: id, order: forged() },
        ];
        let others = |lease: &&Lease| lease.healer != me;
        if let Some(lease) = case.counted_lease().filter(others) {
            let fence = lease.fence;
            let remedy = case.remedies.last().map_or(RemedyId(1), |note| note.id);
            let receipt = |kind| Receipt { remedy, fence, kind, detail: "forged".into() };
            orders.extend([
                Command::Accept { case: id, fence },
                Command::Renew { case: id, fence },
                Command::Intend { case: id, fence, grounds: grounds.clone() },
                Command::Receive { case: id, receipt: receipt(ReceiptKind::Done) },
                Command::Inspected { case: id, fence, found: receipt(ReceiptKind::Refused) },
                Command::Verify { case: id, fence, grounds },
                Command::Unproven { case: id, fence, why: "forged".into() },
                Command::Release { case: id, fence, why: "forged".into() },
            ]);
        }
        orders
    }

    fn put_before_ledger(&mut self, place: Place, command: &Command) {
        let Some(life) = self.hosts[place].life_number() else {
            return;
        };
        let ask = Ask {
            by: place,
            command: wire::encode(command),
            asker: Some((life, FORGED_CALL)),
            until: self.now.after(TRIED_FOR),
        };
        self.queue.put(self.now, Happening::Proposal(ask));
    }
}

/// Law F10 of the ledger: whatever a person could order, about this host where it is about one.
fn persons_orders(target: HostId) -> [Command; 6] {
    [
        Command::Policy { text: String::new(), if_version: None, order: forged() },
        Command::Retire { host: target, order: forged() },
        Command::Pause(forged()),
        Command::Resume(forged()),
        Command::Free { subject: Scope::Host(target), order: forged() },
        Command::Authorities { authorities: vec![b"mine".to_vec()], order: forged() },
    ]
}

fn forged() -> Order {
    Order { who: FORGER.into(), why: "a certificate was stolen".into() }
}
