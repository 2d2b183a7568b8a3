//! Whether what every language writes alike came through: hashtags, versions, emoji. Addresses and
//! handles are those of [`crate::text::protect`].

use regex::Regex;
use std::sync::LazyLock;

/// Whether the output lacks a hashtag, a version or an emoji of the source.
pub(super) fn is_lost(source: &str, output: &str) -> bool {
    hashtags(source).any(|tag| !contains_ignoring_case(output, tag))
        || versions(source).any(|version| !output.contains(version))
        || source.chars().filter(|&c| is_emoji(c)).any(|c| !output.contains(c))
}

/// A hashtag may open a sentence in one language and not in another.
fn contains_ignoring_case(text: &str, tag: &str) -> bool {
    text.contains(tag) || text.to_lowercase().contains(&tag.to_lowercase())
}

/// Hashtags in Latin letters; others are put into the letters of the translation. A lone number is
/// a rank.
fn hashtags(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('#').filter_map(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let end = rest[1..]
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(rest.len(), |end| end + 1);
        let is_tag = rest[1..end].chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && rest[1..end].contains(|c: char| c.is_ascii_alphabetic())
            && !before.ends_with(char::is_alphanumeric);
        is_tag.then_some(&rest[..end])
    })
}

/// Numbers of versions: v2.3.1, 10.15.7, but neither dates (3.5.2018) nor grouped digits
/// (1.234.567).
fn versions(text: &str) -> impl Iterator<Item = &str> {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u:\b)[vV]?[0-9]+(?:\.[0-9]+)+(?-u:\b)")
            .expect("the pattern is constant and tested")
    });
    let is_version = |found: &&str| {
        let bare = found.trim_start_matches(['v', 'V']);
        let parts: Vec<&str> = bare.split('.').collect();
        let is_marked = bare.len() < found.len();
        let is_date = parts.len() == 3
            && (parts.iter().any(|part| part.len() == 4)
                || (parts[..2].iter().all(|part| part.parse().is_ok_and(|n: u32| n <= 31))
                    && parts[2].len() == 2));
        let is_grouped = parts[1..].iter().all(|part| part.len() == 3);
        is_marked || (parts.len() >= 3 && !is_date && !is_grouped)
    };
    let may_have_one = text.contains('.') && text.contains(|c: char| c.is_ascii_digit());
    let text = if may_have_one { text } else { "" };
    VERSION.find_iter(text).map(|found| found.as_str()).filter(is_version)
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{2764}')
}

#[cfg(test)]
mod tests {
    use super::is_lost;

    #[test]
    fn what_is_written_alike_has_to_stay() {
        for (source, output, lost) in [
            ("Voir #JeSuisLà et #2024", "See #JeSuisLà", false),
            ("Voir #Macron2022", "See #Macron2023", true),
            ("#macron parle", "#Macron speaks", false),
            ("Rank #1", "Rang 1", false),
            ("Version v2.3.1 est là.", "Version v2.3.2 is here.", true),
            ("macOS 10.15.7", "macOS 10.15.7", false),
            ("macOS 10.15.7", "macOS 10.17.5", true),
            ("am 03.05.2018", "on 3 May 2018", false),
            ("am 3.5.18", "on 3 May 2018", false),
            ("1.234.567 Menschen", "1,234,567 people", false),
            ("um 14.30 Uhr", "at 2:30 p.m.", false),
            ("Merci 😀", "Thanks 😀", false),
            ("Merci 😀", "Thanks", true),
            ("Vive la 🇫🇷", "Long live 🇩🇪", true),
        ] {
            assert_eq!(is_lost(source, output), lost, "{source} → {output}");
        }
    }
}
