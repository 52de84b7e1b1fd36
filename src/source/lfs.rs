//! Pointers of git LFS and git-annex: files that stand for others.
