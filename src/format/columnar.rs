//! Parquet and Arrow IPC: columns written out as rows of text, in batches that have their own memory.
//!
//! The libraries that decode them panic on hostile files and reserve memory by what the file claims. So claims are
//! compared with the bytes first, every call into a library is caught, and what cannot be read is said. The values are
//! shown as trainers see them: dictionaries resolved, numbers of classes replaced by the names that the schema gives
//! them. Images and other encoded content are no text, and have a name but no value.

use crate::format::{Blob, Kind, Read, Sink};
use crate::policy::Limits;
use crate::span::Fresh;

#[cfg(feature = "parquet")]
mod arrow;
#[cfg(feature = "parquet")]
mod fresh;
#[cfg(feature = "parquet")]
mod lend;
#[cfg(feature = "parquet")]
mod pages;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod plan;
#[cfg(feature = "parquet")]
mod reading;
#[cfg(feature = "parquet")]
mod rows;
#[cfg(feature = "parquet")]
mod thrift;

#[cfg(test)]
#[cfg(feature = "parquet")]
mod tests;

/// The ratio of what is decompressed to what is stored counts from here on.
#[cfg(feature = "parquet")]
const RATIO_FROM: u64 = 10 << 20;

/// Whether the bytes begin a columnar file, and which.
pub(crate) fn detect(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"PAR1") || bytes.starts_with(b"PARE") {
        return Some(Kind::Parquet);
    }
    let stream = bytes.first_chunk::<8>().is_some_and(|head| {
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        head[..4] == [0xff; 4] && (8..64 << 20).contains(&len) && len % 8 == 0
    });
    (stream || bytes.starts_with(b"ARROW1\0\0")).then_some(Kind::Arrow)
}

/// Reads a columnar file.
///
/// # Errors
/// A short reason why nothing of it could be read. Where only parts could not, [`Read::unread`] names them.
#[cfg(feature = "parquet")]
pub(crate) fn read(blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<Read, String> {
    reading::read(blob, limits, sink)
}

/// Says that it is not built in.
#[cfg(not(feature = "parquet"))]
pub(crate) fn read(_: &Blob<'_>, _: &Limits, _: &mut dyn Sink) -> Result<Read, String> {
    Err("Parquet support is not built in".to_owned())
}

/// Which records of a columnar file a change brought; `None` where the new version is not columnar.
pub(crate) fn fresh_records(before: &[u8], after: &[u8], limits: &Limits) -> Option<Fresh> {
    detect(after)?;
    #[cfg(feature = "parquet")]
    return Some(fresh::fresh(before, after, limits));
    #[cfg(not(feature = "parquet"))]
    return Some((before, limits, Fresh::All).2);
}
