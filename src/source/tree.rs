//! Trees of the object database: listed and compared by id, never by what configuration or attributes say.

use std::cmp::Ordering;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use gix::objs::Kind;
use rustc_hash::FxHashMap;

use super::object::{Absent, MAX_STRUCTURE, object};
use super::paths::Filter;
use super::{Mode, ObjectId};
use crate::finding::Unread;

/// Folders inside one another. Real trees have a dozen; trees can be made by hand.
const MAX_DEPTH: usize = 4096;
/// Paths of one listing. A few small trees that name one another many times hold more paths than any disk.
const MAX_PATHS: usize = if cfg!(test) { 20_000 } else { 2_000_000 };
/// Bytes of the paths of one listing.
const MAX_PATH_BYTES: usize = 256 << 20;
/// Bytes of trees that are kept for the next comparison.
const MAX_KEPT: usize = 64 << 20;

/// One line of a tree.
#[derive(Copy, Clone, Debug)]
pub(super) struct Item<'a> {
    /// Its name, without any folder above it.
    pub(super) name: &'a [u8],
    /// What it is; `None` for a folder.
    pub(super) mode: Option<Mode>,
    /// Its id.
    pub(super) id: ObjectId,
}

impl Item<'_> {
    /// The order of trees: a folder is sorted as if a `/` stood behind its name.
    pub(super) fn order(&self, name: &[u8], is_folder: bool) -> Ordering {
        order((self.name, self.mode.is_none()), (name, is_folder))
    }
}

fn order(a: (&[u8], bool), b: (&[u8], bool)) -> Ordering {
    let common = a.0.len().min(b.0.len());
    let tail = |(name, is_folder): (&[u8], bool)| name.get(common).copied().or(is_folder.then_some(b'/'));
    a.0[..common].cmp(&b.0[..common]).then_with(|| {
        // One byte decides, except where one name goes on exactly as the other folder ends.
        tail(a).cmp(&tail(b)).then_with(|| a.0.len().cmp(&b.0.len()))
    })
}

/// The lines of a tree, in the order of trees. They lie in one piece of memory: folders of data have many.
#[derive(Debug, Default)]
pub(super) struct Items {
    bytes: Vec<u8>,
    id_len: usize,
    lines: Vec<Line>,
}

#[derive(Copy, Clone, Debug)]
struct Line {
    start: u32,
    end: u32,
    mode: Option<Mode>,
}

impl Items {
    fn parse(bytes: Vec<u8>, id_len: usize) -> Option<Self> {
        let mut lines = Vec::with_capacity(bytes.len() / 40);
        let mut at = 0;
        while at < bytes.len() {
            let space = at + memchr::memchr(b' ', &bytes[at..])?;
            let mut mode = 0u32;
            for digit in &bytes[at..space] {
                mode = mode.checked_mul(8)?.checked_add(u32::from(digit.wrapping_sub(b'0')))?;
            }
            let start = space + 1;
            let end = start + memchr::memchr(0, &bytes[start..])?;
            at = end + 1 + id_len;
            if at > bytes.len() {
                return None;
            }
            let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
            lines.push(Line { start, end, mode: mode_of(mode) });
        }
        let mut items = Self { bytes, id_len, lines };
        // A tree that was made by hand may be in any order.
        let is_sorted = (1..items.lines.len()).all(|n| {
            let (a, b) = (items.get(n - 1), items.get(n));
            a.order(b.name, b.mode.is_none()).is_le()
        });
        if !is_sorted {
            let mut lines = std::mem::take(&mut items.lines);
            let key = |line: &Line| (&items.bytes[line.start as usize..line.end as usize], line.mode.is_none());
            lines.sort_by(|a, b| order(key(a), key(b)));
            items.lines = lines;
        }
        Some(items)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn get(&self, number: usize) -> Item<'_> {
        let line = self.lines[number];
        let end = line.end as usize;
        let id = ObjectId::from_bytes_or_panic(&self.bytes[end + 1..end + 1 + self.id_len]);
        Item { name: &self.bytes[line.start as usize..end], mode: line.mode, id }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.len()).map(|number| self.get(number))
    }

    /// Names of the files and links, in order.
    pub(super) fn names(&self) -> Vec<BString> {
        self.iter().filter(|item| item.mode.is_some()).map(|item| item.name.into()).collect()
    }

    fn find(&self, name: &[u8], is_folder: bool) -> Option<Item<'_>> {
        let at = self.lines.partition_point(|line| {
            order((&self.bytes[line.start as usize..line.end as usize], line.mode.is_none()), (name, is_folder)).is_lt()
        });
        (at < self.len()).then(|| self.get(at)).filter(|item| item.order(name, is_folder).is_eq())
    }
}

/// A path in two versions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Change {
    /// The path.
    pub(super) path: BString,
    /// What it was.
    pub(super) before: Option<(Mode, ObjectId)>,
    /// What it is.
    pub(super) after: Option<(Mode, ObjectId)>,
}

/// The paths that differ, and what could not be compared.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// In no particular order.
    pub(super) list: Vec<Change>,
    /// Folders that could not be read.
    pub(super) unread: Vec<Unread>,
    /// Paths of the index with more than one candidate content.
    pub(super) conflicts: Vec<BString>,
}

impl Changes {
    pub(super) fn unread(&mut self, path: &BStr, reason: String) {
        self.unread.push(Unread { path: path.to_owned(), reason });
    }
}

/// Reads trees, and keeps some of them: versions of a tree that lie side by side share nearly all of theirs.
pub(super) struct Trees<'a> {
    git: &'a gix::Repository,
    known: FxHashMap<ObjectId, Rc<Items>>,
    kept: usize,
}

impl<'a> Trees<'a> {
    pub(super) fn new(git: &'a gix::Repository) -> Self {
        Self { git, known: FxHashMap::default(), kept: 0 }
    }

    pub(super) fn read(&mut self, id: ObjectId) -> Result<Rc<Items>, Absent> {
        if let Some(items) = self.known.get(&id) {
            return Ok(Rc::clone(items));
        }
        let items = Rc::new(items(self.git, &id)?);
        if self.kept > MAX_KEPT {
            self.known.clear();
            self.kept = 0;
        }
        self.kept += items.bytes.len() + items.lines.len() * size_of::<Line>();
        self.known.insert(id, Rc::clone(&items));
        Ok(items)
    }

    /// Mode and id of the file at `path` under the tree `root`.
    pub(super) fn lookup(&mut self, root: ObjectId, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Absent> {
        let mut tree = root;
        let mut rest: &[u8] = path;
        while let Some(slash) = memchr::memchr(b'/', rest) {
            match self.read(tree)?.find(&rest[..slash], true) {
                Some(folder) => tree = folder.id,
                None => return Ok(None),
            }
            rest = &rest[slash + 1..];
        }
        Ok(self.read(tree)?.find(rest, false).and_then(|item| Some((item.mode?, item.id))))
    }
}

/// The tree of a commit; of a tree, the tree itself.
pub(super) fn of_commit(git: &gix::Repository, id: ObjectId) -> Result<ObjectId, Absent> {
    let mut buffer = Vec::new();
    match object(git, &id, Kind::Commit, MAX_STRUCTURE, &mut buffer) {
        Ok(bytes) => {
            let line = bytes.lines().next().and_then(|line| line.strip_prefix(b"tree "));
            line.and_then(|hex| ObjectId::from_hex(hex).ok()).ok_or(Absent::Broken)
        }
        Err(Absent::OtherKind) => {
            object(git, &id, Kind::Tree, MAX_STRUCTURE, &mut buffer)?;
            Ok(id)
        }
        Err(absent) => Err(absent),
    }
}

/// The lines of a tree.
pub(super) fn items(git: &gix::Repository, id: &gix::oid) -> Result<Items, Absent> {
    let mut bytes = Vec::new();
    object(git, id, Kind::Tree, MAX_STRUCTURE, &mut bytes)?;
    Items::parse(bytes, id.kind().len_in_bytes()).ok_or(Absent::Broken)
}

/// The mode of a tree or index; `None` for a folder. Modes of old programs are read as git reads them.
pub(super) fn mode_of(bits: u32) -> Option<Mode> {
    match bits & 0o170_000 {
        0o040_000 => None,
        0o120_000 => Some(Mode::Link),
        0o160_000 => Some(Mode::Submodule),
        0o100_000 if bits & 0o100 != 0 => Some(Mode::Executable),
        _ => Some(Mode::File),
    }
}

/// Mode and id of the file at `path`.
pub(super) fn lookup(git: &gix::Repository, root: ObjectId, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Absent> {
    Trees::new(git).lookup(root, path)
}

/// Whether there is a file or a folder at `path`.
pub(super) fn exists(git: &gix::Repository, root: ObjectId, path: &BStr) -> Result<bool, Absent> {
    if lookup(git, root, path)?.is_some() {
        return Ok(true);
    }
    let mut tree = root;
    for part in path.split_str("/") {
        match items(git, &tree)?.find(part, true) {
            Some(folder) => tree = folder.id,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Adds the paths under `prefix` that differ between two trees; only folders whose ids differ are opened.
///
/// `prefix` is empty or ends with `/`. A tree against nothing lists all its paths.
pub(super) fn diff(
    trees: &mut Trees<'_>,
    prefix: BString,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    filter: &Filter,
    out: &mut Changes,
) {
    let mut bytes: usize = 0;
    let mut stack = vec![(prefix, before, after, 0)];
    while let Some((prefix, before, after, depth)) = stack.pop() {
        if before == after || !filter.enters(prefix.as_ref()) {
            continue;
        }
        if depth == MAX_DEPTH {
            out.unread(prefix.as_ref(), format!("folders nested more than {MAX_DEPTH} deep"));
            continue;
        }
        if out.list.len() >= MAX_PATHS || bytes >= MAX_PATH_BYTES {
            out.unread(prefix.as_ref(), format!("more than {MAX_PATHS} paths"));
            return;
        }
        let mut read = |id: Option<ObjectId>| id.map_or(Ok(Rc::default()), |id| trees.read(id));
        let (old, new) = match (read(before), read(after)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(absent), _) | (_, Err(absent)) => {
                out.unread(prefix.as_ref(), absent.reason("tree"));
                continue;
            }
        };
        let (mut i, mut j) = (0, 0);
        while i < old.len() || j < new.len() {
            let a = (i < old.len()).then(|| old.get(i));
            let b = (j < new.len()).then(|| new.get(j));
            let order = match (&a, &b) {
                (Some(a), Some(b)) => a.order(b.name, b.mode.is_none()),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let (a, b) = (a.filter(|_| order.is_le()), b.filter(|_| order.is_ge()));
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
            let side = |item: &Option<Item<'_>>| item.map(|item| (item.mode, item.id));
            let Some(either) = a.or(b).filter(|_| side(&a) != side(&b)) else { continue };
            let mut path = prefix.clone();
            path.push_str(either.name);
            bytes += path.len();
            if either.mode.is_none() {
                path.push_byte(b'/');
                stack.push((path, a.map(|item| item.id), b.map(|item| item.id), depth + 1));
            } else if filter.takes(path.as_ref()) {
                let side = |item: Option<Item<'_>>| item.and_then(|item| Some((item.mode?, item.id)));
                out.list.push(Change { path, before: side(a), after: side(b) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_sort_as_if_a_slash_followed() {
        assert_eq!(order((b"a", false), (b"a", true)), Ordering::Less);
        assert_eq!(order((b"a", true), (b"a.b", false)), Ordering::Greater);
        assert_eq!(order((b"a", true), (b"a0", false)), Ordering::Less);
        assert_eq!(order((b"a", true), (b"a", true)), Ordering::Equal);
        assert_eq!(order((b"a", false), (b"a.b", false)), Ordering::Less);
    }

    fn line(mode: &str, name: &[u8]) -> Vec<u8> {
        [mode.as_bytes(), b" ", name, b"\0", &[7; 20]].concat()
    }

    #[test]
    fn a_tree_in_any_order_is_read_in_order_with_both_of_two_twins() {
        let bytes = [line("100644", b"b"), line("40000", b"a"), line("100755", b"a.b"), line("120000", b"b")].concat();
        let items = Items::parse(bytes, 20).expect("a tree");
        let names: Vec<_> = items.iter().map(|item| item.name.to_owned()).collect();
        assert_eq!(names, [b"a.b".to_vec(), b"a".to_vec(), b"b".to_vec(), b"b".to_vec()]);
        assert!(items.find(b"a", true).is_some());
        assert!(items.find(b"a", false).is_none());
    }

    #[test]
    fn damaged_trees_are_refused_without_a_panic() {
        let whole = [line("100644", b"b"), line("40000", b"a")].concat();
        for end in 1..whole.len() {
            let parsed = Items::parse(whole[..end].to_vec(), 20);
            assert_eq!(parsed.is_some(), end == line("100644", b"b").len(), "{end}");
        }
        assert!(Items::parse(b"77777777777777777777 a\0".to_vec(), 20).is_none());
        assert!(Items::parse(b"no mode".to_vec(), 20).is_none());
    }
}
