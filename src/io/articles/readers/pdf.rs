//! PDF files, whose text the program `pdftotext` of poppler finds: it has been fed broken files for
//! two decades, and runs in a process of its own, with bounds of its own.

use super::super::reader::{Contents, Reader};
use crate::types::{Format, Markup};
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub(super) const READER: Reader =
    Reader::whole(Format::Pdf, &["pdf"], |head| head.starts_with(b"%PDF-"), read);

/// The program.
const PROGRAM: &str = "pdftotext";
/// Longest time that it is given for one file.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most bytes that it may say of a file's pages: some thousand pages.
const MOST_OUTPUT: u64 = 256 << 20;
/// Most memory that it may take, in KiB.
#[cfg(unix)]
const MOST_MEMORY: &str = "2097152";

fn read(bytes: Vec<u8>, _: &mut Vec<String>) -> Result<Contents, String> {
    if !bytes.windows(5).take(1024).any(|start| start == b"%PDF-") {
        return Err("expected a PDF file, found no %PDF- at its start".into());
    }
    let failed = |e: io::Error| format!("could not be handed to {PROGRAM}: {e}");
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    drop(bytes);
    let child = command(file.path().as_os_str()).spawn().map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => missing(),
        _ => failed(e),
    })?;
    let text = answer(child, PATIENCE)?;
    // Every word of every page is such an element.
    if !text.contains("<word") {
        return Err("holds pictures of pages and no text; expected text. Recognize it first \
            (OCR), with ocrmypdf for example"
            .into());
    }
    Ok(Contents::of_text(text, Markup::Pages))
}

/// The program's call for a file, with less memory than the machine has where that can be said.
fn command(file: &std::ffi::OsStr) -> Command {
    #[cfg(unix)]
    let mut command = {
        let mut command = Command::new("/bin/sh");
        let limited = "ulimit -v \"$1\" 2>/dev/null; shift; exec \"$@\"";
        command.args(["-c", limited, "sh", MOST_MEMORY, PROGRAM]);
        command
    };
    #[cfg(not(unix))]
    let mut command = Command::new(PROGRAM);
    command.args(["-bbox-layout", "-enc", "UTF-8"]).arg(file).arg("-");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a program writes.
fn answer(mut child: Child, patience: Duration) -> Result<String, String> {
    let (send, receive) = mpsc::channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Both pipes are emptied, or a program that complains much would wait for ever.
    let errors = thread::spawn(move || {
        let mut errors = Vec::new();
        let mut stderr = stderr?;
        stderr.by_ref().take(4096).read_to_end(&mut errors).ok()?;
        io::copy(&mut stderr, &mut io::sink()).ok()?;
        Some(String::from_utf8_lossy(&errors).into_owned())
    });
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map(|out| out.take(MOST_OUTPUT + 1).read_to_end(&mut text));
        // Nobody waits any more where time was over.
        let _ = send.send(read.transpose().map(|_| text));
    });
    let text = receive.recv_timeout(patience);
    let is_too_much = matches!(&text, Ok(Ok(text)) if text.len() as u64 > MOST_OUTPUT);
    if is_too_much || text.is_err() {
        // It may have ended meanwhile.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| format!("could not be read by {PROGRAM}: {e}"))?;
    let errors = errors.join().ok().flatten().unwrap_or_default();
    match text {
        _ if is_too_much => Err(format!(
            "has more text than {} MB with its places, the limit for one PDF; divide it",
            MOST_OUTPUT >> 20
        )),
        Err(_) => {
            let seconds = patience.as_secs();
            Err(format!("took {PROGRAM} longer than {seconds} seconds, the limit for one PDF"))
        }
        Ok(Err(e)) => Err(format!("could not be read by {PROGRAM}: {e}")),
        // The shell's word for a program that is not there.
        Ok(Ok(_)) if status.code() == Some(127) => Err(missing()),
        Ok(Ok(_)) if errors.contains("Incorrect password") => {
            Err("is protected by a password; save it without one".into())
        }
        Ok(Ok(text)) if status.success() => Ok(String::from_utf8_lossy(&text).into_owned()),
        Ok(Ok(_)) => {
            let why = errors.lines().next().unwrap_or("it does not say why").trim();
            Err(format!("is no PDF file that can be read ({PROGRAM}: {why})"))
        }
    }
}

fn missing() -> String {
    format!(
        "is a PDF file, and {PROGRAM}, which reads them, is not on this machine; install poppler \
         (poppler-utils on Debian and Fedora, poppler with Homebrew)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn shell(script: &str) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_hangs_or_is_not_there() {
        let fails = |script: &str| answer(shell(script), Duration::from_secs(20)).unwrap_err();
        assert!(fails("exit 127").contains("poppler-utils"));
        assert!(fails("echo 'Syntax Error: no xref' >&2; exit 1").contains("no xref"));
        let locked = fails("echo 'Command Line Error: Incorrect password' >&2; exit 1");
        assert!(locked.contains("password"));
        // It complains more than a pipe holds.
        let loud = "i=0; while [ $i -lt 3000 ]; do echo 'a complaint of some length' >&2; i=$((i+1)); done; echo text";
        assert_eq!(answer(shell(loud), Duration::from_secs(20)).unwrap(), "text\n");
        let slow = answer(shell("exec sleep 60"), Duration::from_millis(200)).unwrap_err();
        assert!(slow.contains("longer"), "{slow}");
    }

    #[test]
    fn what_is_no_pdf() {
        let error = read(b"PK\x03\x04".to_vec(), &mut Vec::new()).unwrap_err();
        assert!(error.contains("%PDF-"), "{error}");
    }
}
