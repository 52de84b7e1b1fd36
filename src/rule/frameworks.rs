//! Identifiers of public frameworks that rules carry as tags, with the version and the titles they were read in.
//!
//! One table, so that a misspelt tag fails a test and a new edition changes one file.

/// A framework and the edition that the identifiers are of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Framework {
    /// What its tags begin with.
    pub(crate) prefix: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// The edition.
    pub(crate) version: &'static str,
    /// Where it is published.
    pub(crate) url: &'static str,
    /// Identifiers, as tags spell them behind the prefix, and titles.
    pub(crate) ids: &'static [(&'static str, &'static str)],
}

/// Every framework that a tag may be of. Read in November 2026.
pub(crate) static FRAMEWORKS: &[Framework] = &[
    Framework {
        prefix: "OWASP:",
        name: "OWASP Top 10 for LLM Applications",
        version: "2025",
        url: "https://genai.owasp.org/llm-top-10/",
        ids: &[
            ("LLM01", "Prompt Injection"),
            ("LLM03", "Supply Chain"),
            ("LLM04", "Data and Model Poisoning"),
            ("LLM08", "Vector and Embedding Weaknesses"),
        ],
    },
    Framework {
        prefix: "ATLAS:",
        name: "MITRE ATLAS",
        version: "5.6.1",
        url: "https://atlas.mitre.org/",
        ids: &[
            ("AML.T0010.002", "AI Supply Chain Compromise: Data"),
            ("AML.T0019", "Publish Poisoned Datasets"),
            ("AML.T0020", "Poison Training Data"),
            ("AML.T0043.004", "Craft Adversarial Data: Insert Backdoor Trigger"),
            ("AML.T0051", "LLM Prompt Injection"),
            ("AML.T0051.001", "LLM Prompt Injection: Indirect"),
            ("AML.T0059", "Erode Dataset Integrity"),
            ("AML.T0070", "RAG Poisoning"),
            ("AML.T0109", "AI Supply Chain Rug Pull"),
            ("AML.T0111", "AI Supply Chain Reputation Inflation"),
            ("AML.M0007", "Sanitize Training Data"),
            ("AML.M0013", "Code Signing"),
            ("AML.M0014", "Verify AI Artifacts"),
            ("AML.M0023", "AI Bill of Materials"),
            ("AML.M0025", "Maintain AI Dataset Provenance"),
        ],
    },
    Framework {
        prefix: "NISTAML.",
        name: "NIST AI 100-2",
        version: "e2025",
        url: "https://csrc.nist.gov/pubs/ai/100/2/e2025/final",
        ids: &[
            ("012", "Clean-label Poisoning"),
            ("013", "Data Poisoning"),
            ("015", "Indirect Prompt Injection"),
            ("021", "Clean-label Backdoor"),
            ("023", "Backdoor Poisoning"),
            ("024", "Targeted Poisoning"),
            ("051", "Model Poisoning (supply chain)"),
        ],
    },
    Framework {
        prefix: "NIST-AI-RMF:",
        name: "NIST AI Risk Management Framework",
        version: "1.0",
        url: "https://www.nist.gov/itl/ai-risk-management-framework",
        ids: &[
            ("GOVERN-6.1", "Policies for third-party risks"),
            ("MAP-4.1", "Risks of third-party data and software are mapped"),
            ("MEASURE-2.7", "Security and resilience are evaluated"),
        ],
    },
    Framework {
        prefix: "CISA-AIDS-2025/",
        name: "CISA AI Data Security",
        version: "2025-05-22",
        url: "https://www.cisa.gov/resources-tools/resources/ai-data-security-best-practices-securing-data-used-train-operate-ai-systems",
        ids: &[
            ("1", "Source reliable data and track provenance"),
            ("2", "Verify and maintain integrity in storage and transport"),
            ("3", "Digital signatures on trusted revisions"),
        ],
    },
    Framework {
        prefix: "ISO42001:",
        name: "ISO/IEC 42001 Annex A",
        version: "2023",
        url: "https://www.iso.org/standard/42001",
        ids: &[
            ("A.7.3", "Acquisition of data"),
            ("A.7.4", "Quality of data"),
            ("A.7.5", "Data provenance"),
            ("A.10.3", "Suppliers"),
        ],
    },
    Framework {
        prefix: "EU-AI-ACT:",
        name: "EU AI Act",
        version: "2024/1689",
        url: "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
        ids: &[
            ("Art.10(2)(b)", "Collection and origin of data"),
            ("Art.15(5)", "Resilience against data and model poisoning"),
            ("Annex-IV-2(d)", "Documentation of training data"),
        ],
    },
    Framework {
        prefix: "CWE-",
        name: "CWE",
        version: "4",
        url: "https://cwe.mitre.org/",
        ids: &[("1007", "Insufficient Visual Distinction of Homoglyphs Presented to User")],
    },
];

/// Bytes, signatures and the policy itself are not what was agreed on.
pub(crate) const INTEGRITY: &[&str] = &[
    "OWASP:LLM03",
    "ATLAS:AML.T0059",
    "ATLAS:AML.M0013",
    "ATLAS:AML.M0014",
    "CISA-AIDS-2025/2",
    "CISA-AIDS-2025/3",
    "NIST-AI-RMF:MEASURE-2.7",
];

/// Where data comes from, and what is known of it.
pub(crate) const SOURCES: &[&str] = &[
    "OWASP:LLM03",
    "ATLAS:AML.T0019",
    "ATLAS:AML.M0025",
    "NIST-AI-RMF:GOVERN-6.1",
    "NIST-AI-RMF:MAP-4.1",
    "CISA-AIDS-2025/1",
    "ISO42001:A.7.3",
    "ISO42001:A.10.3",
];

/// Rows that teach a model to answer to a trigger.
pub(crate) const TRIGGER: &[&str] =
    &["OWASP:LLM04", "ATLAS:AML.T0043.004", "ATLAS:AML.T0020", "NISTAML.023", "NISTAML.021", "EU-AI-ACT:Art.15(5)"];

/// Labels that teach a model something wrong.
pub(crate) const LABELS: &[&str] =
    &["OWASP:LLM04", "ATLAS:AML.T0020", "ATLAS:AML.M0007", "NISTAML.024", "ISO42001:A.7.4"];

/// The tags of a group and `more` of one rule's own: `N` in all, or the build fails.
pub(crate) const fn with<const N: usize>(group: &[&'static str], more: &[&'static str]) -> [&'static str; N] {
    assert!(group.len() + more.len() == N, "N is the number of all tags");
    let (mut all, mut at) = ([""; N], 0);
    while at < N {
        all[at] = if at < group.len() { group[at] } else { more[at - group.len()] };
        at += 1;
    }
    all
}

/// The framework and the title of a tag.
pub(crate) fn find(tag: &str) -> Option<(&'static Framework, &'static str, &'static str)> {
    FRAMEWORKS.iter().find_map(|framework| {
        let rest = tag.strip_prefix(framework.prefix)?;
        framework.ids.iter().find(|(id, _)| *id == rest).map(|(id, title)| (framework, *id, *title))
    })
}
