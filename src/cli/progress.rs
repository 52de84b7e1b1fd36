//! Progress of long work: on a terminal, on standard error, after half a second.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::Progress;

/// A bar that stays away from short work and from pipes.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    started: Instant,
    shown: std::sync::Once,
    wanted: bool,
}

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            started: Instant::now(),
            shown: std::sync::Once::new(),
            wanted: !quiet && std::io::stderr().is_terminal(),
        }
    }
}

impl Progress for Bar {
    fn total(&self, files: u64) {
        self.bar.set_length(files);
        if let Ok(style) = ProgressStyle::with_template("{elapsed:>4} {bar:30} {pos}/{len} files") {
            self.bar.set_style(style);
        }
    }

    fn done(&self) {
        self.bar.inc(1);
        if self.wanted && self.started.elapsed() > Duration::from_millis(500) {
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
