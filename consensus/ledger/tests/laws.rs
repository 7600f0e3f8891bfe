//! After any sequence of commands, sound or nonsense, B1, B2, L1, L2, A1 and P1 hold, nothing panics, and two replicas
//! agree.
//!
//! The ledger asserts its own laws; this checker knows nothing of its rooms: it reads only what anybody can read.

mod fleet;

use std::collections::{BTreeMap, BTreeSet};

use fleet::*;
use ledger::audit::{Record, What};
use ledger::bindings::FleetLockId;
use ledger::case::{Case, Stage};
use ledger::command::{Command, Finding, Outcome, Proposed};
use ledger::{Ledger, rules, verify_chain};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use vocabulary::{
    CaseId, Fence, Grade, HostId, ModelVerifier, ReceiptKind, RemedyId, Scope, Span, VerdictKind,
    model_chain,
};

/// What somebody does; names are drawn from the fleet, numbers from what exists and a little beyond.
#[derive(Clone, Debug)]
enum Deed {
    Wait(u64),
    Jump(u64),
    Verdict(usize, Seen, bool),
    Zone(usize),
    Recover(Index, Seen),
    Offer(Index, usize),
    Accept(Index),
    Renew(Index),
    Intend(Index, Seen),
    Receive(Index, ReceiptKind),
    Inspected(Index, ReceiptKind),
    Verify(Index, Seen),
    Unproven(Index),
    Release(Index),
    Dismiss(Index),
    Revoke(Index),
    Free(usize),
    Boot(usize),
    Left(usize),
    Enrol(usize, usize),
    Retire(usize),
    Pause,
    Resume,
    Policy(usize),
    Surge(usize),
    Rules(usize, u32),
    /// A doubt on this host, whom so many observers ever reached.
    Unsettled(usize, usize, Seen),
    /// What this host and so many of its observers find of its check; the others find it well.
    Unfit(usize, Option<Grade>, usize),
    /// Another machine under this host's name.
    Twin(usize),
    /// A keeper turns this number of this host away.
    TurnedAway(usize, u64),
    Nonsense(usize, u64, u64, ReceiptKind),
    /// A FleetLock client of this host, bound or not, wants what the second number says, by way of the third one's host.
    Slot(usize, usize, usize),
    /// One host's way, so many steps of it: chance alone seldom goes so far.
    Walk(usize, usize, usize, ReceiptKind),
}

fn seen() -> impl Strategy<Value = Seen> {
    select(vec![Seen::Well, Seen::AgentDown, Seen::HostDown, Seen::HostHung])
}

fn kind() -> impl Strategy<Value = ReceiptKind> {
    select(vec![ReceiptKind::Done, ReceiptKind::Refused, ReceiptKind::Unknown])
}

fn deed() -> impl Strategy<Value = Deed> {
    let host = 0..NINE.len();
    let case = any::<Index>;
    let own = select(vec![None, Some(Grade::Ok), Some(Grade::Failed), Some(Grade::Unknown)]);
    prop_oneof![
        8 => (1..12_u64).prop_map(Deed::Wait),
        1 => (20..700_u64).prop_map(Deed::Jump),
        6 => (host.clone(), seen(), any::<bool>()).prop_map(|(a, b, c)| Deed::Verdict(a, b, c)),
        1 => (0..3_usize).prop_map(Deed::Zone),
        3 => (case(), seen()).prop_map(|(a, b)| Deed::Recover(a, b)),
        8 => (case(), host.clone()).prop_map(|(a, b)| Deed::Offer(a, b)),
        8 => case().prop_map(Deed::Accept),
        4 => case().prop_map(Deed::Renew),
        8 => (case(), seen()).prop_map(|(a, b)| Deed::Intend(a, b)),
        6 => (case(), kind()).prop_map(|(a, b)| Deed::Receive(a, b)),
        3 => (case(), kind()).prop_map(|(a, b)| Deed::Inspected(a, b)),
        4 => (case(), seen()).prop_map(|(a, b)| Deed::Verify(a, b)),
        2 => case().prop_map(Deed::Unproven),
        2 => case().prop_map(Deed::Release),
        1 => case().prop_map(Deed::Dismiss),
        2 => case().prop_map(Deed::Revoke),
        4 => host.clone().prop_map(Deed::Free),
        3 => host.clone().prop_map(Deed::Boot),
        1 => host.clone().prop_map(Deed::Left),
        1 => (host.clone(), 0..3_usize).prop_map(|(a, b)| Deed::Enrol(a, b)),
        1 => host.clone().prop_map(Deed::Retire),
        1 => Just(Deed::Pause),
        3 => Just(Deed::Resume),
        2 => (0..8_usize).prop_map(Deed::Policy),
        1 => (0..6_usize).prop_map(Deed::Surge),
        1 => (host.clone(), 0..4_u32).prop_map(|(a, b)| Deed::Rules(a, b)),
        3 => (host.clone(), 0..9_usize, seen()).prop_map(|(a, b, c)| Deed::Unsettled(a, b, c)),
        3 => (host.clone(), own, 0..9_usize).prop_map(|(a, b, c)| Deed::Unfit(a, b, c)),
        1 => host.clone().prop_map(Deed::Twin),
        4 => (host.clone(), 0..6_usize, host.clone()).prop_map(|(a, b, c)| Deed::Slot(a, b, c)),
        1 => (host.clone(), 0..3_u64).prop_map(|(a, b)| Deed::TurnedAway(a, b)),
        6 => (host.clone(), host.clone(), 3..10_usize, kind())
            .prop_map(|(a, b, c, d)| Deed::Walk(a, b, c, d)),
        2 => (host, 0..9_u64, 0..9_u64, kind()).prop_map(|(a, b, c, d)| Deed::Nonsense(a, b, c, d)),
    ]
}

/// Plays deeds and judges every step from outside.
struct Play {
    fleet: Fleet,
    boots: BTreeMap<usize, u64>,
    fence: Fence,
    told: u64,
    intended: BTreeSet<RemedyId>,
    quarantined: BTreeMap<HostId, CaseId>,
}

impl Play {
    fn under(rules: u32) -> Self {
        let fleet = match rules {
            rules::FIRST => Fleet::healing_under_the_first_rules(),
            _ => Fleet::healing(),
        };
        let told = fleet.ledger.audit().head().number;
        Self {
            fleet,
            boots: BTreeMap::new(),
            fence: Fence(0),
            told,
            intended: BTreeSet::new(),
            quarantined: BTreeMap::new(),
        }
    }

    fn step(&mut self, deed: &Deed) {
        match deed {
            Deed::Wait(seconds) => {
                for _ in 0..*seconds {
                    self.fleet.wait(1);
                    self.judge();
                }
            }
            Deed::Jump(seconds) => {
                self.fleet.wait(*seconds);
            }
            Deed::Walk(host, healer, steps, kind) => {
                self.walk(*host, *healer, (*steps, *kind));
            }
            other => {
                self.act(other);
            }
        }
        self.judge();
    }

    fn act(&mut self, deed: &Deed) -> Option<Outcome> {
        let fleet = &mut self.fleet;
        Some(match deed {
            Deed::Wait(_) | Deed::Jump(_) | Deed::Walk(..) => return None,
            Deed::Verdict(host, seen, is_told) => {
                let name = self.living(*host)?;
                let finding = Finding {
                    scope: Scope::Host(id(name)),
                    kind: match seen {
                        Seen::HostDown => VerdictKind::HostDown,
                        Seen::HostHung => VerdictKind::HostHung,
                        Seen::Well | Seen::AgentDown => VerdictKind::AgentDown,
                    },
                };
                let grounds = self.fleet.round(&[(name, *seen)]);
                let doubted = if *is_told { doubts(&[(name, 1)]) } else { Vec::new() };
                let findings = vec![finding];
                self.fleet.send("a1", Command::Verdicts { grounds, findings, doubted })
            }
            Deed::Zone(zone_number) => {
                let zone_name = ["a", "b", "c"][*zone_number];
                let names: Vec<&str> = NINE
                    .iter()
                    .copied()
                    .filter(|name| name.starts_with(zone_name))
                    .filter(|name| fleet.ledger.roster().get(&id(name)).is_some())
                    .collect();
                let down: Vec<(&str, Seen)> =
                    names.into_iter().map(|name| (name, Seen::HostDown)).collect();
                let finding = Finding { scope: zone(zone_name), kind: VerdictKind::DomainDown };
                fleet.findings(&down, vec![finding], &[]);
                return None;
            }
            Deed::Recover(case, seen) => {
                let case = self.case_in(case, "open")?;
                let grounds = self.look(&case, *seen)?;
                let cases = vec![case.id];
                self.fleet.send("b1", Command::Recovered { cases, grounds })
            }
            Deed::Offer(case, healer) => {
                let case = self.case_in(case, "open")?.id;
                let healer = id(NINE[*healer]);
                // What the command before has ended widens the ramp at the head of the next entry.
                self.fleet.send("a1", Command::Tick);
                let can = self.fleet.ledger.can_offer(case, healer);
                let outcome = self.fleet.send("a1", Command::Offer { case, healer });
                let is_leased = matches!(outcome, Outcome::Leased { .. });
                assert_eq!(can.is_ok(), is_leased, "{can:?} is the very check of {outcome:?}");
                outcome
            }
            Deed::Enrol(host, place) => {
                let name = NINE[*host];
                let rack = ["x", "y", name][*place];
                let chain = model_chain(&claims_in(name, &name[..1], rack));
                fleet.send(name, Command::Enrol(chain))
            }
            Deed::Retire(host) => {
                fleet.send("a1", Command::Retire { host: id(NINE[*host]), order: order("gone") })
            }
            Deed::Boot(host) => {
                let number = self.boots.entry(*host).or_insert(1);
                *number += 1;
                fleet.boot(NINE[*host], *number)
            }
            Deed::Left(host) => {
                let number = self.boots.get(host).copied().unwrap_or(1);
                fleet.send(NINE[*host], Command::Left { boot: boot(number) })
            }
            Deed::Free(host) => {
                let mut held = self.quarantined.keys().cycle().skip(*host);
                let subject = Scope::Host(held.next().copied().unwrap_or(id(NINE[*host])));
                fleet.send("a1", Command::Free { subject, order: order("seen to") })
            }
            Deed::Pause => fleet.send("a1", Command::Pause(order("look"))),
            Deed::Resume => fleet.send("a1", Command::Resume(order("go on"))),
            Deed::Policy(which) => {
                let text = [
                    POLICY.to_owned(),
                    POLICY.replace("in_flight = 2", "in_flight = 9"),
                    POLICY.replace("in_flight = 2", "in_flight = 1"),
                    POLICY.replace("\"act\"", "\"observe\""),
                    POLICY.replace("at_most = 3", "at_most = 1"),
                    checking("peers"),
                    checking("self"),
                    checking("both"),
                ];
                let text = text[*which].clone();
                fleet.send("a1", Command::Policy { text, if_version: None, order: order("p") })
            }
            Deed::Surge(count) => {
                let names: Vec<(&str, u64)> =
                    NINE[..*count].iter().map(|name| (*name, 1)).collect();
                fleet.send("a1", Command::Surge { doubted: doubts(&names) })
            }
            Deed::Rules(host, rules) => {
                let standing = fleet.ledger.rules();
                fleet.send(NINE[*host], Command::Rules { rules: *rules });
                assert!(fleet.ledger.rules() >= standing, "law C6: rules only rise");
                assert!(fleet.ledger.rules() <= rules::NEWEST, "law C6: and are known");
                return None;
            }
            Deed::Unsettled(host, seeing, seen) => {
                let name = self.living(*host)?;
                let grounds = self.fleet.round(&[(name, *seen)]);
                let grounds = self.fleet.blinded(grounds, *seeing);
                self.fleet.unsettled(name, 40, grounds).ok();
                return None;
            }
            Deed::Unfit(host, own, failing) => {
                let name = self.living(*host)?;
                let mut peers = vec![Grade::Failed; *failing];
                peers.push(Grade::Ok);
                let grounds = self.fleet.check_round(name, *own, &peers);
                let standing = self.fleet.ledger.case_of_host(&id(name)).cloned();
                let found = self.fleet.unfit(name, grounds.clone());
                if let (Ok(case), Some(standing)) = (&found, &standing) {
                    assert!(standing.is_unfit() && standing.id == *case, "law FC2, law K1");
                }
                let before = self.fleet.ledger.case_of_host(&id(name)).cloned()?;
                let grounds = self.fleet.check_round(name, *own, &peers);
                if self.fleet.fit(before.id, grounds).is_ok() {
                    assert!(found.is_err(), "law FT3: no round finds both");
                    assert!(before.is_unfit(), "law FC4");
                }
                return None;
            }
            Deed::Twin(host) => {
                let name = self.living(*host)?;
                self.fleet.ledger.roster().get(&id(name))?.boot?;
                self.fleet.twin(name)
            }
            Deed::Slot(host, what, by) => {
                let (name, by) = (NINE[*host], NINE[*by]);
                let client = FleetLockId::new(name).expect("sound");
                let group = String::from("web");
                match what {
                    0 => {
                        let (host, order) = (Some(id(name)), Some(order("its machine id")));
                        fleet.send("a1", Command::BindClient { client, host, order })
                    }
                    1 => {
                        let order = order("it hangs");
                        fleet.send("a1", Command::RevokeSlot { client, order })
                    }
                    2 => {
                        let before = fleet.ledger.next_fence();
                        fleet.send(by, Command::ReturnSlot { client, before })
                    }
                    3 => {
                        let grounds = self.fleet.round(&[(self.living(*host)?, Seen::Well)]);
                        let clients = vec![client];
                        self.fleet.send("b1", Command::EndSlots { clients, grounds })
                    }
                    _ => {
                        fleet.send("a1", Command::Tick);
                        let can = fleet.ledger.can_take_slot(id(by), (&client, &group));
                        let taken = fleet.send(by, Command::TakeSlot { client, group });
                        let is_held = matches!(taken, Outcome::Leased { .. });
                        assert_eq!(can.is_ok(), is_held, "{can:?} is the very check of {taken:?}");
                        taken
                    }
                }
            }
            Deed::TurnedAway(host, number) => {
                let host = id(NINE[*host]);
                fleet.send("a1", Command::OtherLife { host, boot: boot(*number) })
            }
            Deed::Nonsense(host, case, number, kind) => {
                let (case, fence) = (CaseId(*case), Fence(*number));
                let found = receipt(RemedyId(*number), fence, *kind);
                let all = [
                    Command::Accept { case, fence },
                    Command::Renew { case, fence },
                    Command::Receive { case, receipt: found.clone() },
                    Command::Inspected { case, fence, found },
                    Command::Unproven { case, fence, why: "x".repeat(501) },
                    Command::Release { case, fence, why: String::new() },
                    Command::Dismiss { case, order: order("") },
                ];
                let by = id(NINE[*host]);
                let commands = all.map(|command| Proposed { by, command }).into();
                fleet.entry(Span::milliseconds(*number * 1_000), commands);
                return None;
            }
            of_a_lease => return self.hold(of_a_lease),
        })
    }

    fn walk(
        &mut self,
        host: usize,
        healer: usize,
        (steps, kind): (usize, ReceiptKind),
    ) -> Option<()> {
        self.act(&Deed::Verdict(host, Seen::AgentDown, true));
        let subject = id(self.living(host)?);
        let case = self.fleet.ledger.case_of_host(&subject)?.id;
        let healer = id(NINE[healer]);
        self.fleet.send("a1", Command::Offer { case, healer });
        let way = [
            Deed::Accept(any_index()),
            Deed::Wait(6),
            Deed::Intend(any_index(), Seen::AgentDown),
            Deed::Receive(any_index(), kind),
            Deed::Inspected(any_index(), ReceiptKind::Done),
            Deed::Verify(any_index(), Seen::Well),
            Deed::Wait(3),
            Deed::Verify(any_index(), Seen::Well),
            Deed::Unproven(any_index()),
        ];
        for deed in way.iter().take(steps) {
            match deed {
                Deed::Wait(seconds) => self.fleet.wait(*seconds),
                deed => drop(self.deal(deed, case)),
            }
            self.judge();
        }
        Some(())
    }

    /// What a healer does with its own lease.
    fn hold(&mut self, deed: &Deed) -> Option<Outcome> {
        let (Deed::Accept(index)
        | Deed::Renew(index)
        | Deed::Intend(index, _)
        | Deed::Receive(index, _)
        | Deed::Inspected(index, _)
        | Deed::Verify(index, _)
        | Deed::Unproven(index)
        | Deed::Release(index)
        | Deed::Dismiss(index)
        | Deed::Revoke(index)) = deed
        else {
            return None;
        };
        let case = self.case_in(index, deed.wants())?.id;
        self.deal(deed, case)
    }

    fn deal(&mut self, deed: &Deed, case: CaseId) -> Option<Outcome> {
        let found = Case::clone(self.fleet.ledger.case(case)?);
        let lease = found.counted_lease().cloned();
        let fence = lease.as_ref()?.fence;
        let healer = self.name(&lease?.healer)?;
        let remedy = found.remedies.last().map_or(RemedyId(0), |note| note.id);
        let command = match deed {
            Deed::Accept(_) => Command::Accept { case, fence },
            Deed::Renew(_) => Command::Renew { case, fence },
            Deed::Intend(_, seen) => {
                let grounds = self.look(&found, as_concluded(&found, *seen))?;
                Command::Intend { case, fence, grounds }
            }
            Deed::Receive(_, kind) => {
                let own = found.remedies.last().map_or(fence, |note| note.fence);
                Command::Receive { case, receipt: receipt(remedy, own, *kind) }
            }
            Deed::Inspected(_, kind) => {
                Command::Inspected { case, fence, found: receipt(remedy, fence, *kind) }
            }
            Deed::Verify(_, seen) => {
                // Three of four times the remedy has worked.
                let worked = *seen != Seen::HostHung;
                if worked {
                    let subject = self.name(&found.host()?)?;
                    let place = NINE.iter().position(|name| *name == subject)?;
                    self.act(&Deed::Boot(place));
                }
                let seen = if worked { Seen::Well } else { *seen };
                let grounds = self.look(&found, seen)?;
                Command::Verify { case, fence, grounds }
            }
            Deed::Unproven(_) => Command::Unproven { case, fence, why: "no".into() },
            Deed::Release(_) => Command::Release { case, fence, why: "leaving".into() },
            Deed::Dismiss(_) => Command::Dismiss { case, order: order("by hand") },
            Deed::Revoke(_) => Command::Revoke { case, order: order("it is off") },
            _ => return None,
        };
        let brake = self.fleet.ledger.brake().standing();
        let outcome = self.fleet.send(healer, command);
        if let Outcome::Intended { remedy } = &outcome {
            assert_eq!(brake, None, "law P1: under a brake nothing begins");
            assert!(self.intended.insert(*remedy), "a remedy id is given once");
        }
        Some(outcome)
    }

    /// Judges what anybody can read.
    fn judge(&mut self) {
        let ledger = &self.fleet.ledger;
        let mut leased = BTreeSet::new();
        let mut used: BTreeMap<Scope, u32> = BTreeMap::new();
        for case in ledger.cases() {
            let Some(lease) = case.counted_lease() else {
                continue;
            };
            assert_ne!(case.kind, VerdictKind::Unsettled, "law W1: no lease follows");
            assert!(!case.is_unfit(), "law FC3: no lease follows");
            assert!(leased.insert(case.subject.clone()), "law L1");
            for scope in lease.scopes.all() {
                *used.entry(scope).or_default() += 1;
            }
            if matches!(case.stage, Stage::Remedy { .. } | Stage::Verifying { .. }) {
                let note = case.remedies.last().expect("law L3: an intent stands");
                assert!(note.is_pending(), "law L3");
            }
        }
        for (_, slot) in ledger.slots() {
            let subject = slot.host.map(Scope::Host);
            assert!(!subject.is_some_and(|host| leased.contains(&host)), "law FL3");
            for scope in &slot.scopes {
                *used.entry(scope.clone()).or_default() += 1;
            }
        }
        let lines = ledger.budgets();
        for line in &lines {
            let counted = used.get(&line.scope).copied().unwrap_or(0);
            assert_eq!(line.used, counted, "law B2: {:?}", line.scope);
        }
        let records: Vec<Record> = ledger.audit_since(self.told).cloned().collect();
        let duplicates = ledger.duplicates();
        for record in records.iter().filter(|record| record.index == ledger.index()) {
            if let What::Granted { healer, .. }
            | What::Accepted { healer, .. }
            | What::Intended { healer, .. } = &record.what
            {
                assert!(!duplicates.contains(healer), "law U2: neither of two machines heals");
            }
        }
        for record in &records {
            if let What::SlotGranted { fence, client, .. } = &record.what {
                assert!(*fence > self.fence, "law L2: fences only rise");
                self.fence = *fence;
                let slot = ledger.slots().find(|(of, _)| *of == client);
                let (_, slot) = slot.expect("each deed is an entry of its own");
                for scope in &slot.scopes {
                    let line = lines.iter().find(|line| line.scope == *scope);
                    assert!(line.is_some_and(|line| line.used <= line.limit), "law B1: {line:?}");
                }
            }
            if let What::Granted { fence, is_takeover, case, .. } = &record.what {
                assert!(*fence > self.fence, "law L2: fences only rise");
                self.fence = *fence;
                // The scopes are counted as they stand after the entry, so only the last grant of it is judged here.
                if !is_takeover && record.index == ledger.index() {
                    let case = ledger.case(*case).expect("just granted");
                    for scope in
                        case.counted_lease().map(|lease| lease.scopes.all()).into_iter().flatten()
                    {
                        let line =
                            lines.iter().find(|line| line.scope == scope).expect("its scope");
                        assert!(line.used <= line.limit, "law B1: {line:?}");
                    }
                }
            }
        }
        self.told = records.last().map_or(self.told, |record| record.number);
        assert!(ledger.next_fence() > self.fence, "law L2");
        self.judge_checks();
        self.judge_quarantine(&records);
    }

    fn judge_checks(&self) {
        let ledger = &self.fleet.ledger;
        for case in ledger.cases() {
            if let (VerdictKind::Unfit(check), Some(host)) = (&case.kind, case.host()) {
                let checks = ledger.checks_of(&host);
                assert!(checks.iter().any(|known| known.name == *check), "law FC1: {case:?}");
                assert!(case.is_live() && case.rule.is_none(), "law FC3: {case:?}");
            }
        }
    }

    fn judge_quarantine(&mut self, records: &[Record]) {
        for record in records {
            match &record.what {
                What::Quarantined { host, case } => {
                    self.quarantined.insert(*host, *case);
                }
                What::Freed { subject: Scope::Host(host), .. } | What::Retired { host, .. } => {
                    self.quarantined.remove(host);
                }
                What::Granted { case, .. } | What::Intended { case, .. } => {
                    let is_held = self.quarantined.values().any(|held| held == case);
                    assert!(!is_held, "law QU2: case {case} gets no lease and no remedy");
                }
                _ => {}
            }
        }
        for (host, case) in &self.quarantined {
            let standing = self.fleet.ledger.case_of_host(host).map(|case| (case.id, &case.stage));
            let is_kept = matches!(standing, Some((id, Stage::Quarantined { .. })) if id == *case);
            assert!(is_kept, "law QU1: only a person ends a quarantine, {standing:?}");
        }
    }

    /// A case in this stage if there is one, else any: deeds out of place are part of the play.
    fn case_in(&self, index: &Index, stage: &str) -> Option<Case> {
        let all: Vec<_> = self.fleet.ledger.cases().collect();
        let fitting: Vec<_> =
            all.iter().copied().filter(|case| case.stage.word() == stage).collect();
        let cases = if fitting.is_empty() { all } else { fitting };
        (!cases.is_empty()).then(|| Case::clone(cases[index.index(cases.len())]))
    }

    fn look(&mut self, case: &Case, seen: Seen) -> Option<vocabulary::Grounds> {
        let name = self.name(&case.host()?)?;
        self.fleet.ledger.roster().get(&id(name))?;
        Some(self.fleet.round(&[(name, seen)]))
    }

    fn living(&self, host: usize) -> Option<&'static str> {
        let name = NINE[host];
        self.fleet.ledger.roster().get(&id(name)).map(|_| name)
    }

    fn name(&self, host: &HostId) -> Option<&'static str> {
        NINE.iter().copied().find(|name| id(name) == *host)
    }
}

impl Deed {
    /// The stage that it is meant for.
    fn wants(&self) -> &'static str {
        match self {
            Self::Accept(_) => "offered",
            Self::Intend(..) | Self::Release(_) => "leased",
            Self::Receive(..) | Self::Inspected(..) => "remedy",
            Self::Verify(..) | Self::Unproven(_) => "verifying",
            Self::Dismiss(_) => "escalated",
            _ => "any",
        }
    }
}

/// For deeds whose case is known.
fn any_index() -> Index {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let tree = any::<Index>().new_tree(&mut TestRunner::deterministic());
    tree.expect("an index is always drawn").current()
}

/// Three of four last looks see what was concluded.
fn as_concluded(case: &Case, seen: Seen) -> Seen {
    match (seen, &case.kind) {
        (Seen::Well, _) => Seen::Well,
        (_, VerdictKind::HostDown) => Seen::HostDown,
        (_, VerdictKind::HostHung) => Seen::HostHung,
        _ => Seen::AgentDown,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_laws_hold_and_replicas_agree(
        deeds in prop::collection::vec(deed(), 1..120),
        rules in rules::FIRST..=rules::NEWEST,
    ) {
        let mut play = Play::under(rules);
        for deed in &deeds {
            play.step(deed);
        }
        let records: Vec<Record> = play.fleet.ledger.audit_since(0).cloned().collect();
        prop_assert_eq!(verify_chain(&records), Ok(()), "law A1");

        let mut replica = Ledger::new();
        let middle = play.fleet.log.len() / 2;
        for (place, (index, entry)) in play.fleet.log.iter().enumerate() {
            if place == middle {
                replica = Ledger::from_bytes(&replica.to_bytes()).expect("our own bytes");
            }
            replica.apply(*index, entry, &ModelVerifier);
        }
        prop_assert_eq!(replica.to_bytes(), play.fleet.ledger.to_bytes(), "law C3");
    }
}

/// A generator that never reaches the far rooms would prove nothing.
#[test]
fn the_generator_reaches_every_room() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let deeds = prop::collection::vec(deed(), 120..121);
    let mut missing: BTreeSet<&str> = BTreeSet::from([
        "Verdict",
        "Granted",
        "Accepted",
        "LeaseOver",
        "Intended",
        "IntentRefused",
        "Received",
        "Inspected",
        "Verified",
        "Unproven",
        "Escalated",
        "Closed",
        "Paused",
        "Resumed",
        "Left",
        "Retired",
        "PolicySet",
        "Quarantined",
        "Freed",
        "SlotGranted",
        "SlotOver",
        "Unfit",
    ]);
    for rules in [rules::FIRST, rules::NEWEST].repeat(30) {
        let drawn = deeds.new_tree(&mut runner).expect("drawn").current();
        let mut play = Play::under(rules);
        for deed in &drawn {
            play.step(deed);
        }
        for room in play.fleet.history(0) {
            missing.remove(room.as_str());
        }
        let ledger = &play.fleet.ledger;
        if ledger.cases().chain(ledger.closed_cases()).any(|case| case.is_unfit()) {
            missing.remove("Unfit");
        }
        if missing.is_empty() {
            return;
        }
    }
    panic!("never reached: {missing:?}");
}
