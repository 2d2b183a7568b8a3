//! Quotations and brackets with end marks within a sentence.

use super::parts::end_of;
use crate::text::language::script::{self, Script};
use crate::types::Lang;

const CLOSING_QUOTES: [char; 12] = ['"', '\'', '”', '“', '’', '‘', '»', '«', '」', '』', '›', '‹'];

/// So much of the text after a place is looked at for the bracket that closes a title or a source.
const NEAR: usize = 120;

/// A quotation of more sentences is a part of the sentence if it is not much longer than this.
const SHORT: usize = 14;

/// Whether the sentence goes on between `body`, which has no quotation marks at its end in `bare`,
/// and `right`, which has none at its beginning in `rest`.
pub(super) fn goes_on(body: &str, bare: &str, right: &str, rest: &str, lang: &Lang) -> bool {
    if is_in_title(body, right) || body.ends_with('。') && is_of_name(right) {
        return true;
    }
    let quoted = body.ends_with(CLOSING_QUOTES);
    if quoted && (is_source(right) || attributes(bare, rest, lang)) {
        return true;
    }
    // "[...]" stands for words of the sentence: it is no end of one.
    body.len() > bare.len() && ["[...", "[…", "(...", "(…"].iter().any(|mark| bare.ends_with(mark))
}

/// Whether the place between the two is in or at the end of a title, 《…！…》, or in a quotation that
/// is a part of the sentence: 「…！…」と.
fn is_in_title(body: &str, right: &str) -> bool {
    const BRACKETS: [(char, char); 4] = [('《', '》'), ('〈', '〉'), ('『', '』'), ('「', '」')];
    // Of what is further away only the end is of interest; four bytes are enough for a character.
    let body = end_of(body, 4 * NEAR);
    if body.is_ascii() {
        return false;
    }
    BRACKETS.iter().any(|&(opening, closing)| {
        if matches!(closing, '》' | '〉') && body.ends_with(closing) {
            return true;
        }
        if !body.contains(opening) {
            return false;
        }
        let near = if closing == '」' { SHORT } else { NEAR };
        let back = body.chars().rev().take(near).find(|&c| c == opening || c == closing);
        let near = right.char_indices().take(near).take_while(|&(_, c)| c != '\n' && c != opening);
        let mut closed = near.filter(|&(_, c)| c == closing);
        back == Some(opening)
            && closed.next().is_some_and(|(at, _)| {
                closing != '」' || is_quoted(&right[at + closing.len_utf8()..])
            })
    })
}

/// Whether a text begins with a Japanese particle of possession and a noun, as no sentence does:
/// the full stop before it belongs to a name, as in モーニング娘。のライブ.
fn is_of_name(rest: &str) -> bool {
    let noun = rest.strip_prefix('の').and_then(|rest| rest.chars().next());
    noun.is_some_and(|c| script::of(c) == Script::Han || ('ァ'..='ヶ').contains(&c))
}

/// Whether a text begins with a Japanese particle of quotation.
pub(super) fn is_quoted(rest: &str) -> bool {
    rest.starts_with('と') || rest.starts_with("って")
}

/// Whether a text begins with a source in brackets, after which the sentence ends: `(Smith 55).`
fn is_source(right: &str) -> bool {
    let Some(inner) = right.strip_prefix('(') else { return false };
    let near = inner.char_indices().take(NEAR).find(|&(_, c)| matches!(c, ')' | '\n'));
    near.is_some_and(|(at, c)| {
        c == ')'
            && inner[at + 1..].starts_with(['.', ',', ';'])
            && !inner[..at].ends_with(['.', '!', '?'])
    })
}

/// Whether the text after a quotation, which `said` ends with, says whose it was, as a part of the
/// same sentence: "Tolland asked.", と述べた, 她问。
fn attributes(said: &str, rest: &str, lang: &Lang) -> bool {
    match rest.chars().next().map(script::of) {
        // Particles of quotation: the quotation is a part of the sentence.
        Some(Script::Kana) => {
            ["と", "って", "は", "が", "を", "に", "の", "で", "も", "など", "という"]
                .iter()
                .any(|particle| rest.starts_with(particle))
        }
        Some(Script::Hangul) => attributes_in_korean(rest),
        Some(Script::Han) if lang.base() == "ja" => attributes_in_japanese(rest),
        Some(Script::Han) => attributes_in_chinese(said, rest),
        Some(Script::Latin) if lang.base() == "zh" => attributes_in_chinese(said, rest),
        Some(Script::Latin) if lang.base() == "en" => attributes_in_english(rest),
        _ => false,
    }
}

/// A particle of quotation, or a name, a verb of speech and the end of the sentence: 하멜이 덧붙였다.
fn attributes_in_korean(rest: &str) -> bool {
    const LONGEST: usize = 24;
    let particle = ["라고", "이라고", "라며", "라는"].iter().any(|p| rest.starts_with(p));
    let end = rest.char_indices().take(LONGEST).find(|&(_, c)| matches!(c, '.' | '"' | '\''));
    let Some(clause) = end.and_then(|(at, _)| rest[..at].strip_suffix('다')) else {
        return particle;
    };
    let verb = clause.strip_suffix("습니").unwrap_or(clause);
    particle || ["말했", "덧붙였", "물었", "답했", "전했", "외쳤"].iter().any(|v| verb.ends_with(v))
}

/// A few characters of a name, a verb of speech, and the end of the sentence: 会计说。 After a colon
/// comes what was said, and after a comma too, unless an exclamation or a question goes on there:
/// “太贵了！”他说，“我们付不起。”
pub(super) fn attributes_in_chinese(said: &str, rest: &str) -> bool {
    const SPEECH: [&str; 22] = [
        "说", "說", "问", "問", "道", "答", "喊", "叫", "称", "稱", "表示", "指出", "认为", "認為",
        "强调", "強調", "补充", "補充", "解释", "解釋", "回应", "回應",
    ];
    const LONGEST: usize = 24;
    // "Hammel 說道。": a name in Latin letters has spaces.
    let ends = |c: char| !c.is_alphanumeric() && !matches!(c, '·' | ' ');
    let Some((end, mark)) = rest.char_indices().take(LONGEST + 1).find(|&(_, c)| ends(c)) else {
        return false;
    };
    // 她没有回答。: nothing was said.
    let denies = rest[..end].contains(['没', '沒']);
    let resumes = mark == '，'
        && said.ends_with(['！', '？'])
        && rest[end + mark.len_utf8()..].starts_with(['“', '「', '『']);
    !denies
        && (resumes || matches!(mark, '。' | '！' | '.'))
        && (SPEECH.iter().any(|verb| rest[..end].ends_with(verb))
            || ["告诉", "告訴"].iter().any(|verb| rest[..end].contains(verb)))
}

/// A few characters of a name, a verb of speech, and the end of the sentence: 市長は言った。
fn attributes_in_japanese(rest: &str) -> bool {
    const SPEECH: [&str; 10] = [
        "言った",
        "述べた",
        "語った",
        "話した",
        "尋ねた",
        "答えた",
        "叫んだ",
        "つぶやいた",
        "付け加えた",
        "説明した",
    ];
    const LONGEST: usize = 24;
    let mark = rest.char_indices().take(LONGEST + 1).find(|&(_, c)| !c.is_alphanumeric());
    mark.is_some_and(|(end, c)| c == '。' && SPEECH.iter().any(|verb| rest[..end].ends_with(verb)))
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
