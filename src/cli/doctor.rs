//! `polygist doctor`: what of this machine matters to the program, and what to do about it.

use super::args::{Doctor, Global, OutputFormat};
use super::config::Config;
use super::models::short_size;
use super::output::print;
use super::plan::Environment;
use super::{DONE, FAILED};
use crate::bench::{self, Machine, Sample, Shape};
use crate::error::{Error, Result};
use crate::generate::Generate;
use crate::io::fetch::{FirefoxRegistry, answers};
use crate::io::folders::free_space;
use crate::io::store::State;
use crate::main_memory::Memory;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is looked at in two places.
const CONFIGURATION: &str = "configuration";
/// Bytes that a job with the starter needs, roughly.
const LEAST_MEMORY: u64 = 1_000_000_000;
/// Bytes that the models of a first job need on the disk, roughly.
const LEAST_DISK: u64 = 1_000_000_000;
/// The shape whose speed is measured: that of most of Firefox's small models.
const SHAPE: &str = "firefox-tiny";
/// What is measured with it, again and again, for so long: the best counts.
const MEASURING: Duration = Duration::from_secs(2);
const SAMPLE: Sample = Sample { count: 32, lengths: Sample::SENTENCES, tokens: 32, beams: 1 };

/// How it stands with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    /// As it should be.
    Good,
    /// The program works, but could do better.
    Note,
    /// It keeps the program from working.
    Fault,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Finding {
        Finding { what, health: Health::Good, found: found.into(), fix: None }
    }

    fn bad(
        what: &'static str,
        health: Health,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        Finding { what, health, found: found.into(), fix: Some(fix.into()) }
    }
}

/// Looks at everything and says what it found; the exit code tells whether something is in the way.
pub(super) fn run(global: &Global, args: &Doctor) -> Result<u8> {
    let mut findings = vec![program(), processor(), memory()];
    match Environment::new(global) {
        Ok(env) => {
            findings.push(configuration(global, &env));
            findings.push(device(&env));
            findings.push(cache(&env));
            findings.push(models(&env));
            findings.extend(network(&env)?);
            findings.push(pdf());
            findings.push(speed(&env)?);
            env.reporter.end();
        }
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            let fix = "mend it, or try another with --config FILE and --cache-dir DIR";
            findings.push(Finding::bad(CONFIGURATION, Health::Fault, error.to_string(), fix));
        }
    }
    match args.format {
        OutputFormat::Text => print(&text(&findings))?,
        OutputFormat::Json => {
            for finding in &findings {
                let line = serde_json::to_string(finding);
                let bad = |e| Error::Usage(format!("a finding cannot be written: {e}"));
                print(&(line.map_err(bad)? + "\n"))?;
            }
        }
    }
    let has_fault = findings.iter().any(|finding| finding.health == Health::Fault);
    Ok(if has_fault { FAILED } else { DONE })
}

/// The findings in lines, each with its remedy below.
fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let mark = match finding.health {
            Health::Good => "ok",
            Health::Note => "--",
            Health::Fault => "!!",
        };
        let fix = finding.fix.iter().map(|fix| format!("{:1$}-> {fix}\n", "", width + 5));
        let head = format!("{mark} {:<width$}  {}\n", finding.what, finding.found);
        fix.fold(head, |text, fix| text + &fix)
    };
    let faults = findings.iter().filter(|finding| finding.health == Health::Fault).count();
    let verdict = match faults {
        0 => "nothing is in the way".into(),
        1 => "one thing keeps polygist from working".into(),
        n => format!("{n} things keep polygist from working"),
    };
    findings.iter().map(line).collect::<String>() + &verdict + "\n"
}

fn program() -> Finding {
    let features = [
        ("downloads", cfg!(feature = "fetch")),
        ("CUDA", cfg!(feature = "cuda")),
        ("Metal", cfg!(feature = "metal")),
    ];
    let built: Vec<&str> = features.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let with = if built.is_empty() { "none".into() } else { built.join(", ") };
    Finding::good("program", format!("{} (with: {with})", env!("CARGO_PKG_VERSION")))
}

fn processor() -> Finding {
    let machine = Machine::here();
    let found = format!("{}, {} cores, kernels for {}", machine.arch, machine.cores, machine.isa);
    match machine.isa {
        "scalar" => Finding::bad(
            "processor",
            Health::Note,
            found,
            "it lacks AVX2 or NEON, or POLYGIST_ISA names something else: all works, slowly",
        ),
        _ => Finding::good("processor", found),
    }
}

/// The memory, where the system tells.
fn memory() -> Finding {
    let Some((free, all)) = Memory::of_machine() else {
        return Finding::good("memory", "this system does not say");
    };
    let found = format!("{} free of {}", short_size(free), short_size(all));
    if free < LEAST_MEMORY {
        let fix = "a job with the starter takes 0.7 GB: close something, or try --jobs 4 --batch 4";
        Finding::bad("memory", Health::Note, found, fix)
    } else {
        Finding::good("memory", found)
    }
}

fn configuration(global: &Global, env: &Environment) -> Finding {
    let config = &env.config;
    let place = global.config.clone().or_else(Config::usual_place);
    let translators = config.model.iter().flat_map(|names| names.split(','));
    let names = translators.chain(config.summary_model.iter().map(String::as_str));
    let names = names.chain(config.route.values().map(String::as_str)).map(str::trim);
    let mut names = names.filter(|name| !matches!(*name, "auto" | "none"));
    let no_model = names.find_map(|name| env.models.lookup(name).err());
    let faults = [config.to().err(), config.route().err(), no_model];
    if let Some(fault) = faults.into_iter().flatten().next() {
        let fix = "correct it, or try another with --config FILE";
        return Finding::bad(CONFIGURATION, Health::Fault, fault.to_string(), fix);
    }
    match place {
        Some(place) if place.is_file() => Finding::good(CONFIGURATION, place.display().to_string()),
        _ => Finding::good(CONFIGURATION, "none; `polygist init` writes one"),
    }
}

fn device(env: &Environment) -> Finding {
    match env.runtime.device.open() {
        Err(error) => Finding::bad(
            "device",
            Health::Fault,
            error.to_string(),
            "--device cpu, here or in the configuration",
        ),
        Ok((device, _)) if !device.is_cpu() => Finding::good("device", "a GPU"),
        // The driver is there, and this program does not know it.
        Ok((_, None)) if Path::new("/dev/nvidiactl").exists() && !cfg!(feature = "cuda") => {
            Finding::bad(
                "device",
                Health::Note,
                "the CPU, although there is an NVIDIA GPU",
                "build with CUDA: cargo install --path . --features cuda",
            )
        }
        Ok((_, choice)) => Finding::good("device", choice.unwrap_or_else(|| "the CPU".into())),
    }
}

/// The folder for models: whether it can be written to, and what is free there.
fn cache(env: &Environment) -> Finding {
    let folder = env.models.files().root();
    let shown = folder.display();
    if let Err(e) = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder)) {
        let fix = "name another with --cache-dir DIR or POLYGIST_CACHE";
        return Finding::bad("cache", Health::Fault, format!("{shown}: {e}"), fix);
    }
    match free_space(folder) {
        Some(free) if free < LEAST_DISK => Finding::bad(
            "cache",
            Health::Note,
            format!("{shown}, {} free", short_size(free)),
            "the models of a first job take 0.5 GB: make room, or name another disk's folder with \
             --cache-dir DIR",
        ),
        Some(free) => Finding::good("cache", format!("{shown}, {} free", short_size(free))),
        None => Finding::good("cache", shown.to_string()),
    }
}

fn models(env: &Environment) -> Finding {
    let installed = match env.models.files().installed() {
        Ok(installed) => installed,
        Err(error) => {
            let fix = "name another folder with --cache-dir DIR or POLYGIST_CACHE";
            return Finding::bad("models", Health::Fault, error.to_string(), fix);
        }
    };
    let broken = installed.iter().filter_map(|(name, state)| match state {
        State::Broken(why) => Some(format!("{name}: {why}")),
        _ => None,
    });
    let broken: Vec<String> = broken.collect();
    let sizes = installed.iter().filter_map(|(_, state)| match state {
        State::Ready(manifest) => Some(manifest.size()),
        _ => None,
    });
    let sizes: Vec<u64> = sizes.collect();
    let count = match sizes.len() {
        0 => "none here; they are fetched when they are needed".into(),
        1 => format!("one here, {}", short_size(sizes.iter().sum())),
        n => format!("{n} here, {}", short_size(sizes.iter().sum())),
    };
    match broken.first() {
        None => Finding::good("models", count),
        Some(first) => {
            let name = first.split(':').next().unwrap_or_default();
            let found = format!("{count}; broken: {}", broken.join("; "));
            let fix = format!("polygist models rm {name}, then models pull {name}");
            Finding::bad("models", Health::Note, found, fix)
        }
    }
}

/// Whether the places can be reached that models come from.
fn network(env: &Environment) -> Result<Vec<Finding>> {
    let options = env.models.fetch_options();
    if options.offline {
        let fix = "without --offline, and `offline` in the configuration, models can be fetched";
        let found = "not wanted (--offline)";
        return Ok(vec![Finding::bad("network", Health::Note, found, fix)]);
    }
    env.reporter.step("looking at the network");
    let firefox = FirefoxRegistry::new(options, env.models.files().root()).address();
    let hub = format!("{}/api/models?limit=1", options.hub_address());
    let mut findings = Vec::new();
    for (what, address) in [("Firefox's models", firefox), ("Hugging Face Hub", hub)] {
        let Some((_, place)) = address.split_once("://") else {
            findings.push(match Path::new(&address).is_dir() {
                true => Finding::good(what, format!("in {address}")),
                false => Finding::bad(
                    what,
                    Health::Note,
                    format!("{address} is no folder"),
                    "correct firefox-models in the configuration, or POLYGIST_FIREFOX_MODELS",
                ),
            });
            continue;
        };
        let host = place.split('/').next().unwrap_or_default();
        findings.push(match answers(options, &address, &env.cancel)? {
            Ok(()) => Finding::good(what, format!("{host} answers")),
            Err(why) => Finding::bad(
                what,
                Health::Note,
                format!("{host} {why}"),
                "a proxy is named by HTTPS_PROXY, a mirror by firefox-models or HF_ENDPOINT \
                 (docs/models.md)",
            ),
        });
    }
    let pip = options.pip.iter().find(|command| is_there(command));
    findings.push(match pip {
        Some(command) => Finding::good("Python packages", command.join(" ")),
        None => Finding::bad(
            "Python packages",
            Health::Note,
            "no pip, by which some models can be had where the Hub cannot",
            "install Python's pip, or uv",
        ),
    });
    Ok(findings)
}

/// Whether a program starts.
fn is_there(command: &[String]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).arg("--version");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn pdf() -> Finding {
    // It says its version with -v, and fails with what it does not know.
    let mut program = Command::new("pdftotext");
    program.arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match program.status() {
        Ok(_) => Finding::good("PDF files", "read by pdftotext"),
        Err(_) => Finding::bad(
            "PDF files",
            Health::Note,
            "cannot be read without pdftotext",
            "install poppler (Debian: poppler-utils)",
        ),
    }
}

/// How fast a small model would be here.
fn speed(env: &Environment) -> Result<Finding> {
    const WHAT: &str = "speed";
    env.reporter.step("measuring the speed");
    let Some(shape) = Shape::named(SHAPE) else {
        return Ok(Finding::good(WHAT, "not measured"));
    };
    // The device was looked at above.
    let Ok(runtime) = env.open_runtime() else { return Ok(Finding::good(WHAT, "not measured")) };
    let engine = bench::open(shape, &runtime)?;
    let requests = bench::requests(&engine, SAMPLE)?;
    let (all, mut best) = (Instant::now(), f64::INFINITY);
    while best.is_infinite() || all.elapsed() < MEASURING {
        let begun = Instant::now();
        engine.generate(&requests, &|_, _| !env.cancel.is_cancelled())?;
        env.cancel.check()?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let rate = SAMPLE.count as f64 / best;
    let found = format!(
        "about {rate:.0} sentences a second by a model as small as Firefox's; \
         `polygist bench --to en FOLDER` measures your own articles"
    );
    Ok(Finding::good(WHAT, found))
}
