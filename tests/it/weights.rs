//! What a model's files lack is told at once, and so is what they hold besides; published models
//! cause neither.

use crate::common::{Sandbox, cpu, fixture, fixtures, json, load, logits};
use candle_core::{DType, Device, Tensor};
use polygist::checkpoint::Config;
use polygist::error::Result;
use polygist::generate::Engine;
use polygist::kernel::Precision;
use polygist::model;
use polygist::token::Tokenizer;
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
        let shared = tensors["model.shared.weight"].clone();
        tensors.insert("lm_head.weight".into(), shared);
        for name in [
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

/// The logits of a family's model after a few tokens, its weights and its configuration changed.
fn logits_of(
    family: &str,
    tied: Option<bool>,
    change: &dyn Fn(&mut HashMap<String, Tensor>),
) -> Result<(Vec<f32>, Vec<String>)> {
    let dir = tempfile::tempdir().unwrap();
    changed(&fixture(family), dir.path(), change);
    let mut config = json(dir.path().join("config.json"));
    if let Some(tied) = tied {
        config["tie_word_embeddings"] = tied.into();
    }
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    let (_, warnings) = open(dir.path())?;
    Ok((logits(&*load(dir.path(), Precision::F32), &[5, 9, 7], &[3, 8]), warnings))
}

const HEAD: &str = "lm_head.weight";

#[test]
fn an_embedding_that_is_left_out_or_repeated_is_the_same_model() {
    for (family, embedding, others) in [
        ("models/llama", "model.embed_tokens.weight", &[][..]),
        ("models/gemma3", "model.embed_tokens.weight", &[]),
        ("seq2seq/t5", "shared.weight", &["encoder.embed_tokens.weight"]),
        ("seq2seq/umt5", "shared.weight", &["decoder.embed_tokens.weight"]),
        (
            "seq2seq/bart",
            "model.shared.weight",
            &["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"],
        ),
        ("seq2seq/m2m100", "model.shared.weight", &["model.decoder.embed_tokens.weight"]),
        ("seq2seq/marian", "model.shared.weight", &["model.encoder.embed_tokens.weight"]),
        ("seq2seq/mbart", "model.shared.weight", &["model.encoder.embed_tokens.weight"]),
        ("seq2seq/pegasus", "model.shared.weight", &["model.encoder.embed_tokens.weight"]),
        ("seq2seq/led", "led.shared.weight", &["led.encoder.embed_tokens.weight"]),
        ("seq2seq/marian-separate-tied", "model.decoder.embed_tokens.weight", &[]),
    ] {
        let (expected, _) = logits_of(family, Some(true), &|_| {}).unwrap();
        for &name in [HEAD].iter().chain(others) {
            for keep in [true, false] {
                let (found, warnings) = logits_of(family, Some(true), &|tensors| {
                    let table = tensors[embedding].clone();
                    tensors.insert(name.into(), table);
                    if !keep {
                        tensors.remove(embedding);
                    }
                })
                .unwrap_or_else(|error| panic!("{family} {name} {keep}: {error}"));
                assert!(found == expected, "{family} {name} {keep}");
                assert!(warnings.is_empty(), "{family} {name} {keep}: {warnings:?}");
            }
        }
        // Another matrix is another output layer, whatever the configuration says.
        let other = |tensors: &mut HashMap<String, Tensor>| {
            let table = (tensors[embedding].to_dtype(DType::F32).unwrap() * 2.0).unwrap();
            tensors.insert(HEAD.into(), table);
        };
        let (own, _) = logits_of(family, Some(true), &other).unwrap();
        assert!(own != expected, "{family}");
    }
}

#[test]
fn an_output_layer_that_is_lost_is_told() {
    for family in ["models/llama", "models/gemma3", "seq2seq/bart", "seq2seq/marian-separate-tied"]
    {
        let error = logits_of(family, Some(false), &|tensors| drop(tensors.remove(HEAD)));
        let error = error.err().unwrap_or_else(|| panic!("{family} was opened")).to_string();
        for part in ["weight lm_head.weight is missing", "tie_word_embeddings", "fetch"] {
            assert!(error.contains(part), "{family}: {error}");
        }
    }
    // `transformers` writes T5 so, and loads it so.
    for family in ["seq2seq/mt5", "seq2seq/flan-t5"] {
        let (_, warnings) =
            logits_of(family, Some(false), &|tensors| drop(tensors.remove(HEAD))).unwrap();
        assert!(
            warnings.iter().any(|warning| warning.contains("no lm_head.weight")),
            "{family}: {warnings:?}"
        );
    }
}

#[test]
fn what_stands_in_for_a_file_is_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 12345\n";
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>";
    for (from, file) in [
        ("models/llama", "model.safetensors"),
        ("models/llama", "tokenizer.json"),
        ("models/llama", "config.json"),
        ("models/llama", "model.gguf"),
        ("seq2seq/bart", "pytorch_model.bin"),
        ("tokenizers/marian", "source.spm"),
        ("tokenizers/marian", "vocab.json"),
        ("tokenizers/t5", "spiece.model"),
        ("bergamot/firefox", ".bin"),
        ("bergamot/firefox", ".spm"),
    ] {
        for (bytes, parts) in [
            (pointer, ["Git-LFS pointer to a file of 12345 bytes", "git lfs pull"]),
            (page, ["web page (\"Sign in\")", "fetch the model again"]),
            (
                "{\"error\": \"Invalid credentials\"}",
                ["\"Invalid credentials\"", "fetch the model"],
            ),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let mut target = dir.path().join(file);
            for entry in fs::read_dir(fixture(from)).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.file_name().unwrap().to_str().unwrap().to_string();
                let student = name.starts_with("model.") || name.contains("srcvocab");
                if file.starts_with('.') && name.ends_with(file) && student {
                    target = dir.path().join(&name);
                }
                if !(name.ends_with("safetensors") && file.ends_with(".bin")) && entry.is_file() {
                    fs::copy(&entry, dir.path().join(name)).unwrap();
                }
            }
            fs::write(&target, bytes).unwrap();
            let error = if from.starts_with("tokenizers") {
                let config = Config::Json(json(dir.path().join("config.json")));
                Tokenizer::from_folder(dir.path(), &config).err().map(|error| error.to_string())
            } else {
                let path = if file.ends_with("gguf") { &target } else { dir.path() };
                open(path).err().map(|error| error.to_string())
            };
            let error = error.unwrap_or_else(|| panic!("{from}/{file} {bytes:?} was opened"));
            for part in parts {
                assert!(error.contains(part), "{from}/{file} {bytes:?}: {error}");
            }
            let name = target.file_name().unwrap().to_str().unwrap();
            assert!(error.contains(name), "{from}/{file} {bytes:?}: {error}");
        }
    }
}
