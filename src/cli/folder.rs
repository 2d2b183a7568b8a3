//! The commands that look at an output folder: status, verify, clean, merge, export.

use super::args::{Clean, Export, Folder, Merge, OutputFormat};
use super::output::print;
use super::plan::Environment;
use super::{DONE, SOME_FAILED};
use crate::error::Result;
use crate::job::{self, Finding, JobStatus};
use crate::report::counted;

pub(super) fn status(args: &Folder) -> Result<u8> {
    let status = job::status(&args.out)?;
    print(&match args.format {
        OutputFormat::Text => in_words(&status),
        OutputFormat::Json => format!("{}\n", in_json(&status)),
    })?;
    Ok(if status.failed.is_empty() { DONE } else { SOME_FAILED })
}

fn in_words(status: &JobStatus) -> String {
    let failed: usize = status.failed.values().sum();
    let mut lines = vec![totals(status, failed)];
    if status.is_running {
        lines.push("a run is writing there now".into());
    }
    let kinds = status.failed.iter().map(|(kind, number)| format!("{number:>7}  failed: {kind}"));
    lines.extend(kinds);
    for ((from, to), number) in &status.languages {
        let to = to.as_ref().map_or(String::new(), |to| format!(" → {to}"));
        lines.push(format!("{number:>7}  {from}{to}"));
    }
    let models = status.models.iter().map(|(model, number)| format!("{number:>7}  by {model}"));
    lines.extend(models);
    if status.damaged > 0 {
        let damaged = status.damaged;
        lines.push(format!("{damaged:>7}  damaged lines; the next run does their articles again"));
    }
    lines.join("\n") + "\n"
}

/// All articles and how far they are, in a line that a narrow terminal takes.
fn totals(status: &JobStatus, failed: usize) -> String {
    let of = status.to_do.map(|to_do| format!(" of {}", status.done + failed + to_do));
    let mut parts = vec![
        format!("{}{} done", status.done, of.unwrap_or_default()),
        format!("{} to check", status.to_check),
        format!("{failed} failed"),
    ];
    parts.extend(status.to_do.map(|to_do| format!("{to_do} to do")));
    if status.to_do_again > 0 {
        parts.push(format!("{} again", status.to_do_again));
    }
    parts.join(", ")
}

fn in_json(status: &JobStatus) -> serde_json::Value {
    let languages = status
        .languages
        .iter()
        .map(|((from, to), number)| serde_json::json!({"from": from, "to": to, "records": number}));
    serde_json::json!({
        "done": status.done,
        "failed": status.failed,
        "to_check": status.to_check,
        "to_do": status.to_do,
        "to_do_again": status.to_do_again,
        "languages": languages.collect::<Vec<_>>(),
        "models": status.models,
        "damaged": status.damaged,
        "running": status.is_running,
    })
}

pub(super) fn verify(env: &Environment, args: &Folder) -> Result<u8> {
    let mut findings = Vec::new();
    let records = job::verify(&args.out, &mut |finding| findings.push(finding))?;
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| match (args.format, finding) {
            (OutputFormat::Text, Finding::Damaged(lines)) => format!("damaged: {lines} lines"),
            (OutputFormat::Text, Finding::Gone(name)) => format!("gone: {name}"),
            (OutputFormat::Text, Finding::Changed(name)) => format!("changed: {name}"),
            (OutputFormat::Json, Finding::Damaged(lines)) => {
                serde_json::json!({"finding": "damaged", "lines": lines}).to_string()
            }
            (OutputFormat::Json, Finding::Gone(name)) => {
                serde_json::json!({"finding": "gone", "file": name}).to_string()
            }
            (OutputFormat::Json, Finding::Changed(name)) => {
                serde_json::json!({"finding": "changed", "file": name}).to_string()
            }
        })
        .collect();
    lines.iter().try_for_each(|line| print(&format!("{line}\n")))?;
    let found = counted(findings.len(), "finding");
    env.reporter.say(&format!("{}, {found}", counted(records, "record")));
    Ok(if findings.is_empty() { DONE } else { SOME_FAILED })
}

pub(super) fn clean(env: &Environment, args: &Clean) -> Result<u8> {
    let cleaned = job::clean(&args.out, args.gone, !args.dry_run)?;
    let would = if args.dry_run { "would be " } else { "" };
    env.reporter.say(&format!(
        "{} records of failed articles {would}removed, {} of articles that are gone",
        cleaned.failed, cleaned.gone
    ));
    Ok(DONE)
}

pub(super) fn merge(env: &Environment, args: &Merge) -> Result<u8> {
    let merged = job::merge(&args.out, args.partial)?;
    env.reporter.say(&format!(
        "{} parts, {} records, {} of them new; see {}",
        merged.parts,
        merged.records,
        merged.new,
        args.out.join("report.html").display()
    ));
    Ok(DONE)
}

pub(super) fn export(env: &Environment, args: &Export) -> Result<u8> {
    let exported = job::export(&args.out, &args.to, args.format.into(), args.rows)?;
    env.reporter.say(&format!(
        "{} in {}, of {}; see {}",
        counted(exported.records, "record"),
        counted(exported.files, "file"),
        counted(exported.languages, "language"),
        args.to.display()
    ));
    Ok(DONE)
}
