//! `foretaste accept`: proposes an exception for a finding, with a reason and an end date.

use std::io::{self, Write};

use clap::Args;

use super::progress::Bar;
use super::{AsOf, Console, Stop, Verdict, as_of, environment, repository, root, write_file};
use crate::engine::Checker;
use crate::finding::Mark;
use crate::policy;
use crate::policy::propose::{Proposal, propose};
use crate::source::Scope;

/// What `foretaste accept` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Fingerprint of the finding, or of one of its places, as a report shows it.
    #[arg(value_name = "FINGERPRINT", value_parser = fingerprint)]
    fingerprint: String,
    /// Why it is harmless, for whoever reviews the exception.
    #[arg(long)]
    reason: String,
    /// The last day on which it is excused (YYYY-MM-DD); a year from now without it.
    #[arg(long, value_name = "DATE")]
    until: Option<jiff::civil::Date>,
    /// Who answers for it; the mail address that git knows you by without it.
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,
    #[command(flatten)]
    as_of: AsOf,
}

fn fingerprint(text: &str) -> Result<String, String> {
    let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    if hex {
        Ok(text.to_owned())
    } else {
        Err("a fingerprint has 32 hexadecimal digits, as the report shows it".into())
    }
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    let day = as_of(&arguments.as_of)?;
    let until = arguments.until.unwrap_or_else(|| day.saturating_add(jiff::Span::new().years(1)));
    if until < day {
        return Err(Stop::Say(format!("{until} has passed; name a day to come")));
    }
    let owner = owner(arguments.owner.as_deref())?;
    let (rule, fingerprints) = places_of(&arguments.fingerprint, &root, day, console)?;
    let proposal = Proposal {
        rule: rule.to_owned(),
        fingerprints,
        reason: arguments.reason.clone(),
        owner,
        until,
        ..Proposal::default()
    };
    record(&root, &proposal, day)
}

/// Who answers for an exception: as it was said, or the author that git would name.
pub(super) fn owner(said: Option<&str>) -> Result<String, Stop> {
    match said {
        Some(owner) => Ok(owner.to_owned()),
        None => match std::env::var("GIT_AUTHOR_EMAIL") {
            Ok(mail) => Ok(mail),
            Err(_) => repository()?
                .mail()
                .ok_or_else(|| Stop::Say("say who answers for it: --owner you@example.org".to_owned())),
        },
    }
}

/// Writes an exception into the policy of the work tree.
pub(super) fn record(root: &std::path::Path, proposal: &Proposal, day: jiff::civil::Date) -> Verdict {
    let path = root.join(policy::FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Stop::Say(format!(
                "cannot read {}: {error}; check its name, and that you may read it",
                path.display()
            )));
        }
    };
    let text = propose(policy::FILE, text.as_deref(), proposal, day, &crate::check::known())?;
    write_file(&path, text.as_bytes())?;
    writeln!(
        io::stdout().lock(),
        "Proposed an exception for {} in {}. It counts once it is on the base branch; until then the finding stays.",
        proposal.rule,
        policy::FILE
    )?;
    Ok(0)
}

/// The rule behind a fingerprint, and the fingerprints of the places to accept: what is accepted are places, so that a
/// cause that grows fires for what is new. Looked for where people meet findings, in the index and in the work tree.
fn places_of(
    fingerprint: &str,
    root: &std::path::Path,
    day: jiff::civil::Date,
    console: &Console,
) -> Result<(&'static str, Vec<String>), Stop> {
    for scope in [Scope::Staged, Scope::Worktree] {
        let checker = Checker::new().environment(environment()).as_of(day).scope(scope).everything().show_info(true);
        let outcome = checker.run_with(root, &Bar::new(console.quiet))?;
        for finding in &outcome.findings {
            let place = |mark: &Mark| {
                let path = &outcome.blobs[mark.place.blob.0 as usize].path;
                finding.place_fingerprint(path, mark)
            };
            if finding.fingerprint() == fingerprint {
                if finding.total > finding.marks.len() as u64 {
                    return Err(Stop::Say(format!(
                        "this finding has {} places, too many for one exception; accept what is there today with \
                         `foretaste baseline`",
                        finding.total
                    )));
                }
                let mut places: Vec<_> = finding.marks.iter().map(place).collect();
                places.sort();
                places.dedup();
                return Ok((finding.rule.id, places));
            }
            if finding.marks.iter().any(|mark| place(mark) == fingerprint) {
                return Ok((finding.rule.id, vec![fingerprint.to_owned()]));
            }
        }
    }
    Err(Stop::Say(format!(
        "nothing in the work tree or the index has the fingerprint {fingerprint}; check out the change that it was \
         reported for"
    )))
}
