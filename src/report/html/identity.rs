//! What an article is called in the page, and in the marks that a reader makes.

use crate::types::Record;
use sha2::{Digest, Sha256};

/// The name of an article's element. It depends on what the article is and which language it was
/// translated into, not on how: links to it, and what a reader noted of it, outlive another run.
pub(super) fn anchor(record: &Record) -> String {
    let target = record.target.as_ref().map_or("", |target| target.as_str());
    let whole = [record.id.as_str(), target, &record.source.sha256].join("\0");
    let hex: String =
        Sha256::digest(whole).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("a-{hex}")
}

/// Enough of the result's key to tell whether it is still the one that a mark was made on.
pub(super) fn version(record: &Record) -> &str {
    const LENGTH: usize = 16;
    let end = record.key.floor_char_boundary(LENGTH.min(record.key.len()));
    &record.key[..end]
}

/// The day of an article, as `2026-03-09`, where the source says it in a way that is known.
pub(super) fn date(record: &Record) -> Option<String> {
    const FIELDS: [&str; 9] = [
        "published",
        "date",
        "datePublished",
        "published_at",
        "publish_date",
        "pubDate",
        "created",
        "created_at",
        "updated",
    ];
    FIELDS.iter().find_map(|field| day(record.extra.get(*field)?.as_str()?))
}

/// The day of a time as ISO 8601 or RFC 2822 write it.
fn day(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let is_day = |y: u32, m: u32, d: u32| {
        ((1..=9999).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d))
            .then(|| format!("{y:04}-{m:02}-{d:02}"))
    };
    let text = text.trim();
    let iso = text.get(..10).filter(|start| start.is_ascii()).and_then(|start| {
        let mut parts = start.split('-').map(|part| part.parse::<u32>().ok());
        is_day(parts.next()??, parts.next()??, parts.next()??)
    });
    iso.or_else(|| {
        let rest = text.split_once(", ").map_or(text, |(_, rest)| rest);
        let mut words = rest.split_whitespace();
        let day = words.next()?.parse().ok()?;
        let month = words.next()?.to_lowercase();
        let month = MONTHS.iter().position(|name| month.starts_with(name))?;
        is_day(words.next()?.parse().ok()?, u32::try_from(month).ok()? + 1, day)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn days_are_read_as_feeds_and_pages_write_them() {
        for (text, expected) in [
            ("2026-03-09", Some("2026-03-09")),
            (" 2026-03-09T10:00:00+01:00 ", Some("2026-03-09")),
            ("Mon, 09 Mar 2026 10:00:00 GMT", Some("2026-03-09")),
            ("9 March 2026", Some("2026-03-09")),
            ("2026-13-09", None),
            ("yesterday", None),
            ("", None),
            ("٢٠٢٦-٠٣-٠٩", None),
        ] {
            assert_eq!(day(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_of_the_article_and_its_language_alone() {
        let mut record = samples::records().remove(0);
        let name = anchor(&record);
        record.key = "other".into();
        record.translation = None;
        assert_eq!(anchor(&record), name);
        record.target = crate::types::Lang::parse("de");
        assert_ne!(anchor(&record), name);
        record.key = "é".repeat(20);
        assert!(version(&record).len() <= 16);
    }
}
