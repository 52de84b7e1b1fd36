//! `foretaste audit`: who changed which labels when, over the whole history.

use clap::Args;

use super::check::{Judging, Showing, checker, show};
use super::progress::Bar;
use super::{Console, Verdict};
use crate::engine::audit::Asked;

/// What `foretaste audit` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Audit what came after this revision; what it reaches is only the past that the rest is held against.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// Follow these references besides HEAD and the tags: a pattern of full names, such as refs/heads/*; any number of
    /// times. Pull requests are never followed unless asked for.
    #[arg(long, value_name = "GLOB")]
    refs: Vec<String>,
    /// Fail (exit code 3) where a part of the history could not be read.
    #[arg(long)]
    require_coverage: bool,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let asked = Asked {
        since: arguments.since.clone(),
        refs: arguments.refs.clone(),
        require_coverage: arguments.require_coverage,
    };
    let bar = Bar::new(console.quiet);
    let outcome = checker(&arguments.judging)?.audit(std::path::Path::new("."), &asked, &bar)?;
    show(&outcome, &arguments.judging, &arguments.showing, console)
}
