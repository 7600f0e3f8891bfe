//! Pictures of a small fleet in which one agent dies and is healed, to be forged.

use std::ops::ControlFlow;

use ledger::audit::What;
use simulator::Fleet;
use simulator::script::Script;

use super::super::picture::{Camera, Picture, Seen};
use super::Checker;

/// Six hosts, of which `b2` is killed and started again by its healer.
const HEALED: &str = "hosts a1 a2 zone=a rack=p; hosts b1 b2 zone=b rack=q; hosts c1 c2 zone=c rack=r
keepers a1 b1 c1
policy
[[rule]]
name = \"down\"
when = { verdict = \"AgentDown\" }
mode = \"act\"
ladder = [ { do = \"command\", class = \"gentle\", argv = [\"/bin/start\"], verify_within = \"30s\", soak = \"3s\" } ]
end
run 10s; kill b2; run 1m
";

/// The same hosts, of which `b2` serves nobody from the tenth second on.
const FAILED: &str =
    "hosts a1 a2 zone=a rack=p; hosts b1 b2 zone=b rack=q; hosts c1 c2 zone=c rack=r
keepers a1 b1 c1
policy
[[check]]
name = \"service\"
kind = \"tcp\"
port = 8080
every = \"2s\"
end
run 10s; port 8080 on b2 refuses; run 1m
";

/// The same hosts, of which a keeper and `b2` take slots; `b2` is away for a while and gives its slot back.
const REBOOTED: &str =
    "hosts a1 a2 zone=a rack=p; hosts b1 b2 zone=b rack=q; hosts c1 c2 zone=c rack=r
keepers a1 b1 c1
policy
[budget]
fleet = { in_flight = 3, halt_above = \"none\" }
any_group = { in_flight = 3 }
[[rule]]
name = \"down\"
when = { verdict = \"AgentDown\" }
mode = \"act\"
ladder = [ { do = \"command\", class = \"gentle\", argv = [\"/bin/start\"], verify_within = \"30s\", soak = \"3s\" } ]
end
run 5s; take-slot a1; run 1s; take-slot b2; run 5s; kill b2; run 20s; start b2; run 10s; return-slot b2; run 10s
";

/// The same hosts, of which a keeper without a vote gets that of `b1`, which is dead for ten minutes.
const MOVED: &str =
    "hosts a1 a2 zone=a rack=p; hosts b1 b2 zone=b rack=q; hosts c1 c2 zone=c rack=r
keepers a1 b1 c1; spares b2
run 5s; kill b1; run 640s
";

/// Every picture of the fourth.
pub fn moved() -> Vec<Picture> {
    let (fleet, album) = pictures(MOVED);
    assert!(fleet.ledger().have_votes_followed());
    album
}

/// Every picture of the third.
pub fn rebooted() -> Vec<Picture> {
    let (fleet, album) = pictures(REBOOTED);
    assert_eq!(fleet.ledger().slots().count(), 1);
    album
}

/// Every picture of the first.
pub fn healed() -> Vec<Picture> {
    let (fleet, album) = pictures(HEALED);
    assert_eq!(fleet.tally().remedies_begun, 1);
    album
}

/// Every picture of the second.
pub fn failed() -> Vec<Picture> {
    let (fleet, album) = pictures(FAILED);
    assert_eq!(fleet.ledger().cases().count(), 1);
    album
}

fn pictures(script: &str) -> (Fleet, Vec<Picture>) {
    let script = Script::read(script).expect("a script");
    let (mut camera, mut album) = (Camera::default(), Vec::new());
    let fleet = script.play_watched(&mut |fleet| {
        album.extend(camera.look(fleet));
        ControlFlow::Continue(())
    });
    (fleet.expect("a fleet"), album)
}

/// The first law that this checker finds broken.
pub fn breach(checker: &mut dyn Checker, album: &[Picture]) -> Option<String> {
    album.iter().find_map(|picture| checker.look(picture).err())
}

/// Whether it finds this law broken.
pub fn is_caught(checker: &mut dyn Checker, album: &[Picture], law: &str) -> bool {
    breach(checker, album).is_some_and(|found| found.starts_with(law))
}

/// The first picture with such a record, and where the record stands in it.
pub fn first(album: &[Picture], is_meant: impl Fn(&What) -> bool) -> (usize, usize) {
    let place =
        |picture: &Picture| picture.records.iter().position(|record| is_meant(&record.what));
    let mut found =
        album.iter().enumerate().filter_map(|(at, picture)| Some((at, place(picture)?)));
    found.next().expect("such a record")
}

/// One host of a picture.
pub fn host<'a>(picture: &'a mut Picture, name: &str) -> &'a mut Seen {
    picture.hosts.iter_mut().find(|seen| seen.name == name).expect("of the fleet")
}
