//! A script's steps, played on a fleet of its own.

use vocabulary::{Path, Span};

use super::{Placed, Played, Script, Show, Step, Until};
use crate::fault::Fault;
use crate::fleet::Fleet;
use crate::setup::SetupFault;
use crate::words::{budget_in_words, case_in_words, path_in_words};

/// By then every host is enrolled, has its seats, and has calibrated its paths.
const CALM_AFTER: Span = Span::seconds(40);

pub(super) fn play(script: &Script) -> Result<Played, SetupFault> {
    let mut fleet = Fleet::new(script.setup.clone())?;
    if !script.is_from_founding {
        fleet.run(CALM_AFTER);
    }
    fleet.begin_trace();
    for Placed { step, .. } in &script.steps {
        match step {
            Step::Run(span) => fleet.run(*span),
            Step::RunUntil(until, at_most) => {
                if !fleet.run_until(*at_most, |fleet| fleet.is_reached(*until)) {
                    fleet.note(format!("no {} within {at_most}", until.word()));
                }
            }
            Step::Strike(fault) => fleet.strike(fault.clone()),
            Step::InTurn(fault, every) => fleet.strike_in_turn(fault, *every),
            Step::Show(show) => fleet.show(show),
        }
    }
    Ok(Played {
        lines: fleet.trace().to_vec(),
        tally: fleet.tally(),
        breaches: fleet.breaches().to_vec(),
    })
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
        }
    }
}

impl Fleet {
    /// One host after the other; who is meant is asked once, before the first.
    fn strike_in_turn(&mut self, fault: &Fault, every: Span) {
        for one in self.one_by_one(fault) {
            self.strike(one);
            self.run(every);
        }
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
