//! A small server that speaks as much of the Hub's protocol as fetching needs, and a pip that
//! copies from a folder.

mod mozilla;

pub use mozilla::{Mozilla, gz, plain, zst};

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// One request, as far as the tests look at it.
pub struct Request {
    pub method: String,
    pub path: String,
    pub range: Option<u64>,
    pub etag: Option<String>,
}

/// An answer; `cut` closes the connection after so many bytes of the body.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub cut: Option<usize>,
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    /// The file as the Hub gives it: whole, or from the byte that was asked for.
    pub fn file(content: &[u8], request: &Request) -> Reply {
        let from = request.range.unwrap_or(0) as usize;
        let mut reply = Reply::status(if request.range.is_some() { 206 } else { 200 });
        reply.body = content[from.min(content.len())..].to_vec();
        reply.headers.push(("ETag".into(), format!("\"{}\"", sha256(content))));
        reply.headers.push(("X-Repo-Commit".into(), "c".repeat(40)));
        if from > 0 {
            reply.headers.push((
                "Content-Range".into(),
                format!("bytes {from}-{}/{}", content.len() - 1, content.len()),
            ));
        }
        reply
    }

    pub fn json(text: &str) -> Reply {
        Reply {
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: text.into(),
            ..Reply::status(200)
        }
    }

    pub fn redirect(to: &str) -> Reply {
        Reply { headers: vec![("Location".into(), to.into())], ..Reply::status(302) }
    }

    pub fn cut(self, after: usize) -> Reply {
        Reply { cut: Some(after), ..self }
    }
}

/// The server; lives as long as the test's process.
pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, kept) = (Arc::new(answer), log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, kept) = (answer.clone(), kept.clone());
                std::thread::spawn(move || serve(stream, &*answer, &kept));
            }
        });
        Server { url, log }
    }

    /// What was asked, as `GET /path from 17`.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub fn gets(&self) -> Vec<String> {
        self.log().into_iter().filter(|line| line.starts_with("GET")).collect()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
    log: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    let mut words = first.split(' ').map(str::to_string);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut range, mut etag) = (None, None);
    for line in lines.lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(from) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = from.split('-').next().and_then(|n| n.parse().ok());
        }
        if let Some(("if-none-match", tag)) = line.to_ascii_lowercase().split_once(": ") {
            etag = Some(tag.to_string());
        }
    }
    log.lock().unwrap().push(format!(
        "{method} {path}{}",
        range.map(|n| format!(" from {n}")).unwrap_or_default()
    ));
    let request = Request { method, path, range, etag };
    let reply = answer(&request);
    let mut head = format!(
        "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    if request.method == "GET" {
        let end = reply.cut.unwrap_or(reply.body.len()).min(reply.body.len());
        let _ = stream.write_all(&reply.body[..end]);
    }
    let _ = stream.flush();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 16]);
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Bytes that do not repeat and do not pack away to nothing.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A wheel with those members.
pub fn wheel(path: &Path, members: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// A pip that finds `name==version.whl` in a folder, and writes down how it was called.
pub struct Pip {
    dir: tempfile::TempDir,
}

impl Pip {
    pub fn new() -> Pip {
        let pip = Pip { dir: tempfile::tempdir().unwrap() };
        let script = r#"
here=$(dirname "$0")
echo "$@" >> "$here/log"
[ "$1" = --version ] && exit 0
while [ $# -gt 1 ]; do
  [ "$1" = --dest ] && dest=$2
  shift
done
[ -f "$here/slow" ] && { echo $$ > "$here/pid"; exec sleep 60; }
[ -f "$here/$1.whl" ] && exec cp "$here/$1.whl" "$dest/"
echo "ERROR: No matching distribution found for $1" >&2
exit 1
"#;
        std::fs::write(pip.path("pip.sh"), script).unwrap();
        pip
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self) -> Vec<String> {
        vec!["sh".into(), self.path("pip.sh").display().to_string()]
    }

    /// The packages that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines()
            .filter(|l| l.starts_with("download"))
            .filter_map(|l| l.split(' ').next_back())
            .map(str::to_string)
            .collect()
    }
}

/// A Hub that holds files at `/owner/name/resolve/REVISION/path`, and whatever the map says for
/// other paths.
pub fn hub(files: HashMap<String, Vec<u8>>, others: HashMap<String, String>) -> Server {
    Server::start(move |request| {
        let path = request.path.split('?').next().unwrap_or_default();
        match (files.get(path), others.get(path)) {
            (Some(content), _) => Reply::file(content, request),
            (None, Some(json)) => Reply::json(json),
            _ => Reply::status(404),
        }
    })
}

/// A repository as a [`hub`] serves it at one commit: its files, and what the Hub's interface says
/// of them, with checksums of the large ones.
#[derive(Default)]
pub struct Repositories {
    pub files: HashMap<String, Vec<u8>>,
    pub others: HashMap<String, String>,
}

impl Repositories {
    /// Adds a repository; `revision` is the name by which its commit can be asked for.
    pub fn add(
        &mut self,
        name: &str,
        revision: &str,
        commit: &str,
        licence: &str,
        files: &[(&str, &[u8])],
    ) {
        let entry = |(path, bytes): &(&str, &[u8])| {
            let lfs = match bytes.len() {
                0..=999 => String::new(),
                size => format!(
                    ",\"lfs\":{{\"oid\":\"{}\",\"size\":{size},\"pointerSize\":134}}",
                    sha256(bytes)
                ),
            };
            format!(
                "{{\"type\":\"file\",\"oid\":\"0\",\"size\":{},\"path\":{path:?}{lfs}}}",
                bytes.len()
            )
        };
        let entries: Vec<String> = files.iter().map(entry).collect();
        let info = format!(
            "{{\"id\":{name:?},\"sha\":{commit:?},\"cardData\":{{\"license\":{licence:?}}}}}"
        );
        let base = format!("/api/models/{name}");
        self.others.insert(format!("{base}/revision/{revision}"), info);
        self.others.insert(format!("{base}/tree/{commit}"), format!("[{}]", entries.join(",")));
        let at = |path: &str| format!("/{name}/resolve/{commit}/{path}");
        self.files.extend(files.iter().map(|(path, bytes)| (at(path), bytes.to_vec())));
    }

    pub fn serve(self) -> Server {
        hub(self.files, self.others)
    }
}
