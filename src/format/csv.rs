//! Reads separated values the way Python's `csv` does, with the span of every field.

use memchr::{memchr, memchr_iter, memchr3};

use super::batch::{MAX_CELLS, Writer};
use super::{Cell, Coding};
use crate::span::Span;

pub(super) mod dialect;

use dialect::Dialect;

/// A field as it stands in the text.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Slot {
    /// The value, inside its quotes.
    start: usize,
    end: usize,
    coding: Coding,
    /// Behind the closing quote stands something else than a delimiter or a line end.
    junk: bool,
    /// The text ends inside the quotes.
    unclosed: bool,
}

impl Slot {
    fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.end]
    }

    /// Whether it was written in quotes.
    fn is_quoted(self, text: &[u8]) -> bool {
        self.start > 0 && text[self.start - 1] == b'"'
    }
}

/// Reads the row at `at` into `slots`. Returns the offsets of its end and of the next row.
fn row(text: &[u8], at: usize, dialect: &Dialect, slots: &mut Vec<Slot>) -> (usize, usize) {
    slots.clear();
    let mut from = at;
    loop {
        let quoted = dialect.quoted && text.get(from) == Some(&b'"');
        let (slot, end) = if quoted { quoted_slot(text, from, dialect) } else { plain_slot(text, from, dialect) };
        if slots.len() < MAX_CELLS {
            slots.push(slot);
        } else if let Some(last) = slots.last_mut() {
            // The last field takes the rest of a row that has absurdly many.
            last.end = slot.end.max(last.end);
            last.coding = Coding::Plain;
        }
        match text.get(end) {
            Some(&b) if b == dialect.delimiter => from = end + 1,
            Some(b'\r') if text.get(end + 1) == Some(&b'\n') => return (end, end + 2),
            Some(_) => return (end, end + 1),
            None => return (end, end),
        }
    }
}

/// A field without quotes, and the offset of what ends it.
#[inline]
fn plain_slot(text: &[u8], at: usize, dialect: &Dialect) -> (Slot, usize) {
    let end = field_end(text, at, dialect.delimiter);
    (Slot { start: at, end, coding: Coding::Plain, junk: false, unclosed: false }, end)
}

/// A field that begins with a quote, and the offset of what ends it.
fn quoted_slot(text: &[u8], at: usize, dialect: &Dialect) -> (Slot, usize) {
    let start = at + 1;
    let mut from = start;
    let mut coding = Coding::Plain;
    loop {
        let Some(quote) = memchr(b'"', &text[from..]).map(|n| from + n) else {
            let end = text.len();
            return (Slot { start, end, coding, junk: false, unclosed: true }, end);
        };
        if text.get(quote + 1) == Some(&b'"') {
            coding = Coding::Csv;
            from = quote + 2;
            continue;
        }
        return match text.get(quote + 1) {
            None | Some(b'\n' | b'\r') => (Slot { start, end: quote, coding, junk: false, unclosed: false }, quote + 1),
            Some(&b) if b == dialect.delimiter => {
                (Slot { start, end: quote, coding, junk: false, unclosed: false }, quote + 1)
            }
            // What follows the closing quote belongs to the value as it stands, as in Python's reader.
            Some(_) => {
                let end = field_end(text, quote + 1, dialect.delimiter);
                (Slot { start, end, coding: Coding::Csv, junk: true, unclosed: false }, end)
            }
        };
    }
}

/// The offset of the delimiter or line end behind a plain field. Most fields are short, so the first words are looked
/// at in place, before the vector search starts up.
#[inline]
fn field_end(text: &[u8], at: usize, delimiter: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut from = at;
    for word in text[at..].as_chunks::<8>().0.iter().take(2) {
        let word = u64::from_le_bytes(*word);
        let ends = zero(word ^ (ONES * u64::from(b'\n'))) | zero(word ^ (ONES * u64::from(b'\r')));
        let hits = ends | zero(word ^ (ONES * u64::from(delimiter)));
        if hits != 0 {
            return from + hits.trailing_zeros() as usize / 8;
        }
        from += 8;
    }
    memchr3(delimiter, b'\n', b'\r', &text[from..]).map_or(text.len(), |n| from + n)
}

/// Reads all rows.
pub(super) fn read(w: &mut Writer<'_, '_>, dialect: &Dialect) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let mut slots = Vec::new();
    let mut names = Vec::new();
    let mut at = 0;
    let mut width = dialect.width;
    if dialect.header {
        let (_, next) = row(text, at, dialect, &mut slots);
        names = header(w, text, &slots);
        // R writes the numbers of the rows into a column that the header does not name.
        if dialect.width == slots.len() + 1 {
            names.insert(0, w.name("row_names"));
        }
        width = names.len().max(slots.len());
        at = next;
    }
    while at < text.len() {
        let (end, next) = row(text, at, dialect, &mut slots);
        if slots.len() == 1 && slots[0].start == slots[0].end && slots[0].start == at {
            // A blank line is no row for any reader.
            at = next;
            continue;
        }
        if slots.len() > names.len() {
            more_names(w, &mut names, slots.len());
        }
        for (index, slot) in slots.iter().enumerate() {
            // Columns behind the last name share it.
            let name = names[index.min(names.len() - 1)];
            let (start, end) = (slot.start as u64, slot.end as u64);
            w.cell(Cell { start, end, name, index: 0, coding: slot.coding });
        }
        if slots.len() != width {
            let fields = slots.len();
            let detail = format!("{fields} fields, where {width} are expected");
            w.flaw("ragged-row", Span::new(at as u64, end as u64), detail);
        }
        if slots.iter().any(|slot| slot.junk || slot.unclosed || slot.end - slot.start > 16) {
            look_at_quotes(w, text, dialect, &slots, width);
        }
        if !dialect.quoted {
            stray_quotes(w, text, &slots);
        }
        if slots.len() >= MAX_CELLS {
            let number = w.number();
            w.unread(format!("record {number} has {MAX_CELLS} fields or more; the last ones were read as one"));
        }
        w.row(at, end);
        at = next;
    }
}

/// Names the columns by the first row.
fn header(w: &mut Writer<'_, '_>, text: &[u8], slots: &[Slot]) -> Vec<u16> {
    let mut taken = std::collections::BTreeMap::new();
    let mut names = Vec::new();
    for (index, slot) in slots.iter().enumerate().take(max_names(w)) {
        let name = super::coding::decode(slot.coding, slot.of(text));
        let name = name.trim();
        let mut path = if name.is_empty() { format!("column{}", index + 1) } else { name.to_owned() };
        let count = taken.entry(path.clone()).or_insert(0_u32);
        if *count > 0 && !name.is_empty() {
            let at = Span::new(slot.start as u64, slot.end as u64);
            w.blob_flaw("duplicate-key", at, "two columns have this name");
            // As pandas calls it; Python's DictReader keeps the last column of a name.
            path = format!("{path}.{count}");
        }
        *count += 1;
        names.push(w.name(path));
    }
    if names.len() < slots.len() {
        w.unread(format!("the header has {} columns; those behind {} are read as one", slots.len(), names.len()));
    }
    names
}

fn more_names(w: &mut Writer<'_, '_>, names: &mut Vec<u16>, columns: usize) {
    for index in names.len()..columns.min(max_names(w)) {
        let name = w.name(format!("column{}", index + 1));
        names.push(name);
    }
}

fn max_names(w: &Writer<'_, '_>) -> usize {
    (w.limits.fields as usize).clamp(1, 30_000)
}

/// Looks whether a quoted field has swallowed rows.
fn look_at_quotes(w: &mut Writer<'_, '_>, text: &[u8], dialect: &Dialect, slots: &[Slot], width: usize) {
    for slot in slots {
        let value = slot.of(text);
        let lines = || memchr_iter(b'\n', value).count();
        let at = Span::new(slot.start as u64 - u64::from(slot.start > 0), slot.start as u64);
        if slot.unclosed {
            w.flaw("swallowed-quote", at, format!("the quote is never closed; {} lines lie behind it", lines()));
        } else if slot.junk && lines() > 0 {
            w.flaw("swallowed-quote", at, format!("the quoted field takes in {} line ends", lines()));
        } else if slot.junk {
            w.flaw("stray-quote", at, "text behind the closing quote");
        } else if slot.is_quoted(text) && memchr(b'\n', value).is_some() {
            let lines = lines();
            let ragged = slots.len() != width;
            let long = value.len() as u64 > w.limits.record;
            if ragged || long || (lines >= 3 && looks_like_rows(value, dialect.delimiter, width)) {
                w.flaw("swallowed-quote", at, format!("the quoted field takes in {lines} line ends"));
            }
        }
    }
}

/// Whether most lines of a quoted value have as many delimiters as a row has. Lines of honest text vary.
fn looks_like_rows(value: &[u8], delimiter: u8, width: usize) -> bool {
    let inner = value.split(|&b| b == b'\n').skip(1).take(1000);
    let (mut rows, mut lines) = (0, 0);
    for line in inner {
        lines += 1;
        rows += usize::from(memchr_iter(delimiter, line).count() + 1 == width);
    }
    // The last piece is cut by the closing quote.
    width > 1 && rows >= 3 && rows * 10 >= (lines - 1) * 9
}

/// Where quotes mean nothing, a field that begins with one and does not end with one would swallow rows for a reader
/// that believes in quotes, which is what most do by default.
fn stray_quotes(w: &mut Writer<'_, '_>, text: &[u8], slots: &[Slot]) {
    for slot in slots {
        let value = slot.of(text);
        if value.first() == Some(&b'"') && (value.len() == 1 || value.last() != Some(&b'"')) {
            let at = Span::new(slot.start as u64, slot.start as u64 + 1);
            w.flaw("stray-quote", at, "a reader with quoting takes the next rows into this field");
        }
    }
}
