//! One model for YAML, JSON and TOML: a tree of maps, lists and scalars, each with its place in the text.
//!
//! Nothing is instantiated: a tag such as `!!python/object` or `!function` is remembered and its node read as data. An
//! alias points at the node it names instead of copying it, so a tree is never larger than its file; walks count their
//! steps.

use std::ops::Range;

use super::passage::Passage;

mod json;
mod toml;
mod view;
mod yaml;

pub(super) use self::view::View;

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
        yaml::read(text, depth)
    }

    fn end_of(&self, id: usize) -> usize {
        match &self.nodes[id].value {
            Value::List(items) => items.last().map_or(0, |&last| self.nodes[last].range.end),
            Value::Map(entries) => entries.last().map_or(0, |&(_, last)| self.nodes[last].range.end),
            Value::Scalar { .. } | Value::Alias(_) => self.nodes[id].range.end,
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
