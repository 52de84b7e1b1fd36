//! `foretaste demo`: a small repository with an honest history and a poisoning campaign in it, and what a contributor,
//! a reviewer and a maintainer would see of it.

mod campaign;
mod intents;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Console, Stop, Verdict};
use crate::engine::{Checker, Outcome};
use crate::report::{Format, Options, Report};
use crate::source::Scope;

/// What `foretaste demo` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Build the repository in this new folder and keep it, to look around in it with git.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let temporary;
    let folder: &Path = match &arguments.keep {
        Some(folder) => {
            std::fs::create_dir(folder).map_err(|error| {
                Stop::Say(format!("cannot make {}: {error}; name a folder that is not there yet", folder.display()))
            })?;
            folder
        }
        None => {
            temporary = tempfile::tempdir()?;
            temporary.path()
        }
    };
    campaign::build(folder).map_err(|error| {
        Stop::Say(format!("the demo repository could not be built: {error}; name another folder with --keep"))
    })?;

    let mut out = io::stdout().lock();
    writeln!(
        out,
        "A support team trains an intent classifier. Its repository has seven honest commits by three people.\n\
         Then somebody new offers help.\n"
    )?;
    let found = [
        scene(
            &mut out,
            console,
            folder,
            "1. The contributor, at `git commit` (foretaste check --staged)",
            "Twelve new rows, one with a message that no eye can see.",
            Scope::Staged,
        )?,
        scene(
            &mut out,
            console,
            folder,
            "2. The reviewer, in the pull request (foretaste check --range main..tidy-up)",
            "\"Tidy up the training file\": 400 rows reformatted, and some of them relabelled on the way.",
            Scope::Range { base: "main".into(), head: "tidy-up".into() },
        )?,
        scene(
            &mut out,
            console,
            folder,
            "3. The maintainer, looking at a release (foretaste check --rev v2)",
            "What the campaign left behind after it was merged.",
            Scope::Revision("v2".into()),
        )?,
    ];
    match &arguments.keep {
        Some(folder) => writeln!(out, "The repository stays in {}.", folder.display())?,
        None => writeln!(out, "Look around yourself: foretaste demo --keep FOLDER")?,
    }
    // A demonstration in which nothing is found is broken.
    Ok(u8::from(found.contains(&0)))
}

/// Runs one check and shows it; gives the number of findings.
fn scene(
    out: &mut impl Write,
    console: &Console,
    folder: &Path,
    title: &str,
    story: &str,
    scope: Scope,
) -> Result<usize, Stop> {
    writeln!(out, "{title}\n{}\n{story}\n", "=".repeat(title.chars().count()))?;
    let outcome: Outcome = Checker::new().as_of(campaign::TODAY).scope(scope).run(folder)?;
    let options = Options { colour: console.color, quiet: console.quiet, ..Options::default() };
    Report::new(&outcome, &outcome, &options).write(Format::Human, &options, out)?;
    writeln!(out)?;
    Ok(outcome.findings.len())
}
