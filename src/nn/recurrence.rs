//! A recurrent layer in place of a decoder's self-attention.

use super::{Backend, Compute, Linear, Span};
use crate::checkpoint::{MatrixReader, with_slice};
use crate::error::Result;
use crate::kernel;
use candle_core::{DType, Device, Tensor};

/// The simpler simple recurrent unit, SSRU (Kim et al. 2019, "From Research to Production and
/// Back"): a forget gate `f = σ(W_f·x + b_f)`, a state `c = f · c′ + (1 − f) · W·x` after the state
/// `c′` before it, and `relu(c)` as the output.
///
/// The states of all tokens stay in the cache, one row each, where attention keeps keys. A token
/// continues the state in the row of the token before it, for a hypothesis of a beam the one before
/// its own in its path: hypotheses may fork, and nothing is ever moved.
pub struct Recurrence {
    layer: usize,
    /// `W·x` and `W_f·x + b_f`, side by side.
    input: Linear,
    width: usize,
    compute: Compute,
}

impl Recurrence {
    /// A layer whose number in the caches is `layer`; `weight` and `gate` are (width, width),
    /// `gate_bias` is (width).
    pub fn new(
        layer: usize,
        weight: MatrixReader<'_>,
        gate: MatrixReader<'_>,
        gate_bias: Tensor,
        backend: &Backend,
    ) -> Result<Recurrence> {
        let width = weight.rows;
        let no_bias = Tensor::zeros(width, DType::F32, &Device::Cpu)?;
        let input = Linear::with_bias(
            &MatrixReader::stacked([weight, gate])?,
            &[no_bias, gate_bias],
            backend,
        )?;
        Ok(Recurrence { layer, input, width, compute: backend.compute })
    }

    /// The outputs, (tokens, width), for the tokens' states `x`, (tokens, width). Appends the new
    /// states to the caches.
    pub fn forward(&self, x: &Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let input = self.input.forward(x)?; // (tokens, 2 · width)
        if self.compute == Compute::Candle {
            return self.forward_candle(&input, spans);
        }
        let width = self.width;
        let mut out = vec![0.0; input.dim(0)? * width];
        let mut state = vec![0.0; width];
        with_slice(&input, |input| -> Result<()> {
            let mut rows = input.chunks_exact(2 * width).zip(out.chunks_exact_mut(width));
            for span in spans {
                let before: Vec<Option<usize>> =
                    (0..span.tokens.len()).map(|token| span.row_before(token)).collect();
                let cache = span.cache.store.host_mut(self.layer)?;
                for (before, (row, out)) in before.into_iter().zip(&mut rows) {
                    let held = before.map(|row| cache.key_row(row, width)).transpose()?;
                    kernel::recur(row, held, &mut state, out);
                    cache.push(&state, &[]);
                }
            }
            Ok(())
        })??;
        Ok(Tensor::from_vec(out, (x.dim(0)?, width), &Device::Cpu)?)
    }

    /// The outputs with candle's operations; `input` is (tokens, 2 · width).
    fn forward_candle(&self, input: &Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let new = input.narrow(1, 0, self.width)?.contiguous()?;
        let keep =
            candle_nn::ops::sigmoid(&input.narrow(1, self.width, self.width)?.contiguous()?)?;
        let nothing = new.narrow(0, 0, 1)?.zeros_like()?;
        let mut outputs = Vec::with_capacity(input.dim(0)?);
        for span in spans {
            for token in 0..span.tokens.len() {
                let before = span.row_before(token);
                let states = span.cache.store.states_mut(self.layer)?;
                let held = match (before, &states) {
                    (Some(row), Some(states)) => states.narrow(0, row, 1)?,
                    _ => nothing.clone(),
                };
                let at = outputs.len();
                let (new, keep) = (new.narrow(0, at, 1)?, keep.narrow(0, at, 1)?);
                // f · c′ + (1 − f) · n = n + f · (c′ − n)
                let state = (&new + (&keep * (held - &new)?)?)?;
                outputs.push(state.relu()?);
                *states = Some(match states.take() {
                    Some(states) => Tensor::cat(&[&states, &state], 0)?,
                    None => state,
                });
            }
        }
        Ok(Tensor::cat(&outputs, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Precision;
    use crate::nn::{KvCache, KvStorage};

    const WIDTH: usize = 8;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn forked_hypotheses_continue_their_own_states_on_every_device() {
        let random = |shape: &[usize]| Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
        let backend = Backend::new(Device::Cpu, Precision::F32);
        let (weight, gate, bias) =
            (random(&[WIDTH, WIDTH]), random(&[WIDTH, WIDTH]), random(&[WIDTH]));
        let layer = Recurrence::new(
            0,
            MatrixReader::from_tensor(weight).unwrap(),
            MatrixReader::from_tensor(gate).unwrap(),
            bias,
            &backend,
        )
        .unwrap();
        let x = random(&[7, WIDTH]);
        let at =
            |rows: &[u32]| x.index_select(&Tensor::new(rows, &Device::Cpu).unwrap(), 0).unwrap();
        // Inputs 0, 1, then a fork into 2 and 3, then both ways go on from 3: with 4 and with 5.
        let alone = |inputs: &[u32]| {
            let mut cache = KvCache::new(1, &KvStorage::F32);
            let out = layer
                .forward(&at(inputs), &mut [Span::new(&vec![0; inputs.len()], &mut cache)])
                .unwrap();
            values(&out)[(inputs.len() - 1) * WIDTH..].to_vec()
        };
        for on_host in [true, false] {
            let run = |inputs: &[u32], span: Span<'_>| {
                if on_host {
                    layer.forward(&at(inputs), &mut [span]).unwrap()
                } else {
                    layer
                        .forward_candle(&layer.input.forward(&at(inputs)).unwrap(), &mut [span])
                        .unwrap()
                }
            };
            let mut cache = KvCache::new(
                1,
                &if on_host { KvStorage::F32 } else { KvStorage::Pool(Default::default()) },
            );
            run(&[0, 1], Span::new(&[0, 0], &mut cache));
            cache.advance(2);
            let paths = [vec![0, 1, 2], vec![0, 1, 3]];
            run(&[2, 3], Span { tokens: &[0, 0], cache: &mut cache, paths: Some(&paths) });
            cache.advance(2);
            let paths = [vec![0, 1, 3, 4], vec![0, 1, 3, 5]];
            let out = values(&run(
                &[4, 5],
                Span { tokens: &[0, 0], cache: &mut cache, paths: Some(&paths) },
            ));
            let expected = [alone(&[0, 1, 3, 4]), alone(&[0, 1, 3, 5])].concat();
            let worst = out.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-6, "{on_host}: {worst}");
            assert!(expected[..WIDTH] != expected[WIDTH..]);
        }
    }
}
