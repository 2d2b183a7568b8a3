//! Activation functions of gated feed-forward layers, vectorized.

use super::isa::{Isa, per_isa};

/// The function applied to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)` (Llama).
    Silu,
    /// GELU in its tanh approximation (Gemma).
    GeluTanh,
}

/// `activation(gate) · up`: rows of `[gate | up]`, (rows, 2n), to (rows, n).
///
/// # Panics
/// If the lengths of the slices do not fit.
pub fn gated(activation: Activation, gate_up: &[f32], n: usize, out: &mut [f32]) {
    assert!(gate_up.len() == 2 * out.len() && out.len().is_multiple_of(n));
    match activation {
        Activation::Silu => silu(Isa::current(), gate_up, n, out),
        Activation::GeluTanh => gelu_tanh(Isa::current(), gate_up, n, out),
    }
}

per_isa! { fn silu(gate_up: &[f32], n: usize, out: &mut [f32]) = silu_body }
per_isa! { fn gelu_tanh(gate_up: &[f32], n: usize, out: &mut [f32]) = gelu_tanh_body }

#[inline(always)]
fn silu_body(gate_up: &[f32], n: usize, out: &mut [f32]) {
    rows(gate_up, n, out, |g| g / (1.0 + exp(-g)));
}

#[inline(always)]
fn gelu_tanh_body(gate_up: &[f32], n: usize, out: &mut [f32]) {
    // 0.5 (1 + tanh z) = sigmoid(2z), z = √(2/π) (g + 0.044715 g³)
    const SCALE: f32 = 2.0 * 0.797_884_6;
    rows(gate_up, n, out, |g| {
        let z = SCALE * (0.044715 * g * g).mul_add(g, g);
        g / (1.0 + exp(-z))
    });
}

#[inline(always)]
fn rows(gate_up: &[f32], n: usize, out: &mut [f32], activation: impl Fn(f32) -> f32) {
    for (out, row) in out.chunks_exact_mut(n).zip(gate_up.chunks_exact(2 * n)) {
        let (gate, up) = row.split_at(n);
        for ((out, &g), &u) in out.iter_mut().zip(gate).zip(up) {
            *out = activation(g) * u;
        }
    }
}

/// `eˣ` to about 2 units in the last place: 2ⁿ · p(r), with x = n ln 2 + r and Cephes' polynomial for expf. Arguments are clamped to ±87,
/// where f32 ends.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    // Adding and taking away 1.5 · 2²³ rounds to the nearest integer without a call, so that the loop vectorizes.
    const ROUND: f32 = 12_582_912.0;
    let n = x.mul_add(std::f32::consts::LOG2_E, ROUND) - ROUND;
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 5.000_000_3e-1);
    let p = p.mul_add(r * r, r) + 1.0;
    p * f32::from_bits((((n as i32) + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_library_function() {
        for i in -8600..8600 {
            let x = i as f32 / 100.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / want - 1.0).abs() < 3e-7, "exp({x}) = {got}, expected {want}");
        }
        assert!(exp(-1000.0) < 1e-37 && exp(1000.0) > 1e37);
    }

    #[test]
    fn gates_match_their_definitions_on_every_isa() {
        let gate: Vec<f32> = (0..999).map(|i| (i as f32 - 500.0) / 37.0).collect();
        let up: Vec<f32> = (0..999).map(|i| (i as f32 * 0.7).sin()).collect();
        for isa in Isa::available() {
            let mut out = vec![0.0; gate.len()];
            let gate_up: Vec<f32> = gate.iter().chain(&up).copied().collect();
            gelu_tanh(isa, &gate_up, gate.len(), &mut out);
            for ((&g, &u), &o) in gate.iter().zip(&up).zip(&out) {
                let g = f64::from(g);
                let want = 0.5 * g * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (g + 0.044715 * g.powi(3))).tanh());
                assert!((f64::from(o) - want * f64::from(u)).abs() < 2e-5, "gelu({g})");
            }
            silu(isa, &gate_up, gate.len(), &mut out);
            for ((&g, &u), &o) in gate.iter().zip(&up).zip(&out) {
                let want = f64::from(g) / (1.0 + (-f64::from(g)).exp()) * f64::from(u);
                assert!((f64::from(o) - want).abs() < 2e-5, "silu({g})");
            }
        }
    }
}
