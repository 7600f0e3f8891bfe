//! One test for each script: it plays as its file tells.

macro_rules! scripts {
    ($($test:ident = $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                scenarios::check($name);
            }
        )*

        #[test]
        fn every_script_in_the_folder_is_played() {
            let mut played = vec![$($name),*];
            played.sort_unstable();
            assert_eq!(scenarios::names(), played);
        }
    };
}

scripts! {
    step_1_observe = "1-observe",
    step_2_share = "2-share",
    step_3_doubt = "3-doubt",
    step_4_attest = "4-attest",
    step_5_verdict = "5-verdict",
    step_6_lease = "6-lease",
    step_7_remedy = "7-remedy",
    step_8_verify = "8-verify",
    step_9_close = "9-close",
    act_1_death = "act-1-death",
    act_2_frozen_host = "act-2-frozen-host",
    act_2_stopped_agent = "act-2-stopped-agent",
    act_3_cut = "act-3-cut",
    act_4_surge = "act-4-surge",
    approval = "approval",
    canary = "canary",
    clone = "clone",
    cut_short = "cut-short",
    died_enrolling = "died-enrolling",
    doubter_killed = "doubter-killed",
    goodbye = "goodbye",
    half_deaf_leader = "half-deaf-leader",
    healer_frozen = "healer-frozen",
    healer_killed = "healer-killed",
    healer_leaves = "healer-leaves",
    leaderless = "leaderless",
    leader_killed = "leader-killed",
    lossy = "lossy",
    maintenance = "maintenance",
    lost_receipt = "lost-receipt",
    minority = "minority",
    quarantine = "quarantine",
    reboot = "reboot",
    shadow = "shadow",
    unfit = "unfit",
    unsettled = "unsettled",
    votes = "votes",
}
