//! Translations that are broken on purpose: one word or number of a human translation is exchanged
//! for another of its kind, as small models do. The words are written down here, apart from those
//! that the checks know.

use polygist::types::{Lang, Problem};

/// A kind of mistake.
pub struct Kind {
    pub name: &'static str,
    /// Problems by which it counts as found.
    pub problems: &'static [Problem],
    /// How many translations are broken.
    pub wanted: usize,
    /// Whether a number has to stand before the word.
    counted: bool,
    /// Language of the translation, words of it and what each is exchanged for.
    swaps: &'static [(&'static str, &'static [(&'static str, &'static str)])],
}

/// The kinds, 200 mistakes in all.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "weekday",
        problems: &[Problem::Date],
        wanted: 30,
        counted: false,
        swaps: &[
            (
                "en",
                &[
                    ("Monday", "Sunday"),
                    ("Tuesday", "Wednesday"),
                    ("Wednesday", "Monday"),
                    ("Thursday", "Friday"),
                    ("Friday", "Thursday"),
                    ("Saturday", "Tuesday"),
                    ("Sunday", "Saturday"),
                ],
            ),
            ("de", &[("Freitag", "Donnerstag"), ("Montag", "Dienstag"), ("Sonntag", "Samstag")]),
            ("fr", &[("vendredi", "jeudi"), ("lundi", "mardi"), ("dimanche", "samedi")]),
            ("es", &[("viernes", "jueves"), ("lunes", "martes"), ("domingo", "sábado")]),
            ("ru", &[("пятницу", "четверг"), ("понедельник", "вторник"), ("субботу", "среду")]),
            ("pl", &[("piątek", "czwartek"), ("poniedziałek", "wtorek"), ("sobotę", "środę")]),
            ("zh", &[("周五", "周四"), ("周一", "周二"), ("周日", "周六")]),
            ("ja", &[("金曜日", "木曜日"), ("月曜日", "火曜日"), ("日曜日", "土曜日")]),
            ("tr", &[("Cuma", "Perşembe"), ("Pazartesi", "Salı"), ("Cumartesi", "Çarşamba")]),
        ],
    },
    Kind {
        name: "month",
        problems: &[Problem::Date],
        wanted: 20,
        counted: false,
        swaps: &[
            (
                "en",
                &[
                    ("January", "July"),
                    ("February", "June"),
                    ("April", "August"),
                    ("June", "March"),
                    ("July", "June"),
                    ("August", "October"),
                    ("September", "May"),
                    ("October", "November"),
                    ("December", "September"),
                ],
            ),
            ("de", &[("Juni", "Juli"), ("Januar", "April"), ("Oktober", "November")]),
            ("fr", &[("juin", "juillet"), ("janvier", "avril"), ("octobre", "novembre")]),
            ("it", &[("giugno", "luglio"), ("gennaio", "aprile"), ("ottobre", "novembre")]),
            ("ru", &[("июня", "июля"), ("января", "апреля"), ("октября", "ноября")]),
        ],
    },
    Kind {
        name: "unit",
        problems: &[Problem::Unit, Problem::Number],
        wanted: 30,
        counted: true,
        swaps: &[
            (
                "en",
                &[
                    ("km", "miles"),
                    ("kilometers", "miles"),
                    ("miles", "kilometers"),
                    ("metres", "feet"),
                    ("meters", "yards"),
                    ("feet", "metres"),
                    ("litres", "gallons"),
                    ("kg", "pounds"),
                    ("percent", "years"),
                    ("hours", "days"),
                    ("weeks", "months"),
                    ("months", "years"),
                    ("minutes", "hours"),
                    ("years", "weeks"),
                ],
            ),
            ("de", &[("Kilometer", "Meilen"), ("Prozent", "Jahre"), ("Wochen", "Monate")]),
            ("fr", &[("kilomètres", "milles"), ("heures", "jours"), ("semaines", "mois")]),
            ("es", &[("kilómetros", "millas"), ("horas", "días"), ("semanas", "meses")]),
            ("ru", &[("километров", "миль"), ("часов", "дней"), ("недель", "месяцев")]),
        ],
    },
    Kind {
        name: "currency",
        problems: &[Problem::Currency, Problem::Number],
        wanted: 20,
        counted: false,
        swaps: &[
            ("en", &[("$", "€"), ("£", "$"), ("€", "£"), ("dollars", "euros"), ("euros", "yen")]),
            ("de", &[("Dollar", "Euro"), ("Euro", "Dollar"), ("Pfund", "Franken")]),
            ("fr", &[("dollars", "euros"), ("euros", "dollars"), ("livres", "yens")]),
            ("ru", &[("долларов", "рублей"), ("евро", "иен")]),
        ],
    },
    Kind {
        name: "number in words",
        problems: &[Problem::Number],
        wanted: 20,
        counted: false,
        swaps: &[
            (
                "en",
                &[
                    ("three", "five"),
                    ("four", "six"),
                    ("five", "nine"),
                    ("six", "eight"),
                    ("seven", "four"),
                    ("eight", "three"),
                    ("ten", "seven"),
                    ("eleven", "nine"),
                ],
            ),
            ("de", &[("drei", "fünf"), ("vier", "sechs"), ("sechs", "neun")]),
            ("fr", &[("trois", "cinq"), ("quatre", "six"), ("six", "neuf")]),
            ("es", &[("tres", "cinco"), ("cuatro", "seis"), ("seis", "nueve")]),
        ],
    },
    Kind {
        name: "ordinal",
        problems: &[Problem::Number],
        wanted: 10,
        counted: false,
        swaps: &[(
            "en",
            &[
                ("10th", "100th"),
                ("15th", "5th"),
                ("16th", "19th"),
                ("17th", "7th"),
                ("18th", "20th"),
                ("19th", "18th"),
                ("20th", "10th"),
                ("25th", "75th"),
                ("50th", "100th"),
            ],
        )],
    },
    Kind {
        name: "name of a place",
        problems: &[Problem::Name],
        wanted: 40,
        counted: false,
        swaps: &[
            (
                "en",
                &[
                    ("Germany", "Kenya"),
                    ("France", "Brazil"),
                    ("Russia", "Canada"),
                    ("China", "Peru"),
                    ("Japan", "Norway"),
                    ("Israel", "Ireland"),
                    ("Egypt", "Cuba"),
                    ("Turkey", "Vietnam"),
                    ("London", "Chicago"),
                    ("Paris", "Madrid"),
                    ("Moscow", "Berlin"),
                    ("Beijing", "Delhi"),
                    ("Vancouver", "Atlanta"),
                    ("Belfast", "Atlanta"),
                    ("Scotland", "Portugal"),
                    ("California", "Ontario"),
                    ("Sydney", "Toronto"),
                    ("Africa", "Europe"),
                    ("Ukraine", "Poland"),
                    ("Iran", "Mexico"),
                ],
            ),
            ("de", &[("Deutschland", "Kenia"), ("Russland", "Asien"), ("London", "Hamburg")]),
            ("fr", &[("Allemagne", "Kenya"), ("Chine", "Norvège"), ("Londres", "Madrid")]),
            ("es", &[("Alemania", "Kenia"), ("China", "Noruega"), ("Londres", "Madrid")]),
            ("ru", &[("Германии", "Кении"), ("Китае", "Норвегии"), ("Лондоне", "Мадриде")]),
            ("zh", &[("德国", "肯尼亚"), ("俄罗斯", "巴西"), ("伦敦", "马德里")]),
            ("tr", &[("Almanya", "Kenya"), ("Rusya", "Brezilya"), ("Londra", "Madrid")]),
        ],
    },
    Kind {
        name: "name of a person",
        problems: &[Problem::Name],
        wanted: 10,
        counted: false,
        swaps: &[(
            "en",
            &[
                ("Trump", "Kenya"),
                ("Kavanaugh", "Nigeria"),
                ("Putin", "Iceland"),
                ("Merkel", "Peru"),
                ("Corbyn", "Brazil"),
                ("Johnson", "Norway"),
            ],
        )],
    },
    Kind {
        name: "number in digits",
        problems: &[Problem::Number],
        wanted: 20,
        counted: false,
        swaps: &[
            (
                "en",
                &[
                    ("14", "41"),
                    ("15", "51"),
                    ("16", "61"),
                    ("17", "27"),
                    ("19", "91"),
                    ("23", "32"),
                    ("2017", "2007"),
                    ("2018", "2008"),
                    ("2016", "2061"),
                    ("300", "3000"),
                ],
            ),
            ("de", &[("15", "51"), ("2018", "2008"), ("300", "3000")]),
            ("ja", &[("15", "51"), ("2018", "2008"), ("300", "3000")]),
        ],
    },
];

/// Numbers in words, of which one may stand before a unit.
const NUMBERS: &[&str] = &[
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "twelve",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "zehn",
    "trois",
    "quatre",
    "cinq",
    "six",
    "dix",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "три",
    "пять",
    "шесть",
    "десять",
];

impl Kind {
    /// A translation with one mistake of the kind, and what was changed; `None` where it has
    /// nothing to change. `turn` says with which word of the list the search begins.
    pub fn broken(&self, text: &str, lang: &Lang, turn: usize) -> Option<String> {
        let (_, pairs) = self.swaps.iter().find(|(code, _)| *code == lang.base())?;
        let pairs = pairs.iter().cycle().skip(turn % pairs.len()).take(pairs.len());
        pairs.into_iter().find_map(|(word, other)| {
            let broken = exchanged(text, word, other)?;
            let before = text.split(word).next().unwrap_or_default().trim_end_matches([' ', '-']);
            let number = before.rsplit([' ', '-']).next().unwrap_or_default();
            let is_counted = number.contains(|c: char| c.is_ascii_digit())
                || NUMBERS.contains(&number.to_lowercase().as_str());
            (!self.counted || is_counted).then_some(broken)
        })
    }

    /// The languages whose translations can be broken.
    pub fn languages(&self) -> impl Iterator<Item = &'static str> {
        self.swaps.iter().map(|(code, _)| *code)
    }
}

/// The text with another word in the place of a word that it has once.
fn exchanged(text: &str, word: &str, other: &str) -> Option<String> {
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, ',' | '.' | ':');
    let has_spaces = word.is_ascii() || word.chars().all(|c| (c as u32) < 0x2000);
    let mut places = text.match_indices(word);
    let (at, _) = places.next().filter(|_| places.next().is_none())?;
    let (before, after) = (&text[..at], &text[at + word.len()..]);
    // A mark between digits joins them; at the end of a sentence it ends a word.
    let joins = |mut chars: [Option<char>; 2]| match chars[0].take() {
        Some(',' | '.' | ':') => chars[1].is_some_and(char::is_numeric),
        first => first.is_some_and(is_letter),
    };
    let mut left = before.chars().rev();
    let mut right = after.chars();
    let is_sign = !word.contains(char::is_alphanumeric);
    let is_inside = !is_sign
        && has_spaces
        && (joins([left.next(), left.next()]) || joins([right.next(), right.next()]));
    (!is_inside).then(|| format!("{before}{other}{after}"))
}
