//! What stands around one hidden character: letters, the edge of a word, a tag, a figure.

use super::super::context::{self, Groups, after, before};
use super::super::machine::{Level, Machine, Verdict};
use super::super::tables::Class;

/// What stands around one character.
#[derive(Copy, Clone, Debug)]
pub(super) struct Near {
    pub(super) prev: Option<char>,
    pub(super) next: Option<char>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Near {
    pub(super) fn any(self, is: impl Fn(char) -> bool) -> bool {
        self.prev.is_some_and(&is) || self.next.is_some_and(&is)
    }
    /// What is left in a line by accident: at the edge of a word, where lines are written in a script whose words it
    /// could be for, it is doubtful; inside a word, and among lines of other scripts, it is wrong.
    pub(super) fn slip(self, machine: &mut Machine, text: &[u8], class: Class, finding: &'static str) -> Verdict {
        if !self.is_at_edge(text) {
            return Verdict::new(class, Level::Warn, finding);
        }
        if machine.paragraph.groups(text, self.start).has(Groups::ALL) {
            return Verdict::new(class, Level::Low, finding);
        }
        Verdict::new(class, Level::Warn, finding).slips_among(Groups::ALL)
    }

    /// The nearest characters on both sides that are not hidden; `None` where there is none, or too many of those lie
    /// before it.
    pub(super) fn beyond(self, text: &[u8], is_hidden: fn(char) -> bool) -> Option<[char; 2]> {
        let before = side(&|at| before(text, at), self.start, &is_hidden)??;
        Some([before, side(&|at| after(text, at), self.end, &is_hidden)??])
    }

    /// Whether it, or the short run of its like that it belongs to, stands at the edge of a word.
    pub(super) fn is_at_edge(self, text: &[u8]) -> bool {
        let hidden = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{1160}' | '\u{3164}');
        let is_edge = |side: Option<Option<char>>| {
            side.is_some_and(|c| c.is_none_or(|c| !c.is_alphanumeric() && !context::is_mark(c)))
        };
        is_edge(side(&|at| before(text, at), self.start, &hidden))
            || is_edge(side(&|at| after(text, at), self.end, &hidden))
    }

    /// Whether spaces stand on both sides, or a space and the end of the text.
    pub(super) fn is_between_spaces(self) -> bool {
        let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        space(self.prev) && space(self.next) && (self.prev.is_some() || self.next.is_some())
    }

    /// Whether a tag or a mention begins right behind a short run of zero-width spaces, or ends before it: people put
    /// them there to end it.
    pub(super) fn is_beside_tag(self, text: &[u8]) -> bool {
        const LONGEST: usize = 64;
        let is = |c| c == '\u{200B}';
        if matches!(side(&|at| after(text, at), self.end, &is), Some(Some('#' | '@'))) {
            return self.prev.is_none_or(|c| !c.is_alphanumeric());
        }
        let mut at = self.start;
        for _ in 0..RUN {
            if let Some(('\u{200B}', next)) = before(text, at) {
                at = next;
            }
        }
        for letters in 0..LONGEST {
            match before(text, at) {
                Some((c, next)) if c.is_alphanumeric() || c == '_' || context::is_mark(c) => at = next,
                Some(('#' | '@', _)) => return letters > 0,
                _ => return false,
            }
        }
        false
    }
}

/// So many characters of a run are looked through.
const RUN: usize = 3;

/// The first character on a side behind a short run of those that are looked through, or the end of the text. `None`
/// where the run is longer.
fn side(
    step: &dyn Fn(usize) -> Option<(char, usize)>,
    mut at: usize,
    is_passed: &dyn Fn(char) -> bool,
) -> Option<Option<char>> {
    for _ in 0..=RUN {
        match step(at) {
            Some((c, next)) if is_passed(c) => at = next,
            other => return Some(other.map(|(c, _)| c)),
        }
    }
    None
}

/// Dates and numbers that were made for a right-to-left page keep their marks: `12<200F>/31`, `dd<200F>/MM`.
pub(super) fn beside_figures(text: &[u8], near: Near) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let sign = |c: Option<char>| c.is_none_or(|c| c.is_ascii_punctuation() || c.is_whitespace());
    let mut before_word = near.start;
    let mut after_word = near.end;
    let dated = |c: char| matches!(c, 'd' | 'D' | 'M' | 'm' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' | 'a');
    while let Some((_, at)) = before(text, before_word).filter(|&(c, at)| dated(c) && near.start - at <= 4) {
        before_word = at;
    }
    while let Some((_, at)) = after(text, after_word).filter(|&(c, at)| dated(c) && at - near.end <= 4) {
        after_word = at;
    }
    let ends = |c: Option<(char, usize)>| c.is_none_or(|(c, _)| !c.is_alphanumeric());
    let pattern_before = before_word < near.start && ends(before(text, before_word));
    let pattern_after = after_word > near.end && ends(after(text, after_word));
    let punctuation = |c: Option<char>| c.is_some_and(|c| c.is_ascii_punctuation());
    digit(near.prev) && (digit(near.next) || sign(near.next))
        || digit(near.next) && sign(near.prev)
        || pattern_before && punctuation(near.next)
        || pattern_after && punctuation(near.prev)
}
