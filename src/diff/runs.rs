//! Two versions of a text side by side: the stretches of lines that they share, and those that differ.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::align::{PATIENCE, WINDOW, balanced};

/// A stretch of whole lines of both texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    /// Its bytes in the text before.
    pub(super) old: Range<usize>,
    /// Its bytes in the text after.
    pub(super) new: Range<usize>,
    /// Whether they are the same.
    pub(super) same: bool,
}

/// Walks along both texts. The runs cover both from start to end, in order; two that differ never follow each other.
///
/// What they share costs as much as comparing bytes, however many lines it has. Lines that were moved are in runs that
/// differ.
pub(super) fn runs(old: &[u8], new: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut i, mut j, mut vain) = (0, 0, 0);
    let mut push = |old: Range<usize>, new: Range<usize>, same: bool| match runs.last_mut() {
        _ if old.is_empty() && new.is_empty() => {}
        Some(last) if last.same == same => (last.old.end, last.new.end) = (old.end, new.end),
        _ => runs.push(Run { old, new, same }),
    };
    while i < old.len() && j < new.len() {
        let shared = shared_lines(&old[i..], &new[j..]);
        push(i..i + shared, j..j + shared, true);
        (i, j) = (i + shared, j + shared);
        if i == old.len() || j == new.len() {
            break;
        }
        let (a, b) = match vain < PATIENCE {
            true => resync(&old[i..], &new[j..]),
            // Different texts: nothing is looked for any more.
            false => Some((old.len() - i, new.len() - j)),
        }
        .inspect(|_| vain = 0)
        .unwrap_or_else(|| {
            vain += 1;
            (line(&old[i..]), line(&new[j..]))
        });
        push(i..i + a, j..j + b, false);
        (i, j) = (i + a, j + b);
    }
    push(i..old.len(), j..new.len(), false);
    runs
}

/// Bytes of the whole lines that both begin with.
fn shared_lines(a: &[u8], b: &[u8]) -> usize {
    let shared = common(a, b);
    if shared == a.len() && shared == b.len() { shared } else { memrchr(b'\n', &a[..shared]).map_or(0, |at| at + 1) }
}

/// Bytes that both begin with.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    /// Blocks of this size are compared by the fastest way there is.
    const BLOCK: usize = 512;
    let mut at = 0;
    for (x, y) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        if x != y {
            return at + x.iter().zip(y).take_while(|(x, y)| x == y).count();
        }
        at += x.len();
    }
    at
}

/// Bytes of the first line, with its end.
fn line(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

/// How many bytes of either text lie before the nearest lines that are the same.
fn resync(old: &[u8], new: &[u8]) -> Option<(usize, usize)> {
    let ends = |text: &[u8]| {
        let mut ends = vec![0];
        while ends.len() <= WINDOW + 1 {
            let at = ends[ends.len() - 1];
            if at == text.len() {
                break;
            }
            ends.push(at + line(&text[at..]));
        }
        ends
    };
    let (a, b) = (ends(old), ends(new));
    let equal = |i: usize, j: usize| i + 1 < a.len() && j + 1 < b.len() && old[a[i]..a[i + 1]] == new[b[j]..b[j + 1]];
    for far in 1..=WINDOW {
        for skip in 0..=far {
            let (i, j) = balanced(far, skip);
            if equal(i, j) {
                return Some((a[i], b[j]));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_changed_line_costs_one_line() {
        let many: String = (0..1000).map(|n| format!("row {n}\n")).collect();
        let changed = many.replace("row 500\n", "another row\n").replace("row 700\n", "");
        let differ: Vec<Run> = runs(many.as_bytes(), changed.as_bytes()).into_iter().filter(|run| !run.same).collect();
        let texts: Vec<_> = differ.iter().map(|run| (&many[run.old.clone()], &changed[run.new.clone()])).collect();
        assert_eq!(texts, [("row 500\n", "another row\n"), ("row 700\n", "")]);
    }

    proptest! {
        #[test]
        fn runs_cover_both_texts_with_whole_lines(a in "([ab]{0,2}\n?){0,40}", b in "([ab]{0,2}\n?){0,40}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let (mut i, mut j, mut last) = (0, 0, None);
            for run in runs(a, b) {
                prop_assert_eq!((run.old.start, run.new.start), (i, j));
                prop_assert_ne!(last, Some(run.same));
                (i, j, last) = (run.old.end, run.new.end, Some(run.same));
                prop_assert_eq!(run.same, a[run.old.clone()] == b[run.new.clone()], "only what differs is said to");
                for (text, end) in [(a, i), (b, j)] {
                    prop_assert!(end == 0 || end == text.len() || text[end - 1] == b'\n');
                }
            }
            prop_assert_eq!((i, j), (a.len(), b.len()));
        }
    }
}
