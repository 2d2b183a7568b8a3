//! Activation functions of feed-forward layers, vectorized.

use super::simd::{Isa, exp, per_isa};

/// The nonlinearity of a feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)`, also called swish (Llama, Marian).
    Silu,
    /// GELU in its tanh approximation (Gemma, T5 1.1).
    GeluTanh,
    /// GELU itself (BART).
    Gelu,
    /// `max(x, 0)` (T5, M2M100, Pegasus).
    Relu,
}

/// `activation(gate) · up`: rows of `[gate | up]`, (rows, 2n), to (rows, n).
///
/// # Panics
/// If `gate_up` is not whole rows.
pub fn gated(activation: Activation, gate_up: &[f32], n: usize) -> Vec<f32> {
    assert!(gate_up.len().is_multiple_of(2 * n));
    let isa = Isa::current();
    let mut out = vec![0.0; gate_up.len() / 2];
    match activation {
        Activation::Silu => gated_silu(isa, gate_up, n, &mut out),
        Activation::GeluTanh => gated_gelu_tanh(isa, gate_up, n, &mut out),
        Activation::Gelu => gated_gelu(isa, gate_up, n, &mut out),
        Activation::Relu => gated_relu(isa, gate_up, n, &mut out),
    }
    out
}

/// `activation(x)` of every element, in place.
pub fn activate(activation: Activation, x: &mut [f32]) {
    let isa = Isa::current();
    match activation {
        Activation::Silu => activate_silu(isa, x),
        Activation::GeluTanh => activate_gelu_tanh(isa, x),
        Activation::Gelu => activate_gelu(isa, x),
        Activation::Relu => activate_relu(isa, x),
    }
}

/// Defines an activation in both forms, gated and in place, for every instruction set.
macro_rules! activation {
    ($function:ident: $gated:ident = $gated_body:ident, $activate:ident = $activate_body:ident) => {
        per_isa! { fn $gated(gate_up: &[f32], n: usize, out: &mut [f32]) = $gated_body }
        per_isa! { fn $activate(x: &mut [f32]) = $activate_body }
        #[inline(always)]
        fn $gated_body(gate_up: &[f32], n: usize, out: &mut [f32]) {
            rows(gate_up, n, out, $function);
        }
        #[inline(always)]
        fn $activate_body(x: &mut [f32]) {
            x.iter_mut().for_each(|x| *x = $function(*x));
        }
    };
}

activation! { silu: gated_silu = gated_silu_body, activate_silu = activate_silu_body }
activation! {
    gelu_tanh: gated_gelu_tanh = gated_gelu_tanh_body,
    activate_gelu_tanh = activate_gelu_tanh_body
}
activation! { gelu: gated_gelu = gated_gelu_body, activate_gelu = activate_gelu_body }
activation! { relu: gated_relu = gated_relu_body, activate_relu = activate_relu_body }

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    // 0.5 (1 + tanh z) = sigmoid(2z), z = √(2/π) (x + 0.044715 x³)
    const SCALE: f32 = 2.0 * 0.797_884_6;
    let z = SCALE * (0.044715 * x * x).mul_add(x, x);
    x / (1.0 + exp(-z))
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// The error function to about 5e-7: a quotient of polynomials on [−4, 4], beyond which it is ±1 in
/// f32.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut p = -2.726_142_3e-10f32;
    p = p.mul_add(square, 2.770_681_4e-8);
    p = p.mul_add(square, -2.101_024e-6);
    p = p.mul_add(square, -5.692_506_4e-5);
    p = p.mul_add(square, -7.349_906_3e-4);
    p = p.mul_add(square, -2.954_6e-3);
    p = p.mul_add(square, -1.609_603_3e-2);
    let mut q = -1.456_607_2e-5f32;
    q = q.mul_add(square, -2.133_740_5e-4);
    q = q.mul_add(square, -1.682_827e-3);
    q = q.mul_add(square, -7.373_329e-3);
    q = q.mul_add(square, -1.426_473_9e-2);
    x * p / q
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_match_their_definitions_on_every_isa() {
        let gate: Vec<f32> = (0..999).map(|i| (i as f32 - 500.0) / 37.0).collect();
        let up: Vec<f32> = (0..999).map(|i| (i as f32 * 0.7).sin()).collect();
        for isa in Isa::available() {
            let mut out = vec![0.0; gate.len()];
            let gate_up: Vec<f32> = gate.iter().chain(&up).copied().collect();
            gated_gelu_tanh(isa, &gate_up, gate.len(), &mut out);
            for ((&g, &u), &o) in gate.iter().zip(&up).zip(&out) {
                let g = f64::from(g);
                let want = 0.5
                    * g
                    * (1.0
                        + ((2.0 / std::f64::consts::PI).sqrt() * (g + 0.044715 * g.powi(3)))
                            .tanh());
                assert!((f64::from(o) - want * f64::from(u)).abs() < 2e-5, "gelu({g})");
            }
            gated_silu(isa, &gate_up, gate.len(), &mut out);
            for ((&g, &u), &o) in gate.iter().zip(&up).zip(&out) {
                let want = f64::from(g) / (1.0 + (-f64::from(g)).exp()) * f64::from(u);
                assert!((f64::from(o) - want).abs() < 2e-5, "silu({g})");
            }
        }
    }

    #[test]
    fn gelu_is_the_integral_of_the_normal_density() {
        for isa in Isa::available() {
            let x: Vec<f32> = (-1000..1000).map(|i| i as f32 / 100.0).collect();
            let mut out = x.clone();
            activate_gelu(isa, &mut out);
            for (&x, &o) in x.iter().zip(&out) {
                let x = f64::from(x);
                let want = 0.5 * x * (1.0 + candle_core::cpu::erf::erf_f64(x / 2.0f64.sqrt()));
                assert!((f64::from(o) - want).abs() < 2e-6, "gelu({x}) = {o}, expected {want}");
            }
        }
    }
}
