//! What a healer does with a lease, step by step, against the real ledger: laws H1 to H3.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;

use std::sync::Arc;

use agent::heal::{Came, Errand, Healing, What, Wish};
use fleet::{Fleet, Seen, boot, id};
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{CaseId, LedgerIndex, Moment, Receipt, ReceiptKind, Span};

const DOWN: [(&str, Seen); 1] = [("b2", Seen::AgentDown)];
const WELL: [(&str, Seen); 1] = [("b2", Seen::Well)];

/// Where the healer's own clock stands at first.
const BEGINS_MS: u64 = 1_000_000;

/// One healer, its clock, and the ledger it works with.
struct Story {
    fleet: Fleet,
    case: CaseId,
    healing: Healing,
    now: Moment,
    /// What it wishes for and has not been given.
    wishes: Vec<(Errand, Wish)>,
}

impl Story {
    /// A verdict on b2, and its lease offered to c2.
    fn offered() -> Self {
        let mut fleet = Fleet::healing();
        let case = fleet.opened("b2", Seen::AgentDown);
        fleet::fence(&fleet.offer(case, "c2"));
        Self {
            fleet,
            case,
            healing: Healing::new(id("c2")),
            now: Moment::from_milliseconds(BEGINS_MS),
            wishes: Vec::new(),
        }
    }

    /// The lease is taken, the waits are over, and the intent is committed; the remedy's order.
    fn applying() -> (Self, Errand, RemedyOrder) {
        let mut story = Self::offered();
        story.pass(0);
        story.commit();
        story.pass_until_it_wishes();
        story.look(&DOWN);
        story.read();
        story.commit();
        let (errand, wish) = story.one();
        let Wish::Apply(order) = wish else {
            panic!("no remedy: {wish:?}");
        };
        (story, errand, order)
    }

    fn ledger(&self) -> Arc<Ledger> {
        Arc::new(self.fleet.ledger.clone())
    }

    /// Time goes by on both clocks, and the healer looks at the ledger after each tick.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.fleet.wait(1);
            self.now = self.now.after(Span::seconds(1));
            self.advance();
            self.renew();
        }
        self.advance();
    }

    /// Time goes by until it wishes for something.
    fn pass_until_it_wishes(&mut self) {
        for _ in 0..30 {
            if !self.wishes.is_empty() {
                return;
            }
            self.pass(1);
        }
        panic!("it wishes for nothing");
    }

    fn advance(&mut self) {
        let wishes = self.healing.advance(self.now, &self.ledger());
        self.wishes.extend(wishes);
    }

    /// Renewals are answered as they come.
    fn renew(&mut self) {
        let is_renewal = |(errand, _): &(Errand, Wish)| errand.what == What::Renew;
        while let Some(at) = self.wishes.iter().position(is_renewal) {
            let (errand, wish) = self.wishes.remove(at);
            let Wish::Propose(command, _) = wish else {
                panic!("a renewal is proposed");
            };
            self.propose(errand, command);
        }
    }

    /// The one thing it wishes for.
    fn one(&mut self) -> (Errand, Wish) {
        assert_eq!(self.wishes.len(), 1, "{:?}", self.wishes);
        self.wishes.remove(0)
    }

    fn end(&mut self, errand: Errand, came: Came) {
        let follows = self.healing.ended(self.now, errand, came);
        self.wishes.extend(follows);
        self.advance();
    }

    fn propose(&mut self, errand: Errand, command: Command) -> Outcome {
        let outcome = self.fleet.send("c2", command);
        let index = self.fleet.ledger.index();
        self.end(errand, Came::Outcome(index, outcome.clone()));
        outcome
    }

    /// What it proposes is committed.
    fn commit(&mut self) -> Outcome {
        match self.one() {
            (errand, Wish::Propose(command, _)) => self.propose(errand, command),
            other => panic!("nothing is proposed: {other:?}"),
        }
    }

    /// The round it wishes for sees this.
    fn look(&mut self, seen: &[(&str, Seen)]) {
        let (errand, wish) = self.one();
        assert!(matches!(wish, Wish::Round(_)), "{wish:?}");
        let grounds = self.fleet.round(seen);
        self.now = self.now.after(Span::seconds(1));
        let against = (seen[0].1 != Seen::Well).then(|| "AgentDown".to_owned());
        self.end(errand, Came::Round(Box::new(grounds), against));
    }

    fn read(&mut self) {
        let (errand, wish) = self.one();
        assert!(matches!(wish, Wish::Read(_)), "{wish:?}");
        let index = self.fleet.ledger.index();
        self.end(errand, Came::Read(index));
    }

    fn apply(&mut self, errand: Errand, order: &RemedyOrder, kind: ReceiptKind) {
        let receipt =
            Receipt { remedy: order.remedy, fence: order.fence, kind, detail: "exit 0".into() };
        self.end(errand, Came::Applied(receipt));
    }

    fn stage(&self) -> &'static str {
        self.fleet.stage(self.case)
    }
}

#[test]
fn a_healer_goes_the_whole_way_from_an_offer_to_a_closed_case() {
    let (mut story, errand, order) = Story::applying();
    assert_eq!(order.subject, id("b2"));
    assert_eq!(order.command.argv, ["/bin/start"]);
    story.apply(errand, &order, ReceiptKind::Done);
    assert_eq!(story.commit(), Outcome::Done);
    assert_eq!(story.stage(), "verifying");
    story.fleet.boot("b2", 2);
    for _ in 0..5 {
        story.pass(1);
        if story.stage() == "closed" {
            break;
        }
        story.look(&WELL);
        assert_eq!(story.commit(), Outcome::Done);
    }
    assert_eq!(story.stage(), "closed");
    story.pass(30);
    assert_eq!(story.wishes, []);
    assert_eq!(story.healing.next_deadline(), None, "nothing wakes it");
}

#[test]
fn while_the_waits_run_it_neither_looks_nor_spins_and_renews_every_third_of_the_term() {
    let mut story = Story::offered();
    story.pass(0);
    story.commit();
    let wakes = story.healing.next_deadline().expect("it waits for a time");
    assert!(wakes > story.now, "no deadline lies in the past");
    story.pass(2);
    assert_eq!(story.wishes, []);

    // A brake holds the intent back for longer than the lease lives: it is kept alive meanwhile.
    let pause = Command::Pause(fleet::order("I look first"));
    story.fleet.send("a1", pause);
    story.pass(60);
    assert_eq!(story.stage(), "leased");
    assert_eq!(story.wishes, []);
}

#[test]
fn law_h1_an_intent_is_applied_once_however_often_the_healer_is_woken() {
    let (mut story, _, _) = Story::applying();
    story.pass(20);
    assert_eq!(story.wishes, [], "it runs: nothing else is begun");
    assert_eq!(story.stage(), "remedy");
}

#[test]
fn law_h1_another_life_of_the_healer_inspects_what_it_has_not_begun_itself() {
    let (mut story, _, order) = Story::applying();
    story.healing = Healing::new(id("c2"));
    story.advance();
    assert_eq!(story.wishes.len(), 1);
    assert_eq!(
        story.wishes[0].0.what,
        What::Renew,
        "nothing is left of the lease that it could count on"
    );
    story.renew();
    story.pass(1);
    let (errand, wish) = story.one();
    let Wish::Inspect(inspection) = wish else {
        panic!("it inspects: {wish:?}");
    };
    assert!(inspection.at_most > Span::seconds(20));
    let found = Receipt {
        remedy: order.remedy,
        fence: order.fence,
        kind: ReceiptKind::Refused,
        detail: "it was never begun".into(),
    };
    story.end(errand, Came::Inspected(found));
    assert_eq!(story.commit(), Outcome::Done);
    assert_eq!(story.stage(), "leased", "it may be applied again, anew");
}

#[test]
fn law_h1_a_remedy_whose_end_never_came_back_is_inspected_and_not_begun_again() {
    let (mut story, errand, _) = Story::applying();
    story.end(errand, Came::Nothing);
    story.pass(1);
    let (_, wish) = story.one();
    assert!(matches!(wish, Wish::Inspect(_)), "{wish:?}");
}

#[test]
fn law_h2_what_is_left_is_counted_from_before_the_lease_was_asked_for() {
    // Term 30 s, margin 8 s; the lease was asked for when the story began.
    let (story, _, order) = Story::applying();
    let gone = story.now.since(Moment::from_milliseconds(BEGINS_MS));
    assert!(gone >= Span::seconds(4), "the waits were waited for");
    assert_eq!(order.at_most, Span::seconds(22).less(gone));
}

#[test]
fn law_h2_a_lease_that_cannot_be_renewed_begins_nothing_past_its_margin() {
    let mut story = Story::offered();
    story.pass(0);
    story.commit();
    // The ledger is out of reach: this host's own clock goes on alone.
    story.now = story.now.after(Span::seconds(23));
    story.advance();
    assert_eq!(story.wishes.len(), 1);
    assert_eq!(story.wishes[0].0.what, What::Renew, "and nothing but that");
}

#[test]
fn law_h2_an_intent_that_comes_through_too_late_is_not_applied() {
    let mut story = Story::offered();
    story.pass(0);
    story.commit();
    story.pass_until_it_wishes();
    story.look(&DOWN);
    story.read();
    let (errand, wish) = story.one();
    let Wish::Propose(intend, _) = wish else {
        panic!("no intent: {wish:?}");
    };
    let outcome = story.fleet.send("c2", intend);
    assert!(matches!(outcome, Outcome::Intended { .. }));
    story.now = story.now.after(Span::seconds(23));
    story.end(errand, Came::Nothing);
    story.now = story.now.after(Span::seconds(1));
    story.advance();
    let begun = story.wishes.iter().any(|(_, wish)| matches!(wish, Wish::Apply(_)));
    assert!(!begun, "law H2: {:?}", story.wishes);
}

#[test]
fn law_p1_an_intent_that_a_brake_overtakes_is_refused_and_never_begun() {
    let mut story = Story::offered();
    story.pass(0);
    story.commit();
    story.pass_until_it_wishes();
    story.look(&DOWN);
    story.read();
    let (errand, wish) = story.one();
    let Wish::Propose(intend, _) = wish else {
        panic!("no intent: {wish:?}");
    };
    let outcome = story.fleet.send("c2", intend);
    assert!(matches!(outcome, Outcome::Intended { .. }));
    // Committed before the healer has heard of its intent, or called anything.
    story.fleet.send("a1", Command::Pause(fleet::order("not that one")));
    let index = story.fleet.ledger.index();
    story.end(errand, Came::Outcome(index, outcome));
    let (errand, wish) = story.one();
    let Wish::Propose(Command::Receive { case, receipt }, _) = wish else {
        panic!("protocol 6.5: {wish:?}");
    };
    assert_eq!(receipt.kind, ReceiptKind::Refused);
    assert_eq!(receipt.detail, "braked before it was begun");

    // Lifted before the ledger has heard of it: what was given up stays given up.
    story.fleet.send("a1", Command::Resume(fleet::order("go on")));
    story.pass(1);
    assert_eq!(story.wishes, []);
    assert_eq!(story.propose(errand, Command::Receive { case, receipt }), Outcome::Done);
    assert_eq!(story.stage(), "leased", "it may be applied again, anew");
}

#[test]
fn law_p1_a_brake_does_not_reach_what_has_begun() {
    let (mut story, errand, order) = Story::applying();
    story.fleet.send("a1", Command::Pause(fleet::order("I look first")));
    story.pass(2);
    assert_eq!(story.wishes, [], "it runs: nothing is said of it");
    story.apply(errand, &order, ReceiptKind::Done);
    assert_eq!(story.commit(), Outcome::Done);
    assert_eq!(story.stage(), "verifying");
}

#[test]
fn law_h3_a_receipt_is_told_until_the_ledger_has_it_even_when_the_lease_is_gone() {
    let (mut story, errand, order) = Story::applying();
    story.fleet.wait(40);
    story.now = story.now.after(Span::seconds(40));
    assert_eq!(story.stage(), "orphaned");
    story.wishes.clear();
    story.apply(errand, &order, ReceiptKind::Done);
    for _ in 0..3 {
        let (errand, wish) = story.one();
        assert!(matches!(wish, Wish::Propose(Command::Receive { .. }, _)));
        story.end(errand, Came::Nothing);
        assert_eq!(story.wishes, [], "not at once");
        let due = story.healing.next_deadline().expect("it is told again");
        assert!(due > story.now);
        story.now = due;
        story.advance();
    }
    assert_eq!(story.commit(), Outcome::Done);
    story.pass(5);
    assert_eq!(story.wishes, []);
}

#[test]
fn a_step_waits_for_the_state_that_the_step_before_it_made() {
    let mut story = Story::offered();
    story.pass(0);
    let (errand, wish) = story.one();
    let Wish::Propose(accept, _) = wish else {
        panic!("it takes the lease: {wish:?}");
    };
    let before = story.ledger();
    let outcome = story.fleet.send("c2", accept);
    let index = story.fleet.ledger.index();
    assert_eq!(story.healing.ended(story.now, errand, Came::Outcome(index, outcome)), None);
    story.now = story.now.after(Span::seconds(1));
    assert_eq!(story.healing.advance(story.now, &before), []);
    assert_eq!(story.healing.next_deadline(), None, "the ledger wakes it");
    story.pass_until_it_wishes();
    let (errand, _) = story.one();
    assert_eq!(errand.what, What::LastLook);
}

#[test]
fn a_refused_lease_is_not_asked_for_again_at_once() {
    let mut story = Story::offered();
    story.pass(0);
    let (errand, _) = story.one();
    let refused = Outcome::Refused(ledger::command::Refused::LeaseOver);
    let index = story.fleet.ledger.index();
    story.end(errand, Came::Outcome(index, refused));
    assert_eq!(story.wishes, []);
    story.now = story.now.after(Span::milliseconds(600));
    story.advance();
    assert_eq!(story.one().0.what, What::Accept);
}

#[test]
fn an_unknown_end_is_inspected_told_once_and_inspected_again_without_filling_the_audit() {
    let (mut story, errand, order) = Story::applying();
    story.apply(errand, &order, ReceiptKind::Unknown);
    story.commit();
    let unknown = Receipt {
        remedy: order.remedy,
        fence: order.fence,
        kind: ReceiptKind::Unknown,
        detail: "the other side is silent".into(),
    };
    let before = story.fleet.ledger.audit().head().number;
    let mut inspections = 0;
    for _ in 0..30 {
        story.pass(1);
        if let Some((errand, Wish::Inspect(_))) = story.wishes.first().cloned() {
            story.wishes.clear();
            inspections += 1;
            story.end(errand, Came::Inspected(unknown.clone()));
        }
    }
    assert!((4..=8).contains(&inspections), "{inspections}");
    assert_eq!(story.wishes, []);
    assert_eq!(story.fleet.ledger.audit().head().number, before);
}

#[test]
fn an_adverse_round_in_the_soak_ends_it() {
    let (mut story, errand, order) = Story::applying();
    story.apply(errand, &order, ReceiptKind::Done);
    story.commit();
    story.fleet.boot("b2", 2);
    story.pass(1);
    story.look(&WELL);
    story.commit();
    story.pass(1);
    story.look(&DOWN);
    assert_eq!(story.commit(), Outcome::Done);
    assert_eq!(story.fleet.case(story.case).rung, 1, "the next rung");
}

#[test]
fn a_boot_of_another_host_proves_nothing() {
    let (mut story, errand, order) = Story::applying();
    story.apply(errand, &order, ReceiptKind::Done);
    story.commit();
    story.fleet.boot("a2", 2);
    assert_eq!(
        story.fleet.ledger.roster().get(&id("b2")).and_then(|entry| entry.boot),
        Some(boot(1))
    );
    story.pass(1);
    story.look(&WELL);
    assert!(matches!(story.commit(), Outcome::Refused(_)));
    assert_eq!(story.stage(), "verifying");
    assert!(story.fleet.ledger.index() > LedgerIndex(0));
}

#[test]
fn a_healer_that_leaves_gives_its_leases_back() {
    let mut story = Story::offered();
    story.pass(0);
    story.commit();
    let wishes = story.healing.leave();
    story.wishes.extend(wishes);
    story.commit();
    assert_eq!(story.stage(), "open", "nothing was begun: another may at once");

    let (mut story, _, _) = Story::applying();
    let wishes = story.healing.leave();
    story.wishes.extend(wishes);
    story.commit();
    assert_eq!(story.stage(), "orphaned", "its end has to be found out");
}

#[test]
fn law_h3_what_a_remedy_comes_to_is_told_even_by_a_healer_that_has_left() {
    let (mut story, errand, order) = Story::applying();
    assert_eq!(story.healing.leave().len(), 1, "its lease goes back");
    let (remedy, fence) = (order.remedy, order.fence);
    let receipt = Receipt { remedy, fence, kind: ReceiptKind::Done, detail: "exit 0".into() };
    story.healing.ended_at_last(story.now, errand, &Came::Applied(receipt));
    assert_eq!(story.healing.next_receipt(), Some(story.now));
    let told = story.healing.receipts(story.now);
    let [(errand, Wish::Propose(command, _))] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(errand.what, What::Receive(remedy));
    assert_eq!(story.healing.next_receipt(), None, "it is under way");
    // Nobody has answered: it is told again.
    story.healing.ended_at_last(story.now, *errand, &Came::Nothing);
    let again = story.healing.next_receipt().expect("law H3");
    assert_eq!(story.healing.receipts(again).len(), 1);
    let outcome = story.fleet.send("c2", command.clone());
    let came = Came::Outcome(story.fleet.ledger.index(), outcome);
    story.healing.ended_at_last(again, *errand, &came);
    assert_eq!(story.healing.next_receipt(), None);
}
