//! Makefiles: the recipes are scripts, and variables are set outside of them.

use std::rc::Rc;

use crate::format::references::collector::{Collector, Nested};
use crate::format::references::passage::Passage;
use crate::format::references::variables::Variables;

/// Finds the references of a Makefile.
pub(in crate::format::references) fn find(file: &Passage<'_>, out: &mut Collector) {
    let (mut recipes, mut variables) = (Passage::default(), Variables::default());
    let mut at = 0;
    for line in file.text().split_inclusive('\n') {
        let start = at;
        at += line.len();
        if let Some(recipe) = line.strip_prefix('\t') {
            let lead = recipe.len() - recipe.trim_start_matches(['@', '-', '+', ' ', '\t']).len();
            recipes.append(file, start + 1 + lead..at);
        } else {
            if !recipes.text().ends_with('\n') {
                recipes.append_as("\n", file, start..start);
            }
            if let Some((name, value)) = line.split_once('=') {
                let value_at = start + name.len() + 1;
                let name = name.trim_end_matches([':', '?', '+', ' ', '\t']).trim();
                let lead = value.len() - value.trim_start().len();
                let value = value.trim();
                if !name.is_empty() && !name.contains([' ', '#', '$', ':']) {
                    let mut passage = Passage::default();
                    passage.append(file, value_at + lead..value_at + lead + value.len());
                    variables.set(name, passage);
                }
            }
        }
    }
    out.nest(Nested::Shell { script: recipes, framework: "make", variables: Rc::new(variables) });
}
