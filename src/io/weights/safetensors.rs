//! The header of a safetensors file: eight bytes of length, JSON, and the tensors' bytes after it.
//!
//! The `safetensors` crate (0.8) is not used for it: it wants the whole file in memory or mapped,
//! takes the last of two tensors of one name, and its errors name neither the tensor nor the bytes
//! that are wrong.

use super::stored::{Kind, View};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::io::Read;

/// A header longer than this describes no model; the largest known ones take a few megabytes.
const HEADER_LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The entries in the file's order, with their names; a name may stand there only once.
struct Header(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one entry a tensor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let (mut entries, mut seen) = (Vec::new(), HashSet::new());
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    }
                    if !seen.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!(
                            "tensor {name} is listed twice"
                        )));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Header(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Reads and checks the header; nothing of the tensors themselves. The message says what is wrong
/// with the file.
pub(super) fn read(file: &mut impl Read, size: u64) -> Result<Vec<(String, View)>, String> {
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| format!("it has {size} bytes, too few for a header; fetch it again"))?;
    let length = u64::from_le_bytes(length);
    let data = 8 + length.min(HEADER_LIMIT + 1);
    if length > HEADER_LIMIT || data > size {
        return Err(format!(
            "its header would have {length} bytes, the file has {size}; it is no safetensors file, or cut off"
        ));
    }
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text).map_err(|e| e.to_string())?;
    let Header(mut entries) =
        serde_json::from_slice(&text).map_err(|e| format!("its header cannot be read: {e}"))?;
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    // The tensors fill the file one after the other, as the format asks: no two share bytes, and
    // none are left over.
    let mut end = 0;
    let mut views = Vec::with_capacity(entries.len());
    for (name, Entry { dtype, shape, data_offsets: (from, to) }) in entries {
        let wrong = |what: String| format!("tensor {name}: {what}");
        let kind = kind(&dtype).ok_or_else(|| wrong(format!("its type {dtype:?} is not known")))?;
        if from != end || to < from {
            return Err(wrong(format!(
                "it lies at {from}..{to}, where {end} should be its beginning; the file is damaged"
            )));
        }
        if to > size - data {
            return Err(wrong(format!(
                "it ends at byte {} of a file of {size} bytes, which is cut off: fetch it again",
                to.saturating_add(data)
            )));
        }
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
        if count.and_then(|n| n.checked_mul(kind.size() as u64)) != Some(to - from) {
            return Err(wrong(format!(
                "{} bytes do not make the shape {shape:?} in {dtype}",
                to - from
            )));
        }
        let view = View::new(kind, shape, None, 0, data + from..data + to).map_err(wrong)?;
        views.push((name, view));
        end = to;
    }
    if end != size - data {
        return Err(format!(
            "its tensors end at byte {} of {size}; the file is damaged: fetch it again",
            data + end
        ));
    }
    Ok(views)
}

fn kind(dtype: &str) -> Option<Kind> {
    Some(match dtype {
        "F64" => Kind::F64,
        "F32" => Kind::F32,
        "F16" => Kind::F16,
        "BF16" => Kind::BF16,
        "I64" => Kind::Other("I64", 8),
        "U64" => Kind::Other("U64", 8),
        "I32" => Kind::Other("I32", 4),
        "U32" => Kind::Other("U32", 4),
        "I16" => Kind::Other("I16", 2),
        "U16" => Kind::Other("U16", 2),
        "I8" => Kind::Other("I8", 1),
        "U8" => Kind::Other("U8", 1),
        "BOOL" => Kind::Other("BOOL", 1),
        "F8_E4M3" => Kind::Other("F8_E4M3", 1),
        "F8_E5M2" => Kind::Other("F8_E5M2", 1),
        _ => return None,
    })
}
