//! Keys and values of the positions that a sequence has passed.

use super::{Backend, Log, Rows};
use crate::checkpoint::with_slice;
use crate::error::{Error, Result};
use crate::kernel::{self, Precision};
use candle_core::{Device, Tensor};
use half::f16;
use std::ops::Range;
use std::sync::Arc;

/// The keys and values of one sequence, in every layer. A sequence may begin with a prefix that
/// many share, and may attend to a source. The hypotheses of a beam share one cache: each has a
/// path through its rows.
pub struct KvCache {
    prefix: Option<Arc<KvCache>>,
    source: Option<Arc<SourceCache>>,
    pub(super) layers: Vec<LayerCache>,
    keeping: Keeping,
    /// Its rows of the log, where there is one.
    held: Option<Arc<Rows>>,
    length: usize,
}

/// What an encoder has made of a source: keys and values for the cross-attention of every layer of
/// the decoder.
pub struct SourceCache {
    /// Empty where there is a log.
    pub(super) layers: Vec<LayerCache>,
    /// Layers of the decoder.
    count: usize,
    keeping: Keeping,
    held: Option<Arc<Rows>>,
}

/// One layer's keys and values of a sequence, each (positions, kv_heads, dim). A recurrent layer's
/// states, (positions, dim), stand in place of the keys ([`super::Recurrence`]).
pub(crate) enum LayerCache {
    /// In main memory, for the kernels.
    Host { keys: Vec<f32>, values: Vec<f32> },
    /// The same in half precision.
    Half { keys: Vec<f16>, values: Vec<f16> },
    /// On a device, of a recurrent layer; `None` before the first position.
    Device(Option<(Tensor, Tensor)>),
}

/// How keys and values are kept.
#[derive(Clone)]
pub enum Keeping {
    /// In main memory, in f32.
    F32,
    /// In main memory, in half precision: with int8 weights, whose errors are larger.
    F16,
    /// On a device, those of all sequences in one log.
    Log(Arc<Log>),
}

impl Keeping {
    /// That of a model whose weights are on a device and in a precision.
    pub fn of(backend: &Backend) -> Keeping {
        match backend.precision {
            _ if backend.candle => Keeping::Log(Arc::default()),
            Precision::Int8 => Keeping::F16,
            Precision::F32 | Precision::F16 | Precision::Bf16 => Keeping::F32,
        }
    }

    /// The log, where there is one.
    pub fn log(&self) -> Option<&Log> {
        self.shared().map(|log| &**log)
    }

    fn shared(&self) -> Option<&Arc<Log>> {
        if let Keeping::Log(log) = self { Some(log) } else { None }
    }

    fn layer(&self) -> LayerCache {
        match self {
            Keeping::F32 => LayerCache::Host { keys: Vec::new(), values: Vec::new() },
            Keeping::F16 => LayerCache::Half { keys: Vec::new(), values: Vec::new() },
            Keeping::Log(_) => LayerCache::Device(None),
        }
    }
}

impl KvCache {
    /// An empty cache of `layers` layers.
    pub fn new(layers: usize, keeping: &Keeping) -> KvCache {
        let held = keeping.log().map(Log::holder);
        let layers = (0..layers).map(|_| keeping.layer()).collect();
        KvCache { prefix: None, source: None, layers, keeping: keeping.clone(), held, length: 0 }
    }

    /// An empty cache that continues `prefix`, which must not have a prefix itself.
    pub fn after(prefix: Arc<KvCache>) -> KvCache {
        KvCache {
            prefix: Some(prefix.clone()),
            ..KvCache::new(prefix.layers.len(), &prefix.keeping)
        }
    }

    /// An empty cache of a decoder that attends to `source`.
    pub fn reading(source: Arc<SourceCache>) -> KvCache {
        KvCache { source: Some(source.clone()), ..KvCache::new(source.count, &source.keeping) }
    }

    /// Its rows of the log.
    pub(super) fn held(&self) -> Result<&Arc<Rows>> {
        self.held.as_ref().ok_or_else(misplaced)
    }

    /// What it continues.
    pub(super) fn prefix(&self) -> Option<&Arc<KvCache>> {
        self.prefix.as_ref()
    }

    /// The source that it attends to.
    pub fn source(&self) -> Option<&Arc<SourceCache>> {
        self.source.as_ref()
    }

    /// Rows of the cache's own, the prefix apart: the number of the next row in a [`Span`]'s paths.
    pub fn rows(&self) -> usize {
        self.length
    }

    /// Positions of the prefix.
    pub fn prefix_len(&self) -> usize {
        self.prefix.as_ref().map_or(0, |p| p.length)
    }

    /// Positions passed, the prefix included; of a cache without paths.
    pub fn len(&self) -> usize {
        self.length + self.prefix_len()
    }

    /// Whether no position has passed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the keys and values, those of the prefix apart.
    pub fn bytes(&self) -> usize {
        let of_tensor = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
        let of_layer = |layer: &LayerCache| match layer {
            LayerCache::Host { keys, values } => {
                (keys.capacity() + values.capacity()) * size_of::<f32>()
            }
            LayerCache::Half { keys, values } => {
                (keys.capacity() + values.capacity()) * size_of::<f16>()
            }
            LayerCache::Device(held) => {
                held.as_ref().map_or(0, |(keys, values)| of_tensor(keys) + of_tensor(values))
            }
        };
        let logged = self.keeping.log().map_or(0, |log| log.lock().row_bytes())
            * self.held.as_ref().map_or(0, |rows| rows.lock().len());
        self.layers.iter().map(of_layer).sum::<usize>() + logged
    }

    /// Gives back memory that was reserved for more positions.
    pub fn shrink(&mut self) {
        for layer in &mut self.layers {
            match layer {
                LayerCache::Host { keys, values } => {
                    [keys, values].into_iter().for_each(Vec::shrink_to_fit)
                }
                LayerCache::Half { keys, values } => {
                    [keys, values].into_iter().for_each(Vec::shrink_to_fit)
                }
                LayerCache::Device(_) => {}
            }
        }
    }

    pub(super) fn prefix_layer(&self, layer: usize) -> Option<&LayerCache> {
        self.prefix.as_ref().map(|p| &p.layers[layer])
    }

    pub(super) fn source_layer(&self, layer: usize) -> Option<&LayerCache> {
        self.source.as_ref().map(|s| &s.layers[layer])
    }

    /// To be called once all layers have seen `tokens` more positions.
    pub fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}

impl SourceCache {
    /// One cache for each of a few sources, out of every decoder layer's caches for all of them, as
    /// [`SourceCache::split`] returns them.
    pub(crate) fn gather(layers: Vec<Vec<LayerCache>>, keeping: &Keeping) -> Vec<Arc<SourceCache>> {
        let mut sources: Vec<SourceCache> = Vec::new();
        let count = layers.len();
        for layer in layers {
            sources.resize_with(layer.len(), || SourceCache {
                layers: Vec::new(),
                count,
                keeping: keeping.clone(),
                held: None,
            });
            sources.iter_mut().zip(layer).for_each(|(source, cache)| source.layers.push(cache));
        }
        sources.into_iter().map(Arc::new).collect()
    }

    /// One cache for each of a few sources of these lengths, in a log; `layers` has the keys and
    /// values of all of them for every layer of the decoder, each (tokens, kv_heads, dim).
    pub(crate) fn write(
        log: &Arc<Log>,
        lengths: &[usize],
        layers: impl Iterator<Item = Result<[Tensor; 2]>>,
    ) -> Result<Vec<Arc<SourceCache>>> {
        let source = |_| SourceCache {
            layers: Vec::new(),
            count: 0,
            keeping: Keeping::Log(log.clone()),
            held: Some(log.holder()),
        };
        let mut sources: Vec<SourceCache> = lengths.iter().map(source).collect();
        let mut written = log.lock();
        let first = written.reserve(lengths.iter().sum())?;
        let mut count = 0;
        for layer in layers {
            let [k, v] = layer?;
            written.write(count, first, &k, &v)?;
            count += 1;
        }
        for (source, range) in sources.iter_mut().zip(ranges(lengths)) {
            source.count = count;
            source.held()?.lock().extend(range.map(|row| (first + row) as u32));
        }
        Ok(sources.into_iter().map(Arc::new).collect())
    }

    /// Its rows of the log.
    pub(super) fn held(&self) -> Result<&Arc<Rows>> {
        self.held.as_ref().ok_or_else(misplaced)
    }

    /// The keys and values of one layer, (tokens, kv_heads, dim), of sequences of these lengths,
    /// one after the other.
    pub(crate) fn split(
        k: &Tensor,
        v: &Tensor,
        lengths: &[usize],
        keeping: &Keeping,
    ) -> Result<Vec<LayerCache>> {
        let ranges = ranges(lengths);
        let width = k.elem_count() / k.dim(0)?.max(1);
        with_slice(k, |k| {
            with_slice(v, |v| {
                let part = |range: &Range<usize>| {
                    let span = range.start * width..range.end * width;
                    let mut layer = keeping.layer();
                    layer.push(&k[span.clone()], &v[span])?;
                    Ok(layer)
                };
                ranges.iter().map(part).collect()
            })
        })??
    }
}

/// Where sequences of these lengths, one after the other, begin and end.
pub(super) fn ranges(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |n: &usize| {
        end += n;
        end - n..end
    };
    lengths.iter().map(range).collect()
}

impl LayerCache {
    /// Keys and values, if they are on a device.
    pub(super) fn on_device(&self) -> Option<(Tensor, Tensor)> {
        match self {
            LayerCache::Device(held) => held.clone(),
            LayerCache::Host { .. } | LayerCache::Half { .. } => None,
        }
    }

    /// The keys in main memory, (positions, kv_heads, dim).
    pub(super) fn keys(&self, kv_heads: usize, dim: usize) -> Result<Tensor> {
        let keys: Vec<f32> = match self {
            LayerCache::Device(_) => return Err(misplaced()),
            LayerCache::Host { keys, .. } => keys.clone(),
            LayerCache::Half { keys, .. } => keys.iter().map(|k| k.to_f32()).collect(),
        };
        let positions = keys.len() / (kv_heads * dim);
        Ok(Tensor::from_vec(keys, (positions, kv_heads, dim), &Device::Cpu)?)
    }

    /// A row of the keys, which are of this width.
    pub(super) fn key_row(&self, row: usize, width: usize) -> Result<&[f32]> {
        match self {
            LayerCache::Host { keys, .. } => {
                keys.get(row * width..(row + 1) * width).ok_or_else(misplaced)
            }
            LayerCache::Half { .. } | LayerCache::Device(_) => Err(misplaced()),
        }
    }

    /// Appends (tokens, kv_heads, dim).
    pub(super) fn push(&mut self, k: &[f32], v: &[f32]) -> Result<()> {
        match self {
            LayerCache::Host { keys, values } => {
                keys.extend_from_slice(k);
                values.extend_from_slice(v);
                Ok(())
            }
            LayerCache::Half { keys, values } => {
                kernel::extend_half(keys, k);
                kernel::extend_half(values, v);
                Ok(())
            }
            LayerCache::Device(_) => Err(misplaced()),
        }
    }

    pub(super) fn push_device(&mut self, k: &Tensor, v: &Tensor) -> Result<()> {
        match self {
            LayerCache::Device(held) => {
                *held = Some(match held.take() {
                    None => (k.clone(), v.clone()),
                    Some((keys, values)) => {
                        (Tensor::cat(&[&keys, k], 0)?, Tensor::cat(&[&values, v], 0)?)
                    }
                });
                Ok(())
            }
            LayerCache::Host { .. } | LayerCache::Half { .. } => Err(misplaced()),
        }
    }
}

pub(super) fn misplaced() -> Error {
    candle_core::Error::msg(
        "a cache and its model are on different devices, or in different precisions",
    )
    .into()
}

/// The next tokens of one sequence, or the next token of each hypothesis of a beam, and the cache.
pub struct Span<'a> {
    /// At least one token.
    pub tokens: &'a [u32],
    /// What went before.
    pub cache: &'a mut KvCache,
    /// For a beam: the cache's own rows that each token's hypothesis has passed, in order, the
    /// token's own row the last one. The tokens get the rows from [`KvCache::rows`] on. Without
    /// paths the tokens follow one another.
    pub paths: Option<&'a [Vec<u32>]>,
}

impl<'a> Span<'a> {
    /// The next tokens of one sequence.
    pub fn new(tokens: &'a [u32], cache: &'a mut KvCache) -> Span<'a> {
        Span { tokens, cache, paths: None }
    }

    /// The positions of the tokens.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let first = self.cache.len();
        let prefix = self.cache.prefix_len();
        (0..self.tokens.len())
            .map(move |i| self.paths.map_or(first + i, |paths| prefix + paths[i].len() - 1))
    }

    /// The cache's own row of what stands right before a token, if anything does.
    pub(super) fn row_before(&self, token: usize) -> Option<usize> {
        match self.paths {
            Some(paths) => paths[token].iter().rev().nth(1).map(|&row| row as usize),
            None => (self.cache.rows() + token).checked_sub(1),
        }
    }

    /// Which of the tokens something is to follow: the last one, or each of a beam.
    pub fn ends(&self) -> std::ops::Range<usize> {
        let count = self.tokens.len();
        if self.paths.is_some() { 0..count } else { count - 1..count }
    }
}
