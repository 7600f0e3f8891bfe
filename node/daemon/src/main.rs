//! The command `hale`.
fn main() {}
