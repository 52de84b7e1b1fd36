//! Draws an excerpt with its line number and a pointer: by miette where the command line is built in, plainly otherwise.

use super::Options;
use super::excerpt::Excerpt;
use super::lines::Position;

/// What is drawn.
pub(super) struct Drawing<'a> {
    /// Name of the file, escaped.
    pub(super) name: String,
    /// Where the focus of the excerpt is in the file.
    pub(super) position: Position,
    /// The text.
    pub(super) excerpt: &'a Excerpt,
    /// What is to be seen there, escaped.
    pub(super) label: Option<String>,
}

#[cfg(feature = "cli")]
mod fancy {
    use std::fmt;

    use miette::{
        Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
        SourceSpan, SpanContents,
    };

    use super::{Drawing, Options};
    use crate::report::excerpt::Excerpt;

    /// Switches reverse video on and off again.
    const REVERSE: [&str; 2] = ["\u{1b}[7m", "\u{1b}[27m"];

    /// A diagnostic of which only the excerpt is wanted: the sentences around it are ours.
    struct Picture {
        name: String,
        text: String,
        line: usize,
        column: usize,
        label: LabeledSpan,
    }

    impl SourceCode for Picture {
        fn read_span<'a>(
            &'a self,
            _: &SourceSpan,
            _: usize,
            _: usize,
        ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
            // The text is one line of a file; which one, and where in it, miette is told instead of finding out.
            let all = SourceSpan::from(0..self.text.len());
            let (name, data) = (self.name.clone(), self.text.as_bytes());
            Ok(Box::new(MietteSpanContents::new_named(name, data, all, self.line, self.column, 1)))
        }
    }

    impl Diagnostic for Picture {
        fn source_code(&self) -> Option<&dyn SourceCode> {
            Some(self)
        }

        fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
            Some(Box::new(std::iter::once(self.label.clone())))
        }
    }

    impl fmt::Debug for Picture {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Picture")
        }
    }

    impl fmt::Display for Picture {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Ok(())
        }
    }

    impl std::error::Error for Picture {}

    impl Drawing<'_> {
        /// The excerpt; with colours everything hidden stands in reverse video.
        fn styled(&self, colour: bool) -> Excerpt {
            let mut excerpt = self.excerpt.clone();
            if !colour {
                return excerpt;
            }
            for at in (0..excerpt.hidden.len()).rev() {
                let range = excerpt.hidden[at].clone();
                // The end first, so that the start stays where it is.
                excerpt.text.insert_str(range.end, REVERSE[1]);
                excerpt.text.insert_str(range.start, REVERSE[0]);
                let (on, off) = (REVERSE[0].len(), REVERSE[1].len());
                let moved = |at: usize| {
                    at + if at > range.start { on } else { 0 }
                        + if at >= range.end && at > range.start { off } else { 0 }
                };
                excerpt.focus = moved(excerpt.focus.start)..moved(excerpt.focus.end);
            }
            excerpt
        }

        /// The drawing, ending with a line feed.
        pub(in crate::report) fn render(&self, options: &Options) -> String {
            let excerpt = self.styled(options.colour);
            let from_one = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
            let picture = Picture {
                name: self.name.clone(),
                line: from_one(self.position.line),
                column: from_one(self.position.column),
                label: LabeledSpan::new_with_span(self.label.clone(), excerpt.focus.clone()),
                text: excerpt.text,
            };
            let theme = match (options.unicode, options.colour) {
                (true, true) => GraphicalTheme::unicode(),
                (true, false) => GraphicalTheme::unicode_nocolor(),
                (false, true) => GraphicalTheme::ascii(),
                (false, false) => GraphicalTheme::none(),
            };
            let mut out = String::new();
            GraphicalReportHandler::new_themed(theme)
                .with_links(false)
                .render_report(&mut out, &picture)
                .expect("writing to a String cannot fail, and the text is at hand");
            // The first line is the sign before an empty message.
            out.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned())
        }
    }
}

#[cfg(not(feature = "cli"))]
impl Drawing<'_> {
    /// The drawing, ending with a line feed.
    pub(super) fn render(&self, _: &Options) -> String {
        let excerpt = self.excerpt;
        let number = self.position.line.to_string();
        let before = excerpt.text[..excerpt.focus.start].chars().count();
        let inside = excerpt.text[excerpt.focus.clone()].chars().count().max(1);
        let label = self.label.as_deref().unwrap_or_default();
        format!(
            " {number} | {}\n {:width$} | {:before$}{} {label}\n",
            excerpt.text,
            "",
            "",
            "^".repeat(inside),
            width = number.len(),
        )
    }
}
