//! LoRA adapters: merged, they compute what `peft` computes (scripts/fixtures/make_adapters.py),
//! and what cannot be merged is refused.

use crate::common::{FRENCH, Sandbox, Stub, fixture, ids, json, logits};
use base64::Engine as _;
use candle_core::{DType, Device, Tensor};
use polygist::arch;
use polygist::checkpoint::{AdapterDelta, Config, Weights};
use polygist::error::Result;
use polygist::generate::{Capability, DecodingOptions, Engine, Generate, Request};
use polygist::io::weights::{Adapter, Gguf, open_folder};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use polygist::nn::Backend;
use polygist::task::translate::{self, Segment};
use polygist::token::{Piece, Tokenizer};
use polygist::types::Lang;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Of the largest logit. Both sides compute in f32 and sum in different orders.
const TOLERANCE: f32 = 1e-4;
const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

fn adapter(name: &str) -> PathBuf {
    fixture("adapters").join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in [CONFIG, WEIGHTS] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// How far logits are from what is expected, as a share of the largest of these.
fn distance(found: &[f32], expected: &Value) -> f32 {
    let expected: Vec<f32> =
        expected.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
    found.iter().zip(&expected).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_peft() {
    let backend = Backend::new(Device::Cpu, Precision::F32);
    for name in
        ["llama", "llama-patterns", "gemma3", "qwen2", "phi3", "gemma3-images", "bart", "t5"]
    {
        let expected = json(adapter(name).join("expected.json"));
        let folder = fixture(expected["model"].as_str().unwrap());
        let mut sources: Vec<(&str, Config, Box<dyn Weights>)> = Vec::new();
        let (config, weights) = open_folder(&folder).unwrap();
        sources.push(("safetensors", config, weights));
        if folder.join("model.gguf").exists() {
            let (config, weights) = Gguf::open(&folder.join("model.gguf")).unwrap();
            sources.push(("gguf", config, Box::new(weights)));
        }
        assert_eq!(
            sources.len(),
            if ["gemma3-images", "bart", "t5"].contains(&name) { 1 } else { 2 },
            "{name}"
        );
        for (source, config, weights) in sources {
            let adapted =
                arch::adapt(&config, &*weights, Adapter::open(&adapter(name)).unwrap().changes)
                    .unwrap();
            let model = arch::load(&config, &adapted, &backend).unwrap();
            let base = arch::load(&config, &*weights, &backend).unwrap();
            for case in expected["cases"].as_array().unwrap() {
                let (read, written) = if case["ids"].is_array() {
                    (Vec::new(), ids(&case["ids"]))
                } else {
                    (ids(&case["source"]), ids(&case["decoder"]))
                };
                let worst = distance(&logits(&*model, &read, &written), &case["logits"]);
                assert!(worst < TOLERANCE, "{name}, {source}: {worst} after {read:?} {written:?}");
                let without = distance(&logits(&*base, &read, &written), &case["logits"]);
                assert!(
                    without > 0.05,
                    "{name}, {source}: the adapter hardly changes anything ({without})"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_merged_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Adapter::open(dir.path()).err().expect("it is refused").to_string();
    let with = |key: &str, value: Value| {
        copy(&adapter("llama"), dir.path());
        let mut config = json(dir.path().join(CONFIG));
        config[key] = value;
        fs::write(dir.path().join(CONFIG), config.to_string()).unwrap();
    };
    for (key, value, says) in [
        ("peft_type", json!("IA3"), "peft_type is IA3; only LORA"),
        ("peft_type", json!(3), "only LORA"),
        ("use_dora", json!(true), "it has use_dora"),
        ("modules_to_save", json!(["lm_head"]), "it has modules_to_save"),
        ("trainable_token_indices", json!({"embed_tokens": [1]}), "it has trainable_token_indices"),
        ("bias", json!("lora_only"), "biases were trained"),
        ("init_lora_weights", json!("pissa_niter_16"), "began with pissa_niter_16"),
        ("r", json!(0), "no rank r above 0"),
        ("r", json!(-1), "no rank r above 0"),
        ("r", json!(2), "expected the rank 2 of adapter_config.json"),
        ("lora_alpha", Value::Null, "no number lora_alpha"),
        ("rank_pattern", json!({"(": 3}), "has the pattern \"(\""),
        ("alpha_pattern", json!({"q_proj": "x"}), "is no number"),
    ] {
        with(key, value);
        let error = open();
        assert!(error.contains(says), "{key}: {error}");
    }
    // What says that nothing is there is no reason.
    for (key, value) in [
        ("modules_to_save", json!([])),
        ("layer_replication", Value::Null),
        ("use_dora", json!(false)),
    ] {
        with(key, value);
        assert!(Adapter::open(dir.path()).is_ok(), "{key}");
    }
    fs::write(dir.path().join("polygist.json"), r#"{"taught": true, "more": 1}"#).unwrap();
    let error = open();
    assert!(error.contains("polygist.json"), "{error}");
    assert!(error.contains("more"), "{error}");
    assert!(error.contains(r#"{"taught": true, "generation""#), "{error}");
    fs::remove_file(dir.path().join("polygist.json")).unwrap();
    for file in [CONFIG, WEIGHTS] {
        copy(&adapter("llama"), dir.path());
        fs::remove_file(dir.path().join(file)).unwrap();
        let error = open();
        assert!(error.contains(&format!("{file} is missing")), "{error}");
        assert!(error.contains("as PEFT saves"), "{error}");
    }
}

#[test]
fn damaged_files_and_strange_tensors_are_told() {
    let dir = tempfile::tempdir().unwrap();
    copy(&adapter("llama"), dir.path());
    let path = dir.path().join(WEIGHTS);
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = Adapter::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(WEIGHTS), "{length}: {error}");
    }
    let q = "base_model.model.model.layers.0.self_attn.q_proj";
    for (name, shape, says) in [
        (
            "model.layers.0.mlp.up_proj.weight".to_string(),
            vec![2, 2],
            "expected base_model.model.MODULE.lora_A.weight",
        ),
        (
            "base_model.model.model.embed_tokens.lora_embedding_A".into(),
            vec![2, 2],
            "no low-rank matrix of a linear layer",
        ),
        (format!("{q}.lora_magnitude_vector"), vec![2], "no low-rank matrix"),
        (format!("{q}.lora_A.weight"), vec![3], "expected a matrix"),
        (format!("{q}.lora_A.weight"), vec![2, 8], "expected the rank 3"),
        (
            "base_model.model.lm_head.lora_A.weight".into(),
            vec![3, 8],
            "lm_head.lora_B.weight is missing",
        ),
    ] {
        fs::write(&path, &bytes).unwrap();
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        tensors.insert(name.clone(), Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap());
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let error = Adapter::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    candle_core::safetensors::save(&HashMap::<String, Tensor>::new(), &path).unwrap();
    assert!(Adapter::open(dir.path()).err().unwrap().to_string().contains("no tensors"));
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let open = |model: &str, name: &str| {
        let runtime = Runtime::new(Device::Cpu, Precision::F32, 1);
        model::open_with("model", &fixture(model), Some(&adapter(name)), &runtime, &mut |_| {})
            .err()
            .map(|e| e.to_string())
    };
    assert_eq!(open("models/llama", "llama"), None);
    assert_eq!(open("models/llama/model.gguf", "llama"), None);
    for (model, name, says) in [
        ("models/gemma3", "llama", "made for a weight model.layers.0."),
        ("models/gemma3/model.gguf", "llama", "made for a weight blk.0."),
        (
            "models/llama/model.gguf",
            "gemma3",
            "there is no weight here: it belongs to another model",
        ),
        ("seq2seq/t5", "bart", "there is no weight here: it belongs to another model"),
        ("gguf/t5.f32.gguf", "t5", "cannot be merged into GGUF files of the architecture t5"),
    ] {
        let error = open(model, name).expect("it is refused");
        assert!(error.contains(says), "{model} with {name}: {error}");
    }
}

#[test]
fn the_program_takes_an_adapter_for_one_model() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH)]);
    copy(&adapter("llama"), &sandbox.path("news"));
    let translate = |flags: &str, code: i32, says: &[&str]| {
        let line = format!("translate --offline --lines --from fr --to en --max-tokens 6 {flags}");
        sandbox.run_with(&line, FRENCH).expect(code, says).stdout
    };
    let base = translate("--model translator.gguf", 0, &[]);
    let adapted = translate("--model translator.gguf --adapter news", 0, &[]);
    assert_ne!(base, adapted);
    assert_eq!(
        adapted,
        translate("--model translator.gguf --adapter news --threads 1 --batch 1", 0, &[])
    );
    sandbox.write("config.toml", "model = 'translator.gguf'\nadapter = 'news'\n");
    assert_eq!(adapted, translate("--config config.toml", 0, &[]));
    translate(
        "--model translator.gguf,writer.gguf --adapter news",
        1,
        &["expected one name after --model, found translator.gguf, writer.gguf"],
    );
    translate(
        "--model translator.gguf --adapter nowhere",
        1,
        &["nowhere", "adapter_config.json is missing"],
    );
    translate("--model writer.gguf --adapter news", 1, &["belongs to another model"]);
    let bench = "bench --offline --runs 1 --warmup 0 --format json --from fr --to en in --model translator.gguf --adapter news";
    assert!(sandbox.run(bench).expect(0, &[]).stdout.contains("translator.gguf+news"));

    // Records name it, and another adapter is another model.
    let batch = |flags: &str, says: &str| {
        let line = format!(
            "batch in --out out --from fr --to en --offline --tasks translate --model translator.gguf {flags}"
        );
        sandbox.run(&line).expect(0, &[says]).stdout
    };
    batch("--adapter news", "1 done; ");
    assert!(
        sandbox.records("out")[0]
            .translation
            .as_ref()
            .unwrap()
            .model
            .ends_with("translator.gguf+news")
    );
    batch("--adapter news", "nothing to do");
    sandbox.write("news/polygist.json", r#"{"taught": true}"#);
    batch("--adapter news", "1 done; ");
    batch("", "1 done; ");
    assert!(batch("--adapter news --dry-run", "").contains("adapter: news"));
    let summaries = "summarize --offline --model translator.gguf --max-tokens 6 --adapter";
    sandbox.run_with(&format!("{summaries} news"), crate::common::ENGLISH).expect(0, &[]);
    sandbox
        .run_with(&format!("{summaries} nowhere"), crate::common::ENGLISH)
        .expect(1, &["adapter_config.json is missing"]);
}

#[test]
fn a_catalog_has_models_with_a_base_and_an_adapter() {
    use sha2::{Digest, Sha256};
    let sandbox = Sandbox::new();
    let file = |name: &str, path: &Path| {
        let bytes = fs::read(path).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let (size, path) = (bytes.len(), path.display());
        format!(
            "[[model.file]]\npath='{name}'\nsize={size}\nsha256='{hash}'\nsource=[{{kind='folder',path='{path}'}}]\n"
        )
    };
    let model = |id: &str, base: &str, files: &str| {
        format!(
            "[[model]]\nid='{id}'\nname='M'\ntasks=['translate']\nlanguages=['mul']\narchitecture='llama'\nprompt='taught'\n{base}\
             licence={{name='MIT',url='x'}}\n{files}"
        )
    };
    let base = model("tiny", "", &file("model.gguf", &sandbox.path("translator.gguf")));
    let parts = [CONFIG, WEIGHTS].map(|name| file(name, &adapter("llama").join(name))).concat();
    // Small, and a part of the program.
    let hash = "e99eba42fc88d6fd81ed514b3d11a1f738c5f5dbd4002adc42d3dc3b09061f83";
    let taught = format!(
        "[[model.file]]\npath='polygist.json'\nsize=95\nsha256='{hash}'\nsource=[{{kind='builtin',name='gemma-3-270m-news/polygist.json'}}]\n"
    );
    let catalog = base.clone() + &model("tiny-news", "base='tiny'\n", &(parts + &taught));
    let place = if cfg!(target_os = "macos") { "home/Library/Application Support" } else { "home" };
    sandbox.write(&format!("{place}/polygist/models.toml"), &catalog);

    sandbox.run("models pull tiny-news --offline").expect(0, &[]);
    sandbox.run("models verify tiny-news --offline").expect(0, &[]);
    let translate = |flags: &str| {
        format!("translate --offline --lines --from fr --to en --max-tokens 6 {flags}")
    };
    let installed = sandbox.run_with(&translate("--model tiny-news"), FRENCH).expect(0, &[]).stdout;
    copy(&adapter("llama"), &sandbox.path("news"));
    sandbox.write("news/polygist.json", r#"{"taught": true}"#);
    let own = "--model translator.gguf --adapter news";
    assert_eq!(
        installed,
        sandbox
            .run_with(&translate(&format!("{own} --beam 4 --channel-weight 0.3")), FRENCH)
            .expect(0, &[])
            .stdout
    );
    sandbox
        .write("news/polygist.json", r#"{"taught": true, "generation": {"num_beams": 4, "channel_weight": 0.3, "min_confidence": 0.2}}"#);
    assert_eq!(installed, sandbox.run_with(&translate(own), FRENCH).expect(0, &[]).stdout);
    let path = sandbox.path("news");
    let engine = model::open_with(
        "t",
        &sandbox.path("translator.gguf"),
        Some(&path),
        &Runtime::cpu(),
        &mut |_| {},
    )
    .unwrap();
    let defaults = engine.defaults();
    let (weight, least) = (defaults.channel_weight, defaults.min_confidence);
    assert_eq!(engine.capabilities(), [Capability::FineTuned]);
    assert_eq!((defaults.num_beams, weight, least), (4, 0.3, 0.2));
    sandbox
        .run_with(&translate("--model tiny-news --adapter news"), FRENCH)
        .expect(1, &["comes with an adapter of its own"]);

    for (text, says) in [
        (
            catalog.replace("base='tiny'", "base='huge'"),
            "its base \"huge\" is no model of this catalog",
        ),
        (
            catalog.replace("gemma-3-270m-news/polygist.json", "../Cargo.toml"),
            "this program has no such part",
        ),
        (catalog.replace("size=95", "size=96"), "it has 95 bytes, the file 96"),
    ] {
        sandbox.write(&format!("{place}/polygist/models.toml"), &text);
        sandbox.run("models list").expect(1, &["tiny-news", says]);
    }
    // Only the base has to be brought along.
    let builtin_only = base + &model("tiny-news", "base='tiny'\n", &taught);
    sandbox.write(&format!("{place}/polygist/models.toml"), &builtin_only);
    sandbox.run("models rm tiny-news").expect(0, &[]);
    sandbox.run("models import translator.gguf --name tiny-news --offline").expect(0, &[]);
    assert!(sandbox.exists("cache/models/tiny-news/polygist.json"));
}

/// Weights that compute the same, but with one channel of the first layer's attention so large that
/// rounding has little left for the others.
struct Outlier<'a>(&'a dyn Weights);

impl Outlier<'_> {
    const CHANNEL: usize = 5;
    const FACTOR: f32 = 300.0;

    fn factors(width: usize, factor: f32) -> Tensor {
        let factors =
            (0..width).map(|n| if n == Outlier::CHANNEL { factor } else { 1.0 }).collect();
        Tensor::from_vec(factors, width, &Device::Cpu).unwrap()
    }
}

impl Weights for Outlier<'_> {
    fn model(&self) -> &str {
        self.0.model()
    }

    fn has(&self, name: &str) -> bool {
        self.0.has(name)
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let weight = self.0.get(name)?;
        let width = weight.dims()[weight.rank() - 1];
        let factor = match name.strip_prefix("model.layers.0.") {
            Some("input_layernorm.weight") => Outlier::FACTOR,
            Some(
                "self_attn.q_proj.weight" | "self_attn.k_proj.weight" | "self_attn.v_proj.weight",
            ) => 1.0 / Outlier::FACTOR,
            _ => return Ok(weight),
        };
        Ok(weight.broadcast_mul(&Outlier::factors(width, factor))?)
    }
}

#[test]
fn smoothing_changes_nothing_but_what_rounding_costs() {
    let written: Vec<u32> = (3..40).collect();
    let worst =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    for (family, inputs) in [("llama", [48, 48, 96]), ("gemma3", [40, 40, 64])] {
        let folder = fixture("models").join(family);
        let (config, weights) = open_folder(&folder).unwrap();
        let (gguf_config, gguf) = Gguf::open(&folder.join("model.gguf")).unwrap();
        let load = |config: &Config,
                    weights: &dyn Weights,
                    smoothing: &HashMap<String, Tensor>,
                    precision| {
            let smoothing = smoothing.clone().into_iter().collect();
            let adapted =
                arch::adapt(config, weights, AdapterDelta { smoothing, ..AdapterDelta::default() })
                    .unwrap();
            logits(
                &*arch::load(config, &adapted, &Backend::new(Device::Cpu, precision)).unwrap(),
                &[],
                &written,
            )
        };
        // Every input that can be smoothed, by powers of two.
        let mut all = HashMap::new();
        let divisors = |width: usize| {
            Tensor::from_vec(
                (0..width).map(|n| [0.5f32, 1.0, 2.0][n % 3]).collect(),
                width,
                &Device::Cpu,
            )
            .unwrap()
        };
        for layer in 0..json(folder.join("config.json"))["num_hidden_layers"].as_u64().unwrap() {
            for (module, width) in
                ["self_attn.q_proj", "mlp.gate_proj", "mlp.down_proj"].iter().zip(inputs)
            {
                all.insert(format!("model.layers.{layer}.{module}"), divisors(width));
            }
        }
        all.insert("model.embed_tokens".into(), divisors(inputs[0]));
        for (config, weights) in [(&config, &*weights), (&gguf_config, &gguf as &dyn Weights)] {
            let exact = load(config, weights, &HashMap::new(), Precision::F32);
            assert_eq!(
                exact,
                load(config, weights, &all, Precision::F32),
                "{family}: nothing is rounded, and nothing smoothed"
            );
            let range = exact.iter().copied().fold(0.0, f32::max)
                - exact.iter().copied().fold(0.0, f32::min);
            let (plain, smoothed) = (
                load(config, weights, &HashMap::new(), Precision::Int8),
                load(config, weights, &all, Precision::Int8),
            );
            assert_ne!(plain, smoothed);
            assert!(
                worst(&exact, &smoothed) < 0.1 * range,
                "{family}: {} of {range}",
                worst(&exact, &smoothed)
            );
        }

        if family == "llama" {
            // What is said of one channel gives the others their scale back.
            let outlier = Outlier(&*weights);
            let exact = load(&config, &outlier, &HashMap::new(), Precision::F32);
            let smoothing = HashMap::from([(
                "model.layers.0.self_attn.q_proj".into(),
                Outlier::factors(48, Outlier::FACTOR),
            )]);
            let (plain, smoothed) = (
                worst(&exact, &load(&config, &outlier, &HashMap::new(), Precision::Int8)),
                worst(&exact, &load(&config, &outlier, &smoothing, Precision::Int8)),
            );
            assert!(smoothed < 0.5 * plain, "{smoothed} with smoothing, {plain} without");
        }
        let refused = |name: &str, width: usize| {
            let changes = AdapterDelta {
                smoothing: [(name.to_string(), divisors(width))].into(),
                ..AdapterDelta::default()
            };
            let adapted = match arch::adapt(&config, &*weights, changes) {
                Ok(adapted) => adapted,
                Err(e) => return e.to_string(),
            };
            arch::load(&config, &adapted, &Backend::new(Device::Cpu, Precision::Int8))
                .err()
                .expect("it is refused")
                .to_string()
        };
        assert!(
            refused("model.layers.0.self_attn.q_proj", 47).contains("is for 47 inputs, and it has")
        );
        assert!(
            refused("model.layers.77.self_attn.q_proj", 48).contains("there is no weight here")
        );
    }

    let dir = tempfile::tempdir().unwrap();
    copy(&adapter("llama"), dir.path());
    let path = dir.path().join("smoothing.safetensors");
    for (values, usable) in [
        (vec![1.0f32, 0.5], true),
        (vec![1.0, 0.0], false),
        (vec![-1.0], false),
        (vec![f32::NAN], false),
    ] {
        let tensor = Tensor::new(values.as_slice(), &Device::Cpu).unwrap();
        candle_core::safetensors::save(
            &HashMap::from([("model.layers.0.mlp.down_proj", tensor)]),
            &path,
        )
        .unwrap();
        match Adapter::open(dir.path()) {
            Ok(adapter) => {
                assert!(usable, "{values:?}");
                assert_eq!(adapter.changes.smoothing.len(), 1, "{values:?}");
            }
            Err(e) => {
                assert!(!usable, "{values:?}: {e}");
                assert!(e.to_string().contains("a list of numbers above 0"), "{values:?}: {e}");
            }
        }
    }
    fs::write(&path, b"no tensors").unwrap();
    assert!(Adapter::open(dir.path()).err().unwrap().to_string().contains("smoothing.safetensors"));
}

#[test]
fn a_shortlist_bounds_what_is_written_and_what_is_summed_up() {
    let model = fixture("models/llama/model.gguf");
    let folder = tempfile::tempdir().unwrap();
    copy(&adapter("llama"), folder.path());
    let open = |lists: Value| {
        fs::write(folder.path().join("shortlist.json"), lists.to_string()).unwrap();
        model::open_with(
            "llama",
            &model,
            Some(folder.path()),
            &Runtime { threads: 1, ..Runtime::cpu() },
            &mut |_| {},
        )
    };
    let engine = open(json!({})).unwrap();
    let size = engine.vocabulary_size();
    let list = |tokens: &[u32]| {
        let mut bits = vec![0u8; size.div_ceil(8)];
        tokens.iter().for_each(|token| bits[*token as usize / 8] |= 1 << (token % 8));
        json!({"fr": base64::engine::general_purpose::STANDARD.encode(bits)})
    };
    let request = |shortlist: bool| {
        let options = DecodingOptions {
            language: Lang::parse("fr"),
            shortlist,
            max_tokens: 12,
            num_beams: 2,
            ..DecodingOptions::default()
        };
        Request { prompt: FRENCH.into(), options, ..Request::default() }
    };
    let ids = |engine: &Engine, shortlist: bool| {
        engine.generate(&[request(shortlist)], &|_, _| true).unwrap().remove(0).ids
    };
    let score = |engine: &Engine, text: &str| {
        engine.score(&[(&request(true), text)], &|_| true).unwrap()[0]
    };

    let free = ids(&engine, true);
    assert_eq!(free, ids(&engine, false), "there is no list");
    // Every other token that was written, and some more.
    let listed: Vec<u32> = free.iter().step_by(2).copied().chain(60..90).collect();
    let bounded = open(list(&listed)).unwrap();
    assert_eq!(ids(&bounded, false), free);
    let written = ids(&bounded, true);
    // Bytes are always there: with them any word can be written.
    let pieces = Tokenizer::from_gguf(&Gguf::open(&model).unwrap().0, "llama").unwrap().pieces();
    let is_byte =
        |id: &u32| pieces.iter().any(|(other, piece)| other == id && *piece == Piece::Bytes);
    assert_ne!(written, free, "{written:?} of {listed:?}");
    assert!(
        written.iter().all(|id| listed.contains(id) || is_byte(id)),
        "{written:?} of {listed:?}"
    );

    // A text is the likelier the fewer others there are, and has a probability whether its tokens
    // are listed or not.
    let all: Vec<u32> = (0..size as u32).collect();
    let complete = open(list(&all)).unwrap();
    for text in ["Le pont est ouvert.", "x"] {
        assert_eq!(score(&complete, text), score(&engine, text));
        assert!(score(&bounded, text) > score(&engine, text));
        assert!(score(&bounded, text) <= 0.0);
    }

    let wrong = [
        (json!({"fr": "!"}), "should be a text in base64"),
        (json!({"fr": "AAAA"}), "3 bytes, and"),
        (json!(["fr"]), "should be an object"),
    ];
    for (lists, why) in wrong {
        let error = open(lists).err().unwrap().to_string();
        assert!(error.contains("shortlist"), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_taught_model_is_asked_without_examples_at_first() {
    let segment = Segment::new(FRENCH.trim(), Lang::parse("fr").unwrap(), Lang::en());
    for taught in [false, true] {
        let stub = Stub::taught(taught);
        let given = translate::Settings::default();
        translate::translate(&[&stub], std::slice::from_ref(&segment), &given, &|_| true).unwrap();
        let mut examples: Vec<usize> =
            stub.asked().iter().map(|request| request.prefix.matches("\n\n").count()).collect();
        examples.dedup();
        // A copy of the source is rejected each time; the second way has other examples than the
        // first.
        assert_eq!(examples, if taught { vec![0, 4, 0] } else { vec![8, 4] }, "taught: {taught}");
    }
}
