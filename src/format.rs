//! What bytes mean: blobs become batches of records with spans, and code and configuration become references.
//!
//! [`Decoded`] comes first: compression and encoding are taken off, and every offset can be led back to the raw bytes.
//! Then [`read`] tells the format by content and pushes [`Records`] and [`Reference`]s into a [`Sink`], in batches, so
//! that memory does not grow with the file.

use std::borrow::Cow;

use bstr::BStr;
use serde::Serialize;

mod batch;
pub(crate) mod cards;
pub(crate) mod coding;
mod columnar;
mod compressed;
mod csv;
mod dependencies;
mod encoding;
mod hint;
mod json;
mod kind;
mod named;
mod rasa;
mod read;
mod records;
mod references;
mod roles;
pub(crate) mod sieve;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod tokens;

pub(crate) use compressed::compressed_kind;
pub(crate) use encoding::decode;
pub(crate) use kind::{FORM, Kind};
pub(crate) use named::References;
pub use named::{Reference, Target, Verdict};
pub(crate) use read::{ByLine, by_line, read};
pub(crate) use records::{Cell, Coding, Field, Flaw, Name, Record, Records, Row};

pub(crate) use columnar::fresh_records;
pub(crate) use dependencies::{Dependency, dependencies, lists_packages};
pub(crate) use hint::kind_of;
pub(crate) use references::{DATASET_INFO, Lists, fresh_references};

use self::cards::Carded;
use crate::lens::{Lens, Role};
use crate::span::{BlobId, Fresh};

/// A blob with its encoding and compression taken off.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// UTF-8 where the blob is text in an encoding that is known; otherwise the bytes as they are.
    pub bytes: Cow<'a, [u8]>,
    /// Leads offsets in `bytes` back to raw offsets.
    pub offsets: Offsets,
    /// What the raw bytes were.
    pub encoding: Encoding,
}

/// The encoding of a text.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// Valid UTF-8, with or without a byte-order mark.
    Utf8,
    /// Mostly UTF-8 with malformed sequences, which are kept as they are.
    BrokenUtf8,
    /// One byte a character; read as Windows-1252.
    Latin1,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// UTF-32, little endian.
    Utf32Le,
    /// UTF-32, big endian.
    Utf32Be,
    /// Not text.
    Binary,
}

/// Leads offsets of decoded text back to raw bytes.
#[derive(Clone, Debug, Default)]
pub(crate) enum Offsets {
    /// They are the same.
    #[default]
    Same,
    /// Checkpoints: pairs of (decoded, raw) offsets, sorted, one for every stretch in which the two run alike by a
    /// fixed rule of the encoding.
    Mapped(Vec<(u64, u64)>, Encoding),
}

/// A blob ready to be read.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Blob<'a> {
    /// Its number.
    pub id: BlobId,
    /// Its path.
    pub path: &'a BStr,
    /// How it is to be seen.
    pub lens: &'a Lens,
    /// Its bytes.
    pub decoded: &'a Decoded<'a>,
    /// Which parts of the decoded bytes are to be judged.
    pub fresh: &'a Fresh,
}

/// What reading a blob came to.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// What it is.
    pub kind: Kind,
    /// Records read.
    pub records: u64,
    /// References found.
    pub references: u64,
    /// What was guessed of its fields.
    pub guess: Option<Guess>,
    /// Parts of it that could not be read, each with a short reason. The rest was read.
    pub unread: Vec<String>,
}

/// What was guessed of the fields of a file, to be printed.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize)]
pub struct Guess {
    /// Name of the shape: `classification table`, `OpenAI chat`.
    pub shape: &'static str,
    /// Fields that have a role, and which.
    pub fields: Vec<(String, Role)>,
    /// Records of the sample that have the shape, and the size of the sample.
    pub support: (u32, u32),
}

/// Takes what is read. Batches come in the order of the file.
pub(crate) trait Sink {
    /// A batch of records.
    fn records(&mut self, records: &Records<'_>);
    /// A batch of references.
    fn references(&mut self, references: &References<'_>);
    /// What a card says of the data beside it.
    fn card(&mut self, card: &Carded<'_>) {
        let _ = card;
    }
    /// So many line feeds stand before this offset. Told once a batch, in ascending order, for texts only.
    fn feeds(&mut self, feeds: Feeds) {
        let _ = feeds;
    }
}

/// Line feeds before an offset of a blob, so that a line far behind need not be counted from the start.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Feeds {
    /// The offset, in bytes of the decoded text.
    pub at: u64,
    /// How many there are before it.
    pub count: u64,
}

/// Reads a blob and counts its cells: what the benches measure.
///
/// # Errors
/// As `decode` and `read`.
pub fn count_cells(path: &str, bytes: &[u8]) -> Result<u64, String> {
    struct Count(u64);
    impl Sink for Count {
        fn records(&mut self, records: &Records<'_>) {
            self.0 += records.cells.len() as u64;
        }
        fn references(&mut self, _: &References<'_>) {}
    }
    let limits = crate::policy::Limits::default();
    let decoded = decode(bytes, &limits)?;
    let (lens, fresh, mut count) = (Lens::default(), Fresh::All, Count(0));
    let blob = Blob { id: BlobId(0), path: BStr::new(path), lens: &lens, decoded: &decoded, fresh: &fresh };
    read(&blob, &limits, &mut count)?;
    Ok(count.0)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
