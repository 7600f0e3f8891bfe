//! One case or one host, with everything that is known about why it stands where it stands.

use ledger::case::{Case, RemedyNote};
use ledger::exempting::Exemption;
use vocabulary::{CaseId, Grade, HostId, ReceiptKind, VerdictKind};

use super::{Scene, audit, cases, checks, decided, hosts, reasons, votes};
use crate::admin::answer::{
    Awaited, CaseExplained, DoubtSeen, Explained, HostExplained, ObserverSeen, Refusal, RemedySeen,
    ReportSeen,
};

/// A case by its number, or a host by its name or id.
pub fn explain(scene: &Scene<'_>, what: &str) -> Result<Explained, Refusal> {
    let number = what.strip_prefix('#').unwrap_or(what).parse().ok().map(CaseId);
    if let Some(case) = number.and_then(|number| scene.ledger.case(number)) {
        return Ok(Explained {
            host: case.host().and_then(|host| of_host(scene, &host)),
            case: Some(of_case(scene, case)),
        });
    }
    let Some(host) = find(scene, what) else {
        return Err(unknown(scene, what, number));
    };
    Ok(Explained {
        host: of_host(scene, &host),
        case: newest_case(scene, &host).map(|case| of_case(scene, case)),
    })
}

fn find(scene: &Scene<'_>, what: &str) -> Option<HostId> {
    let is_it = |host: &HostId, name: &str| name == what || host.to_string() == what;
    let mut all = scene.ledger.roster().all();
    all.find(|(host, entry)| is_it(host, entry.claims.host.as_str())).map(|(host, _)| *host)
}

fn unknown(scene: &Scene<'_>, what: &str, number: Option<CaseId>) -> Refusal {
    let sentence = if let Some(number) = number {
        format!(
            "no case {number} is known: it never was, or it was closed long ago and is in the audit alone; \
             `hale cases --all` lists those that are"
        )
    } else {
        let names = scene.ledger.roster().all().map(|(_, entry)| entry.claims.host.as_str());
        let nearest = names.max_by(|one, other| {
            let likeness = |name: &str| strsim::jaro_winkler(name, what);
            likeness(one).total_cmp(&likeness(other))
        });
        let nearest = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
        format!("no host {what:?} is in the roster{nearest}")
    };
    Refusal::new("NoSuch", sentence)
}

/// Its open case or that of its domain, else the last closed one.
fn newest_case<'l>(scene: &Scene<'l>, host: &HostId) -> Option<&'l Case> {
    let ledger = scene.ledger;
    let entry = ledger.roster().get_even_retired(host)?;
    let open = hosts::case_of(scene, host, entry).and_then(|case| ledger.case(case));
    let closed = || ledger.closed_cases().filter(|case| case.host() == Some(*host)).last();
    open.or_else(closed).map(AsRef::as_ref)
}

fn of_case(scene: &Scene<'_>, case: &Case) -> CaseExplained {
    let (timeline, timeline_is_cut) = audit::of_case(scene, case.id);
    CaseExplained {
        case: cases::line(scene, case),
        members: scene.names(&case.members),
        anchor: case.grounds.anchor.index.0,
        grounds: case.grounds.digest.to_string(),
        votes: votes::votes(scene, case),
        voices: votes::voices(scene, case),
        decided: decided::decided(scene, case),
        awaited: awaited(scene, case),
        remedies: case.remedies.iter().map(|note| remedy(scene, note)).collect(),
        timeline,
        timeline_is_cut,
    }
}

fn awaited(scene: &Scene<'_>, case: &Case) -> Vec<Awaited> {
    let holds = scene.ledger.holds(case.id);
    let held = |hold: &ledger::view::Hold| Awaited {
        name: reasons::name(&hold.rule),
        sentence: cases::held(scene, case, hold),
        rule: match case.kind {
            VerdictKind::Unsettled => Some("3.6".to_owned()),
            _ => reasons::rule(&hold.rule).map(str::to_owned),
        },
        left_ms: cases::left_ms(hold.left),
    };
    let mut awaited: Vec<Awaited> = holds.iter().map(held).collect();
    if awaited.is_empty() && !case.is_closed() {
        awaited.push(Awaited {
            name: case.stage.word().to_owned(),
            sentence: cases::line(scene, case).awaits,
            rule: None,
            left_ms: None,
        });
    }
    awaited
}

fn remedy(scene: &Scene<'_>, note: &RemedyNote) -> RemedySeen {
    let receipt = note.receipt.as_ref();
    let proof = match (note.is_proven, receipt.map(|receipt| receipt.kind)) {
        (Some(true), _) => "proven",
        (Some(false), _) => "not proven",
        (None, Some(ReceiptKind::Refused)) => "not begun",
        (None, _) => "awaited",
    };
    RemedySeen {
        id: note.id.0,
        rung: u64::from(note.rung).saturating_add(1),
        remedy: note.applied.command.argv.join(" "),
        class: note.applied.command.class.to_string(),
        fence: note.fence.0,
        healer: scene.name(&note.healer),
        intended: scene.when(note.intended),
        receipt: receipt.map(|receipt| receipt.kind.to_string()),
        detail: receipt.map(|receipt| receipt.detail.clone()),
        proof: proof.to_owned(),
    }
}

fn of_host(scene: &Scene<'_>, host: &HostId) -> Option<HostExplained> {
    let entry = scene.ledger.roster().get_even_retired(host)?;
    let seating = scene.ledger.seating();
    let observers = seating.observers(host).iter();
    let watches: &[HostId] = if entry.is_retired { &[] } else { seating.subjects(host) };
    let doubts = scene.local.doubts.get(host).into_iter().flatten();
    let line = hosts::line(scene, host, entry);
    Some(HostExplained {
        observers: observers.map(|observer| observer_seen(scene, host, observer)).collect(),
        watches: scene.names(watches),
        doubts: doubts
            .map(|doubt| DoubtSeen {
                observer: scene.name(&doubt.by),
                for_ms: cases::left_ms(doubt.age),
            })
            .collect(),
        reports: reports(scene, host),
        no_verdict: no_verdict(scene, host, &line.state),
        sentences: sentences(scene, host, &line.state),
        host: line,
    })
}

fn reports(scene: &Scene<'_>, host: &HostId) -> Vec<ReportSeen> {
    let reports = scene.local.reports.get(host).into_iter().flatten();
    let seen = reports.map(|report| ReportSeen {
        who: report.who.clone(),
        by: scene.name(&report.by),
        failed: report.failed.clone(),
        ago_ms: report.age.as_milliseconds(),
        times: report.times,
    });
    seen.collect()
}

fn observer_seen(scene: &Scene<'_>, subject: &HostId, observer: &HostId) -> ObserverSeen {
    let round = scene.local.rounds.get(subject).and_then(|round| round.paths.get(observer));
    let own = || {
        let is_me = *observer == scene.me.id();
        scene.local.readings.get(subject).filter(|_| is_me)
    };
    let readings = round.or_else(own);
    ObserverSeen {
        observer: scene.name(observer),
        domain: scene.domain(observer),
        is_up: scene.is_up(observer),
        discounted: scene.local.discounting.get(observer).cloned(),
        paths: readings.map(|readings| votes::paths(readings)).unwrap_or_default(),
    }
}

/// Why a doubted host has no verdict: only the leader knows, and says so.
fn no_verdict(scene: &Scene<'_>, host: &HostId, state: &str) -> Option<String> {
    let case = scene.ledger.case_of_host(host);
    let is_unsettled = case.is_some_and(|case| case.kind == VerdictKind::Unsettled);
    if state != "doubted" && !is_unsettled {
        return None;
    }
    if let Some(round) = scene.local.rounds.get(host) {
        let age = round.age;
        return Some(match (&round.verdict, scene.ledger.brake().surge) {
            (Err(no), _) => format!("the last round, {age} ago, made none: {no}"),
            // protocol 3.6 `Surge`.
            (Ok(VerdictKind::HostDown), Some(surge)) => format!(
                "the last round, {age} ago, says HostDown, by silence alone, and that is none while a surge stands: {}",
                surge.in_words()
            ),
            (Ok(kind), _) => {
                format!("the last round, {age} ago, says {kind}: its case is about to be committed")
            }
        });
    }
    Some(match scene.standing.leader {
        None => "no keeper leads, so nobody calls a round: without a majority there are no verdicts (protocol 3.9)".to_owned(),
        Some(leader) if leader == scene.me.id() => {
            "this agent leads and has held no round on it yet".to_owned()
        }
        Some(leader) => format!(
            "the rounds are held by {leader}: ask there, `hale explain {host}`",
            leader = scene.name(&leader),
            host = scene.name(host)
        ),
    })
}

fn sentences(scene: &Scene<'_>, host: &HostId, state: &str) -> Vec<String> {
    let mut said = Vec::new();
    let ledger = scene.ledger;
    match state {
        "retired" => said.push("it is retired for good: its name never comes back".to_owned()),
        "left" => {
            let since = ledger.left_since(host).unwrap_or_default();
            let (ago, grace) = (ledger.time().since(since), ledger.policy().timers.left_grace);
            said.push(format!(
                "its agent said goodbye {ago} ago: no case for {grace}, then a ticket (protocol 3.6)"
            ));
        }
        "silent" => said.push(
            "it is enrolled, but its agent was never heard: start it, or retire the host"
                .to_owned(),
        ),
        "doubted" => {
            let doubting = hosts::doubters(scene, host).count();
            let seats = ledger.seating().observers(host).len();
            said.push(format!(
                "{doubting} of its {seats} observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)"
            ));
        }
        "ok" => said.push(
            "nobody doubts it, as far as this agent has heard, and it has no case".to_owned(),
        ),
        _ => {}
    }
    if let Some(Exemption { who, why, .. }) = ledger.exemption_of(host) {
        said.push(format!(
            "nothing begins on it by itself: exempt, by {who}: {why} (protocol 6.11)"
        ));
    }
    said.extend(checks::on(scene, host));
    let badly: Vec<String> = hosts::reached_badly(scene, host)
        .map(|(by, grade)| format!("{} ({})", scene.name(by), lost(*grade)))
        .collect();
    if !badly.is_empty() {
        said.push(format!(
            "observers that lose their probes to it without silence: {} (protocol 2.6)",
            badly.join(", ")
        ));
    }
    if ledger.is_duplicate(host) {
        said.push(
            "two machines live under its name: its voice counts for nothing, and it heals nobody (protocol 1.2)"
                .to_owned(),
        );
    }
    if let Some(why) = scene.local.discounting.get(host) {
        said.push(format!(
            "it discounts itself: {why}; its voice against others does not count, its \"well\" does (protocol 2.7)"
        ));
    }
    said
}

/// protocol 2.6: what a grade of `reach` says.
fn lost(grade: Grade) -> &'static str {
    match grade {
        Grade::Failed => "two fifths or more",
        Grade::Degraded => "a fifth or more",
        Grade::Ok | Grade::Unknown => "not known",
    }
}
