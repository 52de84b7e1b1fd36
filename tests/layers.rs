//! The layer rule: a module uses only what stands before it in the flow.
//!
//! policy -> source -> format -> diff -> check (with fold and engine) -> report -> cli, over a vocabulary that all may
//! use. The test reads the `use crate::` lines and every `crate::` path in the code, and holds that.

use std::fs;
use std::path::{Path, PathBuf};

/// The flow, from left to right. Modules on one line know each other.
const ORDER: &[&[&str]] = &[
    &["span", "rule", "finding", "lens"],
    &["policy"],
    &["source"],
    &["format"],
    &["diff"],
    &["check", "fold"],
    &["engine"],
    &["fix"],
    &["report"],
    &["cli"],
];

#[test]
fn every_module_uses_only_what_stands_before_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in rust_files(&src) {
        let module = module_of(&src, &file);
        if module == "lib" || module == "main" {
            continue;
        }
        let rank = rank(&module).unwrap_or_else(|| panic!("{module} has no place in the flow; give it one in ORDER"));
        let text = fs::read_to_string(&file).expect("sources are readable");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for path in code.split("crate::").skip(1) {
                // `crate::{a, b::c}` names several.
                let group = path.strip_prefix('{').map_or(path, |group| group.split('}').next().unwrap_or_default());
                let parts = if path.starts_with('{') { group.split(',').collect() } else { vec![group] };
                for part in parts {
                    let used: String = part.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    seen += 1;
                    // Re-exports at the root and macros are not modules.
                    if self::rank(&used).is_some_and(|other| other > rank) {
                        wrong.push(format!("{}:{}: {module} uses {used}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(seen > 50, "the test read the sources: {seen} uses");
    assert!(wrong.is_empty(), "against the flow:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_lives_in_one_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&src) {
        if file.ends_with("source/bytes.rs") || file.starts_with(src.join("source/bytes")) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("sources are readable");
        assert!(!text.contains("allow(unsafe_code)"), "{} allows unsafe code", file.display());
    }
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|names| names.contains(&module))
}

/// The first part of the module's path: `check` for `src/check/labels.rs`.
fn module_of(src: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(src).expect("the file lies in src");
    let first = inside.components().next().expect("a path has a first part").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("its entries too").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
