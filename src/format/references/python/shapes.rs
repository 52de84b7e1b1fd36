//! Shapes that are no calls of a loader: keyword pairs, dictionaries, defaults, addresses.

use ruff_python_ast::{Expr, ExprCall, ExprDict, Keyword, Stmt};
use ruff_text_size::TextRange;

use super::literal;
use super::reader::Reader;
use super::scope::text_of;
use crate::format::references::config::axolotl;
use crate::format::references::flags::flag;
use crate::format::references::pin::of_revision;
use crate::format::references::spelling::{is_hub_id, is_local};
use crate::format::references::tree::View;
use crate::format::references::url::{self, Asked};
use crate::format::references::verdict::{Named, Pin, Way};
use crate::format::{Target, Verdict};

impl<'a> Reader<'a, '_> {
    /// A string that is an address by itself.
    pub(super) fn address(&mut self, text: &'a str, range: TextRange) {
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

    /// A default or a constant that is the revision of everything that is loaded through it: told once, at its root.
    pub(super) fn revision(&mut self, name: &str, value: &'a Expr) {
        let lower = name.to_ascii_lowercase();
        let Some(of) = lower.strip_suffix("_revision").filter(|of| !of.starts_with("hub")) else { return };
        let kind = if of.contains("data") { Target::Dataset } else { Target::Model };
        let Some((text, range)) = text_of(value).filter(|(text, _)| !text.is_empty()) else { return };
        let verdict = of_revision(Some(text));
        if matches!(verdict, Verdict::Unpinned | Verdict::Weak) {
            let fix = "Let there be no default, so that each use names the 40-digit commit that was reviewed.";
            self.judged(kind, "python", name, Some(text), verdict, range, "python", "default", fix);
        }
    }

    /// Keyword pairs that frameworks keep in Python: `hf_repo=` and `hf_revision=`, `dataset={"path": …}`.
    pub(super) fn keywords(&mut self, call: &'a ExprCall) {
        let find = |name: &str| call.arguments.find_keyword(name).map(|keyword| &keyword.value);
        if let Some(value) = find("hf_repo") {
            let pin = find("hf_revision").map_or(Pin::Absent, |expr| self.pin_of(expr));
            for (text, range) in self.eval(value).texts() {
                let mut named = self.named(Target::Dataset, text, range, call, "lighteval", "hf_repo");
                (named.pin, named.way) = (pin, Way::Argument("hf_revision"));
                self.out.name(named);
            }
        }
        // `SFTDataset(source=…)`, `partial(alpaca_dataset, source=…)`: datasets that are made from a name on the hub.
        let made = |expr: &Expr| self.world.dotted(expr).to_ascii_lowercase().ends_with("dataset");
        let partial =
            self.world.dotted(&call.func).ends_with("partial") && call.arguments.args.first().is_some_and(made);
        if let Some(value) = find("source").filter(|_| partial || made(&call.func)) {
            for (text, range) in self.eval(value).texts() {
                if text.contains('/') && is_hub_id(text) && !is_local(text) {
                    let mut named = self.named(Target::Dataset, text, range, call, "torchtune", "source");
                    named.pin = self.pin(call, &["revision"]);
                    self.out.name(named);
                }
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
    pub(super) fn entries(&mut self, name: &str, value: &'a Expr) {
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
    pub(super) fn dict(&mut self, dict: &'a ExprDict, named_dataset: bool) {
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
            } else if !axolotl::find(root, self.out) {
                for item in &dict.items {
                    if let Some((name, _)) = item.key.as_ref().and_then(text_of) {
                        self.entries(name, &item.value);
                    }
                }
            }
        }
    }

    /// A field of a class: the default of a dataclass, or the dataset of a task of lm-evaluation-harness.
    pub(super) fn field(&mut self, stmt: &'a Stmt) {
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
        self.revision(name.id.as_str(), value);
    }
}
