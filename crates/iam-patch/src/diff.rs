//! The unified diff that `git apply` takes, and a strict reading of it back for the guard.

use iam_model::text::SourceName;
use similar::{ChangeTag, TextDiff};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The diff of one file with three lines of context; empty where nothing changed.
pub(crate) fn unified<'t>(name: &SourceName, before: &'t str, after: &'t str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(before), lines(after));
    // What is equal at both ends is cut off but for the context, so that a long file costs no more than its change.
    let equal = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let head = equal(&mut old.iter().zip(&new));
    let shorter = old.len().min(new.len()) - head;
    let tail = equal(&mut old.iter().rev().zip(new.iter().rev())).min(shorter);
    let (skip, drop) = (head.saturating_sub(CONTEXT), tail.saturating_sub(CONTEXT));
    let middle = |lines: &[&'t str]| lines.get(skip..lines.len() - drop).unwrap_or_default().to_vec();
    let (old, new) = (middle(&old), middle(&new));
    let diff = TextDiff::from_slices(&old, &new);
    let mut out = String::new();
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        if out.is_empty() {
            out.push_str(&format!("--- {}\n+++ {}\n", header('a', name), header('b', name)));
        }
        let old_range = range(skip + first.old_range().start, skip + last.old_range().end);
        let new_range = range(skip + first.new_range().start, skip + last.new_range().end);
        out.push_str(&format!("@@ -{old_range} +{new_range} @@\n"));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            out.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            out.push_str(change.value());
            if !change.value().ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    out
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
