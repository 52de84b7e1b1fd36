//! Parquet. What footer and page headers claim is compared with the bytes that are there before the library acts on it.

use std::collections::HashMap;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use ::parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema};
use ::parquet::column::page::{PageIterator, PageReader};
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use ::parquet::file::reader::SerializedPageReader;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use base64::Engine;

use super::lend::Lent;
use super::pages::{Checked, Chunk, Pages, is_fixed, outside};
use super::plan::FEATURES;
use super::thrift;
use crate::policy::Limits;

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8; 4] = b"PARE";

/// A batch is to take about this much memory.
const BATCH: u64 = 4 << 20;
const ROWS: u64 = 4096;
/// Values of a list column in one row group. One record may claim them all, and they are decoded at once.
const LISTED: i64 = 32 << 20;
/// An opened file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    lent: Lent,
    meta: ParquetMetaData,
    levels: FieldLevels,
    /// Columns of the file that are read.
    mask: Vec<bool>,
    schema: Schema,
    /// Number in the file of each column of `schema`.
    pub(super) numbers: Vec<u32>,
    /// Columns that are not read, with the reason.
    pub(super) unread: Vec<String>,
    limits: Limits,
}

impl<'a> File<'a> {
    /// # Errors
    /// A short reason why nothing can be read.
    pub(super) fn open(bytes: &'a [u8], lent: Lent, limits: &Limits) -> Result<Self, String> {
        let footer = footer(bytes)?;
        thrift::check_footer(footer)?;
        let meta = ParquetMetaDataReader::decode_metadata(footer).map_err(|e| reason(&e))?;
        check_row_groups(&meta, bytes.len() as u64)?;
        let parquet = meta.file_metadata().schema_descr();
        let (mask, unread) = columns(&meta, limits);
        let leaves = mask.iter().enumerate().filter(|(_, read)| **read).map(|(leaf, _)| leaf);
        let projection = ProjectionMask::leaves(parquet, leaves);
        // The types that the writer's Arrow had are left aside: they add nothing to the text, but can make the reader
        // build dictionaries and lists of fixed size that the file does not pay for.
        let whole = parquet_to_arrow_schema(parquet, None).map_err(|e| reason(&e))?;
        let hint = views(whole.fields());
        let levels = parquet_to_arrow_field_levels(parquet, projection, Some(&hint)).map_err(|e| reason(&e))?;
        let empty = Empty { meta: &meta };
        let read = ParquetRecordBatchReader::try_new_with_row_groups(&levels, &empty, 1, None);
        let read = read.map_err(|e| reason(&e))?;
        let schema = arrow_array::RecordBatchReader::schema(&read);
        let numbers = numbers(whole.fields(), schema.fields());
        let schema = Schema::new_with_metadata(schema.fields().clone(), features(&meta));
        Ok(Self { bytes, lent, levels, mask, schema, numbers, unread, limits: *limits, meta })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Rows that each row group claims to have.
    pub(super) fn row_groups(&self) -> Vec<u64> {
        self.meta.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect()
    }

    /// The batches of one row group.
    ///
    /// # Errors
    /// A short reason why the row group is unread.
    pub(super) fn batches(&self, group: usize) -> Result<ParquetRecordBatchReader, String> {
        let meta = self.meta.row_group(group);
        let mut chunks = Vec::with_capacity(meta.num_columns());
        let (mut row, mut total) = (1_u64, 0_u64);
        for (column, read) in meta.columns().iter().zip(&self.mask) {
            if !read {
                chunks.push(None);
                continue;
            }
            let (start, len) = extent(column).ok_or("damaged footer")?;
            let bytes = usize::try_from(start).ok().zip(usize::try_from(start + len).ok());
            let bytes = bytes.and_then(|(start, end)| self.bytes.get(start..end)).ok_or("damaged footer")?;
            let pages = Pages::of(bytes, column, meta.num_rows(), &self.limits)?;
            row = row.saturating_add(pages.row);
            total = total.saturating_add(pages.total);
            chunks.push(Some(Arc::new(pages.chunk(start, len, self.lent.clone()))));
        }
        if total > self.limits.blob.saturating_mul(4) {
            return Err("a row group too large when decompressed".to_owned());
        }
        let size = usize::try_from((BATCH / row).clamp(1, ROWS)).unwrap_or(1);
        let source = Group { meta: &self.meta, group, chunks };
        ParquetRecordBatchReader::try_new_with_row_groups(&self.levels, &source, size, None).map_err(|e| reason(&e))
    }
}

/// The bytes of the footer.
fn footer(bytes: &[u8]) -> Result<&[u8], String> {
    let cut = || "no Parquet magic at the end: cut off or damaged".to_owned();
    let rest = bytes.strip_prefix(MAGIC).or_else(|| bytes.strip_prefix(ENCRYPTED)).ok_or_else(cut)?;
    let (rest, magic) = rest.split_last_chunk::<4>().ok_or_else(cut)?;
    if magic == ENCRYPTED {
        return Err("encrypted".to_owned());
    }
    let (rest, len) = rest.split_last_chunk::<4>().filter(|_| magic == MAGIC).ok_or_else(cut)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    let start = rest.len().checked_sub(len).ok_or("footer longer than the file")?;
    Ok(&rest[start..])
}

/// Where a column chunk lies.
fn extent(column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    Some((u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?))
}

/// Chunks that share bytes would be decoded once for each column, so all of them together must fit into the file.
fn check_row_groups(meta: &ParquetMetaData, size: u64) -> Result<(), String> {
    let mut total = 0_u64;
    for group in meta.row_groups() {
        if group.num_rows() < 0 {
            return Err("damaged footer".to_owned());
        }
        for column in group.columns() {
            let (_, len) = extent(column).filter(|(start, len)| start.saturating_add(*len) <= size).ok_or("cut off")?;
            total = total.saturating_add(len);
        }
    }
    if total > size { Err("columns that overlap".to_owned()) } else { Ok(()) }
}

/// Which columns are read, and why others are not.
fn columns(meta: &ParquetMetaData, limits: &Limits) -> (Vec<bool>, Vec<String>) {
    let parquet = meta.file_metadata().schema_descr();
    let mut counts = [0_u64; 3];
    let most = usize::try_from(limits.fields).unwrap_or(usize::MAX);
    let mut read = 0;
    let mask = parquet.columns().iter().enumerate().map(|(leaf, column)| {
        let wide = is_fixed(column) && u64::try_from(column.type_length()).unwrap_or(u64::MAX) > limits.record;
        let long = column.max_rep_level() > 0
            && meta.row_groups().iter().any(|group| group.column(leaf).num_values() > LISTED);
        let why = [read >= most, wide, long].iter().position(|&why| why);
        if let Some(why) = why {
            counts[why] += 1;
        } else {
            read += 1;
        }
        why.is_none()
    });
    let mask = mask.collect();
    let texts =
        ["fields over the limit", "columns of too wide values", "list columns with too many values in a row group"];
    let unread = counts.iter().zip(texts).filter(|(n, _)| **n > 0).map(|(n, text)| format!("{n} {text}"));
    (mask, unread.collect())
}

/// What the Hugging Face libraries write down of the features: among the keys of the file, or in the Arrow schema that
/// the writer has put there.
fn features(meta: &ParquetMetaData) -> HashMap<String, String> {
    let pairs = meta.file_metadata().key_value_metadata();
    let value = |key| pairs.into_iter().flatten().find(|pair| pair.key == key)?.value.as_deref();
    let embedded = || {
        let schema = base64::engine::general_purpose::STANDARD.decode(value("ARROW:schema")?).ok()?;
        let schema = arrow_ipc::convert::try_schema_from_ipc_buffer(&schema).ok()?;
        schema.metadata().get(FEATURES).cloned()
    };
    let found = value(FEATURES).map(str::to_owned).or_else(embedded);
    found.map(|features| (FEATURES.to_owned(), features)).into_iter().collect()
}

/// The same fields, with strings and bytes as views, which refer to the decoded page instead of being copied out of it:
/// a dictionary of one large value and many rows then takes no more memory than the value.
fn views(fields: &Fields) -> Fields {
    let change = |field: &FieldRef| -> FieldRef {
        Arc::new(Field::new(field.name(), view(field.data_type()), field.is_nullable()))
    };
    fields.iter().map(change).collect()
}

fn view(kind: &DataType) -> DataType {
    let item = |field: &FieldRef| views(&Fields::from(vec![field.clone()]))[0].clone();
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Struct(fields) => DataType::Struct(views(fields)),
        DataType::List(field) => DataType::List(item(field)),
        DataType::Map(field, sorted) => DataType::Map(item(field), *sorted),
        other => other.clone(),
    }
}

/// The number in the file of each column that is read: both lists are in the order of the file.
fn numbers(whole: &Fields, read: &Fields) -> Vec<u32> {
    let mut next = 0;
    let number = |field: &FieldRef| {
        let at = whole.iter().skip(next).position(|other| other.name() == field.name()).unwrap_or(0) + next;
        next = at + 1;
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    read.iter().map(number).collect()
}

/// One row group as the library wants it.
struct Group<'a> {
    meta: &'a ParquetMetaData,
    group: usize,
    chunks: Vec<Option<Arc<Chunk>>>,
}

impl RowGroups for Group<'_> {
    fn num_rows(&self) -> usize {
        usize::try_from(self.meta.row_group(self.group).num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, i: usize) -> ParquetResult<Box<dyn PageIterator>> {
        let chunk = self.chunks.get(i).and_then(Clone::clone).ok_or_else(outside)?;
        let column = self.meta.row_group(self.group).column(i);
        let inner = SerializedPageReader::new(chunk, column, self.num_rows(), None)?;
        let descriptor = column.column_descr();
        let levels = (descriptor.max_rep_level() > 0, descriptor.max_def_level() > 0);
        Ok(Box::new(Once(Some(Box::new(Checked::new(inner, levels))))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.meta.row_group(self.group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.meta
    }
}

/// No rows at all: asked for its schema only.
struct Empty<'a> {
    meta: &'a ParquetMetaData,
}

impl RowGroups for Empty<'_> {
    fn num_rows(&self) -> usize {
        0
    }

    fn column_chunks(&self, _: usize) -> ParquetResult<Box<dyn PageIterator>> {
        Ok(Box::new(Once(None)))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::empty())
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.meta
    }
}

struct Once(Option<Box<dyn PageReader>>);

impl Iterator for Once {
    type Item = ParquetResult<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for Once {}

/// A short reason without any of the data.
fn reason(error: &ParquetError) -> String {
    match error {
        ParquetError::NYI(_) => "uses a feature that has no reader".to_owned(),
        ParquetError::General(text) if text.starts_with("Disabled feature") => {
            "compressed in a way that has no reader".to_owned()
        }
        _ => "damaged".to_owned(),
    }
}
