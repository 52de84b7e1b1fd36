//! `foretaste inventory`: what the repository holds and takes in, declared or not.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::check::checker_of;
use super::progress::Bar;
use super::{AsOf, Console, Verdict};
use crate::report::inventory;
use crate::source::Scope;

/// What `foretaste inventory` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// List all files of a revision instead of the work tree.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Files and folders to list; everything without them.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Look things up in this policy file instead of the one on the trusted side.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What standard output gets.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    #[command(flatten)]
    as_of: AsOf,
}

#[derive(Copy, Clone, Debug, Default, ValueEnum)]
enum Form {
    /// Tables for people.
    #[default]
    Human,
    /// For programs: `foretaste-inventory/1`, with a published schema.
    Json,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let scope = arguments.rev.clone().map_or(Scope::Worktree, Scope::Revision);
    let checker = checker_of(arguments.policy.as_deref(), &arguments.as_of)?.scope(scope).paths(&arguments.paths);
    let listed = checker.inventory(Path::new("."), &Bar::new(console.quiet))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Human => inventory::human(&listed, &mut out)?,
        Form::Json => inventory::json(&listed, &mut out)?,
    }
    out.flush()?;
    Ok(if listed.unread.is_empty() { 0 } else { 3 })
}
