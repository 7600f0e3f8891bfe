//! Is an agent that cannot start told in one line, with its own exit code, and nothing half-started?

#[path = "../lone/mod.rs"]
pub mod lone;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use daemon::authority::{self, Term};
use lone::{DAY, Host, is_root};
use vocabulary::ClusterName;

#[test]
fn a_key_that_cannot_be_read_is_a_matter_of_permission() {
    let host = Host::laid();
    let mode = if is_root() { 0o600 } else { 0 };
    host.take_away_rights_of(host.files.folder().join("host.key"), mode);
    host.fails_with(77, "host.key");
}

#[test]
fn a_key_that_others_may_read_is_a_matter_of_permission() {
    let host = Host::laid();
    let key = host.files.folder().join("host.key");
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).expect("set");
    host.fails_with(77, "host.key");
}

#[test]
fn a_certificate_that_has_ended_is_refused() {
    let host = Host::with_term(Term::starting(SystemTime::now() - 5 * DAY, 1));
    host.fails_with(78, "ended");
}

#[test]
fn a_certificate_of_another_mesh_is_refused() {
    let host = Host::laid();
    let other = host.files.folder().join("other");
    let name = ClusterName::new("other").expect("sound");
    authority::init(&name, &other, Term::from_now(1)).expect("founded");
    let known = host.files.folder().join("authority.pem");
    fs::copy(other.join("authority.pem"), known).expect("copied");
    host.fails_with(78, "no authority in");
}

#[test]
fn a_certificate_that_is_missing_is_refused() {
    let host = Host::laid();
    fs::remove_file(host.files.folder().join("host.pem")).expect("removed");
    host.fails_with(78, "host.pem");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let mut host = Host::laid();
    host.is_taken = true;
    let taken = UdpSocket::bind(host.bind).expect("free until now");
    host.fails_with(71, &host.bind.to_string());
    drop(taken);
    let _taken = TcpListener::bind(host.bind).expect("free until now");
    host.fails_with(71, &host.bind.to_string());
}

#[test]
fn a_door_for_clients_that_may_not_or_cannot_be_opened_is_named() {
    let host = Host::plain();
    let config = host.files.config();
    let text = fs::read_to_string(&config).expect("written");
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let taken_at = taken.local_addr().expect("it listens").to_string();
    let doors =
        [("0.0.0.0:7980", 78, "expected a loopback address"), (&taken_at, 71, "fleetlock.listen")];
    for (door, exit, why) in doors {
        let with_door = format!("{text}\n[fleetlock]\nlisten = \"{door}\"\n");
        fs::write(&config, with_door).expect("written");
        host.fails_with(exit, why);
    }
}

#[test]
fn a_boot_file_that_is_no_number_is_left_for_a_person() {
    let host = Host::laid();
    let file = host.files.storage().join("boot");
    fs::write(&file, "seven\n").expect("written");
    let failed = host.ended();
    failed.is_one_line(78, "boot");
    assert_eq!(fs::read_to_string(&file).expect("there"), "seven\n");
}

#[test]
fn a_damaged_store_that_may_be_the_only_one_is_left_for_a_person() {
    let host = Host::laid();
    let store = host.files.storage().join("ledger.redb");
    fs::write(&store, "no store at all").expect("written");
    host.gives_to_its_user(&store);
    let failed = host.ended();
    failed.is_one_line(74, "does not know whether another one carries the ledger");
    assert_eq!(fs::read_to_string(&store).expect("there"), "no store at all");
}

#[test]
fn a_socket_that_cannot_be_made_is_a_matter_of_permission() {
    let host = Host::laid();
    host.take_away_rights_of(host.files.folder().to_owned(), 0o555);
    host.fails_with(77, "admin.sock");
}

#[test]
fn a_storage_folder_that_cannot_be_written_is_a_matter_of_permission() {
    let host = Host::laid();
    host.take_away_rights_of(host.files.storage(), 0o555);
    host.fails_with(77, "storage");
}
