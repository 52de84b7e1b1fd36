//! Training examples of Rasa: intents in YAML (`- intent: greet` with a block of examples) and in the older Markdown
//! (`## intent:greet` with a list below it).
//!
//! Every line is a row, so that the number of a record is the number of its line, and so that hidden characters are
//! looked for everywhere. Only examples are records: their label is the name in the heading above them.

use bstr::ByteSlice;
use memchr::memchr;

use super::batch::Writer;
use super::{Cell, Coding, Kind};
use crate::lens::Role;

/// Bytes that are looked at to tell whether a file holds intents at all.
const SAMPLE: usize = 1 << 20;

/// Sections of YAML that end the examples of an intent.
const SECTIONS: &[&[u8]] = &[
    b"synonym",
    b"regex",
    b"lookup",
    b"rule",
    b"story",
    b"responses",
    b"rules",
    b"stories",
    b"actions",
    b"entities",
    b"slots",
    b"forms",
    b"domain",
    b"intents",
];

/// Whether a Markdown or YAML file holds examples of intents.
pub(super) fn is_rasa(text: &[u8], kind: Kind) -> bool {
    let text = &text[..text.len().min(SAMPLE)];
    let mut open = false;
    text.lines().any(|line| match told(line, kind) {
        Line::Intent(_, _) => {
            open = true;
            false
        }
        Line::End => {
            open = false;
            false
        }
        Line::Example(_, _) => open,
        Line::Other => false,
    })
}

/// Reads the lines.
pub(super) fn read(w: &mut Writer<'_, '_>, kind: Kind) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let label = w.name_as("intent", Role::Label);
    let words = w.name_as("text", Role::Text);
    let beside = w.name_as("line", Role::Time);
    let cell = |start: usize, end: usize, name| Cell {
        start: start as u64,
        end: end as u64,
        name,
        index: 0,
        coding: Coding::Plain,
    };
    let newline = if memchr(b'\n', text).is_none() { b'\r' } else { b'\n' };
    let mut intent: Option<(usize, usize)> = None;
    let mut at = 0;
    while at < text.len() {
        let next = memchr(newline, &text[at..]).map_or(text.len(), |n| at + n);
        let end = if next > at && text[next - 1] == b'\r' { next - 1 } else { next };
        let line = &text[at..end];
        let told = told(line, kind);
        match (told, intent) {
            (Line::Example(from, to), Some((name, stop))) if from < to => {
                w.cell(cell(at + from, at + to, words));
                w.cell(cell(name, stop, label));
                w.row(at, end);
            }
            _ => {
                match told {
                    Line::Intent(from, to) => intent = Some((at + from, at + to)),
                    Line::End => intent = None,
                    Line::Example(..) | Line::Other => {}
                }
                if !line.is_empty() {
                    w.cell(cell(at, end, beside));
                }
                w.row_beside(at, end);
            }
        }
        at = next + 1;
    }
}

/// What a line is; with the part of it that counts.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Line {
    /// Opens an intent of this name.
    Intent(usize, usize),
    /// Ends the examples.
    End,
    /// An example, if an intent is open.
    Example(usize, usize),
    Other,
}

fn told(line: &[u8], kind: Kind) -> Line {
    let trimmed = line.trim_ascii();
    let indent = line.len() - line.trim_ascii_start().len();
    if kind == Kind::Markdown && indent == 0 && line.starts_with(b"## ") {
        let head = line[3..].trim_ascii_start();
        return match head.strip_prefix(b"intent:") {
            Some(name) => named(line, name),
            None => Line::End,
        };
    }
    let Some(item) = trimmed.strip_prefix(b"- ").or_else(|| trimmed.strip_prefix(b"* ")) else {
        let section = key(trimmed).is_some_and(|(word, _)| SECTIONS.contains(&word));
        return if kind == Kind::Yaml && indent == 0 && section { Line::End } else { Line::Other };
    };
    let item = item.trim_ascii();
    match key(item) {
        Some((b"intent", name)) if kind == Kind::Yaml => named(line, name),
        Some((word, _)) if kind == Kind::Yaml && SECTIONS.contains(&word) => Line::End,
        Some(_) if trimmed.starts_with(b"-") => Line::Other,
        _ => {
            let (from, to) = place(line, item);
            Line::Example(from, to)
        }
    }
}

/// The name of an intent, without blanks and quotes around it.
fn named(line: &[u8], name: &[u8]) -> Line {
    let mut name = name.trim_ascii();
    for quote in [b"\"", b"'"] {
        if let Some(inner) = name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            name = inner;
        }
    }
    let (from, to) = place(line, name);
    Line::Intent(from, to)
}

/// Where a part of a line stands in it.
fn place(line: &[u8], part: &[u8]) -> (usize, usize) {
    let from = part.as_ptr() as usize - line.as_ptr() as usize;
    (from, from + part.len())
}

/// A word with a colon behind it, and what follows.
fn key(item: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = item.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
    let (word, rest) = item.split_at(end);
    let rest = rest.strip_prefix(b":")?;
    (!word.is_empty() && (rest.is_empty() || rest.starts_with(b" "))).then(|| (word, rest.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use crate::format::testing::read_bytes;

    fn labelled(path: &str, text: &str) -> Vec<String> {
        let seen = read_bytes(path, text.as_bytes());
        let named =
            |row: &crate::format::testing::SeenRow| Some(format!("{}={}", row.get("text")?, row.get("intent")?));
        let found: Vec<String> = seen.rows.iter().filter_map(named).collect();
        assert_eq!(seen.rows.len(), text.split_terminator('\n').count(), "the number of a record is that of its line");
        found
    }

    const MARKDOWN: &str = "<!-- greetings -->\n## intent:greet\n- hello\n* good [morning](time)\n- \n\n## synonym:x\n- y\n\
        ## intent: bye\r\n- see you\r\n- note: not an example\r\n";

    #[test]
    fn markdown_of_old_versions_is_read() {
        assert_eq!(labelled("data/nlu.md", MARKDOWN), ["hello=greet", "good [morning](time)=greet", "see you=bye"]);
        // Any other document stays a document.
        assert_eq!(labelled("README.md", "## Intents\n- one\n- two\n"), [""; 0]);
    }

    #[test]
    fn yaml_is_read() {
        let text = "version: \"2.0\"\nnlu:\n- intent: greet\n  examples: |\n    - hi\n    - hello there\n- synonym: x\n  \
            examples: |\n    - y\n- intent: \"faq/ask\"\n  examples: |\n    - what now\nresponses:\n  utter_x:\n  - text: no\n";
        assert_eq!(labelled("data/nlu.yml", text), ["hi=greet", "hello there=greet", "what now=faq/ask"]);
        // Stories name intents and have no examples.
        let stories = "stories:\n- story: a\n  steps:\n  - intent: greet\n  - action: utter_greet\n";
        assert_eq!(labelled("data/stories.yml", stories), [""; 0]);
    }
}
