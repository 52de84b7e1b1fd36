//! Calls that load from registries with versions of their own, and from data that libraries bring.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use crate::format::references::pin::of_revision;
use crate::format::references::python::reader::Reader;
use crate::format::references::python::scope::Value;
use crate::format::references::verdict::{Pin, Way};
use crate::format::{Target, Verdict};

impl<'a> Reader<'a, '_> {
    pub(super) fn torch_hub(&mut self, call: &'a ExprCall) {
        let source = self.argument(call, &["source"], None).map(|expr| self.eval(expr).texts());
        let local = matches!(source.as_deref(), Some([("local", _)]));
        let Some(expr) = self.argument(call, &["repo_or_dir"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let (name, revision) = text.split_once(':').map_or((text, None), |(name, revision)| (name, Some(revision)));
            let mut named = self.named(Target::Code, name, range, call, "torch", "torch.hub.load");
            if local {
                self.out.local(named);
                continue;
            }
            named.hub = "github";
            named.single = false;
            named.pin = revision.map_or(Pin::Absent, |revision| Pin::At(revision, named.span));
            named.way = Way::Words("Append the full commit that was reviewed: \"OWNER/NAME:COMMIT\".");
            self.out.name(named);
        }
    }

    pub(super) fn tfds(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["name"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let (name, version) = text.rsplit_once(':').map_or((text, None), |(name, version)| (name, Some(version)));
            let numbers = version.is_some_and(|v| {
                v.split('.').count() == 3
                    && v.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            });
            let verdict = match version {
                Some(_) if numbers => Verdict::Pinned,
                Some(_) => Verdict::Weak,
                None => Verdict::Unpinned,
            };
            self.judged(
                Target::Dataset,
                "tfds",
                name,
                version,
                verdict,
                range,
                "tfds",
                "tfds.load",
                "Name an exact version: \"name:1.2.3\".",
            );
        }
    }

    pub(super) fn clearml(&mut self, call: &'a ExprCall) {
        for (name, verdict) in [("dataset_id", Verdict::Pinned), ("dataset_name", Verdict::Unpinned)] {
            let Some(expr) = self.argument(call, &[name], None) else { continue };
            for (text, range) in self.eval(expr).texts() {
                self.judged(
                    Target::Dataset,
                    "clearml",
                    text,
                    None,
                    verdict,
                    range,
                    "clearml",
                    "Dataset.get",
                    "Name the version by its id: dataset_id=\"…\".",
                );
            }
        }
    }

    pub(super) fn openml(&mut self, call: &'a ExprCall) {
        let number =
            |name: &str| self.argument(call, &[name], None).is_some_and(|expr| matches!(self.eval(expr), Value::Other));
        let verdict = if number("data_id") || number("version") { Verdict::Pinned } else { Verdict::Unpinned };
        let Some(expr) = self.argument(call, &["name"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            self.judged(
                Target::Dataset,
                "openml",
                text,
                None,
                verdict,
                range,
                "scikit-learn",
                "fetch_openml",
                "Name the version: data_id=… or version=….",
            );
        }
    }

    pub(super) fn kagglehub(&mut self, call: &'a ExprCall, last: &str) {
        let Some(expr) = self.argument(call, &["handle"], Some(0)) else { return };
        let kind = if last == "model_download" { Target::Model } else { Target::Dataset };
        for (text, range) in self.eval(expr).texts() {
            let (name, version) =
                text.split_once("/versions/").map_or((text, None), |(name, version)| (name, Some(version)));
            let verdict = if version.is_some() { Verdict::Weak } else { Verdict::Unpinned };
            let fix = "Name the version (…/versions/N) and lock what comes with `foretaste lock`.";
            self.judged(kind, "kaggle", name, version, verdict, range, "kagglehub", last, fix);
        }
    }

    pub(super) fn nltk(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["info_or_id"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let fix = "NLTK's index cannot be pinned: keep a copy in the repository and lock it with `foretaste lock`.";
            self.judged(Target::Dataset, "nltk", text, None, Verdict::Unpinned, range, "nltk", "nltk.download", fix);
        }
    }

    pub(super) fn wandb(&mut self, call: &'a ExprCall, last: &str) {
        let Some(expr) = self.argument(call, &["artifact_or_name", "name"], Some(0)) else { return };
        let kind = if last == "use_model" { Target::Model } else { Target::Dataset };
        for (text, range) in self.eval(expr).texts() {
            let (name, alias) = text.rsplit_once(':').map_or((text, None), |(name, alias)| (name, Some(alias)));
            let numbered = alias.is_some_and(|alias| {
                alias.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            });
            let verdict = match alias {
                Some(alias) if alias.len() == 32 && alias.bytes().all(|b| b.is_ascii_hexdigit()) => Verdict::Pinned,
                Some(_) if numbered => Verdict::Weak,
                _ => Verdict::Unpinned,
            };
            self.judged(
                kind,
                "wandb",
                name,
                alias,
                verdict,
                range,
                "wandb",
                last,
                "Name the version (:v12) and lock what comes with `foretaste lock`.",
            );
        }
    }

    pub(super) fn mlflow(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["model_uri"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let Some(rest) = text.strip_prefix("models:/") else { continue };
            let (name, version) = rest
                .trim_start_matches('/')
                .split_once(['/', '@'])
                .map_or((rest, None), |(name, version)| (name, Some(version)));
            let number = version.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()));
            let verdict = if number { Verdict::Pinned } else { Verdict::Unpinned };
            self.judged(
                Target::Model,
                "mlflow",
                name,
                version,
                verdict,
                range,
                "mlflow",
                "load_model",
                "Name the version by its number: models:/NAME/7.",
            );
        }
    }

    pub(super) fn dvc(&mut self, call: &'a ExprCall, last: &str) {
        let Some(expr) = self.argument(call, &["repo"], Some(1)) else { return };
        let revision = match self.pin(call, &["rev"]) {
            Pin::At(text, _) => Some(text),
            Pin::Absent => None,
            Pin::Dynamic => return self.dynamic(Target::Dataset, expr, call, "dvc", last),
        };
        for (text, range) in
            self.eval(expr).texts().into_iter().filter(|(text, _)| text.contains("://") || text.contains('@'))
        {
            let verdict = of_revision(revision);
            self.judged(
                Target::Dataset,
                "git",
                text,
                revision,
                verdict,
                range,
                "dvc",
                last,
                "Pass the full commit that was reviewed: rev=\"…\".",
            );
        }
    }

    /// Data that a library brings from its own addresses, checked by MD5 inside the library.
    pub(super) fn packaged(&mut self, call: &'a ExprCall, last: &str) {
        let Some(keyword) = call.arguments.find_keyword("download") else { return };
        if matches!(&keyword.value, Expr::BooleanLiteral(literal) if literal.value) {
            let fix = "Pin the version of the library and lock the files with `foretaste lock`: it checks them by MD5 at most.";
            self.judged(
                Target::Dataset,
                "torchvision",
                last,
                None,
                Verdict::Weak,
                call.func.range(),
                "torchvision",
                last,
                fix,
            );
        }
    }
}
