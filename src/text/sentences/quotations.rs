//! Quotations and brackets with end marks within a sentence.

use crate::text::language::script::{self, Script};
use crate::types::Lang;

const CLOSING_QUOTES: [char; 12] =
    ['"', '\'', '”', '“', '’', '‘', '»', '«', '」', '』', '›', '‹'];

/// So much of the text after a place is looked at for the bracket that closes a title or a source.
const NEAR: usize = 120;

/// Whether the sentence goes on between `body`, whose end marks and quotation marks are left away in
/// `bare`, and `right`.
pub(super) fn goes_on(body: &str, bare: &str, right: &str, rest: &str, lang: &Lang) -> bool {
    if is_in_title(body, right) {
        return true;
    }
    let quoted = body.ends_with(CLOSING_QUOTES);
    if quoted && (is_source(right) || attributes(rest, lang)) {
        return true;
    }
    // "[...]" stands for words of the sentence: it is no end of one.
    body.len() > bare.len() && ["[...", "[…", "(...", "(…"].iter().any(|mark| bare.ends_with(mark))
}

/// Whether a title in angle brackets, 《…！…》, is open between the two.
fn is_in_title(body: &str, right: &str) -> bool {
    [('《', '》'), ('〈', '〉')].iter().any(|&(opening, closing)| {
        let back = body.chars().rev().take(NEAR).find(|&c| c == opening || c == closing);
        back == Some(opening)
            && right.chars().take(NEAR).take_while(|&c| c != '\n' && c != opening).any(|c| c == closing)
    })
}

/// Whether a text begins with a source in brackets, after which the sentence ends: `(Smith 55).`
fn is_source(right: &str) -> bool {
    let Some(inner) = right.strip_prefix('(') else { return false };
    let near = inner.char_indices().take(NEAR).find(|&(_, c)| matches!(c, ')' | '\n'));
    near.is_some_and(|(at, c)| {
        c == ')' && inner[at + 1..].starts_with(['.', ',', ';'])
            && !inner[..at].ends_with(['.', '!', '?'])
    })
}

/// Whether the text after a quotation says whose it was, as a part of the same sentence: "Tolland
/// asked.", と述べた, 她问。
fn attributes(rest: &str, lang: &Lang) -> bool {
    match rest.chars().next().map(script::of) {
        // Particles of quotation: the quotation is a part of the sentence.
        Some(Script::Kana) => {
            ["と", "って", "は", "が", "を", "に", "の", "で", "も", "など", "という"]
                .iter()
                .any(|particle| rest.starts_with(particle))
        }
        Some(Script::Han) if lang.base() != "ja" => attributes_in_chinese(rest),
        Some(Script::Latin) if lang.base() == "en" => attributes_in_english(rest),
        _ => false,
    }
}

/// A few characters of a name, a verb of speech, and the end of the sentence: 会计说。 After a comma
/// or a colon comes what was said.
fn attributes_in_chinese(rest: &str) -> bool {
    const SPEECH: [&str; 22] = [
        "说", "說", "问", "問", "道", "答", "喊", "叫", "称", "稱", "表示", "指出", "认为", "認為", "强调",
        "強調", "补充", "補充", "解释", "解釋", "回应", "回應",
    ];
    const LONGEST: usize = 12;
    let Some((end, mark)) =
        rest.char_indices().take(LONGEST + 1).find(|&(_, c)| !c.is_alphanumeric() && c != '·')
    else {
        return false;
    };
    matches!(mark, '。' | '！' | '.') && SPEECH.iter().any(|verb| rest[..end].ends_with(verb))
}

/// A name of up to four words, a verb of speech, and a mark at once or one word later: "Tolland
/// asked.", "Mr. Smith told reporters."
fn attributes_in_english(rest: &str) -> bool {
    const SPEECH: &str = "said says asked asks replied added told answered wrote shouted cried \
        whispered insisted continued explained joked recalled warned admitted tweeted wondered \
        remarked muttered demanded exclaimed argued claimed concluded declared noted observed";
    let mut words = rest.split(' ').take(7);
    let ends = |word: &str| word.ends_with(['.', ',', ';']);
    let mut names = 0;
    for word in words.by_ref() {
        let bare = word.trim_end_matches(['.', ',', ';']);
        if names > 0 && SPEECH.split_whitespace().any(|verb| verb == bare) {
            return ends(word) || words.next().is_some_and(ends);
        }
        names += 1;
        let is_name = word.starts_with(char::is_uppercase) && (!ends(word) || word.len() < 6);
        // "She said" begins a sentence of its own more often than not.
        if names > 4 || !is_name || matches!(word, "He" | "She" | "They" | "We" | "It") {
            return false;
        }
    }
    false
}
