//! What a command names: downloads by the program that makes them, and the flags of any program.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Around;
use super::flags::{Flag, flag, is_service};
use crate::format::references::passage::Passage;
use crate::format::references::url::{self, Asked};
use crate::format::references::verdict::{
    Named, Pin, Way, is_builder, is_dynamic, is_hub_id, is_local, is_version, of_revision,
};
use crate::format::references::{Collector, python};
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

const COMMIT_FLAG: Way = Way::Flag("--revision");
const NO_FLAG: Way = Way::Words(
    "Pin it where it is loaded, or obtain it at the reviewed commit, name the local folder here and lock it with `foretaste lock`.",
);

/// One command with what is known around it.
struct Line<'c> {
    words: &'c [Passage<'c>],
    framework: &'static str,
    around: &'c Around,
    /// The first value of every flag.
    values: BTreeMap<&'c str, (usize, Range<usize>)>,
    /// Whether code of the other side may run.
    trusts: bool,
}

/// Finds the references of a command.
pub(super) fn find(words: &[Passage<'_>], framework: &'static str, around: &Around, out: &mut Collector) {
    const BEFORE: &[&str] = &[
        "if", "then", "else", "elif", "do", "while", "until", "!", "time", "sudo", "exec", "nohup", "env", "command",
        "eval", "{", "}", "uv", "uvx", "poetry", "pixi", "pipenv", "run", "-", "@",
    ];
    let skip = words
        .iter()
        .take_while(|word| {
            let text = word.text();
            let sets = text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
            BEFORE.contains(&text) || sets
        })
        .count();
    let words = &words[skip.min(words.len())..];
    let Some(first) = words.first() else { return };
    let line = Line::new(words, framework, around);
    let program = first.text().rsplit('/').next().unwrap_or("");
    let verb = line.text(1);
    match (program, verb) {
        ("sh" | "bash" | "zsh", _) if line.has(&["-c", "-lc", "-ec", "-xc", "-exc"]) => {
            if let Some(at) =
                (1..words.len()).find(|&at| line.text(at).starts_with('-') && line.text(at).ends_with('c'))
            {
                line.script(at + 1, out);
            }
        }
        ("python" | "python3", "-c") => {
            if let Some(code) = words.get(2) {
                python::find(code, out);
            }
        }
        ("hf" | "huggingface-cli", "download") => line.hub_download(2, out),
        ("modelscope", "download") => line.modelscope(out),
        ("wget" | "curl" | "aria2c" | "axel", _) => line.download(out),
        ("git", _) => line.git(out),
        ("aws", "s3") if matches!(line.text(2), "cp" | "sync" | "mv") => line.copy(3, out),
        ("aws", "s3api") if line.text(2) == "get-object" => line.get_object(out),
        ("gsutil", _) => line.copy_after(&["cp", "rsync", "mv"], out),
        ("gcloud", "storage") if matches!(line.text(2), "cp" | "rsync" | "mv") => line.copy(3, out),
        ("azcopy", "copy" | "cp" | "sync") => line.copy(2, out),
        ("s5cmd", _) => line.copy_after(&["cp", "sync"], out),
        ("kaggle", "datasets" | "competitions" | "models") => line.kaggle(out),
        ("gdown", _) => line.gdown(out),
        ("dvc", "get" | "import" | "import-url" | "get-url") => line.dvc(out),
        (
            "pip" | "pip3" | "apt" | "apt-get" | "npm" | "cargo" | "docker" | "podman" | "echo" | "cd" | "export"
            | "cat" | "grep" | "sed",
            _,
        ) => {}
        _ => {
            if matches!(program, "vllm") && verb == "serve" || matches!(program, "mlx_lm" | "sglang") {
                line.served(out);
            }
            line.flags(program, out);
        }
    }
}

impl<'c> Line<'c> {
    fn new(words: &'c [Passage<'c>], framework: &'static str, around: &'c Around) -> Self {
        let (mut values, mut trusts) = (BTreeMap::new(), false);
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word.text().starts_with('-')) {
            let text = word.text();
            let next = words.get(at + 1).map(Passage::text).filter(|next| !next.starts_with('-'));
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some((at, name.len() + 1..text.len(), value))),
                None => (text, next.map(|next| (at + 1, 0..next.len(), next))),
            };
            if matches!(name, "--trust_remote_code" | "--trust-remote-code") {
                trusts |= !value.as_ref().is_some_and(|(.., value)| matches!(*value, "false" | "False" | "0"));
            }
            if let Some((at, range, _)) = value {
                values.entry(name).or_insert((at, range));
            }
        }
        Self { words, framework, around, values, trusts }
    }

    fn text(&self, at: usize) -> &str {
        self.words.get(at).map_or("", Passage::text)
    }

    fn has(&self, names: &[&str]) -> bool {
        self.words.iter().any(|word| names.contains(&word.text()))
    }

    /// The value of the first of these flags that is there, as `--flag value` or `--flag=value`.
    fn value(&self, names: &[&str]) -> Option<(usize, Range<usize>)> {
        names.iter().find_map(|name| self.values.get(name)).cloned()
    }

    /// Words that are neither flags nor the values of flags that take one.
    fn positional(&self, from: usize, taking: &[&str]) -> impl Iterator<Item = usize> {
        let mut skip = false;
        (from..self.words.len()).filter(move |&at| {
            let text = self.text(at);
            let value = std::mem::replace(&mut skip, taking.contains(&text));
            !value && !text.starts_with('-') && !text.is_empty()
        })
    }

    fn script(&self, at: usize, out: &mut Collector) {
        if let Some(word) = self.words.get(at) {
            super::find_with(word, self.framework, self.around.variables.clone(), 2, out);
        }
    }

    /// A name in a word, with the pin that goes with it.
    #[allow(clippy::too_many_arguments)] // each is one part of a command line
    fn name(
        &self,
        kind: Target,
        at: usize,
        range: Range<usize>,
        pin: Option<(usize, Range<usize>)>,
        by: &str,
        change: impl FnOnce(&mut Named<'_>),
        out: &mut Collector,
    ) {
        let Some(word) = self.words.get(at) else { return };
        let (value, span) = self.around.resolve(word, range);
        let pin = pin.and_then(|(at, range)| Some(self.around.resolve(self.words.get(at)?, range)));
        let mut named = Named {
            kind,
            value: &value,
            span,
            pin: pin.as_ref().map_or(Pin::Absent, |(text, span)| Pin::At(text, *span)),
            framework: self.framework,
            by: by.to_owned(),
            remote_code: self.trusts,
            way: NO_FLAG,
            hub: "huggingface",
            templates: true,
            single: true,
        };
        change(&mut named);
        out.name(named);
    }

    fn hub_download(&self, from: usize, out: &mut Collector) {
        const TAKING: &[&str] = &[
            "--repo-type",
            "--revision",
            "--include",
            "--exclude",
            "--local-dir",
            "--cache-dir",
            "--token",
            "--max-workers",
        ];
        let kind = match self.value(&["--repo-type"]).map(|(at, range)| &self.text(at)[range]) {
            Some("dataset") => Target::Dataset,
            Some("space") => Target::Code,
            _ => Target::Model,
        };
        if let Some(at) = self.positional(from, TAKING).next() {
            let range = 0..self.text(at).len();
            self.name(
                kind,
                at,
                range,
                self.value(&["--revision"]),
                "hf download",
                |named| named.way = COMMIT_FLAG,
                out,
            );
        }
    }

    fn modelscope(&self, out: &mut Collector) {
        for (flag, kind) in [("--dataset", Target::Dataset), ("--model", Target::Model)] {
            if let Some((at, range)) = self.value(&[flag]) {
                let change = |named: &mut Named<'_>| (named.hub, named.way) = ("modelscope", COMMIT_FLAG);
                self.name(kind, at, range, self.value(&["--revision"]), "modelscope download", change, out);
            }
        }
    }

    fn download(&self, out: &mut Collector) {
        const SENDS: &[&str] = &[
            "-d",
            "--data",
            "--data-raw",
            "--data-binary",
            "-F",
            "--form",
            "-T",
            "--upload-file",
            "--post-data",
            "-I",
            "--head",
            "--spider",
        ];
        const TAKING: &[&str] = &[
            "-H",
            "--header",
            "-x",
            "--proxy",
            "-e",
            "--referer",
            "-A",
            "--user-agent",
            "-o",
            "--output",
            "-O",
            "-P",
            "-u",
        ];
        let posts = self
            .value(&["-X", "--request"])
            .is_some_and(|(at, range)| !self.text(at)[range].eq_ignore_ascii_case("get"));
        if posts || self.has(SENDS) {
            return;
        }
        // `-O` takes a name in wget and none in curl, so an address behind it counts.
        let at = self.positional(1, TAKING).chain((1..self.words.len()).filter(|&at| self.text(at - 1) == "-O"));
        for at in at.filter(|&at| self.text(at).contains("://")) {
            self.address(at, out);
        }
    }

    fn address(&self, at: usize, out: &mut Collector) {
        let Some(word) = self.words.get(at) else { return };
        let (text, span) = self.around.resolve(word, 0..word.text().len());
        let Some(found) = url::locate(&text, Asked::Any) else { return };
        let checked = self.around.checked.then_some("a checked SHA-2 sum");
        let by = self.text(0).rsplit('/').next().unwrap_or("").to_owned();
        out.located(found, checked, span, self.framework, &by);
    }

    fn git(&self, out: &mut Collector) {
        if self.text(1) == "submodule" && self.has(&["--remote"]) {
            let span = self.words[0].span(0..3).start;
            let last = self.words.last().map_or(span, |word| word.span(0..word.text().len()).end);
            return out.push(Reference {
                kind: Target::Code,
                hub: "git",
                target: "submodules".into(),
                pin: None,
                verdict: Verdict::Unpinned,
                framework: self.framework,
                by: "git submodule update --remote".into(),
                span: Span::new(span, last.max(span)),
                remote_code: false,
                fix: "Leave `--remote` out, so that the commits in the tree hold.".into(),
            });
        }
        let Some(clone) = (1..self.words.len()).find(|&at| self.text(at) == "clone") else { return };
        const TAKING: &[&str] = &[
            "--depth",
            "-b",
            "--branch",
            "-c",
            "--config",
            "--filter",
            "-o",
            "--origin",
            "-j",
            "--jobs",
            "--revision",
        ];
        let Some(at) = self.positional(clone + 1, TAKING).next() else { return };
        let (text, span) = self.around.resolve(&self.words[at], 0..self.text(at).len());
        let hub = url::locate(&text, Asked::Data).filter(|found| found.hub == "huggingface");
        // Most clones are of tools.
        if hub.is_none() && !url::names_data(text.rsplit('/').next().unwrap_or("")) || text.starts_with(['.', '/']) {
            return;
        }
        let branch = self.value(&["-b", "--branch", "--revision"]).map(|(at, range)| self.text(at)[range].to_owned());
        let pin = self.around.checkout.clone().or(branch);
        let verdict = of_revision(pin.as_deref());
        let (hub, target, kind) = match hub {
            Some(found) => (found.hub, found.target, found.kind.unwrap_or(Target::Dataset)),
            None => ("git", text, Target::Dataset),
        };
        let dynamic = is_dynamic(&target);
        out.push(Reference {
            kind,
            hub,
            target,
            pin,
            verdict: if dynamic { Verdict::Dynamic } else { verdict },
            framework: self.framework,
            by: "git clone".into(),
            span,
            remote_code: false,
            fix: match verdict {
                Verdict::Weak | Verdict::Unpinned if !dynamic => {
                    "Check out the full 40-digit commit that was reviewed after the clone.".into()
                }
                _ => String::new(),
            },
        });
    }

    fn copy_after(&self, verbs: &[&str], out: &mut Collector) {
        if let Some(at) = (1..self.words.len()).find(|&at| verbs.contains(&self.text(at))) {
            self.copy(at + 1, out);
        }
    }

    /// A copy out of a bucket: everything but the last of its paths is a source.
    fn copy(&self, from: usize, out: &mut Collector) {
        let paths: Vec<usize> =
            self.positional(from, &["--exclude", "--include", "--profile", "--region", "--endpoint-url"]).collect();
        let sources = paths.len().saturating_sub(1);
        for &at in paths.iter().take(sources).filter(|&&at| self.text(at).contains("://")) {
            let range = 0..self.text(at).len();
            let by = format!("{} {}", self.text(0), self.text(from - 1));
            self.name(Target::UrlData, at, range, None, &by, |_| {}, out);
        }
    }

    fn get_object(&self, out: &mut Collector) {
        let (Some((at, range)), Some((key_at, key))) = (self.value(&["--bucket"]), self.value(&["--key"])) else {
            return;
        };
        let target = format!("s3://{}/{}", &self.text(at)[range], &self.text(key_at)[key.clone()]);
        let version = self.value(&["--version-id"]).map(|(at, range)| self.text(at)[range].to_owned());
        let dynamic = is_dynamic(&target);
        let verdict = match (&version, dynamic) {
            (_, true) => Verdict::Dynamic,
            (Some(_), _) => Verdict::Pinned,
            (None, _) => Verdict::Unpinned,
        };
        out.push(Reference {
            kind: Target::UrlData,
            hub: "s3",
            target,
            pin: version,
            verdict,
            framework: self.framework,
            by: "aws s3api get-object".into(),
            span: self.words[key_at].span(key),
            remote_code: false,
            fix: if verdict == Verdict::Unpinned { "Name the version: --version-id …".into() } else { String::new() },
        });
    }

    fn kaggle(&self, out: &mut Collector) {
        if self.text(2) != "download" && self.text(3) != "download" {
            return;
        }
        let kind = if self.text(1) == "models" { Target::Model } else { Target::Dataset };
        let named = self.value(&["-d", "--dataset", "-c", "--competition"]);
        let positional =
            self.positional(3, &["-p", "--path", "-f", "--file", "-w"]).find(|&at| self.text(at) != "download");
        let Some((at, range)) = named.or(positional.map(|at| (at, 0..self.text(at).len()))) else { return };
        let change = |named: &mut Named<'_>| {
            (named.hub, named.way) = (
                "kaggle",
                Way::Words("Kaggle serves the newest version here: keep a copy and lock it with `foretaste lock`."),
            );
        };
        self.name(kind, at, range, None, "kaggle download", change, out);
    }

    fn gdown(&self, out: &mut Collector) {
        let id = self.value(&["--id"]).or_else(|| {
            self.positional(1, &["-O", "--output", "--proxy"]).next().map(|at| (at, 0..self.text(at).len()))
        });
        let Some((at, range)) = id else { return };
        let (target, span) = self.around.resolve(&self.words[at], range);
        let dynamic = is_dynamic(&target);
        out.push(Reference {
            kind: Target::UrlData,
            hub: "gdrive",
            target,
            pin: None,
            verdict: if dynamic { Verdict::Dynamic } else { Verdict::Unpinned },
            framework: self.framework,
            by: "gdown".into(),
            span,
            remote_code: false,
            fix: if dynamic { String::new() } else { url::fix("gdrive") },
        });
    }

    fn dvc(&self, out: &mut Collector) {
        let Some(at) = self.positional(2, &["--rev", "-o", "--out"]).next() else { return };
        let rev = self.value(&["--rev"]).map(|(at, range)| self.around.resolve(&self.words[at], range).0);
        let (target, span) = self.around.resolve(&self.words[at], 0..self.text(at).len());
        if !target.contains("://") && !target.contains('@') {
            return;
        }
        let by = format!("dvc {}", self.text(1));
        let repository = !self.text(1).ends_with("-url");
        let verdict = if is_dynamic(&target) {
            Verdict::Dynamic
        } else if repository {
            of_revision(rev.as_deref())
        } else {
            Verdict::Unpinned
        };
        out.push(Reference {
            kind: Target::Dataset,
            hub: if repository { "git" } else { "url" },
            target,
            pin: rev,
            verdict,
            framework: "dvc",
            by,
            span,
            remote_code: false,
            fix: match verdict {
                Verdict::Weak | Verdict::Unpinned if repository => {
                    "Add the full commit that was reviewed: --rev …".into()
                }
                Verdict::Unpinned => url::fix("url"),
                _ => String::new(),
            },
        });
    }

    /// `vllm serve OWNER/NAME`.
    fn served(&self, out: &mut Collector) {
        if let Some(at) = self.positional(2, &[]).next().filter(|&at| at == 2) {
            let change = |named: &mut Named<'_>| (named.way, named.single) = (COMMIT_FLAG, false);
            self.name(
                Target::Model,
                at,
                0..self.text(at).len(),
                self.value(&["--revision"]),
                "vllm serve",
                change,
                out,
            );
        }
    }

    /// The flags of any program, and settings in the manner of Hydra.
    fn flags(&self, program: &str, out: &mut Collector) {
        let framework = self.framework;
        let mut at = 1;
        while at < self.words.len() {
            let text = self.text(at);
            let here = at;
            at += 1;
            if !text.starts_with("--") {
                self.setting(here, framework, out);
                continue;
            }
            let (name, inline) = match text.split_once('=') {
                Some((name, value)) => (name, Some(name.len() + 1..name.len() + 1 + value.len())),
                None => (text, None),
            };
            if name == "--model_args" {
                let value = inline
                    .map(|range| (here, range))
                    .or_else(|| self.words.get(at).map(|word| (at, 0..word.text().len())));
                if let Some((at, range)) = value {
                    self.model_args(at, range, out);
                }
                continue;
            }
            let Some(flag) = flag(name) else { continue };
            let mixer = name.contains("mixer");
            let mut index = 0;
            let single = inline.is_some();
            let mut value = inline.map(|range| (here, range));
            loop {
                let next =
                    self.words.get(at).map(Passage::text).filter(|next| !next.starts_with("--") && !next.contains('='));
                if value.is_none() && !single && next.is_some() {
                    value = Some((at, 0..self.text(at).len()));
                    at += 1;
                }
                let Some((word, range)) = value.take() else { break };
                // A mixer is a list of names and amounts.
                if !mixer || index % 2 == 0 {
                    self.flag(flag, name, word, range, program, out);
                }
                index += 1;
                if single {
                    break;
                }
            }
        }
    }

    fn flag(&self, flag: Flag, name: &str, at: usize, range: Range<usize>, program: &str, out: &mut Collector) {
        let text = self.text(at).to_owned();
        let mut start = range.start;
        let pins: Vec<String> =
            flag.pins.iter().flat_map(|pin| [format!("--{pin}"), format!("--{}", pin.replace('_', "-"))]).collect();
        let pins: Vec<&str> = pins.iter().map(String::as_str).collect();
        // `--revision` alone belongs to the dataset where the command names one.
        let names_data = self.values.range("--dataset"..).next().is_some_and(|(name, _)| name.starts_with("--dataset"));
        let shared = flag.kind == Target::Model && names_data;
        let pins = if shared { &pins[..2] } else { &pins[..] };
        for part in text[range.clone()].split(',') {
            let here = start..start + part.len();
            start += part.len() + 1;
            let (resolved, _) = self.around.resolve(&self.words[at], here.clone());
            let name_like =
                resolved.contains("://") || is_hub_id(&resolved) || resolved.contains('$') || is_local(&resolved);
            if !name_like || is_service(&resolved) || is_builder(&resolved) || is_version(&resolved) {
                continue;
            }
            let change = |named: &mut Named<'_>| {
                named.single = flag.single;
                if program == "trl" {
                    named.framework = "trl";
                }
                if flag.kind == Target::Model && flag.pins.first() == Some(&"model_revision") {
                    named.way = if named.framework == "trl" { Way::Flag("--model_revision") } else { NO_FLAG };
                }
            };
            self.name(flag.kind, at, here, self.value(pins), name, change, out);
        }
    }

    /// `--model_args pretrained=OWNER/NAME,revision=…` of lm-evaluation-harness.
    fn model_args(&self, at: usize, range: Range<usize>, out: &mut Collector) {
        let text = self.text(at)[range.clone()].to_owned();
        let mut start = range.start;
        let mut pairs = Vec::new();
        for part in text.split(',') {
            if let Some((key, value)) = part.split_once('=') {
                pairs.push((key, value, start + key.len() + 1..start + part.len()));
            }
            start += part.len() + 1;
        }
        let pin = pairs.iter().find(|(key, ..)| *key == "revision").map(|(.., range)| (at, range.clone()));
        let trusts =
            pairs.iter().any(|(key, value, _)| *key == "trust_remote_code" && value.eq_ignore_ascii_case("true"));
        for (key, _, range) in pairs.iter().filter(|(key, ..)| matches!(*key, "pretrained" | "peft" | "tokenizer")) {
            let change = |named: &mut Named<'_>| {
                named.framework = "lm-eval";
                named.remote_code |= trusts;
                named.way =
                    Way::Words("Add the 40-digit commit that was reviewed: `--model_args pretrained=…,revision=…`.");
            };
            let pin = if *key == "pretrained" { pin.clone() } else { None };
            self.name(Target::Model, at, range.clone(), pin, "--model_args", change, out);
        }
    }

    /// `data.train.path=OWNER/NAME`.
    fn setting(&self, at: usize, framework: &'static str, out: &mut Collector) {
        let Some((key, value)) = self.text(at).split_once('=') else { return };
        let path = key.trim_start_matches('+');
        let Some((parents, last)) = path.rsplit_once('.') else { return };
        if !matches!(
            last,
            "path"
                | "name"
                | "repo_id"
                | "source"
                | "data_files"
                | "hf_path"
                | "dataset_name"
                | "train_files"
                | "val_files"
        ) {
            return;
        }
        let kind = match parents.rsplit('.').find_map(|word| match word {
            "dataset" | "datasets" | "data" | "train_ds" | "train_dataset" | "eval_dataset" | "validation_ds" => {
                Some(Target::Dataset)
            }
            "model" | "reward_model" | "policy" => Some(Target::Model),
            _ => None,
        }) {
            Some(kind) => kind,
            None => return,
        };
        if !value.contains('/') || is_service(value) {
            return;
        }
        let range = key.len() + 1..key.len() + 1 + value.len();
        let by = path.to_owned();
        self.name(
            kind,
            at,
            range,
            None,
            &by,
            |named| named.framework = if framework == "shell" { "hydra" } else { framework },
            out,
        );
    }
}
