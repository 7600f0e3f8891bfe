//! Is a check that fails on hosts whose agents live a case, and is it over with the trouble (protocol 3.10)?
//!
//! All agents of a story share one address, so that one listener is the service of every host.

use std::net::{Ipv4Addr, SocketAddr};

use cluster::mesh::{Mesh, held, play, until};
use daemon::demo::plan::{HOSTS_COUNT, Place};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Accepts and says nothing: to a knock that is well.
struct Service {
    address: SocketAddr,
    accepts: JoinHandle<()>,
}

impl Service {
    async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address is free");
        let address = listener.local_addr().expect("it listens");
        let accepts = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        Self { address, accepts }
    }

    async fn ends(self) -> SocketAddr {
        self.accepts.abort();
        let _ended = self.accepts.await;
        self.address
    }
}

/// By its observers and by its own word: it is over only when both say so.
fn check(port: u16) -> String {
    format!(
        "
[[check]]
name = \"web\"
kind = \"tcp\"
from = \"both\"
port = {port}
every = \"1s\"
timeout = \"500ms\"
fails_after = 2
recovers_after = 2
"
    )
}

/// Of each case of a check, by `hale cases --json` at this host: its stage, and how it ended.
async fn cases(mesh: &Mesh, place: Place) -> Vec<(String, Option<String>)> {
    let printed = mesh.types(place, &["cases", "--all", "--json"]).await;
    let answer: Value = serde_json::from_str(&printed.done()).expect("JSON");
    let cases = answer["data"]["cases"].as_array().expect("a list of cases").iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let unfit = cases.filter(|case| case["verdict"] == "Unfit(web)");
    unfit
        .map(|case| (text(&case["stage"]).expect("a stage"), text(&case["closed"]["how"])))
        .collect()
}

#[test]
fn a_service_that_ends_is_a_case_of_its_host_and_is_over_once_it_is_there_again() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        mesh.has_newest_rules().await;
        let service = Service::at((Ipv4Addr::LOCALHOST, 0).into()).await;
        let policy = mesh.remedies.policy() + &check(service.address.port());
        mesh.apply(before.leader, &policy).await;
        let before = mesh.calm().await;
        let address = service.ends().await;
        for place in 0..HOSTS_COUNT {
            until("every host knows that all six are unfit", async || {
                cases(&mesh, place).await == vec![("open".to_owned(), None); HOSTS_COUNT]
            })
            .await;
        }
        let _service = Service::at(address).await;
        let over = ("closed".to_owned(), Some("recovered".to_owned()));
        until("every case is over", async || {
            cases(&mesh, before.leader).await == vec![over.clone(); HOSTS_COUNT]
        })
        .await;
        mesh.calm().await;
        assert!(mesh.stage.lines(&before, None).is_empty(), "nothing is done for a check");
        held(&mesh.stage.one_history().await);
    });
}
