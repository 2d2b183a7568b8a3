use super::evidence::{OTHER_EVIDENCE, telling_words, weigh_words};
use super::relatives::are_close;
use super::script::{self, Script};
use super::{code, names, weights};
use crate::text::protect;
use crate::types::{Detection, Lang};
use std::borrow::Cow;
use std::collections::BTreeMap;
use unicode_segmentation::UnicodeSegmentation;

/// Number of bytes of a text that are examined: more do not change the answer, and a 10 MB article
/// should not take longer.
const SAMPLE: usize = 12_000;

/// Confidence below which the answer is `und`.
const SURE: f32 = 0.5;
/// Confidence from which on no near relative is named beside the answer.
const CLEAR: f32 = 0.8;
/// Confidence that a near relative must have to be named.
const POSSIBLE: f32 = 0.1;

/// Most words that are left of a text of nothing but code.
const REST: usize = 4;

/// What all near relatives together must have for the likeliest of them to be the answer for a
/// greeting.
const SURE_OF_RELATIVES: f32 = 0.7;

/// What a piece of evidence by function words and letters is worth beside the scores of the model.
const WORDS: f32 = 0.35;
/// The same of a word that tells a language from its relatives.
const TELLING: f32 = 0.8;
/// What such evidence has to be for a language that the model does not know, and by how much more
/// than for any other.
const UNKNOWN_TO_MODEL: f32 = 1.5;

/// The language of a text: `und` when it has too few letters or the evidence is divided, unless it
/// is a greeting that only near relatives share.
///
/// The script decides first. Where several languages share it, a model of character n-grams is
/// heard (`scripts/data/language_weights.py` makes it), with function words and letters that only
/// some languages have, which speak for languages that the model does not know, too.
/// `benches/language.rs` measures them.
pub fn detect(text: &str) -> Detection {
    let text = sample(text);
    let text = without_protected(&text);
    let prose = code::without(&text);
    let found = of_prose(&prose);
    // A few words between pieces of code are of the code, whose words are English.
    let is_rest = prose.len() < text.len() && prose.unicode_words().nth(REST).is_none();
    if is_rest && found.code == Lang::en() { unsure(0.0) } else { found }
}

/// The language of a text without addresses and code.
fn of_prose(text: &str) -> Detection {
    let counts = script::count(text);
    let letters: usize = counts.iter().map(|&(_, n)| n).sum();
    let Some((main, share)) = main_script(&counts) else { return unsure(0.0) };
    if main == Script::Latin && names::are_all(text) {
        return unsure(0.0);
    }
    match main {
        Script::Han | Script::Kana => east_asian(text, share),
        Script::Bengali => {
            let code = if text.contains(['ৰ', 'ৱ']) { "as" } else { "bn" };
            decide(code, share * certainty(letters as f32, 1.5))
        }
        Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari => {
            among_relatives(&of_script(text, main), main, share * certainty(letters as f32, 4.0))
        }
        Script::Other | Script::Common => unsure(0.0),
        // A script of one language (or of one that far outweighs the others): any word will do.
        single => decide(only_language(single, text), share * certainty(letters as f32, 1.5)),
    }
}

/// The language of a text among those that share its script. `most`: the confidence that the
/// script and the length of the text allow.
fn among_relatives(text: &str, main: Script, most: f32) -> Detection {
    let words = weigh_words(text, main).by_language;
    let telling = telling_words(text).by_language;
    if let Some(code) = unknown_to_model(&words, &telling, main) {
        let sure = most * certainty(UNKNOWN_TO_MODEL, 1.0);
        return code.strip_suffix("-Latn").map_or_else(|| decide(code, sure), romanized);
    }
    let of = |list: &[(&'static str, f32)], lang: &str| {
        list.iter().find(|(code, _)| *code == lang).map_or(0.0, |found| found.1)
    };
    // Two classes of one language (both forms of Norwegian) are one answer.
    let mut shares: Vec<(&str, f32)> = Vec::new();
    for (class, score) in weights::scores(text, main) {
        let lang = answer(class);
        let score = score + WORDS * of(&words, lang) + TELLING * of(&telling, lang);
        match shares.iter_mut().find(|(known, _)| *known == lang) {
            Some((_, sum)) => *sum = sum.max(score) + (-(*sum - score).abs()).exp().ln_1p(),
            None => shares.push((lang, score)),
        }
    }
    let Some(&(lang, best)) = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return unsure(0.0);
    };
    let total: f32 = shares.iter().map(|(_, score)| (score - best).exp()).sum();
    let sure = most / total;
    let found = match lang.strip_suffix("-Latn") {
        Some(own) if sure >= SURE => romanized(own),
        Some(_) => unsure(0.0),
        None if lang == weights::NONE => unsure(0.0),
        None if lang == "kk" => decide(kazakh_or_relative(text), sure),
        None => decide(lang, sure),
    };
    let is_relative = |other: &str| sure < CLEAR && are_close(other, lang);
    let confidences = shares.iter().map(|&(other, score)| (other, sure * (score - best).exp()));
    let candidates = confidences
        .filter(|&(other, confidence)| confidence >= POSSIBLE && is_relative(other))
        .filter_map(|(other, confidence)| Some((Lang::parse(other)?, rounded(confidence))))
        .collect::<BTreeMap<_, _>>();
    if candidates.len() < 2 {
        return found;
    }
    // A greeting that several relatives write alike is in the likeliest of them.
    let of_relatives: f32 = candidates.values().sum();
    if found.code.is_und()
        && found.romanized.is_none()
        && of_relatives >= SURE_OF_RELATIVES
        && is_greeting(text)
        && let Some(code) = Lang::parse(lang)
    {
        return Detection { candidates, ..Detection::new(code, rounded(sure)) };
    }
    Detection { candidates, ..found }
}

/// Whether a text may be a greeting: two or three words, and no name among them.
fn is_greeting(text: &str) -> bool {
    let words = text.unicode_words().collect::<Vec<_>>();
    let small = |word: &&str| !word.contains(|c: char| c.is_uppercase() || c.is_numeric());
    (2..=3).contains(&words.len()) && words.iter().skip(1).all(small)
}

/// A text in Latin letters that is in a language with letters of its own.
fn romanized(own: &str) -> Detection {
    Detection { romanized: Lang::parse(own), ..unsure(0.0) }
}

/// A text without the Latin names in it, unless Latin is what it is written in.
fn of_script(text: &str, main: Script) -> Cow<'_, str> {
    let is_latin = |c: char| script::of(c) == Script::Latin;
    if main == Script::Latin || !text.contains(is_latin) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split(is_latin).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Kazakh, or a language that is like it and that the model does not know: without the letters that
/// every second word of Kazakh has, Kyrgyz doubles vowels, and Tatar has one vowel of Kazakh.
fn kazakh_or_relative(text: &str) -> &'static str {
    let lower = text.to_lowercase();
    if lower.contains(['қ', 'ғ', 'і', 'ұ']) {
        return "kk";
    }
    match lower.contains('ә') {
        true if lower.unicode_words().nth(6).is_some() => "tt",
        // Other vowels are doubled in Kazakh, too, in loans for example.
        false if ["өө", "үү", "ээ"].iter().any(|pair| lower.contains(pair)) => "ky",
        _ => "kk",
    }
}

/// The answer that a class of the model stands for.
fn answer(class: &'static str) -> &'static str {
    match class {
        "nn" => "no",
        "sr-Latn" => "sr",
        class => class,
    }
}

/// A language that words and letters speak for and the model does not know.
fn unknown_to_model(
    words: &[(&'static str, f32)],
    telling: &[(&'static str, f32)],
    main: Script,
) -> Option<&'static str> {
    let of = |lang: &str| {
        [words, telling].into_iter().flatten().filter(|found| found.0 == lang).map(|f| f.1).sum()
    };
    let evidence: Vec<(&'static str, f32)> =
        words.iter().chain(telling).map(|&(lang, _)| (lang, of(lang))).collect();
    let best = evidence.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let known = |lang: &str| weights::knows(lang, main);
    let of_known = evidence.iter().filter(|e| known(e.0)).map(|e| e.1).fold(0.0, f32::max);
    (!known(best.0) && best.1 > of_known + UNKNOWN_TO_MODEL).then_some(best.0)
}

/// Whether the words and letters of a text leave no doubt that it is in a language: [`detect`],
/// which takes longer, then finds none but that. Of most sentences that are in it they do.
pub(crate) fn is_evident(text: &str, lang: &Lang) -> bool {
    let text = sample(text);
    let text = without_protected(&text);
    let main = match main_script(&script::count(&text)) {
        Some((main @ (Script::Latin | Script::Cyrillic | Script::Arabic), _)) => main,
        _ => return false,
    };
    let scores = weigh_words(&text, main).by_language;
    let (own, others): (Vec<_>, Vec<_>) =
        scores.into_iter().partition(|(code, _)| *code == lang.base());
    let best = others.iter().map(|&(_, evidence)| evidence).fold(0.0, f32::max);
    own.iter().any(|&(_, evidence)| evidence > best + OTHER_EVIDENCE)
}

/// Confidence by evidence: from 0 towards 1 as it grows, 0.63 at `unit`.
fn certainty(evidence: f32, unit: f32) -> f32 {
    1.0 - (-evidence / unit).exp()
}

fn unsure(confidence: f32) -> Detection {
    Detection::new(Lang::und(), confidence)
}

/// A confidence in three digits, which are more than the measure is good for, and print well.
fn rounded(confidence: f32) -> f32 {
    (confidence.clamp(0.0, 1.0) * 1000.0).round() / 1000.0
}

fn decide(code: &str, confidence: f32) -> Detection {
    let confidence = rounded(confidence);
    match Lang::parse(code) {
        Some(code) if confidence >= SURE => Detection::new(code, confidence),
        _ => unsure(confidence),
    }
}

/// The text, or the beginning, the middle and the end of a long one.
fn sample(text: &str) -> Cow<'_, str> {
    if text.len() <= SAMPLE {
        return Cow::Borrowed(text);
    }
    let third = SAMPLE / 3;
    let slice =
        |from: usize| &text[text.floor_char_boundary(from)..text.floor_char_boundary(from + third)];
    Cow::Owned([slice(0), slice((text.len() - third) / 2), slice(text.len() - third)].join("\n"))
}

/// The text without addresses and code, which are no evidence for a language.
pub(super) fn without_protected(text: &str) -> Cow<'_, str> {
    let spans = protect::spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for span in spans {
        out.push_str(&text[start..span.start]);
        out.push(' ');
        start = span.end;
    }
    out.push_str(&text[start..]);
    Cow::Owned(out)
}

/// The script that the text is written in, and its share. Latin counts less than others, because
/// texts in other scripts carry Latin names, and a character that is a syllable or a word counts
/// more than a letter.
fn main_script(counts: &[(Script, usize)]) -> Option<(Script, f32)> {
    let weight = |script: Script| match script {
        Script::Latin => 1.0,
        Script::Han => 5.0,
        Script::Kana | Script::Hangul => 4.0,
        _ => 2.0,
    };
    let mut weighted: Vec<(Script, f32)> = Vec::new();
    for &(script, n) in counts {
        // Han and Kana are judged together.
        let key = if script == Script::Kana { Script::Han } else { script };
        let w = weight(script) * n as f32;
        match weighted.iter_mut().find(|(s, _)| *s == key) {
            Some((_, sum)) => *sum += w,
            None => weighted.push((key, w)),
        }
    }
    let total: f32 = weighted.iter().map(|w| w.1).sum();
    weighted.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(script, w)| (script, w / total))
}

/// The language of a script that is its own, or nearly.
fn only_language(script: Script, text: &str) -> &'static str {
    match script {
        // Yiddish writes vowels, and has letters for pairs of them.
        Script::Hebrew
            if ["ײ", "ױ", "װ", "אַ", "אָ"].iter().map(|l| text.matches(l).count()).sum::<usize>()
                * 80
                > text.len() =>
        {
            "yi"
        }
        Script::Hebrew => "he",
        Script::Greek => "el",
        Script::Armenian => "hy",
        Script::Georgian => "ka",
        Script::Hangul => "ko",
        Script::Gurmukhi => "pa",
        Script::Gujarati => "gu",
        Script::Odia => "or",
        Script::Tamil => "ta",
        Script::Telugu => "te",
        Script::Kannada => "kn",
        Script::Malayalam => "ml",
        Script::Sinhala => "si",
        Script::Thai => "th",
        Script::Lao => "lo",
        Script::Khmer => "km",
        Script::Myanmar => "my",
        Script::Tibetan => "bo",
        Script::Ethiopic => "am",
        Script::Mongolian => "mn",
        _ => "und",
    }
}

/// Characters in a form that only Japan uses.
const JAPANESE: &str = "発経済対価図変実応戦関売気県円銭駅沢辺広団両読権検験浜竜働込峠畑渋観鉄転労単収従総続様覚伝仏仮処悪歳氷産";
/// Frequent characters of traditional Chinese that are written differently in simplified Chinese.
const TRADITIONAL: &str = "這個們來時會為國說對過後還沒點樣與關開種現學業經應該當無長門問間聞見書車東馬風飛鳥魚麼讓誰誤認記設計試話語請論證議護變買賣錢銀鐵難電頭題類願顯麗\
    龍臺灣總統選舉歲爾聯導將領軍戰爭黨據報謝\
    裡嗎給幫愛兒聽歡網號場處覺氣師親團準邊錄際險離雖雜顧飯館體鐘鎮鬧區樂滿熱節結絕緊縣職腦舉舊莊藝藥衛\
    補複規視訊訓許訪評詳誠調談譯財貨質購贊趕跡軟輕較輛農郵鄉醫銷錯鏡陽隊陸雙雲靜響順須預";
/// The most frequent of these characters in simplified Chinese.
const SIMPLIFIED: &str = "这个们来时会为国说对过后还没点样与关开种现学业经应该当无长门问间闻见书车东马风飞鸟鱼么让谁误认记设计试话语请论证议护变买卖钱银铁难电头题类愿显丽龙\
    台湾总统选举岁尔联导将领军战争党据报谢";

/// Tells Chinese from Japanese, and traditional Chinese where it is beyond doubt.
fn east_asian(text: &str, share: f32) -> Detection {
    let (mut han, mut kana, mut japanese, mut traditional, mut simplified) =
        (0usize, 0usize, 0usize, 0usize, 0usize);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        match script::of(c) {
            Script::Kana => kana += 1,
            Script::Han => {
                han += 1;
                let (t, s) = (TRADITIONAL.contains(c), SIMPLIFIED.contains(c));
                traditional += usize::from(t && !s);
                simplified += usize::from(s && !t);
                japanese += usize::from(JAPANESE.contains(c) && !t && !s);
            }
            _ => {}
        }
    }
    let confidence = share * certainty((han + kana) as f32, 1.5);
    if kana * 12 > han || japanese > 0 && kana + japanese > simplified {
        return decide("ja", confidence);
    }
    // Of a few characters, as in a greeting, two of three are enough.
    let enough = if 3 * traditional >= 2 * han { 2 } else { 3 };
    let is_traditional = traditional >= enough && traditional > 10 * simplified;
    decide(if is_traditional { "zh-TW" } else { "zh" }, confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_evident_is_detected_too() {
        for (text, lang) in [
            (
                "The council said that they would not meet with him before the end of the week.",
                "en",
            ),
            ("Der Rat hat gesagt, dass er sich nicht vor dem Ende der Woche mit ihm trifft.", "de"),
            ("Он сказал, что это был не его дом и он ещё не решил, что с ним делать.", "ru"),
        ] {
            let own = Lang::parse(lang).unwrap();
            assert!(is_evident(text, &own) && detect(text).code.same_base(&own), "{text}");
            assert!(!is_evident(text, &Lang::parse("pt").unwrap()), "{text}");
        }
        for text in ["", "Restaurant", "12.05.2026", "会議"] {
            assert!(!is_evident(text, &Lang::en()), "{text}");
        }
    }

    #[test]
    fn short_sentences_of_many_languages() {
        for (code, text) in [
            ("en", "The minister said on Monday that the talks would go on."),
            ("de", "Der Minister sagte am Montag, dass die Gespräche weitergehen."),
            ("fr", "Le ministre a déclaré lundi que les discussions se poursuivraient."),
            ("es", "El ministro dijo el lunes que las conversaciones continuarían."),
            ("pt", "O ministro disse na segunda-feira que as negociações não vão parar."),
            ("it", "Il ministro ha detto lunedì che i colloqui continueranno."),
            ("nl", "De minister zei maandag dat de gesprekken doorgaan."),
            ("sv", "Ministern sade på måndagen att samtalen ska fortsätta."),
            ("da", "Ministeren sagde mandag, at forhandlingerne fortsætter efter mødet."),
            ("no", "Statsråden sa mandag at samtalene fortsetter etter møtet."),
            ("pl", "Minister powiedział w poniedziałek, że rozmowy będą trwały."),
            ("cs", "Ministr v pondělí řekl, že jednání budou pokračovat."),
            ("tr", "Bakan pazartesi günü görüşmelerin devam edeceğini söyledi."),
            ("az", "Nazir bazar ertəsi danışıqların davam edəcəyini bildirib."),
            ("kk", "Министр дүйсенбіде келіссөздер жалғасатынын айтты."),
            ("ru", "Министр заявил в понедельник, что переговоры продолжатся."),
            ("uk", "Міністр заявив у понеділок, що переговори триватимуть."),
            ("bg", "Министърът заяви в понеделник, че преговорите продължават."),
            ("fa", "وزیر روز دوشنبه گفت که مذاکرات ادامه خواهد داشت."),
            ("ar", "قال الوزير يوم الاثنين إن المحادثات ستستمر."),
            ("he", "השר אמר ביום שני שהשיחות יימשכו."),
            ("yi", "דער מיניסטער האָט געזאָגט מאָנטיק אַז די געשפּרעכן וועלן ווײַטער אָנגיין."),
            ("hy", "Նախարարն ասաց, որ բանակցությունները կշարունակվեն։"),
            ("ka", "მინისტრმა თქვა, რომ მოლაპარაკებები გაგრძელდება."),
            ("hi", "मंत्री ने सोमवार को कहा कि बातचीत जारी रहेगी।"),
            ("vi", "Bộ trưởng cho biết hôm thứ Hai rằng các cuộc đàm phán sẽ tiếp tục."),
            ("ja", "大臣は月曜日、交渉が続くと述べた。"),
            ("ja", "日経平均、終値は続落 円売り広がる 経済対策発表"),
            ("ko", "장관은 월요일에 협상이 계속될 것이라고 말했다."),
            ("zh", "部长周一表示谈判将继续进行。"),
            ("zh-TW", "部長週一表示，談判將會繼續進行，還沒有結論。"),
            (
                "ru",
                "Глава Microsoft Satya Nadella рассказал о планах Windows и OpenAI в интервью CNN",
            ),
        ] {
            let found = detect(text);
            assert_eq!(found.code.as_str(), code, "{text} ({})", found.confidence);
        }
    }

    #[test]
    fn says_when_it_does_not_know() {
        for text in [
            "",
            " \n",
            "12.05.2024",
            "😀 …",
            "https://www.spiegel.de/politik/",
            "`let x = y;`",
            "Ye",
            "ᚠᚢᚦᚨᚱᚲ",
        ] {
            assert!(detect(text).code.is_und(), "{text}: {:?}", detect(text));
        }
    }

    #[test]
    fn a_long_text_is_judged_by_samples() {
        let text = "Der Minister sagte am Montag, dass die Gespräche weitergehen. ".repeat(20_000);
        assert_eq!(detect(&text).code.as_str(), "de");
        assert!(sample(&text).len() <= SAMPLE + 2);
    }
}
