//! `foretaste lock`: records what the data in the work tree is.

use std::io::{self, Write};

use clap::Args;

use super::progress::Bar;
use super::{AsOf, Console, Stop, Verdict, as_of, environment, root, write_file};
use crate::engine::Checker;
use crate::policy::lock::{Lock, LockedFile, is_name};
use crate::policy::{self};

/// What `foretaste lock` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Name of the repository that signatures are bound to: `repo` of the policy, else that of the lock that is there, else
    /// the folder's name.
    #[arg(long, value_name = "NAME")]
    repo: Option<String>,
    #[command(flatten)]
    as_of: AsOf,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    let path = root.join(policy::LOCK);
    let old =
        match std::fs::read(&path) {
            Ok(text) => Some(Lock::parse(&text).map_err(|error| {
                Stop::Say(format!("{error}. Move {} out of the way to write it anew", path.display()))
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Stop::Say(format!("cannot read {}: {error}", path.display()))),
        };
    let checker = Checker::new().environment(environment()).as_of(as_of(&arguments.as_of)?).policy_from_worktree();
    let policy = checker.judged_by(&root)?.0;
    let repo = match (&arguments.repo, &policy.repo, &old) {
        (Some(name), Some(repo), _) if name != repo => {
            return Err(Stop::Say(format!(
                "{} says `repo: {repo}`; a lock of {name} would not be accepted. Leave --repo out, or change the policy",
                policy::FILE
            )));
        }
        (Some(name), _, _) | (None, Some(name), _) => name.clone(),
        (None, None, Some(old)) => old.repo.clone(),
        (None, None, None) => {
            let folder = root.canonicalize()?;
            folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
        }
    };
    if !is_name(&repo) {
        return Err(Stop::Say("name the repository with --repo, in letters, digits and . _ / -".to_owned()));
    }

    let measures = checker.measure(&root, &Bar::new(console.quiet))?;
    if let Some(first) = measures.unread.first() {
        let path = crate::report::escaped(&first.path);
        return Err(Stop::Say(format!(
            "{path}: {}. A lock must cover everything, so nothing was written ({} not read)",
            crate::report::escaped(&first.reason),
            measures.unread.len()
        )));
    }
    let mut lock = Lock {
        repo,
        policy: std::fs::read(root.join(policy::FILE)).ok().map(|text| {
            use sha2::Digest;
            sha2::Sha256::digest(text).into()
        }),
        seq: old.as_ref().and_then(|old| old.seq).or(measures.signed.then_some(0)),
        files: measures
            .files
            .into_iter()
            .map(|file| LockedFile {
                path: file.path,
                sha256: file.sha256,
                blake3: file.blake3,
                size: file.size,
                records: file.records,
                span: crate::span::Span::default(),
            })
            .collect(),
    };
    let same = old.as_ref().is_some_and(|old| old.to_text() == lock.to_text());
    if !same {
        lock.seq = lock.seq.map(|seq| seq.saturating_add(1));
        write_file(&path, lock.to_text().as_bytes())?;
    }
    let mut out = io::stdout().lock();
    let (count, bytes) = (lock.files.len(), lock.files.iter().map(|file| file.size).sum::<u64>());
    let what = format!("{count} file{}, {bytes} bytes", if count == 1 { "" } else { "s" });
    if same {
        writeln!(out, "{} is up to date: {what}", policy::LOCK)?;
    } else if count == 0 {
        writeln!(out, "Wrote {}, which lists nothing: no file of a dataset was found", policy::LOCK)?;
    } else {
        writeln!(out, "Wrote {}: {what}. Commit it with the data", policy::LOCK)?;
    }
    Ok(0)
}
