//! The command lines of hubs, of Kaggle and of DVC.

use super::line::{COMMIT_FLAG, Line};
use crate::format::references::collector::Collector;
use crate::format::references::pin::of_revision;
use crate::format::references::spelling::is_dynamic;
use crate::format::references::url;
use crate::format::references::verdict::{Named, Way};
use crate::format::{Reference, Target, Verdict};

impl Line<'_> {
    pub(super) fn hub_download(&self, from: usize, by: &str, way: Way, out: &mut Collector) {
        const TAKING: &[&str] = &[
            "--repo-type",
            "--revision",
            "--include",
            "--exclude",
            "--local-dir",
            "--cache-dir",
            "--token",
            "--max-workers",
            "--output-dir",
            "--hf-token",
            "--ignore-patterns",
            "--source",
        ];
        let kind = match self.value(&["--repo-type"]).map(|(at, range)| &self.text(at)[range]) {
            Some("dataset") => Target::Dataset,
            Some("space") => Target::Code,
            _ => Target::Model,
        };
        if let Some(at) = self.positional(from, TAKING).next() {
            let range = 0..self.text(at).len();
            self.name(kind, at, range, self.value(&["--revision"]), by, |named| named.way = way, out);
        }
    }

    pub(super) fn modelscope(&self, out: &mut Collector) {
        for (flag, kind) in [("--dataset", Target::Dataset), ("--model", Target::Model)] {
            if let Some((at, range)) = self.value(&[flag]) {
                let change = |named: &mut Named<'_>| (named.hub, named.way) = ("modelscope", COMMIT_FLAG);
                self.name(kind, at, range, self.value(&["--revision"]), "modelscope download", change, out);
            }
        }
    }

    /// `vllm serve OWNER/NAME`.
    pub(super) fn served(&self, out: &mut Collector) {
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

    pub(super) fn kaggle(&self, out: &mut Collector) {
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

    pub(super) fn dvc(&self, out: &mut Collector) {
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
}
