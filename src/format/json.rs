//! Reads JSON values into cells: every scalar is one, with its exact bytes and its dotted name.
//!
//! What a trainer's parser accepts is accepted (Python's `json` takes `NaN`, `1e999` and lone surrogates) and what it
//! reads differently from others is reported as a flaw. Nothing is allocated per record: names are learned once, and
//! the key that followed a key in the last record is tried first.
//!
//! Names are dotted. An element of a list adds `[]`; where lists lie in lists, the index of a cell is that of the
//! outermost one. A record that is itself a list has `column1`, `column2`, … for its elements.

use std::collections::{BTreeMap, HashSet};

use super::batch::{MAX_CELLS, Writer};
use super::coding::decode;
use super::{Cell, Coding};
use crate::span::Span;

pub(super) mod document;
pub(super) mod lines;
mod scalars;
mod stencil;

pub(in crate::format) use scalars::{quote_or_backslash, space};

/// Keys that are longer have no name of their own.
const MAX_KEY: usize = 256;

/// A place in the tree of names that the records have in common.
#[derive(Debug, Default)]
struct Node {
    path: String,
    /// Its place among the children of its parent.
    place: u32,
    /// What stood between the opening quote of its key and its value when it was looked up last: `label": `.
    glue: Vec<u8>,
    /// The part of it up to the closing quote of the key.
    quoted: usize,
    /// Number of the name that its scalars have, once there is one.
    name: Option<u16>,
    /// Number of the name that overwritten scalars have, once there is one.
    overwritten: Option<u16>,
    /// The object in which its key was seen last.
    seen: u32,
    /// The cell of that object, by its place in the row.
    cell: Option<u32>,
    /// Keys in the order of their first appearance.
    children: Vec<u32>,
    by_key: BTreeMap<Box<[u8]>, u32>,
    /// The elements of a list.
    element: Option<u32>,
    /// The elements of a record that is a list.
    columns: Vec<u32>,
}

/// Why a value cannot be read, and where.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Fail {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

type Parsed<T> = Result<T, Fail>;

fn fail<T>(at: usize, what: &'static str) -> Parsed<T> {
    Err(Fail { at, what })
}

/// The name that gathers all that has no name of its own, once there are too many.
const ANY: u32 = 1;
const ROOT: u32 = 0;

/// The list a cell lies in: its index in the outermost one.
type Index = Option<u32>;

/// Reads records one after the other, and learns their names.
#[derive(Debug)]
pub(super) struct Parser {
    nodes: Vec<Node>,
    /// Objects opened so far.
    objects: u32,
    max_nodes: usize,
    max_depth: u32,
    /// Keys without a name of their own, by object, to find them again.
    unnamed: HashSet<(u32, Vec<u8>)>,
    /// Whether the record under way has said that Python's parser refuses it.
    refused: bool,
}

impl Parser {
    pub(super) fn new(w: &Writer<'_, '_>) -> Self {
        let any = Node { path: "*".to_owned(), element: Some(ANY), ..Node::default() };
        Self {
            nodes: vec![Node::default(), any],
            objects: 0,
            // Every node may need two names, and names are numbered in 16 bits.
            max_nodes: (w.limits.fields as usize).min(30_000) + 2,
            max_depth: w.limits.depth,
            unnamed: HashSet::new(),
            refused: false,
        }
    }

    /// Reads one record at `at` into cells. Returns the offset behind it.
    pub(super) fn record(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Parsed<usize> {
        self.refused = false;
        if !self.unnamed.is_empty() {
            self.unnamed.clear();
        }
        if text.get(at) == Some(&b'[') {
            return self.columns(w, text, at + 1);
        }
        self.value(w, text, at, ROOT, None, 0)
    }

    /// Reads one value that belongs to the document and to no record. Its names begin with `$.`; `key` is as written,
    /// with its closing quote.
    pub(super) fn extra(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize, key: &[u8]) -> Parsed<usize> {
        let path = format!("$.{}", decode(Coding::Json, key.strip_suffix(b"\"").unwrap_or(key)));
        let node = self.child(ROOT, path.as_bytes(), path.clone());
        self.value(w, text, at, node, None, 1)
    }

    fn value(
        &mut self,
        w: &mut Writer<'_, '_>,
        text: &[u8],
        at: usize,
        node: u32,
        index: Index,
        depth: u32,
    ) -> Parsed<usize> {
        match text.get(at) {
            Some(b'"') => {
                let (end, escaped) = self.string(w, text, at + 1)?;
                let coding = if escaped { Coding::Json } else { Coding::Plain };
                self.cell(w, at + 1, end, node, index, coding)?;
                Ok(end + 1)
            }
            Some(b'{') => self.object(w, text, at + 1, node, index, depth + 1),
            Some(b'[') => self.list(w, text, at + 1, node, index, depth + 1),
            Some(_) => {
                let (end, coding) = self.bare(w, text, at)?;
                self.cell(w, at, end, node, index, coding)?;
                Ok(end)
            }
            None => fail(at, "a value is missing"),
        }
    }

    #[inline]
    fn cell(
        &mut self,
        w: &mut Writer<'_, '_>,
        start: usize,
        end: usize,
        node: u32,
        index: Index,
        coding: Coding,
    ) -> Parsed<()> {
        let place = w.open_cells();
        if place >= MAX_CELLS {
            return fail(start, "more values than can be held");
        }
        let node = &mut self.nodes[node as usize];
        node.cell = Some(place as u32);
        let name = match node.name {
            Some(name) => name,
            None => {
                let path = if node.path.is_empty() { "value" } else { node.path.as_str() };
                *node.name.insert(w.name(path))
            }
        };
        w.cell(Cell { start: start as u64, end: end as u64, name, index: index.unwrap_or(0), coding });
        Ok(())
    }

    fn object(
        &mut self,
        w: &mut Writer<'_, '_>,
        text: &[u8],
        mut at: usize,
        node: u32,
        index: Index,
        depth: u32,
    ) -> Parsed<usize> {
        if depth > self.max_depth {
            return fail(at, "nested too deeply");
        }
        self.objects = self.objects.wrapping_add(1);
        let object = self.objects;
        let mut next = 0;
        at = space(text, at);
        if text.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        loop {
            if text.get(at) != Some(&b'"') {
                return fail(at, "a key is missing");
            }
            let (child, value) = match self.expected(text, at + 1, node, next) {
                Some(found) => found,
                None => self.key(w, text, at + 1, node, object)?,
            };
            let key = &mut self.nodes[child as usize];
            next = key.place as usize + 1;
            if key.seen == object && child != ANY {
                self.overwrite(w, child, at);
            }
            let key = &mut self.nodes[child as usize];
            key.seen = object;
            key.cell = None;
            // Strings are most of it, and are looked at here without a call.
            at = match text.get(value) {
                Some(b'"') => {
                    let (end, escaped) = self.string(w, text, value + 1)?;
                    let coding = if escaped { Coding::Json } else { Coding::Plain };
                    self.cell(w, value + 1, end, child, index, coding)?;
                    end + 1
                }
                _ => self.value(w, text, value, child, index, depth)?,
            };
            at = space(text, at);
            match text.get(at) {
                Some(b',') => at = space(text, at + 1),
                Some(b'}') => return Ok(at + 1),
                _ => return fail(at, "a comma or a closing brace is missing"),
            }
        }
    }

    /// Tries the key that stood at this place in earlier objects. Returns its node and the offset of its value.
    #[inline]
    fn expected(&self, text: &[u8], at: usize, node: u32, next: usize) -> Option<(u32, usize)> {
        let child = *self.nodes[node as usize].children.get(next)?;
        let glue = &self.nodes[child as usize].glue;
        let found = !glue.is_empty() && text.get(at..)?.starts_with(glue);
        found.then(|| (child, space(text, at + glue.len())))
    }

    /// Reads a key that was not expected here. Returns its node and the offset of its value.
    fn key(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize, node: u32, object: u32) -> Parsed<(u32, usize)> {
        let (end, escaped) = self.string(w, text, at)?;
        let raw = &text[at..end];
        let key = decode(if escaped { Coding::Json } else { Coding::Plain }, raw);
        // Malformed UTF-8 must not make two keys one.
        let bytes = if escaped { key.as_bytes() } else { raw };
        let known = self.nodes[node as usize].by_key.get(bytes).copied();
        let child = match known {
            Some(child) => child,
            None => {
                let parent = &self.nodes[node as usize].path;
                let path = if parent.is_empty() { key.to_string() } else { format!("{parent}.{key}") };
                self.child(node, bytes, path)
            }
        };
        if child == ANY && !self.unnamed.insert((object, bytes.to_vec())) {
            w.flaw("duplicate-key", Span::new(at as u64 - 1, end as u64 + 1), "");
        }
        let colon = space(text, end + 1);
        if text.get(colon) != Some(&b':') {
            return fail(colon, "a colon is missing");
        }
        let value = space(text, colon + 1);
        let node = &mut self.nodes[child as usize];
        node.quoted = end + 1 - at;
        node.glue.clear();
        if child != ANY && value - at <= 2 * MAX_KEY {
            node.glue.extend_from_slice(&text[at..value]);
        }
        Ok((child, value))
    }

    /// A new node, or [`ANY`] where there are too many.
    fn child(&mut self, node: u32, key: &[u8], path: String) -> u32 {
        if node == ANY || self.nodes.len() >= self.max_nodes || key.len() > MAX_KEY || path.len() > 8 * MAX_KEY {
            return ANY;
        }
        let child = self.nodes.len() as u32;
        let place = self.nodes[node as usize].children.len() as u32;
        self.nodes.push(Node { path, place, ..Node::default() });
        let parent = &mut self.nodes[node as usize];
        parent.children.push(child);
        parent.by_key.insert(key.into(), child);
        child
    }

    /// The same key came twice in an object: Python keeps the last, others the first. The cell of the first gets a name
    /// that says so, and so no role.
    #[cold]
    fn overwrite(&mut self, w: &mut Writer<'_, '_>, child: u32, start: usize) {
        let node = &mut self.nodes[child as usize];
        w.flaw("duplicate-key", Span::new(start as u64, (start + 1 + node.quoted) as u64), "");
        let Some(cell) = node.cell else { return };
        let name = match node.overwritten {
            Some(name) => name,
            None => *node.overwritten.insert(w.name(format!("{}{OVERWRITTEN}", node.path))),
        };
        if let Some(cell) = w.cell_mut(cell as usize) {
            cell.name = name;
        }
    }

    fn list(
        &mut self,
        w: &mut Writer<'_, '_>,
        text: &[u8],
        mut at: usize,
        node: u32,
        outer: Index,
        depth: u32,
    ) -> Parsed<usize> {
        if depth > self.max_depth {
            return fail(at, "nested too deeply");
        }
        let element = match self.nodes[node as usize].element {
            Some(element) => element,
            None => {
                let path = format!("{}[]", self.nodes[node as usize].path);
                // Not a key, so not among the children that are expected one after the other.
                let element = match self.nodes.len() < self.max_nodes {
                    true => {
                        self.nodes.push(Node { path, ..Node::default() });
                        self.nodes.len() as u32 - 1
                    }
                    false => ANY,
                };
                self.nodes[node as usize].element = Some(element);
                element
            }
        };
        at = space(text, at);
        if text.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
        let mut count = 0_u32;
        loop {
            at = self.value(w, text, at, element, outer.or(Some(count)), depth)?;
            count = count.saturating_add(1);
            at = space(text, at);
            match text.get(at) {
                Some(b',') => at = space(text, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return fail(at, "a comma or a closing bracket is missing"),
            }
        }
    }

    /// A record that is a list: its elements are columns.
    fn columns(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Parsed<usize> {
        let mut at = space(text, at);
        if text.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
        let mut count = 0;
        loop {
            let node = match self.nodes[ROOT as usize].columns.get(count) {
                Some(&node) => node,
                None if self.nodes.len() < self.max_nodes => {
                    self.nodes.push(Node { path: format!("column{}", count + 1), ..Node::default() });
                    let node = self.nodes.len() as u32 - 1;
                    self.nodes[ROOT as usize].columns.push(node);
                    node
                }
                None => ANY,
            };
            at = self.value(w, text, at, node, None, 1)?;
            count += 1;
            at = space(text, at);
            match text.get(at) {
                Some(b',') => at = space(text, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return fail(at, "a comma or a closing bracket is missing"),
            }
        }
    }
}

/// Behind the name of a value that a later one of the same key overwrites.
pub(super) const OVERWRITTEN: &str = " (overwritten)";
