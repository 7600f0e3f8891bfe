//! `hale keeper recover`: the last resort where most voters are lost for good.

use std::path::PathBuf;

use clap::Args;
use ledger::command::Order;

use super::exit::{CommandFault, Exit};
use super::faults;
use super::table::clean;
use crate::admin::peer::Peer;
use crate::config;
use crate::host::recovering::{self, Fault, Findings};
use crate::moments;

/// Makes this host's store the only voter, while its agent does not run.
#[derive(Debug, Args)]
pub struct Recover {
    /// The host's configuration, which says where its store lies.
    #[arg(long, value_name = "FILE", default_value = "/etc/hale/hale.toml", env = "HALE_CONFIG")]
    config: PathBuf,
    /// Why; kept in the audit beside your name.
    #[arg(long, value_name = "REASON")]
    why: String,
    /// Do it. Without this only what the store holds is said, and nothing is written.
    #[arg(long)]
    force: bool,
}

/// Does it, or says what it would come to.
pub fn run(recover: &Recover) -> Result<(), CommandFault> {
    let config = config::load(&recover.config).map_err(|found| {
        let text = config::text_of(&recover.config).map(|(_, text)| text).unwrap_or_default();
        faults::told(Exit::Configuration, &found, &text)
    })?;
    let why = recover.why.trim();
    if !(1..=WHY_BYTES_MAX).contains(&why.len()) {
        let sentence = format!("--why has {} bytes, 1 to {WHY_BYTES_MAX} are expected", why.len());
        return Err(CommandFault::new(Exit::Usage, sentence));
    }
    let order = |host: &str| Order {
        who: Peer { uid: rustix::process::getuid().as_raw(), gid: 0 }.who(host),
        why: format!("{RECOVERED}{why}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(CommandFault::failed)?;
    let recovered = recovering::recover(&config.storage, recover.force.then_some(order));
    let findings = runtime.block_on(recovered).map_err(refused)?;
    if !recover.force {
        return Err(CommandFault::new(Exit::Refused, would(&findings)));
    }
    println!("{}", done(&findings));
    Ok(())
}

/// What every reader of the audit is to see first.
const RECOVERED: &str = "recovered as the only voter: ";

const WHY_BYTES_MAX: usize = Order::WHY_BYTES_MAX - RECOVERED.len();

fn refused(fault: Fault) -> CommandFault {
    let exit = match fault {
        Fault::Disk(..) => Exit::Disk,
        Fault::Nothing(_) | Fault::InUse(_) | Fault::Store(_) => Exit::Refused,
    };
    CommandFault::new(exit, fault)
}

fn holds(found: &Findings) -> String {
    let when = moments::utc(found.wall.0 / 1_000);
    format!("the store of {} goes up to entry {}, of {when}", clean(&found.host), found.upto)
}

fn would(found: &Findings) -> String {
    format!(
        "nothing was done. {}; the other voters are {}. If as many of them can come back that most voters are there, bring them back: until \
         then nothing is healed, and nothing is lost. If they are lost for good: stop the agents of all keepers, ask this on each whose store \
         is left, move the `ledger.redb*` and `ledger.kept` of the others away, and repeat it with --force where it goes furthest, as the \
         user that the agent runs as. What only the others hold is lost, though hosts may have seen it",
        holds(found),
        clean(&found.others.join(", ")),
    )
}

fn done(found: &Findings) -> String {
    let others = clean(&found.others.join(", "));
    let votes = match &found.votes_stay {
        None => format!("{others} have no vote any more"),
        Some(why) => format!(
            "{others} keep their votes in the ledger ({}), take them as soon as that ends",
            clean(why)
        ),
    };
    format!(
        "{}, and is the only voter from its agent's next start on; {votes}. Never start their agents with the stores that they have: move \
         `ledger.redb*` and `ledger.kept` away first. Start this agent, then restart the agents of all other hosts: they may have seen \
         entries that are lost. All healing is stopped: look at `hale status`, then `hale keeper add` two keepers, and `hale resume --why ...`",
        holds(found),
    )
}
