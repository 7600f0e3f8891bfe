//! The other end of the demo's remedies: each asks over a socket that a host's agent be started again.
//!
//! This is the demo's stand-in for a cloud or a baseboard controller, and a better one than most: it compares fences.
//!
//! Law R1: nothing is done under a fence lower than the highest seen for the subject.
//! Law R2: a remedy that was done is not done again; one that is running is not begun twice.
//! Not here: the program on the healer that asks (see `remedy`).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time;

use super::journal::{Errand, Journal, Seen};

/// A request or an answer is one line; names are at most 63 bytes and words few.
pub const LINE_BYTES_MAX: u64 = 4_096;

/// Remedies ask at once or not at all.
const ASKED_WITHIN: Duration = Duration::from_secs(5);

/// More at once than any budget of the demo allows, so that a broken budget is seen and not hidden.
const ASKING_MAX: usize = 16;

/// What a remedy asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum Ask {
    /// Start the subject's agent anew.
    Start(Errand),
    /// Say whether that was done; change nothing.
    Inspect(Errand),
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "detail", rename_all = "lowercase")]
pub enum Answer {
    /// It was done.
    Done(String),
    /// It was not done, and nothing was begun.
    Refused(String),
    /// It was begun, and is not known to be done.
    Unknown(String),
}

/// What starts a host's agent.
pub trait Hands: Send + Sync {
    /// Ends what is left of the subject's agent and starts it anew; the answer says in words what was done, or why not.
    fn start_anew<'a>(&'a self, subject: &'a str) -> Start<'a>;
}

/// A start under way.
pub type Start<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

/// Serves remedies until it is dropped.
pub struct Starter {
    _task: JoinSet<()>,
}

struct Desk {
    hands: Arc<dyn Hands>,
    journal: Arc<Journal>,
    book: Mutex<Book>,
}

/// What has been asked for so far.
#[derive(Default)]
struct Book {
    highest_fence: BTreeMap<String, u64>,
    remedies: BTreeMap<u64, Standing>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Running,
    Ended(Answer),
}

impl Starter {
    /// Listens on this socket.
    pub fn at(socket: &Path, hands: Arc<dyn Hands>, journal: Arc<Journal>) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let desk = Arc::new(Desk { hands, journal, book: Mutex::default() });
        let mut task = JoinSet::new();
        task.spawn(serve(listener, desk));
        Ok(Self { _task: task })
    }
}

async fn serve(listener: UnixListener, desk: Arc<Desk>) {
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if asking.len() < ASKING_MAX => {
                if let Ok((stream, _)) = accepted {
                    asking.spawn(serve_one(stream, desk.clone()));
                }
            }
            Some(_) = asking.join_next() => {}
        }
    }
}

/// A remedy that goes away while we work for it does not stop the work: its healer then inspects.
async fn serve_one(stream: UnixStream, desk: Arc<Desk>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let mut bounded = (&mut stream).take(LINE_BYTES_MAX);
    let Ok(Ok(1..)) = time::timeout(ASKED_WITHIN, bounded.read_line(&mut line)).await else {
        return;
    };
    let answer = match serde_json::from_str(&line) {
        Ok(ask) => desk.answer(ask).await,
        Err(why) => Answer::Refused(format!("not a request: {why}")),
    };
    if let Ok(mut text) = serde_json::to_vec(&answer) {
        text.push(b'\n');
        let _ = stream.write_all(&text).await;
    }
}

impl Desk {
    async fn answer(&self, ask: Ask) -> Answer {
        match ask {
            Ask::Inspect(errand) => self.with_book(|book| book.inspect(&errand)),
            Ask::Start(errand) => match self.with_book(|book| book.take(&errand)) {
                Some(said) => self.turn_away(&errand, said),
                None => self.start(&errand).await,
            },
        }
    }

    fn turn_away(&self, errand: &Errand, said: Answer) -> Answer {
        let (Answer::Done(why) | Answer::Refused(why) | Answer::Unknown(why)) = &said;
        match self.journal.write(Seen::Refused, errand, why) {
            Ok(()) => said,
            Err(fault) => Answer::Unknown(format!("the journal could not be written: {fault}")),
        }
    }

    async fn start(&self, errand: &Errand) -> Answer {
        // law J1: no begin in the journal, nothing done.
        let answer = match self.journal.write(Seen::Begin, errand, "") {
            Err(fault) => Answer::Refused(format!("the journal could not be written: {fault}")),
            Ok(()) => match self.hands.start_anew(&errand.subject).await {
                Ok(said) => self.ended(Seen::End, errand, said, Answer::Done),
                Err(why) => self.ended(Seen::Failed, errand, why, Answer::Unknown),
            },
        };
        self.with_book(|book| book.end(errand, answer.clone()));
        answer
    }

    fn ended(
        &self,
        seen: Seen,
        errand: &Errand,
        said: String,
        answer: fn(String) -> Answer,
    ) -> Answer {
        match self.journal.write(seen, errand, &said) {
            Ok(()) => answer(said),
            Err(fault) => Answer::Unknown(format!("the journal could not be written: {fault}")),
        }
    }

    fn with_book<T>(&self, turn: impl FnOnce(&mut Book) -> T) -> T {
        turn(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Book {
    /// `None`: go on; the remedy counts as running from now.
    fn take(&mut self, errand: &Errand) -> Option<Answer> {
        match self.remedies.get(&errand.remedy) {
            Some(Standing::Running) => {
                return Some(Answer::Unknown("it is running already".into()));
            }
            Some(Standing::Ended(Answer::Done(_))) => {
                return Some(Answer::Done("it was done before".into()));
            }
            Some(Standing::Ended(_)) | None => {}
        }
        let highest = self.highest_fence.entry(errand.subject.clone()).or_default();
        if errand.fence < *highest {
            // law R1
            let why = format!("fence {} is below {highest}, seen before", errand.fence);
            return Some(Answer::Refused(why));
        }
        *highest = errand.fence;
        self.remedies.insert(errand.remedy, Standing::Running);
        None
    }

    fn end(&mut self, errand: &Errand, answer: Answer) {
        self.remedies.insert(errand.remedy, Standing::Ended(answer));
    }

    fn inspect(&self, errand: &Errand) -> Answer {
        match self.remedies.get(&errand.remedy) {
            None => Answer::Refused("it was never begun here".into()),
            Some(Standing::Running) => Answer::Unknown("it is running".into()),
            Some(Standing::Ended(answer)) => answer.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::remedy::{self, Errands};
    use super::*;
    use tokio::sync::Semaphore;

    /// Starts when it is let, and fails for hosts that nobody knows.
    struct Model {
        may: Semaphore,
    }

    impl Hands for Model {
        fn start_anew<'a>(&'a self, subject: &'a str) -> Start<'a> {
            Box::pin(async move {
                let permit = self.may.acquire().await.map_err(|why| why.to_string())?;
                permit.forget();
                match subject {
                    "a1" => Ok("pid 7".into()),
                    other => Err(format!("no host {other}")),
                }
            })
        }
    }

    struct Room {
        _folder: tempfile::TempDir,
        _starter: Starter,
        socket: std::path::PathBuf,
        model: Arc<Model>,
        journal: Arc<Journal>,
    }

    fn room(permits: usize) -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("starter.sock");
        let journal = Journal::begin(&folder.path().join("journal.jsonl")).expect("begun");
        let journal = Arc::new(journal);
        let model = Arc::new(Model { may: Semaphore::new(permits) });
        let starter = Starter::at(&socket, model.clone(), journal.clone()).expect("listens");
        Room { _folder: folder, _starter: starter, socket, model, journal }
    }

    fn errand(subject: &str, fence: u64, remedy: u64) -> Errand {
        Errand { case: 1, subject: subject.into(), verdict: "AgentDown".into(), fence, remedy }
    }

    impl Room {
        /// As the program on the healer asks: from a thread of its own, with blocking calls.
        async fn ask(&self, errands: Errands, errand: Errand) -> u8 {
            let socket = self.socket.clone();
            tokio::task::spawn_blocking(move || remedy::ask(&socket, errands, errand).0)
                .await
                .expect("it asks")
        }

        fn seen(&self) -> Vec<(Seen, u64)> {
            let lines = self.journal.lines().into_iter();
            lines.map(|line| (line.seen, line.errand.fence)).collect()
        }
    }

    #[tokio::test]
    async fn a_start_is_journaled_done_once_and_found_done_by_an_inspection() {
        let room = room(9);
        let first = errand("a1", 3, 1);
        assert_eq!(room.ask(Errands::Inspect, first.clone()).await, 1);
        assert_eq!(room.ask(Errands::Start, first.clone()).await, 0);
        assert_eq!(room.ask(Errands::Inspect, first.clone()).await, 0);
        assert_eq!(room.seen(), [(Seen::Begin, 3), (Seen::End, 3)]);
        assert_eq!(room.ask(Errands::Start, first).await, 0, "law R2");
        assert_eq!(room.seen().last(), Some(&(Seen::Refused, 3)));
    }

    #[tokio::test]
    async fn a_lower_fence_is_turned_away_before_anything_is_done() {
        let room = room(9);
        assert_eq!(room.ask(Errands::Start, errand("a1", 5, 1)).await, 0);
        let late = room.ask(Errands::Start, errand("a1", 4, 2)).await;
        assert_eq!(late, remedy::EXIT_REFUSED, "law R1");
        assert_eq!(room.seen(), [(Seen::Begin, 5), (Seen::End, 5), (Seen::Refused, 4)]);
    }

    #[tokio::test]
    async fn a_start_that_failed_on_its_way_is_unknown_and_never_called_done() {
        let room = room(9);
        let code = room.ask(Errands::Start, errand("z9", 1, 1)).await;
        assert_eq!(code, remedy::EXIT_UNKNOWN);
        let inspected = room.ask(Errands::Inspect, errand("z9", 1, 1)).await;
        assert_eq!(inspected, remedy::EXIT_UNKNOWN);
        assert_eq!(room.seen(), [(Seen::Begin, 1), (Seen::Failed, 1)]);
    }

    #[tokio::test]
    async fn while_a_remedy_runs_it_is_neither_begun_twice_nor_called_done() {
        let room = Arc::new(room(0));
        let slow = {
            let room = room.clone();
            tokio::spawn(async move { room.ask(Errands::Start, errand("a1", 1, 1)).await })
        };
        while room.journal.count() == 0 {
            tokio::task::yield_now().await;
        }
        let unknown = remedy::EXIT_UNKNOWN;
        let twice = room.ask(Errands::Start, errand("a1", 1, 1)).await;
        assert_eq!(twice, unknown);
        assert_eq!(room.ask(Errands::Inspect, errand("a1", 1, 1)).await, unknown);
        room.model.may.add_permits(1);
        assert_eq!(slow.await.expect("it ends"), 0);
    }

    #[tokio::test]
    async fn nobody_at_the_socket_means_that_nothing_was_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let (code, _) =
            remedy::ask(&folder.path().join("nobody.sock"), Errands::Start, errand("a1", 1, 1));
        assert_eq!(code, remedy::EXIT_REFUSED);
    }
}
