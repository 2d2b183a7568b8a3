//! The machine's own pip, so that its mirrors, proxies and certificates apply.

use super::job::{Failure, Job};
use super::options::FetchOptions;
use crate::error::Error;
use crate::io::catalog::WheelPart;
use crate::io::files::{create_dir, discard, disk, size_below};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Bytes of pip's own output that are kept for the error message.
const WORDS: u64 = 2000;

/// Downloads one wheel into the job's work folder and returns its path; `arrived` hears the bytes
/// on the disk.
pub(super) fn download(
    pip: &[String],
    part: &WheelPart,
    job: &Job<'_>,
    arrived: &dyn Fn(u64),
) -> Result<PathBuf, Failure> {
    discard(&job.work)?;
    let (wheels, scratch) = (job.work.join("wheels"), job.work.join("tmp"));
    create_dir(&wheels)?;
    create_dir(&scratch)?;
    let words = job.work.join("pip.log");
    let mut command = command(pip, &scratch);
    command
        .args([
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--ignore-requires-python",
            "--no-input",
        ])
        .args(["--disable-pip-version-check", "--progress-bar", "off", "--dest"])
        .arg(&wheels)
        .arg(format!("{}=={}", part.package, part.version));
    // To a file: a pipe that nobody empties would hold pip up.
    let log = File::create(&words).map_err(disk("writing", &words))?;
    command
        .stderr(Stdio::from(log.try_clone().map_err(disk("writing", &words))?))
        .stdout(Stdio::from(log));
    let status = run(&mut command, job, &mut || arrived(size_below(&job.work)))
        .map_err(|e| e.or_source("pip could not be started"))?;
    let wheel = fs::read_dir(&wheels).ok().and_then(|entries| {
        entries.flatten().map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "whl"))
    });
    match wheel {
        Some(wheel) if status.success() => Ok(wheel),
        _ => {
            let said = last_words(&words);
            Err(Failure::Source(format!(
                "`{} download {}=={}` failed ({status}): {said}",
                pip.join(" "),
                part.package,
                part.version
            )))
        }
    }
}

/// The first command of the list that answers.
pub(super) fn find<'a>(options: &'a FetchOptions, job: &Job<'_>) -> Result<&'a [String], Failure> {
    let scratch = job.work.join("tmp");
    create_dir(&scratch)?;
    for pip in &options.pip {
        if pip.is_empty() {
            continue;
        }
        let mut version = command(pip, &scratch);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        match run(&mut version, job, &mut || ()) {
            Ok(status) if status.success() => return Ok(pip),
            Err(Trouble::Stopped) => return Err(Failure::Fatal(Error::Interrupted)),
            _ => {}
        }
    }
    let names: Vec<String> = options.pip.iter().map(|pip| pip.join(" ")).collect();
    Err(Failure::Source(format!(
        "no pip on this machine (looked for: {}); install Python's pip, or uv",
        names.join("; ")
    )))
}

/// pip, with all its temporary files below `scratch`, where they can be watched and deleted.
fn command(pip: &[String], scratch: &Path) -> Command {
    let (program, arguments) = pip.split_first().map_or(("pip", &[][..]), |(p, a)| (p.as_str(), a));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    // `python -m` looks for modules in the current folder first: a pip.py among someone's articles
    // must not be run.
    command.current_dir(scratch);
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        command.env(variable, scratch);
    }
    command.env("PIP_REQUIRE_VIRTUALENV", "false");
    command
}

enum Trouble {
    Stopped,
    Io(std::io::Error),
}

impl Trouble {
    fn or_source(self, what: &str) -> Failure {
        match self {
            Trouble::Stopped => Failure::Fatal(Error::Interrupted),
            Trouble::Io(e) => Failure::Source(format!("{what}: {e}")),
        }
    }
}

/// Kills its process when it is dropped before that has ended.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn run(
    command: &mut Command,
    job: &Job<'_>,
    tick: &mut dyn FnMut(),
) -> Result<ExitStatus, Trouble> {
    let mut child = Guard(command.spawn().map_err(Trouble::Io)?);
    loop {
        if let Some(status) = child.0.try_wait().map_err(Trouble::Io)? {
            return Ok(status);
        }
        if job.stop.is_cancelled() {
            return Err(Trouble::Stopped);
        }
        tick();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The lines in which pip says what is wrong, else its last ones.
fn last_words(log: &Path) -> String {
    let mut text = Vec::new();
    let mut read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WORDS)))?;
        file.take(WORDS).read_to_end(&mut text)
    };
    if read().is_err() {
        return "it said nothing".into();
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let errors: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| line.to_ascii_lowercase().starts_with("error"))
        .collect();
    let chosen =
        if errors.is_empty() { &lines[lines.len().saturating_sub(2)..] } else { &errors[..] };
    if chosen.is_empty() { "it said nothing".into() } else { chosen.join("; ") }
}
