//! TOML into a [`Tree`](super::Tree).

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Tree, Value};

/// Reads a TOML document.
pub(super) fn read(text: &str) -> Tree {
    let mut tree = Tree::default();
    match DeTable::parse(text) {
        Ok(root) => {
            let id = table(&mut tree, text, root.span(), root.get_ref());
            tree.roots.push(id);
        }
        Err(error) => tree.broken = Some(error.message().to_owned()),
    }
    tree
}

fn table(tree: &mut Tree, text: &str, range: Range<usize>, table: &DeTable<'_>) -> usize {
    let entries = table
        .iter()
        .map(|(key, item)| {
            let range = unquoted(text, key.span());
            let key = tree.add(range, Value::Scalar { text: key.get_ref().as_ref().into(), plain: false });
            (key, value(tree, text, item))
        })
        .collect();
    tree.add(range, Value::Map(entries))
}

fn value(tree: &mut Tree, text: &str, item: &Spanned<DeValue<'_>>) -> usize {
    let range = item.span();
    let (value, range) = match item.get_ref() {
        DeValue::String(string) => {
            (Value::Scalar { text: string.as_ref().into(), plain: false }, unquoted(text, range))
        }
        DeValue::Array(array) => {
            let items = array.iter().map(|item| self::value(tree, text, item)).collect();
            (Value::List(items), range)
        }
        DeValue::Table(inner) => return table(tree, text, range, inner),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            let raw = text.get(range.clone()).unwrap_or("");
            (Value::Scalar { text: raw.into(), plain: true }, range)
        }
    };
    tree.add(range, value)
}

/// The range without the quotes, of which there are one or three, and without the line break behind three.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(raw) = text.get(range.clone()) else { return range };
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        if raw.len() >= 2 * quote.len() && raw.starts_with(quote) && raw.ends_with(quote) {
            let inner = &raw[quote.len()..raw.len() - quote.len()];
            let lead = if quote.len() == 3 { inner.len() - inner.trim_start_matches(['\r', '\n']).len() } else { 0 };
            return range.start + quote.len() + lead..range.end - quote.len();
        }
    }
    range
}
