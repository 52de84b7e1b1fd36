//! Downloads: by address, by clone, out of a bucket.

use super::line::Line;
use crate::format::references::collector::Collector;
use crate::format::references::endings::names_data;
use crate::format::references::pin::of_revision;
use crate::format::references::spelling::is_dynamic;
use crate::format::references::url::{self, Asked};
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

impl Line<'_> {
    pub(super) fn download(&self, out: &mut Collector) {
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

    /// Words that are addresses of data themselves.
    pub(super) fn addresses(&self, out: &mut Collector) {
        for at in (0..self.words.len()).filter(|&at| self.text(at).contains("://")) {
            let found = url::locate(self.text(at), Asked::Any);
            let Some(found) = found.filter(|found| found.verdict != Verdict::NotADataset) else { continue };
            let checked = self.around.checked.then_some("a checked SHA-2 sum");
            let span = self.words[at].span(0..self.text(at).len());
            out.located(found, checked, span, self.framework, "array");
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

    pub(super) fn git(&self, out: &mut Collector) {
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
        if hub.is_none() && !names_data(text.rsplit('/').next().unwrap_or("")) || text.starts_with(['.', '/']) {
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

    pub(super) fn copy_after(&self, verbs: &[&str], out: &mut Collector) {
        if let Some(at) = (1..self.words.len()).find(|&at| verbs.contains(&self.text(at))) {
            self.copy(at + 1, out);
        }
    }

    /// A copy out of a bucket: everything but the last of its paths is a source.
    pub(super) fn copy(&self, from: usize, out: &mut Collector) {
        let paths: Vec<usize> =
            self.positional(from, &["--exclude", "--include", "--profile", "--region", "--endpoint-url"]).collect();
        let sources = paths.len().saturating_sub(1);
        for &at in paths.iter().take(sources).filter(|&&at| self.text(at).contains("://")) {
            let range = 0..self.text(at).len();
            let by = format!("{} {}", self.text(0), self.text(from - 1));
            self.name(Target::UrlData, at, range, None, &by, |_| {}, out);
        }
    }

    pub(super) fn get_object(&self, out: &mut Collector) {
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

    pub(super) fn gdown(&self, out: &mut Collector) {
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
}
