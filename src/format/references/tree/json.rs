//! JSON into a [`Tree`](super::Tree), with the place of every value. Comments and commas at the end of a list, which
//! editors and many programs allow in their settings, are passed over.

use std::ops::Range;

use super::{MAX_NODES, Tree, Value};
use crate::format::Coding;
use crate::format::coding::decode;

/// Reads a JSON document.
pub(super) fn read(text: &str, depth: u32) -> Tree {
    let mut reader = Reader { text, at: 0, tree: Tree::default() };
    match reader.value(depth) {
        Ok(root) => {
            reader.tree.roots.push(root);
            reader.white();
            if reader.at < text.len() {
                reader.tree.broken = Some(format!("more follows behind the value at byte {}", reader.at));
            }
        }
        Err(reason) => reader.tree.broken = Some(reason),
    }
    reader.tree
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    tree: Tree,
}

impl Reader<'_> {
    fn white(&mut self) {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            self.at += match rest {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => 1,
                [b'/', b'/', ..] => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                [b'/', b'*', ..] => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |n| n + 2),
                _ => return,
            };
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn value(&mut self, depth: u32) -> Result<usize, String> {
        if depth == 0 {
            return Err(self.fail("nested too deeply"));
        }
        if self.tree.full() {
            return Err(format!("more than {MAX_NODES} values"));
        }
        self.white();
        let start = self.at;
        match self.peek() {
            Some(b'{') => {
                // The node is made before its children, so that a broken file keeps what came before.
                let id = self.tree.add(start..start, Value::Map(Vec::new()));
                self.members(id, depth)?;
                self.tree.nodes[id].range = start..self.at;
                Ok(id)
            }
            Some(b'[') => {
                let id = self.tree.add(start..start, Value::List(Vec::new()));
                self.elements(id, depth)?;
                self.tree.nodes[id].range = start..self.at;
                Ok(id)
            }
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I') => {
                let rest = &self.text[start..];
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
                self.at += len;
                Ok(self.scalar(start..self.at, rest[..len].into(), true))
            }
            Some(_) => Err(self.fail("no value")),
            None => Err(self.fail("the file ends")),
        }
    }

    fn scalar(&mut self, range: Range<usize>, text: Box<str>, plain: bool) -> usize {
        self.tree.add(range, Value::Scalar { text, plain })
    }

    fn string(&mut self) -> Result<usize, String> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', &bytes[at.min(bytes.len())..])
                .ok_or_else(|| self.fail("an open string"))?;
            if bytes[at] == b'"' {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        let text = decode(Coding::Json, &bytes[start..at]).into_owned();
        Ok(self.scalar(start..at, text.into(), false))
    }

    fn members(&mut self, id: usize, depth: u32) -> Result<(), String> {
        self.at += 1;
        loop {
            self.white();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(());
            }
            if self.peek() != Some(b'"') {
                return Err(self.fail("no key"));
            }
            let key = self.string()?;
            self.white();
            if self.peek() != Some(b':') {
                return Err(self.fail("no colon"));
            }
            self.at += 1;
            let value = self.value(depth - 1)?;
            if let Value::Map(entries) = &mut self.tree.nodes[id].value {
                entries.push((key, value));
            }
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    fn elements(&mut self, id: usize, depth: u32) -> Result<(), String> {
        self.at += 1;
        loop {
            self.white();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            let value = self.value(depth - 1)?;
            if let Value::List(items) = &mut self.tree.nodes[id].value {
                items.push(value);
            }
            if self.ends(b']')? {
                return Ok(());
            }
        }
    }

    /// Takes a comma, or the end of the list or map.
    fn ends(&mut self, close: u8) -> Result<bool, String> {
        self.white();
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b) if b == close => {
                self.at += 1;
                return Ok(true);
            }
            _ => return Err(self.fail("neither a comma nor an end")),
        }
        Ok(false)
    }
}
