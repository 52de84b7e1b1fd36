//! The walk over the syntax tree.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, PySourceType, Stmt};
use ruff_text_size::Ranged;

use super::reader::Reader;
use super::scope::{Scope, World, text_of};
use crate::format::references::collector::Collector;
use crate::format::references::passage::Passage;

/// Expressions within each other that are walked; the guard lets no honest one be deeper.
const MAX_DEPTH: u32 = 250;

/// Finds the references of a module; what it comes back with is why it is broken, where it is.
pub(super) fn find(code: &Passage<'_>, out: &mut Collector) -> Option<String> {
    let parsed = ruff_python_parser::parse_unchecked_source(code.text(), PySourceType::Python);
    let body: &[Stmt] = parsed.suite();
    let mut reader = Reader {
        code,
        world: World::of(body),
        scopes: vec![Scope::of(body, None)],
        functions: Vec::new(),
        depth: 0,
        out,
    };
    for stmt in body {
        reader.visit_stmt(stmt);
    }
    parsed.errors().first().map(|error| error.error.to_string())
}

impl<'a> Visitor<'a> for Reader<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // A docstring is a comment.
            Stmt::Expr(expr) if expr.value.is_string_literal_expr() => {}
            Stmt::FunctionDef(function) => {
                self.scopes.push(Scope::of(&function.body, Some(&function.parameters)));
                self.functions.push(function.range());
                walk_stmt(self, stmt);
                self.functions.pop();
                self.scopes.pop();
            }
            Stmt::ClassDef(class) => {
                for stmt in &class.body {
                    self.field(stmt);
                }
                walk_stmt(self, stmt);
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    match target {
                        Expr::Name(name) => {
                            self.entries(name.id.as_str(), &assign.value);
                            // A constant, by its spelling; fields of classes are looked at with their class.
                            if name.id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
                                self.revision(name.id.as_str(), &assign.value);
                            }
                        }
                        Expr::Attribute(attribute) => self.entries(attribute.attr.as_str(), &assign.value),
                        Expr::Subscript(subscript) => {
                            if let Some((name, _)) = text_of(&subscript.slice) {
                                self.entries(name, &assign.value);
                            }
                        }
                        _ => {}
                    }
                }
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.depth > MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match expr {
            Expr::Call(call) => {
                self.call(call);
                // What is written into a model card loads nothing.
                let dotted = self.world.dotted(&call.func);
                let writes = ["push_to_hub", "create_model_card", "generate_model_card"];
                if !writes.iter().any(|name| dotted.ends_with(name)) {
                    self.keywords(call);
                }
                for keyword in &call.arguments.keywords {
                    match (keyword.arg.as_ref().map(|arg| arg.as_str()), &keyword.value) {
                        (Some("dataset"), Expr::Dict(dict)) => self.dict(dict, true),
                        (Some(name), value) => self.entries(name, value),
                        _ => {}
                    }
                }
            }
            Expr::Dict(dict) => self.dict(dict, false),
            Expr::StringLiteral(_) => {
                if let Some((text, range)) = text_of(expr) {
                    self.address(text, range);
                }
            }
            _ => {}
        }
        // An address that is compared or searched for is not fetched.
        if !expr.is_compare_expr() {
            walk_expr(self, expr);
        }
        self.depth -= 1;
    }
}
