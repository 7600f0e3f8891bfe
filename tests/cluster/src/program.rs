//! Where is the binary that is tested?

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

static HALE: LazyLock<PathBuf> = LazyLock::new(found);

/// The `hale` that was built from the sources as they are: it lies beside the folder of the tests' own executables. `HALE_PROGRAM`
/// names another one, whose age is for whoever names it to know.
pub fn hale() -> PathBuf {
    HALE.clone()
}

fn found() -> PathBuf {
    if let Some(named) = std::env::var_os("HALE_PROGRAM") {
        return fs::canonicalize(&named)
            .unwrap_or_else(|why| panic!("HALE_PROGRAM, {}: {why}", named.display()));
    }
    let own = std::env::current_exe().expect("a test knows its own executable");
    let profile = own.parent().and_then(Path::parent);
    let hale = profile.expect("a test lies in target/PROFILE/deps").join("hale");
    let how = "`cargo test --workspace` builds it, and so does `cargo build -p hale-daemon`";
    assert!(hale.is_file(), "{} is missing: {how}", hale.display());
    // `cargo test -p hale-test-cluster` alone builds everything but the binary: an older one would be tested in silence.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rooms = ["protocol", "consensus", "node"].map(|floor| root.join(floor));
    let written = rooms.iter().filter_map(|floor| newest(floor)).max();
    let built = fs::metadata(&hale).and_then(|known| known.modified()).expect("a file has a date");
    let is_old = written.is_some_and(|written| written > built);
    assert!(!is_old, "{} is older than its sources: {how}", hale.display());
    hale
}

/// When a source of a crate below this folder was last written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let dates = entries.filter_map(|entry| {
        let (path, kind) = (entry.path(), entry.file_type().ok()?);
        if kind.is_dir() && path.file_name() != Some("tests".as_ref()) {
            return newest(&path);
        }
        let is_source = path.extension() == Some("rs".as_ref());
        is_source.then(|| entry.metadata().and_then(|known| known.modified()).ok()).flatten()
    });
    dates.max()
}
