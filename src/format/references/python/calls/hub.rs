//! Calls that load from the hub: datasets, files, models, what trainers are given.

use ruff_python_ast::{Expr, ExprCall};

use super::family::{Family, HUB};
use crate::format::Target;
use crate::format::references::python::reader::Reader;
use crate::format::references::python::scope::text_of;
use crate::format::references::spelling::{is_builder, is_hub_id};
use crate::format::references::verdict::{Pin, Way};

impl<'a> Reader<'a, '_> {
    pub(super) fn load_dataset(&mut self, call: &'a ExprCall, before: &str, last: &str) {
        let own = before.is_empty() && self.world.defined.contains(last) && !self.world.imports(last);
        if matches!(before, "seaborn" | "sns" | "statsmodels") {
            return;
        }
        let sure = !own && matches!(before, "" | "datasets" | "datasets.load" | "hf_datasets");
        let Some(expr) = self.argument(call, &["path"], Some(0)) else { return };
        let value = self.eval(expr);
        let files = self.argument(call, &["data_files"], None).or_else(|| self.argument(call, &["data_dir"], None));
        let pin = self.pin(call, &["revision"]);
        let mut builder = false;
        for (text, range) in value.texts() {
            if is_builder(text) {
                builder = true;
                continue;
            }
            // A method of that name is something else unless what it is given can only be a repository.
            if !(sure || text.contains('/') && is_hub_id(text)) {
                continue;
            }
            let mut named = self.named(Target::Dataset, text, range, call, "datasets", last);
            named.pin = pin;
            if self.world.outputs.contains(text) { self.out.local(named) } else { self.out.name(named) }
        }
        if value.is_unknown() && sure {
            self.dynamic(Target::Dataset, expr, call, "datasets", last);
        }
        let Some(files) = files else { return };
        let value = self.eval(files);
        for (text, range) in value.texts() {
            let mut named = self.named(Target::UrlData, text, range, call, "datasets", "data_files");
            named.way = Way::Words("Name the commit in the address: `hf://datasets/OWNER/NAME@COMMIT/…`.");
            if text.contains("://") {
                named.single = false;
                self.out.name(named);
            } else if builder {
                self.out.local(named);
            }
        }
        if value.is_unknown() && builder {
            self.dynamic(Target::UrlData, files, call, "datasets", "data_files");
        }
    }

    pub(super) fn load_from_disk(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["dataset_path"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let named = self.named(Target::Dataset, text, range, call, "datasets", "load_from_disk");
            if text.contains("://") { self.out.name(named) } else { self.out.local(named) }
        }
    }

    pub(super) fn hub_download(&mut self, call: &'a ExprCall, before: &str, last: &str) {
        let of = |name: &str| self.argument(call, &[name], None).map(|expr| self.eval(expr).texts());
        let kind = match of("repo_type").as_deref() {
            Some([("dataset", _)]) => Target::Dataset,
            Some([("space", _)]) => Target::Code,
            _ if last == "dataset_info" => Target::Dataset,
            _ => Target::Model,
        };
        let hub = if before.starts_with("modelscope") { "modelscope" } else { "huggingface" };
        let names = &["repo_id", "model_id", "dataset_id"];
        let sure = last != "dataset_info";
        self.family(
            call,
            &Family { kind, names, framework: "huggingface_hub", hub, single: sure, dynamic: sure, ..HUB },
            last,
        );
    }

    pub(super) fn pretrained(&mut self, call: &'a ExprCall, before: &str) {
        let class = before.rsplit('.').next().unwrap_or("");
        // An adapter is loaded onto a model that comes first.
        let adapter = class.starts_with("PeftModel") || class == "PeftMixedModel";
        let family = Family {
            kind: Target::Model,
            names: if adapter {
                &["model_id"]
            } else {
                &[
                    "pretrained_model_name_or_path",
                    "model_name",
                    "model_name_or_path",
                    "repo_id",
                    "model_id",
                    "checkpoint",
                ]
            },
            place: Some(usize::from(adapter)),
            framework: "transformers",
            ..HUB
        };
        self.family(call, &family, "from_pretrained");
    }

    pub(super) fn trainer(&mut self, call: &'a ExprCall, last: &str) {
        // The revision goes into a dictionary, in the call or in the configuration that it makes.
        let text = self.code.text().get(std::ops::Range::<usize>::from(call.arguments.range)).unwrap_or("");
        let nested = text.contains("model_init_kwargs");
        for (names, place) in [
            (&["model"][..], Some(0)),
            (&["reward_model"], None),
            (&["reward_funcs"], None),
            (&["teacher_model"], None),
        ] {
            let Some(expr) = self.argument(call, names, place) else { continue };
            for (text, range) in self.eval(expr).texts() {
                if !text.contains('/') || !is_hub_id(text) {
                    continue;
                }
                let mut named = self.named(Target::Model, text, range, call, "trl", last);
                named.pin = if nested { self.nested_revision(call) } else { Pin::Absent };
                named.way = Way::Words(
                    "Pass the 40-digit commit that was reviewed in the configuration: model_init_kwargs={\"revision\": \"…\"}.",
                );
                self.out.name(named);
            }
        }
    }

    /// The revision in a `model_init_kwargs={"revision": …}` within a call.
    pub(super) fn nested_revision(&self, call: &'a ExprCall) -> Pin<'a> {
        let mut found = Pin::Dynamic;
        let configs = call.arguments.keywords.iter().filter_map(|keyword| keyword.value.as_call_expr());
        for call in configs.chain(std::iter::once(call)) {
            let Some(Expr::Dict(dict)) = call.arguments.find_keyword("model_init_kwargs").map(|keyword| &keyword.value)
            else {
                continue;
            };
            let item = dict
                .items
                .iter()
                .find(|item| item.key.as_ref().and_then(text_of).is_some_and(|(text, _)| text == "revision"));
            found = item.map_or(Pin::Absent, |item| self.pin_of(&item.value));
        }
        found
    }
}
