//! One host's files, its agent with a handler that stumbles, and what the agent says and keeps.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use daemon::admin::answer::{FoundOrder, Ordered, Status};
use daemon::admin::client::Client;
use daemon::authority::{self, Term};
use daemon::demo::plan::{Files, HOSTS, Reached};
use daemon::demo::ports;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Far longer than anything here takes on a busy machine; only a failure waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Who is to stumble over what.
pub struct Told<'a> {
    /// A place of `poison::trial`.
    pub place: &'a str,
    /// What kind of input it then was.
    pub kind: &'a str,
    /// Bytes of it, in hex.
    pub bytes: String,
}

/// One host.
pub struct Host {
    folder: tempfile::TempDir,
    files: Files,
    pub address: std::net::SocketAddr,
    trial: String,
}

/// One life of its agent.
pub struct Life(Child);

impl Host {
    pub fn laid(told: &Told<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = HOSTS[0].claims().expect("sound");
        let ca = folder.path().join("authority");
        authority::init(&claims.cluster, &ca, Term::from_now(2)).expect("founded");
        let files = Files::of(folder.path(), &HOSTS[0]);
        authority::issue(&claims, &ca, files.folder(), Term::from_now(1)).expect("issued");
        let address = ports::free().expect("a port");
        let reached = Reached { bind: address, relays: Vec::new(), seeds: Vec::new() };
        std::fs::write(files.config(), files.config_text(&reached)).expect("written");
        let trial = format!("{}:{}", told.place, told.bytes);
        Self { folder, files, address, trial }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn start(&self) -> Life {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hale"));
        command.arg("agent").arg("--config").arg(self.files.config());
        command.env("HALE_TRIAL", &self.trial).kill_on_drop(true);
        let log = std::fs::File::create(self.files.log()).expect("made");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Life(command.spawn().expect("started"))
    }

    /// What its newest life has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.files.log()).unwrap_or_default()
    }

    /// The one input that it has kept.
    pub fn kept(&self) -> String {
        let folder: PathBuf = self.files.storage().join("poison");
        let files = std::fs::read_dir(folder).unwrap_or_else(|_| panic!("{}", self.log()));
        let files: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
        let [file] = &files[..] else { panic!("one: {files:?}") };
        std::fs::read_to_string(file).expect("readable")
    }

    /// `hale init` of a ledger that it carries alone, where there is none yet.
    pub async fn founds(&self) {
        let order = FoundOrder { keepers: vec![HOSTS[0].name.to_owned()] };
        let _ = Client::new(self.files.socket()).order::<Ordered>("/v1/init", &order).await;
    }

    /// The notes of `hale status`.
    pub async fn notes(&self) -> Vec<String> {
        let client = Client::new(self.files.socket());
        loop {
            // It listens there before it says anything to anybody.
            if let Ok(answer) = client.ask::<Status>("/v1/status").await {
                return answer.data.notes;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Life {
    /// With which code it ended by itself.
    pub async fn ended(&mut self) -> Option<i32> {
        let ended = timeout(PATIENCE, self.0.wait()).await;
        ended.expect("it ends").expect("it ran").code()
    }

    pub fn runs(&mut self) -> bool {
        self.0.try_wait().expect("it ran").is_none()
    }
}
