//! `hale hosts`, `hale host list`, `hale host add`, `exempt`, `retire`: who belongs, who may come, who is let alone, who does not any more.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::{Args, Subcommand};

use super::asking::{At, Why};
use super::exit::{CommandFault, Exit};
use super::list::List;
use super::table::{Clock, Table};
use crate::admin::answer::{AddOrder, ExemptOrder, HostLine, Hosts, RetireOrder};

/// Every host that belongs, where it stands and how it is.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    list: List,
    /// Retired hosts too.
    #[arg(long)]
    retired: bool,
}

/// What can be asked of `hale host`.
#[derive(Debug, Subcommand)]
pub enum HostVerb {
    /// Every host that belongs; the same as `hale hosts`.
    List(Verb),
    /// Let a host enrol: where the policy takes only hosts that were added, a certificate alone brings nobody in.
    Add(Add),
    /// Let nothing begin on a host by itself, until `--undo`: it is watched and judged as any other, and a person is called for its trouble.
    Exempt(Exempt),
    /// Bury a host for good: its certificate is refused from then on and its name never comes back.
    Retire(Retire),
}

/// Which host may come, and why.
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// Its name, as its certificate says it.
    #[arg(value_name = "HOST")]
    host: String,
    /// Take it back: the host has not come yet and is not to come any more.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Which host is let alone, and why.
#[derive(Clone, Debug, Args)]
pub struct Exempt {
    /// Its name.
    #[arg(value_name = "HOST")]
    host: String,
    /// Take it back: hale heals the host again.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Which host is buried, and why.
#[derive(Clone, Debug, Args)]
pub struct Retire {
    /// Its name.
    #[arg(value_name = "HOST")]
    host: String,
    #[command(flatten)]
    why: Why,
    /// Do not ask for its name to be typed again.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: At,
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    let path = format!("/v1/hosts?retired={}", verb.retired);
    verb.list.show(&path, table)
}

/// Does what is asked of `hale host`.
pub fn run_host(verb: &HostVerb) -> Result<(), CommandFault> {
    match verb {
        HostVerb::List(verb) => run(verb),
        HostVerb::Add(add) => add.run(),
        HostVerb::Exempt(exempt) => exempt.run(),
        HostVerb::Retire(retire) => retire.run(),
    }
}

impl Add {
    fn run(&self) -> Result<(), CommandFault> {
        let (host, why) = (self.host.clone(), self.why.why.clone());
        let order = AddOrder { host, undo: self.undo, why };
        self.at.order("/v1/host/add", &order, self.why.dry_run)
    }
}

impl Exempt {
    fn run(&self) -> Result<(), CommandFault> {
        let (host, why) = (self.host.clone(), self.why.why.clone());
        let order = ExemptOrder { host, undo: self.undo, why };
        self.at.order("/v1/host/exempt", &order, self.why.dry_run)
    }
}

impl Retire {
    fn run(&self) -> Result<(), CommandFault> {
        if !self.yes && !self.why.dry_run {
            self.confirm()?;
        }
        let order = RetireOrder { host: self.host.clone(), why: self.why.why.clone() };
        self.at.order("/v1/host/retire", &order, self.why.dry_run)
    }

    /// It cannot be undone: the name is typed again.
    fn confirm(&self) -> Result<(), CommandFault> {
        let host = &self.host;
        if !io::stdin().is_terminal() {
            let sentence =
                format!("{host} would be retired for good: say --yes, or ask at a terminal");
            return Err(CommandFault::new(Exit::Usage, sentence));
        }
        eprint!("{host} is retired for good, its name never comes back. Type its name to go on: ");
        let mut typed = String::new();
        io::stderr()
            .flush()
            .and_then(|()| io::stdin().lock().read_line(&mut typed))
            .map_err(CommandFault::failed)?;
        if typed.trim() == host {
            Ok(())
        } else {
            Err(CommandFault::failed("another name was typed; nothing was done"))
        }
    }
}

/// Hosts on a line each, or why there are none.
pub fn table(hosts: &Hosts, _: Clock) -> Result<Table, String> {
    let hosts = &hosts.hosts;
    if hosts.is_empty() {
        return Err("no host is enrolled: the ledger is not founded yet, `hale init --keepers a,b,c` does it once".into());
    }
    let header = [
        "host",
        "zone",
        "rack",
        "group",
        "state",
        "case",
        "swim",
        "reach",
        "boot",
        "roles",
        "doubted by",
        "exempt",
    ];
    let is_any_exempt = hosts.iter().any(|host| host.is_exempt);
    let mut table = Table::new(&header[..header.len() - usize::from(!is_any_exempt)]);
    for host in hosts {
        let number = |figure: Option<u64>| {
            figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string())
        };
        let exempt = is_any_exempt.then(|| if host.is_exempt { "exempt" } else { "-" }.to_owned());
        let row = [
            host.name.clone(),
            format!("{}/{}", host.region, host.zone),
            host.rack.clone(),
            host.group.clone(),
            host.state.clone(),
            number(host.case),
            host.membership.clone(),
            host.reach.clone(),
            number(host.boot),
            roles(host),
            host.doubted_by.join(" "),
        ];
        table.row(row.into_iter().chain(exempt));
    }
    Ok(table)
}

/// Its roles; a keeper that votes is a voter.
pub fn roles(host: &HostLine) -> String {
    let word = |role: &String| {
        if role == "keeper" && host.is_voter { "voter".to_owned() } else { role.clone() }
    };
    host.roles.iter().map(word).collect::<Vec<_>>().join(" ")
}
