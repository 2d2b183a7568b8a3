//! Reading weight files: what PyTorch and safetensors wrote (see scripts/fixtures/make_readers.py)
//! comes out as it was, and files that lie about themselves are refused, whatever is changed in
//! them.

use crate::fixtures;
use candle_core::DType;
use polygist::checkpoint::Weights;
use polygist::error::Result;
use polygist::io::weights::{Gguf, open_folder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Expected {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn fixture(name: &str) -> PathBuf {
    fixtures::fixture("readers").join(name)
}

fn expected() -> BTreeMap<String, BTreeMap<String, Expected>> {
    serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap()
}

/// A folder in the Hub's layout, with files under the names given.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("config.json", b"{\"model_type\":\"marian\"}");
        files.iter().for_each(|(name, bytes)| folder.write(name, bytes));
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        rewrite(&self.0.path().join(name), bytes);
    }

    fn open(&self) -> Result<Box<dyn Weights>> {
        open_folder(self.0.path()).map(|(_, weights)| weights)
    }

    #[track_caller]
    fn error(&self) -> String {
        self.open().err().expect("the folder was opened").to_string()
    }
}

/// Writes a file anew: some file systems wait for the disk when one that is there is written over,
/// and thousands are written here.
fn rewrite(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

/// The name that a weight file has in a folder.
fn usual_name(fixture: &str) -> &'static str {
    if fixture.ends_with(".bin") { "pytorch_model.bin" } else { "model.safetensors" }
}

#[track_caller]
fn check(weights: &dyn Weights, expected: &BTreeMap<String, Expected>, at: &str) {
    for (name, expected) in expected {
        let tensor = weights.get(name).unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(
            (tensor.dims(), tensor.dtype()),
            (expected.shape.as_slice(), DType::F32),
            "{at}: {name}"
        );
        assert_eq!(
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            expected.values,
            "{at}: {name}"
        );
    }
}

#[test]
fn tensors_come_out_as_they_were_saved() {
    let expected = expected();
    assert_eq!(expected.len(), 7);
    for (file, tensors) in &expected {
        let folder = Folder::new(&[(usual_name(file), &fs::read(fixture(file)).unwrap())]);
        let weights = folder.open().unwrap();
        check(&*weights, tensors, file);
        let names = weights.names();
        assert!(names.is_sorted(), "{file}: {names:?}");
        assert!(
            tensors.keys().all(|name| names.contains(name) && weights.has(name)),
            "{file}: {names:?}"
        );
        assert!(!weights.has("nothing"));
        assert!(
            weights.get("nothing").unwrap_err().to_string().contains("weight nothing is missing")
        );
        if file.starts_with("mixed") {
            assert_eq!(names.len(), tensors.len() + 2, "{file}: {names:?}");
            let error = weights.get("position_ids").unwrap_err().to_string();
            assert!(error.contains("position_ids"), "{error}");
            assert!(error.contains("expected F32"), "{error}");
            let (embedding, head) = (
                weights.get("embed.weight").unwrap(),
                weights.get_shaped("lm_head.weight", &[6, 4]).unwrap(),
            );
            assert_eq!(embedding.to_vec2::<f32>().unwrap(), head.to_vec2::<f32>().unwrap());
        }
    }
}

#[test]
fn shards_are_read_as_one() {
    let expected = expected();
    for (ending, stem) in [("bin", "pytorch_model"), ("safetensors", "model")] {
        let first = fs::read(fixture(&format!("mixed.{ending}"))).unwrap();
        let second = fs::read(fixture("layer.bin")).unwrap();
        // The second shard of the safetensors model is made here: one tensor of two numbers.
        let header = b"{\"extra\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        let made = [
            &(header.len() as u64).to_le_bytes()[..],
            header,
            &1f32.to_le_bytes(),
            &2f32.to_le_bytes(),
        ]
        .concat();
        let (second, inside) = if ending == "bin" { (second, "0.weight") } else { (made, "extra") };
        let shard = |n: usize| format!("{stem}-{n:05}-of-00002.{ending}");
        let index = format!(
            "{{\"metadata\":{{}},\"weight_map\":{{\"half\":\"{}\",\"embed.weight\":\"{}\",\"{inside}\":\"{}\"}}}}",
            shard(1),
            shard(1),
            shard(2)
        );
        let index_name = format!("{stem}.{ending}.index.json");
        let folder = Folder::new(&[
            (&shard(1), &first),
            (&shard(2), &second),
            (&index_name, index.as_bytes()),
        ]);
        let weights = folder.open().unwrap();
        check(&*weights, &expected[&format!("mixed.{ending}")], ending);
        assert!(weights.has(inside));
        assert!(weights.get(inside).is_ok());
        drop(weights);

        folder.write(&index_name, index.replace(inside, "lost.weight").as_bytes());
        let error = folder.error();
        assert!(error.contains("lost.weight"), "{error}");
        assert!(error.contains(&shard(2)), "{error}");
        for outside in ["../up.bin", "/etc/passwd", "sub/x.bin"] {
            folder.write(&index_name, index.replace(&shard(2), outside).as_bytes());
            assert!(folder.error().contains("expected the name of a file beside it"));
        }
        folder.write(&index_name, b"{\"weight_map\":3}");
        assert!(folder.error().contains("weight_map"));
        folder.write(&index_name, index.as_bytes());
        fs::remove_file(folder.0.path().join(shard(2))).unwrap();
        let error = folder.error();
        assert!(error.contains(&format!("shard {} is missing", shard(2))), "{error}");
        // The list names a shard that the names of the others do not count.
        folder.write(&index_name, index.replace("-of-00002", "-of-00001").as_bytes());
        fs::rename(
            folder.0.path().join(shard(1)),
            folder.0.path().join(shard(1).replace("-of-00002", "-of-00001")),
        )
        .unwrap();
        let error = folder.error();
        assert!(error.contains("is missing"), "{error}");
        assert!(error.contains(&index_name), "{error}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let tensors = fs::read(fixture("mixed.safetensors")).unwrap();
    let folder = Folder::new(&[("tf_model.h5", b"x")]);
    let error = folder.error();
    assert!(error.contains("no weights"), "{error}");
    assert!(error.contains("tf_model.h5"), "{error}");
    folder.write("model.gguf", b"GGUF");
    assert!(folder.error().contains("name that file"));
    folder.write("model.safetensors", &tensors);
    assert!(folder.open().is_ok());
    folder.write("config.json", b"{");
    assert!(folder.error().contains("config.json is not JSON"));
    fs::remove_file(folder.0.path().join("config.json")).unwrap();
    assert!(folder.error().contains("config.json"));
}

#[test]
fn safetensors_are_preferred_to_pickles() {
    let tensors = fs::read(fixture("mixed.safetensors")).unwrap();
    let pickle = fs::read(fixture("bad-calls.bin")).unwrap();
    let folder = Folder::new(&[("pytorch_model.bin", &pickle), ("model.safetensors", &tensors)]);
    assert!(folder.open().unwrap().has("half"));
}

#[test]
fn files_that_lie_about_themselves_are_refused() {
    let cases = [
        ("bad-calls.bin", "posix.system"),
        ("bad-calls-old.bin", "posix.system"),
        ("bad-beyond.bin", "does not fit"),
        ("bad-offset.bin", "ends beyond"),
        ("bad-stride.bin", "ends beyond"),
        ("bad-expanded.bin", "does not fit"),
        ("bad-product.bin", "does not fit"),
        ("bad-negative.bin", "not made of sizes"),
        ("bad-count.bin", "should have 1152921504606846976 numbers"),
        ("bad-missing.bin", "storage 1 is missing"),
        ("bad-upward.bin", "storage ../../0 is missing"),
        ("bad-bomb.bin", "compressed"),
        ("bad-text.bin", "ends in the middle"),
        ("bad-long.bin", "no tensors with names"),
        ("bad-short-arguments.bin", "not of the form"),
        ("bad-length.safetensors", "header would have 4611686018427387904 bytes"),
        ("bad-cut.safetensors", "cut off"),
        ("bad-overlap.safetensors", "where 16 should be its beginning"),
        ("bad-hole.safetensors", "where 16 should be its beginning"),
        ("bad-rest.safetensors", "damaged"),
        ("bad-size.safetensors", "do not make the shape [3, 3]"),
        ("bad-product.safetensors", "do not make the shape"),
        ("bad-dtype.safetensors", "F33"),
        ("bad-twice.safetensors", "listed twice"),
        ("bad-text.safetensors", "cannot be read"),
    ];
    for (file, why) in cases {
        let error = Folder::new(&[(usual_name(file), &fs::read(fixture(file)).unwrap())]).error();
        assert!(error.contains(why), "{file}: expected {why}, found {error}");
        assert!(error.contains(usual_name(file)), "{file}: expected {why}, found {error}");
    }
    assert!(!Path::new("pickle-was-run").exists());
    // Every bad file is in the list.
    let listed = fs::read_dir(fixture(""))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("bad-"));
    assert_eq!(listed.count(), cases.len());
    for (bytes, why) in [
        (&b""[..], "no file of torch.save"),
        (b"PK\x03\x04", "directory"),
        (b"\x80\x02}.", "no file of torch.save"),
    ] {
        let error = Folder::new(&[("pytorch_model.bin", bytes)]).error();
        assert!(error.contains(why), "{error}");
    }
}

/// Numbers that are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    /// Changes a few places: other bytes, great numbers, pieces copied elsewhere, taken out or cut
    /// off.
    fn mutate(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            let length = (1 + self.below(16)).min(bytes.len() - at);
            match self.below(8) {
                _ if bytes.is_empty() => break,
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.below(256) as u8,
                2 => bytes[at..at + length].fill(0xff),
                3 => bytes[at..at + length].fill(0),
                4 => {
                    let to = self.below(bytes.len());
                    let piece: Vec<u8> = bytes[at..at + length].to_vec();
                    bytes.splice(to..to, piece);
                }
                5 => drop(bytes.drain(at..at + length)),
                6 => bytes[at..at + length].iter_mut().for_each(|b| *b = b.wrapping_add(1)),
                _ if self.below(4) == 0 => bytes.truncate(at),
                _ => bytes[at] = b"\x80cqrRXJtQ\x85\x86\x87hjsu}db.]Gae\x8a"[self.below(25)],
            }
        }
        bytes
    }
}

/// The most address space that this process has ever had, in bytes; `None` where the system does
/// not say.
pub(crate) fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmPeak:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Opens each of many changed copies of a file and reads whatever it then says that it has. The
/// files have a few kilobytes; a reader that believes one of their sizes takes gigabytes, or more
/// than there is.
fn torment(
    whole: &[u8],
    rounds: usize,
    seed: u64,
    mut open: impl FnMut(&[u8]) -> Result<Box<dyn Weights>>,
) {
    const BOUND: u64 = 512 << 20;
    let mut dice = Dice(seed);
    let before = peak();
    let mut opened = 0;
    for _ in 0..rounds {
        let bytes = dice.mutate(whole);
        if let Ok(weights) = open(&bytes) {
            opened += 1;
            for name in weights.names() {
                if let Ok(tensor) = weights.get(&name) {
                    assert!(
                        tensor.elem_count() <= bytes.len(),
                        "{name} has more numbers than its file bytes"
                    );
                }
            }
        }
    }
    // Some changes do no harm, most do: otherwise nothing was tried.
    assert!(opened > rounds / 100 && opened < rounds, "{opened} of {rounds}");
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < BOUND, "{} bytes more", after - before);
    }
}

/// How many changed copies of each file are tried; `POLYGIST_FUZZ_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("POLYGIST_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4000)
}

fn torment_folder(file: &str, seed: u64) {
    let folder = Folder::new(&[]);
    torment(&fs::read(fixture(file)).unwrap(), rounds(), seed, |bytes| {
        folder.write(usual_name(file), bytes);
        folder.open()
    });
}

#[test]
fn changed_safetensors_do_no_harm() {
    torment_folder("mixed.safetensors", 0x5eed_0001);
}

#[test]
fn changed_pytorch_files_do_no_harm() {
    torment_folder("mixed.bin", 0x5eed_0002);
    torment_folder("layer.bin", 0x5eed_0003);
}

#[test]
fn changed_pytorch_files_of_the_old_form_do_no_harm() {
    torment_folder("mixed-old.bin", 0x5eed_0004);
    torment_folder("nested-old.bin", 0x5eed_0005);
}

/// A GGUF file with every type of metadata and two tensors.
fn small_gguf() -> Vec<u8> {
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    let string = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let entry = |out: &mut Vec<u8>, key: &str, kind: u32, value: &[u8]| {
        string(out, key);
        out.extend(kind.to_le_bytes());
        out.extend(value);
    };
    out.extend(2u64.to_le_bytes());
    out.extend(16u64.to_le_bytes());
    entry(&mut out, "general.architecture", 8, &[&5u64.to_le_bytes()[..], b"llama"].concat());
    entry(&mut out, "general.alignment", 4, &32u32.to_le_bytes());
    for (kind, width) in [
        (0u32, 1usize),
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 4),
        (5, 4),
        (6, 4),
        (7, 1),
        (10, 8),
        (11, 8),
        (12, 8),
    ] {
        entry(&mut out, &format!("a.{kind}"), kind, &vec![1; width]);
    }
    let array = |kind: u32, length: u64, rest: &[u8]| {
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), rest].concat()
    };
    entry(&mut out, "a.bytes", 9, &array(0, 5, b"abcde"));
    entry(
        &mut out,
        "a.strings",
        9,
        &array(8, 2, &[&1u64.to_le_bytes()[..], b"x", &2u64.to_le_bytes(), b"yz"].concat()),
    );
    entry(&mut out, "a.arrays", 9, &array(9, 1, &array(4, 2, &[7; 8])));
    for (name, kind, offset) in [("plain", 0u32, 0u64), ("packed", 8, 256)] {
        string(&mut out, name);
        out.extend(2u32.to_le_bytes());
        out.extend([32u64.to_le_bytes(), 2u64.to_le_bytes()].concat());
        out.extend(kind.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.extend((0..64u8).flat_map(|n| f32::from(n).to_le_bytes()));
    out.extend(vec![3; 2 * 34]);
    out
}

#[test]
fn changed_gguf_files_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    let whole = small_gguf();
    let open = |bytes: &[u8]| {
        rewrite(&path, bytes);
        Gguf::open(&path).map(|(_, gguf)| Box::new(gguf) as Box<dyn Weights>)
    };
    let weights = open(&whole).unwrap();
    assert_eq!(weights.names(), ["packed", "plain"]);
    assert_eq!(weights.get("plain").unwrap().to_vec2::<f32>().unwrap()[1][31], 63.0);
    torment(&whole, 2 * rounds(), 0x5eed_0006, open);
}

#[test]
fn what_candle_would_stumble_over_in_gguf_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    let whole = small_gguf();
    let at = |text: &str| {
        whole.windows(text.len()).position(|w| w == text.as_bytes()).unwrap() + text.len()
    };
    let with = |place: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[place..place + bytes.len()].copy_from_slice(bytes);
        changed
    };
    for (bytes, why) in [
        (with(at("general.alignment") + 4, &[0; 4]), "alignment"),
        (with(at("general.alignment") + 4, &[3, 0, 0, 0]), "alignment"),
        (with(at("plain") + 4, &[0; 8]), "no elements"),
        (with(at("plain") + 4, &[0xff; 8]), "ends beyond"),
        (with(at("plain"), &9u32.to_le_bytes()), "9 dimensions"),
        (with(at("a.bytes") + 8, &(1u64 << 40).to_le_bytes()), "more than 4194304 values"),
        (with(at("a.strings") + 16, &u64::MAX.to_le_bytes()), "header ends beyond"),
        (with(8, &u64::MAX.to_le_bytes()), "not a readable GGUF"),
        (with(16, &u64::MAX.to_le_bytes()), "not a readable GGUF"),
        (with(4, &[9]), "version 9"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error =
            Gguf::open(&path).err().unwrap_or_else(|| panic!("{why}: it was opened")).to_string();
        assert!(error.contains(why), "{why}: {error}");
        assert!(error.contains("model.gguf"), "{why}: {error}");
    }
}
