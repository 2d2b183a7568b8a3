//! Results out: where each article's file goes, and files that are either whole or not there.

use super::articles::{holds_several, plain_name};
use super::files::sha256_hex;
use crate::error::{Error, Result};
use crate::types::Lang;
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::NamedTempFile;
use unicode_normalization::UnicodeNormalization;

/// Start and end of the names of files that are not finished; what a killed run leaves behind is
/// told by them.
pub(super) const UNFINISHED: (&str, &str) = (".polygist-", ".tmp");

/// Files that are waited for at once, at most.
const SYNCS: usize = 16;

/// Longest part of a path in bytes, with room to 255 for what is added to it.
const LONGEST: usize = 160;

/// Writes `bytes` to `path` so that at any moment, a crash included, there is the old file or the
/// new one, whole. Missing folders are made.
pub fn atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic_with(path, |out| out.write_all(bytes))
}

/// [`atomic`] for what is written often and need not last over a power cut.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let put = || {
        let mut file = unfinished_file(folder_of(path))?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    put().map_err(Error::io("writing", path))
}

/// [`atomic`] for what is written piece by piece.
pub fn atomic_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
    let put = || {
        let mut out = BufWriter::new(unfinished_file(folder)?);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        sync_folder(folder)
    };
    put().map_err(Error::io("writing", path))
}

/// Files that are to last over a power cut from the same moment on: waiting for the disk takes as
/// long for many of them as for one.
#[derive(Debug, Default)]
pub struct Files(Vec<(PathBuf, NamedTempFile)>);

impl Files {
    /// Writes a file that is to be at `path`, where [`Files::put`] puts it. Missing folders are
    /// made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        let folder = folder_of(&path);
        fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
        let write = || {
            let mut file = unfinished_file(folder)?;
            file.write_all(bytes)?;
            Ok(file)
        };
        let file = write().map_err(Error::io("writing", &path))?;
        self.0.push((path, file));
        Ok(())
    }

    /// Puts the files where they belong; then they last. At any moment, a crash included, there is
    /// the old file or the new one, whole.
    ///
    /// # Errors
    /// When one of them cannot be put there.
    pub fn put(self) -> Result<()> {
        let sync = |files: &[(PathBuf, NamedTempFile)]| {
            let sync = |(path, file): &(PathBuf, NamedTempFile)| {
                file.as_file().sync_all().map_err(Error::io("writing", path))
            };
            files.iter().try_for_each(sync)
        };
        // Most file systems write at once what is waited for at once.
        let share = self.0.len().div_ceil(SYNCS).max(1);
        thread::scope(|scope| {
            let waiting: Vec<_> =
                self.0.chunks(share).skip(1).map(|part| scope.spawn(move || sync(part))).collect();
            self.0.chunks(share).next().map_or(Ok(()), sync)?;
            waiting.into_iter().try_for_each(|part| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        let mut folders = BTreeSet::new();
        for (path, file) in self.0 {
            file.persist(&path).map_err(|e| Error::io("writing", &path)(e.error))?;
            folders.insert(folder_of(&path).to_path_buf());
        }
        let sync = |folder: &PathBuf| sync_folder(folder).map_err(Error::io("writing in", folder));
        folders.iter().try_for_each(sync)
    }
}

/// The folder of a file; the parent of a bare file name is the empty path.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What makes files and folders that go when they are dropped, or when the next run finds them;
/// `mode` is for Unix, before the umask.
fn unfinished(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED.0).suffix(UNFINISHED.1);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

fn unfinished_file(folder: &Path) -> io::Result<NamedTempFile> {
    unfinished(0o666).tempfile_in(folder)
}

/// Writes several files of a folder that belong together, each [`atomic`]ally. `write` gets what
/// makes a file of a name, a path below the folder, and flushes each; the files get their names
/// when all of them are whole, the first one last. Returns the names.
///
/// # Errors
/// When one of them cannot be written: then none is.
pub fn atomic_pages(
    folder: &Path,
    write: impl FnOnce(&mut dyn FnMut(&str) -> io::Result<Box<dyn Write>>) -> io::Result<()>,
) -> Result<Vec<String>> {
    fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
    let mut pages: Vec<(String, tempfile::TempPath)> = Vec::new();
    let mut open = |name: &str| {
        let (file, place) = unfinished_file(folder)?.into_parts();
        pages.push((name.into(), place));
        Ok(Box::new(BufWriter::new(file)) as Box<dyn Write>)
    };
    write(&mut open).map_err(Error::io("writing in", folder))?;
    let mut names = Vec::new();
    for (name, place) in pages.into_iter().rev() {
        let path = folder.join(&name);
        let put = || {
            File::options().write(true).open(&place)?.sync_all()?;
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent)?;
            place.persist(&path).map_err(|e| e.error)?;
            sync_folder(parent)
        };
        put().map_err(Error::io("writing", &path))?;
        names.push(name);
    }
    Ok(names)
}

/// Makes a folder with all that `write` puts into it: it is there whole, or not at all. There may
/// be an empty folder in its place.
///
/// # Errors
/// When there is something in its place, or it cannot be written; and what `write` returns.
pub fn folder_with<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let above = folder_of(path);
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::io("reading the folder", path)(e)),
        Ok(false) => {
            let path = path.display();
            let message = format!("{path} holds something already; name a folder that is new");
            return Err(Error::Usage(message));
        }
    }
    fs::create_dir_all(above).map_err(Error::io("creating the folder", above))?;
    let folder = unfinished(0o777).tempdir_in(above);
    let folder = folder.map_err(Error::io("creating a folder in", above))?;
    let written = write(folder.path())?;
    let put = || {
        // Some systems put no folder in the place of another.
        let _ = fs::remove_dir(path);
        fs::rename(folder.path(), path)?;
        sync_folder(above)
    };
    put().map_err(Error::io("writing", path))?;
    // It has another name by now.
    let _ = folder.keep();
    Ok(written)
}

/// Copies a file, so that there is the whole copy or none. On one disk it is the same file under
/// two names: [`atomic`] puts another in the place of one of them, and never changes it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
    match fs::remove_file(to) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("replacing", to)(e)),
        _ => {}
    }
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let mut file = File::open(from).map_err(Error::io("reading", from))?;
    atomic_with(to, |out| io::copy(&mut file, out).map(drop))
}

/// Makes a rename in the folder last. Windows has no such call.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Where the articles of a run go: the input tree mirrored, each article in a file of its own.
///
/// The file's whole name is kept (`news/a.html` → `news/a.html.en.md`), so a name depends on
/// nothing but the article's id: it is the same whatever other files there are, and `a.txt` and
/// `a.html` stay apart. What some file system does not allow is replaced, and the name then ends in
/// a hash of the id.
#[derive(Clone, Debug)]
pub struct OutputNames {
    /// Extension of the files, without the dot.
    extension: &'static str,
    /// Ids of files, folded, that a file system without case would mix up.
    clashing: HashSet<String>,
}

impl OutputNames {
    /// Names for a run that reads the files of these ids and writes files with this extension.
    pub fn new<'a>(file_ids: impl IntoIterator<Item = &'a str>, extension: &'static str) -> Self {
        let mut seen = HashSet::new();
        let mut clashing = HashSet::new();
        for id in file_ids {
            let folded = fold(id);
            if !seen.insert(folded.clone()) {
                clashing.insert(folded);
            }
        }
        OutputNames { extension, clashing }
    }

    /// Number of names that only a hash keeps apart.
    pub fn clashes(&self) -> usize {
        self.clashing.len()
    }

    /// The article's file below the output folder, with `/`; it never leaves that folder.
    pub fn name(&self, id: &str, language: &Lang) -> String {
        let (name, language) = self.parts(id, id, language);
        format!("{name}.{language}.{}", self.extension)
    }

    /// The file with source and translation side by side, with this extension, beside the
    /// article's: `news/a.txt` → `news/a.txt.en.bilingual.html`.
    pub fn bilingual(&self, id: &str, language: &Lang, extension: &str) -> String {
        let (name, language) = self.parts(id, id, language);
        format!("{name}.{language}.bilingual.{extension}")
    }

    /// The translated document of an article that is one, beside its file: `news/a.docx` →
    /// `news/a.en.docx`, whose name nothing but the ends of its own makes.
    pub fn document(&self, id: &str, language: &Lang) -> String {
        self.document_with(id, language, "")
    }

    /// The same in both languages: `news/a.en.bilingual.docx`.
    pub fn bilingual_document(&self, id: &str, language: &Lang) -> String {
        self.document_with(id, language, ".bilingual")
    }

    fn document_with(&self, id: &str, language: &Lang, mark: &str) -> String {
        let plain = plain_name(id);
        let file = plain.rsplit('/').next().unwrap_or(plain);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        let stem = plain.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.'));
        let (name, language) = self.parts(stem.unwrap_or(plain), id, language);
        let packed = if plain == id { "" } else { ".unpacked" };
        format!("{name}{packed}.{language}{mark}.{}", allowed(extension))
    }

    /// A name below the output folder for the file or article of this id, by a part of it; and the
    /// language as a part of a name.
    fn parts(&self, shown: &str, id: &str, language: &Lang) -> (String, String) {
        let (file, member) = if shown == id { split_member(id) } else { (shown, None) };
        let (folders, name) =
            file.rsplit_once('/').map_or((None, file), |(folders, name)| (Some(folders), name));
        let mut out = String::new();
        let mut end = 0;
        for folder in folders.into_iter().flat_map(|f| f.split('/')) {
            end += folder.len() + 1;
            out.push_str(&part(folder, &id[..end], false));
            out.push('/');
        }
        // The members of one file may differ in case only; nobody knows them beforehand.
        let twins = self.clashing.contains(&fold(if shown == id { file } else { id }))
            || member.is_some_and(|m| fold(m) != m);
        let name = member.map_or(name.to_string(), |member| format!("{name}#{member}"));
        out.push_str(&part(&name, id, twins));
        (out, allowed(language.as_str()))
    }
}

/// An id as a file system without case and with normalization sees it.
fn fold(id: &str) -> String {
    id.to_lowercase().nfc().collect()
}

/// Parts `a.jsonl#id` into the file and the article in it, whatever the article's own id holds.
fn split_member(id: &str) -> (&str, Option<&str>) {
    let split = id.match_indices('#').find(|(at, _)| holds_several(&id[..*at]));
    split.map_or((id, None), |(at, _)| (&id[..at], Some(&id[at + 1..])))
}

/// One part of a path that every file system takes; with a hash of `whole` where it had to be
/// changed or has a twin.
fn part(text: &str, whole: &str, twin: bool) -> String {
    let mut name = allowed(text);
    if name.chars().all(|c| c == '.') {
        name = "_".into();
    }
    if name.ends_with(['.', ' ']) {
        name.pop();
        name.push('_');
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = |s: &str| matches!(s, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$");
    let port = |s: &str| {
        (s.starts_with("COM") || s.starts_with("LPT"))
            && s.chars().count() == 4
            && s.ends_with(|c: char| c.is_ascii_digit() || "¹²³".contains(c))
    };
    if device(&stem) || port(&stem) {
        name.insert(0, '_');
    }
    while name.len() > LONGEST {
        name.pop();
    }
    if twin || name != text {
        name.push('-');
        name.push_str(&sha256_hex(whole.as_bytes())[..10]);
    }
    name
}

fn allowed(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || "/\\<>:\"|?*".contains(c) { '_' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> String {
        OutputNames::new([], "md").name(id, &Lang::en())
    }

    #[test]
    fn ordinary_names_stay_readable() {
        assert_eq!(name("news/2024/a.txt"), "news/2024/a.txt.en.md");
        assert_eq!(name("a.html"), "a.html.en.md");
        assert_eq!(name("it's a \u{1F600} C# story.md"), "it's a \u{1F600} C# story.md.en.md");
        assert_eq!(name("a.jsonl#17"), "a.jsonl#17.en.md");
    }

    #[test]
    fn documents_stand_beside_their_articles() {
        let names = OutputNames::new([], "md");
        let name = |id: &str| names.document(id, &Lang::en());
        assert_eq!(name("news/a.b.docx"), "news/a.b.en.docx");
        assert_eq!(name("a.srt.gz"), "a.unpacked.en.srt");
        let en = Lang::en();
        assert_eq!(names.bilingual_document("n/a.docx", &en), "n/a.en.bilingual.docx");
        assert_eq!(names.bilingual("n/a.txt", &en, "html"), "n/a.txt.en.bilingual.html");
        assert_ne!(name("a?.csv"), name("a*.csv"));
        let (up, root) = (name("../../x.csv"), name("/x.csv"));
        assert!(!up.contains("..") && !root.starts_with('/'), "{up} {root}");
    }

    #[test]
    fn no_name_leaves_the_folder_or_offends_a_file_system() {
        let long = "ж".repeat(300);
        for id in [
            "../../etc/passwd",
            "/etc/passwd",
            "a/../b",
            "c:\\x",
            "con.txt",
            "LPT1",
            "a\nb",
            "a\0b",
            "",
            ".",
            "dir./x",
            "q?.txt",
            "a.jsonl#../../x",
            "a.jsonl#https://x.org/a",
            &long,
        ] {
            let name = name(id);
            for part in name.split('/') {
                assert!(
                    !part.is_empty() && part != "." && part != ".." && part.len() <= 200,
                    "{id:?}: {name}"
                );
                assert!(
                    !part.contains(|c: char| c.is_control() || "\\<>:\"|?*".contains(c)),
                    "{id:?}: {name}"
                );
            }
            assert!(name.contains('-'), "{id:?}: {name} has no hash");
        }
        assert!(name("a.jsonl#https://x.org/a").starts_with("a.jsonl#https___x.org_a-"));
    }

    #[test]
    fn no_two_articles_share_a_file() {
        let ids = [
            "a.txt",
            "a.html",
            "A.txt",
            "a.jsonl#x",
            "a.jsonl#X",
            "a.jsonl#x/y",
            "a.jsonl#x_y",
            "q?.txt",
            "q*.txt",
            "q_.txt",
            "e\u{301}.txt",
            "é.txt",
            "a?/x.txt",
            "a*/x.txt",
            "a_/x.txt",
        ];
        let names = OutputNames::new(ids, "md");
        let all: HashSet<String> =
            ids.iter().map(|id| fold(&names.name(id, &Lang::en()))).collect();
        assert_eq!(all.len(), ids.len(), "{all:?}");
        // The order of the files makes no difference.
        let reversed = OutputNames::new(ids.into_iter().rev(), "md");
        assert!(ids.iter().all(|id| names.name(id, &Lang::en()) == reversed.name(id, &Lang::en())));
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/a.md");
        atomic(&path, b"one").unwrap();
        atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let failed = atomic_with(&path, |out| {
            out.write_all(b"thr")?;
            Err(io::Error::other("full"))
        });
        assert!(failed.unwrap_err().to_string().contains("full"));
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("a"), dir.path().join("b"));
        atomic(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(ours), mode(plain));
    }

    #[test]
    fn pages_are_replaced_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        let put = |names: &[&str], text: &str, fails: bool| {
            atomic_pages(folder.path(), |open| {
                for name in names {
                    let mut file = open(name)?;
                    file.write_all(text.as_bytes())?;
                    file.flush()?;
                }
                if fails { Err(io::Error::other("full")) } else { Ok(()) }
            })
        };
        assert_eq!(put(&["a.html", "in/1.html"], "old", false).unwrap(), ["in/1.html", "a.html"]);
        put(&["a.html", "in/1.html", "in/2.html"], "new", true).unwrap_err();
        assert_eq!((read("a.html"), read("in/1.html")), ("old".into(), "old".into()));
        put(&["a.html", "in/2.html"], "new", false).unwrap();
        let all = [read("a.html"), read("in/1.html"), read("in/2.html")];
        assert_eq!(all, ["new", "old", "new"]);
        // Nothing unfinished is left.
        assert_eq!(walkdir::WalkDir::new(folder.path()).into_iter().count(), 5);
    }

    #[test]
    fn files_that_are_put_together_are_all_there_and_none_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("3.md"), "old").unwrap();
        let mut files = Files::default();
        for number in 0..40 {
            let path = at(&format!("{}{number}.md", if number < 20 { "" } else { "in/" }));
            files.write(path, format!("text {number}").as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(at("3.md")).unwrap(), "old");
        assert!(!at("0.md").exists());
        files.put().unwrap();
        assert_eq!(fs::read_to_string(at("3.md")).unwrap(), "text 3");
        assert_eq!(fs::read_to_string(at("in/39.md")).unwrap(), "text 39");
        // Nothing unfinished is left, nor of files that are not put.
        Files::default().write(at("never.md"), b"x").unwrap();
        assert_eq!(walkdir::WalkDir::new(folder.path()).into_iter().count(), 42);
        // A folder in the place of one is an error that names it.
        let mut files = Files::default();
        files.write(at("in"), b"x").unwrap();
        assert!(files.put().unwrap_err().to_string().contains("in"));
        assert!(Files::default().put().is_ok());
    }
}
