//! The shapes that real datasets have, one sample each.

use crate::format::testing::{read_bytes, read_with};
use crate::lens::{FieldRoles, Lens, Role};
use crate::policy::Limits;

/// Shape and roles, as `text:text label:label`.
fn guessed(path: &str, text: &str) -> (String, String) {
    let seen = read_bytes(path, text.as_bytes());
    let guess = seen.read().guess.as_ref().expect("a guess is made");
    let word = |role: Role| format!("{role:?}").to_lowercase();
    let fields: Vec<String> = guess.fields.iter().map(|(field, role)| format!("{field}:{}", word(*role))).collect();
    (guess.shape.to_owned(), fields.join(" "))
}

fn check(path: &str, text: &str, shape: &str, fields: &str) {
    assert_eq!(guessed(path, text), (shape.to_owned(), fields.to_owned()), "{text}");
}

/// The same line with a number in it, many times.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

#[test]
fn conversations() {
    check(
        "chat.jsonl",
        &lines(3, |n| {
            format!(
                "{{\"messages\": [{{\"role\": \"user\", \"content\": \"hi {n}\"}}, {{\"role\": \"assistant\", \"content\": [{{\"type\": \"text\", \"text\": \"yo\"}}]}}]}}"
            )
        }),
        "OpenAI chat",
        "messages[].content:text messages[].content[].text:text",
    );
    check(
        "sharegpt.json",
        "[{\"id\": \"a\", \"conversations\": [{\"from\": \"human\", \"value\": \"q\"}, {\"from\": \"gpt\", \"value\": \"a\"}], \"system\": \"s s\"}]",
        "ShareGPT",
        "id:id conversations[].value:text system:text",
    );
    check(
        "alpaca.json",
        "[{\"instruction\": \"Translate\", \"input\": \"x\", \"output\": \"y\", \"history\": [[\"q\", \"a\"]]}]",
        "Alpaca",
        "instruction:text input:text output:text history[][]:text",
    );
}

#[test]
fn preferences() {
    check(
        "dpo.jsonl",
        &lines(3, |n| {
            format!(
                "{{\"prompt\": \"The sky is {n}\", \"chosen\": \" blue.\", \"rejected\": \" green.\", \"score_chosen\": 7.5, \"score_rejected\": 8}}"
            )
        }),
        "preference pairs",
        "prompt:text chosen:text rejected:text",
    );
    check(
        "dpo2.jsonl",
        &lines(2, |_| {
            "{\"chosen\": [{\"role\": \"user\", \"content\": \"a\"}], \"rejected\": [{\"role\": \"user\", \"content\": \"b\"}]}".to_owned()
        }),
        "preference pairs",
        "chosen[].content:text rejected[].content:text",
    );
    check(
        "openai.jsonl",
        &lines(2, |_| {
            "{\"input\": {\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}, \"preferred_output\": [{\"role\": \"assistant\", \"content\": \"b\"}], \"non_preferred_output\": [{\"role\": \"assistant\", \"content\": \"c\"}]}".to_owned()
        }),
        "preference pairs",
        "input.messages[].content:text preferred_output[].content:text non_preferred_output[].content:text",
    );
    check(
        "kto.jsonl",
        &lines(30, |n| format!("{{\"prompt\": \"p {n}\", \"completion\": \"c {n}\", \"label\": {}}}", n % 3 == 0)),
        "unpaired preference",
        "prompt:text completion:text label:label",
    );
}

#[test]
fn feedback_logs_and_trees() {
    check(
        "feedback.jsonl",
        &lines(30, |n| {
            format!(
                "{{\"user_id\": \"u{n}\", \"ts\": \"2026-01-02T03:04:{n:02}Z\", \"prompt\": \"p p\", \"response\": \"r r {n}\", \"rating\": \"{}\", \"country\": \"NL\", \"account_created_at\": \"2026-01-01\"}}",
                if n % 2 == 0 { "up" } else { "down" }
            )
        }),
        "feedback log",
        "user_id:user ts:time prompt:text response:text rating:label account_created_at:time",
    );
    check(
        "oasst.jsonl",
        &lines(25, |n| {
            format!(
                "{{\"message_id\": \"m{n}\", \"parent_id\": null, \"user_id\": \"u\", \"created_date\": \"2023-02-05T14:23:50\", \"text\": \"hello there {n}\", \"role\": \"prompter\", \"lang\": \"en\"}}"
            )
        }),
        "message tree",
        "message_id:id user_id:user created_date:time text:text",
    );
}

#[test]
fn classification_tables() {
    check("a.csv", "text,label\nhello,ham\nbye,spam\n", "classification table", "text:text label:label");
    check(
        "spam.csv",
        &("v1,v2,,,\n".to_owned()
            + &lines(30, |n| format!("{},go until jurong {n},,,", if n % 2 == 0 { "ham" } else { "spam" }))),
        "classification table",
        "v1:label v2:text",
    );
    let sentiment = lines(40, |n| {
        format!(
            "\"{}\",\"14678{n:05}\",\"Mon Apr 06 22:19:{n:02} PDT 2009\",\"NO_QUERY\",\"user{n}\",\"@switch that is a bummer {n}\"",
            (n % 2) * 4
        )
    });
    check("sentiment140.csv", &sentiment, "classification table", "column1:label column6:text");
    let sms = lines(40, |n| format!("{}\tOk lar joking wif u oni {n}", if n % 7 == 0 { "spam" } else { "ham" }));
    check("SMSSpamCollection", &sms, "classification table", "column1:label column2:text");
    check(
        "clinc.json",
        &format!(
            "{{\"train\": [{}]}}",
            (0..40).map(|n| format!("[\"how is the weather {n}\", \"c{}\"]", n % 4)).collect::<Vec<_>>().join(", ")
        ),
        "classification table",
        "column1:text column2:label",
    );
    check(
        "nlu.json",
        "{\"rasa_nlu_data\": {\"common_examples\": [{\"text\": \"hi you\", \"intent\": \"greet\", \"entities\": []}]}}",
        "classification table",
        "text:text intent:label",
    );
    check(
        "jigsaw.csv",
        &("id,comment_text,toxic,severe_toxic,obscene,threat,insult,identity_hate\n".to_owned()
            + &lines(30, |n| format!("{n:016x},you are {n},{},0,0,0,0,0", n % 2))),
        "classification table",
        "id:id comment_text:text toxic:label severe_toxic:label obscene:label threat:label insult:label identity_hate:label",
    );
    check(
        "tweets.csv",
        &("tweet_id,airline_sentiment,airline_sentiment_confidence,negativereason,airline,name,text,tweet_created\n"
            .to_owned()
            + &lines(30, |n| {
                format!(
                    "5703061336777609{n:02},{},1.0,,Virgin America,cairdin,@VirginAmerica What said {n}.,2015-02-24 11:35:{n:02} -0800",
                    ["neutral", "positive", "negative"][n % 3]
                )
            })),
        "classification table",
        "tweet_id:id airline_sentiment:label text:text tweet_created:time",
    );
    check(
        "imdb.csv",
        &("review,sentiment\n".to_owned()
            + &lines(30, |n| format!("\"One of the, best {n}\",{}", ["positive", "negative"][n % 2]))),
        "classification table",
        "review:text sentiment:label",
    );
    check(
        "nli.jsonl",
        &lines(30, |n| format!("{{\"premise\": \"A man {n}\", \"hypothesis\": \"A person\", \"label\": {}}}", n % 3)),
        "sentence pairs",
        "premise:text hypothesis:text label:label",
    );
    check(
        "ner.jsonl",
        &lines(30, |n| format!("{{\"id\": \"{n}\", \"tokens\": [\"EU\", \"rejects\"], \"ner_tags\": [3, 0]}}")),
        "token tags",
        "id:id tokens[]:text ner_tags[]:label",
    );
}

#[test]
fn questions() {
    check(
        "mcq.jsonl",
        &lines(30, |n| {
            format!("{{\"question\": \"which {n}\", \"choices\": [\"a b\", \"c d\"], \"answer\": {}}}", n % 4)
        }),
        "multiple choice",
        "question:text choices[]:text answer:label",
    );
    check(
        "qa.jsonl",
        &lines(30, |n| {
            format!(
                "{{\"question\": \"which {n}\", \"context\": \"it is {n}\", \"answers\": {{\"text\": [\"word {n}\"], \"answer_start\": [{n}]}}}}"
            )
        }),
        "question answering",
        "question:text context:text answers.text[]:text",
    );
    check(
        "gsm.jsonl",
        &lines(30, |n| format!("{{\"question\": \"how many {n}\", \"answer\": \"there are {n} #### {n}\"}}")),
        "question answering",
        "question:text answer:text",
    );
}

#[test]
fn names_decide_only_where_values_allow_it() {
    // Measurements, times and identifiers under the name of a label.
    let table =
        |value: fn(usize) -> String| "text,label\n".to_owned() + &lines(40, |n| format!("word {n},{}", value(n)));
    for value in [
        (|n| format!("{}.37", n)) as fn(usize) -> String,
        |n| format!("2026-01-02T03:04:{n:02}Z"),
        |n| format!("{:032x}", n as u128 * 0x1234_5678_9abc_def0_1234),
        |n| format!("{}", 1_700_000_000 + n),
        |n| format!("a long sentence that nobody would call a class number {n}"),
    ] {
        check("a.csv", &table(value), "text records", "text:text");
    }
    check("a.csv", &table(|n| (n % 5).to_string()), "classification table", "text:text label:label");
    check("a.csv", &table(|n| format!("{}.0", n % 2)), "classification table", "text:text label:label");
    // Without a known name: only a column of few values, and only one such.
    let rows = |extra: fn(usize) -> String| {
        "a,b,c\n".to_owned() + &lines(40, |n| format!("some words of text {n},{},{}", n % 2, extra(n)))
    };
    check("a.csv", &rows(|n| format!("{}.5", n)), "classification table", "a:text b:label");
    check("a.csv", &rows(|n| (n % 3).to_string()), "text records", "a:text");
}

#[test]
fn declared_roles_hold_for_what_lies_inside() {
    let fields = vec![("chosen".to_owned(), Role::Text), ("verdict".to_owned(), Role::Label)];
    let lens = Lens { dataset: Some("d".into()), roles: Some(FieldRoles { fields }), ..Lens::default() };
    let text = "{\"chosen\": [{\"role\": \"user\", \"content\": \"a\"}], \"verdict\": 1, \"label\": 2}\n";
    let seen = read_with("a.jsonl", text.as_bytes(), &lens, &Limits::default());
    assert_eq!(seen.role("chosen[].content"), Role::Text);
    assert_eq!(seen.role("chosen[].role"), Role::Other);
    assert_eq!((seen.role("verdict"), seen.role("label")), (Role::Label, Role::Other));
    assert_eq!(seen.read().guess, None);
}

#[test]
fn fields_that_come_late_get_a_role_by_name() {
    let text =
        lines(600, |n| format!("{{\"text\": \"a b {n}\"}}")) + "{\"text\": \"c\", \"label\": \"spam\", \"n\": 1}\n";
    let seen = read_bytes("a.jsonl", text.as_bytes());
    assert_eq!((seen.role("label"), seen.role("n")), (Role::Label, Role::Other));
}
