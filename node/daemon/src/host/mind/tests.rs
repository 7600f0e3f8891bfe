//! Does the admin socket tell what it can when the loop does not answer?

use std::path::Path;

use tokio::sync::mpsc;
use vocabulary::Address;

use super::*;
use crate::authority::{self, Term};
use crate::demo::plan::{Files, HOSTS};
use crate::demo::ports;
use crate::host::clock::HostClock;
use crate::host::folder::Folder;
use crate::host::life::{self, LifeSettings, World};
use crate::host::pager::GuardedCommand;
use crate::identity::IdentityFiles;
use crate::second_channel::TcpKnock;
use crate::selfwatch::Doing;
use crate::transport::{TransportSettings, UdpSockets, system_seed};

/// A real world, whose certificates end tomorrow.
fn world(mesh: &Path, at: Address) -> (Arc<Identity>, LifeSettings, World) {
    let claims = HOSTS[0].claims().expect("sound");
    let ca = mesh.join("authority");
    authority::init(&claims.cluster, &ca, Term::from_now(2)).expect("founded");
    let files = Files::of(mesh, &HOSTS[0]);
    authority::issue(&claims, &ca, files.folder(), Term::from_now(1)).expect("issued");
    let identity = IdentityFiles {
        certificate: files.folder().join("host.pem"),
        key: files.folder().join("host.key"),
        authority: files.folder().join("authority.pem"),
        cluster: None,
    };
    let identity = Identity::load(&identity, crate::moments::now()).expect("sound");
    let settings = LifeSettings {
        advertise: at,
        seeds: Arc::new([]),
        reach: BTreeMap::new(),
        client: None,
        transport: TransportSettings::seeded(system_seed()),
    };
    let world = World {
        sockets: Arc::new(UdpSockets::new(at)),
        second_channel: Arc::new(TcpKnock),
        home: Arc::new(Folder::open(&files.storage()).expect("made")),
        clock: Arc::new(HostClock),
        actuator: Arc::new(actuators::CommandActuator::new("/bin/false".into())),
        pager: Arc::new(GuardedCommand::of("/bin/false".into())),
    };
    (Arc::new(identity), settings, world)
}

#[tokio::test]
async fn a_loop_that_does_not_answer_hides_neither_endings_nor_notes_nor_the_self_watch() {
    let mesh = tempfile::tempdir().expect("a folder");
    let (identity, settings, world) = world(mesh.path(), ports::free().expect("a port"));
    let opened = life::open(&identity, settings, world).await.expect("it opens");
    let (_leave, leaves) = mpsc::channel(1);
    // The loop is there, and nobody runs it.
    let (life, _looping) = opened.begin(leaves);
    life.mind.own.turns(Doing::Datagram);
    let trouble = "the loop stands still for 12s, with a datagram".to_owned();
    life.mind.own.tell_trouble(trouble.clone());
    let local = life.mind.local().await;
    assert_eq!(
        local.notes[0],
        "this agent's loop does not answer, it is at a datagram: what it has observed is not shown"
    );
    let ends = |note: &String| note.starts_with("this host's certificate ends in ");
    assert!(local.notes.iter().any(ends), "{:?}", local.notes);
    assert_eq!(local.self_watch.troubles, [trouble]);
    assert!(local.own_ending.is_some() && local.authorities.len() == 1);
}

#[test]
fn who_gossips_nothing_says_for_how_long_and_what_goes_on() {
    assert_eq!(
        muted_note(Span::seconds(23)),
        "this agent gossips nothing of members for 23 s: it has told more than a mesh of this size has to say; probes, exchanges, rounds and health records go on"
    );
}
