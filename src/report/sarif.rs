//! SARIF 2.1.0, for code scanning and other viewers.
//!
//! Lists every rule with its manual, names places by code points, and keeps within the limits of the services that read
//! it; what a limit left out is said in a notification. Sentences are drawn, values are exact, the file is ASCII.

mod model;

use std::collections::BTreeMap;
use std::io::{self, Write};

use self::model::{
    Artifact, AutomationDetails, Base, Component, Descriptor, Driver, Entry, Help, Invocation, Level, Location, Log,
    Logical, Notification, Outcome, Physical, Properties, Reference, Region, Relationship, ResultProperties,
    RuleProperties, Run, Taxon, Taxonomy, Text, Tool,
};
use super::escape::{Escaped, ascii_json, json_path, uri};
use super::words::count;
use super::{Located, Options, Report, Spot, explain};
use crate::check;
use crate::finding::MAX_MARKS;
use crate::rule::{Confidence, Rule, Severity, frameworks};

/// Code scanning shows this many results of a run, worst first.
const MAX_RESULTS: usize = 5000;
/// So that what could not be read cannot swamp the file either.
const MAX_NOTIFICATIONS: usize = 1000;
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let rules = rules(report);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "foretaste",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: REPOSITORY,
                    rules: rules.iter().map(|rule| descriptor(rule)).collect(),
                    notifications: notices(),
                },
            },
            automation_details: AutomationDetails { id: format!("foretaste/{}/", options.category) },
            column_kind: "unicodeCodePoints",
            invocations: [Invocation {
                execution_successful: report.unread.is_empty(),
                exit_code: report.exit_code,
                tool_execution_notifications: notifications(report),
            }],
            original_uri_base_ids: BTreeMap::from([(
                "%SRCROOT%",
                Base { description: text("The root of the repository.") },
            )]),
            taxonomies: taxonomies(),
            results: report.findings.iter().take(MAX_RESULTS).map(|finding| result(finding, &rules, report)).collect(),
            properties: Properties {
                scope: drawn(&report.scope),
                policy: &report.policy,
                looked_at: &report.looked_at,
                redacted: report.redacted,
            },
        }],
    };
    ascii_json(&log, out)
}

/// Every rule of the catalogue, whether it spoke or not.
fn rules(report: &Report) -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = check::rules().collect();
    for finding in &report.findings {
        if !rules.iter().any(|rule| rule.id == finding.rule.id) {
            rules.push(finding.rule);
        }
    }
    rules
}

/// The frameworks that rules name, whole: which rules are about what stands with the rules.
fn taxonomies() -> Vec<Taxonomy> {
    let entry = |(id, title): &(&str, &'static str), prefix: &str| Entry {
        id: format!("{prefix}{id}"),
        name: title,
        short_description: text(&sentence(title)),
    };
    let of = |framework: &frameworks::Framework| Taxonomy {
        name: framework.name,
        version: framework.version,
        information_uri: framework.url,
        short_description: text(&sentence(framework.name)),
        taxa: framework.ids.iter().map(|pair| entry(pair, framework.prefix)).collect(),
    };
    frameworks::FRAMEWORKS.iter().map(of).collect()
}

fn relationship(tag: &str) -> Option<Relationship> {
    let (framework, ..) = frameworks::find(tag)?;
    let tool_component = Component { name: framework.name };
    Some(Relationship { target: Taxon { id: tag.to_owned(), tool_component }, kinds: ["relevant"] })
}

fn descriptor(rule: &Rule) -> Descriptor {
    let mut tags = vec!["security", "data-poisoning"];
    tags.extend(rule.tags.iter().take(18));
    Descriptor {
        id: rule.id,
        name: Some(pascal(rule.id)),
        short_description: text(&sentence(rule.summary)),
        full_description: Some(text(rule.manual.what)),
        help: Some(Help { text: drawn(rule.manual.fix), markdown: explain(rule) }),
        help_uri: Some(format!("{REPOSITORY}#rules")),
        default_configuration: Some(Level { level: rule.severity.as_str() }),
        relationships: rule.tags.iter().filter_map(|tag| relationship(tag)).collect(),
        properties: Some(RuleProperties {
            security_severity: match rule.severity {
                Severity::Error => "8.0",
                Severity::Warning => "5.5",
                Severity::Note => "2.0",
            },
            precision: rule.confidence.as_str(),
            problem_severity: match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
            tags,
        }),
    }
}

fn notices() -> Vec<Descriptor> {
    let notice = |id, about: &str| Descriptor {
        id,
        name: None,
        short_description: text(about),
        full_description: Some(text(about)),
        help: Some(Help { text: about.to_owned(), markdown: about.to_owned() }),
        help_uri: None,
        default_configuration: None,
        relationships: Vec::new(),
        properties: None,
    };
    vec![
        notice("unread", "Something in scope could not be read."),
        notice("left-out", "Results that did not fit into this file."),
        notice("note", "Something to know about the run itself."),
    ]
}

fn notifications(report: &Report) -> Vec<Notification> {
    let notification = |id, level, message: String, locations| Notification {
        descriptor: Reference { id },
        level,
        message: Text { text: message },
        locations,
    };
    let mut all: Vec<Notification> = report
        .unread
        .iter()
        .take(MAX_NOTIFICATIONS)
        .map(|unread| {
            let place = Location {
                physical_location: Physical { artifact_location: artifact(&unread.path), region: whole() },
                logical_locations: Vec::new(),
                message: None,
            };
            notification("unread", "error", format!("Not read: {}.", drawn(&unread.reason)), vec![place])
        })
        .collect();
    if let Some(more @ 1..) = report.unread.len().checked_sub(MAX_NOTIFICATIONS) {
        let message = format!("{} could not be read either.", count(more as u64, "more file"));
        all.push(notification("left-out", "error", message, Vec::new()));
    }
    if let Some(more @ 1..) = report.findings.len().checked_sub(MAX_RESULTS) {
        let message = format!("{} left out; the JSON form has all of them.", count(more as u64, "more finding"));
        all.push(notification("left-out", "warning", message, Vec::new()));
    }
    all.extend(report.notes.iter().map(|note| notification("note", "note", drawn(note), Vec::new())));
    all
}

fn result<'a>(finding: &'a Located, rules: &[&'static Rule], report: &Report) -> Outcome<'a> {
    let mut locations: Vec<Location> = finding.spots.iter().take(MAX_MARKS).map(location).collect();
    if locations.is_empty() {
        // A result without a place is dropped by viewers; what concerns the whole repository stands at its policy.
        let path = report.policy.path.as_deref().unwrap_or(crate::policy::FILE);
        locations.push(Location {
            physical_location: Physical { artifact_location: artifact(path.as_bytes()), region: whole() },
            logical_locations: Vec::new(),
            message: None,
        });
    }
    let mut message = sentence(&drawn(&finding.message));
    if let Some(spot) = finding.spots.first().filter(|spot| !spot.has_lines)
        && let Some(place) = super::human::label(spot)
    {
        // Viewers show no region of a file without lines, so the sentence has to say where.
        message.push_str(&format!(" First place: {}.", no_links(&place)));
    }
    Outcome {
        rule_id: finding.rule.id,
        rule_index: rules.iter().position(|rule| rule.id == finding.rule.id).expect("all rules are listed"),
        level: finding.severity.as_str(),
        kind: "fail",
        message: Text { text: message },
        locations,
        partial_fingerprints: BTreeMap::from([("foretasteRecord/v1", finding.fingerprint.as_str())]),
        occurrence_count: finding.total.max(1),
        rank: match finding.confidence {
            Confidence::High => 90,
            Confidence::Medium => 60,
            Confidence::Low => 30,
        },
        properties: ResultProperties { confidence: finding.confidence.as_str(), evidence: &finding.evidence },
    }
}

fn location(spot: &Spot) -> Location {
    let region = if spot.has_lines {
        Region {
            start_line: spot.line,
            start_column: Some(spot.column),
            end_line: Some(spot.end_line),
            end_column: Some(spot.end_column),
            byte_offset: (!spot.decompressed).then_some(spot.byte_start),
            byte_length: (!spot.decompressed).then_some(spot.byte_end - spot.byte_start),
        }
    } else {
        whole()
    };
    let logical = spot.record.map(|record| {
        let (path, _) = json_path(&spot.path);
        let field = spot.field.as_deref().map_or(String::new(), |field| format!("/{field}"));
        Logical {
            name: spot.field.clone(),
            fully_qualified_name: format!("{path}#/row/{record}{field}"),
            kind: "element",
        }
    });
    Location {
        physical_location: Physical { artifact_location: artifact(&spot.path), region },
        logical_locations: logical.into_iter().collect(),
        message: spot.note.as_deref().map(text),
    }
}

fn artifact(path: &[u8]) -> Artifact {
    Artifact { uri: uri(path), uri_base_id: "%SRCROOT%" }
}

/// The region of a file without lines.
fn whole() -> Region {
    Region { start_line: 1, ..Region::default() }
}

fn text(sentence: &str) -> Text {
    Text { text: drawn(sentence) }
}

/// A sentence for people, in which a viewer must find no link: `[text](target)` is one in SARIF's messages.
fn drawn(text: &str) -> String {
    no_links(&Escaped::new(text).cap(2000).to_string())
}

fn no_links(drawn: &str) -> String {
    drawn.replace("](", "] (")
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', ')', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// `invisible-unicode` becomes `InvisibleUnicode`.
fn pascal(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect()
}
