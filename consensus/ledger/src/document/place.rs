//! Where in a text a byte is: lines are found once, so that ten thousand faults cost no more than their own lines.

use std::ops::Range;

use super::fault::Fault;

/// A text and where its lines begin.
pub struct Places<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Places<'t> {
    /// Finds the lines.
    pub fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
        Self { text, starts: starts.collect() }
    }

    /// Line and column in characters, both from 1, of a byte offset; an offset past the end is the end.
    pub fn of(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let letters = self.text[start..].char_indices();
        let column = letters.take_while(|(at, _)| start + at < offset).count() + 1;
        let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
        (small(line), small(column))
    }

    /// A line by its number from 1; nothing if there is none.
    pub fn line(&self, number: u32) -> &'t str {
        let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let start = index.and_then(|index| self.starts.get(index));
        let line = start.and_then(|start| self.text[*start..].lines().next());
        line.unwrap_or_default()
    }

    /// The first line of what stands there, cut, with nothing in it that moves a terminal's cursor.
    pub fn excerpt(&self, at: Range<usize>) -> Option<String> {
        let line = self.text.get(at)?.lines().next()?.trim_end();
        let is_longer = line.chars().nth(Fault::GIVEN_CHARS_MAX).is_some();
        let letters = line.chars().take(Fault::GIVEN_CHARS_MAX);
        let mut cut: String = letters.map(printed).collect();
        if is_longer {
            cut.push('…');
        }
        (!cut.is_empty()).then_some(cut)
    }
}

fn printed(letter: char) -> char {
    if letter.is_control() { '\u{fffd}' } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters_from_one() {
        let places = Places::new("ab\nüx\n\nlast");
        assert_eq!(places.of(0), (1, 1));
        assert_eq!(places.of(2), (1, 3));
        assert_eq!(places.of(3), (2, 1));
        assert_eq!(places.of(5), (2, 2), "after the two bytes of ü");
        assert_eq!(places.of(7), (3, 1));
        assert_eq!(places.of(9), (4, 2));
        assert_eq!(places.of(99), (4, 5));
        assert_eq!(places.line(2), "üx");
        assert_eq!(places.line(3), "");
        assert_eq!(places.line(0), "");
        assert_eq!(places.line(9), "");
        assert_eq!(Places::new("").of(0), (1, 1));
    }
}
