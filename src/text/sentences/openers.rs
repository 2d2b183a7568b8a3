//! Words that begin sentences.

use crate::text::language::function_words;
use crate::types::Lang;
use std::collections::HashSet;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// Words that begin sentences and are no function words of the language detector, whose lists are
/// short: question words, pronouns, conjunctions.
const OPENERS: &[(&str, &str)] = &[
    (
        "en",
        "how why what where whom whose did does do can could should would may might were am then \
         they them these those each every both some any no none nobody nothing everyone everybody \
         somebody someone anyone another other most many several few much my your our me us him \
         her hers theirs here now yet still until since while because although though once unless \
         despite during before under over with within without between among against across \
         along through at on in by from as however meanwhile instead finally later earlier soon \
         today yesterday tomorrow tonight perhaps maybe yes please let just only even such thus \
         therefore moreover otherwise again never always often sometimes two three four five six \
         seven eight nine ten",
    ),
    ("da", "hvad hvem hvornår hvorfor hvordan hvor hvilken han hun de det vi"),
    ("no", "hva hvem når hvorfor hvordan hvor hvilken han hun de det vi"),
    ("sv", "vad vem när varför hur var vilken han hon de det vi"),
    (
        "de",
        "was wer wo wann warum wie wohin woher welche welcher danach dann dort hier jetzt nun \
         später zuvor außerdem dennoch trotzdem deshalb daher niemand alle viele einige beide \
        jeder heute gestern morgen zudem inzwischen",
    ),
    (
        "nl",
        "wat wie waar wanneer waarom hoe welke hij zij ze het daarna dan toen daar hier nu \
         niemand alle veel vandaag gisteren ook",
    ),
    (
        "fr",
        "qui que quoi où quand pourquoi comment combien quel quelle ils elles il elle puis \
         ensuite après alors ici maintenant personne tous toutes plusieurs hier demain cependant \
        aussi",
    ),
    (
        "es",
        "qué quién quiénes dónde cuándo cómo cuánto cuál él ella ellos después luego entonces \
         aquí ahora nadie todos muchos hoy ayer además",
    ),
    (
        "it",
        "chi che dove quando come perché quanto quale lui lei loro poi dopo allora qui ora \
         nessuno tutti molti oggi ieri inoltre",
    ),
    (
        "ru",
        "затем потом тогда здесь теперь сейчас никто все многие сегодня вчера он она они мы это \
         его её их",
    ),
    (
        "el",
        "ο η το οι τα τι ποιος πού πώς πότε γιατί αυτός αυτή αυτό αυτοί κανείς όλοι όταν τότε εδώ \
         εκεί τώρα σήμερα χθες αύριο",
    ),
    (
        "uk",
        "потім тоді тут тепер зараз ніхто всі багато сьогодні вчора він вона вони ми це його її їх",
    ),
    (
        "pt",
        "quem onde quando como quanto qual ele ela eles elas depois então aqui agora ninguém \
         todos muitos hoje ontem além",
    ),
];

/// Whether the text begins with a word that begins sentences: a function word with a capital.
pub(super) fn opens_sentence(rest: &str, lang: &Lang) -> bool {
    let Some((at, word)) = rest.unicode_word_indices().next() else { return false };
    let mut after = rest[at + word.len()..].chars();
    // "A. Smith" is no article.
    if word.chars().nth(1).is_none() && after.next() == Some('.') {
        return false;
    }
    let lower = word.to_lowercase();
    is_opener(&lower, lang) || word == "I" && lang.base() == "en"
}

/// Whether the text begins with a pronoun, an adverb or a question word with a capital, as neither
/// a name nor a title does.
pub(super) fn opens_clause(rest: &str, lang: &Lang) -> bool {
    let Some((_, word)) = rest.unicode_word_indices().next() else { return false };
    word.chars().nth(1).is_some() && listed(&word.to_lowercase(), lang)
}

/// Whether a lower-case word is one that begins sentences.
pub(super) fn is_opener(lower: &str, lang: &Lang) -> bool {
    function_words::languages(lower).contains(&lang.base()) || listed(lower, lang)
}

/// Whether a lower-case word is in the list of its language.
fn listed(lower: &str, lang: &Lang) -> bool {
    static WORDS: LazyLock<HashSet<(&str, &str)>> = LazyLock::new(|| {
        let rows = OPENERS.iter();
        rows.flat_map(|&(of, words)| words.split_whitespace().map(move |w| (of, w))).collect()
    });
    let base = if matches!(lang.base(), "nb" | "nn") { "no" } else { lang.base() };
    let words: &HashSet<(&str, &str)> = &WORDS;
    words.contains(&(base, lower))
}
