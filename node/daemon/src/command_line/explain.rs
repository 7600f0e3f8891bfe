//! `hale explain <case|host>`: why it stands where it stands, in the words that are needed at three in the morning.

use clap::Args;

use super::asking::{Screen, in_path};
use super::cases;
use super::exit::CommandFault;
use super::hosts;
use super::table::{Clock, Table, clean, span};
use crate::admin::answer::{
    Answer, CaseExplained, Explained, HostExplained, PathSeen, RemedySeen, ReportSeen, VoiceSeen,
};

/// Why a case or a host stands where it stands: who looked and what each saw, what was decided by which rule, what is
/// awaited and what frees it, what was done.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    /// A case by its number, or a host by its name.
    #[arg(value_name = "CASE|HOST")]
    what: String,
    #[command(flatten)]
    screen: Screen,
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    let path = format!("/v1/explain/{}", in_path(&verb.what));
    verb.screen.show(&path, text).map(drop)
}

/// The screen, from the answer alone.
pub fn text(answer: &Answer<Explained>, screen: &Screen) -> String {
    let clock = screen.clock(answer);
    let Explained { host, case } = &answer.data;
    let mut page = String::new();
    match (host, case) {
        (Some(host), None) => page += &of_host(host),
        (_, Some(case)) => page += &of_case(case, clock, screen),
        (None, None) => {}
    }
    match (host, case) {
        // The newest case is over: how the host is now comes first.
        (Some(host), Some(case)) if case.case.closed.is_some() => {
            of_host(host) + "\nits last case\n" + &page
        }
        _ => page,
    }
}

fn of_case(explained: &CaseExplained, clock: Clock, screen: &Screen) -> String {
    let case = &explained.case;
    let (id, subject, opened) = (case.id, cases::subject(case), clock.moment(&case.opened));
    let mut page =
        clean(&format!("case {id}  {subject}  {}  {}  opened {opened}", case.verdict, case.stage));
    page += "\n";
    // What is awaited comes below, with its rules.
    let is_told = explained.awaited.iter().any(|awaited| awaited.sentence == case.awaits);
    page += &section("now", (!is_told).then(|| case.awaits.clone()));
    if !explained.members.is_empty() {
        page += &section("hosts", [explained.members.join(" ")]);
    }
    page += &voices(explained, screen);
    let mut decided = Table::new(&["rule", "what it says"]);
    for step in &explained.decided {
        decided.row([step.rule.clone(), step.sentence.clone()]);
    }
    page += &titled("decided, by the rules of docs/protocol", &decided, false);
    page += &awaited(explained);
    if let Some(lease) = &case.lease {
        let (fence, healer, left) = (lease.fence, &lease.healer, span(lease.left_ms));
        let lease = format!("fence {fence}, held by {healer}, {left} left unless it is renewed");
        page += &section("lease", [clean(&lease)]);
    }
    page += &remedies(&explained.remedies, clock, screen);
    page += &timeline(explained, clock, screen);
    page
}

fn voices(explained: &CaseExplained, screen: &Screen) -> String {
    let votes = &explained.votes;
    if explained.voices.is_empty() {
        return String::new();
    }
    let title = if votes.seats == 0 {
        format!("who looked, in the newest round (entry {}): the host itself", explained.anchor)
    } else {
        tallied(explained)
    };
    let mut table = Table::new(&["observer", "stands in", "said", "fit to look", "by these paths"]);
    for voice in &explained.voices {
        let VoiceSeen { observer, domain, said, fitness, .. } = voice;
        table.row([
            observer.clone(),
            domain.clone(),
            said.clone(),
            fitness.clone(),
            paths(&voice.paths),
        ]);
    }
    titled(&title, &table, screen.has_header())
}

fn tallied(explained: &CaseExplained) -> String {
    let votes = &explained.votes;
    format!(
        "who looked, in the newest round (entry {}): {} against, {} well, {} vacant of {} seats; {} needed, {} may be mistaken",
        explained.anchor,
        votes.against,
        votes.well,
        votes.vacant,
        votes.seats,
        votes.needed,
        votes.tolerated
    )
}

fn paths(paths: &[PathSeen]) -> String {
    if paths.is_empty() {
        return "-".to_owned();
    }
    let seen = paths.iter().map(|seen| format!("{} {}", seen.path, seen.reading));
    seen.collect::<Vec<_>>().join(", ")
}

fn awaited(explained: &CaseExplained) -> String {
    let lines = explained.awaited.iter().map(|awaited| {
        let rule = awaited.rule.as_ref().map_or_else(String::new, |rule| format!(" (rule {rule})"));
        clean(&format!("{}{rule}", awaited.sentence))
    });
    section("awaited, and what frees it", lines)
}

fn remedies(remedies: &[RemedySeen], clock: Clock, screen: &Screen) -> String {
    let header =
        ["remedy", "rung", "class", "healer", "fence", "intended", "receipt", "proof", "what"];
    let mut table = Table::new(&header);
    for remedy in remedies {
        let receipt = match (&remedy.receipt, &remedy.detail) {
            (Some(receipt), Some(detail)) if !detail.is_empty() => format!("{receipt}: {detail}"),
            (Some(receipt), _) => receipt.clone(),
            (None, _) => "awaited".to_owned(),
        };
        table.row([
            remedy.id.to_string(),
            remedy.rung.to_string(),
            remedy.class.clone(),
            remedy.healer.clone(),
            remedy.fence.to_string(),
            clock.moment(&remedy.intended),
            receipt,
            remedy.proof.clone(),
            remedy.remedy.clone(),
        ]);
    }
    titled("remedies", &table, screen.has_header())
}

fn timeline(explained: &CaseExplained, clock: Clock, screen: &Screen) -> String {
    let mut table = Table::new(&["record", "when", "what has become true"]);
    for record in &explained.timeline {
        table.row([record.number.to_string(), clock.moment(&record.at), record.sentence.clone()]);
    }
    let title = if explained.timeline_is_cut {
        "timeline, from the audit (its beginning fell out of the state)"
    } else {
        "timeline, from the audit"
    };
    titled(title, &table, screen.has_header())
}

fn of_host(explained: &HostExplained) -> String {
    let host = &explained.host;
    let boot = host.boot.map_or_else(|| "never heard".to_owned(), |boot| format!("boot {boot}"));
    let (name, state, group) = (&host.name, &host.state, &host.group);
    let place = format!("{}/{}/{}", host.region, host.zone, host.rack);
    let address = host.address.as_deref().unwrap_or("no address known");
    let mut page =
        clean(&format!("host {name}  {state}  {place}  group {group}  {boot}  {address}"));
    page += "\n";
    let roles = hosts::roles(host);
    let swim = format!("swim says {}: a hint, never a verdict", host.membership);
    let roles = (!roles.is_empty()).then(|| format!("roles: {roles}"));
    page += &section("now", explained.sentences.iter().cloned().chain(roles).chain([swim]));
    let doubts = explained.doubts.iter().map(|doubt| match doubt.for_ms {
        Some(age) => format!("{} for {}", doubt.observer, span(age)),
        None => doubt.observer.clone(),
    });
    page += &section("doubted by", doubts);
    page += &section("reported by", explained.reports.iter().map(reported));
    page += &section("why there is no verdict", explained.no_verdict.clone());
    let mut table = Table::new(&["observer", "stands in", "swim", "last saw"]);
    for observer in &explained.observers {
        let swim = if observer.is_up { "up" } else { "down" };
        let saw = match &observer.discounted {
            Some(why) => format!("{}; it discounts itself: {why}", paths(&observer.paths)),
            None => paths(&observer.paths),
        };
        table.row([observer.observer.clone(), observer.domain.clone(), swim.to_owned(), saw]);
    }
    page += &titled("watched by", &table, true);
    let watches = (!explained.watches.is_empty()).then(|| explained.watches.join(" "));
    page += &section("it watches", watches);
    page
}

fn reported(report: &ReportSeen) -> String {
    let ReportSeen { who, by, failed, .. } = report;
    let times = (report.times > 1).then(|| format!(" ({} times)", report.times));
    format!("{who} at {by}, {} ago: {failed}{}", span(report.ago_ms), times.unwrap_or_default())
}

/// A heading and indented lines; nothing at all without lines.
fn section(title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines: String = lines.into_iter().map(|line| format!("  {}\n", clean(&line))).collect();
    if lines.is_empty() {
        return lines;
    }
    format!("\n{title}\n{lines}")
}

fn titled(title: &str, table: &Table, has_header: bool) -> String {
    if table.is_empty() {
        return String::new();
    }
    format!("\n{title}\n{}", table.text("  ", has_header))
}
