//! Who vouches for an audit that was read, and what is said of a seal that does not hold (law V2 of `vouched`).

use ledger::audit::{Checkpoint, Seal, SealFault};
use ledger::command::{Command, Outcome};
use ledger::sealing::SEAL_EVERY;
use vocabulary::{ClusterName, Digest, HostName, ModelSigner, ModelVerifier, Signer, model_chain};

use super::fleet::{Fleet, claims, cluster, id, order};
use super::model::{ModelMind, Served};
use super::socket::{MODEL, export_of};
use crate::admin::answer::{
    Answer, AuditPage, AuditSeal, AuditVerified, Place, Status, UnsealFault,
};
use crate::admin::chain::{Chain, ChainFault};
use crate::admin::exported;
use crate::admin::vouched::{Judge, VouchFault};
use crate::authority;

/// These voters sign the newest record.
pub fn sealed_by(fleet: &mut Fleet, voters: &[&str]) {
    let open = fleet.ledger.to_open().expect("there is news");
    for name in voters {
        let signer = ModelSigner::new(&HostName::new(name).expect("sound"));
        let signature = signer.sign(&open.message);
        let certificate = model_chain(&claims(name));
        let signed = Command::Seal { place: open.place, certificate, signature };
        assert_eq!(fleet.send(name, signed), Outcome::Done);
    }
}

/// A mesh whose audit is sealed but for its last record, as one page of its agent.
async fn page() -> AuditPage {
    let mut fleet = Fleet::healing();
    sealed_by(&mut fleet, &["a1", "c1"]);
    fleet.send("a1", Command::Pause(order("a look")));
    let served = Served::over(ModelMind::new(fleet));
    let page: Answer<AuditPage> = served.client.ask("/v1/audit?since=0").await.expect("it answers");
    page.data
}

fn judged(page: &AuditPage, by: Judge<'_>) -> Result<AuditVerified, ChainFault> {
    let mut chain = Chain::default();
    assert_eq!(chain.take(page), Ok(true));
    chain.verified(by)
}

/// The page with its seal altered, and what stands beside it, too.
fn altered(page: &AuditPage, change: impl Fn(&mut Seal)) -> Result<AuditVerified, ChainFault> {
    let told = page.seal.as_ref().expect("sealed");
    let mut seal = told.unseal().expect("it holds");
    change(&mut seal);
    let signed_by = seal.signatures.iter().map(|signed| signed.by.to_string()).collect();
    let seal = Some(AuditSeal::of(&seal, signed_by));
    judged(&AuditPage { seal, ..page.clone() }, MODEL)
}

fn fault(judged: Result<AuditVerified, ChainFault>) -> VouchFault {
    match judged {
        Err(ChainFault::Vouch(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_seal_says_who_vouches_up_to_where() {
    let page = page().await;
    let verified = judged(&page, MODEL).expect("it holds");
    let seal = verified.seal.clone().expect("sealed");
    assert_eq!(seal.place.number + 1, verified.head.number);
    assert_eq!((seal.voters, seal.signed_by.join(" ").as_str()), (3, "a1 c1"));
    let authority = Digest::of(&[&vocabulary::model_authority()]).to_string();
    assert_eq!(verified.authorities, [authority]);
    let lines = export_of(std::slice::from_ref(&page), &verified);
    assert_eq!(exported::judge(&lines.join("\n"), MODEL), Ok(verified.clone()));
    let bare = judged(&AuditPage { seal: None, ..page.clone() }, MODEL).expect("it chains");
    assert_eq!((bare.seal, bare.authorities.len()), (None, 0));
    let renamed = AuditSeal { signed_by: vec!["x".into(), "y".into()], ..seal.clone() };
    let renamed = judged(&AuditPage { seal: Some(renamed), ..page }, MODEL).expect("it holds");
    assert_eq!(renamed.seal, Some(seal), "names are read from the certificates");
}

#[tokio::test]
async fn law_v2_a_seal_that_does_not_hold_is_named() {
    let page = page().await;
    let place = |page: &AuditPage| page.seal.as_ref().expect("sealed").place.clone();
    let next = Checkpoint { number: place(&page).number + 1, digest: Digest([5; 32]) };
    let elsewhere = fault(altered(&page, |seal| seal.place = next));
    assert!(elsewhere.to_string().ends_with("there: it was altered"), "{elsewhere}");
    let behind = Checkpoint { number: 9_999, ..next };
    let cut_off = fault(altered(&page, |seal| seal.place = behind));
    assert!(cut_off.to_string().ends_with("has no such record: it was cut off"), "{cut_off}");
    let few = fault(altered(&page, |seal| seal.signatures.truncate(1)));
    assert_eq!(few, VouchFault::Signatures(SealFault::Few { signed: 1, voters: 3 }));
    let own = cluster();
    let other = ClusterName::new("other").expect("sound");
    let foreign = fault(altered(&page, |seal| seal.cluster = other.clone()));
    assert_eq!(foreign, VouchFault::Cluster { sealed: other.clone(), own });
    let alone = |seal: &mut Seal| {
        // One keeper that lies about who voted needs nobody else.
        seal.voters = vec![id("a1")];
        seal.signatures.retain(|signed| signed.by == id("a1"));
        let message = Seal::message(&seal.cluster, seal.place, &seal.voters);
        let signer = ModelSigner::new(&HostName::new("a1").expect("sound"));
        seal.signatures[0].signature = signer.sign(&message);
        assert!(seal.judge(&seal.authorities, &ModelVerifier).is_ok());
    };
    assert_eq!(fault(altered(&page, alone)), VouchFault::Voters(place(&page)));
    let told = page.seal.clone().expect("sealed");
    for labelled in [
        AuditSeal { voters: 5, ..told.clone() },
        AuditSeal { sealed: "00ff".into(), ..told.clone() },
        AuditSeal { sealed: "no hex".into(), ..told.clone() },
        AuditSeal { signed_by: Vec::new(), ..told },
    ] {
        let fault = fault(judged(&AuditPage { seal: Some(labelled), ..page.clone() }, MODEL));
        assert_eq!(fault, VouchFault::Unsealed(UnsealFault::Seal(place(&page).number)));
    }
}

#[tokio::test]
async fn by_an_authority_that_is_named_a_seal_must_stand_and_be_signed_under_it() {
    let page = page().await;
    let folder = tempfile::tempdir().expect("a folder");
    let term = authority::Term::from_now(10);
    let written = authority::init(&cluster(), folder.path(), term).expect("made");
    let pem = std::fs::read_to_string(&written.certificate).expect("read");
    let own = Judge { own: Some(&pem), ..MODEL };
    let stranger = fault(judged(&page, own));
    assert!(matches!(stranger, VouchFault::Signatures(SealFault::Certificate(..))), "{stranger:?}");
    let bare = AuditPage { seal: None, ..page.clone() };
    assert_eq!(fault(judged(&bare, own)), VouchFault::None);
    let no_pem = fault(judged(&page, Judge { own: Some("ca"), ..MODEL }));
    assert!(matches!(no_pem, VouchFault::Authorities(_)), "{no_pem:?}");
    let mut cut = page.clone();
    let first = place_behind(&page);
    cut.records.retain(|record| record.number > first.number);
    cut.checkpoint = first;
    assert_eq!(fault(judged(&cut, own)), VouchFault::None, "what it vouches for fell out");
    assert_eq!(judged(&cut, MODEL).expect("it chains").seal, None);
}

#[tokio::test]
async fn a_person_is_told_where_voters_do_not_sign() {
    let notes = async |signs: &[&str]| {
        let mut fleet = Fleet::healing();
        sealed_by(&mut fleet, &["a1", "c1"]);
        let sealed = fleet.ledger.audit().head().number;
        for _ in 0..2 * SEAL_EVERY {
            fleet.send("a1", Command::Pause(order("a look")));
            fleet.send("a1", Command::Resume(order("seen")));
        }
        sealed_by(&mut fleet, signs);
        let served = Served::over(ModelMind::new(fleet));
        let status: Answer<Status> = served.client.ask("/v1/status").await.expect("it answers");
        (sealed, status.data.notes.join("\n"))
    };
    let (sealed, said) = notes(&["a1"]).await;
    let waiting = 4 * SEAL_EVERY;
    let told = format!("not sealed the audit since record {sealed}: {waiting} records wait");
    assert!(said.contains(&told), "{said}");
    let (_, said) = notes(&["a1", "b1"]).await;
    assert!(!said.contains("seal"), "{said}");
}

/// The place of the first record behind the seal.
fn place_behind(page: &AuditPage) -> Place {
    let seal = page.seal.as_ref().expect("sealed").place.number;
    let record = page.records.iter().find(|record| record.number == seal + 1);
    let record = record.expect("one is not sealed");
    Place { number: record.number, digest: record.digest.clone() }
}
