//! Times and zones. All of them are claims, and all of them are stamped by the machine of whoever committed.

use std::collections::BTreeMap;

use serde_json::json;

use super::{DAY, Evidence, Past, Signal, WEEK};
use crate::check::labels::people::{Identity, mail};
use crate::source::Commit;

/// Commits of one person within a week from which on they may be a burst.
const BURST: u64 = 10;

impl Past {
    /// A stamp of a zone that the author hardly ever has, and that is the usual one of whoever committed it.
    pub(super) fn foreign_zone(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let mine = self.zones(&mail(&commit.author))?;
        let all: usize = mine.values().sum();
        let home = modal(mine)?;
        let here = commit.author.offset;
        let rare = mine.get(&here).copied().unwrap_or(0) * 50 < all;
        let committer = mail(&commit.committer);
        if all < 30
            || !rare
            || here == 0
            || (here - home).unsigned_abs() < 3 * 3600
            || committer == mail(&commit.author)
        {
            return None;
        }
        let theirs = self.zones(&committer)?;
        (modal(theirs) == Some(here)).then(|| {
            let maintainers = self.maintainers();
            let theirs = self.mails.get(&committer).map(|trail| &trail.people);
            let words = format!(
                "is stamped {} and not {}, which is the zone of another, who committed it",
                zone(here),
                zone(home)
            );
            Signal::new("foreign-timezone", json!(zone(here)), json!(zone(home)), words)
                .alone(maintainers.contains(&identity) && theirs.is_none_or(|ids| ids.is_disjoint(&maintainers)))
        })
    }

    /// Faster than any aeroplane.
    pub(super) fn jump(&self, commit: &Commit) -> Option<Signal> {
        let stamps = &self.mails.get(&mail(&commit.author))?.stamps;
        let &(seconds, offset) = stamps.range(..(commit.author.seconds, i32::MIN)).next_back()?;
        let (change, time) = ((commit.author.offset - offset).unsigned_abs(), commit.author.seconds - seconds);
        let utc = commit.author.offset == 0 || offset == 0;
        (!utc && change >= 180 * 60 && time < i64::from(change)).then(|| {
            let (from, to, minutes) = (zone(offset), zone(commit.author.offset), time / 60);
            let value = json!(format!("{from} to {to} in {minutes} min"));
            let words = format!("went from {from} to {to} in {minutes} minutes");
            Signal::new("impossible-timezone-jump", value, json!("as long as the zones are apart"), words)
        })
    }

    /// A commit that is older than what it stands on, or committed before it was written, or written long before a
    /// newcomer committed it.
    pub(super) fn order(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let (author, committer) = (commit.author.seconds, commit.committer.seconds);
        let parent = commit.before.iter().filter_map(|id| self.commits.get(id)).map(|&(seconds, _)| seconds).max();
        let (value, threshold, words) = if author - committer > 60 {
            let minutes = (author - committer) / 60;
            (json!(format!("-{minutes} min")), "committed after it was written", "was committed before it was written")
        } else if let Some(early) = parent.map(|parent| parent - committer).filter(|&early| early > DAY) {
            (
                json!(format!("{} days", early / DAY)),
                "not a day older than its parent",
                "is older than what it stands on",
            )
        } else if committer - author > 365 * DAY && self.is_new(identity) {
            let days = (committer - author) / DAY;
            (json!(format!("{days} days")), "365 days", "was written a year before a newcomer committed it")
        } else {
            return None;
        };
        Some(Signal::new("timestamp-order", value, json!(threshold), words).context())
    }

    /// Data that rested for long wakes with other labels.
    pub(super) fn revival(&self, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        if evidence.flips == 0 || !self.is_settled() {
            return None;
        }
        let days = (commit.author.seconds - self.latest.last()?) / DAY;
        // Days that the data may rest before its waking is unusual.
        let rest = self.rest(self.log.len()) / DAY;
        (days >= rest).then(|| {
            let words = format!("changes labels after the data rested for {days} days");
            Signal::new("dormant-revival", json!(days), json!(rest), words)
        })
    }

    /// Seconds that the data may rest before its waking is unusual, after so many commits.
    pub(super) fn rest(&self, commits: usize) -> i64 {
        let mut times: Vec<i64> = self.log[..commits].iter().map(|&(seconds, _)| seconds).collect();
        times.sort_unstable();
        let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        let p99 = gaps.get(gaps.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(0);
        (180 * DAY).max(3 * p99)
    }

    /// Far more commits of one person within a week than weeks of this repository have.
    pub(super) fn burst(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let week = commit.author.seconds.div_euclid(WEEK);
        let weeks = &self.people.get(&identity)?.weeks;
        let now = weeks.get(&week).copied().unwrap_or(0) + 1;
        let others = |(of, person): (&Identity, &super::Standing)| {
            let rest = person.weeks.iter().filter(|&(&at, _)| *of != identity || at != week);
            rest.map(|(_, &count)| count).collect::<Vec<_>>()
        };
        let mut counts: Vec<u64> = self.people.iter().flat_map(others).collect();
        if now < BURST || counts.len() < 8 {
            return None;
        }
        counts.sort_unstable();
        // Robust z of log(1 + count), with the deviation no smaller than 0.3.
        let log = |count: u64| ((1 + count) as f64).ln();
        let median = log(counts[counts.len() / 2]);
        let mut far: Vec<f64> = counts.iter().map(|&count| (log(count) - median).abs()).collect();
        far.sort_by(f64::total_cmp);
        let z = 0.6745 * (log(now) - median) / far[far.len() / 2].max(0.3);
        (z > 3.5).then(|| {
            let usual = counts[counts.len() / 2];
            let words = format!("made {now} commits to data within a week, where {usual} are usual");
            Signal::new("burst", json!(now), json!(usual), words).context()
        })
    }

    fn zones(&self, address: &str) -> Option<&BTreeMap<i32, usize>> {
        self.mails.get(address).map(|trail| &trail.zones)
    }
}

fn modal(zones: &BTreeMap<i32, usize>) -> Option<i32> {
    zones.iter().max_by_key(|&(_, &n)| n).map(|(&zone, _)| zone)
}

/// `+05:30`.
fn zone(offset: i32) -> String {
    let minutes = offset.unsigned_abs() / 60;
    format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}
