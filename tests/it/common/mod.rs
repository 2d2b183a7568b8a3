//! The program as a user runs it, in a folder of its own: no network, nobody's configuration, tiny
//! models whose text is nonsense. And what several tests ask a model.

mod fixtures;
mod models;
mod stub;

pub use fixtures::{fixture, fixtures, json};
pub use models::{batches, cpu, engine, load, log_probabilities, logits, next_logits};
pub use stub::Stub;

use polygist::types::Record;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// The tiny models, as they lie in every [`Sandbox`].
pub const TRANSLATOR: &str = "--offline --model translator.gguf";
pub const MODELS: &str = "--offline --model translator.gguf --summary-model writer.gguf";

/// A folder with the tiny models in it; commands run there.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        let sandbox = Sandbox { dir: tempfile::tempdir().unwrap() };
        fs::copy(fixture("models/llama/model.gguf"), sandbox.path("translator.gguf")).unwrap();
        fs::copy(fixture("models/gemma3/model.gguf"), sandbox.path("writer.gguf")).unwrap();
        sandbox
    }

    /// A sandbox with these files in it.
    pub fn with<const N: usize>(files: [(&str, &str); N]) -> Sandbox {
        let sandbox = Sandbox::new();
        files.iter().for_each(|(name, text)| sandbox.write(name, text));
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The program with the words of `line` as its arguments.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polygist"));
        command.args(line.split_whitespace()).current_dir(self.dir.path());
        for variable in [
            "HOME",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "HF_HOME",
        ] {
            command.env(variable, self.path("home"));
        }
        command.env("POLYGIST_CACHE", self.path("cache"));
        // No test may ask Mozilla, the Hub or a registry of packages: there is no such folder,
        // nobody listens there, and pip looks nowhere.
        command.env("POLYGIST_FIREFOX_MODELS", self.path("no-mirror"));
        command.env("HF_ENDPOINT", "http://127.0.0.1:1").env("PIP_NO_INDEX", "1");
        command.env_remove("COLUMNS");
        command
    }

    pub fn run(&self, line: &str) -> Outcome {
        self.run_with(line, "")
    }

    pub fn run_with(&self, line: &str, input: &str) -> Outcome {
        self.finish(line, self.command(line), input)
    }

    /// Runs the program with these variables in its environment.
    pub fn run_in(&self, line: &str, variables: &[(&str, String)]) -> Outcome {
        let mut command = self.command(line);
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        self.finish(line, command, "")
    }

    fn finish(&self, line: &str, command: Command, input: &str) -> Outcome {
        let output = assert_cmd::Command::from_std(command)
            .write_stdin(input)
            .timeout(Duration::from_secs(120))
            .output()
            .unwrap();
        Outcome {
            line: line.into(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The records of an output folder, in the order of `results.jsonl`.
    pub fn records(&self, out: &str) -> Vec<Record> {
        parse(&self.read(&format!("{out}/results.jsonl")))
    }

    /// Names below a folder, with `/`, and when each was written. What begins with a dot is left
    /// out.
    pub fn files(&self, folder: &str) -> BTreeMap<String, SystemTime> {
        let mut files = BTreeMap::new();
        let root = self.path(folder);
        for entry in walkdir::WalkDir::new(&root)
            .into_iter()
            .map(Result::unwrap)
            .filter(|e| e.file_type().is_file())
        {
            let name =
                entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            if !entry.file_name().to_string_lossy().starts_with('.') {
                files.insert(name, entry.metadata().unwrap().modified().unwrap());
            }
        }
        files
    }

    /// Waits until a running batch has written so many records.
    pub fn wait_for_records(&self, out: &str, number: usize) {
        let begun = Instant::now();
        let written = || {
            fs::read_to_string(self.path(out).join("results.jsonl"))
                .map_or(0, |text| text.matches('\n').count())
        };
        while written() < number {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "no {number} records within a minute"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Records, one a line.
pub fn parse(lines: &str) -> Vec<Record> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// What must be the same in two runs: everything but the time it took.
pub fn timeless(mut records: Vec<Record>) -> Vec<Record> {
    records.iter_mut().for_each(|record| record.stats.seconds = 0.0);
    records
}

pub struct Outcome {
    line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Checks the exit code, and that standard error says all of this.
    #[track_caller]
    pub fn expect(self, code: i32, says: &[&str]) -> Outcome {
        let Outcome { line, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "polygist {line}\n{stdout}\n{stderr}");
        assert!(!stderr.contains("panicked"), "polygist {line}\n{stderr}");
        for says in says {
            assert!(stderr.contains(says), "polygist {line}\nexpected: {says}\nfound: {stderr}");
        }
        self
    }
}

pub const FRENCH: &str =
    "La rivière est montée de 40 centimètres lundi. La ville a fermé son plus vieux pont.\n";
pub const GERMAN: &str =
    "Der Fluss stieg am Montag um 40 Zentimeter. Die Stadt schloss ihre älteste Brücke.\n";
pub const RUSSIAN: &str =
    "В понедельник вода в реке поднялась на 40 сантиметров. Город закрыл свой самый старый мост.\n";
pub const SPANISH: &str =
    "El río subió 40 centímetros el lunes. La ciudad cerró su puente más antiguo.\n";
pub const ITALIAN: &str =
    "Lunedì il fiume è salito di 40 centimetri. La città ha chiuso il suo ponte più antico.\n";
pub const JAPANESE: &str = "月曜日に川の水位が四十センチ上がった。市は最も古い橋を閉鎖した。\n";
pub const ENGLISH: &str =
    "The river rose by 40 centimetres on Monday. The town closed its oldest bridge.\n";

/// A JSON array of token ids.
pub fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}
