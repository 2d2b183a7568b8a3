//! Which file uses what of which other file.
//!
//! An item that is used through a re-export counts for the file that defines it. A file that only
//! re-exports an item does not use it. A module may use what the modules around it define: it is a
//! part of them. Methods and macros are not looked for: only paths are.

use super::source::{code, tokens, without_tests};
use std::collections::{BTreeMap, BTreeSet};

/// Files, by their path below `src`, and their text.
pub type Files = BTreeMap<String, String>;
/// Who uses whom, and by which path.
pub type Edges = BTreeMap<(String, String), String>;

type Path = Vec<String>;

#[derive(Default)]
struct Module {
    file: String,
    /// Modules in files of their own.
    children: BTreeSet<String>,
    /// What is defined here, inline modules included.
    items: BTreeSet<String>,
    /// The names that are imported here, and where they come from.
    uses: BTreeMap<String, Path>,
    globs: Vec<Path>,
    /// The imports that are re-exports.
    exports: BTreeSet<String>,
    /// Every path that is named, imports included, from the crate's root.
    paths: Vec<Path>,
    /// Every word outside of imports.
    words: BTreeSet<String>,
}

/// The modules of a crate, by their path.
struct Crate(BTreeMap<Path, Module>);

/// The module at the root that each name comes from which the crate re-exports there.
pub fn root_exports(files: &Files) -> BTreeMap<String, String> {
    let root = &Crate::read(files).0[&Path::new()];
    root.exports.iter().map(|name| (name.clone(), root.uses[name][0].clone())).collect()
}

/// The imports between the files of a crate, the parts apart that only tests have.
pub fn imports(files: &Files) -> Edges {
    let modules = Crate::read(files);
    let mut edges = Edges::new();
    for (here, module) in &modules.0 {
        let exported = |name: &&String| module.words.contains(*name);
        let exports = module.exports.iter().filter(exported).map(|name| module.uses[name].clone());
        let globs = module.globs.iter().flat_map(|glob| {
            module.words.iter().map(|word| glob.iter().chain([word]).cloned().collect())
        });
        for path in module.paths.iter().cloned().chain(exports).chain(globs) {
            let Some((there, file)) = modules.definition(&path, 0) else { continue };
            if !here.starts_with(there) {
                let edge = (module.file.clone(), file.to_string());
                edges.entry(edge).or_insert_with(|| path.join("::"));
            }
        }
    }
    edges
}

impl Crate {
    fn read(files: &Files) -> Crate {
        let mut modules = BTreeMap::new();
        let mut waiting = vec![(Path::new(), "lib.rs".to_string())];
        while let Some((path, file)) = waiting.pop() {
            let code = without_tests(&code(&files[&file], false));
            let module = Reader::read(&path, file, &tokens(&code));
            for child in &module.children {
                let path: Path = path.iter().chain([child]).cloned().collect();
                let folder = path.join("/");
                let found = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                waiting.extend(
                    found.into_iter().find(|f| files.contains_key(f)).map(|file| (path, file)),
                );
            }
            modules.insert(path, module);
        }
        Crate(modules)
    }

    /// The module that defines what a path names, and its file; `None` for a module itself and for
    /// what is not known.
    fn definition(&self, path: &[String], depth: usize) -> Option<(&[String], &str)> {
        let length = (0..=path.len()).rev().find(|n| self.0.contains_key(&path[..*n]))?;
        let (here, module) = self.0.get_key_value(&path[..length])?;
        let (name, inside) = path[length..].split_first()?;
        let through = |to: &Path| self.definition(&[to.as_slice(), inside].concat(), depth + 1);
        let through_glob = |to: &Path| self.definition(&[to, &path[length..]].concat(), depth + 1);
        match module.uses.get(name) {
            _ if depth > 8 => None,
            _ if module.items.contains(name) => Some((here, &module.file)),
            Some(to) => through(to),
            None => module.globs.iter().find_map(through_glob),
        }
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    tokens: &'a [&'a str],
    /// The file's module, and the inline ones that are open, each with the braces around it.
    here: Path,
    inline: Vec<usize>,
    braces: usize,
    module: Module,
}

impl Reader<'_> {
    fn read(path: &[String], file: String, tokens: &[&str]) -> Module {
        let module = Module { file, ..Module::default() };
        let mut reader =
            Reader { tokens, here: path.to_vec(), inline: Vec::new(), braces: 0, module };
        reader.definitions();
        reader.references();
        reader.module
    }

    fn at(&self, at: usize) -> &str {
        self.tokens.get(at).copied().unwrap_or_default()
    }

    fn definitions(&mut self) {
        for at in 0..self.tokens.len() {
            let name = self.at(at + 1).to_string();
            match self.at(at) {
                "mod" if self.at(at + 2) == ";" => _ = self.module.children.insert(name),
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "mod" => {
                    self.module.items.insert(name);
                }
                _ => {}
            }
        }
    }

    fn references(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            let token = self.at(at).to_string();
            match token.as_str() {
                "{" => self.braces += 1,
                "}" => {
                    self.braces -= 1;
                    if self.inline.last() == Some(&self.braces) {
                        self.inline.pop();
                        self.here.pop();
                    }
                }
                "mod" if self.at(at + 2) == "{" => {
                    self.inline.push(self.braces);
                    self.here.push(self.at(at + 1).to_string());
                    at += 1;
                }
                // Whom an item is visible to is no use of theirs.
                "in" if self.at(at - 1) == "(" && self.at(at.saturating_sub(2)) == "pub" => {
                    while self.at(at) != ")" {
                        at += 1;
                    }
                }
                "use" => {
                    let is_export = at > 0 && matches!(self.at(at - 1), "pub" | ")");
                    at = self.tree(at + 1, &[], is_export);
                }
                _ if self.at(at + 1) == "::" && (at == 0 || self.at(at - 1) != "::") => {
                    let mut path = vec![token.clone()];
                    while self.at(at + 1) == "::" && is_name(self.at(at + 2)) {
                        path.push(self.at(at + 2).to_string());
                        at += 2;
                    }
                    self.module.words.insert(token);
                    let path = self.absolute(&path);
                    self.module.paths.extend(path);
                }
                _ => _ = self.module.words.insert(token),
            }
            at += 1;
        }
    }

    /// Reads a tree of imports; gives the place of the token that ends it.
    fn tree(&mut self, mut at: usize, before: &[String], is_export: bool) -> usize {
        let mut path = before.to_vec();
        loop {
            match self.at(at) {
                "{" => {
                    while self.at(at) != "}" {
                        at = self.tree(at + 1, &path, is_export);
                    }
                    return at + 1;
                }
                "*" => {
                    let glob = self.absolute(&path);
                    self.module.globs.extend(glob);
                    return at + 1;
                }
                "::" => {}
                "self" if !path.is_empty() => {}
                word if is_name(word) && word != "as" => path.push(word.to_string()),
                _ => break,
            }
            at += 1;
        }
        let renamed = self.at(at) == "as";
        let name = if renamed { Some(self.at(at + 1).to_string()) } else { path.last().cloned() };
        if let (Some(name), Some(path)) = (name, self.absolute(&path)) {
            if is_export {
                self.module.exports.insert(name.clone());
            } else {
                self.module.paths.push(path.clone());
            }
            self.module.uses.insert(name, path);
        }
        if renamed { at + 2 } else { at }
    }

    /// A path from the crate's root; `None` for what is of another crate, or no path to an item.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Path::new(),
            "self" => self.here.clone(),
            "super" => self.here[..self.here.len().checked_sub(1)?].to_vec(),
            name if self.module.children.contains(name) => {
                let file = self.here.len() - self.inline.len();
                return Some([&self.here[..file], path].concat());
            }
            name => return Some([self.module.uses.get(name)?, rest].concat()),
        };
        for name in rest {
            match name.as_str() {
                "super" => _ = base.pop()?,
                _ => base.push(name.clone()),
            }
        }
        Some(base)
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The circles of a graph: each a set of nodes that all reach each other.
pub fn circles(edges: &BTreeSet<(String, String)>) -> Vec<BTreeSet<String>> {
    let reachable = |from: &String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(node) = waiting.pop() {
            for (_, to) in edges.iter().filter(|(from, _)| *from == node) {
                if seen.insert(to.clone()) {
                    waiting.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        edges.iter().map(|(from, _)| (from, reachable(from))).collect();
    let around = |node: &String| -> BTreeSet<String> {
        let back = |other: &&String| reached.get(*other).is_some_and(|r| r.contains(node));
        reached[node].iter().filter(back).cloned().collect()
    };
    let found: BTreeSet<BTreeSet<String>> = reached.keys().map(|node| around(node)).collect();
    found.into_iter().filter(|circle| !circle.is_empty()).collect()
}
