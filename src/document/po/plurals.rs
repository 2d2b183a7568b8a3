//! The plural forms of languages, as gettext's manual and Unicode's CLDR have them.

use crate::types::Lang;

/// The plural forms of a language.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plurals {
    /// Number of its forms.
    pub count: usize,
    /// The rule, as the head of a catalog has it.
    pub rule: String,
    /// The form for one thing, if one has its own.
    pub one: Option<usize>,
    /// Whether that form stands for other numbers, too, as for 21.
    pub one_is_more: bool,
}

/// Rules by language: languages, number of forms, rule, the form for one, whether it is for more.
type Row = (&'static str, usize, &'static str, Option<usize>, bool);

const RULES: &[Row] = &[
    ("ja zh ko vi th id ms lo my km yue wo to", 1, "0", None, false),
    ("fr pt_BR hy ff ti ln mg am fil tl oc", 2, "n > 1", Some(0), false),
    (
        "ru uk be",
        3,
        "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2",
        Some(0),
        true,
    ),
    (
        "sr hr bs",
        3,
        "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2",
        Some(0),
        true,
    ),
    ("cs sk", 3, "(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2", Some(0), false),
    ("pl", 3, "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2", Some(0), false),
    (
        "lt",
        3,
        "n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2",
        Some(0),
        true,
    ),
    ("lv", 3, "n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2", Some(0), true),
    ("ro", 3, "n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2", Some(0), false),
    ("sl", 4, "n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3", Some(0), true),
    (
        "ar",
        6,
        "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5",
        Some(1),
        false,
    ),
    ("ga", 5, "n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4", Some(0), false),
    (
        "gd",
        4,
        "(n==1 || n==11) ? 0 : (n==2 || n==12) ? 1 : (n > 2 && n < 20) ? 2 : 3",
        Some(0),
        true,
    ),
    ("cy", 4, "(n==1) ? 0 : (n==2) ? 1 : (n != 8 && n != 11) ? 2 : 3", Some(0), false),
    (
        "mt",
        4,
        "n==1 ? 0 : n==0 || (n%100>1 && n%100<11) ? 1 : (n%100>10 && n%100<20) ? 2 : 3",
        Some(0),
        false,
    ),
    ("is mk", 2, "n%10!=1 || n%100==11", Some(0), true),
    ("he", 2, "n != 1", Some(0), false),
];

impl Plurals {
    /// Those that the head of a catalog tells for this language; otherwise the language's.
    pub fn of(header: &str, to: Option<&Lang>) -> Plurals {
        let field = |name: &str| {
            let line = header.lines().find(|line| {
                line.split(':').next().is_some_and(|found| found.trim().eq_ignore_ascii_case(name))
            })?;
            Some(line.split_once(':')?.1.trim())
        };
        let row = row(to);
        let (_, count, rule, one, one_is_more) = row;
        let usual = Plurals {
            count,
            rule: format!("nplurals={count}; plural=({rule});").replace("(0)", "0"),
            one,
            one_is_more,
        };
        let told = field("Plural-Forms").and_then(|told| Some((told, told_count(told)?)));
        let is_same = field("Language").is_none_or(|language| {
            let language = Lang::parse(&language.replace('_', "-"));
            language.is_some_and(|lang| to.is_none_or(|to| to.same_base(&lang)))
        });
        match told.filter(|_| is_same) {
            Some((told, count)) => Plurals {
                count,
                rule: told.into(),
                one: usual.one.filter(|_| count > 1).map(|one| one.min(count - 1)),
                one_is_more: usual.one_is_more,
            },
            None => usual,
        }
    }
}

/// The number of forms that a rule tells; a few, or it makes no sense.
fn told_count(rule: &str) -> Option<usize> {
    let rest = rule.split_once("nplurals=")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|count| (1..=8).contains(count))
}

fn row(to: Option<&Lang>) -> Row {
    const USUAL: Row = ("", 2, "n != 1", Some(0), false);
    let Some(to) = to else { return USUAL };
    let locale = locale(to);
    let base = locale.split('_').next().unwrap_or_default();
    let with = |name: &str| {
        RULES.iter().find(|(languages, ..)| languages.split(' ').any(|language| language == name))
    };
    with(&locale).or_else(|| with(base)).copied().unwrap_or(USUAL)
}

/// The language as gettext names it: `pt_BR`, `zh_TW`, `sr@latin`.
pub(super) fn locale(to: &Lang) -> String {
    let code = to.as_str();
    match code {
        "zh-Hans" => return "zh_CN".into(),
        "zh-Hant" => return "zh_TW".into(),
        "sr-Latn" => return "sr@latin".into(),
        _ => {}
    }
    code.replace('-', "_")
}
