//! Text for a terminal or a pipe alike: aligned columns, times as people say them, nothing that moves a cursor.
//!
//! Law CL2: no control character of a name, a reason or a program's output reaches the terminal.
//! Not here: what is shown (each verb's file).

use crate::moments;

/// Rows under a header.
#[derive(Clone)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// How moments are shown, and against which moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The moment of the answer, in milliseconds of the Unix epoch.
    pub now_ms: u64,
    /// As they are, in UTC, not relative.
    pub is_utc: bool,
}

impl Table {
    /// No rows yet.
    pub fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// One more row; as many cells as the header has.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell)).collect());
    }

    /// The headings.
    pub fn header(&self) -> &[&'static str] {
        &self.header
    }

    /// The rows, each with as many cells as the header has.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// These rows and columns of it, in this order.
    pub fn part(&self, rows: &[usize], columns: &[usize]) -> Self {
        let row =
            |row: &usize| columns.iter().map(|column| self.rows[*row][*column].clone()).collect();
        Self {
            header: columns.iter().map(|column| self.header[*column]).collect(),
            rows: rows.iter().map(row).collect(),
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, each line behind this indent.
    pub fn text(&self, indent: &str, has_header: bool) -> String {
        let header: Vec<String> = self.header.iter().map(|name| (*name).to_owned()).collect();
        let lines = has_header.then_some(&header).into_iter().chain(&self.rows);
        let lines: Vec<&Vec<String>> = lines.collect();
        let columns: Vec<(usize, bool)> = (0..self.header.len())
            .map(|column| (self.width(&lines, column), self.is_of_numbers(column)))
            .collect();
        lines.iter().map(|line| indent.to_owned() + &aligned(line, &columns) + "\n").collect()
    }

    fn width(&self, lines: &[&Vec<String>], column: usize) -> usize {
        let widths = lines.iter().filter_map(|line| line.get(column));
        widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn is_of_numbers(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        let is_number = |cell: &String| {
            cell == "-" || !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit())
        };
        !self.rows.is_empty() && cells.all(is_number)
    }
}

fn aligned(cells: &[String], columns: &[(usize, bool)]) -> String {
    let mut line = String::new();
    for (cell, (width, is_number)) in cells.iter().zip(columns) {
        if !line.is_empty() {
            line.push_str("  ");
        }
        line.push_str(&if *is_number {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        });
    }
    line.trim_end().to_owned()
}

impl Clock {
    /// `3 m ago`, or the moment itself.
    pub fn moment(&self, text: &str) -> String {
        match moments::from_utc(text) {
            Some(at) if !self.is_utc => format!("{} ago", span(self.now_ms.saturating_sub(at))),
            _ => clean(text),
        }
    }
}

/// A length of time in one unit or two, as a person would say it.
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..=9 => format!("{seconds}.{} s", milliseconds % 1_000 / 100),
        10..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} m", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Law CL2.
pub fn clean(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |letter: char| {
        if letter.is_control() || turns(letter) { '\u{fffd}' } else { letter }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right_and_words_on_the_left() {
        let mut table = Table::new(&["zone", "hosts", "what"]);
        table.row(["eu-a".into(), "412".into(), "calm".into()]);
        table.row(["eu-bb".into(), "9".into(), String::new()]);
        let text = "  zone   hosts  what\n  eu-a     412  calm\n  eu-bb      9\n";
        assert_eq!(table.text("  ", true), text);
        assert_eq!(table.text("", false), "eu-a   412  calm\neu-bb    9\n");
    }

    #[test]
    fn what_a_program_wrote_cannot_move_the_cursor() {
        assert_eq!(
            clean("exit 1\u{1b}[2J\nall \u{202e}well"),
            "exit 1\u{fffd}[2J\u{fffd}all \u{fffd}well"
        );
    }

    #[test]
    fn moments_read_as_a_person_would_say_them() {
        let clock = Clock {
            now_ms: moments::from_utc("2027-11-18T22:05:00Z").expect("a moment"),
            is_utc: false,
        };
        assert_eq!(clock.moment("2027-11-18T22:04:57.500Z"), "2.5 s ago");
        assert_eq!(clock.moment("2027-11-18T21:00:00Z"), "65 m ago");
        assert_eq!(clock.moment("2027-11-10T21:00:00Z"), "8 days ago");
        let utc = Clock { is_utc: true, ..clock };
        assert_eq!(utc.moment("2027-11-18T21:00:00Z"), "2027-11-18T21:00:00Z");
    }
}
