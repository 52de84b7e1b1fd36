//! What stands behind a source: the licence that is asked for, the uses it is allowed for, and how it was scraped.

use globset::GlobSet;

use crate::policy::file::{SourceWords, TrustWords};
use crate::policy::glob;
use crate::policy::licence::Licence;
use crate::policy::node::{Fault, short};

/// What stands behind a source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The licence of the entry, where it is an SPDX expression.
    pub(crate) licence: Option<Licence>,
    /// The licence that it must satisfy.
    pub(crate) licence_allow: Option<Licence>,
    /// Uses that it is allowed for; any where it is empty.
    pub(crate) uses: Vec<String>,
    /// Files that may name it; any where there is none.
    pub(crate) paths: Option<GlobSet>,
    /// Whether it was scraped from the web.
    pub(crate) scrape: bool,
    /// Whether the entry says that a scrape is better than untrusted.
    pub(crate) scrape_trusted: bool,
    /// Largest share of the training records, in millionths.
    pub(crate) max_fraction: Option<u64>,
}

/// Reads what stands behind a source.
///
/// # Errors
/// An expression that is none, a share that is none, days that run backwards.
pub(crate) fn evidence(words: &SourceWords) -> Result<Evidence, Fault> {
    let licence_allow = match words.evidence.as_ref().and_then(|evidence| evidence.licence_allow.as_ref()) {
        None => None,
        Some(text) => Some(Licence::parse(text).ok_or_else(|| {
            Fault::new(format!("`{}` is no SPDX expression", short(text))).help("write it like `MIT OR CC-BY-4.0`")
        })?),
    };
    let licence = words.licence.as_deref().and_then(Licence::parse);
    let (uses, paths) = match &words.allow {
        None => (Vec::new(), None),
        Some(allow) if allow.paths.0.is_empty() => (allow.uses.values(), None),
        Some(allow) => (allow.uses.values(), Some(glob::compile(&allow.paths, true)?)),
    };
    let mut evidence = Evidence { licence, licence_allow, uses, paths, ..Evidence::default() };
    if let Some(scrape) = &words.scrape {
        let better = |trust: TrustWords| !matches!(trust, TrustWords::Untrusted);
        evidence.scrape = true;
        evidence.scrape_trusted =
            scrape.trust.is_some_and(better) || words.trust.as_ref().is_some_and(|trust| better(trust.value));
        if let Some(days) = &scrape.collected
            && days.to < days.from
        {
            return Err(Fault::new("the collection of this scrape ends before it begins"));
        }
        evidence.max_fraction = match scrape.max_fraction {
            None => None,
            Some(share) if (0.0..=1.0).contains(&share) => Some((share * 1e6) as u64),
            Some(_) => return Err(Fault::new("`max_fraction` lies between 0 and 1")),
        };
    }
    Ok(evidence)
}
