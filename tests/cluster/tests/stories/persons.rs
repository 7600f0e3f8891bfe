//! What persons may forbid and must allow: a word before each remedy, and windows in which nothing begins, hosts that are let alone, and a
//! policy that is taken back (protocol 6.8 to 6.11).

use cluster::deeds::deeds;
use cluster::mesh::{Mesh, held, plain, play, until};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use vocabulary::VerdictKind;

/// A keeper that does not lead: orders are taken there.
fn follower(calm: &Calm) -> Place {
    let is_it = |place: &Place| HOSTS[*place].is_keeper && *place != calm.leader;
    (0..HOSTS_COUNT).find(is_it).expect("two of three follow")
}

#[test]
fn under_mode_approve_nothing_begins_before_a_person_has_said_yes_elsewhere_than_where_the_verdict_was_proposed()
 {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let calls = mesh.remedies.policy_that_calls();
        let text = calls.replace("mode = \"act\"", "mode = \"approve\"");
        let version = mesh.apply(0, &text).await.to_string();
        let before = mesh.calm().await;
        let victim = plain(&before);
        mesh.stage.fleet.kill(victim).await.expect("killed");
        let case = mesh.case_on(victim, &before).await;
        let (number, name) = (case.0.to_string(), HOSTS[victim].name);
        let seen = ["--verdict", "AgentDown", "--rung", "1", "--if-version", &version];
        let asks = format!("`hale approve {number} {} --why ...`", seen.join(" "));
        until("a person is called for its word", async || {
            mesh.remedies.calls().iter().any(|call| call.contains(name) && call.contains(&asks))
        })
        .await;
        assert_eq!(mesh.remedies.runs(), [], "nothing has begun");

        let proposer = before.leader;
        mesh.types(proposer, &["explain", &number]).await.says(&asks);
        let words = [&["approve", &number][..], &seen, &["--why", "go on"]].concat();
        let refused = mesh.types(proposer, &words).await;
        assert_eq!(refused.code, Some(4), "{refused:?}");
        assert!(refused.fault.contains("proposed this verdict"), "{refused:?}");
        mesh.types(follower(&before), &words).await.says("may begin once within 15 min");
        mesh.closed(case, &before).await;
        assert_eq!(mesh.remedies.runs().len(), 1);
        mesh.healed(victim, VerdictKind::AgentDown, &before).await;
    });
}

#[test]
fn what_a_person_denies_is_left_alone_until_its_host_is_well() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let text = mesh.remedies.policy().replace("mode = \"act\"", "mode = \"approve\"");
        mesh.apply(0, &text).await;
        let before = mesh.calm().await;
        let victim = plain(&before);
        mesh.stage.fleet.kill(victim).await.expect("killed");
        let case = mesh.case_on(victim, &before).await;
        let words = ["deny", &case.0.to_string(), "--why", "it is being moved"];
        mesh.types(follower(&before), &words).await.says("is a person's");
        let lines = mesh
            .shown("it is denied", |history| {
                let lines = deeds(history, case, before.head);
                lines.iter().any(|line| line.starts_with("escalated")).then_some(lines)
            })
            .await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("has denied its remedy: it is being moved"), "{lines:?}");
        mesh.stage.fleet.start(victim).await.expect("it comes back");
        mesh.closed(case, &before).await;
        mesh.calm().await;
        assert_eq!(mesh.remedies.runs(), []);
    });
}

#[test]
fn while_a_window_of_maintenance_is_open_its_host_waits_and_is_healed_when_it_is_ended() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let before = mesh.calm().await;
        let (victim, asked) = (plain(&before), before.leader);
        let name = HOSTS[victim].name;
        let words = ["maintenance", "add", "--host", name, "--for", "1h", "--why", "a new disk"];
        mesh.types(asked, &words).await.says("window 1: nothing begins on host");
        mesh.types(asked, &["maintenance", "list"]).await.says("a new disk");
        mesh.types(asked, &["status"]).await.says("is in maintenance (a new disk)");
        mesh.stage.fleet.kill(victim).await.expect("killed");
        let case = mesh.case_on(victim, &before).await;
        let number = case.0.to_string();
        until("its case waits for the window", async || {
            let explained = mesh.types(asked, &["explain", &number]).await;
            explained.text.contains("`hale maintenance end 1 --why ...`")
        })
        .await;
        assert_eq!(mesh.remedies.runs(), []);
        mesh.types(asked, &["maintenance", "end", "1", "--why", "it is in"]).await.done();
        mesh.healed(victim, VerdictKind::AgentDown, &before).await;
        held(&mesh.stage.one_history().await);
        assert_eq!(mesh.remedies.runs().len(), 1);
    });
}

#[test]
fn an_exempt_host_is_let_alone_until_a_person_takes_that_back() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let before = mesh.calm().await;
        let (victim, asked) = (plain(&before), follower(&before));
        let name = HOSTS[victim].name;
        mesh.types(asked, &["host", "exempt", name, "--why", "it is mine"]).await.says("is exempt");
        mesh.types(asked, &["status"])
            .await
            .says(&format!("nothing begins on them by itself: {name}"));
        mesh.stage.fleet.kill(victim).await.expect("killed");
        let case = mesh.case_on(victim, &before).await;
        let number = case.0.to_string();
        until("its case says why it waits", async || {
            mesh.types(asked, &["explain", &number]).await.text.contains("the host is exempt, by ")
        })
        .await;
        assert_eq!(mesh.remedies.runs(), []);
        mesh.types(asked, &["host", "exempt", name, "--undo", "--why", "it is yours"]).await.done();
        mesh.healed(victim, VerdictKind::AgentDown, &before).await;
        assert_eq!(mesh.remedies.runs().len(), 1);
    });
}

/// Asked where the leader is not: what is told after the order is of the version that was set.
#[test]
fn a_policy_is_rehearsed_applied_and_taken_back_at_a_keeper_that_does_not_lead() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        let asked = follower(&mesh.calm().await);
        let file = mesh.folder.join("observe.toml");
        let acting = mesh.remedies.policy();
        let version = mesh.apply(asked, &acting).await.to_string();
        std::fs::write(&file, acting.replace("mode = \"act\"", "mode = \"observe\""))
            .expect("written");
        let file = file.display().to_string();
        let apply = ["policy", "apply", &file, "--why", "a look"];
        let rehearsed =
            mesh.types(asked, &[&apply[..], &["--dry-run", "--check"]].concat()).await.done();
        assert!(
            rehearsed.contains("-mode = \"act\"") && rehearsed.contains("no warnings"),
            "{rehearsed}"
        );
        mesh.types(asked, &apply).await.says("is in force in the whole mesh");
        let back = ["policy", "rollback", &version, "--why", "it is time"];
        let warned = mesh.types(asked, &[&back[..], &["--dry-run", "--check"]].concat()).await;
        assert_eq!(warned.code, Some(3), "{warned:?}");
        let done = mesh.types(asked, &back).await.done();
        assert!(done.contains("is in force in the whole mesh"), "{done}");
        assert!(done.contains("begins to act on AgentDown"), "{done}");
    });
}

#[test]
fn a_schedule_opens_its_window_by_the_leaders_clock() {
    play(async |mesh: Mesh| {
        mesh.has_newest_rules().await;
        // Its span is on already, wherever in an hour the test begins.
        let minute = daemon::moments::now() / 60 % 60;
        let each_hour = format!("{minute} * * * *");
        let words = [
            "maintenance",
            "add",
            "--fleet",
            "--for",
            "30m",
            "--cron",
            &each_hour,
            "--why",
            "now and then",
        ];
        mesh.types(0, &words).await.says(" from now on, and at ");
        until("the leader has opened it", async || {
            mesh.types(0, &["maintenance", "list"]).await.text.contains("open, ")
        })
        .await;
        let refused = mesh
            .types(
                0,
                &["maintenance", "add", "--fleet", "--for", "1h", "--cron", "* * *", "--why", "x"],
            )
            .await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.fault.contains("is no schedule, expected five fields"), "{refused:?}");
    });
}
