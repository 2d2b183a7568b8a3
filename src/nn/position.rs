//! Encodings of positions, rotary embedding ([`super::Rope`]) aside.

use super::Backend;
use crate::error::{Error, Result};
use crate::kernel::RelativeBias;
use candle_core::{Device, Tensor};

/// Absolute positions: a vector for each, which is added to the token's embedding.
#[derive(Clone, Debug)]
pub struct Positions {
    /// (positions, dim)
    table: Tensor,
}

/// Most numbers of a computed table: half a gigabyte of them.
const LARGEST_TABLE: usize = 1 << 27;

fn check_size(positions: usize, dim: usize) -> Result<()> {
    if positions.saturating_mul(dim) <= LARGEST_TABLE {
        return Ok(());
    }
    let message = format!(
        "{positions} positions of {dim} numbers are more than any model has; its configuration is wrong"
    );
    Err(candle_core::Error::msg(message).into())
}

impl Positions {
    /// Learned vectors, (positions, dim), in main memory; the first `offset` are not used (BART's
    /// have two of that kind).
    pub fn learned(table: &Tensor, offset: usize, backend: &Backend) -> Result<Positions> {
        let count = table.dim(0)?;
        if count <= offset {
            return Err(candle_core::Error::msg(format!(
                "{count} position vectors, the first {offset} of them unused, leave none"
            ))
            .into());
        }
        Ok(Positions { table: backend.place(&table.narrow(0, offset, count - offset)?)? })
    }

    /// Sines, then cosines, of `position / 10000^(2i/dim)` (Vaswani et al. 2017, in the order of
    /// Marian).
    pub fn sinusoidal(positions: usize, dim: usize, backend: &Backend) -> Result<Positions> {
        check_size(positions, dim)?;
        let half = dim.div_ceil(2);
        let angle = |p: usize, i: usize| p as f64 / 10000f64.powf(2.0 * i as f64 / dim as f64);
        let row = |p: usize| {
            (0..dim).map(move |i| {
                if i < half { angle(p, i).sin() as f32 } else { angle(p, i - half).cos() as f32 }
            })
        };
        let table: Vec<f32> = (0..positions).flat_map(row).collect();
        Ok(Positions {
            table: backend.place(&Tensor::from_vec(table, (positions, dim), &Device::Cpu)?)?,
        })
    }

    /// Sines, then cosines, with the frequencies of fairseq (`10000^(−i/(dim/2−1))`, in f32 as
    /// there), beginning at position `first`.
    pub fn sinusoidal_fairseq(
        first: usize,
        positions: usize,
        dim: usize,
        backend: &Backend,
    ) -> Result<Positions> {
        check_size(positions, dim)?;
        let half = dim / 2;
        let step = (10000f64.ln() / (half.max(2) - 1) as f64) as f32;
        let frequencies: Vec<f32> = (0..half).map(|i| (i as f32 * -step).exp()).collect();
        let row = |p: usize| {
            let angles = frequencies.iter().map(move |f| p as f32 * f);
            // An odd dimension has one column that stays zero.
            angles
                .clone()
                .map(f32::sin)
                .chain(angles.map(f32::cos))
                .chain(std::iter::repeat_n(0.0, dim % 2))
        };
        let table: Vec<f32> = (first..first + positions).flat_map(row).collect();
        Ok(Positions {
            table: backend.place(&Tensor::from_vec(table, (positions, dim), &Device::Cpu)?)?,
        })
    }

    /// Number of positions.
    pub fn count(&self) -> usize {
        self.table.dims()[0]
    }

    /// The vectors of some positions, (tokens, dim).
    ///
    /// # Errors
    /// When one of them is beyond the table.
    pub fn at(&self, positions: &[usize]) -> Result<Tensor> {
        if let Some(bad) = positions.iter().find(|&&p| p >= self.count()) {
            return Err(Error::from(candle_core::Error::msg(format!(
                "position {bad} of a model that knows {}",
                self.count()
            ))));
        }
        let positions: Vec<u32> = positions.iter().map(|&p| p as u32).collect();
        Ok(self.table.index_select(&Tensor::new(positions, self.table.device())?, 0)?)
    }
}

/// T5's relative positions (Raffel et al. 2020; reference: `T5Attention._relative_position_bucket`
/// of `transformers`): near distances have a bucket each, farther ones share buckets that grow
/// logarithmically up to `max_distance`. `table` is (buckets, heads), in main memory. In a decoder
/// (`bidirectional` false) there are no keys after the query.
pub fn relative_bias(
    table: &Tensor,
    max_distance: usize,
    bidirectional: bool,
) -> Result<RelativeBias> {
    let (buckets, heads) = table.dims2()?;
    let values: Vec<f32> = table.flatten_all()?.to_vec1()?;
    let bucket = |distance: isize| {
        let (base, buckets, distance) = if bidirectional {
            (if distance > 0 { buckets / 2 } else { 0 }, buckets / 2, distance.unsigned_abs())
        } else {
            (0, buckets, distance.min(0).unsigned_abs())
        };
        let exact = buckets / 2;
        if distance < exact.max(1) {
            return base + distance.min(buckets.saturating_sub(1));
        }
        let scale = (max_distance as f32 / exact.max(1) as f32).ln();
        let far = (distance as f32 / exact.max(1) as f32).ln() / scale * (buckets - exact) as f32;
        base + (exact + far as usize).min(buckets - 1)
    };
    Ok(RelativeBias::new(heads, max_distance, |head, distance| {
        values[bucket(distance) * heads + head]
    }))
}
