//! Which lines of a file a change brought.

use memchr::memchr_iter;
use rustc_hash::FxHashMap;

use super::align::align;
use super::hash::hash;
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
    let start = common_start(before, after);
    let end = common_end(&before[start..], &after[start..]);
    let old = Lines::new(&before[start..before.len() - end]);
    let new = Lines::new(&after[start..after.len() - end]);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    align((old.len(), new.len()), |i, j| old.line(i) == new.line(j), |i| gone.push(i), |j| come.push(j));
    if !gone.is_empty() && !come.is_empty() && !is_nested(after) {
        come = not_among(&old, &gone, &new, come);
    }
    let mut spans: Vec<Span> = Vec::new();
    let mut last = None;
    for line in come {
        let (from, to) = new.span(line);
        let (from, to) = ((start + from) as u64, (start + to) as u64);
        match spans.last_mut() {
            Some(span) if last == Some(line - 1) => span.end = to,
            _ => spans.push(Span::new(from, to)),
        }
        last = Some(line);
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

/// Length of the lines that both have in common at the start.
fn common_start(a: &[u8], b: &[u8]) -> usize {
    let mut at = 0;
    for (x, y) in a.chunks(256).zip(b.chunks(256)) {
        if x != y {
            at += x.iter().zip(y).take_while(|(x, y)| x == y).count();
            return memchr::memrchr(b'\n', &a[..at]).map_or(0, |n| n + 1);
        }
        at += x.len();
    }
    // One is the start of the other, or they are equal; a last line without its end may go on in the other.
    if a.len() == b.len() { at } else { memchr::memrchr(b'\n', &a[..at]).map_or(0, |n| n + 1) }
}

/// Length of the lines that both have in common at the end.
fn common_end(a: &[u8], b: &[u8]) -> usize {
    let most = a.len().min(b.len());
    let (x, y) = (&a[a.len() - most..], &b[b.len() - most..]);
    let mut same = 0;
    for (x, y) in x.rchunks(256).zip(y.rchunks(256)) {
        if x != y {
            same += x.iter().rev().zip(y.iter().rev()).take_while(|(x, y)| x == y).count();
            break;
        }
        same += x.len();
    }
    // Whole lines only: what is shared begins behind the end of a line in both.
    let shared = &a[a.len() - same..];
    let whole = |text: &[u8]| text.len() == same || text[text.len() - same - 1] == b'\n';
    if whole(a) && whole(b) { same } else { memchr::memchr(b'\n', shared).map_or(0, |n| same - n - 1) }
}

/// The lines of a text, by offsets.
struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<u64>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut starts = Vec::new();
        if !text.is_empty() {
            starts.push(0);
            starts.extend(memchr_iter(b'\n', text).map(|at| at as u64 + 1));
            // What stands behind the last end of a line is only a line if there is something.
            if starts.last() == Some(&(text.len() as u64)) {
                starts.pop();
            }
        }
        Self { text, starts }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of a line without its end.
    fn span(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line] as usize;
        let end = self.starts.get(line + 1).map_or(self.text.len(), |&next| next as usize);
        (start, if self.text[start..end].ends_with(b"\n") { end - 1 } else { end })
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
        let (old, new) = (Lines::new(before.as_bytes()), Lines::new(b"b\nc\n"));
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
