//! The server as a child process, and a client that says exactly what it is told to.

use crate::common::Sandbox;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A server that runs until this is dropped.
pub struct Serving {
    pub sandbox: Sandbox,
    pub address: String,
    child: Mutex<Child>,
    said: Arc<Mutex<String>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Serving {
    /// With the tiny models, once they are open.
    pub fn start(flags: &str) -> Serving {
        Serving::start_in(Sandbox::new(), flags, &[])
    }

    pub fn start_in(sandbox: Sandbox, flags: &str, variables: &[(&str, &str)]) -> Serving {
        let mut command = sandbox.command(&format!("serve --port 0 {flags}"));
        command.envs(variables.iter().copied()).env_remove("POLYGIST_API_KEY");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        let address = loop {
            let before = first.len();
            assert!(lines.read_line(&mut first).unwrap() > 0, "it ended: {first}");
            if let Some((_, address)) = first[before..].split_once("listening on http://") {
                break address.trim().to_string();
            }
        };
        let said = Arc::new(Mutex::new(first));
        let heard = said.clone();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                heard.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let serving = Serving { sandbox, address, child: Mutex::new(child), said };
        let begun = Instant::now();
        while serving.get("/ready").status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(100), "not ready: {}", serving.said());
            thread::sleep(Duration::from_millis(20));
        }
        serving
    }

    /// What it has said on standard error.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        let head =
            if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        self.request("POST", path, &head, body.as_bytes())
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", &body.to_string())
    }

    /// A form of fields and files: names of fields, names of files or none, contents.
    pub fn post_parts(&self, path: &str, parts: &[(&str, &str, &str)]) -> Answer {
        let (kind, body) = multipart(parts);
        self.request("POST", path, &format!("Content-Type: {kind}\r\n"), &body)
    }

    pub fn request(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        self.raw_request(method, path, &format!("Host: {}\r\n{head}", self.address), body)
    }

    /// A request with exactly this head, its length apart.
    pub fn raw_request(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        self.send_bytes(&[head.as_bytes(), body].concat())
    }

    /// Sends this and nothing else.
    pub fn send(&self, text: &str) -> Answer {
        self.send_bytes(text.as_bytes())
    }

    fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that has read enough may answer before it has all.
        let _ = stream.write_all(bytes);
        Answer::read(&mut stream)
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let id = self.child.lock().unwrap().id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end: the exit code, and what it said.
    #[cfg(unix)]
    pub fn ended(&self) -> (Option<i32>, String) {
        let code = self.child.lock().unwrap().wait().unwrap().code();
        // The thread that listens has the rest in a moment.
        let begun = Instant::now();
        while !self.said().contains("stopped") && begun.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(10));
        }
        (code, self.said())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
        let said = self.said.lock().unwrap();
        assert!(thread::panicking() || !said.contains("panicked"), "{said}");
    }
}

impl Answer {
    /// Reads an answer: its head, and a body of a length, in chunks, or up to the end.
    fn read(stream: &mut TcpStream) -> Answer {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut answer = Answer { status, head, body: String::new() };
        let mut body = Vec::new();
        if answer.header("transfer-encoding") == "chunked" {
            loop {
                let mut size = String::new();
                reader.read_line(&mut size).unwrap();
                let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
                reader.by_ref().take(size).read_to_end(&mut body).unwrap();
                reader.read_line(&mut String::new()).unwrap();
                if size == 0 {
                    break;
                }
            }
        } else if let Ok(length) = answer.header("content-length").parse() {
            let _ = reader.take(length).read_to_end(&mut body);
        }
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// The value of a line of its head; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map_or(String::new(), |(_, value)| value.to_string())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self))
    }

    /// The JSON of an answer that has this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        self.expect_status(status);
        self.json()
    }

    #[track_caller]
    pub fn expect_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
    }
}

/// A form as browsers write it: its type and its body.
fn multipart(parts: &[(&str, &str, &str)]) -> (String, Vec<u8>) {
    let boundary = "----0123456789abcdef";
    let mut body = String::new();
    for (field, file, text) in parts {
        let file = match *field == "file" {
            true => format!("; filename=\"{}\"", file.replace('\\', "\\\\")),
            false => String::new(),
        };
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"{file}\r\n\r\n{text}\r\n"
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
}
