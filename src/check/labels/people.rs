//! Who is who: the commits of one person under several names and addresses, and how much of the data is theirs.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use unicode_normalization::UnicodeNormalization;

use crate::source::{Commit, Person};
use crate::span::BlobId;

/// Who has touched data in fewer commits is new to it.
pub(super) const NEW: usize = 3;
/// In a repository with fewer earlier commits to data everybody is new.
pub(super) const SETTLED: usize = 20;

/// A person, by a number that holds for one run.
pub(super) type Identity = usize;

/// The people of the judged commits and of those before them.
#[derive(Debug)]
pub(super) struct Who<'c> {
    pub(super) judged: Vec<(Identity, &'c Commit)>,
    pub(super) earlier: Vec<(Identity, &'c Commit)>,
    /// Commits to data before the judged ones, by person.
    before: Vec<usize>,
    files: BTreeMap<&'c BStr, BlobId>,
}

impl<'c> Who<'c> {
    /// Tells who is who. Bots are left out: an account that only machines use is neither new nor known.
    pub(super) fn new(judged: &'c [Commit], earlier: &'c [Commit], files: &'c [(BString, BlobId)]) -> Self {
        let human = |commits: &'c [Commit]| -> Vec<&'c Commit> {
            commits.iter().filter(|commit| !commit.paths.is_empty() && !is_bot(&commit.author)).collect()
        };
        let (judged, earlier) = (human(judged), human(earlier));
        let mut names = Names::default();
        let mut identify = |commits: &[&'c Commit]| -> Vec<usize> {
            commits.iter().map(|commit| names.person(&commit.author)).collect()
        };
        let (of_judged, of_earlier) = (identify(&judged), identify(&earlier));
        let number = |ids: Vec<usize>, commits: Vec<&'c Commit>, names: &mut Names| {
            ids.into_iter().map(|id| names.root(id)).zip(commits).collect::<Vec<_>>()
        };
        let judged = number(of_judged, judged, &mut names);
        let earlier = number(of_earlier, earlier, &mut names);
        let mut before = vec![0; names.parents.len()];
        for (identity, _) in &earlier {
            before[*identity] += 1;
        }
        Self { judged, earlier, before, files: files.iter().map(|(path, blob)| (path.as_bstr(), *blob)).collect() }
    }

    /// Commits to data that a person made before the judged ones.
    pub(super) fn before(&self, identity: Identity) -> usize {
        self.before[identity]
    }

    /// Whether the repository has a past long enough to be new to.
    pub(super) fn is_settled(&self) -> bool {
        self.earlier.len() >= SETTLED
    }

    /// Whether a person is new to the data.
    pub(super) fn is_new(&self, identity: Identity) -> bool {
        self.is_settled() && self.before(identity) < NEW
    }

    /// The number of a file that was compared.
    pub(super) fn number(&self, path: &BStr) -> Option<BlobId> {
        self.files.get(path).copied()
    }

    /// The judged commits that touch a file.
    pub(super) fn touching(&self, path: &BStr) -> impl Iterator<Item = (Identity, &'c Commit)> {
        self.judged.iter().copied().filter(move |(_, commit)| commit.paths.iter().any(|p| p.as_bstr() == path))
    }

    /// The only judged commit that touches a file.
    pub(super) fn only_commit(&self, path: &BStr) -> Option<&'c Commit> {
        let mut all = self.touching(path);
        let (_, commit) = all.next()?;
        all.next().is_none().then_some(commit)
    }

    /// Whether all who touched these files are new to the data.
    pub(super) fn only_newcomers<'p>(&self, mut paths: impl Iterator<Item = &'p BStr>) -> bool {
        let new = |path: &'p BStr| {
            let mut any = false;
            self.touching(path).all(|(identity, _)| {
                any = true;
                self.is_new(identity)
            }) && any
        };
        !self.judged.is_empty() && paths.all(new)
    }
}

/// Tells the authors of commits apart: for each commit a number that is the same for all names and addresses of a person.
pub(crate) fn identities(commits: &[&Commit]) -> Vec<usize> {
    let mut names = Names::default();
    let ids: Vec<usize> = commits.iter().map(|commit| names.person(&commit.author)).collect();
    ids.into_iter().map(|id| names.root(id)).collect()
}

/// Joins names and addresses that stand in one commit, and what hosts make of them.
#[derive(Debug, Default)]
struct Names {
    numbers: BTreeMap<String, usize>,
    parents: Vec<usize>,
}

impl Names {
    fn person(&mut self, person: &Person) -> usize {
        let keys: BTreeSet<String> = keys(person);
        let mut ids = Vec::new();
        for key in keys {
            let next = self.parents.len();
            let id = *self.numbers.entry(key).or_insert(next);
            if id == next {
                self.parents.push(id);
            }
            ids.push(id);
        }
        for pair in ids.windows(2) {
            let (a, b) = (self.root(pair[0]), self.root(pair[1]));
            self.parents[a.max(b)] = a.min(b);
        }
        self.root(ids[0])
    }

    fn root(&mut self, mut id: usize) -> usize {
        while self.parents[id] != id {
            self.parents[id] = self.parents[self.parents[id]];
            id = self.parents[id];
        }
        id
    }
}

/// What a person is known by. Never empty.
fn keys(person: &Person) -> BTreeSet<String> {
    let (name, mail) = (folded(person), mail(person));
    let mut keys = BTreeSet::new();
    if let Some(login) = mail.strip_suffix("@users.noreply.github.com") {
        let login = login.split_once('+').map_or(login, |(_, login)| login);
        keys.insert(format!("name {login}"));
    }
    if !SHARED_MAILS.contains(&mail.as_str()) && mail.contains('@') {
        keys.insert(format!("mail {mail}"));
    }
    if !SHARED_NAMES.contains(&name.as_str()) {
        keys.insert(format!("name {name}"));
    }
    if keys.is_empty() {
        // Nothing tells this one from others like it.
        keys.insert(format!("both {name} {mail}"));
    }
    keys
}

/// Addresses and names that many people leave standing.
const SHARED_MAILS: &[&str] =
    &["noreply@github.com", "root@localhost", "user@localhost", "you@example.com", "user@example.com", "none@none"];
const SHARED_NAMES: &[&str] =
    &["", "root", "user", "unknown", "admin", "ubuntu", "github", "no author", "your name", "test", "anonymous"];

/// A name without regard to case, width and blanks.
pub(super) fn folded(person: &Person) -> String {
    let name: String = person.name.to_str_lossy().nfkc().flat_map(char::to_lowercase).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address without regard to case.
pub(super) fn mail(person: &Person) -> String {
    person.mail.to_str_lossy().trim().to_lowercase()
}

/// Whether an account is a machine's.
pub(super) fn is_bot(person: &Person) -> bool {
    let (name, mail) = (folded(person), mail(person));
    let bots = ["github-actions", "dependabot", "renovate", "renovate bot", "pre-commit-ci", "copilot", "greenkeeper"];
    name.contains("[bot]") || mail.contains("[bot]") || mail.starts_with("bot@") || bots.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::risk::tests::{commit, person};
    use super::*;

    fn identities(people: &[(&str, &str)]) -> Vec<usize> {
        let mut names = Names::default();
        let ids: Vec<_> = people.iter().map(|(name, mail)| names.person(&person(name, mail))).collect();
        ids.into_iter().map(|id| names.root(id)).collect()
    }

    #[test]
    fn one_person_under_several_names_and_addresses_is_one() {
        let ids = identities(&[
            ("Ada Lovelace", "ada@a.org"),
            ("ada  lovelace", "ada@b.org"),
            ("countess", "ADA@b.org"),
            ("octocat", "12345+countess@users.noreply.github.com"),
            ("Grace Hopper", "grace@a.org"),
        ]);
        assert_eq!(ids[..4], [ids[0]; 4]);
        assert_ne!(ids[4], ids[0]);
    }

    #[test]
    fn what_many_leave_standing_joins_nobody() {
        let ids = identities(&[
            ("root", "a@a.org"),
            ("root", "b@b.org"),
            ("A", "noreply@github.com"),
            ("B", "noreply@github.com"),
        ]);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn bots_are_nobody() {
        let earlier: Vec<_> = (0..30).map(|n| commit(n, "Ada", "ada@a.org", &["d/a.csv"])).collect();
        let judged = [commit(99, "dependabot[bot]", "x@users.noreply.github.com", &["d/a.csv"])];
        let who = Who::new(&judged, &earlier, &[]);
        assert!(who.judged.is_empty() && who.is_settled());
        assert!(!who.only_newcomers([BStr::new("d/a.csv")].into_iter()));
    }
}
