//! Tells whoever watches what happens, when it happens, in plain sentences.
//!
//! Law N1: what is told as a fact of the mesh was read from an agent; what the demo does itself is told as its own doing.

use std::time::Instant;

/// Who listens to a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    /// Standard output.
    Output,
    /// Standard error: the output is kept for one JSON object.
    Beside,
    /// Nobody: only the proofs matter.
    Nobody,
}

/// Speaks as it happens.
pub struct Story {
    began: Instant,
    ear: Ear,
}

impl Story {
    /// Begins now.
    pub fn begin(ear: Ear) -> Self {
        Self { began: Instant::now(), ear }
    }

    /// A heading.
    pub fn head(&self, text: &str) {
        self.line("");
        self.line(text);
        self.line(&"-".repeat(text.chars().count()));
    }

    /// What happened, with the seconds since the beginning.
    pub fn say(&self, text: impl AsRef<str>) {
        let seconds = self.began.elapsed().as_secs_f32();
        self.line(&format!("{seconds:6.1} s  {}", text.as_ref()));
    }

    /// Text as it is.
    pub fn line(&self, text: &str) {
        use std::io::Write as _;
        // Nobody reads a closed pipe, and the proofs do not hang on it.
        let _ = match self.ear {
            Ear::Output => writeln!(std::io::stdout(), "{text}"),
            Ear::Beside => writeln!(std::io::stderr(), "{text}"),
            Ear::Nobody => Ok(()),
        };
    }
}

/// `1.4 s` for people; a dash where nothing was seen.
pub fn seconds(of_ms: Option<u64>) -> String {
    of_ms.map_or_else(|| "-".to_owned(), |ms| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(seconds(Some(1_449)), "1.4 s");
        assert_eq!(seconds(Some(40)), "0.0 s");
        assert_eq!(seconds(None), "-");
    }
}
