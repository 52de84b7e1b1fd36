//! Commits as the object database has them: replace refs, grafts and the list of shallow commits change nothing here.

use bstr::ByteSlice;
use gix::objs::Kind;

use super::ObjectId;
use super::repository::{Absent, MAX_STRUCTURE, object};

/// How a commit hangs together with others.
#[derive(Clone, Debug)]
pub(super) struct Links {
    /// Its tree.
    pub(super) tree: ObjectId,
    /// Its parents, first parent first.
    pub(super) parents: Vec<ObjectId>,
    /// When it was committed, as it claims: seconds since 1970.
    pub(super) seconds: i64,
}

/// Reads the head of a commit.
pub(super) fn links(git: &gix::Repository, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Links, Absent> {
    let bytes = object(git, id, Kind::Commit, MAX_STRUCTURE, buffer)?;
    let mut tree = None;
    let mut parents = Vec::new();
    let mut seconds = 0;
    for line in bytes.lines() {
        if let Some(hex) = line.strip_prefix(b"tree ") {
            tree = ObjectId::from_hex(hex).ok();
        } else if let Some(hex) = line.strip_prefix(b"parent ") {
            parents.push(ObjectId::from_hex(hex).map_err(|_| Absent::Broken)?);
        } else if let Some(person) = line.strip_prefix(b"committer ") {
            seconds = stamp(person).0;
            break;
        } else if line.is_empty() {
            break;
        }
    }
    Ok(Links { tree: tree.ok_or(Absent::Broken)?, parents, seconds })
}

/// Seconds since 1970 and seconds east of UTC from the end of an author or committer line; zero where they are damaged.
pub(super) fn stamp(person: &[u8]) -> (i64, i32) {
    let after = person.rfind_byte(b'>').map_or(person, |at| &person[at + 1..]);
    let mut words = after.fields();
    let number = |word: Option<&[u8]>| word.and_then(|word| word.to_str().ok()?.parse::<i64>().ok());
    let seconds = number(words.next()).unwrap_or(0);
    let zone = number(words.next()).filter(|zone| zone.abs() < 10_000).unwrap_or(0);
    let zone = i32::try_from(zone).unwrap_or(0);
    (seconds, (zone / 100 * 60 + zone % 100) * 60)
}
