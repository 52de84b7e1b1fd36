//! A few records of a text, read without the rest of it.
//!
//! Where lines are records by themselves, what one comes to hangs on its bytes and on the roles of the fields, and those
//! follow from the start of the text. So its start and the lines that are wanted are read, and every record is held
//! against the place where the index has it.

use memchr::{memchr, memrchr};

use super::index::Index;
use super::keyer::Keyer;
use crate::format::{self, Blob, Decoded, Offsets, Record, Records, References, Sink};
use crate::policy::Limits;
use crate::span::Fresh;

/// Shows `look` those of the `wanted` records, by row in the order of the file, that lie in lines. `false` where that
/// cannot be done, and nothing was shown.
pub(super) fn rows<'w, T>(
    index: &Index,
    blob: &Blob<'_>,
    limits: &Limits,
    wanted: &'w [T],
    row: impl Fn(&T) -> u32 + 'w,
    look: &mut dyn FnMut(&T, &mut Keyer, Record<'_>),
) -> bool {
    let (Some(spans), Some(by_line)) = (index.lines(), format::by_line(blob)) else { return false };
    let text: &[u8] = &blob.decoded.bytes;
    let head = by_line.head(text);
    let mut part = text[..head].to_vec();
    let mut pieces = vec![(0, 0)];
    let mut places = Vec::with_capacity(wanted.len());
    let mut end = head;
    for wanted in wanted {
        let span = spans.span(row(wanted) as usize);
        let (Ok(from), Ok(to)) = (usize::try_from(span.start), usize::try_from(span.end)) else { return false };
        if to > text.len() || from > to {
            return false;
        }
        places.push((span.start, wanted));
        if from < end {
            continue;
        }
        let from = memrchr(b'\n', &text[..from]).map_or(0, |at| at + 1).max(end);
        end = memchr(b'\n', &text[to..]).map_or(text.len(), |at| to + at + 1);
        pieces.push((part.len() as u64, from as u64));
        part.extend_from_slice(&text[from..end]);
    }
    let encoding = blob.decoded.encoding;
    let decoded = Decoded { bytes: part.into(), offsets: Offsets::Mapped(pieces, encoding), encoding };
    let mut picker = Picker { wanted: &places, keyer: Keyer::default(), look };
    by_line.read(&Blob { decoded: &decoded, fresh: &Fresh::All, ..*blob }, limits, &mut picker);
    true
}

/// Lets the records through that begin where a wanted one does.
struct Picker<'p, 'w, T> {
    wanted: &'p [(u64, &'w T)],
    keyer: Keyer,
    look: &'p mut dyn FnMut(&T, &mut Keyer, Record<'_>),
}

impl<T> Sink for Picker<'_, '_, T> {
    fn records(&mut self, records: &Records<'_>) {
        if !records.kind.is_data() || self.wanted.is_empty() {
            return;
        }
        self.keyer.prepare(records);
        let decoded = records.blob.decoded;
        for record in records.iter() {
            let at = decoded.offsets.raw(&decoded.bytes, record.span()).start;
            let passed = self.wanted.partition_point(|&(start, _)| start < at);
            self.wanted = &self.wanted[passed..];
            while let Some(((start, wanted), rest)) = self.wanted.split_first()
                && *start == at
            {
                (self.look)(wanted, &mut self.keyer, record);
                self.wanted = rest;
            }
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::next;
    use crate::lens::Lens;
    use crate::span::BlobId;

    /// What a picked record says of itself.
    fn told(keyer: &mut Keyer, record: Record<'_>) -> String {
        let mut text = String::new();
        keyer.text(record, &mut text);
        let fields = record.fields().map(|field| {
            let place = field.locate(0..field.text().len());
            format!("{} {} {place:?}", field.dotted(), field.text())
        });
        format!("{text} {}", fields.collect::<Vec<_>>().join(", "))
    }

    /// Reads all records.
    struct All<'t>(&'t mut Vec<String>);

    impl Sink for All<'_> {
        fn records(&mut self, records: &Records<'_>) {
            let mut keyer = Keyer::default();
            keyer.prepare(records);
            self.0.extend(records.iter().map(|record| told(&mut keyer, record)));
        }

        fn references(&mut self, _: &References<'_>) {}
    }

    /// The records of a text that are picked, and the same ones of all.
    fn both(path: &str, text: &[u8], wanted: &[u32]) -> Option<(Vec<String>, Vec<String>)> {
        let limits = Limits::default();
        let decoded = format::decode(text, &limits).expect("a small text");
        let lens = Lens::default();
        let blob = Blob { id: BlobId(0), path: path.into(), lens: &lens, decoded: &decoded, fresh: &Fresh::All };
        let index = next::read(None, &blob, &limits).expect("it can be read").index;
        let mut all = Vec::new();
        format::read(&blob, &limits, &mut All(&mut all)).expect("it can be read");
        let wanted: Vec<u32> = wanted.iter().copied().filter(|&row| (row as usize) < index.len()).collect();
        let mut picked = Vec::new();
        let is_read = rows(&index, &blob, &limits, &wanted, |&row| row, &mut |_, keyer, record| {
            picked.push(told(keyer, record));
        });
        is_read.then(|| (picked, wanted.iter().map(|&row| all[row as usize].clone()).collect()))
    }

    fn table(rows: usize) -> String {
        let line =
            |n: usize| format!("{{\"id\": {n}, \"text\": \"row \\u00e9 {n} of many\", \"label\": \"c{}\"}}\n", n % 5);
        (0..rows).map(line).collect()
    }

    #[test]
    fn a_row_far_behind_the_start_is_read_as_with_all_others() {
        let (picked, all) =
            both("data/a.jsonl", table(3000).as_bytes(), &[0, 7, 499, 2000, 2000, 2999]).expect("lines");
        assert_eq!(picked, all);
        assert_eq!(picked.len(), 6);
        let tweets: String = (0..2000).map(|n| format!("__label__c{} tweet {n}\n", n % 3)).collect();
        let (picked, all) = both("train.txt", tweets.as_bytes(), &[3, 1500]).expect("lines");
        assert_eq!((picked.len(), picked), (2, all));
        // Records that are no lines are read with all others.
        assert_eq!(both("a.csv", b"text,label\nx y,a\n\"z\nz\",b\n", &[1]), None);
        assert_eq!(both("a.json", b"[{\"text\": \"x\", \"label\": \"a\"}]", &[0]), None);
    }

    proptest! {
        #[test]
        fn any_rows_of_any_lines_are_read_as_with_all_others(
            lines in proptest::collection::vec(r#"(\{"text": "[a-z ]{0,9}", "label": "[ab]"\}|\{"label": 1\}|[a-z{} "]{0,9}|)\r?\n?"#, 1..40),
            more in 0..2000_usize,
            wanted in proptest::collection::btree_set(0..2040_u32, 0..30),
        ) {
            let text = table(more) + &lines.concat() + &table(more % 7);
            let wanted: Vec<u32> = wanted.into_iter().collect();
            if let Some((picked, all)) = both("data/a.jsonl", text.as_bytes(), &wanted) {
                prop_assert_eq!(picked, all);
            }
        }
    }
}
