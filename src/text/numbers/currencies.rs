use super::magnitude::magnitude;
use super::number_words::spelled;
use crate::languages;
use crate::text::hash::FixedMap;
use crate::text::tokens::{Token, tokens};
use crate::types::Lang;
use std::sync::LazyLock;

/// A currency that a text names beside an amount, or anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    /// The currency as a set of bits: a sign may stand for several.
    kinds: u64,
    /// Whether it stands beside an amount, and has no other meaning.
    pub is_amount: bool,
    /// Whose dollar it is (the ISO 4217 code), where the sign (A$) or a word beside it says so and
    /// it is not that of the United States.
    pub nation: Option<&'static str>,
}

impl Currency {
    /// Whether both may be the same currency. A dollar is a dollar, of whatever country.
    pub fn is_like(self, other: Currency) -> bool {
        self.kinds & other.kinds != 0
    }
}

/// Names of a currency in many languages (CLDR 48), in the spelling of [`Token`]: beginnings of
/// words, or whole words after a "=".
struct Names {
    /// ISO 4217 codes.
    codes: &'static str,
    /// Names that mean nothing else.
    firm: &'static str,
    /// Names that are, in some language, commoner as another word.
    ambiguous: &'static str,
    /// Names in scripts without spaces, after the amount.
    unspaced: &'static str,
}

const fn names(
    codes: &'static str,
    firm: &'static str,
    ambiguous: &'static str,
    unspaced: &'static str,
) -> Names {
    Names { codes, firm, ambiguous, unspaced }
}

const CURRENCIES: &[Names] = &[
    names(
        "USD CAD AUD NZD HKD SGD TWD",
        "dollar dolar dólar dolár dòlar dollár dolār doleri долл долар δολάρι δολαρί դոլար დოლარ \
         دولار دلار דולר डॉलर 달러",
        "=đô",
        "美元 美金 加元 澳元 港元 港币 ドル ดอลลาร์",
    ),
    names(
        "EUR",
        "euro eiro евро євро еўра ευρώ եվրո ევრო еуро avro يورو אירו यूरो 유로 =eur =eura =eurų \
    =eurai =eurus =eurem =eurech =eurů =eurům =evrov =evra \
         =evro =evri =evrih =evrur =евра",
        "",
        "欧元 歐元 ユーロ ยูโร",
    ),
    names(
        "GBP EGP",
        "sterlin sterlín στερλ стерлинг стерлінг paun паунд punta punna =שטרלינג გირვანქ فوند جنيه \
         پوند पाउंड 파운드 bảng ֆունտ",
        "pound pund pfund pond font funt фунт livre =liber libra libr lliur λίρ lir лир =פאונד",
        "英镑 英鎊 ポンド ปอนด์",
    ),
    names(
        "JPY",
        "yen yên jeni =jen =jenů =jenów =jeny iene иен ієн йен јен γιεν իեն იენი =ين येन 엔화",
        "=ien =엔",
        "日元 日圆 円 เยน",
    ),
    names(
        "CNY",
        "yuan iuan juan jüan юан јуан γουάν γιουάν յուան იუან يوان יואן युआन 위안",
        "",
        "人民币 人民幣 元 หยวน",
    ),
    names(
        "RUB BYN",
        "rubel rubl ruble rouble rublo roebel rúbl рубл рубел рублей ρούβλι ρουβλ ռուբլ რუბლ روبل \
         רובל रूबल 루블 =rúp",
        "",
        "卢布 盧布 ルーブル รูเบิล",
    ),
    names(
        "INR PKR LKR NPR IDR",
        "rupee rupie roupi rupi roepie rúpí rúpia rūpij ruupia рупи рупі ρουπί ռուփի რუპია روبي \
         روبيه רופי रुपय रुपए रुपये रूपय 루피",
        "",
        "卢比 盧比 印尼盾 ルピア ルピー รูปี",
    ),
    names(
        "CHF XOF",
        "=franc =francs =franci franco frank frang франк φράγκ ֆրանկ ფრანკ فرنك فرانك פרנק फ़्रैंक \
         फ्रैंक 프랑",
        "=franken",
        "法郎 フラン ฟรังก์",
    ),
    names(
        "KRW",
        "=wony =wonů =wonów =wonia =wonin =wonissa μον =վոն =वॉन",
        "=won =wons =вон =вона =вони =вонов =원 =وون =ون =וון",
        "韩元 韓元 ウォン วอน",
    ),
    names(
        "TRY",
        "líra liira lirası lirasın lirəsi lírov ליר لير लीरा 리라 ლირა լիրա",
        "lira lire liras lir лир λίρ =lei",
        "里拉 リラ ลีรา",
    ),
    names(
        "SEK NOK DKK ISK CZK",
        "=kroner =kronor =kronen =kroonia kruun korun крон крун κορόν κορων կրոն კრონ كرون קרונ \
         क्रोन 크로나 크로네 코루나 =kč =kr",
        "kron krone corona coron coroa couronne coroan krón kroon",
        "克朗 クローナ クローネ コルナ โครน",
    ),
    names(
        "PLN",
        "zlot złot zllot esloti злот ζλότι զլոտ ზლოტ زلوتي זלוטי ज़्लॉटी 즈워티 =zł =zl",
        "",
        "兹罗提 ズウォティ ซลอตี",
    ),
    names(
        "UAH",
        "hryvni hrywn hriwna grivn griven hřiv hriv grynia qrivna гривн гривен хривни γρίβν գրիվնա \
         გრივნ هريفني هريوني הריבנ रिव्निया 그리브나",
        "",
        "格里夫纳 フリヴニャ ฮรีฟเนีย",
    ),
    names(
        "MXN ARS CLP COP PHP",
        "=peso =pesos =pesot =pesoa =pesosu =pesi песо πέσο պեսո პესო بيزو بزو פסו पेसो 페소",
        "pes pez пезос",
        "比索 ペソ เปโซ",
    ),
    names(
        "BRL",
        "=reais reaisia реал ρεάλ ռեալ =رئال 레알",
        "real réal réais reaal ריאל रियाल",
        "雷亚尔 レアル เรียล",
    ),
    names("ZAR", "=rands randi рэнд راند ראנד रैंड 랜드", "rand ранд ραντ", "兰特 ランド แรนด์"),
    names(
        "ILS",
        "shekel schekel sheqel šekel şekel sékel sekeli syekel шекел շեկել შეკელ شيكل שקל शेकेल 세켈",
        "=שח",
        "谢克尔 シェケル เชเกล",
    ),
    names(
        "IRR YER OMR SAR QAR",
        "rial riyal rijal rijál riál риал риял ріал ріял ријал ριάλ ռիալ რიალ ريال riaal 리얄 리알",
        "ריאל रियाल",
        "里亚尔 リアル",
    ),
    names(
        "KWD IQD DZD JOD TND RSD",
        "dinar dinár dinaar dinār динар δηνάρι դինար დინარ دينار דינר दिनार 디나르 denar",
        "",
        "第纳尔 ディナール ดีนาร์",
    ),
    names(
        "AED MAD",
        "dirham dírham dirhem дирхам дирхем ντιράμ դիրհամ دراهم درهم דירהם दिरहम 디르함",
        "",
        "迪拉姆 ディルハム",
    ),
    names(
        "HUF",
        "forint fòrint форинт φιορίνι ֆորինտ فورينت פורינט फ़ोरिंट 포린트 =ft",
        "fiorin florin",
        "福林 フォリント",
    ),
    names("RON MDL", "=леев =лея лей", "=lei =leu =lej =леи =λέι", "列伊 レイ"),
    names("BGN", "=leva =leve =лева =лв", "=lev =лев =lew", "列弗 レフ"),
    names("THB", "baht =bat बहत 바트", "=бат =bạt =بات", "泰铢 バーツ บาท"),
    names("VND", "=đồng", "dong донг 동", "越南盾 越盾 ドン"),
    names("KZT", "tenge tengue теңге тенге տենգե ტენგე 텡게", "", "坚戈 テンゲ"),
    names("GEL", "=лари ლარ", "=lari", "拉里 ラリ"),
    names("AMD", "դրամ", "=dram =драм =драмов", "德拉姆 ドラム"),
    names("AZN", "manat манат მანათ", "", "马纳特 マナト"),
    names("NGN", "naira найр 나이라", "", "奈拉 ナイラ"),
];

/// Signs, and the codes of the currencies that they may stand for.
const SIGNS: &[(char, &str)] = &[
    ('$', "USD MXN"),
    ('＄', "USD MXN"),
    ('€', "EUR"),
    ('£', "GBP TRY"),
    ('¥', "JPY CNY"),
    ('￥', "JPY CNY"),
    ('₽', "RUB"),
    ('₴', "UAH"),
    ('₹', "INR"),
    ('₺', "TRY"),
    ('₩', "KRW"),
    ('₪', "ILS"),
    ('₫', "VND"),
    ('฿', "THB"),
    ('₸', "KZT"),
    ('₾', "GEL"),
    ('₼', "AZN"),
    ('₦', "NGN"),
];

/// Letters before the dollar's sign, and the codes of the currencies: R$, A$.
const NATIONAL_SIGNS: &[(&str, &str)] = &[
    ("R", "BRL"),
    ("US", "USD"),
    ("A", "AUD"),
    ("AU", "AUD"),
    ("C", "CAD"),
    ("CA", "CAD"),
    ("CDN", "CAD"),
    ("NZ", "NZD"),
    ("HK", "HKD"),
    ("S", "SGD"),
    ("NT", "TWD"),
    ("MX", "MXN"),
    ("Mex", "MXN"),
];

/// Beginnings of the words for a nation whose dollar is not that of the United States.
const NATIONS: &[(&str, &str)] = &[
    ("AUD", "austral австрал أسترال オーストラリア 豪 澳 호주 αυστραλ אוסטרל ऑस्ट्रेल aud a$ au$"),
    ("CAD", "canad kanad канад كند カナダ 加 캐나다 καναδ קנד कनाडा cad c$ cdn ca$"),
    ("NZD", "zeal neuseel zéland zeland зеланд зелан نيوزيل ニュージ 新西 紐 뉴질 ζηλανδ nzd nz$"),
    ("HKD", "hong hongk гонконг هونغ 香港 港 홍콩 χονγκ הונג हांग hkd hk$"),
    ("SGD", "singap сингап сінгап سنغاف シンガ 新加 新元 싱가 σιγκαπ סינג सिंगा sgd s$"),
    ("TWD", "taiw тайв تايو 台 臺 대만 ταϊβ טאיוו ताइव twd nt$"),
];

/// Most letters by which a word is longer than the beginning of a currency's name.
const LONGEST_ENDING: usize = 4;
/// Beginnings of words that are about Europe, not about euros.
const EUROPE: &[&str] = &[
    "europ",
    "euroop",
    "euroz",
    "европ",
    "європ",
    "եվրոպ",
    "ევროპ",
    "еуроп",
    "avrop",
    "אירופ",
    "यूरोप",
    "유로존",
    "유로파",
];
/// Most words between a currency's name and its amount.
const NEAR: usize = 2;

/// The currencies that a text names.
pub fn currencies(text: &str, lang: &Lang) -> Vec<Currency> {
    currencies_in(text, &tokens(text), lang)
}

/// The same of a text whose tokens are known.
pub(crate) fn currencies_in(text: &str, tokens: &[Token], lang: &Lang) -> Vec<Currency> {
    let mut found = signs(text);
    if languages::is_spaceless(lang) {
        found.extend(unspaced(text));
    }
    for (i, token) in tokens.iter().enumerate() {
        let written = &text[token.place.clone()];
        let codes = match written.len() {
            3 if written.starts_with(|c: char| c.is_ascii_uppercase()) => {
                kinds(|names| names.codes.split(' ').any(|code| code == written))
            }
            _ => 0,
        };
        let (firm, ambiguous) = named(&token.word);
        let firm = codes | firm;
        let kinds = firm | ambiguous;
        if kinds != 0 && !EUROPE.iter().any(|europe| token.word.starts_with(europe)) {
            // What is ambiguous as to which currency it is accuses as little as what may be no
            // currency.
            let is_amount = firm == kinds && is_near_amount(text, tokens, i, lang);
            let near = i.saturating_sub(1)..(i + 2).min(tokens.len());
            let nation = tokens[near].iter().find_map(|token| nation(&token.word));
            found.push(Currency { kinds, is_amount, nation });
        }
    }
    found
}

/// The nation that the beginning of a word names.
fn nation(word: &str) -> Option<&'static str> {
    let names = |(_, names): &&(&str, &str)| names.split(' ').any(|name| word.starts_with(name));
    NATIONS.iter().find(names).map(|(code, _)| *code)
}

/// Whether a text has a word or sign for the nation of a dollar, given by its code.
pub fn names_nation(text: &str, code: &str) -> bool {
    let lower = text.to_lowercase();
    NATIONS
        .iter()
        .filter(|(nation, _)| *nation == code)
        .any(|(_, names)| names.split(' ').any(|name| lower.contains(name)))
}

/// The set of the currencies whose names fulfil a condition.
fn kinds(is_such: impl Fn(&Names) -> bool) -> u64 {
    CURRENCIES
        .iter()
        .enumerate()
        .filter(|(_, names)| is_such(names))
        .fold(0, |kinds, (i, _)| kinds | 1 << i)
}

/// A name of a currency: the beginning of a word, or a whole one.
struct Name {
    text: &'static str,
    is_whole: bool,
    is_firm: bool,
    /// The currency, as in [`Currency`].
    kind: u64,
}

/// All names, by their first characters.
static NAMES: LazyLock<FixedMap<char, Vec<Name>>> = LazyLock::new(|| {
    let mut all: FixedMap<char, Vec<Name>> = FixedMap::default();
    for (i, names) in CURRENCIES.iter().enumerate() {
        for (list, is_firm) in [(names.firm, true), (names.ambiguous, false)] {
            for name in list.split(' ') {
                let text = name.strip_prefix('=').unwrap_or(name);
                let Some(first) = text.chars().next() else { continue };
                let is_whole = text.len() < name.len();
                all.entry(first).or_default().push(Name { text, is_whole, is_firm, kind: 1 << i });
            }
        }
    }
    all
});

/// The sets of the currencies that a word names, and that it may name.
fn named(word: &str) -> (u64, u64) {
    let (mut firm, mut ambiguous) = (0, 0);
    let names = word.chars().next().and_then(|first| NAMES.get(&first));
    for name in names.into_iter().flatten() {
        let Some(ending) = word.strip_prefix(name.text) else { continue };
        let longest = if name.is_whole { 0 } else { LONGEST_ENDING };
        if ending.chars().count() <= longest {
            *(if name.is_firm { &mut firm } else { &mut ambiguous }) |= name.kind;
        }
    }
    (firm, ambiguous)
}

/// Whether digits, a number in words or a magnitude stands near a token.
fn is_near_amount(text: &str, tokens: &[Token], at: usize, lang: &Lang) -> bool {
    let start =
        (0..=at).rev().find(|&i| !tokens[i].joined).unwrap_or(0).max(at.saturating_sub(NEAR));
    let end = (at + 1..tokens.len())
        .find(|&i| !tokens[i].joined)
        .unwrap_or(tokens.len())
        .min(at + NEAR + 1);
    (start..end).filter(|&i| i != at).map(|i| &tokens[i]).any(|token| {
        let word = &text[token.place.clone()];
        token.word.starts_with(char::is_numeric)
            || magnitude(word) > 0
            || spelled(word, lang).iter().any(|n| n.value > 1)
    })
}

/// Currencies by their signs; beside digits, they are amounts.
fn signs(text: &str) -> Vec<Currency> {
    let mut found = Vec::new();
    // Of ASCII's characters, which most are, there is but one.
    let may_be_one = |&(_, c): &(usize, char)| !c.is_ascii() || c == '$';
    for (at, sign) in text.char_indices().filter(may_be_one) {
        let Some((_, codes)) = SIGNS.iter().find(|(other, _)| *other == sign) else { continue };
        let (before, after) = (text[..at].trim_end(), text[at + sign.len_utf8()..].trim_start());
        let letters =
            &text[text[..at].trim_end_matches(|c: char| c.is_ascii_alphabetic()).len()..at];
        let national = NATIONAL_SIGNS.iter().find(|(before, _)| *before == letters);
        let national = national.filter(|_| matches!(sign, '$' | '＄')).map(|(_, code)| *code);
        let codes = national.unwrap_or(codes);
        let before = before.strip_suffix(letters).unwrap_or(before).trim_end();
        let kinds = kinds(|names| {
            names.codes.split(' ').any(|code| codes.split(' ').any(|other| other == code))
        });
        found.push(Currency {
            kinds,
            nation: national.filter(|code| NATIONS.iter().any(|(nation, _)| nation == code)),
            is_amount: before.ends_with(char::is_numeric) || after.starts_with(char::is_numeric),
        });
    }
    found
}

/// Currencies in scripts without spaces; right after digits, numerals or powers of ten, they are
/// amounts.
fn unspaced(text: &str) -> Vec<Currency> {
    let mut found = Vec::new();
    let names = CURRENCIES
        .iter()
        .enumerate()
        .flat_map(|(i, names)| names.unspaced.split(' ').map(move |name| (i, name)));
    for (i, name) in names.filter(|(_, name)| !name.is_empty()) {
        for (at, _) in text.match_indices(name) {
            let before = text[..at].trim_end();
            let is_amount =
                before.ends_with(|c: char| c.is_numeric() || "十百千万萬亿億兆多余餘".contains(c));
            // 元 ends the names of several other currencies, and many words.
            if name != "元" || is_amount {
                found.push(Currency { kinds: 1 << i, is_amount, nation: None });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first codes of the currencies beside an amount; of the others, in brackets.
    fn read(text: &str, lang: &str) -> String {
        let code = |i: usize| CURRENCIES[i].codes.split(' ').next().unwrap_or_default();
        let codes = |c: Currency| {
            (0..CURRENCIES.len())
                .filter(|i| c.kinds & 1 << i != 0)
                .map(code)
                .collect::<Vec<_>>()
                .join("/")
        };
        let found = currencies(text, &Lang::parse(lang).unwrap());
        let found: Vec<String> = found
            .into_iter()
            .map(|c| if c.is_amount { codes(c) } else { format!("({})", codes(c)) })
            .collect();
        found.join(" ")
    }

    #[test]
    fn currencies_in_many_languages() {
        for (lang, text, expected) in [
            ("en", "It costs 5 euros, US$ 20 or three hundred dollars.", "USD EUR USD"),
            ("en", "The dollar fell; 27 European countries; EUR 5", "(USD) EUR"),
            ("en", "He won 5 medals and lost 5 pounds.", "(KRW) (GBP)"),
            ("de", "fünf Milliarden Euro, 20-Dollar-Schein, Europa 2000", "EUR USD"),
            ("fr", "3 livres, 20 couronnes, 1 500 roubles", "(GBP) (SEK) RUB"),
            ("ru", "около 20 тысяч рублей и 5 миллионов евро", "RUB EUR"),
            ("hu", "500 forintot, 20 dollárért", "HUF USD"),
            ("zh", "五百美元，3万亿日元，20元，欧元", "USD (EUR) JPY CNY"),
            ("ja", "500円と20ドル", "USD JPY"),
            ("ko", "500만 달러를", "USD"),
            ("pt", "R$ 500, US$ 20, $ 5", "BRL USD USD/MXN"),
            ("es", "el virus corona, 5 reales", "(SEK) (BRL)"),
        ] {
            assert_eq!(read(text, lang), expected, "{text}");
        }
    }

    #[test]
    fn names_are_spelled_as_words_are() {
        for names in CURRENCIES {
            let all: Vec<&str> = [names.firm, names.ambiguous]
                .iter()
                .flat_map(|list| list.split(' '))
                .filter(|name| !name.is_empty())
                .collect();
            for (i, name) in all.iter().enumerate() {
                let word = name.trim_start_matches('=');
                assert!(matches!(tokens(word).as_slice(), [token] if token.word == word), "{word}");
                assert!(!all[..i].contains(name), "{name} twice");
            }
        }
    }

    #[test]
    fn no_name_is_two_currencies_firmly() {
        for (i, names) in CURRENCIES.iter().enumerate() {
            for name in names
                .firm
                .split(' ')
                .chain(names.unspaced.split(' '))
                .filter(|name| !name.is_empty())
            {
                let word = name.trim_start_matches('=');
                let others = named(word).0 & !(1 << i);
                assert_eq!(others, 0, "{word}");
            }
        }
    }
}
