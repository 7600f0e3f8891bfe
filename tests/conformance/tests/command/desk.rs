//! A thing that programs work on: a folder in which they write down what they did.

use std::path::{Path, PathBuf};

use actuators::{Actuator, CommandActuator};
use conformance::{Conduct, Deed, Past, Target};
use tempfile::TempDir;
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Fence, RemedyId};

/// The folder, and the driver that works on it.
pub struct Desk {
    folder: TempDir,
    actuator: CommandActuator,
}

/// What a remedy or an inspection is: `sh -c WORK desk FOLDER CONDUCT`. `worker` holds the ids of processes that only an end
/// from outside can end.
const WORK: &str = r#"
cd "$1"
begin() { echo "$HALE_REMEDY_ID $HALE_FENCE" >>deeds; }
case $2 in
obeys) begin ;;
declines) echo "not now"; exit 75 ;;
fails) begin; exit 3 ;;
stalls) echo $$ >>worker; begin; exec sleep 3600 ;;
rambles) begin; seq 100000; printf 'a\tbell \a and \033[31m red '; seq -s ' ' 1000 ;;
was-done) exit 0 ;;
was-not-done) exit 1 ;;
cannot-tell) exit 2 ;;
stays-silent) echo $$ >>worker; exec sleep 3600 ;;
esac
"#;

impl Desk {
    /// An empty folder.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, actuator: CommandActuator::new(conformance::hale()) }
    }

    /// Where programs find the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// What a file in it holds; nothing if nobody has written it.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn argv(&self, conduct: &str) -> Vec<String> {
        let folder = self.path().to_str().expect("a plain path");
        ["/bin/sh", "-c", WORK, "desk", folder, conduct].map(str::to_owned).to_vec()
    }
}

impl Target for Desk {
    fn actuator(&self) -> &dyn Actuator {
        &self.actuator
    }

    fn prepare(&self, order: &mut RemedyOrder, conduct: Conduct, past: Past) {
        order.command.argv = self.argv(match conduct {
            Conduct::Obeys => "obeys",
            Conduct::Declines => "declines",
            Conduct::Fails => "fails",
            Conduct::Stalls => "stalls",
            Conduct::Rambles => "rambles",
        });
        order.command.inspect = Some(self.argv(match past {
            Past::Done => "was-done",
            Past::NotDone => "was-not-done",
            Past::Unclear => "cannot-tell",
            Past::Stalls => "stays-silent",
        }));
    }

    fn deeds(&self) -> Vec<Deed> {
        let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        let deed = |line: &str| {
            let mut words = line.split(' ');
            let (remedy, fence) = (number(words.next()), number(words.next()));
            Deed {
                remedy: RemedyId(remedy.expect("HALE_REMEDY_ID is a number")),
                fence: Fence(fence.expect("HALE_FENCE is a number")),
            }
        };
        self.read("deeds").lines().map(deed).collect()
    }

    fn is_being_worked_on(&self) -> bool {
        let workers = self.read("worker");
        let mut processes = workers.lines().map(|id| Path::new("/proc").join(id));
        processes.any(|process| process.exists())
    }
}
