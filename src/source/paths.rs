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

    /// The names that none of these paths is or lies under. The top of the repository always has something.
    pub(super) fn without<'a>(&self, paths: impl Iterator<Item = &'a BString>) -> Vec<&BStr> {
        let mut found: Vec<bool> = self.names.iter().map(|name| name.is_empty()).collect();
        for path in paths {
            self.covering(path).for_each(|number| found[number] = true);
        }
        self.names.iter().zip(found).filter(|(_, found)| !found).map(|(name, _)| name.as_bstr()).collect()
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

    fn covers(&self, path: &[u8]) -> bool {
        self.covering(path).next().is_some()
    }

    /// The numbers of the names that are this path or a folder above it. A hook may name thousands of files, so they are
    /// searched for, not tried.
    fn covering(&self, path: &[u8]) -> impl Iterator<Item = usize> {
        let ends = memchr::memchr_iter(b'/', path).chain([path.len()]);
        let top = self.names.first().filter(|name| name.is_empty()).map(|_| 0);
        let below = ends.filter_map(|end| self.names.binary_search_by(|name| name.as_slice().cmp(&path[..end])).ok());
        top.into_iter().chain(below)
    }
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
        assert!(Filter::new(vec!["".into(), "x".into()]).takes("anything".into()));
    }

    #[test]
    fn names_without_any_path_are_told() {
        let filter = Filter::new(vec!["".into(), "data".into(), "data/a.csv".into(), "date".into()]);
        let paths = [BString::from("data/b.csv")];
        assert_eq!(filter.without(paths.iter()), ["data/a.csv", "date"]);
    }
}
