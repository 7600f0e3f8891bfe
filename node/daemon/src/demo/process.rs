//! One child process: started in a group of its own, watched, signalled by its id, and never left behind.
//!
//! Law Q1: a process that is dropped is killed, whatever dropped it: the end of the story, a fault, a panic, an interrupt.
//! Law Q2: what must be true once it is dead is made true before anybody is told that it is dead.
//! Not here: what it runs.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running child, or one that has ended and was reaped.
pub struct Process {
    id: u32,
    has_ended: watch::Receiver<bool>,
    watched: JoinHandle<()>,
}

impl Process {
    /// Starts a program whose output is appended to `log`; `then` is done when it has ended, however it ended.
    pub fn start(
        program: &Path,
        arguments: &[&std::ffi::OsStr],
        log: &Path,
        then: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // An interrupt from the terminal is for the demo, which ends its children in good order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().ok_or_else(|| io::Error::other("it ended before it had begun"))?;
        let (tell, has_ended) = watch::channel(false);
        let watched = tokio::spawn(async move {
            // An error would mean that it is no child of ours any more.
            let _ = child.wait().await;
            then.await;
            tell.send_replace(true);
        });
        Ok(Self { id, has_ended, watched })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        *self.has_ended.borrow()
    }

    /// Sends a signal, if it still is there.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        match id {
            // The id is its own until it is reaped, and then `then` runs before anything else can ask.
            Some(id) if !self.has_ended() => Ok(rustix::process::kill_process(id, signal)?),
            _ => Ok(()),
        }
    }

    /// Returns when it has ended and what follows from that is done.
    pub async fn ended(&self) {
        // An error means that its watcher was dropped, and the child with it.
        let _ = self.has_ended.clone().wait_for(|ended| *ended).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // law Q1: here and now, even where no runtime is left that would drop the watcher.
        let _ = self.signal(Signal::KILL);
        self.watched.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn is_there(id: u32) -> bool {
        // A killed child that nobody has reaped yet is a zombie: it is there, and runs no more.
        std::fs::read_to_string(format!("/proc/{id}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
    }

    fn sleeper(log: &Path, then: impl Future<Output = ()> + Send + 'static) -> Process {
        let arguments = ["3600"].map(OsStr::new);
        Process::start(Path::new("/bin/sleep"), &arguments, log, then).expect("started")
    }

    #[tokio::test]
    async fn a_process_that_is_killed_is_told_of_after_what_follows_from_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (done, mut follows) = oneshot::channel();
        let process = sleeper(&folder.path().join("log"), async move {
            let _ = done.send(());
        });
        process.signal(Signal::STOP).expect("stopped");
        process.signal(Signal::KILL).expect("killed, though stopped");
        timeout(PATIENCE, process.ended()).await.expect("it ends");
        assert_eq!(follows.try_recv(), Ok(()), "law Q2");
        assert!(!is_there(process.id()));
        process.signal(Signal::KILL).expect("nobody else is hit");
    }

    #[test]
    fn a_process_does_not_outlive_the_story_even_if_that_panics() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let (tell, told) = std::sync::mpsc::channel();
        let story = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let process = sleeper(&log, async {});
                tell.send(process.id()).expect("heard");
                panic!("the story broke off");
            });
        });
        assert!(story.join().is_err());
        let id = told.recv().expect("it had begun");
        let end = std::time::Instant::now() + PATIENCE;
        while is_there(id) {
            assert!(std::time::Instant::now() < end, "law Q1");
            std::thread::yield_now();
        }
    }
}
