//! Attention of many sequences at once with candle's operations: what each of them sees, padded
//! into a few batches. It is worked out once for all layers of a step.

use super::Span;
use super::log::{Log, Written};
use crate::error::Result;
use crate::kernel::{AttentionShape, RelativeBias, cuda};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, MutexGuard};

/// Some queries of a sequence, rows of the queries' tensor, and the rows of the keys' and values'
/// tensors that they see, in the order of their positions.
pub(super) struct Item {
    pub queries: Range<usize>,
    pub rows: Vec<u32>,
    /// Whether the queries are those of the last positions, and see nothing after them.
    pub causal: bool,
}

/// Queries of some sequences, padded to the same number, and what they see, likewise.
struct Batch {
    sequences: usize,
    queries: usize,
    keys: usize,
    /// The rows of the queries, (sequences · queries), unless those are all of them, as they stand.
    take: Option<Tensor>,
    /// Rows of (rows · kv_heads, dim): (sequences · kv_heads · keys).
    rows: Tensor,
    /// What is added to the scores, (sequences, heads or 1, queries, keys); `None` when that is
    /// nothing.
    mask: Option<Tensor>,
}

/// What the queries of a step see.
pub struct Plan(Seen);

enum Seen {
    /// Padded into a few batches, for candle's operations.
    Padded {
        batches: Vec<Batch>,
        /// Where each query's result stands among those of the batches, unless they stand in order.
        order: Option<Tensor>,
    },
    /// As [`cuda::attended`] takes it.
    Ragged(Tensor),
}

/// Keys beyond this are padded to no more than twice their number.
const FEW_KEYS: usize = 256;
/// Keys up to which queries that see the same ones read them one by one, each its own.
const KEYS_READ_AGAIN: usize = 512;

impl Plan {
    pub(super) fn new(
        items: &[Item],
        shape: &AttentionShape,
        bias: Option<&RelativeBias>,
        device: &Device,
    ) -> Result<Plan> {
        if let Some(seen) = ragged(items, shape, bias, device) {
            return Ok(Plan(Seen::Ragged(Tensor::new(seen, device)?)));
        }
        let mut alike: BTreeMap<(usize, usize), Vec<&Item>> = BTreeMap::new();
        for item in items.iter().filter(|item| !item.queries.is_empty()) {
            let class = (
                item.queries.len().next_power_of_two(),
                item.rows.len().max(FEW_KEYS).next_power_of_two(),
            );
            alike.entry(class).or_default().push(item);
        }
        let all = items.iter().map(|item| item.queries.end).max().unwrap_or(0);
        let mut places = vec![0; all];
        let mut first = 0;
        let mut batches = Vec::with_capacity(alike.len());
        for items in alike.values() {
            let batch = Batch::new(items, all, shape, bias, device)?;
            for (number, item) in items.iter().enumerate() {
                let start = first + number * batch.queries;
                places[item.queries.clone()]
                    .iter_mut()
                    .zip(start as u32..)
                    .for_each(|(place, row)| *place = row);
            }
            first += batch.sequences * batch.queries;
            batches.push(batch);
        }
        // The queries of the items, in the order of the items.
        let order: Vec<u32> =
            items.iter().flat_map(|item| &places[item.queries.clone()]).copied().collect();
        Ok(Plan(Seen::Padded { batches, order: unless_whole(order, first, device)? }))
    }

    /// Attention of queries (tokens, heads, dim) over keys and values (rows, kv_heads · dim): to
    /// (queries of all items, heads · dim).
    pub(super) fn attend(
        &self,
        shape: &AttentionShape,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<Tensor> {
        let (batches, order) = match &self.0 {
            Seen::Padded { batches, order } => (batches, order),
            Seen::Ragged(seen) => return Ok(cuda::attended(shape, q, keys, values, seen)?),
        };
        let (_, heads, dim) = q.dims3()?;
        let q = (q.reshape(((), heads * dim))? * f64::from(shape.scale))?;
        let by_head = |held: &Tensor| held.reshape(((), dim));
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

/// What the queries see, for [`cuda::attended`]; `None` where that does not fit: where something is
/// added to the scores, or where long sequences are better multiplied.
fn ragged(
    items: &[Item],
    shape: &AttentionShape,
    bias: Option<&RelativeBias>,
    device: &Device,
) -> Option<Vec<u32>> {
    let is_short = |item: &Item| item.queries.len() <= 1 || item.rows.len() <= KEYS_READ_AGAIN;
    let mut next = 0;
    // The kernel writes the queries in their order.
    let mut is_next =
        |item: &Item| std::mem::replace(&mut next, item.queries.end) == item.queries.start;
    if bias.is_some()
        || !cuda::attends(shape, device)
        || !items.iter().all(|item| is_short(item) && is_next(item))
    {
        return None;
    }
    let count = items.last().map_or(0, |item| item.queries.end);
    // Rows one after the other need not be told one by one.
    let follow = |item: &Item| {
        item.rows
            .first()
            .is_none_or(|&first| (first..).zip(&item.rows).all(|(expected, &row)| row == expected))
    };
    let scattered = !items.iter().all(follow);
    let (mut seen, mut lengths) = (
        Vec::with_capacity(2 * count + items.iter().map(|item| item.rows.len()).sum::<usize>()),
        Vec::new(),
    );
    let mut first = 0;
    for Item { queries, rows, causal } in items {
        if !scattered {
            first = rows.first().map_or(0, |&row| row as usize);
        }
        for query in 0..queries.len() {
            let end = if *causal { rows.len() - queries.len() + query + 1 } else { rows.len() };
            let hidden = if *causal { end.saturating_sub(shape.window.unwrap_or(end)) } else { 0 };
            seen.push((first + hidden) as u32);
            lengths.push((end - hidden) as u32);
        }
        first += rows.len();
    }
    seen.extend(lengths);
    if scattered {
        items.iter().for_each(|item| seen.extend(&item.rows));
    }
    Some(seen)
}

impl Batch {
    /// Of items that are alike, among `all` queries.
    fn new(
        items: &[&Item],
        all: usize,
        shape: &AttentionShape,
        bias: Option<&RelativeBias>,
        device: &Device,
    ) -> Result<Batch> {
        let longest =
            |length: fn(&Item) -> usize| items.iter().map(|item| length(item)).max().unwrap_or(0);
        let (sequences, queries, keys) =
            (items.len(), longest(|item| item.queries.len()), longest(|item| item.rows.len()));
        // Queries and keys that only fill a row up are the first ones; nobody looks at the former's
        // results, and the latter are masked.
        let take: Vec<u32> = items
            .iter()
            .flat_map(|item| item.queries.clone().chain(std::iter::repeat(0)).take(queries))
            .map(|row| row as u32)
            .collect();
        let rows: Vec<u32> = items
            .iter()
            .flat_map(|item| item.rows.iter().copied().chain(std::iter::repeat(0)).take(keys))
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
            mask: mask(items, (queries, keys), shape, bias, device)?,
        })
    }

    /// Of scaled queries (tokens, heads · dim) over keys and values (rows · kv_heads, dim): to
    /// (sequences · queries, heads · dim).
    fn attend(
        &self,
        shape: &AttentionShape,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<Tensor> {
        let &AttentionShape { heads, kv_heads, dim, .. } = shape;
        let &Batch { sequences, queries, keys: count, .. } = self;
        // The query heads of a group read the same keys.
        let grouped = heads / kv_heads * queries;
        let q = self
            .take
            .as_ref()
            .map_or(Ok(q.clone()), |take| q.index_select(take, 0))?
            .reshape((sequences, queries, heads, dim))?;
        let q = q.transpose(1, 2)?.contiguous()?.reshape((sequences, kv_heads, grouped, dim))?;
        let seen = |held: &Tensor| {
            held.index_select(&self.rows, 0)?.reshape((sequences, kv_heads, count, dim))
        };
        let scores = q
            .matmul(&seen(keys)?.t()?)?
            .to_dtype(DType::F32)?
            .reshape((sequences, heads, queries, count))?;
        let scores =
            self.mask.as_ref().map_or(Ok(scores.clone()), |mask| scores.broadcast_add(mask))?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(values.dtype())?;
        let out = weights.reshape((sequences, kv_heads, grouped, count))?.matmul(&seen(values)?)?;
        let out = out.reshape((sequences, heads, queries, dim))?.transpose(1, 2)?.contiguous()?;
        Ok(out.reshape((sequences * queries, heads * dim))?)
    }
}

/// Rows to be taken out of so many, on the device; `None` when these are all of them, in order.
fn unless_whole(rows: Vec<u32>, count: usize, device: &Device) -> Result<Option<Tensor>> {
    let whole = rows.len() == count && rows.iter().copied().eq(0..count as u32);
    Ok(if whole { None } else { Some(Tensor::new(rows, device)?) })
}

fn mask(
    items: &[&Item],
    (queries, keys): (usize, usize),
    shape: &AttentionShape,
    bias: Option<&RelativeBias>,
    device: &Device,
) -> Result<Option<Tensor>> {
    let window = shape.window.unwrap_or(usize::MAX);
    let everything = |item: &&Item| {
        item.rows.len() == keys
            && (!item.causal || item.queries.len() == queries && queries == 1 && keys <= window)
    };
    if bias.is_none() && items.iter().all(everything) {
        return Ok(None);
    }
    let heads = if bias.is_some() { shape.heads } else { 1 };
    let mut mask = Vec::with_capacity(items.len() * heads * queries * keys);
    for Item { queries: own, rows, causal } in items {
        let before = if *causal { rows.len() - own.len() } else { 0 };
        for head in 0..heads {
            for query in before..before + queries {
                mask.extend((0..keys).map(|key| {
                    let seen =
                        key < rows.len() && (!*causal || key <= query && query - key < window);
                    // What only fills up sees the first key, so that its weights are numbers.
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
    Ok(Some(Tensor::from_vec(mask, (items.len(), heads, queries, keys), device)?))
}

/// Whose plan it is: layers with another window or bias have plans of their own.
#[derive(PartialEq)]
enum Whose {
    Own { window: Option<usize>, bias: *const RelativeBias },
    Source,
    Encoder { bias: *const RelativeBias },
}

/// The plans of a step, for all of its layers. Where the kernels compute there are none.
#[derive(Default)]
pub struct Plans(Vec<(Whose, Arc<Plan>)>);

impl Plans {
    fn get(&mut self, whose: Whose, make: impl FnOnce() -> Result<Plan>) -> Result<Arc<Plan>> {
        if let Some((_, plan)) = self.0.iter().find(|(held, _)| *held == whose) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(make()?);
        self.0.push((whose, plan.clone()));
        Ok(plan)
    }

    /// What the tokens of an encoder's sources see.
    pub(super) fn of_encoder(
        &mut self,
        bias: Option<&RelativeBias>,
        make: impl FnOnce() -> Result<Plan>,
    ) -> Result<Arc<Plan>> {
        self.get(Whose::Encoder { bias: bias.map_or(std::ptr::null(), std::ptr::from_ref) }, make)
    }
}

/// What the layers of a decoder share while some tokens go through them.
pub struct Step<'a> {
    /// On a device, the log, and the first of the rows for the new tokens.
    written: Option<(MutexGuard<'a, Written>, usize)>,
    plans: Plans,
}

impl<'a> Step<'a> {
    /// Of a model that keeps its keys and values in `log`, or has the kernels keep them.
    pub fn begin(log: Option<&'a Log>, spans: &[Span<'_>]) -> Result<Step<'a>> {
        let Some(log) = log else { return Ok(Step { written: None, plans: Plans::default() }) };
        let mut written = log.lock();
        let first = written.reserve(spans.iter().map(|span| span.tokens.len()).sum())?;
        let mut next = first as u32;
        for span in spans {
            span.cache.held()?.lock().extend(next..next + span.tokens.len() as u32);
            next += span.tokens.len() as u32;
        }
        Ok(Step { written: Some((written, first)), plans: Plans::default() })
    }

    /// The log, where there is one.
    pub(super) fn written(&self) -> Option<&Written> {
        self.written.as_ref().map(|(written, _)| &**written)
    }

    /// Self-attention of the new tokens in a layer, whose keys and values it appends; `None` where
    /// there is no log.
    pub(super) fn own(
        &mut self,
        (layer, shape): (usize, &AttentionShape),
        [q, k, v]: [&Tensor; 3],
        bias: Option<&RelativeBias>,
        spans: &[Span<'_>],
    ) -> Result<Option<Tensor>> {
        let Some((written, first)) = &mut self.written else { return Ok(None) };
        written.write(layer, *first, k, v)?;
        let whose = Whose::Own {
            window: shape.window,
            bias: bias.map_or(std::ptr::null(), std::ptr::from_ref),
        };
        let plan =
            self.plans.get(whose, || Plan::new(&own_items(spans)?, shape, bias, q.device()))?;
        let [keys, values] = written.layer(layer)?;
        plan.attend(shape, q, keys, values).map(Some)
    }

    /// Cross-attention of the new tokens in a layer; `None` where there is no log.
    pub(super) fn source(
        &mut self,
        (layer, shape): (usize, &AttentionShape),
        q: &Tensor,
        spans: &[Span<'_>],
    ) -> Result<Option<Tensor>> {
        let Some((written, _)) = &self.written else { return Ok(None) };
        let plan = self
            .plans
            .get(Whose::Source, || Plan::new(&source_items(spans)?, shape, None, q.device()))?;
        let [keys, values] = written.layer(layer)?;
        plan.attend(shape, q, keys, values).map(Some)
    }
}

/// What the tokens of the spans see of their sequences: one item a span, one a hypothesis of a
/// beam.
fn own_items(spans: &[Span<'_>]) -> Result<Vec<Item>> {
    let mut items = Vec::with_capacity(spans.len());
    let mut first = 0;
    for span in spans {
        let prefix: Vec<u32> = span
            .cache
            .prefix()
            .map_or(Ok(Vec::new()), |prefix| prefix.held().map(|rows| rows.lock().clone()))?;
        let own = span.cache.held()?.lock();
        let count = span.tokens.len();
        match span.paths {
            None => items.push(Item {
                queries: first..first + count,
                rows: [prefix.as_slice(), own.as_slice()].concat(),
                causal: true,
            }),
            Some(paths) => items.extend(paths.iter().zip(first..).map(|(path, query)| {
                Item {
                    queries: query..query + 1,
                    rows: prefix
                        .iter()
                        .copied()
                        .chain(path.iter().map(|&row| own[row as usize]))
                        .collect(),
                    causal: true,
                }
            })),
        }
        first += count;
    }
    Ok(items)
}

fn source_items(spans: &[Span<'_>]) -> Result<Vec<Item>> {
    let mut first = 0;
    let item = |span: &Span<'_>| {
        first += span.tokens.len();
        let rows = span.cache.source().ok_or_else(super::cache::misplaced)?.held()?.lock().clone();
        Ok(Item { queries: first - span.tokens.len()..first, rows, causal: false })
    };
    spans.iter().map(item).collect()
}
