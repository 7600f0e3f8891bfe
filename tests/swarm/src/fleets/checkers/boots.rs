//! Boots (protocol 1.2): a host's boot only rises, in the ledger and in its lives, and one number is one life.

use std::collections::BTreeMap;

use ledger::audit::What;
use vocabulary::{Boot, HostId};

use super::super::picture::Picture;
use super::Checker;

/// The highest boot of each host, as the ledger knows it and as it lives.
#[derive(Default)]
pub struct Boots {
    committed: BTreeMap<HostId, Boot>,
    /// By the machine, of which two may bear one name, and its disk.
    lived: BTreeMap<(usize, u64), Boot>,
}

impl Checker for Boots {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for record in &picture.records {
            if let What::Booted { host, boot } = record.what {
                rises(&mut self.committed, host, boot)
                    .map_err(|why| format!("protocol 1.2: in the ledger {why}"))?;
            }
        }
        for (place, seen) in picture.hosts.iter().enumerate() {
            if let Some(boot) = seen.boot {
                rises(&mut self.lived, (place, seen.disks_lost), boot)
                    .map_err(|why| format!("protocol 1.2: {} lives, {why}", seen.name))?;
            }
        }
        Ok(())
    }
}

fn rises<K: Ord>(known: &mut BTreeMap<K, Boot>, of: K, boot: Boot) -> Result<(), String> {
    let last = known.insert(of, boot).unwrap_or(boot);
    if boot.number < last.number || (boot.number == last.number && boot != last) {
        return Err(format!("boot {} after {}", boot.number, last.number));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, host, is_caught};
    use super::*;

    #[test]
    fn a_boot_that_falls_and_a_number_of_two_lives_are_caught() {
        let mut album = healed();
        let last = album.last_mut().expect("pictures");
        let boot = host(last, "b2").boot.as_mut().expect("it was started");
        boot.nonce += 1;
        assert!(is_caught(&mut Boots::default(), &album, "protocol 1.2: b2 lives"));
        let mut album = healed();
        let of_b2 = host(&mut album[0], "b2").id;
        let is_second = |what: &What| matches!(what, What::Booted { host, boot } if *host == of_b2 && boot.number == 2);
        let (at, place) = first(&album, is_second);
        let mut again = album[at].records[place].clone();
        if let What::Booted { boot, .. } = &mut again.what {
            boot.number = 1;
        }
        album[at].records.push(again);
        assert!(is_caught(&mut Boots::default(), &album, "protocol 1.2: in the ledger"));
    }
}
