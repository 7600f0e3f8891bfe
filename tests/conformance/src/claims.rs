//! The claims of the contract, one by one.
//!
//! Not here: which actuator they are asked of (see `suite!`).

use actuators::Finding;
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Receipt, ReceiptKind, Span};

use crate::clock::{PATIENCE, now};
use crate::target::{Conduct, Deed, Past, Target, order};

/// `Done` is said of what was carried out, and it was carried out once.
pub async fn what_is_carried_out_is_done_once(target: &impl Target) {
    let order = prepared(target, Conduct::Obeys, Past::Unclear);
    assert_eq!(apply(target, &order).await.kind, ReceiptKind::Done);
    assert_eq!(target.deeds(), [Deed::of(&order)]);
    assert!(!target.is_being_worked_on(), "law T1: nothing of it runs after its receipt");
}

/// `Refused` is said only of what has not begun.
pub async fn what_is_declined_is_refused_and_leaves_no_trace(target: &impl Target) {
    let order = prepared(target, Conduct::Declines, Past::Unclear);
    assert_eq!(apply(target, &order).await.kind, ReceiptKind::Refused);
    assert_eq!(target.deeds(), []);
}

/// Law T2: an end that nobody can read is never rounded to one of the others.
pub async fn an_end_that_says_nothing_is_unknown(target: &impl Target) {
    let order = prepared(target, Conduct::Fails, Past::Unclear);
    assert_eq!(apply(target, &order).await.kind, ReceiptKind::Unknown);
    assert_eq!(target.deeds(), [Deed::of(&order)]);
}

/// protocol 7.5: a remedy does not outlive its order, and what became of it is then unknown.
pub async fn a_remedy_is_ended_when_its_time_is_over(target: &impl Target) {
    // On a busy machine a short time may be over before anything began: it gets more.
    for seconds in [1, 2, 4, 8, 16] {
        let mut order = prepared(target, Conduct::Stalls, Past::Unclear);
        order.at_most = Span::seconds(seconds);
        let receipt = apply(target, &order).await;
        assert!(!target.is_being_worked_on(), "law T1: nothing of it runs after its time");
        if !target.deeds().is_empty() {
            assert_eq!(receipt.kind, ReceiptKind::Unknown, "{receipt:?}");
            return;
        }
    }
    panic!("it never began");
}

/// protocol 7.1: an order that comes late finds less time left, and none at all in the end.
pub async fn nothing_begins_after_its_time(target: &impl Target) {
    let order = prepared(target, Conduct::Obeys, Past::Unclear);
    let long_ago = now().before(order.at_most);
    let late = in_time(target.actuator().apply(&order, long_ago)).await;
    let empty = RemedyOrder { at_most: Span::ZERO, ..order };
    for receipt in [late, apply(target, &empty).await] {
        assert_eq!(receipt.kind, ReceiptKind::Refused, "{receipt:?}");
    }
    assert_eq!(target.deeds(), []);
}

/// An inspection gives the three answers that the thing gives.
pub async fn inspection_tells_done_from_not_done_from_unclear(target: &impl Target) {
    let answers = [
        (Past::Done, ReceiptKind::Done),
        (Past::NotDone, ReceiptKind::Refused),
        (Past::Unclear, ReceiptKind::Unknown),
    ];
    for (past, kind) in answers {
        let order = prepared(target, Conduct::Obeys, past);
        assert_eq!(inspect(target, &order).await.kind, kind, "{past:?}");
    }
}

/// An inspection that finds no answer in its time is `Unknown`, and so is one for which no time is left.
pub async fn an_inspection_ends_within_its_time(target: &impl Target) {
    let mut order = prepared(target, Conduct::Obeys, Past::Stalls);
    order.at_most = Span::seconds(1);
    assert_eq!(inspect(target, &order).await.kind, ReceiptKind::Unknown);
    assert!(!target.is_being_worked_on(), "law T1: nothing of it runs after its time");
    let order = prepared(target, Conduct::Obeys, Past::Done);
    let long_ago = now().before(order.at_most);
    let late = in_time(target.actuator().inspect(&order, long_ago)).await;
    assert_eq!(late.kind, ReceiptKind::Unknown);
}

/// Neither an inspection nor the look for another fence does what it asks about; who acted alone is not told otherwise.
pub async fn no_look_changes_anything(target: &impl Target) {
    let order = prepared(target, Conduct::Obeys, Past::NotDone);
    inspect(target, &order).await;
    assert_eq!(target.deeds(), []);
    apply(target, &order).await;
    inspect(target, &order).await;
    let found = in_time(target.actuator().confirm(&order)).await;
    assert_ne!(found, Finding::Contested);
    assert_eq!(target.deeds(), [Deed::of(&order)]);
}

/// Whatever the thing says, a person reads one line, and the ledger takes it.
pub async fn a_receipt_is_one_short_line_under_its_own_fence(target: &impl Target) {
    let order = prepared(target, Conduct::Rambles, Past::Unclear);
    let receipt = apply(target, &order).await;
    assert_eq!((receipt.remedy, receipt.fence), (order.remedy, order.fence));
    assert_eq!(receipt.kind, ReceiptKind::Done);
    assert!(receipt.detail.len() <= Receipt::DETAIL_BYTES_MAX, "{}", receipt.detail.len());
    assert!(!receipt.detail.chars().any(char::is_control), "{:?}", receipt.detail);
}

/// One driver serves many cases: what is told of one remedy is not told of another.
pub async fn two_orders_at_once_are_told_apart(target: &impl Target) {
    let (mut first, mut second) = (order(1), order(2));
    target.prepare(&mut first, Conduct::Obeys, Past::Unclear);
    target.prepare(&mut second, Conduct::Fails, Past::Unclear);
    let (done, unknown) = tokio::join!(apply(target, &first), apply(target, &second));
    assert_eq!((done.remedy, done.kind), (first.remedy, ReceiptKind::Done));
    assert_eq!((unknown.remedy, unknown.kind), (second.remedy, ReceiptKind::Unknown));
    let mut deeds = target.deeds();
    deeds.sort_by_key(|deed| deed.remedy);
    assert_eq!(deeds, [Deed::of(&first), Deed::of(&second)]);
}

fn prepared(target: &impl Target, conduct: Conduct, past: Past) -> RemedyOrder {
    let mut order = order(1);
    target.prepare(&mut order, conduct, past);
    order
}

async fn apply(target: &impl Target, order: &RemedyOrder) -> Receipt {
    in_time(target.actuator().apply(order, now())).await
}

async fn inspect(target: &impl Target, order: &RemedyOrder) -> Receipt {
    in_time(target.actuator().inspect(order, now())).await
}

/// Every call ends, whatever the thing does.
async fn in_time<T>(promise: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, promise).await.expect("every call of an actuator ends in time")
}
