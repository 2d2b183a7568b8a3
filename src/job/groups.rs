//! The articles of some files, a few at a time: memory holds one group.

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::io::articles::{FoundFile, ReadOptions, read};
use crate::types::{RawArticle, ReadFailure, Source};

/// An article, or why it could not be read.
pub type ReadArticle = Result<RawArticle, Box<ReadFailure>>;

/// Hands on the articles of `files`, at most `limit` of them, in groups of `size`.
///
/// # Errors
/// What `each` returns, and [`crate::Error::Interrupted`] when `cancel` is cancelled; an article
/// that cannot be read is part of its group.
pub fn in_groups(
    files: &[FoundFile],
    options: &ReadOptions,
    limit: Option<usize>,
    size: usize,
    cancel: &CancelToken,
    mut each: impl FnMut(Vec<ReadArticle>) -> Result<()>,
) -> Result<()> {
    let articles =
        files.iter().flat_map(|file| read(file, options)).take(limit.unwrap_or(usize::MAX));
    let mut group = Vec::with_capacity(size);
    for article in articles {
        cancel.check()?;
        group.push(article);
        if group.len() == size {
            each(std::mem::take(&mut group))?;
        }
    }
    if group.is_empty() { Ok(()) } else { each(group) }
}

/// The id of an article, whether or not it could be read.
pub(super) fn id(article: &ReadArticle) -> &str {
    match article {
        Ok(raw) => &raw.id,
        Err(unread) => &unread.id,
    }
}

/// Gives an article another id.
pub(super) fn rename(article: &mut ReadArticle, id: String) {
    match article {
        Ok(raw) => raw.id = id,
        Err(unread) => unread.id = id,
    }
}

/// Where an article comes from, whether or not it could be read.
pub(super) fn source(article: &ReadArticle) -> &Source {
    match article {
        Ok(raw) => &raw.source,
        Err(unread) => &unread.source,
    }
}
