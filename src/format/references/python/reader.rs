//! What is known at one point of a module, and how names and pins are read out of a call.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged, TextRange};

use super::scope::{Scope, Value, World, eval};
use crate::format::references::collector::Collector;
use crate::format::references::passage::Passage;
use crate::format::references::url::{self, Asked};
use crate::format::references::verdict::{Named, Pin, Way};
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

/// Walks a module with what is known at each point of it.
pub(super) struct Reader<'a, 'o> {
    pub(super) code: &'a Passage<'a>,
    pub(super) world: World<'a>,
    pub(super) scopes: Vec<Scope<'a>>,
    /// Functions around the point, innermost last.
    pub(super) functions: Vec<TextRange>,
    pub(super) depth: u32,
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

    /// Takes what needs no lattice.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn judged(
        &mut self,
        kind: Target,
        hub: &'static str,
        target: &str,
        pin: Option<&str>,
        verdict: Verdict,
        range: ruff_text_size::TextRange,
        framework: &'static str,
        by: &str,
        fix: &str,
    ) {
        let span = self.span(range);
        self.out.push(Reference {
            kind,
            hub,
            target: target.to_owned(),
            pin: pin.map(str::to_owned),
            verdict,
            framework,
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: if matches!(verdict, Verdict::Weak | Verdict::Unpinned) { fix.to_owned() } else { String::new() },
        });
    }

    /// An address that a reader of data is given, or a local file.
    pub(super) fn loaded(&mut self, mut named: Named<'a>) {
        if !named.value.contains("://") {
            // Strings that are read as data themselves are no names.
            if !named.value.contains(['\n', '{', '<']) {
                self.out.local(named);
            }
            return;
        }
        if let (Some(how), Some(found)) = (self.checked(), url::locate(named.value, Asked::Data)) {
            let (span, framework, by) = (named.span, named.framework, std::mem::take(&mut named.by));
            return self.out.located(found, Some(how), span, framework, &by);
        }
        named.single = false;
        named.way = Way::Words("Name the commit in the address: `hf://datasets/OWNER/NAME@COMMIT/…`.");
        self.out.name(named);
    }
}
