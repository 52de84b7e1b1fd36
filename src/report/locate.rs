//! Gives the places of an outcome their lines, columns and excerpts.

use std::collections::BTreeMap;
use std::ops::Deref;

use bstr::{BStr, BString};

use super::excerpt::Excerpt;
use super::history::{History, gaps_count};
use super::lines::{Lines, Position};
use super::text::Text;
use super::{Changed, Located, Options, Report, Spot, code};
use crate::engine::audit::Audit;
use crate::engine::{Contents, Outcome};
use crate::finding::{Finding, LookedAt, Mark, Unread};
use crate::format::{Feeds, Guess};
use crate::policy::Origin;
use crate::span::{At, BlobId, Span};

/// Excerpts are made of this many places of one finding.
pub(super) const DRAWN_PLACES: usize = 5;
/// Excerpts are made for this many findings; they come errors first.
const DRAWN_FINDINGS: usize = 1000;

/// Bytes of a blob, wherever they are held.
pub(super) type Held<'a> = Box<dyn Deref<Target = [u8]> + 'a>;

/// What a report is made of.
pub(super) struct Material<'a> {
    pub(super) findings: &'a [Finding],
    pub(super) unread: &'a [Unread],
    pub(super) looked_at: &'a LookedAt,
    pub(super) policy: &'a Origin,
    pub(super) scope: &'a str,
    pub(super) path: &'a dyn Fn(BlobId) -> Option<&'a BStr>,
    pub(super) bytes: &'a dyn Fn(BlobId) -> Option<Held<'a>>,
    /// What is known of the lines of a blob, where its text is its bytes.
    pub(super) feeds: &'a dyn Fn(BlobId) -> &'a [Feeds],
    pub(super) guesses: &'a [(BlobId, Guess)],
    pub(super) notes: &'a [String],
    pub(super) accepted: u64,
    pub(super) not_shown: u64,
    pub(super) full_coverage: bool,
    pub(super) changed: Changed,
    pub(super) audit: Option<&'a Audit>,
}

impl Report {
    /// Makes a report of an outcome. `contents` is asked for the bytes of blobs that something was found in, one after
    /// the other, and for no others.
    pub fn new(outcome: &Outcome, contents: &dyn Contents, options: &Options) -> Self {
        Self::of(
            &Material {
                findings: &outcome.findings,
                unread: &outcome.unread,
                looked_at: &outcome.looked_at,
                policy: &outcome.policy,
                scope: &outcome.scope,
                path: &|id| outcome.blobs.get(id.0 as usize).map(|blob| blob.path.as_ref()),
                bytes: &|id| contents.bytes(id).map(|bytes| Box::new(bytes) as Held<'_>),
                feeds: &|id| outcome.blobs.get(id.0 as usize).map_or(&[], |blob| blob.feeds()),
                guesses: &outcome.guesses,
                notes: &outcome.notes,
                accepted: outcome.accepted,
                not_shown: outcome.not_shown,
                full_coverage: outcome.full_coverage,
                changed: Changed { summary: outcome.summary.clone(), sources: outcome.named.clone() },
                audit: outcome.audit.as_ref(),
            },
            options,
        )
    }

    pub(super) fn of(material: &Material<'_>, options: &Options) -> Self {
        let mut findings: Vec<Located> = material.findings.iter().map(|finding| located(finding, material)).collect();
        place(material.findings, &mut findings, material, options.redact.is_none());
        let mut changed = material.changed.clone();
        if let Some(redact) = &options.redact {
            redact.changed(&mut changed);
            findings.iter_mut().for_each(|finding| redact.finding(finding));
        }
        let mut history = material.audit.map(History::new);
        if let (Some(redact), Some(history)) = (&options.redact, &mut history) {
            redact.history(history);
        }
        let unread = !material.unread.is_empty() && gaps_count(material.audit);
        let uncovered = material.full_coverage && material.looked_at.no_reader > 0;
        let path = |id| (material.path)(id).map_or_else(BString::default, BString::from);
        Report {
            not_shown: material.not_shown,
            findings,
            unread: material.unread.to_vec(),
            looked_at: material.looked_at.clone(),
            policy: material.policy.clone(),
            scope: material.scope.to_owned(),
            guesses: material.guesses.iter().map(|(id, guess)| (path(*id), guess.clone())).collect(),
            notes: material.notes.to_vec(),
            accepted: material.accepted,
            exit_code: code(material.findings, unread, uncovered, options.fail_on),
            changed,
            history,
            redacted: options.redact.is_some(),
        }
    }
}

fn located(finding: &Finding, material: &Material<'_>) -> Located {
    Located {
        rule: finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        message: finding.message.clone(),
        help: finding.help.clone(),
        spots: finding.marks.iter().map(|mark| spot(finding, mark, material)).collect(),
        total: finding.total.max(finding.marks.len() as u64),
        evidence: finding.evidence.iter().map(|(&name, value)| (name.to_owned(), value.clone())).collect(),
        fingerprint: finding.fingerprint(),
    }
}

/// A spot without its lines.
fn spot(finding: &Finding, mark: &Mark, material: &Material<'_>) -> Spot {
    let path = (material.path)(mark.place.blob).unwrap_or_default();
    let bytes = match mark.place.at {
        At::Bytes(span) => span,
        At::Name | At::Cell { .. } => Span::default(),
    };
    let record = match mark.place.at {
        At::Cell { row, .. } => Some(row + 1),
        At::Bytes(_) | At::Name => None,
    };
    Spot {
        path: path.into(),
        commit: mark.commit.clone(),
        line: 1,
        column: 1,
        end_line: 1,
        end_column: 1,
        byte_start: bytes.start,
        byte_end: bytes.end,
        record: mark.record.or(record),
        field: mark.field.clone(),
        note: mark.note.clone(),
        fingerprint: finding.place_fingerprint(path, mark),
        has_lines: false,
        decompressed: false,
        excerpt: None,
        versions: mark.versions.as_deref().cloned(),
    }
}

/// Opens each blob once, in order, and finds all of its places in one walk.
fn place(shown: &[Finding], findings: &mut [Located], material: &Material<'_>, excerpts: bool) {
    let mut wanted: BTreeMap<BlobId, Vec<(usize, usize, Span)>> = BTreeMap::new();
    for (f, finding) in shown.iter().enumerate() {
        for (m, mark) in finding.marks.iter().enumerate() {
            if let At::Bytes(span) = mark.place.at {
                wanted.entry(mark.place.blob).or_default().push((f, m, span));
            }
        }
    }
    for (blob, mut spans) in wanted {
        let Some(bytes) = (material.bytes)(blob) else { continue };
        let text = Text::new(&bytes, spans.iter().map(|&(_, _, span)| span));
        for (_, _, span) in &mut spans {
            *span = text.span(*span);
        }
        let feeds = if text.is_raw() { (material.feeds)(blob) } else { &[] };
        let positions = positions(Lines::new(text.bytes(), feeds), spans.iter().map(|&(_, _, span)| span));
        for (f, m, span) in spans {
            let spot = &mut findings[f].spots[m];
            let (start, end) = (positions[&span.start], positions[&span.end]);
            (spot.line, spot.column) = (start.line, start.column);
            (spot.end_line, spot.end_column) = (end.line, end.column);
            spot.has_lines = true;
            spot.decompressed = text.is_decompressed();
            if excerpts && f < DRAWN_FINDINGS && m < DRAWN_PLACES {
                spot.excerpt = Some(Excerpt::new(text.bytes(), span));
            }
        }
    }
}

fn positions(mut lines: Lines<'_>, spans: impl Iterator<Item = Span>) -> BTreeMap<u64, Position> {
    let mut positions: BTreeMap<u64, Position> =
        spans.flat_map(|span| [span.start, span.end]).map(|offset| (offset, Position::START)).collect();
    for (&offset, position) in &mut positions {
        *position = lines.advance(offset);
    }
    positions
}
