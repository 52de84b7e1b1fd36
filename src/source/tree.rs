//! Trees of the object database: listed and compared by id, never by what configuration or attributes say.

use bstr::{BStr, BString, ByteSlice, ByteVec};
use gix::objs::Kind;

use super::paths::Filter;
use super::repository::{Absent, MAX_STRUCTURE, object};
use super::{Mode, ObjectId};
use crate::finding::Unread;

/// Folders inside one another. Real trees have a dozen; trees can be made by hand.
const MAX_DEPTH: usize = 4096;
/// Paths of one listing. A few small trees that name one another many times hold more paths than any disk.
const MAX_PATHS: usize = 10_000_000;

/// One line of a tree.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Its name, with `/` behind it if it is a folder: trees are sorted by that.
    pub(super) key: BString,
    /// What it is; `None` for a folder.
    pub(super) mode: Option<Mode>,
    /// Its id.
    pub(super) id: ObjectId,
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

/// The lines of a tree, in git's order.
pub(super) fn items(git: &gix::Repository, id: &gix::oid) -> Result<Vec<Item>, Absent> {
    let mut buffer = Vec::new();
    let bytes = object(git, id, Kind::Tree, MAX_STRUCTURE, &mut buffer)?;
    let mut items = parse(bytes, id.kind().len_in_bytes()).ok_or(Absent::Broken)?;
    // A tree that was made by hand may be in any order.
    if !items.is_sorted_by(|a, b| a.key <= b.key) {
        items.sort_by(|a, b| a.key.cmp(&b.key));
    }
    Ok(items)
}

fn parse(mut bytes: &[u8], id_len: usize) -> Option<Vec<Item>> {
    let mut items = Vec::with_capacity(bytes.len() / 40);
    while !bytes.is_empty() {
        let space = memchr::memchr(b' ', bytes)?;
        let mut mode = 0u32;
        for digit in &bytes[..space] {
            mode = mode.checked_mul(8)?.checked_add(u32::from(digit.wrapping_sub(b'0')))?;
        }
        bytes = &bytes[space + 1..];
        let end = memchr::memchr(0, bytes)?;
        let name = &bytes[..end];
        let id = bytes.get(end + 1..end + 1 + id_len)?;
        bytes = &bytes[end + 1 + id_len..];
        let mode = mode_of(mode);
        let mut key = BString::from(name);
        if mode.is_none() {
            key.push_byte(b'/');
        }
        items.push(Item { key, mode, id: ObjectId::try_from(id).ok()? });
    }
    Some(items)
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
    let mut tree = root;
    let mut rest: &[u8] = path;
    loop {
        let items = items(git, &tree)?;
        match rest.find_byte(b'/') {
            None => return Ok(items.iter().find(|i| i.key == rest).and_then(|i| Some((i.mode?, i.id)))),
            Some(slash) => match items.iter().find(|i| i.key == rest[..=slash] && i.mode.is_none()) {
                Some(folder) => tree = folder.id,
                None => return Ok(None),
            },
        }
        rest = &rest[rest.find_byte(b'/').map_or(0, |slash| slash + 1)..];
    }
}

/// Whether there is a file or a folder at `path`.
pub(super) fn exists(git: &gix::Repository, root: ObjectId, path: &BStr) -> Result<bool, Absent> {
    let mut tree = root;
    for part in path.split_str("/").filter(|part| !part.is_empty()) {
        let items = items(git, &tree)?;
        match items.iter().find(|i| i.key.strip_suffix(b"/").unwrap_or(&i.key) == part) {
            Some(item) if item.mode.is_none() => tree = item.id,
            // A file: there is nothing under it, but a path that goes on does not exist.
            Some(_) => return Ok(path.ends_with(part)),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Adds the paths under `prefix` that differ between two trees; only folders whose ids differ are opened.
///
/// `prefix` is empty or ends with `/`. A tree against nothing lists all its paths.
pub(super) fn diff(
    git: &gix::Repository,
    prefix: BString,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    filter: &Filter,
    out: &mut Changes,
) {
    let mut stack = vec![(prefix, before, after, 0)];
    while let Some((prefix, before, after, depth)) = stack.pop() {
        if before == after || !filter.enters(prefix.as_ref()) {
            continue;
        }
        if depth == MAX_DEPTH {
            out.unread(prefix.as_ref(), format!("folders nested more than {MAX_DEPTH} deep"));
            continue;
        }
        if out.list.len() >= MAX_PATHS {
            out.unread(prefix.as_ref(), format!("more than {MAX_PATHS} paths"));
            return;
        }
        let read = |id: Option<ObjectId>| id.map_or(Ok(Vec::new()), |id| items(git, &id));
        let (old, new) = match (read(before), read(after)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(absent), _) | (_, Err(absent)) => {
                out.unread(prefix.as_ref(), absent.reason("tree"));
                continue;
            }
        };
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.key.cmp(&b.key),
            };
            let a = if order.is_le() { old.next() } else { None };
            let b = if order.is_ge() { new.next() } else { None };
            let Some(either) = a.as_ref().or(b.as_ref()) else { break };
            let mut path = prefix.clone();
            path.push_str(&either.key);
            if either.mode.is_none() {
                stack.push((path, a.map(|i| i.id), b.map(|i| i.id), depth + 1));
                continue;
            }
            let side = |item: Option<Item>| item.and_then(|i| Some((i.mode?, i.id)));
            let (before, after) = (side(a), side(b));
            if before != after && filter.takes(path.as_ref()) {
                out.list.push(Change { path, before, after });
            }
        }
    }
}
