//! Lines and columns of offsets, made at the edge and only for what is shown (law 6).
//!
//! One walk over the offsets of a blob in ascending order. While a long text was read, its line feeds were counted on the
//! way; from the nearest such point they are counted anew, so that the last byte of a file of several gigabytes costs no
//! more than the first. Where nothing is known, they are counted from one offset to the next, in blocks of a MiB that
//! threads share: some eighty milliseconds a gigabyte, once for each file that something was found in.

use rayon::prelude::*;

use crate::format::Feeds;

/// Line feeds and code points are counted in blocks of this size.
const BLOCK: usize = 1 << 20;

/// A line and a column, both from 1; columns count code points.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Position {
    /// Line, from 1.
    pub(crate) line: u64,
    /// Column in code points, from 1. A byte that belongs to no character counts as one.
    pub(crate) column: u64,
}

impl Position {
    /// Where every file begins.
    pub(crate) const START: Position = Position { line: 1, column: 1 };
}

/// Finds positions in one text, for offsets that never fall.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    here: Position,
    known: &'a [Feeds],
    /// Bytes that were looked at: what this has cost.
    #[cfg(test)]
    looked_at: usize,
}

impl<'a> Lines<'a> {
    /// Ready at the start of `text`. `known` are line feeds on the way, in ascending order; none will do.
    pub(crate) fn new(text: &'a [u8], known: &'a [Feeds]) -> Self {
        Self {
            text,
            at: 0,
            here: Position::START,
            known,
            #[cfg(test)]
            looked_at: 0,
        }
    }

    /// The position of `offset`, which must not lie before an earlier one. An offset behind the end is at the end.
    pub(crate) fn advance(&mut self, offset: u64) -> Position {
        let to = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        debug_assert!(self.at <= to, "offsets come in ascending order");
        let (from, before) = match self.nearest(to) {
            Some(feeds) => (usize::try_from(feeds.at).unwrap_or(to), 1 + feeds.count),
            None => (self.at, self.here.line),
        };
        let line = before + feeds(&self.text[from..to]);
        let start = if line == self.here.line {
            self.at
        } else {
            memchr::memrchr(b'\n', &self.text[..to]).map_or(0, |feed| feed + 1)
        };
        let first = if line == self.here.line { self.here.column } else { 1 };
        let column = first + code_points(&self.text[start..to]);
        #[cfg(test)]
        {
            self.looked_at += to - from + 2 * (to - start);
        }
        self.at = to;
        self.here = Position { line, column };
        self.here
    }

    /// The last point before an offset at which the line feeds are known, if it is nearer than where we are.
    fn nearest(&self, to: usize) -> Option<Feeds> {
        let behind = self.known.partition_point(|feeds| feeds.at <= to as u64);
        let nearest = *self.known.get(behind.checked_sub(1)?)?;
        (nearest.at > self.at as u64).then_some(nearest)
    }
}

fn feeds(bytes: &[u8]) -> u64 {
    sum(bytes, |block| memchr::memchr_iter(b'\n', block).count())
}

/// Code points; a byte that belongs to none counts as one.
fn code_points(bytes: &[u8]) -> u64 {
    sum(bytes, |block| match simdutf8::basic::from_utf8(block) {
        Ok(text) => text.chars().count(),
        Err(_) => block.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum(),
    })
}

/// Counts block by block, and in threads where there are many blocks.
fn sum(bytes: &[u8], count: fn(&[u8]) -> usize) -> u64 {
    let block = |i: usize| count(&bytes[boundary(bytes, i * BLOCK)..boundary(bytes, (i + 1) * BLOCK)]) as u64;
    let blocks = bytes.len().div_ceil(BLOCK);
    if blocks < 8 { (0..blocks).map(block).sum() } else { (0..blocks).into_par_iter().map(block).sum() }
}

/// The start of the character that `at` lies in, so that no block begins inside of one.
fn boundary(bytes: &[u8], at: usize) -> usize {
    if at >= bytes.len() {
        return bytes.len();
    }
    let back = (0..at.min(4)).find(|back| !is_continuation(bytes[at - back]));
    back.map_or(at, |back| at - back)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(text: &[u8], offset: usize) -> Position {
        let before = &text[..offset.min(text.len())];
        let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&b| b == b'\n').count() as u64 + 1;
        let column = crate::report::escape::units(&before[start..]).count() as u64 + 1;
        Position { line, column }
    }

    #[test]
    fn columns_count_code_points() {
        let text = "a\näö€😀x\n".as_bytes();
        let mut lines = Lines::new(text, &[]);
        assert_eq!(lines.advance(0), Position::START);
        assert_eq!(lines.advance(2), Position { line: 2, column: 1 });
        assert_eq!(lines.advance(13), Position { line: 2, column: 5 });
        assert_eq!(lines.advance(14), Position { line: 2, column: 6 });
        assert_eq!(lines.advance(99), Position { line: 3, column: 1 });
    }

    #[test]
    fn the_last_line_of_a_long_text_costs_what_a_line_near_a_known_point_costs() {
        let row = b"{\"text\": \"a row of some length\", \"label\": \"x\"}\n";
        let text = row.repeat((64 << 20) / row.len());
        let every = 5000 * row.len();
        let known: Vec<Feeds> =
            (1..text.len() / every).map(|n| Feeds { at: (n * every) as u64, count: (n * 5000) as u64 }).collect();
        let rows = text.len() / row.len();
        let mut lines = Lines::new(&text, &known);
        let end = text.len() as u64 - 10;
        assert_eq!(lines.advance(end), Position { line: rows as u64, column: row.len() as u64 - 9 });
        assert!(lines.looked_at < 2 * every, "{} of {} bytes", lines.looked_at, text.len());
        let mut slow = Lines::new(&text, &[]);
        assert_eq!(slow.advance(end).line, rows as u64);
        assert!(slow.looked_at > text.len() / 2);
    }

    #[test]
    fn threads_share_a_big_file() {
        let mut text = vec![b'x'; 9 * BLOCK];
        for at in (0..text.len()).step_by(37) {
            text[at] = b'\n';
        }
        let end = text.len() as u64 - 5;
        let line = (0..end).step_by(37).count() as u64 + 1;
        let mut lines = Lines::new(&text, &[]);
        assert_eq!(lines.advance(40), slow(&text, 40));
        assert_eq!(lines.advance(end).line, line);
    }

    #[test]
    fn no_character_is_cut_between_blocks() {
        for shift in 0..4 {
            let text = ["x".repeat(shift), "😀ä".repeat(BLOCK / 2)].concat();
            let position = Lines::new(text.as_bytes(), &[]).advance(text.len() as u64);
            assert_eq!(position, Position { line: 1, column: (shift + BLOCK + 1) as u64 });
        }
    }

    proptest! {
        #[test]
        fn positions_are_those_of_the_slow_way(
            text in prop::collection::vec(prop::sample::select(b"a\n\xc3\xa4\xff\xe2".to_vec()), 0..60),
            mut offsets in prop::collection::vec(0_usize..70, 1..8),
            mut points in prop::collection::vec(0_usize..60, 0..4),
        ) {
            offsets.sort_unstable();
            points.sort_unstable();
            let feeds = |at: usize| feeds(&text[..at.min(text.len())]);
            let known: Vec<Feeds> = points.iter().map(|&at| Feeds { at: at as u64, count: feeds(at) }).collect();
            let mut lines = Lines::new(&text, &known);
            for offset in offsets {
                // In the middle of a character the two ways of counting may differ; spans never start there.
                let at = offset.min(text.len());
                if text.get(at).is_some_and(|&b| is_continuation(b)) {
                    continue;
                }
                prop_assert_eq!(lines.advance(at as u64), slow(&text, at));
            }
        }
    }
}
