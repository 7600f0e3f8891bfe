//! Two texts of a policy, line by line: what goes and what comes, as a unified diff.
//!
//! Law DF1: what is not shown is counted.
//! Not here: what a change does (see `render::policy_change`).

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::answer::PolicyDiff;

/// Unchanged lines around each change: enough to see in which table it stands.
const CONTEXT_LINES: usize = 3;

/// Texts that are harder to compare are told with more lines than differ.
const WITHIN: Duration = Duration::from_millis(500);

/// Several screens; whoever changes more has the two files.
pub const LINES_SHOWN_MAX: usize = 400;

/// From one text to another, each with what people call it.
pub fn difference((from, old): (&str, &str), (to, new): (&str, &str)) -> PolicyDiff {
    let diff = TextDiff::configure().timeout(WITHIN).diff_lines(old, new);
    let count = |tag: ChangeTag| {
        let changes = diff.iter_all_changes().filter(|change| change.tag() == tag);
        changes.count() as u64
    };
    let unified = diff.unified_diff().context_radius(CONTEXT_LINES).header(from, to).to_string();
    let shown: Vec<&str> = unified.split_inclusive('\n').take(LINES_SHOWN_MAX).collect();
    let lines = unified.split_inclusive('\n').count();
    PolicyDiff {
        from: from.to_owned(),
        to: to.to_owned(),
        removed: count(ChangeTag::Delete),
        added: count(ChangeTag::Insert),
        unified: shown.concat(),
        left_out: lines.saturating_sub(LINES_SHOWN_MAX) as u64,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn of(old: &str, new: &str) -> PolicyDiff {
        difference(("version 1", old), ("policy.toml", new))
    }

    #[test]
    fn what_goes_and_what_comes_stands_between_a_few_lines_that_stay() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let diff = of(old, &old.replace("e\n", "x\ny\n"));
        assert_eq!((diff.removed, diff.added, diff.left_out), (1, 2, 0));
        expect![[r#"
            --- version 1
            +++ policy.toml
            @@ -2,6 +2,7 @@
             b
             c
             d
            -e
            +x
            +y
             f
             g
        "#]]
        .assert_eq(&diff.unified);
    }

    #[test]
    fn the_same_text_differs_in_nothing_and_a_lacking_end_of_line_is_told() {
        let same = of("a\n", "a\n");
        assert_eq!((same.unified.as_str(), same.added, same.removed), ("", 0, 0));
        let cut = of("a\n", "a");
        assert!(cut.unified.contains("\\ No newline at end of file"), "{}", cut.unified);
    }

    /// Law DF1.
    #[test]
    fn beyond_its_bound_a_diff_is_cut_and_says_how_much_is_left_out() {
        let old: String = (0..1_000).map(|line| format!("old {line}\n")).collect();
        let diff = of(&old, &old.replace("old", "new"));
        assert_eq!((diff.removed, diff.added), (1_000, 1_000));
        let shown = diff.unified.lines().count();
        assert_eq!(shown, LINES_SHOWN_MAX);
        // Two lines of heads and one of the hunk.
        assert_eq!(diff.left_out, 2_000 + 3 - shown as u64);
    }

    /// Texts of the largest size, made to be hard to compare.
    #[test]
    fn the_worst_texts_are_compared_too() {
        let text = |step: u32| -> String {
            (0..32 * 1_024u32)
                .map(|line| if line * step % 97 < 48 { "a\n" } else { "b\n" })
                .collect()
        };
        let lines = 0..9_000;
        let forwards: String = lines.clone().map(|line| format!("{line:06}\n")).collect();
        let backwards: String = lines.rev().map(|line| format!("{line:06}\n")).collect();
        for (old, new) in [(text(31), text(57)), (forwards, backwards)] {
            let diff = of(&old, &new);
            let lines = |text: &str| text.lines().count() as u64;
            assert_eq!(
                lines(&old) - diff.removed,
                lines(&new) - diff.added,
                "what stays stays in both"
            );
            assert!(diff.left_out > 0, "{} {}", diff.removed, diff.added);
        }
    }
}
