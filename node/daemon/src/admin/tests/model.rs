//! A mind over a hand-made ledger, and its socket.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vocabulary::{Claims, HostName, Span, model_authority, model_chain};
use wire::Report;

use super::fleet::{Fleet, claims, cluster, id};
use crate::admin::client::Client;
use crate::admin::mind::{Local, Mind, NotCommitted, ReportHeld, Standing};
use crate::admin::server::serve;
use crate::admin::socket::Socket;
use crate::config::{Admin, Peers};
use crate::identity::{Renewal, RenewalFault};

/// A mind whose ledger is this fleet's.
pub struct ModelMind {
    fleet: Mutex<Fleet>,
    pub local: Mutex<Local>,
    pub has_majority: bool,
    /// Who it is.
    pub name: &'static str,
    /// What it says of the next proposal, whatever the ledger would.
    pub says: Mutex<Option<Result<Outcome, NotCommitted>>>,
}

impl ModelMind {
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet: Mutex::new(fleet),
            local: Mutex::default(),
            has_majority: true,
            name: "a1",
            says: Mutex::default(),
        }
    }

    pub fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().expect("no test panics while it holds it")
    }
}

#[async_trait]
impl Mind for ModelMind {
    fn me(&self) -> Claims {
        claims(self.name)
    }

    fn view(&self) -> Arc<Ledger> {
        Arc::new(self.fleet().ledger.clone())
    }

    fn standing(&self) -> Standing {
        Standing {
            age: Span::milliseconds(if self.has_majority { 400 } else { 95_000 }),
            has_majority: self.has_majority,
            leader: self.has_majority.then(|| id("b1")),
            term: 41,
        }
    }

    async fn refresh(&self) {}

    async fn local(&self) -> Local {
        self.local.lock().expect("no test panics while it holds it").clone()
    }

    async fn propose(&self, command: Command) -> Result<Outcome, NotCommitted> {
        if let Some(said) = self.says.lock().expect("no test panics while it holds it").take() {
            return said;
        }
        if self.has_majority {
            Ok(self.fleet().send(self.name, command))
        } else {
            Err(NotCommitted::NoLeader("no keeper leads".into()))
        }
    }

    async fn found(&self, keepers: Vec<HostName>) -> Result<Outcome, NotCommitted> {
        let found = Command::Found {
            cluster: cluster(),
            authorities: vec![model_authority()],
            keepers: keepers.iter().map(|name| model_chain(&claims(name.as_str()))).collect(),
        };
        self.propose(found).await
    }

    async fn report(&self, report: Report) -> Result<bool, NotCommitted> {
        if !self.has_majority {
            return Err(NotCommitted::NoLeader("no keeper leads".into()));
        }
        let mut local = self.local.lock().expect("no test panics while it holds it");
        let of = local.reports.entry(report.subject).or_default();
        of.push(ReportHeld {
            by: id("a1"),
            who: report.who,
            failed: report.failed,
            age: Span::seconds(3),
            times: 1,
        });
        Ok(of.len() == 1)
    }

    async fn reload(&self, _: bool) -> Result<Renewal, RenewalFault> {
        Ok(Renewal::Same)
    }
}

/// A served socket; it ends with this.
pub struct Served {
    pub client: Client,
    pub mind: Arc<ModelMind>,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

impl Served {
    pub fn over(mind: ModelMind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let admin = Admin {
            socket: folder.path().join("admin.sock"),
            read: Peers::default(),
            write: Peers::default(),
        };
        let client = Client::new(&admin.socket);
        let socket = Socket::bind(&admin).expect("the path is free");
        let mind = Arc::new(mind);
        let serving = tokio::spawn(serve(socket, admin, Arc::<ModelMind>::clone(&mind)));
        Self { client, mind, serving, _folder: folder }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
