//! The forms of values: what may stand behind a key, how it is read, and how it is described.
//!
//! Law F1: one spelling per value; units are written, never implied.
//! Not here: which key has which form (see `policy::keys`, and the daemon's `config::keys`).

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;
use vocabulary::{Label, Span};

use super::fault::nearest;
use crate::policy::Share;

/// A value in a document with its place.
pub type Given<'d> = Spanned<DeValue<'d>>;

/// What may stand behind a key.
pub trait Form: Sync {
    /// What it is once read.
    type Value;

    /// Completes "expected ...", with the range.
    fn expects(&self) -> String;

    /// The value, or why not.
    fn read(&self, given: &Given<'_>) -> Result<Self::Value, Misfit>;

    /// Reads a bare TOML value, as defaults and examples are written.
    fn read_toml(&self, toml: &str) -> Option<Self::Value> {
        let given = DeValue::parse(toml).ok()?;
        self.read(&given).ok()
    }
}

/// Why a value does not fit; what is left out is said by the key's own form.
#[derive(Debug, Default)]
pub struct Misfit {
    /// The part that does not fit, if it is not the whole value.
    pub at: Option<Range<usize>>,
    /// What that part should be, if not what the form says.
    pub expected: Option<String>,
    /// The known word nearest to the given one.
    pub nearest: Option<String>,
    /// Well-formed and known, and not honoured by this version; the reason is in `expected`.
    pub is_refused: bool,
}

/// A length of time with its unit: `"250ms"`, `"30s"`, `"1h30m"`.
pub struct Duration {
    /// The shortest.
    pub at_least: Span,
    /// The longest.
    pub at_most: Span,
}

/// A whole number.
#[derive(Clone, Copy)]
pub struct Count {
    /// The least.
    pub at_least: u32,
    /// The most.
    pub at_most: u32,
}

/// Hosts of a scope: a number, or a percentage.
#[derive(Clone, Copy)]
pub struct Hosts {
    /// The least number; a percentage begins at one anyway.
    pub at_least: u32,
}

/// A form, or the word `"none"`.
#[derive(Clone, Copy)]
pub struct OrNone<F>(pub F);

/// One of a few words.
pub struct Choice<T: 'static> {
    /// The words and what they mean.
    pub words: &'static [(&'static str, T)],
    /// Words that are known and not honoured by this version, each with the reason as a whole sentence.
    pub refused: &'static [(&'static str, &'static str)],
}

/// Yes or no.
#[derive(Clone, Copy)]
pub struct Flag;

/// One line of text.
pub struct Text {
    /// The longest, in bytes.
    pub bytes_max: usize,
}

/// A name as hosts and groups have them.
pub struct Name;

/// A program and its arguments, run without a shell.
pub struct Program {
    /// Words at most, the program among them.
    pub words_max: usize,
}

/// A list without repetition.
pub struct ListOf<F> {
    /// What its members are.
    pub member: F,
    /// So many at most.
    pub at_most: usize,
}

impl Misfit {
    /// The whole value does not fit.
    pub fn plain() -> Self {
        Self::default()
    }

    /// A part does not fit, and should be what these words say.
    pub fn at(part: &Given<'_>, expected: impl Into<String>) -> Self {
        Self { at: Some(part.span()), expected: Some(expected.into()), ..Self::default() }
    }
}

impl Form for Duration {
    type Value = Span;

    fn expects(&self) -> String {
        format!(
            "a duration with its unit (ms, s, m, h, d) from {} to {}",
            duration_text(self.at_least),
            duration_text(self.at_most)
        )
    }

    fn read(&self, given: &Given<'_>) -> Result<Span, Misfit> {
        given
            .get_ref()
            .as_str()
            .and_then(read_duration)
            .filter(|span| (self.at_least..=self.at_most).contains(span))
            .ok_or_else(Misfit::plain)
    }
}

impl Form for Flag {
    type Value = bool;

    fn expects(&self) -> String {
        "true or false".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<bool, Misfit> {
        given.get_ref().as_bool().ok_or_else(Misfit::plain)
    }
}

impl Form for Count {
    type Value = u32;

    fn expects(&self) -> String {
        format!("a whole number from {} to {}", self.at_least, self.at_most)
    }

    fn read(&self, given: &Given<'_>) -> Result<u32, Misfit> {
        whole_number(given)
            .filter(|count| (self.at_least..=self.at_most).contains(count))
            .ok_or_else(Misfit::plain)
    }
}

/// Most hosts of one mesh: a larger count can only be a slip.
const HOSTS_MAX: u32 = detection::roster::HOSTS_MAX as u32;

impl Form for Hosts {
    type Value = Share;

    fn expects(&self) -> String {
        let least = self.at_least;
        format!("hosts from {least} to {HOSTS_MAX} or from \"1%\" to \"100%\"")
    }

    fn read(&self, given: &Given<'_>) -> Result<Share, Misfit> {
        let in_range = |count: &u32| (self.at_least..=HOSTS_MAX).contains(count);
        let count = || whole_number(given).filter(in_range);
        let percent = || {
            let digits = given.get_ref().as_str()?.strip_suffix('%')?;
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let percent = digits.parse().ok().filter(|_| is_plain)?;
            (1..=100u8).contains(&percent).then_some(percent)
        };
        count()
            .map(Share::Count)
            .or_else(|| percent().map(Share::Percent))
            .ok_or_else(Misfit::plain)
    }
}

impl<F: Form> Form for OrNone<F> {
    type Value = Option<F::Value>;

    fn expects(&self) -> String {
        format!("{}, or \"none\"", self.0.expects())
    }

    fn read(&self, given: &Given<'_>) -> Result<Self::Value, Misfit> {
        match given.get_ref().as_str() {
            Some("none") => Ok(None),
            _ => self.0.read(given).map(Some),
        }
    }
}

impl<T: Clone + Sync> Form for Choice<T> {
    type Value = T;

    fn expects(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|(word, _)| quoted(word)).collect();
        match &words[..] {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => words.concat(),
        }
    }

    fn read(&self, given: &Given<'_>) -> Result<T, Misfit> {
        let word = given.get_ref().as_str().ok_or_else(Misfit::plain)?;
        if let Some((_, value)) = self.words.iter().find(|(known, _)| *known == word) {
            return Ok(value.clone());
        }
        let refused = self.refused.iter().find(|(known, _)| *known == word);
        Err(match refused {
            Some((_, why)) => {
                Misfit { expected: Some((*why).to_owned()), is_refused: true, ..Misfit::default() }
            }
            None => Misfit {
                nearest: nearest(word, self.words.iter().map(|(known, _)| *known)).map(quoted),
                ..Misfit::default()
            },
        })
    }
}

impl Form for Text {
    type Value = String;

    fn expects(&self) -> String {
        format!("one line of text, 1 to {} bytes", self.bytes_max)
    }

    fn read(&self, given: &Given<'_>) -> Result<String, Misfit> {
        given
            .get_ref()
            .as_str()
            .filter(|text| (1..=self.bytes_max).contains(&text.len()) && is_one_line(text))
            .map(str::to_owned)
            .ok_or_else(Misfit::plain)
    }
}

impl Form for Name {
    type Value = Label;

    fn expects(&self) -> String {
        "a name of 1 to 63 of a-z 0-9 . _ -".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<Label, Misfit> {
        let text = given.get_ref().as_str().ok_or_else(Misfit::plain)?;
        Label::new(text).map_err(|_| Misfit::plain())
    }
}

/// Linux bounds one argument at 128 KiB; a longer one than this belongs into a file.
const ARGUMENT_BYTES_MAX: usize = 4_096;

impl Form for Program {
    type Value = Vec<String>;

    fn expects(&self) -> String {
        format!(
            "a list of 1 to {} texts: the absolute path of a program, then its arguments",
            self.words_max
        )
    }

    fn read(&self, given: &Given<'_>) -> Result<Vec<String>, Misfit> {
        let words = given.get_ref().as_array().ok_or_else(Misfit::plain)?;
        if !(1..=self.words_max).contains(&words.len()) {
            return Err(Misfit::plain());
        }
        let mut argv = Vec::with_capacity(words.len());
        for (place, word) in words.iter().enumerate() {
            argv.push(argument(place, word)?);
        }
        Ok(argv)
    }
}

fn argument(place: usize, word: &Given<'_>) -> Result<String, Misfit> {
    let text = word
        .get_ref()
        .as_str()
        .filter(|text| text.len() <= ARGUMENT_BYTES_MAX && !text.contains('\0'))
        .ok_or_else(|| Misfit::at(word, "a text without NUL, 4096 bytes at most"))?;
    if place == 0 && (!text.starts_with('/') || text.ends_with('/')) {
        let expected = "the absolute path of a program: it is run as it stands, without a shell";
        return Err(Misfit::at(word, expected));
    }
    Ok(text.to_owned())
}

impl<F: Form<Value: Ord + Clone>> Form for ListOf<F> {
    type Value = Vec<F::Value>;

    fn expects(&self) -> String {
        format!("a list of at most {}, each once: {}", self.at_most, self.member.expects())
    }

    fn read(&self, given: &Given<'_>) -> Result<Self::Value, Misfit> {
        let members = given.get_ref().as_array().ok_or_else(Misfit::plain)?;
        if members.len() > self.at_most {
            return Err(Misfit::plain());
        }
        let mut values: Vec<F::Value> = Vec::with_capacity(members.len());
        for member in members {
            let value = self.member.read(member).map_err(|misfit| Misfit {
                at: misfit.at.or_else(|| Some(member.span())),
                expected: misfit.expected.or_else(|| Some(self.member.expects())),
                ..misfit
            })?;
            if values.contains(&value) {
                return Err(Misfit::at(member, "each member once"));
            }
            values.push(value);
        }
        Ok(values)
    }
}

fn whole_number(given: &Given<'_>) -> Option<u32> {
    let integer = given.get_ref().as_integer()?;
    u32::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// No line break and nothing that moves a terminal's cursor.
fn is_one_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// Longest first, so that a duration has one order of parts; `ms` before `m` and `s`, of which it is made.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `"250ms"`, `"30s"`, `"1h30m"`: whole numbers with units, longest first, each unit once.
pub fn read_duration(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, tail) = tail.split_at(letters);
        let (_, worth) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(*worth)?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| Span::milliseconds(total))
}

/// Writes what [`read_duration`] reads, in as few parts as it takes.
pub fn duration_text(span: Span) -> String {
    let mut left = span.as_milliseconds();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, worth) in UNITS {
        if left >= worth {
            text.push_str(&format!("{}{name}", left / worth));
            left %= worth;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_one_order_of_parts() {
        let read = |text| read_duration(text).map(Span::as_milliseconds);
        assert_eq!(read("250ms"), Some(250));
        assert_eq!(read("30s"), Some(30_000));
        assert_eq!(read("1h30m"), Some(5_400_000));
        assert_eq!(read("1m5ms"), Some(60_005));
        for unsound in [
            "",
            "30",
            "s",
            "30 s",
            "30S",
            "-1s",
            "1.5s",
            "1s1m",
            "1s1s",
            "30min",
            "٣s",
            "99999999999999999999s",
            "9999999999999d",
        ] {
            assert_eq!(read(unsound), None, "{unsound:?} passed");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for ms in [0, 1, 250, 1_000, 61_000, 90_000, 5_400_000, 86_400_000, 123_456_789] {
            let span = Span::milliseconds(ms);
            assert_eq!(read_duration(&duration_text(span)), Some(span));
        }
    }

    #[test]
    fn hosts_are_a_number_or_a_percentage_with_its_sign() {
        let hosts = Hosts { at_least: 0 };
        assert_eq!(hosts.read_toml("3"), Some(Share::Count(3)));
        assert_eq!(hosts.read_toml("0"), Some(Share::Count(0)));
        assert_eq!(hosts.read_toml("0x10"), Some(Share::Count(16)));
        assert_eq!(hosts.read_toml("\"10%\""), Some(Share::Percent(10)));
        assert_eq!(Hosts { at_least: 1 }.read_toml("0"), None);
        for unsound in [
            "-1", "50001", "1.5", "\"3\"", "\"0%\"", "\"101%\"", "\"+5%\"", "\"5 %\"", "\"%\"",
            "true",
        ] {
            assert_eq!(hosts.read_toml(unsound), None, "{unsound} passed");
        }
    }

    #[test]
    fn a_program_is_named_by_its_absolute_path() {
        let program = Program { words_max: 3 };
        assert!(program.read_toml("['/bin/true', '-x']").is_some());
        for unsound in [
            "[]",
            "['true']",
            "['./true']",
            "['/bin/']",
            "'/bin/true'",
            "['/bin/true', 1]",
            "['/bin/true', \"a\\u0000b\"]",
            "['/a', 'b', 'c', 'd']",
        ] {
            assert!(program.read_toml(unsound).is_none(), "{unsound} passed");
        }
    }
}
