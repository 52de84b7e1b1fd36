//! Globs of paths: from the top of the repository, `/` between folders, `*` within one, `**` across them.

use bstr::BStr;
use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::policy::node::{Fault, short};
use crate::policy::words::{Placed, Words};

/// Longest glob.
const MAX_LEN: usize = 1024;

/// Compiles globs. With `folders`, one without any pattern in it also stands for everything below it, so that `data`
/// means what people mean by it.
pub(crate) fn compile(words: &Words, folders: bool) -> Result<GlobSet, Fault> {
    let mut set = GlobSetBuilder::new();
    for word in &words.0 {
        for pattern in patterns(word, folders)? {
            let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
            set.add(glob.map_err(|error| {
                Fault::new(format!("`{}` is no glob: {}", short(&word.value), error.kind())).at(word.span)
            })?);
        }
    }
    set.build().map_err(|error| {
        let fault = Fault::new(format!("these globs are too large together: {}", error.kind()));
        words.0.first().map_or(fault.clone(), |word| fault.at(word.span))
    })
}

/// Whether a path matches. Any bytes may stand in a path.
pub(crate) fn matches(set: &GlobSet, path: &BStr) -> bool {
    !set.is_empty() && set.is_match_candidate(&Candidate::from_bytes(path))
}

/// Whether a glob names one path and nothing else.
pub(crate) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '{', '\\']) && !pattern.ends_with('/')
}

fn patterns(word: &Placed<String>, folders: bool) -> Result<Vec<String>, Fault> {
    let wrong = |message: &str, help: &str| {
        Err(Fault::new(format!("`{}` {message}", short(&word.value))).at(word.span).help(help))
    };
    let pattern = word.value.strip_prefix("./").unwrap_or(&word.value);
    if pattern.is_empty() {
        return wrong("is an empty glob and matches nothing", "write a path from the top of the repository");
    }
    if pattern.len() > MAX_LEN {
        return wrong("is too long for a glob", "name the folder and use `**`");
    }
    if pattern.starts_with('!') {
        return wrong("cannot be negated", "name the files that are meant, and none that are not");
    }
    if pattern.starts_with('/') {
        return wrong("begins with `/`", "write paths from the top of the repository, without the first `/`");
    }
    if pattern.split('/').any(|part| part == "..") {
        return wrong("leaves the repository", "write paths from the top of the repository, without `..`");
    }
    if let Some(folder) = pattern.strip_suffix('/') {
        return Ok(vec![format!("{folder}/**")]);
    }
    let mut all = vec![pattern.to_owned()];
    if folders && is_literal(pattern) {
        all.push(format!("{pattern}/**"));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Span;

    fn words(patterns: &[&str]) -> Words {
        Words(patterns.iter().map(|p| Placed { value: (*p).to_owned(), span: Span::new(3, 9) }).collect())
    }

    fn hits(pattern: &str, folders: bool, path: &[u8]) -> bool {
        matches(&compile(&words(&[pattern]), folders).unwrap(), path.into())
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_cross_folders() {
        assert!(hits("data/*.jsonl", true, b"data/a.jsonl"));
        assert!(!hits("data/*.jsonl", true, b"data/x/a.jsonl"));
        assert!(hits("data/**", true, b"data/x/y/a.jsonl"));
        assert!(hits("**/*.csv", true, b"a.csv"));
        assert!(hits("data/{train,dev}.csv", true, b"data/dev.csv"));
    }

    #[test]
    fn a_folder_stands_for_what_lies_in_it_but_not_where_things_are_excused() {
        assert!(hits("data", true, b"data/x/a.jsonl"));
        assert!(hits("data/", false, b"data/x/a.jsonl"));
        assert!(!hits("data", false, b"data/x/a.jsonl"));
        assert!(hits("./data/a.csv", true, b"data/a.csv"));
    }

    #[test]
    fn paths_in_any_bytes_can_match() {
        assert!(hits("data/*.jsonl", true, b"data/\xff\xfe.jsonl"));
    }

    #[test]
    fn globs_that_cannot_be_meant_are_refused_at_their_place() {
        for pattern in ["", "!data", "/data", "../data", "a/../b", "data/[", "{a", "x\\"] {
            let fault = compile(&words(&[pattern]), true).unwrap_err();
            assert_eq!(fault.span, Some(Span::new(3, 9)), "{pattern}: {fault}");
        }
    }
}
