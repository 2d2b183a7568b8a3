//! Which records a journal has, and where: some sixty bytes for each, however long it is.

use super::line::{Digest, Known, Languages, Line};
use crate::io::table::{Entry, Table};
use std::collections::HashMap;

/// In place of an order: this run has not met the article.
const NOT_MET: u32 = u32::MAX;

/// The lines of a journal.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Table<Place>,
    /// Articles met so far.
    met: u32,
    languages: KnownLanguages,
}

/// What is known of an article in a language.
#[derive(Debug)]
struct Place {
    id: Digest,
    /// Place in the order of articles of this run, or [`NOT_MET`].
    order: u32,
    line: Option<Line>,
    languages: u16,
}

impl Entry for Place {
    type Key = Digest;

    fn key(&self) -> Digest {
        self.id
    }

    fn hash([a, b, c, d, e, f, g, h, ..]: Digest) -> u64 {
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Index {
    fn number(&mut self, id: Digest) -> u32 {
        let new = || Place { id, order: NOT_MET, line: None, languages: 0 };
        self.places.number_or_insert(id, new)
    }

    /// Puts a line, with the languages of its article; says whether it takes the place of another.
    pub fn put(&mut self, id: Digest, (line, languages): (Line, Option<Languages>)) -> bool {
        let (number, languages) = (self.number(id), self.languages.number(languages));
        let place = self.places.at_mut(number);
        place.languages = languages;
        place.line.replace(line).is_some()
    }

    /// The record, if there is one.
    pub fn find(&self, id: Digest) -> Option<Known<'_>> {
        let place = self.places.get(id)?;
        let line = place.line.as_ref()?;
        let languages = self.languages.get(place.languages);
        Some(Known { status: line.told.status, line, languages })
    }

    /// Drops a record; says whether there was one.
    pub fn forget(&mut self, id: Digest) -> bool {
        let Some(number) = self.places.number(id) else { return false };
        self.places.at_mut(number).line.take().is_some()
    }

    /// Notes that an article was met, which is the next one unless it was met before.
    pub fn meet(&mut self, id: Digest) {
        let number = self.number(id);
        let order = &mut self.places.at_mut(number).order;
        if *order == NOT_MET {
            *order = self.met;
            self.met += 1;
        }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.places.iter().filter(|place| place.line.is_some()).count()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.places.iter().all(|place| place.line.is_none())
    }

    /// The numbers of all records in the order of articles; those that this run did not meet come
    /// after, in the order of the file.
    pub fn in_order(&self) -> Vec<u32> {
        let numbers = (0..).zip(self.places.iter());
        let mut order: Vec<u32> =
            numbers.filter(|(_, place)| place.line.is_some()).map(|(number, _)| number).collect();
        order.sort_unstable_by_key(|number| {
            let place = self.places.at(*number);
            (place.order, place.line.map(|line| line.offset))
        });
        order
    }

    /// The lines of these numbers.
    pub fn lines(&self, numbers: &[u32]) -> impl Iterator<Item = &Line> {
        numbers.iter().filter_map(|number| self.places.at(*number).line.as_ref())
    }

    /// The file has these lines now, one after the other.
    pub fn move_to(&mut self, numbers: &[u32]) {
        let mut offset = 0;
        for number in numbers {
            if let Some(line) = &mut self.places.at_mut(*number).line {
                line.offset = offset;
                offset += u64::from(line.length);
            }
        }
    }
}

/// The languages that articles have. There are few, and many articles of each.
#[derive(Debug, Default)]
struct KnownLanguages {
    all: Vec<Languages>,
    numbers: HashMap<Languages, u16>,
}

impl KnownLanguages {
    /// The number of what is known of an article's languages; 0 where nothing is, or too much of
    /// other articles: then it is found out again.
    fn number(&mut self, languages: Option<Languages>) -> u16 {
        let Some(languages) = languages else { return 0 };
        if let Some(number) = self.numbers.get(&languages) {
            return *number;
        }
        let Ok(number) = u16::try_from(self.all.len() + 1) else { return 0 };
        self.all.push(languages.clone());
        self.numbers.insert(languages, number);
        number
    }

    fn get(&self, number: u16) -> Option<&Languages> {
        self.all.get(usize::from(number).checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_few_bytes() {
        assert!(size_of::<Place>() <= 56, "{}", size_of::<Place>());
    }
}
