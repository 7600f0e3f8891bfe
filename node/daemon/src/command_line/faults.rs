//! The faults of a document on a screen: each under the line it is on, as the compiler does. No colours, so that a
//! terminal and a file get the same.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use ledger::document::{FAULTS_MAX, Fault};

use super::exit::{CommandFault, Exit};

/// Draws all of them on stderr, and gives the line that ends the command.
pub fn told(exit: Exit, faults: &[Fault], text: &str) -> CommandFault {
    let [first, ..] = faults else {
        return CommandFault::new(exit, "no fault to tell");
    };
    if faults.len() == 1 && first.line == 0 {
        return CommandFault::new(exit, first);
    }
    eprint!("{}", drawn(faults, text));
    let counted = match faults.len() {
        1 => "1 fault".to_owned(),
        more if more > FAULTS_MAX => format!("more than {FAULTS_MAX} faults"),
        count => format!("{count} faults"),
    };
    CommandFault::new(exit, format!("{}: {counted}", first.file))
}

/// Prints an answer; a closed pipe behind it is no fault of ours.
pub fn print(answer: &str) -> Result<(), CommandFault> {
    match io::stdout().write_all(answer.as_bytes()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandFault::failed(format!("cannot write the answer: {why}")))
        }
        _ => Ok(()),
    }
}

fn drawn(faults: &[Fault], text: &str) -> String {
    let renderer = Renderer::plain();
    let mut page = String::new();
    for fault in faults {
        let title = Level::ERROR.primary_title(fault.sentence());
        let line = line_of(fault, text);
        let group = match line {
            Some((number, line)) => {
                let at = span(fault, line);
                let mark = AnnotationKind::Primary.span(at);
                let snippet = Snippet::source(line).line_start(number).path(&fault.file);
                title.element(snippet.annotation(mark))
            }
            None => title.elements(std::iter::empty::<annotate_snippets::Element<'_>>()),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(page, "{}\n", renderer.render(&[group]));
    }
    page
}

fn line_of<'t>(fault: &Fault, text: &'t str) -> Option<(usize, &'t str)> {
    let number = usize::try_from(fault.line).ok().filter(|line| *line > 0)?;
    Some((number, text.lines().nth(number - 1)?))
}

/// The bytes of the line that the fault is about: the given value, else the word that begins there.
fn span(fault: &Fault, line: &str) -> std::ops::Range<usize> {
    let skipped = usize::try_from(fault.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = line.chars().take(skipped).map(char::len_utf8).sum();
    let rest = &line[start..];
    let is_word = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let length = match fault.given.as_deref() {
        Some(given) if rest.starts_with(given) => given.len(),
        Some(_) => rest.len(),
        None => rest.chars().take_while(is_word).map(char::len_utf8).sum(),
    };
    start..(start + length).min(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use ledger::policy::Policy;

    #[test]
    fn every_fault_stands_under_its_line() {
        let text = "[budget]\nfleet = { in_fligth = 1, halt_above = \"30\" }\n\n[[rule]\n";
        let faults = Policy::read("policy.toml", text).expect_err("unsound");
        expect![[r#"
            error: budget.fleet.in_fligth: unknown key, expected one of in_flight, at_least, halt_above, per_hour, per_day; did you mean in_flight?
             --> policy.toml:2:11
              |
            2 | fleet = { in_fligth = 1, halt_above = "30" }
              |           ^^^^^^^^^

            error: budget.fleet.halt_above: "30", expected hosts from 1 to 50000 or from "1%" to "100%", or "none"
             --> policy.toml:2:39
              |
            2 | fleet = { in_fligth = 1, halt_above = "30" }
              |                                       ^^^^

            error: not TOML: unclosed array table, expected `]`
             --> policy.toml:4:8
              |
            4 | [[rule]
              |        ^

        "#]].assert_eq(&drawn(&faults, text));
    }

    #[test]
    fn letters_of_more_than_one_byte_do_not_move_the_mark() {
        let text = "x = \"ü\" # ü\n\"ö\" = 1\nrule = \"ü\"";
        let faults = Policy::read("policy.toml", text).expect_err("unsound");
        assert_eq!(faults.len(), 3);
        for fault in &faults {
            let (_, line) = line_of(fault, text).expect("it has a line");
            assert!(line.get(span(fault, line)).is_some());
        }
        assert!(!drawn(&faults, text).is_empty());
    }
}
