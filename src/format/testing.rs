//! Reads bytes into plain values, for tests of formats and checks.

use bstr::BStr;

use super::{Blob, Decoded, Feeds, Flaw, Name, Read, Records, Reference, References, Sink, decode, read};
use crate::lens::{Lens, Role};
use crate::policy::Limits;
use crate::span::{BlobId, Fresh, Span};

/// A field as a check sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeenField {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A record as a check sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeenRow {
    pub(crate) number: u64,
    pub(crate) span: Span,
    pub(crate) fields: Vec<SeenField>,
}

impl SeenRow {
    /// The value of a field by its dotted name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.text.as_str())
    }
}

/// All that came out of a blob.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) rows: Vec<SeenRow>,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) names: Vec<Name>,
    pub(crate) references: Vec<Reference>,
    pub(crate) read: Option<Read>,
    pub(crate) feeds: Vec<Feeds>,
}

impl Seen {
    /// Dotted names and values of all rows.
    pub(crate) fn values(&self) -> Vec<Vec<(&str, &str)>> {
        fn pairs(row: &SeenRow) -> Vec<(&str, &str)> {
            row.fields.iter().map(|f| (f.name.as_str(), f.text.as_str())).collect()
        }
        self.rows.iter().map(pairs).collect()
    }

    /// Kinds of flaws with the record of each.
    pub(crate) fn flaws(&self) -> Vec<(&'static str, Option<u64>)> {
        self.flaws.iter().map(|flaw| (flaw.kind, flaw.record)).collect()
    }

    /// The role of a field.
    pub(crate) fn role(&self, path: &str) -> Role {
        self.names.iter().find(|name| name.path == path).map_or(Role::Other, |name| name.role)
    }

    /// What reading came to.
    pub(crate) fn read(&self) -> &Read {
        self.read.as_ref().expect("reading was no error")
    }
}

impl Sink for Seen {
    fn records(&mut self, records: &Records<'_>) {
        for record in records.iter() {
            let fields = record.fields().map(|field| SeenField {
                name: field.dotted(),
                role: field.role(),
                text: field.text().into_owned(),
                span: Span::new(field.cell().start, field.cell().end),
            });
            self.rows.push(SeenRow { number: record.number(), span: record.span(), fields: fields.collect() });
        }
        self.flaws.extend_from_slice(records.flaws);
        self.names = records.names.to_vec();
    }

    fn feeds(&mut self, feeds: Feeds) {
        self.feeds.push(feeds);
    }

    fn references(&mut self, references: &References<'_>) {
        self.references.extend_from_slice(references.list);
    }
}

/// Decodes and reads a blob with no policy.
pub(crate) fn read_bytes(path: &str, bytes: &[u8]) -> Seen {
    read_with(path, bytes, &Lens::default(), &Limits::default())
}

/// Decodes and reads a blob.
pub(crate) fn read_with(path: &str, bytes: &[u8], lens: &Lens, limits: &Limits) -> Seen {
    try_read_with(path, bytes, lens, limits).expect("a format that can be read")
}

/// Reads a blob, or says why it is unread.
pub(crate) fn try_read_with(path: &str, bytes: &[u8], lens: &Lens, limits: &Limits) -> Result<Seen, String> {
    let decoded = decode(bytes, limits).expect("within the limits");
    let mut seen = Seen::default();
    let result = with_blob(path, &decoded, lens, &Fresh::All, |blob| read(blob, limits, &mut seen));
    seen.read = Some(result?);
    Ok(seen)
}

/// Makes a blob of decoded bytes.
pub(crate) fn with_blob<T>(
    path: &str,
    decoded: &Decoded<'_>,
    lens: &Lens,
    fresh: &Fresh,
    act: impl FnOnce(&Blob<'_>) -> T,
) -> T {
    act(&Blob { id: BlobId(0), path: BStr::new(path), lens, decoded, fresh })
}
