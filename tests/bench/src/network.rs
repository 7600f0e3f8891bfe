//! The network of a bench: one namespace for each host, one bridge in a namespace of its own.
//!
//! Law N3: no packet can leave these namespaces, since none of them has a card that leads out.
//! Law N4: nobody asks who has an address: all hardware addresses are written down, so that what a card sends is the
//! agent's alone.
//! Not here: the processes in it (see `fleet`).

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::fleet::BenchFault;
use super::plan::{Place, Planned};

/// The card of every host in its own namespace.
pub const CARD: &str = "eth0";

/// Removed when it is dropped.
pub struct Network {
    prefix: String,
    count: usize,
}

/// What a bridge does with a host's packets, as `bridge link set` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Every packet from and to the host is dropped, and its card notices nothing.
    Silent = 0,
    /// Packets pass.
    Open = 3,
}

impl Network {
    /// Makes it, for so many hosts.
    pub fn up(count: usize) -> Result<Self, BenchFault> {
        let network = Self { prefix: format!("halebench{}", std::process::id()), count };
        network.make()?;
        Ok(network)
    }

    /// Where the kernel shows a host's namespace.
    pub fn namespace_file(&self, place: Place) -> PathBuf {
        PathBuf::from("/run/netns").join(self.host(place))
    }

    /// Silences a host or lets it be heard again.
    pub fn set(&self, place: Place, port: Port) -> Result<(), BenchFault> {
        let (state, name) = ((port as u8).to_string(), port_name(place));
        let hub = self.hub();
        let mut bridge = Command::new("bridge");
        bridge.args(["-n", &hub, "link", "set", "dev", &name, "state", &state]);
        run(bridge, "")
    }

    fn make(&self) -> Result<(), BenchFault> {
        let mut spaces = format!("netns add {}\n", self.hub());
        for place in 0..self.count {
            line(&mut spaces, &format!("netns add {}", self.host(place)));
        }
        batch(None, &spaces)?;
        batch(Some(&self.hub()), &self.hub_lines())?;
        (0..self.count)
            .try_for_each(|place| batch(Some(&self.host(place)), &self.host_lines(place)))
    }

    fn hub_lines(&self) -> String {
        let mut lines = "\
link set lo up
link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
link set br0 addrgenmode none
link set br0 up
"
        .to_owned();
        for place in 0..self.count {
            let (port, host) = (port_name(place), self.host(place));
            let hardware = Planned(place).hardware();
            line(
                &mut lines,
                &format!(
                    "link add {port} type veth peer name {CARD} address {hardware} netns {host}"
                ),
            );
            line(&mut lines, &format!("link set {port} addrgenmode none master br0 up"));
        }
        lines
    }

    /// `gso_max_segs 1`: every packet is counted as it would travel, headers and all, not as part of a larger one.
    fn host_lines(&self, place: Place) -> String {
        let address = Planned(place).address();
        let mut lines = format!(
            "\
link set lo up
link set {CARD} gso_max_segs 1
link set {CARD} addrgenmode none
addr add {address}/16 dev {CARD}
link set {CARD} up
"
        );
        for other in (0..self.count).filter(|other| *other != place).map(Planned) {
            let (address, hardware) = (other.address(), other.hardware());
            line(
                &mut lines,
                &format!("neigh add {address} lladdr {hardware} nud permanent dev {CARD}"),
            );
        }
        lines
    }

    fn hub(&self) -> String {
        format!("{}-hub", self.prefix)
    }

    fn host(&self, place: Place) -> String {
        format!("{}-{place}", self.prefix)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in (0..self.count).map(|place| self.host(place)).chain([self.hub()]) {
            // One that was never made is refused, and there is nothing else to do about it.
            let mut ip = Command::new("ip");
            ip.args(["netns", "delete", &name]).stderr(Stdio::null());
            let _ = ip.status();
        }
    }
}

fn port_name(place: Place) -> String {
    format!("v{place}")
}

fn line(lines: &mut String, one: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(lines, "{one}");
}

fn batch(namespace: Option<&str>, lines: &str) -> Result<(), BenchFault> {
    let mut ip = Command::new("ip");
    if let Some(namespace) = namespace {
        ip.args(["-n", namespace]);
    }
    ip.args(["-batch", "-"]);
    run(ip, lines)
}

fn run(mut command: Command, input: &str) -> Result<(), BenchFault> {
    let doing = format!("{command:?}");
    let fault = BenchFault::of("make a network (as root, with iproute2)");
    let piped = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(&fault)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why, below.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(&fault)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(fault(std::io::Error::other(format!("{doing}: {}", said.trim()))))
}
