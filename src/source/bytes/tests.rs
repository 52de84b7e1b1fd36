#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::*;

const BIG: usize = 4 << 20;

fn file(len: usize) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.jsonl");
    fs::write(&path, vec![b'x'; len]).unwrap();
    (dir, path)
}

/// A mapping of a file of `BIG` bytes.
#[cfg(target_os = "linux")]
fn mapped() -> (tempfile::TempDir, PathBuf, Bytes) {
    install_guard();
    let (dir, path) = file(BIG);
    let bytes = read_file(&path, u64::MAX).unwrap();
    assert!(matches!(bytes.0, Held::Mapped(_)), "a large file is mapped where the guard stands");
    (dir, path, bytes)
}

/// Runs one test of this file in a process of its own, where it may die.
fn in_child(test: &str) -> Output {
    let name = format!("source::bytes::tests::{test}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env("FORETASTE_TEST_CHILD", test);
    command.output().unwrap()
}

fn is_child(test: &str) -> bool {
    std::env::var_os("FORETASTE_TEST_CHILD").is_some_and(|name| name == test)
}

#[track_caller]
fn survives(test: &str) {
    let output = in_child(test);
    assert!(output.status.success(), "{output:?}");
    // A filter that matches nothing would also end well.
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[test]
fn small_files_are_read_and_stay_what_they_were() {
    let (_dir, path) = file(100);
    let bytes = read_file(&path, 100).unwrap();
    fs::write(&path, b"other").unwrap();
    assert_eq!(&bytes[..], [b'x'; 100]);
    assert_eq!(bytes.verify(), Ok(()));
}

#[test]
fn an_empty_file_is_empty() {
    let (_dir, path) = file(0);
    assert!(read_file(&path, 10).unwrap().is_empty());
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let (_dir, path) = file(101);
    assert_eq!(read_file(&path, 100).unwrap_err(), "larger than the limit of 100 bytes");
}

#[test]
fn links_are_not_followed_but_their_target_can_be_read() {
    let (dir, path) = file(10);
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(read_file(&link, 100).unwrap_err(), "is a symbolic link");
    assert_eq!(read_link(&link).unwrap(), path.as_os_str().as_bytes());
    // A link that is put there between the look and the opening.
    assert_eq!(reason(&open(&link).unwrap_err()), "is a symbolic link");
}

#[test]
fn what_is_not_there_or_not_a_file_has_its_reason() {
    let (dir, _path) = file(10);
    assert_eq!(read_file(&dir.path().join("none"), 100).unwrap_err(), "not found");
    assert_eq!(read_file(dir.path(), 100).unwrap_err(), "not a regular file");
    assert_eq!(read_file(Path::new("/dev/zero"), 100).unwrap_err(), "not a regular file");
}

#[test]
fn a_fifo_does_not_hold_anybody_up() {
    let (dir, path) = file(10);
    let fifo = dir.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    assert_eq!(read_file(&fifo, 100).unwrap_err(), "not a regular file");
    // One that is put there between the look and the opening: opens at once, and is no file.
    fs::rename(&fifo, &path).unwrap();
    assert!(!open(&path).unwrap().metadata().unwrap().is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_without_a_size_that_gives_bytes_is_not_taken_for_empty() {
    assert_eq!(read_file(Path::new("/proc/self/status"), 1 << 20).unwrap_err(), CHANGED);
}

#[test]
#[cfg(target_os = "linux")]
fn an_untouched_mapping_verifies() {
    let (_dir, _path, bytes) = mapped();
    assert_eq!(bytes.len(), BIG);
    assert!(bytes.iter().all(|&b| b == b'x'));
    assert_eq!(bytes.verify(), Ok(()));
}

#[test]
#[cfg(target_os = "linux")]
fn growing_rewriting_and_renaming_over_show() {
    let (_dir, path, bytes) = mapped();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    assert_eq!(bytes.verify().unwrap_err(), CHANGED, "grown");

    let (_dir, path, bytes) = mapped();
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The clock of the file system may be coarse.
    std::thread::sleep(std::time::Duration::from_millis(20));
    (&file).write_all(b"poison").unwrap();
    file.set_modified(before).unwrap();
    assert!(bytes.starts_with(b"poison"), "a mapping shows what was written later");
    assert_eq!(bytes.verify().unwrap_err(), CHANGED, "rewritten in place, with the old time set again");

    let (dir, path, bytes) = mapped();
    fs::write(dir.path().join("new"), vec![b'y'; BIG]).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    assert!(bytes.starts_with(b"x"), "the old file stays mapped");
    assert_eq!(bytes.verify().unwrap_err(), CHANGED, "renamed over");

    let (_dir, path, bytes) = mapped();
    fs::remove_file(&path).unwrap();
    assert_eq!(bytes.verify().unwrap_err(), CHANGED, "removed");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_truncated_while_it_is_mapped_reads_as_zeros_and_shows() {
    const NAME: &str = "a_file_truncated_while_it_is_mapped_reads_as_zeros_and_shows";
    if !is_child(NAME) {
        return survives(NAME);
    }
    let (_dir, path, bytes) = mapped();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10_000).unwrap();
    assert_eq!(bytes.iter().filter(|&&b| b == b'x').count(), 10_000);
    assert_eq!(bytes.iter().filter(|&&b| b == 0).count(), BIG - 10_000);
    assert_eq!(bytes.verify().unwrap_err(), CHANGED);
    drop(bytes);
    // The place in the registry starts afresh.
    let (_dir, _path, bytes) = mapped();
    assert_eq!(bytes.verify(), Ok(()));
}

#[test]
#[cfg(target_os = "linux")]
fn many_threads_live_through_truncations() {
    const NAME: &str = "many_threads_live_through_truncations";
    if !is_child(NAME) {
        return survives(NAME);
    }
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for round in 0..8_usize {
                    let (_dir, path, bytes) = mapped();
                    let (_other_dir, _other_path, other) = mapped();
                    let kept = 1 + round * 100_000;
                    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(kept as u64).unwrap();
                    assert_eq!(bytes.iter().filter(|&&b| b == b'x').count(), kept);
                    assert_eq!(bytes.verify().unwrap_err(), CHANGED);
                    assert!(other.iter().all(|&b| b == b'x'), "only the truncated file is covered with zeros");
                    assert_eq!(other.verify(), Ok(()));
                }
            });
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn more_mappings_than_places_are_read_instead() {
    const NAME: &str = "more_mappings_than_places_are_read_instead";
    if !is_child(NAME) {
        return survives(NAME);
    }
    install_guard();
    let (_dir, path) = file(BIG);
    let all: Vec<Bytes> = (0..300).map(|_| read_file(&path, u64::MAX).unwrap()).collect();
    assert!(all.iter().any(|bytes| matches!(bytes.0, Held::Owned(_))));
    assert!(all.iter().all(|bytes| bytes.len() == BIG && bytes.verify().is_ok()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_fault_outside_our_mappings_still_kills() {
    const NAME: &str = "a_fault_outside_our_mappings_still_kills";
    if !is_child(NAME) {
        assert_eq!(in_child(NAME).status.signal(), Some(libc::SIGBUS));
        return;
    }
    let (_dir, _path, _bytes) = mapped();
    let (_other_dir, path) = file(BIG);
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    // SAFETY: read-only, and dying by it is what the test is about.
    let foreign = unsafe { memmap2::Mmap::map(&file) }.unwrap();
    file.set_len(1).unwrap();
    let sum: u64 = foreign.iter().map(|&b| u64::from(b)).sum();
    unreachable!("read {sum} over bytes that are not there");
}

#[test]
#[cfg(target_os = "linux")]
fn a_sent_signal_still_kills() {
    const NAME: &str = "a_sent_signal_still_kills";
    if !is_child(NAME) {
        assert_eq!(in_child(NAME).status.signal(), Some(libc::SIGBUS));
        return;
    }
    install_guard();
    // The handler of the Rust runtime lets a first sent signal pass and dies of the second.
    for _ in 0..2 {
        // SAFETY: dying by it is what the test is about.
        unsafe { libc::raise(libc::SIGBUS) };
    }
    unreachable!("the signal was swallowed");
}

#[test]
fn without_the_guard_files_are_read_not_mapped() {
    const NAME: &str = "without_the_guard_files_are_read_not_mapped";
    if !is_child(NAME) {
        return survives(NAME);
    }
    let (_dir, path) = file(BIG);
    assert!(matches!(read_file(&path, u64::MAX).unwrap().0, Held::Owned(_)));
}
