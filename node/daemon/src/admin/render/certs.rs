//! When certificates end: from the ledger where it knows, from connections and this host's own files where it does not.
//!
//! Law CE1: what nobody has told this agent is `unknown`, and stands on the list as such.

use detection::roster::Entry;
use vocabulary::HostId;

use super::{Scene, listed};
use crate::admin::answer::{CertLine, Certs};
use crate::identity::alarm::{Ending, Nearness, in_words};
use crate::moments;

/// All certificates, the soonest end first.
pub fn certs(scene: &Scene<'_>) -> Certs {
    let hosts = scene.ledger.roster().present().map(|(host, entry)| of_host(scene, host, entry));
    let of_authority = |ending: &Ending| {
        let known = Some((ending.until, "file"));
        line(scene, (ending.what.clone(), "authority"), known)
    };
    let mut certs: Vec<CertLine> =
        hosts.chain(scene.local.authorities.iter().map(of_authority)).collect();
    if scene.ledger.roster().get_even_retired(&scene.me.id()).is_none() {
        let known = scene.local.own_ending.map(|until| (until, "file"));
        certs.push(line(scene, (scene.me.host.to_string(), "host"), known));
    }
    certs.sort_by_cached_key(|cert| (cert.left_s.is_none(), cert.left_s, cert.of.clone()));
    Certs { certs }
}

/// Who else's certificate ends within 30 days, for `hale status`; this host's own is told of beside its files.
pub fn soon(scene: &Scene<'_>) -> Option<String> {
    let own = scene.me.host.as_str();
    let near = certs(scene).certs.into_iter().filter(|cert| {
        cert.kind == "host" && cert.of != own && !matches!(cert.state.as_str(), "ok" | "unknown")
    });
    let near: Vec<String> = near.map(|cert| in_a_word(&cert)).collect();
    let certificates = if near.len() == 1 { "certificate ends" } else { "certificates end" };
    (!near.is_empty()).then(|| {
        format!("{} {certificates} within 30 days, `hale certs`: {}", near.len(), listed(&near))
    })
}

fn of_host(scene: &Scene<'_>, host: &HostId, entry: &Entry) -> CertLine {
    let (zone, group) = (entry.claims.domain.zone().to_string(), entry.claims.group.to_string());
    let of = (entry.claims.host.to_string(), "host");
    CertLine { zone: Some(zone), group: Some(group), ..line(scene, of, known(scene, host)) }
}

/// A host's own files are newer than all else, and the ledger than a connection: a certificate that was renewed is shown at
/// the next handshake only.
fn known(scene: &Scene<'_>, host: &HostId) -> Option<(u64, &'static str)> {
    let own = scene.local.own_ending.filter(|_| *host == scene.me.id());
    let told = scene.ledger.certificate_end(host);
    let shown = scene.local.endings.get(host).copied();
    let own = own.map(|until| (until, "file"));
    let told = told.map(|until| (until, "ledger"));
    own.or(told).or(shown.map(|until| (until, "connection")))
}

fn line(
    scene: &Scene<'_>,
    (of, kind): (String, &str),
    known: Option<(u64, &'static str)>,
) -> CertLine {
    let now = scene.wall_ms / 1_000;
    let state = known.map_or("unknown", |(until, _)| {
        match (Ending { what: String::new(), until }).nearness(now) {
            Nearness::Far => "ok",
            Nearness::Month => "month",
            Nearness::Week => "week",
            Nearness::Day => "day",
            Nearness::Ended => "ended",
        }
    });
    CertLine {
        of,
        kind: kind.to_owned(),
        zone: None,
        group: None,
        ends: known.map(|(until, _)| moments::utc(until)),
        left_s: known.map(|(until, _)| until.cast_signed().saturating_sub(now.cast_signed())),
        state: state.to_owned(),
        from: known.map_or("nowhere", |(_, from)| from).to_owned(),
    }
}

/// `db-a-2 in 6 days`, `db-a-2 2 days ago`.
fn in_a_word(cert: &CertLine) -> String {
    match cert.left_s {
        Some(left @ 0..) => format!("{} in {}", cert.of, in_words(left.cast_unsigned(), 0)),
        Some(left) => format!("{} {} ago", cert.of, in_words(left.unsigned_abs(), 0)),
        None => cert.of.clone(),
    }
}
