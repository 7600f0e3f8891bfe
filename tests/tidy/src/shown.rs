//! Is each numbered rule of detection shown by a test that is still there?
//!
//! The page has a row for each heading `## N.M` of its sections; a link whose text is a name in backticks names a function of the file that
//! it leads to. That the file is there is asked by `links`.

use std::collections::BTreeSet;
use std::fs;

use crate::{Fault, House};

const PAGE: &str = "docs/protocol/shown.md";

/// The pages whose every numbered rule has a row.
const SECTIONS: [&str; 2] =
    ["docs/protocol/2-seats-probing-doubt.md", "docs/protocol/3-rounds-and-verdicts.md"];

/// Names every rule without a row, and every test that is named and is not there.
pub fn check(house: &House) -> Vec<Fault> {
    let Ok(text) = fs::read_to_string(house.top.join(PAGE)) else {
        return Vec::new();
    };
    let rows: BTreeSet<&str> = text.lines().filter_map(first_cell).collect();
    let sections = house.pages.iter().filter(|page| SECTIONS.contains(&page.file.as_str()));
    let rules = sections.flat_map(|page| {
        let numbered = (1..).zip(page.text.lines());
        numbered.filter_map(|(line, text)| Some((page.file.as_str(), line, rule(text)?)))
    });
    let unshown = rules.filter(|(_, _, rule)| !rows.contains(rule)).map(|(file, line, rule)| {
        Fault::at(file, line)
            .found(format!("the rule {rule} without a row in {PAGE}"))
            .expected("the tests that show it")
    });
    let named = (1..).zip(text.lines()).flat_map(|(line, text)| {
        tests_named(text).into_iter().map(move |(name, path)| (line, name, path))
    });
    let gone = named.filter(|(_, name, path)| !is_there(house, name, path));
    let gone = gone.map(|(line, name, path)| {
        Fault::at(PAGE, line)
            .found(format!("the test `{name}`"))
            .expected(format!("a function of that name in {path}"))
    });
    unshown.chain(gone).collect()
}

fn first_cell(row: &str) -> Option<&str> {
    row.strip_prefix("| ")?.split(" |").next()
}

fn rule(line: &str) -> Option<&str> {
    let number = line.strip_prefix("## ")?.split(' ').next()?;
    number.starts_with(|letter: char| letter.is_ascii_digit()).then_some(number)
}

/// Each name in backticks that is a link, and where it leads.
fn tests_named(text: &str) -> Vec<(&str, &str)> {
    let links = text.split("[`").skip(1);
    links
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("`](")?;
            Some((name, rest.split_once(')')?.0))
        })
        .collect()
}

fn is_there(house: &House, name: &str, path: &str) -> bool {
    let file = house.top.join("docs/protocol").join(path);
    let wanted = format!("fn {name}(");
    fs::read_to_string(file).is_ok_and(|text| text.contains(&wanted))
}
