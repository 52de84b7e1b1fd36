//! Calls on file systems, buckets and stores of projects.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::TextRange;

use crate::format::references::python::reader::Reader;
use crate::format::references::python::scope::Value;
use crate::format::references::verdict::{Pin, Way};
use crate::format::{Target, Verdict};

/// The call that a method is called on: `client.bucket("b")` of `client.bucket("b").blob("k")`.
fn receiver(call: &ExprCall) -> Option<&ExprCall> {
    call.func.as_attribute_expr()?.value.as_call_expr()
}

/// Whether a call is one of a method of this name.
fn is_method(call: &ExprCall, names: &[&str]) -> bool {
    call.func.as_attribute_expr().is_some_and(|attribute| names.contains(&attribute.attr.as_str()))
}

impl<'a> Reader<'a, '_> {
    /// The one text that an argument comes to.
    fn one(&self, call: &'a ExprCall, names: &[&str], place: usize) -> Option<(&'a str, TextRange)> {
        match self.eval(self.argument(call, names, Some(place))?) {
            Value::Text(text, range) => Some((text, range)),
            _ => None,
        }
    }

    /// Paths that a file system of a hub or of a bucket is given: they have no scheme of their own.
    pub(super) fn filesystem(&mut self, call: &'a ExprCall, last: &str) {
        const SYSTEMS: [(&str, &str, &str); 3] = [
            ("HfFileSystem", "hf://", "huggingface_hub"),
            ("S3FileSystem", "s3://", "s3fs"),
            ("GCSFileSystem", "gs://", "gcsfs"),
        ];
        let Some(expr) = self.argument(call, &["path", "rpath", "filename"], Some(0)) else { return };
        let Some((_, scheme, framework)) = SYSTEMS.into_iter().find(|(system, ..)| self.is_of(call, system)) else {
            return;
        };
        if last == "open"
            && self.one(call, &["mode"], 1).is_some_and(|(mode, _)| mode.contains(['w', 'a', 'x']) && mode.len() <= 3)
        {
            return;
        }
        for (text, range) in self.eval(expr).texts().into_iter().filter(|(text, _)| text.contains('/')) {
            let address = if text.contains("://") { text.to_owned() } else { format!("{scheme}{text}") };
            let mut named = self.named(Target::UrlData, text, range, call, framework, last);
            (named.value, named.single) = (&address, false);
            named.way = Way::Words("Name the commit or the version in the path: `datasets/OWNER/NAME@COMMIT/…`.");
            self.out.name(named);
        }
    }

    /// Whether a method is called on a file system of this class, made in place or under a name.
    fn is_of(&self, call: &'a ExprCall, class: &str) -> bool {
        let Some(attribute) = call.func.as_attribute_expr() else { return false };
        let made = |expr: &Expr| {
            expr.as_call_expr().is_some_and(|made| self.world.dotted(&made.func).rsplit('.').next() == Some(class))
        };
        match &*attribute.value {
            Expr::Name(name) => self.scopes.iter().rev().any(|scope| scope.values(name.id.as_str()).any(made)),
            Expr::Attribute(attribute) => self.world.attribute(attribute.attr.as_str()).any(made),
            other => made(other),
        }
    }

    /// `pooch.create(base_url=…, registry=…)`.
    pub(super) fn pooch(&mut self, call: &'a ExprCall) {
        let Some((text, range)) = self.one(call, &["base_url"], 1) else { return };
        if !text.contains("://") {
            return;
        }
        let registry = self.argument(call, &["registry"], None).map(|expr| self.eval(expr));
        let hashes = registry.iter().flat_map(Value::texts).map(|(text, _)| text);
        let (verdict, pin) = match &registry {
            None | Some(Value::Null) => (Verdict::Unpinned, None),
            Some(Value::Unknown) => (Verdict::Dynamic, None),
            Some(_) => {
                let weak = hashes.clone().find(|hash| hash.starts_with("md5:") || hash.starts_with("sha1:"));
                weak.map_or((Verdict::Pinned, hashes.clone().next()), |weak| (Verdict::Weak, Some(weak)))
            }
        };
        let fix = "Give the registry a SHA-256 for each file: registry={\"name\": \"sha256:…\"}.";
        self.judged(Target::UrlData, "url", text, pin, verdict, range, "pooch", "pooch.create", fix);
    }

    /// `client.bucket("b").blob("k")`, where the file takes something out of a bucket.
    pub(super) fn google(&mut self, call: &'a ExprCall) {
        let code = self.code.text();
        let takes = code.contains("download_") || !code.contains("upload_");
        let (Some((key, range)), true) = (self.one(call, &["blob_name"], 0), takes) else { return };
        let named = |made: &'a ExprCall| {
            self.one(made, &["bucket_name"], 0).filter(|_| is_method(made, &["bucket", "get_bucket"]))
        };
        let made = match call.func.as_attribute_expr().map(|attribute| &*attribute.value) {
            Some(Expr::Name(name)) => {
                self.scopes.iter().rev().flat_map(|scope| scope.values(name.id.as_str())).find_map(Expr::as_call_expr)
            }
            _ => receiver(call),
        };
        let Some((bucket, _)) = made.and_then(named) else { return };
        let generation = call.arguments.find_keyword("generation");
        let pin = generation.and_then(|keyword| {
            let range = std::ops::Range::<usize>::from(ruff_text_size::Ranged::range(&keyword.value));
            code.get(range)
        });
        let verdict = if pin.is_some() { Verdict::Pinned } else { Verdict::Unpinned };
        let fix = "Switch on versioning of the bucket and name the generation: blob(…, generation=…).";
        self.judged(Target::UrlData, "gcs", &format!("gs://{bucket}/{key}"), pin, verdict, range, "gcs", "blob", fix);
    }

    /// `workspace("w").project("p").version(3)`.
    pub(super) fn roboflow(&mut self, call: &'a ExprCall) {
        let Some(project) = receiver(call).filter(|made| is_method(made, &["project"])) else { return };
        let Some((name, range)) = self.one(project, &["project_id"], 0) else { return };
        let workspace =
            receiver(project).and_then(|made| self.one(made, &["the_workspace"], 0)).map_or("", |(name, _)| name);
        let target = [workspace, name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let number = call.arguments.args.first().and_then(|arg| {
            let range = std::ops::Range::<usize>::from(ruff_text_size::Ranged::range(arg.as_number_literal_expr()?));
            self.code.text().get(range)
        });
        let verdict = if number.is_some() { Verdict::Weak } else { Verdict::Dynamic };
        let fix = "A version can be made anew: lock what comes with `foretaste lock`.";
        self.judged(Target::Dataset, "roboflow", &target, number, verdict, range, "roboflow", "version", fix);
    }

    /// `experiment.get_artifact("name", "workspace", version_or_alias="1.2.0")`.
    pub(super) fn comet(&mut self, call: &'a ExprCall) {
        let Some((name, range)) = self.one(call, &["artifact_name", "name"], 0) else { return };
        let workspace = self.one(call, &["workspace"], 1).map_or("", |(name, _)| name);
        let target = [workspace, name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let (version, verdict) = match self.pin(call, &["version_or_alias", "version"]) {
            Pin::At(text, _) => {
                let exact = text.split('.').count() == 3 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                (Some(text), if exact { Verdict::Weak } else { Verdict::Unpinned })
            }
            Pin::Absent => (None, Verdict::Unpinned),
            Pin::Dynamic => (None, Verdict::Dynamic),
        };
        let fix = "Name the version (version_or_alias=\"1.2.0\") and lock what comes with `foretaste lock`.";
        self.judged(Target::Dataset, "comet", &target, version, verdict, range, "comet", "get_artifact", fix);
    }
}
