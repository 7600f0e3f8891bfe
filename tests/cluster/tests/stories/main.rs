//! Stories of real processes: each breaks something from outside, and reads what any operator can read.

mod healers;
mod lives;
mod start;
mod still;
