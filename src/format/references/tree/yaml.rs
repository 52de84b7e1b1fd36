//! YAML into a [`Tree`](super::Tree), templates and all.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

use super::{MAX_NODES, Tree, Value};

/// Reads YAML, in any number of documents. A file with templates in it is read once more with them blanked out.
pub(super) fn read(text: &str, depth: u32) -> Tree {
    let tree = once(text, depth);
    if tree.broken.is_none() {
        return tree;
    }
    match without_templates(text) {
        Some(masked) => {
            let second = once(&masked, depth);
            // A template is no YAML and need not be: what could be read was read.
            let mut best = if second.nodes.len() >= tree.nodes.len() { second } else { tree };
            best.broken = None;
            best
        }
        None => tree,
    }
}

fn once(text: &str, depth: u32) -> Tree {
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
