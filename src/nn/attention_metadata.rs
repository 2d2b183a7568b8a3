//! Attention of many sequences at once on a device. Which keys each query sees, padded into a few
//! batches or as a list for a CUDA kernel, is worked out once for all layers of a forward pass.

use super::ops;
use crate::error::Result;
use crate::kernel::{AttentionShape, RelativeBias};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Some queries of a sequence, and the keys that they see.
pub(super) struct QuerySpan {
    /// Rows of the queries' tensor.
    pub queries: Range<usize>,
    /// Rows of the keys' and values' tensors, in the order of their positions.
    pub keys: Vec<u32>,
    /// Whether the queries are those of the last positions, and see nothing after them.
    pub causal: bool,
}

/// Queries of some sequences, padded to the same number, and their keys, likewise.
pub(super) struct Batch {
    sequences: usize,
    queries: usize,
    keys: usize,
    /// The rows of the queries, (sequences · queries), unless those are all of them, as they stand.
    take: Option<Tensor>,
    /// Rows of the keys, of (rows · kv_heads, dim): (sequences · kv_heads · keys).
    rows: Tensor,
    /// Mask and bias of the scores, (sequences, heads or 1, queries, keys); `None` where all would
    /// be zero.
    mask: Option<Tensor>,
}

/// The keys that the queries of a forward pass see.
pub(super) enum AttentionMetadata {
    /// Padded into a few batches, for candle's operations.
    Padded {
        batches: Vec<Batch>,
        /// The place of each query's result among those of the batches, unless they are in order.
        order: Option<Tensor>,
    },
    /// A list for [`ops::attend_rows`].
    Ragged(Tensor),
}

/// Keys beyond this are padded to no more than twice their number.
const FEW_KEYS: usize = 256;
/// Keys up to which several queries of a sequence read them one by one, each for itself.
const KEYS_READ_AGAIN: usize = 512;

impl AttentionMetadata {
    pub fn new(
        spans: &[QuerySpan],
        shape: &AttentionShape,
        bias: Option<&Arc<RelativeBias>>,
        device: &Device,
    ) -> Result<AttentionMetadata> {
        let bias = bias.map(|bias| &**bias);
        if let Some(seen) = ragged(spans, shape, bias, device) {
            return Ok(AttentionMetadata::Ragged(Tensor::new(seen, device)?));
        }
        let mut alike: BTreeMap<(usize, usize), Vec<&QuerySpan>> = BTreeMap::new();
        for span in spans.iter().filter(|span| !span.queries.is_empty()) {
            let class = (
                span.queries.len().next_power_of_two(),
                span.keys.len().max(FEW_KEYS).next_power_of_two(),
            );
            alike.entry(class).or_default().push(span);
        }
        let all = spans.iter().map(|span| span.queries.end).max().unwrap_or(0);
        let mut places = vec![0; all];
        let mut first = 0;
        let mut batches = Vec::with_capacity(alike.len());
        for alike in alike.values() {
            let batch = Batch::new(alike, all, shape, bias, device)?;
            for (number, span) in alike.iter().enumerate() {
                let start = first + number * batch.queries;
                places[span.queries.clone()]
                    .iter_mut()
                    .zip(start as u32..)
                    .for_each(|(place, row)| *place = row);
            }
            first += batch.sequences * batch.queries;
            batches.push(batch);
        }
        // The queries of the spans, in the order of the spans.
        let order: Vec<u32> =
            spans.iter().flat_map(|span| &places[span.queries.clone()]).copied().collect();
        Ok(AttentionMetadata::Padded { batches, order: unless_whole(order, first, device)? })
    }

    /// Attention of queries (tokens, heads, dim) over keys and values, each (rows, kv_heads · dim):
    /// to (queries of all spans, heads · dim).
    pub fn attend(
        &self,
        shape: &AttentionShape,
        q: &Tensor,
        [keys, values]: &[Tensor; 2],
    ) -> Result<Tensor> {
        let (batches, order) = match self {
            AttentionMetadata::Padded { batches, order } => (batches, order),
            AttentionMetadata::Ragged(seen) => {
                return ops::attend_rows(shape, q, [keys, values], seen);
            }
        };
        let (_, heads, dim) = q.dims3()?;
        let q = (q.reshape(((), heads * dim))? * f64::from(shape.scale))?;
        let by_head = |rows: &Tensor| rows.reshape(((), dim));
        let (keys, values) = (by_head(keys)?, by_head(values)?);
        let outputs = batches
            .iter()
            .map(|batch| batch.attend(shape, &q, &keys, &values))
            .collect::<Result<Vec<_>>>()?;
        let all =
            if let [one] = outputs.as_slice() { one.clone() } else { Tensor::cat(&outputs, 0)? };
        Ok(order.as_ref().map_or(Ok(all.clone()), |order| all.index_select(order, 0))?)
    }
}

/// The keys of each query as [`ops::attend_rows`] takes them; `None` where it does not fit: where
/// the scores have a bias, or where products of long sequences are faster.
fn ragged(
    spans: &[QuerySpan],
    shape: &AttentionShape,
    bias: Option<&RelativeBias>,
    device: &Device,
) -> Option<Vec<u32>> {
    let is_short = |span: &QuerySpan| span.queries.len() <= 1 || span.keys.len() <= KEYS_READ_AGAIN;
    let mut next = 0;
    // The kernel writes the queries in their order.
    let mut is_next =
        |span: &QuerySpan| std::mem::replace(&mut next, span.queries.end) == span.queries.start;
    if bias.is_some()
        || !ops::attends_rows(shape, device)
        || !spans.iter().all(|span| is_short(span) && is_next(span))
    {
        return None;
    }
    let count = spans.last().map_or(0, |span| span.queries.end);
    // Rows that follow one another need no list.
    let follow = |span: &QuerySpan| {
        span.keys
            .first()
            .is_none_or(|&first| (first..).zip(&span.keys).all(|(expected, &row)| row == expected))
    };
    let scattered = !spans.iter().all(follow);
    let (mut seen, mut lengths) = (
        Vec::with_capacity(2 * count + spans.iter().map(|span| span.keys.len()).sum::<usize>()),
        Vec::new(),
    );
    let mut first = 0;
    for QuerySpan { queries, keys, causal } in spans {
        if !scattered {
            first = keys.first().map_or(0, |&row| row as usize);
        }
        for query in 0..queries.len() {
            let end = if *causal { keys.len() - queries.len() + query + 1 } else { keys.len() };
            let hidden = if *causal { end.saturating_sub(shape.window.unwrap_or(end)) } else { 0 };
            seen.push((first + hidden) as u32);
            lengths.push((end - hidden) as u32);
        }
        first += keys.len();
    }
    seen.extend(lengths);
    if scattered {
        spans.iter().for_each(|span| seen.extend(&span.keys));
    }
    Some(seen)
}

impl Batch {
    /// A batch of spans of about the same sizes, among `all` queries.
    fn new(
        spans: &[&QuerySpan],
        all: usize,
        shape: &AttentionShape,
        bias: Option<&RelativeBias>,
        device: &Device,
    ) -> Result<Batch> {
        let longest = |length: fn(&QuerySpan) -> usize| {
            spans.iter().map(|span| length(span)).max().unwrap_or(0)
        };
        let (sequences, queries, keys) =
            (spans.len(), longest(|span| span.queries.len()), longest(|span| span.keys.len()));
        // Padding repeats the first query and the first key: nobody reads the former's results, and
        // the latter are masked.
        let take: Vec<u32> = spans
            .iter()
            .flat_map(|span| span.queries.clone().chain(std::iter::repeat(0)).take(queries))
            .map(|row| row as u32)
            .collect();
        let rows: Vec<u32> = spans
            .iter()
            .flat_map(|span| span.keys.iter().copied().chain(std::iter::repeat(0)).take(keys))
            .collect();
        let heads = shape.kv_heads as u32;
        let rows = Tensor::from_vec(
            rows.into_iter().map(|row| row * heads).collect(),
            (sequences, 1, keys),
            device,
        )?;
        let rows = rows
            .broadcast_add(&Tensor::arange(0, heads, device)?.reshape((1, shape.kv_heads, 1))?)?
            .flatten_all()?;
        Ok(Batch {
            sequences,
            queries,
            keys,
            take: unless_whole(take, all, device)?,
            rows,
            mask: mask(spans, (queries, keys), shape, bias, device)?,
        })
    }

    /// Attention of scaled queries (tokens, heads · dim) over keys and values (rows · kv_heads,
    /// dim): to (sequences · queries, heads · dim).
    fn attend(
        &self,
        shape: &AttentionShape,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<Tensor> {
        let &AttentionShape { heads, kv_heads, dim, cap, .. } = shape;
        let &Batch { sequences, queries, keys: count, .. } = self;
        // The query heads of a group read the same keys.
        let grouped = heads / kv_heads * queries;
        let q = self
            .take
            .as_ref()
            .map_or(Ok(q.clone()), |take| q.index_select(take, 0))?
            .reshape((sequences, queries, heads, dim))?;
        let q = q.transpose(1, 2)?.contiguous()?.reshape((sequences, kv_heads, grouped, dim))?;
        let seen = |pool: &Tensor| {
            pool.index_select(&self.rows, 0)?.reshape((sequences, kv_heads, count, dim))
        };
        let scores = q
            .matmul(&seen(keys)?.t()?)?
            .to_dtype(DType::F32)?
            .reshape((sequences, heads, queries, count))?;
        let scores = ops::soft_cap(scores, cap)?;
        let scores =
            self.mask.as_ref().map_or(Ok(scores.clone()), |mask| scores.broadcast_add(mask))?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(values.dtype())?;
        let out = weights.reshape((sequences, kv_heads, grouped, count))?.matmul(&seen(values)?)?;
        let out = out.reshape((sequences, heads, queries, dim))?.transpose(1, 2)?.contiguous()?;
        Ok(out.reshape((sequences * queries, heads * dim))?)
    }
}

/// A list of rows on the device; `None` when they are all of `count` rows, in order.
fn unless_whole(rows: Vec<u32>, count: usize, device: &Device) -> Result<Option<Tensor>> {
    let whole = rows.len() == count && rows.iter().copied().eq(0..count as u32);
    Ok(if whole { None } else { Some(Tensor::new(rows, device)?) })
}

/// The mask and the bias of a batch's scores, see [`Batch::mask`].
fn mask(
    spans: &[&QuerySpan],
    (queries, keys): (usize, usize),
    shape: &AttentionShape,
    bias: Option<&RelativeBias>,
    device: &Device,
) -> Result<Option<Tensor>> {
    let window = shape.window.unwrap_or(usize::MAX);
    let sees_all = |span: &&QuerySpan| {
        span.keys.len() == keys
            && (!span.causal || span.queries.len() == queries && queries == 1 && keys <= window)
    };
    if bias.is_none() && spans.iter().all(sees_all) {
        return Ok(None);
    }
    let heads = if bias.is_some() { shape.heads } else { 1 };
    let mut mask = Vec::with_capacity(spans.len() * heads * queries * keys);
    for QuerySpan { queries: own, keys: rows, causal } in spans {
        let before = if *causal { rows.len() - own.len() } else { 0 };
        for head in 0..heads {
            for query in before..before + queries {
                mask.extend((0..keys).map(|key| {
                    let seen =
                        key < rows.len() && (!*causal || key <= query && query - key < window);
                    // Padding sees the first key, so that its weights are numbers.
                    let seen = seen || query - before >= own.len() && key == 0;
                    if seen {
                        bias.map_or(0.0, |bias| bias.at(head, query, key))
                    } else {
                        f32::NEG_INFINITY
                    }
                }));
            }
        }
    }
    Ok(Some(Tensor::from_vec(mask, (spans.len(), heads, queries, keys), device)?))
}

/// The key of some attention metadata: layers that differ in window or bias need their own.
pub(super) enum MetadataKey {
    SelfAttention { window: Option<usize>, bias: Option<Arc<RelativeBias>> },
    CrossAttention,
    Encoder { bias: Option<Arc<RelativeBias>> },
}

impl PartialEq for MetadataKey {
    /// Biases are the same when they are one object.
    fn eq(&self, other: &MetadataKey) -> bool {
        let same = |a: &Option<Arc<RelativeBias>>, b: &Option<Arc<RelativeBias>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        match (self, other) {
            (
                MetadataKey::SelfAttention { window, bias },
                MetadataKey::SelfAttention { window: other_window, bias: other },
            ) => window == other_window && same(bias, other),
            (MetadataKey::CrossAttention, MetadataKey::CrossAttention) => true,
            (MetadataKey::Encoder { bias }, MetadataKey::Encoder { bias: other }) => {
                same(bias, other)
            }
            _ => false,
        }
    }
}

/// The attention metadata of a forward pass, for all of its layers. Where the kernels compute there
/// is none.
#[derive(Default)]
pub struct MetadataCache(Vec<(MetadataKey, Arc<AttentionMetadata>)>);

impl MetadataCache {
    /// The metadata of a key, which `make` works out the first time.
    pub(super) fn get_or_insert(
        &mut self,
        key: MetadataKey,
        make: impl FnOnce() -> Result<AttentionMetadata>,
    ) -> Result<Arc<AttentionMetadata>> {
        if let Some((_, metadata)) = self.0.iter().find(|(known, _)| *known == key) {
            return Ok(metadata.clone());
        }
        let metadata = Arc::new(make()?);
        self.0.push((key, metadata.clone()));
        Ok(metadata)
    }
}
