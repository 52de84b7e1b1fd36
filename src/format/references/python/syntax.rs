//! The walk over the syntax tree.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, ExprDict, Keyword, PySourceType, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::literal;
use super::scope::{Scope, Value, World, eval, text_of};
use crate::format::references::passage::Passage;
use crate::format::references::shell::flags::flag;
use crate::format::references::tree::View;
use crate::format::references::url::{self, Asked};
use crate::format::references::verdict::{Named, Pin, Way, is_hub_id, is_local};
use crate::format::references::{Collector, config};
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

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

/// Walks a module with what is known at each point of it.
pub(super) struct Reader<'a, 'o> {
    pub(super) code: &'a Passage<'a>,
    pub(super) world: World<'a>,
    scopes: Vec<Scope<'a>>,
    /// Functions around the point, innermost last.
    functions: Vec<TextRange>,
    depth: u32,
    pub(super) out: &'o mut Collector,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn eval(&self, expr: &'a Expr) -> Value<'a> {
        eval(expr, &self.scopes, &self.world, 8)
    }

    pub(super) fn span(&self, range: TextRange) -> Span {
        self.code.span(range.into())
    }

    /// The value of an argument, by keyword or by place.
    pub(super) fn argument(&self, call: &'a ExprCall, names: &[&str], place: Option<usize>) -> Option<&'a Expr> {
        let keyword = names.iter().find_map(|name| call.arguments.find_keyword(name));
        keyword.map(|keyword| &keyword.value).or_else(|| call.arguments.find_positional(place?))
    }

    /// The pin that a call is given under one of these keywords. Keywords that come out of a dictionary may hold one.
    pub(super) fn pin(&self, call: &'a ExprCall, names: &[&str]) -> Pin<'a> {
        match self.argument(call, names, None) {
            Some(expr) => self.pin_of(expr),
            None if call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none()) => Pin::Dynamic,
            None => Pin::Absent,
        }
    }

    pub(super) fn pin_of(&self, expr: &'a Expr) -> Pin<'a> {
        let value = self.eval(expr);
        match value.texts().first() {
            Some((text, range)) if !value.is_unknown() => Pin::At(text, self.span(*range)),
            _ if matches!(value, Value::Null) => Pin::Absent,
            _ => Pin::Dynamic,
        }
    }

    /// A name with nothing around it, to be filled in.
    pub(super) fn named(
        &self,
        kind: Target,
        text: &'a str,
        range: TextRange,
        call: &'a ExprCall,
        framework: &'static str,
        by: &str,
    ) -> Named<'a> {
        Named {
            kind,
            value: text,
            span: self.span(range),
            pin: Pin::Absent,
            framework,
            by: by.to_owned(),
            remote_code: self.trusts(call),
            way: Way::Argument("revision"),
            hub: "huggingface",
            templates: false,
            single: true,
        }
    }

    /// Whether the call lets code of the other side run.
    fn trusts(&self, call: &'a ExprCall) -> bool {
        let value = call.arguments.find_keyword("trust_remote_code").map(|keyword| &keyword.value);
        matches!(value, Some(Expr::BooleanLiteral(literal)) if literal.value)
    }

    /// An argument that is known only when the program runs: kept, since an inventory wants it.
    pub(super) fn dynamic(
        &mut self,
        kind: Target,
        expr: &'a Expr,
        call: &'a ExprCall,
        framework: &'static str,
        by: &str,
    ) {
        let range = expr.range();
        let text = self.code.text().get(std::ops::Range::<usize>::from(range)).unwrap_or("");
        let target = text.lines().next().unwrap_or("").chars().take(80).collect();
        let remote_code = self.trusts(call);
        self.out.push(Reference {
            kind,
            hub: "python",
            target,
            pin: None,
            verdict: Verdict::Dynamic,
            framework,
            by: by.to_owned(),
            span: self.span(range),
            remote_code,
            fix: String::new(),
        });
    }

    /// Whether the code around compares a SHA-256, which makes any address firm.
    pub(super) fn checked(&self) -> Option<&'static str> {
        let text = self.code.text();
        let hit = match self.functions.last() {
            Some(range) => {
                let text = text.get(std::ops::Range::<usize>::from(*range)).unwrap_or("");
                text.contains("sha256") && (text.contains("==") || text.contains("!="))
            }
            None => false,
        };
        hit.then_some("a compared SHA-256")
    }

    /// A string that is an address by itself.
    fn address(&mut self, text: &'a str, range: TextRange) {
        if !text.contains("://") || text.contains(char::is_whitespace) {
            return;
        }
        let Some(found) = url::locate(text, Asked::Any).filter(|found| found.verdict != Verdict::NotADataset) else {
            return;
        };
        let (span, checked) = (self.span(range), self.checked());
        self.out.located(found, checked, span, "python", "url");
    }

    /// `dataset_name="owner/name"` in a call of any kind, or as the default of a field or a flag.
    pub(super) fn setting(&mut self, name: &str, value: &'a Expr) {
        let Some(flag) = flag(name).filter(|_| name.contains('_')) else { return };
        for (text, range) in self.eval(value).texts() {
            if !text.contains('/') || !is_hub_id(text) || is_local(text) {
                continue;
            }
            let way = match flag.kind {
                Target::Model => Way::Key("model_revision"),
                _ => {
                    Way::Words("Pin it where it is loaded: revision=\"…\" with the 40-digit commit that was reviewed.")
                }
            };
            self.out.name(Named {
                kind: flag.kind,
                value: text,
                span: self.span(range),
                pin: Pin::Absent,
                framework: "python",
                by: name.to_owned(),
                remote_code: false,
                way,
                hub: "huggingface",
                templates: false,
                single: false,
            });
        }
    }

    /// Keyword pairs that frameworks keep in Python: `hf_repo=` and `hf_revision=`, `dataset={"path": …}`.
    fn keywords(&mut self, call: &'a ExprCall) {
        let find = |name: &str| call.arguments.find_keyword(name).map(|keyword| &keyword.value);
        if let Some(value) = find("hf_repo") {
            let pin = find("hf_revision").map_or(Pin::Absent, |expr| self.pin_of(expr));
            for (text, range) in self.eval(value).texts() {
                let mut named = self.named(Target::Dataset, text, range, call, "lighteval", "hf_repo");
                (named.pin, named.way) = (pin, Way::Argument("hf_revision"));
                self.out.name(named);
            }
        }
        for Keyword { arg, value, .. } in &call.arguments.keywords {
            let Some(arg) = arg else { continue };
            // A pair of its own in the same call pins it.
            let pinned = call.arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
            let mut pinned = pinned.filter(|name| name.ends_with("revision"));
            if pinned.next().is_none() {
                self.setting(arg.as_str(), value);
            }
        }
    }

    /// A list of entries under a name that says what they are: `datasets=[{"path": …}]`.
    fn entries(&mut self, name: &str, value: &'a Expr) {
        if !matches!(name, "datasets" | "test_datasets" | "train_datasets" | "eval_datasets" | "pretraining_dataset") {
            return;
        }
        let Expr::List(list) = value else { return };
        for item in &list.elts {
            match item {
                Expr::Dict(dict) => self.dict(dict, true),
                // `SFTDataset(**{…})` and `DictDefault({…})`.
                Expr::Call(call) => {
                    if let Some(Expr::Dict(dict)) = call.arguments.args.first() {
                        self.dict(dict, true);
                    }
                }
                _ => {}
            }
        }
    }

    /// A dictionary that names data: `{"path": …, "revision": …}`, or the configuration of a framework.
    fn dict(&mut self, dict: &'a ExprDict, named_dataset: bool) {
        let key = |name: &str| {
            dict.items.iter().any(|item| item.key.as_ref().and_then(text_of).is_some_and(|(text, _)| text == name))
        };
        let split = key("split") && key("type");
        let pair = key("path") && (key("revision") || key("ds_type") || split || named_dataset);
        if !pair && !key("datasets") && !key("base_model") {
            return;
        }
        let tree = literal::tree(dict, self.code.text());
        for root in tree.documents(self.code) {
            if pair {
                let Some(path) = root.get("path") else { continue };
                let revision = root.get("revision");
                self.out.name(Named {
                    kind: Target::Dataset,
                    value: path.text().unwrap_or(""),
                    span: path.span(),
                    pin: match revision.and_then(|v| Some((v.text()?, v.span()))) {
                        Some((text, span)) => Pin::At(text, span),
                        None => Pin::Absent,
                    },
                    framework: "python",
                    by: "{\"path\": …}".into(),
                    remote_code: root.get("trust_remote_code").is_some_and(View::is_true),
                    way: Way::Key("revision"),
                    hub: "huggingface",
                    templates: true,
                    single: revision.is_some(),
                });
            } else if !config::literal(root, self.out) {
                for item in &dict.items {
                    if let Some((name, _)) = item.key.as_ref().and_then(text_of) {
                        self.entries(name, &item.value);
                    }
                }
            }
        }
    }
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
                        Expr::Name(name) => self.entries(name.id.as_str(), &assign.value),
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

impl<'a> Reader<'a, '_> {
    /// A field of a class: the default of a dataclass, or the dataset of a task of lm-evaluation-harness.
    fn field(&mut self, stmt: &'a Stmt) {
        let (target, value) = match stmt {
            Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()),
            Stmt::Assign(assign) => match assign.targets.first() {
                Some(target) => (target, Some(&*assign.value)),
                None => return,
            },
            _ => return,
        };
        let (Expr::Name(name), Some(value)) = (target, value) else { return };
        if name.id.as_str() == "DATASET_PATH" {
            for (text, range) in self.eval(value).texts() {
                self.out.name(Named {
                    kind: Target::Dataset,
                    value: text,
                    span: self.span(range),
                    pin: Pin::Absent,
                    framework: "lm-eval",
                    by: "DATASET_PATH".into(),
                    remote_code: false,
                    way: Way::Words("Pass the 40-digit commit that was reviewed to the loader: revision=\"…\"."),
                    hub: "huggingface",
                    templates: false,
                    single: true,
                });
            }
            return;
        }
        let value = match value {
            // `field(default="…")`.
            Expr::Call(call) => match call.arguments.find_keyword("default") {
                Some(keyword) => &keyword.value,
                None => return,
            },
            value => value,
        };
        self.setting(name.id.as_str(), value);
    }
}
