//! `foretaste verify`: compares the data on disk with foretaste.lock, and checks its signatures.

use std::path::PathBuf;

use clap::Args;

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::{Console, Stop, Verdict, lock, root};
use crate::policy;
use crate::policy::lock::Moment;
use crate::source::Scope;

/// What `foretaste verify` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Compare by BLAKE3 alone, which is faster; SHA-256 is what is signed.
    #[arg(long)]
    blake3: bool,
    /// Where a folder outside of the repository is that `lock --from` locked.
    #[arg(long, value_name = "NAME=FOLDER", value_parser = lock::folder)]
    from: Vec<(String, PathBuf)>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    if !root.join(policy::LOCK).exists() {
        return Err(Stop::Say(format!("there is no {} here; write it with `foretaste lock`", policy::LOCK)));
    }
    // Keys and thresholds come from HEAD: whoever changed the data on disk must not choose who may sign for it.
    let checker = check::checker(&arguments.judging)?
        .scope(Scope::Worktree)
        .policy_from_head()
        .hashing(arguments.blake3)
        .outside(&arguments.from)
        .moment(Moment::Merge)
        .only(&["digest-mismatch", "bad-signature"]);
    let outcome = checker.run_with(&root, &Bar::new(console.quiet))?;
    check::show(&outcome, &arguments.judging, &arguments.showing, console)
}
