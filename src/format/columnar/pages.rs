//! The pages of a Parquet file: looked through before they are decoded, and handed to the library one at a time.

use ::parquet::basic::{Compression, Encoding, Type};
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::reader::{ChunkReader, Length, SerializedPageReader};
use ::parquet::schema::types::ColumnDescriptor;
use bytes::{Buf, Bytes};

use super::RATIO_FROM;
use super::lend::Lent;
use super::thrift::{self, Damaged, PageHeader};
use crate::policy::Limits;

/// Pages of one column chunk. What is known of each is kept.
const PAGES: usize = 1 << 18;
/// Values of a page whose lengths are decoded at once.
const LENGTHS: u64 = 16 << 20;
/// Compressed bytes of a page whose decoder knows no cap.
const UNCAPPED: u64 = 4 << 20;

pub(super) fn is_fixed(column: &ColumnDescriptor) -> bool {
    column.physical_type() == Type::FIXED_LEN_BYTE_ARRAY
}

/// The pages of a column chunk, and what they take in memory.
pub(super) struct Pages {
    /// Where each header begins in the chunk, how long it is, and what it says.
    headers: Vec<(usize, usize, PageHeader)>,
    /// Bytes for a row, at the most.
    pub(super) row: u64,
    /// Bytes of all pages.
    pub(super) total: u64,
}

impl Pages {
    /// The chunk they make up, which lies at `start` in the lent bytes.
    pub(super) fn chunk(self, start: u64, len: u64, lent: Lent) -> Chunk {
        Chunk { start, len, lent, headers: self.headers }
    }

    /// Looks through the page headers of a column chunk.
    pub(super) fn of(bytes: &[u8], column: &ColumnChunkMetaData, rows: i64, limits: &Limits) -> Result<Self, String> {
        let damaged = |Damaged| "damaged page header".to_owned();
        let strings = column.column_type() == Type::BYTE_ARRAY;
        let fixed = if is_fixed(column.column_descr()) { column.column_descr().type_length() } else { 16 };
        let mut size = Self { headers: Vec::new(), row: u64::try_from(fixed).unwrap_or(0), total: 0 };
        let (mut at, mut values, mut widest) = (0, 0_u64, 0_u64);
        while at < bytes.len() {
            let (header, len) = PageHeader::read(&bytes[at..]).map_err(damaged)?;
            let end = usize::try_from(header.compressed).ok().and_then(|body| (at + len).checked_add(body));
            let body = end.and_then(|end| bytes.get(at + len..end)).ok_or("a page longer than its column")?;
            if size.headers.len() == PAGES {
                return Err("too many pages".to_owned());
            }
            size.headers.push((at, len, header));
            at += len + body.len();
            let stored = body.len() as u64;
            let unpacked = u64::try_from(header.uncompressed).unwrap_or(u64::MAX);
            if unpacked > limits.ratio.saturating_mul(stored).max(RATIO_FROM).min(limits.blob) {
                return Err("a page too large when decompressed".to_owned());
            }
            uncapped(column.compression(), &header, body)?;
            size.total = size.total.saturating_add(unpacked.max(stored));
            let count = u64::try_from(header.values).unwrap_or(u64::MAX);
            match header.kind {
                0 | 3 => {
                    values = values.saturating_add(count);
                    let one = if is_delta(header.encoding) { unpacked / 16 } else { unpacked / count.max(1) };
                    widest = widest.max(one);
                }
                // Memory is reserved for every value; a string takes its length at least.
                2 if count > unpacked / if strings { 4 } else { 1 } => return Err("a dictionary that lies".to_owned()),
                _ => {}
            }
        }
        if values > u64::try_from(column.num_values()).unwrap_or(0) {
            return Err("more values than the footer says".to_owned());
        }
        let each = values.div_ceil(u64::try_from(rows).unwrap_or(0).max(1)).max(1);
        size.row = size.row.saturating_add(widest).saturating_mul(each);
        Ok(size)
    }
}

/// The encoding in which a value is written as what it adds to the one before: each can be as long as the page.
fn is_delta(encoding: i64) -> bool {
    encoding == Encoding::DELTA_BYTE_ARRAY as i64
}

/// Some decoders of the library go on behind the size that they were told.
fn uncapped(codec: Compression, header: &PageHeader, body: &[u8]) -> Result<(), String> {
    let levels = if header.kind == 3 { usize::try_from(header.levels).unwrap_or(usize::MAX) } else { 0 };
    let body = body.get(levels..).unwrap_or_default();
    if !header.is_compressed {
        return Ok(());
    }
    match codec {
        Compression::GZIP(_) => {
            let most = u64::try_from(header.uncompressed).unwrap_or(0).saturating_add(1);
            let mut stream = std::io::Read::take(flate2::read::MultiGzDecoder::new(body), most);
            let len = std::io::copy(&mut stream, &mut std::io::sink()).map_err(|_| "damaged gzip page")?;
            if len == most { Err("a page that lies about its size".to_owned()) } else { Ok(()) }
        }
        Compression::LZ4 if body.len() as u64 > UNCAPPED => Err("a page too large to be decompressed".to_owned()),
        _ => Ok(()),
    }
}

/// One column chunk, of which the library gets a page at a time.
pub(super) struct Chunk {
    start: u64,
    len: u64,
    lent: Lent,
    headers: Vec<(usize, usize, PageHeader)>,
}

impl Chunk {
    fn copy(&self, start: u64, len: usize) -> ParquetResult<Bytes> {
        let end = start.checked_add(len as u64).filter(|&end| start >= self.start && end <= self.start + self.len);
        let range = usize::try_from(start).ok().zip(end.and_then(|end| usize::try_from(end).ok()));
        range.and_then(|(start, end)| self.lent.copy(start..end)).ok_or_else(outside)
    }
}

pub(super) fn outside() -> ParquetError {
    ParquetError::EOF("outside of the column".to_owned())
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.len
    }
}

impl ChunkReader for Chunk {
    type T = bytes::buf::Reader<Bytes>;

    /// The page header at `start`. The library also asks where a page begins whose header it has, and reads nothing.
    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let at = start.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let known = at.and_then(|at| self.headers.binary_search_by_key(&at, |(at, ..)| *at).ok());
        let Some((_, len, header)) = known.map(|n| &self.headers[n]) else { return Ok(Bytes::new().reader()) };
        let bytes = self.copy(start, *len)?;
        // A mapped file may be another one by now.
        if PageHeader::read(&bytes) != Ok((*header, *len)) {
            return Err(outside());
        }
        Ok(bytes.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.copy(start, length)
    }
}

/// Hands decompressed pages on, unless their values claim more than a page can hold.
pub(super) struct Checked {
    inner: SerializedPageReader<Chunk>,
    /// Whether there are levels of repetition and of definition before the values.
    levels: (bool, bool),
}

impl Checked {
    pub(super) fn new(inner: SerializedPageReader<Chunk>, levels: (bool, bool)) -> Self {
        Self { inner, levels }
    }

    fn check(&self, page: &Page) -> Result<(), Damaged> {
        let lengths = match page.encoding() {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => return Ok(()),
        };
        let mut values: &[u8] = page.buffer();
        match page {
            Page::DataPage { def_level_encoding, rep_level_encoding, .. } => {
                for (there, encoding) in [(self.levels.0, rep_level_encoding), (self.levels.1, def_level_encoding)] {
                    if there {
                        let (len, rest) = values.split_first_chunk::<4>().ok_or(Damaged)?;
                        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| Damaged)?;
                        values = rest.get(len..).filter(|_| *encoding == Encoding::RLE).ok_or(Damaged)?;
                    }
                }
            }
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                let len = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                values = usize::try_from(len).ok().and_then(|len| values.get(len..)).ok_or(Damaged)?;
            }
            Page::DictionaryPage { .. } => return Err(Damaged),
        }
        for _ in 0..lengths {
            let (count, end) = thrift::delta_run(values)?;
            if count > LENGTHS.min(u64::from(page.num_values())) {
                return Err(Damaged);
            }
            values = &values[end..];
        }
        Ok(())
    }
}

impl Iterator for Checked {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if page.as_ref().is_some_and(|page| self.check(page).is_err()) {
            return Err(ParquetError::General("a page that lies about its values".to_owned()));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> ParquetResult<bool> {
        self.inner.at_record_boundary()
    }
}
