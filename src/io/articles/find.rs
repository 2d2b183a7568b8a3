//! The files that a run reads: inputs in the order given, those of a folder sorted by path, every
//! real file once.

use super::file::{FoundFile, STDIN, shown};
use super::readers;
use crate::error::{Error, Result};
use crate::types::Format;
use globset::{GlobBuilder, GlobMatcher};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A selection of files in folders. Files that are named themselves are always taken.
#[derive(Clone, Debug, Default)]
pub struct FindOptions {
    /// Only files that match this glob: by name, or by the path below the input folder when it has
    /// a `/`.
    pub pattern: Option<String>,
    /// Folders that are not entered: the output folder, so that a run never reads its own results.
    pub exclude: Vec<PathBuf>,
}

/// The result of [`find`].
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files to read, in order.
    pub files: Vec<FoundFile>,
    /// Files and folders that were left out, and why.
    pub skipped: Vec<Skipped>,
}

/// A file or folder that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub path: PathBuf,
    /// The reason, as a phrase that follows the path.
    pub reason: String,
}

/// Finds the articles' files below `inputs`: files, folders (recursive), or `-` for standard input.
///
/// Hidden files in folders are passed over. Symbolic links are followed, each real file and folder
/// is taken once, so loops end. Files with an unknown extension, links to nothing and folders that
/// cannot be opened are reported in [`Found::skipped`]. An input that does not exist is an error,
/// as is an excluded folder that is itself an input.
pub fn find(inputs: &[PathBuf], options: &FindOptions) -> Result<Found> {
    let pattern = options.pattern.as_deref().map(matcher).transpose()?;
    // A folder that does not exist yet has nothing to exclude.
    let exclude = options.exclude.iter().filter_map(|p| p.canonicalize().ok()).collect();
    let mut search =
        Search { pattern, exclude, seen: HashSet::new(), found: Vec::new(), skipped: Vec::new() };
    for input in inputs {
        search.input(input)?;
    }
    let ids = distinct(&search.found);
    let files = search
        .found
        .into_iter()
        .zip(ids)
        .map(|(file, id)| FoundFile { path: file.path, id, format: file.format, copy_of: None })
        .collect();
    Ok(Found { files, skipped: search.skipped })
}

/// A file of this name whose bytes are at hand, as a client sends one; nothing is looked for on the
/// disk.
pub fn at_hand(name: &str) -> FoundFile {
    FoundFile {
        path: PathBuf::from(name),
        id: name.into(),
        format: readers::of_name(name),
        copy_of: None,
    }
}

fn matcher(pattern: &str) -> Result<GlobMatcher> {
    let whole = if pattern.contains('/') {
        pattern.trim_start_matches("./").to_string()
    } else {
        format!("**/{pattern}")
    };
    let glob = GlobBuilder::new(&whole).literal_separator(true).build();
    glob.map(|g| g.compile_matcher()).map_err(|e| {
        Error::Usage(format!("pattern `{pattern}`: {}; expected a glob such as `*.txt`, `2024-*/**/*.html` or `*.{{md,txt}}`", e.kind()))
    })
}

/// A file before it has its id.
struct Candidate {
    path: PathBuf,
    /// Folders above the one that was given as input, nearest last: what an id is prefixed with
    /// when it is not unique.
    above: Vec<String>,
    /// Path below the input folder.
    below: String,
    format: Option<Format>,
}

struct Search {
    pattern: Option<GlobMatcher>,
    exclude: Vec<PathBuf>,
    /// Real paths of all files and folders that were taken.
    seen: HashSet<PathBuf>,
    found: Vec<Candidate>,
    skipped: Vec<Skipped>,
}

impl Search {
    fn skip(&mut self, path: impl Into<PathBuf>, reason: impl Into<String>) {
        self.skipped.push(Skipped { path: path.into(), reason: reason.into() });
    }

    fn input(&mut self, input: &Path) -> Result<()> {
        if input == Path::new("-") {
            if self.seen.insert(input.to_path_buf()) {
                self.found.push(Candidate {
                    path: input.to_path_buf(),
                    above: Vec::new(),
                    below: STDIN.into(),
                    format: None,
                });
            }
            return Ok(());
        }
        let kind = fs::metadata(input).map_err(Error::io("reading", input))?;
        // A pipe (`<(command)`) has no real path.
        let real = input.canonicalize().unwrap_or_else(|_| input.to_path_buf());
        if kind.is_dir() {
            if self.exclude.contains(&real) {
                let input = input.display();
                return Err(Error::Usage(format!(
                    "{input} is both an input and the output folder; the next run would read its own results: name another output folder"
                )));
            }
            fs::read_dir(input).map_err(Error::io("reading the folder", input))?;
            self.folder(input, real);
        } else if self.seen.insert(real.clone()) {
            let below =
                input.file_name().map_or_else(|| shown(input), |name| shown(Path::new(name)));
            let format = readers::of_name(&below);
            self.found.push(Candidate {
                path: input.to_path_buf(),
                above: real.parent().map(parts).unwrap_or_default(),
                below,
                format,
            });
        } else {
            self.skip(input, "was found already");
        }
        Ok(())
    }

    /// Takes a folder's files, and then what its symbolic links lead to: a real file or folder wins
    /// over a link to it.
    fn folder(&mut self, input: &Path, real: PathBuf) {
        let above = parts(&real);
        let first = self.found.len();
        let mut waiting = VecDeque::from([(input.to_path_buf(), real)]);
        while let Some((path, real)) = waiting.pop_front() {
            let kind = match fs::metadata(&path) {
                Ok(kind) => kind,
                Err(e) => {
                    self.skip(path, format!("leads nowhere: {e}"));
                    continue;
                }
            };
            if !kind.is_dir() {
                self.file(input, &above, path, real, kind.is_file());
                continue;
            }
            if !self.seen.insert(real.clone()) {
                self.skip(path, "leads to a folder that is read already");
                continue;
            }
            let start = path;
            // The start itself may be a link.
            let mut walk = WalkDir::new(&start).min_depth(1).into_iter();
            while let Some(entry) = walk.next() {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(e) => {
                        let path = e.path().unwrap_or(&start).to_path_buf();
                        let reason =
                            e.io_error().map_or_else(|| e.to_string(), ToString::to_string);
                        self.skip(path, format!("could not be read: {reason}"));
                        continue;
                    }
                };
                let kind = entry.file_type();
                let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                // Nothing between `start` and the entry is a link, so its real path needs no
                // look-up.
                let place = real.join(entry.path().strip_prefix(&start).unwrap_or(entry.path()));
                if kind.is_dir() {
                    if hidden || self.exclude.contains(&place) || !self.seen.insert(place) {
                        walk.skip_current_dir();
                    }
                } else if hidden {
                } else if kind.is_symlink() {
                    match entry.path().canonicalize() {
                        Ok(target) if self.exclude.iter().any(|x| target.starts_with(x)) => {}
                        Ok(target) => waiting.push_back((entry.into_path(), target)),
                        Err(e) => self.skip(entry.into_path(), format!("leads nowhere: {e}")),
                    }
                } else {
                    self.file(input, &above, entry.into_path(), place, kind.is_file());
                }
            }
        }
        self.found[first..]
            .sort_by(|a, b| natural(&a.below, &b.below).then_with(|| a.path.cmp(&b.path)));
        self.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    }

    fn file(
        &mut self,
        input: &Path,
        above: &[String],
        path: PathBuf,
        real: PathBuf,
        regular: bool,
    ) {
        let relative = path.strip_prefix(input).unwrap_or(&path);
        if self.pattern.as_ref().is_some_and(|p| !p.is_match(relative)) {
            return;
        }
        let below = shown(relative);
        let format = readers::of_name(below.rsplit('/').next().unwrap_or(&below));
        if !regular {
            self.skip(path, "is no regular file");
        } else if format.is_none() {
            self.skip(path, format!("has an unknown extension; expected {}; name the file itself to read it all the same", readers::all_extensions()));
        } else if self.seen.insert(real) {
            self.found.push(Candidate { path, above: above.to_vec(), below, format });
        } else {
            self.skip(path, "is a file that was found already");
        }
    }
}

fn parts(path: &Path) -> Vec<String> {
    path.components().map(|c| shown(Path::new(c.as_os_str()))).filter(|c| c != "/").collect()
}

/// Ids for all candidates: the path below the input, and where two are equal as many folders before
/// it as tell them apart.
fn distinct(found: &[Candidate]) -> Vec<String> {
    let mut depth = vec![0usize; found.len()];
    loop {
        let ids: Vec<String> = found
            .iter()
            .zip(&depth)
            .map(|(file, &depth)| {
                let prefix = &file.above[file.above.len().saturating_sub(depth)..];
                prefix
                    .iter()
                    .map(String::as_str)
                    .chain([file.below.as_str()])
                    .collect::<Vec<_>>()
                    .join("/")
            })
            .collect();
        let mut count: HashMap<&str, usize> = HashMap::new();
        for id in &ids {
            *count.entry(id).or_default() += 1;
        }
        let mut changed = false;
        for (i, id) in ids.iter().enumerate() {
            if count[id.as_str()] > 1 && depth[i] < found[i].above.len() {
                depth[i] += 1;
                changed = true;
            }
        }
        if !changed {
            return numbered(ids);
        }
    }
}

/// The last resort for names that differ only in bytes that are no text: `~2`, `~3` … in order.
fn numbered(ids: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let all: HashSet<String> = ids.iter().cloned().collect();
    ids.into_iter()
        .map(|id| {
            let free = if taken.contains(&id) {
                (2..)
                    .map(|n| format!("{id}~{n}"))
                    .find(|x| !taken.contains(x) && !all.contains(x))
                    .unwrap_or_else(|| id.clone())
            } else {
                id
            };
            taken.insert(free.clone());
            free
        })
        .collect()
}

/// Order of paths as people count: part by part, `a2` before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let by_part = a.split('/').map(pieces).cmp(b.split('/').map(pieces));
    by_part.then_with(|| a.cmp(b))
}

/// Runs of ASCII digits as (number of digits without leading zeros, digits), so that they compare
/// by value; other characters singly.
fn pieces(part: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut rest = part;
    while let Some(c) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let end = if digits > 0 { digits } else { c.len_utf8() };
        let (piece, tail) = rest.split_at(end);
        let value = if digits > 0 { piece.trim_start_matches('0') } else { piece };
        out.push((if digits > 0 { value.len() } else { usize::MAX }, value));
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        dir
    }

    fn ids(found: &Found) -> Vec<&str> {
        found.files.iter().map(|f| f.id.as_str()).collect()
    }

    #[test]
    fn a_folder_in_natural_order_without_what_is_hidden_or_unknown() {
        let odd = "odd/it's \"a\" 😀\nname.txt";
        let dir = tree(&[
            "a10.txt",
            "a2.txt",
            "sub/x.md.gz",
            "sub/.hidden.txt",
            ".git/y.txt",
            "out/a.txt.en.md",
            "pic.jpeg",
            odd,
        ]);
        let options =
            FindOptions { exclude: vec![dir.path().join("out")], ..FindOptions::default() };
        let found = find(&[dir.path().to_path_buf()], &options).unwrap();
        assert_eq!(ids(&found), ["a2.txt", "a10.txt", odd, "sub/x.md.gz"]);
        assert_eq!(found.skipped.len(), 1);
        assert!(found.skipped[0].reason.contains("unknown extension"));
        // Named itself, it is read.
        let found =
            find(&[dir.path().join("pic.jpeg"), dir.path().join("sub/.hidden.txt")], &options)
                .unwrap();
        assert_eq!(ids(&found), ["pic.jpeg", ".hidden.txt"]);
        assert_eq!((found.files[0].format, found.files[1].format), (None, Some(Format::Text)));
    }

    #[test]
    fn patterns_match_names_or_paths() {
        let dir = tree(&["a.txt", "b.md", "sub/c.txt", "sub/deep/d.txt"]);
        let with = |pattern: &str| {
            let options = FindOptions { pattern: Some(pattern.into()), ..FindOptions::default() };
            find(&[dir.path().to_path_buf()], &options)
                .map(|f| f.files.into_iter().map(|f| f.id).collect::<Vec<_>>())
        };
        assert_eq!(with("*.txt").unwrap(), ["a.txt", "sub/c.txt", "sub/deep/d.txt"]);
        assert_eq!(with("sub/*.txt").unwrap(), ["sub/c.txt"]);
        assert_eq!(with("{a,b}.*").unwrap(), ["a.txt", "b.md"]);
        assert!(matches!(with("a[").unwrap_err(), Error::Usage(_)));
    }

    #[test]
    fn equal_names_get_their_folders_and_files_are_taken_once() {
        let dir = tree(&["p/a/x.txt", "q/a/x.txt", "q/a/y.txt"]);
        let at = |p: &str| dir.path().join(p);
        let found =
            find(&[at("p/a"), at("q/a"), at("q/a/x.txt")], &FindOptions::default()).unwrap();
        assert_eq!(ids(&found), ["p/a/x.txt", "q/a/x.txt", "y.txt"]);
        assert_eq!(found.skipped.len(), 1);
        let swapped = find(&[at("q/a"), at("p/a")], &FindOptions::default()).unwrap();
        assert_eq!(ids(&swapped), ["q/a/x.txt", "y.txt", "p/a/x.txt"]);
    }

    #[test]
    fn inputs_that_make_no_sense_are_errors() {
        let dir = tree(&["a.txt"]);
        let missing = find(&[dir.path().join("none")], &FindOptions::default()).unwrap_err();
        assert!(matches!(missing, Error::Io { .. }) && missing.to_string().contains("none"));
        let own = FindOptions { exclude: vec![dir.path().to_path_buf()], ..FindOptions::default() };
        assert!(matches!(find(&[dir.path().to_path_buf()], &own), Err(Error::Usage(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_end() {
        use std::os::unix::fs::symlink;
        let dir = tree(&["in/z/real.txt", "elsewhere/far.txt"]);
        let at = |p: &str| dir.path().join(p);
        symlink("..", at("in/z/loop")).unwrap();
        symlink(at("in/z"), at("in/again")).unwrap();
        symlink(at("in/z/real.txt"), at("in/a-link.txt")).unwrap();
        symlink(at("elsewhere"), at("in/linked")).unwrap();
        symlink(at("in"), at("elsewhere/back")).unwrap();
        symlink("nowhere", at("in/broken.txt")).unwrap();
        let found = find(&[at("in")], &FindOptions::default()).unwrap();
        assert_eq!(ids(&found), ["linked/far.txt", "z/real.txt"]);
        assert_eq!(found.skipped.len(), 5, "{:?}", found.skipped);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tree(&["%FF.txt"]);
        for name in [b"\xFF.txt", b"\xFE.txt"] {
            fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "text").unwrap();
        }
        let found = find(&[dir.path().to_path_buf()], &FindOptions::default()).unwrap();
        let mut ids = ids(&found);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{ids:?}");
        assert!(ids.iter().any(|id| id.contains("%FE.txt")));
    }
}
