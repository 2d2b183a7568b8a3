//! The binary files of Marian (`marian-conv`): a version, a list of headers, names, shapes, and the
//! items' bytes. One of the items is the model's configuration as YAML.
//!
//! 8-bit matrices are stored transposed (the embeddings are not), with the factor that made the
//! weights whole numbers after them. The kernels multiply these as they are; where floats are
//! wanted, they are read as `weight / factor`. Marian makes 8-bit integers of activations with the
//! multipliers that the file has for every matrix (`*_QuantMultA`, "alphas"); so does polygist with
//! [`Precision::Int8Static`](crate::kernel::Precision::Int8Static). Otherwise each row of
//! activations has a scale of its own, which rounds less.

use super::stored::{Kind, View};
use serde_json::{Map, Value};
use std::io::{Read, Seek, SeekFrom};

/// The version of the format; there has been no other.
const VERSION: u64 = 1;
/// Bytes of a header: lengths of name, shape and data, and the type.
const HEADER: usize = 32;
/// A student has about a hundred items, the largest teachers a few hundred.
const MAX_ITEMS: u64 = 1 << 16;
/// Bytes of all names together.
const MAX_NAMES: u64 = 16 << 20;
const MAX_DIMS: u64 = 8;
/// Bytes of the configuration.
const MAX_CONFIG: usize = 1 << 20;
/// The item that holds the configuration.
const CONFIG: &str = "special:model.yml";

/// The contents of a file.
pub(super) struct Contents {
    /// The configuration; lists as arrays, everything else as a flag, number or text.
    pub config: Map<String, Value>,
    pub views: Vec<(String, View)>,
}

/// Reads and checks headers and configuration; nothing of the weights themselves. The message says
/// what is wrong with the file.
pub(super) fn read<R: Read + Seek>(file: &mut R, size: u64) -> Result<Contents, String> {
    let cut = || {
        format!(
            "it ends within its headers, after {size} bytes; the download was cut off: fetch it again"
        )
    };
    let mut at = 0;
    let mut take = |file: &mut R, length: u64| -> Result<Vec<u8>, String> {
        at += length;
        if at > size {
            return Err(cut());
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact(&mut bytes).map_err(|e| e.to_string())?;
        Ok(bytes)
    };
    let head = numbers(&take(file, 16)?);
    let [version, count] = head[..] else { return Err(cut()) };
    if version != VERSION {
        return Err(format!(
            "it begins with {version} where Marian's binary models have {VERSION}; it is none"
        ));
    }
    if count > MAX_ITEMS {
        return Err(format!("it would have {count} items; it is no model of Marian's, or damaged"));
    }
    let headers: Vec<u64> = numbers(&take(file, count * HEADER as u64)?);
    let headers: Vec<&[u64; 4]> = headers.as_chunks::<4>().0.iter().collect();
    let names: u64 = headers.iter().fold(0, |sum, header| header[0].saturating_add(sum));
    if names > MAX_NAMES || headers.iter().any(|header| header[2] > MAX_DIMS) {
        return Err("its headers have names or shapes that no model has; it is damaged".into());
    }
    let names = take(file, names)?;
    let shapes = take(file, headers.iter().map(|header| header[2] * 4).sum())?;
    let padding = numbers(&take(file, 8)?).first().copied().unwrap_or(0);
    let mut start = at.saturating_add(padding);

    let (mut names, mut shapes) = (names.as_slice(), shapes.as_slice());
    let mut contents = Contents { config: Map::new(), views: Vec::with_capacity(headers.len()) };
    let mut seen = std::collections::HashSet::new();
    for &&[name, kind, dims, length] in &headers {
        let (text, rest) = names.split_at(name as usize);
        names = rest;
        let name = String::from_utf8_lossy(text).trim_end_matches('\0').to_string();
        let wrong = |what: String| format!("item {name}: {what}");
        let (dims, rest) = shapes.split_at(dims as usize * 4);
        shapes = rest;
        let dims = dims.as_chunks::<4>().0.iter().map(|b| usize::try_from(i32::from_le_bytes(*b)));
        let shape = dims
            .collect::<Result<Vec<usize>, _>>()
            .map_err(|_| wrong("its shape has a negative size".into()))?;
        let end = start.checked_add(length).filter(|&end| end <= size);
        let end = end.ok_or_else(|| {
            wrong(format!(
                "it ends beyond the file's {size} bytes, which is cut off: fetch it again"
            ))
        })?;
        if !seen.insert(name.clone()) {
            return Err(wrong("it is listed twice".into()));
        }
        if name == CONFIG {
            contents.config = configuration(file, start, length)?;
        } else {
            let view = view(&name, kind, shape, start, end).map_err(wrong)?;
            contents.views.push((name, view));
        }
        start = end;
    }
    if start != size {
        return Err(format!(
            "its items end at byte {start} of {size}; the file is damaged: fetch it again"
        ));
    }
    if contents.config.is_empty() {
        return Err(format!(
            "it has no configuration (item {CONFIG}); Marian's converter writes one"
        ));
    }
    Ok(contents)
}

fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect()
}

/// The place of an item's numbers; its bytes may be followed by others that fill them up.
fn view(name: &str, code: u64, shape: Vec<usize>, start: u64, end: u64) -> Result<View, String> {
    let kind = match code {
        0x404 => Kind::F32,
        0x402 => Kind::F16,
        0x408 => Kind::F64,
        0x101 | 0x201 => Kind::Other("8-bit integers", 1),
        0x102 | 0x202 => Kind::Other("16-bit integers", 2),
        0x104 | 0x204 => Kind::Other("32-bit integers", 4),
        0x108 | 0x208 => Kind::Other("64-bit integers", 8),
        // Bergamot's Marian and the later one have numbered it differently.
        0x4101 | 0x1_0001 => Kind::Scaled8,
        _ => {
            return Err(format!(
                "its type {code:#x} is not read; convert the model with `marian-conv --gemm-type intgemm8` (or float32), \
                 whose files are for every processor"
            ));
        }
    };
    // The factor stands right after the numbers.
    let end = if kind == Kind::Scaled8 { end.saturating_sub(4).max(start) } else { end };
    let strides = match shape.as_slice() {
        &[rows, _] if kind == Kind::Scaled8 && !name.contains("Wemb") => Some(vec![1, rows]),
        _ => None,
    };
    View::new(kind, shape, strides, 0, start..end)
}

fn configuration(
    file: &mut (impl Read + Seek),
    start: u64,
    length: u64,
) -> Result<Map<String, Value>, String> {
    let length = usize::try_from(length).ok().filter(|&n| n <= MAX_CONFIG);
    let length = length.ok_or_else(|| {
        format!("its configuration would have more than {MAX_CONFIG} bytes; it is damaged")
    })?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8(bytes)
        .map_err(|_| "its configuration is not UTF-8 text; the file is damaged")?;
    Ok(yaml(text.trim_end_matches('\0')))
}

/// The YAML that Marian writes: one entry a line, a list in brackets or with one dash a line. What
/// is deeper is left out.
fn yaml(text: &str) -> Map<String, Value> {
    let mut entries = Map::new();
    let mut list = String::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.trim_start().starts_with('#')) {
        if let Some(item) = line.trim_start().strip_prefix("- ") {
            match entries.get_mut(&list) {
                Some(Value::Array(items)) => items.push(scalar(item)),
                Some(value) if value.is_null() => *value = Value::Array(vec![scalar(item)]),
                _ => {}
            }
            continue;
        }
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.starts_with(' '))
        else {
            continue;
        };
        let value = value.trim();
        let inner = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
        let value = match inner {
            Some(items) => Value::Array(
                items
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(scalar)
                    .collect(),
            ),
            None if value.is_empty() => Value::Null,
            None => scalar(value),
        };
        list = key.to_string();
        entries.insert(list.clone(), value);
    }
    entries
}

fn scalar(text: &str) -> Value {
    let text = text.trim();
    let quoted = |mark: char| text.strip_prefix(mark).and_then(|t| t.strip_suffix(mark));
    if let Some(inner) = quoted('"').or_else(|| quoted('\'')) {
        return inner.into();
    }
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .unwrap_or_else(|_| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_marian_writes_as_yaml() {
        let text = "dim-vocabs:\n  - 184\n  - 200\ninput-types: []\ntied: [1, 2]\nskip: false\nseparator: \"[eos]\"\nscale: 0.5\nempty: \"\"\n\
                    version: v1.12 b7 2025-05-24 22:34\nnothing:\nnested:\n  a: 1\n";
        let expected = json!({
            "dim-vocabs": [184, 200], "input-types": [], "tied": [1, 2], "skip": false, "separator": "[eos]", "scale": 0.5, "empty": "",
            "version": "v1.12 b7 2025-05-24 22:34", "nothing": null, "nested": null
        });
        assert_eq!(Value::Object(yaml(text)), expected);
    }
}
