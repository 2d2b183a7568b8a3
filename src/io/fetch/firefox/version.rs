//! Versions of records, as Mozilla compares them: `3.0a1` comes before `3.0`.

use std::cmp::Ordering;

/// A version: its parts between the dots, each a number and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version(Vec<(u64, String)>);

impl Version {
    pub fn parse(text: &str) -> Version {
        let part = |part: &str| {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            (part[..digits].parse().unwrap_or(0), part[digits..].to_string())
        };
        Version(text.split('.').map(part).collect())
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.0.first().map_or(0, |part| part.0)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let none = (0, String::new());
        let parts = self.0.len().max(other.0.len());
        let part = |version: &Version, i: usize| version.0.get(i).unwrap_or(&none).clone();
        let compare = |i| {
            let ((a, a_rest), (b, b_rest)) = (part(self, i), part(other, i));
            // What follows a number makes it an earlier one.
            let rest = match (a_rest.is_empty(), b_rest.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => a_rest.cmp(&b_rest),
            };
            a.cmp(&b).then(rest)
        };
        (0..parts).map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_mozilla_compares_them() {
        let ordered = ["1.0", "2.1", "3.0a1", "3.0a2", "3.0", "3.0.1", "3.1a", "3.2", "3.10", "4"];
        for pair in ordered.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("3").cmp(&Version::parse("3.0")), Ordering::Equal);
        assert_eq!((Version::parse("3.0a1").major(), Version::parse("x").major()), (3, 0));
    }
}
