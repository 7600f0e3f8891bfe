//! Are the bytes of every message what they have always been (law W2), and are any other bytes a value or a named fault (law W1)?

mod any;
#[path = "../bent/mod.rs"]
mod bent;
#[path = "../golden/mod.rs"]
mod golden;
mod messages;
