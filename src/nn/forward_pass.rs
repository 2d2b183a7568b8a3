//! The state that the layers of a decoder share while some tokens go through them.

use super::Span;
use super::attention_metadata::{AttentionMetadata, MetadataCache, MetadataKey, QuerySpan};
use super::kv_pool::{KvPool, KvPoolInner};
use crate::error::Result;
use crate::kernel::{AttentionShape, RelativeBias};
use candle_core::Tensor;
use std::sync::{Arc, MutexGuard};

/// One pass of new tokens through a decoder. Where there is a pool, it holds the pool's lock, and
/// with it the device's turn: the passes of several workers follow one another.
pub struct ForwardPass<'a> {
    /// The pool, and the first of the slots for the new tokens.
    pool: Option<(MutexGuard<'a, KvPoolInner>, usize)>,
    metadata: MetadataCache,
}

impl<'a> ForwardPass<'a> {
    /// Begins a pass of a model whose keys and values are in `pool`, or else in main memory.
    pub fn begin(pool: Option<&'a KvPool>, spans: &[Span<'_>]) -> Result<ForwardPass<'a>> {
        let metadata = MetadataCache::default();
        let Some(pool) = pool else { return Ok(ForwardPass { pool: None, metadata }) };
        let mut pool = pool.lock();
        let first = pool.reserve(spans.iter().map(|span| span.tokens.len()).sum())?;
        let mut next = first as u32;
        for span in spans {
            span.cache.slots()?.lock().extend(next..next + span.tokens.len() as u32);
            next += span.tokens.len() as u32;
        }
        Ok(ForwardPass { pool: Some((pool, first)), metadata })
    }

    /// The pool, if there is one.
    pub(super) fn pool(&self) -> Option<&KvPoolInner> {
        self.pool.as_ref().map(|(pool, _)| &**pool)
    }

    /// Self-attention of the new tokens in a layer, whose keys and values it appends; `None` where
    /// there is no pool.
    pub(super) fn self_attention(
        &mut self,
        (layer, shape): (usize, &AttentionShape),
        [q, k, v]: [&Tensor; 3],
        bias: Option<&Arc<RelativeBias>>,
        spans: &[Span<'_>],
    ) -> Result<Option<Tensor>> {
        let Some((pool, first)) = &mut self.pool else { return Ok(None) };
        pool.write(layer, *first, k, v)?;
        let key = MetadataKey::SelfAttention { window: shape.window, bias: bias.cloned() };
        let metadata = self.metadata.get_or_insert(key, || {
            AttentionMetadata::new(&self_attention_spans(spans)?, shape, bias, q.device())
        })?;
        metadata.attend(shape, q, pool.layer(layer)?).map(Some)
    }

    /// Cross-attention of the new tokens in a layer; `None` where there is no pool.
    pub(super) fn cross_attention(
        &mut self,
        (layer, shape): (usize, &AttentionShape),
        q: &Tensor,
        spans: &[Span<'_>],
    ) -> Result<Option<Tensor>> {
        let Some((pool, _)) = &self.pool else { return Ok(None) };
        let metadata = self.metadata.get_or_insert(MetadataKey::CrossAttention, || {
            AttentionMetadata::new(&cross_attention_spans(spans)?, shape, None, q.device())
        })?;
        metadata.attend(shape, q, pool.layer(layer)?).map(Some)
    }
}

/// The queries of the new tokens, and the slots of their sequences that they see: one a span, one a
/// hypothesis of a beam.
fn self_attention_spans(spans: &[Span<'_>]) -> Result<Vec<QuerySpan>> {
    let mut queries = Vec::with_capacity(spans.len());
    let mut first = 0;
    for span in spans {
        let prefix: Vec<u32> = match span.cache.prefix() {
            Some(prefix) => prefix.slots()?.lock().clone(),
            None => Vec::new(),
        };
        let own = span.cache.slots()?.lock();
        let count = span.tokens.len();
        match span.paths {
            None => queries.push(QuerySpan {
                queries: first..first + count,
                keys: [prefix.as_slice(), own.as_slice()].concat(),
                causal: true,
            }),
            Some(paths) => queries.extend(paths.iter().zip(first..).map(|(path, query)| {
                let own = path.iter().map(|&row| own[row as usize]);
                QuerySpan {
                    queries: query..query + 1,
                    keys: prefix.iter().copied().chain(own).collect(),
                    causal: true,
                }
            })),
        }
        first += count;
    }
    Ok(queries)
}

/// The queries of the new tokens, and the slots of their sources.
fn cross_attention_spans(spans: &[Span<'_>]) -> Result<Vec<QuerySpan>> {
    let mut first = 0;
    let span = |span: &Span<'_>| {
        first += span.tokens.len();
        let keys = span.source()?.slots()?.lock().clone();
        Ok(QuerySpan { queries: first - span.tokens.len()..first, keys, causal: false })
    };
    spans.iter().map(span).collect()
}
