//! Attention: of a decoder over each sequence's own cache, of a decoder over its source, of an
//! encoder over itself.

use super::attention_metadata::{AttentionMetadata, MetadataKey, QuerySpan};
use super::kv_store::attended;
use super::query_group::QueryGroup;
use super::{Backend, Compute, ForwardPass, MetadataCache, Span, attention_candle};
use crate::checkpoint::with_slice;
use crate::error::Result;
use crate::kernel::{self, AttentionShape, KeyValues, KvView, Mask, RelativeBias, RowColumns};
use candle_core::{D, DType, Device, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// Attention of one layer.
pub struct Attention {
    /// Number of the layer in the caches.
    layer: usize,
    pub(super) shape: AttentionShape,
    compute: Compute,
}

impl Attention {
    /// Attention in layer number `layer` of a model.
    pub fn new(layer: usize, shape: AttentionShape, backend: &Backend) -> Attention {
        Attention { layer, shape, compute: backend.compute }
    }

    /// The sizes.
    pub fn shape(&self) -> &AttentionShape {
        &self.shape
    }

    /// Some heads of a projection, (tokens, all heads · dim), from `first` on: (tokens, count,
    /// dim). The kernels get a copy, candle a view.
    pub fn heads(&self, projected: &Tensor, first: usize, count: usize) -> Result<Tensor> {
        let part =
            projected.reshape((projected.dim(0)?, (), self.shape.dim))?.narrow(1, first, count)?;
        match self.compute {
            Compute::Kernels => Ok(part.contiguous()?),
            Compute::Candle => Ok(part),
        }
    }

    /// The parts of a projection, (tokens, N · heads · dim), each (tokens, heads, dim); where key
    /// heads are as many as query heads.
    pub fn split<const N: usize>(&self, projected: &Tensor) -> Result<[Tensor; N]> {
        let heads = self.shape.heads;
        let parts: Vec<Tensor> =
            (0..N).map(|i| self.heads(projected, i * heads, heads)).collect::<Result<_>>()?;
        parts.try_into().map_err(|_| candle_core::Error::msg("a projection in parts").into())
    }

    /// Causal self-attention: appends the new keys and values, (tokens, kv_heads, dim), to the
    /// caches and attends: (tokens, heads, dim) to (tokens, heads · dim).
    pub fn self_attention(
        &self,
        [q, k, v]: [&Tensor; 3],
        bias: Option<&Arc<RelativeBias>>,
        spans: &mut [Span<'_>],
        pass: &mut ForwardPass<'_>,
    ) -> Result<Tensor> {
        let layer = (self.layer, &self.shape);
        if let Some(attended) = pass.self_attention(layer, [q, k, v], bias, spans)? {
            return Ok(attended);
        }
        let width = self.shape.kv_heads * self.shape.dim;
        let mut push = |k: &[f32], v: &[f32]| -> Result<()> {
            let mut first = 0;
            for span in spans.iter_mut() {
                let new = first * width..(first + span.tokens.len()) * width;
                span.cache.store.host_mut(self.layer)?.push(&k[new.clone()], &v[new]);
                first += span.tokens.len();
            }
            Ok(())
        };
        with_slice(k, |k| with_slice(v, |v| push(k, v)))???;
        self.attend_caches(q, bias, spans, |span| {
            let prefix = span.cache.host_prefix(self.layer)?;
            let mask = span.paths.map_or(Mask::Causal, Mask::BeamPaths);
            Ok((attended(prefix, span.cache.store.host(self.layer)?)?, mask))
        })
    }

    /// Cross-attention of every token, (tokens, heads, dim), to its sequence's source (Vaswani et
    /// al. 2017).
    pub fn cross_attention(
        &self,
        q: &Tensor,
        spans: &[Span<'_>],
        pass: &mut ForwardPass<'_>,
    ) -> Result<Tensor> {
        if let Some(attended) = pass.cross_attention((self.layer, &self.shape), q, spans)? {
            return Ok(attended);
        }
        let (tokens, heads, dim) = q.dims3()?;
        let width = heads * dim;
        let mut out = vec![0.0; tokens * width];
        with_slice(q, |q| -> Result<()> {
            let (mut q, mut rest) = (q, out.as_mut_slice());
            for (i, span) in spans.iter().enumerate() {
                let (own, others) = q.split_at(span.tokens.len() * width);
                let (done, more) = std::mem::take(&mut rest).split_at_mut(own.len());
                let own = RowColumns { values: own, stride: width, first: 0, width };
                let source = span.source()?.host(self.layer)?;
                let next = spans.get(i + 1).map(|next| next.source()?.host(self.layer));
                kernel::attend_source(&self.shape, own, source, next.transpose()?, done);
                (q, rest) = (others, more);
            }
            Ok(())
        })??;
        Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
    }

    /// Attention of the tokens of some spans, by the kernels; `seen` gives the keys and values of a
    /// span, and which of them each token sees.
    fn attend_caches<'a, 'b: 'a>(
        &self,
        q: &Tensor,
        bias: Option<&Arc<RelativeBias>>,
        spans: &'a [Span<'b>],
        seen: impl Fn(&'a Span<'b>) -> Result<(KvView<'a>, Mask<'a>)>,
    ) -> Result<Tensor> {
        let (tokens, heads, dim) = q.dims3()?;
        let width = heads * dim;
        let mut out = vec![0.0; tokens * width];
        with_slice(q, |q| -> Result<()> {
            let mut first = 0;
            for span in spans {
                let rows = first * width..(first + span.tokens.len()) * width;
                let (parts, mask) = seen(span)?;
                let bias = bias.map(|bias| &**bias);
                kernel::attend(&self.shape, mask, bias, &q[rows.clone()], parts, &mut out[rows]);
                first += span.tokens.len();
            }
            Ok(())
        })??;
        Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
    }

    /// The weights of the cross-attention of one sequence's queries, (tokens, heads, dim), over its
    /// source: (heads, tokens, source). Generation does not need them; candle's operations compute
    /// them everywhere.
    pub fn cross_attention_weights(
        &self,
        q: &Tensor,
        span: &Span<'_>,
        pass: &ForwardPass<'_>,
    ) -> Result<Tensor> {
        let AttentionShape { kv_heads, dim, scale, .. } = self.shape;
        let (tokens, heads, _) = q.dims3()?;
        let source = span.source()?;
        let keys = match pass.pool() {
            Some(pool) => {
                let slots = Tensor::new(source.slots()?.lock().as_slice(), q.device())?;
                pool.layer(self.layer)?[0].index_select(&slots, 0)?.reshape(((), kv_heads, dim))?
            }
            None => {
                let keys = source.host(self.layer)?.keys(&self.shape);
                Tensor::from_vec(keys, ((), kv_heads, dim), &Device::Cpu)?
            }
        };
        // (kv_heads, group · tokens, dim): the query heads of a group read the same keys
        let q =
            q.transpose(0, 1)?.contiguous()?.reshape((kv_heads, heads / kv_heads * tokens, dim))?;
        let keys = keys.transpose(0, 1)?.contiguous()?; // (kv_heads, source, dim)
        let scores = (q.matmul(&keys.t()?)? * f64::from(scale))?;
        let weights = candle_nn::ops::softmax(&scores.to_dtype(DType::F32)?, D::Minus1)?;
        Ok(weights.reshape((heads, tokens, keys.dim(1)?))?)
    }

    /// Self-attention of an encoder: queries (tokens, heads, dim) over keys and values (tokens,
    /// kv_heads, dim), group by group. The groups' results stand one after the other: (queries of
    /// all groups, heads · dim).
    pub fn attend_groups(
        &self,
        [q, k, v]: [&Tensor; 3],
        bias: Option<&RelativeBias>,
        groups: &[QueryGroup<'_>],
    ) -> Result<Tensor> {
        if self.compute == Compute::Candle {
            return attention_candle::attend_groups(&self.shape, [q, k, v], bias, groups);
        }
        let (_, heads, dim) = q.dims3()?;
        let (q_width, kv_width) = (heads * dim, self.shape.kv_heads * dim);
        let count: usize = groups.iter().map(|group| group.queries.len()).sum();
        let mut out = vec![0.0; count * q_width];
        let mut attend = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut rest = out.as_mut_slice();
            for QueryGroup { queries, parts, mask } in groups {
                let parts = KvView::F32(parts.each_ref().map(|rows| {
                    let span = rows.start * kv_width..rows.end * kv_width;
                    KeyValues { keys: &k[span.clone()], values: &v[span] }
                }));
                let (own, others) = std::mem::take(&mut rest).split_at_mut(queries.len() * q_width);
                kernel::attend(
                    &self.shape,
                    *mask,
                    bias,
                    &q[queries.start * q_width..queries.end * q_width],
                    parts,
                    own,
                );
                rest = others;
            }
        };
        with_slice(q, |q| with_slice(k, |k| with_slice(v, |v| attend(q, k, v))))???;
        Ok(Tensor::from_vec(out, (count, q_width), &Device::Cpu)?)
    }

    /// Self-attention of an encoder whose sequences each see all of themselves and nothing else;
    /// `qkv` has queries, keys and values side by side, (tokens, (heads + 2 · kv_heads) · dim).
    pub fn attend_sequences(
        &self,
        qkv: &Tensor,
        bias: Option<&Arc<RelativeBias>>,
        sequences: &[Range<usize>],
        metadata: &mut MetadataCache,
    ) -> Result<Tensor> {
        if self.compute == Compute::Kernels && bias.is_none() {
            return self.attend_themselves(qkv, sequences);
        }
        let [q, k, v] = &self.split(qkv)?;
        if self.compute == Compute::Kernels {
            let groups = QueryGroup::per_sequence(sequences, Mask::Full);
            return self.attend_groups([q, k, v], bias.map(|bias| &**bias), &groups);
        }
        let span = |rows: &Range<usize>| QuerySpan {
            queries: rows.clone(),
            keys: rows.clone().map(|row| row as u32).collect(),
            causal: false,
        };
        let key = MetadataKey::Encoder { bias: bias.cloned() };
        let metadata = metadata.get_or_insert(key, || {
            let spans: Vec<QuerySpan> = sequences.iter().map(span).collect();
            AttentionMetadata::new(&spans, &self.shape, bias, q.device())
        })?;
        metadata.attend(&self.shape, q, &[k.clone(), v.clone()])
    }

    /// Self-attention of sequences by the kernels, without a bias.
    fn attend_themselves(&self, qkv: &Tensor, sequences: &[Range<usize>]) -> Result<Tensor> {
        let (tokens, stride) = qkv.dims2()?;
        let width = self.shape.heads * self.shape.dim;
        let mut out = vec![0.0; tokens * width];
        with_slice(&qkv.contiguous()?, |qkv| {
            for rows in sequences {
                kernel::attend_itself(
                    &self.shape,
                    &qkv[rows.start * stride..rows.end * stride],
                    &mut out[rows.start * width..rows.end * width],
                );
            }
        })?;
        Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
    }
}
