//! Which lines of a file a change brought.

use std::ops::Range;

use memchr::memchr;
use rustc_hash::FxHashMap;

use super::hash::hash;
use super::runs::runs;
use crate::format::fresh_records;
use crate::policy::Limits;
use crate::span::{Fresh, Span};

/// The spans of lines of `after` that are not in `before`, as a difference of multisets: a line that was moved is not
/// fresh, and a line that stands there once more than before is fresh once.
///
/// In a file whose lines are only parts of records, such as indented JSON, a line that was moved is fresh: the same line
/// says something else in another record.
///
/// Columnar files have no lines; there the spans count records.
pub(crate) fn fresh(before: &[u8], after: &[u8]) -> Fresh {
    if let Some(fresh) = fresh_records(before, after, &Limits::default()) {
        return fresh;
    }
    let (mut old, mut new) = (Lines::new(before), Lines::new(after));
    for run in runs(before, after).into_iter().filter(|run| !run.same) {
        old.add(run.old);
        new.add(run.new);
    }
    let (gone, mut come): (Vec<usize>, Vec<usize>) = ((0..old.len()).collect(), (0..new.len()).collect());
    if !gone.is_empty() && !come.is_empty() && !is_nested(after) {
        come = not_among(&old, &gone, &new, come);
    }
    let mut spans: Vec<Span> = Vec::new();
    for line in come {
        let (from, to) = new.span(line);
        match spans.last_mut() {
            // The line end between the two is fresh as well.
            Some(span) if span.end + 1 == from as u64 => span.end = to as u64,
            _ => spans.push(Span::new(from as u64, to as u64)),
        }
    }
    Fresh::Only(spans)
}

/// Takes out of `come` what equals a line of `gone`. Lines are compared, not only their hashes: who can choose both
/// versions could make hashes meet.
fn not_among(old: &Lines<'_>, gone: &[usize], new: &Lines<'_>, come: Vec<usize>) -> Vec<usize> {
    /// Different lines of one hash that are looked at before a line is held to be fresh.
    const CHAIN: usize = 8;
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    let mut next = vec![u32::MAX; gone.len()];
    for (at, &line) in gone.iter().enumerate().rev() {
        let head = heads.entry(hash(old.line(line))).or_insert(u32::MAX);
        next[at] = *head;
        *head = at as u32;
    }
    let mut fresh = come;
    fresh.retain(|&line| {
        let text = new.line(line);
        let Some(head) = heads.get_mut(&hash(text)) else { return true };
        let mut before: Option<u32> = None;
        let mut at = *head;
        for _ in 0..CHAIN {
            if at == u32::MAX {
                return true;
            }
            if old.line(gone[at as usize]) == text {
                match before {
                    None => *head = next[at as usize],
                    Some(before) => next[before as usize] = next[at as usize],
                }
                return false;
            }
            before = Some(at);
            at = next[at as usize];
        }
        true
    });
    fresh
}

/// Whether lines are only parts of records: JSON that is written over several lines.
fn is_nested(text: &[u8]) -> bool {
    let first = text.trim_ascii_start();
    let line = first.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii_end();
    matches!(line, b"[" | b"{" | b"[{")
}

/// Some lines of a text, by offsets.
struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<u64>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, starts: Vec::new() }
    }

    /// Adds the lines of a part of the text that begins with a line.
    fn add(&mut self, part: Range<usize>) {
        let mut at = part.start;
        while at < part.end {
            self.starts.push(at as u64);
            at = memchr(b'\n', &self.text[at..part.end]).map_or(part.end, |n| at + n + 1);
        }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of a line without its end.
    fn span(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line] as usize;
        (start, memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |n| start + n))
    }

    fn line(&self, line: usize) -> &'a [u8] {
        let (start, end) = self.span(line);
        &self.text[start..end]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
        let Fresh::Only(spans) = fresh(before.as_bytes(), after.as_bytes()) else { panic!("spans are always given") };
        spans.iter().map(|span| &after[span.start as usize..span.end as usize]).collect()
    }

    #[test]
    fn only_what_the_change_brought_is_fresh() {
        assert_eq!(lines("a\nb\nc\n", "a\nx\nc\n"), ["x"]);
        assert_eq!(lines("a\nb\n", "a\nb\n"), [""; 0]);
        assert_eq!(lines("", "a\nb\n"), ["a\nb"]);
        assert_eq!(lines("a\n", ""), [""; 0]);
        assert_eq!(lines("a\nb", "a\nb\nc"), ["c"]);
        assert_eq!(lines("a\nb\n", "a\nbb\n"), ["bb"]);
        assert_eq!(lines("xa\nb\n", "a\nb\n"), ["a"]);
    }

    #[test]
    fn moved_lines_are_not_fresh_and_one_copy_more_is() {
        let many: String = (0..100).map(|n| format!("row {n}\n")).collect();
        let turned: String = (0..100).rev().map(|n| format!("row {n}\n")).collect();
        assert_eq!(lines(&many, &turned), [""; 0]);
        assert_eq!(lines("a\nb\n", "b\na\na\n").len(), 1);
    }

    #[test]
    fn lines_that_are_parts_of_records_do_not_cancel() {
        let before = "[\n{\n\"text\": 1,\n\"label\": \"ham\"\n},\n{\n\"text\": 2,\n\"label\": \"spam\"\n}\n]\n";
        let after = "[\n{\n\"text\": 1,\n\"label\": \"spam\"\n},\n{\n\"text\": 2,\n\"label\": \"ham\"\n}\n]\n";
        assert!(!lines(before, after).is_empty());
    }

    #[test]
    fn lines_of_one_hash_are_told_apart_by_their_bytes() {
        let before = "a\nb\n";
        let (mut old, mut new) = (Lines::new(before.as_bytes()), Lines::new(b"b\nc\n"));
        old.add(0..4);
        new.add(0..4);
        assert_eq!(not_among(&old, &[0, 1], &new, vec![0, 1]), [1]);
    }

    proptest! {
        #[test]
        fn fresh_lines_are_the_difference_of_the_multisets(before in "([a-e]{1,2}\n){0,30}", after in "([a-e]{1,2}\n){0,30}") {
            let mut rest: Vec<&str> = after.lines().collect();
            for line in before.lines() {
                if let Some(at) = rest.iter().position(|l| *l == line) { rest.remove(at); }
            }
            rest.sort_unstable();
            let mut found: Vec<&str> = lines(&before, &after).into_iter().flat_map(str::lines).collect();
            found.sort_unstable();
            prop_assert_eq!(found, rest);
        }

        #[test]
        fn spans_are_sorted_disjoint_and_whole_lines(before in "[ab\n]{0,40}", after in "[ab\n]{0,40}") {
            let Fresh::Only(spans) = fresh(before.as_bytes(), after.as_bytes()) else { panic!("spans are always given") };
            for pair in spans.windows(2) { prop_assert!(pair[0].end < pair[1].start); }
            for span in &spans {
                let (start, end) = (span.start as usize, span.end as usize);
                prop_assert!(start == 0 || after.as_bytes()[start - 1] == b'\n');
                prop_assert!(end == after.len() || after.as_bytes()[end] == b'\n');
            }
        }
    }
}
