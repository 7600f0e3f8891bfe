//! Does this repository obey its own house rules?

use std::path::PathBuf;

use tidy::{CHECKS, House};

/// The folder is asked for as the test runs: one built in another checkout would judge that one.
fn this_house() -> House {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the folder");
    House::read(&PathBuf::from(folder).join("../.."))
        .expect("the repository is readable and parses")
}

fn obey(rule: &str) {
    let check =
        CHECKS.iter().find(|check| check.name == rule).expect("the rule stands in the table");
    let faults = (check.run)(&this_house());
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(
        faults.is_empty(),
        "{} breaches of the house rule on {rule}:\n{}",
        faults.len(),
        told.join("\n")
    );
}

#[test]
fn every_crate_uses_only_what_lies_below_it() {
    obey("arrows");
}

#[test]
fn no_pure_crate_knows_a_clock_a_socket_a_thread_a_file_or_luck() {
    obey("purity");
}

#[test]
fn every_task_of_a_host_begins_at_one_door() {
    obey("tasks");
}

#[test]
fn all_pure_crates_live_under_one_table_of_lints() {
    obey("lints");
}

#[test]
fn no_file_is_longer_than_one_question_needs() {
    obey("file sizes");
}

#[test]
fn no_function_is_longer_than_a_screen() {
    obey("function sizes");
}

#[test]
fn no_file_module_or_type_bears_an_empty_name() {
    obey("names");
}

#[test]
fn no_page_holds_a_dead_link() {
    obey("links");
}

#[test]
fn every_guest_stands_in_the_book_of_guests() {
    obey("guests");
}

#[test]
fn every_dependency_is_used_by_the_crate_that_names_it() {
    obey("idle dependencies");
}

#[test]
fn no_golden_page_of_a_released_version_is_another_or_gone() {
    obey("frozen pages");
}

#[test]
fn every_law_of_a_file_head_stands_on_the_page_of_laws() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let house = this_house();
        let page = house.top.join("docs/laws-by-room.md");
        std::fs::write(page, tidy::laws::page(&house)).expect("a page in our own tree");
    }
    obey("laws");
}

#[test]
fn every_numbered_rule_of_detection_is_shown_by_tests_that_are_there() {
    obey("rules shown");
}
