//! What a policy changes, as whoever is about to apply it sees it.

use expect_test::expect;

use super::shows;
use crate::admin::answer::{Answer, Ordered, PolicyOrder};
use crate::admin::tests::fleet::{Fleet, POLICY, Seen};
use crate::admin::tests::model::{ModelMind, Served};
use crate::admin::tests::policy::of_two_groups;
use crate::command_line::policy_change;

async fn said(served: &Served, path: &str, text: &str) -> String {
    let order = PolicyOrder { text: text.into(), why: "a change".into(), if_version: None };
    let answer: Answer<Ordered> = served.client.order(path, &order).await.expect("it is taken");
    policy_change::ordered(&answer.data)
}

const REHEARSED: &str = "/v1/policy?dry_run=true";

#[tokio::test]
async fn a_dry_run_shows_the_lines_the_warnings_and_the_cases_and_the_order_the_warnings() {
    let mut fleet = of_two_groups();
    fleet.set_policy(&POLICY.replace("\"act\"", "\"observe\""));
    fleet.opened("b2", Seen::AgentDown);
    fleet.opened("c3", Seen::HostDown);
    let served = Served::over(ModelMind::new(fleet));
    let text =
        POLICY.replacen("mode = \"act\"\n", "mode = \"act\"\ngroups = [\"web\", \"dbs\"]\n", 1);
    let screens =
        said(&served, REHEARSED, &text).await + "\n" + &said(&served, "/v1/policy", &text).await;
    shows(
        &screens,
        &expect![[r#"
            dry run, nothing was done; it would be so: policy version 2 is in force in the whole mesh

            --- version 1
            +++ version 2
            @@ -8,7 +8,8 @@
             [[rule]]
             name = "agent down"
             when = { verdict = "AgentDown" }
            -mode = "observe"
            +mode = "act"
            +groups = ["web", "dbs"]
             cooldown = "60s"
             attempts = { at_most = 3, within = "1h" }
             ladder = [
            @@ -20,7 +21,7 @@
             [[rule]]
             name = "host down"
             when = { verdict = "HostDown" }
            -mode = "observe"
            +mode = "act"
             for = "10s"
             ladder = [
               { do = "command", class = "disruptive", argv = ["/bin/reboot"], time_limit = "10s", verify_within = "30s", soak = "0s" },

            warnings
              rule "agent down" begins to act on AgentDown in group web: version 1 only observes by it
              rule "host down" begins to act on HostDown in groups db, web: version 1 only observes by it
              rule "agent down" names group dbs (is db meant?), in which no host of the roster is

            open cases: 2, and 2 of them change
              case 1  b2  AgentDown
                before  rule "agent down" (observe), open: only observed: rule "agent down" of policy version 1 has mode "observe"
                after   rule "agent down" (act), rung 1 of 2 /bin/start, open: the leader offers the lease to a healer next
              case 2  c3  HostDown
                before  rule "host down" (observe), open: only observed: rule "host down" of policy version 1 has mode "observe"
                after   rule "host down" (act), rung 1 of 1 /bin/reboot, open: no lease yet: too soon since the verdict: 10 s left

            with `--if-version 1` it comes to this or to nothing

            policy version 2 is in force in the whole mesh

            warnings
              rule "agent down" begins to act on AgentDown in group web: version 1 only observes by it
              rule "host down" begins to act on HostDown in groups db, web: version 1 only observes by it
              rule "agent down" names group dbs (is db meant?), in which no host of the roster is
        "#]],
    );
}

#[tokio::test]
async fn a_policy_that_changes_nothing_says_so() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let calm = said(&served, REHEARSED, POLICY).await;
    served.mind.fleet().opened("b2", Seen::AgentDown);
    let case = said(&served, REHEARSED, POLICY).await;
    let done = said(&served, "/v1/policy", POLICY).await;
    shows(
        &[calm, case, done].join("\n"),
        &expect![[r#"
            dry run, nothing was done; it would be so: policy version 2 is in force in the whole mesh

            version 2 has the text of version 1: no line differs

            no warnings: every rule, check and budget is for hosts of the roster, and no rule, mode, class or limit allows more than before

            no case is open, so none changes

            with `--if-version 1` it comes to this or to nothing

            dry run, nothing was done; it would be so: policy version 2 is in force in the whole mesh

            version 2 has the text of version 1: no line differs

            no warnings: every rule, check and budget is for hosts of the roster, and no rule, mode, class or limit allows more than before

            open cases: 1, and none of them changes

            with `--if-version 1` it comes to this or to nothing

            policy version 2 is in force in the whole mesh
        "#]],
    );
}

#[tokio::test]
async fn what_does_not_fit_a_few_screens_is_counted() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let budgets: String =
        (0..60).map(|number| format!("[budget.group.team-{number}]\nin_flight = 1\n")).collect();
    let lines: String = (0..500).map(|line| format!("# line {line}\n")).collect();
    let screen = said(&served, REHEARSED, &format!("{lines}{budgets}")).await;
    let told: Vec<&str> = screen.lines().filter(|line| line.contains("more")).collect();
    shows(
        &(told.join("\n") + "\n"),
        &expect![[r#"
            ... and 250 more lines of this: 27 lines go and 620 come in all
              ... and 10 more
        "#]],
    );
    assert!(screen.lines().count() < 470, "{}", screen.lines().count());
}
