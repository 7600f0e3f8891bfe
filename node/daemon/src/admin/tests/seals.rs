//! Who vouches for an audit that was read, and what is said of a seal that does not hold (law V2 of `vouched`).

use ledger::audit::{Checkpoint, Seal, SealFault};
use ledger::command::{Command, Outcome};
use ledger::sealing::SEAL_EVERY;
use vocabulary::{
    CertificateChain, CertificateFault, Claims, ClusterName, Digest, HostName, ModelSigner,
    ModelVerifier, PublicKey, Signature, Signer, Verifier, model_authority, model_chain,
};

use super::fleet::{Fleet, claims, cluster, id, order};
use super::model::{ModelMind, Served};
use super::socket::{MODEL, export_of};
use crate::admin::answer::{
    Answer, AuditPage, AuditSeal, AuditVerified, Place, Status, UnsealFault,
};
use crate::admin::chain::{Chain, ChainFault};
use crate::admin::exported;
use crate::admin::vouched::{Judge, UNSEALED_MAX, VouchFault};
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
    page_of(fleet).await
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
    assert!(elsewhere.to_string().ends_with("it was altered, or one before it"), "{elsewhere}");
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
        AuditSeal { place: Place { number: 3, ..told.place.clone() }, ..told },
    ] {
        let number = labelled.place.number;
        let fault = fault(judged(&AuditPage { seal: Some(labelled), ..page.clone() }, MODEL));
        assert_eq!(fault, VouchFault::Unsealed(UnsealFault::Seal(number)));
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
}

#[tokio::test]
async fn an_audit_whose_beginning_is_gone_though_nothing_can_have_fallen_out_is_caught() {
    let page = page().await;
    let mut cut = page.clone();
    let first = Place { number: 4, digest: page.records[3].digest.clone() };
    cut.records.drain(..4);
    cut.checkpoint = first.clone();
    let records = cut.records.len() as u64;
    assert_eq!(judged(&cut, MODEL), Err(ChainFault::CutOff { start: first, records }));
}

/// Finding of a review: the newest seal is kept, and everything behind it made up.
#[tokio::test]
async fn law_v3_by_an_authority_nothing_holds_far_behind_the_seal() {
    let mut fleet = Fleet::healing();
    sealed_by(&mut fleet, &["a1", "c1"]);
    for _ in 0..=UNSEALED_MAX / 2 {
        fleet.send("a1", Command::Pause(order("a look")));
        fleet.send("a1", Command::Resume(order("seen")));
    }
    let served = Served::over(ModelMind::new(fleet));
    let mut chain = Chain::default();
    loop {
        let path = format!("/v1/audit?since={}", chain.next());
        let page: Answer<AuditPage> = served.client.ask(&path).await.expect("it answers");
        if chain.take(&page.data).expect("it holds") {
            break;
        }
    }
    let verified = chain.verified(MODEL).expect("it is only told");
    assert!(verified.unsealed > UNSEALED_MAX && !verified.by_own_authority);
    let folder = tempfile::tempdir().expect("a folder");
    let term = authority::Term::from_now(10);
    let written = authority::init(&cluster(), folder.path(), term).expect("made");
    let pem = std::fs::read_to_string(&written.certificate).expect("read");
    let believes = Judge { verifier: &Believes, own: Some(&pem), ..MODEL };
    let behind = fault(chain.verified(believes));
    assert!(matches!(behind, VouchFault::Behind { .. }), "{behind:?}");
}

/// Takes any authority for the model's.
struct Believes;

impl Verifier for Believes {
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        ModelVerifier.is_signed_by(key, message, signature)
    }

    fn claims(
        &self,
        _: &[Vec<u8>],
        chain: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        ModelVerifier.claims(&[model_authority()], chain)
    }
}

#[tokio::test]
async fn law_v2_a_vote_that_moves_is_followed_and_whoever_asks_may_say_who_voted() {
    let mut fleet = Fleet::healing();
    let without = |remove: &[&str]| Command::MoveVotes {
        add: Vec::new(),
        remove: remove.iter().map(|name| id(name)).collect(),
        order: order("moved"),
    };
    assert_eq!(fleet.send("a1", without(&["b1", "c1"])), Outcome::Done);
    sealed_by(&mut fleet, &["a1"]);
    let served = Served::over(ModelMind::new(fleet));
    let page: Answer<AuditPage> = served.client.ask("/v1/audit?since=0").await.expect("it answers");
    let page = page.data;
    let seal = judged(&page, MODEL).expect("it holds").seal.expect("sealed");
    assert_eq!((seal.voters, seal.signed_by), (1, vec!["a1".to_owned()]));
    let named = |voters: &[&str]| {
        let voters: Vec<HostName> =
            voters.iter().map(|name| HostName::new(name).expect("sound")).collect();
        judged(&page, Judge { voters: &voters, ..MODEL }).map(|verified| verified.unsealed)
    };
    assert_eq!(named(&["a1"]), Ok(0));
    for others in [&["a1", "b1", "c1"][..], &["b1"]] {
        assert!(matches!(named(others), Err(ChainFault::Vouch(VouchFault::Voters(_)))));
    }
}

#[tokio::test]
async fn the_newest_seal_of_all_pages_counts_and_an_export_of_old_has_none() {
    let mut fleet = Fleet::healing();
    sealed_by(&mut fleet, &["a1", "c1"]);
    let early = page_of(fleet).await;
    let mut fleet = Fleet::healing();
    sealed_by(&mut fleet, &["a1", "c1"]);
    fleet.send("a1", Command::Pause(order("a look")));
    sealed_by(&mut fleet, &["a1", "b1"]);
    let late = page_of(fleet).await;
    let mut chain = Chain::default();
    let first = AuditPage { head: late.head.clone(), ..early.clone() };
    assert_eq!(chain.take(&first), Ok(false));
    let rest = late.records.iter().filter(|record| record.number > chain.next()).cloned();
    let rest = AuditPage { records: rest.collect(), ..late.clone() };
    assert_eq!(chain.take(&rest), Ok(true));
    let verified = chain.verified(MODEL).expect("it holds");
    assert_eq!(verified.seal.as_ref().map(|seal| &seal.place), Some(&late.head));
    let mut lines = export_of(&[late], &verified);
    let end = lines.last_mut().expect("a last line");
    let mut value: serde_json::Value = serde_json::from_str(end).expect("JSON");
    let data = value["data"].as_object_mut().expect("an object");
    for field in ["seal", "unsealed", "by_own_authority", "authorities"] {
        assert!(data.remove(field).is_some(), "{field}");
    }
    *end = value.to_string();
    let old = exported::judge(&lines.join("\n"), MODEL).expect("it chains");
    assert_eq!((old.seal, old.unsealed), (None, verified.head.number));
}

async fn page_of(fleet: Fleet) -> AuditPage {
    let served = Served::over(ModelMind::new(fleet));
    let page: Answer<AuditPage> = served.client.ask("/v1/audit?since=0").await.expect("it answers");
    page.data
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
