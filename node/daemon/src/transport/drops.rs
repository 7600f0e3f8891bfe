//! How many packets has the kernel thrown away because this agent did not fetch them (protocol 2.7)?
//!
//! Linux says so beside each socket in `/proc/self/net/udp` and `udp6`. Elsewhere nobody says, and nothing is counted.

use std::path::Path;

/// Where the tables stand, seen from the agent's own network namespace.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// Packets dropped so far at the sockets of this port.
pub(super) fn at(port: u16) -> u64 {
    let tables = TABLES.iter().filter_map(|table| std::fs::read_to_string(Path::new(table)).ok());
    tables.map(|table| of(&table, port)).sum()
}

/// The last column of the lines whose local address ends in this port.
fn of(table: &str, port: u16) -> u64 {
    let wanted = format!(":{port:04X}");
    let lines = table.lines().skip(1).map(|line| line.split_whitespace());
    let drops = lines.filter_map(|mut columns| {
        let is_ours = columns.nth(1)?.ends_with(&wanted);
        columns.next_back().filter(|_| is_ours)?.parse::<u64>().ok()
    });
    drops.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  412: 0100007F:1151 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 18 2 0000000000000000 17
  413: 0100007F:1152 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 19 2 0000000000000000 5
  414: 0200007F:1151 0300007F:1152 01 00000000:00000000 00:00000000 00000000     0        0 20 2 0000000000000000 1
";

    #[test]
    fn the_drops_of_one_port_are_counted_and_no_others() {
        assert_eq!(of(TABLE, 0x1151), 18);
        assert_eq!(of(TABLE, 0x1152), 5, "the remote port does not matter");
        assert_eq!(of(TABLE, 80), 0);
        assert_eq!(of("nonsense\nmore of it\n", 80), 0);
    }

    #[test]
    fn what_the_kernel_drops_is_seen() {
        let full = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let to = full.local_addr().expect("bound");
        let from = UdpSocket::bind("127.0.0.1:0").expect("a port");
        assert_eq!(at(to.port()), 0);
        for _ in 0..4_000 {
            from.send_to(&[0; 1_000], to).expect("loopback takes it");
        }
        assert!(at(to.port()) > 0, "nobody reads, and the buffer holds a few hundred");
    }
}
