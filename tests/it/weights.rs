//! What a model's files lack is told at once, and so is what they hold besides; published models
//! cause neither.

use crate::common::{Sandbox, cpu, fixture, fixtures};
use candle_core::{DType, Device, Tensor};
use polygist::error::Result;
use polygist::generate::Engine;
use polygist::kernel::Precision;
use polygist::model;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A model and the warnings that came with it.
fn open(path: &Path) -> Result<(Engine, Vec<String>)> {
    let mut warnings = Vec::new();
    let runtime = cpu(Precision::F32, 1);
    let engine = model::open_with("model", path, None, &runtime, &mut |text| {
        warnings.push(text.to_string())
    })?;
    Ok((engine, warnings))
}

/// A folder with a family's files, the weights changed.
fn changed(from: &Path, to: &Path, change: impl FnOnce(&mut HashMap<String, Tensor>)) {
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        if !entry.ends_with("model.safetensors") {
            fs::copy(&entry, to.join(entry.file_name().unwrap())).unwrap();
        }
    }
    let mut tensors =
        candle_core::safetensors::load(from.join("model.safetensors"), &Device::Cpu).unwrap();
    change(&mut tensors);
    candle_core::safetensors::save(&tensors, to.join("model.safetensors")).unwrap();
}

#[test]
fn what_fits_is_opened_without_a_word() {
    let gguf =
        fixtures("gguf").into_iter().filter(|path| !path.to_string_lossy().contains("tokenizer"));
    let decoders =
        fixtures("models").into_iter().flat_map(|folder| [folder.join("model.gguf"), folder]);
    let all: Vec<PathBuf> = fixtures("seq2seq").into_iter().chain(gguf).chain(decoders).collect();
    assert!(all.len() > 20, "{all:?}");
    for path in all {
        let (_, warnings) =
            open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(warnings.is_empty(), "{}: {warnings:?}", path.display());
    }
}

#[test]
fn weights_that_are_not_used_are_told_but_for_those_that_many_files_have() {
    let dir = tempfile::tempdir().unwrap();
    changed(&fixture("seq2seq/bart"), dir.path(), |tensors| {
        let some = || Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
        for name in [
            "lm_head.weight",
            "model.encoder.embed_tokens.weight",
            "model.decoder.version",
            "model.encoder.embed_positions._float_tensor",
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
            "model.layers.0.self_attn.rotary_emb.inv_freq",
            "model.encoder.position_ids",
        ] {
            tensors.insert(name.into(), some());
        }
    });
    assert!(open(dir.path()).unwrap().1.is_empty());
    changed(&fixture("seq2seq/bart"), dir.path(), |tensors| {
        let layer = |name: &String| {
            name.contains("encoder.layers.0.").then(|| name.replace("layers.0", "layers.7"))
        };
        let more: Vec<(String, Tensor)> =
            tensors.iter().filter_map(|(name, t)| Some((layer(name)?, t.clone()))).collect();
        assert_eq!(more.len(), 16);
        tensors.extend(more);
    });
    let (_, warnings) = open(dir.path()).unwrap();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    let place = dir.path().display().to_string();
    assert!(warning.starts_with("16 weights of "), "{warning}");
    assert!(warning.contains(&place), "{warning}");
    assert!(warning.ends_with("and 8 more"), "{warning}");
    assert!(
        warning.contains(
            "not used: model.encoder.layers.7.fc1.bias, model.encoder.layers.7.fc1.weight, "
        ),
        "{warning}"
    );

    // The program says it too.
    let dir = tempfile::tempdir().unwrap();
    changed(&fixture("models/llama"), dir.path(), |tensors| {
        tensors.insert("stranger".into(), Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap());
    });
    let sandbox = Sandbox::new();
    let line = format!(
        "translate --lines --from fr --to en --device cpu --max-tokens 2 --offline --model {}",
        dir.path().display()
    );
    sandbox.run_with(&line, "Bonjour.\n").expect(0, &["1 weight of ", "is not used: stranger"]);
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let without = |family: &str, lost: &dyn Fn(&str) -> bool| {
        for entry in fs::read_dir(dir.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        changed(&fixture(family), dir.path(), |tensors| tensors.retain(|name, _| !lost(name)));
        open(dir.path()).err().unwrap_or_else(|| panic!("{family} was opened")).to_string()
    };
    for (family, one) in [
        ("seq2seq/marian", "model.decoder.layers.1.encoder_attn.out_proj.bias"),
        ("seq2seq/marian-separate", "model.decoder.embed_tokens.weight"),
        ("seq2seq/t5", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
        ("seq2seq/umt5", "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"),
        (
            "seq2seq/longt5-tglobal",
            "encoder.block.0.layer.0.TransientGlobalSelfAttention.global_relative_attention_bias.weight",
        ),
        ("models/llama", "model.layers.1.mlp.up_proj.weight"),
        ("models/gemma3", "model.layers.2.self_attn.q_norm.weight"),
    ] {
        let error = without(family, &|name| name == one);
        assert!(error.contains(&format!("weight {one} is missing")), "{family}: {error}");
        assert!(error.contains("fetch the model again"), "{family}: {error}");
    }
    let error = without("seq2seq/bart", &|name| name.contains("decoder.layers.1."));
    assert!(error.contains("26 weights are missing: model.decoder.layers.1."), "{error}");
    assert!(error.contains("and 18 more"), "{error}");
    let error = without("models/llama", &|name| name.contains("mlp"));
    assert!(error.contains("weights are missing: model.layers.0.mlp.gate_proj.weight, model.layers.0.mlp.up_proj.weight"), "{error}");
    assert!(error.contains("found "), "{error}");
    assert!(error.contains("model.embed_tokens.weight"), "{error}");
    // Files that say they have millions of layers are no reason to count them all.
    changed(&fixture("seq2seq/t5"), dir.path(), |_| {});
    let config = fs::read_to_string(dir.path().join("config.json")).unwrap();
    let many = config.replace("\"num_layers\": 3", "\"num_layers\": 16000000");
    assert_ne!(many, config);
    fs::write(dir.path().join("config.json"), many).unwrap();
    let error = open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("at least 10000 weights are missing: encoder.block.3."), "{error}");
}
