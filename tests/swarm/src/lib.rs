//! Do the laws hold in every small world, and in many large ones?
//!
//! [`verdicts`] enumerates fleets, deaths, cuts and liars and asks what the mesh concludes (protocol 3). [`fleets`] plays whole
//! agents in virtual time, under faults drawn from a seed, before a checker of every law.
//! Not here: stories that a person can read (see `tests/scenarios`), real processes (see `tests/cluster`).

pub mod fleets;
pub mod verdicts;
