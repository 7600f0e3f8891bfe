//! Is an agent that cannot start told in one line, with its own exit code, and nothing half-started?

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use cluster::program::{self, PATIENCE};
use daemon::authority::{self, Term};
use daemon::demo::plan::{Files, HOSTS, Reached};
use daemon::demo::ports;
use tokio::process::Command;

/// Whom the agent runs as where the tests run as root: to root every file is readable.
const NOBODY: u32 = 65_534;

const DAY: Duration = Duration::from_secs(86_400);

/// One host's files, sound until a story spoils them.
struct Host {
    _folder: tempfile::TempDir,
    files: Files,
    bind: SocketAddr,
}

/// What is left of a start that failed.
struct Failed {
    code: Option<i32>,
    said: String,
}

impl Host {
    fn laid() -> Host {
        Host::with_term(Term::from_now(1))
    }

    fn with_term(term: Term) -> Host {
        let folder = tempfile::tempdir().expect("a folder");
        open_to_all(folder.path());
        let claims = HOSTS[0].claims().expect("sound");
        let authority = folder.path().join("authority");
        authority::init(
            &claims.cluster,
            &authority,
            Term::starting(SystemTime::now() - 9 * DAY, 19),
        )
        .expect("founded");
        let files = Files::of(folder.path(), &HOSTS[0]);
        authority::issue(&claims, &authority, files.folder(), term).expect("issued");
        open_to_all(files.folder());
        let bind = ports::free().expect("a port");
        let reached = Reached { bind, relays: Vec::new(), seeds: Vec::new() };
        fs::write(files.config(), files.config_text(&reached)).expect("written");
        fs::create_dir(files.storage()).expect("made");
        if is_root() {
            let owned =
                [files.storage(), files.folder().to_owned(), files.folder().join("host.key")];
            for path in owned {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
            }
        }
        Host { _folder: folder, files, bind }
    }

    /// The agent must end by itself; one that does not is killed when it is dropped.
    fn start(&self) -> Failed {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let output = runtime.block_on(async {
            let mut command = Command::new(program::hale());
            command.arg("agent").arg("--config").arg(self.files.config());
            command.stdin(Stdio::null()).kill_on_drop(true);
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            let ended = tokio::time::timeout(PATIENCE, command.output()).await;
            ended.expect("an agent that cannot start ends by itself")
        });
        let output = output.expect("the program can be run by everybody");
        Failed { code: output.status.code(), said: String::from_utf8(output.stderr).expect("text") }
    }

    /// One line that names this, with this code; no socket, no life and no port is left.
    #[track_caller]
    fn fails_with(&self, code: i32, named: &str) {
        let failed = self.start();
        assert_eq!(failed.code, Some(code), "{}", failed.said);
        let lines: Vec<&str> = failed.said.lines().collect();
        assert_eq!(lines.len(), 1, "{}", failed.said);
        assert!(lines[0].starts_with("hale: "), "{}", failed.said);
        assert!(lines[0].contains(named), "{named}: {}", failed.said);
        assert!(!self.files.socket().exists(), "no socket is left");
    }

    fn has_lived(&self) -> bool {
        self.files.storage().join("boot").exists()
    }

    fn take_away_rights_of(&self, path: PathBuf, mode: u32) {
        if is_root() {
            chown(&path, Some(0), Some(0)).expect("taken back");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn a_key_that_cannot_be_read_is_a_matter_of_permission() {
    let host = Host::laid();
    let mode = if is_root() { 0o600 } else { 0 };
    host.take_away_rights_of(host.files.folder().join("host.key"), mode);
    host.fails_with(77, "host.key");
    assert!(!host.has_lived());
}

#[test]
fn a_key_that_others_may_read_is_a_matter_of_permission() {
    let host = Host::laid();
    let key = host.files.folder().join("host.key");
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).expect("set");
    host.fails_with(77, "host.key");
    assert!(!host.has_lived());
}

#[test]
fn a_certificate_that_has_ended_is_refused() {
    let host = Host::with_term(Term::starting(SystemTime::now() - 5 * DAY, 1));
    host.fails_with(78, "ended");
    assert!(!host.has_lived());
}

#[test]
fn a_certificate_that_is_missing_is_refused() {
    let host = Host::laid();
    fs::remove_file(host.files.folder().join("host.pem")).expect("removed");
    host.fails_with(78, "host.pem");
    assert!(!host.has_lived());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let host = Host::laid();
    let _taken = UdpSocket::bind(host.bind).expect("free until now");
    host.fails_with(71, &host.bind.to_string());
}

#[test]
fn a_socket_that_cannot_be_made_is_a_matter_of_permission() {
    let host = Host::laid();
    host.take_away_rights_of(host.files.folder().to_owned(), 0o555);
    host.fails_with(77, "admin.sock");
    assert!(!host.has_lived());
}

#[test]
fn a_storage_folder_that_cannot_be_written_is_a_matter_of_permission() {
    let host = Host::laid();
    host.take_away_rights_of(host.files.storage(), 0o555);
    host.fails_with(77, "storage");
    assert!(!host.has_lived());
}
