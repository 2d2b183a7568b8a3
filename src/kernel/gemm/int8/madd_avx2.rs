//! The int8 product with AVX2's `vpmaddwd`: two products of 16-bit integers a lane, no saturation.

use super::layout::{PANEL, Panel, Rows};
use std::arch::x86_64::*;

/// Multiplies `MR` rows with a panel of weights in packs of two.
#[target_feature(enable = "avx2,fma")]
pub(super) fn tile<const MR: usize>(
    rows: Rows<'_, i16>,
    panel: Panel<'_>,
    sums: &mut [[f32; PANEL]],
) {
    let groups = rows.scales.len() / MR;
    let depth = rows.values.len() / MR;
    let group = depth / groups;
    assert!(
        rows.values.len() == MR * depth
            && depth == group * groups
            && panel.values.len() == depth * PANEL
            && panel.scales.len() == groups * PANEL
            && sums.len() == MR
    );
    for g in 0..groups {
        let w = panel.values[g * group * PANEL..][..group * PANEL].as_ptr();
        let x = rows.values.as_ptr().wrapping_add(g * group);
        // Sixteen features at a time: twelve sums of sixteen registers.
        for column in (0..PANEL).step_by(16) {
            let mut acc = [[_mm256_setzero_si256(); 2]; MR];
            for p in 0..group / 2 {
                // SAFETY: the assertion above bounds both; a pair of weights of a panel's features
                // is 2 × PANEL bytes, a pair of activations 4 bytes, and unaligned loads are used
                // throughout.
                unsafe {
                    let w = w.add((p * PANEL + column) * 2);
                    let w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.cast()));
                    let w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(16).cast()));
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let pair = x.add(r * depth + 2 * p).cast::<i32>().read_unaligned();
                        let pair = _mm256_set1_epi32(pair);
                        acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(pair, w0));
                        acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(pair, w1));
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                let row = _mm256_set1_ps(rows.scales[r * groups + g]);
                let scales = panel.scales[g * PANEL + column..].as_chunks::<8>().0;
                let sums = sums[r][column..].as_chunks_mut::<8>().0;
                for ((sums, acc), scales) in sums.iter_mut().zip(acc).zip(scales) {
                    // SAFETY: `sums` and `scales` are 8 floats.
                    unsafe {
                        let scale = _mm256_mul_ps(row, _mm256_loadu_ps(scales.as_ptr()));
                        let total = _mm256_fmadd_ps(
                            _mm256_cvtepi32_ps(*acc),
                            scale,
                            _mm256_loadu_ps(sums.as_ptr()),
                        );
                        _mm256_storeu_ps(sums.as_mut_ptr(), total);
                    }
                }
            }
        }
    }
}
