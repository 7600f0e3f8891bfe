//! What went wrong with a measurement, as a sentence.

use std::fmt;

/// Nothing that was measured until then counts.
#[derive(Debug)]
pub struct BenchFault(String);

impl BenchFault {
    /// What went wrong.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// What was being done, for `map_err`.
    pub fn of<E: fmt::Display>(doing: &'static str) -> impl Fn(E) -> Self {
        move |why| Self(format!("could not {doing}: {why}"))
    }
}

impl fmt::Display for BenchFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
