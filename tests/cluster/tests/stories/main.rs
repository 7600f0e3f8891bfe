//! Stories of real processes: each breaks something from outside, and reads what any operator can read.

mod authorities;
mod boots;
mod certificates;
mod checks;
mod demo;
mod fleetlock;
mod floods;
mod founding;
mod healers;
mod hostile;
mod keepers;
mod lives;
mod persons;
mod poison;
mod seals;
mod selfwatch;
mod start;
mod still;
mod stores;
