//! What the tokens of a source see of it in an encoder's self-attention: all, or, in models for
//! long sources, what is near and a little of the rest.

use super::attention::{Attention, Group};
use super::cache::ranges;
use super::{Linear, Norm, Plans};
use crate::error::Result;
use crate::kernel::{Blocks, Reach, RelativeBias};
use candle_core::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// What the tokens of a source see of it. With `All` the cost grows with the square of its length,
/// with blocks too, but with the size of a block as divisor; with the others it grows with the
/// length.
pub enum Sight {
    /// The source.
    All,
    /// What is within a radius.
    Near {
        /// Positions on either side.
        radius: usize,
    },
    /// What is within a radius, and a sum of every block of the source (Guo et al. 2021, transient
    /// global attention).
    NearAndBlocks {
        /// Positions on either side.
        radius: usize,
        /// Positions of a block; those that are left over belong to the last one.
        size: usize,
        /// Normalizes the sums.
        norm: Norm,
        /// By the distance from the query's block.
        bias: Arc<RelativeBias>,
    },
    /// What is within a radius, and the first token, which itself sees all (Beltagy et al. 2020,
    /// global attention).
    NearAndFirst {
        /// Positions on either side.
        radius: usize,
        /// The query with which the first token sees all.
        query: Linear,
        /// The keys and values that it sees.
        key_value: Linear,
    },
}

impl Sight {
    /// Self-attention of sources of these lengths, which stand one after the other in `x`, (tokens,
    /// dim): to (tokens, heads · head_dim). `qkv` makes queries, keys and values. A source's result
    /// does not depend on the others.
    pub fn attend(
        &self,
        attention: &Attention,
        qkv: &Linear,
        bias: Option<&RelativeBias>,
        x: &Tensor,
        lengths: &[usize],
        plans: &mut Plans,
    ) -> Result<Tensor> {
        let spans = ranges(lengths);
        match self {
            Sight::All => {
                let [q, k, v] = attention.split(&qkv.forward(x)?)?;
                attention.alone(&q, &k, &v, bias, &spans, plans)
            }
            Sight::Near { radius } => {
                let [q, k, v] = attention.split(&qkv.forward(x)?)?;
                let reach = Reach::Near { radius: *radius, blocks: None };
                attention.among(&q, &k, &v, bias, &Group::alone(&spans, reach))
            }
            Sight::NearAndBlocks { radius, size, norm, bias: block_bias } => {
                let counts: Vec<usize> = lengths.iter().map(|n| n / size).collect();
                let sums = block_sums(x, lengths, *size)?;
                let rows = if sums.dim(0)? == 0 {
                    x.clone()
                } else {
                    Tensor::cat(&[x, &norm.forward(&sums)?], 0)?
                };
                // The sums go through the same projection, and only their keys and values are used.
                let [q, k, v] = attention.split(&qkv.forward(&rows)?)?;
                let reach = Reach::Near {
                    radius: *radius,
                    blocks: Some(Blocks { size: *size, bias: block_bias }),
                };
                let mut next = x.dim(0)?;
                let group = |(span, count): (&Range<usize>, &usize)| {
                    next += count;
                    Group {
                        queries: span.clone(),
                        parts: [next - count..next, span.clone()],
                        reach,
                    }
                };
                let groups: Vec<Group<'_>> = spans.iter().zip(&counts).map(group).collect();
                attention.among(&q, &k, &v, bias, &groups)
            }
            Sight::NearAndFirst { radius, query, key_value } => {
                let [q, k, v] = attention.split(&qkv.forward(x)?)?;
                let others = |span: &Range<usize>| Group {
                    queries: span.start + 1..span.end,
                    parts: [span.start..span.start + 1, span.start + 1..span.end],
                    reach: Reach::Near { radius: *radius, blocks: None },
                };
                let first = |(i, span): (usize, &Range<usize>)| Group {
                    queries: i..i + 1,
                    parts: [0..0, span.clone()],
                    reach: Reach::All,
                };
                let groups: Vec<Group<'_>> = spans.iter().enumerate().map(first).collect();
                let starts: Vec<u32> = spans.iter().map(|span| span.start as u32).collect();
                let [first_q] = attention.split(
                    &query.forward(&x.index_select(&Tensor::new(starts, x.device())?, 0)?)?,
                )?;
                let [all_k, all_v] = attention.split(&key_value.forward(x)?)?;
                let firsts = attention.among(&first_q, &all_k, &all_v, bias, &groups)?;
                let groups: Vec<Group<'_>> =
                    spans.iter().map(others).filter(|group| !group.queries.is_empty()).collect();
                if groups.is_empty() {
                    return Ok(firsts);
                }
                let rest = attention.among(&q, &k, &v, bias, &groups)?;
                // Back to the order of the tokens: each source's first, then what came of its
                // others.
                let mut next = spans.len();
                let mut order: Vec<u32> = Vec::with_capacity(x.dim(0)?);
                for (i, span) in spans.iter().enumerate() {
                    order.push(i as u32);
                    order.extend((next..next + span.len() - 1).map(|row| row as u32));
                    next += span.len() - 1;
                }
                Ok(Tensor::cat(&[firsts, rest], 0)?
                    .index_select(&Tensor::new(order, x.device())?, 0)?)
            }
        }
    }
}

/// The sums of the rows of every full block, in order, (blocks of all sources, dim); what is left
/// over at a source's end belongs to its last block, if it has one.
fn block_sums(x: &Tensor, lengths: &[usize], size: usize) -> Result<Tensor> {
    let blocks: usize = lengths.iter().map(|n| n / size).sum();
    let (mut first, mut targets) = (0, Vec::with_capacity(x.dim(0)?));
    for &length in lengths {
        let count = length / size;
        // Sources without a block are summed up in a row of no use.
        targets.extend(
            (0..length).map(
                |i| if count == 0 { blocks } else { first + (i / size).min(count - 1) } as u32,
            ),
        );
        first += count;
    }
    let sums = Tensor::zeros((blocks + 1, x.dim(1)?), x.dtype(), x.device())?;
    Ok(sums.index_add(&Tensor::new(targets, x.device())?, x, 0)?.narrow(0, 0, blocks)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::MatrixReader;
    use crate::kernel::{AttentionShape, Precision};
    use crate::nn::Backend;
    use candle_core::{DType, Device};

    #[test]
    fn a_source_does_not_depend_on_the_others() {
        const DIM: usize = 16;
        let random = |rows: usize| Tensor::randn(0f32, 1.0, (rows, DIM), &Device::Cpu).unwrap();
        let shape = AttentionShape { heads: 2, kv_heads: 2, dim: 8, scale: 0.4, window: None };
        let attention = Attention { layer: 0, shape, candle: false };
        let lengths = [1, 7, 3, 1, 40, 4];
        let x = random(lengths.iter().sum());
        for precision in [Precision::F32, Precision::Int8] {
            let backend = Backend::new(Device::Cpu, precision);
            let linear = |parts: usize| {
                Linear::new(&MatrixReader::from_tensor(random(parts * DIM)).unwrap(), &backend)
                    .unwrap()
            };
            let qkv = linear(3);
            let bias = Arc::new(RelativeBias::new(2, 3, |head, distance| {
                (head as f32 - 0.5) * distance as f32
            }));
            let norm = Norm::Rms {
                weight: Tensor::ones(DIM, DType::F32, &Device::Cpu).unwrap(),
                epsilon: 1e-6,
            };
            for sight in [
                Sight::All,
                Sight::Near { radius: 2 },
                Sight::NearAndBlocks { radius: 2, size: 4, norm: norm.clone(), bias: bias.clone() },
                Sight::NearAndFirst { radius: 2, query: linear(1), key_value: linear(2) },
            ] {
                let attend = |x: &Tensor, lengths: &[usize]| -> Vec<Vec<f32>> {
                    sight
                        .attend(&attention, &qkv, Some(&bias), x, lengths, &mut Plans::default())
                        .unwrap()
                        .to_vec2()
                        .unwrap()
                };
                let together = attend(&x, &lengths);
                assert_eq!(together.len(), x.dim(0).unwrap());
                for span in ranges(&lengths) {
                    let alone =
                        attend(&x.narrow(0, span.start, span.len()).unwrap(), &[span.len()]);
                    assert!(alone == together[span.clone()], "{span:?}");
                }
            }
        }
    }

    #[test]
    fn blocks_are_summed_up_and_the_last_one_takes_the_rest() {
        let x = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((12, 1)).unwrap();
        // 0 | 1 2 3, 4 5 6 7 8 | 9 10 11
        let sums =
            block_sums(&x, &[1, 8, 3], 3).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(sums, [6.0, 30.0, 30.0]);
    }
}
