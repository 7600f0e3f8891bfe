//! Windows of maintenance on a line each: whom they cover, whether they are open, and when next.

use ledger::maintenance::Window;

use super::{Scene, wall};
use crate::admin::answer::{Maintenance, WindowLine};
use crate::calendar::Calendar;
use crate::moments;

/// Every window.
pub fn maintenance(scene: &Scene<'_>) -> Maintenance {
    let windows: Vec<WindowLine> =
        scene.ledger.windows().map(|(number, window)| line(scene, number, window)).collect();
    let nothing = windows.is_empty().then(|| {
        "no window is open or planned: `hale maintenance add --host HOST --for 2h --why ...` opens one".to_owned()
    });
    Maintenance { windows, nothing }
}

/// The open ones, each as one sentence for `hale status`.
pub fn notes(scene: &Scene<'_>) -> Vec<String> {
    let open = scene.ledger.windows().filter_map(|(number, window)| {
        let left = window.open_until?.since(scene.ledger.time());
        let scope = scene.subject(&window.plan.scope);
        let (whom, why) = (named(&scope.kind, &scope.name), &window.why);
        Some(format!(
            "{whom} is in maintenance ({why}), {left} left: nothing begins there; `hale maintenance end {number} --why ...` ends that"
        ))
    });
    open.collect()
}

/// `zone eu/eu-a`; the fleet has no other name.
pub fn named(kind: &str, name: &str) -> String {
    match kind {
        "fleet" => "the fleet".to_owned(),
        kind => format!("{kind} {name}"),
    }
}

fn line(scene: &Scene<'_>, number: u64, window: &Window) -> WindowLine {
    let schedule = window.plan.schedule.as_ref();
    let calendar = schedule.and_then(|schedule| Calendar::read(schedule).ok());
    let next = calendar.and_then(|calendar| calendar.next(scene.wall_ms / 1_000));
    let left = window.open_until.map(|until| until.since(scene.ledger.time()));
    WindowLine {
        window: number,
        scope: scene.subject(&window.plan.scope),
        lasts_ms: window.plan.lasts.as_milliseconds(),
        cron: schedule.map(|schedule| schedule.cron.clone()),
        time_zone: schedule.map(|schedule| schedule.time_zone.clone()),
        left_ms: left.map(vocabulary::Span::as_milliseconds),
        next: next.map(moments::utc),
        who: window.who.clone(),
        why: window.why.clone(),
        added: wall(window.added_wall),
    }
}
