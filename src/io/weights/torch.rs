//! The tensors of a file that `torch.save` wrote of a `state_dict`: in today's form, a zip archive
//! with a pickle and one member a storage, and in that from before PyTorch 1.6, in which many older
//! models of the Hub still are.

use super::pickle::{Described, Id, Pickle};
use super::stored::View;
use super::zip::{Member, members};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// A pickle longer than this describes no model; a tensor takes about 200 bytes.
const PICKLE_LIMIT: u64 = 16 << 20;
/// The first bytes of the old form: a pickle of one great number.
const OLD_MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
const OLD_VERSION: i64 = 1001;

/// Reads and checks the descriptions of all tensors; nothing of the tensors themselves. The message
/// says what is wrong.
pub(super) fn read(
    file: &mut (impl Read + Seek),
    size: u64,
) -> Result<Vec<(String, View)>, String> {
    let mut first = [0; 15];
    let length = first.len().min(size as usize);
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_exact(&mut first[..length]))
        .map_err(|e| e.to_string())?;
    if first == OLD_MAGIC {
        return old(file, size);
    }
    if !first.starts_with(b"PK\x03\x04") {
        return Err("it is no file of torch.save; convert the model to safetensors".into());
    }
    let members = members(file, size)?;
    let mut pickles =
        members.keys().filter(|name| name.ends_with("/data.pkl") && name.matches('/').count() == 1);
    let (Some(name), None) = (pickles.next(), pickles.next()) else {
        return Err(
            "it has not one data.pkl, as torch.save writes it; convert the model to safetensors"
                .into(),
        );
    };
    let root = name.trim_end_matches("data.pkl");
    if let Some(order) = members.get(&format!("{root}byteorder")) {
        let order = slice(file, order, 16)?;
        if order != b"little" {
            return Err(format!(
                "its byte order is {:?}; expected little",
                String::from_utf8_lossy(&order)
            ));
        }
    }
    let pickle = slice(file, &members[name], PICKLE_LIMIT)?;
    let pickle = Pickle::load(&pickle, 0)?;
    views(&pickle, |key| match members.get(&format!("{root}data/{key}")) {
        Some(Member::Stored(range)) => Ok(range.clone()),
        Some(Member::Packed) => Err(PACKED.into()),
        None => Err(format!("its storage {key} is missing; the file is damaged: fetch it again")),
    })
}

const PACKED: &str = "it has been compressed, and torch.save stores weights as they are; save it with torch, or as safetensors";

fn slice(file: &mut (impl Read + Seek), member: &Member, limit: u64) -> Result<Vec<u8>, String> {
    let Member::Stored(range) = member else { return Err(PACKED.into()) };
    let length = range.end - range.start;
    if length > limit {
        return Err(format!(
            "its list of tensors has {length} bytes; no model needs more than {limit}"
        ));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(range.start))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// The form from before 1.6: pickles of a magic number, a version, the machine, the tensors, and
/// the order of the storages, which follow, each after its number of elements.
fn old(file: &mut (impl Read + Seek), size: u64) -> Result<Vec<(String, View)>, String> {
    let bytes = slice(file, &Member::Stored(0..size.min(PICKLE_LIMIT)), PICKLE_LIMIT)?;
    let version = Pickle::load(&bytes, OLD_MAGIC.len())?;
    if version.int(version.root) != Some(OLD_VERSION) {
        return Err("its version is not known; save it again with a newer PyTorch".into());
    }
    let machine = Pickle::load(&bytes, version.end)?;
    if !machine.entry(machine.root, "little_endian").is_some_and(|v| machine.is_true(v)) {
        return Err("it comes from a big-endian machine; save it again on another".into());
    }
    let tensors = Pickle::load(&bytes, machine.end)?;
    let order = Pickle::load(&bytes, tensors.end)?;
    let kinds: HashMap<&str, usize> =
        tensors.storages().map(|s| (s.key.as_str(), s.kind.size())).collect();
    let mut places: HashMap<String, Range<u64>> = HashMap::new();
    let mut at = order.end as u64;
    for &key in order.sequence(order.root).ok_or("it has no list of storages")? {
        let key = order.text(key).ok_or("its list of storages is broken")?;
        let kind = *kinds
            .get(key)
            .ok_or_else(|| format!("its storage {key} belongs to nothing; the file is damaged"))?;
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut count))
            .map_err(|_| cut(size))?;
        let end =
            u64::from_le_bytes(count).checked_mul(kind as u64).and_then(|n| n.checked_add(at + 8));
        let end = end.filter(|&end| end <= size).ok_or_else(|| cut(size))?;
        if places.insert(key.into(), at + 8..end).is_some() {
            return Err(format!("its storage {key} is in it twice"));
        }
        at = end;
    }
    views(&tensors, |key| {
        places
            .get(key)
            .cloned()
            .ok_or_else(|| format!("its storage {key} is missing; the file is damaged"))
    })
}

fn cut(size: u64) -> String {
    format!("it has {size} bytes, fewer than its tensors need; it is cut off: fetch it again")
}

/// The tensors of a state dict by name, or of one that lies one level deep beside other things.
fn each_tensor(pickle: &Pickle) -> Result<Vec<(&str, &Described)>, String> {
    let of = |dict: Id| -> Vec<(&str, &Described)> {
        pickle
            .dict(dict)
            .unwrap_or_default()
            .iter()
            .filter_map(|(key, value)| Some((pickle.text(*key)?, pickle.tensor(*value)?)))
            .collect()
    };
    let direct = of(pickle.root);
    if !direct.is_empty() {
        return Ok(direct);
    }
    let named = ["state_dict", "model_state_dict", "model"]
        .iter()
        .find_map(|key| pickle.entry(pickle.root, key));
    let inner = named.map(of).unwrap_or_default();
    if inner.is_empty() {
        Err("there are no tensors with names in it; expected a state dict".into())
    } else {
        Ok(inner)
    }
}

fn views(
    pickle: &Pickle,
    place: impl Fn(&str) -> Result<Range<u64>, String>,
) -> Result<Vec<(String, View)>, String> {
    let mut views = Vec::new();
    for (name, Described { storage, offset, shape, strides }) in each_tensor(pickle)? {
        let wrong = |what: String| format!("tensor {name}: {what}");
        let stored = place(&storage.key).map_err(wrong)?;
        let declared = storage
            .count
            .checked_mul(storage.kind.size() as u64)
            .and_then(|n| n.checked_add(stored.start));
        let Some(end) = declared.filter(|&end| end <= stored.end) else {
            let found = stored.end - stored.start;
            return Err(wrong(format!(
                "its storage should have {} numbers and has {found} bytes; the file is damaged",
                storage.count
            )));
        };
        let view = View::new(
            storage.kind,
            shape.clone(),
            Some(strides.clone()),
            *offset,
            stored.start..end,
        )
        .map_err(wrong)?;
        views.push((name.to_string(), view));
    }
    Ok(views)
}
