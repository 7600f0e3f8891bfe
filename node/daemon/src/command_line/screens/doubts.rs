//! Hosts that are doubted, reported or double: what is known, and which rule says no.

use expect_test::expect;
use vocabulary::{Grade, Path, PathReading, Reading, Span};

use super::{Desk, shows};
use crate::admin::mind::{DoubtHeld, ReportHeld, RoundHeld};
use crate::admin::tests::fleet::{Fleet, Seen, id};

#[test]
fn what_others_than_observers_have_reported_is_shown_and_decides_nothing() {
    let mut desk = Desk::at(Fleet::healing());
    let held = |who: &str, times| ReportHeld {
        by: id("c2"),
        who: who.to_owned(),
        failed: "502 from /healthz".to_owned(),
        age: Span::seconds(3),
        times,
    };
    desk.local.reports.insert(id("b2"), vec![held("uid 0", 1), held("uid 990", 12)]);
    let text = desk.explain("b2");
    let begins = text.find("\nreported by").unwrap_or(text.len());
    let section: String =
        text[begins..].lines().skip(1).take(3).map(|line| line.to_owned() + "\n").collect();
    shows(
        &section,
        &expect![[r#"
            reported by
              uid 0 at c2, 3.0 s ago: 502 from /healthz
              uid 990 at c2, 3.0 s ago: 502 from /healthz (12 times)
        "#]],
    );
    assert!(text.contains("nobody doubts it"), "law RE1: {text}");
}

#[test]
fn a_doubted_host_without_verdict_says_which_rule_says_no_where_the_leader_is_asked() {
    let mut desk = Desk::at(Fleet::healing());
    let doubt = DoubtHeld { by: id("c1"), age: Some(Span::seconds(4)) };
    desk.local.doubts.insert(id("b3"), vec![doubt]);
    let elsewhere = desk.explain("b3");
    let silent = [Path::Warm, Path::FreshDial, Path::AgentPort]
        .map(|path| PathReading { path, reading: Reading::Silent });
    let round = RoundHeld {
        age: Span::milliseconds(900),
        anchor: desk.fleet.ledger.anchor(),
        paths: [(id("c1"), silent.to_vec())].into(),
        verdict: Err(detection::verdict::NoVerdict::TooFewVoices { have: 1, need: 7, vacant: 0 }),
    };
    desk.local.rounds.insert(id("b3"), round);
    desk.local.discounting.insert(id("c1"), "its event loop was 900 ms late".into());
    let text = elsewhere + "\n" + &desk.explain("b3") + "\n" + &desk.cases(false) + &desk.status();
    shows(
        &text,
        &expect![[r#"
            host b3  doubted  eu/b/b3  group web  boot 1  [::1]:4433

            now
              1 of its 8 observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)
              roles: healer
              swim says up: a hint, never a verdict

            doubted by
              c1 for 4.0 s

            why there is no verdict
              the rounds are held by b1: ask there, `hale explain b3`

            watched by
              observer  stands in  swim  last saw
              b2        eu/b/b2    up           -
              a3        eu/a/a3    up           -
              c3        eu/c/c3    up           -
              a1        eu/a/a1    up           -
              b1        eu/b/b1    up           -
              c2        eu/c/c2    up           -
              c1        eu/c/c1    up           -
              a2        eu/a/a2    up           -

            it watches
              a1 a2 a3 b1 b2 c1 c2 c3

            host b3  doubted  eu/b/b3  group web  boot 1  [::1]:4433

            now
              1 of its 8 observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)
              roles: healer
              swim says up: a hint, never a verdict

            doubted by
              c1 for 4.0 s

            why there is no verdict
              the last round, 900 ms ago, made none: 1 voices against it, 7 are needed (0 seats are vacant)

            watched by
              observer  stands in  swim  last saw
              b2        eu/b/b2    up    -
              a3        eu/a/a3    up    -
              c3        eu/c/c3    up    -
              a1        eu/a/a1    up    -
              b1        eu/b/b1    up    -
              c2        eu/c/c2    up    -
              c1        eu/c/c1    up    warm silent, fresh dial silent, agent port silent; it discounts itself: its event loop was 900 ms late
              a2        eu/a/a2    up    -

            it watches
              a1 a2 a3 b1 b2 c1 c2 c3

            no case is open, and 1 host in doubt: `hale hosts` shows which, `hale explain HOST` why there is no verdict
            test  as seen by a1, ledger 400 ms old
            HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 400 ms ago)

            zone  hosts  ok  doubt  case  repair
            eu/a      3   3      0     0       0
            eu/b      3   2      1     0       0
            eu/c      3   3      0     0       0

            budget  used  limit  next free  unhealthy  halts above  this hour
            fleet      0      2          -          0            -  0 of 20

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            notes
              c1 discounts itself: its event loop was 900 ms late
        "#]],
    );
}

#[test]
fn a_host_that_loses_probes_without_silence_says_who_reaches_it_badly() {
    let mut desk = Desk::at(Fleet::healing());
    let grades = vec![(id("c1"), Grade::Degraded), (id("a2"), Grade::Failed)];
    desk.local.reach.insert(id("b3"), grades);
    let hosts = desk.hosts();
    let listed: Vec<&str> =
        hosts.lines().filter(|line| line.starts_with("host") || line.contains("eu/b")).collect();
    let explained = desk.explain("b3");
    let now: Vec<&str> = explained.lines().filter(|line| line.contains("probes")).collect();
    shows(
        &format!("{}\n{}\n", listed.join("\n"), now.join("\n")),
        &expect![[r#"
        host  zone  rack  group  state  case  swim  reach   boot  roles         doubted by
        b1    eu/b  b1    web    ok        -  up    ok         1  voter healer
        b2    eu/b  b2    web    ok        -  up    ok         1  healer
        b3    eu/b  b3    web    ok        -  up    failed     1  healer
          observers that lose their probes to it without silence: c1 (a fifth or more), a2 (two fifths or more) (protocol 2.6)
    "#]],
    );
}

#[test]
fn a_doubt_that_nobody_settles_says_which_voices_lack_and_when_a_person_is_called() {
    let mut desk = Desk::at(Fleet::healing());
    let grounds = desk.fleet.round(&[("b2", Seen::HostDown)]);
    let grounds = desk.fleet.blinded(grounds, 1);
    desk.fleet.unsettled("b2", 40, grounds).expect("nobody can settle it");
    desk.fleet.wait(60);
    let text = desk.cases(false) + "\n" + &desk.explain("b2");
    shows(
        &text,
        &expect![[r#"
            case  subject  verdict    stage  opened    rung  now
               1  b2       Unsettled  open   60 s ago     -  no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (and 1 more: `hale explain 1`)

            case 1  b2  Unsettled  open  opened 60 s ago

            now
              no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (and 1 more: `hale explain 1`)

            who looked, in the newest round (entry 27): 1 against, 0 well, 7 vacant of 8 seats; 5 needed, 0 may be mistaken
              observer  stands in  said     fit to look                                      by these paths
              b3        eu/b/b3    against  fit                                              warm silent, fresh dial silent, agent port silent
              a3        eu/a/a3    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c3        eu/c/c3    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              a1        eu/a/a1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              b1        eu/b/b1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c2        eu/c/c2    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c1        eu/c/c1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              a2        eu/a/a2    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent

            decided, by the rules of docs/protocol
              3.1  a round hung on entry 27: 8 of its 8 observers signed what they saw
              3.3  7 seats count as vacant, silent or discounted: a1 a2 a3 b1 c1 c2 c3
              3.4  1 voices against it, 5 were needed; 0 saw it well, 0 may be mistaken
              3.6  8 observers looked and got no answer, and there is no verdict: 1 voices against it, 5 are needed (7 seats are vacant)
              3.6  Unsettled: a doubt with neither verdict nor end; nothing is done, it delays nobody, and a person is called in time

            awaited, and what frees it
              no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (rule 3.6)
              a person is called in 4 min 0 s unless it is settled until then (rule 3.6)

            timeline, from the audit
              record  when      what has become true
                  22  60 s ago  verdict Unsettled on b2 at entry 27, 1 voices against it, 0 well, 7 seats vacant
        "#]],
    );
}

#[test]
fn two_machines_of_one_name_say_so_at_every_door() {
    let mut desk = Desk::at(Fleet::healing());
    desk.fleet.twin("a1");
    let status = desk.status();
    let notes = status.find("notes").map_or("", |at| &status[at..]);
    let text = desk.cases(false) + "\n" + &desk.explain("1") + "\n" + notes;
    shows(
        &text,
        &expect![[r#"
            case  subject  verdict    stage      opened      rung  now
               1  a1       Duplicate  escalated  400 ms ago     -  a person is needed: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them; then start the other anew: the case closes by itself once that one has been alone for 5 min 0 s, or by `hale case dismiss 1 --why ...`

            case 1  a1  Duplicate  escalated  opened 400 ms ago

            decided, by the rules of docs/protocol
              1.2  the host's own certificate brought another life than the known one, boot 1, heard 1 time: neither of the two has a voice, its seats are vacant, and no lease of it is renewed
              3.6  Duplicate: two machines live under this host's name, a clone or a restored snapshot; stop one of the two

            awaited, and what frees it
              a person is needed: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them; then start the other anew: the case closes by itself once that one has been alone for 5 min 0 s, or by `hale case dismiss 1 --why ...`

            timeline, from the audit
              record  when        what has become true
                  22  400 ms ago  verdict Duplicate on a1 at entry 27
                  23  400 ms ago  a person is called: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them

            notes
              two machines live under this host's name (case 1): neither of them has a voice or heals
        "#]],
    );
}
