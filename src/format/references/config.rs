//! References in configuration, read by the shape of the file first: a key means what its framework means by it.
//!
//! `dataset_name` is a repository in one framework and the name of a configuration in another, so keys are never judged
//! alone. Files of no known framework give references only below parents that speak of data.

use super::collector::Collector;
use super::passage::Passage;
use super::tree::{Tree, View};

pub(super) mod axolotl;
pub(super) mod card;
mod croissant;
mod entry;
pub(super) mod factory;
mod pipeline;
mod tasks;
mod trainer;
mod unknown;

/// Finds the references of a parsed configuration. `path` tells a few fixed names apart.
pub(super) fn find(tree: &Tree, passage: &Passage<'_>, path: &str, out: &mut Collector) {
    for root in tree.documents(passage) {
        document(root, path, out);
    }
}

fn document(root: View<'_>, path: &str, out: &mut Collector) {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".dvc") || name == "dvc.lock" || name == "dvc.yaml" {
        return pipeline::dvc(root, out);
    }
    pipeline::commands(root, path, out);
    if croissant::is_card(root) {
        return croissant::find(root, out);
    }
    if !known(root, name, out) {
        unknown::find(root, path, out);
    }
}

/// Reads the file as the first framework whose shape it has; `false` where it has none.
fn known(root: View<'_>, name: &str, out: &mut Collector) -> bool {
    factory::find(root, name, out)
        || axolotl::find(root, out)
        || trainer::find(root, out)
        || tasks::lm_eval(root, out)
        || tasks::torchtune(root, out)
        || tasks::peft(root, out)
}
