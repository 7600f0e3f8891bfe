//! Laws C5 and C6: the keepers' audits are one history, and it holds what was acknowledged.

use std::collections::BTreeMap;

use super::{Answered, Breach, Law, Order, Picture, Record};

/// The longest audit, and what is wrong between it and the others.
pub(super) fn compare(picture: &Picture) -> (&[Record], Vec<Breach>) {
    let longest = picture.audits.values().max_by_key(|records| records.len());
    let longest: &[Record] = longest.map_or(&[], Vec::as_slice);
    let mut breaches = Vec::new();
    if longest.is_empty() {
        breaches.push(Breach::of(Law::Readable, "no keeper has told an audit"));
    }
    for (keeper, records) in &picture.audits {
        breaches.extend(chained(keeper, records));
        breaches.extend(parted(keeper, (records, longest)));
        let (held, before) = (records.len() as u64, picture.records_awaited);
        if held < before {
            let evidence = format!(
                "{keeper} holds {held} records, and {before} stood somewhere when calm had come"
            );
            breaches.push(Breach::of(Law::OneHistory, evidence));
        }
    }
    (longest, breaches)
}

fn chained(keeper: &str, records: &[Record]) -> Option<Breach> {
    let first = records.first()?;
    if first.number != 1 {
        let evidence = format!("the audit of {keeper} begins with record {}", first.number);
        return Some(Breach::of(Law::Readable, evidence));
    }
    let is_torn = |pair: &&[Record]| {
        let (before, after) = (&pair[0], &pair[1]);
        after.number != before.number + 1 || after.previous != before.digest
    };
    let torn = records.windows(2).find(is_torn)?;
    let evidence = format!(
        "in the audit of {keeper} record {} does not follow {}",
        torn[1].number, torn[0].number
    );
    Some(Breach::of(Law::OneHistory, evidence))
}

fn parted(keeper: &str, (records, longest): (&[Record], &[Record])) -> Option<Breach> {
    let pairs = records.iter().zip(longest);
    let (one, other) = pairs.into_iter().find(|(one, other)| one.digest != other.digest)?;
    let evidence = format!(
        "record {} is {:?} at {keeper} and {:?} elsewhere",
        one.number, one.sentence, other.sentence
    );
    Some(Breach::of(Law::OneHistory, evidence))
}

/// Law C5.
pub(super) fn acknowledged(picture: &Picture, longest: &[Record], breaches: &mut Vec<Breach>) {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in longest {
        said.entry(&record.kind).or_default().push(&record.sentence);
    }
    let stands = |order: &Order| {
        let said = said.get(&*order.kind).map(Vec::as_slice).unwrap_or_default();
        said.iter().any(|sentence| ends_with_reason(sentence, &order.why))
    };
    // A pause while another one stands is done and leaves no record: one of which nobody knew what came of it may have been that.
    let may_have_stood = |order: &Order| {
        let mut orders = picture.orders.iter();
        order.kind == "Paused"
            && orders.any(|other| {
                other.kind == "Paused" && other.answer == Answered::Unknown && stands(other)
            })
    };
    let orders = picture.orders.iter().filter(|order| order.answer == Answered::Acknowledged);
    let lost = orders.filter(|order| !stands(order) && !may_have_stood(order));
    breaches.extend(lost.map(|order| {
        let Order { kind, why, .. } = order;
        Breach::of(Law::Acknowledged, format!("no record {kind} gives the reason {why:?}"))
    }));
}

/// Reasons are the last words of their sentences: order 1 is not taken for order 11.
fn ends_with_reason(sentence: &str, why: &str) -> bool {
    sentence.strip_suffix(why).is_some_and(|before| before.ends_with(": "))
}
