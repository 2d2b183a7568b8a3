//! What the words of the lexicon stand for.

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Concept {
    /// From Monday (0) to Sunday (6).
    Weekday(u8),
    /// From January (1) to December (12).
    Month(u8),
    /// Yesterday (-1) or tomorrow (1).
    Day(i8),
    /// The number of one of `UNITS` in `lexicon/units.rs`.
    Unit(u8),
    /// A territory, continent or city.
    Place(Place),
}

/// A territory, continent or city, by its number in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place(pub(super) u16);
