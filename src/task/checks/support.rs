//! Whether a translation says what its source says, or something else altogether.

use crate::task::prompts;
use crate::text::words::stems;
use crate::types::Lang;

/// Whether a translation is one of the examples of the prompt, reworded or in part: it shares its
/// content words with one, and the source does not share its own with the same example in its
/// language. Small models fall back on them when they are at a loss.
pub fn is_of_example(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    /// Content words in common that are no accident. Of a script without spaces, pairs of
    /// characters are counted.
    const FEWEST: usize = 4;
    let fewest = if crate::languages::is_spaceless(to) { 2 * FEWEST } else { FEWEST };
    let (read, written) = (stems(source, from), stems(output, to));
    prompts::example_pairs(from, to).any(|(example, translated)| {
        let translated = stems(translated, to);
        let shared = translated.intersection(&written).count();
        // Half of the one or of the other is of the example.
        let is_much = 2 * shared >= written.len() || 2 * shared >= translated.len();
        if shared < fewest || !is_much {
            return false;
        }
        let called_for = example.map_or(0, |text| stems(text, from).intersection(&read).count());
        3 * called_for <= shared
    })
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    #[test]
    fn examples_are_known_again_unless_the_source_calls_for_them() {
        let smoke = "\"We saw the smoke from the school, and within minutes the whole street was \
            dark,\" said Marta Belden, a teacher who lives nearby.";
        let match_of_women =
            "Japan defeated Brazil 3-1 in Seoul on Sunday night and will face Italy in the final.";
        for (codes, source, output, expected) in [
            ("ru en", "\"We are very happy to be here,\" the president said.", smoke, true),
            ("ru en", "Президент сказал, что рад быть здесь.", smoke, true),
            ("fr en", "The president arrived in Paris yesterday evening.", match_of_women, true),
            (
                "fr en",
                "« Nous avons vu la fumée depuis l'école, et en quelques minutes toute la rue était \
                 plongée dans le noir », raconte une enseignante.",
                "\"We saw the smoke from the school, and within minutes the whole street was dark,\" \
                 says a teacher.",
                false,
            ),
            (
                "de en",
                "Japan besiegte Brasilien am Sonntag in Seoul mit 3:1.",
                "Japan beat Brazil 3-1 in Seoul on Sunday.",
                false,
            ),
            ("de en", "Der alte Brückenbau wird teurer.", "The old bridge will cost more.", false),
            ("en zh", "xkcd qwerty zxcv bnm", "暴风雨导致爱尔兰南部1850户家庭停电", true),
        ] {
            let [from, to] = parsed(codes);
            assert_eq!(is_of_example(source, output, &from, &to), expected, "{output}");
        }
    }
}
