//! Words for powers of ten after a number: million, тысяч, 億.

/// Powers of ten that East Asian numbers carry as a suffix.
const SUFFIXES: &[(&str, usize)] = &[
    ("百万", 6),
    ("百萬", 6),
    ("千万", 7),
    ("千萬", 7),
    ("万亿", 12),
    ("萬億", 12),
    ("万", 4),
    ("萬", 4),
    ("亿", 8),
    ("億", 8),
    ("兆", 12),
    ("千", 3),
    ("백만", 6),
    ("천만", 7),
    ("만", 4),
    ("억", 8),
    ("조", 12),
    ("천", 3),
    ("แสนล้าน", 11),
    ("หมื่นล้าน", 10),
    ("พันล้าน", 9),
    ("ล้าน", 6),
    ("แสน", 5),
    ("หมื่น", 4),
    ("พัน", 3),
];

/// Beginnings of the words for powers of ten, in lower case.
const STEMS: &[(&str, usize)] = &[
    ("thousand", 3),
    ("tausend", 3),
    ("duizend", 3),
    ("tusen", 3),
    ("tusind", 3),
    ("тысяч", 3),
    ("тисяч", 3),
    ("хиляд", 3),
    ("tysi", 3),
    ("tisíc", 3),
    ("tuhat", 3),
    ("tuhan", 3),
    ("ribu", 3),
    ("nghìn", 3),
    ("ngàn", 3),
    ("χιλι", 3),
    ("ألف", 3),
    ("آلاف", 3),
    ("هزار", 3),
    ("אלף", 3),
    ("אלפ", 3),
    ("हज़ार", 3),
    ("हजार", 3),
    ("հազար", 3),
    ("ათას", 3),
    ("мың", 3),
    ("хиљад", 3),
    ("hiljad", 3),
    ("tisuć", 3),
    ("tisoč", 3),
    ("tūkst", 3),
    ("হাজার", 3),
    ("ہزار", 3),
    ("ஆயிர", 3),
    ("लाख", 5),
    ("লাখ", 5),
    ("لاکھ", 5),
    ("करोड़", 7),
    ("কোটি", 7),
    ("کروڑ", 7),
    ("கோடி", 7),
    ("millio", 6),
    ("millón", 6),
    ("millon", 6),
    ("milion", 6),
    ("milijon", 6),
    ("milijun", 6),
    ("milioa", 6),
    ("milhão", 6),
    ("milhões", 6),
    ("miljo", 6),
    ("milyon", 6),
    ("millió", 6),
    ("milió", 6),
    ("миллион", 6),
    ("мільйон", 6),
    ("милион", 6),
    ("εκατομμύρι", 6),
    ("مليون", 6),
    ("ملايين", 6),
    ("میلیون", 6),
    ("ملین", 6),
    ("מיליון", 6),
    ("मिलियन", 6),
    ("միլիոն", 6),
    ("მილიონ", 6),
    ("juta", 6),
    ("triệu", 6),
    ("billionen", 12),
    ("billion", 9),
    ("milliar", 9),
    ("milliár", 9),
    ("miliar", 9),
    ("miljar", 9),
    ("milyar", 9),
    ("milijard", 9),
    ("милијард", 9),
    ("bilhão", 9),
    ("bilhões", 9),
    ("миллиард", 9),
    ("мільярд", 9),
    ("милиард", 9),
    ("δισεκατομμ", 9),
    ("مليار", 9),
    ("میلیارد", 9),
    ("ارب", 9),
    ("מיליארד", 9),
    ("बिलियन", 9),
    ("अरब", 9),
    ("միլիարդ", 9),
    ("მილიარდ", 9),
    ("tỷ", 9),
    ("tỉ", 9),
    ("trillion", 12),
    ("трлн", 12),
    ("триллион", 12),
    ("трильйон", 12),
    ("billón", 12),
    ("billones", 12),
    ("billió", 12),
    ("bilion", 12),
    ("biljo", 12),
    ("bilião", 12),
    ("biliões", 12),
    ("trilyon", 12),
    ("triliun", 12),
    ("trilion", 12),
    ("trilijun", 12),
    ("trilhão", 12),
    ("trilhões", 12),
];

/// Whole words and abbreviations, too short to be stems.
const WORDS: &[(&str, usize)] = &[
    ("mil", 3),
    ("bin", 3),
    ("mii", 3),
    ("mila", 3),
    ("mille", 3),
    ("ezer", 3),
    ("tys", 3),
    ("tis", 3),
    ("тыс", 3),
    ("тис", 3),
    ("mln", 6),
    ("mio", 6),
    ("млн", 6),
    ("milj", 6),
    ("bn", 9),
    ("mrd", 9),
    ("mld", 9),
    ("млрд", 9),
    ("mia", 9),
    ("mds", 9),
    ("εκατ", 6),
    ("δισ", 9),
];

/// Spaces that may stand between a number and the word after it.
const SPACES: [char; 3] = [' ', '\u{a0}', '\u{202f}'];

/// The word after a number.
pub(super) fn word_after(rest: &str) -> String {
    let is_letter =
        |c: &char| c.is_alphabetic() || *c == '\u{93c}' || ('\u{93e}'..='\u{94d}').contains(c);
    rest.trim_start_matches(SPACES).chars().take_while(is_letter).take(20).collect()
}

/// Number of zeros that the word after a number stands for.
pub(super) fn magnitude(rest: &str) -> usize {
    let after = rest.trim_start_matches(SPACES);
    if let Some(&(_, zeros)) = SUFFIXES.iter().find(|(s, _)| after.starts_with(s)) {
        return zeros;
    }
    let word = word_after(after);
    let lower = word.to_lowercase();
    if lower.is_empty() {
        return 0;
    }
    let zeros = (WORDS
        .iter()
        .find(|(w, _)| lower == *w)
        .or_else(|| STEMS.iter().find(|(stem, _)| lower.starts_with(stem))))
    .map_or(0, |&(_, z)| z);
    // "2 mil millones", "5 mil milhões", "3 thousand million"
    if zeros == 3 {
        3 + Some(magnitude(&after[word.len()..])).filter(|&more| more == 6).unwrap_or(0)
    } else {
        zeros
    }
}
