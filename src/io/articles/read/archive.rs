//! The articles of an archive: those of its members, one after the other.

use super::{Articles, Stream, hash};
use crate::error::Error;
use crate::io::articles::file::FoundFile;
use crate::io::articles::options::ReadOptions;
use crate::io::articles::readers;
use crate::io::articles::tar::{Member, Members};
use crate::io::files::sha256_hex;

impl Articles {
    /// The next article of an archive; `None` where there is none in this member, or no further
    /// member.
    pub(super) fn next_member(
        &mut self,
        mut members: Members,
        article: Option<Box<Articles>>,
    ) -> Option<<Self as Iterator>::Item> {
        if let Some(mut articles) = article
            && let Some(article) = articles.next()
        {
            self.any = true;
            self.stream = Stream::Members(members, Some(articles));
            return Some(article);
        }
        match members.next() {
            Ok(Some(member)) => {
                let articles = self.of_member(member);
                self.stream = Stream::Members(members, articles.map(Box::new));
                None
            }
            Ok(None) if self.any => None,
            Ok(None) => {
                let expected = readers::all_extensions();
                let message = format!("holds no article; expected files named {expected}");
                Some(self.fail_whole(self.bad(message)))
            }
            Err(e) => Some(self.fail_whole(self.bad(format!("could not be read: {e}")))),
        }
    }

    /// The articles of a member, where its name is that of a file that would be read in a folder.
    fn of_member(&mut self, member: Member) -> Option<Articles> {
        let Member { name, input } = member;
        let format = readers::of_name(name.rsplit('/').next().unwrap_or(&name))?;
        if name.split('/').any(|part| part.starts_with('.')) {
            return None;
        }
        let mut id = format!("{}/{name}", self.file.id);
        let first = id.clone();
        // A file may be there in several versions.
        for number in 2.. {
            if self.seen.insert(hash(&id)) {
                break;
            }
            id = format!("{first}~{number}");
        }
        let file =
            FoundFile { path: self.file.path.join(name), id, format: Some(format), copy_of: None };
        let articles = Articles::new(&file, &self.options, Stream::Given(input));
        Some(Articles { inside: true, ..articles })
    }
}

/// The bytes of a member of an archive, as they are unpacked, by their SHA-256.
pub(super) fn member_again(
    file: &FoundFile,
    sha256: &str,
    max_bytes: usize,
) -> Result<Option<Vec<u8>>, Error> {
    let reading = |e| Error::io("reading", &file.path)(e);
    let options = ReadOptions { max_bytes, ..ReadOptions::default() };
    let archive = Articles::new(file, &options, Stream::Done);
    let mut members = Members::new(archive.unpacked(archive.open()?).map_err(reading)?);
    while let Some(member) = members.next().map_err(reading)? {
        // One that cannot be read is another.
        let bytes =
            archive.unpacked(member.input).and_then(|input| archive.bytes(input)).ok().flatten();
        if let Some(bytes) = bytes.filter(|bytes| sha256_hex(bytes) == sha256) {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}
