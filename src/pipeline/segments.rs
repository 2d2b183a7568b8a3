//! The segments of a translated document, as its record has them.

use super::{Document, Job};
use crate::types::{Block, BlockKind, Lang, Place, SegmentRecord};

impl Document<'_> {
    /// The segments of the translation, where it is a result and they are wanted.
    pub(super) fn segments(&self, job: &Job) -> Option<Vec<SegmentRecord>> {
        self.target(job).filter(|_| job.translate && job.segments)?;
        let numbers = self.numbers();
        let segment = |number| self.segment(number, job, &numbers);
        Some((0..self.units.len()).map(segment).collect())
    }

    /// The number that each block has in places: the title's, where it has one, is not counted.
    fn numbers(&self) -> Vec<usize> {
        let blocks = self.article.blocks.iter();
        let number = |next: &mut usize, block: &Block| {
            let number = *next;
            *next += usize::from(!block.is_title);
            Some(number)
        };
        blocks.scan(0, number).collect()
    }

    /// The segment of a unit, by its number.
    fn segment(&self, number: usize, job: &Job, numbers: &[usize]) -> SegmentRecord {
        let (unit, translation) = (&self.units[number], &self.translations[number]);
        let is_other = |language: &&Lang| **language != self.language.code;
        SegmentRecord {
            source: unit.text.clone(),
            target: self.chosen(number, job).into(),
            place: match (unit.block, unit.aside) {
                (None, _) => Place::Title,
                (Some(block), None) => self.place(block, numbers[block]),
                (Some(block), Some(_)) => Place::Aside(numbers[block]),
            },
            language: Some(&unit.language).filter(is_other).cloned(),
            confidence: translation.confidence,
            problems: translation.problems.clone(),
            origin: translation.origin,
        }
    }

    fn place(&self, block: usize, number: usize) -> Place {
        match self.article.blocks[block].kind {
            BlockKind::Heading => Place::Heading(number),
            BlockKind::Item => Place::Item(number),
            BlockKind::Paragraph | BlockKind::Verbatim => Place::Paragraph(number),
        }
    }
}
