//! Whatever is done to a fleet, no law is broken; and once it stops, every host is well or a person knows (law G1).

use ledger::case::Case;
use ledger::command::Refused;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use simulator::{Fault, Fleet, Habit, Setup, Whom};
use vocabulary::{CaseId, Scope, Span};

/// How often one fleet is struck, and how long after the last strike all must be well or told: a case that the few observers
/// that are left cannot settle holds its budget for five minutes, and others wait behind it.
const STRIKES: usize = 25;
const CALM: Span = Span::minutes(25);

struct Luck(ChaCha8Rng);

impl Luck {
    fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    fn one(&mut self, names: &[String]) -> Vec<Whom> {
        let at = usize::try_from(self.below(names.len() as u64)).expect("few hosts");
        vec![Whom::Named(names[at].clone())]
    }

    fn strike(&mut self, names: &[String], zones: [&str; 3]) -> Fault {
        match self.below(16) {
            0..4 => Fault::Kill(self.one(names)),
            4 => Fault::Freeze(self.one(names)),
            5 => Fault::Thaw(self.one(names)),
            6 => Fault::Silence(self.one(names)),
            7 => Fault::Unsilence(self.one(names)),
            8 => {
                Fault::Cut { from: self.one(names), to: self.one(names), both: self.below(2) == 0 }
            }
            9 => Fault::Cut {
                from: vec![Whom::Zone(zones[self.below(3) as usize].into())],
                to: Vec::new(),
                both: true,
            },
            10 | 11 => Fault::Join,
            12 => Fault::Kill(vec![if self.below(2) == 0 { Whom::Leader } else { Whom::Healer }]),
            13 => Fault::Start(self.one(names)),
            14 => Fault::Remedies(vec![
                [
                    Habit::DoesNothing,
                    Habit::Refuses,
                    Habit::ReceiptLost,
                    Habit::Fails,
                    Habit::Hangs,
                ][self.below(5) as usize],
            ]),
            _ => Fault::Resume("chaos".into()),
        }
    }
}

/// The demo's fleet, nine hosts in racks of two, or twelve of them in weather that loses two of a hundred datagrams; their
/// zones and keepers.
fn setup(seed: u64) -> (Setup, [&'static str; 3], [&'static str; 3]) {
    let zones = ["z0", "z1", "z2"];
    let keepers = ["h0", "h1", "h2"];
    match seed % 3 {
        0 => (Setup::grid(9, 3, seed), zones, keepers),
        1 => (Setup::demo(seed), ["a", "b", "c"], ["a1", "b1", "c1"]),
        _ => {
            let mut setup = Setup::grid(12, 3, seed);
            setup.weather.loss_permille = 20;
            (setup, zones, keepers)
        }
    }
}

/// A host inside a domain that is a person's case waits for that person (protocol 3.5).
fn is_a_persons(fleet: &Fleet, case: CaseId) -> bool {
    let holds = fleet.ledger().holds(case);
    holds.iter().any(|hold| matches!(hold.rule, Refused::CaseOpen(_)))
}

fn is_any_stuck(fleet: &Fleet) -> bool {
    let mut live = fleet.ledger().cases().filter(|case| case.is_live());
    live.any(|case| !is_a_persons(fleet, case.id))
}

/// Whether a person who asks about this very host is told of its trouble: by its own case, by its domain's, by a surge that names
/// it, or by an observer that doubts it. The last of these is shown and no more: observers that restarted in the trouble never
/// saw the host well, their silence is no evidence (protocol 2.5), and a doubt without a verdict is no case yet (law G1).
fn is_told_of(fleet: &Fleet, name: &str) -> bool {
    let ledger = fleet.ledger();
    let mut roster = ledger.roster().present();
    let Some((host, entry)) = roster.find(|(_, entry)| entry.claims.host.as_str() == name) else {
        return false;
    };
    let domain = &entry.claims.domain;
    let names_it = |case: &Case| match &case.subject {
        Scope::Host(subject) => subject == host,
        Scope::Rack(rack) => rack == domain,
        Scope::Zone(zone) => *zone == domain.zone(),
        Scope::Group(_) | Scope::Fleet => case.members.contains(host),
    };
    let doubts_it = |observer: &str| {
        let now = fleet.clock_of(observer);
        let doubts = fleet.agent(observer).map(|agent| agent.doubts(now)).unwrap_or_default();
        doubts.iter().any(|note| note.subject == *host)
    };
    ledger.cases().any(|case| names_it(case)) || fleet.names().any(doubts_it)
}

fn play(seed: u64) -> Result<(), String> {
    let mut luck = Luck(ChaCha8Rng::seed_from_u64(seed));
    let (setup, zones, keepers) = setup(seed);
    let mut fleet = Fleet::new(setup.with_policy(&scenarios::policy(2))).expect("sound");
    let names: Vec<String> = fleet.names().map(str::to_owned).collect();
    fleet.run(Span::seconds(30));
    fleet.begin_trace();
    for _ in 0..STRIKES {
        let fault = luck.strike(&names, zones);
        fleet.strike(fault);
        let pause = 100 + luck.below(9_000);
        fleet.run(Span::milliseconds(pause));
    }
    let all: Vec<Whom> = names.iter().cloned().map(Whom::Named).collect();
    let keepers = keepers.map(|name| Whom::Named(name.into())).to_vec();
    fleet.note("calm from here on".into());
    fleet.strike(Fault::Join);
    fleet.strike(Fault::Unsilence(all.clone()));
    fleet.strike(Fault::Thaw(all));
    fleet.strike(Fault::Start(keepers));
    fleet.run(Span::seconds(30));
    fleet.strike(Fault::Resume("calm".into()));
    fleet.run_until(CALM, |fleet| !is_any_stuck(fleet));
    fleet.run(Span::seconds(60));
    let trace = || -> String {
        let lines = fleet.trace().iter().map(|line| format!("{line}\n"));
        lines.collect()
    };
    if let Some(breach) = fleet.breaches().first() {
        return Err(format!("seed {seed}: {breach:?}\n{}", trace()));
    }
    if is_any_stuck(&fleet) {
        let cases: Vec<_> = fleet.ledger().cases().collect();
        return Err(format!("seed {seed}: stuck {cases:#?}\n{}", trace()));
    }
    for name in &names {
        if fleet.agent(name).is_none() && !is_told_of(&fleet, name) {
            let cases: Vec<_> = fleet.ledger().cases().collect();
            let why = format!("seed {seed}: {name} is dead and nobody knows");
            return Err(format!("{why}; open {cases:#?}\n{}", trace()));
        }
    }
    Ok(())
}

#[test]
fn no_law_breaks_and_every_trouble_ends() {
    let count = std::env::var("CHAOS_SEEDS").ok();
    let count = count.and_then(|text| text.parse().ok()).unwrap_or(8);
    let first = std::env::var("CHAOS_FIRST").ok();
    let first = first.and_then(|text| text.parse().ok()).unwrap_or(1);
    let faults: Vec<String> = (first..first + count).filter_map(|seed| play(seed).err()).collect();
    for fault in &faults {
        println!("{}", fault.lines().next().unwrap_or_default());
    }
    assert!(faults.is_empty(), "{} of {count} seeds\n{}", faults.len(), faults[0]);
}
