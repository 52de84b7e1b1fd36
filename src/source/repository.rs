//! A repository: found, opened without obeying anything in it, and read from any thread.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use bstr::{BStr, BString, ByteSlice};
use gix::objs::Kind;

use super::history::Packs;
use super::index::Index;
use super::large::Large;
use super::object::{MAX_STRUCTURE, object};
use super::{ObjectId, SourceError, bytes_path, path_bytes, tree};

/// The variables by which git tells a hook which repository, work tree and index it speaks of.
///
/// They are the only part of the environment that is honoured: everything else that git reads there could make it
/// start programs or look elsewhere.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Environment {
    /// `GIT_DIR`; relative to the current folder.
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`; relative to the current folder.
    pub work_tree: Option<PathBuf>,
    /// `GIT_COMMON_DIR`; relative to the current folder.
    pub common_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`; relative to the top of the work tree, as git has it.
    pub index_file: Option<PathBuf>,
    /// Whether a repository of any other owner may be read. No variable sets this; it takes a person to say so.
    pub any_owner: bool,
    /// Folders that may be read with all that is in them, whoever owns them: what git calls `safe.directory`.
    pub safe_directories: Vec<PathBuf>,
}

impl Environment {
    /// What the environment of this process says.
    pub fn from_process() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            git_dir: path("GIT_DIR"),
            work_tree: path("GIT_WORK_TREE"),
            common_dir: path("GIT_COMMON_DIR"),
            index_file: path("GIT_INDEX_FILE"),
            any_owner: false,
            safe_directories: Vec::new(),
        }
    }
}

/// One allocation that objects of the repository may ask for, in bytes: a delta chain can claim any size.
const ALLOCATION_LIMIT: u64 = 3 << 30;
/// Bytes of unpacked delta bases that all threads together may keep.
const PACK_CACHE: usize = 64 << 20;
/// Annotated tags that may lie between a name and its commit.
const MAX_TAGS: usize = 32;

/// A repository that is only ever read.
///
/// It may be shared between threads: each call borrows a handle of its own.
pub(crate) struct Repository {
    shared: gix::ThreadSafeRepository,
    idle: Mutex<Vec<gix::Repository>>,
    /// The folder that relative paths are relative to.
    pub(super) here: PathBuf,
    pub(super) git_dir: PathBuf,
    pub(super) common_dir: PathBuf,
    pub(super) work_tree: Option<PathBuf>,
    pub(super) index_file: PathBuf,
    index: OnceLock<Result<Index, SourceError>>,
    /// Large blobs that were unpacked.
    pub(super) large: Large,
    pub(super) packs: Packs,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.git_dir).field("work_tree", &self.work_tree).finish()
    }
}

impl Repository {
    /// Finds the repository that `dir` lies in, or the one that `env` names; `None` outside of any.
    ///
    /// Nothing of the repository is run, no configuration but its own is read, and the network is never touched.
    ///
    /// # Errors
    /// A repository of another owner, one that is damaged, or a `GIT_DIR` that leads nowhere.
    pub(crate) fn discover(dir: &Path, env: &Environment) -> Result<Option<Self>, SourceError> {
        let here = std::fs::canonicalize(dir).map_err(|error| {
            SourceError::new(format!(
                "{} cannot be entered: {error}; check its name, and that you may enter it",
                dir.display()
            ))
        })?;
        let found = match &env.git_dir {
            Some(git_dir) => {
                let git_dir = here.join(git_dir);
                gix::discover::is_git(&git_dir).map_err(|_| {
                    SourceError::new(format!("GIT_DIR does not name a repository: {}", git_dir.display()))
                        .with_help("Unset GIT_DIR, or set it to a repository's .git folder.")
                })?;
                Some(git_dir)
            }
            None => find_upwards(&here)?,
        };
        found.map(|git_dir| Self::open(here, &git_dir, env)).transpose()
    }

    fn open(here: PathBuf, candidate: &Path, env: &Environment) -> Result<Self, SourceError> {
        let open = |path: &Path| {
            gix::open::Options::isolated()
                .open_path_as_is(true)
                // Whose it is was judged by `check_owner`, which gives a reason and a way out.
                .with(gix::sec::Trust::Full)
                .config_overrides([
                    // What a replace ref puts in the place of an object is not what was committed.
                    "core.useReplaceRefs=false".to_owned(),
                    // A commit graph is a cache that may say anything about parents.
                    "core.commitGraph=false".to_owned(),
                    format!("gitoxide.objects.allocLimit={ALLOCATION_LIMIT}"),
                ])
                .open(path)
                .map_err(|error| {
                    SourceError::new(format!("the repository at {} cannot be opened: {error}", path.display()))
                        .with_help("See what `git fsck` says of it.")
                })
        };
        let mut shared = open(candidate)?;
        let git_dir = absolute(&here, shared.git_dir());
        let mut common_dir = shared.common_dir.as_deref().map_or_else(|| git_dir.clone(), |dir| absolute(&here, dir));
        if let Some(named) = &env.common_dir {
            let named = here.join(named);
            if !same_folder(&named, &common_dir) {
                // Objects and configuration of that folder; branches stay where the git folder itself says they are.
                let refs = shared.refs.clone();
                shared = open(&named)?;
                shared.refs = refs;
                shared.common_dir = Some(named.clone());
                common_dir = named;
            }
        }
        let work_tree = match &env.work_tree {
            Some(tree) => Some(here.join(tree)),
            None if env.git_dir.is_none() => shared.work_tree.as_deref().map(|tree| absolute(&here, tree)),
            None => work_tree_of_named(&shared, &here, &git_dir),
        };
        let work_tree = work_tree.map(|tree| std::fs::canonicalize(&tree).unwrap_or(tree));
        for path in [Some(candidate), Some(git_dir.as_path()), Some(common_dir.as_path()), work_tree.as_deref()] {
            check_owner(path, env)?;
        }
        let index_file = match &env.index_file {
            Some(file) => work_tree.as_deref().unwrap_or(&here).join(file),
            None => git_dir.join("index"),
        };
        Ok(Self {
            shared,
            idle: Mutex::default(),
            here,
            git_dir,
            common_dir,
            work_tree,
            index_file,
            index: OnceLock::new(),
            large: Large::default(),
            packs: Packs::default(),
        })
    }

    /// The top of the work tree; `None` in a bare repository.
    pub(crate) fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// The folder with objects and branches, which linked work trees share.
    pub(crate) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Calls `job` with a handle that no other thread has.
    pub(super) fn with<T>(&self, job: impl FnOnce(&gix::Repository) -> T) -> T {
        let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let handle = idle.unwrap_or_else(|| {
            let mut git = self.shared.to_thread_local();
            git.objects.ignore_replacements = true;
            // Nobody writes what we read; looking again for every missing object would cost a listing each.
            git.objects.refresh_never();
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let share = (PACK_CACHE / threads).min(16 << 20);
            git.objects.set_pack_cache(move || Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(share)));
            git
        });
        let result = job(&handle);
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(handle);
        result
    }

    /// Whether an object is there.
    pub(crate) fn has(&self, id: ObjectId) -> bool {
        self.with(|git| git.has_object(id))
    }

    /// The index; empty where there is none.
    pub(super) fn index(&self) -> Result<&Index, SourceError> {
        self.index
            .get_or_init(|| Index::load(&self.index_file, self.with(gix::Repository::object_hash)))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// How many entries of the index are marked skip-worktree or assume-unchanged, if the index was needed at all.
    pub(super) fn hidden(&self) -> Option<usize> {
        let index = self.index.get()?.as_ref().ok()?;
        Some(index.entries().filter(|staged| staged.hidden).count())
    }

    /// The short name of the branch that HEAD is on; `None` where it is detached or cannot be read.
    pub(crate) fn branch(&self) -> Option<BString> {
        self.with(|git| Some(git.head_name().ok()??.shorten().to_owned()))
    }

    /// The commit of HEAD; `None` before the first commit.
    ///
    /// # Errors
    /// Where HEAD is damaged.
    pub(crate) fn head(&self) -> Result<Option<ObjectId>, SourceError> {
        let damaged = |error| {
            SourceError::new(format!("HEAD cannot be read: {error}")).with_help("See what `git fsck` says of it.")
        };
        let id = self.with(|git| -> Result<Option<ObjectId>, SourceError> {
            let head = git.head().map_err(damaged)?;
            if head.is_unborn() {
                return Ok(None);
            }
            Ok(head.try_into_peeled_id().map_err(damaged)?.map(gix::Id::detach))
        })?;
        id.map(|id| self.peel(id, "HEAD")).transpose()
    }

    /// The commit, or tree, that a revision names.
    ///
    /// # Errors
    /// Where it names nothing, several things, or a blob.
    pub(crate) fn resolve(&self, revision: &str) -> Result<ObjectId, SourceError> {
        let id = self.with(|git| {
            git.rev_parse_single(BStr::new(revision)).map(gix::Id::detach).map_err(|_| {
                let help = if self.is_shallow() {
                    "This clone is shallow: fetch more of its history (git fetch --unshallow), or check the name."
                } else {
                    "Check the name with `git rev-parse`; a branch of a remote has to be fetched first."
                };
                SourceError::new(format!("no such revision: {revision}")).with_help(help)
            })
        })?;
        self.peel(id, revision)
    }

    /// Follows annotated tags.
    pub(super) fn peel(&self, mut id: ObjectId, name: &str) -> Result<ObjectId, SourceError> {
        self.with(|git| {
            let mut buffer = Vec::new();
            for _ in 0..MAX_TAGS {
                let header = git.try_find_header(id).ok().flatten().ok_or_else(|| {
                    SourceError::new(format!("{name} names {id}, which is missing from this clone"))
                        .with_help("Fetch it: git fetch --unshallow, or without a filter.")
                })?;
                match header.kind() {
                    Kind::Commit | Kind::Tree => return Ok(id),
                    Kind::Blob => {
                        return Err(SourceError::new(format!(
                            "{name} names a file, not a commit; name a commit, a branch or a tag"
                        )));
                    }
                    Kind::Tag => {
                        let damaged = || {
                            SourceError::new(format!("{name} names a damaged tag; fetch it again, or name the commit"))
                        };
                        let bytes = object(git, &id, Kind::Tag, MAX_STRUCTURE, &mut buffer).map_err(|_| damaged())?;
                        let line = bytes.lines().next().and_then(|line| line.strip_prefix(b"object "));
                        id = line.and_then(|hex| ObjectId::from_hex(hex).ok()).ok_or_else(damaged)?;
                    }
                }
            }
            Err(SourceError::new(format!(
                "{name} names a tag of a tag of a tag, more than {MAX_TAGS} deep; name the commit"
            )))
        })
    }

    /// The tree of a commit, or the tree itself.
    pub(super) fn tree_of(&self, id: ObjectId) -> Result<ObjectId, SourceError> {
        self.with(|git| tree::of_commit(git, id)).map_err(|absent| {
            SourceError::new(format!("{} ({id})", absent.reason("commit")))
                .with_help("Fetch it: git fetch --unshallow, or without a filter.")
        })
    }

    /// Where git looks for hooks, and whether the repository's own configuration says so.
    pub(crate) fn hooks_folder(&self) -> (PathBuf, bool) {
        let named =
            self.with(|git| git.config_snapshot().string("core.hooksPath").map(|path| bytes_path(path.as_ref())));
        match named {
            // Relative to where hooks run: the top of the work tree.
            Some(path) => (self.work_tree.as_deref().unwrap_or(&self.git_dir).join(path), true),
            None => (self.common_dir.join("hooks"), false),
        }
    }

    /// Number of parents of HEAD; 0 where it has none or cannot be read.
    pub(crate) fn parents_of_head(&self) -> usize {
        let Ok(Some(head)) = self.head() else { return 0 };
        self.with(|git| git.find_commit(head).map_or(0, |commit| commit.parent_ids().count()))
    }

    /// The mail address of whoever works here, as the configuration of the repository or of the user says.
    pub(crate) fn mail(&self) -> Option<String> {
        let own = self.with(|git| git.config_snapshot().string("user.email"));
        // The user's own files by name: asking git where the others are would start it.
        let of_user = |source: gix::config::Source| {
            let path = source.storage_location(&mut |name| std::env::var_os(name))?;
            let file = gix::config::File::from_path_no_includes(path, source).ok()?;
            file.string("user.email")
        };
        let users = || [gix::config::Source::User, gix::config::Source::Git].into_iter().find_map(of_user);
        own.or_else(users).map(|mail| mail.to_string()).filter(|mail| !mail.is_empty())
    }

    /// Whether history ends early in this clone.
    pub(crate) fn is_shallow(&self) -> bool {
        std::fs::metadata(self.common_dir.join("shallow")).is_ok_and(|meta| meta.len() > 0)
    }

    /// The path of the repository that `path`, as a person gave it, names; `None` where it lies outside.
    pub(crate) fn relative(&self, path: &Path) -> Option<BString> {
        let top = self.work_tree.as_deref().unwrap_or(&self.here);
        let lexical = normal(&self.here.join(path));
        if let Ok(rest) = lexical.strip_prefix(top) {
            return Some(path_bytes(rest));
        }
        // The folder may have been named through a link; the last part may be one that git tracks as such.
        let (parent, name) = (lexical.parent()?, lexical.file_name()?);
        let real = std::fs::canonicalize(parent).ok()?.join(name);
        let real = if real.strip_prefix(top).is_ok() { real } else { std::fs::canonicalize(&real).ok()? };
        real.strip_prefix(top).ok().map(path_bytes)
    }
}

/// The first folder from `here` upwards that is a repository or holds one.
fn find_upwards(here: &Path) -> Result<Option<PathBuf>, SourceError> {
    let device = device(here);
    for dir in here.ancestors() {
        if self::device(dir) != device {
            // Like git, stop where another file system begins.
            return Ok(None);
        }
        let dot_git = dir.join(".git");
        if gix::discover::is_git(&dot_git).is_ok() {
            return Ok(Some(dot_git));
        }
        if dot_git.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            return Err(SourceError::new(format!("{} does not lead to a repository", dot_git.display()))
                .with_help("Repair the link with `git worktree repair`, or remove the file."));
        }
        if gix::discover::is_git(dir).is_ok() {
            return Ok(Some(dir.to_owned()));
        }
    }
    Ok(None)
}

/// The work tree of a repository that `GIT_DIR` names: what its configuration says, else the current folder.
fn work_tree_of_named(shared: &gix::ThreadSafeRepository, here: &Path, git_dir: &Path) -> Option<PathBuf> {
    let git = shared.to_thread_local();
    let config = git.config_snapshot();
    if let Some(tree) = config.string("core.worktree") {
        return Some(git_dir.join(bytes_path(tree.as_ref())));
    }
    if config.boolean("core.bare") == Some(true) && shared.common_dir.is_none() {
        return None;
    }
    Some(here.to_owned())
}

/// Refuses what another user owns, as git does since CVE-2022-24765.
fn check_owner(path: Option<&Path>, env: &Environment) -> Result<(), SourceError> {
    let Some(path) = path else { return Ok(()) };
    if env.any_owner || !path.exists() || gix::sec::identity::is_path_owned_by_current_user(path).unwrap_or(false) {
        return Ok(());
    }
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if env.safe_directories.iter().any(|safe| std::fs::canonicalize(safe).is_ok_and(|safe| real.starts_with(safe))) {
        return Ok(());
    }
    Err(SourceError::new(format!("{} belongs to another user", path.display())).with_help(format!(
        "Run foretaste as its owner, or, if you trust it, with --safe-directory {}.",
        path.display()
    )))
}

fn absolute(here: &Path, path: &Path) -> PathBuf {
    let path = here.join(path);
    std::fs::canonicalize(&path).unwrap_or(path)
}

fn same_folder(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The path without `.` and `..`, by its words alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|meta| meta.dev())
}

#[cfg(not(unix))]
fn device(_: &Path) -> Option<u64> {
    None
}
