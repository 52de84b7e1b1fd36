//! References: the datasets and models that code and configuration name.
//!
//! Everything is read by structure: configuration as a tree, Python as a syntax tree, shell as words. A comment, the
//! name of an output or of a configuration is no reference; a local path, a template and a placeholder are kept with the
//! verdict that says so, since an inventory wants them.

use bstr::{BStr, ByteSlice};

use self::passage::Passage;
use self::tree::Tree;
use self::url::Located;
use self::verdict::{Named, is_dynamic, is_placeholder, judge};
use super::{Blob, Kind, Reference, Target, Verdict};
use crate::policy::Limits;
use crate::span::Span;

mod config;
mod fresh;
mod markdown;
mod notebook;
mod passage;
mod python;
mod shell;
mod tree;
mod url;
mod verdict;

pub(crate) use fresh::fresh_references;

#[cfg(test)]
mod tests;

/// References of one file are cut here; a file with more is no honest configuration.
const MAX_REFERENCES: usize = 10_000;

/// What a file of code or configuration came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The references, in the order of the file. Not only the fresh ones.
    pub(crate) list: Vec<Reference>,
    /// What could not be read, and why, each as one phrase.
    pub(crate) unread: Vec<String>,
}

/// Which reader finds the references of a text file; `None` where it can hold none.
///
/// `head` is the first few hundred bytes: it tells a script by its first line, and JSON that is an object.
pub(crate) fn kind_of(path: &BStr, head: &[u8]) -> Option<Kind> {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rfind_byte(b'.').map_or(&b""[..], |at| &name[at + 1..]);
    match name.as_slice() {
        b"dockerfile" | b"containerfile" | b"makefile" | b"gnumakefile" | b".gitmodules" | b"justfile" => {
            return Some(Kind::Shell);
        }
        b"dvc.lock" => return Some(Kind::Yaml),
        _ => {}
    }
    if name.starts_with(b"dockerfile.") || name.starts_with(b"dockerfile-") {
        return Some(Kind::Shell);
    }
    match ending {
        b"py" | b"pyi" | b"pyw" => Some(Kind::Python),
        b"ipynb" => Some(Kind::Notebook),
        b"yaml" | b"yml" | b"dvc" => Some(Kind::Yaml),
        b"toml" => Some(Kind::Toml),
        b"sh" | b"bash" | b"zsh" | b"sbatch" | b"slurm" | b"dockerfile" | b"mk" => Some(Kind::Shell),
        b"md" | b"mdx" | b"markdown" | b"qmd" | b"rmd" => Some(Kind::Markdown),
        b"json" | b"jsonc" => {
            let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
            start.starts_with(b"{").then_some(Kind::JsonConfig)
        }
        b"" if head.starts_with(b"#!") => {
            let line = head.lines().next().unwrap_or(b"");
            if line.contains_str("python") {
                Some(Kind::Python)
            } else if [&b"sh"[..], b"bash", b"zsh", b"dash"].iter().any(|shell| line.trim_ascii_end().ends_with(shell))
            {
                Some(Kind::Shell)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Finds the references of a blob.
pub(crate) fn find(blob: &Blob<'_>, kind: Kind, limits: &Limits) -> Found {
    let bytes: &[u8] = &blob.decoded.bytes;
    let mut out = Collector::default();
    // Most of a notebook is pictures in its outputs, and running text and scripts are read line by line.
    let cap = match kind {
        Kind::Notebook | Kind::Markdown | Kind::Shell => limits.config.saturating_mul(32),
        _ => limits.config,
    };
    if bytes.len() as u64 > cap {
        if may_name_something(bytes) {
            out.unread.push(format!("larger than {cap} bytes, the cap for code and configuration"));
        }
        return out.finish();
    }
    let passage = Passage::whole(bytes);
    let path = blob.path.to_str_lossy();
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    // A broken file matters where it can say what a model is trained on.
    let fixed = name == "dataset_info.json" || name.ends_with(".dvc") || name == "dvc.lock";
    let speaks = ["dataset", "base_model", "model_name_or_path"].iter().any(|word| passage.text().contains(word));
    let matters = fixed || speaks || blob.lens.dataset.is_some();
    let tree = |tree: Tree, language: &str, out: &mut Collector| {
        if let Some(reason) = tree.broken.as_ref().filter(|_| matters) {
            out.unread.push(format!("is not valid {language}: {reason}"));
        }
    };
    match kind {
        Kind::Python => python::file(&passage, &mut out),
        Kind::Notebook => notebook::find(&passage, limits.depth, &mut out),
        Kind::Yaml => {
            let read = Tree::yaml(passage.text(), limits.depth);
            config::find(&read, &passage, &path, &mut out);
            tree(read, "YAML", &mut out);
        }
        Kind::JsonConfig => {
            let read = Tree::json(passage.text(), limits.depth);
            config::find(&read, &passage, &path, &mut out);
            tree(read, "JSON", &mut out);
        }
        Kind::Toml => {
            let read = Tree::toml(passage.text());
            config::find(&read, &passage, &path, &mut out);
            tree(read, "TOML", &mut out);
        }
        Kind::Shell if name == ".gitmodules" => shell::gitmodules(&passage, &mut out),
        Kind::Shell if name.contains("makefile") || name.ends_with(".mk") || name == "justfile" => {
            shell::makefile(&passage, &mut out)
        }
        Kind::Shell if name.contains("dockerfile") || name == "containerfile" => shell::dockerfile(&passage, &mut out),
        Kind::Shell => shell::find(&passage, if path.contains(".github/") { "ci" } else { "shell" }, &mut out),
        Kind::Markdown => markdown::find(&passage, limits.depth, &mut out),
        _ => {}
    }
    out.finish()
}

/// Whether a file speaks of datasets and models at all, so that one that is too large to be parsed is only unread where
/// something can be lost.
fn may_name_something(bytes: &[u8]) -> bool {
    [
        &b"load_dataset"[..],
        b"from_pretrained",
        b"model_name_or_path",
        b"base_model",
        b"hf_hub_url",
        b"snapshot_download",
        b"hf_hub_download",
        b"dataset_path",
        b"dataset_name",
        b"huggingface.co/datasets",
        b"hf://",
    ]
    .iter()
    .any(|needle| bytes.contains_str(needle))
}

/// Takes references as they are found.
#[derive(Debug, Default)]
pub(super) struct Collector {
    list: Vec<Reference>,
    unread: Vec<String>,
}

impl Collector {
    /// Judges a name and takes it.
    fn name(&mut self, named: Named<'_>) {
        if let Some(reference) = judge(named) {
            self.push(reference);
        }
    }

    /// Takes a reference that is judged already.
    fn push(&mut self, reference: Reference) {
        match self.list.len() {
            n if n < MAX_REFERENCES => self.list.push(reference),
            MAX_REFERENCES if self.unread.is_empty() => {
                self.unread.push(format!("more than {MAX_REFERENCES} references"))
            }
            _ => {}
        }
    }

    /// Takes a name that can only be a file of this repository.
    fn local(&mut self, named: Named<'_>) {
        let dynamic = is_dynamic(named.value);
        if named.value.is_empty() || is_placeholder(named.value) {
            return;
        }
        self.push(Reference {
            kind: named.kind,
            hub: "local",
            target: named.value.to_owned(),
            pin: None,
            verdict: if dynamic { Verdict::Dynamic } else { Verdict::Local },
            framework: named.framework,
            by: named.by,
            span: named.span,
            remote_code: named.remote_code,
            fix: String::new(),
        });
    }

    /// Takes an address. `checked` names the check of its content that makes any address firm.
    fn located(&mut self, found: Located, checked: Option<&str>, span: Span, framework: &'static str, by: &str) {
        let firm = checked.is_some() && matches!(found.verdict, Verdict::Weak | Verdict::Unpinned);
        let verdict = if firm { Verdict::Pinned } else { found.verdict };
        self.push(Reference {
            kind: found.kind.unwrap_or(Target::UrlData),
            hub: found.hub,
            target: found.target,
            pin: if firm { checked.map(str::to_owned) } else { found.pin },
            verdict,
            framework,
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: if matches!(verdict, Verdict::Weak | Verdict::Unpinned) { url::fix(found.hub) } else { String::new() },
        });
    }

    /// Takes the name of a container image.
    fn image(&mut self, text: &str, span: Span, framework: &'static str, by: &str) {
        let (target, pin, verdict) = shell::image(text);
        if target.is_empty() {
            return;
        }
        self.push(Reference {
            kind: Target::Image,
            hub: "docker",
            target,
            pin,
            verdict,
            framework,
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: match verdict {
                Verdict::Weak | Verdict::Unpinned => "Name the image by its digest: `image@sha256:…`.".into(),
                _ => String::new(),
            },
        });
    }

    fn finish(mut self) -> Found {
        // The first reader to name a place knows it best; later ones that come upon the same bytes say it again.
        self.list.sort_by_key(|reference| (reference.span.start, reference.span.end));
        self.list
            .dedup_by(|next, first| next.span == first.span && (next.target == first.target || next.hub == first.hub));
        Found { list: self.list, unread: self.unread }
    }
}
