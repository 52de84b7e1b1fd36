//! Arrow IPC: the stream, and the file that has a footer. Messages are framed here, and their claims compared with the
//! bytes that are there, before the library decodes one of them.

use std::collections::HashMap;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::{RecordBatchDecoder, read_dictionary};
use arrow_ipc::{Message, MessageHeader, MetadataVersion};
use arrow_schema::SchemaRef;

use super::RATIO_FROM;
use crate::policy::Limits;

const FILE: &[u8] = b"ARROW1";
const CONTINUES: [u8; 4] = [0xff; 4];

/// The batches of a file or a stream.
pub(super) struct Batches<'a> {
    bytes: &'a [u8],
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    version: MetadataVersion,
    order: Order<'a>,
    limits: Limits,
    /// Bytes of dictionaries so far, each counted again whenever another is put behind it.
    copied: u64,
    dictionary: u64,
}

/// Where the next message is.
enum Order<'a> {
    /// Behind the last one.
    Stream(Frames<'a>),
    /// Where the footer says: offset, length of the metadata, length of the body.
    File(std::vec::IntoIter<(i64, i32, i64)>),
}

/// What came next.
pub(super) enum Step {
    Batch(RecordBatch),
    /// A message that carries no rows.
    Other,
    End,
}

impl<'a> Batches<'a> {
    /// # Errors
    /// A short reason why nothing can be read.
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, String> {
        let (schema, version, order) = if bytes.starts_with(FILE) { file(bytes)? } else { stream(bytes)? };
        Ok(Self {
            bytes,
            schema,
            dictionaries: HashMap::new(),
            version,
            order,
            limits: *limits,
            copied: 0,
            dictionary: 0,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes the next message. After an error the next one can be tried, unless the frames themselves are broken.
    ///
    /// # Errors
    /// A short reason why the message is unread, and whether there can be a next one.
    pub(super) fn step(&mut self) -> Result<Step, (String, bool)> {
        let lost = |reason| (reason, false);
        let (message, body) = match &mut self.order {
            Order::Stream(frames) => match frames.next().map_err(lost)? {
                Some(frame) => frame,
                None => return Ok(Step::End),
            },
            Order::File(blocks) => match blocks.next() {
                Some(block) => framed(self.bytes, block).map_err(|reason| (reason, true))?,
                None => return Ok(Step::End),
            },
        };
        self.decode(message, body).map_err(|reason| (reason, true))
    }

    fn decode(&mut self, message: Message<'_>, body: &[u8]) -> Result<Step, String> {
        let damaged = || "damaged message".to_owned();
        match message.header_type() {
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or_else(damaged)?;
                self.check(&batch, body)?;
                let body = body.to_vec().into();
                let schema = self.schema.clone();
                let decoder = RecordBatchDecoder::try_new(&body, batch, schema, &self.dictionaries, &self.version);
                let batch = decoder.and_then(RecordBatchDecoder::read_record_batch).map_err(|e| reason(&e))?;
                Ok(Step::Batch(batch))
            }
            MessageHeader::DictionaryBatch => {
                let batch = message.header_as_dictionary_batch().ok_or_else(damaged)?;
                self.check(&batch.data().ok_or_else(damaged)?, body)?;
                // What is put behind a dictionary copies all of it.
                self.dictionary += body.len() as u64;
                self.copied += if batch.isDelta() { self.dictionary } else { 0 };
                if self.copied > self.limits.blob.saturating_mul(4) {
                    return Err("a dictionary in too many parts".to_owned());
                }
                let body = body.to_vec().into();
                read_dictionary(&body, batch, &self.schema, &mut self.dictionaries, &self.version)
                    .map_err(|e| reason(&e))?;
                Ok(Step::Other)
            }
            MessageHeader::Schema => Err("a second schema".to_owned()),
            _ => Err("a message that is not a table".to_owned()),
        }
    }

    /// Compares what a batch claims with the bytes that are there.
    fn check(&self, batch: &arrow_ipc::RecordBatch<'_>, body: &[u8]) -> Result<(), String> {
        let lies = || "a batch claims more than there is".to_owned();
        let compressed = batch.compression().is_some();
        let (mut stored, mut claimed) = (0_u64, 0_u64);
        for buffer in batch.buffers().iter().flatten() {
            let start = usize::try_from(buffer.offset()).map_err(|_| lies())?;
            let len = usize::try_from(buffer.length()).map_err(|_| lies())?;
            let bytes = start.checked_add(len).and_then(|end| body.get(start..end)).ok_or_else(lies)?;
            stored = stored.saturating_add(len as u64);
            if let Some((size, _)) = bytes.split_first_chunk::<8>().filter(|_| compressed) {
                // -1 stands for a buffer that is not compressed after all.
                claimed = claimed.saturating_add(u64::try_from(i64::from_le_bytes(*size)).unwrap_or(0));
            }
        }
        if stored > body.len() as u64 || batch.length() < 0 {
            return Err(lies());
        }
        if batch.nodes().iter().flatten().any(|node| node.length() < 0 || node.null_count() < 0) {
            return Err(lies());
        }
        let most = self.limits.ratio.saturating_mul(stored).max(RATIO_FROM).min(self.limits.blob);
        if claimed > most { Err("a batch too large when decompressed".to_owned()) } else { Ok(()) }
    }
}

type Opened<'a> = (SchemaRef, MetadataVersion, Order<'a>);

fn stream(bytes: &[u8]) -> Result<Opened<'_>, String> {
    let mut frames = Frames { bytes, at: 0 };
    let (message, _) = frames.next()?.ok_or("empty stream")?;
    let schema = message.header_as_schema().ok_or("no schema")?;
    Ok((schema_of(schema)?, message.version(), Order::Stream(frames)))
}

fn file(bytes: &[u8]) -> Result<Opened<'_>, String> {
    let cut = || "no Arrow magic at the end: cut off or damaged".to_owned();
    let (rest, magic) = bytes.split_last_chunk::<6>().ok_or_else(cut)?;
    let (rest, len) = rest.split_last_chunk::<4>().filter(|_| magic == FILE).ok_or_else(cut)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    let start = rest.len().checked_sub(len).ok_or("footer longer than the file")?;
    let footer = arrow_ipc::root_as_footer(&rest[start..]).map_err(|_| "damaged footer")?;
    let schema = schema_of(footer.schema().ok_or("no schema")?)?;
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
    let blocks: Vec<_> = blocks.map(|b| (b.offset(), b.metaDataLength(), b.bodyLength())).collect();
    Ok((schema, footer.version(), Order::File(blocks.into_iter())))
}

fn schema_of(schema: arrow_ipc::Schema<'_>) -> Result<SchemaRef, String> {
    if !schema.endianness().equals_to_target_endianness() {
        return Err("written in the other byte order".to_owned());
    }
    arrow_ipc::convert::try_fb_to_schema(schema).map(SchemaRef::new).map_err(|e| reason(&e))
}

/// The message of a block of the footer.
fn framed(bytes: &[u8], (offset, meta, body): (i64, i32, i64)) -> Result<(Message<'_>, &[u8]), String> {
    let lies = || "the footer points outside of the file".to_owned();
    let number = |n: i64| usize::try_from(n).map_err(|_| lies());
    let (offset, meta, body) = (number(offset)?, number(meta.into())?, number(body)?);
    let rest = bytes.get(offset..).ok_or_else(lies)?;
    let (meta, rest) = rest.split_at_checked(meta).ok_or_else(lies)?;
    let body = rest.get(..body).ok_or_else(lies)?;
    let meta = meta.strip_prefix(&CONTINUES).unwrap_or(meta).get(4..).ok_or_else(lies)?;
    let message = arrow_ipc::root_as_message(meta).map_err(|_| "damaged message")?;
    Ok((message, body))
}

/// The messages of a stream, one behind the other.
struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    fn next(&mut self) -> Result<Option<(Message<'a>, &'a [u8])>, String> {
        let cut = || "cut off".to_owned();
        let mut rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        rest = rest.strip_prefix(&CONTINUES).unwrap_or(rest);
        let (len, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
        if len == 0 {
            return Ok(None);
        }
        let (meta, rest) = rest.split_at_checked(len).ok_or_else(cut)?;
        let message = arrow_ipc::root_as_message(meta).map_err(|_| "damaged message")?;
        let len = usize::try_from(message.bodyLength()).map_err(|_| cut())?;
        let (body, rest) = rest.split_at_checked(len).ok_or_else(cut)?;
        self.at = self.bytes.len() - rest.len();
        Ok(Some((message, body)))
    }
}

/// A short reason without any of the data.
fn reason(error: &arrow_schema::ArrowError) -> String {
    use arrow_schema::ArrowError;
    match error {
        ArrowError::NotYetImplemented(_) => "uses a feature that has no reader".to_owned(),
        ArrowError::MemoryError(_) => "asks for too much memory".to_owned(),
        _ => "damaged batch".to_owned(),
    }
}
