//! Stories of real processes: each breaks something from outside, and reads what any operator can read.

mod boots;
mod certificates;
mod founding;
mod healers;
mod hostile;
mod lives;
mod start;
mod still;
mod stores;
