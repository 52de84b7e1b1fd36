//! A node with its tree and the passage it was read from.

use super::{Node, Tree, Value};
use crate::format::references::passage::Passage;
use crate::span::Span;

/// A node with its tree and the passage it was read from.
#[derive(Copy, Clone, Debug)]
pub(in crate::format::references) struct View<'t> {
    pub(super) tree: &'t Tree,
    pub(super) passage: &'t Passage<'t>,
    pub(super) node: &'t Node,
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
    pub(in crate::format::references) fn get(self, key: &str) -> Option<View<'t>> {
        let found = self.entries().filter(|(k, _)| k.text() == Some(key)).last().map(|(_, value)| value);
        found.or_else(|| {
            let merged = self.entries().find(|(k, _)| k.text() == Some("<<"))?.1;
            let mut maps = std::iter::once(merged).chain(merged.items());
            maps.find_map(|map| map.entries().filter(|(k, _)| k.text() == Some(key)).last().map(|(_, value)| value))
        })
    }

    /// The first of these keys that is there.
    pub(in crate::format::references) fn first(self, keys: &[&str]) -> Option<View<'t>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Whether any of these keys is there.
    pub(in crate::format::references) fn has(self, keys: &[&str]) -> bool {
        self.first(keys).is_some()
    }

    /// The entries of a map.
    pub(in crate::format::references) fn entries(self) -> impl Iterator<Item = (View<'t>, View<'t>)> {
        let entries: &[(usize, usize)] = match &self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().filter_map(move |&(key, value)| Some((self.at(key)?, self.at(value)?)))
    }

    /// The items of a list.
    pub(in crate::format::references) fn items(self) -> impl Iterator<Item = View<'t>> {
        let items: &[usize] = match &self.node.value {
            Value::List(items) => items,
            _ => &[],
        };
        items.iter().filter_map(move |&id| self.at(id))
    }

    /// Whether it is a map.
    pub(in crate::format::references) fn is_map(self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Whether it is a list.
    pub(in crate::format::references) fn is_list(self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// The text of a scalar; `None` for maps, lists and every spelling of null.
    pub(in crate::format::references) fn text(self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar { text, plain } => {
                let null = *plain && matches!(&**text, "" | "~" | "null" | "Null" | "NULL" | "None");
                (!null).then_some(&**text)
            }
            _ => None,
        }
    }

    /// Whether it is written as true.
    pub(in crate::format::references) fn is_true(self) -> bool {
        matches!(self.text(), Some("true" | "True" | "TRUE" | "yes" | "on"))
    }

    /// The tag, as written.
    pub(in crate::format::references) fn tag(self) -> Option<&'t str> {
        self.node.tag.as_deref()
    }

    /// Where it stands in the blob, without its quotes.
    pub(in crate::format::references) fn span(self) -> Span {
        self.passage.span(self.node.range.clone())
    }

    /// The value of a scalar as a passage of its own, to read what is written in it.
    pub(in crate::format::references) fn inner(self) -> Passage<'static> {
        let mut passage = Passage::default();
        if let Value::Scalar { text, .. } = &self.node.value {
            passage.append_decoded(text, self.passage, self.node.range.clone());
        }
        passage
    }

    /// Calls `visit` with every node below and including this one, with the keys that lead to it (`[]` for items). What
    /// an alias names is visited where it stands, and not again.
    pub(in crate::format::references) fn walk(self, visit: &mut dyn FnMut(&[&'t str], View<'t>)) {
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
