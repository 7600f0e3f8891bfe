//! The folder of inputs that have ended this agent, and which of them it no longer takes.
//!
//! A file holds one input: how often it was seen, of what kind, by whom, what the panic said, and its first bytes in hex. A
//! person may read, send or remove it; removed, the input is taken again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use vocabulary::{Digest, HostId};

use super::held::{Input, Kind};

/// Inputs that are kept (law PO3): whoever sends more than this many different ones that each end the agent has found a fault
/// that no list mends.
pub const KEPT_MAX: usize = 16;

/// So often an input may end the agent: once may have been the machine.
const ENDS_MAX: u32 = 2;

/// Bytes of an input that are kept for a person; the digest is over all of them.
const BYTES_KEPT_MAX: usize = 64 * 1024;

/// What a panic said, cut.
const WORDS_BYTES_MAX: usize = 400;

/// Larger files are not ours.
const FILE_BYTES_MAX: u64 = 3 * BYTES_KEPT_MAX as u64;

/// What is no longer taken; empty on every sound agent, and then it costs nothing to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantine {
    refused: BTreeMap<Digest, String>,
}

/// One file of the folder.
struct Kept {
    path: PathBuf,
    seen: u32,
    /// In so many of these something else was done beside it.
    perhaps: u32,
    digest: String,
    about: String,
    written: SystemTime,
}

impl Quarantine {
    /// What lies in the folder; one that is not there holds nothing. A file that cannot be read is passed over: it is not
    /// worth an agent.
    pub fn read(folder: &Path) -> Self {
        let kept = kept(folder).into_iter().filter(Kept::is_refused);
        let refused = kept.filter_map(|kept| {
            let sentence = format!(
                "an input that ended this agent {} times is not taken any more: {}; remove {} to take it again",
                kept.seen,
                kept.about,
                kept.path.display()
            );
            Some((digest_of(&kept.digest)?, sentence))
        });
        Self { refused: refused.collect() }
    }

    /// What is no longer taken, one sentence each.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.refused.values().map(String::as_str)
    }

    /// An input as it came, to be held while it is read and while it is handled (law PO4); `None`: it is not to be handled
    /// (law PO2).
    pub fn admit(
        &self,
        kind: Kind,
        from: Option<HostId>,
        bytes: impl Into<Bytes>,
    ) -> Option<Input> {
        let input = Input { kind, from, bytes: bytes.into() };
        let is_free = self.refused.is_empty() || !self.refused.contains_key(&input.digest());
        is_free.then_some(input)
    }
}

impl Kept {
    /// Law PO2.
    fn is_refused(&self) -> bool {
        self.seen >= ENDS_MAX + u32::from(self.perhaps > 0)
    }
}

/// Keeps an input that has just ended the agent, on disk before this returns; where it lies and how often it was seen.
/// `is_perhaps`: something else was done beside it.
pub fn keep(
    folder: &Path,
    (input, is_perhaps): (&Input, bool),
    words: &str,
) -> io::Result<(PathBuf, u32)> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let digest = input.digest().to_string();
    let all = kept(folder);
    let before = all.iter().find(|kept| kept.digest == digest);
    let (seen, perhaps) = before.map_or((0, 0), |kept| (kept.seen, kept.perhaps));
    let (seen, perhaps) = (seen + 1, perhaps + u32::from(is_perhaps));
    make_room(all, &digest)?;
    let (path, draft) = (folder.join(&digest), folder.join("draft"));
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(text(input, (seen, perhaps), words).as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    File::open(folder)?.sync_all()?;
    Ok((path, seen))
}

/// Law PO3.
fn make_room(mut all: Vec<Kept>, digest: &str) -> io::Result<()> {
    if all.len() < KEPT_MAX || all.iter().any(|kept| kept.digest == digest) {
        return Ok(());
    }
    all.sort_by_key(|kept| (kept.is_refused(), kept.written));
    let gone = all.len() + 1 - KEPT_MAX;
    all.iter().take(gone).try_for_each(|kept| fs::remove_file(&kept.path))
}

fn text(input: &Input, (seen, perhaps): (u32, u32), words: &str) -> String {
    let from = input.from.map_or_else(|| "this host".to_owned(), |from| from.to_string());
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut = words.char_indices().map(|(at, _)| at).find(|at| *at >= WORDS_BYTES_MAX);
    let words = &words[..cut.unwrap_or(words.len())];
    let (kind, length) = (input.kind, input.bytes.len());
    let perhaps = if perhaps > 0 { format!(", perhaps {perhaps}") } else { String::new() };
    let mut text = format!(
        "{HEAD}\nseen {seen}{perhaps}\nabout a {kind} of {length} bytes from {from}\npanic {words}\nbytes "
    );
    for byte in input.bytes.iter().take(BYTES_KEPT_MAX) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

const HEAD: &str = "hale poison 1";

fn kept(folder: &Path) -> Vec<Kept> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    // A person may have put other things there.
    files.flatten().take(4 * KEPT_MAX).filter_map(|file| read(&file.path())).collect()
}

fn read(path: &Path) -> Option<Kept> {
    let digest = path.file_name()?.to_str()?.to_owned();
    digest_of(&digest)?;
    let file = File::open(path).ok()?;
    let written =
        file.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    (lines.next()? == HEAD).then_some(())?;
    let seen = lines.next()?.strip_prefix("seen ")?;
    let (seen, perhaps) = seen.split_once(", perhaps ").unwrap_or((seen, "0"));
    let (seen, perhaps) = (seen.parse().ok()?, perhaps.parse().ok()?);
    let about = lines.next()?.strip_prefix("about ")?.to_owned();
    Some(Kept { path: path.to_owned(), seen, perhaps, digest, about, written })
}

fn digest_of(text: &str) -> Option<Digest> {
    let bytes = text.as_bytes();
    (bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit)).then_some(())?;
    let mut digest = [0; 32];
    for (place, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(Digest(digest))
}

#[cfg(test)]
mod tests;
