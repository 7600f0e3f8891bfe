//! Who is let in, and who is not.

use daemon::authority::{self, Term};
use daemon::transport::{CallFault, Incoming, Parting, Side};
use quinn::ConnectionError;
use rcgen::date_time_ymd;
use wire::HelloRefusal;

use crate::fleet::{Fleet, KEEPER, PLAIN, boot, load};
use crate::raw::{self, Shown};

#[tokio::test]
async fn a_host_of_the_cluster_is_admitted_as_what_its_certificate_says() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", KEEPER);
    assert_eq!(a.transport.introduce(b.address).await, Ok(b.host()));
    let at_b = b.connected().await;
    assert_eq!(at_b.host, fleet.id("a"));
    assert_eq!(*at_b.claims, fleet.claims("a", PLAIN));
    assert_eq!((at_b.boot, at_b.address), (boot(1), a.address));
    let at_a = a.connected().await;
    assert_eq!(*at_a.claims, fleet.claims("b", KEEPER));
    assert_eq!(a.transport.connected(), [b.host()]);
    assert!(b.transport.is_connected(a.host()));
}

#[tokio::test]
async fn a_host_of_another_authority_is_refused_by_both_sides() {
    let (ours, theirs) = (Fleet::new("prod"), Fleet::new("prod"));
    let a = ours.start("a", PLAIN);
    let b = theirs.start("b", PLAIN);
    let fault = a.transport.introduce(b.address).await;
    assert!(matches!(fault, Err(CallFault::Untrusted(_))), "{fault:?}");
    let fault = b.transport.introduce(a.address).await;
    assert!(matches!(fault, Err(CallFault::Untrusted(_))), "{fault:?}");
    assert!(a.transport.connected().is_empty() && b.transport.connected().is_empty());
}

/// How the fleet's host `a` receives somebody who shows this.
async fn received(fleet: &Fleet, shown: Option<&Shown>) -> ConnectionError {
    let a = fleet.start("a", PLAIN);
    let endpoint = raw::client(shown);
    let ended = raw::greet(&endpoint, a.address, fleet).await;
    assert!(a.transport.connected().is_empty());
    assert_eq!(a.transport.figures().handshakes_failed, 1);
    match ended {
        Ok((_, answer)) => panic!("was answered: {answer:?}"),
        Err(error) => error,
    }
}

fn is_certificate_alert(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::ConnectionClosed(close) if (0x100..0x200).contains(&u64::from(close.error_code)))
}

#[tokio::test]
async fn nobody_comes_in_without_a_certificate_or_with_an_unsound_one() {
    let fleet = Fleet::new("prod");
    let uri = fleet.claims("x", KEEPER).to_uri();
    let other = fleet.claims("y", KEEPER).to_uri();
    let staging = uri.replace("prod", "staging");
    let sound = |_: &mut _| {};
    let none = received(&fleet, None).await;
    assert!(is_certificate_alert(&none), "{none:?}");
    for (what, shown) in [
        ("two URIs", raw::forged(&fleet, &[uri.clone(), other], sound)),
        ("no URI", raw::forged(&fleet, &[], sound)),
        ("another cluster", raw::forged(&fleet, &[staging], sound)),
        ("a second certificate", {
            let second = raw::forged(&fleet, std::slice::from_ref(&uri), sound);
            let shown = raw::forged(&fleet, std::slice::from_ref(&uri), sound);
            Shown { others: vec![second.certificate], ..shown }
        }),
        (
            "expired",
            raw::forged(&fleet, std::slice::from_ref(&uri), |params| {
                params.not_before = date_time_ymd(2020, 2, 29);
                params.not_after = date_time_ymd(2021, 2, 28);
            }),
        ),
        (
            "not yet valid",
            raw::forged(&fleet, std::slice::from_ref(&uri), |params| {
                params.not_before = date_time_ymd(4000, 2, 29);
            }),
        ),
    ] {
        let error = received(&fleet, Some(&shown)).await;
        assert!(is_certificate_alert(&error), "{what}: {error:?}");
    }
    // The same way with nothing wrong is let in: what was refused above was refused for its fault.
    let a = fleet.start("a", PLAIN);
    let shown = raw::forged(&fleet, &[uri], sound);
    let endpoint = raw::client(Some(&shown));
    assert!(raw::greet(&endpoint, a.address, &fleet).await.is_ok());
}

#[tokio::test]
async fn a_dialler_does_not_speak_to_an_acceptor_with_an_unsound_certificate() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let uris = [fleet.claims("x", KEEPER).to_uri(), fleet.claims("y", KEEPER).to_uri()];
    let server = raw::server(&raw::forged(&fleet, &uris, |_| {}));
    let accepting = server.clone();
    tokio::spawn(async move {
        let knock = accepting.accept().await.expect("is dialled");
        assert!(knock.await.is_err(), "the dialler went through");
    });
    let address = server.local_addr().expect("is bound");
    let fault = a.transport.introduce(address).await;
    assert!(matches!(fault, Err(CallFault::Untrusted(_))), "{fault:?}");
}

#[tokio::test]
async fn whoever_answers_at_an_address_is_not_taken_for_the_host_that_was_dialled() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN).serve();
    a.transport.set_address(fleet.id("c"), b.address);
    let fault = a.ask(fleet.id("c")).await;
    assert_eq!(fault, Err(CallFault::Stranger(fleet.id("b"))));
    let own = a.transport.introduce(a.address).await;
    assert_eq!(own, Err(CallFault::Stranger(a.host())));
}

#[tokio::test]
async fn a_retired_host_loses_its_connection_and_does_not_come_back() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    a.transport.introduce(b.address).await.expect("is admitted");
    b.connected().await;
    a.transport.deny(b.host()).await;
    assert_eq!(b.closed().await, (a.host(), Parting::Denied));
    let fault = b.transport.introduce(a.address).await;
    assert_eq!(fault, Err(CallFault::Refused(HelloRefusal::Retired)));
    a.knows(&b);
    assert_eq!(a.ask(b.host()).await, Err(CallFault::Denied));
}

#[tokio::test]
async fn a_boot_older_than_the_ledger_knows_is_refused_and_told_which_one_to_pass() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    a.transport.require_boot(b.host(), boot(5));
    b.keeps_warm(&a);
    loop {
        if let Incoming::Refused { by, roles, refusal } = b.next().await {
            assert_eq!((by, refusal), (a.host(), HelloRefusal::BootTooLow(boot(5))));
            assert_eq!(roles, PLAIN);
            break;
        }
    }
    loop {
        // It heard that: whoever turned it away knows that this life lives.
        if let Incoming::TurnedAway { host, boot: life } = a.next().await {
            assert_eq!((host, life), (b.host(), boot(1)));
            break;
        }
    }
    let presence = daemon::transport::Presence { boot: boot(6), address: b.address, store: None };
    b.transport.set_presence(presence);
    assert_eq!(b.connected().await.host, a.host());
}

#[tokio::test]
async fn standing_connections_of_a_life_below_the_committed_one_end_and_no_others() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    a.transport.introduce(b.address).await.expect("is admitted");
    b.connected().await;
    // The life that it is in.
    a.transport.require_boot(b.host(), boot(1));
    assert!(a.transport.is_connected(b.host()));
    a.transport.require_boot(b.host(), boot(5));
    assert_eq!(b.closed().await, (a.host(), Parting::Replaced));
    assert_eq!(a.closed().await, (b.host(), Parting::Replaced));
    let fault = b.transport.introduce(a.address).await;
    assert_eq!(fault, Err(CallFault::Refused(HelloRefusal::BootTooLow(boot(5)))));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN);
    let again = fleet.folder("b-again");
    let claims = fleet.claims("b", KEEPER);
    authority::issue(&claims, &fleet.authority(), &again, Term::from_now(9)).expect("is issued");
    b.transport.renew(load(&again).into()).expect("is usable");
    a.transport.introduce(b.address).await.expect("is admitted");
    assert!(a.connected().await.claims.roles.keeper);
    let other = fleet.identity("c", PLAIN);
    assert!(b.transport.renew(other).is_err(), "took another host's certificate");
}

/// The next identity of a host, issued into a folder beside its first.
fn next_identity(fleet: &Fleet, host: &str) -> std::sync::Arc<daemon::identity::Identity> {
    let out = fleet.folder(&format!("{host}-next"));
    let claims = fleet.claims(host, PLAIN);
    authority::issue(&claims, &fleet.authority(), &out, Term::from_now(8)).expect("is issued");
    load(&out).into()
}

#[tokio::test]
async fn a_standing_connection_goes_on_while_both_sides_take_other_keys() {
    let fleet = Fleet::new("prod");
    let (mut a, b) = (fleet.start("a", PLAIN), fleet.start("b", PLAIN).serve());
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    a.connected().await;
    let before = a.transport.endings()[&host];
    let next = [("a", &a.transport), ("b", &b.transport)];
    for (name, transport) in next {
        transport.renew(next_identity(&fleet, name)).expect("is usable");
    }
    assert!(a.ask(host).await.is_ok(), "the connection stands");
    assert_eq!(a.transport.figures().dials, 1, "and is the same one");
    assert_eq!(a.transport.endings()[&host], before, "shown in its handshake");
    let fresh = a.transport.fresh_dial(host, 7, crate::fleet::PATIENCE).await;
    assert!(fresh.is_ok(), "a new one comes about with the new keys: {fresh:?}");
    let mut c = fleet.start("c", PLAIN);
    c.transport.introduce(b.address).await.expect("is admitted");
    c.connected().await;
    assert!(c.transport.endings()[&host] < before, "whoever comes is shown the new one");
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_by_either_clock_is_named_so_on_both_sides() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let b = fleet.start_with("b", PLAIN, 1, |settings| {
        settings.wall_clock = std::sync::Arc::new(Frozen(4_070_908_800));
    });
    let said = b.transport.introduce(a.address).await.expect_err("its clock is in 2099");
    let CallFault::NotInForce { whose: Side::Theirs, .. } = &said else { panic!("{said:?}") };
    let said = said.to_string();
    assert!(said.contains("verification time 2099-01-01T00:00:00Z"), "{said}");
    assert!(said.contains("set the clock here right"), "{said}");
    let said = a.transport.introduce(b.address).await.expect_err("its clock is in 2099");
    let CallFault::NotInForce { whose: Side::Ours, .. } = &said else { panic!("{said:?}") };
    // A failed handshake proves nothing of a host that is asked whether it lives.
    a.knows(&b);
    let asked = a.transport.fresh_dial(b.host(), 7, crate::fleet::PATIENCE).await;
    assert!(asked.is_err_and(|fault| fault.is_distrust()));
}

/// A wall clock that stands.
#[derive(Debug)]
struct Frozen(u64);

impl rustls::time_provider::TimeProvider for Frozen {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0)))
    }
}

#[tokio::test]
async fn a_connection_of_a_fresh_dial_does_not_outlive_the_burial_of_its_host_by_five_seconds() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    fleet.identity("x", PLAIN);
    let endpoint = raw::fresh_client(&raw::issued(&fleet, "x"));
    let (connection, _) = raw::greet(&endpoint, a.address, &fleet).await.expect("is served");
    a.transport.deny(fleet.id("x")).await;
    let began = std::time::Instant::now();
    connection.closed().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "it took {:?}", began.elapsed());
}
