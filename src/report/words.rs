//! Numbers as people read them.

use std::fmt::Write;

/// `1 finding`, `3,400 records`.
pub(super) fn count(n: u64, noun: &str) -> String {
    let plural = match n {
        1 => noun.to_owned(),
        _ if noun.ends_with("class") => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(n))
}

/// A number with commas between its thousands.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.2 MB`: decimal units, one digit behind the point, rounded down.
pub(super) fn bytes(n: u64) -> String {
    let mut out = String::new();
    for (unit, size) in [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)] {
        if n >= size {
            let tenths = n / (size / 10);
            write!(out, "{}.{} {unit}", grouped(tenths / 10), tenths % 10).expect("writing to a String cannot fail");
            return out;
        }
    }
    count(n, "byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(1_234_567, "record"), "1,234,567 records");
        assert_eq!(count(0, "more class"), "0 more classes");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_260_000), "1.2 MB");
        assert_eq!(bytes(u64::MAX), "18,446,744.0 TB");
    }
}
