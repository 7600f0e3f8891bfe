//! What does the architecture allow? The tables of `docs/ARCHITECTURE.md`, section 3.

/// One product room and the rooms it may use.
pub struct Room {
    /// The room's name; its crate is `hale-` and this.
    pub name: &'static str,
    /// The rooms whose crates it may name in its manifest, dev-dependencies included.
    pub may_use: &'static [&'static str],
    /// Whether its code is free of clocks, sockets, threads, files, luck, async, floats and hash maps.
    pub is_pure: bool,
}

/// Every product room, lowest first.
pub const ROOMS: [Room; 9] = [
    Room { name: "vocabulary", may_use: &[], is_pure: true },
    Room { name: "wire", may_use: &["vocabulary"], is_pure: true },
    Room { name: "detection", may_use: &["vocabulary", "wire"], is_pure: true },
    Room { name: "ledger", may_use: &["vocabulary", "wire", "detection"], is_pure: true },
    Room {
        name: "replication",
        may_use: &["vocabulary", "wire", "detection", "ledger"],
        is_pure: false,
    },
    Room { name: "agent", may_use: &["vocabulary", "wire", "detection", "ledger"], is_pure: true },
    Room {
        name: "simulator",
        may_use: &["vocabulary", "wire", "detection", "ledger", "agent"],
        is_pure: true,
    },
    Room { name: "actuators", may_use: &["vocabulary"], is_pure: false },
    Room {
        name: "daemon",
        may_use: &[
            "vocabulary",
            "wire",
            "detection",
            "ledger",
            "replication",
            "agent",
            "simulator",
            "actuators",
        ],
        is_pure: false,
    },
];

/// Guests that the architecture confines, each family with the rooms that may touch it.
/// A family is the crate of that name and every crate named after it (`tokio`, `tokio-util`).
const CONFINED: [(&str, &[&str]); 5] = [
    ("bincode", &["wire"]),
    ("foca", &["detection"]),
    ("openraft", &["replication"]),
    ("quinn", &["daemon"]),
    ("tokio", &["replication", "actuators", "daemon"]),
];

/// The plan of a product room, or nothing where the plan knows no such room.
pub fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The rooms that may touch this guest, where the architecture confines it.
pub fn confinement(guest: &str) -> Option<&'static [&'static str]> {
    CONFINED.iter().find(|(family, _)| belongs_to(guest, family)).map(|(_, rooms)| *rooms)
}

fn belongs_to(guest: &str, family: &str) -> bool {
    guest.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
