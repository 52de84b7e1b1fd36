//! `foretaste lock`: records what the data in the work tree is, where it came from, and what names elsewhere mean.

mod resolve;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use clap::Args;
use jiff::civil::Date;

use super::progress::Bar;
use super::{AsOf, Console, Stop, Verdict, as_of, environment, root, sign, write_file};
use crate::engine::{Checker, Hashing, Measures, hashed_outside};
use crate::finding::Unread;
use crate::policy::lock::{Lock, LockedFile, is_name, resolved};
use crate::policy::{self};

/// What `foretaste lock` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files to lock beside the datasets, such as weights and adapters. They stay locked until they are gone.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Name of the repository that signatures are bound to; that of the policy or of the lock that is there, else the
    /// folder's name.
    #[arg(long, value_name = "NAME")]
    repo: Option<String>,
    /// Lock a folder outside of the repository, under a name: a snapshot of a hub, a cache of DVC, a mounted bucket.
    #[arg(long, value_name = "NAME=FOLDER", value_parser = folder)]
    from: Vec<(String, PathBuf)>,
    /// What names elsewhere resolve to, as the commands write it that are printed for names that nothing here resolves.
    #[arg(long, value_name = "FILE")]
    resolved: Option<PathBuf>,
    /// Print the lock that is there as a list that `sha256sum -c` checks, and write nothing.
    #[arg(long, conflicts_with_all = ["files", "repo", "from", "resolved"])]
    sums: bool,
    #[command(flatten)]
    as_of: AsOf,
}

/// `NAME=FOLDER`.
pub(super) fn folder(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if is_name(name) && !name.contains('/') && !folder.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(folder)))
        }
        _ => Err("write it as NAME=FOLDER, the name in letters, digits and . _ -".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    let path = root.join(policy::LOCK);
    let old = read(&path)?;
    if arguments.sums {
        return sums(old.as_ref());
    }
    let day = as_of(&arguments.as_of)?;
    let named: Vec<BString> = arguments.files.iter().map(|file| sign::inside(&root, file)).collect::<Result<_, _>>()?;
    let kept = |path: &[u8]| old.as_ref().is_some_and(|old| old.file(path.as_bstr()).is_some());
    let also = |path: &[u8]| kept(path) || named.iter().any(|name| name == path);
    let checker = Checker::new().environment(environment()).as_of(day).policy_from_worktree();
    let measures = checker.measure(&root, &Bar::new(console.quiet), &also)?;
    refuse_gaps(&measures.unread)?;
    if let Some(lost) = named.iter().find(|name| !measures.files.iter().any(|file| file.path == **name)) {
        return Err(Stop::Say(format!(
            "{lost} cannot be locked: it is no regular file that git sees, or it is excluded; name a \
             file that is tracked or untracked, or change `exclude` in the policy"
        )));
    }
    let repo = repo(arguments, &measures, old.as_ref(), &root)?;
    let handed = match &arguments.resolved {
        None => BTreeMap::new(),
        Some(file) => {
            let say = |why: String| {
                Stop::Say(format!("{}: {why}; write `dataset huggingface org/name COMMIT`", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|error| say(error.to_string()))?;
            resolved::parse(&text).map_err(say)?
        }
    };
    let resolved = resolve::resolve(&measures.references, &handed, old.as_ref(), day);
    let outside = outside(&arguments.from, old.as_ref(), day)?;

    let require = &measures.policy.require;
    let signed = require.signatures > 0 || require.policy_change_signatures > 0;
    let policy = std::fs::read(root.join(policy::FILE)).ok().map(|text| {
        use sha2::Digest;
        sha2::Sha256::digest(text).into()
    });
    let mut lock = Lock {
        repo,
        policy,
        seq: old.as_ref().and_then(|old| old.seq).or(signed.then_some(0)),
        locked: old.as_ref().and_then(|old| old.locked).filter(|_| signed),
        references: resolved.list,
        outside,
        files: measures.files.into_iter().map(|file| dated(file, old.as_ref(), day)).collect(),
    };
    let same = old.as_ref().is_some_and(|old| old.to_text() == lock.to_text());
    if !same {
        lock.seq = lock.seq.map(|seq| seq.saturating_add(1));
        lock.locked = lock.seq.map(|_| day);
        write_file(&path, lock.to_text().as_bytes())?;
    }
    tell(&lock, same, &resolved.open)
}

/// The lock that is there.
pub(super) fn read(path: &Path) -> Result<Option<Lock>, Stop> {
    match std::fs::read(path) {
        Ok(text) => Lock::parse(&text)
            .map(Some)
            .map_err(|error| Stop::Say(format!("{error}; move {} out of the way to write it anew", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Stop::Say(format!("cannot read {}: {error}; check its name, and that you may read it", path.display())))
        }
    }
}

/// The name that signatures are bound to.
fn repo(arguments: &Arguments, measures: &Measures, old: Option<&Lock>, root: &Path) -> Result<String, Stop> {
    let name = match (&arguments.repo, &measures.policy.repo, old) {
        (Some(name), ..) | (None, Some(name), _) => name.clone(),
        (None, None, Some(old)) => old.repo.clone(),
        (None, None, None) => {
            let folder = root.canonicalize()?;
            folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
        }
    };
    if let (Some(asked), Some(bound)) = (&arguments.repo, &measures.policy.repo)
        && asked != bound
    {
        return Err(Stop::Say(format!(
            "{} says `repo: {bound}`; a lock of {asked} would not be accepted. Leave --repo out, or change the policy",
            policy::FILE
        )));
    }
    if !is_name(&name) {
        return Err(Stop::Say("name the repository with --repo, in letters, digits and . _ / -".to_owned()));
    }
    Ok(name)
}

fn refuse_gaps(unread: &[Unread]) -> Result<(), Stop> {
    let Some(first) = unread.first() else { return Ok(()) };
    Err(Stop::Say(format!(
        "{}: {}; a lock must cover everything, so nothing was written ({} not read): fetch or mend it, or put it under \
         `exclude` in the policy",
        crate::report::escaped(&first.path),
        crate::report::escaped(&first.reason),
        unread.len()
    )))
}

/// A file with the day on which its content was first locked.
fn dated(file: LockedFile, old: Option<&Lock>, day: Date) -> LockedFile {
    let before = old.and_then(|old| old.file(file.path.as_bstr())).filter(|before| before.sha256 == file.sha256);
    let retrieved = before.map_or(Some(day), |before| before.retrieved.or(Some(day)));
    LockedFile { retrieved, ..file }
}

/// Folders outside of the repository: those that are named are hashed, those of the lock before stay as they were.
fn outside(from: &[(String, PathBuf)], old: Option<&Lock>, day: Date) -> Result<Vec<LockedFile>, Stop> {
    let is_of = |file: &LockedFile, name: &str| {
        file.path.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let before: &[LockedFile] = old.map_or(&[], |old| &old.outside);
    let mut files: Vec<LockedFile> =
        before.iter().filter(|file| !from.iter().any(|(name, _)| is_of(file, name))).cloned().collect();
    for (name, folder) in from {
        let mut unread = Vec::new();
        let found = hashed_outside(name, folder, Hashing::Both, &mut unread)?;
        refuse_gaps(&unread)?;
        files.extend(found.into_iter().map(|file| {
            let same = before.iter().find(|old| old.path == file.path && old.sha256 == file.sha256);
            LockedFile { retrieved: same.and_then(|old| old.retrieved).or(Some(day)), ..file }
        }));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // A span is the place in a text that is about to change.
    files.iter_mut().for_each(|file| file.span = crate::span::Span::default());
    Ok(files)
}

fn tell(lock: &Lock, same: bool, open: &[(String, Option<String>)]) -> Verdict {
    let mut out = io::stdout().lock();
    let (count, bytes) = (lock.files.len(), lock.files.iter().map(|file| file.size).sum::<u64>());
    let mut what = format!("{count} file{}, {bytes} bytes", if count == 1 { "" } else { "s" });
    if !lock.outside.is_empty() {
        what.push_str(&format!(", {} outside of the repository", lock.outside.len()));
    }
    if !lock.references.is_empty() {
        what.push_str(&format!(", {} names elsewhere", lock.references.len()));
    }
    if same {
        writeln!(out, "{} is up to date: {what}", policy::LOCK)?;
    } else if count == 0 && lock.outside.is_empty() {
        writeln!(out, "Wrote {}, which lists nothing: no file of a dataset was found", policy::LOCK)?;
    } else {
        writeln!(out, "Wrote {}: {what}. Commit it with the data", policy::LOCK)?;
    }
    if open.is_empty() {
        return Ok(0);
    }
    writeln!(out, "\nNothing here says what these names mean today, and nothing is downloaded to find out:\n")?;
    for (name, _) in open.iter().take(20) {
        writeln!(out, "  {}", crate::report::escaped(name))?;
    }
    if open.len() > 20 {
        writeln!(out, "  … and {} more", open.len() - 20)?;
    }
    let commands: Vec<&String> = open.iter().filter_map(|(_, command)| command.as_ref()).collect();
    if !commands.is_empty() {
        writeln!(out, "\nWhere there is a network, run these, then `foretaste lock --resolved resolved.txt` here:\n")?;
        for command in commands {
            writeln!(out, "  {command}")?;
        }
    }
    Ok(0)
}

/// The list for people without foretaste.
fn sums(lock: Option<&Lock>) -> Verdict {
    let Some(lock) = lock else {
        return Err(Stop::Say(format!("there is no {} here; write it with `foretaste lock`", policy::LOCK)));
    };
    let (sums, left) = lock.sums();
    if let Some(first) = left.first() {
        return Err(Stop::Say(format!(
            "{} cannot stand in such a list; rename it, or check with `foretaste verify`",
            crate::report::escaped(first)
        )));
    }
    io::stdout().lock().write_all(sums.as_bytes())?;
    Ok(0)
}
