//! Do the golden pages of released versions still say what they said?
//!
//! A page in a folder `bytes/N`, N a number, is what version N has said to other hosts and written to disks; it never changes. The
//! list of all of them, each with its SHA-256, makes a change of one a change of two files, of which one says what it is.

use std::collections::BTreeMap;
use std::fs;

use sha2::{Digest as _, Sha256};

use crate::{Fault, House};

/// The list, in the form that `sha256sum` writes and checks.
const LIST: &str = "tests/tidy/frozen.sums";

/// Names every frozen page that is gone, is another, or does not stand on the list.
pub fn check(house: &House) -> Vec<Fault> {
    let text = fs::read_to_string(house.top.join(LIST)).unwrap_or_default();
    let mut faults = Vec::new();
    let mut listed = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line.split_once("  ") {
            Some((sum, file)) => {
                listed.insert(file, (number, sum));
            }
            None => faults.push(
                Fault::at(LIST, number)
                    .found(format!("`{line}`"))
                    .expected("a sum, two spaces and a path, as sha256sum writes them"),
            ),
        }
    }
    faults.extend(listed.iter().filter_map(|(file, listed)| changed(house, file, *listed)));
    let frozen = house.files.iter().filter(|file| is_frozen(file));
    let unlisted = frozen.filter(|file| !listed.contains_key(file.as_str()));
    faults.extend(unlisted.map(|file| {
        Fault::at(file, 1)
            .found("a frozen page that is on no list")
            .expected(format!("its row in {LIST}: `{}  {file}`", sum_of(house, file)))
    }));
    faults
}

fn changed(house: &House, file: &str, (line, sum): (usize, &str)) -> Option<Fault> {
    if !house.files.iter().any(|known| known == file) {
        let fault = Fault::at(LIST, line).found(format!("no `{file}`"));
        return Some(fault.expected("the page as it was frozen: what was in use is never deleted"));
    }
    (sum_of(house, file) != sum).then(|| {
        Fault::at(file, 1).found("another page than the one that was frozen").expected(
            "the page as it was: what a released version has said stays; new bytes are a new variant, on today's page",
        )
    })
}

/// Whether it lies in a folder `bytes/N`.
fn is_frozen(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.windows(3).any(|three| three[0] == "bytes" && is_number(three[1]))
}

fn sum_of(house: &House, file: &str) -> String {
    let bytes = fs::read(house.top.join(file)).unwrap_or_default();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
