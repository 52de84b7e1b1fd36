//! Where something is: spans of bytes, places in blobs, and the parts of a blob that are fresh.
//!
//! Everything inside foretaste counts bytes. Lines and columns are made at the edge, by the report, and only for what
//! is shown (law 6).

use serde::Serialize;

/// A half-open range of bytes of one blob.
///
/// `u64`, since datasets pass 4 GiB. For compressed files the bytes are those of the decompressed stream.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub fn new(start: u64, end: u64) -> Self {
        debug_assert!(start <= end, "a span ends where it starts or later");
        Self { start, end }
    }

    /// Number of bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether no byte is covered.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The covered bytes of `bytes`; what lies behind its end is left out.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        let end = usize::try_from(self.end).unwrap_or(usize::MAX).min(bytes.len());
        let start = usize::try_from(self.start).unwrap_or(usize::MAX).min(end);
        &bytes[start..end]
    }

    /// Whether the two spans share a byte. An empty span is inside what surrounds it.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end.max(other.start + 1) && other.start < self.end.max(self.start + 1)
    }
}

/// The number of a blob in one run, given out in path order.
///
/// Findings carry this number and no path, so that what was found in a blob stays true under every path it has.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
pub struct BlobId(pub u32);

/// A point in a blob that a finding speaks of.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Place {
    /// The blob.
    pub blob: BlobId,
    /// Where in it.
    pub at: At,
}

/// Where in a blob.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum At {
    /// The blob as a whole, or its name.
    Name,
    /// These bytes of it.
    Bytes(Span),
    /// A cell of a columnar file, which has no useful bytes: row and column, both from 0.
    Cell {
        /// Row from 0 over the whole file.
        row: u64,
        /// Column from 0, in the order of the schema.
        column: u32,
    },
}

/// Which parts of a blob a change brought.
///
/// A full scan judges everything. In a commit or a pull request only what the change brought may speak, else every
/// edit of an old file would be stopped by what others left in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Fresh {
    /// Everything is to be judged.
    #[default]
    All,
    /// Only what touches one of these spans: sorted, disjoint.
    Only(Vec<Span>),
}

impl Fresh {
    /// Whether any byte of `span` is fresh.
    pub(crate) fn touches(&self, span: Span) -> bool {
        match self {
            Fresh::All => true,
            Fresh::Only(spans) => {
                let next = spans.partition_point(|s| s.end <= span.start);
                spans.get(next).is_some_and(|s| s.overlaps(span))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_span_is_inside_what_surrounds_it() {
        assert!(Span::new(3, 3).overlaps(Span::new(0, 10)));
        assert!(!Span::new(3, 3).overlaps(Span::new(4, 10)));
        assert!(!Span::new(0, 3).overlaps(Span::new(3, 4)));
    }

    #[test]
    fn fresh_finds_the_touched_span_among_many() {
        let fresh = Fresh::Only(vec![Span::new(10, 20), Span::new(30, 40)]);
        assert!(fresh.touches(Span::new(0, 11)));
        assert!(fresh.touches(Span::new(19, 31)));
        assert!(!fresh.touches(Span::new(20, 30)));
        assert!(!fresh.touches(Span::new(40, 50)));
        assert!(Fresh::All.touches(Span::new(7, 7)));
    }
}
