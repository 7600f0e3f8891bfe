//! A FleetLock client beside a real agent: it may reboot within the budgets, is not healed meanwhile, and gives its slot back to a host that is
//! seen well (protocol 6.12).

use std::fs;
use std::net::SocketAddr;

use cluster::deeds::deeds;
use cluster::mesh::{Mesh, plain, play, until};
use daemon::demo::plan::{HOSTS, Place};
use daemon::demo::ports;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As Zincati names itself, and the group that it names where nobody told it another.
const CLIENT: &str = "c988d2509fdf4cdcbed39037c56406fb";
const BODY: &str =
    r#"{"client_params":{"id":"c988d2509fdf4cdcbed39037c56406fb","group":"default"}}"#;

/// Opens a door for clients at this host, from its agent's next life on.
fn opens_a_door(mesh: &Mesh, place: Place) -> SocketAddr {
    let door = ports::free().expect("one is free");
    let config = mesh.stage.fleet.files(place).config();
    let text = fs::read_to_string(&config).expect("readable");
    let with_door = format!("{text}\n[fleetlock]\nlisten = \"{door}\"\n");
    fs::write(&config, with_door).expect("written");
    door
}

/// What the door answers: the status, or nothing where nobody is there.
async fn asks(door: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(door).await.ok()?;
    let length = BODY.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: hale\r\nconnection: close\r\nfleet-lock-protocol: true\r\ncontent-length: {length}\r\n\r\n{BODY}"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

#[test]
fn a_host_that_took_a_slot_reboots_unhealed_and_gives_it_back_once_it_is_seen_well() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let first = mesh.calm().await;
        let (host, asked) = (plain(&first), first.leader);
        let name = HOSTS[host].name;
        let door = opens_a_door(&mesh, host);
        mesh.stage.fleet.kill(host).await.expect("killed");
        mesh.stage.fleet.start(host).await.expect("started");
        let before =
            mesh.calm_when("it is in its next life", |calm| calm.boots[name] > first.boots[name]);
        let before = before.await;
        let runs = mesh.remedies.runs().len();

        until("it has a slot", async || asks(door, "/v1/pre-reboot").await == Some(200)).await;
        mesh.types(asked, &["leases"]).await.says(CLIENT);
        let listed = mesh.types(asked, &["fleetlock", "list"]).await.done();
        assert!(
            listed.lines().any(|line| line.contains(CLIENT) && line.contains(name)),
            "{listed}"
        );

        // It reboots: whoever looks sees a dead agent, and lets it be.
        mesh.stage.fleet.kill(host).await.expect("killed");
        let case = mesh.case_on(host, &before).await;
        let number = case.0.to_string();
        until("its case says why nothing begins", async || {
            mesh.types(asked, &["explain", &number]).await.text.contains("said that it reboots")
        })
        .await;
        mesh.stage.fleet.start(host).await.expect("started");
        mesh.closed(case, &before).await;
        let begun = deeds(&mesh.stage.history, case, before.head);
        assert!(!begun.iter().any(|line| line.starts_with("granted")), "{begun:?}");
        assert_eq!(mesh.remedies.runs().len(), runs, "nothing was begun");
        mesh.types(asked, &["leases"]).await.says(CLIENT);

        until("it is seen well", async || asks(door, "/v1/steady-state").await == Some(200)).await;
        let leases = mesh.types(asked, &["leases"]).await;
        assert!(!leases.text.contains(CLIENT), "{leases:?}");
        let audit = mesh.types(asked, &["audit"]).await;
        audit.says("is over: given back, and its host is seen well");
    });
}
