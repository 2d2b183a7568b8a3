//! The int8 product in portable code, two products of 16-bit integers at a time: the reference.

use super::layout::{PANEL, Panel, Rows};

/// Multiplies a tile of rows with a panel of weights in packs of two.
pub(super) fn tile(rows: Rows<'_, i16>, panel: Panel<'_>, sums: &mut [[f32; PANEL]]) {
    let groups = rows.scales.len() / rows.mr;
    let group = rows.values.len() / rows.scales.len();
    for (r, sums) in sums.iter_mut().enumerate() {
        for g in 0..groups {
            let x = &rows.values[(r * groups + g) * group..][..group];
            let w = &panel.values[g * group * PANEL..][..group * PANEL];
            let mut products = [0i32; PANEL];
            for (x, w) in x.chunks_exact(2).zip(w.chunks_exact(2 * PANEL)) {
                for (sum, w) in products.iter_mut().zip(w.chunks_exact(2)) {
                    *sum += i32::from(x[0]) * i32::from(w[0] as i8)
                        + i32::from(x[1]) * i32::from(w[1] as i8);
                }
            }
            let scales = &panel.scales[g * PANEL..];
            for ((product, scale), sum) in products.iter().zip(scales).zip(sums.iter_mut()) {
                *sum = (*product as f32).mul_add(rows.scales[r * groups + g] * scale, *sum);
            }
        }
    }
}
