//! `foretaste verify`: compares the data on disk with foretaste.lock, and checks its signatures.

use clap::Args;

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::{Console, Stop, Verdict, root};
use crate::policy;
use crate::source::Scope;

/// What `foretaste verify` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
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
        .only(&["digest-mismatch", "bad-signature"]);
    let outcome = checker.run_with(&root, &Bar::new(console.quiet))?;
    check::show(&outcome, &arguments.judging, &arguments.showing, console)
}
