//! Entries of one size that are found by a hash, for as many articles as a job may have: beside the
//! entries themselves it takes some eight bytes for each, and growing copies nothing.

use hashbrown::HashTable;

/// What a [`Table`] holds.
pub(super) trait Entry {
    /// What an entry is found by: the beginning of a SHA-256.
    type Key: Copy + Eq;

    /// The key of this one.
    fn key(&self) -> Self::Key;

    /// A part of a key that is as good as random.
    fn hash(key: Self::Key) -> u64;
}

/// Entries in the order in which they came, each with another key.
#[derive(Debug)]
pub(super) struct Table<E> {
    entries: Vec<E>,
    /// The numbers of the entries. There are fewer than 2³²: that many would not fit into memory.
    numbers: HashTable<u32>,
}

impl<E> Default for Table<E> {
    fn default() -> Self {
        Table { entries: Vec::new(), numbers: HashTable::new() }
    }
}

impl<E: Entry> Table<E> {
    /// The number of the entry with this key.
    pub fn number(&self, key: E::Key) -> Option<u32> {
        let is_it = |number: &u32| self.at(*number).key() == key;
        self.numbers.find(E::hash(key), is_it).copied()
    }

    /// The entry with this key.
    pub fn get(&self, key: E::Key) -> Option<&E> {
        self.number(key).map(|number| self.at(number))
    }

    /// The entry of this number.
    pub fn at(&self, number: u32) -> &E {
        &self.entries[number as usize]
    }

    /// The same, to be changed; its key stays.
    pub fn at_mut(&mut self, number: u32) -> &mut E {
        &mut self.entries[number as usize]
    }

    /// The number of the entry with this key, which is `new` where there was none.
    pub fn number_or_insert(&mut self, key: E::Key, new: impl FnOnce() -> E) -> u32 {
        if let Some(number) = self.number(key) {
            return number;
        }
        let number = self.entries.len() as u32;
        self.entries.push(new());
        let entries = &self.entries;
        let hash_of = |number: &u32| E::hash(entries[*number as usize].key());
        self.numbers.insert_unique(E::hash(key), number, hash_of);
        number
    }

    /// All entries, in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, E> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Square(u64, u64);

    impl Entry for Square {
        type Key = u64;

        fn key(&self) -> u64 {
            self.0
        }

        // Few hashes for many keys.
        fn hash(key: u64) -> u64 {
            key % 7
        }
    }

    #[test]
    fn entries_are_found_by_their_keys_whatever_their_hashes() {
        let mut table = Table::default();
        for key in (0..200).chain(0..200) {
            let number = table.number_or_insert(key, || Square(key, key * key));
            assert_eq!(u64::from(number), key);
        }
        table.at_mut(3).1 = 0;
        for key in 0..200 {
            let expected = if key == 3 { 0 } else { key * key };
            assert_eq!(table.get(key).map(|square| square.1), Some(expected));
        }
        assert!(table.get(200).is_none() && table.iter().count() == 200);
    }
}
