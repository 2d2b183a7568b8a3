//! GGUF files: candle reads them, after a look at the header that keeps it from what it does not
//! check itself.
//!
//! candle 0.11 bounds strings and arrays by the file's size only (an array of bytes takes 24 times
//! its size in memory), divides by the alignment that the file names, 0 included, and hands a
//! tensor without elements on to code that may not have one.

use crate::checkpoint::{Amount, BlockFormat, Config, MatrixReader, Weights, stand_in, with_slice};
use crate::error::{Error, Result};
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{Device, Tensor};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The metadata and the list of tensors are not longer; a vocabulary of 260 000 tokens takes about
/// 8 MB.
const HEADER_LIMIT: u64 = 256 << 20;
/// Values in the metadata, those in arrays included; that vocabulary takes about 1.3 million.
const MAX_VALUES: u64 = 4 << 20;
/// Arrays in arrays.
const MAX_DEPTH: usize = 4;
const MAX_DIMS: u32 = 4;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// The weights of a GGUF file, as they are asked for: dequantized, or in their blocks.
pub struct Gguf {
    path: String,
    content: gguf_file::Content,
    file: Mutex<BufReader<File>>,
}

impl Gguf {
    /// Reads the header. The configuration is returned beside the weights.
    ///
    /// # Errors
    /// When the file is no GGUF file, is cut off, or its header describes more than the file can
    /// hold or a model has.
    pub fn open(path: &Path) -> Result<(Config, Gguf)> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(Error::io("reading", path))?;
        let size = file.metadata().map_err(Error::io("reading", path))?.len();
        let mut reader = BufReader::new(file);
        let mut content = read_header(&mut reader, size, path)?;
        let config = Config::Gguf(std::mem::take(&mut content.metadata));
        Ok((config, Gguf { path: name, content, file: Mutex::new(reader) }))
    }

    fn missing(&self, name: &str) -> Error {
        Error::model(&self.path, format!("weight {name} is missing"))
    }
}

impl Weights for Gguf {
    fn model(&self) -> &str {
        &self.path
    }

    fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.content.tensor_infos.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        let info = self.content.tensor_infos.get(name).ok_or_else(|| self.missing(name))?;
        let (kind, size) = (info.ggml_dtype, info.ggml_dtype.block_size());
        let rows = match *info.shape.dims() {
            [rows, columns] if columns == width && width.is_multiple_of(size) => rows,
            _ => return MatrixReader::from_tensor(self.get_rows(name, width)?),
        };
        // Rows are whole blocks, one after the other; that all of them are in the file was checked
        // when it was opened.
        let bytes = width / size * kind.type_size();
        let start = self.content.tensor_data_offset + info.offset;
        let read_blocks = move |range: Range<usize>, out: &mut [u8]| {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let place = SeekFrom::Start(start + (range.start * bytes) as u64);
            file.seek(place)
                .and_then(|_| file.read_exact(out))
                .map_err(Error::io("reading", Path::new(&self.path)))
        };
        let reader = MatrixReader::new(rows, width, move |range, out| {
            let mut data = vec![0; range.len() * bytes];
            read_blocks(range.clone(), &mut data)?;
            let quantized = qtensor_from_ggml(kind, &data, vec![range.len(), width], &Device::Cpu)?;
            let rows = quantized.dequantize(&Device::Cpu)?;
            with_slice(&rows, |rows| out.copy_from_slice(rows))
        });
        Ok(match block_format(kind) {
            Some(format) => reader.with_blocks(format, read_blocks),
            None => reader,
        })
    }

    fn amount(&self) -> Amount {
        self.content.tensor_infos.values().fold(Amount::default(), |sum, info| {
            let (numbers, kind) = (info.shape.elem_count(), info.ggml_dtype);
            let stored = numbers / kind.block_size() * kind.type_size();
            Amount {
                numbers: sum.numbers.saturating_add(numbers as u64),
                stored: sum.stored.saturating_add(stored as u64),
            }
        })
    }

    fn is_in_blocks(&self) -> bool {
        let count = |wanted: &dyn Fn(GgmlDType) -> bool| -> usize {
            let tensors = self.content.tensor_infos.values();
            let wanted = tensors.filter(|info| wanted(info.ggml_dtype));
            wanted.map(|info| info.shape.elem_count()).sum()
        };
        count(&|kind| block_format(kind).is_some()) > count(&|_| true) / 2
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        if !self.has(name) {
            return Err(self.missing(name));
        }
        let quantized = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            self.content.tensor(&mut *file, name, &Device::Cpu)?
        };
        Ok(quantized.dequantize(&Device::Cpu)?)
    }
}

/// The format of the kernels that has a kind's blocks as they are, if there is one.
fn block_format(kind: GgmlDType) -> Option<BlockFormat> {
    match kind {
        GgmlDType::Q4_0 => Some(BlockFormat::Q4_0),
        GgmlDType::Q4K => Some(BlockFormat::Q4K),
        GgmlDType::Q5K => Some(BlockFormat::Q5K),
        GgmlDType::Q6K => Some(BlockFormat::Q6K),
        _ => None,
    }
}

/// Reads and checks the header, and that the tensors it lists lie in a file of `size` bytes.
pub(super) fn read_header(
    reader: &mut (impl Read + Seek),
    size: u64,
    path: &Path,
) -> Result<gguf_file::Content> {
    let name = path.display().to_string();
    let unreadable = |why: String| {
        let why = format!(
            "not a readable GGUF file: {why}; fetch it again, or check it with `polygist models verify`"
        );
        Error::model(&name, stand_in::explain(path, why))
    };
    let end = Scan::new(reader, size).header().map_err(unreadable)?;
    let mut header = vec![0; end as usize];
    reader
        .rewind()
        .and_then(|()| reader.read_exact(&mut header))
        .map_err(Error::io("reading", path))?;
    // From memory: candle asks at every string where it is, and a file would ask the system.
    let content = gguf_file::Content::read(&mut Cursor::new(header))
        .map_err(|e| unreadable(e.to_string()))?;
    for (tensor, info) in &content.tensor_infos {
        // The header is checked against the file before anything is allocated for its tensors.
        let elements = info.shape.dims().iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
        if elements == Some(0) {
            return Err(Error::model(
                &name,
                format!("tensor {tensor} has no elements; the file is damaged: fetch it again"),
            ));
        }
        let bytes = elements.and_then(|n| {
            (n / info.ggml_dtype.block_size() as u64)
                .checked_mul(info.ggml_dtype.type_size() as u64)
        });
        let end = bytes
            .and_then(|b| b.checked_add(info.offset))
            .and_then(|b| b.checked_add(content.tensor_data_offset));
        if end.is_none_or(|end| end > size) {
            return Err(Error::model(
                &name,
                format!(
                    "tensor {tensor} ends beyond the file's {size} bytes; the file is cut off: fetch it again"
                ),
            ));
        }
    }
    Ok(content)
}

/// Walks over a header without keeping any of it.
struct Scan<'a, R> {
    reader: &'a mut R,
    /// The first byte that the header may not reach.
    end: u64,
    at: u64,
    values: u64,
    /// Whether lengths have 64 bits; before version 2 they had 32.
    wide: bool,
}

impl<'a, R: Read + Seek> Scan<'a, R> {
    fn new(reader: &'a mut R, size: u64) -> Self {
        Scan { reader, end: size.min(HEADER_LIMIT), at: 0, values: 0, wide: true }
    }

    /// The byte after the header's last.
    fn header(&mut self) -> std::result::Result<u64, String> {
        if self.bytes::<4>()? != *b"GGUF" {
            return Err("it does not begin with GGUF".into());
        }
        let version = self.u32()?;
        if !(1..=3).contains(&version) {
            return Err(format!("version {version} is not known"));
        }
        self.wide = version > 1;
        let (tensors, entries) = (self.length()?, self.length()?);
        let mut names = HashSet::new();
        for _ in 0..entries {
            let key = self.string(1 << 16)?;
            let kind = self.u32()?;
            if key == b"general.alignment" {
                self.alignment(kind)?;
            } else {
                self.value(kind, 0)?;
            }
        }
        for _ in 0..tensors {
            self.count(1)?;
            let name = self.string(1 << 10)?;
            let dims = self.u32()?;
            if dims > MAX_DIMS {
                return Err(format!("a tensor has {dims} dimensions"));
            }
            let size = if self.wide { 8 } else { 4 };
            self.skip(u64::from(dims) * size + 4 + 8)?;
            if !names.insert(name) {
                return Err("a tensor is in it twice".into());
            }
        }
        Ok(self.at)
    }

    fn alignment(&mut self, kind: u32) -> std::result::Result<(), String> {
        // An unsigned 32-bit number, as the format asks.
        match if kind == 4 { self.u32()? } else { 0 } {
            0 => Err("its alignment is no number above 0".into()),
            alignment if !alignment.is_power_of_two() => {
                Err(format!("its alignment is {alignment}"))
            }
            _ => Ok(()),
        }
    }

    fn value(&mut self, kind: u32, depth: usize) -> std::result::Result<(), String> {
        match kind {
            STRING => {
                self.count(1)?;
                let length = self.length()?;
                self.skip(length)
            }
            ARRAY if depth >= MAX_DEPTH => Err("its arrays are nested too deep".into()),
            ARRAY => {
                self.count(1)?;
                let (kind, length) = (self.u32()?, self.length()?);
                match width(kind) {
                    Some(width) => {
                        self.count(length)?;
                        self.skip(
                            length.checked_mul(width).ok_or("an array is longer than any file")?,
                        )
                    }
                    None => (0..length).try_for_each(|_| self.value(kind, depth + 1)),
                }
            }
            kind => {
                self.count(1)?;
                self.skip(
                    width(kind).ok_or_else(|| format!("a value has the unknown type {kind}"))?,
                )
            }
        }
    }

    fn count(&mut self, values: u64) -> std::result::Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            Err(format!("it has more than {MAX_VALUES} values"))
        } else {
            Ok(())
        }
    }

    fn string(&mut self, limit: u64) -> std::result::Result<Vec<u8>, String> {
        let length = self.length()?;
        if length > limit {
            return Err(format!("a name has {length} bytes"));
        }
        self.advance(length)?;
        let mut bytes = vec![0; length as usize];
        self.reader.read_exact(&mut bytes).map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    fn length(&mut self) -> std::result::Result<u64, String> {
        if self.wide { self.bytes().map(u64::from_le_bytes) } else { self.u32().map(u64::from) }
    }

    fn u32(&mut self) -> std::result::Result<u32, String> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn bytes<const N: usize>(&mut self) -> std::result::Result<[u8; N], String> {
        self.advance(N as u64)?;
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64) -> std::result::Result<(), String> {
        self.advance(length)?;
        self.reader.seek_relative(length as i64).map_err(|e| e.to_string())
    }

    fn advance(&mut self, length: u64) -> std::result::Result<(), String> {
        self.at = self
            .at
            .checked_add(length)
            .filter(|&at| at <= self.end)
            .ok_or("its header ends beyond the file, or is larger than any")?;
        Ok(())
    }
}

/// Bytes of a value of a fixed size.
fn width(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return None,
    })
}
