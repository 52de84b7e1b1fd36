//! What came from a repository, made safe for where it is shown (law 5).
//!
//! Terminals obey escape sequences, continuous-integration logs obey `::error::`, Markdown obeys brackets. So no byte of
//! a repository is ever written as it is: everything passes [`Escaped`] or one of its relatives below. What cannot be
//! seen is drawn as `<U+200B>`, and a byte that is no text as `\xHH`.

mod ascii;

use std::fmt::{self, Write};
use std::ops::Range;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

pub(crate) use ascii::ascii_json;

/// A run of combining marks longer than this is cut: stacked marks grow over the lines around them.
const MAX_MARKS: usize = 8;
/// At most this many code points of one text are shown, unless somebody asks for another number.
const CAP: usize = 400;

/// A text from a repository, as a terminal may see it.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Escaped<'a> {
    bytes: &'a [u8],
    cap: usize,
}

impl<'a> Escaped<'a> {
    /// The text, cut at 400 code points.
    pub(crate) fn new<T: AsRef<[u8]> + ?Sized>(text: &'a T) -> Self {
        Self { bytes: text.as_ref(), cap: CAP }
    }

    /// The same text, cut at `cap` code points.
    pub(crate) fn cap(self, cap: usize) -> Self {
        Self { cap, ..self }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units: Vec<Unit> = units(self.bytes).take(self.cap + 1).collect();
        let cut = units.len() > self.cap;
        units.truncate(self.cap);
        let drawn = draw(&units, false).text;
        // A log line that begins with two colons, even behind spaces, is a command to a runner; and what follows this
        // text may begin with a colon.
        let start = drawn.len() - drawn.trim_start_matches(' ').len();
        let (spaces, rest) = drawn.split_at(start);
        f.write_str(spaces)?;
        match rest.strip_prefix(':') {
            Some(rest) => write!(f, "<U+003A>{rest}")?,
            None => f.write_str(rest)?,
        }
        if cut { f.write_char('…') } else { Ok(()) }
    }
}

/// One character of a text, or a byte that belongs to none.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    /// A code point.
    Char(char),
    /// A byte of a malformed sequence.
    Byte(u8),
}

/// Takes bytes apart.
pub(crate) fn units(bytes: &[u8]) -> impl Iterator<Item = Unit> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let bad = chunk.invalid().iter().map(|&b| Unit::Byte(b));
        chunk.valid().chars().map(Unit::Char).chain(bad)
    })
}

/// Text with everything hidden drawn.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Drawn {
    /// The text; holds no character that cannot be seen.
    pub(crate) text: String,
    /// Where in it something hidden was drawn, as byte ranges.
    pub(crate) hidden: Vec<Range<usize>>,
    /// For every unit its first byte in `text`, and the length of `text` behind them.
    pub(crate) starts: Vec<usize>,
}

/// Draws units. In an `exact` drawing nothing but what is hidden looks like something drawn; sentences of ours may well
/// say `<U+200B>`.
pub(crate) fn draw(units: &[Unit], exact: bool) -> Drawn {
    let mut drawn = Drawn::default();
    // Marks since the last base character; `None` where there is none to stand on.
    let mut marks: Option<usize> = None;
    let mut left_out = 0;
    for (i, &unit) in units.iter().enumerate() {
        let mark = matches!(unit, Unit::Char(c) if is_mark(c) && !is_hidden(c));
        if !mark && left_out > 0 {
            drawn.hide(|text| write!(text, "<+{left_out} marks>"));
            left_out = 0;
        }
        drawn.starts.push(drawn.text.len());
        match unit {
            Unit::Byte(byte) => {
                drawn.hide(|text| write!(text, "\\x{byte:02X}"));
                marks = None;
            }
            Unit::Char(c) if mark => match &mut marks {
                Some(n) if *n >= MAX_MARKS => left_out += 1,
                Some(n) => {
                    *n += 1;
                    drawn.text.push(c);
                }
                None => drawn.hide_char(c),
            },
            Unit::Char(c) if is_hidden(c) || is_ambiguous(c, &units[..i], &units[i + 1..], exact) => {
                drawn.hide_char(c);
                marks = None;
            }
            Unit::Char(c) => {
                drawn.text.push(c);
                marks = Some(0);
            }
        }
    }
    if left_out > 0 {
        drawn.hide(|text| write!(text, "<+{left_out} marks>"));
    }
    drawn.starts.push(drawn.text.len());
    drawn
}

impl Drawn {
    fn hide(&mut self, draw: impl FnOnce(&mut String) -> fmt::Result) {
        let start = self.text.len();
        draw(&mut self.text).expect("writing to a String cannot fail");
        self.hidden.push(start..self.text.len());
    }

    fn hide_char(&mut self, c: char) {
        self.hide(|text| write!(text, "<U+{:04X}>", u32::from(c)));
    }
}

/// A `<` that would make its text look like something drawn, and a bracket that a runner would take for a command:
/// old runners look for `##[` anywhere in a line.
fn is_ambiguous(c: char, before: &[Unit], after: &[Unit], exact: bool) -> bool {
    match c {
        '<' => exact && after.starts_with(&[Unit::Char('U'), Unit::Char('+')]),
        '[' => before.ends_with(&[Unit::Char('#'), Unit::Char('#')]),
        _ => false,
    }
}

/// Whether a character cannot be seen, or is not what it looks like: controls, bidi controls, zero-width characters,
/// tags, variation selectors, spaces other than the common one, fillers, private use, unassigned code points.
pub(crate) fn is_hidden(c: char) -> bool {
    use GeneralCategory as Gc;
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(
        category,
        Gc::Control
            | Gc::Format
            | Gc::PrivateUse
            | Gc::Unassigned
            | Gc::LineSeparator
            | Gc::ParagraphSeparator
            | Gc::SpaceSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        // Symbols and letters that are drawn as nothing: Braille blank, musical null notehead.
        || matches!(c, '\u{2800}' | '\u{1D159}')
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// A code span in Markdown that no data can break out of, cut at `cap` code points. In a table, `|` would end the cell
/// even inside of a code span.
pub(crate) fn code_span<T: AsRef<[u8]> + ?Sized>(text: &T, cap: usize, table: bool) -> String {
    code_span_of_drawn(&Escaped::new(text).cap(cap).to_string(), table)
}

/// The same for a text in which everything hidden is drawn already.
pub(crate) fn code_span_of_drawn(text: &str, table: bool) -> String {
    // Whether a backslash before a backslash and a pipe escapes the one or the other depends on who reads it.
    let in_table = || text.replace("\\|", "\\<U+007C>").replace('|', "\\|");
    let text = if table { in_table() } else { text.to_owned() };
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // Markdown takes one space off both ends; without it a backtick there would join the fence.
    let pad = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence in Markdown whose text shows as it is: no markup, no link, no image, no mention, no reference to an issue.
pub(crate) fn prose<T: AsRef<[u8]> + ?Sized>(text: &T, cap: usize) -> String {
    prose_of_drawn(&Escaped::new(text).cap(cap).to_string())
}

/// The same for a text in which everything hidden is drawn already.
pub(crate) fn prose_of_drawn(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        match c {
            // Mentions and issue numbers are found after Markdown, in the text; a comment behind the sign cuts it off.
            '@' | '#' => {
                out.push('\\');
                out.push(c);
                out.push_str("<!-- -->");
            }
            // Markup of formulas does not know a backslash.
            '$' => out.push_str("&#36;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            // Addresses become links by themselves.
            ':' if chars.peek() == Some(&'/') => out.push_str("\\:"),
            '.' if matches!(before, 'w' | 'W') => out.push_str("\\."),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// The message of a workflow command.
pub(crate) fn command_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a workflow command.
pub(crate) fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A relative URI of a path, percent-encoded from its bytes.
pub(crate) fn uri(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("writing to a String cannot fail"),
        }
    }
    out
}

/// A path for JSON: exact where it is UTF-8; otherwise with `\xHH`, and in hexadecimal digits as well.
pub(crate) fn json_path(path: &[u8]) -> (String, Option<String>) {
    if let Ok(path) = std::str::from_utf8(path) {
        return (path.to_owned(), None);
    }
    let mut text = String::new();
    for unit in units(path) {
        match unit {
            Unit::Char(c) => text.push(c),
            Unit::Byte(byte) => write!(text, "\\x{byte:02X}").expect("writing to a String cannot fail"),
        }
    }
    (text, Some(hex(path)))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a String cannot fail");
        out
    })
}

#[cfg(test)]
pub(crate) mod tests;
