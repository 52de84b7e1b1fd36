//! The calls that load datasets, models, metrics and files, matched on their last name.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use super::scope::{Value, text_of};
use super::syntax::Reader;
use crate::format::references::passage::Passage;
use crate::format::references::shell;
use crate::format::references::url::{self, Asked};
use crate::format::references::verdict::{Named, Pin, Way, is_builder, is_digest, is_hub_id, of_revision};
use crate::format::{Reference, Target, Verdict};

/// How one family of calls names what it loads.
struct Family {
    kind: Target,
    /// Keywords of the name, first one preferred.
    names: &'static [&'static str],
    place: Option<usize>,
    pins: &'static [&'static str],
    framework: &'static str,
    hub: &'static str,
    way: Way,
    /// Whether names without an owner are names on the hub.
    single: bool,
    /// Whether a name that is known only when it runs is kept.
    dynamic: bool,
}

const HUB: Family = Family {
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
    /// Looks a call up and takes what it names.
    pub(super) fn call(&mut self, call: &'a ExprCall) {
        let dotted = self.world.dotted(&call.func);
        let (before, last) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
        match last {
            "load_dataset"
            | "load_dataset_builder"
            | "get_dataset_config_names"
            | "get_dataset_split_names"
            | "get_dataset_infos"
            | "get_dataset_config_info"
            | "get_dataset_default_config_name" => self.load_dataset(call, before, last),
            "load_from_disk" => self.load_from_disk(call),
            "snapshot_download" | "hf_hub_download" | "hf_hub_url" | "dataset_info" => {
                self.hub_download(call, before, last)
            }
            "from_pretrained" => self.pretrained(call, before),
            "pipeline" => self.family(
                call,
                &Family {
                    kind: Target::Model,
                    names: &["model"],
                    place: Some(1),
                    framework: "transformers",
                    single: true,
                    dynamic: false,
                    ..HUB
                },
                last,
            ),
            "SentenceTransformer" | "CrossEncoder" | "SparseEncoder" => {
                let names = &["model_name_or_path", "model_name"];
                self.family(
                    call,
                    &Family { kind: Target::Model, names, framework: "sentence-transformers", ..HUB },
                    last,
                );
            }
            "LLM" | "AsyncLLM" | "EngineArgs" | "AsyncEngineArgs" => {
                self.family(
                    call,
                    &Family {
                        kind: Target::Model,
                        names: &["model"],
                        framework: "vllm",
                        single: false,
                        dynamic: false,
                        ..HUB
                    },
                    last,
                );
            }
            "load_metric" => self.family(call, &Family { kind: Target::Code, framework: "datasets", ..HUB }, last),
            "load" if before == "evaluate" => {
                self.family(call, &Family { kind: Target::Code, framework: "evaluate", ..HUB }, "evaluate.load")
            }
            "load" if before == "torch.hub" || before == "hub" && self.world.uses("torch") => self.torch_hub(call),
            "load" | "builder" if before == "tensorflow_datasets" || before == "tfds" => self.tfds(call),
            "load" if before.ends_with("MsDataset") => {
                let names = &["dataset_name"];
                let way = Way::Argument("version");
                self.family(
                    call,
                    &Family {
                        names,
                        pins: &["version", "revision"],
                        framework: "modelscope",
                        hub: "modelscope",
                        way,
                        ..HUB
                    },
                    "MsDataset.load",
                );
            }
            "get" if before.ends_with("Dataset") && self.world.uses("clearml") => self.clearml(call),
            "fetch_openml" => self.openml(call),
            "dataset_download" | "model_download" if before.ends_with("kagglehub") => self.kagglehub(call, last),
            "retrieve" if before == "pooch" => self.hashed(call, "known_hash", "pooch"),
            "get_file" => self.hashed(call, "file_hash", "keras"),
            "read_csv" | "read_json" | "read_parquet" | "read_table" | "read_feather" | "read_excel"
            | "read_pickle" | "read_ndjson" | "scan_csv" | "scan_parquet" | "scan_ndjson" | "read_orc" | "read_ipc" => {
                self.read(call, last)
            }
            "get" | "stream" if matches!(before, "requests" | "httpx") => self.fetch(call, last),
            "urlopen" | "urlretrieve" => self.fetch(call, last),
            "download" if matches!(before, "wget" | "gdown") => self.fetch(call, last),
            "open" if before == "fsspec" => self.fetch(call, last),
            "download" if before == "nltk" => self.nltk(call),
            "use_artifact" | "use_model" => self.wandb(call, last),
            "load_model" if before.contains("mlflow") => self.mlflow(call),
            "read" | "open" | "get_url" if before == "dvc.api" => self.dvc(call, last),
            "get_object" | "download_file" | "download_fileobj" if self.world.uses("boto3") => self.boto(call, last),
            "sql" | "query" | "execute" if self.world.uses("duckdb") => self.duckdb(call),
            "add_argument" | "option" | "Option" | "Argument" => self.flag_default(call),
            "system" | "popen" if before == "os" => self.shell(call),
            "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput" if before == "subprocess" => {
                self.shell(call)
            }
            _ if last.ends_with("Trainer") => self.trainer(call, last),
            _ => {
                if ["torchvision.datasets", "torchaudio.datasets", "torchtext.datasets"]
                    .iter()
                    .any(|package| before.starts_with(package))
                {
                    self.packaged(call, last);
                }
            }
        }
    }

    fn family(&mut self, call: &'a ExprCall, family: &Family, by: &str) {
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

    fn load_dataset(&mut self, call: &'a ExprCall, before: &str, last: &str) {
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

    fn load_from_disk(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["dataset_path"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let named = self.named(Target::Dataset, text, range, call, "datasets", "load_from_disk");
            if text.contains("://") { self.out.name(named) } else { self.out.local(named) }
        }
    }

    fn hub_download(&mut self, call: &'a ExprCall, before: &str, last: &str) {
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

    fn pretrained(&mut self, call: &'a ExprCall, before: &str) {
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

    fn trainer(&mut self, call: &'a ExprCall, last: &str) {
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
    fn nested_revision(&self, call: &'a ExprCall) -> Pin<'a> {
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

    fn torch_hub(&mut self, call: &'a ExprCall) {
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

    fn tfds(&mut self, call: &'a ExprCall) {
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

    /// Takes what needs no lattice.
    #[allow(clippy::too_many_arguments)]
    fn judged(
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

    fn clearml(&mut self, call: &'a ExprCall) {
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

    fn openml(&mut self, call: &'a ExprCall) {
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

    fn kagglehub(&mut self, call: &'a ExprCall, last: &str) {
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

    /// A download that is given the hash it must have.
    fn hashed(&mut self, call: &'a ExprCall, hash: &str, framework: &'static str) {
        let Some(expr) = self.argument(call, &["url", "origin"], Some(if framework == "keras" { 1 } else { 0 })) else {
            return;
        };
        let hashes = self
            .argument(call, &[hash], if framework == "keras" { None } else { Some(1) })
            .map(|expr| self.eval(expr).texts());
        let known = hashes.as_ref().and_then(|list| list.first()).map(|(text, _)| *text);
        for (text, range) in self.eval(expr).texts() {
            let Some(found) = url::locate(text, Asked::Data).filter(|found| found.verdict != Verdict::NotADataset)
            else {
                continue;
            };
            let verdict = match known {
                Some(known) if is_digest(known) => Verdict::Pinned,
                Some(_) => Verdict::Weak,
                None => found.verdict,
            };
            let fix = format!("Pass the SHA-256 of the file: {hash}=\"…\".");
            self.judged(Target::UrlData, found.hub, &found.target, known, verdict, range, framework, "download", &fix);
        }
    }

    fn read(&mut self, call: &'a ExprCall, last: &str) {
        let Some(expr) = self.argument(call, &["filepath_or_buffer", "path_or_buf", "path", "io", "source"], Some(0))
        else {
            return;
        };
        for (text, range) in self.eval(expr).texts() {
            let named = self.named(Target::UrlData, text, range, call, "python", last);
            self.loaded(named);
        }
    }

    /// An address that a reader of data is given, or a local file.
    fn loaded(&mut self, mut named: Named<'a>) {
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

    fn fetch(&mut self, call: &'a ExprCall, last: &str) {
        let place = usize::from(last == "stream");
        let Some(expr) = self.argument(call, &["url", "urlpath", "id"], Some(place)) else { return };
        let checked = self.checked();
        for (text, range) in self.eval(expr).texts() {
            let Some(found) = url::locate(text, Asked::Any).filter(|found| found.verdict != Verdict::NotADataset)
            else {
                continue;
            };
            let span = self.span(range);
            self.out.located(found, checked, span, "python", last);
        }
    }

    fn nltk(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["info_or_id"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let fix = "NLTK's index cannot be pinned: keep a copy in the repository and lock it with `foretaste lock`.";
            self.judged(Target::Dataset, "nltk", text, None, Verdict::Unpinned, range, "nltk", "nltk.download", fix);
        }
    }

    fn wandb(&mut self, call: &'a ExprCall, last: &str) {
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

    fn mlflow(&mut self, call: &'a ExprCall) {
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

    fn dvc(&mut self, call: &'a ExprCall, last: &str) {
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

    fn boto(&mut self, call: &'a ExprCall, last: &str) {
        let bucket = self.argument(call, &["Bucket"], Some(0)).map(|expr| self.eval(expr).texts());
        let Some(key) = self.argument(call, &["Key"], Some(1)) else { return };
        let (Some([(bucket, _)]), keys) = (bucket.as_deref(), self.eval(key).texts()) else { return };
        let source = self.code.text().get(std::ops::Range::<usize>::from(call.range())).unwrap_or("");
        let verdict = if source.contains("VersionId") { Verdict::Pinned } else { Verdict::Unpinned };
        for (text, range) in keys {
            let target = format!("s3://{bucket}/{text}");
            self.judged(
                Target::UrlData,
                "s3",
                &target,
                None,
                verdict,
                range,
                "boto3",
                last,
                "Name the version: VersionId=\"…\".",
            );
        }
    }

    /// `FROM 'https://…'` in a query.
    fn duckdb(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["query"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let mut inner = Passage::default();
            inner.append_decoded(text, self.code, range.into());
            let mut at = 0;
            for (index, part) in text.split('\'').enumerate() {
                let start = at;
                at += part.len() + 1;
                if index % 2 == 1 && part.contains("://") {
                    let mut named = self.named(Target::UrlData, part, range, call, "duckdb", "sql");
                    named.span = inner.span(start..start + part.len());
                    self.loaded(named);
                }
            }
        }
    }

    /// Data that a library brings from its own addresses, checked by MD5 inside the library.
    fn packaged(&mut self, call: &'a ExprCall, last: &str) {
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

    /// `add_argument("--dataset_name", default="owner/name")`.
    fn flag_default(&mut self, call: &'a ExprCall) {
        let Some(keyword) = call.arguments.find_keyword("default") else { return };
        for arg in &call.arguments.args {
            if let Some((text, _)) = text_of(arg).filter(|(text, _)| text.starts_with("--")) {
                self.setting(&text[2..].replace('-', "_"), &keyword.value);
            }
        }
    }

    /// A command that the program starts.
    fn shell(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["args", "cmd"], Some(0)) else { return };
        let passage = |reader: &Self, text: &str, range: ruff_text_size::TextRange| {
            let mut passage = Passage::default();
            passage.append_decoded(text, reader.code, range.into());
            passage
        };
        match expr {
            Expr::List(list) => {
                let words: Vec<_> = list
                    .elts
                    .iter()
                    .map(|item| text_of(item).map_or_else(Passage::default, |(text, range)| passage(self, text, range)))
                    .collect();
                shell::words(&words, "python", self.out);
            }
            _ => {
                for (text, range) in self.eval(expr).texts() {
                    let script = passage(self, text, range);
                    shell::find(&script, "python", self.out);
                }
            }
        }
    }
}
