//! Numbers written in Roman numerals.

use crate::text::letters::is_alphanumeric;

/// Fewer letters are letters, pronouns and abbreviations.
const FEWEST_LETTERS: usize = 2;

/// The values of the Roman numerals of a text, of two letters or more: "século XIX", "XVIIe
/// siècle", "Luís XIV". What only looks like one ("CD") is among them.
pub fn roman(text: &str) -> Vec<u64> {
    text.split(|c: char| !is_alphanumeric(c)).filter_map(value).collect()
}

/// The value of a word in Roman numerals, behind which an ending in lower case may stand.
fn value(word: &str) -> Option<u64> {
    digit(word.chars().next()?)?;
    let numeral = word.trim_end_matches(char::is_lowercase);
    let digits = numeral.chars().map(digit).collect::<Option<Vec<u64>>>()?;
    let value = digits.iter().enumerate().fold(0i64, |sum, (at, &digit)| {
        let less = digits.get(at + 1).is_some_and(|&next| next > digit);
        sum + if less { -(digit as i64) } else { digit as i64 }
    });
    let value = u64::try_from(value)
        .ok()
        .filter(|&value| numeral.len() < 16 && is_written(value, &digits))?;
    (digits.len() >= FEWEST_LETTERS).then_some(value)
}

/// Whether these are the digits that a number is written with.
fn is_written(mut value: u64, digits: &[u64]) -> bool {
    const STEPS: [(u64, &[u64]); 13] = [
        (1000, &[1000]),
        (900, &[100, 1000]),
        (500, &[500]),
        (400, &[100, 500]),
        (100, &[100]),
        (90, &[10, 100]),
        (50, &[50]),
        (40, &[10, 50]),
        (10, &[10]),
        (9, &[1, 10]),
        (5, &[5]),
        (4, &[1, 5]),
        (1, &[1]),
    ];
    let mut written: Vec<u64> = Vec::new();
    for (step, own) in STEPS {
        while value >= step && written.len() <= digits.len() {
            written.extend(own);
            value -= step;
        }
    }
    written == digits
}

fn digit(letter: char) -> Option<u64> {
    Some(match letter {
        'I' | 'І' => 1,
        'V' => 5,
        'X' | 'Х' => 10,
        'L' => 50,
        'C' => 100,
        'D' => 500,
        'M' => 1000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::roman;

    #[test]
    fn numerals_have_values() {
        assert_eq!(roman("do século XV ao XVIII"), [15, 18]);
        assert_eq!(roman("au XIXe siècle, Louis XIV, MCMXCIX"), [19, 14, 1999]);
        // A Cyrillic letter of the same form.
        assert_eq!(roman("в ХХ веке"), [20]);
        assert!(roman("I saw IIII, VX, IC, Xi, DIM, MILD and mix").is_empty());
        assert!(roman(&"M".repeat(100)).is_empty());
    }
}
