//! temp
use polygist::generate::{Generate, Options, Request};
use polygist::model::{Runtime, open_with};
use polygist::types::Lang;
use std::io::{BufRead, Write};
fn main() {
    let mut a = std::env::args().skip(1);
    let (gguf, adapter) = (a.next().unwrap(), a.next().unwrap());
    let engine = open_with("m", gguf.as_ref(), Some(adapter.as_ref()), &Runtime::cpu(), &mut |_| {}).unwrap();
    let rows: Vec<Vec<String>> = std::io::stdin().lock().lines().map(|l| l.unwrap().split('\t').map(str::to_string).collect()).collect();
    let name = |c: &str| polygist::languages::name(&Lang::parse(c).unwrap()).to_string();
    let mut requests = Vec::new();
    let mut texts = Vec::new();
    let req = |prefix: String, prompt: &str, suffix: String, lang: &str| Request {
        prefix,
        prompt: prompt.into(),
        suffix,
        options: Options { language: Some(Lang::parse(lang).unwrap()), shortlist: true, ..Options::default() },
        ..Request::default()
    };
    for r in &rows {
        let (f, t, s, o) = (&r[0], &r[1], &r[2], &r[3]);
        let (fname, tname) = (name(f), name(t));
        requests.push(req(format!("{tname}: "), o, format!("\n{fname}:"), f));
        texts.push(format!(" {s}"));
        requests.push(req(format!("{fname}: "), s, format!("\n{tname}:"), t));
        texts.push(format!(" {o}"));
        requests.push(req(String::new(), &format!("{fname}:"), String::new(), f));
        texts.push(format!(" {s}"));
        requests.push(req(String::new(), &format!("{tname}:"), String::new(), t));
        texts.push(format!(" {o}"));
    }
    let pairs: Vec<(&Request, &str)> = requests.iter().zip(&texts).map(|(r, t)| (r, t.as_str())).collect();
    let scores = engine.score(&pairs, &|_| true).unwrap();
    let mut out = std::io::stdout().lock();
    for (n, four) in scores.chunks(4).enumerate() {
        let (s, o) = (engine.count_tokens(&rows[n][2]).unwrap(), engine.count_tokens(&rows[n][3]).unwrap());
        writeln!(out, "{}\t{}\t{}\t{}\t{}\t{}", four[0], four[1], four[2], four[3], s, o).unwrap();
    }
}
