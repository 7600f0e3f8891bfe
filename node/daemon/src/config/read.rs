//! The text of `hale.toml` to a [`Config`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use ledger::document::{self, Fault, Reader, Section, Table};
use vocabulary::HostName;

use super::{Admin, Agent, Config, FleetLock, Identity, Limits, Log, Peers, keys};

impl Config {
    /// Reads a text; `file` is only named in faults, relative paths are taken from `folder`.
    pub fn read(file: &str, text: &str, folder: &Path) -> Result<Self, Vec<Fault>> {
        document::read(file, text, &keys::CONFIG, |reader, root| {
            let storage = reader.table(root, &keys::STORAGE);
            let fleetlock = reader.table(root, &keys::FLEETLOCK);
            let limits = reader.table(root, &keys::LIMITS);
            let log = reader.table(root, &keys::LOG);
            let agent = agent(reader, root);
            Some(Self {
                identity: identity(reader, root, folder),
                storage: folder.join(reader.take(&storage, &keys::FOLDER)),
                admin: admin(reader, root, folder),
                fleetlock: FleetLock {
                    listen: reader.take_optional(&fleetlock, &keys::LISTEN),
                    client: reader.take_optional(&fleetlock, &keys::CLIENT),
                },
                limits: Limits {
                    connections_max: reader.take(&limits, &keys::CONNECTIONS_MAX),
                    memory_max: reader.take(&limits, &keys::MEMORY_MAX),
                },
                log: Log {
                    format: reader.take(&log, &keys::FORMAT),
                    level: reader.take(&log, &keys::LEVEL),
                },
                reach: reach(reader, root),
                agent: agent?,
            })
        })
    }

    /// A live file with every key explained: with a certificate in place, an agent starts from it as printed.
    pub fn example() -> String {
        document::example(&keys::CONFIG)
    }

    /// The reference page, in Markdown.
    pub fn reference() -> String {
        document::reference("hale.toml", &keys::CONFIG)
    }

    /// The definition of every key.
    pub fn definition() -> &'static Section {
        &keys::CONFIG
    }
}

/// `None` is always beside a fault.
fn agent<'d>(reader: &mut Reader<'d>, root: &Table<'d>) -> Option<Agent> {
    let table = reader.table(root, &keys::AGENT);
    let bind = reader.take(&table, &keys::BIND);
    let advertise = reader.take_required(&table, &keys::ADVERTISE);
    let seeds = reader.take(&table, &keys::SEEDS);
    Some(Agent { bind, advertise: advertise?, seeds })
}

fn identity<'d>(reader: &mut Reader<'d>, root: &Table<'d>, folder: &Path) -> Identity {
    let table = reader.table(root, &keys::IDENTITY);
    Identity {
        certificate: folder.join(reader.take(&table, &keys::CERTIFICATE)),
        key: folder.join(reader.take(&table, &keys::KEY)),
        authority: folder.join(reader.take(&table, &keys::AUTHORITY)),
    }
}

/// `sockaddr_un` holds 108 bytes, the last of them zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

fn admin<'d>(reader: &mut Reader<'d>, root: &Table<'d>, folder: &Path) -> Admin {
    let table = reader.table(root, &keys::ADMIN);
    let socket = folder.join(reader.take(&table, &keys::SOCKET));
    let bytes = socket.as_os_str().len();
    if bytes > SOCKET_PATH_BYTES_MAX {
        let why = format!(
            "{bytes} bytes with its folder, and the kernel takes {SOCKET_PATH_BYTES_MAX} for the path of a socket"
        );
        reader.contradiction(&table, keys::SOCKET.name, why);
    }
    Admin {
        socket,
        read: Peers {
            users: reader.take(&table, &keys::READ_USERS),
            groups: reader.take(&table, &keys::READ_GROUPS),
        },
        write: Peers {
            users: reader.take(&table, &keys::WRITE_USERS),
            groups: reader.take(&table, &keys::WRITE_GROUPS),
        },
    }
}

fn reach<'d>(reader: &mut Reader<'d>, root: &Table<'d>) -> BTreeMap<HostName, SocketAddr> {
    let mut reach = BTreeMap::new();
    for table in reader.tables(root, &keys::REACH) {
        let host = reader.take_required(&table, &keys::REACH_HOST).map(HostName);
        let address = reader.take_required(&table, &keys::REACH_ADDRESS);
        let (Some(host), Some(address)) = (host, address) else {
            continue;
        };
        if reach.insert(host, address).is_some() {
            reader.contradiction(&table, keys::REACH_HOST.name, "this host is named above already");
        }
    }
    reach
}
