//! The segments of a translated document, as its record has them.

use super::{Document, Job};
use crate::types::{BlockKind, Lang, Place, SegmentRecord};

impl Document<'_> {
    /// The segments of the translation, where it is a result and they are wanted.
    pub(super) fn segments(&self, job: &Job) -> Option<Vec<SegmentRecord>> {
        self.target(job).filter(|_| job.translate && job.segments)?;
        Some((0..self.units.len()).map(|number| self.segment(number, job)).collect())
    }

    /// The segment of a unit, by its number.
    fn segment(&self, number: usize, job: &Job) -> SegmentRecord {
        let (unit, translation) = (&self.units[number], &self.translations[number]);
        let is_other = |language: &&Lang| **language != self.language.code;
        SegmentRecord {
            source: unit.text.clone(),
            target: self.chosen(number, job).into(),
            place: match (unit.block, unit.aside) {
                (None, _) => Place::Title,
                (Some(block), None) => self.place(block),
                (Some(block), Some(_)) => Place::Aside(block),
            },
            language: Some(&unit.language).filter(is_other).cloned(),
            confidence: translation.confidence,
            problems: translation.problems.clone(),
            origin: translation.origin,
        }
    }

    fn place(&self, block: usize) -> Place {
        match self.article.blocks[block].kind {
            BlockKind::Heading => Place::Heading(block),
            BlockKind::Item => Place::Item(block),
            BlockKind::Paragraph | BlockKind::Verbatim => Place::Paragraph(block),
        }
    }
}
