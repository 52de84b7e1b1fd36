//! The manual of the rule.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "conflicting-labels",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    layer: Layer::Anomalies,
    gates: true,
    summary: "The same text stands under two labels",
    manual: Manual {
        what: "Looks for records of one data set whose texts are the same and whose labels are not. Case, blanks, Unicode \
               forms, invisible characters and entity markup do not count. Without a policy, the files of one folder with \
               the same label fields are one data set. Preference pairs conflict where one record prefers what \
               another rejects. Records without a label are left out. Where more than a fifth of all texts have several \
               labels, or where a field says who gave each label, that is how the data is made, and one note says so. \
               In a commit or a pull request only conflicts with a record of the change count.",
        why: "Copies of good records under a wrong label are the simplest way to poison a class: nothing that was there is \
              touched, so no diff shows a changed label. Honest conflicts hurt too: the model learns from whichever it sees \
              more often, and what is measured on them is chance.",
        bad: &[Example {
            title: "a text is added again under another label",
            base: &[],
            files: &[(
                "data/mail.csv",
                "text,label\nwin a prize now,spam\nclaim your reward,spam\nsee you at lunch,ham\nWin a prize  now,ham\n",
            )],
        }],
        good: &[Example {
            title: "a text is there twice, under the same label",
            base: &[],
            files: &[(
                "data/mail.csv",
                "text,label\nwin a prize now,spam\nclaim your reward,spam\nsee you at lunch,ham\nWin a prize  now,spam\n",
            )],
        }],
        fix: "Decide which label is right and remove the other record. If a text may have several labels, write them in one \
              record; if several people label each text, keep a field that says who.",
        misses: "Texts that differ by a word. Texts are compared by a hash of 64 bits, so two different texts may meet by \
                 chance, about once in a million data sets of five million records. In a commit or a pull request, \
                 conflicts with files that did not change. Values that are no classes: beyond 65,000 different labels in a \
                 file the others are left out.",
    },
    tags: &frameworks::with::<6>(frameworks::LABELS, &["NISTAML.013"]),
}];
