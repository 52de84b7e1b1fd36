//! `foretaste init`: looks at the repository, writes a policy, the workflow and the hooks, and tells what it found.

use std::io::{self, Write};

use clap::Args;

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::{Console, Stop, Verdict, environment, hook, repository, root, write_file};
use crate::engine::{Checker, Outcome};
use crate::format::{Target, Verdict as Pinned};
use crate::lens::Standing;
use crate::policy::init::{Data, Named, Plan, Seen, plan};
use crate::policy::{self, Policy};
use crate::source::Scope;

/// What `foretaste init` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Leave the git hooks of this clone alone.
    #[arg(long)]
    no_hook: bool,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    if root.join(policy::FILE).symlink_metadata().is_ok() {
        return Err(Stop::Say(format!(
            "{} is there already; edit it, or move it away to have it written anew",
            policy::FILE
        )));
    }
    let day = super::as_of(&arguments.judging.as_of)?;
    let checker = Checker::new().environment(environment()).as_of(day).scope(Scope::Worktree);
    let outcome = checker.recording().run_with(&root, &Bar::new(console.quiet))?;
    let known = crate::check::known();
    let Plan { files, told } = plan(&seen(&outcome, &root, day)?, day, &known);

    let mut out = io::stdout().lock();
    writeln!(out, "foretaste looked at {} files and {} records.", outcome.looked_at.files, outcome.looked_at.records)?;
    for sentence in &told {
        writeln!(out, "  {}", crate::report::escaped(sentence))?;
    }
    writeln!(out)?;
    for (path, text) in &files {
        let there = root.join(path);
        if arguments.dry_run {
            writeln!(out, "--- {path}\n{text}")?;
        } else if path.ends_with(".yml") && there.symlink_metadata().is_ok() {
            writeln!(out, "{path} is there already and stays as it is")?;
        } else {
            write_file(&there, text.as_bytes())?;
            writeln!(out, "wrote {path}")?;
        }
    }
    if arguments.dry_run {
        return Ok(0);
    }
    drop(out);
    if !arguments.no_hook {
        hook::install()?;
    }
    writeln!(io::stdout().lock(), "\nThis is what the new policy says of what is there today:\n")?;
    // What lies in data is never excused: it is shown, and decides the exit code.
    let outcome =
        check::checker(&arguments.judging)?.scope(Scope::Worktree).run_with(&root, &Bar::new(console.quiet))?;
    let code = check::show(&outcome, &arguments.judging, &arguments.showing, console)?;
    let mut out = io::stdout().lock();
    if !console.quiet {
        match code {
            0 => writeln!(out, "\nRead {}, correct what was guessed wrong, and commit it.", policy::FILE)?,
            _ => writeln!(
                out,
                "\nLook at these first. What is harmless can be accepted with `foretaste accept`, what is old with \
                 `foretaste baseline`."
            )?,
        }
    }
    Ok(code)
}

/// What the plan needs to know of the repository.
fn seen(outcome: &Outcome, root: &std::path::Path, day: jiff::civil::Date) -> Result<Seen, Stop> {
    let path = |id: crate::span::BlobId| outcome.blobs[id.0 as usize].path.clone();
    // Standing is a matter of the path alone while there is no policy.
    let standing = |id| Policy::builtin(day).lens(path(id).as_ref()).standing;
    let matters = |standing| !matches!(standing, Standing::Docs | Standing::Test);
    let data = outcome
        .guesses
        .iter()
        .filter(|(id, _)| matters(standing(*id)))
        .map(|(id, guess)| Data {
            path: path(*id),
            shape: guess.shape,
            fields: guess.fields.clone(),
            support: guess.support,
            records: outcome.records_of(*id).unwrap_or_default(),
        })
        .collect();
    let mut named: Vec<Named> = outcome
        .references
        .iter()
        .filter(|(id, reference)| reference.is_remote() && matters(standing(*id)))
        .map(|(_, reference)| Named {
            hub: reference.hub.to_owned(),
            target: reference.target.clone(),
            model: reference.kind == Target::Model,
            unpinned: matches!(reference.verdict, Pinned::Unpinned | Pinned::Weak),
        })
        .collect();
    named.sort();
    named.dedup();
    let attributes = match std::fs::read_to_string(root.join(".gitattributes")) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(String::new()),
        // What cannot be read is not rewritten.
        Err(_) => None,
    };
    let cards = outcome.cards.iter().filter(|(id, _)| standing(*id) != Standing::Test);
    let licences = cards.flat_map(|(id, card)| {
        card.licences.iter().filter_map(move |said| Some((path(*id), crate::format::cards::spdx(&said.text)?)))
    });
    Ok(Seen {
        data,
        named,
        licences: licences.collect(),
        default_branch: repository()?.default_branch(),
        workflow: include_str!("../../hooks/github/foretaste.yml"),
        attributes,
    })
}
