//! T5 out of GGUF files as llama.cpp's converter writes them (scripts/fixtures/make_gguf.py): the
//! same models and tokenizers as in folders of the Hub's layout, which are compared with
//! `transformers` elsewhere.

use crate::common::{cpu, engine, fixture, json, logits};
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use polygist::arch::{self, Model};
use polygist::checkpoint::{Config, Weights};
use polygist::error::Result;
use polygist::generate::{Capability, DecodingOptions, Engine, Generate, Request};
use polygist::io::weights::{Gguf, open_folder};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use polygist::nn::{Backend, Span};
use polygist::token::Tokenizer;
use std::fs;
use std::path::Path;

/// The family's folder as a GGUF file describes it: that has no largest distance, which is then
/// T5's.
fn folder(family: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = fixture("seq2seq").join(family);
    for file in ["generation_config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(from.join(file), dir.path().join(file)).unwrap();
    }
    let mut config = json(from.join("config.json"));
    config["relative_attention_max_distance"] = 128.into();
    config["n_positions"] = 512.into();
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    dir
}

fn gguf(file: &str) -> (Config, Gguf) {
    Gguf::open(&fixture("gguf").join(file)).unwrap()
}

const F32: Backend = Backend::new(Device::Cpu, Precision::F32);

/// Sources and beginnings of targets, some longer than the distances that are told apart.
fn cases() -> Vec<(Vec<u32>, Vec<u32>)> {
    let words = |seed: u32, n: u32| (0..n).map(move |i| 3 + (seed * 31 + i * i * 7 + i * 13) % 97);
    [(1, 1), (7, 3), (40, 20), (200, 150)]
        .iter()
        .zip(1..)
        .map(|(&(source, target), seed)| {
            (
                words(seed, source).chain([1]).collect(),
                [0].into_iter().chain(words(seed + 9, target)).collect(),
            )
        })
        .collect()
}

fn assert_same(a: &dyn Model, b: &dyn Model, tolerance: f32, what: &str) {
    assert_eq!(
        (a.context_length(), a.output().vocabulary()),
        (b.context_length(), b.output().vocabulary()),
        "{what}"
    );
    for (source, decoder) in cases() {
        let (a, b) = (logits(a, &source, &decoder), logits(b, &source, &decoder));
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert_eq!(
            a.len(),
            b.len(),
            "{what}: {worst} after {} and {} tokens",
            source.len(),
            decoder.len()
        );
        assert!(
            worst <= tolerance,
            "{what}: {worst} after {} and {} tokens",
            source.len(),
            decoder.len()
        );
        assert!(a.iter().any(|x| (x - a[0]).abs() > 0.1), "{what}: {a:?}");
    }
}

/// T5 1.0 with its one embedding and its scaling; FLAN with a gate and an output layer; UMT5 with
/// relative positions in every layer.
const EXACT: [(&str, &str); 3] =
    [("t5", "t5.f32.gguf"), ("flan-t5", "flan-t5.f32.gguf"), ("umt5", "umt5.bf16.gguf")];

#[test]
fn logits_are_those_of_the_same_model_in_a_folder() {
    for (family, file) in EXACT {
        let dir = folder(family);
        let (config, weights) = open_folder(dir.path()).unwrap();
        let expected = arch::load(&config, &*weights, &F32).unwrap();
        let (config, weights) = gguf(file);
        let found = arch::load(&config, &weights, &F32).unwrap();
        assert_same(&*found, &*expected, 1e-5, file);
    }
}

/// The weights of a GGUF file under the Hub's names.
struct Renamed(Gguf);

fn renamed(name: &str) -> String {
    let whole = [
        ("shared", "token_embd"),
        ("lm_head", "output"),
        ("encoder.final_layer_norm", "enc.output_norm"),
        ("decoder.final_layer_norm", "dec.output_norm"),
    ];
    let parts = [
        ("encoder.block.", "enc.blk."),
        ("decoder.block.", "dec.blk."),
        ("layer.0.SelfAttention.relative_attention_bias", "attn_rel_b"),
        ("layer.0.SelfAttention.", "attn_"),
        ("layer.0.layer_norm", "attn_norm"),
        ("layer.1.EncDecAttention.", "cross_attn_"),
        (".DenseReluDense.wi_0", ".ffn_gate"),
        (".DenseReluDense.wi_1", ".ffn_up"),
        (".DenseReluDense.wi", ".ffn_up"),
        (".DenseReluDense.wo", ".ffn_down"),
    ];
    let name = whole.iter().fold(name.to_string(), |name, (from, to)| name.replace(from, to));
    let name = parts.iter().fold(name, |name, (from, to)| name.replace(from, to));
    let norms =
        if name.starts_with("dec") { ["cross_attn_norm", "ffn_norm"] } else { ["ffn_norm", ""] };
    let name = name.replace("layer.1.layer_norm", norms[0]).replace("layer.2.layer_norm", norms[1]);
    name.replace("layer.1.ffn", "ffn").replace("layer.2.ffn", "ffn")
}

impl Weights for Renamed {
    fn model(&self) -> &str {
        self.0.model()
    }

    fn has(&self, name: &str) -> bool {
        self.0.has(&renamed(name))
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        self.0.get(&renamed(name))
    }
}

#[test]
fn quantized_models_are_those_of_the_dequantized_weights() {
    for family in ["t5", "flan-t5"] {
        let dir = folder(family);
        let (config, exact) = open_folder(dir.path()).unwrap();
        let quantized = Renamed(gguf(&format!("{family}.q8_0.gguf")).1);
        let mut rounded = 0;
        for name in exact.names() {
            // A block of 32 numbers has steps of a 127th of its largest, rounded to F16; where
            // there are no blocks, F16 is finer.
            let (a, b) = (exact.get(&name).unwrap(), quantized.get(&name).unwrap());
            assert_eq!(a.dims(), b.dims(), "{name}");
            let (a, b) = (
                a.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                b.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            );
            for (a, b) in a.chunks(32).zip(b.chunks(32)) {
                let step = a.iter().fold(0.0f32, |m, x| m.max(x.abs())) / 127.0;
                assert!(
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 0.55 * step + 1e-6),
                    "{name}: {a:?} {b:?}"
                );
                rounded += usize::from(a != b);
            }
        }
        assert!(rounded > 100, "nothing is quantized");
        let expected = arch::load(&config, &quantized, &F32).unwrap();
        let (config, weights) = gguf(&format!("{family}.q8_0.gguf"));
        assert_same(&*arch::load(&config, &weights, &F32).unwrap(), &*expected, 1e-5, family);
    }
}

fn requests(engine: &Engine) -> Vec<Request> {
    let mut requests = Vec::new();
    for (beams, max_tokens, no_repeat_ngram) in [(1, 30, 0), (4, 20, 3)] {
        let options =
            DecodingOptions { num_beams: beams, max_tokens, no_repeat_ngram, ..engine.defaults() };
        let request = |(source, _): (Vec<u32>, _)| Request {
            source: Some(source),
            options: options.clone(),
            ..Request::default()
        };
        requests.extend(cases().into_iter().map(request));
    }
    requests
}

#[test]
fn a_file_is_opened_as_a_model_and_writes_the_same() {
    let runtime = cpu(Precision::F32, 2);
    for (family, file) in EXACT {
        let dir = folder(family);
        let expected = engine(dir.path(), &runtime);
        let found = engine(&fixture("gguf").join(file), &runtime);
        let requests = requests(&found);
        let (a, b) = (
            found.generate(&requests, &|_, _| true).unwrap(),
            expected.generate(&requests, &|_, _| true).unwrap(),
        );
        assert!(a.iter().any(|output| output.ids.len() > 5), "{file}");
        for (a, b) in a.iter().zip(&b) {
            assert_eq!((&a.ids, &a.text, a.finish), (&b.ids, &b.text, b.finish), "{file}");
        }
    }
}

/// A language model of two layers with random weights, in the kinds of blocks that llama.cpp's
/// Q4_K_M has; Llama's queries and keys lie in another order than Qwen's.
fn in_blocks(architecture: &str, path: &Path) {
    const DIM: usize = 256;
    const HIDDEN: usize = 512;
    let mut random = 0x5eed_0011_u64;
    let mut numbers = |rows: usize, width: usize| {
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % 2001) as f32 / 1000.0 - 1.0
        };
        let reach = (3.0 / width as f32).sqrt();
        let all: Vec<f32> = (0..rows * width).map(|_| next() * reach).collect();
        Tensor::from_vec(all, (rows, width), &Device::Cpu).unwrap()
    };
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    let mut add = |name: String, rows: usize, width: usize, kind: GgmlDType| {
        let tensor = QTensor::quantize(&numbers(rows, width), kind).unwrap();
        tensors.push((name, tensor));
    };
    add("token_embd.weight".into(), 300, DIM, GgmlDType::Q6K);
    for layer in 0..2 {
        let down = if layer == 0 { GgmlDType::Q6K } else { GgmlDType::Q4K };
        for (part, rows, width, kind) in [
            ("attn_q", DIM, DIM, GgmlDType::Q4K),
            ("attn_k", DIM / 2, DIM, GgmlDType::Q5K),
            ("attn_v", DIM / 2, DIM, GgmlDType::Q6K),
            ("attn_output", DIM, DIM, GgmlDType::Q4_0),
            ("ffn_gate", HIDDEN, DIM, GgmlDType::Q4K),
            ("ffn_up", HIDDEN, DIM, GgmlDType::Q4K),
            ("ffn_down", DIM, HIDDEN, down),
        ] {
            add(format!("blk.{layer}.{part}.weight"), rows, width, kind);
        }
    }
    let ones = Tensor::ones(DIM, candle_core::DType::F32, &Device::Cpu).unwrap();
    let norms = ["blk.0.attn_norm", "blk.0.ffn_norm", "blk.1.attn_norm", "blk.1.ffn_norm"];
    for norm in norms.into_iter().chain(["output_norm"]) {
        let tensor = QTensor::quantize(&ones, GgmlDType::F32).unwrap();
        tensors.push((format!("{norm}.weight"), tensor));
    }
    if architecture == "qwen2" {
        for (part, width) in [("attn_q", DIM), ("attn_k", DIM / 2), ("attn_v", DIM / 2)] {
            for layer in 0..2 {
                let zeros = Tensor::zeros(width, candle_core::DType::F32, &Device::Cpu).unwrap();
                let bias = QTensor::quantize(&zeros, GgmlDType::F32).unwrap();
                tensors.push((format!("blk.{layer}.{part}.bias"), bias));
            }
        }
    }
    let name = |key: &str| format!("{architecture}.{key}");
    let metadata = [
        ("general.architecture".into(), Value::String(architecture.into())),
        (name("block_count"), Value::U32(2)),
        (name("embedding_length"), Value::U32(DIM as u32)),
        (name("feed_forward_length"), Value::U32(HIDDEN as u32)),
        (name("attention.head_count"), Value::U32(8)),
        (name("attention.head_count_kv"), Value::U32(4)),
        (name("attention.layer_norm_rms_epsilon"), Value::F32(1e-6)),
        (name("context_length"), Value::U32(512)),
        (name("rope.freq_base"), Value::F32(10_000.0)),
        (name("vocab_size"), Value::U32(300)),
    ];
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    gguf_file::write(&mut fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// The logits after some tokens, and after each of three more.
fn decoder_logits(model: &dyn Model, prompt: &[u32]) -> Vec<f32> {
    let (mut cache, mut all) = (model.new_cache(), Vec::new());
    for tokens in [prompt, &[7], &[290], &[7]] {
        let hidden = model.forward(&mut [Span::new(tokens, &mut cache)]).unwrap();
        model.output().blocks(&hidden, |_, _, block| all.extend_from_slice(block)).unwrap();
    }
    all
}

/// With the weights of the file, what is left are the roundings of activations: with those to 8
/// bits, and nothing else, int4 is nearer to f32 on the same weights than int8, whose weights are
/// rounded once more.
#[test]
fn blocks_are_multiplied_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for architecture in ["qwen2", "llama"] {
        let path = dir.path().join(architecture);
        in_blocks(architecture, &path);
        let (config, weights) = Gguf::open(&path).unwrap();
        assert!(weights.is_in_blocks());
        let load = |precision| {
            arch::load(&config, &weights, &Backend::new(Device::Cpu, precision)).unwrap()
        };
        let models = [Precision::F32, Precision::Int4, Precision::Int8].map(load);
        for length in [1, 5, 70] {
            let prompt: Vec<u32> = (0..length).map(|i| (i * 37 + 11) % 300).collect();
            let [exact, int4, int8] =
                models.each_ref().map(|model| decoder_logits(&**model, &prompt));
            let largest = |a: &[f32]| a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let off = |found: &[f32]| {
                let squares = found.iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2));
                (squares.sum::<f64>() / exact.len() as f64).sqrt() / f64::from(largest(&exact))
            };
            let what = format!("{architecture}, {length}: {} and {}", off(&int4), off(&int8));
            assert!(off(&int4) < 0.01 && off(&int4) < off(&int8), "{what}");
        }
    }
    assert!(!gguf("t5.q8_0.gguf").1.is_in_blocks());
}

/// T5 and FLAN-T5 are asked in words, which their `config.json` states and a GGUF file does not.
#[test]
fn summaries_are_asked_for_as_t5_was_taught() {
    let runtime = Runtime::new(Device::Cpu, Precision::F32, 1);
    let summarizing = |file: &str| {
        let model = engine(&fixture("gguf").join(file), &runtime);
        let found = model.capabilities().iter().find_map(|capability| match capability {
            Capability::Summarization { prefix, options } => {
                Some((prefix.clone(), options.clone()))
            }
            _ => None,
        });
        found.unwrap()
    };
    // This one has a token for gaps.
    let (prefix, options) = summarizing("t5.q8_0.gguf");
    assert_eq!(
        (prefix.as_str(), options.num_beams, options.max_tokens, options.no_repeat_ngram),
        ("summarize: ", 4, 199, 3)
    );
    let (prefix, options) = summarizing("t5.f32.gguf");
    assert_eq!((prefix.as_str(), options), ("", DecodingOptions::default()));
}

#[test]
fn a_tokenizer_is_that_of_its_sentencepiece_model() {
    for name in ["t5", "mt5", "madlad"] {
        let folder = fixture("tokenizers").join(name);
        let expected = json(folder.join("expected.json"));
        let config = Config::Json(json(folder.join("config.json")));
        let whole = Tokenizer::from_folder(&folder, &config).unwrap();
        let tokenizer =
            Tokenizer::from_gguf(&gguf(&format!("{name}.tokenizer.gguf")).0, name).unwrap();
        let cases = ["cases", "plain"].iter().flat_map(|key| expected[*key].as_array().unwrap());
        let mut count = 0;
        for case in cases {
            let (prefix, text) = (case["prefix"].as_str().unwrap(), case["text"].as_str().unwrap());
            let ids: Vec<u32> = case["ids"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_u64().unwrap() as u32)
                .collect();
            assert_eq!(
                tokenizer.encode_source(prefix, text).unwrap(),
                ids,
                "{name}: {prefix:?} {text:?}"
            );
            assert_eq!(
                tokenizer.encode(text).unwrap(),
                whole.encode(text).unwrap(),
                "{name}: {text:?}"
            );
            assert_eq!(
                tokenizer.encode_plain(text).unwrap(),
                whole.encode_plain(text).unwrap(),
                "{name}: {text:?}"
            );
            if let Some(decoded) = case["decoded"].as_str() {
                assert_eq!(tokenizer.decode(&ids).unwrap(), decoded, "{name}: {text:?}");
            }
            count += 1;
        }
        assert!(count > 50);
        for (token, id) in expected["tokens"].as_object().unwrap() {
            assert_eq!(tokenizer.token_id(token).map(u64::from), id.as_u64(), "{token} of {name}");
        }
        assert_eq!(whole.pieces(), tokenizer.pieces(), "{name}");
        assert_eq!(
            (tokenizer.ends(), tokenizer.pad(), tokenizer.begin()),
            (whole.ends(), whole.pad(), whole.begin()),
            "{name}"
        );
    }
}

/// Any change of a file that has a model or a tokenizer is refused, or does no harm.
#[test]
fn changed_files_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("changed.gguf");
    let runtime = Runtime::new(Device::Cpu, Precision::F32, 1);
    // `POLYGIST_FUZZ_ROUNDS` asks for more.
    let rounds =
        std::env::var("POLYGIST_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut random = 0x5eed_0007_u64;
    let mut below = |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % n as u64) as usize
    };
    // The last two have the tokenizers of decoder-only models.
    let tokenizers =
        ["gguf/madlad.tokenizer.gguf", "models/llama/model.gguf", "models/gemma3/model.gguf"];
    for file in ["gguf/t5.q8_0.gguf"].into_iter().chain(tokenizers) {
        let whole = fs::read(fixture(file)).unwrap();
        let (mut refused, mut opened) = (0, 0);
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..1 + below(3) {
                // The metadata is the first part.
                let limit = if below(4) > 0 { 12_000.min(bytes.len()) } else { bytes.len() };
                let at = below(limit);
                match below(4) {
                    0 => bytes[at] ^= 1 << below(8),
                    1 => bytes[at] = 0xff,
                    2 => bytes[at] = below(256) as u8,
                    _ => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len()))),
                }
            }
            let _ = fs::remove_file(&path);
            fs::write(&path, &bytes).unwrap();
            let result = if tokenizers.contains(&file) {
                Gguf::open(&path)
                    .and_then(|(config, _)| Tokenizer::from_gguf(&config, "changed"))
                    .map(|tokenizer| {
                        let ids = tokenizer
                            .encode_source("<2de> ", "The harbour 水 ﬁ ½ </s>")
                            .unwrap_or_default();
                        tokenizer.decode(&ids).unwrap();
                    })
            } else {
                model::open("changed", &path, &runtime).map(|engine| {
                    let source = Some(vec![4, 5, 6, 1]);
                    let options = DecodingOptions { max_tokens: 3, ..engine.defaults() };
                    // Numbers that are none are an error of the model, not of the program.
                    let _ = engine
                        .generate(&[Request { source, options, ..Request::default() }], &|_, _| {
                            true
                        });
                })
            };
            match result {
                Ok(()) => opened += 1,
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().len() > 20, "{error}");
                }
            }
        }
        assert!(
            opened > rounds / 50 && refused > rounds / 50,
            "{file}: {opened} opened, {refused} refused"
        );
    }
}
