//! What one attestation says: its voice, and what its paths prove of the host beneath a silent agent.
//!
//! Law Q1: silence counts only on a calibrated path, and only after a fresh dial was tried (protocol 2.3, 2.5).
//! Law Q2: whoever says "well" is counted as "well", whatever its paths say: a contradiction never condemns.
//! Not here: whether the attestation counts at all (see `grounds`), how voices add up (see `tally`).

use vocabulary::{Attestation, Grade, Life, Path, PathReading, Reading, Voice};

/// What an attestation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// For, against, or neither.
    pub voice: Voice,
    /// What the ports prove of the host; counted even where the voice is not (protocol 3.6 `HostDown`).
    pub life: Life,
    /// The named ports.
    pub named: NamedPorts,
    /// The author says of itself that it cannot tell (protocol 2.7).
    pub is_self_doubting: bool,
}

/// What the ports that the policy names gave, those that never answered left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedPorts {
    /// None is calibrated.
    Absent,
    /// All calibrated ones are silent.
    Silent,
    /// At least one gave something.
    Stirring,
}

/// Reads an attestation.
pub fn sight(attestation: &Attestation) -> Sight {
    let paths = &attestation.paths;
    let life = life(paths);
    Sight {
        voice: voice(attestation.grade, paths, life),
        life,
        named: named(paths),
        is_self_doubting: attestation.grade == Grade::Unknown,
    }
}

fn voice(grade: Grade, paths: &[PathReading], life: Life) -> Voice {
    let answered =
        paths.iter().any(|seen| is_agents(seen.path) && seen.reading == Reading::Answered);
    if answered || matches!(grade, Grade::Ok | Grade::Degraded) {
        return Voice::Ok;
    }
    // Bytes from the agent's own port: its process runs, though no path of the mesh reaches it. Neither well nor down.
    let speaks = gave(paths, |path| path == Path::AgentPort, Reading::Answered);
    if grade == Grade::Unknown || speaks || !was_dialled_afresh(paths) || !has_calibrated(paths) {
        return Voice::Mute;
    }
    Voice::Against(life)
}

/// protocol 2.4: refused, or bytes, prove the host; accepted without bytes proves nothing but a kernel.
fn life(paths: &[PathReading]) -> Life {
    let gave = |reading| gave(paths, is_port, reading);
    if gave(Reading::Refused) || gave(Reading::Answered) {
        Life::Proven
    } else if gave(Reading::Accepted) {
        Life::Accepted
    } else {
        Life::None
    }
}

fn named(paths: &[PathReading]) -> NamedPorts {
    let named = |reading| gave(paths, |path| matches!(path, Path::NamedPort(_)), reading);
    if named(Reading::Answered) || named(Reading::Refused) || named(Reading::Accepted) {
        NamedPorts::Stirring
    } else if named(Reading::Silent) {
        NamedPorts::Silent
    } else {
        NamedPorts::Absent
    }
}

/// protocol 2.3: an old connection dies with a fast restart; only a failed fresh dial counts.
fn was_dialled_afresh(paths: &[PathReading]) -> bool {
    paths.iter().any(|seen| seen.path == Path::FreshDial)
}

/// protocol 2.5: a path that never answered proves nothing. A refusal on a path of the agent needs no calibration.
fn has_calibrated(paths: &[PathReading]) -> bool {
    gave(paths, is_agents, Reading::Silent) || gave(paths, is_agents, Reading::Refused)
}

fn gave(paths: &[PathReading], which: impl Fn(Path) -> bool, reading: Reading) -> bool {
    paths.iter().any(|seen| which(seen.path) && seen.reading == reading)
}

/// Whether the agent itself answers on such a path.
fn is_agents(path: Path) -> bool {
    match path {
        Path::Warm | Path::Stream | Path::FreshDial | Path::NearRelay | Path::FarRelay => true,
        Path::AgentPort | Path::NamedPort(_) => false,
    }
}

fn is_port(path: Path) -> bool {
    !is_agents(path)
}
