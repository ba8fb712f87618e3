//! The unified diff that `git apply` takes, and a strict reading of it back for the guard.

use iam_model::text::SourceName;
use similar::{ChangeTag, TextDiff};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The diff of one file with three lines of context; empty where nothing changed.
///
/// What is equal at both ends is not compared at all: a long file costs no more than its change, and the change is
/// shown where it was made, never slid along lines that look alike.
pub(crate) fn unified(name: &SourceName, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(before), lines(after));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let shorter = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count().min(shorter);
    let old_middle = old.get(head..old.len() - tail).unwrap_or_default();
    let new_middle = new.get(head..new.len() - tail).unwrap_or_default();
    let diff = TextDiff::from_slices(old_middle, new_middle);
    let equal = |lines: &'_ [&str]| lines.iter().map(|line| (ChangeTag::Equal, (*line).to_owned())).collect::<Vec<_>>();
    let start = head.saturating_sub(CONTEXT);
    let mut changes = equal(old.get(start..head).unwrap_or_default());
    changes.extend(diff.iter_all_changes().map(|change| (change.tag(), change.value().to_owned())));
    let end = old.len() - tail;
    changes.extend(equal(old.get(end..(end + CONTEXT).min(old.len())).unwrap_or_default()));
    hunks(name, &changes, start)
}

/// Changes as hunks; both texts are equal up to `start`.
fn hunks(name: &SourceName, changes: &[(ChangeTag, String)], start: usize) -> String {
    let changed: Vec<usize> = (0..changes.len()).filter(|at| is_change(changes, *at)).collect();
    let mut out = String::new();
    let (mut at, mut old, mut new) = (0, start, start);
    let mut next = 0;
    while let Some(first) = changed.get(next) {
        // Changes whose context touches share a hunk.
        let mut last = *first;
        while let Some(further) = changed.get(next).filter(|further| **further <= last + 2 * CONTEXT + 1) {
            last = *further;
            next += 1;
        }
        let (from, to) = (first.saturating_sub(CONTEXT).max(at), (last + CONTEXT + 1).min(changes.len()));
        let skipped = from - at;
        (old, new) = (old + skipped, new + skipped);
        let body = changes.get(from..to).unwrap_or_default();
        let count = |tag: ChangeTag| body.iter().filter(|(own, _)| *own != tag).count();
        let (old_end, new_end) = (old + count(ChangeTag::Insert), new + count(ChangeTag::Delete));
        if out.is_empty() {
            out.push_str(&format!("--- {}\n+++ {}\n", header('a', name), header('b', name)));
        }
        out.push_str(&format!("@@ -{} +{} @@\n", range(old, old_end), range(new, new_end)));
        for (tag, line) in body {
            out.push(match tag {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
        (at, old, new) = (to, old_end, new_end);
    }
    out
}

fn is_change(changes: &[(ChangeTag, String)], at: usize) -> bool {
    changes.get(at).is_some_and(|(tag, _)| *tag != ChangeTag::Equal)
}

/// Lines as git counts them: a line ends with `\n` and nothing else.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

/// A file name as git writes it: quoted where it holds odd characters, a tab after it where it holds a blank.
fn header(side: char, name: &SourceName) -> String {
    let path = format!("{side}/{name}");
    if path.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        let escaped: String = path
            .chars()
            .map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                '\t' => "\\t".into(),
                '\n' => "\\n".into(),
                c if c.is_control() => format!("\\{:03o}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        return format!("\"{escaped}\"");
    }
    if path.contains(' ') { format!("{path}\t") } else { path }
}

/// Applies a diff made here; nothing where it does not fit the text exactly.
pub(crate) fn applied(before: &str, diff: &str) -> Option<String> {
    let old = lines(before);
    let mut out = String::new();
    let mut at = 0;
    let mut body = lines(diff).into_iter().skip(2).peekable();
    while let Some(line) = body.next() {
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let numbers = hunk.split([',', ' ']).next()?.parse::<usize>().ok()?;
            let counts_none = hunk.split(' ').next()?.ends_with(",0");
            let start = if counts_none { numbers } else { numbers.checked_sub(1)? };
            out.extend(old.get(at..start)?.iter().copied());
            at = start;
            continue;
        }
        let mut text = line.get(1..)?;
        if body.peek().is_some_and(|next| next.starts_with('\\')) {
            text = text.strip_suffix('\n')?;
            body.next();
        }
        if !line.starts_with('+') {
            if *old.get(at)? != text {
                return None;
            }
            at += 1;
        }
        if !line.starts_with('-') {
            out.push_str(text);
        }
    }
    out.extend(old.get(at..)?.iter().copied());
    Some(out)
}
