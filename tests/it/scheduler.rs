//! Many callers on one engine: they share its workers, and none of them notices the others.

use candle_core::{Device, Tensor};
use polygist::CancelToken;
use polygist::arch::{self, Encoder, Footprint, Macs, Model};
use polygist::error::{Error, Result};
use polygist::generate::{
    Caller, DecodingOptions, Engine, EngineSettings, Generate, GenerationConfig, Handle, Output,
    Request, Submission, TrySubmitError,
};
use polygist::io::weights::Gguf;
use polygist::kernel::Precision;
use polygist::main_memory::MemoryBudget;
use polygist::model::{self, Runtime};
use polygist::nn::{KvCache, OutputLayer, Span};
use polygist::token::Tokenizer;
use polygist::types::Lang;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str, threads: usize, batch: usize) -> Engine {
    let runtime = Runtime { batch, ..Runtime::new(Device::Cpu, Precision::Int8, threads) };
    model::open(name, &fixture(name), &runtime).unwrap()
}

const LLAMA: &str = "models/llama/model.gguf";
const MARIAN: &str = "seq2seq/marian";

/// Different requests: greedy, beams and draws, with and without stop texts, three prefixes, three
/// languages.
fn requests(count: usize) -> Vec<Request> {
    let words = ["river", "bridge", "Monday", "town", "closed", "of", "the", "40"];
    let request = |n: usize| {
        let options = DecodingOptions { max_tokens: 6 + n % 7, ..DecodingOptions::default() };
        let options = match n % 5 {
            0 => options,
            1 => DecodingOptions { num_beams: 3, ..options },
            2 => DecodingOptions { temperature: 1.5, seed: n as u64, ..options },
            3 => DecodingOptions { stop: vec!["e".into()], repetition_penalty: 1.3, ..options },
            _ => DecodingOptions { num_beams: 2, no_repeat_ngram: 2, ..options },
        };
        let language = ["en", "ru", "ja", ""][n % 4];
        let text = (0..2 + n % 6).map(|i| words[(n * 3 + i) % words.len()]);
        Request {
            prefix: ["", "The town: ", "One day, "][n % 3].into(),
            prompt: text.collect::<Vec<_>>().join(" "),
            options: DecodingOptions { language: Lang::parse(language), ..options },
            ..Request::default()
        }
    };
    (0..count).map(request).collect()
}

fn generate(engine: &Engine, requests: &[Request]) -> Vec<Output> {
    engine.generate(requests, &|_, _| true).unwrap()
}

#[test]
fn sixty_four_threads_write_what_one_call_writes() {
    for name in [LLAMA, MARIAN] {
        let requests = requests(60);
        let expected = generate(&open(name, 1, 32), &requests);
        let engine = open(name, 2, 8);
        // Twenty of each thread: half of them submitted one by one, a call for the others.
        let (engine, requests, expected) = (&engine, &requests, &expected);
        let run = move |thread: usize| {
            let own: Vec<usize> = (0..20).map(|n| (thread * 7 + n * 11) % requests.len()).collect();
            let (single, together) = own.split_at(10);
            let submit = |n: &usize| {
                let submission = Submission::new(requests[*n].clone());
                let stream = n.is_multiple_of(2);
                engine.submit(if stream { submission.streaming() } else { submission }).unwrap()
            };
            let handles: Vec<Handle> = single.iter().map(submit).collect();
            let asked: Vec<Request> = together.iter().map(|&n| requests[n].clone()).collect();
            let outputs = generate(engine, &asked);
            let wait = |mut handle: Handle| {
                let mut text = String::new();
                let mut streamed = false;
                while let Some(piece) = handle.next_text() {
                    text.push_str(&piece);
                    streamed = true;
                }
                let output = handle.wait().unwrap();
                assert!(!streamed || text == output.text);
                output
            };
            let found = handles.into_iter().rev().map(wait).collect::<Vec<_>>();
            for (n, output) in single.iter().zip(found.iter().rev()) {
                assert_eq!(output, &expected[*n], "{name}, thread {thread}, request {n}");
            }
            for (n, output) in together.iter().zip(&outputs) {
                assert_eq!(output, &expected[*n], "{name}, thread {thread}, request {n}");
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..64 {
                scope.spawn(move || run(thread));
            }
        });
    }
}

#[test]
fn eight_threads_and_eight_rayon_tasks_may_generate_at_once() {
    let requests = requests(24);
    let expected = generate(&open(LLAMA, 1, 32), &requests);
    let engine = open(LLAMA, 2, 8);
    let pairs: Vec<(&Request, &str)> = requests.iter().map(|r| (r, "the town closed")).collect();
    let scores = engine.score(&pairs, &|_| true).unwrap();
    // A new engine: its vocabularies and prefixes are made while all of them ask for them.
    let engine = open(LLAMA, 2, 8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(generate(&engine, &requests), expected));
        }
    });
    let engine = open(LLAMA, 2, 8);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        (0..8).into_par_iter().for_each(|task| {
            assert_eq!(generate(&engine, &requests), expected, "task {task}");
            assert_eq!(engine.score(&pairs, &|_| true).unwrap(), scores, "task {task}");
        })
    });
}

#[test]
fn alignments_share_the_workers_with_outputs() {
    let engine = open(MARIAN, 2, 4);
    let requests = requests(16);
    let expected = generate(&engine, &requests);
    let pairs: Vec<(&Request, &[u32])> =
        requests.iter().zip(&expected).map(|(r, output)| (r, output.ids.as_slice())).collect();
    let alignments = engine.align(&pairs, None).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(generate(&engine, &requests), expected));
            scope.spawn(|| assert!(engine.align(&pairs, None).unwrap() == alignments));
        }
    });
}

/// Holds up a model before each of its steps, until a test lets it go on.
#[derive(Default)]
struct Gate {
    /// How many steps may still be made.
    permits: Mutex<usize>,
    changed: Condvar,
    /// How many sequences each step had, the one that is held up included.
    steps: Mutex<Vec<usize>>,
}

impl Gate {
    fn pass(&self, sequences: usize) {
        self.steps.lock().unwrap().push(sequences);
        let mut permits = self.permits.lock().unwrap();
        while *permits == 0 {
            permits = self.changed.wait(permits).unwrap();
        }
        *permits = permits.saturating_sub(1);
    }

    fn permit(&self, steps: usize) {
        *self.permits.lock().unwrap() = steps;
        self.changed.notify_all();
    }

    fn open(&self) {
        self.permit(usize::MAX);
    }

    /// Waits until a step is held up that is not among the first `known`; returns how many there
    /// are, and how many sequences it has.
    fn wait(&self, known: usize) -> (usize, usize) {
        wait_until(|| self.steps.lock().unwrap().len() > known);
        let steps = self.steps.lock().unwrap();
        (steps.len(), steps[steps.len() - 1])
    }
}

fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it has not come about within a minute");
}

struct Gated {
    inner: Box<dyn Model>,
    gate: Arc<Gate>,
    /// A token that no prompt may have.
    fatal: u32,
}

impl Model for Gated {
    fn context_length(&self) -> usize {
        self.inner.context_length()
    }

    fn new_cache(&self) -> KvCache {
        self.inner.new_cache()
    }

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        self.gate.pass(spans.len());
        let mut prompts = spans.iter().filter(|span| span.tokens.len() > 1);
        assert!(!prompts.any(|span| span.tokens.contains(&self.fatal)), "a fatal token");
        self.inner.forward(spans)
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
        self.inner.encoder()
    }
}

/// What [`Gated`] panics at in a prompt.
const FATAL: &str = "@";

/// A model behind a closed gate, under other settings.
fn gated(change: impl FnOnce(&mut EngineSettings)) -> (Engine, Arc<Gate>) {
    let (config, weights) = Gguf::open(&fixture(LLAMA)).unwrap();
    let tokenizer = Tokenizer::from_gguf(&config, "gguf").unwrap();
    let runtime = Runtime::new(Device::Cpu, Precision::Int8, 1);
    let gate = Arc::new(Gate::default());
    let inner = arch::load(&config, &weights, &runtime.backend()).unwrap();
    let mut settings = runtime.settings();
    change(&mut settings);
    let fatal = *tokenizer.encode_plain(FATAL).unwrap().last().unwrap();
    let model = Box::new(Gated { inner, gate: gate.clone(), fatal });
    let config = GenerationConfig::default();
    (Engine::new("gated", model, tokenizer, config, settings).unwrap(), gate)
}

/// A request whose output has so many tokens exactly.
fn of_length(prompt: &str, tokens: usize) -> Request {
    let options = DecodingOptions {
        max_tokens: tokens,
        min_tokens: tokens,
        end_loops: false,
        ..DecodingOptions::default()
    };
    Request { prompt: prompt.into(), options, ..Request::default() }
}

fn is_interrupted(result: &Result<Output>) -> bool {
    matches!(result, Err(Error::Interrupted))
}

#[test]
fn a_dropped_handle_frees_its_rows_within_one_step() {
    let (engine, gate) = gated(|_| ());
    let dropped = engine.submit(of_length("The river", 60)).unwrap();
    let kept = engine.submit(of_length("The town", 40)).unwrap();
    let (mut known, mut sequences) = gate.wait(0);
    while sequences < 2 {
        gate.permit(1);
        (known, sequences) = gate.wait(known);
    }
    assert_eq!((engine.load().running, engine.load().queued), (2, 0));
    drop(dropped);
    // The step at hand still has both.
    gate.permit(1);
    assert_eq!(gate.wait(known).1, 1);
    assert_eq!((engine.load().running, engine.load().queued), (1, 0));
    gate.open();
    let alone = generate(&open(LLAMA, 1, 1), &[of_length("The town", 40)]);
    assert_eq!(kept.wait().unwrap(), alone[0]);
}

#[test]
fn cancelling_a_request_leaves_the_others_as_they_are() {
    let (engine, gate) = gated(|_| ());
    let requests: Vec<Request> =
        (0..6).map(|n| of_length(&format!("Bridge {n} of the town"), 12)).collect();
    let expected = generate(&open(LLAMA, 1, 32), &requests);
    let token = CancelToken::new();
    let submit = |(n, request): (usize, &Request)| {
        let submission = Submission::new(request.clone());
        let cancelled = n % 3 == 1;
        let submission = if cancelled { submission.with_cancel(token.clone()) } else { submission };
        engine.submit(submission).unwrap()
    };
    let mut handles: Vec<Handle> = requests.iter().enumerate().map(submit).collect();
    let (mut known, mut sequences) = gate.wait(0);
    while sequences < 6 {
        gate.permit(1);
        (known, sequences) = gate.wait(known);
    }
    token.cancel();
    handles[2].cancel();
    gate.permit(1);
    assert_eq!(gate.wait(known).1, 3);
    assert!(handles[1].try_wait().is_some_and(|result| is_interrupted(&result)));
    assert!(handles[0].try_wait().is_none());
    gate.open();
    for (n, handle) in handles.into_iter().enumerate() {
        match handle.wait() {
            Ok(output) => assert_eq!(output, expected[n], "{n}"),
            Err(why) => assert!(matches!(why, Error::Interrupted) && n % 3 != 0 && n != 5, "{n}"),
        }
    }
    assert_eq!(generate(&engine, &requests), expected);
}

#[test]
fn a_budget_of_memory_bounds_what_is_in_the_works_and_changes_no_result() {
    let requests: Vec<Request> = (0..7).map(|n| of_length(&format!("Bridge {n}"), 40)).collect();
    let expected = generate(&open(LLAMA, 1, 32), &requests);
    let (config, weights) = Gguf::open(&fixture(LLAMA)).unwrap();
    let backend = Runtime::new(Device::Cpu, Precision::Int8, 1).backend();
    let footprint = arch::load(&config, &weights, &backend).unwrap().footprint();
    assert!(footprint.token > 0 && footprint.step > 0);
    // Room for three of them, and what a step computes; or not even for one.
    let for_three = 7 * footprint.sequence(0, 44) / 2;
    for (room, most) in [(for_three, 3), (0, 1)] {
        let (engine, gate) = gated(|settings| {
            let steps = (footprint.step * settings.prefill * settings.workers) as u64;
            settings.memory = MemoryBudget::of(steps + room);
        });
        let handles: Vec<Handle> =
            requests.iter().map(|request| engine.submit(request.clone()).unwrap()).collect();
        gate.open();
        let outputs: Vec<Output> = handles.into_iter().map(|h| h.wait().unwrap()).collect();
        assert_eq!(outputs, expected);
        assert_eq!(gate.steps.lock().unwrap().iter().max(), Some(&most));
    }
}

#[test]
fn a_full_queue_says_so_or_has_the_caller_wait() {
    let (engine, gate) = gated(|settings| (settings.queue, settings.batch) = (2, 1));
    let submit = |n: usize| engine.try_submit(of_length("The river", 3 + n));
    let running = submit(0).unwrap();
    wait_until(|| engine.load().running == 1);
    let (second, third) = (submit(1).unwrap(), submit(2).unwrap());
    assert_eq!(engine.load().queued, 2);
    match submit(3) {
        Err(TrySubmitError::Full(back)) => assert_eq!(back.request, of_length("The river", 6)),
        other => panic!("expected a full queue, not {:?}", other.err()),
    }
    // Who waits for a place may give up, and is let in when a request goes.
    let impatient = CancelToken::new();
    let engine = &engine;
    std::thread::scope(|scope| {
        let submission = Submission::new(of_length("The town", 4)).with_cancel(impatient.clone());
        let waits = scope.spawn(move || engine.submit(submission).err());
        impatient.cancel();
        assert!(matches!(waits.join().unwrap(), Some(Error::Interrupted)));
        let waits = scope.spawn(move || engine.submit(of_length("The town", 5)).unwrap().wait());
        drop(second);
        wait_until(|| engine.load().queued == 2);
        assert!(matches!(submit(3), Err(TrySubmitError::Full(_))));
        gate.open();
        assert_eq!(waits.join().unwrap().unwrap().tokens, 5);
    });
    assert_eq!((running.wait().unwrap().tokens, third.wait().unwrap().tokens), (3, 5));
    // A request that cannot run takes no place.
    for _ in 0..5 {
        let too_long = engine.try_submit(of_length(&"town ".repeat(4000), 3));
        assert!(matches!(too_long, Err(TrySubmitError::Rejected(Error::Model { .. }))));
    }
    assert_eq!(engine.submit(of_length("The river", 3)).unwrap().wait().unwrap().tokens, 3);
}

#[test]
fn a_caller_with_many_requests_does_not_keep_one_with_few_waiting() {
    let (engine, gate) = gated(|settings| settings.batch = 4);
    let many: Vec<Request> = (0..300).map(|n| of_length(&format!("Bridge {n}"), 8)).collect();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let large = scope.spawn(|| {
            let on_done = |_: usize, _: &Output| done.fetch_add(1, Ordering::SeqCst) < usize::MAX;
            engine.generate(&many, &on_done).unwrap().len()
        });
        wait_until(|| engine.load().queued > 100);
        // Each of these has a turn of its own, whatever thread it comes from.
        let submit = |_| {
            let request = of_length("One sentence", 8);
            engine.submit(Submission::new(request).with_caller(Caller::new())).unwrap()
        };
        let few: Vec<Handle> = (0..3).map(submit).collect();
        gate.open();
        for handle in few {
            assert_eq!(handle.wait().unwrap().tokens, 8);
        }
        let before = done.load(Ordering::SeqCst);
        assert!(before < 200, "{before} of 300 were done before");
        assert_eq!(large.join().unwrap(), 300);
    });
}

#[test]
fn an_engine_that_is_cancelled_or_dropped_interrupts_what_it_has() {
    let stop = CancelToken::new();
    let (engine, gate) = gated(|settings| settings.cancel = stop.clone());
    let running = engine.submit(of_length("The river", 50)).unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| engine.generate(&requests(5), &|_, _| true));
        gate.wait(0);
        stop.cancel();
        gate.open();
        assert!(matches!(call.join().unwrap(), Err(Error::Interrupted)));
    });
    assert!(is_interrupted(&running.wait()));
    assert!(matches!(engine.generate(&requests(2), &|_, _| true), Err(Error::Interrupted)));
    assert!(matches!(engine.submit(of_length("The town", 3)), Err(Error::Interrupted)));

    let (engine, gate) = gated(|settings| settings.batch = 1);
    let running = engine.submit(of_length("The river", 50)).unwrap();
    gate.wait(0);
    let waiting = engine.submit(of_length("The river", 50)).unwrap();
    std::thread::scope(|scope| {
        let dropping = scope.spawn(move || drop(engine));
        assert!(is_interrupted(&waiting.wait()));
        // The step at hand is waited for.
        gate.open();
        dropping.join().unwrap();
    });
    assert!(is_interrupted(&running.wait()));
}

#[test]
fn a_call_is_cancelled_by_its_own_token() {
    let engine = open(LLAMA, 2, 8);
    let requests = requests(12);
    let (own, other) = (CancelToken::new(), CancelToken::new());
    own.cancel();
    let run = |cancel: &CancelToken| engine.run(&requests, cancel, None, &|_, _| true);
    assert!(matches!(run(&own), Err(Error::Interrupted)));
    assert_eq!(run(&other).unwrap(), generate(&engine, &requests));
    let stopped = engine.generate(&requests, &|_, _| false);
    assert!(matches!(stopped, Err(Error::Interrupted)));
    // Nothing of the calls that were cut off is left.
    wait_until(|| engine.load() == Default::default());
}

/// What is wrong with one request, or breaks the model, is no matter of those beside it.
#[test]
fn a_request_that_fails_fails_alone() {
    let (engine, gate) = gated(|_| ());
    let good: Vec<Request> = (0..4).map(|n| of_length(&format!("Bridge {n}"), 6)).collect();
    let expected = generate(&open(LLAMA, 1, 32), &good);
    let submit = |request: &Request| engine.submit(request.clone()).unwrap();
    let mut handles: Vec<Handle> = good[..2].iter().map(submit).collect();
    let bad = submit(&of_length(&format!("The river {FATAL} Monday"), 6));
    handles.extend(good[2..].iter().map(submit));
    gate.open();
    let why = bad.wait().unwrap_err().to_string();
    assert!(why.contains("a worker panicked: a fatal token"), "{why}");
    for (handle, expected) in handles.into_iter().zip(&expected) {
        assert_eq!(&handle.wait().unwrap(), expected);
    }
}
