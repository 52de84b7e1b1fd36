//! Indexes as bytes, so that they can be kept from one run to the next.
//!
//! What comes back has been authenticated, and is looked at all the same: a length that does not fit is no index.

use super::{Classes, Index, Label, Lies, Stretch};
use crate::diff::rows::Rows;

/// Grows when the bytes of an index mean something else.
pub(crate) const LAYOUT: u32 = 2;

/// Writes numbers and lists of them.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text);
    }

    pub(crate) fn list<const N: usize>(&mut self, list: impl ExactSizeIterator<Item = [u8; N]>) {
        self.number(list.len() as u64);
        self.bytes.reserve(list.len() * N);
        list.for_each(|item| self.bytes.extend_from_slice(&item));
    }
}

/// Reads what [`Writer`] wrote; `None` where it does not fit.
#[derive(Debug)]
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn len(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(crate) fn text(&mut self) -> Option<&'b [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    pub(crate) fn list<const N: usize, T>(&mut self, read: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let len = self.len()?;
        let bytes = self.take(len.checked_mul(N)?)?;
        Some(bytes.as_chunks::<N>().0.iter().map(|&item| read(item)).collect())
    }
}

impl Index {
    /// Writes it; `false` where it is of a kind that is not kept.
    pub(crate) fn freeze(&self, out: &mut Writer) -> bool {
        let kind = match &self.lies {
            Lies::Nowhere => 0,
            Lies::Rows(_) => 1,
            Lies::Cells(_) => 2,
            Lies::Files(_) => return false,
        };
        if self.fresh.is_some() || self.labelled {
            return false;
        }
        out.list(self.keys.iter().map(|key| key.to_le_bytes()));
        out.list(self.labels.iter().map(|label| label.0.to_le_bytes()));
        out.list(self.ids.iter().map(|id| id.to_le_bytes()));
        out.number(self.classes.names.len() as u64);
        self.classes.names.iter().for_each(|name| out.text(name));
        out.list(self.classes.counts.iter().map(|count| count.to_le_bytes()));
        out.number(self.classes.other);
        out.number(self.stretches.len() as u64);
        for stretch in &self.stretches {
            out.number(stretch.from as u64);
            out.text(stretch.fields.as_bytes());
            out.number(u64::from(stretch.labelled) | (u64::from(stretch.by_user) << 1));
        }
        out.number(kind | (u64::from(self.by_line) << 8));
        if let Lies::Rows(rows) | Lies::Cells(rows) = &self.lies {
            rows.freeze(out);
        }
        true
    }

    /// Reads it.
    pub(crate) fn thaw(from: &mut Reader<'_>) -> Option<Self> {
        let keys = from.list(u64::from_le_bytes)?;
        let labels = from.list(|label| Label(u16::from_le_bytes(label)))?;
        let ids = from.list(u64::from_le_bytes)?;
        let mut classes = Classes::default();
        for _ in 0..from.number()? {
            classes.names.push(from.text()?.into());
        }
        classes.counts = from.list(u64::from_le_bytes)?;
        classes.other = from.number()?;
        let mut stretches = Vec::new();
        for _ in 0..from.number()? {
            let first = usize::try_from(from.number()?).ok()?;
            let fields = std::str::from_utf8(from.text()?).ok()?.into();
            let flags = from.number()?;
            stretches.push(Stretch { from: first, fields, labelled: flags & 1 != 0, by_user: flags & 2 != 0 });
        }
        let kind = from.number()?;
        let by_line = kind & (1 << 8) != 0;
        let (lies, rows) = match kind & !(1 << 8) {
            0 => (Lies::Nowhere, None),
            kind @ (1 | 2) => {
                let rows = Rows::thaw(from)?;
                let len = rows.len();
                (if kind == 1 { Lies::Rows(rows) } else { Lies::Cells(rows) }, Some(len))
            }
            _ => return None,
        };
        let known = |label: &Label| *label == Label::OTHER || usize::from(label.0) < classes.names.len() + 4;
        let fits = labels.len() == keys.len()
            && (ids.is_empty() || ids.len() == keys.len())
            && rows.unwrap_or(0) == keys.len()
            && labels.iter().all(known)
            && classes.counts.len() <= classes.names.len() + 4
            && stretches.first().is_none_or(|first| first.from == 0)
            && stretches.is_sorted_by_key(|stretch| stretch.from)
            && stretches.last().is_none_or(|last| last.from <= keys.len());
        fits.then(|| Self { keys, labels, ids, classes, lies, stretches, by_line, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::trial::Table;
    use crate::span::BlobId;

    fn frozen(text: &str) -> (Vec<String>, Vec<u8>) {
        let index = Table::labelled("a.tsv", text).index();
        let mut out = Writer::default();
        assert!(index.freeze(&mut out));
        (told(&index), out.bytes)
    }

    fn told(index: &Index) -> Vec<String> {
        let row = |row| {
            let place = index.place(row, BlobId(0));
            format!(
                "{:?} {:?} {place:?} {}",
                index.key(row),
                index.classes().title(index.label(row)),
                index.number(row)
            )
        };
        let classes = index.classes().counts().map(|(label, n)| format!("{label:?} {n}"));
        let stretches = index.stretches().map(|stretch| format!("{stretch:?}"));
        (0..index.len()).map(row).chain(classes).chain(stretches).collect()
    }

    #[test]
    fn what_is_damaged_never_panics() {
        let text: String = (0..300).map(|n| format!("text number {n}\tc{}\n", n % 3)).collect();
        let (_, bytes) = frozen(&text);
        for at in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x81;
            for bytes in [&damaged[..], &bytes[..at]] {
                if let Some(index) = Index::thaw(&mut Reader::new(bytes)) {
                    told(&index);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_comes_back_is_what_went_in(rows in proptest::collection::vec(("[a-z ]{0,20}", "[a-c]|null"), 0..400)) {
            let text: String = rows.iter().map(|(text, label)| format!("{text}\t{label}\n")).collect();
            let (told_before, bytes) = frozen(&text);
            let mut reader = Reader::new(&bytes);
            let index = Index::thaw(&mut reader).expect("it fits");
            prop_assert!(reader.is_empty());
            prop_assert_eq!(told(&index), told_before);
        }
    }
}
