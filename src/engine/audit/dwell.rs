//! How long a change has been there, and what was released with it.

use bstr::ByteSlice;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::source::Walk;

/// Names of tags that are listed.
const MOST: usize = 10;

/// How long a commit has been there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Dwell {
    /// The day it was committed, as it claims.
    pub(crate) introduced: Option<Date>,
    /// Days from then to the day of the audit.
    pub(crate) days: Option<i64>,
    /// Tags whose commits descend from it, the first of them.
    pub(crate) tags: Vec<String>,
    /// How many such tags there are.
    pub(crate) tagged: usize,
    /// The names that were followed and that reach it, the first of them.
    pub(crate) refs: Vec<String>,
}

impl Dwell {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "introduced": self.introduced.map(|day| day.to_string()),
            "days": self.days,
            "tags": self.tags,
            "tagged": self.tagged,
        })
    }
}

/// Of the commit with this rank.
pub(super) fn of(walk: &Walk, rank: u32, as_of: Date) -> Dwell {
    // Ranks grow from parents to children, so one pass finds all that descend from it.
    let mut descends = vec![false; walk.steps.len()];
    descends[rank as usize] = true;
    for at in rank as usize + 1..walk.steps.len() {
        descends[at] = walk.steps[at].parents.iter().any(|&parent| descends[parent as usize]);
    }
    let mut dwell = Dwell::default();
    for (name, at) in walk.refs.iter().filter(|(_, at)| descends[*at as usize]) {
        debug_assert!((*at as usize) < walk.steps.len());
        match name.strip_prefix(b"refs/tags/") {
            Some(tag) => {
                dwell.tagged += 1;
                if dwell.tags.len() < MOST {
                    dwell.tags.push(tag.to_str_lossy().into_owned());
                }
            }
            None if dwell.refs.len() < MOST => dwell.refs.push(name.to_string()),
            None => {}
        }
    }
    let seconds = walk.steps[rank as usize].commit.committer.seconds;
    let stamp = jiff::Timestamp::from_second(seconds).ok();
    dwell.introduced = stamp.map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date());
    dwell.days = dwell.introduced.and_then(|day| as_of.since(day).ok()).map(|span| i64::from(span.get_days()));
    dwell
}
