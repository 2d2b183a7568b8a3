//! How alike two names sound, whatever the scripts that they are written in.
//!
//! A name that goes from one script into another keeps its consonants, more or less, and loses its
//! vowels: Токаев, Tokayev, Tokajew. As with Soundex, consonants that languages take for each other
//! are one.

use deunicode::deunicode_char;

/// Most consonants that are compared.
const LONGEST: usize = 12;

/// A word in Latin letters, and its consonants.
#[derive(Clone, Debug)]
pub(super) struct Sound {
    letters: String,
    consonants: [u8; LONGEST],
    length: usize,
}

impl Sound {
    /// That of a word in lower case.
    pub(super) fn of(word: &str) -> Self {
        let mut letters = String::with_capacity(2 * word.len());
        for c in word.chars() {
            if c.is_ascii() {
                letters.push(c);
            } else if let Some(latin) = deunicode_char(c) {
                letters.extend(latin.chars().map(|c| c.to_ascii_lowercase()));
            }
        }
        letters.retain(|c| c.is_ascii_alphanumeric());
        let (mut consonants, mut length) = ([0; LONGEST], 0);
        let mut last = 0;
        for letter in letters.bytes() {
            let class = class(letter);
            if class != 0 && class != last && length < LONGEST {
                consonants[length] = class;
                length += 1;
            }
            // "H" and vowels part what is the same.
            last = if letter == b'h' { last } else { class };
        }
        Sound { letters, consonants, length }
    }

    fn consonants(&self) -> &[u8] {
        &self.consonants[..self.length]
    }

    /// Whether both may be the same name.
    pub(super) fn is_like(&self, other: &Sound) -> bool {
        /// Shares, in percent, of what is the same.
        const LETTERS: f64 = 0.84;
        const CONSONANTS: usize = 80;
        let (one, two) = (self.consonants(), other.consonants());
        let common = 2 * common(one, two) * 100;
        let is_telling = one.len().min(two.len()) >= 2;
        (is_telling && common >= CONSONANTS * (one.len() + two.len()))
            || self.letters == other.letters
            || strsim::jaro_winkler(&self.letters, &other.letters) >= LETTERS
    }
}

/// Consonants that languages write for each other; 0 for vowels and what is silent.
fn class(letter: u8) -> u8 {
    match letter {
        b'b' | b'p' | b'f' | b'v' | b'w' => 1,
        b'c' | b'k' | b'g' | b'q' | b'x' => 2,
        b's' | b'z' | b'j' => 3,
        b'd' | b't' => 4,
        b'l' | b'r' => 5,
        b'm' | b'n' => 6,
        _ => 0,
    }
}

/// The length of the longest common subsequence.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut row = [0usize; LONGEST + 1];
    for x in a {
        let mut above_left = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { above_left + 1 } else { above.max(row[j]) };
            above_left = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sound_alike_in_all_scripts() {
        let alike =
            |a: &str, b: &str| Sound::of(&a.to_lowercase()).is_like(&Sound::of(&b.to_lowercase()));
        for (one, other) in [
            ("Tokayev", "Токаев"),
            ("Tokayev", "Tokajew"),
            ("Zelenskyy", "Зеленский"),
            ("Merkel", "ميركل"),
            ("Netanyahu", "Нетаньяху"),
            ("Tsipras", "Τσίπρας"),
            ("Macron", "माक्रों"),
            ("Belfast", "베르파스트"),
            ("Trump", "トランプ"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("Tokayev", "Kenya"),
            ("Belfast", "Atlanta"),
            ("Merkel", "Macron"),
            ("Токаев", "Кения"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }
}
