//! Standard output and standard error: data on the one, everything else on the other; colour only where it helps.
//!
//! The only module that prints. A reader that closes the pipe early ends the run quietly.

use std::cell::RefCell;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use iam_model::diagnostic::{Diagnostic, Severity};

use crate::error::{CliError, Kind};
use crate::redact::{self, Redactor};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The two streams of a run.
pub(crate) struct Terminal {
    out: BufWriter<io::Stdout>,
    paint_out: Paint,
    paint_err: Paint,
    quiet: bool,
    /// What is held back until all is known that has to be replaced: of both streams.
    held: Option<RefCell<[String; 2]>>,
}

impl Terminal {
    pub(crate) fn new(color: Color, quiet: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let paint = |terminal: bool| match color {
            Color::Always => Paint(true),
            Color::Never => Paint(false),
            Color::Auto => Paint(terminal && !no_color),
        };
        Self {
            out: BufWriter::new(io::stdout()),
            paint_out: paint(io::stdout().is_terminal()),
            paint_err: paint(io::stderr().is_terminal()),
            quiet,
            held: redact::is_on().then(RefCell::default),
        }
    }

    /// Colours for standard output.
    pub(crate) const fn paint(&self) -> Paint {
        self.paint_out
    }

    /// Whether a progress bar may be drawn on standard error.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes data.
    pub(crate) fn data(&mut self, text: &str) -> Result<(), CliError> {
        if let Some(held) = &mut self.held {
            let [out, _] = held.get_mut();
            out.push_str(text);
            return Ok(());
        }
        self.out.write_all(text.as_bytes()).map_err(|e| CliError::output(&e))
    }

    /// Writes what is left of the data.
    pub(crate) fn finish(&mut self) -> Result<(), CliError> {
        self.release()?;
        self.out.flush().map_err(|e| CliError::output(&e))
    }

    /// Writes what was held back, with stand-ins.
    fn release(&mut self) -> Result<(), CliError> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let [out, err] = held.into_inner();
        let mut redactor = Redactor::new();
        redactor.read(&out);
        redactor.read(&err);
        let (out, err) = (redactor.redacted(&out), redactor.redacted(&err));
        // Nothing can be done where standard error is closed.
        let _ = io::stderr().write_all(err.as_bytes());
        self.data(&out)
    }

    /// Writes a line about the run.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.message(text);
        }
    }

    /// Writes a line about what was asked for and not done, however quiet the run.
    pub(crate) fn warn(&mut self, text: &str) {
        let head = self.paint_err.yellow("warning");
        self.message(&format!("{head}: {text}"));
    }

    /// Writes diagnostics, worst last so that it stays on the screen; many of one kind are cut and counted.
    pub(crate) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        // More than the reader of one policy tells, so that its count of the rest is seen.
        const SHOWN_PER_CODE: usize = 24;
        let mut sorted: Vec<_> = diagnostics.iter().collect();
        sorted.sort_by_key(|d| (d.severity, d.code));
        for group in sorted.chunk_by(|a, b| (a.severity, a.code) == (b.severity, b.code)) {
            for diagnostic in group.iter().take(SHOWN_PER_CODE) {
                self.diagnostic(diagnostic);
            }
            let more = group.len().saturating_sub(SHOWN_PER_CODE);
            if let (Some(first), 1..) = (group.first(), more) {
                self.message(&format!("{}[{}]: and {more} more of this kind", first.severity.as_str(), first.code));
            }
        }
    }

    fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        if self.quiet && diagnostic.severity == Severity::Note {
            return;
        }
        let head = format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code);
        let head = match diagnostic.severity {
            Severity::Error => self.paint_err.red(&head),
            Severity::Warning => self.paint_err.yellow(&head),
            Severity::Note => self.paint_err.dim(&head),
        };
        self.message(&format!("{head}: {}: {}", diagnostic.place, diagnostic.message));
        if let Some(hint) = &diagnostic.hint {
            self.message(&format!("  hint: {hint}"));
        }
    }

    /// Writes what was refused, and what to do about it.
    pub(crate) fn refused(&mut self, head: &str, text: &str, hint: Option<&str>) {
        let head = self.paint_err.yellow(head);
        self.message(&format!("{head}: {text}"));
        if let Some(hint) = hint {
            self.message(&format!("  hint: {hint}"));
        }
    }

    /// Writes an error and its hints, and gives its exit code.
    pub(crate) fn print_error(&mut self, error: &CliError) -> ExitCode {
        if error.kind() == Kind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        self.explain(error);
        let _ = self.release();
        let _ = self.out.flush();
        ExitCode::from(2)
    }

    fn explain(&mut self, error: &CliError) {
        // What was written before the error still belongs to the reader; a second failure adds nothing.
        let _ = self.out.flush();
        let head = self.paint_err.red("error");
        self.message(&format!("{head}: {error}"));
        for hint in error.hints() {
            self.message(&format!("  hint: {hint}"));
        }
    }

    /// Control characters of file names and policies must not reach the terminal.
    fn message(&self, text: &str) {
        let safe = self.paint_err.clean(text);
        if let Some(held) = &self.held {
            let [_, err] = &mut *held.borrow_mut();
            err.push_str(&safe);
            err.push('\n');
            return;
        }
        // Nothing can be done where standard error is closed.
        let _ = writeln!(io::stderr(), "{safe}");
    }
}

/// A text in which what a terminal would obey is replaced, but for the control characters in `kept`. Names come from
/// accounts, logs, files and policies: whoever can make a call that is logged chooses some of them.
pub(crate) fn without_control(text: &str, kept: &str) -> String {
    text.chars().map(|c| if obeyed(c) && !kept.contains(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, and those that turn the direction of writing.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints help, the version, or what is wrong with the arguments.
pub(crate) fn print_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Colours a word, or leaves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}{RESET}") } else { text.to_owned() }
    }

    /// A whole text as the terminal may have it: lines, tabs, the colours of this type where there are any, and nothing
    /// else that a terminal would obey.
    pub(crate) fn clean(self, text: &str) -> String {
        // Lines of a file that ends them like Windows, shown in a diff.
        let text = text.replace("\r\n", "\n");
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find('\u{1b}') {
            let (before, from) = rest.split_at(at);
            out.push_str(&without_control(before, "\n\t"));
            let own = COLOURS.iter().find(|colour| self.0 && from.starts_with(**colour)).copied();
            out.push_str(own.unwrap_or("\u{fffd}"));
            rest = from.get(own.map_or(1, str::len)..).unwrap_or_default();
        }
        out.push_str(&without_control(rest, "\n\t"));
        out
    }
}

const RESET: &str = "\u{1b}[0m";

/// Every sequence that `Paint` writes.
const COLOURS: [&str; 7] = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m", "\u{1b}[1m", "\u{1b}[2m", RESET];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_colours_reach_the_terminal() {
        let painted = Paint(true).red("a") + &Paint(true).dim("b") + &Paint(true).bold(&Paint(true).cyan("c"));
        assert_eq!(Paint(true).clean(&painted), painted);
        assert!(!Paint(false).clean(&painted).contains('\u{1b}'));
        let hostile = "q\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}fdp\u{9b}31m\r\u{1b}";
        let clean = Paint(true).clean(hostile);
        assert_eq!(clean, "q\u{fffd}]0;title\u{fffd}\u{fffd}[2J\u{fffd}fdp\u{fffd}31m\u{fffd}\u{fffd}");
        assert_eq!(Paint(true).clean("配車 é\n\t"), "配車 é\n\t");
    }
}
