//! Firms that deliver data, as they stand in the register.

use globset::GlobSet;
use jiff::civil::Date;

use crate::policy::file::VendorWords;
use crate::policy::glob;
use crate::policy::node::{Fault, short};
use crate::policy::words::{Named, Placed};
use crate::span::Span;

/// A firm that delivers data.
#[derive(Clone, Debug)]
pub(crate) struct Vendor {
    pub(crate) name: String,
    /// What it delivers.
    pub(crate) data: GlobSet,
    /// Whether each delivery comes with a manifest that it has signed.
    pub(crate) signs: bool,
    /// Its key, by name under `keys`.
    pub(crate) key: Option<String>,
    /// What the register does not say of it, or says in the negative.
    pub(crate) gaps: Vec<&'static str>,
    /// Who reviewed it, and when.
    pub(crate) reviewer: Option<String>,
    pub(crate) reviewed: Option<Date>,
    pub(crate) expires: Option<Date>,
    pub(crate) span: Span,
}

/// Reads the register.
///
/// # Errors
/// A word that means nothing here.
pub(crate) fn vendors(named: &Named<VendorWords>) -> Result<Vec<Vendor>, Fault> {
    named.0.iter().map(|(name, words)| vendor(name, words).map_err(|fault| fault.at(name.span))).collect()
}

fn vendor(name: &Placed<String>, words: &VendorWords) -> Result<Vendor, Fault> {
    let signs = match words.sends.as_ref() {
        None => false,
        Some(sends) if sends == "signed-manifest" => true,
        Some(other) => {
            return Err(Fault::new(format!(
                "`sends: {}` of the vendor `{}` is not known",
                short(other),
                short(&name.value)
            ))
            .help("write `sends: signed-manifest`, or leave it out"));
        }
    };
    if signs && words.key.is_none() {
        return Err(Fault::new(format!(
            "the vendor `{}` signs its manifests, and no key of it is named",
            short(&name.value)
        ))
        .help("write `key:` with the name of its key under `keys`"));
    }
    if let (Some(reviewed), Some(expires)) = (&words.reviewed, &words.expires)
        && expires < reviewed
    {
        return Err(Fault::new("the review of this vendor expires before the day of the review"));
    }
    let empty = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
    let says = [
        ("contact", !empty(&words.contact)),
        ("data", !words.data.0.is_empty()),
        ("access_control", !empty(&words.access_control)),
        ("annotator_screening", words.annotator_screening == Some(true)),
        ("qa", words.qa.is_some()),
        ("sub_processors", words.sub_processors.is_some()),
        ("provenance_clause", !empty(&words.provenance_clause)),
        ("notification_hours", words.notification_hours.is_some()),
        ("chain", words.chain.as_ref().is_some_and(|chain| !chain.0.is_empty())),
        ("sends", signs),
        ("reviewer", !empty(&words.reviewer)),
        ("reviewed", words.reviewed.is_some()),
        ("expires", words.expires.is_some()),
    ];
    Ok(Vendor {
        name: name.value.clone(),
        data: glob::compile(&words.data, true)?,
        signs,
        key: words.key.as_ref().map(|key| key.value.clone()),
        gaps: says.into_iter().filter(|(_, says)| !says).map(|(field, _)| field).collect(),
        reviewer: words.reviewer.clone(),
        reviewed: words.reviewed.map(|day| day.0),
        expires: words.expires.map(|day| day.0),
        span: name.span,
    })
}
