//! The headline of a page: its title without the name of the site.

use super::about::About;
use super::found::one_line;
use super::page::Page;
use super::separators::{self, Cut, is_wide, starts_with_mark};
use crate::text::words::words;

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
    words(heading).len() >= 2 && (rest.is_empty() || starts_with_mark(rest, heading))
}

/// Whether an `<h1>` is the headline that the page's title means, and not the name of the site.
fn is_headline(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    let shared = heading.iter().filter(|w| title.contains(w)).count();
    shared * 2 >= heading.len() && shared * 2 >= title.len() || heading.len() > title.len()
}

/// Names that a title has beside the headline, at most: of the site on both sides, of sections.
const MOST_NAMES: usize = 4;

/// "Headline | Site" without the site, where what stands after the separator is known to be its
/// name, and without the section between the two.
fn without_site(title: &str, heading: Option<&str>, page: &Page, about: &About) -> String {
    let site = Site { heading, page, about };
    let mut rest = title;
    for _ in 0..MOST_NAMES {
        match site.left_out(rest) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    one_line(without_keywords(rest))
}

/// A Chinese title up to the first underscore: sections, keywords and the site follow, each shorter
/// than the headline.
fn without_keywords(title: &str) -> &str {
    let Some((headline, names)) = title.split_once('_').filter(|_| is_wide(title)) else {
        return title;
    };
    let length = |text: &str| text.trim().chars().count();
    let are_names = names.split('_').all(|name| length(name) < length(headline));
    if are_names { headline } else { title }
}

/// What a page tells of the name of its site.
struct Site<'a> {
    heading: Option<&'a str>,
    page: &'a Page,
    about: &'a About,
}

impl Site<'_> {
    /// A title without the name of the site that stands at one of its ends, and without the section
    /// beside it.
    fn left_out<'t>(&self, title: &'t str) -> Option<&'t str> {
        let cuts = separators::cuts(title);
        let after = || cuts.iter().rev().find(|cut| self.is_name(cut.after, cut));
        // "Headline | Site - what it is for"
        let is_between = |pair: &&[Cut]| {
            let alike = pair[0].mark.trim() == pair[1].mark.trim() && pair[0].is_apart();
            (pair[0].is_stroke() || alike) && self.has_name(pair[0].part(&pair[1]))
        };
        let between = || cuts.windows(2).rfind(is_between).map(|pair| &pair[0]);
        if let Some(cut) = after().or_else(between) {
            return Some(self.without_section(cut.before, cut));
        }
        if let Some(cut) = cuts.iter().find(|cut| self.is_name(cut.before, cut)) {
            let next = separators::cuts(cut.after).into_iter().next();
            let section = next.filter(|next| self.is_section(next.before, next.after, next, cut));
            return Some(section.map_or(cut.after, |section| section.after));
        }
        self.without_bracket(title)
    }

    /// Whether a part of a title beside a separator is the name of the site.
    fn is_name(&self, part: &str, cut: &Cut) -> bool {
        let is_heading = || self.heading.is_some_and(|heading| same(heading, part));
        self.has_name(part)
            || cut.is_apart() && (is_heading() || is_site(part, self.page, self.about))
    }

    /// Whether a text is, in so many words, a name that the page gives of its site.
    fn has_name(&self, text: &str) -> bool {
        self.about.sites.iter().any(|site| same(site, text))
    }

    /// "Headline | Section" without the section; `site`: where the name of the site stood.
    fn without_section<'t>(&self, title: &'t str, site: &Cut) -> &'t str {
        let last = separators::cuts(title).into_iter().next_back();
        let section = last.filter(|last| self.is_section(last.after, last.before, last, site));
        section.map_or(title, |section| section.before)
    }

    /// Whether a part of a title is that of a section: a single word between strokes, or between
    /// any separators that are alike, where the page has a link of that name.
    fn is_section(&self, part: &str, headline: &str, cut: &Cut, site: &Cut) -> bool {
        /// Characters of the name of a section in a script without spaces.
        const LONGEST: usize = 4;
        let is_word = match is_wide(part) {
            true => part.chars().count() <= LONGEST,
            false => part.split_whitespace().count() == 1,
        };
        let is_between = cut.mark.trim() == site.mark.trim() && is_linked(part, self.page);
        is_word && words(headline).len() > 2 && (cut.is_stroke() || is_between)
    }

    /// "Headline (Site)", "【Site】Headline".
    fn without_bracket<'t>(&self, title: &'t str) -> Option<&'t str> {
        const BRACKETS: [(char, char); 5] =
            [('(', ')'), ('[', ']'), ('（', '）'), ('【', '】'), ('［', '］')];
        BRACKETS.iter().find_map(|&(open, close)| {
            let last = title.strip_suffix(close).and_then(|text| text.rsplit_once(open));
            let first = title.strip_prefix(open).and_then(|text| text.split_once(close));
            let first = first.map(|(site, headline)| (headline, site));
            let mut both = last.into_iter().chain(first);
            let found = both.find(|(headline, site)| !headline.is_empty() && self.has_name(site));
            found.map(|(headline, _)| headline.trim())
        })
    }
}

/// Whether the page has a link with this text.
fn is_linked(text: &str, page: &Page) -> bool {
    let links = page.nodes.iter().enumerate().filter(|(_, n)| n.tag == "a").take(200);
    let mut texts = links.map(|(at, _)| key(&page.text_of(at, |_| false)));
    texts.any(|link| link == key(text))
}

/// Whether a text is the name of the site: one that the page gives, or the one of its copyright
/// notice.
fn is_site(text: &str, page: &Page, about: &About) -> bool {
    let mut sites = about.sites.iter();
    sites.any(|site| same(site, text) || is_longer(site, text) || is_named_after(text, site))
        || is_logo(text, page)
        || page.nodes.iter().filter(|n| n.text.contains('©')).take(20).any(|n| {
            let owner = n.text.split('©').nth(1).unwrap_or_default();
            let owner = owner.trim_start_matches(|c: char| !c.is_alphabetic());
            key(owner).starts_with(&key(text)) && key(text).len() > 3
        })
}

/// Whether one of two names is the other and a little more: "Port Courier News", "新浪新闻".
fn is_longer(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let (short_key, long_key) = (key(short), key(long));
    let letters = |key: &str| key.chars().count();
    let is_more = match is_wide(short) {
        true => letters(&short_key) >= 2 && letters(&long_key) <= letters(&short_key) + 4,
        false => short_key.len() >= 5 && words(long).len() == words(short).len() + 1,
    };
    is_more && long_key.starts_with(&short_key)
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
