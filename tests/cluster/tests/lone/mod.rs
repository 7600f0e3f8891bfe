//! One host's files, and a start of its agent that must fail: told in one line, with its own exit code, nothing half-started.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use cluster::{PATIENCE, program};
use daemon::authority::{self, Term};
use daemon::demo::plan::{Files, HOSTS, Planned, Reached};
use daemon::demo::ports;
use tokio::process::Command;

/// Whom the agent runs as where the tests run as root: to root every file is readable.
pub const NOBODY: u32 = 65_534;

pub const DAY: Duration = Duration::from_secs(86_400);

/// One host's files, sound until a story spoils them.
pub struct Host {
    _folder: tempfile::TempDir,
    pub files: Files,
    pub bind: SocketAddr,
    /// Somebody else holds the port.
    pub is_taken: bool,
}

/// What is left of a start that failed.
pub struct Failed {
    pub code: Option<i32>,
    pub said: String,
}

impl Host {
    pub fn laid() -> Host {
        Host::with_term(Term::from_now(1))
    }

    /// One that is no keeper.
    pub fn plain() -> Host {
        let plain = HOSTS.iter().find(|host| !host.is_keeper).expect("the plan has some");
        Host::of(plain, Term::from_now(1))
    }

    pub fn with_term(term: Term) -> Host {
        Host::of(&HOSTS[0], term)
    }

    fn of(planned: &Planned, term: Term) -> Host {
        let folder = tempfile::tempdir().expect("a folder");
        open_to_all(folder.path());
        let claims = planned.claims().expect("sound");
        let authority = folder.path().join("authority");
        authority::init(
            &claims.cluster,
            &authority,
            Term::starting(SystemTime::now() - 9 * DAY, 19),
        )
        .expect("founded");
        let files = Files::of(folder.path(), planned);
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
        Host { _folder: folder, files, bind, is_taken: false }
    }

    /// The agent as whoever may run it.
    fn agent(&self) -> Command {
        let mut command = Command::new(program::hale());
        command.arg("agent").arg("--config").arg(self.files.config());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// One line that names this, with this code; no socket, no life, no store and no port is left.
    #[track_caller]
    pub fn fails_with(&self, code: i32, named: &str) {
        self.ended().is_one_line(code, named);
        assert!(!self.files.socket().exists(), "no socket is left");
        assert_eq!(self.left_in_storage(), [""; 0], "no life is begun, and no store");
        let free = UdpSocket::bind(self.bind).map(drop);
        assert!(free.is_ok() || self.is_taken, "no port is left");
    }

    /// How a start of its agent ends.
    pub fn ended(&self) -> Failed {
        ended(self.agent())
    }

    /// What lies in the storage folder beside its lock.
    fn left_in_storage(&self) -> Vec<String> {
        let files = fs::read_dir(self.files.storage()).into_iter().flatten();
        let names = files.map(|file| file.expect("readable").file_name().into_string());
        names.map(|name| name.expect("text")).filter(|name| name != "lock").collect()
    }

    /// What the test has put there is the agent's own.
    pub fn gives_to_its_user(&self, path: &Path) {
        if is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
    }

    pub fn take_away_rights_of(&self, path: PathBuf, mode: u32) {
        if is_root() {
            chown(&path, Some(0), Some(0)).expect("taken back");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs until it ends by itself; one that does not is killed.
pub fn ended(command: Command) -> Failed {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ended_soon(command))
}

/// The same within a story.
pub async fn ended_soon(mut command: Command) -> Failed {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = ended.expect("an agent that cannot go on ends by itself");
    let output = output.expect("the program can be run by everybody");
    Failed { code: output.status.code(), said: String::from_utf8(output.stderr).expect("text") }
}

impl Failed {
    /// One line that names this, with this code.
    #[track_caller]
    pub fn is_one_line(&self, code: i32, named: &str) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        let lines: Vec<&str> = self.said.lines().collect();
        assert_eq!(lines.len(), 1, "{}", self.said);
        assert!(lines[0].starts_with("hale: "), "{}", self.said);
        assert!(lines[0].contains(named), "{named}: {}", self.said);
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}
