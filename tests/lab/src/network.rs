//! The network between hosts: one namespace for each host, one bridge in a namespace of its own.
//!
//! Law N3: no packet can leave these namespaces, since none of them has a card that leads out.
//! Law N4: nobody asks who has an address: all hardware addresses are written down, so that what a card sends is the
//! agent's alone.
//! Law N7: what is lost is lost on the bridge, between two hosts or at one host's port: no agent and no card can tell why.
//! Not here: the processes in it (see `fleet`).

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::fleet::LabFault;
use crate::plan::{Place, Planned};

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

/// What is wrong with the network as a whole; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// So many of a thousand packets are lost, on every way and in each direction; below a thousand.
    pub lost_permille: u16,
    /// Ways that nothing passes.
    pub cut: Vec<Cut>,
}

/// Nothing passes from these to those; what those send to these does.
#[derive(Clone, Debug)]
pub struct Cut {
    /// From whom.
    pub from: Vec<Place>,
    /// To whom.
    pub to: Vec<Place>,
}

impl Cut {
    /// Both ways between two sides.
    pub fn between(one: &[Place], other: &[Place]) -> [Self; 2] {
        let way = |from: &[Place], to: &[Place]| Self { from: from.to_vec(), to: to.to_vec() };
        [way(one, other), way(other, one)]
    }

    fn pairs(&self) -> Vec<String> {
        let ways = self.from.iter().flat_map(|from| self.to.iter().map(move |to| (from, to)));
        let address = |place: &Place| Planned(*place).address();
        ways.map(|(from, to)| format!("{} . {}", address(from), address(to))).collect()
    }
}

impl Network {
    /// Makes it, for so many hosts; `name`: what its namespaces are called by, so that whoever finds one knows whose it is.
    pub fn up(name: &str, count: usize) -> Result<Self, LabFault> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("hale{name}{}n{number}", std::process::id());
        let network = Self { prefix, count };
        network.make()?;
        Ok(network)
    }

    /// Where the kernel shows a host's namespace.
    pub fn namespace_file(&self, place: Place) -> PathBuf {
        PathBuf::from("/run/netns").join(self.host(place))
    }

    /// Silences a host or lets it be heard again.
    pub fn set(&self, place: Place, port: Port) -> Result<(), LabFault> {
        let (state, name) = ((port as u8).to_string(), port_name(place));
        let hub = self.hub();
        let mut bridge = Command::new("bridge");
        bridge.args(["-n", &hub, "link", "set", "dev", &name, "state", &state]);
        run(bridge, "")
    }

    /// From now on the network is this bad, and nothing else of it is.
    pub fn spoil(&self, trouble: &Trouble) -> Result<(), LabFault> {
        let cut: Vec<String> = trouble.cut.iter().flat_map(Cut::pairs).collect();
        let elements = match cut.is_empty() {
            true => String::new(),
            false => format!("elements = {{ {} }}", cut.join(", ")),
        };
        let lost = match trouble.lost_permille {
            0 => String::new(),
            lost => format!("numgen random mod 1000 < {lost} drop"),
        };
        // The first two lines make an empty table of whatever there is; all of it is taken at once or not at all.
        let rules = format!(
            "\
add table bridge trouble
delete table bridge trouble
table bridge trouble {{
    set cut {{
        type ipv4_addr . ipv4_addr
        {elements}
    }}
    chain passing {{
        type filter hook forward priority 0
        ip saddr . ip daddr @cut drop
        {lost}
    }}
}}
"
        );
        let mut nft = Command::new("nsenter");
        nft.arg(format!("--net=/run/netns/{}", self.hub())).args(["nft", "-f", "-"]);
        run(nft, &rules)
    }

    fn make(&self) -> Result<(), LabFault> {
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

fn batch(namespace: Option<&str>, lines: &str) -> Result<(), LabFault> {
    let mut ip = Command::new("ip");
    if let Some(namespace) = namespace {
        ip.args(["-n", namespace]);
    }
    ip.args(["-batch", "-"]);
    run(ip, lines)
}

fn run(mut command: Command, input: &str) -> Result<(), LabFault> {
    let doing = format!("{command:?}");
    let fault = LabFault::of("make a network (as root, with iproute2 and nftables)");
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
    let said = said.lines().next().unwrap_or_default();
    Err(fault(std::io::Error::other(format!("{doing}: {said}"))))
}
