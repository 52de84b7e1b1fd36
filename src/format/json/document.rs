//! JSON documents: an array of records, an object of splits, values one after the other; and what is no data at all.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::Reader;
use super::{Fail, quote_or_backslash, space};
use crate::format::batch::Writer;
use crate::format::coding::decode;
use crate::format::{Coding, text};
use crate::span::Span;

/// Elements of an array that are looked at to tell what it holds.
const SAMPLE: usize = 64;
/// Members of an object that are looked at; one with more is a map and not an object of splits.
const MAX_MEMBERS: usize = 4096;

/// Where the records of a document are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::format) struct Document {
    /// Arrays whose elements are records, by the offset behind their bracket.
    arrays: Vec<usize>,
    /// Values beside them: the offsets of key and value.
    beside: Vec<Member>,
    /// Records are the values that stand one after the other.
    is_sequence: bool,
}

/// What a JSON text is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::format) enum Told {
    /// Records.
    Data(Document),
    /// A Jupyter notebook.
    Notebook,
    /// Well-formed as far as it was looked at, and no data.
    Config,
    /// Not JSON.
    Broken,
}

/// A member of an object: its key with quotes, and its value.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Member {
    key: (usize, usize),
    value: usize,
    end: usize,
}

impl Member {
    /// The key, decoded.
    fn name(self, text: &[u8]) -> String {
        decode(Coding::Json, &text[self.key.0 + 1..self.key.1 - 1]).into_owned()
    }
}

/// Tells what a text that begins like JSON is. `is_dataset` says that the policy calls it data.
pub(in crate::format) fn tell(text: &[u8], is_dataset: bool) -> Told {
    let start = space(text, 0);
    match text.get(start) {
        Some(b'[') => match elements(text, start + 1) {
            Elements::Objects | Elements::Rows => {
                Told::Data(Document { arrays: vec![start + 1], ..Document::default() })
            }
            Elements::Strings(count) if is_dataset || count >= 20 => {
                Told::Data(Document { arrays: vec![start + 1], ..Document::default() })
            }
            Elements::Broken => Told::Broken,
            _ if is_dataset => Told::Data(Document { arrays: vec![start + 1], ..Document::default() }),
            _ => Told::Config,
        },
        Some(b'{') => object(text, start, is_dataset),
        _ => Told::Broken,
    }
}

fn object(text: &[u8], start: usize, is_dataset: bool) -> Told {
    let (members, end) = members(text, start + 1);
    if members.is_empty() && end.is_none() {
        return Told::Broken;
    }
    let names: BTreeSet<String> = members.iter().map(|m| m.name(text)).collect();
    let has = |key: &str| names.contains(key);
    if has("nbformat") && has("cells") {
        return Told::Notebook;
    }
    // JSON-LD describes data: the lists in it are files and fields, not records.
    if !is_dataset && has("@context") && has("@type") {
        return Told::Config;
    }
    // Several objects one after the other, with keys in common.
    if let Some(end) = end
        && text.get(space(text, end)) == Some(&b'{')
    {
        let (next, _) = self::members(text, space(text, end) + 1);
        if next.iter().any(|m| has(&m.name(text))) {
            return Told::Data(Document { is_sequence: true, ..Document::default() });
        }
    }
    let mut document = Document::default();
    let (mut named, mut covered, mut whole, mut count) = (false, 0, 0, 0);
    for &member in &members {
        let inner = match text.get(member.value) {
            // `{"rasa_nlu_data": {"common_examples": […]}}`
            Some(b'{') => self::members(text, member.value + 1).0,
            _ => vec![member],
        };
        whole += inner.iter().map(|m| m.end - m.value).sum::<usize>();
        let arrays = inner.iter().filter(|m| text.get(m.value) == Some(&b'[')).filter(|m| {
            let is_split = is_split(&m.name(text)) || is_container(&m.name(text));
            let holds = elements(text, m.value + 1);
            let fits = (matches!(holds, Elements::Objects | Elements::Rows) && !is_turns(&m.name(text)))
                || (matches!(holds, Elements::Strings(_)) && is_split && is_dataset);
            if fits {
                named |= is_split;
                covered += m.end - m.value;
                count += holds.count(text, m.value + 1);
            }
            fits
        });
        let before = document.arrays.len();
        document.arrays.extend(arrays.map(|m| m.value + 1));
        if document.arrays.len() == before {
            document.beside.push(member);
        }
    }
    // Configurations hold small lists of objects beside other things; in a dataset the records are nearly all of it.
    let mostly = |tenths: usize| covered * 10 >= whole * tenths;
    let is_data = !document.arrays.is_empty() && (is_dataset || (named && mostly(8)) || (count >= 10 && mostly(9)));
    match is_data {
        true => Told::Data(document),
        // A single record, or a map that the policy calls data.
        false if is_dataset => Told::Data(Document { is_sequence: true, ..Document::default() }),
        false => Told::Config,
    }
}

fn is_split(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.split(['_', '-', '.']).any(|part| {
        matches!(
            part,
            "train" | "training" | "validation" | "valid" | "val" | "dev" | "test" | "testing" | "eval" | "evaluation"
        )
    })
}

/// Lists that belong to one record: who said what.
fn is_turns(key: &str) -> bool {
    matches!(
        key.to_ascii_lowercase().as_str(),
        "messages" | "conversation" | "turns" | "chosen" | "rejected" | "prompt" | "completion" | "history" | "tools"
    )
}

fn is_container(key: &str) -> bool {
    matches!(
        key.to_ascii_lowercase().as_str(),
        "data"
            | "examples"
            | "common_examples"
            | "rows"
            | "instances"
            | "samples"
            | "records"
            | "annotations"
            | "questions"
            | "conversations"
            | "dialogues"
            | "dialogs"
            | "utterances"
            | "sentences"
            | "documents"
    )
}

/// What the elements of an array are.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Elements {
    /// Objects with keys in common.
    Objects,
    /// Lists of the same length that begin with a string: `[text, label]`.
    Rows,
    /// Strings, at least so many.
    Strings(usize),
    Other,
    Empty,
    Broken,
}

impl Elements {
    /// How many elements there are, as far as the sample goes.
    fn count(self, text: &[u8], at: usize) -> usize {
        let mut count = 0;
        each(text, at, |_, _| count += 1);
        count
    }
}

/// Hands on the spans of the first elements of an array. Returns whether they are well-formed.
fn each(text: &[u8], at: usize, mut take: impl FnMut(usize, usize)) -> bool {
    let mut at = space(text, at);
    for _ in 0..SAMPLE {
        if text.get(at) == Some(&b']') {
            return true;
        }
        let Some(end) = skip(text, at) else { return false };
        take(at, end);
        at = space(text, end);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b']') => return true,
            _ => return false,
        }
    }
    true
}

fn elements(text: &[u8], at: usize) -> Elements {
    let (mut objects, mut rows, mut strings, mut all) = (0, 0, 0, 0);
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    let mut width = None;
    let well_formed = each(text, at, |start, _| {
        all += 1;
        match text[start] {
            b'{' => {
                objects += 1;
                let distinct: BTreeSet<String> = members(text, start + 1).0.iter().map(|m| m.name(text)).collect();
                for key in distinct {
                    *keys.entry(key).or_default() += 1;
                }
            }
            b'[' => {
                let mut len = 0;
                each(text, start + 1, |_, _| len += 1);
                let begins = text.get(space(text, start + 1)) == Some(&b'"');
                rows += usize::from(begins && len >= 2 && *width.get_or_insert(len) == len);
            }
            b'"' => strings += 1,
            _ => {}
        }
    });
    let most = keys.values().copied().max().unwrap_or(0);
    match all {
        0 if well_formed => Elements::Empty,
        0 => Elements::Broken,
        _ if objects == all && most * 10 >= all * 8 => Elements::Objects,
        _ if rows == all => Elements::Rows,
        _ if strings == all => Elements::Strings(strings),
        _ => Elements::Other,
    }
}

/// The members of an object from behind its brace, and the offset behind its end. Where it is cut short, the last
/// member ends with the text and there is no end.
fn members(text: &[u8], at: usize) -> (Vec<Member>, Option<usize>) {
    let mut members = Vec::new();
    let mut at = space(text, at);
    if text.get(at) == Some(&b'}') {
        return (members, Some(at + 1));
    }
    while members.len() < MAX_MEMBERS && text.get(at) == Some(&b'"') {
        let Some(behind) = skip(text, at) else { break };
        let colon = space(text, behind);
        if text.get(colon) != Some(&b':') {
            break;
        }
        let value = space(text, colon + 1);
        let end = skip(text, value);
        members.push(Member { key: (at, behind), value, end: end.unwrap_or(text.len()) });
        let Some(end) = end else { break };
        at = space(text, end);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b'}') => return (members, Some(at + 1)),
            _ => break,
        }
    }
    (members, None)
}

/// The offset behind the value at `at`, told by quotes and brackets alone.
pub(in crate::format) fn skip(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_u64;
    loop {
        match text.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    at = quote_or_backslash(text, at)?;
                    match text[at] {
                        b'"' => break,
                        _ => at += 2,
                    }
                }
                at += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') = text.get(at) {
                    at += 1;
                }
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth > 0 => {
                at += 1;
                continue;
            }
            _ => return None,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Reads the records of a document.
pub(in crate::format) fn read(w: &mut Writer<'_, '_>, document: &Document) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let mut reader = Reader::new(w);
    let done = match document.is_sequence {
        true => sequence(w, &mut reader, text),
        false => arrays(w, &mut reader, text, document),
    };
    if let Err(fail) = done {
        // Python's parser refuses the whole of it. The records before the fault have been read.
        w.abandon();
        w.unread(format!("not JSON from byte {} on: {}", fail.at, fail.what));
        let name = reader.unparsed(w);
        text::rest(w, fail.at.min(text.len()), name);
    }
}

fn sequence(w: &mut Writer<'_, '_>, reader: &mut Reader, text: &[u8]) -> Result<(), Fail> {
    let mut at = space(text, 0);
    while at < text.len() {
        let end = reader.element(w, text, at)?;
        w.row(at, end);
        at = space(text, end);
    }
    Ok(())
}

fn arrays(w: &mut Writer<'_, '_>, reader: &mut Reader, text: &[u8], document: &Document) -> Result<(), Fail> {
    let mut last = 0;
    for &array in &document.arrays {
        last = records(w, reader, text, array)?;
    }
    let mut seen = BTreeSet::new();
    w.turn_back();
    for member in &document.beside {
        let end = reader.parser.extra(w, text, member.value, &text[member.key.0 + 1..member.key.1])?;
        w.row_beside(member.value, end);
    }
    // The keys around the records: the second array of a name hides the first from a trainer.
    let start = space(text, 0);
    if text.get(start) == Some(&b'{') {
        let (members, end) = members(text, start + 1);
        for member in &members {
            if !seen.insert(member.name(text)) {
                w.blob_flaw("duplicate-key", Span::new(member.key.0 as u64, member.key.1 as u64), "");
            }
        }
        match end {
            Some(end) => last = end,
            None if members.len() == MAX_MEMBERS => last = text.len(),
            None => return Err(Fail { at: last, what: "a comma or a closing brace is missing" }),
        }
    }
    let rest = space(text, last);
    if rest < text.len() {
        w.blob_flaw("trailing-garbage", Span::new(rest as u64, text.len() as u64), "more behind the document");
        let name = reader.unparsed(w);
        text::rest(w, rest, name);
    }
    Ok(())
}

/// Reads the elements of one array as records. Returns the offset behind its bracket.
fn records(w: &mut Writer<'_, '_>, reader: &mut Reader, text: &[u8], at: usize) -> Result<usize, Fail> {
    let mut at = space(text, at);
    if text.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        let end = reader.element(w, text, at)?;
        w.row(at, end);
        at = space(text, end);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(Fail { at, what: "a comma or a closing bracket is missing" }),
        }
    }
}

/// Whether a line is a whole JSON object or array that holds something.
pub(in crate::format) fn is_whole(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.len() > 2 && matches!(line[0], b'{' | b'[') && skip(line, 0) == Some(line.len())
}
