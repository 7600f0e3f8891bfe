//! Whose host may bring a person's order.

mod fleet;

use fleet::{Fleet, POLICY, Seen, claims, id, order, refusal};
use ledger::command::{Command, Outcome};
use vocabulary::Scope;

#[test]
fn law_f10_orders_are_taken_on_keepers_hosts_alone() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let order = || order("I have a certificate");
    let policy = || Command::Policy { text: POLICY.into(), if_version: None, order: order() };
    let subject = Scope::Host(id("b2"));
    let orders = [
        policy(),
        Command::Retire { host: id("c3"), order: order() },
        Command::Pause(order()),
        Command::Resume(order()),
        Command::Dismiss { case, order: order() },
        Command::Authorities { authorities: vec![vocabulary::model_authority()], order: order() },
        Command::AddHost { name: claims("d1").host, may_enrol: true, order: order() },
        Command::Revoke { case, order: order() },
        Command::Exempt { host: id("c3"), is_exempt: true, order: order() },
        Command::Free { subject, order: order() },
    ];
    let head = fleet.ledger.anchor().audit;
    for command in orders {
        let refused = refusal(&fleet.send("a2", command.clone()));
        let why = "orders are taken on keepers' hosts alone: give it on a1, b1, c1";
        assert!(refused.contains(why), "{command:?}: {refused}");
    }
    assert_eq!(fleet.ledger.anchor().audit, head, "law C1: a refusal moves nothing");
    assert!(matches!(fleet.send("b1", policy()), Outcome::Policy { .. }));
}
