//! The step of a recurrent layer.

use super::simd::{Isa, exp, per_isa};

/// A step of the simpler simple recurrent unit (Kim et al. 2019): `keep = σ(gate)`,
/// `state = keep · before + (1 − keep) · new`, `out = max(state, 0)`, where a row has
/// `[new | gate]`. Before the first step the state is zero.
///
/// # Panics
/// If the lengths of the slices do not fit.
pub fn recur(row: &[f32], before: Option<&[f32]>, state: &mut [f32], out: &mut [f32]) {
    let width = state.len();
    assert!(row.len() == 2 * width && out.len() == width);
    match before {
        Some(before) => {
            assert!(before.len() == width);
            step(Isa::current(), row, before, state, out);
        }
        None => first_step(Isa::current(), row, state, out),
    }
}

per_isa! {
    fn step(row: &[f32], before: &[f32], state: &mut [f32], out: &mut [f32]) = step_body
}
per_isa! { fn first_step(row: &[f32], state: &mut [f32], out: &mut [f32]) = first_step_body }

#[inline(always)]
fn step_body(row: &[f32], before: &[f32], state: &mut [f32], out: &mut [f32]) {
    let (new, gate) = row.split_at(state.len());
    for ((((state, out), new), gate), before) in
        state.iter_mut().zip(out).zip(new).zip(gate).zip(before)
    {
        let keep = sigmoid(*gate);
        *state = keep * before + (1.0 - keep) * new;
        *out = if *state > 0.0 { *state } else { 0.0 };
    }
}

#[inline(always)]
fn first_step_body(row: &[f32], state: &mut [f32], out: &mut [f32]) {
    let (new, gate) = row.split_at(state.len());
    for (((state, out), new), gate) in state.iter_mut().zip(out).zip(new).zip(gate) {
        *state = (1.0 - sigmoid(*gate)) * new;
        *out = if *state > 0.0 { *state } else { 0.0 };
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_its_definition_says_on_every_isa() {
        for width in [1, 16, 100] {
            let row: Vec<f32> =
                (0..2 * width).map(|i| ((i * 37) % 101) as f32 / 9.0 - 5.0).collect();
            let before: Vec<f32> = (0..width).map(|i| i as f32 / 30.0 - 1.0).collect();
            for before in [None, Some(&before)] {
                let run = |isa| {
                    let (mut state, mut out) = (vec![0.0; width], vec![0.0; width]);
                    match before {
                        Some(before) => step(isa, &row, before, &mut state, &mut out),
                        None => first_step(isa, &row, &mut state, &mut out),
                    }
                    (state, out)
                };
                let expected = run(Isa::available()[0]);
                for i in 0..width {
                    let keep = 1.0 / (1.0 + f64::from(-row[width + i]).exp());
                    let held = before.map_or(0.0, |before| f64::from(before[i]));
                    let want = keep * held + (1.0 - keep) * f64::from(row[i]);
                    assert!((f64::from(expected.0[i]) - want).abs() < 1e-5);
                    assert_eq!(expected.1[i], expected.0[i].max(0.0));
                }
                for isa in Isa::available() {
                    assert_eq!(run(isa), expected, "{}", isa.name());
                }
            }
        }
    }
}
