//! What bytes mean: blobs become batches of records with spans, and code and configuration become references.
//!
//! [`Decoded`] comes first: compression and encoding are taken off, and every offset can be led back to the raw bytes.
//! Then [`read`] tells the format by content and pushes [`Records`] and [`Reference`]s into a [`Sink`], in batches, so
//! that memory does not grow with the file.

use std::borrow::Cow;
use std::ops::Range;

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
mod rasa;
mod read;
mod references;
mod roles;
pub(crate) mod sieve;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod tokens;

pub(crate) use compressed::compressed_kind;
pub(crate) use encoding::decode;
pub(crate) use read::{ByLine, by_line, read};

pub(crate) use columnar::fresh_records;
pub(crate) use dependencies::{Dependency, dependencies, lists_packages};
pub(crate) use hint::kind_of;
pub(crate) use references::{DATASET_INFO, Lists, fresh_references};

use self::cards::Carded;
use crate::lens::{Lens, Role, Standing};
use crate::span::{At, BlobId, Fresh, Place, Span};
use sieve::{Kinds, Sieve};

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

/// What a blob turned out to be.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// One JSON value a line.
    JsonLines,
    /// A JSON array of records, or an object of splits.
    Json,
    /// Separated values; the separator and the header are found by content.
    Csv,
    /// Running text, a line a record.
    Text,
    /// Words with their labels, a word a line and an empty line between sentences.
    Tokens,
    /// Markdown: text, and references in its code blocks and front matter.
    Markdown,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, file or stream.
    Arrow,
    /// Python source.
    Python,
    /// Jupyter notebook.
    Notebook,
    /// YAML configuration.
    Yaml,
    /// JSON configuration.
    JsonConfig,
    /// TOML configuration.
    Toml,
    /// Shell script, Dockerfile, workflow step.
    Shell,
    /// Source code or other text that is not data: only hidden characters are looked for.
    Code,
    /// Nothing that a reader of ours understands.
    Unknown,
}

impl Kind {
    /// Whether the blob holds records of data, not code or configuration.
    pub(crate) fn is_data(self) -> bool {
        matches!(
            self,
            Kind::JsonLines | Kind::Json | Kind::Csv | Kind::Text | Kind::Tokens | Kind::Parquet | Kind::Arrow
        )
    }

    /// Whether code, configuration or documents of this kind name datasets and models.
    pub(crate) fn names_sources(self) -> bool {
        use Kind::{JsonConfig, Markdown, Notebook, Python, Shell, Toml, Yaml};
        matches!(self, Python | Notebook | Yaml | JsonConfig | Toml | Shell | Markdown)
    }

    /// Whether each of its lines is a row, also those that are no record.
    pub(crate) fn is_lines(self) -> bool {
        matches!(self, Kind::Text | Kind::Tokens)
    }

    /// Whether its records are columns on disk: they have no bytes of their own there, and are told by their number.
    pub(crate) fn is_columnar(self) -> bool {
        matches!(self, Kind::Parquet | Kind::Arrow)
    }
}

/// The name of the field that holds the word in [`Kind::Tokens`].
pub(crate) const FORM: &str = "form";

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

/// A batch of records of one blob. Rows and cells are plain arrays, so that no row costs an allocation.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    /// The blob they come from.
    pub blob: Blob<'a>,
    /// What it is.
    pub kind: Kind,
    /// Names and roles of fields.
    pub names: &'a [Name],
    /// What the cells' offsets count: the decoded blob, or a batch's own memory for columnar files.
    pub text: &'a [u8],
    /// Number of the first row in the file, from 0.
    pub first: u64,
    /// The rows.
    pub rows: &'a [Row],
    /// The cells of all rows, one row after the other.
    pub cells: &'a [Cell],
    /// What a trainer's parser would read differently, or not at all.
    pub flaws: &'a [Flaw],
    /// Which kinds of bytes stand where in the text; `None` where nobody has looked.
    pub sieve: Option<&'a Sieve>,
}

/// The name of a field.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Name {
    /// Dotted, with `[]` for every element of a list: `messages[].content`.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// The column it has in a table, from 0.
    pub column: u32,
}

/// A row: where it lies and which cells are its own.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Row {
    /// First byte of the record in [`Records::text`].
    pub start: u64,
    /// Behind its last byte.
    pub end: u64,
    /// Index of its first cell.
    pub cells: u32,
    /// Number of its cells.
    pub len: u32,
}

/// The value of one field of one row.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Cell {
    /// First byte of the value in [`Records::text`], inside its quotes.
    pub start: u64,
    /// Behind its last byte, inside its quotes.
    pub end: u64,
    /// Index into [`Records::names`].
    pub name: u16,
    /// Index of the list element it lies in, where the name has `[]`.
    pub index: u32,
    /// How it is written.
    pub coding: Coding,
}

/// How a value is written down.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(crate) enum Coding {
    /// A string without any escape.
    Plain,
    /// A string with JSON escapes.
    Json,
    /// A quoted CSV field in which quotes are doubled.
    Csv,
    /// A number, `true` or `false`.
    Bare,
    /// `null`, or a missing value.
    Null,
    /// A value of a columnar file, written out as text into the batch's own memory.
    Columnar,
}

/// What a trainer's parser would read differently.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Flaw {
    /// Which flaw: `duplicate-key`, `not-a-number`, `lone-surrogate`, `swallowed-quote`, `stray-quote`,
    /// `oversized-record`, `unparsable-record`, `trailing-garbage`, `ragged-row`, `malformed-utf8`, `not-utf8`,
    /// `lfs-mismatch`.
    pub kind: &'static str,
    /// Where, in [`Records::text`].
    pub span: Span,
    /// Number of the record, from 1.
    pub record: Option<u64>,
    /// One phrase of detail, without data in it.
    pub detail: String,
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

impl<'a> Records<'a> {
    /// The record of this number, from 1, where the batch holds it.
    pub(crate) fn record(&self, number: u64) -> Option<Record<'_>> {
        let index = usize::try_from(number.checked_sub(self.first + 1)?).ok()?;
        (index < self.rows.len()).then_some(Record { batch: self, index })
    }

    /// The records of the batch, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.rows.len()).map(|i| Record { batch: self, index: i })
    }

    /// The next stretch of the text at or behind `at` that may have bytes of these kinds. It may end behind the text.
    pub(crate) fn stretch(&self, at: usize, kinds: Kinds) -> Option<Range<usize>> {
        match self.sieve {
            Some(sieve) => sieve.next(at, kinds),
            None => (at < self.text.len()).then_some(at..self.text.len()),
        }
    }

    /// A place in the raw blob for a span of [`Records::text`].
    pub(crate) fn place(&self, span: Span) -> Place {
        if self.kind.is_columnar() {
            return Place { blob: self.blob.id, at: self.cell_at(span.start) };
        }
        Place { blob: self.blob.id, at: At::Bytes(self.blob.decoded.offsets.raw(&self.blob.decoded.bytes, span)) }
    }

    /// The cell of a columnar file whose text lies at this offset of the batch's memory.
    fn cell_at(&self, offset: u64) -> At {
        let row = self.rows.partition_point(|row| row.start <= offset).saturating_sub(1);
        let cells = self.rows.get(row).map(|row| &self.cells[row.cells as usize..(row.cells + row.len) as usize]);
        let cell = cells.and_then(|cells| cells.iter().find(|cell| cell.end > offset));
        let column = cell.map_or(0, |cell| self.names[usize::from(cell.name)].column);
        At::Cell { row: self.first + row as u64, column }
    }
}

/// One record of a batch.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Record<'a> {
    batch: &'a Records<'a>,
    index: usize,
}

impl<'a> Record<'a> {
    /// Its number in the file, from 1.
    pub(crate) fn number(self) -> u64 {
        self.batch.first + self.index as u64 + 1
    }

    /// Its row.
    pub(crate) fn row(self) -> &'a Row {
        &self.batch.rows[self.index]
    }

    /// Its span in [`Records::text`], which is the decoded blob unless the file is columnar.
    pub(crate) fn span(self) -> Span {
        Span::new(self.row().start, self.row().end)
    }

    /// Whether a change brought or touched it.
    ///
    /// In columnar files the fresh spans count records, from 0, not bytes.
    pub(crate) fn is_fresh(self) -> bool {
        let number = self.number();
        let span = if self.batch.kind.is_columnar() { Span::new(number - 1, number) } else { self.span() };
        self.batch.blob.fresh.touches(span)
    }

    /// Its fields, in the order of the file.
    pub(crate) fn fields(self) -> impl Iterator<Item = Field<'a>> {
        let row = self.row();
        let (first, len) = (row.cells as usize, row.len as usize);
        self.batch.cells[first..first + len].iter().map(move |cell| Field { record: self, cell })
    }

    /// Its fields of this role.
    pub(crate) fn with_role(self, role: Role) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |f| f.role() == role)
    }

    /// The batch it belongs to.
    pub(crate) fn batch(self) -> &'a Records<'a> {
        self.batch
    }
}

/// One field of one record.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Field<'a> {
    record: Record<'a>,
    cell: &'a Cell,
}

impl<'a> Field<'a> {
    /// What it is for.
    pub(crate) fn role(self) -> Role {
        self.name().role
    }

    /// Its name in the schema.
    pub(crate) fn name(self) -> &'a Name {
        &self.record.batch.names[usize::from(self.cell.name)]
    }

    /// Its dotted name with the index of its list element: `messages.2.content`.
    pub(crate) fn dotted(self) -> String {
        self.name().path.replacen("[]", &format!(".{}", self.cell.index), 1)
    }

    /// How it is written.
    pub(crate) fn coding(self) -> Coding {
        self.cell.coding
    }

    /// Its bytes as they stand in the blob, without the quotes around them.
    pub(crate) fn raw(self) -> &'a [u8] {
        Span::new(self.cell.start, self.cell.end).of(self.record.batch.text)
    }

    /// The record it belongs to.
    pub(crate) fn record(self) -> Record<'a> {
        self.record
    }

    /// Its cell.
    pub(crate) fn cell(self) -> &'a Cell {
        self.cell
    }
}

/// What a reference names.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A dataset.
    Dataset,
    /// A model.
    Model,
    /// Code that is run: a metric, a loader script.
    Code,
    /// A container image.
    Image,
    /// Data behind a URL or in a bucket.
    UrlData,
}

/// How firmly a reference is tied to content.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// To an immutable content id.
    Pinned,
    /// Not in the code, but `foretaste.lock` holds the resolved commit.
    Locked,
    /// To something that can be moved: a tag, a short hash.
    Weak,
    /// To nothing, or a branch.
    Unpinned,
    /// Not known before it runs.
    Dynamic,
    /// A path inside the repository.
    Local,
    /// No dataset or model at all.
    NotADataset,
}

impl Verdict {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pinned => "pinned",
            Verdict::Locked => "locked",
            Verdict::Weak => "weak",
            Verdict::Unpinned => "unpinned",
            Verdict::Dynamic => "dynamic",
            Verdict::Local => "local",
            Verdict::NotADataset => "not-a-dataset",
        }
    }
}

impl Target {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Target::Dataset => "dataset",
            Target::Model => "model",
            Target::Code => "code",
            Target::Image => "image",
            Target::UrlData => "url-data",
        }
    }
}

/// A dataset or model named by code, configuration or a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// What is named.
    pub kind: Target,
    /// Where it lives: `huggingface`, `github`, `url`, `s3`, `local`, ….
    pub hub: &'static str,
    /// Its name there, as written.
    pub target: String,
    /// The revision that is asked for, as written.
    pub pin: Option<String>,
    /// How firm that is.
    pub verdict: Verdict,
    /// The framework whose configuration or call it is: `axolotl`, `datasets`, `shell`.
    pub framework: &'static str,
    /// The call or key that names it: `load_dataset`, `datasets[].path`.
    pub by: String,
    /// Where, in the decoded blob.
    pub span: Span,
    /// Whether it lets code of the other side run (`trust_remote_code`).
    pub remote_code: bool,
    /// How to pin it in this framework, as one sentence.
    pub fix: String,
}

impl Reference {
    /// Whether it names a dataset, a model or a file elsewhere, whatever ties it down: what can be listed and locked. A
    /// revision that others take as their default, and the branch of a submodule, name no place of their own.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.verdict, Verdict::Pinned | Verdict::Locked | Verdict::Weak | Verdict::Unpinned)
            && !matches!(self.hub, "python" | "submodule")
    }

    /// Where it stands: a block in Markdown and a card are documentation wherever they lie.
    pub(crate) fn standing(&self, file: Standing, kind: Option<Kind>) -> Standing {
        match file {
            Standing::Test => Standing::Test,
            _ if kind == Some(Kind::Markdown) || matches!(self.framework, "hf-card" | "croissant") => Standing::Docs,
            standing => standing,
        }
    }
}

/// The references of one blob.
#[derive(Debug)]
pub(crate) struct References<'a> {
    /// The blob they come from.
    pub blob: Blob<'a>,
    /// What it is.
    pub kind: Kind,
    /// The references, in the order of the file.
    pub list: &'a [Reference],
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
