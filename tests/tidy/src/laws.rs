//! Does every law that a file head names stand on the page that says where each law lives?
//!
//! A head names a law by its number and a colon; a number is of its room alone, and two rooms may use the same. What the laws of the mesh
//! promise stands in `docs/LAWS.md`; here only that none appears, moves or goes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{Fault, House};

/// The page, made from the heads.
const PAGE: &str = "docs/laws-by-room.md";

const HEAD: &str = "\
# Laws by room

Every law that a file head names, and where: made from the heads, checked by `tests/tidy`, written anew by
`UPDATE_EXPECT=1 cargo test -p hale-test-tidy --test workspace laws`. A number belongs to its room. What the mesh as a whole
promises, with assert, checker and scenario, stands in [LAWS](LAWS.md).

| room | laws |
|---|---|
";

/// Names every row that is missing, is another, or is of a room that has gone.
pub fn check(house: &House) -> Vec<Fault> {
    let text = fs::read_to_string(house.top.join(PAGE)).unwrap_or_default();
    let made = page(house);
    let (lying, wanted): (BTreeSet<&str>, BTreeSet<&str>) =
        (text.lines().collect(), made.lines().collect());
    if rooms(house).is_empty() && text.is_empty() {
        return Vec::new();
    }
    let missing = made.lines().filter(|line| !lying.contains(line)).map(|line| {
        Fault::at(PAGE, 1).found(format!("no row `{line}`")).expected("each law of each file head")
    });
    let stale = (1..).zip(text.lines()).filter(|(_, line)| !wanted.contains(line));
    let stale = stale.map(|(number, line)| {
        let fault = Fault::at(PAGE, number).found(format!("the row `{line}`"));
        fault.expected("what the file's head says; see the head of the page")
    });
    missing.chain(stale).collect()
}

/// The whole page.
pub fn page(house: &House) -> String {
    let row = |(file, laws): (String, Vec<String>)| {
        format!("| [{file}](../{file}) | {} |\n", laws.join(", "))
    };
    HEAD.to_owned() + &rooms(house).into_iter().map(row).collect::<String>()
}

/// The laws that each file's head names, in its own order.
fn rooms(house: &House) -> BTreeMap<String, Vec<String>> {
    let laws = house.files.iter().filter(|file| file.ends_with(".rs")).filter_map(|file| {
        let text = fs::read_to_string(house.top.join(file)).ok()?;
        let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let laws: Vec<String> = head.iter().flat_map(|line| laws_of(line)).collect();
        (!laws.is_empty()).then(|| (file.clone(), laws))
    });
    laws.collect()
}

fn laws_of(line: &str) -> Vec<String> {
    let named = line.split("Law ").skip(1).filter_map(|rest| rest.split_once(':'));
    let numbers = named.map(|(number, _)| number).filter(|number| {
        let letters = number.trim_end_matches(|letter: char| letter.is_ascii_digit());
        letters.len() < number.len()
            && !letters.is_empty()
            && letters.chars().all(|letter| letter.is_ascii_uppercase())
    });
    numbers.map(str::to_owned).collect()
}
