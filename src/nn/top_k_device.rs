//! The largest logits of rows that arise on a device. Only those that may be wanted come to main
//! memory: what a kernel has found, or whole strips of columns.

use super::ops;
use crate::error::Result;
use crate::kernel::TopK;
use candle_core::{DType, Tensor};
use std::ops::Range;

/// The logits that are wanted of a row.
pub struct TopKRequest {
    /// Number of the largest.
    pub largest: usize,
    /// Columns whose logits are needed in any case, ascending.
    pub columns: Vec<usize>,
}

/// The sum of the exponentials of a row's logits, as its parts.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    /// The largest logit.
    pub largest: f32,
    /// Σ exp(logit − largest).
    pub total: f32,
}

impl LogSumExp {
    const NONE: LogSumExp = LogSumExp { largest: f32::NEG_INFINITY, total: 0.0 };

    /// The sum with more logits.
    fn and(self, logits: &[f32]) -> LogSumExp {
        let largest = logits.iter().copied().fold(self.largest, f32::max);
        if largest == f32::NEG_INFINITY {
            return self;
        }
        let more: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        LogSumExp { largest, total: self.total * (self.largest - largest).exp() + more }
    }

    /// Logarithm of the sum of the exponentials.
    pub fn log_sum_exp(self) -> f32 {
        self.largest + self.total.ln()
    }
}

/// Columns of a device's logits that come to main memory together, when one of them may be wanted.
const STRIP: usize = 128;

/// The logits of some rows on a device, before they are computed.
pub(super) struct Logits<'a> {
    /// (at least vocabulary, dim)
    pub weight: &'a Tensor,
    /// (vocabulary)
    pub bias: Option<&'a Tensor>,
    /// What logits are softly kept below.
    pub cap: Option<f32>,
    pub vocabulary: usize,
    /// (rows, dim)
    pub hidden: &'a Tensor,
}

impl Logits<'_> {
    /// See [`super::OutputLayer::top_k_device`].
    pub fn top_k(
        &self,
        requests: &[TopKRequest],
        counted: bool,
        mut visit: impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<()> {
        if self.top_k_kernel(requests, counted, &mut visit)? {
            return Ok(());
        }
        self.top_k_strips(requests, counted, &mut visit)
    }

    /// Finds the largest with a kernel, if one fits and no columns are requested; says whether it
    /// did.
    fn top_k_kernel(
        &self,
        requests: &[TopKRequest],
        counted: bool,
        visit: &mut impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<bool> {
        let most = requests.iter().map(|request| request.largest).max().unwrap_or(0).max(1);
        if self.cap.is_some()
            || requests.iter().any(|request| !request.columns.is_empty())
            || !ops::may_top_k(most, self.hidden.device())
        {
            return Ok(false);
        }
        let logits = self.hidden.matmul(&self.weight.t()?)?;
        let Some(found) = ops::top_k(&logits, self.bias, self.vocabulary, most)? else {
            return Ok(false);
        };
        let found: Vec<f32> = found.flatten_all()?.to_vec1()?;
        for (row, found) in found.chunks_exact(2 * most + 2).enumerate() {
            let (logits, columns) = found[..2 * most].split_at(most);
            let all =
                counted.then(|| LogSumExp { largest: found[2 * most], total: found[2 * most + 1] });
            let mut found: Vec<(usize, f32)> = columns
                .iter()
                .zip(logits)
                .filter(|(column, _)| **column >= 0.0)
                .map(|(&column, &logit)| (column as usize, logit))
                .collect();
            found.sort_unstable_by_key(|&(column, _)| column);
            found
                .iter_mut()
                .for_each(|(column, logit)| visit(row, all, *column, std::slice::from_mut(logit)));
        }
        Ok(true)
    }

    /// Brings the strips of columns to main memory that hold the largest or a requested column.
    fn top_k_strips(
        &self,
        requests: &[TopKRequest],
        counted: bool,
        visit: &mut impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<()> {
        let (rows, strips) = (requests.len(), self.vocabulary / STRIP);
        let width = self.vocabulary - strips * STRIP;
        // A product of its own for the columns after the last strip spares a copy of all. A device
        // does not take what is empty.
        let rest =
            (width > 0).then(|| self.product(strips * STRIP..self.vocabulary)).transpose()?;
        if let (0, Some(rest)) = (strips, &rest) {
            let mut logits: Vec<Vec<f32>> = rest.to_vec2()?;
            logits.iter_mut().enumerate().for_each(|(row, logits)| {
                visit(row, counted.then(|| LogSumExp::NONE.and(logits)), 0, logits)
            });
            return Ok(());
        }
        let logits = self.product(0..strips * STRIP)?.reshape((rows, strips, STRIP))?;
        let mut overview = overview(&logits, rest, counted)?;
        let chosen: Vec<Vec<usize>> = overview
            .iter()
            .zip(requests)
            .map(|(overview, request)| chosen_strips(&overview[..strips], request))
            .collect();
        let mut values = fetch(&logits, &chosen)?;
        let mut values = values.chunks_exact_mut(STRIP);
        for (row, (overview, chosen)) in overview.iter_mut().zip(chosen).enumerate() {
            let (rest, sums) = overview[strips..].split_at_mut(width);
            let all = counted.then(|| LogSumExp { largest: sums[0], total: sums[1] }.and(rest));
            for (strip, values) in chosen.into_iter().zip(&mut values) {
                visit(row, all, strip * STRIP, values);
            }
            visit(row, all, strips * STRIP, rest);
        }
        Ok(())
    }

    /// The logits of some columns, in 32 bits.
    fn product(&self, columns: Range<usize>) -> Result<Tensor> {
        let weight = self.weight.narrow(0, columns.start, columns.len())?;
        let logits = self.hidden.matmul(&weight.t()?)?.to_dtype(DType::F32)?;
        let logits = match self.bias {
            Some(bias) => logits.broadcast_add(&bias.narrow(0, columns.start, columns.len())?)?,
            None => logits,
        };
        ops::soft_cap(logits, self.cap)
    }
}

/// For each row of `logits`, (rows, strips, STRIP), in one transfer to main memory: the largest of
/// each strip, the columns after the last strip, and, if `counted`, the parts of the log-sum-exp of
/// the strips.
fn overview(logits: &Tensor, rest: Option<Tensor>, counted: bool) -> Result<Vec<Vec<f32>>> {
    let largest_of_strips = logits.max(2)?; // (rows, strips)
    let mut parts = vec![largest_of_strips.clone()];
    parts.extend(rest);
    if counted {
        let largest = largest_of_strips.max_keepdim(1)?;
        let total = logits.broadcast_sub(&largest.unsqueeze(2)?)?.exp()?.sum(2)?.sum_keepdim(1)?;
        parts.extend([largest, total]);
    }
    Ok(Tensor::cat(&parts, 1)?.to_vec2()?)
}

/// The strips that may hold requested logits, ascending, by the largest of each.
fn chosen_strips(
    largest_of_strips: &[f32],
    TopKRequest { largest, columns }: &TopKRequest,
) -> Vec<usize> {
    let strips = largest_of_strips.len();
    let mut best = TopK::new(*largest);
    best.choose(0, largest_of_strips);
    let ranked = best.candidates().iter().map(|ranked| ranked.column).take(*largest);
    let mut chosen: Vec<usize> = ranked
        .chain(columns.iter().map(|column| column / STRIP).filter(|&strip| strip < strips))
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// The logits of the chosen strips of each row, one strip after the other.
fn fetch(logits: &Tensor, chosen: &[Vec<usize>]) -> Result<Vec<f32>> {
    let (rows, strips, _) = logits.dims3()?;
    let places: Vec<u32> = chosen
        .iter()
        .enumerate()
        .flat_map(|(row, own)| own.iter().map(move |strip| (row * strips + strip) as u32))
        .collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let places = Tensor::new(places, logits.device())?;
    Ok(logits
        .reshape((rows * strips, STRIP))?
        .index_select(&places, 0)?
        .flatten_all()?
        .to_vec1()?)
}
