//! Sources that no parser of pages takes in bounded time.

/// Depth of tags above which a source is read as plain text: parsing takes time by the square of
/// the depth, and no real page comes near this one.
const DEEPEST: usize = 2000;

/// Words in one tag with which a source is no page: telling so many attributes apart takes time by
/// the square of their number.
const LONGEST_TAG: usize = 20_000;

/// Whether a source cannot be parsed in bounded time: its tags are nested too deeply, or one of
/// them goes on and on.
pub(super) fn is_hostile(source: &str) -> bool {
    let mut ends = 0;
    let endless = source.match_indices('<').any(|(at, _)| {
        if at < ends {
            return false;
        }
        let rest = &source.as_bytes()[at + 1..];
        if !rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return false;
        }
        let length = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
        ends = at + length;
        rest[..length].iter().filter(|b| b.is_ascii_whitespace()).count() > LONGEST_TAG
    });
    endless || depth(source) > DEEPEST
}

/// Depth to which the tags of a source are nested, leaving out those that are often not closed.
fn depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for (at, _) in source.match_indices('<') {
        let rest = &source[at + 1..];
        let closing = rest.starts_with('/');
        let name: String = rest
            .chars()
            .skip(usize::from(closing))
            .take(10)
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "" | "area" | "base" | "br" | "col" | "dd" | "dt" | "embed" | "hr" | "img"
            | "input" | "li" | "link" | "meta" | "option" | "p" | "param" | "source" | "td"
            | "th" | "tr" | "track" | "wbr" => {}
            _ if closing => depth = depth.saturating_sub(1),
            _ => {
                depth += 1;
                deepest = deepest.max(depth);
            }
        }
    }
    deepest
}
