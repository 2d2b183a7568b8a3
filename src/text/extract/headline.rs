//! The headline of a page: its title without the name of the site.

use super::about::About;
use super::found::one_line;
use super::page::Page;
use crate::text::words::words;

/// What stands between a headline and the name of the site.
const SEPARATORS: [&str; 12] =
    [" | ", " – ", " — ", " - ", " :: ", " · ", " » ", " « ", " • ", " / ", ": ", "｜"];

/// Finds the headline: the declared title or `<title>` without the site's name, or the `<h1>` that
/// agrees with it.
pub(super) fn headline(page: &Page, about: &About) -> Option<String> {
    let text = |tag: &str| {
        let found = page.nodes.iter().enumerate().filter(|(_, n)| n.tag == tag);
        found.map(|(at, _)| page.text_of(at, |_| false)).find(|t| !t.is_empty())
    };
    let title = about.headlines.first().cloned().or_else(|| text("title"));
    let declared = text_of_declared_heading(page, about);
    let begins = || title.as_deref().and_then(|title| heading_that_begins(page, title));
    let heading = declared.or_else(begins).or_else(|| text("h1"));
    match (title, heading) {
        (None, heading) => heading,
        (Some(title), Some(heading))
            if title.starts_with(&heading) && is_name_after(&title, &heading) =>
        {
            Some(heading)
        }
        (Some(title), heading) => {
            let cut = without_site(&title, heading.as_deref(), page, about);
            Some(heading.filter(|h| is_headline(h, &cut)).unwrap_or(cut))
        }
    }
}

/// The `<h1>` that is one of the declared headlines, word for word.
fn text_of_declared_heading(page: &Page, about: &About) -> Option<String> {
    let found = page.nodes.iter().enumerate().filter(|(_, n)| n.tag == "h1");
    found
        .map(|(at, _)| page.text_of(at, |_| false))
        .find(|heading| about.headlines.iter().any(|h| !h.is_empty() && key(h) == key(heading)))
}

/// The heading of any rank that is the title up to a separator.
fn heading_that_begins(page: &Page, title: &str) -> Option<String> {
    let found =
        page.nodes.iter().enumerate().filter(|(_, n)| matches!(&*n.tag, "h1" | "h2" | "h3"));
    let texts = found.take(20).map(|(at, _)| page.text_of(at, |_| false));
    // A subheading may be the beginning of the headline; a name is short, and stands after much.
    let begins = |h: &String| {
        let rest = title.strip_prefix(h.as_str()).unwrap_or_default();
        words(h).len() > 3 && (1..4).contains(&words(rest).len()) && !rest.starts_with(':')
    };
    texts.filter(|h| begins(h) && is_name_after(title, h)).max_by_key(String::len)
}

/// Whether a title is a heading and, after a separator, anything: then the heading is the headline.
fn is_name_after(title: &str, heading: &str) -> bool {
    let rest = &title[heading.len()..];
    words(heading).len() >= 2 && (rest.is_empty() || SEPARATORS.iter().any(|s| rest.starts_with(s)))
}

/// Whether an `<h1>` is the headline that the page's title means, and not the name of the site.
fn is_headline(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    let shared = heading.iter().filter(|w| title.contains(w)).count();
    shared * 2 >= heading.len() && shared * 2 >= title.len() || heading.len() > title.len()
}

/// "Headline | Site" without the site, where what stands after the separator is known to be its
/// name.
fn without_site(title: &str, heading: Option<&str>, page: &Page, about: &About) -> String {
    for separator in SEPARATORS {
        let last = title.rsplit_once(separator);
        let first = title.split_once(separator).map(|(site, headline)| (headline, site));
        for (headline, site) in last.into_iter().chain(first) {
            let is_heading = heading.is_some_and(|h| same(h, site));
            if !headline.trim().is_empty() && (is_heading || is_site(site, page, about)) {
                let rest = one_line(headline);
                return without_site_again(&rest, page, about);
            }
        }
    }
    title.to_string()
}

/// "Headline - Site | Site" has two parts to drop, and "Headline | Section | Site".
fn without_site_again(title: &str, page: &Page, about: &About) -> String {
    for separator in SEPARATORS {
        if let Some((headline, end)) = title.rsplit_once(separator) {
            let section = matches!(separator, " | " | "｜")
                && words(headline).len() > 2
                && end.split_whitespace().count() == 1;
            if section || is_site(end, page, about) {
                return one_line(headline);
            }
        }
    }
    title.to_string()
}

/// Whether a text is the name of the site: one that the page gives, or the one of its copyright
/// notice.
fn is_site(text: &str, page: &Page, about: &About) -> bool {
    about.sites.iter().any(|site| same(site, text))
        || about.sites.iter().any(|site| is_named_after(text, site))
        || is_logo(text, page)
        || page.nodes.iter().filter(|n| n.text.contains('©')).take(20).any(|n| {
            let owner = n.text.split('©').nth(1).unwrap_or_default();
            let owner = owner.trim_start_matches(|c: char| !c.is_alphabetic());
            key(owner).starts_with(&key(text)) && key(text).len() > 3
        })
}

/// Whether a short name begins with that of a host: "BBC News" is at `www.bbc.co.uk`.
fn is_named_after(text: &str, site: &str) -> bool {
    let host = site.strip_prefix("www.").unwrap_or(site);
    let label = host.split_once('.').map_or("", |(label, _)| label);
    let mut words = text.split_whitespace();
    label.len() > 2 && words.next().is_some_and(|w| key(w) == label) && words.count() < 2
}

/// Whether a text is that of a link to the start page, as the name of the site above a page is.
fn is_logo(text: &str, page: &Page) -> bool {
    let links = page.nodes.iter().enumerate().filter(|(_, n)| {
        let path = n.attribute("href").map(|href| href.split("//").last().unwrap_or(href));
        n.tag == "a"
            && path.is_some_and(|p| p == "/" || p.ends_with('/') && p.matches('/').count() == 1)
    });
    links.take(10).any(|(at, _)| key(&page.text_of(at, |_| false)) == key(text))
}

/// Whether two names are the same, but for case, spaces, punctuation and the ending of an address.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (key(a), key(b));
    !a.is_empty() && (a == b || is_address_of(&a, &b) || is_address_of(&b, &a))
}

fn is_address_of(address: &str, name: &str) -> bool {
    let bare = address.strip_prefix("www").unwrap_or(address);
    name.len() > 2
        && bare
            .strip_prefix(name)
            .is_some_and(|end| matches!(end.len(), 0 | 2..=4) && end.is_ascii())
        && address.len() > name.len()
}

/// The letters and digits of a name in lower case, without an article before it.
fn key(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let bare = ["the ", "der ", "die ", "das ", "le ", "la ", "el "]
        .iter()
        .find_map(|article| lower.strip_prefix(article))
        .unwrap_or(&lower);
    bare.chars().filter(|c| c.is_alphanumeric()).collect()
}
