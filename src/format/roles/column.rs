//! What the values of a field look like in the sample.

use std::collections::BTreeSet;

use super::names::{leaf, normal};
use crate::format::{Cell, Coding, Name, Row};
use crate::span::Span;

/// Different values that are told apart; beyond that there are many.
const MANY: usize = 501;
/// Values that are looked at in the sample, in all fields together.
const MAX_VALUES: usize = 100_000;

/// The values of one field.
#[derive(Debug)]
pub(super) struct Column<'a> {
    pub(super) path: &'a str,
    /// The last part of the path, in lower case.
    pub(super) leaf: String,
    /// Not a field that a role could be guessed for.
    pub(super) is_aside: bool,
    /// Values that are there.
    values: usize,
    different: BTreeSet<&'a [u8]>,
    whole_numbers: usize,
    other_numbers: usize,
    spaced: usize,
    lettered: usize,
    /// Values with bytes above ASCII: scripts that need no spaces.
    foreign: usize,
    /// Long values of hexadecimal digits, dates and times.
    codes: usize,
    len: usize,
    longest: usize,
}

/// Looks at the values of all fields.
pub(super) fn all<'a>(names: &'a [Name], text: &'a [u8], rows: &[Row], cells: &[Cell]) -> Vec<Column<'a>> {
    let mut columns: Vec<Column<'a>> = names
        .iter()
        .map(|name| Column {
            path: &name.path,
            leaf: normal(leaf(&name.path)),
            is_aside: super::is_overwritten(&name.path) || name.path.starts_with(['$', '*', '(']),
            values: 0,
            different: BTreeSet::new(),
            whole_numbers: 0,
            other_numbers: 0,
            spaced: 0,
            lettered: 0,
            foreign: 0,
            codes: 0,
            len: 0,
            longest: 0,
        })
        .collect();
    for row in rows {
        let cells = cells.get(row.cells as usize..(row.cells + row.len) as usize).unwrap_or_default();
        for cell in cells.iter().take(MAX_VALUES / rows.len().max(1)) {
            if cell.coding != Coding::Null
                && let Some(column) = columns.get_mut(usize::from(cell.name))
            {
                column.add(Span::new(cell.start, cell.end).of(text));
            }
        }
    }
    columns
}

impl<'a> Column<'a> {
    fn add(&mut self, raw: &'a [u8]) {
        if raw.is_empty() {
            return;
        }
        self.values += 1;
        self.len += raw.len();
        self.longest = self.longest.max(raw.len());
        if self.different.len() < MANY {
            self.different.insert(raw);
        }
        let raw = &raw[..raw.len().min(400)];
        match number(raw) {
            Some(true) => self.whole_numbers += 1,
            Some(false) => self.other_numbers += 1,
            None => self.codes += usize::from(is_code(raw)),
        }
        self.spaced += usize::from(raw.contains(&b' '));
        self.lettered += usize::from(raw.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80));
        self.foreign += usize::from(raw.iter().any(|b| *b >= 0x80));
    }

    fn mean(&self) -> usize {
        self.len / self.values.max(1)
    }

    /// Whether nothing speaks against a label, once the name speaks for it.
    pub(super) fn may_be_label(&self, rows: usize) -> bool {
        let repeated = self.different.len() <= 10.max(self.values * 2 / 3) || rows < 20;
        self.values > 0
            && self.other_numbers == 0
            && self.codes * 10 < self.values
            && self.mean() <= 48
            && self.longest <= 120
            && repeated
    }

    /// Whether the values themselves speak for a label: few, short, and each of them many times.
    pub(super) fn is_of_few_values(&self, rows: usize) -> bool {
        let few = self.different.len() >= 2 && self.different.len() <= 64 && self.different.len() * 4 <= self.values;
        self.values >= 20 && self.values * 10 >= rows * 9 && few && self.longest <= 48 && self.may_be_label(rows)
    }

    /// Whether every value is the same short word.
    pub(super) fn is_of_one_word(&self, rows: usize) -> bool {
        self.values >= 20 && self.values == rows && self.different.len() == 1 && self.spaced == 0 && self.longest <= 48
    }

    /// Whether the values are two, such as 0 and 1.
    pub(super) fn is_yes_or_no(&self) -> bool {
        self.values > 0 && self.different.len() <= 3 && self.longest <= 5 && self.other_numbers == 0
    }

    /// Whether most values hold a letter.
    pub(super) fn has_letters(&self) -> bool {
        self.lettered * 2 > self.values && self.codes * 2 <= self.values
    }

    /// Whether the values are sentences.
    pub(super) fn reads_like_text(&self) -> bool {
        let worded = self.spaced * 2 >= self.values || self.foreign * 2 >= self.values;
        self.has_letters() && worded && self.mean() >= 12
    }
}

/// `Some(true)` for a whole number (`1.0` is one, too), `Some(false)` for another one.
fn number(raw: &[u8]) -> Option<bool> {
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    if !digits.first()?.is_ascii_digit() && digits.first() != Some(&b'.') {
        return None;
    }
    let text = std::str::from_utf8(raw).ok()?;
    let value: f64 = text.parse().ok()?;
    // Numbers of this size are times or identifiers.
    Some(value.fract() == 0.0 && value.abs() < 1e8)
}

/// A hash, an identifier, a date, a time.
fn is_code(raw: &[u8]) -> bool {
    let hex = raw.len() >= 16 && raw.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let digits = raw.iter().filter(|b| b.is_ascii_digit()).count();
    let date = raw.len() >= 8 && raw.len() <= 40 && digits >= 6 && digits * 2 >= raw.len() && !raw.contains(&b'_');
    // `Mon Apr 06 22:19:45 PDT 2009`
    let clock = raw.len() <= 40
        && digits >= 8
        && raw.windows(3).any(|w| w[1] == b':' && w[0].is_ascii_digit() && w[2].is_ascii_digit());
    let url = raw.windows(3).take(12).any(|w| w == b"://");
    hex || date || clock || url
}
