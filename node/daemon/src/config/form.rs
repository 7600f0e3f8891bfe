//! The forms of values that only a host has: addresses, seeds, paths, memory.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ledger::bindings::FleetLockId;
use ledger::document::{Form, Given, Misfit};

/// A host to ask first, by name or address; a name is looked up each time it is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// A DNS name, or an address without brackets.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
}

/// An address and port to listen at: all addresses of the host (`[::]`, `0.0.0.0`) or one.
pub struct Listening;

/// An address and port that others can dial.
pub struct Dialled;

/// A seed.
pub struct Asked;

/// How a FleetLock client names itself.
pub struct Client;

/// An amount of memory with its unit: `"512MiB"`, `"2GiB"`.
pub struct Memory {
    /// The least, in MiB.
    pub at_least_mib: u32,
    /// The most, in MiB.
    pub at_most_mib: u32,
}

/// A path; relative ones are taken from the folder of the file that names them.
pub struct FilePath;

impl Form for Listening {
    type Value = SocketAddr;

    fn expects(&self) -> String {
        "an address and port such as \"[::]:7946\" or \"10.0.0.7:7946\"".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<SocketAddr, Misfit> {
        address(given).ok_or_else(Misfit::plain)
    }
}

impl Form for Dialled {
    type Value = SocketAddr;

    fn expects(&self) -> String {
        "one address and port such as \"10.0.0.7:7946\" or \"[2001:db8::7]:7946\"".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<SocketAddr, Misfit> {
        address(given)
            .filter(|address| !address.ip().is_unspecified() && !address.ip().is_multicast())
            .ok_or_else(Misfit::plain)
    }
}

impl Form for Client {
    type Value = FleetLockId;

    fn expects(&self) -> String {
        let most = FleetLockId::BYTES_MAX;
        format!("the id of a FleetLock client, 1 to {most} bytes without control characters")
    }

    fn read(&self, given: &Given<'_>) -> Result<FleetLockId, Misfit> {
        let text = given.get_ref().as_str();
        text.and_then(|text| FleetLockId::new(text).ok()).ok_or_else(Misfit::plain)
    }
}

fn address(given: &Given<'_>) -> Option<SocketAddr> {
    let address: SocketAddr = given.get_ref().as_str()?.parse().ok()?;
    (address.port() > 0).then_some(address)
}

impl Form for Asked {
    type Value = Seed;

    fn expects(&self) -> String {
        "a host and port such as \"a1.example.net:7946\", \"10.0.0.7:7946\" or \"[2001:db8::7]:7946\""
            .to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<Seed, Misfit> {
        let text = given.get_ref().as_str();
        text.and_then(Seed::from_text).ok_or_else(Misfit::plain)
    }
}

impl Seed {
    fn from_text(text: &str) -> Option<Self> {
        if let Ok(address) = SocketAddr::from_str(text) {
            let is_dialled = address.port() > 0 && !address.ip().is_unspecified();
            return is_dialled
                .then(|| Self { host: address.ip().to_string(), port: address.port() });
        }
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        is_dns_name(host).then(|| Self { host: host.to_owned(), port })
    }
}

/// Letters, digits and hyphens in labels of 63, 253 in all; digits and dots alone would be a mistyped address.
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.len() <= 253 && !is_number && text.trim_end_matches('.').split('.').all(is_label)
}

impl fmt::Display for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => write!(out, "[{address}]:{}", self.port),
            _ => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

/// One spelling per value: whole GiB are not written as MiB.
const MIB_PER_GIB: u64 = 1_024;

impl Form for Memory {
    type Value = u64;

    fn expects(&self) -> String {
        let text = |mib: u32| match u64::from(mib) {
            mib if mib % MIB_PER_GIB == 0 => format!("{}GiB", mib / MIB_PER_GIB),
            mib => format!("{mib}MiB"),
        };
        let (least, most) = (text(self.at_least_mib), text(self.at_most_mib));
        format!("memory with its unit (MiB, GiB) from {least} to {most}")
    }

    fn read(&self, given: &Given<'_>) -> Result<u64, Misfit> {
        let range = u64::from(self.at_least_mib)..=u64::from(self.at_most_mib);
        let read = |text: &str| {
            let (number, worth) = match text.strip_suffix("MiB") {
                Some(number) => (number, 1),
                None => (text.strip_suffix("GiB")?, MIB_PER_GIB),
            };
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = is_number.then(|| number.parse().ok()).flatten()?;
            number.checked_mul(worth)
        };
        given
            .get_ref()
            .as_str()
            .and_then(read)
            .filter(|mib| range.contains(mib))
            .map(|mib| mib << 20)
            .ok_or_else(Misfit::plain)
    }
}

/// Linux' PATH_MAX.
const PATH_BYTES_MAX: usize = 4_096;

impl Form for FilePath {
    type Value = PathBuf;

    fn expects(&self) -> String {
        "a path; a relative one is taken from this file's folder".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<PathBuf, Misfit> {
        given
            .get_ref()
            .as_str()
            .filter(|text| (1..PATH_BYTES_MAX).contains(&text.len()))
            .filter(|text| !text.chars().any(char::is_control))
            .map(PathBuf::from)
            .ok_or_else(Misfit::plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_name_or_an_address_with_its_port_and_reads_as_it_was_written() {
        for sound in ["a1:7946", "a1.example.net:7946", "10.0.0.7:1", "[2001:db8::7]:7946"] {
            let seed = Seed::from_text(sound).expect("sound");
            assert_eq!(seed.to_string(), sound);
        }
        for unsound in [
            "",
            "a1",
            "a1:",
            ":7946",
            "a1:0",
            "a1:65536",
            "a b:1",
            "10.0.0:1",
            "10.0.0.256:1",
            "2001:db8::7:7946",
            "[::]:7946",
            "-a:1",
            "a..b:1",
        ] {
            assert_eq!(Seed::from_text(unsound), None, "{unsound:?} passed");
        }
    }

    #[test]
    fn memory_has_a_unit_and_a_range() {
        let form = Memory { at_least_mib: 64, at_most_mib: 65_536 };
        assert_eq!(form.expects(), "memory with its unit (MiB, GiB) from 64MiB to 64GiB");
        for (text, mib) in [("'64MiB'", 64), ("'2GiB'", 2_048), ("'64GiB'", 65_536)] {
            assert_eq!(form.read_toml(text), Some(mib << 20), "{text}");
        }
        for unsound in [
            "'63MiB'",
            "'65GiB'",
            "'512MB'",
            "'512'",
            "512",
            "'+512MiB'",
            "'99999999999999999999GiB'",
        ] {
            assert_eq!(form.read_toml(unsound), None, "{unsound} passed");
        }
    }

    #[test]
    fn one_may_listen_at_all_addresses_and_be_dialled_at_one() {
        assert!(Listening.read_toml("'[::]:7946'").is_some());
        assert!(Listening.read_toml("'0.0.0.0:7946'").is_some());
        assert!(Dialled.read_toml("'10.0.0.7:7946'").is_some());
        for unsound in ["'[::]:7946'", "'0.0.0.0:7946'", "'10.0.0.7:0'", "'a1:7946'", "7946"] {
            assert!(Dialled.read_toml(unsound).is_none(), "{unsound} passed");
        }
    }
}
