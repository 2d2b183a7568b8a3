use polygist::kernel::*;
use std::time::Instant;
fn main() {
    for (m, k, n) in [(1, 640, 2048), (6, 640, 2048), (32, 640, 2048), (32, 2048, 640), (32, 640, 65536)] {
        let w: Vec<f32> = (0..n * k).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
        let x: Vec<f32> = (0..m * k).map(|i| ((i * 104729) % 1000) as f32 / 500.0 - 1.0).collect();
        let mut res = vec![];
        for p in [Precision::F32, Precision::Int8] {
            let pk = Packed::pack(p, n, k, |i, b| b.copy_from_slice(&w[i * k..(i + 1) * k]));
            let mut out = vec![0.0; m * n];
            pk.matmul(&x, &mut out);
            let reps = (2_000_000_000usize / (m * k * n)).clamp(1, 2000);
            let t = Instant::now();
            for _ in 0..reps {
                pk.matmul(&x, &mut out);
            }
            let s = t.elapsed().as_secs_f64() / reps as f64;
            println!("{p:?} {m}x{k}x{n}: {:.1} GOPS", 2.0 * (m * k * n) as f64 / s / 1e9);
            res.push(out);
        }
        let err =
            res[0].iter().zip(&res[1]).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt() / res[0].iter().map(|a| a * a).sum::<f32>().sqrt();
        println!("rel err {err}");
    }
}
