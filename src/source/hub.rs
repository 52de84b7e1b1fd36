//! The cache of a hub on this machine, which knows what a name meant when somebody last loaded it.
//!
//! Layout of `huggingface_hub`: `<cache>/datasets--org--name/refs/<revision>` holds a full commit id, and
//! `snapshots/<commit>/` links to the files. Nothing is ever fetched.

use std::path::PathBuf;

/// The folder of the cache on this machine, as the hub's own library finds it.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("HF_HUB_CACHE")
        .or_else(|| Some(set("HF_HOME")?.join("hub")))
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("huggingface/hub")))
        .or_else(|| Some(set("HOME")?.join(".cache/huggingface/hub")))
}

/// The commit that a revision of a repository was resolved to when it was last loaded. `kind` is `dataset` or `model`.
pub(crate) fn resolve(cache: &std::path::Path, kind: &str, name: &str, revision: &str) -> Option<String> {
    let is_plain = |text: &str| {
        text.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b))
    };
    if !is_plain(name) || !is_plain(revision) || name.matches('/').count() > 1 {
        return None;
    }
    let folder = format!("{kind}s--{}", name.replace('/', "--"));
    let text = std::fs::read_to_string(cache.join(folder).join("refs").join(revision)).ok()?;
    let commit = text.trim();
    let is_commit = commit.len() == 40 && commit.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_commit.then(|| commit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cached_name_resolves_to_its_commit_and_nothing_leaves_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let refs = folder.path().join("datasets--org--name/refs");
        std::fs::create_dir_all(refs.join("refs/convert")).unwrap();
        let commit = "0123456789abcdef0123456789abcdef01234567";
        std::fs::write(refs.join("main"), commit).unwrap();
        std::fs::write(refs.join("broken"), "main").unwrap();
        let of = |kind, name, revision| resolve(folder.path(), kind, name, revision);
        assert_eq!(of("dataset", "org/name", "main").as_deref(), Some(commit));
        assert_eq!(of("model", "org/name", "main"), None);
        assert_eq!(of("dataset", "org/name", "broken"), None);
        assert_eq!(of("dataset", "org/name", "../refs/main"), None);
        assert_eq!(of("dataset", "../org", "main"), None);
    }
}
