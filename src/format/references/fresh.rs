//! Which references a change brought.
//!
//! Lines are the wrong measure for them: a revision may stand many lines from the name it pins, and can be deleted
//! without a line of the name changing; and a line may change around a reference that was there before.

use std::collections::BTreeMap;

use super::{Found, find};
use crate::format::{Blob, Reference, Target, Verdict, kind_of};
use crate::policy::Limits;
use crate::span::{Fresh, Span};

/// What makes two references the same.
type Identity<'r> = (Target, &'r str, &'r str, Option<&'r str>, Verdict, bool);

fn identity(reference: &Reference) -> Identity<'_> {
    let Reference { kind, hub, target, pin, verdict, remote_code, .. } = reference;
    (*kind, hub, target, pin.as_deref(), *verdict, *remote_code)
}

/// The fresh parts of `after`, whose fresh lines are known, with references counted by what they say: one that `before`
/// does not have, with this pin, is fresh wherever it stands, and one that it has is not. `None` where there are no
/// references, so that the lines hold.
pub(crate) fn fresh_references(before: &Blob<'_>, after: &Blob<'_>, limits: &Limits) -> Option<Fresh> {
    let Fresh::Only(lines) = after.fresh else { return None };
    let new = read(after, limits);
    if new.list.is_empty() {
        return None;
    }
    let old = read(before, limits);
    let mut known: BTreeMap<Identity<'_>, usize> = BTreeMap::new();
    for reference in &old.list {
        *known.entry(identity(reference)).or_default() += 1;
    }
    // Where there are more of one than before, those on fresh lines are the new ones.
    let (mut kept, mut come) = (Vec::new(), Vec::new());
    for on_fresh_line in [false, true] {
        for reference in new.list.iter().filter(|reference| after.fresh.touches(reference.span) == on_fresh_line) {
            match known.get_mut(&identity(reference)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    kept.push(reference.span);
                }
                _ => come.push(reference.span),
            }
        }
    }
    Some(Fresh::Only(joined(without(lines, &merged(kept)), come)))
}

fn read(blob: &Blob<'_>, limits: &Limits) -> Found {
    kind_of(blob.path, &blob.decoded.bytes).map(|kind| find(blob, kind, limits)).unwrap_or_default()
}

/// Sorted and disjoint.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    spans.dedup_by(|next, last| {
        let joins = next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    spans
}

/// What is left of `spans` without `holes`; both are sorted and disjoint.
fn without(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    let mut at = 0;
    for span in spans {
        while holes.get(at).is_some_and(|hole| hole.end <= span.start) {
            at += 1;
        }
        let mut start = span.start;
        for hole in holes[at..].iter().take_while(|hole| hole.start < span.end) {
            if start < hole.start {
                left.push(Span::new(start, hole.start));
            }
            start = start.max(hole.end);
        }
        if start < span.end {
            left.push(Span::new(start, span.end));
        }
    }
    left
}

fn joined(mut spans: Vec<Span>, more: Vec<Span>) -> Vec<Span> {
    spans.extend(more);
    merged(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Decoded, Encoding, Offsets};
    use crate::lens::Lens;
    use crate::span::BlobId;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    /// The names that a change brought, when its fresh lines are `lines`.
    fn brought(path: &str, before: &str, after: &str, lines: &[&str]) -> Vec<String> {
        let lens = Lens::default();
        let decoded = |text: &str| Decoded {
            bytes: text.as_bytes().to_vec().into(),
            offsets: Offsets::Same,
            encoding: Encoding::Utf8,
        };
        let (old, new) = (decoded(before), decoded(after));
        let mut spans: Vec<Span> = lines
            .iter()
            .map(|line| {
                let at = after.find(line).expect("the line is there") as u64;
                Span::new(at, at + line.len() as u64)
            })
            .collect();
        spans.sort();
        let fresh = Fresh::Only(spans);
        let limits = Limits::default();
        let blob = |decoded| Blob { id: BlobId(0), path: path.into(), lens: &lens, decoded, fresh: &fresh };
        let fresh = fresh_references(&blob(&old), &blob(&new), &limits).unwrap_or(fresh.clone());
        let found = read(&blob(&new), &limits);
        found.list.iter().filter(|r| fresh.touches(r.span)).map(|r| r.target.clone()).collect()
    }

    #[test]
    fn a_pin_that_goes_makes_its_reference_fresh() {
        let pinned = format!(
            "base_model: acme/base\nrevision_of_model: {SHA}\nadapter: lora\ndatasets:\n- path: acme/set\n  revision: {SHA}\n"
        );
        let without = pinned.replace(&format!("  revision: {SHA}\n"), "");
        assert_eq!(brought("a.yaml", &pinned, &without, &[]), ["acme/set"]);
        let branch = pinned.replace(&format!("revision_of_model: {SHA}"), "revision_of_model: main");
        assert_eq!(brought("a.yaml", &pinned, &branch, &["revision_of_model: main"]), ["acme/base"]);
    }

    #[test]
    fn what_was_there_before_is_not_fresh_when_its_line_changes() {
        let before = "load_dataset(\"acme/set\", split=\"train\")\n";
        let after = "load_dataset(\"acme/set\", split=\"test\")\nload_dataset(\"acme/new\")\n";
        assert_eq!(brought("a.py", before, after, &[after]), ["acme/new"]);
        let moved = "x = 1\nload_dataset(\"acme/set\", split=\"train\")\n";
        assert_eq!(brought("a.py", before, moved, &[moved]), [""; 0]);
    }

    #[test]
    fn one_more_of_what_was_there_is_fresh_once() {
        let before = "load_dataset(\"acme/set\")\n";
        let after = "load_dataset(\"acme/set\")\nload_dataset('acme/set')\n";
        assert_eq!(brought("a.py", before, after, &["load_dataset('acme/set')\n"]), ["acme/set"]);
    }

    #[test]
    fn holes_leave_what_is_around_them() {
        let span = Span::new;
        assert_eq!(
            without(&[span(0, 10), span(20, 30)], &[span(2, 4), span(8, 22), span(25, 26)]),
            [span(0, 2), span(4, 8), span(22, 25), span(26, 30)]
        );
        assert_eq!(without(&[span(0, 10)], &[]), [span(0, 10)]);
        assert_eq!(without(&[span(3, 4)], &[span(0, 10)]), []);
    }
}
