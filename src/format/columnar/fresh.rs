//! Which records of a columnar file a change brought. Its bytes say nothing of that: one new row may move them all.

use bstr::BStr;

use crate::format::{Blob, Coding, Decoded, Encoding, Offsets, Record, Records, References, Sink};
use crate::lens::Lens;
use crate::policy::Limits;
use crate::span::{BlobId, Fresh, Span};

/// The records of `after` that `before` does not have, as a difference of multisets: a record that was moved is not
/// fresh, and one that stands there once more than before is fresh once. The spans count records, from 0.
pub(super) fn fresh(before: &[u8], after: &[u8], limits: &Limits) -> Fresh {
    let (Some(old), Some(new)) = (digests(before, limits), digests(after, limits)) else { return Fresh::All };
    let mut old: Vec<Digest> = old.list.into_iter().map(|(digest, _)| digest).collect();
    old.sort_unstable();
    let mut come = new.unknown;
    let mut new = new.list;
    new.sort_unstable();
    let mut at = 0;
    for (digest, row) in new {
        while at < old.len() && old[at] < digest {
            at += 1;
        }
        // Equal records are in the order of the file, so that those behind the known ones are the fresh ones.
        if at < old.len() && old[at] == digest {
            at += 1;
        } else {
            come.push(row);
        }
    }
    come.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for row in come {
        match spans.last_mut() {
            Some(span) if span.end == row => span.end += 1,
            _ => spans.push(Span::new(row, row + 1)),
        }
    }
    Fresh::Only(spans)
}

/// Strong, since who writes the new version must not be able to make a record look like an old one.
type Digest = [u8; 16];

/// The digests of all records; `None` where a part of the file cannot be read.
fn digests(bytes: &[u8], limits: &Limits) -> Option<Digests> {
    let decoded = Decoded { bytes: bytes.into(), offsets: Offsets::Same, encoding: Encoding::Binary };
    let lens = Lens::default();
    let blob = Blob { id: BlobId(0), path: BStr::new(""), lens: &lens, decoded: &decoded, fresh: &Fresh::All };
    let mut digests = Digests::default();
    let read = super::read(&blob, limits, &mut digests).ok()?;
    read.unread.is_empty().then_some(digests)
}

#[derive(Default)]
struct Digests {
    /// A digest of every record with its number, from 0.
    list: Vec<(Digest, u64)>,
    /// Records too large to be read, of which nobody can say whether they are the same.
    unknown: Vec<u64>,
}

impl Sink for Digests {
    fn records(&mut self, records: &Records<'_>) {
        for record in records.iter() {
            let number = record.number() - 1;
            // Flaws are few, and in the order of the records.
            let flawed = records.flaws.binary_search_by_key(&Some(number + 1), |flaw| flaw.record).is_ok();
            if flawed && record.row().len == 0 {
                self.unknown.push(number);
            } else {
                self.list.push((digest(record), number));
            }
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn digest(record: Record<'_>) -> Digest {
    let mut hash = blake3::Hasher::new();
    for field in record.fields() {
        let (name, value) = (field.name().path.as_bytes(), field.raw());
        hash.update(&(name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(&field.cell().index.to_le_bytes());
        let len = if field.coding() == Coding::Null { u64::MAX } else { value.len() as u64 };
        hash.update(&len.to_le_bytes());
        hash.update(value);
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    digest
}
