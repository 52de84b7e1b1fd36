//! Commits as the object database has them: replace refs, grafts and the list of shallow commits change nothing here.

mod back;
mod blobs;
mod deltas;
mod introduced;
mod since;
mod walk;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use bstr::{BStr, BString, ByteSlice};
use gix::objs::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::object::{Absent, MAX_STRUCTURE, object};
use super::paths::Filter;
use super::repository::Repository;
use super::tree::{self, Changes, Trees};
use super::{Commit, Mode, ObjectId, Person};
use crate::finding::Unread;
use crate::policy::signature::commit::Anchors;
pub(crate) use back::{Ancestor, Back, Changed};
pub(super) use blobs::Packs;
pub(crate) use since::Tag;
pub(crate) use walk::{Edge, Step, Walk};

/// Commits of one history. The largest public ones have a little over a million.
const MAX_COMMITS: usize = 4_000_000;
/// Bytes of a `.mailmap`.
const MAX_MAILMAP: u64 = 16 << 20;
/// Characters of a subject.
const MAX_SUBJECT: usize = 200;

/// Who changed data: the judged commits, and those before them.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The judged commits, parents first, whether they touch data or not.
    pub judged: Vec<Commit>,
    /// Commits before them that touch data, parents first.
    pub earlier: Vec<Commit>,
    /// Judged commits that could not be read or compared.
    pub unread: Vec<Unread>,
    /// What a reader should know of the earlier ones, one sentence each.
    pub notes: Vec<String>,
}

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

/// Seconds since 1970 and seconds east of UTC at the end of an author or committer line; zero where they are damaged.
fn stamp(person: &[u8]) -> (i64, i32) {
    let after = person.rfind_byte(b'>').map_or(person, |at| &person[at + 1..]);
    let mut words = after.fields();
    let number = |word: Option<&[u8]>| word.and_then(|word| word.to_str().ok()?.parse::<i64>().ok());
    let seconds = number(words.next()).unwrap_or(0);
    let zone = number(words.next()).filter(|zone| zone.abs() < 10_000).unwrap_or(0);
    let zone = i32::try_from(zone).unwrap_or(0);
    (seconds, (zone / 100 * 60 + zone % 100) * 60)
}

impl Repository {
    /// The commits that `after` has and `before` has not, and those of `before` that touch data: of these the newest
    /// `cap` commits are looked at, in the order of parents and children, since dates can be forged.
    ///
    /// Names and addresses are those of the `.mailmap` of `before`, or of `after` where there is no `before`. With
    /// `anchors`, the signatures of those that touch data are judged; those before them by the days that they claim.
    pub(crate) fn people(
        &self,
        before: Option<ObjectId>,
        after: ObjectId,
        is_data: &dyn Fn(&BStr) -> bool,
        anchors: Option<&Anchors>,
        cap: usize,
    ) -> History {
        let mut history = History::default();
        let mailmap = self.mailmap(before.unwrap_or(after), &mut history.notes);
        self.with(|git| {
            let mut graph = Graph { git, commits: BTreeMap::new(), missing: Vec::new(), full: false };
            let old = graph.reach(before, &FxHashSet::default());
            let missing_before = std::mem::take(&mut graph.missing);
            let new = graph.reach(Some(after), &old);
            for (child, id) in std::mem::take(&mut graph.missing) {
                history.unread.push(unread(child, &format!("parent {id} missing (shallow or partial clone)")));
            }
            if !missing_before.is_empty() {
                history.notes.push("history before the change ends early: this clone is shallow or partial".to_owned());
            }
            if graph.full {
                history.unread.push(unread(after, &format!("more than {MAX_COMMITS} commits")));
            }
            let order = graph.parents_first();
            let mut reader = Reader::new(git, &graph, &mailmap, is_data, anchors);
            for id in order.iter().filter(|id| new.contains(*id)) {
                match reader.commit(*id, false) {
                    Ok((commit, mut gaps)) => {
                        history.judged.push(commit);
                        history.unread.append(&mut gaps);
                    }
                    Err(absent) => history.unread.push(unread(*id, &absent.reason("commit"))),
                }
            }
            let mut damaged = 0usize;
            let mut looked_at = 0usize;
            for id in order.iter().rev().filter(|id| old.contains(*id)).take(cap) {
                looked_at += 1;
                match reader.commit(*id, true) {
                    Ok((commit, gaps)) => {
                        damaged += usize::from(!gaps.is_empty());
                        if !commit.paths.is_empty() {
                            history.earlier.push(commit);
                        }
                    }
                    Err(_) => damaged += 1,
                }
            }
            history.earlier.reverse();
            if looked_at < old.len() {
                let older = old.len() - looked_at;
                history.notes.push(format!("{older} commit(s) further back were not looked at"));
            }
            if damaged > 0 {
                history.notes.push(format!("{damaged} earlier commit(s) could not be compared with their parents"));
            }
            history
        })
    }

    /// Who is who, by the `.mailmap` of a commit.
    fn mailmap(&self, commit: ObjectId, notes: &mut Vec<String>) -> gix::mailmap::Snapshot {
        let bytes = self.read_at(commit, ".mailmap".into(), MAX_MAILMAP).unwrap_or_else(|reason| {
            notes.push(format!("the .mailmap could not be read: {reason}"));
            None
        });
        gix::mailmap::Snapshot::from_bytes(bytes.as_deref().unwrap_or_default())
    }
}

fn unread(commit: ObjectId, reason: &str) -> Unread {
    Unread { path: format!("commit {commit}").into(), reason: reason.to_owned() }
}

/// The commits that were reached, with their links.
struct Graph<'a> {
    git: &'a gix::Repository,
    commits: BTreeMap<ObjectId, Links>,
    /// Commits that a commit names as its parents and that cannot be read.
    missing: Vec<(ObjectId, ObjectId)>,
    full: bool,
}

impl Graph<'_> {
    /// All commits that can be reached from `tips`, without those that are `known`.
    fn reach(&mut self, tips: impl IntoIterator<Item = ObjectId>, known: &FxHashSet<ObjectId>) -> FxHashSet<ObjectId> {
        let mut found = FxHashSet::default();
        let mut buffer = Vec::new();
        let mut stack: Vec<(ObjectId, ObjectId)> = tips.into_iter().map(|id| (id, id)).collect();
        while let Some((child, id)) = stack.pop() {
            if known.contains(&id) || found.contains(&id) {
                continue;
            }
            if self.commits.len() >= MAX_COMMITS {
                self.full = true;
                break;
            }
            if let Some(links) = self.commits.get(&id) {
                stack.extend(links.parents.iter().map(|parent| (id, *parent)));
                found.insert(id);
                continue;
            }
            match links(self.git, &id, &mut buffer) {
                Ok(links) => {
                    stack.extend(links.parents.iter().map(|parent| (id, *parent)));
                    self.commits.insert(id, links);
                    found.insert(id);
                }
                Err(_) => self.missing.push((child, id)),
            }
        }
        self.missing.sort();
        self.missing.dedup();
        found
    }

    /// Every commit after its parents; among those that could come next the oldest by its own claim.
    fn parents_first(&self) -> Vec<ObjectId> {
        let mut waits: FxHashMap<ObjectId, usize> = FxHashMap::default();
        let mut children: FxHashMap<ObjectId, Vec<ObjectId>> = FxHashMap::default();
        let mut ready = BinaryHeap::new();
        for (id, links) in &self.commits {
            // A commit may name one parent twice.
            let parents: FxHashSet<ObjectId> =
                links.parents.iter().copied().filter(|parent| self.commits.contains_key(parent)).collect();
            if parents.is_empty() {
                ready.push(Reverse((links.seconds, *id)));
            }
            waits.insert(*id, parents.len());
            // The order of a list of children does not matter: the heap puts them in order.
            #[expect(clippy::iter_over_hash_type, reason = "each parent has a list of its own")]
            for parent in parents {
                children.entry(parent).or_default().push(*id);
            }
        }
        let mut order = Vec::with_capacity(self.commits.len());
        while let Some(Reverse((_, id))) = ready.pop() {
            order.push(id);
            for child in children.remove(&id).unwrap_or_default() {
                let waiting = waits.get_mut(&child).expect("every commit was counted");
                *waiting -= 1;
                if *waiting == 0 {
                    ready.push(Reverse((self.commits[&child].seconds, child)));
                }
            }
        }
        order
    }
}

/// Reads commits and what they change.
struct Reader<'a> {
    git: &'a gix::Repository,
    trees: Trees<'a>,
    mailmap: &'a gix::mailmap::Snapshot,
    is_data: &'a dyn Fn(&BStr) -> bool,
    graph: &'a Graph<'a>,
    anchors: Option<&'a Anchors>,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(
        git: &'a gix::Repository,
        graph: &'a Graph<'a>,
        mailmap: &'a gix::mailmap::Snapshot,
        is_data: &'a dyn Fn(&BStr) -> bool,
        anchors: Option<&'a Anchors>,
    ) -> Self {
        Self { git, trees: Trees::new(git), mailmap, is_data, graph, anchors, buffer: Vec::new() }
    }

    fn commit(&mut self, id: ObjectId, standing: bool) -> Result<(Commit, Vec<Unread>), Absent> {
        let (paths, unread) = self.paths(id)?;
        let mut commit = read_commit(self.git, id, self.mailmap, &mut self.buffer)?;
        if let Some(anchors) = self.anchors.filter(|_| !paths.is_empty()) {
            commit.verdict = Some(anchors.commit(&self.buffer, commit.committer.seconds, standing));
        }
        Ok((Commit { paths, ..commit }, unread))
    }

    /// The data paths that a commit changes: of a merge, those that differ from every parent.
    fn paths(&mut self, id: ObjectId) -> Result<(Vec<BString>, Vec<Unread>), Absent> {
        let links = self.graph.commits.get(&id).ok_or(Absent::Missing)?;
        let mut against: Vec<Option<ObjectId>> = Vec::new();
        let mut gaps = Vec::new();
        for parent in &links.parents {
            match self.graph.commits.get(parent) {
                Some(parent) => against.push(Some(parent.tree)),
                // Told once, where the parent was looked for. Against nothing, every file would seem new.
                None => return Ok((Vec::new(), gaps)),
            }
        }
        if against.is_empty() {
            against.push(None);
        }
        let mut paths: Option<BTreeMap<BString, Option<(Mode, ObjectId)>>> = None;
        for before in against {
            let mut changes = Changes::default();
            tree::diff(&mut self.trees, BString::default(), before, Some(links.tree), &Filter::default(), &mut changes);
            for gap in changes.unread {
                gaps.push(unread(id, &format!("{}: {}", gap.path, gap.reason)));
            }
            let changed: BTreeMap<BString, Option<(Mode, ObjectId)>> = changes
                .list
                .into_iter()
                .filter(|change| (self.is_data)(change.path.as_ref()))
                .map(|change| (change.path, change.after))
                .collect();
            paths = Some(match paths {
                None => changed,
                Some(earlier) => earlier.into_iter().filter(|(path, _)| changed.contains_key(path)).collect(),
            });
            if paths.as_ref().is_some_and(BTreeMap::is_empty) {
                break;
            }
        }
        Ok((paths.unwrap_or_default().into_keys().collect(), gaps))
    }
}

/// A commit without the paths it changes.
fn read_commit(
    git: &gix::Repository,
    id: ObjectId,
    mailmap: &gix::mailmap::Snapshot,
    buffer: &mut Vec<u8>,
) -> Result<Commit, Absent> {
    let bytes = object(git, &id, Kind::Commit, MAX_STRUCTURE, buffer)?;
    let mut commit = Commit {
        id,
        parents: 0,
        before: Vec::new(),
        reviewed: false,
        author: Person::default(),
        committer: Person::default(),
        signed: false,
        verdict: None,
        subject: String::new(),
        paths: Vec::new(),
    };
    let (head, message) = bytes.split_once_str("\n\n").unwrap_or((bytes, b""));
    for line in head.lines() {
        let Some((key, value)) = line.split_once_str(" ") else { continue };
        match key {
            b"parent" => {
                commit.parents += 1;
                commit.before.extend(ObjectId::from_hex(value).ok());
            }
            b"author" => commit.author = person(value, mailmap),
            b"committer" => commit.committer = person(value, mailmap),
            b"gpgsig" | b"gpgsig-sha256" => commit.signed = true,
            _ => {}
        }
    }
    let trailers: [&[u8]; 3] = [b"reviewed-by:", b"approved-by:", b"acked-by:"];
    let is_review =
        |line: &[u8]| trailers.iter().any(|t| line.get(..t.len()).is_some_and(|l| l.eq_ignore_ascii_case(t)));
    commit.reviewed = message.lines().any(is_review);
    let subject = message.lines().map(ByteSlice::trim).find(|line| !line.is_empty()).unwrap_or_default();
    commit.subject = subject.to_str_lossy().chars().take(MAX_SUBJECT).collect();
    Ok(commit)
}

/// Name, address and time of an author or committer line. All of them are claims.
fn person(line: &[u8], mailmap: &gix::mailmap::Snapshot) -> Person {
    let (seconds, offset) = stamp(line);
    let open = line.find_byte(b'<').unwrap_or(line.len());
    let close = line.rfind_byte(b'>').filter(|close| *close > open).unwrap_or(line.len());
    let name = line[..open].trim().as_bstr();
    let mail = line.get(open + 1..close).unwrap_or_default().trim().as_bstr();
    let claimed = gix::actor::SignatureRef { name, email: mail, time: "" };
    let known = mailmap.try_resolve_ref(claimed);
    let known_name = known.as_ref().and_then(|known| known.name);
    let known_mail = known.as_ref().and_then(|known| known.email);
    Person { name: known_name.unwrap_or(name).into(), mail: known_mail.unwrap_or(mail).into(), seconds, offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_seconds_and_an_offset_in_seconds() {
        assert_eq!(stamp(b"Ada <ada@example.org> 1700000000 +0530"), (1_700_000_000, 19_800));
        assert_eq!(stamp(b"Ada <ada@example.org> -5 -0730"), (-5, -27_000));
        assert_eq!(stamp(b"Ada <a> b> 99999999999999999999 +99999999999"), (0, 0));
        assert_eq!(stamp(b""), (0, 0));
    }

    #[test]
    fn names_and_addresses_are_taken_as_they_are_claimed() {
        let mailmap = gix::mailmap::Snapshot::from_bytes(b"Ada Lovelace <ada@example.org> <countess@example.org>\n");
        let ada = person(b"A. <countess@example.org> 1 +0000", &mailmap);
        assert_eq!((ada.name.as_bstr(), ada.mail.as_bstr()), ("Ada Lovelace".into(), "ada@example.org".into()));
        let odd = person(b" \xff <> 1 +0000", &mailmap);
        assert_eq!((odd.name.as_bstr(), odd.mail.as_bstr()), (b"\xff".as_bstr(), "".into()));
        let none = person(b"no address at all", &mailmap);
        assert_eq!(none.name, "no address at all");
    }
}
