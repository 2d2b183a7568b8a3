//! Functions that the standard library has as calls, written so that loops over them vectorize,
//! and once more for lanes.

use super::F32x16;

/// Adding and taking away 1.5 · 2²³ rounds to the nearest integer without a call, so that loops
/// vectorize. What is added leaves the integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// Where f32 ends, beyond ±87.
const LAST: f32 = 87.0;
/// −ln 2, in two parts.
const MINUS_LN_2: [f32; 2] = [-0.693_359_4, 2.121_944_4e-4];
/// Cephes' polynomial for expf, the highest power first.
const POLYNOMIAL: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_3e-1];

/// `eˣ` to about 2 units in the last place: 2ⁿ · p(r), with x = n ln 2 + r. Arguments are clamped
/// to 87; below −87 it is zero.
#[inline(always)]
pub(in crate::kernel) fn exp(x: f32) -> f32 {
    let is_zero = x < -LAST;
    let x = if x > LAST { LAST } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = MINUS_LN_2.iter().fold(x, |r, part| n.mul_add(*part, r));
    let [highest, others @ ..] = POLYNOMIAL;
    let p = others.iter().fold(highest, |p, factor| p.mul_add(r, *factor));
    let p = p.mul_add(r * r, r) + 1.0;
    // Times 2ⁿ: added to the exponent.
    let power = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    if is_zero { 0.0 } else { power }
}

/// `cap · tanh(x / cap)`, by [`exp`]: about 2⁻²³ of the cap from it.
#[inline(always)]
pub(in crate::kernel) fn soft_cap(x: f32, cap: f32) -> f32 {
    cap - 2.0 * cap / (exp(2.0 / cap * x) + 1.0)
}

/// [`exp`] of every lane, to the bit.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(in crate::kernel) unsafe fn exp_lanes<L: F32x16>(x: L) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        let unclamped = x;
        let x = L::splat(LAST).min(x);
        let shifted = x.mul_add(L::splat(std::f32::consts::LOG2_E), L::splat(ROUND));
        let n = shifted.sub(L::splat(ROUND));
        let mut r = x;
        for part in MINUS_LN_2 {
            r = n.mul_add(L::splat(part), r);
        }
        let [highest, others @ ..] = POLYNOMIAL;
        let mut p = L::splat(highest);
        for factor in others {
            p = p.mul_add(r, L::splat(factor));
        }
        let power = p.mul_add(r.mul(r), r).add(L::splat(1.0)).add_to_exponent(shifted);
        power.zero_below(unclamped, L::splat(-LAST))
    }
}

/// `2ˣ` of every lane to about 4 · 10⁻⁷ of it, for x from −126 to 126: 2ⁿ · p(x − n), with the
/// polynomial whose relative error is smallest between ±½.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(in crate::kernel) unsafe fn exp2_lanes<L: F32x16>(x: L) -> L {
    // The fit's factor of x, which is near ln 2, and not it.
    #[expect(clippy::approx_constant)]
    const POLYNOMIAL: [f32; 6] =
        [1.326_472_7e-3, 9.671_513e-3, 5.550_733_6e-2, 2.402_224_2e-1, 6.931_47e-1, 1.0];
    // SAFETY: as the caller promises.
    unsafe {
        let shifted = x.add(L::splat(ROUND));
        let f = x.sub(shifted.sub(L::splat(ROUND)));
        let [highest, others @ ..] = POLYNOMIAL;
        let mut p = L::splat(highest);
        for factor in others {
            p = p.mul_add(f, L::splat(factor));
        }
        p.add_to_exponent(shifted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Isa, LANES, LaneKernel, run_on};
    use super::*;

    #[test]
    fn exp_is_close_to_the_library_function() {
        for i in -8600..8600 {
            let x = i as f32 / 100.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / want - 1.0).abs() < 3e-7, "exp({x}) = {got}, expected {want}");
        }
        assert!(exp(-1000.0) == 0.0 && exp(f32::NEG_INFINITY) == 0.0 && exp(1000.0) > 1e37);
    }

    #[test]
    fn soft_caps_are_hyperbolic_tangents() {
        for i in -4000..4000 {
            let x = i as f32 / 10.0;
            for cap in [30.0f32, 50.0] {
                let want = f64::from(cap) * (f64::from(x) / f64::from(cap)).tanh();
                let got = f64::from(soft_cap(x, cap));
                assert!((got - want).abs() < 1e-5, "{cap} of {x}: {got}, expected {want}");
            }
        }
        assert_eq!([soft_cap(1e30, 50.0), soft_cap(-1e30, 50.0)], [50.0, -50.0]);
    }

    /// The exponentials of sixteen numbers, to both bases, and the largest.
    struct OfLanes([f32; LANES]);

    impl LaneKernel for OfLanes {
        type Output = ([[u32; LANES]; 2], f32);

        #[inline(always)]
        unsafe fn run<L: F32x16>(self) -> Self::Output {
            let mut out = [[0.0; LANES]; 2];
            // SAFETY: as the caller promises.
            unsafe {
                let x = L::load(self.0.as_ptr());
                exp_lanes(x).store(&mut out[0]);
                exp2_lanes(x).store(&mut out[1]);
                (out.map(|all| all.map(f32::to_bits)), x.max_lane())
            }
        }
    }

    #[test]
    fn lanes_are_as_single_numbers_on_every_isa() {
        for isa in Isa::available() {
            for i in -600..600 {
                let x: [f32; LANES] =
                    std::array::from_fn(|lane| (i as f32 / 6.0) + ((lane * 7) % 16) as f32 * 0.37);
                let ([all, base_2], largest) = run_on(isa, OfLanes(x));
                assert_eq!(all, x.map(|x| exp(x).to_bits()), "{}", isa.name());
                let (first, _) = run_on(Isa::available()[0], OfLanes(x));
                assert_eq!(base_2, first[1], "{}", isa.name());
                for (bits, x) in base_2.into_iter().zip(x) {
                    let (got, want) = (f64::from(f32::from_bits(bits)), f64::from(x).exp2());
                    assert!((got / want - 1.0).abs() < 4e-7, "2^{x} = {got}, expected {want}");
                }
                assert_eq!(largest, x.into_iter().fold(f32::MIN, f32::max));
            }
            let ([all, _], _) = run_on(isa, OfLanes([f32::NAN; LANES]));
            assert!(all.iter().all(|&bits| f32::from_bits(bits).is_nan()), "{}", isa.name());
        }
    }
}
