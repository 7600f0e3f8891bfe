//! Does an agent go on, and answer its operator, whose admin socket is flooded by other users of the host? Needs root: each
//! flood comes from threads of another user.
//!
//! The figures are printed (`--nocapture`); a release build has those that count.

mod lone;

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::figures::{Peak, Spending};
use cluster::mesh::until;
use cluster::program;
use daemon::admin::answer::Status;
use daemon::admin::client::Client;
use daemon::demo::process::Process;
use lone::Host;
use rustix::process::Uid;
use rustix::thread::set_thread_res_uid;

/// How long each flood lasts.
const LASTS: Duration = Duration::from_secs(6);

/// Threads of each user: more than the connections that it may have.
const THREADS: usize = 12;

/// Aim of the issue: what a flood may cost an agent's memory.
const GROWTH_KB_MAX: u64 = 16 * 1_024;

/// May ask, by the configuration.
const READER: u32 = 65_533;

/// Is on no list.
const STRANGER: u32 = 65_532;

/// What is done to the socket.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// Connections that are opened and closed.
    Connections,
    /// Connections on which half a request comes, and no more.
    Halves,
    /// Questions, one after the other.
    Questions,
    /// Orders of the largest size.
    Orders,
}

#[test]
fn an_admin_socket_that_other_users_flood_answers_its_operator() {
    let host = Host::laid();
    let config = std::fs::read_to_string(host.files.config()).expect("laid");
    let listed = format!("[admin]\nread_users = [{READER}]");
    std::fs::write(host.files.config(), config.replace("[admin]", &listed)).expect("written");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let config = host.files.config();
        let arguments = [OsStr::new("agent"), OsStr::new("--config"), config.as_os_str()];
        let process = Process::start(&program::hale(), &arguments, &host.files.log(), async {});
        let process = process.expect("started");
        let socket = host.files.socket();
        until("it listens", async || {
            Client::new(&socket).ask::<Status>("/v1/status").await.is_ok()
        })
        .await;
        for flood in [Flood::Connections, Flood::Halves, Flood::Questions, Flood::Orders] {
            let (peak, spending) = (Peak::of(process.id()), Spending::of(process.id()));
            let rate = under(flood, &socket).await / LASTS.as_secs();
            let (percent, growth) = (spending.percent(), peak.growth_kb());
            println!(
                "admin flood {flood:?}, {rate}/s: +{growth} kB, {percent:.1} % of a processor"
            );
            assert!(rate > 0, "{flood:?}: something was sent");
            assert!(growth < GROWTH_KB_MAX, "{flood:?}: {growth} kB more");
        }
    });
}

/// An operator at 3 am takes a slower answer for none.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The operator asks all the while; how often the flood came through to the socket.
async fn under(flood: Flood, socket: &Path) -> u64 {
    let (is_over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut threads = Vec::new();
    for user in [READER, STRANGER] {
        for _ in 0..THREADS {
            let (socket, is_over, done) = (socket.to_owned(), is_over.clone(), done.clone());
            threads.push(thread::spawn(move || pour(flood, user, (socket, is_over, done))));
        }
    }
    let end = Instant::now() + LASTS;
    while Instant::now() < end {
        operator_is_answered(socket, ANSWER_WITHIN).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no panic");
    }
    done.load(Ordering::Relaxed)
}

/// At its first question, and soon.
async fn operator_is_answered(socket: &Path, within: Duration) {
    let client = Client::new(socket);
    let asked = tokio::time::timeout(within, client.ask::<Status>("/v1/status")).await;
    asked.expect("its operator is answered in time").expect("its operator is answered");
}

type Shared = (PathBuf, Arc<AtomicBool>, Arc<AtomicU64>);

/// What one thread of this user does until it is over.
fn pour(flood: Flood, user: u32, (socket, is_over, done): Shared) {
    let user = Some(Uid::from_raw(user));
    // Of this thread alone: the kernel tells the agent who connects.
    set_thread_res_uid(user, user, user).expect("the tests run as root");
    let mut held = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        if once(flood, &socket, &mut held).is_some() {
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `None` where the agent did not take it.
fn once(flood: Flood, socket: &Path, held: &mut Vec<UnixStream>) -> Option<()> {
    let mut stream = match held.pop() {
        Some(stream) => stream,
        None => UnixStream::connect(socket).ok()?,
    };
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.set_write_timeout(Some(Duration::from_secs(1))).ok()?;
    match flood {
        Flood::Connections => {}
        Flood::Halves => {
            stream.write_all(b"GET /v1/status HTT").ok()?;
            // Until the agent hangs up on it.
            let _ = stream.read(&mut [0]);
        }
        Flood::Questions => {
            stream.write_all(b"GET /v1/audit HTTP/1.1\r\nhost: hale\r\n\r\n").ok()?;
            let read = stream.read(&mut [0; 65_536]).ok()?;
            (read > 0).then(|| held.push(stream))?;
        }
        Flood::Orders => {
            let body = [b' '; BODY_BYTES];
            let head = format!(
                "POST /v1/pause HTTP/1.1\r\nhost: hale\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&body).ok()?;
            let _ = stream.read(&mut [0; 4_096]);
        }
    }
    Some(())
}

/// As large as an order may be.
const BODY_BYTES: usize = 256 * 1_024;
