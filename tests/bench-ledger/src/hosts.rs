//! The hosts of the measured mesh: real certificates and keys, and what they sign when one of them falls.
//!
//! Law BL1: grounds are signed by the observers that the ledger has seated, with their own keys: the ledger verifies them as in earnest.
//! Not here: who of them keeps the ledger (see `keepers`), and what is asked of it (see `founding`).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use daemon::identity::{Identity, IdentityFiles, RingSigner};
use ledger::Ledger;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType,
};
use vocabulary::{
    Attestation, Boot, CertificateChain, Claims, ClusterName, Domain, Grade, Grounds, GroupName,
    HostId, HostName, Label, Path as Way, PathReading, PublicKey, Reading, Roles, Sequence,
    Signature,
};

use crate::fault::BenchFault;

/// Eight to a rack: one of a rack may fall and the rack is not dark.
pub const RACK_HOSTS: usize = 8;

/// One for each kind of trouble that is under repair at once (protocol 6.3): more than the most clients that are measured.
const GROUPS: usize = 125;

const ZONES: [&str; 3] = ["a", "b", "c"];

/// The first life of every host.
pub const BOOT: Boot = Boot { number: 1, nonce: 7 };

/// Everybody who belongs.
pub struct Hosts {
    cluster: ClusterName,
    authority: Authority,
    hosts: Vec<Host>,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
    pem: String,
}

/// One of them.
pub struct Host {
    /// What its certificate claims.
    pub claims: Claims,
    /// Its certificate.
    pub chain: CertificateChain,
    signer: RingSigner,
    /// Certificate and key as an agent reads them.
    pem: [String; 2],
}

impl Hosts {
    /// So many, under a new authority. Host `n` stands in rack `n / 8`; the racks take turns among three zones.
    pub fn certified(count: usize) -> Result<Self, BenchFault> {
        let cluster = ClusterName::new("bench").map_err(BenchFault::of("name a cluster"))?;
        let authority = Authority::of(&cluster).map_err(BenchFault::of("found an authority"))?;
        let host = |number: usize| {
            let claims = claims(&cluster, number).map_err(BenchFault::of("name a host"))?;
            issued(claims, &authority.issuer)
        };
        let hosts = (0..count).map(host).collect::<Result<_, _>>()?;
        Ok(Self { authority, cluster, hosts })
    }

    /// All of them, by number.
    pub fn all(&self) -> &[Host] {
        &self.hosts
    }

    /// The host of this number.
    pub fn id(&self, number: usize) -> HostId {
        self.hosts[number].claims.id()
    }

    /// Whose hosts these are.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// The certificate of their authority, DER.
    pub fn authority(&self) -> &[u8] {
        &self.authority.der
    }

    /// The identity of a host as its agent would read it, from files in this folder.
    pub fn identity(&self, number: usize, folder: &Path) -> Result<Arc<Identity>, BenchFault> {
        let host = &self.hosts[number];
        let files = IdentityFiles {
            certificate: folder.join("host.pem"),
            key: folder.join("host.key"),
            authority: folder.join("authority.pem"),
            cluster: Some(self.cluster.clone()),
        };
        let writing = BenchFault::of("write a certificate");
        let [certificate, key] = &host.pem;
        fs::write(&files.certificate, certificate).map_err(&writing)?;
        fs::write(&files.key, key).map_err(&writing)?;
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).map_err(&writing)?;
        fs::write(&files.authority, &self.authority.pem).map_err(&writing)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Identity::load(&files, now).map(Arc::new).map_err(BenchFault::of("read an identity"))
    }

    /// What a round finds under the newest anchor: the agents of these hosts are silent, and their machines refuse on the agent's port.
    /// Those that are `down` already look at nobody; where they should, they are looked at as well, so that their seats are vacant.
    pub fn round(
        &self,
        ledger: &Ledger,
        fallen: &[HostId],
        down: &BTreeSet<HostId>,
        sequence: &mut u64,
    ) -> Grounds {
        let observers = |subject: &HostId| ledger.seating().observers(subject).to_vec();
        let mut subjects: BTreeSet<HostId> = fallen.iter().flat_map(observers).collect();
        subjects.retain(|observer| down.contains(observer));
        subjects.extend(fallen);
        let mut grounds = Grounds {
            anchor: ledger.anchor(),
            epoch: ledger.roster().epoch,
            attestations: Vec::new(),
            answers: Vec::new(),
        };
        for subject in &subjects {
            for observer in observers(subject) {
                if !down.contains(&observer) && !fallen.contains(&observer) {
                    *sequence += 1;
                    let word = self.word(ledger, (*subject, observer), *sequence);
                    grounds.attestations.push(word);
                }
            }
        }
        grounds
    }

    fn word(
        &self,
        ledger: &Ledger,
        (subject, observer): (HostId, HostId),
        sequence: u64,
    ) -> Attestation {
        let paths = [
            (Way::Warm, Reading::Silent),
            (Way::FreshDial, Reading::Silent),
            (Way::AgentPort, Reading::Refused),
        ];
        let known = |host: &HostId| ledger.roster().get(host).and_then(|entry| entry.boot);
        let word = Attestation {
            subject,
            subject_boot: known(&subject).unwrap_or(BOOT),
            observer,
            observer_boot: known(&observer).unwrap_or(BOOT),
            key: PublicKey([0; 32]),
            sequence: Sequence(sequence),
            epoch: ledger.roster().epoch,
            anchor: ledger.anchor(),
            grade: Grade::Failed,
            paths: paths.map(|(path, reading)| PathReading { path, reading }).into(),
            ingress: ledger.seating().observers(&observer).to_vec(),
            late_ms: 0,
            signature: Signature([0; 32], [0; 32]),
        };
        let name = ledger.roster().get(&observer).map(|entry| entry.claims.host.clone());
        let number = name.and_then(|name| number_of(&name));
        let number = number.expect("whoever holds a seat is one of these hosts");
        word.signed(self.cluster.as_str(), &self.hosts[number].signer)
    }
}

/// Host `h17` is number 17.
fn number_of(name: &HostName) -> Option<usize> {
    name.as_str().strip_prefix('h')?.parse().ok()
}

fn claims(cluster: &ClusterName, number: usize) -> Result<Claims, BenchFault> {
    let label = |text: String| Label::new(&text).map_err(BenchFault::of("name a host"));
    let rack = number / RACK_HOSTS;
    let zone = ZONES[rack % ZONES.len()];
    Ok(Claims {
        cluster: cluster.clone(),
        host: HostName(label(format!("h{number}"))?),
        domain: Domain {
            region: label("eu".into())?,
            zone: label(format!("eu-{zone}"))?,
            rack: label(format!("r{rack}"))?,
        },
        group: GroupName(label(format!("g{}", rack % GROUPS))?),
        roles: Roles { keeper: is_keeper(number), healer: true },
    })
}

/// The second host of each of the first three racks, and so one in each zone.
pub fn is_keeper(number: usize) -> bool {
    number % RACK_HOSTS == 1 && number / RACK_HOSTS < ZONES.len()
}

impl Authority {
    fn of(cluster: &ClusterName) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = dated();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::OrganizationalUnitName, "hale authority");
        params.distinguished_name.push(DnType::CommonName, cluster.to_string());
        let certificate = params.self_signed(&key)?;
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Ok(Self { issuer: Issuer::from_ca_cert_der(certificate.der(), key)?, der, pem })
    }
}

fn issued(claims: Claims, issuer: &Issuer<'static, KeyPair>) -> Result<Host, BenchFault> {
    let issuing = BenchFault::of("issue a certificate");
    let key = KeyPair::generate_for(&PKCS_ED25519).map_err(&issuing)?;
    let mut params = dated();
    let uri = claims.to_uri().try_into().map_err(&issuing)?;
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(DnType::CommonName, claims.host.as_str());
    let certificate = params.signed_by(&key, issuer).map_err(&issuing)?;
    let signer = RingSigner::from_pkcs8(&key.serialize_der())
        .ok_or_else(|| BenchFault::new("a drawn key is no Ed25519 key"))?;
    let chain = CertificateChain(vec![certificate.der().to_vec()]);
    let pem = [certificate.pem(), key.serialize_pem()];
    Ok(Host { claims, chain, signer, pem })
}

/// For a day, and an hour back: no measurement takes longer.
fn dated() -> CertificateParams {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = rcgen::date_time_ymd(1970, 1, 1) + now;
    let mut params = CertificateParams::default();
    params.not_before = now - Duration::from_secs(3_600);
    params.not_after = now + Duration::from_secs(86_400);
    params.distinguished_name = DistinguishedName::new();
    params
}
