//! Does `hale.toml` mean what its example, its reference page and its faults say it means?

use expect_test::{expect, expect_file};
use ledger::document::Presence;
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Config, Vec<Fault>> {
    Config::read("hale.toml", text, Path::new("/etc/hale"))
}

fn faults(text: &str) -> String {
    let faults = read(text).expect_err("this text is unsound");
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    lines.join("\n") + "\n"
}

#[test]
fn the_example_means_the_defaults_and_the_one_address_that_must_be_given() {
    let config = read(&Config::example()).expect("sound");
    let shortest = read("agent.advertise = \"127.0.0.1:7946\"").expect("sound");
    assert_eq!(config, shortest);
    assert_eq!(config.admin.socket, Path::new("/run/hale/admin.sock"));
}

#[test]
fn the_example_wide_awake_still_reads() {
    let awake = Config::example().replace("#: ", "");
    assert_eq!(read(&awake).expect("sound").reach.len(), 1);
}

#[test]
fn the_example_and_the_reference_page_are_what_is_in_the_repository() {
    expect_file!["../../../../docs/operating/config-example.toml"].assert_eq(&Config::example());
    expect_file!["../../../../docs/operating/config-reference.md"].assert_eq(&Config::reference());
}

#[test]
fn every_key_is_explained_in_example_and_reference_and_takes_its_own_default() {
    let (example, reference) = (Config::example(), Config::reference());
    for section in Config::definition().sections {
        for key in section.keys {
            let (Presence::Default(value)
            | Presence::Optional { example: value, .. }
            | Presence::Required { example: value }) = key.presence();
            assert!(key.takes(value), "{} does not take {value}", key.name());
            assert!(example.contains(&format!("{} = {value}\n", key.name())));
            assert!(reference.contains(&format!("| `{}` |", key.name())));
            assert!(reference.contains(key.says()));
        }
    }
}

#[test]
fn relative_paths_are_taken_from_the_folder_of_the_file() {
    let text = "agent.advertise = \"[::1]:1\"\nidentity.key = \"a1/host.key\"\nstorage.folder = \"/srv/hale\"";
    let config = read(text).expect("sound");
    assert_eq!(config.identity.key, Path::new("/etc/hale/a1/host.key"));
    assert_eq!(config.storage, Path::new("/srv/hale"));
}

#[test]
fn every_fault_is_named_at_once_with_place_key_value_and_expectation() {
    expect![[r#"
        hale.toml:2:1: cluster: refused: the host's certificate says it, and nothing else is believed; see hale ca show FILE
        hale.toml:4:1: agent.advertise: missing, expected one address and port such as "10.0.0.7:7946" or "[2001:db8::7]:7946"
        hale.toml:5:8: agent.bind: "7946", expected an address and port such as "[::]:7946" or "10.0.0.7:7946"
        hale.toml:6:1: agent.advertize: unknown key, expected one of bind, advertise, seeds; did you mean advertise?
        hale.toml:7:27: agent.seeds: "b1", expected a host and port such as "a1.example.net:7946", "10.0.0.7:7946" or "[2001:db8::7]:7946"
        hale.toml:10:10: admin.socket: "", expected a path; a relative one is taken from this file's folder
        hale.toml:11:15: admin.read_users: -1, expected a whole number from 0 to 4294967294
        hale.toml:14:19: limits.connections_max: 1000000, expected a whole number from 64 to 16384
        hale.toml:17:10: log.format: "JSON", expected "readable" or "json"; did you mean "json"?
        hale.toml:18:9: log.level: "verbose", expected "error", "warn", "info", "debug" or "trace"
        hale.toml:22:11: reach[1].address: "0.0.0.0:1", expected one address and port such as "10.0.0.7:7946" or "[2001:db8::7]:7946"
        hale.toml:29:8: reach[3].host: "c": this host is named above already
        hale.toml:32:1: reach[4].host: missing, expected a name of 1 to 63 of a-z 0-9 . _ -
    "#]].assert_eq(&faults(
        r#"
cluster = "prod"

[agent]
bind = "7946"
advertize = "10.0.0.7:7946"
seeds = ["10.0.0.8:7946", "b1"]

[admin]
socket = ""
read_users = [-1]

[limits]
connections_max = 1000000

[log]
format = "JSON"
level = "verbose"

[[reach]]
host = "b"
address = "0.0.0.0:1"

[[reach]]
host = "c"
address = "10.0.0.9:1"

[[reach]]
host = "c"
address = "10.0.0.9:2"

[[reach]]
address = "10.0.0.9:2"
"#,
    ));
}

#[test]
fn a_socket_path_that_the_kernel_would_not_take_is_a_fault() {
    let text = format!("agent.advertise = \"[::1]:1\"\nadmin.socket = \"/{}\"", "x".repeat(107));
    assert!(faults(&text).contains("admin.socket"));
    let text = format!("agent.advertise = \"[::1]:1\"\nadmin.socket = \"/{}\"", "x".repeat(106));
    assert!(read(&text).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_that_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hale.toml");
    let missing = load(&path).expect_err("it is not there");
    assert!(missing[0].to_string().contains("hale.toml: No such file"));
    std::fs::write(&path, [b'a', 0xff]).expect("written");
    let broken = load(&path).expect_err("it is not text");
    assert!(broken[0].to_string().contains("byte 1 is not UTF-8"));
    std::fs::write(&path, "agent.advertise = '10.0.0.7:7946'").expect("written");
    let config = load(&path).expect("sound");
    assert_eq!(config.agent.advertise.port(), 7946);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_configuration_or_named_faults(text in any::<String>()) {
        if let Err(faults) = read(&text) {
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn an_example_with_a_slip_gives_a_configuration_or_named_faults(
        at in 0..2_000usize,
        scrap in "\\PC{0,6}",
    ) {
        let mut text = Config::example();
        text.replace_range(at..at + 1, &scrap);
        if let Err(faults) = read(&text) {
            prop_assert!(!faults.is_empty());
        }
    }
}
