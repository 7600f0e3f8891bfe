//! Hosts that answer and fail a check: what the check is, who found it failing and by whose word.

use expect_test::expect;
use vocabulary::Grade;

use super::{Desk, shows};
use crate::admin::tests::fleet::Fleet;

/// Seven of eight observers find the check of b2 failed, and one cannot tell.
fn unfit(from: &str, own: Grade, peers: &[Grade]) -> Desk {
    let mut desk = Desk::at(Fleet::checking(from));
    let grounds = desk.fleet.check_round("b2", Some(own), peers);
    desk.fleet.unfit("b2", grounds).expect("the grounds bear it");
    desk.fleet.wait(60);
    desk
}

#[test]
fn a_check_that_observers_find_failed_says_who_did_and_what_ends_it() {
    let desk = unfit("peers", Grade::Unknown, &[Grade::Unknown, Grade::Failed]);
    let text = desk.cases(false) + "\n" + &desk.explain("b2");
    shows(
        &text,
        &expect![[r#"
        case  subject  verdict     stage  opened    rung  now
           1  b2       Unfit(api)  open   60 s ago     -  check api (tcp, port 8080, by its observers) fails by the word of 7 of its 8 observers; nothing is done for a check; it closes by itself once the check is well

        case 1  b2  Unfit(api)  open  opened 60 s ago

        who looked, in the newest round (entry 27): 7 against, 0 well, 1 vacant of 8 seats; 6 needed, 1 may be mistaken
          observer  stands in  said     fit to look                             by these paths
          b3        eu/b/b3    vacant   it cannot tell                                       -
          a3        eu/a/a3    against  fit                                                  -
          c3        eu/c/c3    against  fit                                                  -
          a1        eu/a/a1    against  fit                                                  -
          b1        eu/b/b1    against  fit                                                  -
          c2        eu/c/c2    against  fit                                                  -
          c1        eu/c/c1    against  fit                                                  -
          a2        eu/a/a2    against  fit                                                  -
          b2        eu/b/b2    mute     it answered; its word is not asked for               -

        decided, by the rules of docs/protocol
          3.1     a round hung on entry 27: the host itself answered, so it is reached, and 8 observers signed what they found
          3.10    1 seats count as vacant, gone or unable to tell: b3
          3.10    7 of its 8 observers find the check failed, 6 were needed; 0 find it serving, 1 may be mistaken
          3.10    so it fails by the word of 7 of its 8 observers
          policy  the check is api (tcp, port 8080, by its observers)
          3.6     Unfit: it is reachable, and check api fails; it counts as unhealthy, and nothing is done for it

        awaited, and what frees it
          check api (tcp, port 8080, by its observers) fails by the word of 7 of its 8 observers; nothing is done for a check; it closes by itself once the check is well

        timeline, from the audit
          record  when      what has become true
              22  60 s ago  verdict Unfit(api) on b2 at entry 27, 7 voices against it, 0 well, 1 seats vacant
    "#]],
    );
}

#[test]
fn a_check_that_fails_by_the_hosts_own_word_says_so() {
    let desk = unfit("self", Grade::Failed, &[]);
    let text = desk.cases(false) + "\n" + &desk.explain("1");
    shows(
        &text,
        &expect![[r#"
        case  subject  verdict     stage  opened    rung  now
           1  b2       Unfit(api)  open   60 s ago     -  check api (tcp, port 8080, by the host itself) fails by its own word; nothing is done for a check; it closes by itself once the check is well

        case 1  b2  Unfit(api)  open  opened 60 s ago

        who looked, in the newest round (entry 27): the host itself
          observer  stands in  said     fit to look  by these paths
          b2        eu/b/b2    against  fit                       -

        decided, by the rules of docs/protocol
          3.1     a round hung on entry 27: the host itself answered, so it is reached, and 0 observers signed what they found
          3.10    so it fails by its own word
          policy  the check is api (tcp, port 8080, by the host itself)
          3.6     Unfit: it is reachable, and check api fails; it counts as unhealthy, and nothing is done for it

        awaited, and what frees it
          check api (tcp, port 8080, by the host itself) fails by its own word; nothing is done for a check; it closes by itself once the check is well

        timeline, from the audit
          record  when      what has become true
              22  60 s ago  verdict Unfit(api) on b2 at entry 27, 1 voices against it, 0 well, 0 seats vacant
    "#]],
    );
}

#[test]
fn a_check_that_fails_by_both_words_says_so_on_its_line() {
    let desk = unfit("both", Grade::Failed, &[Grade::Failed]);
    shows(
        &desk.cases(false),
        &expect![[r#"
        case  subject  verdict     stage  opened    rung  now
           1  b2       Unfit(api)  open   60 s ago     -  check api (tcp, port 8080, by its observers and the host itself) fails by its own word and the word of 8 of its 8 observers; nothing is done for a check; it closes by itself once the check is well
    "#]],
    );
}

#[test]
fn a_host_that_is_well_says_which_checks_are_on_it_and_a_closed_case_how_it_ended() {
    let mut desk = unfit("peers", Grade::Unknown, &[Grade::Failed]);
    let grounds = desk.fleet.check_round("b2", Some(Grade::Ok), &[Grade::Ok]);
    desk.fleet.fit(vocabulary::CaseId(1), grounds).expect("well");
    let explained = desk.explain("b2");
    let now: Vec<&str> = explained.lines().take(7).collect();
    shows(
        &format!("{}\n{}", desk.cases(true), now.join("\n")),
        &expect![[r#"
        case  subject  verdict     stage   opened    rung  now
           1  b2       Unfit(api)  closed  61 s ago     -  closed: well again before anything was begun

        host b2  ok  eu/b/b2  group web  boot 1  [::1]:4433

        now
          nobody doubts it, as far as this agent has heard, and it has no case
          checks on it: api (tcp, port 8080, by its observers)
          roles: healer
          swim says up: a hint, never a verdict"#]],
    );
}
