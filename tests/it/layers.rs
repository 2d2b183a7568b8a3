//! Data flows one way: nothing downstream is imported upstream. Reads the `crate::` paths of the
//! sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use besides itself, `types`, `error` and `languages`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("lib", &[]),
    ("cli", &["pipeline", "report", "io", "text", "task", "generate", "model", "kernel", "bench"]),
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
    ("pipeline", &["text", "task", "generate"]),
    ("report", &["text"]),
    ("model", &["io", "arch", "token", "text", "generate", "nn", "checkpoint", "kernel"]),
    ("task", &["text", "generate"]),
    ("io", &["checkpoint"]),
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
];
/// Plain data that every module may use.
const COMMON: &[&str] = &["types", "error", "languages", "cancel"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn module(path: &Path, src: &Path) -> String {
    let first = path.strip_prefix(src).expect("below src").components().next().expect("a file");
    Path::new(&first).with_extension("").to_string_lossy().into_owned()
}

/// The modules named after `crate::` in code, tests and comments apart.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    let mut used = BTreeSet::new();
    for line in lines {
        for part in line.split("crate::").skip(1).filter(|_| !line.contains("$crate")) {
            used.insert(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    used
}

#[test]
fn nothing_downstream_is_imported_upstream() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "only {} sources found", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let module = module(&path, &src);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed = allowed
            .unwrap_or_else(|| panic!("{} is in no layer: add it to ALLOWED", path.display()));
        for used in used(&fs::read_to_string(&path).expect("a readable source")) {
            if used != module
                && !COMMON.contains(&used.as_str())
                && !allowed.contains(&used.as_str())
            {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "upward imports:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_stays_in_the_kernels() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    for path in files {
        let text = fs::read_to_string(&path).expect("a readable source");
        let in_kernel = module(&path, &src) == "kernel";
        assert!(
            in_kernel || !text.contains("allow(unsafe_code)"),
            "{} allows unsafe code",
            path.display()
        );
        let blocks = text.matches("unsafe {").count();
        assert!(
            blocks <= text.matches("// SAFETY:").count(),
            "{}: an unsafe block without its SAFETY line",
            path.display()
        );
    }
}
