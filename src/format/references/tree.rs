//! One model for YAML, JSON and TOML: a tree of maps, lists and scalars, each with its place in the text.
//!
//! Nothing is instantiated: a tag such as `!!python/object` or `!function` is remembered and its node read as data. An
//! alias points at the node it names instead of copying it, so a tree is never larger than its file; walks count their
//! steps.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

use super::passage::Passage;
use crate::span::Span;

mod json;
mod toml;

/// Nodes of one tree, with a cap on how many a file may have.
const MAX_NODES: usize = 1 << 20;

/// A parsed file.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// One for each document.
    roots: Vec<usize>,
    /// Why reading stopped, where it did. What came before is in the tree.
    pub(super) broken: Option<String>,
}

#[derive(Debug)]
struct Node {
    /// The value in the text: without quotes for a scalar, from the first to the last child for others.
    range: Range<usize>,
    value: Value,
    tag: Option<Box<str>>,
}

#[derive(Debug)]
enum Value {
    Scalar {
        text: Box<str>,
        plain: bool,
    },
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
    /// Points at the node it stands for.
    Alias(usize),
}

/// A node with its tree and the passage it was read from.
#[derive(Copy, Clone, Debug)]
pub(super) struct View<'t> {
    tree: &'t Tree,
    passage: &'t Passage<'t>,
    node: &'t Node,
}

impl Tree {
    /// The documents of the file.
    pub(super) fn documents<'t>(&'t self, passage: &'t Passage<'t>) -> impl Iterator<Item = View<'t>> {
        self.roots.iter().map(move |&root| View { tree: self, passage, node: &self.nodes[root] })
    }

    fn add(&mut self, range: Range<usize>, value: Value) -> usize {
        self.nodes.push(Node { range, value, tag: None });
        self.nodes.len() - 1
    }

    /// Adds a scalar. An empty one is null.
    #[cfg(feature = "python")]
    pub(super) fn scalar(&mut self, text: &str, range: Range<usize>) -> usize {
        self.add(range, Value::Scalar { text: text.into(), plain: text.is_empty() })
    }

    /// Adds a list of nodes that were added before.
    #[cfg(feature = "python")]
    pub(super) fn list(&mut self, items: Vec<usize>, range: Range<usize>) -> usize {
        self.add(range, Value::List(items))
    }

    /// Adds a map of nodes that were added before.
    #[cfg(feature = "python")]
    pub(super) fn map(&mut self, entries: Vec<(usize, usize)>, range: Range<usize>) -> usize {
        self.add(range, Value::Map(entries))
    }

    /// Makes a node a document.
    #[cfg(feature = "python")]
    pub(super) fn root(&mut self, id: usize) {
        self.roots.push(id);
    }

    fn full(&self) -> bool {
        self.nodes.len() >= MAX_NODES
    }

    /// Reads JSON.
    pub(super) fn json(text: &str, depth: u32) -> Self {
        json::read(text, depth)
    }

    /// Reads TOML.
    pub(super) fn toml(text: &str) -> Self {
        toml::read(text)
    }

    /// Reads YAML, in any number of documents. A file with templates in it is read once more with them blanked out.
    pub(super) fn yaml(text: &str, depth: u32) -> Self {
        let tree = Self::yaml_once(text, depth);
        if tree.broken.is_none() {
            return tree;
        }
        match without_templates(text) {
            Some(masked) => {
                let second = Self::yaml_once(&masked, depth);
                // A template is no YAML and need not be: what could be read was read.
                let mut best = if second.nodes.len() >= tree.nodes.len() { second } else { tree };
                best.broken = None;
                best
            }
            None => tree,
        }
    }

    fn yaml_once(text: &str, depth: u32) -> Self {
        let depth = depth as usize;
        let options = granit_parser::options! {
            flow_nesting_limit: depth,
            block_nesting_limit: depth,
            emit_unresolved_aliases: true,
        };
        let mut tree = Tree::default();
        let mut anchors: Vec<usize> = Vec::new();
        // Open lists and maps; a map holds the key that waits for its value.
        let mut open: Vec<(usize, Option<usize>)> = Vec::new();
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    tree.broken = Some(error.to_string());
                    break;
                }
            };
            if tree.full() {
                tree.broken = Some(format!("more than {MAX_NODES} values"));
                break;
            }
            let range = span.byte_range().unwrap_or(0..0);
            let (id, anchor, tag, opens) = match event {
                Event::Scalar(value, style, anchor, tag) => {
                    let range = inside(text, range, style);
                    let plain = style == ScalarStyle::Plain;
                    let value = Value::Scalar { text: value.into(), plain };
                    (tree.add(range, value), anchor, tag, false)
                }
                Event::SequenceStart(_, anchor, tag) => (tree.add(range, Value::List(Vec::new())), anchor, tag, true),
                Event::MappingStart(_, anchor, tag) => (tree.add(range, Value::Map(Vec::new())), anchor, tag, true),
                Event::Alias(anchor) => {
                    let target = anchors.get(anchor).copied().unwrap_or(usize::MAX);
                    (tree.add(range, Value::Alias(target)), 0, None, false)
                }
                Event::UnresolvedAlias(_) => (tree.add(range, Value::Alias(usize::MAX)), 0, None, false),
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some((id, _)) = open.pop() {
                        let end = tree.end_of(id).max(tree.nodes[id].range.start);
                        tree.nodes[id].range.end = end;
                    }
                    continue;
                }
                _ => continue,
            };
            tree.nodes[id].tag = tag.map(|tag| tag.original().into());
            if anchor > 0 {
                // Anchors are numbered from 1 in the order in which they stand.
                if anchors.len() <= anchor {
                    anchors.resize(anchor + 1, usize::MAX);
                }
                anchors[anchor] = id;
            }
            match open.last_mut() {
                None => tree.roots.push(id),
                Some((parent, key)) => match &mut tree.nodes[*parent].value {
                    Value::List(items) => items.push(id),
                    Value::Map(entries) => match key.take() {
                        Some(key) => entries.push((key, id)),
                        None => *key = Some(id),
                    },
                    Value::Scalar { .. } | Value::Alias(_) => {}
                },
            }
            if opens {
                open.push((id, None));
            }
        }
        tree
    }

    fn end_of(&self, id: usize) -> usize {
        match &self.nodes[id].value {
            Value::List(items) => items.last().map_or(0, |&last| self.nodes[last].range.end),
            Value::Map(entries) => entries.last().map_or(0, |&(_, last)| self.nodes[last].range.end),
            Value::Scalar { .. } | Value::Alias(_) => self.nodes[id].range.end,
        }
    }
}

/// The range of a scalar without its quotes, or without the header of a block.
fn inside(text: &str, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
    let Some(raw) = text.get(range.clone()) else { return 0..0 };
    match style {
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if raw.len() >= 2 => range.start + 1..range.end - 1,
        ScalarStyle::Plain => range.start..range.start + raw.trim_end().len(),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let header = if raw.starts_with(['|', '>']) { raw.find('\n').map_or(raw.len(), |n| n + 1) } else { 0 };
            let body = &raw[header..];
            let lead = body.len() - body.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let end = range.start + header + body.trim_end().len();
            (range.start + header + lead).min(end)..end
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => range,
    }
}

/// The text with Jinja, Helm and ERB templates blanked out, of the same length; `None` where there are none.
///
/// A template that is a value of its own becomes `${…}`, which every later test knows as dynamic.
fn without_templates(text: &str) -> Option<String> {
    let (mut out, mut rest, mut found) = (String::with_capacity(text.len()), text, false);
    // Whether nothing but white space has come since the last line break.
    let mut blank = true;
    while let Some(at) = memchr::memchr2(b'{', b'<', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        let close = match from.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            Some("<%") => "%>",
            _ => "",
        };
        out.push_str(before);
        blank = match before.rfind('\n') {
            Some(line) => before[line..].trim().is_empty(),
            None => blank && before.trim().is_empty(),
        };
        if close.is_empty() {
            out.push_str(&from[..1]);
            (blank, rest) = (false, &from[1..]);
            continue;
        }
        let Some(len) = from.find(close).map(|n| n + close.len()) else {
            rest = from;
            break;
        };
        found = true;
        let after = from[len..].trim_start_matches([' ', '\t', '\r']);
        let alone = blank && (after.is_empty() || after.starts_with('\n'));
        if close == "}}" && !alone {
            // At least `{{}}`, so there is room for the four bytes of `${_}`.
            out.push_str("${");
            out.extend(std::iter::repeat_n('_', len - 3));
            out.push('}');
            blank = false;
        } else {
            out.extend(from[..len].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        }
        rest = &from[len..];
    }
    out.push_str(rest);
    (found && out.len() == text.len()).then_some(out)
}

impl<'t> View<'t> {
    fn at(self, id: usize) -> Option<View<'t>> {
        let mut node = self.tree.nodes.get(id)?;
        // An alias may name an alias; a chain that does not end is none.
        for _ in 0..8 {
            match node.value {
                Value::Alias(target) => node = self.tree.nodes.get(target)?,
                _ => return Some(View { node, ..self }),
            }
        }
        None
    }

    /// The last value under a key: what a parser that allows duplicates would keep. `<<` is followed once.
    pub(super) fn get(self, key: &str) -> Option<View<'t>> {
        let found = self.entries().filter(|(k, _)| k.text() == Some(key)).last().map(|(_, value)| value);
        found.or_else(|| {
            let merged = self.entries().find(|(k, _)| k.text() == Some("<<"))?.1;
            let mut maps = std::iter::once(merged).chain(merged.items());
            maps.find_map(|map| map.entries().filter(|(k, _)| k.text() == Some(key)).last().map(|(_, value)| value))
        })
    }

    /// The first of these keys that is there.
    pub(super) fn first(self, keys: &[&str]) -> Option<View<'t>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Whether any of these keys is there.
    pub(super) fn has(self, keys: &[&str]) -> bool {
        self.first(keys).is_some()
    }

    /// The entries of a map.
    pub(super) fn entries(self) -> impl Iterator<Item = (View<'t>, View<'t>)> {
        let entries: &[(usize, usize)] = match &self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().filter_map(move |&(key, value)| Some((self.at(key)?, self.at(value)?)))
    }

    /// The items of a list.
    pub(super) fn items(self) -> impl Iterator<Item = View<'t>> {
        let items: &[usize] = match &self.node.value {
            Value::List(items) => items,
            _ => &[],
        };
        items.iter().filter_map(move |&id| self.at(id))
    }

    /// Whether it is a map.
    pub(super) fn is_map(self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Whether it is a list.
    pub(super) fn is_list(self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// The text of a scalar; `None` for maps, lists and every spelling of null.
    pub(super) fn text(self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar { text, plain } => {
                let null = *plain && matches!(&**text, "" | "~" | "null" | "Null" | "NULL" | "None");
                (!null).then_some(&**text)
            }
            _ => None,
        }
    }

    /// Whether it is written as true.
    pub(super) fn is_true(self) -> bool {
        matches!(self.text(), Some("true" | "True" | "TRUE" | "yes" | "on"))
    }

    /// The tag, as written.
    pub(super) fn tag(self) -> Option<&'t str> {
        self.node.tag.as_deref()
    }

    /// Where it stands in the blob, without its quotes.
    pub(super) fn span(self) -> Span {
        self.passage.span(self.node.range.clone())
    }

    /// The value of a scalar as a passage of its own, to read what is written in it.
    pub(super) fn inner(self) -> Passage<'static> {
        let mut passage = Passage::default();
        if let Value::Scalar { text, .. } = &self.node.value {
            passage.append_decoded(text, self.passage, self.node.range.clone());
        }
        passage
    }

    /// Calls `visit` with every node below and including this one, with the keys that lead to it (`[]` for items). What
    /// an alias names is visited where it stands, and not again.
    pub(super) fn walk(self, visit: &mut dyn FnMut(&[&'t str], View<'t>)) {
        self.walk_from(&mut Vec::new(), visit);
    }

    fn walk_from(self, keys: &mut Vec<&'t str>, visit: &mut dyn FnMut(&[&'t str], View<'t>)) {
        // The readers let nothing nest deeper; a tree made of Python code may.
        if keys.len() > 256 {
            return;
        }
        visit(keys, self);
        let mut child = |key: &'t str, id: usize| {
            let node = &self.tree.nodes[id];
            if !matches!(node.value, Value::Alias(_)) {
                keys.push(key);
                View { node, ..self }.walk_from(keys, visit);
                keys.pop();
            }
        };
        match &self.node.value {
            Value::Map(entries) => {
                for &(key, value) in entries {
                    child(self.at(key).and_then(View::text).unwrap_or(""), value);
                }
            }
            Value::List(items) => items.iter().for_each(|&id| child("[]", id)),
            Value::Scalar { .. } | Value::Alias(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every scalar as `keys=value`, with the bytes its span covers where they differ from the value.
    fn leaves(tree: &Tree, source: &str) -> Vec<String> {
        let passage = Passage::whole(source.as_bytes());
        let mut out = Vec::new();
        for root in tree.documents(&passage) {
            root.walk(&mut |keys, node| {
                if let Some(text) = node.text() {
                    let raw = String::from_utf8_lossy(node.span().of(source.as_bytes())).into_owned();
                    let raw = if raw == text { String::new() } else { format!(" <- {raw}") };
                    out.push(format!("{}={text}{raw}", keys.join(".")));
                }
            });
        }
        out
    }

    #[test]
    fn yaml_scalars_slice_to_what_is_written() {
        let source = "# comment\nplain: teknium/GPT4 # why\nsingle: 'it''s'\ndouble: \"org\\u002fname\"\nlist:\n  - a\n  - {b: c}\n\
                      tagged: !function utils.load\nempty:\n---\nsecond: d\n";
        let tree = Tree::yaml(source, 64);
        assert_eq!(tree.broken, None);
        assert_eq!(
            leaves(&tree, source),
            [
                "plain=teknium/GPT4",
                "single=it's <- it''s",
                "double=org/name <- org\\u002fname",
                "list.[]=a",
                "list.[].b=c",
                "tagged=utils.load",
                "second=d"
            ]
        );
    }

    #[test]
    fn json_scalars_slice_to_what_is_written() {
        let source = "{\"a\": \"org\\/name\", // why\n\"b\": [1, true, /* \" */ null, {\"c\": \"d\",},], \"é\": \"f\"}";
        let tree = Tree::json(source, 64);
        assert_eq!(tree.broken, None);
        assert_eq!(leaves(&tree, source), [r"a=org/name <- org\/name", "b.[]=1", "b.[]=true", "b.[].c=d", "é=f"]);
    }

    #[test]
    fn toml_scalars_slice_to_what_is_written() {
        let source = "a = \"x/y\" # c\n[t.u]\nb = 'lit'\nc = [1, \"two\"]\n[[list]]\nd = \"\"\"\nmany\"\"\"\n[[list]]\ne = true\n";
        let tree = Tree::toml(source);
        assert_eq!(tree.broken, None);
        let mut found = leaves(&tree, source);
        found.sort();
        assert_eq!(found, ["a=x/y", "list.[].d=many", "list.[].e=true", "t.u.b=lit", "t.u.c.[]=1", "t.u.c.[]=two"]);
    }

    #[test]
    fn block_scalars_lead_back_line_by_line() {
        let source = "run: |\n    set -e\n    wget https://x.org/d.csv\nnext: >-\n  folded\n  text\n";
        let passage = Passage::whole(source.as_bytes());
        let tree = Tree::yaml(source, 64);
        let root = tree.documents(&passage).next().expect("one document");
        let inner = root.get("run").expect("it is there").inner();
        let at = inner.text().find("https").expect("it is there");
        assert_eq!(inner.span(at..at + 20).of(source.as_bytes()), b"https://x.org/d.csv");
        assert_eq!(root.get("next").expect("it is there").text(), Some("folded text"));
    }

    #[test]
    fn aliases_and_merges_are_followed_without_growing() {
        let source = "base: &b\n  revision: abc\nitem:\n  <<: *b\n  path: x/y\nsame: *b\nloop: &l [*l]\n";
        let passage = Passage::whole(source.as_bytes());
        let tree = Tree::yaml(source, 64);
        let root = tree.documents(&passage).next().expect("one document");
        let item = root.get("item").expect("it is there");
        assert_eq!(item.get("revision").and_then(View::text), Some("abc"));
        assert_eq!(root.get("same").and_then(|v| v.get("revision")).and_then(View::text), Some("abc"));
        let mut seen = 0;
        root.walk(&mut |_, _| seen += 1);
        assert!(seen < source.len(), "a loop ends");
    }

    #[test]
    fn a_template_is_read_as_far_as_it_can_be() {
        let source = "datasets:\n{% for d in all %}\n  - path: {{ d.path }}\n    type: chat\n{% endfor %}\nbase_model: org/name\n";
        let tree = Tree::yaml(source, 64);
        assert_eq!(tree.broken, None);
        let found = leaves(&tree, source);
        assert!(found.contains(&"base_model=org/name".to_owned()), "{found:?}");
        assert!(found.iter().any(|leaf| leaf.contains("path=${")), "{found:?}");
    }

    #[test]
    fn broken_files_say_why_and_keep_what_came_before() {
        let tree = Tree::yaml("a: b\nc: [d\n", 64);
        assert!(tree.broken.is_some());
        assert_eq!(leaves(&tree, "a: b\nc: [d\n")[0], "a=b");
        assert!(Tree::json("{\"a\": 1 2}", 64).broken.is_some());
        assert!(Tree::toml("a = [").broken.is_some());
        assert!(Tree::json(&"[".repeat(100_000), 64).broken.is_some());
        assert!(Tree::yaml(&"[".repeat(100_000), 64).broken.is_some());
        assert!(Tree::toml(&format!("a = {}", "[".repeat(100_000))).broken.is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in r#"[-a\[\]{}:,"'&*!|>#\\ \n<%=.0u\u{e9}]{0,60}"#) {
            for tree in [Tree::yaml(&text, 16), Tree::json(&text, 16), Tree::toml(&text)] {
                leaves(&tree, &text);
            }
        }
    }
}
