//! What names stand for, as far as one file says: constants, defaults, attributes, imports.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{Expr, InterpolatedStringElement, Parameters, Stmt, StringFlags};
use ruff_text_size::{Ranged, TextRange};

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// A string, and where its text stands without the quotes.
    Text(&'a str, TextRange),
    /// One of several, or a list of them.
    Many(Vec<Value<'a>>),
    /// `None`.
    Null,
    /// Known only when it runs.
    Unknown,
    /// A number, a boolean: no name.
    Other,
}

/// What a name is bound to.
#[derive(Copy, Clone, Debug)]
enum Binding<'a> {
    Value(&'a Expr),
    /// An element of it.
    Each(&'a Expr),
    Opaque,
}

/// Names of one function, or of the module.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    names: BTreeMap<&'a str, Vec<Binding<'a>>>,
}

impl<'a> Scope<'a> {
    /// The names that a body binds, without those of functions and classes within it.
    pub(super) fn of(body: &'a [Stmt], parameters: Option<&'a Parameters>) -> Self {
        let mut scope = Self::default();
        for parameter in parameters.into_iter().flat_map(Parameters::iter_non_variadic_params) {
            let binding = parameter.default.as_deref().map_or(Binding::Opaque, Binding::Value);
            scope.bind(parameter.parameter.name.as_str(), binding);
        }
        scope.visit_body(body);
        scope
    }

    /// What the name is set to in this scope.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a Expr> {
        self.names.get(name).into_iter().flatten().filter_map(|binding| match binding {
            Binding::Value(expr) => Some(*expr),
            _ => None,
        })
    }

    fn bind(&mut self, name: &'a str, binding: Binding<'a>) {
        let bindings = self.names.entry(name).or_default();
        // More than a few values are no constant.
        if bindings.len() < 16 {
            bindings.push(binding);
        }
    }

    fn bind_target(&mut self, target: &'a Expr, binding: Binding<'a>) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str(), binding),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| {
                if let Expr::Name(name) = part {
                    self.bind(name.id.as_str(), Binding::Opaque);
                }
            }),
            _ => {}
        }
    }
}

impl<'a> StatementVisitor<'a> for Scope<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.bind_target(target, Binding::Value(&assign.value)))
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.bind_target(&assign.target, Binding::Value(value));
                }
            }
            Stmt::AugAssign(assign) => self.bind_target(&assign.target, Binding::Opaque),
            Stmt::For(each) => self.bind_target(&each.target, Binding::Each(&each.iter)),
            Stmt::With(with) => with
                .items
                .iter()
                .filter_map(|item| item.optional_vars.as_deref())
                .for_each(|target| self.bind_target(target, Binding::Opaque)),
            _ => {}
        }
        walk_stmt(self, stmt);
    }
}

/// What holds for the whole file.
#[derive(Debug, Default)]
pub(super) struct World<'a> {
    /// Names that imports bind, and what they stand for.
    imports: BTreeMap<&'a str, String>,
    /// Attributes that classes and methods set, by name.
    attributes: BTreeMap<&'a str, Vec<&'a Expr>>,
    /// Functions that the file defines itself.
    pub(super) defined: BTreeSet<&'a str>,
    /// Folders that the file writes models or data to.
    pub(super) outputs: BTreeSet<&'a str>,
    /// Steps that evaluation has taken: names that stand for many names could take it anywhere.
    steps: Cell<u32>,
}

/// Steps of evaluation in one file.
const MAX_STEPS: u32 = 1 << 20;

impl<'a> World<'a> {
    /// Looks through all statements of the file once.
    pub(super) fn of(body: &'a [Stmt]) -> Self {
        let mut world = Self::default();
        world.visit_body(body);
        world
    }

    /// A dotted name with its imports resolved: `pd.read_csv` is `pandas.read_csv`. Calls in it are written `()`.
    pub(super) fn dotted(&self, expr: &Expr) -> String {
        let mut parts: Vec<&str> = Vec::new();
        let mut at = expr;
        loop {
            match at {
                Expr::Attribute(attribute) => {
                    parts.push(attribute.attr.as_str());
                    at = &attribute.value;
                }
                Expr::Call(call) => {
                    parts.push("()");
                    at = &call.func;
                }
                Expr::Name(name) => {
                    parts.push(self.imports.get(name.id.as_str()).map_or(name.id.as_str(), String::as_str));
                    break;
                }
                _ => {
                    parts.push("?");
                    break;
                }
            }
        }
        parts.reverse();
        parts.join(".")
    }

    /// What classes and methods set an attribute to.
    pub(super) fn attribute(&self, name: &str) -> impl Iterator<Item = &'a Expr> {
        self.attributes.get(name).into_iter().flatten().copied()
    }

    /// Whether the name is imported.
    pub(super) fn imports(&self, name: &str) -> bool {
        self.imports.contains_key(name)
    }

    /// Whether anything is imported from the package.
    pub(super) fn uses(&self, package: &str) -> bool {
        self.imports.values().any(|module| module.split('.').next() == Some(package))
    }

    fn import(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    match &alias.asname {
                        Some(name) => self.imports.insert(name.as_str(), alias.name.to_string()),
                        None => {
                            let first = alias.name.as_str().split('.').next().unwrap_or("");
                            self.imports.insert(first, first.to_owned())
                        }
                    };
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                let dots = ".".repeat(import.level as usize);
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.imports.insert(name.as_str(), format!("{dots}{module}.{}", alias.name));
                }
            }
            _ => {}
        }
    }

    fn output(&mut self, expr: &'a Expr) {
        let Expr::Call(call) = expr else { return };
        if let Expr::Attribute(attribute) = &*call.func
            && matches!(
                attribute.attr.as_str(),
                "save_pretrained" | "save_to_disk" | "save_model" | "save" | "save_pretrained_merged"
            )
            && let Some(Expr::StringLiteral(text)) = call.arguments.args.first()
        {
            self.outputs.insert(text.value.to_str());
        }
        for keyword in &call.arguments.keywords {
            if keyword.arg.as_ref().is_some_and(|arg| matches!(arg.as_str(), "output_dir" | "save_dir" | "save_path"))
                && let Expr::StringLiteral(text) = &keyword.value
            {
                self.outputs.insert(text.value.to_str());
            }
        }
    }
}

impl<'a> StatementVisitor<'a> for World<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(_) | Stmt::ImportFrom(_) => self.import(stmt),
            Stmt::FunctionDef(function) => {
                self.defined.insert(function.name.as_str());
            }
            Stmt::ClassDef(class) => {
                for stmt in &class.body {
                    let (target, value) = match stmt {
                        Stmt::Assign(assign) => (assign.targets.first(), Some(&*assign.value)),
                        Stmt::AnnAssign(assign) => (Some(&*assign.target), assign.value.as_deref()),
                        _ => continue,
                    };
                    if let (Some(Expr::Name(name)), Some(value)) = (target, value) {
                        self.attributes.entry(name.id.as_str()).or_default().push(value);
                    }
                }
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    if let Expr::Attribute(attribute) = target {
                        self.attributes.entry(attribute.attr.as_str()).or_default().push(&assign.value);
                    }
                }
                self.output(&assign.value);
            }
            Stmt::Expr(expr) => self.output(&expr.value),
            _ => {}
        }
        walk_stmt(self, stmt);
    }
}

/// The text of a string literal and where it stands.
pub(super) fn text_of(expr: &Expr) -> Option<(&str, TextRange)> {
    match expr {
        Expr::StringLiteral(string) => {
            let parts = string.value.as_slice();
            let (first, last) = (parts.first()?, parts.last()?);
            let start = first.range.start() + first.flags.opener_len();
            let end =
                if last.flags.is_unclosed() { last.range.end() } else { last.range.end() - last.flags.closer_len() };
            Some((string.value.to_str(), TextRange::new(start, end.max(start))))
        }
        Expr::FString(string) => {
            // One without a placeholder is a plain string.
            let mut elements = string.value.elements();
            match (elements.next(), elements.next()) {
                (Some(InterpolatedStringElement::Literal(literal)), None) => Some((&literal.value, literal.range())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What an expression comes to, by what the scopes and the file know.
pub(super) fn eval<'a>(expr: &'a Expr, scopes: &[Scope<'a>], world: &World<'a>, fuel: u32) -> Value<'a> {
    let steps = world.steps.get();
    if fuel == 0 || steps > MAX_STEPS {
        return Value::Unknown;
    }
    world.steps.set(steps + 1);
    let again = |expr: &'a Expr| eval(expr, scopes, world, fuel - 1);
    let many = |list: Vec<Value<'a>>| match list.len() {
        0 => Value::Unknown,
        1 => list.into_iter().next().unwrap_or(Value::Unknown),
        _ => Value::Many(list),
    };
    match expr {
        Expr::StringLiteral(_) | Expr::FString(_) => {
            text_of(expr).map_or(Value::Unknown, |(text, range)| Value::Text(text, range))
        }
        Expr::NoneLiteral(_) => Value::Null,
        Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::EllipsisLiteral(_) => Value::Other,
        Expr::List(list) => Value::Many(list.elts.iter().map(again).collect()),
        Expr::Tuple(tuple) => Value::Many(tuple.elts.iter().map(again).collect()),
        Expr::Set(set) => Value::Many(set.elts.iter().map(again).collect()),
        Expr::Dict(dict) => Value::Many(dict.items.iter().map(|item| again(&item.value)).collect()),
        Expr::If(choice) => Value::Many(vec![again(&choice.body), again(&choice.orelse)]),
        Expr::BoolOp(op) => Value::Many(op.values.iter().map(again).collect()),
        Expr::Name(name) => {
            let Some((depth, bindings)) = scopes
                .iter()
                .enumerate()
                .rev()
                .find_map(|(depth, scope)| Some((depth, scope.names.get(name.id.as_str())?)))
            else {
                return Value::Unknown;
            };
            let scopes = &scopes[..=depth];
            let values = bindings.iter().map(|binding| match binding {
                // A name that is made from itself is known by its other values.
                Binding::Value(value) => eval(value, scopes, world, fuel.saturating_sub(2)),
                Binding::Each(list @ (Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Name(_))) => {
                    eval(list, scopes, world, fuel.saturating_sub(2))
                }
                Binding::Each(_) | Binding::Opaque => Value::Unknown,
            });
            many(values.collect())
        }
        Expr::Attribute(attribute) if attribute.attr.as_str() == "value" => again(&attribute.value),
        Expr::Attribute(attribute) => {
            let own = match &*attribute.value {
                Expr::Name(name) => {
                    matches!(name.id.as_str(), "self" | "cls") || name.id.starts_with(|c: char| c.is_ascii_uppercase())
                }
                _ => false,
            };
            let values = world.attributes.get(attribute.attr.as_str()).filter(|values| own && values.len() <= 4);
            many(values.into_iter().flatten().map(|value| again(value)).collect())
        }
        Expr::Subscript(subscript) => {
            let Some((key, _)) = text_of(&subscript.slice) else { return Value::Unknown };
            let Expr::Name(name) = &*subscript.value else { return Value::Unknown };
            let bindings = scopes.iter().rev().find_map(|scope| scope.names.get(name.id.as_str()));
            match bindings.map(Vec::as_slice) {
                Some([Binding::Value(Expr::Dict(dict))]) => {
                    let item = dict
                        .items
                        .iter()
                        .find(|item| item.key.as_ref().and_then(text_of).is_some_and(|(text, _)| text == key));
                    item.map_or(Value::Unknown, |item| again(&item.value))
                }
                _ => Value::Unknown,
            }
        }
        _ => Value::Unknown,
    }
}

impl<'a> Value<'a> {
    /// Every string in it.
    pub(super) fn texts(&self) -> Vec<(&'a str, TextRange)> {
        match self {
            Value::Text(text, range) => vec![(text, *range)],
            Value::Many(list) => list.iter().flat_map(Value::texts).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a part of it is known only when it runs.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Value::Unknown => true,
            Value::Many(list) => list.iter().any(Value::is_unknown),
            _ => false,
        }
    }
}
