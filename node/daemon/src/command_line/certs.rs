//! `hale certs`: when the certificates of the mesh end.

use clap::Args;

use super::exit::{CommandFault, Exit};
use super::list::List;
use super::table::{Clock, Table};
use crate::admin::answer::{CertLine, Certs};
use crate::identity::alarm::in_words;

/// The certificates of the mesh, the soonest end first.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    list: List,
    /// End with 3 if any certificate that is known of ends within this or has ended.
    #[arg(long)]
    check: bool,
    /// How near an end counts for `--check`: `30d`, `12h`.
    #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = seconds, requires = "check")]
    within: u64,
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    let certs: Certs = verb.list.shown("/v1/certs", table)?;
    match ending(&certs, verb.within).filter(|_| verb.check) {
        Some(why) => Err(CommandFault::new(Exit::ConditionFalse, why)),
        None => Ok(()),
    }
}

/// The certificates that end within so many seconds, in words.
fn ending(certs: &Certs, within: u64) -> Option<String> {
    let is_near = |cert: &&CertLine| cert.left_s.is_some_and(|left| left <= within.cast_signed());
    let near: Vec<&CertLine> = certs.certs.iter().filter(is_near).collect();
    let first = near.first()?;
    let span = in_words(within, 0);
    Some(format!(
        "{} of {} certificates end within {span}, the first is {}'s",
        near.len(),
        certs.certs.len(),
        first.of
    ))
}

/// A certificate on each line.
pub fn table(certs: &Certs, clock: Clock) -> Result<Table, String> {
    let mut table = Table::new(&["of", "kind", "zone", "group", "ends", "state", "from"]);
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for cert in &certs.certs {
        table.row([
            cert.of.clone(),
            cert.kind.clone(),
            or_none(&cert.zone),
            or_none(&cert.group),
            ends(cert, clock),
            cert.state.clone(),
            cert.from.clone(),
        ]);
    }
    Ok(table)
}

fn ends(cert: &CertLine, clock: Clock) -> String {
    match (cert.left_s, &cert.ends) {
        (Some(_), Some(ends)) if clock.is_utc => ends.clone(),
        (Some(left @ 0..), _) => format!("in {}", in_words(left.cast_unsigned(), 0)),
        (Some(left), _) => format!("{} ago", in_words(left.unsigned_abs(), 0)),
        (None, _) => "unknown".to_owned(),
    }
}

/// `30d`, `12h`, `90m`.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no span: a number and d, h or m, as in 30d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let each = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(u64::from(number) * each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_a_unit() {
        assert_eq!(seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds("12h"), Ok(43_200));
        for wrong in ["", "d", "30", "-1d", "3w", "1.5d", "ä"] {
            assert!(seconds(wrong).is_err(), "{wrong} passed");
        }
    }

    #[test]
    fn a_check_counts_what_has_ended_and_not_what_is_unknown() {
        let cert = |of: &str, left_s| CertLine {
            of: of.to_owned(),
            kind: "host".to_owned(),
            zone: None,
            group: None,
            ends: None,
            left_s,
            state: String::new(),
            from: String::new(),
        };
        let certs =
            Certs { certs: vec![cert("a", Some(-5)), cert("b", Some(90)), cert("c", None)] };
        assert_eq!(
            ending(&certs, 60).as_deref(),
            Some("1 of 3 certificates end within 1 minute, the first is a's")
        );
        let calm = Certs { certs: vec![cert("b", Some(90)), cert("c", None)] };
        assert_eq!(ending(&calm, 60), None);
    }
}
