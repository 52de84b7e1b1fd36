//! `foretaste audit`: who changed which labels when, over the whole history.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::accept::{owner, record};
use super::check::{Judging, Showing, checker, show};
use super::progress::Bar;
use super::{Console, Stop, Verdict, as_of, root};
use crate::engine::Outcome;
use crate::engine::audit::Asked;
use crate::policy::propose::Proposal;

/// Digits by which a commit is named at least.
const SHORTEST: usize = 7;

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
    /// Accept what is said of this commit (or the finding with this fingerprint), with a reason: history cannot be mended.
    #[arg(long, value_name = "COMMIT", requires = "reason")]
    accept: Option<String>,
    /// Why it is harmless, or what was done about it.
    #[arg(long, requires = "accept")]
    reason: Option<String>,
    /// The last day on which it is excused (YYYY-MM-DD); ten years from now without it.
    #[arg(long, value_name = "DATE", requires = "accept")]
    until: Option<jiff::civil::Date>,
    /// Who answers for it; the mail address of the git author without it.
    #[arg(long, value_name = "WHO", requires = "accept")]
    owner: Option<String>,
    /// Read all versions anew, and keep nothing of them in the cache folder of the user.
    #[arg(long)]
    no_cache: bool,
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
    let cache = if arguments.no_cache { None } else { cache_folder() };
    let outcome = checker(&arguments.judging)?.cache(cache).audit(std::path::Path::new("."), &asked, &bar)?;
    if let Some(what) = &arguments.accept {
        return accept(arguments, what, &outcome);
    }
    show(&outcome, &arguments.judging, &arguments.showing, console)
}

/// Where the user's programs keep what they can compute again.
fn cache_folder() -> Option<PathBuf> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))
}

/// Proposes exceptions for all that is said of a commit.
fn accept(arguments: &Arguments, what: &str, outcome: &Outcome) -> Verdict {
    let day = as_of(&arguments.judging.as_of)?;
    let until = match arguments.until {
        Some(until) if until < day => return Err(Stop::Say(format!("{until} has passed; name a day to come"))),
        Some(until) => until,
        None => day.saturating_add(jiff::Span::new().years(10)),
    };
    let owner = owner(arguments.owner.as_deref())?;
    let mut by_rule: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in &outcome.findings {
        let commit = finding.evidence.get("commit").and_then(|id| id.as_str()).unwrap_or_default();
        let named = what.len() >= SHORTEST && commit.starts_with(what);
        let fingerprint = finding.fingerprint();
        if named || fingerprint == what {
            by_rule.entry(finding.rule.id).or_default().push(fingerprint);
        }
    }
    if by_rule.is_empty() {
        return Err(Stop::Say(format!(
            "nothing in this history is said of {what}; name a commit by {SHORTEST} digits or more, as the report shows it"
        )));
    }
    for (rule, fingerprints) in by_rule {
        let reason = arguments.reason.clone().unwrap_or_default();
        let rule = rule.to_owned();
        let proposal = Proposal { rule, fingerprints, reason, owner: owner.clone(), until, ..Proposal::default() };
        record(&root()?, &proposal, day)?;
    }
    Ok(0)
}
