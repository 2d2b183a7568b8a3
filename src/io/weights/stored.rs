//! Tensors that lie in files: where each is, and reading it when it is asked for.

use crate::checkpoint::{Amount, MatrixReader, Weights};
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The number of a file's bytes that are in memory besides the numbers made from them.
const CHUNK: usize = 1 << 20;
/// No tensor of a model has more dimensions than this.
const MAX_DIMS: usize = 8;

/// The type of a stored number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F64,
    F32,
    F16,
    BF16,
    /// 8-bit integers; after the last one stands, as f32, what all are to be divided by.
    Scaled8,
    /// A type that weights are not made of (masks, position numbers, quantized values): its name
    /// and its size in bytes.
    Other(&'static str, usize),
}

impl Kind {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Kind::F64 => 8,
            Kind::F32 => 4,
            Kind::F16 | Kind::BF16 => 2,
            Kind::Scaled8 => 1,
            Kind::Other(_, size) => size,
        }
    }

    /// Appends the little-endian numbers in `bytes`; `None` for a type that is not read.
    fn decode(self, bytes: &[u8], out: &mut Vec<f32>) -> Option<()> {
        match self {
            Kind::F64 => {
                out.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32))
            }
            Kind::F32 => {
                out.extend(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)))
            }
            Kind::F16 => {
                out.extend(bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()))
            }
            Kind::BF16 => out
                .extend(bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32())),
            Kind::Scaled8 => out.extend(bytes.iter().map(|&b| f32::from(b.cast_signed()))),
            Kind::Other(..) => return None,
        }
        Some(())
    }
}

/// Where a tensor lies in its file, checked against the file's size.
#[derive(Clone, Debug)]
pub(super) struct View {
    kind: Kind,
    shape: Vec<usize>,
    /// Numbers between neighbours in each dimension; `None` where they are in order.
    strides: Option<Vec<usize>>,
    /// First byte in the file.
    start: u64,
    /// Numbers from the first to the last of the tensor, those between them that are none of its
    /// own included.
    span: usize,
}

impl View {
    /// A tensor in a storage, that is, in a range of the file's bytes; `offset` and `strides` count
    /// numbers.
    pub fn new(
        kind: Kind,
        shape: Vec<usize>,
        strides: Option<Vec<usize>>,
        offset: u64,
        storage: Range<u64>,
    ) -> Result<View, String> {
        let capacity = storage.end.saturating_sub(storage.start) / kind.size() as u64;
        let count = shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .filter(|_| shape.len() <= MAX_DIMS);
        // A tensor that repeats what is stored (stride 0) could be of any size; no model needs one.
        let Some(count) = count.filter(|&n| n as u64 <= capacity) else {
            return Err(format!(
                "its shape {shape:?} does not fit into the {capacity} numbers that are stored"
            ));
        };
        let strides = strides.filter(|strides| !in_order(&shape, strides));
        let span = match &strides {
            _ if count == 0 => Some(0),
            None => Some(count),
            Some(strides) if strides.len() != shape.len() => {
                return Err(format!("it has the shape {shape:?} and the strides {strides:?}"));
            }
            Some(strides) => shape.iter().zip(strides).try_fold(1usize, |end, (&dim, &stride)| {
                end.checked_add((dim - 1).checked_mul(stride)?)
            }),
        };
        let Some(span) =
            span.filter(|&span| offset.checked_add(span as u64).is_some_and(|end| end <= capacity))
        else {
            return Err(format!("it ends beyond the {capacity} numbers that are stored"));
        };
        Ok(View { kind, shape, strides, start: storage.start + offset * kind.size() as u64, span })
    }

    /// Whether two tensors have the same place.
    #[cfg(test)]
    pub fn range(&self) -> Range<u64> {
        self.start..self.start + (self.span * self.kind.size()) as u64
    }

    /// Some rows of a table of this width, whose numbers stand for themselves, in order.
    fn rows(&self, rows: Range<usize>, width: usize) -> View {
        let start = self.start + (rows.start * width * self.kind.size()) as u64;
        View {
            kind: self.kind,
            shape: vec![rows.len(), width],
            strides: None,
            start,
            span: rows.len() * width,
        }
    }

    fn read(&self, file: &mut File) -> std::io::Result<Option<Vec<f32>>> {
        let mut values = Vec::with_capacity(self.span);
        let mut left = self.span * self.kind.size();
        let mut buffer = vec![0; CHUNK.min(left)];
        file.seek(SeekFrom::Start(self.start))?;
        while left > 0 {
            let chunk = &mut buffer[..CHUNK.min(left)];
            file.read_exact(chunk)?;
            if self.kind.decode(chunk, &mut values).is_none() {
                return Ok(None);
            }
            left -= chunk.len();
        }
        if self.kind == Kind::Scaled8 {
            let scale = read_scale(file)?;
            values.iter_mut().for_each(|value| *value *= scale);
        }
        Ok(Some(match &self.strides {
            Some(strides) => gather(&values, &self.shape, strides),
            None => values,
        }))
    }
}

impl View {
    /// The 8-bit integers of a matrix as they lie in the file, their width, and their scale; `None`
    /// for other tensors.
    fn read_integers(&self, file: &mut File) -> std::io::Result<Option<(Vec<i8>, usize, f32)>> {
        let width = match (self.shape.as_slice(), self.strides.as_deref()) {
            (&[_, width], None) => width,
            // Transposed: columns lie one after the other.
            (&[width, _], Some(&[1, stride])) if stride == width => width,
            _ => return Ok(None),
        };
        if self.kind != Kind::Scaled8 || width == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; self.span];
        file.seek(SeekFrom::Start(self.start))?;
        file.read_exact(&mut bytes)?;
        let values = bytes.into_iter().map(u8::cast_signed).collect();
        Ok(Some((values, width, read_scale(file)?)))
    }
}

/// Reads the factor that stands after a matrix of 8-bit integers; what one of them is worth.
fn read_scale(file: &mut File) -> std::io::Result<f32> {
    let mut factor = [0; 4];
    file.read_exact(&mut factor)?;
    let scale = f32::from_le_bytes(factor).recip();
    if !scale.is_finite() || scale == 0.0 {
        return Err(std::io::Error::other(
            "the factor of a matrix of 8-bit integers is no number to divide by",
        ));
    }
    Ok(scale)
}

/// Whether the strides are those of a tensor whose numbers lie one after the other, last dimension
/// first.
fn in_order(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1usize;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&dim, &stride)| {
            let right = dim <= 1 || stride == expected;
            expected = expected.saturating_mul(dim);
            right
        })
}

/// The numbers of a tensor in order; the caller has checked that all of them are in `values`.
fn gather(values: &[f32], shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let mut out = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    while out.len() < count {
        out.push(values[at]);
        for dim in (0..shape.len()).rev() {
            index[dim] += 1;
            at += strides[dim];
            if index[dim] < shape[dim] {
                break;
            }
            at -= strides[dim] * shape[dim];
            index[dim] = 0;
        }
    }
    out
}

/// One file of weights.
struct Part {
    path: PathBuf,
    file: Mutex<File>,
}

/// The weights of one or more files, read as they are asked for.
pub(super) struct Stored {
    model: String,
    parts: Vec<Part>,
    views: BTreeMap<String, (usize, View)>,
}

impl Stored {
    pub fn new(model: String) -> Stored {
        Stored { model, parts: Vec::new(), views: BTreeMap::new() }
    }

    /// Adds a file's tensors; a name that is there already keeps its place.
    pub fn add(
        &mut self,
        path: &Path,
        file: File,
        views: impl IntoIterator<Item = (String, View)>,
    ) {
        let part = self.parts.len();
        self.parts.push(Part { path: path.into(), file: Mutex::new(file) });
        for (name, view) in views {
            self.views.entry(name).or_insert((part, view));
        }
    }
}

impl Stored {
    fn find(&self, name: &str) -> Result<(&Part, &View)> {
        let (part, view) = self
            .views
            .get(name)
            .ok_or_else(|| Error::model(&self.model, format!("weight {name} is missing")))?;
        Ok((&self.parts[*part], view))
    }

    fn read(&self, name: &str, Part { path, file }: &Part, view: &View) -> Result<Vec<f32>> {
        let values = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            view.read(&mut file).map_err(Error::io("reading", path))?
        };
        values.ok_or_else(|| {
            let Kind::Other(kind, _) = view.kind else {
                return Error::model(&self.model, format!("weight {name} cannot be read"));
            };
            Error::model(
                &self.model,
                format!("weight {name} is of the type {kind}; expected F32, F16, BF16 or F64"),
            )
        })
    }
}

impl Weights for Stored {
    fn model(&self) -> &str {
        &self.model
    }

    fn has(&self, name: &str) -> bool {
        self.views.contains_key(name)
    }

    fn names(&self) -> Vec<String> {
        self.views.keys().cloned().collect()
    }

    fn amount(&self) -> Amount {
        // Tied weights have one place.
        let places: BTreeMap<(usize, u64), &View> =
            self.views.values().map(|(part, view)| ((*part, view.start), view)).collect();
        let numbers = |view: &View| view.shape.iter().product::<usize>() as u64;
        places.values().fold(Amount::default(), |sum, view| Amount {
            numbers: sum.numbers + numbers(view),
            stored: sum.stored + numbers(view) * view.kind.size() as u64,
        })
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let (part, view) = self.find(name)?;
        Ok(Tensor::from_vec(self.read(name, part, view)?, view.shape.as_slice(), &Device::Cpu)?)
    }

    fn get_integers(&self, name: &str) -> Result<Option<MatrixReader<'_>>> {
        let (Part { path, file }, view) = self.find(name)?;
        let read = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            view.read_integers(&mut file).map_err(Error::io("reading", path))?
        };
        read.map(|(values, width, scale)| MatrixReader::of_integers(values, width, scale))
            .transpose()
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        let (part, view) = self.find(name)?;
        match view.shape[..] {
            [rows, columns]
                if columns == width && view.strides.is_none() && view.kind != Kind::Scaled8 =>
            {
                let name = name.to_string();
                Ok(MatrixReader::new(rows, width, move |range, out| {
                    out.copy_from_slice(&self.read(&name, part, &view.rows(range, width))?);
                    Ok(())
                }))
            }
            _ => MatrixReader::from_tensor(self.get_rows(name, width)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn every_half_is_converted_exactly() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for (kind, dtype) in [(Kind::F16, DType::F16), (Kind::BF16, DType::BF16)] {
            let mut ours = Vec::new();
            kind.decode(&bytes, &mut ours).unwrap();
            let tensor = Tensor::from_raw_buffer(&bytes, dtype, &[65536], &Device::Cpu).unwrap();
            let theirs = tensor.to_dtype(DType::F32).unwrap().to_vec1::<f32>().unwrap();
            for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
                assert!(
                    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
                    "{kind:?} {i:#x}: {a} {b}"
                );
            }
        }
    }

    #[test]
    fn places_outside_the_storage_are_refused() {
        let view = |shape: &[usize], strides: Option<&[usize]>, offset| {
            View::new(Kind::F32, shape.to_vec(), strides.map(<[usize]>::to_vec), offset, 100..148)
        };
        assert_eq!(view(&[3, 4], None, 0).unwrap().range(), 100..148);
        assert_eq!(view(&[4, 3], Some(&[1, 4]), 0).unwrap().range(), 100..148);
        assert_eq!(view(&[2, 2], Some(&[1, 4]), 3).unwrap().range(), 112..136);
        assert_eq!(view(&[0, 5], None, 0).unwrap().range(), 100..100);
        assert_eq!(view(&[], Some(&[]), 11).unwrap().range(), 144..148);
        for (shape, strides, offset) in [
            (&[13][..], None, 0),
            (&[12], None, 1),
            (&[usize::MAX, 2], None, 0),
            (&[usize::MAX], None, 0),
            (&[2, 2], Some(&[1, 11][..]), 0),
            (&[2, 2], Some(&[usize::MAX, usize::MAX]), 0),
            (&[2, 2], Some(&[2]), 0),
            (&[1000], Some(&[0]), 0),
            (&[1], None, u64::MAX),
            (&[1; 9], None, 0),
        ] {
            assert!(view(shape, strides, offset).is_err(), "{shape:?} {strides:?} {offset}");
        }
    }

    #[test]
    fn strided_numbers_come_in_order() {
        let values: Vec<f32> = (0..12u8).map(f32::from).collect();
        assert_eq!(
            gather(&values, &[4, 3], &[1, 4]),
            [0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.]
        );
        assert_eq!(gather(&values, &[2, 2, 2], &[6, 1, 2]), [0., 2., 1., 3., 6., 8., 7., 9.]);
    }
}
