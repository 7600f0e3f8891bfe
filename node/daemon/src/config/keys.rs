//! Every key of `hale.toml`: its name, form, default, range and what it trades. Defined once; the reader, the example and
//! the reference page follow.

use ledger::document::{
    Choice, Count, Key, ListOf, Name, OptionalKey, RequiredKey, Section, Shape,
};

use super::form::{Asked, Client, Dialled, FilePath, Listening, Memory};
use super::{LogFormat, LogLevel};

/// Enough for one seed in each zone of the largest fleet; the mesh knows all other addresses itself.
const SEEDS_MAX: usize = 32;

/// A host with more neighbours behind translated addresses than this needs a routed network.
const REACH_MAX: usize = 1_024;

/// A host's operators and their programs.
const PEERS_MAX: usize = 32;

pub static CONFIG: Section = Section {
    name: "",
    shape: Shape::Table,
    says: "\
The configuration of one host's agent. It says how this host is reached and where its files are; who it is and where \
it stands is in its certificate, and what the mesh may do is in the policy.
An unknown key is a fault, never ignored: hale config check FILE names every fault at once.
Relative paths are taken from the folder of this file. A line behind '#:' is asleep: take the sign away to wake it.",
    keys: &[],
    sections: &[
        &AGENT, &IDENTITY, &STORAGE, &ADMIN, &FLEETLOCK, &LIMITS, &LOG, &REACH,
    ],
    refused: &[
        ("cluster", CERTIFICATE_SAYS),
        ("host", CERTIFICATE_SAYS),
        ("region", CERTIFICATE_SAYS),
        ("zone", CERTIFICATE_SAYS),
        ("rack", CERTIFICATE_SAYS),
        ("group", CERTIFICATE_SAYS),
    ],
};

const CERTIFICATE_SAYS: &str =
    "the host's certificate says it, and nothing else is believed; see hale ca show FILE";

pub static AGENT: Section = Section {
    name: "agent",
    shape: Shape::Table,
    says: "How this host is reached and whom it asks first.",
    keys: &[&BIND, &ADVERTISE, &SEEDS],
    sections: &[],
    refused: &[],
};

pub static BIND: Key<Listening> = Key {
    name: "bind",
    form: Listening,
    default: "\"[::]:7946\"",
    says: "Where the agent listens: UDP for the mesh, and TCP on the same port for its sign of life. [::] is every \
           address, IPv4 too; one address is safer on a host with several networks.",
};

pub static ADVERTISE: RequiredKey<Dialled> = RequiredKey {
    name: "advertise",
    form: Dialled,
    example: "\"127.0.0.1:7946\"",
    says: "What the other hosts dial, on UDP and TCP; behind address translation it is not the bound one. As it stands \
           in the example only agents on this very host can.",
};

pub static SEEDS: Key<ListOf<Asked>> = Key {
    name: "seeds",
    form: ListOf { member: Asked, at_most: SEEDS_MAX },
    default: "[]",
    says: "Whom it asks for the mesh at start and whenever it knows no other host; three in different zones survive most \
           days. The first host of a mesh needs none.",
};

pub static IDENTITY: Section = Section {
    name: "identity",
    shape: Shape::Table,
    says: "Which files prove who this host is; hale ca issue writes all three.",
    keys: &[&CERTIFICATE, &KEY, &AUTHORITY],
    sections: &[],
    refused: &[],
};

pub static CERTIFICATE: Key<FilePath> = Key {
    name: "certificate",
    form: FilePath,
    default: "\"/etc/hale/host.pem\"",
    says: "This host's certificate; it says who the host is, where it stands and what it may do.",
};

pub static KEY: Key<FilePath> = Key {
    name: "key",
    form: FilePath,
    default: "\"/etc/hale/host.key\"",
    says: "Its private key, which only the agent's user may read.",
};

pub static AUTHORITY: Key<FilePath> = Key {
    name: "authority",
    form: FilePath,
    default: "\"/etc/hale/authority.pem\"",
    says: "The certificates of the cluster's authority; two while one replaces the other.",
};

pub static STORAGE: Section = Section {
    name: "storage",
    shape: Shape::Table,
    says: "What must survive a restart.",
    keys: &[&FOLDER],
    sections: &[],
    refused: &[],
};

pub static FOLDER: Key<FilePath> = Key {
    name: "folder",
    form: FilePath,
    default: "\"/var/lib/hale\"",
    says: "The host's boot number and, on a keeper, the ledger: on a local disk whose fsync can be believed, never \
           restored from a snapshot.",
};

pub static ADMIN: Section = Section {
    name: "admin",
    shape: Shape::Table,
    says: "\
The socket that the command line and programs of this host talk to. The kernel says who is at its other end; root and \
the agent's own user may always ask and order.",
    keys: &[&SOCKET, &READ_USERS, &READ_GROUPS, &WRITE_USERS, &WRITE_GROUPS],
    sections: &[],
    refused: &[],
};

pub static SOCKET: Key<FilePath> = Key {
    name: "socket",
    form: FilePath,
    default: "\"/run/hale/admin.sock\"",
    says: "Its path; another one must be given to every command with --socket or HALE_SOCKET.",
};

const fn peers(name: &'static str, says: &'static str) -> Key<ListOf<Count>> {
    Key {
        name,
        form: ListOf { member: Count { at_least: 0, at_most: u32::MAX - 1 }, at_most: PEERS_MAX },
        default: "[]",
        says,
    }
}

pub static READ_USERS: Key<ListOf<Count>> =
    peers("read_users", "User ids that may ask: state, cases, audit. No secret is ever told.");

pub static READ_GROUPS: Key<ListOf<Count>> = peers(
    "read_groups",
    "Group ids that may ask; the peer's primary group counts, as the kernel tells it.",
);

pub static WRITE_USERS: Key<ListOf<Count>> = peers(
    "write_users",
    "User ids that may also order: pause, resume, policy, retire. They speak for the whole mesh.",
);

pub static WRITE_GROUPS: Key<ListOf<Count>> =
    peers("write_groups", "Group ids that may also order; the peer's primary group counts.");

pub static FLEETLOCK: Section = Section {
    name: "fleetlock",
    shape: Shape::Table,
    says: "\
A door for FleetLock clients (Zincati, or a script with curl): they take reboot slots from the budgets that bound healing. \
It is plain HTTP and asks nobody for a name: whoever reaches it can take slots, and so keep healing waiting.",
    keys: &[&LISTEN, &CLIENT],
    sections: &[],
    refused: &[],
};

pub static LISTEN: OptionalKey<Listening> = OptionalKey {
    name: "listen",
    form: Listening,
    example: "\"127.0.0.1:7980\"",
    without: "no door",
    says: "Where it listens, TCP. On a keeper it may be any address of a trusted network, and whoever asks there is whom hale \
           fleetlock bind says, or nobody known; on every other host it is a loopback address, and whoever asks there is this \
           host. A client's base URL ends with a slash.",
};

pub static CLIENT: OptionalKey<Client> = OptionalKey {
    name: "client",
    form: Client,
    example: "\"c988d2509fdf4cdcbed39037c56406fb\"",
    without: "none is bound",
    says: "The id by which this host's own client asks, wherever it asks: the agent binds it to this host as it enrols.",
};

pub static LIMITS: Section = Section {
    name: "limits",
    shape: Shape::Table,
    says: "How much of this host the agent may take.",
    keys: &[&CONNECTIONS_MAX, &MEMORY_MAX],
    sections: &[],
    refused: &[],
};

pub static CONNECTIONS_MAX: Key<Count> = Key {
    name: "connections_max",
    form: Count { at_least: 64, at_most: 16_384 },
    default: "256",
    says: "Most hosts connected at once, about 28 KiB each; fewer cost handshakes (4 kB and half a millisecond on both \
           sides). A keeper of a large mesh needs more, for all that follow it.",
};

pub static MEMORY_MAX: Key<Memory> = Key {
    name: "memory_max",
    form: Memory { at_least_mib: 64, at_most_mib: 65_536 },
    default: "\"512MiB\"",
    says: "Most memory that it may hold; at rest it holds some 20 MiB in a small mesh, more with the ledger of a large one. At \
           four fifths it warns, at the ceiling it lets go of connections that nobody needs, a quarter above \
           it ends (exit code 75) to be started anew.",
};

pub static LOG: Section = Section {
    name: "log",
    shape: Shape::Table,
    says: "What the agent writes about itself, on standard output.",
    keys: &[&FORMAT, &LEVEL],
    sections: &[],
    refused: &[],
};

pub static FORMAT: Key<Choice<LogFormat>> = Key {
    name: "format",
    form: Choice {
        words: &[("readable", LogFormat::Readable), ("json", LogFormat::Json)],
        refused: &[],
    },
    default: "\"readable\"",
    says: "Lines for people, or one JSON object a line for programs.",
};

pub static LEVEL: Key<Choice<LogLevel>> = Key {
    name: "level",
    form: Choice {
        words: &[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ],
        refused: &[],
    },
    default: "\"info\"",
    says: "How much it says; from debug on it grows with the traffic.",
};

pub static REACH: Section = Section {
    name: "reach",
    shape: Shape::List { at_most: REACH_MAX },
    says: "\
A host that is reached from here at another address than it advertises: behind address translation, through a split \
horizon or a relay.",
    keys: &[&REACH_HOST, &REACH_ADDRESS],
    sections: &[],
    refused: &[],
};

pub static REACH_HOST: RequiredKey<Name> = RequiredKey {
    name: "host",
    form: Name,
    example: "\"db-b-2\"",
    says: "Its name, as its certificate says it.",
};

pub static REACH_ADDRESS: RequiredKey<Dialled> = RequiredKey {
    name: "address",
    form: Dialled,
    example: "\"203.0.113.9:7946\"",
    says: "What is dialled from here, on UDP and TCP.",
};
