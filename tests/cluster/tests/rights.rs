//! Are the rights here that every root-only test needs?
//!
//! Missing rights fail with the reason; nothing is skipped, so that a green run means what it says.

use std::process::Command;

/// A network namespace that is gone when the test ends, however it ends.
struct Namespace {
    name: String,
}

impl Namespace {
    fn made(purpose: &str) -> Namespace {
        let name = format!("hale-{purpose}-{}", std::process::id());
        run(&["ip", "netns", "add", &name]);
        Namespace { name }
    }

    fn inside(&self, command: &[&str]) -> String {
        run(&[&["ip", "netns", "exec", self.name.as_str()], command].concat())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        run(&["ip", "netns", "delete", &self.name]);
    }
}

fn run(command: &[&str]) -> String {
    let (program, arguments) = command.split_first().expect("a command has a program");
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|fault| panic!("start {program}: {fault}"));
    assert!(
        output.status.success(),
        "`{}` needs root and Debian's iproute2 and nftables: {}",
        command.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_network_of_our_own_can_be_made_and_cut() {
    let network = Namespace::made("rights");
    network.inside(&["ip", "link", "set", "lo", "up"]);
    assert!(network.inside(&["ip", "link", "show", "lo"]).contains("UP"));
    network.inside(&["nft", "add", "table", "inet", "cut"]);
    assert!(network.inside(&["nft", "list", "tables"]).contains("inet cut"));
}
