//! Attention: of a decoder over each sequence's own cache, of a decoder over its source, of an
//! encoder over itself.

use super::cache::{LayerCache, misplaced};
use super::plan::Item;
use super::{Plan, Plans, Span, Step};
use crate::checkpoint::with_slice;
use crate::error::Result;
use crate::kernel::{self, Attended, AttentionShape, KeyValues, Reach, RelativeBias};
use candle_core::{D, DType, Device, Tensor};
use std::ops::Range;

/// Attention of one layer.
pub struct Attention {
    /// Number of the layer, which is its place in the caches.
    pub layer: usize,
    /// Sizes.
    pub shape: AttentionShape,
    /// See [`super::Backend::candle`].
    pub candle: bool,
}

/// Some queries of a sequence, rows of the queries' tensor, and the rows of the keys' and values'
/// tensors that are the parts of what they see.
pub struct Group<'a> {
    /// Queries.
    pub queries: Range<usize>,
    /// Keys and values.
    pub parts: [Range<usize>; 2],
    /// What of them each query sees.
    pub reach: Reach<'a>,
}

impl<'a> Group<'a> {
    /// Every source by itself.
    pub(super) fn alone(spans: &[Range<usize>], reach: Reach<'a>) -> Vec<Group<'a>> {
        spans
            .iter()
            .map(|span| Group { queries: span.clone(), parts: [0..0, span.clone()], reach })
            .collect()
    }
}

impl Attention {
    /// Some heads of a projection, (tokens, all heads · dim), from `first` on: (tokens, count,
    /// dim). Where the kernels compute they are a copy, on a device they lie where they are.
    pub fn heads(&self, projected: &Tensor, first: usize, count: usize) -> Result<Tensor> {
        let part =
            projected.reshape((projected.dim(0)?, (), self.shape.dim))?.narrow(1, first, count)?;
        Ok(if self.candle { part } else { part.contiguous()? })
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
    pub fn forward(
        &self,
        [q, k, v]: [&Tensor; 3],
        bias: Option<&RelativeBias>,
        spans: &mut [Span<'_>],
        step: &mut Step<'_>,
    ) -> Result<Tensor> {
        if let Some(attended) = step.own((self.layer, &self.shape), [q, k, v], bias, spans)? {
            return Ok(attended);
        }
        let mut first = 0;
        let width = self.shape.kv_heads * self.shape.dim;
        let mut push = |k: &[f32], v: &[f32]| -> Result<()> {
            for span in spans.iter_mut() {
                let new = first * width..(first + span.tokens.len()) * width;
                span.cache.layers[self.layer].push(&k[new.clone()], &v[new])?;
                first += span.tokens.len();
            }
            Ok(())
        };
        with_slice(k, |k| with_slice(v, |v| push(k, v))?)??;
        let queries = |span: &Span<'_>| span.tokens.len();
        self.attend(q, spans, queries, bias, |span| Seen {
            parts: [span.cache.prefix_layer(self.layer), Some(&span.cache.layers[self.layer])],
            reach: span.paths.map_or(Reach::Causal, Reach::Paths),
        })
    }

    /// Cross-attention of every token, (tokens, heads, dim), to its sequence's source (Vaswani et
    /// al. 2017).
    pub fn cross(&self, q: &Tensor, spans: &[Span<'_>], step: &mut Step<'_>) -> Result<Tensor> {
        if let Some(attended) = step.source((self.layer, &self.shape), q, spans)? {
            return Ok(attended);
        }
        let queries = |span: &Span<'_>| span.tokens.len();
        self.attend(q, spans, queries, None, |span| Seen {
            parts: [None, span.cache.source_layer(self.layer)],
            reach: Reach::All,
        })
    }

    /// The weights of the cross-attention of one sequence's queries, (tokens, heads, dim), over its
    /// source, the mean over the heads: (tokens, source). It is not on the way of generation, and
    /// computes with candle's operations everywhere.
    pub fn weights(&self, q: &Tensor, span: &Span<'_>, step: &Step<'_>) -> Result<Tensor> {
        let AttentionShape { kv_heads, dim, scale, .. } = self.shape;
        let (tokens, heads, _) = q.dims3()?;
        let source = span
            .cache
            .source()
            .ok_or_else(|| candle_core::Error::msg("attention to a source that was not read"))?;
        let keys = match step.written() {
            Some(written) => {
                let rows = Tensor::new(source.held()?.lock().as_slice(), q.device())?;
                written.layer(self.layer)?[0].index_select(&rows, 0)?.reshape((
                    (),
                    kv_heads,
                    dim,
                ))?
            }
            None => source.layers[self.layer].keys(kv_heads, dim)?,
        };
        // (kv_heads, group · tokens, dim): the query heads of a group read the same keys
        let q =
            q.transpose(0, 1)?.contiguous()?.reshape((kv_heads, heads / kv_heads * tokens, dim))?;
        let keys = keys.transpose(0, 1)?.contiguous()?; // (kv_heads, source, dim)
        let scores = (q.matmul(&keys.t()?)? * f64::from(scale))?;
        let weights = candle_nn::ops::softmax(&scores.to_dtype(DType::F32)?, D::Minus1)?;
        Ok(weights.reshape((heads, tokens, keys.dim(1)?))?.mean(0)?)
    }

    /// Self-attention of an encoder: queries (tokens, heads, dim) over keys and values (tokens,
    /// kv_heads, dim), group by group. Writes the groups' results one after the other: (queries of
    /// all groups, heads · dim).
    pub fn among(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        bias: Option<&RelativeBias>,
        groups: &[Group<'_>],
    ) -> Result<Tensor> {
        if self.candle {
            return self.among_on_device(q, k, v, bias, groups);
        }
        let (_, heads, dim) = q.dims3()?;
        let (q_width, kv_width) = (heads * dim, self.shape.kv_heads * dim);
        let count: usize = groups.iter().map(|group| group.queries.len()).sum();
        let mut out = vec![0.0; count * q_width];
        let mut attend = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut rest = out.as_mut_slice();
            for Group { queries, parts, reach } in groups {
                let parts = Attended::F32(parts.each_ref().map(|rows| {
                    let span = rows.start * kv_width..rows.end * kv_width;
                    KeyValues { keys: &k[span.clone()], values: &v[span] }
                }));
                let (own, others) = std::mem::take(&mut rest).split_at_mut(queries.len() * q_width);
                kernel::attend(
                    &self.shape,
                    *reach,
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

    /// The same where each sequence sees all of itself and nothing else.
    pub(super) fn alone(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        bias: Option<&RelativeBias>,
        spans: &[Range<usize>],
        plans: &mut Plans,
    ) -> Result<Tensor> {
        if !self.candle {
            return self.among(q, k, v, bias, &Group::alone(spans, Reach::All));
        }
        let item = |span: &Range<usize>| Item {
            queries: span.clone(),
            rows: span.clone().map(|row| row as u32).collect(),
            causal: false,
        };
        let make = || {
            Plan::new(&spans.iter().map(item).collect::<Vec<_>>(), &self.shape, bias, q.device())
        };
        plans.of_encoder(bias, make)?.attend(&self.shape, q, k, v)
    }

    /// The same with candle's operations.
    fn among_on_device(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        bias: Option<&RelativeBias>,
        groups: &[Group<'_>],
    ) -> Result<Tensor> {
        let mut outputs = Vec::with_capacity(groups.len());
        for Group { queries, parts, reach } in
            groups.iter().filter(|group| !group.queries.is_empty())
        {
            let [first, second] =
                parts.each_ref().map(|rows| -> Result<Option<(Tensor, Tensor)>> {
                    let part = |t: &Tensor| t.narrow(0, rows.start, rows.len());
                    Ok(if rows.is_empty() { None } else { Some((part(k)?, part(v)?)) })
                });
            let q = q.narrow(0, queries.start, queries.len())?;
            outputs.push(self.on_device(&q, [first?, second?], *reach, bias)?);
        }
        Ok(Tensor::cat(&outputs, 0)?)
    }

    /// Attention of queries that belong to a few sequences, one after the other.
    fn attend<T>(
        &self,
        q: &Tensor,
        sequences: &[T],
        queries: impl Fn(&T) -> usize,
        bias: Option<&RelativeBias>,
        seen: impl Fn(&T) -> Seen<'_>,
    ) -> Result<Tensor> {
        let (tokens, heads, dim) = q.dims3()?;
        let width = heads * dim;
        let mut out = vec![0.0; tokens * width];
        with_slice(q, |q| -> Result<()> {
            let mut first = 0;
            for sequence in sequences {
                let rows = first * width..(first + queries(sequence)) * width;
                let Seen { parts, reach } = seen(sequence);
                kernel::attend(
                    &self.shape,
                    reach,
                    bias,
                    &q[rows.clone()],
                    attended(parts)?,
                    &mut out[rows],
                );
                first += queries(sequence);
            }
            Ok(())
        })??;
        Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
    }

    /// The queries of one sequence, (tokens, heads, dim), with candle's operations.
    fn on_device(
        &self,
        q: &Tensor,
        parts: Parts,
        reach: Reach<'_>,
        bias: Option<&RelativeBias>,
    ) -> Result<Tensor> {
        let tokens = q.dim(0)?;
        let rows =
            |part: &Option<(Tensor, Tensor)>| part.as_ref().map_or(Ok(0), |(keys, _)| keys.dim(0));
        let (held, own) = (rows(&parts[0])?, rows(&parts[1])?);
        // What is added for a key at some place of a sequence, seen from a query at another.
        let add = |bias: Option<&RelativeBias>, head: usize, query: usize, key: usize| {
            bias.map_or(0.0, |b| b.at(head, query, key))
        };
        match reach {
            Reach::Causal => {
                let at = held + own - tokens;
                let seen = |t: usize, p: usize| {
                    p <= at + t && self.shape.window.is_none_or(|w| at + t - p < w)
                };
                self.scored(q, parts, |head, t, p| seen(t, p).then(|| add(bias, head, at + t, p)))
            }
            Reach::All => self.scored(q, parts, |head, t, p| Some(add(bias, head, t, p))),
            Reach::Paths(paths) => self.scored(q, parts, |head, t, p| {
                let own = |p| paths[t].iter().position(|&row| row as usize == p);
                let key = if p < held { p } else { held + own(p - held)? };
                let query = held + paths[t].len() - 1;
                self.shape
                    .window
                    .is_none_or(|w| query - key < w)
                    .then(|| add(bias, head, query, key))
            }),
            Reach::Near { radius, blocks } => {
                // In stretches, each with what it can see: cost grows with the length, not with its
                // square.
                let stretch = radius.clamp(64, 1024);
                let mut outputs = Vec::with_capacity(tokens.div_ceil(stretch));
                for from in (0..tokens).step_by(stretch) {
                    let to = (from + stretch).min(tokens);
                    let (start, end) =
                        (from.saturating_sub(radius), to.saturating_add(radius).min(own));
                    let near = |part: &Tensor| part.narrow(0, start, end - start);
                    let second = parts[1]
                        .as_ref()
                        .map(|(keys, values)| -> Result<_> { Ok((near(keys)?, near(values)?)) })
                        .transpose()?;
                    let output = self.scored(
                        &q.narrow(0, from, to - from)?,
                        [parts[0].clone(), second],
                        |head, t, p| {
                            let query = from + t;
                            if p < held {
                                return Some(blocks.map_or(0.0, |blocks| {
                                    blocks.bias.at(head, blocks.of(query, held), p)
                                }));
                            }
                            let key = start + p - held;
                            (key.abs_diff(query) <= radius).then(|| add(bias, head, query, key))
                        },
                    )?;
                    outputs.push(output);
                }
                Ok(Tensor::cat(&outputs, 0)?)
            }
        }
    }

    /// Attention with candle's operations; `add` says what the score of a head's query gets at each
    /// row of the parts, `None` when the query does not see it.
    fn scored(
        &self,
        q: &Tensor,
        parts: Parts,
        add: impl Fn(usize, usize, usize) -> Option<f32>,
    ) -> Result<Tensor> {
        let AttentionShape { heads, kv_heads, dim, scale, .. } = self.shape;
        let group = heads / kv_heads;
        let tokens = q.dim(0)?;
        let (keys, values): (Vec<Tensor>, Vec<Tensor>) = parts.into_iter().flatten().unzip();
        // (positions, kv_heads, dim) to (kv_heads, positions, dim)
        let by_head = |parts: &[Tensor]| Tensor::cat(parts, 0)?.transpose(0, 1)?.contiguous();
        let (keys, values) = (by_head(&keys)?, by_head(&values)?);
        let positions = keys.dim(1)?;
        let mut mask = Vec::with_capacity(heads * tokens * positions);
        for head in 0..heads {
            for t in 0..tokens {
                mask.extend((0..positions).map(|p| add(head, t, p).unwrap_or(f32::NEG_INFINITY)));
            }
        }
        // (kv_heads, group · tokens, dim): the query heads of a group read the same keys
        let q = q.transpose(0, 1)?.contiguous()?.reshape((kv_heads, group * tokens, dim))?;
        let mask = Tensor::from_vec(mask, (kv_heads, group * tokens, positions), q.device())?;
        let scores = ((q.matmul(&keys.t()?)?.to_dtype(DType::F32)? * f64::from(scale))? + mask)?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(values.dtype())?;
        let out = weights
            .matmul(&values)?
            .reshape((heads, tokens, dim))?
            .transpose(0, 1)?
            .contiguous()?;
        Ok(out.reshape((tokens, heads * dim))?)
    }
}

/// Keys and values on a device, each (positions, kv_heads, dim).
type Parts = [Option<(Tensor, Tensor)>; 2];

/// What the queries of one sequence see.
struct Seen<'a> {
    parts: [Option<&'a LayerCache>; 2],
    reach: Reach<'a>,
}

/// The caches of two parts, which are kept alike; the first may be missing.
fn attended<'a>(parts: [Option<&'a LayerCache>; 2]) -> Result<Attended<'a>> {
    Ok(match parts {
        [None, Some(LayerCache::Host { keys, values })] => {
            Attended::F32([KeyValues::NONE, KeyValues { keys, values }])
        }
        [None, Some(LayerCache::Half { keys, values })] => {
            Attended::F16([KeyValues::NONE, KeyValues { keys, values }])
        }
        [
            Some(LayerCache::Host { keys: k, values: v }),
            Some(LayerCache::Host { keys, values }),
        ] => Attended::F32([KeyValues { keys: k, values: v }, KeyValues { keys, values }]),
        [
            Some(LayerCache::Half { keys: k, values: v }),
            Some(LayerCache::Half { keys, values }),
        ] => Attended::F16([KeyValues { keys: k, values: v }, KeyValues { keys, values }]),
        _ => return Err(misplaced()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Blocks;

    /// What a GPU computes, computed in main memory: it is to be what the kernel computes.
    #[test]
    fn candle_and_the_kernel_agree_on_every_reach() {
        let shape = AttentionShape { heads: 4, kv_heads: 2, dim: 12, scale: 0.3, window: Some(40) };
        let attention = Attention { layer: 0, shape, candle: false };
        let random = |rows: usize, heads: usize| {
            Tensor::randn(0f32, 1.0, (rows, heads, 12), &Device::Cpu).unwrap()
        };
        let (q, k, v) = (random(150, 4), random(150, 2), random(150, 2));
        let bias =
            RelativeBias::new(4, 3, |head, distance| (head as f32 + 1.0) * 0.1 * distance as f32);
        let side =
            RelativeBias::new(4, 2, |head, distance| (head as f32 - 1.0) * 0.2 * distance as f32);
        let paths: Vec<Vec<u32>> =
            (0..20).map(|t| (0..=t).map(|i| (i * 7 + t) % 130).collect()).collect();
        let near = |radius| Reach::Near { radius, blocks: None };
        let blocks = Reach::Near { radius: 3, blocks: Some(Blocks { size: 16, bias: &side }) };
        for (queries, reach) in [
            (0..130, Reach::Causal),
            (0..9, Reach::All),
            (20..40, Reach::Paths(&paths)),
            (0..130, near(70)),
            (0..130, blocks),
            (1..128, blocks),
            (0..130, near(0)),
        ] {
            for bias in [None, Some(&bias)] {
                let groups = [
                    Group { queries: queries.clone(), parts: [0..8, 20..150], reach },
                    Group { queries: 0..1, parts: [0..0, 0..150], reach: Reach::All },
                ];
                let host = attention.among(&q, &k, &v, bias, &groups).unwrap();
                let device = attention.among_on_device(&q, &k, &v, bias, &groups).unwrap();
                let differ = (host - device)
                    .unwrap()
                    .abs()
                    .unwrap()
                    .max_all()
                    .unwrap()
                    .to_scalar::<f32>()
                    .unwrap();
                assert!(differ < 1e-5, "{reach:?} of {queries:?}: {differ}");
            }
        }
    }
}
