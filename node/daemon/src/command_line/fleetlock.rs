//! `hale fleetlock list`, `bind`, `revoke`: which host each FleetLock client is, and who may reboot.

use clap::{Args, Subcommand};

use super::asking::{At, Why};
use super::exit::CommandFault;
use super::list::List;
use super::table::{Clock, Table, clean};
use crate::admin::answer::{BindOrder, Clients, RevokeSlotOrder};

/// What can be asked of `hale fleetlock`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Every client that is bound to a host or may reboot.
    #[command(name = "list")]
    Known {
        /// How.
        #[command(flatten)]
        list: List,
    },
    /// Say which host a client is: its slots count where that host stands, and end once the host is seen well.
    Bind(Bind),
    /// Take a client's reboot slot back: it counts no more. The client is not told so, and may still reboot.
    Revoke {
        /// The client's id.
        #[arg(value_name = "CLIENT")]
        client: String,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Where.
        #[command(flatten)]
        at: At,
    },
}

/// Which host a client is, and why.
#[derive(Clone, Debug, Args)]
pub struct Bind {
    /// The client's id, as it names itself.
    #[arg(value_name = "CLIENT")]
    client: String,
    /// The host's name.
    #[arg(value_name = "HOST", required_unless_present = "undo", conflicts_with = "undo")]
    host: Option<String>,
    /// Take it back: the client is no known host any more.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Known { list } => list.show("/v1/fleetlock", listed),
        Verb::Bind(bind) => {
            let order = BindOrder { client: bind.client, host: bind.host, why: bind.why.why };
            bind.at.order("/v1/fleetlock/bind", &order, bind.why.dry_run)
        }
        Verb::Revoke { client, why, at } => {
            let order = RevokeSlotOrder { client, why: why.why };
            at.order("/v1/fleetlock/revoke", &order, why.dry_run)
        }
    }
}

/// The clients, or why there are none.
pub fn listed(clients: &Clients, clock: Clock) -> Result<Table, String> {
    if let Some(why) = &clients.nothing {
        return Err(clean(why));
    }
    let mut table = Table::new(&["client", "host", "slot", "since", "now"]);
    for line in &clients.clients {
        let slot = line.slot.as_ref();
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.row([
            line.client.clone(),
            or_none(line.host.clone()),
            or_none(slot.map(|slot| slot.fence.to_string())),
            or_none(slot.map(|slot| clock.moment(&slot.granted))),
            or_none(slot.map(|slot| slot.awaits.clone())),
        ]);
    }
    Ok(table)
}
