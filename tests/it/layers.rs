//! The rules of the house, read off its sources: data flows one way, from room to room and from
//! file to file; `unsafe` stays in the kernels; files and lines have an end.

mod imports;
mod source;

use imports::{Edges, Files, circles, imports, root_exports};
use source::{code, without_tests};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What each module may use besides itself, `types`, `error` and `languages`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("lib", &[]),
    (
        "cli",
        &[
            "serve",
            "job",
            "model_store",
            "runtime",
            "event",
            "pipeline",
            "report",
            "metrics",
            "route",
            "document",
            "io",
            "text",
            "task",
            "generate",
            "model",
            "kernel",
            "bench",
        ],
    ),
    (
        "serve",
        &[
            "translator",
            "job",
            "model_store",
            "event",
            "pipeline",
            "report",
            "document",
            "io",
            "text",
            "task",
            "generate",
        ],
    ),
    (
        "job",
        &[
            "model_store",
            "runtime",
            "event",
            "pipeline",
            "report",
            "document",
            "io",
            "text",
            "task",
            "generate",
            "model",
            "kernel",
        ],
    ),
    ("translator", &["model_store", "runtime", "event", "pipeline", "route", "text", "task"]),
    (
        "python",
        &["cli", "model_store", "route", "runtime", "summarizer", "task", "text", "translator"],
    ),
    ("summarizer", &["model_store", "runtime", "event", "pipeline", "io", "text", "task", "model"]),
    ("model_store", &["event", "pipeline", "route", "io", "task", "generate", "model", "embed"]),
    ("runtime", &["event", "kernel", "model"]),
    ("event", &["pipeline"]),
    (
        "bench",
        &[
            "pipeline",
            "report",
            "task",
            "model",
            "generate",
            "token",
            "arch",
            "nn",
            "checkpoint",
            "kernel",
        ],
    ),
    ("pipeline", &["text", "task", "generate", "embed"]),
    ("route", &["io", "task", "generate"]),
    ("report", &["text"]),
    ("model", &["io", "arch", "embed", "token", "text", "generate", "nn", "checkpoint", "kernel"]),
    ("task", &["text", "generate", "embed"]),
    ("embed", &["token", "arch"]),
    ("metrics", &[]),
    ("testing", &["generate"]),
    ("io", &["checkpoint", "document", "text"]),
    ("document", &["text"]),
    ("text", &[]),
    ("generate", &["token", "arch", "nn", "kernel"]),
    ("token", &["checkpoint"]),
    ("arch", &["nn", "checkpoint", "kernel"]),
    ("nn", &["checkpoint", "kernel"]),
    ("checkpoint", &["kernel"]),
    ("kernel", &[]),
    ("languages", &[]),
    ("types", &[]),
    ("error", &[]),
    ("cancel", &[]),
    ("main_memory", &[]),
];
/// Plain data that every module may use.
const COMMON: &[&str] = &["types", "error", "languages", "cancel", "main_memory"];

/// Imports that close a circle between files and are still to go: from the first to the second.
const KNOWN: &[(&str, &str)] = &[];

/// Files of more lines than [`LONGEST`], tests apart, and how many they may have.
const LONG: &[(&str, usize)] = &[];
const LONGEST: usize = 500;
/// Files with lines of more columns than [`WIDEST`], strings apart, and how many such lines they
/// may have.
const WIDE: &[(&str, usize)] = &[
    ("src/cli/args.rs", 3),
    ("src/cli/args/bench.rs", 6),
    ("src/cli/args/decoding.rs", 1),
    ("src/cli/models/list.rs", 1),
    ("src/summarizer.rs", 1),
    ("src/task/extractive.rs", 1),
];
const WIDEST: usize = 100;

/// The Rust files below a folder of the repository.
fn files(folder: &str) -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|e| e == "rs") {
            let name = entry.path().strip_prefix(&root).unwrap().to_str().unwrap();
            files.insert(name.replace('\\', "/"), fs::read_to_string(entry.path()).unwrap());
        }
    }
    files
}

fn sources() -> Files {
    let sources = files("src");
    assert!(sources.len() > 30, "only {} sources found", sources.len());
    sources
}

/// The room of a file: its first folder, or the file itself.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The modules named after `crate::` in code, tests and comments apart.
fn used(text: &str) -> BTreeSet<String> {
    let code = without_tests(&code(text, false));
    let mut used = BTreeSet::new();
    for line in code.lines().filter(|line| !line.contains("$crate")) {
        for part in line.split("crate::").skip(1) {
            used.insert(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    used
}

#[test]
fn nothing_downstream_is_imported_upstream() {
    let (mut wrong, sources) = (Vec::new(), sources());
    let exports = root_exports(&sources);
    for (file, text) in &sources {
        let room = room(file);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{file} is in no layer: add it to ALLOWED"));
        for used in used(text) {
            let used = exports.get(&used).unwrap_or(&used);
            if used != room && !COMMON.contains(&used.as_str()) && !allowed.contains(&used.as_str())
            {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "upward imports:\n{}", wrong.join("\n"));
}

#[test]
fn rooms_form_no_circle() {
    let pairs = ALLOWED
        .iter()
        .flat_map(|(room, uses)| uses.iter().map(|used| (room.to_string(), used.to_string())));
    assert_eq!(circles(&pairs.collect()), Vec::<BTreeSet<String>>::new());
}

/// The circles of files, told with the imports that make them up.
fn told(edges: &Edges, known: &[(&str, &str)]) -> Vec<String> {
    let is_known = |(from, to): &&(String, String)| known.contains(&(from.as_str(), to.as_str()));
    let kept = edges.keys().filter(|edge| !is_known(edge)).cloned().collect();
    let tell = |circle: &BTreeSet<String>| {
        let inside = |(from, to): &(String, String)| circle.contains(from) && circle.contains(to);
        let lines: Vec<String> = edges
            .iter()
            .filter(|(edge, _)| inside(edge) && !is_known(edge))
            .map(|((from, to), path)| format!("  {from} uses {path} of {to}"))
            .collect();
        lines.join("\n")
    };
    circles(&kept).iter().map(tell).collect()
}

#[test]
fn files_form_no_circle() {
    let edges = imports(&sources());
    let found = told(&edges, KNOWN);
    assert!(found.is_empty(), "files that use each other:\n{}", found.join("\n\n"));
    let closes = |known: &&(&str, &str)| {
        let others: Vec<_> = KNOWN.iter().filter(|other| other != known).copied().collect();
        !told(&edges, &others).is_empty()
    };
    let gone: Vec<_> = KNOWN.iter().filter(|known| !closes(known)).collect();
    assert!(gone.is_empty(), "not KNOWN any more, since they close no circle: {gone:?}");
}

#[test]
fn circles_are_found_whichever_way_they_are_written() {
    let told = |files: &[(&str, &str)]| {
        let whole = [("lib.rs", "mod a; mod b;"), ("a.rs", "pub fn a() {}"), ("b.rs", "")];
        let files =
            whole.iter().chain(files).map(|(name, text)| (name.to_string(), text.to_string()));
        told(&imports(&files.collect()), &[]).join("\n")
    };
    assert_eq!(told(&[("b.rs", "use crate::a::a; pub struct B;")]), "");
    let back = ("b.rs", "use crate::a::a; pub struct B; pub fn b() { a() }");
    for text in [
        "use crate::b::B; pub fn a() {}",
        "use super::b::{self, B as Other}; pub fn a() {}",
        "use crate::{b::{B}}; pub fn a() {}",
        "use crate::b::*; pub fn a() -> B { B }",
        "use crate::b; pub fn a() { b::b() }",
        "pub fn a() -> crate::b::B {}",
        "mod inline { pub fn f() -> super::super::b::B {} } pub fn a() {}",
        "pub fn a() { let c = '{'; let s = \"}\"; let r = r#\"\"#; crate::b::b() }",
    ] {
        let told = told(&[("a.rs", text), back]);
        assert!(
            told.contains("a.rs uses b::") && told.contains("b.rs uses a::a of a.rs"),
            "{text}: {told}"
        );
    }
    for text in [
        "/* use crate::b::B; */ pub fn a() {} // crate::b::B",
        "#[cfg(test)] mod tests { use crate::b::B; } pub fn a() {}",
        "pub fn a() { print(\"crate::b::B\") }",
        "use other::b::B; pub fn a<'a>() {}",
        "pub(in crate::b) fn a() {}",
        "pub use crate::b::B; pub fn a() {}",
    ] {
        assert_eq!(told(&[("a.rs", text), back]), "", "{text}");
    }
    // Through what a parent re-exports; what the parent has itself is the child's too.
    let child = ("a/c.rs", "use super::Parent; pub struct C;");
    assert_eq!(told(&[("a.rs", "mod c; pub struct Parent(c::C);"), child]), "");
    let through = [
        ("a.rs", "mod c; mod d; pub use c::C; pub use d::D;"),
        ("a/c.rs", "use super::D; pub struct C;"),
        ("a/d.rs", "use crate::a::C; pub struct D;"),
    ];
    assert_eq!(told(&through), "  a/c.rs uses a::D of a/d.rs\n  a/d.rs uses a::C of a/c.rs");
}

#[test]
fn unsafe_stays_in_the_kernels() {
    for (file, text) in sources() {
        let in_kernel = room(&file) == "kernel";
        assert!(in_kernel || !text.contains("allow(unsafe_code)"), "{file} allows unsafe code");
        let blocks = text.matches("unsafe {").count();
        assert!(
            blocks <= text.matches("SAFETY: ").count(),
            "{file}: an unsafe block without its SAFETY line"
        );
    }
}

#[test]
fn files_and_lines_have_an_end() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let lines = without_tests(&code(&text, true)).lines().count();
        let exception = LONG.iter().find(|(name, _)| *name == file).map(|(_, lines)| *lines);
        if lines > exception.unwrap_or(LONGEST) {
            wrong.push(format!("src/{file} has {lines} lines without its tests"));
        } else if exception.is_some() && lines <= LONGEST {
            wrong.push(format!("src/{file} is not LONG any more"));
        }
    }
    for folder in ["src", "tests", "benches", "examples"] {
        for (file, text) in files(folder) {
            let file = format!("{folder}/{file}");
            let code = code(&text, true);
            let wide: Vec<usize> = code
                .lines()
                .zip(1..)
                .filter(|(line, _)| line.chars().count() > WIDEST)
                .map(|(_, number)| number)
                .collect();
            let exception = WIDE.iter().find(|(name, _)| *name == file).map(|(_, lines)| *lines);
            if wide.len() > exception.unwrap_or(0) {
                wrong.push(format!("{file} has lines of more than {WIDEST} columns: {wide:?}"));
            } else if exception.is_some() && wide.is_empty() {
                wrong.push(format!("{file} is not WIDE any more"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
