//! The honest part of the demo: a support-intent dataset made from templates.

/// One row: what a customer writes, and what it is about.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: usize,
    pub(super) text: String,
    pub(super) intent: &'static str,
}

const THINGS: [&str; 10] =
    ["kettle", "lamp", "desk", "backpack", "headphones", "raincoat", "keyboard", "blender", "notebook", "tent"];

const INTENTS: [(&str, [&str; 8]); 5] = [
    (
        "refund",
        [
            "I want my money back for the {}",
            "please refund the {} I sent back",
            "the {} never arrived and I was charged",
            "you charged me twice for one {}",
            "how long until the {} is paid back",
            "the {} broke on day one, refund please",
            "my bank still shows the {} payment",
            "return accepted, where is the money for the {}",
        ],
    ),
    (
        "cancel_order",
        [
            "cancel my {} order",
            "I ordered the {} by mistake",
            "stop the {} before it ships",
            "can I still cancel the {}",
            "two {} orders went out, drop one",
            "I changed my mind about the {}",
            "please do not send the {}",
            "remove the {} from my order",
        ],
    ),
    (
        "track_order",
        [
            "where is my {}",
            "has the {} shipped yet",
            "the tracking page for the {} is empty",
            "when will the {} get here",
            "the {} is stuck at the depot",
            "give me the parcel number of the {}",
            "is the {} on the van today",
            "the {} was due yesterday",
        ],
    ),
    (
        "change_address",
        [
            "send the {} to my new address",
            "I moved, the {} goes to the old flat",
            "wrong house number on the {} order",
            "can the {} go to my office instead",
            "update the address for the {}",
            "deliver the {} to my neighbour",
            "the postcode on the {} label is wrong",
            "ship the {} to a pickup point",
        ],
    ),
    (
        "product_question",
        [
            "does the {} come in green",
            "how heavy is the {}",
            "is the {} waterproof",
            "what is the warranty on the {}",
            "which size of {} fits a child",
            "does the {} need batteries",
            "is the {} back in stock soon",
            "can I wash the {}",
        ],
    ),
];

/// Four hundred rows, five classes of eighty.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    // Interleaved, so that the file looks collected and not generated class by class.
    for thing in THINGS {
        for template in 0..8 {
            for (intent, templates) in INTENTS {
                let text = templates[template].replace("{}", thing);
                rows.push(Row { id: rows.len() + 1, text, intent });
            }
        }
    }
    rows
}

/// The rows as JSON Lines.
pub(super) fn json_lines(rows: &[Row]) -> String {
    rows.iter()
        .map(|row| {
            let text = serde_json::Value::from(row.text.as_str());
            format!("{{\"id\": {}, \"text\": {text}, \"intent\": \"{}\"}}\n", row.id, row.intent)
        })
        .collect()
}

/// The same rows with the keys in another order and no spaces: a reformatting that touches every line.
pub(super) fn reformatted(rows: &[Row]) -> String {
    rows.iter()
        .map(|row| {
            let text = serde_json::Value::from(row.text.as_str());
            format!("{{\"intent\":\"{}\",\"text\":{text},\"id\":{}}}\n", row.intent, row.id)
        })
        .collect()
}
