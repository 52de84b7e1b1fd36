//! What references resolve to, from a list that somebody made where there is a network.

use std::collections::BTreeMap;

use super::reference::is_pin;

/// One line a reference: `dataset huggingface org/name 0123…`, as the commands print it that `foretaste lock` names.
/// Empty lines and lines that begin with `#` are left out.
///
/// # Errors
/// The number of the first line that is no such line.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<(String, String, String), String>, String> {
    let mut resolved = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, hub, target, pin] = words[..] else {
            return Err(format!("line {} is not `KIND HUB NAME COMMIT`", number + 1));
        };
        if !is_pin(pin) {
            return Err(format!("line {}: `{}` is no full commit id", number + 1, crate::policy::node::short(pin)));
        }
        resolved.insert((kind.to_owned(), hub.to_owned(), target.to_owned()), pin.to_owned());
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_reference_a_line() {
        let pin = "0123456789abcdef0123456789abcdef01234567";
        let read = parse(&format!("# made today\n\ndataset huggingface org/name {pin}\n")).unwrap();
        assert_eq!(read.values().collect::<Vec<_>>(), [pin]);
        assert!(parse("dataset huggingface org/name main\n").unwrap_err().contains("line 1"));
        assert!(parse("org/name\n").is_err());
    }
}
