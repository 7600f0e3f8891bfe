//! Remedies that are programs with fixed arguments: the `command` actuator.
//!
//! The case is told in the environment (`HALE_CASE`, `HALE_SUBJECT`, `HALE_VERDICT`, `HALE_FENCE`, `HALE_REMEDY_ID`); nothing from peers
//! is ever put into an argument, and no shell is involved. Beside these a program finds `PATH` and `LANG`, fixed, and nothing of the agent's
//! own environment; it runs in `/`, with nothing to read on its standard input.
//! Exit codes of `argv`: 0 is `Done`; 75 (EX_TEMPFAIL of sysexits) promises that nothing was begun and is `Refused`; everything
//! else, a signal or the guard's own end among it, is `Unknown` (law T2).
//! Exit codes of `inspect`: 0 is `Done`; 1 is `Refused` (not done, may be applied again); everything else is `Unknown`.

use std::io;
use std::path::PathBuf;

use vocabulary::actuation::RemedyOrder;
use vocabulary::{Moment, Receipt, ReceiptKind, Span};

use crate::contract::{Actuator, Finding, Promise};
use crate::guard::{Charge, End, Report};
use crate::guarded::run_guarded;

/// sysexits EX_TEMPFAIL: the program promises that it has begun nothing.
pub const EXIT_REFUSED: i32 = 75;

/// Runs remedies that are programs.
pub struct CommandActuator {
    /// This very binary, whose hidden verb `guard` is the guard.
    program: PathBuf,
}

impl CommandActuator {
    /// `program` is the binary that has the verb `guard`.
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    async fn guarded(
        &self,
        order: &RemedyOrder,
        argv: &[String],
        given: Moment,
    ) -> io::Result<Report> {
        let ends_at = given.after(order.at_most.min(order.command.time_limit));
        let charge = Charge {
            argv: argv.to_vec(),
            environment: environment(order),
            ends_at_ms: ends_at.as_milliseconds(),
        };
        run_guarded(&self.program, &charge).await
    }
}

impl Actuator for CommandActuator {
    fn inspect<'a>(&'a self, order: &'a RemedyOrder, given: Moment) -> Promise<'a, Receipt> {
        Box::pin(async move {
            let Some(argv) = &order.command.inspect else {
                let why = String::from("the rung names no way to inspect it");
                return receipt(order, ReceiptKind::Unknown, why);
            };
            match self.guarded(order, argv, given).await {
                Ok(report) => read_inspection(order, &report),
                Err(error) => receipt(order, ReceiptKind::Unknown, format!("guard: {error}")),
            }
        })
    }

    fn apply<'a>(&'a self, order: &'a RemedyOrder, given: Moment) -> Promise<'a, Receipt> {
        Box::pin(async move {
            if order.at_most == Span::ZERO {
                let why = String::from("nothing was left of the lease");
                return receipt(order, ReceiptKind::Refused, why);
            }
            match self.guarded(order, &order.command.argv, given).await {
                Ok(report) => read_application(order, &report),
                Err(error) => receipt(order, ReceiptKind::Unknown, format!("guard: {error}")),
            }
        })
    }

    /// A program has no memory of fences: it cannot tell.
    fn confirm<'a>(&'a self, _order: &'a RemedyOrder) -> Promise<'a, Finding> {
        Box::pin(async { Finding::CannotTell })
    }
}

fn environment(order: &RemedyOrder) -> Vec<(String, String)> {
    [
        ("HALE_CASE", order.case.to_string()),
        ("HALE_SUBJECT", order.subject_name.to_string()),
        ("HALE_VERDICT", order.verdict.word()),
        ("HALE_FENCE", order.fence.to_string()),
        ("HALE_REMEDY_ID", order.remedy.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

fn read_application(order: &RemedyOrder, report: &Report) -> Receipt {
    let kind = match report.end {
        End::Exited(0) => ReceiptKind::Done,
        End::Exited(EXIT_REFUSED) | End::NotStarted(_) => ReceiptKind::Refused,
        End::Exited(_) | End::Signalled(_) | End::TimeOver | End::AgentGone => ReceiptKind::Unknown,
    };
    receipt(order, kind, in_words(report))
}

fn read_inspection(order: &RemedyOrder, report: &Report) -> Receipt {
    let kind = match report.end {
        End::Exited(0) => ReceiptKind::Done,
        End::Exited(1) => ReceiptKind::Refused,
        End::Exited(_)
        | End::NotStarted(_)
        | End::Signalled(_)
        | End::TimeOver
        | End::AgentGone => ReceiptKind::Unknown,
    };
    receipt(order, kind, in_words(report))
}

/// How it ended and the last line it printed.
fn in_words(report: &Report) -> String {
    let end = match &report.end {
        End::NotStarted(why) => format!("could not be started: {why}"),
        End::Exited(code) => format!("exit {code}"),
        End::Signalled(signal) => format!("ended by signal {signal}"),
        End::TimeOver => String::from("ended by the guard: its time was over"),
        End::AgentGone => String::from("ended by the guard: the agent was gone"),
    };
    match report.output.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("{end}: {}", line.trim()),
        None => end,
    }
}

fn receipt(order: &RemedyOrder, kind: ReceiptKind, mut detail: String) -> Receipt {
    detail.retain(|letter| !letter.is_control());
    while detail.len() > Receipt::DETAIL_BYTES_MAX {
        detail.pop();
    }
    Receipt { remedy: order.remedy, fence: order.fence, kind, detail }
}
