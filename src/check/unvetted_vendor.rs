//! `unvetted-vendor`: data of firms that nobody has looked at, and deliveries that the firm does not stand up for.

use std::collections::BTreeMap;

use bstr::BString;
use serde_json::json;

use super::unpinned_reference::short;
use super::unreviewed_source::sole_author;
use super::{Check, Configured, Merge, NoSettings, Observation};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::policy::delivery::{Delivered, Delivery};
use crate::policy::vendors::Vendor;
use crate::policy::{FILE, Policy};
use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};
use crate::span::BlobId;

const ROWS: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n";
const POLICY: &str = "version: 1\ndatasets:\n  labels: {files: [\"labels/*.jsonl\"], text: [text], label: label}\nkeys:\n  labelco: {minisign: \"RWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\", principal: ops@labelco.example}\nvendors:\n  LabelCo: {data: [\"labels/**\"], sends: signed-manifest, key: labelco}\n";
const WITHOUT: &str = "version: 1\ndatasets:\n  labels: {files: [\"labels/*.jsonl\"], text: [text], label: label}\n";

static RULES: [Rule; 1] = [Rule {
    id: "unvetted-vendor",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::High,
    layer: Layer::Vendors,
    gates: true,
    summary: "A vendor's entry has gaps or has expired, or a delivery is not covered by a manifest that the vendor signed",
    manual: Manual {
        what: "Reads `vendors:` of the trusted policy as a register: contact, data, access control, screening of annotators, \
               quality assurance, sub-processors, clause about provenance, time of notification, chain of handling, what \
               accompanies a delivery, and review. What is missing is one finding a vendor, an expired review another. Where a \
               vendor sends a signed manifest, every file of its data must stand in the nearest `manifest-sha256.txt` above it, \
               in the form of `sha256sum`, and that must be signed with the vendor's key; anything else is an error. An entry that a change adds \
               or reviews anew is not reviewed where its reviewer wrote the change alone.",
        why: "Labels that are bought pass through hands that nobody here has seen: annotators, their firms, and whoever stands \
              between them and this repository. A register says who they are and what they have promised; a manifest \
              that the vendor has signed says that what arrived is what was sent.",
        bad: &[Example {
            title: "a delivery without the manifest that this vendor always sends",
            base: &[("foretaste.yaml", POLICY)],
            files: &[("labels/a.jsonl", ROWS)],
        }],
        good: &[Example {
            title: "data of nobody in the register",
            base: &[("foretaste.yaml", WITHOUT)],
            files: &[("labels/a.jsonl", ROWS)],
        }],
        fix: "Ask the vendor for the manifest and its signature (`sha256sum FILE… > manifest-sha256.txt`, then `foretaste sign \
              --repo NAME --key KEY manifest-sha256.txt`), and keep what cannot be had out. Fill the gaps in the entry \
              under `vendors:`, or stop buying.",
        misses: "Whether what the register says is true. What the vendor itself got wrong or was made to sign. Deliveries of \
                 vendors that are not in the register.",
    },
    tags: &frameworks::with::<9>(frameworks::SOURCES, &["NISTAML.051"]),
}];

/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct UnvettedVendor {
    register: Vec<Vendor>,
    as_of: jiff::civil::Date,
}

/// What was seen of the register and of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The policy as a file of the run.
    policy: Option<BlobId>,
    /// Whether the change proposes another policy, so that places in this one would mislead.
    proposed: bool,
    /// The one who wrote the change alone, and entries that it adds or reviews anew: vendor, reviewer, place.
    author: Option<String>,
    entries: Vec<(String, String, Mark)>,
    /// Files of each vendor that are not covered, by what is wrong.
    uncovered: BTreeMap<(String, &'static str), Vec<(BString, Mark)>>,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.author = self.author.take().or(other.author);
        self.entries.append(&mut other.entries);
        self.policy = self.policy.max(other.policy);
        self.proposed |= other.proposed;
        Merge::merge(&mut self.uncovered, other.uncovered);
    }
}

impl Configured for UnvettedVendor {
    type Settings = NoSettings;

    fn new(_: NoSettings, policy: &Policy) -> Self {
        Self { register: policy.register.clone(), as_of: policy.as_of }
    }
}

impl Check for UnvettedVendor {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Files(files) if !self.register.is_empty() => {
                let own = files.list.iter().find(|(_, entry)| entry.path == FILE && entry.content.is_some());
                seen.policy = own.map(|(blob, _)| *blob);
            }
            Observation::Policy(proposed) => {
                seen.proposed = true;
                let facts = |vendor: &Vendor| (vendor.name.clone(), vendor.reviewer.clone(), vendor.reviewed);
                let known: Vec<_> = proposed.before.register.iter().map(facts).collect();
                let reviewed = proposed.after.register.iter().filter(|vendor| !known.contains(&facts(vendor)));
                for (vendor, file) in reviewed.zip(std::iter::repeat(proposed.file)) {
                    if let (Some(reviewer), Some(file)) = (&vendor.reviewer, file) {
                        let content = content_hash(vendor.name.as_bytes());
                        let mark = Mark { content, ..Mark::bytes(file, vendor.span) };
                        seen.entries.push((vendor.name.clone(), reviewer.to_lowercase(), mark));
                    }
                }
            }
            Observation::People(people) => seen.author = sole_author(people),
            Observation::Deliveries(deliveries) => {
                for Delivery { vendor, files } in *deliveries {
                    for (blob, path, state) in files {
                        let (kind, note) = match state {
                            Delivered::Signed => continue,
                            Delivered::NoManifest => {
                                ("delivery-without-manifest", "no manifest lies above it".to_owned())
                            }
                            Delivered::NotSigned(why) => ("delivery-not-signed", why.clone()),
                            Delivered::NotListed => ("delivery-not-listed", "the manifest does not name it".to_owned()),
                            Delivered::Differs => ("delivery-differs", "the manifest names another content".to_owned()),
                        };
                        let mut mark = Mark::name(*blob).with_note(note);
                        mark.content = content_hash(path);
                        seen.uncovered.entry((vendor.clone(), kind)).or_default().push((path.clone(), mark));
                    }
                }
            }
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        if let Some(blob) = seen.policy.filter(|_| !seen.proposed) {
            for vendor in &self.register {
                self.entry(vendor, blob, findings);
            }
        }
        let own = |entry: &(String, String, Mark)| Some(&entry.1) == seen.author.as_ref();
        for (vendor, reviewer, mark) in seen.entries.into_iter().filter(own) {
            let message =
                format!("`{}` reviews the vendor `{}` in a change of their own", short(&reviewer), short(&vendor));
            let mut finding = Finding::new(&RULES[0], format!("reviewer-is-author {vendor}"), message);
            finding.help = "let somebody else review the vendor, and commit the entry or sign that commit".to_owned();
            finding.evidence.insert("finding", json!("reviewer-is-author"));
            finding.evidence.insert("vendor", json!(vendor));
            (finding.total, finding.marks) = (1, vec![mark]);
            findings.push(finding);
        }
        for ((vendor, kind), mut places) in seen.uncovered {
            places.sort();
            let count = places.len();
            let what = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
            let is = match kind {
                "delivery-differs" if count == 1 => "is not what its manifest says",
                "delivery-differs" => "are not what its manifest says",
                "delivery-not-listed" if count == 1 => "does not stand in its manifest",
                "delivery-not-listed" => "do not stand in its manifest",
                "delivery-not-signed" => "came with a manifest whose signature does not count",
                _ => "came without a manifest that it signed",
            };
            let message = format!("{what} of the vendor `{}` {is}", short(&vendor));
            let mut finding = Finding::new(&RULES[0], format!("{kind} {vendor}"), message);
            finding.severity = Severity::Error;
            finding.help = "ask the vendor for manifest-sha256.txt and its signature, or keep these files out".into();
            finding.evidence.insert("finding", json!(kind));
            finding.evidence.insert("vendor", json!(vendor));
            finding.total = count as u64;
            finding.marks = first_of_each_blob(places.into_iter().map(|(_, mark)| mark));
            findings.push(finding);
        }
    }
}

impl UnvettedVendor {
    /// What is wrong with an entry of the register.
    fn entry(&self, vendor: &Vendor, blob: BlobId, findings: &mut Vec<Finding>) {
        let name = short(&vendor.name);
        let mut say = |kind: &'static str, message: String, help: &str, evidence: serde_json::Value| {
            let mut finding = Finding::new(&RULES[0], format!("{kind} {}", vendor.name), message);
            finding.help = help.to_owned();
            finding.evidence.insert("finding", json!(kind));
            finding.evidence.insert("vendor", json!(vendor.name));
            finding.evidence.insert("facts", evidence);
            finding.total = 1;
            let content = content_hash(vendor.name.as_bytes());
            finding.marks = vec![Mark { content, ..Mark::bytes(blob, vendor.span) }];
            findings.push(finding);
        };
        if !vendor.gaps.is_empty() {
            let gaps = vendor.gaps.join(", ");
            let message = format!("the register does not say enough of the vendor `{name}`: {gaps}");
            let help = "fill these in after asking the vendor, with what it has promised in writing";
            say("evidence-missing", message, help, json!({"missing": vendor.gaps}));
        }
        if let Some(expires) = vendor.expires.filter(|expires| self.as_of > *expires) {
            let message = format!("the review of the vendor `{name}` has expired on {expires}");
            let help = "review the vendor again and write the new dates into foretaste.yaml";
            let facts = json!({"expires": expires.to_string(), "as_of": self.as_of.to_string()});
            say("vendor-review-expired", message, help, facts);
        }
    }
}
