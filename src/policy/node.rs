//! YAML with the place of every word.
//!
//! The only part of the policy that knows YAML. It builds a small tree from the parser's events, because everything
//! that may be wrong with a policy must be shown at its exact place: an unknown key, a duplicate, a date that is none.
//! What a plain word means (`off`, `2026-10-01`, `200C`, `2E80`) is not decided here but by who reads it, so that no
//! revision of YAML turns a rule off or a code point into a number.

use std::collections::BTreeMap;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span as Marks, StructureStyle};

use crate::span::Span;

/// A value and where it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Node {
    /// From its first to behind its last byte.
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    /// Nothing is written, or `null` or `~`.
    Null,
    /// A word or a text; `plain` without quotes.
    Scalar { text: String, plain: bool },
    /// A list; `flow` in brackets.
    List { items: Vec<Node>, flow: bool },
    /// A block of keys in the order of the file; `flow` in braces.
    Map { entries: Vec<Entry>, flow: bool },
}

/// One line of a block: a key and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Span,
    pub(crate) node: Node,
}

/// What is wrong, and where, before it is known in which file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) span: Option<Span>,
    /// The message still lacks its subject: the key whose value is wrong.
    open: bool,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span: None, open: false }
    }

    /// A fault whose message begins with a verb; [`Fault::named`] puts what it speaks of before it.
    pub(crate) fn open(message: impl Into<String>) -> Self {
        Self { open: true, ..Self::new(message) }
    }

    /// Says what an open fault speaks of.
    pub(crate) fn named(mut self, subject: &str) -> Self {
        if std::mem::take(&mut self.open) {
            self.message = format!("{subject} {}", self.message);
        }
        self
    }

    /// Sets the place, unless a more exact one is known already.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert(help.into());
        self
    }
}

/// Largest policy that is read.
const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting; the shapes of the policy need six levels.
const MAX_DEPTH: usize = 32;
/// Most values and keys.
const MAX_NODES: usize = 100_000;

impl Node {
    /// Reads a text. `Ok(None)` is a file in which nothing is written.
    pub(crate) fn parse(text: &str) -> Result<Option<Node>, Fault> {
        if text.len() > MAX_BYTES {
            return Err(Fault::new(format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len())));
        }
        // The parser takes a byte-order mark off by itself, but then counts from behind it.
        let (text, shift) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, 3),
            None => (text, 0),
        };
        let mut options = Options::default();
        options.emit_comments = false;
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        let mut builder = Builder { parser: Parser::new_from_str_with_options(text, options), text, shift, nodes: 0 };
        builder.document()
    }

    /// The value under `key`, where this is a block that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entries of a block; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List { items, .. } => items,
            _ => &[],
        }
    }

    /// What to point at when the whole value is meant: its first line where it has several.
    pub(crate) fn head(&self) -> Span {
        match &self.value {
            Value::Map { entries, flow: false } => match entries.first() {
                Some(first) if first.node.entries().is_empty() && first.node.items().is_empty() => {
                    Span::new(first.at.start, first.node.span.end.max(first.at.end))
                }
                Some(first) => first.at,
                None => self.span,
            },
            Value::List { items, flow: false } => items.first().map_or(self.span, Node::head),
            _ => self.span,
        }
    }

    /// The kind of value in words.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("`{}`", short(text)),
            Value::List { .. } => "a list".to_owned(),
            Value::Map { .. } => "a block of keys".to_owned(),
        }
    }
}

/// The first 60 characters of a text, on one line.
pub(crate) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

struct Builder<'a> {
    parser: Parser<'a, serde_yaml::granit_parser::StrInput<'a>>,
    text: &'a str,
    shift: u64,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next() {
            Some(Ok((event, marks))) => {
                let span = self.span(&marks);
                Ok((event, span))
            }
            Some(Err(error)) => {
                let start = error.marker().byte_offset().unwrap_or(0).min(self.text.len()) as u64;
                let message = format!("this is not YAML that can be read: {}", error.info());
                // One character is pointed at, or the end of the file.
                let rest = self.text.get(start as usize..).unwrap_or("");
                let len = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8) as u64;
                Err(Fault::new(message).at(Span::new(start + self.shift, start + len + self.shift)))
            }
            None => Ok((Event::StreamEnd, self.span_of(self.text.len(), self.text.len()))),
        }
    }

    fn span(&self, marks: &Marks) -> Span {
        let range = marks.byte_range().unwrap_or(0..0);
        self.span_of(range.start, range.end)
    }

    fn span_of(&self, start: usize, end: usize) -> Span {
        let start = start.min(self.text.len());
        let end = end.clamp(start, self.text.len());
        Span::new(start as u64 + self.shift, end as u64 + self.shift)
    }

    fn document(&mut self) -> Result<Option<Node>, Fault> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    return Err(Fault::new("a second document begins here")
                        .at(span)
                        .help("keep one document in the file"));
                }
                event => {
                    let node = self.node(event, span, 0)?;
                    root = Some(node);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Fault::new(format!("more than {MAX_NODES} values")).at(span));
        }
        if depth > MAX_DEPTH {
            return Err(Fault::new(format!("more than {MAX_DEPTH} levels of nesting")).at(span));
        }
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                *anchor
            }
            _ => 0,
        };
        let tagged = match &event {
            Event::Scalar(_, _, _, tag) | Event::SequenceStart(_, _, tag) | Event::MappingStart(_, _, tag) => {
                tag.is_some()
            }
            _ => false,
        };
        if anchor != 0 || matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_)) {
            return Err(Fault::new("anchors and aliases are not read here")
                .at(span)
                .help("write the value out where it is used"));
        }
        if tagged {
            return Err(Fault::new("tags are not read here").at(span).help("take the `!…` away"));
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar { text: text.into_owned(), plain } };
                Ok(Node { span: self.trimmed(span), value })
            }
            Event::SequenceStart(style, ..) => self.list(span, style == StructureStyle::Flow, depth),
            Event::MappingStart(style, ..) => self.map(span, style == StructureStyle::Flow, depth),
            _ => Err(Fault::new("a value is missing here").at(span)),
        }
    }

    /// Block scalars end behind their line break; what is pointed at does not.
    fn trimmed(&self, span: Span) -> Span {
        let (start, end) = ((span.start - self.shift) as usize, (span.end - self.shift) as usize);
        let written = self.text.get(start..end).unwrap_or("").trim_end();
        Span::new(span.start, span.start + written.len() as u64)
    }

    fn list(&mut self, start: Span, flow: bool, depth: usize) -> Result<Node, Fault> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let end = if flow { span.end } else { items.last().map_or(start.end, |item| item.span.end) };
                return Ok(Node {
                    span: Span::new(start.start, end.max(start.start)),
                    value: Value::List { items, flow },
                });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, flow: bool, depth: usize) -> Result<Node, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let end = if flow { span.end } else { entries.last().map_or(start.end, |last| last.node.span.end) };
                return Ok(Node {
                    span: Span::new(start.start, end.max(start.start)),
                    value: Value::Map { entries, flow },
                });
            }
            let at = self.trimmed(span);
            let key = match &event {
                // `null:` is a key of datasets, so a key is what is written and never a null.
                Event::Scalar(text, _, 0, None) => text.clone().into_owned(),
                Event::Scalar(..) | Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    return Err(Fault::new("anchors, aliases and tags are not read here").at(at));
                }
                _ => return Err(Fault::new("a key must be a word").at(at)),
            };
            if let Some(first) = seen.get(&key) {
                let line = 1 + self.text.as_bytes()[..(first.start - self.shift) as usize]
                    .iter()
                    .filter(|b| **b == b'\n')
                    .count();
                return Err(Fault::new(format!("the key `{}` is written twice", short(&key)))
                    .at(at)
                    .help(format!("it stands on line {line} already; keep one of the two")));
            }
            seen.insert(key.clone(), at);
            let (event, span) = self.next()?;
            let mut node = self.node(event, span, depth + 1)?;
            if node.value == Value::Null && node.span.is_empty() {
                // Nothing is written: point behind the key.
                node.span = Span::new(at.end, at.end);
            }
            entries.push(Entry { key, at, node });
        }
    }
}
