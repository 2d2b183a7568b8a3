//! A device without enough memory for a batch: it becomes smaller, and nothing is lost. A bound of
//! main memory: what does not fit is refused.

use crate::common::fixture;
use candle_core::Tensor;
use polygist::arch::{self, Encoder, Footprint, Macs, Model};
use polygist::checkpoint::{Config, Weights};
use polygist::error::{Error, Result};
use polygist::generate::{DecodingOptions, Engine, Generate, GenerationConfig, Output, Request};
use polygist::io::weights::{Gguf, open_folder, optional_json};
use polygist::kernel::Precision;
use polygist::main_memory::{Memory, MemoryBudget};
use polygist::model::{self, Runtime};
use polygist::nn::{KvCache, OutputLayer, SourceCache, Span};
use polygist::token::Tokenizer;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A model on a device that has memory for so many hypotheses at once, of all workers together, and
/// for so many sources.
struct Cramped {
    inner: Box<dyn Model>,
    hypotheses: usize,
    sources: usize,
    at_once: AtomicUsize,
    refusals: Arc<AtomicUsize>,
}

impl Cramped {
    fn refuse(&self) -> Error {
        self.refusals.fetch_add(1, Ordering::Relaxed);
        Error::OutOfMemory("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")".into())
    }
}

impl Model for Cramped {
    fn context_length(&self) -> usize {
        self.inner.context_length()
    }

    fn new_cache(&self) -> KvCache {
        self.inner.new_cache()
    }

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let wanted: usize = spans.iter().map(|span| span.ends().len()).sum();
        let result = if self.at_once.fetch_add(wanted, Ordering::SeqCst) + wanted > self.hypotheses
        {
            // As a device fails: after some of the work is done.
            let _ = self.inner.forward(spans)?;
            Err(self.refuse())
        } else {
            self.inner.forward(spans)
        };
        self.at_once.fetch_sub(wanted, Ordering::SeqCst);
        result
    }

    fn output(&self) -> &OutputLayer {
        self.inner.output()
    }

    fn macs(&self) -> Macs {
        self.inner.macs()
    }

    fn footprint(&self) -> Footprint {
        self.inner.footprint()
    }

    fn encoder(&self) -> Option<&dyn Encoder> {
        self.inner.encoder().map(|_| self as &dyn Encoder)
    }
}

impl Encoder for Cramped {
    fn context_length(&self) -> usize {
        self.inner.encoder().unwrap().context_length()
    }

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Arc<SourceCache>>> {
        if sources.len() > self.sources {
            Err(self.refuse())
        } else {
            self.inner.encoder().unwrap().encode(sources)
        }
    }

    fn attention_layers(&self) -> usize {
        self.inner.encoder().unwrap().attention_layers()
    }

    fn aligning_head(&self) -> Option<usize> {
        self.inner.encoder().unwrap().aligning_head()
    }

    fn attention(&self, span: &mut Span<'_>, layer: usize) -> Result<Tensor> {
        self.inner.encoder().unwrap().attention(span, layer)
    }
}

/// A model of the fixtures in such memory, and how often it was refused.
fn cramped(
    path: &Path,
    (hypotheses, sources): (usize, usize),
    workers: usize,
) -> (Engine, Arc<AtomicUsize>) {
    let mut runtime = Runtime::cpu().with_precision(Precision::F32).unwrap();
    runtime.candle = true;
    runtime.threads = workers;
    let (config, weights, tokenizer): (Config, Box<dyn polygist::checkpoint::Weights>, Tokenizer) =
        if path.is_dir() {
            let (config, weights) = open_folder(path).unwrap();
            let tokenizer = Tokenizer::from_folder(path, &config).unwrap();
            (config, weights, tokenizer)
        } else {
            let (config, weights) = Gguf::open(path).unwrap();
            let tokenizer = Tokenizer::from_gguf(&config, "gguf").unwrap();
            (config, Box::new(weights), tokenizer)
        };
    let inner = arch::load(&config, &*weights, &runtime.backend()).unwrap();
    let generation = if path.is_dir() {
        optional_json(path, "config.json").unwrap()
    } else {
        serde_json::Value::Null
    };
    let start =
        generation.get("decoder_start_token_id").and_then(|id| id.as_u64()).map(|id| id as u32);
    let conventions =
        GenerationConfig { start: start.into_iter().collect(), ..GenerationConfig::default() };
    let refusals = Arc::new(AtomicUsize::new(0));
    let model = Cramped {
        inner,
        hypotheses,
        sources,
        at_once: AtomicUsize::new(0),
        refusals: refusals.clone(),
    };
    (
        Engine::new("cramped", Box::new(model), tokenizer, conventions, runtime.settings())
            .unwrap(),
        refusals,
    )
}

fn requests(beams: usize) -> Vec<Request> {
    let options =
        DecodingOptions { num_beams: beams, max_tokens: 12, ..DecodingOptions::default() };
    let words = ["river", "bridge", "Monday", "town", "closed", "of", "the", "40"];
    let text = |n: usize| {
        (0..2 + n % 5).map(|i| words[(n * 3 + i) % words.len()]).collect::<Vec<_>>().join(" ")
    };
    (0..24)
        .map(|n| Request { prompt: text(n), options: options.clone(), ..Request::default() })
        .collect()
}

fn texts(outputs: &[Output]) -> Vec<(&[u32], &str)> {
    outputs.iter().map(|output| (output.ids.as_slice(), output.text.as_str())).collect()
}

#[test]
fn a_batch_that_is_too_large_is_split_and_nothing_changes() {
    const ENOUGH: (usize, usize) = (usize::MAX, usize::MAX);
    for (name, sources) in [
        ("models/llama/model.gguf", usize::MAX),
        ("seq2seq/marian", usize::MAX),
        ("seq2seq/marian", 3),
    ] {
        for (beams, workers) in [(1, 1), (3, 1), (1, 3), (3, 3)] {
            let asked = requests(beams);
            let expected =
                cramped(&fixture(name), ENOUGH, workers).0.generate(&asked, &|_, _| true).unwrap();
            let (engine, refusals) = cramped(&fixture(name), (7, sources), workers);
            let done = AtomicUsize::new(0);
            let outputs = engine
                .generate(&asked, &|_, _| done.fetch_add(1, Ordering::Relaxed) < usize::MAX)
                .unwrap();
            assert_eq!(
                texts(&outputs),
                texts(&expected),
                "{name}, {beams} beams, {workers} workers"
            );
            assert_eq!(done.into_inner(), asked.len(), "each is told once");
            assert!(
                refusals.load(Ordering::Relaxed) > 0,
                "{name}, {beams} beams, {workers} workers: it was never refused"
            );
        }
    }
}

#[test]
fn text_that_was_handed_out_is_not_handed_out_again() {
    let asked = requests(1);
    let (engine, refusals) = cramped(&fixture("seq2seq/marian"), (7, usize::MAX), 2);
    let heard: Mutex<Vec<String>> = Mutex::new(vec![String::new(); asked.len()]);
    let listen = |number: usize, text: &str| {
        heard.lock().unwrap()[number].push_str(text);
        true
    };
    let outputs = engine.stream(&asked, &listen, &|_, _| true).unwrap();
    assert_eq!(
        heard.into_inner().unwrap(),
        outputs.iter().map(|output| output.text.clone()).collect::<Vec<_>>()
    );
    assert!(refusals.load(Ordering::Relaxed) > 0);
}

#[test]
fn what_is_too_large_alone_is_an_error() {
    let (engine, _) = cramped(&fixture("seq2seq/marian"), (2, usize::MAX), 2);
    let why = engine.generate(&requests(3), &|_, _| true).unwrap_err();
    assert!(why.is_out_of_memory(), "{why}");
}

#[test]
fn a_model_that_does_not_fit_is_refused() {
    let path = fixture("models/llama/model.gguf");
    let weights = Gguf::open(&path).unwrap().1.amount().in_precision(Precision::Int8);
    let open = |bytes: u64| {
        let memory = MemoryBudget::of(bytes);
        model::open("tiny", &path, &Runtime { memory, ..Runtime::cpu() })
    };
    let refused = |bytes: u64| open(bytes).err().unwrap().to_string();
    let told = refused(weights - 1);
    assert!(told.contains("model tiny: its weights take") && told.contains("--memory"), "{told}");
    if Memory::resident().is_some() {
        // There is room for the weights, but not for the program with them.
        let told = refused(weights + 1);
        assert!(told.contains("the program takes") && told.contains("--memory"), "{told}");
    }
    let engine = open(u64::MAX).unwrap();
    assert!(!engine.generate(&requests(1), &|_, _| true).unwrap().is_empty());
}
