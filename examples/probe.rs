use polygist::*;
use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let t = Instant::now();
    let (config, weights) = io::weights::Gguf::open(std::path::Path::new(&path)).unwrap();
    eprintln!("open {:?}", t.elapsed());
    let tok = token::Tokenizer::from_gguf(&config, &path).unwrap();
    eprintln!("tok {:?}", t.elapsed());
    let prec = if std::env::var("I8").is_ok() { kernel::Precision::Int8 } else { kernel::Precision::F32 };
    let model = arch::load(&config, &weights, &nn::Backend { device: candle_core::Device::Cpu, precision: prec }).unwrap();
    eprintln!("model {:?}", t.elapsed());
    let prompt = std::env::args().nth(2).unwrap();
    let mut ids: Vec<u32> = tok.begin().into_iter().collect();
    ids.extend(tok.encode(&prompt).unwrap());
    println!("{ids:?}");
    let mut cache = model.new_cache();
    let mut next = ids.clone();
    for _ in 0..30 {
        let h = model.forward(&mut [nn::Span { tokens: &next, cache: &mut cache }]).unwrap();
        let mut best = (f32::NEG_INFINITY, 0);
        model.output().blocks(&h, |first, _, logits| for (i, &l) in logits.iter().enumerate() { if l > best.0 { best = (l, first + i); } }).unwrap();
        next = vec![best.1 as u32];
        ids.extend(&next);
    }
    println!("{}", tok.decode(&ids).unwrap());
    eprintln!("{:?}", t.elapsed());
}
