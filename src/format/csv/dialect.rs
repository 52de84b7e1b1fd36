//! Tells delimiter, quoting and header of separated values by content.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Slot, row};
use crate::format::coding::decode;
use crate::format::roles;
use crate::lens::FieldRoles;

/// How much of a text is looked at.
const SAMPLE_BYTES: usize = 256 << 10;
const SAMPLE_ROWS: usize = 300;

/// How a table is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::format) struct Dialect {
    /// What stands between fields.
    pub(in crate::format) delimiter: u8,
    /// Whether a quote at the start of a field opens a quoted one.
    pub(in crate::format) quoted: bool,
    /// Whether the first row names the columns.
    pub(in crate::format) header: bool,
    /// Fields of most rows.
    pub(in crate::format) width: usize,
}

/// How sure one may be beforehand that a text is a table.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::format) enum Belief {
    /// Policy or name say so, and the delimiter that the name stands for. One column is a table as well.
    Named(Option<u8>),
    /// Nothing says so: only a text in which the rows agree is one.
    Unnamed,
}

/// What a delimiter makes of the sample.
#[derive(Copy, Clone, Debug)]
struct Trial {
    delimiter: u8,
    quoted: bool,
    width: usize,
    /// Rows of that width, and all rows.
    agree: usize,
    rows: usize,
    /// Fields of the first row that are declared or known as names of fields.
    names: usize,
}

/// Tells the dialect, or that the text is no table.
pub(in crate::format) fn sniff(text: &[u8], belief: Belief, declared: Option<&FieldRoles>) -> Option<Dialect> {
    let sample = sample(text);
    if sample.trim_ascii().is_empty() {
        return None;
    }
    let mut trials = [b',', b'\t', b';', b'|'].map(|delimiter| trial(sample, delimiter, declared));
    // The share of rows that agree, in twentieths; then more columns; then the order above.
    trials.sort_by_key(|t| (t.width < 2, Reverse(t.agree * 20 / t.rows.max(1)), Reverse(t.width)));
    let of = |delimiter| trials.iter().find(move |t| t.delimiter == delimiter);
    let agreeing = |tenths| trials.iter().find(move |t| t.width > 1 && t.agree * 10 >= t.rows * tenths);
    // A header that makes sense is the best witness.
    let named = || trials.iter().rev().filter(|t| t.names > 0 && t.agree * 2 >= t.rows).max_by_key(|t| t.names);
    let best = match belief {
        Belief::Named(Some(delimiter)) => {
            let usual = of(delimiter);
            named().or(usual.filter(|t| t.width > 1 && t.agree * 2 >= t.rows)).or(agreeing(8)).or(usual)
        }
        Belief::Named(None) => named().or(agreeing(7)).or(of(b',')),
        Belief::Unnamed => trials.iter().find(|t| t.width > 1 && is_evident(t)),
    }?;
    let mut dialect = Dialect { delimiter: best.delimiter, quoted: best.quoted, header: false, width: best.width };
    dialect.header = has_header(sample, &dialect, declared);
    Some(dialect)
}

/// A table that nothing announces: tabs are hardly ever written by accident, commas all the time.
fn is_evident(trial: &Trial) -> bool {
    match trial.delimiter {
        b'\t' => trial.rows >= 2 && trial.agree * 20 >= trial.rows * 19,
        _ => trial.rows >= 5 && trial.agree == trial.rows,
    }
}

/// The first rows, ended at a line end.
fn sample(text: &[u8]) -> &[u8] {
    if text.len() <= SAMPLE_BYTES {
        return text;
    }
    let end = memchr::memrchr(b'\n', &text[..SAMPLE_BYTES]).map_or(SAMPLE_BYTES, |n| n + 1);
    &text[..end]
}

/// Hands on the rows of a sample.
fn rows(sample: &[u8], dialect: &Dialect, mut take: impl FnMut(&[Slot])) {
    let mut slots = Vec::new();
    let (mut at, mut count) = (0, 0);
    while at < sample.len() && count < SAMPLE_ROWS {
        let (end, next) = row(sample, at, dialect, &mut slots);
        if end > at {
            take(&slots);
            count += 1;
        }
        at = next;
    }
}

fn trial(sample: &[u8], delimiter: u8, declared: Option<&FieldRoles>) -> Trial {
    let quoted = is_quoted(sample, delimiter);
    let mut counts = BTreeMap::new();
    let (mut all, mut names) = (0, 0);
    rows(sample, &Dialect { delimiter, quoted, header: false, width: 0 }, |slots| {
        if all == 0 {
            let is_name = |slot: &&Slot| {
                let value = decode(slot.coding, slot.of(sample));
                match declared {
                    Some(declared) => declared.fields.iter().any(|(field, _)| *field == value.trim()),
                    None => value.len() <= 64 && roles::is_known(&value),
                }
            };
            names = slots.iter().take(4096).filter(is_name).count();
        }
        *counts.entry(slots.len()).or_insert(0_usize) += 1;
        all += 1;
    });
    let (width, agree) = counts.into_iter().max_by_key(|&(width, rows)| (rows, width)).unwrap_or((0, 0));
    Trial { delimiter, quoted, width, agree, rows: all, names }
}

/// Whether quotes are meant as quotes. Tables of words, and tables with tabs, are often written without any quoting;
/// read with it, their quotes close in odd places or not at all.
fn is_quoted(sample: &[u8], delimiter: u8) -> bool {
    let dialect = Dialect { delimiter, quoted: true, header: false, width: 0 };
    let (mut good, mut bad) = (0, 0);
    rows(sample, &dialect, |slots| {
        for slot in slots.iter().filter(|slot| slot.is_quoted(sample)) {
            // With tabs, a value that runs over line ends is a sign that its quote was only a character.
            let runs = delimiter == b'\t' && slot.of(sample).contains(&b'\n');
            match slot.junk || slot.unclosed || runs {
                true => bad += 1,
                false => good += 1,
            }
        }
    });
    // One stray quote in a table with commas is an accident or an attack, and is reported; it is no dialect.
    bad <= good || (delimiter != b'\t' && bad < 3)
}

/// Whether the first row names the columns.
fn has_header(sample: &[u8], dialect: &Dialect, declared: Option<&FieldRoles>) -> bool {
    let mut first: Vec<String> = Vec::new();
    let mut body: Vec<Vec<String>> = Vec::new();
    rows(sample, dialect, |slots| {
        if first.is_empty() || body.len() < 100 {
            let values = slots.iter().take(4096).map(|s| decode(s.coding, s.of(sample)).trim().to_owned()).collect();
            match first.is_empty() {
                true => first = values,
                false => body.push(values),
            }
        }
    });
    if let Some(declared) = declared {
        if declared.fields.iter().any(|(field, _)| first.contains(field)) {
            return true;
        }
        let is_position = |field: &str| field.strip_prefix("column").is_some_and(|n| n.parse::<u32>().is_ok());
        if !declared.fields.is_empty() && declared.fields.iter().all(|(field, _)| is_position(field)) {
            return false;
        }
    }
    // Spreadsheets leave empty columns behind the last one.
    while first.len() > 1 && first.last().is_some_and(String::is_empty) {
        first.pop();
    }
    let nameless = first.iter().filter(|name| name.is_empty()).count();
    if nameless > 1 || nameless == first.len() || !first.iter().all(|name| name.is_empty() || is_like_a_name(name)) {
        return false;
    }
    // A value that comes again in its column is a value.
    let again = |i: usize, name: &String| body.iter().any(|row| row.get(i) == Some(name) && !row.starts_with(&first));
    if first.iter().enumerate().any(|(i, name)| !name.is_empty() && again(i, name)) {
        return false;
    }
    if body.is_empty() || first.iter().any(|name| roles::is_known(name)) {
        return first.iter().any(|name| roles::is_known(name));
    }
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    let one_word = first.iter().all(|name| !name.contains(' '));
    let stands_out =
        first.iter().enumerate().any(|(i, name)| stands_out(name, body.iter().filter_map(|row| row.get(i))));
    distinct.len() == first.len() && (stands_out || (one_word && body.len() >= 3))
}

/// Whether a name is unlike the values below it: a word over numbers, a word over sentences.
fn stands_out<'a>(name: &str, column: impl Iterator<Item = &'a String>) -> bool {
    let (mut count, mut numbers, mut len) = (0, 0, 0);
    for value in column.filter(|value| !value.is_empty()) {
        count += 1;
        numbers += usize::from(value.parse::<f64>().is_ok());
        len += value.len();
    }
    count > 0 && (numbers * 10 >= count * 9 || (count >= 2 && len / count > 3 * name.len().max(4)))
}

/// Short, not a number, not a sentence.
fn is_like_a_name(value: &str) -> bool {
    value.len() <= 64
        && value.parse::<f64>().is_err()
        && value.split_whitespace().count() <= 5
        && !value.contains(['\n', '{'])
        && !value.contains("://")
        && !value.ends_with(['.', '!', '?'])
        && value.chars().any(|c| c.is_alphabetic() || c == '_')
}
