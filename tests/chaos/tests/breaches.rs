//! Does the judge see each kind of breach, and none where there is none?
//!
//! Each test forges one thing in a picture that is sound, and names the law that must be found broken, alone.

use std::collections::{BTreeMap, BTreeSet};

use chaos::journal::{Entry, Seen};
use chaos::judge::{
    Answered, Clock, Host, Law, Limits, Order, Picture, Record, judge, read_export,
};

/// The run begins here, on both clocks.
const CLOCK: Clock = Clock { mono_ms: 50_000, wall_ms: 1_796_059_179_042 };

const LIMITS: Limits = Limits { fleet: 2, zone: 2, rack: 1, group: 2 };

/// Four hosts: h1 and h2 share a rack, h3 and h4 another zone.
fn hosts() -> BTreeMap<String, Host> {
    let places = [("h1", "a", "r0"), ("h2", "a", "r0"), ("h3", "b", "r0"), ("h4", "b", "r1")];
    let host = |(name, zone, rack): (&str, &str, &str)| {
        let (zone, rack) = (format!("lab/{zone}"), format!("lab/{zone}/{rack}"));
        (name.to_owned(), Host { zone, rack, group: "web".into(), is_well: true })
    };
    places.map(host).into_iter().collect()
}

/// An audit as it grows, at milliseconds of the run.
#[derive(Default)]
struct Audit(Vec<Record>);

impl Audit {
    fn says(&mut self, at: u64, (kind, case): (&str, u64), sentence: &str) -> &mut Self {
        let number = self.0.len() as u64 + 1;
        self.0.push(Record {
            number,
            wall_ms: CLOCK.wall_ms + at,
            kind: kind.into(),
            case: (case > 0).then_some(case),
            sentence: sentence.into(),
            previous: format!("digest {}", number - 1),
            digest: format!("digest {number}"),
        });
        self
    }

    fn begins(
        &mut self,
        at: u64,
        (case, host): (u64, &str),
        (fence, remedy): (u64, u64),
    ) -> &mut Self {
        self.says(
            at,
            ("Verdict", case),
            &format!("verdict AgentDown on {host} at entry 9, 4 voices against it, 0 well, 0 seats vacant"),
        );
        self.leased(at + 10, case, fence).intends(at + 20, case, (fence, remedy))
    }

    fn leased(&mut self, at: u64, case: u64, fence: u64) -> &mut Self {
        self.says(at, ("Granted", case), &format!("lease under fence {fence} offered to h4"));
        self.says(at, ("Accepted", case), &format!("h4 takes the lease under fence {fence}"))
    }

    fn intends(&mut self, at: u64, case: u64, (fence, remedy): (u64, u64)) -> &mut Self {
        let said = format!("h4 intends remedy {remedy} under fence {fence}: rung 1, /bin/remedy");
        self.says(at, ("Intended", case), &said)
    }

    fn heals(&mut self, at: u64, case: u64, (fence, remedy): (u64, u64)) -> &mut Self {
        let said = format!("remedy {remedy} under fence {fence} is done: exit 0");
        self.says(at, ("Received", case), &said);
        let said = format!("remedy {remedy} is proven by boot 2 and the voices say well; it soaks");
        self.says(at + 10, ("Verified", case), &said);
        self.says(at + 20, ("Closed", case), "closed: healed, and proven")
    }
}

fn entry(at: u64, seen: Seen, (case, host): (u64, &str), (fence, remedy): (u64, u64)) -> Entry {
    Entry { seen, host: host.into(), case, remedy, fence, mono_ms: CLOCK.mono_ms + at }
}

fn order(kind: &str, why: &str, answer: Answered) -> Order {
    Order { kind: kind.into(), why: why.into(), answer }
}

/// h1 is healed; h3 beside it is begun upon and broken off, taken over, found not done, done again and healed; then h2, which stands beside h1.
fn sound() -> Picture {
    let mut audit = Audit::default();
    audit.says(0, ("Founded", 0), "the ledger of cluster lab is founded; its voters are h1 h2 h3");
    audit.says(500, ("HostAdded", 0), "host guest-1 may enrol, added by root: chaos order 1");
    audit.begins(1_000, (1, "h1"), (1, 1)).begins(1_100, (2, "h3"), (2, 2));
    audit.heals(2_000, 1, (1, 1));
    audit.says(
        3_000,
        ("LeaseOver", 2),
        "the lease under fence 2 ran out; it goes on counting, nobody knows the end of its remedy",
    );
    audit.says(
        3_100,
        ("Granted", 2),
        "lease under fence 3 offered to h4, to take an orphaned one over",
    );
    audit.says(3_200, ("Inspected", 2), "inspection: remedy 2 was not begun: exit 1");
    audit.intends(3_300, 2, (3, 3)).heals(4_000, 2, (3, 3));
    audit.begins(5_000, (3, "h2"), (4, 4)).heals(6_000, 3, (4, 4));
    let journals = [
        (
            "h1",
            vec![
                entry(1_100, Seen::Begin, (1, "h1"), (1, 1)),
                entry(1_900, Seen::End, (1, "h1"), (1, 1)),
            ],
        ),
        (
            "h2",
            vec![
                entry(5_100, Seen::Begin, (3, "h2"), (4, 4)),
                entry(5_900, Seen::End, (3, "h2"), (4, 4)),
            ],
        ),
        (
            "h3",
            vec![
                entry(1_300, Seen::Begin, (2, "h3"), (2, 2)),
                entry(1_400, Seen::Broken, (2, "h3"), (2, 2)),
                entry(3_400, Seen::Begin, (2, "h3"), (3, 3)),
                entry(3_900, Seen::End, (2, "h3"), (3, 3)),
            ],
        ),
    ];
    let short = audit.0[..audit.0.len() - 2].to_vec();
    Picture {
        limits: LIMITS,
        hosts: hosts(),
        journals: journals.map(|(host, entries)| (host.to_owned(), entries)).into_iter().collect(),
        audits: [("h1".to_owned(), audit.0), ("h2".to_owned(), short)].into_iter().collect(),
        records_awaited: 5,
        unrest: None,
        orders: vec![
            order("HostAdded", "chaos order 1", Answered::Acknowledged),
            order("Paused", "chaos order 2", Answered::Unknown),
            order("Resumed", "chaos order 3", Answered::Refused),
        ],
        clock: CLOCK,
        misdeeds: Vec::new(),
        unread: Vec::new(),
    }
}

fn broken(picture: &Picture) -> BTreeSet<Law> {
    judge(picture).breaches.iter().map(|breach| breach.law).collect()
}

/// Forged so, exactly this is found broken, and the evidence says this.
#[track_caller]
fn caught(law: Law, evidence: &str, forge: impl FnOnce(&mut Picture)) {
    let mut picture = sound();
    forge(&mut picture);
    assert_eq!(broken(&picture), BTreeSet::from([law]), "{:#?}", judge(&picture).breaches);
    let breaches = judge(&picture).breaches;
    assert!(breaches.iter().any(|breach| breach.evidence.contains(evidence)), "{breaches:#?}");
}

fn longest(picture: &mut Picture) -> &mut Vec<Record> {
    picture.audits.get_mut("h1").expect("forged above")
}

fn journal<'a>(picture: &'a mut Picture, host: &str) -> &'a mut Vec<Entry> {
    picture.journals.get_mut(host).expect("forged above")
}

/// Other records in the place of all, at every keeper.
fn audit_is(picture: &mut Picture, audit: Audit) {
    picture.audits = [("h1".to_owned(), audit.0)].into_iter().collect();
}

#[test]
fn a_sound_picture_has_no_breach_and_is_counted_right() {
    let judgement = judge(&sound());
    assert_eq!(judgement.breaches, []);
    let figures = judgement.figures;
    assert_eq!((figures.grants, figures.intended, figures.effects), ((4, 1), 4, (4, 3, 1)));
    assert_eq!((figures.cases, figures.in_flight_most), ((3, 0, 0), (2, 2)));
}

#[test]
fn a_shift_of_the_leaders_clock_moves_nothing() {
    let mut picture = sound();
    for records in picture.audits.values_mut() {
        for record in records.iter_mut().filter(|record| record.number % 2 == 0) {
            record.wall_ms += 3 * Clock::SHIFT_MS;
        }
    }
    assert_eq!(judge(&picture).breaches, []);
    assert_eq!(judge(&picture).figures, judge(&sound()).figures);
}

#[test]
fn a_grant_beyond_the_budget_of_fleet_zone_rack_or_group_is_caught() {
    for (limits, scope) in [
        (Limits { fleet: 1, ..LIMITS }, "in the fleet"),
        (Limits { group: 1, ..LIMITS }, "in group web"),
    ] {
        caught(Law::Budget, scope, |picture| picture.limits = limits);
    }
    for (host, limits, scope) in [
        ("h2", LIMITS, "in rack lab/a/r0"),
        ("h2", Limits { zone: 1, rack: 2, ..LIMITS }, "in zone lab/a"),
    ] {
        caught(Law::Budget, scope, |picture| {
            picture.limits = limits;
            let mut audit = Audit::default();
            audit.says(0, ("HostAdded", 0), "host guest-1 may enrol, added by root: chaos order 1");
            audit.begins(1_000, (1, "h1"), (1, 1)).begins(1_100, (2, host), (2, 2));
            audit.heals(2_000, 1, (1, 1)).heals(3_000, 2, (2, 2));
            audit_is(picture, audit);
            picture.journals.clear();
        });
    }
}

#[test]
fn effects_beyond_a_budget_are_caught_though_the_audit_counts_right() {
    // The end of h1's remedy is told to the ledger before it is over.
    caught(Law::Budget, "in rack lab/a/r0", |picture| {
        journal(picture, "h1")[1].mono_ms = CLOCK.mono_ms + 5_500;
    });
}

#[test]
fn an_effect_without_an_end_is_in_flight_until_the_audit_settles_it() {
    let forge = |picture: &mut Picture| {
        journal(picture, "h3").truncate(2);
        picture.limits.fleet = 1;
    };
    let mut picture = sound();
    forge(&mut picture);
    let evidence: Vec<String> =
        judge(&picture).breaches.into_iter().map(|breach| breach.evidence).collect();
    // Beside h1 by the journals: h3 is begun upon while h1 is; h2 comes when both are settled.
    let by_journals = evidence.iter().filter(|told| told.starts_with("remedy")).count();
    assert_eq!(by_journals, 1, "{evidence:#?}");
    // Without the inspection, the proof and the closure h3 is in flight for ever.
    picture = sound();
    forge(&mut picture);
    for records in picture.audits.values_mut() {
        records
            .iter_mut()
            .filter(|record| record.case == Some(2) && record.number > 14)
            .for_each(|record| (record.kind, record.case) = ("Booted".into(), None));
    }
    let breaches = judge(&picture).breaches;
    let told = |breach: &&chaos::judge::Breach| {
        breach.evidence.starts_with("remedy 4") && breach.law == Law::Budget
    };
    assert!(breaches.iter().any(|breach| told(&breach)), "{breaches:#?}");
}

#[test]
fn two_at_work_on_one_host_are_caught() {
    caught(Law::OneHealer, "while remedy 2", |picture| {
        // It is begun again before anybody knows what became of it.
        journal(picture, "h3")[2].mono_ms = CLOCK.mono_ms + 3_350;
        let inspected = longest(picture).iter_mut().find(|record| record.kind == "Inspected");
        inspected.expect("forged above").wall_ms = CLOCK.wall_ms + 3_390;
    });
}

#[test]
fn a_remedy_that_is_begun_twice_is_caught() {
    caught(Law::OneHealer, "remedy 1 begins on h1 and again", |picture| {
        let again = entry(1_950, Seen::Begin, (1, "h1"), (1, 1));
        journal(picture, "h1").push(again);
    });
}

#[test]
fn two_leases_on_one_host_are_caught() {
    caught(Law::OneHealer, "two leases", |picture| {
        let mut audit = Audit::default();
        audit.says(0, ("HostAdded", 0), "host guest-1 may enrol, added by root: chaos order 1");
        audit.begins(1_000, (1, "h1"), (1, 1)).begins(1_100, (2, "h1"), (2, 2));
        audit.heals(2_000, 1, (1, 1)).heals(3_000, 2, (2, 2));
        audit_is(picture, audit);
        picture.limits.rack = 2;
        picture.journals.clear();
    });
}

#[test]
fn an_intent_by_a_host_that_holds_no_lease_is_caught() {
    caught(Law::OneHealer, "h2 intends remedy 4", |picture| {
        for records in picture.audits.values_mut() {
            let intent = records.iter_mut().find(|record| record.sentence.contains("remedy 4 "));
            let intent = intent.expect("forged above");
            intent.sentence = intent.sentence.replace("h4 intends", "h2 intends");
        }
    });
}

#[test]
fn an_intent_under_a_lease_that_is_over_is_caught() {
    caught(Law::OneHealer, "no lease of its own that counts", |picture| {
        for records in picture.audits.values_mut() {
            let taken = records.iter_mut().rfind(|record| record.kind == "Accepted");
            let taken = taken.expect("forged above");
            taken.kind = "LeaseOver".into();
            taken.sentence = "the lease under fence 4 was given back: no".into();
        }
    });
}

#[test]
fn a_fence_that_does_not_rise_is_caught_in_the_audit() {
    caught(Law::Fences, "grants fence 3 after 4", |picture| {
        let swap = |text: &str, from: u64, to: u64| {
            text.replace(&format!("fence {from}"), &format!("fence {to}"))
        };
        for records in picture.audits.values_mut() {
            for record in records.iter_mut() {
                let said = swap(&record.sentence, 3, 9);
                record.sentence = swap(&swap(&said, 4, 3), 9, 4);
            }
        }
        journal(picture, "h3")[2..].iter_mut().for_each(|entry| entry.fence = 4);
        journal(picture, "h2").iter_mut().for_each(|entry| entry.fence = 3);
    });
}

#[test]
fn a_fence_that_falls_is_caught_in_a_hosts_journal() {
    let mut picture = sound();
    // The healer of the past wakes, and begins what another one has done.
    let late = entry(4_500, Seen::Begin, (2, "h3"), (2, 2));
    journal(&mut picture, "h3").push(late);
    assert!(broken(&picture).contains(&Law::Fences));
    caught(Law::Fences, "on h3", |picture| journal(picture, "h3").swap(0, 2));
}

#[test]
fn an_effect_without_an_intent_is_caught() {
    caught(Law::IntentFirst, "no audit holds its intent", |picture| {
        let begin = entry(8_000, Seen::Begin, (3, "h2"), (4, 7));
        journal(picture, "h2").push(begin);
    });
}

#[test]
fn an_effect_on_another_host_or_under_another_fence_than_intended_is_caught() {
    caught(Law::IntentFirst, "its intent is of case 3 on h2 under fence 4", |picture| {
        journal(picture, "h2").iter_mut().for_each(|entry| entry.fence = 5);
    });
    caught(Law::IntentFirst, "its intent is of case 3 on h2 under fence 4", |picture| {
        let mut entries = picture.journals.remove("h2").expect("forged above");
        entries.iter_mut().for_each(|entry| entry.host = "h4".into());
        picture.journals.insert("h4".into(), entries);
    });
}

#[test]
fn an_effect_before_its_intent_is_caught() {
    caught(Law::IntentFirst, "ms later", |picture| {
        journal(picture, "h2")[0].mono_ms = CLOCK.mono_ms + 4_500;
    });
}

#[test]
fn an_effect_that_begins_when_its_end_is_known_is_caught() {
    caught(Law::IntentFirst, "it was settled", |picture| {
        let entries = journal(picture, "h2");
        (entries[0].mono_ms, entries[1].mono_ms) = (CLOCK.mono_ms + 7_000, CLOCK.mono_ms + 7_100);
    });
}

#[test]
fn an_acknowledged_order_that_is_not_in_the_audit_is_caught() {
    for kind in ["HostAdded", "PolicySet", "Paused", "Resumed"] {
        caught(Law::Acknowledged, "chaos order 11", |picture| {
            picture.orders.push(order(kind, "chaos order 11", Answered::Acknowledged));
        });
    }
    // Order 1 is there; its reason is the end of another one's, and that does not count for it.
    caught(Law::Acknowledged, "order 1", |picture| {
        picture.orders.push(order("HostAdded", "order 1", Answered::Acknowledged));
    });
}

#[test]
fn a_pause_that_another_one_left_nothing_to_do_for_is_not_lost() {
    let mut picture = sound();
    let mut audit = Audit(longest(&mut picture).clone());
    audit.says(9_000, ("Paused", 0), "all healing is stopped by root: chaos order 2");
    picture.audits.insert("h1".into(), audit.0);
    picture.orders.push(order("Paused", "chaos order 12", Answered::Acknowledged));
    assert_eq!(judge(&picture).breaches, []);
    // Not where what became of the other one is known.
    picture.orders[1].answer = Answered::Acknowledged;
    assert_eq!(broken(&picture), BTreeSet::from([Law::Acknowledged]));
}

#[test]
fn two_histories_a_torn_chain_and_a_keeper_left_behind_are_caught() {
    caught(Law::OneHistory, "at h2", |picture| {
        let records = picture.audits.get_mut("h2").expect("forged above");
        records[4].digest = "another".into();
        records[5].previous = "another".into();
    });
    caught(Law::OneHistory, "does not follow", |picture| {
        longest(picture)[3].previous = "another".into();
    });
    caught(Law::OneHistory, "stood somewhere when calm had come", |picture| {
        picture.audits.get_mut("h2").expect("forged above").truncate(3);
    });
}

#[test]
fn a_host_that_is_left_broken_is_caught_unless_a_person_was_called() {
    caught(Law::Healed, "h4 does not run", |picture| {
        picture.hosts.get_mut("h4").expect("forged above").is_well = false;
    });
    let mut picture = sound();
    picture.hosts.get_mut("h4").expect("forged above").is_well = false;
    let mut audit = Audit(longest(&mut picture).clone());
    audit.says(
        9_000,
        ("Verdict", 9),
        "verdict HostDown on h4 at entry 99, 4 voices against it, 0 well, 0 seats vacant",
    );
    audit.says(9_100, ("Escalated", 9), "a person is called: its attempts are spent");
    picture.audits.insert("h1".into(), audit.0);
    assert_eq!(judge(&picture).breaches, []);
}

#[test]
fn a_host_that_is_left_broken_is_a_persons_with_its_zone_and_with_no_other() {
    let dark = |zone: &str| {
        let mut picture = sound();
        picture.hosts.get_mut("h4").expect("forged above").is_well = false;
        let mut audit = Audit(longest(&mut picture).clone());
        let verdict = format!("verdict DomainDown on {zone} at entry 99");
        audit.says(9_000, ("Verdict", 9), &verdict);
        audit.says(9_100, ("Escalated", 9), "a person is called: a whole domain is silent");
        picture.audits.insert("h1".into(), audit.0);
        judge(&picture).breaches
    };
    assert_eq!(dark("lab/b"), []);
    assert_eq!(dark("lab/b/r1"), []);
    for other in ["lab/a", "lab/b/r0"] {
        assert_eq!(dark(other).len(), 1, "{other}");
    }
}

#[test]
fn a_calm_that_does_not_come_is_caught() {
    caught(Law::Healed, "not within", |picture| {
        picture.unrest = Some("not within 720 s: h2 holds 195 records of 217".into());
    });
}

#[test]
fn a_case_that_is_left_open_is_caught() {
    caught(Law::Healed, "case 9, HostDown of h4, is open", |picture| {
        let mut audit = Audit(longest(picture).clone());
        audit.says(
            9_000,
            ("Verdict", 9),
            "verdict HostDown on h4 at entry 99, 4 voices against it, 0 well, 0 seats vacant",
        );
        picture.audits.insert("h1".into(), audit.0);
    });
}

#[test]
fn an_agent_that_panics_and_a_record_that_nobody_understands_are_caught() {
    caught(Law::Agents, "panicked", |picture| picture.misdeeds.push("h1: panicked at x.rs".into()));
    caught(Law::Readable, "line is missing", |picture| {
        picture.audits.remove("h2");
        picture.unread.push("h2: its last line is missing".into());
    });
    caught(Law::Readable, "is not understood", |picture| {
        let mut audit = Audit(longest(picture).clone());
        audit.says(9_000, ("Received", 3), "remedy 4 under fence 4 went well");
        picture.audits.insert("h1".into(), audit.0);
    });
    caught(Law::Readable, "no keeper", |picture| {
        (picture.audits, picture.journals) = (BTreeMap::new(), BTreeMap::new());
        (picture.orders, picture.records_awaited) = (Vec::new(), 0);
    });
}

#[test]
fn an_export_that_is_cut_off_is_no_audit() {
    let record = r#"{"schema":"hale.audit.record/1","as_of":"","age_ms":0,"fresh":true,"data":{"number":1,"at":"2026-11-30T17:19:39.042Z","ledger_ms":0,"index":1,"kind":"Booted","case":null,"sentence":"the agent of h1 is in boot 1","previous":"0","digest":"1","sealed":"00"}}"#;
    let end = r#"{"schema":"hale.audit.verified/1","as_of":"","age_ms":0,"fresh":true,"data":{}}"#;
    let read = read_export(&format!("{record}\n{end}\n")).expect("whole");
    assert_eq!((read.len(), read[0].wall_ms), (1, CLOCK.wall_ms));
    assert!(read_export(record).is_err());
}
