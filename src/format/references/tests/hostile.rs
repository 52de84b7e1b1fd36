//! Files that nobody honest writes.

use proptest::prelude::*;

use super::read;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        path in proptest::sample::select(vec!["a.py", "a.ipynb", "a.yaml", "a.toml", "a.sh", "a.md", "a.dvc", "Dockerfile", "Makefile", ".gitmodules", "a.json"]),
    ) {
        read(path, &bytes);
    }

    #[test]
    fn any_words_are_read_without_panic_and_with_spans_inside(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "load_dataset", "(", ")", "\"acme/x\"", "'", "\"", "\\", "\n", " ", "  ", "- path: ", "datasets:", "base_model: ", "{", "}", "[", "]", ",", ":",
            "revision=", "=", "hf download ", "```python\n", "```", "---\n", "FROM ", "RUN ", "<<EOF", "EOF", "$(", "${", "\u{e9}", "https://x.acme.org/a.csv", "!", "%",
            "{\"cells\":[{\"cell_type\":\"code\",\"source\":[", "&a ", "*a", "<<: ", "|\n", "acme/y", "# ",
        ]), 0..40),
        path in proptest::sample::select(vec!["a.py", "a.ipynb", "a.yaml", "a.toml", "a.sh", "a.md", "a.dvc", "Dockerfile", "Makefile", ".gitmodules", "a.json"]),
    ) {
        let text = words.concat();
        for reference in read(path, text.as_bytes()).list {
            prop_assert!(reference.span.end <= text.len() as u64, "{reference:?} in {text:?}");
        }
    }
}

/// Long and deep files of every kind come to an end. Nothing is timed; what is quadratic would not finish.
#[test]
fn hostile_files_are_read_to_their_end() {
    let size = (1 << 18) - 64;
    let fill = |unit: &str| unit.repeat(size / unit.len());
    let needle = "load_dataset('acme/x')\n";
    for (path, text) in [
        ("a.yaml", fill("[")),
        ("a.yaml", fill("- ")),
        ("a.yaml", fill("? ")),
        ("a.yaml", fill("a: &a [*a]\n")),
        ("a.yaml", fill("\"\\u0061")),
        ("a.yaml", fill("{{")),
        ("a.yaml", fill("{{ a }} {% b %}\n")),
        ("a.yaml", format!("run: |\n{}", fill("  $(a $(b\n"))),
        ("a.yaml", format!("datasets:\n{}", fill("- path: a/b\n"))),
        ("a.json", format!("{{\"a\": {}", fill("["))),
        ("a.json", format!("{{\"a\": \"{}\"}}", fill("\\u0061"))),
        ("a.json", format!("{{{}}}", fill("\"dataset\": {},"))),
        ("a.toml", format!("dataset = {}", fill("["))),
        ("a.toml", fill("[dataset]\n")),
        ("a.toml", fill("a.")),
        ("a.py", needle.to_owned() + &fill("(")),
        ("a.py", needle.to_owned() + &fill("not ")),
        ("a.py", needle.to_owned() + &fill("a.b(")),
        ("a.py", needle.to_owned() + &fill("f'{")),
        ("a.py", needle.to_owned() + &fill("x = [x, x]\n")),
        ("a.py", needle.to_owned() + &fill("load_dataset(x)\nx = x or y\ny = y or x\n")),
        ("a.py", needle.to_owned() + &fill("{'datasets': [{'path': 'a/b'}]}\n")),
        ("a.py", needle.to_owned() + &fill("if x:\n")),
        ("a.py", needle.to_owned() + &fill("a = b = ")),
        ("a.py", needle.to_owned() + &fill("`")),
        ("a.sh", fill("$(")),
        ("a.sh", fill("`")),
        ("a.sh", fill("\"$(\"")),
        ("a.sh", fill("cat <<EOF\n")),
        ("a.sh", fill("hf download a/b\n")),
        ("a.sh", fill("--dataset a/b ")),
        ("a.sh", fill("x=$x ")),
        ("Dockerfile", fill("RUN a \\\n")),
        ("Dockerfile", fill("RUN <<EOF\n")),
        ("Dockerfile", fill("FROM a AS b\n")),
        ("Makefile", fill("\t$(a)\n")),
        ("a.md", fill("```python\n")),
        ("a.md", fill("---\n")),
        ("a.md", fill("```python\nload_dataset('a/b')\n```\n")),
        (
            "a.ipynb",
            format!("{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [{}\"\"]}}]}}", fill("\"!a \\\\\\n\",")),
        ),
        (
            "a.ipynb",
            format!("{{\"cells\": [{}0]}}", fill("{\"cell_type\": \"code\", \"source\": \"load_dataset('a/b')\"},")),
        ),
    ] {
        assert!(read(path, text.as_bytes()).list.len() <= 10_000, "{path}");
    }
}
