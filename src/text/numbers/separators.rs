use crate::text::protect;
use crate::types::Lang;
use std::collections::HashSet;

/// Whether a language writes `1.234,5` or `1 234,5` where English writes `1,234.5` (Unicode CLDR,
/// symbols of the default numbers).
fn has_decimal_comma(lang: &Lang) -> bool {
    const COMMA: &[&str] = &[
        "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fr", "gl",
        "hr", "hu", "hy", "id", "is", "it", "ka", "kk", "lt", "lv", "mk", "nl", "no", "pl", "pt",
        "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk", "uz", "vi",
    ];
    COMMA.contains(&lang.base())
}

/// What stands between groups of three digits where the decimal point is a comma.
fn grouping(lang: &Lang) -> &'static str {
    const POINT: &[&str] = &[
        "az", "bs", "ca", "da", "de", "el", "es", "eu", "gl", "hr", "id", "is", "it", "mk", "nl",
        "pt", "ro", "sl", "sr", "tr", "vi",
    ];
    if POINT.contains(&lang.base()) { "." } else { "\u{a0}" }
}

/// Writes the numbers that a translation took over from its source, character by character, as the
/// target language does: `18,4 Millionen` that became `18,4 million` becomes `18.4 million`.
/// Numbers that the source does not have in this form stay as they are.
pub fn localize(output: &str, source: &str, from: &Lang, to: &Lang) -> String {
    if has_decimal_comma(from) == has_decimal_comma(to) {
        return output.to_string();
    }
    let known: HashSet<&str> = tokens(source).map(|(_, token)| token).collect();
    let protected = protect::spans(output);
    let mut out = String::with_capacity(output.len());
    let mut end = 0;
    for (at, token) in tokens(output) {
        if !known.contains(token) || protected.iter().any(|span| span.contains(&at)) {
            continue;
        }
        let changed = if has_decimal_comma(from) {
            rewrite(token, '.', ',', ",", ".")
        } else {
            rewrite(token, ',', '.', grouping(to), ",")
        };
        if let Some(changed) = changed {
            out.push_str(&output[end..at]);
            out.push_str(&changed);
            end = at + token.len();
        }
    }
    out.push_str(&output[end..]);
    out
}

/// Runs of ASCII digits with single points and commas inside, where no letter or further digit
/// touches them.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].find(|c: char| c.is_ascii_digit())?;
            let run = text[start..].find(|c| !is_part(c)).map_or(text.len(), |n| start + n);
            at = run;
            let token = text[start..run].trim_end_matches(['.', ',']);
            let touches =
                |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !c.is_ascii_digit());
            let after = text[run..].chars().next().filter(|_| token.len() == run - start);
            let alone = !touches(text[..start].chars().next_back()) && !touches(after);
            if alone && token.contains(['.', ',']) {
                return Some((start, token));
            }
        }
    })
}

/// The token with other separators; `None` when it is no number with `group` between thousands and
/// `point` before the fraction.
fn rewrite(
    token: &str,
    group: char,
    point: char,
    new_group: &str,
    new_point: &str,
) -> Option<String> {
    let (whole, fraction) =
        token.split_once(point).map_or((token, None), |(whole, fraction)| (whole, Some(fraction)));
    if fraction.is_some_and(|f| f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let groups: Vec<&str> = whole.split(group).collect();
    let (first, rest) = groups.split_first()?;
    let valid = !first.is_empty()
        && (rest.is_empty() || first.len() <= 3)
        && rest.iter().all(|g| g.len() == 3)
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_digit()));
    if !valid {
        return None;
    }
    let whole = groups.join(new_group);
    Some(fraction.map_or(whole.clone(), |fraction| format!("{whole}{new_point}{fraction}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, source: &str, from: &str, to: &str) -> String {
        localize(output, source, &Lang::parse(from).unwrap(), &Lang::parse(to).unwrap())
    }

    #[test]
    fn separators_follow_the_language() {
        assert_eq!(
            check(
                "It cost 18,4 million for 6.400 books, 1.234,5.",
                "18,4 Mio. für 6.400 Bücher, 1.234,5",
                "de",
                "en"
            ),
            "It cost 18.4 million for 6,400 books, 1,234.5."
        );
        assert_eq!(
            check("18.4 millions pour 6,400 livres", "18.4 million for 6,400 books", "en", "fr"),
            "18,4 millions pour 6\u{a0}400 livres"
        );
        assert_eq!(check("Preis: 3.50", "Price: 3.50", "en", "de"), "Preis: 3,50");
    }

    #[test]
    fn what_is_no_number_of_the_source_stays() {
        for (output, source) in [
            ("At 14.30 on 3.10.2025", "Um 14.30 am 3.10.2025"),
            ("It is 18,4", "Es sind 18,5"),
            ("see https://a.org/1,5", "siehe https://a.org/1,5"),
            ("B2,5 and 1,5x", "B2,5 und 1,5x"),
        ] {
            assert_eq!(check(output, source, "de", "en"), output);
        }
        assert_eq!(check("1,5", "1,5", "de", "fr"), "1,5");
    }
}
