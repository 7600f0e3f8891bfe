//! What was done to each host, written down outside hale: one file for each host, one JSON object a line.
//!
//! Law J1: a line is written whole, behind all others, and is on the disk before its writer goes on: a begin stands before its effect,
//! an end behind it and before the healer hears of it.
//! Law J2: times are of CLOCK_MONOTONIC, which all processes of one machine share and no clock shift reaches.
//! Not here: who writes them (see `target`, `desk`), what they must say (see `judge`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What was seen of a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// Its effect begins.
    Begin,
    /// Its effect is done, to the end.
    End,
    /// Its program went away before the end, or what it asked for failed: nothing more of it happens.
    Broken,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was seen.
    pub seen: Seen,
    /// On which host, by name.
    pub host: String,
    /// For which case.
    pub case: u64,
    /// Which remedy.
    pub remedy: u64,
    /// Under which fence.
    pub fence: u64,
    /// When, in milliseconds of CLOCK_MONOTONIC.
    pub mono_ms: u64,
}

impl Entry {
    /// The same remedy, seen now in another way.
    pub fn now(&self, seen: Seen) -> Self {
        Self { seen, mono_ms: mono_ms(), ..self.clone() }
    }
}

/// The file of a host in the folder of all journals.
pub fn file(folder: &Path, host: &str) -> PathBuf {
    folder.join(format!("{host}.jsonl"))
}

/// law J1.
pub fn append(folder: &Path, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(file(folder, &entry.host))?;
    file.write_all(&line)?;
    file.sync_all()
}

/// All lines of a host, oldest first; none where nothing was ever done to it.
pub fn read(folder: &Path, host: &str) -> io::Result<Vec<Entry>> {
    let text = match fs::read_to_string(file(folder, host)) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
}

/// law J2.
pub fn mono_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let milliseconds = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or_default();
    seconds.saturating_mul(1_000).saturating_add(milliseconds)
}

/// The machine's own wall clock, asked of the kernel itself.
pub fn wall_ms() -> u64 {
    let now = clock_gettime(ClockId::Realtime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let milliseconds = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or_default();
    seconds.saturating_mul(1_000).saturating_add(milliseconds)
}
