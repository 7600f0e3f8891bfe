//! Which rows and columns of a list an operator wants, and in which order.
//!
//! Law CL5: a list is arranged by what it shows: a moment as it stands in UTC, a number by its value, a word by its letters.
//! Not here: what is listed (each verb's file). `--json` is never arranged: it is the answer itself.

use std::cmp::Ordering;

use clap::Args;

use super::asking::{Screen, fresh, json};
use super::exit::{CommandFault, Exit};
use super::faults;
use super::table::{Clock, Table};
use crate::admin::answer::{Answer, Body};

/// How a list is printed.
#[derive(Clone, Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub screen: Screen,
    /// Only these columns, in this order.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', conflicts_with = "json")]
    columns: Vec<String>,
    /// By this column; `-NAME` from the end.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, conflicts_with = "json")]
    sort: Option<String>,
    /// Only rows of which all this is so: `zone=b state!=ok`. A cell is what it says, and each word of it.
    #[arg(long, value_name = "TERMS", conflicts_with = "json")]
    filter: Option<String>,
}

/// One term of a filter.
struct Term<'a> {
    column: usize,
    is_wanted: bool,
    value: &'a str,
}

impl List {
    /// As it comes.
    #[cfg(test)]
    pub fn whole(screen: Screen) -> Self {
        Self { screen, columns: Vec::new(), sort: None, filter: None }
    }

    /// Asks, prints, and ends as the answer deserves. A list without rows is told in words.
    pub fn show<B: Body>(
        &self,
        path: &str,
        list: impl Fn(&B, Clock) -> Result<Table, String>,
    ) -> Result<(), CommandFault> {
        self.shown(path, list).map(drop)
    }

    /// The same, and what was answered, for verbs that judge it.
    pub fn shown<B: Body>(
        &self,
        path: &str,
        list: impl Fn(&B, Clock) -> Result<Table, String>,
    ) -> Result<B, CommandFault> {
        let answer: Answer<B> = self.screen.ask(path)?;
        if self.screen.at.json {
            json(&answer)?;
        } else {
            faults::print(&self.text(&answer, list)?)?;
        }
        fresh(&answer)?;
        Ok(answer.data)
    }

    /// The screen, from the answer alone.
    pub fn text<B: Body>(
        &self,
        answer: &Answer<B>,
        list: impl Fn(&B, Clock) -> Result<Table, String>,
    ) -> Result<String, CommandFault> {
        let clock = self.screen.clock(answer);
        let shown = match list(&answer.data, clock) {
            Ok(shown) => shown,
            Err(nothing) => return Ok(nothing + "\n"),
        };
        let keys =
            list(&answer.data, Clock { is_utc: true, ..clock }).unwrap_or_else(|_| shown.clone());
        let arranged = self.arranged(&shown, &keys)?;
        if arranged.is_empty() {
            let filter = self.filter.as_deref().unwrap_or_default();
            return Ok(format!("nothing of which this is so: {filter}\n"));
        }
        Ok(arranged.text("", self.screen.has_header()))
    }

    fn arranged(&self, shown: &Table, keys: &Table) -> Result<Table, CommandFault> {
        let terms = self.terms(shown)?;
        let mut rows: Vec<usize> = (0..keys.rows().len())
            .filter(|row| terms.iter().all(|term| term.is_true_of(&keys.rows()[*row])))
            .collect();
        if let Some(sort) = &self.sort {
            let (name, is_backwards) =
                sort.strip_prefix('-').map_or((sort.as_str(), false), |name| (name, true));
            let column = column(shown, name, "--sort")?;
            let cell = |row: usize| keys.rows()[row][column].as_str();
            rows.sort_by(|one, other| {
                let order = by_value(cell(*one), cell(*other));
                if is_backwards { order.reverse() } else { order }
            });
        }
        let columns = match self.columns.as_slice() {
            [] => (0..shown.header().len()).collect(),
            named => named
                .iter()
                .map(|name| column(shown, name, "--columns"))
                .collect::<Result<Vec<_>, _>>()?,
        };
        Ok(shown.part(&rows, &columns))
    }

    fn terms<'a>(&'a self, table: &Table) -> Result<Vec<Term<'a>>, CommandFault> {
        let terms = self.filter.iter().flat_map(|filter| filter.split_whitespace());
        let term = |text: &'a str| {
            let parts = text.split_once("!=").map(|(name, value)| (name, value, false));
            let parts =
                parts.or_else(|| text.split_once('=').map(|(name, value)| (name, value, true)));
            let (name, value, is_wanted) = parts.ok_or_else(|| {
                let sentence =
                    format!("--filter: {text:?} is no term: `column=value` or `column!=value`");
                CommandFault::new(Exit::Usage, sentence)
            })?;
            Ok(Term { column: column(table, name, "--filter")?, is_wanted, value })
        };
        terms.map(term).collect()
    }
}

impl Term<'_> {
    /// `zone=b` is true of `eu/b`, and `doubted-by=a1` of `a1 c2`.
    fn is_true_of(&self, row: &[String]) -> bool {
        let cell = row[self.column].as_str();
        let mut words = cell.split(['/', ' ']);
        (cell == self.value || words.any(|word| word == self.value)) == self.is_wanted
    }
}

/// A column by its heading; a blank in it may be typed as a hyphen.
fn column(table: &Table, name: &str, option: &str) -> Result<usize, CommandFault> {
    let names: Vec<String> = table.header().iter().map(|name| name.replace(' ', "-")).collect();
    let found = names.iter().position(|heading| *heading == name.replace(' ', "-"));
    found.ok_or_else(|| {
        let sentence =
            format!("{option}: there is no column {name:?} here, only {}", names.join(", "));
        CommandFault::new(Exit::Usage, sentence)
    })
}

/// Law CL5.
fn by_value(one: &str, other: &str) -> Ordering {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::asking::At;

    fn arranged(
        columns: &[&str],
        sort: Option<&str>,
        filter: Option<&str>,
    ) -> Result<String, String> {
        let mut table = Table::new(&["host", "zone", "boot", "doubted by"]);
        table.row(["a1".into(), "eu/a".into(), "10".into(), String::new()]);
        table.row(["b2".into(), "eu/b".into(), "9".into(), "a1 c2".into()]);
        table.row(["b1".into(), "eu/b".into(), "11".into(), String::new()]);
        let list = List {
            screen: Screen::plain(At::of_socket("/run/hale/admin.sock")),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            sort: sort.map(str::to_owned),
            filter: filter.map(str::to_owned),
        };
        let arranged = list.arranged(&table, &table).map_err(|fault| fault.to_string())?;
        Ok(arranged.text("", false))
    }

    #[test]
    fn rows_are_chosen_by_words_of_their_cells_and_sorted_by_value() {
        let hosts = |sort, filter| arranged(&["host"], sort, filter).expect("sound");
        assert_eq!(hosts(None, Some("zone=b")), "b2\nb1\n");
        assert_eq!(hosts(None, Some("zone=b doubted-by!=c2")), "b1\n");
        assert_eq!(hosts(Some("boot"), None), "b2\na1\nb1\n");
        assert_eq!(hosts(Some("-host"), None), "b2\nb1\na1\n");
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are() {
        let fault = arranged(&["hosts"], None, None).expect_err("no such column");
        assert_eq!(
            fault,
            "--columns: there is no column \"hosts\" here, only host, zone, boot, doubted-by"
        );
        let fault = arranged(&[], None, Some("ok")).expect_err("no term");
        assert!(fault.contains("`column=value`"), "{fault}");
    }
}
