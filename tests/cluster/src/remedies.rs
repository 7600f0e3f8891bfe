//! The remedy of the stories: a script that says that it is there, and can be made to stand still.
//!
//! It does what the demo's own remedy does, through the same desk; but its process is its own, so that it can be seen running,
//! held back, and killed. One gate stands before the work, one behind it, where all is done and nobody has been told.
//! Not here: the desk that journals and compares fences (`daemon::demo::starter`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::demo::opening;

/// The rung's `time_limit`: far longer than an election, which one of the stories awaits meanwhile, and no longer, since a takeover
/// waits as long.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Where a remedy can be made to stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Before it asks for anything: what is ended here has done nothing.
    BeforeTheWork,
    /// When all is done and its exit code is not yet told.
    BehindTheWork,
}

/// The script and what it has left behind.
pub struct Remedies {
    folder: PathBuf,
}

/// One run of the script, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `apply` or `inspect`.
    pub what: String,
    /// Its process.
    pub process: i32,
    /// Of which host.
    pub subject: String,
    /// Of which remedy.
    pub remedy: u64,
    /// The fence under which that was begun.
    pub fence: u64,
}

impl Remedies {
    /// Writes the script.
    pub fn lay(folder: &Path, hale: &Path) -> Self {
        let remedies = Self { folder: folder.to_owned() };
        let text = format!(
            "\
#!/bin/sh
told() {{ echo \"$1 $$ $HALE_SUBJECT $HALE_REMEDY_ID $HALE_FENCE\" >>'{told}'; }}
if [ \"$2\" = --inspect ]; then told inspect; exec '{hale}' \"$@\"; fi
told apply
while [ -e '{before}' ]; do sleep 0.05; done
'{hale}' \"$@\"
code=$?
while [ -e '{behind}' ]; do sleep 0.05; done
exit $code
",
            told = remedies.told().display(),
            hale = hale.display(),
            before = remedies.gate(Gate::BeforeTheWork).display(),
            behind = remedies.gate(Gate::BehindTheWork).display(),
        );
        let program = remedies.program();
        fs::write(&program, text).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("set");
        remedies
    }

    /// One host under repair at a time, and waits that are short enough for a test.
    pub fn policy(&self) -> String {
        let program = self.program();
        let socket = opening::starter_socket(&self.folder);
        let (program, socket) = (program.display(), socket.display());
        let rule = |verdict: &str, class: &str| {
            format!(
                "
[[rule]]
name = \"{verdict}\"
when = {{ verdict = \"{verdict}\" }}
mode = \"act\"
for = \"1s\"
cooldown = \"1s\"
attempts = {{ at_most = 20, within = \"1h\" }}

[[rule.ladder]]
do = \"command\"
class = \"{class}\"
argv = [\"{program}\", \"demo-remedy\", \"{socket}\"]
inspect = [\"{program}\", \"demo-remedy\", \"--inspect\", \"{socket}\"]
time_limit = \"{limit}s\"
verify_within = \"30s\"
soak = \"1s\"
",
                limit = TIME_LIMIT.as_secs(),
            )
        };
        format!(
            "\
[budget]
fleet     = {{ in_flight = 1, halt_above = \"none\", per_hour = 100 }}
zone      = {{ in_flight = 1, halt_above = \"none\" }}
any_group = {{ in_flight = 1 }}

[timers]
quiet_for = \"2s\"
lease_term = \"16s\"
{}{}",
            rule("AgentDown", "gentle"),
            rule("HostDown", "disruptive")
        )
    }

    /// The same, and a person is called by a script that writes down each call.
    pub fn policy_that_calls(&self) -> String {
        let page = self.folder.join("page");
        let text = format!(
            "#!/bin/sh\necho \"$HALE_CASE $HALE_LINE\" >>'{}'\n",
            self.calls_file().display()
        );
        fs::write(&page, text).expect("written");
        fs::set_permissions(&page, fs::Permissions::from_mode(0o700)).expect("set");
        let escalation = format!("\n[pager]\nescalation = {{ argv = [\"{}\"] }}\n", page.display());
        self.policy() + &escalation
    }

    /// The calls so far: the case's number, and the line that was said.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.calls_file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// From now on remedies stand still there.
    pub fn shut(&self, gate: Gate) {
        fs::write(self.gate(gate), "").expect("shut");
    }

    /// Those that stood still there go on, and later ones pass.
    pub fn open(&self, gate: Gate) {
        fs::remove_file(self.gate(gate)).expect("it was shut");
    }

    /// Every run of the script so far, oldest first.
    pub fn runs(&self) -> Vec<Run> {
        let text = fs::read_to_string(self.told()).unwrap_or_default();
        text.lines().map(|line| Run::read(line).expect("the script's own words")).collect()
    }

    /// Processes of remedies that run now, on whatever host and of whatever age; inspections change nothing and are left out.
    pub fn running(&self) -> Vec<u32> {
        let folder = self.folder.to_string_lossy().into_owned();
        let is_remedy = |line: &str| {
            line.contains(&folder) && line.contains("demo-remedy") && !line.contains("--inspect")
        };
        fs::read_dir("/proc")
            .expect("a proc file system")
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id: &u32| {
                // Dead ones that nobody has reaped have no command line.
                let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
                is_remedy(&String::from_utf8_lossy(&line).replace('\0', " "))
            })
            .collect()
    }

    fn program(&self) -> PathBuf {
        self.folder.join("remedy")
    }

    fn told(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn calls_file(&self) -> PathBuf {
        self.folder.join("calls")
    }

    fn gate(&self, gate: Gate) -> PathBuf {
        self.folder.join(match gate {
            Gate::BeforeTheWork => "shut-before",
            Gate::BehindTheWork => "shut-behind",
        })
    }
}

impl Run {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            what: words.next()?.to_owned(),
            process: words.next()?.parse().ok()?,
            subject: words.next()?.to_owned(),
            remedy: words.next()?.parse().ok()?,
            fence: words.next()?.parse().ok()?,
        })
    }
}
