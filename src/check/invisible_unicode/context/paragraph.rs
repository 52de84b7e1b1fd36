//! The line that a place lies in, and the scripts that it is written in.

use std::ops::Range;

use super::{Groups, after, before, groups, groups_of_text};

/// Whether a character ends a paragraph, which is the "line" of every rule about context.
fn ends_paragraph(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{1C}'..='\u{1E}' | '\u{85}' | '\u{2029}')
}

/// The families of scripts in the paragraph around a place; made only for fields with a hit, and kept while the machine
/// stays in the paragraph.
#[derive(Debug)]
pub(in super::super) struct Paragraph {
    range: Range<usize>,
    groups: Groups,
    known: bool,
    mask: Groups,
}

impl Paragraph {
    /// Only the families of `mask` excuse anything.
    pub(in super::super) fn new(mask: Groups) -> Self {
        Self { range: 0..0, groups: Groups::NONE, known: false, mask }
    }

    /// Forgets what it knew, for another text.
    pub(in super::super) fn reset(&mut self) {
        self.known = false;
    }

    /// The families of scripts of the paragraph around `at`.
    pub(in super::super) fn groups(&mut self, text: &[u8], at: usize) -> Groups {
        self.find(text, at);
        self.groups
    }

    /// The paragraph around `at`.
    pub(in super::super) fn range(&mut self, text: &[u8], at: usize) -> Range<usize> {
        self.find(text, at);
        self.range.clone()
    }

    fn find(&mut self, text: &[u8], at: usize) {
        if self.known && self.range.contains(&at) {
            return;
        }
        let mut start = at;
        while let Some((c, next)) = before(text, start) {
            if ends_paragraph(c) {
                break;
            }
            start = next;
        }
        let mut groups = Groups::NONE;
        let mut end = start;
        while let Some((c, next)) = after(text, end) {
            if ends_paragraph(c) && end >= at {
                // The terminator belongs to the paragraph it ends.
                end = next;
                break;
            }
            groups = groups | groups_of_text(c);
            end = next;
        }
        self.range = start..end.max(at + 1);
        self.groups = groups.within(self.mask);
        self.known = true;
    }

    /// The families of one character, as far as they excuse anything.
    pub(in super::super) fn lenient(&self, c: char) -> Groups {
        groups(c).within(self.mask)
    }

    /// Whether a family of scripts excuses anything.
    pub(in super::super) fn allows(&self, groups: Groups) -> bool {
        self.mask.has(groups)
    }
}
