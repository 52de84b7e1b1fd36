//! The submodules of a repository.

use super::collector::Collector;
use super::endings::names_data;
use super::passage::Passage;
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

/// The submodules of a repository. Git itself pins them: the commit stands in the tree. The branch that one with data is
/// to follow moves it whenever somebody asks git for `--remote`.
pub(super) fn find(file: &Passage<'_>, out: &mut Collector) {
    let (mut at, mut name, mut data) = (0, "", false);
    let mut branch: Option<(&str, Span)> = None;
    for line in file.text().split_inclusive('\n').chain(["[end]"]) {
        let start = at;
        at += line.len();
        if let Some(head) = line.trim().strip_prefix('[') {
            if let Some((branch, span)) = branch.take().filter(|_| data) {
                out.push(Reference {
                    pin: Some(branch.to_owned()),
                    verdict: Verdict::Unpinned,
                    ..module(name, true, "branch", span)
                });
            }
            (name, data) = (head.trim_end_matches(']').trim_start_matches("submodule").trim().trim_matches('"'), false);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let offset = start + key.len() + 1 + (value.len() - value.trim_start().len());
        let value = value.trim();
        let span = file.span(offset..offset + value.len());
        match key.trim() {
            "url" => {
                data = names_data(value) || value.contains("huggingface.co/datasets");
                out.push(Reference { hub: "git", target: value.to_owned(), ..module(name, data, "submodule", span) });
            }
            "branch" => branch = Some((value, span)),
            _ => {}
        }
    }
}

/// A submodule as git pins it.
fn module(name: &str, data: bool, by: &str, span: Span) -> Reference {
    Reference {
        kind: if data { Target::Dataset } else { Target::Code },
        hub: "submodule",
        target: name.to_owned(),
        pin: None,
        verdict: Verdict::Pinned,
        framework: "git",
        by: by.to_owned(),
        span,
        remote_code: false,
        fix: "Take the branch out of .gitmodules, so that nothing but a commit of yours moves the submodule.".into(),
    }
}
