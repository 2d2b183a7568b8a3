use polygist::generate::{Generate, Options, Request};
use polygist::*;
use std::time::Instant;
// probe MODEL PRECISION THREADS BATCH N  < prompts (one a line)
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let t = Instant::now();
    let precision = if a[2] == "f32" { kernel::Precision::F32 } else { kernel::Precision::Int8 };
    let rt = model::Runtime { device: candle_core::Device::Cpu, precision, threads: a[3].parse().unwrap() };
    let e = model::open("m", std::path::Path::new(&a[1]), &rt).unwrap();
    eprintln!("open {:?}", t.elapsed());
    let to = a.get(5).map(|c| types::Lang::parse(c).unwrap());
    let prefix = std::env::var("PREFIX").unwrap_or_default();
    let suffix = std::env::var("SUFFIX").unwrap_or_default();
    let reqs: Vec<Request> = std::io::stdin()
        .lines()
        .map(|l| Request {
            prefix: prefix.clone(),
            prompt: l.unwrap(),
            suffix: suffix.clone(),
            options: Options { max_tokens: a[4].parse().unwrap(), script_of: to.clone(), stop: vec!["\n".into()], ..Default::default() },
        })
        .collect();
    let t = Instant::now();
    let o = e.generate(&reqs, &|_, _| true).unwrap();
    let n: usize = o.iter().map(|o| o.tokens).sum();
    let p: usize = o.iter().map(|o| o.prompt_tokens).sum();
    for o in &o {
        println!("{}", o.text.replace('\n', "⏎"));
    }
    eprintln!("{n} tokens, {p} prompt, {:?}, {:.1} tok/s", t.elapsed(), n as f64 / t.elapsed().as_secs_f64());
}
