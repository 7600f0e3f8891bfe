//! What do real processes with real signals show that nothing else can?
//!
//! Not here: the stories (see `tests/stories`), and anything that needs root but `tests/rights.rs`.

pub mod deeds;
pub mod mesh;
pub mod program;
pub mod remedies;
pub mod stranger;
