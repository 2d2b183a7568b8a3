//! Attention over parts of tensors with candle's operations, for every kind of mask.

use super::ops;
use super::query_group::QueryGroup;
use crate::error::Result;
use crate::kernel::{AttentionShape, GlobalBlocks, Mask, RelativeBias};
use candle_core::{D, DType, Tensor};

/// Keys and values on a device, each (positions, kv_heads, dim).
type Parts = [Option<(Tensor, Tensor)>; 2];

/// Attention of queries (tokens, heads, dim) over keys and values (tokens, kv_heads, dim), group by
/// group; see [`super::Attention::attend_groups`].
pub(super) fn attend_groups(
    shape: &AttentionShape,
    [q, k, v]: [&Tensor; 3],
    bias: Option<&RelativeBias>,
    groups: &[QueryGroup<'_>],
) -> Result<Tensor> {
    let mut outputs = Vec::with_capacity(groups.len());
    for QueryGroup { queries, parts, mask } in
        groups.iter().filter(|group| !group.queries.is_empty())
    {
        let [first, second] = parts.each_ref().map(|rows| -> Result<Option<(Tensor, Tensor)>> {
            let part = |t: &Tensor| t.narrow(0, rows.start, rows.len());
            Ok(if rows.is_empty() { None } else { Some((part(k)?, part(v)?)) })
        });
        let q = q.narrow(0, queries.start, queries.len())?;
        outputs.push(attend(shape, &q, [first?, second?], *mask, bias)?);
    }
    Ok(Tensor::cat(&outputs, 0)?)
}

/// Attention of the queries of one sequence, (tokens, heads, dim).
fn attend(
    shape: &AttentionShape,
    q: &Tensor,
    parts: Parts,
    mask: Mask<'_>,
    bias: Option<&RelativeBias>,
) -> Result<Tensor> {
    let tokens = q.dim(0)?;
    let (held, own) = (rows(&parts[0])?, rows(&parts[1])?);
    match mask {
        Mask::Causal => {
            let at = held + own - tokens;
            let seen =
                |t: usize, p: usize| p <= at + t && shape.window.is_none_or(|w| at + t - p < w);
            scored(shape, q, parts, |head, t, p| seen(t, p).then(|| bias_at(bias, head, at + t, p)))
        }
        Mask::Full => scored(shape, q, parts, |head, t, p| Some(bias_at(bias, head, t, p))),
        Mask::BeamPaths(paths) => scored(shape, q, parts, |head, t, p| {
            let own = |p| paths[t].iter().position(|&row| row as usize == p);
            let key = if p < held { p } else { held + own(p - held)? };
            let query = held + paths[t].len() - 1;
            shape.window.is_none_or(|w| query - key < w).then(|| bias_at(bias, head, query, key))
        }),
        Mask::Local { radius, blocks } => attend_local(shape, q, parts, (radius, blocks), bias),
    }
}

/// Attention within a radius, and to the sums of blocks in the first part. It goes in stretches of
/// queries, each with the keys that it can see: the cost grows with the length, not with its
/// square.
fn attend_local(
    shape: &AttentionShape,
    q: &Tensor,
    parts: Parts,
    (radius, blocks): (usize, Option<GlobalBlocks<'_>>),
    bias: Option<&RelativeBias>,
) -> Result<Tensor> {
    let (tokens, held, own) = (q.dim(0)?, rows(&parts[0])?, rows(&parts[1])?);
    let stretch = radius.clamp(64, 1024);
    let mut outputs = Vec::with_capacity(tokens.div_ceil(stretch));
    for from in (0..tokens).step_by(stretch) {
        let to = (from + stretch).min(tokens);
        let (start, end) = (from.saturating_sub(radius), to.saturating_add(radius).min(own));
        let near = |part: &Tensor| part.narrow(0, start, end - start);
        let second = parts[1]
            .as_ref()
            .map(|(keys, values)| -> Result<_> { Ok((near(keys)?, near(values)?)) })
            .transpose()?;
        let add = |head: usize, t: usize, p: usize| {
            let query = from + t;
            if p < held {
                return Some(
                    blocks.map_or(0.0, |blocks| blocks.bias.at(head, blocks.of(query, held), p)),
                );
            }
            let key = start + p - held;
            (key.abs_diff(query) <= radius).then(|| bias_at(bias, head, query, key))
        };
        let q = q.narrow(0, from, to - from)?;
        outputs.push(scored(shape, &q, [parts[0].clone(), second], add)?);
    }
    Ok(Tensor::cat(&outputs, 0)?)
}

/// Rows of a part.
fn rows(part: &Option<(Tensor, Tensor)>) -> Result<usize> {
    Ok(part.as_ref().map_or(Ok(0), |(keys, _)| keys.dim(0))?)
}

/// The bias of a head for a query and a key, by their positions.
fn bias_at(bias: Option<&RelativeBias>, head: usize, query: usize, key: usize) -> f32 {
    bias.map_or(0.0, |bias| bias.at(head, query, key))
}

/// Softmax attention over all rows of the parts; `add` gives what is added to a head's score of a
/// query and a row, `None` when the query does not see the row.
fn scored(
    shape: &AttentionShape,
    q: &Tensor,
    parts: Parts,
    add: impl Fn(usize, usize, usize) -> Option<f32>,
) -> Result<Tensor> {
    let AttentionShape { heads, kv_heads, dim, scale, cap, .. } = *shape;
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
    let scores = (q.matmul(&keys.t()?)?.to_dtype(DType::F32)? * f64::from(scale))?;
    let scores = (ops::soft_cap(scores, cap)? + mask)?;
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(values.dtype())?;
    let out =
        weights.matmul(&values)?.reshape((heads, tokens, dim))?.transpose(0, 1)?.contiguous()?;
    Ok(out.reshape((tokens, heads * dim))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Precision;
    use crate::nn::{Attention, Backend};
    use candle_core::Device;

    /// What a GPU computes, computed in main memory, is what the kernel computes.
    #[test]
    fn candle_and_the_kernel_agree_on_every_reach() {
        let shape = AttentionShape {
            heads: 4,
            kv_heads: 2,
            dim: 12,
            scale: 0.3,
            cap: Some(1.5),
            window: Some(40),
        };
        let attention = Attention::new(0, shape, &Backend::new(Device::Cpu, Precision::F32));
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
        let near = |radius| Mask::Local { radius, blocks: None };
        let blocks =
            Mask::Local { radius: 3, blocks: Some(GlobalBlocks { size: 16, bias: &side }) };
        for (queries, mask) in [
            (0..130, Mask::Causal),
            (0..9, Mask::Full),
            (20..40, Mask::BeamPaths(&paths)),
            (0..130, near(70)),
            (0..130, blocks),
            (1..128, blocks),
            (0..130, near(0)),
        ] {
            for bias in [None, Some(&bias)] {
                let groups = [
                    QueryGroup { queries: queries.clone(), parts: [0..8, 20..150], mask },
                    QueryGroup { queries: 0..1, parts: [0..0, 0..150], mask: Mask::Full },
                ];
                let host = attention.attend_groups([&q, &k, &v], bias, &groups).unwrap();
                let device = attend_groups(&shape, [&q, &k, &v], bias, &groups).unwrap();
                let differ = (host - device)
                    .unwrap()
                    .abs()
                    .unwrap()
                    .max_all()
                    .unwrap()
                    .to_scalar::<f32>()
                    .unwrap();
                assert!(differ < 1e-5, "{mask:?} of {queries:?}: {differ}");
            }
        }
    }
}
