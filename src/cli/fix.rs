//! `foretaste fix`: takes hidden characters out of files, or moves their rows aside.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bstr::BString;
use clap::Args;

use super::check::checker_of;
use super::{AsOf, Console, Stop, Verdict};
use crate::engine::{Checker, Listed};
use crate::fix::{self, Aside, Fixer, Moving, Plan, Rewrite, Shelf, Target};
use crate::policy;
use crate::report::{escaped, patch};
use crate::rule::Severity;

/// What `foretaste fix` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files and folders to look at; the whole work tree without them. Outside a repository: plain files.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rewrite the files. Without it a diff shows what would change.
    #[arg(long, conflicts_with = "dry_run")]
    write: bool,
    /// Move rows with hidden characters or a trigger, and their labels, to this file.
    #[arg(long, value_name = "FILE")]
    quarantine: Option<PathBuf>,
    /// Also cut what some language or layout may need: joiners and zero-width spaces that nothing explains, soft hyphens,
    /// direction controls, stray selectors; and make no-break spaces plain ones.
    #[arg(long)]
    aggressive: bool,
    /// Only show what would be written, also with --quarantine.
    #[arg(long)]
    dry_run: bool,
    /// Judge by this policy file instead of the work tree's.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    as_of: AsOf,
}

pub(super) const AFTER_HELP: &str = "\
Exit codes: 0 nothing to do, or written; 1 a dry run would change something, or something was refused; 2 could not start;
3 something in scope was not read.";

/// Rules whose rows are moved aside. The first is asked again for each row, without a cap.
const SUSPECT: &[&str] = &["invisible-unicode", "trigger-phrase", "hidden-markup", "mixed-script", "template-token"];

/// What has been done so far, for the exit code and the last lines.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    characters: u64,
    rows: u64,
    data: bool,
    left: u64,
    refused: u64,
    unread: u64,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let checker = checker_of(arguments.policy.as_deref(), &arguments.as_of)?.paths(&arguments.paths);
    let listed = checker.listed(Path::new("."))?;
    let fixer = Fixer::new(&listed, arguments.aggressive)?;
    let mut tally = Tally::default();
    for unread in &listed.unread {
        say_unread(&unread.path, &unread.reason, &mut tally)?;
    }
    let does_write = arguments.write || arguments.quarantine.is_some() && !arguments.dry_run;
    if let Some(file) = &arguments.quarantine {
        quarantine(arguments, file, &checker, &listed, &fixer, console, &mut tally)?;
    }
    if arguments.quarantine.is_none() || arguments.write {
        rewrite(arguments, &listed, &fixer, console, &mut tally)?;
    }
    summary(arguments, does_write, &listed, console, &tally)?;
    let changes = tally.files > 0 && !does_write;
    Ok(match () {
        () if changes || tally.refused > 0 => 1,
        () if tally.unread > 0 => 3,
        () => 0,
    })
}

/// Cuts hidden characters out of every file in scope.
fn rewrite(
    arguments: &Arguments,
    listed: &Listed,
    fixer: &Fixer<'_>,
    console: &Console,
    tally: &mut Tally,
) -> Result<(), Stop> {
    for entry in &listed.entries {
        match fixer.plan(entry) {
            Err(reason) => say_unread(&entry.path, &reason, tally)?,
            Ok(Plan::Nothing { left }) => tally.left += left,
            Ok(Plan::Refused(reason)) => say_refused(&entry.path, &reason, tally)?,
            Ok(Plan::Rewrite(change)) => {
                if arguments.write {
                    let target =
                        Target { file: &change.file, before: Some(&change.before), inside: listed.work_tree() };
                    if let Err(reason) = fix::write(&target, &change.after) {
                        say_refused(&change.path, &reason, tally)?;
                        continue;
                    }
                    if !console.quiet {
                        let characters = count(change.characters, "hidden character", "hidden characters");
                        writeln!(io::stdout(), "{}: cut {characters}", escaped(&change.path))?;
                    }
                } else {
                    show(&change, listed, console)?;
                }
                tally.files += 1;
                tally.characters += change.characters;
                tally.data |= change.is_data;
                tally.left += change.left;
            }
        }
    }
    Ok(())
}

fn show(change: &Rewrite, listed: &Listed, console: &Console) -> Result<(), Stop> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match crate::format::decode(&change.before, &listed.policy.limits) {
        Ok(decoded) => patch::edits(&change.path, &decoded.bytes, &change.edits, console.color, &mut out)?,
        Err(reason) => return Err(Stop::Say(format!("{}: {reason}; leave it out", change.path))),
    }
    Ok(out.flush()?)
}

/// Moves suspicious rows to the side file. The side file is written first: should anything go wrong then, rows stand
/// in both places instead of in none.
fn quarantine(
    arguments: &Arguments,
    file: &Path,
    checker: &Checker,
    listed: &Listed,
    fixer: &Fixer<'_>,
    console: &Console,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let failed =
        |reason: String| Stop::Say(format!("{}: {reason}; name another file with --quarantine", file.display()));
    let mut shelf = Shelf::open(file, listed.policy.limits.blob).map_err(failed)?;
    let side = file.canonicalize().ok();
    let (named, more) = named(checker)?;
    let nothing = BTreeSet::new();
    let mut moved: Vec<Box<Aside>> = Vec::new();
    for entry in &listed.entries {
        let is_side = matches!((&entry.content, &side), (Some(crate::source::Content::File(here)), Some(side))
            if here.canonicalize().is_ok_and(|here| here == *side));
        if is_side {
            continue;
        }
        match fixer.aside(entry, named.get(&entry.path).unwrap_or(&nothing)) {
            Err(reason) => say_unread(&entry.path, &reason, tally)?,
            Ok(Moving::Nothing) => {}
            Ok(Moving::Refused(reason)) => say_refused(&entry.path, &reason, tally)?,
            Ok(Moving::Rows(aside)) => match shelf.take(&aside) {
                Ok(()) => moved.push(aside),
                Err(reason) => say_refused(&entry.path, &reason, tally)?,
            },
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let bytes = shelf.bytes().map_err(failed)?;
    if !arguments.dry_run {
        let target = Target { file: &shelf.file, before: shelf.before.as_deref(), inside: None };
        fix::write(&target, &bytes).map_err(failed)?;
    }
    for aside in &moved {
        let rows = aside.rows.len() as u64;
        if arguments.dry_run {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let decoded = crate::format::decode(&aside.before, &listed.policy.limits).map_err(Stop::Say)?;
            patch::rows(&aside.path, &decoded.bytes, &aside.spans, console.color, &mut out)?;
            out.flush()?;
        } else {
            let target = Target { file: &aside.file, before: Some(&aside.before), inside: listed.work_tree() };
            if let Err(reason) = fix::write(&target, &aside.after) {
                let both = format!(
                    "its {} stand in {} now, and still here: {reason}",
                    plural(rows, "row", "rows"),
                    file.display()
                );
                say_refused(&aside.path, &both, tally)?;
                continue;
            }
            if !console.quiet {
                let rows = count(rows, "row", "rows");
                writeln!(io::stdout(), "{}: moved {rows} to {}", escaped(&aside.path), file.display())?;
            }
        }
        tally.files += 1;
        tally.rows += rows;
    }
    if more && !console.quiet {
        writeln!(io::stderr(), "There are more such rows than one run lists; run it again until nothing is moved.")?;
    }
    Ok(())
}

/// Rows that findings of the whole data set name, by path, and whether there are more than they list.
fn named(checker: &Checker) -> Result<(BTreeMap<BString, BTreeSet<u64>>, bool), Stop> {
    let mut named: BTreeMap<BString, BTreeSet<u64>> = BTreeMap::new();
    let mut more = false;
    let outcome = checker.clone().only(SUSPECT).run(".")?;
    for finding in outcome.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        // Rows with hidden characters are asked one by one, without a cap.
        let of_rows = finding.rule.id == SUSPECT[0]
            && finding
                .evidence
                .get("finding")
                .and_then(|name| name.as_str())
                .is_none_or(|name| !name.ends_with("-trigger"));
        more |= !of_rows && finding.total > finding.marks.len() as u64;
        for mark in &finding.marks {
            let path = outcome.blobs.get(mark.place.blob.0 as usize).map(|blob| blob.path.clone());
            if let (Some(path), Some(record)) = (path, mark.record) {
                named.entry(path).or_default().insert(record);
            }
        }
    }
    Ok((named, more))
}

fn say_unread(path: &BString, reason: &str, tally: &mut Tally) -> Result<(), Stop> {
    tally.unread += 1;
    Ok(writeln!(io::stderr(), "{}: not read: {}", escaped(path), escaped(reason))?)
}

fn say_refused(path: &BString, reason: &str, tally: &mut Tally) -> Result<(), Stop> {
    tally.refused += 1;
    Ok(writeln!(io::stderr(), "{}: not changed: {}", escaped(path), escaped(reason))?)
}

fn summary(arguments: &Arguments, wrote: bool, listed: &Listed, console: &Console, tally: &Tally) -> Result<(), Stop> {
    if console.quiet {
        return Ok(());
    }
    let mut err = io::stderr().lock();
    let files = count(tally.files, "file", "files");
    match (tally.files, wrote) {
        (0, _) if tally.refused == 0 => writeln!(err, "Nothing to fix.")?,
        (0, _) => {}
        (_, true) if tally.rows == 0 => writeln!(err, "Rewrote {files}.")?,
        (_, true) => {
            writeln!(
                err,
                "Moved {} out of {files}. Keep the side file away from training: outside of the repository, or under \
                 `exclude` in {}.",
                count(tally.rows, "row", "rows"),
                policy::FILE
            )?;
        }
        (_, false) if tally.rows > 0 => {
            writeln!(
                err,
                "{} of {files} would be moved. Leave out --dry-run to do it.",
                count(tally.rows, "row", "rows")
            )?;
        }
        (_, false) => {
            let characters = count(tally.characters, "hidden character", "hidden characters");
            writeln!(err, "{files} would change: {characters} cut. `foretaste fix --write` does it.")?;
        }
    }
    if tally.data && arguments.quarantine.is_none() {
        writeln!(
            err,
            "A row that carried a trigger keeps the label that was flipped for it: look at these rows, or move them \
             away with `foretaste fix --quarantine FILE`."
        )?;
    }
    if tally.left > 0 && !arguments.aggressive && arguments.quarantine.is_none() {
        writeln!(
            err,
            "{} may be honest and stay; --aggressive cuts them, too.",
            count(tally.left, "hidden character", "hidden characters")
        )?;
    }
    let locked = listed.work_tree().is_some_and(|top| top.join(policy::LOCK).exists());
    if wrote && tally.files > 0 && locked {
        writeln!(err, "Run `foretaste lock` once the rows have been looked at: the hashes have changed.")?;
    }
    Ok(())
}

fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", plural(n, one, many))
}

fn plural<'t>(n: u64, one: &'t str, many: &'t str) -> &'t str {
    if n == 1 { one } else { many }
}
