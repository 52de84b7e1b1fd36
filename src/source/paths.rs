//! The paths that a person named: literal, never patterns.

use bstr::{BStr, BString, ByteSlice};

/// Lets through the named files, and everything under the named folders; without any name, everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// Paths of the repository without a `/` at the end; the empty one is its top.
    names: Vec<BString>,
}

impl Filter {
    pub(super) fn new(mut names: Vec<BString>) -> Self {
        names.sort();
        names.dedup();
        Self { names }
    }

    /// The names.
    pub(super) fn names(&self) -> &[BString] {
        &self.names
    }

    /// Whether a file is asked for.
    pub(super) fn takes(&self, path: &BStr) -> bool {
        self.names.is_empty() || self.covers(path)
    }

    /// Whether a folder may hold something that is asked for. It is written with a `/` at its end, the top is empty.
    pub(super) fn enters(&self, folder: &BStr) -> bool {
        if self.names.is_empty() || folder.is_empty() || self.covers(folder.strip_suffix(b"/").unwrap_or(folder)) {
            return true;
        }
        let next = self.names.partition_point(|name| name.as_bstr() < folder);
        self.names.get(next).is_some_and(|name| name.starts_with(folder))
    }

    /// Whether a path or a folder above it was named. A hook may name thousands of files.
    fn covers(&self, path: &[u8]) -> bool {
        let named = |path: &[u8]| self.names.binary_search_by(|name| name.as_slice().cmp(path)).is_ok();
        named(path) || named(b"") || memchr::memchr_iter(b'/', path).any(|slash| named(&path[..slash]))
    }
}

/// Whether `path` is `name` or lies under it.
pub(super) fn is_under(path: &[u8], name: &[u8]) -> bool {
    name.is_empty() || path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_takes_itself_and_what_is_under_it_but_no_namesake() {
        let filter = Filter::new(vec!["data/a".into()]);
        assert!(filter.takes("data/a".into()));
        assert!(filter.takes("data/a/x.csv".into()));
        assert!(!filter.takes("data/ab".into()));
        assert!(filter.enters("".into()));
        assert!(filter.enters("data/".into()));
        assert!(filter.enters("data/a/deep/".into()));
        assert!(!filter.enters("src/".into()));
        assert!(Filter::default().takes("anything".into()));
    }
}
