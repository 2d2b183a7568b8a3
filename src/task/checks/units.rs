//! Whether the units of a text are those of its source. A translator who converts one changes its
//! number as well.

use super::side::Side;
use crate::text::lexicon::Concept;
use crate::text::lexicon::units::{
    self, CELSIUS, CENTIMETRE, FAHRENHEIT, HECTARE, KILOGRAM, KILOMETRE, MILLIMETRE, PERCENT,
};
use std::ops::Range;

/// Numbers up to here are pronouns and articles.
const TRIVIAL: f64 = 2.0;
/// Most letters between a number and its unit: "million", "square", 多.
const BETWEEN: usize = 12;

/// A number with its unit.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    /// A plain decimal.
    number: String,
    value: f64,
    unit: u8,
}

impl Measure {
    fn is_same(&self, other: &Measure) -> bool {
        self.value == other.value && units::are_equal((1.0, self.unit), (1.0, other.unit))
    }
}

/// The measures of a source and of an output that the other text does not have.
pub(super) struct Measures {
    missing: Vec<Measure>,
    added: Vec<Measure>,
    /// Whether a unit without a number became another one: the price of a litre that of a gallon.
    is_exchanged: bool,
}

/// The units that a text names.
struct Named {
    /// Those of numbers.
    measures: Vec<Measure>,
    /// Those without.
    bare: Vec<u8>,
}

impl Named {
    fn has(&self, unit: u8) -> bool {
        let units = self.measures.iter().map(|measure| measure.unit).chain(self.bare.clone());
        units.into_iter().any(|own| units::are_equal((1.0, own), (1.0, unit)))
    }
}

impl Measures {
    pub(super) fn of(source: &Side, output: &Side) -> Self {
        let (source, output) = (named(source), named(output));
        let is_exchanged = source.bare.iter().filter(|unit| !output.has(**unit)).any(|&unit| {
            let is_other = |&&other: &&u8| units::is_like(unit, other) && !source.has(other);
            output.bare.iter().any(|other| is_other(&other))
        });
        let (source, output) = (source.measures, output.measures);
        let lone = |ones: &[Measure], others: &[Measure]| {
            let is_lone = |one: &&Measure| !others.iter().any(|other| one.is_same(other));
            ones.iter().filter(is_lone).cloned().collect()
        };
        let (missing, added) = (lone(&source, &output), lone(&output, &source));
        Measures { missing, added, is_exchanged }
    }

    /// Whether a number got another unit, and stayed as it is; or a unit without a number is
    /// another.
    pub(super) fn differ(&self) -> bool {
        self.is_exchanged
            || self.missing.iter().any(|one| {
                one.value > TRIVIAL && self.added.iter().any(|other| one.value == other.value)
            })
    }

    /// Whether two numbers are the same amount in two units.
    pub(super) fn are_converted(&self, source: &str, output: &str) -> bool {
        let is_pair = |one: &Measure, other: &Measure| {
            units::are_equal((one.value, one.unit), (other.value, other.unit))
        };
        self.missing.iter().filter(|one| one.number == source).any(|one| {
            self.added
                .iter()
                .filter(|other| other.number == output)
                .any(|other| is_pair(one, other))
        })
    }

    /// Whether a measure of the source is not in the output.
    pub(super) fn are_missing(&self) -> bool {
        self.missing.iter().any(|one| one.value > TRIVIAL)
    }
}

/// The numbers of a text that have a unit, and its other units.
fn named(side: &Side) -> Named {
    let has_sign = side.text.contains(['%', '٪', '％', '°', '℃', '℉'])
        || CYRILLIC.iter().any(|(symbol, _)| side.text.contains(symbol));
    let mut named: Vec<(Range<usize>, u8)> = Vec::new();
    for found in side.found() {
        if let Concept::Unit(unit) = found.concept {
            named.push((found.place.clone(), unit));
        }
    }
    if named.is_empty() && !has_sign {
        return Named { measures: Vec::new(), bare: Vec::new() };
    }
    let digits = side.digits().iter().map(|n| (n.value.clone(), n.place.clone()));
    let words = side
        .spelled()
        .iter()
        .filter(|number| number.counts)
        .map(|number| (number.value.to_string(), number.place.clone()));
    let (mut measures, mut used) = (Vec::new(), Vec::new());
    for (number, place) in digits.chain(words) {
        let Ok(value) = number.parse::<f64>() else { continue };
        let mut add = |unit| measures.push(Measure { number: number.clone(), value, unit });
        if let Some(unit) = sign(side.text, &place) {
            add(unit);
            continue;
        }
        let mut after = named.iter().filter(|(unit, _)| {
            unit.start >= place.end && is_gap(&side.text[place.end..unit.start])
        });
        if let Some((first, _)) = after.next() {
            let same = named.iter().filter(|(unit, _)| unit == first);
            same.for_each(|(_, unit)| add(*unit));
            used.push(first.start);
            continue;
        }
        let before = named.iter().rfind(|(unit, _)| {
            unit.end <= place.start && side.text[unit.end..place.start].trim().is_empty()
        });
        // "Yüzde 5", 百分之五; kilomita 5.
        if let Some((place, unit)) = before
            && (*unit == PERCENT || matches!(side.lang.base(), "sw" | "ha" | "yo" | "zu" | "so"))
        {
            add(*unit);
            used.push(place.start);
        }
    }
    let bare = named.into_iter().filter(|(place, _)| !used.contains(&place.start));
    Named { measures, bare: bare.map(|(_, unit)| unit).collect() }
}

/// Symbols in Cyrillic letters, with the units that they stand for. The lexicon has the words, and
/// the symbols in Latin letters.
const CYRILLIC: [(&str, u8); 5] =
    [("км", KILOMETRE), ("см", CENTIMETRE), ("мм", MILLIMETRE), ("га", HECTARE), ("кг", KILOGRAM)];

/// The unit that signs before or after a number say.
fn sign(text: &str, place: &Range<usize>) -> Option<u8> {
    const PERCENTS: [char; 3] = ['%', '٪', '％'];
    let after = text[place.end..].trim_start();
    if after.starts_with(PERCENTS) || text[..place.start].trim_end().ends_with(PERCENTS) {
        return Some(PERCENT);
    }
    let symbol = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    if let Some((_, unit)) = CYRILLIC.iter().find(|(known, _)| *known == symbol) {
        return Some(*unit);
    }
    let degrees = after.strip_prefix('°').map(str::trim_start);
    match degrees.and_then(|rest| rest.chars().next()).or_else(|| after.chars().next())? {
        'C' | 'С' if degrees.is_some() => Some(CELSIUS),
        'F' if degrees.is_some() => Some(FAHRENHEIT),
        '℃' => Some(CELSIUS),
        '℉' => Some(FAHRENHEIT),
        _ => None,
    }
}

/// Whether what stands between a number and a unit leaves them together: nothing, or one word.
fn is_gap(between: &str) -> bool {
    let inner = between.trim_matches([' ', '\u{a0}', '\u{202f}', '-', '‑', '–', '\u{200c}']);
    inner.chars().count() <= BETWEEN && inner.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::checks::parsed;

    fn check(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = parsed(languages);
        Measures::of(&Side::of(source, &from), &Side::of(output, &to)).differ()
    }

    #[test]
    fn exchanged_units_are_found() {
        for (source, output, languages) in [
            ("Er trank 5 Liter Wasser.", "He drank 5 gallons of water.", "de en"),
            ("Il a bu 50 litres d'eau.", "He drank 50 gallons of water.", "fr en"),
            ("Он выпил пять литров воды.", "He drank five gallons of water.", "ru en"),
            ("Es sind 10 km bis dorthin.", "It is 10 miles away.", "de en"),
            ("Está a 10 kilómetros.", "It is ten miles away.", "es en"),
            ("距离10公里。", "It is 10 miles away.", "zh en"),
            ("10キロメートル離れている。", "It is 10 miles away.", "ja en"),
            ("It weighs 30 kilograms.", "Es wiegt 30 Pfund.", "en de"),
            ("Prices rose by 5 percent.", "Die Preise stiegen um 5 Kilometer.", "en de"),
            ("Prices rose by 5%.", "Die Preise stiegen fünf Tage.", "en de"),
            ("It took three weeks.", "Это заняло три месяца.", "en ru"),
            ("vor 12 Stunden", "12 days ago", "de en"),
            ("At 30 °C", "bei 30 °F", "en de"),
            ("с ветрами до 135 км/ч", "with winds of up to 135 mph", "ru en"),
            ("вага 30 кг", "a weight of 30 pounds", "uk en"),
            (
                "El litro de aceite se paga a 6,85 €.",
                "The gallon of oil costs 6.85 euros.",
                "es en",
            ),
        ] {
            assert!(check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn the_same_and_converted_units_pass() {
        for (source, output, languages) in [
            ("5 Liter Wasser", "5 litres of water", "de en"),
            ("10 km", "6.2 miles", "de en"),
            ("10 km", "10 kilometres (6.2 miles)", "de en"),
            ("fünf Prozent in 5 Jahren", "5% in five years", "de en"),
            ("zwei Wochen", "14 days", "de en"),
            ("距离10公里", "10 km away", "zh en"),
            ("yüzde 5", "5 percent", "tr en"),
            ("um 14 Uhr", "at 14 hours", "de en"),
            ("100 km/h", "100 kilometres per hour", "de en"),
            ("100 км/ч", "100 km/h", "ru en"),
            ("100 км/ч", "100 kilometers per hour", "ru en"),
            ("в 16 км отсюда", "10 miles from here", "ru en"),
            ("El litro cuesta 6,85 €.", "A litre costs 6.85 euros, a gallon 25.9.", "es en"),
            ("Stundenlang warteten sie.", "They waited for minutes.", "de en"),
        ] {
            assert!(!check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn conversions_are_known() {
        let [from, to] = parsed("en de");
        let measures = Measures::of(
            &Side::of("a ten-mile road", &from),
            &Side::of("eine 16 Kilometer lange Straße", &to),
        );
        assert!(measures.are_converted("10", "16") && !measures.are_converted("10", "17"));
    }
}
