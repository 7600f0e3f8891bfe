//! Who is at the socket's other end, and what they may do.
//!
//! Law W1: the kernel says who it is; root and the agent's own user may do both, others what the configuration says.
//! Law W3: whoever may order may ask.
//! Not here: users and groups by name; names may mean another tomorrow.

use std::fs::File;
use std::io::Read as _;

use ledger::command::Order;

use crate::config::{Admin, Peers};

/// A local user at the socket's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

/// What a peer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    /// Nothing.
    Nothing,
    /// Ask.
    Ask,
    /// Ask and order.
    Order,
}

/// More of a passwd file is not read: the name is a courtesy, the number is the fact.
const PASSWD_BYTES_MAX: u64 = 1024 * 1024;

impl Peer {
    /// What it may do.
    pub fn leave(self, admin: &Admin, agent_uid: u32) -> Leave {
        let is_of =
            |peers: &Peers| peers.users.contains(&self.uid) || peers.groups.contains(&self.gid);
        if self.uid == 0 || self.uid == agent_uid || is_of(&admin.write) {
            Leave::Order
        } else if is_of(&admin.read) {
            Leave::Ask
        } else {
            Leave::Nothing
        }
    }

    /// How the audit names it: `alice@web-a-07`, or `uid1000@web-a-07` where nobody has that number here.
    pub fn who(self, host: &str) -> String {
        let name = self.name().unwrap_or_else(|| format!("uid{}", self.uid));
        let full = format!("{name}@{host}");
        if full.len() <= Order::WHO_BYTES_MAX {
            return full;
        }
        format!("uid{}@{}", self.uid, &host[..host.len().min(Order::WHO_BYTES_MAX - 16)])
    }

    fn name(self) -> Option<String> {
        let mut text = String::new();
        let file = File::open("/etc/passwd").ok()?;
        file.take(PASSWD_BYTES_MAX).read_to_string(&mut text).ok()?;
        name_in(&text, self.uid)
    }
}

fn name_in(passwd: &str, uid: u32) -> Option<String> {
    let of_line = |line: &str| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?.to_owned(), fields.nth(1)?);
        let is_plain = !name.is_empty() && !name.chars().any(char::is_control);
        (number.parse() == Ok(uid) && is_plain).then_some(name)
    };
    passwd.lines().find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin() -> Admin {
        let peers = |users: &[u32], groups: &[u32]| Peers {
            users: users.to_vec(),
            groups: groups.to_vec(),
        };
        Admin {
            socket: "/run/hale/admin.sock".into(),
            read: peers(&[1_001], &[50]),
            write: peers(&[1_002], &[60]),
        }
    }

    #[test]
    fn who_is_on_no_list_may_nothing_and_who_may_order_may_ask() {
        let leave = |uid, gid| Peer { uid, gid }.leave(&admin(), 990);
        assert_eq!(leave(0, 0), Leave::Order, "root");
        assert_eq!(leave(990, 990), Leave::Order, "the agent's own user");
        assert_eq!(leave(1_002, 100), Leave::Order);
        assert_eq!(leave(1_003, 60), Leave::Order);
        assert_eq!(leave(1_001, 100), Leave::Ask);
        assert_eq!(leave(1_003, 50), Leave::Ask);
        assert_eq!(leave(1_003, 100), Leave::Nothing);
        assert!(Leave::Order > Leave::Ask && Leave::Ask > Leave::Nothing);
    }

    #[test]
    fn a_number_is_found_under_its_name_and_never_under_another() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\nbroken\nalice:x:1000:100::/:\nbob:x:10001:100::/:\n";
        assert_eq!(name_in(passwd, 1_000).as_deref(), Some("alice"));
        assert_eq!(name_in(passwd, 100), None);
    }

    #[test]
    fn a_name_that_is_too_long_for_the_audit_gives_way_to_its_number() {
        let peer = Peer { uid: 4_000_000_000, gid: 0 };
        let who = peer.who(&"h".repeat(63));
        assert!(who.len() <= Order::WHO_BYTES_MAX && who.starts_with("uid4000000000@"), "{who}");
    }
}
