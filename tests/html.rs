//! The page that a maintainer looks at: self-contained, safe to open, the same every time, and right.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::fmt::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use sha2::Digest;
use support::Repo;

/// A class that wants to be markup.
const SCRIPT: &str = "<script>alert(1)</script>";

/// A table of labelled texts; those of `flipped` carry a hidden character and the class `refund`.
fn table(rows: usize, flipped: &[usize], probe: &str) -> String {
    let mut out = String::new();
    for n in 0..rows {
        let class = ["chat", "refund", SCRIPT, "a\\\"b' onclick=alert(1) x="][n % 4];
        let (word, class) = if flipped.contains(&n) { ("par\u{200B}cel", "refund") } else { ("parcel", class) };
        writeln!(out, "{{\"text\": \"where is my {word} number {n} {probe}\", \"label\": \"{class}\"}}").unwrap();
    }
    out
}

/// A history in which somebody new hides flips in a commit whose every word is hostile.
fn hostile(probe: &str) -> Repo {
    let repo = Repo::new();
    for n in 0..22 {
        repo.commit(&[("data/t.jsonl", &table(80 + n, &[], probe))], &format!("Add rows, part {n}"));
    }
    repo.stage(&[("data/t.jsonl", &table(101, &[4, 8, 12, 16, 20, 24], probe))]);
    let mut commit = repo.command("git");
    commit.args([
        "commit",
        "--quiet",
        "--no-verify",
        "-m",
        &format!("</td><img src={probe} onerror=alert(1)>\u{202E}"),
    ]);
    commit.env("GIT_AUTHOR_NAME", "Mallory <b>").env("GIT_AUTHOR_EMAIL", "m\"onload=x@evil.example");
    assert!(commit.status().unwrap().success());
    repo.git(&["tag", "v<i>1"]);
    repo
}

fn audited(repo: &Repo, more: &[&str]) -> String {
    let run = repo.foretaste(&[&["audit", "--format", "html"], more].concat());
    assert!(run.code() < 2, "{}", run.all());
    run.stdout()
}

/// Whether a page could run or load anything: every tag and attribute of it is one of ours.
fn is_inert(page: &str) {
    let (head, body) = page.split_once("</style>").expect("a page has a style sheet");
    for never in ["<script", "<link", "<img", "<iframe", "<object", "<base", "<form", "<meta http-equiv=\"refresh"] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(!head.contains("url(") && !head.contains("@import"));
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("tags are closed");
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "{tag}");
        // Values are in quotes, and what stands outside of them are names of ours.
        for attribute in tag.split('"').step_by(2) {
            for never in ["style=", "src=", " on", "xlink", "srcset"] {
                assert!(!attribute.contains(never), "{tag}");
            }
        }
        for link in tag.split("href=\"").skip(1) {
            assert!(link.starts_with('#'), "{tag}");
        }
    }
}

#[test]
fn a_page_of_hostile_data_runs_and_loads_nothing() {
    let page = audited(&hostile("http://probe.example/x"), &[]);
    is_inert(&page);
    for shown in ["&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;U+200B&gt;", "&lt;U+202E&gt;", "Mallory"] {
        assert!(page.contains(shown), "{shown} is in the page");
    }
    assert!(!page.contains(['\u{200B}', '\u{202E}']));
}

#[test]
fn its_policy_allows_its_own_style_sheet_and_nothing_else() {
    let page = audited(&hostile("x"), &[]);
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    assert!(page.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")));
}

#[test]
fn an_audit_shows_verdict_commits_rows_matrix_shares_and_people() {
    let repo = hostile("x");
    let page = audited(&repo, &[]);
    let id = repo.git(&["rev-parse", "--short=10", "HEAD"]);
    let (_, report) = repo.json(&["audit"]);
    let fingerprint = report["findings"][0]["fingerprint"].as_str().unwrap();
    for part in [
        "<section id=\"commits\">",
        &format!("<code>{}</code>", id.trim()),
        "its author is new to the data",
        "par<span class=\"u\">&lt;U+200B&gt;</span>cel",
        "<table class=\"matrix\">",
        "<section id=\"shares\">",
        "<section id=\"people\">",
        "in tag v&lt;i&gt;1",
        &format!("foretaste audit --accept {fingerprint} --reason"),
        &format!("- {{rule: label-flip, fingerprint: &quot;{fingerprint}&quot;"),
        "all 23 data blobs of the history were read",
    ] {
        assert!(page.contains(part), "{part} is in the page");
    }
    assert_eq!(page, audited(&repo, &[]), "the same input gives the same bytes");
}

#[test]
fn a_redacted_page_shows_no_text_and_no_names() {
    let page = audited(&hostile("secretword"), &["--redact"]);
    is_inert(&page);
    for gone in ["secretword", "Mallory", "evil.example", "refund", "par<span", "accept it"] {
        assert!(!page.contains(gone), "{gone} is not in the page");
    }
    assert!(page.contains("person-") && page.contains("hash-"));
}

#[test]
fn a_check_shows_findings_by_rule_and_what_changed() {
    let repo = Repo::with(&[("data/t.jsonl", &table(100, &[], "x"))]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("data/t.jsonl", &table(100, &[0, 4, 8, 12, 16, 20], "x"))], "Tidy up");
    let file = repo.beside("report.html");
    let output = format!("html={}", file.display());
    let run = repo.foretaste(&["check", "--range", "main..change", "--output", &output]);
    assert_eq!(run.code(), 1, "{}", run.all());
    let page = std::fs::read_to_string(file).unwrap();
    is_inert(&page);
    for part in [
        "2 errors",
        "<code>invisible-unicode</code>",
        "<code>label-flip</code>",
        "class=\"matrix\"",
        "Classes that grew",
    ] {
        assert!(page.contains(part), "{part} is in the page");
    }
    assert!(page.contains("<span class=\"label\"><bdi>chat</bdi></span><p>"), "rows stand there as they were");
}

#[test]
fn rows_of_any_bytes_and_any_length_stay_readable() {
    let long = "x".repeat(1 << 20);
    let mut row = format!("{{\"text\": \"{long}\\u200b\", \"label\": \"a\"}}\n").into_bytes();
    row.extend_from_slice(b"{\"text\": \"half a pair \\ud800 and nul \\u0000 \xFF\xFE\", \"label\": \"a\"}\n");
    let repo = Repo::new();
    std::fs::create_dir_all(repo.dir().join("data")).unwrap();
    std::fs::write(repo.dir().join("data/t.jsonl"), row).unwrap();
    let run = repo.foretaste(&["check", "--format", "html"]);
    let page = run.stdout();
    is_inert(&page);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(!page.contains('\0'));
}

/// What a browser makes of a page: the document, and what it logs on its console.
fn browsed(page: &Path) -> (String, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    let run = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"])
        .args(["--enable-logging=stderr", "--timeout=20000"])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium is installed");
    let log = String::from_utf8_lossy(&run.stderr).into_owned();
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&run.stdout).into_owned(), console)
}

/// An address that counts who comes to ask, and sends everybody away.
fn probe() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || listener.incoming().for_each(|_| _ = counter.fetch_add(1, Ordering::SeqCst)));
    (format!("http://{address}/x"), asked)
}

#[test]
#[ignore = "needs chromium"]
fn a_browser_shows_it_without_a_word_of_complaint() {
    let (probe, asked) = probe();
    let repo = hostile(&format!("<img src={probe}>"));
    let folder = tempfile::tempdir().unwrap();

    // That something would be noticed: a page that asks and runs what its own policy forbids.
    let control = folder.path().join("control.html");
    let markup = "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'none'\"><script>alert(1)</script>";
    std::fs::write(&control, format!("<!doctype html>{markup}<img src=\"{probe}\">")).unwrap();
    let (_, console) = browsed(&control);
    assert!(!console.is_empty(), "a violation is logged");
    assert!(asked.swap(0, Ordering::SeqCst) > 0, "a request arrives");

    let page = folder.path().join("report.html");
    std::fs::write(&page, audited(&repo, &[])).unwrap();
    let (document, console) = browsed(&page);
    assert_eq!(console, [""; 0]);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked for");
    let id = repo.git(&["rev-parse", "--short=10", "HEAD"]);
    for part in
        ["<table class=\"matrix\">", &format!("<code>{}</code>", id.trim()), "&lt;U+200B&gt;", "class=\"strip\""]
    {
        assert!(document.contains(part), "{part} is in the document");
    }
}
