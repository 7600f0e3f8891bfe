//! Does every relative link in a Markdown page lead somewhere?
//!
//! Links into a page (`#section`) must name a heading of it, in the spelling of the code host: lower
//! case, spaces as hyphens, other punctuation dropped. Links with a scheme leave the house and are
//! not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::manifest::line_of;
use crate::{Fault, House, Page};

/// Names every relative link whose file or heading is not there.
pub fn check(house: &House) -> Vec<Fault> {
    let headings: BTreeMap<&str, BTreeSet<String>> =
        house.pages.iter().map(|page| (page.file.as_str(), headings(page))).collect();
    let pages = house.pages.iter();
    pages
        .flat_map(|page| links(page).into_iter().map(move |link| (page, link)))
        .filter_map(|(page, link)| {
            let expected = refuse(&house.top, &headings, page, &link.target)?;
            Some(
                Fault::at(&page.file, link.line)
                    .found(format!("the dead link `{}`", link.target))
                    .expected(expected),
            )
        })
        .collect()
}

struct Link {
    line: usize,
    target: String,
}

fn links(page: &Page) -> Vec<Link> {
    let events = Parser::new_ext(&page.text, options()).into_offset_iter();
    let targets = events.filter_map(|(event, span)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(Link { line: line_of(&page.text, span), target: dest_url.into_string() })
        }
        _ => None,
    });
    targets.filter(|link| is_relative(&link.target)).collect()
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH
}

fn is_relative(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    let leaves = scheme.is_some_and(|it| it.chars().all(|letter| letter.is_ascii_alphanumeric()));
    !leaves && !target.starts_with("//")
}

/// What is expected instead, where the link is dead.
fn refuse(
    top: &Path,
    headings: &BTreeMap<&str, BTreeSet<String>>,
    page: &Page,
    target: &str,
) -> Option<String> {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let Some(file) = resolve(&page.file, path) else {
        return Some("a path inside the repository, relative to this page".to_owned());
    };
    if !top.join(&file).exists() {
        return Some(format!("a file at `{file}`"));
    }
    let known = headings.get(file.as_str()).filter(|_| !heading.is_empty())?;
    let is_known = known.contains(heading);
    (!is_known).then(|| format!("a heading `#{heading}` in `{file}`"))
}

/// The path from the top of the house, or nothing where the link leaves the house.
fn resolve(page: &str, path: &str) -> Option<String> {
    if path.is_empty() {
        return Some(page.to_owned());
    }
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn headings(page: &Page) -> BTreeSet<String> {
    let mut slugs = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&page.text, options()) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(title) = heading.take() {
                    insert_slug(&mut slugs, slug(&title));
                }
            }
            _ => {}
        }
    }
    slugs
}

/// A second heading of the same words is reached as `words-1`, a third as `words-2`.
fn insert_slug(slugs: &mut BTreeSet<String>, slug: String) {
    let numbered = (1..).map(|number| format!("{slug}-{number}"));
    let free = std::iter::once(slug.clone()).chain(numbered).find(|name| !slugs.contains(name));
    slugs.extend(free);
}

fn slug(title: &str) -> String {
    let kept = title.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}
