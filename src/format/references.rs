//! References: the datasets and models that code and configuration name.
//!
//! Everything is read by structure: configuration as a tree, Python as a syntax tree, shell as words. A comment, the
//! name of an output or of a configuration is no reference; a local path, a template and a placeholder are kept with the
//! verdict that says so, since an inventory wants them.
//!
//! One direction of flow: words (`spelling`, `endings`, `pin`, `image`), text and trees with the way back to their bytes
//! (`passage`, `tree`), judgement (`url`, `verdict`), the `collector`, then one reader for each language, and here, above
//! all of them, the router. A reader that meets another language hands its text back, and the router takes it on.

use bstr::ByteSlice;

use self::collector::{Collector, Nested};
use self::passage::Passage;
use self::spelling::may_name_something;
use self::tree::Tree;
use super::{Blob, Kind};
use crate::policy::Limits;

mod collector;
mod config;
mod endings;
mod flags;
mod fresh;
mod image;
mod markdown;
mod notebook;
mod passage;
mod pin;
mod python;
mod shell;
mod spelling;
mod submodules;
mod tree;
mod url;
mod variables;
mod verdict;

pub(crate) use self::collector::Found;
pub(crate) use self::config::factory::{DATASET_INFO, Lists};
pub(crate) use self::fresh::fresh_references;
pub(crate) use self::pin::pinned_commit;

#[cfg(test)]
mod tests;

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
            out.unread(format!("larger than {cap} bytes, the cap for code and configuration"));
        }
        return out.finish();
    }
    let passage = Passage::whole(bytes);
    let path = blob.path.to_str_lossy();
    file(&passage, kind, &path, blob.lens.dataset.is_some(), limits.depth, &mut out);
    while let Some(nested) = out.next_nested() {
        match nested {
            Nested::Python(code) => python::find(&code, &mut out),
            Nested::Shell { script, framework, variables } => shell::find(&script, framework, variables, &mut out),
            Nested::Command { words, framework } => shell::words(&words, framework, &mut out),
            Nested::Docker(code) => shell::docker::find(&code, &mut out),
            Nested::Yaml(code) => config::find(&Tree::yaml(code.text(), limits.depth), &code, "", &mut out),
            Nested::Json(code) => config::find(&Tree::json(code.text(), limits.depth), &code, "", &mut out),
        }
    }
    out.finish()
}

/// Hands a whole file to the reader of its language.
fn file(passage: &Passage<'_>, kind: Kind, path: &str, declared: bool, depth: u32, out: &mut Collector) {
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    // A broken file matters where it can say what a model is trained on.
    let fixed = name == "dataset_info.json" || name.ends_with(".dvc") || name == "dvc.lock";
    let speaks = || ["dataset", "base_model", "model_name_or_path"].iter().any(|word| passage.text().contains(word));
    let tree = |read: Tree, language: &str, out: &mut Collector| {
        config::find(&read, passage, path, out);
        if let Some(reason) = read.broken.filter(|_| fixed || declared || speaks()) {
            out.unread(format!("is not valid {language}: {reason}"));
        }
    };
    match kind {
        Kind::Python => python::file(passage, out),
        Kind::Notebook => notebook::find(passage, depth, out),
        Kind::Yaml => tree(Tree::yaml(passage.text(), depth), "YAML", out),
        Kind::JsonConfig => tree(Tree::json(passage.text(), depth), "JSON", out),
        Kind::Toml => tree(Tree::toml(passage.text()), "TOML", out),
        Kind::Shell if name == ".gitmodules" => submodules::find(passage, out),
        Kind::Shell if name.contains("makefile") || name.ends_with(".mk") || name == "justfile" => {
            shell::make::find(passage, out)
        }
        Kind::Shell if name.contains("dockerfile") || name == "containerfile" => shell::docker::find(passage, out),
        Kind::Shell => {
            let framework = if path.contains(".github/") { "ci" } else { "shell" };
            shell::find(passage, framework, Default::default(), out);
        }
        Kind::Markdown => markdown::find(passage, depth, out),
        _ => {}
    }
}
