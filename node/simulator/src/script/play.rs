//! A script's steps, played on a fleet of its own.

use std::ops::ControlFlow;

use ledger::Ledger;
use ledger::case::{Case, FrozenScopes};
use ledger::command::Refused;
use ledger::view::Hold;
use vocabulary::{Path, Scope, Span, VerdictKind};

use super::{Placed, Script, Show, Step, Until};
use crate::fleet::Fleet;
use crate::setup::SetupFault;
use crate::truth::Watch;
use crate::words::{budget_in_words, case_in_words, path_in_words};

/// By then every host is enrolled, has its seats, and has calibrated its paths.
const CALM_AFTER: Span = Span::seconds(40);

pub(super) fn play(script: &Script, watch: &mut Watch<'_>) -> Result<Fleet, SetupFault> {
    let mut fleet = Fleet::new(script.setup.clone())?;
    if !script.is_from_founding {
        fleet.run(CALM_AFTER);
    }
    fleet.begin_trace();
    if watch(&fleet).is_break() {
        return Ok(fleet);
    }
    for Placed { step, .. } in &script.steps {
        if fleet.play_step(step, watch).is_break() {
            break;
        }
    }
    Ok(fleet)
}

/// A host inside a domain that is a person's case waits for that person (protocol 3.5).
fn is_of_a_domain(ledger: &Ledger, case: &Case) -> bool {
    let stands_in = |own: &FrozenScopes, scope: &Scope| match scope {
        Scope::Rack(rack) => own.domain == *rack,
        Scope::Zone(zone) => own.domain.zone() == *zone,
        Scope::Host(_) | Scope::Group(_) | Scope::Fleet => false,
    };
    let own = case.scopes.as_ref();
    own.is_some_and(|own| ledger.cases().any(|other| stands_in(own, &other.subject)))
}

/// A ticket is read by day, and so is what waits for a person's word; what halts, or has begun enough for this hour, goes on when a
/// person or the hour has made room.
fn waits_long(ledger: &Ledger, case: &Case) -> bool {
    let is_long = |hold: &Hold| {
        matches!(
            hold.rule,
            Refused::Halt { .. }
                | Refused::PerHour { .. }
                | Refused::PerDay { .. }
                | Refused::Approval { .. }
                | Refused::Shadowed { .. }
        )
    };
    case.kind == VerdictKind::Left || ledger.holds(case.id).iter().any(is_long)
}

impl Until {
    fn word(self) -> &'static str {
        match self {
            Self::Doubt => "doubt",
            Self::Verdict => "verdict",
            Self::Lease => "lease",
            Self::Remedy => "remedy",
            Self::Proof => "proof",
            Self::Closed => "closed case alone",
            Self::Brake => "brake",
            Self::Settled => "end of every case but a person's",
        }
    }
}

impl Fleet {
    fn play_step(&mut self, step: &Step, watch: &mut Watch<'_>) -> ControlFlow<()> {
        let never = |_: &Self| false;
        match step {
            Step::Run(span) => {
                self.run_watched(*span, &never, watch)?;
            }
            Step::RunUntil(until, at_most) => {
                let is_reached = |fleet: &Self| fleet.is_reached(*until);
                if !self.run_watched(*at_most, &is_reached, watch)? {
                    self.note(format!("no {} within {at_most}", until.word()));
                }
            }
            Step::Strike(fault) => {
                self.strike(fault.clone());
                watch(self)?;
            }
            // One host after the other; who is meant is asked once, before the first.
            Step::InTurn(fault, every) => {
                for one in self.one_by_one(fault) {
                    self.strike(one);
                    self.run_watched(*every, &never, watch)?;
                }
            }
            Step::Show(show) => self.show(show),
        }
        ControlFlow::Continue(())
    }

    fn is_reached(&self, until: Until) -> bool {
        let ledger = self.ledger();
        match until {
            Until::Doubt => self.is_any_doubted(),
            Until::Verdict => ledger.cases().next().is_some(),
            Until::Lease => ledger.cases().any(|case| case.counted_lease().is_some()),
            Until::Remedy => self.journal().iter().any(|line| line.ended.is_none()),
            Until::Proof => ledger
                .cases()
                .any(|case| matches!(case.stage, ledger::case::Stage::Verifying { .. })),
            Until::Closed => ledger.cases().next().is_none(),
            Until::Brake => ledger.brake().standing().is_some(),
            Until::Settled => ledger.cases().all(|case| {
                !case.is_live() || is_of_a_domain(ledger, case) || waits_long(ledger, case)
            }),
        }
    }

    fn show(&mut self, show: &Show) {
        let lines = match show {
            Show::Cases => self.cases_shown(),
            Show::Eyes(host) => self.eyes_shown(host),
            Show::Health(host) => self.health_shown(host),
            Show::Budgets => self.budgets_shown(),
            Show::Journal => self.journal_shown(),
        };
        for line in lines {
            self.note(line);
        }
    }

    fn cases_shown(&self) -> Vec<String> {
        let ledger = self.ledger();
        let cases = ledger.cases().chain(ledger.closed_cases());
        let mut shown: Vec<String> = cases.map(|case| case_in_words(self, case)).collect();
        if shown.is_empty() {
            shown.push("there is no case".into());
        }
        shown
    }

    /// Whose silence on which paths would be evidence to this host.
    fn eyes_shown(&self, host: &str) -> Vec<String> {
        let Some(agent) = self.agent(host) else {
            return vec![format!("{host} has no agent")];
        };
        let view = agent.view(self.clock_of(host));
        let mut lines: Vec<String> = view
            .calibrated
            .iter()
            .map(|(subject, paths)| {
                let paths: Vec<String> =
                    paths.iter().map(|path: &Path| path_in_words(*path)).collect();
                let subject = self.name_of(subject);
                format!("{host} sees {subject} by {}", paths.join(", "))
            })
            .collect();
        lines.sort();
        lines
    }

    /// What this host has heard others say of themselves.
    fn health_shown(&self, host: &str) -> Vec<String> {
        let Some(agent) = self.agent(host) else {
            return vec![format!("{host} has no agent")];
        };
        let view = agent.view(self.clock_of(host));
        let up: Vec<String> = view.up.keys().map(|host| self.name_of(host)).collect();
        let mut lines: Vec<String> = view
            .health
            .values()
            .map(|record| {
                let doubts = record.health.doubts();
                let names: Vec<String> = doubts.iter().map(|host| self.name_of(host)).collect();
                let author = self.name_of(&record.host);
                if names.is_empty() {
                    format!("{host} has heard that {author} doubts nobody")
                } else {
                    format!("{host} has heard that {author} doubts {}", names.join(" "))
                }
            })
            .collect();
        for (subject, told) in &view.reach {
            for (author, grade) in told {
                let (author, subject) = (self.name_of(author), self.name_of(subject));
                lines.push(format!("{host} has heard that {author} reaches {subject}: {grade:?}"));
            }
        }
        lines.sort();
        let mut up = up;
        up.sort();
        lines.insert(0, format!("{host} thinks up: {}", up.join(" ")));
        lines
    }

    fn budgets_shown(&self) -> Vec<String> {
        let ledger = self.ledger();
        let lines = ledger.budgets();
        lines.iter().map(|line| budget_in_words(self, line)).collect()
    }

    fn journal_shown(&self) -> Vec<String> {
        let lines = self.journal().iter();
        lines
            .map(|line| {
                let end = match (line.ended, line.had_effect) {
                    (None, _) => "still runs",
                    (Some(_), true) => "started it again",
                    (Some(_), false) => "changed nothing",
                };
                format!(
                    "journal: remedy {} on {}, fence {}, {end}",
                    line.remedy,
                    self.name_of(&line.subject),
                    line.fence
                )
            })
            .collect()
    }
}
