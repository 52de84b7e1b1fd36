//! The compact Thrift encoding of Parquet's footer and page headers, read only as far as needed to refuse what lies.
//!
//! The Parquet library reserves memory by the counts it finds here before it has seen what they count, and walks nested
//! schemas by recursion. An allocation that fails and a stack that overflows end the process; neither can be caught. So
//! everything is looked at here first, in one pass over the bytes and without any allocation.

use std::mem;

/// Nesting of Thrift structures; Parquet's own need eight.
const DEPTH: u32 = 32;
/// Nesting of the schema.
const SCHEMA_DEPTH: usize = 100;
/// Schema elements, and column chunks over all row groups. Each takes up to a kilobyte once it is read.
const CHUNKS: u64 = 1 << 18;
/// Bytes of the dotted paths of all columns, which the library writes out.
const PATHS: u64 = 64 << 20;

const BOOL_TRUE: u8 = 1;
const BOOL_FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// Bytes that are not what they claim to be.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Damaged;

/// What of a page header decides how much memory its page takes.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct PageHeader {
    /// 0 data, 1 index, 2 dictionary, 3 data of version 2.
    pub(super) kind: i64,
    pub(super) uncompressed: i64,
    pub(super) compressed: i64,
    pub(super) values: i64,
    pub(super) encoding: i64,
    /// Bytes of levels before the data of a page of version 2; they are never compressed.
    pub(super) levels: i64,
    pub(super) is_compressed: bool,
}

impl PageHeader {
    /// Reads a header and says how long it is.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), Damaged> {
        let mut header = Self { is_compressed: true, ..Self::default() };
        let mut input = Input { bytes, at: 0 };
        input.fields(|input, id, kind| {
            match (id, kind) {
                (1, I32) => header.kind = input.int()?,
                (2, I32) => header.uncompressed = input.int()?,
                (3, I32) => header.compressed = input.int()?,
                (5 | 7 | 8, STRUCT) => input.fields(|input, inner, kind| {
                    match (id, inner, kind) {
                        (_, 1, I32) => header.values = input.int()?,
                        (5 | 7, 2, I32) | (8, 4, I32) => header.encoding = input.int()?,
                        (8, 5 | 6, I32) => {
                            let bytes = input.int()?;
                            if bytes < 0 {
                                return Err(Damaged);
                            }
                            header.levels += bytes;
                        }
                        (8, 7, BOOL_TRUE | BOOL_FALSE) => header.is_compressed = kind == BOOL_TRUE,
                        _ => input.skip(kind, DEPTH)?,
                    }
                    Ok(())
                })?,
                _ => input.skip(kind, DEPTH)?,
            }
            Ok(())
        })?;
        let claims = [header.uncompressed, header.compressed, header.values];
        if claims.iter().any(|&n| n < 0) || header.levels > header.uncompressed {
            return Err(Damaged);
        }
        Ok((header, input.at))
    }
}

/// Looks through a footer.
///
/// # Errors
/// A short reason why the file is not to be opened.
pub(super) fn check_footer(bytes: &[u8]) -> Result<(), String> {
    let mut input = Input { bytes, at: 0 };
    let mut leaves = 0_u64;
    let mut verdict = Ok(());
    let walked = input.fields(|input, id, kind| {
        match (id, kind) {
            (2, LIST) => match input.schema()? {
                Ok(found) => leaves = found,
                Err(reason) => verdict = Err(reason),
            },
            (4, LIST) => {
                let (groups, STRUCT) = input.list()? else { return Err(Damaged) };
                if groups.saturating_mul(leaves.max(1)) > CHUNKS {
                    verdict = Err("too many columns and row groups".to_owned());
                    return Err(Damaged);
                }
                for _ in 0..groups {
                    input.row_group(leaves)?;
                }
            }
            (8, _) => {
                verdict = Err("encrypted".to_owned());
                return Err(Damaged);
            }
            _ => input.skip(kind, DEPTH)?,
        }
        if verdict.is_err() { Err(Damaged) } else { Ok(()) }
    });
    verdict?;
    walked.map_err(|Damaged| "damaged footer".to_owned())
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, Damaged> {
        let byte = *self.bytes.get(self.at).ok_or(Damaged)?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    fn int(&mut self) -> Result<i64, Damaged> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn pass(&mut self, len: u64) -> Result<(), Damaged> {
        let left = self.bytes.len() - self.at;
        let len = usize::try_from(len).ok().filter(|&len| len <= left).ok_or(Damaged)?;
        self.at += len;
        Ok(())
    }

    /// Length and element type of a list. Every element takes a byte at least, so a longer list is a lie.
    fn list(&mut self) -> Result<(u64, u8), Damaged> {
        let head = self.byte()?;
        let len = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        if len > (self.bytes.len() - self.at) as u64 {
            return Err(Damaged);
        }
        Ok((len, head & 15))
    }

    /// Calls `take` with number and type of each field of a structure; it must read the value.
    fn fields(&mut self, mut take: impl FnMut(&mut Self, i64, u8) -> Result<(), Damaged>) -> Result<(), Damaged> {
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = if head >> 4 == 0 { self.int()? } else { id.saturating_add(i64::from(head >> 4)) };
            take(self, id, head & 15)?;
        }
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Result<(), Damaged> {
        let depth = depth.checked_sub(1).ok_or(Damaged)?;
        match kind {
            BOOL_TRUE | BOOL_FALSE => Ok(()),
            BYTE => self.pass(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.pass(8),
            BINARY => {
                let len = self.varint()?;
                self.pass(len)
            }
            LIST | SET => {
                let (len, element) = self.list()?;
                for _ in 0..len {
                    self.element(element, depth)?;
                }
                Ok(())
            }
            MAP => {
                let len = self.varint()?;
                if len == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                for _ in 0..len {
                    self.element(kinds >> 4, depth)?;
                    self.element(kinds & 15, depth)?;
                }
                Ok(())
            }
            STRUCT => self.fields(|input, _, kind| input.skip(kind, depth)),
            _ => Err(Damaged),
        }
    }

    /// An element of a list or map, where a truth value takes a byte of its own.
    fn element(&mut self, kind: u8, depth: u32) -> Result<(), Damaged> {
        if matches!(kind, BOOL_TRUE | BOOL_FALSE) { self.pass(1) } else { self.skip(kind, depth) }
    }

    /// The schema, which is a tree written down flat: each group says how many of those behind it are its children.
    /// Answers with the number of columns, or with the reason why it is not to be opened.
    fn schema(&mut self) -> Result<Result<u64, String>, Damaged> {
        let (elements, STRUCT) = self.list()? else { return Err(Damaged) };
        if elements > CHUNKS {
            return Ok(Err("too many columns".to_owned()));
        }
        // Children still to come, and length of the path down to them, for every open group.
        let mut open: [(u64, u64); SCHEMA_DEPTH] = [(0, 0); SCHEMA_DEPTH];
        let mut depth = 0;
        let (mut leaves, mut paths) = (0_u64, 0_u64);
        for index in 0..elements {
            let (mut children, mut name) = (0, 0);
            self.fields(|input, id, kind| {
                match (id, kind) {
                    (4, BINARY) => {
                        name = input.varint()?;
                        input.pass(name)?;
                    }
                    (5, I32) => children = input.int()?,
                    _ => input.skip(kind, DEPTH)?,
                }
                Ok(())
            })?;
            let children = u64::try_from(children).map_err(|_| Damaged)?;
            if children > elements - index - 1 {
                return Err(Damaged);
            }
            let path = name + if depth > 0 { open[depth - 1].1 } else { 0 };
            if children > 0 {
                if depth == SCHEMA_DEPTH {
                    return Ok(Err("schema nested too deeply".to_owned()));
                }
                open[depth] = (children, path);
                depth += 1;
                continue;
            }
            leaves += 1;
            paths = paths.saturating_add(path);
            if paths > PATHS {
                return Ok(Err("column names too long".to_owned()));
            }
            // A leaf closes every group of which it is the last.
            while depth > 0 {
                let left = &mut open[depth - 1].0;
                *left -= 1;
                if *left > 0 {
                    break;
                }
                depth -= 1;
            }
        }
        Ok(Ok(leaves))
    }

    fn row_group(&mut self, leaves: u64) -> Result<(), Damaged> {
        let mut columns = false;
        self.fields(|input, id, kind| {
            if (id, kind) != (1, LIST) {
                return input.skip(kind, DEPTH);
            }
            let (len, element) = input.list()?;
            if mem::replace(&mut columns, true) || element != STRUCT || len != leaves {
                return Err(Damaged);
            }
            (0..len).try_for_each(|_| input.skip(STRUCT, DEPTH))
        })
    }
}

/// Where a run of numbers in the encoding of deltas ends, and how many it claims to hold. The library reserves memory
/// for that many.
pub(super) fn delta_run(bytes: &[u8]) -> Result<(u64, usize), Damaged> {
    let mut input = Input { bytes, at: 0 };
    let (block, parts, count) = (input.varint()?, input.varint()?, input.varint()?);
    input.varint()?;
    if parts == 0 || block == 0 || block % parts != 0 || block > u64::from(u32::MAX) {
        return Err(Damaged);
    }
    let values = block / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        input.varint()?;
        let widths = input.at;
        input.pass(parts)?;
        let mut len = 0_u64;
        for at in widths..input.at {
            if left == 0 {
                break;
            }
            len = len.saturating_add(u64::from(input.bytes[at]).saturating_mul(values) / 8);
            left = left.saturating_sub(values);
        }
        // Trailing padding may be cut off behind the last value.
        if input.pass(len).is_err() {
            input.at = input.bytes.len();
            if left > 0 {
                return Err(Damaged);
            }
        }
    }
    Ok((count, input.at))
}
