//! Calls that name what they load alike.

use ruff_python_ast::ExprCall;

use crate::format::Target;
use crate::format::references::python::reader::Reader;
use crate::format::references::verdict::Way;

/// How one family of calls names what it loads.
pub(super) struct Family {
    pub(super) kind: Target,
    /// Keywords of the name, first one preferred.
    pub(super) names: &'static [&'static str],
    pub(super) place: Option<usize>,
    pub(super) pins: &'static [&'static str],
    pub(super) framework: &'static str,
    pub(super) hub: &'static str,
    pub(super) way: Way,
    /// Whether names without an owner are names on the hub.
    pub(super) single: bool,
    /// Whether a name that is known only when it runs is kept.
    pub(super) dynamic: bool,
}

pub(super) const HUB: Family = Family {
    kind: Target::Dataset,
    names: &["path"],
    place: Some(0),
    pins: &["revision"],
    framework: "datasets",
    hub: "huggingface",
    way: Way::Argument("revision"),
    single: true,
    dynamic: true,
};

impl<'a> Reader<'a, '_> {
    pub(super) fn family(&mut self, call: &'a ExprCall, family: &Family, by: &str) {
        let Some(expr) = self.argument(call, family.names, family.place) else { return };
        let value = self.eval(expr);
        let pin = self.pin(call, family.pins);
        for (text, range) in value.texts() {
            if !family.single && !text.contains('/') {
                continue;
            }
            let mut named = self.named(family.kind, text, range, call, family.framework, by);
            (named.pin, named.hub, named.way, named.single) = (pin, family.hub, family.way, family.single);
            // What the file itself has saved is its own.
            if self.world.outputs.contains(text) { self.out.local(named) } else { self.out.name(named) }
        }
        if value.is_unknown() && family.dynamic {
            self.dynamic(family.kind, expr, call, family.framework, by);
        }
    }
}
