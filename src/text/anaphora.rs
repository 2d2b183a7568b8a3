//! Sentences that begin with a reference to one before them ("He said …", "After that …"): torn
//! from it, they leave the reader asking who.

use crate::languages;
use crate::types::Lang;

/// Words of a language that refer back, in lower case.
struct Words {
    language: &'static str,
    /// First words of a sentence: pronouns, and conjunctions to the sentence before. In scripts
    /// without spaces, beginnings of a sentence.
    first: &'static str,
    /// Second words, after a preposition.
    second: &'static str,
}

const fn words(language: &'static str, first: &'static str, second: &'static str) -> Words {
    Words { language, first, second }
}

/// The words of all languages that are known here.
const WORDS: &[Words] = &[
    words(
        "en",
        "he she it they him his her hers its their theirs this that these those such but however \
         also yet then thus therefore so hence meanwhile nevertheless nonetheless instead moreover \
         furthermore otherwise both neither another",
        "him her them this that these those it such",
    ),
    words(
        "fr",
        "il elle ils elles celui-ci celle-ci ceux-ci celles-ci cela ceci ça ce c'est c'était cet \
         cette ces son sa ses leur leurs mais pourtant cependant toutefois aussi ainsi donc alors \
         puis ensuite néanmoins",
        "lui elle eux elles cela ce cet cette ces celui-ci",
    ),
    words(
        "de",
        "er sie es ihr ihre ihren ihrem ihrer sein seine seinen seinem seiner dieser diese dieses \
         diesen diesem jener jene jenes dies aber doch jedoch auch dann danach deshalb daher darum \
         dennoch trotzdem dabei damit dafür dagegen zudem außerdem allerdings beide",
        "ihm ihn ihnen ihr dem dieser diese dieses diesem diesen jenem",
    ),
    words(
        "es",
        "él ella ellos ellas ello este esta estos estas ese esa esos esas eso esto aquel aquella \
         su sus pero también además así entonces luego tampoco ambos ambas",
        "él ella ellos ellas ello esto eso este esta estos estas ese esa",
    ),
    words(
        "it",
        "egli ella esso essa essi esse lui lei loro questo questa questi queste quello quella suo \
         sua suoi sue ma però tuttavia anche inoltre così quindi poi allora perciò entrambi",
        "lui lei loro questo questa questi queste ciò quello quella",
    ),
    words(
        "pt",
        "ele ela eles elas isso isto este esta estes estas esse essa esses essas aquele aquela seu \
         sua seus suas mas porém contudo também assim então depois ambos",
        "ele ela eles elas isso isto este esta esse essa",
    ),
    words(
        "nl",
        "hij zij ze hem haar hun zijn dit dat deze die maar echter ook dan toen daarna daarom toch \
         bovendien beide",
        "hem haar hen hun deze dit die dat",
    ),
    words(
        "sv",
        "han hon hans hennes dess deras denna detta dessa men dock också sedan därför ändå \
         dessutom båda",
        "honom henne dem denna detta dessa det",
    ),
    words(
        "da",
        "han hun hans hendes dens dets deres denne dette disse men dog også så derfor alligevel \
         desuden begge",
        "ham hende dem denne dette disse det",
    ),
    words(
        "no",
        "han hun hans hennes dens dets deres denne dette disse men også så derfor likevel dessuten \
         begge",
        "ham henne dem denne dette disse det",
    ),
    words(
        "ru",
        "он она оно они его её ее их этот эта это эти тот та те такой такая такие но однако также \
         тоже поэтому затем потом зато оба",
        "него неё нее них нем ней этого этой этом этим этому того тем том",
    ),
    words(
        "uk",
        "він вона воно вони його її їх їхній цей ця це ці той та ті такий така такі але однак \
         проте також тому потім обидва",
        "нього неї них ньому ній цього цієї цьому цим того тим тому",
    ),
    words(
        "pl",
        "on ona ono oni one jego jej ich ten ta to ci te taki taka takie ale jednak także również \
         też dlatego potem następnie ponadto obaj obie",
        "niego niej nich nim tego tej tym temu",
    ),
    words(
        "tr",
        "o bu şu onlar bunlar bunun onun bunu onu buna ona bunda bundan ancak ama fakat ayrıca \
         böylece sonra yine",
        "",
    ),
    words("ar", "هو هي هم هذا هذه ذلك تلك هؤلاء وهو وهي وهم وهذا وهذه وذلك لكن ولكن", "ذلك هذا هذه"),
    words(
        "hi",
        "वह वे यह ये उस इस उन इन उसके इसके उनके इनके उसने उन्होंने इससे उससे लेकिन मगर हालांकि \
         हालाँकि इसलिए तब फिर",
        "",
    ),
    words(
        "zh",
        "他 她 它 这 這 那 其 该 該 此 但 不过 不過 然而 因此 所以 而且 同时 同時 另外 此外 随后 隨後 之后 之後",
        "",
    ),
    words(
        "ja",
        "彼 この その これ それ あの こうした そうした しかし だが でも また そして そのため さらに 一方 同",
        "",
    ),
];

/// Words for times in all of these languages: "this year" refers to the day on which it is read.
const TIMES: &str = "year week month day morning afternoon evening night weekend season spring \
    summer autumn fall winter année semaine mois jour matin soir nuit été hiver jahr woche monat \
    tag morgen abend sommer winter año semana mes día mañana noche verano invierno anno settimana \
    mese giorno mattina sera estate inverno ano semana mês dia manhã noite verão inverno jaar week \
    maand dag ochtend avond zomer år vecka månad uge måned uke год года году неделя неделе неделю \
    месяц месяце день утром вечером летом рік року тиждень тижня тижні місяць місяця день rok roku \
    tydzień tygodniu miesiąc miesiącu yıl hafta ay gün sabah akşam yaz kış العام الأسبوع الشهر \
    اليوم साल वर्ष हफ्ते सप्ताह महीने दिन";

/// Whether a sentence begins with a reference to the text before it; `false` in languages whose
/// pronouns are not known.
///
/// ```
/// use polygist::text::anaphora::refers_back;
/// use polygist::types::Lang;
/// assert!(refers_back("“He did not say why,” she added.", &Lang::en()));
/// assert!(refers_back("After that, it rained.", &Lang::en()));
/// assert!(!refers_back("After the storm, rivers rose.", &Lang::en()));
/// ```
pub fn refers_back(sentence: &str, language: &Lang) -> bool {
    let Some(Words { first, second, .. }) =
        WORDS.iter().find(|words| words.language == language.base())
    else {
        return false;
    };
    let text = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    if languages::is_spaceless(language) {
        return first.split(' ').any(|opening| text.starts_with(opening));
    }
    let plain = |word: &str| {
        word.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'")
    };
    let spoken: Vec<String> = text.split_whitespace().take(3).map(plain).collect();
    let has = |list: &str, place: usize| {
        spoken.get(place).is_some_and(|word| list.split(' ').any(|known| known == word))
    };
    (has(first, 0) && !has(TIMES, 1)) || (has(second, 1) && !has(TIMES, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_at_the_beginning_alone() {
        let refers =
            |language: &str, text: &str| refers_back(text, &Lang::parse(language).unwrap());
        for (language, text) in [
            ("en", "Behind him, some cyclists waited."),
            ("en", "\"But I prefer a slow bridge,\" he said."),
            ("fr", "Elle a ajouté que le pont était lent."),
            ("de", "Danach wurde es still."),
            ("ru", "Его сын живёт в городе."),
            ("zh", "他说，桥修好了。"),
            ("ja", "これに対し、市は反論した。"),
            ("ar", "وهذا ما قاله الوزير."),
            ("fr", "C’est un pont."),
            ("ru", "После этого стало тихо."),
        ] {
            assert!(refers(language, text), "{text}");
        }
        for (language, text) in [
            ("en", "The mayor said that he would wait."),
            ("en", "Hebrides ferries stopped."),
            ("fr", "Le pont a rouvert."),
            ("zh", "市长说，桥修好了。"),
            ("xx", "He said so."),
            ("en", "This year it rained."),
            ("ru", "В этом году шли дожди."),
            ("de", "Das Kabinett tagte."),
            ("fr", "En 2025, le pont a fermé."),
            ("en", "…"),
            ("en", ""),
        ] {
            assert!(!refers(language, text), "{text}");
        }
    }

    #[test]
    fn lists_are_lower_case_words() {
        for Words { language, first, second } in WORDS {
            assert!(
                [first, second]
                    .iter()
                    .all(|list| **list == list.to_lowercase() && !list.contains("  ")),
                "{language}"
            );
        }
    }
}
