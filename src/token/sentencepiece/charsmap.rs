//! SentencePiece's table of replacements (`precompiled_charsmap`): a double array over UTF-8 bytes
//! whose values point into a blob of replacement texts. It is checked whole before anyone walks it,
//! because the walkers, ours and the `tokenizers` crate's, trust it.

/// A longer replacement than any in use (the longest of NFKC, U+FDFA's, has 33 bytes): text would
/// grow without bound.
const MAX_REPLACEMENT: usize = 1024;

/// A checked table.
#[derive(Debug)]
pub struct Charsmap {
    units: Vec<u32>,
    /// Texts, each ended by NUL.
    replacements: String,
}

impl Charsmap {
    /// `bytes`: the size of the array in bytes (u32, little endian), the array, the replacement
    /// texts.
    pub fn new(bytes: &[u8]) -> Result<Charsmap, String> {
        let (size, rest) =
            bytes.split_first_chunk::<4>().ok_or("the table of replacements is cut off")?;
        let size = u32::from_le_bytes(*size) as usize;
        let (array, replacements) = rest
            .split_at_checked(size)
            .ok_or("the table of replacements is shorter than it says")?;
        let (units, odd) = array.as_chunks::<4>();
        if units.is_empty() || !odd.is_empty() {
            return Err(format!("the table of replacements has an array of {size} bytes"));
        }
        let replacements = String::from_utf8(replacements.to_vec())
            .map_err(|_| "a replacement text is not valid UTF-8")?;
        let map = Charsmap {
            units: units.iter().map(|u| u32::from_le_bytes(*u)).collect(),
            replacements,
        };
        map.check()?;
        Ok(map)
    }

    /// Visits every node that some text can lead to: all its neighbours and values must exist.
    fn check(&self) -> Result<(), String> {
        let broken = || "the table of replacements points outside of itself".to_string();
        let mut seen = vec![false; self.units.len()];
        let mut open = vec![offset(self.units[0])];
        while let Some(base) = open.pop() {
            // A node's children lie within 256 units, so that its own place among them may be
            // looked up with any byte.
            if base | 0xff >= self.units.len() {
                return Err(broken());
            }
            if std::mem::replace(&mut seen[base], true) {
                continue;
            }
            for byte in 1..=255usize {
                let unit = self.units[base ^ byte];
                if label(unit) != byte as u32 {
                    continue;
                }
                let child = (base ^ byte) ^ offset(unit);
                if has_leaf(unit) {
                    let value = *self.units.get(child).ok_or_else(broken)?;
                    let length = self.replacement(value).ok_or_else(broken)?.len();
                    if length > MAX_REPLACEMENT {
                        return Err(format!("a replacement text has {length} bytes"));
                    }
                }
                open.push(child);
            }
        }
        Ok(())
    }

    fn replacement(&self, value: u32) -> Option<&str> {
        let text = self.replacements.get((value & 0x7fff_ffff) as usize..)?;
        Some(text.split('\0').next().unwrap_or(text))
    }

    /// The longest beginning of `text` that is replaced, its length in bytes and what replaces it.
    pub fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut found = None;
        let mut node = offset(self.units[0]);
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            let unit = *self.units.get(node ^ usize::from(byte))?;
            if label(unit) != u32::from(byte) {
                break;
            }
            node ^= usize::from(byte) ^ offset(unit);
            if has_leaf(unit) && text.is_char_boundary(at + 1) {
                found = self.replacement(*self.units.get(node)?).map(|r| (at + 1, r)).or(found);
            }
        }
        found
    }
}

/// The byte that leads to a unit; a value, which no byte leads to, has the highest bit set.
fn label(unit: u32) -> u32 {
    unit & (1 << 31 | 0xff)
}

/// Whether the bytes so far are an entry of the table.
fn has_leaf(unit: u32) -> bool {
    unit >> 8 & 1 == 1
}

/// The number that is combined with the unit's place to get to its children.
fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

#[cfg(test)]
mod tests {
    use super::Charsmap;

    /// One entry: `a` becomes `bc`.
    fn table() -> Vec<u8> {
        let mut units = vec![0u32; 256];
        units[0] = 0;
        units[b'a' as usize] = u32::from(b'a') | 1 << 8 | (u32::from(b'a') ^ 1) << 10;
        units[1] = 1 << 31;
        let mut bytes = 1024u32.to_le_bytes().to_vec();
        bytes.extend(units.iter().flat_map(|u| u.to_le_bytes()));
        bytes.extend(b"bc\0");
        bytes
    }

    #[test]
    fn a_beginning_is_replaced() {
        let map = Charsmap::new(&table()).unwrap();
        assert_eq!(map.longest("ax"), Some((1, "bc")));
        assert_eq!(map.longest("xa"), None);
        assert_eq!(map.longest("\0"), None);
        assert_eq!(map.longest(""), None);
    }

    #[test]
    fn a_broken_table_is_refused() {
        let good = table();
        for length in 0..good.len() - 3 {
            assert!(Charsmap::new(&good[..length]).is_err(), "cut off at {length}");
        }
        let with = |unit: usize, value: u32| {
            let mut bytes = good.clone();
            bytes[4 + 4 * unit..8 + 4 * unit].copy_from_slice(&value.to_le_bytes());
            Charsmap::new(&bytes).map(|_| ())
        };
        assert!(with(0, 0xffff_fc00).is_err(), "children outside of the array");
        assert!(
            with(b'a' as usize, u32::from(b'a') | 1 << 8 | 0x3ff << 10).is_err(),
            "a value outside of the array"
        );
        assert!(with(1, 1 << 31 | 4).is_err(), "a text outside of the blob");
        assert!(
            with(b'b' as usize, u32::from(b'b') | 0x3ff << 10).is_err(),
            "grandchildren outside of the array"
        );
    }
}
