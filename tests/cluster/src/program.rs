//! Where is the binary that is tested?

use std::path::{Path, PathBuf};

/// The `hale` that the same command has built: it lies beside the folder of the tests' own executables.
pub fn hale() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own executable");
    let profile = own.parent().and_then(Path::parent);
    let hale = profile.expect("a test lies in target/PROFILE/deps").join("hale");
    assert!(
        hale.is_file(),
        "{} is missing: `cargo test --workspace` builds it, and so does `cargo build -p hale-daemon`",
        hale.display()
    );
    hale
}
