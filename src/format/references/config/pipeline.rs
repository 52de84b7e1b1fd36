//! Pipelines: workflows and their shell steps, container images, DVC.

use super::entry::named;
use crate::format::references::collector::{Collector, Nested};
use crate::format::references::pin::{is_commit, of_revision};
use crate::format::references::spelling::is_dynamic;
use crate::format::references::tree::View;
use crate::format::references::url;
use crate::format::references::verdict::{Pin, Way};
use crate::format::{Reference, Target, Verdict};

/// Shell commands in any YAML: steps of workflows, scripts of CI systems, commands and arguments of containers.
pub(super) fn commands(root: View<'_>, path: &str, out: &mut Collector) {
    let framework = if path.contains(".github/") || path.contains(".gitlab") { "ci" } else { "shell" };
    let mut built = Vec::new();
    root.walk(&mut |keys, node| {
        let Some(own) = keys.last().copied() else { return };
        match own {
            "run" | "script" | "before_script" | "after_script" | "cmd" | "command" | "commands" | "entrypoint"
            | "args" | "arguments" | "bash" => {
                if node.text().is_some_and(|text| text.contains(' ')) {
                    script(node, framework, out);
                } else if node.is_list() {
                    list(node, framework, out);
                }
            }
            // What is built here is no image of somebody else: its base is named in the Dockerfile.
            _ if node.has(&["build"]) && node.get("image").is_some() => {
                built.extend(node.get("image").map(|image| image.span()));
            }
            "image" | "container" if !built.contains(&node.span()) => {
                let parent = keys.iter().rev().skip(1).find(|key| **key != "[]").copied().unwrap_or("");
                let grand = keys.len() >= 3 && keys[keys.len() - 3] == "services";
                if own == "container" && path.contains(".github/")
                    || own == "image"
                        && (matches!(parent, "container" | "containers" | "initContainers" | "services") || grand)
                {
                    image(node, framework, out);
                }
            }
            _ => {}
        }
    });
}

/// A list is either the words of one command, or one script per item.
fn list(node: View<'_>, framework: &'static str, out: &mut Collector) {
    let items: Vec<_> = node.items().filter(|item| item.text().is_some()).collect();
    if items.iter().any(|item| item.text().is_some_and(|text| text.contains(' '))) {
        items.into_iter().for_each(|item| script(item, framework, out));
    } else {
        let words: Vec<_> = items.into_iter().map(View::inner).collect();
        out.nest(Nested::Command { words, framework });
    }
}

fn image(node: View<'_>, framework: &'static str, out: &mut Collector) {
    if let Some(text) = node.text().filter(|text| !text.contains(' ')) {
        out.image(text, node.span(), framework, "image");
    }
}

/// DVC: what was imported, and from where. `dvc.yaml` names commands; what they used stands in `dvc.lock`.
pub(super) fn dvc(root: View<'_>, out: &mut Collector) {
    for (_, stage) in root.get("stages").into_iter().flat_map(View::entries) {
        if let Some(command) = stage.get("cmd") {
            for item in std::iter::once(command).chain(command.items()) {
                script(item, "dvc", out);
            }
        }
        stage.get("deps").into_iter().flat_map(View::items).for_each(|dep| dependency(dep, out));
    }
    root.get("deps").into_iter().flat_map(View::items).for_each(|dep| dependency(dep, out));
}

fn dependency(dep: View<'_>, out: &mut Collector) {
    let text = |view: Option<View<'_>>| view.and_then(View::text).map(str::to_owned);
    let repo = dep.get("repo");
    if let Some(repo) = repo.filter(|repo| repo.get("url").is_some()) {
        let Some(value) = repo.get("url") else { return };
        let (rev, lock) = (text(repo.get("rev")), text(repo.get("rev_lock")));
        let locked = lock.as_deref().is_some_and(is_commit);
        let verdict = match (&rev, locked) {
            (None, true) => Verdict::Pinned,
            (Some(rev), true) if is_commit(rev) => Verdict::Pinned,
            (Some(_), true) => Verdict::Locked,
            (rev, false) => of_revision(rev.as_deref()),
        };
        let target = value.text().unwrap_or("").to_owned();
        let local = !target.contains("://") && !target.contains('@');
        out.push(Reference {
            kind: Target::Dataset,
            hub: if local { "local" } else { "git" },
            verdict: if local {
                Verdict::Local
            } else if is_dynamic(&target) {
                Verdict::Dynamic
            } else {
                verdict
            },
            target,
            pin: lock.or(rev),
            framework: "dvc",
            by: "deps[].repo.url".into(),
            span: value.span(),
            remote_code: false,
            fix: match verdict {
                Verdict::Weak | Verdict::Unpinned => "Let `dvc import --rev` write the commit into `rev_lock`.".into(),
                _ => String::new(),
            },
        });
        return;
    }
    // An item of `dvc.yaml` is just a path; one of `dvc.lock` and `.dvc` has the hash that was seen.
    let Some(value) = dep.get("path").filter(|path| path.text().is_some_and(|text| text.contains("://"))) else {
        return;
    };
    let mut named = named(Target::UrlData, value, "dvc", "deps[].path");
    named.way = Way::Words("Import from a store that keeps versions, so that DVC can record a `version_id`.");
    let (version, seen) = (text(dep.get("version_id")), dep.has(&["etag", "md5", "checksum"]));
    named.pin = Pin::Absent;
    let Some(found) = url::locate(named.value, url::Asked::Data) else { return };
    let span = named.span;
    let verdict = match (&version, seen, found.verdict) {
        (.., Verdict::NotADataset | Verdict::Dynamic | Verdict::Local | Verdict::Pinned) => found.verdict,
        (Some(_), ..) => Verdict::Pinned,
        (None, true, _) => Verdict::Weak,
        (None, false, other) => other,
    };
    out.push(Reference {
        kind: found.kind.unwrap_or(Target::UrlData),
        hub: found.hub,
        target: found.target,
        pin: version.or(found.pin),
        verdict,
        framework: "dvc",
        by: "deps[].path".into(),
        span,
        remote_code: false,
        fix: match verdict {
            Verdict::Weak | Verdict::Unpinned => {
                "An etag or MD5 is no proof of content: import from a store that keeps versions, or lock the file with `foretaste lock`.".into()
            }
            _ => String::new(),
        },
    });
}

/// A shell script that stands in a scalar.
fn script(value: View<'_>, framework: &'static str, out: &mut Collector) {
    out.nest(Nested::shell(value.inner(), framework));
}
