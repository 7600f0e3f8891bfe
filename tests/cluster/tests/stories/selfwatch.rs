//! Does a real agent tell a service manager what is true, and feed its watchdog by progress alone?

use std::fs::{self, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cluster::{PATIENCE, program};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};

use crate::start::lone::{Host, NOBODY, is_root};

/// After which silence the manager would end the agent.
const WATCHDOG: Duration = Duration::from_secs(2);

/// The least that it can be.
const MEMORY_MAX: &str = "\n[limits]\nmemory_max = \"64MiB\"\n";

/// More than a quarter above that, whatever else the agent holds.
const BALLAST: &str = "\
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void hold(void) { memset(malloc(96 << 20), 7, 96 << 20); }
";

/// A service manager's end of the socket, and an agent that was told where it is.
struct Managed {
    socket: UnixDatagram,
    agent: Child,
    host: Host,
    said: Vec<String>,
}

impl Managed {
    /// `change`: what stands otherwise in its `hale.toml`.
    fn start(change: impl FnOnce(String) -> String, log: Stdio) -> Self {
        Self::launch(change, Command::new(program::hale()), log)
    }

    /// The same; `launched` is what becomes the agent once its arguments are added.
    fn launch(change: impl FnOnce(String) -> String, launched: Command, log: Stdio) -> Self {
        let host = Host::laid();
        let path = notify_socket(&host);
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
        fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("set");
        let config = host.files.config();
        let text = fs::read_to_string(&config).expect("written");
        fs::write(&config, change(text)).expect("written");
        let agent = spawned(&host, launched, log);
        Self { socket, agent, host, said: Vec::new() }
    }

    /// The next life on the same files, as this becomes it.
    fn launch_again(&mut self, launched: Command) {
        self.said.clear();
        self.agent = spawned(&self.host, launched, Stdio::null());
    }

    /// With which code it ends by itself.
    fn ends(&mut self) -> Option<i32> {
        self.ends_within(PATIENCE)
    }

    /// The same, and no later than this.
    fn ends_within(&mut self, time: Duration) -> Option<i32> {
        let end = Instant::now() + time;
        loop {
            if let Some(ended) = self.agent.try_wait().expect("our own child") {
                return ended.code();
            }
            assert!(Instant::now() < end, "it runs on: {:?}", self.said);
            self.next();
        }
    }

    /// `hale status`, and what is added to it.
    fn status(&self, words: &[&str]) -> String {
        let mut command = Command::new(program::hale());
        command.arg("status").args(words).env("HALE_SOCKET", self.host.files.socket());
        String::from_utf8(command.output().expect("run").stdout).expect("text")
    }

    /// Reads what comes until this has been said.
    fn hears(&mut self, what: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said.iter().any(|word| word.starts_with(what)) {
            assert!(Instant::now() < end, "never said {what}: {:?}", self.said);
            self.next();
        }
    }

    /// The same, of what is said from now on.
    fn hears_again(&mut self, what: &str) {
        self.said.clear();
        self.hears(what);
    }

    /// Everything that comes in this time.
    fn hears_for(&mut self, time: Duration) -> Vec<String> {
        let (end, from) = (Instant::now() + time, self.said.len());
        while Instant::now() < end {
            self.next();
        }
        self.said[from..].to_vec()
    }

    fn next(&mut self) -> Option<String> {
        let mut bytes = [0; 4_096];
        let length = self.socket.recv(&mut bytes).ok()?;
        let word = String::from_utf8(bytes[..length].to_vec()).expect("text");
        self.said.push(word.clone());
        Some(word)
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.agent);
        kill_process(id, signal).expect("it runs");
    }
}

fn notify_socket(host: &Host) -> PathBuf {
    host.files.folder().join("notify.sock")
}

fn spawned(host: &Host, mut launched: Command, log: Stdio) -> Child {
    launched.arg("agent").arg("--config").arg(host.files.config());
    launched.env("NOTIFY_SOCKET", notify_socket(host));
    launched.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    launched.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    if is_root() {
        launched.uid(NOBODY).gid(NOBODY);
    }
    launched.spawn().expect("started")
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

#[test]
fn an_agent_says_ready_once_it_listens_feeds_the_watchdog_while_it_is_well_and_says_when_it_stops()
{
    let mut managed = Managed::start(|text| text, Stdio::null());
    managed.hears("READY=1");
    managed.hears("STATUS=no ledger is known yet; 0 hosts connected");
    let fed = |words: &[String]| words.iter().filter(|word| word.starts_with("WATCHDOG=1")).count();
    let words = managed.hears_for(WATCHDOG * 2);
    assert!(fed(&words) >= 4, "fed in time, with one meal to spare: {words:?}");
    let begun = std::mem::take(&mut managed.said);
    managed.signal(Signal::HUP);
    managed.hears("RELOADING=1");
    managed.hears("READY=1");
    managed.signal(Signal::STOP);
    managed.hears_for(WATCHDOG);
    assert_eq!(fed(&managed.hears_for(WATCHDOG)), 0, "a stopped process feeds nobody");
    managed.signal(Signal::CONT);
    let before = std::mem::take(&mut managed.said);
    managed.hears("WATCHDOG=1");
    managed.signal(Signal::TERM);
    managed.hears("STOPPING=1");
    let ended = managed.agent.wait().expect("ended");
    assert_eq!(ended.code(), Some(0));
    let until_stopped = [begun, before].concat();
    let troubles = until_stopped.iter().filter(|word| word.contains("TROUBLE"));
    assert_eq!(troubles.count(), 0, "{until_stopped:?}");
    let said = [until_stopped, managed.said.clone()].concat();
    assert_eq!(said.iter().filter(|word| word.starts_with("READY=1")).count(), 2, "{said:?}");
}

/// Its log goes into a pipe that nobody reads: the loop stands still as it writes, and everything else in the process lives.
#[test]
fn an_agent_whose_loop_stands_still_says_so_and_starves_its_watchdog_until_it_goes_on() {
    let (mut pipe, log) = io::pipe().expect("a pipe");
    fcntl_setpipe_size(&log, 4_096).expect("the smallest");
    // Thirty-two seeds that nobody listens at: each is told of, again and again.
    let seeds: Vec<String> = (1..=32).map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    let seeds = format!("seeds = [{}]", seeds.join(", "));
    let change = |text: String| text.replace("seeds = []", &seeds) + "\n[log]\nlevel = \"trace\"\n";
    let mut managed = Managed::start(change, log.into());
    managed.hears("READY=1");
    managed.hears("STATUS=TROUBLE: ");
    let told = managed.said.last().expect("just said").clone();
    let names_it =
        |name: &str| told.starts_with(&format!("STATUS=TROUBLE: {name} stands still for "));
    assert!(names_it("the loop") || names_it("the runtime's timers"), "{told}");
    // What was looked at before it was found to stand still may have fed it once more.
    managed.hears_for(WATCHDOG);
    let words = managed.hears_for(WATCHDOG * 2);
    assert!(!words.iter().any(|word| word.starts_with("WATCHDOG=1")), "{words:?}");
    std::thread::spawn(move || {
        let mut log = Vec::new();
        pipe.read_to_end(&mut log)
    });
    managed.hears_again("WATCHDOG=1");
}

/// A library that is loaded into the agent takes what a leak would have taken in time.
fn ballast(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("ballast.c"), folder.join("ballast.so"));
    fs::write(&source, BALLAST).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    assert!(compiler.status().expect("a C compiler, as the build needs it").success());
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("set");
    library
}

#[test]
fn an_agent_that_holds_more_memory_than_it_may_says_so_ends_with_75_and_is_started_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut heavy = Command::new(program::hale());
    heavy.env("LD_PRELOAD", ballast(folder.path()));
    let mut managed = Managed::launch(|text| text + MEMORY_MAX, heavy, Stdio::null());
    managed.hears("STATUS=TROUBLE: memory: ");
    let status = managed.status(&[]);
    let expected = "of 64 MiB (limits.memory_max): connections that nobody needs are let go, and the agent ends at 80 MiB";
    assert!(status.contains("  this agent: memory: ") && status.contains(expected), "{status}");
    assert_eq!(managed.ends(), Some(75));
    let unit = include_str!("../../../../deploy/systemd/hale.service");
    assert!(unit.contains("\nRestart=on-failure\n"), "systemd starts it anew");
    let never = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    assert!(never.is_some_and(|codes| !codes.contains("75")), "{never:?}");
    managed.launch_again(Command::new(program::hale()));
    managed.hears("READY=1");
    managed.hears("WATCHDOG=1");
    assert!(!managed.status(&[]).contains("this agent:"), "what leaked is gone");
}

#[test]
fn an_agent_that_nears_the_limit_of_its_descriptors_says_which_to_raise_and_goes_on() {
    let mut managed = Managed::start(|text| text, Stdio::null());
    managed.hears("WATCHDOG=1");
    let status = managed.status(&["--json"]);
    let (_, figure) = status.split_once("\"descriptors\":").expect("a figure");
    let figure: String = figure.trim_start().chars().take_while(char::is_ascii_digit).collect();
    let open: usize = figure.parse().expect("a number");
    managed.signal(Signal::TERM);
    assert_eq!(managed.ends(), Some(0));
    // Three quarters of it are taken.
    let limit = open * 4 / 3;
    let mut narrow = Command::new("sh");
    narrow.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(program::hale());
    managed.launch_again(narrow);
    managed.hears("STATUS=TROUBLE: ");
    let status = managed.status(&[]);
    let expected = format!(
        "of {limit} descriptors are open: raise the limit (LimitNOFILE=, ulimit -n) or lower limits.connections_max"
    );
    assert!(status.contains("  this agent: ") && status.contains(&expected), "{status}");
    managed.hears_again("WATCHDOG=1");
    managed.signal(Signal::TERM);
    assert_eq!(managed.ends(), Some(0));
}

/// In the place of its certificate stands a pipe that nobody writes into: whoever reads it waits for ever.
#[test]
fn an_agent_whose_certificate_files_hang_says_so_is_fed_on_and_ends_in_time_all_the_same() {
    /// Four seconds for the goodbye, two for what is closed, and room for a busy machine; systemd's own patience is fifteen.
    const ENDS_WITHIN: Duration = Duration::from_secs(12);
    let mut managed = Managed::start(|text| text, Stdio::null());
    managed.hears("READY=1");
    let certificate = managed.host.files.folder().join("host.pem");
    fs::remove_file(&certificate).expect("removed");
    let made = Command::new("mkfifo").arg("--mode=666").arg(&certificate).status();
    assert!(made.expect("there is such a program").success());
    managed.signal(Signal::HUP);
    managed.hears("RELOADING=1");
    managed.hears("STATUS=TROUBLE: the reader of the certificate files stands still for ");
    managed.hears_again("WATCHDOG=1");
    managed.signal(Signal::TERM);
    assert_eq!(managed.ends_within(ENDS_WITHIN), Some(0));
}
