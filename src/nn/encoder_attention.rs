//! Self-attention of an encoder: over the whole source, or, in models for long sources, over what
//! is near and a little of the rest.

use super::query_group::QueryGroup;
use super::ranges::ranges;
use super::{Attention, Linear, MetadataCache, Norm};
use crate::error::Result;
use crate::kernel::{GlobalBlocks, Mask, RelativeBias};
use candle_core::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// Self-attention of one layer of an encoder.
pub struct EncoderAttention {
    /// Queries, keys and values, side by side.
    pub qkv: Linear,
    /// Shape and implementation.
    pub attention: Attention,
    /// Relative positions, in models that have them.
    pub bias: Option<Arc<RelativeBias>>,
    /// Which tokens of the source each of them sees.
    pub pattern: LayerPattern,
}

/// The attention pattern of a layer, with the weights that it needs. The cost of `Full` grows with
/// the square of the source's length, that of blocks too, divided by their size; that of the others
/// grows with the length.
pub enum LayerPattern {
    /// Every token sees the whole source.
    Full,
    /// Every token sees those within a radius.
    Local {
        /// Positions on either side.
        radius: usize,
    },
    /// Local attention, and attention to a sum of every block of the source (Guo et al. 2021,
    /// transient global attention).
    TransientGlobal {
        /// Positions on either side.
        radius: usize,
        /// Positions in a block; those that are left over belong to the last one.
        block_size: usize,
        /// Normalizes the sums.
        norm: Norm,
        /// Relative positions of the blocks, by their distance from the query's block.
        block_bias: Arc<RelativeBias>,
    },
    /// Local attention, and the first token, which all see and which sees all (Beltagy et al. 2020,
    /// global attention).
    FirstTokenGlobal {
        /// Positions on either side.
        radius: usize,
        /// The first token's query.
        query: Linear,
        /// The keys and values that the first token sees.
        key_value: Linear,
    },
}

impl EncoderAttention {
    /// Attention of sources of these lengths, which stand one after the other in `x`, (tokens,
    /// dim): to (tokens, heads · head_dim). A source's result does not depend on the others.
    pub fn forward(
        &self,
        x: &Tensor,
        lengths: &[usize],
        metadata: &mut MetadataCache,
    ) -> Result<Tensor> {
        let sources = ranges(lengths);
        let bias = self.bias.as_deref();
        match &self.pattern {
            LayerPattern::Full => {
                let bias = self.bias.as_ref();
                self.attention.attend_sequences(&self.qkv.forward(x)?, bias, &sources, metadata)
            }
            LayerPattern::Local { radius } => {
                let [q, k, v] = self.attention.split(&self.qkv.forward(x)?)?;
                let groups = QueryGroup::per_sequence(&sources, local(*radius));
                self.attention.attend_groups([&q, &k, &v], bias, &groups)
            }
            LayerPattern::TransientGlobal { radius, block_size, norm, block_bias } => {
                let sums = block_sums(x, lengths, *block_size)?;
                let blocks = GlobalBlocks { size: *block_size, bias: block_bias };
                self.attend_blocks(x, &sources, norm, &sums, (*radius, blocks))
            }
            LayerPattern::FirstTokenGlobal { radius, query, key_value } => {
                let firsts = self.attend_first_tokens(x, &sources, query, key_value)?;
                self.attend_other_tokens(x, &sources, *radius, firsts)
            }
        }
    }

    /// Local attention, and attention to the sums of blocks, (blocks of all sources, dim).
    fn attend_blocks(
        &self,
        x: &Tensor,
        sources: &[Range<usize>],
        norm: &Norm,
        sums: &Tensor,
        (radius, blocks): (usize, GlobalBlocks<'_>),
    ) -> Result<Tensor> {
        let rows =
            if sums.dim(0)? == 0 { x.clone() } else { Tensor::cat(&[x, &norm.forward(sums)?], 0)? };
        // The sums go through the same projection, and only their keys and values are used.
        let [q, k, v] = self.attention.split(&self.qkv.forward(&rows)?)?;
        let mask = Mask::Local { radius, blocks: Some(blocks) };
        let mut next = x.dim(0)?;
        let group = |source: &Range<usize>| {
            let count = source.len() / blocks.size;
            next += count;
            let parts = [next - count..next, source.clone()];
            QueryGroup { queries: source.clone(), parts, mask }
        };
        let groups: Vec<QueryGroup<'_>> = sources.iter().map(group).collect();
        self.attention.attend_groups([&q, &k, &v], self.bias.as_deref(), &groups)
    }

    /// Attention of each source's first token to all of it: (sources, heads · head_dim).
    fn attend_first_tokens(
        &self,
        x: &Tensor,
        sources: &[Range<usize>],
        query: &Linear,
        key_value: &Linear,
    ) -> Result<Tensor> {
        let starts: Vec<u32> = sources.iter().map(|source| source.start as u32).collect();
        let firsts = x.index_select(&Tensor::new(starts, x.device())?, 0)?;
        let [q] = self.attention.split(&query.forward(&firsts)?)?;
        let [k, v] = self.attention.split(&key_value.forward(x)?)?;
        let group = |(i, source): (usize, &Range<usize>)| QueryGroup {
            queries: i..i + 1,
            parts: [0..0, source.clone()],
            mask: Mask::Full,
        };
        let groups: Vec<QueryGroup<'_>> = sources.iter().enumerate().map(group).collect();
        self.attention.attend_groups([&q, &k, &v], self.bias.as_deref(), &groups)
    }

    /// Local attention of the tokens after each source's first, which they see too. Puts `firsts`,
    /// the results of the first tokens, in their places.
    fn attend_other_tokens(
        &self,
        x: &Tensor,
        sources: &[Range<usize>],
        radius: usize,
        firsts: Tensor,
    ) -> Result<Tensor> {
        let group = |source: &Range<usize>| QueryGroup {
            queries: source.start + 1..source.end,
            parts: [source.start..source.start + 1, source.start + 1..source.end],
            mask: local(radius),
        };
        let groups: Vec<QueryGroup<'_>> =
            sources.iter().map(group).filter(|group| !group.queries.is_empty()).collect();
        if groups.is_empty() {
            return Ok(firsts);
        }
        let [q, k, v] = self.attention.split(&self.qkv.forward(x)?)?;
        let others = self.attention.attend_groups([&q, &k, &v], self.bias.as_deref(), &groups)?;
        // Back to the order of the tokens: each source's first, then its others.
        let mut next = sources.len();
        let mut order: Vec<u32> = Vec::with_capacity(x.dim(0)?);
        for (i, source) in sources.iter().enumerate() {
            order.push(i as u32);
            order.extend((next..next + source.len() - 1).map(|row| row as u32));
            next += source.len() - 1;
        }
        let all = Tensor::cat(&[firsts, others], 0)?;
        Ok(all.index_select(&Tensor::new(order, x.device())?, 0)?)
    }
}

/// Attention within a radius.
fn local<'a>(radius: usize) -> Mask<'a> {
    Mask::Local { radius, blocks: None }
}

/// The sums of the rows of every full block, in order, (blocks of all sources, dim); the rows left
/// over at a source's end belong to its last block, if it has one.
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
        let shape =
            AttentionShape { heads: 2, kv_heads: 2, dim: 8, scale: 0.4, cap: None, window: None };
        let lengths = [1, 7, 3, 1, 40, 4];
        let x = random(lengths.iter().sum());
        for precision in [Precision::F32, Precision::Int8] {
            let backend = Backend::new(Device::Cpu, precision);
            let linear = |parts: usize| {
                Linear::new(&MatrixReader::from_tensor(random(parts * DIM)).unwrap(), &backend)
                    .unwrap()
            };
            let bias = Arc::new(RelativeBias::new(2, 3, |head, distance| {
                (head as f32 - 0.5) * distance as f32
            }));
            let norm = Norm::Rms {
                weight: Tensor::ones(DIM, DType::F32, &Device::Cpu).unwrap(),
                epsilon: 1e-6,
            };
            for pattern in [
                LayerPattern::Full,
                LayerPattern::Local { radius: 2 },
                LayerPattern::TransientGlobal {
                    radius: 2,
                    block_size: 4,
                    norm: norm.clone(),
                    block_bias: bias.clone(),
                },
                LayerPattern::FirstTokenGlobal {
                    radius: 2,
                    query: linear(1),
                    key_value: linear(2),
                },
            ] {
                let layer = EncoderAttention {
                    qkv: linear(3),
                    attention: Attention::new(0, shape, &backend),
                    bias: Some(bias.clone()),
                    pattern,
                };
                let attend = |x: &Tensor, lengths: &[usize]| -> Vec<Vec<f32>> {
                    let mut metadata = MetadataCache::default();
                    layer.forward(x, lengths, &mut metadata).unwrap().to_vec2().unwrap()
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
