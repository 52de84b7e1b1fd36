//! Dictionaries written in Python, as the same tree that configuration files become.

use ruff_python_ast::{Expr, ExprDict};
use ruff_text_size::Ranged;

use super::scope::text_of;
use crate::format::references::tree::Tree;

/// The tree of a dictionary. What is no constant becomes `${…}`, which every later test knows as dynamic.
pub(super) fn tree(dict: &ExprDict, code: &str) -> Tree {
    let mut tree = Tree::default();
    let root = map(&mut tree, dict, code, 16);
    tree.root(root);
    tree
}

fn map(tree: &mut Tree, dict: &ExprDict, code: &str, depth: u32) -> usize {
    let mut entries = Vec::new();
    for item in &dict.items {
        if let Some((key, range)) = item.key.as_ref().and_then(text_of) {
            let key = tree.scalar(key, range.into());
            entries.push((key, value(tree, &item.value, code, depth)));
        }
    }
    tree.map(entries, dict.range.into())
}

fn value(tree: &mut Tree, expr: &Expr, code: &str, depth: u32) -> usize {
    match expr {
        Expr::Dict(dict) if depth > 0 => map(tree, dict, code, depth - 1),
        Expr::List(list) if depth > 0 => {
            let items = list.elts.iter().map(|item| value(tree, item, code, depth - 1)).collect();
            tree.list(items, list.range.into())
        }
        // `DictDefault({…})` and `dict(…)` wrap a dictionary.
        Expr::Call(call)
            if depth > 0
                && call.arguments.len() == 1
                && call.arguments.args.first().is_some_and(Expr::is_dict_expr) =>
        {
            value(tree, &call.arguments.args[0], code, depth - 1)
        }
        Expr::NoneLiteral(_) => tree.scalar("", expr.range().into()),
        Expr::BooleanLiteral(boolean) => tree.scalar(if boolean.value { "true" } else { "false" }, expr.range().into()),
        Expr::NumberLiteral(_) => tree.scalar("0", expr.range().into()),
        _ => match text_of(expr) {
            Some((text, range)) => tree.scalar(text, range.into()),
            None => {
                let range = std::ops::Range::<usize>::from(expr.range());
                let text = code.get(range.clone()).and_then(|text| text.lines().next()).unwrap_or("");
                let text: String = text.chars().take(60).collect();
                tree.scalar(&format!("${{{text}}}"), range)
            }
        },
    }
}
